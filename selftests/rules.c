// SPDX-License-Identifier: MIT
/*
 * Rules that a queue keeps whatever its users do: no user delays another, no error is lost, and no
 * process sleeps on a queue that has ended.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

#define SIZE 4096UL
#define HOGS 3
#define OPS 8	/* small enough that SUBMIT may run them itself */
#define PREEMPT "/sys/kernel/debug/sched/preempt"

FIXTURE(rules) {
	struct objects before;
	int device, queue, buffer;
};

FIXTURE_SETUP(rules)
{
	self->before = objects_before();
	knob("delay_us", 0);
	self->device = sluice_open("soft0");
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	self->queue = patient_queue(self->device, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
}

FIXTURE_TEARDOWN(rules)
{
	knob("delay_us", 0);
	knob("hang_next", 0);
	knob("fail_next", 0);
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

TEST_F(rules, an_errno_as_a_fence_is_refused)
{
	static const int bad[] = { -2, -ENOENT, -EBADF, -ENOMEM, -EMFILE, -4096, INT32_MIN };
	uint64_t point;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(fill(self->queue, bad[i], NULL), -EBADF);
		EXPECT_EQ(sluice_submit_after(self->queue, NULL, 0, &bad[i], 1, NULL, 0, NULL),
			  -EBADF);
		EXPECT_EQ(sluice_fence_wait(bad[i], -1), -EBADF);
		EXPECT_EQ(sluice_fence_merge(bad[i], bad[i]), -EBADF);
		EXPECT_EQ(sluice_fence_import(self->buffer, bad[i], true), -EINVAL);
	}
	EXPECT_EQ(sluice_submit_after(self->queue, NULL, 0, (int[]){ -1 }, 1, NULL, 0, NULL),
		  -EBADF);
	/* none of these jobs was submitted */
	ASSERT_EQ(sluice_submit(self->queue, NULL, 0, -1, NULL, 0, &point), 0);
	EXPECT_EQ(point, 1);
}

/* Two fences of one queue, the first with an error: given as two in-fences, and merged. */
TEST_F(rules, an_array_of_in_fences_keeps_the_error_that_a_merged_fence_loses)
{
	int other = patient_queue(self->device, 1), fences[2], merged;
	uint64_t after, of_merged;
	struct gate gate;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill(self->queue, -1, &fences[0]), 0);
	ASSERT_EQ(fill(self->queue, -1, &fences[1]), 0);
	merged = sluice_fence_merge(fences[0], fences[1]);
	ASSERT_GE(merged, 0);
	ASSERT_EQ(sluice_submit_after(other, NULL, 0, fences, 2, NULL, 0, &after), 0);
	ASSERT_EQ(sluice_submit(other, NULL, 0, merged, NULL, 0, &of_merged), 0);
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(fences[0], LATE_MS), -EIO);
	EXPECT_EQ(sluice_fence_wait(fences[1], LATE_MS), 0);
	EXPECT_EQ(sluice_wait(other, after, LATE_MS), -ECANCELED);
	/* as documented; a kernel that keeps both fences would be no worse */
	EXPECT_EQ(sluice_wait(other, of_merged, LATE_MS), 0);
	close(merged);
	close(fences[0]);
	close(fences[1]);
	close(other);
}

TEST_F(rules, a_queue_that_chains_errors_goes_on_when_it_is_cleared)
{
	struct sluice_create_queue create = { .flags = SLUICE_QUEUE_CHAIN_ERRORS };
	struct sluice_cancel clear = {
		.first = 1, .last = UINT64_MAX, .flags = SLUICE_CANCEL_CLEAR,
	};
	struct sluice_info info;
	struct gate gate;
	int merged, fences[4], i;

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_TRUE(info.caps & SLUICE_CAP_CHAIN_ERRORS);
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(fill(create.fd, -1, &fences[i]), 0);
	merged = sluice_fence_merge(fences[0], fences[3]);
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(fences[0], LATE_MS), -EIO);
	for (i = 1; i < 4; i++)
		EXPECT_EQ(sluice_fence_wait(fences[i], LATE_MS), -ECANCELED);
	EXPECT_EQ(sluice_fence_wait(merged, LATE_MS), -ECANCELED);
	/* later jobs do not run either, until the error is cleared */
	ASSERT_EQ(fill(create.fd, -1, NULL), 0);
	EXPECT_EQ(sluice_wait(create.fd, 5, LATE_MS), -ECANCELED);
	ASSERT_EQ(sluice_submit(create.fd, NULL, 0, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(create.fd, 6, LATE_MS), -ECANCELED);
	ASSERT_EQ(xioctl(create.fd, SLUICE_IOCTL_CANCEL, &clear), 0);
	EXPECT_EQ(clear.cancelled, 0);
	ASSERT_EQ(fill(create.fd, -1, NULL), 0);
	EXPECT_EQ(sluice_wait(create.fd, 7, LATE_MS), 0);
	/* CANCEL does not set the error */
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill(create.fd, -1, NULL), 0);
	ASSERT_EQ(fill(create.fd, -1, NULL), 0);
	EXPECT_EQ(sluice_cancel(create.fd, 8, 8), 1);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(create.fd, 8, LATE_MS), -ECANCELED);
	EXPECT_EQ(sluice_wait(create.fd, 9, LATE_MS), 0);
	clear.flags = SLUICE_CANCEL_CLEAR << 1;
	EXPECT_EQ(xioctl(create.fd, SLUICE_IOCTL_CANCEL, &clear), -EINVAL);
	close(merged);
	for (i = 0; i < 4; i++)
		close(fences[i]);
	close(create.fd);
}

/* A thread that reads a queue. */
struct reader {
	int queue;
	pthread_t thread;
	volatile bool reads;
	int result;
	struct sluice_completion completion;
};

static void *read_one(void *argument)
{
	struct reader *reader = argument;

	reader->reads = true;
	reader->result = sluice_read(reader->queue, &reader->completion, 1);
	return NULL;
}

static bool reader_start(struct reader *reader, int queue)
{
	*reader = (struct reader) { .queue = queue };
	if (pthread_create(&reader->thread, NULL, read_one, reader))
		return false;
	while (!reader->reads)
		usleep(1000);
	usleep(20000);
	return true;
}

static int reader_end(struct reader *reader)
{
	pthread_join(reader->thread, NULL);
	return reader->result;
}

static void on_signal(int number)
{
	(void)number;
}

TEST_F(rules, a_reader_of_an_idle_queue_can_be_woken)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct reader reader;
	int tries;

	ASSERT_TRUE(reader_start(&reader, self->queue));
	ASSERT_EQ(sluice_submit(self->queue, NULL, 0, -1, NULL, 77, NULL), 0);
	EXPECT_EQ(reader_end(&reader), 1);
	EXPECT_EQ(reader.completion.user_data, 77);
	/* the signal may come before the thread sleeps, so send it again and again */
	ASSERT_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	ASSERT_TRUE(reader_start(&reader, self->queue));
	for (tries = 0; tries < LATE_MS && !pthread_kill(reader.thread, SIGUSR1); tries++) {
		usleep(1000);
		if (reader.result)
			break;
	}
	EXPECT_EQ(reader_end(&reader), -EINTR);
}

TEST_F(rules, a_queue_that_dies_wakes_its_waiters)
{
	struct sluice_create_queue create = { .timeout_ms = 60 };
	struct pollfd pollfd = { .events = POLLIN | POLLOUT };
	struct sluice_completion completion;
	struct reader reader;
	int i;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	pollfd.fd = create.fd;
	ASSERT_EQ(knob("hang_next", SLUICE_MAX_HANGS), 0);
	for (i = 0; i < SLUICE_MAX_HANGS; i++)
		ASSERT_EQ(fill(create.fd, -1, NULL), 0);
	for (i = 0; i < SLUICE_MAX_HANGS - 1; i++) {
		ASSERT_EQ(sluice_read(create.fd, &completion, 1), 1);
		EXPECT_EQ(completion.status, -ETIME);
	}
	/* existing records can still be read, then read() ends */
	EXPECT_EQ(sluice_wait(create.fd, SLUICE_MAX_HANGS, LATE_MS), -ETIME);
	EXPECT_EQ(poll(&pollfd, 1, LATE_MS), 1);
	EXPECT_EQ(pollfd.revents, POLLIN | POLLERR);
	ASSERT_EQ(sluice_read(create.fd, &completion, 1), 1);
	EXPECT_EQ(sluice_read(create.fd, &completion, 1), -EIO);
	EXPECT_EQ(poll(&pollfd, 1, LATE_MS), 1);
	EXPECT_EQ(pollfd.revents, POLLERR);
	close(create.fd);

	/* the open may have a new queue once one of its jobs succeeds */
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), -EIO);
	ASSERT_EQ(fill(self->queue, -1, NULL), 0);
	EXPECT_EQ(sluice_wait(self->queue, 1, LATE_MS), 0);

	/* a reader that sleeps when it happens */
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	for (i = 0; i < SLUICE_MAX_HANGS; i++) {
		struct sluice_submit submit = { .flags = SLUICE_SUBMIT_NO_COMPLETION };
		struct sluice_op op;

		if (i == SLUICE_MAX_HANGS - 1)
			ASSERT_TRUE(reader_start(&reader, create.fd));
		ASSERT_EQ(knob("hang_next", 1), 0);
		sluice_op_fill(&op, 0, 0, SIZE, 1);
		submit.ops = (uintptr_t)&op;
		submit.num_ops = 1;
		ASSERT_EQ(xioctl(create.fd, SLUICE_IOCTL_SUBMIT, &submit), 0);
		ASSERT_EQ(sluice_wait(create.fd, submit.point, LATE_MS), -ETIME);
	}
	EXPECT_EQ(reader_end(&reader), -EIO);
	close(create.fd);
}

/* Run this task on one CPU, with this nice value. */
static void settle_on(unsigned int cpu, int nice)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	setpriority(PRIO_PROCESS, 0, nice);
}

static pid_t spawn_on(unsigned int cpu, int nice, void (*work)(int device), int device)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		settle_on(cpu, nice);
		work(device);
		_exit(1);
	}
	return child;
}

static void be_busy(int device)
{
	(void)device;
	for (;;)
		;
}

static void submit_all_the_time(int device)
{
	int buffer = sluice_alloc(device, 0, SIZE, 0), queue = sluice_queue_create(device, 0);
	struct sluice_submit submit = { .flags = SLUICE_SUBMIT_NO_COMPLETION, .num_ops = OPS };
	struct sluice_op ops[OPS];
	int i;

	sluice_attach(queue, buffer, 0);
	for (i = 0; i < OPS; i++)
		sluice_op_fill(&ops[i], 0, 0, SIZE, i);
	submit.ops = (uintptr_t)ops;
	for (;;)
		xioctl(queue, SLUICE_IOCTL_SUBMIT, &submit);
}

/* The kernel's preemption mode, the word in brackets; false if the kernel does not tell. */
static bool preemption(char word[16])
{
	FILE *file = fopen(PREEMPT, "re");
	bool found = file && fscanf(file, "%*[^(](%15[^)])", word) == 1;

	if (file && !found) {
		rewind(file);
		found = fscanf(file, "(%15[^)])", word) == 1;
	}
	if (file)
		fclose(file);
	return found;
}

/*
 * A process with nice 19 submits all the time, and rarely gets its CPU, because other processes are
 * busy on it.  A job of another process, on another CPU, must not wait until then.  The limit is
 * wide, because a busy host may stop the guest as well.
 */
TEST_F_TIMEOUT(rules, a_submitter_without_a_cpu_delays_no_other_process, 180)
{
	int64_t end = now_ns() + 20000000000LL, held = 0, began, took, longest = 0;
	pid_t children[HOGS + 1];
	unsigned int jobs = 0, i;
	char before[16];
	bool restore;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "this machine has one processor");
	/* if the mode can be chosen: preempt also in the kernel */
	restore = preemption(before) && !write_text(PREEMPT, "full");
	children[0] = spawn_on(0, 19, submit_all_the_time, self->device);
	for (i = 1; i <= HOGS; i++)
		children[i] = spawn_on(0, 0, be_busy, -1);
	settle_on(1, 0);
	while (now_ns() < end) {
		began = now_ns();
		ASSERT_EQ(fill(self->queue, -1, NULL), 0);
		ASSERT_EQ(sluice_wait(self->queue, ++jobs, LATE_MS), 0);
		took = now_ns() - began;
		longest = took > longest ? took : longest;
		if (took > 200000000)
			held += took;
		if (jobs % 64 == 0) {
			struct sluice_completion completions[64];

			ASSERT_EQ(sluice_read(self->queue, completions, 64), 64);
		}
		usleep(1000);
	}
	for (i = 0; i <= HOGS; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	if (restore)
		EXPECT_EQ(write_text(PREEMPT, before), 0);
	TH_LOG("%u jobs, the slowest took %lld ms; preemption %s", jobs,
	       (long long)longest / 1000000, restore ? "full" : "as it was");
	EXPECT_LT(held, 3000000000LL);
}

TEST_HARNESS_MAIN
