/* SPDX-License-Identifier: MIT */
/* The counts of the kernel's objects: they are the same before and after each test. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include <stdbool.h>

#define OBJECT_KINDS 8

/** struct objects - a reading of /sys/kernel/debug/sluice/objects, in its order */
struct objects {
	long count[OBJECT_KINDS];
};

struct objects objects_read(void);

/**
 * objects_before - read the counts before a test
 *
 * Objects of earlier tests may not be freed yet, such as a fence that waits for a grace period of
 * RCU. So this waits, for some seconds at most, until only devices exist.
 */
struct objects objects_before(void);

/**
 * objects_settle - wait until the counts are the same again
 * @before: the counts before
 *
 * Waits up to twenty seconds, because the last reference to an fd or a job may be dropped late.
 * Prints the counts that differ.  Returns whether all are the same.
 */
bool objects_settle(const struct objects *before);

#endif /* OBJECTS_H */
