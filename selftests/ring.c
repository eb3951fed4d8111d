// SPDX-License-Identifier: MIT
/* Completion rings: queues whose completions are in memory that the program maps. */
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

#define DEPTH	4
#define DRIVER	"/sys/bus/platform/drivers/sluice-soft/"
#define BUFFER	4096UL

FIXTURE(ring) {
	struct objects before;
	int device;
	struct sluice_ring ring;
};

FIXTURE_SETUP(ring)
{
	struct sluice_info info;

	self->before = objects_before();
	knob("delay_us", 0);
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_TRUE(info.caps & SLUICE_CAP_RING);
	ASSERT_GE(sluice_ring_create(self->device, 0, DEPTH, 0, &self->ring), 0);
	ASSERT_NE(self->ring.header, NULL);
}

FIXTURE_TEARDOWN(ring)
{
	sluice_ring_destroy(&self->ring);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Submit a job without ops, which soft0 ends at once. */
static int submit_empty(int queue, uint64_t data)
{
	return sluice_submit(queue, NULL, 0, -1, NULL, data, NULL);
}

static int events_of(int queue)
{
	struct pollfd pollfd = { .fd = queue, .events = POLLIN | POLLOUT };

	return poll(&pollfd, 1, 0) < 0 ? -errno : pollfd.revents;
}

static void *map_all(int queue, size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, queue, 0);
}

static int create(int device, uint32_t depth, uint32_t completion_size, uint32_t flags)
{
	struct sluice_create_queue args = {
		.depth = depth, .completion_size = completion_size, .flags = flags,
	};
	int ret = xioctl(device, SLUICE_IOCTL_CREATE_QUEUE, &args);

	return ret ? ret : args.fd;
}

/* A job that hangs until its queue is cancelled or closed. */
static int submit_hanging(int device, int queue)
{
	int buffer = sluice_alloc(device, 0, BUFFER, 0), ret;
	struct sluice_op op;

	ret = sluice_attach(queue, buffer, 0);
	close(buffer);
	if (ret < 0 || knob("hang_next", 1))
		return -EIO;
	sluice_op_fill(&op, ret, 0, BUFFER, 1);
	ret = sluice_submit(queue, &op, 1, -1, NULL, 0, NULL);
	return ret ? ret : wait_hanging() ? 0 : -ETIME;
}

TEST_F(ring, completions_come_in_order_and_without_a_call)
{
	struct sluice_completion completions[DEPTH];
	int i;

	EXPECT_EQ(sluice_ring_take(&self->ring, completions, DEPTH), 0);
	EXPECT_EQ(events_of(self->ring.queue), POLLOUT);
	for (i = 0; i < DEPTH; i++)
		ASSERT_EQ(submit_empty(self->ring.queue, 100 + i), 0);
	EXPECT_EQ(self->ring.header->head, DEPTH);
	EXPECT_EQ(events_of(self->ring.queue), POLLIN);
	ASSERT_EQ(sluice_ring_take(&self->ring, completions, 1), 1);
	EXPECT_EQ(events_of(self->ring.queue), POLLIN | POLLOUT);
	ASSERT_EQ(sluice_ring_take(&self->ring, completions + 1, DEPTH), DEPTH - 1);
	for (i = 0; i < DEPTH; i++) {
		EXPECT_EQ(completions[i].point, (unsigned int)i + 1);
		EXPECT_EQ(completions[i].user_data, (unsigned int)i + 100);
		EXPECT_EQ(completions[i].status, 0);
		EXPECT_EQ(completions[i].flags, 0);
		EXPECT_NE(completions[i].ended, 0);
		EXPECT_EQ(sluice_wait(self->ring.queue, i + 1, 0), 0);
	}
	EXPECT_EQ(events_of(self->ring.queue), POLLOUT);
	EXPECT_EQ(self->ring.header->tail, DEPTH);
}

TEST_F(ring, read_is_refused)
{
	char record[SLUICE_MAX_RECORD_SIZE];

	ASSERT_EQ(submit_empty(self->ring.queue, 0), 0);
	EXPECT_EQ(read(self->ring.queue, record, sizeof(record)), -1);
	EXPECT_EQ(errno, EOPNOTSUPP);
}

/* Depths and completion sizes of all kinds: what the header says is what mmap() gives. */
TEST_F(ring, header_describes_the_ring)
{
	static const struct {
		uint32_t depth, granted, size, written;
	} cases[] = {
		{ 0, 256, 0, SLUICE_COMPLETION_SIZE_V1 },
		{ 1, 2, 64, 64 },
		{ 2, 2, 72, 72 },
		{ 100, 128, 104, 104 },
		{ 4096, 4096, 256, sizeof(struct sluice_completion) },
	};
	unsigned int i, j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int queue = create(self->device, cases[i].depth, cases[i].size, SLUICE_QUEUE_RING);
		uint32_t size = cases[i].size ?: SLUICE_COMPLETION_SIZE_V1;
		const struct sluice_ring_header *header;
		struct sluice_queue_info info;
		const char *entry;

		ASSERT_GE(queue, 0);
		ASSERT_EQ(sluice_queue_info(queue, &info), 0);
		EXPECT_EQ(info.queue_flags, SLUICE_QUEUE_RING);
		EXPECT_EQ(info.depth, cases[i].granted);
		header = map_all(queue, info.ring_size);
		ASSERT_NE(header, MAP_FAILED);
		EXPECT_EQ(header->magic, SLUICE_RING_MAGIC);
		EXPECT_GE(header->header_size, sizeof(*header));
		EXPECT_EQ(header->entry_size, size);
		EXPECT_EQ(header->mask, cases[i].granted - 1);
		EXPECT_GE(header->progress, header->header_size);
		EXPECT_GE(header->entries, header->progress + size);
		EXPECT_EQ(header->entries % 8, 0);
		EXPECT_LE(header->entries + (uint64_t)cases[i].granted * size, info.ring_size);
		EXPECT_LT(info.ring_size, header->entries + cases[i].granted * size + 65536);
		ASSERT_EQ(submit_empty(queue, 7), 0);
		entry = (const char *)header + header->entries;
		EXPECT_EQ(((const struct sluice_completion *)entry)->user_data, 7);
		for (j = cases[i].written; j < size; j++)
			EXPECT_EQ(entry[j], 0);
		/* the next entry is untouched */
		EXPECT_EQ(((const struct sluice_completion *)(entry + size))->point, 0);
		EXPECT_EQ(munmap((void *)header, info.ring_size), 0);
		close(queue);
	}
}

TEST_F(ring, flags_of_other_queues_are_told_and_they_have_no_ring)
{
	static const uint32_t flags[] = { 0, SLUICE_QUEUE_CHAIN_ERRORS };
	struct sluice_queue_info info;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		int queue = create(self->device, 0, 0, flags[i]);

		ASSERT_EQ(sluice_queue_info(queue, &info), 0);
		EXPECT_EQ(info.queue_flags, flags[i]);
		EXPECT_EQ(info.ring_size, 0);
		EXPECT_EQ(map_all(queue, 4096), MAP_FAILED);
		EXPECT_EQ(errno, ENODEV);
		close(queue);
	}
}

TEST_F(ring, memory_counts_against_the_limits)
{
	struct sluice_info before, after;
	int queue;

	ASSERT_EQ(sluice_device_info(self->device, &before), 0);
	queue = create(self->device, 1024, 0, SLUICE_QUEUE_RING);
	ASSERT_GE(queue, 0);
	ASSERT_EQ(sluice_device_info(self->device, &after), 0);
	EXPECT_GE(after.user_bytes, before.user_bytes + 1024 * SLUICE_COMPLETION_SIZE_V1);
	EXPECT_EQ(after.total_bytes - before.total_bytes, after.user_bytes - before.user_bytes);
	close(queue);
	ASSERT_EQ(open_limit_mb(1), 0);
	EXPECT_EQ(create(self->device, SLUICE_MAX_DEPTH, SLUICE_MAX_RECORD_SIZE, SLUICE_QUEUE_RING),
		  -EDQUOT);
	EXPECT_EQ(open_limit_mb(0), 0);
	ASSERT_EQ(sluice_device_info(self->device, &after), 0);
	EXPECT_EQ(after.user_bytes, before.user_bytes);
}

TEST_F(ring, entries_are_used_again_and_again)
{
	struct sluice_completion completion[2];
	uint64_t i;

	for (i = 1; i <= 5 * DEPTH + 1; i++) {
		ASSERT_EQ(submit_empty(self->ring.queue, i), 0);
		ASSERT_EQ(sluice_ring_take(&self->ring, completion, 2), 1);
		ASSERT_EQ(completion[0].point, i);
		ASSERT_EQ(completion[0].user_data, i);
	}
}

TEST_F(ring, full_ring_has_no_room_until_the_tail_moves)
{
	struct sluice_completion completion;
	struct sluice_submit silent = { .flags = SLUICE_SUBMIT_NO_COMPLETION };
	int i;

	for (i = 0; i < DEPTH; i++)
		ASSERT_EQ(submit_empty(self->ring.queue, i), 0);
	EXPECT_EQ(submit_empty(self->ring.queue, i), -EBUSY);
	EXPECT_EQ(xioctl(self->ring.queue, SLUICE_IOCTL_SUBMIT, &silent), -EBUSY);
	ASSERT_EQ(sluice_ring_take(&self->ring, &completion, 1), 1);
	/* a job without a completion uses no entry */
	for (i = 0; i < 3 * DEPTH; i++)
		ASSERT_EQ(xioctl(self->ring.queue, SLUICE_IOCTL_SUBMIT, &silent), 0);
	EXPECT_EQ(self->ring.header->head, DEPTH);
	EXPECT_EQ(submit_empty(self->ring.queue, DEPTH), 0);
	EXPECT_EQ(submit_empty(self->ring.queue, DEPTH), -EBUSY);
	for (i = 1; i <= DEPTH; i++) {
		ASSERT_EQ(sluice_ring_take(&self->ring, &completion, 1), 1);
		EXPECT_EQ(completion.user_data, (unsigned int)i);
	}
}

/* Jobs that have not ended count, too. */
TEST_F(ring, pending_jobs_need_room)
{
	int i;

	ASSERT_EQ(submit_hanging(self->device, self->ring.queue), 0);
	for (i = 1; i < DEPTH; i++)
		ASSERT_EQ(submit_empty(self->ring.queue, i), 0);
	EXPECT_EQ(submit_empty(self->ring.queue, i), -EBUSY);
	EXPECT_EQ(events_of(self->ring.queue), 0);
	EXPECT_EQ(sluice_ring_wait(&self->ring, 0), -ETIME);
	EXPECT_EQ(sluice_cancel(self->ring.queue, 1, 1), 1);
	EXPECT_EQ(sluice_wait(self->ring.queue, DEPTH, LATE_MS), 0);
	EXPECT_EQ(self->ring.header->head, DEPTH);
}

TEST_F(ring, wrong_tail_makes_the_queue_full)
{
	static const uint32_t wrong[] = {
		1, 2, 0x7fffffff, 0x80000000, UINT32_MAX - DEPTH,
	};
	struct sluice_completion completion;
	unsigned int i;

	ASSERT_EQ(submit_empty(self->ring.queue, 0), 0);
	ASSERT_EQ(sluice_ring_take(&self->ring, &completion, 1), 1);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		self->ring.header->tail = 1 + wrong[i];
		EXPECT_EQ(submit_empty(self->ring.queue, i), -EBUSY) TH_LOG("%x", wrong[i]);
		EXPECT_EQ(events_of(self->ring.queue), POLLIN);
	}
	/* as many unread as there are entries */
	self->ring.header->tail = 1 - DEPTH;
	EXPECT_EQ(submit_empty(self->ring.queue, 0), -EBUSY);
	/* one less: an entry that was taken counts as unread again */
	self->ring.header->tail = 2 - DEPTH;
	EXPECT_EQ(submit_empty(self->ring.queue, 1), 0);
	self->ring.header->tail = 1;
	ASSERT_EQ(sluice_ring_take(&self->ring, &completion, 1), 1);
	EXPECT_EQ(completion.user_data, 1);
}

/* The tail moves back while jobs are pending: the kernel writes where it would have written. */
TEST_F(ring, tail_that_moves_back_does_no_harm)
{
	struct sluice_completion completion;
	int i;

	ASSERT_EQ(submit_hanging(self->device, self->ring.queue), 0);
	for (i = 1; i < DEPTH; i++)
		ASSERT_EQ(submit_empty(self->ring.queue, i), 0);
	self->ring.header->tail = -DEPTH;
	EXPECT_EQ(sluice_cancel(self->ring.queue, 1, 1), 1);
	EXPECT_EQ(sluice_wait(self->ring.queue, DEPTH, LATE_MS), 0);
	EXPECT_EQ(submit_empty(self->ring.queue, i), -EBUSY);
	self->ring.header->tail = 0;
	for (i = 0; i < DEPTH; i++) {
		ASSERT_EQ(sluice_ring_take(&self->ring, &completion, 1), 1);
		EXPECT_EQ(completion.point, (unsigned int)i + 1);
	}
}

/* The kernel reads nothing that it has written there. */
TEST_F(ring, garbage_in_the_memory_changes_nothing_for_the_kernel)
{
	struct sluice_ring_header good = *self->ring.header;
	struct sluice_completion completion;
	unsigned int fill, i;

	for (fill = 0; fill < 256; fill += 51) {
		memset(self->ring.header, fill, self->ring.size);
		/* right again, so that there is room */
		self->ring.header->tail = good.tail;
		for (i = 0; i < DEPTH; i++)
			ASSERT_EQ(submit_empty(self->ring.queue, fill + i), 0);
		EXPECT_EQ(self->ring.header->head, good.tail + DEPTH);
		EXPECT_EQ(sluice_wait(self->ring.queue, good.tail + DEPTH, 0), 0);
		good.head = good.tail + DEPTH;
		*self->ring.header = good;
		for (i = 0; i < DEPTH; i++) {
			ASSERT_EQ(sluice_ring_take(&self->ring, &completion, 1), 1);
			EXPECT_EQ(completion.user_data, fill + i);
		}
		good.tail += DEPTH;
	}
}

TEST_F(ring, mmap_refuses_what_is_not_the_ring)
{
	int queue = self->ring.queue;
	size_t size = self->ring.size, page = getpagesize();
	void *memory;

	EXPECT_EQ(mmap(NULL, size, PROT_READ, MAP_PRIVATE, queue, 0), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(mmap(NULL, size + page, PROT_READ, MAP_SHARED, queue, 0), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(mmap(NULL, page, PROT_READ, MAP_SHARED, queue, page), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(mmap(NULL, page, PROT_READ, MAP_SHARED, queue, 1L << 40), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	memory = mmap(NULL, 1, PROT_READ, MAP_SHARED, queue, 0);
	ASSERT_NE(memory, MAP_FAILED);
	EXPECT_EQ(((struct sluice_ring_header *)memory)->magic, SLUICE_RING_MAGIC);
	EXPECT_EQ(mremap(memory, page, size + page, MREMAP_MAYMOVE), MAP_FAILED);
	munmap(memory, page);
}

/* A mapping that is moved, cut, dropped from the page tables or read-only shows the same memory. */
TEST_F(ring, mappings_show_the_same_memory)
{
	struct sluice_ring large;
	struct sluice_completion completion;
	size_t page = getpagesize();
	char *second, *moved;
	int i;

	ASSERT_GE(sluice_ring_create(self->device, 0, 1024, 0, &large), 0);
	second = mmap(NULL, large.size, PROT_READ, MAP_SHARED, large.queue, 0);
	ASSERT_NE(second, MAP_FAILED);
	ASSERT_EQ(submit_empty(large.queue, 1), 0);
	EXPECT_EQ(((struct sluice_ring_header *)second)->head, 1);
	EXPECT_EQ(madvise(second, large.size, MADV_DONTNEED), 0);
	EXPECT_EQ(((struct sluice_ring_header *)second)->head, 1);
	moved = mremap(second, large.size, large.size, MREMAP_MAYMOVE | MREMAP_FIXED,
		       mmap(NULL, large.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	ASSERT_NE(moved, MAP_FAILED);
	EXPECT_EQ(((struct sluice_ring_header *)moved)->head, 1);
	/* a hole in the middle; the rest is still right */
	EXPECT_EQ(munmap(moved + page, page), 0);
	ASSERT_EQ(submit_empty(large.queue, 2), 0);
	EXPECT_EQ(((struct sluice_ring_header *)moved)->head, 2);
	EXPECT_EQ(memcmp(moved + 2 * page, (char *)large.header + 2 * page, large.size - 2 * page),
		  0);
	munmap(moved, large.size);
	for (i = 1; i <= 2; i++) {
		ASSERT_EQ(sluice_ring_take(&large, &completion, 1), 1);
		EXPECT_EQ(completion.user_data, (unsigned int)i);
	}
	EXPECT_EQ(sluice_ring_destroy(&large), 0);
	EXPECT_EQ(sluice_ring_destroy(&large), -EBADF);
}

/* A child shares the memory, and keeps the queue after its parent has closed it. */
TEST_F(ring, child_shares_the_ring)
{
	struct sluice_completion completion;
	int status, queue = self->ring.queue;
	pid_t child;

	ASSERT_EQ(submit_empty(queue, 1), 0);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		if (sluice_ring_take(&self->ring, &completion, 1) != 1 ||
		    completion.user_data != 1 || sluice_ring_wait(&self->ring, LATE_MS) ||
		    sluice_ring_take(&self->ring, &completion, 1) != 1)
			_exit(1);
		_exit(completion.user_data == 2 ? 0 : 2);
	}
	/* the child has taken the first one */
	while (__atomic_load_n(&self->ring.header->tail, __ATOMIC_ACQUIRE) != 1)
		usleep(1000);
	ASSERT_EQ(submit_empty(queue, 2), 0);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(sluice_ring_take(&self->ring, &completion, 1), 0);
}

/* The file of the queue lives until its last mapping is gone, and the job until then. */
TEST_F(ring, mapping_keeps_the_queue_open)
{
	struct sluice_ring_header *header = self->ring.header;

	ASSERT_EQ(submit_hanging(self->device, self->ring.queue), 0);
	close(self->ring.queue);
	self->ring.queue = -1;
	usleep(50000);
	EXPECT_EQ(__atomic_load_n(&header->head, __ATOMIC_ACQUIRE), 0);
	EXPECT_EQ(munmap(header, self->ring.size), 0);
	self->ring.header = NULL;
	EXPECT_TRUE(objects_settle(&(struct objects) {
		.count = { self->before.count[0], self->before.count[1] + 1 },
	}));
}

TEST_F(ring, pages_in_a_pipe_outlive_the_queue)
{
	struct iovec iov = { self->ring.header, self->ring.size };
	struct sluice_ring_header header = {};
	int ends[2];

	ASSERT_EQ(pipe(ends), 0);
	ASSERT_EQ(submit_empty(self->ring.queue, 0), 0);
	ASSERT_GT(vmsplice(ends[1], &iov, 1, 0), (ssize_t)sizeof(header));
	sluice_ring_destroy(&self->ring);
	EXPECT_TRUE(objects_settle(&(struct objects) {
		.count = { self->before.count[0], self->before.count[1] + 1 },
	}));
	ASSERT_EQ(read(ends[0], &header, sizeof(header)), (ssize_t)sizeof(header));
	EXPECT_EQ(header.head, 1);
	close(ends[0]);
	close(ends[1]);
}

static void *cancel_later(void *queue)
{
	usleep(100000);
	return (void *)(intptr_t)sluice_cancel(*(int *)queue, 1, UINT64_MAX);
}

TEST_F(ring, wait_ends_with_the_job)
{
	struct sluice_completion completion;
	pthread_t thread;
	void *cancelled;

	ASSERT_EQ(submit_hanging(self->device, self->ring.queue), 0);
	ASSERT_EQ(pthread_create(&thread, NULL, cancel_later, &self->ring.queue), 0);
	EXPECT_EQ(sluice_ring_wait(&self->ring, LATE_MS), 0);
	ASSERT_EQ(sluice_ring_take(&self->ring, &completion, 1), 1);
	EXPECT_EQ(completion.status, -ECANCELED);
	pthread_join(thread, &cancelled);
	EXPECT_EQ((intptr_t)cancelled, 1);
}

/* The fence of a job has signalled before its completion can be seen. */
TEST_F(ring, fence_has_signalled_when_the_completion_is_there)
{
	struct sluice_completion completion;
	int fence, i;

	for (i = 0; i < 100; i++) {
		struct pollfd pollfd = { .events = POLLIN };

		ASSERT_EQ(sluice_submit(self->ring.queue, NULL, 0, -1, &fence, 0, NULL), 0);
		while (sluice_ring_take(&self->ring, &completion, 1) != 1)
			;
		pollfd.fd = fence;
		EXPECT_EQ(poll(&pollfd, 1, 0), 1);
		close(fence);
	}
}

TEST_F(ring, io_uring_leaves_nothing_in_the_ring)
{
	struct sluice_completion completion;
	struct sluice_submit submit = {};
	struct io_uring_cqe *cqe;
	struct io_uring uring;

	ASSERT_EQ(io_uring_queue_init(2, &uring, 0), 0);
	sluice_prep_submit(io_uring_get_sqe(&uring), self->ring.queue, &submit, &completion);
	ASSERT_EQ(io_uring_submit_and_wait(&uring, 1), 1);
	ASSERT_EQ(io_uring_wait_cqe(&uring, &cqe), 0);
	EXPECT_EQ(cqe->res, 0);
	EXPECT_EQ(completion.point, 1);
	io_uring_queue_exit(&uring);
	EXPECT_EQ(sluice_ring_take(&self->ring, &completion, 1), 0);
	EXPECT_EQ(self->ring.header->head, 0);
}

/* Progress of a cyclic job comes before its completion, and after that of a job before it. */
TEST_F(ring, cyclic_job_tells_its_progress)
{
	struct sluice_completion record, before = {};
	struct sluice_ring ring;
	struct sluice_op op;
	int buffer;

	sluice_ring_destroy(&self->ring);
	ASSERT_GE(sluice_ring_create(self->device, 0, 0, SLUICE_QUEUE_EXCLUSIVE, &ring), 0);
	buffer = sluice_alloc(self->device, 0, BUFFER, 0);
	ASSERT_EQ(sluice_attach(ring.queue, buffer, SLUICE_ATTACH_EXPLICIT), 0);
	close(buffer);
	sluice_op_capture(&op, 0, 0, BUFFER);
	ASSERT_EQ(submit_empty(ring.queue, 1), 0);
	ASSERT_EQ(sluice_submit_cyclic(ring.queue, &op, 1, 0, 2, NULL), 0);
	while (ring.header->progress_sequence < 2)
		usleep(1000);
	ASSERT_EQ(sluice_ring_take(&ring, &record, 1), 1);
	EXPECT_EQ(record.user_data, 1);
	while (before.ops < 3) {
		ASSERT_EQ(sluice_ring_wait(&ring, LATE_MS), 0);
		ASSERT_EQ(sluice_ring_take(&ring, &record, 1), 1);
		EXPECT_EQ(record.flags, SLUICE_COMPLETION_MORE);
		EXPECT_EQ(record.user_data, 2);
		EXPECT_GT(record.ops, before.ops);
		EXPECT_EQ(record.bytes, record.ops * BUFFER);
		before = record;
	}
	EXPECT_EQ(sluice_cancel(ring.queue, 2, 2), 1);
	do {
		ASSERT_EQ(sluice_ring_wait(&ring, LATE_MS), 0);
		ASSERT_EQ(sluice_ring_take(&ring, &record, 1), 1);
	} while (record.flags & SLUICE_COMPLETION_MORE);
	EXPECT_EQ(record.status, -ECANCELED);
	EXPECT_EQ(events_of(ring.queue), POLLOUT);
	EXPECT_EQ(sluice_ring_take(&ring, &record, 1), 0);
	EXPECT_EQ(sluice_ring_destroy(&ring), 0);
}

/* A module without rings: the same functions read completions. */
TEST_F(ring, functions_work_without_a_ring)
{
	struct sluice_ring ring = { .queue = sluice_queue_create(self->device, 0) };
	struct sluice_completion completions[2];

	ASSERT_GE(ring.queue, 0);
	ASSERT_EQ(fcntl(ring.queue, F_SETFL, O_NONBLOCK), 0);
	EXPECT_EQ(sluice_ring_take(&ring, completions, 2), 0);
	EXPECT_EQ(sluice_ring_take(&ring, completions, 0), 0);
	EXPECT_EQ(sluice_ring_wait(&ring, 0), -ETIME);
	ASSERT_EQ(submit_empty(ring.queue, 1), 0);
	ASSERT_EQ(submit_empty(ring.queue, 2), 0);
	EXPECT_EQ(sluice_ring_wait(&ring, LATE_MS), 0);
	ASSERT_EQ(sluice_ring_take(&ring, completions, 2), 2);
	EXPECT_EQ(completions[1].user_data, 2);
	EXPECT_EQ(sluice_ring_destroy(&ring), 0);
	EXPECT_EQ(sluice_ring_create(self->device, 9, 0, 0, &ring), -EINVAL);
	EXPECT_EQ(sluice_ring_create(self->device, 0, SLUICE_MAX_DEPTH + 1, 0, &ring), -EINVAL);
	EXPECT_EQ(sluice_ring_create(self->device, 0, 0, 1U << 31, &ring), -EINVAL);
	EXPECT_EQ(sluice_ring_destroy(&ring), -EBADF);
}

TEST_F(ring, outlives_the_device)
{
	struct sluice_completion completions[DEPTH];
	void *second;
	int count;

	ASSERT_EQ(submit_hanging(self->device, self->ring.queue), 0);
	ASSERT_EQ(submit_empty(self->ring.queue, 2), 0);
	ASSERT_EQ(write_text(DRIVER "unbind", "sluice-soft"), 0);
	EXPECT_EQ(sluice_ring_wait(&self->ring, LATE_MS), 0);
	EXPECT_EQ(sluice_wait(self->ring.queue, 1, LATE_MS), -ENODEV);
	EXPECT_EQ(sluice_wait(self->ring.queue, 2, LATE_MS), 0);
	second = map_all(self->ring.queue, self->ring.size);
	ASSERT_NE(second, MAP_FAILED);
	EXPECT_EQ(((struct sluice_ring_header *)second)->head, 2);
	count = sluice_ring_take(&self->ring, completions, DEPTH);
	EXPECT_EQ(count, 2);
	EXPECT_EQ(completions[0].status, -ENODEV);
	EXPECT_EQ(completions[1].user_data, 2);
	EXPECT_EQ(sluice_ring_wait(&self->ring, 0), -ENODEV);
	EXPECT_EQ(sluice_ring_take(&self->ring, completions, DEPTH), 0);
	EXPECT_EQ(submit_empty(self->ring.queue, 3), -ENODEV);
	EXPECT_EQ(munmap(second, self->ring.size), 0);
	EXPECT_EQ(write_text(DRIVER "bind", "sluice-soft"), 0);
}

TEST_HARNESS_MAIN
