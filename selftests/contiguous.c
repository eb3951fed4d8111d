// SPDX-License-Identifier: MIT
/*
 * The contiguous heap: what it says it can do, it can.  With CMA and without, and in a
 * guest whose kernel bounces the DMA of all devices (see selftests/vm/run, "bounced").
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "support.h"

#define MIB	(1UL << 20)
#define BLOCK	(4 * MIB)	/* the largest piece of the page allocator */

FIXTURE(contiguous) {
	struct objects before;
	struct sluice_heap_info heap;
	struct sluice_info info;
	int device, number;
};

FIXTURE_SETUP(contiguous)
{
	self->before = objects_before();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	self->number = sluice_find_heap(self->device, "contiguous");
	ASSERT_GE(self->number, 0);
	ASSERT_EQ(sluice_get_heap(self->device, self->number, &self->heap), 0);
	ASSERT_EQ(sluice_get_info(self->device, &self->info), 0);
}

FIXTURE_TEARDOWN(contiguous)
{
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

static int alloc_hint(int device, int heap, uint64_t size, uint32_t *hint)
{
	struct sluice_alloc args = { .size = size, .heap = heap };
	int ret = xioctl(device, SLUICE_IOCTL_ALLOC, &args);

	*hint = args.hint;
	return ret ?: args.fd;
}

/* One segment, zeroed, and the device works on its first and last page. */
static bool is_good(int device, int buffer, uint64_t size)
{
	struct sluice_buffer_info info;
	int queue = patient_queue(device, 0);
	struct sluice_op op;
	bool good;

	good = !sluice_get_buffer(device, buffer, &info) && !info.error && info.segments == 1 &&
	       info.largest_segment == size && !check_value(buffer, size, 0) &&
	       sluice_attach(queue, buffer, 0) == 0;
	if (!good)
		printf("# error %d, %u segments, the largest %llu\n", info.error, info.segments,
		       (unsigned long long)info.largest_segment);
	sluice_op_fill(&op, 0, 0, 4096, 0x1234);
	good = good && !run_op(queue, &op);
	sluice_op_copy(&op, 0, size - 4096, 0, 0, 4096);
	good = good && !run_op(queue, &op) && !check_value(buffer, 4096, 0x1234);
	close(queue);
	return good;
}

TEST_F(contiguous, eight_mib_are_had_or_refused_for_what_is_missing)
{
	uint32_t hint;
	int buffer = alloc_hint(self->device, self->number, 8 * MIB, &hint);

	printf("# at most %llu MiB, %s CMA\n", (unsigned long long)self->heap.max_size >> 20,
	       self->info.caps & SLUICE_CAP_CMA ? "with" : "without");
	ASSERT_GE(self->heap.max_size, BLOCK);
	if (self->heap.max_size < 8 * MIB) {
		EXPECT_EQ(buffer, -EFBIG);
		EXPECT_EQ(hint, SLUICE_HINT_NO_CMA);
		return;
	}
	ASSERT_GE(buffer, 0) TH_LOG("hint %u", hint);
	EXPECT_EQ(lseek(buffer, 0, SEEK_END), (off_t)(8 * MIB));
	EXPECT_TRUE(is_good(self->device, buffer, 8 * MIB));
	close(buffer);
}

/* A size that is no power of two, whose memory comes back, and comes zeroed. */
TEST_F(contiguous, odd_sizes_come_and_go)
{
	uint64_t size = 9 * MIB + 3 * 4096;
	uint32_t hint;
	int i, buffer;

	if (self->heap.max_size < size)
		SKIP(return, "this kernel has no large pieces");
	for (i = 0; i < 20; i++) {
		buffer = alloc_hint(self->device, self->number, size, &hint);
		ASSERT_GE(buffer, 0) TH_LOG("round %d, hint %u", i, hint);
		/* dirt, that the next must not see */
		if (i % 10 == 0)
			EXPECT_EQ(check_value(buffer, size, 0), 0);
		ASSERT_EQ(fill_words(buffer, 16 * 4096, i + 1), 0);
		close(buffer);
	}
	buffer = alloc_hint(self->device, self->number, size, &hint);
	ASSERT_GE(buffer, 0);
	EXPECT_TRUE(is_good(self->device, buffer, size));
	close(buffer);
}

/* A mapping of a part shows that part. */
TEST_F(contiguous, parts_of_it_map_like_the_whole)
{
	uint64_t size = self->heap.max_size < 8 * MIB ? BLOCK : 8 * MIB;
	uint32_t *part, hint;
	int buffer = alloc_hint(self->device, self->number, size, &hint);

	ASSERT_GE(buffer, 0);
	ASSERT_EQ(fill_words(buffer, size, 21), 0);
	part = mmap(NULL, 8192, PROT_READ, MAP_SHARED, buffer, size - 3 * 4096);
	ASSERT_NE(part, MAP_FAILED);
	EXPECT_EQ(part[0], expected_word(21, (size - 3 * 4096) / 4));
	EXPECT_EQ(part[2047], expected_word(21, (size - 4096) / 4 - 1));
	munmap(part, 8192);
	EXPECT_EQ(mmap(NULL, 8192, PROT_READ, MAP_SHARED, buffer, size - 4096), MAP_FAILED);
	close(buffer);
}

TEST_F(contiguous, more_than_it_can_have_is_EFBIG)
{
	uint32_t hint;

	EXPECT_EQ(alloc_hint(self->device, self->number, self->heap.max_size + 1, &hint), -EFBIG);
	EXPECT_EQ(hint, self->info.caps & SLUICE_CAP_CMA ? SLUICE_HINT_LIMIT :
							   SLUICE_HINT_NO_CMA);
	EXPECT_LT(self->heap.max_size, 1ULL << 32);
}

/* In a guest with cma=: it is told, and its size is what one buffer may have. */
TEST_F(contiguous, cma_is_used)
{
	uint32_t hint;
	int buffer;

	if (!(self->info.caps & SLUICE_CAP_CMA))
		SKIP(return, "no CMA in this kernel");
	ASSERT_GE(self->heap.max_size, 32 * MIB);
	buffer = alloc_hint(self->device, self->number, 32 * MIB, &hint);
	ASSERT_GE(buffer, 0) TH_LOG("hint %u", hint);
	EXPECT_TRUE(is_good(self->device, buffer, 32 * MIB));
	close(buffer);
}

/* From here on: where the kernel bounces all DMA. */
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
	ASSERT_EQ(sluice_get_info(self->device, &self->info), 0);
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
	uint64_t size = 512 << 10;	/* more than swiotlb bounces at once */
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

TEST_F(bounced, what_would_be_bounced_is_refused_and_says_why)
{
	struct sluice_wrap wrap = { .size = 4096 };
	struct dma_heap_allocation_data data = { .len = 4096, .fd_flags = O_RDWR };
	struct sluice_heap_info pages;
	char path[80];
	uint32_t hint;
	int node;

	ASSERT_EQ(sluice_get_heap(self->device, 0, &pages), 0);
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

/* What another exporter gets bounced, small as it is, the device would not see change. */
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
	ASSERT_EQ(sluice_get_buffer(self->device, data.fd, &info), 0);
	EXPECT_EQ(info.error, -EADDRNOTAVAIL);
	close(queue);
	close(data.fd);
	close(heap);
}

TEST_HARNESS_MAIN
