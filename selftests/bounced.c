// SPDX-License-Identifier: MIT
/*
 * The kernel bounces the DMA of all devices, as in a confidential guest.  Memory that needs no
 * bouncing works, and the rest is refused with a reason.  This test has a guest of its own
 * (swiotlb=force).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"
#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

FIXTURE(bounced) {
	struct objects before;
	struct sluice_info info;
	int device;
};

FIXTURE_VARIANT(bounced) {
	const char *device;
};

FIXTURE_VARIANT_ADD(bounced, soft) { .device = "soft0" };
FIXTURE_VARIANT_ADD(bounced, real) { .device = REAL_DEVICE };

FIXTURE_SETUP(bounced)
{
	self->before = objects_before();
	self->device = sluice_open(variant->device);
	if (self->device < 0)
		SKIP(return, "no such device");
	ASSERT_EQ(sluice_device_info(self->device, &self->info), 0);
	if (!(self->info.caps & SLUICE_CAP_BOUNCED))
		SKIP(return, "this kernel bounces no DMA");
}

FIXTURE_TEARDOWN(bounced)
{
	if (self->device >= 0)
		close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(bounced, contiguous_memory_works)
{
	int heap = sluice_find_heap(self->device, "contiguous"), buffer, queue;
	uint64_t size = 512 << 10;	/* more than swiotlb can bounce at once */
	struct sluice_op op;
	uint32_t hint, *words;

	buffer = alloc_hint(self->device, heap, size, &hint);
	ASSERT_GE(buffer, 0) TH_LOG("hint %u", hint);
	queue = patient_queue(self->device, 0);
	ASSERT_EQ(sluice_attach(queue, buffer, 0), 0);
	ASSERT_EQ(fill_words(buffer, 4096, 7), 0);
	sluice_op_copy(&op, 0, size - 4096, 0, 0, 4096);
	ASSERT_EQ(run_op(queue, &op), 0);
	ASSERT_EQ(sluice_map(buffer, size, (void **)&words), 0);
	ASSERT_EQ(sluice_cpu_begin(buffer, false), 0);
	EXPECT_EQ(memcmp(words, (char *)words + size - 4096, 4096), 0);
	EXPECT_EQ(words[100], expected_word(7, 100));
	EXPECT_EQ(sluice_cpu_end(buffer, false), 0);
	munmap(words, size);
	close(queue);
	close(buffer);
}

TEST_F(bounced, memory_that_would_be_bounced_is_refused_with_a_hint)
{
	struct sluice_wrap wrap = { .size = 4096 };
	struct dma_heap_allocation_data data = { .len = 4096, .fd_flags = O_RDWR };
	struct sluice_heap_info pages;
	char path[80];
	uint32_t hint;
	int node;

	ASSERT_EQ(sluice_heap_info(self->device, 0, &pages), 0);
	EXPECT_EQ(pages.max_size, 0);
	EXPECT_EQ(alloc_hint(self->device, 0, 4096, &hint), -EADDRNOTAVAIL);
	EXPECT_EQ(hint, SLUICE_HINT_BOUNCED);
	wrap.memfd = memfd_create("bounced", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ASSERT_GE(wrap.memfd, 0);
	ASSERT_EQ(ftruncate(wrap.memfd, 4096), 0);
	ASSERT_EQ(fcntl(wrap.memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_WRAP, &wrap), -EADDRNOTAVAIL);
	EXPECT_EQ(wrap.hint, SLUICE_HINT_BOUNCED);
	close(wrap.memfd);
	snprintf(path, sizeof(path), "/dev/dma_heap/sluice-%s-pages", variant->device);
	node = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(node, 0);
	EXPECT_EQ(xioctl(node, DMA_HEAP_IOCTL_ALLOC, &data), -EADDRNOTAVAIL);
	close(node);
}

/*
 * Foreign memory would be bounced although it is small, and the device would not see its changes.
 */
TEST_F(bounced, foreign_memory_is_not_bounced_in_silence)
{
	struct dma_heap_allocation_data data = { .len = 4096, .fd_flags = O_RDWR };
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC), queue;
	struct sluice_buffer_info info;

	if (heap < 0)
		SKIP(return, "no other exporter");
	ASSERT_EQ(xioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data), 0);
	queue = patient_queue(self->device, 0);
	EXPECT_EQ(sluice_attach(queue, data.fd, 0), -EADDRNOTAVAIL);
	ASSERT_EQ(sluice_buffer_info(self->device, data.fd, &info), 0);
	EXPECT_EQ(info.error, -EADDRNOTAVAIL);
	close(queue);
	close(data.fd);
	close(heap);
}

TEST_HARNESS_MAIN
