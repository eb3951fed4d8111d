// SPDX-License-Identifier: MIT
/*
 * vgem: the DRM driver without hardware.  It imports Sluice's buffers, exports its own, and puts
 * fences on both when a test asks for it.  It does all that a GPU does with a dma-buf, except
 * drawing.
 *
 * Each test keeps its fds in a scene.  The teardown closes all of them, and checks that the kernel
 * has freed every object.
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

#include "buffers.h"
#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "vgem_scene.h"

/* vgem has imported Sluice's buffer. */
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

FIXTURE_VARIANT_ADD(import, memfd) {
	.heap = "memfd",
};

FIXTURE_SETUP(import)
{
	vgem_scene_open(&self->scene);
	if (self->scene.drm < 0)
		SKIP(return, "this kernel has no vgem");
	ASSERT_LE(0, self->scene.queue);
	self->buffer = new_buffer(&self->scene, variant->heap);
	ASSERT_LE(0, self->buffer);
	ASSERT_EQ(0, vgem_import(&self->scene, self->buffer, &self->handle));
}

FIXTURE_TEARDOWN(import)
{
	EXPECT_TRUE(vgem_scene_close(&self->scene));
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

/*
 * DRM does not map an imported buffer through its own node; if it ever does, the data must be
 * right.
 */
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

	/* vgem has the last reference to the buffer, which is freed with it */
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

/* A buffer of vgem, which Sluice imports. */
FIXTURE(foreign) {
	struct scene scene;
	uint32_t handle;
	int buffer;
	uint32_t *words;
};

FIXTURE_SETUP(foreign)
{
	struct scene *scene = &self->scene;

	vgem_scene_open(scene);
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
	EXPECT_TRUE(vgem_scene_close(&self->scene));
}

TEST_F(foreign, is_reported_as_foreign_and_importable)
{
	struct sluice_buffer_info info;
	struct stat stat;

	ASSERT_EQ(0, fstat(self->buffer, &stat));
	ASSERT_EQ(0, sluice_buffer_info(self->scene.device, self->buffer, &info));
	EXPECT_EQ(SLUICE_BUFFER_FOREIGN, info.kind);
	EXPECT_EQ(0, info.error);
	EXPECT_EQ(SIZE, info.size);
	EXPECT_EQ(stat.st_ino, info.inode);
	EXPECT_LE(1, info.segments);
	EXPECT_GE(SIZE / 4096, info.segments);
	EXPECT_LE(4096, info.largest_segment);
}

/* Memory that a device with 28 address bits reaches through an IOMMU. */
static void reached_by(struct __test_metadata *_metadata, int device, int buffer, size_t size)
{
	int queue = patient_queue(device, 0);
	struct sluice_buffer_info info;
	const size_t part = 8192;	/* edu is slow */
	struct sluice_op op;

	ASSERT_EQ(0, sluice_buffer_info(device, buffer, &info));
	EXPECT_EQ(0, info.error);
	EXPECT_EQ(1, info.segments);
	EXPECT_EQ(size, info.largest_segment);
	ASSERT_EQ(0, sluice_attach(queue, buffer, 0));
	sluice_op_fill(&op, 0, 0, part, 0x28282828);
	ASSERT_EQ(0, sluice_submit(queue, &op, 1, -1, NULL, 0, NULL));
	EXPECT_EQ(0, sluice_wait(queue, 1, LATE_MS));
	EXPECT_EQ(0, check_value(buffer, part, 0x28282828));
	close(queue);
}

/*
 * vgem's memory may be anywhere, and edu has 28 address bits.  A mapping would bounce, and data
 * that edu writes would be lost.
 */
TEST_F(foreign, is_refused_by_a_device_that_cannot_address_it)
{
	int edu = sluice_open("edu0"), queue = sluice_queue_create(edu, 0), i, beyond;
	struct sluice_buffer_info info;
	uint32_t handle;

	NEEDS_DEVICE("edu0");
	ASSERT_LE(0, queue);
	if (translated()) {
		reached_by(_metadata, edu, self->buffer, SIZE);
		close(queue);
		close(edu);
		return;
	}
	/* hold buffers within reach until one is beyond */
	for (i = 0; !(beyond = is_beyond(self->scene.device, self->buffer, 28)); i++) {
		ASSERT_GT((1 << 28) / SIZE, i);
		drop(&self->scene, self->buffer);
		ASSERT_EQ(0, vgem_create(&self->scene, &handle));
		self->buffer = vgem_export(&self->scene, handle);
		ASSERT_LE(0, self->buffer);
	}
	ASSERT_EQ(1, beyond);
	ASSERT_EQ(0, sluice_buffer_info(edu, self->buffer, &info));
	EXPECT_EQ(-EADDRNOTAVAIL, info.error);
	EXPECT_EQ(0, info.segments);
	EXPECT_EQ(-EADDRNOTAVAIL, sluice_attach(queue, self->buffer, 0));
	drop(&self->scene, self->buffer);
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
	struct gate gate;
	uint64_t point;
	uint32_t fence;

	ASSERT_LE(0, slot);
	ASSERT_EQ(0, gate_shut(&gate, 0));
	ASSERT_EQ(0, submit_fill(&self->scene, slot, 1, -1, NULL, &point));
	EXPECT_EQ(-EBUSY, vgem_fence(&self->scene, self->handle, false, &fence));
	EXPECT_FALSE(is_ready(self->buffer, POLLIN, 0));
	ASSERT_EQ(0, gate_open(&gate));
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
	struct gate gate;
	uint64_t point;

	ASSERT_LE(0, ours);
	slot = sluice_attach(self->scene.queue, ours, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, gate_shut(&gate, 0));
	ASSERT_EQ(0, submit_fill(&self->scene, slot, 3, -1, &out_fence, &point));
	ASSERT_EQ(0, sluice_fence_import(self->buffer, out_fence, true));
	EXPECT_FALSE(is_ready(self->buffer, POLLIN, 0));
	ASSERT_EQ(0, gate_open(&gate));
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

#define PIECE	(8UL << 20)
#define PIECES	33	/* more than 28 bits can address */

/* edu has 28 address bits, and most memory is beyond them. */
TEST(memory_that_the_device_cannot_address_is_refused_not_bounced)
{
	struct objects before = objects_before();
	struct sluice_buffer_info info;
	int device = sluice_open("edu0"), queue = sluice_queue_create(device, 0);
	int other = sluice_open("soft0"), buffers[PIECES], last = 0, beyond;

	NEEDS_DEVICE("edu0");
	ASSERT_GE(queue, 0);
	/* hold buffers within reach until one is beyond */
	buffers[0] = sluice_alloc(other, 0, PIECE, 0);
	while (!(beyond = is_beyond(other, buffers[last], 28))) {
		ASSERT_LT(++last, PIECES);
		buffers[last] = sluice_alloc(other, 0, PIECE, 0);
	}
	ASSERT_EQ(1, beyond);
	if (translated()) {
		reached_by(_metadata, device, buffers[last], PIECE);
	} else {
		EXPECT_EQ(-EADDRNOTAVAIL, sluice_attach(queue, buffers[last], 0));
		ASSERT_EQ(0, sluice_buffer_info(device, buffers[last], &info));
		EXPECT_EQ(-EADDRNOTAVAIL, info.error);
		EXPECT_EQ(0, info.segments);
	}
	for (; last >= 0; last--)
		close(buffers[last]);
	close(other);
	close(queue);
	close(device);
	EXPECT_TRUE(objects_settle(&before));
}

TEST_HARNESS_MAIN
