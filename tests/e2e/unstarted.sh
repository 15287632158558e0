#!/bin/sh
# Runs a command, during which Debian starts no service that it installs: nginx would take port 80.
set -u
policy=/usr/sbin/policy-rc.d
if [ -e "$policy" ] || [ -x /usr/sbin/nginx ] || ! command -v dpkg-query >/dev/null; then
	exec "$@"
fi
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
trap '$sudo rm -f "$policy"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
$sudo chmod 755 "$policy"
"$@"
