#!/bin/sh
# Makes the tarball of what is committed: BUILD/recall-redirectd-VERSION.tar.gz, the same bytes from each clone.
set -eu
: "${VERSION:?}" "${BUILD:?}"
name=recall-redirectd-$VERSION
sh tests/repo/release/releasable.sh "$VERSION" CHANGELOG.md
git diff --quiet HEAD -- || {
	echo "make dist: there are changes that are not committed" >&2
	exit 1
}
mkdir -p "$BUILD"
git -c tar.umask=022 -c tar.tar.gz.command='gzip -9cn' archive \
	--prefix="$name/" -o "$BUILD/$name.tar.gz" HEAD
echo "$BUILD/$name.tar.gz"
