#!/bin/sh
# The units under a real systemd: those of this tree, installed into a Debian that container.sh boots.
#   PROGRAM  the server's binary, in the folder where it was built, on the Debian of SUITE
#   SUITE    see container.sh
set -u
: "${PROGRAM:?}"
build=$(dirname "$PROGRAM")
here=$(dirname "$0")
callback=/api/ms_oauth_callback
mark=mark-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')

# shellcheck source=tests/whole/systemd/container.sh
. "$here/container.sh"
open_tree
run_make() { # target, prefix
	make --no-print-directory -s -o "$build/recall-redirectd" BUILD="$build" "$1" \
		DESTDIR="$root" PREFIX="$2" >"$dir/make.log" 2>&1 || stop "make $1: $(tail -n 1 "$dir/make.log")"
}
run_make install /usr
units=$root/lib/systemd/system
cp "$units/$service" "$dir/$service"

# --- without running anything ---

verify() { # options
	systemd-analyze verify --recursive-errors=no --man=no --root="$root" "$service" \
		recall-redirectd.socket recall-redirectd-admin.socket >"$dir/verify" 2>&1 && echo good || echo bad
}

# What systemd-analyze security holds against a unit, in its own words for the settings.
faults() { # file
	systemd-analyze security --offline=true --no-pager --json=short "$1" 2>/dev/null | python3 -c '
import json, sys
print(*sorted(item["name"] for item in json.load(sys.stdin) if float(item["exposure"] or 0) > 0))'
}

# RootDirectory= needs a tree of its own, AF_UNIX is for sd_notify, ProtectClock= lets /dev/rtc be read.
few='DeviceAllow= RestrictAddressFamilies=~AF_UNIX RootDirectory=/RootImage='

check_units() {
	is 'systemd-analyze verify' "$(verify) $(head -n 1 "$dir/verify")" 'good '
	sed 's/^PrivateTmp=/PrivateTemp=/' "$dir/$service" >"$units/$service"
	is 'systemd-analyze verify would notice a misspelt line' "$(verify)" bad
	cp "$dir/$service" "$units/$service"
	systemd-analyze security --offline=true --threshold=8 --no-pager "$units/$service" >"$dir/security" 2>&1
	result=$?
	is "exposure is at most 0.8:$(sed -n 's/.*level for[^:]*://p' "$dir/security" | tr -cd ' 0-9.A-Z')" $result 0
	is 'of the sandbox, nothing else is missing' "$(faults "$units/$service")" "$few"
	mkdir "$dir/mutant"
	sed 's/^DynamicUser=.*/User=daemon/' "$dir/$service" >"$dir/fixed"
	cp "$dir/fixed" "$dir/mutant/$service"
	is 'nor with a fixed user' "$(faults "$dir/mutant/$service")" "$few"
	for socket in $sockets; do
		is "$socket: no ReusePort" "$(grep -c '^ReusePort' "$units/$socket")" 0
	done
}

# ExecPaths= is a permission: with it nothing is taken away.
sandbox_lines() { sed -n '/^# --- sandbox/,/^\[/p' "$dir/$service" | grep -v '^#\|^\[\|^$\|^ExecPaths='; }

without() { grep -vxF -e "$1" "$2"; } # line, file

# Each line of the sandbox is taken out. Those that DynamicUser= implies are taken out of a unit
# with a fixed user. Lines that systemd-analyze doesn't judge are left for the running service.
check_each_line() {
	mutant=$dir/mutant/$service
	: >"$dir/unjudged"
	sandbox_lines >"$dir/lines"
	while IFS= read -r line; do
		without "$line" "$dir/$service" >"$mutant"
		missed=$(faults "$mutant")
		without "$line" "$dir/fixed" >"$mutant"
		if [ "$missed" != "$few" ] || [ "$(faults "$mutant")" != "$few" ]; then
			ok "systemd-analyze misses: $line"
		else
			printf '%s\n' "$line" >>"$dir/unjudged"
		fi
	done <"$dir/lines"
}

# --- what is known of it in the container ---

# The server as this machine knows it: the container has process ids of its own.
main_pid() {
	own=$(property MainPID)
	[ "$own" != 0 ] || return 1
	for status in /proc/[0-9]*/status; do
		awk -v own="$own" '$1 == "Name:" { name = $2 } $1 == "NSpid:" { if ($NF == own && NF > 2 &&
			name == "recall-redirect") print $2 }' "$status" 2>/dev/null
	done | while read -r pid; do
		[ "$(readlink "/proc/$pid/ns/pid")" = "$(readlink "/proc/$leader/ns/pid")" ] && echo "$pid"
	done
}

metric() { # name
	nsenter -t "$leader" -n curl -q -s --noproxy '*' --max-time 10 http://127.0.0.1:9464/metrics |
		sed -n "s/^$1 //p"
}

configure() { printf '%s\n' "$1" >"$root/etc/recall-redirectd/config.json"; }

# Lines of a drop-in, or none.
drop_in() {
	mkdir -p "$root/etc/systemd/system/$service.d"
	if [ $# -eq 0 ]; then
		rm -f "$root/etc/systemd/system/$service.d/check.conf"
	else
		printf '[Service]\n' >"$root/etc/systemd/system/$service.d/check.conf"
		printf '%s\n' "$@" >>"$root/etc/systemd/system/$service.d/check.conf"
	fi
	inside systemctl daemon-reload
}

stop_service() { inside systemctl stop "$service" 2>/dev/null; }

# However often it has been done before: the limit of starts is not what is tested here.
restart() {
	inside systemctl reset-failed "$service" 2>/dev/null
	inside systemctl restart "$service" 2>/dev/null
}

bad='{"listen.prot": 8080}'
good='{"public_url": "https://oauth.example.com",
	"microsoft.client_id": "11111111-2222-3333-4444-555555555555"}'

# --- start ---

check_start() {
	is 'it is active' "$(active)" active
	has 'it reports its status' "$(property StatusText)" Serving
	is 'the sockets have their names' \
		"$(for socket in $sockets; do property FileDescriptorName "$socket"; done | tr '\n' ' ')" \
		'public admin '
	is 'IPv4 reaches it' "$(ask /healthz)" '200 '
	base='http://[::1]:8080'
	is 'IPv6 reaches it' "$(ask /healthz)" '200 '
	base=http://127.0.0.1:9464
	is 'the admin listener reaches it' "$(ask /readyz)" '200 '
	base=
	stop_service
	is 'stopped, it is inactive' "$(active) $(property Result)" 'inactive success'
	is 'a connection starts it' "$(ask /healthz) $(active)" '200  active'
	drop_in NoExecPaths= ExecStart= \
		'ExecStart=/bin/sh -c "sleep 2; exec /usr/bin/recall-redirectd serve"'
	inside systemctl restart --no-block "$service"
	sleep 1
	is 'not ready: it is not active' "$(active)" activating
	await 10 active active
	is 'ready: it is active' "$saw" active
	drop_in
	restart
}

check_smoke() {
	configure "$good"
	restart
	nsenter -t "$leader" -n env no_proxy='*' NO_PROXY='*' sh tests/whole/curl/smoke.sh \
		http://127.0.0.1:8080 >"$dir/smoke" 2>&1
	result=$?
	is "smoke.sh: $(tail -n 1 "$dir/smoke")" "$result $(grep '^not ok' "$dir/smoke" | head -n 3)" '0 '
}

# As README.md says: below /usr/local, whose units go before those below /usr.
check_local() {
	run_make install /usr/local
	inside systemctl daemon-reload
	restart
	is 'it runs from /usr/local too' "$(ask /healthz)$(readlink "/proc/$(main_pid)/exe")" \
		'200 /usr/local/bin/recall-redirectd'
	run_make uninstall /usr/local
	inside systemctl daemon-reload
	restart
}

# --- the sandbox, as the kernel sees it ---

mount_has() { # process, place, option
	awk -v at="$2" -v option="$3" '$5 == at { has = ("," $6 ",") ~ ("," option ",") }
		END { print at, option, has ? "yes" : "no" }' "/proc/$1/mountinfo"
}

# Of some the container's kernel says nothing: TasksMax= is not enforced here, LimitCORE= is what the
# program sets itself.
facts() {
	pid=$(main_pid)
	[ -n "$pid" ] || {
		echo 'does not run'
		return
	}
	awk '/^(NoNewPrivs|Cap...|Seccomp|Umask):/ { print $1, $2 }
		$1 == "Uid:" { print "dynamic user", ($2 >= 61184 && $2 <= 65519) ? "yes" : "no: " $2 }' \
		"/proc/$pid/status"
	for kind in ipc mnt net user uts; do
		if [ "$(readlink "/proc/$pid/ns/$kind")" = "$(readlink "/proc/$leader/ns/$kind")" ]; then
			echo "$kind shared"
		else
			echo "$kind private"
		fi
	done
	for place in / /usr/lib /usr/bin/recall-redirectd /run /dev/shm; do
		mount_has "$pid" "$place" ro
	done
	for place in / /tmp /var/tmp /dev/shm; do mount_has "$pid" "$place" noexec; done
	echo "network: $(nsenter -t "$pid" -n cat /proc/net/dev | sed -n 's/^ *\([^ :]*\):.*/\1/p' | tr '\n' ' ')"
	for name in LimitCORE SystemCallErrorNumber TasksMax; do echo "$name $(property "$name")"; done
}

wanted_facts() {
	cat <<'FACTS'
Umask: 0077
dynamic user yes
CapInh: 0000000000000000
CapPrm: 0000000000000000
CapEff: 0000000000000000
CapBnd: 0000000000000000
CapAmb: 0000000000000000
NoNewPrivs: 1
Seccomp: 2
ipc private
mnt private
net private
user private
uts private
/ ro yes
/usr/lib ro yes
/usr/bin/recall-redirectd ro yes
/run ro yes
/dev/shm ro yes
/ noexec yes
/tmp noexec yes
/var/tmp noexec yes
/dev/shm noexec yes
network: lo 
LimitCORE 1
SystemCallErrorNumber 1
TasksMax 128
FACTS
}

check_sandbox() {
	facts >"$dir/facts"
	wanted_facts >"$dir/wanted"
	if cmp -s "$dir/facts" "$dir/wanted"; then
		ok 'the running service has its sandbox'
	else
		not_ok 'the running service has its sandbox' \
			"$(diff "$dir/wanted" "$dir/facts" | grep '^[<>]' | tr '\n' ';')" 'no difference'
	fi
	while IFS= read -r line; do
		without "$line" "$dir/$service" >"$units/$service"
		inside systemctl daemon-reload
		restart
		missed=$(facts)
		[ "$missed" != 'does not run' ] || missed=$(cat "$dir/wanted")
		is_not "the running service misses: $(echo "$line" | cut -c 1-60)" "$missed" "$(cat "$dir/wanted")"
		stop_service
	done <"$dir/unjudged"
	cp "$dir/$service" "$units/$service"
	inside systemctl daemon-reload
	inside systemctl reset-failed
	restart
}

# --- reload ---

region() { ask "$callback?code=$mark" | sed 's,.*//\([^.]*\)\..*,\1,'; }

check_reload() {
	before=$(property MainPID)
	configure '{"recall.region": "eu-central-1"}'
	inside systemctl reload "$service"
	is 'reload: good' $? 0
	await 5 eu-central-1 region
	is 'reload: the new configuration is in force' "$saw" eu-central-1
	configure "$bad"
	inside systemctl reload "$service" 2>/dev/null
	is_not 'reload: a bad one fails' $? 0
	has 'reload: the journal says why' "$(journal -u "$service" -n 20)" listen.port
	await 5 0 metric redirectd_config_reload_success
	is 'reload: a bad one is counted' "$saw" 0
	has 'reload: and shown as the status' "$(property StatusText)" refused
	is 'the old one stays, in the same process' "$(region) $(active) $(property MainPID)" \
		"eu-central-1 active $before"
	configure "$good"
	inside systemctl reload "$service"
	await 5 us-east-1 region
	is 'reload: good again' "$saw $(metric redirectd_config_reload_success) $(property MainPID)" \
		"us-east-1 1 $before"
}

# --- restarts ---

kill_main() { inside systemctl kill -s "$1" --kill-who=main "$service"; }

restarts() { property NRestarts; }

restarted() { [ "$(restarts)" = 0 ] || echo yes; }

check_crash() {
	restart
	kill_main KILL
	await 10 yes restarted
	await 10 active active
	is 'killed, it is started again' "$(health) $saw $(restarted)" '200 active yes'
}

check_watchdog() {
	is_not 'the unit has a watchdog' "$(property WatchdogUSec)" 0
	drop_in WatchdogSec=2s
	restart
	sleep 7
	is 'idle, it feeds the watchdog' "$(active) $(restarts)" 'active 0'
	kill_main STOP
	await 20 yes restarted
	await 10 active active
	is 'stopped, it is started again' "$(health) $saw $(restarted)" '200 active yes'
	has 'by the watchdog' "$(journal -u "$service" -n 30)" 'Watchdog timeout'
	loops=$(grep -l '^MHD' "/proc/$(main_pid)"/task/*/comm | wc -l)
	is_not 'there are event loops' "$loops" 0
	loop=0
	while [ "$loop" -lt "$loops" ]; do
		loop=$((loop + 1))
		restart
		thread=$(grep -l '^MHD' "/proc/$(main_pid)"/task/*/comm | sed -n "${loop}s,.*/task/\([0-9]*\)/.*,\1,p")
		python3 "$here/freeze.py" "$thread" >"$dir/frozen" &
		freezer=$!
		await 20 yes restarted
		kill "$freezer" 2>/dev/null
		wait "$freezer" 2>/dev/null
		await 10 200 health
		is "event loop $loop of $loops frozen, it is started again" \
			"$(cat "$dir/frozen") $saw $(restarted)" 'frozen 200 yes'
	done
	configure '{"shutdown.delay_seconds": 5}'
	drop_in WatchdogSec=2s
	restart
	stop_service
	is 'a long drain is not taken for a hang' "$(active) $(property Result)" 'inactive success'
	configure "$good"
	drop_in
	restart
}

# --- load ---

start_load() {
	nsenter -t "$leader" -n python3 "$here/../../process/load.py" 8080 "$mark" >"$dir/load" 2>&1 &
	load=$!
	sleep 1
}

end_load() {
	sleep 1
	kill "$load"
	wait "$load"
	lost=$?
	load=
	is "$1: $(cat "$dir/load")" "$lost" "$2"
}

reloads() { journal -u "$service" | grep -c '"event":"reloaded"'; }

check_load() {
	start_load
	for _ in 1 2 3 4 5; do
		restart || not_ok 'restart under load' failed good
		sleep 1
	done
	end_load '5 restarts under load lose nothing' 0
	before=$(reloads)
	start_load
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		kill_main HUP
		sleep 0.1
	done
	await 10 $((before + 20)) reloads
	end_load '20 reloads under load lose nothing' 0
	is 'all of them were taken' "$((saw - before)) $(metric redirectd_config_reload_success)" '20 1'
	start_load
	kill_main STOP
	sleep 0.2
	kill_main KILL
	await 10 200 health
	end_load 'the load would notice a loss' 1
}

# --- a bad configuration ---

starts() { journal -u "$service" | grep -c '^Starting '; }

settled() {
	count=$(starts)
	sleep 4
	[ "$(starts)" != "$count" ] || echo settled
}

check_bad_configuration() {
	configure "$bad"
	before=$(starts)
	inside systemctl restart "$service" 2>/dev/null
	sleep 2
	is 'bad configuration: it fails, without a restart' \
		"$(active) $(property ExecMainStatus) $(restarts) $(($(starts) - before))" 'failed 78 0 1'
	# As on a slow machine: what starts quickly meets the limit the sooner.
	drop_in NoExecPaths= ExecStart= \
		'ExecStart=/bin/sh -c "sleep 0.3; exec /usr/bin/recall-redirectd serve"'
	ask /healthz --max-time 3 >/dev/null
	await 120 settled settled
	after=$(($(starts) - before))
	is "bad configuration: connections do not start it for ever ($after)" "$saw $((after <= 38))" 'settled 1'
	is 'bad configuration: still failed' "$(active)" failed
	drop_in
	configure "$good"
	inside systemctl reset-failed "$service"
	inside systemctl start "$service"
	is 'a good one: start brings the sockets back' "$? $(ask /healthz) $(active)" '0 200  active'
	drop_in ExecStart= 'ExecStart=/usr/bin/recall-redirectd serve --unknown'
	restart
	sleep 2
	is 'wrong usage: it fails, without a restart' "$(property ExecMainStatus) $(restarts)" '64 0'
	drop_in
	inside systemctl reset-failed
	inside systemctl start "$service"
}

# --- TLS by credentials, as the comments in the unit say ---

make_pair() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout "$root/etc/pair/privkey.pem" \
		-out "$root/etc/pair/fullchain.pem" 2>/dev/null
	chmod 600 "$root"/etc/pair/*
	serial=$(openssl x509 -noout -serial -in "$root/etc/pair/fullchain.pem")
}

shown_serial() {
	nsenter -t "$leader" -n openssl s_client -connect 127.0.0.1:8080 </dev/null 2>/dev/null |
		openssl x509 -noout -serial 2>/dev/null
}

check_credentials() {
	command -v openssl >/dev/null || {
		echo '# skipped: credentials need openssl'
		return
	}
	mkdir -m 700 "$root/etc/pair"
	make_pair
	sed -n '/^#   \[Service\]/,/^#$/s/^#   \([A-Z].*=\)/\1/p' "$dir/$service" |
		sed 's,/etc/letsencrypt/live/[^/]*/,/etc/pair/,' >"$dir/tls"
	is 'the unit says how to hand over a pair' "$(cut -d = -f 1 "$dir/tls" | tr '\n' ' ')" \
		'LoadCredential LoadCredential Environment ExecReload ExecReload '
	drop_in "$(cat "$dir/tls")"
	restart
	base=https://127.0.0.1:8080
	is 'TLS with credentials' "$(ask /healthz)" '200 '
	is 'with the pair that was handed over' "$(shown_serial)" "$serial"
	inside systemctl reload "$service"
	is 'reload, with credentials' "$? $(ask /healthz)" '0 200 '
	old=$serial
	make_pair
	inside systemctl reload "$service" && sleep 1
	is 'a reload does not renew credentials' "$? $(shown_serial)" "0 $old"
	restart
	is 'a restart does' "$(shown_serial)" "$serial"
	base=
	drop_in
	restart
}

# --- the journal ---

journal_has_request() {
	journal -u "$service" -n 5 | grep '"event":"request".*"route":"callback"' | sed 's/.*"level":"\([a-z]*\)".*/\1/' |
		sort -u
}

marked() { inside journalctl -q --no-pager -o export | grep -e "$1" | cut -c 1-8 | sort -u; }

check_journal() {
	ask "$callback?code=$mark-last&state=$mark-last" >/dev/null
	await 5 info journal_has_request
	is 'the journal has the requests' "$saw" info
	is 'the journal holds no value of code or state' "$(marked "$mark")" ''
	is 'the journal holds no value of smoke.sh' "$(marked smoke-value-of-nobody)" ''
	inside systemd-cat sh -c "echo $mark"
	sleep 1
	has 'the search would find one' "$(marked "$mark")" MESSAGE=
}

check_units
check_each_line
chroot "$root" systemctl enable -q "$service" >/dev/null 2>&1
mkdir -p "$root/etc/recall-redirectd"
boot
check_start
check_smoke
check_local
check_sandbox
check_reload
check_crash
check_watchdog
check_load
check_bad_configuration
check_credentials
check_journal
summarize
