// SPDX-License-Identifier: MIT
/*
 * Vulkan: a GPU that computes in Sluice's memory, and waits for Sluice's fences, as Sluice waits
 * for the GPU's.
 *
 * In the lab the GPU is Mesa's lavapipe.  Unlike hardware, it maps the dma-bufs into the process,
 * and completes its work before it exports a fence.  On Linux 6.1 it does not support sync_files,
 * and gpu.c waits instead.  No test depends on that.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/sync_file.h>

#include "fences.h"
#include "gpu.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

/* not a multiple of the shader's group size: the shader must stop at the right edge */
#define WIDTH	200U
#define HEIGHT	100U
#define STRIDE	(WIDTH * 4)
#define IMAGE	((size_t)STRIDE * HEIGHT)
#define SIZE	((IMAGE + 4095) & ~4095UL)	/* some words are behind the image */
#define WORDS	(SIZE / sizeof(uint32_t))

#define OBJECT_BUFFER	2	/* line in debugfs' objects */
#define MS	1000000LL

/**
 * struct scene - soft0, a GPU, and two buffers that both use
 * @a: dma-buf, a slot of the queue, and a buffer of the GPU
 * @b: another one
 * @in: fence of the job that the GPU waits for
 * @out: fence of the GPU
 */
struct scene {
	struct objects before;
	int device, queue;
	int a, b, slot_a, slot_b;
	struct gpu *gpu;
	struct gpu_buffer *gpu_a, *gpu_b;
	int in, out;
	bool ready;
};

/* Returns 0, or -ENODEV if there is no GPU for the tests. */
static int scene_open(struct scene *scene, const char *heap_name)
{
	int heap, ret;

	*scene = (struct scene) { .before = objects_before(), .a = -1, .b = -1, .in = -1, .out = -1 };
	knob("delay_us", 0);
	scene->device = sluice_open("soft0");
	scene->queue = patient_queue(scene->device, 0);
	if (scene->device < 0 || scene->queue < 0)
		return -EINVAL;
	heap = sluice_find_heap(scene->device, heap_name);
	scene->a = sluice_alloc(scene->device, heap, SIZE, 0);
	scene->b = sluice_alloc(scene->device, heap, SIZE, 0);
	scene->slot_a = sluice_attach(scene->queue, scene->a, 0);
	scene->slot_b = sluice_attach(scene->queue, scene->b, 0);
	if (scene->slot_a < 0 || scene->slot_b < 0)
		return -EINVAL;
	ret = gpu_create(&scene->gpu);
	if (ret)
		return ret;
	ret = gpu_import(scene->gpu, scene->a, SIZE, &scene->gpu_a);
	if (!ret)
		ret = gpu_import(scene->gpu, scene->b, SIZE, &scene->gpu_b);
	scene->ready = !ret;
	return ret;
}

/* Returns whether the kernel has freed everything. */
static bool scene_close(struct scene *scene)
{
	knob("delay_us", 0);
	knob("fail_next", 0);
	knob("hang_next", 0);
	if (scene->gpu_a)
		gpu_release(scene->gpu, scene->gpu_a);
	if (scene->gpu_b)
		gpu_release(scene->gpu, scene->gpu_b);
	if (scene->gpu)
		gpu_destroy(scene->gpu);
	close(scene->in);
	close(scene->out);
	close(scene->queue);
	close(scene->a);
	close(scene->b);
	close(scene->device);
	return objects_settle(&scene->before);
}

/* The edge that the shader must find at a pixel of a picture; see edges.comp. */
static uint32_t expected_edge(const uint32_t *source, int width, int height, int x, int y)
{
	static const int sobel[3] = { 1, 2, 1 };
	int up = y > 0 ? y - 1 : 0, down = y + 1 < height ? y + 1 : y;
	int left = x > 0 ? x - 1 : 0, right = x + 1 < width ? x + 1 : x;
	uint32_t result = 0;
	int shift, i;

	for (shift = 16; shift >= 0; shift -= 8) {
		int gx = 0, gy = 0, length;

		for (i = -1; i <= 1; i++) {
			int row = y + i < 0 ? 0 : y + i >= height ? y : y + i;
			int column = x + i < 0 ? 0 : x + i >= width ? x : x + i;

			gx += sobel[i + 1] * (int)(source[row * width + right] >> shift & 255);
			gx -= sobel[i + 1] * (int)(source[row * width + left] >> shift & 255);
			gy += sobel[i + 1] * (int)(source[down * width + column] >> shift & 255);
			gy -= sobel[i + 1] * (int)(source[up * width + column] >> shift & 255);
		}
		length = abs(gx) + abs(gy);
		result |= (uint32_t)(length > 255 ? 255 : length) << shift;
	}
	return result;
}

/* The expected word @at of the result, which was @before; see struct gpu_layout. */
static uint32_t word_after(const struct gpu_layout *layout, const uint32_t *source, int at,
			   uint32_t before)
{
	int width = layout->width, height = layout->height, stride = layout->stride;
	int copy = at - (int)layout->copy_at, edge = at - (int)layout->edges_at;

	if (copy >= 0 && copy / stride < height && copy % stride < (int)layout->copied)
		return source[copy / stride * width + copy % stride];
	if (edge >= 0 && edge / stride < height && edge % stride < width &&
	    edge % stride >= (int)layout->edges)
		return expected_edge(source, width, height, edge % stride, edge / stride);
	return before;
}

/* Is @b the result that the GPU must compute from @a?  All other words of @b must be @before. */
static int check_layout(const struct scene *scene, const struct gpu_layout *layout,
			uint32_t before)
{
	uint32_t *source, *result;
	unsigned int i;
	int ret = 0;

	if (sluice_map(scene->a, SIZE, (void **)&source) ||
	    sluice_map(scene->b, SIZE, (void **)&result) ||
	    sluice_cpu_begin(scene->a, false) || sluice_cpu_begin(scene->b, false))
		return -EIO;
	for (i = 0; i < WORDS && !ret; i++) {
		uint32_t wanted = word_after(layout, source, i, before);

		if (result[i] == wanted)
			continue;
		printf("# word %u, pixel %u,%u, is %08x and not %08x\n", i, i % layout->stride,
		       i / layout->stride, result[i], wanted);
		ret = -EILSEQ;
	}
	sluice_cpu_end(scene->b, false);
	sluice_cpu_end(scene->a, false);
	munmap(result, SIZE);
	munmap(source, SIZE);
	return ret;
}

/* The same for the layout of compute(); the words behind it must be @behind. */
static int check_computed(const struct scene *scene, uint32_t behind)
{
	struct gpu_layout layout = gpu_halves(WIDTH, HEIGHT);

	return check_layout(scene, &layout, behind);
}

static int fill(const struct scene *scene, int slot, uint32_t value, int in_fence, int *out_fence)
{
	struct sluice_op op;

	sluice_op_fill(&op, slot, 0, SIZE, value);
	return sluice_submit(scene->queue, &op, 1, in_fence, out_fence, 0, NULL);
}

static int compute(struct scene *scene, int in_fence)
{
	struct gpu_layout layout = gpu_halves(WIDTH, HEIGHT);

	close(scene->out);
	scene->out = -1;
	return gpu_run(scene->gpu, scene->gpu_b, scene->gpu_a, &layout, in_fence, &scene->out);
}

/* Wait for the GPU as any other program does: by its fence, if there is one. */
static int computed(const struct scene *scene)
{
	return scene->out < 0 ? 0 : sluice_fence_wait(scene->out, LATE_MS);
}

FIXTURE(memory) {
	struct scene s;
	int opened;
};

FIXTURE_VARIANT(memory) {
	const char *heap;
};

FIXTURE_VARIANT_ADD(memory, pages) { .heap = "pages" };
FIXTURE_VARIANT_ADD(memory, contiguous) { .heap = "contiguous" };

FIXTURE_SETUP(memory)
{
	self->opened = scene_open(&self->s, variant->heap);
}

FIXTURE_TEARDOWN(memory)
{
	EXPECT_TRUE(scene_close(&self->s));
}

#define NEED_GPU(self) do { \
		if ((self)->opened == -ENODEV) \
			SKIP(return, "no Vulkan device that imports dma-bufs"); \
		ASSERT_EQ((self)->opened, 0); \
	} while (0)

TEST_F_TIMEOUT(memory, the_gpu_computes_in_place_to_the_last_bit, 120)
{
	NEED_GPU(self);
	ASSERT_EQ(fill_words(self->s.a, SIZE, 7), 0);
	ASSERT_EQ(fill(&self->s, self->s.slot_b, 0x5a5a5a5a, -1, &self->s.in), 0);
	ASSERT_EQ(compute(&self->s, self->s.in), 0);
	ASSERT_EQ(computed(&self->s), 0);
	EXPECT_EQ(check_computed(&self->s, 0x5a5a5a5a), 0);
	EXPECT_EQ(check_words(self->s.a, SIZE, 7), 0);
}

TEST_F_TIMEOUT(memory, the_gpu_puts_two_pictures_where_it_is_told, 120)
{
	struct gpu_layout layout = {
		.width = 70, .height = 60, .copied = 70, .edges = 0, .stride = WIDTH,
		.copy_at = 10 * WIDTH + 20, .edges_at = 30 * WIDTH + 110,
	};

	NEED_GPU(self);
	ASSERT_EQ(fill_words(self->s.a, SIZE, 7), 0);
	ASSERT_EQ(fill(&self->s, self->s.slot_b, 0x5a5a5a5a, -1, &self->s.in), 0);
	ASSERT_EQ(gpu_run(self->s.gpu, self->s.gpu_b, self->s.gpu_a, &layout, self->s.in,
			  &self->s.out), 0);
	ASSERT_EQ(computed(&self->s), 0);
	EXPECT_EQ(check_layout(&self->s, &layout, 0x5a5a5a5a), 0);

	/* the pictures end exactly at the end of the buffer */
	layout.edges_at = WORDS - 59 * WIDTH - 69;
	EXPECT_EQ(gpu_run(self->s.gpu, self->s.gpu_b, self->s.gpu_a, &layout, -1, &self->s.in),
		  -EINVAL);
	layout.edges_at = 0;
	layout.copy_at = WORDS - 59 * WIDTH - 69;
	EXPECT_EQ(gpu_run(self->s.gpu, self->s.gpu_b, self->s.gpu_a, &layout, -1, &self->s.in),
		  -EINVAL);
}

TEST_F_TIMEOUT(memory, the_gpu_waits_for_the_fence_of_a_capture, 120)
{
	struct sluice_op op;
	struct gate gate;

	NEED_GPU(self);
	/* the first result is of a black picture, and differs from the later ones */
	ASSERT_EQ(compute(&self->s, -1), 0);
	ASSERT_EQ(computed(&self->s), 0);
	ASSERT_EQ(check_computed(&self->s, 0), 0);

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("delay_us", 200000), 0);
	sluice_op_capture_frame(&op, self->s.slot_a, 0, WIDTH, HEIGHT, STRIDE);
	ASSERT_EQ(sluice_submit(self->s.queue, &op, 1, -1, &self->s.in, 0, NULL), 0);
	EXPECT_FALSE(signalled(self->s.in));
	ASSERT_EQ(gate_open(&gate), 0);
	ASSERT_EQ(compute(&self->s, self->s.in), 0);
	ASSERT_EQ(computed(&self->s), 0);
	EXPECT_TRUE(signalled(self->s.in));
	EXPECT_EQ(check_computed(&self->s, 0), 0);
	EXPECT_EQ(check_value(self->s.b, SIZE, 0), -EILSEQ);
}

TEST_F_TIMEOUT(memory, the_gpu_keeps_the_buffer_that_the_application_closes, 120)
{
	int64_t deadline;
	long buffers;

	NEED_GPU(self);
	ASSERT_EQ(fill_words(self->s.a, SIZE, 3), 0);
	buffers = objects_read().count[OBJECT_BUFFER];

	/* only the GPU holds it now: there is no fd and no slot */
	ASSERT_EQ(sluice_detach(self->s.queue, self->s.slot_b), 0);
	close(self->s.b);
	self->s.b = -1;
	ASSERT_EQ(compute(&self->s, -1), 0);
	ASSERT_EQ(computed(&self->s), 0);
	ASSERT_EQ(gpu_idle(self->s.gpu), 0);
	usleep(50000);
	EXPECT_EQ(objects_read().count[OBJECT_BUFFER], buffers);

	gpu_release(self->s.gpu, self->s.gpu_b);
	self->s.gpu_b = NULL;
	deadline = now_ns() + LATE_MS * MS;
	while (objects_read().count[OBJECT_BUFFER] == buffers && now_ns() < deadline)
		usleep(10000);
	EXPECT_EQ(objects_read().count[OBJECT_BUFFER], buffers - 1);
}

FIXTURE(fence) {
	struct scene s;
	int opened;
};

FIXTURE_SETUP(fence)
{
	self->opened = scene_open(&self->s, "pages");
}

FIXTURE_TEARDOWN(fence)
{
	EXPECT_TRUE(scene_close(&self->s));
}

TEST_F_TIMEOUT(fence, the_gpu_waits_for_a_fill_that_is_late, 120)
{
	int64_t begin, submitted;
	struct gate gate;

	NEED_GPU(self);
	ASSERT_EQ(fill_words(self->s.a, SIZE, 1), 0);
	ASSERT_EQ(compute(&self->s, -1), 0);	/* the first run is slow */
	ASSERT_EQ(computed(&self->s), 0);

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("delay_us", 300000), 0);
	begin = now_ns();
	ASSERT_EQ(fill(&self->s, self->s.slot_a, 0x00336699, -1, &self->s.in), 0);
	EXPECT_FALSE(signalled(self->s.in));
	ASSERT_EQ(gate_open(&gate), 0);
	ASSERT_EQ(compute(&self->s, self->s.in), 0);
	submitted = now_ns();
	ASSERT_EQ(computed(&self->s), 0);
	EXPECT_GE(now_ns() - begin, 300 * MS);
	EXPECT_TRUE(signalled(self->s.in));

	/* a picture of one colour has no edges; nothing of the old picture is left */
	EXPECT_EQ(check_value(self->s.a, SIZE, 0x00336699), 0);
	EXPECT_EQ(check_computed(&self->s, 0), 0);
	printf("# %s for %lld ms, and then gave %s\n", gpu_knows_fences(self->s.gpu) ?
	       "the driver had the fence" : "no sync_files here: gpu.c waited",
	       (submitted - begin) / MS, self->s.out < 0 ? "no fence" : "a fence");
}

TEST_F_TIMEOUT(fence, a_copy_waits_for_the_fence_of_the_gpu, 120)
{
	struct sluice_op op;
	int copy, slot, done;

	NEED_GPU(self);
	copy = sluice_alloc(self->s.device, 0, SIZE, 0);
	slot = sluice_attach(self->s.queue, copy, SLUICE_ATTACH_WRITE);
	ASSERT_GE(slot, 0);
	ASSERT_EQ(knob("delay_us", 100000), 0);
	ASSERT_EQ(fill(&self->s, self->s.slot_a, 0x00c0ffee, -1, &self->s.in), 0);
	ASSERT_EQ(compute(&self->s, self->s.in), 0);
	ASSERT_EQ(knob("delay_us", 0), 0);

	sluice_op_copy(&op, slot, 0, self->s.slot_b, 0, SIZE);
	ASSERT_EQ(sluice_submit(self->s.queue, &op, 1, self->s.out, &done, 0, NULL), 0);
	ASSERT_EQ(sluice_fence_wait(done, LATE_MS), 0);
	if (self->s.out >= 0) {
		EXPECT_TRUE(signalled(self->s.out));
		EXPECT_GE(fence_time(done), fence_time(self->s.out));
	}
	EXPECT_GE(fence_time(done), fence_time(self->s.in));

	/* the copy has the GPU's result, not the data before it */
	close(self->s.b);
	self->s.b = copy;
	EXPECT_EQ(check_computed(&self->s, 0), 0);
	close(done);
}

TEST_F_TIMEOUT(fence, a_chain_of_captures_and_computations_never_mixes_frames, 120)
{
	struct sluice_completion completion;
	struct sluice_op op;
	int i;

	NEED_GPU(self);
	for (i = 0; i < 8; i++) {
		sluice_op_capture_frame(&op, self->s.slot_a, 0, WIDTH, HEIGHT, STRIDE);
		close(self->s.in);
		/* the capture must wait for the computation before it */
		ASSERT_EQ(sluice_submit(self->s.queue, &op, 1, self->s.out, &self->s.in, i, NULL),
			  0);
		ASSERT_EQ(compute(&self->s, self->s.in), 0);
	}
	ASSERT_EQ(computed(&self->s), 0);
	EXPECT_EQ(check_computed(&self->s, 0), 0);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(sluice_read(self->s.queue, &completion, 1), 1);
		EXPECT_EQ(completion.status, 0);
		EXPECT_EQ(completion.user_data, (uint64_t)i);
	}
}

/*
 * Vulkan does not report a failed fence: the GPU computes with the data that is there.  A program
 * that cares must check the fence or the completion.
 */
TEST_F_TIMEOUT(fence, a_failed_fence_does_not_stop_the_gpu, 120)
{
	struct sluice_completion completion;

	NEED_GPU(self);
	ASSERT_EQ(fill_words(self->s.a, SIZE, 9), 0);
	ASSERT_EQ(knob("delay_us", 100000), 0);
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(fill(&self->s, self->s.slot_a, 0x00ffffff, -1, &self->s.in), 0);

	/* the fence fails while the GPU waits */
	ASSERT_EQ(compute(&self->s, self->s.in), 0);
	ASSERT_EQ(computed(&self->s), 0);
	EXPECT_EQ(sluice_fence_wait(self->s.in, 0), -EIO);
	EXPECT_EQ(check_words(self->s.a, SIZE, 9), 0);
	EXPECT_EQ(check_computed(&self->s, 0), 0);

	/* the fence has failed before the GPU sees it */
	ASSERT_EQ(fill_words(self->s.a, SIZE, 10), 0);
	ASSERT_EQ(compute(&self->s, self->s.in), 0);
	ASSERT_EQ(computed(&self->s), 0);
	EXPECT_EQ(check_computed(&self->s, 0), 0);

	ASSERT_EQ(sluice_read(self->s.queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, -EIO);
}

TEST_F_TIMEOUT(fence, the_gpu_continues_after_a_hang_of_the_engine, 120)
{
	struct sluice_create_queue create = { .timeout_ms = 300 };
	int64_t begin = now_ns();

	NEED_GPU(self);
	ASSERT_EQ(xioctl(self->s.device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	close(self->s.queue);
	self->s.queue = create.fd;
	self->s.slot_a = sluice_attach(self->s.queue, self->s.a, 0);
	ASSERT_GE(self->s.slot_a, 0);
	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(fill(&self->s, self->s.slot_a, 1, -1, &self->s.in), 0);
	ASSERT_EQ(compute(&self->s, self->s.in), 0);
	ASSERT_EQ(computed(&self->s), 0);
	EXPECT_EQ(sluice_fence_wait(self->s.in, 0), -ETIME);
	EXPECT_LT(now_ns() - begin, 3 * LATE_MS * MS);
}

TEST_F_TIMEOUT(fence, the_gpu_lives_through_the_end_of_the_queue, 120)
{
	NEED_GPU(self);
	ASSERT_EQ(knob("delay_us", 10000000), 0);
	ASSERT_EQ(fill(&self->s, self->s.slot_a, 1, -1, &self->s.in), 0);
	close(self->s.queue);
	self->s.queue = -1;
	ASSERT_EQ(compute(&self->s, self->s.in), 0);
	ASSERT_EQ(computed(&self->s), 0);
	EXPECT_EQ(sluice_fence_wait(self->s.in, 0), -ECANCELED);
	EXPECT_EQ(check_computed(&self->s, 0), 0);
}

TEST_HARNESS_MAIN
