// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: an array that gets its memory in blocks.  Included by drivers/core/blocks.c. */
#include <kunit/test.h>

#define SIZE	120	/* 8 entries in a block */

static DEFINE_SPINLOCK(blocks_lock);

/* Grow to all entries in steps: old entries stay where they are, and new ones are zero. */
static void entries_stay_and_new_ones_are_zero(struct kunit *test)
{
	static const u32 lengths[] = { 2, 4, 16, 256, 4096 };
	struct sluice_blocks blocks;
	u32 count, index, end;
	unsigned int i;
	u64 *entry;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		sluice_blocks_init(&blocks, lengths[i]);
		KUNIT_EXPECT_EQ(test, blocks.limit, 0);
		index = 0;
		for (count = 1; count <= lengths[i]; count = count * 3 / 2 + 1) {
			KUNIT_ASSERT_EQ(test, sluice_blocks_grow(&blocks, count, SIZE,
								 &blocks_lock), 0);
			KUNIT_ASSERT_GE(test, blocks.limit, count);
			end = min_t(u64, blocks.limit, lengths[i]);
			for (; index < end; index++) {
				entry = sluice_blocks_at(&blocks, index, SIZE);
				KUNIT_EXPECT_EQ(test, *entry, 0);
				*entry = index;
			}
		}
		KUNIT_ASSERT_EQ(test, sluice_blocks_grow(&blocks, U64_MAX, SIZE, &blocks_lock), 0);
		KUNIT_EXPECT_EQ(test, blocks.limit, U64_MAX);
		while (index--)
			KUNIT_EXPECT_EQ(test, *(u64 *)sluice_blocks_at(&blocks, index, SIZE),
					index);
		sluice_blocks_fini(&blocks, SIZE);
	}
}

/* An array without memory is freed, and a grown one is not grown again. */
static void memory_comes_only_when_it_is_needed(struct kunit *test)
{
	struct sluice_blocks blocks;

	sluice_blocks_init(&blocks, 4096);
	KUNIT_EXPECT_NULL(test, blocks.table);
	sluice_blocks_fini(&blocks, SIZE);
	KUNIT_ASSERT_EQ(test, sluice_blocks_grow(&blocks, 1, SIZE, &blocks_lock), 0);
	KUNIT_EXPECT_EQ(test, blocks.limit, 8);
	KUNIT_ASSERT_EQ(test, sluice_blocks_grow(&blocks, 8, SIZE, &blocks_lock), 0);
	KUNIT_EXPECT_EQ(test, blocks.limit, 8);
	sluice_blocks_fini(&blocks, SIZE);
	sluice_blocks_init(&blocks, 0);
	KUNIT_EXPECT_EQ(test, sluice_blocks_grow(&blocks, 1, SIZE, &blocks_lock), 0);
	KUNIT_EXPECT_NULL(test, blocks.table);
}

static struct kunit_case blocks_cases[] = {
	KUNIT_CASE(entries_stay_and_new_ones_are_zero),
	KUNIT_CASE(memory_comes_only_when_it_is_needed),
	{ }
};

static struct kunit_suite blocks_suite = {
	.name = "sluice-blocks",
	.test_cases = blocks_cases,
};
kunit_test_suite(blocks_suite);
