#!/bin/sh
# Runs the tests that are named, each once, and says how many passed.
#   PROGRAM  the server's binary       BUILD  where the tests were built
#   WRAPPER  a tool to run them under, such as valgrind
#   SCRIPTS  the scripts to run besides; all, where it is empty
set -u
: "${PROGRAM:?}" "${BUILD:?}"
# shellcheck source=tests/report.sh
. tests/report.sh
isolate

# These wait most of the time, and run at the same time as the others.
waits() {
	case $1 in
	*/check_faults | */check_reload | */check_server | */check_slow | */check_lifecycle.py | */check_poll.py | */check_smoke.sh) true ;;
	*) false ;;
	esac
}

keep() { # name, command: its output and its exit code
	name=$1
	shift
	"$@" >"$BUILD/$name.log" 2>&1
	echo $? >"$BUILD/$name.exit"
}

report() { # name
	if [ "$(cat "$BUILD/$1.exit")" = 0 ]; then
		passed=$((passed + 1))
		printf 'ok %d - %s: %s\n' $((passed + failed)) "$1" "$(tail -n 1 "$BUILD/$1.log")"
	else
		failed=$((failed + 1))
		printf 'not ok %d - %s\n' $((passed + failed)) "$1"
		sed 's/^/    /' "$BUILD/$1.log" | tail -n 60
	fi
}

run() { # test, or the path of a script
	name=$(basename "$1")
	case $1 in
	*.py) keep "$name" env PROGRAM="$PROGRAM" WRAPPER="${WRAPPER:-}" python3 "$1" ;;
	*.sh) keep "$name" env PROGRAM="$PROGRAM" WRAPPER="${WRAPPER:-}" sh "$1" ;;
	wire/* | process/check_reload) keep "$name" env PROGRAM="$PROGRAM" WRAPPER="${WRAPPER:-}" "$BUILD/tests/$1" ;;
	# A process for each of thousands of tests took a hundred times as long as the tests.
	*) keep "$name" env CK_FORK=no ${WRAPPER:+$WRAPPER} "$BUILD/tests/$1" ;;
	esac
}

rm -f "$BUILD"/*.exit
for script in ${SCRIPTS:-tests/*/check_*.sh tests/*/check_*.py}; do
	[ ! -e "$script" ] || set -- "$@" "$script"
done
for test in "$@"; do
	! waits "$test" || run "$test" &
done
for test in "$@"; do
	! waits "$test" || continue
	run "$test"
	report "$(basename "$test")"
done
wait
for test in "$@"; do
	! waits "$test" || report "$(basename "$test")"
done
summarize
