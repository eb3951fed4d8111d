// SPDX-License-Identifier: MIT
/* Buffers: from a heap, or from memory of the tool.  An error names the limit that was met. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tool.h"

const char * const property_names[NUM_PROPERTIES] = {
	"cached", "coherent", "contiguous", "write-combined", "uncached",
	"page-backed", "device", "huge", "reserved",
};

void print_properties(uint32_t properties)
{
	unsigned int i;

	for (i = 0; i < NUM_PROPERTIES; i++)
		if (properties & 1U << i)
			printf(" %s", property_names[i]);
}

static int open_heap(int device, const char *name)
{
	int heap = sluice_find_heap(device, name);

	if (heap == -ENOENT)
		die("the device has no heap '%s': 'sluicectl info' lists its heaps", name);
	check(heap, "ask the device for its heaps");
	return heap;
}

/* Memory of the tool, which the device uses in place: no heap allocates it. */
static int wrap_memory(int device, uint64_t size, uint32_t *hint)
{
	int memfd = memfd_create("sluice", MFD_CLOEXEC | MFD_ALLOW_SEALING), fd;
	uint64_t page = sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
	struct sluice_wrap args = { .memfd = memfd, .size = whole };

	if (memfd < 0)
		return -errno;
	/* if no file can have this size, no device can have it either */
	if (ftruncate(memfd, whole))
		return -EFBIG;
	check(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK) ? -errno : 0, "seal the memory");
	fd = ioctl(device, SLUICE_IOCTL_WRAP, &args) ? -errno : args.fd;
	*hint = args.hint;
	close(memfd);
	return fd;
}

static int heap_memory(int device, int heap, uint64_t size, uint32_t *hint)
{
	struct sluice_alloc args = { .size = size, .heap = heap };
	int fd = ioctl(device, SLUICE_IOCTL_ALLOC, &args) ? -errno : args.fd;

	*hint = args.hint;
	return fd;
}

/* No buffer of the heap can be so large.  @heap is negative for a memfd. */
static void __attribute__((noreturn)) die_of_heap_limit(int device, int heap, uint64_t size)
{
	struct sluice_heap_info info;

	if (heap < 0 || sluice_heap_info(device, heap, &info))
		die("%" PRIu64 " bytes are more than this heap can ever have: use a smaller "
		    "buffer; 'sluicectl info' shows the largest size", size);
	die("%" PRIu64 " bytes are more than this heap can ever have, which is %" PRIu64
	    " bytes: use a smaller buffer", size, (uint64_t)info.max_size);
}

/* Die with a message that says what to do about @hint.  Returns if there is no hint. */
static void die_of_hint(int device, int heap, uint32_t hint, int error, uint64_t size)
{
	struct sluice_info info;

	/* if the device was just removed, the limits are 0 */
	sluice_device_info(device, &info);
	switch (hint) {
	case SLUICE_HINT_LIMIT:
		if (error != -EDQUOT)
			die_of_heap_limit(device, heap, size);
		die("%" PRIu64 " more bytes would exceed what one open file of the node may hold, "
		    "%" PRIu64 " bytes: use a smaller buffer, or raise the module parameter "
		    "open_limit_mb", size, (uint64_t)info.open_limit);
	case SLUICE_HINT_USER_LIMIT:
		die("%" PRIu64 " more bytes would exceed what all open files of this user may "
		    "hold, %" PRIu64 " bytes, of which %" PRIu64 " are in use: use a smaller "
		    "buffer, or raise the module parameter user_limit_mb", size,
		    (uint64_t)info.user_limit, (uint64_t)info.user_bytes);
	case SLUICE_HINT_TOTAL_LIMIT:
		die("%" PRIu64 " more bytes would exceed what all open files of all users may "
		    "hold, %" PRIu64 " bytes, of which %" PRIu64 " are in use: use a smaller "
		    "buffer, or raise the module parameter total_limit_mb", size,
		    (uint64_t)info.total_limit, (uint64_t)info.total_bytes);
	case SLUICE_HINT_NO_CMA:
		die("no piece of memory has %" PRIu64 " bytes, and the kernel reserves no memory "
		    "for large buffers: use a smaller buffer, or boot with cma=SIZE (the kernel "
		    "needs CONFIG_DMA_CMA)", size);
	case SLUICE_HINT_FRAGMENTED:
		die("memory is free, but no piece of it has %" PRIu64 " bytes: use a smaller "
		    "buffer, use --heap pages, or boot with a larger cma=SIZE", size);
	case SLUICE_HINT_BOUNCED:
		die("the kernel would bounce this device's DMA (a confidential guest, or "
		    "swiotlb=force): use --heap contiguous");
	case SLUICE_HINT_DMA_MASK:
		if (error == -EADDRNOTAVAIL)
			die("the device cannot address the pages of the memfd, which the kernel "
			    "has chosen: use --heap pages or --heap contiguous");
		die("there is no memory of %" PRIu64 " bytes that the device can address with its "
		    "%u bits: use a smaller buffer, or --heap pages", size, info.dma_bits);
	}
}

int new_buffer(int device, const char *name, uint64_t size)
{
	bool wrapped = !strcmp(name, "memfd");
	int heap = wrapped ? -1 : open_heap(device, name);
	uint32_t hint = SLUICE_HINT_NONE;
	int fd = wrapped ? wrap_memory(device, size, &hint) :
			   heap_memory(device, heap, size, &hint);

	if (fd < 0)
		die_of_hint(device, heap, hint, fd, size);
	if (fd == -EFBIG)
		die_of_heap_limit(device, heap, size);
	if (fd == -ENOMEM)
		die("no memory of %" PRIu64 " bytes is free, or the memory cgroup is at its limit: "
		    "use a smaller buffer", size);
	check(fd, wrapped ? "wrap memory" : "allocate a buffer");
	return fd;
}

void *map_buffer(int dmabuf, uint64_t size)
{
	void *address;

	check(sluice_map(dmabuf, size, &address), "map the buffer");
	return address;
}
