// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: lists of controls that no driver of the lab has, and values at the limits of 64 bits.
 * Included by drivers/core/control.c.
 */
#include <kunit/test.h>

static const char * const control_names[] = { "one", "two" };
static const char * const control_long_names[] = {
	"one", "a_name_that_is_longer_than_31_bytes",
};
static const char * const control_holes[] = { "one", NULL };
static const char * const control_blanks[] = { "", "two" };

struct control_test {
	struct sluice_device_ops ops;
	struct sluice_device *sdev;
};

static int control_set(void *priv, u32 id, s64 value)
{
	return 0;
}

static int control_get(void *priv, u32 id, s64 *value)
{
	*value = 0;
	return 0;
}

static int control_test_init(struct kunit *test)
{
	struct control_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->sdev = kunit_kzalloc(test, sizeof(*t->sdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->sdev);
	t->ops.set_control = control_set;
	t->ops.get_control = control_get;
	t->sdev->ops = &t->ops;
	test->priv = t;
	return 0;
}

static void control_test_exit(struct kunit *test)
{
	struct control_test *t = test->priv;

	if (t && t->sdev)
		sluice_controls_free(t->sdev);
}

/* A refused list must leave nothing behind. */
static void control_expect(struct kunit *test, const struct sluice_control_caps *caps,
			   unsigned int count, int result)
{
	struct control_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, sluice_device_add_controls(t->sdev, caps, count), result);
	if (result)
		KUNIT_EXPECT_NULL(test, t->sdev->controls);
	sluice_controls_free(t->sdev);
}

#define CONTROL_INT(...) { .id = 1, .type = SLUICE_CONTROL_INT, .name = "n", __VA_ARGS__ }
#define CONTROL_BOOL(...) { .id = 1, .type = SLUICE_CONTROL_BOOL, .name = "n", __VA_ARGS__ }
#define CONTROL_BUTTON(...) { .id = 1, .type = SLUICE_CONTROL_BUTTON, .name = "n", __VA_ARGS__ }
#define CONTROL_MENU(...) \
	{ .id = 1, .type = SLUICE_CONTROL_MENU, .name = "n", .menu = control_names, __VA_ARGS__ }

static void controls_that_make_sense_are_taken(struct kunit *test)
{
	static const struct sluice_control_caps good[] = {
		CONTROL_INT(.max = 0),
		CONTROL_INT(.min = S64_MIN, .max = S64_MAX),
		CONTROL_INT(.min = S64_MIN, .max = S64_MAX, .step = S64_MAX, .default_value = -1),
		CONTROL_INT(.min = -7, .max = -7, .default_value = -7),
		CONTROL_INT(.max = 9, .properties = SLUICE_CONTROL_VOLATILE),
		CONTROL_INT(.max = 9,
			    .properties = SLUICE_CONTROL_VOLATILE | SLUICE_CONTROL_READ_ONLY),
		CONTROL_BOOL(.default_value = 1),
		CONTROL_MENU(.max = 1, .default_value = 1),
		CONTROL_MENU(.max = 0),
		CONTROL_BUTTON(.max = 0),
		{ .id = S32_MAX, .type = SLUICE_CONTROL_BUTTON,
		  .name = "a_name_of_exactly_thirty-one_by" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		control_expect(test, &good[i], 1, 0);
}

static void controls_that_make_no_sense_are_EINVAL(struct kunit *test)
{
	static const struct sluice_control_caps bad[] = {
		{ .id = 0, .type = SLUICE_CONTROL_INT, .name = "n" },
		{ .id = S32_MAX + 1U, .type = SLUICE_CONTROL_INT, .name = "n" },
		{ .id = 1, .type = 0, .name = "n" },
		{ .id = 1, .type = SLUICE_CONTROL_BUTTON + 1, .name = "n" },
		{ .id = 1, .type = SLUICE_CONTROL_INT },
		{ .id = 1, .type = SLUICE_CONTROL_INT, .name = "" },
		{ .id = 1, .type = SLUICE_CONTROL_INT,
		  .name = "a_name_of_exactly_thirty-two_byt" },
		CONTROL_INT(.min = 1, .default_value = 1),
		CONTROL_INT(.max = 9, .step = -1),
		CONTROL_INT(.max = 9, .default_value = 10),
		CONTROL_INT(.max = 9, .default_value = -1),
		CONTROL_INT(.max = 9, .step = 2, .default_value = 3),
		CONTROL_INT(.max = 1, .menu = control_names),
		CONTROL_INT(.properties = 1U << 2),
		/* the value would never change */
		CONTROL_INT(.properties = SLUICE_CONTROL_READ_ONLY),
		CONTROL_BOOL(.max = 1),
		CONTROL_BOOL(.min = 1),
		CONTROL_BOOL(.step = 1),
		CONTROL_BOOL(.default_value = 2),
		CONTROL_BUTTON(.max = 1),
		CONTROL_BUTTON(.default_value = 1),
		CONTROL_BUTTON(.properties = SLUICE_CONTROL_VOLATILE),
		CONTROL_MENU(.max = -1),
		CONTROL_MENU(.max = SLUICE_CONTROLS_MAX),
		CONTROL_MENU(.max = S64_MAX),
		CONTROL_MENU(.min = -1, .max = 1),
		CONTROL_MENU(.max = 1, .step = 1),
		CONTROL_MENU(.max = 1, .default_value = 2),
		{ .id = 1, .type = SLUICE_CONTROL_MENU, .name = "n", .max = 1 },
		{ .id = 1, .type = SLUICE_CONTROL_MENU, .name = "n", .max = 1,
		  .menu = control_long_names },
		{ .id = 1, .type = SLUICE_CONTROL_MENU, .name = "n", .max = 1,
		  .menu = control_holes },
		{ .id = 1, .type = SLUICE_CONTROL_MENU, .name = "n", .max = 1,
		  .menu = control_blanks },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		control_expect(test, &bad[i], 1, -EINVAL);
}

static void controls_that_need_functions_have_them(struct kunit *test)
{
	static const struct sluice_control_caps set = CONTROL_INT(.max = 9);
	static const struct sluice_control_caps get =
		CONTROL_INT(.properties = SLUICE_CONTROL_VOLATILE | SLUICE_CONTROL_READ_ONLY);
	struct control_test *t = test->priv;

	t->ops.set_control = NULL;
	control_expect(test, &set, 1, -EINVAL);
	control_expect(test, &get, 1, 0);
	t->ops.get_control = NULL;
	control_expect(test, &get, 1, -EINVAL);
	t->ops.set_control = control_set;
	control_expect(test, &set, 1, 0);
	control_expect(test, &get, 1, -EINVAL);
}

static void controls_are_unique_and_added_once(struct kunit *test)
{
	struct sluice_control_caps caps[2] = { CONTROL_INT(.max = 1), CONTROL_INT(.max = 1) };
	struct control_test *t = test->priv;

	control_expect(test, caps, 0, -EINVAL);
	control_expect(test, caps, SLUICE_CONTROLS_MAX + 1, -EINVAL);
	control_expect(test, caps, 2, -EINVAL);
	caps[1].id = 2;
	control_expect(test, caps, 2, -EINVAL);
	caps[1].id = 1;
	caps[1].name = "m";
	control_expect(test, caps, 2, -EINVAL);
	caps[1].id = 2;
	control_expect(test, caps, 2, 0);

	KUNIT_ASSERT_EQ(test, sluice_device_add_controls(t->sdev, caps, 1), 0);
	KUNIT_EXPECT_EQ(test, sluice_device_add_controls(t->sdev, &caps[1], 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, sluice_controls_count(t->sdev->controls), 1U);
}

/* The driver's list may be on its stack. */
static void controls_are_a_copy(struct kunit *test)
{
	struct sluice_control_caps caps = CONTROL_INT(.max = 1);
	char name[] = "first", entry[] = "entry";
	const char *menu[] = { entry };
	struct control_test *t = test->priv;

	caps.name = name;
	caps.type = SLUICE_CONTROL_MENU;
	caps.max = 0;
	caps.menu = menu;
	KUNIT_ASSERT_EQ(test, sluice_device_add_controls(t->sdev, &caps, 1), 0);
	name[0] = entry[0] = 'x';
	menu[0] = NULL;
	memset(&caps, 0, sizeof(caps));
	KUNIT_EXPECT_STREQ(test, t->sdev->controls->entries[0].name, "first");
	KUNIT_EXPECT_STREQ(test, t->sdev->controls->entries[0].menu[0], "entry");
	KUNIT_EXPECT_PTR_EQ(test, sluice_control_find(t->sdev->controls, 1),
			    &t->sdev->controls->entries[0]);
	KUNIT_EXPECT_NULL(test, sluice_control_find(t->sdev->controls, 0));
}

static void controls_take_values_at_the_ends_of_64_bits(struct kunit *test)
{
	static const struct sluice_control_caps widest = {
		.min = S64_MIN, .max = S64_MAX, .step = S64_MAX,
	};
	static const struct sluice_control_caps upper = {
		.min = S64_MAX - 3, .max = S64_MAX, .step = 2,
	};

	KUNIT_EXPECT_TRUE(test, sluice_control_takes(&widest, S64_MIN));
	KUNIT_EXPECT_TRUE(test, sluice_control_takes(&widest, -1));
	KUNIT_EXPECT_TRUE(test, sluice_control_takes(&widest, S64_MAX - 1));
	KUNIT_EXPECT_FALSE(test, sluice_control_takes(&widest, 0));
	KUNIT_EXPECT_FALSE(test, sluice_control_takes(&widest, S64_MAX));
	KUNIT_EXPECT_FALSE(test, sluice_control_takes(&widest, S64_MIN + 1));
	KUNIT_EXPECT_TRUE(test, sluice_control_takes(&upper, S64_MAX - 3));
	KUNIT_EXPECT_TRUE(test, sluice_control_takes(&upper, S64_MAX - 1));
	KUNIT_EXPECT_FALSE(test, sluice_control_takes(&upper, S64_MAX));
	KUNIT_EXPECT_FALSE(test, sluice_control_takes(&upper, S64_MAX - 5));
	KUNIT_EXPECT_FALSE(test, sluice_control_takes(&upper, S64_MIN));
}

static struct kunit_case control_cases[] = {
	KUNIT_CASE(controls_that_make_sense_are_taken),
	KUNIT_CASE(controls_that_make_no_sense_are_EINVAL),
	KUNIT_CASE(controls_that_need_functions_have_them),
	KUNIT_CASE(controls_are_unique_and_added_once),
	KUNIT_CASE(controls_are_a_copy),
	KUNIT_CASE(controls_take_values_at_the_ends_of_64_bits),
	{ }
};

static struct kunit_suite control_suite = {
	.name = "sluice-controls",
	.init = control_test_init,
	.exit = control_test_exit,
	.test_cases = control_cases,
};
kunit_test_suite(control_suite);
