"""What clients that never finish leave to everyone else, beside the other servers.

One server at a time, at a limit of CONNECTIONS, meets ATTACKERS that connect again whenever they are
ended, ARRIVING of them a second; a legitimate client makes RATE new connections a second meanwhile.
"""
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

import client
import servers

CLIENTS = os.path.join(os.path.dirname(__file__), "..", "whole", "attacks")
CONNECTIONS, ATTACKERS, ARRIVING, RATE = 512, 800, 300, 50
ASKED = ("product", "nginx-tuned", "haproxy")


@dataclass
class Attack:
    title: str
    kind: str  # of attackers.py
    mode: str = "plain"
    seen: dict = field(default_factory=dict)  # server -> Seen


@dataclass
class Seen:
    lost: float  # per cent of the requests
    p50: float   # milliseconds
    p99: float

    def __str__(self):
        return f"{100 - self.lost:.0f} %, {self.p50:.0f}/{self.p99:.0f}"


ATTACKS = [
    Attack("silent connections", "silent"),
    Attack("TLS, no more than the ClientHello", "hello", "tls"),
    Attack("one byte", "one byte"),
    Attack("slow heads", "slow head"),
    Attack("slow bodies", "slow body"),
    Attack("unfinished heads of 24 KB", "long head"),
    Attack("answers that are never read", "never reading"),
    Attack("idle connections", "idle"),
    Attack("TLS, silent connections", "silent", "tls"),
    Attack("TLS, a byte a second", "slow hello", "tls"),
]


def start_client(name, *arguments):
    process = subprocess.Popen(
        [sys.executable, os.path.join(CLIENTS, name), *map(str, arguments)], stdout=subprocess.PIPE)
    if process.stdout.readline() != b"ready\n":
        raise client.Wrong(f"{name} does not start")
    return process


def finish(process):
    process.send_signal(signal.SIGTERM)
    return json.loads(process.communicate(timeout=60)[0])


def summarize(requests):
    answered = sorted(1000 * seconds for _, seconds in requests if seconds is not None)
    if not answered:
        return Seen(100, 0, 0)
    return Seen(100 * (1 - len(answered) / len(requests)), answered[len(answered) // 2],
                answered[int(len(answered) * 0.99)])


def measure(attack, server, seconds):
    """Once the attackers have filled the limit."""
    server.connections = CONNECTIONS
    server.start()
    client.wait_for_answer(server)
    attackers = start_client("attackers.py", server.port, attack.kind, ATTACKERS, ARRIVING)
    try:
        time.sleep(CONNECTIONS / ARRIVING)
        legitimate = start_client("legitimate.py", server.port, RATE, *([server.pem] if attack.mode == "tls" else []))
        time.sleep(seconds)
        attack.seen[server.name] = summarize(finish(legitimate))
    finally:
        finish(attackers)
        server.stop()


def best_peer(attack):
    """The one that answers most, and of several the quicker one."""
    return min((attack.seen[name] for name in ASKED[1:]), key=lambda seen: (seen.lost, seen.p99))


def measure_all(attacks, make_server, seconds):
    for attack in attacks:
        print(attack.title, file=sys.stderr)
        for name in ASKED:
            measure(attack, make_server(name, attack.mode), seconds)
