// SPDX-License-Identifier: MIT
/*
 * vgem: the DRM driver without hardware.  It imports our buffers, exports its
 * own, and puts fences on both when it is told to: a foreign driver that does
 * all that a GPU does to a dma-buf but for the drawing.
 *
 * Each test keeps its fds in a scene; its teardown closes them all and checks
 * that the kernel has let go of every object.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <drm.h>
#include <drm_mode.h>
#include <drm/vgem_drm.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <xf86drm.h>

#include "kselftest_harness.h"
#include "support.h"

#define SIZE	65536
#define WORDS	(SIZE / sizeof(uint32_t))
#define SOON_MS	100	/* long enough to see that nothing happens */
#define LATE_MS	5000	/* a slow machine's idea of "now" */

/* struct scene - soft0 with a queue, vgem, and the fds that a test made */
struct scene {
	struct objects before;
	int device;
	int queue;
	int drm;
	int fds[32];
	unsigned int num_fds;
};

/* Remember an fd for the end of the test; passes errors through. */
static int keep(struct scene *scene, int fd)
{
	if (fd >= 0 && scene->num_fds < ARRAY_SIZE(scene->fds))
		scene->fds[scene->num_fds++] = fd;
	return fd;
}

/* Close a kept fd before the end. */
static void drop(struct scene *scene, int fd)
{
	unsigned int i;

	for (i = 0; i < scene->num_fds; i++)
		if (scene->fds[i] == fd)
			scene->fds[i] = -1;
	close(fd);
}

/* vgem is one card of several, and its number depends on who came first. */
static int vgem_open(void)
{
	int card;

	if (system("modprobe -q vgem"))
		return -ENODEV;
	for (card = 0; card < 16; card++) {
		drmVersion *version;
		char path[32];
		bool found;
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%d", card);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		version = drmGetVersion(fd);
		found = version && !strcmp(version->name, "vgem");
		drmFreeVersion(version);
		if (found)
			return fd;
		close(fd);
	}
	return -ENODEV;
}

static void scene_open(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	scene->drm = keep(scene, vgem_open());
	scene->before = objects_read();
	scene->device = keep(scene, sluice_open("soft0"));
	scene->queue = keep(scene, sluice_queue(scene->device, 0));
}

static bool scene_close(struct scene *scene)
{
	unsigned int i;

	knob("delay_us", 0);
	for (i = 0; i < scene->num_fds; i++)
		if (scene->fds[i] >= 0)
			close(scene->fds[i]);
	return objects_settle(&scene->before);
}

static int new_buffer(struct scene *scene, const char *heap)
{
	return keep(scene, sluice_alloc(scene->device, sluice_find_heap(scene->device, heap),
					SIZE, 0));
}

/* PRIME */

static int vgem_import(struct scene *scene, int dmabuf, uint32_t *handle)
{
	return drmPrimeFDToHandle(scene->drm, dmabuf, handle) ? -errno : 0;
}

static int vgem_export(struct scene *scene, uint32_t handle)
{
	int fd;

	if (drmPrimeHandleToFD(scene->drm, handle, DRM_CLOEXEC | DRM_RDWR, &fd))
		return -errno;
	return keep(scene, fd);
}

static int vgem_release(struct scene *scene, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return xioctl(scene->drm, DRM_IOCTL_GEM_CLOSE, &args);
}

/* A buffer of vgem's own, SIZE bytes. */
static int vgem_create(struct scene *scene, uint32_t *handle)
{
	struct drm_mode_create_dumb args = { .width = 128, .height = 128, .bpp = 32 };
	int ret = xioctl(scene->drm, DRM_IOCTL_MODE_CREATE_DUMB, &args);

	*handle = args.handle;
	return ret ? ret : args.size == SIZE ? 0 : -EINVAL;
}

static uint32_t *vgem_map(struct scene *scene, uint32_t handle)
{
	struct drm_mode_map_dumb args = { .handle = handle };
	void *memory;

	if (xioctl(scene->drm, DRM_IOCTL_MODE_MAP_DUMB, &args))
		return NULL;
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, scene->drm, args.offset);
	return memory == MAP_FAILED ? NULL : memory;
}

/* Fences */

static int vgem_fence(struct scene *scene, uint32_t handle, bool write, uint32_t *fence)
{
	struct drm_vgem_fence_attach args = {
		.handle = handle,
		.flags = write ? VGEM_FENCE_WRITE : 0,
	};
	int ret = xioctl(scene->drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &args);

	*fence = args.out_fence;
	return ret;
}

static int vgem_signal(struct scene *scene, uint32_t fence)
{
	struct drm_vgem_fence_signal args = { .fence = fence };

	return xioctl(scene->drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &args);
}

/* struct later - a vgem fence that another thread signals after a while */
struct later {
	struct scene *scene;
	uint32_t fence;
	unsigned int ms;
	pthread_t thread;
};

static void *later_run(void *argument)
{
	struct later *later = argument;

	usleep(later->ms * 1000);
	return (void *)(intptr_t)vgem_signal(later->scene, later->fence);
}

static int later_begin(struct later *later)
{
	return -pthread_create(&later->thread, NULL, later_run, later);
}

static int later_end(struct later *later)
{
	void *result;

	pthread_join(later->thread, &result);
	return (int)(intptr_t)result;
}

/* Is a dma-buf ready to be read (POLLIN), to be written (POLLOUT)? */
static bool is_ready(int dmabuf, short events, int timeout_ms)
{
	struct pollfd pollfd = { .fd = dmabuf, .events = events };

	return poll(&pollfd, 1, timeout_ms) == 1 && pollfd.revents == events;
}

/* How many fences of a driver a sync_file waits for. */
static int count_fences(int fence, const char *driver)
{
	struct sync_fence_info infos[8] = {};
	struct sync_file_info info = {
		.num_fences = ARRAY_SIZE(infos),
		.sync_fence_info = (uintptr_t)infos,
	};
	unsigned int i;
	int ret, count = 0;

	ret = xioctl(fence, SYNC_IOC_FILE_INFO, &info);
	if (ret)
		return ret;
	for (i = 0; i < info.num_fences; i++)
		count += !strcmp(infos[i].driver_name, driver);
	return count;
}

/* Jobs */

static int submit_copy(struct scene *scene, int dst, int src, int in_fence, int *out_fence,
		       uint64_t *point)
{
	struct sluice_op op;
	int ret;

	sluice_op_copy(&op, dst, 0, src, 0, SIZE);
	ret = sluice_submit(scene->queue, &op, 1, in_fence, out_fence, 0, point);
	if (!ret && out_fence)
		keep(scene, *out_fence);
	return ret;
}

static int submit_fill(struct scene *scene, int dst, uint32_t value, int in_fence, int *out_fence,
		       uint64_t *point)
{
	struct sluice_op op;
	int ret;

	sluice_op_fill(&op, dst, 0, SIZE, value);
	ret = sluice_submit(scene->queue, &op, 1, in_fence, out_fence, 0, point);
	if (!ret && out_fence)
		keep(scene, *out_fence);
	return ret;
}

/*
 * vgem has our buffer.
 */
FIXTURE(import) {
	struct scene scene;
	int buffer;
	uint32_t handle;
};

FIXTURE_VARIANT(import) {
	const char *heap;
};

FIXTURE_VARIANT_ADD(import, pages) {
	.heap = "pages",
};

FIXTURE_VARIANT_ADD(import, contiguous) {
	.heap = "contiguous",
};

FIXTURE_SETUP(import)
{
	scene_open(&self->scene);
	if (self->scene.drm < 0)
		SKIP(return, "this kernel has no vgem");
	ASSERT_LE(0, self->scene.queue);
	self->buffer = new_buffer(&self->scene, variant->heap);
	ASSERT_LE(0, self->buffer);
	ASSERT_EQ(0, vgem_import(&self->scene, self->buffer, &self->handle));
}

FIXTURE_TEARDOWN(import)
{
	EXPECT_TRUE(scene_close(&self->scene));
}

TEST_F(import, exporting_again_gives_the_same_memory)
{
	struct stat ours, theirs;
	int again;

	ASSERT_EQ(0, fill_words(self->buffer, SIZE, 1));
	again = vgem_export(&self->scene, self->handle);
	ASSERT_LE(0, again);
	ASSERT_EQ(0, fstat(self->buffer, &ours));
	ASSERT_EQ(0, fstat(again, &theirs));
	EXPECT_EQ(ours.st_ino, theirs.st_ino);

	EXPECT_EQ(0, check_words(again, SIZE, 1));
	ASSERT_EQ(0, fill_words(again, SIZE, 2));
	EXPECT_EQ(0, check_words(self->buffer, SIZE, 2));
}

/* DRM maps no imported buffer through its own node; if it ever does, the data is to be right. */
TEST_F(import, vgem_maps_our_memory_or_refuses)
{
	uint32_t *words;
	size_t i;

	ASSERT_EQ(0, fill_words(self->buffer, SIZE, 3));
	words = vgem_map(&self->scene, self->handle);
	if (!words)
		return;
	for (i = 0; i < WORDS; i++)
		if (words[i] != expected_word(3, i))
			break;
	EXPECT_EQ(WORDS, i);
	munmap(words, SIZE);
}

TEST_F(import, importing_twice_gives_one_handle)
{
	uint32_t again;
	int copy;

	ASSERT_EQ(0, vgem_import(&self->scene, self->buffer, &again));
	EXPECT_EQ(self->handle, again);
	copy = keep(&self->scene, dup(self->buffer));
	ASSERT_EQ(0, vgem_import(&self->scene, copy, &again));
	EXPECT_EQ(self->handle, again);
}

TEST_F(import, buffer_lives_as_long_as_vgem_holds_it)
{
	struct objects held;
	int again;

	ASSERT_EQ(0, fill_words(self->buffer, SIZE, 4));
	drop(&self->scene, self->buffer);
	drop(&self->scene, self->scene.queue);
	drop(&self->scene, self->scene.device);
	again = vgem_export(&self->scene, self->handle);
	ASSERT_LE(0, again);
	EXPECT_EQ(0, check_words(again, SIZE, 4));
	ASSERT_EQ(0, fill_words(again, SIZE, 5));
	EXPECT_EQ(0, check_words(again, SIZE, 5));

	/* the last reference is vgem's, and it takes the buffer along */
	drop(&self->scene, again);
	held = objects_read();
	EXPECT_NE(0, memcmp(&held, &self->scene.before, sizeof(held)));
	ASSERT_EQ(0, vgem_release(&self->scene, self->handle));
	EXPECT_TRUE(objects_settle(&self->scene.before));
}

TEST_F(import, device_writes_what_vgem_shows)
{
	int slot = sluice_attach(self->scene.queue, self->buffer, 0);
	uint64_t point;
	int again;

	ASSERT_LE(0, slot);
	ASSERT_EQ(0, submit_fill(&self->scene, slot, 0x5ca1ab1e, -1, NULL, &point));
	again = vgem_export(&self->scene, self->handle);
	ASSERT_LE(0, again);
	/* implicit sync: the read waits for the job */
	EXPECT_EQ(0, check_value(again, SIZE, 0x5ca1ab1e));
}

/*
 * vgem's fences on our buffers: src has been imported, dst is ours alone.
 */
FIXTURE(fence) {
	struct scene scene;
	int src, dst;
	int src_slot, dst_slot;
	uint32_t handle;
};

FIXTURE_SETUP(fence)
{
	struct scene *scene = &self->scene;

	scene_open(scene);
	if (scene->drm < 0)
		SKIP(return, "this kernel has no vgem");
	ASSERT_LE(0, scene->queue);
	self->src = new_buffer(scene, "pages");
	self->dst = new_buffer(scene, "pages");
	ASSERT_LE(0, self->src);
	ASSERT_LE(0, self->dst);
	self->src_slot = sluice_attach(scene->queue, self->src, 0);
	self->dst_slot = sluice_attach(scene->queue, self->dst, 0);
	ASSERT_LE(0, self->src_slot);
	ASSERT_LE(0, self->dst_slot);
	ASSERT_EQ(0, vgem_import(scene, self->src, &self->handle));
}

FIXTURE_TEARDOWN(fence)
{
	EXPECT_TRUE(scene_close(&self->scene));
}

TEST_F(fence, poll_waits_for_a_foreign_writer)
{
	uint32_t fence;

	ASSERT_TRUE(is_ready(self->src, POLLIN, 0));
	ASSERT_TRUE(is_ready(self->src, POLLOUT, 0));
	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	EXPECT_FALSE(is_ready(self->src, POLLIN, SOON_MS));
	EXPECT_FALSE(is_ready(self->src, POLLOUT, 0));
	ASSERT_EQ(0, vgem_signal(&self->scene, fence));
	EXPECT_TRUE(is_ready(self->src, POLLIN, LATE_MS));
	EXPECT_TRUE(is_ready(self->src, POLLOUT, LATE_MS));
}

TEST_F(fence, poll_lets_readers_pass_a_foreign_reader)
{
	uint32_t fence;

	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, false, &fence));
	EXPECT_TRUE(is_ready(self->src, POLLIN, LATE_MS));
	EXPECT_FALSE(is_ready(self->src, POLLOUT, SOON_MS));
	ASSERT_EQ(0, vgem_signal(&self->scene, fence));
	EXPECT_TRUE(is_ready(self->src, POLLOUT, LATE_MS));
}

TEST_F(fence, exported_sync_file_is_pending_until_vgem_signals)
{
	int to_read, to_write;
	uint32_t fence;

	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	to_read = keep(&self->scene, sluice_fence_export(self->src, false));
	to_write = keep(&self->scene, sluice_fence_export(self->src, true));
	ASSERT_LE(0, to_read);
	ASSERT_LE(0, to_write);
	EXPECT_EQ(1, count_fences(to_read, "vgem"));
	EXPECT_EQ(1, count_fences(to_write, "vgem"));
	EXPECT_EQ(-ETIME, sluice_fence_wait(to_read, SOON_MS));
	EXPECT_EQ(-ETIME, sluice_fence_wait(to_write, 0));
	ASSERT_EQ(0, vgem_signal(&self->scene, fence));
	EXPECT_EQ(0, sluice_fence_wait(to_read, LATE_MS));
	EXPECT_EQ(0, sluice_fence_wait(to_write, LATE_MS));
}

TEST_F(fence, cpu_read_blocks_until_a_foreign_writer_signals)
{
	struct later later = { .scene = &self->scene, .ms = 300 };
	int64_t began, ms;

	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &later.fence));
	began = now_ns();
	ASSERT_EQ(0, later_begin(&later));
	EXPECT_EQ(0, sluice_cpu_begin(self->src, false));
	ms = (now_ns() - began) / 1000000;
	EXPECT_EQ(0, later_end(&later));
	EXPECT_EQ(0, sluice_cpu_end(self->src, false));
	EXPECT_LE(299, ms);
	EXPECT_GT(LATE_MS, ms);
}

TEST_F(fence, cpu_write_alone_blocks_for_a_foreign_reader)
{
	struct later later = { .scene = &self->scene, .ms = 1000 };
	int64_t began, read_ms, write_ms;

	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, false, &later.fence));
	began = now_ns();
	ASSERT_EQ(0, later_begin(&later));
	EXPECT_EQ(0, sluice_cpu_begin(self->src, false));
	read_ms = (now_ns() - began) / 1000000;
	EXPECT_EQ(0, sluice_cpu_end(self->src, false));
	EXPECT_EQ(0, sluice_cpu_begin(self->src, true));
	write_ms = (now_ns() - began) / 1000000;
	EXPECT_EQ(0, later_end(&later));
	EXPECT_EQ(0, sluice_cpu_end(self->src, true));
	EXPECT_GT(900, read_ms);
	EXPECT_LE(999, write_ms);
}

/* The writer finishes its data only after SUBMIT: a job that did not wait would miss it. */
TEST_F(fence, reading_job_waits_for_a_foreign_writer)
{
	uint64_t point;
	uint32_t fence, *words;
	void *memory;
	size_t i;

	ASSERT_EQ(0, sluice_map(self->src, SIZE, &memory));
	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	ASSERT_EQ(0, submit_copy(&self->scene, self->dst_slot, self->src_slot, -1, NULL, &point));
	EXPECT_EQ(-ETIME, sluice_wait(self->scene.queue, point, SOON_MS));
	for (i = 0, words = memory; i < WORDS; i++)
		words[i] = expected_word(6, i);
	ASSERT_EQ(0, vgem_signal(&self->scene, fence));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
	EXPECT_EQ(0, check_words(self->dst, SIZE, 6));
	munmap(memory, SIZE);
}

TEST_F(fence, foreign_reader_holds_up_writing_jobs_alone)
{
	uint64_t reading, writing;
	uint32_t fence;

	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, false, &fence));
	ASSERT_EQ(0, submit_copy(&self->scene, self->dst_slot, self->src_slot, -1, NULL,
				 &reading));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, reading, LATE_MS));
	ASSERT_EQ(0, submit_fill(&self->scene, self->src_slot, 1, -1, NULL, &writing));
	EXPECT_EQ(-ETIME, sluice_wait(self->scene.queue, writing, SOON_MS));
	ASSERT_EQ(0, vgem_signal(&self->scene, fence));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, writing, LATE_MS));
	EXPECT_EQ(0, check_value(self->src, SIZE, 1));
}

TEST_F(fence, explicit_slot_neither_waits_nor_leaves_a_fence)
{
	int slot = sluice_attach(self->scene.queue, self->src, SLUICE_ATTACH_EXPLICIT);
	uint32_t fence, other;
	uint64_t point;

	ASSERT_LE(0, slot);
	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	ASSERT_EQ(0, submit_fill(&self->scene, slot, 2, -1, NULL, &point));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
	EXPECT_FALSE(is_ready(self->src, POLLIN, 0));
	ASSERT_EQ(0, vgem_signal(&self->scene, fence));
	EXPECT_EQ(0, check_value(self->src, SIZE, 2));

	ASSERT_EQ(0, knob("delay_us", 500000));
	ASSERT_EQ(0, submit_fill(&self->scene, slot, 3, -1, NULL, &point));
	EXPECT_EQ(0, vgem_fence(&self->scene, self->handle, true, &other));
	EXPECT_EQ(0, vgem_signal(&self->scene, other));
	EXPECT_TRUE(is_ready(self->src, POLLOUT, 0));
	EXPECT_EQ(-ETIME, sluice_wait(self->scene.queue, point, 0));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
}

TEST_F(fence, vgem_finds_the_buffer_busy_while_our_job_writes)
{
	uint64_t point;
	uint32_t fence;
	int exported;

	ASSERT_EQ(0, knob("delay_us", 500000));
	ASSERT_EQ(0, submit_fill(&self->scene, self->src_slot, 4, -1, NULL, &point));
	EXPECT_EQ(-EBUSY, vgem_fence(&self->scene, self->handle, false, &fence));
	EXPECT_EQ(-EBUSY, vgem_fence(&self->scene, self->handle, true, &fence));
	EXPECT_FALSE(is_ready(self->src, POLLIN, 0));
	exported = keep(&self->scene, sluice_fence_export(self->src, false));
	ASSERT_LE(0, exported);
	EXPECT_EQ(1, count_fences(exported, "sluice"));
	EXPECT_EQ(-ETIME, sluice_fence_wait(exported, 0));

	EXPECT_TRUE(is_ready(self->src, POLLIN, LATE_MS));
	EXPECT_EQ(0, sluice_fence_wait(exported, 0));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, 0));
	EXPECT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	EXPECT_EQ(0, vgem_signal(&self->scene, fence));
}

TEST_F(fence, vgem_may_read_while_our_job_reads)
{
	uint32_t fence, other;
	uint64_t point;

	ASSERT_EQ(0, knob("delay_us", 500000));
	ASSERT_EQ(0, submit_copy(&self->scene, self->dst_slot, self->src_slot, -1, NULL, &point));
	EXPECT_EQ(-EBUSY, vgem_fence(&self->scene, self->handle, true, &other));
	EXPECT_EQ(0, vgem_fence(&self->scene, self->handle, false, &fence));
	EXPECT_TRUE(is_ready(self->src, POLLIN, 0));
	EXPECT_FALSE(is_ready(self->src, POLLOUT, 0));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
	/* ours is done, vgem's is not */
	EXPECT_FALSE(is_ready(self->src, POLLOUT, 0));
	EXPECT_EQ(0, vgem_signal(&self->scene, fence));
	EXPECT_TRUE(is_ready(self->src, POLLOUT, LATE_MS));
}

TEST_F(fence, vgem_fence_works_as_an_in_fence)
{
	int in_fence, out_fence;
	uint64_t point;
	uint32_t fence;

	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	in_fence = sluice_fence_export(self->src, false);
	ASSERT_LE(0, in_fence);
	/* the job does not touch src: only the fd makes it wait */
	ASSERT_EQ(0, submit_fill(&self->scene, self->dst_slot, 5, in_fence, &out_fence, &point));
	close(in_fence);
	EXPECT_EQ(-ETIME, sluice_fence_wait(out_fence, SOON_MS));
	EXPECT_FALSE(is_ready(self->dst, POLLIN, 0));
	ASSERT_EQ(0, vgem_signal(&self->scene, fence));
	EXPECT_EQ(0, sluice_fence_wait(out_fence, LATE_MS));
	EXPECT_EQ(0, check_value(self->dst, SIZE, 5));
}

TEST_F(fence, merged_fence_waits_for_both_drivers)
{
	int first;

	/* once vgem signals first, once we do */
	for (first = 0; first < 2; first++) {
		int theirs, ours, merged;
		uint64_t point;
		uint32_t fence;

		ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
		theirs = keep(&self->scene, sluice_fence_export(self->src, false));
		ASSERT_LE(0, theirs);
		ASSERT_EQ(0, knob("delay_us", 600000));
		ASSERT_EQ(0, submit_fill(&self->scene, self->dst_slot, 6, -1, &ours, &point));
		merged = keep(&self->scene, sluice_fence_merge(ours, theirs));
		ASSERT_LE(0, merged);
		EXPECT_EQ(1, count_fences(merged, "sluice"));
		EXPECT_EQ(1, count_fences(merged, "vgem"));
		if (first) {
			EXPECT_EQ(0, sluice_fence_wait(ours, LATE_MS));
			EXPECT_EQ(-ETIME, sluice_fence_wait(merged, SOON_MS));
			EXPECT_EQ(0, vgem_signal(&self->scene, fence));
		} else {
			EXPECT_EQ(0, vgem_signal(&self->scene, fence));
			EXPECT_EQ(0, sluice_fence_wait(theirs, LATE_MS));
			EXPECT_EQ(-ETIME, sluice_fence_wait(merged, SOON_MS));
			EXPECT_EQ(0, sluice_fence_wait(ours, LATE_MS));
		}
		EXPECT_EQ(0, sluice_fence_wait(merged, LATE_MS));
	}
}

TEST_F(fence, closing_the_queue_cancels_a_job_that_waits_for_vgem)
{
	int out_fence, exported;
	uint64_t point;
	uint32_t fence;

	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	ASSERT_EQ(0, submit_copy(&self->scene, self->dst_slot, self->src_slot, -1, &out_fence,
				 &point));
	exported = keep(&self->scene, sluice_fence_export(self->dst, false));
	ASSERT_LE(0, exported);
	EXPECT_EQ(-ETIME, sluice_fence_wait(out_fence, SOON_MS));
	drop(&self->scene, self->scene.queue);
	EXPECT_EQ(-ECANCELED, sluice_fence_wait(out_fence, LATE_MS));
	EXPECT_EQ(-ECANCELED, sluice_fence_wait(exported, LATE_MS));
	EXPECT_EQ(0, vgem_signal(&self->scene, fence));
}

TEST_F(fence, job_goes_on_when_the_foreign_writer_dies)
{
	uint64_t point;
	uint32_t fence;

	ASSERT_EQ(0, fill_words(self->src, SIZE, 7));
	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	ASSERT_EQ(0, submit_copy(&self->scene, self->dst_slot, self->src_slot, -1, NULL, &point));
	EXPECT_EQ(-ETIME, sluice_wait(self->scene.queue, point, SOON_MS));
	drop(&self->scene, self->scene.drm);
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
	EXPECT_EQ(0, check_words(self->dst, SIZE, 7));
}

/* vgem gives up after 10 s, which is within what a job waits. */
TEST_F(fence, job_outlasts_a_vgem_fence_that_nobody_signals)
{
	int64_t began = now_ns(), seconds;
	uint64_t point;
	uint32_t fence;

	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	ASSERT_EQ(0, submit_copy(&self->scene, self->dst_slot, self->src_slot, -1, NULL, &point));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, 20000));
	seconds = (now_ns() - began) / 1000000000;
	EXPECT_LE(9, seconds);
	EXPECT_GT(15, seconds);
	EXPECT_EQ(-ETIMEDOUT, vgem_signal(&self->scene, fence));
}

/*
 * vgem's own buffer, which we import.
 */
FIXTURE(foreign) {
	struct scene scene;
	uint32_t handle;
	int buffer;
	uint32_t *words;
};

FIXTURE_SETUP(foreign)
{
	struct scene *scene = &self->scene;

	scene_open(scene);
	if (scene->drm < 0)
		SKIP(return, "this kernel has no vgem");
	ASSERT_LE(0, scene->queue);
	ASSERT_EQ(0, vgem_create(scene, &self->handle));
	self->buffer = vgem_export(scene, self->handle);
	ASSERT_LE(0, self->buffer);
	self->words = vgem_map(scene, self->handle);
	ASSERT_NE(NULL, self->words);
}

FIXTURE_TEARDOWN(foreign)
{
	if (self->words)
		munmap(self->words, SIZE);
	EXPECT_TRUE(scene_close(&self->scene));
}

TEST_F(foreign, is_reported_as_foreign_and_importable)
{
	struct sluice_buffer_info info;
	struct stat stat;

	ASSERT_EQ(0, fstat(self->buffer, &stat));
	ASSERT_EQ(0, sluice_get_buffer(self->scene.device, self->buffer, &info));
	EXPECT_EQ(SLUICE_BUFFER_FOREIGN, info.kind);
	EXPECT_EQ(0, info.error);
	EXPECT_EQ(SIZE, info.size);
	EXPECT_EQ(stat.st_ino, info.inode);
	EXPECT_LE(1, info.segments);
	EXPECT_GE(SIZE / 4096, info.segments);
	EXPECT_LE(4096, info.largest_segment);
}

/*
 * vgem's memory lies anywhere, edu has 28 address bits: mapping it would bounce,
 * and what edu writes would be lost.
 */
TEST_F(foreign, is_refused_by_a_device_that_cannot_address_it)
{
	int edu = sluice_open("edu0"), queue = sluice_queue(edu, 0);
	struct sluice_buffer_info info;

	ASSERT_LE(0, queue);
	ASSERT_EQ(0, sluice_get_buffer(edu, self->buffer, &info));
	EXPECT_EQ(-EADDRNOTAVAIL, info.error);
	EXPECT_EQ(0, info.segments);
	EXPECT_EQ(-EADDRNOTAVAIL, sluice_attach(queue, self->buffer, 0));
	close(queue);
	close(edu);
}

TEST_F(foreign, fill_shows_through_vgems_mapping)
{
	int slot = sluice_attach(self->scene.queue, self->buffer, SLUICE_ATTACH_WRITE);
	uint64_t point;
	size_t i;

	ASSERT_LE(0, slot);
	ASSERT_EQ(0, submit_fill(&self->scene, slot, 0xfeedf00d, -1, NULL, &point));
	ASSERT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
	ASSERT_EQ(0, sluice_cpu_begin(self->buffer, false));
	for (i = 0; i < WORDS; i++)
		if (self->words[i] != 0xfeedf00d)
			break;
	EXPECT_EQ(WORDS, i);
	EXPECT_EQ(0, sluice_cpu_end(self->buffer, false));
}

TEST_F(foreign, copies_both_ways)
{
	int ours = new_buffer(&self->scene, "pages"), foreign_slot, our_slot;
	uint64_t point;
	size_t i;

	ASSERT_LE(0, ours);
	our_slot = sluice_attach(self->scene.queue, ours, 0);
	foreign_slot = sluice_attach(self->scene.queue, self->buffer, 0);
	ASSERT_LE(0, our_slot);
	ASSERT_LE(0, foreign_slot);

	ASSERT_EQ(0, sluice_cpu_begin(self->buffer, true));
	for (i = 0; i < WORDS; i++)
		self->words[i] = expected_word(8, i);
	ASSERT_EQ(0, sluice_cpu_end(self->buffer, true));
	ASSERT_EQ(0, submit_copy(&self->scene, our_slot, foreign_slot, -1, NULL, &point));
	EXPECT_EQ(0, check_words(ours, SIZE, 8));

	ASSERT_EQ(0, fill_words(ours, SIZE, 9));
	ASSERT_EQ(0, submit_copy(&self->scene, foreign_slot, our_slot, -1, NULL, &point));
	ASSERT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
	for (i = 0; i < WORDS; i++)
		if (self->words[i] != expected_word(9, i))
			break;
	EXPECT_EQ(WORDS, i);
}

TEST_F(foreign, job_leaves_its_fence_for_vgem)
{
	int slot = sluice_attach(self->scene.queue, self->buffer, SLUICE_ATTACH_WRITE);
	uint64_t point;
	uint32_t fence;

	ASSERT_LE(0, slot);
	ASSERT_EQ(0, knob("delay_us", 300000));
	ASSERT_EQ(0, submit_fill(&self->scene, slot, 1, -1, NULL, &point));
	EXPECT_EQ(-EBUSY, vgem_fence(&self->scene, self->handle, false, &fence));
	EXPECT_FALSE(is_ready(self->buffer, POLLIN, 0));
	EXPECT_TRUE(is_ready(self->buffer, POLLIN, LATE_MS));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, 0));
}

TEST_F(foreign, job_waits_for_vgems_fences_on_its_own_buffer)
{
	int slot = sluice_attach(self->scene.queue, self->buffer, SLUICE_ATTACH_WRITE);
	uint64_t point;
	uint32_t fence;

	ASSERT_LE(0, slot);
	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, false, &fence));
	ASSERT_EQ(0, submit_fill(&self->scene, slot, 2, -1, NULL, &point));
	EXPECT_EQ(-ETIME, sluice_wait(self->scene.queue, point, SOON_MS));
	EXPECT_EQ(0, self->words[0]);
	ASSERT_EQ(0, vgem_signal(&self->scene, fence));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
	EXPECT_EQ(2, self->words[WORDS - 1]);
}

TEST_F(foreign, our_sync_file_can_be_put_on_vgems_buffer)
{
	int ours = new_buffer(&self->scene, "pages"), slot, out_fence;
	uint64_t point;

	ASSERT_LE(0, ours);
	slot = sluice_attach(self->scene.queue, ours, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, knob("delay_us", 300000));
	ASSERT_EQ(0, submit_fill(&self->scene, slot, 3, -1, &out_fence, &point));
	ASSERT_EQ(0, sluice_fence_import(self->buffer, out_fence, true));
	EXPECT_FALSE(is_ready(self->buffer, POLLIN, 0));
	EXPECT_TRUE(is_ready(self->buffer, POLLIN, LATE_MS));
	EXPECT_EQ(0, sluice_fence_wait(out_fence, 0));
}

TEST_F(foreign, slot_keeps_the_buffer_after_vgem_has_closed_it)
{
	int ours = new_buffer(&self->scene, "pages"), foreign_slot, our_slot;
	uint64_t point;

	ASSERT_LE(0, ours);
	our_slot = sluice_attach(self->scene.queue, ours, 0);
	foreign_slot = sluice_attach(self->scene.queue, self->buffer, 0);
	ASSERT_LE(0, our_slot);
	ASSERT_LE(0, foreign_slot);
	munmap(self->words, SIZE);
	self->words = NULL;
	ASSERT_EQ(0, vgem_release(&self->scene, self->handle));
	drop(&self->scene, self->buffer);
	drop(&self->scene, self->scene.drm);

	ASSERT_EQ(0, submit_fill(&self->scene, foreign_slot, 0xabad1dea, -1, NULL, &point));
	ASSERT_EQ(0, submit_copy(&self->scene, our_slot, foreign_slot, -1, NULL, &point));
	EXPECT_EQ(0, check_value(ours, SIZE, 0xabad1dea));
}

/* edu has 28 address bits, and most memory lies above them. */
TEST(memory_that_the_device_cannot_address_is_refused_not_bounced)
{
	struct objects before = objects_read();
	struct sluice_buffer_info info;
	int device = sluice_open("edu0"), queue = sluice_queue(device, 0);
	int other = sluice_open("soft0"), buffer = sluice_alloc(other, 0, 1 << 20, 0);

	ASSERT_GE(queue, 0);
	ASSERT_GE(buffer, 0);
	EXPECT_EQ(-EADDRNOTAVAIL, sluice_attach(queue, buffer, 0));
	ASSERT_EQ(0, sluice_get_buffer(device, buffer, &info));
	EXPECT_EQ(-EADDRNOTAVAIL, info.error);
	EXPECT_EQ(0, info.segments);
	close(buffer);
	close(other);
	close(queue);
	close(device);
	EXPECT_TRUE(objects_settle(&before));
}

TEST_HARNESS_MAIN
