/* SPDX-License-Identifier: MIT */
/* The kernel's test harness, with longer timeouts for these tests. */
#ifndef HARNESS_H
#define HARNESS_H

#include "kselftest_harness.h"
#include "ready.h"

/*
 * The harness ends a test after 30 s, but two waits of LATE_MS take longer.  The runner ends a
 * guest that prints nothing for three minutes.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

/* Before the harness prints its plan. */
static void __attribute__((constructor)) harness_begins(void)
{
	machine_ready();
}

#endif /* HARNESS_H */
