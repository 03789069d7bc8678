#!/bin/sh
# Installs the Debian packages that are missing, and only those.
#   tools/deps.sh GROUP...     groups of tools/packages.txt
# Needs nothing but sh, dpkg and apt-get (and sudo, when not run as root).
set -eu
cd "$(dirname "$0")/.."

wanted() {
	while read -r group package rest; do
		for g in "$@"; do
			[ "$group" = "$g" ] && echo "$package"
		done
	done < tools/packages.txt
	return 0
}

is_there() {
	dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | while read -r line; do
		[ "$line" = "install ok installed" ] && echo yes
	done
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps: this is not a Debian system; install what these packages hold, then run" >&2
	echo "make all, make unit or tools/demo.sh:" $(wanted "$@") >&2
	exit 1
fi

missing=
for package in $(wanted "$@"); do
	case " $missing " in
	*" $package "*) continue ;;
	esac
	[ -n "$(is_there "$package")" ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
	exit 0
fi

root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "deps: missing:$missing" >&2
		echo "deps: there is no sudo; as root, run:" >&2
		echo "apt-get install --no-install-recommends$missing" >&2
		exit 1
	fi
	root=sudo
fi

log=$(mktemp)
echo "deps: installing with ${root:+sudo }apt-get:$missing"
apt() {
	$root env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
		apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}
apt update >/dev/null ||
	echo "deps: apt-get update failed; trying with the lists that are there" >&2
if ! apt install -y --no-install-recommends $missing >"$log" 2>&1; then
	cat "$log" >&2
	rm -f "$log"
	echo "deps: apt-get could not install them; its reasons are above" >&2
	exit 1
fi
rm -f "$log"
