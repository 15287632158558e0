#!/usr/bin/env python3
"""What `check` and a start say of certificates, good and bad; and that no message holds a key.

PROGRAM names the binary, WRAPPER a tool to run it under. openssl makes the certificates.
"""
import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

folder = tempfile.mkdtemp()
PATIENCE = 30
DAY = 86400
CA_CONFIG = """[ca]
default_ca=d
[d]
new_certs_dir=.
database=index
serial=serial
default_md=sha256
policy=p
copy_extensions=copy
unique_subject=no
x509_extensions=x
[p]
commonName=supplied
[x]
"""


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True).stdout


def date(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))


def issue(name, issuer, start=-60, end=90 * DAY, san=None, key="ec"):
    """name.key and name.pem, from an issuer made before; None: self-signed."""
    options = ["-newkey", "rsa:2048"] if key == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    extensions = ["-addext", "subjectAltName=" + san] if san else ["-addext", "basicConstraints=CA:TRUE"]
    openssl("req", "-new", *options, "-nodes", "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr",
            *extensions)
    signer = ["-cert", issuer + ".pem", "-keyfile", issuer + ".key"] if issuer else ["-selfsign", "-keyfile", name + ".key"]
    openssl("ca", "-batch", "-notext", "-config", "ca.cnf", *signer, "-in", name + ".csr", "-out", name + ".pem",
            "-startdate", date(start), "-enddate", date(end))
    os.chmod(os.path.join(folder, name + ".key"), 0o600)


def make_all():
    for name, text in (("ca.cnf", CA_CONFIG), ("index", ""), ("serial", "01")):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    issue("root", None)
    issue("middle", "root")
    issue("stranger", None)
    issue("good", "middle", san="DNS:o.example,DNS:p.example")
    issue("wild", "middle", san="DNS:*.corp.example")
    issue("address", "middle", san="IP:127.0.0.1,IP:::1")
    issue("other", "middle", san="DNS:example,DNS:o.example.com")
    issue("expired", "middle", start=-9 * DAY, end=-DAY, san="DNS:o.example")
    issue("soon", "middle", end=13 * DAY, san="DNS:o.example")
    issue("future", "middle", start=DAY, san="DNS:o.example")
    issue("rsa", "middle", san="DNS:o.example", key="rsa")


def read(name):
    with open(os.path.join(folder, name)) as file:
        return file.read()


def chain(*names):
    """The path of a file with these certificates; a number repeats the one before."""
    text, path = "", os.path.join(folder, "chain.pem")
    for name in names:
        text += read(names[names.index(name) - 1] + ".pem") * (name - 1) if isinstance(name, int) else read(name + ".pem")
    with open(path, "w") as file:
        file.write(text)
    return path


def run(*arguments, environment={}):
    with open(os.path.join(folder, "empty.json"), "w") as file:
        file.write("{}")
    command = [*os.environ.get("WRAPPER", "").split(), os.environ["PROGRAM"], "-c", file.name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE,
                          env={**os.environ, **environment})


def tls_lines(text):
    """The findings about tls.*, with PATH for the folder."""
    return [line.replace(folder, "PATH") for line in text.splitlines() if "tls." in line]


ORDER = "put each certificate before the one that issued it, and leave out others"
NAME = "warning: tls.certificate: is not for the host of public_url; browsers refuse it; use a certificate that names this host"
MANY = ("error: PATH/chain.pem: tls.certificate: has more than 16 certificates; use a PEM file with the server's certificate "
        "and those that issued it")
OTHER_KEY = ("error: PATH/%s.key: tls.private_key: does not belong to the first certificate; put the server's own certificate "
             "first, then the one that issued it, and so on; or use the key that it was made for")
URL = "https://o.example"
ROWS = [  # certificates, key, public_url, what check says of them
    (("good", "middle", "root"), "good", URL, []),
    (("good", "middle"), "good", URL, []),
    (("good",), "good", URL, []),
    (("good",), "good", "https://P.example:8443", []),
    (("good",), "good", None, []),
    (("wild",), "wild", "https://o.corp.example", []),
    (("address",), "address", "https://127.0.0.1", []),
    (("address",), "address", URL, [NAME]),
    (("good",), "good", "https://q.example", [NAME]),
    (("wild",), "wild", "https://a.o.corp.example", [NAME]),
    (("other",), "other", URL, [NAME]),
    (("expired",), "expired", URL, ["warning: tls.certificate: has expired; clients refuse it; renew it"]),
    (("soon",), "soon", URL, ["warning: tls.certificate: expires within 14 days; renew it"]),
    (("future",), "future", URL, ["warning: tls.certificate: is not valid yet; clients refuse it; check the clock of this "
                                  "machine"]),
    (("rsa", "middle"), "rsa", URL, ["warning: tls.certificate: has an RSA key; an ECDSA key (P-256) makes a new connection "
                                     "cost a third of the time"]),
    (("good", "root", "middle"), "good", URL, ["warning: tls.certificate: is out of order; " + ORDER]),
    (("good", "middle", "stranger"), "good", URL, ["warning: tls.certificate: is out of order; " + ORDER]),
    (("good", "good"), "good", URL, ["warning: tls.certificate: is out of order; " + ORDER]),
    (("good", "root", 15), "good", URL, ["warning: tls.certificate: is out of order; " + ORDER]),
    (("good", "root", 16), "good", URL, [MANY]),
    (("good", "root", 144), "good", URL, [MANY]),
    (("middle", "good"), "good", URL, [OTHER_KEY % "good"]),
    (("root", "middle", "good"), "good", URL, [OTHER_KEY % "good"]),
    (("good", "middle"), "other", URL, [OTHER_KEY % "other"]),
    (("good", "middle"), "rsa", URL, [OTHER_KEY % "rsa"]),
]


def options_of(certificates, key, url):
    return ["--tls.certificate=" + chain(*certificates), "--tls.private_key=%s/%s.key" % (folder, key),
            *(["--public_url=" + url] if url else []), "--listen.address=127.0.0.1", "--listen.port=0", "--admin.port=0"]


def test_check_sees_what_the_start_sees():
    for certificates, key, url, wanted in ROWS:
        options = options_of(certificates, key, url)
        result = run("check", *options)
        is_bad = any(line.startswith("error") for line in wanted)
        row = (certificates, key, url)
        assert tls_lines(result.stdout) == wanted and result.stderr == "", (row, result)
        assert result.returncode == (78 if is_bad else 0), (row, result)
        if is_bad:
            result = run(*options)
            assert (result.returncode, tls_lines(result.stderr)) == (78, wanted), (row, result)


# --- a key where a path belongs ---

def spellings(key):
    """How .env files and secret stores hold a PEM text."""
    lines = key.strip().splitlines()
    yield "\n".join(lines)
    yield "\\n".join(lines)
    yield " ".join(lines)
    yield "".join(lines)
    yield "".join(lines[1:-1])
    yield "\r\n".join(lines)
    yield "/" + "".join(lines[1:-1])
    yield "./" + "".join(lines[1:-1])
    yield '"' + "\\n".join(lines) + '"'
    yield base64.b64encode(key.encode()).decode()
    yield base64.urlsafe_b64encode(key.encode()).decode()


def pieces(value):
    """Every eight bytes of what is secret in it."""
    secret = re.sub(r"-----(BEGIN|END) PRIVATE KEY-----|\\n|\s", "", value)
    return {secret[i:i + 8] for i in range(len(secret) - 7)}


def leaks(text, value):
    return [piece for piece in pieces(value) if piece in text]


def test_no_message_holds_a_key():
    certificate = os.path.join(folder, "good.pem")
    keys = [read(name) for name in ("good.key", "rsa.key")]
    assert leaks("cannot open " + keys[0][40:60], keys[0])  # it would notice one
    for value in [spelling for key in keys for spelling in spellings(key)]:
        for name in ("TLS_PRIVATE_KEY", "TLS_CERTIFICATE"):
            pair = {"REDIRECTD_TLS_CERTIFICATE": certificate, "REDIRECTD_TLS_PRIVATE_KEY": os.path.join(folder, "good.key"),
                    "REDIRECTD_" + name: value}
            for command in ("check", "serve", "setup", "healthcheck"):
                result = run(command, environment=pair)
                said = result.stdout + result.stderr
                assert not leaks(said, value), (command, said)
                assert command not in ("check", "serve") or result.returncode == 78, (command, said)
                assert "tls." in said or command == "healthcheck" or command == "setup", (command, said)


def main():
    try:
        make_all()
        tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
        failed = 0
        for number, (name, test) in enumerate(tests, 1):
            title = name[len("test_"):].replace("_", " ")
            try:
                test()
                print("ok %d - %s" % (number, title))
            except Exception as fault:  # the others run all the same
                failed += 1
                print("not ok %d - %s\n    %r" % (number, title, fault))
        print("%d passed, %d failed" % (len(tests) - failed, failed))
        sys.exit(failed > 0)
    finally:
        shutil.rmtree(folder)


main()
