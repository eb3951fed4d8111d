// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: the checks of ops, with extreme numbers from userspace.  Included by drivers/core/op.c. */
#include <kunit/test.h>

static const struct sluice_device_ops op_test_ops;

struct op_test {
	struct sluice_job *job;
	struct sluice_device *sdev;
	struct sluice_slot *dst;
	struct sluice_slot *src;
	struct sluice_range ranges[2];
};

static struct sluice_slot *op_test_slot(struct kunit *test)
{
	struct sluice_slot *slot = kunit_kzalloc(test, sizeof(*slot), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, slot);
	slot->dmabuf = kunit_kzalloc(test, sizeof(*slot->dmabuf), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slot->dmabuf);
	slot->flags = SLUICE_ATTACH_READ | SLUICE_ATTACH_WRITE;
	return slot;
}

static int op_test_init(struct kunit *test)
{
	struct op_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->sdev = kunit_kzalloc(test, sizeof(*t->sdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->sdev);
	t->sdev->engines = kunit_kcalloc(test, 1, sizeof(*t->sdev->engines), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->sdev->engines);
	t->sdev->engines[0].sdev = t->sdev;
	t->sdev->ops = &op_test_ops;
	t->job = kunit_kzalloc(test, struct_size(t->job, ops, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->job);
	t->job->queue = kunit_kzalloc(test, sizeof(*t->job->queue), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->job->queue);
	t->job->queue->sdev = t->sdev;
	t->job->queue->entity.engine = &t->sdev->engines[0];
	t->job->base.entity = &t->job->queue->entity;
	t->sdev->engines[0].caps.op_align = 4;
	t->dst = op_test_slot(test);
	t->src = op_test_slot(test);
	test->priv = t;
	return 0;
}

static void ranges_at_their_extremes(struct kunit *test)
{
	static const struct {
		u64 size, offset, length;
		int result;
	} cases[] = {
		{ 4096, 0, 4096, 0 },
		{ 4096, 0, 4097, -ERANGE },
		{ 4096, 4095, 1, 0 },
		{ 4096, 4096, 1, -ERANGE },
		{ 4096, 4096, 0, 0 },
		{ 4096, U64_MAX, 1, -ERANGE },
		{ 4096, U64_MAX, 4097, -ERANGE },
		{ 4096, 1, U64_MAX, -ERANGE },
		{ 4096, U64_MAX, U64_MAX, -ERANGE },
		{ 4096, 1ULL << 63, 1ULL << 63, -ERANGE },
		{ 4096, U32_MAX, 1, -ERANGE },
		{ 4096, (1ULL << 32), 4096, -ERANGE },
		{ (1ULL << 32) + 4096, 1ULL << 32, 4096, 0 },
		{ SIZE_MAX, 0, SIZE_MAX, 0 },
		{ SIZE_MAX, SIZE_MAX - 1, 1, 0 },
		{ SIZE_MAX, SIZE_MAX, 1, -ERANGE },
	};
	struct op_test *t = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		t->dst->dmabuf->size = cases[i].size;
		KUNIT_EXPECT_EQ_MSG(test, sluice_range_check(cases[i].offset, cases[i].length,
							     t->dst),
				    cases[i].result, "case %u", i);
	}
}

/* Describe a copy as SUBMIT does before its checks.  The next call uses the ranges again. */
static struct sluice_op_desc op_copy(struct op_test *t, struct sluice_slot *src,
				      u64 dst_offset, u64 src_offset, u64 length)
{
	t->ranges[0] = (struct sluice_range) {
		.slot = t->dst, .offset = dst_offset, .length = length, .write = true,
	};
	t->ranges[1] = (struct sluice_range) {
		.slot = src, .offset = src_offset, .length = length,
	};
	return (struct sluice_op_desc) {
		.kind = SLUICE_OP_COPY,
		.dst = t->dst,
		.src = src,
		.dst_offset = dst_offset,
		.src_offset = src_offset,
		.length = length,
		.num_ranges = 2,
		.ranges = t->ranges,
	};
}

static void copies_overlap_or_not(struct kunit *test)
{
	static const struct {
		u64 dst, src, length;
		int result;
	} cases[] = {
		{ 0, 4096, 4096, 0 },
		{ 4096, 0, 4096, 0 },
		{ 0, 4092, 4096, -EINVAL },
		{ 4092, 0, 4096, -EINVAL },
		{ 0, 0, 4, -EINVAL },
		{ 0, 2, 4, -EINVAL },
		{ 2, 8, 4, -EINVAL },
		{ 0, 8, 0, -EINVAL },
		{ 0, 8, 6, -EINVAL },
		{ 0, U64_MAX & ~3ULL, 8, -ERANGE },
		{ U64_MAX & ~3ULL, 0, 8, -ERANGE },
		{ 8, 0, U64_MAX & ~3ULL, -ERANGE },
	};
	struct op_test *t = test->priv;
	unsigned int i;

	t->dst->dmabuf->size = 8192;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sluice_op_desc desc = op_copy(t, t->dst, cases[i].dst, cases[i].src,
						      cases[i].length);

		KUNIT_EXPECT_EQ_MSG(test, sluice_op_check(t->job, &desc), cases[i].result,
				    "case %u", i);
	}
}

static void directions_are_those_attached(struct kunit *test)
{
	struct op_test *t = test->priv;
	struct sluice_op_desc desc = op_copy(t, t->src, 0, 0, 4);

	t->dst->dmabuf->size = 4;
	t->src->dmabuf->size = 4;
	KUNIT_EXPECT_EQ(test, sluice_op_check(t->job, &desc), 0);
	t->dst->flags = SLUICE_ATTACH_READ;
	KUNIT_EXPECT_EQ(test, sluice_op_check(t->job, &desc), -EACCES);
	t->dst->flags = SLUICE_ATTACH_WRITE;
	KUNIT_EXPECT_EQ(test, sluice_op_check(t->job, &desc), 0);
	t->src->flags = SLUICE_ATTACH_WRITE;
	KUNIT_EXPECT_EQ(test, sluice_op_check(t->job, &desc), -EACCES);
}

static void lengths_at_their_limits(struct kunit *test)
{
	static const struct {
		u64 min, max, length;
		int result;
	} cases[] = {
		{ 0, 0, 4, 0 },
		{ 0, 0, 65536, 0 },
		{ 64, 0, 60, -EINVAL },
		{ 64, 0, 64, 0 },
		{ 64, 0, 65536, 0 },
		{ 0, 4096, 4, 0 },
		{ 0, 4096, 4096, 0 },
		{ 0, 4096, 4100, -EINVAL },
		{ 4096, 4096, 4092, -EINVAL },
		{ 4096, 4096, 4096, 0 },
		{ 4096, 4096, 4100, -EINVAL },
		{ 63, 65, 60, -EINVAL },
		{ 63, 65, 64, 0 },
		{ 63, 65, 68, -EINVAL },
		{ U64_MAX, 0, 65536, -EINVAL },
		{ 0, U64_MAX, 65536, 0 },
	};
	struct op_test *t = test->priv;
	struct sluice_engine_caps *caps = &t->sdev->engines[0].caps;
	unsigned int i;

	t->dst->dmabuf->size = 65536;
	t->src->dmabuf->size = 65536;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sluice_op_desc desc = op_copy(t, t->src, 0, 0, cases[i].length);

		caps->min_length = cases[i].min;
		caps->max_length = cases[i].max;
		KUNIT_EXPECT_EQ_MSG(test, sluice_op_check(t->job, &desc), cases[i].result,
				    "case %u", i);
	}
}

/* Give a slot this number of segments of 4096 bytes for the device. */
static void op_test_segments(struct kunit *test, struct sluice_slot *slot, unsigned int count)
{
	struct scatterlist *sg = kunit_kcalloc(test, count, sizeof(*sg), GFP_KERNEL);
	unsigned int i;

	slot->sgt = kunit_kzalloc(test, sizeof(*slot->sgt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sg);
	KUNIT_ASSERT_NOT_NULL(test, slot->sgt);
	sg_init_table(sg, count);
	for (i = 0; i < count; i++) {
		sg_dma_address(&sg[i]) = 0x100000 + 8192 * i;
		sg_dma_len(&sg[i]) = 4096;
	}
	slot->sgt->sgl = sg;
	slot->sgt->nents = count;
	slot->sgt->orig_nents = count;
	slot->dmabuf->size = 4096 * count;
}

static void segments_of_a_range_at_their_limit(struct kunit *test)
{
	static const struct {
		u32 max;
		u64 offset, length;
		bool fits;
	} cases[] = {
		{ 0, 0, 32768, true },
		{ 1, 0, 4096, true },
		{ 1, 0, 4100, false },
		{ 1, 4, 4092, true },
		{ 1, 4, 4096, false },
		{ 1, 4092, 4, true },
		{ 1, 4092, 8, false },
		{ 1, 28672, 4096, true },
		{ 3, 0, 12288, true },
		{ 3, 0, 12292, false },
		{ 3, 4092, 8196, true },
		{ 3, 4092, 8200, false },
		{ 7, 0, 32768, false },
		{ 7, 4096, 28672, true },
		{ 8, 0, 32768, true },
		{ 9, 0, 32768, true },
		{ U32_MAX, 0, 32768, true },
	};
	struct op_test *t = test->priv;
	unsigned int i;

	op_test_segments(test, t->dst, 8);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sluice_range range = { .slot = t->dst, .length = cases[i].length };

		sluice_cursor_init(&range.at, t->dst, cases[i].offset);
		KUNIT_EXPECT_EQ_MSG(test, sluice_range_fits(&range, cases[i].max), cases[i].fits,
				    "case %u", i);
	}
}

/* Each side of a copy has the limit for itself. */
static void segments_of_both_sides_are_counted(struct kunit *test)
{
	static const struct {
		u64 dst, src, length;
		int result;
	} cases[] = {
		{ 0, 0, 8192, 0 },
		{ 4, 0, 8188, 0 },
		{ 4, 0, 8192, -EFBIG },
		{ 0, 4, 8192, -EFBIG },
		{ 4, 4, 8192, -EFBIG },
		{ 4096, 8192, 8192, 0 },
		{ 4096, 8192, 8196, -EFBIG },
	};
	static const struct sluice_op_desc none;
	struct op_test *t = test->priv;
	unsigned int i;

	op_test_segments(test, t->dst, 8);
	op_test_segments(test, t->src, 8);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sluice_op_desc desc = op_copy(t, t->src, cases[i].dst, cases[i].src,
						      cases[i].length);

		KUNIT_EXPECT_EQ_MSG(test, sluice_op_place(&desc, &none, 2), cases[i].result,
				    "case %u", i);
	}
}

/* So does each plane, and each op of a job. */
static void segments_of_planes_are_counted(struct kunit *test)
{
	struct op_test *t = test->priv;
	struct sluice_op_desc *desc = &t->job->ops[0];
	struct sluice_engine_caps *caps = &t->sdev->engines[0].caps;

	op_test_segments(test, t->dst, 8);
	t->ranges[0] = (struct sluice_range) { .slot = t->dst, .length = 8192, .write = true };
	t->ranges[1] = (struct sluice_range) {
		.slot = t->dst, .offset = 8192, .length = 12288, .write = true,
	};
	*desc = (struct sluice_op_desc) {
		.kind = SLUICE_OP_CAPTURE,
		.num_ranges = 2,
		.ranges = t->ranges,
	};
	t->job->base.num_ops = 1;
	caps->max_segments = 3;
	KUNIT_EXPECT_EQ(test, sluice_op_place_all(t->job), 0);
	caps->max_segments = 2;
	KUNIT_EXPECT_EQ(test, sluice_op_place_all(t->job), -EFBIG);
	/* the planes have five segments in all, and none has more than three */
	desc->ranges[0].offset = 4092;
	caps->max_segments = 3;
	KUNIT_EXPECT_EQ(test, sluice_op_place_all(t->job), 0);
	desc->kind = SLUICE_OP_PROGRAM;
	caps->max_segments = 1;
	KUNIT_EXPECT_EQ(test, sluice_op_place_all(t->job), 0);
	t->sdev->cpu_engines = true;
	desc->kind = SLUICE_OP_CAPTURE;
	KUNIT_EXPECT_EQ(test, sluice_op_place_all(t->job), 0);
}

static struct kunit_case op_cases[] = {
	KUNIT_CASE(ranges_at_their_extremes),
	KUNIT_CASE(copies_overlap_or_not),
	KUNIT_CASE(directions_are_those_attached),
	KUNIT_CASE(lengths_at_their_limits),
	KUNIT_CASE(segments_of_a_range_at_their_limit),
	KUNIT_CASE(segments_of_both_sides_are_counted),
	KUNIT_CASE(segments_of_planes_are_counted),
	{ }
};

static struct kunit_suite op_suite = {
	.name = "sluice-op",
	.init = op_test_init,
	.test_cases = op_cases,
};
kunit_test_suite(op_suite);
