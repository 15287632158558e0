#!/bin/sh
# Checks a running server from outside, as its users meet it; for production too: it changes
# nothing there, needs no secret, follows no redirect and sends values that are plainly made up.
#
#   sh smoke.sh https://oauth.example.com
#
#   QUERY_BYTES=8192                  limits.query_bytes, where it was changed
#   CURL_OPTIONS='--cacert ca.pem'    more options for curl, such as --resolve before DNS is switched
#
# Needs a POSIX shell and curl. Exit: 0 all passed, 1 something failed, 64 usage.
set -u
LC_ALL=C
export LC_ALL

usage() {
	echo "usage: sh smoke.sh BASE_URL     such as https://oauth.example.com, without a path" >&2
	exit 64
}

[ $# -eq 1 ] || usage
base=${1%/}
case $base in
http://?* | https://?*) ;;
*) usage ;;
esac
case ${base#*://} in
*[/?#]*) usage ;;
esac

QUERY_BYTES=${QUERY_BYTES:-8192}
ASSOCIATION=/.well-known/microsoft-identity-association
MARK=smoke-value-of-nobody

# What differs between the providers.
at_provider() { # name
	case $1 in
	microsoft)
		CALLBACK=/api/ms_oauth_callback
		START=/connect
		RECALL_PATH=/api/v1/calendar/ms_oauth_callback/
		AUTHORIZE_PATH=/oauth2/v2.0/authorize
		WRONG_PROMPT=consent
		;;
	google)
		CALLBACK=/api/google_oauth_callback
		START=/connect/google
		RECALL_PATH=/api/v1/calendar/google_oauth_callback/
		AUTHORIZE_PATH=/o/oauth2/v2/auth
		WRONG_PROMPT=login
		;;
	esac
	provider=$1
	printf '# %s\n' "$provider"
}

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
carriage_return=$(printf '\r')
skipped=0
# shellcheck source=tests/report.sh
. "$(dirname "$0")/../../report.sh"

# --- reporting ---

short() { printf '%s' "$1" | tr '\000-\037\177' '[?*]' | cut -c 1-300; }

# In one short line, whatever bytes came.
not_ok() { # what, saw, wanted
	failed=$((failed + 1))
	printf 'not ok %d - %s (saw %s, wanted %s)\n' $((passed + failed)) "$1" "$(short "$2")" "$(short "$3")"
}

skip() {
	skipped=$((skipped + 1))
	printf '# skipped: %s\n' "$1"
}

finish() {
	[ "$skipped" -eq 0 ] || printf '# %d skipped\n' "$skipped"
	summarize
	exit
}

# --- asking ---

# Sends the target as it stands, byte for byte. Sets status, $dir/head and $dir/body.
ask() { # target, curl options
	target=$1
	shift
	: >"$dir/head"
	: >"$dir/body"
	# shellcheck disable=SC2086 # CURL_OPTIONS are several words
	status=$(curl -q -sS --globoff --path-as-is --http1.1 --connect-timeout 10 --max-time 30 \
		-o "$dir/body" -D "$dir/head" -w '%{http_code}' ${CURL_OPTIONS:-} \
		--request-target "$target" "$@" "$base/" </dev/null 2>"$dir/error") ||
		status="no answer: $(head -n 1 "$dir/error")"
}

# The value of a header field of the last answer; values of a repeated one with " AND " between.
field() { # name in lower case
	sed "s/$carriage_return\$//" "$dir/head" | awk -v name="$1" '
		/^HTTP\// { value = ""; n = 0 }
		{
			colon = index($0, ":")
			if (colon < 2 || tolower(substr($0, 1, colon - 1)) != name)
				next
			text = substr($0, colon + 1)
			sub(/^[ \t]+/, "", text)
			value = n++ ? value " AND " text : text
		}
		END { print value }'
}

body() { tr -d '\000' <"$dir/body"; }

body_bytes() { wc -c <"$dir/body" | tr -d ' '; }

# A member of the JSON object in the last body, where it is plain text.
member() { body | sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }

letters() { awk -v n="$1" 'BEGIN { while (n-- > 0) printf "x" }'; }

# Whether the last answer was that this server lacks the configuration for it; notes that.
is_unconfigured() { # what
	[ "$status" = 501 ] || return 1
	case $(body) in
	*'"reason":"unconfigured"'*) ;;
	*) return 1 ;;
	esac
	skip "$1: $(member detail)"
}

# --- the callback ---

# Whether the callback wants the cookie of a start in the same browser (callback.browser_binding).
is_enforced() {
	ask "$CALLBACK?code=x"
	[ "$status $(member reason)" = "403 unbound_callback" ]
}

# A start and its answer, as one browser would make them; without the cookie nothing is forwarded.
check_enforced() {
	ok "the callback refuses an answer without its cookie"
	skip "callback.browser_binding is enforce: of the callback's checks, one start is walked through"
	ask "$START?recall_calendar_auth_token=$MARK"
	is_unconfigured "$START" && return
	cookie=$(field set-cookie)
	state=$(field location | sed -n 's/.*[?&]state=\([^&]*\).*/\1/p')
	ask "$CALLBACK?code=x&state=$state" --cookie "${cookie%%;*}"
	has "the answer to a start in this browser is forwarded" "$status $(field location)" \
		"$RECALL_PATH?code=x&state=$state"
}

forwards() { # what, path, what follows it, curl options
	what=$1
	path=$2
	query=$3
	shift 3
	ask "$path$query" "$@"
	is "$what" "$status $(field location)" "302 $recall$query"
}

# Where the callback leads, asked once: https, or http to a stand-in on this machine.
find_recall() {
	ask "$CALLBACK?code=x"
	location=$(field location)
	recall=${location%'?code=x'}
	origin=${recall%"$RECALL_PATH"}
	authority=${origin#*://}
	case "$status $location" in
	"302 $origin$RECALL_PATH?code=x") ;;
	*) authority= ;;
	esac
	case $authority in
	'' | *[!A-Za-z0-9.:-]*) [ "$authority" = '[::1]' ] || authority= ;;
	esac
	case $origin in
	https://*) ;;
	http://localhost | http://localhost:* | http://127.0.0.1 | http://127.0.0.1:*) ;;
	*) authority= ;;
	esac
	if [ -n "$authority" ]; then
		ok "the callback leads to $recall"
	else
		not_ok "the callback leads to Recall" "$status $location" \
			"302 https://{region}.recall.ai$RECALL_PATH?code=x"
	fi
	[ -n "$authority" ]
}

check_fidelity() {
	while IFS= read -r query; do
		forwards "as it came: $(short "$query")" "$CALLBACK" "$query"
	done <<'QUERIES'
?code=0.fake&state=abc&session_state=11111111-2222-3333-4444-555555555555
?code=a+b
?code=a%20b
?code=a%2Bb
?code=a%252Bb
?code=%2f%2F%3a%3A
?code=a/b:c;d,e@f!g$h'i(j)k*l~m
?code=M.C552_BL2.2.U.fake!*$.
?code=%00
?code=x%00y&state=%00
?error_description=AADSTS900144%3a+The+request%0d%0aTrace+ID%3a+0
?x=%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a
?code=100%
?code=%zz&state=%2
?code=%c3%28%ff%fe
?code=%u0041
?
??
???code=x
?code=a?b?c&state=?
?a=b&?c=d
?code=1&code=2&state=3&state=4
?code=&state=
?=
?=&=
?&
?&&&&
?a&&b==
?code
?a=b=c==&d
?state={"recall_calendar_auth_token":"fake","ms_oauth_redirect_url":"https://x/"}
?state=%7b%22recall_calendar_auth_token%22%3a%22fake%22%7d
?state=<script>alert(1)</script>
?state=a|b\c^d`e"f
?state=[1,2]&a[]=b&a[0]=c
?next=https://evil.example/?code=x
?next=//evil.example/..%2f..%2f
?/../../x
?state=café€😀
?error=access_denied&error_subcode=cancel&state=%7b%7d
?admin_consent=True&tenant=11111111-2222-3333-4444-555555555555&state=x
?iss=https%3a%2f%2flogin.microsoftonline.com%2fcommon%2fv2.0&client_info=eyJ9
?state=%7B%22a%22:%22b%22%7D&iss=https://accounts.google.com&code=4/0Ab_fake-x&scope=email%20https://www.googleapis.com/auth/userinfo.email%20openid&authuser=0&hd=example.com&prompt=consent
?error=access_denied&state=%7B%7D
QUERIES
	forwards 'as it came: bytes that are no UTF-8' "$CALLBACK" "?code=$(printf '\377\200\303')"
	forwards 'no query, no ?' "$CALLBACK" ''
	answer=$(dirname "$0")/microsoft-answer.txt
	if [ -r "$answer" ]; then
		forwards 'an answer as long as Microsoft gives' "$CALLBACK" "?$(cat "$answer")"
	else
		skip "an answer as long as Microsoft gives: there is no $answer"
	fi
	forwards "$QUERY_BYTES bytes of query" "$CALLBACK" "?code=$(letters $((QUERY_BYTES - 5)))"
	forwards "$QUERY_BYTES bytes of ampersands" "$CALLBACK" "?$(letters "$QUERY_BYTES" | tr x '&')"
}

check_callback() {
	forwards 'a slash at the end' "$CALLBACK/" '?code=a%2fb+c'
	forwards 'a slash at the end, no query' "$CALLBACK/" ''
	forwards 'HEAD' "$CALLBACK" '?code=a%2fb+c' --head
	forwards 'cookies and referrers change nothing' "$CALLBACK" '?code=a' -H 'Cookie: a=b; c=d' \
		-H 'Referer: https://login.microsoftonline.com/' -H 'Accept: text/html'
	forwards 'X-Forwarded-Host changes nothing' "$CALLBACK" '?code=a' \
		-H 'X-Forwarded-Host: evil.example' -H 'X-Original-URL: /healthz'
	ask "$CALLBACK?code=x"
	is 'the redirect is not stored' "$(field cache-control)" no-store
	is 'the redirect sends no referrer on' "$(field referrer-policy)" no-referrer
}

check_callback_refusals() {
	ask "$CALLBACK?code=$(letters $((QUERY_BYTES - 4)))"
	is "one byte of query above $QUERY_BYTES" "$status" 414
	ask "$CALLBACK?code=x#y"
	is 'a # in the address' "$status" 400
	ask "$CALLBACK?code=x y"
	is 'a space in the address' "$status" 400
	ask "$CALLBACK" --data "code=$MARK"
	is 'POST: 405' "$status" 405
	is 'POST: Allow' "$(field allow)" 'GET, HEAD'
	has 'POST: the body says response_mode=query' "$(body)" response_mode=query
	has_not 'POST: the body repeats no value' "$(body)" "$MARK"
	for method in PUT PATCH DELETE OPTIONS; do
		ask "$CALLBACK?code=x" -X "$method"
		is "$method: 405, Allow" "$status $(field allow)" '405 GET, HEAD'
	done
}

check_not_found() {
	for path in "$CALLBACK/x" "${CALLBACK}x" "/api/MS_OAUTH_CALLBACK" "/api/%6ds_oauth_callback" \
		"$START//" "$ASSOCIATION.txt" "/connect/nowhere"; do
		ask "$path?code=$MARK"
		is "404: $path" "$status" 404
	done
	has 'an error is problem+json' "$(field content-type)" application/problem+json
	has_not 'an error repeats no value' "$(body)" "$MARK"
	ask "$CALLBACK/x" -H 'Accept: text/html'
	has 'an error for a browser is a page' "$status $(field content-type)" '404 text/html'
	has 'the page loads nothing' "$(field content-security-policy)" "default-src 'none'"
}

# --- the association file ---

check_association() { # path
	ask "$1"
	is_unconfigured "$1" && return
	is "$1: 200" "$status" 200
	is "$1: Content-Type" "$(field content-type)" application/json
	is "$1: Content-Length is the bytes" "$(field content-length)" "$(body_bytes)"
	has "$1: names an application" "$(body)" '{"associatedApplications":[{"applicationId":"'
	length=$(body_bytes)
	ask "$1" --head
	is "$1: HEAD" "$status $(field content-type) $(field content-length)" \
		"200 application/json $length"
	ask "$1" -H 'Accept-Encoding: gzip'
	is "$1: not compressed" "$(field content-encoding)$(field content-length)" "$length"
	ask "$1" -X POST
	is "$1: POST: 405, Allow" "$status $(field allow)" '405 GET, HEAD'
}

# --- the start ---

refuses() { # what, query, reason, parameter
	ask "$START$2"
	is "$START: $1" "$status $(member reason) $(member parameter)" "400 $3 $4"
	has_not "$START: $1: no value repeated" "$(cat "$dir/head" "$dir/body" | tr -d '\000')" "$MARK"
}

check_connect() {
	token=recall_calendar_auth_token
	ask "$START"
	is_unconfigured "$START" && return
	refuses 'without a token' '' parameter_missing "$token"
	refuses 'an unknown parameter' "?$token=$MARK&$MARK=$MARK" parameter_unknown ''
	refuses 'a repeated parameter' "?$token=$MARK&$token=$MARK" parameter_repeated "$token"
	refuses 'an empty token' "?$token=" parameter_empty "$token"
	refuses "prompt=$WRONG_PROMPT" "?$token=$MARK&prompt=$WRONG_PROMPT" parameter_not_allowed prompt
	refuses 'another prompt' "?$token=$MARK&prompt=$MARK" parameter_not_allowed prompt
	refuses 'a stranger as success_url' "?$token=$MARK&success_url=https://$MARK.example/" \
		parameter_not_allowed success_url
	refuses 'a javascript: success_url' "?$token=$MARK&success_url=javascript:alert('$MARK')" \
		parameter_malformed success_url
	refuses 'a javascript: error_url' "?$token=$MARK&error_url=javascript%3Aalert(1)//$MARK" \
		parameter_malformed error_url
	refuses 'a line feed in the token' "?$token=$MARK%0a" parameter_malformed "$token"
	refuses 'a tag in the token' "?$token=%3Cb%3E$MARK" parameter_malformed "$token"
	ask "$START" -X DELETE
	is "$START: DELETE: 405, Allow" "$status $(field allow)" '405 GET, HEAD, POST'
	ask "$START" -H 'Content-Type: text/plain' --data "$MARK"
	is "$START: a body of another type" "$status" 415

	ask "$START?$token=$MARK" -H 'Accept: application/json'
	is "$START: a backend gets JSON" "$status $(field content-type)" '200 application/json'
	is "$START: which is not stored" "$(field cache-control)" no-store
	has "$START: with authorize_url" "$(body)" '{"authorize_url":"http'
	echo "# the redirect URI, to be registered at $provider to the letter:" \
		"$(member redirect_uri)"
	ask "$START" --data "$token=$MARK"
	is "$START: POST leads to the provider" \
		"$status $(field location | sed "s,^https*://[^?]*\($AUTHORIZE_PATH\)?.*,\1,")" \
		"303 $AUTHORIZE_PATH"
}

# --- health ---

check_health() {
	for path in /healthz /readyz; do
		ask "$path"
		is "$path" "$status" 200
		ask "$path" --head
		is "$path: HEAD" "$status" 200
	done
}

ask /healthz
case $status in
'no answer'*)
	not_ok "$base answers" "$status" 'an HTTP answer'
	finish
	;;
esac
for name in microsoft google; do
	at_provider "$name"
	if [ "$name" = google ]; then # which not everybody has, nor every proxy lets through
		ask "$START"
		if [ "$status $(member reason)" != '400 parameter_missing' ]; then
			echo "# not tried, because it is not configured: $(member detail)"
			continue
		fi
	fi
	if is_enforced; then
		check_enforced
	elif find_recall; then
		check_fidelity
		check_callback
	else
		echo "# not tried, because it needs that: what arrives there"
	fi
	check_callback_refusals
	check_not_found
	check_connect
done
check_association "$ASSOCIATION.json"
check_association "$ASSOCIATION"
check_health
finish
