#!/usr/bin/env python3
"""Instructions of what answers a browser's callback, held to what is committed.

    hold_instructions.py PROGRAM FILE...

Callgrind counts the same on every run, so a few per cent more are a regression, not noise. Other
compilers and C libraries make other code, so each has a FILE of its own. Where none is of these here,
nothing is counted, and that is said.
"""
import os
import re
import subprocess
import sys
import tempfile

CALLS = 100
MARGIN = 1.03
REQUEST = os.path.join(os.path.dirname(__file__), "request.txt")


def count(program, function):
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "callgrind.out")
        subprocess.run(
            ["valgrind", "-q", "--tool=callgrind", f"--toggle-collect={function}", f"--callgrind-out-file={out}",
             program, function, REQUEST, str(CALLS)], check=True, env={"PATH": os.environ["PATH"]})
        with open(out, encoding="ascii", errors="replace") as file:
            total = int(re.findall(r"^(?:summary|totals): (\d+)", file.read(), re.M)[-1])
    return total // CALLS


def read(path):
    with open(path, encoding="ascii") as file:
        lines = [line.rstrip("\n").partition(": ") for line in file if not line.startswith("#")]
    return {name: value for name, _, value in lines}


def main(program, *paths):
    built_with = subprocess.run([program], check=True, capture_output=True, text=True).stdout.strip()
    committed = next((held for held in map(read, paths) if held.pop("built with") == built_with), None)
    if committed is None:
        print(f"# skipped: no file holds for a build with {built_with}")
        return 0
    passed = failed = 0
    for function, value in committed.items():
        saw, most = count(program, function), int(int(value) * MARGIN)
        is_good = 0 < saw <= most
        passed, failed = passed + is_good, failed + (not is_good)
        print(f"{'ok' if is_good else 'not ok'} {passed + failed} - {function}: {saw} instructions, at most {most}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
