"""Instructions a request of the product, by callgrind: they repeat where times do not."""
import os
import re
import signal

import client
import servers

FEW, MANY = 500, 2500


def count(directory, port, cpu, n, headers):
    """Instructions of a whole run that answers n requests."""
    server = servers.Product("callgrind", "plain", directory, port, None, cpu)
    out = os.path.join(server.directory, "callgrind.out")
    server.start(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}"])
    try:
        client.wait_for_answer(server)
        ask_many(server, n, headers)
    finally:
        server.stop(signal.SIGTERM)
    with open(out, encoding="ascii", errors="replace") as file:
        return int(re.findall(r"^(?:summary|totals): (\d+)", file.read(), re.M)[-1])


def ask_many(server, n, headers):
    if headers:
        for _ in range(n):
            with client.connect(server) as connection:
                client.ask(connection, headers)
        return
    with client.connect(server) as connection:
        for _ in range(n):
            client.ask(connection)


def a_request(directory, port, cpu, headers=()):
    """What one request adds: start and end of the program fall out of the difference."""
    few = count(directory, port, cpu, FEW, headers)
    many = count(directory, port + 1, cpu, MANY, headers)
    return (many - few) / (MANY - FEW)
