#!/bin/sh
# config/compose.yaml, as it is, on a real Docker engine (engine.sh): https through Caddy, two replicas, and
# a restart, a death and two reloads under load, with nothing lost and no code in any log.
#   IMAGE_ARCHIVE  the image, as `make check-image` writes it
# One line of the Caddyfile is added, `tls internal`, because nobody can give a certificate for
# oauth.example.com. Caddy is Debian's, in an image that stands in for caddy:2.
cd "$(dirname "$0")/../../.." || exit 1
# shellcheck source=tests/whole/engine.sh
. tests/whole/engine.sh
enter tests/whole/compose/check_compose.sh
# shellcheck source=tests/report.sh
. tests/report.sh
isolate
mark=mark-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
NAME=oauth.example.com
load=

compose() { docker compose --ansi never --progress quiet -f "$dir/config/compose.yaml" "$@" 2>>"$dir/compose.log"; }

ids() { compose ps -q "$@"; }

get() { # URL, curl options
	curl -q -sS --max-time 10 --cacert "$dir/root.crt" --resolve "$NAME:443:127.0.0.1" --resolve "$NAME:80:127.0.0.1" \
		-o /dev/null -w '%{http_code} %{redirect_url}\n' "$@" 2>&1
}

# Repeats a command until it prints what is wanted, for at most so many seconds; leaves it in $saw.
await() { # seconds, wanted, command
	until=$(($(date +%s) + $1))
	wanted=$2
	shift 2
	while saw=$("$@" 2>&1); [ "$saw" != "$wanted" ]; do
		[ "$(date +%s)" -lt "$until" ] || return 1
		sleep 0.2
	done
}

health() { # service: of each container, sorted
	# shellcheck disable=SC2046 # one word each
	docker inspect --format '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' $(ids "$1") | sort | tr '\n' ' '
}

logged() { # service, text: how many lines have it
	compose logs --no-color "$1" | grep -c -- "$2"
}

# --- load ---

start_load() {
	python3 tests/process/load.py 443 "$mark" tls >"$dir/load" 2>&1 &
	load=$!
	sleep 1
}

end_load() { # what: it has lost nothing
	sleep 2
	kill "$load"
	wait "$load"
	is "$1: nothing is lost, of $(sed 's/.*"new": \([0-9]*\), "kept": \([0-9]*\).*/\1 new and \2 kept/' "$dir/load")" \
		"$? $(sed -n 's/.*"kinds": {\(.*\)}}/\1/p' "$dir/load")" '0 '
	load=
}

# --- what is held ---

prepare() {
	start_engine
	load_image
	import_program caddy:2 "$(command -v caddy)" -c 'ENV PATH=/usr/bin XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data' \
		-c 'CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]'
	cp -R config "$dir/config"
	caddyfile=$dir/config/caddy/Caddyfile
	sed -i "s/^$NAME {/&\n\ttls internal/" "$caddyfile"
	: >"$dir/root.crt"
}

check_file() {
	compose config -q
	is 'Compose takes the file' $? 0
	sed 's/pids_limit/pid_limit/' config/compose.yaml >"$dir/config/misspelt.yaml"
	docker compose -f "$dir/config/misspelt.yaml" config -q >"$dir/out" 2>&1
	is 'and would not take a misspelt key' "$? $(grep -c 'pid_limit' "$dir/out")" '15 1'
	is 'it names the image that make image makes' "$(compose config --images | grep -c "^$image$")" 1
}

check_up() {
	compose up -d
	is 'up' $? 0
	await 60 'running healthy ' health redirectd
	is 'the server is healthy' "$saw" 'running healthy '
	await 10 0 sh -c "docker cp $(ids caddy):/data/caddy/pki/authorities/local/root.crt '$dir/root.crt' >/dev/null; echo \$?"
	await 10 '200 ' get "https://$NAME/readyz"
	is 'https answers' "$saw" '200 '
	is 'http leads to https' "$(get "http://$NAME/connect?x=1" )" "308 https://$NAME/connect?x=1"
}

check_smoke() {
	CURL_OPTIONS="--cacert $dir/root.crt --resolve $NAME:443:127.0.0.1" sh tests/whole/curl/smoke.sh "https://$NAME" >"$dir/smoke" 2>&1
	is 'smoke passes' "$? $(grep '^not ok' "$dir/smoke" | head -n 3)" '0 '
	get "https://$NAME/api/ms_oauth_callback?code=$mark-code" -H 'X-Forwarded-For: 192.0.2.7' >/dev/null
	is 'the log names the client, and believes nobody else' "$(compose logs redirectd --no-color | grep '"route":"callback"' |
		tail -n 1 | grep -c '"client":"192.0.2.7"')" 0
	is 'no way leads around Caddy' "$(docker inspect --format '{{json .HostConfig.PortBindings}}' "$(ids redirectd)")" '{}'
	is 'the network of the server has no way out' "$(docker network inspect --format '{{.Internal}}' recall-redirectd_back)" true
}

check_replicas() {
	start_load
	compose up -d --scale redirectd=2
	await 60 'running healthy running healthy ' health redirectd
	is 'two replicas are healthy' "$saw" 'running healthy running healthy '
	end_load 'a second replica'
	for id in $(ids redirectd); do
		docker logs "$id" 2>&1 | grep -c '"route":"callback"' >"$dir/share"
		is_not 'each replica had its share' "$(cat "$dir/share")" 0
	done
}

check_changes() {
	one=$(ids redirectd | head -n 1)
	start_load
	docker restart "$one" >/dev/null
	await 30 'running healthy running healthy ' health redirectd
	end_load 'a replica restarts'

	start_load
	kill -KILL "$(docker inspect --format '{{.State.Pid}}' "$one")"
	await 30 'running healthy running healthy ' health redirectd
	is 'a replica that was killed is started again' "$saw" 'running healthy running healthy '
	end_load 'a replica is killed'

	start_load
	compose kill -s HUP redirectd
	await 10 2 logged redirectd '"event":"reloaded"'
	is 'SIGHUP: both have reloaded' "$saw" 2
	end_load 'both replicas reload'
}

# A file that an editor put in place of the old one.
edit_caddyfile() { # command of sed
	sed "$1" "$caddyfile" >"$dir/config/caddy/new"
	mv "$dir/config/caddy/new" "$caddyfile"
	compose exec -T caddy caddy reload --config /etc/caddy/Caddyfile >"$dir/out" 2>&1
}

check_caddyfile() {
	edit_caddyfile 's/idle 60s/idle 61s/'
	is 'Caddy reloads' $? 0
	is 'and sees the file that an editor has written again' "$(compose exec -T caddy caddy adapt --config /etc/caddy/Caddyfile |
		grep -o '"idle_timeout":[0-9]*' | head -n 1)" '"idle_timeout":61000000000'
}

check_logs() {
	compose logs --no-color >"$dir/logs"
	is 'no code and no state is in any log' "$(grep -c "$mark" "$dir/logs")" 0
	is 'Caddy logged requests' "$([ "$(grep -c '"uri":"/api/ms_oauth_callback"' "$dir/logs")" -gt 100 ] && echo yes)" yes
	is 'the server logged requests' "$([ "$(grep -c '"route":"callback"' "$dir/logs")" -gt 100 ] && echo yes)" yes
	edit_caddyfile '/import no_query/d'
	get "https://$NAME/api/ms_oauth_callback?code=$mark-code" >/dev/null
	await 5 1 sh -c "[ \$(docker logs $(ids caddy) 2>&1 | grep -c $mark) -gt 0 ]; echo \$((1 - \$?))"
	is 'a Caddy that logs queries would be noticed' "$saw" 1
}

check_down() {
	compose down -v
	is 'down leaves nothing' "$? $(docker ps -aq)$(docker volume ls -q)" '0 '
}

prepare
check_file
check_up
check_smoke
check_replicas
check_changes
check_caddyfile
check_logs
check_down
summarize
