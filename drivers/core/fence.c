// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our dma_fence: a point on a timeline.  See fence.h.
 */
#include <linux/slab.h>

#include "compat/fence.h"
#include "fence.h"

/**
 * struct sluice_dma_fence - a point on a timeline
 * @compat: the kernel's fence, and the lock that older kernels need
 * @name: name of the timeline
 * @deadline: CLOCK_MONOTONIC; KTIME_MAX for none, 0 after the fence has signalled
 */
struct sluice_dma_fence {
	struct sluice_compat_fence compat;
	char name[sizeof_field(struct sluice_timeline, name)];
	atomic64_t deadline;
};

/* The kernel frees a fence by its address. */
static_assert(!offsetof(struct sluice_dma_fence, compat.base));

static const char *sluice_fence_driver_name(struct dma_fence *fence)
{
	return "sluice";
}

static const char *sluice_fence_timeline_name(struct dma_fence *fence)
{
	return container_of(fence, struct sluice_dma_fence, compat.base)->name;
}

/* The number of pending fences that have a deadline. */
static atomic_t sluice_fence_deadlines = ATOMIC_INIT(0);

/*
 * A fence does not refer to its queue, so it cannot tell the engine.  The engine reads the deadline
 * when it chooses between jobs.
 */
static void __maybe_unused sluice_fence_set_deadline(struct dma_fence *base, ktime_t deadline)
{
	struct sluice_dma_fence *fence = container_of(base, struct sluice_dma_fence, compat.base);
	s64 old = atomic64_read(&fence->deadline);

	while (ktime_before(deadline, old)) {
		if (!atomic64_try_cmpxchg(&fence->deadline, &old, deadline))
			continue;
		if (old == KTIME_MAX)
			atomic_inc(&sluice_fence_deadlines);
		break;
	}
}

/**
 * sluice_fence_deadline - read the deadline of a fence
 * @fence: from sluice_fence_create()
 *
 * Context: any.
 * Return: the earliest deadline that was set (CLOCK_MONOTONIC), or KTIME_MAX if none was set.
 */
ktime_t sluice_fence_deadline(const struct dma_fence *fence)
{
	return atomic64_read(&container_of(fence, struct sluice_dma_fence, compat.base)->deadline);
}

/**
 * sluice_fence_any_deadline - does any pending fence have a deadline?
 *
 * Without one, the engine need not read the deadline of each fence.
 *
 * Context: any.
 * Return: true if at least one pending fence has a deadline.
 */
bool sluice_fence_any_deadline(void)
{
	return atomic_read(&sluice_fence_deadlines);
}

/**
 * sluice_fence_end - signal a fence
 * @base: the fence, which is pending
 * @status: result of its job: 0 or a negative errno
 * @when: time at which its job ended
 *
 * Context: any.
 */
void sluice_fence_end(struct dma_fence *base, int status, ktime_t when)
{
	struct sluice_dma_fence *fence = container_of(base, struct sluice_dma_fence, compat.base);

	/* a deadline that is set from now on is not counted, because 0 is not KTIME_MAX */
	if (atomic64_xchg(&fence->deadline, 0) != KTIME_MAX)
		atomic_dec(&sluice_fence_deadlines);
	if (status)
		dma_fence_set_error(base, status);
	dma_fence_signal_timestamp(base, when);
}

static const struct dma_fence_ops sluice_fence_ops = {
	SLUICE_COMPAT_FENCE_OPS
	SLUICE_COMPAT_FENCE_DEADLINE(sluice_fence_set_deadline)
	.get_driver_name = sluice_fence_driver_name,
	.get_timeline_name = sluice_fence_timeline_name,
};

/**
 * sluice_fence_create - allocate a fence
 * @timeline: its timeline; the name is copied
 *
 * The caller must pass the fence to sluice_fence_init() next.
 *
 * Context: may sleep.
 * Return: the fence, or NULL if there is no memory.
 */
struct dma_fence *sluice_fence_create(const struct sluice_timeline *timeline)
{
	struct sluice_dma_fence *fence;

	if (!sluice_compat_fence_hold())
		return NULL;
	fence = kmalloc(sizeof(*fence), GFP_KERNEL_ACCOUNT);
	if (!fence) {
		sluice_compat_fence_drop();
		return NULL;
	}
	memcpy(fence->name, timeline->name, sizeof(fence->name));
	atomic64_set(&fence->deadline, KTIME_MAX);
	return &fence->compat.base;
}

/**
 * sluice_fence_init - initialise a fence as a point of a timeline
 * @fence: from sluice_fence_create()
 * @context: fence context of the timeline
 * @seqno: the point
 *
 * The fence then has one reference, which the caller drops with dma_fence_put().
 *
 * Context: any.
 */
void sluice_fence_init(struct dma_fence *fence, u64 context, u64 seqno)
{
	sluice_compat_fence_init(container_of(fence, struct sluice_compat_fence, base),
				 &sluice_fence_ops, context, seqno);
}

/**
 * sluice_fence_exit - wait until no code of this file runs any more
 *
 * Called at module exit, when all fences have been signalled.
 *
 * Context: may sleep.
 */
void sluice_fence_exit(void)
{
	sluice_compat_fences_exit();
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/fence.c"
#endif
