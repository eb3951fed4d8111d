/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Engines: which op is handed out next, and how jobs end.
 *
 * Each engine belongs to a device, and takes the jobs of many queues.  It knows of a
 * queue what struct sluice_entity has.  engine->lock guards all of this file's structs,
 * unless they say otherwise.
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
#define SLUICE_MAX_WITHDRAWALS		3	/* of a job's ops; then it is kept from more */

/**
 * struct sluice_entity - what an engine knows of a queue
 * @jobs: have not ended, in order.  The first of them ends first
 * @again: those whose ops were taken back from the driver after others had become @resume, in
 *	order.  No more than it had ops.  Jobs that are over may stand between them
 * @resume: the first of them that has never been handed out as a whole, or NULL
 * @next: whose op is the next: the first of @again, else @resume
 * @node: in engine->look, engine->begun or engine->ready, because of @next, or in neither
 * @ready_since: when it came into engine->ready, in jiffies
 * @timer: the in-fences of @next take too long
 * @priority: higher goes first
 * @timeout: running time of a job, in jiffies
 * @dead: errno that ends all jobs
 * @chain: an error of a job ends those that follow it, too
 * @failed: point of the first job that had such an error, until CANCEL clears it; 0 for none
 * @in_flight: ops of its jobs that the driver has
 * @streams: a frame of it has ended: what is lost from now on is its loss
 * @over: in engine->over
 * @ending: somebody ends its first jobs, and will look again before it is done
 * @hangs: jobs in a row that ran into @timeout; written by whoever dispatches, and with the
 *	lock by whoever ends jobs
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
 * struct sluice_flight - an op that the driver has, or place for one
 * @link: in engine->in_flight or engine->idle
 * @state: who may touch it
 * @cookie: of the op, as the driver knows it: its number in engine->flights, and a count
 *	that makes it another for each op
 * @number: the engine's first op in flight had 1, and each one since then one more
 * @kept: its job has been stopped so often that what is behind it, or beside it, is no
 *	reason any more; or it may not be repeated
 * @job: holds a reference by being in its queue
 * @op: which of the job's
 * @pass: of a job that is CYCLIC
 */
struct sluice_flight {
	struct list_head link;
	enum sluice_flight_state {
		SLUICE_FLIGHT_IDLE,
		SLUICE_FLIGHT_ISSUED,	/* the driver has it */
		SLUICE_FLIGHT_ENDING,	/* owned by sluice_engine_done() */
		SLUICE_FLIGHT_WITHDRAWN, /* owned by whoever had it aborted */
	} state;
	u32 cookie;
	u64 number;
	bool kept;
	struct sluice_job *job;
	unsigned int op;
	u64 pass;
};

/**
 * struct sluice_engine - takes jobs of queues, and hands their ops to the driver
 * @sdev: the device that it is part of
 * @index: 0 to num_engines - 1
 * @caps: copy of what the driver says of it
 * @has_source: the driver has reported its input signal; with @source under sdev->events.lock
 * @source: the last report
 * @lock: guards all below, and the entities of the engine's queues.  The innermost lock
 * @look: queues whose @next the work item has to look at: is it to be prepared, or to end
 *	without running?
 * @begun: queues whose @next has begun, and can go on
 * @ready: queues whose @next may begin, by priority, in the order in which they became
 *	ready.  What waits for a fence, or for an op of its queue, is in no list
 * @watches: fences that jobs wait for, by address
 * @signalled: those that have signalled, while there are jobs that have not been told
 * @looks: decisions about @look and @signalled since an op was handed out; of whoever
 *	dispatches
 * @revoked: slots whose memory is being taken back, each with a reference
 * @over: queues whose first job is over, for whoever dispatches to end
 * @num_queues: of the engine; under sdev->lock, as is
 * @exclusive: one of them has it for itself
 * @flights: of length caps.depth
 * @in_flight: ops that the driver has, in the order in which it got them
 * @idle: places for more
 * @issued: how many ops the driver has ever had
 * @num_kept: ops in flight that are @kept
 * @held_up: an op is to be stopped, and waits for those
 * @check: something has happened that may end an op in flight, or one that was offered
 * @pushed: there is more to hand out since the driver was last kicked
 * @offered: the driver was kicked when it had no op, at @offered_at in jiffies, and has
 *	taken none
 * @offered_at: see there
 * @aborting: the driver is stopping ops: it gets none meanwhile
 * @starts: counts the times that the device was allowed to go on after a sleep
 * @aborts: how often the driver had to stop ops; each time has a number of its own by it
 * @timeouts: how often because a job took too long
 * @stale: how often the driver ended an op that it did not have
 * @dispatching: somebody decides what comes next, and calls the driver: @work, or a
 *	SUBMIT that cannot be preempted
 * @stopped: the device sleeps or is about to: the driver gets no op
 * @withdraw: and those that it has are to be aborted, and handed out again later
 * @work: decides what comes next: starts, aborts, and ends jobs that do not run
 * @timer: queues @work when the first job in flight is late
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

/* engine.c and flight.c for each other; with engine->lock held unless they say otherwise */
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
