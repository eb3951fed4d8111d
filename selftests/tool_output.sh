#!/bin/bash
# SPDX-License-Identifier: MIT
#
# sluicectl: where its output goes.  JSON, files of --to, pipes, full disks, closed descriptors,
# signals, colours, progress; and what it says to a user who may not open a device.  Prints TAP.
#
# Most functions are called by ok, which shellcheck does not see.
# shellcheck disable=SC2317,SC2329

OBJECTS=/sys/kernel/debug/sluice/objects
here=$(dirname "$(realpath "$0")")
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. "$here/lib/ktap.sh"

# ok_by PROGRAM NAME COMMAND...: a test that needs this program
ok_by() {
	local program=$1
	shift
	if command -v "$program" >/dev/null; then ok "$@"; else skip "$1" "this machine has no $program"; fi
}

# says WORDS STATUS COMMAND...: the command ends with this status, and with one sentence on stderr
# that has these words in it
says() {
	local words=$1 wanted=$2 status lines
	shift 2
	"$@" 2>err
	status=$?
	cat err
	mapfile -t lines <err
	[ "$status" = "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
	[ ${#lines[@]} = 1 ] || { echo "not one line"; return 1; }
	[[ ${lines[0]} = "sluicectl: "*"$words"* ]] || { echo "does not say '$words'"; return 1; }
}

# eventually COMMAND...: it succeeds after some time
eventually() {
	local tries=300
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# only NAME...: the folder 'files' has these files, and no others
only() {
	local found
	found=$(cd files && find . -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')
	echo "files: $found"
	[ "$found" = "$(printf '%s\n' "$@" | grep . | sort | tr '\n' ' ')" ]
}

# with_files: a folder 'files' with a file 'old'
with_files() {
	rm -rf files
	mkdir files
	echo precious >files/old
}

old_is_unchanged() {
	[ "$(cat files/old)" = precious ] || { echo "the old file has changed"; return 1; }
}

# --- JSON ---

# json PROGRAM: a Python expression is true of o, the list of the objects in the file 'out'
json() {
	python3 - "$1" <<-'PYTHON'
		import json, sys
		o = [json.loads(line) for line in open("out")]
		assert o and all(isinstance(each, dict) for each in o), o
		assert eval(f"({sys.argv[1]})"), o
	PYTHON
}

# json_of PROGRAM ARGUMENT...
json_of() {
	local program=$1
	shift
	sluicectl "$@" --json >out || return 1
	cat out
	json "$program"
}

json_events() {
	local tool status
	timeout 100 sluicectl events soft0 --count 1 --json >out &
	tool=$!
	# there is no heading to wait for: set the control until the event has come
	eventually raise_event
	wait "$tool"
	status=$?
	cat out
	[ "$status" = 0 ] && json 'len(o) == 1 and o[0]["type"] == "control" and o[0]["control"] == "freeze"'
}

raise_event() {
	sluicectl controls soft0 freeze=1 && sluicectl controls soft0 freeze=0 && [ -s out ]
}

# A reader that parses each line gets the first object before the command ends.
json_is_not_held_back() {
	local first
	mkfifo pipe
	sluicectl events soft0 --json >pipe &
	exec 7<pipe
	rm pipe
	eventually raise_event_into 7 || return 1
	read -r first <&7
	kill $!
	wait $! 2>/dev/null
	exec 7<&-
	echo "$first" | tee out
	json 'o[0]["type"] == "control"'
}

raise_event_into() {
	sluicectl controls soft0 freeze=1 && sluicectl controls soft0 freeze=0 && read -r -t 0 -u "$1"
}

list_tells_of_a_node_that_is_no_device() {
	mknod /dev/sluice/aaa c 1 3 || return 1
	sluicectl list >out
	sluicectl list --json >lines
	rm /dev/sluice/aaa
	cat out lines
	grep -q '^aaa  *(cannot be opened: not a Sluice device)' out && grep -q '^soft0 ' out &&
		mv lines out && json 'o[0] == {"device": "aaa", "error": "not a Sluice device"} and len(o) > 1'
}

# --- standard output ---

commands=("list" "list --json" "info soft0" "info soft0 --json" "formats soft0" "formats soft0 --json"
	"controls soft0" "controls soft0 --json" "alloc soft0" "alloc soft0 --json" "copy soft0"
	"copy soft0 --json" "capture soft0" "capture soft0 --json" "events soft0" "help" "help copy"
	"--help" "--version")

full_output_is_told() {
	local command
	for command in "${commands[@]}"; do
		# shellcheck disable=SC2086
		says "cannot write the output: No space left" 1 sluicectl $command >/dev/full || return 1
	done
}

closed_output_is_told() {
	local command
	for command in "${commands[@]}"; do
		# shellcheck disable=SC2086
		says "standard output is closed" 1 sluicectl $command >&- || return 1
	done
}

# A device or a file must not become one of the three: what is printed would go there.
closed_descriptors_stay_closed() {
	strace -o trace sluicectl controls soft0 freeze=0 <&- >&- 2>&- || return 1
	strace -o more sluicectl copy soft0 --to copied <&- 2>&- >out || return 1
	cat more >>trace
	grep -E '^(openat|ioctl)' trace | tail -n 30
	grep -qE '^openat.*"/dev/sluice/soft0".* = [3-9]$' trace && grep -qE '^openat.*copied.* = [3-9]$' trace &&
		! grep -E '^openat.*(sluice/soft0|copied).* = [012]$' trace
}

closed_input_is_told() {
	says "cannot read the commands from standard input" 1 timeout 100 sluicectl program soft0 <&- &&
		says "cannot read '-'" 1 timeout 100 sluicectl copy soft0 --from - <&-
}

setting_needs_no_output() {
	sluicectl controls soft0 freeze=0 >&- && sluicectl list <&- >out && [ -s out ] &&
		sluicectl list 2>&- >out && [ -s out ]
}

# The reader has ended: the tool ends by SIGPIPE, without a word.
reader_may_end_early() {
	(
		sluicectl formats soft0 2>err
		echo $? >status
	) | :
	eventually [ -s status ] || return 1
	cat status err
	[ ! -s err ] && { [ "$(cat status)" = 141 ] || [ "$(cat status)" = 0 ]; }
}

many_frames_into_a_reader_that_ends() {
	(
		sluicectl capture soft0 --frames 100000 --size 4K 2>err
		echo $? >status
	) | head -n 2 >out
	eventually [ -s status ] || return 1
	cat status err
	[ ! -s err ] && [ "$(cat status)" = 141 ]
}

output_comes_before_the_error() {
	echo 1 >/sys/kernel/debug/sluice/soft0/fail_next
	sluicectl capture soft0 >both 2>&1 && return 1
	cat both
	[ "$(wc -l <both)" = 2 ] && [[ $(head -n 1 both) = sequence* ]] && grep -q '^sluicectl: ' both
}

# --- files of --to ---

new_file_has_the_usual_mode() {
	with_files
	(umask 027; sluicectl copy soft0 --to files/new) || return 1
	only new old && [ "$(stat -c %a files/new)" = 640 ] && [ "$(stat -c %s files/new)" = 65536 ]
}

old_file_keeps_owner_and_mode() {
	with_files
	chown 65534:65533 files/old
	chmod 604 files/old
	sluicectl copy soft0 --to files/old || return 1
	stat -c '%u %g %a %s' files/old
	only old && [ "$(stat -c '%u %g %a %s' files/old)" = "65534 65533 604 65536" ]
}

link_stays() {
	with_files
	mkdir files/below
	ln -s ../old files/below/link
	sluicectl copy soft0 --to files/below/link || return 1
	[ -L files/below/link ] && [ ! -L files/old ] && [ "$(stat -c %s files/old)" = 65536 ] &&
		only old below link
}

dangling_link_is_refused() {
	with_files
	ln -s nowhere files/link
	says "a symbolic link to a file that does not exist" 1 sluicectl copy soft0 --to files/link &&
		only link old
}

failed_job_keeps_the_old_file() {
	local command
	with_files
	says "more than this heap can ever have" 1 \
		sluicectl capture soft0 --geometry 65536x65536 --to files/old || return 1
	for command in "copy soft0" "capture soft0" "capture soft0 --geometry 64x48"; do
		echo 1 >/sys/kernel/debug/sluice/soft0/fail_next
		# shellcheck disable=SC2086
		sluicectl $command --to files/old >/dev/null && return 1
		echo 1 >/sys/kernel/debug/sluice/soft0/fail_next
		# shellcheck disable=SC2086
		sluicectl $command --to files/new >/dev/null && return 1
		only old && old_is_unchanged || return 1
	done
}

# The file is opened first: a frame is not captured for nothing.
bad_file_costs_no_work() {
	says "cannot write 'no/where'" 1 sluicectl capture soft0 --frames 4294967295 --to no/where
}

full_disk_keeps_the_old_file() {
	mkdir -p full
	mount -t tmpfs -o size=256k tmpfs full || return 1
	echo precious >full/old
	says "cannot write 'full/old': No space left" 1 sluicectl copy soft0 --size 1M --to full/old &&
		says "cannot write 'full/new': No space left" 1 sluicectl capture soft0 --geometry 640x480 \
			--to full/new >/dev/null &&
		[ "$(ls -A full)" = old ] && [ "$(cat full/old)" = precious ]
}

limit_of_a_file_keeps_the_old_file() {
	with_files
	(
		ulimit -f 16
		says "cannot write 'files/old': File too large" 1 sluicectl copy soft0 --size 1M --to files/old
	) && only old && old_is_unchanged
}

# ended_by SIGNAL: it removes what was written so far.  edu0 copies for 25 s.
ended_by() {
	local signal=$1 tool status
	with_files
	# job control, because without it the shell makes a background command ignore SIGINT
	set -m
	sluicectl copy edu0 --size 500K --to files/old &
	tool=$!
	set +m
	eventually beside old || return 1
	kill -s "$signal" "$tool"
	wait "$tool" 2>/dev/null
	status=$?
	echo "status $status"
	[ "$status" = $((128 + $(kill -l "$signal"))) ] && only old && old_is_unchanged
}

# beside NAME: the file is being written
beside() {
	[ -n "$(find files -name ".$1.*")" ]
}

signals_remove_the_partial_file() {
	local signal
	for signal in INT TERM HUP QUIT; do
		ended_by "$signal" || { echo "after SIG$signal"; return 1; }
	done
}

# A command that nohup has started must go on.
ignored_signal_stays_ignored() {
	local tool
	with_files
	(
		trap '' HUP
		exec sluicectl copy edu0 --size 40K --to files/new
	) &
	tool=$!
	eventually eval 'beside new || [ -e files/new ]' || return 1
	kill -HUP "$tool"
	wait "$tool" && only old new && [ "$(stat -c %s files/new)" = 40960 ]
}

pipes_are_written_directly() {
	with_files
	head -c 100000 /dev/urandom >data
	mkfifo files/pipe
	cat files/pipe >got &
	sluicectl copy soft0 --from data --to files/pipe || return 1
	wait $!
	cmp data got && [ -p files/pipe ] && only old pipe
}

# The text must not be mixed with the data.
# shellcheck disable=SC2094
dash_is_standard_output() {
	head -c 100000 /dev/urandom >data
	sluicectl copy soft0 --from - --to - <data 2>err | cat >got || return 1
	cat err
	cmp data got && grep -q 'copied 100000 bytes' err &&
		sluicectl copy soft0 --from data --to /proc/self/fd/1 2>err | cat >got && cmp data got &&
		grep -q 'copied 100000 bytes' err &&
		sluicectl copy soft0 --from data --to got 2>err >got && cmp data got &&
		grep -q 'copied 100000 bytes' err &&
		sluicectl copy soft0 --from data --to - --json 2>out >got && cmp data got && json 'o[0]["equal"]'
}

# --- files of --from ---

endless_file_is_refused() {
	local limit
	limit=$(sluicectl info soft0 --json | grep -o '"open_limit":[0-9]*' | cut -d: -f2)
	# to read as much takes memory
	truncate -s "$limit" sparse
	says "which is $((limit / 2)): use a smaller file" 1 sluicectl copy soft0 --from sparse &&
		says "is more than buffers of this device may have, which is $((limit / 2)) bytes" 1 \
			sluicectl copy soft0 --from /dev/zero --size "$limit" &&
		sluicectl copy soft0 --from sparse --size 4K
}

limit_of_the_heap_is_named() {
	local size
	size=$(sluicectl info soft0 --json | grep -o '"heap":"pages","max_size":[0-9]*' | grep -o '[0-9]*$')
	says "$((size + 4096)) bytes are more than this heap can ever have, which is $size bytes" 1 \
		sluicectl alloc soft0 --size $((size + 4096))
}

# --- users ---

USER_GROUP=65533

as_nobody() {
	setpriv --reuid=65534 --regid="$USER_GROUP" --clear-groups "$@"
}

# with_node MODE GROUP COMMAND...: while the node of soft0 has this mode and group
with_node() {
	local mode group status
	mode=$(stat -c %a /dev/sluice/soft0) group=$(stat -c %g /dev/sluice/soft0)
	chgrp "$2" /dev/sluice/soft0
	chmod "$1" /dev/sluice/soft0
	shift 2
	"$@"
	status=$?
	chgrp "$group" /dev/sluice/soft0
	chmod "$mode" /dev/sluice/soft0
	return "$status"
}

user_is_told_of_root() {
	with_node 600 0 says "no permission to open 'soft0': run as root" 1 as_nobody sluicectl info soft0
}

user_is_told_of_the_group() {
	with_node 660 video says "belongs to the group 'video'" 1 as_nobody sluicectl info soft0 &&
		with_node 660 54321 says "belongs to the group '54321'" 1 as_nobody sluicectl info soft0 &&
		with_node 660 video setpriv --reuid=65534 --regid=65533 --groups video sluicectl info soft0
}

list_tells_a_user_of_permissions() {
	with_node 600 0 as_nobody sluicectl list >out || return 1
	cat out
	grep -q '^soft0  *(cannot be opened: no permission)' out
}

# A folder that permits no new file: the old one is written in place, and is as long as the result.
file_in_a_closed_folder_is_written() {
	with_files
	head -c 100000 /dev/zero >files/old
	chown 65534 files/old
	chmod 755 files
	with_node 660 "$USER_GROUP" as_nobody sluicectl copy soft0 --size 5000 --to files/old || return 1
	only old && [ "$(stat -c %s files/old)" = 5000 ] &&
		with_node 660 "$USER_GROUP" says "cannot write 'files/new': Permission denied" 1 \
			as_nobody sluicectl copy soft0 --to files/new && only old
}

# A user cannot make a file of root's, so the old one stays, with its owner.
file_of_another_owner_is_written_in_place() {
	local before
	with_files
	chmod 777 files
	chmod 666 files/old
	before=$(stat -c '%i %u %g %a' files/old)
	with_node 660 "$USER_GROUP" as_nobody sluicectl copy soft0 --size 5000 --to files/old || return 1
	stat -c '%i %u %g %a %s' files/old
	only old && [ "$(stat -c '%i %u %g %a %s' files/old)" = "$before 5000" ]
}

# A device cgroup answers EPERM, as a file does that nobody may change.
user_is_told_of_the_container() {
	local status
	mkdir -p forbidden
	mount -t tmpfs tmpfs forbidden && touch forbidden/node || return 1
	if immutable forbidden/node 16; then
		says "the container or a security module forbids it" 1 sluicectl info "$PWD/forbidden/node"
		status=$?
		immutable forbidden/node 0
	else
		echo "this kernel's tmpfs has no immutable files"
		status=4
	fi
	umount forbidden && return $status
}

file_that_may_not_be_written_is_refused() {
	with_files
	chmod 777 files
	chmod 644 files/old
	with_node 660 "$USER_GROUP" says "cannot write 'files/old': Permission denied" 1 \
		as_nobody sluicectl copy soft0 --to files/old && only old && old_is_unchanged
}

# --- terminals ---

# on_terminal COMMAND: the output of a shell command on a terminal
on_terminal() {
	TERM=xterm script -qec "$1" /dev/null </dev/null
}

ESCAPE=$'\033'

colours_are_for_terminals() {
	local command="capture soft0 --size 4K"
	on_terminal "sluicectl $command" | grep -q "$ESCAPE" || { echo "no colours on a terminal"; return 1; }
	on_terminal "NO_COLOR= sluicectl $command" | grep -q "$ESCAPE" || { echo "empty NO_COLOR counts"; return 1; }
	# shellcheck disable=SC2086
	sluicectl $command --color always | grep -q "$ESCAPE" || { echo "always is not always"; return 1; }
	# shellcheck disable=SC2086
	! { sluicectl $command; NO_COLOR=1 sluicectl $command --color=auto
		on_terminal "NO_COLOR=1 sluicectl $command"
		on_terminal "TERM=dumb sluicectl $command"
		on_terminal "env -u TERM sluicectl $command"
		on_terminal "sluicectl $command --color never"; } | grep "$ESCAPE"
}

progress_is_for_terminals() {
	local command="sluicectl copy edu0 --size 60K"
	on_terminal "$command >/dev/null" >out
	grep -q "copying: [0-9]* s of at most 30 s" out || { echo "no progress on a terminal"; return 1; }
	on_terminal "$command" >out
	grep -q "copying: [0-9]* s of at most 30 s" out || { echo "no progress beside the output"; return 1; }
	# the line of progress is gone before the result is printed
	grep -q "${ESCAPE}\\[K[^${ESCAPE}]*edu0 copied 61440 bytes" out || { od -c out; return 1; }
	$command 2>err >out || return 1
	[ ! -s err ] || { echo "progress in a file"; return 1; }
	on_terminal "TERM=dumb $command >/dev/null" >out
	! grep "copying" out
}

# --- completion ---

# completion: the file for bash, of the lab or installed
completion() {
	local file
	for file in "$here/../completions/sluicectl.bash" {/usr/local,/usr}/share/bash-completion/completions/sluicectl; do
		[ ! -e "$file" ] || { echo "$file"; return; }
	done
	return 1
}

bash_completes_what_there_is() {
	# shellcheck disable=SC1090
	. "$(completion)" || return 1
	COMP_WORDS=(sluicectl info s) COMP_CWORD=2
	_sluicectl
	echo "devices: ${COMPREPLY[*]}"
	[ "${COMPREPLY[*]}" = soft0 ] || return 1
	COMP_WORDS=(sluicectl copy soft0 --heap "") COMP_CWORD=4
	_sluicectl
	echo "heaps: ${COMPREPLY[*]}"
	[ "${COMPREPLY[*]}" = "pages contiguous memfd" ] || return 1
	COMP_WORDS=(sluicectl controls soft0 bri) COMP_CWORD=3
	_sluicectl
	echo "controls: ${COMPREPLY[*]}"
	[ "${COMPREPLY[*]}" = brightness ]
}

nothing_leaked() {
	eventually same_objects
}

same_objects() {
	diff before "$OBJECTS"
}

tests() {
	ok_by python3 "list_is_json" json_of 'any(each["device"] == "soft0" and each["driver"] == "soft" and
		each["heaps"] == 2 for each in o)' list
	ok_by python3 "info_is_json" json_of 'len(o) == 1 and "sync_file" in o[0]["capabilities"] and
		o[0]["engines"][0]["ops"][:3] == ["copy", "fill", "capture"] and
		[heap["heap"] for heap in o[0]["heaps"]] == ["pages", "contiguous"] and
		o[0]["total_limit"] > 2**20' info soft0
	ok_by python3 "formats_are_json" json_of 'any(each["format"] == "NV12" and each["planes"] == 2 and
		each["fields"] == ["none", "top", "bottom", "alternate"] and
		each["sizes"][0]["intervals"][0]["min"] == {"numerator": 1, "denominator": 30}
		for each in o)' formats soft0
	ok_by python3 "controls_are_json" json_of 'any(each.get("control") == "brightness" and each["min"] == -255 and
		each["type"] == "int" for each in o) and any(each.get("menu") == ["scene", "black"] for each in o) and
		any(each.get("source") == 0 and each["signal"] == "locked" for each in o)' controls soft0
	ok_by python3 "one_control_is_json" json_of 'o[0]["value"] == 0 and len(o) == 1' controls soft0 brightness
	ok_by python3 "alloc_is_json" json_of 'o[0]["size"] == 2**20 and "cached" in o[0]["properties"]' \
		alloc soft0 --size 1M
	ok_by python3 "copy_is_json" json_of 'o[0]["bytes"] == 65536 and o[0]["equal"] and o[0]["seconds"] > 0' copy soft0
	ok_by python3 "capture_is_json" json_of 'len(o) == 3 and [each["bytes"] for each in o] == [4096] * 3 and
		o[0]["timestamp_ns"] < o[1]["timestamp_ns"]' capture soft0 --size 4K --frames 3
	ok_by python3 "events_are_json" json_events
	ok_by python3 "json_is_not_held_back" json_is_not_held_back
	ok_by python3 "list_tells_of_a_node_that_is_no_device" list_tells_of_a_node_that_is_no_device

	ok "full_output_is_told" full_output_is_told
	ok "closed_output_is_told" closed_output_is_told
	ok_by strace "closed_descriptors_stay_closed" closed_descriptors_stay_closed
	ok "closed_input_is_told" closed_input_is_told
	ok "setting_needs_no_output" setting_needs_no_output
	ok "reader_may_end_early" reader_may_end_early
	ok "many_frames_into_a_reader_that_ends" many_frames_into_a_reader_that_ends
	ok "output_comes_before_the_error" output_comes_before_the_error

	ok "new_file_has_the_usual_mode" new_file_has_the_usual_mode
	ok "old_file_keeps_owner_and_mode" old_file_keeps_owner_and_mode
	ok "link_stays" link_stays
	ok "dangling_link_is_refused" dangling_link_is_refused
	ok "folder_is_refused" says "cannot write '/tmp': Is a directory" 1 sluicectl copy soft0 --to /tmp
	ok "failed_job_keeps_the_old_file" failed_job_keeps_the_old_file
	ok "bad_file_costs_no_work" bad_file_costs_no_work
	ok "full_disk_keeps_the_old_file" full_disk_keeps_the_old_file
	ok "limit_of_a_file_keeps_the_old_file" limit_of_a_file_keeps_the_old_file
	ok_on edu0 "signals_remove_the_partial_file" signals_remove_the_partial_file
	ok_on edu0 "ignored_signal_stays_ignored" ignored_signal_stays_ignored
	ok "pipes_are_written_directly" pipes_are_written_directly
	ok_by python3 "dash_is_standard_output" dash_is_standard_output

	ok "endless_file_is_refused" endless_file_is_refused
	ok "limit_of_the_heap_is_named" limit_of_the_heap_is_named

	ok_by setpriv "user_is_told_of_root" user_is_told_of_root
	ok_by setpriv "user_is_told_of_the_group" user_is_told_of_the_group
	if command -v python3 >/dev/null; then
		ok_or_skip "user_is_told_of_the_container" user_is_told_of_the_container
	else
		skip "user_is_told_of_the_container" "this machine has no python3"
	fi
	ok_by setpriv "list_tells_a_user_of_permissions" list_tells_a_user_of_permissions
	ok_by setpriv "file_in_a_closed_folder_is_written" file_in_a_closed_folder_is_written
	ok_by setpriv "file_of_another_owner_is_written_in_place" file_of_another_owner_is_written_in_place
	ok_by setpriv "file_that_may_not_be_written_is_refused" file_that_may_not_be_written_is_refused

	ok_by script "colours_are_for_terminals" colours_are_for_terminals
	ok_on edu0 "progress_is_for_terminals" progress_is_for_terminals
	if completion >/dev/null; then
		ok "bash_completes_what_there_is" bash_completes_what_there_is
	else
		skip "bash_completes_what_there_is" "the completion of bash is not installed"
	fi
	ok "nothing_is_left_behind" nothing_leaked
}

needs_sluice
needs_command sluicectl
dir=$(mktemp -d) || exit 1
# a user who is not root must reach files in it
chmod 755 "$dir"
node=$(stat -c "%g %a" /dev/sluice/soft0) || exit 1

# The end, also after a signal: other users get no access to the node that they had not before.
leave() {
	chgrp "${node% *}" /dev/sluice/soft0
	chmod "${node#* }" /dev/sluice/soft0
	rm -f /dev/sluice/aaa
	umount "$dir/full" 2>/dev/null
	umount "$dir/forbidden" 2>/dev/null
	rm -rf "$dir"
}
trap leave EXIT
cd "$dir" || exit 1
cat "$OBJECTS" >before || exit 1
run_tests tests
