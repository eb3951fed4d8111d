// SPDX-License-Identifier: MIT
/*
 * The kernel's own test fences, which signal only when a test asks for it: the behaviour of jobs
 * that wait for them.
 */
#include <fcntl.h>
#include <linux/sync_file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fences.h"
#include "harness.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

#define SIZE 65536UL
#define MS 1000000LL

FIXTURE(swsync) {
	struct objects before;
	int device, queue, buffer;
};

FIXTURE_SETUP(swsync)
{
	if (access("/sys/kernel/debug/sync/sw_sync", F_OK))
		SKIP(return, "this kernel has no sw_sync");
	self->before = objects_before();
	self->device = sluice_open("soft0");
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	self->queue = sluice_queue_create(self->device, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
}

FIXTURE_TEARDOWN(swsync)
{
	close(self->queue);
	close(self->buffer);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

static int fill(int queue, int in_fence, int *out_fence)
{
	struct sluice_op op;

	sluice_op_fill(&op, 0, 0, SIZE, 1);
	return sluice_submit(queue, &op, 1, in_fence, out_fence, 0, NULL);
}

TEST_F(swsync, foreign_fence_holds_the_job_back_until_it_signals)
{
	int timeline = sw_sync_timeline(), in_fence, out_fence;
	__u32 one = 1;

	ASSERT_GE(timeline, 0);
	in_fence = sw_sync_fence(timeline, 1);
	ASSERT_GE(in_fence, 0);
	ASSERT_EQ(fill(self->queue, in_fence, &out_fence), 0);
	EXPECT_EQ(sluice_fence_wait(out_fence, 200), -ETIME);
	ASSERT_EQ(xioctl(timeline, _IOW('W', 1, __u32), &one), 0);
	EXPECT_EQ(sluice_fence_wait(out_fence, 5000), 0);
	close(timeline);
	close(in_fence);
	close(out_fence);
}

TEST_F_TIMEOUT(swsync, ends_with_ETIME_when_an_in_fence_never_signals, 90)
{
	int timeline = sw_sync_timeline(), in_fence, out_fence;
	int64_t before = now_ns();

	ASSERT_GE(timeline, 0);
	in_fence = sw_sync_fence(timeline, 1);
	ASSERT_GE(in_fence, 0);
	/* no other event on this engine makes it look at the job */
	ASSERT_EQ(fill(self->queue, in_fence, &out_fence), 0);
	EXPECT_EQ(sluice_fence_wait(out_fence, 60000), -ETIME);
	EXPECT_GE(now_ns() - before, 29000 * MS);
	EXPECT_LT(now_ns() - before, 40000 * MS);
	EXPECT_EQ(sluice_wait(self->queue, 1, 0), -ETIME);
	close(in_fence);
	close(timeline);
	close(out_fence);
}

TEST_F(swsync, closing_the_queue_cancels_a_waiting_job)
{
	int timeline = sw_sync_timeline(), in_fence, out_fence;

	ASSERT_GE(timeline, 0);
	in_fence = sw_sync_fence(timeline, 1);
	ASSERT_GE(in_fence, 0);
	ASSERT_EQ(fill(self->queue, in_fence, &out_fence), 0);
	close(self->queue);
	EXPECT_EQ(sluice_fence_wait(out_fence, 1000), -ECANCELED);
	close(timeline);
	close(in_fence);
	close(out_fence);
}

TEST_HARNESS_MAIN
