# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
# Shared by the scripts of the lab: the paths of the lab, and messages.  Sourced, never run.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# relative paths are relative to the caller's folder
CACHE=$(realpath -m "${SLUICE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice}")
BUILD=$(realpath -m "${SLUICE_BUILD:-$TOP/build}")
# links to the parts of the cache that this checkout uses, made by setup
LAB=$BUILD/lab
ROOTFS=$LAB/root

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'sluice: %s\n' "$*" >&2; exit 1; }

# alone FOLDER BUILD: be the only one at work in this folder until this shell ends.  The message
# calls the work of another "another build of BUILD".
alone() {
	local lock
	# the folder itself: another user, who may not write to it, can wait, too
	exec {lock}<"$1"
	flock -n "$lock" || {
		say "another build of $2 is at work: waiting for it to end"
		flock "$lock"
	}
}

# Run as root, with sudo for other users.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo --preserve-env=SLUICE_CACHE,SLUICE_BUILD,XDG_CACHE_HOME,HOME,http_proxy,https_proxy,no_proxy "$@"
	else
		die "this step needs root: run make as root, or install sudo"
	fi
}

# kernel_folder KERNEL: the folder of the kernel for a role, a line or a release.
kernel_folder() {
	[ -d "$LAB/kernels/$1" ] || die "no kernel '$1' in the lab: run selftests/vm/setup first"
	readlink "$LAB/kernels/$1"
}

# kernel_release KERNEL: its release, for example lts -> 6.12.117+deb13-amd64.
kernel_release() {
	local folder
	folder=$(kernel_folder "$1") && basename "$folder"
}
