# The engine and the base image of a check: sourced, from the root of the tree, after report.sh.
#   ENGINE, BASE   as in `make image`; each is chosen where it is empty
#   $dir           a folder for what engines say
# choose_engine sets ENGINE, is_podman, and options that builds and containers need (build_options, limits);
# find_base sets base. podman gets storage of its own, in /var/tmp/recall-redirectd-image-UID: no other image
# or container is touched. Where there is neither a registry nor the base image, root on Debian makes a
# stand-in (base_image.sh).
# shellcheck shell=sh disable=SC2034,SC2154 # variables of, and for, the sourcing script

give_up() { # what, saw, wanted
	not_ok "$1" "$2" "$3"
	printf '%d passed, %d failed\n' "$passed" "$failed"
	exit 1
}

capable() { # number of a capability
	[ $((0x$(sed -n 's/^CapEff:[^0-9a-f]*//p' /proc/self/status) >> $1 & 1)) -eq 1 ]
}

# On a machine that is a container itself: no limit can be raised, no systemd makes cgroups, and a build
# step gets no network of its own.
CAP_SYS_RESOURCE=24
choose_engine() {
	limits=
	build_options=
	if [ -z "${ENGINE:-}" ] && command -v podman >/dev/null; then
		store=/var/tmp/recall-redirectd-image-$(id -u)
		mkdir -p "$store" || exit 1
		ENGINE="podman --root $store/store --runroot $store/run"
		[ "$(id -u)" -ne 0 ] || ENGINE="$ENGINE --storage-driver overlay"
		if [ "$(id -u)" -eq 0 ] && ! capable "$CAP_SYS_RESOURCE"; then
			ENGINE="$ENGINE --cgroup-manager cgroupfs"
			! command -v runc >/dev/null || ENGINE="$ENGINE --runtime runc"
			limits='--ulimit nofile=4096:4096 --ulimit nproc=4096:4096'
			build_options="--isolation chroot --network host $limits"
		fi
	elif [ -z "${ENGINE:-}" ]; then
		ENGINE=docker
	fi
	command -v "${ENGINE%% *}" >/dev/null || give_up 'podman or docker is installed' neither one
	case $(basename "${ENGINE%% *}") in
	podman*) is_podman=yes ;;
	*) is_podman= ;;
	esac
	echo "# engine: $(engine --version)"
}

engine() { # words of the command
	# shellcheck disable=SC2086 # ENGINE is several words
	$ENGINE "$@" 2>>"$dir/engine"
}

# The base: what is asked for, if it exists here or can be fetched; else the stand-in.
find_base() {
	base=${BASE:-debian:trixie-slim}
	engine image inspect "$base" >/dev/null 2>&1 && return
	echo "# fetching $base"
	# shellcheck disable=SC2086 # ENGINE is several words
	timeout 120 $ENGINE pull "$base" >"$dir/pull" 2>&1 && return
	echo "# no registry gives $base: $(grep -v '^ *$' "$dir/pull" | tail -n 1 | cut -c 1-200)"
	base=localhost/recall-redirectd-base:trixie
	engine image inspect "$base" >/dev/null 2>&1 && echo "# using the stand-in of an earlier run, $base" && return
	echo "# making a stand-in from this machine's Debian archive, $base"
	ENGINE="$ENGINE" nice -n 10 sh tests/whole/image/base_image.sh trixie "$base" >"$dir/base" 2>&1 ||
		give_up 'there is an image to build from' "$(tail -n 1 "$dir/base")" \
			'debian:trixie-slim, or BASE=an image of Debian trixie'
}
