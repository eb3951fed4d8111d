// SPDX-License-Identifier: MIT
/*
 * The nodes that the cases open: of Sluice, the kernel's system heap, udmabuf over a memfd, vgem as
 * importer and as a driver with fences, and the interrupt source (test module sluice-irqsource).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/drm_mode.h>

#include "bench.h"
#include "irqsource.h"

int xioctl(int fd, unsigned long request, void *argument)
{
	int ret = ioctl(fd, request, argument);

	return ret < 0 ? -errno : ret;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* A few ticks, and twice the time that an emulated machine needs to clear this size. */
int settle(size_t size)
{
	usleep(20000 + 2000 * (size >> 20));
	return 0;
}

static int open_once(int *fd, const char *path)
{
	if (*fd < 0)
		*fd = open(path, O_RDWR | O_CLOEXEC);
	return *fd < 0 ? -errno : *fd;
}

int soft_device(void)
{
	static int device = -1;

	if (device < 0)
		device = sluice_open("soft0");
	return device;
}

static int sluice_new(size_t size)
{
	return sluice_alloc(soft_device(), 0, size, 0);
}

const struct exporter sluice = { "sluice", sluice_new };

int heap_node(void)
{
	static int heap = -1;

	return open_once(&heap, "/dev/dma_heap/system");
}

int irqsource_node(void)
{
	static int node = -1;

	return open_once(&node, "/dev/sluice-irqsource");
}

int irqsource_device(void)
{
	static int device = -1;

	if (device < 0)
		device = sluice_open("irqsource0");
	return device;
}

int irqsource_fired(double *time)
{
	uint64_t fired;
	int ret = xioctl(irqsource_node(), IRQSOURCE_FIRED, &fired);

	*time = fired;
	return ret;
}

static int dma_heap_new(size_t size)
{
	struct dma_heap_allocation_data args = { .len = size, .fd_flags = O_RDWR | O_CLOEXEC };
	int ret = xioctl(heap_node(), DMA_HEAP_IOCTL_ALLOC, &args);

	return ret < 0 ? ret : (int)args.fd;
}

const struct exporter dma_heap = { "dma-heap", dma_heap_new };

int memfd_new(size_t size)
{
	int memfd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING), ret;

	if (memfd < 0)
		return -errno;
	if (!ftruncate(memfd, size) && fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK) >= 0)
		return memfd;
	ret = -errno;
	close(memfd);
	return ret;
}

int udmabuf_wrap(int memfd, size_t size)
{
	struct udmabuf_create args = {
		.memfd = memfd, .flags = UDMABUF_FLAGS_CLOEXEC, .size = size,
	};
	static int node = -1;
	int fd = open_once(&node, "/dev/udmabuf");

	return fd < 0 ? fd : xioctl(fd, UDMABUF_CREATE, &args);
}

static int udmabuf_new(size_t size)
{
	int memfd = memfd_new(size), ret;

	if (memfd < 0)
		return memfd;
	ret = udmabuf_wrap(memfd, size);
	close(memfd);
	return ret;
}

const struct exporter udmabuf = { "udmabuf", udmabuf_new };

/* vgem has one of several cards, whose numbers depend on the order of loading. */
int vgem_open(void)
{
	int card;

	for (card = 0; card < 16; card++) {
		char path[32], name[16] = "";
		struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%d", card);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!xioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, "vgem"))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

int vgem_import(int drm, int dmabuf, uint32_t *handle)
{
	struct drm_prime_handle args = { .fd = dmabuf };
	int ret = xioctl(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	*handle = args.handle;
	return ret;
}

int vgem_close(int drm, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return xioctl(drm, DRM_IOCTL_GEM_CLOSE, &args);
}

int vgem_export(int drm, uint32_t *handle)
{
	struct drm_mode_create_dumb create = { .width = 32, .height = 32, .bpp = 32 };
	struct drm_prime_handle args = { .flags = DRM_CLOEXEC | DRM_RDWR };
	int ret = xioctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, &create);

	if (ret)
		return ret;
	*handle = args.handle = create.handle;
	ret = xioctl(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);
	return ret ? ret : args.fd;
}
