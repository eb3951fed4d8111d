/* SPDX-License-Identifier: MIT */
/*
 * Sleep of a guest: see Documentation/admin-guide/pm of the kernel, and selftests/kernel/awake.c.
 */
#ifndef SLEEP_H
#define SLEEP_H

#include <stdbool.h>

#define PM_TEST "/sys/power/pm_test"
#define PM_STATE "/sys/power/state"
#define PM_DELAY "/sys/module/suspend/parameters/pm_test_delay"
#define AWAKE "sluice_awake"

/** root_stays_awake - keep the device of the root file system from a reset; false on failure */
bool root_stays_awake(void);

/** sleep_until_woken - sleep to @state, as deep as @test allows; 0, or -errno of the kernel */
int sleep_until_woken(const char *test, const char *state);

/**
 * sleep_devices - suspend all devices, and resume them after a second
 *
 * Returns 0, -EOPNOTSUPP if this kernel or guest cannot, or another -errno of the kernel.
 */
int sleep_devices(void);

#endif /* SLEEP_H */
