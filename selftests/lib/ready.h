/* SPDX-License-Identifier: MIT */
/* The parts of the machine that each test program needs. */
#ifndef READY_H
#define READY_H

#include <stdbool.h>

/**
 * machine_ready - load sluice-soft if it is not there; skip the whole program without it
 *
 * The same without root, without the files in debugfs that the tests read, and on a kernel that is
 * locked down (except in the program lockdown).  The program then ends with status 4, after a plan
 * that gives the reason.
 */
void machine_ready(void);

/** device_exists - is there a node of this device? */
bool device_exists(const char *device);

/* NEEDS_DEVICE - skip a test, or all tests of a fixture, on a machine without this device */
#define NEEDS_DEVICE(device) do {						\
	if (!device_exists(device))						\
		SKIP(return, "this machine has no %s", device);			\
} while (0)

#endif /* READY_H */
