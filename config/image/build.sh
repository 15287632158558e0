#!/bin/sh
# Builds the container image. Two builds of one commit, from one base and one state of Debian's archive, have
# the same layers.
#
#   make image
#
#   IMAGE      its name; one without a tag gets the version's
#   BASE       the image to build from
#   PLATFORMS  such as linux/amd64,linux/arm64: a manifest list of more than one; empty: this machine's
#   ENGINE     docker or podman, with its options; else docker, where its daemon answers, else podman
#   OPTIONS    further options of the engine's build
#   SOURCE     where the source is published (https://...), for the label
#   VERSION    the program's
set -eu
: "${IMAGE:?}" "${BASE:?}" "${VERSION:?}"
platforms=${PLATFORMS:-}

fail() {
	echo "make image: $1" >&2
	exit 1
}

# podman's images are not seen by docker, so that docker is asked first.
choose_engine() {
	if [ -n "${ENGINE:-}" ]; then
		engine info >/dev/null 2>&1 || fail "$ENGINE does not answer; $ENGINE info says why"
	elif docker info >/dev/null 2>&1; then
		ENGINE=docker
	elif command -v podman >/dev/null; then
		ENGINE=podman
	else
		fail 'neither podman nor a docker with a running daemon is here'
	fi
}

engine() {
	# shellcheck disable=SC2086 # ENGINE is several words
	$ENGINE "$@"
}

# --- labels, each only where its value is known ---

labels() {
	engine image inspect "$BASE" >/dev/null 2>&1 || engine pull -q "$BASE" >/dev/null 2>&1 || true
	label base.name "$(engine image inspect "$BASE" --format '{{index .RepoTags 0}}' 2>/dev/null || echo "$BASE")"
	label base.digest "$(engine image inspect "$BASE" --format '{{if .RepoDigests}}{{index .RepoDigests 0}}{{end}}' 2>/dev/null |
		sed 's/.*@//')"
	label source "${SOURCE:-}"
	label revision "$revision"
	label created "${epoch:+$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)}"
	[ ! -e LICENSE ] || label licenses "$(sed -n 's/.*SPDX-License-Identifier: *//p' LICENSE | grep . || echo LicenseRef-LICENSE)"
}

label() { # name, value
	[ -z "$2" ] || echo "--label org.opencontainers.image.$1=$2"
}

# A commit says what it was made of only where nothing was changed since.
choose_revision() {
	epoch=$(git log -1 --format=%ct 2>/dev/null || true)
	revision=$(git rev-parse -q --verify HEAD 2>/dev/null || true)
	[ -z "$revision" ] || [ -z "$(git status --porcelain 2>/dev/null)" ] || revision=$revision-changed
}

# --- the build ---

build_platform() {
	case $by in
	podman) engine info --format '{{.Host.OS}}/{{.Host.Arch}}' ;;
	docker) engine version --format '{{.Server.Os}}/{{.Server.Arch}}' ;;
	esac
}

build_by_podman() {
	set -- --format docker --pull=missing "$@" ${epoch:+--timestamp "$epoch"}
	case $platforms in
	*,*)
		# What was there under this name would stay in the list.
		engine manifest rm "$IMAGE" >/dev/null 2>&1 || engine rmi "$IMAGE" >/dev/null 2>&1 || true
		engine build "$@" --platform "$platforms" --manifest "$IMAGE" .
		;;
	*) engine build "$@" ${platforms:+--platform "$platforms"} -t "$IMAGE" . ;;
	esac
}

build_by_docker() {
	[ -z "$epoch" ] || export SOURCE_DATE_EPOCH="$epoch"
	case $platforms in
	*,*) engine buildx build "$@" --platform "$platforms" -t "$IMAGE" . ;;
	*) engine build "$@" ${platforms:+--platform "$platforms"} -t "$IMAGE" . ;;
	esac
}

choose_engine
choose_revision
case ${IMAGE##*/} in
*:*) ;;
*) IMAGE=$IMAGE:$VERSION ;;
esac
by=docker
case $(basename "${ENGINE%% *}")$(engine --version) in
*podman*) by=podman ;;
esac
echo "building $IMAGE from $BASE with ${ENGINE%% *}"
# shellcheck disable=SC2046,SC2086 # lists of options
build_by_$by --build-arg "BUILDPLATFORM=$(build_platform)" --build-arg "BASE=$BASE" --build-arg "VERSION=$VERSION" $(labels) ${OPTIONS:-}
