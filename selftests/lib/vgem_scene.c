// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm.h>
#include <drm_mode.h>
#include <drm/vgem_drm.h>
#include <xf86drm.h>

#include "card.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pages.h"
#include "vgem_scene.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Remember an fd for the end of the test; passes errors through. */
int keep(struct scene *scene, int fd)
{
	if (fd >= 0 && scene->num_fds < ARRAY_SIZE(scene->fds))
		scene->fds[scene->num_fds++] = fd;
	return fd;
}

/* Close a kept fd before the end. */
void drop(struct scene *scene, int fd)
{
	unsigned int i;

	for (i = 0; i < scene->num_fds; i++)
		if (scene->fds[i] == fd)
			scene->fds[i] = -1;
	close(fd);
}

void vgem_scene_open(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	scene->drm = keep(scene, card_open("vgem"));
	scene->before = objects_before();
	scene->device = keep(scene, sluice_open("soft0"));
	scene->queue = keep(scene, patient_queue(scene->device, 0));
}

bool vgem_scene_close(struct scene *scene)
{
	unsigned int i;

	knob("delay_us", 0);
	for (i = 0; i < scene->num_fds; i++)
		if (scene->fds[i] >= 0)
			close(scene->fds[i]);
	return objects_settle(&scene->before);
}

/* Allocate from a heap, or wrap the pages of a memfd. */
int new_buffer(struct scene *scene, const char *heap)
{
	if (!strcmp(heap, "memfd")) {
		int memfd = keep(scene, sealed_memfd(0, SIZE, F_SEAL_SHRINK));

		return keep(scene, sluice_wrap(scene->device, memfd, 0, SIZE));
	}
	return keep(scene, sluice_alloc(scene->device, sluice_find_heap(scene->device, heap),
					SIZE, 0));
}

/* PRIME */

int vgem_import(struct scene *scene, int dmabuf, uint32_t *handle)
{
	return drmPrimeFDToHandle(scene->drm, dmabuf, handle) ? -errno : 0;
}

int vgem_export(struct scene *scene, uint32_t handle)
{
	int fd;

	if (drmPrimeHandleToFD(scene->drm, handle, DRM_CLOEXEC | DRM_RDWR, &fd))
		return -errno;
	return keep(scene, fd);
}

int vgem_release(struct scene *scene, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return xioctl(scene->drm, DRM_IOCTL_GEM_CLOSE, &args);
}

/* Make a buffer of vgem, with SIZE bytes. */
int vgem_create(struct scene *scene, uint32_t *handle)
{
	struct drm_mode_create_dumb args = { .width = 128, .height = 128, .bpp = 32 };
	int ret = xioctl(scene->drm, DRM_IOCTL_MODE_CREATE_DUMB, &args);

	*handle = args.handle;
	return ret ? ret : args.size == SIZE ? 0 : -EINVAL;
}

uint32_t *vgem_map(struct scene *scene, uint32_t handle)
{
	struct drm_mode_map_dumb args = { .handle = handle };
	void *memory;

	if (xioctl(scene->drm, DRM_IOCTL_MODE_MAP_DUMB, &args))
		return NULL;
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, scene->drm, args.offset);
	return memory == MAP_FAILED ? NULL : memory;
}

/* Fences */

int vgem_fence(struct scene *scene, uint32_t handle, bool write, uint32_t *fence)
{
	struct drm_vgem_fence_attach args = {
		.handle = handle,
		.flags = write ? VGEM_FENCE_WRITE : 0,
	};
	int ret = xioctl(scene->drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &args);

	*fence = args.out_fence;
	return ret;
}

int vgem_signal(struct scene *scene, uint32_t fence)
{
	struct drm_vgem_fence_signal args = { .fence = fence };

	return xioctl(scene->drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &args);
}

/* Jobs */

int submit_copy(struct scene *scene, int dst, int src, int in_fence, int *out_fence,
		       uint64_t *point)
{
	struct sluice_op op;
	int ret;

	sluice_op_copy(&op, dst, 0, src, 0, SIZE);
	ret = sluice_submit(scene->queue, &op, 1, in_fence, out_fence, 0, point);
	if (!ret && out_fence)
		keep(scene, *out_fence);
	return ret;
}

int submit_fill(struct scene *scene, int dst, uint32_t value, int in_fence, int *out_fence,
		       uint64_t *point)
{
	struct sluice_op op;
	int ret;

	sluice_op_fill(&op, dst, 0, SIZE, value);
	ret = sluice_submit(scene->queue, &op, 1, in_fence, out_fence, 0, point);
	if (!ret && out_fence)
		keep(scene, *out_fence);
	return ret;
}

/* Is a dma-buf ready to be read (POLLIN) or to be written (POLLOUT)? */
bool is_ready(int dmabuf, short events, int timeout_ms)
{
	struct pollfd pollfd = { .fd = dmabuf, .events = events };

	return poll(&pollfd, 1, timeout_ms) == 1 && pollfd.revents == events;
}

/* How many fences of a driver does a sync_file contain? */
int count_fences(int fence, const char *driver)
{
	struct sync_fence_info infos[8] = {};
	struct sync_file_info info = {
		.num_fences = ARRAY_SIZE(infos),
		.sync_fence_info = (uintptr_t)infos,
	};
	unsigned int i;
	int ret, count = 0;

	ret = xioctl(fence, SYNC_IOC_FILE_INFO, &info);
	if (ret)
		return ret;
	for (i = 0; i < info.num_fences; i++)
		count += !strcmp(infos[i].driver_name, driver);
	return count;
}
