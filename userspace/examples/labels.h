/* SPDX-License-Identifier: MIT */
/* Text and frames in an XRGB8888 picture, drawn by the CPU. */
#ifndef LABELS_H
#define LABELS_H

#include <stdint.h>

/** struct canvas - a picture without padding; what does not fit in it is left out */
struct canvas {
	uint32_t *pixels;
	uint32_t width, height;
};

void canvas_fill(const struct canvas *canvas, uint32_t colour);

/** canvas_frame - a frame of @thickness pixels around a rectangle, outside of it */
void canvas_frame(const struct canvas *canvas, uint32_t left, uint32_t top, uint32_t width,
		  uint32_t height, uint32_t thickness, uint32_t colour);

/**
 * canvas_write - one line of text
 * @scale: a letter is 5 * @scale pixels wide and 7 * @scale high; some hang 2 * @scale lower
 * @text: letters, digits and some punctuation; anything else leaves a gap
 */
void canvas_write(const struct canvas *canvas, uint32_t left, uint32_t top, uint32_t scale,
		  uint32_t colour, const char *text);

#endif /* LABELS_H */
