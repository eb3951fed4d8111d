/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SLUICE_PATTERN_H
#define _SLUICE_PATTERN_H

#include <linux/types.h>

#define PATTERN_NUM_FORMATS	18

struct pattern_image;

/**
 * struct pattern_format - a format in which the pattern can be drawn
 * @fourcc: its name
 * @span: writes pixels @left up to and without @right of a line
 * @step_width: widths are multiples of it
 * @step_height: likewise heights
 * @filters: Bayer: the colours of the first two pixels of the first two lines
 * @swapped: the other order of colours
 * @alpha: the upper byte is alpha
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
 * struct pattern_frame - where a frame goes
 * @format: fourcc, one of pattern_formats
 * @width: pixels
 * @height: lines in memory
 * @field: which lines of the picture these are
 * @planes: first line of each plane
 * @strides: bytes from line to line of each
 * @brightness: -255 to 255, added to each colour's red, green and blue
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
