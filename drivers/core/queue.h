/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queues: an ordered line of jobs on one engine.  This file has the object, its timeline and its
 * completions; queue_file.c has the fd.
 *
 * References: the file holds one, each job holds one, and the engine holds one for each slot whose
 * memory is being taken back.  When the file is closed, the queue is killed: its pending jobs are
 * cancelled.  The last put frees the queue.
 *
 * Locks: struct sluice_queue says which lock guards which field.  A context that needs queue->lock
 * and engine->lock takes queue->lock first.
 *
 * queue_file.c creates queues.  submit.c adds points to the timeline, and job.c ends them.  uring.c
 * cancels jobs, and register.c kills the queues of a device that is removed.
 */
#ifndef _SLUICE_QUEUE_H
#define _SLUICE_QUEUE_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <uapi/linux/sluice.h>

#include "blocks.h"
#include "entity.h"
#include "fence.h"
#include "ring.h"
#include "slot_table.h"

struct sluice_client;
struct sluice_device;
struct sluice_engine;
struct sluice_sched_job;

#define SLUICE_QUEUE_TIMEOUT_MS		2000	/* default time limit of a job */
#define SLUICE_QUEUE_DEPTH		256	/* default depth of a queue */
#define SLUICE_QUEUE_MAX_ADD		32	/* jobs that are added in one hold of queue->lock */

/**
 * struct sluice_queue_point - the state of one of the last @depth points
 * @point: the point; 0 if the entry is not used yet
 * @pending: the job of the point; valid while not @over.  No reference
 * @ended: time at which the job ended; valid if @over
 * @fence: the fence of the job, reference held; NULL if the job has no fence
 * @status: result of the job; valid if @over
 * @over: the job has ended
 *
 * The size is a power of two, so that blocks have no unused end.
 */
struct sluice_queue_point {
	u64 point;
	union {
		struct sluice_sched_job *pending;
		ktime_t ended;
	};
	struct dma_fence *fence;
	int status;
	bool over;
};

/**
 * struct sluice_queue - an ordered line of jobs on one engine
 * @ref: held by the file, by each job, and for each slot whose memory is being taken back
 * @sdev: the device; reference held
 * @client: the client that created the queue; it is charged for slots of foreign buffers.
 *	Reference held
 * @joined: the queue counts in engine->num_queues
 * @exclusive: the queue is the only one of its engine, and the engine accepts no other
 * @timeline: the fence timeline, on which each job is a point
 * @depth: limit of @in_flight; a power of two
 * @completion_size: bytes that read() returns for each completion
 * @link: in sdev->queues, under sdev->lock
 * @submit_lock: held by SUBMIT, so the jobs get their points one after the other
 * @slots: the table of slots
 * @entity: the engine's part of the queue; under engine->lock
 * @lock: guards the fields below, up to @progressed
 * @in_flight: jobs that have not ended, plus completions that have not been read; without those
 *	in @ring, so use sluice_queue_in_flight()
 * @submitted: the newest point
 * @done: the newest point that has ended; all points before it have ended, too
 * @points: @depth entries; point p is at index p % depth
 * @completions: @depth entries, or none with @ring; the completions of ended jobs, for read()
 * @first: index of the oldest unread completion in @completions; 0 if there is none
 * @unread: number of unread completions in @completions
 * @ring: completions in memory that userspace maps; NULL if the queue has read() instead.  The
 *	pointer is constant
 * @progress: progress of a CYCLIC job, for read().  Each op that ends overwrites it, so one record
 *	may stand for several ops
 * @progressed: @progress has not been read yet; not used with @ring
 * @read_lock: held by read() while it copies records
 * @wait: readers, pollers, and callers of WAIT
 * @spare: memory of a job that has ended, for the next job; NULL if there is none, or an ERR_PTR
 *	if the queue is being freed.  Changed without a lock, by atomic exchanges
 * @rcu: delays the free of the queue: see sluice_queue_keep_spare()
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
	struct sluice_blocks points;
	struct sluice_blocks completions;
	u32 first;
	u32 unread;
	struct sluice_ring *ring;
	struct sluice_completion progress;
	bool progressed;
	struct mutex read_lock;
	wait_queue_head_t wait;
	void *spare;
	struct rcu_head rcu;
};

/**
 * sluice_queue_dead - why does the queue accept no more jobs?
 * @queue: the queue
 *
 * Context: any.
 * Return: 0 if it accepts jobs, or the errno with which it was killed.
 */
static inline int sluice_queue_dead(const struct sluice_queue *queue)
{
	return READ_ONCE(queue->entity.dead);
}

/**
 * sluice_queue_wake - wake readers, pollers, and callers of WAIT
 * @queue: the queue
 *
 * Context: any.
 */
static inline void sluice_queue_wake(struct sluice_queue *queue)
{
	if (wq_has_sleeper(&queue->wait))
		wake_up_all(&queue->wait);
}

/**
 * sluice_queue_keep_spare - let a queue keep the memory of an ended job for its next job
 * @queue: the queue
 * @memory: from kvmalloc()
 *
 * The last reference on the queue may be dropped before or during this call.
 *
 * Context: any; the caller has a reference on the queue, or has been in an RCU section since it had
 * one.
 * Return: true; false if the caller must free the memory, because the queue has some already, or is
 * being freed.
 */
static inline bool sluice_queue_keep_spare(struct sluice_queue *queue, void *memory)
{
	return !cmpxchg(&queue->spare, NULL, memory);
}

/**
 * sluice_queue_take_spare - take the memory that a queue keeps
 * @queue: the queue; the caller has a reference
 *
 * Context: any.
 * Return: the memory, or NULL.
 */
static inline void *sluice_queue_take_spare(struct sluice_queue *queue)
{
	return xchg(&queue->spare, NULL);
}

/**
 * sluice_queue_has_record - is there a record for a reader, or in the ring?
 * @queue: the queue
 *
 * Context: queue->lock held.
 * Return: true if there is one.
 */
static inline bool sluice_queue_has_record(const struct sluice_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (queue->ring)
		return sluice_ring_has_record(queue->ring);
	return queue->progressed || queue->unread;
}

/**
 * sluice_queue_ring_bytes - how many bytes has the ring of a queue?
 * @queue: the queue
 *
 * Context: any.
 * Return: bytes, whole pages; 0 if it has no ring.
 */
static inline size_t sluice_queue_ring_bytes(const struct sluice_queue *queue)
{
	return queue->ring ? sluice_ring_bytes(queue->depth, queue->completion_size) : 0;
}

struct sluice_queue *sluice_queue_create(struct sluice_client *client,
					 const struct sluice_entity_ops *ops,
					 const struct sluice_create_queue *args);
void sluice_queue_put(struct sluice_queue *queue);
void sluice_queue_kill(struct sluice_queue *queue, int error);
u32 sluice_queue_in_flight(const struct sluice_queue *queue);
int sluice_queue_reserve(struct sluice_queue *queue, unsigned int count);
void sluice_queue_unreserve(struct sluice_queue *queue, unsigned int count);
bool sluice_queue_add_idle(struct sluice_queue *queue, struct sluice_sched_job *job);
int sluice_queue_add_jobs(struct sluice_queue *queue, struct sluice_sched_job *const *jobs,
			  unsigned int count, bool late);
struct sluice_sched_job *sluice_queue_job(struct sluice_queue *queue, u64 point);
u32 sluice_queue_cancel(struct sluice_queue *queue, u64 first, u64 last);
int sluice_queue_ack(struct sluice_queue *queue, u64 point, u64 ops);
struct dma_fence *sluice_queue_get_fence(struct sluice_queue *queue, u64 point);
struct dma_fence *sluice_queue_get_pending(struct sluice_queue *queue, u64 point, int *status);
void sluice_queue_end_point(struct sluice_queue *queue, const struct sluice_completion *record,
			    bool unread);
void sluice_queue_set_progress(struct sluice_queue *queue,
			       const struct sluice_completion *record);
bool sluice_queue_peek(struct sluice_queue *queue, struct sluice_completion *record);
void sluice_queue_skip(struct sluice_queue *queue, const struct sluice_completion *record);
int sluice_queue_copy_record(const struct sluice_queue *queue, void __user *to,
			     const struct sluice_completion *record);
int sluice_queue_wait(struct sluice_queue *queue, u64 point, ktime_t deadline, int *status);

#endif /* _SLUICE_QUEUE_H */
