#!/bin/sh
# The tarball: each run makes the same bytes, it holds what git tracks and no more, and it is enough to build,
# test, install, run and uninstall.
#   VERSION  the program's
set -u
: "${VERSION:?}"
name=recall-redirectd-$VERSION
tarball=build/$name.tar.gz
dir=$(mktemp -d) || exit 1
server=
clean_up() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# shellcheck source=tests/report.sh
. tests/report.sh
isolate

run() { # what, command: it has to succeed
	what=$1
	shift
	if "$@" >"$dir/log" 2>&1; then ok "$what"; else not_ok "$what" "$(tail -n 20 "$dir/log")" success; fi
}

quiet_make() { make --no-print-directory -s "$@"; }

# --- which version may be made ---

verdict() { # version, changelog
	printf '%b' "$2" >"$dir/CHANGELOG.md"
	sh tests/repo/release/releasable.sh "$1" "$dir/CHANGELOG.md" >/dev/null 2>&1 && echo good || echo refused
}

check_versions() {
	while IFS='|' read -r wanted version changelog; do
		is "$wanted: $version with $changelog" "$(verdict "$version" "$changelog")" "$wanted"
	done <<'TABLE'
good|0.1.0|# Changelog\n\n## [Unreleased]\n\n### Added\n\n- All of it.\n
good|0.1.0|## [Unreleased]\n\n## [0.1.0] - 2026-12-01\n\n- All of it.\n
good|0.1.0|## [0.1.0] - 2026-12-01\n\n- All of it.\n
good|0.10.0|## [Unreleased]\n\n- More.\n\n## [0.9.0]\n\n- All of it.\n
refused|0.1.1|## [0.1.0] - 2026-12-01\n\n- All of it.\n
refused|0.1.1|## [Unreleased]\n\n### Added\n\n## [0.1.0]\n\n- All of it.\n
refused|0.1.0|## [Unreleased]\n\n- More.\n\n## [0.1.0]\n\n- All of it.\n
refused|0.1.0|## [0.2.0]\n\n- More.\n\n## [0.1.0]\n\n- All of it.\n
refused|0.1.5|## [Unreleased]\n\n- More.\n\n## [0.2.0]\n\n- All of it.\n
refused|0.9.0|## [Unreleased]\n\n- More.\n\n## [0.10.0]\n\n- All of it.\n
refused|0.1.0|# Changelog\n
TABLE
}

# --- the tarball ---

digest() { sha256sum <"$1"; }

check_tarball() {
	run 'make dist' quiet_make dist
	first=$(digest "$tarball")
	git clone -q . "$dir/clone" 2>"$dir/log"
	(umask 077 && cd "$dir/clone" && quiet_make dist >"$dir/log" 2>&1)
	is 'another clone makes the same bytes' "$(digest "$dir/clone/$tarball")" "$first"
	echo changed >>"$dir/clone/README.md"
	(cd "$dir/clone" && quiet_make dist >"$dir/log" 2>&1)
	is 'what is not committed cannot be made' "$? $(grep -c 'not committed' "$dir/log")" '2 1'
	is 'it holds what git tracks' "$(tar -tzf "$tarball" | grep -v '/$' | LC_ALL=C sort)" \
		"$(git ls-files | sed "s,^,$name/," | LC_ALL=C sort)"
	is 'nobody owns its files' "$(tar --numeric-owner -tvzf "$tarball" | awk '$2 != "0/0"')" ''
}

# --- what it is good for ---

# Few, but of every layer.
quick_check() {
	quiet_make check-run TESTS='base/check_url flow/check_oauth flow/check_csrf flow/check_app http/check_screen' \
		SCRIPTS='tests/whole/check_smoke.sh tests/repo/check_house.py'
}

serve_installed() {
	env -i PATH="$PATH" "$installed" -c "$dir/empty.json" --listen.port=0 --admin.port=0 2>"$dir/server" &
	server=$!
	port=
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		port=$(sed -n 's/.*"event":"listening".*"port":\([0-9]*\).*/\1/p' "$dir/server")
		[ -z "$port" ] || break
		sleep 0.5
	done
	is 'the installed program redirects' "$(curl -q -s -o /dev/null -w '%{redirect_url}' \
		"http://127.0.0.1:$port/api/ms_oauth_callback?code=a%2fb")" \
		'https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/?code=a%2fb'
	kill "$server"
	wait "$server"
	is 'and ends well' $? 0
	server=
}

check_unpacked() {
	tar -xzf "$tarball" -C "$dir"
	cd "$dir/$name" || exit 1
	run 'it builds' quiet_make -j2 all CFLAGS=-Werror
	run 'it passes a quick check' quick_check
	run 'it installs' quiet_make install DESTDIR="$dir/to" PREFIX=/usr
	installed=$dir/to/usr/bin/recall-redirectd
	echo '{}' >"$dir/empty.json"
	is 'the installed program is this version' "$("$installed" --version | cut -d ' ' -f 2)" "$VERSION"
	is 'the installed manual is readable' \
		"$(grep -c '^\.Nm recall-redirectd' "$dir/to/usr/share/man/man8/recall-redirectd.8")" 1
	serve_installed
	run 'it uninstalls' quiet_make uninstall DESTDIR="$dir/to" PREFIX=/usr
	is 'and leaves nothing' "$(find "$dir/to" ! -type d -o -name 'recall-redirectd*')" ''
	run 'it cleans up' quiet_make clean
	is 'and is as it was unpacked' "$(find . ! -type d | sed "s,^\.,$name," | LC_ALL=C sort)" \
		"$(tar -tzf "$OLDPWD/$tarball" | grep -v '/$' | LC_ALL=C sort)"
}

check_versions
check_tarball
check_unpacked
summarize
