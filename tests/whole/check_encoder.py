#!/usr/bin/env python3
"""The authorize URL against an independent encoder: Python's json and urllib.

Random and hostile values go to the real server as queries, forms and JSON bodies; what comes back
must equal, byte for byte, what Python makes of the same values. PROGRAM names the binary.
"""
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote, quote_plus

PUBLIC_URL = "https://oauth.example.com"
ROUNDS = 200  # at each provider

# before and after: what is fixed on either side of scope.
PROVIDERS = [
    {
        "name": "microsoft", "path": "/connect", "callback": "/api/ms_oauth_callback",
        "client_id": "11111111-2222-3333-4444-555555555555",
        "endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "before": [("response_mode", "query")], "after": [],
        "scope": "offline_access openid email https://graph.microsoft.com/Calendars.Read",
        "member": "ms_oauth_redirect_url", "domain_hint": "domain_hint",
        "prompt": None, "prompts": ["login", "select_account"],
    },
    {
        "name": "google", "path": "/connect/google", "callback": "/api/google_oauth_callback",
        "client_id": "123456789012-abc.apps.googleusercontent.com",
        "endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
        "before": [], "after": [("access_type", "offline"), ("include_granted_scopes", "true")],
        "scope": "https://www.googleapis.com/auth/calendar.events.readonly"
                 " https://www.googleapis.com/auth/userinfo.email",
        "member": "google_oauth_redirect_url", "domain_hint": "hd",
        "prompt": "consent", "prompts": ["consent", "select_account consent"],
    },
]

HOSTILE = [
    '"', "\\", '\\"', "\\u0041", "%", "%41", "%zz", "+", " ", "&", "=", "#", "?", "/", "'", "`", ";",
    "{}", "[]", '{"a":1}', "caf\u00e9", "\u20ac", "\U0001f600", "\u0080", "\u2028", "\ufeff", "~-._",
    "a+b c%20d", "://", "%2541", "\u202e", "\U0010ffff", "null", "true", "0", '","x":"',
]


def random_text(rng, longest):
    alphabet = HOSTILE + [chr(c) for c in range(0x20, 0x7F) if chr(c) not in "<>"]
    text = ""
    while len(text) < 1 or rng.random() < 0.93:
        piece = rng.choice(alphabet)
        if len((text + piece).encode()) > longest:
            break
        text += piece
    return text


def random_url(rng):
    path = random_text(rng, 200).replace("\\", "").replace(" ", "")
    return rng.choice(["https://app.example.com", PUBLIC_URL]) + "/" + path


def random_values(rng, provider):
    values = {"recall_calendar_auth_token": random_text(rng, 600)}
    if rng.random() < 0.5:
        values["success_url"] = random_url(rng)
    if rng.random() < 0.5:
        values["error_url"] = random_url(rng)
    if rng.random() < 0.5:
        values["login_hint"] = random_text(rng, 320)
    if rng.random() < 0.3:
        values["domain_hint"] = random_text(rng, 320)
    if rng.random() < 0.3:
        values["prompt"] = rng.choice(provider["prompts"])
    return values


def authorize_url(provider, values):
    redirect_uri = PUBLIC_URL + provider["callback"]
    state = {
        "recall_calendar_auth_token": values["recall_calendar_auth_token"],
        provider["member"]: redirect_uri,
    }
    for name in ("success_url", "error_url"):
        if name in values:
            state[name] = values[name]
    pairs = [("client_id", provider["client_id"]), ("response_type", "code"), ("redirect_uri", redirect_uri)]
    pairs += provider["before"] + [("scope", provider["scope"])] + provider["after"]
    pairs += [
        ("prompt", values.get("prompt", provider["prompt"])),
        ("state", json.dumps(state, separators=(",", ":"), ensure_ascii=False)),
        ("login_hint", values.get("login_hint")),
        (provider["domain_hint"], values.get("domain_hint")),
    ]
    query = "&".join(n + "=" + quote(v, safe="") for n, v in pairs if v is not None)
    return provider["endpoint"] + "?" + query


def form_of(rng, values):
    encode = rng.choice([quote_plus, lambda v: quote(v, safe=""), lambda v: quote(v, safe="/:@!$'()*,;")])
    items = list(values.items())
    rng.shuffle(items)
    return "&".join(n + "=" + encode(v) for n, v in items)


def ask(connection, rng, path, values):
    """Send the values one way or another; the authorize URL that comes back."""
    way = rng.choice(["query", "form", "json"])
    if way == "query":
        connection.request("GET", path + "?" + form_of(rng, values))
    elif way == "form":
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, form_of(rng, values), headers)
    else:
        headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}
        body = json.dumps(values, ensure_ascii=rng.random() < 0.5).encode()
        connection.request("POST", path, body, headers)
    response = connection.getresponse()
    body = response.read()
    if response.status == 200:
        return json.loads(body)["authorize_url"]
    if response.status not in (302, 303):
        raise AssertionError("%s %d %r for %r" % (way, response.status, body, values))
    return response.getheader("Location")


def start_server(log):
    command = os.environ.get("WRAPPER", "").split() + [
        os.environ["PROGRAM"], "--listen.port=0", "--listen.address=127.0.0.1", "--admin.port=0",
        "--public_url=" + PUBLIC_URL, "--connect.return_origins=https://app.example.com",
    ] + ["--%s.client_id=%s" % (provider["name"], provider["client_id"]) for provider in PROVIDERS]
    server = subprocess.Popen(command, stderr=log, stdout=log)
    for _ in range(1500):
        time.sleep(0.02)
        for line in open(log.name):
            if '"event":"listening"' in line:
                return server, json.loads(line)["port"]
    raise AssertionError("the server does not listen")


def main():
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    with tempfile.NamedTemporaryFile("w") as log:
        server, port = start_server(log)
        for number in range(ROUNDS * len(PROVIDERS)):
            provider = PROVIDERS[number % len(PROVIDERS)]
            values = random_values(rng, provider)
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            seen, wanted = ask(connection, rng, provider["path"], values), authorize_url(provider, values)
            connection.close()
            if seen != wanted:
                sys.exit("seed %d, round %d\nsaw    %s\nwanted %s" % (seed, number, seen, wanted))
        server.terminate()
        if server.wait() != 0:
            sys.exit("the server ended with %d\n%s" % (server.returncode, open(log.name).read()))
    print("%d authorize URLs equal at each provider, seed %d" % (ROUNDS, seed))


main()
