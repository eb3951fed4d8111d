// SPDX-License-Identifier: MIT
/*
 * vim2m: the V4L2 codec without hardware.  It reads pictures from one of Sluice's buffers, and
 * writes them to another: mirrored, upside down, or in another pixel format.  Like vivid, it
 * neither waits for fences nor adds any.  The tests wait for Sluice's device before QBUF, and for
 * vim2m with DQBUF.
 *
 * Distributions do not build it: these tests are for the debug kernel.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fences.h"
#include "harness.h"
#include "knobs.h"
#include "machine.h"
#include "modules.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"
#include "v4l2.h"

#define WIDTH	160
#define HEIGHT	120
#define OUT	V4L2_BUF_TYPE_VIDEO_OUTPUT	/* the buffers that it reads */
#define CAPTURE	V4L2_BUF_TYPE_VIDEO_CAPTURE	/* the buffers that it writes */
#define SOFT_DRIVER "/sys/bus/platform/drivers/sluice-soft"

/* struct codec - vim2m, and soft0 with a queue and a buffer on either side of it */
struct codec {
	struct objects before;
	int node;
	int device, queue;
	int from, to;		/* dma-bufs */
	int slot;		/* slot of from */
	uint32_t from_size, to_size;
};

FIXTURE(vim2m) {
	struct codec c;
};

FIXTURE_VARIANT(vim2m) {
	const char *heap;
};

FIXTURE_VARIANT_ADD(vim2m, pages) { .heap = "pages" };
FIXTURE_VARIANT_ADD(vim2m, contiguous) { .heap = "contiguous" };

FIXTURE_SETUP(vim2m)
{
	struct codec *c = &self->c;

	if (system("modprobe -q vim2m && udevadm settle"))
		SKIP(return, "this kernel has no vim2m");
	*c = (struct codec) { .before = objects_read(), .from = -1, .to = -1 };
	c->node = v4l2_open("vim2m", V4L2_CAP_VIDEO_M2M);
	ASSERT_LE(0, c->node);
	c->device = sluice_open("soft0");
	c->queue = sluice_queue_create(c->device, 0);
	ASSERT_LE(0, c->queue);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

FIXTURE_TEARDOWN(vim2m)
{
	struct codec *c = &self->c;

	knob("delay_us", 0);
	close_fd(&c->from);
	close_fd(&c->to);
	close_fd(&c->queue);
	close_fd(&c->device);
	close_fd(&c->node);
	EXPECT_TRUE(objects_settle(&c->before));
	EXPECT_TRUE(module_unload("vim2m"));
}

/* Make buffers for pictures of two formats, and a slot of the first. */
static int prepare(struct codec *c, const char *heap, uint32_t from, uint32_t to)
{
	int ret = v4l2_set_format(c->node, OUT, WIDTH, HEIGHT, from, &c->from_size), number;

	if (!ret)
		ret = v4l2_set_format(c->node, CAPTURE, WIDTH, HEIGHT, to, &c->to_size);
	if (ret)
		return ret;
	number = sluice_find_heap(c->device, heap);
	c->from = sluice_alloc(c->device, number, c->from_size, 0);
	c->to = sluice_alloc(c->device, number, c->to_size, 0);
	if (c->from < 0 || c->to < 0)
		return -ENOMEM;
	c->slot = sluice_attach(c->queue, c->from, 0);
	return c->slot < 0 ? c->slot : 0;
}

static int control(struct codec *c, uint32_t id, int value)
{
	struct v4l2_control args = { .id = id, .value = value };

	return xioctl(c->node, VIDIOC_S_CTRL, &args);
}

/* Queue both buffers and start: vim2m begins as soon as it has them. */
static int begin(struct codec *c)
{
	int ret = v4l2_request(c->node, OUT, 1);

	if (!ret)
		ret = v4l2_request(c->node, CAPTURE, 1);
	if (!ret)
		ret = v4l2_queue(c->node, CAPTURE, 0, c->to, 0);
	if (!ret)
		ret = v4l2_queue(c->node, OUT, 0, c->from, c->from_size);
	if (!ret)
		ret = v4l2_stream(c->node, OUT, true);
	return ret ? ret : v4l2_stream(c->node, CAPTURE, true);
}

static int finish(struct codec *c)
{
	struct v4l2_buffer done;
	int ret = v4l2_dequeue(c->node, CAPTURE, LATE_MS, &done);

	if (ret)
		return ret;
	if (done.flags & V4L2_BUF_FLAG_ERROR || done.bytesused != c->to_size)
		return -EIO;
	return v4l2_dequeue(c->node, OUT, LATE_MS, &done);
}

/*
 * Compare pixel by pixel: (x, y) of the result must be (mirror x, turn y) of the source, with its
 * bytes in the same order or, if @swapped, in the opposite order.
 */
static int compare(struct codec *c, unsigned int depth, bool turned, bool swapped)
{
	unsigned char *from, *to, *was, *is;
	unsigned int x, y, i;
	int ret = -EILSEQ;

	if (sluice_map(c->from, c->from_size, (void **)&from))
		return -ENOMEM;
	if (sluice_map(c->to, c->to_size, (void **)&to)) {
		munmap(from, c->from_size);
		return -ENOMEM;
	}
	if (sluice_cpu_begin(c->from, false) || sluice_cpu_begin(c->to, false))
		goto out;
	for (y = 0; y < HEIGHT; y++) {
		for (x = 0; x < WIDTH; x++) {
			was = from + (turned ? (HEIGHT - 1 - y) * WIDTH + WIDTH - 1 - x :
				      y * WIDTH + x) * depth;
			is = to + (y * WIDTH + x) * depth;
			for (i = 0; i < depth; i++)
				if (is[i] != was[swapped ? depth - 1 - i : i])
					goto end;
		}
	}
	ret = 0;
end:
	sluice_cpu_end(c->from, false);
	sluice_cpu_end(c->to, false);
out:
	munmap(from, c->from_size);
	munmap(to, c->to_size);
	return ret;
}

TEST_F(vim2m, the_picture_arrives_mirrored_and_upside_down)
{
	struct codec *c = &self->c;

	ASSERT_EQ(0, prepare(c, variant->heap, V4L2_PIX_FMT_RGB565, V4L2_PIX_FMT_RGB565));
	ASSERT_EQ(0, control(c, V4L2_CID_HFLIP, 1));
	ASSERT_EQ(0, control(c, V4L2_CID_VFLIP, 1));
	ASSERT_EQ(0, fill_words(c->from, c->from_size, 1));
	ASSERT_EQ(0, begin(c));
	ASSERT_EQ(0, finish(c));
	EXPECT_EQ(0, compare(c, 2, true, false));
	EXPECT_EQ(0, check_words(c->from, c->from_size, 1));
}

TEST_F(vim2m, the_pixels_change_their_format)
{
	struct codec *c = &self->c;

	ASSERT_EQ(0, prepare(c, variant->heap, V4L2_PIX_FMT_RGB24, V4L2_PIX_FMT_BGR24));
	ASSERT_EQ(0, fill_words(c->from, c->from_size, 2));
	ASSERT_EQ(0, begin(c));
	ASSERT_EQ(0, finish(c));
	EXPECT_EQ(0, compare(c, 3, false, true));
}

/* Device to codec to device: each stage waits for the one before, and no stage copies. */
TEST_F(vim2m, between_two_jobs_of_a_device)
{
	struct codec *c = &self->c;
	int slot, copy, target, fence;
	struct sluice_op op;
	uint64_t point;

	ASSERT_EQ(0, prepare(c, variant->heap, V4L2_PIX_FMT_RGB565, V4L2_PIX_FMT_RGB565));
	copy = sluice_alloc(c->device, 0, c->to_size, 0);
	target = sluice_attach(c->queue, copy, SLUICE_ATTACH_WRITE);
	slot = sluice_attach(c->queue, c->to, SLUICE_ATTACH_READ | SLUICE_ATTACH_EXPLICIT);
	ASSERT_LE(0, slot);
	ASSERT_LE(0, target);

	ASSERT_EQ(0, knob("delay_us", 200000));
	sluice_op_fill(&op, c->slot, 0, c->from_size, 0x5ca1ab1e);
	ASSERT_EQ(0, sluice_submit(c->queue, &op, 1, -1, &fence, 0, NULL));
	ASSERT_EQ(0, sluice_fence_wait(fence, LATE_MS));
	close(fence);
	ASSERT_EQ(0, begin(c));
	ASSERT_EQ(0, finish(c));
	sluice_op_copy(&op, target, 0, slot, 0, c->to_size);
	ASSERT_EQ(0, sluice_submit(c->queue, &op, 1, -1, NULL, 0, &point));
	ASSERT_EQ(0, sluice_wait(c->queue, point, LATE_MS));
	EXPECT_EQ(0, check_value(copy, c->to_size, 0x5ca1ab1e));
	close(copy);
}

/* The reason why the program must wait: the picture is read before the job has written it. */
TEST_F(vim2m, does_not_wait_for_the_fence_on_the_buffer)
{
	struct codec *c = &self->c;
	struct sluice_op op;
	int fence;

	ASSERT_EQ(0, prepare(c, variant->heap, V4L2_PIX_FMT_RGB565, V4L2_PIX_FMT_RGB565));
	ASSERT_EQ(0, knob("delay_us", 1500000));
	sluice_op_fill(&op, c->slot, 0, c->from_size, 0x5ca1ab1e);
	ASSERT_EQ(0, sluice_submit(c->queue, &op, 1, -1, &fence, 0, NULL));
	ASSERT_EQ(0, begin(c));
	ASSERT_EQ(0, finish(c));
	EXPECT_FALSE(signalled(fence));
	EXPECT_EQ(0, check_value(c->to, c->to_size, 0));
	EXPECT_EQ(0, sluice_fence_wait(fence, LATE_MS));
	close(fence);
}

TEST_F(vim2m, keeps_buffers_whose_fds_are_closed_and_whose_device_has_gone)
{
	struct codec *c = &self->c;
	int to;

	ASSERT_EQ(0, prepare(c, variant->heap, V4L2_PIX_FMT_RGB565, V4L2_PIX_FMT_RGB565));
	ASSERT_EQ(0, fill_words(c->from, c->from_size, 3));
	ASSERT_EQ(0, v4l2_request(c->node, OUT, 1));
	ASSERT_EQ(0, v4l2_request(c->node, CAPTURE, 1));
	ASSERT_EQ(0, v4l2_queue(c->node, CAPTURE, 0, c->to, 0));
	ASSERT_EQ(0, v4l2_queue(c->node, OUT, 0, c->from, c->from_size));
	to = c->to;
	c->to = -1;
	close_fd(&c->from);
	close_fd(&c->queue);
	close_fd(&c->device);
	ASSERT_EQ(0, write_text(SOFT_DRIVER "/unbind", "sluice-soft"));
	ASSERT_EQ(0, v4l2_stream(c->node, OUT, true));
	ASSERT_EQ(0, v4l2_stream(c->node, CAPTURE, true));
	EXPECT_EQ(0, finish(c));
	EXPECT_EQ(0, check_words(to, c->to_size, 3));
	close(to);
	EXPECT_EQ(0, write_text(SOFT_DRIVER "/bind", "sluice-soft"));
	/* closing the node releases the rest */
}

TEST_HARNESS_MAIN
