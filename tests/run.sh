#!/bin/sh
# Runs the tests that are named, each once, and says how many passed.
#   PROGRAM  the server's binary       BUILD  where the tests were built
#   WRAPPER  a tool to run them under, such as valgrind
#   SCRIPTS  the scripts to run besides; all, where it is empty
set -u
: "${PROGRAM:?}" "${BUILD:?}"
passed=0
failed=0

run() {
	name=$1
	shift
	if "$@" >"$BUILD/$name.log" 2>&1; then
		passed=$((passed + 1))
		printf 'ok %d - %s: %s\n' $((passed + failed)) "$name" "$(tail -n 1 "$BUILD/$name.log")"
	else
		failed=$((failed + 1))
		printf 'not ok %d - %s\n' $((passed + failed)) "$name"
		sed 's/^/    /' "$BUILD/$name.log" | tail -n 60
	fi
}

for test in "$@"; do
	case $test in
	check_server | check_wire | check_slow | check_reload | check_faults) run "$test" env PROGRAM="$PROGRAM" WRAPPER="${WRAPPER:-}" "$BUILD/tests/$test" ;;
	*) run "$test" ${WRAPPER:+env CK_FORK=no $WRAPPER} "$BUILD/tests/$test" ;;
	esac
done
for script in ${SCRIPTS:-tests/e2e_*.sh tests/check_*.py}; do
	[ -e "$script" ] || continue
	case $script in
	*.py) run "$(basename "$script")" env PROGRAM="$PROGRAM" WRAPPER="${WRAPPER:-}" python3 "$script" ;;
	*) run "$(basename "$script")" env PROGRAM="$PROGRAM" WRAPPER="${WRAPPER:-}" sh "$script" ;;
	esac
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
