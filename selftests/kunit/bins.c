// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the memory that an ALLOC takes from the pool, on machines with more NUMA nodes, zones and
 * cgroups than the lab has, and the order in which memory is freed.  Included by
 * drivers/core/bins.c.
 */
#include <kunit/test.h>
#include <linux/dma-mapping.h>

#define POOL_OWNER	(~0ULL)		/* no cgroup has this number */
#define POOL_SIZE	(3 * PAGE_SIZE)
#define POOL_NEAR	1		/* node_distance() also accepts nodes that do not exist */
#define POOL_FAR	0

/* Park an entry without memory, as if it were zeroed, so that the worker does not touch it. */
static void pool_insert(struct sluice_bins_entry *pages)
{
	pages->clean = true;
	pages->parked = jiffies;
	sluice_bins_insert(pages);
}

static struct sluice_bins_entry *pool_new(struct kunit *test, u64 size, int node, enum zone_type zone)
{
	struct sluice_bins_entry *pages = kunit_kzalloc(test, sizeof(*pages), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pages);
	INIT_LIST_HEAD(&pages->lru);
	pages->pages.size = size;
	pages->pages.mapping = SLUICE_MEM_CACHED;
	pages->owner = POOL_OWNER;
	pages->pages.node = node;
	pages->pages.zone = zone;
	pages->pages.top_zone = zone;
	return pages;
}

static struct sluice_bins_entry *pool_park(struct kunit *test, u64 size, int node)
{
	struct sluice_bins_entry *pages = pool_new(test, size, node, 0);

	pool_insert(pages);
	return pages;
}

static void pool_make_dirty(struct sluice_bins_entry *pages)
{
	spin_lock(&sluice_bins_lock);
	sluice_bins_del(pages);
	pages->state = SLUICE_BINS_DIRTY;
	sluice_bins_add(pages);
	spin_unlock(&sluice_bins_lock);
}

static struct sluice_bins_entry *pool_find(struct sluice_device *sdev, u64 size)
{
	struct sluice_bins_search search = {
		.sdev = sdev, .size = size, .mapping = SLUICE_MEM_CACHED,
		.owner = POOL_OWNER, .node = POOL_NEAR,
	};

	return sluice_bins_find(&search);
}

static void pool_takes_the_near_then_the_clean_then_the_high(struct kunit *test)
{
	struct sluice_device *sdev = kunit_kzalloc(test, sizeof(*sdev), GFP_KERNEL);
	struct sluice_bins_entry *far, *near, *near_dirty, *near_high;

	KUNIT_ASSERT_NOT_NULL(test, sdev);
	sdev->translated = true;
	near_high = pool_new(test, POOL_SIZE, POOL_NEAR, MAX_NR_ZONES - 1);
	pool_insert(near_high);
	near = pool_park(test, POOL_SIZE, POOL_NEAR);
	near_dirty = pool_park(test, POOL_SIZE, POOL_NEAR);
	pool_make_dirty(near_dirty);
	far = pool_park(test, POOL_SIZE, POOL_FAR);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), near_high);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), near);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), near_dirty);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), far);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), NULL);
}

static void pool_takes_only_what_fits(struct kunit *test)
{
	struct sluice_device *sdev = kunit_kzalloc(test, sizeof(*sdev), GFP_KERNEL);
	struct sluice_bins_entry *owner, *mapping, *size, *fits;

	KUNIT_ASSERT_NOT_NULL(test, sdev);
	sdev->translated = true;
	owner = pool_new(test, POOL_SIZE, POOL_NEAR, 0);
	owner->owner--;
	pool_insert(owner);
	mapping = pool_new(test, POOL_SIZE, POOL_NEAR, 0);
	mapping->pages.mapping = SLUICE_MEM_UNCACHED;
	pool_insert(mapping);
	size = pool_park(test, POOL_SIZE - PAGE_SIZE, POOL_NEAR);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), NULL);
	fits = pool_park(test, POOL_SIZE, POOL_NEAR);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), fits);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), NULL);
	spin_lock(&sluice_bins_lock);
	sluice_bins_take(owner);
	sluice_bins_take(mapping);
	sluice_bins_take(size);
	spin_unlock(&sluice_bins_lock);
}

/* Huge memory serves any ALLOC, but only huge memory serves an ALLOC of huge memory. */
static void pool_takes_huge_memory_for_huge(struct kunit *test)
{
	struct sluice_device *sdev = kunit_kzalloc(test, sizeof(*sdev), GFP_KERNEL);
	struct sluice_bins_search search = {
		.sdev = sdev, .size = SLUICE_PAGES_HUGE_SIZE, .mapping = SLUICE_MEM_CACHED,
		.owner = POOL_OWNER, .node = POOL_NEAR, .huge = true,
	};
	struct sluice_bins_entry *small, *huge;

	KUNIT_ASSERT_NOT_NULL(test, sdev);
	sdev->translated = true;
	huge = pool_new(test, SLUICE_PAGES_HUGE_SIZE, POOL_FAR, 0);
	huge->pages.huge = true;
	pool_insert(huge);
	small = pool_park(test, SLUICE_PAGES_HUGE_SIZE, POOL_NEAR);
	KUNIT_EXPECT_PTR_EQ(test, sluice_bins_find(&search), huge);
	KUNIT_EXPECT_PTR_EQ(test, sluice_bins_find(&search), NULL);
	pool_insert(huge);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, SLUICE_PAGES_HUGE_SIZE), small);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, SLUICE_PAGES_HUGE_SIZE), huge);
}

/* If the device's node has free memory, no memory that is on other nodes is taken, even in part. */
static void pool_keeps_to_the_node_if_asked(struct kunit *test)
{
	struct sluice_device *sdev = kunit_kzalloc(test, sizeof(*sdev), GFP_KERNEL);
	struct sluice_bins_search search = {
		.sdev = sdev, .size = POOL_SIZE, .mapping = SLUICE_MEM_CACHED,
		.owner = POOL_OWNER, .node = POOL_NEAR, .here = true,
	};
	struct sluice_bins_entry *far, *spread, *near;

	KUNIT_ASSERT_NOT_NULL(test, sdev);
	sdev->translated = true;
	near = pool_park(test, POOL_SIZE, POOL_NEAR);
	far = pool_park(test, POOL_SIZE, POOL_FAR);
	spread = pool_new(test, POOL_SIZE, POOL_NEAR, 0);
	spread->pages.spread = true;
	pool_insert(spread);
	KUNIT_EXPECT_PTR_EQ(test, sluice_bins_find(&search), near);
	KUNIT_EXPECT_PTR_EQ(test, sluice_bins_find(&search), NULL);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), spread);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), far);
}

/* The first, the last or a middle entry of a bin may be taken; all others are still found. */
static void pool_finds_all_of_a_bin(struct kunit *test)
{
	struct sluice_device *sdev = kunit_kzalloc(test, sizeof(*sdev), GFP_KERNEL);
	struct sluice_bins_entry *pages[8];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, sdev);
	sdev->translated = true;
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = pool_park(test, POOL_SIZE, POOL_NEAR);
	spin_lock(&sluice_bins_lock);
	sluice_bins_take(pages[7]);
	sluice_bins_take(pages[0]);
	sluice_bins_take(pages[3]);
	spin_unlock(&sluice_bins_lock);
	/* the memory that was parked last may still be in a CPU cache */
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), pages[6]);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), pages[5]);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), pages[4]);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), pages[2]);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), pages[1]);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), NULL);
}

/* A device with 28 bits reaches the whole low zone, and a few parts of the high zone. */
static void pool_finds_what_a_device_reaches(struct kunit *test)
{
	struct sluice_device *sdev = kunit_kzalloc(test, sizeof(*sdev), GFP_KERNEL);
	struct sluice_bins_entry *pages, *reached, *low, *out[40];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, sdev);
	sdev->dev.dma_mask = &sdev->dma_mask;
	sdev->dma_mask = DMA_BIT_MASK(28);
	sdev->zone = GFP_DMA;
	low = pool_new(test, POOL_SIZE, POOL_NEAR, 0);
	low->pages.buffer.end = SZ_1M - 1;
	pool_insert(low);
	for (i = 0; i < ARRAY_SIZE(out); i++) {
		out[i] = pool_new(test, POOL_SIZE, POOL_NEAR, 1);
		out[i]->pages.buffer.end = SZ_1G - 1;
		pool_insert(out[i]);
	}
	reached = pool_new(test, POOL_SIZE, POOL_NEAR, 1);
	reached->pages.buffer.end = SZ_128M - 1;
	pool_insert(reached);
	pages = pool_find(sdev, POOL_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, pages, reached);
	pages = pool_find(sdev, POOL_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, pages, low);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(sdev, POOL_SIZE), NULL);
	spin_lock(&sluice_bins_lock);
	for (i = 0; i < ARRAY_SIZE(out); i++)
		sluice_bins_take(out[i]);
	spin_unlock(&sluice_bins_lock);
}

/* The oldest entry up to a zone is freed first, and no entry of a higher zone. */
static void pool_gives_up_the_oldest_first(struct kunit *test)
{
	struct sluice_bins_entry *pages[6];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = pool_new(test, POOL_SIZE, POOL_NEAR, i % 2);
		pool_insert(pages[i]);
	}
	spin_lock(&sluice_bins_lock);
	KUNIT_EXPECT_PTR_EQ(test, sluice_bins_oldest(0), pages[0]);
	sluice_bins_take(pages[0]);
	KUNIT_EXPECT_PTR_EQ(test, sluice_bins_oldest(0), pages[2]);
	for (i = 1; i < ARRAY_SIZE(pages); i++) {
		KUNIT_EXPECT_PTR_EQ(test, sluice_bins_oldest(MAX_NR_ZONES - 1), pages[i]);
		sluice_bins_take(pages[i]);
	}
	KUNIT_EXPECT_PTR_EQ(test, sluice_bins_oldest(MAX_NR_ZONES - 1), NULL);
	spin_unlock(&sluice_bins_lock);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(pool_takes_the_near_then_the_clean_then_the_high),
	KUNIT_CASE(pool_takes_only_what_fits),
	KUNIT_CASE(pool_takes_huge_memory_for_huge),
	KUNIT_CASE(pool_keeps_to_the_node_if_asked),
	KUNIT_CASE(pool_finds_all_of_a_bin),
	KUNIT_CASE(pool_finds_what_a_device_reaches),
	KUNIT_CASE(pool_gives_up_the_oldest_first),
	{ }
};

static struct kunit_suite pool_suite = {
	.name = "sluice-pool",
	.test_cases = pool_cases,
};
kunit_test_suite(pool_suite);
