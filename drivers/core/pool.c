// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: memory of closed buffers, zeroed, for the next buffer of the same size.
 *
 * A closed buffer leaves dirty memory.  A worker zeroes it, so that neither close()
 * nor the next ALLOC has to.  The memory stays charged to the memory cgroup whose
 * buffer it was, and only tasks of that cgroup get it again.  Memory that no ALLOC
 * takes in SLUICE_POOL_SECONDS is freed; over the limit the oldest is freed at once.
 *
 * Each struct sluice_pages that is parked can be found in three ways:
 *
 * - Bins, for ALLOC.  All memory in one bin is alike: size, mapping, owner, NUMA
 *   node and whether all of it is there, highest zone, huge pieces or not, and clean
 *   or dirty.  The first of a bin, parked or zeroed last, is in a hash table; the
 *   others follow it in a ring.  So an ALLOC does not pass by memory of other sizes.
 *   Memory that is being zeroed is in no bin.
 * - Two lists for each lowest zone, clean and dirty, in the order of parking.  The
 *   worker, the limit, the ager and sluice_pool_drain() take from their heads.
 * - A list_lru, for the shrinker.  It keeps memory cgroups apart, and moves the
 *   memory of a removed cgroup to the head of its parent's list.
 *
 * The owner is the number of the cgroup that the struct was charged to when it was
 * made.  No number is used twice, so the memory of a removed cgroup is in bins that
 * no task looks at.  An ALLOC that finds nothing looks at the head of its own
 * cgroup's list in the list_lru: memory of another owner there has come from a
 * removed child, and gets the new owner.  The owner only selects bins; the list_lru
 * decides whose pressure frees the memory.
 *
 * Locks, outermost first: the list_lru's, sluice_pool_lock.  Under sluice_pool_lock
 * at most SLUICE_POOL_BATCH structs change.  Under the list_lru's an ALLOC looks at
 * as many, and the shrinker at one.  Neither is held longer because more is parked.
 * Nothing here is in the signalling path of fences.
 *
 * Lifetime: sluice_pool_claim(), under sluice_pool_lock, takes memory out of bins
 * and lists, and the caller owns it from then on.  Until the owner has taken it out
 * of the list_lru, too, the shrinker may see it there, and skips it.  Parking goes
 * the other way: first the list_lru, then the bins.  If the worker is zeroing the
 * memory, its new owner waits for the worker (at most a page) before freeing it.
 */
#include <linux/jhash.h>
#include <linux/list_lru.h>
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/mmzone.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/vmstat.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "core.h"

#define SLUICE_POOL_SECONDS	10
#define SLUICE_POOL_BINS_BITS	12
#define SLUICE_POOL_BATCH	16	/* how many are taken or changed under a lock */
#define SLUICE_POOL_LOOK	8	/* of a bin, for memory within a device's reach */

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
static u32 sluice_pool_seed __ro_after_init;

static DEFINE_SPINLOCK(sluice_pool_lock);	/* all up to the size, and parked structs */
static struct hlist_head sluice_pool_bins[1 << SLUICE_POOL_BINS_BITS];
static struct list_head sluice_pool_clean[MAX_NR_ZONES];
static struct list_head sluice_pool_dirty[MAX_NR_ZONES];	/* and what is being zeroed */
static struct sluice_pages *sluice_pool_zeroing;	/* what the worker is at */
static u64 sluice_pool_order;	/* how many have been parked */
static atomic64_t sluice_pool_size;	/* changed under the lock */

static atomic_t sluice_pool_freeing;	/* how many have taken memory out, to free it */

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
 * Charged to the caller's memory cgroup, which is the owner of the memory.
 *
 * Context: may sleep.
 * Return: zeroed, or NULL without memory.
 */
struct sluice_pages *sluice_pool_new(void)
{
	u64 owner = sluice_compat_memcg_number();
	struct sluice_pages *pages;

	pages = kmem_cache_alloc_lru(sluice_pool_cache, &sluice_pool_lru,
				     GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!pages)
		return NULL;
	INIT_LIST_HEAD(&pages->lru);
	/* a task that has moved meanwhile may have charged either: 0 until that shows */
	if (owner == sluice_compat_memcg_number())
		pages->owner = owner;
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

/* With sluice_pool_lock, in the functions from here to sluice_pool_claim(). */

static struct hlist_head *sluice_pool_bucket(u64 size, u32 mapping, u64 owner)
{
	u32 hash = jhash_3words(size >> PAGE_SHIFT, mapping, owner, sluice_pool_seed);

	return &sluice_pool_bins[hash >> (32 - SLUICE_POOL_BINS_BITS)];
}

static bool sluice_pool_alike(const struct sluice_pages *a, const struct sluice_pages *b)
{
	return a->size == b->size && a->mapping == b->mapping && a->owner == b->owner &&
	       a->node == b->node && a->spread == b->spread && a->top_zone == b->top_zone &&
	       a->huge == b->huge && a->state == b->state;
}

/* Into its bin, as the first. */
static void sluice_pool_bin_add(struct sluice_pages *pages)
{
	struct hlist_head *bucket = sluice_pool_bucket(pages->size, pages->mapping, pages->owner);
	struct sluice_pages *first;

	INIT_LIST_HEAD(&pages->alike);
	hlist_for_each_entry(first, bucket, bin) {
		if (sluice_pool_alike(first, pages)) {
			list_add_tail(&pages->alike, &first->alike);
			hlist_del_init(&first->bin);
			break;
		}
	}
	hlist_add_head(&pages->bin, bucket);
}

/* Out of it; the next is the first then. */
static void sluice_pool_bin_del(struct sluice_pages *pages)
{
	if (!hlist_unhashed(&pages->bin)) {
		if (!list_empty(&pages->alike))
			hlist_add_behind(&list_next_entry(pages, alike)->bin, &pages->bin);
		hlist_del_init(&pages->bin);
	}
	list_del(&pages->alike);
}

static bool sluice_pool_parked(const struct sluice_pages *pages)
{
	return pages->state != SLUICE_PAGES_USED && pages->state != SLUICE_PAGES_DOOMED;
}

/* The head that was parked before all others, of lists of zones up to @zone. */
static struct sluice_pages *sluice_pool_oldest_of(struct list_head *lists, enum zone_type zone)
{
	struct sluice_pages *pages, *oldest = NULL;
	enum zone_type i;

	for (i = 0; i <= zone; i++) {
		pages = list_first_entry_or_null(&lists[i], struct sluice_pages, link);
		if (pages && (!oldest || pages->order < oldest->order))
			oldest = pages;
	}
	return oldest;
}

static struct sluice_pages *sluice_pool_oldest(enum zone_type zone)
{
	struct sluice_pages *clean = sluice_pool_oldest_of(sluice_pool_clean, zone);
	struct sluice_pages *dirty = sluice_pool_oldest_of(sluice_pool_dirty, zone);

	if (clean && dirty)
		return clean->order < dirty->order ? clean : dirty;
	return clean ?: dirty;
}

static void sluice_pool_insert(struct sluice_pages *pages)
{
	pages->parked = jiffies;
	pages->order = ++sluice_pool_order;
	pages->state = SLUICE_PAGES_DIRTY;
	list_add_tail(&pages->link, &sluice_pool_dirty[pages->zone]);
	sluice_pool_bin_add(pages);
	atomic64_add(pages->size, &sluice_pool_size);
}

static void sluice_pool_clean_now(struct sluice_pages *pages)
{
	pages->state = SLUICE_PAGES_CLEAN;
	list_move_tail(&pages->link, &sluice_pool_clean[pages->zone]);
	sluice_pool_bin_add(pages);
}

/* Take parked memory out: the caller's from now on, but still in the list_lru. */
static void sluice_pool_claim(struct sluice_pages *pages)
{
	list_del(&pages->link);
	atomic64_sub(pages->size, &sluice_pool_size);
	if (pages->state == SLUICE_PAGES_ZEROING) {
		WRITE_ONCE(pages->state, SLUICE_PAGES_DOOMED);
	} else {
		sluice_pool_bin_del(pages);
		pages->state = SLUICE_PAGES_USED;
	}
}

/**
 * struct sluice_pool_search - what an ALLOC looks for
 * @sdev: the device that must be able to address it
 * @size: bytes
 * @mapping: one of SLUICE_MEM_MAPPINGS
 * @owner: the caller's memory cgroup
 * @huge: in huge pieces only
 * @node: the NUMA node that it is to be on
 * @here: no memory of other nodes: there is enough on @node
 * @dirty: what was found has to be zeroed
 * @look: how many are still to be looked at for a new owner
 * @inherited: one of them has got @owner
 */
struct sluice_pool_search {
	struct sluice_device *sdev;
	u64 size;
	u32 mapping;
	u64 owner;
	bool huge;
	int node;
	bool here;
	bool dirty;
	unsigned long look;
	bool inherited;
};

/* The nearest node, then clean before dirty, then the highest zone: fewer devices need it. */
static unsigned int sluice_pool_rank(const struct sluice_pool_search *search,
				     const struct sluice_pages *pages)
{
	unsigned int rank = node_distance(search->node, pages->node);

	rank = 2 * rank + (pages->state == SLUICE_PAGES_DIRTY);
	return MAX_NR_ZONES * rank + (MAX_NR_ZONES - 1 - pages->top_zone);
}

/*
 * The first of a bin that the device can address.  Most devices can address all of
 * it or nothing.  One whose reach ends inside a zone finds the rest in a bin of the
 * zone that its own memory comes from.
 */
static struct sluice_pages *sluice_pool_reached(const struct sluice_pool_search *search,
						struct sluice_pages *first)
{
	struct sluice_pages *pages = first;
	unsigned int look;

	if (search->sdev->translated)
		return first;
	for (look = 0; look < SLUICE_POOL_LOOK; look++) {
		if (sluice_dma_reaches(&search->sdev->dev, pages->end))
			return pages;
		pages = list_next_entry(pages, alike);
		if (pages == first)
			break;
	}
	return NULL;
}

static bool sluice_pool_fits(const struct sluice_pool_search *search,
			     const struct sluice_pages *pages)
{
	return pages->size == search->size && pages->mapping == search->mapping &&
	       pages->owner == search->owner && (pages->huge || !search->huge) &&
	       (!search->here || (pages->node == search->node && !pages->spread));
}

/* Claim the best that fits. */
static struct sluice_pages *sluice_pool_find(struct sluice_pool_search *search)
{
	struct sluice_pages *first, *pages, *best = NULL;
	unsigned int rank, best_rank = UINT_MAX;
	struct hlist_head *bucket;

	bucket = sluice_pool_bucket(search->size, search->mapping, search->owner);
	spin_lock(&sluice_pool_lock);
	hlist_for_each_entry(first, bucket, bin) {
		if (!sluice_pool_fits(search, first))
			continue;
		rank = sluice_pool_rank(search, first);
		if (rank >= best_rank)
			continue;
		pages = sluice_pool_reached(search, first);
		if (pages) {
			best = pages;
			best_rank = rank;
		}
	}
	if (best) {
		search->dirty = best->state == SLUICE_PAGES_DIRTY;
		sluice_pool_claim(best);
	}
	spin_unlock(&sluice_pool_lock);
	return best;
}

/* With the list_lru's lock: the memory of removed cgroups is at the head of the list. */
static enum lru_status sluice_pool_inherit_one(struct list_head *item, struct list_lru_one *list,
					       SLUICE_LRU_LOCK_ARG void *arg)
{
	struct sluice_pages *pages = container_of(item, struct sluice_pages, lru);
	struct sluice_pool_search *search = arg;
	bool inherited;

	spin_lock(&sluice_pool_lock);
	inherited = pages->owner != search->owner && sluice_pool_parked(pages);
	if (inherited && pages->state == SLUICE_PAGES_ZEROING) {
		pages->owner = search->owner;
	} else if (inherited) {
		sluice_pool_bin_del(pages);
		pages->owner = search->owner;
		sluice_pool_bin_add(pages);
	}
	spin_unlock(&sluice_pool_lock);
	if (!inherited) {
		search->look = 0;
		return LRU_SKIP;
	}
	search->inherited = true;
	return LRU_ROTATE;
}

/* Has memory of removed cgroups become the caller's? */
static bool sluice_pool_inherit(struct sluice_pool_search *search)
{
	int node;

	for_each_online_node(node) {
		search->look = SLUICE_POOL_BATCH;
		/* the task may have been moved to another cgroup */
		sluice_compat_lru_walk_current(&sluice_pool_lru, node, search->owner,
					       sluice_pool_inherit_one, search, &search->look);
	}
	return search->inherited;
}

/*
 * Is there so much on the node of the device, more than zones keep for bad times?  A device
 * without a node takes what the pool has.
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

/**
 * sluice_pool_take - zeroed memory, if there is some that fits
 * @sdev: the device that must be able to address it
 * @size: bytes
 * @mapping: one of SLUICE_MEM_MAPPINGS
 * @huge: only memory all of which is in huge pieces
 *
 * The time that it takes does not depend on how much is parked.
 *
 * Context: may sleep.
 * Return: the caller's, or NULL.
 */
struct sluice_pages *sluice_pool_take(struct sluice_device *sdev, u64 size, u32 mapping,
				      bool huge)
{
	struct sluice_pool_search search = {
		.sdev = sdev, .size = size, .mapping = mapping, .huge = huge,
		.owner = sluice_compat_memcg_number(), .node = sluice_device_node(sdev),
	};
	struct sluice_pages *pages;

	if (!sluice_pool_bytes())
		return NULL;
	search.here = sluice_pool_here(sdev, search.node, size);
	pages = sluice_pool_find(&search);
	if (!pages && sluice_pool_inherit(&search))
		pages = sluice_pool_find(&search);
	if (!pages)
		return NULL;
	list_lru_del_obj(&sluice_pool_lru, &pages->lru);
	if (search.dirty)
		sluice_pages_zero(pages, NULL);
	return pages;
}

static bool sluice_pool_over_limit(const struct sluice_pages *oldest)
{
	return sluice_pool_bytes() > sluice_pool_limit();
}

static bool sluice_pool_too_old(const struct sluice_pages *oldest)
{
	return sluice_pool_over_limit(oldest) ||
	       time_after_eq(jiffies, oldest->parked + SLUICE_POOL_SECONDS * HZ);
}

/* Around all that takes memory out to free it: it is in no list meanwhile. */
static void sluice_pool_enter(void)
{
	atomic_inc(&sluice_pool_freeing);
}

static void sluice_pool_leave(void)
{
	if (atomic_dec_and_test(&sluice_pool_freeing))
		wake_up_var(&sluice_pool_freeing);
}

/* Free claimed memory that is not in the list_lru any more. */
static void sluice_pool_dispose(struct list_head *list)
{
	struct sluice_pages *pages, *next;

	list_for_each_entry_safe(pages, next, list, link) {
		/* the worker has at most a page to go */
		if (pages->state == SLUICE_PAGES_DOOMED)
			wait_var_event(&sluice_pool_zeroing,
				       READ_ONCE(sluice_pool_zeroing) != pages);
		sluice_pages_destroy(pages);
	}
}

/*
 * Free the oldest of zones up to @zone, and so on, as long as it is @unwanted (NULL:
 * all).  In batches: each time the lock is taken for a few of them only.
 */
static void sluice_pool_free_oldest(enum zone_type zone,
				    bool (*unwanted)(const struct sluice_pages *oldest))
{
	struct sluice_pages *pages;
	unsigned int count;

	sluice_pool_enter();
	do {
		LIST_HEAD(dispose);

		spin_lock(&sluice_pool_lock);
		for (count = 0; count < SLUICE_POOL_BATCH; count++) {
			pages = sluice_pool_oldest(zone);
			if (!pages || (unwanted && !unwanted(pages)))
				break;
			sluice_pool_claim(pages);
			list_add_tail(&pages->link, &dispose);
		}
		spin_unlock(&sluice_pool_lock);
		list_for_each_entry(pages, &dispose, link)
			list_lru_del_obj(&sluice_pool_lru, &pages->lru);
		sluice_pool_dispose(&dispose);
		cond_resched();
	} while (count == SLUICE_POOL_BATCH);
	sluice_pool_leave();
}

/**
 * sluice_pool_park - keep the memory of a closed buffer for the next one
 * @pages: kept, or freed
 *
 * If the pool is over its limit with it, the oldest memory there is freed.  That may
 * be many small pieces for a large one; each was parked by a call that freed nothing.
 *
 * Context: may sleep.
 */
void sluice_pool_park(struct sluice_pages *pages)
{
	if (sluice_pages_held(pages) || pages->size > sluice_pool_limit()) {
		sluice_pages_destroy(pages);
		return;
	}
	list_lru_add_obj(&sluice_pool_lru, &pages->lru);
	spin_lock(&sluice_pool_lock);
	sluice_pool_insert(pages);
	spin_unlock(&sluice_pool_lock);
	/* from here on another call may take it, or free it */
	if (sluice_pool_over_limit(NULL))
		sluice_pool_free_oldest(MAX_NR_ZONES - 1, sluice_pool_over_limit);
	/* a little later, and for all that come meanwhile */
	queue_delayed_work(sluice_pool_wq, &sluice_pool_worker, 1);
}

static struct sluice_pages *sluice_pool_begin(void)
{
	struct sluice_pages *pages;

	spin_lock(&sluice_pool_lock);
	pages = sluice_pool_oldest_of(sluice_pool_dirty, MAX_NR_ZONES - 1);
	if (pages) {
		sluice_pool_bin_del(pages);
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
		sluice_pool_clean_now(pages);
	WRITE_ONCE(sluice_pool_zeroing, NULL);
	spin_unlock(&sluice_pool_lock);
	/* order the store against waitqueue_active() in wake_up_var() */
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

static void sluice_pool_age(struct work_struct *work)
{
	sluice_pool_free_oldest(MAX_NR_ZONES - 1, sluice_pool_too_old);
	if (sluice_pool_bytes())
		queue_delayed_work(sluice_pool_wq, &sluice_pool_ager, SLUICE_POOL_SECONDS * HZ / 2);
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
	struct page *page;

	if (!zone || order > ilog2(MAX_ORDER_NR_PAGES))
		return false;
	/* charged to nobody, and without reclaim: a limit, or there is some again */
	page = alloc_pages(zone | __GFP_NOWARN, order);
	if (page) {
		__free_pages(page, order);
		return true;
	}
	sluice_pool_free_oldest(gfp_zone(GFP_KERNEL | zone), NULL);
	/* the ager or a shrinker may have been first, and may not be through */
	wait_var_event_timeout(&sluice_pool_freeing, !atomic_read(&sluice_pool_freeing), HZ);
	return true;
}

static enum lru_status sluice_pool_isolate(struct list_head *item, struct list_lru_one *list,
					   SLUICE_LRU_LOCK_ARG void *arg)
{
	struct sluice_pages *pages = container_of(item, struct sluice_pages, lru);
	struct list_head *dispose = arg;
	bool parked;

	spin_lock(&sluice_pool_lock);
	/* else its new owner is about to take it out of this list */
	parked = sluice_pool_parked(pages);
	if (parked)
		sluice_pool_claim(pages);
	spin_unlock(&sluice_pool_lock);
	if (!parked)
		return LRU_SKIP;
	list_lru_isolate(list, item);
	list_add_tail(&pages->link, dispose);
	return LRU_REMOVED;
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
	enum zone_type i;

	for (i = 0; i < MAX_NR_ZONES; i++) {
		INIT_LIST_HEAD(&sluice_pool_clean[i]);
		INIT_LIST_HEAD(&sluice_pool_dirty[i]);
	}
	sluice_pool_seed = get_random_u32();
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
	sluice_compat_shrinker_free(sluice_pool_shrinker);
	cancel_delayed_work_sync(&sluice_pool_worker);
	cancel_delayed_work_sync(&sluice_pool_ager);
	destroy_workqueue(sluice_pool_wq);
	sluice_pool_free_oldest(MAX_NR_ZONES - 1, NULL);
	list_lru_destroy(&sluice_pool_lru);
	/* the shrinker of some kernels, and the objects, are freed by RCU */
	rcu_barrier();
	kmem_cache_destroy(sluice_pool_cache);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/pool.c"
#endif
