#!/bin/sh
# Runs the fuzzers that are named, one after the other, from their corpora.
#   PROGRAM  the server's binary       BUILD         where the fuzzers were built
#   FUZZ_SECONDS  for each of them     FUZZ_OPTIONS  more options of libFuzzer's
set -u
: "${PROGRAM:?}" "${BUILD:?}" "${FUZZ_SECONDS:?}"
export PROGRAM
failed=0

max_len() {
	case $1 in
	url) echo 600 ;;
	query | outcome) echo 4096 ;;
	callback) echo 10000 ;;
	connect) echo 20000 ;;
	*) echo 8192 ;;
	esac
}

for name in "$@"; do
	found=$BUILD/fuzz/corpus/$name
	dictionary=tests/fuzz/$name.dict
	[ -e "$dictionary" ] || dictionary=
	mkdir -p "$found" "$BUILD/fuzz/crashes"
	echo "fuzz_$name: $FUZZ_SECONDS seconds"
	# shellcheck disable=SC2086
	if "$BUILD/fuzz/fuzz_$name" -max_total_time="$FUZZ_SECONDS" -max_len="$(max_len "$name")" \
	    -timeout=20 -print_final_stats=1 -artifact_prefix="$BUILD/fuzz/crashes/$name-" \
	    ${dictionary:+-dict="$dictionary"} ${FUZZ_OPTIONS:-} \
	    "$found" "tests/fuzz/corpus/$name" >"$BUILD/fuzz/$name.log" 2>&1; then
		tail -n 8 "$BUILD/fuzz/$name.log" | sed 's/^/    /'
	else
		failed=$((failed + 1))
		tail -n 60 "$BUILD/fuzz/$name.log" | sed 's/^/    /'
	fi
done
echo "$failed of $# fuzzers found something"
[ "$failed" -eq 0 ]
