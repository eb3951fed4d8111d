/* SPDX-License-Identifier: MIT */
/* Text and frames that the CPU draws into an XRGB8888 picture. */
#ifndef LABELS_H
#define LABELS_H

#include <stdint.h>

/** struct canvas - a picture without padding; parts outside the picture are not drawn */
struct canvas {
	uint32_t *pixels;
	uint32_t width, height;
};

/** canvas_fill - fill the whole picture with a colour, 0xRRGGBB */
void canvas_fill(const struct canvas *canvas, uint32_t colour);

/** canvas_frame - draw a frame of @thickness pixels around a rectangle, outside the rectangle */
void canvas_frame(const struct canvas *canvas, uint32_t left, uint32_t top, uint32_t width,
		  uint32_t height, uint32_t thickness, uint32_t colour);

/**
 * canvas_write - draw one line of text
 * @scale: a letter is 5 * @scale pixels wide and 7 * @scale high; some are 2 * @scale lower
 * @text: letters, digits and some punctuation; any other character is drawn as a gap
 */
void canvas_write(const struct canvas *canvas, uint32_t left, uint32_t top, uint32_t scale,
		  uint32_t colour, const char *text);

#endif /* LABELS_H */
