// SPDX-License-Identifier: MIT
/*
 * Fences of another driver: vgem puts them on Sluice's buffers, and signals them when a test asks
 * for it, as a GPU would.  vgem also meets Sluice's fences.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <linux/dma-buf.h>
#include <linux/sync_file.h>

#include "harness.h"
#include "jobs.h"
#include "machine.h"
#include "pattern.h"
#include "vgem_scene.h"

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

/* Fences of vgem on Sluice's buffers: vgem has imported src, but not dst. */
FIXTURE(fence) {
	struct scene scene;
	int src, dst;
	int src_slot, dst_slot;
	uint32_t handle;
};

FIXTURE_SETUP(fence)
{
	struct scene *scene = &self->scene;

	vgem_scene_open(scene);
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
	EXPECT_TRUE(vgem_scene_close(&self->scene));
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
	struct later later = { .scene = &self->scene, .ms = 300 };
	int64_t began, read_ms, write_ms;

	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, false, &later.fence));
	/* the fence is pending, and vgem signals it after 10 s */
	began = now_ns();
	EXPECT_EQ(0, sluice_cpu_begin(self->src, false));
	read_ms = (now_ns() - began) / 1000000;
	EXPECT_FALSE(is_ready(self->src, POLLOUT, 0));
	EXPECT_EQ(0, sluice_cpu_end(self->src, false));
	began = now_ns();
	ASSERT_EQ(0, later_begin(&later));
	EXPECT_EQ(0, sluice_cpu_begin(self->src, true));
	write_ms = (now_ns() - began) / 1000000;
	EXPECT_EQ(0, later_end(&later));
	EXPECT_EQ(0, sluice_cpu_end(self->src, true));
	EXPECT_GT(9000, read_ms);
	EXPECT_LE(299, write_ms);
}

/* The writer completes its data after SUBMIT: a job that did not wait would not read it. */
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
	struct gate gate;
	uint64_t point;

	ASSERT_LE(0, slot);
	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	ASSERT_EQ(0, submit_fill(&self->scene, slot, 2, -1, NULL, &point));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
	EXPECT_FALSE(is_ready(self->src, POLLIN, 0));
	ASSERT_EQ(0, vgem_signal(&self->scene, fence));
	EXPECT_EQ(0, check_value(self->src, SIZE, 2));

	ASSERT_EQ(0, gate_shut(&gate, 0));
	ASSERT_EQ(0, submit_fill(&self->scene, slot, 3, -1, NULL, &point));
	EXPECT_EQ(0, vgem_fence(&self->scene, self->handle, true, &other));
	EXPECT_EQ(0, vgem_signal(&self->scene, other));
	EXPECT_TRUE(is_ready(self->src, POLLOUT, 0));
	EXPECT_EQ(-ETIME, sluice_wait(self->scene.queue, point, 0));
	ASSERT_EQ(0, gate_open(&gate));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
}

TEST_F(fence, vgem_finds_the_buffer_busy_while_our_job_writes)
{
	uint64_t point;
	struct gate gate;
	uint32_t fence;
	int exported;

	ASSERT_EQ(0, gate_shut(&gate, 0));
	ASSERT_EQ(0, submit_fill(&self->scene, self->src_slot, 4, -1, NULL, &point));
	EXPECT_EQ(-EBUSY, vgem_fence(&self->scene, self->handle, false, &fence));
	EXPECT_EQ(-EBUSY, vgem_fence(&self->scene, self->handle, true, &fence));
	EXPECT_FALSE(is_ready(self->src, POLLIN, 0));
	exported = keep(&self->scene, sluice_fence_export(self->src, false));
	ASSERT_LE(0, exported);
	EXPECT_EQ(1, count_fences(exported, "sluice"));
	EXPECT_EQ(-ETIME, sluice_fence_wait(exported, 0));

	ASSERT_EQ(0, gate_open(&gate));
	EXPECT_TRUE(is_ready(self->src, POLLIN, LATE_MS));
	EXPECT_EQ(0, sluice_fence_wait(exported, 0));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, 0));
	EXPECT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	EXPECT_EQ(0, vgem_signal(&self->scene, fence));
}

TEST_F(fence, vgem_may_read_while_our_job_reads)
{
	uint32_t fence, other;
	struct gate gate;
	uint64_t point;

	ASSERT_EQ(0, gate_shut(&gate, 0));
	ASSERT_EQ(0, submit_copy(&self->scene, self->dst_slot, self->src_slot, -1, NULL, &point));
	EXPECT_EQ(-EBUSY, vgem_fence(&self->scene, self->handle, true, &other));
	EXPECT_EQ(0, vgem_fence(&self->scene, self->handle, false, &fence));
	EXPECT_TRUE(is_ready(self->src, POLLIN, 0));
	EXPECT_FALSE(is_ready(self->src, POLLOUT, 0));
	ASSERT_EQ(0, gate_open(&gate));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
	/* Sluice's job has ended, but vgem's fence is pending */
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
	/* the job does not use src: only the in-fence makes it wait */
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

	/* in one round vgem's fence signals first, in the other Sluice's */
	for (first = 0; first < 2; first++) {
		int theirs, ours, merged;
		struct gate gate;
		uint64_t point;
		uint32_t fence;

		ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
		theirs = keep(&self->scene, sluice_fence_export(self->src, false));
		ASSERT_LE(0, theirs);
		ASSERT_EQ(0, gate_shut(&gate, 0));
		ASSERT_EQ(0, submit_fill(&self->scene, self->dst_slot, 6, -1, &ours, &point));
		merged = keep(&self->scene, sluice_fence_merge(ours, theirs));
		ASSERT_LE(0, merged);
		EXPECT_EQ(1, count_fences(merged, "sluice"));
		EXPECT_EQ(1, count_fences(merged, "vgem"));
		if (first) {
			ASSERT_EQ(0, gate_open(&gate));
			EXPECT_EQ(0, sluice_fence_wait(ours, LATE_MS));
			EXPECT_EQ(-ETIME, sluice_fence_wait(merged, SOON_MS));
			EXPECT_EQ(0, vgem_signal(&self->scene, fence));
		} else {
			EXPECT_EQ(0, vgem_signal(&self->scene, fence));
			EXPECT_EQ(0, sluice_fence_wait(theirs, LATE_MS));
			EXPECT_EQ(-ETIME, sluice_fence_wait(merged, SOON_MS));
			ASSERT_EQ(0, gate_open(&gate));
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

/* vgem signals its fence after 10 s, which is shorter than the time limit of in-fences. */
TEST_F(fence, job_outlasts_a_vgem_fence_that_nobody_signals)
{
	int64_t began = now_ns(), seconds;
	uint64_t point;
	uint32_t fence;

	ASSERT_EQ(0, vgem_fence(&self->scene, self->handle, true, &fence));
	ASSERT_EQ(0, submit_copy(&self->scene, self->dst_slot, self->src_slot, -1, NULL, &point));
	EXPECT_EQ(0, sluice_wait(self->scene.queue, point, LATE_MS));
	seconds = (now_ns() - began) / 1000000000;
	EXPECT_LE(9, seconds);
	/* long before the job would give up */
	EXPECT_GT(LATE_MS / 1000, seconds);
	EXPECT_EQ(-ETIMEDOUT, vgem_signal(&self->scene, fence));
}

TEST_HARNESS_MAIN
