#!/bin/sh
# Whether VERSION and CHANGELOG.md agree, so that what is made may bear that number.
#
#   releasable.sh VERSION CHANGELOG
#
# Either VERSION is the newest entry and [Unreleased] holds nothing, or VERSION has no entry yet, is above
# the newest one, and [Unreleased] says what it will bring.
set -eu
version=${1:?usage: releasable.sh VERSION CHANGELOG}
changelog=${2:?usage: releasable.sh VERSION CHANGELOG}
newest=$(sed -n 's/^## \[\([0-9][^]]*\)\].*/\1/p' "$changelog" | head -n 1)
unreleased=$(awk '/^## / { inside = $2 == "[Unreleased]" } inside && /^[^#]/' "$changelog")

refuse() {
	echo "$changelog: $1" >&2
	exit 1
}

if [ "$version" = "$newest" ]; then
	[ -z "$unreleased" ] || refuse "[Unreleased] lists changes since $version: raise VERSION in the Makefile"
elif grep -q -F "## [$version]" "$changelog"; then
	refuse "the newest entry is $newest, not $version"
else
	[ -n "$unreleased" ] || refuse "neither an entry [$version] nor an [Unreleased] one"
	[ "$(printf '%s\n%s\n' "$newest" "$version" | sort -V | tail -n 1)" = "$version" ] ||
		refuse "there is already an entry $newest, above $version"
fi
