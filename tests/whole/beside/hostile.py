#!/usr/bin/env python3
"""Sends hostile requests through a proxy, one at a time, and sees whether each costs another client a request.

  hostile.py PORT [misbehaviour]

While each is sent, and at once after it, other clients send good ones: a proxy that takes a replica for dead
because of what the replica did with one request answers them with 502. Prints the requests that did harm, and
how many were sent; exit 1 if one did harm. The proxy speaks TLS; its certificate is not verified.
With misbehaviour, the replicas are those of misbehaving.py, and each request asks them to misbehave.
"""
import collections
import socket
import ssl
import sys
import threading
import time

PORT = int(sys.argv[1])
CALLBACK = b"/api/ms_oauth_callback"
GOOD = b"GET " + CALLBACK + b"?code=good&state=good HTTP/1.1\r\nHost: oauth.example.com\r\n\r\n"
PATIENCE = 20  # for an answer to the other client
SILENCE = 0.15  # after which a hostile client goes away


def head(*fields, method=b"GET", target=CALLBACK + b"?code=x&state=y", host=b"Host: oauth.example.com", end=b"\r\n"):
    lines = [b"%b %b HTTP/1.1" % (method, target), *([host] if host else []), *fields]
    return b"".join(line + end for line in lines) + end


def field(size, name=b"X-Long"):
    """A header field of this many bytes."""
    return name + b": " + b"x" * (size - len(name) - 2)


def cookies(size):
    """A Cookie field of cookies of 60 bytes each."""
    return b"Cookie: " + b"; ".join(b"c%05d=" % n + b"v" * 51 for n in range(max(1, (size - 8) // 60)))


def query(size):
    return CALLBACK + b"?code=" + b"q" * (size - 6)


def big_heads():
    yield head(field(13000), field(14060))
    yield head(cookies(7900), target=query(1600))
    for size in range(5000, 33000, 1000):
        yield head(cookies(size), target=query(1600))
    for size in range(4000, 34000, 2000):
        yield head(field(size))
        yield head(field(size // 2), field(size // 2, b"X-Other"), target=query(4000))
    for n in (50, 90, 100, 110, 200, 400, 1000):
        yield head(*(b"X-%d: 1" % i for i in range(n)))
    for size in (8191, 8192, 8193, 12000, 16000, 16300, 20000, 40000, 66000):
        yield head(target=query(size))
        yield head(cookies(6000), target=query(size))
    yield head(target=CALLBACK + b"?" + b"&" * 8000)
    yield head(target=CALLBACK + b"?" + b"a=1&" * 2000)
    yield head(target=b"/" + b"p" * 9000)
    yield head(method=b"M" * 9000)


def broken_heads():
    for target in (b"*", b"", b"api", CALLBACK + b"?code=a b", CALLBACK + b"?a#b", CALLBACK + b"?\x01", CALLBACK + b"?\x00",
                   CALLBACK + b"?\xff", CALLBACK + b"?\t", b"http://evil.example" + CALLBACK, b"https://", b"http:///",
                   b"//evil.example", b"/..%2f..%2fetc", b"/api/../connect", b"evil.example:443"):
        yield head(target=target)
    for method in (b"CONNECT", b"TRACE", b"OPTIONS", b"PUT", b"get", b"BREW", b"G\x00T", b"G(T", b"PRI", b""):
        yield head(method=method)
    for host in (b"", b"Host:", b"Host: a\r\nHost: b", b"Host: a b", b"Host: /", b"Host: \xff", b"hOsT: evil.example:99999"):
        yield head(host=host)
    for odd in (b": empty", b"Name : v", b"no colon", b" folded: v", b"X: a\r\n b", b"X: a\rb", b"X: \x00", b"X: \x01", b"X\x00: v",
                b"(X): v", b"\xff: v", b"X:" + b" " * 5000, b"Expect: 100-continue", b"Expect: nonsense",
                b"Upgrade: websocket\r\nConnection: Upgrade", b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA",
                b"Connection: close, X-Long", b"Connection: " + b"a," * 3000, b"Keep-Alive: -1", b"X-Forwarded-For: " + b"1.1.1.1, " * 500,
                b"Range: bytes=0-0,1-1", b"Max-Forwards: 0", b"Accept: " + b"text/html;q=" * 300, b"Sec-Fetch-Site: none"):
        yield head(odd)
    for line in (b"GET / HTTP/0.9", b"GET / HTTP/1.0", b"GET / HTTP/1.2", b"GET / HTTP/2.0", b"GET / HTTP/3", b"GET / http/1.1", b"GET /",
                 b"GET", b"GET  /  HTTP/1.1", b"\tGET / HTTP/1.1", b"GET / HTTP/1.1 ", b"\x00\r\nGET / HTTP/1.1", b"GET /\x0b HTTP/1.1"):
        yield line + b"\r\nHost: oauth.example.com\r\n\r\n"
    yield b"\r\n" * 200 + head()
    yield head(end=b"\n")
    yield head()[:-2]
    yield head()[:20]


def bodies():
    chunked = b"Transfer-Encoding: chunked"
    for body in (b"0\r\n\r\n", b"1\r\nx\r\n0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n", b"0;extension=1\r\n\r\n", b"00000000000000000000\r\n\r\n",
                 b"ffffffffffffffff\r\n", b"-1\r\n\r\n", b"0x1\r\nx\r\n0\r\n\r\n", b"g\r\n", b"1\nx\n0\n\n", b"1 \r\nx\r\n0\r\n\r\n", b"5\r\nx\r\n", b""):
        for method, target in ((b"GET", CALLBACK + b"?code=x"), (b"POST", b"/connect")):
            yield head(chunked, method=method, target=target) + body
    for length in (b"0", b"5", b"-5", b"+5", b"0x5", b"5, 5", b"5\r\nContent-Length: 6", b"abc", b"", b"18446744073709551615",
                   b"18446744073709551616", b"99999999999999999999999"):
        yield head(b"Content-Length: " + length) + b"hello"
    for kind in (b"application/x-www-form-urlencoded", b"application/json", b"text/plain", b"multipart/form-data; boundary=x", b""):
        for size in (0, 10, 16384, 16385, 100000):
            yield head(b"Content-Type: " + kind, b"Content-Length: %d" % size, method=b"POST", target=b"/connect") + b"x" * size
    for method, target in ((b"POST", CALLBACK), (b"POST", b"/healthz"), (b"HEAD", CALLBACK), (b"GET", b"/metrics"), (b"GET", b"/connect"),
                           (b"GET", b"/connect/admin?tenant=%00"), (b"GET", b"/.well-known/microsoft-identity-association")):
        yield head(method=method, target=target)


def smuggling():
    inner = GOOD.replace(b"good", b"evil")
    for coding in (b"chunked", b"Chunked", b"chunked, chunked", b"identity, chunked", b"chunked, identity", b"xchunked", b"gzip", b"\x0bchunked",
                   b"chunked\x00", b"'chunked'", b"chunked\r\nTransfer-Encoding: x", b"x\r\nTransfer-Encoding: chunked"):
        yield head(b"Transfer-Encoding: " + coding, b"Content-Length: 5", method=b"POST", target=b"/connect") + b"0\r\n\r\n" + inner
    for name in (b"Transfer-Encoding ", b"Transfer_Encoding", b" Transfer-Encoding", b"X: y\nTransfer-Encoding", b"Content-Length\x00"):
        yield head(name + b": chunked", b"Content-Length: 0") + inner
    yield head(b"Content-Length: %d" % len(inner)) + inner
    yield head(b"Content-Length: 0\r\n Content-Length: 5") + inner
    yield head() * 30
    yield (head() + head(target=b"*")) * 5


def other_protocols():
    yield b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + GOOD
    yield b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\x00\x01\x00\x02" + GOOD
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    yield b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"r" * 160
    yield b"SSH-2.0-OpenSSH_9.2\r\n"
    yield b"EHLO mail.example\r\n"
    yield b"*1\r\n$4\r\nPING\r\n"
    yield b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"
    yield bytes(range(256)) * 4
    yield b"\x00" * 20000


def misbehaviour():
    for word in (b"close", b"reset", b"503", b"502", b"garbage", b"half", b"huge"):
        for field in (b"X-A: b", b"Connection: close"):
            yield head(b"X-Misbehave: " + word, field)


def connect(encrypted=True):
    connection = socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE)
    if not encrypted:
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection, server_hostname="oauth.example.com")


def send(request, encrypted):
    """Send it, read what comes, go away; the status of the first answer, or none."""
    answer = b""
    try:
        with connect(encrypted) as connection:
            connection.settimeout(SILENCE)
            connection.sendall(request)
            while piece := connection.recv(65536):
                answer += piece
    except OSError:
        pass
    return answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1") else "none"


def good(connection):
    """A good request: None, or what came instead of a redirect."""
    time.sleep(0.005)
    try:
        connection.sendall(GOOD)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(65536)
            if not piece:
                return "nothing"
            answer += piece
    except OSError as error:
        return type(error).__name__
    return None if answer.startswith(b"HTTP/1.1 302 ") and b"code=good&state=good" in answer else answer.split(b"\r\n")[0]


def other_client(n_requests=2):
    """The first fault that a client meets on a connection of its own, or None."""
    with connect() as connection:
        return next(filter(None, (good(connection) for _ in range(n_requests))), None)


class Bystander(threading.Thread):
    """A client that never stops; what it met since it was last asked."""

    def __init__(self):
        super().__init__(daemon=True)
        self.faults = []

    def run(self):
        while True:
            if fault := other_client(50):
                self.faults.append(fault)

    def fault(self):
        return self.faults.pop() if self.faults else None


kinds = [misbehaviour] if sys.argv[2:] else [big_heads, broken_heads, bodies, smuggling, other_protocols]
requests = [(kind.__name__, request, True) for kind in kinds for request in kind()]
if other_protocols in kinds:
    requests += [("without TLS", request, False) for request in other_protocols()]
statuses = collections.Counter()
bystander = Bystander()
bystander.start()
harm = 0
for kind, request, encrypted in requests:
    status = send(request, encrypted)
    statuses[status] += 1
    if lost := other_client() or bystander.fault():
        harm += 1
        print(f"{kind}: {request[:60]!r}, {len(request)} bytes, answered {status}: another client got {lost}")
time.sleep(0.1)
if not harm and (lost := bystander.fault()):
    harm += 1
    print(f"one of the last: another client got {lost}")
print(f"{len(requests)} hostile requests, {harm} did harm; answers: {dict(sorted(statuses.items()))}")
sys.exit(harm > 0)
