#!/bin/sh
# Makes what stands in for Debian's own container image where no registry can be reached: a minimal
# Debian from the archive that apt uses here, imported under a name of its own.
#
#   sh tests/whole/image/base_image.sh SUITE IMAGE
#
#   ENGINE   podman or docker, with its options
#   TREE     where the unpacked system is kept for the next time; remove it for a fresh one
#
# Needs root, Debian and debootstrap. No address of an archive is stored but in that image, where
# Debian's own has one too.
set -eu
suite=${1:?usage: base_image.sh SUITE IMAGE}
image=${2:?usage: base_image.sh SUITE IMAGE}
: "${ENGINE:?}"
tree=${TREE:-/var/tmp/recall-redirectd-base-$suite}

fail() {
	echo "base_image.sh: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || fail 'needs root'
command -v apt-get >/dev/null || fail 'needs Debian'
command -v debootstrap >/dev/null || fail 'needs debootstrap (apt-get install debootstrap)'

archive_of() { # suite: the address that apt takes it from
	# shellcheck disable=SC2016 # $(...) are fields of apt's
	apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
		awk -v suite="$1" '$2 == suite { print $1; exit }'
}

# shellcheck disable=SC1091 # the system's own
here=$(. /etc/os-release && echo "$VERSION_CODENAME")
archive=$(archive_of "$here")
security=$(archive_of "$here-security")
[ -n "$archive" ] || fail 'apt knows no Debian archive; run apt-get update'

if [ ! -e "$tree.complete" ]; then
	rm -rf "$tree"
	debootstrap --variant=minbase "$suite" "$tree" "$archive" >"$tree.log" 2>&1 ||
		{ tail -n 5 "$tree.log" >&2; fail "debootstrap failed: $tree.log"; }
	rm -f "$tree/etc/hostname" "$tree/etc/resolv.conf" "$tree"/var/cache/apt/archives/*.deb
	touch "$tree.complete"
fi
{
	echo "deb $archive $suite main"
	echo "deb $archive $suite-updates main"
	[ -z "$security" ] || echo "deb $security $suite-security main"
} >"$tree/etc/apt/sources.list"
# shellcheck disable=SC2086 # ENGINE is several words
tar -C "$tree" --numeric-owner -c . | $ENGINE import - "$image" >/dev/null
