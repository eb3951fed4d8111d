// SPDX-License-Identifier: MIT
/* The sentences of sluice_error_text(). */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

FIXTURE(errors) {
	struct objects before;
	int device;
};

FIXTURE_SETUP(errors)
{
	self->before = objects_before();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
}

FIXTURE_TEARDOWN(errors)
{
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Does the sentence for an error contain some words? */
#define EXPECT_WORDS(call, expected, words) do {					\
	int error_ = (call);								\
	EXPECT_EQ(error_, expected);							\
	EXPECT_NE(strstr(sluice_error_text(error_), words), NULL)			\
		TH_LOG("%s: '%s'", #call, sluice_error_text(error_));			\
} while (0)

TEST_F(errors, sentence_names_the_limit_that_was_met)
{
	struct sluice_info info;
	char number[32];

	ASSERT_EQ(open_limit_mb(1), 0);
	EXPECT_WORDS(sluice_alloc(self->device, 0, 2 << 20, 0), -EDQUOT, "2097152 more bytes");
	EXPECT_WORDS(sluice_alloc(self->device, 0, 2 << 20, 0), -EDQUOT, "1048576 bytes (open_");
	ASSERT_EQ(open_limit_mb(0), 0);
	ASSERT_EQ(limit_mb("total", 1), 0);
	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	snprintf(number, sizeof(number), "%llu are in use", (unsigned long long)info.total_bytes);
	EXPECT_WORDS(sluice_alloc(self->device, 0, 2 << 20, 0), -EDQUOT, "total_limit_mb");
	EXPECT_WORDS(sluice_alloc(self->device, 0, 2 << 20, 0), -EDQUOT, number);
	ASSERT_EQ(limit_mb("total", 0), 0);
	EXPECT_WORDS(sluice_alloc(self->device, 0, 1ULL << 60, 0), -EFBIG, "1152921504606846976");
}

TEST_F(errors, sentence_is_that_of_the_call)
{
	int queue = sluice_queue_create(self->device, 0);
	struct sluice_submit job = { .flags = 1U << 31 };
	struct sluice_layout layout;
	struct sluice_op op;

	EXPECT_WORDS(sluice_open("none"), -ENOENT, "/dev/sluice/none");
	EXPECT_WORDS(sluice_find_heap(self->device, "none"), -ENOENT, "no heap 'none'");
	EXPECT_WORDS(sluice_attach(queue, queue, 0), -EINVAL, "not a dma-buf");
	EXPECT_WORDS(sluice_attach(queue, -1, 0), -EBADF, "not open");
	EXPECT_WORDS(sluice_attach(self->device, -1, 0), -ENOTTY, "another kind");
	sluice_op_fill(&op, 7, 0, 4096, 0);
	EXPECT_WORDS(sluice_submit(queue, &op, 1, -1, NULL, 0, NULL), -ENOENT, "a slot");
	EXPECT_WORDS(sluice_submit_many(queue, &job, 1, NULL), -EINVAL, "not valid");
	EXPECT_WORDS(sluice_wait(queue, 1, 0), -EINVAL, "not submitted");
	EXPECT_WORDS(sluice_fence_wait(queue, 0), -ETIME, "time");
	EXPECT_WORDS(sluice_fence_status(queue), -ENOTTY, "not a sync_file");
	EXPECT_WORDS(sluice_frame_layout(0x21212121, 1, 1, 0, &layout), -EOPNOTSUPP, "0x21212121");
	close(queue);
}

TEST_F(errors, sentence_of_another_errno_is_that_of_strerror)
{
	EXPECT_WORDS(sluice_open("none"), -ENOENT, "/dev/sluice/none");
	EXPECT_EQ(strcmp(sluice_error_text(-EDOM), strerror(EDOM)), 0);
	EXPECT_EQ(strcmp(sluice_error_text(0), "no error"), 0);
	EXPECT_NE(strlen(sluice_error_text(-123456)), 0);
}

TEST_F(errors, error_of_a_job_has_a_sentence)
{
	int queue = sluice_queue_create(self->device, 0), buffer, slot;
	struct sluice_op op;
	uint64_t point;

	buffer = sluice_alloc(self->device, 0, 4096, 0);
	slot = sluice_attach(queue, buffer, 0);
	sluice_op_fill(&op, slot, 0, 4096, 0);
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, &point), 0);
	EXPECT_WORDS(sluice_wait(queue, point, LATE_MS), -EIO, "reported an error");
	close(buffer);
	close(queue);
}

static void *fail_otherwise(void *argument)
{
	int device = *(int *)argument;

	/* the same errno, for another reason */
	return (void *)(intptr_t)(sluice_find_heap(device, "other") == -ENOENT &&
				  strstr(sluice_error_text(-ENOENT), "'other'"));
}

TEST_F(errors, each_thread_has_its_own)
{
	pthread_t thread;
	void *ok;

	EXPECT_EQ(sluice_find_heap(self->device, "none"), -ENOENT);
	ASSERT_EQ(pthread_create(&thread, NULL, fail_otherwise, &self->device), 0);
	ASSERT_EQ(pthread_join(thread, &ok), 0);
	EXPECT_NE(ok, NULL);
	EXPECT_NE(strstr(sluice_error_text(-ENOENT), "'none'"), NULL);
}

TEST_F(errors, errno_is_kept)
{
	errno = EDOM;
	EXPECT_EQ(sluice_open("none"), -ENOENT);
	EXPECT_NE(sluice_error_text(-ENOENT), NULL);
	EXPECT_NE(sluice_error_text(-ERANGE), NULL);
	EXPECT_EQ(errno, EDOM);
}

TEST_HARNESS_MAIN
