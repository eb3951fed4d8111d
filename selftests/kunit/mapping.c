// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: how segments are cut, and which importer has which table.  Included by
 * drivers/core/mapping.c.
 *
 * The buffers are laid out in one block of real pages, so that their parts can touch, leave gaps,
 * and run backwards.  Each table is compared with its layout page by page.
 *
 * The importers of the other tests have one device.  Its driver has set no DMA mask, so the DMA API
 * does not skip its syncs, and its mappings count as mappings that need cache maintenance.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#define BLOCK_ORDER	8
#define BLOCK_PAGES	(1U << BLOCK_ORDER)
#define MOST_PIECES	32

struct cut_piece {
	unsigned int page;
	unsigned int pages;
};

struct cut_test {
	struct page *block;
	struct device *dev;
	struct device_dma_parameters *parms;
	struct sluice_buffer *buffer;
	struct sluice_piece pieces[MOST_PIECES];
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

static void cut_set_pieces(struct kunit *test, const struct cut_piece *pieces, unsigned int count)
{
	struct cut_test *t = test->priv;
	unsigned int i;

	KUNIT_ASSERT_LE(test, count, MOST_PIECES);
	for (i = 0; i < count; i++)
		t->pieces[i] = (struct sluice_piece) {
			.pfn = page_to_pfn(t->block) + pieces[i].page, .pages = pieces[i].pages,
		};
	t->buffer->pieces = t->pieces;
	t->buffer->num_pieces = count;
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
	for (i = 0; i < count; i++)
		total += pieces[i].pages * PAGE_SIZE;
	cut_set_pieces(test, pieces, count);
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

	cut_check_all(test, pieces, ARRAY_SIZE(pieces));
	t->parms->max_segment_size = UINT_MAX;
	t->parms->segment_boundary_mask = ULONG_MAX;
	cut_set_pieces(test, pieces, ARRAY_SIZE(pieces));
	KUNIT_ASSERT_EQ(test, sluice_cut_table(t->buffer, t->dev, &sgt), 0);
	KUNIT_EXPECT_EQ(test, sgt.orig_nents, 1);
	KUNIT_EXPECT_EQ(test, sgt.sgl->length, 49 * PAGE_SIZE);
	sg_free_table(&sgt);
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

#define VIEW_IMPORTERS	3

struct view_test {
	struct page *page;
	struct device *dev;
	u64 mask;
	struct sluice_buffer buffer;
	struct dma_buf dmabuf;
	struct dma_buf_attachment importers[VIEW_IMPORTERS];
};

static int view_init(struct kunit *test)
{
	struct view_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	t->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, t->page);
	t->dev = root_device_register("sluice-views");
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->dev));
	t->mask = DMA_BIT_MASK(64);
	t->dev->dma_mask = &t->mask;
	mutex_init(&t->buffer.lock);
	INIT_LIST_HEAD(&t->buffer.attachments);
	INIT_LIST_HEAD(&t->buffer.mappings);
	t->buffer.size = PAGE_SIZE;
	sluice_buffer_set_piece(&t->buffer, page_to_phys(t->page), 1);
	t->dmabuf.priv = &t->buffer;
	for (i = 0; i < VIEW_IMPORTERS; i++) {
		t->importers[i].dev = t->dev;
		t->importers[i].dmabuf = &t->dmabuf;
	}
	return 0;
}

static void view_exit(struct kunit *test)
{
	struct view_test *t = test->priv;
	unsigned int i;

	if (!t)
		return;
	for (i = 0; i < VIEW_IMPORTERS; i++)
		sluice_mapping_detach(&t->buffer, &t->importers[i]);
	if (!IS_ERR_OR_NULL(t->dev))
		root_device_unregister(t->dev);
	if (t->page)
		__free_page(t->page);
}

static struct sg_table *view_get(struct view_test *t, unsigned int importer)
{
	return sluice_mapping_get(&t->buffer, &t->importers[importer], DMA_BIDIRECTIONAL);
}

static void view_put(struct view_test *t, unsigned int importer, struct sg_table *sgt)
{
	sluice_mapping_put(&t->importers[importer], sgt, DMA_BIDIRECTIONAL);
}

static void view_leave(struct view_test *t, unsigned int importer)
{
	sluice_mapping_detach(&t->buffer, &t->importers[importer]);
	t->importers[importer].priv = NULL;
}

static struct sluice_mapping *view_mapping(struct view_test *t)
{
	return list_first_entry(&t->buffer.mappings, struct sluice_mapping, link);
}

/* One importer needs one table, unless the dma-buf core would change it. */
static void view_first_is_the_mapped_table(struct kunit *test)
{
	struct view_test *t = test->priv;
	struct sg_table *sgt = view_get(t, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(sgt));
	KUNIT_EXPECT_EQ(test, sgt == &view_mapping(t)->first.sgt, !SLUICE_COMPAT_TABLES_CHANGE);
	view_put(t, 0, sgt);
	KUNIT_EXPECT_PTR_EQ(test, view_get(t, 0), sgt);
	view_put(t, 0, sgt);
}

static void view_is_not_shared(struct kunit *test)
{
	struct view_test *t = test->priv;
	struct sg_table *sgts[VIEW_IMPORTERS], *again;
	unsigned int i, k;

	for (i = 0; i < VIEW_IMPORTERS; i++) {
		sgts[i] = view_get(t, i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(sgts[i]));
		KUNIT_EXPECT_EQ(test, sg_dma_address(sgts[i]->sgl), sg_dma_address(sgts[0]->sgl));
		KUNIT_EXPECT_EQ(test, sg_dma_len(sgts[i]->sgl), PAGE_SIZE);
		for (k = 0; k < i; k++)
			KUNIT_EXPECT_PTR_NE(test, sgts[i], sgts[k]);
	}
	/* two mappings of one importer at the same time are two tables, too */
	again = view_get(t, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(again));
	KUNIT_EXPECT_PTR_NE(test, again, sgts[0]);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&t->buffer.mappings));
	view_put(t, 0, again);
	for (i = 0; i < VIEW_IMPORTERS; i++)
		view_put(t, i, sgts[i]);
}

/* The importer of the first view detaches, while another importer still uses the mapping. */
static void view_of_a_detached_importer_is_given_away(struct kunit *test)
{
	struct view_test *t = test->priv;
	struct sg_table *first = view_get(t, 0), *copy = view_get(t, 1), *sgt;

	KUNIT_ASSERT_FALSE(test, IS_ERR(first));
	KUNIT_ASSERT_FALSE(test, IS_ERR(copy));
	view_put(t, 0, first);
	view_leave(t, 0);
	KUNIT_EXPECT_EQ(test, sg_dma_len(view_mapping(t)->first.sgt.sgl), PAGE_SIZE);
	sgt = view_get(t, 2);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sgt));
	KUNIT_EXPECT_EQ(test, sgt == first, !SLUICE_COMPAT_TABLES_CHANGE);
	view_put(t, 2, sgt);
	view_put(t, 1, copy);
	view_leave(t, 1);
	view_leave(t, 2);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->buffer.mappings));
}

/* CPU access takes no lock while the count is 0, so the count must be right. */
static void view_in_use_counts_as_synced(struct kunit *test)
{
	struct view_test *t = test->priv;
	unsigned int needed = sluice_compat_need_sync(t->dev);
	struct sg_table *sgt, *other, *to_device;

	KUNIT_EXPECT_FALSE(test, sluice_mapping_synced(&t->buffer, true));
	sgt = view_get(t, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sgt));
	KUNIT_EXPECT_EQ(test, t->buffer.synced, needed);
	KUNIT_EXPECT_EQ(test, sluice_mapping_synced(&t->buffer, true), needed);
	KUNIT_EXPECT_EQ(test, sluice_mapping_synced(&t->buffer, false), needed);
	/* the same mapping, and another one */
	other = view_get(t, 1);
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	KUNIT_EXPECT_EQ(test, t->buffer.synced, needed);
	to_device = sluice_mapping_get(&t->buffer, &t->importers[2], DMA_TO_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(to_device));
	KUNIT_EXPECT_EQ(test, t->buffer.synced, 2 * needed);
	view_put(t, 0, sgt);
	KUNIT_EXPECT_EQ(test, t->buffer.synced, 2 * needed);
	view_put(t, 1, other);
	KUNIT_EXPECT_EQ(test, t->buffer.synced, needed);
	sluice_mapping_put(&t->importers[2], to_device, DMA_TO_DEVICE);
	/* the mappings stay, but no importer uses them */
	KUNIT_EXPECT_FALSE(test, list_empty(&t->buffer.mappings));
	KUNIT_EXPECT_EQ(test, t->buffer.synced, 0);
	KUNIT_EXPECT_FALSE(test, sluice_mapping_synced(&t->buffer, false));
}

static struct kunit_case view_cases[] = {
	KUNIT_CASE(view_first_is_the_mapped_table),
	KUNIT_CASE(view_is_not_shared),
	KUNIT_CASE(view_of_a_detached_importer_is_given_away),
	KUNIT_CASE(view_in_use_counts_as_synced),
	{ }
};

static struct kunit_suite view_suite = {
	.name = "sluice-views",
	.init = view_init,
	.exit = view_exit,
	.test_cases = view_cases,
};
kunit_test_suites(&cut_suite, &view_suite);
