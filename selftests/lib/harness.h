/* SPDX-License-Identifier: MIT */
/* The kernel's test harness, with longer timeouts for these tests. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "ready.h"

/*
 * The harness ends a test after 30 s, but two waits of LATE_MS take longer.  The runner ends a
 * guest that prints nothing for three minutes.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

static pid_t harness_pid;

/*
 * A program that has skipped all its tests ends with the status for that.  The harness ends with
 * exit(), and has only counts of its own.  The processes of tests also come here if they exit().
 */
static void harness_ends(void)
{
	if (getpid() != harness_pid || ksft_test_num() != (unsigned int)ksft_get_xskip_cnt() ||
	    !ksft_test_num())
		return;
	fflush(NULL);
	_exit(KSFT_SKIP);
}

/* Before the harness prints its plan. */
static void __attribute__((constructor)) harness_begins(void)
{
	machine_ready();
	harness_pid = getpid();
	atexit(harness_ends);
}

#endif /* HARNESS_H */
