// SPDX-License-Identifier: MIT
/*
 * KMS: a display that scans out Sluice's buffers, and switches to a framebuffer only when the
 * buffer's fence has signalled.
 *
 * The display is QEMU's VGA with bochs-drm, which imports foreign buffers on Linux 7.2 and later,
 * and refuses them on 6.12 and earlier.  There, the fences are tested on the display's own
 * framebuffer.
 *
 * bochs-drm has 32 address bits, because it never sets another mask, although the CPU does all its
 * work.  soft0's memory may be anywhere, so the frames come from edu0's heaps, which are within 28
 * bits.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <linux/dma-buf.h>
#include <linux/sync_file.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "kms_scene.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "sluice.h"

#define WIDTH	1024U
#define HEIGHT	768U
#define STRIDE	(WIDTH * 4)
#define SIZE	((size_t)STRIDE * HEIGHT)

#define FRAME_US	17000	/* more than the time between two vblanks */

#define OBJECT_BUFFER	2	/* line in debugfs' objects */

static void open_bochs(struct scene *scene, const char *heap)
{
	if (system("modprobe -q bochs && udevadm settle"))
		printf("# no module bochs\n");
	kms_scene_open(scene, "bochs-drm", WIDTH, HEIGHT, "edu0", heap);
}

#define NEED_DISPLAY(self) do { \
		if ((self)->opened == -ENODEV) \
			SKIP(return, "no display of bochs-drm (QEMU's -device VGA)"); \
		ASSERT_EQ((self)->opened, 0); \
	} while (0)

#define NEED_IMPORT(self) do { \
		NEED_DISPLAY(self); \
		if ((self)->import) \
			SKIP(return, "bochs-drm of this kernel imports no foreign buffers"); \
	} while (0)

FIXTURE(scanout) {
	struct scene s;
};

FIXTURE_VARIANT(scanout) {
	const char *heap;
};

FIXTURE_VARIANT_ADD(scanout, pages) { .heap = "pages" };
FIXTURE_VARIANT_ADD(scanout, contiguous) { .heap = "contiguous" };

FIXTURE_SETUP(scanout)
{
	open_bochs(&self->s, variant->heap);
}

FIXTURE_TEARDOWN(scanout)
{
	EXPECT_TRUE(kms_scene_close(&self->s));
}

TEST_F(scanout, the_screen_shows_the_frame_to_the_last_pixel)
{
	char name[64];
	int ret, tries;

	NEED_IMPORT(&self->s);
	ASSERT_EQ(capture(&self->s), 0);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, self->s.fence, true), 0);
	EXPECT_TRUE(signalled(self->s.fence));
	snprintf(name, sizeof(name), "kms-%s.ppm", variant->heap);
	/* QEMU's screen shows the framebuffer a little later */
	for (tries = 0; tries < 30; tries++) {
		ret = check_screen(&self->s, name);
		if (ret != -EILSEQ && ret != -EPROTO)
			break;
		usleep(300000);
	}
	if (ret == -EOPNOTSUPP)
		SKIP(return, "nobody takes a picture of the screen (SLUICE_SCREENDUMPS)");
	EXPECT_EQ(ret, 0);
}

/* The display scans out the memory of the heap, and not a copy. */
TEST_F(scanout, the_framebuffer_is_the_buffer)
{
	struct sluice_buffer_info info;
	struct stat stat;
	int dmabuf;

	NEED_IMPORT(&self->s);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, -1, true), 0);
	dmabuf = kms_export(&self->s.display, self->s.fb);
	ASSERT_GE(dmabuf, 0);
	ASSERT_EQ(fstat(dmabuf, &stat), 0);
	close(dmabuf);
	ASSERT_EQ(sluice_buffer_info(self->s.device, self->s.frame, &info), 0);
	EXPECT_EQ(stat.st_ino, info.inode);
}

TEST_F(scanout, the_screen_keeps_the_buffer_that_the_application_closes)
{
	struct objects now;

	NEED_IMPORT(&self->s);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, -1, true), 0);
	close(self->s.queue);
	close(self->s.frame);
	close(self->s.memory);
	close(self->s.device);
	self->s.queue = self->s.frame = self->s.memory = self->s.device = -1;
	usleep(100000);
	now = objects_read();
	EXPECT_EQ(now.count[OBJECT_BUFFER], self->s.before.count[OBJECT_BUFFER] + 1);
	/* commit a buffer that only the screen holds */
	EXPECT_EQ(kms_show(&self->s.display, self->s.fb, -1, true), 0);
}

/* A buffer that is bad, or that the driver refuses, must leave nothing behind. */
TEST_F(scanout, a_refused_buffer_is_left_alone)
{
	struct objects before;
	uint32_t fb;
	int i;

	NEED_DISPLAY(&self->s);
	if (self->s.import)
		printf("# import: %s\n", strerror(-self->s.import));
	before = objects_read();
	for (i = 0; i < 3; i++) {
		/* the last line would end beyond the buffer */
		EXPECT_LT(kms_import(&self->s.display, self->s.frame, STRIDE + 64, &fb), 0);
	}
	EXPECT_TRUE(objects_settle(&before));
	ASSERT_EQ(capture(&self->s), 0);
	EXPECT_EQ(sluice_fence_wait(self->s.fence, LATE_MS), 0);
}

/* Buffers of soft0 may be anywhere: they are accepted, or refused because of their address only. */
TEST_F(scanout, a_buffer_out_of_reach_is_refused_and_the_screen_goes_on)
{
	int frames[8], heap, refused = 0, i, ret;
	uint32_t fb;

	NEED_IMPORT(&self->s);
	heap = sluice_find_heap(self->s.device, variant->heap);
	for (i = 0; i < 8; i++) {
		frames[i] = sluice_alloc(self->s.device, heap, SIZE, 0);
		ASSERT_GE(frames[i], 0);
		ret = kms_import(&self->s.display, frames[i], STRIDE, &fb);
		if (ret == -EADDRNOTAVAIL)
			refused++;
		else
			EXPECT_EQ(ret, 0);
	}
	printf("# %d of 8 buffers are out of reach\n", refused);
	for (i = 0; i < 8; i++)
		close(frames[i]);
	EXPECT_EQ(kms_show(&self->s.display, self->s.fb, -1, true), 0);
}

FIXTURE(fence) {
	struct scene s;
};

/* The mode is set here, so that a commit only switches framebuffers. */
FIXTURE_SETUP(fence)
{
	open_bochs(&self->s, "pages");
	if (!self->s.opened)
		self->s.opened = kms_show(&self->s.display, self->s.fb, -1, true);
}

FIXTURE_TEARDOWN(fence)
{
	EXPECT_TRUE(kms_scene_close(&self->s));
}

TEST_F(fence, a_commit_waits_for_its_in_fence)
{
	struct gate gate;
	int64_t begin;
	int tries;

	NEED_DISPLAY(&self->s);
	for (tries = 0; tries < 5; tries++) {
		ASSERT_EQ(gate_shut(&gate, 0), 0);
		ASSERT_EQ(knob("delay_us", 400000), 0);
		ASSERT_EQ(capture(&self->s), 0);
		ASSERT_EQ(kms_show(&self->s.display, self->s.fb, self->s.fence, false), 0);
		EXPECT_FALSE(signalled(self->s.fence));
		EXPECT_EQ(kms_finish(&self->s.display, 100), -ETIME);
		EXPECT_FALSE(signalled(self->s.fence));
		begin = now_ns();
		ASSERT_EQ(gate_open(&gate), 0);
		ASSERT_EQ(kms_finish(&self->s.display, LATE_MS), 0);
		EXPECT_TRUE(signalled(self->s.fence));
		EXPECT_GE(now_ns() - begin, 400 * MS);
		ASSERT_EQ(knob("delay_us", 0), 0);
		/*
		 * If a timer makes the vblanks, the flip has the time of the vblank that was due.
		 * If the timer was stopped meanwhile, it has the time of an older one.
		 */
		if (self->s.display.flip_ns / 1000 + FRAME_US >= fence_time(self->s.fence) / 1000)
			break;
		printf("# the vblank was late\n");
	}
	EXPECT_LT(tries, 5);
}

/* A later commit is refused while the one before waits for its fence. */
TEST_F(fence, a_commit_does_not_overtake_the_one_before)
{
	struct gate gate;

	NEED_DISPLAY(&self->s);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(capture(&self->s), 0);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, self->s.fence, false), 0);
	self->s.display.pending = false;	/* ask the kernel, not kms.c */
	EXPECT_EQ(kms_show(&self->s.display, self->s.fb, -1, false), -EBUSY);
	self->s.display.pending = true;
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(kms_finish(&self->s.display, LATE_MS), 0);
	EXPECT_TRUE(signalled(self->s.fence));
	EXPECT_EQ(kms_show(&self->s.display, self->s.fb, -1, true), 0);
}

/* The display gets no in-fence: the fence is on the buffer. */
TEST_F(fence, a_commit_waits_for_the_writer_of_the_buffer)
{
	struct gate gate;

	NEED_IMPORT(&self->s);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(capture(&self->s), 0);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, -1, false), 0);
	EXPECT_EQ(kms_finish(&self->s.display, 100), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	ASSERT_EQ(kms_finish(&self->s.display, LATE_MS), 0);
	EXPECT_TRUE(signalled(self->s.fence));
}

/* KMS takes a failed fence for one that has signalled, so the screen shows the failed frame. */
TEST_F(fence, a_failed_fence_does_not_stop_the_display)
{
	NEED_DISPLAY(&self->s);
	ASSERT_EQ(knob("delay_us", 100000), 0);
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(capture(&self->s), 0);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, self->s.fence, false), 0);
	ASSERT_EQ(kms_finish(&self->s.display, LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(self->s.fence, 0), -EIO);
	EXPECT_EQ(kms_show(&self->s.display, self->s.fb, self->s.fence, true), 0);
}

TEST_F(fence, the_display_continues_after_a_hang_of_the_engine)
{
	struct sluice_create_queue create = { .timeout_ms = 300 };

	NEED_DISPLAY(&self->s);
	ASSERT_EQ(xioctl(self->s.device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	close(self->s.queue);
	self->s.queue = create.fd;
	self->s.slot = sluice_attach(self->s.queue, self->s.frame, 0);
	ASSERT_GE(self->s.slot, 0);
	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(capture(&self->s), 0);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, self->s.fence, false), 0);
	ASSERT_EQ(kms_finish(&self->s.display, LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(self->s.fence, 0), -ETIME);
}

/* The display is closed while it waits: the kernel completes the commit. */
TEST_F(fence, the_display_may_close_while_it_waits)
{
	NEED_DISPLAY(&self->s);
	ASSERT_EQ(knob("delay_us", 300000), 0);
	ASSERT_EQ(capture(&self->s), 0);
	ASSERT_EQ(kms_show(&self->s.display, self->s.fb, self->s.fence, false), 0);
	self->s.display.pending = false;	/* close without waiting */
	kms_close(&self->s.display);
	EXPECT_EQ(sluice_fence_wait(self->s.fence, LATE_MS), 0);
}

TEST_HARNESS_MAIN
