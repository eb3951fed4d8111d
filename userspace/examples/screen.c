// SPDX-License-Identifier: MIT
/* See screen.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "labels.h"
#include "screen.h"

#define COLOUR_BACK 0x10161e
#define COLOUR_TEXT 0xd0d8e0
#define COLOUR_CAMERA 0xffc840
#define COLOUR_GPU 0x40d0ff
#define COLOUR_DISPLAY 0x70e080

const struct gpu_layout screen_panels = {
	.width = PANEL_WIDTH,
	.height = PANEL_HEIGHT,
	.copied = PANEL_WIDTH,
	.stride = SCREEN_WIDTH,
	.copy_at = PANEL_TOP * SCREEN_WIDTH + LEFT_PANEL,
	.edges_at = PANEL_TOP * SCREEN_WIDTH + RIGHT_PANEL,
};

static void write_label(const struct canvas *canvas, uint32_t left, uint32_t top, uint32_t scale,
			uint32_t colour, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

static void write_label(const struct canvas *canvas, uint32_t left, uint32_t top, uint32_t scale,
			uint32_t colour, const char *format, ...)
{
	char text[96];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	canvas_write(canvas, left, top, scale, colour, text);
}

void screen_draw_labels(uint32_t *pixels, const char *gpu, const char *display, uint64_t capture,
			uint64_t picture)
{
	const struct canvas *canvas = &(struct canvas) {
		.pixels = pixels,
		.width = SCREEN_WIDTH,
		.height = SCREEN_HEIGHT,
	};
	const uint32_t below = PANEL_TOP + PANEL_HEIGHT + 14;

	canvas_fill(canvas, COLOUR_BACK);
	canvas_frame(canvas, 4, 4, SCREEN_WIDTH - 8, SCREEN_HEIGHT - 8, 4, COLOUR_DISPLAY);
	write_label(canvas, LEFT_PANEL, 20, 3, 0xffffff,
		    "Sluice: dma-bufs and fences from camera to screen");

	canvas_frame(canvas, LEFT_PANEL, PANEL_TOP, PANEL_WIDTH, PANEL_HEIGHT, 3, COLOUR_CAMERA);
	write_label(canvas, LEFT_PANEL, 62, 3, COLOUR_CAMERA, "1 captured by soft0");
	write_label(canvas, LEFT_PANEL, below, 2, COLOUR_TEXT, "soft0 writes and %s reads", gpu);
	write_label(canvas, LEFT_PANEL, below + 20, 2, COLOUR_CAMERA,
		    "the same memory: dma-buf inode %" PRIu64, capture);

	canvas_frame(canvas, RIGHT_PANEL, PANEL_TOP, PANEL_WIDTH, PANEL_HEIGHT, 3, COLOUR_GPU);
	write_label(canvas, RIGHT_PANEL, 62, 3, COLOUR_GPU, "2 computed by %s", gpu);
	write_label(canvas, RIGHT_PANEL, below, 2, COLOUR_TEXT, "%s writes and %s reads", gpu,
		    display);
	write_label(canvas, RIGHT_PANEL, below + 20, 2, COLOUR_GPU,
		    "the same memory: dma-buf inode %" PRIu64, picture);

	write_label(canvas, LEFT_PANEL, below + 54, 3, COLOUR_DISPLAY,
		    "3 shown by %s: this whole screen", display);
	write_label(canvas, LEFT_PANEL, below + 86, 2, COLOUR_TEXT,
		    "Each stage waits for the fence before it. Labels: written by the CPU, once.");
}

static uint32_t pixel_at(const uint32_t *pixels, uint32_t panel, uint32_t x, uint32_t y)
{
	return pixels[(size_t)(PANEL_TOP + y) * SCREEN_WIDTH + panel + x] & 0xffffff;
}

bool screen_frame_number(const uint32_t *pixels, uint32_t *number)
{
	/* the middle of the fields, whose size is 1/32 of the panel in both directions */
	const uint32_t y = PANEL_HEIGHT / 64;
	unsigned int i;

	*number = 0;
	for (i = 0; i < 32; i++) {
		uint32_t colour = pixel_at(pixels, LEFT_PANEL, (2 * i + 1) * PANEL_WIDTH / 64, y);

		if (colour && colour != 0xffffff)
			return false;
		*number = *number << 1 | !!colour;
	}
	return true;
}

/* The edge at a pixel of the left panel, computed like in edges.comp. */
static uint32_t edge_at(const uint32_t *pixels, uint32_t x, uint32_t y)
{
	uint32_t left = x ? x - 1 : 0, right = x + 1 < PANEL_WIDTH ? x + 1 : x;
	uint32_t up = y ? y - 1 : 0, down = y + 1 < PANEL_HEIGHT ? y + 1 : y;
	const uint32_t columns[3] = { left, x, right }, lines[3] = { up, y, down };
	static const int weights[3] = { 1, 2, 1 };
	uint32_t edge = 0;
	int shift, i;

	for (shift = 16; shift >= 0; shift -= 8) {
		int gx = 0, gy = 0, length;

		for (i = 0; i < 3; i++) {
			gx += weights[i] * (
				(int)(pixel_at(pixels, LEFT_PANEL, right, lines[i]) >> shift & 255) -
				(int)(pixel_at(pixels, LEFT_PANEL, left, lines[i]) >> shift & 255));
			gy += weights[i] * (
				(int)(pixel_at(pixels, LEFT_PANEL, columns[i], down) >> shift & 255) -
				(int)(pixel_at(pixels, LEFT_PANEL, columns[i], up) >> shift & 255));
		}
		length = abs(gx) + abs(gy);
		edge |= (uint32_t)(length > 255 ? 255 : length) << shift;
	}
	return edge;
}

bool screen_edges_match(const uint32_t *pixels)
{
	uint32_t x, y;

	for (y = 0; y < PANEL_HEIGHT; y++)
		for (x = 0; x < PANEL_WIDTH; x++)
			if (pixel_at(pixels, RIGHT_PANEL, x, y) != edge_at(pixels, x, y))
				return false;
	return true;
}
