#!/bin/sh
# Replays the fuzzers' corpora: every input that was ever interesting is a test.
#   PROGRAM  the server's binary; the replay programs are in fuzz/ next to it
#   WRAPPER  a tool to run them under, such as valgrind
set -u
: "${PROGRAM:?}"
export PROGRAM
build=$(dirname "$PROGRAM")
passed=0
failed=0

for corpus in tests/fuzz/corpus/*/; do
	name=$(basename "$corpus")
	# The server is what is tested there, and it is started by its harness.
	tool=${WRAPPER:-}
	[ "$name" != server ] || tool=
	# shellcheck disable=SC2086
	if output=$($tool "$build/fuzz/replay_$name" "$corpus"* 2>&1); then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $name: $(printf '%s\n' "$output" | tail -n 1)"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $name"
		printf '%s\n' "$output" | tail -n 20
	fi
done
echo "$passed corpora passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
