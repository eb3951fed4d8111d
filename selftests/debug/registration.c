// SPDX-License-Identifier: MIT
/*
 * A device works without its dma-heap nodes: on some kernels, numbers for misc devices are few. In
 * this test there is no memory for a node.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "harness.h"
#include "machine.h"
#include "objects.h"

#define SOFT_DRIVER	"/sys/bus/platform/drivers/sluice-soft"
#define FIRST		"/dev/dma_heap/sluice-soft0-pages"
#define SECOND		"/dev/dma_heap/sluice-soft0-contiguous"

FIXTURE(registration) {
	struct objects before;
	int fail_nth;
};

FIXTURE_SETUP(registration)
{
	self->before = objects_before();
	self->fail_nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (self->fail_nth < 0)
		SKIP(return, "this kernel injects no faults");
	/* for this task only, and without a report for each fault */
	ASSERT_EQ(system("cd /sys/kernel/debug && echo N >failslab/ignore-gfp-wait && "
			 "for d in failslab fail_page_alloc fail_usercopy; do "
			 "echo 0 >$d/verbose || exit 1; done"), 0);
	ASSERT_EQ(write_text(SOFT_DRIVER "/unbind", "sluice-soft"), 0);
}

FIXTURE_TEARDOWN(registration)
{
	close(self->fail_nth);
	EXPECT_EQ(write_text(SOFT_DRIVER "/bind", "sluice-soft"), 0);
	EXPECT_EQ(access("/dev/sluice/soft0", F_OK), 0);
	EXPECT_EQ(access(FIRST, F_OK), 0);
	EXPECT_EQ(access(SECOND, F_OK), 0);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Bind, and let the nth place fail.  Returns the rest of the count. */
static int bind_with_fault(int fail_nth, int nth, int *result)
{
	char text[16] = "";
	int length = snprintf(text, sizeof(text), "%d", nth), left;

	*result = pwrite(fail_nth, text, length, 0) == length ? 0 : -errno;
	if (!*result)
		*result = write_text(SOFT_DRIVER "/bind", "sluice-soft");
	memset(text, 0, sizeof(text));
	/* the read copies to user memory, and may be the place that fails */
	left = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : 0;
	while (pwrite(fail_nth, "0", 1, 0) != 1)
		;
	return left;
}

TEST_F_TIMEOUT(registration, works_without_a_dma_heap_node_that_cannot_be_made, 120)
{
	int nth, result, without_first = 0, without_second = 0;
	int chances = 100000 - bind_with_fault(self->fail_nth, 100000, &result);

	ASSERT_EQ(result, 0);
	ASSERT_EQ(write_text(SOFT_DRIVER "/unbind", "sluice-soft"), 0);
	/* the nodes are made last, so the last places include each of them */
	for (nth = chances; nth > 0 && nth > chances - 160; nth--) {
		bool first, second;

		bind_with_fault(self->fail_nth, nth, &result);
		first = !access(FIRST, F_OK);
		second = !access(SECOND, F_OK);
		/* check the class: without memory for devtmpfs, a device works without its node */
		if (!access("/sys/class/sluice/soft0", F_OK)) {
			without_first += !first && second;
			without_second += first && !second;
		} else {
			EXPECT_FALSE(first);
			EXPECT_FALSE(second);
		}
		if (!result)
			ASSERT_EQ(write_text(SOFT_DRIVER "/unbind", "sluice-soft"), 0);
		EXPECT_NE(access(FIRST, F_OK), 0);
		EXPECT_NE(access(SECOND, F_OK), 0);
	}
	printf("# %d chances; %d times without the first node, %d without the second\n", chances,
	       without_first, without_second);
	EXPECT_GT(without_first, 0);
	EXPECT_GT(without_second, 0);
}

TEST_HARNESS_MAIN
