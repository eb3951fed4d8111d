#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Real udev, with the rule that lets users open the nodes without root: the members of a group,
# and the user who sits at the machine.  All nodes are then as before.  Prints TAP.
#
# The tests are functions that are called by their names, which shellcheck does not see.
# Words of lists are meant to be split.
# shellcheck disable=SC2317,SC2329,SC2046

here=$(dirname "$(realpath "$0")")
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. "$here/lib/ktap.sh"
lib=$here/lib
rules=/run/udev/rules.d/70-sluice.rules
seat=/run/systemd/seats/seat0
# users that exist nowhere else: a member of the group, the one at the machine, and another
member=4001 sitting=4002 stranger=4003

TESTS="
	without_the_rule_only_root_opens_a_node
	the_group_may_use_all_nodes
	no_other_node_has_changed
	all_nodes_have_the_tag_uaccess
	a_member_of_the_group_allocates_from_devices_and_heaps
	the_user_at_the_machine_allocates_from_devices_and_heaps
	another_user_does_not
	a_user_namespace_neither_takes_access_nor_gives_it
	a_bind_mount_of_a_node_works_in_a_container
	a_device_that_is_bound_later_has_the_same_access
	a_rule_gives_a_heap_a_name_that_programs_look_for
"

nodes() { printf '%s\n' /dev/sluice/* /dev/dma_heap/sluice-*; }

# udev RULES: udev treats all nodes once, with these rules
udev() {
	local status=0
	mkdir -p "${rules%/*}"
	cat >"$rules"
	/usr/lib/systemd/systemd-udevd --daemon || return 1
	udevadm trigger --action=add --settle --subsystem-match=misc --subsystem-match=sluice || status=1
	[ "$#" = 0 ] || "$@" || status=1
	udevadm control --exit --timeout=600
	return "$status"
}

# The nodes, as the kernel makes them.
restore() {
	local node
	for node in $(nodes); do
		chown root:root "$node"
		# a mode also sets what an entry of an ACL may give
		setfacl_none "$node"
		chmod 600 "$node"
	done
	rm -f "$rules" "$seat"
	rmdir "${seat%/*}" 2>/dev/null
}

# Remove the ACL of a node.
setfacl_none() {
	python3 -c 'import os, sys
if "system.posix_acl_access" in os.listxattr(sys.argv[1]):
    os.removexattr(sys.argv[1], "system.posix_acl_access")' "$1"
}

# as USER COMMAND...: an ordinary user, without groups except one
as() {
	local groups=--clear-groups user=$1
	[ "$user" != "$member" ] || groups=--groups=$(getent group video | cut -d : -f 3)
	shift
	setpriv "--reuid=$user" "--regid=$user" "$groups" "$@"
}

# allocates USER: buffers of all devices and heaps
allocates() {
	local node refused=0
	for node in /dev/sluice/*; do
		as "$1" sluicectl alloc "${node##*/}" --size 4K || { echo "$node refuses user $1"; refused=1; }
	done
	# DMA_HEAP_IOCTL_ALLOC of 4096 bytes, with an fd that is open for reading and writing
	as "$1" python3 -c 'import fcntl, os, struct, sys
for name in sys.argv[1:]:
    heap = os.open(name, os.O_RDONLY)
    arg = fcntl.ioctl(heap, 0xc0184800, struct.pack("=QIIQ", 4096, 0, os.O_RDWR | os.O_CLOEXEC, 0))
    assert os.fstat(struct.unpack("=QIIQ", arg)[1]).st_size == 4096, name
' /dev/dma_heap/sluice-* || refused=1
	return "$refused"
}

# opens USER: the first of all nodes that this user can open
opens() {
	# shellcheck disable=SC2016
	as "$1" bash -c 'for node; do (: <"$node") 2>/dev/null && echo "$node"; done' - $(nodes)
}

without_the_rule_only_root_opens_a_node() {
	[ -z "$(opens "$member")$(opens "$sitting")$(opens "$stranger")" ]
}

the_group_may_use_all_nodes() {
	local node access refused=0
	# who sits at the machine is known by a file of logind, which does not run here
	mkdir -p "${seat%/*}"
	printf '%s\n' IS_SEAT0=1 ACTIVE=1 ACTIVE_UID="$sitting" >"$seat"
	udev <"$lib/70-sluice.rules" || return 1
	for node in $(nodes); do
		# the rights of the group are those of the mask, if there is an ACL
		access=$(stat -c '%U %G %a' "$node")
		[ "$access" = "root video 660" ] || { echo "$node: $access"; refused=1; }
	done
	return "$refused"
}

no_other_node_has_changed() {
	local node
	for node in /dev/vga_arbiter /dev/hpet /dev/dma_heap/*; do
		[[ ! -e $node || $node = */sluice-* ]] || stat -c '%n %G %a' "$node"
	done | { ! grep ' video '; }
}

all_nodes_have_the_tag_uaccess() {
	local node refused=0
	for node in $(nodes); do
		udevadm info --query=property --property=CURRENT_TAGS "$node" | grep -q ':uaccess:' ||
			{ udevadm info "$node"; refused=1; }
	done
	return "$refused"
}

a_member_of_the_group_allocates_from_devices_and_heaps() { allocates "$member"; }

# A kernel of the lab's own may have no ACLs for files in /dev.
has_acls() {
	python3 -c 'import os, struct
path = "/dev/sluice-test-acl"
acl = struct.pack("=I" + 4 * "HHI", 2, *[word for tag in (1, 4, 16, 32) for word in (tag, 6, 0xffffffff)])
open(path, "w").close()
try:
    os.setxattr(path, "system.posix_acl_access", acl)
finally:
    os.unlink(path)'
}

the_user_at_the_machine_allocates_from_devices_and_heaps() {
	has_acls || { echo "this kernel has no ACLs for files in /dev"; return 4; }
	allocates "$sitting"
}

another_user_does_not() {
	! opens "$stranger" | grep . && ! allocates "$stranger"
}

# namespaces USER COMMAND...: the command as root of a user namespace, with mounts of its own
namespaces() {
	as "$1" unshare --user --map-root-user --mount true || { echo "this kernel has no user namespaces"; return 4; }
	as "$1" unshare --user --map-root-user --mount "${@:2}"
}

a_user_namespace_neither_takes_access_nor_gives_it() {
	namespaces "$member" sluicectl alloc soft0 --size 4K || return
	! namespaces "$stranger" sluicectl alloc soft0 --size 4K
}

# As containers do it: a /dev of its own, with one node.
a_bind_mount_of_a_node_works_in_a_container() {
	# shellcheck disable=SC2016
	local script='mkdir /tmp/node.$$ && cd /tmp/node.$$ && touch soft0 && mount --bind /dev/sluice/soft0 soft0 &&
		mount --rbind . /dev/sluice && [ "$(echo /dev/sluice/*)" = /dev/sluice/soft0 ] &&
		sluicectl alloc soft0 --size 4K'
	namespaces "$member" bash -c "$script" || return
	! namespaces "$stranger" bash -c "$script"
}

rebind() {
	local driver=/sys/bus/platform/drivers/sluice-soft device
	device=$(basename "$(find "$driver/" -maxdepth 1 -type l -name '*soft*' | head -n 1)")
	echo "$device" >"$driver/unbind" && echo "$device" >"$driver/bind" && udevadm settle --timeout=600
}

a_device_that_is_bound_later_has_the_same_access() {
	udev rebind <"$lib/70-sluice.rules" || return 1
	[ "$(stat -c '%G %a' /dev/sluice/soft0)" = "video 660" ] &&
		[ "$(stat -c '%G %a' /dev/dma_heap/sluice-soft0-pages)" = "video 660" ] && allocates "$member"
}

# The line of the rules that is a comment, for a name of this test's own.
a_rule_gives_a_heap_a_name_that_programs_look_for() {
	local name=sluice-test-name line
	line=$(sed -n "s|^#\(SUBSYSTEM.*KERNEL==\"sluice-soft0-\)contiguous\(\".*dma_heap/\)reserved|\1pages\2$name|p" \
		"$lib/70-sluice.rules")
	[ -n "$line" ] || { echo "no such line in the rules"; return 1; }
	udev <<<"$line" || return 1
	[ "/dev/dma_heap/$name" -ef /dev/dma_heap/sluice-soft0-pages ] || { ls -l /dev/dma_heap; return 1; }
	rm "/dev/dma_heap/$name"
}

tests() {
	local test
	for test in $TESTS; do
		ok_or_skip "$test" "$test"
	done
}

needs_sluice
needs_command sluicectl
[ -x /usr/lib/systemd/systemd-udevd ] || skip_all "this machine has no udev"
[ ! -e /run/udev/control ] || skip_all "this machine's own udev is running"
trap restore EXIT
run_tests tests
