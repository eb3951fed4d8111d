// SPDX-License-Identifier: MIT
/*
 * Bad input: every ioctl refuses it with the errno that the UAPI header promises, and leaves
 * nothing behind.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/sync_file.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "objects.h"
#include "pages.h"
#include "pattern.h"
#include "sluice.h"

#define SIZE 65536UL

FIXTURE(uapi) {
	struct objects before;
	int device, queue, buffer, slot, eventfd;
	char *unmapped, *readonly;
};

FIXTURE_SETUP(uapi)
{
	self->before = objects_before();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
	self->queue = patient_queue(self->device, 0);
	ASSERT_GE(self->queue, 0);
	self->slot = sluice_attach(self->queue, self->buffer, 0);
	ASSERT_EQ(self->slot, 0);
	self->eventfd = eventfd(0, EFD_CLOEXEC);
	self->unmapped = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	self->readonly = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(self->readonly, MAP_FAILED);
}

FIXTURE_TEARDOWN(uapi)
{
	close(self->queue);
	close(self->buffer);
	close(self->device);
	close(self->eventfd);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* The ioctls, each with the fd that serves it, and the first size if the struct has grown. */
static const struct {
	unsigned long cmd;
	size_t size;
	bool queue;
	size_t first;
} ioctls[] = {
	{ SLUICE_IOCTL_INFO, sizeof(struct sluice_info), false, 136 },
	{ SLUICE_IOCTL_HEAP_INFO, sizeof(struct sluice_heap_info), false, 0 },
	{ SLUICE_IOCTL_ALLOC, sizeof(struct sluice_alloc), false, 0 },
	{ SLUICE_IOCTL_BUFFER_INFO, sizeof(struct sluice_buffer_info), false, 0 },
	{ SLUICE_IOCTL_CREATE_QUEUE, sizeof(struct sluice_create_queue), false, 0 },
	{ SLUICE_IOCTL_WRAP, sizeof(struct sluice_wrap), false, 0 },
	{ SLUICE_IOCTL_SYNC, sizeof(struct sluice_sync), false, 0 },
	{ SLUICE_IOCTL_EVENTFD, sizeof(struct sluice_eventfd), false, 0 },
	{ SLUICE_IOCTL_ENGINE_INFO, sizeof(struct sluice_engine_info), false, 40 },
	{ SLUICE_IOCTL_ENUM_FORMATS, sizeof(struct sluice_enum_formats), false, 0 },
	{ SLUICE_IOCTL_ENUM_SIZES, sizeof(struct sluice_enum_sizes), false, 0 },
	{ SLUICE_IOCTL_ENUM_INTERVALS, sizeof(struct sluice_enum_intervals), false, 0 },
	{ SLUICE_IOCTL_SOURCE, sizeof(struct sluice_source), false, 0 },
	{ SLUICE_IOCTL_ENUM_CONTROLS, sizeof(struct sluice_enum_controls), false, 0 },
	{ SLUICE_IOCTL_ENUM_MENU, sizeof(struct sluice_enum_menu), false, 0 },
	{ SLUICE_IOCTL_GET_CONTROL, sizeof(struct sluice_control), false, 0 },
	{ SLUICE_IOCTL_SET_CONTROL, sizeof(struct sluice_control), false, 0 },
	{ SLUICE_IOCTL_ATTACH, sizeof(struct sluice_attach), true, 0 },
	{ SLUICE_IOCTL_DETACH, sizeof(struct sluice_detach), true, 0 },
	{ SLUICE_IOCTL_SUBMIT, sizeof(struct sluice_submit), true, 56 },
	{ SLUICE_IOCTL_SUBMIT_MANY, sizeof(struct sluice_submit_many), true, 0 },
	{ SLUICE_IOCTL_FENCE, sizeof(struct sluice_export_fence), true, 0 },
	{ SLUICE_IOCTL_WAIT, sizeof(struct sluice_wait), true, 0 },
	{ SLUICE_IOCTL_QUEUE_INFO, sizeof(struct sluice_queue_info), true, 24 },
};

#define NUM_IOCTLS (sizeof(ioctls) / sizeof(ioctls[0]))

static unsigned long with_size(unsigned long cmd, size_t size)
{
	return _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), size);
}

TEST_F(uapi, shorter_struct_than_the_first_is_EINVAL)
{
	char args[512] = {};
	unsigned int i;

	for (i = 0; i < NUM_IOCTLS; i++) {
		int fd = ioctls[i].queue ? self->queue : self->device;
		size_t first = ioctls[i].first ?: ioctls[i].size;

		EXPECT_EQ(xioctl(fd, with_size(ioctls[i].cmd, 0), args), -EINVAL);
		EXPECT_EQ(xioctl(fd, with_size(ioctls[i].cmd, first - 4), args), -EINVAL);
	}
}

TEST_F(uapi, struct_of_version_1_is_filled_as_far_as_it_goes)
{
	char args[sizeof(struct sluice_info)];
	struct sluice_info info = {};

	memset(args, 0, 136);
	memset(args + 136, 0x5a, sizeof(args) - 136);
	EXPECT_EQ(xioctl(self->device, with_size(SLUICE_IOCTL_INFO, 136), args), 0);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_INFO, &info), 0);
	EXPECT_EQ(memcmp(args, &info, 136), 0);
	EXPECT_EQ(args[136], 0x5a);
}

TEST_F(uapi, longer_struct_with_unknown_tail_is_E2BIG)
{
	char args[512];
	unsigned int i;

	for (i = 0; i < NUM_IOCTLS; i++) {
		int fd = ioctls[i].queue ? self->queue : self->device;

		memset(args, 0, sizeof(args));
		args[ioctls[i].size + 7] = 1;
		EXPECT_EQ(xioctl(fd, with_size(ioctls[i].cmd, ioctls[i].size + 8), args), -E2BIG);
	}
}

TEST_F(uapi, longer_struct_with_zero_tail_is_accepted_and_its_tail_left_alone)
{
	struct {
		struct sluice_info info;
		char tail[64];
	} args;

	memset(&args, 0, sizeof(args));
	EXPECT_EQ(xioctl(self->device, with_size(SLUICE_IOCTL_INFO, sizeof(args)), &args), 0);
	EXPECT_EQ(strcmp(args.info.name, "soft0"), 0);
	EXPECT_EQ(args.tail[0], 0);
	EXPECT_EQ(args.tail[63], 0);
}

TEST_F(uapi, bad_pointer_is_EFAULT)
{
	unsigned int i;

	for (i = 0; i < NUM_IOCTLS; i++) {
		int fd = ioctls[i].queue ? self->queue : self->device;

		EXPECT_EQ(xioctl(fd, ioctls[i].cmd, NULL), -EFAULT);
		EXPECT_EQ(xioctl(fd, ioctls[i].cmd, self->unmapped), -EFAULT);
		EXPECT_EQ(xioctl(fd, ioctls[i].cmd, (void *)-4096L), -EFAULT);
	}
}

TEST_F(uapi, longer_struct_whose_tail_cannot_be_read_is_EFAULT)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	ASSERT_NE(pages, MAP_FAILED);
	ASSERT_EQ(mprotect(pages + 4096, 4096, PROT_NONE), 0);
	for (i = 0; i < NUM_IOCTLS; i++) {
		int fd = ioctls[i].queue ? self->queue : self->device;

		EXPECT_EQ(xioctl(fd, with_size(ioctls[i].cmd, ioctls[i].size + 8),
				 pages + 4096 - ioctls[i].size), -EFAULT);
	}
	munmap(pages, 8192);
}

static int open_fds(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

TEST_F(uapi, answer_that_cannot_be_written_undoes_everything)
{
	struct sluice_create_queue *create = (void *)self->readonly;
	struct sluice_export_fence *fence = (void *)self->readonly;
	struct sluice_submit *submit = (void *)self->readonly;
	struct sluice_attach *attach = (void *)self->readonly;
	struct sluice_alloc *alloc = (void *)self->readonly;
	struct sluice_wrap *wrap = (void *)self->readonly;
	int memfd = sealed_memfd(0, SIZE, F_SEAL_SHRINK);
	int fds = open_fds(), other;
	struct sluice_op op;
	uint64_t point;

#define REFUSED(fd, cmd, type, ...) do { \
		mprotect(self->readonly, 4096, PROT_READ | PROT_WRITE); \
		memset(self->readonly, 0, 4096); \
		*type = (typeof(*type)) { __VA_ARGS__ }; \
		mprotect(self->readonly, 4096, PROT_READ); \
		EXPECT_EQ(xioctl(fd, cmd, type), -EFAULT); \
	} while (0)

	sluice_op_fill(&op, self->slot, 0, SIZE, 0xdeadbeef);
	REFUSED(self->device, SLUICE_IOCTL_ALLOC, alloc, .size = SIZE);
	REFUSED(self->device, SLUICE_IOCTL_CREATE_QUEUE, create, .depth = 4);
	REFUSED(self->device, SLUICE_IOCTL_WRAP, wrap, .memfd = memfd, .size = SIZE);
	REFUSED(self->queue, SLUICE_IOCTL_ATTACH, attach, .fd = self->buffer);
	REFUSED(self->queue, SLUICE_IOCTL_SUBMIT, submit, .ops = (uintptr_t)&op, .num_ops = 1,
		.flags = SLUICE_SUBMIT_OUT_FENCE);
	EXPECT_EQ(check_value(self->buffer, SIZE, 0), 0);

	/* the next point and the next slot are the same as without the refused calls */
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, &point), 0);
	EXPECT_EQ(point, 1);
	ASSERT_EQ(sluice_wait(self->queue, point, LATE_MS), 0);
	REFUSED(self->queue, SLUICE_IOCTL_FENCE, fence, .point = 1);
	other = sluice_attach(self->queue, self->buffer, 0);
	EXPECT_EQ(other, 1);
	EXPECT_EQ(open_fds(), fds);
	close(memfd);
}

TEST_F(uapi, unknown_ioctls_are_ENOTTY)
{
	char args[512] = {};

	EXPECT_EQ(xioctl(self->device, _IOWR(SLUICE_IOCTL_BASE, 0x7f, struct sluice_info), args), -ENOTTY);
	EXPECT_EQ(xioctl(self->queue, _IOWR(SLUICE_IOCTL_BASE, 0x7f, struct sluice_info), args), -ENOTTY);
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_INFO, args), -ENOTTY);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_SUBMIT, args), -ENOTTY);
	EXPECT_EQ(xioctl(self->device, _IOWR('T', 0, struct sluice_info), args), -ENOTTY);
}

TEST_F(uapi, info_refuses_flags)
{
	struct sluice_heap_info heap = { .flags = 1 };
	struct sluice_info info = { .flags = 1 };

	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_INFO, &info), -EINVAL);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_HEAP_INFO, &heap), -EINVAL);
	heap = (struct sluice_heap_info) { .index = 2 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_HEAP_INFO, &heap), -EINVAL);
	heap.index = UINT_MAX;
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_HEAP_INFO, &heap), -EINVAL);
}

TEST_F(uapi, alloc_refuses_bad_sizes_heaps_and_flags)
{
	static const struct {
		struct sluice_alloc args;
		int error;
	} cases[] = {
		{ { .size = 0 }, -EINVAL },
		{ { .size = 4096, .heap = 2 }, -EINVAL },
		{ { .size = 4096, .heap = UINT_MAX }, -EINVAL },
		{ { .size = 4096, .flags = 1U << 31 }, -EINVAL },
		{ { .size = 4096, .fd_flags = 1U << 31 }, -EINVAL },
		{ { .size = 4096, .fd_flags = O_CLOEXEC }, -EINVAL },
		{ { .size = 1ULL << 63 }, -EFBIG },
		{ { .size = UINT64_MAX }, -EFBIG },
		{ { .size = UINT64_MAX - 4094 }, -EFBIG },
		{ { .size = 1ULL << 63, .heap = 1 }, -EFBIG },
		{ { .size = 4096, .flags = SLUICE_MEM_COHERENT | SLUICE_MEM_CACHED }, -EINVAL },
		{ { .size = 4096, .flags = SLUICE_MEM_COHERENT }, -EOPNOTSUPP },
	};
	struct sluice_alloc args;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		args = cases[i].args;
		EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &args), cases[i].error)
			TH_LOG("case %u", i);
		EXPECT_EQ(args.fd, -1);
		EXPECT_EQ(args.granted, 0);
	}
}

TEST_F(uapi, alloc_that_no_memory_can_hold_fails_with_a_hint)
{
	struct sluice_alloc args = { .size = 64 << 20, .heap = 1 };
	struct sluice_heap_info heap;
	struct sluice_info info;
	int edu = sluice_open("edu0");

	if (edu == -ENOENT)
		SKIP(return, "no device that reaches little of the memory");
	ASSERT_GE(edu, 0);
	/*
	 * 64 MiB in one segment never fit into the 16 MiB of free memory that edu's 28-bit
	 * addresses reach.  With an IOMMU they reach all of the memory.
	 */
	if (!translated()) {
		EXPECT_EQ(xioctl(edu, SLUICE_IOCTL_ALLOC, &args), -EFBIG);
		EXPECT_EQ(args.hint, SLUICE_HINT_DMA_MASK);
		EXPECT_EQ(args.fd, -1);
	} else if (!xioctl(edu, SLUICE_IOCTL_ALLOC, &args)) {
		EXPECT_EQ(lseek(args.fd, 0, SEEK_END), (off_t)args.size);
		close(args.fd);
	} else {
		EXPECT_NE(args.hint, SLUICE_HINT_NONE);
		EXPECT_EQ(args.fd, -1);
	}
	args = (struct sluice_alloc) { .size = 64 << 20, .heap = 0 };
	if (translated()) {
		EXPECT_EQ(xioctl(edu, SLUICE_IOCTL_ALLOC, &args), 0);
		close(args.fd);
	} else {
		EXPECT_EQ(xioctl(edu, SLUICE_IOCTL_ALLOC, &args), -ENOMEM);
		EXPECT_EQ(args.hint, SLUICE_HINT_DMA_MASK);
	}
	/* more in one segment than any machine has */
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	ASSERT_EQ(sluice_heap_info(self->device, 1, &heap), 0);
	args = (struct sluice_alloc) { .size = heap.max_size + 1, .heap = 1 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &args), -EFBIG);
	EXPECT_EQ(args.hint, info.caps & SLUICE_CAP_CMA ? SLUICE_HINT_LIMIT :
							  SLUICE_HINT_NO_CMA);
	args = (struct sluice_alloc) { .size = 1ULL << 32, .heap = 1 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &args), -EFBIG);
	EXPECT_EQ(args.hint, SLUICE_HINT_LIMIT);
	close(edu);
}

TEST_F(uapi, out_of_fds_is_EMFILE_and_loses_nothing)
{
	struct sluice_create_queue create = {};
	struct sluice_export_fence fence = { .point = 1 };
	struct sluice_submit submit = { .flags = SLUICE_SUBMIT_OUT_FENCE };
	struct sluice_alloc alloc = { .size = SIZE };
	struct rlimit old, now;
	uint64_t point;

	ASSERT_EQ(sluice_submit(self->queue, NULL, 0, -1, NULL, 0, &point), 0);
	ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
	now = old;
	now.rlim_cur = 0;
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &alloc), -EMFILE);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), -EMFILE);
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_FENCE, &fence), -EMFILE);
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_SUBMIT, &submit), -EMFILE);
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
	ASSERT_EQ(sluice_submit(self->queue, NULL, 0, -1, NULL, 0, &point), 0);
	EXPECT_EQ(point, 2);
	EXPECT_EQ(sluice_wait(self->queue, 2, LATE_MS), 0);
}

TEST_F(uapi, buffer_info_refuses_what_is_not_a_dma_buf)
{
	struct sluice_buffer_info info = { .fd = -1 };

	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_BUFFER_INFO, &info), -EBADF);
	info = (struct sluice_buffer_info) { .fd = 9999 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_BUFFER_INFO, &info), -EBADF);
	info = (struct sluice_buffer_info) { .fd = self->eventfd };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_BUFFER_INFO, &info), -EINVAL);
	info = (struct sluice_buffer_info) { .fd = self->device };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_BUFFER_INFO, &info), -EINVAL);
	info = (struct sluice_buffer_info) { .fd = self->buffer, .flags = 1 };
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_BUFFER_INFO, &info), -EINVAL);
}

TEST_F(uapi, create_queue_refuses_bad_parameters)
{
	static const struct sluice_create_queue cases[] = {
		{ .engine = 2 },
		{ .engine = UINT_MAX },
		{ .flags = SLUICE_QUEUE_RING << 1 },
		{ .priority = 3 },
		{ .timeout_ms = SLUICE_MAX_TIMEOUT_MS + 1 },
		{ .timeout_ms = UINT_MAX },
		{ .depth = SLUICE_MAX_DEPTH + 1 },
		{ .depth = UINT_MAX },
		{ .fd_flags = SLUICE_FD_RDONLY },
		{ .fd_flags = 1U << 31 },
		{ .completion_size = 1 },
		{ .completion_size = SLUICE_COMPLETION_SIZE_V1 - 8 },
		{ .completion_size = SLUICE_COMPLETION_SIZE_V1 + 4 },
		{ .completion_size = SLUICE_MAX_RECORD_SIZE + 8 },
		{ .completion_size = UINT_MAX },
	};
	struct sluice_create_queue args;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		args = cases[i];
		EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &args), -EINVAL)
			TH_LOG("case %u", i);
	}
}

TEST_F(uapi, attach_refuses_what_is_not_a_dma_buf)
{
	struct sluice_attach args = { .fd = self->buffer, .flags = 1U << 31 };

	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_ATTACH, &args), -EINVAL);
	args = (struct sluice_attach) { .fd = self->buffer, .reserved = 1 };
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_ATTACH, &args), -EINVAL);
	EXPECT_EQ(sluice_attach(self->queue, -1, 0), -EBADF);
	EXPECT_EQ(sluice_attach(self->queue, 9999, 0), -EBADF);
	EXPECT_EQ(sluice_attach(self->queue, self->eventfd, 0), -EINVAL);
	EXPECT_EQ(sluice_attach(self->queue, self->queue, 0), -EINVAL);
	EXPECT_EQ(sluice_attach(self->queue, self->device, 0), -EINVAL);
	/* none of these has taken a number */
	EXPECT_EQ(sluice_attach(self->queue, self->buffer, 0), 1);
}

TEST_F(uapi, attach_beyond_the_last_slot_is_ENOSPC)
{
	int i;

	for (i = 1; i < SLUICE_MAX_SLOTS; i++) {
		int fd = sluice_alloc(self->device, 0, 4096, 0);

		ASSERT_EQ(sluice_attach(self->queue, fd, 0), i);
		close(fd);
	}
	EXPECT_EQ(sluice_attach(self->queue, self->buffer, 0), -ENOSPC);
	EXPECT_EQ(sluice_detach(self->queue, 500), 0);
	EXPECT_EQ(sluice_attach(self->queue, self->buffer, 0), 500);
}

TEST_F(uapi, detach_refuses_unknown_slots_and_flags)
{
	struct sluice_detach args = { .flags = 1 };

	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_DETACH, &args), -EINVAL);
	EXPECT_EQ(sluice_detach(self->queue, 1), -ENOENT);
	EXPECT_EQ(sluice_detach(self->queue, UINT_MAX), -ENOENT);
	/* DETACH returns no data: it must not fail after the slot was removed */
	mprotect(self->readonly, 4096, PROT_READ);
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_DETACH, self->readonly), 0);
	EXPECT_EQ(sluice_detach(self->queue, 0), -ENOENT);
}

TEST_F(uapi, submit_refuses_bad_parameters)
{
	__s32 fences[SLUICE_MAX_IN_FENCES + 1] = {};
	struct sluice_op ops[SLUICE_MAX_OPS + 1];
	uintptr_t op = (uintptr_t)ops, fence = (uintptr_t)fences;
	const struct {
		struct sluice_submit args;
		int error;
	} cases[] = {
		{ { .flags = 1U << 31 }, -EINVAL },
		{ { .fd_flags = SLUICE_FD_RDONLY }, -EINVAL },
		{ { .ops = op, .num_ops = SLUICE_MAX_OPS + 1 }, -E2BIG },
		{ { .ops = op, .num_ops = UINT_MAX }, -E2BIG },
		{ { .in_fences = fence, .num_in_fences = SLUICE_MAX_IN_FENCES + 1 }, -E2BIG },
		{ { .in_fences = fence, .num_in_fences = UINT_MAX }, -E2BIG },
		{ { .ops = op, .num_ops = 1, .op_size = 63 }, -EINVAL },
		{ { .ops = op, .num_ops = 1, .op_size = UINT_MAX }, -E2BIG },
		{ { .ops = 0, .num_ops = 1 }, -EFAULT },
		{ { .ops = (uintptr_t)self->unmapped, .num_ops = 1 }, -EFAULT },
		{ { .ops = -64ULL, .num_ops = 2 }, -EFAULT },
		{ { .in_fences = (uintptr_t)self->unmapped, .num_in_fences = 1 }, -EFAULT },
	};
	unsigned int i;

	for (i = 0; i < SLUICE_MAX_OPS + 1; i++)
		sluice_op_fill(&ops[i], self->slot, 0, SIZE, 0xdeadbeef);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sluice_submit args = cases[i].args;

		EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_SUBMIT, &args), cases[i].error)
			TH_LOG("case %u", i);
	}
	EXPECT_EQ(check_value(self->buffer, SIZE, 0), 0);
}

TEST_F(uapi, submit_refuses_fences_that_are_none)
{
	__s32 fences[2] = { -1, -1 };
	struct sluice_submit args = { .in_fences = (uintptr_t)fences, .num_in_fences = 1 };

	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_SUBMIT, &args), -EBADF);
	fences[0] = self->eventfd;
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_SUBMIT, &args), -EINVAL);
	fences[0] = self->buffer;
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_SUBMIT, &args), -EINVAL);
	fences[0] = self->queue;
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_SUBMIT, &args), -EINVAL);

	/* a good fence first, so that there is something to undo */
	ASSERT_EQ(sluice_submit(self->queue, NULL, 0, -1, &fences[0], 0, NULL), 0);
	fences[1] = 9999;
	args.num_in_fences = 2;
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_SUBMIT, &args), -EBADF);
	close(fences[0]);
}

TEST_F(uapi, submit_refuses_bad_ops)
{
	const uint32_t xr24 = 0x34325258;
	const struct {
		struct sluice_op op;
		int error;
	} cases[] = {
		{ { .kind = 0, .length = 4 }, -EINVAL },
		{ { .kind = 5, .length = 4 }, -EINVAL },
		{ { .kind = 63, .length = 4 }, -EINVAL },
		{ { .kind = UINT_MAX, .length = 4 }, -EINVAL },
		{ { .kind = SLUICE_OP_FILL, .flags = 1, .length = 4 }, -EINVAL },
		{ { .kind = SLUICE_OP_FILL, .length = 0 }, -EINVAL },
		{ { .kind = SLUICE_OP_FILL, .length = 4, .src = 1 }, -EINVAL },
		{ { .kind = SLUICE_OP_FILL, .length = 4, .src_offset = 4 }, -EINVAL },
		{ { .kind = SLUICE_OP_FILL, .length = 4, .value = 1ULL << 32 }, -EINVAL },
		{ { .kind = SLUICE_OP_FILL, .length = 4, .pad = { 0, 0, 1 } }, -EINVAL },
		{ { .kind = SLUICE_OP_COPY, .src = 1, .length = 4, .pad = { 1 } }, -EINVAL },
		{ { .kind = SLUICE_OP_CAPTURE, .length = 4, .pad = { 0, 0, 1 } }, -EINVAL },
		{ { .kind = SLUICE_OP_FILL, .length = 3 }, -EINVAL },
		{ { .kind = SLUICE_OP_FILL, .length = 4, .dst_offset = 2 }, -EINVAL },
		{ { .kind = SLUICE_OP_COPY, .src = 1, .length = 4, .src_offset = 1 }, -EINVAL },
		{ { .kind = SLUICE_OP_FILL, .dst = 7, .length = 4 }, -ENOENT },
		{ { .kind = SLUICE_OP_FILL, .dst = UINT_MAX, .length = 4 }, -ENOENT },
		{ { .kind = SLUICE_OP_COPY, .src = 7, .length = 4 }, -ENOENT },
		{ { .kind = SLUICE_OP_FILL, .length = SIZE + 4 }, -ERANGE },
		{ { .kind = SLUICE_OP_FILL, .dst_offset = 4, .length = SIZE }, -ERANGE },
		{ { .kind = SLUICE_OP_FILL, .dst_offset = SIZE, .length = 4 }, -ERANGE },
		{ { .kind = SLUICE_OP_FILL, .dst_offset = -4ULL, .length = 4 }, -ERANGE },
		{ { .kind = SLUICE_OP_FILL, .dst_offset = -4ULL, .length = 8 }, -ERANGE },
		{ { .kind = SLUICE_OP_FILL, .dst_offset = 4, .length = -4ULL }, -ERANGE },
		{ { .kind = SLUICE_OP_FILL, .length = 1ULL << 63 }, -ERANGE },
		{ { .kind = SLUICE_OP_COPY, .src = 1, .src_offset = SIZE, .length = 4 }, -ERANGE },
		{ { .kind = SLUICE_OP_COPY, .src = 1, .src_offset = -8ULL, .length = 16 }, -ERANGE },
		/* overlap within one buffer, also through two slots */
		{ { .kind = SLUICE_OP_COPY, .length = 4 }, -EINVAL },
		{ { .kind = SLUICE_OP_COPY, .src_offset = 4, .length = 8 }, -EINVAL },
		{ { .kind = SLUICE_OP_COPY, .dst_offset = 4, .length = 8 }, -EINVAL },
		{ { .kind = SLUICE_OP_COPY, .src = 2, .length = 8 }, -EINVAL },
		/* directions */
		{ { .kind = SLUICE_OP_FILL, .dst = 2, .length = 4 }, -EACCES },
		{ { .kind = SLUICE_OP_COPY, .src = 3, .length = 4 }, -EACCES },
		/* images */
		{ { .kind = SLUICE_OP_CAPTURE, .length = SIZE,
		    .frame = { 64, 64, 256, 0 } }, -EINVAL },
		{ { .kind = SLUICE_OP_CAPTURE, .length = SIZE,
		    .frame = { 64, 64, 252, xr24 } }, -EINVAL },
		{ { .kind = SLUICE_OP_CAPTURE, .length = SIZE,
		    .frame = { 64, 0, 256, xr24 } }, -EINVAL },
		{ { .kind = SLUICE_OP_CAPTURE, .length = SIZE,
		    .frame = { 0, 64, 256, xr24 } }, -EINVAL },
		{ { .kind = SLUICE_OP_CAPTURE, .length = SIZE,
		    .frame = { 64, 64, 258, xr24 } }, -EINVAL },
		{ { .kind = SLUICE_OP_CAPTURE, .length = SIZE,
		    .frame = { 1U << 30, 64, 0, xr24 } }, -EINVAL },
		{ { .kind = SLUICE_OP_CAPTURE, .length = 64 * 256 - 4,
		    .frame = { 64, 64, 256, xr24 } }, -ERANGE },
		{ { .kind = SLUICE_OP_CAPTURE, .length = SIZE,
		    .frame = { 64, UINT_MAX, UINT_MAX - 3, xr24 } }, -ERANGE },
	};
	struct sluice_op op[2];
	unsigned int i;
	int second;

	second = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_EQ(sluice_attach(self->queue, second, 0), 1);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, SLUICE_ATTACH_READ), 2);
	ASSERT_EQ(sluice_attach(self->queue, second, SLUICE_ATTACH_WRITE), 3);
	sluice_op_fill(&op[0], self->slot, 0, SIZE, 0xdeadbeef);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* after a good op: a job is refused as a whole */
		op[1] = cases[i].op;
		EXPECT_EQ(sluice_submit(self->queue, op, 2, -1, NULL, 0, NULL), cases[i].error)
			TH_LOG("case %u", i);
	}
	EXPECT_EQ(check_value(self->buffer, SIZE, 0), 0);
	close(second);
}

TEST_F(uapi, submit_refuses_ops_that_the_device_does_not_have)
{
	int device = sluice_open(REAL_DEVICE), buffer = sluice_alloc(device, 1, SIZE, 0);
	int queue = sluice_queue_create(device, 0);
	struct sluice_op op;

	NEEDS_DEVICE(REAL_DEVICE);
	ASSERT_GE(queue, 0);
	ASSERT_EQ(sluice_attach(queue, buffer, 0), 0);
	sluice_op_capture(&op, 0, 0, SIZE);
	EXPECT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, NULL), -EOPNOTSUPP);
	close(queue);
	close(buffer);
	close(device);
}

TEST_F(uapi, longer_ops_with_unknown_tail_are_E2BIG)
{
	struct {
		struct sluice_op op;
		uint64_t tail[2];
	} ops[2];
	struct sluice_submit args = { .ops = (uintptr_t)ops, .num_ops = 2,
				      .op_size = sizeof(ops[0]) };

	memset(ops, 0, sizeof(ops));
	sluice_op_fill(&ops[0].op, self->slot, 0, SIZE / 2, 1);
	sluice_op_fill(&ops[1].op, self->slot, SIZE / 2, SIZE / 2, 1);
	ops[1].tail[1] = 1;
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_SUBMIT, &args), -E2BIG);
	ops[1].tail[1] = 0;
	ASSERT_EQ(xioctl(self->queue, SLUICE_IOCTL_SUBMIT, &args), 0);
	EXPECT_EQ(sluice_wait(self->queue, args.point, LATE_MS), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 1), 0);
}

TEST_F(uapi, fence_and_wait_refuse_points_that_do_not_exist)
{
	static const uint64_t points[] = { 0, 1, 2, 1ULL << 32, UINT64_MAX };
	struct sluice_export_fence fence = {};
	struct sluice_wait wait = {};
	unsigned int i;

	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		fence = (struct sluice_export_fence) { .point = points[i] };
		EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_FENCE, &fence), -EINVAL);
		wait = (struct sluice_wait) { .point = points[i] };
		EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_WAIT, &wait), -EINVAL);
	}
	ASSERT_EQ(sluice_submit(self->queue, NULL, 0, -1, NULL, 0, NULL), 0);
	fence = (struct sluice_export_fence) { .point = 1, .flags = 1 };
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_FENCE, &fence), -EINVAL);
	fence = (struct sluice_export_fence) { .point = 1, .reserved = 1 };
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_FENCE, &fence), -EINVAL);
	fence = (struct sluice_export_fence) { .point = 1, .fd_flags = SLUICE_FD_RDONLY };
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_FENCE, &fence), -EINVAL);
	wait = (struct sluice_wait) { .point = 1, .flags = 1 };
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_WAIT, &wait), -EINVAL);
}

TEST_F(uapi, read_refuses_short_and_bad_buffers_and_loses_no_record)
{
	struct sluice_completion completion;
	uint64_t point;

	EXPECT_EQ(read(self->queue, &completion, sizeof(completion) - 1), -1);
	EXPECT_EQ(errno, EINVAL);
	ASSERT_EQ(sluice_submit(self->queue, NULL, 0, -1, NULL, 77, &point), 0);
	ASSERT_EQ(sluice_wait(self->queue, point, LATE_MS), 0);
	EXPECT_EQ(read(self->queue, self->unmapped, sizeof(completion)), -1);
	EXPECT_EQ(errno, EFAULT);
	EXPECT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.user_data, 77);
	EXPECT_EQ(write(self->queue, &completion, sizeof(completion)), -1);
	EXPECT_EQ(lseek(self->queue, 0, SEEK_SET), 0);
}

TEST_F(uapi, closed_fds_are_EBADF)
{
	int queue = sluice_queue_create(self->device, 0);
	struct sluice_submit args = {};

	close(queue);
	EXPECT_EQ(xioctl(queue, SLUICE_IOCTL_SUBMIT, &args), -EBADF);
	EXPECT_EQ(sluice_attach(self->queue, queue, 0), -EBADF);
}

TEST_HARNESS_MAIN
