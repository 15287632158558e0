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

CLIENT_ID = "11111111-2222-3333-4444-555555555555"
PUBLIC_URL = "https://oauth.example.com"
SCOPE = "offline_access openid email https://graph.microsoft.com/Calendars.Read"
ROUNDS = 300

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


def random_values(rng):
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
        values["prompt"] = rng.choice(["login", "select_account"])
    return values


def authorize_url(values):
    redirect_uri = PUBLIC_URL + "/api/ms_oauth_callback"
    state = {
        "recall_calendar_auth_token": values["recall_calendar_auth_token"],
        "ms_oauth_redirect_url": redirect_uri,
    }
    for name in ("success_url", "error_url"):
        if name in values:
            state[name] = values[name]
    pairs = [
        ("client_id", CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", redirect_uri),
        ("response_mode", "query"),
        ("scope", SCOPE),
        ("state", json.dumps(state, separators=(",", ":"), ensure_ascii=False)),
    ]
    pairs += [(n, values[n]) for n in ("login_hint", "domain_hint", "prompt") if n in values]
    query = "&".join(n + "=" + quote(v, safe="") for n, v in pairs)
    return "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?" + query


def form_of(rng, values):
    encode = rng.choice([quote_plus, lambda v: quote(v, safe=""), lambda v: quote(v, safe="/:@!$'()*,;")])
    items = list(values.items())
    rng.shuffle(items)
    return "&".join(n + "=" + encode(v) for n, v in items)


def ask(connection, rng, values):
    """Send the values one way or another; the authorize URL that comes back."""
    way = rng.choice(["query", "form", "json"])
    if way == "query":
        connection.request("GET", "/connect?" + form_of(rng, values))
    elif way == "form":
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/connect", form_of(rng, values), headers)
    else:
        headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}
        body = json.dumps(values, ensure_ascii=rng.random() < 0.5).encode()
        connection.request("POST", "/connect", body, headers)
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
        "--public_url=" + PUBLIC_URL, "--microsoft.client_id=" + CLIENT_ID,
        "--connect.return_origins=https://app.example.com",
    ]
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
        for number in range(ROUNDS):
            values = random_values(rng)
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            seen, wanted = ask(connection, rng, values), authorize_url(values)
            connection.close()
            if seen != wanted:
                sys.exit("seed %d, round %d\nsaw    %s\nwanted %s" % (seed, number, seen, wanted))
        server.terminate()
        if server.wait() != 0:
            sys.exit("the server ended with %d\n%s" % (server.returncode, open(log.name).read()))
    print("%d authorize URLs equal, seed %d" % (ROUNDS, seed))


main()
