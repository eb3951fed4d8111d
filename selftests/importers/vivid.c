// SPDX-License-Identifier: MIT
/*
 * vivid: the V4L2 camera without hardware.  It captures into Sluice's buffers.
 *
 * Each test loads vivid again, with either of videobuf2's allocators: vmalloc needs a kernel
 * mapping, dma-contig needs one segment of bus addresses.  vivid neither waits for a buffer's
 * fences nor adds any, so the tests wait for vivid with DQBUF, and for Sluice's device with its
 * out-fence.
 *
 * With dma-contig, vivid reaches 32 bits.  The memory comes from edu0, which reaches 28 bits,
 * because soft0 allocates it anywhere.
 *
 * At least in 6.12 and 7.2, videobuf2 leaks its reference to a dma-buf that it could not attach:
 * such a buffer of any exporter is never freed.  So no test makes vivid fail at this point; it fails
 * before (too small) or afterwards (not contiguous).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "modules.h"
#include "objects.h"
#include "pages.h"
#include "pattern.h"
#include "sluice.h"
#include "v4l2.h"

#define WIDTH		320
#define HEIGHT		180
#define CAPTURE		V4L2_BUF_TYPE_VIDEO_CAPTURE
#define BUFFERS		4
#define FRAMES		8

/* struct camera - vivid's capture node with a queue of Sluice's buffers, and soft0's queue */
struct camera {
	struct objects before;
	int node;
	uint32_t size;		/* bytes of a frame */
	int memory;		/* device that allocates the buffers */
	int buffers[BUFFERS];
	int soft;
	int jobs;
	int copy;
	int slot;		/* slot of copy */
};

/* Load it with one device that has one capture node and only a webcam as input: this is quick. */
static int load(unsigned int allocators)
{
	char command[160];

	if (!module_unload("vivid"))
		return -EBUSY;
	snprintf(command, sizeof(command), "modprobe -q vivid n_devs=1 node_types=1 num_inputs=1 "
		 "input_types=0 allocators=%u", allocators);
	if (system(command))
		return -ENODEV;
	return v4l2_open("vivid", V4L2_CAP_VIDEO_CAPTURE);
}

/*
 * Set XRGB8888 and a low frame rate: when vivid 6.1 is late, it may sleep for a negative time,
 * which that kernel reports with a backtrace.
 */
static int set_format(struct camera *camera)
{
	struct v4l2_streamparm parm = {
		.type = CAPTURE,
		.parm.capture.timeperframe = { 1, 15 },
	};
	int ret = v4l2_set_format(camera->node, CAPTURE, WIDTH, HEIGHT, V4L2_PIX_FMT_XBGR32,
				  &camera->size);

	if (ret)
		return ret;
	if (camera->size < WIDTH * HEIGHT * 4)
		return -EINVAL;
	return xioctl(camera->node, VIDIOC_S_PARM, &parm);
}

/* Allocate from a heap, or wrap the pages of a memfd, which may be beyond 32 bits. */
static int new_buffer(struct camera *camera, const char *heap, uint64_t size)
{
	if (!strcmp(heap, "memfd")) {
		uint64_t whole = (size + 4095) & ~4095ULL;
		int memfd = sealed_memfd(0, whole, F_SEAL_SHRINK);
		int fd = sluice_wrap(camera->soft, memfd, 0, whole);

		close(memfd);
		return fd;
	}
	return sluice_alloc(camera->memory, sluice_find_heap(camera->memory, heap), size, 0);
}

/* Allocate all buffers, zeroed, and queue them. */
static int fill_queue(struct camera *camera, const char *heap)
{
	unsigned int i;
	int ret;

	ret = v4l2_request(camera->node, CAPTURE, BUFFERS);
	for (i = 0; !ret && i < BUFFERS; i++) {
		camera->buffers[i] = new_buffer(camera, heap, camera->size);
		if (camera->buffers[i] < 0)
			return camera->buffers[i];
		ret = v4l2_queue(camera->node, CAPTURE, i, camera->buffers[i], 0);
	}
	return ret;
}

/*
 * Compute a frame's hash, and the number of colours in its last line, where vivid writes no text.
 */
static int look(struct camera *camera, int dmabuf, uint32_t *hash, unsigned int *colours)
{
	uint32_t *pixels, seen[16];
	void *memory;
	size_t i;
	int ret;

	ret = sluice_map(dmabuf, camera->size, &memory);
	if (ret)
		return ret;
	ret = sluice_cpu_begin(dmabuf, false);
	pixels = memory;
	*hash = 0;
	for (i = 0; i < WIDTH * HEIGHT; i++)
		*hash = *hash * 31 + pixels[i];
	*colours = 0;
	for (i = 0; i < WIDTH; i++) {
		uint32_t pixel = pixels[WIDTH * (HEIGHT - 1) + i] & 0xffffff;
		unsigned int j;

		for (j = 0; j < *colours && seen[j] != pixel; j++)
			;
		if (j == *colours && j < ARRAY_SIZE(seen))
			seen[(*colours)++] = pixel;
	}
	ret = ret ? ret : sluice_cpu_end(dmabuf, false);
	munmap(memory, camera->size);
	return ret;
}

static void camera_open(struct camera *camera, unsigned int allocators)
{
	unsigned int i;

	for (i = 0; i < BUFFERS; i++)
		camera->buffers[i] = -1;
	camera->node = load(allocators);
	camera->before = objects_before();
	camera->memory = sluice_open(allocators ? "edu0" : "soft0");
	camera->soft = sluice_open("soft0");
	camera->jobs = patient_queue(camera->soft, 0);
	camera->copy = -1;
}

/* Make a buffer for soft0's copies of frames; all sync is explicit. */
static int prepare_copy(struct camera *camera)
{
	camera->copy = sluice_alloc(camera->soft, 0, camera->size, 0);
	camera->slot = sluice_attach(camera->jobs, camera->copy,
				     SLUICE_ATTACH_WRITE | SLUICE_ATTACH_EXPLICIT);
	return camera->slot < 0 ? camera->slot : 0;
}

static int copy_frame(struct camera *camera, int dmabuf)
{
	int slot = sluice_attach(camera->jobs, dmabuf,
				 SLUICE_ATTACH_READ | SLUICE_ATTACH_EXPLICIT);
	struct sluice_op op;
	int ret, fence;

	if (slot < 0)
		return slot;
	sluice_op_copy(&op, camera->slot, 0, slot, 0, camera->size);
	ret = sluice_submit(camera->jobs, &op, 1, -1, &fence, 0, NULL);
	if (!ret) {
		ret = sluice_fence_wait(fence, LATE_MS);
		close(fence);
	}
	sluice_detach(camera->jobs, slot);
	return ret;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_buffers(struct camera *camera)
{
	unsigned int i;

	for (i = 0; i < BUFFERS; i++)
		close_fd(&camera->buffers[i]);
}

/* Close everything, and check that nothing is leaked, also not by vivid: it unloads. */
static bool camera_close(struct camera *camera)
{
	close_buffers(camera);
	close_fd(&camera->copy);
	close_fd(&camera->jobs);
	close_fd(&camera->soft);
	close_fd(&camera->memory);
	close_fd(&camera->node);
	return objects_settle(&camera->before) && module_unload("vivid");
}

FIXTURE(capture) {
	struct camera camera;
};

FIXTURE_VARIANT(capture) {
	unsigned int allocators;
	const char *heap;
};

FIXTURE_VARIANT_ADD(capture, vmalloc_from_pages) {
	.allocators = 0,
	.heap = "pages",
};

FIXTURE_VARIANT_ADD(capture, vmalloc_from_contiguous) {
	.allocators = 0,
	.heap = "contiguous",
};

FIXTURE_VARIANT_ADD(capture, vmalloc_from_memfd) {
	.allocators = 0,
	.heap = "memfd",
};

FIXTURE_VARIANT_ADD(capture, dma_contig_from_contiguous) {
	.allocators = 1,
	.heap = "contiguous",
};

FIXTURE_SETUP(capture)
{
	camera_open(&self->camera, variant->allocators);
	if (self->camera.node == -ENODEV)
		SKIP(return, "this kernel has no vivid");
	ASSERT_LE(0, self->camera.node);
	if (self->camera.memory == -ENOENT)
		SKIP(return, "this machine has no edu0, for memory that 32 bits reach");
	ASSERT_LE(0, self->camera.memory);
	ASSERT_LE(0, self->camera.jobs);
	ASSERT_EQ(0, set_format(&self->camera));
}

FIXTURE_TEARDOWN(capture)
{
	EXPECT_TRUE(camera_close(&self->camera));
}

TEST_F(capture, frames_arrive_in_our_buffers)
{
	struct camera *camera = &self->camera;
	uint32_t last_hash = 0, last_sequence = 0;
	unsigned int i, changes = 0;

	ASSERT_EQ(0, fill_queue(camera, variant->heap));
	for (i = 0; i < BUFFERS; i++)
		ASSERT_EQ(0, check_value(camera->buffers[i], camera->size, 0));
	ASSERT_EQ(0, v4l2_stream(camera->node, CAPTURE, true));
	for (i = 0; i < FRAMES; i++) {
		struct v4l2_buffer frame;
		unsigned int colours;
		uint32_t hash;

		ASSERT_EQ(0, v4l2_dequeue(camera->node, CAPTURE, LATE_MS, &frame));
		EXPECT_EQ(0, frame.flags & V4L2_BUF_FLAG_ERROR);
		EXPECT_EQ(camera->size, frame.bytesused);
		/* vivid takes the number from a clock: two frames may have the same */
		EXPECT_LE(last_sequence, frame.sequence);
		last_sequence = frame.sequence;
		ASSERT_GT(BUFFERS, frame.index);
		ASSERT_EQ(0, look(camera, camera->buffers[frame.index], &hash, &colours));
		/* eight colour bars */
		EXPECT_LE(8, colours);
		/* vivid writes the time of the frame into the picture */
		changes += hash != last_hash;
		last_hash = hash;
		ASSERT_EQ(0, v4l2_queue(camera->node, CAPTURE, frame.index,
					camera->buffers[frame.index], 0));
	}
	EXPECT_LE(FRAMES / 2, changes);
	EXPECT_LE(FRAMES / 2, last_sequence);
	EXPECT_EQ(0, v4l2_stream(camera->node, CAPTURE, false));
	EXPECT_EQ(0, v4l2_request(camera->node, CAPTURE, 0));
}

TEST_F(capture, device_copies_what_the_camera_captured)
{
	struct camera *camera = &self->camera;
	unsigned int colours, rounds;
	struct v4l2_buffer frame;
	uint32_t hash, copied;

	ASSERT_EQ(0, prepare_copy(camera));
	ASSERT_EQ(0, fill_queue(camera, variant->heap));
	ASSERT_EQ(0, v4l2_stream(camera->node, CAPTURE, true));
	for (rounds = 0; rounds < 3; rounds++) {
		ASSERT_EQ(0, v4l2_dequeue(camera->node, CAPTURE, LATE_MS, &frame));
		ASSERT_EQ(0, copy_frame(camera, camera->buffers[frame.index]));
		ASSERT_EQ(0, look(camera, camera->copy, &copied, &colours));
		EXPECT_LE(8, colours);
		ASSERT_EQ(0, look(camera, camera->buffers[frame.index], &hash, &colours));
		EXPECT_EQ(hash, copied);
		ASSERT_EQ(0, v4l2_queue(camera->node, CAPTURE, frame.index,
					camera->buffers[frame.index], 0));
	}
}

TEST_F(capture, camera_keeps_buffers_whose_fds_are_closed)
{
	struct camera *camera = &self->camera;
	struct objects streaming;
	struct v4l2_buffer frame;
	unsigned int i;

	ASSERT_EQ(0, fill_queue(camera, variant->heap));
	streaming = objects_read();
	close_buffers(camera);
	EXPECT_TRUE(objects_settle(&streaming));
	ASSERT_EQ(0, v4l2_stream(camera->node, CAPTURE, true));
	for (i = 0; i < BUFFERS; i++) {
		ASSERT_EQ(0, v4l2_dequeue(camera->node, CAPTURE, LATE_MS, &frame));
		EXPECT_EQ(camera->size, frame.bytesused);
	}
	/* the stream still runs: closing the node must release all buffers */
}

TEST_F(capture, too_small_a_buffer_is_refused)
{
	struct camera *camera = &self->camera;
	struct v4l2_buffer frame;
	int small;

	small = new_buffer(camera, variant->heap, camera->size / 2);
	ASSERT_LE(0, small);
	ASSERT_EQ(0, v4l2_request(camera->node, CAPTURE, BUFFERS));
	EXPECT_EQ(-EINVAL, v4l2_queue(camera->node, CAPTURE, 0, small, 0));
	close(small);

	/* the queue still works */
	ASSERT_EQ(0, v4l2_request(camera->node, CAPTURE, 0));
	ASSERT_EQ(0, fill_queue(camera, variant->heap));
	ASSERT_EQ(0, v4l2_stream(camera->node, CAPTURE, true));
	EXPECT_EQ(0, v4l2_dequeue(camera->node, CAPTURE, LATE_MS, &frame));
}

/* Allocate a buffer of the pages heap that has several segments; the others are held until then. */
static int new_scattered(struct camera *camera)
{
	int held[16], count = 0, found = -ENOENT;

	while (found < 0 && count < (int)ARRAY_SIZE(held)) {
		struct sluice_buffer_info info;
		int fd = new_buffer(camera, "pages", camera->size);

		if (fd < 0)
			break;
		if (!sluice_buffer_info(camera->memory, fd, &info) && info.segments > 1)
			found = fd;
		else
			held[count++] = fd;
	}
	while (count)
		close(held[--count]);
	return found;
}

/* vmalloc maps the segments as one; dma-contig needs one segment, and refuses several. */
TEST_F(capture, scattered_buffer_is_taken_or_refused_and_the_queue_goes_on)
{
	struct camera *camera = &self->camera;
	struct v4l2_buffer frame;
	int scattered;

	if (variant->allocators && translated())
		SKIP(return, "with this IOMMU no device's pages are where vivid reaches them");
	scattered = new_scattered(camera);
	ASSERT_LE(0, scattered);
	ASSERT_EQ(0, v4l2_request(camera->node, CAPTURE, BUFFERS));
	EXPECT_EQ(variant->allocators ? -EFAULT : 0,
		  v4l2_queue(camera->node, CAPTURE, 0, scattered, 0));
	close(scattered);

	ASSERT_EQ(0, v4l2_request(camera->node, CAPTURE, 0));
	ASSERT_EQ(0, fill_queue(camera, variant->heap));
	ASSERT_EQ(0, v4l2_stream(camera->node, CAPTURE, true));
	EXPECT_EQ(0, v4l2_dequeue(camera->node, CAPTURE, LATE_MS, &frame));
}

TEST_HARNESS_MAIN
