// SPDX-License-Identifier: MIT
/* See screen.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

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
