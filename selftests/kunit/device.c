// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: registrations that no driver in the lab makes.  Included by
 * drivers/core/device.c.
 */
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
	.owner = THIS_MODULE,
	.driver = "kunit",
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

static void registered_without_a_name_is_EINVAL(struct kunit *test)
{
	struct sluice_device_ops ops = registered_ops;
	struct sluice_device *sdev;

	ops.driver = NULL;
	sdev = sluice_device_register(test->priv, "kunit", &ops, &registered_engine, 1, NULL);
	KUNIT_EXPECT_TRUE(test, IS_ERR(sdev));
	if (IS_ERR(sdev))
		KUNIT_EXPECT_EQ(test, PTR_ERR(sdev), -EINVAL);
	else
		sluice_device_unregister(sdev);
}

/* An open node reads them after the device has gone, and the driver's memory with it. */
static void registered_ops_are_a_copy(struct kunit *test)
{
	struct sluice_device_ops *ops;
	struct sluice_device *sdev;
	char *name;

	ops = kmemdup(&registered_ops, sizeof(*ops), GFP_KERNEL);
	name = kstrdup("kunit", GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ops);
	KUNIT_ASSERT_NOT_NULL(test, name);
	ops->driver = name;
	sdev = sluice_device_register(test->priv, "kunit", ops, &registered_engine, 1, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sdev));
	get_device(&sdev->dev);
	sluice_device_unregister(sdev);
	memset(ops, 0, sizeof(*ops));
	memset(name, 'x', strlen(name));
	KUNIT_EXPECT_PTR_EQ(test, sdev->ops->owner, THIS_MODULE);
	KUNIT_EXPECT_PTR_EQ(test, sdev->ops->start, registered_ops.start);
	if (sdev->ops->driver)
		KUNIT_EXPECT_STREQ(test, sdev->ops->driver, "kunit");
	else
		KUNIT_FAIL(test, "the driver's name is gone");
	put_device(&sdev->dev);
	kfree(name);
	kfree(ops);
}

static struct kunit_case registered_cases[] = {
	KUNIT_CASE(registered_without_a_name_is_EINVAL),
	KUNIT_CASE(registered_ops_are_a_copy),
	{ }
};

static struct kunit_suite registered_suite = {
	.name = "sluice-registration",
	.init = registered_init,
	.exit = registered_exit,
	.test_cases = registered_cases,
};
kunit_test_suite(registered_suite);
