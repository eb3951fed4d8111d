/* SPDX-License-Identifier: MIT */
/*
 * What the pipeline shows: two panels side by side, a capture and its edges, and
 * labels around them.
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

/* what the camera captures: a panel of the screen */
#define PANEL_WIDTH 488U
#define PANEL_HEIGHT 540U
#define PANEL_STRIDE (PANEL_WIDTH * 4)
#define PANEL_BYTES ((size_t)PANEL_STRIDE * PANEL_HEIGHT)
#define PANEL_TOP 96U
#define LEFT_PANEL 16U
#define RIGHT_PANEL (SCREEN_WIDTH - LEFT_PANEL - PANEL_WIDTH)

/** screen_panels - where the GPU puts both panels in a picture of the screen's size */
extern const struct gpu_layout screen_panels;

/**
 * screen_draw_labels - all of a picture except the panels
 * @pixels: the picture, SCREEN_BYTES
 * @gpu: name of the GPU's driver
 * @display: name of the display's driver
 * @capture: inode of the dma-buf that the left panel is captured into
 * @picture: inode of the dma-buf of this picture
 */
void screen_draw_labels(uint32_t *pixels, const char *gpu, const char *display, uint64_t capture,
			uint64_t picture);

/**
 * screen_frame_number - the number of the frame that the left panel shows
 * @pixels: a picture, SCREEN_BYTES
 * @number: set to what the 32 fields at the panel's top say
 *
 * Returns false if a field is neither black nor white.
 */
bool screen_frame_number(const uint32_t *pixels, uint32_t *number);

/**
 * screen_edges_match - has the right panel the edges of the left one?
 * @pixels: a picture, SCREEN_BYTES
 *
 * The CPU computes the edges again: each pixel must be the same, to the last bit.
 */
bool screen_edges_match(const uint32_t *pixels);

#endif /* SCREEN_H */
