// SPDX-License-Identifier: GPL-2.0-only
/*
 * Knobs of the device soft, in /sys/kernel/debug/sluice/<device>/:
 *
 *	delay_us	each op takes so many microseconds longer
 *	fail_next	the next N ops end with -EIO
 *	hang_next	the next N ops do not end until they are aborted
 *	abort_us	each abort takes so many microseconds longer
 *	reverse_next	the next N ops that end are reported together, the last of them first
 *	twice_next	the end of the next N ops is reported twice
 *	late_next	the end of the next N aborted ops is reported nevertheless, when the engine
 *			gets its next op
 *	stray_next	before each of the next N ops, ends are reported with cookies that are not
 *			in flight
 *	damage_next	the next N captured frames are reported as damaged
 *	repeat_next	the next N captured images show the picture of the image before
 *	control_error	the errno with which the next call that sets or gets a control fails
 *	events		write N: raise one event for each of the ids 0 to N - 1
 *
 * The knobs of the input signal are in soft_source.c.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/minmax.h>

#include <uapi/linux/sluice_soft.h>

#include "sluice.h"
#include "soft_knobs.h"

#define SOFT_MAX_EVENTS		1000	/* limit of a write to the knob events */

/**
 * soft_knobs_take_error - read the knob control_error, and set it to 0
 * @knobs: the knobs
 *
 * Context: any.
 * Return: 0 or a negative errno.
 */
int soft_knobs_take_error(struct soft_knobs *knobs)
{
	unsigned int error = atomic_xchg(&knobs->control_error, 0);

	return -(int)min_t(unsigned int, error, MAX_ERRNO);
}

static int soft_knobs_events_set(void *data, u64 value)
{
	struct soft_knobs *knobs = data;
	u32 id;

	if (value > SOFT_MAX_EVENTS)
		return -EINVAL;
	for (id = 0; id < value; id++)
		sluice_device_event(knobs->sdev, SLUICE_SOFT_EVENT, id,
				    atomic64_inc_return(&knobs->events));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(soft_knobs_events, NULL, soft_knobs_events_set, "%llu\n");

/**
 * soft_knobs_add_files - make the files of the knobs
 * @knobs: the knobs; they exist as long as the device
 * @sdev: the Sluice device, which is registered
 *
 * Context: the probe function.
 */
void soft_knobs_add_files(struct soft_knobs *knobs, struct sluice_device *sdev)
{
	struct dentry *dir = sluice_device_debugfs(sdev);

	knobs->sdev = sdev;
	debugfs_create_u32("delay_us", 0600, dir, &knobs->delay_us);
	debugfs_create_atomic_t("fail_next", 0600, dir, &knobs->fail_next);
	debugfs_create_atomic_t("hang_next", 0600, dir, &knobs->hang_next);
	debugfs_create_u32("abort_us", 0600, dir, &knobs->abort_us);
	debugfs_create_atomic_t("reverse_next", 0600, dir, &knobs->reverse_next);
	debugfs_create_atomic_t("twice_next", 0600, dir, &knobs->twice_next);
	debugfs_create_atomic_t("late_next", 0600, dir, &knobs->late_next);
	debugfs_create_atomic_t("stray_next", 0600, dir, &knobs->stray_next);
	debugfs_create_atomic_t("damage_next", 0600, dir, &knobs->damage_next);
	debugfs_create_atomic_t("repeat_next", 0600, dir, &knobs->repeat_next);
	debugfs_create_atomic_t("control_error", 0600, dir, &knobs->control_error);
	debugfs_create_file_unsafe("events", 0200, dir, knobs, &soft_knobs_events);
}
