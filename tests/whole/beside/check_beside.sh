#!/bin/sh
# The files in config/ do what they say: the proxies carry every query byte for byte and keep it out
# of their logs, the alerts fire, and what a deployer copies fits this program.
#   PROGRAM  the server's binary
# `make check-beside` installs the software first.
set -u
: "${PROGRAM:?}"
PATH=$PATH:/usr/sbin:/sbin
for tool in nginx haproxy caddy promtool openssl python3 curl; do
	command -v "$tool" >/dev/null || { echo "check_beside.sh: needs $tool" >&2; exit 1; }
done
here=$(dirname "$0")
dir=$(mktemp -d) || exit 1
echo '{}' >"$dir/empty.json"
pids=
clean_up() {
	for pid in $pids; do
		kill -CONT "$pid" 2>/dev/null
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
NAME=oauth.example.com
MARK=beside-$$-value-of-nobody
tab=$(printf '\t')

well() { # what, command: it has to succeed
	what=$1
	shift
	if "$@" >"$dir/output" 2>&1; then ok "$what"; else not_ok "$what" "$(tail -n 3 "$dir/output")" success; fi
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Waits until a command succeeds, for 30 s.
await() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || return 1
		sleep 0.1
	done
}

stop() { # pid
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# --- the server ---

start_server() { # options
	: >"$dir/log" # the last one's, which listened too
	"$PROGRAM" -c "$dir/empty.json" --listen.address=127.0.0.1 --listen.port=0 \
		--public_url=https://$NAME --microsoft.client_id=11111111-2222-3333-4444-555555555555 \
		"$@" 2>"$dir/log" &
	server=$!
	pids="$pids $server"
	await grep -q '"event":"listening"' "$dir/log"
	port=$(sed -n 's/.*"event":"listening".*"port":\([0-9]*\).*/\1/p' "$dir/log" | head -n 1)
	[ -n "$port" ] || not_ok 'the server listens' "$(cat "$dir/log")" 'a port'
}

# --- each proxy: from the file in config/, with this machine's ports and paths, into $at ---

make_nginx() {
	sed -e "s,127\.0\.0\.1:8080,127.0.0.1:$port," -e "s,listen 443 ssl,listen 127.0.0.1:$tls_port ssl," \
		-e "s,listen \[::\]:443 ssl,listen [::1]:$tls_port ssl," \
		-e "s,/etc/nginx/tls/oauth.example.com,$dir/tls," -e "s,/var/log/nginx,$at/logs," \
		config/nginx.conf >"$at/site.conf"
	{
		[ "$(id -u)" -ne 0 ] || echo 'user root;'
		echo "pid $at/pid; error_log $at/logs/main.log notice; events {} http { access_log $at/logs/other.log;"
		for temp in client_body proxy fastcgi uwsgi scgi; do echo "${temp}_temp_path $at/logs/$temp;"; done
		echo "include $at/site.conf; }"
	} >"$at/nginx.conf"
}
check_nginx() { nginx -t -e "$at/logs/main.log" -c "$at/nginx.conf"; }
run_nginx() { exec nginx -e "$at/logs/main.log" -c "$at/nginx.conf" -g 'daemon off;'; }
second_nginx() { sed -i "s,# server 127\.0\.0\.1:8081 ,server 127.0.0.1:$second_port ," "$at/site.conf"; }
forget_nginx() { sed -i -e 's, no_query;, combined;,' -e 's, emerg;, error;,' "$at/site.conf"; }

make_haproxy() {
	sed -e "s,127\.0\.0\.1:8080,127.0.0.1:$port," -e "s/bind :443,:::443/bind 127.0.0.1:$tls_port,::1:$tls_port/" \
		-e "s,/etc/haproxy/tls/oauth.example.com.pem,$dir/tls.both," \
		config/haproxy.cfg >"$at/haproxy.cfg"
}
check_haproxy() { haproxy -c -f "$at/haproxy.cfg"; }
run_haproxy() { exec haproxy -db -f "$at/haproxy.cfg"; }
# Health is checked more often than in the shipped files, so that ten restarts do not take a minute.
second_haproxy() {
	sed -i -e "s,# server b 127\.0\.0\.1:8081,server b 127.0.0.1:$second_port," -e 's,inter 2s,inter 300ms,' \
		"$at/haproxy.cfg"
}
forget_haproxy() { sed -i -e 's,^ *log-format .*,option httplog,' "$at/haproxy.cfg"; }

make_caddy() {
	export XDG_DATA_HOME="$at/data" XDG_CONFIG_HOME="$at/data"
	sed -e "s,redirectd:8080,127.0.0.1:$port," -e "s,^{\$,&\nadmin off\nauto_https disable_redirects," \
		-e "s,^$NAME {,$NAME:$tls_port {\nbind 127.0.0.1 ::1\ntls $dir/tls.pem $dir/tls.key," \
		config/caddy/Caddyfile >"$at/Caddyfile"
}
check_caddy() { caddy validate --adapter caddyfile --config "$at/Caddyfile"; }
run_caddy() { exec caddy run --adapter caddyfile --config "$at/Caddyfile"; }
second_caddy() {
	sed -i -e "s,reverse_proxy 127.0.0.1:$port,& 127.0.0.1:$second_port," -e 's,interval 2s,interval 300ms,' \
		"$at/Caddyfile"
}
forget_caddy() { sed -i -e 's,import no_query,,' "$at/Caddyfile"; }

send() { # curl options
	curl -q -sk -o /dev/null --max-time 5 --http1.1 --resolve "$NAME:$tls_port:127.0.0.1" "$@" || true
}

answers() { [ "$(send -w '%{http_code}' "https://$NAME:$tls_port/healthz")" = 200 ]; }

start_proxy() { # software, folder, how to spoil it
	at=$dir/$2
	mkdir -p "$at/logs" "$at/data"
	tls_port=$(free_port)
	"make_$1"
	${3:+"$3"}
	well "$2: its configuration is good" "check_$1"
	"run_$1" >"$at/logs/stdout" 2>"$at/logs/stderr" &
	proxy=$!
	pids="$pids $proxy"
	await answers || not_ok "$2: it answers" "$(tail -n 3 "$at/logs/stderr")" 200
}

letters() { head -c "$1" /dev/zero | tr '\000' x; }

# Every way in which a code could get into a log: good, refused by us, refused by the proxy, gone wrong.
strew() {
	site=https://$NAME:$tls_port
	callback=$site/api/ms_oauth_callback
	send "$callback?code=$MARK&state=$MARK" -H "Referer: $callback?code=$MARK" -H "Cookie: a=$MARK"
	send "$callback?code=$MARK&state=$MARK" --http2
	send "$callback/?error=access_denied&state=$MARK" --head
	send "$callback%3Fcode=$MARK"
	send "$site/$MARK?code=$MARK"
	send "$site//api/../$MARK;$MARK"
	send "$site/" --request-target "/api/ms_oauth_callback?code=$MARK x"
	send "$site/" --request-target "/api/ms_oauth_callback?code=$MARK#x"
	send "$site/" --request-target "/api/ms_oauth_callback?code=$MARK$(printf '\001\377')"
	send "$site/" --request-target "http://other.example/api/ms_oauth_callback?code=$MARK"
	send "$callback?code=$MARK$(letters 8192)"
	send "$callback?code=$MARK$(letters 40000)"
	send "$callback?code=$MARK" -H "Host:"
	send "$callback?code=$MARK" -H "X-Long: $MARK$(letters 40000)"
	send "$callback?code=$MARK" -H "Transfer-Encoding: $MARK"
	send "http://$NAME:$tls_port/api/ms_oauth_callback?code=$MARK"
	send "$site/connect?recall_calendar_auth_token=$MARK"
	send "$site/connect" --data "recall_calendar_auth_token=$MARK"
	send "$site/connect?login_hint=$MARK" --data "recall_calendar_auth_token=$MARK$(letters 40000)"
	kill -STOP "$server"
	send "$callback?code=$MARK" --max-time 1
	kill -CONT "$server"
	stop "$server"
	send "$callback?code=$MARK"
	send "$site/connect" --data "recall_calendar_auth_token=$MARK"
	sleep 0.5
}

marked() { grep -rl -e "$MARK" "$at/logs" | wc -l | tr -d ' '; }

check_proxy() { # software
	start_server --admin.port=0
	start_proxy "$1" "$1"
	CURL_OPTIONS="-k --resolve $NAME:$tls_port:127.0.0.1" \
		sh tests/whole/curl/smoke.sh "https://$NAME:$tls_port" >"$dir/smoke" 2>&1
	is "$1: smoke passes through it, every query byte for byte" $? 0
	grep '^not ok' "$dir/smoke" | sed 's/^/# /'
	is "$1: smoke skips nothing" "$(grep -c '^# skipped' "$dir/smoke")" 0
	is "$1: it answers over IPv6, too" "$(curl -q -sk -o /dev/null -w '%{http_code}' --max-time 5 \
		--resolve "$NAME:$tls_port:[::1]" "https://$NAME:$tls_port/healthz")" 200
	is "$1: nothing that smoke sent is in its logs" \
		"$(grep -rl -e smoke-value -e evil.example -e fake "$at/logs")" ''
	is "$1: its log holds the requests" \
		"$([ "$(cat "$at"/logs/* 2>/dev/null | grep -c -F /api/ms_oauth_callback)" -gt 50 ] && echo yes)" yes
	before=$(cat "$at"/logs/* 2>/dev/null | wc -l)
	strew
	is "$1: its log holds those that went wrong" \
		"$([ "$(cat "$at"/logs/* 2>/dev/null | wc -l)" -gt $((before + 12)) ] && echo yes)" yes
	is "$1: no code, state or token is in its logs" "$(marked)" 0
	[ "$(marked)" = 0 ] || grep -rh -e "$MARK" "$at/logs" | cut -c 1-300 | sed 's/^/# /'
	stop "$proxy"

	start_server --admin.port=0
	start_proxy "$1" "$1-by-default" "forget_$1"
	strew
	is "$1: with its own log, they would be" "$([ "$(marked)" -gt 0 ] && echo yes)" yes
	stop "$proxy"
}

make_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 60 \
		-subj "/CN=$NAME" -addext "subjectAltName=DNS:$NAME" \
		-keyout "$dir/tls.key" -out "$dir/tls.pem" 2>"$dir/openssl" &&
		cat "$dir/tls.pem" "$dir/tls.key" >"$dir/tls.both"
}

"$PROGRAM" -c "$dir/empty.json" config >"$dir/config" 2>/dev/null
idle_seconds=$(sed -n 's/^limits.idle_seconds = \([0-9]*\).*/\1/p' "$dir/config")

# Whoever keeps a connection to us must be the one who closes it.
kept_shorter() { # file, sed expression that prints the seconds
	seconds=$(sed -n "$2" "$1")
	is "$1: connections end before limits.idle_seconds ends them" \
		"$([ -n "$seconds" ] && [ "$seconds" -lt "${idle_seconds:-0}" ] && echo yes)" yes
}
kept_shorter config/nginx.conf 's/^ *keepalive_timeout \([0-9]*\)s;.*/\1/p'
kept_shorter config/haproxy.cfg 's/^ *timeout http-keep-alive \([0-9]*\)s.*/\1/p'
kept_shorter config/caddy/Caddyfile 's/^[ 	]*keepalive \([0-9]*\)s.*/\1/p'

make_certificate || not_ok 'a certificate' "$(cat "$dir/openssl")" 'a pair'
for software in nginx haproxy caddy; do
	check_proxy "$software"
done

# --- two replicas behind a proxy, under load ---

start_replica() { # a or b
	case $1 in a) replica_port=$port ;; b) replica_port=$second_port ;; esac
	: >"$dir/replica-$1"
	# Readiness fails for longer than the proxy needs to see it: two questions, 300 ms apart.
	"$PROGRAM" -c "$dir/empty.json" --listen.address=127.0.0.1 --listen.port="$replica_port" \
		--admin.port=0 --shutdown.delay_seconds=1 2>"$dir/replica-$1" &
	eval "replica_$1=$!"
	pids="$pids $!"
}

pid_of() { eval "echo \$replica_$1"; } # a or b

serves() { grep -q '"route":"callback"' "$dir/replica-$1"; } # a or b

# Until the proxy gives it work again, which is when an operator may touch the other one.
bring_back() { # a or b
	start_replica "$1"
	await serves "$1" || not_ok "$software: replica $1 gets work again" "$(tail -n 1 "$dir/replica-$1")" requests
}

start_load() {
	python3 "$here/../../process/load.py" "$tls_port" "$MARK" tls >"$dir/load" 2>&1 &
	load=$!
	pids="$pids $load"
	sleep 1
	for replica in a b; do
		await serves $replica || not_ok "$software: replica $replica serves" nothing requests
	done
}

end_load() { # what, exit status
	sleep 1
	stop "$load"
	lost=$?
	is "$software: $1: $(cat "$dir/load")" $lost "$2"
}

restart_replicas() {
	for replica in a b; do
		kill "$(pid_of $replica)"
		wait "$(pid_of $replica)" || not_ok "$software: a replica ends well" $? 0
		bring_back $replica
	done
}

kill_replica() { # a or b
	kill -KILL "$(pid_of "$1")"
	wait "$(pid_of "$1")" 2>/dev/null
}

check_replicas() { # software
	port=$(free_port)
	second_port=$(free_port)
	start_replica a
	start_replica b
	start_proxy "$1" "$1-replicas" "second_$1"
	start_load
	for _ in 1 2 3 4 5; do restart_replicas; done
	end_load '5 rolling restarts of two replicas lose nothing' 0
	start_load
	kill_replica a
	sleep 3
	bring_back a
	end_load 'a replica that is killed and started again loses nothing' 0
	start_load
	kill_replica a
	kill_replica b
	sleep 6 # twice as long as Caddy tries again
	start_replica a
	start_replica b
	end_load 'the load would notice a loss' 1
	for replica in $(pid_of a) $(pid_of b) "$proxy"; do stop "$replica"; done
}
for software in nginx haproxy caddy; do
	check_replicas "$software"
done

# --- no request, whatever it is, costs another client a request ---

send_hostile() { # what, exit status, arguments
	wanted=$2
	what="$software: $1"
	shift 2
	python3 "$here/hostile.py" "$tls_port" "$@" >"$dir/hostile" 2>&1
	status=$?
	is "$what: $(tail -n 1 "$dir/hostile")" $status "$wanted"
	[ $status -eq "$wanted" ] || sed '$d; s/^/# /' "$dir/hostile" | head -n 20
}

check_hostile() { # software
	port=$(free_port)
	second_port=$(free_port)
	start_replica a
	start_replica b
	start_proxy "$1" "$1-hostile" "second_$1"
	send_hostile 'none of the hostile requests costs another client one' 0
	# Caddy itself answers a body with 502 where it cannot read it.
	[ "$1" = caddy ] || has_not "$1: the replicas answer each of them" "$(tail -n 1 "$dir/hostile")" "'502'"
	for replica in $(pid_of a) $(pid_of b) "$proxy"; do stop "$replica"; done
}

# The same for whatever a replica may do with a request; and the proxy that judges replicas by it.
judge_nginx() { second_nginx; sed -i 's, max_fails=0, max_fails=1,' "$at/site.conf"; }
judge_haproxy() {
	second_haproxy
	sed -i 's,default-server ,&observe layer7 error-limit 1 on-error mark-down ,' "$at/haproxy.cfg"
}
judge_caddy() {
	second_caddy
	sed -i -e 's,health_uri,fail_duration 2s\n&,' -e 's,lb_try_duration 3s,lb_try_duration 100ms,' "$at/Caddyfile"
}

check_misbehaving() { # software
	port=$(free_port)
	second_port=$(free_port)
	replicas=
	for replica_port in "$port" "$second_port"; do
		python3 "$here/misbehaving.py" "$replica_port" 2>/dev/null &
		replicas="$replicas $!"
	done
	pids="$pids $replicas"
	start_proxy "$1" "$1-misbehaving" "second_$1"
	send_hostile 'no misbehaviour of a replica costs another client a request' 0 misbehaviour
	stop "$proxy"
	start_proxy "$1" "$1-judging" "judge_$1"
	send_hostile 'a proxy that judges replicas by it would' 1 misbehaviour
	for pid in $replicas "$proxy"; do stop "$pid"; done
}
for software in nginx haproxy caddy; do
	check_hostile "$software"
	check_misbehaving "$software"
done

# --- the metrics and the alerts ---

lint_metrics() { promtool check metrics <"$1"; } # file

# Whether what the rules name is what the server exports: metrics, and values of labels.
names_of() { # pattern
	sed -n '/expr:/,/annotations:/p' config/prometheus-alerts.yaml | grep -oE "$1" | sort -u
}

check_metrics() {
	admin_port=$(free_port)
	start_server --admin.port="$admin_port" --tls.certificate="$dir/tls.pem" --tls.private_key="$dir/tls.key"
	await curl -q -sf -o "$dir/metrics" "http://127.0.0.1:$admin_port/metrics" ||
		not_ok 'the admin listener answers /metrics' "$(tail -n 1 "$dir/log")" 200
	sed '/# HELP redirectd_callbacks_total/d' "$dir/metrics" >"$dir/spoilt"
	well 'promtool check metrics' lint_metrics "$dir/metrics"
	is 'promtool would notice a metric without a help' "$(lint_metrics "$dir/spoilt" 2>&1)" \
		'redirectd_callbacks_total no help text'
	for name in $(names_of 'redirectd_[a-z_]+'); do
		is "the server exports $name" "$(grep -c -m 1 -E "^${name}[ {]" "$dir/metrics")" 1
	done
	for pair in $(names_of '[a-z]+!?="[a-z0-9_]+"' | grep -v '^job' | tr -d '!'); do
		is "the server exports a series with $pair" "$(grep -c -m 1 -F "$pair" "$dir/metrics")" 1
	done
	for route in $(names_of '"[a-z]+\|[a-z]+"' | tr -d '"' | tr '|' ' '); do
		is "the server exports a series with route $route" "$(grep -c -m 1 "route=\"$route\"" "$dir/metrics")" 1
	done
	paths=$(grep -o 'httpGet: {path: [a-z/]*, port: admin}' config/kubernetes.yaml | grep -o '/[a-z]*')
	for path in $paths; do
		well "the admin listener answers $path, which Kubernetes asks" \
			curl -q -sf "http://127.0.0.1:$admin_port$path"
	done
	stop "$server"
}
check_metrics

# Each alert fires on a series that is made up for it, and on no other.
write_alert_tests() {
	rules=$(pwd)/config/prometheus-alerts.yaml
	alerts=$(grep -o -e 'alert: .*' "$rules" | cut -d ' ' -f 2)
	instance='job="recall-redirectd",instance="a"'
	printf 'rule_files: ["%s"]\nevaluation_interval: 1m\ntests:\n' "$rules"
	while IFS='|' read -r alert series values; do
		[ -n "$alert" ] || continue
		printf '  - interval: 1m\n    input_series:\n'
		printf "      - {series: 'up{%s}', values: '%s'}\n" "$instance" \
			"$(case $alert in RedirectdDown) echo 0x40 ;; *) echo 1x40 ;; esac)"
		[ "$alert" != RedirectdReplicaDown ] ||
			printf "      - {series: 'up{job=\"recall-redirectd\",instance=\"b\"}', values: '0x40'}\n"
		[ -z "$series" ] || printf '%s\n' "$series" | tr ';' '\n' | while read -r one; do
			printf "      - {series: '%s', values: '%s'}\n" \
				"$(printf '%s' "$one" | sed "s/INSTANCE/$instance/")" "${values%%;*}"
			values=${values#*;}
		done
		# At 30 minutes: all alerts that fire, by name.
		printf "    promql_expr_test:\n      - expr: 'count by (alertname) (ALERTS{alertstate=\"firing\"})'\n"
		printf "        eval_time: 30m\n        exp_samples:\n"
		for name in $alerts; do
			case $name in
			"$alert") ;;
			RedirectdReplicaDown) [ "$alert" = RedirectdDown ] || continue ;;
			*) continue ;;
			esac
			printf "          - {labels: '{alertname=\"%s\"}', value: 1}\n" "$name"
		done
	done <<'TABLE'
RedirectdDown||
RedirectdReplicaDown||
RedirectdServerErrors|redirectd_http_requests_total{INSTANCE,route="callback",code="302"};redirectd_http_requests_total{INSTANCE,route="connect",code="503"}|0+100x40;0+2x40
RedirectdAdminWall|redirectd_callbacks_total{INSTANCE,provider="microsoft",outcome="admin_wall"};redirectd_callbacks_total{INSTANCE,provider="microsoft",outcome="error"}|0+1x40;0+1x40
RedirectdCallbackErrors|redirectd_callback_errors_total{INSTANCE,provider="google",error="server_error"};redirectd_callback_errors_total{INSTANCE,provider="microsoft",error="server_error"}|0+1x40;0x40
RedirectdBindingMismatch|redirectd_binding_total{INSTANCE,provider="google",result="mismatch"}|0+1x40
RedirectdCertificateExpires|redirectd_tls_certificate_expiry_timestamp_seconds{INSTANCE}|1200000x40
RedirectdReloadFailed|redirectd_config_reload_success{INSTANCE}|0x40
RedirectdOtherProtocol|redirectd_connections_rejected_total{INSTANCE,reason="protocol"}|0+10x40
RedirectdConnectionsRejected|redirectd_connections_rejected_total{INSTANCE,reason="limit"}|0+1x40
RedirectdSlow|redirectd_http_request_duration_seconds_bucket{INSTANCE,le="0.05"};redirectd_http_request_duration_seconds_bucket{INSTANCE,le="0.1"};redirectd_http_request_duration_seconds_bucket{INSTANCE,le="+Inf"}|0+98x40;0+100x40;0+100x40
nothing|redirectd_http_requests_total{INSTANCE,route="callback",code="302"};redirectd_http_requests_total{INSTANCE,route="readyz",code="503"};redirectd_http_request_duration_seconds_bucket{INSTANCE,le="0.0001"};redirectd_http_request_duration_seconds_bucket{INSTANCE,le="+Inf"};redirectd_config_reload_success{INSTANCE};redirectd_tls_certificate_expiry_timestamp_seconds{INSTANCE};redirectd_binding_total{INSTANCE,provider="microsoft",result="missing"};redirectd_connections_rejected_total{INSTANCE,reason="deadline"};redirectd_connections_rejected_total{INSTANCE,reason="protocol"};redirectd_callback_errors_total{INSTANCE,provider="microsoft",error="access_denied"}|0+100x40;0+100x40;0+100x40;0+100x40;1x40;9999999x40;0+9x40;0+9x40;0+1x40;0x40
TABLE
}

well 'the alert rules are good' promtool check rules config/prometheus-alerts.yaml
write_alert_tests >"$dir/alert-tests.yaml"
is 'every alert has a test' "$(grep -c 'expr: .count by' "$dir/alert-tests.yaml")" \
	$(($(grep -c -e '- alert:' config/prometheus-alerts.yaml) + 1))
well 'each alert fires on what it is for, and nothing else does' promtool test rules "$dir/alert-tests.yaml"

# --- compose and Kubernetes ---

# Whether the program knows every variable and finds nothing wrong with the values.
check_environment() { # whose
	set --  "$1" PATH="$PATH"
	while IFS= read -r pair; do
		set -- "$@" "$pair"
	done <"$dir/environment.$1"
	whose=$1
	shift
	env -i "$@" "$PROGRAM" -c "$dir/empty.json" check >"$dir/check" 2>&1
	is "$whose: its variables pass check" $? 0
	is "$whose: without a warning but that its values are examples" \
		"$(grep -E '^(error|warning)' "$dir/check" | grep -v "is the example's; use your own" | head -n 3)" ''
	is "$whose: they are the program's" "$(grep -vc '^REDIRECTD_' "$dir/environment.$whose")" 0
}

version=$("$PROGRAM" --version | sed -n '1s/^recall-redirectd \([0-9.]*\).*/\1/p')
python3 "$here/manifests.py" "$dir" "$dir/config" "$version" >"$dir/manifests" 2>"$dir/python" ||
	not_ok 'compose and Kubernetes have the parts that they need' "$(tail -n 1 "$dir/python")" 'all of them'
while IFS=$tab read -r result what; do
	if [ "$result" = ok ]; then ok "$what"; else not_ok "$what" 'something else' 'what it says'; fi
done <"$dir/manifests"
check_environment compose
check_environment kubernetes

summarize
