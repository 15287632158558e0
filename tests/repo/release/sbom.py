#!/usr/bin/env python3
"""Writes the bill of materials of the image, as CycloneDX 1.5: the program, and Debian's packages as the image's own
records name them, once per processor.

    sbom.py LAYOUT VERSION EPOCH     LAYOUT is a folder, an OCI image layout
    sbom.py --digest LAYOUT          only the digest of the image

Two runs over one image give the same bytes.
"""
import datetime
import email.parser
import json
import pathlib
import sys
import tarfile
import uuid

NAME = "recall-redirectd"
RECORDS = "var/lib/dpkg/status.d/"


def blob(layout, descriptor):
    return layout / "blobs" / descriptor["digest"].replace(":", "/")


def read_json(path):
    return json.loads(path.read_text())


def top(layout):
    """What the layout's index names: the image, one manifest or a list of them."""
    described, = read_json(layout / "index.json")["manifests"]
    return described


def manifests(layout, described):
    """(Debian's architecture, manifest) of each processor."""
    found = read_json(blob(layout, described))
    for image in found.get("manifests", [described]):
        manifest = read_json(blob(layout, image))
        yield read_json(blob(layout, manifest["config"]))["architecture"], manifest


def os_release(layer):
    """The fields of the file, wherever it is in the layer."""
    for member in layer:
        if member.name.removeprefix("./") == "etc/os-release":
            lines = layer.extractfile(member).read().decode().splitlines()
            return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}
    return {}


def packages(layout, manifest):
    """The records in the layers, as (record, name and version of the distribution)."""
    for descriptor in manifest["layers"]:
        with tarfile.open(blob(layout, descriptor)) as layer:
            system = os_release(layer)
            for member in layer.getmembers():
                name = member.name.removeprefix("./")
                if name.startswith(RECORDS) and member.isfile() and not name.endswith(".md5sums"):
                    text = layer.extractfile(member).read().decode()
                    yield email.parser.HeaderParser().parsestr(text), system


def component(record, system):
    architecture, version = record["Architecture"], record["Version"]
    distribution = f"{system['ID']}-{system['VERSION_ID']}"
    purl = (f"pkg:deb/{system['ID']}/{record['Package']}@{version.replace(':', '%3A').replace('+', '%2B')}"
            f"?arch={architecture}&distro={distribution}")
    return {"type": "library", "bom-ref": purl, "name": record["Package"], "version": version, "purl": purl,
            "supplier": {"name": record["Maintainer"]},
            "properties": [{"name": "architecture", "value": architecture}]}


def bill(layout, version, epoch):
    described = top(layout)
    of = {architecture: [component(*record) for record in packages(layout, manifest)]
          for architecture, manifest in manifests(layout, described)}
    programs = [{"type": "application", "bom-ref": f"{NAME}-{architecture}", "name": NAME, "version": version,
                 "properties": [{"name": "architecture", "value": architecture}]} for architecture in sorted(of)]
    image = f"pkg:oci/{NAME}@{described['digest'].replace(':', '%3A')}"
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, image)}",
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "container", "bom-ref": image, "name": NAME, "version": version, "purl": image}},
        "components": programs + sorted((c for each in of.values() for c in each), key=lambda c: c["purl"]),
        "dependencies": [{"ref": image, "dependsOn": [program["bom-ref"] for program in programs]}] + [
            {"ref": f"{NAME}-{architecture}", "dependsOn": sorted(c["purl"] for c in of[architecture])}
            for architecture in sorted(of)]}


def main():
    if sys.argv[1] == "--digest":
        print(top(pathlib.Path(sys.argv[2]))["digest"])
    else:
        json.dump(bill(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])), sys.stdout, indent=1)
        print()


main()
