"""What asks the servers: single requests, many idle connections, and wrk for load."""
import os
import re
import socket
import ssl
import subprocess
import time

from servers import RECALL

with open(os.path.join(os.path.dirname(__file__), "request.txt"), encoding="ascii") as request_file:
    LINES = request_file.read().splitlines()
TARGET = LINES[0].split(" ")[1]
QUERY = TARGET.partition("?")[2]
HEADERS = LINES[1:]


class Wrong(Exception):
    """An answer that is not the one that was asked for: nothing measured with it counts."""


def request_bytes(headers=()):
    return "\r\n".join([LINES[0], *HEADERS, *headers, "", ""]).encode()


def connect(server):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as browsers and curl do
    if not server.pem:
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(server.pem)
    return context.wrap_socket(connection, server_hostname="oauth.example.com")


def read_answer(connection):
    """Status and fields; the body is read and dropped."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise Wrong("the connection ended within an answer")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    missing = int(fields["content-length"]) - len(body)
    while missing > 0:
        missing -= len(connection.recv(missing))
    return int(lines[0].split(" ")[1]), fields


def ask(connection, headers=()):
    """One request; its answer has to be the right one."""
    connection.sendall(request_bytes(headers))
    status, fields = read_answer(connection)
    if (status, fields.get("location")) != (302, f"{RECALL}?{QUERY}"):
        raise Wrong(f"{status} {fields.get('location')}")
    return fields


def verify(server):
    """The answer is right, a connection is kept, and TLS is what it should be."""
    with connect(server) as connection:
        ask(connection)
        ask(connection)
        if server.pem and (connection.version(), connection.session_reused) != ("TLSv1.3", False):
            raise Wrong(f"{server.name}: {connection.version()}")


def wait_for_answer(server, seconds=30):
    """Seconds until the first right answer."""
    start = time.monotonic()
    while True:
        try:
            with connect(server) as connection:
                ask(connection)
            return time.monotonic() - start
        except OSError:
            if time.monotonic() - start > seconds:
                raise
            time.sleep(0.0005)


def load(server, seconds, cpu, headers=(), connections=64):
    """Load the server by wrk; returns the number of answers, all redirects."""
    scheme = "https" if server.pem else "http"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    for header in [*HEADERS, *headers]:
        command += ["-H", header]
    result = subprocess.run(
        [*command, f"{scheme}://127.0.0.1:{server.port}{TARGET}"], check=True, capture_output=True, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
    answers = re.search(r"(\d+) requests in", result.stdout)
    if answers is None or "Non-2xx" in result.stdout or "Socket errors" in result.stdout:
        raise Wrong(f"{server.name}: {result.stdout}")
    return int(answers[1])


def hold_idle(server, n):
    """n connections, each of which has had an answer and is kept."""
    connections = []
    for _ in range(n):
        connections.append(connect(server))
        ask(connections[-1])
    return connections


def new_connection_seconds(server):
    """From connect() to the whole answer."""
    start = time.perf_counter()
    with connect(server) as connection:
        ask(connection)
    return time.perf_counter() - start
