#!/usr/bin/env python3
"""Holds what the Makefile promises: what rebuilds and what does not, files found by wildcard, whose flags win.

It works on a small tree of its own, so that it is quick and touches nobody's build.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TARGETS = set("""all deps run check check-asan check-tsan check-valgrind coverage lint fmt fmt-check fuzz bench e2e
    image deb docs install uninstall dist clean help""".split())
TREE = {
    "server/main.c": '#include <stdio.h>\n#include "base/one.h"\n'
                     'int main(void)\n{\n\tputs(one() == 1 ? "one" : "other");\n\treturn 0;\n}\n',
    "server/base/one.h": "#include <gnutls/gnutls.h>\nint one(void);\n",
    "server/base/one.c": '#include "base/one.h"\nint one(void)\n{\n\treturn 1;\n}\n',
    "tests/support.c": "extern int support;\nint support;\n",
    "tests/wire/wire.c": "extern int wire;\nint wire;\n",
    "tests/base/check_one.c": '#include "base/one.h"\nint main(void)\n{\n\treturn one() != 1;\n}\n',
}

number = failed = 0


def report(what, fault):
    global number, failed
    number += 1
    failed += bool(fault)
    print(f"{'not ok' if fault else 'ok'} {number} - {what}" + (f": {fault}" if fault else ""))


class Tree:
    """The small tree, and its builds."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for path, text in TREE.items():
            self.write(path, text)
        shutil.copy(ROOT / "Makefile", self.folder)
        (self.folder / "cc2").symlink_to(shutil.which(os.environ.get("CC", "cc")))

    def write(self, path, text):
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def make(self, *words):
        """What is remade, as a set of paths below build/; None where make fails."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "CC") if name in os.environ}
        before = self.times()
        self.run = subprocess.run(["make", "-s", "-j2", *words], cwd=self.folder, env=kept, capture_output=True,
                                  text=True, check=False)
        after = self.times()
        if self.run.returncode:
            return None
        return {path for path, time in after.items() if before.get(path) != time}

    def times(self):
        build = self.folder / "build"
        return {str(path.relative_to(build)): path.stat().st_mtime_ns for path in build.rglob("*") if path.is_file()}

    def output(self):
        return subprocess.run([self.folder / "build/recall-redirectd"], capture_output=True, text=True,
                              check=True).stdout.strip()

    def symbols(self):
        return subprocess.run(["nm", self.folder / "build/recall-redirectd"], capture_output=True, text=True,
                              check=True).stdout


TEST = "build/tests/base/check_one"
# Trying flags takes most of the time.
NO_FLAGS = ["WARNINGS=", "HARDENING_COMPILE=", "HARDENING_LINK=", "WHOLE="]
BUILT = {"server/main.o", "server/base/one.o", "recall-redirectd"}
TESTED = {"libserver.a", "tests/base/check_one.o", "tests/base/check_one", "tests/support.o", "tests/wire/wire.o"}


def rebuilt(tree, *words, wanted=BUILT | TESTED):
    """The fault of a build: what of the program and the test was not remade as wanted."""
    made = tree.make("all", TEST, *NO_FLAGS, *words)
    if made is None:
        return tree.run.stderr[-500:]
    made &= BUILT | TESTED
    return "" if made == wanted else f"made {sorted(made)}, wanted {sorted(wanted)}"


def check_rebuilding(tree):
    report("the first build makes all", rebuilt(tree))
    report("the second makes nothing", rebuilt(tree, wanted=set()))
    for setting in ("CFLAGS=-DNAME='\"a b\"'", "CPPFLAGS=-DOTHER", "LDFLAGS=-Wl,-O1", f"CC={tree.folder}/cc2",
                    "SANITIZE=address", "VERSION=9.9.9"):
        report(f"{setting} rebuilds", rebuilt(tree, setting))
        if setting == "SANITIZE=address":
            report("and it is sanitized", "" if "__asan" in tree.symbols() else "no __asan symbol")
        report(f"{setting} again makes nothing", rebuilt(tree, setting, wanted=set()))
    report("back to none of them rebuilds", rebuilt(tree))
    tree.make("help", "CFLAGS=-DOTHER")
    report("help with other flags changes nothing", rebuilt(tree, wanted=set()))


def check_sources(tree):
    tree.write("server/base/one.h", TREE["server/base/one.h"] + "/* more */\n")
    report("a header rebuilds what includes it", rebuilt(
        tree, wanted=(BUILT | TESTED) - {"tests/support.o", "tests/wire/wire.o"}))
    tree.write("server/attic/two.c", "int two(void);\nint two(void)\n{\n\treturn 1;\n}\n")
    tree.write("server/base/one.c", '#include "base/one.h"\nint two(void);\nint one(void)\n{\n\treturn two();\n}\n')
    report("a file in a new folder is found", "" if tree.make("all", TEST, *NO_FLAGS) is not None else tree.run.stderr[-500:])
    tree.write("tests/attic/check_two.c", "int main(void)\n{\n\treturn 0;\n}\n")
    report("so is a test", "" if tree.make("build/tests/attic/check_two", *NO_FLAGS) else tree.run.stderr[-500:])
    listed = set(re.findall(r"\bserver/\w+/\w+", (ROOT / "Makefile").read_text()))
    report("no file of server/ is named by hand", ", ".join(sorted(listed)))


def check_flags(tree):
    tree.write("server/main.c", '#include <stdio.h>\nint main(void)\n{\n#ifdef __OPTIMIZE__\n\tputs("fast");\n'
               '#else\n\tputs("slow");\n#endif\n\treturn 0;\n}\n')
    tree.make("all")
    report("optimized by default", "" if tree.output() == "fast" else tree.output())
    tree.make("all", "CFLAGS=-O0 -U_FORTIFY_SOURCE")
    report("the user's CFLAGS come last", "" if tree.output() == "slow" else tree.output())
    for what, line in (("a format that is no constant", "printf(v[0]);"), ("a format of another type", 'printf("%d", 1L);'),
                       ("a function that nobody declares", "nobody();")):
        tree.write("server/main.c", "#include <stdio.h>\nint main(int c, char **v)\n{\n\t(void)c;\n\t(void)v;\n\t"
                   f"{line}\n\treturn 0;\n}}\n")
        report(f"{what} is an error", "it builds" if tree.make("all") is not None else "")


def check_lists(tree):
    makefile = (ROOT / "Makefile").read_text() + (ROOT / "tests/whole/whole.mk").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", makefile, re.M))
    report("every target that is promised is listed by help", ", ".join(sorted(TARGETS - targets)))
    steps = set(re.findall(r"^step make (\S+)$", (ROOT / ".ci/run").read_text(), re.M))
    report("so is every step of .ci/run", ", ".join(sorted(steps - targets)) or ("" if steps else "it has none"))
    phony = set(" ".join(re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)", makefile, re.M)).replace("\\", "").split())
    report("and no file can stand in its way", ", ".join(sorted(targets - phony)))
    kinds = set(re.findall(r"\bdeps-([a-z0-9]+)|deps\.sh ([a-z0-9]+)", makefile))
    table = (ROOT / "tests/repo/deps.sh").read_text()
    table = dict(re.findall(r"^\t\t([a-z0-9]+)  +(\S.*)$", table, re.M))
    kinds = {one or other for one, other in kinds}
    report("the table of packages has what the targets ask for, and no more",
           ", ".join(sorted(kinds ^ set(table))))
    packages = {word for row in table.values() for word in row.split() if "-" in word}
    report("no package is named in the Makefile", ", ".join(
        sorted(word for word in packages if re.search(rf"(?<![\w-]){word}(?![\w-])", makefile) and word != "pkg-config"
               and word not in targets and not word.startswith("clang-"))))


with tempfile.TemporaryDirectory() as directory:
    small = Tree(directory)
    check_rebuilding(small)
    check_sources(small)
    check_flags(small)
    check_lists(small)
print(f"{number - failed} passed, {failed} failed")
sys.exit(failed > 0)
