#!/usr/bin/env python3
"""Clients that hold connections without ever finishing what they began.

    attackers.py PORT KIND COUNT RATE

COUNT connections are kept open, each from an address of its own in 127.0.0.0/8; one that the server
ends is opened again. RATE is how many are opened a second. It prints "ready", and at SIGTERM one JSON
object: how many were opened, and the most that were open at a time.
"""
import errno
import json
import os
import random
import resource
import selectors
import signal
import socket
import ssl
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Callable

HOST = b"Host: oauth.example.com\r\n"
CALLBACK = b"GET /api/ms_oauth_callback?code=a&state=b HTTP/1.1\r\n" + HOST
POST = (b"POST /connect HTTP/1.1\r\n" + HOST +
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 16000\r\n\r\n")
LONG = b"GET /api/ms_oauth_callback?" + b"x" * 8000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"
SMALL_BUFFER = 4096  # of one that never reads
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def client_hello():
    outgoing = ssl.MemoryBIO()
    handshake = CONTEXT.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="oauth.example.com")
    try:
        handshake.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def garbage():
    """Of the protocols that scanners try, or of none."""
    return random.choice([
        os.urandom(random.randrange(1, 600)), b"\0" * 200, client_hello(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n", b"GET /\r\n", b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n", b"\x16\x03\x01\xff\xff\x01",
        b"SSH-2.0-x\r\n", b"\r\n" * 100, b"POST / HTTP/1.1\r\nTransfer-Encoding: x\r\n\r\n", b"A" * 40000])


@dataclass
class Kind:
    opening: Callable[[], bytes]  # what is sent at once
    drip: bytes = b""             # and then a byte a second, over and over
    reads: bool = True            # or sends the opening over and over, and no answer is ever read
    resets: bool = False          # within half a second


KINDS = {
    "silent": Kind(lambda: b""),
    "one byte": Kind(lambda: b"G"),
    "slow head": Kind(lambda: CALLBACK + b"A: b", drip=b"b"),
    "slow body": Kind(lambda: POST, drip=b"a"),
    "long head": Kind(lambda: CALLBACK + b"Cookie: " + b"c" * 24000),
    "never reading": Kind(lambda: LONG * 8, reads=False),
    "idle": Kind(lambda: CALLBACK + b"\r\n"),
    "reset": Kind(lambda: random.choice([b"G", CALLBACK, CALLBACK + b"\r\n", LONG * 9, client_hello()]), resets=True),
    "garbage": Kind(garbage, resets=True),
    "hello": Kind(client_hello),
    "slow hello": Kind(lambda: client_hello()[:1], drip=client_hello()[1:]),
}


@dataclass
class Attacker:
    connection: socket.socket
    unsent: bytes
    resets_at: float = 0
    dripped: int = 0
    events: int = field(default=selectors.EVENT_WRITE)


class Attack:
    def __init__(self, port, kind, count, rate):
        self.address, self.kind, self.count, self.rate = ("127.0.0.1", port), kind, count, rate
        self.selector = selectors.DefaultSelector()
        self.open = {}  # descriptor -> attacker
        self.opened = self.most = 0
        self.stops = False

    def connect(self):
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
        if not self.kind.reads:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        connection.bind((f"127.1.{random.randrange(256)}.{random.randrange(1, 255)}", 0))
        if connection.connect_ex(self.address) not in (0, errno.EINPROGRESS):
            connection.close()
            return
        self.open[connection.fileno()] = Attacker(
            connection, self.kind.opening(), time.monotonic() + random.random() / 2)
        self.selector.register(connection, selectors.EVENT_WRITE)
        self.opened += 1
        self.most = max(self.most, len(self.open))

    def close(self, attacker):
        self.selector.unregister(attacker.connection)
        del self.open[attacker.connection.fileno()]
        if self.kind.resets:
            attacker.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        attacker.connection.close()

    def serve(self, attacker):
        """Send what is left, read what comes; the end of a connection is an OSError."""
        if attacker.unsent:
            attacker.unsent = attacker.unsent[attacker.connection.send(attacker.unsent):]
        if not self.kind.reads:
            attacker.unsent = attacker.unsent or self.kind.opening()
        elif attacker.connection.recv(65536) == b"":
            raise ConnectionResetError

    def visit(self, attacker):
        try:
            self.serve(attacker)
        except BlockingIOError:
            pass
        except OSError:
            self.close(attacker)
            return
        events = selectors.EVENT_WRITE if attacker.unsent else selectors.EVENT_READ
        if events != attacker.events:
            attacker.events = events
            self.selector.modify(attacker.connection, events)

    def drip(self):
        for attacker in list(self.open.values()):
            if self.kind.drip and not attacker.unsent:
                at = attacker.dripped % len(self.kind.drip)
                attacker.dripped += 1
                attacker.unsent = self.kind.drip[at:at + 1]
                self.visit(attacker)

    def run(self):
        before = dripped_at = time.monotonic()
        due = 0
        while not self.stops:
            now = time.monotonic()
            due = min(due + (now - before) * self.rate, self.rate / 5)
            before = now
            while len(self.open) < self.count and due >= 1:
                self.connect()
                due -= 1
            for key, _ in self.selector.select(0.02):
                self.visit(self.open[key.fd])
            if self.kind.resets:
                for attacker in [a for a in self.open.values() if a.resets_at < now]:
                    self.close(attacker)
            if now - dripped_at > 1:
                dripped_at = now
                self.drip()

    def stop(self, *_):
        self.stops = True


def main():
    port, kind, count, rate = sys.argv[1:]
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    attack = Attack(int(port), KINDS[kind], int(count), float(rate))
    signal.signal(signal.SIGTERM, attack.stop)
    print("ready", flush=True)
    attack.run()
    print(json.dumps({"opened": attack.opened, "most": attack.most}))


if __name__ == "__main__":
    main()
