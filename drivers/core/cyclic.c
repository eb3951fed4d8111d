// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs that go round and round over their ops, until another job stands behind them.
 *
 * Nothing waits for such a job, because it need not ever end: it has no fence, is on no
 * dma_resv, and its queue has the engine for itself.  A job behind it ends it with the
 * pass that has begun, so that the fence of that one comes in finite time.
 *
 * How far it is one record says, of the queue: read() takes it, and the ops that end
 * before the next read() are in one together.  So a reader may be slow.
 *
 * The engine's part is in engine.c and flight.c: the job's place in its ring (@next_op,
 * @pass), and whether the ring has come round to a buffer too early (@acked, @xruns).
 */
#include "core.h"

/**
 * sluice_job_is_cyclic - does the job go round?
 * @job: any
 *
 * Context: any.
 */
bool sluice_job_is_cyclic(const struct sluice_job *job)
{
	return job->flags & SLUICE_SUBMIT_CYCLIC;
}

/**
 * sluice_cyclic_check - may the job go round?
 * @job: has its slots, and has not been published
 *
 * Context: any.  Return: 0, -EINVAL, or -EOPNOTSUPP for memory that can only be used with a
 * fence on it.
 */
int sluice_cyclic_check(const struct sluice_job *job)
{
	unsigned int i;

	if (!sluice_job_is_cyclic(job))
		return job->flags & SLUICE_SUBMIT_STOP_ON_XRUN ? -EINVAL : 0;
	if (!job->queue->exclusive || !job->num_ops || job->uring ||
	    job->flags & SLUICE_SUBMIT_OUT_FENCE)
		return -EINVAL;
	for (i = 0; i < job->num_ops; i++) {
		const struct sluice_op_desc *op = &job->ops[i];
		unsigned int j;

		if (op->kind != SLUICE_OP_CAPTURE && op->kind != SLUICE_OP_PLAYBACK)
			return -EINVAL;
		for (j = 0; j < op->num_ranges; j++)
			if (!(op->ranges[j].slot->flags & SLUICE_ATTACH_EXPLICIT))
				return -EINVAL;
	}
	return job->num_claims ? -EOPNOTSUPP : 0;
}

/**
 * sluice_cyclic_describe - how far a CYCLIC job is
 * @job: the job
 * @record: set to that; all is counted from the job's beginning on
 *
 * Context: engine->lock held.
 */
void sluice_cyclic_describe(const struct sluice_job *job, struct sluice_completion *record)
{
	*record = (struct sluice_completion) {
		.point = job->point,
		.user_data = job->user_data,
		.flags = SLUICE_COMPLETION_MORE | job->result.flags,
		.bytes = job->result.bytes,
		.timestamp = ktime_to_ns(job->result.timestamp),
		.sequence = job->result.sequence,
		.dropped = job->result.dropped,
		.started = ktime_to_ns(job->started),
		.ops = job->ended,
		.xruns = job->xruns,
		.width = job->result.width,
		.height = job->result.height,
	};
}

/**
 * sluice_cyclic_post - let readers know how far a CYCLIC job is
 * @queue: the queue
 * @record: from sluice_cyclic_describe()
 *
 * Context: any, without engine->lock; the job has not ended.
 */
void sluice_cyclic_post(struct sluice_queue *queue, const struct sluice_completion *record)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	/* another CPU may have been faster */
	if (queue->progress.point != record->point || queue->progress.ops < record->ops) {
		queue->progress = *record;
		queue->progressed = true;
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	if (wq_has_sleeper(&queue->wait))
		wake_up_all(&queue->wait);
}

/**
 * sluice_cyclic_peek - the record of what a CYCLIC job has done
 * @queue: the queue
 * @record: set to it
 *
 * Context: queue->lock held.  Return: false if there is nothing new, or records of jobs in
 * front of it come first.
 */
bool sluice_cyclic_peek(struct sluice_queue *queue, struct sluice_completion *record)
{
	struct sluice_completion first;

	lockdep_assert_held(&queue->lock);
	if (!queue->progressed)
		return false;
	*record = queue->progress;
	return !kfifo_peek(&queue->completions, &first) || first.point >= record->point;
}

/**
 * sluice_cyclic_skip - that record has been read
 * @queue: the queue
 * @record: as it was read
 *
 * Context: queue->lock held.
 */
void sluice_cyclic_skip(struct sluice_queue *queue, const struct sluice_completion *record)
{
	lockdep_assert_held(&queue->lock);
	if (queue->progress.point == record->point && queue->progress.ops == record->ops)
		queue->progressed = false;
}

/**
 * sluice_cyclic_ack - ACK
 * @call: on a queue
 *
 * Context: may sleep.  Return: 0 or -EINVAL.
 */
int sluice_cyclic_ack(struct sluice_call *call)
{
	struct sluice_queue *queue = call->file->private_data;
	const struct sluice_ack *args = call->data;
	struct sluice_history *history;
	int ret = -EINVAL;

	if (args->flags || args->reserved)
		return -EINVAL;
	history = &queue->history[args->point & (queue->depth - 1)];
	spin_lock_irq(&queue->lock);
	if (history->point == args->point && args->point) {
		ret = 0;
		if (history->job && !sluice_job_is_cyclic(history->job))
			ret = -EINVAL;
		else if (history->job)
			sluice_engine_ack(queue->engine, history->job, args->ops);
	}
	spin_unlock_irq(&queue->lock);
	return ret;
}
