#!/bin/sh
# Runs the tests that are named, each once, and says how many passed.
#   PROGRAM  the server's binary       BUILD  where the tests were built
#   WRAPPER  a tool to run them under, such as valgrind
#   SCRIPTS  the scripts to run besides; all, where it is empty
set -u
: "${PROGRAM:?}" "${BUILD:?}"
passed=0
failed=0

# They wait for deadlines more than they work, and run beside the others.
waits() {
	case $1 in
	check_faults | check_reload | check_slow) true ;;
	*) false ;;
	esac
}

keep() { # name, command: its output and its exit code
	name=$1
	shift
	"$@" >"$BUILD/$name.log" 2>&1
	echo $? >"$BUILD/$name.exit"
}

tell() { # name
	if [ "$(cat "$BUILD/$1.exit")" = 0 ]; then
		passed=$((passed + 1))
		printf 'ok %d - %s: %s\n' $((passed + failed)) "$1" "$(tail -n 1 "$BUILD/$1.log")"
	else
		failed=$((failed + 1))
		printf 'not ok %d - %s\n' $((passed + failed)) "$1"
		sed 's/^/    /' "$BUILD/$1.log" | tail -n 60
	fi
}

run() { # test
	case $1 in
	check_server | check_wire | check_slow | check_reload | check_faults) keep "$1" env PROGRAM="$PROGRAM" WRAPPER="${WRAPPER:-}" "$BUILD/tests/$1" ;;
	*) keep "$1" ${WRAPPER:+env CK_FORK=no $WRAPPER} "$BUILD/tests/$1" ;;
	esac
}

run_script() { # path
	case $1 in
	*.py) keep "$(basename "$1")" env PROGRAM="$PROGRAM" WRAPPER="${WRAPPER:-}" python3 "$1" ;;
	*) keep "$(basename "$1")" env PROGRAM="$PROGRAM" WRAPPER="${WRAPPER:-}" sh "$1" ;;
	esac
}

rm -f "$BUILD"/*.exit
for test in "$@"; do
	! waits "$test" || run "$test" &
done
for test in "$@"; do
	! waits "$test" || continue
	run "$test"
	tell "$test"
done
for script in ${SCRIPTS:-tests/e2e_*.sh tests/check_*.py}; do
	[ -e "$script" ] || continue
	run_script "$script"
	tell "$(basename "$script")"
done
wait
for test in "$@"; do
	! waits "$test" || tell "$test"
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
