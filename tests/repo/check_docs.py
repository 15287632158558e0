#!/usr/bin/env python3
"""Follows README.md as a reader would, and checks the links of all documents.

Every fenced block is run in the order of the document, in a world of its own: a clone, a folder in place
of /, free ports, a stand-in for Recall. If an indented block follows, the commands must print it ("..."
matches anything). NOT_RUN lists what cannot be done here, with the reason. A block in an unknown language,
or with an unknown command, is a failure.

  PROGRAM  the server's binary       WRAPPER  a tool to run it under, such as valgrind
  README   another file in its place, to see this test fail
"""
import contextlib
import http.server
import html.parser
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.path.realpath(os.environ["PROGRAM"])
README = pathlib.Path(os.environ.get("README", ROOT / "README.md"))
DOCUMENTS = ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "tests/bench/README.md"]
PUBLIC = "https://oauth.example.com"
PATIENCE = 300

# Commands that are not run here, and what runs them instead.
NOT_RUN = {
    "docker": "tests/whole/image/check_image.sh runs the image; here its variables are checked",
    "make image": "tests/whole/image/check_image.sh builds it",
    "apt-get": "tests/whole/systemd/check_deb.sh installs the package; here it is unpacked",
}
# The commands of a reader's shell. Those that change the system have a stand-in below.
COMMANDS = {"build/recall-redirectd", "cd", "curl", "docker", "git", "make", "printf", "recall-redirectd", "sed",
            "sudo", "sudoedit"}

# / is $WORLD.
STAND_INS = {
    "sudo": '''case $1 in
install) for word; do case $word in /*) word=$WORLD$word ;; esac; set -- "$@" "$word"; shift; done; exec "$@" ;;
sudoedit) exec "$@" ;;
apt-get) for package; do :; done; exec dpkg-deb -x "$package" "$WORLD" ;;
*) echo "no stand-in for sudo $1" >&2; exit 70 ;;
esac''',
    "sudoedit": '''[ -e "$WORLD$1" ]''',
    "docker": '''set -e
[ "$1" = run ] || { echo "no stand-in for docker $1" >&2; exit 70; }
while [ $# -gt 0 ]; do case $1 in -e) export "$2"; shift ;; esac; shift; done
exec "$PROGRAM" -c "$WORLD/empty.json" check''',
    "make": '''case $1 in
image) exec "$REAL_MAKE" -n "$@" >/dev/null ;;
esac
exec "$REAL_MAKE" "$@"''',
    "recall-redirectd": '''exec "$WORLD/usr/bin/recall-redirectd" -c "$WORLD/etc/recall-redirectd/config.json" "$@"''',
}

passed = failed = 0


def report(what, faults):
    global passed, failed
    passed, failed = passed + (not faults), failed + bool(faults)
    print(f"{'not ok' if faults else 'ok'} {passed + failed} - {what}", flush=True)
    for fault in faults:
        print(f"    {fault}", flush=True)


# --- the document ---

def read_blocks(text):
    """(language, text, line, what it prints or None) of each fenced block; "Open `URL`" is one too."""
    blocks = []
    language = None
    may_follow = False
    for number, line in enumerate(text.splitlines(), 1):
        if language is None and line.startswith("```"):
            language, lines, start = line[3:].strip(), [], number
        elif language is not None and line == "```":
            blocks.append([language, "\n".join(lines) + "\n", start, None])
            language, may_follow = None, True
        elif language is not None:
            lines.append(line)
        elif line.startswith("#"):
            may_follow = False
        elif match := re.match(r"Open `(\S+)`", line):
            blocks.append(["open", match[1], number, None])
        elif line.startswith("    ") and may_follow:
            blocks[-1][3] = (blocks[-1][3] or []) + [line[4:]]
        elif line and blocks and blocks[-1][3]:
            may_follow = False
    return blocks


def first_words(script):
    """The commands of a simple script: the first word of each line and after &&, | and $(."""
    joined = re.sub(r"\\\n", " ", script)
    bare = re.sub(r"'[^']*'|(?<!\$)\"[^\"$]*\"", "''", re.sub(r"(^|\s)#.*", r"\1", joined, flags=re.M))
    return set(re.findall(r"(?:^|&&|\||\$\()\s*([\w/-]+)(?![\w/=-])", bare, re.M))


# --- the world ---

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Recall(http.server.BaseHTTPRequestHandler):
    """Mints a token for whom it is asked, as Recall does."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = (self.path == "/api/v1/calendar/authenticate/"
                and self.headers["Authorization"] == "Token key-of-nobody"
                and self.headers["Content-Type"] == "application/json")
        answer = json.dumps({"token": "token-of-" + body["user_id"]} if good else {}).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def wait_for(path, process, words):
    """Whether the words come up in the file before the process ends."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if words in path.read_text(errors="replace"):
            return True
        if process.poll() is not None:
            return words in path.read_text(errors="replace")
        time.sleep(0.05)
    return False


class World:
    def __init__(self, folder):
        self.folder = folder
        self.cwd = folder
        self.started = []
        (folder / "bin").mkdir()
        (folder / "empty.json").write_text("{}")
        for name, script in STAND_INS.items():
            path = folder / "bin" / name
            path.write_text("#!/bin/sh\n" + script + "\n")
            path.chmod(0o755)
        self.recall = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recall)
        threading.Thread(target=self.recall.serve_forever, daemon=True).start()
        self.local = free_port()
        self.environment = {
            "PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": str(folder), "WORLD": str(folder),
            "PROGRAM": PROGRAM, "REAL_MAKE": shutil.which("make"), "LC_ALL": "C.UTF-8",
            "no_proxy": "*", "NO_PROXY": "*", "PORT": str(self.local),
            "REDIRECTD_LISTEN_PORT": str(self.local), "REDIRECTD_ADMIN_PORT": "0",
            "RECALL": f"http://127.0.0.1:{self.recall.server_port}", "RECALL_API_KEY": "key-of-nobody",
            **{name: os.environ[name] for name in ("CC", "DEBIAN_FRONTEND") if name in os.environ}}
        self.log = folder / "deployed.log"
        self.deployed = free_port()
        self.serve_example()
        self.environment["REDIRECTD"] = f"http://127.0.0.1:{self.deployed}"

    def serve_example(self):
        """What the reader has deployed by then: the example configuration, under the public name."""
        command = [*os.environ.get("WRAPPER", "").split(), PROGRAM, "-c",
                   str(ROOT / "config/recall-redirectd.json"), f"--listen.port={self.deployed}",
                   "--admin.port=0"]
        environment = {name: value for name, value in self.environment.items()
                       if not name.startswith("REDIRECTD")}
        with open(self.log, "w") as log:
            self.started.append(subprocess.Popen(command, stderr=log, env=environment))
        if not wait_for(self.log, self.started[0], '"event":"listening"'):
            sys.exit("check_docs.py: the server does not start: " + self.log.read_text())

    def stop_serving(self):
        """End what an earlier block has started; the deployed one goes on."""
        for process in self.started[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(PATIENCE)
        del self.started[1:]

    def close(self):
        self.stop_serving()
        self.started[0].terminate()
        self.started[0].wait(PATIENCE)
        self.recall.shutdown()

    def run(self, script, words):
        """Run a script; return the faults, and what it printed. One that serves is left running."""
        serves = re.search(r"^(make run|build/recall-redirectd .* --\S+)$", script, re.M)
        if serves:
            self.stop_serving()
        output = self.folder / "output"
        where = self.folder / "where"
        with open(output, "w") as out:
            process = subprocess.Popen(
                ["sh", "-ec", script + f"\npwd >{where}"], cwd=self.cwd, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        if serves:
            self.started.append(process)
            good = wait_for(output, process, '"event":"listening"')
            if re.search(r"\bcd recall-redirectd\b", script):
                self.cwd = self.cwd / "recall-redirectd"
        else:
            good = process.wait(PATIENCE) == 0
            if good:
                self.cwd = pathlib.Path(where.read_text().strip())
        text = output.read_text(errors="replace").replace("\r", "")
        return ([] if good else [f"failed: {text[-2000:]}"]) + [
            f"did not print: {line}" for line in missing_lines(words or [], text)], text


def missing_lines(wanted, text):
    """The lines that do not come, in this order."""
    lines = iter(text.splitlines())
    for line in wanted:
        pattern = ".*".join(re.escape(part) for part in line.split("..."))
        if not any(re.fullmatch(pattern, seen) for seen in lines):
            yield line


# --- how a block of each language is run ---

def run_sh(world, script, words):
    unknown = first_words(script) - COMMANDS
    if unknown:
        return [f"is not known here: {', '.join(sorted(unknown))}"]
    for what, reason in NOT_RUN.items():
        if re.search(rf"(^|\s){what}\s", script + "\n"):
            print(f"# not run: {what}: {reason}")
    script = script.replace("REPOSITORY_URL", f"file://{world.folder}/origin")
    script = script.replace("localhost:8080", f"localhost:{world.local}")
    if "curl" in script or "make smoke" in script:
        script = script.replace(PUBLIC, f"http://127.0.0.1:{world.deployed}")
    faults, text = world.run(script, words)
    if "make smoke" in script and (" 0 failed" not in text or "# skipped" in text):
        faults.append("smoke skipped or failed something")
    return faults


def is_authorize_url(text):
    """The URL that the server in this world makes for user-42, whose token Recall has minted."""
    url = urllib.parse.urlsplit(text.strip())
    state = json.loads(urllib.parse.parse_qs(url.query)["state"][0])
    return (url.netloc == "login.microsoftonline.com"
            and state["recall_calendar_auth_token"] == "token-of-user-42"
            and state["ms_oauth_redirect_url"] == PUBLIC + "/api/ms_oauth_callback")


class Form(html.parser.HTMLParser):
    """The one form of a page, as a browser would send it."""

    def __init__(self, text):
        super().__init__()
        self.form, self.fields = {}, {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.form = attributes
        elif tag == "input":
            self.fields[attributes["name"]] = attributes["value"]


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def request(url, headers, data=None):
    """Status and Location of an answer that is not a page."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay)
    try:
        opener.open(urllib.request.Request(url, data, headers), timeout=PATIENCE)
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers["Location"]
    return None, None


def run_html(world, text, _):
    page = Form(text)
    if page.form.get("method") != "post" or not page.form.get("action", "").startswith(PUBLIC + "/"):
        return [f"posts to {page.form}"]
    page.fields = {name: value.replace("TOKEN", "token-of-user-42") for name, value in page.fields.items()}
    status, location = request(page.form["action"].replace(PUBLIC, world.environment["REDIRECTD"]),
                               {"Sec-Fetch-Site": "same-site"}, urllib.parse.urlencode(page.fields).encode())
    return [] if status == 303 and is_authorize_url(location) else [f"got {status} {location}"]


def run_open(world, url, _):
    """An address that is typed into a browser's address bar."""
    status, location = request(url.replace("localhost:8080", f"localhost:{world.local}"), {"Sec-Fetch-Site": "none"})
    return [] if status == 302 and location.startswith("https://login.microsoftonline.com/") else [f"got {status}"]


LANGUAGES = {"sh": run_sh, "html": run_html, "open": run_open}


def make_origin(folder):
    """What the reader clones: the tree as it is now."""
    origin = folder / "origin"
    shutil.copytree(ROOT, origin, ignore=shutil.ignore_patterns(".git", "build", "node_modules"))
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=x", "-c", "user.email=x@localhost",
                                                    "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *command], cwd=origin, check=True, capture_output=True)


def run_readme(folder):
    make_origin(folder)
    world = World(folder)
    try:
        for language, text, line, words in read_blocks(README.read_text()):
            title = text.strip().splitlines()[0][:60]
            faults = (LANGUAGES[language](world, text, words) if language in LANGUAGES
                      else [f"a block in an unknown language: {language or 'none'}"])
            report(f"README.md:{line}: {title}", faults)
    finally:
        world.close()


# --- links, files and targets that documents name ---

def anchors(text):
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def link_faults(name, text):
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        if re.match(r"https?:", target):
            continue
        file = README if path in ("", README.name) and name == README.name else ROOT / (path or name)
        if not file.exists():
            yield f"{target}: there is no such file"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{target}: there is no such heading"


def name_faults(text):
    """Paths and make targets in code."""
    makefiles = [ROOT / "Makefile", ROOT / "tests/whole/whole.mk"]
    targets = re.findall(r"^([a-z0-9-]+):", "".join(one.read_text() for one in makefiles), re.M)
    for code in re.findall(r"`([^`\n]+)`", text):
        for path in re.findall(r"(?<![\w/.-])(?:server|tests|config|systemd)/[\w./*-]*", code):
            if not list(ROOT.glob(path.rstrip("/"))):
                yield f"{path}: there is no such file"
        for target in re.findall(r"^(?:make|[A-Z_]+=\S+ make) ([a-z0-9-]+)", code):
            if target not in targets:
                yield f"make {target}: there is no such target"


def named_test_faults(text):
    """The last column of each table whose head there is Test: `file`: `what it contains`, ...; `file`."""
    tables = re.findall(r"^\|.*\| Test \|\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.M)
    for row in "".join(tables).splitlines():
        for part in row.rsplit("|", 2)[1].split(";"):
            name, *words = re.findall(r"`([^`]+)`", part) or [part]
            files = list((ROOT / "tests").rglob(name)) if re.fullmatch(r"[\w.]+", name) else []
            if not files:
                yield f"{name}: there is no such test"
            else:
                yield from (f"{name}: has no {word}" for word in words if word not in files[0].read_text())
    if not tables:
        yield "no table that names tests"


def check_documents():
    for name in [README.name, *DOCUMENTS]:
        text = (README if name == README.name else ROOT / name).read_text()
        report(f"{name}: links lead somewhere", sorted(set(link_faults(name, text))))
        report(f"{name}: files and targets are there", sorted(set(name_faults(text))))
    security = (ROOT / "SECURITY.md").read_text()
    report("SECURITY.md: the tests that it names exist", sorted(named_test_faults(security)))


def would_notice():
    """Each of these faults has to be found."""
    for what, found in (
            ("a link to no file", link_faults("x.md", "[a](config/none.json)")),
            ("a link to no heading", link_faults("CHANGELOG.md", "[a](README.md#none)")),
            ("a file that is gone", name_faults("`tests/none.sh`")),
            ("a target that is gone", name_faults("`make none`")),
            ("a test that is gone", named_test_faults("| A | Test |\n|---|---|\n| a | `check_url.c`: `gone_test` |\n")),
            ("a file of tests that is gone", named_test_faults("| A | Test |\n|---|---|\n| a | `check_none.c` |\n")),
            ("a row without a test", named_test_faults("| A | Test |\n|---|---|\n| a | none |\n")),
            ("an unknown command", first_words("cd a && frobnicate b\n") - COMMANDS),
            ("a line that is not printed", missing_lines(["a...c"], "a\nc\n"))):
        report(f"would notice {what}", [] if list(found) else ["it did not"])


missing = [tool for tool in ("git", "node", "make", "curl") if not shutil.which(tool)]
if missing:
    sys.exit(f"check_docs.py: needs {', '.join(missing)}")
folder = pathlib.Path(tempfile.mkdtemp())
try:
    check_documents()
    would_notice()
    run_readme(folder)
finally:
    shutil.rmtree(folder)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
