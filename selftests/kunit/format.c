// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the geometry of frames at its limits, and lists of formats from drivers.  Included by
 * drivers/core/format.c.
 */
#include <kunit/test.h>

#define FORMAT_XR24	FOURCC('X', 'R', '2', '4')
#define FORMAT_NV12	FOURCC('N', 'V', '1', '2')
#define FORMAT_YU12	FOURCC('Y', 'U', '1', '2')
#define FORMAT_RAW10	FOURCC('p', 'R', 'A', 'A')
#define FORMAT_OWN	FOURCC('o', 'w', 'n', '0')
#define FORMAT_TILED	0x0100000000000001ULL

static const struct sluice_size_range format_any_size[] = {
	{ .min_width = 1, .max_width = U32_MAX, .min_height = 1, .max_height = U32_MAX },
};

static const struct sluice_format_caps format_list[] = {
	{ .format = FORMAT_XR24, .num_sizes = 1, .sizes = format_any_size },
	{ .format = FORMAT_NV12, .num_sizes = 1, .sizes = format_any_size },
	{ .format = FORMAT_YU12, .num_sizes = 1, .sizes = format_any_size },
	{ .format = FORMAT_RAW10, .num_sizes = 1, .sizes = format_any_size },
	{ .format = FORMAT_OWN, .num_planes = 1, .num_sizes = 1, .sizes = format_any_size },
	{ .format = FORMAT_NV12, .modifier = FORMAT_TILED, .num_planes = 2, .num_sizes = 1,
	  .sizes = format_any_size },
};

struct format_test {
	struct sluice_device_ops ops;
	struct sluice_device *sdev;
	struct sluice_engine *engine;
	struct sluice_range ranges[SLUICE_MAX_PLANES];
};

/*
 * The driver: needs 4096 bytes for a plane unless the core knows more, and refuses a width of 13.
 */
static int format_check_frame(struct sluice_engine *engine, const struct sluice_frame *frame,
			      u64 bytes[SLUICE_MAX_PLANES])
{
	unsigned int i;

	if (frame->width == 13)
		return -EDOM;
	for (i = 0; i < frame->num_planes; i++)
		if (!bytes[i])
			bytes[i] = 4096;
	return 0;
}

static int format_test_init(struct kunit *test)
{
	struct format_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->sdev = kunit_kzalloc(test, sizeof(*t->sdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->sdev);
	t->ops.check_frame = format_check_frame;
	t->sdev->ops = &t->ops;
	t->sdev->engines = kunit_kcalloc(test, 1, sizeof(*t->sdev->engines), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->sdev->engines);
	t->engine = &t->sdev->engines[0];
	t->engine->sdev = t->sdev;
	t->engine->caps.op_align = 4;
	t->engine->caps.formats = format_list;
	t->engine->caps.num_formats = ARRAY_SIZE(format_list);
	KUNIT_ASSERT_TRUE(test, sluice_formats_valid(&t->engine->caps, &t->ops));
	KUNIT_ASSERT_EQ(test, sluice_formats_copy(&t->engine->caps), 0);
	test->priv = t;
	return 0;
}

static void format_test_exit(struct kunit *test)
{
	struct format_test *t = test->priv;

	if (t)
		sluice_formats_free(&t->engine->caps);
}

/* Check a frame as SUBMIT does, except its slots. */
static int format_check(struct format_test *t, struct sluice_op_desc *desc,
			const struct sluice_op *op)
{
	int ret;

	memset(t->ranges, 0, sizeof(t->ranges));
	*desc = (struct sluice_op_desc) {
		.kind = op->kind, .length = op->length, .ranges = t->ranges,
	};
	ret = sluice_frame_copy(&t->engine->caps, desc, op);
	if (ret || !desc->frame.width)
		return ret;
	return sluice_frame_check(t->engine, desc);
}

static void frames_at_their_extremes(struct kunit *test)
{
	static const struct {
		u32 width, height, stride, format;
		u64 length;
		int result;
	} cases[] = {
		{ 0, 0, 0, 0, 4096, 0 },
		{ 0, 1, 0, 0, 4096, -EINVAL },
		{ 0, 0, 4, 0, 4096, -EINVAL },
		{ 0, 0, 0, FORMAT_XR24, 4096, -EINVAL },
		{ 1, 1, 4, FORMAT_XR24, 4, 0 },
		{ 1, 1, 4, FORMAT_XR24, 3, -ERANGE },
		{ 1, 1, 4, FORMAT_XR24 + 1, 4, -EOPNOTSUPP },
		{ 1, 0, 4, FORMAT_XR24, 4, -EINVAL },
		{ 2, 1, 4, FORMAT_XR24, 64, -EINVAL },
		{ 1, 1, 5, FORMAT_XR24, 64, -EINVAL },
		/* the last line needs only the bytes of its pixels */
		{ 16, 2, 4096, FORMAT_XR24, 4096 + 64, 0 },
		{ 16, 2, 4096, FORMAT_XR24, 4096 + 63, -ERANGE },
		/* width * 4 does not fit 32 bits: no stride is enough */
		{ 0x40000000, 1, 0, FORMAT_XR24, U64_MAX, -EINVAL },
		{ 0x40000001, 1, 4, FORMAT_XR24, U64_MAX, -EINVAL },
		{ U32_MAX, 1, U32_MAX & ~3U, FORMAT_XR24, U64_MAX, -EINVAL },
		/* height * stride does not fit 32 bits */
		{ 1, 0x10001, 0x10000, FORMAT_XR24, 0x100000004ULL, 0 },
		{ 1, 0x10001, 0x10000, FORMAT_XR24, 0x100000003ULL, -ERANGE },
		{ 1, U32_MAX, U32_MAX & ~3U, FORMAT_XR24, U32_MAX, -ERANGE },
		{ 0x3fffffff, U32_MAX, U32_MAX & ~3U, FORMAT_XR24, U64_MAX, 0 },
		{ 0x3fffffff, U32_MAX, U32_MAX & ~3U, FORMAT_XR24, U64_MAX >> 1, -ERANGE },
		/* planes one after the other */
		{ 4, 2, 4, FORMAT_NV12, 12, 0 },
		{ 4, 2, 4, FORMAT_NV12, 11, -ERANGE },
		{ 4, 4, 8, FORMAT_YU12, 32 + 8 + 4 + 2, 0 },
		{ 4, 4, 8, FORMAT_YU12, 32 + 8 + 4 + 1, -ERANGE },
		{ 4, 4, 7, FORMAT_YU12, 4096, -EINVAL },
		{ 3, 2, 4, FORMAT_NV12, 4096, -EINVAL },
		{ 4, 3, 4, FORMAT_NV12, 4096, -EINVAL },
		{ 2, 0xfffffffe, 0xfffffffe, FORMAT_NV12, U64_MAX, -ERANGE },
		{ 2, 0xfffffffe, 0x80000000, FORMAT_NV12, U64_MAX, 0 },
		{ 2, 0x7ffffffe, 0xfffffffe, FORMAT_NV12, U64_MAX, 0 },
		{ 2, 0x7ffffffe, 0xfffffffe, FORMAT_NV12, U64_MAX >> 1, -ERANGE },
		/* four pixels in five bytes */
		{ 4, 1, 5, FORMAT_RAW10, 5, 0 },
		{ 4, 1, 4, FORMAT_RAW10, 5, -EINVAL },
		{ 5, 1, 10, FORMAT_RAW10, 10, -EINVAL },
		{ 0xfffffffc, 1, U32_MAX, FORMAT_RAW10, U64_MAX, -EINVAL },
		/* only the driver knows this format */
		{ 1, 1, 0, FORMAT_OWN, 4096, 0 },
		{ 1, 1, 0, FORMAT_OWN, 4095, -ERANGE },
		{ 13, 1, 0, FORMAT_OWN, 4096, -EDOM },
	};
	struct format_test *t = test->priv;
	struct sluice_op_desc desc;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sluice_op op = {
			.kind = SLUICE_OP_CAPTURE,
			.length = cases[i].length,
			.frame = { cases[i].width, cases[i].height, cases[i].stride,
				   cases[i].format },
		};

		KUNIT_EXPECT_EQ_MSG(test, format_check(t, &desc, &op), cases[i].result,
				    "case %u", i);
	}
}

static void planes_follow_one_another(struct kunit *test)
{
	struct sluice_op op = {
		.kind = SLUICE_OP_PLAYBACK, .src_offset = 256, .length = 4096,
		.frame = { 16, 8, 32, FORMAT_YU12 },
	};
	struct format_test *t = test->priv;
	struct sluice_op_desc desc;

	KUNIT_ASSERT_EQ(test, format_check(t, &desc, &op), 0);
	KUNIT_EXPECT_EQ(test, desc.num_ranges, 3);
	KUNIT_EXPECT_EQ(test, desc.ranges[0].offset, 256);
	KUNIT_EXPECT_EQ(test, desc.ranges[0].length, 7 * 32 + 16);
	KUNIT_EXPECT_EQ(test, desc.ranges[1].offset, 256 + 8 * 32);
	KUNIT_EXPECT_EQ(test, desc.ranges[1].length, 3 * 16 + 8);
	KUNIT_EXPECT_EQ(test, desc.ranges[2].offset, 256 + 8 * 32 + 4 * 16);
	KUNIT_EXPECT_EQ(test, desc.frame.strides[2], 16);
	KUNIT_EXPECT_FALSE(test, desc.ranges[2].write);
	KUNIT_EXPECT_EQ(test, desc.length, 4096);
}

/* If the core does not know the geometry, the caller must choose the position of each plane. */
static void the_driver_measures_what_the_core_cannot(struct kunit *test)
{
	struct format_test *t = test->priv;
	struct sluice_op_desc desc = {
		.kind = SLUICE_OP_CAPTURE,
		.ranges = t->ranges,
		.frame = { .width = 16, .height = 8, .format = FORMAT_NV12,
			   .modifier = FORMAT_TILED, .num_planes = 2 },
	};

	KUNIT_EXPECT_EQ(test, sluice_frame_lay_out(&t->engine->caps, &desc, false), -EINVAL);
	KUNIT_ASSERT_EQ(test, sluice_frame_lay_out(&t->engine->caps, &desc, true), 0);
	KUNIT_ASSERT_EQ(test, sluice_frame_check(t->engine, &desc), 0);
	KUNIT_EXPECT_EQ(test, desc.ranges[1].length, 4096);
	KUNIT_EXPECT_EQ(test, desc.length, 8192);
	desc.length = 0;
	desc.ranges[1].offset = U64_MAX - 4095;
	KUNIT_EXPECT_EQ(test, sluice_frame_check(t->engine, &desc), -ERANGE);
}

static void strides_are_aligned_as_the_engine_needs(struct kunit *test)
{
	struct sluice_op op = {
		.kind = SLUICE_OP_CAPTURE, .length = 65536, .frame = { 16, 8, 96, FORMAT_XR24 },
	};
	struct format_test *t = test->priv;
	struct sluice_op_desc desc;

	KUNIT_EXPECT_EQ(test, format_check(t, &desc, &op), 0);
	t->engine->caps.stride_align = 64;
	KUNIT_EXPECT_EQ(test, format_check(t, &desc, &op), -EINVAL);
	op.frame.stride = 128;
	KUNIT_EXPECT_EQ(test, format_check(t, &desc, &op), 0);
}

/* Only the listed sizes and intervals exist, and the list is read from the driver once. */
static void sizes_and_intervals_are_those_listed(struct kunit *test)
{
	static const struct {
		u32 width, height;
		bool listed;
	} cases[] = {
		{ 640, 480, true }, { 640, 481, false }, { 641, 480, false },
		{ 1280, 720, true }, { 1288, 722, true }, { 1284, 720, false },
		{ 1280, 721, false }, { 1920, 1080, true }, { 1928, 1080, false },
		{ 1272, 720, false }, { 640, 720, false }, { 1920, 1082, false },
	};
	struct sluice_interval_range intervals[] = {
		{ .min = { 1, 30 } }, { .min = { 1, 60 }, .max = { 1, 1 }, .step = { 1, 60 } },
	};
	struct sluice_size_range sizes[] = {
		{ .min_width = 640, .min_height = 480, .num_intervals = 2,
		  .intervals = intervals },
		{ .min_width = 1280, .max_width = 1920, .step_width = 8,
		  .min_height = 720, .max_height = 1080, .step_height = 2 },
	};
	struct sluice_format_caps format = {
		.format = FORMAT_XR24, .num_sizes = 2, .sizes = sizes,
	};
	struct sluice_engine engine = {
		.caps = { .num_formats = 1, .formats = &format },
	};
	struct sluice_enum_intervals interval = {
		.format = FORMAT_XR24, .width = 640, .height = 480, .index = 0,
	};
	struct sluice_enum_sizes size = { .format = FORMAT_XR24, .index = 0 };
	const struct sluice_device_ops ops = {};
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, sluice_formats_valid(&engine.caps, &ops));
	KUNIT_ASSERT_EQ(test, sluice_formats_copy(&engine.caps), 0);
	/* the core must not use the driver's memory any more */
	memset(intervals, 0xff, sizeof(intervals));
	memset(sizes, 0xff, sizeof(sizes));
	memset(&format, 0xff, sizeof(format));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, !!sluice_size_find(engine.caps.formats, cases[i].width,
							     cases[i].height),
				    cases[i].listed, "case %u", i);
	KUNIT_EXPECT_EQ(test, sluice_format_enum_sizes(&engine.caps, &size), 0);
	KUNIT_EXPECT_EQ(test, size.max_width, 640);
	KUNIT_EXPECT_EQ(test, size.step_height, 1);
	KUNIT_EXPECT_EQ(test, size.num_intervals, 2);
	KUNIT_EXPECT_EQ(test, sluice_format_enum_intervals(&engine.caps, &interval), 0);
	KUNIT_EXPECT_EQ(test, interval.max.denominator, 30);
	interval.index = 1;
	KUNIT_EXPECT_EQ(test, sluice_format_enum_intervals(&engine.caps, &interval), 0);
	KUNIT_EXPECT_EQ(test, interval.step.denominator, 60);
	interval.index = 2;
	KUNIT_EXPECT_EQ(test, sluice_format_enum_intervals(&engine.caps, &interval), -EINVAL);
	sluice_formats_free(&engine.caps);
	KUNIT_EXPECT_NULL(test, engine.caps.formats);
}

static void lists_that_make_no_sense_are_refused(struct kunit *test)
{
	static const struct sluice_interval_range never[] = { { .min = { 0, 1 } } };
	static const struct sluice_size_range bad_sizes[] = {
		{ .min_width = 0, .min_height = 1 },
		{ .min_width = 1, .min_height = 0 },
		{ .min_width = 2, .max_width = 1, .min_height = 1 },
		{ .min_width = 1, .min_height = 2, .max_height = 1 },
		{ .min_width = 1, .min_height = 1, .num_intervals = 1 },
		{ .min_width = 1, .min_height = 1, .num_intervals = 1, .intervals = never },
		{ .min_width = 1, .min_height = 1, .num_intervals = SLUICE_FORMAT_MAX + 1,
		  .intervals = never },
	};
	static const struct sluice_format_caps bad_formats[] = {
		{ .num_sizes = 1, .sizes = format_any_size },
		{ .format = FORMAT_XR24 },
		{ .format = FORMAT_XR24, .num_sizes = 1 },
		{ .format = FORMAT_XR24, .num_sizes = 1, .sizes = format_any_size,
		  .num_planes = 2 },
		{ .format = FORMAT_XR24, .num_sizes = 1, .sizes = format_any_size,
		  .fields = BIT(SLUICE_FIELD_ALTERNATE + 1) },
		/* neither core nor driver knows the size or the number of planes of these */
		{ .format = FORMAT_OWN, .num_sizes = 1, .sizes = format_any_size,
		  .num_planes = SLUICE_MAX_PLANES + 1 },
		{ .format = FORMAT_OWN, .num_sizes = 1, .sizes = format_any_size },
	};
	struct sluice_format_caps twice[] = { format_list[0], format_list[0] };
	struct sluice_format_caps one = format_list[0];
	struct sluice_engine_caps caps = { .num_formats = 1, .formats = &one };
	struct format_test *t = test->priv;
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, sluice_formats_valid(&caps, &t->ops));
	for (i = 0; i < ARRAY_SIZE(bad_sizes); i++) {
		one.sizes = &bad_sizes[i];
		KUNIT_EXPECT_FALSE_MSG(test, sluice_formats_valid(&caps, &t->ops), "size %u", i);
	}
	for (i = 0; i < ARRAY_SIZE(bad_formats); i++) {
		caps.formats = &bad_formats[i];
		KUNIT_EXPECT_FALSE_MSG(test, sluice_formats_valid(&caps, &t->ops), "format %u", i);
	}
	one = format_list[0];
	caps.formats = &one;
	caps.stride_align = 48;
	KUNIT_EXPECT_FALSE(test, sluice_formats_valid(&caps, &t->ops));
	caps.stride_align = 0;
	caps.num_formats = SLUICE_FORMAT_MAX + 1;
	KUNIT_EXPECT_FALSE(test, sluice_formats_valid(&caps, &t->ops));
	caps.num_formats = 1;
	caps.formats = NULL;
	KUNIT_EXPECT_FALSE(test, sluice_formats_valid(&caps, &t->ops));
	caps.num_formats = 2;
	caps.formats = twice;
	KUNIT_EXPECT_FALSE(test, sluice_formats_valid(&caps, &t->ops));
	/* without ->check_frame */
	caps.num_formats = 1;
	caps.formats = &format_list[4];
	KUNIT_EXPECT_TRUE(test, sluice_formats_valid(&caps, &t->ops));
	t->ops.check_frame = NULL;
	KUNIT_EXPECT_FALSE(test, sluice_formats_valid(&caps, &t->ops));
}

/* The numbers must match other headers for lines of 64 pixels, and for 16 lines. */
static void every_format_has_a_sensible_geometry(struct kunit *test)
{
	unsigned int i, j, bits;

	for (i = 0; i < ARRAY_SIZE(sluice_geometry_table); i++) {
		const struct sluice_geometry *geometry = &sluice_geometry_table[i];

		KUNIT_EXPECT_PTR_EQ(test, sluice_geometry_find(geometry->fourcc, 0), geometry);
		KUNIT_EXPECT_TRUE(test, is_power_of_2(geometry->align));
		for (j = 0, bits = 0; j < geometry->num_planes; j++) {
			unsigned int pixels = 64 * 16;

			KUNIT_EXPECT_TRUE(test, geometry->planes[j].bytes);
			KUNIT_EXPECT_TRUE(test, geometry->planes[j].samples);
			KUNIT_EXPECT_TRUE(test, !j || geometry->planes[j].samples == 1);
			if (j)
				pixels /= geometry->hsub * geometry->vsub;
			bits += pixels / geometry->planes[j].samples *
				geometry->planes[j].bytes * 8 / 64;
		}
		/* a pixel has 8 to 32 bits */
		KUNIT_EXPECT_GE(test, bits / 16, 8U);
		KUNIT_EXPECT_LE(test, bits / 16, 32U);
	}
}

static struct kunit_case format_cases[] = {
	KUNIT_CASE(frames_at_their_extremes),
	KUNIT_CASE(planes_follow_one_another),
	KUNIT_CASE(the_driver_measures_what_the_core_cannot),
	KUNIT_CASE(strides_are_aligned_as_the_engine_needs),
	KUNIT_CASE(sizes_and_intervals_are_those_listed),
	KUNIT_CASE(lists_that_make_no_sense_are_refused),
	KUNIT_CASE(every_format_has_a_sensible_geometry),
	{ }
};

static struct kunit_suite format_suite = {
	.name = "sluice-format",
	.init = format_test_init,
	.exit = format_test_exit,
	.test_cases = format_cases,
};
kunit_test_suite(format_suite);
