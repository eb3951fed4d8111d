/* SPDX-License-Identifier: MIT */
/* The kernel's test harness, with the time that the tests need. */
#ifndef HARNESS_H
#define HARNESS_H

#include "kselftest_harness.h"

/*
 * The harness ends a test after 30 s, which is less than two waits of LATE_MS take.
 * A guest that says nothing for three minutes is ended.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

#endif /* HARNESS_H */
