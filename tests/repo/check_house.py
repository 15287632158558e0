#!/usr/bin/env python3
"""Holds the house: which folder may know which, who may include which library, sizes, one version.

The folders of server/ are layers. Their order is the list in CONTRIBUTING.md; everything else is derived from
the folders themselves. Each rule is then shown a house with a fault, which it has to find.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build"))
FUNCTION_LINES = 40
FILE_LINES = 300
BUDGET = 10500  # lines of server/, headers included

# Who may use what: a header or a call, and the folders or files that may have it.
MAY = [
    (r'#include <microhttpd\.h>', ["mhd/"]),
    (r'#include <cjson/', ["base/json", "config/", "flow/params"]),
    (r'#include <gnutls/', ["system/", "flow/csrf"]),
    (r'\b(?:fopen|open|openat|opendir|readdir|getenv|secure_getenv)\(|\benviron\b', ["system/", "process/"]),
    (r'\b(?:socket|bind|listen|accept4?|connect|setsockopt)\(', ["system/", "mhd/", "process/"]),
]
# The layers that are pure: they ask the system for nothing but memory and the time.
PURE = {"base", "config", "http", "flow", "observe"}
PURE_HEADERS = {
    "arpa/inet.h", "assert.h", "errno.h", "inttypes.h", "limits.h", "malloc.h", "netinet/in.h", "pthread.h",
    "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "sys/queue.h",
    "sys/socket.h", "time.h", "unistd.h"}


def read_house():
    """Every file that a rule looks at: path -> text."""
    places = ["Makefile", "Dockerfile", "*.md", "server/*", "server/*/*", "config/*", "systemd/*"]
    house = {str(path.relative_to(ROOT)): path.read_text()
             for place in places for path in ROOT.glob(place) if path.is_file()}
    house.update((str(path.relative_to(ROOT)), "") for path in ROOT.glob("tests/*/check_*.c"))
    return house


def sources(house):
    """The C files, without "server/"."""
    return {path.removeprefix("server/"): text for path, text in house.items()
            if re.fullmatch(r"server/.*\.[ch]", path)}


def layers(house):
    """The folders in the order of the list in CONTRIBUTING.md: "base/   what it holds"."""
    return re.findall(r"^ {6}([a-z]+)/ {2,}\S", house["CONTRIBUTING.md"], re.M)


def folder(name):
    return name.rpartition("/")[0]


def includes(text, quotes='""'):
    return re.findall(rf"^#include {quotes[0]}(.+?){quotes[1]}$", text, re.M)


def code(text):
    """Without comments and strings, but with the lines that include."""
    lines = re.sub(r"/\*.*?\*/", "", text, flags=re.S).splitlines()
    return "\n".join(line if line.startswith("#include") else re.sub(r'"(?:\\.|[^"\\])*"', '""', line)
                     for line in lines)


def reached(files, name, seen):
    """Every file of the house that this one includes, directly or not."""
    for other in includes(files[name]):
        if other not in seen and other in files:
            seen.add(other)
            reached(files, other, seen)
    return seen


# --- the rules; each returns its faults ---

def folders_are_the_listed_layers(house):
    there = {folder(name) for name in sources(house)} - {""}
    listed = set(layers(house))
    yield from (f"server/{odd}/ is not listed in CONTRIBUTING.md" for odd in there - listed)
    yield from (f"CONTRIBUTING.md lists {odd}/, which is not in server/" for odd in listed - there)
    yield from (f"{name} is next to main.c" for name in sources(house) if "/" not in name and name != "main.c")


def files_include_only_their_own_folder_and_those_before_it(house):
    order = layers(house)
    files = sources(house)
    for name, text in files.items():
        may = order[:order.index(folder(name)) + 1] if folder(name) in order else order
        for other in includes(text):
            if other not in files:
                yield f"{name} includes {other}, which is not in server/"
            elif folder(other) not in may:
                yield f"{name} includes {other}"


def no_header_includes_itself(house):
    files = sources(house)
    yield from (f"{name} includes itself in the end" for name in files if name in reached(files, name, set()))


def libraries_and_calls_stay_where_they_may(house):
    for pattern, places in MAY:
        for name, text in sources(house).items():
            if re.search(pattern, code(text)) and not name.startswith(tuple(places)):
                yield f"{name} has {pattern}"


def pure_folders_need_nothing_of_the_system(house):
    libraries = re.compile("cjson/|gnutls/")
    for name, text in sources(house).items():
        if folder(name) in PURE:
            yield from (f"{name} includes <{header}>" for header in includes(text, "<>")
                        if header not in PURE_HEADERS and not libraries.match(header))


def nothing_stands_in_for_the_c_library(house):
    """Symbols of what was built, against those of the C library."""
    def symbols(*command):
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return {line.split()[-1].split("@")[0] for line in listed.splitlines() if len(line.split()) == 3}
    library = subprocess.run([os.environ.get("CC", "cc"), "-print-file-name=libc.so.6"],
                             capture_output=True, text=True, check=True).stdout.strip()
    mine = symbols("nm", "--defined-only", "-g", str(BUILD / "libserver.a")) | set(house.get("symbols", "").split())
    yield from (f"{name}() is the C library's" for name in mine & symbols("nm", "-D", "--defined-only", library))


def unit_tests_mirror_files(house):
    mirrored = set(layers(house)) - {"process"}
    for path in house:
        if match := re.fullmatch(r"tests/(\w+)/check_(\w+)\.c", path):
            mirror = f"server/{match[1]}/{match[2]}"
            if match[1] in mirrored and f"{mirror}.c" not in house and f"{mirror}.h" not in house:
                yield f"{path} tests no file of server/{match[1]}/"


def sizes_are_kept(house):
    """A function starts with its name in the first column and ends with a brace there (KNF)."""
    files = sources(house)
    total = sum(len(text.splitlines()) for text in files.values())
    if total > BUDGET:
        yield f"server/ has {total} lines"
    for name, text in [*files.items(), ("Makefile", house["Makefile"]), ("README.md", house["README.md"])]:
        lines = text.splitlines()
        if len(lines) > FILE_LINES:
            yield f"{name} has {len(lines)} lines"
        start = None
        for number, line in enumerate(lines if name in files else [], 1):
            if match := re.match(r"([a-z_]\w*)\(", line):
                start, function = number, match.group(1)
            elif line.startswith("}") and start is not None:
                if number - start + 1 > FUNCTION_LINES:
                    yield f"{name}: {function}() has {number - start + 1} lines"
                start = None
            elif line.endswith(";") and line[:1].strip():
                start = None  # a prototype


def version_is_one(house):
    """The Makefile's; what else names one, names it."""
    version = re.search(r"^VERSION := (\S+)$", house["Makefile"], re.M).group(1)
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        yield f"the Makefile's version is {version}"
    found = 0
    for path, text in house.items():
        for other in re.findall(r"recall-redirectd[-_: ]v?(\d+\.\d+\.\d+)", text):
            found += 1
            if other != version:
                yield f"{path} names version {other}, the Makefile {version}"
    if not found:
        yield "no other place names a version: this rule looks for the wrong thing"


# --- each rule, and a fault that it has to find: file, pattern, what stands there instead ---

FAULTS = [
    (folders_are_the_listed_layers, "CONTRIBUTING.md", r"\n {6}flow/.*", ""),
    (folders_are_the_listed_layers, "CONTRIBUTING.md", r"(\n {6})flow/", r"\1loft/  nothing\1flow/"),
    (folders_are_the_listed_layers, "server/odd.c", None, ""),
    (files_include_only_their_own_folder_and_those_before_it, "server/base/url.c", r"#include ",
     '#include "system/tls.h"\n#include '),
    (files_include_only_their_own_folder_and_those_before_it, "server/mhd/reply.c", r"#include ",
     '#include "process/load.h"\n#include '),
    (files_include_only_their_own_folder_and_those_before_it, "server/base/url.c", r"#include ",
     '#include "text.h"\n#include '),
    (no_header_includes_itself, "server/base/text.h", r"\n#include", '\n#include "base/url.h"\n#include'),
    (libraries_and_calls_stay_where_they_may, "server/base/url.c", r"#include ",
     "#include <cjson/cJSON.h>\n#include "),
    (libraries_and_calls_stay_where_they_may, "server/process/load.c", r"#include ",
     "#include <gnutls/gnutls.h>\n#include "),
    (libraries_and_calls_stay_where_they_may, "server/system/tls.c", r"#include ",
     "#include <microhttpd.h>\n#include "),
    (libraries_and_calls_stay_where_they_may, "server/flow/page.c", r"\n{\n", '\n{\n\tgetenv("HOME");\n'),
    (libraries_and_calls_stay_where_they_may, "server/mhd/reply.c", r"\n{\n", '\n{\n\tfopen("x", "r");\n'),
    (pure_folders_need_nothing_of_the_system, "server/flow/page.c", r"#include ",
     "#include <fcntl.h>\n#include "),
    (nothing_stands_in_for_the_c_library, "symbols", None, "printf"),
    (unit_tests_mirror_files, "tests/flow/check_nothing.c", None, ""),
    (sizes_are_kept, "server/flow/page.c", r"\n{\n", "\n{\n" + "\tnothing();\n" * FUNCTION_LINES),
    (sizes_are_kept, "server/base/text.h", r"$", "\n" * FILE_LINES),
    (sizes_are_kept, "Makefile", r"$", "\n" * FILE_LINES),
    (sizes_are_kept, "server/base/text.h", r"$", "\n" * BUDGET),
    (version_is_one, "config/compose.yaml", r"(recall-redirectd:)[0-9.]+", r"\g<1>0.0.1"),
    (version_is_one, "Makefile", r"VERSION := .*", "VERSION := 99.0.0"),
]


def main():
    house = read_house()
    number = failed = 0
    for rule in dict.fromkeys(rule for rule, *_ in FAULTS):
        number += 1
        faults = sorted(rule(house))
        failed += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {rule.__name__.replace('_', ' ')}")
        for fault in faults:
            print(f"    {fault}")
    for rule, path, pattern, instead in FAULTS:
        number += 1
        text = instead if pattern is None else re.sub(pattern, instead, house[path], count=1)
        new = set(rule({**house, path: text})) - set(rule(house))
        failed += not new
        print(f"{'ok' if new else 'not ok'} {number} - {rule.__name__.replace('_', ' ')}: "
              f"would notice a fault in {path}: {', '.join(sorted(new)) or 'it did not'}")
    print(f"{number - failed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
