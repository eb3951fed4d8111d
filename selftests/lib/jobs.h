/* SPDX-License-Identifier: MIT */
/* Run jobs to their end, and keep jobs from ending until the test allows it. */
#ifndef JOBS_H
#define JOBS_H

#include <stdbool.h>

#include "sluice.h"

/** run_op - run a job of one op to its end; returns its error, or that of SUBMIT */
int run_op(int queue, const struct sluice_op *op);

/**
 * read_all - read @count completions, in as many calls as necessary
 *
 * Returns @count, or the error of sluice_read().
 */
int read_all(int queue, struct sluice_completion *completions, int count);

/**
 * wait_running - wait until a job runs on an engine of a device
 *
 * soft0 reads a knob when an op starts: to change a knob for the next op only, wait here first.
 * Returns false after LATE_MS without a running job.
 */
bool wait_running(int device, unsigned int engine);

/**
 * wait_hanging - wait until soft0 has used up hang_next
 *
 * Returns false after LATE_MS.
 */
bool wait_hanging(void);

/** patient_queue - sluice_queue_create() with the longest timeout for jobs */
int patient_queue(int device, unsigned int engine);

/** struct gate - a job that keeps all other jobs from an engine */
struct gate {
	int device, buffer, queue;
};

/**
 * gate_shut - keep an engine of soft0 from beginning jobs
 *
 * The next job hangs, in a queue of its own, until gate_open().  The engine must be idle, and no
 * other queue may have a higher priority.  Returns 0 or -errno.
 */
int gate_shut(struct gate *gate, unsigned int engine);

/**
 * gate_open - let an engine begin jobs again
 *
 * Returns 0, or -ENOLCK if the gate has opened by itself, which happens after half a minute.
 */
int gate_open(struct gate *gate);

#endif /* JOBS_H */
