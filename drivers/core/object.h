/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The numbers of live objects, which tests compare to find leaks.
 *
 * Each number is atomic, so there is no lock.  Any code of the core counts; debugfs.c reads.
 */
#ifndef _SLUICE_OBJECT_H
#define _SLUICE_OBJECT_H

#include <linux/atomic.h>

/* Number of live objects of each kind.  Tests detect leaks by comparing the numbers. */
enum sluice_object {
	SLUICE_OBJECT_DEVICE,
	SLUICE_OBJECT_CLIENT,
	SLUICE_OBJECT_BUFFER,
	SLUICE_OBJECT_MAPPING,
	SLUICE_OBJECT_QUEUE,
	SLUICE_OBJECT_SLOT,
	SLUICE_OBJECT_JOB,
	SLUICE_OBJECT_FENCE,
	SLUICE_NUM_OBJECTS,
};

extern atomic_long_t sluice_objects[SLUICE_NUM_OBJECTS];

static inline void sluice_object_inc(enum sluice_object object)
{
	atomic_long_inc(&sluice_objects[object]);
}

static inline void sluice_object_dec(enum sluice_object object)
{
	atomic_long_dec(&sluice_objects[object]);
}

#endif /* _SLUICE_OBJECT_H */
