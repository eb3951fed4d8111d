// SPDX-License-Identifier: MIT
/* Jobs through io_uring, on every kind of ring; and other requests of io_uring on a queue. */
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "rings.h"
#include "sluice.h"

#define SOFT_DRIVER	"/sys/bus/platform/drivers/sluice-soft"
#define SIZE		(64 << 10)
#define BATCH		32
#define AWAY		((void *)8)	/* an address that is not mapped */

/** struct request - a job on its way through a ring */
struct request {
	struct sluice_op op;
	struct sluice_submit submit;
	struct sluice_completion completion;
};

FIXTURE(uring) {
	struct objects before;
	struct io_uring ring;
	bool has_ring;
	int device, queue, buffer, slot;
	struct request requests[BATCH];
};

FIXTURE_VARIANT(uring) {
	unsigned int setup;	/* flags of the ring */
	unsigned int sqe;	/* flags of each request */
};

FIXTURE_VARIANT_ADD(uring, plain) {};
FIXTURE_VARIANT_ADD(uring, deferred) {
	.setup = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
};
FIXTURE_VARIANT_ADD(uring, sqpoll) { .setup = IORING_SETUP_SQPOLL };
FIXTURE_VARIANT_ADD(uring, fixed_file) { .sqe = IOSQE_FIXED_FILE };
FIXTURE_VARIANT_ADD(uring, worker) { .sqe = IOSQE_ASYNC };
FIXTURE_VARIANT_ADD(uring, large) { .setup = IORING_SETUP_SQE128 | IORING_SETUP_CQE32 };

/* Can this kernel cancel commands?  It can if it has io_uring_cmd_mark_cancelable(). */
static bool kernel_cancels(void)
{
	return !system("grep -qw io_uring_cmd_mark_cancelable /proc/kallsyms");
}

FIXTURE_SETUP(uring)
{
	struct sluice_info info;
	int ret;

	self->before = objects_before();
	knob("delay_us", 0);
	self->has_ring = false;
	self->device = sluice_open("soft0");
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	self->queue = patient_queue(self->device, 0);
	self->slot = sluice_attach(self->queue, self->buffer, 0);
	ASSERT_EQ(self->slot, 0);
	ret = io_uring_queue_init(2 * BATCH, &self->ring, variant->setup);
	if (ret == -ENOSYS || ret == -EPERM || !(info.caps & SLUICE_CAP_URING))
		SKIP(return, "no io_uring in this kernel");
	ASSERT_EQ(ret, 0);
	self->has_ring = true;
	ASSERT_EQ(io_uring_register_files(&self->ring, &self->queue, 1), 0);
}

FIXTURE_TEARDOWN(uring)
{
	knob("delay_us", 0);
	if (self->has_ring)
		io_uring_queue_exit(&self->ring);
	close(self->queue);
	close(self->buffer);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

static struct request *fill_request(struct request *request, unsigned int number)
{
	memset(request, 0, sizeof(*request));
	memset(&request->completion, 0xff, sizeof(request->completion));
	sluice_op_fill(&request->op, 0, number * 64, 64, 0x10000 + number);
	request->submit.ops = (uintptr_t)&request->op;
	request->submit.num_ops = 1;
	request->submit.user_data = 1000 + number;
	return request;
}

static struct io_uring_sqe *push(struct io_uring *ring, int queue, unsigned int flags,
				 struct sluice_submit *submit,
				 struct sluice_completion *completion, uint64_t user_data)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	sluice_prep_submit(sqe, flags & IOSQE_FIXED_FILE ? 0 : queue, submit, completion);
	sqe->flags = flags;
	sqe->user_data = user_data;
	return sqe;
}

#define PUSH(number) \
	push(&self->ring, self->queue, variant->sqe, \
	     &fill_request(&self->requests[number], number)->submit, \
	     &self->requests[number].completion, number)

/* Wait until a request has its point, and the queue has its job. */
static void wait_accepted(int queue, const struct request *request)
{
	const volatile __u64 *point = &request->submit.point;
	int tries;

	for (tries = 0; tries < LATE_MS; tries++) {
		if (*point && sluice_wait(queue, *point, 0) != -EINVAL)
			return;
		usleep(1000);
	}
	printf("# nobody takes the job\n");
}

/* Submit the pushed requests.  A polling thread may count requests that it has done already. */
static int go(struct io_uring *ring)
{
	int ret = io_uring_submit(ring);

	return ret < 0 ? ret : 0;
}

/* Run one request to its end. */
static int once(struct io_uring *ring, struct io_uring_sqe *sqe)
{
	uint64_t expected = sqe->user_data, user_data = ~expected;
	int ret = go(ring);

	if (ret)
		return ret;
	ret = ring_result(ring, &user_data);
	return user_data == expected ? ret : -EPROTO;
}

TEST_F(uring, a_batch_of_32_is_one_call_and_32_completions)
{
	bool ordered = !(variant->sqe & IOSQE_ASYNC);
	struct pollfd pollfd = { .fd = self->queue, .events = POLLIN };
	uint64_t number, points = 0;
	uint32_t *words;
	int i, j;

	for (i = 0; i < BATCH; i++)
		PUSH(i);
	ASSERT_EQ(go(&self->ring), 0);
	for (i = 0; i < BATCH; i++) {
		struct sluice_completion *completion;

		ASSERT_EQ(ring_result(&self->ring, &number), 0);
		ASSERT_LT(number, BATCH);
		completion = &self->requests[number].completion;
		EXPECT_EQ(completion->point, self->requests[number].submit.point);
		if (ordered)
			EXPECT_EQ(completion->point, number + 1);
		points |= 1ULL << completion->point;
		EXPECT_EQ(completion->user_data, 1000 + number);
		EXPECT_EQ(completion->status, 0);
		EXPECT_EQ(completion->flags, 0);
		EXPECT_EQ(completion->bytes, 64);
		EXPECT_GT(completion->timestamp, 0);
		EXPECT_LE((int64_t)completion->timestamp, now_ns());
		EXPECT_EQ(completion->sequence, 0);
		EXPECT_EQ(completion->dropped, 0);
		EXPECT_EQ(completion->reserved, 0);
		EXPECT_EQ(self->requests[number].submit.out_fence, -1);
		EXPECT_EQ(self->requests[number].submit.flags, 0);
	}
	EXPECT_EQ(points, 0x1fffffffeULL);

	/* no record is left, and the queue is as empty as before */
	EXPECT_EQ(poll(&pollfd, 1, 0), 0);
	ASSERT_EQ(sluice_map(self->buffer, SIZE, (void **)&words), 0);
	ASSERT_EQ(sluice_cpu_begin(self->buffer, false), 0);
	for (i = 0; i < BATCH; i++)
		for (j = 0; j < 16; j++)
			EXPECT_EQ(words[i * 16 + j], 0x10000U + i);
	sluice_cpu_end(self->buffer, false);
	munmap(words, SIZE);
}

TEST_F(uring, a_slow_job_completes_when_it_has_ended)
{
	struct request *request = &self->requests[0];
	struct io_uring_cqe *cqe;
	struct gate gate;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	PUSH(0);
	ASSERT_EQ(go(&self->ring), 0);
	wait_accepted(self->queue, request);
	usleep(50000);
	EXPECT_EQ(io_uring_peek_cqe(&self->ring, &cqe), -EAGAIN);
	/* the completion is cleared until the job ends */
	EXPECT_EQ(request->completion.point, 0);
	EXPECT_EQ(request->submit.point, 1);
	ASSERT_EQ(gate_open(&gate), 0);
	ASSERT_EQ(ring_result(&self->ring, NULL), 0);
	EXPECT_EQ(request->completion.point, 1);
	EXPECT_EQ(request->completion.bytes, 64);
	EXPECT_EQ(sluice_wait(self->queue, 1, 0), 0);
}

TEST_F(uring, a_completion_is_not_required)
{
	push(&self->ring, self->queue, variant->sqe,
	     &fill_request(&self->requests[0], 0)->submit, NULL, 5);
	ASSERT_EQ(go(&self->ring), 0);
	EXPECT_EQ(ring_result(&self->ring, NULL), 0);
	knob("delay_us", 20000);
	EXPECT_EQ(once(&self->ring, push(&self->ring, self->queue, variant->sqe,
					 &fill_request(&self->requests[0], 0)->submit, NULL, 5)),
		  0);
}

TEST_F(uring, fences_go_in_and_out)
{
	int other = patient_queue(self->device, 1), slot, slow;
	struct sluice_op op;
	struct gate gate;
	int32_t fence;

	/* a job of another queue that ends late, and does not touch the test's buffer */
	slot = sluice_alloc(self->device, 0, 4096, 0);
	ASSERT_EQ(sluice_attach(other, slot, 0), 0);
	close(slot);
	ASSERT_EQ(gate_shut(&gate, 1), 0);
	sluice_op_fill(&op, 0, 0, 4096, 1);
	ASSERT_EQ(sluice_submit(other, &op, 1, -1, &slow, 0, NULL), 0);

	PUSH(0);
	self->requests[0].submit.flags = SLUICE_SUBMIT_OUT_FENCE;
	self->requests[0].submit.in_fences = (uintptr_t)&slow;
	self->requests[0].submit.num_in_fences = 1;
	ASSERT_EQ(go(&self->ring), 0);
	wait_accepted(self->queue, &self->requests[0]);
	EXPECT_EQ(sluice_wait(self->queue, 1, 50), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	ASSERT_EQ(ring_result(&self->ring, NULL), 0);
	EXPECT_TRUE(signalled(slow));
	fence = self->requests[0].submit.out_fence;
	ASSERT_GE(fence, 0);
	EXPECT_TRUE(signalled(fence));
	EXPECT_EQ(fcntl(fence, F_GETFD), FD_CLOEXEC);
	EXPECT_GE(fence_time(fence), fence_time(slow));
	close(fence);
	close(slow);
	close(other);
}

TEST_F(uring, a_failed_job_tells_its_status_and_breaks_its_chain)
{
	uint64_t number;

	knob("fail_next", 1);
	PUSH(0)->flags |= IOSQE_IO_LINK;
	PUSH(1)->flags |= IOSQE_IO_LINK;
	PUSH(2);
	ASSERT_EQ(go(&self->ring), 0);
	EXPECT_EQ(ring_result(&self->ring, &number), -EIO);
	EXPECT_EQ(number, 0);
	EXPECT_EQ(self->requests[0].completion.status, -EIO);
	EXPECT_EQ(ring_result(&self->ring, &number), -ECANCELED);
	EXPECT_EQ(ring_result(&self->ring, &number), -ECANCELED);
	/* the second request was never submitted */
	EXPECT_EQ(self->requests[1].submit.point, 0);
	EXPECT_EQ(sluice_wait(self->queue, 2, 0), -EINVAL);
}

TEST_F(uring, linked_jobs_go_one_after_the_other)
{
	uint64_t number;
	int i;

	knob("delay_us", 10000);
	for (i = 0; i < 4; i++)
		PUSH(i)->flags |= i < 3 ? IOSQE_IO_LINK : 0;
	ASSERT_EQ(go(&self->ring), 0);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(ring_result(&self->ring, &number), 0);
		EXPECT_EQ(number, i);
		EXPECT_EQ(self->requests[i].completion.point, i + 1);
		if (i)
			EXPECT_GT(self->requests[i].completion.timestamp,
				  self->requests[i - 1].completion.timestamp + 10000000);
	}
}

TEST_F(uring, a_hanging_job_ends_with_ETIME)
{
	struct sluice_create_queue create = { .timeout_ms = 100 };

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffer, 0), 0);
	knob("hang_next", 1);
	push(&self->ring, create.fd, variant->sqe & ~IOSQE_FIXED_FILE,
	     &fill_request(&self->requests[0], 0)->submit, &self->requests[0].completion, 7);
	ASSERT_EQ(go(&self->ring), 0);
	EXPECT_EQ(ring_result(&self->ring, NULL), -ETIME);
	EXPECT_EQ(self->requests[0].completion.status, -ETIME);
	close(create.fd);
}

TEST_F(uring, a_refused_command_completes_with_its_errno_and_submits_nothing)
{
	struct {
		struct sluice_submit submit;
		uint64_t more;
	} longer = {};
	struct io_uring_sqe *sqe;

	sqe = PUSH(0);
	self->requests[0].op.kind = 99;
	EXPECT_EQ(once(&self->ring, sqe), -EINVAL);
	EXPECT_EQ(self->requests[0].completion.point, 0);
	sqe = PUSH(0);
	self->requests[0].op.dst = 7;
	EXPECT_EQ(once(&self->ring, sqe), -ENOENT);
	sqe = PUSH(0);
	self->requests[0].submit.flags = ~0U;
	EXPECT_EQ(once(&self->ring, sqe), -EINVAL);
	sqe = PUSH(0);
	self->requests[0].submit.ops = (uintptr_t)AWAY;
	EXPECT_EQ(once(&self->ring, sqe), -EFAULT);

	/* the command itself */
	sqe = PUSH(0);
	sqe->cmd_op = SLUICE_IOCTL_SUBMIT;
	EXPECT_EQ(once(&self->ring, sqe), -EOPNOTSUPP);
	sqe = PUSH(0);
	sqe->cmd_op = 0;
	EXPECT_EQ(once(&self->ring, sqe), -EOPNOTSUPP);
	sqe = PUSH(0);
	sqe->cmd_op = _IOWR(SLUICE_IOCTL_BASE, _IOC_NR(SLUICE_URING_SUBMIT), char[48]);
	EXPECT_EQ(once(&self->ring, sqe), -EINVAL);
	EXPECT_EQ(once(&self->ring, push(&self->ring, self->queue, variant->sqe, AWAY,
					 &self->requests[0].completion, 1)), -EFAULT);
	EXPECT_EQ(once(&self->ring, push(&self->ring, self->queue, variant->sqe,
					 &fill_request(&self->requests[0], 0)->submit, AWAY, 1)),
		  -EFAULT);
	sqe = PUSH(0);
	sqe->uring_cmd_flags = IORING_URING_CMD_FIXED;
	/* io_uring itself may look up the buffer first */
	EXPECT_TRUE(once(&self->ring, sqe) < 0);

	/* a longer struct, of a newer header */
	sqe = push(&self->ring, self->queue, variant->sqe, &longer.submit, NULL, 1);
	sqe->cmd_op = _IOWR(SLUICE_IOCTL_BASE, _IOC_NR(SLUICE_URING_SUBMIT), longer);
	longer.more = 1;
	EXPECT_EQ(once(&self->ring, sqe), -E2BIG);

	EXPECT_EQ(sluice_wait(self->queue, 1, 0), -EINVAL);
	sqe = push(&self->ring, self->queue, variant->sqe, &longer.submit, NULL, 1);
	sqe->cmd_op = _IOWR(SLUICE_IOCTL_BASE, _IOC_NR(SLUICE_URING_SUBMIT), longer);
	longer.more = 0;
	EXPECT_EQ(once(&self->ring, sqe), 0);
	EXPECT_EQ(longer.submit.point, 1);
}

TEST_F(uring, a_device_has_no_commands)
{
	struct io_uring_sqe *sqe = push(&self->ring, self->device,
					variant->sqe & ~IOSQE_FIXED_FILE,
					&fill_request(&self->requests[0], 0)->submit, NULL, 1);

	EXPECT_EQ(once(&self->ring, sqe), -EOPNOTSUPP);
}

TEST_F(uring, a_full_queue_says_EBUSY)
{
	struct sluice_create_queue create = { .depth = 2 };
	struct sluice_submit submits[3] = {};
	int results[3], i;
	uint64_t number;
	struct gate gate;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffer, 0), 0);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	for (i = 0; i < 3; i++) {
		submits[i] = fill_request(&self->requests[i], i)->submit;
		push(&self->ring, create.fd, variant->sqe & ~IOSQE_FIXED_FILE, &submits[i],
		     NULL, i);
	}
	ASSERT_EQ(go(&self->ring), 0);
	for (i = 0; i < 3; i++) {
		int ret = ring_result(&self->ring, &number);

		ASSERT_LT(number, 3);
		results[number] = ret;
		/* the refused request comes first */
		if (!i)
			ASSERT_EQ(gate_open(&gate), 0);
	}
	EXPECT_EQ(results[0] + results[1] + results[2], -EBUSY);
	if (!(variant->sqe & IOSQE_ASYNC))
		EXPECT_EQ(results[2], -EBUSY);
	close(create.fd);
}

TEST_F(uring, a_completion_that_went_away_is_EFAULT)
{
	struct sluice_completion *completion = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
						    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct gate gate;

	ASSERT_NE(completion, MAP_FAILED);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	push(&self->ring, self->queue, variant->sqe,
	     &fill_request(&self->requests[0], 0)->submit, completion, 1);
	ASSERT_EQ(go(&self->ring), 0);
	wait_accepted(self->queue, &self->requests[0]);
	munmap(completion, 4096);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(ring_result(&self->ring, NULL), -EFAULT);
	EXPECT_EQ(sluice_wait(self->queue, 1, 0), 0);
}

TEST_F(uring, a_ring_that_closes_ends_its_commands)
{
	bool cancels = kernel_cancels();
	int i, ret;

	/* a command that cannot be cancelled must end by itself */
	knob("delay_us", cancels ? 20000000 : 200000);
	for (i = 0; i < 4; i++)
		PUSH(i);
	ASSERT_EQ(go(&self->ring), 0);
	for (i = 0; i < 4; i++)
		wait_accepted(self->queue, &self->requests[i]);
	ASSERT_TRUE(!cancels || wait_running(self->device, 0));
	if (!cancels)
		knob("delay_us", 0);
	io_uring_queue_exit(&self->ring);
	self->has_ring = false;
	for (i = 1; i <= 4; i++) {
		ret = sluice_wait(self->queue, i, LATE_MS);
		EXPECT_EQ(ret, cancels ? -ECANCELED : 0);
	}
	knob("delay_us", 0);
	/* the queue still works */
	EXPECT_EQ(sluice_submit(self->queue, &self->requests[0].op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(self->queue, 5, LATE_MS), 0);
}

TEST_F(uring, a_process_that_is_killed_leaves_nothing_behind)
{
	/* if the kernel cannot cancel commands, the jobs end by their timeouts */
	struct sluice_create_queue create = { .timeout_ms = kernel_cancels() ? 20000 : 300 };
	int ready[2], status, i;
	char byte;
	pid_t pid;

	ASSERT_EQ(pipe(ready), 0);
	knob("hang_next", 1);
	pid = fork();
	if (!pid) {
		struct io_uring ring;

		if (io_uring_queue_init(8, &ring, variant->setup) ||
		    xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create) ||
		    sluice_attach(create.fd, self->buffer, 0))
			_exit(1);
		for (i = 0; i < 4; i++)
			push(&ring, create.fd, variant->sqe & ~IOSQE_FIXED_FILE,
			     &fill_request(&self->requests[i], i)->submit,
			     &self->requests[i].completion, i);
		/* the job hangs, or has hung */
		if (go(&ring) || !wait_hanging() ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ASSERT_EQ(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_TRUE(WIFSIGNALED(status));
	close(ready[0]);
	/* the teardown waits until its queue, jobs and slots are freed */
}

TEST_F(uring, exec_ends_pending_commands)
{
	int status, i;
	pid_t pid;

	/* exec() waits for a command that cannot be cancelled, so that must end by itself */
	knob("delay_us", kernel_cancels() ? 20000000 : 300000);
	pid = fork();
	if (!pid) {
		struct io_uring ring;

		if (io_uring_queue_init(8, &ring, variant->setup))
			_exit(1);
		for (i = 0; i < 3; i++)
			push(&ring, self->queue, variant->sqe & ~IOSQE_FIXED_FILE,
			     &fill_request(&self->requests[i], i)->submit,
			     &self->requests[i].completion, i);
		if (go(&ring))
			_exit(1);
		for (i = 0; i < 3; i++)
			wait_accepted(self->queue, &self->requests[i]);
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

TEST_F(uring, unbind_ends_commands_with_ENODEV)
{
	int i;

	knob("delay_us", 20000000);
	for (i = 0; i < 3; i++)
		PUSH(i);
	ASSERT_EQ(go(&self->ring), 0);
	for (i = 0; i < 3; i++)
		wait_accepted(self->queue, &self->requests[i]);
	ASSERT_TRUE(wait_running(self->device, 0));
	/* unbind returns, although no process has entered the ring since */
	ASSERT_EQ(write_text(SOFT_DRIVER "/unbind", "sluice-soft"), 0);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(ring_result(&self->ring, NULL), -ENODEV);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(self->requests[i].completion.status, -ENODEV);
	EXPECT_EQ(once(&self->ring, PUSH(0)), -ENODEV);
	EXPECT_EQ(self->requests[0].completion.point, 0);
	EXPECT_EQ(write_text(SOFT_DRIVER "/bind", "sluice-soft"), 0);
	for (i = 0; i < 1000 && access("/dev/sluice/soft0", R_OK | W_OK); i++)
		usleep(10000);
}

static void *submitter(void *argument)
{
	struct sluice_submit submit = { .flags = SLUICE_SUBMIT_NO_COMPLETION };
	int queue = *(int *)argument, i;

	/* fewer than the queue can hold, even if none of them ends */
	for (i = 0; i < 100; i++)
		xioctl(queue, SLUICE_IOCTL_SUBMIT, &submit);
	return NULL;
}

TEST_F(uring, the_order_holds_while_others_submit)
{
	pthread_t threads[2];
	uint64_t last, number;
	int round, i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, submitter, &self->queue), 0);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 8; i++)
			PUSH(i);
		ASSERT_EQ(go(&self->ring), 0);
		for (i = 0; i < 8; i++) {
			ASSERT_EQ(ring_result(&self->ring, &number), 0);
			ASSERT_LT(number, 8);
		}
		if (variant->sqe & IOSQE_ASYNC)
			continue;
		for (last = 0, i = 0; i < 8; i++) {
			uint64_t point = self->requests[i].completion.point;

			EXPECT_GT(point, last);
			last = point;
		}
	}
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

/* One after the other: a READ takes the record that the poll would report. */
TEST_F(uring, POLL_ADD_and_READ_work_on_a_queue)
{
	struct sluice_completion completions[2];
	struct io_uring_sqe *sqe;
	struct sluice_op op;
	int i, events;

	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_poll_add(sqe, self->queue, POLLIN);
	io_uring_sqe_set_data64(sqe, 1);
	ASSERT_EQ(go(&self->ring), 0);
	sluice_op_fill(&op, 0, 0, 64, 5);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 77, NULL), 0);
	events = ring_result(&self->ring, NULL);
	EXPECT_GT(events, 0);
	EXPECT_EQ(events & POLLIN, POLLIN);

	/* a record that is there, and one that comes later */
	for (i = 0; i < 2; i++) {
		sqe = io_uring_get_sqe(&self->ring);
		io_uring_prep_read(sqe, self->queue, completions, sizeof(completions), 0);
		io_uring_sqe_set_data64(sqe, 2);
		ASSERT_EQ(go(&self->ring), 0);
		if (i)
			ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 78, NULL), 0);
		EXPECT_EQ(ring_result(&self->ring, NULL), (int)sizeof(completions[0]));
		EXPECT_EQ(completions[0].user_data, 77 + i);
		EXPECT_EQ(completions[0].status, 0);
	}
}

TEST_HARNESS_MAIN
