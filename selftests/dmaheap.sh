#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What others make of our dma-heap nodes: the kernel's own test of dma-heaps,
# compiled from its source as it is, which knows nothing of us, and udev with
# the rule that gives a group access.  Prints TAP.
#
# Most functions are called by ok, which shellcheck does not see; and a script
# in quotes is for another shell.
# shellcheck disable=SC2317,SC2329,SC2016

here=$(dirname "$(realpath "$0")")
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. "$here/lib/ktap.sh"
lib=$here/lib
rules=/run/udev/rules.d/99-sluice.rules
trap 'rm -f "$rules"' EXIT

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

# Real udev, for as long as it takes; and then as it was.
udev_gives_access() {
	local node access refused=0
	mkdir -p "${rules%/*}"
	cp "$lib/99-sluice.rules" "$rules"
	/usr/lib/systemd/systemd-udevd --daemon || return 1
	udevadm trigger --action=add --settle --subsystem-match=misc --subsystem-match=sluice
	udevadm control --exit
	for node in /dev/sluice/* /dev/dma_heap/sluice-*; do
		access=$(stat -c '%G %a' "$node")
		[ "$access" = "video 660" ] || { echo "$node: $access"; refused=1; }
		chown root:root "$node"
		chmod 600 "$node"
	done
	return "$refused"
}

# The line of the rules that is a comment, for a name of this test's own.
udev_gives_a_name() {
	local name=sluice-test-name
	mkdir -p "${rules%/*}"
	sed -n "s|^#\(SUBSYSTEM.*KERNEL==\"sluice-soft0-\)contiguous\(\".*dma_heap/\)reserved|\1pages\2$name|p" \
		"$lib/99-sluice.rules" >"$rules"
	grep -q "$name" "$rules" || { echo "no such line in the rules"; return 1; }
	/usr/lib/systemd/systemd-udevd --daemon || return 1
	udevadm trigger --action=add --settle --subsystem-match=misc
	udevadm control --exit
	[ "/dev/dma_heap/$name" -ef /dev/dma_heap/sluice-soft0-pages ] || { ls -l /dev/dma_heap; return 1; }
	rm "/dev/dma_heap/$name"
}

# Nobody else's node is touched by it.
udev_leaves_the_rest() {
	local node
	for node in /dev/vga_arbiter /dev/hpet /dev/dma_heap/system; do
		[ ! -e "$node" ] || stat -c '%n %G %a' "$node"
	done
	! output | grep -q ' video '
}

tests() {
	local heap name udev=""
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
	if [ ! -x /usr/lib/systemd/systemd-udevd ]; then
		udev="no udev"
	elif [ -e /run/udev/control ]; then
		udev="this machine's own udev is running"
	fi
	if [ -z "$udev" ]; then
		ok "the_udev_rule_gives_the_group_all_nodes" udev_gives_access
		ok "and_no_others" udev_leaves_the_rest
		ok "a_rule_gives_a_heap_a_name_that_programs_look_for" udev_gives_a_name
	else
		skip "the_udev_rule_gives_the_group_all_nodes" "$udev"
		skip "and_no_others" "$udev"
		skip "a_rule_gives_a_heap_a_name_that_programs_look_for" "$udev"
	fi
}

needs_sluice
modprobe -q vgem
run_tests tests
