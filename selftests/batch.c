// SPDX-License-Identifier: MIT
/* In-points: a job waits for a job of a queue.  SUBMIT_MANY: several jobs in one call, or none. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "rings.h"
#include "sluice.h"

#define SIZE	65536UL
#define JOBS	200
#define ROUNDS	300
#define AWAY	8	/* an address that is not mapped */

FIXTURE(batch) {
	struct objects before;
	int device, a, b, buffer;
	struct sluice_submit jobs[SLUICE_MAX_JOBS + 1];
	struct sluice_op ops[SLUICE_MAX_JOBS + 1];
};

/* Two queues on different engines; the buffer is slot 0 of both. */
FIXTURE_SETUP(batch)
{
	self->before = objects_before();
	knob("delay_us", 0);
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	self->a = patient_queue(self->device, 0);
	self->b = patient_queue(self->device, 1);
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_EQ(sluice_attach(self->a, self->buffer, 0), 0);
	ASSERT_EQ(sluice_attach(self->b, self->buffer, 0), 0);
	memset(self->jobs, 0, sizeof(self->jobs));
}

FIXTURE_TEARDOWN(batch)
{
	knob("delay_us", 0);
	knob("fail_next", 0);
	close(self->a);
	close(self->b);
	close(self->buffer);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

static int submit_points(int queue, uint32_t flags, const struct sluice_in_point *points,
			 unsigned int num_points, uint32_t size)
{
	struct sluice_submit args = {
		.flags = flags, .in_points = (uintptr_t)points, .num_in_points = num_points,
		.in_point_size = size,
	};
	int ret = xioctl(queue, SLUICE_IOCTL_SUBMIT, &args);

	return ret ? ret : (int)args.point;
}

/* Submit a job without ops that waits for a point; returns its point or -errno. */
static int submit_behind(int queue, uint32_t flags, int other, uint64_t point)
{
	struct sluice_in_point in_point = { .queue = other, .point = point };

	return submit_points(queue, flags, &in_point, 1, sizeof(in_point));
}

static int submit_fill(int queue)
{
	struct sluice_op op;

	sluice_op_fill(&op, 0, 0, 4, 1);
	return sluice_submit(queue, &op, 1, -1, NULL, 0, NULL);
}

TEST_F(batch, job_waits_for_a_point_of_another_queue)
{
	struct gate gate;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(submit_fill(self->a), 0);
	ASSERT_EQ(submit_behind(self->b, 0, self->a, 1), 1);
	/* through the library, and twice the same point */
	ASSERT_EQ(sluice_submit_points(self->b, NULL, 0, (struct sluice_in_point[2]) {
			{ .queue = self->a, .point = 1 }, { .queue = self->a, .point = 1 } }, 2,
			7, NULL), 0);
	EXPECT_EQ(sluice_wait(self->b, 1, 50), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(self->b, 2, LATE_MS), 0);
	EXPECT_EQ(sluice_wait(self->a, 1, 0), 0);
}

TEST_F(batch, ended_point_is_not_waited_for)
{
	struct sluice_create_queue create = { .depth = 2 };
	int i;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	for (i = 0; i < 5; i++) {
		struct sluice_submit args = { .flags = SLUICE_SUBMIT_NO_COMPLETION };

		ASSERT_EQ(xioctl(create.fd, SLUICE_IOCTL_SUBMIT, &args), 0);
		ASSERT_EQ(sluice_wait(create.fd, i + 1, LATE_MS), 0);
	}
	/* the kernel knows the last two points of five; 1 is older */
	EXPECT_EQ(submit_behind(self->b, 0, create.fd, 5), 1);
	EXPECT_EQ(submit_behind(self->b, 0, create.fd, 1), 2);
	EXPECT_EQ(sluice_wait(self->b, 2, 0), 0);
	close(create.fd);
}

TEST_F(batch, error_of_an_in_point_cancels_the_job)
{
	struct gate gate;

	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(submit_fill(self->a), 0);
	ASSERT_EQ(sluice_wait(self->a, 1, LATE_MS), -EIO);
	ASSERT_EQ(submit_behind(self->b, 0, self->a, 1), 1);
	EXPECT_EQ(sluice_wait(self->b, 1, LATE_MS), -ECANCELED);
	ASSERT_EQ(submit_behind(self->b, SLUICE_SUBMIT_IGNORE_ERRORS, self->a, 1), 2);
	EXPECT_EQ(sluice_wait(self->b, 2, LATE_MS), 0);
	/* the own queue */
	ASSERT_EQ(submit_behind(self->a, 0, self->a, 1), 2);
	EXPECT_EQ(sluice_wait(self->a, 2, LATE_MS), -ECANCELED);

	/* the same with a job that ends later */
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(submit_fill(self->a), 0);
	ASSERT_EQ(submit_behind(self->b, 0, self->a, 3), 3);
	ASSERT_EQ(submit_behind(self->b, SLUICE_SUBMIT_IGNORE_ERRORS, self->a, 3), 4);
	EXPECT_EQ(sluice_wait(self->b, 3, 50), -ETIME);
	EXPECT_EQ(sluice_cancel(self->a, 3, 3), 1);
	EXPECT_EQ(sluice_wait(self->b, 3, LATE_MS), -ECANCELED);
	EXPECT_EQ(sluice_wait(self->b, 4, LATE_MS), 0);
	ASSERT_EQ(gate_open(&gate), 0);
}

TEST_F(batch, closed_queue_ends_the_wait_for_its_point)
{
	int other = patient_queue(self->device, 0);
	struct gate gate;

	ASSERT_EQ(sluice_attach(other, self->buffer, 0), 0);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(submit_fill(other), 0);
	ASSERT_EQ(submit_behind(self->b, 0, other, 1), 1);
	close(other);
	EXPECT_EQ(sluice_wait(self->b, 1, LATE_MS), -ECANCELED);
	ASSERT_EQ(gate_open(&gate), 0);
}

TEST_F(batch, bad_in_points_are_refused)
{
	static struct sluice_in_point many[SLUICE_MAX_IN_POINTS + 1];
	struct sluice_in_point point = { .queue = self->a, .point = 1 };
	char longer[24] = {};

	ASSERT_EQ(submit_fill(self->a), 0);
	EXPECT_EQ(submit_behind(self->b, 0, self->a, 0), -EINVAL);
	EXPECT_EQ(submit_behind(self->b, 0, self->a, 2), -EINVAL);
	EXPECT_EQ(submit_behind(self->b, 0, self->a, UINT64_MAX), -EINVAL);
	EXPECT_EQ(submit_behind(self->b, 0, self->b, 1), -EINVAL);
	EXPECT_EQ(submit_behind(self->b, 0, self->device, 1), -EINVAL);
	EXPECT_EQ(submit_behind(self->b, 0, self->buffer, 1), -EINVAL);
	EXPECT_EQ(submit_behind(self->b, 0, -1, 1), -EBADF);
	EXPECT_EQ(submit_behind(self->b, 0, 9999, 1), -EBADF);
	point.flags = 1;
	EXPECT_EQ(submit_points(self->b, 0, &point, 1, 0), -EINVAL);
	point.flags = 0;
	EXPECT_EQ(submit_points(self->b, 0, &point, 1, sizeof(point) - 4), -EINVAL);
	EXPECT_EQ(submit_points(self->b, 0, &point, 1, SLUICE_MAX_RECORD_SIZE + 1), -E2BIG);
	EXPECT_EQ(submit_points(self->b, 0, many, SLUICE_MAX_IN_POINTS + 1, 0), -E2BIG);
	EXPECT_EQ(submit_points(self->b, 0, (void *)AWAY, 1, 0), -EFAULT);
	memcpy(longer, &point, sizeof(point));
	longer[23] = 1;
	EXPECT_EQ(submit_points(self->b, 0, (void *)longer, 1, sizeof(longer)), -E2BIG);
	longer[23] = 0;
	EXPECT_EQ(submit_points(self->b, 0, (void *)longer, 1, sizeof(longer)), 1);
	/* nothing of all that has been submitted */
	EXPECT_EQ(submit_points(self->b, 0, &point, 1, 0), 2);
	EXPECT_EQ(sluice_wait(self->b, 2, LATE_MS), 0);
}

/* A thread that closes and opens a queue whose fd stays the same. */
struct reopener {
	int device, fd;
	atomic_bool stop;
};

static void *reopen(void *data)
{
	struct reopener *reopener = data;

	while (!reopener->stop) {
		int queue = sluice_queue_create(reopener->device, 0);
		struct sluice_submit args = { .flags = SLUICE_SUBMIT_NO_COMPLETION };

		dup3(queue, reopener->fd, O_CLOEXEC);
		xioctl(queue, SLUICE_IOCTL_SUBMIT, &args);
		close(queue);
	}
	return NULL;
}

TEST_F(batch, queue_may_be_closed_while_its_point_is_looked_up)
{
	struct reopener reopener = { .device = self->device };
	pthread_t thread;
	int i, ret, points = 0;

	reopener.fd = sluice_queue_create(self->device, 0);
	ASSERT_GE(reopener.fd, 0);
	ASSERT_EQ(pthread_create(&thread, NULL, reopen, &reopener), 0);
	for (i = 0; i < 10 * ROUNDS; i++) {
		ret = submit_behind(self->b, SLUICE_SUBMIT_NO_COMPLETION, reopener.fd, 1);
		if (ret > 0)
			points = ret;
		else
			EXPECT_EQ(ret, -EINVAL);
		if (points)
			ret = sluice_wait(self->b, points, LATE_MS);
		if (points && ret != -ECANCELED)
			EXPECT_EQ(ret, 0);
	}
	reopener.stop = true;
	pthread_join(thread, NULL);
	close(reopener.fd);
}

/* SUBMIT_MANY */

static int submit_all(int queue, struct sluice_submit *jobs, unsigned int num_jobs,
		      struct sluice_submit_many *many)
{
	*many = (struct sluice_submit_many) {
		.jobs = (uintptr_t)jobs, .num_jobs = num_jobs, .job_size = sizeof(*jobs),
		.failed = 12345,
	};
	return xioctl(queue, SLUICE_IOCTL_SUBMIT_MANY, many);
}

/* Job @number fills its word of the buffer. */
static void fill_word(struct sluice_submit *job, struct sluice_op *op, unsigned int number)
{
	sluice_op_fill(op, 0, number * 4, 4, 0x1000 + number);
	*job = (struct sluice_submit) {
		.ops = (uintptr_t)op, .num_ops = 1, .op_size = sizeof(*op), .user_data = number,
	};
}

TEST_F(batch, jobs_of_a_call_run_in_order)
{
	static struct sluice_completion done[JOBS];
	struct sluice_submit_many many;
	uint32_t *words;
	int i;

	for (i = 0; i < JOBS; i++) {
		fill_word(&self->jobs[i], &self->ops[i], i);
		/* each fifth job has no ops */
		self->jobs[i].num_ops = i % 5 != 0;
	}
	ASSERT_EQ(submit_fill(self->a), 0);
	ASSERT_EQ(submit_all(self->a, self->jobs, JOBS, &many), 0);
	EXPECT_EQ(many.first, 2);
	EXPECT_EQ(many.out_fence, -1);
	EXPECT_EQ(self->jobs[0].point, 0);
	ASSERT_EQ(sluice_wait(self->a, JOBS + 1, LATE_MS), 0);
	ASSERT_EQ(read_all(self->a, done, 1), 1);
	ASSERT_EQ(read_all(self->a, done, JOBS), JOBS);
	ASSERT_EQ(sluice_map(self->buffer, SIZE, (void **)&words), 0);
	ASSERT_EQ(sluice_cpu_begin(self->buffer, false), 0);
	for (i = 0; i < JOBS; i++) {
		EXPECT_EQ(done[i].point, (uint64_t)i + 2);
		EXPECT_EQ(done[i].user_data, (uint64_t)i);
		EXPECT_EQ(done[i].status, 0);
		if (i % 5)
			EXPECT_EQ(words[i], 0x1000U + i);
	}
	sluice_cpu_end(self->buffer, false);
	munmap(words, SIZE);
}

TEST_F(batch, fences_of_the_jobs_are_those_of_single_jobs)
{
	struct pollfd pollfd = { .fd = self->buffer, .events = POLLOUT };
	struct sluice_export_fence first = { .point = 1 };
	struct sluice_submit_many many;
	struct gate gate;
	int i;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	for (i = 0; i < 40; i++)
		fill_word(&self->jobs[i], &self->ops[i], i);
	self->jobs[39].flags = SLUICE_SUBMIT_OUT_FENCE;
	ASSERT_EQ(submit_all(self->a, self->jobs, 40, &many), 0);
	ASSERT_GE(many.out_fence, 0);
	EXPECT_EQ(fcntl(many.out_fence, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(xioctl(self->a, SLUICE_IOCTL_FENCE, &first), 0);
	/* a job of another queue waits for the buffer, and poll() does, too */
	ASSERT_EQ(submit_fill(self->b), 0);
	EXPECT_EQ(sluice_wait(self->b, 1, 50), -ETIME);
	EXPECT_EQ(poll(&pollfd, 1, 0), 0);
	EXPECT_FALSE(signalled(first.fd));
	EXPECT_FALSE(signalled(many.out_fence));
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(self->b, 1, LATE_MS), 0);
	EXPECT_TRUE(signalled(many.out_fence));
	EXPECT_GE(fence_time(many.out_fence), fence_time(first.fd));
	EXPECT_EQ(poll(&pollfd, 1, LATE_MS), 1);
	close(first.fd);
	close(many.out_fence);
}

/* Readers and writers of one buffer in turns: its dma_resv gets fences of both kinds. */
TEST_F(batch, jobs_of_a_call_read_and_write_one_buffer)
{
	int other = sluice_alloc(self->device, 0, SIZE, 0), slot = sluice_attach(self->a, other, 0);
	struct sluice_submit_many many;
	int i;

	close(other);
	for (i = 0; i < 64; i++) {
		fill_word(&self->jobs[i], &self->ops[i], i);
		if (i % 2)
			sluice_op_copy(&self->ops[i], slot, 0, 0, 0, 4);
		else if (i % 4)
			sluice_op_copy(&self->ops[i], 0, 0, slot, 0, 4);
	}
	for (i = 0; i < 20; i++)
		ASSERT_EQ(submit_all(self->a, self->jobs, 64, &many), i < 4 ? 0 : -EBUSY);
	EXPECT_EQ(sluice_wait(self->a, 4 * 64, LATE_MS), 0);
}

TEST_F(batch, bad_job_leaves_nothing_submitted)
{
	struct sluice_in_point in_point = { .queue = self->a, .point = 1 };
	int32_t fence = 9999;
	struct sluice_submit bad[7] = {};
	static const int errors[7] = {
		-ENOENT, -ERANGE, -EBADF, -EINVAL, -EINVAL, -E2BIG, -EFAULT,
	};
	struct sluice_submit_many many;
	struct sluice_op ops[3];
	unsigned int i, at, failed;

	sluice_op_fill(&ops[0], 7, 0, 4, 0);
	sluice_op_fill(&ops[1], 0, SIZE, 4, 0);
	sluice_op_fill(&ops[2], 0, 0, 4, 0);
	ops[2].kind = 99;
	for (i = 0; i < 7; i++)
		fill_word(&bad[i], &self->ops[0], 0);
	bad[0].ops = (uintptr_t)&ops[0];
	bad[1].ops = (uintptr_t)&ops[1];
	bad[2].num_ops = 0;
	bad[2].in_fences = (uintptr_t)&fence;
	bad[2].num_in_fences = 1;
	bad[3].num_ops = 0;
	bad[3].in_points = (uintptr_t)&in_point;	/* of this call: not submitted yet */
	bad[3].num_in_points = 1;
	bad[4].ops = (uintptr_t)&ops[2];
	bad[5].num_ops = SLUICE_MAX_OPS;	/* and one more in each job before */
	bad[6].ops = AWAY;
	for (i = 0; i < 7; i++)
		for (at = 1; at < 50; at += 7) {
			unsigned int j;

			for (j = 0; j < 50; j++)
				fill_word(&self->jobs[j], &self->ops[j], j);
			self->jobs[at] = bad[i];
			EXPECT_EQ(submit_all(self->a, self->jobs, 50, &many), errors[i]);
			EXPECT_EQ(many.failed, at);
			EXPECT_EQ(many.first, 0);
			EXPECT_EQ(many.out_fence, -1);
		}
	EXPECT_EQ(sluice_wait(self->a, 1, 0), -EINVAL);
	/* the library tells the job, too */
	for (i = 0; i < 50; i++)
		fill_word(&self->jobs[i], &self->ops[i], i);
	self->jobs[3] = bad[0];
	EXPECT_EQ(sluice_submit_many(self->a, self->jobs, 50, &failed), -ENOENT);
	EXPECT_EQ(failed, 3);
	fill_word(&self->jobs[3], &self->ops[3], 3);
	EXPECT_EQ(sluice_submit_many(self->a, self->jobs, 50, NULL), 0);
	EXPECT_EQ(self->jobs[49].point, 50);
	EXPECT_EQ(sluice_wait(self->a, 50, LATE_MS), 0);
}

TEST_F(batch, bad_structs_are_refused)
{
	struct sluice_submit_many many = {};
	char longer[2][80] = {};

	EXPECT_EQ(submit_all(self->a, self->jobs, 0, &many), -EINVAL);
	EXPECT_EQ(submit_all(self->a, self->jobs, SLUICE_MAX_JOBS + 1, &many), -E2BIG);
	EXPECT_EQ(many.failed, SLUICE_MAX_JOBS + 1);
	EXPECT_EQ(submit_all(self->a, (void *)AWAY, 2, &many), -EFAULT);
	self->jobs[1].flags = SLUICE_SUBMIT_OUT_FENCE;
	EXPECT_EQ(submit_all(self->a, self->jobs, 3, &many), -EINVAL);
	EXPECT_EQ(many.failed, 1);
	self->jobs[1].flags = 1U << 31;
	EXPECT_EQ(submit_all(self->a, self->jobs, 3, &many), -EINVAL);
	self->jobs[1].flags = 0;
	many = (struct sluice_submit_many) {
		.jobs = (uintptr_t)longer, .num_jobs = 2, .job_size = SLUICE_JOB_SIZE_V1 - 8,
	};
	EXPECT_EQ(xioctl(self->a, SLUICE_IOCTL_SUBMIT_MANY, &many), -EINVAL);
	many.job_size = SLUICE_MAX_RECORD_SIZE + 1;
	EXPECT_EQ(xioctl(self->a, SLUICE_IOCTL_SUBMIT_MANY, &many), -E2BIG);
	many.job_size = sizeof(longer[0]);
	many.flags = 1;
	EXPECT_EQ(xioctl(self->a, SLUICE_IOCTL_SUBMIT_MANY, &many), -EINVAL);
	many.flags = 0;
	many.reserved = 1;
	EXPECT_EQ(xioctl(self->a, SLUICE_IOCTL_SUBMIT_MANY, &many), -EINVAL);
	many.reserved = 0;
	longer[1][79] = 1;
	EXPECT_EQ(xioctl(self->a, SLUICE_IOCTL_SUBMIT_MANY, &many), -E2BIG);
	EXPECT_EQ(many.failed, 1);
	longer[1][79] = 0;
	EXPECT_EQ(xioctl(self->a, SLUICE_IOCTL_SUBMIT_MANY, &many), 0);
	EXPECT_EQ(many.first, 1);
	/* a job as the first version of SUBMIT had it */
	many.job_size = SLUICE_JOB_SIZE_V1;
	EXPECT_EQ(xioctl(self->a, SLUICE_IOCTL_SUBMIT_MANY, &many), 0);
	EXPECT_EQ(many.first, 3);
	/* the largest call */
	EXPECT_EQ(sluice_wait(self->a, 4, LATE_MS), 0);
	EXPECT_EQ(submit_all(self->b, self->jobs, SLUICE_MAX_JOBS, &many), 0);
	EXPECT_EQ(sluice_wait(self->b, SLUICE_MAX_JOBS, LATE_MS), 0);
}

TEST_F(batch, queue_has_room_for_all_jobs_or_for_none)
{
	struct sluice_create_queue create = { .depth = 4 };
	struct sluice_submit_many many;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	EXPECT_EQ(submit_all(create.fd, self->jobs, 5, &many), -EBUSY);
	EXPECT_EQ(many.failed, 5);
	EXPECT_EQ(submit_all(create.fd, self->jobs, 3, &many), 0);
	EXPECT_EQ(submit_all(create.fd, self->jobs, 2, &many), -EBUSY);
	EXPECT_EQ(submit_all(create.fd, self->jobs, 1, &many), 0);
	EXPECT_EQ(many.first, 4);
	close(create.fd);
}

struct canceller {
	int queue;
	atomic_bool stop;
};

static void *cancel_all(void *data)
{
	struct canceller *canceller = data;

	while (!canceller->stop)
		sluice_cancel(canceller->queue, 1, UINT64_MAX);
	return NULL;
}

TEST_F(batch, jobs_are_cancelled_while_they_are_submitted)
{
	struct canceller canceller = { .queue = self->a };
	struct sluice_submit_many many;
	pthread_t thread;
	int i, j, ret;

	for (i = 0; i < 100; i++) {
		fill_word(&self->jobs[i], &self->ops[i], i);
		self->jobs[i].num_ops = i % 3 != 0;
		self->jobs[i].flags = SLUICE_SUBMIT_NO_COMPLETION;
	}
	ASSERT_EQ(pthread_create(&thread, NULL, cancel_all, &canceller), 0);
	for (i = 0; i < ROUNDS / 4; i++) {
		ASSERT_EQ(submit_all(self->a, self->jobs, 100, &many), 0);
		for (j = 0; j < 100; j++) {
			ret = sluice_wait(self->a, many.first + j, LATE_MS);
			if (ret != -ECANCELED)
				EXPECT_EQ(ret, 0);
		}
	}
	canceller.stop = true;
	pthread_join(thread, NULL);
}

/* io_uring */

static int uring_many(struct io_uring *ring, int queue, struct sluice_submit_many *many,
		      struct sluice_completion *completions, unsigned int size)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	sluice_prep_submit_many(sqe, queue, many, completions);
	if (size)
		sqe->cmd_op = _IOC(_IOC_READ | _IOC_WRITE, SLUICE_IOCTL_BASE,
				   _IOC_NR(SLUICE_URING_SUBMIT_MANY), size);
	return io_uring_submit(ring) == 1 ? 0 : -EIO;
}

static bool has_uring(int device)
{
	struct sluice_info info;

	return !sluice_device_info(device, &info) && info.caps & SLUICE_CAP_URING;
}

TEST_F(batch, request_of_many_jobs_completes_with_the_last)
{
	static struct sluice_completion done[JOBS];
	struct sluice_submit_many many = {
		.jobs = (uintptr_t)self->jobs, .num_jobs = JOBS, .job_size = sizeof(*self->jobs),
	};
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	struct gate gate;
	int i;

	if (!has_uring(self->device) || io_uring_queue_init(4, &ring, 0))
		SKIP(return, "no io_uring in this kernel");
	for (i = 0; i < JOBS; i++)
		fill_word(&self->jobs[i], &self->ops[i], i);
	memset(done, 0xff, sizeof(done));
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(uring_many(&ring, self->a, &many, done, 0), 0);
	EXPECT_EQ(many.first, 1);
	EXPECT_EQ(done[0].point, 0);
	usleep(20000);
	EXPECT_EQ(io_uring_peek_cqe(&ring, &cqe), -EAGAIN);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(ring_result(&ring, NULL), 0);
	for (i = 0; i < JOBS; i++) {
		EXPECT_EQ(done[i].point, (uint64_t)i + 1);
		EXPECT_EQ(done[i].user_data, (uint64_t)i);
		EXPECT_EQ(done[i].bytes, 4);
	}
	/* without completions; the result is the status of the first job that failed */
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(uring_many(&ring, self->a, &many, NULL, 0), 0);
	EXPECT_EQ(ring_result(&ring, NULL), -EIO);
	EXPECT_EQ(sluice_wait(self->a, JOBS + 1, 0), -EIO);
	EXPECT_EQ(sluice_wait(self->a, 2 * JOBS, 0), 0);
	io_uring_queue_exit(&ring);
}

TEST_F(batch, bad_request_of_many_jobs_is_refused)
{
	struct sluice_submit_many many = {
		.jobs = (uintptr_t)self->jobs, .num_jobs = 8, .job_size = sizeof(*self->jobs),
	};
	struct io_uring ring;

	if (!has_uring(self->device) || io_uring_queue_init(4, &ring, 0))
		SKIP(return, "no io_uring in this kernel");
	self->jobs[5].flags = 1U << 31;
	ASSERT_EQ(uring_many(&ring, self->a, &many, NULL, 0), 0);
	EXPECT_EQ(ring_result(&ring, NULL), -EINVAL);
	EXPECT_EQ(many.failed, 5);
	self->jobs[5].flags = 0;
	ASSERT_EQ(uring_many(&ring, self->a, &many, NULL, 36), 0);
	EXPECT_EQ(ring_result(&ring, NULL), -EINVAL);
	ASSERT_EQ(uring_many(&ring, self->a, &many, (void *)AWAY, 0), 0);
	EXPECT_EQ(ring_result(&ring, NULL), -EFAULT);
	ASSERT_EQ(uring_many(&ring, self->a, (void *)AWAY, NULL, 0), 0);
	EXPECT_EQ(ring_result(&ring, NULL), -EFAULT);
	many.num_jobs = SLUICE_MAX_JOBS + 1;
	ASSERT_EQ(uring_many(&ring, self->a, &many, NULL, 0), 0);
	EXPECT_EQ(ring_result(&ring, NULL), -E2BIG);
	EXPECT_EQ(many.failed, SLUICE_MAX_JOBS + 1);
	EXPECT_EQ(sluice_wait(self->a, 1, 0), -EINVAL);
	io_uring_queue_exit(&ring);
}

TEST_F(batch, closed_ring_leaves_no_job_running)
{
	static struct sluice_completion done[JOBS];
	struct sluice_submit_many many = {
		.jobs = (uintptr_t)self->jobs, .num_jobs = JOBS, .job_size = sizeof(*self->jobs),
	};
	struct io_uring ring;
	struct gate gate;
	int i;

	if (!has_uring(self->device) || io_uring_queue_init(4, &ring, 0))
		SKIP(return, "no io_uring in this kernel");
	if (system("grep -qw io_uring_cmd_mark_cancelable /proc/kallsyms"))
		SKIP(return, "this kernel does not cancel commands of io_uring");
	for (i = 0; i < JOBS; i++)
		fill_word(&self->jobs[i], &self->ops[i], i);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(uring_many(&ring, self->a, &many, done, 0), 0);
	io_uring_queue_exit(&ring);
	EXPECT_EQ(sluice_wait(self->a, JOBS, LATE_MS), -ECANCELED);
	EXPECT_EQ(sluice_wait(self->a, 1, LATE_MS), -ECANCELED);
	ASSERT_EQ(gate_open(&gate), 0);
}

TEST_HARNESS_MAIN
