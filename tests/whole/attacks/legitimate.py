#!/usr/bin/env python3
"""A client like any other: new connections at a steady pace, one request each.

    legitimate.py PORT RATE [CERTIFICATE]

The next one starts in its time, however long those before it take. With CERTIFICATE, of the server, over
TLS. It prints "ready", and at SIGTERM one JSON array: for each request when it began (monotonic) and how
many seconds passed until the whole answer was there, or null where none came within five or it was wrong.
"""
import json
import signal
import socket
import ssl
import sys
import threading
import time

QUERY = "?code=a&state=b"
REQUEST = f"GET /api/ms_oauth_callback{QUERY} HTTP/1.1\r\nHost: oauth.example.com\r\nConnection: close\r\n\r\n".encode()
LOCATION = f"\r\nLocation: https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/{QUERY}\r\n".encode()
PATIENCE = 5


def exchange(port, context):
    """One request on a new connection; whether the answer is the right one."""
    end = time.monotonic() + PATIENCE
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as browsers and curl do
    connection.settimeout(max(0.001, end - time.monotonic()))
    if context:
        connection = context.wrap_socket(connection, server_hostname="oauth.example.com")
    with connection:
        connection.settimeout(max(0.001, end - time.monotonic()))
        connection.sendall(REQUEST)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(8192)
            if not piece:
                return False
            answer += piece
        return answer.startswith(b"HTTP/1.1 302 ") and LOCATION in answer


def ask(port, context, results):
    begin = time.monotonic()
    try:
        is_good = exchange(port, context)
    except OSError:
        is_good = False
    results.append((begin, time.monotonic() - begin if is_good else None))


def main():
    port, rate = int(sys.argv[1]), float(sys.argv[2])
    context = ssl.create_default_context(cafile=sys.argv[3]) if len(sys.argv) > 3 else None
    results, threads = [], []
    # Waited for, not handled: a handler that sets an event would wait for ever where it interrupts the event's own wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    print("ready", flush=True)
    due = time.monotonic()
    while not signal.sigtimedwait([signal.SIGTERM], max(0, due - time.monotonic())):
        due += 1 / rate
        threads.append(threading.Thread(target=ask, args=(port, context, results)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    print(json.dumps(results))


if __name__ == "__main__":
    main()
