// SPDX-License-Identifier: MIT
/* Queues: jobs, their order and their completions, on soft and on real DMA. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "scene.h"
#include "sluice.h"

FIXTURE(queue) {
	struct objects before;
	int device, queue, src, dst, from, to;
};

FIXTURE_VARIANT(queue) {
	const char *device;
	const char *heap;
	size_t size;
};

FIXTURE_VARIANT_ADD(queue, soft_pages) {
	.device = "soft0", .heap = "pages", .size = 3 << 20,
};

FIXTURE_VARIANT_ADD(queue, soft_contiguous) {
	.device = "soft0", .heap = "contiguous", .size = 1 << 20,
};

FIXTURE_VARIANT_ADD(queue, real_pages) {
	.device = REAL_DEVICE, .heap = "pages", .size = 12 << 10,
};

FIXTURE_VARIANT_ADD(queue, real_contiguous) {
	.device = REAL_DEVICE, .heap = "contiguous", .size = 12 << 10,
};

FIXTURE_SETUP(queue)
{
	/* edu needs 0.2 s for 4 KiB, and several times that on a busy host */
	struct sluice_create_queue create = { .timeout_ms = SLUICE_MAX_TIMEOUT_MS };
	int heap;

	NEEDS_DEVICE(variant->device);
	self->before = objects_before();
	knob("delay_us", 0);
	self->device = sluice_open(variant->device);
	ASSERT_GE(self->device, 0);
	heap = sluice_find_heap(self->device, variant->heap);
	self->src = sluice_alloc(self->device, heap, variant->size, 0);
	self->dst = sluice_alloc(self->device, heap, variant->size, 0);
	ASSERT_GE(self->src, 0);
	ASSERT_GE(self->dst, 0);
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	self->queue = create.fd;
	self->from = sluice_attach(self->queue, self->src, 0);
	self->to = sluice_attach(self->queue, self->dst, 0);
	ASSERT_GE(self->from, 0);
	ASSERT_GE(self->to, 0);
}

FIXTURE_TEARDOWN(queue)
{
	close(self->queue);
	close(self->src);
	close(self->dst);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(queue, copy_copies_every_byte)
{
	struct sluice_completion completion;
	struct sluice_op op;

	ASSERT_EQ(fill_words(self->src, variant->size, 1), 0);
	sluice_op_copy(&op, self->to, 0, self->from, 0, variant->size);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 42, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.point, 1);
	EXPECT_EQ(completion.user_data, 42);
	EXPECT_EQ(completion.status, 0);
	EXPECT_EQ(completion.bytes, variant->size);
	EXPECT_EQ(completion.flags, 0);
	EXPECT_EQ(completion.reserved, 0);
	EXPECT_LE((int64_t)completion.timestamp, now_ns());
	EXPECT_EQ(check_words(self->dst, variant->size, 1), 0);
}

TEST_F(queue, copy_touches_its_range_and_nothing_else)
{
	size_t offset = 4096 + 36, length = 4096 + 8, i;
	struct sluice_op op;
	uint64_t point;
	uint32_t *words;

	ASSERT_EQ(fill_words(self->src, variant->size, 3), 0);
	/* another offset in the page, so that segments of src and dst end at different places */
	sluice_op_copy(&op, self->to, offset - 32, self->from, offset, length);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, &point), 0);
	ASSERT_EQ(sluice_wait(self->queue, point, LATE_MS), 0);
	ASSERT_EQ(sluice_map(self->dst, variant->size, (void **)&words), 0);
	ASSERT_EQ(sluice_cpu_begin(self->dst, false), 0);
	for (i = 0; i < variant->size / 4; i++) {
		bool inside = i * 4 >= offset - 32 && i * 4 < offset - 32 + length;

		ASSERT_EQ(words[i], inside ? expected_word(3, i + 8) : 0) TH_LOG("word %zu", i);
	}
	sluice_cpu_end(self->dst, false);
	munmap(words, variant->size);
}

/* Records of any number are read in any pieces, with and without jobs that leave no record. */
TEST_F(queue, records_keep_their_order_in_any_pattern)
{
	struct sluice_create_queue create = {
		.depth = 64, .completion_size = sizeof(struct sluice_completion),
	};
	struct sluice_submit silent = { .flags = SLUICE_SUBMIT_NO_COMPLETION };
	struct sluice_completion completions[64];
	uint64_t next = 1, expected = 1;
	unsigned int unread = 0, random = 1, step, i;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	for (step = 0; step < 400; step++) {
		random = random * 1103515245 + 12345;
		for (i = (random >> 16) % 40; i && unread < 64; i--, unread++)
			ASSERT_EQ(sluice_submit(create.fd, NULL, 0, -1, NULL, next++, NULL), 0);
		/* more silent jobs than the queue has points */
		for (i = 0; i < 70 && unread < 64 && step % 8 == 0; i++)
			ASSERT_EQ(xioctl(create.fd, SLUICE_IOCTL_SUBMIT, &silent), 0);
		i = (random >> 24) % 64;
		i = i < unread ? i : unread;
		if (!i)
			continue;
		ASSERT_EQ(read_all(create.fd, completions, i), (int)i);
		unread -= i;
		for (unsigned int j = 0; j < i; j++)
			ASSERT_EQ(completions[j].user_data, expected++);
	}
	close(create.fd);
}

TEST_F(queue, fill_fills_its_range_and_nothing_else)
{
	size_t offset = 4096 - 12, length = 4096 + 24, i;
	struct sluice_completion completion;
	struct sluice_op op;
	uint32_t *words;

	sluice_op_fill(&op, self->to, offset, length, 0xcafe0001);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, 0);
	EXPECT_EQ(completion.bytes, length);
	ASSERT_EQ(sluice_map(self->dst, variant->size, (void **)&words), 0);
	ASSERT_EQ(sluice_cpu_begin(self->dst, false), 0);
	for (i = 0; i < variant->size / 4; i++) {
		bool inside = i * 4 >= offset && i * 4 < offset + length;

		ASSERT_EQ(words[i], inside ? 0xcafe0001 : 0) TH_LOG("word %zu", i);
	}
	sluice_cpu_end(self->dst, false);
	munmap(words, variant->size);
}

TEST_F(queue, ops_of_a_job_run_in_order)
{
	struct sluice_completion completion;
	struct sluice_op ops[3];

	sluice_op_fill(&ops[0], self->from, 0, 8192, 0x11111111);
	sluice_op_fill(&ops[1], self->from, 0, 4096, 0x22222222);
	sluice_op_copy(&ops[2], self->to, 0, self->from, 0, 4096);
	ASSERT_EQ(sluice_submit(self->queue, ops, 3, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, 0);
	EXPECT_EQ(completion.bytes, 8192 + 4096 + 4096);
	EXPECT_EQ(check_value(self->dst, 4096, 0x22222222), 0);
}

TEST_F(queue, jobs_end_in_the_order_of_submission)
{
	struct sluice_completion completions[8];
	struct sluice_op op;
	uint64_t point;
	int i, got = 0;

	for (i = 0; i < 6; i++) {
		sluice_op_fill(&op, self->to, 0, 4096, i);
		ASSERT_EQ(sluice_submit(self->queue, &op, i % 3 ? 1 : 0, -1, NULL, 100 + i, &point), 0);
		EXPECT_EQ(point, i + 1);
	}
	while (got < 6) {
		int count = sluice_read(self->queue, completions + got, 8 - got);

		ASSERT_GT(count, 0);
		got += count;
	}
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(completions[i].point, i + 1);
		EXPECT_EQ(completions[i].user_data, 100 + i);
		EXPECT_EQ(completions[i].status, 0);
		if (i)
			EXPECT_GE(completions[i].timestamp, completions[i - 1].timestamp);
	}
	EXPECT_EQ(check_value(self->dst, 4096, 5), 0);
}

TEST_F(queue, detached_slot_stays_for_the_jobs_that_use_it)
{
	struct sluice_op op;
	uint64_t point;

	sluice_op_fill(&op, self->to, 0, 8192, 0x33333333);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, &point), 0);
	ASSERT_EQ(sluice_detach(self->queue, self->to), 0);
	EXPECT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), -ENOENT);
	EXPECT_EQ(sluice_wait(self->queue, point, LATE_MS), 0);
	EXPECT_EQ(check_value(self->dst, 8192, 0x33333333), 0);
}

/* Tests that need no particular device run on soft. */

FIXTURE(soft) {
	struct objects before;
	int device, queue, buffer, slot;
};

#define SIZE 65536UL

FIXTURE_SETUP(soft)
{
	self->before = objects_before();
	knob("delay_us", 0);
	self->device = sluice_open("soft0");
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	self->queue = patient_queue(self->device, 0);
	self->slot = sluice_attach(self->queue, self->buffer, 0);
	ASSERT_EQ(self->slot, 0);
}

FIXTURE_TEARDOWN(soft)
{
	knob("delay_us", 0);
	close(self->queue);
	close(self->buffer);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(soft, capture_delivers_frames_in_sequence)
{
	struct sluice_completion completions[5];
	struct sluice_op op;
	uint32_t *words;
	int i;

	ASSERT_EQ(sluice_map(self->buffer, SIZE, (void **)&words), 0);
	for (i = 0; i < 5; i++) {
		int64_t before = now_ns();

		sluice_op_capture(&op, self->slot, 0, SIZE);
		ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
		ASSERT_EQ(sluice_read(self->queue, &completions[i], 1), 1);
		EXPECT_EQ(completions[i].status, 0);
		EXPECT_EQ(completions[i].bytes, SIZE);
		/* the frame is the next one, not an earlier one */
		EXPECT_GE((int64_t)completions[i].timestamp, before);
		ASSERT_EQ(sluice_cpu_begin(self->buffer, false), 0);
		EXPECT_EQ(words[0], expected_raw(completions[i].sequence, 0));
		EXPECT_EQ(words[SIZE / 4 - 1], expected_raw(completions[i].sequence, SIZE / 4 - 1));
		sluice_cpu_end(self->buffer, false);
		if (i) {
			EXPECT_GT(completions[i].sequence, completions[i - 1].sequence);
			EXPECT_EQ(completions[i].dropped,
				  completions[i].sequence - completions[i - 1].sequence - 1);
		}
	}
	munmap(words, SIZE);
}

TEST_F(soft, frames_that_nobody_waits_for_are_counted_as_dropped)
{
	struct sluice_completion first, second;
	struct sluice_op op;

	sluice_op_capture(&op, self->slot, 0, SIZE);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, &first, 1), 1);
	usleep(250000);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, &second, 1), 1);
	EXPECT_GE(second.dropped, 5);
	EXPECT_EQ(second.dropped, second.sequence - first.sequence - 1);
	/* frames are 1/30 s apart, also by their timestamps */
	EXPECT_EQ((second.timestamp - first.timestamp) / 33333333, second.sequence - first.sequence);
}

TEST_F(soft, captured_image_is_the_scene_to_the_last_pixel)
{
	const struct {
		uint32_t width, height, stride;
	} sizes[] = {
		{ 1, 1, 4 }, { 1, 50, 8 }, { 50, 1, 200 }, { 5, 7, 32 }, { 33, 34, 132 },
		{ 128, 96, 640 }, { 244, 66, 976 },
		/* from here on the word has a shadow, and the last two have large text */
		{ 126, 130, 504 }, { 320, 240, 1284 }, { 488, 540, 1952 },
	};
	const uint32_t untouched = 0xa5a5a5a5, behind = 1024;
	const size_t size = 488 * 540 * 4 + behind * 4;
	struct sluice_completion completion;
	uint32_t *words, i;
	struct sluice_op op;
	int buffer, slot;

	buffer = sluice_alloc(self->device, 0, size, 0);
	slot = sluice_attach(self->queue, buffer, SLUICE_ATTACH_WRITE);
	ASSERT_GE(slot, 0);
	ASSERT_EQ(sluice_map(buffer, size, (void **)&words), 0);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct scene scene = { .width = sizes[i].width, .height = sizes[i].height };
		uint32_t line = sizes[i].stride / 4, end = line * scene.height + behind;
		uint32_t wrong = 0, at;

		ASSERT_EQ(sluice_cpu_begin(buffer, true), 0);
		memset(words, 0xa5, end * 4);
		ASSERT_EQ(sluice_cpu_end(buffer, true), 0);
		sluice_op_capture_frame(&op, slot, 0, scene.width, scene.height, sizes[i].stride);
		ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
		ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
		EXPECT_EQ(completion.bytes, (scene.height - 1) * sizes[i].stride + scene.width * 4);
		scene.sequence = completion.sequence;
		scene.time_ns = completion.timestamp;
		ASSERT_EQ(sluice_cpu_begin(buffer, false), 0);
		/* bytes between the lines and behind the last line do not change */
		for (at = 0; at < end; at++)
			wrong += words[at] != (at % line < scene.width && at / line < scene.height ?
					       scene_pixel(&scene, at % line, at / line) : untouched);
		sluice_cpu_end(buffer, false);
		EXPECT_EQ(wrong, 0)
			TH_LOG("%ux%u, frame %llu", scene.width, scene.height,
			       (unsigned long long)scene.sequence);
	}
	munmap(words, size);
	close(buffer);
}

/*
 * The image is one pixel wide, so it has as many lines as pixels.  If the drawing continued after
 * the abort, it would take about as long as one that is not cancelled.  If the guest is stopped,
 * the abort may be late, or all lines may have been drawn: then the test tries again.  A slow guest
 * has fewer lines, so that all are drawn in time.
 */
TEST_F(soft, cancel_ends_the_capture_of_a_tall_and_narrow_image)
{
	uint32_t lines = 4U << 20;
	int64_t began, whole, late = INT64_MAX;
	int buffer, slot, tries, ret;
	struct sluice_op op;
	uint64_t point;

	buffer = sluice_alloc(self->device, 0, lines * 4UL, 0);
	slot = sluice_attach(self->queue, buffer, SLUICE_ATTACH_WRITE);
	ASSERT_GE(slot, 0);
	for (;; lines /= 2) {
		sluice_op_capture_frame(&op, slot, 0, 1, lines, 4);
		began = now_ns();
		ret = run_op(self->queue, &op);
		whole = now_ns() - began;
		if (lines == 1U << 17 ||
		    (ret != -ETIME && whole < SLUICE_MAX_TIMEOUT_MS * 250000LL))
			break;
	}
	ASSERT_EQ(ret, 0);
	for (tries = 0; tries < 10 && late > whole / 4; tries++) {
		int cancelled;

		ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, &point), 0);
		ASSERT_TRUE(wait_running(self->device, 0));
		usleep(50000);	/* the frame begins within 1/30 s */
		began = now_ns();
		cancelled = sluice_cancel(self->queue, point, point);
		ASSERT_GE(cancelled, 0);
		ASSERT_EQ(sluice_wait(self->queue, point, LATE_MS), cancelled ? -ECANCELED : 0);
		if (cancelled && now_ns() - began < late)
			late = now_ns() - began;
	}
	EXPECT_LE(late, whole / 4);
	EXPECT_LT(late, LATE_MS * 1000000LL);
	printf("# drawn in %lld us, cancelled in %lld us\n", (long long)whole / 1000,
	       (long long)late / 1000);
	close(buffer);
}

TEST_F(soft, poll_tells_readable_and_writable)
{
	struct pollfd pollfd = { .fd = self->queue, .events = POLLIN | POLLOUT };
	struct sluice_create_queue create = { .depth = 2 };
	struct sluice_completion completion;

	EXPECT_EQ(poll(&pollfd, 1, 0), 1);
	EXPECT_EQ(pollfd.revents, POLLOUT);
	ASSERT_EQ(sluice_submit(self->queue, NULL, 0, -1, NULL, 0, NULL), 0);
	pollfd.events = POLLIN;
	EXPECT_EQ(poll(&pollfd, 1, LATE_MS), 1);
	EXPECT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(poll(&pollfd, 1, 0), 0);

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	EXPECT_EQ(create.depth, 2);
	pollfd = (struct pollfd) { .fd = create.fd, .events = POLLOUT };
	ASSERT_EQ(sluice_submit(create.fd, NULL, 0, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_submit(create.fd, NULL, 0, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(poll(&pollfd, 1, 0), 0);
	ASSERT_EQ(sluice_wait(create.fd, 2, LATE_MS), 0);
	EXPECT_EQ(poll(&pollfd, 1, 0), 0);
	EXPECT_EQ(sluice_read(create.fd, &completion, 1), 1);
	EXPECT_EQ(poll(&pollfd, 1, 0), 1);
	close(create.fd);
}

TEST_F(soft, full_queue_is_EBUSY_until_completions_are_read)
{
	struct sluice_create_queue create = { .depth = 8 };
	struct sluice_submit quiet = { .flags = SLUICE_SUBMIT_NO_COMPLETION };
	struct sluice_completion completions[16];
	int i;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	EXPECT_EQ(create.depth, 8);
	for (i = 0; i < 8; i++)
		ASSERT_EQ(sluice_submit(create.fd, NULL, 0, -1, NULL, i, NULL), 0);
	EXPECT_EQ(sluice_submit(create.fd, NULL, 0, -1, NULL, 0, NULL), -EBUSY);
	ASSERT_EQ(sluice_wait(create.fd, 8, LATE_MS), 0);
	EXPECT_EQ(sluice_submit(create.fd, NULL, 0, -1, NULL, 0, NULL), -EBUSY);
	EXPECT_EQ(sluice_read(create.fd, completions, 16), 8);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(completions[i].user_data, i);

	/* jobs without a record need no reader */
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(xioctl(create.fd, SLUICE_IOCTL_SUBMIT, &quiet), 0);
		ASSERT_EQ(sluice_wait(create.fd, quiet.point, LATE_MS), 0);
	}
	close(create.fd);
}

TEST_F(soft, read_blocks_or_says_EAGAIN)
{
	struct sluice_completion completion;
	struct sluice_op op;
	int64_t before;

	fcntl(self->queue, F_SETFL, O_NONBLOCK);
	EXPECT_EQ(sluice_read(self->queue, &completion, 1), -EAGAIN);
	fcntl(self->queue, F_SETFL, 0);

	ASSERT_EQ(knob("delay_us", 100000), 0);
	sluice_op_fill(&op, self->slot, 0, 4096, 1);
	before = now_ns();
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_GE(now_ns() - before, 100000000);
}

static void on_alarm(int signal)
{
	(void)signal;
}

TEST_F(soft, wait_keeps_its_deadline_through_signals)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value.tv_usec = 50000, .it_interval.tv_usec = 50000 };
	struct sluice_wait wait = { .point = 1 };
	struct sluice_op op;
	struct gate gate;
	int64_t before;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	sluice_op_fill(&op, self->slot, 0, 4096, 1);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);

	wait.deadline_ns = 0;
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_WAIT, &wait), -ETIME);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	wait.deadline_ns = now_ns() + 10000000000LL;
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_WAIT, &wait), -EINTR);

	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	before = now_ns();
	wait.deadline_ns = before + 200000000;
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_WAIT, &wait), -ETIME);
	EXPECT_GE(now_ns() - before, 200000000);
	EXPECT_LT(now_ns() - before, LATE_MS * 1000000LL);
	ASSERT_EQ(gate_open(&gate), 0);
	wait.deadline_ns = INT64_MAX;
	EXPECT_EQ(xioctl(self->queue, SLUICE_IOCTL_WAIT, &wait), 0);
	EXPECT_EQ(wait.status, 0);
	setitimer(ITIMER_REAL, &(struct itimerval) {}, NULL);
}

TEST_F(soft, failing_op_ends_the_job_with_its_error_and_the_next_goes_on)
{
	struct sluice_completion completions[2];
	struct sluice_op ops[2];

	sluice_op_fill(&ops[0], self->slot, 0, 4096, 1);
	sluice_op_fill(&ops[1], self->slot, 4096, 4096, 1);
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(sluice_submit(self->queue, ops, 2, -1, NULL, 1, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, completions, 1), 1);
	EXPECT_EQ(completions[0].status, -EIO);
	EXPECT_EQ(completions[0].bytes, 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 0), 0);
	ASSERT_EQ(sluice_submit(self->queue, ops, 2, -1, NULL, 2, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, completions, 1), 1);
	EXPECT_EQ(completions[0].status, 0);
	EXPECT_EQ(sluice_wait(self->queue, 1, 0), -EIO);
	EXPECT_EQ(sluice_wait(self->queue, 2, 0), 0);
}

TEST_F(soft, engines_run_beside_each_other)
{
	int other = patient_queue(self->device, 1), slot;
	struct sluice_op op;
	struct gate gate;

	slot = sluice_attach(other, self->buffer, SLUICE_ATTACH_EXPLICIT);
	ASSERT_EQ(slot, 0);
	ASSERT_EQ(sluice_detach(self->queue, self->slot), 0);
	self->slot = sluice_attach(self->queue, self->buffer, SLUICE_ATTACH_EXPLICIT);
	/* one job runs long, and the other ends meanwhile */
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	sluice_op_fill(&op, 0, 0, 4096, 1);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_submit(other, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(other, 1, LATE_MS), 0);
	EXPECT_EQ(sluice_wait(self->queue, 1, 0), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(self->queue, 1, LATE_MS), 0);
	close(other);
}

/*
 * A job that has waited for a second goes before all priorities.  If the guest was stopped for so
 * long, the result says nothing, and the test tries again.
 */
TEST_F(soft, urgent_queue_goes_first)
{
	struct sluice_create_queue create = { .priority = 2, .timeout_ms = SLUICE_MAX_TIMEOUT_MS };
	struct sluice_completion urgent, others[4];
	struct sluice_op op;
	struct gate gate;
	int slot, i, tries;
	int64_t began;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	slot = sluice_attach(create.fd, self->buffer, SLUICE_ATTACH_EXPLICIT);
	ASSERT_EQ(slot, 0);
	sluice_op_fill(&op, 0, 0, 4096, 1);
	for (tries = 0; tries < 10; tries++) {
		ASSERT_EQ(knob("delay_us", 0), 0);
		ASSERT_EQ(gate_shut(&gate, 0), 0);
		ASSERT_EQ(knob("delay_us", 20000), 0);
		began = now_ns();
		for (i = 0; i < 4; i++)
			ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
		/* the other queue has been ready for longer, also in jiffies */
		usleep(20000);
		ASSERT_EQ(sluice_submit(create.fd, &op, 1, -1, NULL, 0, NULL), 0);
		ASSERT_EQ(gate_open(&gate), 0);
		ASSERT_EQ(sluice_read(create.fd, &urgent, 1), 1);
		for (i = 0; i < 4; i++)
			ASSERT_EQ(sluice_read(self->queue, &others[i], 1), 1);
		if (urgent.timestamp < others[0].timestamp || now_ns() - began < 900000000)
			break;
	}
	EXPECT_EQ(urgent.status, 0);
	EXPECT_LT(urgent.timestamp, others[0].timestamp);
	EXPECT_EQ(others[3].status, 0);
	close(create.fd);
}

TEST_F(soft, a_job_that_waited_for_a_second_goes_before_urgent_ones)
{
	struct sluice_create_queue create = { .priority = 2, .timeout_ms = SLUICE_MAX_TIMEOUT_MS };
	struct sluice_completion patient, urgent;
	struct sluice_op op;
	struct gate gate;
	int i;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffer, SLUICE_ATTACH_EXPLICIT), 0);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("delay_us", 30000), 0);
	sluice_op_fill(&op, 0, 0, 4096, 1);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(sluice_submit(create.fd, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(gate_open(&gate), 0);
	ASSERT_EQ(sluice_read(self->queue, &patient, 1), 1);
	EXPECT_EQ(patient.status, 0);
	ASSERT_EQ(knob("delay_us", 0), 0);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(sluice_read(create.fd, &urgent, 1), 1);
	EXPECT_EQ(urgent.status, 0);
	EXPECT_LT(patient.timestamp, urgent.timestamp);
	close(create.fd);
}

static void *submitter(void *argument)
{
	struct sluice_submit args = { .flags = SLUICE_SUBMIT_NO_COMPLETION };
	int queue = *(int *)argument, i;

	for (i = 0; i < 500; i++) {
		int ret = xioctl(queue, SLUICE_IOCTL_SUBMIT, &args);

		if (ret == -EBUSY) {
			i--;
			usleep(1000);
		} else if (ret) {
			return (void *)(long)ret;
		}
	}
	return NULL;
}

TEST_F(soft, threads_share_a_queue_without_losing_a_point)
{
	pthread_t threads[4];
	uint64_t point;
	void *result;
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, submitter, &self->queue), 0);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(pthread_join(threads[i], &result), 0);
		EXPECT_EQ(result, NULL);
	}
	while (sluice_submit(self->queue, NULL, 0, -1, NULL, 0, &point) == -EBUSY)
		usleep(1000);
	EXPECT_EQ(point, 2001);
	EXPECT_EQ(sluice_wait(self->queue, point, LATE_MS), 0);
}

TEST_F(soft, largest_job_is_done_whole)
{
	struct sluice_op ops[SLUICE_MAX_OPS];
	struct sluice_completion completion;
	int i;

	for (i = 0; i < SLUICE_MAX_OPS; i++)
		sluice_op_fill(&ops[i], self->slot, i * (SIZE / SLUICE_MAX_OPS),
			       SIZE / SLUICE_MAX_OPS, 0x5a5a5a5a);
	ASSERT_EQ(sluice_submit(self->queue, ops, SLUICE_MAX_OPS, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, 0);
	EXPECT_EQ(completion.bytes, SIZE);
	EXPECT_EQ(check_value(self->buffer, SIZE, 0x5a5a5a5a), 0);
}

TEST_F(soft, jobs_that_are_refused_take_no_room)
{
	struct sluice_create_queue create = { .depth = 2 };
	int fence, next, again, i;
	struct sluice_op op;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(sluice_attach(create.fd, self->buffer, 0), 0);
	next = dup(create.fd);
	close(next);
	for (i = 0; i < 8; i++) {
		sluice_op_fill(&op, 7, 0, 4096, 1);
		EXPECT_EQ(sluice_submit(create.fd, &op, 1, -1, NULL, 0, NULL), -ENOENT);
		sluice_op_fill(&op, 0, SIZE, 4096, 1);
		EXPECT_EQ(sluice_submit(create.fd, &op, 1, -1, &fence, 0, NULL), -ERANGE);
	}
	/* no fd number is leaked either */
	again = dup(create.fd);
	EXPECT_EQ(again, next);
	close(again);
	sluice_op_fill(&op, 0, 0, 4096, 1);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(sluice_submit(create.fd, &op, 1, -1, NULL, 0, NULL), 0);
	EXPECT_EQ(sluice_wait(create.fd, 2, LATE_MS), 0);
	close(create.fd);
}

TEST_F(soft, queue_is_closed_on_exec_unless_it_is_to_be_inherited)
{
	struct sluice_create_queue create = {}, inherited = { .fd_flags = SLUICE_FD_INHERIT };

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &inherited), 0);
	EXPECT_EQ(fcntl(create.fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(inherited.fd, F_GETFD), 0);
	close(create.fd);
	close(inherited.fd);
}

TEST_HARNESS_MAIN
