// SPDX-License-Identifier: MIT
/* Controls, events, sources and private ops of a device. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "jobs.h"
#include "knobs.h"
#include "machine.h"
#include "objects.h"
#include "pattern.h"
#include "scene.h"
#include "sluice.h"

#include <linux/sluice_soft.h>

#define DRIVER	"/sys/bus/platform/drivers/sluice-soft"
#define NODE	"/dev/sluice/soft0"
#define SIZE	65536UL
#define WIDTH	64U
#define HEIGHT	48U
#define MANY	128

#ifdef SYS_poll
#define POLL_CALL	SYS_poll
#else
#define POLL_CALL	SYS_ppoll
#endif

/* Bind soft0 again with this number of ops in flight; if there are several, they run in order. */
static int set_depth(const char *depth)
{
	write_text(DRIVER "/unbind", "sluice-soft");
	return write_text("/sys/module/sluice_soft/parameters/depth", depth) ?:
	       write_text("/sys/module/sluice_soft/parameters/ordered",
			  strcmp(depth, "1") ? "Y" : "N") ?:
	       write_text(DRIVER "/bind", "sluice-soft");
}

/* Wait until engine 0 has this number of ops in flight. */
static bool wait_in_flight(unsigned int count)
{
	unsigned int now = count + 1;
	char line[256];
	FILE *file;
	int tries;

	for (tries = 0; tries < LATE_MS && now != count; tries++) {
		file = fopen("/sys/kernel/debug/sluice/soft0/engines", "re");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "0 %*u %*u %*u %*u %u", &now) == 1)
				break;
		if (file)
			fclose(file);
		usleep(1000);
	}
	return now == count;
}

/* The controls of soft0, in its order. */
static const struct {
	uint32_t id, type, properties;
	int64_t min, max, step;
	const char *name;
} expected[] = {
	{ SLUICE_CONTROL_INPUT, SLUICE_CONTROL_MENU, 0, 0, 1, 1, "input" },
	{ SLUICE_CONTROL_BRIGHTNESS, SLUICE_CONTROL_INT, 0, -255, 255, 5, "brightness" },
	{ SLUICE_CONTROL_TRIGGER, SLUICE_CONTROL_BUTTON, 0, 0, 0, 1, "trigger" },
	{ SLUICE_SOFT_CONTROL_FREEZE, SLUICE_CONTROL_BOOL, 0, 0, 1, 1, "freeze" },
	{ SLUICE_SOFT_CONTROL_FRAME, SLUICE_CONTROL_INT,
	  SLUICE_CONTROL_READ_ONLY | SLUICE_CONTROL_VOLATILE, 0, INT64_MAX, 1, "frame" },
};

#define CONTROLS (sizeof(expected) / sizeof(expected[0]))

/* Open the node so that read() does not wait. */
static int open_events(void)
{
	return open(NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

static bool wait_for_node(void)
{
	int tries;

	for (tries = 0; tries < 400 && access(NODE, F_OK); tries++)
		usleep(50000);
	return !access(NODE, F_OK);
}

/* Set all controls and knobs to their defaults. */
static void reset(int device)
{
	sluice_set_control(device, SLUICE_CONTROL_INPUT, 0);
	sluice_set_control(device, SLUICE_CONTROL_BRIGHTNESS, 0);
	sluice_set_control(device, SLUICE_SOFT_CONTROL_FREEZE, 0);
	knob("signal_lost", 0);
	knob("source_width", 0);
	knob("delay_us", 0);
	knob("control_error", 0);
	knob("repeat_next", 0);
}

/* Has soft0 its usual depth? */
static bool depth_is_one(void)
{
	FILE *file = fopen("/sys/module/sluice_soft/parameters/depth", "re");
	unsigned int depth = 0;

	if (!file)
		return false;
	if (fscanf(file, "%u", &depth) != 1)
		depth = 0;
	fclose(file);
	return depth == 1;
}

FIXTURE(controls) {
	struct objects before;
	int device, other, buffer, queue;
	uint32_t *memory;
};

FIXTURE_SETUP(controls)
{
	self->before = objects_before();
	self->device = sluice_open("soft0");
	ASSERT_GE(self->device, 0);
	reset(self->device);
	self->other = open_events();
	ASSERT_GE(self->other, 0);
	self->buffer = sluice_alloc(self->device, 0, SIZE, 0);
	ASSERT_GE(self->buffer, 0);
	ASSERT_EQ(sluice_map(self->buffer, SIZE, (void **)&self->memory), 0);
	self->queue = patient_queue(self->device, 0);
	ASSERT_GE(self->queue, 0);
	ASSERT_EQ(sluice_attach(self->queue, self->buffer, 0), 0);
}

FIXTURE_TEARDOWN(controls)
{
	int device;

	if (!depth_is_one())
		EXPECT_EQ(set_depth("1"), 0);
	if (access(NODE, F_OK))
		EXPECT_EQ(write_text(DRIVER "/bind", "sluice-soft"), 0);
	EXPECT_TRUE(wait_for_node());
	device = sluice_open("soft0");
	reset(device);
	close(device);
	munmap(self->memory, SIZE);
	close(self->queue);
	close(self->buffer);
	close(self->other);
	close(self->device);
	EXPECT_TRUE(objects_settle(&self->before));
}

/* Controls */

TEST_F(controls, are_listed_with_type_range_and_name)
{
	struct sluice_enum_controls control, found;
	struct sluice_info info;
	unsigned int i;

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	EXPECT_TRUE(info.caps & SLUICE_CAP_CONTROLS);
	for (i = 0; i < CONTROLS; i++) {
		ASSERT_EQ(sluice_list_control(self->device, i, &control), 0);
		EXPECT_EQ(control.index, i);
		EXPECT_EQ(control.id, expected[i].id);
		EXPECT_EQ(control.type, expected[i].type);
		EXPECT_EQ(control.properties, expected[i].properties);
		EXPECT_EQ(control.min, expected[i].min);
		EXPECT_EQ(control.max, expected[i].max);
		EXPECT_EQ(control.step, expected[i].step);
		EXPECT_EQ(control.default_value, 0);
		EXPECT_EQ(control.reserved, 0);
		EXPECT_STREQ(control.name, expected[i].name);
		EXPECT_EQ(sluice_find_control(self->device, expected[i].name, &found), 0);
		EXPECT_EQ(found.id, expected[i].id);
	}
	EXPECT_EQ(sluice_list_control(self->device, CONTROLS, &control), -EINVAL);
	EXPECT_EQ(sluice_list_control(self->device, UINT32_MAX, &control), -EINVAL);
	EXPECT_EQ(sluice_find_control(self->device, "bright", &found), -ENOENT);
}

TEST_F(controls, menu_has_the_names_of_its_values)
{
	struct sluice_enum_menu menu;

	EXPECT_EQ(sluice_list_menu(self->device, SLUICE_CONTROL_INPUT, 0, &menu), 0);
	EXPECT_STREQ(menu.name, "scene");
	EXPECT_EQ(sluice_list_menu(self->device, SLUICE_CONTROL_INPUT, 1, &menu), 0);
	EXPECT_STREQ(menu.name, "black");
	EXPECT_EQ(sluice_list_menu(self->device, SLUICE_CONTROL_INPUT, 2, &menu), -EINVAL);
	EXPECT_EQ(sluice_list_menu(self->device, SLUICE_CONTROL_INPUT, -1, &menu), -EINVAL);
	EXPECT_EQ(sluice_list_menu(self->device, SLUICE_CONTROL_INPUT, INT64_MAX, &menu), -EINVAL);
	EXPECT_EQ(sluice_list_menu(self->device, SLUICE_CONTROL_INPUT, INT64_MIN, &menu), -EINVAL);
	EXPECT_EQ(sluice_list_menu(self->device, SLUICE_CONTROL_INPUT, 1LL << 32, &menu), -EINVAL);
	EXPECT_EQ(sluice_list_menu(self->device, SLUICE_CONTROL_BRIGHTNESS, 0, &menu), -EINVAL);
	EXPECT_EQ(sluice_list_menu(self->device, SLUICE_SOFT_CONTROL_FREEZE, 0, &menu), -EINVAL);
}

TEST_F(controls, unknown_control_is_ENOENT)
{
	static const uint32_t ids[] = { 0, 99, 0x1ffff, INT32_MAX, UINT32_MAX };
	struct sluice_enum_menu menu;
	unsigned int i;
	int64_t value;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		EXPECT_EQ(sluice_get_control(self->device, ids[i], &value), -ENOENT);
		EXPECT_EQ(sluice_set_control(self->device, ids[i], 0), -ENOENT);
		EXPECT_EQ(sluice_list_menu(self->device, ids[i], 0, &menu), -ENOENT);
	}
}

TEST_F(controls, flags_are_EINVAL)
{
	struct sluice_enum_controls control = { .flags = 1 };
	struct sluice_enum_menu menu = { .id = SLUICE_CONTROL_INPUT, .flags = 1 };
	struct sluice_control args = { .id = SLUICE_CONTROL_BRIGHTNESS, .flags = 1 };
	struct sluice_source source = { .flags = 1 };

	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ENUM_CONTROLS, &control), -EINVAL);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_ENUM_MENU, &menu), -EINVAL);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_GET_CONTROL, &args), -EINVAL);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_SET_CONTROL, &args), -EINVAL);
	EXPECT_EQ(xioctl(self->device, SLUICE_IOCTL_SOURCE, &source), -EINVAL);
}

TEST_F(controls, value_that_it_cannot_have_is_ERANGE_and_changes_nothing)
{
	static const struct {
		uint32_t id;
		int64_t value;
	} bad[] = {
		{ SLUICE_CONTROL_BRIGHTNESS, -256 }, { SLUICE_CONTROL_BRIGHTNESS, 256 },
		{ SLUICE_CONTROL_BRIGHTNESS, -260 }, { SLUICE_CONTROL_BRIGHTNESS, 260 },
		{ SLUICE_CONTROL_BRIGHTNESS, INT64_MIN }, { SLUICE_CONTROL_BRIGHTNESS, INT64_MAX },
		/* the lower 32 bits are 0 */
		{ SLUICE_CONTROL_BRIGHTNESS, 5LL << 32 },
		/* between two steps */
		{ SLUICE_CONTROL_BRIGHTNESS, 1 }, { SLUICE_CONTROL_BRIGHTNESS, -254 },
		{ SLUICE_CONTROL_BRIGHTNESS, 254 },
		{ SLUICE_SOFT_CONTROL_FREEZE, 2 }, { SLUICE_SOFT_CONTROL_FREEZE, -1 },
		{ SLUICE_CONTROL_INPUT, 2 }, { SLUICE_CONTROL_INPUT, -1 },
		{ SLUICE_CONTROL_TRIGGER, 1 }, { SLUICE_CONTROL_TRIGGER, -1 },
	};
	struct sluice_event event;
	unsigned int i;
	int64_t value;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(sluice_set_control(self->device, bad[i].id, bad[i].value), -ERANGE)
			TH_LOG("control %#x, value %lld", bad[i].id, (long long)bad[i].value);
		if (bad[i].id == SLUICE_CONTROL_TRIGGER)
			continue;
		EXPECT_EQ(sluice_get_control(self->device, bad[i].id, &value), 0);
		EXPECT_EQ(value, 0);
	}
	EXPECT_EQ(sluice_read_events(self->other, &event, 1), -EAGAIN);
}

TEST_F(controls, value_that_the_driver_refuses_is_not_kept)
{
	struct sluice_event event;
	int64_t value;

	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 5), 0);
	ASSERT_EQ(sluice_read_events(self->other, &event, 1), 1);
	ASSERT_EQ(knob("control_error", EUCLEAN), 0);
	EXPECT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 10), -EUCLEAN);
	EXPECT_EQ(sluice_get_control(self->device, SLUICE_CONTROL_BRIGHTNESS, &value), 0);
	EXPECT_EQ(value, 5);
	EXPECT_EQ(sluice_read_events(self->other, &event, 1), -EAGAIN);
	EXPECT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 10), 0);
	EXPECT_EQ(sluice_get_control(self->device, SLUICE_CONTROL_BRIGHTNESS, &value), 0);
	EXPECT_EQ(value, 10);
}

TEST_F(controls, volatile_control_that_cannot_be_read_says_why)
{
	int64_t value = 7;

	ASSERT_EQ(knob("control_error", EUCLEAN), 0);
	EXPECT_EQ(sluice_get_control(self->device, SLUICE_SOFT_CONTROL_FRAME, &value), -EUCLEAN);
	EXPECT_EQ(value, 7);
	EXPECT_EQ(sluice_get_control(self->device, SLUICE_SOFT_CONTROL_FRAME, &value), 0);
}

TEST_F(controls, values_at_their_limits_are_taken)
{
	static const int64_t values[] = { -255, 255, -250, 250, 5, -5, 0 };
	unsigned int i;
	int64_t value;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		EXPECT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, values[i]), 0);
		EXPECT_EQ(sluice_get_control(self->other, SLUICE_CONTROL_BRIGHTNESS, &value), 0);
		EXPECT_EQ(value, values[i]);
	}
}

TEST_F(controls, access_that_a_control_does_not_give_is_EACCES)
{
	int reader = open(NODE, O_RDONLY | O_CLOEXEC);
	int64_t value = 7;

	ASSERT_GE(reader, 0);
	EXPECT_EQ(sluice_set_control(self->device, SLUICE_SOFT_CONTROL_FRAME, 0), -EACCES);
	EXPECT_EQ(sluice_get_control(self->device, SLUICE_CONTROL_TRIGGER, &value), -EACCES);
	EXPECT_EQ(value, 7);
	EXPECT_EQ(sluice_set_control(reader, SLUICE_CONTROL_BRIGHTNESS, 5), -EACCES);
	EXPECT_EQ(sluice_get_control(reader, SLUICE_CONTROL_BRIGHTNESS, &value), 0);
	EXPECT_EQ(value, 0);
	close(reader);
}

TEST_F(controls, volatile_control_is_what_the_hardware_has)
{
	int64_t first, now, deadline = now_ns() + LATE_MS * 1000000LL;

	ASSERT_EQ(sluice_get_control(self->device, SLUICE_SOFT_CONTROL_FRAME, &first), 0);
	EXPECT_GE(first, 0);
	do {
		usleep(10000);
		ASSERT_EQ(sluice_get_control(self->device, SLUICE_SOFT_CONTROL_FRAME, &now), 0);
		ASSERT_GE(now, first);
	} while (now == first && now_ns() < deadline);
	EXPECT_GT(now, first);
}

TEST_F(controls, set_value_stays_when_the_open_goes)
{
	int device = sluice_open("soft0");
	int64_t value;

	EXPECT_EQ(sluice_set_control(device, SLUICE_CONTROL_BRIGHTNESS, 35), 0);
	close(device);
	EXPECT_EQ(sluice_get_control(self->device, SLUICE_CONTROL_BRIGHTNESS, &value), 0);
	EXPECT_EQ(value, 35);
}

static int capture(int queue, struct sluice_completion *completion)
{
	struct sluice_op op;
	int ret;

	sluice_op_capture_frame(&op, 0, 0, WIDTH, HEIGHT, 4 * WIDTH);
	ret = sluice_submit(queue, &op, 1, -1, NULL, 0, NULL);
	if (ret)
		return ret;
	ret = sluice_read(queue, completion, 1);
	return ret < 0 ? ret : completion->status;
}

static uint32_t brighter(uint32_t pixel, int brightness)
{
	uint32_t result = 0;
	int shift;

	for (shift = 0; shift < 24; shift += 8) {
		int value = (int)(pixel >> shift & 255) + brightness;

		result |= (uint32_t)(value < 0 ? 0 : value > 255 ? 255 : value) << shift;
	}
	return result;
}

/* How many pixels differ from the scene with this brightness? */
static int compare(int buffer, const uint32_t *memory, const struct sluice_completion *completion,
		   int brightness)
{
	struct scene scene = {
		.width = WIDTH, .height = HEIGHT,
		.sequence = completion->sequence, .time_ns = completion->timestamp,
	};
	int wrong = 0;
	int64_t x, y;

	sluice_cpu_begin(buffer, false);
	for (y = 0; y < HEIGHT; y++)
		for (x = 0; x < WIDTH; x++)
			wrong += memory[y * WIDTH + x] !=
				 brighter(scene_pixel(&scene, x, y), brightness);
	sluice_cpu_end(buffer, false);
	return wrong;
}

TEST_F(controls, brightness_is_added_to_each_pixel)
{
	static const int values[] = { 0, 50, -100, 255, -255, 0 };
	struct sluice_completion completion;
	unsigned int i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, values[i]), 0);
		ASSERT_EQ(capture(self->queue, &completion), 0);
		EXPECT_EQ(compare(self->buffer, self->memory, &completion, values[i]), 0);
	}
}

TEST_F(controls, input_trigger_and_freeze_do_what_they_say)
{
	struct sluice_completion completion;

	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_INPUT, 1), 0);
	ASSERT_EQ(capture(self->queue, &completion), 0);
	EXPECT_EQ(compare(self->buffer, self->memory, &completion, -255), 0);
	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_INPUT, 0), 0);

	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_TRIGGER, 0), 0);
	ASSERT_EQ(capture(self->queue, &completion), 0);
	EXPECT_EQ(compare(self->buffer, self->memory, &completion, 255), 0);
	ASSERT_EQ(capture(self->queue, &completion), 0);
	EXPECT_EQ(compare(self->buffer, self->memory, &completion, 0), 0);
	EXPECT_FALSE(completion.flags & SLUICE_FRAME_REPEATED);

	ASSERT_EQ(sluice_set_control(self->device, SLUICE_SOFT_CONTROL_FREEZE, 1), 0);
	ASSERT_EQ(capture(self->queue, &completion), 0);
	EXPECT_TRUE(completion.flags & SLUICE_FRAME_REPEATED);
	ASSERT_EQ(sluice_set_control(self->device, SLUICE_SOFT_CONTROL_FREEZE, 0), 0);
	ASSERT_EQ(capture(self->queue, &completion), 0);
	EXPECT_FALSE(completion.flags & SLUICE_FRAME_REPEATED);
}

/* Three frames repeat an earlier picture, and the next frame has its own. */
static void expect_one_picture(struct __test_metadata *_metadata,
			       FIXTURE_DATA(controls) *self,
			       const struct sluice_completion *picture)
{
	struct sluice_completion completion;
	uint64_t last = picture->sequence;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(capture(self->queue, &completion), 0);
		EXPECT_TRUE(completion.flags & SLUICE_FRAME_REPEATED);
		EXPECT_GT(completion.sequence, last);
		last = completion.sequence;
		completion.sequence = picture->sequence;
		EXPECT_EQ(compare(self->buffer, self->memory, &completion, 0), 0);
	}
	EXPECT_EQ(sluice_set_control(self->device, SLUICE_SOFT_CONTROL_FREEZE, 0), 0);
	ASSERT_EQ(capture(self->queue, &completion), 0);
	EXPECT_FALSE(completion.flags & SLUICE_FRAME_REPEATED);
	EXPECT_EQ(compare(self->buffer, self->memory, &completion, 0), 0);
}

TEST_F(controls, frozen_frames_show_one_picture)
{
	struct sluice_completion picture;

	ASSERT_EQ(capture(self->queue, &picture), 0);
	ASSERT_EQ(sluice_set_control(self->device, SLUICE_SOFT_CONTROL_FREEZE, 1), 0);
	expect_one_picture(_metadata, self, &picture);
}

TEST_F(controls, repeated_frames_show_one_picture)
{
	struct sluice_completion picture;

	ASSERT_EQ(capture(self->queue, &picture), 0);
	ASSERT_EQ(knob("repeat_next", 3), 0);
	expect_one_picture(_metadata, self, &picture);
}

/* Events */

static int poll_events(int device, int timeout_ms)
{
	struct pollfd pollfd = { .fd = device, .events = POLLPRI | POLLIN };

	return poll(&pollfd, 1, timeout_ms) < 0 ? -errno : pollfd.revents;
}

TEST_F(controls, set_value_is_an_event_for_each_open)
{
	int fds[2] = { self->other, open_events() }, i;
	int64_t before = now_ns();
	struct sluice_event event;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(poll_events(fds[i], 0), 0);
		EXPECT_EQ(sluice_read_events(fds[i], &event, 1), -EAGAIN);
	}
	ASSERT_EQ(sluice_set_control(fds[1], SLUICE_CONTROL_BRIGHTNESS, 50), 0);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(poll_events(fds[i], LATE_MS), POLLIN | POLLPRI);
		ASSERT_EQ(sluice_read_events(fds[i], &event, 1), 1);
		EXPECT_EQ(event.type, SLUICE_EVENT_CONTROL);
		EXPECT_EQ(event.id, SLUICE_CONTROL_BRIGHTNESS);
		EXPECT_EQ(event.value, 50);
		EXPECT_GE((int64_t)event.timestamp, before);
		EXPECT_LE((int64_t)event.timestamp, now_ns());
		EXPECT_GT(event.sequence, 0);
		EXPECT_EQ(event.lost, 0);
		EXPECT_EQ(event.flags, 0);
		EXPECT_EQ(event.reserved, 0);
		EXPECT_EQ(event.reserved2[0], 0);
		EXPECT_EQ(event.reserved2[1], 0);
		EXPECT_EQ(poll_events(fds[i], 0), 0);
		EXPECT_EQ(sluice_read_events(fds[i], &event, 1), -EAGAIN);
	}
	close(fds[1]);
}

TEST_F(controls, calls_that_change_nothing_are_no_event)
{
	struct sluice_event event;

	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 0), 0);
	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_TRIGGER, 0), 0);
	ASSERT_EQ(knob("signal_lost", 0), 0);
	EXPECT_EQ(sluice_read_events(self->other, &event, 1), -EAGAIN);
	/* take the flash, so that the next test does not see it */
	EXPECT_EQ(capture(self->queue, &(struct sluice_completion){}), 0);
}

TEST_F(controls, open_has_no_events_from_before)
{
	struct sluice_event event;
	int device;

	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 50), 0);
	device = open_events();
	EXPECT_EQ(sluice_read_events(device, &event, 1), -EAGAIN);
	EXPECT_EQ(sluice_read_events(self->other, &event, 1), 1);
	close(device);
}

TEST_F(controls, last_value_wins_and_the_others_are_counted)
{
	struct sluice_event events[4];

	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 5), 0);
	ASSERT_EQ(sluice_set_control(self->device, SLUICE_SOFT_CONTROL_FREEZE, 1), 0);
	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 10), 0);
	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 15), 0);
	ASSERT_EQ(sluice_read_events(self->other, events, 4), 2);
	EXPECT_EQ(events[0].id, SLUICE_SOFT_CONTROL_FREEZE);
	EXPECT_EQ(events[0].value, 1);
	EXPECT_EQ(events[0].lost, 1);
	EXPECT_EQ(events[1].id, SLUICE_CONTROL_BRIGHTNESS);
	EXPECT_EQ(events[1].value, 15);
	EXPECT_EQ(events[1].lost, 1);
	EXPECT_EQ(events[1].sequence, events[0].sequence + 2);
	EXPECT_EQ(events[0].flags | events[1].flags, 0);
}

TEST_F(controls, as_many_events_as_fit_are_all_kept)
{
	struct sluice_event events[SLUICE_MAX_EVENTS];
	unsigned int i;

	ASSERT_EQ(knob("events", SLUICE_MAX_EVENTS), 0);
	ASSERT_EQ(sluice_read_events(self->other, events, SIZE), SLUICE_MAX_EVENTS);
	for (i = 0; i < SLUICE_MAX_EVENTS; i++) {
		EXPECT_EQ(events[i].type, SLUICE_SOFT_EVENT);
		EXPECT_EQ(events[i].id, i);
		EXPECT_EQ(events[i].lost, 0);
		EXPECT_EQ(events[i].flags, 0);
	}
	EXPECT_EQ(sluice_read_events(self->other, events, 1), -EAGAIN);
}

TEST_F(controls, events_that_are_too_many_are_lost_and_counted)
{
	static const unsigned int counts[] = { SLUICE_MAX_EVENTS + 1, 200, 1000 };
	struct sluice_event events[SLUICE_MAX_EVENTS];
	unsigned int i, j;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned int lost = counts[i] - SLUICE_MAX_EVENTS;

		ASSERT_EQ(knob("events", counts[i]), 0);
		ASSERT_EQ(sluice_read_events(self->other, events, SIZE), SLUICE_MAX_EVENTS);
		for (j = 0; j < SLUICE_MAX_EVENTS; j++) {
			EXPECT_EQ(events[j].id, lost + j);
			EXPECT_EQ(events[j].lost, j ? 0 : lost);
			EXPECT_EQ(events[j].flags, j ? 0 : SLUICE_EVENT_OVERFLOW);
		}
		/* losses are reported once */
		ASSERT_EQ(knob("events", 1), 0);
		ASSERT_EQ(sluice_read_events(self->other, events, SIZE), 1);
		EXPECT_EQ(events[0].lost, 0);
		EXPECT_EQ(events[0].flags, 0);
	}
}

TEST_F(controls, read_returns_whole_records_and_loses_none)
{
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);
	struct sluice_event events[3];

	ASSERT_NE(pages, MAP_FAILED);
	ASSERT_EQ(munmap(pages + page, page), 0);
	EXPECT_EQ(read(self->other, events, sizeof(events[0]) - 1), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(read(self->other, events, 0), -1);
	EXPECT_EQ(errno, EINVAL);
	ASSERT_EQ(knob("events", 3), 0);
	EXPECT_EQ(read(self->other, pages + page, sizeof(events)), -1);
	EXPECT_EQ(errno, EFAULT);
	/* there is room for the first record, but not for the second */
	EXPECT_EQ(read(self->other, pages + page - 100, sizeof(events)), (ssize_t)sizeof(events[0]));
	memcpy(events, pages + page - 100, sizeof(events[0]));
	EXPECT_EQ(events[0].id, 0);
	EXPECT_EQ(read(self->other, events, 2 * sizeof(events[0]) - 1),
		  (ssize_t)sizeof(events[0]));
	EXPECT_EQ(events[0].id, 1);
	EXPECT_EQ(read(self->other, events, sizeof(events)), (ssize_t)sizeof(events[0]));
	EXPECT_EQ(events[0].id, 2);
	EXPECT_EQ(events[0].lost, 0);
	munmap(pages, page);
}

/*
 * Start a process with an open of its own.  It reports that it has opened, and ends with the result
 * of @run.
 */
static pid_t beside(int (*run)(int device))
{
	int pipes[2], device;
	char byte = 0;
	pid_t pid;

	if (pipe(pipes))
		return -1;
	pid = fork();
	if (!pid) {
		device = sluice_open("soft0");
		if (device < 0 || write(pipes[1], &byte, 1) != 1)
			_exit(99);
		_exit(run(device));
	}
	close(pipes[1]);
	if (read(pipes[0], &byte, 1) != 1)
		pid = -1;
	close(pipes[0]);
	return pid;
}

/* Wait until the process sleeps in this system call. */
static bool wait_in_call(pid_t pid, long call)
{
	char path[64];
	FILE *file;
	int tries;
	long now;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	for (tries = 0; tries < LATE_MS; tries++) {
		/* the file of a running process says "running" */
		file = fopen(path, "re");
		if (file && fscanf(file, "%ld", &now) != 1)
			now = -1;
		if (!file)
			return false;
		fclose(file);
		if (now == call)
			return true;
		usleep(1000);
	}
	return false;
}

static int end_of(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int read_one(int device)
{
	struct sluice_event event;
	int ret = sluice_read_events(device, &event, 1);

	return ret == 1 ? (int)event.value : -ret;
}

static int poll_one(int device)
{
	int revents = poll_events(device, LATE_MS);

	return revents & POLLHUP ? ENODEV : revents == (POLLIN | POLLPRI) ? 5 : 98;
}

TEST_F(controls, event_wakes_readers_and_pollers)
{
	pid_t reader = beside(read_one), poller = beside(poll_one);

	EXPECT_TRUE(wait_in_call(reader, SYS_read));
	EXPECT_TRUE(wait_in_call(poller, POLL_CALL));
	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 5), 0);
	EXPECT_EQ(end_of(reader), 5);
	EXPECT_EQ(end_of(poller), 5);
}

TEST_F(controls, unplug_wakes_readers_and_pollers)
{
	pid_t reader = beside(read_one), poller = beside(poll_one);

	EXPECT_TRUE(wait_in_call(reader, SYS_read));
	EXPECT_TRUE(wait_in_call(poller, POLL_CALL));
	ASSERT_EQ(write_text(DRIVER "/unbind", "sluice-soft"), 0);
	EXPECT_EQ(end_of(reader), ENODEV);
	EXPECT_EQ(end_of(poller), ENODEV);
}

TEST_F(controls, unplugged_device_gives_its_last_events_and_then_ENODEV)
{
	struct sluice_enum_controls control;
	struct sluice_source source;
	struct sluice_event event;
	int64_t value;

	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 5), 0);
	ASSERT_EQ(write_text(DRIVER "/unbind", "sluice-soft"), 0);
	EXPECT_EQ(poll_events(self->other, 0), POLLIN | POLLPRI | POLLHUP);
	ASSERT_EQ(sluice_read_events(self->other, &event, 1), 1);
	EXPECT_EQ(event.value, 5);
	EXPECT_EQ(poll_events(self->other, 0), POLLHUP);
	EXPECT_EQ(sluice_read_events(self->other, &event, 1), -ENODEV);
	EXPECT_EQ(sluice_list_control(self->device, 0, &control), -ENODEV);
	EXPECT_EQ(sluice_get_control(self->device, SLUICE_CONTROL_BRIGHTNESS, &value), -ENODEV);
	EXPECT_EQ(sluice_get_control(self->device, SLUICE_SOFT_CONTROL_FRAME, &value), -ENODEV);
	EXPECT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 0), -ENODEV);
	EXPECT_EQ(sluice_get_source(self->device, 0, &source), -ENODEV);
}

/* An open gets all events since it was opened, even if its first read() comes after them. */
TEST_F(controls, open_that_reads_late_has_all_since_it_was_opened)
{
	struct sluice_event events[2];

	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 5), 0);
	ASSERT_EQ(sluice_set_control(self->device, SLUICE_SOFT_CONTROL_FREEZE, 1), 0);
	ASSERT_EQ(sluice_read_events(self->other, events, 2), 2);
	EXPECT_EQ(events[0].value, 5);
	EXPECT_EQ(events[0].lost, 0);
	EXPECT_EQ(events[1].value, 1);
	EXPECT_EQ(events[1].lost, 0);
}

/* More opens than one hold of the lock wakes, and half of them close meanwhile. */
TEST_F(controls, event_wakes_each_of_many_opens)
{
	struct pollfd fds[MANY];
	int i;

	for (i = 0; i < MANY; i++) {
		fds[i].fd = open_events();
		fds[i].events = POLLIN;
		ASSERT_GE(fds[i].fd, 0);
	}
	ASSERT_EQ(poll(fds, MANY, 0), 0);
	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 5), 0);
	for (i = 0; i < MANY; i += 2)
		close(fds[i].fd);
	for (i = 1; i < MANY; i += 2) {
		EXPECT_EQ(poll_events(fds[i].fd, LATE_MS), POLLIN | POLLPRI);
		close(fds[i].fd);
	}
}

/* Set two controls again and again, through an open of its own. */
static void *keep_setting(void *argument)
{
	int device = sluice_open("soft0"), i, ret = 0;
	intptr_t first = (intptr_t)argument;

	for (i = 0; i < MANY && !ret; i++)
		ret = sluice_set_control(device, SLUICE_CONTROL_BRIGHTNESS, first + i % 50 * 5) ?:
		      sluice_set_control(device, SLUICE_SOFT_CONTROL_FREEZE, i % 2);
	close(device);
	return (void *)(intptr_t)ret;
}

TEST_F(controls, opens_that_race_agree_on_the_last_values)
{
	static const uint32_t ids[] = { SLUICE_CONTROL_BRIGHTNESS, SLUICE_SOFT_CONTROL_FREEZE };
	struct sluice_event event, last[2] = {};
	uint64_t sequence = 0;
	pthread_t threads[2];
	int64_t value;
	void *result;
	int i, ret;

	ASSERT_EQ(sluice_set_control(self->device, SLUICE_CONTROL_BRIGHTNESS, 250), 0);
	ASSERT_EQ(sluice_set_control(self->device, SLUICE_SOFT_CONTROL_FREEZE, 1), 0);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, keep_setting,
					 (void *)(intptr_t)(i ? -250 : 0)), 0);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(pthread_join(threads[i], &result), 0);
		EXPECT_EQ((intptr_t)result, 0);
	}
	while ((ret = sluice_read_events(self->other, &event, 1)) == 1) {
		EXPECT_TRUE(!sequence || event.sequence - event.lost - 1 == sequence);
		sequence = event.sequence;
		last[event.id == ids[1]] = event;
	}
	EXPECT_EQ(ret, -EAGAIN);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(sluice_get_control(self->device, ids[i], &value), 0);
		EXPECT_EQ(last[i].id, ids[i]);
		EXPECT_EQ(last[i].value, value);
	}
}

struct tally {
	int device, *over;
	uint64_t events;
};

/* Read until there is no event and none will come.  Counts the events that were read or lost. */
static void *keep_reading(void *argument)
{
	struct tally *tally = argument;
	struct sluice_event event;
	int over, ret;

	do {
		over = __atomic_load_n(tally->over, __ATOMIC_ACQUIRE);
		while ((ret = sluice_read_events(tally->device, &event, 1)) == 1)
			tally->events += event.lost + 1;
	} while (ret == -EAGAIN && !over);
	return (void *)(intptr_t)ret;
}

TEST_F(controls, readers_of_one_open_have_each_event_once)
{
	struct tally tallies[2];
	pthread_t threads[2];
	int over = 0, i;
	void *result;

	for (i = 0; i < 2; i++) {
		tallies[i] = (struct tally) { .device = self->other, .over = &over };
		ASSERT_EQ(pthread_create(&threads[i], NULL, keep_reading, &tallies[i]), 0);
	}
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(knob("events", 70), 0);
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(pthread_join(threads[i], &result), 0);
		EXPECT_EQ((intptr_t)result, -EAGAIN);
	}
	EXPECT_EQ(tallies[0].events + tallies[1].events, MANY * 70U);
}

/* Sources */

TEST_F(controls, source_is_what_comes_in)
{
	struct sluice_source source;
	struct sluice_event event;
	struct sluice_info info;

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	ASSERT_EQ(sluice_get_source(self->device, info.num_engines - 1, &source), 0);
	EXPECT_EQ(source.engine, info.num_engines - 1);
	EXPECT_EQ(source.status, SLUICE_SOURCE_SIGNAL | SLUICE_SOURCE_LOCKED);
	EXPECT_EQ(source.width, 0);
	EXPECT_EQ(source.field, SLUICE_FIELD_NONE);
	EXPECT_EQ(source.interval.numerator, 1);
	EXPECT_GT(source.interval.denominator, 0);
	EXPECT_EQ(sluice_get_source(self->device, info.num_engines, &source), -EINVAL);
	EXPECT_EQ(sluice_get_source(self->device, UINT32_MAX, &source), -EINVAL);

	ASSERT_EQ(knob("source_width", 100), 0);
	ASSERT_EQ(sluice_get_source(self->device, 0, &source), 0);
	EXPECT_EQ(source.width, 100);
	ASSERT_EQ(sluice_read_events(self->other, &event, 1), 1);
	EXPECT_EQ(event.type, SLUICE_EVENT_SOURCE);
	EXPECT_EQ(event.id, 0);
	EXPECT_EQ(event.value, SLUICE_SOURCE_SIGNAL | SLUICE_SOURCE_LOCKED);
}

TEST_F(controls, lost_signal_is_an_event_and_ends_captures_with_ENOLINK)
{
	struct sluice_completion completion;
	struct sluice_source source;
	struct sluice_event event;
	struct sluice_info info;
	unsigned int i, lost;

	ASSERT_EQ(sluice_device_info(self->device, &info), 0);
	for (lost = 1; lost + 1; lost--) {
		uint32_t status = lost ? 0 : SLUICE_SOURCE_SIGNAL | SLUICE_SOURCE_LOCKED;

		ASSERT_EQ(knob("signal_lost", lost), 0);
		EXPECT_EQ(poll_events(self->other, LATE_MS), POLLIN | POLLPRI);
		for (i = 0; i < info.num_engines; i++) {
			ASSERT_EQ(sluice_read_events(self->other, &event, 1), 1);
			EXPECT_EQ(event.type, SLUICE_EVENT_SOURCE);
			EXPECT_EQ(event.id, i);
			EXPECT_EQ(event.value, status);
			ASSERT_EQ(sluice_get_source(self->device, i, &source), 0);
			EXPECT_EQ(source.status, status);
			EXPECT_EQ(!source.interval.denominator, lost);
		}
		EXPECT_EQ(capture(self->queue, &completion), lost ? -ENOLINK : 0);
	}
}

TEST_F(controls, device_without_controls_and_sources_reports_none)
{
	int device = sluice_open(REAL_DEVICE);
	struct sluice_enum_controls control;
	struct sluice_source source;
	int64_t value;

	if (device < 0)
		SKIP(return, "there is no " REAL_DEVICE);
	EXPECT_EQ(sluice_list_control(device, 0, &control), -EINVAL);
	EXPECT_EQ(sluice_get_control(device, SLUICE_CONTROL_GAIN, &value), -ENOENT);
	EXPECT_EQ(sluice_get_source(device, 0, &source), -EOPNOTSUPP);
	EXPECT_EQ(poll_events(device, 0), 0);
	close(device);
}

/* Private ops */

#define RESULT	(SIZE - 4096)	/* where the CRC is stored */

static uint32_t read_result(int buffer, const uint32_t *memory)
{
	uint32_t result;

	sluice_cpu_begin(buffer, false);
	result = memory[RESULT / 4];
	sluice_cpu_end(buffer, false);
	return result;
}

static void prepare_crc32(struct sluice_op *op, const struct sluice_soft_crc32 *payload,
			  uint64_t offset, uint64_t length)
{
	sluice_op_private(op, payload, sizeof(*payload));
	sluice_program_dst(op, 0, RESULT, 4);
	sluice_program_src(op, 0, offset, length);
}

TEST_F(controls, private_op_does_what_its_payload_says)
{
	struct sluice_soft_crc32 payload = { .op = SLUICE_SOFT_CRC32 };
	struct sluice_completion completion;
	struct sluice_engine_info engine;
	uint32_t first, whole;
	struct sluice_op op;

	ASSERT_EQ(sluice_engine_info(self->device, 0, &engine), 0);
	EXPECT_TRUE(engine.op_kinds & 1ULL << SLUICE_OP_PRIVATE);
	ASSERT_EQ(fill_words(self->buffer, SIZE, 3), 0);
	sluice_cpu_begin(self->buffer, false);
	first = crc32(0, self->memory, 1000);
	whole = crc32(0, self->memory, 50000);
	sluice_cpu_end(self->buffer, false);

	prepare_crc32(&op, &payload, 0, 1000);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 7, NULL), 0);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, 0);
	EXPECT_EQ(completion.bytes, 4);
	EXPECT_EQ(read_result(self->buffer, self->memory), first);

	payload.seed = first;
	prepare_crc32(&op, &payload, 1000, 49000);
	EXPECT_EQ(run_op(self->queue, &op), 0);
	EXPECT_EQ(read_result(self->buffer, self->memory), whole);
}

TEST_F(controls, payload_that_changes_after_SUBMIT_changes_nothing)
{
	struct sluice_soft_crc32 payload = { .op = SLUICE_SOFT_CRC32 };
	struct gate gate;
	struct sluice_op op;
	uint64_t point;

	ASSERT_EQ(fill_words(self->buffer, SIZE, 4), 0);
	ASSERT_EQ(gate_shut(&gate, 0), 0);
	prepare_crc32(&op, &payload, 0, 1024);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, &point), 0);
	memset(&payload, 0xff, sizeof(payload));
	ASSERT_EQ(gate_open(&gate), 0);
	EXPECT_EQ(sluice_wait(self->queue, point, LATE_MS), 0);
	EXPECT_EQ(read_result(self->buffer, self->memory), crc32(0, self->memory, 1024));
}

TEST_F(controls, private_op_that_hangs_can_be_cancelled)
{
	struct sluice_soft_crc32 payload = { .op = SLUICE_SOFT_CRC32 };
	struct sluice_completion completion;
	struct sluice_op op;
	uint64_t point;

	ASSERT_EQ(knob("hang_next", 1), 0);
	prepare_crc32(&op, &payload, 0, 1024);
	ASSERT_EQ(sluice_submit(self->queue, &op, 1, -1, NULL, 0, &point), 0);
	ASSERT_TRUE(wait_hanging());
	EXPECT_EQ(sluice_cancel(self->queue, point, point), 1);
	ASSERT_EQ(sluice_read(self->queue, &completion, 1), 1);
	EXPECT_EQ(completion.status, -ECANCELED);
	EXPECT_EQ(run_op(self->queue, &op), 0);
}

#ifdef __x86_64__
#define SEES_CACHES true
#else
#define SEES_CACHES false
#endif
#define RING_NEEDS "several ops in flight need a device that sees the CPU's caches"

/* An engine whose ops run in order: to abort one op, soft0 stops all. */
struct ring {
	int device, buffer, queue;
	struct sluice_soft_crc32 payload;
	struct sluice_op fill, private;
};

/* Returns 0 or an errno: -EINVAL if the core must maintain caches before each op. */
static int ring_begin(struct ring *ring, uint32_t op)
{
	int ret = set_depth("2");

	*ring = (struct ring) { .payload.op = op };
	if (ret)
		return ret;
	if (!wait_for_node())
		return -ENODEV;
	ring->device = sluice_open("soft0");
	ring->buffer = sluice_alloc(ring->device, 0, SIZE, 0);
	ring->queue = patient_queue(ring->device, 0);
	sluice_op_fill(&ring->fill, 0, 0, SIZE, 1);
	prepare_crc32(&ring->private, &ring->payload, 0, 1024);
	return sluice_attach(ring->queue, ring->buffer, 0);
}

static bool ring_cannot_be(int ret)
{
	return ret == -EINVAL && !SEES_CACHES;
}

static void ring_end(const struct ring *ring)
{
	close(ring->queue);
	close(ring->buffer);
	close(ring->device);
}

/* Cancel an op that hangs in front of another.  Returns the status of the other. */
static int end_behind_one_that_hangs(const struct ring *ring, const struct sluice_op *op)
{
	uint64_t point;

	if (knob("hang_next", 1) ||
	    sluice_submit(ring->queue, &ring->fill, 1, -1, NULL, 0, &point) || !wait_hanging() ||
	    sluice_submit(ring->queue, op, 1, -1, NULL, 0, NULL) || !wait_in_flight(2) ||
	    sluice_cancel(ring->queue, point, point) != 1 ||
	    sluice_wait(ring->queue, point, LATE_MS) != -ECANCELED)
		return 1;
	return sluice_wait(ring->queue, point + 1, LATE_MS);
}

TEST_F(controls, private_op_that_may_be_repeated_runs_again)
{
	struct ring ring;
	int i, ret;

	ret = ring_begin(&ring, SLUICE_SOFT_CRC32);
	if (ring_cannot_be(ret))
		SKIP(return, RING_NEEDS);
	ASSERT_EQ(ret, 0);
	EXPECT_EQ(end_behind_one_that_hangs(&ring, &ring.fill), 0);
	/* more often than an op may be stopped because of others */
	for (i = 0; i < 5; i++)
		EXPECT_EQ(end_behind_one_that_hangs(&ring, &ring.private), 0);
	ring_end(&ring);
}

/* The op in front hangs, so the private op behind must be stopped with it. */
TEST_F(controls, private_op_that_may_not_be_repeated_is_cancelled)
{
	struct ring ring;
	int ret;

	ret = ring_begin(&ring, SLUICE_SOFT_CRC32_ONCE);
	if (ring_cannot_be(ret))
		SKIP(return, RING_NEEDS);
	ASSERT_EQ(ret, 0);
	EXPECT_EQ(end_behind_one_that_hangs(&ring, &ring.fill), 0);
	EXPECT_EQ(end_behind_one_that_hangs(&ring, &ring.private), -ECANCELED);
	ring_end(&ring);
}

/* The op behind it waits for it, so the private op can end first. */
TEST_F(controls, private_op_that_may_not_be_repeated_is_not_stopped_for_others)
{
	uint64_t point;
	struct ring ring;
	int cancelled, ret;

	ret = ring_begin(&ring, SLUICE_SOFT_CRC32_ONCE);
	if (ring_cannot_be(ret))
		SKIP(return, RING_NEEDS);
	ASSERT_EQ(ret, 0);
	ASSERT_EQ(knob("delay_us", 3000000), 0);
	ASSERT_EQ(sluice_submit(ring.queue, &ring.private, 1, -1, NULL, 0, &point), 0);
	ASSERT_EQ(sluice_submit(ring.queue, &ring.fill, 1, -1, NULL, 0, NULL), 0);
	wait_in_flight(2);
	/* 0 on a machine that took longer than the ops run */
	cancelled = sluice_cancel(ring.queue, point + 1, point + 1);
	EXPECT_GE(cancelled, 0);
	EXPECT_EQ(sluice_wait(ring.queue, point, LATE_MS), 0);
	EXPECT_EQ(sluice_wait(ring.queue, point + 1, LATE_MS), cancelled ? -ECANCELED : 0);
	ring_end(&ring);
}

static int submit_one(int queue, const struct sluice_op *op)
{
	return sluice_submit(queue, op, 1, -1, NULL, 0, NULL);
}

TEST_F(controls, payload_that_the_driver_does_not_know_is_EINVAL)
{
	struct sluice_soft_crc32 payload = { .op = SLUICE_SOFT_CRC32 };
	static char large[SLUICE_MAX_PAYLOAD + 1];
	struct sluice_op op;

	memcpy(large, &payload, sizeof(payload));
	prepare_crc32(&op, (void *)large, 0, 1024);
	op.payload.size = 7;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op.payload.size = 9;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op.payload.size = SLUICE_MAX_PAYLOAD;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	payload.op = SLUICE_SOFT_CRC32_ONCE + 1;
	prepare_crc32(&op, &payload, 0, 1024);
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	payload.op = 0;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);

	/* and with ranges that it does not know */
	payload.op = SLUICE_SOFT_CRC32;
	sluice_op_private(&op, &payload, sizeof(payload));
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	sluice_program_src(&op, 0, 0, 1024);
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	sluice_op_private(&op, &payload, sizeof(payload));
	sluice_program_dst(&op, 0, 0, 4);
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
}

TEST_F(controls, payload_that_is_empty_too_long_or_nowhere_is_refused)
{
	struct sluice_soft_crc32 payload = { .op = SLUICE_SOFT_CRC32 };
	static char large[SLUICE_MAX_PAYLOAD];
	struct sluice_op ops[17], op;
	unsigned int i;

	prepare_crc32(&op, &payload, 0, 1024);
	op.payload.size = 0;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op.payload.size = SLUICE_MAX_PAYLOAD + 1;
	EXPECT_EQ(submit_one(self->queue, &op), -E2BIG);
	op.payload.size = UINT32_MAX;
	EXPECT_EQ(submit_one(self->queue, &op), -E2BIG);
	prepare_crc32(&op, &payload, 0, 1024);
	op.payload.data = 0;
	EXPECT_EQ(submit_one(self->queue, &op), -EFAULT);
	op.payload.data = ~0ULL << 12;
	EXPECT_EQ(submit_one(self->queue, &op), -EFAULT);

	/* a job may have 65536 bytes of payload; with more the driver is not asked */
	for (i = 0; i < 17; i++) {
		prepare_crc32(&ops[i], (void *)large, 0, 1024);
		ops[i].payload.size = sizeof(large);
	}
	EXPECT_EQ(sluice_submit(self->queue, ops, 16, -1, NULL, 0, NULL), -EINVAL);
	EXPECT_EQ(sluice_submit(self->queue, ops, 17, -1, NULL, 0, NULL), -E2BIG);
}

TEST_F(controls, private_op_is_checked_as_any_op_is)
{
	struct sluice_soft_crc32 payload = { .op = SLUICE_SOFT_CRC32 };
	struct sluice_op good, op;
	int reading;

	prepare_crc32(&good, &payload, 0, 1024);
	op = good;
	op.flags |= 1U << 2;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op = good;
	op.payload.reserved = 1;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op = good;
	op.modifier = 1;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op = good;
	op.planes = 1;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op = good;
	op.length = 0;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op = good;
	op.payload.src_length = 0;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op = good;
	op.flags = SLUICE_OP_DST;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op = good;
	op.flags = SLUICE_OP_SRC;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op = good;
	op.dst_offset = RESULT + 2;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op = good;
	op.payload.src_length = 1022;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op = good;
	op.dst_offset = SIZE;
	EXPECT_EQ(submit_one(self->queue, &op), -ERANGE);
	op = good;
	op.payload.src_length = SIZE + 4;
	EXPECT_EQ(submit_one(self->queue, &op), -ERANGE);
	op = good;
	op.src_offset = 8;
	op.payload.src_length = ~0ULL << 2;
	EXPECT_EQ(submit_one(self->queue, &op), -ERANGE);
	op = good;
	op.src = 9;
	EXPECT_EQ(submit_one(self->queue, &op), -ENOENT);
	reading = sluice_attach(self->queue, self->buffer, SLUICE_ATTACH_READ);
	ASSERT_GT(reading, 0);
	op = good;
	op.dst = reading;
	EXPECT_EQ(submit_one(self->queue, &op), -EACCES);
	EXPECT_EQ(run_op(self->queue, &good), 0);
}

TEST_F(controls, unknown_kind_is_EINVAL_and_one_of_another_engine_EOPNOTSUPP)
{
	struct sluice_soft_crc32 payload = { .op = SLUICE_SOFT_CRC32 };
	int device = sluice_open(REAL_DEVICE), buffer, queue;
	struct sluice_op op;

	prepare_crc32(&op, &payload, 0, 1024);
	op.kind = SLUICE_OP_PRIVATE + 1;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	op.kind = 64 + SLUICE_OP_PRIVATE;
	EXPECT_EQ(submit_one(self->queue, &op), -EINVAL);
	if (device < 0)
		SKIP(return, "there is no " REAL_DEVICE);
	buffer = sluice_alloc(device, 0, SIZE, 0);
	queue = sluice_queue_create(device, 0);
	ASSERT_EQ(sluice_attach(queue, buffer, 0), 0);
	prepare_crc32(&op, &payload, 0, 1024);
	EXPECT_EQ(submit_one(queue, &op), -EOPNOTSUPP);
	close(queue);
	close(buffer);
	close(device);
}

TEST_HARNESS_MAIN
