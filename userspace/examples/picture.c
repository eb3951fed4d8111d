// SPDX-License-Identifier: MIT
/* See picture.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu.h"
#include "picture.h"
#include "sluice.h"

/* more than the time that a job may wait (30 s) and run (30 s) */
#define PATIENCE_MS 65000

struct picture {
	struct gpu *gpu;
	struct gpu_buffer *src, *dst;
	uint32_t width, height;
	int result;		/* the dma-buf of dst */
};

static int failed(int ret, const char *what)
{
	if (ret < 0)
		fprintf(stderr, "cannot %s: %s\n", what, strerror(-ret));
	return ret;
}

static size_t picture_size(const struct picture *picture)
{
	return 4UL * picture->width * picture->height;
}

struct picture *picture_prepare(int device, int dmabuf, uint32_t width, uint32_t height)
{
	struct picture *picture = calloc(1, sizeof(*picture));

	if (!picture)
		return NULL;
	picture->width = width;
	picture->height = height;
	picture->result = sluice_alloc(device, 0, picture_size(picture), 0);
	if (failed(picture->result, "allocate memory for the result") >= 0 &&
	    !failed(gpu_create(&picture->gpu), "find a GPU that imports dma-bufs") &&
	    !failed(gpu_import(picture->gpu, dmabuf, picture_size(picture), &picture->src),
		    "import the device's buffer") &&
	    !failed(gpu_import(picture->gpu, picture->result, picture_size(picture), &picture->dst),
		    "import the result's buffer")) {
		printf("GPU         %s\n", gpu_name(picture->gpu));
		return picture;
	}
	picture_end(picture);
	return NULL;
}

void picture_end(struct picture *picture)
{
	if (picture->dst)
		gpu_release(picture->gpu, picture->dst);
	if (picture->src)
		gpu_release(picture->gpu, picture->src);
	if (picture->gpu)
		gpu_destroy(picture->gpu);
	if (picture->result >= 0)
		close(picture->result);
	free(picture);
}

static int write_ppm(const struct picture *picture, const uint32_t *pixels, const char *path)
{
	FILE *file = fopen(path, "wb");
	size_t i;
	int ret;

	if (!file)
		return -errno;
	fprintf(file, "P6\n%u %u\n255\n", picture->width, picture->height);
	for (i = 0; i < picture_size(picture) / 4; i++) {
		putc(pixels[i] >> 16 & 0xff, file);
		putc(pixels[i] >> 8 & 0xff, file);
		putc(pixels[i] & 0xff, file);
	}
	ret = ferror(file) ? -EIO : 0;
	return fclose(file) ? -EIO : ret;
}

static int save(const struct picture *picture, const char *path)
{
	void *memory;
	int ret = sluice_map(picture->result, picture_size(picture), &memory);

	if (ret)
		return ret;
	ret = sluice_cpu_begin(picture->result, false);
	if (!ret) {
		ret = write_ppm(picture, memory, path);
		sluice_cpu_end(picture->result, false);
	}
	munmap(memory, picture_size(picture));
	return ret;
}

int picture_compute(struct picture *picture, int fence, const char *path)
{
	struct gpu_layout layout = gpu_halves(picture->width, picture->height);
	int ret, done = -1;

	printf("fence       %s when the GPU got it\n",
	       sluice_fence_wait(fence, 0) == -ETIME ? "pending" : "signalled");
	ret = gpu_run(picture->gpu, picture->dst, picture->src, &layout, fence, &done);
	if (!ret && done >= 0)
		ret = sluice_fence_wait(done, PATIENCE_MS);
	if (done >= 0)
		close(done);
	gpu_idle(picture->gpu);
	if (failed(ret, "compute") < 0)
		return ret;
	/* Vulkan does not pass errors of fences on: if the job failed, the result is worthless */
	ret = failed(sluice_fence_wait(fence, PATIENCE_MS), "get the picture: the job failed");
	if (!ret)
		ret = failed(save(picture, path), "save the picture");
	if (!ret)
		printf("picture     %s\n", path);
	return ret;
}
