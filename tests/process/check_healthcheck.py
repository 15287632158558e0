#!/usr/bin/env python3
"""`healthcheck` against servers that are well, sick, silent or slow, whatever the configuration says by now.

PROGRAM names the binary, WRAPPER a tool to run it under. Only loopback is used.
"""
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

SLOW = bool(os.environ.get("WRAPPER"))
PATIENCE = 30 if SLOW else 10
folder = tempfile.mkdtemp()
children = []
WRAPPER = os.environ.get("WRAPPER", "").split()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def write(name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def make_pair():
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                    "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "pair.pem"], cwd=folder, check=True,
                   capture_output=True)
    return os.path.join(folder, "pair.pem"), os.path.join(folder, "key.pem")


class Server:
    def __init__(self, *options, config="{}", environment={}):
        self.config = write("config.%d" % len(children), config)
        self.log = write("log.%d" % len(children), "")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([*WRAPPER, os.environ["PROGRAM"], "-c", self.config, "--listen.address=127.0.0.1",
                                             *options], stderr=log, env={**os.environ, **environment})
        children.append(self.process)
        end = time.monotonic() + PATIENCE
        while '"listening"' not in open(self.log).read():
            assert time.monotonic() < end and self.process.poll() is None, open(self.log).read()
            time.sleep(0.02)

    def end(self):
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0


def check(*options, environment={}):
    """Its exit status; whatever happens it takes at most three seconds, and says who did not answer, and no more."""
    begin = time.monotonic()
    result = subprocess.run([*WRAPPER, os.environ["PROGRAM"], *options, "healthcheck"], capture_output=True, text=True,
                            timeout=PATIENCE, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
    took = time.monotonic() - begin
    assert SLOW or took < 6, (options, took)  # three seconds, and a busy machine
    assert result.stdout == "" and result.returncode in (0, 1), result
    assert re.fullmatch(r"(healthcheck: \S+ port \d+ does not answer /healthz with 200\n)*"
                        r"(healthcheck: no answer within 3 seconds\n)?|error: .*\n", result.stderr), result
    assert result.returncode == 0 or result.stderr != "", result
    return result.returncode


# --- what the file says by now ---

FILES = [
    "{", "", "[]", '{"threds": 1}', '{"listen.port": 1}', '{"listen.port": "x"}', '{"listen.address": "::1", "listen.port": 2}',
    '{"tls": {"certificate": "/nowhere", "private_key": "/nowhere"}}', '{"admin.port": 1}', '{"admin.address": "::1"}',
    '{"admin.port": 0, "listen.port": 1}', '{"recall.region": "moon"}', "\0", "x" * 2000000,
]


def test_a_changed_file_does_not_make_a_server_sick():
    admin, port = free_port(), free_port()
    environment = {"REDIRECTD_ADMIN_PORT": str(admin), "REDIRECTD_LISTEN_PORT": str(port)}
    server = Server(environment=environment)
    assert check("-c", server.config, environment=environment) == 0
    for text in FILES:
        write(server.config, text)
        assert check("-c", server.config, environment=environment) == 0, text[:80]
        options = ["--admin.port=%d" % admin, "--listen.port=%d" % port]
        assert check("-c", server.config, *options) == 0, text[:80]
    os.unlink(server.config)
    assert check("-c", server.config, environment=environment) == 0
    os.mkdir(server.config)
    assert check("-c", server.config, environment=environment) == 0
    server.end()
    os.rmdir(server.config)
    assert check("-c", server.config, environment=environment) == 1


def test_a_file_that_is_good_is_read():
    admin, port = free_port(), free_port()
    server = Server(config=json.dumps({"admin.port": admin, "listen.port": port}))
    assert check("-c", server.config) == 0
    server.end()
    assert check("-c", server.config) == 1


def test_broken_variables_do_not_make_a_server_sick():
    """The server has its own, good ones; with the defaults nobody can be found here, and that is 1, not 78."""
    for name in ("REDIRECTD_LISTEN_PORT", "REDIRECTD_THREDS", "REDIRECTD_ADMIN_ADDRESS"):
        assert check("--admin.port=%d" % free_port(), environment={name: "x"}) == 1


def test_without_an_admin_listener_the_public_one_is_asked():
    certificate, key = make_pair()
    tls = ["--tls.certificate=" + certificate, "--tls.private_key=" + key]
    port = free_port()
    server = Server("--admin.port=0", "--listen.port=%d" % port)
    assert check("--admin.port=0", "--listen.port=%d" % port) == 0
    assert check("--admin.port=0", "--listen.port=%d" % port, "--listen.address=127.0.0.1") == 0
    assert check("--admin.port=%d" % free_port(), "--listen.port=%d" % port) == 0
    assert check("--admin.port=0", "--listen.port=%d" % port, *tls) == 0, "TLS was added"
    server.end()
    assert check("--admin.port=0", "--listen.port=%d" % port) == 1
    server = Server("--admin.port=0", "--listen.port=%d" % port, *tls)
    assert check("--admin.port=0", "--listen.port=%d" % port, *tls) == 0
    server.end()


def test_wildcards_are_reached_over_loopback():
    for address in ("0.0.0.0", "::"):
        admin = free_port()
        server = Server("--listen.port=0", "--admin.address=" + address, "--admin.port=%d" % admin)
        assert check("--admin.address=" + address, "--admin.port=%d" % admin) == 0, address
        server.end()


# --- servers that are not ours, or not well ---

def drip(client):
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":
        client.sendall(bytes([byte]))
        time.sleep(0.7)


def say(text):
    return lambda client: client.sendall(text)


def silence(client):
    time.sleep(PATIENCE)


WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
PEERS = [
    (say(WELL), 0), (say(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"), 1), (say(b"HTTP/1.1 404 Not Found\r\n\r\n"), 1),
    (say(b"HTTP/1.1 2000 OK\r\n\r\n"), 1), (say(b"HTTP/1.1 200"), 1), (say(b"SSH-2.0-OpenSSH_9.2\r\n"), 1),
    (say(b""), 1), (say(b"\0" * 100), 1), (silence, 1), (drip, 1),
]


class Fake:
    """Answers every connection in one way."""

    def __init__(self, answer, context=None):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.answer, self.context = answer, context
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.handle, args=(client,), daemon=True).start()

    def handle(self, client):
        try:
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            client.recv(1000)
            self.answer(client)
        except OSError:
            pass
        client.close()


def test_only_200_within_three_seconds_is_well():
    nobody = free_port()
    for answer, status in PEERS:
        fake = Fake(answer)
        assert check("--admin.port=%d" % fake.port, "--listen.port=%d" % nobody) == status, answer
        assert check("--admin.port=0", "--listen.address=127.0.0.1", "--listen.port=%d" % fake.port) == status, answer
        fake.listener.close()


def test_so_it_is_over_tls():
    certificate, key = make_pair()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    for answer, status in PEERS:
        fake = Fake(answer, context)
        assert check("--admin.port=0", "--listen.port=%d" % fake.port, "--tls.certificate=" + certificate,
                     "--tls.private_key=" + key) == status, (PEERS.index((answer, status)), status)
        fake.listener.close()


def test_the_admin_listener_has_the_last_word():
    public, admin = Fake(say(WELL)), Fake(say(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"))
    assert check("--admin.port=%d" % admin.port, "--listen.port=%d" % public.port) == 1


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
