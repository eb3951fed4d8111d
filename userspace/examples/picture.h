/* SPDX-License-Identifier: MIT */
/* A consumer for examples: a GPU makes a picture of an image that a device has written. */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdint.h>

struct picture;

/**
 * picture_prepare - find a GPU, and import the buffer; this takes time
 * @device: fd of a Sluice device, whose memory is used for the result
 * @dmabuf: an XRGB8888 image without padding; stays open
 * @width: pixels
 * @height: lines
 *
 * Returns a picture, which picture_end() releases.  After an error it returns NULL, and a
 * message is on stderr.
 */
struct picture *picture_prepare(int device, int dmabuf, uint32_t width, uint32_t height);

/**
 * picture_compute - let the GPU compute on the image, and save the result
 * @fence: sync_file that the GPU waits for
 * @path: path of a PPM file.  Its left half is the image, its right half has the image's edges
 *
 * Prints whether the fence was pending when the GPU got it.  Returns 0, or a negative errno
 * with a message on stderr.
 */
int picture_compute(struct picture *picture, int fence, const char *path);

/** picture_end - release the GPU, its buffers, and the memory of the result */
void picture_end(struct picture *picture);

#endif /* PICTURE_H */
