/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queues: an ordered line of jobs on one engine.  This file has the object, its timeline and its
 * completions; queue_file.c has the fd.
 *
 * References: the file, each job, and each slot whose memory is being taken back.
 *
 * Locks: struct sluice_queue says which lock guards which field.  queue->lock is outside
 * engine->lock.
 *
 * queue_file.c creates queues.  job.c and submit.c change the timeline.
 */
#ifndef _SLUICE_QUEUE_H
#define _SLUICE_QUEUE_H

#include <linux/kfifo.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "entity.h"
#include "fence.h"
#include "slot_table.h"

struct sluice_client;
struct sluice_create_queue;
struct sluice_device;
struct sluice_engine;
struct sluice_sched_job;

#define SLUICE_QUEUE_TIMEOUT_MS		2000	/* of a job, if CREATE_QUEUE sets none */
#define SLUICE_QUEUE_DEPTH		256	/* of a queue, if CREATE_QUEUE sets none */

/**
 * struct sluice_queue_point - the known facts about one of the last @depth points
 * @point: the point; 0 for none
 * @job: its job until that has ended; no reference
 * @fence: its fence, reference held; NULL until one is asked for
 * @status: how the job ended; valid after its end
 * @ended: when it ended
 */
struct sluice_queue_point {
	u64 point;
	struct sluice_sched_job *job;
	struct dma_fence *fence;
	int status;
	ktime_t ended;
};

/**
 * struct sluice_queue - an ordered line of jobs on one engine
 * @ref: held by the file, by each job, and for each slot whose memory is being taken back
 * @sdev: the device; reference held
 * @client: the client that created it, which is charged for foreign slots; reference held
 * @joined: it counts in engine->num_queues
 * @exclusive: the engine has no other queue
 * @timeline: its timeline, on which each job is a point
 * @depth: most jobs that are pending or whose completion is unread; a power of two
 * @completion_size: bytes of a completion for read()
 * @link: in sdev->queues, under sdev->lock
 * @submit_lock: one SUBMIT at a time
 * @slots: the slots
 * @entity: the engine's part of the queue; under engine->lock
 * @lock: guards the fields below, up to @progressed
 * @in_flight: jobs that have not ended, plus completions that have not been read
 * @submitted: the last point
 * @done: all points up to this one have ended
 * @points: point p is at index p % depth
 * @completions: records for read()
 * @progress: record about the progress of a CYCLIC job.  read() takes it; several ops that end before
 *	the next read() are in one record
 * @progressed: @progress has not been read yet
 * @read_lock: one reader at a time
 * @wait: readers, pollers, and callers of WAIT
 */
struct sluice_queue {
	struct kref ref;
	struct sluice_device *sdev;
	struct sluice_client *client;
	bool joined;
	bool exclusive;
	struct sluice_timeline timeline;
	u32 depth;
	u32 completion_size;
	struct list_head link;
	struct mutex submit_lock;
	struct sluice_slot_table slots;
	struct sluice_entity entity;
	spinlock_t lock;
	u32 in_flight;
	u64 submitted;
	u64 done;
	struct sluice_queue_point *points;
	DECLARE_KFIFO_PTR(completions, struct sluice_completion);
	struct sluice_completion progress;
	bool progressed;
	struct mutex read_lock;
	wait_queue_head_t wait;
};

struct sluice_queue *sluice_queue_create(struct sluice_client *client,
					 const struct sluice_entity_ops *ops,
					 const struct sluice_create_queue *args);
void sluice_queue_put(struct sluice_queue *queue);
void sluice_queue_kill(struct sluice_queue *queue, int error);
int sluice_queue_dead(const struct sluice_queue *queue);
int sluice_queue_reserve(struct sluice_queue *queue);
void sluice_queue_unreserve(struct sluice_queue *queue);
int sluice_queue_add_job(struct sluice_queue *queue, struct sluice_sched_job *job);
u32 sluice_queue_cancel(struct sluice_queue *queue, u64 first, u64 last);
int sluice_queue_ack(struct sluice_queue *queue, u64 point, u64 ops);
struct dma_fence *sluice_queue_get_fence(struct sluice_queue *queue, u64 point);
void sluice_queue_end_point(struct sluice_queue *queue, const struct sluice_completion *record,
			    bool unread);
void sluice_queue_set_progress(struct sluice_queue *queue,
			       const struct sluice_completion *record);
bool sluice_queue_has_record(const struct sluice_queue *queue);
bool sluice_queue_peek(struct sluice_queue *queue, struct sluice_completion *record);
void sluice_queue_skip(struct sluice_queue *queue, const struct sluice_completion *record);
int sluice_queue_copy_record(const struct sluice_queue *queue, void __user *to,
			     const struct sluice_completion *record);
void sluice_queue_wake(struct sluice_queue *queue);
int sluice_queue_wait(struct sluice_queue *queue, u64 point, ktime_t deadline, int *status);

#endif /* _SLUICE_QUEUE_H */
