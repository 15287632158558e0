#!/usr/bin/env python3
"""The product beside nginx, tuned nginx and HAProxy: make bench.

All are up at once, on one processor, and are visited in turn, round after round, by a load generator
on another: what disturbs the machine disturbs each of them. The figure is the CPU time that a server
needs for a request, and the ratio of two servers within a round. Requests a second say more about
the load generator and the neighbours than about the server.

    PROGRAM        the server's binary        BENCH_JSON     where the figures go
    BENCH_ROUNDS   7                          BENCH_SECONDS  2, of load a server, scenario and round
"""
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import attacks
import client
import instructions
import report
import servers
from report import Life, Scenario

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "2"))
IDLE_CONNECTIONS = 3800  # one place in sixteen of the limit stays free
FULL, IDLE_TLS = 1000, 900
REST_SECONDS = 5
CLOSE = ("Connection: close",)
SERVER_CPU, LOAD_CPU = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
SCENARIOS = [
    Scenario("keep-alive", "plain", (), to_nginx=0.65, to_tuned=0.92),
    Scenario("new connections", "plain", CLOSE, to_nginx=0.70, to_tuned=1.00),
    Scenario("keep-alive, access log", "log", (), to_nginx=0.60),
    Scenario("new connections, access log", "log", CLOSE),
    Scenario("TLS handshakes", "tls", CLOSE, to_nginx=0.85),
    Scenario("TLS handshakes, RSA-2048", "rsa", CLOSE),
    Scenario("TLS keep-alive", "tls", (), to_nginx=0.85),
]


def enter_namespace():
    """A network of our own, and processes that end with us; without, where that is not allowed."""
    unshare = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        unshare.append("--map-root-user")
    if "BENCH_INSIDE" in os.environ:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True, env={"PATH": servers.SEARCH_PATH})
    elif subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode == 0:
        os.environ["BENCH_INSIDE"] = "1"
        os.execvp("unshare", [*unshare, sys.executable, *sys.argv])
    else:
        print("without a network namespace: unshare is not allowed here")


class Bench:
    def __init__(self, directory):
        self.directory = directory
        self.port = random.randrange(20000, 28000)
        self.pem = servers.make_certificates(directory)
        self.up = []
        self.lives = {name: Life() for name in servers.SERVERS}

    def make(self, name, mode):
        self.port += 1
        return servers.SERVERS[name](name, mode, self.directory, self.port, self.pem, SERVER_CPU)

    def start(self, name, mode):
        server = self.make(name, mode)
        server.start()
        self.up.append(server)
        return server

    def stop(self, server):
        self.up.remove(server)
        server.stop()

    def start_all(self):
        for mode in servers.MODES:
            for name in servers.SERVERS:
                client.wait_for_answer(self.start(name, mode))

    def measure_load(self, scenario):
        for server in [s for s in self.up if s.mode == scenario.mode]:
            client.verify(server)
            before = server.cpu_ns()
            answers = client.load(server, SECONDS, LOAD_CPU, scenario.headers)
            scenario.us[server.name].append((server.cpu_ns() - before) / answers / 1000)
            if scenario.mode == "log":
                self.check_log(server, answers)

    @staticmethod
    def check_log(server, answers):
        """A server that drops its lines has not paid for them. The last ones may take a moment."""
        time.sleep(0.2)
        lines = server.take_log_lines()
        if lines < 0.99 * answers:
            raise client.Wrong(f"{server.name}: {answers} answers, but {lines} log lines")

    def measure_life(self, name):
        life = self.lives[name]
        server = self.start(name, "plain")
        life.first_answer_ms.append(1000 * client.wait_for_answer(server))
        rest = server.resident_bytes()
        connections = client.hold_idle(server, IDLE_CONNECTIONS)
        life.rest_bytes.append(rest)
        life.idle_bytes.append((server.resident_bytes() - rest) / IDLE_CONNECTIONS)
        life.new_connection_us.append(
            1e6 * statistics.median(client.new_connection_seconds(server) for _ in range(100)))
        for connection in connections:
            connection.close()
        if not life.after_bytes:
            time.sleep(REST_SECONDS)
            life.after_bytes.append(server.resident_bytes())
        self.stop(server)

    def measure_full(self, name):
        """Kept connections fill the limit, and new ones come."""
        server = self.make(name, "plain")
        server.connections = FULL
        self.up.append(server)
        server.start()
        client.wait_for_answer(server)
        connections = client.hold_idle(server, FULL)
        seconds = [client.new_connection_seconds(server) for _ in range(200)]
        self.lives[name].full_p99_ms.append(1000 * sorted(seconds)[-3])
        self.lives[name].full_per_second.append(client.load(server, SECONDS, LOAD_CPU, CLOSE, connections=8) / SECONDS)
        for connection in connections:
            connection.close()
        self.stop(server)

    def measure_idle_tls(self, name):
        """Handshakes beside connections that are idle."""
        server = self.start(name, "tls")
        client.wait_for_answer(server)
        connections = client.hold_idle(server, IDLE_TLS)
        before = server.cpu_ns()
        answers = client.load(server, SECONDS, LOAD_CPU, CLOSE)
        self.lives[name].idle_tls_us.append((server.cpu_ns() - before) / answers / 1000)
        for connection in connections:
            connection.close()
        self.stop(server)

    def run(self):
        self.start_all()
        for i in range(ROUNDS):
            print(f"round {i + 1} of {ROUNDS}", file=sys.stderr)
            for scenario in SCENARIOS:
                self.measure_load(scenario)
            for name in servers.SERVERS:
                self.measure_life(name)
                if i % 2 == 0:
                    self.measure_idle_tls(name)
        for name in ("product", "nginx-tuned"):  # HAProxy keeps new ones waiting until a kept one ends
            self.measure_full(name)

    def run_attacks(self):
        """Alone, so that nothing else is disturbed; of a short run the first two."""
        for server in list(self.up):
            self.stop(server)
        shown = attacks.ATTACKS if ROUNDS >= report.FEWEST_ROUNDS else attacks.ATTACKS[:2]
        attacks.measure_all(shown, self.make, 2 * SECONDS + 1)
        return shown

    def count_instructions(self):
        return {scenario.title: instructions.a_request(
            self.directory, self.port + 1 + 2 * i, SERVER_CPU, scenario.headers)
            for i, scenario in enumerate(SCENARIOS[:2])}


def main():
    enter_namespace()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        bench = Bench(directory)
        try:
            bench.run()
            attacked = bench.run_attacks()
            counted = bench.count_instructions()
        finally:
            for server in list(bench.up):
                bench.stop(server)
    result = report.Report(SCENARIOS, bench.lives, attacked, counted, ROUNDS)
    is_good = result.show()
    result.write(os.environ["BENCH_JSON"])
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
