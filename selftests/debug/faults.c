// SPDX-License-Identifier: MIT
/*
 * Every allocation and every copy from or to user memory on the path of each
 * call fails once in turn (/proc/self/fail-nth): a clean errno each time, a
 * device that goes on working, and nothing lost.  Needs a kernel with fault
 * injection: make check-debug.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "support.h"

#define SIZE (256UL << 10)

static int device, queue, buffer, fail_nth;

/*
 * Call attempt() with the first, second, third ... chance to fail failing,
 * until it gets through without a fault.  Between two attempts the counts of
 * all objects must be back where they were.
 */
static int each_site(struct __test_metadata *_metadata, const char *name, int (*attempt)(void),
		     void (*undo)(int result))
{
	struct objects before = objects_read();
	int sites = 0, nth, result;
	char text[16];

	for (nth = 1; nth < 400; nth++) {
		int length = snprintf(text, sizeof(text), "%d", nth), left = 0;

		ASSERT_EQ(pwrite(fail_nth, text, length, 0), length);
		result = attempt();
		/*
		 * What is left of the count tells whether a fault was injected.
		 * Reading and resetting it copy to and from user memory, too,
		 * and may get the fault that the call did not.
		 */
		memset(text, 0, sizeof(text));
		left = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : 1;
		while (pwrite(fail_nth, "0", 1, 0) != 1)
			;
		if (result >= 0)
			undo(result);
		EXPECT_TRUE(objects_settle(&before)) TH_LOG("%s, site %d", name, nth);
		if (left) {
			EXPECT_GE(result, 0) TH_LOG("%s: %s without a fault", name, strerror(-result));
			break;
		}
		sites++;
		/* a fault that was survived is fine; one that was not has its errno */
		if (result < 0)
			EXPECT_TRUE(result == -ENOMEM || result == -EFAULT || result == -EMFILE ||
				    result == -ENFILE)
				TH_LOG("%s, site %d: %s", name, nth, strerror(-result));
	}
	EXPECT_LT(nth, 400);
	printf("# %-28s %3d sites\n", name, sites);
	return sites;
}

static void undo_close(int fd)
{
	close(fd);
}

static void undo_nothing(int result)
{
	(void)result;
}

static void undo_detach(int slot)
{
	sluice_detach(queue, slot);
}

static int try_open(void)
{
	int fd = open("/dev/sluice/soft0", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int try_info(void)
{
	struct sluice_info info;

	return sluice_get_info(device, &info);
}

static int try_heap_info(void)
{
	struct sluice_heap_info info;

	return sluice_get_heap(device, 0, &info);
}

static int try_alloc_pages(void)
{
	return sluice_alloc(device, 0, SIZE + 4096, 0);
}

static int try_alloc_contiguous(void)
{
	return sluice_alloc(device, 1, SIZE, 0);
}

static int heap_node;

static int try_heap_node_open(void)
{
	int fd = open("/dev/dma_heap/sluice-soft0-pages", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int try_heap_node_alloc(void)
{
	struct dma_heap_allocation_data data = { .len = SIZE, .fd_flags = O_RDWR | O_CLOEXEC };
	int ret = xioctl(heap_node, DMA_HEAP_IOCTL_ALLOC, &data);

	return ret ? ret : (int)data.fd;
}

static int try_buffer_info(void)
{
	struct sluice_buffer_info info;
	int ret = sluice_get_buffer(device, buffer, &info);

	/* why a buffer cannot be imported is part of the answer */
	return ret ? ret : info.error;
}

static int try_queue(void)
{
	return sluice_queue(device, 0);
}

static int try_attach(void)
{
	return sluice_attach(queue, buffer, 0);
}

static int try_submit(void)
{
	struct sluice_op ops[2];
	int fence;
	int ret;

	sluice_op_fill(&ops[0], 0, 0, 4096, 1);
	sluice_op_copy(&ops[1], 0, 8192, 0, 0, 4096);
	ret = sluice_submit(queue, ops, 2, -1, &fence, 0, NULL);
	return ret ? ret : fence;
}

static void undo_submit(int fence)
{
	struct sluice_completion completion;

	sluice_fence_wait(fence, 5000);
	close(fence);
	sluice_read(queue, &completion, 1);
}

/* A job that waits for a fence and for a fence on its buffer. */
static int in_fence;

static int try_submit_waiting(void)
{
	struct sluice_op op;
	int fence, ret;

	sluice_op_fill(&op, 0, 0, 4096, 1);
	ret = sluice_submit(queue, &op, 1, in_fence, &fence, 0, NULL);
	return ret ? ret : fence;
}

static int try_fence(void)
{
	struct sluice_export_fence args = { .point = 1 };
	int ret = xioctl(queue, SLUICE_IOCTL_FENCE, &args);

	return ret ? ret : args.fd;
}

static int try_wait(void)
{
	return sluice_wait(queue, 1, 1000);
}

static int try_mmap(void)
{
	void *memory;
	int ret = sluice_map(buffer, SIZE, &memory);

	if (ret)
		return ret;
	munmap(memory, SIZE);
	return 0;
}

static int try_sync(void)
{
	int ret = sluice_cpu_begin(buffer, true);

	return ret ? ret : sluice_cpu_end(buffer, true);
}

TEST(each_failure_is_clean)
{
	struct sluice_completion completion;
	struct objects idle;
	int total = 0;

	device = sluice_open("soft0");
	ASSERT_GE(device, 0);
	buffer = sluice_alloc(device, 0, SIZE, 0);
	queue = sluice_queue(device, 0);
	fail_nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		SKIP(return, "this kernel has no /proc/self/fail-nth");
	/* faults for every task that asks, of every kind, without a report each */
	ASSERT_EQ(system("cd /sys/kernel/debug && for d in failslab fail_page_alloc fail_usercopy; do "
		   "echo 0 >$d/verbose; done; echo N >failslab/ignore-gfp-wait; "
		   "echo N >fail_page_alloc/ignore-gfp-wait; echo 0 >fail_page_alloc/min-order"), 0);

	total += each_site(_metadata, "open", try_open, undo_close);
	total += each_site(_metadata, "INFO", try_info, undo_nothing);
	total += each_site(_metadata, "HEAP_INFO", try_heap_info, undo_nothing);
	total += each_site(_metadata, "ALLOC pages", try_alloc_pages, undo_close);
	total += each_site(_metadata, "ALLOC contiguous", try_alloc_contiguous, undo_close);
	total += each_site(_metadata, "open a dma-heap node", try_heap_node_open, undo_close);
	heap_node = try_heap_node_open();
	ASSERT_GE(heap_node, 0);
	total += each_site(_metadata, "DMA_HEAP_IOCTL_ALLOC", try_heap_node_alloc, undo_close);
	close(heap_node);
	total += each_site(_metadata, "BUFFER_INFO", try_buffer_info, undo_nothing);
	total += each_site(_metadata, "CREATE_QUEUE", try_queue, undo_close);
	total += each_site(_metadata, "ATTACH", try_attach, undo_detach);
	ASSERT_EQ(sluice_attach(queue, buffer, 0), 0);
	idle = objects_read();
	total += each_site(_metadata, "SUBMIT", try_submit, undo_submit);
	in_fence = try_submit();
	ASSERT_GE(in_fence, 0);
	ASSERT_EQ(sluice_fence_wait(in_fence, 5000), 0);
	ASSERT_EQ(sluice_read(queue, &completion, 1), 1);
	/* the job has ended, but may not have been freed yet */
	ASSERT_TRUE(objects_settle(&idle));
	total += each_site(_metadata, "SUBMIT with an in-fence", try_submit_waiting, undo_submit);
	total += each_site(_metadata, "FENCE", try_fence, undo_close);
	total += each_site(_metadata, "WAIT", try_wait, undo_nothing);
	total += each_site(_metadata, "mmap", try_mmap, undo_nothing);
	total += each_site(_metadata, "SYNC", try_sync, undo_nothing);
	printf("# %d places where something can fail, each failed once\n", total);
	EXPECT_GT(total, 50);

	/* and the device works as before */
	close(in_fence);
	in_fence = try_submit();
	ASSERT_GE(in_fence, 0);
	EXPECT_EQ(sluice_fence_wait(in_fence, 5000), 0);
	EXPECT_EQ(check_value(buffer, 4096, 1), 0);
	close(in_fence);
	close(fail_nth);
	close(queue);
	close(buffer);
	close(device);
}

TEST_HARNESS_MAIN
