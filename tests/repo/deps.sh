#!/bin/sh
# Installs the packages of Debian or Ubuntu that a kind of work needs, as far as they are missing.
#
#   sh tests/repo/deps.sh KIND
#
# No service of theirs starts, now or at the next boot: Debian starts what it installs, and a web server
# takes port 80. Services that were there before are left as they are.
# shellcheck disable=SC2086 # lists of words
set -eu
kind=${1:?usage: deps.sh KIND}

# The one list of packages. +KIND includes another row; MACHINE=PACKAGE is needed on such machines only,
# PACKAGE:arm64 is one of that architecture, and COMMAND:PACKAGE is needed where there is no such command,
# because Node.js often comes from elsewhere.
table() {
	cat <<-'TABLE'
		build       gcc pkg-config libmicrohttpd-dev libcjson-dev libgnutls28-dev curl
		check       +build binutils check git make mandoc openssl python3 node:nodejs
		lint        +check clang clang-format clang-tidy cppcheck shellcheck x86_64=gcc-multilib
		32bit       pkg-config gcc-i686-linux-gnu curl libmicrohttpd-dev:i386 libcjson-dev:i386 libgnutls28-dev:i386 check:i386 python3 qemu-user-static
		valgrind    +check valgrind
		coverage    +check gcovr
		fuzz        +build clang libclang-rt-dev
		podman      podman runc netavark aardvark-dns iptables debootstrap curl
		tree        debootstrap
		manifests   make node:nodejs npm:npm
		kubernetes  +engine +tree etcd-server gcc libc6-dev node:nodejs kubectl:kubernetes-client
		engine      +build caddy iproute2 iptables openssl python3 runc util-linux
		release     +podman git openssl python3
		registry    +release docker-registry skopeo qemu-user
		amd64       gcc-x86-64-linux-gnu libmicrohttpd-dev:amd64 libcjson-dev:amd64 libgnutls28-dev:amd64
		arm64       gcc-aarch64-linux-gnu libmicrohttpd-dev:arm64 libcjson-dev:arm64 libgnutls28-dev:arm64
		emulator    +arm64 check:arm64 qemu-user
		systemd     +build debootstrap openssl python3 systemd
		beside      +build python3 python3-yaml openssl nginx haproxy caddy prometheus
		e2e         +build chromium libnss3-tools nginx openssl node:nodejs npm:npm
		workflows   node:nodejs npm:npm
		deb         +build binutils dpkg-dev
		lintian     +deb +systemd lintian
		bench       +build haproxy iproute2 nginx openssl python3 util-linux valgrind wrk
	TABLE
}

packages() { # kind
	for word in $(table | sed -n "s/^$1  *//p"); do
		case $word in
		+*) packages "${word#+}" ;;
		*=*) [ "${word%%=*}" != "$(uname -m)" ] || echo "${word#*=}" ;;
		*:amd64 | *:arm64 | *:i386) echo "$word" ;;
		*:*) command -v "${word%%:*}" >/dev/null || echo "${word#*:}" ;;
		*) echo "$word" ;;
		esac
	done
}

is_missing() { # package
	! dpkg-query -W -f='${Status}\n' "$1" 2>/dev/null | grep -q 'ok installed'
}

table | grep -q "^$kind " || {
	echo "deps.sh: there is no kind \"$kind\"" >&2
	exit 64
}
wanted=$(packages "$kind")
command -v dpkg-query >/dev/null || {
	echo "This is not Debian or Ubuntu. Needed here are:" $wanted
	exit 0
}
missing=$(for package in $wanted; do ! is_missing "$package" || echo "$package"; done)
[ -n "$missing" ] || exit 0

policy=/usr/sbin/policy-rc.d # what Debian asks before it starts a service
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

services() {
	find /lib/systemd/system /usr/lib/systemd/system -name '*.service' 2>/dev/null | sed 's,.*/,,' | LC_ALL=C sort -u
}

before=$(mktemp)
has_our_policy=
clean_up() {
	rm -f "$before"
	[ -z "$has_our_policy" ] || $sudo rm -f "$policy"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

services >"$before"
if [ ! -e "$policy" ]; then
	has_our_policy=yes
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
	$sudo chmod 755 "$policy"
fi
echo "Installing what is missing:" $missing
for architecture in $(printf '%s\n' $missing | sed -n 's/.*://p' | sort -u); do
	$sudo dpkg --add-architecture "$architecture"
done
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing
added=$(services | LC_ALL=C comm -13 "$before" - | grep -v '@' || true)
if [ -n "$added" ] && command -v systemctl >/dev/null; then
	$sudo systemctl --quiet disable $added
	[ ! -d /run/systemd/system ] || for service in $added; do
		$sudo systemctl --quiet stop "$service"
	done
fi
