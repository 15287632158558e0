#!/bin/sh
# Builds the image with `make image`, runs it as production would, and checks both.
#
#   sh tests/whole/image/check_image.sh
#
#   ENGINE   podman or docker, with its options; without it, what is installed
#   BASE     the image to build from (debian:trixie-slim)
#   KEEP=1   keep the image, as recall-redirectd:checked
#   ARCHIVE  the file that the image is written to, if it has passed
#
# podman gets storage of its own (engine.sh). What needs to see the container's processes needs root.
set -u
NO_PROXY='*'
no_proxy='*'
export NO_PROXY no_proxy
cd "$(dirname "$0")/../../.." || exit 1

dir=$(mktemp -d) || exit 1
chmod 755 "$dir" # the container's user reads a file in it
name=recall-redirectd-check-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
image=localhost/$name
# shellcheck source=tests/report.sh
. tests/report.sh
BINARY=/usr/local/bin/recall-redirectd
CLIENT_ID=11111111-2222-3333-4444-555555555555
OTHER_ID=66666666-7777-8888-9999-000000000000
MAX_BYTES=15000000

# shellcheck source=tests/whole/image/engine.sh
. tests/whole/image/engine.sh

skip() { echo "# skipped: $1"; }

logs() {
	# shellcheck disable=SC2086 # ENGINE is several words
	$ENGINE logs "$name" 2>&1
}

once() { # options and arguments of a container that ends by itself
	# shellcheck disable=SC2086 # ENGINE and limits are several words
	$ENGINE run --rm $limits "$@"
}

clean_up() {
	for container in "$name" "$name-2" "$name-left" "$name-right"; do
		engine rm -f "$container" >/dev/null 2>&1
	done
	[ -z "${KEEP:-}" ] || engine tag "$image:1" recall-redirectd:checked
	engine rmi -f "$image:1" "$image:2" >/dev/null 2>&1
	# Layers of former runs, kept to be quick; the storage is ours alone.
	[ -z "${store:-}" ] || engine image prune -f --filter until=24h >/dev/null 2>&1
	rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- building ---

build() { # number, further options
	nice -n 10 make image ENGINE="$ENGINE" IMAGE="$image:$1" BASE="$base" \
		IMAGE_OPTIONS="$build_options ${is_podman:+--pull=never} ${2:-}" >"$dir/build-$1" 2>&1
}

# What is in an image, each file with its mode, owner, size and hash; left out is what the engine puts there.
unpack() { # number, folder
	engine create --name "$name-$2" "$image:$1" >/dev/null && engine export "$name-$2" >"$dir/$2.tar" &&
		mkdir "$dir/$2" && tar -C "$dir/$2" --no-same-owner -xf "$dir/$2.tar"
	tar --numeric-owner -tvf "$dir/$2.tar" | sed 's,[0-9-]* [0-9:]* \(\./\)*,,4' |
		awk '{ $4 = $5 = ""; print }' | grep -vE ' \.?/?(dev|proc|sys|run|\.dockerenv|etc/(hosts|hostname|resolv.conf|mtab))(/|$)' |
		sort >"$dir/$2.list"
	(cd "$dir/$2" && find . -type f -exec sha256sum {} +) | sort -k 2 >"$dir/$2.sums"
	{
		engine image inspect "$image:$1" --format '{{json .Config}}'
		engine image inspect "$image:$1" | tr -d ' \n' | grep -io '"healthcheck":{[^}]*}'
	} >"$dir/$2.config"
}

layers() { engine image inspect "$image:$1" --format '{{json .RootFS.Layers}}'; }

# The second runs no tests, which must not change what is shipped either.
check_two_builds() {
	build 2 "--no-cache ${is_podman:+--layers=false} --build-arg GOAL=all" ||
		give_up 'a second build' "$(tail -n 3 "$dir/build-2")" 'an image'
	unpack 2 right
	is 'two builds differ only in time stamps: files' "$(diff "$dir/left.list" "$dir/right.list")" ''
	is 'two builds differ only in time stamps: bytes' "$(diff "$dir/left.sums" "$dir/right.sums")" ''
	is 'two builds differ only in time stamps: settings' "$(diff "$dir/left.config" "$dir/right.config")" ''
	[ -z "$is_podman" ] || is 'two builds have the same layers' "$(layers 1)" "$(layers 2)"
	is 'there was something to compare' "$([ "$(wc -l <"$dir/left.sums")" -gt 20 ] && echo yes)" yes
}

# --- the image at rest ---

label() { engine image inspect "$image:1" --format "{{index .Config.Labels \"org.opencontainers.image.$1\"}}"; }

check_files() {
	bytes=$(engine image inspect "$image:1" --format '{{.Size}}')
	is "the image has $bytes bytes, at most $MAX_BYTES" "$([ "$bytes" -le "$MAX_BYTES" ] && echo yes)" yes
	is 'no setuid or setgid file' "$(tar -tvf "$dir/left.tar" | grep -E '^-..[sS]|^-.....[sS]')" ''
	is 'no file that others may write' "$(tar -tvf "$dir/left.tar" | grep -E '^[-d].......w')" ''
	is 'what can be run is the program and the loader' \
		"$(tar -tvf "$dir/left.tar" | grep '^-..x' | grep -vE '[.]so[.0-9]*$' | sed 's,.* ,/,')" "$BINARY"
	for shell in /bin/sh /bin/bash /bin/busybox; do
		once --entrypoint "$shell" "$image:1" -c true >"$dir/shell" 2>&1
		is "no $shell" "$? $(grep -o -i -m 1 'no such file' "$dir/shell" | head -n 1)" '127 no such file'
	done
	is 'its system has a name' "$(grep -c '^VERSION_CODENAME=' "$dir/left/etc/os-release")" 1
	records=$dir/left/var/lib/dpkg/status.d
	is 'every record names package, version and architecture' \
		"$(for record in "$records"/*; do
			[ "${record%.md5sums}" = "$record" ] || continue
			[ "$(grep -cE '^(Package|Version|Architecture): .' "$record")" = 3 ] || basename "$record"
		done)" ''
	is 'every record has its licence next to it' \
		"$(for record in "$records"/*.md5sums; do
			package=$(basename "$record" .md5sums)
			[ -s "$dir/left/usr/share/doc/$package/copyright" ] || echo "$package"
		done)" ''
	libraries=$(find "$dir/left" -name '*.so*' -type f)
	is 'libraries are there' "$([ "$(echo "$libraries" | wc -l)" -ge 8 ] && echo yes)" yes
	is 'every library is in the record of its package' \
		"$(for library in $libraries; do
			grep -qs "^$(md5sum <"$library" | cut -d ' ' -f 1) " "$records"/*.md5sums || echo "$library"
		done)" ''
}

check_settings() {
	version=$(sed -n 's/^VERSION := //p' Makefile)
	is 'label: title' "$(label title)" recall-redirectd
	is 'label: description' "$([ -n "$(label description)" ] && echo yes)" yes
	is 'label: version' "$(label version)" "$version"
	is 'label: revision' "$(label revision | grep -cxE '[0-9a-f]{40}(-changed)?')" 1
	is 'label: created, from the commit' "$(label created)" "$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)"
	has 'label: base name' "$(label base.name)" "${base#docker.io/library/}"
	is 'label: base digest' "$(label base.digest | grep -cxE 'sha256:[0-9a-f]{64}')" 1
	is 'label: no empty one' "$(engine image inspect "$image:1" --format '{{json .Config.Labels}}' | grep -c '":""')" 0
	is 'label: licences only where there is a licence' "$([ -n "$(label licenses)" ] && echo one)" \
		"$([ -e LICENSE ] && echo one)"
	is 'the program has that version' \
		"$(once "$image:1" --version 2>/dev/null | cut -d ' ' -f 2)" "$version"
	is 'the user is a number' "$(engine image inspect "$image:1" --format '{{.Config.User}}')" 65532:65532
	is 'ports' "$(engine image inspect "$image:1" --format '{{json .Config.ExposedPorts}}')" \
		'{"8080/tcp":{},"9464/tcp":{}}'
	is 'the signal that stops it' "$(engine image inspect "$image:1" --format '{{.Config.StopSignal}}')" SIGTERM
	is 'the health check is in the image, and needs no shell' \
		"$(sed -n 's/.*"Healthcheck":{"Test":\(\[[^]]*\]\).*/\1/Ip' "$dir/left.config" | head -n 1)" \
		"[\"CMD\",\"$BINARY\",\"healthcheck\"]"
}

# --- the container ---

# As production would: nothing that it does not need.
start() { # container, options and arguments
	container=$1
	shift
	# shellcheck disable=SC2086 # limits are several words
	engine run -d --name "$container" --read-only ${is_podman:+--read-only-tmpfs=false --log-driver=k8s-file} --cap-drop=all \
		--security-opt no-new-privileges --memory 128m --pids-limit 64 $limits \
		-p 127.0.0.1::8080 -p 127.0.0.1::9464 "$@" >"$dir/run" ||
		give_up "$container starts" "$(tail -n 1 "$dir/engine")" 'a container'
	find_ports
}

find_ports() {
	address=$(engine port "$container" 8080/tcp | head -n 1)
	admin=$(engine port "$container" 9464/tcp | head -n 1)
}

get() { curl -q -sS --max-time 5 "$@" 2>&1; }
status_of() { get -o /dev/null -w '%{http_code}' "$1" | tail -c 3; }
pid_of() { engine inspect --format '{{.State.Pid}}' "$1"; }

await() { # condition
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || return 1
		sleep 0.1
	done
}
answers() { [ "$(status_of "http://$address/healthz")" = 200 ]; }

# What HEALTHCHECK says now. podman is asked; docker asks by itself, and is waited for.
health() { # what docker is waited for
	if [ -n "$is_podman" ]; then
		if engine healthcheck run "$name" >/dev/null 2>&1; then echo healthy; else echo unhealthy; fi
		return
	fi
	waited=0
	until [ "$(engine inspect --format '{{.State.Health.Status}}' "$name")" = "$1" ] || [ "$waited" -ge 60 ]; do
		sleep 1
		waited=$((waited + 1))
	done
	engine inspect --format '{{.State.Health.Status}}' "$name"
}

field() { awk -v name="$1:" '$1 == name { $1 = ""; print substr($0, 2) }' "/proc/$pid/status"; }

# What the kernel says of the process; the engine's word is not taken for it.
check_process() {
	pid=$(pid_of "$name")
	if [ "$(id -u)" -ne 0 ] || ! grep -qs recall-redirectd "/proc/$pid/cmdline"; then
		skip 'the process, its limits and its restart: they cannot be seen from here'
		return
	fi
	is 'the process: user' "$(field Uid)" '65532 65532 65532 65532'
	is 'the process: group' "$(field Gid)" '65532 65532 65532 65532'
	for set in CapEff CapPrm CapBnd CapInh CapAmb; do
		is "the process: $set is empty" "$(field $set)" 0000000000000000
	done
	is 'the process: no new privileges' "$(field NoNewPrivs)" 1
	is 'the process: read-only root' \
		"$(awk '$5 == "/" { split($6, o, ","); print o[1] }' "/proc/$pid/mountinfo")" ro
	is 'the process: nothing else on a disk can be written' \
		"$(awk '$6 ~ /^rw/ && $5 !~ "^/(dev|proc|sys)(/|$)" { print $5 }' "/proc/$pid/mountinfo" |
			grep -vE '^/(run|etc)/')" ''
	is 'the process: limit of memory' "$(cat "/sys/fs/cgroup$(group_of memory)/memory.max" \
		"/sys/fs/cgroup/memory$(group_of memory)/memory.limit_in_bytes" 2>/dev/null | head -n 1)" 134217728
	is 'the process: limit of processes' "$(cat "/sys/fs/cgroup$(group_of pids)/pids.max" \
		"/sys/fs/cgroup/pids$(group_of pids)/pids.max" 2>/dev/null | head -n 1)" 64
	check_restart
}

# The process's group, of the one hierarchy or of the controller's own.
group_of() { # controller
	awk -F: -v c="$1" '$2 == c || $2 ~ "(^|,)" c "(,|$)" { print $3; f = 1 } $2 == "" { o = $3 } END { if (!f) print o }' \
		"/proc/$pid/cgroup"
}

restarted() { [ "$(pid_of "$name")" -gt 0 ] && [ "$(pid_of "$name")" != "$pid" ]; }

check_restart() {
	kill -KILL "$pid"
	await restarted
	is 'a killed process is restarted' "$(restarted && echo yes)" yes
	find_ports
	await answers
	is 'and answers' "$(status_of "http://$address/healthz")" 200
}

check_service() {
	await answers || not_ok 'the published port answers' "$(logs | tail -n 2)" 200
	is 'the published port answers' "$(status_of "http://$address/healthz")" 200
	sh tests/whole/curl/smoke.sh "http://$address" >"$dir/smoke" 2>&1
	is 'smoke passes' $? 0
	grep '^not ok' "$dir/smoke" | sed 's/^/# /'
	is 'smoke skips nothing' "$(grep -c '^# skipped' "$dir/smoke")" 0
	is 'the admin port answers' "$(status_of "http://$admin/readyz")" 200
	is 'metrics are of this version' \
		"$(get "http://$admin/metrics" | grep -c "^redirectd_build_info{version=\"$version\"")" 1
	is 'metrics are not on the public port' "$(status_of "http://$address/metrics")" 404
	is 'what smoke sent is not in the log' "$(logs | grep -c smoke-value)" 0
	is 'the requests are logged' "$([ "$(logs | grep -c '"event":"request"')" -gt 50 ] && echo yes)" yes
}

check_health() {
	is 'HEALTHCHECK: good' "$(health healthy)" healthy
	engine kill --signal STOP "$name" >/dev/null
	is 'HEALTHCHECK: bad when frozen' "$(health unhealthy)" unhealthy
	engine kill --signal CONT "$name" >/dev/null
	is 'HEALTHCHECK: good again' "$(health healthy)" healthy
}

check_stop() {
	before=$(date +%s)
	engine stop -t 30 "$name" >/dev/null
	is 'SIGTERM: ends within 10 s' "$([ $(($(date +%s) - before)) -lt 10 ] && echo yes)" yes
	is 'SIGTERM: exit 0' "$(engine inspect --format '{{.State.ExitCode}}' "$name")" 0
}

write_configuration() { # client id
	printf '{"microsoft": {"client_id": "%s"}, "listen": {"port": 8080}}\n' "$1" >"$dir/etc/config.new"
	chmod 644 "$dir/etc/config.new"
	mv "$dir/etc/config.new" "$dir/etc/config.json"
}

shows() { # client id
	get "http://$address/.well-known/microsoft-identity-association.json" | grep -o "$1"
}

check_configuration() {
	mkdir -m 755 "$dir/etc"
	write_configuration "$OTHER_ID"
	start "$name-2" -v "$dir/etc:/etc/recall-redirectd:ro" "$image:1"
	await answers
	is 'configured by a mounted file' "$(shows "$OTHER_ID")" "$OTHER_ID"
	write_configuration "$CLIENT_ID"
	engine kill --signal HUP "$name-2" >/dev/null
	await shows "$CLIENT_ID"
	is 'SIGHUP reads it again' "$(shows "$CLIENT_ID")" "$CLIENT_ID"
	engine rm -f "$name-2" >/dev/null
	is 'the environment goes before the file' "$(once -e REDIRECTD_MICROSOFT_CLIENT_ID=$OTHER_ID \
		-v "$dir/etc:/etc/recall-redirectd:ro" "$image:1" config 2>&1 |
		grep -c "^microsoft.client_id = $OTHER_ID")" 1
	start "$name-2" "$image:1"
	await answers
	is 'without any configuration, the callback works' \
		"$(get -o /dev/null -w '%{redirect_url}' "http://$address/api/ms_oauth_callback?code=x")" \
		'https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/?code=x'
	engine rm -f "$name-2" >/dev/null
	once -e REDIRECTD_LISTEN_PRT=1 "$image:1" >"$dir/wrong" 2>&1
	is 'a variable that is wrong: exit 78' $? 78
}

choose_engine
find_base
echo "# building from $base"
if ! build 1 --no-cache; then
	tail -n 60 "$dir/build-1" | sed 's/^/# /'
	give_up 'the image builds' "$(grep -E '^not ok|^Error' "$dir/build-1" | head -n 1)" 'an image'
fi
ok 'the image builds'
is 'the tests ran in it, and all passed' "$(grep -cE '^[0-9]+ passed, 0 failed' "$dir/build-1")" 1
unpack 1 left
check_files
check_settings
start "$name" --restart always -e REDIRECTD_PUBLIC_URL=https://oauth.example.com \
	-e REDIRECTD_MICROSOFT_CLIENT_ID=$CLIENT_ID "$image:1"
check_service
check_health
check_process
check_stop
check_configuration
check_two_builds
if [ -n "${ARCHIVE:-}" ] && [ "$failed" -eq 0 ]; then
	rm -f "$ARCHIVE"
	engine save -o "$ARCHIVE" "$image:1" || not_ok 'the image is written to a file' "$(tail -n 1 "$dir/engine")" "$ARCHIVE"
fi
summarize
