"""The servers that are compared: their configuration, their processes, and what those cost.

Every one gets one worker and the same job: nginx's one-liner, a 302 to Recall with the query as it
came. A mode is how it is run: plain, with its access log on, or with TLS.
"""
import os
import signal
import subprocess

RECALL = "https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/"
MODES = ("plain", "log", "tls", "rsa")
TLS_MODES = ("tls", "rsa")
SEARCH_PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
MAX_CONNECTIONS = 4096

# The log format that the README gives for nginx in front of the product: no query in it.
NGINX = """
daemon off; master_process on; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
worker_rlimit_nofile 8192;
events {{ worker_connections {connections}; }}
http {{
    client_header_timeout 10s; client_body_timeout 10s;
    log_format no_query '$remote_addr [$time_iso8601] $request_method $uri $status $request_time';
    access_log {log};
    {postpone}
    server {{
        listen 127.0.0.1:{port}{ssl}{deferred};
        {certificate}
        location = /api/ms_oauth_callback {{ return 302 {recall}$is_args$args; }}
    }}
}}
"""
NGINX_TLS = "ssl_certificate {pem}; ssl_certificate_key {pem}; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off;"

HAPROXY = """
global
    nbthread 1
    maxconn {connections}
    tune.ssl.cachesize 0
    {log_target}
defaults
    mode http
    timeout client 75s
    timeout http-request 10s
    timeout connect 5s
    timeout server 5s
    {log}
frontend callback
    bind 127.0.0.1:{port}{ssl}
    http-request redirect code 302 location "{recall}?%[query]" if {{ path /api/ms_oauth_callback }} {{ query -m found }}
    http-request redirect code 302 location "{recall}" if {{ path /api/ms_oauth_callback }}
"""


class Server:
    """One server in one mode, its processes in a session of their own."""

    connections = MAX_CONNECTIONS

    def __init__(self, name, mode, directory, port, pem, cpu):
        self.name, self.mode, self.port, self.cpu = name, mode, port, cpu
        self.pem = pem["rsa" if mode == "rsa" else "ec"] if mode in TLS_MODES else None
        self.directory = os.path.join(directory, f"{name}-{mode}-{port}")
        self.log_path = os.path.join(self.directory, "access.log")
        self.process = None
        os.mkdir(self.directory)

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {"PATH": SEARCH_PATH}

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def start(self, wrapper=()):
        command = [*wrapper, *self.command()]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=lambda: os.sched_setaffinity(0, {self.cpu}))

    def stop(self, how=signal.SIGKILL):
        """End the whole session: a killed master would leave its workers running."""
        os.killpg(self.process.pid, how)
        self.process.wait(30)

    def processes(self):
        """Every process of the session: master and workers."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", "rb") as file:
                    session = int(file.read().rpartition(b")")[2].split()[3])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if session == self.process.pid:
                yield int(pid)

    def cpu_ns(self):
        """CPU time of all threads: utime + stime, in the nanoseconds that the scheduler keeps."""
        total = 0
        for pid in self.processes():
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/schedstat", "rb") as file:
                    total += int(file.read().split()[0])
        return total

    def resident_bytes(self):
        total = 0
        for pid in self.processes():
            with open(f"/proc/{pid}/statm", "rb") as file:
                total += int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
        return total

    def take_log_lines(self):
        """How many lines there are; empties the log, to which every server appends."""
        with open(self.log_path, "rb") as log:
            lines = sum(piece.count(b"\n") for piece in iter(lambda: log.read(1 << 20), b""))
        os.truncate(self.log_path, 0)
        return lines


class Product(Server):
    def command(self):
        return [os.environ["PROGRAM"], "serve"]

    def environment(self):
        settings = {
            "LISTEN_ADDRESS": "127.0.0.1", "LISTEN_PORT": self.port, "ADMIN_PORT": self.port + 1000,
            "THREADS": 1, "LOG_ACCESS": "true" if self.mode == "log" else "false",
            "LIMITS_CONNECTIONS": self.connections,
        }
        if self.pem:
            # Connections to a trusted proxy are kept; a browser's end with the callback.
            settings |= {"TLS_CERTIFICATE": self.pem, "TLS_PRIVATE_KEY": self.pem, "TRUSTED_PROXIES": "127.0.0.1/32"}
        return {"PATH": SEARCH_PATH} | {f"REDIRECTD_{key}": str(value) for key, value in settings.items()}


class Nginx(Server):
    postpone, deferred = "", ""

    def command(self):
        path = self.write("nginx.conf", NGINX.format(
            directory=self.directory, connections=self.connections + 64, recall=RECALL, port=self.port,
            log=f"{self.log_path} no_query" if self.mode == "log" else "off",
            ssl=" ssl" if self.pem else "", deferred=self.deferred, postpone=self.postpone,
            certificate=NGINX_TLS.format(pem=self.pem) if self.pem else ""))
        return ["nginx", "-e", os.path.join(self.directory, "error.log"), "-c", path]


class TunedNginx(Nginx):
    postpone, deferred = "postpone_output 8192;", " deferred"


class Haproxy(Server):
    def command(self):
        is_log = self.mode == "log"
        path = self.write("haproxy.cfg", HAPROXY.format(
            connections=self.connections, port=self.port, recall=RECALL,
            log_target="log stdout format raw local0" if is_log else "",
            log='log global\n    log-format "%ci [%tr] %HM %HP %ST %Ta"' if is_log else "",
            ssl=f" ssl crt {self.pem} no-tls-tickets" if self.pem else ""))
        return ["haproxy", "-db", "-f", path]


SERVERS = {"product": Product, "nginx": Nginx, "nginx-tuned": TunedNginx, "haproxy": Haproxy}


def make_certificate(directory, name, *algorithm):
    """A self-signed certificate with its key, as one PEM file."""
    key, certificate, both = (os.path.join(directory, name + end) for end in (".key", ".crt", ".pem"))
    subprocess.run(
        ["openssl", "req", "-x509", *algorithm, "-nodes",
         "-days", "2", "-subj", "/CN=oauth.example.com", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    with open(both, "wb") as out:
        for path in (certificate, key):
            with open(path, "rb") as file:
                out.write(file.read())
    return both


def make_certificates(directory):
    """ECDSA P-256, as everybody has today, and RSA-2048."""
    return {
        "ec": make_certificate(directory, "ec", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        "rsa": make_certificate(directory, "rsa", "-newkey", "rsa:2048"),
    }
