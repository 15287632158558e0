#!/usr/bin/env python3
"""Sockets that systemd passes: which are served, and which are refused with a sentence.

PROGRAM names the binary, WRAPPER a tool to run it under. Only loopback is used.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE = 30 if os.environ.get("WRAPPER") else 10
folder = tempfile.mkdtemp()
children = []


def tcp(listens=True):
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    if listens:
        s.listen(64)
    return s


def unix(kind=socket.SOCK_STREAM, listens=True):
    s = socket.socket(socket.AF_UNIX, kind)
    s.bind(os.path.join(folder, "socket.%d" % time.monotonic_ns()))
    if listens:
        s.listen(64)
    return s


def udp():
    s = socket.socket(type=socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    return s


def a_file():
    return open(os.path.join(folder, "file"), "w")


class Server:
    """The server with these sockets as descriptors 3 and so on; names as in LISTEN_FDNAMES, None: not set."""

    def __init__(self, sockets, names, *options, n_fds=None):
        self.sockets = sockets
        shell = ("import os,sys;f=eval(sys.argv[1]);f=[os.dup2(d,100+i) for i,d in enumerate(f)];"
                 "[os.dup2(d,3+i) for i,d in enumerate(f)];os.closerange(3+len(f),200);"
                 "os.environ.update(LISTEN_PID=str(os.getpid()));os.execvp(sys.argv[2],sys.argv[2:])")
        environment = {k: v for k, v in os.environ.items() if k != "LISTEN_FDNAMES"}
        environment["LISTEN_FDS"] = str(len(sockets) if n_fds is None else n_fds)
        if names is not None:
            environment["LISTEN_FDNAMES"] = names
        with open(os.path.join(folder, "empty.json"), "w") as file:
            file.write("{}")
        self.log_path = os.path.join(folder, "%d.log" % len(children))
        self.log = open(self.log_path, "w")
        here = ["--threads=2", *(["--admin.port=0"] if "admin" not in (names or "") else [])]
        given = {option.split("=")[0] for option in options}
        self.process = subprocess.Popen(
            [sys.executable, "-c", shell, str([s.fileno() for s in sockets]), *os.environ.get("WRAPPER", "").split(),
             os.environ["PROGRAM"], "-c", file.name, *options, *(o for o in here if o.split("=")[0] not in given)],
            stderr=self.log, stdout=self.log, pass_fds=[s.fileno() for s in sockets], env=environment)
        children.append(self.process)

    def events(self, name):
        text = open(self.log_path).read()
        whole = text[:text.rfind("\n") + 1].splitlines()  # the last line may still be being written
        lines = [json.loads(line) for line in whole if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def wait_for(self, name, count=1):
        end = time.monotonic() + PATIENCE
        while len(self.events(name)) < count:
            assert time.monotonic() < end and self.process.poll() is None, (name, open(self.log_path).read())
            time.sleep(0.02)
        return self.events(name)[-1]

    def end(self):
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0, open(self.log_path).read()
        for s in self.sockets:
            s.close()


def connect(to):
    client = socket.socket(to.family)
    client.settimeout(PATIENCE)
    client.connect(to.getsockname())
    return client


def ask(to, target, head=""):
    """The status of an answer."""
    with connect(to) as client:
        client.sendall(("GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n" % (target, head)).encode())
        return int(client.makefile("rb").readline().split()[1])


OTHER = "called public or admin: set FileDescriptorName= in its unit"
KIND = "a TCP or Unix socket that listens: use ListenStream= in its unit"
REFUSED = [  # sockets, names, number of the bad one, its name, what is wrong with it
    ((tcp,), "Public", 3, "Public", OTHER),
    ((tcp,), "PUBLIC", 3, "PUBLIC", OTHER),
    ((tcp,), "public ", 3, "public ", OTHER),
    ((tcp,), "publi", 3, "publi", OTHER),
    ((tcp,), "publics", 3, "publics", OTHER),
    ((tcp,), "connection", 3, "connection", OTHER),
    ((tcp,), "recall-redirectd.socket", 3, "recall-redirectd.socket", OTHER),
    ((tcp,), "x" * 255, 3, "x" * 64, OTHER),
    ((tcp, tcp), "public:http", 4, "http", OTHER),
    ((tcp, tcp), "http:public", 3, "http", OTHER),
    ((tcp, tcp, tcp), "public:admin:Admin", 5, "Admin", OTHER),
    ((tcp,), None, 3, "", OTHER),
    ((tcp,), "", 3, "", OTHER),
    ((tcp, tcp), "public", 4, "", OTHER),
    ((tcp, tcp), ":public", 3, "", OTHER),
    ((udp,), "public", 3, "public", KIND),
    ((tcp, udp), "public:admin", 4, "admin", KIND),
    ((tcp, udp), "public:public", 4, "public", KIND),
    ((lambda: unix(socket.SOCK_DGRAM, False),), "public", 3, "public", KIND),
    ((lambda: unix(socket.SOCK_SEQPACKET),), "public", 3, "public", KIND),
    ((lambda: tcp(False),), "public", 3, "public", KIND),
    ((lambda: unix(listens=False),), "admin", 3, "admin", KIND),
    ((a_file,), "public", 3, "public", KIND),
]


def assert_refused(server, cause):
    assert server.process.wait(PATIENCE) == 69, open(server.log_path).read()
    failed = server.events("listen_failed")
    assert [(e["listener"], e["cause"], "port" in e) for e in failed] == [("passed", cause, False)], failed
    assert not server.events("listening")


def test_what_cannot_be_served_is_named():
    for makers, names, number, name, fault in REFUSED:
        sockets = [make() for make in makers]
        assert_refused(Server(sockets, names), 'The passed socket %d ("%s") is not %s' % (number, name, fault))
        for s in sockets:
            s.close()


def test_a_socket_that_is_missing_is_named():
    assert_refused(Server([tcp()], "public:public", n_fds=2), 'The passed socket 4 ("public") is not ' + KIND)


def test_too_many_are_refused():
    cause = 'The passed socket %d ("%s") is one too many: at most 64 can be called public, and 8 admin'
    assert_refused(Server([tcp() for _ in range(9)], ":".join(["admin"] * 9)), cause % (11, "admin"))
    assert_refused(Server([tcp() for _ in range(65)], ":".join(["public"] * 65)), cause % (67, "public"))


def test_all_of_a_name_are_served():
    for names, threads in (("public", 4), ("public:public", 1), ("public:public", 2), ("public:admin:public:public:admin", 2),
                           ("admin:public", 1), ("admin:admin:public", 3)):
        kinds = names.split(":")
        server = Server([tcp() for _ in kinds], names, "--threads=%d" % threads)
        listening = server.wait_for("listening")
        ports = {kind: server.sockets[kinds.index(kind)].getsockname()[1] for kind in set(kinds)}
        assert (listening["address"], listening["port"], listening.get("admin_port")) == (
            "passed", ports["public"], ports.get("admin")), (names, listening)
        for kind, s in zip(kinds, server.sockets):
            for _ in range(8):
                assert ask(s, "/healthz") == 200, (names, kind)
                assert ask(s, "/metrics") == (200 if kind == "admin" else 404), (names, kind)
                assert ask(s, "/api/ms_oauth_callback?code=1") == (404 if kind == "admin" else 302), (names, kind)
        assert not server.events("keys_unused"), server.events("keys_unused")
        server.end()


def test_a_restart_loses_no_connection_of_any_socket():
    sockets = [tcp(), tcp()]
    first = Server(sockets, "public:public", "--threads=1")
    first.wait_for("listening")
    first.process.terminate()
    assert first.process.wait(PATIENCE) == 0
    waiting = [connect(s) for s in sockets]
    for client in waiting:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    second = Server(sockets, "public:public", "--threads=1")
    for client in waiting:
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        client.close()
    second.end()


def test_unix_sockets_are_served():
    server = Server([unix(), unix()], "public:admin", "--limits.connections_per_ip=1")
    listening = server.wait_for("listening")
    assert listening["address"] == "passed" and "port" not in listening and "admin_port" not in listening, listening
    public, admin = server.sockets
    assert ask(admin, "/healthz") == 200
    with connect(public) as other:
        other.sendall(b"GET / HTTP/1.1\r\n")
        rows = [("", None), ("X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
                ("X-Forwarded-For: 6.6.6.6, 203.0.113.8\r\n", "203.0.113.8"), ("X-Forwarded-For: unknown\r\n", None),
                ("X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1")]
        for number, (head, client) in enumerate(rows, 1):
            assert ask(public, "/api/ms_oauth_callback?code=1", head) == 302
            assert server.wait_for("request", number).get("client") == client, head
    server.end()


def test_unix_and_tcp_go_together():
    server = Server([unix(), tcp()], "public:public", "--threads=1")
    assert server.wait_for("listening")["port"] == server.sockets[1].getsockname()[1]
    for s in server.sockets * 3:
        assert ask(s, "/healthz") == 200
    server.end()


UNUSED = "systemd passed sockets, which are used instead: change the .socket unit, or unset these"


def test_keys_that_are_not_used_are_warned_of():
    rows = [("public", [], []), ("public:admin", [], []), ("public", ["--listen.port=1"], ["listen.port"]),
            ("public", ["--listen.port=1", "--listen.address=::1"], ["listen.address,listen.port"]),
            ("public:admin", ["--admin.port=1", "--listen.port=2"], ["listen.port,admin.port"]),
            ("public:admin", ["--admin.address=::1", "--admin.port=1"], ["admin.address,admin.port"])]
    for names, options, keys in rows:
        server = Server([tcp() for _ in names.split(":")], names, *options)
        server.wait_for("listening")
        warnings = server.events("keys_unused")
        assert [w["keys"] for w in warnings] == keys, (names, warnings)
        assert all(w["hint"] == UNUSED for w in warnings), (names, warnings)
        server.end()


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    wanted, failed = sys.argv[1:], 0
    tests = [t for t in tests if not wanted or t[0] in wanted]
    for number, (name, test) in enumerate(tests, 1):
        title = name[len("test_"):].replace("_", " ")
        try:
            test()
            print("ok %d - %s" % (number, title))
        except Exception as fault:  # the others run all the same
            failed += 1
            print("not ok %d - %s\n    %r" % (number, title, fault))
    for child in children:
        if child.poll() is None:
            child.kill()
    shutil.rmtree(folder)
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    sys.exit(failed > 0)


main()
