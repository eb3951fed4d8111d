/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that differs between the supported kernels.  The .c files read as code for the
 * newest kernel.  A shim below is removed when the last kernel that needs it is no longer
 * supported.  A number at the beginning of a comment is the kernel that needs the shim.
 *
 * Kbuild searches the kernel's headers and defines SLUICE_HAVE_*.  It does not use version
 * numbers, because stable kernels backport interfaces.
 */
#ifndef _SLUICE_COMPAT_H
#define _SLUICE_COMPAT_H

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/hrtimer.h>
#include <linux/hugetlb.h>
#ifdef SLUICE_HAVE_URING_CMD_H
#include <linux/io_uring/cmd.h>
#else
#include <linux/io_uring.h>
#endif
#include <linux/list_lru.h>
#include <linux/magic.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/set_memory.h>
#include <linux/shmem_fs.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/sync_file.h>
#include <linux/timer.h>
#ifdef SLUICE_HAVE_PFN_T
#include <linux/pfn_t.h>
#endif
#ifdef SLUICE_HAVE_P2PDMA_PROVIDER
#include <linux/dma-buf-mapping.h>
#endif

#include <uapi/linux/sluice.h>

#ifdef SLUICE_HAVE_IMPORT_NS_STRING
#define SLUICE_IMPORT_NS(ns)	MODULE_IMPORT_NS(#ns)
#else
#define SLUICE_IMPORT_NS(ns)	MODULE_IMPORT_NS(ns)
#endif

/* first point releases of 6.1; the same for list_count_nodes() */
#ifndef __counted_by
#define __counted_by(member)
#endif

#ifndef SLUICE_HAVE_LIST_COUNT
static inline size_t list_count_nodes(struct list_head *head)
{
	struct list_head *node;
	size_t count = 0;

	list_for_each(node, head)
		count++;
	return count;
}
#endif

/* 6.1: the argument of the devnode callback is not const */
#ifdef SLUICE_HAVE_CONST_DEVNODE
#define sluice_devnode_device	const struct device
#else
#define sluice_devnode_device	struct device
#endif

/* 6.1: platform_driver.remove returns an int */
#ifdef SLUICE_HAVE_VOID_PLATFORM_REMOVE
#define SLUICE_PLATFORM_REMOVE(name, fn) \
	static void name(struct platform_device *pdev) { fn(pdev); }
#else
#define SLUICE_PLATFORM_REMOVE(name, fn) \
	static int name(struct platform_device *pdev) { fn(pdev); return 0; }
#endif

/* 6.1: eventfd_signal() takes the number to add */
static inline void sluice_compat_eventfd_signal(struct eventfd_ctx *eventfd)
{
#ifdef SLUICE_HAVE_EVENTFD_COUNT
	eventfd_signal(eventfd, 1);
#else
	eventfd_signal(eventfd);
#endif
}

#ifndef SLUICE_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
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

/* 6.1: the vmap op runs with a lock of the dma-buf held, not with the dma_resv */
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

/* 6.1: the kernel cannot say in advance whether a sync is needed */
static inline bool sluice_compat_need_sync(struct device *dev)
{
#ifdef SLUICE_HAVE_DMA_DEV_NEED_SYNC
	return dma_dev_need_sync(dev);
#else
	return true;
#endif
}

/* At least up to 6.12: move_notify tells an importer of a move, and also of a revocation */
#ifndef SLUICE_HAVE_INVALIDATE_MAPPINGS
#define invalidate_mappings		move_notify
#define dma_buf_invalidate_mappings(dmabuf)	dma_buf_move_notify(dmabuf)

static inline bool dma_buf_attach_revocable(struct dma_buf_attachment *attach)
{
	return attach->importer_ops && attach->importer_ops->move_notify;
}

/*
 * On these kernels an importer that pins may have a move_notify that does nothing, and the
 * exporter cannot detect this.  Memory that can be revoked must therefore not be pinned.
 *
 * There is one exception.  Without CONFIG_DMABUF_MOVE_NOTIFY, the dma-buf core pins for each
 * mapping, with the same op, so one pin must be accepted.  A second pin of the attachment is
 * refused, whether it is for a mapping or not: the importer has pinned or mapped before.
 *
 * The bits are kept in attach->priv, which must not be used otherwise.  All functions need the
 * dma_resv.
 */
#define SLUICE_PINNED	1UL
#define SLUICE_MAPPED	2UL

static inline int sluice_compat_pin_revocable(struct dma_buf_attachment *attach)
{
	if (IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY) || attach->priv)
		return -EOPNOTSUPP;
	attach->priv = (void *)SLUICE_PINNED;
	return 0;
}

/* Some importers also unpin after their pin was refused. */
static inline void sluice_compat_unpin_revocable(struct dma_buf_attachment *attach)
{
	attach->priv = (void *)((unsigned long)attach->priv & ~SLUICE_PINNED);
}

static inline void sluice_compat_map_revocable(struct dma_buf_attachment *attach, bool mapped)
{
	unsigned long bits = (unsigned long)attach->priv & ~SLUICE_MAPPED;

	attach->priv = (void *)(bits | (mapped ? SLUICE_MAPPED : 0));
}
#else
static inline int sluice_compat_pin_revocable(struct dma_buf_attachment *attach)
{
	return 0;
}

static inline void sluice_compat_unpin_revocable(struct dma_buf_attachment *attach)
{
}

static inline void sluice_compat_map_revocable(struct dma_buf_attachment *attach, bool mapped)
{
}
#endif

/*
 * At least up to 6.12: if a dynamic importer attaches to memory that cannot move, the dma-buf core
 * maps it in both directions at once, and keeps the mapping.  Attach as a static importer instead.
 */
static inline struct dma_buf_attachment *
sluice_compat_dma_buf_attach(struct dma_buf *dmabuf, struct device *dev,
			     const struct dma_buf_attach_ops *ops, void *priv)
{
#ifndef SLUICE_HAVE_INVALIDATE_MAPPINGS
	if (!dma_buf_is_dynamic(dmabuf))
		return dma_buf_attach(dmabuf, dev);
#endif
	return dma_buf_dynamic_attach(dmabuf, dev, ops, priv);
}

/*
 * The kernel knows the routes between PCI devices, and maps memory of one for the other: see p2p.c.
 * It does neither at least up to 6.12, nor without CONFIG_PCI_P2PDMA.
 */
#if defined(SLUICE_HAVE_P2PDMA_PROVIDER) && defined(CONFIG_PCI_P2PDMA)
#define SLUICE_P2PDMA
#endif

/*
 * Set whether a device snoops the caches, on architectures where devices differ in this.  Older
 * kernels have a bit field, newer kernels a flag.
 */
static inline void sluice_compat_set_coherent(struct device *dev, bool coherent)
{
#if defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU_ALL)
#ifdef SLUICE_HAVE_DMA_COHERENT_FLAG
	dev_assign_dma_coherent(dev, coherent);
#else
	dev->dma_coherent = coherent;
#endif
#endif
}

/*
 * Memory that the CPU does not cache.  x86 only: the kernel's own mapping of all memory must be of
 * the same kind, and elsewhere it cannot be changed.
 */
#ifdef CONFIG_X86
#define SLUICE_COMPAT_MAPPINGS	(SLUICE_MEM_CACHED | SLUICE_MEM_WRITE_COMBINED | \
				 SLUICE_MEM_UNCACHED)

static inline int sluice_compat_set_memory(void *addr, int count, u32 mapping)
{
	switch (mapping) {
	case SLUICE_MEM_WRITE_COMBINED:
		return set_memory_wc((unsigned long)addr, count);
	case SLUICE_MEM_UNCACHED:
		return set_memory_uc((unsigned long)addr, count);
	default:
		return set_memory_wb((unsigned long)addr, count);
	}
}
#else
#define SLUICE_COMPAT_MAPPINGS	SLUICE_MEM_CACHED

static inline int sluice_compat_set_memory(void *addr, int count, u32 mapping)
{
	return mapping == SLUICE_MEM_CACHED ? 0 : -EOPNOTSUPP;
}
#endif

/* 6.1 */
#ifndef PMD_ORDER
#define PMD_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#endif

/*
 * Huge entries by page frame, if the kernel can distinguish them from huge entries with struct
 * pages.  6.1 cannot.
 */
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
#define SLUICE_COMPAT_HUGE		true
#define SLUICE_COMPAT_HUGE_FAULT(fn)	.huge_fault = fn,

static inline vm_fault_t sluice_compat_insert_pmd(struct vm_fault *vmf, unsigned long pfn)
{
	bool write = vmf->flags & FAULT_FLAG_WRITE;

#ifdef SLUICE_HAVE_PFN_T
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write);
#else
	return vmf_insert_pfn_pmd(vmf, pfn, write);
#endif
}
#else
#define SLUICE_COMPAT_HUGE		false
#define SLUICE_COMPAT_HUGE_FAULT(fn)

static inline vm_fault_t sluice_compat_insert_pmd(struct vm_fault *vmf, unsigned long pfn)
{
	return VM_FAULT_FALLBACK;
}
#endif

/*
 * Lets a debugger access mapped registers (ptrace).  Only where the kernel can map them with the
 * protection of the process's mapping.
 */
#ifdef CONFIG_HAVE_IOREMAP_PROT
#define SLUICE_COMPAT_ACCESS_PHYS	.access = generic_access_phys,
#else
#define SLUICE_COMPAT_ACCESS_PHYS
#endif

/*
 * Is it the address of a bounce buffer?  6.1 has one pool of them, newer kernels have several.  If
 * the kernel creates pools at run time, modules cannot ask.  Then every address counts as one, if
 * all DMA of the device is bounced.
 */
static inline bool sluice_compat_is_bounce(struct device *dev, phys_addr_t phys)
{
#if defined(CONFIG_SWIOTLB_DYNAMIC)
	return is_swiotlb_force_bounce(dev);
#elif defined(SLUICE_HAVE_SWIOTLB_POOLS)
	return swiotlb_find_pool(dev, phys);
#else
	return is_swiotlb_buffer(dev, phys);
#endif
}

/* 6.1: the limit has another name, and is too high by one */
#ifdef MAX_PAGE_ORDER
#define SLUICE_COMPAT_MAX_ORDER	MAX_PAGE_ORDER
#else
#define SLUICE_COMPAT_MAX_ORDER	(MAX_ORDER - 1)
#endif

/*
 * Does a device have a CMA area, provided that the kernel has one at all?  At least up to 6.12,
 * modules cannot ask; then the answer is always true.
 */
static inline bool sluice_compat_cma_area(struct device *dev)
{
#ifndef CONFIG_DMA_CMA
	return false;
#elif defined(SLUICE_HAVE_CMA_AREA)
	return dev_get_cma_area(dev);
#else
	return true;
#endif
}

#ifdef CONFIG_CONTIG_ALLOC
/* At least up to 6.12: the third argument is the type of the pages, not the purpose */
static inline int sluice_compat_alloc_contig_range(unsigned long start, unsigned long end,
						   gfp_t gfp)
{
#ifdef SLUICE_HAVE_ACR_FLAGS
	return alloc_contig_range(start, end, ACR_FLAGS_NONE, gfp);
#else
	return alloc_contig_range(start, end, MIGRATE_MOVABLE, gfp);
#endif
}
#endif

/* Is it a file of huge pages?  Not all kernels export their function for this question. */
static inline bool sluice_compat_file_huge(struct file *file)
{
	return IS_ENABLED(CONFIG_HUGETLBFS) && file_inode(file)->i_sb->s_magic == HUGETLBFS_MAGIC;
}

/*
 * The seals of a file, or -EINVAL for a kind of file that has no seals.  Not all kernels export
 * their function for this question.
 */
static inline int sluice_compat_memfd_seals(struct file *file)
{
	struct inode *inode = file_inode(file);

#ifdef CONFIG_HUGETLBFS
	if (sluice_compat_file_huge(file))
		return READ_ONCE(HUGETLBFS_I(inode)->seals);
#endif
	return shmem_file(file) ? READ_ONCE(SHMEM_I(inode)->seals) : -EINVAL;
}

/*
 * Pin the folios behind the bytes @start to @end of a memfd, each once, in order.  @offset is set
 * to the position of @start in the first folio.
 *
 * The unpin marks each folio dirty: a device may have written it, and reclaim would drop pages
 * that are not dirty.
 */
#ifdef SLUICE_HAVE_MEMFD_PIN
#define sluice_compat_memfd_pin	memfd_pin_folios

static inline void sluice_compat_memfd_unpin(struct folio *folio)
{
	unpin_user_page_range_dirty_lock(folio_page(folio, 0), 1, true);
}
#else
/*
 * 6.1: a reference replaces the pin.  The page then stays where it is, but it is not moved out of
 * movable memory first.
 */
static inline void sluice_compat_memfd_unpin(struct folio *folio)
{
	folio_lock(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
}

static inline struct folio *sluice_compat_memfd_folio(struct file *memfd, pgoff_t index)
{
	struct address_space *mapping = memfd->f_mapping;
	struct folio *folio;
	struct page *page;

#ifdef CONFIG_HUGETLBFS
	if (sluice_compat_file_huge(memfd)) {
		index >>= huge_page_order(hstate_inode(file_inode(memfd)));
		folio = filemap_get_folio(mapping, index);
		return folio ?: ERR_PTR(-ENOMEM);
	}
#endif
	page = shmem_read_mapping_page(mapping, index);
	return IS_ERR(page) ? ERR_CAST(page) : page_folio(page);
}

static inline long sluice_compat_memfd_pin(struct file *memfd, loff_t start, loff_t end,
					   struct folio **folios, unsigned int max,
					   pgoff_t *offset)
{
	pgoff_t index = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	long count = 0;

	while (index <= last && count < max) {
		struct folio *folio = sluice_compat_memfd_folio(memfd, index);
		long i;

		if (IS_ERR(folio)) {
			for (i = 0; i < count; i++)
				sluice_compat_memfd_unpin(folios[i]);
			return PTR_ERR(folio);
		}
		/* the position of a folio in its file is aligned to its size */
		if (!count)
			*offset = (index & (folio_nr_pages(folio) - 1)) << PAGE_SHIFT;
		index = round_down(index, folio_nr_pages(folio)) + folio_nr_pages(folio);
		folios[count++] = folio;
	}
	return count;
}
#endif

/* A list_lru keeps the memory of each memory cgroup apart.  Older kernels differ in arguments. */
#ifdef SLUICE_HAVE_LRU_LOCK_ARG
#define SLUICE_LRU_LOCK_ARG	spinlock_t *lock,
#define SLUICE_LRU_LOCK		lock,
#else
#define SLUICE_LRU_LOCK_ARG
#define SLUICE_LRU_LOCK
#endif

#ifndef SLUICE_HAVE_LRU_ADD_OBJ
#define list_lru_add_obj(lru, item)	list_lru_add(lru, item)
#define list_lru_del_obj(lru, item)	list_lru_del(lru, item)
#endif

/* The caller's memory cgroup, as a number that is never used again; 0 without cgroups. */
static inline u64 sluice_compat_memcg_number(void)
{
	u64 number = 0;
#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg;

	rcu_read_lock();
	memcg = mem_cgroup_from_task(current);
	if (memcg)
		number = memcg->css.serial_nr;
	rcu_read_unlock();
#endif
	return number;
}

/* Walk the list of the caller's memory cgroup, if it still has that number. */
static inline void sluice_compat_lru_walk_current(struct list_lru *lru, int node, u64 number,
						  list_lru_walk_cb isolate, void *arg,
						  unsigned long *count)
{
	struct mem_cgroup *memcg = NULL;
	bool same = true;

	rcu_read_lock();
#ifdef CONFIG_MEMCG
	memcg = mem_cgroup_from_task(current);
	same = memcg ? memcg->css.serial_nr == number : !number;
#endif
	if (same)
		list_lru_walk_one(lru, node, memcg, isolate, arg, count);
	rcu_read_unlock();
}

typedef unsigned long (*sluice_shrinker_fn)(struct shrinker *shrinker,
					    struct shrink_control *control);

#ifdef SLUICE_HAVE_SHRINKER_ALLOC
static inline int sluice_compat_shrinker_init(struct shrinker **result, struct list_lru *lru,
					      sluice_shrinker_fn count, sluice_shrinker_fn scan)
{
	struct shrinker *shrinker;
	int ret;

	shrinker = shrinker_alloc(SHRINKER_MEMCG_AWARE | SHRINKER_NUMA_AWARE, "sluice-pool");
	if (!shrinker)
		return -ENOMEM;
	ret = list_lru_init_memcg(lru, shrinker);
	if (ret) {
		shrinker_free(shrinker);
		return ret;
	}
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker_register(shrinker);
	*result = shrinker;
	return 0;
}

static inline void sluice_compat_shrinker_free(struct shrinker *shrinker)
{
	shrinker_free(shrinker);
}
#else
/*
 * The list_lru needs the number that register_shrinker() gives to the shrinker.  From then on the
 * shrinker may be called, so it reports no objects until the list_lru is ready.
 */
static inline unsigned long sluice_compat_count_none(struct shrinker *shrinker,
						     struct shrink_control *control)
{
	return SHRINK_EMPTY;
}

static inline int sluice_compat_shrinker_init(struct shrinker **result, struct list_lru *lru,
					      sluice_shrinker_fn count, sluice_shrinker_fn scan)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
	int ret;

	if (!shrinker)
		return -ENOMEM;
	shrinker->flags = SHRINKER_MEMCG_AWARE | SHRINKER_NUMA_AWARE;
	shrinker->count_objects = sluice_compat_count_none;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
	ret = register_shrinker(shrinker, "sluice-pool");
	if (ret)
		goto err_free;
	ret = list_lru_init_memcg(lru, shrinker);
	if (ret)
		goto err_unregister;
	/* the list_lru must be complete before the shrinker counts in it */
	smp_store_release(&shrinker->count_objects, count);
	*result = shrinker;
	return 0;

err_unregister:
	unregister_shrinker(shrinker);
err_free:
	kfree(shrinker);
	return ret;
}

static inline void sluice_compat_shrinker_free(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(shrinker);
}
#endif

/*
 * Our fences.  On the newest kernels, a fence without .release and .wait drops its ops when it
 * signals, and needs no lock of ours.
 *
 * Older kernels use the ops until the last put.  Each fence therefore holds a reference on this
 * module there.  The RCU callback that frees the fence drops this reference.
 */
struct sluice_dma_fence {
	struct dma_fence base;
#ifndef SLUICE_HAVE_INDEPENDENT_FENCES
	spinlock_t lock;
#endif
	char name[48];
	atomic64_t deadline;
};

#ifdef SLUICE_HAVE_FENCE_DEADLINE
#define SLUICE_FENCE_OPS_DEADLINE(function)	.set_deadline = function,
#else
#define SLUICE_FENCE_OPS_DEADLINE(function)
#endif

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

#ifdef CONFIG_IO_URING

/* 6.1 */
#ifndef IORING_URING_CMD_MASK
#define IORING_URING_CMD_MASK	IORING_URING_CMD_FIXED
#endif

/* The command's bytes in the SQE.  Userspace may change them, so read each field once. */
static inline const struct sluice_uring_submit *sluice_compat_uring_bytes(struct io_uring_cmd *cmd)
{
#if defined(SLUICE_HAVE_URING_SQE_TYPE)
	return io_uring_sqe_cmd(cmd->sqe, struct sluice_uring_submit);
#elif defined(SLUICE_HAVE_URING_CMD_H)
	return io_uring_sqe_cmd(cmd->sqe);
#else
	return cmd->cmd;
#endif
}

static inline void sluice_compat_uring_done(struct io_uring_cmd *cmd, s32 result,
					    unsigned int issue_flags)
{
#ifdef SLUICE_HAVE_URING_DONE32
	io_uring_cmd_done(cmd, result, issue_flags);
#else
	io_uring_cmd_done(cmd, result, 0, issue_flags);
#endif
}

/* 6.1: io_uring cancels no command, and a command cannot be marked as cancellable */
#ifdef SLUICE_HAVE_URING_CANCEL
#define SLUICE_COMPAT_URING_CANCEL	IO_URING_F_CANCEL

static inline void sluice_compat_uring_cancelable(struct io_uring_cmd *cmd,
						  unsigned int issue_flags)
{
	io_uring_cmd_mark_cancelable(cmd, issue_flags);
}
#else
#define SLUICE_COMPAT_URING_CANCEL	0

static inline void sluice_compat_uring_cancelable(struct io_uring_cmd *cmd,
						  unsigned int issue_flags)
{
}
#endif

/*
 * SLUICE_COMPAT_URING_TASK(name, fn) defines the function @name for sluice_compat_uring_in_task().
 * It calls fn(cmd, issue_flags) in the task that submitted the command.  If this task has exited,
 * it calls fn in another context.
 */
#ifdef SLUICE_HAVE_URING_TW_REQ
#define SLUICE_COMPAT_URING_TASK(name, fn) \
	static void name(struct io_tw_req req, io_tw_token_t token) \
	{ \
		fn(io_uring_cmd_from_tw(req), IO_URING_CMD_TASK_WORK_ISSUE_FLAGS); \
	}
#else
#define SLUICE_COMPAT_URING_TASK(name, fn) \
	static void name(struct io_uring_cmd *cmd, unsigned int issue_flags) \
	{ \
		fn(cmd, issue_flags); \
	}
#endif

/* 6.1: each command wakes the waiting task, even if the task waits for several commands */
#ifdef SLUICE_HAVE_URING_LAZY
#define sluice_compat_uring_in_task(cmd, name)	io_uring_cmd_do_in_task_lazy(cmd, name)
#else
#define sluice_compat_uring_in_task(cmd, name)	io_uring_cmd_complete_in_task(cmd, name)
#endif

#endif /* CONFIG_IO_URING */

#endif /* _SLUICE_COMPAT_H */
