#!/usr/bin/env python3
"""The server under attack: everyone else is answered within a second, and all is as before afterwards.

    check_attacks.py [TITLE]...     all attacks, or those that are named

PROGRAM names the binary. Limits and numbers are small, so that two processors are enough: a sixteenth of
the usual 4,096 connections, and half as many attackers again. Each attack has a server of its own; four
are under way at a time. One that fails while the machine is busy is tried again, alone. Only loopback is
used.
"""
import concurrent.futures
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
TOGETHER = 4
CONNECTIONS, ATTACKERS, OPENED_A_SECOND = 320, 400, 200
LEGITIMATE_A_SECOND = 20
BEFORE, ATTACK, AFTER = 1, 6, 1  # seconds
REST_SECONDS = 10
MOST_SECONDS = 1.0
MOST_LINES = 4  # of the log after the start, without those of requests
RSS_SLACK = 6 << 20  # what a hundred connections used is kept for the next ones
PATIENCE = 20
# Runs a program with a listening socket as systemd passes it.
PASS = ("import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_PID'] = str(os.getpid()); "
        "os.execvp(sys.argv[2], sys.argv[2:])")


@dataclass
class Attack:
    title: str
    kind: str                # of attackers.py
    counted: tuple = ()      # reasons of redirectd_connections_rejected_total, one of which grows
    is_tls: bool = False
    is_passed: bool = False  # the kernel does not hold back those that send nothing
    attackers: int = ATTACKERS
    seconds: int = 10        # limits.request_seconds
    files: int = 4096        # that the server may open
    connections: int = CONNECTIONS
    rate: int = OPENED_A_SECOND


ATTACKS = [
    Attack("silent", "silent", ("limit",), is_passed=True),
    Attack("one byte", "one byte", ("limit",)),
    Attack("slow heads", "slow head", ("limit",)),
    Attack("slow bodies", "slow body", ("limit",)),
    Attack("unfinished heads of 24 KB", "long head", ("limit",)),
    Attack("never reading", "never reading", ("limit",)),
    Attack("idle at the limit", "idle", ("limit",)),
    Attack("a burst", "idle", connections=4096, attackers=2400, rate=800),
    Attack("few open files", "one byte", ("limit",), files=256, connections=4096, attackers=300, rate=100),
    Attack("slow heads below the limit", "slow head", ("deadline",), attackers=100, seconds=2),
    Attack("never reading, below the limit", "never reading", ("deadline", "limit"), attackers=60, seconds=2),
    Attack("resets", "reset", attackers=100),
    Attack("garbage", "garbage", ("protocol",), attackers=100),
    Attack("TLS, silent", "silent", ("limit",), is_tls=True, is_passed=True),
    Attack("TLS, no more than the ClientHello", "hello", ("limit",), is_tls=True),
    Attack("TLS, a byte a second", "slow hello", ("limit",), is_tls=True),
    Attack("TLS, garbage", "garbage", ("protocol",), is_tls=True, attackers=100),
]


class Wrong(Exception):
    pass


def wait_for(condition, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not (saw := condition()):
        if time.monotonic() > end:
            raise Wrong("waited in vain: " + what)
        time.sleep(0.05)
    return saw


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """The server as a child process, with its log in a file."""

    def __init__(self, attack, folder):
        self.log_path = os.path.join(folder, attack.title.replace(" ", "-") + ".log")
        self.admin = free_port()
        options = ["--listen.address=127.0.0.1", "--listen.port=0", f"--admin.port={self.admin}", "--threads=2",
                   f"--limits.connections={attack.connections}", f"--limits.request_seconds={attack.seconds}"]
        if attack.is_tls:
            options += [f"--tls.{key}={folder}/pem" for key in ("certificate", "private_key")]
        command, environment, descriptors = [os.environ["PROGRAM"], *options], {"PATH": os.environ["PATH"]}, []
        if attack.is_passed:
            self.passed = socket.create_server(("127.0.0.1", 0), backlog=4096)
            descriptors = [self.passed.fileno()]
            command = [sys.executable, "-c", PASS, str(descriptors[0]), *command]
            environment |= {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "public"}
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, pass_fds=descriptors,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (attack.files, attack.files)))
        self.port = wait_for(lambda: self.events("listening"), "listening")[0]["port"]

    def lines(self):
        """Of the log, without those of requests."""
        with open(self.log_path, encoding="utf-8") as log:
            lines = [line for line in log if line.endswith("\n")]
        return [line for line in lines if '"event":"request"' not in line]

    def events(self, name):
        if self.process.poll() not in (None, 0):
            raise Wrong("".join(self.lines()[-5:]))
        return [e for e in map(json.loads, self.lines()) if e["event"] == name]

    def metrics(self):
        """How many connections are open, and how many were rejected for each reason."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=PATIENCE)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        saw = dict(re.findall(r'^redirectd_connections_rejected_total\{reason="(\w+)"\} (\d+)$', text, re.M))
        return {**saw, "open": re.search(r"^redirectd_connections_open (\d+)$", text, re.M)[1]}

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def finish(process):
    process.terminate()
    return json.loads(process.communicate(timeout=PATIENCE)[0])


class Run:
    """One attack: what was seen, and what is wrong with it."""

    def __init__(self, attack, folder):
        self.attack, self.faults, self.children = attack, [], []
        self.server = Server(attack, folder)
        self.children.append(self.server.process)
        self.certificate = [folder + "/pem"] if attack.is_tls else []

    def start(self, program, *arguments):
        """A client as a child process, once it is ready."""
        command = [sys.executable, os.path.join(HERE, program), *map(str, arguments)]
        self.children.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        if self.children[-1].stdout.readline() != b"ready\n":
            raise Wrong(program + " does not start")
        return self.children[-1]

    def warm_up(self):
        """So that what is allocated once is there before."""
        legitimate = self.start("legitimate.py", self.server.port, LEGITIMATE_A_SECOND, *self.certificate)
        time.sleep(BEFORE)
        finish(legitimate)
        wait_for(lambda: self.server.metrics()["open"] == "0", "rest")

    def expect(self, is_good, fault):
        if not is_good:
            self.faults.append(fault)

    def attack_it(self):
        """The requests of everyone else, before, during and after."""
        attack = self.attack
        legitimate = self.start("legitimate.py", self.server.port, LEGITIMATE_A_SECOND, *self.certificate)
        time.sleep(BEFORE)
        attackers = self.start("attackers.py", self.server.port, attack.kind, attack.attackers, attack.rate)
        time.sleep(ATTACK)
        self.peak = self.server.resident()
        seen = finish(attackers)
        self.expect(seen["opened"] >= attack.attackers, f"the attackers opened {seen['opened']} connections only")
        time.sleep(AFTER)
        return [seconds for _, seconds in finish(legitimate)]

    def judge_requests(self, requests):
        answered = sorted(seconds for seconds in requests if seconds is not None)
        lost, self.p99, self.slowest = len(requests) - len(answered), 0, 0
        if answered:
            self.p99, self.slowest = answered[int(len(answered) * 0.99)], answered[-1]
        least = LEGITIMATE_A_SECOND * (BEFORE + ATTACK + AFTER) // 2
        self.expect(len(requests) >= least, f"only {len(requests)} requests were made")
        self.expect(lost == 0, f"{lost} of {len(requests)} requests had no answer")
        self.expect(self.slowest <= MOST_SECONDS, f"an answer took {self.slowest:.2f} s (p99 {self.p99:.2f} s)")

    def judge_rest(self, files, resident):
        """Everything is back to what it was within some seconds."""
        try:
            wait_for(lambda: self.server.metrics()["open"] == "0" and self.server.files() <= files, "", REST_SECONDS)
        except Wrong:
            self.faults.append(f"{self.server.metrics()['open']} connections are still open, and "
                               f"{self.server.files()} files of {files}")
        try:
            wait_for(lambda: self.server.resident() <= resident + RSS_SLACK, "", REST_SECONDS)
        except Wrong:
            self.faults.append(f"{self.server.resident() >> 10} KiB are resident, and were {resident >> 10} before")

    def judge_what_is_logged(self, before, lines):
        after = self.server.metrics()
        grown = sum(int(after[reason]) - int(before[reason]) for reason in self.attack.counted)
        self.expect(grown > 0 or not self.attack.counted, f"none of {self.attack.counted} was counted")
        self.expect(self.server.end() == 0, "the exit status is not 0")
        rejected = self.server.events("connections_rejected")
        logged = sum(rejected[-1][reason] for reason in self.attack.counted) if rejected else 0
        self.expect(logged >= grown, f"the log counts {logged} rejected connections of {grown}")
        lines = len(self.server.lines()) - lines
        self.expect(lines <= MOST_LINES, f"the log has {lines} more lines besides those of requests")

    def run(self):
        try:
            self.warm_up()
            before, files, resident = self.server.metrics(), self.server.files(), self.server.resident()
            lines = len(self.server.lines())
            self.judge_requests(self.attack_it())
            self.judge_rest(files, resident)
            self.judge_what_is_logged(before, lines)
        except (Wrong, OSError, ValueError, subprocess.TimeoutExpired) as fault:
            self.faults.append(repr(fault))
        finally:
            for child in self.children:
                if child.poll() is None:
                    child.kill()
                    child.wait()
        return self


def report(number, run):
    saw = f"p99 {1000 * getattr(run, 'p99', 0):.0f} ms, slowest {1000 * getattr(run, 'slowest', 0):.0f} ms"
    print(f"{'not ok' if run.faults else 'ok'} {number} - {run.attack.title}: {saw}", flush=True)
    for fault in run.faults:
        print("    " + fault, flush=True)


def is_busy():
    return os.getloadavg()[0] > 1.5 * os.cpu_count()


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=oauth.example.com", "-addext", "subjectAltName=DNS:oauth.example.com", "-keyout", "key", "-out",
         "certificate"], cwd=folder, check=True, capture_output=True)
    with open(os.path.join(folder, "pem"), "wb") as out:
        for name in ("certificate", "key"):
            with open(os.path.join(folder, name), "rb") as file:
                out.write(file.read())


def main(titles):
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    attacks = [attack for attack in ATTACKS if not titles or attack.title in titles]
    folder = tempfile.mkdtemp()
    make_certificate(folder)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
        runs = list(pool.map(lambda attack: Run(attack, folder).run(), attacks))
    for number, run in enumerate(runs, 1):
        if run.faults and is_busy():
            print(f"# again, alone, on a busy machine: {run.attack.title}: {'; '.join(run.faults)}", flush=True)
            run = Run(run.attack, folder).run()
        report(number, run)
        failed += bool(run.faults)
    shutil.rmtree(folder)
    print(f"{len(runs) - failed} passed, {failed} failed")
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
