#!/usr/bin/env python3
"""Start, reload, drain, end and what they tell systemd and Prometheus, on the real server.

PROGRAM names the binary, WRAPPER a tool to run it under. Only loopback is used.
"""
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import ssl
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

    def __init__(self, *options, config=None, environment=None, fds=(), stderr=None, limits=()):
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
            preexec_fn=lambda: [resource.setrlimit(name, (soft, resource.getrlimit(name)[1])) for name, soft in limits],
        )
        children.append(self.process)
        if stderr is None:
            listening = self.wait_for_event("listening")
            self.port, self.admin = listening["port"], listening.get("admin_port")

    def events(self, name):
        text = open(self.log_path).read()
        lines = text[:text.rfind("\n") + 1].splitlines()  # the last one may still be being written
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


def replace_config(server, text):
    with open(server.config + ".new", "w") as file:
        file.write(text)
    os.replace(server.config + ".new", server.config)


def remove_config(server):
    os.unlink(server.config)


def leave_a_broken_link(server):
    os.unlink(server.config)
    os.symlink("nowhere.json", server.config)


def leave_a_directory(server):
    os.unlink(server.config)
    os.mkdir(server.config)


def leave_a_directory_that_is_gone(server):
    """As a ConfigMap is swapped, without the key: config.json -> ..data/config.json, ..data -> ..2/."""
    for version in ("1", "2"):
        os.mkdir(server.config + ".." + version)
    os.symlink(server.config + "..2", server.config + "..data")
    os.unlink(server.config)
    os.symlink(server.config + "..data/config.json", server.config)


def empty_config(server):
    replace_config(server, "")


def leave_a_file_that_is_too_large(server):
    replace_config(server, "{}" + " " * 1024 * 1024)


GONE = "was read before and is gone; it is not taken for an empty file; put it back, or restart the server to run without it"
UNREADABLE = "cannot be read: %s; use the path of a JSON file of at most 1 MiB that the server's user can read"
LOST_FILES = [
    (remove_config, GONE),
    (leave_a_broken_link, GONE),
    (leave_a_directory_that_is_gone, GONE),
    (leave_a_directory, UNREADABLE % "Is a directory"),
    (leave_a_file_that_is_too_large, UNREADABLE % "File too large"),
    (empty_config, None),
]


def test_reload_never_takes_a_lost_file_for_an_empty_one():
    for lose, message in LOST_FILES:
        server = Server("--admin.port=%d" % free_port(), config={"recall": {"region": "us-west-2"}})
        lose(server)
        server.signal(signal.SIGHUP)
        server.wait_for_event("reload_refused")
        said = server.events("config_error")[-1]["message"]
        assert message is None or said == server.config + ": " + message, (lose, said)
        assert "us-west-2" in ask(server.port, CALLBACK).getheader("Location"), lose
        assert "redirectd_config_reload_success 0" in ask(server.admin, "/metrics").text, lose
        assert not server.events("reloaded"), lose
        if os.path.isdir(server.config):
            os.rmdir(server.config)
        replace_config(server, '{"recall.region": "eu-central-1"}')
        server.signal(signal.SIGHUP)
        server.wait_for_event("reloaded")
        assert "eu-central-1" in ask(server.port, CALLBACK).getheader("Location"), lose
        assert "redirectd_config_reload_success 1" in ask(server.admin, "/metrics").text, lose
        assert server.end() == 0


DEFAULT = "/etc/recall-redirectd/config.json"
DEFAULT_FILES = [  # what stands in /etc, and what check says first
    ("true", 0, "warning: microsoft.client_id"),
    ("mkdir /etc/recall-redirectd", 0, "warning: microsoft.client_id"),
    ("mkdir /etc/recall-redirectd; ln -s nowhere " + DEFAULT, 78, "error: %s: is a link that leads nowhere" % DEFAULT),
    ("ln -s nowhere /etc/recall-redirectd", 78, "error: %s: is a link that leads nowhere" % DEFAULT),
    ("mkdir /etc/recall-redirectd; cd /etc/recall-redirectd; ln -s ..data/config.json config.json; ln -s ..1 ..data; mkdir ..1",
     78, "error: %s: is a link that leads nowhere" % DEFAULT),
    ("mkdir -p " + DEFAULT, 78, "error: %s: cannot be read: Is a directory" % DEFAULT),
    ("touch /etc/recall-redirectd", 78, "error: %s: cannot be read: Not a directory" % DEFAULT),
    ("mkdir /etc/recall-redirectd; ln -s %s %s" % (DEFAULT, DEFAULT), 78, "error: %s: " % DEFAULT),
    ("mkdir /etc/recall-redirectd; touch " + DEFAULT, 78, "error: %s:1: " % DEFAULT),
]


def with_etc(commands, *arguments):
    """Runs the program in a mount namespace of its own, whose /etc holds what the commands put there."""
    script = "mount -t tmpfs none /etc && (%s) && exec \"$@\"" % commands
    return subprocess.run(["unshare", "-rm", "sh", "-c", script, "-", os.environ["PROGRAM"], *arguments],
                          capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)


def test_default_file_is_absent_or_good():
    if with_etc("true", "--version").returncode != 0:
        print("# no mount namespaces here")
        return
    for commands, status, says in DEFAULT_FILES:
        result = with_etc(commands, "check")
        assert (result.returncode, result.stdout.startswith(says)) == (status, True), (commands, result)
        if status != 0:
            result = with_etc(commands, "--listen.port=0", "--admin.port=0")
            assert (result.returncode, result.stderr.startswith(says)) == (status, True), (commands, result)


def summary(event):
    return {name: event.get(name) for name in ("file", "recall", "redirect_uris", "changed")}


def test_log_says_what_is_in_force():
    server = Server(config={"public_url": "https://o.example"})
    uris = "https://%s/api/ms_oauth_callback,https://%s/api/google_oauth_callback,https://%s/api/ms_admin_consent_callback"
    assert summary(server.events("listening")[0]) == {
        "file": server.config, "recall": "https://us-east-1.recall.ai", "redirect_uris": uris % (("o.example",) * 3),
        "changed": None}
    rows = [
        ({"public_url": "https://o.example"}, "https://us-east-1.recall.ai", "o.example", "none"),
        ({"public_url": "https://p.example", "recall": {"region": "us-west-2"}}, "https://us-west-2.recall.ai", "p.example",
         "public_url,recall.region"),
        ({"recall": {"base_url": "https://r.example"}, "connect": {"return_origins": ["https://a.example"]}},
         "https://r.example", None, "public_url,recall.region,recall.base_url,connect.return_origins"),
    ]
    for number, (config, recall, host, changed) in enumerate(rows, 1):
        replace_config(server, json.dumps(config))
        server.signal(signal.SIGHUP)
        event = server.wait_for_event("reloaded", number)
        assert summary(event) == {"file": server.config, "recall": recall, "changed": changed,
                                  "redirect_uris": uris % ((host,) * 3) if host else "none"}, event
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


def test_a_signal_during_the_start_is_kept():
    """While the configuration is read, as when a container is stopped at once."""
    for number in (signal.SIGTERM, signal.SIGINT):
        path = os.path.join(folder, "fifo.%d" % number)
        os.mkfifo(path)
        log = open(path + ".log", "w+")
        process = subprocess.Popen([*os.environ.get("WRAPPER", "").split(), os.environ["PROGRAM"], "-c", path, *USUAL],
                                   stderr=log)
        children.append(process)
        config = open(path, "w")  # blocks until the server opens it too
        process.send_signal(number)
        config.write("{}")
        config.close()
        assert process.wait(PATIENCE) == 0, process.returncode
        log.seek(0)
        assert '"event":"stopping","signal":"%s"' % number.name in log.read()


def test_a_log_file_at_its_size_limit_does_not_end_the_server():
    server = Server(limits=[(resource.RLIMIT_FSIZE, 4096)])
    for _ in range(50):
        assert ask(server.port, CALLBACK).status == 302
    wait_until(lambda: os.path.getsize(server.log_path) == 4096, "the limit")
    assert ask(server.port, "/healthz").status == 200
    assert server.end() == 0


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


def test_drain_does_not_wait_for_unused_connections():
    """Browsers open some for later; the kernel keeps them for three seconds before the server sees them."""
    server = Server("--shutdown.timeout_seconds=30", "--limits.request_seconds=60")
    unused = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
    time.sleep(4)
    begun = socket.create_connection(("127.0.0.1", server.port))
    begun.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n")
    begin = time.monotonic()
    server.signal(signal.SIGTERM)
    time.sleep(1)
    begun.sendall(b"\r\n")
    begun.settimeout(PATIENCE)
    assert begun.recv(4096).startswith(b"HTTP/1.1 200")
    assert server.process.wait(PATIENCE) == 0
    assert time.monotonic() - begin < (PATIENCE if SLOW else 3)
    for connection in unused:
        connection.close()


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


def preload(name):
    """The environment that loads this library of tests/wire/fault into the server, where that is possible."""
    library = os.path.join(os.path.dirname(os.path.realpath(os.environ["PROGRAM"])), "fault", name)
    assert os.path.exists(library), library
    return {} if is_sanitized() else {"LD_PRELOAD": library}


def slowed_server(*options):
    """One whose loop is busy, so that connections queue up."""
    return Server("--threads=1", *options, environment=preload("slow_loop.so"))


def test_drain_answers_everything_that_is_queued():
    """Whatever the limit, at it and one more and less; the queue is longer than what a loop takes at once."""
    for limit in (1, 8, 20, 21, 100):
        server = slowed_server("--limits.connections=%d" % limit, "--shutdown.timeout_seconds=20")
        waiting = [socket.create_connection(("127.0.0.1", server.port), PATIENCE) for _ in range(60)]
        for connection in waiting:
            connection.sendall(b"GET /api/ms_oauth_callback?code=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        server.signal(signal.SIGTERM)
        answers = [connection.recv(4096) for connection in waiting]
        lost = sum(not answer.startswith(b"HTTP/1.1 302") for answer in answers)
        assert lost == 0, (limit, lost)
        assert server.process.wait(PATIENCE) == 0


def test_drain_ends_with_more_queued_than_there_is_room_for():
    """Clients that wait while the loop is busy are taken in, or refused; nothing hangs."""
    server = slowed_server("--limits.connections=40", "--shutdown.timeout_seconds=1")
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


def test_trusted_proxies_give_the_id():
    """What a person sees on the page, and a program in the header, finds the log line."""
    rows = [("--trusted_proxies=127.0.0.1", "edge-7.A_b", True), ("--trusted_proxies=127.0.0.1", "edge 7", False),
            ("--trusted_proxies=127.0.0.2", "edge-7", False), ("--log.level=info", "edge-7", False)]
    for option, sent, is_taken in rows:
        server = Server(option)
        for count, (path, accept) in enumerate([(CALLBACK + "?code=1", ""), ("/odd", ""), ("/odd", "text/html")], 1):
            answer = ask(server.port, path, headers={"X-Request-Id": sent, "Accept": accept})
            line = server.wait_for_event("request", count)
            assert (line["id"] == sent) == is_taken, (option, line)
            assert answer.getheader("X-Request-Id") == (None if answer.status == 302 else line["id"]), option
            assert answer.status == 302 or line["id"] in answer.text, answer.text
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
    'callbacks_total{provider="microsoft",outcome="code"}': 400,
    'callbacks_total{provider="microsoft",outcome="error"}': 37,
    'callback_errors_total{provider="microsoft",error="access_denied"}': 30,
    'callback_errors_total{provider="microsoft",error="other"}': 7,
    'connects_total{provider="microsoft",result="redirect"}': 20,
    'connects_total{provider="microsoft",result="json"}': 11,
    'connects_total{provider="microsoft",result="refused"}': 13,
    'connects_total{provider="microsoft",result="invalid"}': 3,
    'binding_total{provider="microsoft",result="missing"}': 437,
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
    wait_until(lambda: "process_cpu_seconds_total 0.00\n" not in ask(server.admin, "/metrics").text, "some CPU time")
    assert server.end() == 0


# --- the operator's page ---

def rows(text):
    """Of both lists together: the cells of each row."""
    return [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(<td><time>.*)</tr>", text)]


def test_the_operators_page_shows_what_went_wrong():
    server = Server("--admin.port=%d" % free_port(), "--threads=4", "--trusted_proxies=127.0.0.1", "--reload.poll_seconds=1",
                    "--public_url=https://o.example", "--microsoft.client_id=" + CLIENT_ID)
    assert ask(server.port, "/").status == 404
    text = ask(server.admin, "/").text
    assert "<h1>0 of 0 answers in 24 hours brought no code</h1>" in text and rows(text) == [], text
    for target, headers in [
            (CALLBACK + "?code=MARK&state=MARK", {}),
            (CALLBACK + "?error=access_denied&error_subcode=cancel&state=MARK", {"X-Request-Id": "seen-by-a-person"}),
            ("/connect?recall_calendar_auth_token=MARK", {"Sec-Fetch-Site": "none"}),
            ("/api/google_oauth_callback?error=MARK&state=MARK", {"X-Forwarded-For": "192.0.2.77"})]:
        ask(server.port, target, headers=headers)
    answer = ask(server.admin, "/")
    assert answer.getheader("Content-Type") == "text/html; charset=utf-8" and answer.getheader("Refresh") == "30"
    assert answer.getheader("Cache-Control") == "no-store" and "default-src 'none'" in answer.getheader("Content-Security-Policy")
    assert "<h1>2 of 3 answers in 24 hours brought no code</h1>" in answer.text, answer.text
    google, microsoft, start = [r for r in rows(answer.text) if "302 code" not in " ".join(r[2].split())]
    assert google[1] == "Google" and google[2].split() == ["302", "error", "other"], google
    assert "<code>seen-by-a-person</code>" in microsoft[0] and microsoft[1] == "Microsoft", microsoft
    assert microsoft[2].split() == ["302", "error", "access_denied", "cancel"] and microsoft[3] == "missing", microsoft
    assert microsoft[4].endswith("<br><code>https://o.example/connect/admin</code>"), microsoft
    assert start[2].split() == ["403", "cross_site_start"] and start[3] == "none", start
    wait_until(lambda: len(server.events("request")) >= 4, "the log")
    logged = {e["id"]: e for e in server.events("request")}
    assert logged["seen-by-a-person"]["hint"] == re.sub(r"<br><code>|</code>", " ", microsoft[4]).strip().replace(":  ", ": ")
    assert "MARK" not in answer.text and "192.0.2.77" not in answer.text and "127.0.0.1" not in answer.text
    head = ask(server.admin, "/", method="HEAD")
    assert (head.status, head.text) == (200, "") and int(head.getheader("Content-Length")) > 5000
    assert ask(server.admin, "/", method="POST", body="").status == 405
    # A reload keeps it all, and says that it was there.
    assert "<dt>Last reload</dt><dd>none</dd>" in answer.text
    replace_config(server, '{"recall": {"region": "eu-central-1"}}')
    server.wait_for_event("reloaded")
    text = ask(server.admin, "/").text
    assert "<dd>https://eu-central-1.recall.ai</dd>" in text and rows(text) == rows(answer.text), text
    assert re.search(r"<dt>Last reload</dt><dd>20\d\d-\d\d-\d\d [0-9:]{8} UTC</dd>", text), text
    replace_config(server, "{")
    server.wait_for_event("reload_refused")
    assert re.search(r"<dt>Last reload</dt><dd>20[^<]* UTC, refused: the log says why</dd>", ask(server.admin, "/").text)
    assert not any("operator_page" == e["route"] for e in server.events("request"))
    assert server.end() == 0


def test_the_operators_page_holds_while_many_fail():
    """Four loops write to it while it is read: each page is whole, and none of the last ones is missing."""
    server = Server("--admin.port=%d" % free_port(), "--threads=4", "--log.access=false")
    target = CALLBACK + "?error=server_error&error_description=AADSTS90094"

    def fail():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        for _ in range(200):
            connection.request("GET", target)
            connection.getresponse().read()
        connection.close()

    clients = [threading.Thread(target=fail) for _ in range(4)]
    for client in clients:
        client.start()
    pages = 0
    while any(client.is_alive() for client in clients):
        text = ask(server.admin, "/").text
        assert text.endswith("</html>\n") and len(rows(text)) <= 50, text[-200:]
        assert all(r[2].split() == ["302", "error", "server_error", "AADSTS90094"] for r in rows(text)), text
        pages += 1
    text = ask(server.admin, "/").text
    assert pages > 2 and len(rows(text)) == 50 and "<h2>Failed answers: 800 since the start</h2>" in text, (pages, text)
    assert "<h1>800 of 800 answers" in text and "<span><i class=\"o1\"></i>error 800</span>" in text, text
    assert server.end() == 0


# --- systemd ---

def make_notify_socket():
    path = os.path.join(folder, "notify.%d" % len(servers))
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(path)
    notify.settimeout(PATIENCE)
    return path, notify


def make_certificate():
    path = os.path.join(folder, "pair.pem")
    if not os.path.exists(path):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "90", "-subj", "/CN=127.0.0.1", "-keyout", path, "-out", path + ".crt"],
                       check=True, capture_output=True)
    return ["--tls.certificate=" + path + ".crt", "--tls.private_key=" + path]


def hello(version):
    """A ClientHello without extensions, whose highest version this is."""
    body = version + bytes(32) + b"\0" + b"\0\2\xc0\x2b" + b"\1\0"
    handshake = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16\3\1" + len(handshake).to_bytes(2, "big") + handshake


REQUEST = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
PROTOCOLS = [
    # What comes, whether the port speaks TLS, and what the log says of it: nothing where it is no other protocol.
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + REQUEST, False, "A client sent the PROXY"),
    (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\0\2" + REQUEST, False, "A client sent the PROXY"),
    (hello(b"\3\3"), False, "A client sent TLS"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", False, "A client sent HTTP/2"),
    (b"\x80\x81\xfe\xff\r\n", False, "A client sent something other"),
    (REQUEST, True, "A client sent plain HTTP"),
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", True, "A client sent the PROXY"),
    (hello(b"\3\2"), True, "A client supports TLS 1.1"),
    (b"", False, None),
    (b"", True, None),
    (REQUEST, False, None),
    (b"GET /healthz HTTP/1.1\r\nHost: h\r\n", False, None),  # slow: a request had begun
    (b"GET /hea", False, None),  # slow: nothing is known to be wrong with it
]


def send_and_wait(port, data):
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(data)
        if data == REQUEST:
            connection.settimeout(0.3)
        try:
            while data and connection.recv(4096):
                pass
        except OSError:
            pass


def test_another_protocol_is_counted_and_named():
    """The first of its kind makes the server look at those that follow."""
    servers = [Server("--admin.port=%d" % free_port(), "--limits.request_seconds=1", *(make_certificate() if tls else ()))
               for _, tls, _ in PROTOCOLS]
    for server, (data, _, _) in zip(servers, PROTOCOLS):
        for _ in range(5):  # the second may come before the server has seen the end of the first
            send_and_wait(server.port, data)
    time.sleep(12)
    for server, (data, tls, hint) in zip(servers, PROTOCOLS):
        text = ask(server.admin, "/metrics").text
        counted = int(re.search(r'rejected_total\{reason="protocol"\} (\d+)', text).group(1))
        events = [e for e in server.events("connections_rejected") if "hint" in e]
        assert counted in (range(3, 6) if hint else [0]), (data, tls, counted)
        assert bool(events) == (hint is not None), (data, tls, events)
        if hint:
            assert events[-1]["protocol"] == counted and events[-1]["hint"].startswith(hint), (data, tls, events)
        assert server.end() == 0


def test_browsers_that_connect_for_later_are_no_other_protocol():
    server = Server("--admin.port=%d" % free_port(), *make_certificate())
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as plain:
            with context.wrap_socket(plain):
                time.sleep(0.2)
    time.sleep(0.3)
    assert 'reason="protocol"} 0\n' in ask(server.admin, "/metrics").text
    assert server.end() == 0


class Watched:
    """A server of two public loops that systemd watches; any of its three loops can be made to hang."""

    def __init__(self, *options):
        self.path, self.notify = make_notify_socket()
        self.hang = self.path + ".hang"
        self.server = Server("--threads=2", "--admin.port=%d" % free_port(), *options,
                             environment={**preload("hang_loop.so"), "HANG_LOOP": self.hang,
                                          "NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "900000"})
        self.held = []

    def hold(self, n):
        """So many requests that do not end, of which each loop gets about one half."""
        for _ in range(n):
            self.held.append(socket.create_connection(("127.0.0.1", self.server.port), PATIENCE))
            self.held[-1].sendall(b"GET /healthz HTTP/1.1\r\n")
        time.sleep(0.5)

    def make_hang(self, loop):
        with open(self.hang, "w") as file:
            file.write(str(loop))

    def is_fed(self):
        """Whether systemd hears of it within the time that it would wait, after what is queued already."""
        for _ in range(2):  # a full queue keeps the next one waiting
            self.notify.settimeout(0.01)
            while self.receive():
                pass
            time.sleep(0.1)
        self.notify.settimeout(1)
        return self.receive() == b"WATCHDOG=1"

    def receive(self):
        try:
            return self.notify.recv(4096)
        except TimeoutError:
            return b""

    def health(self):
        return ask(self.server.admin, "/healthz").status


HANGING = [
    # Options, requests held, the loop that hangs (2 is the admin listener's).
    ((), 0, 0), ((), 0, 1), ((), 0, 2), ((), 4, 1),
    # Full, so that nothing can be given to the loop: 40 is its limit of 16 and what the library has beyond.
    (("--limits.connections=32", "--limits.request_seconds=2"), 120, 1),
]


def test_a_loop_that_hangs_is_noticed():
    if is_sanitized():
        return
    watched = [(Watched(*options), held, loop) for options, held, loop in HANGING]
    for each, held, loop in watched:
        each.hold(held)
        assert each.health() == 200 and each.is_fed()
        each.make_hang(loop)
    time.sleep(9)
    for each, held, loop in watched:
        assert not each.is_fed(), (held, loop)
        if loop < 2:
            assert each.health() == 503, (held, loop)
        each.server.process.kill()


def test_loops_that_have_nothing_to_do_or_wait_for_clients_do_not_hang():
    watched = [Watched(*options) for options in ((), ("--limits.request_seconds=60",),
                                                 ("--limits.connections=32", "--limits.request_seconds=60"))]
    for each, held in zip(watched, (0, 4, 120)):
        each.hold(held)
    for _ in range(12):
        time.sleep(0.5)
        assert all(each.health() == 200 and each.is_fed() for each in watched)
    for each in watched:
        each.server.process.kill()


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
    assert notify.recv(4096) == b"READY=1\nSTATUS=Serving"
    assert notify.recv(4096) == b"WATCHDOG=1"
    assert notify.recv(4096) == b"WATCHDOG=1"

    def next_message():
        message = notify.recv(4096)
        return next_message() if message == b"WATCHDOG=1" else message
    for text, status in (("{}", b""), ("{", b"; the last reload was refused, see the log")):
        open(server.config, "w").write(text)
        server.signal(signal.SIGHUP)
        assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", next_message())
        assert next_message() == b"READY=1\nSTATUS=Serving" + status
    server.signal(signal.SIGTERM)
    assert next_message() == b"STOPPING=1\nSTATUS=Draining"
    assert server.process.wait(PATIENCE) == 0


def test_a_notify_socket_that_nobody_reads_holds_nothing_up():
    path, notify = make_notify_socket()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        filler.connect(path)
        try:
            while True:
                filler.send(b"x")
        except BlockingIOError:
            pass
        server = Server(environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "300000"})
        time.sleep(0.5)
        server.signal(signal.SIGHUP)
        server.wait_for_event("reloaded")
        assert server.end() == 0


def run_into(path, *arguments, environment):
    """The program with its standard error in this file, to its end: its exit status and the lines."""
    with open(path, "w") as file:
        identity = os.fstat(file.fileno())
        stream = environment.replace("DEV", str(identity.st_dev)).replace("INO", str(identity.st_ino))
        command = [*os.environ.get("WRAPPER", "").split(), os.environ["PROGRAM"], *arguments]
        process = subprocess.Popen(command, stderr=file, stdout=subprocess.DEVNULL,
                                   env={**os.environ, "JOURNAL_STREAM": stream})
    children.append(process)
    wait_until(lambda: process.poll() is not None or '"listening"' in open(path).read() or " listening " in open(path).read(),
               "listening")
    if process.poll() is None:
        process.terminate()
    return process.wait(PATIENCE), open(path).read().splitlines()


LEVELS = {"debug": "<7>", "info": "<6>", "warning": "<4>", "error": "<3>"}


def test_under_the_journal_lines_have_priorities():
    path = os.path.join(folder, "journal.log")
    config = os.path.join(folder, "journal.json")
    with open(config, "w") as file:
        file.write("{}")
    good = ["-c", config, *USUAL]
    for form in ("json", "text"):
        status, lines = run_into(path, *good, "--log.format=" + form, environment="DEV:INO")
        assert status == 0 and len(lines) >= 4, lines
        for line in lines:
            level = json.loads(line[3:])["level"] if form == "json" else line.split(" ")[1]
            assert line.startswith(LEVELS[level]), line
    for arguments, status in ((["-c", "/nowhere"], 78), (["--nothing"], 64), ([*good, "--listen.port=x"], 78)):
        seen, lines = run_into(path, *arguments, environment="DEV:INO")
        assert seen == status and lines and all(line.startswith("<3>") for line in lines), (arguments, lines)
    for stream in ("", "DEV", "DEV:", "INO:DEV", "DEV:INO:", "DEV:1", "1:INO", " DEV:INO", "x"):
        status, lines = run_into(path, *good, environment=stream)
        assert status == 0 and all(json.loads(line) for line in lines), (stream, lines)


def test_a_quota_of_processors_is_seen():
    own = next((line[3:].strip() for line in open("/proc/self/cgroup") if line.startswith("0::")), "/")
    processors = min(len(os.sched_getaffinity(0)), 4)
    first, second = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"
    rows = [("true", processors), ("echo 100000 100000 > %s/cpu.max", 1), ("echo 50000 100000 > %s/cpu.max", 1),
            ("echo 150000 100000 > %s/cpu.max", min(2, processors)), ("echo max 100000 > %s/cpu.max", processors),
            ("echo 100000 > " + first + "; echo 100000 > " + second, 1), ("echo 20000 > " + first + "; echo 100000 > " + second, 1),
            ("echo -1 > " + first + "; echo 100000 > " + second, processors), ("echo 100000 > " + first, processors)]
    for commands, threads in rows:
        script = ("mount -t tmpfs none /sys/fs/cgroup && mkdir -p /sys/fs/cgroup/cpu /sys/fs/cgroup%s && (%s) && exec \"$@\""
                  % (own, commands.replace("%s", "/sys/fs/cgroup" + own)))
        result = subprocess.run(["unshare", "-rm", "sh", "-c", script, "-", os.environ["PROGRAM"], "config"],
                                capture_output=True, text=True, timeout=PATIENCE)
        if "unshare" in result.stderr or "mount" in result.stderr:
            print("# no mount namespaces here")
            return
        assert "threads = %d (default)" % threads in result.stdout, (commands, threads, result)


def test_the_time_of_the_start_never_changes():
    before = time.time()
    server = Server("--admin.port=%d" % free_port())
    seen = set()
    for _ in range(8):
        seen.add(re.search(r"\nprocess_start_time_seconds (\S+)\n", ask(server.admin, "/metrics").text).group(1))
        time.sleep(0.2)
    assert len(seen) == 1 and before - 2 < float(seen.pop()) < time.time() + 1, seen
    assert server.end() == 0


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
        wait_until(lambda: ask(admin_port, "/readyz").status == 200, "ready")  # until then it is Python
    time.sleep(0.3)
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


def main(names):
    tests = [(name, test) for name, test in names.items() if name.startswith("test_")]
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


if __name__ == "__main__":
    main(globals())
