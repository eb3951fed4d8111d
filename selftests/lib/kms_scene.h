/* SPDX-License-Identifier: MIT */
/*
 * What the tests with displays share: soft0 with a queue and a frame, and a
 * screen that is to show it.
 */
#ifndef KMS_SCENE_H
#define KMS_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kms.h"
#include "objects.h"

#define MS	1000000LL

/**
 * struct scene - soft0 with a queue and a frame, and a display
 * @memory: device that the frame is from
 * @frame: dma-buf, a slot of the queue
 * @stride: bytes of its line
 * @size: bytes
 * @fb: framebuffer to show: of the dma-buf, or of the display's own memory
 * @opened: 0, or why there is no display
 * @import: what the import returned
 * @fence: of the last job
 */
struct scene {
	struct objects before;
	int device, memory, queue, frame, slot;
	uint32_t stride;
	size_t size;
	struct kms display;
	uint32_t fb;
	int opened, import, fence;
};

/**
 * kms_scene_open - make everything but a picture
 * @driver: of the display
 * @memory: device that the frame is to be from; soft0 if it is not there
 */
void kms_scene_open(struct scene *scene, const char *driver, uint32_t width, uint32_t height,
		    const char *memory, const char *heap);

/** kms_scene_close - let go; returns whether the kernel has let go of everything, too */
bool kms_scene_close(struct scene *scene);

/** capture - submit the next frame of soft0's camera; scene->fence is its fence */
int capture(struct scene *scene);

/**
 * check_screen - does a picture of the screen, taken from outside, show the frame?
 * @name: file that the runner of the tests puts the picture into
 *
 * Returns 0, -EILSEQ, or -EOPNOTSUPP if no runner takes pictures.
 */
int check_screen(const struct scene *scene, const char *name);

#endif /* KMS_SCENE_H */
