#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What others make of our dma-heap nodes: the kernel's own test of dma-heaps,
# compiled from its source as it is, which knows nothing of us.  Prints TAP.
#
# Most functions are called by ok, which shellcheck does not see; and a script
# in quotes is for another shell.
# shellcheck disable=SC2317,SC2329,SC2016

here=$(dirname "$(realpath "$0")")
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. "$here/lib/ktap.sh"
lib=$here/lib

# The client takes all heaps that it finds: let it find one.  It wants 32 MiB at
# a time, more than there is of what edu0 reaches.
run_client() {
	unshare -m bash -ec '
		folder=$(mktemp -d)
		touch "$folder/$1"
		mount --bind "/dev/dma_heap/$1" "$folder/$1"
		mount --rbind "$folder" /dev/dma_heap
		exec "$0"' "$lib/dmabuf-heap" "$1"
}

client_is_content() {
	run_client "$1" || return 1
	output | grep -qF "Testing heap: $1" && ! output | grep -q '# SKIP\|^not ok' &&
		output | grep -q '^ok 11 '
}

tests() {
	local heap name
	for heap in /dev/dma_heap/sluice-soft0-* /dev/dma_heap/system; do
		heap=${heap##*/}
		name="the_kernels_own_client_works_on_$heap"
		if [ ! -e "$lib/dmabuf-heap" ]; then
			skip "$name" "there was no kernel source to take it from"
		elif [ ! -e "/dev/dma_heap/$heap" ]; then
			skip "$name" "this kernel has no such heap"
		else
			ok "$name" client_is_content "$heap"
		fi
	done
}

needs_sluice
modprobe -q vgem
run_tests tests
