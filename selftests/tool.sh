#!/bin/bash
# SPDX-License-Identifier: MIT
#
# sluicectl: what it does, and what it says when it cannot.  Prints TAP.
#
# Most functions are called by ok, which shellcheck does not see; and of a list
# of lines the first is what counts.
# shellcheck disable=SC2317,SC2329,SC2128

OBJECTS=/sys/kernel/debug/sluice/objects
here=$(dirname "$(realpath "$0")")
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. "$here/lib/ktap.sh"

# refused NAME WORDS ARGUMENT...: the tool fails and says one sentence that has
# these words in it, and more in it than the name of an errno.
refused() {
	local name=$1 words=$2
	shift 2
	ok "$name" refuses "$words" "$@"
}

refuses() {
	local words=$1 lines said
	shift
	if sluicectl "$@" >out 2>err; then
		echo "'sluicectl $*' succeeded"
		return 1
	fi
	mapfile -t lines <err
	printf '%s\n' "${lines[@]}"
	[ ${#lines[@]} = 1 ] || { echo "not one line"; return 1; }
	[ ! -s out ] || { echo "output on stdout:"; cat out; return 1; }
	[[ $lines == "sluicectl: "* ]] || { echo "does not begin with its name"; return 1; }
	[[ $lines == *"$words"* ]] || { echo "does not say '$words'"; return 1; }
	read -ra said <<<"$lines"
	[ ${#said[@]} -ge 6 ] || { echo "says too little"; return 1; }
	! [[ $lines =~ errno|Invalid\ argument|Inappropriate\ ioctl|not\ supported|rror\ -?[0-9] ]] ||
		{ echo "names an errno"; return 1; }
}

# has TEXT... -- COMMAND...: the output has all of these
has() {
	local texts=() text
	while [ "$1" != -- ]; do
		texts+=("$1")
		shift
	done
	shift
	"$@" >out || return 1
	cat out
	for text in "${texts[@]}"; do
		grep -qF -- "$text" out || { echo "no '$text' in it"; return 1; }
	done
}

# copies DEVICE BYTES ARGUMENT...: --to gets the first BYTES bytes of what --from has
copies() {
	local device=$1 bytes=$2
	shift 2
	rm -f copy
	sluicectl copy "$device" --from data --to copy "$@" || return 1
	[ "$(stat -c %s copy)" = "$bytes" ] || { stat -c '%n has %s bytes' copy; return 1; }
	cmp -n "$bytes" data copy
}

# data_of BYTES: a file of that many that no two bytes of are alike for long
data_of() {
	head -c "$1" /dev/urandom >data
}

copies_a_file_of() {
	data_of "$2" && copies "$1" "$2"
}

copies_a_pipe() {
	data_of 100000
	rm -f copy
	head -c 100000 data | sluicectl copy soft0 --from /proc/self/fd/0 --to copy && cmp data copy
}

# Frame s of raw data: word i is s * 0x9e3779b9 + i, in 32 bits.
captures_raw() {
	local sequence
	sluicectl capture soft0 --size 4K --frames 3 --to raw >out || return 1
	cat out
	[ "$(wc -l <out)" = 4 ] || return 1
	sequence=$(awk 'END { print $1 }' out)
	[ "$(stat -c %s raw)" = 4096 ] || return 1
	od -An -v -tu4 -w4 raw | awk -v sequence="$sequence" '
		$1 != (sequence * 2654435769 + NR - 1) % 4294967296 { print "word " NR - 1 ": " $1; bad = 1; exit }
		END { exit bad || NR != 1024 }'
}

captures_in_order() {
	sluicectl capture soft0 --size 4K --frames 5 >out || return 1
	cat out
	awk 'NR > 2 && ($1 <= sequence || $2 <= time || $1 != sequence + 1 + $4) { exit 1 }
		NR > 1 { sequence = $1; time = $2; if ($3 != 4096) exit 1 }
		END { if (NR != 6) exit 1 }' out
}

# The file is the camera's scene, to the last byte.  It has room for all of the text.
captures_image() {
	local sequence seconds
	rm -f image
	sluicectl capture soft0 --geometry 320x240 --frames 2 --to image >out || return 1
	cat out
	sequence=$(awk 'END { print $1 }' out)
	seconds=$(awk 'END { print $2 }' out)
	"$here/lib/scene_ppm" 320 240 "$sequence" "$seconds" >expected || return 1
	cmp image expected
}

# A control is set by number and by name, read back, and set to its default again.
sets_controls() {
	sluicectl controls soft0 brightness=-50 && has "brightness" "-50  (default 0; -255..255/5)" -- \
		sluicectl controls soft0 brightness &&
		sluicectl controls soft0 input=black && has "black  (default scene; scene black)" -- \
			sluicectl controls soft0 input &&
		sluicectl controls soft0 input=0 && sluicectl controls soft0 brightness=0 &&
		has "scene  (default" "brightness       0  (default" -- sluicectl controls soft0
}

# The button's effect is on one image: the first is white, the second is not.
presses_a_button() {
	sluicectl controls soft0 trigger &&
		sluicectl capture soft0 --geometry 64x48 --to image &&
		[ "$(tail -c +14 image | tr -d '\377' | wc -c)" = 0 ] &&
		sluicectl capture soft0 --geometry 64x48 --to image &&
		[ "$(tail -c +14 image | tr -d '\377' | wc -c)" != 0 ]
}

# A control that cannot be read is told in its line, and does not hide the sources behind it.
lists_what_cannot_be_read() {
	echo 5 >/sys/kernel/debug/sluice/soft0/control_error
	has "frame            cannot be read: Input/output error" "source 0 " -- \
		sluicectl controls soft0 || return 1
	echo 5 >/sys/kernel/debug/sluice/soft0/control_error
	! sluicectl controls soft0 frame && sluicectl controls soft0 frame
}

# The tool has opened the device when it prints its heading.
await_heading() {
	local tries=200
	until grep -qs sequence happened; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || { kill "$1"; return 1; }
		sleep 0.1
	done
}

# When the device goes, that is told, and is no error.
events_end_with_the_device() {
	local driver=/sys/bus/platform/drivers/sluice-soft tries=200 tool status
	rm -f happened
	timeout 100 sluicectl events soft0 >happened &
	tool=$!
	await_heading "$tool" || return 1
	echo sluice-soft >"$driver/unbind"
	wait "$tool"
	status=$?
	echo sluice-soft >"$driver/bind"
	until [ -e /dev/sluice/soft0 ]; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
	cat happened
	[ "$status" = 0 ] && [ "$(tail -n 1 happened)" = "the device was removed" ]
}

# What happens once the tool has opened the device.
prints_events() {
	local tool
	rm -f happened
	timeout 100 sluicectl events soft0 --count 2 >happened &
	tool=$!
	await_heading "$tool" || return 1
	sluicectl controls soft0 freeze=1
	sluicectl controls soft0 freeze=0
	# the second may have taken the first one's place
	echo 1 >/sys/kernel/debug/sluice/soft0/events
	wait "$tool"
	cat happened
	[ "$(wc -l <happened)" = 3 ] && grep -q "control freeze" happened
}

reports_a_full_stdout() {
	! sluicectl list 2>err >/dev/full && cat err && grep -q "cannot write the output" err
}

# As many objects as before; the last may take a moment.
nothing_leaked() {
	local tries=200
	until diff before "$OBJECTS" >difference; do
		cat difference
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

tests() {
	local value count size geometry frames
	ok "help_is_printed_on_request" has "usage: sluicectl list" capture -- sluicectl --help
	ok "version_is_that_of_the_module" has "sluicectl $(cat /sys/module/sluice/version)" -- sluicectl --version
	ok_on edu0 "list_names_every_device" has "driver soft" "driver edu" "28-bit DMA" -- sluicectl list
	ok "formats_lists_planes_fields_sizes_and_intervals" has "engine 0" "engine 1" \
		"NV12  2 planes top bottom alternate" "2..4294967295/2x2..4294967295/2  1/30 s" \
		"pRAA  1 plane" -- sluicectl formats soft0
	ok_on edu0 "formats_of_a_device_without_any_are_raw_data" has "raw data only" -- sluicectl formats edu0
	ok "info_tells_what_each_engine_does" has "engine 0    copy fill capture playback private; depth" \
		"18 formats" "software" -- sluicectl info soft0
	ok_on ether0 "info_tells_the_limits_of_ops" has "depth 255" "ops of at most 16384 bytes, at most 1 segment" \
		"ops of at least 16384 bytes, at most 1 segment" -- sluicectl info ether0
	ok "info_tells_what_soft0_can_do" has soft0 "copy fill capture" pages contiguous sync_file -- \
		sluicectl info soft0
	ok_on edu0 "info_names_the_dma_heap_nodes" has "also /dev/dma_heap/sluice-edu0-contiguous" -- sluicectl info edu0
	ok_on edu0 "info_takes_a_path" has "edu" "DMA         28 bits" -- sluicectl info /dev/sluice/edu0
	ok "alloc_takes_the_pages_heap_by_default" has "1048576 bytes" cached -- \
		sluicectl alloc soft0 --size 1M
	ok "alloc_rounds_up_to_pages" has "size        8192 bytes" -- sluicectl alloc soft0 --size 4097
	ok "alloc_from_contiguous_gives_one_segment" has "segments    1," contiguous -- \
		sluicectl alloc soft0 --heap contiguous --size 256K

	ok "controls_are_listed_with_values_and_sources" has "input " "frame " "read-only, volatile" \
		"trigger          (button)" "source 0         locked, 1/" -- sluicectl controls soft0
	ok_on edu0 "controls_of_a_device_without_any_are_nothing" sluicectl controls edu0
	ok "controls_are_set_by_number_and_by_name" sets_controls
	ok "control_that_cannot_be_read_does_not_end_the_list" lists_what_cannot_be_read
	ok "button_is_pressed" presses_a_button
	ok "events_are_printed_as_they_happen" prints_events
	ok "events_end_well_when_the_device_has_gone" events_end_with_the_device

	ok "copy_makes_up_its_data" has "copied 65536 bytes" -- sluicectl copy soft0
	ok "copy_from_contiguous_memory" has "copied 1048576 bytes" -- \
		sluicectl copy soft0 --heap contiguous --size 1M
	ok "alloc_wraps_a_memfd" has "size        8192 bytes" cached -- \
		sluicectl alloc soft0 --heap memfd --size 4097
	data_of 300000
	ok "copied_file_is_equal_in_wrapped_memory" copies soft0 300000 --heap memfd
	ok "copied_file_is_equal" copies soft0 300000
	ok "copy_takes_the_first_bytes_of_a_longer_file" copies soft0 12345 --size 12345
	ok "copy_of_one_byte" copies_a_file_of soft0 1
	ok "copy_of_a_length_that_is_no_multiple_of_a_word" copies_a_file_of soft0 4099
	ok "copy_reads_a_pipe_to_its_end" copies_a_pipe
	ok_on edu0 "edu0_copies_8K" has "copied 8192 bytes" -- sluicectl copy edu0 --size 8K
	ok_on edu0 "edu0_copies_a_file" copies_a_file_of edu0 5001

	ok "capture_writes_raw_data" captures_raw
	ok "captured_frames_are_numbered_in_order" captures_in_order
	ok "captured_image_is_the_scene_to_the_last_byte" captures_image

	data_of 1000
	: >empty
	refused "no_command_is_refused" "--help"
	refused "unknown_command_is_refused" "no command 'frobnicate'" frobnicate
	refused "unknown_command_with_a_device_is_refused" "no command 'frobnicate'" frobnicate soft0
	refused "list_with_a_device_is_refused" "takes no arguments" list soft0
	refused "missing_device_is_refused" "needs a device" info
	refused "two_devices_are_refused" "edu0" info soft0 edu0
	refused "unknown_device_is_refused" "no device 'soft99'" info soft99
	refused "file_that_is_no_device_is_refused" "not a Sluice device" info /dev/null
	refused "folder_that_is_no_device_is_refused" "cannot open" info /dev/sluice
	refused "unknown_option_is_refused" "--frobnicate" alloc soft0 --frobnicate
	refused "unknown_letter_is_refused" "no option -z" alloc soft0 -z
	refused "option_of_another_command_is_refused" "--geometry" copy soft0 --geometry 64x48
	refused "option_without_its_value_is_refused" "--size needs a value" alloc soft0 --size
	refused "unknown_control_is_refused" "no control 'contrast'" controls soft0 contrast
	refused "unknown_control_of_any_length_is_refused" "no control 'brightness_that_is_longer_than_any" \
		controls soft0 brightness_that_is_longer_than_any=5
	refused "control_of_two_is_refused" "name one control at a time" controls soft0 brightness input
	refused "value_out_of_range_is_refused" "cannot be 256" controls soft0 brightness=256
	refused "value_between_steps_is_refused" "cannot be 3" controls soft0 brightness=3
	for value in "" x 5x 99999999999999999999; do
		refused "value_'${value}'_is_refused" "is not a value of brightness" \
			controls soft0 "brightness=$value"
	done
	refused "unknown_entry_of_a_menu_is_refused" "is not a value of input" controls soft0 input=white
	refused "read_only_control_is_refused" "frame is read-only" controls soft0 frame=1
	refused "control_of_another_command_is_refused" "unexpected argument 'brightness'" info soft0 brightness
	for count in 0 -3 many 9999999999; do
		refused "count_'${count}'_is_refused" "is not a number of events" events soft0 --count "$count"
	done
	refused "unknown_heap_is_refused" "no heap 'swamp'" alloc soft0 --heap swamp
	for size in "" 0 -1 12Q 1KK K 0x 64M1 99999999999999999999 18446744073709551615 9999999999G; do
		refused "size_'${size}'_is_refused" "is not a size" alloc soft0 --size "$size"
	done
	refused "size_beyond_all_memory_is_refused" "more than this heap can ever have" \
		alloc soft0 --size 1000G
	refused "memfd_beyond_all_memory_is_refused" "more than this heap can ever have" \
		alloc soft0 --heap memfd --size 1000G
	refused "memfd_larger_than_any_file_is_refused" "more than this heap can ever have" \
		alloc soft0 --heap memfd --size 9223372036854775807
	# with an IOMMU in between it reaches all
	grep -q '^DMA' /sys/kernel/iommu_groups/0/type 2>/dev/null ||
		ok_on edu0 "memfd_that_the_device_does_not_reach_is_refused" refuses "cannot address" \
			alloc edu0 --heap memfd --size 64M
	for geometry in "" 64 x 64x x48 0x48 64x0 -64x48 64x-48 64x48x2 64X48 640*480 99999x48 wide; do
		refused "geometry_'${geometry}'_is_refused" "is not a geometry" \
			capture soft0 --geometry "$geometry"
	done
	refused "geometry_with_size_is_refused" "exclude each other" \
		capture soft0 --geometry 64x48 --size 4K
	refused "raw_size_of_half_a_word_is_refused" "multiple of 4" capture soft0 --size 4098
	for frames in 0 -3 many 3x 9999999999; do
		refused "frames_'${frames}'_are_refused" "is not a number of frames" \
			capture soft0 --frames "$frames"
	done
	ok_on edu0 "capture_on_edu0_is_refused" refuses "cannot capture" capture edu0
	refused "missing_file_is_refused" "cannot read 'nowhere'" copy soft0 --from nowhere
	refused "folder_instead_of_a_file_is_refused" "cannot read '/tmp'" copy soft0 --from /tmp
	refused "empty_file_is_refused" "is empty" copy soft0 --from empty
	refused "file_shorter_than_size_is_refused" "has only 1000 bytes" \
		copy soft0 --from data --size 1001
	refused "target_that_cannot_be_created_is_refused" "cannot write 'no/where'" \
		copy soft0 --from data --to no/where
	refused "full_disk_is_reported" "cannot write '/dev/full'" copy soft0 --from data --to /dev/full
	ok "output_that_cannot_be_written_is_reported" reports_a_full_stdout

	ok "nothing_is_left_behind" nothing_leaked
}

needs_sluice
needs_command sluicectl
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
cat "$OBJECTS" >before || exit 1
run_tests tests
