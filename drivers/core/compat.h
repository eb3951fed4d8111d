/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that differs between the kernels we support.  The .c files read as
 * code for the newest one; each shim below goes when its kernel goes.
 *
 * SLUICE_HAVE_* come from Kbuild, which looks into the headers: stable kernels
 * backport interfaces, so version numbers would lie.
 */
#ifndef _SLUICE_COMPAT_H
#define _SLUICE_COMPAT_H

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/timer.h>

#ifdef SLUICE_HAVE_IMPORT_NS_STRING
#define SLUICE_IMPORT_NS(ns)	MODULE_IMPORT_NS(#ns)
#else
#define SLUICE_IMPORT_NS(ns)	MODULE_IMPORT_NS(ns)
#endif

/* 6.1: the devnode callback takes a device that is not const */
#ifdef SLUICE_HAVE_CONST_DEVNODE
#define sluice_devnode_device	const struct device
#else
#define sluice_devnode_device	struct device
#endif

/* 6.1: platform_driver.remove returns int */
#ifdef SLUICE_HAVE_VOID_PLATFORM_REMOVE
#define SLUICE_PLATFORM_REMOVE(name, fn) \
	static void name(struct platform_device *pdev) { fn(pdev); }
#else
#define SLUICE_PLATFORM_REMOVE(name, fn) \
	static int name(struct platform_device *pdev) { fn(pdev); return 0; }
#endif

#ifndef SLUICE_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

#ifndef SLUICE_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*fn)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#endif

#ifndef SLUICE_HAVE_TIMER_CONTAINER_OF
#define timer_container_of(var, timer, field)	from_timer(var, timer, field)
#endif

/* 6.1: the vmap op runs under a lock of the dma-buf's own */
#ifndef SLUICE_HAVE_VMAP_UNLOCKED
static inline int dma_buf_vmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	return dma_buf_vmap(dmabuf, map);
}

static inline void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	dma_buf_vunmap(dmabuf, map);
}
#endif

/* Whether a device snoops the caches: a bit field, later a flag with accessors */
static inline void sluice_compat_inherit_coherent(struct device *dev, struct device *parent)
{
#if defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU_ALL)
#ifdef SLUICE_HAVE_DMA_COHERENT_FLAG
	dev_assign_dma_coherent(dev, dev_dma_coherent(parent));
#else
	dev->dma_coherent = parent->dma_coherent;
#endif
#endif
}

/*
 * Fences.  On the newest kernels a fence without .release and .wait forgets
 * its ops when it is signalled and needs no lock but its own.  On older ones
 * the ops are used up to the last put: each fence then holds a reference on
 * this module, dropped by the RCU callback that frees it.
 */
struct sluice_dma_fence {
	struct dma_fence base;
#ifndef SLUICE_HAVE_INDEPENDENT_FENCES
	spinlock_t lock;
#endif
	char name[48];
};

#ifdef SLUICE_HAVE_INDEPENDENT_FENCES

#define SLUICE_FENCE_OPS_COMPAT

static inline bool sluice_compat_fence_hold(void)
{
	return true;
}

static inline void sluice_compat_fence_drop(void)
{
}

static inline void sluice_compat_fence_init(struct sluice_dma_fence *fence,
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
	kfree(container_of(rcu, struct sluice_dma_fence, base.rcu));
	module_put(THIS_MODULE);
}

static inline void sluice_compat_fence_release(struct dma_fence *fence)
{
	call_rcu(&fence->rcu, sluice_compat_fence_free);
}

#define SLUICE_FENCE_OPS_COMPAT \
	.use_64bit_seqno = true, \
	.release = sluice_compat_fence_release,

static inline void sluice_compat_fence_init(struct sluice_dma_fence *fence,
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

/* Kernels without CONFIG_SYNC_FILE: fences exist, but have no fds. */
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

#endif /* _SLUICE_COMPAT_H */
