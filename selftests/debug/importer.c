// SPDX-License-Identifier: MIT
/*
 * An importer that does what no importer should do: it maps in every direction at once, asks for
 * tiny segments, cannot reach the memory, holds it across unbind and after all others have released
 * it, and leaves fences that signal late.  Sluice must survive this.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "harness.h"
#include "import.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "sluice.h"

#define SIZE (256UL << 10)
#define MS 1000000LL
#define SOFT_DRIVER "/sys/bus/platform/drivers/sluice-soft"

static int number(int fd, unsigned long request, void *argument)
{
	int ret = ioctl(fd, request, argument);

	return ret < 0 ? -errno : ret;
}

static int cpu(int importer, int fd, unsigned int what, unsigned int dir)
{
	struct importer_cpu args = { .fd = fd, .what = what, .dir = dir };

	return number(importer, IMPORTER_CPU, &args);
}

static int late_fence(int importer, int fd, bool write, unsigned int ms, int error)
{
	struct importer_fence args = { .fd = fd, .write = write, .ms = ms, .error = error };

	return number(importer, IMPORTER_FENCE, &args);
}

FIXTURE(importer) {
	struct objects before;
	int device, buffer, importer;
};

FIXTURE_VARIANT(importer) {
	unsigned int heap;
};

FIXTURE_VARIANT_ADD(importer, pages) { .heap = 0 };
FIXTURE_VARIANT_ADD(importer, contiguous) { .heap = 1 };

FIXTURE_SETUP(importer)
{
	if (!import_load())
		SKIP(return, "no sluice-importer.ko for this kernel");
	knob("delay_us", 0);
	self->before = objects_before();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	self->buffer = sluice_alloc(self->device, variant->heap, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
	self->importer = import_open();
	ASSERT_GE(self->importer, 0);
}

FIXTURE_TEARDOWN(importer)
{
	close(self->importer);
	close(self->buffer);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

TEST_F(importer, gets_segments_within_its_limits)
{
	static const unsigned int max_segs[] = { 512, 4095, 4096, 8192, 12288, 65536, UINT32_MAX };
	static const __u64 boundaries[] = { 2047, 4095, 8191, 65535, 0xffffffff, ~0ULL };
	struct importer_map table;
	unsigned int i, j;

	ASSERT_EQ(fill_words(self->buffer, SIZE, 3), 0);
	for (i = 0; i < sizeof(max_segs) / sizeof(max_segs[0]); i++) {
		for (j = 0; j < sizeof(boundaries) / sizeof(boundaries[0]); j++) {
			int importer = import_open();
			int device = import_device(importer, 64, max_segs[i], boundaries[j]);
			int attachment = import_attach(importer, device, self->buffer, 0);
			int mapping = import_map(importer, attachment, BIDIRECTIONAL, &table);

			ASSERT_GE(mapping, 0);
			EXPECT_EQ(table.total, SIZE);
			EXPECT_LE(table.largest, max_segs[i]);
			EXPECT_EQ(table.crossing, 0);
			EXPECT_EQ(table.unreachable, 0);
			EXPECT_EQ(import_differing(importer, mapping, SIZE, 3), 0);
			close(importer);
		}
	}
}

TEST_F(importer, sees_whole_pieces_of_2_mib_in_memory_of_huge_pages)
{
	struct sluice_alloc alloc = { .size = 3 * IMPORTER_HUGE, .flags = SLUICE_MEM_HUGE };
	int device = import_device(self->importer, 64, 65536, NO_BOUNDARY), attachment;
	struct importer_map table;

	/* the heap with huge pages; short segments of one piece count as one run */
	ASSERT_EQ(ioctl(self->device, SLUICE_IOCTL_ALLOC, &alloc), 0);
	attachment = import_attach(self->importer, device, alloc.fd, 0);
	close(alloc.fd);
	ASSERT_GE(import_map(self->importer, attachment, BIDIRECTIONAL, &table), 0);
	EXPECT_EQ(table.huge, 3);
	EXPECT_GE(table.segments, 3 * IMPORTER_HUGE / 65536);
	ASSERT_EQ(import_unmap(self->importer, 0), 0);
	/* a small buffer has no such piece */
	attachment = import_attach(self->importer, device, self->buffer, 0);
	ASSERT_GE(import_map(self->importer, attachment, BIDIRECTIONAL, &table), 0);
	EXPECT_EQ(table.huge, 0);
}

TEST_F(importer, that_cannot_reach_the_memory_is_refused_at_attach)
{
	int far = import_device(self->importer, 20, 65536, NO_BOUNDARY);
	int further = import_device(self->importer, 1, 65536, NO_BOUNDARY);
	/* the guest's memory ends below 8 GiB */
	int device = import_device(self->importer, 33, 65536, NO_BOUNDARY);

	EXPECT_EQ(import_attach(self->importer, far, self->buffer, 0), -EADDRNOTAVAIL);
	EXPECT_EQ(import_attach(self->importer, further, self->buffer, 0), -EADDRNOTAVAIL);
	EXPECT_GE(import_attach(self->importer, device, self->buffer, 0), 0);
}

/* An importer that maps in both directions does not tell whether it writes. */
TEST_F(importer, that_only_writes_is_refused_a_read_only_buffer)
{
	struct sluice_alloc alloc = {
		.size = SIZE, .heap = variant->heap, .fd_flags = SLUICE_FD_RDONLY,
	};
	int device = import_device(self->importer, 64, 65536, NO_BOUNDARY), attachment;
	struct importer_map table;

	ASSERT_EQ(ioctl(self->device, SLUICE_IOCTL_ALLOC, &alloc), 0);
	attachment = import_attach(self->importer, device, alloc.fd, 0);
	close(alloc.fd);
	ASSERT_GE(attachment, 0);
	EXPECT_EQ(import_map(self->importer, attachment, FROM_DEVICE, &table), -EACCES);
	EXPECT_GE(import_map(self->importer, attachment, TO_DEVICE, &table), 0);
	EXPECT_GE(import_map(self->importer, attachment, BIDIRECTIONAL, &table), 0);
	/* the same with a buffer that is not read-only */
	attachment = import_attach(self->importer, device, self->buffer, 0);
	EXPECT_GE(import_map(self->importer, attachment, FROM_DEVICE, &table), 0);
}

/* The exporter must check this, because dma_buf_mmap() checks only the importer's file. */
TEST_F(importer, maps_a_read_only_buffer_into_processes_for_reading_alone)
{
	struct sluice_alloc alloc = {
		.size = SIZE, .heap = variant->heap, .fd_flags = SLUICE_FD_RDONLY,
	};
	int device = import_device(self->importer, 64, 65536, NO_BOUNDARY), attachment;
	uint32_t *words;

	ASSERT_EQ(ioctl(self->device, SLUICE_IOCTL_ALLOC, &alloc), 0);
	attachment = import_attach(self->importer, device, alloc.fd, 0);
	close(alloc.fd);
	ASSERT_GE(attachment, 0);
	EXPECT_EQ(import_mmap(self->importer, attachment, SIZE, PROT_READ | PROT_WRITE),
		  MAP_FAILED);
	EXPECT_EQ(errno, EACCES);
	words = import_mmap(self->importer, attachment, SIZE, PROT_READ);
	ASSERT_NE(words, MAP_FAILED);
	EXPECT_EQ(words[SIZE / 4 - 1], 0);
	EXPECT_EQ(mprotect(words, SIZE, PROT_READ | PROT_WRITE), -1);
	EXPECT_EQ(errno, EACCES);
	munmap(words, SIZE);

	/* a buffer that is not read-only, even if its fd is */
	attachment = import_attach(self->importer, device, self->buffer, 0);
	words = import_mmap(self->importer, attachment, SIZE, PROT_READ | PROT_WRITE);
	ASSERT_NE(words, MAP_FAILED);
	words[0] = 1;
	munmap(words, SIZE);
}

TEST_F(importer, has_as_many_segments_as_BUFFER_INFO_says)
{
	int device = import_device(self->importer, 64, UINT32_MAX, NO_BOUNDARY);
	int attachment = import_attach(self->importer, device, self->buffer, 0);
	struct sluice_buffer_info info;
	struct importer_map table;

	ASSERT_GE(import_map(self->importer, attachment, TO_DEVICE, &table), 0);
	ASSERT_EQ(sluice_buffer_info(self->device, self->buffer, &info), 0);
	EXPECT_EQ(info.error, 0);
	EXPECT_EQ(info.segments, table.segments);
	EXPECT_EQ(info.largest_segment, table.largest);
}

TEST_F(importer, maps_in_every_direction_several_times_at_once)
{
	static const unsigned int dirs[] = {
		BIDIRECTIONAL, TO_DEVICE, FROM_DEVICE, FROM_DEVICE, TO_DEVICE, BIDIRECTIONAL,
	};
	int device = import_device(self->importer, 64, 65536, NO_BOUNDARY), attachments[2], i;
	struct importer_word word = { .value = 0x5a5a5a5a };
	int mappings[2][6];
	struct importer_map table;

	ASSERT_EQ(fill_words(self->buffer, SIZE, 4), 0);
	attachments[0] = import_attach(self->importer, device, self->buffer, 0);
	attachments[1] = import_attach(self->importer, device, self->buffer, 0);
	ASSERT_GE(attachments[1], 0);
	for (i = 0; i < 12; i++) {
		mappings[i % 2][i / 2] = import_map(self->importer, attachments[i % 2], dirs[i / 2],
					     &table);
		ASSERT_GE(mappings[i % 2][i / 2], 0);
		EXPECT_EQ(table.total, SIZE);
		EXPECT_EQ(import_differing(self->importer, mappings[i % 2][i / 2], SIZE, 4), 0);
	}
	/* all mappings show the same memory */
	word.mapping = mappings[0][0];
	word.offset = SIZE - 4;
	EXPECT_EQ(number(self->importer, IMPORTER_WRITE, &word), 0);
	word.value = 0;
	word.mapping = mappings[1][5];
	EXPECT_EQ(number(self->importer, IMPORTER_READ, &word), 0);
	EXPECT_EQ(word.value, 0x5a5a5a5a);
	/* close one importer; the mappings of the other stay */
	for (i = 5; i >= 0; i--)
		EXPECT_EQ(import_unmap(self->importer, mappings[0][i]), 0);
	EXPECT_EQ(import_detach(self->importer, attachments[0]), 0);
	EXPECT_EQ(import_differing(self->importer, mappings[1][2], SIZE - 4, 4), 0);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(import_unmap(self->importer, mappings[1][i]), 0);
	EXPECT_EQ(import_detach(self->importer, attachments[1]), 0);
}

TEST_F(importer, brings_many_devices)
{
	struct importer_map table;
	int i, mapping = -1;

	ASSERT_EQ(fill_words(self->buffer, SIZE, 5), 0);
	for (i = 0; i < IMPORTER_MAX; i++) {
		int device = import_device(self->importer, 33 + i, 4096 * (i + 1), NO_BOUNDARY);
		int attachment = import_attach(self->importer, device, self->buffer, 0);

		ASSERT_GE(attachment, 0);
		/* dma-debug cannot follow more than 7 mappings that write to the same place */
		mapping = import_map(self->importer, attachment, i < 6 ? i % 3 : TO_DEVICE, &table);
		ASSERT_GE(mapping, 0);
		EXPECT_LE(table.largest, 4096U * (i + 1));
	}
	EXPECT_EQ(import_differing(self->importer, mapping, SIZE, 5), 0);
	EXPECT_EQ(fill_words(self->buffer, SIZE, 6), 0);
	EXPECT_EQ(import_differing(self->importer, 0, SIZE, 6), 0);
}

TEST_F(importer, holds_the_memory_after_all_others_have_released_it)
{
	int device = import_device(self->importer, 64, 4096, NO_BOUNDARY);
	int attachment = import_attach(self->importer, device, self->buffer, 0), mapping;
	struct importer_map table;

	mapping = import_map(self->importer, attachment, TO_DEVICE, &table);
	ASSERT_GE(mapping, 0);
	ASSERT_EQ(fill_words(self->buffer, SIZE, 7), 0);
	close(self->buffer);
	close(self->device);
	self->buffer = self->device = -1;
	EXPECT_EQ(import_differing(self->importer, mapping, SIZE, 7), 0);
	EXPECT_EQ(import_detach(self->importer, attachment), -EBUSY);
	EXPECT_EQ(import_unmap(self->importer, mapping), 0);
	EXPECT_EQ(import_detach(self->importer, attachment), 0);
}

TEST_F(importer, holds_its_mapping_across_unbind_and_rebind)
{
	int device = import_device(self->importer, 64, 65536, NO_BOUNDARY), tries, i;
	int attachment = import_attach(self->importer, device, self->buffer, 0), mapping, second;
	struct importer_map table;

	ASSERT_EQ(fill_words(self->buffer, SIZE, 8), 0);
	mapping = import_map(self->importer, attachment, BIDIRECTIONAL, &table);
	ASSERT_GE(mapping, 0);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(write_text(SOFT_DRIVER "/unbind", "sluice-soft"), 0);
		EXPECT_EQ(import_differing(self->importer, mapping, SIZE, 8), 0);
		/* the device is removed, but its memory may still be mapped and attached again */
		second = import_map(self->importer, attachment, FROM_DEVICE, &table);
		EXPECT_GE(second, 0);
		EXPECT_EQ(cpu(self->importer, self->buffer, IMPORTER_VMAP, 0), 0);
		EXPECT_EQ(import_unmap(self->importer, second), 0);
		second = import_attach(self->importer, device, self->buffer, 0);
		EXPECT_GE(second, 0);
		EXPECT_EQ(import_detach(self->importer, second), 0);
		ASSERT_EQ(write_text(SOFT_DRIVER "/bind", "sluice-soft"), 0);
		for (tries = 0; tries < 300 && access("/dev/sluice/soft0", F_OK); tries++)
			usleep(10000);
	}
	EXPECT_EQ(import_differing(self->importer, mapping, SIZE, 8), 0);
}

TEST_F(importer, brackets_cpu_access_in_any_order)
{
	unsigned int seed = 1, i;
	int device = import_device(self->importer, 64, 8192, NO_BOUNDARY), mapping = -1;
	int attachment = import_attach(self->importer, device, self->buffer, 0);
	struct importer_map table;

	ASSERT_GE(attachment, 0);
	/* ends without begins, in every direction, with and without a mapping */
	for (i = 0; i < 200; i++) {
		unsigned int what = rand_r(&seed) % 4;

		if (what < 3) {
			EXPECT_EQ(cpu(self->importer, self->buffer, what, rand_r(&seed) % 3), 0);
			continue;
		}
		if (mapping < 0)
			mapping = import_map(self->importer, attachment, rand_r(&seed) % 3, &table);
		else if (!import_unmap(self->importer, mapping))
			mapping = -1;
	}
	ASSERT_EQ(fill_words(self->buffer, SIZE, 9), 0);
	EXPECT_EQ(check_words(self->buffer, SIZE, 9), 0);
}

TEST_F(importer, leaves_a_late_fence_that_jobs_and_cpu_wait_for)
{
	int queue = sluice_queue_create(self->device, 0), fence;
	int64_t began = now_ns();
	struct sluice_op op;

	ASSERT_EQ(sluice_attach(queue, self->buffer, 0), 0);
	ASSERT_EQ(late_fence(self->importer, self->buffer, true, 400, 0), 0);
	sluice_op_fill(&op, 0, 0, SIZE, 0x11);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fence, 0, NULL), 0);
	EXPECT_EQ(sluice_fence_wait(fence, 100), -ETIME);
	EXPECT_EQ(cpu(self->importer, self->buffer, IMPORTER_BEGIN, TO_DEVICE), 0);
	EXPECT_GE(now_ns() - began, 390 * MS);
	EXPECT_EQ(cpu(self->importer, self->buffer, IMPORTER_END, TO_DEVICE), 0);
	EXPECT_EQ(sluice_fence_wait(fence, 5000), 0);
	EXPECT_EQ(check_value(self->buffer, SIZE, 0x11), 0);
	close(fence);

	/* readers do not wait for a read fence, and ignore the error of an implicit fence */
	ASSERT_EQ(late_fence(self->importer, self->buffer, false, 300, -EIO), 0);
	began = now_ns();
	EXPECT_EQ(cpu(self->importer, self->buffer, IMPORTER_BEGIN, FROM_DEVICE), 0);
	EXPECT_LT(now_ns() - began, 250 * MS);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fence, 0, NULL), 0);
	EXPECT_EQ(sluice_fence_wait(fence, 5000), 0);
	close(fence);

	/* the last fence is not waited for: it outlives queue and buffer */
	ASSERT_EQ(late_fence(self->importer, self->buffer, true, 500, 0), 0);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fence, 0, NULL), 0);
	close(queue);
	EXPECT_EQ(sluice_fence_wait(fence, 300), -ECANCELED);
	close(fence);
}

struct worker {
	int buffer;
	unsigned int seed;
	int errors;
};

static void *attach_and_go(void *argument)
{
	struct worker *worker = argument;
	struct importer_map table;
	int round, i;

	for (round = 0; round < 15; round++) {
		int importer = import_open();
		int device = import_device(importer, 40, 4096 << rand_r(&worker->seed) % 5,
					NO_BOUNDARY);
		int attachment = import_attach(importer, device, worker->buffer, 0);

		for (i = 0; i < 4; i++)
			if (import_map(importer, attachment, rand_r(&worker->seed) % 3, &table) < 0 ||
			    table.total != SIZE)
				worker->errors++;
		cpu(importer, worker->buffer, rand_r(&worker->seed) % 3, BIDIRECTIONAL);
		if (rand_r(&worker->seed) & 1)
			import_unmap(importer, 2);
		close(importer);
	}
	return NULL;
}

TEST_F_TIMEOUT(importer, comes_many_at_a_time, 120)
{
	struct worker workers[3];
	pthread_t threads[3];
	int i;

	for (i = 0; i < 3; i++) {
		workers[i] = (struct worker) { .buffer = self->buffer, .seed = i + 1 };
		ASSERT_EQ(pthread_create(&threads[i], NULL, attach_and_go, &workers[i]), 0);
	}
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(workers[i].errors, 0);
	}
}

/* The soft driver is bound to the importer's device. */
TEST_F(importer, lends_its_device_and_the_node_gets_the_next_number)
{
	int tries, second, queue, fence, buffer;
	struct sluice_op op;

	ASSERT_GE(import_device(self->importer, 64, 65536, NO_BOUNDARY), 0);
	ASSERT_EQ(system("cd /sys/bus/platform/devices/sluice-importer.*/ && "
			 "echo sluice-soft >driver_override && "
			 "echo ${PWD##*/} >" SOFT_DRIVER "/bind"), 0);
	for (tries = 0; tries < 300 && access("/dev/sluice/soft1", F_OK); tries++)
		usleep(10000);
	second = sluice_open("soft1");
	ASSERT_GE(second, 0);
	buffer = sluice_alloc(second, variant->heap, SIZE, 0);
	queue = sluice_queue_create(second, 0);
	ASSERT_EQ(sluice_attach(queue, buffer, 0), 0);
	sluice_op_fill(&op, 0, 0, SIZE, 0x22);
	ASSERT_EQ(sluice_submit(queue, &op, 1, -1, &fence, 0, NULL), 0);
	EXPECT_EQ(sluice_fence_wait(fence, 5000), 0);
	EXPECT_EQ(check_value(buffer, SIZE, 0x22), 0);
	close(fence);
	close(queue);
	close(buffer);
	close(second);
	/* the device is removed while the driver is bound */
	close(self->importer);
	EXPECT_NE(access("/dev/sluice/soft1", F_OK), 0);
	EXPECT_EQ(access("/dev/sluice/soft0", F_OK), 0);
	self->importer = -1;
}

static int importer_references(void)
{
	FILE *file = fopen("/sys/module/sluice_importer/refcnt", "re");
	int count = -1;

	if (!file || fscanf(file, "%d", &count) != 1)
		count = -1;
	if (file)
		fclose(file);
	return count;
}

/*
 * On newer kernels a signalled fence drops its ops, so the module waits for that and unloads.  On
 * others each fence keeps the module until the fence's buffer is freed.
 */
TEST(importer_module_unloads_with_a_fence_of_its_own_pending)
{
	int device = sluice_open("soft0"), buffer = sluice_alloc(device, 0, SIZE, 0), importer;
	struct objects before = objects_read();
	int references, tries;

	if (!import_load())
		SKIP(return, "no sluice-importer.ko for this kernel");
	importer = import_open();
	ASSERT_GE(importer, 0);
	ASSERT_EQ(late_fence(importer, buffer, true, 700, 0), 0);
	close(importer);
	references = importer_references();
	ASSERT_GE(references, 0);
	if (!references) {
		EXPECT_EQ(system("rmmod sluice-importer"), 0);
	} else {
		EXPECT_EQ(references, 1);
		EXPECT_NE(system("rmmod sluice-importer 2>/dev/null"), 0);
	}
	EXPECT_EQ(sluice_cpu_begin(buffer, true), 0);
	EXPECT_EQ(sluice_cpu_end(buffer, true), 0);
	EXPECT_TRUE(objects_settle(&before));
	close(buffer);
	close(device);
	if (references) {
		for (tries = 0; tries < 300 && importer_references() > 0; tries++)
			usleep(10000);
		EXPECT_EQ(system("rmmod sluice-importer"), 0);
	}
}

TEST_HARNESS_MAIN
