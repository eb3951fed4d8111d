// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: a cursor over a slot's segments.  Included by drivers/core/slot.c.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#define CURSOR_SEGMENTS	40

/* Segments with gaps between them; returns the bytes in all. */
static u64 cursor_table(struct kunit *test, struct sg_table *sgt, struct rnd_state *rnd)
{
	dma_addr_t address = 1ULL << 40;
	struct scatterlist *sg;
	u64 size = 0;
	int i;

	KUNIT_ASSERT_EQ(test, sg_alloc_table(sgt, CURSOR_SEGMENTS, GFP_KERNEL), 0);
	for_each_sgtable_sg(sgt, sg, i) {
		sg_dma_address(sg) = address;
		sg_dma_len(sg) = PAGE_SIZE * (1 + prandom_u32_state(rnd) % 7);
		size += sg_dma_len(sg);
		address += sg_dma_len(sg) + PAGE_SIZE * (prandom_u32_state(rnd) % 3);
	}
	return size;
}

/* The slow way to the same place. */
static dma_addr_t cursor_reference(struct sg_table *sgt, u64 offset, size_t *left)
{
	struct scatterlist *sg;
	u64 start = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (offset < start + sg_dma_len(sg)) {
			*left = start + sg_dma_len(sg) - offset;
			return sg_dma_address(sg) + (offset - start);
		}
		start += sg_dma_len(sg);
	}
	*left = 0;
	return 0;
}

static void cursor_finds_every_offset(struct kunit *test)
{
	struct sluice_cursor cursor;
	struct sluice_slot *slot;
	struct rnd_state rnd;
	struct sg_table sgt;
	u64 size, offset;
	size_t left;

	prandom_seed_state(&rnd, 2);
	size = cursor_table(test, &sgt, &rnd);
	slot = kunit_kzalloc(test, sizeof(*slot), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slot);
	slot->sgt = &sgt;
	for (offset = 0; offset < size; offset += 1 + prandom_u32_state(&rnd) % 700) {
		sluice_cursor_init(&cursor, slot, offset);
		KUNIT_EXPECT_EQ(test, sluice_cursor_address(&cursor),
				cursor_reference(&sgt, offset, &left));
		KUNIT_EXPECT_EQ(test, sluice_cursor_left(&cursor), left);
	}
	sluice_cursor_init(&cursor, slot, size - 1);
	KUNIT_EXPECT_EQ(test, sluice_cursor_left(&cursor), 1);
	sg_free_table(&sgt);
}

static void cursor_advances_by_any_step(struct kunit *test)
{
	struct sluice_cursor cursor;
	struct sluice_slot *slot;
	struct rnd_state rnd;
	struct sg_table sgt;
	unsigned int round;
	u64 size, offset;
	size_t left;

	prandom_seed_state(&rnd, 3);
	size = cursor_table(test, &sgt, &rnd);
	slot = kunit_kzalloc(test, sizeof(*slot), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slot);
	slot->sgt = &sgt;
	for (round = 0; round < 20; round++) {
		/* some rounds end each step at the end of a segment */
		offset = 0;
		sluice_cursor_init(&cursor, slot, 0);
		while (offset < size) {
			size_t step = prandom_u32_state(&rnd) % 30000;

			KUNIT_ASSERT_EQ(test, sluice_cursor_address(&cursor),
					cursor_reference(&sgt, offset, &left));
			KUNIT_ASSERT_EQ(test, sluice_cursor_left(&cursor), left);
			if (round % 2)
				step = left;
			step = min_t(u64, step, size - offset);
			sluice_cursor_advance(&cursor, step);
			offset += step;
		}
		KUNIT_EXPECT_PTR_EQ(test, cursor.sg, NULL);
	}
	sg_free_table(&sgt);
}

static struct kunit_case cursor_cases[] = {
	KUNIT_CASE(cursor_finds_every_offset),
	KUNIT_CASE(cursor_advances_by_any_step),
	{ }
};

static struct kunit_suite cursor_suite = {
	.name = "sluice-cursor",
	.test_cases = cursor_cases,
};
kunit_test_suite(cursor_suite);
