#!/usr/bin/env python3
"""Every word that the commands print, and a server's log, held to texts.txt: after $ a command line, then what it
prints, then its exit status where that is not 0.

  check_texts.py            compares
  check_texts.py --write    writes texts.txt again; read the difference before you commit it

PROGRAM names the binary, WRAPPER a tool to run it under. The command lines run in an empty folder, one
after the other; the time in a log line is not compared.
"""
import contextlib
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

DEFAULT = pathlib.Path("/etc/recall-redirectd")  # read where no -c is given
TEXTS = pathlib.Path(__file__).with_name("texts.txt")
PATIENCE = 300 if os.environ.get("WRAPPER") else 30


def write_program(folder):
    """As users call it: recall-redirectd, from a folder of PATH."""
    path = pathlib.Path(folder, "recall-redirectd")
    program = shlex.quote(os.path.abspath(os.environ["PROGRAM"]))
    path.write_text(f'#!/bin/sh\nexec {os.environ.get("WRAPPER", "")} {program} "$@"\n')
    path.chmod(0o755)


def run(command, folder, programs):
    try:
        result = subprocess.run(["sh", "-c", command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False,
                                env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C"})
    except subprocess.TimeoutExpired:
        return "[time is up]\n"
    said = re.sub(r'"time":"[^"]*"', '"time":"..."', result.stdout)
    return said + (f"[{result.returncode}]\n" if result.returncode else "")


def end_server(pid):
    """One that a session has left behind, because it went wrong."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int(pid.read_text()), 9)


def main():
    if DEFAULT.exists():
        sys.exit(f"{DEFAULT} is in the way: these commands are to run without a configuration; move it for the test")
    parts = re.split(r"^(\$ .*\n|#.*\n)", TEXTS.read_text(), flags=re.M)
    wanted = list(zip(parts[1::2], parts[2::2]))
    saw, failed = [], 0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as programs:
        write_program(programs)
        for command, text in wanted:
            said = run(command[2:-1], folder, programs) if command.startswith("$") else ""
            saw.append(f"{command}{said}\n")
            if said.strip("\n") != text.strip("\n"):
                failed += 1
                print(f"not ok - {command[:-1]}\n  wanted\n{text}\n  saw\n{said}")
        end_server(pathlib.Path(folder, "pid"))
    if "--write" in sys.argv:
        TEXTS.write_text("".join(saw).rstrip("\n") + "\n")
    commands = sum(command.startswith("$") for command, _ in wanted)
    print(f"{commands - failed} passed, {failed} failed")
    return int(failed > 0 or commands == 0)


if __name__ == "__main__":
    sys.exit(main())
