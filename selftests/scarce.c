// SPDX-License-Identifier: MIT
/*
 * A machine with 512 MiB, whose memory is full of buffers: calls fail, and no process is killed.
 * This test has a guest of its own, because other guests have more memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "hold.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

#define MIB	(1UL << 20)
#define KIB_MOST (1L << 20)	/* of a machine that is small enough */
#define HOLDERS	4
#define NOBODY	65534
#define BYSTANDER (24 * MIB)	/* more than any other process of the guest has */

FIXTURE(scarce) {
	struct objects before;
	struct hold holds[HOLDERS];
	pid_t holders[HOLDERS];
	pid_t bystander;
	long kills;
	int device;
};

FIXTURE_SETUP(scarce)
{
	struct hold bystander = { .anonymous = BYSTANDER };

	if (number_of("/proc/meminfo", "MemTotal:") > KIB_MOST)
		SKIP(return, "the machine has more than 1 GiB of memory");
	self->before = objects_before();
	self->kills = number_of("/proc/vmstat", "oom_kill");
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	/* the OOM killer would take this process, because it does not see buffers */
	self->bystander = hold_start(&bystander);
	ASSERT_EQ(bystander.error, 0);
}

FIXTURE_TEARDOWN(scarce)
{
	EXPECT_EQ(hold_end(self->bystander), 0);
	limit_mb("open", 0);
	limit_mb("user", 0);
	limit_mb("total", 0);
	chmod("/dev/sluice/soft0", 0600);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
	EXPECT_EQ(number_of("/proc/vmstat", "oom_kill"), self->kills);
}

/* Start all holders, each with an open of its own. */
static unsigned int start(FIXTURE_DATA(scarce) *self, const struct hold *each)
{
	unsigned int i, buffers = 0;

	for (i = 0; i < HOLDERS; i++) {
		self->holds[i] = *each;
		self->holders[i] = hold_start(&self->holds[i]);
		buffers += self->holds[i].buffers;
	}
	return buffers;
}

/* End all holders; returns how many were killed before. */
static unsigned int end(FIXTURE_DATA(scarce) *self)
{
	unsigned int i, killed = 0;

	for (i = 0; i < HOLDERS; i++)
		killed += hold_end(self->holders[i]) != 0;
	return killed;
}

/* New processes start, and get memory. */
static bool machine_works(size_t bytes)
{
	struct hold more = { .anonymous = bytes };
	bool works = !system("true");
	pid_t pid = hold_start(&more);

	return !hold_end(pid) && !more.error && works;
}

TEST_F(scarce, four_opens_end_at_the_limit_of_all)
{
	struct hold each = { .each = 160 * MIB, .most = 1 };
	unsigned int buffers = start(self, &each), i;
	struct sluice_info info;

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	TH_LOG("%u of %u holders have a buffer; all may have %lu MiB", buffers, HOLDERS,
	       (unsigned long)(info.total_limit / MIB));
	EXPECT_EQ(buffers, info.total_limit / each.each);
	EXPECT_LT(buffers, HOLDERS);
	for (i = 0; i < HOLDERS; i++) {
		if (self->holds[i].buffers)
			continue;
		EXPECT_EQ(self->holds[i].error, -EDQUOT);
		EXPECT_EQ(self->holds[i].hint, SLUICE_HINT_TOTAL_LIMIT);
	}
	EXPECT_TRUE(machine_works(BYSTANDER));
	EXPECT_EQ(end(self), 0);
}

TEST_F(scarce, opens_of_a_user_end_at_the_limit_of_the_user)
{
	struct hold each = { .each = 8 * MIB, .most = 100, .uid = NOBODY };
	struct sluice_info info;
	unsigned int buffers, i;

	ASSERT_EQ(chmod("/dev/sluice/soft0", 0666), 0);
	buffers = start(self, &each);
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(buffers, info.user_limit / each.each);
	for (i = 0; i < HOLDERS; i++) {
		EXPECT_EQ(self->holds[i].error, -EDQUOT);
		EXPECT_EQ(self->holds[i].hint, SLUICE_HINT_USER_LIMIT);
	}
	EXPECT_TRUE(machine_works(BYSTANDER));
	EXPECT_EQ(end(self), 0);
}

TEST_F(scarce, the_standard_node_ends_at_the_same_limit)
{
	struct dma_heap_allocation_data data = { .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/sluice-soft0-pages", O_RDWR | O_CLOEXEC);
	struct sluice_info info;

	ASSERT_GE(heap, 0);
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	data.len = info.total_limit + MIB;
	EXPECT_EQ(xioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data), -EDQUOT);
	EXPECT_TRUE(machine_works(BYSTANDER));
	close(heap);
}

/* The processes of the test have as many buffers as they get, each 8 MiB. */
static void memory_ends(struct __test_metadata *_metadata, FIXTURE_DATA(scarce) *self)
{
	struct hold each = { .each = 8 * MIB, .most = 100 };
	unsigned int i, buffers = start(self, &each);

	TH_LOG("%u buffers of 8 MiB; %ld MiB of memory are available then", buffers,
	       number_of("/proc/meminfo", "MemAvailable:") / 1024);
	for (i = 0; i < HOLDERS; i++) {
		EXPECT_EQ(self->holds[i].error, -ENOMEM);
		EXPECT_EQ(self->holds[i].hint, SLUICE_HINT_NONE);
	}
	EXPECT_TRUE(machine_works(8 * MIB));
	EXPECT_EQ(end(self), 0);
}

TEST_F(scarce, buffers_leave_memory_where_processes_have_most_of_it)
{
	struct hold hog = {
		.anonymous = (number_of("/proc/meminfo", "MemAvailable:") << 10) - 128 * MIB,
	};
	pid_t pid = hold_start(&hog);

	ASSERT_EQ(hog.error, 0);
	memory_ends(_metadata, self);
	EXPECT_EQ(hold_end(pid), 0);
}

/* An administrator has set the limits too high. */
TEST_F(scarce, buffers_leave_memory_whatever_the_limits_are)
{
	ASSERT_EQ(limit_mb("open", 4096), 0);
	ASSERT_EQ(limit_mb("user", 4096), 0);
	ASSERT_EQ(limit_mb("total", 4096), 0);
	memory_ends(_metadata, self);
}

TEST_HARNESS_MAIN
