#!/bin/sh
# Makes everything that is published under a version, from the commit that bears its tag, in BUILD/release.
#
#   make release KEY=release.pem        (root, on Debian: it makes Debian trees and an image)
#
#   KEY        the private key that signs, PEM: one of a curve (P-256) or of RSA. A new one:
#              openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out release.pem
#   SUITES     the releases of Debian to make packages for
#   PLATFORMS  those of the image
#   ENGINE, BASE, OPTIONS, SOURCE   as in config/image/build.sh; the engine has to be podman
set -eu
: "${VERSION:?}" "${BUILD:?}" "${SUITES:?}" "${BASE:?}"
PLATFORMS=${PLATFORMS:-linux/amd64,linux/arm64}
ENGINE=${ENGINE:-podman}
here=$(dirname "$0")
name=recall-redirectd
to=$BUILD/release

refuse() {
	echo "make release: $1" >&2
	exit 1
}

# --- whether there may be a release ---

check_commit() {
	git rev-parse -q --verify HEAD >/dev/null || refuse 'this is not a clone of the repository'
	[ -z "$(git status --porcelain)" ] || refuse 'there are changes that are not committed, or files that git does not know'
	git tag --points-at HEAD | grep -qxF "v$VERSION" ||
		refuse "the commit has no tag v$VERSION (git tag -a v$VERSION)"
	sh "$here/releasable.sh" "$VERSION" CHANGELOG.md
	grep -qF "## [$VERSION]" CHANGELOG.md || refuse "CHANGELOG.md has no entry [$VERSION]"
}

check_key() {
	[ -n "${KEY:-}" ] || refuse 'no KEY=FILE to sign with'
	[ -r "$KEY" ] || refuse "cannot read the key $KEY"
	printf '' | openssl dgst -sha256 -sign "$KEY" >/dev/null 2>&1 ||
		refuse "$KEY is not a private key of a curve or of RSA in PEM, without a passphrase"
}

# --- what is made ---

make_packages() {
	DEBFULLNAME=${DEBFULLNAME:-$(git log -1 --format=%cn)}
	DEBEMAIL=${DEBEMAIL:-$(git log -1 --format=%ce)}
	export DEBFULLNAME DEBEMAIL SOURCE
	rm -f "$BUILD"/*.deb
	for suite in $SUITES; do
		sh tests/repo/in_debian.sh "$suite" deb
	done
	mv "$BUILD"/*.deb "$to"
}

# An OCI layout: index, manifests and layers by their hashes; as a tar of the same bytes each time.
make_image() {
	image=localhost/$name-release:$VERSION
	layout=$BUILD/oci
	rm -rf "$layout"
	ENGINE=$ENGINE IMAGE=$image PLATFORMS=$PLATFORMS sh config/image/build.sh
	# shellcheck disable=SC2086 # ENGINE is several words
	$ENGINE manifest push --all "$image" "oci:$layout:$VERSION"
	# shellcheck disable=SC2086
	$ENGINE manifest rm "$image" >/dev/null
	python3 "$here/sbom.py" "$layout" "$VERSION" "$epoch" >"$to/$name-$VERSION.cdx.json"
	digest=$(python3 "$here/sbom.py" --digest "$layout")
	echo "$digest" >"$to/$name-$VERSION.oci.digest"
	tar -C "$layout" --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
		-cf "$to/$name-$VERSION.oci.tar" .
}

sign() {
	(cd "$to" && sha256sum "$name"* >SHA256SUMS)
	openssl dgst -sha256 -sign "$KEY" -out "$to/SHA256SUMS.sig" "$to/SHA256SUMS"
	openssl pkey -in "$KEY" -pubout -out "$to/release.pub"
}

# How a user verifies each, as commands that the check runs.
write_verify() {
	sed -e "s/@NAME@/$name/g; s/@VERSION@/$VERSION/g; s/@DIGEST@/$digest/g" "$here/VERIFY.in" >"$to/VERIFY"
}

check_commit
check_key
[ "$(id -u)" = 0 ] || refuse 'needs root, for the trees that the packages are made in'
epoch=$(git log -1 --format=%ct)
rm -rf "$to"
mkdir -p "$to"
sh "$here/dist.sh"
mv "$BUILD/$name-$VERSION.tar.gz" "$to"
make_packages
make_image
sign
write_verify
echo
cat "$to/VERIFY"
