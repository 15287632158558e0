#!/usr/bin/env python3
"""A replica that misbehaves towards those who ask for it, and redirects all others: misbehaving.py PORT.

X-Misbehave: close (no answer), reset, 503, 502, garbage (no HTTP), half (an answer cut short), huge (a head that
no proxy takes). Proves that a proxy does not judge the replica by what one request did.
"""
import re
import socket
import socketserver
import struct
import sys

ANSWERS = {
    b"503": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    b"502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    b"garbage": b"\x00\x01garbage\r\n\r\n",
    b"half": b"HTTP/1.1 200 OK\r\nContent-Len",
    b"huge": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100000 + b"\r\nContent-Length: 0\r\n\r\n",
}


class Replica(socketserver.BaseRequestHandler):
    def handle(self):
        head = b""
        while piece := self.request.recv(65536):
            head += piece
            if head.endswith(b"\r\n\r\n"):
                if not self.answer(head):
                    return
                head = b""

    def answer(self, head):
        """Whether the connection stays."""
        word = re.search(rb"X-Misbehave: (\w+)", head, re.I)
        if word is None:
            path, _, query = head.split(b" ")[1].partition(b"?")
            self.request.sendall(b"HTTP/1.1 %b\r\nLocation: https://us-east-1.recall.ai/?%b\r\nContent-Length: 0\r\n\r\n"
                                 % (b"302 Found" if path == b"/api/ms_oauth_callback" else b"200 OK", query))
        elif word[1] == b"reset":
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.request.sendall(ANSWERS.get(word[1], b""))
        return word is None


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", int(sys.argv[1])), Replica) as server:
    server.serve_forever()
