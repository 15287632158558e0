#!/bin/sh
# Installs the servers to compare with, where they are missing: without starting them, now or at the
# next boot, since their packages would take port 80.
set -eu
PATH=$PATH:/usr/sbin:/sbin

missing=
for package in nginx haproxy; do
	command -v "$package" >/dev/null || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null || {
	echo "not Debian or Ubuntu; needed are:$missing"
	exit 1
}
echo "installing what is missing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

# Debian asks this program whether a package may start its service; 101 means no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap '$sudo rm -f "$policy"' EXIT
	trap 'exit 130' INT TERM
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
	$sudo chmod 755 "$policy"
fi
$sudo apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing
# shellcheck disable=SC2086
if command -v systemctl >/dev/null; then $sudo systemctl disable --quiet $missing; fi
