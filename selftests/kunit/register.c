// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: registrations that no driver of the lab makes.  Included by drivers/core/register.c. */
#include <kunit/test.h>

static u64 registered_mask;

static int registered_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	return -EIO;
}

static enum sluice_aborted registered_abort(struct sluice_engine *engine, u32 cookie)
{
	return SLUICE_ABORTED_ALL;
}

static const struct sluice_device_ops registered_ops = {
	.start = registered_start,
	.abort = registered_abort,
};

static const struct sluice_engine_caps registered_engine = {
	.op_kinds = BIT_ULL(SLUICE_OP_FILL),
	.op_align = 4,
};

static int registered_init(struct kunit *test)
{
	struct device *parent = root_device_register("sluice-kunit");

	if (IS_ERR(parent))
		return PTR_ERR(parent);
	registered_mask = DMA_BIT_MASK(64);
	parent->dma_mask = &registered_mask;
	parent->coherent_dma_mask = registered_mask;
	test->priv = parent;
	return 0;
}

static void registered_exit(struct kunit *test)
{
	if (test->priv)
		root_device_unregister(test->priv);
}

/* Only the first three parameters may be used: all others are NULL or 0. */
static void registered_for_another_api_is_ENOEXEC(struct kunit *test)
{
	static const u32 others[] = { 0, SLUICE_DRIVER_API - 1, SLUICE_DRIVER_API + 1, U32_MAX };
	struct sluice_device *sdev;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		sdev = __sluice_device_register(others[i], THIS_MODULE, "sluice_kunit", NULL, NULL,
						NULL, NULL, 0, NULL);
		KUNIT_ASSERT_TRUE(test, IS_ERR(sdev));
		KUNIT_EXPECT_EQ(test, PTR_ERR(sdev), -ENOEXEC);
	}
}

static void registered_driver_is_named_after_its_module(struct kunit *test)
{
	static const char * const names[][2] = {
		{ "sluice_soft", "soft" }, { "card", "card" }, { "sluice", "sluice" },
		{ "card_sluice_", "card_sluice_" },
		{ "a_name_that_is_longer_than_31_bytes", "a_name_that_is_longer_than_31_b" },
	};
	struct sluice_device *sdev;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		sdev = __sluice_device_register(SLUICE_DRIVER_API, THIS_MODULE, names[i][0],
						test->priv, "kunit", &registered_ops,
						&registered_engine, 1, NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(sdev));
		KUNIT_EXPECT_STREQ(test, sdev->driver, names[i][1]);
		sluice_device_unregister(sdev);
	}
}

/* An open node reads the ops after the device is removed, and the driver's memory with it. */
static void registered_ops_are_a_copy(struct kunit *test)
{
	struct sluice_device_ops *ops;
	struct sluice_device *sdev;

	ops = kmemdup(&registered_ops, sizeof(*ops), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ops);
	sdev = sluice_device_register(test->priv, "kunit", ops, &registered_engine, 1, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sdev));
	get_device(&sdev->dev);
	sluice_device_unregister(sdev);
	memset(ops, 0, sizeof(*ops));
	KUNIT_EXPECT_PTR_EQ(test, sdev->owner, THIS_MODULE);
	KUNIT_EXPECT_PTR_EQ(test, sdev->ops->start, registered_ops.start);
	put_device(&sdev->dev);
	kfree(ops);
}

/* Limits that no op could meet, and limits of segments for a CPU engine. */
static void registered_limits_make_sense(struct kunit *test)
{
	static const struct {
		u64 min, max;
		u32 segments, flags;
		int result;
	} cases[] = {
		{ 0, 0, 0, 0, 0 },
		{ 4096, 4096, 1, 0, 0 },
		{ 4093, 4098, U32_MAX, 0, 0 },
		{ 4097, 4098, 0, 0, -EINVAL },
		{ 4096, 4092, 0, 0, -EINVAL },
		{ 0, 3, 0, 0, -EINVAL },
		{ 0, 4, 0, 0, 0 },
		{ U64_MAX, U64_MAX, 0, 0, -EINVAL },
		{ U64_MAX, 0, 0, 0, 0 },
		{ 64, 4096, 0, SLUICE_ENGINE_CPU, 0 },
		{ 0, 0, 1, SLUICE_ENGINE_CPU, -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sluice_engine_caps caps = registered_engine;
		struct sluice_device *sdev;

		caps.min_length = cases[i].min;
		caps.max_length = cases[i].max;
		caps.max_segments = cases[i].segments;
		caps.flags = cases[i].flags;
		sdev = sluice_device_register(test->priv, "kunit", &registered_ops, &caps, 1, NULL);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(sdev), cases[i].result, "case %u", i);
		if (!IS_ERR(sdev))
			sluice_device_unregister(sdev);
	}
}

static struct kunit_case registered_cases[] = {
	KUNIT_CASE(registered_for_another_api_is_ENOEXEC),
	KUNIT_CASE(registered_driver_is_named_after_its_module),
	KUNIT_CASE(registered_ops_are_a_copy),
	KUNIT_CASE(registered_limits_make_sense),
	{ }
};

static struct kunit_suite registered_suite = {
	.name = "sluice-registration",
	.init = registered_init,
	.exit = registered_exit,
	.test_cases = registered_cases,
};
kunit_test_suite(registered_suite);
