#!/bin/sh
# A Docker engine of the check's own, in namespaces of its own: sourced by checks that want a real one.
# Docker's packages are unpacked and not installed. Network, mounts and processes are the namespaces',
# so that bridges, iptables rules and containers end with the check, however it ends; there is no way out
# to any other machine from there. Needs root on Debian.
#   IMAGE_ARCHIVE  the image under test, as `make check-image` writes it
# What is downloaded is kept in /var/tmp/recall-redirectd-engine; remove it for a fresh start.
# $dir is in a temporary folder, and goes at the end.
set -u
LC_ALL=C
NO_PROXY='*'
no_proxy='*'
export LC_ALL NO_PROXY no_proxy
: "${IMAGE_ARCHIVE:?}"
cache=/var/tmp/recall-redirectd-engine
version=$(sed -n 's/^VERSION := //p' Makefile)
image=recall-redirectd:$version

give_up() {
	echo "$(basename "$0"): $1" >&2
	exit 1
}

# --- what it is made of ---

# apt-get with lists of its own for a suite of this machine's archive.
apt_of() { # suite, words of the command
	# shellcheck disable=SC1091 # the system's own
	own=$(. /etc/os-release && echo "$VERSION_CODENAME")
	# shellcheck disable=SC2016 # $(...) are fields of apt's
	archive=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
		awk -v suite="$own" '$2 == suite { print $1; exit }')
	[ -n "$archive" ] || give_up 'apt knows no Debian archive; run apt-get update'
	apt=$cache/apt-$1
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $1 main" >"$apt/sources.list"
	shift
	apt-get -qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$apt/lists" \
		-o Dir::Cache="$apt/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root "$@"
}

# The engine is that of this Debian. Its Compose is of the first generation in Debian 12: the second one,
# a program without libraries, comes from Debian 13.
fetch() {
	[ ! -e "$cache/complete" ] || return 0
	rm -rf "$cache"
	mkdir -p "$cache/packages" "$cache/root"
	# shellcheck disable=SC1091 # the system's own
	own=$(. /etc/os-release && echo "$VERSION_CODENAME")
	(
		cd "$cache/packages" && apt_of "$own" update && apt_of "$own" download docker.io containerd tini &&
			{ ! apt-cache show docker-cli >/dev/null 2>&1 || apt_of "$own" download docker-cli; } &&
			apt_of trixie update && apt_of trixie download docker-compose
	) >"$cache/log" 2>&1 || give_up "no engine from Debian's archive: $(tail -n 1 "$cache/log")"
	for package in "$cache"/packages/*.deb; do
		dpkg-deb -x "$package" "$cache/root" || give_up "cannot unpack $package"
	done
	rm -rf "$cache"/apt-*
	: >"$cache/complete"
}

# --- namespaces ---

# Everything after this runs inside. The folder and what the kernel keeps of control groups is removed outside.
enter() { # the check and its arguments
	[ -z "${ENGINE_DIR:-}" ] || return 0
	[ "$(id -u)" = 0 ] || give_up 'needs root'
	mkdir -p "$(dirname "$cache")"
	{
		flock 9
		fetch
	} 9>"$cache.lock"
	ENGINE_DIR=$(mktemp -d /var/tmp/recall-redirectd-engine-run.XXXXXX) || exit 1
	export ENGINE_DIR
	trap leave EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	unshare --net --mount --pid --fork --kill-child --mount-proc sh "$@" &
	child=$!
	wait "$child"
	exit
}

leave() {
	status=$?
	kill -KILL "$child" 2>/dev/null && wait "$child" # TERM does not reach it; what is inside ends with it
	find /sys/fs/cgroup -depth -type d -path "*/$(basename "$ENGINE_DIR")*" -exec rmdir {} + 2>/dev/null
	rm -rf "$ENGINE_DIR"
	exit "$status"
}

# --- the engine ---

start_engine() {
	dir=$ENGINE_DIR
	DOCKER_CONFIG=$dir/docker
	DOCKER_HOST=unix://$dir/docker.sock
	PATH=$cache/root/usr/bin:$cache/root/usr/sbin:$PATH
	export DOCKER_CONFIG DOCKER_HOST PATH
	mkdir -p "$DOCKER_CONFIG/cli-plugins" "$dir/data" "$dir/exec"
	ln -s "$cache"/root/usr/libexec/docker/cli-plugins/* "$DOCKER_CONFIG/cli-plugins/"
	ip link set lo up
	mount -t tmpfs engine /run
	# Limits that a machine without CAP_SYS_RESOURCE can give.
	cat >"$dir/daemon.json" <<-X
		{"default-ulimits": {"nofile": {"Name": "nofile", "Hard": 4096, "Soft": 4096}},
		 "cgroup-parent": "/$(basename "$dir")", "exec-opts": ["native.cgroupdriver=cgroupfs"]}
	X
	dockerd --config-file "$dir/daemon.json" --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/pid" \
		--host "$DOCKER_HOST" --oom-score-adjust 0 >"$dir/dockerd.log" 2>&1 &
	tries=0
	until docker info >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 120 ] || give_up "dockerd does not start: $(tail -n 1 "$dir/dockerd.log")"
		sleep 0.5
	done
	echo "# engine: Docker $(docker version --format '{{.Server.Version}}')"
}

# The image under test under the name that config/ gives it.
load_image() {
	loaded=$(docker load --quiet --input "$IMAGE_ARCHIVE" | sed 's/^Loaded image[^:]*: //')
	[ -n "$loaded" ] || give_up "no image in $IMAGE_ARCHIVE"
	docker tag "$loaded" "$image"
}

# A program of this machine and its libraries as an image.
import_program() { # image, program, changes as of docker import -c
	name=$1
	program=$2
	shift 2
	libraries=$(ldd "$program" | grep -o '/[^ ]*')
	# shellcheck disable=SC2086 # libraries are several words
	tar -C / -c --dereference "${program#/}" ${libraries} etc/ssl/certs/ca-certificates.crt 2>/dev/null |
		docker import "$@" - "$name" >/dev/null || give_up "no image $name"
}
