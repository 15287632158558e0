#!/bin/sh
# Runs make inside another release of Debian, in a tree of its own: the libraries differ
# (libmicrohttpd 0.9.75 in bookworm, 1.0.1 in trixie), and so do the compilers.
#
#   sh tests/repo/in_debian.sh SUITE[+ARCHITECTURE] [TARGET]
#
# TARGET is check, or another; a package is put into build/. With an ARCHITECTURE such as i386, packages of
# that one can be installed in the tree too.
#
# Needs root, debootstrap and the Debian archive that apt uses here. The tree is kept in
# /var/tmp/recall-redirectd-SUITE, so that the second run is quick; remove it for a fresh one.
set -eu
tree=/var/tmp/recall-redirectd-${1:?usage: in_debian.sh SUITE[+ARCHITECTURE] [TARGET]}
suite=${1%%+*}
foreign=${1#"$suite"}
target=${2:-check}
[ "$(id -u)" = 0 ] || { echo "in_debian.sh: needs root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "in_debian.sh: needs debootstrap" >&2; exit 1; }
exec 9>"$tree.lock"
flock 9 # another run may be at it

# shellcheck disable=SC1091 # the system's own
here=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2016 # $(...) are fields of apt's
archive=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
	awk -v suite="$here" '$2 == suite { print $1; exit }')
[ -n "$archive" ] || { echo "in_debian.sh: apt knows no Debian archive; run apt-get update" >&2; exit 1; }

if [ ! -e "$tree/complete" ]; then
	rm -rf "$tree"
	debootstrap --variant=minbase --include=make "$suite" "$tree" "$archive" >"/tmp/debootstrap-$suite.log" 2>&1 ||
		{ tail -n 5 "/tmp/debootstrap-$suite.log" >&2; exit 1; }
	[ -z "$foreign" ] || chroot "$tree" dpkg --add-architecture "${foreign#+}"
	# Of sid, which nobody releases, a mirror may be older than its date allows.
	[ "$suite" != sid ] || echo 'Acquire::Check-Valid-Until "false";' >"$tree/etc/apt/apt.conf.d/any-age"
	touch "$tree/complete"
fi

unmount() {
	for at in proc dev; do umount -l "$tree/$at" 2>/dev/null || true; done
}
trap unmount EXIT
mount -t proc proc "$tree/proc"
mount --rbind /dev "$tree/dev" && mount --make-rslave "$tree/dev"
cp /etc/resolv.conf "$tree/etc/resolv.conf"
cp /etc/hosts "$tree/etc/hosts"

rm -rf "$tree/src"
mkdir "$tree/src"
git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$tree/src"
epoch=$(git log -1 --format=%ct)
chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root SOURCE_DATE_EPOCH="$epoch" \
	DEBFULLNAME="${DEBFULLNAME:-}" DEBEMAIL="${DEBEMAIL:-}" SOURCE="${SOURCE:-}" \
	make -C /src "$target" 9>&-
mkdir -p build
find "$tree/src/build" -maxdepth 1 -name '*.deb' -exec cp {} build/ \;
