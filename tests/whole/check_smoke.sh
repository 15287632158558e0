#!/bin/sh
# Runs tests/whole/curl/smoke.sh against the real server, configured and not; then shows that it fails
# where it should: at servers that answer wrongly, at none, and without an address.
#   PROGRAM  the server's binary       WRAPPER  a tool to run it under, such as valgrind
set -u
: "${PROGRAM:?}"
dir=$(mktemp -d) || exit 1
pids=
clean_up() {
	for pid in $pids; do
		kill "$pid" 2>/dev/null
	done
	rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# shellcheck source=tests/report.sh
. tests/report.sh
isolate

# Waits for a word in a file: 60 s, because valgrind is slow to start.
await() { # sed expression that prints the word, file
	word=
	tries=0
	while [ -z "$word" ] && [ "$tries" -lt 600 ]; do
		word=$(sed -n "$1" "$2" 2>/dev/null | head -n 1)
		[ -n "$word" ] || sleep 0.1
		tries=$((tries + 1))
	done
}

start_server() { # options
	echo '{}' >"$dir/empty.json"
	: >"$dir/log" # or the port of the server before is found in it
	# shellcheck disable=SC2086 # WRAPPER is several words
	${WRAPPER:-} "$PROGRAM" -c "$dir/empty.json" --listen.address=127.0.0.1 --listen.port=0 \
		--admin.port=0 "$@" 2>"$dir/log" &
	server=$!
	pids="$pids $server"
	await 's/.*"event":"listening".*"port":\([0-9]*\).*/\1/p' "$dir/log"
	port=$word
	[ -n "$port" ] || not_ok 'the server listens' "$(cat "$dir/log")" 'a port'
}

stop_server() {
	kill "$server"
	wait "$server"
	is "$1: the server ends well" $? 0
}

smoke() { # what, wanted exit, arguments
	what=$1
	wanted=$2
	shift 2
	sh tests/whole/curl/smoke.sh "$@" >"$dir/smoke" 2>&1
	code=$?
	is "$what: exit" "$code" "$wanted"
	[ "$code" = "$wanted" ] || grep -v '^ok' "$dir/smoke"
}

says() { # what, pattern
	if grep -q "$2" "$dir/smoke"; then
		ok "$1"
	else
		not_ok "$1" "$(tail -n 1 "$dir/smoke")" "$2"
	fi
}

# --- the real server ---

start_server --public_url=https://oauth.example.com \
	--microsoft.client_id=11111111-2222-3333-4444-555555555555 \
	--google.client_id=1-a.apps.googleusercontent.com \
	--connect.return_origins=https://app.example.com
smoke 'configured' 0 "http://127.0.0.1:$port"
says 'configured: all of it' '^[0-9]* passed, 0 failed$'
is 'configured: nothing skipped' "$(grep -c '^# skipped' "$dir/smoke")" 0
smoke 'configured, a slash after the address' 0 "http://127.0.0.1:$port/"
is 'nothing that smoke sent is in the log' \
	"$(grep -c -e smoke-value -e evil.example -e TRACE -e café "$dir/log")" 0
is 'the log holds its requests' \
	"$([ "$(grep -c '"event":"request"' "$dir/log")" -gt 100 ] && echo yes)" yes
stop_server 'configured'

start_server
smoke 'unconfigured' 0 "http://127.0.0.1:$port"
is 'unconfigured: what cannot be checked is skipped' \
	"$(grep -c '^# skipped' "$dir/smoke")" 3
says 'unconfigured: Google is named' '^# not tried.*google.client_id'
stop_server 'unconfigured'

start_server --public_url=https://oauth.example.com \
	--google.client_id=1-a.apps.googleusercontent.com
smoke 'Google only' 0 "http://127.0.0.1:$port"
says 'Google only: its start' '^ok .*/connect/google: POST leads to the provider$'
is 'Google only: what cannot be checked is skipped' \
	"$(grep -c '^# skipped' "$dir/smoke")" 3
stop_server 'Google only'

start_server --limits.query_bytes=1024
smoke 'a lower limit is noticed' 1 "http://127.0.0.1:$port"
says 'a lower limit is noticed: which' '^not ok .* 8192 bytes of query '
stop_server 'a lower limit'

# --- what smoke has to find ---

smoke 'nobody listens' 1 "http://127.0.0.1:$port"
says 'nobody listens: said so' '^not ok 1 .*no answer: curl'
smoke 'no address' 64
smoke 'an address with a path' 64 http://127.0.0.1/callback
smoke 'an address without a scheme' 64 127.0.0.1

mkdir "$dir/www"
python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$dir/www" >"$dir/python" 2>&1 &
pids="$pids $!"
await 's/^Serving HTTP .* port \([0-9]*\) .*/\1/p' "$dir/python"
smoke 'a file server' 1 "http://127.0.0.1:$word"

# As many forward: by parsing the query and rebuilding it; and a redirect to a stranger.
cat >"$dir/wrong.py" <<'PYTHON'
import http.server, sys, urllib.parse
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = self.path.partition("?")[2]
        if sys.argv[1] == "rebuild":
            query = urllib.parse.urlencode(urllib.parse.parse_qsl(query, keep_blank_values=True))
        location = sys.argv[2] + ("?" + query if query else "")
        self.send_response(302)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print("port", server.server_port, flush=True)
server.serve_forever()
PYTHON
start_wrong() { # how, target
	: >"$dir/python"
	python3 "$dir/wrong.py" "$1" "$2" >"$dir/python" 2>"$dir/python.log" &
	pids="$pids $!"
	await 's/^port \([0-9]*\)$/\1/p' "$dir/python"
}
recall=https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/
start_wrong rebuild "$recall"
smoke 'a query that is rebuilt' 1 "http://127.0.0.1:$word"
says 'a query that is rebuilt: noticed at a%20b' '^not ok .*as it came: ?code=a%20b '
says 'a query that is rebuilt: a+b passes' '^ok .*as it came: ?code=a+b$'
start_wrong raw http://evil.example/api/v1/calendar/ms_oauth_callback/
smoke 'a redirect to http' 1 "http://127.0.0.1:$word"
says 'a redirect to http: noticed' '^not ok 1 - the callback leads to Recall '

# --- the example ---

# shellcheck disable=SC2086 # WRAPPER is several words
${WRAPPER:-} "$PROGRAM" -c config/recall-redirectd.json check >"$dir/check" 2>&1
is 'the example configuration passes check' $? 0
is 'the example configuration has no warning but that its values are examples' \
	"$(grep '^warning' "$dir/check" | grep -v "is the example's; use your own")" ''

summarize
