#!/usr/bin/env python3
"""Puts small faults into server/, one at a time, and tells which of them no test notices.

  make mutate     variables: SAMPLE (100), SEED (1), ROOMS (all), JOBS (processors), V=1 (what noticed each)

Works in a copy of the tree, one for each job. A fault (a mutant) is compiled, and the tests that could notice it
run, those of its own file first, until one fails. Rooms of the core are then tried with AddressSanitizer, which
sees what is not freed; all others against the running server. A mutant whose object code is what it was is no fault.
"""
import collections
import concurrent.futures
import difflib
import os
import pathlib
import queue
import random
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import operators  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORE = ("base", "config", "http", "flow", "observe")
# They look at things that no mutant of server/ changes.
LEFT_OUT = {"repo/check_docs.py", "repo/check_house.py", "repo/check_make.py", "repo/check_manual.py"}
MOST_SECONDS, MOST_SECONDS_CORE = 240, 60  # for a test without a mutant; what takes longer is left out
LEAST_SECONDS = 20  # of a test's time limit; the machine may be busy
PACKAGES = ["libmicrohttpd", "libcjson", "gnutls"]
# As the Makefile's: without it, binding a function late leaves vector registers, and so secrets, on the stack.
BIND_NOW = "-Wl,-z,now"


def run(command, where, seconds=600, **variables):
    """The exit status; None where the time was up. What it started ends with it."""
    process = subprocess.Popen(command, cwd=where, env={**os.environ, **variables}, start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, errors = process.communicate(timeout=seconds)
        return process.returncode, errors.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return None, "time is up"


def must(command, where):
    status, errors = run(command, where)
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))[:400]}\n{errors}")


def libraries(*packages):
    return subprocess.run(["pkg-config", "--cflags", "--libs", *packages], check=True, capture_output=True,
                          text=True).stdout.split()


class Test:
    """One program or script, and the rooms whose faults it can notice."""

    def __init__(self, path, limit):
        self.path = path  # from tests/, without .c
        self.room, _, self.name = path.partition("/")
        self.is_script = path.endswith((".py", ".sh"))
        self.is_server = self.room in ("wire", "process") and self.name != "check_options"
        self.limit = limit  # in seconds, as is the next
        self.seconds = 0.0

    def command(self, kind):
        if self.is_script:
            return ["python3" if self.path.endswith(".py") else "sh", f"tests/{self.path}"]
        return [f"build/{kind}/{self.path}"]

    def run(self, tree, kind="plain"):
        fork = {} if self.is_server else {"CK_FORK": "no"}
        return run(self.command(kind), tree, self.limit, PROGRAM="build/recall-redirectd", BUILD="build", WRAPPER="",
                   CHECK_QUICK="1", ASAN_OPTIONS="exitcode=99", **fork)[0] == 0


class Tree:
    """A copy of the sources, and what is built from it: plain (-O0) and with AddressSanitizer (asan)."""
    FLAGS = {"plain": ["-O0"], "asan": ["-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
             "fast": ["-O2"]}

    def __init__(self, path):
        self.path = path
        self.modules = sorted(str(p.relative_to(path)) for p in path.glob("server/*/*.c"))
        version = re.search(r"^VERSION := (\S+)$", (path / "Makefile").read_text(), re.M).group(1)
        self.compiler = ["cc", "-std=gnu11", "-D_GNU_SOURCE", f'-DVERSION="{version}"', "-Iserver", "-Itests", "-fPIC",
                         "-pthread", *[flag for flag in libraries(*PACKAGES) if flag.startswith("-I")]]

    def object(self, source, kind):
        return f"build/{kind}/{source.removesuffix('.c')}.o"

    def compile(self, source, kind):
        target = self.object(source, kind)
        (self.path / target).parent.mkdir(parents=True, exist_ok=True)
        return run([*self.compiler, *self.FLAGS[kind], "-w", "-c", source, "-o", target], self.path)

    def link(self, kind):
        """The modules as one shared object: tests need no new link then."""
        objects = [self.object(module, kind) for module in self.modules]
        must(["cc", *self.FLAGS[kind], BIND_NOW, "-shared", *objects, *libraries(*PACKAGES), "-pthread",
              "-o", f"build/{kind}/libserver.so"], self.path)

    def link_test(self, test, kind):
        objects = [self.object(f"tests/{path}.c", kind) for path in (test, "support", "wire/wire")]
        (self.path / f"build/{kind}/{test}").parent.mkdir(parents=True, exist_ok=True)
        must(["cc", *self.FLAGS[kind], BIND_NOW, *objects, f"-Lbuild/{kind}", "-lserver",
              f"-Wl,-rpath,{self.path}/build/{kind}", *libraries(*PACKAGES, "check"), "-pthread",
              "-o", f"build/{kind}/{test}"], self.path)

    def link_program(self):
        objects = [self.object(module, "plain") for module in ["server/main.c", *self.modules]]
        must(["cc", BIND_NOW, *objects, *libraries(*PACKAGES), "-pthread", "-o", "build/recall-redirectd"], self.path)


def copy_tree(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for part in ("server", "tests", "config", "systemd"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    for file in ROOT.glob("*"):
        if file.is_file():
            shutil.copy(file, folder)
    return Tree(folder)


def build(tree, tests, pool):
    """Everything once; a mutant then needs one object."""
    sources = [f"tests/{test.path}.c" for test in tests if not test.is_script]
    common = ["tests/support.c", "tests/wire/wire.c"]
    work = [(source, "plain") for source in [*tree.modules, "server/main.c", *sources, *common]]
    work += [(source, "asan") for source in [*tree.modules, *common, *sources_of_core(tests)]]
    work += [(source, "fast") for source in tree.modules]
    for (source, kind), (status, errors) in zip(work, pool.map(lambda job: tree.compile(*job), work)):
        if status != 0:
            sys.exit(f"{source} ({kind}): {errors}")
    faults = tree.path / "build/fault"
    faults.mkdir()
    for source in tree.path.glob("tests/wire/fault/*.c"):
        must(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-fPIC", "-shared", source,
              "-o", faults / f"{source.stem}.so"], tree.path)


def sources_of_core(tests):
    return [f"tests/{test.path}.c" for test in tests if test.room in CORE]


def link(tree, tests, pool):
    tree.link("plain")
    tree.link("asan")
    tree.link_program()
    kinds = [(test.path, "plain") for test in tests if not test.is_script]
    kinds += [(test.path, "asan") for test in tests if test.room in CORE]
    list(pool.map(lambda job: tree.link_test(*job), kinds))


def find_tests(limit):
    paths = [str(path.relative_to(ROOT / "tests")) for room in (*CORE, "repo", "system", "mhd", "process", "wire")
             for path in sorted((ROOT / "tests" / room).glob("check_*"))]
    return [Test(path.removesuffix(".c"), limit) for path in paths if path not in LEFT_OUT]


def measure(trees, tests):
    """Those that pass without a mutant, and how long each takes beside others. Unit tests have to pass."""
    free = queue.Queue()
    for tree in trees:
        free.put(tree)

    def passes(test):
        tree, start = free.get(), time.monotonic()
        good = test.run(tree.path) or test.run(tree.path)
        test.seconds = time.monotonic() - start
        free.put(tree)
        if not good:
            print(f"left out: {test.path} fails without a mutant, or takes over {test.limit} s", flush=True)
        test.limit = LEAST_SECONDS + 4 * test.seconds
        return good
    with concurrent.futures.ThreadPoolExecutor(len(trees)) as pool:
        passed = [test for test, good in zip(tests, pool.map(passes, tests)) if good]
    broken = [test.path for test in tests if test.room in CORE and test not in passed]
    if broken:
        sys.exit(f"fails without a mutant; mend it first: {', '.join(broken)}")
    return passed


def order(tests, source):
    """Of its own file first, then of its room, then the others, the quick ones first."""
    _, room, name = source.removesuffix(".c").split("/")

    def rank(test):
        if test.room == room:
            return (0 if test.name == f"check_{name}" else 1, test.seconds)
        return (2 + test.is_server, test.seconds)
    return sorted(tests, key=rank)


def is_noticed(tree, source, tests, quick):
    """The test that fails; of those with a server, and so with deadlines, only what fails twice counts.
    Quick ones have passed, but not yet with AddressSanitizer."""
    is_core = source.split("/")[1] in CORE
    has_program = False
    for test in order([test for test in tests if not test.is_server], source):
        if not test.run(tree.path):
            return test.path
    if is_core:
        status, errors = tree.compile(source, "asan")
        tree.link("asan")
        for test in order([test for test in [*quick, *tests] if test.room in CORE], source):
            if test.room == source.split("/")[1] and not test.run(tree.path, "asan"):
                return f"{test.path} (asan)"
    for test in order([test for test in tests if test.is_server], source):
        if not has_program:
            tree.link_program()
            has_program = True
        if not test.run(tree.path) and not test.run(tree.path):
            return test.path
    return None


def is_equivalent(tree, source):
    before = (tree.path / tree.object(source, "fast")).read_bytes()
    tree.compile(source, "fast")
    return before == (tree.path / tree.object(source, "fast")).read_bytes()


def judge(tree, mutant, tests):
    """"invalid", "equivalent", "survived", or the test that noticed. The tree is left as it was."""
    path = tree.path / mutant.source
    original = path.read_text()
    objects = {kind: tree.path / tree.object(mutant.source, kind) for kind in Tree.FLAGS}
    saved = {kind: file.read_bytes() for kind, file in objects.items()}
    path.write_text(mutant.apply(original))
    try:
        if tree.compile(mutant.source, "plain")[0] != 0:
            return "invalid"
        if objects["plain"].read_bytes() == saved["plain"]:
            return "equivalent"
        tree.link("plain")
        quick = [test for test in tests if not test.is_server and test.name == f"check_{path.stem}"]
        for test in quick:
            if not test.run(tree.path):
                return test.path
        if is_equivalent(tree, mutant.source):
            return "equivalent"
        others = [test for test in tests if test not in quick]
        return is_noticed(tree, mutant.source, others, quick) or "survived"
    finally:
        path.write_text(original)
        for kind, file in objects.items():
            file.write_bytes(saved[kind])


def show(mutant):
    before = (ROOT / mutant.source).read_text()
    lines = difflib.unified_diff(before.splitlines(True), mutant.apply(before).splitlines(True), mutant.source,
                                 f"{mutant.source} ({mutant.kind})", n=1)
    return "".join(lines)


def judge_all(mutants, sample, trees, tests):
    """In the order that the seed gave, until so many count. Yields each as it is done."""
    free = queue.Queue()
    for tree in trees:
        free.put(tree)

    def work(mutant):
        tree = free.get()
        try:
            return judge(tree, mutant, tests)
        finally:
            free.put(tree)

    counted = 0
    with concurrent.futures.ThreadPoolExecutor(len(trees)) as pool:
        pending = {}
        while counted < sample and (mutants or pending):
            while mutants and len(pending) < min(len(trees), sample - counted):
                mutant = mutants.pop()
                pending[pool.submit(work, mutant)] = mutant
            done, _ = concurrent.futures.wait(pending, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                mutant, verdict = pending.pop(future), future.result()
                counted += verdict not in ("invalid", "equivalent")
                yield mutant, verdict


def main():
    sample, seed = int(os.environ.get("SAMPLE") or 100), os.environ.get("SEED") or "1"
    jobs = int(os.environ.get("JOBS") or os.cpu_count())
    rooms = (os.environ.get("ROOMS") or "").split()
    folder = pathlib.Path(os.environ.get("BUILD") or ROOT / "build").absolute() / "mutation"
    tests = find_tests(MOST_SECONDS_CORE if rooms and set(rooms) <= set(CORE) else MOST_SECONDS)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        first = copy_tree(folder / "0")
        build(first, tests, pool)
        trees = [first]
        for number in range(1, jobs):
            shutil.rmtree(folder / str(number), ignore_errors=True)
            shutil.copytree(folder / "0", folder / str(number))
            trees.append(Tree(folder / str(number)))
        for tree in trees:
            link(tree, tests, pool)
    tests = measure(trees, tests)
    mutants = [mutant for source in first.modules if not rooms or source.split("/")[1] in rooms
               for mutant in operators.find(source, (ROOT / source).read_text())]
    found = len(mutants)
    random.Random(seed).shuffle(mutants)
    score = collections.defaultdict(collections.Counter)
    try:
        for mutant, verdict in judge_all(mutants, sample, trees, tests):
            room = mutant.source.split("/")[1]
            score[room][verdict if verdict in ("invalid", "equivalent", "survived") else "noticed"] += 1
            if verdict == "survived":
                print(show(mutant), flush=True)
            elif os.environ.get("V"):
                print(f"{verdict}: {mutant.source}:{mutant.line} {mutant.kind}", flush=True)
    except KeyboardInterrupt:
        print("interrupted: the score is that of the mutants judged so far")
    print_score(score, f"{found} possible, seed {seed}")


def print_score(score, title):
    print(f"{title}\n{'':10} noticed  survived  equivalent")
    total = collections.Counter()
    for room, counts in sorted(score.items()):
        total.update(counts)
    for room, counts in [*sorted(score.items()), ("all", total)]:
        judged = counts["noticed"] + counts["survived"]
        print(f"{room:10} {counts['noticed']:7}  {counts['survived']:8}  {counts['equivalent']:10}"
              f"  {100 * counts['noticed'] / max(judged, 1):5.1f} %")


if __name__ == "__main__":
    sys.exit(main())
