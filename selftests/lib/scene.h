/* SPDX-License-Identifier: MIT */
/* The scene that soft's camera captures, pixel by pixel, as a test expects it. */
#ifndef SCENE_H
#define SCENE_H

#include <stdint.h>

/** struct scene - a frame of the camera */
struct scene {
	uint32_t width, height;
	uint64_t sequence;	/* of the completion */
	uint64_t time_ns;	/* the timestamp of the completion */
};

/** scene_pixel - the XRGB8888 pixel in column @x of line @y */
uint32_t scene_pixel(const struct scene *scene, int64_t x, int64_t y);

#endif /* SCENE_H */
