// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: parked memory of closed buffers, for the next buffer of the same size.  See pool.h.
 */
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/list_lru.h>
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/vmstat.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "bins.h"
#include "compat/lru.h"
#include "device.h"
#include "dma.h"
#include "front.h"
#include "pages.h"
#include "pool.h"

#define SLUICE_POOL_SECONDS	10
#define SLUICE_POOL_BATCH	16	/* structs to change before a lock is released */
#define SLUICE_POOL_FRONT	SZ_4M	/* most bytes in the front of a CPU */
#define SLUICE_POOL_FRONTS	16	/* all fronts hold at most this part of the pool's limit */

/*
 * For the shrinker, the memory of one buffer counts as this number of objects.  The kernel expects
 * many small objects.  If a buffer counted as one object, the kernel would free the few objects of
 * the pool only when memory is nearly exhausted.
 */
#define SLUICE_POOL_WEIGHT	512

static unsigned long sluice_pool_limit_mb = ULONG_MAX;
module_param_named(pool_limit_mb, sluice_pool_limit_mb, ulong, 0644);
MODULE_PARM_DESC(pool_limit_mb,
		 "MiB of zeroed memory kept for the next buffer (0: none; default: 1/16 of the memory)");

static struct kmem_cache *sluice_pool_cache;
static struct shrinker *sluice_pool_shrinker;
static struct list_lru sluice_pool_lru;
static struct workqueue_struct *sluice_pool_wq;

static atomic_t sluice_pool_freeing;	/* callers that claim memory to free it */

static void sluice_pool_work(struct work_struct *work);
static DECLARE_WORK(sluice_pool_worker, sluice_pool_work);
static void sluice_pool_start(struct timer_list *timer);
static DEFINE_TIMER(sluice_pool_timer, sluice_pool_start);
static void sluice_pool_age(struct work_struct *work);
static DECLARE_DELAYED_WORK(sluice_pool_ager, sluice_pool_age);

static u64 sluice_pool_limit(void)
{
	unsigned long limit = READ_ONCE(sluice_pool_limit_mb);

	if (limit == ULONG_MAX)
		return ((u64)totalram_pages() << PAGE_SHIFT) / 16;
	return (u64)limit << 20;
}

/**
 * sluice_pool_bytes - parked memory
 *
 * Context: any.
 * Return: bytes.
 */
u64 sluice_pool_bytes(void)
{
	return sluice_bins_bytes() + sluice_front_bytes();
}

static struct sluice_bins_entry *sluice_pool_entry(struct sluice_pages *pages)
{
	return container_of(pages, struct sluice_bins_entry, pages);
}

/* The memory of an item of the list_lru. */
static struct sluice_bins_entry *sluice_pool_item(struct list_head *item)
{
	return container_of(item, struct sluice_bins_entry, lru);
}

/**
 * sluice_pool_new - allocate a struct sluice_pages, which can be parked later
 *
 * It is charged to the caller's memory cgroup, which becomes the owner of the memory.
 *
 * Context: may sleep.
 * Return: the struct, zeroed; or NULL if there is no memory.
 */
struct sluice_pages *sluice_pool_new(void)
{
	u64 owner = sluice_compat_memcg_number();
	struct sluice_bins_entry *entry;

	entry = kmem_cache_alloc_lru(sluice_pool_cache, &sluice_pool_lru,
				     GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!entry)
		return NULL;
	INIT_LIST_HEAD(&entry->lru);
	/*
	 * If the task has changed cgroups in between, it is not known which cgroup was charged.
	 * The owner then stays 0, until sluice_pool_inherit() sets it.
	 */
	if (owner == sluice_compat_memcg_number())
		entry->owner = owner;
	return &entry->pages;
}

/**
 * sluice_pool_delete - free a struct sluice_pages
 * @pages: a struct from sluice_pool_new(), without memory
 *
 * Context: any.
 */
void sluice_pool_delete(struct sluice_pages *pages)
{
	kmem_cache_free(sluice_pool_cache, sluice_pool_entry(pages));
}

/* Free memory without a user, and its struct. */
static void sluice_pool_destroy(struct sluice_pages *pages)
{
	sluice_pages_free(pages);
	sluice_pool_delete(pages);
}

/*
 * Call sluice_pool_enter() before memory is claimed in order to free it, or taken out of a front,
 * and sluice_pool_leave() after it is free, or in the bins.  In between the memory is in no list,
 * and sluice_pool_drain() waits for it.
 */
static void sluice_pool_enter(void)
{
	atomic_inc(&sluice_pool_freeing);
}

static void sluice_pool_leave(void)
{
	if (atomic_dec_and_test(&sluice_pool_freeing))
		wake_up_var(&sluice_pool_freeing);
}

/* Put memory, whose @clean is set, into the list_lru and the bins. */
static void sluice_pool_insert(struct sluice_bins_entry *entry)
{
	entry->listed = true;
	list_lru_add_obj(&sluice_pool_lru, &entry->lru);
	sluice_bins_insert(entry);
}

/* Move the memory of all fronts into the bins, except memory that is being zeroed. */
static void sluice_pool_collect(void)
{
	struct sluice_bins_entry *entry, *next;
	LIST_HEAD(parked);

	sluice_pool_enter();
	sluice_front_collect(&parked);
	list_for_each_entry_safe(entry, next, &parked, link)
		sluice_pool_insert(entry);
	sluice_pool_leave();
}

/*
 * The same for an ALLOC that found nothing in its front: other CPUs may have memory that fits.  At
 * most ten times a second, so that ALLOCs of other sizes do not make the fronts useless.
 */
static void sluice_pool_collect_seldom(void)
{
	static unsigned long next = INITIAL_JIFFIES;

	/* any value that was there a moment ago is correct */
	if (time_before(jiffies, data_race(READ_ONCE(next))))
		return;
	WRITE_ONCE(next, jiffies + HZ / 10);
	sluice_pool_collect();
}

/**
 * struct sluice_pool_walk - a walk over the list of the caller's memory cgroup
 * @owner: number of the memory cgroup
 * @look: number of structs that the walk may still examine
 * @inherited: result: @owner has become the owner of at least one struct
 */
struct sluice_pool_walk {
	u64 owner;
	unsigned long look;
	bool inherited;
};

/*
 * Give one struct to the caller's cgroup.  The walk begins at the head of the list, where the
 * memory of removed cgroups is.  It ends at the first struct that already belongs to the caller's
 * cgroup, or is not parked.  The list_lru's lock is held.
 */
static enum lru_status sluice_pool_inherit_one(struct list_head *item, struct list_lru_one *list,
					       SLUICE_COMPAT_LRU_LOCK_ARG void *arg)
{
	struct sluice_pool_walk *walk = arg;

	if (!sluice_bins_inherit(sluice_pool_item(item), walk->owner)) {
		walk->look = 0;
		return LRU_SKIP;
	}
	walk->inherited = true;
	return LRU_ROTATE;
}

/* Move memory of removed cgroups into the caller's bins.  Returns whether there was any. */
static bool sluice_pool_inherit(u64 owner)
{
	struct sluice_pool_walk walk = { .owner = owner };
	int node;

	for_each_online_node(node) {
		walk.look = SLUICE_POOL_BATCH;
		/* there is no walk if the task has changed cgroups since @owner was read */
		sluice_compat_lru_walk_current(&sluice_pool_lru, node, owner,
					       sluice_pool_inherit_one, &walk, &walk.look);
	}
	return walk.inherited;
}

/*
 * Does the device's NUMA node have more than @size bytes of free memory?  Free memory below the
 * high watermark of a zone does not count.  False for a device without a node, which accepts memory
 * of all nodes.
 */
static bool sluice_pool_here(const struct sluice_device *sdev, int node, u64 size)
{
	enum zone_type i, highest = gfp_zone(GFP_KERNEL | sdev->zone);
	u64 pages = 0;

	if (dev_to_node((struct device *)&sdev->dev) == NUMA_NO_NODE)
		return false;
	for (i = 0; i <= highest; i++) {
		struct zone *zone = &NODE_DATA(node)->node_zones[i];
		unsigned long free = zone_page_state(zone, NR_FREE_PAGES);

		if (free > high_wmark_pages(zone))
			pages += free - high_wmark_pages(zone);
	}
	return pages > size >> PAGE_SHIFT;
}

/* Take memory out of the bins, if some fits. */
static struct sluice_bins_entry *sluice_pool_take_shared(struct sluice_bins_search *search)
{
	struct sluice_bins_entry *entry;

	sluice_pool_collect_seldom();
	if (!sluice_bins_bytes())
		return NULL;
	search->here = sluice_pool_here(search->sdev, search->node, search->size);
	entry = sluice_bins_find(search);
	if (!entry && sluice_pool_inherit(search->owner))
		entry = sluice_bins_find(search);
	if (entry)
		list_lru_del_obj(&sluice_pool_lru, &entry->lru);
	return entry;
}

/**
 * sluice_pool_take - take memory out of the pool, if some fits
 * @sdev: the device, which must be able to address the memory
 * @size: bytes
 * @mapping: one of SLUICE_MEM_MAPPINGS
 * @huge: true to take only memory in huge pieces
 *
 * The time of the search does not depend on how much is parked.  Dirty memory is zeroed here.
 *
 * Context: may sleep.
 * Return: zeroed memory, which the caller owns; or NULL.
 */
struct sluice_pages *sluice_pool_take(struct sluice_device *sdev, u64 size, u32 mapping,
				      bool huge)
{
	struct sluice_bins_search search = {
		.sdev = sdev, .size = size, .mapping = mapping, .huge = huge,
		.owner = sluice_compat_memcg_number(), .node = sluice_dma_node(sdev),
	};
	struct sluice_bins_entry *entry;

	/* memory that is zeroed and near; then any in the bins; then dirty memory that is near */
	search.here = true;
	entry = sluice_front_take(&search);
	if (entry)
		return &entry->pages;
	entry = sluice_pool_take_shared(&search);
	if (!entry) {
		search.here = true;
		search.dirty = true;
		entry = sluice_front_take(&search);
	}
	if (entry && search.dirty)
		sluice_pages_zero(&entry->pages, NULL);
	return entry ? &entry->pages : NULL;
}

static bool sluice_pool_over_limit(const struct sluice_bins_entry *oldest)
{
	return sluice_bins_bytes() > sluice_pool_limit();
}

/*
 * The same for a caller of close().  It must not wait until the worker stops zeroing the memory:
 * the worker may have to wait for the CPU, and frees the memory itself afterwards.
 */
static bool sluice_pool_over_limit_now(const struct sluice_bins_entry *oldest)
{
	return sluice_pool_over_limit(oldest) && oldest->state != SLUICE_BINS_ZEROING;
}

/* Most bytes in the front of a CPU. */
static u64 sluice_pool_front_most(u64 limit)
{
	return min_t(u64, SLUICE_POOL_FRONT,
		     div_u64(limit, SLUICE_POOL_FRONTS * num_possible_cpus()));
}

static bool sluice_pool_too_old(const struct sluice_bins_entry *oldest)
{
	return sluice_pool_over_limit(oldest) ||
	       time_after_eq(jiffies, oldest->parked + SLUICE_POOL_SECONDS * HZ);
}

/* Free claimed memory that is not in the list_lru any more. */
static void sluice_pool_dispose(struct list_head *list)
{
	struct sluice_bins_entry *entry, *next;

	list_for_each_entry_safe(entry, next, list, link) {
		sluice_bins_wait(entry);
		sluice_pool_destroy(&entry->pages);
	}
}

/*
 * Free the oldest memory of zones up to @zone, as long as @unwanted returns true for it, but at
 * most SLUICE_POOL_BATCH structs.  If @unwanted is NULL, free any memory of these zones.  Returns
 * false if no such memory is left.
 */
static bool sluice_pool_free_some(enum zone_type zone,
				  bool (*unwanted)(const struct sluice_bins_entry *oldest))
{
	struct sluice_bins_entry *entry;
	unsigned int count;
	LIST_HEAD(dispose);

	sluice_pool_enter();
	count = sluice_bins_claim_oldest(zone, SLUICE_POOL_BATCH, unwanted, &dispose);
	list_for_each_entry(entry, &dispose, link)
		list_lru_del_obj(&sluice_pool_lru, &entry->lru);
	sluice_pool_dispose(&dispose);
	sluice_pool_leave();
	return count == SLUICE_POOL_BATCH;
}

/* The same without a limit, in batches, so that the lock is held for a short time only. */
static void sluice_pool_free_oldest(enum zone_type zone,
				    bool (*unwanted)(const struct sluice_bins_entry *oldest))
{
	while (sluice_pool_free_some(zone, unwanted))
		cond_resched();
}

static void sluice_pool_start(struct timer_list *timer)
{
	queue_work(sluice_pool_wq, &sluice_pool_worker);
}

/*
 * Let the worker run in a jiffy, so that it also finds memory that is parked until then.  If the
 * timer is armed already, nothing is written that CPUs share.  A timer of its own costs less than a
 * delayed work item.
 */
static void sluice_pool_arm(void)
{
	/*
	 * The parked memory is visible before the test.  If the timer is still armed then, the
	 * worker searches later: queue_work() has a barrier.
	 */
	smp_mb();
	if (!timer_pending(&sluice_pool_timer))
		mod_timer(&sluice_pool_timer, jiffies + 1);
}

/*
 * The pool may exceed its limit: free the oldest memory, also that of the fronts.  The caller frees
 * a bounded number of structs, and leaves the rest to the worker.
 */
static void sluice_pool_park_near_limit(struct sluice_bins_entry *entry)
{
	entry->clean = false;
	sluice_pool_collect();
	sluice_pool_insert(entry);
	sluice_pool_free_some(MAX_NR_ZONES - 1, sluice_pool_over_limit_now);
}

/**
 * sluice_pool_park - park the memory of a closed buffer
 * @pages: the memory, which belongs to the pool from now on
 *
 * Memory that is pinned, or larger than the limit of the pool, is freed instead.  If the pool then
 * exceeds its limit, its oldest memory is freed.  When a large buffer is parked, this may free the
 * memory of many small buffers: the worker frees all beyond the first SLUICE_POOL_BATCH.  Until it
 * has done so, the pool has at most twice its limit: memory that would exceed this is freed, too.
 *
 * Context: may sleep.
 */
void sluice_pool_park(struct sluice_pages *pages)
{
	struct sluice_bins_entry *entry = sluice_pool_entry(pages);
	u64 limit = sluice_pool_limit(), then = sluice_bins_bytes() + pages->size;

	if (sluice_pages_held(pages) || pages->size > limit || then / 2 > limit) {
		sluice_pool_destroy(pages);
		/* the limit may have been lowered */
		if (sluice_pool_over_limit(NULL))
			sluice_pool_arm();
		return;
	}
	entry->parked = jiffies;
	/* from here on another call may take it, or free it */
	if (then > limit - limit / SLUICE_POOL_FRONTS) {
		sluice_pool_park_near_limit(entry);
	} else if (!sluice_front_park(&entry, sluice_pool_front_most(limit))) {
		sluice_pool_insert(entry);
		/* other CPUs may have parked memory since the check above */
		if (sluice_pool_over_limit(NULL))
			sluice_pool_free_some(MAX_NR_ZONES - 1, sluice_pool_over_limit_now);
	}
	sluice_pool_arm();
}

static void sluice_pool_work(struct work_struct *work)
{
	struct sluice_bins_entry *entry;
	int cpu;

	/* sluice_pool_drain() waits for memory that is being zeroed in a front */
	sluice_pool_enter();
	for_each_possible_cpu(cpu)
		sluice_front_zero(cpu);
	sluice_pool_leave();
	do {
		sluice_pool_free_oldest(MAX_NR_ZONES - 1, sluice_pool_over_limit);
		entry = sluice_bins_begin_zeroing();
		if (entry) {
			sluice_pages_zero(&entry->pages, &entry->dying);
			sluice_bins_end_zeroing(entry);
		}
	} while (entry);
	queue_delayed_work(sluice_pool_wq, &sluice_pool_ager, SLUICE_POOL_SECONDS * HZ);
}

static void sluice_pool_age(struct work_struct *work)
{
	sluice_pool_collect();
	sluice_pool_free_oldest(MAX_NR_ZONES - 1, sluice_pool_too_old);
	if (sluice_bins_bytes())
		queue_delayed_work(sluice_pool_wq, &sluice_pool_ager, SLUICE_POOL_SECONDS * HZ / 2);
}

/**
 * sluice_pool_drain - free the parked memory of a small zone, after an allocation has failed
 * @zone: GFP flags of the zone.  0 if the allocation may use any zone: then nothing is freed
 * @order: order of the allocation that has failed
 *
 * Memory reclaim alone does not help.  It ends when it has freed a few pages of any zone, and the
 * page allocator then gives up, although the small zone still has no memory.
 *
 * The function frees memory of all cgroups, because most cgroups do not need this zone.  It frees
 * nothing if the zone has memory: then the limit of the caller's cgroup was the reason of the
 * failure, or another context has freed memory meanwhile.
 *
 * Context: may sleep; not in reclaim.
 * Return: true if the allocation should be tried again.
 */
bool sluice_pool_drain(gfp_t zone, unsigned int order)
{
	struct page *page;

	if (!zone || order > ilog2(MAX_ORDER_NR_PAGES))
		return false;
	/* a test without a charge and without reclaim: if it succeeds, the zone has memory */
	page = alloc_pages(zone | __GFP_NOWARN, order);
	if (page) {
		__free_pages(page, order);
		return true;
	}
	sluice_pool_collect();
	sluice_pool_free_oldest(gfp_zone(GFP_KERNEL | zone), NULL);
	/* the ager or a shrinker may have claimed memory, and not freed it yet; or it is zeroed */
	wait_var_event_timeout(&sluice_pool_freeing, !atomic_read(&sluice_pool_freeing), HZ);
	sluice_pool_collect();
	sluice_pool_free_oldest(gfp_zone(GFP_KERNEL | zone), NULL);
	return true;
}

static enum lru_status sluice_pool_isolate(struct list_head *item, struct list_lru_one *list,
					   SLUICE_COMPAT_LRU_LOCK_ARG void *arg)
{
	struct sluice_bins_entry *entry = sluice_pool_item(item);
	struct list_head *dispose = arg;

	/* if it is not parked, a context has claimed it, and takes it out of this list soon */
	if (!sluice_bins_claim(entry))
		return LRU_SKIP;
	list_lru_isolate(list, item);
	list_add_tail(&entry->link, dispose);
	return LRU_REMOVED;
}

/*
 * Never SHRINK_EMPTY: the kernel would not call the shrinker for the cgroup again until memory of
 * the cgroup is added to the list_lru, and memory that goes to a front is not.
 */
static unsigned long sluice_pool_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	sluice_pool_collect();
	return SLUICE_POOL_WEIGHT * list_lru_shrink_count(&sluice_pool_lru, sc);
}

static unsigned long sluice_pool_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long freed;
	LIST_HEAD(dispose);

	sluice_pool_collect();
	sc->nr_to_scan = DIV_ROUND_UP(sc->nr_to_scan, SLUICE_POOL_WEIGHT);
	sluice_pool_enter();
	freed = list_lru_shrink_walk(&sluice_pool_lru, sc, sluice_pool_isolate, &dispose);
	sluice_pool_dispose(&dispose);
	sluice_pool_leave();
	return SLUICE_POOL_WEIGHT * freed;
}

int sluice_pool_init(void)
{
	int ret = -ENOMEM;

	sluice_bins_init();
	sluice_front_init();
	sluice_pool_cache = kmem_cache_create("sluice_pages", sizeof(struct sluice_bins_entry), 0,
					      SLAB_ACCOUNT, NULL);
	if (!sluice_pool_cache)
		return ret;
	sluice_pool_wq = alloc_workqueue("sluice-pool", WQ_UNBOUND, 1);
	if (!sluice_pool_wq)
		goto err_cache;
	ret = sluice_compat_shrinker_init(&sluice_pool_shrinker, &sluice_pool_lru,
					  sluice_pool_count, sluice_pool_scan);
	if (ret)
		goto err_wq;
	return 0;

err_wq:
	destroy_workqueue(sluice_pool_wq);
err_cache:
	kmem_cache_destroy(sluice_pool_cache);
	return ret;
}

/* Called at module exit, when no buffer is left. */
void sluice_pool_exit(void)
{
	sluice_compat_shrinker_free(sluice_pool_shrinker);
	timer_shutdown_sync(&sluice_pool_timer);
	cancel_work_sync(&sluice_pool_worker);
	cancel_delayed_work_sync(&sluice_pool_ager);
	destroy_workqueue(sluice_pool_wq);
	sluice_pool_collect();
	sluice_pool_free_oldest(MAX_NR_ZONES - 1, NULL);
	list_lru_destroy(&sluice_pool_lru);
	/*
	 * wait for RCU callbacks: they free objects of the cache, and on some kernels the shrinker,
	 * too
	 */
	rcu_barrier();
	kmem_cache_destroy(sluice_pool_cache);
}
