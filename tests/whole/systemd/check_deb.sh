#!/bin/sh
# The Debian package, in a Debian that container.sh boots: installs, starts, answers, upgrades over
# itself under load, is removed, and is purged without leaving anything.
#   SUITE    see container.sh; the package is built on that Debian
#   VERSION  the program's
set -u
: "${VERSION:?}"
here=$(dirname "$0")
mark=mark-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')

# shellcheck source=tests/whole/systemd/container.sh
. "$here/container.sh"

# --- the package ---

# shellcheck disable=SC1091 # the system's own
own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
case $suite in
bookworm) version=$VERSION-1~debian12 library=libmicrohttpd12 ;;
*) version=$VERSION-1~debian13 library=libmicrohttpd12t64 ;;
esac
package=build/recall-redirectd_${version}_$(dpkg --print-architecture).deb

build_package() {
	rm -f "$package"
	if [ "$suite" = "$own" ]; then
		make --no-print-directory deb
	else
		sh tests/repo/in_debian.sh "$suite" deb
	fi >"$cache/deb.log" 2>&1 || stop "no package: $(tail -n 1 "$cache/deb.log")"
	[ -e "$package" ] || stop "no package: $package"
}

# In a folder of another name and length, from the same sources; one release is enough.
check_two_builds() {
	[ "$suite" = "$own" ] || return 0
	copy=$dir/a/longer/name
	mkdir -p "$copy"
	git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$copy"
	(umask 077 && cd "$copy" && SOURCE_DATE_EPOCH=$(git -C "$OLDPWD" log -1 --format=%ct) make --no-print-directory deb) \
		>"$cache/deb-2.log" 2>&1
	is "$suite: a build elsewhere makes the same bytes" "$(cmp "$copy/$package" "$package" 2>&1)" ''
}

# Everything but that no licence has been chosen.
check_lint() {
	known=$([ -e LICENSE ] || echo 'E: recall-redirectd: no-copyright-file')
	if command -v lintian >/dev/null; then
		is "$suite: lintian finds nothing else" "$(lintian --allow-root "$package" 2>&1 | grep -v '^N:')" "$known"
	else
		echo '# skipped: lintian is not installed'
	fi
}

field() { dpkg-deb -f "$package" "$1"; }

check_package() {
	is "$suite: the version" "$(field Version)" "$version"
	has "$suite: it depends on this release's libmicrohttpd" ", $(field Depends)," ", $library ("
	is "$suite: it depends on the three libraries and libc, no more" \
		"$(field Depends | tr , '\n' | grep -c .)" 4
	is "$suite: no conffile, because it has no configuration of its own" \
		"$(dpkg-deb --ctrl-tarfile "$package" | tar -t | grep -c conffiles)" 0
	is "$suite: all of it is root's" \
		"$(dpkg-deb --fsys-tarfile "$package" | tar -t -v | awk '$2 != "root/root"')" ''
}

# --- what is in the tree ---

# All but what dpkg, the journal and a running system write for themselves.
list() {
	find "$root" -xdev \( -path "$root/proc" -o -path "$root/sys" -o -path "$root/dev" -o -path "$root/run" \
		-o -path "$root/tmp" -o -path "$root/var/tmp" -o -path "$root/var/log" \
		-o -path "$root/var/cache" -o -path "$root/var/lib/dpkg" -o -path "$root/var/lib/systemd" \) -prune \
		-o -print | sort
}

# Units that systemd has in memory or on disk; those that only a dangling link names aside.
units() {
	inside systemctl list-units --all --no-legend 'recall-redirectd*' | grep -v not-found
	inside systemctl list-unit-files --no-legend 'recall-redirectd*'
}

# What dpkg or systemd still know of it.
traces() {
	find "$root/var/lib/dpkg" "$root/var/lib/systemd" "$root/etc" "$root/usr" -name '*recall-redirectd*'
	grep -l '^Package: recall-redirectd' "$root/var/lib/dpkg/status"
	grep -H redirect "$root/etc/passwd" "$root/etc/group"
}

enabled() {
	for unit in $service $sockets; do inside systemctl is-enabled "$unit" 2>/dev/null; done | tr '\n' ' '
}

run_dpkg() { # what, options: it has to succeed, without a word of complaint
	what=$1
	shift
	inside dpkg "$@" >"$dir/dpkg" 2>&1
	is "$what" "$? $(grep -i 'error\|warning\|fail' "$dir/dpkg" | head -n 3)" '0 '
}

configure() { printf '%s\n' "$1" >"$root/etc/recall-redirectd/config.json"; }

region() { ask "/api/ms_oauth_callback?code=$mark" | sed 's,.*//\([^.]*\)\..*,\1,'; }

# --- without systemd: a chroot, an image that is being made ---

check_chroot() {
	list >"$dir/before"
	chroot "$root" dpkg -i /recall.deb >"$dir/dpkg" 2>&1
	is 'in a chroot: it installs' $? 0
	is 'in a chroot: it is enabled for the next boot' \
		"$(find "$root/etc/systemd/system" -name 'recall-redirectd*' | wc -l)" 3
	is 'in a chroot: the program runs' "$(chroot "$root" recall-redirectd check | tail -n 1)" 'The configuration is good.'
	chroot "$root" dpkg --purge recall-redirectd >"$dir/dpkg" 2>&1
	is 'in a chroot: it is purged' "$?$(traces)$(list | diff "$dir/before" -)" 0
}

# --- under systemd ---

check_install() {
	run_dpkg 'it installs' -i /recall.deb
	await 10 active active
	is 'it is started' "$saw" active
	is 'it is enabled' "$(enabled)" 'enabled enabled enabled '
	is 'it answers' "$(ask "/api/ms_oauth_callback?code=$mark")" \
		"302 https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/?code=$mark"
	base=http://127.0.0.1:9464
	is 'the admin listener answers' "$(ask /metrics)" '200 '
	base=
	is 'dpkg has no fault to find' "$(inside dpkg --verify recall-redirectd)$(inside dpkg --audit)" ''
	mkdir "$root/etc/recall-redirectd"
	configure '{"recall.region": "eu-central-1"}'
	inside systemctl reload "$service"
	await 5 eu-central-1 region
	is 'it takes a configuration' "$saw" eu-central-1
}

check_upgrade() {
	before=$(property MainPID)
	nsenter -t "$leader" -n python3 "$here/../../process/load.py" 8080 "$mark" >"$dir/load" 2>&1 &
	load=$!
	sleep 1
	run_dpkg 'it upgrades over itself' -i /recall.deb
	sleep 1
	kill "$load"
	wait "$load"
	lost=$?
	load=
	is "an upgrade loses no request: $(cat "$dir/load")" "$lost" 0
	is_not 'an upgrade starts the new program' "$(property MainPID)" "$before"
	is 'an upgrade keeps the configuration' "$(region)" eu-central-1
	# shellcheck disable=SC2086 # three words
	inside systemctl disable -q --now $service $sockets
	run_dpkg 'it upgrades while it is disabled' -i /recall.deb
	is 'what is disabled stays so, and off' "$(enabled)$(active)" 'disabled disabled disabled inactive'
	# shellcheck disable=SC2086
	inside systemctl enable -q --now $service $sockets
	configure '{"recall.regoin": "eu-central-1"}'
	run_dpkg 'a bad configuration is no fault of the package' -i /recall.deb
	is 'a bad configuration is not served' "$(property ExecMainStatus)" 78
	configure '{"recall.region": "eu-central-1"}'
	inside systemctl start "$service"
	is 'a good one is' "$(region)" eu-central-1
}

check_remove() {
	run_dpkg 'it is removed' -r recall-redirectd
	is 'removed, it does not answer' "$(ask /healthz)" '000 '
	await 10 '' units
	is 'removed, its units are gone' "$saw" ''
	is 'removed, its configuration is still there' \
		"$(cat "$root/etc/recall-redirectd/config.json")" '{"recall.region": "eu-central-1"}'
	run_dpkg 'it comes back' -i /recall.deb
	await 10 eu-central-1 region
	is 'as it was' "$saw $(enabled)" 'eu-central-1 enabled enabled enabled '
}

check_purge() {
	echo REDIRECTD_LOG_LEVEL=debug >"$root/etc/default/recall-redirectd"
	run_dpkg 'it is purged' -P recall-redirectd
	is 'purged, no file is left' "$(list | diff "$dir/before" - | grep '^[<>]')" ''
	is 'purged, nothing knows of it' "$(traces)" ''
	await 10 '' units
	is 'purged, no unit is left' "$saw" ''
	is 'purged, no process is left' "$(inside ps -e -o comm= | grep -c recall)" 0
	is 'purged, the system is well' "$(system_state)" running
	run_dpkg 'it would install again' -i /recall.deb
	is_not 'these searches would find something' "$(traces)$(list | diff "$dir/before" - | grep '^[<>]')" ''
	run_dpkg 'and goes again' -P recall-redirectd
}

open_tree
build_package
check_package
check_lint
check_two_builds
cp "$package" "$root/recall.deb"
check_chroot
boot
list >"$dir/before"
check_install
check_upgrade
check_remove
check_purge
summarize
