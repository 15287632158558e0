#!/usr/bin/env python3
"""Steady load on the callback, over new connections and kept ones; prints what was lost or broken.

  load.py PORT MARK [tls]

Every answer is checked to the byte: a 302 whose Location ends in the query that was sent. Every query
contains MARK, so that logs can be searched for it. At SIGTERM it prints one JSON object and ends, with
exit status 1 if a request was lost or broken. With tls, the certificate is not verified.

A kept connection that the server closes between two requests is opened again, and so is one that ends
with "Connection: close": that is no fault. A connection that breaks after a request was sent is one.
"""
import json
import signal
import socket
import ssl
import sys
import threading
import time

PATH = "/api/ms_oauth_callback"
END = "/api/v1/calendar/ms_oauth_callback/"
WORKERS = 4  # of each kind
PAUSE = 0.004

stop = threading.Event()
lock = threading.Lock()
total = {"new": 0, "kept": 0, "reused": 0, "slowest_ms": 0}
faults = []


class Broken(Exception):
    pass


def believe_anyone():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connect(port, tls):
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(connection, server_hostname="oauth.example.com") if tls else connection


def is_closed(connection):
    """Whether the server has said, between two requests, that it is done."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(20)


def exchange(connection, query, is_kept):
    """One request and its answer; whether the connection stays open."""
    close = "" if is_kept else "Connection: close\r\n"
    connection.sendall(f"GET {PATH}{query} HTTP/1.1\r\nHost: oauth.example.com\r\n{close}\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(8192)
        if not piece:
            raise Broken("closed after %d bytes of the answer" % len(answer))
        answer += piece
    lines = answer.decode("latin-1").split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    if not lines[0].startswith("HTTP/1.1 302 ") or not fields.get("location", "").endswith(END + query):
        raise Broken("a wrong answer: " + lines[0])
    return fields.get("connection", "").lower() != "close"


def work(number, port, mark, tls, is_kept):
    connection = None
    count = 0
    while not stop.is_set():
        query = f"?code={mark}-code-{number}-{count}&state={mark}-state"
        count += 1
        begin = time.monotonic()
        reused = False
        try:
            if connection is not None and is_closed(connection):
                connection.close()
                connection = None
            reused = connection is not None
            if connection is None:
                connection = connect(port, tls)
            if not exchange(connection, query, is_kept) or not is_kept:
                connection.close()
                connection = None
            fault = None
        except (OSError, Broken) as error:
            fault = "%s connection, %s: %s: %s" % (
                "kept" if is_kept else "new", "used before" if reused else "first request",
                type(error).__name__, error)
            if connection is not None:
                connection.close()
            connection = None
        with lock:
            total["kept" if is_kept else "new"] += 1
            total["reused"] += reused
            total["slowest_ms"] = max(total["slowest_ms"], int((time.monotonic() - begin) * 1000))
            if fault:
                faults.append(fault)
        time.sleep(PAUSE)


def main():
    port, mark = int(sys.argv[1]), sys.argv[2]
    tls = believe_anyone() if sys.argv[3:] == ["tls"] else None
    # Waited for, not handled: a handler that sets an event would wait for ever where it interrupts the event's own wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    threads = [threading.Thread(target=work, args=(n, port, mark, tls, n % 2 == 1))
               for n in range(2 * WORKERS)]
    for thread in threads:
        thread.start()
    signal.sigwait([signal.SIGTERM])
    stop.set()
    for thread in threads:
        thread.join()
    kinds = {fault: faults.count(fault) for fault in sorted(set(faults))}
    print(json.dumps({**total, "faults": len(faults), "kinds": kinds}))
    sys.exit(len(faults) > 0)


main()
