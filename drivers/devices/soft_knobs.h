/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Knobs of the device soft: files in debugfs, which make the device misbehave for tests.
 *
 * soft_knobs.c owns the files.  The knobs are read and written without a lock: each is one word,
 * or an atomic counter.  All other files of this driver call these functions, and read the knobs
 * in struct soft_knobs.  soft_knobs.c calls no other file of this driver.
 */
#ifndef _SLUICE_SOFT_KNOBS_H
#define _SLUICE_SOFT_KNOBS_H

#include <linux/atomic.h>
#include <linux/types.h>

struct dentry;
struct sluice_device;

/**
 * struct soft_knobs - the knobs of a device; soft_knobs.c describes each of them
 * @sdev: the Sluice device
 * @delay_us: knob
 * @fail_next: knob
 * @hang_next: knob
 * @abort_us: knob
 * @reverse_next: knob
 * @twice_next: knob
 * @late_next: knob
 * @stray_next: knob
 * @damage_next: knob
 * @repeat_next: knob
 * @control_error: knob
 * @events: number of events that the knob events has raised
 */
struct soft_knobs {
	struct sluice_device *sdev;
	u32 delay_us;
	atomic_t fail_next;
	atomic_t hang_next;
	u32 abort_us;
	atomic_t reverse_next;
	atomic_t twice_next;
	atomic_t late_next;
	atomic_t stray_next;
	atomic_t damage_next;
	atomic_t repeat_next;
	atomic_t control_error;
	atomic64_t events;
};

/**
 * soft_knobs_take - use one unit of a knob that is for the next N
 * @next: the knob
 *
 * Context: any.
 * Return: true if the knob was not 0.
 */
static inline bool soft_knobs_take(atomic_t *next)
{
	return atomic_add_unless(next, -1, 0);
}

int soft_knobs_take_error(struct soft_knobs *knobs);
void soft_knobs_add_files(struct soft_knobs *knobs, struct sluice_device *sdev);

#endif /* _SLUICE_SOFT_KNOBS_H */
