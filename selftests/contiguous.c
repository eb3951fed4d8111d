// SPDX-License-Identifier: MIT
/* The contiguous heap: it can do all that it reports, with CMA and without. */
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

#define MIB	(1UL << 20)
#define BLOCK	(4 * MIB)	/* the largest block of the page allocator */

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
	ASSERT_EQ(sluice_heap_info(self->device, self->number, &self->heap), 0);
	ASSERT_EQ(sluice_device_info(self->device, &self->info), 0);
}

FIXTURE_TEARDOWN(contiguous)
{
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Is the buffer one zeroed segment, and can the device use its first and last page? */
static bool is_good(int device, int buffer, uint64_t size)
{
	struct sluice_buffer_info info;
	int queue = patient_queue(device, 0);
	struct sluice_op op;
	bool good;

	good = !sluice_buffer_info(device, buffer, &info) && !info.error && info.segments == 1 &&
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

TEST_F(contiguous, eight_mib_are_allocated_or_refused_with_a_hint)
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

/*
 * A size that is no power of two: the memory returns to the allocator, and each buffer is zeroed.
 */
TEST_F(contiguous, odd_sizes_are_allocated_and_freed)
{
	uint64_t size = 9 * MIB + 3 * 4096;
	uint32_t hint;
	int i, buffer;

	if (self->heap.max_size < size)
		SKIP(return, "this kernel has no large pieces");
	for (i = 0; i < 20; i++) {
		buffer = alloc_hint(self->device, self->number, size, &hint);
		ASSERT_GE(buffer, 0) TH_LOG("round %d, hint %u", i, hint);
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

/* Cached memory is an option, in one segment like coherent memory; no other kind of CPU mapping. */
TEST_F(contiguous, cached_memory_is_one_piece_and_zeroed_each_time)
{
	struct sluice_alloc args = { .size = BLOCK, .heap = self->number,
				     .flags = SLUICE_MEM_CACHED };
	struct sluice_buffer_info info;
	int i;

	EXPECT_EQ(self->heap.options & SLUICE_MEM_CACHED, SLUICE_MEM_CACHED);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &args), 0) TH_LOG("hint %u",
										     args.hint);
		EXPECT_EQ(args.granted, SLUICE_MEM_CACHED | SLUICE_MEM_CONTIGUOUS);
		ASSERT_EQ(sluice_buffer_info(self->device, args.fd, &info), 0);
		EXPECT_EQ(info.properties & (SLUICE_MEM_CACHED | SLUICE_MEM_COHERENT),
			  SLUICE_MEM_CACHED);
		EXPECT_TRUE(is_good(self->device, args.fd, BLOCK));
		ASSERT_EQ(fill_words(args.fd, BLOCK, i), 0);
		EXPECT_EQ(check_words(args.fd, BLOCK, i), 0);
		/* as for coherent memory, there is no private mapping */
		EXPECT_EQ(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, args.fd, 0), MAP_FAILED);
		close(args.fd);
	}
	args.flags = SLUICE_MEM_CACHED | SLUICE_MEM_COHERENT;
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &args), -EINVAL);
	args.flags = SLUICE_MEM_WRITE_COMBINED;
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &args), -EOPNOTSUPP);
	args.flags = SLUICE_MEM_CACHED | SLUICE_MEM_PAGE_BACKED;
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &args), -EOPNOTSUPP);
}

/* A mapping of a part of the buffer shows that part. */
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

/* In a guest with cma=, the heap reports CMA, and CMA's size is the limit for one buffer. */
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

TEST_HARNESS_MAIN
