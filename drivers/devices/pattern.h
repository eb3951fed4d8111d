/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test pattern of the device soft.
 *
 * pattern.c owns the table of formats, which never changes.  It has no other state and takes no
 * lock: the caller owns the memory that is drawn into.  soft_frames.c calls these functions.
 * pattern.c calls no other file of this driver.
 */
#ifndef _SLUICE_PATTERN_H
#define _SLUICE_PATTERN_H

#include <linux/types.h>

#define PATTERN_NUM_FORMATS	18

struct pattern_image;

/**
 * struct pattern_format - a format in which the pattern can be drawn
 * @fourcc: the format
 * @span: set the pixels from @left to @right - 1 of line @y to @colour (0xRRGGBB)
 * @step_width: the width of an image must be a multiple of it
 * @step_height: the height of an image must be a multiple of it
 * @filters: Bayer: the colours (R, G or B) of two pixels of the first line, then of two pixels of
 *	the second line
 * @swapped: the components are in the other order: red and blue, or luma and chroma, or U and V
 * @alpha: the upper byte is alpha, and is set to 0xff
 */
struct pattern_format {
	u32 fourcc;
	void (*span)(const struct pattern_image *image, u32 y, u32 left, u32 right, u32 colour);
	u32 step_width;
	u32 step_height;
	char filters[5];
	bool swapped;
	bool alpha;
};

extern const struct pattern_format pattern_formats[PATTERN_NUM_FORMATS];

/**
 * struct pattern_frame - where and how a frame is drawn
 * @format: fourcc, one of pattern_formats
 * @width: pixels
 * @height: lines in memory
 * @field: the lines of the picture to draw: all, the top field, or the bottom field
 * @planes: address of the first line of each plane
 * @strides: for each plane, the bytes from the start of a line to the start of the next
 * @brightness: -255 to 255, added to the red, green and blue of each colour
 */
struct pattern_frame {
	u32 format;
	u32 width;
	u32 height;
	enum {
		PATTERN_WHOLE,
		PATTERN_TOP,
		PATTERN_BOTTOM,
	} field;
	void *planes[3];
	u32 strides[3];
	int brightness;
};

void pattern_draw(const struct pattern_frame *frame, u64 sequence, u64 time_ns, const bool *stop);
void pattern_fill_raw(void *memory, u64 offset, size_t length, u64 sequence);

#endif /* _SLUICE_PATTERN_H */
