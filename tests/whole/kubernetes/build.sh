#!/bin/sh
# Builds Kubernetes 1.20.2 (API server, controllers, scheduler, kubelet) from Debian 12's source package, whose
# binary package is kubectl alone, in a tree of its own. 20 to 45 minutes of one processor, once; the programs are
# in /var/tmp/recall-redirectd-kubernetes/k8s/bin. Needs root and debootstrap.
set -eu
tree=/var/tmp/recall-redirectd-kubernetes
programs='kube-apiserver kube-controller-manager kube-scheduler kubelet'
[ "$(id -u)" = 0 ] || { echo "build.sh: needs root" >&2; exit 1; }
exec 9>"$tree.lock"
flock 9
for program in $programs; do [ -x "$tree/k8s/bin/$program" ] || missing=yes; done
[ -n "${missing:-}" ] || exit 0

# shellcheck disable=SC1091 # the system's own
here=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2016 # $(...) are fields of apt's
archive=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
	awk -v suite="$here" '$2 == suite { print $1; exit }')
[ -n "$archive" ] || { echo "build.sh: apt knows no Debian archive; run apt-get update" >&2; exit 1; }
if [ ! -e "$tree/complete" ]; then
	rm -rf "$tree"
	debootstrap --variant=minbase bookworm "$tree" "$archive" >"$tree.log" 2>&1 || { tail -n 5 "$tree.log" >&2; exit 1; }
	touch "$tree/complete"
fi
printf 'deb %s bookworm main\ndeb-src %s bookworm main\n' "$archive" "$archive" >"$tree/etc/apt/sources.list"
cp /etc/resolv.conf /etc/hosts "$tree/etc/"
trap 'umount "$tree/proc"' EXIT
mount -t proc proc "$tree/proc"
echo "# building Kubernetes; its output is in $tree.log"
chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive \
	PROGRAMS="$programs" nice -n 19 sh -eux >"$tree.log" 2>&1 9>&- <<'INSIDE'
apt-get update -qq
apt-get install -qq -y --no-install-recommends dpkg-dev gcc git golang-go jq libc6-dev make patch rsync
mkdir -p /k8s/bin /k8s/go/src/k8s.io
cd /k8s
[ -e kubernetes-1.20*/ ] || apt-get source -qq --only-source kubernetes
source=$(echo /k8s/kubernetes-1.20*/)
cd "$source"
# Where root lacks CAP_SYS_RESOURCE; and the machine's sysctls are left alone.
sed -i 's/defaultSandboxOOMAdj int = -998/defaultSandboxOOMAdj int = 0/' pkg/kubelet/dockershim/docker_sandbox.go
sed -i 's/b := KernelTunableModify/b := KernelTunableWarn/' pkg/kubelet/cm/container_manager_linux.go
export GOCACHE=/k8s/cache CGO_ENABLED=0 GO111MODULE=off GOMAXPROCS=1
# The one generated file that the tarball lacks.
make -s -f Makefile.generated_files pkg/generated/openapi/zz_generated.openapi.go CALLED_FROM_MAIN_MAKEFILE=1 \
	OUT_DIR=_output BIN_DIR=_output/bin PRJ_SRC_PATH=k8s.io/kubernetes GENERATED_FILE_PREFIX=zz_generated. KUBE_VERBOSE=1
ln -sfn "${source%/}" /k8s/go/src/k8s.io/kubernetes
export GOPATH=/k8s/go
cd /k8s/go/src/k8s.io/kubernetes
# Go takes the folder from PWD, and this one is a link.
export PWD=/k8s/go/src/k8s.io/kubernetes
version=k8s.io/component-base/version
for program in $PROGRAMS; do
	go build -tags providerless -p 1 -o "/k8s/bin/$program" -ldflags \
		"-s -w -X $version.gitVersion=v1.20.2 -X $version.gitMajor=1 -X $version.gitMinor=20" \
		"k8s.io/kubernetes/cmd/$program"
done
INSIDE
