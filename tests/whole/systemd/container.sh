#!/bin/sh
# A Debian booted by systemd-nspawn, with a network of its own: sourced by the checks that want a real
# systemd. Needs root; changes nothing outside of /var/tmp/recall-redirectd-nspawn, where the Debian
# tree is kept for the next run (remove it for a fresh one).
#   SUITE  bookworm, Debian 12, or trixie, Debian 13
# open_tree gives $dir, in memory, and in it $root, the tree; boot starts that. All goes at the exit.
# shellcheck disable=SC2034 # some variables are for the sourcing script
set -u
LC_ALL=C
export LC_ALL
cache=/var/tmp/recall-redirectd-nspawn
suite=${SUITE:-bookworm}
tree=$cache/$suite
tools=$cache/tools
service=recall-redirectd.service
sockets='recall-redirectd.socket recall-redirectd-admin.socket'
machine=redirectd-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')

stop() {
	echo "$(basename "$0"): $1" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || stop 'needs root'
for tool in debootstrap systemd-analyze nsenter flock python3 curl; do
	command -v "$tool" >/dev/null || stop "needs $tool"
done

# --- telling ---

# shellcheck source=tests/report.sh
. tests/report.sh

# Repeats a command until it prints what is wanted, for at most so many seconds; leaves it in $saw.
await() { # seconds, wanted, command
	seconds=$1
	wanted=$2
	shift 2
	until=$(($(date +%s) + seconds))
	while saw=$("$@" 2>/dev/null) && [ "$saw" != "$wanted" ] || [ "$saw" != "$wanted" ]; do
		[ "$(date +%s)" -lt "$until" ] || return 1
		sleep 0.1
	done
}

# --- the tree and nspawn ---

# Where this machine's own packages come from; it has the other release too.
archive() {
	# shellcheck disable=SC1091 # the system's own
	own=$(. /etc/os-release && echo "$VERSION_CODENAME")
	# shellcheck disable=SC2016 # $(...) are fields of apt's
	apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
		awk -v suite="$own" '$2 == suite { print $1; exit }'
}

case $suite in
bookworm) libraries=libmicrohttpd12,libcjson1,libgnutls30 ;;
*) libraries=libmicrohttpd12t64,libcjson1,libgnutls30t64 ;;
esac

make_tree() {
	[ ! -e "$tree/complete" ] || return 0
	rm -rf "$tree"
	mkdir -p "$cache"
	[ -n "$(archive)" ] || apt-get update -qq
	[ -n "$(archive)" ] || stop 'apt knows no archive of Debian'
	nice -n 10 debootstrap --variant=minbase \
		--include="systemd,systemd-sysv,procps,$libraries" \
		"$suite" "$tree" "$(archive)" >"$cache/debootstrap.log" 2>&1 ||
		stop "no tree: $(tail -n 1 "$cache/debootstrap.log")"
	: >"$tree/complete"
}

# systemd-nspawn is unpacked, not installed, or the machine's own systemd would be upgraded with it.
fetch_nspawn() {
	nspawn=$(command -v systemd-nspawn) && return 0
	nspawn=$tools/usr/bin/systemd-nspawn
	if [ ! -e "$tools/complete" ]; then
		rm -rf "$tools"
		mkdir -p "$tools/packages"
		chmod 777 "$tools/packages"
		(cd "$tools/packages" && { apt-get download -qq systemd-container libsystemd-shared ||
			{ apt-get update -qq && apt-get download -qq systemd-container libsystemd-shared; }; }) \
			>/dev/null 2>&1 || stop 'apt has no systemd-container'
		for package in "$tools"/packages/*.deb; do
			dpkg-deb -x "$package" "$tools" || stop "cannot unpack $package"
		done
		: >"$tools/complete"
	fi
	set -- "$tools"/usr/lib/*/systemd
	LD_LIBRARY_PATH=$1 "$nspawn" --version >/dev/null || stop 'systemd-nspawn does not start'
	nspawn_libraries=$1
}

nspawn_libraries=
container=
load=

clean_up() {
	[ -z "$load" ] || kill "$load" 2>/dev/null
	if [ -n "$container" ]; then
		kill "$container" 2>/dev/null
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			kill -0 "$container" 2>/dev/null || break
			sleep 0.5
		done
		kill -KILL "$container" 2>/dev/null
		wait "$container" 2>/dev/null
	fi
	umount "$root" 2>/dev/null
	umount "$dir" 2>/dev/null
	rm -rf "$dir"
}

# What is written goes into memory and is gone afterwards.
open_tree() {
	mkdir -p "$cache"
	{
		flock 9
		make_tree
		fetch_nspawn
	} 9>"$cache/lock"
	dir=$(mktemp -d "$cache/run.XXXXXX") || exit 1
	root=$dir/root
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mount -t tmpfs -o mode=755 "$machine" "$dir" || stop 'cannot mount'
	mkdir "$root" "$dir/upper" "$dir/work"
	mount -t overlay -o "lowerdir=$tree,upperdir=$dir/upper,workdir=$dir/work" "$machine" "$root" ||
		stop 'cannot mount'
}

# --- the container ---

boot() {
	: >"$root/etc/machine-id"
	# shellcheck disable=SC2086 # one word or none
	env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 ${nspawn_libraries:+LD_LIBRARY_PATH=$nspawn_libraries} \
		"$nspawn" -q -b -D "$root" --machine="$machine" --register=no --keep-unit \
		--private-network --console=pipe </dev/null >"$dir/boot.log" 2>&1 &
	container=$!
	leader=
	until=$(($(date +%s) + 30))
	while [ -z "$leader" ] && [ "$(date +%s)" -lt "$until" ]; do
		sleep 0.2
		leader=$(cat /proc/"$container"/task/*/children 2>/dev/null | tr -d ' ')
	done
	[ -n "$leader" ] || stop "no container: $(tail -n 1 "$dir/boot.log")"
	await 60 running system_state || {
		inside systemctl --failed --no-pager
		stop "the container did not boot: $saw"
	}
}

inside() { nsenter -t "$leader" -m -u -i -n -p -C -r -w "$@"; }

system_state() { inside systemctl is-system-running; }

property() { inside systemctl show -p "$1" --value "${2:-$service}"; }

active() { inside systemctl is-active "$service"; }

ask() { # path, curl options
	path=$1
	shift
	nsenter -t "$leader" -n curl -q -sk --noproxy '*' --globoff --max-time 10 -o /dev/null \
		-w '%{http_code} %{redirect_url}' "$@" "${base:-http://127.0.0.1:8080}$path"
}

health() { ask /healthz | cut -c 1-3; }

journal() { inside journalctl -q --no-pager -o cat "$@"; }
