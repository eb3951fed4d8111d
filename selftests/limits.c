// SPDX-License-Identifier: MIT
/*
 * Limits of one open of a node: queues, foreign memory in slots, jobs that hang, fences to wait
 * for; and the priority that needs a capability.
 */
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/sync_file.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

#define SIZE	4096UL
#define MIB	(1UL << 20)

FIXTURE(limits) {
	struct objects before;
	int device, buffer;
};

FIXTURE_SETUP(limits)
{
	struct rlimit limit = { .rlim_cur = 8192, .rlim_max = 8192 };

	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	knob("delay_us", 0);
	self->before = objects_before();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
}

FIXTURE_TEARDOWN(limits)
{
	knob("hang_next", 0);
	open_limit_mb(0);
	close(self->buffer);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

static int small_queue(int device, unsigned int engine, unsigned int timeout_ms)
{
	struct sluice_create_queue args = {
		.engine = engine, .depth = 2, .timeout_ms = timeout_ms,
	};
	int ret = xioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &args);

	return ret ? ret : args.fd;
}

TEST_F(limits, queues_of_an_open_are_as_many_as_INFO_says)
{
	int queues[SLUICE_MAX_QUEUES + 1], count, i, ret = 0, other, again;
	struct sluice_info info;

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(info.max_queues, SLUICE_MAX_QUEUES);
	for (count = 0; count <= SLUICE_MAX_QUEUES; count++) {
		ret = queues[count] = small_queue(self->device, 0, 0);
		if (ret < 0)
			break;
	}
	EXPECT_EQ(count, SLUICE_MAX_QUEUES);
	EXPECT_EQ(ret, -ENOSPC);
	/* another open has its own limit; a closed queue makes room after it has been freed */
	other = sluice_open("soft0");
	again = small_queue(other, 0, 0);
	EXPECT_GE(again, 0);
	close(again);
	close(other);
	close(queues[--count]);
	for (i = 0; i < LATE_MS / 10; i++) {
		again = small_queue(self->device, 0, 0);
		if (again != -ENOSPC)
			break;
		usleep(10000);
	}
	EXPECT_GE(again, 0);
	close(again);
	while (count)
		close(queues[--count]);
}

/* A dma-buf of another exporter in the kernel, or -errno. */
static int foreign_buffer(size_t size)
{
	struct dma_heap_allocation_data args = { .len = size, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC), ret;

	if (heap < 0)
		return -errno;
	ret = xioctl(heap, DMA_HEAP_IOCTL_ALLOC, &args);
	close(heap);
	return ret ? ret : (int)args.fd;
}

/* The bytes that are charged to the open, from its fdinfo. */
static long charged(int device)
{
	char path[64], line[128];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", device);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "sluice-buffer-bytes: %ld", &value);
	if (file)
		fclose(file);
	return value;
}

TEST_F(limits, foreign_memory_in_slots_counts_as_held)
{
	struct sluice_alloc alloc = { .size = 2 * MIB };
	struct sluice_buffer_info info;
	int foreign = foreign_buffer(3 * MIB), queue, slot;

	if (foreign < 0)
		SKIP(return, "this kernel has no system heap");
	queue = sluice_queue_create(self->device, 0);
	ASSERT_GE(queue, 0);
	ASSERT_EQ(open_limit_mb(4), 0);
	EXPECT_EQ(charged(self->device), SIZE);
	slot = sluice_attach(queue, foreign, 0);
	ASSERT_GE(slot, 0);
	EXPECT_EQ(charged(self->device), SIZE + 3 * MIB);
	EXPECT_EQ(sluice_attach(queue, foreign, 0), -EDQUOT);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &alloc), -EDQUOT);
	/* BUFFER_INFO would pin it once more */
	ASSERT_EQ(sluice_buffer_info(self->device, foreign, &info), 0);
	EXPECT_EQ(info.error, -EDQUOT);
	/* Sluice's own memory is charged to the open that allocated it */
	EXPECT_GE(sluice_attach(queue, self->buffer, 0), 0);
	EXPECT_EQ(charged(self->device), SIZE + 3 * MIB);

	ASSERT_EQ(sluice_detach(queue, slot), 0);
	EXPECT_EQ(charged(self->device), SIZE);
	ASSERT_EQ(sluice_buffer_info(self->device, foreign, &info), 0);
	EXPECT_EQ(info.error, 0);
	EXPECT_EQ(info.size, 3 * MIB);
	EXPECT_EQ(charged(self->device), SIZE);

	/* the account lives as long as the queue, even after the fd of the node is closed */
	EXPECT_GE(sluice_attach(queue, foreign, 0), 0);
	close(self->device);
	self->device = -1;
	EXPECT_EQ(sluice_attach(queue, foreign, 0), -EDQUOT);
	close(queue);
	close(foreign);
}

TEST_F(limits, priority_2_is_for_CAP_SYS_NICE)
{
	struct sluice_create_queue args = { .priority = 2 };
	int status;
	pid_t child;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &args), 0);
	close(args.fd);
	child = fork();
	if (!child) {
		if (setuid(65534))
			_exit(1);
		args = (struct sluice_create_queue) { .priority = 2 };
		if (xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &args) != -EPERM)
			_exit(2);
		args = (struct sluice_create_queue) { .priority = 3 };
		if (xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &args) != -EINVAL)
			_exit(3);
		args = (struct sluice_create_queue) { .priority = 1 };
		_exit(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &args) ? 4 : 0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

static int fill(int queue, int *out_fence)
{
	struct sluice_op op;

	sluice_op_fill(&op, 0, 0, SIZE, 1);
	return sluice_submit(queue, &op, 1, -1, out_fence, 0, NULL);
}

/* Submit a job that hangs, on a new queue.  Returns the queue. */
static int hang(int device, int buffer)
{
	int queue = small_queue(device, 0, 50), ret;
	struct sluice_completion completion;

	if (queue < 0)
		return queue;
	ret = sluice_attach(queue, buffer, SLUICE_ATTACH_EXPLICIT);
	if (!ret)
		ret = knob("hang_next", 1);
	if (!ret)
		ret = fill(queue, NULL);
	if (!ret && sluice_read(queue, &completion, 1) != 1)
		ret = -EIO;
	if (!ret && completion.status != -ETIME)
		ret = -EPROTO;
	if (!ret)
		return queue;
	close(queue);
	return ret;
}

TEST_F(limits, hangs_are_counted_over_the_queues_of_an_open)
{
	int good = patient_queue(self->device, 0), other, queue, i;

	ASSERT_EQ(sluice_attach(good, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	for (i = 0; i < SLUICE_MAX_HANGS - 1; i++) {
		queue = hang(self->device, self->buffer);
		ASSERT_GE(queue, 0);
		/* the queue is not dead */
		EXPECT_EQ(sluice_submit(queue, NULL, 0, -1, NULL, 0, NULL), 0);
		close(queue);
	}
	queue = hang(self->device, self->buffer);
	ASSERT_GE(queue, 0);
	EXPECT_EQ(sluice_submit(queue, NULL, 0, -1, NULL, 0, NULL), -EIO);
	close(queue);
	EXPECT_EQ(small_queue(self->device, 0, 0), -EIO);

	/* the limit is for this open and this engine */
	queue = small_queue(self->device, 1, 0);
	EXPECT_GE(queue, 0);
	close(queue);
	other = sluice_open("soft0");
	queue = small_queue(other, 0, 0);
	EXPECT_GE(queue, 0);
	close(queue);
	close(other);

	/* until a job of this open succeeds on this engine */
	ASSERT_EQ(fill(good, NULL), 0);
	EXPECT_EQ(sluice_wait(good, 1, LATE_MS), 0);
	queue = small_queue(self->device, 0, 0);
	EXPECT_GE(queue, 0);
	close(queue);
	close(good);
}

/* Fences in a merged fence: so many that all in-fences together exceed SLUICE_MAX_FENCES. */
#define MERGED	(SLUICE_MAX_FENCES / SLUICE_MAX_IN_FENCES + 1)

static int merge(int a, int b)
{
	struct sync_merge_data args = { .name = "limits", .fd2 = b };
	int ret = xioctl(a, SYNC_IOC_MERGE, &args);

	close(a);
	close(b);
	return ret ? ret : args.fence;
}

static int wait_for(int queue, int fence)
{
	int32_t fences[SLUICE_MAX_IN_FENCES];
	struct sluice_submit args = {
		.in_fences = (uintptr_t)fences, .num_in_fences = SLUICE_MAX_IN_FENCES,
	};
	int i;

	for (i = 0; i < SLUICE_MAX_IN_FENCES; i++)
		fences[i] = fence;
	return xioctl(queue, SLUICE_IOCTL_SUBMIT, &args);
}

TEST_F(limits, fences_of_a_job_have_a_bound_however_they_are_merged)
{
	int waiter = patient_queue(self->device, 1), queues[MERGED], merged = -1, i;
	int as_many = -1, one_more = -1, ret = 0;
	struct gate gate;

	ASSERT_GE(waiter, 0);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	for (i = 0; i < MERGED && !ret; i++) {
		int fence;

		queues[i] = small_queue(self->device, 0, SLUICE_MAX_TIMEOUT_MS);
		ret = sluice_attach(queues[i], self->buffer, SLUICE_ATTACH_EXPLICIT);
		if (ret || fill(queues[i], &fence)) {
			ret = -1;
			break;
		}
		merged = i ? merge(merged, fence) : fence;
		if (i == MERGED - 2)
			as_many = wait_for(waiter, merged);
	}
	if (!ret)
		one_more = wait_for(waiter, merged);
	close(merged);
	if (gate_open(&gate) == -ENOLCK) {
		ret = -ENOLCK;
	} else {
		EXPECT_EQ(ret, 0);
		EXPECT_EQ(as_many, 0);
		EXPECT_EQ(one_more, -E2BIG);
		EXPECT_EQ(sluice_wait(waiter, 1, LATE_MS), 0);
	}
	while (i)
		close(queues[--i]);
	close(waiter);
	if (ret == -ENOLCK)
		SKIP(return, "no gate stays shut for as long as this machine takes");
}

TEST_HARNESS_MAIN
