#!/usr/bin/env python3
"""Prints the lines and branches of each file that the tests reached, and each line that they did not.

  coverage.py REPORT     gcovr's JSON

Fails where less than 92 % of all lines were reached, or a line of the core was not, or a branch of the
core was not taken and branches.txt does not say why: all that handles input from outside is in the core.
"""
import json
import pathlib
import sys

LEAST_PERCENT = 92
CORE = ("base", "config", "http", "flow", "observe")  # folders
REASONS = pathlib.Path(__file__).with_name("branches.txt")


def percent(part, whole):
    return 100 * part / whole if whole else 100


def measure(lines):
    """Lines, lines reached, branches, branches reached."""
    branches = [branch["count"] for line in lines for branch in line["branches"]]
    return (len(lines), sum(line["count"] > 0 for line in lines),
            len(branches), sum(count > 0 for count in branches))


def print_row(name, numbers):
    lines, reached, branches, taken = numbers
    print(f"{name:18} {reached:5} of {lines:5}  {percent(reached, lines):5.1f} %"
          f"   {taken:5} of {branches:5}  {percent(taken, branches):5.1f} %")


def judge_untaken(untaken):
    """Faults: lines with such a branch and without a reason, and reasons without such a line."""
    reasons = [line.split(" | ")[:2] for line in REASONS.read_text().splitlines() if not line.startswith("#")]

    def explains(reason, path, code):
        return str(path).endswith("/" + reason[0]) and reason[1] in code
    for path, number, code in untaken:
        if not any(explains(reason, path, code) for reason in reasons):
            yield f"a branch of {path}:{number} is never taken: {code}"
    for reason in reasons:
        if not any(explains(reason, path, code) for path, _, code in untaken):
            yield f"{REASONS.name}: every branch is taken of {' | '.join(reason)}"


def main():
    report = sys.argv[1]
    total = (0, 0, 0, 0)
    missing, untaken = [], []
    print(f"{'':18} {'lines':>14}  {'':7}   {'branches':>14}")
    for file in sorted(json.loads(pathlib.Path(report).read_text())["files"], key=lambda f: f["file"]):
        path = pathlib.Path(file["file"])
        lines = [line for line in file["lines"] if not line["gcovr/noncode"]]
        text = path.read_text().splitlines()
        numbers = measure(lines)
        total = tuple(a + b for a, b in zip(total, numbers))
        print_row(path.name, numbers)
        for line in lines:
            place = (path, line["line_number"], text[line["line_number"] - 1].strip())
            if line["count"] == 0:
                missing.append(place)
            if path.parent.name in CORE and any(branch["count"] == 0 for branch in line["branches"]):
                untaken.append(place)
    print_row("all", total)

    print("\nnot reached")
    faults = list(judge_untaken(untaken))
    for path, number, code in missing:
        if path.parent.name in CORE:
            faults.append(f"{path}:{number} is of the core")
        print(f"  {path}:{number}: {code}")
    if percent(total[1], total[0]) < LEAST_PERCENT:
        faults.append(f"less than {LEAST_PERCENT} % of all lines")
    if not total[0]:
        faults.append("nothing was measured")
    for fault in faults:
        print(f"FAILED: {fault}")
    return bool(faults)


sys.exit(main())
