/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: fences and sync_files.
 */
#ifndef _SLUICE_COMPAT_FENCE_H
#define _SLUICE_COMPAT_FENCE_H

#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sync_file.h>

/*
 * A fence of ours; the first member of its owner's struct, which kmalloc() has allocated.  On the
 * newest kernels, a fence without .release and .wait drops its ops when it signals, and needs no
 * lock of ours.
 *
 * Older kernels use the ops until the last put.  Each fence therefore holds a reference on this
 * module there.  The RCU callback that frees the fence drops this reference.
 */
struct sluice_compat_fence {
	struct dma_fence base;
#ifndef SLUICE_HAVE_INDEPENDENT_FENCES
	spinlock_t lock;
#endif
};

#ifdef SLUICE_HAVE_FENCE_DEADLINE
#define SLUICE_COMPAT_FENCE_DEADLINE(function)	.set_deadline = function,
#else
#define SLUICE_COMPAT_FENCE_DEADLINE(function)
#endif

#ifdef SLUICE_HAVE_INDEPENDENT_FENCES

#define SLUICE_COMPAT_FENCE_OPS

static inline bool sluice_compat_fence_hold(void)
{
	return true;
}

static inline void sluice_compat_fence_drop(void)
{
}

static inline void sluice_compat_fence_init(struct sluice_compat_fence *fence,
					    const struct dma_fence_ops *ops,
					    u64 context, u64 seqno)
{
	dma_fence_init64(&fence->base, ops, NULL, context, seqno);
}

static inline void sluice_compat_fences_exit(void)
{
	synchronize_rcu();
}

#else

static inline bool sluice_compat_fence_hold(void)
{
	return try_module_get(THIS_MODULE);
}

static inline void sluice_compat_fence_drop(void)
{
	module_put(THIS_MODULE);
}

static inline void sluice_compat_fence_free(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct sluice_compat_fence, base.rcu));
	module_put(THIS_MODULE);
}

static inline void sluice_compat_fence_release(struct dma_fence *fence)
{
	call_rcu(&fence->rcu, sluice_compat_fence_free);
}

#define SLUICE_COMPAT_FENCE_OPS \
	.use_64bit_seqno = true, \
	.release = sluice_compat_fence_release,

static inline void sluice_compat_fence_init(struct sluice_compat_fence *fence,
					    const struct dma_fence_ops *ops,
					    u64 context, u64 seqno)
{
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, ops, &fence->lock, context, seqno);
}

static inline void sluice_compat_fences_exit(void)
{
	rcu_barrier();
}

#endif /* SLUICE_HAVE_INDEPENDENT_FENCES */

/* Names of the driver and the timeline that must signal a fence.  Under rcu_read_lock(). */
static inline const char *sluice_compat_fence_driver(struct dma_fence *fence)
{
#ifdef SLUICE_HAVE_FENCE_NAMES
	return (__force const char *)dma_fence_driver_name(fence);
#else
	return fence->ops->get_driver_name(fence);
#endif
}

static inline const char *sluice_compat_fence_timeline(struct dma_fence *fence)
{
#ifdef SLUICE_HAVE_FENCE_NAMES
	return (__force const char *)dma_fence_timeline_name(fence);
#else
	return fence->ops->get_timeline_name(fence);
#endif
}

/* Without CONFIG_SYNC_FILE, fences have no fds. */
static inline struct file *sluice_compat_sync_file(struct dma_fence *fence)
{
#if IS_ENABLED(CONFIG_SYNC_FILE)
	struct sync_file *sync_file = sync_file_create(fence);

	return sync_file ? sync_file->file : ERR_PTR(-ENOMEM);
#else
	return ERR_PTR(-EOPNOTSUPP);
#endif
}

static inline struct dma_fence *sluice_compat_sync_file_fence(int fd)
{
#if IS_ENABLED(CONFIG_SYNC_FILE)
	return sync_file_get_fence(fd);
#else
	return NULL;
#endif
}

#endif /* _SLUICE_COMPAT_FENCE_H */
