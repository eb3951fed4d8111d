// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a job waits for: fences that came by fd, and those that it finds on the
 * reservations (dma_resv) of its buffers, which it claims and locks, all at
 * once, to look and to leave its own fence there.
 *
 * On the buffer of an EXPLICIT slot the fence is there for the exporter alone
 * (BOOKKEEP), which must know when memory that it wants to move or take back is
 * not used any more; in the same way even such a job waits until the exporter's own
 * work on the memory is done (KERNEL).  Memory that never moves needs neither.
 */
#include <linux/dma-fence-unwrap.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "core.h"

/* Not from an interrupt if there are many: see sluice_job_let_go(). */
static void sluice_job_free_deps(struct sluice_job *job)
{
	if (job->max_deps > SLUICE_FEW_DEPS)
		kvfree(job->deps);
}

static int sluice_job_grow_deps(struct sluice_job *job)
{
	unsigned int max = max(2 * job->max_deps, 4U);
	struct sluice_dep *deps;

	deps = kvmalloc_array(max, sizeof(*deps), GFP_KERNEL_ACCOUNT);
	if (!deps)
		return -ENOMEM;
	memcpy(deps, job->deps, job->num_deps * sizeof(*deps));
	sluice_job_free_deps(job);
	job->deps = deps;
	job->max_deps = max;
	return 0;
}

/* Wait for this fence too; takes over the reference. */
static int sluice_job_add_dep(struct sluice_job *job, struct dma_fence *fence, bool explicit)
{
	struct sluice_dep *dep;
	int ret = 0;

	if (job->num_deps == SLUICE_MAX_FENCES)
		ret = -E2BIG;
	else if (job->num_deps == job->max_deps)
		ret = sluice_job_grow_deps(job);
	if (ret) {
		dma_fence_put(fence);
		return ret;
	}
	dep = &job->deps[job->num_deps++];
	*dep = (struct sluice_dep) { .job = job, .fence = fence, .explicit = explicit };
	return 0;
}

/**
 * sluice_job_add_explicit - wait for a fence that came by fd
 * @job: a job that has not been published
 * @container: the fence, or an array or chain of fences; takes over the reference
 *
 * Each fence in a container is waited for by itself, because a chain does not
 * tell of the errors of its fences.  One that was in a chain and has signalled
 * by now cannot be asked any more.
 *
 * Context: may sleep.
 * Return: 0, -E2BIG (SLUICE_MAX_FENCES) or -ENOMEM.
 */
int sluice_job_add_explicit(struct sluice_job *job, struct dma_fence *container)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	int ret = 0;

	/* to the end: the walk drops its references there */
	dma_fence_unwrap_for_each(fence, &cursor, container)
		if (!ret)
			ret = sluice_job_add_dep(job, dma_fence_get(fence), true);
	dma_fence_put(container);
	return ret;
}

/*
 * Sorted by address, and once for each dma_resv, however many ops use its buffer:
 * with the strongest usage, which has the lowest number.
 */
static void sluice_job_claim(struct sluice_job *job, const struct sluice_slot *slot, bool write)
{
	enum dma_resv_usage usage = write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ;
	struct sluice_claim *claims = job->claims;
	unsigned int i = job->num_claims;
	struct dma_resv *resv;

	if (slot->flags & SLUICE_ATTACH_EXPLICIT) {
		if (!dma_buf_is_dynamic(slot->dmabuf))
			return;
		usage = DMA_RESV_USAGE_BOOKKEEP;
	}
	resv = slot->dmabuf->resv;
	while (i && claims[i - 1].resv > resv)
		i--;
	if (i && claims[i - 1].resv == resv) {
		claims[i - 1].usage = min(claims[i - 1].usage, usage);
		return;
	}
	memmove(&claims[i + 1], &claims[i], (job->num_claims++ - i) * sizeof(*claims));
	claims[i] = (struct sluice_claim) { .resv = resv, .usage = usage };
}

/**
 * sluice_job_collect_claims - which reservations the job's slots need
 * @job: with its slots
 *
 * There is room for as many as an op has ranges at most.
 */
void sluice_job_collect_claims(struct sluice_job *job)
{
	unsigned int i, j;

	for (i = 0; i < job->num_ops; i++)
		for (j = 0; j < job->ops[i].num_ranges; j++)
			sluice_job_claim(job, job->ops[i].ranges[j].slot,
					 job->ops[i].ranges[j].write);
}

/**
 * sluice_job_unlock - let go of all that sluice_job_lock() took
 * @job: the job
 * @ctx: the same
 */
void sluice_job_unlock(struct sluice_job *job, struct ww_acquire_ctx *ctx)
{
	unsigned int i;

	if (!job->num_claims)
		return;
	for (i = 0; i < job->num_claims; i++)
		dma_resv_unlock(job->claims[i].resv);
	ww_acquire_fini(ctx);
}

/**
 * sluice_job_lock_one - lock a reservation for a job that is not published
 * @job: the job
 * @resv: the reservation
 * @ctx: of several, or NULL
 *
 * Not interruptible for io_uring, see sluice_queue_lock_submit(): dma_resv has
 * no lock that only a kill ends.
 *
 * Context: may sleep.  Return: 0, -EINTR, or -EDEADLK with a context.
 */
int sluice_job_lock_one(const struct sluice_job *job, struct dma_resv *resv,
			struct ww_acquire_ctx *ctx)
{
	return job->uring ? dma_resv_lock(resv, ctx) : dma_resv_lock_interruptible(resv, ctx);
}

static int sluice_job_lock_slow(const struct sluice_job *job, struct dma_resv *resv,
				struct ww_acquire_ctx *ctx)
{
	if (!job->uring)
		return dma_resv_lock_slow_interruptible(resv, ctx);
	dma_resv_lock_slow(resv, ctx);
	return 0;
}

/**
 * sluice_job_lock - lock the reservations of all claims
 * @job: with its claims
 * @ctx: for sluice_job_unlock()
 *
 * On -EDEADLK all are let go, the contended one is slept on, and it starts
 * again.
 *
 * Return: 0 or -EINTR.
 */
int sluice_job_lock(struct sluice_job *job, struct ww_acquire_ctx *ctx)
{
	struct dma_resv *slow = NULL;
	unsigned int i, locked;
	int ret;

	if (!job->num_claims)
		return 0;
	ww_acquire_init(ctx, &reservation_ww_class);
retry:
	if (slow) {
		ret = sluice_job_lock_slow(job, slow, ctx);
		if (ret)
			goto err;
	}
	for (locked = 0; locked < job->num_claims; locked++) {
		struct dma_resv *resv = job->claims[locked].resv;

		if (resv == slow)
			continue;
		ret = sluice_job_lock_one(job, resv, ctx);
		if (ret)
			break;
	}
	if (locked == job->num_claims) {
		ww_acquire_done(ctx);
		return 0;
	}

	for (i = 0; i < job->num_claims; i++)
		if (i < locked || job->claims[i].resv == slow)
			dma_resv_unlock(job->claims[i].resv);
	if (ret == -EDEADLK) {
		slow = job->claims[locked].resv;
		goto retry;
	}
err:
	ww_acquire_fini(ctx);
	return ret;
}

/* Reading waits for writers, writing for everybody, EXPLICIT for the exporter. */
static enum dma_resv_usage sluice_claim_waits_for(const struct sluice_claim *claim)
{
	if (claim->usage == DMA_RESV_USAGE_BOOKKEEP)
		return DMA_RESV_USAGE_KERNEL;
	return dma_resv_usage_rw(claim->usage == DMA_RESV_USAGE_WRITE);
}

/**
 * sluice_job_collect_implicit - wait for the fences on the claimed buffers
 * @job: with its claims locked
 *
 * Our own timeline is in order anyway.  Makes room for our fence, too.
 *
 * Context: may sleep; the claims are locked.
 * Return: 0, -E2BIG (SLUICE_MAX_FENCES) or -ENOMEM.
 */
int sluice_job_collect_implicit(struct sluice_job *job)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i;
	int ret;

	for (i = 0; i < job->num_claims; i++) {
		struct sluice_claim *claim = &job->claims[i];

		ret = dma_resv_reserve_fences(claim->resv, 1);
		if (ret)
			return ret;
		dma_resv_for_each_fence(&cursor, claim->resv, sluice_claim_waits_for(claim),
					fence) {
			if (fence->context == job->queue->context ||
			    dma_fence_is_signaled(fence))
				continue;
			ret = sluice_job_add_dep(job, dma_fence_get(fence), false);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* of the table below, on the stack: for so many fences, twice as many places */
#define SLUICE_TABLE_FEW	32

/* The same fence may come by several fds and be on several buffers: wait for it once. */
static int sluice_job_unite_deps(struct sluice_job *job)
{
	unsigned int size = roundup_pow_of_two(2 * job->num_deps + 1), kept = 0, i;
	u16 few[SLUICE_TABLE_FEW] = {}, *table = few;	/* of places in deps, plus one */

	if (job->num_deps < 2)
		return 0;
	if (size > SLUICE_TABLE_FEW)
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
	if (table != few)
		kvfree(table);
	return 0;
}

/**
 * sluice_job_prepare_deps - all that it takes to wait, so that nothing is allocated later
 * @job: a job that has not been published, with all that it is to wait for
 *
 * Context: may sleep; the claims are locked.
 * Return: 0 or -ENOMEM.
 */
int sluice_job_prepare_deps(struct sluice_job *job)
{
	int ret = sluice_job_unite_deps(job);
	unsigned int i;

	for (i = 0; i < job->num_deps && !ret; i++)
		if (!dma_fence_is_signaled(job->deps[i].fence))
			ret = sluice_watch_create(&job->deps[i]);
	return ret;
}

/**
 * sluice_job_drop_deps - forget all that the job waits or waited for
 * @job: one that has ended, or was never published
 *
 * Afterwards the engine does not know them.  Again: nothing happens.
 *
 * Context: any; no fence's lock held.
 */
void sluice_job_drop_deps(struct sluice_job *job)
{
	unsigned int i;

	for (i = 0; i < job->num_deps; i++) {
		sluice_watch_leave(&job->deps[i]);
		dma_fence_put(job->deps[i].fence);
	}
	sluice_job_free_deps(job);
	job->num_deps = 0;
	job->deps = job->few_deps;
	job->max_deps = SLUICE_FEW_DEPS;
}

/**
 * sluice_job_in_fence_error - did what the job waited for fail?
 * @job: one whose in-fences have all signalled
 *
 * Only fences that came by fd count: implicit ones order accesses, and whether
 * a failed one is still on the buffer is a matter of chance.
 *
 * Return: 0, or -ECANCELED.  Context: any.
 */
int sluice_job_in_fence_error(const struct sluice_job *job)
{
	unsigned int i;

	if (job->flags & SLUICE_SUBMIT_IGNORE_ERRORS)
		return 0;
	for (i = 0; i < job->num_deps; i++)
		if (job->deps[i].explicit && dma_fence_get_status(job->deps[i].fence) < 0)
			return -ECANCELED;
	return 0;
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/deps.c"
#endif
