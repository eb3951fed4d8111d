// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-fences of a job: the fences that it waits for.  See deps.h.
 */
#include <linux/dma-fence-unwrap.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "deps.h"
#include "job.h"
#include "queue.h"

/* Entries of the table of sluice_deps_unite() that are on the stack. */
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
 * sluice_deps_add_explicit - add explicit in-fences, which came as an fd
 * @job: a job that has not been published
 * @container: the fence, or an array or chain of fences; takes over the reference
 *
 * The job waits for each fence of a container by itself, because a chain does not report the errors
 * of its fences.  A fence that was in a chain and has signalled is not in it any more, so its error
 * is not known.
 *
 * Context: may sleep.
 * Return: 0, -E2BIG (more than SLUICE_MAX_FENCES) or -ENOMEM.
 */
int sluice_deps_add_explicit(struct sluice_job *job, struct dma_fence *container)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	int ret = 0;

	/* the loop must reach its end, because it drops its references there */
	dma_fence_unwrap_for_each(fence, &cursor, container)
		if (!ret)
			ret = sluice_deps_add(job, dma_fence_get(fence), true);
	dma_fence_put(container);
	return ret;
}

/**
 * sluice_deps_collect_implicit - add implicit in-fences, which are on the buffers of a job
 * @job: a job whose dma_resv are locked
 *
 * Fences of the job's own timeline are left out, because they are in order anyway.  Also reserves
 * room for the fence of the job.
 *
 * Context: may sleep; the dma_resv are held.
 * Return: 0, -E2BIG (more than SLUICE_MAX_FENCES) or -ENOMEM.
 */
int sluice_deps_collect_implicit(struct sluice_job *job)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i;
	int ret;

	for (i = 0; i < job->resv.num_entries; i++) {
		struct sluice_resv_entry *entry = &job->resv.entries[i];

		ret = dma_resv_reserve_fences(entry->resv, 1);
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
 * Several fds, and several buffers, may have the same fence.  Keep it once.  It stays explicit if
 * one of them was an fd.
 */
static int sluice_deps_unite(struct sluice_sched_job *job)
{
	unsigned int size = roundup_pow_of_two(2 * job->num_deps + 1), kept = 0, i;
	/* hash table: index in deps plus one, or 0 */
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
 * sluice_deps_prepare - allocate all memory that the waits of a job need
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
 * sluice_deps_examine - find the in-fences that the engine must watch
 * @job: a job that is about to be published
 *
 * If there are none, the errors of the in-fences are looked up now.
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
	/* one more, so that the job does not run before SUBMIT has finished */
	atomic_set(&base->waiting, 1 + pending);
	base->prepared = !pending;
	base->armed = base->prepared;
	if (base->prepared)
		base->in_fence_error = sluice_dep_error(base);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/deps.c"
#endif
