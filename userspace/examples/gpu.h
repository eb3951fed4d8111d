/* SPDX-License-Identifier: MIT */
/*
 * A GPU that computes on dma-bufs, through Vulkan: the part of an application
 * that knows nothing of where the buffers come from.
 *
 * The compute shader (edges.comp) reads an XRGB8888 image from one buffer and
 * writes two to another: a copy of the image, and its edges.
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
 * struct gpu_layout - what the shader computes, and where it goes
 * @width: of the source, which has no padding; pixels
 * @height: of the source, lines
 * @copied: how many columns are copied, from the left
 * @edges: the first column whose edges are computed
 * @stride: words from line to line of the result
 * @copy_at: word of the result where the copy of the source's first pixel goes
 * @edges_at: word of the result where the edge of the source's first pixel goes,
 *	even if @edges leaves that out
 *
 * Words of the result that are in neither stay as they are.  The shader has the
 * same struct.
 */
struct gpu_layout {
	uint32_t width, height;
	uint32_t copied, edges;
	uint32_t stride, copy_at, edges_at;
};

/** gpu_halves - a result of the source's size: its left half, and the edges of the right one */
static inline struct gpu_layout gpu_halves(uint32_t width, uint32_t height)
{
	return (struct gpu_layout) {
		.width = width,
		.height = height,
		.copied = width / 2,
		.edges = width / 2,
		.stride = width,
	};
}

/**
 * gpu_run - compute, after a fence and with a fence
 * @dst: written, as @layout says
 * @src: read: @layout->height lines of @layout->width XRGB8888 pixels
 * @layout: what to compute; -EINVAL if @dst or @src is too small for it
 * @in_fence: sync_file that the GPU waits for; not consumed; -1 for none
 * @out_fence: set to a sync_file that signals when the GPU is done; -1 if the
 *	driver reports that the GPU is already done
 *
 * Does not wait for the GPU, unless the driver does: one that cannot make a
 * pending sync_file (Mesa's lavapipe) finishes the work in here, the wait for
 * @in_fence included.  A sync_file carries no error into Vulkan: the GPU also
 * computes when what it waited for has failed.
 */
int gpu_run(struct gpu *gpu, struct gpu_buffer *dst, struct gpu_buffer *src,
	    const struct gpu_layout *layout, int in_fence, int *out_fence);

/** gpu_idle - wait until the GPU has nothing to do */
int gpu_idle(struct gpu *gpu);

#endif /* GPU_H */
