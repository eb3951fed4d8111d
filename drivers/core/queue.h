/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queues: an ordered line of jobs on one engine, with slots, a timeline and completions.
 *
 * struct sluice_queue says which lock guards which field.
 */
#ifndef _SLUICE_QUEUE_H
#define _SLUICE_QUEUE_H

#include <linux/kfifo.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "engine.h"

struct dma_fence;
struct sluice_call;
struct sluice_client;
struct sluice_device;
struct sluice_job;

#define SLUICE_DEFAULT_TIMEOUT_MS	2000
#define SLUICE_DEFAULT_DEPTH		256

/**
 * struct sluice_history - the known facts about one of the last @depth points of a queue
 * @point: the point; 0 for none
 * @job: its job until that has ended; no reference
 * @fence: its fence, reference held; NULL until one is asked for
 * @status: how the job ended; valid after its end
 * @ended: when it ended
 */
struct sluice_history {
	u64 point;
	struct sluice_job *job;
	struct dma_fence *fence;
	int status;
	ktime_t ended;
};

/**
 * struct sluice_queue - an ordered line of jobs on one engine
 * @ref: held by the file, by each job, and for each slot whose memory is being taken back
 * @sdev: the device; reference held
 * @client: the client that created it, which is charged for foreign slots; reference held
 * @engine: the engine that executes its jobs
 * @joined: it counts in engine->num_queues
 * @exclusive: the engine has no other queue
 * @context: fence context of the timeline
 * @name: name of the timeline
 * @depth: most jobs that are pending or whose completion is unread; a power of two
 * @completion_size: bytes of a completion for read()
 * @link: in sdev->queues, under sdev->lock
 * @submit_lock: one SUBMIT at a time
 * @drop_lock: held while all slots are released
 * @slot_lock: guards @slots and @slots_closed
 * @slots: number -> struct sluice_slot, or SLUICE_SLOT_REVOKED instead
 * @slots_closed: no more slots are accepted
 * @sharings_lock: spinlock: guards @sharings
 * @sharings: struct sluice_sharing of all slots that have not been freed, by the address of the
 *	dma_resv
 * @entity: the engine's part of the queue; under engine->lock
 * @lock: guards the fields below, up to @progressed
 * @in_flight: jobs that have not ended, plus completions that have not been read
 * @submitted: the last point
 * @done: all points up to this one have ended
 * @history: point p is at index p % depth
 * @completions: records for read()
 * @progress: record about the progress of a CYCLIC job
 * @progressed: @progress has not been read yet
 * @read_lock: one reader at a time
 * @wait: readers, pollers, and callers of WAIT
 */
struct sluice_queue {
	struct kref ref;
	struct sluice_device *sdev;
	struct sluice_client *client;
	struct sluice_engine *engine;
	bool joined;
	bool exclusive;
	u64 context;
	char name[SLUICE_NAME_LEN + 12];
	u32 depth;
	u32 completion_size;
	struct list_head link;

	struct mutex submit_lock;
	struct mutex drop_lock;
	struct mutex slot_lock;
	struct xarray slots;
	bool slots_closed;
	spinlock_t sharings_lock;
	struct rb_root sharings;

	struct sluice_entity entity;

	spinlock_t lock;
	u32 in_flight;
	u64 submitted;
	u64 done;
	struct sluice_history *history;
	DECLARE_KFIFO_PTR(completions, struct sluice_completion);
	struct sluice_completion progress;
	bool progressed;
	struct mutex read_lock;
	wait_queue_head_t wait;
};

int sluice_queue_create(struct sluice_call *call, struct sluice_create_queue *args);
void sluice_queue_put(struct sluice_queue *queue);
int sluice_completion_copy_out(void __user *to, const struct sluice_completion *completion,
			       size_t size);
void sluice_queue_kill(struct sluice_queue *queue, int error);
int sluice_queue_add_job(struct sluice_queue *queue, struct sluice_job *job);
void sluice_queue_job_ended(struct sluice_queue *queue, struct sluice_job *job, int status);
u32 sluice_queue_cancel_jobs(struct sluice_queue *queue, u64 first, u64 last);

#endif /* _SLUICE_QUEUE_H */
