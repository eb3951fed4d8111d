// SPDX-License-Identifier: MIT
/*
 * Programs compiled with an old header, and with a future one.  The structs here are copies of
 * those in UAPI version 1.  They must work with any later <linux/sluice.h>.
 */
#include <linux/ioctl.h>
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

#define SIZE	8192U
#define JOBS	4

struct old_queue {
	__u32 engine, flags, priority, timeout_ms, depth, fd_flags;
	__s32 fd;
	__u32 reserved;
};

struct old_op {
	__u32 kind, flags, dst, src;
	__u64 dst_offset, src_offset, length, pad[3];
};

struct old_submit {
	__u64 ops, in_fences;
	__u32 num_ops, num_in_fences, flags, fd_flags;
	__u64 user_data, point;
	__s32 out_fence;
	__u32 op_size;
};

struct old_completion {
	__u64 point, user_data;
	__s32 status;
	__u32 flags;
	__u64 bytes, timestamp, sequence, dropped, reserved;
};

#define OLD_CREATE_QUEUE	_IOWR(0xD5, 0x04, struct old_queue)
#define OLD_SUBMIT		_IOWR(0xD5, 0x22, struct old_submit)
#define OLD_FILL		2
#define OLD_CAPTURE		3

FIXTURE(grown) {
	struct objects before;
	int device, buffer, queue;
};

static int create(int device, uint32_t completion_size)
{
	struct old_queue args = { .timeout_ms = 30000, .reserved = completion_size };
	int ret = xioctl(device, OLD_CREATE_QUEUE, &args);

	return ret ? ret : args.fd;
}

FIXTURE_SETUP(grown)
{
	self->before = objects_before();
	self->device = sluice_open("soft0");
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	self->queue = create(self->device, 0);
	ASSERT_GE(self->queue, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
}

FIXTURE_TEARDOWN(grown)
{
	knob("delay_us", 0);
	close(self->queue);
	close(self->buffer);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Two fills of half a buffer each: the kernel finds the second by the size of the first. */
static int fill_halves(int queue, void *ops, uint32_t op_size, uint64_t user_data)
{
	struct old_submit args = {
		.ops = (uintptr_t)ops, .num_ops = 2, .op_size = op_size, .user_data = user_data,
	};

	return xioctl(queue, OLD_SUBMIT, &args);
}

/* Does each half of the buffer have its value? */
static bool filled(int buffer, uint32_t first, uint32_t second)
{
	uint32_t *words;
	bool good;

	if (sluice_map(buffer, SIZE, (void **)&words))
		return false;
	sluice_cpu_begin(buffer, false);
	good = words[0] == first && words[SIZE / 8 - 1] == first && words[SIZE / 8] == second &&
	       words[SIZE / 4 - 1] == second;
	sluice_cpu_end(buffer, false);
	munmap(words, SIZE);
	return good;
}

TEST_F(grown, ops_and_records_of_version_1_work)
{
	struct old_op ops[2] = {
		{ .kind = OLD_FILL, .length = SIZE / 2, .pad = { 0x11 } },
		{ .kind = OLD_FILL, .length = SIZE / 2, .dst_offset = SIZE / 2, .pad = { 0x22 } },
	};
	struct old_completion done[JOBS + 1];
	int i;

	memset(done, 0x5a, sizeof(done));
	for (i = 0; i < JOBS; i++) {
		ASSERT_EQ(fill_halves(self->queue, ops, i % 2 ? 64 : 0, i), 0);
		ASSERT_EQ(sluice_wait(self->queue, i + 1, LATE_MS), 0);
	}
	EXPECT_TRUE(filled(self->buffer, 0x11, 0x22));
	EXPECT_EQ(read(self->queue, done, 63), -1);
	ASSERT_EQ(read(self->queue, done, sizeof(done)), JOBS * 64);
	for (i = 0; i < JOBS; i++) {
		EXPECT_EQ(done[i].point, (uint64_t)i + 1);
		EXPECT_EQ(done[i].user_data, (uint64_t)i);
		EXPECT_EQ(done[i].status, 0);
		EXPECT_EQ(done[i].bytes, SIZE);
		EXPECT_EQ(done[i].flags, 0);
		EXPECT_EQ(done[i].reserved, 0);
	}
	EXPECT_EQ(done[JOBS].point, 0x5a5a5a5a5a5a5a5aULL);
}

TEST_F(grown, images_of_version_1_work)
{
	struct old_op op = { .kind = OLD_CAPTURE, .length = SIZE };
	const uint32_t frame[4] = { 32, 32, 128, 0x34325258 };
	struct old_submit args = { .ops = (uintptr_t)&op, .num_ops = 1 };
	struct old_completion done;

	memcpy(op.pad, frame, sizeof(frame));
	ASSERT_EQ(xioctl(self->queue, OLD_SUBMIT, &args), 0);
	ASSERT_EQ(read(self->queue, &done, sizeof(done)), 64);
	EXPECT_EQ(done.status, 0);
	EXPECT_EQ(done.bytes, 32 * 128U);
}

TEST_F(grown, ops_of_the_future_work_as_long_as_their_tail_is_zero)
{
	union {
		struct old_op op;
		char bytes[256];
	} ops[2];
	struct sluice_completion done;

	memset(ops, 0, sizeof(ops));
	ops[0].op = (struct old_op) { .kind = OLD_FILL, .length = SIZE / 2, .pad = { 0x33 } };
	ops[1].op = (struct old_op) { .kind = OLD_FILL, .length = SIZE / 2,
				      .dst_offset = SIZE / 2, .pad = { 0x44 } };
	ASSERT_EQ(fill_halves(self->queue, ops, sizeof(ops[0]), 0), 0);
	ASSERT_EQ(sluice_read(self->queue, &done, 1), 1);
	EXPECT_TRUE(filled(self->buffer, 0x33, 0x44));
	ops[1].bytes[255] = 1;
	EXPECT_EQ(fill_halves(self->queue, ops, sizeof(ops[0]), 0), -E2BIG);
	EXPECT_EQ(fill_halves(self->queue, ops, sizeof(ops[0]) + 8, 0), -E2BIG);
	EXPECT_EQ(fill_halves(self->queue, ops, 56, 0), -EINVAL);
}

/* Records of any size, for programs with an older or a newer header than the kernel's. */
TEST_F(grown, records_have_the_size_that_their_queue_was_created_with)
{
	static const uint32_t sizes[] = { 0, 64, 72, sizeof(struct sluice_completion), 256 };
	struct sluice_completion got[JOBS];
	struct sluice_queue_info info;
	uint8_t raw[JOBS * 256];
	unsigned int i, j;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t size = sizes[i] ?: 64;
		int queue = create(self->device, sizes[i]);

		ASSERT_GE(queue, 0);
		ASSERT_EQ(sluice_queue_info(queue, &info), 0);
		EXPECT_EQ(info.completion_size, size);
		EXPECT_EQ(info.timeout_ms, 30000);
		EXPECT_EQ(info.depth, 256);
		for (j = 0; j < JOBS; j++)
			ASSERT_EQ(sluice_submit(queue, NULL, 0, -1, NULL, j + 7, NULL), 0);
		ASSERT_EQ(sluice_wait(queue, JOBS, LATE_MS), 0);
		memset(raw, 0x5a, sizeof(raw));
		EXPECT_EQ(read(queue, raw, size - 1), -1);
		EXPECT_EQ(errno, EINVAL);
		ASSERT_EQ(read(queue, raw, 2 * size + 63), 2 * size);
		for (j = 0; j < 2; j++) {
			const struct old_completion *one = (const void *)(raw + j * size);

			EXPECT_EQ(one->point, j + 1);
			EXPECT_EQ(one->user_data, j + 7);
		}
		if (size == 256)
			EXPECT_EQ(raw[511], 0);
		EXPECT_EQ(raw[2 * size], 0x5a);
		/* the library gives its own struct for any size */
		memset(got, 0x5a, sizeof(got));
		ASSERT_EQ(sluice_read(queue, got, 1), 1);
		EXPECT_EQ(got[0].point, 3);
		EXPECT_EQ(got[0].ended != 0, size >= sizeof(got[0]));
		ASSERT_EQ(sluice_read(queue, got, JOBS), 1);
		EXPECT_EQ(got[0].point, 4);
		EXPECT_EQ(got[0].user_data, JOBS - 1 + 7);
		EXPECT_EQ(got[0].ended != 0, size >= sizeof(got[0]));
		close(queue);
	}
}

/* The library moves several short records apart into an array of longer structs. */
TEST_F(grown, library_spreads_short_records)
{
	struct sluice_completion got[JOBS + 1];
	int i;

	for (i = 0; i < JOBS; i++)
		ASSERT_EQ(sluice_submit(self->queue, NULL, 0, -1, NULL, i, NULL), 0);
	ASSERT_EQ(sluice_wait(self->queue, JOBS, LATE_MS), 0);
	memset(got, 0x5a, sizeof(got));
	ASSERT_EQ(sluice_read(self->queue, got, JOBS + 1), JOBS);
	for (i = 0; i < JOBS; i++) {
		EXPECT_EQ(got[i].point, (uint64_t)i + 1);
		EXPECT_EQ(got[i].user_data, (uint64_t)i);
		EXPECT_EQ(got[i].started, 0);
		EXPECT_EQ(got[i].ended, 0);
	}
}

TEST_F(grown, a_job_tells_when_it_started_and_ended)
{
	int64_t before = now_ns();
	struct sluice_completion done;
	struct sluice_op op;
	int queue = sluice_queue_create(self->device, 0);

	ASSERT_EQ(sluice_attach(queue, self->buffer, 0), 0);
	ASSERT_EQ(knob("delay_us", 20000), 0);
	sluice_op_fill(&op, 0, 0, 4096, 1);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(queue, &done, 1), 1);
	EXPECT_EQ(knob("delay_us", 0), 0);
	EXPECT_GE((int64_t)done.started, before);
	EXPECT_GE(done.ended, done.started + 20000000);
	EXPECT_LE((int64_t)done.ended, now_ns());
	EXPECT_EQ(done.timestamp, done.ended);
	/* the driver never saw a job without ops */
	ASSERT_EQ(sluice_submit(queue, NULL, 0, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(queue, &done, 1), 1);
	EXPECT_EQ(done.started, 0);
	EXPECT_GE((int64_t)done.ended, before);
	close(queue);
}

TEST_HARNESS_MAIN
