// SPDX-License-Identifier: GPL-2.0-only
/*
 * SUBMIT: from the caller's struct to a published job.  See submit.h.
 */
#include <linux/fault-inject-usercopy.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat/fence.h"
#include "deps.h"
#include "device.h"
#include "dispatch.h"
#include "ioctl.h"
#include "job.h"
#include "op.h"
#include "queue.h"
#include "submit.h"
#include "trace.h"

/* Ops whose structs are on the stack.  Few: the compiler may zero-initialise this memory. */
#define SLUICE_SUBMIT_INLINE_OPS	2

/* SUBMIT publishes jobs with preemption off only if together they have at most so many of them. */
#define SLUICE_SUBMIT_NOW_RESVS		16
#define SLUICE_SUBMIT_NOW_FENCES	64

#define SLUICE_SUBMIT_ALL \
	(SLUICE_SUBMIT_OUT_FENCE | SLUICE_SUBMIT_NO_COMPLETION | SLUICE_SUBMIT_IGNORE_ERRORS | \
	 SLUICE_SUBMIT_CYCLIC | SLUICE_SUBMIT_STOP_ON_XRUN)

/**
 * struct sluice_submit_batch - the jobs that one call submits
 * @queue: the queue
 * @call: the call
 * @point: the caller's field for the first point
 * @out_fence: the caller's field for the out-fence of the last job
 * @fd_flags: for this out-fence
 * @notify: waiter for the end of the jobs, or NULL
 * @notify_ops: functions of @notify
 * @jobs: the engine's parts of the jobs
 * @num_jobs: length of @jobs: jobs that have been created
 * @block: memory for more jobs
 * @expected: number of jobs that the call has
 * @failed: index of the job that is being worked on, for the caller if it fails; or @num_jobs
 * @resv: what must be locked: the set of the only job, or the union of the sets of all jobs
 */
struct sluice_submit_batch {
	struct sluice_queue *queue;
	struct sluice_call *call;
	u64 *point;
	s32 *out_fence;
	u32 fd_flags;
	struct sluice_job_notify *notify;
	const struct sluice_job_notify_ops *notify_ops;
	struct sluice_sched_job **jobs;
	unsigned int num_jobs;
	struct sluice_job_block *block;
	unsigned int expected;
	unsigned int failed;
	struct sluice_resv_set resv;
};

static struct sluice_job *sluice_submit_get(const struct sluice_submit_batch *batch,
					    unsigned int index)
{
	return container_of(batch->jobs[index], struct sluice_job, base);
}

static int sluice_submit_check(const struct sluice_submit *args)
{
	if (args->flags & ~SLUICE_SUBMIT_ALL || args->fd_flags & ~SLUICE_FD_INHERIT)
		return -EINVAL;
	if ((args->op_size && args->op_size < SLUICE_OP_SIZE_V1) ||
	    (args->in_point_size && args->in_point_size < SLUICE_IN_POINT_SIZE_V7))
		return -EINVAL;
	if (args->num_ops > SLUICE_MAX_OPS || args->num_in_fences > SLUICE_MAX_IN_FENCES ||
	    args->num_in_points > SLUICE_MAX_IN_POINTS ||
	    args->op_size > SLUICE_MAX_RECORD_SIZE || args->in_point_size > SLUICE_MAX_RECORD_SIZE)
		return -E2BIG;
	if (!IS_ENABLED(CONFIG_SYNC_FILE) &&
	    (args->num_in_fences || args->flags & SLUICE_SUBMIT_OUT_FENCE))
		return -EOPNOTSUPP;
	return 0;
}

/*
 * Check the rules for CYCLIC jobs.  A CYCLIC job need not end, so it must not have a fence.
 * Therefore it has no out-fence, and all its slots are EXPLICIT, of exporters without a pin op:
 * only such a slot has no entry in job->resv.  The job also needs an exclusive queue.
 */
static int sluice_submit_check_cyclic(const struct sluice_job *job)
{
	u32 flags = job->base.flags;
	unsigned int i, j;

	if (!(flags & SLUICE_SUBMIT_CYCLIC))
		return flags & SLUICE_SUBMIT_STOP_ON_XRUN ? -EINVAL : 0;
	if (!job->queue->exclusive || !job->base.num_ops || job->notify ||
	    flags & SLUICE_SUBMIT_OUT_FENCE)
		return -EINVAL;
	for (i = 0; i < job->base.num_ops; i++) {
		const struct sluice_op_desc *op = &job->ops[i];

		if (op->kind != SLUICE_OP_CAPTURE && op->kind != SLUICE_OP_PLAYBACK)
			return -EINVAL;
		for (j = 0; j < op->num_ranges; j++)
			if (!(op->ranges[j].slot->flags & SLUICE_ATTACH_EXPLICIT))
				return -EINVAL;
	}
	return job->resv.num_fences ? -EOPNOTSUPP : 0;
}

static struct dma_fence *sluice_submit_fence_from_fd(int fd)
{
	struct dma_fence *fence = sluice_compat_sync_file_fence(fd);
	struct file *file;

	if (fence)
		return fence;
	file = fget(fd);
	if (!file)
		return ERR_PTR(-EBADF);
	fput(file);
	return ERR_PTR(-EINVAL);
}

static int sluice_submit_copy_in_fences(struct sluice_job *job, const struct sluice_submit *args)
{
	s32 fds[SLUICE_MAX_IN_FENCES];
	unsigned int i;
	int ret;

	if (copy_from_user(fds, u64_to_user_ptr(args->in_fences),
			   args->num_in_fences * sizeof(fds[0])))
		return -EFAULT;
	for (i = 0; i < args->num_in_fences; i++) {
		struct dma_fence *fence = sluice_submit_fence_from_fd(fds[i]);

		if (IS_ERR(fence))
			return PTR_ERR(fence);
		ret = sluice_deps_add_explicit(job, fence);
		if (ret)
			return ret;
	}
	return 0;
}

/* Add a point.  The file keeps the queue of the point until the point has been looked up. */
static int sluice_submit_add_point(struct sluice_job *job, const struct file *own,
				   const struct sluice_in_point *in_point)
{
	struct file *file;
	int ret;

	if (in_point->flags)
		return -EINVAL;
	file = fget(in_point->queue);
	if (!file)
		return -EBADF;
	/* the call is on a queue, so other queues have the same functions */
	ret = file->f_op != own->f_op ? -EINVAL :
	      sluice_deps_add_point(job, file->private_data, in_point->point);
	fput(file);
	return ret;
}

static int sluice_submit_copy_in_points(struct sluice_job *job, const struct file *own,
					const struct sluice_submit *args)
{
	size_t size = args->in_point_size ?: SLUICE_IN_POINT_SIZE_V7;
	struct sluice_in_point in_point;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < args->num_in_points && !ret; i++) {
		ret = copy_struct_from_user(&in_point, sizeof(in_point),
					    u64_to_user_ptr(args->in_points + i * size), size);
		if (!ret)
			ret = sluice_submit_add_point(job, own, &in_point);
	}
	return ret;
}

static int sluice_submit_make_fence(struct sluice_job *job)
{
	const struct sluice_timeline *timeline = &job->queue->timeline;

	job->base.fence = sluice_fence_create(timeline);
	if (!job->base.fence)
		return -ENOMEM;
	sluice_fence_init(job->base.fence, timeline->context, job->base.point);
	return 0;
}

/*
 * Write the two fields of the answer to the caller's struct.  Its other fields are as the caller
 * has passed them.  No fault can follow.
 */
static int sluice_submit_write_answer(const struct sluice_submit_batch *batch)
{
	struct sluice_call *call = batch->call;
	u64 __user *point = call->uarg + ((void *)batch->point - call->data);
	s32 __user *out_fence = call->uarg + ((void *)batch->out_fence - call->data);

	/* copy_to_user() would ask should_fail_usercopy(), too */
	if (should_fail_usercopy() || put_user(*batch->point, point) ||
	    put_user(*batch->out_fence, out_fence))
		return -EFAULT;
	call->copied = true;
	return 0;
}

/*
 * Choose the points: each job gets the one behind the job before it.  Make the out-fence if the
 * last job asks for one, and copy the first point and the fd to the caller.
 */
static int sluice_submit_answer(struct sluice_submit_batch *batch)
{
	struct sluice_job *last = sluice_submit_get(batch, batch->num_jobs - 1);
	struct sluice_call *call = batch->call;
	struct file *file;
	int ret;

	*batch->point = batch->queue->submitted + 1;
	last->base.point = batch->queue->submitted + batch->num_jobs;
	*batch->out_fence = -1;
	if (last->base.flags & SLUICE_SUBMIT_OUT_FENCE) {
		ret = sluice_submit_make_fence(last);
		if (ret)
			return ret;
		ret = sluice_call_reserve_fd(call, batch->fd_flags);
		if (ret < 0)
			return ret;
		file = sluice_compat_sync_file(last->base.fence);
		if (IS_ERR(file))
			return PTR_ERR(file);
		call->install = file;
		*batch->out_fence = call->fd;
	}
	return sluice_submit_write_answer(batch);
}

static void sluice_submit_trace_deps(const struct sluice_sched_job *job)
{
	unsigned int i;

	for (i = 0; i < job->num_deps && trace_sluice_job_wait_enabled(); i++)
		if (job->deps[i].pending)
			trace_sluice_job_wait(job, job->deps[i].fence, job->deps[i].explicit);
}

/* Add the fence of the job to its buffers.  Their dma_resv are held, and have room. */
static void sluice_submit_add_fences(const struct sluice_job *job)
{
	unsigned int i;

	for (i = 0; i < job->resv.num_entries; i++) {
		const struct sluice_resv_entry *entry = &job->resv.entries[i];

		if (!entry->locked_only)
			dma_resv_add_fence(entry->resv, job->base.fence, entry->usage);
	}
}

/*
 * Put jobs on the timeline, add their fences to the buffers, and give them to the engine.  As soon
 * as a job is on the timeline, the engine may end it, because the queue may be killed.  The
 * reference of the caller keeps the job alive.
 *
 * Other tasks can see a fence before sluice_dispatch_submit() has let the job run.  In between,
 * the fence depends on this task, so preemption is off.  There are two exceptions: preemption would
 * be off for too long, because the job has many buffers or in-fences; or the spinlocks of the
 * kernel sleep (PREEMPT_RT).  In both cases the time limit for in-fences also limits this delay.
 */
static int sluice_submit_publish_some(struct sluice_submit_batch *batch, unsigned int first,
				      unsigned int count, bool now)
{
	struct sluice_sched_job **jobs = batch->jobs + first;
	bool signalling;
	unsigned int i;
	int ret;

	for (i = first; i < first + count; i++) {
		struct sluice_job *job = sluice_submit_get(batch, i);

		job->base.submitted = jiffies;
		job->base.preempted = !now;
		sluice_deps_examine(job);
		kref_get(&job->ref);	/* for the engine */
	}
	signalling = dma_fence_begin_signalling();
	if (now)
		preempt_disable();
	ret = sluice_queue_add_jobs(batch->queue, jobs, count, first);
	for (i = 0; i < count && !ret; i++) {
		trace_sluice_job_submit(jobs[i], 0);
		sluice_submit_add_fences(sluice_submit_get(batch, first + i));
		sluice_submit_trace_deps(jobs[i]);
	}
	if (!ret)
		sluice_dispatch_submit(jobs, count, now);
	if (now)
		preempt_enable();
	dma_fence_end_signalling(signalling);
	/* the references for the engine; the caller has others */
	for (i = 0; i < count && ret; i++)
		sluice_job_put(sluice_submit_get(batch, first + i));
	return ret;
}

/* How many jobs, from @first on, can be published with preemption off?  0 if not even one. */
static unsigned int sluice_submit_count_now(const struct sluice_submit_batch *batch,
					    unsigned int first)
{
	unsigned int most = min(batch->num_jobs - first, SLUICE_QUEUE_MAX_ADD), i;
	unsigned int resvs = 0, deps = 0, ops = 0;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return 0;
	for (i = 0; i < most; i++) {
		const struct sluice_job *job = sluice_submit_get(batch, first + i);

		resvs += job->resv.num_entries;
		deps += job->base.num_deps;
		ops += job->base.num_ops;
		if (resvs > SLUICE_SUBMIT_NOW_RESVS || deps > SLUICE_SUBMIT_NOW_FENCES ||
		    (i && ops > SLUICE_DISPATCH_MAX_OPS))
			break;
	}
	return i;
}

/*
 * Publish all jobs, in steps of limited length.  Only the first step can fail, because the queue
 * was killed.  If it is killed later, the jobs of the later steps are submitted nevertheless, and
 * end.
 */
static int sluice_submit_publish(struct sluice_submit_batch *batch)
{
	unsigned int done = 0, count;
	int ret = 0;

	while (done < batch->num_jobs && !ret) {
		if (sluice_job_end_now(sluice_submit_get(batch, done))) {
			done++;
			continue;
		}
		count = sluice_submit_count_now(batch, done);
		ret = sluice_submit_publish_some(batch, done, count ?: 1, count);
		done += count ?: 1;
	}
	return ret;
}

/* Collect the in-fences on the buffers of a job, and find bus addresses.  The dma_resv are held. */
static int sluice_submit_prepare(struct sluice_job *job, unsigned int num_jobs)
{
	int ret = 0;

	/* a later revocation waits for the dma_resv, then finds the job's fence and ends the job */
	if (job->base.num_ops && sluice_job_is_revoked(job))
		return -ENODEV;
	if (job->resv.num_entries)
		ret = sluice_deps_collect_implicit(job, num_jobs);
	if (!ret && job->base.num_deps)
		ret = sluice_deps_prepare(job);
	if (!ret && job->base.num_ops)
		ret = sluice_op_place_all(job);
	return ret;
}

/* The steps "lock" and "publish". */
static int sluice_submit_lock_and_publish(struct sluice_submit_batch *batch)
{
	struct ww_acquire_ctx ctx;
	unsigned int i;
	int ret;

	ret = sluice_resv_lock(&batch->resv, &ctx);
	if (ret)
		return ret;
	for (i = 0; i < batch->num_jobs && !ret; i++) {
		batch->failed = i;
		ret = sluice_submit_prepare(sluice_submit_get(batch, i), batch->num_jobs);
	}
	if (!ret) {
		batch->failed = batch->num_jobs;
		ret = sluice_submit_publish(batch);
	}
	sluice_resv_unlock(&batch->resv, &ctx);
	return ret;
}

/* Collect the dma_resv of all slots of the job in job->resv. */
static void sluice_submit_collect_resvs(struct sluice_job *job)
{
	unsigned int i, j;

	for (i = 0; i < job->base.num_ops; i++)
		for (j = 0; j < job->ops[i].num_ranges; j++)
			sluice_resv_add(&job->resv, job->ops[i].ranges[j].slot,
					job->ops[i].ranges[j].write);
}

/* The step "resolve", for one job. */
static int sluice_submit_resolve(struct sluice_job *job)
{
	struct sluice_device *sdev = job->queue->sdev;
	int ret;

	/*
	 * The removal of the device waits until the job has ended.  No fault on user memory is
	 * possible from here on, so this wait is bounded.
	 */
	job->entered = sluice_device_enter(sdev);
	if (!job->entered)
		return -ENODEV;
	if (sluice_job_has_lists(job)) {
		ret = sluice_device_wake(sdev);
		if (ret)
			return ret;
		job->awake = true;
	}
	ret = job->base.num_ops ? sluice_op_resolve_all(job) : 0;
	if (ret)
		return ret;
	sluice_submit_collect_resvs(job);
	ret = sluice_submit_check_cyclic(job);
	if (ret)
		return ret;
	/* a job without buffers that get its fence has no fence, unless the caller asks for one */
	if (job->resv.num_fences && !job->base.fence)
		ret = sluice_submit_make_fence(job);
	return ret;
}

/* Unite the sets of the jobs in batch->resv.  A single job lends its own set. */
static int sluice_submit_unite_resvs(struct sluice_submit_batch *batch)
{
	unsigned int entries = 0, i;

	batch->resv = sluice_submit_get(batch, 0)->resv;
	if (batch->num_jobs == 1)
		return 0;
	for (i = 0; i < batch->num_jobs; i++)
		entries += sluice_submit_get(batch, i)->resv.num_entries;
	batch->resv.num_entries = 0;
	batch->resv.entries = NULL;
	if (!entries)
		return 0;
	batch->resv.entries = kvmalloc_array(entries, sizeof(*batch->resv.entries),
					     GFP_KERNEL_ACCOUNT);
	if (!batch->resv.entries)
		return -ENOMEM;
	for (i = 0; i < batch->num_jobs; i++)
		sluice_resv_merge(&batch->resv, &sluice_submit_get(batch, i)->resv);
	return 0;
}

/*
 * The steps from "answer" to "publish".  queue->submit_lock is held, so no other job takes the
 * points.
 */
static int sluice_submit_locked(struct sluice_submit_batch *batch)
{
	unsigned int i;
	int ret;

	ret = sluice_submit_answer(batch);
	for (i = 0; i < batch->num_jobs && !ret; i++) {
		batch->failed = i;
		batch->jobs[i]->point = *batch->point + i;
		ret = sluice_submit_resolve(sluice_submit_get(batch, i));
	}
	if (ret)
		return ret;
	batch->failed = batch->num_jobs;
	ret = sluice_submit_unite_resvs(batch);
	if (ret)
		return ret;
	ret = sluice_submit_lock_and_publish(batch);
	if (batch->num_jobs > 1)
		kvfree(batch->resv.entries);
	return ret;
}

/*
 * For io_uring only a fatal signal ends the wait for the lock.  Pending task work of io_uring would
 * end an interruptible wait as a signal does, and io_uring does not restart a command.
 */
static int sluice_submit_lock(struct sluice_submit_batch *batch)
{
	if (batch->notify)
		return mutex_lock_killable(&batch->queue->submit_lock);
	return mutex_lock_interruptible(&batch->queue->submit_lock);
}

/* All steps after "copy". */
static int sluice_submit_run(struct sluice_submit_batch *batch)
{
	struct sluice_queue *queue = batch->queue;
	int ret;

	batch->failed = batch->num_jobs;
	ret = sluice_submit_lock(batch);
	if (ret)
		return ret;
	ret = sluice_queue_reserve(queue, batch->num_jobs);
	if (!ret) {
		ret = sluice_submit_locked(batch);
		if (ret)
			sluice_queue_unreserve(queue, batch->num_jobs);
	}
	mutex_unlock(&queue->submit_lock);
	return ret;
}

/* Create a job with ops that were copied, and copy all that the structs point to. */
static int sluice_submit_create(struct sluice_submit_batch *batch,
				const struct sluice_submit *args, const struct sluice_op *ops)
{
	struct sluice_job *job;
	int ret = 0;

	job = sluice_job_create(batch->queue, args, sluice_op_count_ranges(ops, args->num_ops),
				&batch->block, batch->expected - batch->num_jobs);
	if (!job)
		return -ENOMEM;
	if (batch->notify)
		sluice_job_set_notify(job, batch->notify, batch->notify_ops);
	batch->jobs[batch->num_jobs++] = &job->base;
	if (args->num_ops)
		ret = sluice_op_copy_all(job, ops, args->num_ops);
	/* skip it without in-fences: the compiler may zero-initialise the large array in it */
	if (!ret && args->num_in_fences)
		ret = sluice_submit_copy_in_fences(job, args);
	if (!ret && args->num_in_points)
		ret = sluice_submit_copy_in_points(job, batch->call->file, args);
	return ret;
}

/* Copy few ops to the stack.  A function of its own, so that other jobs do not need the stack. */
static noinline int sluice_submit_copy_few(struct sluice_submit_batch *batch,
					   const struct sluice_submit *args)
{
	struct sluice_op ops[SLUICE_SUBMIT_INLINE_OPS];

	return sluice_op_fetch(args, ops) ?: sluice_submit_create(batch, args, ops);
}

static int sluice_submit_copy_many(struct sluice_submit_batch *batch,
				   const struct sluice_submit *args)
{
	struct sluice_op *ops = kvmalloc_array(args->num_ops, sizeof(*ops), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!ops)
		return -ENOMEM;
	ret = sluice_op_fetch(args, ops) ?: sluice_submit_create(batch, args, ops);
	kvfree(ops);
	return ret;
}

/* The step "copy", for one job. */
static int sluice_submit_add(struct sluice_submit_batch *batch, const struct sluice_submit *args)
{
	int ret = sluice_submit_check(args);

	if (ret)
		return ret;
	batch->fd_flags = args->fd_flags;
	if (!args->num_ops)
		return sluice_submit_create(batch, args, NULL);
	if (args->num_ops <= SLUICE_SUBMIT_INLINE_OPS)
		return sluice_submit_copy_few(batch, args);
	return sluice_submit_copy_many(batch, args);
}

/* Release the caller's references on the jobs. */
static int sluice_submit_end(struct sluice_submit_batch *batch, int ret)
{
	unsigned int i;

	for (i = 0; i < batch->num_jobs; i++) {
		if (ret)	/* the job was never published, so no other context uses it */
			sluice_job_destroy(sluice_submit_get(batch, i));
		else
			sluice_job_put(sluice_submit_get(batch, i));
	}
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

/**
 * sluice_submit_job - handler of SUBMIT
 * @call: the call; its fd is set to the out-fence
 * @queue: the queue
 * @args: arguments of SUBMIT
 * @notify: waiter for the end of the job, which then gets no completion for read(); or NULL
 * @notify_ops: functions of @notify
 *
 * Context: may sleep.
 * Return: 0, or an errno from the list at struct sluice_submit.  After an error nothing has been
 * submitted.
 */
int sluice_submit_job(struct sluice_call *call, struct sluice_queue *queue,
		      struct sluice_submit *args, struct sluice_job_notify *notify,
		      const struct sluice_job_notify_ops *notify_ops)
{
	struct sluice_sched_job *job;
	struct sluice_submit_batch batch = {
		.queue = queue,
		.call = call,
		.point = &args->point,
		.out_fence = &args->out_fence,
		.notify = notify,
		.notify_ops = notify_ops,
		.jobs = &job,
		.expected = 1,
	};

	return sluice_submit_end(&batch, sluice_submit_add(&batch, args) ?:
				 sluice_submit_run(&batch));
}

/**
 * sluice_submit_check_many - check the fields of SUBMIT_MANY
 * @args: arguments of SUBMIT_MANY; its jobs have not been copied yet
 *
 * Sets the field for the index of the job that failed.
 *
 * Context: any.
 * Return: 0, -EINVAL or -E2BIG.
 */
int sluice_submit_check_many(struct sluice_submit_many *args)
{
	args->failed = args->num_jobs;
	if (args->flags || args->reserved || !args->num_jobs ||
	    args->job_size < SLUICE_JOB_SIZE_V1)
		return -EINVAL;
	if (args->num_jobs > SLUICE_MAX_JOBS || args->job_size > SLUICE_MAX_RECORD_SIZE)
		return -E2BIG;
	return 0;
}

/* Copy the caller's structs. */
static int sluice_submit_fetch(struct sluice_submit_batch *batch,
			       const struct sluice_submit_many *args,
			       struct sluice_submit *submits)
{
	unsigned int i;
	int ret = 0;

	if (args->job_size == sizeof(*submits))
		return copy_from_user(submits, u64_to_user_ptr(args->jobs),
				      args->num_jobs * sizeof(*submits)) ? -EFAULT : 0;
	for (i = 0; i < args->num_jobs && !ret; i++) {
		batch->failed = i;
		ret = copy_struct_from_user(&submits[i], sizeof(*submits),
					    u64_to_user_ptr(args->jobs + i * args->job_size),
					    args->job_size);
	}
	return ret;
}

/* The step "copy", for all jobs. */
static int sluice_submit_add_many(struct sluice_submit_batch *batch,
				  const struct sluice_submit *submits)
{
	unsigned int ops = 0, i;
	int ret = 0;

	for (i = 0; i < batch->expected && !ret; i++) {
		batch->failed = i;
		if (submits[i].flags & SLUICE_SUBMIT_OUT_FENCE && i < batch->expected - 1)
			ret = -EINVAL;
		else if (submits[i].num_ops > SLUICE_MAX_OPS - ops)
			ret = -E2BIG;
		else
			ret = sluice_submit_add(batch, &submits[i]);
		ops += submits[i].num_ops;
	}
	return ret;
}

/**
 * sluice_submit_jobs - handler of SUBMIT_MANY
 * @call: the call; its fd is set to the out-fence
 * @queue: the queue
 * @args: arguments of SUBMIT_MANY, which sluice_submit_check_many() has accepted
 * @notify: waiter for the end of the jobs, which then get no completions for read(); or NULL
 * @notify_ops: functions of @notify
 *
 * Context: may sleep.
 * Return: 0, or an errno from the list at struct sluice_submit_many.  After an error nothing has
 * been submitted, and the caller must write @args back.
 */
int sluice_submit_jobs(struct sluice_call *call, struct sluice_queue *queue,
		       struct sluice_submit_many *args, struct sluice_job_notify *notify,
		       const struct sluice_job_notify_ops *notify_ops)
{
	struct sluice_submit_batch batch = {
		.queue = queue,
		.call = call,
		.point = &args->first,
		.out_fence = &args->out_fence,
		.notify = notify,
		.notify_ops = notify_ops,
		.expected = args->num_jobs,
		.failed = args->num_jobs,
	};
	struct sluice_submit *submits;
	int ret = -ENOMEM;

	/* the array of pointers is behind the structs */
	submits = kvmalloc_array(args->num_jobs, sizeof(*submits) + sizeof(*batch.jobs),
				 GFP_KERNEL_ACCOUNT);
	if (submits) {
		batch.jobs = (void *)&submits[args->num_jobs];
		ret = sluice_submit_fetch(&batch, args, submits) ?:
		      sluice_submit_add_many(&batch, submits) ?:
		      sluice_submit_run(&batch);
		ret = sluice_submit_end(&batch, ret);
		kvfree(submits);
	}
	if (ret) {
		args->failed = batch.failed;
		args->first = 0;
		args->out_fence = -1;
		call->copied = false;
	}
	return ret;
}
