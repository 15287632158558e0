#!/bin/sh
# config/kubernetes.yaml on the API server, controllers, scheduler and kubelet of Kubernetes 1.20.2 (build.sh),
# with etcd and a Docker engine, all in namespaces of their own (engine.sh): two replicas become ready, a
# rolling update under load loses nothing, and a bad configuration stops a rollout.
#   IMAGE_ARCHIVE  the image, as `make check-image` writes it
# The pod network is Docker's bridge. policy/v1 is newer than 1.20, and the HTTPRoute has no controller here.
cd "$(dirname "$0")/../../.." || exit 1
# shellcheck source=tests/whole/engine.sh
. tests/whole/engine.sh
enter tests/whole/kubernetes/check_kubernetes.sh
# shellcheck source=tests/report.sh
. tests/report.sh
isolate
bin=/var/tmp/recall-redirectd-kubernetes/k8s/bin
api=https://127.0.0.1:6443
token=$(openssl rand -hex 16)
APP='-n oauth deploy/recall-redirectd'

start() { # name, command
	log=$dir/$1.log
	shift
	"$@" >"$log" 2>&1 &
}

kube() { kubectl --kubeconfig "$dir/kubeconfig" "$@"; }

write_files() {
	openssl genrsa -out "$dir/account.key" 2048 2>/dev/null
	echo "$token,admin,admin,\"system:masters\"" >"$dir/tokens"
	cat >"$dir/kubeconfig" <<-Y
		apiVersion: v1
		kind: Config
		clusters: [{name: here, cluster: {server: "$api", insecure-skip-tls-verify: true}}]
		users: [{name: admin, user: {token: "$token"}}]
		contexts: [{name: here, context: {cluster: here, user: admin}}]
		current-context: here
	Y
	cat config/kubernetes.yaml - config/kubernetes-ingress.yaml <<-Y | sed -e 's,policy/v1$,policy/v1beta1,' \
		-e "s,registry.example.com/,," >"$dir/manifest.yaml"
		---
	Y
}

# An image of one static program that waits for ever holds the network of each pod.
import_pause() {
	printf '#include <unistd.h>\nint main(void)\n{\n\tfor (;;)\n\t\tpause();\n}\n' |
		gcc -Os -static -x c - -o "$dir/pause" || give_up 'no pause'
	tar -C "$dir" -c pause | docker import -c 'ENTRYPOINT ["/pause"]' - pause:3.2 >/dev/null
}

start_cluster() {
	ip route add default dev docker0 # whose address is then the node's
	start etcd etcd --data-dir "$dir/etcd" --unsafe-no-fsync
	start apiserver "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --bind-address=127.0.0.1 --secure-port=6443 \
		--insecure-port=0 --cert-dir="$dir/api" --token-auth-file="$dir/tokens" --authorization-mode=RBAC \
		--service-account-issuer=https://kubernetes.default --service-account-key-file="$dir/account.key" \
		--service-account-signing-key-file="$dir/account.key" --service-cluster-ip-range=10.96.0.0/24 \
		--endpoint-reconciler-type=none --profiling=false --kubelet-preferred-address-types=InternalIP
	await_api || give_up "the API server does not start: $(tail -n 1 "$dir/apiserver.log")"
	set -- --kubeconfig="$dir/kubeconfig" --authentication-kubeconfig="$dir/kubeconfig" \
		--authorization-kubeconfig="$dir/kubeconfig" --bind-address=127.0.0.1 --port=0 --leader-elect=false
	start controllers "$bin/kube-controller-manager" "$@" --cert-dir="$dir/controllers" \
		--service-account-private-key-file="$dir/account.key" \
		--controllers='*,-bootstrapsigner,-tokencleaner,-csrsigning,-csrapproving,-csrcleaner,-ttl'
	start scheduler "$bin/kube-scheduler" "$@" --cert-dir="$dir/scheduler"
	start kubelet "$bin/kubelet" --kubeconfig="$dir/kubeconfig" --hostname-override=node --container-runtime=docker \
		--docker-endpoint="$DOCKER_HOST" --cgroup-driver=cgroupfs --fail-swap-on=false --root-dir="$dir/kubelet" \
		--cert-dir="$dir/node" --pod-infra-container-image=pause:3.2 --cgroups-per-qos=false \
		--enforce-node-allocatable= --address=0.0.0.0 --read-only-port=0 --healthz-port=0 --eviction-hard= \
		--oom-score-adj=0 --make-iptables-util-chains=false --anonymous-auth=true --authorization-mode=AlwaysAllow \
		--seccomp-profile-root="$dir/seccomp"
}

await_api() {
	tries=0
	until kube get --raw /readyz >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 240 ] || return 1
		sleep 0.5
	done
}

try() { # manifest: what the API server says, without storing it
	kube apply --dry-run=server -n oauth -f "$1" >"$dir/out" 2>&1
}

check_manifest() {
	kube create namespace oauth >/dev/null
	try "$dir/manifest.yaml"
	is 'the API server takes every object' "$? $(grep -c 'server dry run' "$dir/out")" '0 5'
	sed 's/terminationGracePeriodSeconds/terminationGracePeriodSecond/' "$dir/manifest.yaml" >"$dir/bad.yaml"
	try "$dir/bad.yaml"
	is 'and would not take a misspelt field' $? 1
	sed 's/{protocol: TCP, port: admin}/{protocol: TCP, port: 0}/' "$dir/manifest.yaml" >"$dir/bad.yaml"
	try "$dir/bad.yaml"
	is 'nor a port of 0' $? 1
}

check_rollout() {
	kube apply -n oauth -f "$dir/manifest.yaml" >"$dir/out" 2>&1
	# shellcheck disable=SC2086 # several words
	kube rollout status $APP --timeout=120s >/dev/null
	is 'the rollout that its top waits for ends' $? 0
	# shellcheck disable=SC2086 # several words
	is 'the check that its top names finds no error' "$(kube exec $APP -- /usr/local/bin/recall-redirectd check 2>&1 | tail -n 1)" \
		'The configuration is good.'
	is 'two replicas become ready' "$(kube get -n oauth deploy recall-redirectd -o jsonpath='{.status.readyReplicas}')" 2
	is 'the budget lets one go' "$(kube get -n oauth pdb recall-redirectd -o jsonpath='{.status.disruptionsAllowed}')" 1
}

# shellcheck disable=SC2086 # APP is several words
check_update() {
	API=$api TOKEN=$token node tests/whole/kubernetes/lb.mjs 3000 40 >"$dir/load" 2>/dev/null &
	load=$!
	sleep 6
	kube rollout restart $APP >/dev/null
	kube rollout status $APP --timeout=90s >/dev/null
	is 'a rolling update comes to its end' $? 0
	wait "$load"
	echo "# $(tail -n 1 "$dir/load")"
	is 'and loses no request' "$(tail -n 1 "$dir/load" | tr -d '0-9{}')" '"":'
	kube set env $APP REDIRECTD_LISTEN_PRT=1 >/dev/null
	sleep 15
	is 'a bad configuration stops a rollout' "$(kube get -n oauth pods | grep -cE 'Error|CrashLoopBackOff')" 1
	is 'and both replicas go on' "$(kube get -n oauth endpoints recall-redirectd -o jsonpath='{.subsets[0].addresses[*].ip}' | wc -w)" 2
	for id in $(docker ps -q --filter label=io.kubernetes.container.name=recall-redirectd); do docker logs "$id"; done >"$dir/logs" 2>&1
	is 'no code is in any log' "$(grep -c 'code=x' "$dir/logs") $([ "$(grep -c '"route":"callback"' "$dir/logs")" -gt 100 ] && echo logged)" '0 logged'
}

start_engine
load_image
import_pause
write_files
start_cluster
check_manifest
check_rollout
check_update
kube delete -n oauth deploy --all --grace-period=1 --wait=true >/dev/null 2>&1
summarize
