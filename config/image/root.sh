#!/bin/sh
# Lays out what the image ships: the program, the shared libraries that it needs, their licences, and the
# records of their packages. Called by the Dockerfile, in a Debian where the program has been built.
#
#   root.sh ARCHITECTURE FOLDER
#
# Where ARCHITECTURE (Debian's name) is not this machine's, the program is compiled for it first.
set -eu
architecture=${1:?usage: root.sh ARCHITECTURE FOLDER}
root=${2:?usage: root.sh ARCHITECTURE FOLDER}
triplet=$(gcc -print-multiarch)
build=build
tools=
if [ "$architecture" != "$(dpkg --print-architecture)" ]; then
	make "cross-$architecture"
	build=build/$architecture
	case $architecture in
	amd64) triplet=x86_64-linux-gnu ;;
	arm64) triplet=aarch64-linux-gnu ;;
	esac
	tools=$triplet-
fi
program=$root/usr/local/bin/recall-redirectd
records=$root/var/lib/dpkg/status.d
install -D -m 755 "$build/recall-redirectd" "$program"
"${tools}strip" "$program"

# --- libraries: named by the program and by each other; what is missing fails at the copy ---

libraries=
add_libraries() { # a program or library
	for name in $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		case "$libraries " in
		*" $name "*) ;;
		*)
			libraries="$libraries $name"
			add_libraries "/lib/$triplet/$name"
			;;
		esac
	done
}

add_libraries "$program"
loader=$(readelf -l "$program" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
paths=$loader
for name in $libraries; do
	[ "$name" = "${loader##*/}" ] || paths="$paths /lib/$triplet/$name"
done
# shellcheck disable=SC2086 # a list of paths
cp -L --parents $paths /etc/os-release /etc/debian_version "$root"

# --- records of packages: where scanners look for them in images without dpkg, one file each ---

package_of() { # path; dpkg may know it with or without /usr
	dpkg-query -S "*${1#/usr}" | sed '/^diversion by/d; s/: .*//'
}

install -d "$records" "$root/etc/recall-redirectd"
packages=$(for path in $paths /etc/debian_version; do package_of "$(readlink -f "$path")"; done | sort -u)
for package in $packages; do
	name=${package%%:*}
	# Of the base comes nothing but text, which is the same on all processors.
	dpkg-query -s "$package" | sed "s/^Architecture: .*/Architecture: $architecture/" >"$records/$name"
	cp "$(dpkg-query --control-path "$package" md5sums)" "$records/$name.md5sums"
	cp -L --parents "/usr/share/doc/$name/copyright" "$root"
done

echo 'redirectd:x:65532:65532::/nonexistent:/usr/sbin/nologin' >"$root/etc/passwd"
echo 'redirectd:x:65532:' >"$root/etc/group"
