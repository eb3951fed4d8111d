// SPDX-License-Identifier: GPL-2.0-only
/*
 * The source of the device soft.
 *
 * Controls change the picture of all cameras: brightness; input, which may be black; trigger, a
 * flash in the next image; freeze.
 *
 * Knobs of the input signal, in /sys/kernel/debug/sluice/<device>/.  Each write is reported to
 * the core:
 *
 *	source_width	most pixels in a line of a captured image, rounded down to a multiple
 *			of 4; 0: no limit
 *	source_height	most lines of a captured image, like source_width
 *	signal_lost	1: the cameras have no signal, and captures end with -ENOLINK
 *
 * The data and the lock are described in soft_source.h.
 */
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include <uapi/linux/sluice_soft.h>

#include "sluice.h"
#include "soft_knobs.h"
#include "soft_source.h"

/**
 * soft_source_init - start the clock of the frames
 * @source: the source; zeroed memory
 * @knobs: the knobs of the device
 * @fps: frames per second, 1 to 1000
 * @num_engines: number of engines
 *
 * Context: the probe function.
 */
void soft_source_init(struct soft_source *source, struct soft_knobs *knobs, unsigned int fps,
		      unsigned int num_engines)
{
	source->knobs = knobs;
	source->num_engines = num_engines;
	source->fps = fps;
	source->epoch = ktime_get();
	source->interval = NSEC_PER_SEC / fps;
	mutex_init(&source->lock);
}

/* The clock */

/**
 * soft_source_frame_time - compute when a frame begins
 * @source: the source
 * @frame: number of the frame
 *
 * Context: any.
 * Return: CLOCK_MONOTONIC time.
 */
ktime_t soft_source_frame_time(const struct soft_source *source, u64 frame)
{
	return ktime_add_ns(source->epoch, frame * source->interval);
}

/**
 * soft_source_frame_at - compute which frame the cameras have at a time
 * @source: the source
 * @time: CLOCK_MONOTONIC time
 *
 * Context: any.
 * Return: number of the frame.
 */
u64 soft_source_frame_at(const struct soft_source *source, ktime_t time)
{
	return div64_u64(ktime_to_ns(ktime_sub(time, source->epoch)), source->interval);
}

/* The input signal */

/* Size of the source for a value of a knob.  All formats allow multiples of 4. */
static u32 soft_source_whole(u32 size)
{
	return size ? max(size / 4 * 4, 4U) : 0;
}

/* Size of the image that arrives: the size that was asked for, or less if the source has less. */
static u32 soft_source_limit(u32 asked, u32 size)
{
	return size && size < asked ? soft_source_whole(size) : asked;
}

/**
 * soft_source_width - compute the width of the image that arrives
 * @source: the source
 * @asked: the width that was asked for, in pixels
 *
 * Context: any.
 * Return: pixels, at most @asked.
 */
u32 soft_source_width(const struct soft_source *source, u32 asked)
{
	return soft_source_limit(asked, READ_ONCE(source->width));
}

/**
 * soft_source_height - compute the height of the image that arrives
 * @source: the source
 * @asked: the height that was asked for, in lines
 *
 * Context: any.
 * Return: lines, at most @asked.
 */
u32 soft_source_height(const struct soft_source *source, u32 asked)
{
	return soft_source_limit(asked, READ_ONCE(source->height));
}

/**
 * soft_source_is_lost - tell whether the cameras have no signal
 * @source: the source
 *
 * Context: any.
 * Return: true if captures fail.
 */
bool soft_source_is_lost(const struct soft_source *source)
{
	return READ_ONCE(source->lost);
}

static void soft_source_tell(struct soft_source *source)
{
	struct sluice_source status = {};

	if (!source->lost) {
		status.status = SLUICE_SOURCE_SIGNAL | SLUICE_SOURCE_LOCKED;
		status.width = soft_source_whole(source->width);
		status.height = soft_source_whole(source->height);
		status.interval = (struct sluice_fraction) { 1, source->fps };
	}
	for (; status.engine < source->num_engines; status.engine++)
		sluice_device_source(source->sdev, &status);
}

#define SOFT_SOURCE_KNOB(name)							\
static int soft_source_##name##_get(void *data, u64 *value)			\
{										\
	struct soft_source *source = data;					\
										\
	*value = READ_ONCE(source->name);					\
	return 0;								\
}										\
										\
static int soft_source_##name##_set(void *data, u64 value)			\
{										\
	struct soft_source *source = data;					\
										\
	mutex_lock(&source->lock);						\
	WRITE_ONCE(source->name, value);					\
	soft_source_tell(source);						\
	mutex_unlock(&source->lock);						\
	return 0;								\
}										\
DEFINE_DEBUGFS_ATTRIBUTE(soft_source_##name##_knob, soft_source_##name##_get,	\
			 soft_source_##name##_set, "%llu\n")

SOFT_SOURCE_KNOB(width);
SOFT_SOURCE_KNOB(height);
SOFT_SOURCE_KNOB(lost);

/**
 * soft_source_add_files - make the files of the knobs of the input signal
 * @source: the source; its device is registered
 *
 * Context: the probe function.
 */
void soft_source_add_files(struct soft_source *source)
{
	struct dentry *dir = sluice_device_debugfs(source->sdev);

	debugfs_create_file_unsafe("source_width", 0600, dir, source,
				   &soft_source_width_knob);
	debugfs_create_file_unsafe("source_height", 0600, dir, source,
				   &soft_source_height_knob);
	debugfs_create_file_unsafe("signal_lost", 0600, dir, source,
				   &soft_source_lost_knob);
}

/* Controls */

static const char * const soft_source_inputs[] = { "scene", "black" };

static const struct sluice_control_caps soft_source_controls[] = {
	{ .id = SLUICE_CONTROL_INPUT, .type = SLUICE_CONTROL_MENU, .name = "input",
	  .max = ARRAY_SIZE(soft_source_inputs) - 1, .menu = soft_source_inputs },
	{ .id = SLUICE_CONTROL_BRIGHTNESS, .type = SLUICE_CONTROL_INT, .name = "brightness",
	  .min = -255, .max = 255, .step = 5 },
	{ .id = SLUICE_CONTROL_TRIGGER, .type = SLUICE_CONTROL_BUTTON, .name = "trigger" },
	{ .id = SLUICE_SOFT_CONTROL_FREEZE, .type = SLUICE_CONTROL_BOOL, .name = "freeze" },
	{ .id = SLUICE_SOFT_CONTROL_FRAME, .type = SLUICE_CONTROL_INT, .name = "frame",
	  .properties = SLUICE_CONTROL_READ_ONLY | SLUICE_CONTROL_VOLATILE, .max = S64_MAX },
};

/**
 * soft_source_prepare - report the input signal, and add the controls; for ->prepare()
 * @source: the source
 * @sdev: the Sluice device
 *
 * Context: ->prepare().
 * Return: 0 or a negative errno.
 */
int soft_source_prepare(struct soft_source *source, struct sluice_device *sdev)
{
	source->sdev = sdev;
	soft_source_tell(source);
	return sluice_device_add_controls(sdev, soft_source_controls,
					  ARRAY_SIZE(soft_source_controls));
}

/**
 * soft_source_set_control - set a control; for ->set_control()
 * @source: the source
 * @id: the control
 * @value: its value, which the core has checked
 *
 * Context: as ->set_control().
 * Return: 0 or a negative errno.
 */
int soft_source_set_control(struct soft_source *source, u32 id, s64 value)
{
	int ret = soft_knobs_take_error(source->knobs);

	if (ret)
		return ret;
	switch (id) {
	case SLUICE_CONTROL_INPUT:
		WRITE_ONCE(source->black, value);
		return 0;
	case SLUICE_CONTROL_BRIGHTNESS:
		WRITE_ONCE(source->brightness, value);
		return 0;
	case SLUICE_CONTROL_TRIGGER:
		atomic_set(&source->flash, 1);
		return 0;
	case SLUICE_SOFT_CONTROL_FREEZE:
		WRITE_ONCE(source->freeze, value);
		return 0;
	}
	return -EINVAL;
}

/**
 * soft_source_get_control - get a volatile control; for ->get_control()
 * @source: the source
 * @id: the control
 * @value: set to its value
 *
 * Context: as ->get_control().
 * Return: 0 or a negative errno.
 */
int soft_source_get_control(struct soft_source *source, u32 id, s64 *value)
{
	int ret = soft_knobs_take_error(source->knobs);

	if (ret || id != SLUICE_SOFT_CONTROL_FRAME)
		return ret ?: -EINVAL;
	*value = soft_source_frame_at(source, ktime_get());
	return 0;
}

/**
 * soft_source_is_frozen - tell whether captured images repeat the picture of the image before
 * @source: the source
 *
 * Context: any.
 * Return: the control freeze.
 */
bool soft_source_is_frozen(const struct soft_source *source)
{
	return READ_ONCE(source->freeze);
}

/**
 * soft_source_brightness - choose the brightness of the next image
 * @source: the source; the control trigger is used up
 *
 * Context: any.
 * Return: -255 to 255.
 */
int soft_source_brightness(struct soft_source *source)
{
	if (soft_knobs_take(&source->flash))
		return 255;
	return READ_ONCE(source->black) ? -255 : READ_ONCE(source->brightness);
}
