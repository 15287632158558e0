#!/bin/sh
# The binary is built hard, and leaves no core behind. PROGRAM names it.
set -u
: "${PROGRAM:?}"
number=0
failed=0

report() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		failed=$((failed + 1))
	fi
}

has() { # WHAT READELF-OPTION PATTERN
	readelf -W "$2" "$PROGRAM" | grep -Eq "$3"
	report $? "$1"
}

has "position-independent" -h 'Type: +DYN'
has "relocations read-only" -l 'GNU_RELRO'
has "bound at start" -d 'BIND_NOW|Flags:.*NOW'
has "stack protector" -s '__stack_chk_fail'
has "stack not executable" -l 'GNU_STACK.* RW +0x'
case $(uname -m) in
x86_64)
	objdump -d --no-show-raw-insn "$PROGRAM" | grep -A1 '<main>:' | grep -q endbr64
	report $? "control-flow enforcement"
	;;
esac
if [ -z "${WRAPPER:-}" ] && ! ldd "$PROGRAM" | grep -Eq 'lib[at]san'; then
	has "checked library calls" -s '__[a-z]+_chk(@|$)'
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
	! ls core* >/dev/null 2>&1
	report $? "no core"
else
	echo "# skipped: cores are not written to the working directory here"
fi
cd / && rm -rf "$folder"
echo "$((number - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
