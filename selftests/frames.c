// SPDX-License-Identifier: MIT
/* Capture and playback: frames in rings of buffers.  Each lost frame is counted. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define SIZE	16384UL
#define RING	4
#define FRAMES	40
#define XR24	0x34325258

struct shown {
	unsigned long long sequence, bytes;
	unsigned int crc;
};

/* The last frame that an engine of soft0 has shown. */
static struct shown screen(unsigned int engine)
{
	FILE *file = fopen("/sys/kernel/debug/sluice/soft0/screen", "re");
	struct shown shown = {};
	unsigned int i;

	for (i = 0; file && i <= engine; i++)
		if (fscanf(file, "%llu %llu %x", &shown.sequence, &shown.bytes, &shown.crc) != 3)
			shown.bytes = 0;
	if (file)
		fclose(file);
	return shown;
}

FIXTURE(frames) {
	struct objects before;
	int device, camera, player, buffers[RING];
};

/* Slot i of both queues is buffer i.  All fences are explicit. */
FIXTURE_SETUP(frames)
{
	int i;

	self->before = objects_before();
	knob("delay_us", 0);
	self->device = sluice_open("soft0");
	self->camera = patient_queue(self->device, 0);
	self->player = patient_queue(self->device, 1);
	for (i = 0; i < RING; i++) {
		self->buffers[i] = sluice_alloc(self->device, 0, SIZE, 0);
		ASSERT_EQ(sluice_attach(self->camera, self->buffers[i],
					SLUICE_ATTACH_EXPLICIT | SLUICE_ATTACH_WRITE), i);
		ASSERT_EQ(sluice_attach(self->player, self->buffers[i],
					SLUICE_ATTACH_EXPLICIT | SLUICE_ATTACH_READ), i);
	}
}

FIXTURE_TEARDOWN(frames)
{
	int i;

	knob("delay_us", 0);
	close(self->camera);
	close(self->player);
	for (i = 0; i < RING; i++)
		close(self->buffers[i]);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(frames, playback_shows_every_byte)
{
	struct sluice_completion completion;
	int64_t before = now_ns();
	struct sluice_op op;
	struct shown shown;
	uint32_t *words;

	ASSERT_EQ(fill_words(self->buffers[0], SIZE, 7), 0);
	ASSERT_EQ(sluice_map(self->buffers[0], SIZE, (void **)&words), 0);
	sluice_op_playback(&op, 0, 4096, SIZE - 8192);
	ASSERT_EQ(sluice_submit(self->player, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->player, &completion, 1), 1);
	EXPECT_EQ(completion.status, 0);
	EXPECT_EQ(completion.bytes, SIZE - 8192);
	EXPECT_GE((int64_t)completion.timestamp, before);
	shown = screen(1);
	EXPECT_EQ(shown.bytes, SIZE - 8192);
	EXPECT_EQ(shown.sequence, completion.sequence);
	EXPECT_EQ(shown.crc, crc32(0, words + 1024, SIZE - 8192));
	/* playback does not change the buffer */
	EXPECT_EQ(check_words(self->buffers[0], SIZE, 7), 0);
	munmap(words, SIZE);
}

TEST_F(frames, played_image_is_its_lines_alone)
{
	const uint32_t width = 100, height = 30, stride = 448;
	struct sluice_completion completion;
	struct sluice_op op;
	struct shown shown;
	uint32_t crc = 0, y;
	uint8_t *bytes;

	ASSERT_EQ(fill_words(self->buffers[0], SIZE, 8), 0);
	ASSERT_EQ(sluice_map(self->buffers[0], SIZE, (void **)&bytes), 0);
	for (y = 0; y < height; y++)
		crc = crc32(crc, bytes + y * stride, width * 4);
	sluice_op_playback_frame(&op, 0, 0, width, height, stride);
	ASSERT_EQ(sluice_submit(self->player, &op, 1, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->player, &completion, 1), 1);
	EXPECT_EQ(completion.bytes, width * 4 * height);
	shown = screen(1);
	EXPECT_EQ(shown.bytes, width * 4 * height);
	EXPECT_EQ(shown.crc, crc);
	munmap(bytes, SIZE);
}

TEST_F(frames, playback_refuses_what_it_cannot_read)
{
	const struct {
		struct sluice_op op;
		int error;
	} cases[] = {
		{ { .kind = SLUICE_OP_PLAYBACK, .length = 0 }, -EINVAL },
		{ { .kind = SLUICE_OP_PLAYBACK, .length = 4, .dst = 1 }, -EINVAL },
		{ { .kind = SLUICE_OP_PLAYBACK, .length = 4, .dst_offset = 4 }, -EINVAL },
		{ { .kind = SLUICE_OP_PLAYBACK, .length = 4, .pad = { 0, 0, 1 } }, -EINVAL },
		{ { .kind = SLUICE_OP_PLAYBACK, .length = 4, .src_offset = 2 }, -EINVAL },
		{ { .kind = SLUICE_OP_PLAYBACK, .length = 4, .src = 99 }, -ENOENT },
		{ { .kind = SLUICE_OP_PLAYBACK, .length = SIZE + 4 }, -ERANGE },
		{ { .kind = SLUICE_OP_PLAYBACK, .src_offset = -4ULL, .length = 8 }, -ERANGE },
		{ { .kind = SLUICE_OP_PLAYBACK, .length = SIZE,
		    .frame = { 64, 64, 256, 0 } }, -EINVAL },
		{ { .kind = SLUICE_OP_PLAYBACK, .length = 64 * 256 - 4,
		    .frame = { 64, 64, 256, XR24 } }, -ERANGE },
		/* attached for writing only */
		{ { .kind = SLUICE_OP_PLAYBACK, .src = RING, .length = 4 }, -EACCES },
	};
	unsigned int i;

	ASSERT_EQ(sluice_attach(self->player, self->buffers[0], SLUICE_ATTACH_WRITE), RING);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		EXPECT_EQ(sluice_submit(self->player, &cases[i].op, 1, -1, NULL, 0, NULL),
			  cases[i].error)
			TH_LOG("case %u", i);
}

/* Does each frame's sequence and dropped account for all frames since the one before? */
static void check_account(struct __test_metadata *_metadata,
			  const struct sluice_completion *frames, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		EXPECT_EQ(frames[i].status, 0);
		EXPECT_EQ(frames[i].bytes, SIZE);
		if (i)
			EXPECT_EQ(frames[i].sequence,
				  frames[i - 1].sequence + 1 + frames[i].dropped);
	}
}

/*
 * All buffers are queued for capture, except those that are being played.  A buffer is captured
 * into again when its playback's fence signals.
 */
TEST_F(frames, ring_loses_no_frame_uncounted)
{
	struct sluice_completion captured[FRAMES], played[FRAMES];
	int released[RING], ready, i, j;
	struct sluice_op op;
	struct shown shown;
	uint32_t crc = 0;

	for (i = 0; i < RING; i++)
		released[i] = -1;
	for (i = 0; i < FRAMES; i++) {
		int *fence = &released[i % RING];

		sluice_op_capture(&op, i % RING, 0, SIZE);
		ASSERT_EQ(sluice_submit(self->camera, &op, 1, *fence, &ready, i, NULL), 0);
		if (*fence >= 0)
			close(*fence);
		sluice_op_playback(&op, i % RING, 0, SIZE);
		ASSERT_EQ(sluice_submit(self->player, &op, 1, ready, fence, i, NULL), 0);
		close(ready);
	}
	ASSERT_EQ(read_all(self->camera, captured, FRAMES), FRAMES);
	ASSERT_EQ(read_all(self->player, played, FRAMES), FRAMES);
	check_account(_metadata, captured, FRAMES);
	check_account(_metadata, played, FRAMES);
	for (i = 0; i < FRAMES; i++) {
		/* a frame is played after its capture, and its buffer is reused later */
		EXPECT_GT(played[i].timestamp, captured[i].timestamp);
		if (i >= RING)
			EXPECT_GT(captured[i].timestamp, played[i - RING].timestamp);
	}
	/* the last frame is on the screen */
	for (j = 0; j < (int)(SIZE / 4); j++) {
		uint32_t word = expected_raw(captured[FRAMES - 1].sequence, j);

		crc = crc32(crc, &word, sizeof(word));
	}
	shown = screen(1);
	EXPECT_EQ(shown.sequence, played[FRAMES - 1].sequence);
	EXPECT_EQ(shown.crc, crc);
	for (i = 0; i < RING; i++)
		close(released[i]);
}

/* For eight frames, the player has no frame and the camera no buffer. */
TEST_F(frames, underrun_and_overrun_are_counted)
{
	struct sluice_completion captured[2], played[2];
	struct sluice_op capture, playback;
	int i;

	sluice_op_capture(&capture, 0, 0, SIZE);
	sluice_op_playback(&playback, 1, 0, SIZE);
	for (i = 0; i < 2; i++) {
		if (i)
			usleep(270000);
		ASSERT_EQ(sluice_submit(self->camera, &capture, 1, -1, NULL, 0, NULL), 0);
		ASSERT_EQ(sluice_submit(self->player, &playback, 1, -1, NULL, 0, NULL), 0);
		ASSERT_EQ(sluice_read(self->camera, &captured[i], 1), 1);
		ASSERT_EQ(sluice_read(self->player, &played[i], 1), 1);
	}
	check_account(_metadata, captured, 2);
	check_account(_metadata, played, 2);
	EXPECT_GE(captured[1].dropped, 7);
	EXPECT_GE(played[1].dropped, 7);
}

/* A job's completion has the sequence of its last frame, and the dropped frames of all. */
TEST_F(frames, dropped_counts_what_was_lost_before_each_frame_of_a_job)
{
	struct sluice_completion captured[2], played[2];
	struct sluice_op capture[3], playback[3];
	int i;

	for (i = 0; i < 3; i++) {
		sluice_op_capture(&capture[i], i, 0, SIZE);
		sluice_op_playback(&playback[i], i, 0, SIZE);
	}
	for (i = 0; i < 2; i++) {
		if (i)
			usleep(270000);
		ASSERT_EQ(sluice_submit(self->camera, capture, i ? 3 : 1, -1, NULL, 0, NULL), 0);
		ASSERT_EQ(sluice_submit(self->player, playback, i ? 3 : 1, -1, NULL, 0, NULL), 0);
		ASSERT_EQ(sluice_read(self->camera, &captured[i], 1), 1);
		ASSERT_EQ(sluice_read(self->player, &played[i], 1), 1);
	}
	EXPECT_GE(captured[1].dropped, 7);
	EXPECT_GE(played[1].dropped, 7);
	EXPECT_EQ(captured[1].sequence, captured[0].sequence + 3 + captured[1].dropped);
	EXPECT_EQ(played[1].sequence, played[0].sequence + 3 + played[1].dropped);
	EXPECT_EQ(captured[1].bytes, 3 * SIZE);
	EXPECT_EQ(played[1].bytes, 3 * SIZE);
}

TEST_HARNESS_MAIN
