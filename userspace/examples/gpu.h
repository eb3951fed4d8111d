/* SPDX-License-Identifier: MIT */
/*
 * A GPU that computes on dma-bufs, through Vulkan: the part of an application
 * that knows nothing of where the buffers come from.
 *
 * The compute shader (edges.comp) reads an XRGB8888 image from one buffer and
 * writes it to another: the left half as it is, the right half as its edges.
 * Waiting and signalling are by sync_file, which Vulkan knows as semaphores of
 * the handle type SYNC_FD.
 *
 * All functions return 0 or a negative errno, and say on stderr what Vulkan
 * refused.
 */
#ifndef GPU_H
#define GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gpu;
struct gpu_buffer;

/**
 * gpu_create - find a device that imports dma-bufs
 * @gpu: set to the device; undo with gpu_destroy()
 *
 * -ENODEV if no Vulkan device can.
 */
int gpu_create(struct gpu **gpu);
void gpu_destroy(struct gpu *gpu);

/** gpu_name - the driver's name, and the device's */
const char *gpu_name(const struct gpu *gpu);

/**
 * gpu_knows_fences - does the driver take and give sync_files?
 *
 * If not, gpu_run() waits for both ends of the work itself.
 */
bool gpu_knows_fences(const struct gpu *gpu);

/**
 * gpu_import - make a dma-buf a storage buffer of the GPU
 * @dmabuf: not consumed
 * @size: bytes
 * @buffer: set; undo with gpu_release()
 */
int gpu_import(struct gpu *gpu, int dmabuf, size_t size, struct gpu_buffer **buffer);
void gpu_release(struct gpu *gpu, struct gpu_buffer *buffer);

/**
 * gpu_run - compute, after a fence and with a fence
 * @dst: written, @height lines of @width XRGB8888 pixels without padding
 * @src: read, likewise
 * @in_fence: sync_file that the GPU waits for; not consumed; -1 for none
 * @out_fence: set to a sync_file that signals when the GPU is done; -1 if the
 *	driver says so that it already is
 *
 * Does not wait for the GPU, unless the driver does: one that cannot make a
 * pending sync_file (Mesa's lavapipe) finishes the work in here, the wait for
 * @in_fence included.  A sync_file carries no error into Vulkan: the GPU also
 * computes when what it waited for has failed.
 */
int gpu_run(struct gpu *gpu, struct gpu_buffer *dst, struct gpu_buffer *src, uint32_t width,
	    uint32_t height, int in_fence, int *out_fence);

/** gpu_idle - wait until the GPU has nothing to do */
int gpu_idle(struct gpu *gpu);

#endif /* GPU_H */
