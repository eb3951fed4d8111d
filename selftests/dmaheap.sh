#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What others make of our dma-heap nodes: the kernel's own test of dma-heaps,
# compiled from its source as it is, which knows nothing of us.  Prints TAP.
#
# Most functions are called by ok, which shellcheck does not see; and a script
# in quotes is for another shell.
# shellcheck disable=SC2317,SC2329,SC2016

lib=$(dirname "$0")/lib
said=$(mktemp) || exit 1
trap 'rm -f "$said"' EXIT
tests=0 failures=0

# ok NAME COMMAND...: a test is a command that succeeds; what it says is shown
# only if it does not.
ok() {
	local name=$1
	shift
	tests=$((tests + 1))
	if "$@" >"$said" 2>&1; then
		echo "ok $tests $name"
	else
		# not as TAP of ours
		sed 's/^/# /' "$said"
		echo "not ok $tests $name"
		failures=$((failures + 1))
	fi
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests $1 # SKIP $2"
}

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
	grep -qF "Testing heap: $1" "$said" && ! grep -q '# SKIP\|^not ok' "$said" &&
		grep -q '^ok 11 ' "$said"
}

modprobe -q vgem
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
echo "1..$tests"
exit $((failures > 0))
