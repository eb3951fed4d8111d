// SPDX-License-Identifier: MIT
/* Jobs that end early or late: CANCEL, hangs, and the order of queues. */
#include <fcntl.h>
#include <linux/sync_file.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define SIZE	4096UL

/* since Linux 6.6 */
#ifndef SYNC_IOC_SET_DEADLINE
struct sync_set_deadline {
	__u64 deadline_ns;
	__u64 pad;
};
#define SYNC_IOC_SET_DEADLINE	_IOW(SYNC_IOC_MAGIC, 5, struct sync_set_deadline)
#endif

FIXTURE(cancel) {
	struct objects before;
	int device, queue, buffer, slot;
};

FIXTURE_SETUP(cancel)
{
	self->before = objects_before();
	knob("delay_us", 0);
	self->device = sluice_open("soft0");
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	self->queue = patient_queue(self->device, 0);
	self->slot = sluice_attach(self->queue, self->buffer, SLUICE_ATTACH_EXPLICIT);
	ASSERT_EQ(self->slot, 0);
}

FIXTURE_TEARDOWN(cancel)
{
	knob("delay_us", 0);
	knob("hang_next", 0);
	knob("abort_us", 0);
	close(self->queue);
	close(self->buffer);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

static int fill(int queue, uint32_t value, int in_fence, int *out_fence)
{
	struct sluice_op op;

	sluice_op_fill(&op, 0, 0, SIZE, value);
	return sluice_submit(queue, &op, 1, in_fence, out_fence, value, NULL);
}

TEST_F(cancel, stops_the_job_that_runs)
{
	struct sluice_completion completions[2];
	int64_t before = now_ns();
	int fence;

	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(fill(self->queue, 1, -1, &fence), 0);
	ASSERT_EQ(fill(self->queue, 2, -1, NULL), 0);
	ASSERT_TRUE(wait_running(self->device, 0));
	EXPECT_EQ(sluice_cancel(self->queue, 1, 1), 1);
	ASSERT_EQ(sluice_read(self->queue, completions, 1), 1);
	EXPECT_EQ(completions[0].status, -ECANCELED);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), -ECANCELED);
	/* before its timeout, and the next job runs */
	EXPECT_LT(now_ns() - before, (SLUICE_MAX_TIMEOUT_MS - 1000) * 1000000LL);
	EXPECT_EQ(sluice_wait(self->queue, 2, LATE_MS), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 2), 0);
	close(fence);
}

TEST_F(cancel, ends_those_of_a_range_and_no_other_in_order)
{
	static const int expected[7] = { -ECANCELED, 0, -ECANCELED, -ECANCELED, -ECANCELED, 0, 0 };
	struct sluice_completion completions[7];
	int i, count, running;

	/* the first job runs until a later call cancels it */
	ASSERT_EQ(knob("hang_next", 1), 0);
	for (i = 0; i < 7; i++)
		ASSERT_EQ(fill(self->queue, i, -1, i ? NULL : &running), 0);
	ASSERT_TRUE(wait_hanging());
	EXPECT_EQ(sluice_cancel(self->queue, 3, 5), 3);
	EXPECT_EQ(sluice_wait(self->queue, 1, 50), -ETIME);
	EXPECT_FALSE(signalled(running));
	EXPECT_EQ(sluice_cancel(self->queue, 1, 1), 1);
	for (count = 0; count < 7; count += i) {
		i = sluice_read(self->queue, completions + count, 7 - count);
		ASSERT_GT(i, 0);
	}
	for (i = 0; i < 7; i++) {
		EXPECT_EQ(completions[i].point, (uint64_t)i + 1);
		EXPECT_EQ(completions[i].status, expected[i]);
	}
	EXPECT_EQ(check_value(self->buffer, SIZE, 6), 0);
	EXPECT_EQ(sluice_cancel(self->queue, 1, UINT64_MAX), 0);
	close(running);
}

/* How many lines of soft0's list of jobs contain this text? */
static int shown_jobs(const char *text)
{
	FILE *file = fopen("/sys/kernel/debug/sluice/soft0/jobs", "re");
	char line[1024];
	int count = 0;

	while (file && fgets(line, sizeof(line), file))
		count += !!strstr(line, text);
	if (file)
		fclose(file);
	return count;
}

TEST_F(cancel, waits_for_no_in_fence)
{
	int hanging = patient_queue(self->device, 1), in;
	struct sluice_completion completion;

	ASSERT_EQ(sluice_attach(hanging, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(fill(hanging, 1, -1, &in), 0);
	ASSERT_TRUE(wait_running(self->device, 1));
	ASSERT_EQ(fill(self->queue, 2, in, NULL), 0);
	EXPECT_EQ(sluice_wait(self->queue, 1, 50), -ETIME);
	/* debugfs shows the fence that the job waits for */
	EXPECT_EQ(shown_jobs("running\n"), 1);
	EXPECT_EQ(shown_jobs("waiting for fences\tsluice:soft0-"), 1);
	EXPECT_EQ(sluice_cancel(self->queue, 1, UINT64_MAX), 1);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, -ECANCELED);
	EXPECT_FALSE(signalled(in));
	EXPECT_EQ(check_value(self->buffer, SIZE, 0), 0);
	close(in);
	close(hanging);
}

TEST_F(cancel, refuses_a_range_that_is_none)
{
	struct sluice_cancel args = { .first = 1, .last = 1, .flags = SLUICE_CANCEL_CLEAR << 1 };

	EXPECT_EQ(sluice_cancel(self->queue, 0, 1), -EINVAL);
	EXPECT_EQ(sluice_cancel(self->queue, 2, 1), -EINVAL);
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_CANCEL, &args), -EINVAL);
	EXPECT_EQ(sluice_cancel(self->queue, 1, 1), 0);
	EXPECT_EQ(sluice_cancel(self->device, 1, 1), -ENOTTY);
}

/* One process submits while another cancels: each job ends exactly once. */
TEST_F(cancel, hits_jobs_in_every_state)
{
	struct sluice_completion completion;
	int i, cancelled = 0, ended = 0;
	pid_t child;

	ASSERT_EQ(knob("delay_us", 500), 0);
	child = fork();
	if (!child) {
		for (;;)
			sluice_cancel(self->queue, 1, UINT64_MAX);
	}
	/* more rounds if the other process does not get the CPU */
	for (i = 0; i < 500 || (!cancelled && i < 5000); i++) {
		ASSERT_EQ(fill(self->queue, i, -1, NULL), 0);
		if (i % 5)
			continue;
		while (ended <= i) {
			ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
			EXPECT_EQ(completion.point, (uint64_t)++ended);
			if (completion.status)
				EXPECT_EQ(completion.status, -ECANCELED);
			cancelled += completion.status == -ECANCELED;
		}
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	EXPECT_GT(cancelled, 0);
}

/* The number in a line of fdinfo. */
static long fdinfo(int fd, const char *key)
{
	char path[64], line[128], format[64];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	snprintf(format, sizeof(format), "%s: %%ld", key);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, format, &value);
	if (file)
		fclose(file);
	return value;
}

TEST_F(cancel, queue_of_hanging_jobs_dies_and_others_go_on)
{
	struct sluice_create_queue create = { .timeout_ms = 60 };
	struct gate gate;
	int other = patient_queue(self->device, 0), i;
	struct sluice_completion completion;

	ASSERT_EQ(sluice_attach(other, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);

	/*
	 * A job that succeeds resets the count of hangs.  The job is small, so the submitter's
	 * context runs it at once, and it cannot time out.
	 */
	ASSERT_EQ(knob("hang_next", SLUICE_MAX_HANGS - 1), 0);
	for (i = 0; i < SLUICE_MAX_HANGS; i++)
		ASSERT_EQ(fill(create.fd, i, -1, NULL), 0);
	for (i = 0; i < SLUICE_MAX_HANGS; i++) {
		ASSERT_EQ(sluice_read(create.fd, &completion, 1), 1);
		EXPECT_EQ(completion.status, i < SLUICE_MAX_HANGS - 1 ? -ETIME : 0);
	}
	EXPECT_EQ(fdinfo(create.fd, "sluice-hangs"), 0);

	/* all are submitted before the first of them hangs */
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("hang_next", SLUICE_MAX_HANGS), 0);
	for (i = 0; i < SLUICE_MAX_HANGS + 2; i++)
		ASSERT_EQ(fill(create.fd, i, -1, NULL), 0);
	ASSERT_EQ(gate_open(&gate), 0);
	for (i = 0; i < SLUICE_MAX_HANGS + 2; i++) {
		ASSERT_EQ(sluice_read(create.fd, &completion, 1), 1);
		EXPECT_EQ(completion.status, i < SLUICE_MAX_HANGS ? -ETIME : -EIO);
	}
	EXPECT_EQ(fdinfo(create.fd, "sluice-hangs"), SLUICE_MAX_HANGS);
	EXPECT_EQ(fill(create.fd, 1, -1, NULL), -EIO);
	EXPECT_EQ(sluice_submit(create.fd, NULL, 0, -1, NULL, 0, NULL), -EIO);
	ASSERT_EQ(fill(other, 77, -1, NULL), 0);
	EXPECT_EQ(sluice_wait(other, 1, LATE_MS), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 77), 0);
	close(create.fd);
	close(other);
}

/*
 * Two queues with the same priority.  The last job of the later queue has a deadline, so this queue
 * goes first.  Jobs that have waited for a second take turns, with or without a deadline: if the
 * guest was stopped for so long, the result says nothing, and the test tries again.
 */
TEST_F(cancel, deadline_of_a_fence_goes_before_order)
{
	struct sync_set_deadline deadline = { .deadline_ns = now_ns() };
	struct sluice_completion early, late;
	int other = patient_queue(self->device, 0), fence, tries, ret;
	struct gate gate;
	int64_t began;

	ASSERT_EQ(sluice_attach(other, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	for (tries = 0; tries < 10; tries++) {
		ASSERT_EQ(knob("delay_us", 0), 0);
		ASSERT_EQ(gate_shut(&gate, 0), 0);
		ASSERT_EQ(knob("delay_us", 1000), 0);
		began = now_ns();
		ASSERT_EQ(fill(self->queue, 1, -1, NULL), 0);
		ASSERT_EQ(fill(other, 2, -1, NULL), 0);
		ASSERT_EQ(fill(other, 3, -1, &fence), 0);
		ret = xioctl(fence, SYNC_IOC_SET_DEADLINE, &deadline);
		close(fence);
		ASSERT_EQ(gate_open(&gate), 0);
		if (ret) {
			close(other);
			SKIP(return, "no deadlines on this kernel");
		}
		ASSERT_EQ(sluice_read(other, &early, 1), 1);
		ASSERT_EQ(sluice_read(self->queue, &late, 1), 1);
		if (early.timestamp < late.timestamp || now_ns() - began < 900000000)
			break;
		EXPECT_EQ(sluice_wait(other, early.point + 1, LATE_MS), 0);
		while (sluice_read(other, &early, 1) == 1 && early.user_data != 3)
			;
	}
	EXPECT_LT(early.timestamp, late.timestamp);
	EXPECT_EQ(sluice_wait(other, early.point + 1, LATE_MS), 0);
	close(other);
}

/* The engine may stop its search before it has seen all queues, except for a cancelled job. */
TEST_F(cancel, a_cancelled_job_does_not_wait_for_another_queue)
{
	struct sluice_completion first, cancelled;
	int other = patient_queue(self->device, 0), third = patient_queue(self->device, 0), fence;
	struct gate gate;

	ASSERT_EQ(sluice_attach(other, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	ASSERT_EQ(sluice_attach(third, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("delay_us", 60000), 0);
	ASSERT_EQ(fill(self->queue, 1, -1, &fence), 0);
	/* a job that waits for a fence does not change this */
	ASSERT_EQ(fill(third, 3, fence, NULL), 0);
	ASSERT_EQ(fill(other, 2, -1, NULL), 0);
	ASSERT_EQ(sluice_cancel(other, 1, 1), 1);
	/* it does not wait for the running job either: the gate is still shut */
	ASSERT_EQ(sluice_read(other, &cancelled, 1), 1);
	ASSERT_EQ(gate_open(&gate), 0);
	ASSERT_EQ(sluice_read(self->queue, &first, 1), 1);
	EXPECT_EQ(cancelled.status, -ECANCELED);
	EXPECT_LT(cancelled.timestamp, first.timestamp);
	EXPECT_EQ(sluice_wait(third, 1, LATE_MS), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 3), 0);
	close(fence);
	close(third);
	close(other);
}

/* An aborted op runs on for a while: the fence of its job waits for its end. */
TEST_F(cancel, fence_signals_only_when_the_device_has_stopped)
{
	struct sluice_create_queue create = { .timeout_ms = 200 };
	const int64_t abort_ns = 300000000;
	int queue, fence, i;
	int64_t before;

	ASSERT_EQ(knob("abort_us", abort_ns / 1000), 0);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
		queue = i ? patient_queue(self->device, 0) : create.fd;
		ASSERT_EQ(sluice_attach(queue, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
		ASSERT_EQ(knob("hang_next", 1), 0);
		before = now_ns();
		ASSERT_EQ(fill(queue, 1, -1, &fence), 0);
		if (i) {
			ASSERT_TRUE(wait_hanging());
			before = now_ns();
			if (i == 1) {
				EXPECT_EQ(sluice_cancel(queue, 1, 1), 1);
			} else {
				close(queue);
			}
		}
		EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), i ? -ECANCELED : -ETIME);
		EXPECT_GE(now_ns() - before, abort_ns);
		close(fence);
		if (i < 2)
			close(queue);
		if (i)
			close(create.fd);
	}
}

/* The op is cancelled, and still writes before it stops. */
TEST_F(cancel, memory_does_not_change_after_the_fence)
{
	uint32_t *words, first;
	int fence, cancelled;

	ASSERT_EQ(sluice_map(self->buffer, SIZE, (void **)&words), 0);
	ASSERT_EQ(knob("delay_us", 200000), 0);
	ASSERT_EQ(knob("abort_us", 500000), 0);
	ASSERT_EQ(fill(self->queue, 0x55, -1, &fence), 0);
	cancelled = sluice_cancel(self->queue, 1, 1);
	ASSERT_GE(cancelled, 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), cancelled ? -ECANCELED : 0);
	first = *(volatile uint32_t *)words;
	usleep(700000);
	EXPECT_EQ(*(volatile uint32_t *)words, first);
	munmap(words, SIZE);
	close(fence);
}

/* Only a job that the device has completed shows that the queue's jobs can end. */
TEST_F(cancel, neither_empty_nor_cancelled_jobs_count_for_or_against_a_queue)
{
	struct sluice_create_queue create = { .timeout_ms = 60 };
	struct sluice_completion completion;
	struct gate gate;
	int i;

	for (i = 0; i < SLUICE_MAX_HANGS; i++) {
		ASSERT_EQ(knob("hang_next", 1), 0);
		ASSERT_EQ(fill(self->queue, i, -1, NULL), 0);
		ASSERT_TRUE(wait_hanging());
		EXPECT_EQ(sluice_cancel(self->queue, i + 1, i + 1), 1);
		EXPECT_EQ(sluice_wait(self->queue, i + 1, LATE_MS), -ECANCELED);
	}
	EXPECT_EQ(fdinfo(self->queue, "sluice-hangs"), 0);
	EXPECT_EQ(fill(self->queue, 1, -1, NULL), 0);

	ASSERT_EQ(sluice_wait(self->queue, SLUICE_MAX_HANGS + 1, LATE_MS), 0);
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("hang_next", SLUICE_MAX_HANGS), 0);
	for (i = 0; i < SLUICE_MAX_HANGS - 1; i++)
		ASSERT_EQ(fill(create.fd, i, -1, NULL), 0);
	ASSERT_EQ(sluice_submit(create.fd, NULL, 0, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(fill(create.fd, i, -1, NULL), 0);
	ASSERT_EQ(gate_open(&gate), 0);
	for (i = 0; i < SLUICE_MAX_HANGS + 1; i++) {
		ASSERT_EQ(sluice_read(create.fd, &completion, 1), 1);
		EXPECT_EQ(completion.status, i == SLUICE_MAX_HANGS - 1 ? 0 : -ETIME);
	}
	EXPECT_EQ(fill(create.fd, 1, -1, NULL), -EIO);
	close(create.fd);
}

/*
 * Two queues with the same priority, whose jobs have fences from FENCE with deadlines.  The earlier
 * deadline goes first, in either queue.  As above, a result is not used if the guest was stopped.
 */
TEST_F(cancel, earlier_deadline_goes_first_with_fences_from_FENCE)
{
	int queues[2] = { self->queue, patient_queue(self->device, 0) }, urgent, tries, i, ret = 0;
	uint64_t points[2] = {};
	struct gate gate;
	int64_t began;

	ASSERT_EQ(sluice_attach(queues[1], self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	for (urgent = 0; urgent < 2 && !ret; urgent++) {
		struct sluice_completion ended[2] = {};

		for (tries = 0; tries < 10; tries++) {
			ASSERT_EQ(knob("delay_us", 0), 0);
			ASSERT_EQ(gate_shut(&gate, 0), 0);
			ASSERT_EQ(knob("delay_us", 1000), 0);
			began = now_ns();
			for (i = 0; i < 2; i++) {
				struct sync_set_deadline deadline = {
					.deadline_ns = began + (i == urgent ? 0 : 1000000000),
				};
				struct sluice_export_fence fence = { .point = ++points[i] };

				ASSERT_EQ(fill(queues[i], i, -1, NULL), 0);
				ASSERT_EQ(xioctl(queues[i], SLUICE_IOCTL_FENCE, &fence), 0);
				ret = ret ? ret : xioctl(fence.fd, SYNC_IOC_SET_DEADLINE, &deadline);
				close(fence.fd);
			}
			ASSERT_EQ(gate_open(&gate), 0);
			for (i = 0; i < 2; i++)
				ASSERT_EQ(sluice_read(queues[i], &ended[i], 1), 1);
			if (ret || ended[urgent].timestamp < ended[!urgent].timestamp ||
			    now_ns() - began < 900000000)
				break;
		}
		if (!ret)
			EXPECT_LT(ended[urgent].timestamp, ended[!urgent].timestamp);
	}
	close(queues[1]);
	if (ret)
		SKIP(return, "no deadlines on this kernel");
}

TEST_HARNESS_MAIN
