// SPDX-License-Identifier: MIT
/* The benchmarks' way to measure: a disturbed step does not count, and is done again. */
#include <errno.h>

#include "../measure.h"
#include "harness.h"

#define ENDLESS 1000

static int disturbances;	/* so many steps or values are disturbed */
static int begun, ended, torn_down;

int settle(size_t size)
{
	(void)size;
	return 0;
}

static int begin(struct scene *scene)
{
	(void)scene;
	begun++;
	return 0;
}

static int disturb(struct scene *scene)
{
	(void)scene;
	return disturbances && disturbances-- ? DISTURBED : 0;
}

static int nothing(struct scene *scene)
{
	(void)scene;
	return 0;
}

static int end(struct scene *scene)
{
	(void)scene;
	ended++;
	return 0;
}

static int fail(struct scene *scene)
{
	(void)scene;
	return -EAGAIN;
}

static void tear_down(struct scene *scene)
{
	(void)scene;
	torn_down++;
}

static int value(struct scene *scene, double *value)
{
	*value = 7;
	return disturb(scene);
}

static const struct steps disturbed = { .before = begin, .step = disturb, .after = end };
static const struct steps corrected = {
	.before = begin, .step = nothing, .correct = disturb, .after = end,
};
static const struct steps failing = { .before = begin, .step = fail, .after = end };
static const struct steps limited = { .before = begin, .step = nothing, .after = end, .most = 1 };
static const struct steps valued = { .value = value, .teardown = tear_down };

static int measure(const struct steps *steps, int count, struct result *result)
{
	struct bench bench = { .name = "a case", .ours = { .name = "ours", .steps = steps } };

	disturbances = count;
	begun = ended = torn_down = 0;
	return measure_side(&bench, &bench.ours, result);
}

TEST(a_disturbed_step_is_done_again)
{
	struct result without, with;

	ASSERT_EQ(0, measure(&disturbed, 0, &without));
	EXPECT_EQ(begun, ended);
	ASSERT_EQ(0, measure(&disturbed, 5, &with));
	EXPECT_EQ(begun, ended);
	EXPECT_EQ(without.steps, with.steps);
	EXPECT_EQ(5 + 3 + (int)with.steps, begun);
	ASSERT_EQ(0, measure(&corrected, 5, &with));
	EXPECT_EQ(begun, ended);
	EXPECT_EQ(5 + 3 + (int)with.steps, begun);
}

TEST(a_single_step_is_done_once)
{
	struct result result;

	ASSERT_EQ(0, measure(&limited, 0, &result));
	EXPECT_EQ(1, result.steps);
	EXPECT_EQ(1, begun);
	EXPECT_EQ(1, ended);
}

TEST(a_disturbed_value_is_found_again_with_a_new_scene)
{
	struct result result;

	ASSERT_EQ(0, measure(&valued, 5, &result));
	EXPECT_EQ(7, result.median);
	EXPECT_EQ(6, torn_down);
}

TEST(a_step_that_is_always_disturbed_is_an_error)
{
	struct result result;

	EXPECT_EQ(DISTURBED, measure(&disturbed, ENDLESS, &result));
	EXPECT_EQ(begun, ended);
	EXPECT_LT(begun, ENDLESS);
	EXPECT_EQ(DISTURBED, measure(&corrected, ENDLESS, &result));
	EXPECT_EQ(DISTURBED, measure(&valued, ENDLESS, &result));
	EXPECT_LT(torn_down, ENDLESS);
}

TEST(another_error_ends_at_once)
{
	struct result result;

	EXPECT_EQ(-EAGAIN, measure(&failing, 0, &result));
	EXPECT_EQ(1, begun);
	EXPECT_EQ(0, ended);
}

TEST_HARNESS_MAIN
