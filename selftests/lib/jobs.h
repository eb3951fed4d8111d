/* SPDX-License-Identifier: MIT */
/* Jobs to their end, and jobs that do not end until a test lets them. */
#ifndef JOBS_H
#define JOBS_H

#include <stdbool.h>

#include "sluice.h"

/** run_op - a job of one op, to its end; returns its error, or why there is no job */
int run_op(int queue, const struct sluice_op *op);

/**
 * read_all - read so many completions, however many come at a time
 *
 * Returns @count, or what sluice_read() says otherwise.
 */
int read_all(int queue, struct sluice_completion *completions, int count);

/**
 * wait_running - wait until a job runs on an engine of a device
 *
 * A knob of soft0 is read when an op starts: to change it for the next op only, wait
 * here first.  Returns false after LATE_MS without one.
 */
bool wait_running(int device, unsigned int engine);

/**
 * wait_hanging - wait until soft0 has taken notice of all of hang_next
 *
 * Returns false after LATE_MS.
 */
bool wait_hanging(void);

/** patient_queue - sluice_queue() for jobs that may take as long as any may */
int patient_queue(int device, unsigned int engine);

/** struct gate - a job that keeps an engine from all others */
struct gate {
	int device, buffer, queue;
};

/**
 * gate_shut - an engine of soft0 begins nothing any more
 *
 * Its next job hangs, in a queue of its own, until gate_open().  The engine must
 * be idle, and other queues must not be more urgent.  Returns 0 or -errno.
 */
int gate_shut(struct gate *gate, unsigned int engine);

/**
 * gate_open - let an engine go on
 *
 * Returns 0, or -ENOLCK if the gate was not shut any more: after half a minute.
 */
int gate_open(struct gate *gate);

#endif /* JOBS_H */
