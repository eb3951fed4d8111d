// SPDX-License-Identifier: MIT
/*
 * A buffer of more than 4 GiB, beyond 32 bits.  This test has a guest of its own, because other
 * guests do not have this much memory.
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

#define GIB	(1ULL << 30)
#define MIB	(1ULL << 20)
#define BORDER	(4 * GIB)
#define SIZE	(BORDER + 3 * MIB)

FIXTURE(large) {
	struct objects before;
	int device, buffer, queue;
	char *memory;
};

FIXTURE_SETUP(large)
{
	int64_t began = now_ns();

	/* in KiB; the buffer and its mapping's tables */
	if (number_of("/proc/meminfo", "MemAvailable:") < 5L << 20)
		SKIP(return, "less than 5 GiB of memory are free");
	self->before = objects_before();
	ASSERT_EQ(open_limit_mb(6000), 0);
	ASSERT_EQ(limit_mb("total", 6000), 0);
	self->device = sluice_open("soft0");
	self->buffer = sluice_alloc(self->device, sluice_find_heap(self->device, "pages"), SIZE, 0);
	ASSERT_GE(self->buffer, 0);
	TH_LOG("allocated in %lld ms", (long long)(now_ns() - began) / 1000000);
	self->queue = patient_queue(self->device, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
	ASSERT_EQ(sluice_map(self->buffer, SIZE, (void **)&self->memory), 0);
}

FIXTURE_TEARDOWN(large)
{
	munmap(self->memory, SIZE);
	close(self->queue);
	close(self->buffer);
	close(self->device);
	open_limit_mb(0);
	limit_mb("total", 0);
	EXPECT_TRUE(objects_settle(&self->before));
}

static uint32_t *word(FIXTURE_DATA(large) *self, uint64_t offset)
{
	return (uint32_t *)(self->memory + offset);
}

/* Minutes, because making, filling and freeing 4 GiB takes long under emulation. */
TEST_F_TIMEOUT(large, every_offset_is_a_place_of_its_own, 300)
{
	static const uint64_t places[] = {
		0, 2 * GIB - 4, 2 * GIB, BORDER - 4, BORDER, BORDER + MIB, SIZE - 4,
	};
	struct sluice_buffer_info info = { .fd = self->buffer };
	struct sluice_op ops[2];
	unsigned int i;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_BUFFER_INFO, &info), 0);
	EXPECT_EQ(info.size, SIZE);
	EXPECT_EQ(lseek(self->buffer, 0, SEEK_END), (off_t)SIZE);

	/* zeroed, and a write in one place does not appear in another */
	ASSERT_EQ(sluice_cpu_begin(self->buffer, true), 0);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		EXPECT_EQ(*word(self, places[i]), 0);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		*word(self, places[i]) = i + 1;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		EXPECT_EQ(*word(self, places[i]), i + 1);
	ASSERT_EQ(sluice_cpu_end(self->buffer, true), 0);

	/* ops across the border and beyond it */
	sluice_op_fill(&ops[0], 0, BORDER - MIB, 2 * MIB, 0xabcd);
	sluice_op_copy(&ops[1], 0, 3 * GIB, 0, BORDER - 4096, 8192);
	ASSERT_EQ(sluice_submit(self->queue, ops, 2, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_wait(self->queue, 1, LATE_MS), 0);
	ASSERT_EQ(sluice_cpu_begin(self->buffer, false), 0);
	EXPECT_EQ(*word(self, BORDER - MIB - 4), 0);
	EXPECT_EQ(*word(self, BORDER - MIB), 0xabcd);
	EXPECT_EQ(*word(self, BORDER), 0xabcd);
	EXPECT_EQ(*word(self, BORDER + MIB - 4), 0xabcd);
	EXPECT_EQ(*word(self, BORDER + MIB), 6);
	EXPECT_EQ(*word(self, 3 * GIB), 0xabcd);
	EXPECT_EQ(*word(self, 3 * GIB + 8188), 0xabcd);
	EXPECT_EQ(*word(self, 3 * GIB + 8192), 0);
	EXPECT_EQ(*word(self, 0), 1);
	ASSERT_EQ(sluice_cpu_end(self->buffer, false), 0);
}

TEST_F_TIMEOUT(large, no_access_goes_beyond_the_end, 300)
{
	struct sluice_alloc args = { .size = 2 * GIB };
	uint32_t *page, *last;
	struct sluice_op op;

	sluice_op_fill(&op, 0, SIZE - 4, 4, 5);
	EXPECT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(self->queue, 1, LATE_MS), 0);
	EXPECT_EQ(*word(self, SIZE - 4), 5);
	/* an offset and a length that would fit if they were cut to 32 bits */
	sluice_op_fill(&op, 0, SIZE, 4, 5);
	EXPECT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), -ERANGE);
	sluice_op_fill(&op, 0, 4, SIZE, 5);
	EXPECT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), -ERANGE);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->buffer, true, BORDER - 4096, 8192), 0);
	EXPECT_EQ(sluice_cpu_end_range(self->device, self->buffer, true, BORDER - 4096, 8192), 0);
	EXPECT_EQ(sluice_cpu_begin_range(self->device, self->buffer, true, SIZE - 4, 8), -ERANGE);

	/* a mapping that begins beyond the border */
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->buffer, SIZE - 4096);
	ASSERT_NE(page, MAP_FAILED);
	last = page + 1023;
	EXPECT_EQ(*last, 5);
	munmap(page, 4096);
	EXPECT_EQ(mmap(NULL, 8192, PROT_READ, MAP_SHARED, self->buffer, SIZE - 4096), MAP_FAILED);
	EXPECT_EQ(mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->buffer, SIZE), MAP_FAILED);

	/* all of the buffer is charged */
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &args), -EDQUOT);
	EXPECT_EQ(args.hint, SLUICE_HINT_LIMIT);
	args.size = MIB;
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &args), 0);
	close(args.fd);
}

TEST_HARNESS_MAIN
