/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: timers.
 */
#ifndef _SLUICE_COMPAT_TIMER_H
#define _SLUICE_COMPAT_TIMER_H

#include <linux/hrtimer.h>
#include <linux/timer.h>

#ifndef SLUICE_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*fn)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#endif

#ifndef SLUICE_HAVE_TIMER_CONTAINER_OF
#define timer_container_of(var, timer, field)	from_timer(var, timer, field)
#endif

#endif /* _SLUICE_COMPAT_TIMER_H */
