#!/bin/bash
# SPDX-License-Identifier: MIT
#
# sluicectl doctor: each test breaks the machine in one way, asks, and mends the machine.  Prints
# TAP.
#
#	doctor			with the modules loaded, as all tests
#	doctor BOOT		in a guest of make check-doctor, which has booted with the parameters
#				of this name: bare, translated, passthrough, enforced or bouncing.  The
#				modules are not loaded yet
#
# All mounts are in a namespace of this script.  A line "# doctor found ID..." for each run of the
# command tells which findings it had.
#
# Functions are called by ok, which shellcheck does not see.
# shellcheck disable=SC2317,SC2329

here=$(dirname "$(realpath "$0")")
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. "$here/lib/ktap.sh"

grep -q 'sluice\.mode=' /proc/cmdline && [ -d "/sluice/$(uname -r)" ] ||
	skip_all "this test breaks the machine, so it runs only in a guest of the lab"
[ ! -e "/sluice/$(uname -r)/sluice-importer.ko" ] || skip_all "debug kernels have too few drivers"
[ -n "${DOCTOR_NAMESPACE-}" ] ||
	exec env DOCTOR_NAMESPACE=1 unshare -m --propagation private "$0" "$@"

boot=${1-}
release=$(uname -r)
modules=${SLUICE_MODULES:-/sluice/$release}
version=$(sluicectl --version) && version=${version#* }
dir=$(mktemp -d) || exit 1
trap 'sort -u "$dir/runs"; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
# other users read what the tests mount from here
chmod 755 "$dir"
: >runs

# Loading a Vulkan driver takes seconds: only some tests do it.
drivers=${VK_DRIVER_FILES-}
export VK_DRIVER_FILES=/nonexistent VK_ICD_FILENAMES=/nonexistent

# Check the JSON of "sluicectl doctor" and its exit status, and print a line for each finding:
# ID|LEVEL|GROUP|SUBJECT|TEXT
cat >findings.py <<'END'
import json
import re
import sys

LEVELS = ["ok", "note", "warning", "problem"]
KEYS = {"version", "kernel", "uid", "result", "status", "problems", "warnings", "findings"}

with open("json", encoding="utf-8") as text:
    lines = text.read().splitlines()
assert len(lines) == 1, f"{len(lines)} lines of JSON"
answer = json.loads(lines[0])
assert set(answer) == KEYS, f"keys: {sorted(answer)}"
status = int(sys.argv[1])
levels = [finding["level"] for finding in answer["findings"]]
highest = max(map(LEVELS.index, levels), default=0)
assert answer["status"] == status == [0, 0, 3, 4][highest], f"status {status}, highest {highest}"
assert answer["result"] == ["ok", "ok", "warning", "problem"][highest], answer["result"]
assert answer["problems"] == levels.count("problem"), answer["problems"]
assert answer["warnings"] == levels.count("warning"), answer["warnings"]
for finding in answer["findings"]:
    assert set(finding) - {"subject"} == {"id", "level", "group", "text"}, finding
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", finding["id"]), finding
    # one sentence; a finding that is no fact says what to do after a colon
    assert re.match(r"[A-Z/]|kernel\.|io_uring|udmabuf|swiotlb|[0-9]", finding["text"]), finding
    assert finding["text"].endswith(".") and ". " not in finding["text"], finding
    if finding["level"] in ("warning", "problem"):
        assert re.search(r": |, so ", finding["text"]), finding
    print("|".join([finding["id"], finding["level"], finding["group"],
                    finding.get("subject", ""), finding["text"]]))
END

# doctor COMMAND...: run "sluicectl doctor --json", with COMMAND in front of it; keeps the findings
doctor() {
	local status
	"$@" sluicectl doctor --json >json 2>err
	status=$?
	if [ -s err ]; then
		echo "on stderr:"
		cat err
		return 1
	fi
	python3 findings.py $status >findings || { cat json; return 1; }
	cat findings
	echo "# doctor found $(cut -d'|' -f1 findings | sort -u | tr '\n' ' ')" >>runs
}

# has ID [SUBJECT [WORDS]]: a finding; the subject may be its beginning
has() {
	local id subject text
	while IFS='|' read -r id _ _ subject text; do
		if [ "$id" = "$1" ] && [[ $subject == "${2-}"* && $text == *"${3-}"* ]]; then
			return 0
		fi
	done <findings
	echo "there is no finding $*"
	return 1
}

# hasnt ID...: none of these findings
hasnt() {
	local id
	for id; do
		if grep "^$id|" findings; then
			echo "the finding $id is wrong"
			return 1
		fi
	done
}

# one_of ID...: exactly one of these findings, once or more
one_of() {
	local id count=0
	for id; do
		! grep -q "^$id|" findings || count=$((count + 1))
	done
	[ $count = 1 ] || { echo "$count of the findings $* are there"; return 1; }
}

# user [GROUP]...: before a command: run it as a user without rights, in these groups
user() {
	setpriv --reuid 65534 --regid 65534 --groups "$(IFS=,; echo "${GROUPS_OF_USER:-65534}")" "$@"
}

# covered PATH COMMAND...: run a command of this script while an empty folder covers PATH
covered() {
	local path=$1 rc
	shift
	mount -t tmpfs tmpfs "$path" || return 1
	"$@"
	rc=$?
	umount "$path" || return 1
	return $rc
}

# faked PATH COMMAND...: the same while the file "fake" covers the file PATH
faked() {
	local path=$1 rc
	shift
	mount --bind fake "$path" || return 1
	"$@"
	rc=$?
	umount "$path" || return 1
	return $rc
}

# limited SYSCALL ERRNO COMMAND...: run a program to which the kernel refuses a system call
cat >limited.py <<'END'
import ctypes
import os
import struct
import sys

# load the number; if it is the one, return the errno, else allow
number, errno = int(sys.argv[1]), int(sys.argv[2])
program = b"".join(struct.pack("HBBI", *line) for line in (
    (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | errno), (0x06, 0, 0, 0x7FFF0000)))
code = ctypes.create_string_buffer(program)
filters = struct.pack("HxxxxxxP", 4, ctypes.addressof(code))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(filters), 0, 0) == 0
os.execvp(sys.argv[3], sys.argv[3:])
END
limited() { python3 limited.py "$@"; }

# A sound machine --------------------------------------------------------------------------------

sound_machine_has_no_problem() {
	local device
	VK_DRIVER_FILES=$drivers VK_ICD_FILENAMES=$drivers doctor || return
	for device in soft0 edu0; do
		has device-works $device "buffers from" || return
	done
	has module-loaded sluice "version $version" && has sync-file && has io-uring && has drm &&
		one_of contiguous memory-fragmented && one_of huge-pages huge-pages-none &&
		one_of cma cma-none cma-missing && one_of p2pdma p2pdma-missing &&
		one_of dma-heap dma-heap-missing && one_of udmabuf udmabuf-missing &&
		one_of iommu-off iommu-translates iommu-passthrough &&
		hasnt module-unloaded module-missing module-version module-held-back driver-held-back \
			device-none node-missing node-permission device-unreadable heap-fails || return
	! grep '^[^|]*|problem|' findings
}

# No udev loads them in a guest.  virtio-gpu takes no foreign buffers, and bochs only on new kernels.
graphics="vgem bochs virtio-gpu"
loaded_graphics=""

graphics_are_loaded() {
	local module
	for module in $graphics; do
		[ ! -d "/sys/module/${module//-/_}" ] || continue
		modprobe -q "$module" || return
		loaded_graphics="$module $loaded_graphics"
	done
	udevadm settle
	ls /dev/dri
}

graphics_are_unloaded() {
	local module
	for module in $loaded_graphics; do
		for _ in $(seq 300); do
			! modprobe -qr "$module" || continue 2
			sleep 0.1
		done
		return 1
	done
}

importers_take_buffers_and_fences() {
	has importer-takes-buffer "vulkan (" && has importer-takes-buffer "card" &&
		has importer-refuses-buffer "card" "refuses our buffers" && has importer-takes-fence "card" &&
		hasnt importers-none importer-untried vulkan-crashes
}

mappings_are_tried() {
	has o-direct && has af-xdp && one_of io-uring-buffers io-uring-buffers-refused &&
		one_of zcrx zcrx-missing && hasnt mappings-untried
}

address_bits_count_without_an_iommu() {
	if grep -q '^DMA' /sys/kernel/iommu_groups/*/type 2>/dev/null; then
		has iommu-translates && hasnt device-address-bits
	else
		has device-address-bits edu0 "28 bits" && ! has device-address-bits soft0
	fi
}

# Output -----------------------------------------------------------------------------------------

text_has_the_findings_of_json() {
	doctor || return
	sluicectl doctor --color never >text
	cat text
	! grep -q $'\033' text || return
	awk '/^  / { print $2 "|" $1 }' text | sort >of_text
	cut -d'|' -f1,2 findings | sort | diff - of_text || return
	[[ $(tail -n 1 text) =~ ^[0-9]+\ problems?,\ [0-9]+\ warnings?:\ .*\.$ ]] || return
	sluicectl doctor --color always | grep -q $'\033\[32m'
}

argument_is_refused() {
	sluicectl doctor soft0 >out 2>err
	[ $? = 2 ] && [ ! -s out ] && grep -q "takes no arguments" err
}

full_stdout_is_reported() {
	sluicectl doctor >/dev/full 2>err
	[ $? = 1 ] && grep -q "^sluicectl: cannot write the output" err
}

# It changes nothing: the same modules, settings, files and objects of Sluice.
state() {
	cut -d' ' -f1 /proc/modules | sort
	cat /sys/kernel/debug/sluice/objects
	find /tmp /var/tmp /dev/shm -xdev ! -path "$dir*" | sort
	cat /proc/sys/vm/nr_hugepages /proc/sys/kernel/io_uring_disabled 2>/dev/null
}

nothing_is_changed() {
	state >before
	doctor || return
	# fences and buffers are released a moment later
	for _ in $(seq 300); do
		state >after
		! cmp -s before after || return 0
		sleep 0.1
	done
	diff before after
}

# Users ------------------------------------------------------------------------------------------

user_gets_no_device() {
	doctor user || return
	has node-permission soft0 "udev rule" && has importer-permission card && has mappings-untried &&
		hasnt device-works
}

group_is_named() {
	chgrp video /dev/sluice/soft0 && chmod 660 /dev/sluice/soft0 || return
	doctor user && has node-permission soft0 "usermod -aG video USER"
	local rc=$?
	chgrp root /dev/sluice/soft0 && chmod 600 /dev/sluice/soft0 && return $rc
}

user_of_the_group_gets_the_device() {
	local rc gid
	gid=$(getent group video | cut -d: -f3)
	chgrp video /dev/sluice/soft0 && chmod 660 /dev/sluice/soft0 || return
	GROUPS_OF_USER=$gid doctor user && has device-works soft0 && ! has node-permission soft0 &&
		has node-permission edu0 && has af-xdp-permission && one_of zcrx-permission zcrx-missing
	rc=$?
	chgrp root /dev/sluice/soft0 && chmod 600 /dev/sluice/soft0 && return $rc
}

nodes_of_the_kernel_are_closed_to_a_user() {
	doctor user || return
	[ ! -e /dev/udmabuf ] || has udmabuf-permission || return
	[ ! -e /dev/dma_heap/system ] || has dma-heap-permission system
}

# Nodes ------------------------------------------------------------------------------------------

missing_nodes_are_named() {
	covered /dev/sluice doctor && has node-missing soft0 "--device" && has module-loaded &&
		has mappings-untried && hasnt device-works device-none
}

# A node that is none: it opens, and does not answer.
false_node() {
	: >/dev/sluice/false0
	doctor && has device-unreadable false0 && has node-missing soft0
}

false_node_is_unreadable() { covered /dev/sluice false_node; }

# The cgroup of a container, in which no device may be opened.
forbidden_nodes_are_named() {
	local rc
	mkdir devices && mount -t cgroup -o devices devices devices || return
	mkdir devices/t && echo 'c *:* rw' >devices/t/devices.deny &&
		echo 'c 1:* rw' >devices/t/devices.allow &&
		doctor bash -c 'echo $$ >devices/t/cgroup.procs && exec "$@"' - &&
		has node-forbidden soft0 "--device" && hasnt node-permission device-works
	rc=$?
	rmdir devices/t && umount devices && rmdir devices && return $rc
}

has_device_cgroups() {
	grep -q "^devices" /proc/cgroups
}

without_sysfs_devices_work() {
	covered /sys doctor && has device-works soft0 && has module-loaded sluice "is loaded" &&
		hasnt module-missing modules-invisible iommu-off drm-missing
}

# A kernel without DRM has neither the class nor nodes.
no_drm() { covered /dev/dri doctor && has drm-missing && hasnt drm importer-takes-buffer; }
missing_drm_is_named() { covered /sys no_drm; }

without_procfs_it_ends() {
	covered /proc doctor && has device-works soft0 && hasnt cma cma-none contiguous p2pdma p2pdma-missing
}

heap_that_is_full_is_named() {
	cat >hold.py <<-'END'
	import fcntl
	import os
	import struct
	import subprocess
	import sys

	# SLUICE_IOCTL_ALLOC: as much as all users together may have
	node = os.open("/dev/sluice/soft0", os.O_RDWR)
	fcntl.ioctl(node, 0xC020D502, struct.pack("QIIIiII", 1 << 20, 0, 0, 0, 0, 0, 0))
	sys.exit(subprocess.call(sys.argv[1:]))
	END
	local limit rc file=/sys/module/sluice/parameters/total_limit_mb
	limit=$(cat $file) && echo 1 >$file || return
	doctor python3 hold.py && has heap-fails soft0 "all users together" && hasnt device-works
	rc=$?
	echo "$limit" >$file && return $rc
}

# The kernel -------------------------------------------------------------------------------------

disabled_io_uring_is_named() {
	local rc
	sysctl -qw kernel.io_uring_disabled=2 || return
	doctor && has io-uring-disabled "" "io_uring_disabled=2" && hasnt io-uring io-uring-buffers
	rc=$?
	sysctl -qw kernel.io_uring_disabled=0 && return $rc
}

refused_io_uring_is_named() { doctor limited 425 1 && has io-uring-refused && hasnt io-uring; }
missing_io_uring_is_named() {
	doctor limited 425 38 && has io-uring-missing && hasnt io-uring io-uring-refused
}
missing_af_xdp_is_named() { doctor limited 41 97 && has af-xdp-missing && hasnt af-xdp; }

missing_dma_heaps_are_named() {
	covered /dev/dma_heap doctor && has dma-heap-missing && hasnt dma-heap
}

false_heap() {
	: >/dev/dma_heap/false
	doctor && has dma-heap-fails false && hasnt dma-heap dma-heap-missing
}

dma_heap_that_gives_nothing_is_named() { covered /dev/dma_heap false_heap; }

udmabuf_is_missing() {
	local rc
	mv /dev/udmabuf "$dir/udmabuf" || return
	doctor && has udmabuf-missing && hasnt udmabuf
	rc=$?
	mv "$dir/udmabuf" /dev/udmabuf && return $rc
}

udmabuf_makes_nothing() {
	touch fake
	faked /dev/udmabuf doctor && has udmabuf-fails && hasnt udmabuf
}

symbols_tell() {
	echo "0000000000000000 T $1" >fake
	faked /proc/kallsyms doctor && has "$2" && hasnt "$3"
}

# Memory -----------------------------------------------------------------------------------------

kernel_without_cma_is_named() {
	grep -v Cma /proc/meminfo >fake
	faked /proc/meminfo doctor && has cma-missing && hasnt cma cma-none
}

cma_is_counted() {
	{ grep -v Cma /proc/meminfo; echo "CmaTotal: 65536 kB"; echo "CmaFree: 1024 kB"; } >fake
	faked /proc/meminfo doctor && has cma "" "64 MiB" && hasnt cma-none cma-missing
}

cma_in_vain_is_named() {
	{ grep -v Cma /proc/meminfo; echo "CmaTotal: 0 kB"; } >meminfo
	echo "quiet cma=64T" >fake
	mount --bind meminfo /proc/meminfo || return
	faked /proc/cmdline doctor && has cma-none "" "although the kernel was booted with cma=64T"
	local rc=$?
	umount /proc/meminfo && return $rc
}

fragmented_memory_is_named() {
	echo "Node 0, zone   Normal  100  20  3  1  0  0  0  0  0  0  0" >fake
	faked /proc/buddyinfo doctor && has memory-fragmented "" "has 32 KiB" && hasnt contiguous
}

huge_pages_are_counted() {
	local rc
	echo 2 >/proc/sys/vm/nr_hugepages
	doctor && has huge-pages "" "huge pages of 2048 KiB" && hasnt huge-pages-none
	rc=$?
	echo 0 >/proc/sys/vm/nr_hugepages && return $rc
}

# limit MEBIBYTES ID: in a memory cgroup of this limit there is this finding
limit() {
	local rc
	mkdir -p cgroups && mount -t cgroup2 cgroup2 cgroups && echo +memory >cgroups/cgroup.subtree_control &&
		mkdir -p cgroups/t/below && echo "$1M" >cgroups/t/memory.max || return
	doctor bash -c 'echo $$ >cgroups/t/below/cgroup.procs && exec "$@"' - &&
		has "$2" /t "The limit of this memory cgroup is $1 MiB" && one_of cgroup-limit cgroup-near-limit
	rc=$?
	rmdir cgroups/t/below cgroups/t && umount cgroups && return $rc
}

# A group that is full of a cache has room: the kernel counts 500 MiB, of which 300 MiB are cached files.
cached() {
	local rc
	mkdir -p cgroups && mount -t cgroup2 cgroup2 cgroups && echo +memory >cgroups/cgroup.subtree_control &&
		mkdir -p cgroups/t/below && echo 512M >cgroups/t/memory.max || return
	echo $((500 << 20)) >current
	printf 'anon 1\nactive_file %d\ninactive_file %d\n' $((200 << 20)) $((100 << 20)) >stat
	mount --bind current cgroups/t/memory.current && mount --bind stat cgroups/t/memory.stat &&
		doctor bash -c 'echo $$ >cgroups/t/below/cgroup.procs && exec "$@"' - &&
		has cgroup-limit /t "leaves 312 MiB" && hasnt cgroup-near-limit
	rc=$?
	umount cgroups/t/memory.current cgroups/t/memory.stat
	rmdir cgroups/t/below cgroups/t && umount cgroups && return $rc
}

# Importers --------------------------------------------------------------------------------------

nothing_to_import() {
	: >fake
	mount --bind "$dir/fake" "$1" || return
	doctor && has importers-none && has vulkan-missing && hasnt importer-takes-buffer importer-untried
	local rc=$?
	umount "$1" && return $rc
}

no_importer_is_named() { covered /dev/dri nothing_to_import "$loader"; }

dead_card() {
	mknod /dev/dri/card63 c 226 63
	doctor && has importer-unreadable card63
}

# A device cgroup answers EPERM, as a file does that nobody may change.
forbidden_card() {
	local rc
	: >/dev/dri/card63
	immutable /dev/dri/card63 16 || { echo "this kernel's tmpfs has no immutable files"; return 4; }
	doctor && has importer-permission card63 "the container or a security module forbids it" &&
		! grep "gives access to no group" findings
	rc=$?
	immutable /dev/dri/card63 0 && return $rc
}

# Only one program may have the clock.
busy_card() {
	mknod /dev/dri/card63 c "$(stat -c %Hr /dev/rtc0)" "$(stat -c %Lr /dev/rtc0)" || return
	doctor && has importer-busy card63 && hasnt importer-unreadable
}

busy_card_is_named() { covered /dev/dri busy_card 7</dev/rtc0; }

dead_card_is_named() { covered /dev/dri dead_card; }

crash_of_a_driver_is_named() {
	local rc
	echo 'void abort(void); void vkGetInstanceProcAddr(void) { abort(); }' |
		gcc -shared -fPIC -x c - -o fake || return
	faked "$loader" doctor && has vulkan-crashes && hasnt vulkan-missing
}

# camera ALLOCATORS: load vivid with one capture node
camera() {
	modprobe -q vivid n_devs=1 node_types=1 num_inputs=1 input_types=0 allocators="$1" || return
	udevadm settle
	ls /dev/video*
}

no_camera() {
	for _ in $(seq 100); do
		! modprobe -qr vivid || return 0
		sleep 0.1
	done
	return 1
}

camera_takes_buffers() {
	local rc
	camera "$1" || return
	# not dma-contig without memory that its 32 bits reach, nor pages that are no one piece
	doctor && has importer-takes-buffer video && has importer-refuses-fence video "V4L2"
	rc=$?
	no_camera && return $rc
}

# Behind an IOMMU, a buffer is anywhere.  After a failed attachment the kernel would keep it for
# ever, and the module, too.
camera_is_left_alone() {
	local rc
	camera 1 || return
	doctor && has importer-untried video "may not reach" && ! has importer-takes-buffer video
	rc=$?
	no_camera && return $rc
}

busy_camera_is_named() {
	local rc
	cat >busy.py <<-'END'
	import fcntl
	import glob
	import os
	import struct
	import subprocess
	import sys

	# VIDIOC_REQBUFS: a buffer for capture, by mmap()
	node = os.open(glob.glob("/dev/video*")[0], os.O_RDWR)
	fcntl.ioctl(node, 0xC0145608, struct.pack("IIIII", 2, 1, 1, 0, 0))
	sys.exit(subprocess.call(sys.argv[1:]))
	END
	camera 0 || return
	doctor python3 busy.py && has importer-busy video && ! has importer-takes-buffer video
	rc=$?
	no_camera && return $rc
}

# Modules ----------------------------------------------------------------------------------------

blacklist=/etc/modprobe.d/sluice-test.conf

held_back() {
	local rc
	echo "$1" >$blacklist
	doctor && has "$2" "$3" "in $blacklist"
	rc=$?
	rm $blacklist && return $rc
}

# modprobe's blacklist is about aliases: a module that is loaded by its name is not held back.  An
# empty /sys hides that edu is loaded.
only_edu_is_held_back() {
	covered /sys doctor && has driver-held-back sluice_edu "load the module by its name" &&
		hasnt module-held-back && ! has driver-held-back sluice_soft
}

blacklist_holds_back_what_has_an_alias() {
	local rc
	printf 'blacklist %s\n' sluice sluice-soft sluice-edu >$blacklist
	only_edu_is_held_back
	rc=$?
	rm $blacklist && return $rc
}

each_blacklist_at_boot_counts() {
	echo "modprobe.blacklist=sluice-edu quiet modprobe.blacklist=pcspkr,sluice,sluice-soft" >fake
	faked /proc/cmdline only_edu_is_held_back && has driver-held-back sluice_edu "modprobe.blacklist="
}

masked() {
	local rc
	echo "install sluice-dmaengine /bin/false" >"/usr/lib/modprobe.d/${blacklist##*/}"
	doctor && has driver-held-back sluice_dmaengine && : >$blacklist &&
		doctor && hasnt driver-held-back
	rc=$?
	rm -f $blacklist
	return $rc
}

masked_configuration_does_not_count() {
	mkdir -p /usr/lib/modprobe.d && covered /usr/lib/modprobe.d masked
}

# With Secure Boot, the lockdown tells what the kernel enforces, if it can be read.
secure_boot() {
	local lockdown=/sys/kernel/security/lockdown
	installed "$modules/sluice.ko"
	mkdir -p /sys/firmware/efi/efivars
	printf '\6\0\0\0\1' >/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
	echo "[none] integrity confidentiality" >$lockdown
	doctor && hasnt signatures-enforced module-unsigned lockdown || return
	rm $lockdown
	doctor && has signatures-enforced "" "Because of Secure Boot" && hasnt module-unsigned || return
	echo "none [integrity] confidentiality" >$lockdown
	doctor && has signatures-enforced "" "Because of the lockdown" && has module-unsigned
}

secure_boot_enforces_by_lockdown() {
	covered /usr/lib/modules covered /sys/firmware covered /sys/kernel/security secure_boot
}

version_of_another_release_is_named() {
	echo 0.0.0 >fake
	faked /sys/module/sluice/version doctor && has module-version sluice "0.0.0"
}

# installed FILE [RELEASE]: below the empty /usr/lib/modules, a module for a kernel
installed() {
	local folder=/usr/lib/modules/${2:-$release}
	mkdir -p "$folder/updates/dkms"
	cp "$1" "$folder/updates/dkms/sluice.ko${3-}"
}

outdated() {
	installed "$modules/sluice.ko"
	echo 0.0.0 >fake
	faked /sys/module/sluice/version doctor && has module-outdated sluice "$version is installed"
}

outdated_module_is_named() { covered /usr/lib/modules outdated; }

# compressed: the same, as Debian compresses modules; without debug information, which takes minutes
compressed() {
	[ -e "$dir/small.ko.xz" ] || {
		strip --strip-debug -o "$dir/small.ko" "$modules/sluice.ko" && xz -0 "$dir/small.ko"
	} || return
	installed "$dir/small.ko.xz" "$release" .xz
}

is_invisible() { doctor && has modules-invisible && hasnt module-missing module-loaded; }

is_missing() {
	mkdir "/usr/lib/modules/$release"
	doctor && has module-missing sluice "sluice-dkms" && hasnt modules-invisible module-loaded
}

is_for_another_kernel() {
	mkdir "/usr/lib/modules/$release"
	installed "$modules/sluice.ko" 5.4.0-other
	doctor && has module-other-kernel sluice "for 5.4.0-other" && hasnt module-missing
}

is_not_indexed() {
	installed "$modules/sluice.ko"
	doctor && has module-not-indexed sluice "depmod" && hasnt module-unloaded module-missing
}

is_unloaded() {
	compressed && depmod || return
	doctor && has module-unloaded sluice "modprobe" && has mappings-untried &&
		hasnt module-not-indexed module-unsigned signatures-enforced lockdown &&
		doctor user && has module-unloaded
}

# The kernel accepts signed modules only.
unsigned_is_named() {
	installed "$modules/sluice.ko"
	depmod
	doctor && has module-unsigned sluice "module.sig_enforce" && has signatures-enforced &&
		has module-unloaded && hasnt module-signed &&
		rm -r "/usr/lib/modules/$release/updates" &&
		compressed && depmod && doctor && has module-unsigned sluice "sluice.ko.xz"
}

# A module of Debian's in the place of ours: it is signed.
signed_is_named() {
	installed "$signed" "$release" "${signed##*.ko}"
	depmod
	doctor && has module-signed sluice "signed by" && has signatures-enforced && hasnt module-unsigned
}

locked_down_kernel_is_named() {
	installed "$modules/sluice.ko"
	echo integrity >/sys/kernel/security/lockdown
	doctor && has lockdown "" integrity && has module-unsigned && has signatures-enforced
}

importers_are_untried() {
	doctor && has importer-untried && hasnt importers-none importer-takes-buffer importer-refuses-buffer
}

core_alone_has_no_device() {
	insmod "$modules/sluice.ko" && doctor && has device-none && has module-loaded && hasnt node-missing
}

devices_are_loaded() {
	local module
	for module in soft edu pci; do
		insmod "$modules/sluice-$module.ko" || return
	done
	udevadm settle
}

modules_are_unloaded() {
	local module
	for module in sluice-pci sluice-edu sluice-soft sluice; do
		[ -d "/sys/module/${module//-/_}" ] || continue
		# fences may hold their module for a moment
		for _ in $(seq 300); do
			! rmmod "$module" 2>/dev/null || continue 2
			sleep 0.1
		done
		return 1
	done
}

# The groups of tests ----------------------------------------------------------------------------

loaded_tests() {
	ok "graphics_are_loaded" graphics_are_loaded
	ok "sound_machine_has_no_problem" sound_machine_has_no_problem
	ok "importers_take_buffers_and_fences" importers_take_buffers_and_fences
	ok "mappings_are_tried" mappings_are_tried
	ok "address_bits_count_without_an_iommu" address_bits_count_without_an_iommu
	ok "text_has_the_findings_of_json" text_has_the_findings_of_json
	ok "argument_is_refused" argument_is_refused
	ok "full_stdout_is_reported" full_stdout_is_reported
	ok "nothing_is_changed" nothing_is_changed
	ok "user_gets_no_device" user_gets_no_device
	ok "group_of_a_node_is_named" group_is_named
	ok "user_of_the_group_gets_the_device" user_of_the_group_gets_the_device
	ok "missing_nodes_are_named" missing_nodes_are_named
	ok "false_node_is_unreadable" false_node_is_unreadable
	ok "without_sysfs_devices_work" without_sysfs_devices_work
	ok "without_procfs_it_ends" without_procfs_it_ends
	ok "fragmented_memory_is_named" fragmented_memory_is_named
	ok "driver_that_is_held_back_is_named" held_back "install sluice-dmaengine /bin/false" \
		driver-held-back sluice_dmaengine
	ok "blacklist_holds_back_what_has_an_alias" blacklist_holds_back_what_has_an_alias
	ok "each_blacklist_at_boot_counts" each_blacklist_at_boot_counts
	ok "masked_configuration_does_not_count" masked_configuration_does_not_count
	ok "secure_boot_enforces_by_lockdown" secure_boot_enforces_by_lockdown
	ok_or_skip "forbidden_card_is_named" covered /dev/dri forbidden_card
	ok_with /dev/rtc0 "busy_card_is_named" busy_card_is_named
	ok "memory_cgroup_with_room_is_named" limit 512 cgroup-limit
	ok "memory_cgroup_full_of_cache_has_room" cached
}

bare_tests() {
	ok "kernel_without_modules_is_named" covered /usr/lib/modules is_invisible
	ok "missing_module_is_named" covered /usr/lib/modules is_missing
	ok "module_of_another_kernel_is_named" covered /usr/lib/modules is_for_another_kernel
	ok "module_that_is_not_indexed_is_named" covered /usr/lib/modules is_not_indexed
	ok "module_that_is_not_loaded_is_named" covered /usr/lib/modules is_unloaded
	ok "module_that_is_replaced_is_named" held_back "install sluice /bin/false" module-held-back sluice
	ok "kernel_without_sync_file_is_named" symbols_tell pci_p2pdma_add_resource sync-file-missing sync-file
	ok "kernel_with_p2pdma_is_named" symbols_tell pci_p2pdma_add_resource p2pdma p2pdma-missing
	ok "kernel_without_p2pdma_is_named" symbols_tell sync_file_create p2pdma-missing p2pdma
	ok "graphics_are_loaded" graphics_are_loaded
	ok "importers_are_untried_without_a_device" importers_are_untried
	ok "core_alone_has_no_device" core_alone_has_no_device
	ok "devices_are_loaded" devices_are_loaded
	loaded_tests
	ok "cma_of_the_kernel_is_counted" cma_of_the_kernel_is_counted
	ok "nodes_of_the_kernel_are_closed_to_a_user" nodes_of_the_kernel_are_closed_to_a_user
	if has_device_cgroups; then
		ok "forbidden_nodes_are_named" forbidden_nodes_are_named
	else
		skip "forbidden_nodes_are_named" "the kernel has no device cgroups of version 1"
	fi
	ok "heap_that_is_full_is_named" heap_that_is_full_is_named
	ok_with /proc/sys/kernel/io_uring_disabled "disabled_io_uring_is_named" disabled_io_uring_is_named
	ok "refused_io_uring_is_named" refused_io_uring_is_named
	ok "missing_io_uring_is_named" missing_io_uring_is_named
	ok "missing_af_xdp_is_named" missing_af_xdp_is_named
	ok_with /dev/dma_heap "missing_dma_heaps_are_named" missing_dma_heaps_are_named
	ok_with /dev/dma_heap "dma_heap_that_gives_nothing_is_named" dma_heap_that_gives_nothing_is_named
	ok_with /dev/udmabuf "missing_udmabuf_is_named" udmabuf_is_missing
	ok_with /dev/udmabuf "udmabuf_that_makes_nothing_is_named" udmabuf_makes_nothing
	ok "kernel_without_cma_is_named" kernel_without_cma_is_named
	ok "cma_is_counted" cma_is_counted
	ok "cma_in_vain_is_named" cma_in_vain_is_named
	ok "huge_pages_are_counted" huge_pages_are_counted
	ok "memory_cgroup_near_its_limit_is_named" limit 48 cgroup-near-limit
	ok "no_importer_is_named" no_importer_is_named
	ok "dead_card_is_named" dead_card_is_named
	ok "missing_drm_is_named" missing_drm_is_named
	ok "crash_of_a_driver_is_named" crash_of_a_driver_is_named
	ok "camera_takes_buffers" camera_takes_buffers 0
	ok "camera_for_one_piece_takes_buffers" camera_takes_buffers 1
	ok "busy_camera_is_named" busy_camera_is_named
	ok "version_of_another_release_is_named" version_of_another_release_is_named
	ok "outdated_module_is_named" outdated_module_is_named
	ok "graphics_are_unloaded" graphics_are_unloaded
	ok "modules_are_unloaded" modules_are_unloaded
	# from here on there is no way back
	ok "signatures_are_enforced" enforce_signatures
	ok "unsigned_module_is_named" covered /usr/lib/modules unsigned_is_named
	ok "signed_module_is_named" covered /usr/lib/modules signed_is_named
	ok "locked_down_kernel_is_named" covered /usr/lib/modules locked_down_kernel_is_named
}

cma_of_the_kernel_is_counted() {
	doctor || return
	if grep -q CmaTotal /proc/meminfo; then
		has cma "" "64 MiB" && hasnt cma-none cma-missing
	else
		has cma-missing && hasnt cma cma-none
	fi
}

enforce_signatures() { echo 1 >/sys/module/module/parameters/sig_enforce; }

translating_iommu_is_named() {
	doctor && has iommu-translates && hasnt iommu-off iommu-passthrough device-address-bits swiotlb-forced
}

passthrough_is_named() {
	doctor && has iommu-passthrough && has device-address-bits edu0 && hasnt iommu-off iommu-translates
}

boot_parameter_that_holds_back_is_named() {
	doctor && has module-held-back sluice "module_blacklist= on the kernel's command line" &&
		has driver-held-back sluice_soft
}

boot_parameter_that_enforces_signatures_is_named() {
	installed "$modules/sluice.ko"
	depmod
	doctor && has module-unsigned sluice "module.sig_enforce" && doctor user && has module-unsigned
}

forced_bouncing_is_named() {
	doctor && has swiotlb-forced && has device-bounced edu0 "contiguous" && has device-works edu0 &&
		hasnt device-address-bits && hasnt cma
}

boot_tests() {
	case $boot in
	bare)
		bare_tests
		;;
	translated)
		ok "devices_are_loaded" core_and_devices
		ok "translating_iommu_is_named" translating_iommu_is_named
		ok "camera_that_reaches_too_little_is_left_alone" camera_is_left_alone
		ok "modules_are_unloaded" modules_are_unloaded
		;;
	passthrough)
		ok "devices_are_loaded" core_and_devices
		ok "passthrough_is_named" passthrough_is_named
		ok "modules_are_unloaded" modules_are_unloaded
		;;
	enforced)
		ok "boot_parameter_that_enforces_signatures_is_named" covered /usr/lib/modules \
			boot_parameter_that_enforces_signatures_is_named
		ok "boot_parameter_that_holds_back_is_named" boot_parameter_that_holds_back_is_named
		;;
	bouncing)
		ok "devices_are_loaded" core_and_devices
		ok "forced_bouncing_is_named" forced_bouncing_is_named
		ok "modules_are_unloaded" modules_are_unloaded
		;;
	"")
		loaded_tests
		ok "graphics_are_unloaded" graphics_are_unloaded
		;;
	esac
}

core_and_devices() { insmod "$modules/sluice.ko" && devices_are_loaded; }

loader=$(realpath /usr/lib/*/libvulkan.so.1 2>/dev/null | head -n 1)
# a module of Debian's, kept here because tests cover its folder
signed=$(find "/usr/lib/modules/$release/kernel/drivers/gpu/drm/vgem" -name 'vgem.ko*' 2>/dev/null |
	head -n 1)
[ -z "$signed" ] || { cp "$signed" "$dir/${signed##*/}" && signed=$dir/${signed##*/}; }
[ -z "$boot" ] || mount -t securityfs securityfs /sys/kernel/security 2>/dev/null

run_tests boot_tests
