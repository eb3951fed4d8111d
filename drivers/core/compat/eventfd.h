/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: eventfds.
 */
#ifndef _SLUICE_COMPAT_EVENTFD_H
#define _SLUICE_COMPAT_EVENTFD_H

#include <linux/eventfd.h>

/* 6.1: eventfd_signal() takes the number to add */
static inline void sluice_compat_eventfd_signal(struct eventfd_ctx *eventfd)
{
#ifdef SLUICE_HAVE_EVENTFD_COUNT
	eventfd_signal(eventfd, 1);
#else
	eventfd_signal(eventfd);
#endif
}

#endif /* _SLUICE_COMPAT_EVENTFD_H */
