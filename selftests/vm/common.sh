# SPDX-License-Identifier: MIT
# Shared by the scripts of the lab: where things are kept, and how they say
# what they are doing.  Sourced, never run.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${SLUICE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice}
ROOTFS=$CACHE/root
# what only arm64 needs; made by setup-arm64
ARM64=$CACHE/arm64
BUILD=${SLUICE_BUILD:-$TOP/build}

# The three supported lines, oldest first.  check runs them all.
KERNELS="6.1 6.12 7.2"
NEWEST=7.2

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'sluice: %s\n' "$*" >&2; exit 1; }

# Run as root, through sudo for everybody else.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo --preserve-env=SLUICE_CACHE,SLUICE_BUILD,XDG_CACHE_HOME,HOME "$@"
	else
		die "this step needs root: run make as root, or install sudo"
	fi
}

# kernel_release LINE: the release of that line in the root file system, for
# example 6.12 -> 6.12.117+deb13-amd64.
kernel_release() {
	local found
	found=$(cd "$ROOTFS/lib/modules" 2>/dev/null && ls -d "$1".*amd64 2>/dev/null | sort -V | tail -n 1)
	[ -n "$found" ] || die "no kernel $1 in $ROOTFS: run selftests/vm/setup again"
	printf '%s\n' "$found"
}

# arm64_release: the release of the kernel for arm64.
arm64_release() {
	ls "$ARM64/lib/modules" 2>/dev/null | grep . ||
		die "no kernel in $ARM64: run selftests/vm/setup-arm64"
}
