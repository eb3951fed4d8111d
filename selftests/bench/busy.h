/* SPDX-License-Identifier: MIT */
/*
 * Jobs of irqsource0 (selftests/kernel/irqsource.c) that wait, because an op before them keeps
 * the engine busy until all have been submitted.
 *
 * Two times count: the time in SUBMIT, and the time from the interrupt until the last job is seen
 * to have ended.  In between, the CPU only waits.
 */
#ifndef BENCH_BUSY_H
#define BENCH_BUSY_H

#include "bench.h"

#define BUSY_NS		20000	/* more than enough to submit a job; the wait does not count */
#define BUSY_QUEUES	64
#define BUSY_JOBS	256

/* The queues whose jobs wait; each has a slot 0, of one page. */
extern int busy_queues[BUSY_QUEUES], num_busy_queues;

/** busy_open_queue - a queue of irqsource0 with the most room for jobs; returns its fd */
int busy_open_queue(void);

/** busy_open - open so many queues, and scene->queue for the op that comes first */
int busy_open(struct scene *scene, int count);

/** busy_open_count - the same with scene->count queues */
int busy_open_count(struct scene *scene);

/** busy_close - close the queues that wait */
void busy_close(struct scene *scene);

/**
 * busy_submit - submit a job with one op
 * @queue: a queue of irqsource0 or ring0 with a slot 0
 * @args: flags of the job; its results afterwards
 * @ns: how long the op takes; 0: it ends at once, and the interrupt source does not fire
 */
int busy_submit(int queue, struct sluice_submit *args, uint32_t ns);

/** busy_begin - keep the engine busy while so many jobs are submitted */
int busy_begin(struct scene *scene, unsigned int jobs);

/**
 * busy_run - submit jobs to the queues in turns, and see the last one end
 * @jobs: how many
 * @flags: of all, beside NO_COMPLETION; with OUT_FENCE, its fd is closed at once
 */
int busy_run(unsigned int jobs, uint32_t flags);

/** busy_read - read the completion of the last of these jobs */
int busy_read(unsigned int jobs);

/** busy_begin_few, busy_run_few, busy_read_few - the same for BUSY_JOBS jobs without flags */
int busy_begin_few(struct scene *scene);
int busy_run_few(struct scene *scene);
int busy_read_few(struct scene *scene);

/** busy_fired_after - when did the interrupt come?  DISTURBED if that was before a time */
int busy_fired_after(double since, double *fired);

/**
 * busy_correct - take off the wait between the last SUBMIT of busy_run() and the interrupt;
 * DISTURBED if the interrupt came first
 */
int busy_correct(struct scene *scene);

/** busy_correct_since - the same for the wait between a time and the interrupt */
int busy_correct_since(struct scene *scene, double since);

/** busy_see_end - wait until a completion of the queue can be read */
int busy_see_end(int queue);

/** busy_read_end - read a completion; returns the status of its job */
int busy_read_end(int queue);

/** hang_begin - a job of soft0 that hangs; sets @fence to its out-fence */
int hang_begin(int *fence);

/** hang_cancel - cancel this job */
int hang_cancel(void);

/** hang_end - close the queue of this job */
void hang_end(void);

#endif /* BENCH_BUSY_H */
