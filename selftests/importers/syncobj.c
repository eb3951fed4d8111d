// SPDX-License-Identifier: MIT
/*
 * Fences on DRM timelines: a job's fence becomes a point of a syncobj, which chains it to the
 * points before; the chain comes back as an in-fence.  virtio-gpu has syncobjs on any machine;
 * nothing is drawn.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <xf86drm.h>

#include "card.h"
#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define SIZE	4096UL
#define POINTS	3

FIXTURE(syncobj) {
	struct objects before;
	int drm, device, producer, consumer, buffer;
	uint32_t timeline;
};

FIXTURE_SETUP(syncobj)
{
	uint64_t capable = 0;

	self->before = objects_before();
	self->device = self->producer = self->consumer = self->buffer = -1;
	self->drm = card_open("virtio_gpu");
	if (self->drm < 0 || drmGetCap(self->drm, DRM_CAP_SYNCOBJ_TIMELINE, &capable) || !capable)
		SKIP(return, "no DRM device with timeline syncobjs on this kernel");
	knob("delay_us", 0);
	self->device = sluice_open("soft0");
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	self->producer = patient_queue(self->device, 0);
	self->consumer = patient_queue(self->device, 1);
	ASSERT_EQ(sluice_attach(self->producer, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	ASSERT_EQ(sluice_attach(self->consumer, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	ASSERT_EQ(drmSyncobjCreate(self->drm, 0, &self->timeline), 0);
}

FIXTURE_TEARDOWN(syncobj)
{
	knob("delay_us", 0);
	knob("fail_next", 0);
	knob("hang_next", 0);
	close(self->producer);
	close(self->consumer);
	close(self->buffer);
	close(self->device);
	close(self->drm);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Submit a job that fills the buffer, and make its fence a point of the timeline. */
static int fill_as_point(FIXTURE_DATA(syncobj) *self, uint32_t value, uint64_t point)
{
	struct sluice_op op;
	int fence, ret;

	sluice_op_fill(&op, 0, 0, SIZE, value);
	ret = sluice_submit(self->producer, &op, 1, -1, &fence, value, NULL);
	if (ret)
		return ret;
	ret = sluice_fence_to_timeline(fence, self->drm, self->timeline, point);
	close(fence);
	return ret;
}

static int wait_point(FIXTURE_DATA(syncobj) *self, uint64_t point, int64_t timeout_ms)
{
	return drmSyncobjTimelineWait(self->drm, &self->timeline, &point, 1,
				      now_ns() + timeout_ms * 1000000, 0, NULL);
}

TEST_F(syncobj, point_is_reached_when_the_job_has_ended)
{
	struct gate gate;
	uint64_t reached;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill_as_point(self, 1, 10), 0);
	EXPECT_EQ(wait_point(self, 10, 0), -ETIME);
	ASSERT_EQ(drmSyncobjQuery(self->drm, &self->timeline, &reached, 1), 0);
	EXPECT_LT(reached, 10);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(wait_point(self, 10, LATE_MS), 0);
	EXPECT_EQ(sluice_wait(self->producer, 1, 0), 0);
	ASSERT_EQ(drmSyncobjQuery(self->drm, &self->timeline, &reached, 1), 0);
	EXPECT_EQ(reached, 10);
}

TEST_F(syncobj, chain_of_points_is_an_in_fence)
{
	struct sluice_op op;
	struct gate gate;
	int chain, i;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	for (i = 1; i <= POINTS; i++)
		ASSERT_EQ(fill_as_point(self, i, i), 0);
	chain = sluice_fence_from_timeline(self->drm, self->timeline, POINTS);
	ASSERT_GE(chain, 0);
	EXPECT_FALSE(signalled(chain));
	sluice_op_fill(&op, 0, 0, SIZE / 2, 77);
	ASSERT_EQ(sluice_submit(self->consumer, &op, 1, chain, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(self->consumer, 1, 50), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(self->consumer, 1, LATE_MS), 0);
	/* the job ran after all three: half of the last value is left */
	EXPECT_EQ(sluice_wait(self->producer, POINTS, 0), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 77), -EILSEQ);
	sluice_op_fill(&op, 0, 0, SIZE / 2, POINTS);
	ASSERT_EQ(sluice_submit(self->consumer, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(self->consumer, 2, LATE_MS), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, POINTS), 0);
	close(chain);
}

/* A chain does not report the errors of its fences, so the core searches the fences. */
TEST_F(syncobj, error_inside_a_chain_travels)
{
	struct sluice_completion completion;
	struct sluice_op op;
	struct gate gate;
	int chain;

	/* keep the fences pending, because a chain drops fences that have signalled */
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(fill_as_point(self, 1, 1), 0);
	ASSERT_EQ(fill_as_point(self, 2, 2), 0);
	chain = sluice_fence_from_timeline(self->drm, self->timeline, 2);
	ASSERT_GE(chain, 0);
	sluice_op_fill(&op, 0, 0, SIZE, 3);
	ASSERT_EQ(sluice_submit(self->consumer, &op, 1, chain, NULL, 0, NULL), 0);
	ASSERT_EQ(gate_open(&gate), 0);
	ASSERT_EQ(sluice_read(self->consumer, &completion, 1), 1);
	EXPECT_EQ(completion.status, -ECANCELED);
	EXPECT_EQ(sluice_wait(self->producer, 1, LATE_MS), -EIO);
	EXPECT_EQ(sluice_wait(self->producer, 2, LATE_MS), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 2), 0);
	close(chain);
}

TEST_F(syncobj, chain_merges_with_a_fence_of_ours)
{
	int chain, ours, merged;
	struct sluice_op op;
	struct gate gate;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill_as_point(self, 1, 1), 0);
	ASSERT_EQ(fill_as_point(self, 2, 2), 0);
	chain = sluice_fence_from_timeline(self->drm, self->timeline, 2);
	ASSERT_GE(chain, 0);
	sluice_op_fill(&op, 0, 0, SIZE, 9);
	ASSERT_EQ(sluice_submit(self->consumer, &op, 1, -1, &ours, 0, NULL), 0);
	merged = sluice_fence_merge(chain, ours);
	ASSERT_GE(merged, 0);
	EXPECT_FALSE(signalled(merged));
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(merged, LATE_MS), 0);
	EXPECT_TRUE(signalled(chain));
	EXPECT_TRUE(signalled(ours));
	close(chain);
	close(ours);
	close(merged);
}

/* The queue is closed and its jobs are cancelled, but the point is reached. */
TEST_F(syncobj, point_outlives_its_queue)
{
	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(fill_as_point(self, 1, 1), 0);
	ASSERT_TRUE(wait_hanging());
	EXPECT_EQ(wait_point(self, 1, 0), -ETIME);
	close(self->producer);
	self->producer = -1;
	EXPECT_EQ(wait_point(self, 1, LATE_MS), 0);
}

TEST_F(syncobj, bad_timelines_are_refused)
{
	int fence, before, after;

	ASSERT_EQ(sluice_submit(self->producer, NULL, 0, -1, &fence, 0, NULL), 0);
	before = dup(0);
	close(before);
	EXPECT_EQ(sluice_fence_from_timeline(self->drm, self->timeline, 1), -EINVAL);
	EXPECT_EQ(sluice_fence_from_timeline(self->drm, 12345, 1), -ENOENT);
	EXPECT_EQ(sluice_fence_from_timeline(fence, self->timeline, 1), -ENOTTY);
	EXPECT_EQ(sluice_fence_from_timeline(-1, self->timeline, 1), -EBADF);
	EXPECT_EQ(sluice_fence_to_timeline(self->producer, self->drm, self->timeline, 1), -EINVAL);
	EXPECT_EQ(sluice_fence_to_timeline(fence, self->drm, 12345, 1), -ENOENT);
	EXPECT_EQ(sluice_fence_to_timeline(fence, fence, self->timeline, 1), -ENOTTY);
	EXPECT_EQ(sluice_fence_to_timeline(fence, self->drm, self->timeline, 0), -EINVAL);
	EXPECT_EQ(sluice_fence_to_timeline(-EMFILE, self->drm, self->timeline, 1), -EINVAL);
	/* no fd is left */
	after = dup(0);
	close(after);
	EXPECT_EQ(after, before);
	close(fence);
}

TEST_HARNESS_MAIN
