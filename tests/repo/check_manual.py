#!/usr/bin/env python3
"""Compares the lists of the manual page with the program's own.

What stands on one side and not on the other is a failure, both ways: commands,
options, endpoints with their methods, signals, variables, files, exit codes, metrics with their
labels, and the words and fields of the log.

  PROGRAM        the server's binary
  WRAPPER        a tool to run it under, such as valgrind
  MANUAL, SERVER   another file and another folder of sources, to see this test fail
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.path.realpath(os.environ["PROGRAM"])
WRAPPER = os.environ.get("WRAPPER", "").split()
MANUAL = pathlib.Path(os.environ.get("MANUAL", ROOT / "server/recall-redirectd.8"))
SERVER = pathlib.Path(os.environ.get("SERVER", ROOT / "server"))

passed = failed = 0


def report(what, faults):
    global passed, failed
    if faults:
        failed += 1
        print(f"not ok {passed + failed} - {what}")
        for fault in faults:
            print(f"    {fault}")
    else:
        passed += 1
        print(f"ok {passed + failed} - {what}")


def compare(what, here, here_name, there, there_name):
    """Two lists, or two dictionaries whose values count too."""
    faults = [f"{here_name} lacks {item}" for item in sorted(set(there) - set(here))]
    faults += [f"{there_name} lacks {item}" for item in sorted(set(here) - set(there))]
    if isinstance(here, dict):
        faults += [f"{item}: {here_name} has {here[item]}, {there_name} {there[item]}"
                   for item in sorted(set(here) & set(there)) if here[item] != there[item]]
    if not here or not there:
        faults.append("nothing to compare")
    report(f"{what} ({len(set(here))})", faults)


# --- the program ---

def environment():
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("REDIRECTD_") and name not in ("NOTIFY_SOCKET", "LISTEN_FDS")}
    return {**kept, "no_proxy": "*", "NO_PROXY": "*"}


def output(*arguments):
    return subprocess.run([*WRAPPER, PROGRAM, *arguments], env=environment(), check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def usage_commands(usage):
    block = usage.split("\ncommands\n")[1].split("\n\n")[0]
    return set(re.findall(r"^  ([a-z]+)", block, re.M))


def usage_options(usage):
    """-c and its like, and KEY for the keys of the configuration."""
    return set(re.findall(r"(?<![\w-])--?([a-z]+|KEY)(?![\w.])", usage))


def usage_exit_codes(usage):
    return set(re.findall(r"\b(\d+) [a-z]", usage.split("Exit codes:")[1]))


@contextlib.contextmanager
def served(folder, *arguments):
    """A running server; yields the port of its admin listener."""
    log = pathlib.Path(folder) / "log"
    # A free port: admin.port=0 would turn the listener off.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(log, "w") as stderr:
        server = subprocess.Popen(
            [*WRAPPER, PROGRAM, "-c", f"{folder}/empty.json", "--listen.address=127.0.0.1",
             "--listen.port=0", f"--admin.port={port}", *arguments],
            env=environment(), stderr=stderr)
    try:
        for _ in range(600):
            if '"event":"listening"' in log.read_text() or server.poll() is not None:
                break
            time.sleep(0.1)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def scrape(port):
    """Metrics with their labels, those of histogram series and buckets left out."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    text = opener.open(f"http://127.0.0.1:{port}/metrics", timeout=30).read().decode()
    metrics = {name: set() for name in re.findall(r"^# TYPE (\S+)", text, re.M)}
    for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? ", text, re.M):
        base = name if name in metrics else re.sub(r"_(bucket|sum|count)$", "", name)
        metrics.setdefault(base, set()).update(set(re.findall(r'(\w+)="', labels)) - {"le"})
    return metrics


def program_metrics(folder):
    with served(folder) as port:
        metrics = scrape(port)
    pair = [f"{folder}/key.pem", f"{folder}/certificate.pem"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "365", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    pair[0], "-out", pair[1]], check=True, stderr=subprocess.DEVNULL)
    with served(folder, f"--tls.private_key={pair[0]}", f"--tls.certificate={pair[1]}") as port:
        return {**metrics, **scrape(port)}


# --- the sources: what a log line may say ---

def calls(text, names):
    """The arguments of every call of one of these functions, split at commas."""
    for match in re.finditer(rf"\b(?:{names})\(", text):
        depth, start, arguments = 1, match.end(), []
        quoted = False
        for at in range(match.end(), len(text)):
            char = text[at]
            if char == '"' and text[at - 1] != "\\":
                quoted = not quoted
            if quoted:
                continue
            if depth == 1 and char in ",)":
                arguments.append(text[start:at])
                start = at + 1
            depth += (char == "(") - (char == ")")
            if depth == 0:
                break
        yield arguments


def words(argument):
    return set(re.findall(r'"([a-z_]+)"', argument))


def sources():
    text = {path.name: path.read_text() for path in SERVER.rglob("*.c")}
    return text.pop("log.c"), "\n".join(text.values())


def logged_events():
    _, text = sources()
    begun = [words(arguments[2]) for arguments in calls(text, "log_begin") if len(arguments) > 2]
    told = [words(arguments[1]) for arguments in calls(text, "log_message") if len(arguments) > 3]
    passed_on = [words(arguments[0]) for arguments in calls(text, "log_expiry|report_log_keys")]
    return set().union(*begun, *told, *passed_on)


def logged_fields():
    log, text = sources()
    added = [words(arguments[1]) for arguments in calls(text, "log_text|log_string|log_number|log_port")]
    told = [words(arguments[2]) for arguments in calls(text, "log_message") if len(arguments) > 3]
    added.append(set(re.findall(r'"(\w+)"', re.search(r"incident_names\[N_INCIDENTS\] = \{([^}]*)\}", text)[1])))
    of_every_line = {name for name in ("time", "level", "event") if name in log}
    return set().union(of_every_line, *added, *told)


def logged_reasons():
    _, text = sources()
    return set(re.findall(r'\{\s*\d{3},\s*"([a-z_]+)"', text)) | set(
        re.findall(r'\b(?:refuse|http_refuse|reject)\([^";]*"([a-z_]+)"', text)) | set(
        re.findall(r'\.reason = "([a-z_]+)"', text))


def source(name):
    return next(SERVER.rglob(name)).read_text()


def handled_endpoints():
    """Of the route table: each path with its methods, and with a slash at the end where it may have one."""
    names = dict(re.findall(r'#define (\w+) +"([^"]*)"', source("oauth.h") + source("provider.h") + source("app.c")))
    rows = re.findall(r'\{ AT\((\w*) ?(?:"([^"]*)")?\), ([A-Z |]+), ROUTE_\w+,\s+(\w+|"[^"]*"),', source("app.c"))
    rows += [("", path, where, methods) for path, where, methods in
             re.findall(r'\{ SPAN\("([^"]*)"\), NULL, ([A-Z |]+), ROUTE_\w+,\s+(\w+|"[^"]*"),', source("app.c"))]
    unions = dict(re.findall(r"\b(\w+) = (\w+ \| \w+)", source("app.c")))
    return {names.get(name, "") + rest + end: names.get(methods, methods.strip('"'))
            for name, rest, where, methods in rows for end in ["", "/"][:1 + ("SLASH" in unions.get(where, where))]}


def handled_signals():
    return set(re.findall(r"sigaddset\(&\w+, (SIG\w+)\)", source("serve.c")))


def read_variables():
    """Keys of the configuration count as one."""
    return set(re.findall(r'"((?:JOURNAL|LISTEN|NOTIFY|WATCHDOG)_[A-Z]+)"', source("systemd.c"))) | {"REDIRECTD_*"}


def own_files():
    """What the program and its service read, the units, and where documents are installed."""
    service = (ROOT / "systemd/recall-redirectd.service").read_text()
    return (set(re.findall(r'"(/etc/[^"]*)"', source("load.c")))
            | set(re.findall(r"^EnvironmentFile=-?(\S+)", service, re.M))
            | {path.name for path in (ROOT / "systemd").iterdir()}
            | set(re.findall(r"^DOCDIR +:= \$\(PREFIX\)/(\S+)", (ROOT / "Makefile").read_text(), re.M)))


# --- the documents ---

def section(title, kind="Sh"):
    match = re.search(rf"^\.{kind} {title}\n(.*?)(?=^\.S[hs] |\Z)", MANUAL.read_text(), re.M | re.S)
    return match.group(1) if match else ""


def items(text, macro):
    """Every word after the macro in the tags of a list; with commas, several."""
    tags = re.findall(rf"^\.It {macro} (\S+(?: , \S+)*)", text, re.M)
    return {word for tag in tags for word in tag.split(" , ")}


def manual_endpoints():
    found = {}
    for item in section("Endpoints", "Ss").split(".It Pa ")[1:]:
        path, text = item.split("\n", 1)
        methods = re.match("[A-Z, ]*", text).group()
        found[path] = methods
        if "; also with a slash at the end" in text:
            found[path + "/"] = methods
        if "; also without\n.Li .json" in text:
            found[path.removesuffix(".json")] = methods
    return found


def manual_options():
    names = re.findall(r"^\.It (?:Fl )+(?:Ns Ar )?(\w+)", section("Options", "Ss"), re.M)
    return {"KEY" if name == "key" else name for name in names}


def manual_metrics():
    found = re.findall(r"^\.It Va (\w+)(?: Brq Li (.+))?$", section("METRICS"), re.M)
    return {name: set(filter(None, labels.split(", "))) for name, labels in found}


def lint():
    """What mandoc says; which other pages are installed here doesn't count."""
    told = subprocess.run(["mandoc", "-Tlint", MANUAL], capture_output=True, text=True)
    report("mandoc -Tlint", [line for line in (told.stdout + told.stderr).splitlines()
                             if "mandoc.db" not in line and "referenced manual not found" not in line])


folder = tempfile.mkdtemp()
try:
    pathlib.Path(folder, "empty.json").write_text("{}")
    usage = output("--help")
    commands = items(section("Commands", "Ss"), "Ic")
    compare("commands: manual", commands, "the manual", usage_commands(usage), "--help")
    compare("options: manual", manual_options(), "the manual", usage_options(usage), "--help")
    compare("endpoints", manual_endpoints(), "the manual", handled_endpoints(), "app.c")
    compare("signals", items(section("SIGNALS"), "Dv"), "the manual", handled_signals(), "serve.c")
    compare("variables", items(section("ENVIRONMENT"), "Ev"), "the manual", read_variables(), "systemd.c")
    compare("files", items(section("FILES"), "Pa"), "the manual", own_files(), "the sources")
    codes = items(section("EXIT STATUS"), "Li")
    compare("exit codes: manual", codes, "the manual", usage_exit_codes(usage), "--help")
    compare("metrics and labels", manual_metrics(), "the manual", program_metrics(folder),
            "/metrics")
    log_fields = items(section("LOG"), "Va")
    compare("log: fields", log_fields, "the manual", logged_fields(), "server/*.c")
    compare("log: events", items(section("Events", "Ss"), "Li"), "the manual", logged_events(),
            "server/*.c")
    compare("log: reasons", items(section("Reasons", "Ss"), "Li"), "the manual",
            logged_reasons(), "server/*.c")
    lint()
finally:
    shutil.rmtree(folder)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
