// SPDX-License-Identifier: MIT
/* Sound: a ring of descriptors with several ops in flight, and a clock that never stops. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "objects.h"
#include "peers.h"
#include "sleep.h"
#include "sluice.h"
#include "sound.h"

#define DEVICE "ac970"
#define PLAYER 0
#define RECORDER 1
#define SIZE 16384UL		/* 85 ms */
#define WORDS (SIZE / 4)
#define RING 16
#define FRAMES 120
#define LOOP 8UL		/* buffers of a cyclic job */
#define CYCLES 64UL		/* frames that the cyclic jobs play */
#define SLEPT 48		/* frames before and after a sleep: more than the ring holds */

FIXTURE(ac97) {
	struct objects before;
	int device, player;
};

FIXTURE_SETUP(ac97)
{
	self->before = objects_before();
	self->player = -1;
	self->device = sluice_open(DEVICE);
	if (self->device < 0)
		SKIP(return, "this machine has no /dev/sluice/" DEVICE);
	self->player = patient_queue(self->device, PLAYER);
	ASSERT_GE(self->player, 0);
}

FIXTURE_TEARDOWN(ac97)
{
	close(self->player);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Does the clock of this machine count instructions?  Then only the driver can cause a delay. */
static bool is_never_late(void)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "re");
	bool never = file && fgets(line, sizeof(line), file) &&
		     strstr(line, "sluice.part=gapless");

	if (file)
		fclose(file);
	return never;
}

/* On such a machine, start two processes that only use CPU time. */
static void start_load(pid_t load[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		load[i] = is_never_late() ? fork() : -1;
		if (!load[i])	/* if an assertion ends the test, this process ends too */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (!load[i])
			;
	}
}

static void stop_load(const pid_t load[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		if (load[i] > 0) {
			kill(load[i], SIGKILL);
			waitpid(load[i], NULL, 0);
		}
	}
}

/*
 * soft0 copies from one buffer into the buffers of a ring, and the device plays them.  All jobs are
 * submitted at once: fences tell when a frame is complete, and when its buffer is free.
 */
TEST_F(ac97, ring_of_buffers_is_played_without_a_gap)
{
	int soft = sluice_open("soft0"), copier = patient_queue(soft, 0), all, slot, i;
	int buffers[RING], released[RING], ready;
	struct sluice_completion played[FRAMES];
	struct sluice_op op;
	pid_t load[2];
	int64_t took;
	int gaps;

	start_load(load);
	all = alloc_sound(self->device, 0, FRAMES * SIZE, TONE(1));
	slot = sluice_attach(copier, all, SLUICE_ATTACH_READ);
	ASSERT_EQ(slot, 0);
	for (i = 0; i < RING; i++) {
		released[i] = -1;
		buffers[i] = sluice_alloc(self->device, 0, SIZE, 0);
		ASSERT_EQ(sluice_attach(copier, buffers[i],
					SLUICE_ATTACH_EXPLICIT | SLUICE_ATTACH_WRITE), i + 1);
		ASSERT_EQ(sluice_attach(self->player, buffers[i],
					SLUICE_ATTACH_EXPLICIT | SLUICE_ATTACH_READ), i);
	}
	took = now_ns();
	for (i = 0; i < FRAMES; i++) {
		int *fence = &released[i % RING];

		sluice_op_copy(&op, 1 + i % RING, 0, slot, i * SIZE, SIZE);
		ASSERT_EQ(sluice_submit(copier, &op, 1, *fence, &ready, i, NULL), 0);
		if (*fence >= 0)
			close(*fence);
		sluice_op_playback(&op, i % RING, 0, SIZE);
		ASSERT_EQ(sluice_submit(self->player, &op, 1, ready, fence, i, NULL), 0);
		close(ready);
	}
	ASSERT_EQ(read_all(self->player, played, FRAMES), FRAMES);
	took = now_ns() - took;
	gaps = check_account(_metadata, played, FRAMES, SIZE);
	if (is_never_late())
		EXPECT_EQ(gaps, 0);
	tell_sound(1, FRAMES * WORDS, 0, gaps);
	TH_LOG("%lu samples in %lld ms, the first one after %lld ms", FRAMES * WORDS,
	       (long long)took / 1000000,
	       (long long)(played[0].timestamp + took - now_ns()) / 1000000);
	stop_load(load);
	for (i = 0; i < RING; i++) {
		close(released[i]);
		close(buffers[i]);
	}
	close(all);
	close(copier);
	close(soft);
}

/* No sound is lost, but there is a gap.  The completion of the frame after the gap reports it. */
TEST_F(ac97, stall_is_counted)
{
	struct sluice_completion played[8];
	struct sluice_op op;
	int buffer, gaps, i;

	buffer = alloc_sound(self->device, 0, 8 * SIZE, TONE(2));
	ASSERT_EQ(sluice_attach(self->player, buffer, SLUICE_ATTACH_READ), 0);
	for (i = 0; i < 8; i++) {
		sluice_op_playback(&op, 0, i * SIZE, SIZE);
		if (i == 4) {
			ASSERT_EQ(read_all(self->player, played, 4), 4);
			usleep(300000);
		}
		ASSERT_EQ(sluice_submit(self->player, &op, 1, -1, NULL, i, NULL), 0);
	}
	ASSERT_EQ(read_all(self->player, played + 4, 4), 4);
	gaps = check_account(_metadata, played, 8, SIZE);
	EXPECT_GE(gaps, 1);
	EXPECT_EQ(played[4].dropped, 1);
	tell_sound(2, 8 * WORDS, 1, gaps);
	EXPECT_GE(played[4].timestamp - played[3].timestamp, 300000000ULL);
	close(buffer);
}

/* Store the words of frame @n in its buffer of the ring. */
static void fill_frame(uint32_t *words, unsigned long n, uint32_t first)
{
	uint32_t *frame = words + n % LOOP * WORDS;
	unsigned long i;

	for (i = 0; i < WORDS; i++)
		frame[i] = first + n * WORDS + i;
}

/*
 * The device plays a ring in a cyclic job.  Userspace fills each buffer again after it was played,
 * and acknowledges it.  If a buffer is not filled in time, the job ends there, and the test submits
 * another job.
 */
TEST_F(ac97, ring_is_filled_while_it_is_played)
{
	struct sluice_create_queue args = {
		.engine = PLAYER, .flags = SLUICE_QUEUE_EXCLUSIVE,
		.completion_size = sizeof(struct sluice_completion),
	};
	unsigned long i, ring, filled, base = 0, stops = 0, dropped = 0;
	struct sluice_completion record;
	struct sluice_op ops[LOOP];
	uint32_t *words;
	uint64_t point;
	int buffer;

	close(self->player);
	/* the last reference to the other queue may still be held for a moment */
	for (i = 0, self->player = -EBUSY; self->player == -EBUSY && i < LATE_MS; i++, usleep(1000))
		self->player = xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &args) ?: args.fd;
	ASSERT_GE(self->player, 0);
	buffer = sluice_alloc(self->device, 0, LOOP * SIZE, 0);
	ASSERT_EQ(sluice_map(buffer, LOOP * SIZE, (void **)&words), 0);
	ASSERT_EQ(sluice_attach(self->player, buffer, SLUICE_ATTACH_EXPLICIT | SLUICE_ATTACH_READ), 0);
	while (base < CYCLES) {
		/* a job that begins near the end has a shorter ring: the rest of the frames */
		ring = CYCLES - base < LOOP ? CYCLES - base : LOOP;
		for (i = 0; i < ring; i++) {
			fill_frame(words, base + i, TONE(6));
			sluice_op_playback(&ops[i], 0, (base + i) % LOOP * SIZE, SIZE);
		}
		filled = base + ring;
		ASSERT_EQ(sluice_submit_cyclic(self->player, ops, ring, SLUICE_SUBMIT_STOP_ON_XRUN,
					       0, &point), 0);
		ASSERT_EQ(sluice_ack(self->player, point, 0), 0);
		do {
			ASSERT_EQ(sluice_read(self->player, &record, 1), 1);
			while (filled < base + record.ops + ring && filled < CYCLES)
				fill_frame(words, filled++, TONE(6));
			ASSERT_EQ(sluice_ack(self->player, point, filled - ring - base), 0);
		} while (record.flags & SLUICE_COMPLETION_MORE);
		EXPECT_EQ(record.status, -EPIPE);
		EXPECT_GE(record.ops, ring);
		EXPECT_EQ(record.bytes, record.ops * SIZE);
		base += record.ops;
		dropped += record.dropped;
		stops++;
	}
	EXPECT_EQ(base, CYCLES);
	if (is_never_late()) {
		EXPECT_EQ(stops, 1);
		EXPECT_EQ(dropped, 0);
	}
	tell_sound(6, CYCLES * WORDS, 0, dropped + stops - 1);
	munmap(words, LOOP * SIZE);
	close(buffer);
}

/* A frame of several descriptors (one has at most 131064 bytes), and a job of several frames. */
TEST_F(ac97, long_frames_are_played_to_the_end)
{
	struct sluice_completion played;
	const size_t size = 2 * 163840;
	struct sluice_op ops[2];
	int buffer, i;

	buffer = alloc_sound(self->device, 0, size, TONE(3));
	ASSERT_EQ(sluice_attach(self->player, buffer, SLUICE_ATTACH_READ), 0);
	for (i = 0; i < 2; i++)
		sluice_op_playback(&ops[i], 0, i * size / 2, size / 2);
	ASSERT_EQ(sluice_submit(self->player, ops, 2, -1, NULL, 0, NULL), 0);
	ASSERT_EQ(sluice_read(self->player, &played, 1), 1);
	EXPECT_EQ(played.status, 0);
	EXPECT_EQ(played.bytes, size);
	tell_sound(3, size / 4, 0, played.dropped);
	close(buffer);
}

TEST_F(ac97, cancelled_frames_end_and_the_next_is_played)
{
	struct sluice_completion played[9];
	struct sluice_op op;
	int buffer, i;

	buffer = alloc_sound(self->device, 0, 9 * SIZE, TONE(4));
	ASSERT_EQ(sluice_attach(self->player, buffer, SLUICE_ATTACH_READ), 0);
	for (i = 0; i < 8; i++) {
		sluice_op_playback(&op, 0, i * SIZE, SIZE);
		ASSERT_EQ(sluice_submit(self->player, &op, 1, -1, NULL, i, NULL), 0);
	}
	ASSERT_EQ(read_all(self->player, played, 1), 1);
	ASSERT_GE(sluice_cancel(self->player, 2, UINT64_MAX), 0);
	ASSERT_EQ(read_all(self->player, played + 1, 7), 7);
	for (i = 1; i < 8; i++)
		EXPECT_TRUE(!played[i].status || played[i].status == -ECANCELED);
	sluice_op_playback(&op, 0, 8 * SIZE, SIZE);
	ASSERT_EQ(sluice_submit(self->player, &op, 1, -1, NULL, 8, NULL), 0);
	ASSERT_EQ(read_all(self->player, played + 8, 1), 1);
	EXPECT_EQ(played[8].status, 0);
	EXPECT_EQ(played[8].bytes, SIZE);
	close(buffer);
}

/* If QEMU writes sound to a file, there is no microphone, and no data ever arrives. */
TEST_F(ac97, recording_ends_with_data_or_in_time)
{
	struct sluice_create_queue args = { .engine = RECORDER, .timeout_ms = 1000 };
	struct sluice_completion recorded[4];
	int buffer, recorder, i;
	struct sluice_op op;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &args), 0);
	recorder = args.fd;
	buffer = sluice_alloc(self->device, 0, 4 * SIZE, 0);
	ASSERT_EQ(sluice_attach(recorder, buffer, SLUICE_ATTACH_WRITE), 0);
	for (i = 0; i < 4; i++) {
		sluice_op_capture(&op, 0, i * SIZE, SIZE);
		ASSERT_EQ(sluice_submit(recorder, &op, 1, -1, NULL, i, NULL), 0);
	}
	ASSERT_EQ(read_all(recorder, recorded, 4), 4);
	if (recorded[0].status) {
		/* each timeout resets the device, and the ops behind it begin again */
		for (i = 0; i < 4; i++)
			EXPECT_EQ(recorded[i].status, -ETIME);
	} else {
		i = check_account(_metadata, recorded, 4, SIZE);
		if (is_never_late())
			EXPECT_EQ(i, 0);
	}
	close(recorder);
	close(buffer);
}

#define CODEC_VOLUME 0x18
#define CODEC_MUTE 0x8000

/* Read a register of the codec (an I/O port), or write it unless @value is -1.  -1 on failure. */
static int codec_register(unsigned int reg, int value)
{
	char address[64], path[128];
	uint16_t word = value;
	bool done;
	int fd;

	if (!pci_address(DEVICE, address))
		return -1;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", address);
	fd = open(path, O_RDWR | O_CLOEXEC);
	done = value < 0 ? pread(fd, &word, 2, reg) == 2 : pwrite(fd, &word, 2, reg) == 2;
	close(fd);
	return done ? word : -1;
}

/* More frames than the device plays before it sleeps: the rest is played afterwards, in order. */
TEST_F(ac97, frames_go_on_after_a_sleep_and_the_codec_is_set_up_again)
{
	struct sluice_completion played[SLEPT];
	struct sluice_op op;
	int buffer, i, ret;

	buffer = alloc_sound(self->device, 0, SIZE, 0);
	ASSERT_EQ(sluice_attach(self->player, buffer, SLUICE_ATTACH_READ), 0);
	sluice_op_playback(&op, 0, 0, SIZE);
	for (i = 0; i < SLEPT; i++)
		ASSERT_EQ(sluice_submit(self->player, &op, 1, -1, NULL, i, NULL), 0);
	ASSERT_EQ(read_all(self->player, played, 1), 1);
	ASSERT_EQ(codec_register(CODEC_VOLUME, CODEC_MUTE), CODEC_MUTE);
	ret = sleep_devices();
	if (ret == -EOPNOTSUPP)
		SKIP(return, "this guest does not sleep");
	ASSERT_EQ(ret, 0);
	EXPECT_EQ(codec_register(CODEC_VOLUME, -1), 0);
	ASSERT_EQ(read_all(self->player, played + 1, SLEPT - 1), SLEPT - 1);
	check_account(_metadata, played, SLEPT, SIZE);
	for (i = 0; i < SLEPT; i++)
		EXPECT_EQ(played[i].user_data, i);
	close(buffer);
}

TEST_F(ac97, codec_is_set_up_again_after_runtime_sleep)
{
	char address[64], path[128];
	int buffer, slot, tries;

	ASSERT_TRUE(pci_address(DEVICE, address));
	if (pci_attribute(address, "power/control", "auto"))
		SKIP(return, "this kernel has no runtime PM (CONFIG_PM)");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/power/runtime_status", address);
	buffer = alloc_sound(self->device, 0, SIZE, 0);
	slot = sluice_attach(self->player, buffer, SLUICE_ATTACH_READ);
	ASSERT_EQ(slot, 0);
	EXPECT_EQ(codec_register(CODEC_VOLUME, CODEC_MUTE), CODEC_MUTE);
	ASSERT_EQ(sluice_detach(self->player, slot), 0);
	for (tries = 0; tries < LATE_MS / 10 && !file_has(path, "suspended"); tries++)
		usleep(10000);
	EXPECT_TRUE(file_has(path, "suspended"));
	ASSERT_EQ(sluice_attach(self->player, buffer, SLUICE_ATTACH_READ), 0);
	EXPECT_TRUE(file_has(path, "active"));
	EXPECT_EQ(codec_register(CODEC_VOLUME, -1), 0);
	EXPECT_EQ(pci_attribute(address, "power/control", "on"), 0);
	close(buffer);
}

TEST_F(ac97, each_engine_has_its_kind_and_no_pictures)
{
	struct sluice_op op;
	int buffer;

	buffer = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_EQ(sluice_attach(self->player, buffer, 0), 0);
	sluice_op_playback_frame(&op, 0, 0, 16, 16, 64);
	EXPECT_EQ(sluice_submit(self->player, &op, 1, -1, NULL, 0, NULL), -EOPNOTSUPP);
	sluice_op_capture(&op, 0, 0, SIZE);
	EXPECT_EQ(sluice_submit(self->player, &op, 1, -1, NULL, 0, NULL), -EOPNOTSUPP);
	close(buffer);
}

TEST_F(ac97, frames_end_when_the_driver_goes)
{
	struct sluice_completion played[8];
	int buffer, i, fences[8];
	struct sluice_op op;
	char address[64];

	ASSERT_TRUE(pci_address(DEVICE, address));
	buffer = alloc_sound(self->device, 0, 8 * SIZE, TONE(5));
	ASSERT_EQ(sluice_attach(self->player, buffer, SLUICE_ATTACH_READ), 0);
	for (i = 0; i < 8; i++) {
		sluice_op_playback(&op, 0, i * SIZE, SIZE);
		ASSERT_EQ(sluice_submit(self->player, &op, 1, -1, &fences[i], i, NULL), 0);
	}
	ASSERT_EQ(read_all(self->player, played, 1), 1);
	EXPECT_EQ(pci_unbind(address), 0);
	for (i = 0; i < 8; i++) {
		EXPECT_NE(sluice_fence_wait(fences[i], LATE_MS), -ETIME) TH_LOG("frame %d", i);
		close(fences[i]);
	}
	close(buffer);
	EXPECT_EQ(write_text("/sys/bus/pci/drivers/sluice-ac97/bind", address), 0);
}

/* The second card records words that count, from a file. */

#define RECORDED 40

FIXTURE(recorder) {
	struct objects before;
	int device, queue, buffers[RING];
	uint32_t *words[RING];
};

/* A buffer for each frame: a reader of a buffer waits for all pending writes to it. */
FIXTURE_SETUP(recorder)
{
	int i;

	self->before = objects_before();
	self->queue = -1;
	self->device = sluice_open("ac971");
	if (self->device < 0)
		SKIP(return, "this machine's QEMU has no ALSA, from which a sound card hears a file");
	self->queue = patient_queue(self->device, RECORDER);
	ASSERT_GE(self->queue, 0);
	for (i = 0; i < RING; i++) {
		int *buffer = &self->buffers[i];

		*buffer = sluice_alloc(self->device, 0, SIZE, 0);
		ASSERT_EQ(sluice_attach(self->queue, *buffer, SLUICE_ATTACH_WRITE), i);
		ASSERT_EQ(sluice_map(*buffer, SIZE, (void **)&self->words[i]), 0);
	}
}

FIXTURE_TEARDOWN(recorder)
{
	int i;

	for (i = 0; i < RING && self->words[i]; i++) {
		munmap(self->words[i], SIZE);
		close(self->buffers[i]);
	}
	close(self->queue);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Does each word of a frame follow the word before?  Returns the word that must come next. */
static uint32_t check_counting(struct __test_metadata *_metadata, int buffer,
			       const uint32_t *words, uint32_t next)
{
	unsigned long i, jumps = 0;

	sluice_cpu_begin(buffer, false);
	next = next ?: words[0];
	for (i = 0; i < WORDS; i++) {
		jumps += words[i] != next;
		next = words[i] + 1;
	}
	sluice_cpu_end(buffer, false);
	EXPECT_EQ(jumps, 0) TH_LOG("before word %u", next);
	return next;
}

/*
 * Even an interruption of the recording would lose no word.  On a machine whose clock counts
 * instructions, there is not even an interruption.
 */
TEST_F(recorder, recorded_words_are_complete_and_in_order)
{
	struct sluice_completion recorded[RECORDED];
	pid_t load[2];
	struct sluice_op op;
	uint32_t next = 0;
	int i, gaps;

	start_load(load);
	for (i = 0; i < RECORDED + RING; i++) {
		uint32_t *words = self->words[i % RING];

		if (i >= RING) {
			ASSERT_EQ(read_all(self->queue, &recorded[i - RING], 1), 1);
			next = check_counting(_metadata, self->buffers[i % RING], words, next);
		}
		if (i >= RECORDED)
			continue;
		/* words that the device does not write are noticed */
		words[0] = words[WORDS - 1] = 0;
		sluice_op_capture(&op, i % RING, 0, SIZE);
		ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, i, NULL), 0);
	}
	gaps = check_account(_metadata, recorded, RECORDED, SIZE);
	if (is_never_late())
		EXPECT_EQ(gaps, 0);
	EXPECT_GT(next, RECORDED * WORDS);
	TH_LOG("%lu words, %d interruptions", RECORDED * WORDS, gaps);
	stop_load(load);
}

TEST_HARNESS_MAIN
