#!/bin/sh
# The files in config/ do what they say: the proxies carry every query byte for byte and keep it out
# of their logs, the alerts fire, and what a deployer copies fits this program.
#   PROGRAM  the server's binary       WRAPPER  a tool to run it under, such as valgrind
# Installs nothing: what needs a tool that is not there is skipped, and said.
set -u
: "${PROGRAM:?}"
NO_PROXY='*'
no_proxy='*'
export NO_PROXY no_proxy
for variable in $(env | sed -n 's/^\(REDIRECTD_[A-Za-z0-9_]*\)=.*/\1/p'); do
	unset "$variable"
done

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
passed=0
failed=0
NAME=oauth.example.com
MARK=beside-$$-value-of-nobody
tab=$(printf '\t')

ok() {
	passed=$((passed + 1))
	printf 'ok %d - %s\n' $((passed + failed)) "$1"
}

not_ok() { # what, saw, wanted
	failed=$((failed + 1))
	printf 'not ok %d - %s (saw %s, wanted %s)\n' $((passed + failed)) "$1" "$2" "$3"
}

is() { # what, saw, wanted
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "$2" "$3"; fi
}

well() { # what, command: it has to succeed
	what=$1
	shift
	if "$@" >"$dir/output" 2>&1; then ok "$what"; else not_ok "$what" "$(tail -n 3 "$dir/output")" success; fi
}

has_tools() { # what for, tools
	what_for=$1
	shift
	for tool in "$@"; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null && continue
		echo "# skipped: $what_for: $tool is not installed"
		return 1
	done
}
PATH=$PATH:/usr/sbin:/sbin

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Waits until a command succeeds: 60 s, since valgrind is slow to start.
await() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || return 1
		sleep 0.1
	done
}

stop() { # pid
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# --- the server ---

start_server() { # options
	# shellcheck disable=SC2086 # WRAPPER is several words
	${WRAPPER:-} "$PROGRAM" -c "$dir/empty.json" --listen.address=127.0.0.1 --listen.port=0 \
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
forget_nginx() { sed -i -e 's, no_query;, combined;,' -e 's, emerg;, error;,' "$at/site.conf"; }

make_haproxy() {
	sed -e "s,127\.0\.0\.1:8080,127.0.0.1:$port," -e "s,bind :443,bind 127.0.0.1:$tls_port," \
		-e "s,/etc/haproxy/tls/oauth.example.com.pem,$dir/tls.both," \
		config/haproxy.cfg >"$at/haproxy.cfg"
}
check_haproxy() { haproxy -c -f "$at/haproxy.cfg"; }
run_haproxy() { exec haproxy -db -f "$at/haproxy.cfg"; }
forget_haproxy() { sed -i -e 's,^ *log-format .*,option httplog,' "$at/haproxy.cfg"; }

make_caddy() {
	export XDG_DATA_HOME="$at/data" XDG_CONFIG_HOME="$at/data"
	sed -e "s,redirectd:8080,127.0.0.1:$port," -e "s,^{\$,&\nadmin off\nauto_https disable_redirects," \
		-e "s,^$NAME {,$NAME:$tls_port {\nbind 127.0.0.1\ntls $dir/tls.pem $dir/tls.key," \
		config/Caddyfile >"$at/Caddyfile"
}
check_caddy() { caddy validate --adapter caddyfile --config "$at/Caddyfile"; }
run_caddy() { exec caddy run --adapter caddyfile --config "$at/Caddyfile"; }
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
		sh tests/curl/smoke.sh "https://$NAME:$tls_port" >"$dir/smoke" 2>&1
	is "$1: smoke passes through it, every query byte for byte" $? 0
	grep '^not ok' "$dir/smoke" | sed 's/^/# /'
	is "$1: smoke skips nothing" "$(grep -c '^# skipped' "$dir/smoke")" 0
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
kept_shorter config/Caddyfile 's/^[ 	]*keepalive \([0-9]*\)s.*/\1/p'

if has_tools 'the proxies' openssl && make_certificate; then
	for software in nginx haproxy caddy; do
		has_tools "config/ for $software" "$software" && check_proxy "$software"
	done
fi

# --- the alerts ---

# Whether what the rules name is what the server exports: metrics, and values of labels.
names_of() { # pattern
	sed -n '/expr:/,/annotations:/p' config/prometheus-alerts.yaml | grep -oE "$1" | sort -u
}

check_alert_names() {
	admin_port=$(free_port)
	start_server --admin.port="$admin_port" --tls.certificate="$dir/tls.pem" --tls.private_key="$dir/tls.key"
	await curl -q -sf -o "$dir/metrics" "http://127.0.0.1:$admin_port/metrics" ||
		not_ok 'the admin listener answers /metrics' "$(tail -n 1 "$dir/log")" 200
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
! has_tools 'names of metrics' openssl || check_alert_names

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
RedirectdCallbackErrors|redirectd_callback_errors_total{INSTANCE,error="server_error"}|0+1x40
RedirectdBindingMismatch|redirectd_binding_total{INSTANCE,result="mismatch"}|0+1x40
RedirectdCertificateExpires|redirectd_tls_certificate_expiry_timestamp_seconds{INSTANCE}|1200000x40
RedirectdReloadFailed|redirectd_config_reload_success{INSTANCE}|0x40
RedirectdConnectionsRejected|redirectd_connections_rejected_total{INSTANCE,reason="limit"}|0+1x40
RedirectdSlow|redirectd_http_request_duration_seconds_bucket{INSTANCE,le="0.05"};redirectd_http_request_duration_seconds_bucket{INSTANCE,le="0.1"};redirectd_http_request_duration_seconds_bucket{INSTANCE,le="+Inf"}|0+98x40;0+100x40;0+100x40
nothing|redirectd_http_requests_total{INSTANCE,route="callback",code="302"};redirectd_http_requests_total{INSTANCE,route="readyz",code="503"};redirectd_http_request_duration_seconds_bucket{INSTANCE,le="0.0001"};redirectd_http_request_duration_seconds_bucket{INSTANCE,le="+Inf"};redirectd_config_reload_success{INSTANCE};redirectd_tls_certificate_expiry_timestamp_seconds{INSTANCE};redirectd_binding_total{INSTANCE,result="missing"};redirectd_connections_rejected_total{INSTANCE,reason="deadline"};redirectd_callback_errors_total{INSTANCE,error="access_denied"}|0+100x40;0+100x40;0+100x40;0+100x40;1x40;9999999x40;0+9x40;0+9x40;0x40
TABLE
}

if has_tools 'config/prometheus-alerts.yaml' promtool; then
	well 'the alert rules are good' promtool check rules config/prometheus-alerts.yaml
	write_alert_tests >"$dir/alert-tests.yaml"
	is 'every alert has a test' "$(grep -c 'expr: .count by' "$dir/alert-tests.yaml")" \
		$(($(grep -c -e '- alert:' config/prometheus-alerts.yaml) + 1))
	well 'each alert fires on what it is for, and nothing else does' promtool test rules "$dir/alert-tests.yaml"
fi

# --- compose and Kubernetes ---

cat >"$dir/structure.py" <<'PYTHON'
"""Prints what holds and what does not: a line each of ok or bad, and what. Writes the environments."""
import json, re, sys
import yaml

folder, config_lines, version = sys.argv[1], open(sys.argv[2]).read(), sys.argv[3]
default = lambda key: re.search(r"^%s = (\d+)" % re.escape(key), config_lines, re.M).group(1)
seconds = lambda text: int(re.fullmatch(r"(\d+)s", text).group(1))
say = lambda what, good: print("ok" if good else "bad", what, sep="\t")

def write_environment(name, pairs):
    with open(f"{folder}/environment.{name}", "w") as out:
        for key, value in pairs:
            say(f"{name}: {key} is text", isinstance(value, str))
            out.write(f"{key}={value}\n")

def compose():
    doc = yaml.safe_load(open("config/compose.yaml"))
    ours, caddy = doc["services"]["redirectd"], doc["services"]["caddy"]
    docker = open("Dockerfile").read()
    binary = json.loads(re.search(r"^ENTRYPOINT (.*)", docker, re.M).group(1))
    write_environment("compose", ours["environment"].items())
    for name, service in doc["services"].items():
        say(f"compose: {name} has a read-only root", service["read_only"] is True)
        say(f"compose: {name} drops all capabilities", service["cap_drop"] == ["ALL"])
        say(f"compose: {name} gains no privileges", service["security_opt"] == ["no-new-privileges:true"])
        say(f"compose: {name} has limits", service["mem_limit"] and service["pids_limit"])
        say(f"compose: {name} is in networks that are there", set(service["networks"]) <= set(doc["networks"]))
        say(f"compose: {name} is restarted", service["restart"] == "unless-stopped")
    say("compose: the image is this version's", ours["image"] == f"recall-redirectd:{version}")
    say("compose: the health check is the binary's", ours["healthcheck"]["test"] == ["CMD", *binary, "healthcheck"])
    say("compose: as in the Dockerfile", json.dumps(ours["healthcheck"]["test"][1:]) in docker)
    say("compose: nobody but Caddy reaches us", "ports" not in ours and ours["networks"] == ["back"]
        and doc["networks"]["back"]["internal"] is True)
    say("compose: Caddy is published", {"80:80", "443:443"} <= set(caddy["ports"]))
    say("compose: time to stop", seconds(ours["stop_grace_period"]) > int(default("shutdown.timeout_seconds")))
    say("compose: Caddy starts after us", caddy["depends_on"]["redirectd"]["condition"] == "service_healthy")
    caddyfile = open("config/Caddyfile").read()
    say("compose: Caddy proxies to us", f"reverse_proxy redirectd:{default('listen.port')} " in caddyfile)
    say("compose: Caddy has the public name",
        "\n" + ours["environment"]["REDIRECTD_PUBLIC_URL"].removeprefix("https://") + " {\n" in caddyfile)
    mounts = [volume.split(":")[0] for volume in caddy["volumes"]]
    say("compose: every volume is there", {m for m in mounts if m[0] != "."} == set(doc["volumes"])
        and [m for m in mounts if m[0] == "."] == ["./Caddyfile"])

def kubernetes():
    docs = {doc["kind"]: doc for doc in yaml.safe_load_all(open("config/kubernetes.yaml"))}
    say("kubernetes: all that is promised", set(docs) ==
        {"Deployment", "PodDisruptionBudget", "Service", "Ingress", "NetworkPolicy"})
    versions = {kind: doc["apiVersion"] for kind, doc in docs.items()}
    say("kubernetes: current API versions", versions == {"Deployment": "apps/v1",
        "PodDisruptionBudget": "policy/v1", "Service": "v1", "Ingress": "networking.k8s.io/v1",
        "NetworkPolicy": "networking.k8s.io/v1"})
    spec = docs["Deployment"]["spec"]
    pod, labels = spec["template"]["spec"], spec["template"]["metadata"]["labels"]
    (ours,) = pod["containers"]
    environment = {pair["name"]: pair["value"] for pair in ours["env"]}
    write_environment("kubernetes", environment.items())
    say("kubernetes: no variable twice", len(environment) == len(ours["env"]))
    say("kubernetes: two replicas, one of which may go", spec["replicas"] == 2
        and docs["PodDisruptionBudget"]["spec"]["minAvailable"] == 1)
    say("kubernetes: every selector selects our pods", all(selected == labels for selected in [
        spec["selector"]["matchLabels"], docs["Service"]["spec"]["selector"],
        docs["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        docs["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]]))
    ports = {port["name"]: str(port["containerPort"]) for port in ours["ports"]}
    say("kubernetes: the ports are the program's",
        ports == {"http": default("listen.port"), "admin": default("admin.port")})
    probe = lambda name: ours[name]["httpGet"]
    say("kubernetes: readiness", probe("readinessProbe") == {"path": "/readyz", "port": "admin"})
    say("kubernetes: liveness", probe("livenessProbe") == {"path": "/healthz", "port": "admin"})
    say("kubernetes: the Service has the public port alone",
        [port["targetPort"] for port in docs["Service"]["spec"]["ports"]] == ["http"])
    rule = docs["Ingress"]["spec"]["rules"][0]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    say("kubernetes: the Ingress leads to the Service", backend == {
        "name": docs["Service"]["metadata"]["name"],
        "port": {"name": docs["Service"]["spec"]["ports"][0]["name"]}})
    say("kubernetes: under the public name", "https://" + rule["host"] == environment["REDIRECTD_PUBLIC_URL"]
        and docs["Ingress"]["spec"]["tls"][0]["hosts"] == [rule["host"]])
    say("kubernetes: the Ingress logs no query", docs["Ingress"]["metadata"]["annotations"]
        ["nginx.ingress.kubernetes.io/enable-access-log"] == "false")
    policy = docs["NetworkPolicy"]["spec"]
    say("kubernetes: no way out", policy["egress"] == [] and set(policy["policyTypes"]) == {"Ingress", "Egress"})
    say("kubernetes: each port has its own callers",
        [rule["ports"][0]["port"] for rule in policy["ingress"]] == ["http", "admin"]
        and all(rule["from"] for rule in policy["ingress"]))
    security, own = pod["securityContext"], ours["securityContext"]
    say("kubernetes: restricted", security["runAsNonRoot"] is True and security["runAsUser"] == 65532
        and security["seccompProfile"] == {"type": "RuntimeDefault"} and own == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
    say("kubernetes: the user is the image's", f"USER {security['runAsUser']}:{security['runAsGroup']}\n"
        in open("Dockerfile").read())
    say("kubernetes: no variables of services, no token", pod["enableServiceLinks"] is False
        and pod["automountServiceAccountToken"] is False)
    ending = sum(int(environment[f"REDIRECTD_SHUTDOWN_{what}_SECONDS"]) for what in ("DELAY", "TIMEOUT"))
    ready = ours["readinessProbe"]
    say("kubernetes: time to stop", pod["terminationGracePeriodSeconds"] > ending)
    say("kubernetes: the delay is longer than readiness takes to fail", ready["periodSeconds"]
        * ready["failureThreshold"] < int(environment["REDIRECTD_SHUTDOWN_DELAY_SECONDS"]))
    say("kubernetes: the image is this version's", ours["image"].endswith(f"/recall-redirectd:{version}"))

compose()
kubernetes()
PYTHON

# Whether the program knows every variable and finds nothing wrong with the values.
check_environment() { # whose
	set --  "$1" PATH="$PATH"
	while IFS= read -r pair; do
		set -- "$@" "$pair"
	done <"$dir/environment.$1"
	whose=$1
	shift
	# shellcheck disable=SC2086 # WRAPPER is several words
	env -i "$@" ${WRAPPER:-} "$PROGRAM" -c "$dir/empty.json" check >"$dir/check" 2>&1
	is "$whose: its variables pass check" $? 0
	is "$whose: without a warning" "$(grep -E '^(error|warning)' "$dir/check" | head -n 3)" ''
	is "$whose: they are the program's" "$(grep -vc '^REDIRECTD_' "$dir/environment.$whose")" 0
}

if ! python3 -c 'import yaml' 2>/dev/null; then
	echo '# skipped: compose and Kubernetes: python3-yaml is not installed'
else
	version=$("$PROGRAM" --version | sed -n '1s/^recall-redirectd \([0-9.]*\).*/\1/p')
	if ! python3 "$dir/structure.py" "$dir" "$dir/config" "$version" >"$dir/structure" 2>"$dir/python"; then
		not_ok 'compose and Kubernetes have the parts that they need' "$(tail -n 1 "$dir/python")" 'all of them'
	fi
	while IFS=$tab read -r result what; do
		if [ "$result" = ok ]; then ok "$what"; else not_ok "$what" 'something else' 'what it says'; fi
	done <"$dir/structure"
	check_environment compose
	check_environment kubernetes
fi

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
