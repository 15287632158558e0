#!/usr/bin/env python3
"""Start, reload, drain, end and what they tell systemd and Prometheus, on the real server.

PROGRAM names the binary, WRAPPER a tool to run it under. Only loopback is used.
"""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SLOW = bool(os.environ.get("WRAPPER"))
PATIENCE = 30 if SLOW else 10
CLIENT_ID = "11111111-2222-3333-4444-555555555555"
USUAL = ["--listen.port=0", "--listen.address=127.0.0.1", "--admin.port=0"]
folder = tempfile.mkdtemp()
results = {"passed": 0, "failed": 0}
servers = []
children = []


class Server:
    """The server as a child process, with its log in a file."""

    def __init__(self, *options, config=None, environment=None, fds=(), stderr=None):
        self.config = os.path.join(folder, "%d.json" % len(servers))
        self.log_path = os.path.join(folder, "%d.log" % len(servers))
        servers.append(self)
        with open(self.config, "w") as file:
            json.dump(config or {}, file)
        command = os.environ.get("WRAPPER", "").split() + [os.environ["PROGRAM"], "-c", self.config]
        given = {option.split("=")[0] for option in options}
        command += [*options, *(option for option in USUAL if option.split("=")[0] not in given)]
        self.log_file = open(self.log_path, "w")
        self.process = subprocess.Popen(
            command, stdout=self.log_file, stderr=stderr or self.log_file, pass_fds=fds,
            env={**os.environ, **(environment or {})},
        )
        children.append(self.process)
        if stderr is None:
            listening = self.wait_for_event("listening")
            self.port, self.admin = listening["port"], listening.get("admin_port")

    def events(self, name):
        lines = open(self.log_path).read().splitlines()
        return [e for e in (json.loads(l) for l in lines if l.startswith("{")) if e["event"] == name]

    def wait_for_event(self, name, count=1):
        wait_until(lambda: len(self.events(name)) >= count or self.process.poll() is not None, name)
        events = self.events(name)
        assert len(events) >= count, "no %s: %s" % (name, open(self.log_path).read())
        return events[-1]

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        """SIGTERM, and the exit status."""
        self.signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain: " + what
        time.sleep(0.02)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, target, method="GET", headers={}, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request(method, target, body, headers)
    response = connection.getresponse()
    response.text = response.read().decode()
    connection.close()
    return response


CALLBACK = "/api/ms_oauth_callback"


class Load:
    """Steady requests on new and kept connections, each checked: load.py, a process of its own."""

    def __init__(self, port):
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load.py")
        self.process = subprocess.Popen([sys.executable, program, str(port), "lifecycle"],
                                        stdout=subprocess.PIPE)
        children.append(self.process)
        time.sleep(1)  # until it is under way

    def end(self):
        """How many requests there were, and how many of them were lost or broken."""
        self.process.terminate()
        told = json.loads(self.process.communicate(timeout=2 * PATIENCE)[0])
        return told["new"] + told["kept"], told["faults"], told["kinds"]


# --- reload ---

def test_reload_puts_good_configurations_in_force():
    server = Server(config={"recall": {"region": "us-west-2"}})
    assert "us-west-2" in ask(server.port, CALLBACK).getheader("Location")
    with open(server.config, "w") as file:
        json.dump({"recall": {"region": "eu-central-1"}, "threads": 7, "log": {"level": "info"}}, file)
    server.signal(signal.SIGHUP)
    server.wait_for_event("reloaded")
    assert "eu-central-1" in ask(server.port, CALLBACK).getheader("Location")
    assert server.events("restart_needed")[-1]["keys"] == "threads"
    assert server.end() == 0


def test_reload_refuses_bad_configurations_with_every_finding():
    server = Server("--admin.port=%d" % free_port())
    with open(server.config, "w") as file:
        file.write('{"recall": {"region": "moon"}, "threds": 1}')
    server.signal(signal.SIGHUP)
    server.wait_for_event("reload_refused")
    messages = [e["message"] for e in server.events("config_error")]
    assert len(messages) == 2 and "recall.region" in messages[0] and "threads" in messages[1], messages
    assert "us-east-1" in ask(server.port, CALLBACK).getheader("Location")
    assert "redirectd_config_reload_success 0" in ask(server.admin, "/metrics").text
    with open(server.config, "w") as file:
        file.write("{}")
    server.signal(signal.SIGHUP)
    server.wait_for_event("reloaded")
    assert "redirectd_config_reload_success 1" in ask(server.admin, "/metrics").text
    assert server.end() == 0


def test_reload_loses_no_request():
    server = Server()
    load = Load(server.port)
    for number in range(20):
        with open(server.config, "w") as file:
            json.dump({"recall": {"region": ["us-west-2", "us-east-1"][number % 2]}}, file)
        server.signal(signal.SIGHUP)
        server.wait_for_event("reloaded", number + 1)
    requests, faults, kinds = load.end()
    assert faults == 0 and requests > 100, (requests, kinds)
    assert server.end() == 0


def test_load_would_notice_a_lost_request():
    port = free_port()
    server = Server("--listen.port=%d" % port)
    load = Load(port)
    server.process.kill()
    server.process.wait(PATIENCE)
    server = Server("--listen.port=%d" % port)
    requests, faults, _ = load.end()
    assert 0 < faults < requests, (requests, faults)
    assert server.end() == 0


# --- drain ---

def test_drain_fails_readiness_first_and_finishes_what_is_under_way():
    server = Server("--admin.port=%d" % free_port(), "--shutdown.delay_seconds=1")
    slow = socket.create_connection(("127.0.0.1", server.port))
    slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n")
    time.sleep(0.2)
    assert ask(server.admin, "/readyz").status == 200
    server.signal(signal.SIGTERM)
    server.wait_for_event("stopping")
    wait_until(lambda: ask(server.admin, "/readyz").status == 503, "readiness fails")
    response = ask(server.port, CALLBACK)
    assert response.status == 302 and response.getheader("Connection") == "close"
    time.sleep(1.2)
    slow.sendall(b"\r\n")
    slow.settimeout(PATIENCE)
    answer = slow.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200") and b"Connection: close" in answer, answer
    assert server.process.wait(PATIENCE) == 0


def test_drain_ends_within_its_timeout():
    server = Server("--shutdown.timeout_seconds=1")
    stuck = socket.create_connection(("127.0.0.1", server.port))
    stuck.sendall(b"GET /healthz HTTP/1.1\r\n")
    time.sleep(0.2)
    begin = time.monotonic()
    assert server.end() == 0
    assert 0.8 < time.monotonic() - begin < (PATIENCE if SLOW else 3)
    stuck.close()


def test_second_signal_ends_at_once_while_requests_are_under_way():
    server = Server("--shutdown.timeout_seconds=60", "--limits.request_seconds=60")
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as slow:
        slow.sendall(b"GET /readyz HTTP/1.1\r\n")
        time.sleep(0.3)
        server.signal(signal.SIGTERM)
        server.wait_for_event("stopping")
        time.sleep(0.5)
        assert server.process.poll() is None
        before = time.monotonic()
        assert server.end() == 0
        assert time.monotonic() - before < PATIENCE / 2


def test_second_signal_ends_at_once():
    server = Server("--shutdown.delay_seconds=60")
    server.signal(signal.SIGTERM)
    server.wait_for_event("stopping")
    begin = time.monotonic()
    assert server.end() == 0
    assert time.monotonic() - begin < PATIENCE / 5


def test_drain_closes_idle_connections():
    server = Server("--shutdown.timeout_seconds=30")
    idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    idle.request("GET", "/healthz")
    idle.getresponse().read()
    begin = time.monotonic()
    assert server.end() == 0
    assert time.monotonic() - begin < (PATIENCE if SLOW else 5)


def is_sanitized():
    """Then nothing can be loaded before the sanitizer."""
    with open(os.environ["PROGRAM"], "rb") as program:
        return re.search(rb"__[at]san_init", program.read()) is not None


def test_drain_ends_with_more_queued_than_there_is_room_for():
    """Clients that wait while the loop is busy are taken in, or refused; nothing hangs."""
    library = os.path.join(os.path.dirname(os.path.realpath(os.environ["PROGRAM"])), "fault/slow_loop.so")
    assert os.path.exists(library), library
    server = Server("--threads=1", "--limits.connections=40", "--shutdown.timeout_seconds=1",
                    environment={} if is_sanitized() else {"LD_PRELOAD": library})
    waiting = [socket.create_connection(("127.0.0.1", server.port), PATIENCE) for _ in range(60)]
    for connection in waiting:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
    assert server.end() == 0
    for connection in waiting:
        connection.close()


# --- log ---

def test_slow_standard_error_costs_lines_not_requests():
    reader, writer = os.pipe()
    port, admin = free_port(), free_port()
    server = Server("--listen.port=%d" % port, "--admin.port=%d" % admin, "--log.level=debug",
                    "--threads=1", stderr=writer)
    wait_until(lambda: is_open(port), "listening")
    for _ in range(10):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        for _ in range(200):
            connection.request("GET", CALLBACK + "?error=access_denied&error_subcode=cancel")
            assert connection.getresponse().read() == b""
        connection.close()
    dropped = int(re.search(r"dropped_total (\d+)", ask(admin, "/metrics").text).group(1))
    assert dropped > 0, dropped
    os.set_blocking(reader, False)
    drain = threading.Thread(target=read_all, args=(reader, writer, server))
    drain.start()
    assert server.end() == 0
    drain.join()
    lines = server.piped.decode().splitlines()
    assert all(json.loads(line) for line in lines) and len(lines) > 100, len(lines)
    assert any('"log_lines_dropped"' in line for line in lines)


def is_open(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def read_all(reader, writer, server):
    server.piped = b""
    time.sleep(0.5)  # long enough for the server to tell what it dropped
    while True:
        try:
            piece = os.read(reader, 65536)
        except BlockingIOError:
            piece = b""
        server.piped += piece
        if not piece:
            if server.process.poll() is not None:
                return
            time.sleep(0.02)


def test_trusted_proxies_name_the_client():
    server = Server("--trusted_proxies=127.0.0.1")
    ask(server.port, CALLBACK, headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.7"})
    assert server.wait_for_event("request")["client"] == "203.0.113.7"
    assert server.end() == 0


# --- metrics ---

START = "/connect?recall_calendar_auth_token=t"
SENT = [  # how often, and what
    (400, CALLBACK + "?code=1&state=x", {}),
    (30, CALLBACK + "?error=access_denied&error_subcode=cancel&state=x", {}),
    (7, CALLBACK + "?error=weird&state=x", {}),
    (5, CALLBACK, {"method": "POST", "body": "code=1"}),
    (20, START, {}),
    (11, START, {"headers": {"Accept": "application/json"}}),
    (13, START, {"headers": {"Sec-Fetch-Site": "none"}}),
    (3, "/connect", {}),
    (9, "/nothing", {"method": "HEAD"}),
]
COUNTED = {  # every counter that is not 0 then
    'http_requests_total{route="callback",method="GET",code="302"}': 437,
    'http_requests_total{route="callback",method="POST",code="405"}': 5,
    'http_requests_total{route="connect",method="GET",code="302"}': 20,
    'http_requests_total{route="connect",method="GET",code="200"}': 11,
    'http_requests_total{route="connect",method="GET",code="403"}': 13,
    'http_requests_total{route="connect",method="GET",code="400"}': 3,
    'http_requests_total{route="other",method="HEAD",code="404"}': 9,
    'callbacks_total{outcome="code"}': 400,
    'callbacks_total{outcome="error"}': 37,
    'callback_errors_total{error="access_denied"}': 30,
    'callback_errors_total{error="other"}': 7,
    'connects_total{result="redirect"}': 20,
    'connects_total{result="json"}': 11,
    'connects_total{result="refused"}': 13,
    'connects_total{result="invalid"}': 3,
    'binding_total{result="missing"}': 437,
}


def counters(text):
    """All that are not 0; those of scrapes are left out."""
    found = re.findall(r"^redirectd_(\w+_total(?:\{.*\})?) (\d+)$", text, re.M)
    return {name: int(value) for name, value in found if value != "0" and 'route="metrics"' not in name}


def send_from_four_clients(port):
    requests = [(target, options) for count, target, options in SENT for _ in range(count)]
    clients = [threading.Thread(target=lambda part: [ask(port, t, **o) for t, o in part], args=(requests[n::4],))
               for n in range(4)]
    for client in clients:
        client.start()
    return clients


def test_metrics_count_exactly_while_they_are_scraped():
    server = Server("--admin.port=%d" % free_port(), "--threads=4", "--public_url=https://o.example",
                    "--microsoft.client_id=" + CLIENT_ID, "--connect.cross_site=refuse")
    clients, seen = send_from_four_clients(server.port), [{}]
    while any(client.is_alive() for client in clients):
        seen.append(counters(ask(server.admin, "/metrics").text))
        assert all(seen[-1].get(name, 0) >= value for name, value in seen[-2].items()), seen[-2:]
    assert len(seen) > 3 and server.events("listening")[0]["threads"] == 4, len(seen)
    text = ask(server.admin, "/metrics").text
    assert counters(text) == COUNTED, set(counters(text).items()) ^ set(COUNTED.items())
    answered = sum(int(n) for n in re.findall(r"^redirectd_http_requests_total.* (\d+)$", text, re.M))
    assert "\nredirectd_http_request_duration_seconds_count %d\n" % answered in text, answered
    assert server.end() == 0


def test_metrics_are_on_the_admin_listener_only():
    server = Server("--admin.port=%d" % free_port())
    assert ask(server.port, "/metrics").status == 404
    assert ask(server.admin, CALLBACK).status == 404
    assert ask(server.admin, "/metrics", method="POST", body="").status == 405
    assert server.end() == 0


# --- systemd ---

def make_notify_socket():
    path = os.path.join(folder, "notify.%d" % len(servers))
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(path)
    notify.settimeout(PATIENCE)
    return path, notify


def test_notifies_a_socket_in_the_abstract_namespace():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        name = "recall-redirectd-test-%d" % os.getpid()
        notify.bind("\0" + name)
        notify.settimeout(PATIENCE)
        server = Server(environment={"NOTIFY_SOCKET": "@" + name})
        assert notify.recv(4096).startswith(b"READY=1\n")
        assert server.end() == 0


def test_notifies_systemd():
    path, notify = make_notify_socket()
    server = Server(environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "600000"})
    assert notify.recv(4096).startswith(b"READY=1\n")
    assert notify.recv(4096) == b"WATCHDOG=1"
    assert notify.recv(4096) == b"WATCHDOG=1"
    server.signal(signal.SIGHUP)
    messages = [notify.recv(4096) for _ in range(6)]
    reloading = [m for m in messages if m.startswith(b"RELOADING=1\nMONOTONIC_USEC=")]
    assert len(reloading) == 1 and any(m.startswith(b"READY=1\n") for m in messages), messages
    server.signal(signal.SIGTERM)
    while not notify.recv(4096).startswith(b"STOPPING=1\n"):
        pass
    assert server.process.wait(PATIENCE) == 0


def listening_socket(port=0):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(1024)
    return s


def start_with_sockets(public, admin):
    """As systemd passes them: descriptors 3 and 4, and LISTEN_PID of the process itself."""
    shell = ("import os,sys;p,a=int(sys.argv[1]),int(sys.argv[2]);"
             "p,a=os.dup2(p,30),os.dup2(a,31);os.dup2(30,3);os.dup2(31,4);"
             "os.environ.update(LISTEN_PID=str(os.getpid()),LISTEN_FDS='2',LISTEN_FDNAMES='public:admin');"
             "os.execvp(sys.argv[3],sys.argv[3:])")
    command = [sys.executable, "-c", shell, str(public.fileno()), str(admin.fileno()), os.environ["PROGRAM"],
               "--listen.port=1", "--admin.port=1", "--threads=2"]
    log = open(os.path.join(folder, "passed.log"), "a")
    children.append(subprocess.Popen(command, stderr=log, stdout=log, pass_fds=(public.fileno(), admin.fileno())))
    return children[-1]


def test_passed_sockets_survive_restarts_without_loss():
    public, admin = listening_socket(), listening_socket()
    port, admin_port = public.getsockname()[1], admin.getsockname()[1]
    process = start_with_sockets(public, admin)
    wait_until(lambda: ask(admin_port, "/readyz").status == 200, "ready")
    load = Load(port)
    for _ in range(5):
        time.sleep(0.3)
        process.terminate()
        assert process.wait(PATIENCE) == 0
        process = start_with_sockets(public, admin)
    time.sleep(0.5)
    requests, faults, kinds = load.end()
    assert faults == 0 and requests > 100, (requests, kinds)
    process.terminate()
    assert process.wait(PATIENCE) == 0
    public.close()
    admin.close()


# --- connections by address ---

def command(*arguments):
    """The exit status of a command with no configuration of its own."""
    with open(os.path.join(folder, "empty.json"), "w") as file:
        file.write("{}")
    return subprocess.run(os.environ.get("WRAPPER", "").split() +
                          [os.environ["PROGRAM"], "-c", file.name, *arguments], timeout=PATIENCE).returncode


def open_connection(address, port):
    """A connection from there that has been answered once, or None where it was ended unanswered."""
    connection = http.client.HTTPConnection(address, port, timeout=PATIENCE, source_address=(address, 0))
    try:
        connection.request("GET", "/readyz")
        connection.getresponse().read()
        return connection
    except (ConnectionError, http.client.HTTPException):
        return None


def test_counts_connections_of_each_address_on_a_dual_stack_listener():
    server = Server("--listen.address=::", "--limits.connections_per_ip=2", "--threads=1")
    addresses = ["127.0.0.1", "127.0.0.2"]
    try:
        socket.create_connection(("::1", server.port), PATIENCE).close()
        addresses.append("::1")
    except OSError:
        print("# no IPv6 here")
    for address in addresses:
        opened = [open_connection(address, server.port) for _ in range(3)]
        assert [c is not None for c in opened] == [True, True, False], address
        for connection in filter(None, opened):
            connection.close()
        wait_until(lambda: command("healthcheck", "--listen.address=" + address,
                                   "--listen.port=%d" % server.port) == 0, "healthcheck")
    assert server.end() == 0


# --- a token on standard input ---

def url_command(stdin):
    with open(os.path.join(folder, "empty.json"), "w") as file:
        file.write("{}")
    return subprocess.run(
        os.environ.get("WRAPPER", "").split() + [os.environ["PROGRAM"], "-c", file.name, "url", "--token", "-",
                                                 "--public_url=https://o.example", "--microsoft.client_id=" + CLIENT_ID],
        input=stdin, capture_output=True, timeout=PATIENCE)


def test_url_reads_the_first_line_of_standard_input():
    for stdin, token in ((b"token-1", "token-1"), (b"token-1\n", "token-1"), (b"token-1\r\ntoken-2\n", "token-1"),
                         (b"a+b%20\n", "a%2Bb%2520"), (b"x" * 2048 + b"\n", "x" * 2048)):
        result = url_command(stdin)
        assert result.returncode == 0, (stdin, result)
        url = result.stdout.decode()
        assert "recall_calendar_auth_token%22%3A%22" + token + "%22%2C" in url and url.endswith("\n"), url


def test_url_refuses_tokens_without_repeating_them():
    for stdin in (b"", b"\n", b"secret\x01", b"secret<", b"secret\xff", b"secret" * 400, b"secret" * 4000):
        result = url_command(stdin)
        assert result.returncode == 1, (stdin, result)
        assert result.stdout == b"" and b"the token" in result.stderr and b"secret" not in result.stderr, result


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    wanted = sys.argv[1:]
    for number, (name, test) in enumerate([t for t in tests if not wanted or t[0] in wanted], 1):
        title = name[len("test_"):].replace("_", " ")
        try:
            test()
            results["passed"] += 1
            print("ok %d - %s" % (number, title))
        except Exception as fault:  # the others run all the same
            results["failed"] += 1
            print("not ok %d - %s\n    %r" % (number, title, fault))
    for child in children:
        if child.poll() is None:
            child.kill()
    shutil.rmtree(folder)
    print("%(passed)d passed, %(failed)d failed" % results)
    sys.exit(results["failed"] > 0)


main()
