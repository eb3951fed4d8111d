// SPDX-License-Identifier: MIT
/* Streams of libsluice, layouts of frames, and fences of several fences. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define SOFT_DRIVER	"/sys/bus/platform/drivers/sluice-soft"
#define SIZE		16384UL
#define FRAMES		40
#define SCREEN		1	/* an engine of soft0; engine 0 is the camera here */

#define FOURCC(text) ((uint32_t)(text)[0] | (uint32_t)(text)[1] << 8 | \
		      (uint32_t)(text)[2] << 16 | (uint32_t)(text)[3] << 24)

FIXTURE(stream) {
	struct objects before;
	struct sluice_stream *stream;
	int device;
};

FIXTURE_SETUP(stream)
{
	self->before = objects_before();
	self->stream = NULL;
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
}

FIXTURE_TEARDOWN(stream)
{
	sluice_stream_close(self->stream);
	close(self->device);
	knob("delay_us", 0);
	EXPECT_TRUE(objects_settle(&self->before));
}

static int open_raw(int device, uint32_t flags, uint32_t num_buffers, struct sluice_stream **stream)
{
	const struct sluice_stream_setup setup = {
		.engine = flags & SLUICE_STREAM_PLAYBACK ? SCREEN : 0,
		.flags = flags,
		.num_buffers = num_buffers,
		.size = SIZE,
	};

	return sluice_stream_open(device, &setup, stream);
}

/* Compare a dma-buf with raw frame @sequence of the camera. */
static int check_frame(int dmabuf, uint64_t sequence)
{
	uint32_t *words;
	size_t i, wrong = 0;

	if (sluice_map(dmabuf, SIZE, (void **)&words) || sluice_cpu_begin(dmabuf, false))
		return -EIO;
	for (i = 0; i < SIZE / 4; i++)
		wrong += words[i] != expected_raw(sequence, i);
	sluice_cpu_end(dmabuf, false);
	munmap(words, SIZE);
	return wrong ? -EILSEQ : 0;
}

TEST_F(stream, capture_gives_every_frame_or_counts_it)
{
	struct sluice_frame frame;
	uint64_t next = 0;
	int i;

	ASSERT_EQ(open_raw(self->device, 0, 0, &self->stream), 0);
	for (i = 0; i < FRAMES; i++) {
		ASSERT_EQ(sluice_stream_next(self->stream, &frame, LATE_MS), 0);
		EXPECT_EQ(frame.fence, -1);
		EXPECT_EQ(frame.bytes, SIZE);
		EXPECT_EQ(frame.buffer, sluice_stream_buffer(self->stream, frame.index));
		if (i)
			EXPECT_EQ(frame.sequence, next + frame.dropped);
		next = frame.sequence + 1;
		EXPECT_EQ(check_frame(frame.buffer, frame.sequence), 0);
		ASSERT_EQ(sluice_stream_release(self->stream, frame.index, -1), 0);
	}
}

TEST_F(stream, frames_that_the_caller_keeps_cost_frames)
{
	struct sluice_frame frames[4], frame;
	int i;

	ASSERT_EQ(open_raw(self->device, 0, 4, &self->stream), 0);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(sluice_stream_next(self->stream, &frames[i], LATE_MS), 0);
	EXPECT_EQ(sluice_stream_next(self->stream, &frame, 0), -ENOBUFS);
	EXPECT_EQ(sluice_stream_next(self->stream, &frame, -1), -ENOBUFS);
	usleep(270000);
	/* a frame is given back once, by its number */
	EXPECT_EQ(sluice_stream_release(self->stream, 4, -1), -EINVAL);
	ASSERT_EQ(sluice_stream_release(self->stream, frames[2].index, -1), 0);
	EXPECT_EQ(sluice_stream_release(self->stream, frames[2].index, -1), -EINVAL);
	ASSERT_EQ(sluice_stream_next(self->stream, &frame, LATE_MS), 0);
	EXPECT_EQ(frame.index, frames[2].index);
	EXPECT_GE(frame.dropped, 7);
	EXPECT_EQ(frame.sequence, frames[3].sequence + 1 + frame.dropped);
	/* the others are as they were */
	for (i = 0; i < 4; i++)
		if (i != 2)
			EXPECT_EQ(check_frame(frames[i].buffer, frames[i].sequence), 0);
}

TEST_F(stream, no_frame_in_time_is_no_error_of_a_frame)
{
	struct sluice_frame frame;
	struct gate gate;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(open_raw(self->device, 0, 0, &self->stream), 0);
	EXPECT_EQ(sluice_stream_next(self->stream, &frame, 0), -EAGAIN);
	EXPECT_EQ(sluice_stream_next(self->stream, &frame, 50), -EAGAIN);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_stream_next(self->stream, &frame, -1), 0);
}

TEST_F(stream, frame_that_fails_has_a_status)
{
	struct sluice_frame frame;
	uint64_t next = 0;
	int i, failed = 0;

	ASSERT_EQ(open_raw(self->device, 0, 2, &self->stream), 0);
	for (i = 0; i < 12; i++) {
		if (i == 3)
			ASSERT_EQ(knob("fail_next", 2), 0);
		ASSERT_EQ(sluice_stream_next(self->stream, &frame, LATE_MS), 0);
		if (frame.status) {
			EXPECT_EQ(frame.status, -EIO);
			failed++;
		} else {
			/* a frame that failed was lost: the next one counts it */
			if (i)
				EXPECT_EQ(frame.sequence, next + frame.dropped);
			next = frame.sequence + 1;
			EXPECT_EQ(check_frame(frame.buffer, frame.sequence), 0);
		}
		ASSERT_EQ(sluice_stream_release(self->stream, frame.index, -1), 0);
	}
	EXPECT_EQ(failed, 2);
}

/* Each frame has its own event: a program may poll after each sluice_stream_next(). */
TEST_F(stream, poll_sees_each_frame)
{
	struct pollfd pollfd = { .events = POLLIN };
	struct sluice_frame frames[4];
	int i;

	ASSERT_EQ(open_raw(self->device, 0, 4, &self->stream), 0);
	pollfd.fd = sluice_stream_queue(self->stream);
	usleep(270000);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(poll(&pollfd, 1, LATE_MS), 1);
		ASSERT_EQ(sluice_stream_next(self->stream, &frames[i], 0), 0);
	}
	/* a release does not take the event of another frame */
	ASSERT_EQ(sluice_stream_release(self->stream, frames[0].index, -1), 0);
	ASSERT_EQ(poll(&pollfd, 1, LATE_MS), 1);
	ASSERT_EQ(sluice_stream_release(self->stream, frames[1].index, -1), 0);
	EXPECT_EQ(poll(&pollfd, 1, LATE_MS), 1);
	EXPECT_EQ(sluice_stream_next(self->stream, &frames[0], 0), 0);
}

TEST_F(stream, device_waits_for_the_fence_of_a_release)
{
	int queue = patient_queue(self->device, SCREEN), fence;
	struct sluice_frame first, other;
	struct sluice_op op;
	struct gate gate;

	ASSERT_EQ(open_raw(self->device, 0, 2, &self->stream), 0);
	ASSERT_EQ(sluice_stream_next(self->stream, &first, LATE_MS), 0);
	ASSERT_EQ(sluice_stream_next(self->stream, &other, LATE_MS), 0);
	ASSERT_EQ(sluice_attach(queue, first.buffer, SLUICE_ATTACH_EXPLICIT), 0);
	/* a playback that has not begun: the fence of its user */
	ASSERT_EQ(gate_shut(&gate, SCREEN), 0);
	sluice_op_playback(&op, 0, 0, SIZE);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fence, 0, NULL), 0);
	EXPECT_EQ(sluice_fence_status(fence), 0);
	ASSERT_EQ(sluice_stream_release(self->stream, first.index, fence), 0);
	EXPECT_EQ(sluice_stream_next(self->stream, &other, 200), -EAGAIN);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_stream_next(self->stream, &other, LATE_MS), 0);
	EXPECT_EQ(other.index, first.index);
	EXPECT_EQ(sluice_fence_status(fence), 1);
	close(fence);
	close(queue);
}

TEST_F(stream, an_errno_is_no_fence)
{
	struct sluice_frame frame;

	ASSERT_EQ(open_raw(self->device, 0, 2, &self->stream), 0);
	ASSERT_EQ(sluice_stream_next(self->stream, &frame, LATE_MS), 0);
	EXPECT_EQ(sluice_stream_release(self->stream, frame.index, -EMFILE), -EBADF);
	EXPECT_EQ(sluice_stream_release(self->stream, frame.index, self->device), -EINVAL);
	/* the caller has the frame as before */
	EXPECT_EQ(check_frame(frame.buffer, frame.sequence), 0);
	EXPECT_EQ(sluice_stream_release(self->stream, frame.index, -1), 0);
}

TEST_F(stream, early_frames_have_fences)
{
	struct sluice_frame frames[4];
	struct gate gate;
	int i;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(open_raw(self->device, SLUICE_STREAM_EARLY, 4, &self->stream), 0);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(sluice_stream_next(self->stream, &frames[i], 0), 0);
		ASSERT_GE(frames[i].fence, 0);
		EXPECT_EQ(frames[i].bytes, 0);
		EXPECT_EQ(sluice_fence_status(frames[i].fence), 0);
	}
	EXPECT_EQ(sluice_stream_next(self->stream, &frames[0], 0), -ENOBUFS);
	ASSERT_EQ(gate_open(&gate), 0);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(sluice_fence_wait(frames[i].fence, LATE_MS), 0);
}

/* Capture and playback of all frames by fences.  No buffer is captured before it was played. */
TEST_F(stream, early_frames_pass_by_fences_alone)
{
	int player = patient_queue(self->device, SCREEN), fence, i;
	struct sluice_completion played[FRAMES];
	struct sluice_frame frame;
	struct sluice_op op;
	struct gate gate;

	ASSERT_EQ(gate_shut(&gate, SCREEN), 0);
	ASSERT_EQ(open_raw(self->device, SLUICE_STREAM_EARLY | SLUICE_STREAM_EXPLICIT, 4,
			   &self->stream), 0);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(sluice_attach(player, sluice_stream_buffer(self->stream, i),
					SLUICE_ATTACH_EXPLICIT | SLUICE_ATTACH_READ), i);
	for (i = 0; i < FRAMES; i++) {
		ASSERT_EQ(sluice_stream_next(self->stream, &frame, LATE_MS), 0);
		if (i == 4) {
			/* its buffer waits to be played, and the player waits for the gate */
			usleep(100000);
			EXPECT_EQ(sluice_fence_status(frame.fence), 0);
			ASSERT_EQ(gate_open(&gate), 0);
		}
		sluice_op_playback(&op, frame.index, 0, SIZE);
		ASSERT_EQ(sluice_submit(player, &op, 1, frame.fence, &fence, 0, NULL), 0);
		ASSERT_EQ(sluice_stream_release(self->stream, frame.index, fence), 0);
		close(fence);
	}
	ASSERT_EQ(read_all(player, played, FRAMES), FRAMES);
	for (i = 0; i < FRAMES; i++)
		EXPECT_EQ(played[i].status, 0);
	close(player);
}

TEST_F(stream, early_frame_is_described_when_it_has_ended)
{
	struct sluice_frame early, frame;
	uint64_t next = 0;
	struct gate gate;
	int i;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(open_raw(self->device, SLUICE_STREAM_EARLY, 2, &self->stream), 0);
	ASSERT_EQ(sluice_stream_next(self->stream, &early, 0), 0);
	EXPECT_EQ(sluice_stream_describe(self->stream, early.index, &frame, 0), -EAGAIN);
	EXPECT_EQ(sluice_stream_describe(self->stream, !early.index, &frame, 0), -EINVAL);
	EXPECT_EQ(sluice_stream_describe(self->stream, 2, &frame, 0), -EINVAL);
	ASSERT_EQ(gate_open(&gate), 0);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(sluice_stream_describe(self->stream, early.index, &frame, LATE_MS), 0);
		EXPECT_EQ(frame.status, 0);
		EXPECT_EQ(frame.bytes, SIZE);
		if (i)
			EXPECT_EQ(frame.sequence, next + frame.dropped);
		next = frame.sequence + 1;
		EXPECT_EQ(check_frame(frame.buffer, frame.sequence), 0);
		ASSERT_EQ(sluice_stream_release(self->stream, early.index, -1), 0);
		ASSERT_EQ(sluice_stream_next(self->stream, &early, LATE_MS), 0);
	}
}

/* All buffers have a second job before the first one has ended: the queue has room for them. */
TEST_F(stream, early_frames_never_fill_the_queue)
{
	struct sluice_frame frames[SLUICE_STREAM_MAX_BUFFERS];
	struct gate gate;
	int i;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(open_raw(self->device, SLUICE_STREAM_EARLY, SLUICE_STREAM_MAX_BUFFERS,
			   &self->stream), 0);
	for (i = 0; i < SLUICE_STREAM_MAX_BUFFERS; i++)
		ASSERT_EQ(sluice_stream_next(self->stream, &frames[i], 0), 0);
	for (i = 0; i < SLUICE_STREAM_MAX_BUFFERS; i++)
		ASSERT_EQ(sluice_stream_release(self->stream, frames[i].index, -1), 0);
	EXPECT_EQ(sluice_stream_next(self->stream, &frames[0], 50), -EAGAIN);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_stream_next(self->stream, &frames[0], LATE_MS), 0);
}

TEST_F(stream, drain_reports_an_early_frame_that_was_not_played)
{
	int queue = sluice_queue_create(self->device, 0), fence;
	struct sluice_frame frame;
	struct sluice_op op;
	int i;

	ASSERT_EQ(open_raw(self->device, SLUICE_STREAM_PLAYBACK | SLUICE_STREAM_EARLY, 2,
			   &self->stream), 0);
	EXPECT_EQ(sluice_attach(queue, sluice_stream_buffer(self->stream, 0),
				SLUICE_ATTACH_EXPLICIT), 0);
	ASSERT_EQ(knob("fail_next", 1), 0);
	sluice_op_fill(&op, 0, 0, SIZE, 1);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fence, 0, NULL), 0);
	EXPECT_EQ(sluice_fence_wait(fence, LATE_MS), -EIO);
	/* the first buffer has a later frame, which is played */
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(sluice_stream_next(self->stream, &frame, LATE_MS), 0);
		ASSERT_EQ(sluice_stream_release(self->stream, frame.index, i ? -1 : fence), 0);
	}
	EXPECT_EQ(sluice_stream_drain(self->stream, LATE_MS), -ECANCELED);
	EXPECT_EQ(sluice_stream_drain(self->stream, LATE_MS), 0);
	close(fence);
	close(queue);
}

TEST_F(stream, playback_shows_what_the_caller_wrote)
{
	struct sluice_frame frame;
	unsigned int i, crc = 0, shown = 0;
	unsigned long long sequence, bytes;
	FILE *file;

	ASSERT_EQ(open_raw(self->device, SLUICE_STREAM_PLAYBACK, 3, &self->stream), 0);
	for (i = 0; i < 7; i++) {
		ASSERT_EQ(sluice_stream_next(self->stream, &frame, LATE_MS), 0);
		EXPECT_EQ(frame.bytes, i < 3 ? 0 : SIZE);
		ASSERT_EQ(fill_words(frame.buffer, SIZE, i), 0);
		ASSERT_EQ(sluice_stream_release(self->stream, frame.index, -1), 0);
	}
	EXPECT_EQ(sluice_stream_drain(self->stream, LATE_MS), 0);
	for (i = 0; i < SIZE / 4; i++) {
		uint32_t word = expected_word(6, i);

		crc = crc32(crc, &word, sizeof(word));
	}
	file = fopen("/sys/kernel/debug/sluice/soft0/screen", "re");
	ASSERT_NE(file, NULL);
	for (i = 0; i <= SCREEN; i++)
		ASSERT_EQ(fscanf(file, "%llu %llu %x", &sequence, &bytes, &shown), 3);
	fclose(file);
	EXPECT_EQ(shown, crc);
	/* after a drain no buffer is with the device */
	for (i = 0; i < 3; i++)
		EXPECT_EQ(sluice_stream_next(self->stream, &frame, 0), 0);
}

TEST_F(stream, frame_whose_drawing_failed_is_not_played)
{
	int queue = sluice_queue_create(self->device, 0), fence;
	struct sluice_frame frame;
	struct sluice_op op;

	ASSERT_EQ(open_raw(self->device, SLUICE_STREAM_PLAYBACK, 2, &self->stream), 0);
	ASSERT_EQ(sluice_stream_next(self->stream, &frame, 0), 0);
	EXPECT_EQ(sluice_attach(queue, frame.buffer, SLUICE_ATTACH_EXPLICIT), 0);
	ASSERT_EQ(knob("fail_next", 1), 0);
	sluice_op_fill(&op, 0, 0, SIZE, 1);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fence, 0, NULL), 0);
	ASSERT_EQ(sluice_stream_release(self->stream, frame.index, fence), 0);
	EXPECT_EQ(sluice_stream_drain(self->stream, LATE_MS), -ECANCELED);
	/* for a capture, such a fence only tells that the buffer is free */
	sluice_stream_close(self->stream);
	ASSERT_EQ(open_raw(self->device, 0, 2, &self->stream), 0);
	ASSERT_EQ(sluice_stream_next(self->stream, &frame, LATE_MS), 0);
	ASSERT_EQ(sluice_stream_release(self->stream, frame.index, fence), 0);
	EXPECT_EQ(sluice_stream_next(self->stream, &frame, LATE_MS), 0);
	EXPECT_EQ(sluice_stream_next(self->stream, &frame, LATE_MS), 0);
	EXPECT_EQ(sluice_stream_drain(self->stream, 0), -EINVAL);
	close(fence);
	close(queue);
}

TEST_F(stream, removed_device_ends_the_stream)
{
	struct sluice_frame held, frame;
	int i, ret = 0;

	ASSERT_EQ(open_raw(self->device, 0, 3, &self->stream), 0);
	ASSERT_EQ(sluice_stream_next(self->stream, &held, LATE_MS), 0);
	EXPECT_EQ(write_text(SOFT_DRIVER "/unbind", "sluice-soft"), 0);
	/* frames that had ended before come first */
	for (i = 0; i < 10 && !ret; i++) {
		ret = sluice_stream_next(self->stream, &frame, LATE_MS);
		if (!ret && frame.status)
			EXPECT_EQ(frame.status, -ENODEV);
		if (!ret)
			EXPECT_EQ(sluice_stream_release(self->stream, frame.index, -1), -ENODEV);
	}
	EXPECT_EQ(ret, -ENODEV);
	EXPECT_EQ(i, 3);
	EXPECT_EQ(sluice_stream_release(self->stream, held.index, -1), -ENODEV);
	/* its memory is there as long as a program has its fd open */
	EXPECT_EQ(check_frame(held.buffer, held.sequence), 0);
	EXPECT_EQ(write_text(SOFT_DRIVER "/bind", "sluice-soft"), 0);
	for (i = 0; i < 1000 && access("/dev/sluice/soft0", R_OK | W_OK); i++)
		usleep(10000);
}

TEST_F(stream, bad_setup_is_refused)
{
	const struct {
		struct sluice_stream_setup setup;
		int error;
	} cases[] = {
		{ { .size = 0 }, -EINVAL },
		{ { .size = SIZE, .format = FOURCC("XR24"), .width = 64, .height = 48 }, -EINVAL },
		{ { .size = SIZE, .width = 64 }, -EINVAL },
		{ { .format = FOURCC("XR24"), .height = 48 }, -EOPNOTSUPP },
		{ { .format = FOURCC("NV12"), .width = 65, .height = 48 }, -EOPNOTSUPP },
		{ { .format = FOURCC("none"), .width = 64, .height = 48 }, -EOPNOTSUPP },
		/* a known format that the engine does not list */
		{ { .format = FOURCC("P010"), .width = 64, .height = 48 }, -EOPNOTSUPP },
		{ { .align = 48, .format = FOURCC("XR24"), .width = 64, .height = 48 }, -EINVAL },
		{ { .field = 99, .format = FOURCC("XR24"), .width = 64, .height = 48 },
		  -EOPNOTSUPP },
		{ { .format = FOURCC("XR24"), .width = 1 << 30, .height = 48 }, -EOVERFLOW },
		{ { .size = SIZE, .field = 1 }, -EINVAL },
		{ { .size = SIZE + 1 }, -EINVAL },
		{ { .size = SIZE, .num_buffers = 1 }, -EINVAL },
		{ { .size = SIZE, .num_buffers = SLUICE_STREAM_MAX_BUFFERS + 1 }, -EINVAL },
		{ { .size = SIZE, .flags = 1U << 31 }, -EINVAL },
		{ { .size = SIZE, .reserved = { [7] = 1 } }, -EINVAL },
		{ { .size = SIZE, .alloc_flags = SLUICE_MEM_RESERVED }, -ENOENT },
		{ { .size = SIZE, .engine = 99 }, -EINVAL },
		{ { .size = SIZE, .heap = "none" }, -ENOENT },
		{ { .size = SIZE, .timeout_ms = SLUICE_MAX_TIMEOUT_MS + 1 }, -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		self->stream = (void *)-1;
		EXPECT_EQ(sluice_stream_open(self->device, &cases[i].setup, &self->stream),
			  cases[i].error)
			TH_LOG("case %u", i);
		EXPECT_EQ(self->stream, NULL);
	}
	/* buffers that the limit does not allow: nothing is left of the first ones */
	ASSERT_EQ(open_limit_mb(1), 0);
	EXPECT_EQ(open_raw(self->device, 0, 32, &self->stream), 0);
	sluice_stream_close(self->stream);
	EXPECT_EQ(open_raw(self->device, 0, 64, &self->stream), -EDQUOT);
	ASSERT_EQ(open_limit_mb(0), 0);
	EXPECT_EQ(open_raw(-EBADF, 0, 2, &self->stream), -EBADF);
}

/* Whole huge pages, if the machine has some. */
TEST_F(stream, heap_has_what_the_setup_needs)
{
	const struct sluice_stream_setup setup = {
		.size = 2 << 20, .num_buffers = 2, .alloc_flags = SLUICE_MEM_HUGE,
	};
	struct sluice_buffer_info info;
	int buffer;

	ASSERT_EQ(sluice_stream_open(self->device, &setup, &self->stream), 0);
	buffer = sluice_stream_buffer(self->stream, 1);
	ASSERT_EQ(sluice_buffer_info(self->device, buffer, &info), 0);
	EXPECT_TRUE(info.properties & SLUICE_MEM_HUGE);
}

TEST_F(stream, engine_that_only_captures_does_not_play)
{
	int device = sluice_open("edu0");
	const struct sluice_stream_setup setup = { .size = 4096 };

	if (device == -ENOENT)
		SKIP(return, "no device edu0 on this machine");
	EXPECT_EQ(sluice_stream_open(device, &setup, &self->stream), -EOPNOTSUPP);
	EXPECT_NE(strstr(sluice_error_text(-EOPNOTSUPP), "capture"), NULL);
	close(device);
}

/* One byte less, in steps of op_align, is too little for the kernel. */
TEST_F(stream, layouts_are_those_of_the_kernel)
{
	int queue = sluice_queue_create(self->device, 0), slot;
	int buffer = sluice_alloc(self->device, 0, 1 << 16, 0);
	struct sluice_plane planes[SLUICE_MAX_PLANES];
	struct sluice_enum_formats format;
	struct sluice_engine_info engine;
	unsigned int i, j;

	slot = sluice_attach(queue, buffer, SLUICE_ATTACH_WRITE);
	ASSERT_EQ(sluice_engine_info(self->device, 0, &engine), 0);
	for (i = 0; !sluice_get_format(self->device, 0, i, &format); i++) {
		struct sluice_layout layout;
		struct sluice_op op;

		ASSERT_EQ(sluice_frame_layout(format.format, 64, 48, engine.stride_align,
					      &layout), 0)
			TH_LOG("format %.4s", (char *)&format.format);
		EXPECT_EQ(layout.num_planes, format.num_planes);
		sluice_op_capture_frame(&op, slot, 0, 64, 48, layout.stride[0]);
		sluice_frame_format(&op, format.format, layout.size - engine.op_align);
		EXPECT_EQ(sluice_submit(queue, &op, 1, -1, NULL, 0, NULL), -ERANGE)
			TH_LOG("format %.4s", (char *)&format.format);
		sluice_frame_format(&op, format.format, layout.size);
		EXPECT_EQ(run_op(queue, &op), 0);
		for (j = 0; j < layout.num_planes; j++)
			planes[j] = (struct sluice_plane) {
				.slot = slot, .stride = layout.stride[j],
				.offset = layout.offset[j],
			};
		sluice_frame_planes(&op, planes, layout.num_planes);
		EXPECT_EQ(run_op(queue, &op), 0);
	}
	EXPECT_GE(i, 18);
	close(buffer);
	close(queue);
}

TEST_F(stream, each_format_of_the_engine_streams)
{
	struct sluice_enum_formats format;
	struct sluice_frame frame;
	unsigned int i;

	for (i = 0; !sluice_get_format(self->device, 0, i, &format); i++) {
		struct sluice_stream_setup setup = {
			.num_buffers = 2, .format = format.format, .width = 64, .height = 48,
		};
		struct sluice_layout layout;

		ASSERT_EQ(sluice_stream_open(self->device, &setup, &self->stream), 0)
			TH_LOG("format %.4s", (char *)&format.format);
		EXPECT_EQ(sluice_stream_buffer(self->stream, 2), -EINVAL);
		sluice_stream_layout(self->stream, &layout);
		EXPECT_EQ(layout.stride[0] % 64, 0);
		EXPECT_EQ(sluice_stream_next(self->stream, &frame, LATE_MS), 0);
		EXPECT_EQ(frame.status, 0);
		sluice_stream_close(self->stream);
		self->stream = NULL;
	}
	EXPECT_GE(i, 18);
}

TEST(layout_of_a_frame)
{
	const struct {
		const char *name;
		uint32_t width, height, align;
		uint64_t size;
		uint32_t num_planes, stride[3];
		uint64_t offset[3];
	} cases[] = {
		{ "XR24", 640, 480, 0, 1228800, 1, { 2560 }, { 0 } },
		{ "XR24", 641, 480, 0, 1259520, 1, { 2624 }, { 0 } },
		{ "XR24", 641, 480, 1, 1230720, 1, { 2564 }, { 0 } },
		{ "RG24", 3, 2, 1, 18, 1, { 9 }, { 0 } },
		{ "RG24", 3, 2, 64, 128, 1, { 64 }, { 0 } },
		{ "YUYV", 2, 2, 1, 8, 1, { 4 }, { 0 } },
		{ "NV12", 640, 480, 0, 460800, 2, { 640, 640 }, { 0, 307200 } },
		{ "NV16", 640, 480, 0, 614400, 2, { 640, 640 }, { 0, 307200 } },
		{ "NV24", 64, 2, 1, 384, 2, { 64, 128 }, { 0, 128 } },
		{ "P010", 64, 2, 1, 384, 2, { 128, 128 }, { 0, 256 } },
		/* each plane is aligned */
		{ "YU12", 320, 240, 64, 138240, 3, { 384, 192, 192 }, { 0, 92160, 115200 } },
		{ "YU12", 320, 240, 1, 115200, 3, { 320, 160, 160 }, { 0, 76800, 96000 } },
		{ "YU16", 320, 2, 1, 1280, 3, { 320, 160, 160 }, { 0, 640, 960 } },
		{ "YU24", 320, 2, 1, 1920, 3, { 320, 320, 320 }, { 0, 640, 1280 } },
		{ "R8  ", 1, 1, 0, 64, 1, { 64 }, { 0 } },
		{ "pRAA", 64, 1, 1, 80, 1, { 80 }, { 0 } },
		{ "pRCC", 64, 1, 1, 96, 1, { 96 }, { 0 } },
	};
	struct sluice_layout layout;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&layout, 0xa5, sizeof(layout));
		EXPECT_EQ(sluice_frame_layout(FOURCC(cases[i].name), cases[i].width,
					      cases[i].height, cases[i].align, &layout), 0);
		EXPECT_EQ(layout.size, cases[i].size)
			TH_LOG("case %u", i);
		EXPECT_EQ(layout.num_planes, cases[i].num_planes);
		EXPECT_EQ(memcmp(layout.stride, cases[i].stride, sizeof(cases[i].stride)), 0);
		EXPECT_EQ(memcmp(layout.offset, cases[i].offset, sizeof(cases[i].offset)), 0);
		EXPECT_EQ(layout.reserved[3], 0);
	}
	EXPECT_EQ(sluice_frame_layout(FOURCC("none"), 4, 4, 0, &layout), -EOPNOTSUPP);
	EXPECT_EQ(sluice_frame_layout(0, 4, 4, 0, &layout), -EOPNOTSUPP);
	/* a name that lies across two names of the table */
	EXPECT_EQ(sluice_frame_layout(FOURCC("24AR"), 4, 4, 0, &layout), -EOPNOTSUPP);
	EXPECT_EQ(sluice_frame_layout(FOURCC("XR24"), 0, 4, 0, &layout), -EINVAL);
	EXPECT_EQ(sluice_frame_layout(FOURCC("XR24"), 4, 0, 0, &layout), -EINVAL);
	EXPECT_EQ(sluice_frame_layout(FOURCC("XR24"), 4, 4, 3, &layout), -EINVAL);
	EXPECT_EQ(sluice_frame_layout(FOURCC("NV12"), 4, 3, 0, &layout), -EINVAL);
	EXPECT_EQ(sluice_frame_layout(FOURCC("YUYV"), 3, 4, 0, &layout), -EINVAL);
	EXPECT_EQ(sluice_frame_layout(FOURCC("pRAA"), 6, 4, 0, &layout), -EINVAL);
	EXPECT_EQ(sluice_frame_layout(FOURCC("XR24"), -1, 1, 0, &layout), -EOVERFLOW);
	EXPECT_EQ(sluice_frame_layout(FOURCC("XR24"), (1 << 30) - 16, -1, 0, &layout), -EOVERFLOW);
	EXPECT_EQ(sluice_frame_layout(FOURCC("R8  "), 1 << 30, -1, 0, &layout), 0);
	EXPECT_EQ(sluice_frame_layout(FOURCC("NV24"), 0x7fffffc0, -1, 0, &layout), -EOVERFLOW);
}

TEST_F(stream, joined_fence_has_the_error_of_each)
{
	int queue = patient_queue(self->device, 0), other = patient_queue(self->device, SCREEN);
	int buffer = sluice_alloc(self->device, 0, SIZE, 0), fences[2], joined, i;
	struct sluice_op op;

	ASSERT_EQ(sluice_attach(other, buffer, SLUICE_ATTACH_EXPLICIT), 0);
	sluice_op_fill(&op, 0, 0, SIZE, 1);
	for (i = 0; i < 2; i++) {
		/* the first job succeeds, the second fails in the second round */
		ASSERT_EQ(sluice_submit(other, &op, 1, -1, &fences[0], 0, NULL), 0);
		EXPECT_EQ(sluice_fence_wait(fences[0], LATE_MS), 0);
		ASSERT_EQ(knob("fail_next", i), 0);
		ASSERT_EQ(sluice_submit(other, &op, 1, -1, &fences[1], 0, NULL), 0);
		joined = sluice_fence_join(queue, fences, 2);
		ASSERT_GE(joined, 0);
		EXPECT_EQ(sluice_fence_wait(joined, LATE_MS), i ? -ECANCELED : 0);
		EXPECT_EQ(sluice_fence_status(joined), i ? -ECANCELED : 1);
		EXPECT_EQ(sluice_fence_status(fences[1]), i ? -EIO : 1);
		close(joined);
		close(fences[0]);
		close(fences[1]);
	}
	fences[0] = -EMFILE;
	EXPECT_EQ(sluice_fence_join(queue, fences, 1), -EBADF);
	EXPECT_EQ(sluice_fence_join(queue, fences, 0), -EINVAL);
	EXPECT_EQ(sluice_fence_join(queue, fences, SLUICE_MAX_IN_FENCES + 1), -E2BIG);
	EXPECT_EQ(sluice_fence_join(buffer, &buffer, 1), -ENOTTY);
	EXPECT_EQ(sluice_fence_status(-1), -EBADF);
	EXPECT_EQ(sluice_fence_status(queue), -ENOTTY);
	close(buffer);
	close(other);
	close(queue);
}

TEST_HARNESS_MAIN
