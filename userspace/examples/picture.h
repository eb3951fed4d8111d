/* SPDX-License-Identifier: MIT */
/* A consumer for examples: what a device has written becomes a picture, by way of a GPU. */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdint.h>

struct picture;

/**
 * picture_prepare - all that takes time: find a GPU, and import the buffer
 * @device: a Sluice device, for the memory of the result
 * @dmabuf: an XRGB8888 image without padding; not consumed
 * @width: pixels
 * @height: lines
 *
 * Returns NULL, and says on stderr what went wrong; else picture_end() must follow.
 */
struct picture *picture_prepare(int device, int dmabuf, uint32_t width, uint32_t height);

/**
 * picture_compute - have the GPU compute on the image, and save the result
 * @fence: sync_file that the GPU waits for
 * @path: of a PPM file: the left half as the image is, the right half its edges
 *
 * Prints whether the fence was pending when the GPU got it.  Returns 0 or a negative
 * errno, and says on stderr what went wrong.
 */
int picture_compute(struct picture *picture, int fence, const char *path);

void picture_end(struct picture *picture);

#endif /* PICTURE_H */
