// SPDX-License-Identifier: MIT
/* Fences: explicit fences as sync_files, implicit fences on the buffers.  Every fence signals. */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define SIZE 65536UL
#define MS 1000000LL

FIXTURE(fence) {
	struct objects before;
	int device, a, b, x, y, ax, ay, bx, by;
};

/* Two queues on different engines, and two buffers, each in a slot of both queues. */
FIXTURE_SETUP(fence)
{
	self->before = objects_before();
	knob("delay_us", 0);
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	self->a = patient_queue(self->device, 0);
	self->b = patient_queue(self->device, 1);
	self->x = sluice_alloc(self->device, 0, SIZE, 0);
	self->y = sluice_alloc(self->device, 1, SIZE, 0);
	self->ax = sluice_attach(self->a, self->x, 0);
	self->ay = sluice_attach(self->a, self->y, 0);
	self->bx = sluice_attach(self->b, self->x, 0);
	self->by = sluice_attach(self->b, self->y, 0);
	ASSERT_EQ(self->ax, 0);
	ASSERT_EQ(self->ay, 1);
	ASSERT_EQ(self->bx, 0);
	ASSERT_EQ(self->by, 1);
}

FIXTURE_TEARDOWN(fence)
{
	knob("delay_us", 0);
	knob("hang_next", 0);
	knob("fail_next", 0);
	close(self->a);
	close(self->b);
	close(self->x);
	close(self->y);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

static int fill(int queue, int slot, uint32_t value, int in_fence, int *out_fence)
{
	struct sluice_op op;

	sluice_op_fill(&op, slot, 0, SIZE, value);
	return sluice_submit(queue, &op, 1, in_fence, out_fence, 0, NULL);
}

TEST_F(fence, out_fence_signals_when_the_job_has_ended)
{
	struct sync_file_info info = {};
	struct sync_fence_info one = {};
	struct gate gate;
	int64_t before;
	int fence;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("delay_us", 200000), 0);
	ASSERT_EQ(fill(self->a, self->ax, 1, -1, &fence), 0);
	EXPECT_FALSE(signalled(fence));
	EXPECT_EQ(sluice_fence_wait(fence, 50), -ETIME);
	before = now_ns();
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), 0);
	EXPECT_GE(now_ns() - before, 200 * MS);
	/* after the fence, the record and the data are there */
	EXPECT_EQ(sluice_wait(self->a, 1, 0), 0);
	EXPECT_EQ(check_value(self->x, SIZE, 1), 0);

	info.num_fences = 1;
	info.sync_fence_info = (uintptr_t)&one;
	ASSERT_EQ(xioctl(fence, SYNC_IOC_FILE_INFO, &info), 0);
	EXPECT_EQ(info.status, 1);
	EXPECT_EQ(info.num_fences, 1);
	EXPECT_GE((int64_t)one.timestamp_ns, before + 200 * MS);
	close(fence);
}

TEST_F(fence, out_fence_names_its_driver_and_timeline)
{
	struct sync_fence_info one = {};
	struct sync_file_info info = { .num_fences = 1, .sync_fence_info = (uintptr_t)&one };
	struct gate gate;
	int fence;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill(self->a, self->ax, 1, -1, &fence), 0);
	ASSERT_EQ(xioctl(fence, SYNC_IOC_FILE_INFO, &info), 0);
	EXPECT_EQ(strcmp(one.driver_name, "sluice"), 0);
	EXPECT_EQ(strncmp(one.obj_name, "soft0-", 6), 0);
	EXPECT_EQ(info.status, 0);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), 0);
	close(fence);
}

TEST_F(fence, in_fence_holds_the_job_back)
{
	int first, second;
	struct gate gate;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill(self->a, self->ax, 1, -1, &first), 0);
	ASSERT_EQ(fill(self->b, self->by, 2, first, &second), 0);
	usleep(50000);
	EXPECT_FALSE(signalled(second));
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(second, LATE_MS), 0);
	EXPECT_TRUE(signalled(first));
	close(first);
	close(second);
}

TEST_F(fence, sixty_four_in_fences_are_all_waited_for)
{
	__s32 fences[SLUICE_MAX_IN_FENCES];
	struct sluice_submit args = { .in_fences = (uintptr_t)fences,
				      .num_in_fences = SLUICE_MAX_IN_FENCES };
	int i;

	ASSERT_EQ(knob("delay_us", 2000), 0);
	for (i = 0; i < SLUICE_MAX_IN_FENCES; i++)
		ASSERT_EQ(fill(self->a, self->ax, i, -1, &fences[i]), 0);
	ASSERT_EQ(xioctl(self->b, SLUICE_IOCTL_SUBMIT, &args), 0);
	EXPECT_EQ(sluice_wait(self->b, args.point, LATE_MS), 0);
	for (i = 0; i < SLUICE_MAX_IN_FENCES; i++) {
		EXPECT_TRUE(signalled(fences[i]));
		close(fences[i]);
	}
}

TEST_F(fence, merged_fences_are_waited_for_together)
{
	int one, two, both, last;

	ASSERT_EQ(knob("delay_us", 150000), 0);
	ASSERT_EQ(fill(self->a, self->ax, 1, -1, &one), 0);
	ASSERT_EQ(fill(self->b, self->by, 2, -1, &two), 0);
	both = sluice_fence_merge(one, two);
	ASSERT_GE(both, 0);
	ASSERT_EQ(sluice_submit(self->a, NULL, 0, both, &last, 0, NULL), 0);
	EXPECT_EQ(sluice_fence_wait(last, LATE_MS), 0);
	EXPECT_TRUE(signalled(one));
	EXPECT_TRUE(signalled(two));
	close(one);
	close(two);
	close(both);
	close(last);
}

TEST_F(fence, failed_in_fence_cancels_the_job_unless_asked_otherwise)
{
	struct sluice_completion completions[2];
	struct sluice_submit args = { .flags = SLUICE_SUBMIT_IGNORE_ERRORS };
	__s32 first;
	int second;

	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(fill(self->a, self->ax, 1, -1, &first), 0);
	EXPECT_EQ(sluice_fence_wait(first, LATE_MS), -EIO);
	ASSERT_EQ(fill(self->b, self->by, 2, first, &second), 0);
	EXPECT_EQ(sluice_fence_wait(second, LATE_MS), -ECANCELED);
	ASSERT_EQ(sluice_read(self->b, completions, 1), 1);
	EXPECT_EQ(completions[0].status, -ECANCELED);
	EXPECT_EQ(check_value(self->y, SIZE, 0), 0);

	args.in_fences = (uintptr_t)&first;
	args.num_in_fences = 1;
	ASSERT_EQ(xioctl(self->b, SLUICE_IOCTL_SUBMIT, &args), 0);
	EXPECT_EQ(sluice_wait(self->b, args.point, LATE_MS), 0);
	close(first);
	close(second);
}

TEST_F(fence, any_point_is_a_fence_pending_or_ended)
{
	struct sluice_export_fence args = { .point = 2 };
	int pending, ended, failed;
	struct gate gate;

	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(fill(self->a, self->ax, 1, -1, NULL), 0);
	ASSERT_EQ(sluice_wait(self->a, 1, LATE_MS), -EIO);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill(self->a, self->ax, 1, -1, NULL), 0);
	ASSERT_EQ(xioctl(self->a, SLUICE_IOCTL_FENCE, &args), 0);
	pending = args.fd;
	EXPECT_FALSE(signalled(pending));
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(pending, LATE_MS), 0);
	ASSERT_EQ(xioctl(self->a, SLUICE_IOCTL_FENCE, &args), 0);
	ended = args.fd;
	EXPECT_EQ(sluice_fence_wait(ended, 0), 0);
	args.point = 1;
	ASSERT_EQ(xioctl(self->a, SLUICE_IOCTL_FENCE, &args), 0);
	failed = args.fd;
	EXPECT_EQ(sluice_fence_wait(failed, 0), -EIO);
	close(pending);
	close(ended);
	close(failed);
}

TEST_F(fence, writer_waits_for_writer_and_readers_of_a_buffer)
{
	struct sluice_op op;

	ASSERT_EQ(knob("delay_us", 150000), 0);
	/* a writes x, and copies x to y; b overwrites both */
	ASSERT_EQ(fill(self->a, self->ax, 0x11, -1, NULL), 0);
	sluice_op_copy(&op, self->ay, 0, self->ax, 0, SIZE);
	ASSERT_EQ(sluice_submit(self->a, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(fill(self->b, self->bx, 0x22, -1, NULL), 0);
	ASSERT_EQ(sluice_wait(self->b, 1, LATE_MS), 0);
	EXPECT_EQ(sluice_wait(self->a, 2, 0), 0);
	EXPECT_EQ(check_value(self->y, SIZE, 0x11), 0);
	EXPECT_EQ(check_value(self->x, SIZE, 0x22), 0);
}

TEST_F(fence, readers_of_a_buffer_do_not_wait_for_each_other)
{
	int other = sluice_alloc(self->device, 0, SIZE, 0);
	int slot = sluice_attach(self->b, other, 0);
	struct sluice_op op;
	struct gate gate;

	ASSERT_EQ(slot, 2);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	sluice_op_copy(&op, self->ay, 0, self->ax, 0, SIZE);
	ASSERT_EQ(sluice_submit(self->a, &op, 1, -1, NULL, 0, NULL), 0);
	sluice_op_copy(&op, slot, 0, self->bx, 0, SIZE);
	ASSERT_EQ(sluice_submit(self->b, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(self->b, 1, LATE_MS), 0);
	EXPECT_EQ(sluice_wait(self->a, 1, 0), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(self->a, 1, LATE_MS), 0);
	close(other);
}

TEST_F(fence, explicit_slot_neither_waits_nor_leaves_a_fence)
{
	int slot = sluice_attach(self->b, self->x, SLUICE_ATTACH_EXPLICIT), pending;
	struct sluice_op op;
	struct gate gate;

	ASSERT_EQ(slot, 2);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill(self->a, self->ax, 0x11, -1, NULL), 0);
	sluice_op_fill(&op, slot, 0, 4096, 0x22);
	ASSERT_EQ(sluice_submit(self->b, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(self->b, 1, LATE_MS), 0);
	EXPECT_EQ(sluice_wait(self->a, 1, 0), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(self->a, 1, LATE_MS), 0);

	ASSERT_EQ(gate_shut(&gate, 1), 0);
	ASSERT_EQ(sluice_submit(self->b, &op, 1, -1, NULL, 0, NULL), 0);
	pending = sluice_fence_export(self->x, true);
	ASSERT_GE(pending, 0);
	EXPECT_TRUE(signalled(pending));
	close(pending);
	EXPECT_EQ(sluice_wait(self->b, 2, 0), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(self->b, 2, LATE_MS), 0);
}

TEST_F(fence, dma_buf_poll_and_export_show_the_job)
{
	struct pollfd readable = { .fd = self->x, .events = POLLIN };
	struct pollfd writable = { .fd = self->y, .events = POLLOUT };
	struct pollfd y_readable = { .fd = self->y, .events = POLLIN };
	struct sluice_op op;
	int reader, writer;
	struct gate gate;

	/* write x, read y */
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	sluice_op_copy(&op, self->ax, 0, self->ay, 0, SIZE);
	ASSERT_EQ(sluice_submit(self->a, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(poll(&readable, 1, 0), 0);
	EXPECT_EQ(poll(&writable, 1, 0), 0);
	EXPECT_EQ(poll(&y_readable, 1, 0), 1);
	reader = sluice_fence_export(self->x, false);
	writer = sluice_fence_export(self->y, true);
	ASSERT_GE(reader, 0);
	ASSERT_GE(writer, 0);
	EXPECT_FALSE(signalled(reader));
	EXPECT_FALSE(signalled(writer));
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(poll(&readable, 1, LATE_MS), 1);
	EXPECT_EQ(sluice_fence_wait(reader, LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(writer, LATE_MS), 0);
	close(reader);
	close(writer);
}

TEST_F(fence, imported_sync_file_holds_back_implicit_jobs)
{
	struct sluice_completion completion;
	struct gate gate;
	int fence;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill(self->a, self->ax, 1, -1, &fence), 0);
	/* a fence that looks like a foreign write to y */
	ASSERT_EQ(sluice_fence_import(self->y, fence, true), 0);
	ASSERT_EQ(fill(self->b, self->by, 2, -1, NULL), 0);
	EXPECT_EQ(sluice_wait(self->b, 1, 50), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(self->b, 1, LATE_MS), 0);
	ASSERT_TRUE(signalled(fence));
	ASSERT_EQ(sluice_read(self->b, &completion, 1), 1);
	EXPECT_GE((int64_t)completion.timestamp, fence_time(fence));
	close(fence);
}

TEST_F(fence, cpu_access_waits_for_the_device)
{
	int64_t before = now_ns();

	ASSERT_EQ(knob("delay_us", 200000), 0);
	ASSERT_EQ(fill(self->a, self->ax, 0x77, -1, NULL), 0);
	EXPECT_EQ(check_value(self->x, SIZE, 0x77), 0);
	EXPECT_GE(now_ns() - before, 200 * MS);
}

TEST_F(fence, signals_ETIME_when_the_engine_hangs_and_later_jobs_go_on)
{
	struct sluice_create_queue create = { .timeout_ms = 200 };
	struct sluice_completion completion;
	int64_t before = now_ns();
	int slot, hung, next;
	struct sluice_op op;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	slot = sluice_attach(create.fd, self->x, 0);
	ASSERT_EQ(slot, 0);
	ASSERT_EQ(knob("hang_next", 1), 0);
	/*
	 * The submitter's context runs small jobs at once, so the job cannot time out before it
	 * hangs. Otherwise the next job would hang in its place, and could not time out.
	 */
	sluice_op_fill(&op, slot, 0, 4096, 1);
	ASSERT_EQ(sluice_submit(create.fd, &op, 1, -1, &hung, 0, NULL), 0);
	sluice_op_fill(&op, slot, 0, 4096, 2);
	ASSERT_EQ(sluice_submit(create.fd, &op, 1, -1, &next, 0, NULL), 0);
	EXPECT_EQ(sluice_fence_wait(hung, LATE_MS), -ETIME);
	EXPECT_GE(now_ns() - before, 190 * MS);
	EXPECT_EQ(sluice_fence_wait(next, LATE_MS), 0);
	EXPECT_EQ(check_value(self->x, 4096, 2), 0);
	ASSERT_EQ(sluice_read(create.fd, &completion, 1), 1);
	EXPECT_EQ(completion.status, -ETIME);
	close(hung);
	close(next);
	close(create.fd);
}

TEST_F(fence, default_timeout_is_two_seconds)
{
	int queue = sluice_queue_create(self->device, 0), hung;
	struct sluice_create_queue create = { .engine = 1, .timeout_ms = 8000 };
	int64_t before, took;
	int longer;

	/* another job hangs already, for 8 s: no guest is stopped for 6 s */
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->y, 0), 0);
	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(fill(create.fd, 0, 1, -1, &longer), 0);
	ASSERT_TRUE(wait_hanging());

	before = now_ns();
	ASSERT_EQ(sluice_attach(queue, self->x, 0), 0);
	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(fill(queue, 0, 1, -1, &hung), 0);
	EXPECT_EQ(sluice_fence_wait(hung, LATE_MS), -ETIME);
	took = now_ns() - before;
	EXPECT_GE(took, 1900 * MS);
	/* the guest may be stopped meanwhile, but not for half a minute */
	EXPECT_LT(took, LATE_MS * MS);
	EXPECT_FALSE(signalled(longer));
	close(longer);
	close(create.fd);
	close(hung);
	close(queue);
}

TEST_F(fence, closing_the_queue_cancels_running_waiting_and_pending_jobs)
{
	int running, pending, waiting, blocker;
	int64_t before;

	/* b waits for a job that hangs on a */
	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(fill(self->a, self->ax, 1, -1, &running), 0);
	ASSERT_EQ(fill(self->a, self->ax, 2, -1, &pending), 0);
	/* it hangs already: otherwise the last job would hang */
	ASSERT_TRUE(wait_hanging());
	ASSERT_EQ(fill(self->b, self->by, 3, running, &waiting), 0);
	before = now_ns();
	close(self->a);
	EXPECT_EQ(sluice_fence_wait(running, LATE_MS), -ECANCELED);
	EXPECT_EQ(sluice_fence_wait(pending, LATE_MS), -ECANCELED);
	EXPECT_EQ(sluice_fence_wait(waiting, LATE_MS), -ECANCELED);
	/* long before their timeouts */
	EXPECT_LT(now_ns() - before, LATE_MS * MS);
	/* the engine is free again */
	self->a = patient_queue(self->device, 0);
	ASSERT_EQ(sluice_attach(self->a, self->x, 0), 0);
	ASSERT_EQ(fill(self->a, 0, 4, -1, &blocker), 0);
	EXPECT_EQ(sluice_fence_wait(blocker, LATE_MS), 0);
	EXPECT_EQ(check_value(self->x, SIZE, 4), 0);
	close(running);
	close(pending);
	close(waiting);
	close(blocker);
}

TEST_F(fence, killing_the_process_cancels_its_jobs)
{
	int pipes[2], status, fence;
	pid_t child;

	ASSERT_EQ(pipe(pipes), 0);
	ASSERT_EQ(knob("hang_next", 1), 0);
	child = fork();
	if (!child) {
		int queue = patient_queue(self->device, 0);

		sluice_attach(queue, self->y, 0);
		if (fill(queue, 0, 1, -1, NULL) || write(pipes[1], "x", 1) != 1)
			_exit(1);
		sluice_wait(queue, 1, -1);
		_exit(2);
	}
	ASSERT_EQ(read(pipes[0], &status, 1), 1);
	fence = sluice_fence_export(self->y, true);
	ASSERT_GE(fence, 0);
	EXPECT_FALSE(signalled(fence));
	kill(child, SIGKILL);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), -ECANCELED);
	close(fence);
	close(pipes[0]);
	close(pipes[1]);
}

TEST_F(fence, outlives_queue_buffer_and_device_fds)
{
	int fence, device = sluice_open("soft0"), queue = patient_queue(device, 0);
	int buffer = sluice_alloc(device, 0, SIZE, 0);
	struct sync_fence_info one = {};
	struct sync_file_info info = { .num_fences = 1, .sync_fence_info = (uintptr_t)&one };

	ASSERT_EQ(sluice_attach(queue, buffer, 0), 0);
	ASSERT_EQ(fill(queue, 0, 1, -1, &fence), 0);
	ASSERT_EQ(sluice_fence_wait(fence, LATE_MS), 0);
	close(queue);
	close(buffer);
	close(device);
	EXPECT_EQ(xioctl(fence, SYNC_IOC_FILE_INFO, &info), 0);
	EXPECT_EQ(info.status, 1);
	close(fence);
}

/* Four threads whose jobs lock two buffers in both orders: ww backoff must resolve the deadlock. */
TEST_F_TIMEOUT(fence, opposite_lock_orders_do_not_deadlock, 120)
{
	pid_t children[4];
	int i, j, status;

	for (i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i])
			continue;
		for (j = 0; j < 200; j++) {
			struct sluice_op op;
			int queue = i % 2 ? self->a : self->b, ret;

			if (i / 2)
				sluice_op_copy(&op, 0, 0, 1, 0, 64);
			else
				sluice_op_copy(&op, 1, 0, 0, 0, 64);
			do {
				struct sluice_submit args = {
					.ops = (uintptr_t)&op, .num_ops = 1,
					.flags = SLUICE_SUBMIT_NO_COMPLETION,
				};

				ret = xioctl(queue, SLUICE_IOCTL_SUBMIT, &args);
				if (ret == -EBUSY)
					usleep(1000);
			} while (ret == -EBUSY);
			if (ret)
				_exit(1);
		}
		_exit(0);
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(waitpid(children[i], &status, 0), children[i]);
		EXPECT_EQ(status, 0);
	}
	EXPECT_EQ(sluice_wait(self->a, 400, LATE_MS), 0);
	EXPECT_EQ(sluice_wait(self->b, 400, LATE_MS), 0);
}

/* One op is shorter than the timeout, two ops are longer. */
TEST_F(fence, timeout_is_that_of_the_job_not_of_each_op)
{
	struct sluice_create_queue create = { .timeout_ms = 400 };
	struct sluice_completion completion;
	struct sluice_op ops[8];
	int fence, i;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->x, 0), 0);
	ASSERT_EQ(knob("delay_us", 250000), 0);
	for (i = 0; i < 8; i++)
		sluice_op_fill(&ops[i], 0, i * 4096, 4096, 1);
	ASSERT_EQ(sluice_submit(create.fd, ops, 8, -1, &fence, 0, NULL), 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), -ETIME);
	ASSERT_EQ(sluice_read(create.fd, &completion, 1), 1);
	EXPECT_EQ(completion.status, -ETIME);
	/* the op that runs at the deadline may still end, and then its bytes count */
	EXPECT_LE(completion.bytes, 2 * 4096);
	close(fence);
	close(create.fd);
}

TEST_F(fence, time_in_line_does_not_count_as_running_time)
{
	struct sluice_create_queue create = { .timeout_ms = 4000 };
	struct gate gate;
	int fence;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->x, 0), 0);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("delay_us", 100000), 0);
	ASSERT_EQ(fill(create.fd, 0, 1, -1, &fence), 0);
	usleep(4200000);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), 0);
	close(fence);
	close(create.fd);
}

/* The fence of a point, as a sync_file from FENCE. */
static int fence_of(int queue, uint64_t point)
{
	struct sluice_export_fence args = { .point = point };
	int ret = xioctl(queue, SLUICE_IOCTL_FENCE, &args);

	return ret ? ret : args.fd;
}

/* A job on an EXPLICIT slot has no fence until FENCE asks for it. */
TEST_F(fence, asked_for_late_has_the_jobs_error_and_time)
{
	struct sluice_create_queue create = { .depth = 2 };
	int slot = sluice_attach(self->a, self->x, SLUICE_ATTACH_EXPLICIT), fences[2], i;
	struct sluice_completion completion;
	struct gate gate;

	ASSERT_EQ(slot, 2);
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(fill(self->a, slot, 1, -1, NULL), 0);
	ASSERT_EQ(sluice_read(self->a, &completion, 1), 1);
	ASSERT_EQ(completion.status, -EIO);
	usleep(1000);
	for (i = 0; i < 2; i++) {
		fences[i] = fence_of(self->a, 1);
		ASSERT_GE(fences[i], 0);
		EXPECT_EQ(sluice_fence_wait(fences[i], 0), -EIO);
		EXPECT_EQ(fence_time(fences[i]), (int64_t)completion.timestamp);
		close(fences[i]);
	}

	/* the same for a fence that FENCE or SUBMIT made while the job was pending */
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill(self->a, slot, 2, -1, NULL), 0);
	ASSERT_EQ(fill(self->a, slot, 3, -1, &fences[1]), 0);
	fences[0] = fence_of(self->a, 2);
	ASSERT_GE(fences[0], 0);
	EXPECT_FALSE(signalled(fences[0]));
	EXPECT_EQ(sluice_cancel(self->a, 2, 3), 2);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(sluice_fence_wait(fences[i], LATE_MS), -ECANCELED);
		ASSERT_EQ(sluice_read(self->a, &completion, 1), 1);
		EXPECT_EQ(fence_time(fences[i]), (int64_t)completion.timestamp);
		close(fences[i]);
	}
	ASSERT_EQ(gate_open(&gate), 0);

	/* a point that the queue has forgotten: its fence has signalled without an error */
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(sluice_submit(create.fd, NULL, 0, -1, NULL, 0, NULL), 0);
		ASSERT_EQ(sluice_read(create.fd, &completion, 1), 1);
	}
	fences[0] = fence_of(create.fd, 1);
	ASSERT_GE(fences[0], 0);
	EXPECT_EQ(sluice_fence_wait(fences[0], 0), 0);
	close(fences[0]);
	close(create.fd);
}

TEST_F(fence, fds_are_closed_on_exec_unless_they_are_to_be_inherited)
{
	static const struct {
		__u32 fd_flags;
		int expected;
	} cases[] = { { 0, FD_CLOEXEC }, { SLUICE_FD_INHERIT, 0 } };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct sluice_submit submit = { .flags = SLUICE_SUBMIT_OUT_FENCE,
						.fd_flags = cases[i].fd_flags };
		struct sluice_export_fence export = { .fd_flags = cases[i].fd_flags };

		ASSERT_EQ(xioctl(self->a, SLUICE_IOCTL_SUBMIT, &submit), 0);
		EXPECT_EQ(fcntl(submit.out_fence, F_GETFD), cases[i].expected);
		close(submit.out_fence);
		export.point = submit.point;
		ASSERT_EQ(xioctl(self->a, SLUICE_IOCTL_FENCE, &export), 0);
		EXPECT_EQ(fcntl(export.fd, F_GETFD), cases[i].expected);
		close(export.fd);
	}
}

struct access {
	int device, dmabuf, fence;
	bool write, range, waited;
	int ret;
};

static int begin(const struct access *access)
{
	return access->range ?
	       sluice_cpu_begin_range(access->device, access->dmabuf, access->write, 0, 4096) :
	       sluice_cpu_begin(access->dmabuf, access->write);
}

static int end(const struct access *access)
{
	return access->range ?
	       sluice_cpu_end_range(access->device, access->dmabuf, access->write, 0, 4096) :
	       sluice_cpu_end(access->dmabuf, access->write);
}

static void *wait_and_look(void *argument)
{
	struct access *access = argument;

	access->ret = begin(access);
	access->waited = signalled(access->fence);
	if (!access->ret)
		access->ret = end(access);
	return NULL;
}

/* A job reads x and writes y. */
TEST_F(fence, cpu_waits_for_writers_and_to_write_for_readers)
{
	struct access accesses[6], reader = { .device = self->device, .dmabuf = self->x };
	pthread_t threads[6];
	struct sluice_op op;
	struct gate gate;
	int fence, i;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	sluice_op_copy(&op, self->ay, 0, self->ax, 0, SIZE);
	ASSERT_EQ(sluice_submit(self->a, &op, 1, -1, &fence, 0, NULL), 0);
	for (i = 0; i < 2; i++) {
		reader.range = i;
		EXPECT_EQ(begin(&reader), 0);
		EXPECT_FALSE(signalled(fence));
		EXPECT_EQ(end(&reader), 0);
	}
	for (i = 0; i < 6; i++) {
		accesses[i] = (struct access) {
			.device = self->device, .dmabuf = i < 4 ? self->y : self->x,
			.fence = fence, .write = i >= 2, .range = i % 2,
		};
		ASSERT_EQ(pthread_create(&threads[i], NULL, wait_and_look, &accesses[i]), 0);
	}
	usleep(50000);
	ASSERT_EQ(gate_open(&gate), 0);
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(pthread_join(threads[i], NULL), 0);
		EXPECT_EQ(accesses[i].ret, 0);
		EXPECT_TRUE(accesses[i].waited) TH_LOG("access %d", i);
	}
	close(fence);
}

TEST_F(fence, job_that_failed_on_a_buffer_does_not_fail_the_next)
{
	struct gate gate;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill(self->a, self->ax, 0x11, -1, NULL), 0);
	ASSERT_EQ(fill(self->b, self->bx, 0x22, -1, NULL), 0);
	EXPECT_EQ(sluice_cancel(self->a, 1, 1), 1);
	EXPECT_EQ(sluice_wait(self->a, 1, LATE_MS), -ECANCELED);
	EXPECT_EQ(sluice_wait(self->b, 1, LATE_MS), 0);
	EXPECT_EQ(check_value(self->x, SIZE, 0x22), 0);
	ASSERT_EQ(gate_open(&gate), 0);
}

/* Two pending jobs write a buffer each.  A third waits for both, whichever ends first. */
TEST_F(fence, each_fence_of_each_buffer_is_waited_for)
{
	int other = patient_queue(self->device, 0), i;
	struct sluice_op op;
	struct gate gate;

	ASSERT_EQ(sluice_attach(other, self->y, 0), 0);
	for (i = 0; i < 2; i++) {
		int queues[2] = { i ? other : self->a, i ? self->a : other };

		ASSERT_EQ(gate_shut(&gate, 0), 0);
		ASSERT_EQ(fill(self->a, self->ax, 0x11, -1, NULL), 0);
		ASSERT_EQ(fill(other, 0, 0x11, -1, NULL), 0);
		sluice_op_copy(&op, self->by, 0, self->bx, 0, SIZE);
		ASSERT_EQ(sluice_submit(self->b, &op, 1, -1, NULL, 0, NULL), 0);
		EXPECT_EQ(sluice_cancel(queues[0], i + 1, i + 1), 1);
		EXPECT_EQ(sluice_wait(queues[0], i + 1, LATE_MS), -ECANCELED);
		EXPECT_EQ(sluice_wait(self->b, i + 1, 50), -ETIME);
		EXPECT_EQ(sluice_cancel(queues[1], i + 1, i + 1), 1);
		EXPECT_EQ(sluice_wait(self->b, i + 1, LATE_MS), 0);
		ASSERT_EQ(gate_open(&gate), 0);
	}
	close(other);
}

TEST_F(fence, writer_waits_for_a_reader_that_has_not_begun)
{
	struct sluice_completion reader, writer;
	struct sluice_op op;
	struct gate gate;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	sluice_op_copy(&op, self->ay, 0, self->ax, 0, SIZE);
	ASSERT_EQ(sluice_submit(self->a, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(fill(self->b, self->bx, 0x22, -1, NULL), 0);
	EXPECT_EQ(sluice_wait(self->b, 1, 200), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	ASSERT_EQ(sluice_read(self->a, &reader, 1), 1);
	ASSERT_EQ(sluice_read(self->b, &writer, 1), 1);
	EXPECT_GE(writer.timestamp, reader.timestamp);
	EXPECT_EQ(check_value(self->y, SIZE, 0), 0);
	EXPECT_EQ(check_value(self->x, SIZE, 0x22), 0);
}

TEST_F(fence, job_that_both_reads_and_writes_a_buffer_is_its_writer)
{
	struct sluice_op ops[2];
	struct gate gate;
	int pending, i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(gate_shut(&gate, 0), 0);
		sluice_op_copy(&ops[i], self->ay, 0, self->ax, 0, SIZE);
		sluice_op_fill(&ops[!i], self->ax, 0, SIZE, 0x11);
		ASSERT_EQ(sluice_submit(self->a, ops, 2, -1, NULL, 0, NULL), 0);
		/* the fences that a reader must wait for */
		pending = sluice_fence_export(self->x, false);
		ASSERT_GE(pending, 0);
		EXPECT_FALSE(signalled(pending));
		ASSERT_EQ(gate_open(&gate), 0);
		EXPECT_EQ(sluice_fence_wait(pending, LATE_MS), 0);
		close(pending);
	}
}

TEST_HARNESS_MAIN
