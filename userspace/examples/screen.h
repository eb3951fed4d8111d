/* SPDX-License-Identifier: MIT */
/*
 * The screen of the pipeline: two panels side by side, and labels around them.  The left
 * panel is a capture, the right panel has the edges of the capture.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gpu.h"

#define SCREEN_WIDTH 1024U
#define SCREEN_HEIGHT 768U
#define SCREEN_STRIDE (SCREEN_WIDTH * 4)
#define SCREEN_BYTES ((size_t)SCREEN_STRIDE * SCREEN_HEIGHT)

/* size of a capture, and therefore of a panel; places of the panels on the screen */
#define PANEL_WIDTH 488U
#define PANEL_HEIGHT 540U
#define PANEL_STRIDE (PANEL_WIDTH * 4)
#define PANEL_BYTES ((size_t)PANEL_STRIDE * PANEL_HEIGHT)
#define PANEL_TOP 96U
#define LEFT_PANEL 16U
#define RIGHT_PANEL (SCREEN_WIDTH - LEFT_PANEL - PANEL_WIDTH)

/** screen_panels - the places at which the GPU writes both panels into a picture */
extern const struct gpu_layout screen_panels;

/**
 * screen_draw_labels - draw all of a picture except the panels
 * @pixels: the picture, SCREEN_BYTES bytes
 * @gpu: name of the GPU's driver
 * @display: name of the display's driver
 * @capture: inode of the dma-buf of the capture
 * @picture: inode of the dma-buf of this picture
 */
void screen_draw_labels(uint32_t *pixels, const char *gpu, const char *display, uint64_t capture,
			uint64_t picture);

/**
 * screen_frame_number - read the number of the frame that the left panel shows
 * @pixels: a picture, SCREEN_BYTES bytes
 * @number: set to the number in the 32 fields at the top of the panel
 *
 * Returns false if a field is neither black nor white.
 */
bool screen_frame_number(const uint32_t *pixels, uint32_t *number);

/**
 * screen_edges_match - check that the right panel has the edges of the left panel
 * @pixels: a picture, SCREEN_BYTES bytes
 *
 * The CPU computes the edges again.  Returns true if each pixel is the same in all bits.
 */
bool screen_edges_match(const uint32_t *pixels);

#endif /* SCREEN_H */
