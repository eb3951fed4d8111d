# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# KTAP for test scripts.  Sourced, never run:
#
#	here=$(dirname "$(realpath "$0")")
#	. "$here/lib/ktap.sh"
#	[ -e /dev/something ] || skip_all "this machine has no /dev/something"
#	tests() {
#		ok "file_is_copied" cmp before after
#		skip "file_is_sent" "this machine has no network"
#	}
#	run_tests tests
#
# The plan is the first line behind the version, as the kernel's tools want it.  run_tests therefore
# calls the function twice: to count its tests, and to run them.  So the function may do things
# between its tests only if they can be done twice, and how many tests there are must not depend on
# the result of a test.

KTAP_PASS=0 KTAP_FAIL=1 KTAP_SKIP=4
ktap_said=/dev/null ktap_counting="" ktap_number=0 ktap_failed=0 ktap_skipped=0

# ok NAME COMMAND...: a test is a command that succeeds.  Its output is printed only if it fails.
ok() {
	local name=$1
	shift
	ktap_number=$((ktap_number + 1))
	[ -z "$ktap_counting" ] || return 0
	if "$@" >"$ktap_said" 2>&1; then
		echo "ok $ktap_number $name"
	else
		sed 's/^/# /' "$ktap_said"
		echo "not ok $ktap_number $name"
		ktap_failed=$((ktap_failed + 1))
	fi
}

# ok_or_skip NAME COMMAND...: the same, for a command that may find that this machine cannot run the
# test: then its status is 4, and its last line is the reason
ok_or_skip() {
	local name=$1 status=0
	shift
	ktap_number=$((ktap_number + 1))
	[ -z "$ktap_counting" ] || return 0
	"$@" >"$ktap_said" 2>&1 || status=$?
	case $status in
	0) echo "ok $ktap_number $name" ;;
	4)
		echo "ok $ktap_number $name # SKIP $(tail -n 1 "$ktap_said")"
		ktap_skipped=$((ktap_skipped + 1))
		;;
	*)
		sed 's/^/# /' "$ktap_said"
		echo "not ok $ktap_number $name"
		ktap_failed=$((ktap_failed + 1))
		;;
	esac
}

# skip NAME REASON: a test that this machine cannot run
skip() {
	ktap_number=$((ktap_number + 1))
	[ -z "$ktap_counting" ] || return 0
	echo "ok $ktap_number $1 # SKIP $2"
	ktap_skipped=$((ktap_skipped + 1))
}

# ok_with FILE NAME COMMAND...: a test that needs this file
ok_with() {
	local file=$1
	shift
	if [ -e "$file" ]; then
		ok "$@"
	else
		skip "$1" "this machine has no $file"
	fi
}

# ok_on DEVICE NAME COMMAND...: a test that needs this device of Sluice
ok_on() {
	local device=$1
	shift
	if [ -e "/dev/sluice/$device" ]; then
		ok "$@"
	else
		skip "$1" "this machine has no $device"
	fi
}

# skip_all REASON: this machine can run none of the tests
skip_all() {
	printf 'TAP version 13\n1..0 # SKIP %s\n' "$1"
	exit $KTAP_SKIP
}

# output: print what the command of this test has said so far
output() {
	cat "$ktap_said"
}

# run_tests FUNCTION: run the tests of the function, print the results, and exit
run_tests() {
	local file
	ktap_counting=1
	"$1"
	printf 'TAP version 13\n1..%d\n' "$ktap_number"
	ktap_counting="" ktap_number=0
	# a file without a name, so that none is left behind
	file=$(mktemp) || { echo "Bail out! cannot make a temporary file"; exit $KTAP_FAIL; }
	exec 9<>"$file"
	rm "$file"
	ktap_said=/proc/$$/fd/9
	"$1"
	[ $ktap_failed = 0 ] || exit $KTAP_FAIL
	[ $ktap_skipped != "$ktap_number" ] || exit $KTAP_SKIP
	exit $KTAP_PASS
}

# needs_sluice: load sluice-soft if it is not there.  Skip all tests without it, without root,
# without the files in debugfs that tests read, or on a kernel that is locked down.
needs_sluice() {
	local sluice=/sys/kernel/debug/sluice
	[ "$(id -u)" = 0 ] || skip_all "the tests need root"
	if [ ! -e /dev/sluice/soft0 ]; then
		load_module sluice-soft || skip_all "the module sluice-soft cannot be loaded"
		await_file /dev/sluice/soft0 || skip_all "there is no /dev/sluice/soft0"
	fi
	[ -e $sluice ] || mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
	[ -r $sluice/objects ] || skip_all "$sluice cannot be read: the tests need debugfs"
	! locked_down $sluice/soft0/fail_next || skip_all "the kernel is locked down"
}

# locked_down KNOB: can this file of debugfs not be opened for writing, because of lockdown?
locked_down() {
	[ -e "$1" ] && [[ $(LC_ALL=C; exec 2>&1; : >>"$1") = *": Operation not permitted" ]]
}

# needs_command NAME: skip all tests without this command
needs_command() {
	command -v "$1" >/dev/null || skip_all "there is no command $1"
}

# load_module NAME: from the folder modules_folder, or installed; with sluice, which it needs
load_module() {
	local folder name
	folder=$(modules_folder)
	if [ -z "$folder" ]; then
		modprobe -q "$1" 2>/dev/null
		return
	fi
	for name in sluice "$1"; do
		[ -d "/sys/module/${name//-/_}" ] || insmod "$folder/$name.ko" 2>/dev/null || return
	done
}

# modules_folder: the folder with Sluice's modules, if they are not installed: the one that
# SLUICE_MODULES names, or that of a guest of the lab
modules_folder() {
	local folder=${SLUICE_MODULES:-/sluice/$(uname -r)}
	[ -z "${SLUICE_MODULES-}" ] && [ ! -d "$folder" ] || echo "$folder"
}

# await_file PATH: a node appears a moment after its module was loaded
await_file() {
	local tries=100
	until [ -e "$1" ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# immutable FILE FLAG: no user may change or open the file for writing (16), or the usual users may
# again (0).  Fails where the file system has no such flag.
immutable() {
	python3 -c 'import fcntl, struct, sys
with open(sys.argv[1], "rb") as file:
    fcntl.ioctl(file, 0x40086602, struct.pack("L", int(sys.argv[2])))' "$@"
}
