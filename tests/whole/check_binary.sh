#!/bin/sh
# The binary is hardened, and a crash leaves no core. PROGRAM names it.
set -u
: "${PROGRAM:?}"
# shellcheck source=tests/report.sh
. tests/report.sh
isolate

shows() { # what, readelf's option, pattern
	if readelf -W "$2" "$PROGRAM" | grep -Eq "$3"; then ok "$1"; else not_ok "$1" nothing "$3"; fi
}

shows "position-independent" -h 'Type: +DYN'
shows "relocations read-only" -l 'GNU_RELRO'
shows "bound at start" -d 'BIND_NOW|Flags:.*NOW'
shows "stack protector" -s '__stack_chk_fail'
shows "stack not executable" -l 'GNU_STACK.* RW +0x'
case $(uname -m) in
x86_64)
	has "control-flow enforcement" "$(objdump -d --no-show-raw-insn "$PROGRAM" | grep -A1 '<main>:')" endbr64
	;;
esac
if [ -z "${WRAPPER:-}" ] && ! ldd "$PROGRAM" | grep -Eq 'lib[at]san'; then
	shows "checked library calls" -s '__[a-z]+_chk(@|$)'
fi

# A crash while a request is in memory. The control shows that a core would be seen.
folder=$(mktemp -d)
program=$(realpath "$PROGRAM")
cd "$folder" || exit 1
prlimit --core=unlimited sh -c 'kill -ABRT $$' >/dev/null 2>&1
if ls core* >/dev/null 2>&1; then
	rm -f core*
	prlimit --core=unlimited "$program" --listen.port=0 --listen.address=127.0.0.1 >log 2>&1 &
	pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		grep -q '"event":"listening"' log && break
		sleep 0.2
	done
	kill -ABRT "$pid"
	wait "$pid" 2>/dev/null
	is "no core" "$(ls core* 2>/dev/null)" ''
else
	echo "# skipped: cores are not written to the working directory here"
fi
cd / && rm -rf "$folder"
summarize
