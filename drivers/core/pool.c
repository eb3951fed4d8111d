// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: memory of buffers that have gone, zeroed, for the next of the size.
 *
 * What a buffer leaves is dirty: a worker zeroes it, so that neither the one who
 * frees nor the one who allocates has to.  It stays charged to the memory cgroup
 * whose buffer it was, and only that cgroup's tasks get it again: a list_lru
 * keeps it apart, lets the cgroup's own pressure free it, whatever its state, and
 * moves it to the parent when the cgroup goes.  Memory that nobody asked for
 * again in SLUICE_POOL_SECONDS is freed.
 *
 * Locks, outermost first: the list_lru's, sluice_pool_lock.  Who has taken
 * something off the list_lru owns it, but must let the worker go first if that
 * is at it: sluice_pool_zeroing.  Nothing here is in the signalling path of
 * fences.
 */
#include <linux/list_lru.h>
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/moduleparam.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "core.h"

#define SLUICE_POOL_SECONDS	10
#define SLUICE_POOL_LOOK	64	/* how many are looked at for one that fits */

/*
 * What the memory of one buffer counts for a shrinker, which thinks of small
 * objects: few of them, it would leave alone until memory is nearly gone.
 */
#define SLUICE_POOL_WEIGHT	512

static unsigned long pool_limit_mb = ULONG_MAX;
module_param(pool_limit_mb, ulong, 0644);
MODULE_PARM_DESC(pool_limit_mb,
		 "MiB of zeroed memory kept for the next buffer (0: none; default: 1/16 of the memory)");

static struct kmem_cache *sluice_pool_cache;
static struct shrinker *sluice_pool_shrinker;
static struct list_lru sluice_pool_lru;
static struct workqueue_struct *sluice_pool_wq;
static LIST_HEAD(sluice_pool_dirty);
static DEFINE_SPINLOCK(sluice_pool_lock);	/* the dirty list, and state */
static struct sluice_pages *sluice_pool_zeroing;	/* what the worker is at */
static atomic_t sluice_pool_freeing;	/* how many have taken memory out, to free it */
static atomic64_t sluice_pool_size;

static void sluice_pool_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(sluice_pool_worker, sluice_pool_work);
static void sluice_pool_age(struct work_struct *work);
static DECLARE_DELAYED_WORK(sluice_pool_ager, sluice_pool_age);

static u64 sluice_pool_limit(void)
{
	unsigned long limit = READ_ONCE(pool_limit_mb);

	if (limit == ULONG_MAX)
		return ((u64)totalram_pages() << PAGE_SHIFT) / 16;
	return (u64)limit << 20;
}

/**
 * sluice_pool_bytes - memory in the pool, zeroed or not yet
 */
u64 sluice_pool_bytes(void)
{
	return atomic64_read(&sluice_pool_size);
}

/**
 * sluice_pool_new - a struct sluice_pages that can be parked one day
 *
 * Charged to the caller's memory cgroup: that is how the pool knows whose
 * memory it is.  Return: zeroed, or NULL without memory.
 */
struct sluice_pages *sluice_pool_new(void)
{
	struct sluice_pages *pages;

	pages = kmem_cache_alloc_lru(sluice_pool_cache, &sluice_pool_lru,
				     GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (pages)
		INIT_LIST_HEAD(&pages->lru);
	return pages;
}

/**
 * sluice_pool_delete - the opposite
 * @pages: without memory
 */
void sluice_pool_delete(struct sluice_pages *pages)
{
	kmem_cache_free(sluice_pool_cache, pages);
}

/* Where memory is freed, and what it was. */
struct sluice_pool_drain {
	enum zone_type zone;
	struct list_head dispose;
};

/* What is looked for, and what was found. */
struct sluice_pool_search {
	struct sluice_device *sdev;
	u64 size;
	u32 mapping;
	enum sluice_pages_state state;
	struct sluice_pages *found;
};

/* With the list_lru's lock: take it if it is in the state wanted. */
static bool sluice_pool_claim(struct sluice_pages *pages, enum sluice_pages_state wanted)
{
	bool claimed;

	spin_lock(&sluice_pool_lock);
	claimed = pages->state == wanted;
	if (claimed && wanted == SLUICE_PAGES_DIRTY)
		list_del(&pages->link);
	spin_unlock(&sluice_pool_lock);
	return claimed;
}

static enum lru_status sluice_pool_match(struct list_head *item, struct list_lru_one *list,
					 SLUICE_LRU_LOCK_ARG void *arg)
{
	struct sluice_pages *pages = container_of(item, struct sluice_pages, lru);
	struct sluice_pool_search *search = arg;

	if (search->found || pages->size != search->size || pages->mapping != search->mapping)
		return LRU_SKIP;
	if (!search->sdev->translated && !sluice_dma_reaches(&search->sdev->dev, pages->end))
		return LRU_SKIP;
	if (!sluice_pool_claim(pages, search->state))
		return LRU_SKIP;
	list_lru_isolate(list, item);
	search->found = pages;
	return LRU_REMOVED;
}

static struct sluice_pages *sluice_pool_search(struct sluice_pool_search *search,
					       enum sluice_pages_state state)
{
	int node;

	search->state = state;
	for_each_online_node(node) {
		unsigned long look = SLUICE_POOL_LOOK;

		sluice_compat_lru_walk_current(&sluice_pool_lru, node, sluice_pool_match, search,
					       &look);
		if (search->found)
			break;
	}
	return search->found;
}

/**
 * sluice_pool_take - zeroed memory, if there is some that fits
 * @sdev: the device that must be able to address it
 * @size: bytes
 * @mapping: one of SLUICE_MEM_MAPPINGS
 *
 * Context: may sleep.  Return: the caller's, or NULL.
 */
struct sluice_pages *sluice_pool_take(struct sluice_device *sdev, u64 size, u32 mapping)
{
	struct sluice_pool_search search = { .sdev = sdev, .size = size, .mapping = mapping };
	struct sluice_pages *pages;

	if (!sluice_pool_bytes())
		return NULL;
	pages = sluice_pool_search(&search, SLUICE_PAGES_CLEAN);
	if (!pages) {
		pages = sluice_pool_search(&search, SLUICE_PAGES_DIRTY);
		if (!pages)
			return NULL;
		sluice_pages_zero(pages, NULL);
	}
	atomic64_sub(size, &sluice_pool_size);
	return pages;
}

/**
 * sluice_pool_park - a buffer has no use for its memory any more
 * @pages: kept, or freed
 *
 * Context: may sleep.
 */
void sluice_pool_park(struct sluice_pages *pages)
{
	if (sluice_pages_held(pages)) {
		sluice_pages_destroy(pages);
		return;
	}
	if (atomic64_add_return(pages->size, &sluice_pool_size) > sluice_pool_limit()) {
		atomic64_sub(pages->size, &sluice_pool_size);
		sluice_pages_destroy(pages);
		return;
	}
	pages->parked = jiffies;
	spin_lock(&sluice_pool_lock);
	pages->state = SLUICE_PAGES_DIRTY;
	list_add_tail(&pages->link, &sluice_pool_dirty);
	spin_unlock(&sluice_pool_lock);
	list_lru_add_obj(&sluice_pool_lru, &pages->lru);
	/* a little later, and for all that come meanwhile */
	queue_delayed_work(sluice_pool_wq, &sluice_pool_worker, 1);
}

static struct sluice_pages *sluice_pool_begin(void)
{
	struct sluice_pages *pages;

	spin_lock(&sluice_pool_lock);
	pages = list_first_entry_or_null(&sluice_pool_dirty, struct sluice_pages, link);
	if (pages) {
		list_del(&pages->link);
		pages->state = SLUICE_PAGES_ZEROING;
		sluice_pool_zeroing = pages;
	}
	spin_unlock(&sluice_pool_lock);
	return pages;
}

static void sluice_pool_end(struct sluice_pages *pages)
{
	spin_lock(&sluice_pool_lock);
	if (pages->state == SLUICE_PAGES_ZEROING)
		pages->state = SLUICE_PAGES_CLEAN;
	WRITE_ONCE(sluice_pool_zeroing, NULL);
	spin_unlock(&sluice_pool_lock);
	/* or the look for who waits could come before that was seen */
	smp_mb();
	wake_up_var(&sluice_pool_zeroing);
}

static void sluice_pool_work(struct work_struct *work)
{
	struct sluice_pages *pages;

	while ((pages = sluice_pool_begin())) {
		sluice_pages_zero(pages, &pages->state);
		sluice_pool_end(pages);
	}
	queue_delayed_work(sluice_pool_wq, &sluice_pool_ager, SLUICE_POOL_SECONDS * HZ);
}

/* Around all that takes memory out to free it: it belongs to nobody meanwhile. */
static void sluice_pool_enter(void)
{
	atomic_inc(&sluice_pool_freeing);
}

static void sluice_pool_leave(void)
{
	if (atomic_dec_and_test(&sluice_pool_freeing))
		wake_up_var(&sluice_pool_freeing);
}

/* Free what was taken off the list_lru. */
static void sluice_pool_dispose(struct list_head *list)
{
	struct sluice_pages *pages, *next;

	list_for_each_entry_safe(pages, next, list, link) {
		/* the worker has at most a page to go */
		if (pages->state == SLUICE_PAGES_DOOMED)
			wait_var_event(&sluice_pool_zeroing,
				       READ_ONCE(sluice_pool_zeroing) != pages);
		atomic64_sub(pages->size, &sluice_pool_size);
		sluice_pages_destroy(pages);
	}
}

static enum lru_status sluice_pool_isolate(struct list_head *item, struct list_lru_one *list,
					   SLUICE_LRU_LOCK_ARG void *arg)
{
	struct sluice_pages *pages = container_of(item, struct sluice_pages, lru);
	struct list_head *dispose = arg;

	list_lru_isolate(list, item);
	spin_lock(&sluice_pool_lock);
	if (pages->state == SLUICE_PAGES_DIRTY)
		list_del(&pages->link);
	else if (pages->state == SLUICE_PAGES_ZEROING)
		WRITE_ONCE(pages->state, SLUICE_PAGES_DOOMED);
	spin_unlock(&sluice_pool_lock);
	list_add_tail(&pages->link, dispose);
	return LRU_REMOVED;
}

static enum lru_status sluice_pool_isolate_old(struct list_head *item, struct list_lru_one *list,
					       SLUICE_LRU_LOCK_ARG void *arg)
{
	struct sluice_pages *pages = container_of(item, struct sluice_pages, lru);

	if (time_before(jiffies, pages->parked + SLUICE_POOL_SECONDS * HZ) &&
	    sluice_pool_bytes() <= sluice_pool_limit())
		return LRU_SKIP;
	return sluice_pool_isolate(item, list, SLUICE_LRU_LOCK arg);
}

static void sluice_pool_age(struct work_struct *work)
{
	LIST_HEAD(dispose);

	sluice_pool_enter();
	list_lru_walk(&sluice_pool_lru, sluice_pool_isolate_old, &dispose, ULONG_MAX);
	sluice_pool_dispose(&dispose);
	sluice_pool_leave();
	if (sluice_pool_bytes())
		queue_delayed_work(sluice_pool_wq, &sluice_pool_ager, SLUICE_POOL_SECONDS * HZ / 2);
}

static enum lru_status sluice_pool_isolate_low(struct list_head *item, struct list_lru_one *list,
					       SLUICE_LRU_LOCK_ARG void *arg)
{
	struct sluice_pages *pages = container_of(item, struct sluice_pages, lru);
	struct sluice_pool_drain *drain = arg;

	if (pages->zone > drain->zone)
		return LRU_SKIP;
	return sluice_pool_isolate(item, list, SLUICE_LRU_LOCK &drain->dispose);
}

/**
 * sluice_pool_drain - free what lies in a small zone, if that is why memory is short
 * @zone: GFP flags of the zone, of which an allocation has failed
 * @order: of that allocation
 *
 * Reclaim does not do it: it is content with a few pages of anything, and the page
 * allocator gives up if a small zone is none the better for it.  Whosever cgroup's
 * the memory is, it lies where most have no need of it; but who is at the limit of
 * his own cgroup takes nothing from others.
 *
 * Context: may sleep; not in reclaim.  Return: true if it is worth another try.
 */
bool sluice_pool_drain(gfp_t zone, unsigned int order)
{
	struct sluice_pool_drain drain = { .zone = gfp_zone(GFP_KERNEL | zone) };
	struct page *page;
	int turn;

	if (!zone || order > ilog2(MAX_ORDER_NR_PAGES))
		return false;
	/* charged to nobody, and without reclaim: a limit, or there is some again */
	page = alloc_pages(zone | __GFP_NOWARN, order);
	if (page) {
		__free_pages(page, order);
		return true;
	}
	sluice_pool_enter();
	/* what moves to a parent cgroup at this moment is missed by one walk */
	for (turn = 0; turn < 2; turn++) {
		INIT_LIST_HEAD(&drain.dispose);
		list_lru_walk(&sluice_pool_lru, sluice_pool_isolate_low, &drain, ULONG_MAX);
		sluice_pool_dispose(&drain.dispose);
	}
	sluice_pool_leave();
	/* the ager or a shrinker may have been first, and may not be through */
	wait_var_event_timeout(&sluice_pool_freeing, !atomic_read(&sluice_pool_freeing), HZ);
	return true;
}

static unsigned long sluice_pool_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	return SLUICE_POOL_WEIGHT * list_lru_shrink_count(&sluice_pool_lru, sc) ?: SHRINK_EMPTY;
}

static unsigned long sluice_pool_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long freed;
	LIST_HEAD(dispose);

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

	sluice_pool_cache = KMEM_CACHE(sluice_pages, SLAB_ACCOUNT);
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

/* No buffer is left that could come into the pool. */
void sluice_pool_exit(void)
{
	LIST_HEAD(dispose);

	sluice_compat_shrinker_free(sluice_pool_shrinker);
	cancel_delayed_work_sync(&sluice_pool_worker);
	cancel_delayed_work_sync(&sluice_pool_ager);
	destroy_workqueue(sluice_pool_wq);
	/* what moves to a parent cgroup at this moment is missed by one walk */
	while (sluice_pool_bytes()) {
		list_lru_walk(&sluice_pool_lru, sluice_pool_isolate, &dispose, ULONG_MAX);
		sluice_pool_dispose(&dispose);
		INIT_LIST_HEAD(&dispose);
		cond_resched();
	}
	list_lru_destroy(&sluice_pool_lru);
	/* the shrinker of some kernels, and the objects, are freed by RCU */
	rcu_barrier();
	kmem_cache_destroy(sluice_pool_cache);
}
