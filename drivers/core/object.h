/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The numbers of live objects, which tests compare to find leaks.
 *
 * Each CPU counts for itself, so there is no lock, and CPUs do not wait for each other.  An object
 * may be freed on another CPU, so a count of one CPU may be negative: only the sum has a meaning.
 * Any code of the core counts; debugfs.c reads.
 */
#ifndef _SLUICE_OBJECT_H
#define _SLUICE_OBJECT_H

#include <linux/percpu.h>

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

DECLARE_PER_CPU(long [SLUICE_NUM_OBJECTS], sluice_objects);

static inline void sluice_object_inc(enum sluice_object object)
{
	this_cpu_inc(sluice_objects[object]);
}

static inline void sluice_object_dec(enum sluice_object object)
{
	this_cpu_dec(sluice_objects[object]);
}

long sluice_object_sum(enum sluice_object object);

#endif /* _SLUICE_OBJECT_H */
