#!/bin/sh
# Runs a command that installs packages, and lets none of their services start, now or at the next
# boot: Debian starts what it installs, and a web server takes port 80.
#
#   sh tests/without_starting.sh COMMAND...
#
# Services that were there before are left as they are.
set -eu
policy=/usr/sbin/policy-rc.d # what Debian asks before it starts a service
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

services() {
	find /lib/systemd/system /usr/lib/systemd/system -name '*.service' 2>/dev/null | sed 's,.*/,,' | LC_ALL=C sort -u
}

before=$(mktemp)
ours=
clean_up() {
	rm -f "$before"
	[ -z "$ours" ] || $sudo rm -f "$policy"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

services >"$before"
if command -v dpkg-query >/dev/null && [ ! -e "$policy" ]; then
	ours=yes
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
	$sudo chmod 755 "$policy"
fi
"$@"
added=$(services | LC_ALL=C comm -13 "$before" - | grep -v '@' || true)
if [ -n "$added" ] && command -v systemctl >/dev/null; then
	# shellcheck disable=SC2086 # one word each
	$sudo systemctl --quiet disable $added
	[ ! -d /run/systemd/system ] || for service in $added; do
		$sudo systemctl --quiet stop "$service"
	done
fi
