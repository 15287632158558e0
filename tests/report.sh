# How the checks written in shell report what they saw: sourced by them, from the root of the tree.
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

has_not() { # what, text, part
	case $2 in
	*"$3"*) not_ok "$1" "$2" "no $3" ;;
	*) ok "$1" ;;
	esac
}

# Nothing of the caller's reaches the server under test: no proxy, and no variable that configures it.
isolate() {
	NO_PROXY='*'
	no_proxy='*'
	export NO_PROXY no_proxy
	for variable in PORT $(env | sed -n 's/^\(REDIRECTD_[A-Za-z0-9_]*\)=.*/\1/p'); do
		unset "$variable"
	done
}

# The last line of a check, and its exit status.
summarize() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" -eq 0 ]
}
