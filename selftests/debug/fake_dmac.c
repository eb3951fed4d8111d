// SPDX-License-Identifier: MIT
/*
 * dmaengine with a fake controller that fails, hangs, runs out of descriptors, cannot wait for its
 * callbacks, and is removed: selftests/kernel/fake_dmac.c.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "harness.h"
#include "machine.h"
#include "modules.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define NODE "/dev/sluice/dmaengine0"
#define DMAC "/sys/bus/platform/drivers/sluice-fake-dmac"
#define DRIVER "/sys/bus/platform/drivers/sluice-dmaengine"

/* segments are 64 KiB, so this is more than two batches of 32 */
#define SIZE (5UL << 20)

static int set(const char *name, unsigned long value)
{
	char path[96], text[32];

	snprintf(path, sizeof(path), "/sys/kernel/debug/sluice-fake-dmac/%s", name);
	snprintf(text, sizeof(text), "%lu", value);
	return write_text(path, text);
}

/* Wait until a channel has had @count descriptors at a time. */
static bool have_been_in_flight(int count)
{
	int tries, most = 0;
	FILE *file;

	for (tries = 0; tries < 3000 && most < count; tries++) {
		file = fopen("/sys/kernel/debug/sluice-fake-dmac/most", "re");
		if (!file || fscanf(file, "%d", &most) != 1)
			most = 0;
		if (file)
			fclose(file);
		usleep(10000);
	}
	return most >= count;
}

static bool node_is_there(bool there)
{
	int tries;

	for (tries = 0; tries < 300 && (access(NODE, F_OK) == 0) != there; tries++)
		usleep(10000);
	return tries < 300;
}

FIXTURE(fake_dmac) {
	struct objects before;
	int device, src, dst, queue, from, to;
};

FIXTURE_VARIANT(fake_dmac) {
	const char *options;
};

FIXTURE_VARIANT_ADD(fake_dmac, plain) { .options = "" };
FIXTURE_VARIANT_ADD(fake_dmac, without_synchronize) { .options = "synchronize=0" };

FIXTURE_SETUP(fake_dmac)
{
	struct sluice_create_queue create = { .timeout_ms = 3000 };
	char path[256];

	if (!module_path("sluice-fake-dmac", path, sizeof(path)))
		SKIP(return, "this kernel has no module sluice-fake-dmac");
	self->before = objects_before();
	ASSERT_EQ(module_load_with("sluice-fake-dmac", variant->options), 0);
	ASSERT_EQ(module_load("sluice-dmaengine"), 0);
	ASSERT_TRUE(node_is_there(true));
	self->device = sluice_open("dmaengine0");
	self->src = sluice_alloc(self->device, 0, SIZE, 0);
	self->dst = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	self->queue = create.fd;
	self->from = sluice_attach(self->queue, self->src, SLUICE_ATTACH_READ);
	self->to = sluice_attach(self->queue, self->dst, SLUICE_ATTACH_WRITE);
	ASSERT_EQ(self->to, 1);
	ASSERT_EQ(fill_words(self->src, SIZE, 3), 0);
}

FIXTURE_TEARDOWN(fake_dmac)
{
	close(self->queue);
	close(self->src);
	close(self->dst);
	close(self->device);
	EXPECT_TRUE(module_unload("sluice_dmaengine"));
	EXPECT_TRUE(module_unload("sluice_fake_dmac"));
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Run a job of one op, and return its status. */
static int run(int queue, const struct sluice_op *op, uint64_t *bytes)
{
	struct sluice_completion completion = {};
	int ret = sluice_submit(queue, op, 1, -1, NULL, 0, NULL);

	if (ret)
		return ret;
	if (sluice_read(queue, &completion, 1) != 1)
		return -EPIPE;
	if (bytes)
		*bytes = completion.bytes;
	return completion.status;
}

/* Is the next copy whole, whatever has happened before? */
static bool copies(int queue, int to, int from, int dst)
{
	struct sluice_op op;
	uint64_t bytes;

	sluice_op_fill(&op, to, 0, SIZE, 0);
	if (run(queue, &op, &bytes) || bytes != SIZE || check_value(dst, SIZE, 0))
		return false;
	sluice_op_copy(&op, to, 0, from, 0, SIZE);
	return !run(queue, &op, &bytes) && bytes == SIZE && !check_words(dst, SIZE, 3);
}

TEST_F(fake_dmac, copies_and_fills)
{
	struct sluice_info info;
	struct sluice_op op;

	EXPECT_TRUE(copies(self->queue, self->to, self->from, self->dst));
	/* by memset, and by copies of a pattern */
	sluice_op_fill(&op, self->to, 0, SIZE, 0x7a7a7a7a);
	EXPECT_EQ(run(self->queue, &op, NULL), 0);
	EXPECT_EQ(check_value(self->dst, SIZE, 0x7a7a7a7a), 0);
	sluice_op_fill(&op, self->to, 0, SIZE, 0x01020304);
	EXPECT_EQ(run(self->queue, &op, NULL), 0);
	EXPECT_EQ(check_value(self->dst, SIZE, 0x01020304), 0);
	/* in units of the controller */
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_EQ(info.op_align, 8);
	sluice_op_fill(&op, self->to, 4, 8, 0);
	EXPECT_EQ(run(self->queue, &op, NULL), -EINVAL);
}

TEST_F(fake_dmac, descriptor_that_fails_is_EIO)
{
	struct sluice_op op;
	uint64_t bytes;

	sluice_op_copy(&op, self->to, 0, self->from, 0, SIZE);
	ASSERT_EQ(set("fail_next", 1), 0);
	EXPECT_EQ(run(self->queue, &op, &bytes), -EIO);
	EXPECT_LT(bytes, SIZE);
	ASSERT_EQ(set("fail_next", 100), 0);
	EXPECT_EQ(run(self->queue, &op, &bytes), -EIO);
	EXPECT_EQ(bytes, 0);
	/* the descriptors behind the failed one do not run: the CPU's data stays */
	ASSERT_EQ(set("fail_next", 1), 0);
	ASSERT_EQ(set("delay_us", 10000), 0);
	EXPECT_EQ(run(self->queue, &op, &bytes), -EIO);
	ASSERT_EQ(fill_words(self->dst, SIZE, 4), 0);
	usleep(400000);
	EXPECT_EQ(check_words(self->dst, SIZE, 4), 0);
	ASSERT_EQ(set("delay_us", 0), 0);
	EXPECT_TRUE(copies(self->queue, self->to, self->from, self->dst));
}

TEST_F(fake_dmac, channel_that_hangs_is_stopped_at_the_timeout)
{
	struct sluice_op op;

	sluice_op_copy(&op, self->to, 0, self->from, 0, SIZE);
	ASSERT_EQ(set("hang_next", 1), 0);
	EXPECT_EQ(run(self->queue, &op, NULL), -ETIME);
	EXPECT_TRUE(copies(self->queue, self->to, self->from, self->dst));
}

TEST_F(fake_dmac, without_any_descriptor_is_ENOMEM)
{
	struct sluice_op op;

	sluice_op_copy(&op, self->to, 0, self->from, 0, SIZE);
	ASSERT_EQ(set("refuse_next", 1), 0);
	EXPECT_EQ(run(self->queue, &op, NULL), -ENOMEM);
	EXPECT_TRUE(copies(self->queue, self->to, self->from, self->dst));
}

TEST_F(fake_dmac, few_descriptors_are_enough)
{
	ASSERT_EQ(set("room", 3), 0);
	EXPECT_TRUE(copies(self->queue, self->to, self->from, self->dst));
}

TEST_F(fake_dmac, descriptor_that_is_rejected_is_EIO)
{
	struct sluice_op op;

	sluice_op_copy(&op, self->to, 0, self->from, 0, SIZE);
	ASSERT_EQ(set("reject_next", 1), 0);
	EXPECT_EQ(run(self->queue, &op, NULL), -EIO);
	EXPECT_TRUE(copies(self->queue, self->to, self->from, self->dst));
}

TEST_F(fake_dmac, channel_that_is_not_stopped_is_not_used_again)
{
	struct sluice_op op;
	int other;

	sluice_op_copy(&op, self->to, 0, self->from, 0, SIZE);
	ASSERT_EQ(set("stubborn", 1), 0);
	ASSERT_EQ(set("hang_next", 1), 0);
	EXPECT_EQ(run(self->queue, &op, NULL), -ETIME);
	ASSERT_EQ(set("stubborn", 0), 0);
	EXPECT_EQ(run(self->queue, &op, NULL), -EIO);
	/* the other channel is still used */
	other = sluice_queue_create(self->device, 1);
	ASSERT_EQ(sluice_attach(other, self->src, 0), 0);
	ASSERT_EQ(sluice_attach(other, self->dst, 0), 1);
	EXPECT_TRUE(copies(other, 1, 0, self->dst));
	close(other);
}

TEST_F(fake_dmac, queue_closed_in_mid_job_stops_the_channel)
{
	struct sluice_op op;
	int fence;

	sluice_op_copy(&op, self->to, 0, self->from, 0, SIZE);
	ASSERT_EQ(set("delay_us", 10000), 0);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, &fence, 0, NULL), 0);
	usleep(100000);
	close(self->queue);
	EXPECT_EQ(sluice_fence_wait(fence, 5000), -ECANCELED);
	close(fence);
	ASSERT_EQ(fill_words(self->dst, SIZE, 4), 0);
	usleep(100000);
	EXPECT_EQ(check_words(self->dst, SIZE, 4), 0);
	self->queue = -1;
}

#define JOBS 8
#define PIECE 4096UL	/* in one segment, so that one descriptor is enough */

/* Submit several jobs of one op each: job i copies piece i. */
static int submit_copies(int queue, int to, int from)
{
	struct sluice_op op;
	int i, ret = 0;

	for (i = 0; i < JOBS && !ret; i++) {
		sluice_op_copy(&op, to, i * PIECE, from, i * PIECE, PIECE);
		ret = sluice_submit(queue, &op, 1, -1, NULL, 0, NULL);
	}
	return ret;
}

/* Have all jobs ended in order and well, except @bad?  And do all others have their data? */
static int ended_well_but(int queue, int dst, int bad, int status)
{
	struct sluice_completion completion;
	uint32_t *words = mmap(NULL, JOBS * PIECE, PROT_READ, MAP_SHARED, dst, 0);
	int i, wrong = 0;

	for (i = 0; i < JOBS; i++) {
		if (sluice_read(queue, &completion, 1) != 1)
			return -EPIPE;
		wrong += completion.point != (uint64_t)i + 1;
		wrong += completion.status != (i == bad ? status : 0);
		wrong += i != bad && completion.bytes != PIECE;
	}
	sluice_cpu_begin(dst, false);
	for (i = 0; i < JOBS; i++)
		wrong += i != bad &&
			 words[i * PIECE / 4 + 5] != expected_word(3, i * PIECE / 4 + 5);
	sluice_cpu_end(dst, false);
	munmap(words, JOBS * PIECE);
	return wrong;
}

TEST_F(fake_dmac, ops_are_in_flight_together_and_one_that_hangs_ends_alone)
{
	ASSERT_EQ(set("hang_next", 1), 0);
	ASSERT_EQ(submit_copies(self->queue, self->to, self->from), 0);
	EXPECT_TRUE(have_been_in_flight(JOBS));
	EXPECT_EQ(ended_well_but(self->queue, self->dst, 0, -ETIME), 0);
	EXPECT_TRUE(copies(self->queue, self->to, self->from, self->dst));
}

TEST_F(fake_dmac, hang_in_the_middle_ends_its_job_only)
{
	ASSERT_EQ(set("skip", 3), 0);
	ASSERT_EQ(set("hang_next", 1), 0);
	ASSERT_EQ(submit_copies(self->queue, self->to, self->from), 0);
	EXPECT_EQ(ended_well_but(self->queue, self->dst, 3, -ETIME), 0);
	EXPECT_TRUE(copies(self->queue, self->to, self->from, self->dst));
}

TEST_F(fake_dmac, error_in_the_middle_ends_its_job_only)
{
	ASSERT_EQ(set("skip", 3), 0);
	ASSERT_EQ(set("fail_next", 1), 0);
	ASSERT_EQ(set("delay_us", 20000), 0);
	ASSERT_EQ(submit_copies(self->queue, self->to, self->from), 0);
	EXPECT_EQ(ended_well_but(self->queue, self->dst, 3, -EIO), 0);
	ASSERT_EQ(set("delay_us", 0), 0);
	EXPECT_TRUE(copies(self->queue, self->to, self->from, self->dst));
}

TEST_F(fake_dmac, cancel_in_the_middle_ends_its_job_only)
{
	/* the jobs behind the first wait, and the first runs again */
	ASSERT_EQ(set("hang_next", 1), 0);
	ASSERT_EQ(submit_copies(self->queue, self->to, self->from), 0);
	ASSERT_TRUE(have_been_in_flight(JOBS));
	EXPECT_EQ(sluice_cancel(self->queue, 5, 5), 1);
	EXPECT_EQ(ended_well_but(self->queue, self->dst, 4, -ECANCELED), 0);
	EXPECT_TRUE(copies(self->queue, self->to, self->from, self->dst));
}

TEST_F(fake_dmac, queue_that_goes_leaves_the_ops_of_another)
{
	int other = sluice_queue_create(self->device, 0), from, to;

	from = sluice_attach(other, self->src, SLUICE_ATTACH_READ | SLUICE_ATTACH_EXPLICIT);
	to = sluice_attach(other, self->dst, SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT);
	ASSERT_EQ(set("hang_next", 1), 0);
	ASSERT_EQ(submit_copies(self->queue, self->to, self->from), 0);
	ASSERT_EQ(submit_copies(other, to, from), 0);
	ASSERT_TRUE(have_been_in_flight(2 * JOBS));
	close(self->queue);
	self->queue = -1;
	EXPECT_EQ(ended_well_but(other, self->dst, -1, 0), 0);
	close(other);
}

/* Jobs in a chain: each reads data of the one before it, or must not overwrite its data. */
TEST_F(fake_dmac, order_holds_also_after_ops_were_stopped)
{
	struct sluice_completion completion;
	struct sluice_op op;
	uint32_t *words = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, self->dst, 0);
	/* the same buffer in another slot, so that the order does not depend on the slots */
	int both = sluice_attach(self->queue, self->dst, SLUICE_ATTACH_READ | SLUICE_ATTACH_WRITE);
	int round, i, jobs = 0;

	ASSERT_GE(both, 0);
	/* the first ops are stopped, because the cancelled op is at the end */
	ASSERT_EQ(set("delay_us", 2000), 0);
	for (round = 0; round < 10; round++) {
		uint64_t last;

		for (i = 1; i <= 4; i++) {
			sluice_op_fill(&op, self->to, 0, PIECE, 0x01020300 + round * 8 + i);
			ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
			sluice_op_copy(&op, i % 2 ? both : self->to, i * PIECE, both, 0, PIECE);
			ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
		}
		sluice_op_fill(&op, self->to, 5 * PIECE, PIECE, 0x7a7a7a7a);
		ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, &last), 0);
		usleep(round * 700);
		ASSERT_GE(sluice_cancel(self->queue, last, last), 0);
		for (i = 0; i < 9; i++, jobs++) {
			ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
			/* the last job may have ended before it was cancelled */
			if (i < 8)
				EXPECT_EQ(completion.status, 0);
		}
		ASSERT_EQ(sluice_cpu_begin(self->dst, false), 0);
		for (i = 1; i <= 4; i++) {
			EXPECT_EQ(words[i * PIECE / 4], 0x01020300 + round * 8 + i);
			EXPECT_EQ(words[(i + 1) * PIECE / 4 - 1], 0x01020300 + round * 8 + i);
		}
		ASSERT_EQ(sluice_cpu_end(self->dst, false), 0);
	}
	EXPECT_EQ(jobs, 90);
	munmap(words, SIZE);
}

TEST_F(fake_dmac, that_is_unbound_ends_jobs_and_removes_the_device)
{
	struct sluice_op op;
	int fence;

	sluice_op_copy(&op, self->to, 0, self->from, 0, SIZE);
	ASSERT_EQ(set("hang_next", 1), 0);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, &fence, 0, NULL), 0);
	usleep(50000);
	ASSERT_EQ(write_text(DMAC "/unbind", "sluice-fake-dmac"), 0);
	EXPECT_EQ(sluice_fence_wait(fence, 0), -ENODEV);
	EXPECT_NE(access(NODE, F_OK), 0);
	close(fence);
	ASSERT_EQ(write_text(DMAC "/bind", "sluice-fake-dmac"), 0);
	ASSERT_EQ(write_text(DRIVER "/bind", "sluice-dmaengine"), 0);
	EXPECT_TRUE(node_is_there(true));
}

TEST_HARNESS_MAIN
