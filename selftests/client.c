// SPDX-License-Identifier: MIT
/*
 * The application's side of Documentation/samples/importer.c, a kernel module that inverts memory
 * in the order of fences: Sluice's and foreign memory, between jobs of Sluice, with failures and
 * with removal.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/sync_file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drm/drm.h>

#include "fences.h"
#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "modules.h"
#include "objects.h"
#include "pattern.h"
#include "samples/importer.h"
#include "sluice.h"

#define SIZE	65536UL
#define WORDS	(SIZE / sizeof(uint32_t))
#define ROUNDS	12

#define MODULE	"sluice_sample_importer"

static bool sample_was_built(void)
{
	char path[256];

	return module_path("sluice-sample-importer", path, sizeof(path));
}

#define NEEDS_SAMPLE() do {							\
	if (!sample_was_built())						\
		SKIP(return, "the sample importer was not built for this kernel");	\
} while (0)

static int sample_open(void)
{
	int tries, fd;

	if (access("/sys/module/" MODULE, F_OK) &&
	    module_load("sluice-sample-importer"))
		return -ENODEV;
	for (tries = 0; tries < 300; tries++) {
		fd = open("/dev/sluice-sample", O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	return -ENOENT;
}

/* Returns the out-fence, or an errno. */
static int invert(int sample, int dmabuf, uint64_t offset, uint64_t length, int in_fence)
{
	struct sample_invert args = {
		.fd = dmabuf, .in_fence = in_fence, .offset = offset, .length = length,
	};
	int ret = xioctl(sample, SAMPLE_INVERT, &args);

	return ret ? ret : args.out_fence;
}

static int fill(int queue, int slot, uint32_t value, int in_fence, int *out_fence)
{
	struct sluice_op op;

	sluice_op_fill(&op, slot, 0, SIZE, value);
	return sluice_submit(queue, &op, 1, in_fence, out_fence, 0, NULL);
}

/* Is there a fence on the dma-buf that has not signalled? */
static bool busy(int dmabuf)
{
	int fence = sluice_fence_export(dmabuf, true);
	bool result = !signalled(fence);

	close(fence);
	return result;
}

/* Wait for all fences on the dma-buf. */
static int drain(int dmabuf)
{
	int fence = sluice_fence_export(dmabuf, true);
	int ret = sluice_fence_wait(fence, LATE_MS);

	close(fence);
	return ret;
}

/* Memory: one buffer, of Sluice or of another exporter */

static bool is_vgem(int card)
{
	char name[16] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };

	return !xioctl(card, DRM_IOCTL_VERSION, &version) && !strcmp(name, "vgem");
}

static int vgem_buffer(void)
{
	struct drm_mode_create_dumb create = { .width = 128, .height = 128, .bpp = 32 };
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	int number, card = -1, ret;
	char path[32];

	if (system("modprobe -q vgem 2>/dev/null"))
		return -ENODEV;
	for (number = 0; number < 8; number++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", number);
		card = open(path, O_RDWR | O_CLOEXEC);
		if (card >= 0 && is_vgem(card))
			break;
		close(card);
		card = -1;
	}
	if (card < 0)
		return -ENODEV;
	ret = xioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create);
	if (!ret) {
		prime.handle = create.handle;
		ret = xioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	}
	close(card);
	return ret ? ret : prime.fd;
}

static int heap_buffer(void)
{
	struct dma_heap_allocation_data args = { .len = SIZE, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC), ret;

	if (heap < 0)
		return -ENODEV;
	ret = xioctl(heap, DMA_HEAP_IOCTL_ALLOC, &args);
	close(heap);
	return ret ? ret : (int)args.fd;
}

static int new_buffer(int device, const char *memory)
{
	if (!strcmp(memory, "vgem"))
		return vgem_buffer();
	if (!strcmp(memory, "system"))
		return heap_buffer();
	return sluice_alloc(device, sluice_find_heap(device, memory), SIZE, 0);
}

/*
 * Two queues on different engines: only fences order the work of the queues and of the importer.
 * Foreign memory is in one queue only, because the kernel's DMA-API debugging complains about
 * memory that a device has mapped twice.  The importer's work is still ordered by fences alone.
 */
FIXTURE(pipeline) {
	struct objects before;
	int sample, device, camera, copier, x, y;
};

FIXTURE_VARIANT(pipeline) {
	const char *memory;
	uint32_t attach;
	bool foreign;
};

FIXTURE_VARIANT_ADD(pipeline, pages_implicit) { .memory = "pages" };
FIXTURE_VARIANT_ADD(pipeline, pages_explicit) {
	.memory = "pages", .attach = SLUICE_ATTACH_EXPLICIT,
};
FIXTURE_VARIANT_ADD(pipeline, contiguous_implicit) { .memory = "contiguous" };
FIXTURE_VARIANT_ADD(pipeline, vgem_implicit) { .memory = "vgem", .foreign = true };
FIXTURE_VARIANT_ADD(pipeline, vgem_explicit) {
	.memory = "vgem", .attach = SLUICE_ATTACH_EXPLICIT, .foreign = true,
};
FIXTURE_VARIANT_ADD(pipeline, system_implicit) { .memory = "system", .foreign = true };

FIXTURE_SETUP(pipeline)
{
	NEEDS_SAMPLE();
	self->before = objects_before();
	self->sample = sample_open();
	ASSERT_GE(self->sample, 0);
	self->device = sluice_open("soft0");
	self->x = new_buffer(self->device, variant->memory);
	if (self->x == -ENODEV) {
		close(self->sample);
		close(self->device);
		SKIP(return, "this kernel has no buffers of that kind");
	}
	ASSERT_GE(self->x, 0);
	self->y = sluice_alloc(self->device, 0, ROUNDS * SIZE, 0);
	self->camera = patient_queue(self->device, 0);
	ASSERT_EQ(sluice_attach(self->camera, self->x, variant->attach), 0);
	if (variant->foreign) {
		self->copier = dup(self->camera);
	} else {
		self->copier = patient_queue(self->device, 1);
		ASSERT_EQ(sluice_attach(self->copier, self->x, variant->attach), 0);
	}
	ASSERT_EQ(sluice_attach(self->copier, self->y, variant->attach), 1);
}

FIXTURE_TEARDOWN(pipeline)
{
	knob("delay_us", 0);
	close(self->camera);
	close(self->copier);
	close(self->x);
	close(self->y);
	close(self->device);
	close(self->sample);
	EXPECT_TRUE(objects_settle(&self->before));
	EXPECT_TRUE(module_unload(MODULE));
}

/*
 * Fill, invert, copy away, and again on the same buffer; all is submitted before the first step
 * ends.  With explicit fences, each step gets the fence of the step before; with implicit fences,
 * those on the buffers decide the order.
 */
TEST_F(pipeline, is_in_order_without_a_wait_between_its_stages)
{
	bool explicit = variant->attach;
	int filled, inverted, copied = -1, i;
	struct sluice_op op;
	struct gate gate;
	uint32_t *memory;
	size_t j;

	/* the first op cannot begin, so all others wait for it */
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("delay_us", 20000), 0);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(fill(self->camera, 0, 0x1111 * i, copied,
			       explicit ? &filled : NULL), 0);
		close(copied);
		inverted = invert(self->sample, self->x, 0, SIZE, explicit ? filled : -1);
		ASSERT_GE(inverted, 0);
		sluice_op_copy(&op, 1, i * SIZE, 0, 0, SIZE);
		ASSERT_EQ(sluice_submit(self->copier, &op, 1, explicit ? inverted : -1,
					&copied, 0, NULL), 0);
		if (explicit)
			close(filled);
		close(inverted);
	}
	EXPECT_FALSE(signalled(copied));
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(copied, LATE_MS), 0);
	close(copied);

	ASSERT_EQ(sluice_map(self->y, ROUNDS * SIZE, (void **)&memory), 0);
	ASSERT_EQ(sluice_cpu_begin(self->y, false), 0);
	for (i = 0; i < ROUNDS; i++)
		for (j = 0; j < WORDS; j++)
			ASSERT_EQ(memory[i * WORDS + j], ~(0x1111u * i));
	EXPECT_EQ(sluice_cpu_end(self->y, false), 0);
	munmap(memory, ROUNDS * SIZE);
}

/* The CPU waits for the buffer while the importer waits for the camera. */
TEST_F(pipeline, cpu_access_waits_for_the_importer)
{
	struct sluice_completion completion;
	struct sluice_op op;
	uint32_t *memory;
	int taken, done;
	struct gate gate;
	size_t i;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("delay_us", 300000), 0);
	sluice_op_capture(&op, 0, 0, SIZE);
	ASSERT_EQ(sluice_submit(self->camera, &op, 1, -1, &taken, 0, NULL), 0);
	done = invert(self->sample, self->x, 0, SIZE, taken);
	ASSERT_GE(done, 0);
	EXPECT_FALSE(signalled(taken));
	EXPECT_TRUE(busy(self->x));
	ASSERT_EQ(sluice_map(self->x, SIZE, (void **)&memory), 0);
	ASSERT_EQ(gate_open(&gate), 0);
	ASSERT_EQ(sluice_cpu_begin(self->x, false), 0);
	EXPECT_TRUE(signalled(done));
	EXPECT_LE(fence_time(taken), fence_time(done));
	ASSERT_EQ(sluice_read(self->camera, &completion, 1), 1);
	for (i = 0; i < WORDS; i++)
		ASSERT_EQ(memory[i], ~expected_raw(completion.sequence, i));
	EXPECT_EQ(sluice_cpu_end(self->x, false), 0);
	munmap(memory, SIZE);
	close(taken);
	close(done);
}

/* One queue.  The importer waits for its job on y before the importer touches x. */
FIXTURE(importer) {
	struct objects before;
	int sample, device, queue, x, y;
};

FIXTURE_SETUP(importer)
{
	struct sluice_create_queue create = { .timeout_ms = SLUICE_MAX_TIMEOUT_MS };

	NEEDS_SAMPLE();
	self->before = objects_before();
	knob("delay_us", 0);
	self->sample = sample_open();
	ASSERT_GE(self->sample, 0);
	self->device = sluice_open("soft0");
	self->x = sluice_alloc(self->device, 0, SIZE, 0);
	self->y = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_CREATE_QUEUE, &create), 0);
	self->queue = create.fd;
	ASSERT_EQ(sluice_attach(self->queue, self->x, 0), 0);
	ASSERT_EQ(sluice_attach(self->queue, self->y, 0), 1);
	ASSERT_EQ(fill_words(self->x, SIZE, 7), 0);
}

FIXTURE_TEARDOWN(importer)
{
	knob("delay_us", 0);
	knob("fail_next", 0);
	knob("hang_next", 0);
	close(self->queue);
	close(self->x);
	close(self->y);
	close(self->device);
	close(self->sample);
	EXPECT_TRUE(objects_settle(&self->before));
	EXPECT_TRUE(module_unload(MODULE));
}

TEST_F(importer, touches_its_range_and_no_other_byte)
{
	int done = invert(self->sample, self->x, 4094, 5, -1);
	uint8_t *memory, *expected;
	size_t i;

	ASSERT_GE(done, 0);
	EXPECT_EQ(sluice_fence_wait(done, LATE_MS), 0);
	close(done);
	expected = malloc(SIZE);
	for (i = 0; i < WORDS; i++)
		((uint32_t *)expected)[i] = expected_word(7, i);
	for (i = 4094; i < 4099; i++)
		expected[i] = ~expected[i];
	ASSERT_EQ(sluice_map(self->x, SIZE, (void **)&memory), 0);
	ASSERT_EQ(sluice_cpu_begin(self->x, false), 0);
	EXPECT_EQ(memcmp(memory, expected, SIZE), 0);
	EXPECT_EQ(sluice_cpu_end(self->x, false), 0);
	munmap(memory, SIZE);
	free(expected);
}

/* The importer waits for a job elsewhere, and the next job on x waits for the importer. */
TEST_F(importer, holds_back_the_next_by_its_fence_on_the_buffer)
{
	int other = patient_queue(self->device, 1), z = sluice_alloc(self->device, 0, SIZE, 0);
	int slow, done, copied;
	uint32_t *memory;
	struct sluice_op op;
	struct gate gate;
	size_t i;

	ASSERT_EQ(sluice_attach(other, self->x, 0), 0);
	ASSERT_EQ(sluice_attach(other, z, 0), 1);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(fill(self->queue, 1, 1, -1, &slow), 0);
	done = invert(self->sample, self->x, 0, SIZE, slow);
	ASSERT_GE(done, 0);
	sluice_op_copy(&op, 1, 0, 0, 0, SIZE);
	ASSERT_EQ(sluice_submit(other, &op, 1, -1, &copied, 0, NULL), 0);
	EXPECT_EQ(sluice_fence_wait(copied, 50), -ETIME);
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(copied, LATE_MS), 0);
	EXPECT_LE(fence_time(slow), fence_time(done));
	EXPECT_LE(fence_time(done), fence_time(copied));
	ASSERT_EQ(sluice_map(z, SIZE, (void **)&memory), 0);
	ASSERT_EQ(sluice_cpu_begin(z, false), 0);
	for (i = 0; i < WORDS; i++)
		ASSERT_EQ(memory[i], ~expected_word(7, i));
	EXPECT_EQ(sluice_cpu_end(z, false), 0);
	munmap(memory, SIZE);
	close(slow);
	close(done);
	close(copied);
	close(other);
	close(z);
}

TEST_F(importer, ends_with_ECANCELED_when_its_in_fence_failed)
{
	int failed, good, merged, done[4], i;
	struct gate gate;

	/* a fence that fails later, alone and merged with a good one */
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(fill(self->queue, 1, 1, -1, &failed), 0);
	good = invert(self->sample, self->y, 0, SIZE, -1);
	ASSERT_GE(good, 0);
	merged = sluice_fence_merge(failed, good);
	done[0] = invert(self->sample, self->x, 0, SIZE, failed);
	done[1] = invert(self->sample, self->x, 0, SIZE, merged);
	EXPECT_FALSE(signalled(failed));
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(good, LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(failed, 0), -EIO);
	/* and fences that have failed before */
	done[2] = invert(self->sample, self->x, 0, SIZE, failed);
	done[3] = invert(self->sample, self->x, 0, SIZE, merged);
	for (i = 0; i < 4; i++) {
		ASSERT_GE(done[i], 0);
		EXPECT_EQ(sluice_fence_wait(done[i], LATE_MS), -ECANCELED);
		close(done[i]);
	}
	EXPECT_EQ(check_words(self->x, SIZE, 7), 0);
	close(failed);
	close(merged);
	close(good);
}

TEST_F(importer, does_not_care_about_an_implicit_error)
{
	struct gate gate;
	int failed, done;

	ASSERT_EQ(gate_shut(&gate, 0), 0);
	ASSERT_EQ(knob("fail_next", 1), 0);
	ASSERT_EQ(fill(self->queue, 0, 1, -1, &failed), 0);
	done = invert(self->sample, self->x, 0, SIZE, -1);
	ASSERT_GE(done, 0);
	EXPECT_FALSE(signalled(done));
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_fence_wait(done, LATE_MS), 0);
	EXPECT_EQ(sluice_fence_wait(failed, 0), -EIO);
	close(failed);
	close(done);
}

/*
 * Many jobs at once, from two processes.  An even number of inversions does not change the memory.
 */
TEST_F(importer, jobs_on_one_buffer_take_turns)
{
	int i, status, done;
	pid_t child = fork();

	for (i = 0; i < 60; i++) {
		do {
			done = invert(self->sample, self->x, 0, SIZE, -1);
		} while (done == -EBUSY && !usleep(1000));
		if (done < 0 || (i % 12 == 11 && sluice_fence_wait(done, LATE_MS)))
			break;
		close(done);
	}
	if (!child)
		_exit(i < 60);
	EXPECT_EQ(i, 60);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(check_words(self->x, SIZE, 7), 0);
}

TEST_F(importer, refuses_what_makes_no_sense)
{
	struct sluice_alloc rdonly = { .size = SIZE, .fd_flags = SLUICE_FD_RDONLY };
	struct sample_invert good = { .fd = self->x, .in_fence = -1, .length = SIZE };
	struct sample_invert args, *sealed;
	unsigned int i;

	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &rdonly), 0);
	{
		const struct {
			struct sample_invert args;
			int error;
		} cases[] = {
			{ { .fd = -1, .in_fence = -1, .length = 1 }, -EBADF },
			{ { .fd = 10000, .in_fence = -1, .length = 1 }, -EBADF },
			{ { .fd = self->queue, .in_fence = -1, .length = 1 }, -EINVAL },
			{ { .fd = self->x, .in_fence = -2, .length = 1 }, -EINVAL },
			{ { .fd = self->x, .in_fence = 10000, .length = 1 }, -EINVAL },
			{ { .fd = self->x, .in_fence = self->y, .length = 1 }, -EINVAL },
			{ { .fd = self->x, .in_fence = -1, .length = 1, .flags = 1 }, -EINVAL },
			{ { .fd = self->x, .in_fence = -1 }, -EINVAL },
			{ { .fd = self->x, .in_fence = -1, .length = SIZE + 1 }, -EINVAL },
			{ { .fd = self->x, .in_fence = -1, .offset = SIZE, .length = 1 }, -EINVAL },
			{ { .fd = self->x, .in_fence = -1, .offset = 2, .length = UINT64_MAX },
			  -EINVAL },
			{ { .fd = self->x, .in_fence = -1, .offset = UINT64_MAX, .length = 2 },
			  -EINVAL },
			{ { .fd = rdonly.fd, .in_fence = -1, .length = 1 }, -EACCES },
		};

		for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			args = cases[i].args;
			EXPECT_EQ(xioctl(self->sample, SAMPLE_INVERT, &args), cases[i].error) {
				TH_LOG("case %u", i);
			}
		}
	}
	close(rdonly.fd);

	rdonly.size = SAMPLE_MAX_LENGTH + SIZE;
	rdonly.fd_flags = 0;
	ASSERT_EQ(xioctl(self->device, SLUICE_IOCTL_ALLOC, &rdonly), 0);
	EXPECT_EQ(invert(self->sample, rdonly.fd, 0, SAMPLE_MAX_LENGTH + 1, -1), -E2BIG);
	close(rdonly.fd);

	EXPECT_EQ(xioctl(self->sample, SAMPLE_INVERT, NULL), -EFAULT);
	EXPECT_EQ(xioctl(self->sample, _IOWR('s', 1, struct sample_invert), &good), -ENOTTY);
	/* if the result cannot be returned, the job must not have begun */
	sealed = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*sealed = good;
	ASSERT_EQ(mprotect(sealed, 4096, PROT_READ), 0);
	EXPECT_EQ(xioctl(self->sample, SAMPLE_INVERT, sealed), -EFAULT);
	munmap(sealed, 4096);
	EXPECT_FALSE(busy(self->x));
	EXPECT_EQ(check_words(self->x, SIZE, 7), 0);
}

/* As many jobs as possible, all waiting for a job that hangs until it is cancelled. */
static void check_places(struct __test_metadata *_metadata, int sample, int queue, int dmabuf)
{
	int in, done[SAMPLE_MAX_JOBS], i, tries;

	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(fill(queue, 1, 1, -1, &in), 0);
	ASSERT_TRUE(wait_hanging());
	for (i = 0; i < SAMPLE_MAX_JOBS; i++) {
		/* the jobs of earlier tests may have signalled, but not have been freed */
		for (tries = 0; tries < LATE_MS / 10; tries++) {
			done[i] = invert(sample, dmabuf, 0, 64, in);
			if (done[i] != -EBUSY)
				break;
			usleep(10000);
		}
		ASSERT_GE(done[i], 0);
	}
	EXPECT_EQ(invert(sample, dmabuf, 0, 64, -1), -EBUSY);
	EXPECT_FALSE(signalled(in));
	EXPECT_EQ(sluice_cancel(queue, 1, UINT64_MAX), 1);
	for (i = 0; i < SAMPLE_MAX_JOBS; i++) {
		EXPECT_EQ(sluice_fence_wait(done[i], LATE_MS), -ECANCELED);
		close(done[i]);
	}
	close(in);
}

TEST_F(importer, has_a_limit_of_jobs_and_reuses_each_place)
{
	check_places(_metadata, self->sample, self->queue, self->x);
	check_places(_metadata, self->sample, self->queue, self->x);
	EXPECT_EQ(check_words(self->x, SIZE, 7), 0);
}

TEST_F(importer, killed_process_leaves_jobs_that_end)
{
	int round, status, in;
	pid_t child;

	ASSERT_EQ(knob("delay_us", 5000), 0);
	for (round = 0; round < 12; round++) {
		child = fork();
		if (!child) {
			for (;;) {
				if (fill(self->queue, 1, 1, -1, &in))
					in = -1;
				close(invert(self->sample, self->x, 0, SIZE, in));
				close(invert(self->sample, self->y, 0, SIZE, -1));
				close(in);
			}
		}
		usleep(20000 + round * 3000);
		kill(child, SIGKILL);
		ASSERT_EQ(waitpid(child, &status, 0), child);
	}
	/* no fence is left */
	EXPECT_EQ(drain(self->x), 0);
	EXPECT_EQ(drain(self->y), 0);
	/* and no place is taken.  A new queue, because the old one may hold unread completions */
	ASSERT_EQ(knob("delay_us", 0), 0);
	close(self->queue);
	self->queue = patient_queue(self->device, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->x, 0), 0);
	ASSERT_EQ(sluice_attach(self->queue, self->y, 0), 1);
	check_places(_metadata, self->sample, self->queue, self->x);
}

TEST_F(importer, finishes_when_everything_has_been_closed)
{
	int in, done, memory;
	bool refused;

	ASSERT_EQ(knob("delay_us", 2000000), 0);
	ASSERT_EQ(fill(self->queue, 1, 1, -1, &in), 0);
	done = invert(self->sample, self->x, 0, SIZE, in);
	ASSERT_GE(done, 0);
	close(in);
	close(done);
	close(self->sample);
	self->sample = -1;
	/* even a single job keeps the module while it is pending */
	refused = system("rmmod " MODULE " 2>/dev/null");
	EXPECT_TRUE(refused || !busy(self->x));
	memory = dup(self->x);
	close(self->x);
	self->x = -1;
	EXPECT_EQ(drain(memory), 0);
	/* two inversions restore the memory */
	self->sample = sample_open();
	ASSERT_GE(self->sample, 0);
	done = invert(self->sample, memory, 0, SIZE, -1);
	EXPECT_EQ(sluice_fence_wait(done, LATE_MS), 0);
	EXPECT_EQ(check_words(memory, SIZE, 7), 0);
	close(done);
	close(memory);
}

TEST_F(importer, keeps_the_buffer_until_its_job_has_ended)
{
	int in, done;

	ASSERT_EQ(knob("hang_next", 1), 0);
	ASSERT_EQ(fill(self->queue, 1, 1, -1, &in), 0);
	ASSERT_TRUE(wait_hanging());
	done = invert(self->sample, self->x, 0, SIZE, in);
	ASSERT_GE(done, 0);
	EXPECT_EQ(sluice_detach(self->queue, 0), 0);
	close(self->x);
	self->x = -1;
	close(in);
	EXPECT_FALSE(signalled(done));
	/* the end of the queue cancels its job, and so the importer's job */
	close(self->queue);
	self->queue = -1;
	EXPECT_EQ(sluice_fence_wait(done, LATE_MS), -ECANCELED);
	close(done);
}

/* Some kernels keep a module while its fences live, others do not. */
TEST_F(importer, fence_outlives_the_module_or_keeps_it)
{
	struct sync_fence_info one = {};
	struct sync_file_info info = { .num_fences = 1, .sync_fence_info = (uintptr_t)&one };
	int done = invert(self->sample, self->x, 0, SIZE, -1), tries;

	ASSERT_GE(done, 0);
	EXPECT_EQ(sluice_fence_wait(done, LATE_MS), 0);
	close(self->sample);
	self->sample = -1;
	for (tries = 0; tries < 30 && !access("/sys/module/" MODULE, F_OK); tries++)
		if (system("rmmod " MODULE " 2>/dev/null"))
			usleep(10000);
	ASSERT_EQ(xioctl(done, SYNC_IOC_FILE_INFO, &info), 0);
	EXPECT_EQ(info.status, 1);
	EXPECT_EQ(one.status, 1);
	TH_LOG("module %s, its fence says %s:%s", access("/sys/module/" MODULE, F_OK) ?
	       "gone" : "kept", one.driver_name, one.obj_name);
	EXPECT_FALSE(busy(self->x));
	close(done);
}

TEST_F(importer, ends_with_ETIME_when_a_fence_never_signals)
{
	int timeline = sw_sync_timeline(), in, done;
	int64_t before = now_ns();

	if (timeline < 0)
		SKIP(return, "this kernel has no sw_sync");
	in = sw_sync_fence(timeline, 1);
	ASSERT_GE(in, 0);
	done = invert(self->sample, self->x, 0, SIZE, in);
	ASSERT_GE(done, 0);
	EXPECT_EQ(sluice_fence_wait(done, 60000), -ETIME);
	EXPECT_TRUE(signalled(done));
	EXPECT_GE(now_ns() - before, (SAMPLE_TIMEOUT_MS - 1000) * 1000000LL);
	/* the in-fence signals after the timeout, and has no effect */
	close(in);
	close(timeline);
	EXPECT_EQ(check_words(self->x, SIZE, 7), 0);
	close(done);
}

TEST_HARNESS_MAIN
