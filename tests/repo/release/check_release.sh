#!/bin/sh
# A release: when it is refused, what it holds, and that each of its files is verified as VERIFY says, up to a
# registry on loopback; a changed file and another key are found out. Takes as long as two packages and two images.
#   VERSION  the program's
#   ENGINE, BASE   as in `make image`; without them what check_image.sh uses
set -u
: "${VERSION:?}"
dir=$(mktemp -d -p /var/tmp) || exit 1
name=recall-redirectd
registry=
clean_up() {
	[ -z "$registry" ] || kill "$registry" 2>/dev/null
	rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# shellcheck source=tests/report.sh
. tests/report.sh
# shellcheck source=tests/whole/image/engine.sh
. tests/whole/image/engine.sh
isolate
clone=$dir/clone
files=$dir/clone/build/release

# --- what is refused ---

git_clone() { git -C "$clone" -c user.name=Nobody -c user.email=nobody@release.invalid "$@"; }

release() { # options
	(cd "$clone" && nice -n 10 make --no-print-directory release ENGINE="$ENGINE" BASE="$base" \
		IMAGE_OPTIONS="$build_options" "$@") >"$dir/log" 2>&1
}

refuses() { # what, words, options
	what=$1
	words=$2
	shift 2
	release "$@"
	is "refused: $what" "$? $(grep -c "$words" "$dir/log")" '2 1'
}

write_keys() {
	for key in right other; do
		openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/$key.pem" 2>/dev/null ||
			openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/$key.pem" 2>/dev/null
	done
	openssl genpkey -algorithm ED25519 -out "$dir/edwards.pem" 2>/dev/null
}

check_refusals() {
	git clone -q . "$clone" 2>"$dir/log"
	refuses 'a commit without a tag' "no tag v$VERSION" KEY="$dir/right.pem"
	git_clone tag "v$VERSION"
	if ! grep -qF "## [$VERSION]" CHANGELOG.md; then
		refuses 'a tag whose version has no entry in the changelog' 'CHANGELOG' KEY="$dir/right.pem"
		sed -i "s/^## \[Unreleased\]/&\n\n## [$VERSION] - 2026-12-01/" "$clone/CHANGELOG.md"
	fi
	echo >>"$clone/README.md"
	refuses 'a change that is not committed' 'not committed' KEY="$dir/right.pem"
	git_clone commit -q -a -m 'Release'
	git_clone tag -f "v$VERSION" >/dev/null
	: >"$clone/stray"
	refuses 'a file that git does not know' 'git does not know' KEY="$dir/right.pem"
	rm "$clone/stray"
	refuses 'no key' 'no KEY=FILE'
	refuses 'a key that is not there' 'cannot read' KEY="$dir/none.pem"
	refuses 'a key that dgst cannot use' 'not a private key' KEY="$dir/edwards.pem"
}

# --- what is made ---

check_files() {
	architecture=$(dpkg --print-architecture)
	is 'it holds these files' "$(cd "$files" && echo *)" "SHA256SUMS SHA256SUMS.sig VERIFY $name-$VERSION.cdx.json\
 $name-$VERSION.oci.digest $name-$VERSION.oci.tar $name-$VERSION.tar.gz ${name}_$VERSION-1~debian12_$architecture.deb\
 ${name}_$VERSION-1~debian13_$architecture.deb release.pub"
	is 'the list has each but its signature, the key and the words' \
		"$(cut -c 67- "$files/SHA256SUMS")" "$(cd "$files" && printf '%s\n' $name*)"
	is 'packages name their maintainer' "$(dpkg-deb -f "$files"/*debian13*.deb Maintainer)" \
		"$(git -C "$clone" log -1 --format='%cn <%ce>')"
}

# The processors, and that each has the same packages, the libraries among them.
read_bill() {
	python3 - "$files/$name-$VERSION.cdx.json" <<-'END'
		import collections, json, sys
		bill = json.load(open(sys.argv[1]))
		of = collections.defaultdict(set)
		for component in bill["components"]:
		    of[component["properties"][0]["value"]].add(component["name"])
		wanted = {"recall-redirectd", "libc6", "libcjson1", "libgnutls30t64", "libmicrohttpd12t64", "base-files"}
		references = [component["bom-ref"] for component in bill["components"]]
		known = set(references) | {bill["metadata"]["component"]["bom-ref"]}
		print(bill["bomFormat"], sorted(of), len({tuple(sorted(names)) for names in of.values()}),
		      all(wanted <= names for names in of.values()), len(references) == len(set(references)),
		      all({each["ref"], *each["dependsOn"]} <= known for each in bill["dependencies"]))
	END
}

check_image() {
	is 'the bill of materials' "$(read_bill)" "CycloneDX ['amd64', 'arm64'] 1 True True True"
	mkdir "$dir/layout" "$dir/arm64"
	tar -C "$dir/layout" -xf "$files/$name-$VERSION.oci.tar"
	skopeo --override-arch arm64 copy -q "oci:$dir/layout" "dir:$dir/image" 2>"$dir/log"
	for layer in $(python3 -c 'import json, sys
for layer in json.load(open(sys.argv[1]))["layers"]: print(layer["digest"].split(":")[1])' "$dir/image/manifest.json"); do
		tar -C "$dir/arm64" -xf "$dir/image/$layer"
	done
	is 'the program for arm64 runs' "$(qemu-aarch64 -L "$dir/arm64" "$dir/arm64/usr/local/bin/$name" --version |
		cut -d ' ' -f 2)" "$VERSION"
	printf '#!/bin/sh\nexec qemu-aarch64 -L %s "$@"\n' "$dir/arm64" >"$dir/emulator"
	chmod 755 "$dir/emulator"
	PROGRAM=$dir/arm64/usr/local/bin/$name WRAPPER=$dir/emulator sh tests/whole/check_smoke.sh >"$dir/smoke" 2>&1
	is "smoke of the program for arm64: $(tail -n 1 "$dir/smoke")" $? 0
}

# --- as a user ---

start_registry() {
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	REGISTRY=127.0.0.1:$port
	cat >"$dir/registry.yml" <<-END
		version: 0.1
		storage: {filesystem: {rootdirectory: $dir/registry}}
		http: {addr: "$REGISTRY"}
	END
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >"$dir/registries.conf"
	docker-registry serve "$dir/registry.yml" >"$dir/registry.log" 2>&1 &
	registry=$!
	export REGISTRY
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		curl -q -s -o /dev/null "http://$REGISTRY/v2/" && return
		sleep 0.5
	done
}

verify() { # lines of VERIFY: the commands of a user who stops at the first that fails
	{
		echo "skopeo() { command skopeo --registries-conf '$dir/registries.conf' \"\$@\"; }" # for the lack of TLS
		grep -E "$1" "$dir/user/VERIFY"
	} >"$dir/commands"
	(cd "$dir/user" && sh -e -u "$dir/commands") >"$dir/verify" 2>&1
}

fresh() {
	rm -rf "$dir/user"
	cp -r "$files" "$dir/user"
}

check_verification() {
	fresh
	verify '^(openssl|sha256sum) '
	is "every file is verified: $(tail -n 1 "$dir/verify")" $? 0
	for file in $(cd "$files" && echo $name* SHA256SUMS SHA256SUMS.sig); do
		printf x | dd of="$dir/user/$file" bs=1 seek=20 conv=notrunc 2>/dev/null
		verify '^(openssl|sha256sum) '
		is_not "found out: a changed $file" $? 0
		fresh
	done
	openssl pkey -in "$dir/other.pem" -pubout -out "$dir/user/release.pub"
	verify '^openssl '
	is_not 'found out: the signature of another key' $? 0
	fresh
	verify '^skopeo '
	is "the image goes into a registry, with its digest: $(tail -n 1 "$dir/verify")" $? 0
	skopeo copy -q --multi-arch=system --dest-tls-verify=false "oci:$dir/layout" "docker://$REGISTRY/$name:$VERSION" 2>"$dir/log"
	is 'another image takes its name' $? 0
	verify '^skopeo inspect '
	is_not 'found out: another image under the name' $? 0
}

write_keys
choose_engine
find_base
check_refusals
if ! release KEY="$dir/right.pem"; then
	tail -n 60 "$dir/log" | sed 's/^/# /'
	give_up 'the release is made' "$(grep -E '^not ok|^make release|rror' "$dir/log" | head -n 1)" 'a folder of files'
fi
ok 'the release is made'
check_files
check_image
start_registry
check_verification
summarize
