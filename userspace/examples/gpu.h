/* SPDX-License-Identifier: MIT */
/*
 * A GPU that computes on dma-bufs, through Vulkan.  This part of an application does not know
 * where the buffers come from.
 *
 * The compute shader (edges.comp) reads an XRGB8888 image from one buffer, and writes two
 * images to another buffer: a copy of the image, and its edges.  Fences are sync_files.  In
 * Vulkan these are semaphores of the handle type SYNC_FD.
 *
 * The functions that return an int return 0 or a negative errno.  If Vulkan refuses a call, a
 * message is on stderr.
 */
#ifndef GPU_H
#define GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gpu;
struct gpu_buffer;

/**
 * gpu_create - find and open a device that imports dma-bufs
 * @gpu: set to the device, which gpu_destroy() releases
 *
 * Returns -ENODEV if no Vulkan device imports dma-bufs.
 */
int gpu_create(struct gpu **gpu);
void gpu_destroy(struct gpu *gpu);

/** gpu_name - name of the driver and name of the device, with a comma between them */
const char *gpu_name(const struct gpu *gpu);

/**
 * gpu_knows_fences - does the driver import and export sync_files?
 *
 * If not, gpu_run() waits for the in-fence before it submits the work, and for the end of the
 * work.
 */
bool gpu_knows_fences(const struct gpu *gpu);

/**
 * gpu_import - import a dma-buf as a storage buffer of the GPU
 * @dmabuf: the dma-buf; the fd stays open
 * @size: bytes of the storage buffer; the dma-buf may be larger
 * @buffer: set to the storage buffer, which gpu_release() releases
 */
int gpu_import(struct gpu *gpu, int dmabuf, size_t size, struct gpu_buffer **buffer);
void gpu_release(struct gpu *gpu, struct gpu_buffer *buffer);

/**
 * struct gpu_layout - the two images that the shader computes, and their places in the result
 * @width: pixels of a line of the source, which has no padding
 * @height: lines of the source
 * @copied: number of columns to copy, counted from the left
 * @edges: first column whose edges are computed; the columns after it follow
 * @stride: words from the start of a line of the result to the start of the next
 * @copy_at: index of the word of the result for the copy of the source's first pixel
 * @edges_at: index of the word of the result for the edge of the source's first pixel, even if
 *	@edges is not 0 and this edge is not computed
 *
 * Words of the result that belong to neither image do not change.  The shader has the same
 * struct.
 */
struct gpu_layout {
	uint32_t width, height;
	uint32_t copied, edges;
	uint32_t stride, copy_at, edges_at;
};

/** gpu_halves - a result of the source's size: left half copied, edges of the right half */
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
 * gpu_run - compute, with an in-fence and an out-fence
 * @dst: the result; @layout says which words are written
 * @src: the source: @layout->height lines of @layout->width XRGB8888 pixels
 * @layout: the images to compute; -EINVAL if @dst or @src is too small for it
 * @in_fence: sync_file that the GPU waits for; the fd stays open; -1 for none
 * @out_fence: set to a sync_file that signals when the GPU has ended its work, or to -1 if the
 *	driver reports that the work has already ended
 *
 * Usually the call does not wait for the GPU.  But a driver that cannot create a pending
 * sync_file, such as Mesa's lavapipe, waits in this call for @in_fence and for the end of the
 * work.
 *
 * Vulkan does not pass on errors of a sync_file: the GPU also computes if @in_fence has failed.
 */
int gpu_run(struct gpu *gpu, struct gpu_buffer *dst, struct gpu_buffer *src,
	    const struct gpu_layout *layout, int in_fence, int *out_fence);

/** gpu_idle - wait until the GPU has ended all its work */
int gpu_idle(struct gpu *gpu);

#endif /* GPU_H */
