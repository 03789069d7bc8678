#!/bin/sh
# Unpacks server packages that tests run as peers, without installing them
# (installed, they would start):
#   tools/get-peers.sh PACKAGE...
# Each goes, with the libraries that are missing here, into build/peers/PACKAGE
# and is run by its path, LD_LIBRARY_PATH pointing beside it.  What cannot be
# had is told and leaves no folder; its tests skip with that reason.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/peers
failed=0

get() {
	into=build/peers/$1
	[ -d "$into" ] && return 0
	debs=$(mktemp -d)
	# apt-get's own rehearsal knows which packages belong to it
	names=$(apt-get -s -q install --no-install-recommends "$1" 2>"$debs/why" </dev/null |
		sed -n 's/^Inst \([^ ]*\) .*/\1/p') || names=
	[ -n "$names" ] || names=$1        # it is installed: the files are wanted all the same
	if (cd "$debs" && apt-get -q download $names >>why 2>&1 </dev/null); then
		for deb in "$debs"/*.deb; do
			dpkg -x "$deb" "$into.part"
		done
		mv "$into.part" "$into"
		echo "peers: $1 unpacked into $into"
	else
		echo "peers: $1 cannot be had: $(sed -n '/^E: /p' "$debs/why" | head -n 1)" >&2
		failed=1
	fi
	rm -rf "$debs" "$into.part"
}

for package in "$@"; do
	get "$package"
done
exit $failed
