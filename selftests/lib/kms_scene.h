/* SPDX-License-Identifier: MIT */
/*
 * For the tests with displays: soft0 with a queue and a frame, and a screen that shows the frame.
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
 * @memory: device that allocates the frame
 * @frame: dma-buf, in a slot of the queue
 * @stride: bytes of a line of the frame
 * @size: bytes of the frame
 * @fb: framebuffer to show: of the dma-buf, or of the display's own memory
 * @opened: 0, or the reason why there is no display
 * @import: result of the import
 * @fence: fence of the last job
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
 * kms_scene_open - make everything except a picture
 * @driver: driver of the display
 * @memory: device that allocates the frame; soft0 if it does not exist
 */
void kms_scene_open(struct scene *scene, const char *driver, uint32_t width, uint32_t height,
		    const char *memory, const char *heap);

/** kms_scene_close - close everything; returns whether the kernel has freed it, too */
bool kms_scene_close(struct scene *scene);

/** capture - submit the next frame of soft0's camera; scene->fence is its fence */
int capture(struct scene *scene);

/**
 * check_screen - does a screenshot of the guest show the frame?
 * @name: file for the picture, which the runner of the tests writes
 *
 * Returns 0, -EILSEQ, or -EOPNOTSUPP if the runner takes no screenshots.
 */
int check_screen(const struct scene *scene, const char *name);

#endif /* KMS_SCENE_H */
