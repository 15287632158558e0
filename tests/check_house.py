#!/usr/bin/env python3
"""Holds the house of server/ against its picture in CONTRIBUTING.md, and the version against itself.

Modules, who may include which library, which way includes point, sizes; one version everywhere. Each rule
is then shown a house with a fault, which it has to find.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUNCTION_LINES = 40
FILE_LINES = 350
# What the system offers without a library. The core needs no more than the first: no file, no socket of
# its own.
CORE_SYSTEM = {
    "arpa/inet.h", "assert.h", "errno.h", "netinet/in.h", "pthread.h", "stdarg.h", "stdatomic.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "sys/socket.h",
    "time.h", "unistd.h"}
SYSTEM = CORE_SYSTEM | {
    "dirent.h", "fcntl.h", "malloc.h", "netinet/tcp.h", "poll.h", "sched.h", "search.h", "signal.h",
    "sys/eventfd.h", "sys/random.h", "sys/resource.h", "sys/stat.h", "sys/syscall.h", "sys/time.h", "sys/un.h"}


def read_house():
    """Every file that a rule looks at: path -> text."""
    places = ["Makefile", "Dockerfile", "*.md", "server/*", "config/*", "systemd/*"]
    return {str(path.relative_to(ROOT)): path.read_text()
            for place in places for path in ROOT.glob(place) if path.is_file()}


# --- the picture ---

def section(house, start, end):
    text = house["CONTRIBUTING.md"]
    return text[text.index(start):text.index(end)]


def rows(text):
    """The two cells of each row of a table, its heading left out."""
    found = re.findall(r"^\| (.+?) \| (.+?) \|$", text, re.M)
    return [row for row in found if row[0] not in ("Module", "Header or call")]


def words(cell):
    return re.findall(r"`([^`]+)`", cell)


def pictured(house):
    """The modules of the core and of the shell, as CONTRIBUTING.md names them."""
    core = section(house, "**The core**", "**The shell**")
    shell = section(house, "**The shell**", "**Who may")
    return [{name for cell, _ in rows(part) for name in words(cell)} for part in (core, shell)]


def permissions(house):
    """Each row of the table of libraries and calls: what, and the files that may have it."""
    table = section(house, "**Who may", "## To add a route")
    return [(words(what), {name for name in words(where) if re.fullmatch(r"\w+\.[ch]", name)})
            for what, where in rows(table)]


# --- the house ---

def built(house, name):
    """A list of modules in the Makefile."""
    match = re.search(rf"^{name} := ((?:.*\\\n)*.*)$", house["Makefile"], re.M)
    return set(match.group(1).replace("\\\n", " ").split())


def sources(house):
    return {path.removeprefix("server/"): text for path, text in house.items()
            if re.fullmatch(r"server/\w+\.[ch]", path)}


def module(name):
    return name.rpartition(".")[0]


def includes(text, quotes='""'):
    return re.findall(rf"^#include {quotes[0]}(.+?){quotes[1]}$", text, re.M)


def reached(files, name, seen=None):
    """Every file of the house that this one includes, directly or not, and itself."""
    seen = {name} if seen is None else seen
    for other in includes(files[name]):
        if other not in seen and other in files:
            seen.add(other)
            reached(files, other, seen)
    return seen


def has_library(text, pattern):
    return any(re.fullmatch(pattern.replace("*", ".*"), header) for header in includes(text, "<>"))


def code(text):
    """Without comments and strings."""
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\])*"', "", text, flags=re.S)


# --- the rules; each returns its faults ---

def modules_are_pictured(house):
    core, shell = pictured(house)
    files = {module(name) for name in sources(house)}
    for name, here, there in (("core", core, built(house, "CORE_MODULES")),
                              ("shell", shell, built(house, "SHELL_MODULES"))):
        yield from (f"{name}: the Makefile has {odd}, the picture has not" for odd in there - here)
        yield from (f"{name}: the picture has {odd}, the Makefile has not" for odd in here - there)
    yield from (f"{odd} is in server/ and not in the picture" for odd in files - core - shell)
    yield from (f"{odd} is in the picture and not in server/" for odd in (core | shell) - files)
    yield from (f"{odd} is in the core and in the shell" for odd in core & shell)


def arrows_point_down(house):
    core, _ = pictured(house)
    for name, text in sources(house).items():
        if module(name) in core:
            yield from (f"{name} is of the core and includes {other}" for other in includes(text)
                        if module(other) not in core)


def headers_have_no_circle(house):
    files = sources(house)
    for name in files:
        if any(name in reached(files, other) for other in includes(files[name]) if other in files):
            yield f"{name} includes itself in the end"


def libraries_stay_where_they_may(house):
    """Headers that include a library, and sources that reach it, are exactly those of the table."""
    files = sources(house)
    for (what, *_), may in permissions(house):
        if not what.endswith(".h"):
            continue
        direct = {name for name, text in files.items() if has_library(text, what)}
        reach = {name for name in files if name.endswith(".c") and direct & reached(files, name)}
        has = reach | {name for name in direct if name.endswith(".h")}
        yield from (f"{name} has {what}, the table does not say so" for name in has - may)
        yield from (f"the table says that {name} has {what}" for name in may - has)


def calls_stay_where_they_may(house):
    for names, may in permissions(house):
        if names[0].endswith(".h"):
            continue
        called = re.compile("|".join(rf"\b{name.rstrip('()')}\b" for name in names))
        has = {name for name, text in sources(house).items() if called.search(code(text))}
        yield from (f"{name} has one of {names}, the table does not say so" for name in has - may)
        yield from (f"the table says that {name} has one of {names}" for name in may - has)


def nothing_else_is_included(house):
    core, _ = pictured(house)
    libraries = [names[0] for names, _ in permissions(house) if names[0].endswith(".h")]
    for name, text in sources(house).items():
        known = CORE_SYSTEM if module(name) in core else SYSTEM
        for header in set(includes(text, "<>")) - known:
            if not any(has_library(f"#include <{header}>", library) for library in libraries):
                yield f"{name} includes {header}"


def sizes_are_kept(house):
    """A function starts with its name in the first column and ends with a brace there (KNF)."""
    for name, text in sources(house).items():
        lines = text.splitlines()
        if len(lines) > FILE_LINES:
            yield f"{name} has {len(lines)} lines"
        start = None
        for number, line in enumerate(lines, 1):
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

RULES = [
    (modules_are_pictured, "CONTRIBUTING.md", r"\| `page` \|", "| `pages` |"),
    (modules_are_pictured, "Makefile", r" outcome page ", " outcome "),
    (arrows_point_down, "server/url.c", r'#include "url.h"\n', '#include "url.h"\n#include "tls.h"\n'),
    (headers_have_no_circle, "server/text.h", r"\n#include", '\n#include "url.h"\n#include'),
    (libraries_stay_where_they_may, "server/url.c", r"#include ", "#include <cjson/cJSON.h>\n#include "),
    (libraries_stay_where_they_may, "server/load.c", r"#include ", '#include "tls.h"\n#include '),
    (libraries_stay_where_they_may, "CONTRIBUTING.md", r"`json.c`, ", ""),
    (calls_stay_where_they_may, "server/page.c", r"\n{\n", '\n{\n\tgetenv("HOME");\n'),
    (calls_stay_where_they_may, "CONTRIBUTING.md", r"; `gauges.c` for", " for"),
    (nothing_else_is_included, "server/page.c", r"#include ", "#include <fcntl.h>\n#include "),
    (nothing_else_is_included, "server/main.c", r"#include ", "#include <zlib.h>\n#include "),
    (sizes_are_kept, "server/page.c", r"\n{\n", "\n{\n" + "\tnothing();\n" * FUNCTION_LINES),
    (sizes_are_kept, "server/text.h", r"$", "\n" * FILE_LINES),
    (version_is_one, "config/compose.yaml", r"(recall-redirectd:)[0-9.]+", r"\g<1>0.0.1"),
    (version_is_one, "Makefile", r"VERSION := .*", "VERSION := 99.0.0"),
]


def main():
    house = read_house()
    number = failed = 0
    for rule in dict.fromkeys(rule for rule, *_ in RULES):
        number += 1
        faults = sorted(rule(house))
        failed += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {rule.__name__.replace('_', ' ')}")
        for fault in faults:
            print(f"    {fault}")
    for rule, path, pattern, instead in RULES:
        number += 1
        spoilt = {**house, path: re.sub(pattern, instead, house[path], count=1)}
        new = set(rule(spoilt)) - set(rule(house))
        failed += not new
        print(f"{'ok' if new else 'not ok'} {number} - {rule.__name__.replace('_', ' ')}: "
              f"would notice a fault in {path}: {', '.join(sorted(new)) or 'it did not'}")
    print(f"{number - failed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
