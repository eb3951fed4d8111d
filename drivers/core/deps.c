// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-fences: the fences for which a job waits.  See deps.h.
 */
#include <linux/dma-fence-unwrap.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "deps.h"
#include "job.h"
#include "queue.h"

/* Up to this size, the hash table of sluice_deps_unite() is on the stack. */
#define SLUICE_DEPS_INLINE_TABLE	32

static int sluice_deps_grow(struct sluice_job *job)
{
	unsigned int max = max(2 * job->max_deps, 4U);
	struct sluice_dep *deps;

	deps = kvmalloc_array(max, sizeof(*deps), GFP_KERNEL_ACCOUNT);
	if (!deps)
		return -ENOMEM;
	memcpy(deps, job->base.deps, job->base.num_deps * sizeof(*deps));
	sluice_job_set_deps(job, deps, max);
	return 0;
}

/* Add a fence.  Takes over the reference. */
static int sluice_deps_add(struct sluice_job *job, struct dma_fence *fence, bool explicit)
{
	struct sluice_dep *dep;
	int ret = 0;

	if (job->base.num_deps == SLUICE_MAX_FENCES)
		ret = -E2BIG;
	else if (job->base.num_deps == job->max_deps)
		ret = sluice_deps_grow(job);
	if (ret) {
		dma_fence_put(fence);
		return ret;
	}
	dep = &job->base.deps[job->base.num_deps++];
	*dep = (struct sluice_dep) { .job = &job->base, .fence = fence, .explicit = explicit };
	return 0;
}

/**
 * sluice_deps_add_explicit - add a fence to the in-fences of a job; the fence came as an fd
 * @job: a job that has not been published
 * @container: the fence, or an array or chain of fences; takes over the reference
 *
 * The job waits for each fence of an array or chain separately.  One reason is that a chain does
 * not report the errors of its fences.  A fence that has signalled may already be removed from its
 * chain.  Its error is then lost.
 *
 * Context: may sleep.
 * Return: 0, -E2BIG (more than SLUICE_MAX_FENCES) or -ENOMEM.
 */
int sluice_deps_add_explicit(struct sluice_job *job, struct dma_fence *container)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	int ret = 0;

	/* run the loop to its end even after an error: its end drops the references */
	dma_fence_unwrap_for_each(fence, &cursor, container)
		if (!ret)
			ret = sluice_deps_add(job, dma_fence_get(fence), true);
	dma_fence_put(container);
	return ret;
}

/**
 * sluice_deps_add_point - add a point of a queue to the in-fences of a job
 * @job: a job that has not been published
 * @queue: the queue, of any device
 * @point: the point
 *
 * A point whose job has ended needs no in-fence.  If it ended with an error, the job must not run.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL if there is no such point or its job is CYCLIC and has not ended, -E2BIG (more
 * than SLUICE_MAX_FENCES) or -ENOMEM.
 */
int sluice_deps_add_point(struct sluice_job *job, struct sluice_queue *queue, u64 point)
{
	int status;
	struct dma_fence *fence = sluice_queue_get_pending(queue, point, &status);

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	if (fence)
		return sluice_deps_add(job, fence, true);
	if (status && !(job->base.flags & SLUICE_SUBMIT_IGNORE_ERRORS))
		job->base.in_fence_error = -ECANCELED;
	return 0;
}

/**
 * sluice_deps_collect_implicit - add the fences on the buffers of a job to its in-fences
 * @job: a job whose dma_resv are locked
 * @num_jobs: number of jobs of the queue that add their fence in this hold of the dma_resv
 *
 * Fences of the job's own timeline are left out, because jobs of a queue run in order anyway.  This
 * function also reserves room for the fences of the jobs in each dma_resv.  A dma_resv keeps at
 * most one fence of a timeline for each usage, and jobs add fences of SLUICE_RESV_USAGES usages.
 *
 * Context: may sleep; the dma_resv are held.
 * Return: 0, -E2BIG (more than SLUICE_MAX_FENCES) or -ENOMEM.
 */
int sluice_deps_collect_implicit(struct sluice_job *job, unsigned int num_jobs)
{
	unsigned int room = min(num_jobs, SLUICE_RESV_USAGES);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i;
	int ret;

	for (i = 0; i < job->resv.num_entries; i++) {
		struct sluice_resv_entry *entry = &job->resv.entries[i];

		if (entry->locked_only)
			continue;
		ret = dma_resv_reserve_fences(entry->resv, room);
		if (ret)
			return ret;
		dma_resv_for_each_fence(&cursor, entry->resv, sluice_resv_waits_for(entry),
					fence) {
			if (fence->context == job->queue->timeline.context ||
			    dma_fence_is_signaled(fence))
				continue;
			ret = sluice_deps_add(job, dma_fence_get(fence), false);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/*
 * Several fds and several buffers may have the same fence.  Keep one in-fence for it.  This
 * in-fence is explicit if at least one of the duplicates came as an fd.
 */
static int sluice_deps_unite(struct sluice_sched_job *job)
{
	unsigned int size = roundup_pow_of_two(2 * job->num_deps + 1), kept = 0, i;
	/* hash table of fences: an entry is an index in job->deps plus 1; 0 means empty */
	u16 inline_table[SLUICE_DEPS_INLINE_TABLE] = {}, *table = inline_table;

	if (job->num_deps < 2)
		return 0;
	if (size > SLUICE_DEPS_INLINE_TABLE)
		table = kvcalloc(size, sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < job->num_deps; i++) {
		struct sluice_dep dep = job->deps[i];
		u32 at = hash_ptr(dep.fence, ilog2(size));

		while (table[at] && job->deps[table[at] - 1].fence != dep.fence)
			at = (at + 1) % size;
		if (table[at]) {
			job->deps[table[at] - 1].explicit |= dep.explicit;
			dma_fence_put(dep.fence);
			continue;
		}
		job->deps[kept] = dep;
		table[at] = ++kept;
	}
	job->num_deps = kept;
	if (table != inline_table)
		kvfree(table);
	return 0;
}

/**
 * sluice_deps_prepare - remove duplicates, and allocate the memory that waiting for the in-fences
 * needs
 * @job: a job that has not been published, with all its in-fences
 *
 * Context: may sleep; the dma_resv are held.
 * Return: 0 or -ENOMEM.
 */
int sluice_deps_prepare(struct sluice_job *job)
{
	int ret = sluice_deps_unite(&job->base);
	unsigned int i;

	for (i = 0; i < job->base.num_deps && !ret; i++)
		if (!dma_fence_is_signaled(job->base.deps[i].fence))
			ret = sluice_watch_create(&job->base.deps[i]);
	return ret;
}

/**
 * sluice_deps_examine - count the in-fences that have not signalled yet
 * @job: a job that is about to be published
 *
 * If all have signalled, this function also looks up their errors.  Otherwise the engine watches
 * the pending ones, and looks up the errors later.
 *
 * Context: any.
 */
void sluice_deps_examine(struct sluice_job *job)
{
	struct sluice_sched_job *base = &job->base;
	unsigned int i, pending = 0;

	for (i = 0; i < base->num_deps; i++) {
		base->deps[i].pending = !dma_fence_is_signaled(base->deps[i].fence);
		pending += base->deps[i].pending;
	}
	/* plus 1 for SUBMIT: the job cannot run before sluice_dispatch_submit() subtracts it */
	atomic_set(&base->waiting, 1 + pending);
	base->prepared = !pending;
	base->armed = base->prepared;
	if (base->prepared && base->num_deps && !base->in_fence_error)
		base->in_fence_error = sluice_dep_error(base);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/deps.c"
#endif
