// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: how segments are cut.  Included by drivers/core/mapping.c.
 *
 * The buffers are laid out in one block of real pages, so that their parts can touch, leave gaps,
 * and run backwards.  Each table is compared with its layout page by page.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#define BLOCK_ORDER	8
#define BLOCK_PAGES	(1U << BLOCK_ORDER)

struct cut_piece {
	unsigned int page;
	unsigned int pages;
};

struct cut_test {
	struct page *block;
	struct device *dev;
	struct device_dma_parameters *parms;
	struct sluice_buffer *buffer;
};

static const unsigned int cut_max_segs[] = {
	512, 3000, 4095, 4096, 4097, 8191, 8192, 12288, 65536, 65537, SZ_1M, UINT_MAX,
};

static const unsigned long cut_boundaries[] = {
	511, 2047, 4095, 8191, 65535, SZ_512K - 1, U32_MAX, ULONG_MAX,
};

static int cut_init(struct kunit *test)
{
	struct cut_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->dev = kunit_kzalloc(test, sizeof(*t->dev), GFP_KERNEL);
	t->parms = kunit_kzalloc(test, sizeof(*t->parms), GFP_KERNEL);
	t->buffer = kunit_kzalloc(test, sizeof(*t->buffer), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->dev);
	KUNIT_ASSERT_NOT_NULL(test, t->parms);
	KUNIT_ASSERT_NOT_NULL(test, t->buffer);
	t->dev->dma_parms = t->parms;
	t->block = alloc_pages(GFP_KERNEL, BLOCK_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, t->block);
	test->priv = t;
	return 0;
}

static void cut_exit(struct kunit *test)
{
	struct cut_test *t = test->priv;

	if (t)
		__free_pages(t->block, BLOCK_ORDER);
}

/* If a segment touches the next one, did a limit require a cut there? */
static bool cut_had_to_end(phys_addr_t start, size_t length, unsigned int max_seg,
			   unsigned long boundary)
{
	size_t max = max_seg < PAGE_SIZE ? rounddown_pow_of_two(max_seg) :
					   ALIGN_DOWN(max_seg, PAGE_SIZE);

	return length == max || !((start + length) & boundary);
}

/* Cut, and walk through table and layout side by side. */
static void cut_check(struct kunit *test, const struct cut_piece *pieces, unsigned int count,
		      unsigned int max_seg, unsigned long boundary)
{
	struct cut_test *t = test->priv;
	phys_addr_t base = page_to_phys(t->block);
	u64 done = 0, total = 0, at = 0;
	unsigned int piece = 0, i;
	struct scatterlist *sg;
	struct sg_table sgt;

	t->parms->max_segment_size = max_seg;
	t->parms->segment_boundary_mask = boundary;
	KUNIT_ASSERT_EQ(test, sg_alloc_table(&t->buffer->sgt, count, GFP_KERNEL), 0);
	for_each_sgtable_sg(&t->buffer->sgt, sg, i) {
		sg_set_page(sg, t->block + pieces[i].page, pieces[i].pages * PAGE_SIZE, 0);
		total += sg->length;
	}
	KUNIT_ASSERT_EQ(test, sluice_cut_table(t->buffer, t->dev, &sgt), 0);

	for_each_sgtable_sg(&sgt, sg, i) {
		phys_addr_t phys = sg_phys(sg);
		size_t left = sg->length;

		KUNIT_ASSERT_GT(test, sg->length, 0);
		KUNIT_EXPECT_LE(test, sg->length, max_seg);
		KUNIT_EXPECT_EQ(test, phys & ~(phys_addr_t)boundary,
				(phys + sg->length - 1) & ~(phys_addr_t)boundary);
		while (left) {
			size_t part;

			KUNIT_ASSERT_LT(test, piece, count);
			part = min_t(size_t, left, pieces[piece].pages * PAGE_SIZE - at);
			KUNIT_ASSERT_EQ(test, phys, base + pieces[piece].page * PAGE_SIZE + at);
			phys += part;
			left -= part;
			at += part;
			done += part;
			if (at == pieces[piece].pages * PAGE_SIZE) {
				piece++;
				at = 0;
			}
		}
		if (!sg_is_last(sg) && sg_phys(sg_next(sg)) == phys)
			KUNIT_EXPECT_TRUE(test, cut_had_to_end(sg_phys(sg), sg->length, max_seg,
							       boundary));
	}
	KUNIT_EXPECT_EQ(test, i, sgt.orig_nents);
	KUNIT_EXPECT_EQ(test, done, total);
	sg_free_table(&sgt);
	sg_free_table(&t->buffer->sgt);
}

static void cut_check_all(struct kunit *test, const struct cut_piece *pieces, unsigned int count)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(cut_max_segs); i++)
		for (j = 0; j < ARRAY_SIZE(cut_boundaries); j++)
			cut_check(test, pieces, count, cut_max_segs[i], cut_boundaries[j]);
}

static void cut_one_piece(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 2, 3, 15, 16, 17, 64 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct cut_piece first = { 0, sizes[i] }, odd = { 5, sizes[i] };

		cut_check_all(test, &first, 1);
		cut_check_all(test, &odd, 1);
	}
}

static void cut_neighbours_become_one(struct kunit *test)
{
	static const struct cut_piece pieces[] = {
		{ 16, 1 }, { 17, 1 }, { 18, 14 }, { 32, 32 }, { 64, 1 },
	};
	struct cut_test *t = test->priv;
	struct sg_table sgt;
	struct scatterlist *sg;
	unsigned int i;

	cut_check_all(test, pieces, ARRAY_SIZE(pieces));
	t->parms->max_segment_size = UINT_MAX;
	t->parms->segment_boundary_mask = ULONG_MAX;
	KUNIT_ASSERT_EQ(test, sg_alloc_table(&t->buffer->sgt, ARRAY_SIZE(pieces), GFP_KERNEL), 0);
	for_each_sgtable_sg(&t->buffer->sgt, sg, i)
		sg_set_page(sg, t->block + pieces[i].page, pieces[i].pages * PAGE_SIZE, 0);
	KUNIT_ASSERT_EQ(test, sluice_cut_table(t->buffer, t->dev, &sgt), 0);
	KUNIT_EXPECT_EQ(test, sgt.orig_nents, 1);
	KUNIT_EXPECT_EQ(test, sgt.sgl->length, 49 * PAGE_SIZE);
	sg_free_table(&sgt);
	sg_free_table(&t->buffer->sgt);
}

static void cut_backwards_stays_apart(struct kunit *test)
{
	struct cut_piece pieces[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++)
		pieces[i] = (struct cut_piece) { ARRAY_SIZE(pieces) - i, 1 };
	cut_check_all(test, pieces, ARRAY_SIZE(pieces));
	for (i = 0; i < ARRAY_SIZE(pieces); i++)
		pieces[i] = (struct cut_piece) { 2 * i, 1 };
	cut_check_all(test, pieces, ARRAY_SIZE(pieces));
}

static void cut_any_layout(struct kunit *test)
{
	struct cut_piece pieces[24];
	struct rnd_state rnd;
	unsigned int round, i;

	prandom_seed_state(&rnd, 1);
	for (round = 0; round < 20; round++) {
		unsigned int count = 1 + prandom_u32_state(&rnd) % ARRAY_SIZE(pieces);
		unsigned int page = prandom_u32_state(&rnd) % 16;

		for (i = 0; i < count; i++) {
			unsigned int pages = 1 + prandom_u32_state(&rnd) % 9;

			pieces[i] = (struct cut_piece) { page, pages };
			page += pages;
			/* every other piece touches the one before */
			if (prandom_u32_state(&rnd) & 1)
				page = prandom_u32_state(&rnd) % (BLOCK_PAGES - 16);
			if (page + 9 > BLOCK_PAGES)
				page = 0;
		}
		cut_check_all(test, pieces, count);
	}
}

static struct kunit_case cut_cases[] = {
	KUNIT_CASE(cut_one_piece),
	KUNIT_CASE(cut_neighbours_become_one),
	KUNIT_CASE(cut_backwards_stays_apart),
	KUNIT_CASE(cut_any_layout),
	{ }
};

static struct kunit_suite cut_suite = {
	.name = "sluice-segments",
	.init = cut_init,
	.exit = cut_exit,
	.test_cases = cut_cases,
};
kunit_test_suite(cut_suite);
