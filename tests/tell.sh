# How the checks written in shell tell what they saw: sourced by them, from the root of the tree.
# shellcheck shell=sh
passed=0
failed=0

ok() {
	passed=$((passed + 1))
	printf 'ok %d - %s\n' $((passed + failed)) "$1"
}

not_ok() { # what, saw, wanted
	failed=$((failed + 1))
	printf 'not ok %d - %s (saw %s, wanted %s)\n' $((passed + failed)) "$1" "$2" "$3"
}

is() { # what, saw, wanted
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "$2" "$3"; fi
}

is_not() { # what, saw, unwanted
	if [ "$2" != "$3" ]; then ok "$1"; else not_ok "$1" "$2" 'something else'; fi
}

has() { # what, text, part
	case $2 in
	*"$3"*) ok "$1" ;;
	*) not_ok "$1" "${2:-nothing}" "$3" ;;
	esac
}

# The last line of a check, and its exit status.
told() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" -eq 0 ]
}
