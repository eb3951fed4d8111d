// SPDX-License-Identifier: MIT
/*
 * Several ops in flight: soft0 with 1 to 32 ops in flight, in order (ordered) or not, and with the
 * faults that soft.c describes.  No job is lost, whatever soft0 reports, and the fences of a queue
 * signal in order.
 */
#include <fcntl.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define DRIVER "/sys/bus/platform/drivers/sluice-soft"
#define PARAMETERS "/sys/module/sluice_soft/parameters/"

#define QUEUES 8
#define JOBS 6			/* of each queue */
#define SIZE 8192UL		/* too large for soft to do at once */
#define MOST 32

/* Bind soft0 again with this depth. */
static int set_depth(unsigned int depth, bool ordered)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", depth);
	write_text(DRIVER "/unbind", "sluice-soft");
	return write_text(PARAMETERS "depth", text) ?:
	       write_text(PARAMETERS "ordered", ordered ? "Y" : "N") ?:
	       write_text(DRIVER "/bind", "sluice-soft");
}

struct engine {
	unsigned int aborts, timeouts, stale, depth, in_flight;
};

/* The state of engine 0 in debugfs. */
static struct engine engine_read(void)
{
	FILE *file = fopen("/sys/kernel/debug/sluice/soft0/engines", "re");
	struct engine engine = {};
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "0 %u %u %u %u %u", &engine.aborts, &engine.timeouts,
			   &engine.stale, &engine.depth, &engine.in_flight) == 5)
			break;
	if (file)
		fclose(file);
	return engine;
}

static bool wait_in_flight(unsigned int count)
{
	int tries;

	for (tries = 0; tries < LATE_MS && engine_read().in_flight != count; tries++)
		usleep(1000);
	return tries < LATE_MS;
}

/* Wait until soft0 has used up hang_next except for this number. */
static bool wait_hangs_left(unsigned int left)
{
	unsigned int now = left + 1;
	FILE *file;
	int tries;

	for (tries = 0; tries < LATE_MS && now != left; tries++) {
		file = fopen("/sys/kernel/debug/sluice/soft0/hang_next", "re");
		if (!file || fscanf(file, "%u", &now) != 1)
			now = left + 1;
		if (file)
			fclose(file);
		usleep(1000);
	}
	return now == left;
}

/* Wait until the driver has reported this number of ops that it did not have. */
static bool wait_stale(unsigned int count)
{
	int tries;

	for (tries = 0; tries < LATE_MS && engine_read().stale < count; tries++)
		usleep(1000);
	return engine_read().stale == count;
}

FIXTURE(depth) {
	struct objects before;
	int device, buffers[MOST], queues[MOST];
};

FIXTURE_VARIANT(depth) {
	unsigned int depth;
	bool ordered;
};

FIXTURE_VARIANT_ADD(depth, 1) { .depth = 1 };
FIXTURE_VARIANT_ADD(depth, 8) { .depth = 8 };
FIXTURE_VARIANT_ADD(depth, ordered_2) { .depth = 2, .ordered = true };
FIXTURE_VARIANT_ADD(depth, ordered_32) { .depth = 32, .ordered = true };

FIXTURE_SETUP(depth)
{
	int i;

	ASSERT_EQ(set_depth(variant->depth, variant->ordered), 0);
	self->before = objects_before();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	for (i = 0; i < MOST; i++) {
		self->buffers[i] = sluice_alloc(self->device, 0, SIZE, 0);
		ASSERT_GE(self->buffers[i], 0);
		self->queues[i] = patient_queue(self->device, 0);
		ASSERT_EQ(sluice_attach(self->queues[i], self->buffers[i], 0), 0);
	}
}

FIXTURE_TEARDOWN(depth)
{
	int i;

	for (i = 0; i < MOST; i++) {
		close(self->queues[i]);
		close(self->buffers[i]);
	}
	close(self->device);
	EXPECT_EQ(set_depth(1, false), 0);
	EXPECT_TRUE(objects_settle(&self->before));
}

static int fill(int queue, uint32_t value, int *fence)
{
	struct sluice_op op;

	sluice_op_fill(&op, 0, 0, SIZE, value);
	return sluice_submit(queue, &op, 1, -1, fence, 0, NULL);
}

/* Submit jobs to several queues in turn.  The last job of each queue leaves the job's number. */
static int submit_all(const int *queues)
{
	int job, i, ret = 0;

	for (job = 1; job <= JOBS && !ret; job++)
		for (i = 0; i < QUEUES && !ret; i++)
			ret = fill(queues[i], job, NULL);
	return ret;
}

/* Check that each job has one completion, in order.  Returns how many have this status, or -1. */
static int count_ended(const int *queues, int status)
{
	struct sluice_completion completion;
	int job, i, count = 0;

	for (i = 0; i < QUEUES; i++)
		for (job = 1; job <= JOBS; job++) {
			if (sluice_read(queues[i], &completion, 1) != 1 ||
			    completion.point != (uint64_t)job ||
			    (completion.status && completion.status != status))
				return -1;
			count += completion.status == status;
		}
	return count;
}

/* Is nothing in flight or lost, and does the engine work? */
static bool is_whole(const int *queues, const int *buffers)
{
	struct sluice_op op;
	int i;

	sluice_op_fill(&op, 0, 0, SIZE, 0x600d);
	for (i = 0; i < QUEUES; i++)
		if (run_op(queues[i], &op) || check_value(buffers[i], SIZE, 0x600d))
			return false;
	return wait_in_flight(0);
}

TEST_F(depth, takes_as_many_ops_as_it_has_places)
{
	struct sluice_info info;
	unsigned int i;
	int more[2];

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(engine_read().depth, variant->depth);
	ASSERT_EQ(knob("hang_next", variant->depth), 0);
	for (i = 0; i < variant->depth; i++)
		ASSERT_EQ(fill(self->queues[i], 1, NULL), 0);
	EXPECT_TRUE(wait_in_flight(variant->depth));
	/* more ops stay out of the driver */
	ASSERT_EQ(fill(self->queues[0], 2, &more[0]), 0);
	ASSERT_EQ(fill(self->queues[MOST - 1], 2, &more[1]), 0);
	EXPECT_EQ(sluice_fence_wait(more[0], 20), -ETIME);
	EXPECT_EQ(sluice_fence_wait(more[1], 20), -ETIME);
	EXPECT_EQ(engine_read().in_flight, variant->depth);
	/* ops that have not begun to hang yet must not hang */
	ASSERT_EQ(knob("hang_next", 0), 0);
	for (i = 0; i < variant->depth; i++)
		EXPECT_GE(sluice_cancel(self->queues[i], 1, 1), 0);
	EXPECT_EQ(sluice_fence_wait(more[0], LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(more[1], LATE_MS), 0);
	close(more[0]);
	close(more[1]);
	EXPECT_TRUE(wait_in_flight(0));
	EXPECT_EQ(engine_read().stale, 0);
}

TEST_F(depth, many_jobs_of_many_queues_end_well)
{
	int i;

	ASSERT_EQ(submit_all(self->queues), 0);
	EXPECT_EQ(count_ended(self->queues, 0), QUEUES * JOBS);
	for (i = 0; i < QUEUES; i++)
		EXPECT_EQ(check_value(self->buffers[i], SIZE, JOBS), 0);
	EXPECT_EQ(engine_read().stale, 0);
	EXPECT_EQ(engine_read().aborts, 0);
}

TEST_F(depth, ops_that_are_reported_in_the_wrong_order_end_well)
{
	unsigned int i;

	/* as many as fit, so that all are reported */
	ASSERT_EQ(knob("reverse_next", variant->depth), 0);
	for (i = 0; i < variant->depth; i++)
		ASSERT_EQ(fill(self->queues[i], i + 1, NULL), 0);
	for (i = 0; i < variant->depth; i++) {
		EXPECT_EQ(sluice_wait(self->queues[i], 1, LATE_MS), 0);
		EXPECT_EQ(check_value(self->buffers[i], SIZE, i + 1), 0);
	}
	EXPECT_EQ(engine_read().stale, 0);
	EXPECT_EQ(engine_read().aborts, 0);
}

TEST_F(depth, fences_of_a_queue_signal_in_order_however_ops_end)
{
	unsigned int i;
	int fences[MOST];
	int64_t before = 0;

	/* one queue has one op in flight, unless the engine is ordered */
	ASSERT_EQ(knob("reverse_next", variant->ordered ? variant->depth : 1), 0);
	for (i = 0; i < variant->depth; i++)
		ASSERT_EQ(fill(self->queues[0], i + 1, &fences[i]), 0);
	for (i = 0; i < variant->depth; i++) {
		EXPECT_EQ(sluice_fence_wait(fences[i], LATE_MS), 0);
		EXPECT_GE(fence_time(fences[i]), before);
		before = fence_time(fences[i]);
		close(fences[i]);
	}
	EXPECT_EQ(check_value(self->buffers[0], SIZE, variant->depth), 0);
}

TEST_F(depth, op_that_is_reported_twice_ends_once)
{
	ASSERT_EQ(knob("twice_next", 5), 0);
	ASSERT_EQ(submit_all(self->queues), 0);
	EXPECT_EQ(count_ended(self->queues, 0), QUEUES * JOBS);
	EXPECT_TRUE(wait_stale(5));
	EXPECT_TRUE(is_whole(self->queues, self->buffers));
}

TEST_F(depth, op_that_never_was_ends_nothing)
{
	ASSERT_EQ(knob("stray_next", 5), 0);
	ASSERT_EQ(submit_all(self->queues), 0);
	EXPECT_EQ(count_ended(self->queues, 0), QUEUES * JOBS);
	EXPECT_TRUE(wait_stale(15));
	EXPECT_TRUE(is_whole(self->queues, self->buffers));
}

TEST_F(depth, op_that_fails_ends_its_job_only)
{
	ASSERT_EQ(knob("fail_next", 5), 0);
	ASSERT_EQ(submit_all(self->queues), 0);
	EXPECT_EQ(count_ended(self->queues, -EIO), 5);
	EXPECT_TRUE(is_whole(self->queues, self->buffers));
	EXPECT_EQ(engine_read().stale, 0);
}

/* The op is aborted, and then the driver reports its end. */
TEST_F(depth, op_that_is_reported_after_abort_ends_no_other)
{
	struct sluice_completion completion;
	int i;

	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(knob("late_next", 1), 0);
	ASSERT_EQ(fill(self->queues[0], 1, NULL), 0);
	ASSERT_TRUE(wait_hanging());
	ASSERT_EQ(fill(self->queues[0], 2, NULL), 0);
	EXPECT_EQ(sluice_cancel(self->queues[0], 1, 1), 1);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(sluice_read(self->queues[0], &completion, 1), 1);
		EXPECT_EQ(completion.point, (uint64_t)i + 1);
		EXPECT_EQ(completion.status, i ? 0 : -ECANCELED);
	}
	EXPECT_EQ(check_value(self->buffers[0], SIZE, 2), 0);
	EXPECT_TRUE(wait_stale(1));
	EXPECT_TRUE(is_whole(self->queues, self->buffers));
}

TEST_F(depth, op_that_never_ends_does_not_delay_or_end_another)
{
	struct sluice_create_queue create = { .timeout_ms = 200 };
	int fence;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffers[MOST - 1], 0), 0);
	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(fill(create.fd, 1, &fence), 0);
	ASSERT_TRUE(wait_hanging());
	ASSERT_EQ(submit_all(self->queues), 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), -ETIME);
	EXPECT_EQ(count_ended(self->queues, 0), QUEUES * JOBS);
	EXPECT_EQ(engine_read().timeouts, 1);
	EXPECT_TRUE(is_whole(self->queues, self->buffers));
	EXPECT_EQ(engine_read().stale, 0);
	close(fence);
	close(create.fd);
}

TEST_F(depth, queue_that_is_closed_in_the_middle_leaves_the_others)
{
	int fence;

	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(fill(self->queues[MOST - 1], 1, &fence), 0);
	ASSERT_TRUE(wait_hanging());
	ASSERT_EQ(submit_all(self->queues), 0);
	/* if ops do not run in order, a free place is enough */
	if (variant->depth > 1 && !variant->ordered)
		EXPECT_EQ(sluice_wait(self->queues[QUEUES - 1], JOBS, LATE_MS), 0);
	EXPECT_FALSE(signalled(fence));
	close(self->queues[MOST - 1]);
	self->queues[MOST - 1] = -1;
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), -ECANCELED);
	EXPECT_EQ(count_ended(self->queues, 0), QUEUES * JOBS);
	EXPECT_TRUE(is_whole(self->queues, self->buffers));
	close(fence);
}

TEST_F(depth, urgent_job_gets_the_next_place)
{
	struct sluice_create_queue create = { .timeout_ms = SLUICE_MAX_TIMEOUT_MS,
					      .priority = 2 };
	unsigned int i;
	int low, high;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffers[MOST - 1], SLUICE_ATTACH_EXPLICIT), 0);
	/* all places are taken */
	ASSERT_EQ(knob("hang_next", variant->depth), 0);
	for (i = 0; i < variant->depth; i++)
		ASSERT_EQ(fill(self->queues[i], 1, NULL), 0);
	ASSERT_TRUE(wait_in_flight(variant->depth));
	ASSERT_EQ(fill(self->queues[0], 2, &low), 0);
	ASSERT_EQ(fill(create.fd, 2, &high), 0);
	/* unordered: there is one free place, and the queue of the low job has no op in flight */
	ASSERT_TRUE(variant->ordered ? wait_hangs_left(variant->depth - 1) : wait_hanging());
	ASSERT_EQ(knob("hang_next", 0), 0);
	EXPECT_EQ(sluice_cancel(self->queues[0], 1, 1), 1);
	EXPECT_EQ(sluice_fence_wait(high, LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(low, LATE_MS), 0);
	if (variant->depth == 1)
		EXPECT_LE(fence_time(high), fence_time(low));
	close(low);
	close(high);
	close(create.fd);
}

TEST_F(depth, captures_in_flight_together_have_a_frame_each)
{
	struct sluice_completion completion;
	uint64_t sequence = 0;
	struct sluice_op op;
	unsigned int i;

	if (!variant->ordered)
		SKIP(return, "a queue has one op in flight");
	for (i = 0; i < variant->depth; i++) {
		sluice_op_capture(&op, 0, 0, SIZE);
		ASSERT_EQ(sluice_submit(self->queues[0], &op, 1, -1, NULL, 0, NULL), 0);
	}
	for (i = 0; i < variant->depth; i++) {
		ASSERT_EQ(sluice_read(self->queues[0], &completion, 1), 1);
		EXPECT_EQ(completion.status, 0);
		EXPECT_GT(completion.sequence, sequence);
		/* each missing frame has been counted */
		if (i)
			EXPECT_EQ(completion.dropped, completion.sequence - sequence - 1);
		sequence = completion.sequence;
	}
}

TEST_F(depth, device_that_goes_ends_all)
{
	int fences[QUEUES], i;

	ASSERT_EQ(knob("hang_next", 3), 0);
	for (i = 0; i < QUEUES; i++) {
		ASSERT_EQ(fill(self->queues[i], 1, NULL), 0);
		ASSERT_EQ(fill(self->queues[i], 2, &fences[i]), 0);
	}
	ASSERT_EQ(write_text(DRIVER "/unbind", "sluice-soft"), 0);
	for (i = 0; i < QUEUES; i++) {
		int status = sluice_fence_wait(fences[i], 0);

		EXPECT_TRUE(!status || status == -ENODEV);
		close(fences[i]);
	}
}

/* soft0 with limits of 64 to 4096 bytes for an op */
FIXTURE(lengths) {
	struct objects before;
	int device, queue, buffers[2];
};

static int set_lengths(const char *shortest, const char *longest)
{
	write_text(DRIVER "/unbind", "sluice-soft");
	return write_text(PARAMETERS "min_length", shortest) ?:
	       write_text(PARAMETERS "max_length", longest) ?:
	       write_text(DRIVER "/bind", "sluice-soft");
}

FIXTURE_SETUP(lengths)
{
	int i;

	ASSERT_EQ(set_lengths("64", "4096"), 0);
	self->before = objects_before();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	self->queue = patient_queue(self->device, 0);
	for (i = 0; i < 2; i++) {
		self->buffers[i] = sluice_alloc(self->device, 0, SIZE, 0);
		ASSERT_EQ(sluice_attach(self->queue, self->buffers[i], 0), i);
	}
}

FIXTURE_TEARDOWN(lengths)
{
	close(self->queue);
	close(self->buffers[0]);
	close(self->buffers[1]);
	close(self->device);
	EXPECT_EQ(set_lengths("0", "0"), 0);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(lengths, are_told)
{
	struct sluice_engine_info info;

	ASSERT_EQ(sluice_engine_info(self->device, 1, &info), 0);
	EXPECT_EQ(info.min_length, 64);
	EXPECT_EQ(info.max_length, 4096);
	EXPECT_EQ(info.max_segments, 0);
}

TEST_F(lengths, are_kept_by_each_kind)
{
	static const struct {
		unsigned int length;
		int result;
	} cases[] = { { 60, -EINVAL }, { 64, 0 }, { 4096, 0 }, { 4100, -EINVAL } };
	struct sluice_op op;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TH_LOG("%u bytes", cases[i].length);
		sluice_op_fill(&op, 0, 0, cases[i].length, 1);
		EXPECT_EQ(run_op(self->queue, &op), cases[i].result);
		sluice_op_copy(&op, 0, 0, 1, 0, cases[i].length);
		EXPECT_EQ(run_op(self->queue, &op), cases[i].result);
		sluice_op_capture(&op, 0, 0, cases[i].length);
		EXPECT_EQ(run_op(self->queue, &op), cases[i].result);
		sluice_op_playback(&op, 0, 0, cases[i].length);
		EXPECT_EQ(run_op(self->queue, &op), cases[i].result);
		sluice_op_capture_frame(&op, 0, 0, 1, cases[i].length / 4, 4);
		EXPECT_EQ(run_op(self->queue, &op), cases[i].result);
	}
}

TEST_F(lengths, of_planes_are_added)
{
	struct sluice_plane planes[2] = { { .slot = 0, .stride = 64 }, { .slot = 1, .stride = 64 } };
	struct sluice_op op = {
		.kind = SLUICE_OP_CAPTURE,
		.planes = (uintptr_t)planes,
		.num_planes = 2,
		.frame = { .width = 64, .format = 'N' | 'V' << 8 | '1' << 16 | '2' << 24 },
	};

	/* 64 bytes per line, half of them for the chroma */
	op.frame.height = 42;
	EXPECT_EQ(run_op(self->queue, &op), 0);
	op.frame.height = 44;
	EXPECT_EQ(run_op(self->queue, &op), -EINVAL);
}

TEST_F(lengths, that_no_op_can_have_are_refused_at_registration)
{
	EXPECT_NE(set_lengths("4096", "4092"), 0);
	EXPECT_NE(set_lengths("0", "3"), 0);
	EXPECT_EQ(set_lengths("4", "4"), 0);
}

TEST_HARNESS_MAIN
