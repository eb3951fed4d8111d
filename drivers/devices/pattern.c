// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test pattern that soft captures: what a person recognises on a screen,
 * and what a program can check.
 *
 * An image (XRGB8888) has eight colour bars, a grey ramp below them, a square
 * that moves with the frame number, and that number in binary along the top:
 * 32 fields, white for 1, most significant bit first.  Raw data is a row of
 * 32-bit words: word i of frame s is s * 0x9e3779b9 + i.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "pattern.h"

static const u32 pattern_bars[8] = {
	0xebebeb, 0xebeb10, 0x10ebeb, 0x10eb10, 0xeb10eb, 0xeb1010, 0x1010eb, 0x202020,
};

/* Where a ball is after @step steps of two pixels between two walls. */
static u32 pattern_bounce(u64 step, u32 room)
{
	u64 way;

	if (!room)
		return 0;
	div64_u64_rem(step * 2, 2ULL * room, &way);
	return way < room ? way : 2ULL * room - way;
}

/**
 * pattern_draw - draw an image
 * @memory: where, @height lines of @stride bytes
 * @width: pixels of 4 bytes
 * @height: lines
 * @stride: bytes, at least @width * 4
 * @sequence: frame number
 * @stop: set by somebody else to end early
 *
 * Context: may sleep.
 */
void pattern_draw(void *memory, u32 width, u32 height, u32 stride, u64 sequence,
		  const bool *stop)
{
	u32 bits = max(height / 32, 1U), ramp = height - height / 4;
	u32 side = min(width, height) / 6;
	u32 left = pattern_bounce(sequence * 3, width - side);
	u32 top = pattern_bounce(sequence * 2, height - side);
	u32 x, y;

	for (y = 0; y < height && !READ_ONCE(*stop); y++) {
		u32 *line = memory + (size_t)y * stride;

		cond_resched();
		if (y && y != bits && y != ramp) {
			memcpy(line, (void *)line - stride, width * 4);
		} else {
			for (x = 0; x < width; x++) {
				u32 level = (u64)x * 256 / width;

				if (y < bits)
					line[x] = sequence >> (31 - (u64)x * 32 / width) & 1 ?
						0xffffff : 0x000000;
				else if (y < ramp)
					line[x] = pattern_bars[(u64)x * 8 / width];
				else
					line[x] = level << 16 | level << 8 | level;
			}
		}
	}
	for (y = top; y < top + side && !READ_ONCE(*stop); y++) {
		u32 *line = memory + (size_t)y * stride;

		for (x = left; x < left + side; x++)
			line[x] ^= 0xffffff;
	}
}

/**
 * pattern_fill_raw - write a part of a frame of raw data
 * @memory: where
 * @offset: of that part in the frame, bytes, a multiple of 4
 * @length: bytes, a multiple of 4
 * @sequence: frame number
 */
void pattern_fill_raw(void *memory, u64 offset, size_t length, u64 sequence)
{
	u32 base = (u32)sequence * 0x9e3779b9 + (u32)(offset / sizeof(u32));
	u32 *word = memory;
	size_t i;

	for (i = 0; i < length / sizeof(u32); i++)
		word[i] = base + (u32)i;
}
