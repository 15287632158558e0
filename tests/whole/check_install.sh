#!/bin/sh
# Installs into a folder, looks at what lies there, runs it, takes it away again and looks for
# what is left. Another program's files in the same places have to survive both.
#   PROGRAM  the server's binary, in the folder where it was built
#   WRAPPER  a tool to run it under, such as valgrind
set -u
: "${PROGRAM:?}"
build=$(dirname "$PROGRAM")
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# shellcheck source=tests/report.sh
. tests/report.sh

# The program is taken as it is: flags of this run are not the ones that it was built with.
run_make() { # target, destination, prefix
	make --no-print-directory -s -o "$build/recall-redirectd" BUILD="$build" "$1" \
		DESTDIR="$2" PREFIX="$3" >"$dir/make.log" 2>&1 ||
		not_ok "make $1 PREFIX=$3" "$(cat "$dir/make.log")" 'exit 0'
}

# Mode and name of every file; folders that are ours alone.
list() { # destination
	(cd "$1" && find . \( -type f -o -type l \) -printf '%m %P\n' -o -name 'recall-redirectd*' \
		-printf '%m %P/\n') | LC_ALL=C sort -k 2
}

wanted() { # prefix without its first slash, folder of units without its first slash
	LC_ALL=C sort -k 2 <<FILES
755 $1/bin/recall-redirectd
644 $2/recall-redirectd-admin.socket
644 $2/recall-redirectd.service
644 $2/recall-redirectd.socket
755 $1/share/doc/recall-redirectd/
644 $1/share/doc/recall-redirectd/CHANGELOG.md
644 $1/share/doc/recall-redirectd/README.md
644 $1/share/doc/recall-redirectd/SECURITY.md
644 $1/share/doc/recall-redirectd/recall-redirectd.json
644 $1/share/man/man8/recall-redirectd.8
FILES
}

check_prefix() { # prefix, folder of units
	to=$dir/to$(echo "$1" | tr / _)
	mkdir -p "$to$1/bin" "$to$1/share/man/man8"
	echo other >"$to$1/bin/other"
	echo other >"$to$1/share/man/man8/recall-redirectd-other.8"
	chmod 600 "$to$1/bin/other" "$to$1/share/man/man8/recall-redirectd-other.8"
	others=$(list "$to")
	umask 022
	run_make install "$to" "$1"
	is "PREFIX=$1: files and modes" "$(list "$to" | grep -v '^600 ')" "$(wanted "${1#/}" "${2#/}")"
	is "PREFIX=$1: the unit names the program there" \
		"$(sed -n 's/^\(ExecStart=[^ ]*\).*/\1/p; s/^\(ExecPaths=[^ ]*\).*/\1/p' \
			"$to$2/recall-redirectd.service" | tr '\n' ' ')" \
		"ExecStart=$1/bin/recall-redirectd ExecPaths=$1/bin/recall-redirectd "
	is "PREFIX=$1: and no other place" \
		"$(grep -o '/[^ =]*/recall-redirectd\( \|$\)' "$to$2/recall-redirectd.service" | tr -d ' ' |
			grep -vx "$1/bin/recall-redirectd" | LC_ALL=C sort -u)" /etc/default/recall-redirectd
	# shellcheck disable=SC2086 # WRAPPER is several words
	is "PREFIX=$1: the example passes the installed program's check" \
		"$(env -i PATH="$PATH" ${WRAPPER:-} "$to$1/bin/recall-redirectd" \
			-c "$to$1/share/doc/recall-redirectd/recall-redirectd.json" check | tail -n 1)" \
		'The configuration is good.'
	run_make uninstall "$to" "$1"
	is "PREFIX=$1: nothing but what others own is left" "$(list "$to")" "$others"
}

check_prefix /usr/local /usr/local/lib/systemd/system
check_prefix /usr /lib/systemd/system
check_prefix /opt/redirect /opt/redirect/lib/systemd/system
summarize
