#!/bin/sh
# SPDX-License-Identifier: MIT
#
# registers.sh DEVICE WIDTH HEIGHT FROM FILE: the same as registers.c, from the shell.
# The raw XRGB8888 image FROM goes through QEMU's edu, driven by its registers, and on
# to a GPU, whose picture becomes FILE.  See registers.c for what DEVICE has to be.
set -eu
device=$1 width=$2 height=$3 from=$4 file=$5
size=$((width * height * 4))
here=$(dirname "$0")

# A transfer of $1 bytes with the flags $2.
transfer() {
	echo "write 0:0x90/8 $1"
	echo "write 0:0x98/8 $2"
	echo "interrupt 0"
	echo "write 0:0x64 0x100"
}

place=0
while [ $place -lt $size ]; do
	length=$((size - place < 4092 ? size - place : 4092))
	echo "src 0:0x80/8 $place $length	# memory to the device"
	echo "write 0:0x88/8 0x40000"
	transfer $length 5
	echo "write 0:0x80/8 0x40000	# and back"
	echo "dst 0:0x88/8 $place $length"
	transfer $length 7
	place=$((place + length))
done | sluicectl program "$device" --from "$from" --then "$here/consume $width $height $file"
