#!/bin/sh
# Makes a package for the Debian or Ubuntu that it runs on, from what `make install` puts into a folder.
#
#   make deb
#
#   BUILD     where the program was built; the package is put there
#   VERSION   the program's
#   DEBFULLNAME, DEBEMAIL   whom the package names as its maintainer
#   SOURCE    where the source is published (https://...), for the field Homepage
#
# Two runs from one commit give the same bytes, in any folder.
set -eu
: "${BUILD:?}" "${VERSION:?}"
here=$(dirname "$0")
root=$BUILD/deb/root
documents=$root/usr/share/doc/recall-redirectd
umask 022
LC_ALL=C
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export LC_ALL SOURCE_DATE_EPOCH

# bookworm's package is older than trixie's, so that an upgrade of Debian takes the latter.
# shellcheck disable=SC1091 # the system's own
version=$VERSION-1~$(. /etc/os-release && echo "$ID${VERSION_ID:-}")
# An address that cannot exist, where nobody names himself.
maintainer="${DEBFULLNAME:-recall-redirectd} <${DEBEMAIL:-packages@recall-redirectd.invalid}>"
architecture=$(dpkg --print-architecture)
package=$BUILD/recall-redirectd_${version}_$architecture.deb

# --- the tree ---

rm -rf "$BUILD/deb"
mkdir -p "$root/DEBIAN"
make --no-print-directory -s BUILD="$BUILD" install DESTDIR="$root" PREFIX=/usr \
	UNITDIR=/usr/lib/systemd/system
strip --remove-section=.comment --remove-section=.note "$root/usr/bin/recall-redirectd"
gzip -9n "$root/usr/share/man/man8/recall-redirectd.8"
gzip -9n <"$documents/CHANGELOG.md" >"$documents/changelog.gz" && rm "$documents/CHANGELOG.md"
printf 'recall-redirectd (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' \
	"$version" "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" |
	gzip -9n >"$documents/changelog.Debian.gz"

# --- what dpkg wants to know ---

# dpkg-shlibdeps insists on a source package.
libraries() {
	mkdir -p "$BUILD/deb/source/debian"
	printf 'Source: recall-redirectd\n\nPackage: recall-redirectd\nArchitecture: any\n' \
		>"$BUILD/deb/source/debian/control"
	program=$(realpath "$root/usr/bin/recall-redirectd")
	(cd "$BUILD/deb/source" && dpkg-shlibdeps -O -e"$program" 2>"../shlibdeps.log") |
		sed -n 's/^shlibs:Depends=//p'
}

# In KiB, as dpkg counts: whole ones for files, one for everything else.
size() {
	find "$root" -path "$root/DEBIAN" -prune -o -printf '%y %s\n' |
		awk '{ n += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print n }'
}

depends=$(libraries)
[ -n "$depends" ] || {
	cat "$BUILD/deb/shlibdeps.log" >&2
	exit 1
}
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@DEPENDS@/$depends/" \
	-e "s/@MAINTAINER@/$maintainer/" -e "s,@SOURCE@,${SOURCE:-},; /^Homepage: \$/d" \
	-e "s/@SIZE@/$(size)/" "$here/control" >"$root/DEBIAN/control"
install -m 755 "$here/postinst" "$here/prerm" "$here/postrm" "$root/DEBIAN"
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | sort | xargs md5sum) \
	>"$root/DEBIAN/md5sums"

dpkg-deb --root-owner-group --build "$root" "$package" >/dev/null
echo "$package"
