// SPDX-License-Identifier: MIT
/* Cyclic jobs: CYCLIC, ACK, and queues with an engine of their own. */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

#define SIZE	4096UL
#define RING	3
#define DATA	7

FIXTURE(cyclic) {
	struct objects before;
	int device, queue, buffer;
	struct sluice_op ops[RING];
};

static int exclusive_queue(int device)
{
	struct sluice_create_queue args = {
		.flags = SLUICE_QUEUE_EXCLUSIVE,
		.timeout_ms = SLUICE_MAX_TIMEOUT_MS,
		.completion_size = sizeof(struct sluice_completion),
	};
	int ret = xioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &args);

	return ret ? ret : args.fd;
}

FIXTURE_SETUP(cyclic)
{
	int i;

	self->before = objects_before();
	self->device = sluice_open("soft0");
	self->buffer = sluice_alloc(self->device, 0, RING * SIZE, 0);
	self->queue = exclusive_queue(self->device);
	ASSERT_GE(self->queue, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	for (i = 0; i < RING; i++)
		sluice_op_capture(&self->ops[i], 0, i * SIZE, SIZE);
}

FIXTURE_TEARDOWN(cyclic)
{
	close(self->queue);
	close(self->buffer);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Read until a record without MORE, or a record of this number of ops.  False if reading fails. */
static bool read_until(int queue, uint64_t ops, struct sluice_completion *record)
{
	do {
		if (sluice_read(queue, record, 1) != 1)
			return false;
	} while (record->flags & SLUICE_COMPLETION_MORE && record->ops < ops);
	return true;
}

TEST_F(cyclic, runs_until_another_job_is_submitted)
{
	struct sluice_completion record, before = {};
	uint64_t point;
	int fence;

	ASSERT_EQ(sluice_submit_cyclic(self->queue, self->ops, RING, 0, DATA, &point), 0);
	while (before.ops < 3 * RING) {
		ASSERT_EQ(sluice_read(self->queue, &record, 1), 1);
		ASSERT_EQ(record.flags, SLUICE_COMPLETION_MORE);
		EXPECT_EQ(record.status, 0);
		EXPECT_EQ(record.point, point);
		EXPECT_EQ(record.user_data, DATA);
		EXPECT_GT(record.ops, before.ops);
		EXPECT_EQ(record.bytes, record.ops * SIZE);
		EXPECT_GT(record.timestamp, before.timestamp);
		EXPECT_EQ(record.xruns, 0);
		before = record;
	}
	ASSERT_EQ(sluice_submit(self->queue, NULL, 0, -1, &fence, DATA + 1, NULL), 0);
	ASSERT_TRUE(read_until(self->queue, UINT64_MAX, &record));
	EXPECT_EQ(record.status, 0);
	EXPECT_EQ(record.point, point);
	EXPECT_EQ(record.ops % RING, 0);
	EXPECT_EQ(record.bytes, record.ops * SIZE);
	ASSERT_EQ(sluice_read(self->queue, &record, 1), 1);
	EXPECT_EQ(record.user_data, DATA + 1);
	EXPECT_EQ(record.ops, 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), 0);
	close(fence);
}

/* One op is in flight, and no op of the next pass. */
TEST_F(cyclic, last_of_a_pass_is_the_last)
{
	struct sluice_completion record;

	ASSERT_EQ(sluice_submit_cyclic(self->queue, self->ops, 1, 0, DATA, NULL), 0);
	ASSERT_TRUE(read_until(self->queue, 2, &record));
	ASSERT_EQ(sluice_submit(self->queue, NULL, 0, -1, NULL, 0, NULL), 0);
	ASSERT_TRUE(read_until(self->queue, UINT64_MAX, &record));
	EXPECT_EQ(record.status, 0);
	EXPECT_GE(record.ops, 2);
}

TEST_F(cyclic, cancel_and_close_end_it)
{
	struct sluice_completion record;

	ASSERT_EQ(sluice_submit_cyclic(self->queue, self->ops, RING, 0, DATA, NULL), 0);
	ASSERT_TRUE(read_until(self->queue, RING + 1, &record));
	EXPECT_EQ(sluice_cancel(self->queue, 1, 1), 1);
	ASSERT_TRUE(read_until(self->queue, UINT64_MAX, &record));
	EXPECT_EQ(record.status, -ECANCELED);
	EXPECT_GE(record.ops, RING + 1);
	/* another one runs; the end of the queue ends it */
	ASSERT_EQ(sluice_submit_cyclic(self->queue, self->ops, RING, 0, DATA, NULL), 0);
	ASSERT_TRUE(read_until(self->queue, 1, &record));
}

/* One record reports all ops that ended before the queue was read. */
TEST_F(cyclic, slow_reader_finds_one_record)
{
	struct sluice_completion record;
	uint64_t before = 0;
	struct pollfd pollfd = { .fd = self->queue, .events = POLLIN };
	uint64_t point;

	ASSERT_EQ(sluice_submit_cyclic(self->queue, self->ops, RING, 0, DATA, &point), 0);
	ASSERT_EQ(poll(&pollfd, 1, LATE_MS), 1);
	EXPECT_TRUE(pollfd.revents & POLLIN);
	/* several frames end in this time, sooner or later */
	for (record.ops = 0; record.ops < before + 2; usleep(200000)) {
		before = record.ops;
		ASSERT_EQ(sluice_read(self->queue, &record, 1), 1);
	}
	EXPECT_EQ(record.point, point);
	EXPECT_EQ(sluice_wait(self->queue, point, 0), -ETIME);
}

TEST_F(cyclic, late_userspace_is_counted)
{
	struct sluice_completion record;
	uint64_t point;

	ASSERT_EQ(sluice_submit_cyclic(self->queue, self->ops, RING, 0, DATA, &point), 0);
	/* no xrun is counted before the first ACK */
	ASSERT_TRUE(read_until(self->queue, 2 * RING, &record));
	EXPECT_EQ(record.xruns, 0);
	ASSERT_EQ(sluice_ack(self->queue, point, record.ops), 0);
	ASSERT_TRUE(read_until(self->queue, record.ops + 2 * RING, &record));
	EXPECT_GE(record.xruns, 1);
	EXPECT_LE(record.xruns, record.ops);
	/* no xrun is added while userspace is far ahead */
	ASSERT_EQ(sluice_ack(self->queue, point, record.ops + 1000000), 0);
	ASSERT_TRUE(read_until(self->queue, record.ops + 2, &record));
	ASSERT_EQ(sluice_cancel(self->queue, point, point), 1);
	ASSERT_TRUE(read_until(self->queue, UINT64_MAX, &record));
	EXPECT_EQ(record.status, -ECANCELED);
	EXPECT_EQ(sluice_ack(self->queue, point, 1), 0);
}

TEST_F(cyclic, late_userspace_ends_a_job_with_STOP_ON_XRUN)
{
	struct sluice_completion record;
	uint64_t point;

	ASSERT_EQ(sluice_submit_cyclic(self->queue, self->ops, RING, SLUICE_SUBMIT_STOP_ON_XRUN,
				       DATA, &point), 0);
	ASSERT_TRUE(read_until(self->queue, 1, &record));
	ASSERT_EQ(sluice_ack(self->queue, point, 0), 0);
	ASSERT_TRUE(read_until(self->queue, UINT64_MAX, &record));
	EXPECT_EQ(record.status, -EPIPE);
	/* the ring was full once: exactly its ops run, unless the ACK itself came late */
	EXPECT_GE(record.ops, RING);
	EXPECT_EQ(record.xruns, 0);
}

TEST_F(cyclic, exclusive_queue_has_its_engine_alone)
{
	struct sluice_create_queue args = { .engine = 0 };
	int second;

	EXPECT_EQ(exclusive_queue(self->device), -EBUSY);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &args), -EBUSY);
	args = (struct sluice_create_queue) { .engine = 1 };
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &args), 0);
	close(args.fd);
	close(self->queue);
	/* the last reference to the other queue may still be held for a moment */
	second = -EBUSY;
	for (int tries = 0; second == -EBUSY && tries < LATE_MS; tries++) {
		second = exclusive_queue(self->device);
		usleep(1000);
	}
	ASSERT_GE(second, 0);
	self->queue = second;
	args = (struct sluice_create_queue) { .engine = 0, .flags = 1U << 31 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &args), -EINVAL);
}

static int submit_flags(int queue, const struct sluice_op *ops, int count, uint32_t flags)
{
	struct sluice_submit args = {
		.ops = (uintptr_t)ops, .num_ops = count, .flags = flags, .op_size = sizeof(*ops),
	};

	return xioctl(queue, SLUICE_IOCTL_SUBMIT, &args);
}

TEST_F(cyclic, jobs_that_cannot_be_cyclic_are_refused)
{
	int shared = patient_queue(self->device, 1);
	struct sluice_op op;
	struct sluice_export_fence fence = { .point = 1 };
	uint64_t point;

	EXPECT_EQ(submit_flags(self->queue, NULL, 0, SLUICE_SUBMIT_CYCLIC), -EINVAL);
	EXPECT_EQ(submit_flags(self->queue, self->ops, RING,
			       SLUICE_SUBMIT_CYCLIC | SLUICE_SUBMIT_OUT_FENCE), -EINVAL);
	EXPECT_EQ(submit_flags(self->queue, self->ops, RING, SLUICE_SUBMIT_STOP_ON_XRUN), -EINVAL);
	sluice_op_fill(&op, 0, 0, SIZE, 1);
	EXPECT_EQ(submit_flags(self->queue, &op, 1, SLUICE_SUBMIT_CYCLIC), -EINVAL);
	/* an op on a buffer with implicit fences */
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 1);
	sluice_op_capture(&op, 1, 0, SIZE);
	EXPECT_EQ(submit_flags(self->queue, &op, 1, SLUICE_SUBMIT_CYCLIC), -EINVAL);
	/* a queue without an engine of its own */
	ASSERT_EQ(sluice_attach(shared, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	EXPECT_EQ(submit_flags(shared, self->ops, RING, SLUICE_SUBMIT_CYCLIC), -EINVAL);
	close(shared);

	EXPECT_EQ(sluice_ack(self->queue, 0, 1), -EINVAL);
	EXPECT_EQ(sluice_ack(self->queue, 1, 1), -EINVAL);
	ASSERT_EQ(sluice_submit_cyclic(self->queue, self->ops, RING, 0, DATA, &point), 0);
	ASSERT_EQ(point, 1);
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_FENCE, &fence), -EINVAL);
	EXPECT_EQ(sluice_ack(self->queue, point, 0), 0);
	ASSERT_EQ(sluice_submit(self->queue, self->ops, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_ack(self->queue, point + 1, 0), -EINVAL);
	EXPECT_EQ(sluice_wait(self->queue, point + 1, LATE_MS), 0);
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_FENCE, &fence), 0);
	close(fence.fd);
}

TEST_HARNESS_MAIN
