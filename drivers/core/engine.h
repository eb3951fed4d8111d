/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Engines: which op is handed out next, and how jobs end.
 *
 * Each engine belongs to a device, and takes the jobs of many queues.  What it knows of a queue
 * is in struct sluice_entity.  engine->lock guards all structs of this file, except where a
 * field says otherwise.
 */
#ifndef _SLUICE_ENGINE_H
#define _SLUICE_ENGINE_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "sluice.h"

struct dma_fence;
struct sluice_device;
struct sluice_job;
struct sluice_queue;
struct sluice_slot;

#define SLUICE_PRIORITIES		3
#define SLUICE_MAX_WITHDRAWALS		3	/* of a job, for the sake of others */

/**
 * struct sluice_entity - an engine's part of a queue
 * @jobs: jobs that have not ended, in the order of their points, in which they end
 * @again: jobs with ops that must be handed out again, although a later job is @resume already;
 *	in the order of their points.  Has at most as many jobs as the driver had ops.  @jobs may
 *	have jobs between them that are over
 * @resume: the first job of which not all ops have been handed out yet, or NULL
 * @next: the job whose op is handed out next: the first of @again, else @resume
 * @node: in engine->look, ->begun or ->ready, because of @next; or in no list
 * @ready_since: when it was last put into engine->ready or ->begun, in jiffies
 * @timer: expires when @next has waited for its in-fences for too long
 * @priority: the engine prefers a higher number
 * @timeout: running time of a job, in jiffies
 * @dead: 0, or the errno with which all jobs end
 * @chain: an error of a job ends the jobs that follow it (SLUICE_QUEUE_CHAIN_ERRORS)
 * @failed: with @chain: point of the first job that had an error, until CANCEL clears it; 0 for
 *	none.  A cancelled job does not count
 * @in_flight: ops of its jobs that the driver has
 * @streams: a frame of the queue has ended.  Frames that were lost before the first one do not
 *	count as dropped
 * @over: in engine->over
 * @ending: a context is ending the first jobs, and checks again before it leaves
 * @hangs: jobs that ran into @timeout, since the last job that succeeded.  The dispatching context
 *	counts; a context that ends a job resets it, with the lock held
 */
struct sluice_entity {
	struct list_head jobs;
	struct list_head again;
	struct sluice_job *resume;
	struct sluice_job *next;
	struct list_head node;
	unsigned long ready_since;
	struct timer_list timer;
	u32 priority;
	unsigned long timeout;
	int dead;
	bool chain;
	u64 failed;
	unsigned int in_flight;
	bool streams;
	struct list_head over;
	bool ending;
	unsigned int hangs;
};

/**
 * struct sluice_flight - an op that the driver has, or an unused entry
 * @link: in engine->in_flight or engine->idle
 * @state: decides which context may use it
 * @cookie: cookie of the op: the index in engine->flights, and a counter that makes it different
 *	for each op
 * @number: the engine's ops are numbered from 1, in the order in which they were handed out
 * @kept: it is not stopped for the sake of other ops any more: its job was stopped too often, or
 *	the op may not be repeated
 * @job: its job, which stays in its queue, and so is not freed, while the op is in flight
 * @op: index of the op in the job
 * @pass: CYCLIC: pass of the job that the op belongs to
 */
struct sluice_flight {
	struct list_head link;
	enum sluice_flight_state {
		SLUICE_FLIGHT_IDLE,
		SLUICE_FLIGHT_ISSUED,	/* the driver has it */
		SLUICE_FLIGHT_ENDING,	/* owned by sluice_engine_done() */
		SLUICE_FLIGHT_WITHDRAWN, /* owned by the context that called ->abort() */
	} state;
	u32 cookie;
	u64 number;
	bool kept;
	struct sluice_job *job;
	unsigned int op;
	u64 pass;
};

/**
 * struct sluice_engine - takes jobs of queues, and hands out their ops to the driver
 * @sdev: the device that it is part of
 * @index: 0 to num_engines - 1
 * @caps: copy of the driver's description
 * @has_source: the driver has reported its input signal; with @source under sdev->events.lock
 * @source: the last report
 * @lock: guards the fields below, and the entities of the engine's queues; the innermost lock
 * @look: queues whose @next the work item must examine, to watch its in-fences or to end it without
 *	running
 * @begun: queues whose @next has begun, and can go on
 * @ready: for each priority, queues whose @next may begin, in the order in which they became ready.
 *	A queue whose @next waits for a fence, or for an op of the queue, is in no list
 * @watches: fences that jobs wait for, by address: see watch.c
 * @signalled: watches whose fence has signalled, while they have jobs that have not been told
 * @looks: decisions about @look and @signalled since the last attempt to hand out an op
 * @revoked: slots whose memory is being taken back; each holds a reference on itself and its queue
 * @over: queues whose first job is over, for the work item to end
 * @num_queues: queues of the engine; under sdev->lock
 * @exclusive: its only queue is SLUICE_QUEUE_EXCLUSIVE; under sdev->lock
 * @flights: array of caps.depth entries
 * @in_flight: ops that the driver has, in the order in which they were handed out
 * @idle: unused entries of @flights
 * @issued: number of ops that were ever handed out
 * @num_kept: ops in flight that are @kept
 * @held_up: an op must be stopped, and waits for the kept ops.  No op is handed out meanwhile
 * @check: the work item must check whether an op in flight must be stopped, or whether the driver
 *	has not taken an op that was offered
 * @pushed: since the driver was last kicked, more ops may have become ready to be handed out
 * @offered: the driver was kicked when it had no op, at @offered_at, and has taken none since
 * @offered_at: in jiffies
 * @aborting: ->abort() is being called: no op is handed out
 * @starts: number of sluice_device_resume() calls; tells whether a deadline is from before a sleep
 * @aborts: number of ->abort() calls for this engine's ops; also identifies each of them
 * @timeouts: number of jobs that took too long
 * @stale: how often the driver reported the end of an op that was not in flight
 * @dispatching: a context takes decisions and calls the driver: @work, or a SUBMIT that cannot be
 *	preempted
 * @stopped: the device sleeps or will sleep soon: no op is handed out
 * @withdraw: with @stopped: ops in flight must also be aborted, and are handed out again later
 * @work: takes decisions: starts and aborts ops, and ends jobs that do not run
 * @timer: queues @work when the first job in flight, or an offered op, is late
 */
struct sluice_engine {
	struct sluice_device *sdev;
	unsigned int index;
	struct sluice_engine_caps caps;
	bool has_source;
	struct sluice_source source;
	spinlock_t lock;
	struct list_head look;
	struct list_head begun;
	struct list_head ready[SLUICE_PRIORITIES];
	struct rb_root watches;
	struct list_head signalled;
	unsigned int looks;
	struct list_head revoked;
	struct list_head over;
	unsigned int num_queues;
	bool exclusive;
	struct sluice_flight *flights;
	struct list_head in_flight;
	struct list_head idle;
	u64 issued;
	unsigned int num_kept;
	bool held_up;
	bool check;
	bool pushed;
	bool offered;
	unsigned long offered_at;
	bool aborting;
	unsigned int starts;
	unsigned int aborts;
	unsigned int timeouts;
	unsigned int stale;
	bool dispatching;
	bool stopped;
	bool withdraw;
	struct work_struct work;
	struct timer_list timer;
};

int sluice_engine_init(struct sluice_engine *engine, struct sluice_device *sdev,
		       unsigned int index, const struct sluice_engine_caps *caps);
void sluice_engine_fini(struct sluice_engine *engine);
void sluice_entity_init(struct sluice_entity *entity, u32 priority, unsigned int timeout_ms);
void sluice_entity_fini(struct sluice_queue *queue);
void sluice_engine_kick_locked(struct sluice_engine *engine);
int sluice_engine_add(struct sluice_engine *engine, struct sluice_job *job);
void sluice_engine_submit(struct sluice_engine *engine, struct sluice_job *job, bool now);
void sluice_engine_kill(struct sluice_engine *engine, struct sluice_entity *entity, int error);
void sluice_engine_clear(struct sluice_engine *engine, struct sluice_entity *entity);
bool sluice_engine_cancel(struct sluice_engine *engine, struct sluice_job *job);
void sluice_engine_revoke(struct sluice_engine *engine, struct sluice_slot *slot);
void sluice_engine_stop(struct sluice_engine *engine, bool withdraw);
bool sluice_engine_rests(struct sluice_engine *engine);
void sluice_engine_go_on(struct sluice_engine *engine);
void sluice_engine_ack(struct sluice_engine *engine, struct sluice_job *job, u64 ops);
void sluice_engine_give_fence(struct sluice_engine *engine, struct sluice_job *job,
			      struct dma_fence *fence);

/* engine.c and flight.c for each other; with engine->lock held, unless their comments differ */
struct sluice_job *sluice_entity_first(struct sluice_entity *entity);
void sluice_entity_pass(struct sluice_entity *entity, struct sluice_job *job);
void sluice_entity_return(struct sluice_entity *entity, struct sluice_job *job);
void sluice_entity_enqueue(struct sluice_engine *engine, struct sluice_entity *entity, bool again);
void sluice_entity_end_jobs(struct sluice_engine *engine, struct sluice_entity *entity,
			    unsigned long *flags);
bool sluice_job_has_begun(const struct sluice_job *job);
bool sluice_job_is_lapped(const struct sluice_job *job);
int sluice_job_refused(const struct sluice_job *job);
void sluice_job_fail(struct sluice_job *job, unsigned int op, int status);
void sluice_job_update(struct sluice_engine *engine, struct sluice_job *job);
int sluice_flight_unwanted(const struct sluice_flight *flight);
void sluice_engine_look(struct sluice_engine *engine, struct sluice_entity *entity);
bool sluice_engine_has_room(const struct sluice_engine *engine);
bool sluice_engine_has_work(const struct sluice_engine *engine);
void sluice_engine_rested(struct sluice_engine *engine);
int sluice_flights_init(struct sluice_engine *engine);
void sluice_flights_set_timer(struct sluice_engine *engine, unsigned long now);
void sluice_flights_restart_clocks(struct sluice_engine *engine);
struct sluice_entity *sluice_engine_pick(struct sluice_engine *engine);
void sluice_engine_offer(struct sluice_engine *engine);
bool sluice_job_is_chained(const struct sluice_job *job);
struct sluice_flight *sluice_flight_find(struct sluice_engine *engine, u32 cookie);
struct sluice_flight *sluice_flight_begin(struct sluice_engine *engine);
void sluice_flight_start(struct sluice_engine *engine, struct sluice_flight *flight);
void sluice_flight_abort(struct sluice_engine *engine, u32 cookie, u64 number, int status);

#endif /* _SLUICE_ENGINE_H */
