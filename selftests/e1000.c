// SPDX-License-Identifier: MIT
/*
 * Frames from outside: one network card sends, the other receives, and no other card is on their
 * cable.  Each frame has a number, and words that count from it, so that a lost or misplaced frame
 * is noticed.
 *
 * QEMU sends a frame before the write to the register returns, and keeps frames that do not fit
 * until there is room.  Then the receiver takes as many as fit, and counts the rest as missed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "kms_scene.h"
#include "machine.h"
#include "objects.h"
#include "pages.h"
#include "peers.h"
#include "sleep.h"
#include "sluice.h"

#define DRIVER "/sys/bus/pci/drivers/sluice-e1000"
#define SEND 0
#define RECEIVE 1
#define FRAME 16384UL
#define BATCH 64UL
#define ROUNDS 4UL
#define HELD 500UL
#define SCATTERED 64U		/* pages */
#define MARK 0xfedc0000U
#define WIDTH 1024U
#define HEIGHT 768U

struct card {
	int device, queue, buffer;
	uint32_t *words;	/* of the buffer, which has BATCH frames */
};

FIXTURE(e1000) {
	struct objects before;
	struct card from, to;
};

/* Frame @index of a buffer. */
static uint32_t *frame_at(const struct card *card, unsigned long index)
{
	return card->words + index * FRAME / 4;
}

static int open_card(struct card *card, const char *name, int engine)
{
	*card = (struct card) { -1, -1, -1, NULL };
	card->device = sluice_open(name);
	if (card->device < 0)
		return card->device;
	card->queue = patient_queue(card->device, engine);
	card->buffer = sluice_alloc(card->device, sluice_find_heap(card->device, "contiguous"),
				    BATCH * FRAME, 0);
	if (card->queue < 0 || card->buffer < 0)
		return -1;
	if (sluice_map(card->buffer, BATCH * FRAME, (void **)&card->words))
		return -1;
	return sluice_attach(card->queue, card->buffer, SLUICE_ATTACH_EXPLICIT);
}

static void close_card(struct card *card)
{
	if (card->words)
		munmap(card->words, BATCH * FRAME);
	close(card->queue);
	close(card->buffer);
	close(card->device);
	*card = (struct card){ .queue = -1, .buffer = -1, .device = -1 };
}

/* Submit a job that sends frame @number from place @index of the buffer. */
static int send_frame(struct card *card, unsigned long index, uint32_t number, size_t size)
{
	struct sluice_op op;
	size_t i;

	sluice_cpu_begin(card->buffer, true);
	for (i = 0; i < (size + 3) / 4; i++)
		frame_at(card, index)[i] = number * 4096 + i;
	sluice_cpu_end(card->buffer, true);
	sluice_op_playback(&op, 0, index * FRAME, size);
	return sluice_submit(card->queue, &op, 1, -1, NULL, number, NULL);
}

static int receive_frame(struct card *card, unsigned long index, int *fence)
{
	struct sluice_op op;

	sluice_op_capture(&op, 0, index * FRAME, FRAME);
	return sluice_submit(card->queue, &op, 1, -1, fence, index, NULL);
}

/* Is it the whole frame @number? */
static bool is_frame(struct card *card, unsigned long index, uint32_t number, size_t size)
{
	uint32_t *words = frame_at(card, index);
	bool same = true;
	size_t i;

	sluice_cpu_begin(card->buffer, false);
	for (i = 0; i < size / 4 && same; i++)
		same = words[i] == number * 4096 + i;
	sluice_cpu_end(card->buffer, false);
	if (!same)
		printf("# frame %u: word %zu is %x\n", number, i - 1, words[i - 1]);
	return same;
}

/* Send @count small frames from number @first on, and wait until all are sent. */
static int send_all(struct card *card, uint32_t first, unsigned long count)
{
	struct sluice_completion sent[BATCH];
	unsigned long i, n;

	for (i = 0; i < count; i += n) {
		for (n = 0; n < BATCH && i + n < count; n++)
			if (send_frame(card, n, first + i + n, 64))
				return -1;
		if (read_all(card->queue, sent, n) != (int)n || sent[n - 1].status)
			return -1;
	}
	return 0;
}

/* Take out the frames that earlier tests left: all up to a frame with a number of its own. */
static int drain(struct card *from, struct card *to)
{
	static uint32_t marks;
	uint32_t number = (MARK >> 12) + ++marks;
	struct sluice_completion taken;

	if (send_all(from, number, 1))
		return -1;
	do {
		if (receive_frame(to, 0, NULL) || read_all(to->queue, &taken, 1) != 1 ||
		    taken.status)
			return -1;
	} while (!is_frame(to, 0, number, 64));
	return 0;
}

FIXTURE_SETUP(e1000)
{
	self->before = objects_before();
	self->from = self->to = (struct card) { -1, -1, -1, NULL };
	if (access("/dev/sluice/ether1", F_OK))
		SKIP(return, "this machine has no two network cards for us");
	ASSERT_EQ(open_card(&self->from, "ether0", SEND), 0);
	ASSERT_EQ(open_card(&self->to, "ether1", RECEIVE), 0);
	ASSERT_EQ(drain(&self->from, &self->to), 0);
}

FIXTURE_TEARDOWN(e1000)
{
	close_card(&self->from);
	close_card(&self->to);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* As many buffers as frames: all frames arrive whole and in order, each with a fence. */
TEST_F(e1000, frames_of_all_sizes_arrive)
{
	struct sluice_completion sent[BATCH], received[BATCH];
	size_t round, i, size[BATCH];
	uint64_t next = 0;
	int fences[BATCH];

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < BATCH; i++)
			ASSERT_EQ(receive_frame(&self->to, i, &fences[i]), 0);
		for (i = 0; i < BATCH; i++) {
			size[i] = i ? 64 + (round * BATCH + i) * 64 % (FRAME - 60) : FRAME;
			ASSERT_EQ(send_frame(&self->from, i, round * BATCH + i, size[i]), 0);
		}
		ASSERT_EQ(read_all(self->from.queue, sent, BATCH), BATCH);
		ASSERT_EQ(read_all(self->to.queue, received, BATCH), BATCH);
		for (i = 0; i < BATCH; i++) {
			EXPECT_EQ(sluice_fence_wait(fences[i], 0), 0);
			close(fences[i]);
			EXPECT_EQ(sent[i].status, 0);
			EXPECT_EQ(sent[i].bytes, size[i]);
			EXPECT_EQ(received[i].status, 0);
			EXPECT_EQ(received[i].bytes, size[i]);
			EXPECT_EQ(received[i].dropped, 0);
			EXPECT_GT(received[i].timestamp, 0);
			if (next)
				EXPECT_EQ(received[i].sequence, next);
			next = received[i].sequence + 1;
			EXPECT_TRUE(is_frame(&self->to, i, round * BATCH + i, size[i]));
		}
	}
}

/*
 * No buffer is ready while frames are sent.  A buffer that is submitted later gets the first frame,
 * and the others are lost.  The next frame that arrives reports how many.
 */
TEST_F(e1000, lost_frames_are_counted)
{
	struct sluice_completion received[3];
	unsigned int round;
	uint32_t number;

	ASSERT_EQ(send_all(&self->from, 0, 1), 0);
	ASSERT_EQ(receive_frame(&self->to, 0, NULL), 0);
	ASSERT_EQ(read_all(self->to.queue, received, 1), 1);
	EXPECT_TRUE(is_frame(&self->to, 0, 0, 64));
	number = 1;
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(send_all(&self->from, number, HELD), 0);
		ASSERT_EQ(receive_frame(&self->to, 1, NULL), 0);
		ASSERT_EQ(read_all(self->to.queue, received + 1, 1), 1);
		EXPECT_TRUE(is_frame(&self->to, 1, number, 64));
		EXPECT_EQ(received[1].sequence - received[0].sequence, 1);
		EXPECT_EQ(received[1].dropped, 0);
		number += HELD;
		ASSERT_EQ(receive_frame(&self->to, 2, NULL), 0);
		ASSERT_EQ(send_all(&self->from, number, 1), 0);
		ASSERT_EQ(read_all(self->to.queue, received + 2, 1), 1);
		EXPECT_TRUE(is_frame(&self->to, 2, number, 64));
		EXPECT_EQ(received[2].dropped, HELD - 1);
		EXPECT_EQ(received[2].sequence - received[1].sequence, HELD);
		received[0] = received[2];
		number++;
	}
	TH_LOG("%u frames sent, %lu of them lost and counted", number, 3 * (HELD - 1));
}

/* The card would write a long frame beyond the end of a short buffer. */
TEST_F(e1000, short_buffers_and_long_frames_are_refused)
{
	struct sluice_op op;

	sluice_op_capture(&op, 0, 0, FRAME - 1);
	EXPECT_EQ(sluice_submit(self->to.queue, &op, 1, -1, NULL, 0, NULL), -EINVAL);
	sluice_op_playback(&op, 0, 0, FRAME + 1);
	EXPECT_EQ(sluice_submit(self->from.queue, &op, 1, -1, NULL, 0, NULL), -EINVAL);
	EXPECT_EQ(drain(&self->from, &self->to), 0);
	sluice_op_playback(&op, 0, 0, 64);
	EXPECT_EQ(sluice_submit(self->to.queue, &op, 1, -1, NULL, 0, NULL), -EOPNOTSUPP);
}

TEST_F(e1000, engines_tell_their_limits)
{
	struct sluice_engine_info send, receive;

	ASSERT_EQ(sluice_engine_info(self->from.device, SEND, &send), 0);
	ASSERT_EQ(sluice_engine_info(self->from.device, RECEIVE, &receive), 0);
	EXPECT_EQ(send.min_length, 0);
	EXPECT_EQ(send.max_length, FRAME);
	EXPECT_EQ(send.max_segments, 1);
	EXPECT_EQ(receive.min_length, FRAME);
	EXPECT_EQ(receive.max_length, 0);
	EXPECT_EQ(receive.max_segments, 1);
}

/* Pages of a file that are scattered in memory: every second one is allocated later. */
static int scattered_buffer(int device)
{
	int file = sealed_memfd(0, SCATTERED * 4096, F_SEAL_SHRINK), buffer = -1;
	char page[4096] = { 1 };
	unsigned int i;

	for (i = 0; i < SCATTERED; i++)
		if (pwrite(file, page, sizeof(page), (i * 2 % SCATTERED + i * 2 / SCATTERED) *
			   sizeof(page)) != sizeof(page))
			break;
	if (i == SCATTERED)
		buffer = sluice_wrap(device, file, 0, SCATTERED * sizeof(page));
	close(file);
	return buffer;
}

TEST_F(e1000, memory_in_several_segments_is_refused)
{
	int buffer = scattered_buffer(self->to.device), to, from;
	struct sluice_completion received;
	struct sluice_buffer_info info;
	struct sluice_op op;

	ASSERT_GE(buffer, 0);
	ASSERT_EQ(sluice_buffer_info(self->to.device, buffer, &info), 0);
	to = sluice_attach(self->to.queue, buffer, SLUICE_ATTACH_EXPLICIT);
	from = sluice_attach(self->from.queue, buffer, SLUICE_ATTACH_EXPLICIT);
	ASSERT_GE(to, 0);
	ASSERT_GE(from, 0);
	if (info.segments == 1) {
		close(buffer);
		SKIP(return, "an IOMMU makes one segment of it");
	}
	sluice_op_capture(&op, to, 0, SCATTERED * 4096);
	EXPECT_EQ(sluice_submit(self->to.queue, &op, 1, -1, NULL, 0, NULL), -EFBIG);
	/* the refused jobs leave nothing behind: a part in one segment can be sent, and arrives */
	ASSERT_EQ(receive_frame(&self->to, 0, NULL), 0);
	sluice_op_playback(&op, from, 4096, 4096);
	EXPECT_EQ(run_op(self->from.queue, &op), 0);
	ASSERT_EQ(read_all(self->to.queue, &received, 1), 1);
	EXPECT_EQ(received.status, 0);
	EXPECT_EQ(received.bytes, 4096);
	EXPECT_EQ(frame_at(&self->to, 0)[0], 1);
	close(buffer);
}

TEST_F(e1000, cancelled_captures_end_and_the_next_receives)
{
	struct sluice_completion received[9];
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(receive_frame(&self->to, i, NULL), 0);
	ASSERT_EQ(send_all(&self->from, 100, 3), 0);
	ASSERT_EQ(read_all(self->to.queue, received, 3), 3);
	ASSERT_EQ(sluice_cancel(self->to.queue, received[2].point + 1, UINT64_MAX), 5);
	ASSERT_EQ(read_all(self->to.queue, received + 3, 5), 5);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(received[i].status, i < 3 ? 0 : -ECANCELED);
	ASSERT_EQ(receive_frame(&self->to, 8, NULL), 0);
	ASSERT_EQ(send_all(&self->from, 103, 1), 0);
	ASSERT_EQ(read_all(self->to.queue, received + 8, 1), 1);
	EXPECT_TRUE(is_frame(&self->to, 8, 103, 64));
	EXPECT_EQ(received[8].sequence, received[2].sequence + 1);
}

TEST_F(e1000, captures_end_when_the_driver_goes)
{
	char address[64];
	int fences[8], i;

	ASSERT_TRUE(pci_address("ether1", address));
	for (i = 0; i < 8; i++)
		ASSERT_EQ(receive_frame(&self->to, i, &fences[i]), 0);
	EXPECT_EQ(pci_unbind(address), 0);
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(sluice_fence_wait(fences[i], LATE_MS), -ENODEV);
		close(fences[i]);
	}
	EXPECT_EQ(write_text(DRIVER "/bind", address), 0);
}

/* No frame comes while the cards sleep.  The captures begin again, and get frames sent after it. */
TEST_F(e1000, captures_begin_again_after_a_sleep)
{
	struct sluice_completion received[8];
	int i, ret;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(receive_frame(&self->to, i, NULL), 0);
	ret = sleep_devices();
	if (ret == -EOPNOTSUPP)
		SKIP(return, "this guest does not sleep");
	ASSERT_EQ(ret, 0);
	ASSERT_EQ(send_all(&self->from, 200, 8), 0);
	ASSERT_EQ(read_all(self->to.queue, received, 8), 8);
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(received[i].status, 0);
		EXPECT_EQ(received[i].dropped, 0);
		EXPECT_EQ(received[i].user_data, i);
		EXPECT_TRUE(is_frame(&self->to, i, 200 + i, 64));
	}
}

TEST_F(e1000, captures_end_when_the_card_is_unplugged_and_it_comes_back)
{
	struct sluice_completion received;
	char address[64];
	int fences[8], i;

	ASSERT_TRUE(pci_address("ether1", address));
	for (i = 0; i < 8; i++)
		ASSERT_EQ(receive_frame(&self->to, i, &fences[i]), 0);
	ASSERT_EQ(pci_attribute(address, "remove", "1"), 0);
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(sluice_fence_wait(fences[i], LATE_MS), -ENODEV);
		close(fences[i]);
	}
	close_card(&self->to);
	/*
	 * The removed card has lost its driver_override.  Newer kernels bind no other driver to the
	 * card meanwhile; for older kernels the lab has no other driver.
	 */
	ASSERT_EQ(write_text("/sys/bus/pci/drivers_autoprobe", "0"), 0);
	EXPECT_EQ(write_text("/sys/bus/pci/rescan", "1"), 0);
	self->to.device = pci_bind_open(address, "sluice-e1000");
	EXPECT_EQ(write_text("/sys/bus/pci/drivers_autoprobe", "1"), 0);
	ASSERT_GE(self->to.device, 0);
	close(self->to.device);
	ASSERT_EQ(open_card(&self->to, "ether1", RECEIVE), 0);
	ASSERT_EQ(drain(&self->from, &self->to), 0);
	ASSERT_EQ(receive_frame(&self->to, 0, NULL), 0);
	ASSERT_EQ(send_all(&self->from, 300, 1), 0);
	ASSERT_EQ(read_all(self->to.queue, &received, 1), 1);
	EXPECT_EQ(received.status, 0);
	EXPECT_TRUE(is_frame(&self->to, 0, 300, 64));
}

FIXTURE(screen) {
	struct card from, to;
	struct scene scene;
};

FIXTURE_SETUP(screen)
{
	if (system("modprobe -q bochs && udevadm settle"))
		printf("# no module bochs\n");
	self->from = self->to = (struct card) { -1, -1, -1, NULL };
	kms_scene_open(&self->scene, "bochs-drm", WIDTH, HEIGHT, "edu0", "contiguous");
	if (access("/dev/sluice/ether1", F_OK))
		SKIP(return, "this machine has no two network cards for us");
	if (self->scene.opened || self->scene.import)
		SKIP(return, "no display of this kernel imports foreign buffers");
	/* setting the mode takes longer than the timeout of the captures */
	ASSERT_EQ(kms_show(&self->scene.display, self->scene.fb, -1, true), 0);
	ASSERT_EQ(open_card(&self->from, "ether0", SEND), 0);
	ASSERT_EQ(open_card(&self->to, "ether1", RECEIVE), 0);
	ASSERT_EQ(drain(&self->from, &self->to), 0);
}

FIXTURE_TEARDOWN(screen)
{
	close_card(&self->from);
	close_card(&self->to);
	EXPECT_TRUE(kms_scene_close(&self->scene));
}

/* A network camera without hardware: frames of four lines arrive where a display scans out. */
TEST_F(screen, picture_arrives_in_frames)
{
	unsigned long parts = self->scene.size / FRAME, i;
	struct sluice_completion received, sent;
	int fence = -1, slot, ret;
	struct sluice_op op;

	slot = sluice_attach(self->to.queue, self->scene.frame, SLUICE_ATTACH_EXPLICIT);
	ASSERT_GE(slot, 0);
	for (i = 0; i < parts; i++) {
		sluice_op_capture(&op, slot, i * FRAME, FRAME);
		close(fence);
		ASSERT_EQ(sluice_submit(self->to.queue, &op, 1, -1, &fence, i, NULL), 0);
	}
	EXPECT_EQ(kms_show(&self->scene.display, self->scene.fb, fence, false), 0);
	EXPECT_FALSE(signalled(fence));
	for (i = 0; i < parts; i++) {
		ASSERT_EQ(send_frame(&self->from, 0, i, FRAME), 0);
		ASSERT_EQ(read_all(self->from.queue, &sent, 1), 1);
		ASSERT_EQ(sent.status, 0);
		ASSERT_EQ(read_all(self->to.queue, &received, 1), 1);
		EXPECT_EQ(received.status, 0);
		EXPECT_EQ(received.bytes, FRAME);
		EXPECT_EQ(received.dropped, 0);
	}
	EXPECT_EQ(kms_finish(&self->scene.display, LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(fence, 0), 0);
	ret = check_screen(&self->scene, "e1000.ppm");
	if (ret != -EOPNOTSUPP)
		EXPECT_EQ(ret, 0);
	close(fence);
}

TEST_HARNESS_MAIN
