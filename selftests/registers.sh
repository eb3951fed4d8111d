#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A device without a driver of its own, driven by its registers: the examples in C
# and in shell, as a user would run them, with a GPU as the consumer; and what
# 'sluicectl program' says of programs that cannot be.  Prints TAP.
#
# Most functions are called by ok, which shellcheck does not see; and of a list
# of lines the first is what counts.
# shellcheck disable=SC2317,SC2329,SC2128

here=$(dirname "$(realpath "$0")")
# shellcheck source-path=SCRIPTDIR source=lib/ktap.sh
. "$here/lib/ktap.sh"
examples=$here/../examples
needs_sluice

# The edu that has no driver, below the switch.
edu=
for address in /sys/bus/pci/devices/*; do
	[[ $address = */0000:00:* ]] && continue
	case $(cat "$address/vendor" "$address/device" 2>/dev/null | tr -d '\n') in
	0x12340x11e8) edu=$address ;;
	esac
done
[ -n "$edu" ] || skip_all "this machine has no edu below a PCIe bridge"
[ -x "$examples/registers" ] || skip_all "the examples of Sluice are not beside the tests"
needs_command sluicectl
[ -d /sys/bus/pci/drivers/sluice-pci ] || load_module sluice-pci || skip_all "there is no module sluice-pci"
dir=$(mktemp -d) || exit 1
cd "$dir" || exit 1

leave() {
	echo "${edu##*/}" >"$edu/driver/unbind"
	echo none >"$edu/driver_override"
	rm -rf "$dir"
}
trap leave EXIT
echo sluice-pci >"$edu/driver_override"
echo "${edu##*/}" >/sys/bus/pci/drivers_probe
for _ in $(seq 100); do
	[ -d "$edu/sluice" ] && break
	sleep 0.1
done
device=$(ls "$edu/sluice")

# allow RANGES: registers that programs may use
allow() {
	echo "$1" >"$edu/registers"
}

# refused NAME WORDS LINE...: a program of these lines fails, with one sentence that
# has these words in it.
refused() {
	local name=$1 words=$2
	shift 2
	printf '%s\n' "$@" >list
	ok "$name" refuses "$words"
}

refuses() {
	local lines
	if sluicectl program "$device" <list >out 2>err; then
		echo "it succeeded"
		return 1
	fi
	mapfile -t lines <err
	printf '%s\n' "${lines[@]}"
	[ ${#lines[@]} = 1 ] && [[ $lines = "sluicectl: "*"$1"* ]]
}

# The left half of the picture is the image as it was: pixel (x, y) as registers.c draws it.
left_half_is_right() {
	[ "$(head -c 13 "$1" | tr '\n' ,)" = P6,64\ 48,255, ] || { echo header; return 1; }
	[ "$(stat -c %s "$1")" = $((13 + 64 * 48 * 3)) ] || { echo size; return 1; }
	od -An -v -tu1 -w192 -j13 "$1" | awk '
		{
			for (x = 0; x < 31; x++) {
				odd = (int(x / 8) + int((NR - 1) / 8)) % 2
				value = (odd ? 12615712 : 1060960) + x
				got = ($(3 * x + 1) * 256 + $(3 * x + 2)) * 256 + $(3 * x + 3)
				if (got != value) { print "pixel " x "," NR - 1 ": " got " for " value; exit bad = 1 }
			}
		}
		END { exit bad || NR != 48 }'
}

# The image that registers.c draws, as a file.
draw() {
	local x y value bytes
	for ((y = 0; y < 48; y++)); do
		for ((x = 0; x < 64; x++)); do
			value=$((((x / 8 + y / 8) % 2 ? 0xc08020 : 0x103060) + x))
			printf -v bytes '\\x%02x\\x%02x\\x%02x\\x00' $((value & 255)) \
				$((value >> 8 & 255)) $((value >> 16))
			printf '%b' "$bytes"
		done
	done
}

# The job takes 0.8 s: a machine that stands still for so long shows nothing, and is
# asked again.
c_example() {
	local tries
	for tries in 1 2 3 4 5; do
		"$examples/registers" "$device" c.ppm >out || { cat out; return 1; }
		cat out
		left_half_is_right c.ppm || return 1
		grep -q '^fence  *pending when the GPU got it' out && return
		echo "try $tries: it had ended already"
	done
	return 1
}

shell_example() {
	PATH=$PATH:/sluice/user/tools "$examples/registers.sh" "$device" 64 48 image sh.ppm >out ||
		{ cat out; return 1; }
	cat out
	# pending or not: a second process has to find its GPU first
	grep -q '^fence  *.* when the GPU got it' out && grep -q "^$device did 48 commands" out &&
		left_half_is_right sh.ppm
}

same_picture() {
	cmp c.ppm sh.ppm
}

# 100 bytes there and back, by the tool alone.
copies() {
	head -c 100 /dev/urandom >data
	sluicectl program "$device" --from data --to copy <<-END || return 1
		# to the device, and back
		src 0:0x80/8
		write 0:0x88/8 0x40000
		write 0:0x90/8 100
		write 0:0x98/8 5
		interrupt 0
		write 0:0x64 0x100
		write 0:0x80/8 0x40000
		dst 0:0x88/8 0 100
		write 0:0x90/8 100
		write 0:0x98/8 7
		interrupt 0
		write 0:0x64 0x100
	END
	cmp data copy
}

identity_is_polled() {
	echo "poll 0:0 0xff00ffff 0x010000ed 1000" | sluicectl program "$device"
}

then_fails() {
	echo "poll 0:0 0 0 0" | sluicectl program "$device" --then "exit 3" 2>err && return 1
	cat err
	grep -q 'failed with status 3' err
}

tests() {
	ok "registers_are_nobodys_at_first" [ -z "$(cat "$edu/registers")" ]
	refused "program_without_permission_is_refused" "root has not allowed" "write 0:0x60 0"
	ok "root_allows_registers" allow "0:0+0x8 0:0x64+0x4 0:0x80+0x20"
	draw >image
	ok "c_example_goes_to_the_gpu" c_example
	ok "shell_example_goes_to_the_gpu" shell_example
	ok "both_make_the_same_picture" same_picture
	ok "program_copies_a_file" copies
	ok "register_is_polled" identity_is_polled
	ok "failure_behind_then_is_told" then_fails
	refused "register_outside_is_refused" "root has not allowed" "write 0:0x60 0"
	refused "no_commands_are_refused" "there are no commands" "# nothing"
	refused "unknown_command_is_refused" "there is no command 'copy'" "copy 0:0 1"
	refused "missing_value_is_refused" "write it as 'write REGISTER VALUE'" "write 0:0x64"
	refused "too_many_words_are_refused" "write it as 'poll" "poll 0:0 1 1 1 1 1 1"
	refused "line_is_named" "line 2:" "write 0:0x64 0" "write 0:0x64 x"
	refused "bad_register_is_refused" "is not a register" "write 0x64 1"
	refused "bad_width_is_refused" "1, 2, 4 or 8 bytes" "write 0:0x64/3 1"
	refused "misaligned_register_is_refused" "not a multiple" "write 0:0x66 1"
	refused "bar_6_is_refused" "there is no BAR 6" "write 6:0 1"
	refused "value_too_large_is_refused" "does not fit" "write 0:0x64 0x100000000"
	refused "poll_that_cannot_end_is_refused" "can never match" "poll 0:0 1 2 5"
	refused "poll_in_vain_is_told" "reported that the job failed" "poll 0:0 1 0 5"
	refused "place_outside_is_refused" "outside the buffer" "dst 0:0x88/8 65536"
	refused "unknown_interrupt_is_refused" "no such interrupt" "interrupt 7"
	printf 'write 0:0 0\n' >list
	ok "device_without_programs_is_refused" eval \
		'sluicectl program soft0 <list 2>err; cat err; grep -q "cannot run programs" err'
}

run_tests tests
