/* SPDX-License-Identifier: MIT */
/* The counts of the kernel's objects: each test leaves them as it found them. */
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
 * objects_before - a reading to come back to
 *
 * What those before have left may still be on its way out: a job being freed, a
 * fence for a grace period of RCU.  So this waits, for some seconds at most, until
 * nothing lives but devices.
 */
struct objects objects_before(void);

/**
 * objects_settle - do the counts come back to what they were?
 * @before: then
 *
 * Gives the kernel twenty seconds, because the last reference of an fd or a job
 * may be dropped late.  Prints what differs.
 */
bool objects_settle(const struct objects *before);

#endif /* OBJECTS_H */
