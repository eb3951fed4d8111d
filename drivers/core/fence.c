// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our dma_fence: a point on a queue's timeline.
 *
 * A fence carries its own names and refers to nothing, so that it may outlive
 * its job, queue, device and, on the newest kernels, this module.  It is made
 * by SUBMIT and published with its job, or by FENCE if nobody was to see it
 * before, and signalled once, by sluice_queue_job_ended(), when the device has
 * stopped touching memory.
 */
#include "core.h"

static const char *sluice_fence_driver_name(struct dma_fence *fence)
{
	return "sluice";
}

static const char *sluice_fence_timeline_name(struct dma_fence *fence)
{
	return container_of(fence, struct sluice_dma_fence, base)->name;
}

/* Fences that have not ended, and that somebody has given a deadline. */
static atomic_t sluice_fences_wanted = ATOMIC_INIT(0);

/*
 * The fence cannot tell its queue, which may be gone.  The engine looks here
 * when it has a choice.
 */
static void __maybe_unused sluice_fence_set_deadline(struct dma_fence *base, ktime_t deadline)
{
	struct sluice_dma_fence *fence = container_of(base, struct sluice_dma_fence, base);
	s64 old = atomic64_read(&fence->deadline);

	while (ktime_before(deadline, old)) {
		if (!atomic64_try_cmpxchg(&fence->deadline, &old, deadline))
			continue;
		if (old == KTIME_MAX)
			atomic_inc(&sluice_fences_wanted);
		break;
	}
}

/**
 * sluice_fence_deadline - when a fence is needed at the latest
 * @fence: from sluice_fence_create()
 *
 * Return: CLOCK_MONOTONIC, or KTIME_MAX if nobody has said.  Context: any.
 */
ktime_t sluice_fence_deadline(const struct dma_fence *fence)
{
	return atomic64_read(&container_of(fence, struct sluice_dma_fence, base)->deadline);
}

/**
 * sluice_fences_have_deadlines - is it worth asking a fence for its deadline?
 *
 * Return: true if any that has not ended may have one.  Context: any.
 */
bool sluice_fences_have_deadlines(void)
{
	return atomic_read(&sluice_fences_wanted);
}

/**
 * sluice_fence_end - signal a fence
 * @base: pending
 * @status: how its job ended: 0 or a negative errno
 * @when: its job ended
 *
 * Context: any.
 */
void sluice_fence_end(struct dma_fence *base, int status, ktime_t when)
{
	struct sluice_dma_fence *fence = container_of(base, struct sluice_dma_fence, base);

	/* whatever comes now is not the first deadline, and only that one counts */
	if (atomic64_xchg(&fence->deadline, 0) != KTIME_MAX)
		atomic_dec(&sluice_fences_wanted);
	if (status)
		dma_fence_set_error(base, status);
	dma_fence_signal_timestamp(base, when);
}

static const struct dma_fence_ops sluice_fence_ops = {
	SLUICE_FENCE_OPS_COMPAT
	SLUICE_FENCE_OPS_DEADLINE(sluice_fence_set_deadline)
	.get_driver_name = sluice_fence_driver_name,
	.get_timeline_name = sluice_fence_timeline_name,
};

/**
 * sluice_fence_create - allocate a fence
 * @name: of its timeline; copied
 *
 * The fence is to be passed to sluice_fence_init() next.
 *
 * Context: may sleep.  Return: the fence, or NULL without memory.
 */
struct dma_fence *sluice_fence_create(const char *name)
{
	struct sluice_dma_fence *fence;

	if (!sluice_compat_fence_hold())
		return NULL;
	fence = kmalloc(sizeof(*fence), GFP_KERNEL_ACCOUNT);
	if (!fence) {
		sluice_compat_fence_drop();
		return NULL;
	}
	strscpy(fence->name, name, sizeof(fence->name));
	atomic64_set(&fence->deadline, KTIME_MAX);
	return &fence->base;
}

/**
 * sluice_fence_init - give a fence its place on a timeline
 * @fence: from sluice_fence_create()
 * @context: the timeline
 * @seqno: the point
 *
 * From here on the fence has one reference, to be dropped by dma_fence_put().
 */
void sluice_fence_init(struct dma_fence *fence, u64 context, u64 seqno)
{
	sluice_compat_fence_init(container_of(fence, struct sluice_dma_fence, base),
				 &sluice_fence_ops, context, seqno);
}

/**
 * sluice_fence_exit - wait until nothing runs in this file any more
 *
 * Called at module exit, when all fences have been signalled.
 */
void sluice_fence_exit(void)
{
	sluice_compat_fences_exit();
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/fence.c"
#endif
