// SPDX-License-Identifier: MIT
/* Features of the kernel that Sluice works with: sync_file, dma-heaps, udmabuf, DRM, P2PDMA, io_uring. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/dma-heap.h>
#include <linux/io_uring.h>
#include <linux/udmabuf.h>

#include "doctor.h"

static void examine_sync_file(const struct patients *patients)
{
	int has = patients->count ? !!(patients->all[0].info.caps & SLUICE_CAP_SYNC_FILE) :
				    has_symbol("sync_file_create");

	if (has > 0)
		report("sync-file", NULL, "The kernel has sync_file: fences have file "
		       "descriptors.");
	else if (!has)
		report("sync-file-missing", NULL, "The kernel has no sync_file, so fences have no "
		       "file descriptors: wait for jobs with read() or poll() of the queue, or use "
		       "a kernel with CONFIG_SYNC_FILE, which Debian's cloud flavour is not.");
}

/* Allocate from a dma-heap and release the buffer; returns 0 or a negative errno. */
static int try_dma_heap(const char *path)
{
	struct dma_heap_allocation_data args = {
		.len = sysconf(_SC_PAGESIZE), .fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (heap < 0)
		return -errno;
	ret = ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &args) ? -errno : 0;
	if (!ret)
		close(args.fd);
	close(heap);
	return ret;
}

static void examine_dma_heaps(void)
{
	DIR *dir = opendir("/dev/dma_heap");
	char path[300];
	struct dirent *entry;
	unsigned int count = 0;

	while (dir && (entry = readdir(dir))) {
		int ret;

		if (entry->d_name[0] == '.')
			continue;
		count++;
		snprintf(path, sizeof(path), "/dev/dma_heap/%s", entry->d_name);
		ret = try_dma_heap(path);
		if (!ret) {
			report("dma-heap", entry->d_name, "This dma-heap gives buffers.");
		} else if (ret == -EACCES || ret == -EPERM) {
			report_permission("dma-heap-permission", entry->d_name, path, -ret);
		} else {
			report("dma-heap-fails", entry->d_name, "This dma-heap gives no buffer "
			       "(%s): use another heap, or a heap of a Sluice device.",
			       strerror(-ret));
		}
	}
	if (dir)
		closedir(dir);
	if (!count)
		report("dma-heap-missing", NULL, "/dev/dma_heap has no heap: allocate from the "
		       "heaps of a Sluice device, or use a kernel with "
		       "CONFIG_DMABUF_HEAPS_SYSTEM.");
}

/* Make a dma-buf of a page of a memfd; returns 0 or a negative errno. */
static int try_udmabuf(int device)
{
	struct udmabuf_create args = {
		.flags = UDMABUF_FLAGS_CLOEXEC, .size = sysconf(_SC_PAGESIZE),
	};
	int fd, ret = 0;

	args.memfd = memfd_create("sluice", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if ((int)args.memfd < 0)
		return -errno;
	if (ftruncate(args.memfd, args.size) || fcntl(args.memfd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		ret = -errno;
	} else {
		fd = ioctl(device, UDMABUF_CREATE, &args);
		if (fd < 0)
			ret = -errno;
		else
			close(fd);
	}
	close(args.memfd);
	return ret;
}

static void examine_udmabuf(void)
{
	static const char path[] = "/dev/udmabuf";
	int device = open(path, O_RDWR | O_CLOEXEC), ret = device < 0 ? -errno : 0;

	if (ret == -EACCES || ret == -EPERM) {
		report_permission("udmabuf-permission", NULL, path, -ret);
		return;
	}
	if (ret) {
		report("udmabuf-missing", NULL, "The kernel has no udmabuf, or it is not loaded: "
		       "run 'modprobe udmabuf' as root, or let a Sluice device use memory of your "
		       "program (WRAP).");
		return;
	}
	ret = try_udmabuf(device);
	if (ret)
		report("udmabuf-fails", NULL, "udmabuf makes no buffer of a memfd (%s): see the "
		       "module parameters of udmabuf.", strerror(-ret));
	else
		report("udmabuf", NULL, "udmabuf makes buffers of memory of a program.");
	close(device);
}

static void examine_graphics(void)
{
	if (!access("/sys/class/drm", F_OK) || count_entries("/dev/dri") > 0)
		report("drm", NULL, "The kernel has DRM.");
	else
		report("drm-missing", NULL, "The kernel has no DRM, or no DRM driver is loaded: to "
		       "share buffers with a GPU or a display load its driver; Debian's cloud "
		       "flavour has none.");
}

static void examine_p2pdma(void)
{
	int has = has_symbol("pci_p2pdma_add_resource");

	if (has > 0)
		report("p2pdma", NULL, "The kernel has P2PDMA: PCI devices can reach memory of "
		       "another device.");
	else if (!has)
		report("p2pdma-missing", NULL, "The kernel has no P2PDMA, so memory in a BAR is "
		       "shared less widely: use a kernel with CONFIG_PCI_P2PDMA if PCI devices "
		       "shall reach each other.");
}

static void examine_io_uring(void)
{
	struct io_uring_params params = {};
	int ring = syscall(__NR_io_uring_setup, 1, &params), error = ring < 0 ? errno : 0;
	uint64_t disabled = 0;

	if (ring >= 0)
		close(ring);
	if (!error) {
		report("io-uring", NULL, "The kernel has io_uring: jobs can be submitted through "
		       "it.");
	} else if (error == ENOSYS) {
		report("io-uring-missing", NULL, "The kernel has no io_uring: submit jobs with "
		       "SUBMIT, or use a kernel with CONFIG_IO_URING.");
	} else if (read_number("/proc/sys/kernel/io_uring_disabled", &disabled) && disabled) {
		report("io-uring-disabled", NULL, "kernel.io_uring_disabled=%u forbids io_uring: "
		       "submit jobs with SUBMIT, or let root run 'sysctl "
		       "kernel.io_uring_disabled=0'.", (unsigned int)disabled);
	} else {
		report("io-uring-refused", NULL, "io_uring makes no ring (%s): submit jobs with "
		       "SUBMIT, or allow io_uring in the seccomp filter of the container.",
		       strerror(error));
	}
}

void examine_kernel(const struct patients *patients)
{
	examine_sync_file(patients);
	examine_dma_heaps();
	examine_udmabuf();
	examine_graphics();
	examine_p2pdma();
	examine_io_uring();
}
