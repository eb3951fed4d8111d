// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: parked memory of closed buffers, for the next buffer of the same size.
 *
 * A closed buffer leaves dirty memory.  A worker zeroes it in the background; an ALLOC that takes
 * dirty memory zeroes it itself.  Parked memory stays charged to the memory cgroup of its old
 * buffer, and only tasks of that cgroup get it again.  Memory that no ALLOC takes in
 * SLUICE_POOL_SECONDS is freed.  If the pool exceeds its limit, the oldest memory is freed at once.
 *
 * heap_pages.c calls this file, and heap_contiguous.c calls sluice_pool_drain().  Work items and
 * the shrinker also run here.
 *
 * Each parked struct sluice_pages is found in three ways:
 *
 * - Bins, for ALLOC.  All memory in one bin is alike: size, mapping, owner, NUMA node (and whether
 *   all of it is there), highest zone, huge or not, and clean or dirty.  The memory that entered
 *   the bin last is in a hash table; the others follow it in a ring.  An ALLOC therefore does not
 *   walk over memory of other sizes.  Memory that is being zeroed is in no bin.
 * - Two lists for each lowest zone, clean and dirty, in the order of parking.  The worker, the
 *   limit, the ager and sluice_pool_drain() take memory from their heads.
 * - A list_lru, for the shrinker.  It keeps memory cgroups apart.  When a cgroup is removed, it
 *   moves the memory of this cgroup to the head of the parent's list.
 *
 * The owner is the number of the cgroup to which the struct was charged when it was made.  No
 * number is used twice, so no task searches the bins of a removed cgroup.  An ALLOC that finds
 * nothing examines the head of its own cgroup's list in the list_lru.  Memory of another owner
 * there comes from a removed child, and gets the ALLOC's owner.  The owner only selects bins.  The
 * list_lru decides which cgroup's memory pressure frees the memory.
 *
 * Locks, outermost first: the lock of the list_lru, then sluice_pool_lock.  With sluice_pool_lock
 * held, at most SLUICE_POOL_BATCH structs change.  With the list_lru's lock held, an ALLOC examines
 * at most SLUICE_POOL_BATCH structs, and the shrinker one.  The hold times therefore do not depend
 * on how much is parked.  Nothing here is in the signalling path of fences.
 *
 * Lifetime: sluice_pool_claim() takes memory out of the bins and lists, with sluice_pool_lock held.
 * From then on the caller owns the memory.  The shrinker may still find it in the list_lru, and
 * skips it, until the caller takes it out there as well.  Parking has the opposite order: first
 * the list_lru, then the bins.  If the worker is zeroing claimed memory, the caller waits for the
 * worker (for one page at most) before it frees the memory.
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
#define SLUICE_POOL_BATCH	16	/* structs that change in one hold of a lock */
#define SLUICE_POOL_LOOK	8	/* structs of a bin that are checked for a device's reach */

/*
 * For the shrinker, the memory of one buffer counts as this number of objects.  The kernel expects
 * small objects.  If it saw only a few, it would free them only when memory is nearly exhausted.
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

/* Guards the variables up to sluice_pool_size, and all parked structs. */
static DEFINE_SPINLOCK(sluice_pool_lock);
static struct hlist_head sluice_pool_bins[1 << SLUICE_POOL_BINS_BITS];
static struct list_head sluice_pool_clean[MAX_NR_ZONES];
static struct list_head sluice_pool_dirty[MAX_NR_ZONES];	/* or being zeroed */
static struct sluice_pages *sluice_pool_zeroing;	/* the worker is zeroing this memory */
static u64 sluice_pool_order;	/* number of parkings so far */
static atomic64_t sluice_pool_size;	/* bytes; changed with the lock held, read without */

static atomic_t sluice_pool_freeing;	/* contexts that claim memory in order to free it */

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
 * sluice_pool_bytes - memory in the pool, clean and dirty
 *
 * Context: any.
 * Return: bytes.
 */
u64 sluice_pool_bytes(void)
{
	return atomic64_read(&sluice_pool_size);
}

/**
 * sluice_pool_new - allocate a struct sluice_pages, which can be parked later
 *
 * It is charged to the caller's memory cgroup, which becomes the owner of the memory.
 *
 * Context: may sleep.
 * Return: the struct, zeroed except its owner; or NULL if there is no memory.
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
	/* if the task has changed cgroups, the charged one is unknown: 0, until it is inherited */
	if (owner == sluice_compat_memcg_number())
		pages->owner = owner;
	return pages;
}

/**
 * sluice_pool_delete - free a struct sluice_pages
 * @pages: a struct from sluice_pool_new(), without memory
 *
 * Context: any.
 */
void sluice_pool_delete(struct sluice_pages *pages)
{
	kmem_cache_free(sluice_pool_cache, pages);
}

/* The functions from here to sluice_pool_claim() need sluice_pool_lock. */

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

/* Put memory into its bin, as the first. */
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

/* Take memory out of its bin.  If it was the first, the next in the ring becomes the first. */
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

/* Of the heads of the lists of zones up to @zone, the one that was parked first; or NULL. */
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

/* Take parked memory out.  From now on the caller owns it, but it is still in the list_lru. */
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
 * struct sluice_pool_search - the memory that an ALLOC searches for
 * @sdev: the device, which must be able to address the memory
 * @size: bytes
 * @mapping: one of SLUICE_MEM_MAPPINGS
 * @owner: number of the caller's memory cgroup
 * @huge: only memory in huge pieces
 * @node: NUMA node on which the memory should be
 * @here: only memory of @node, because @node has enough free memory
 * @dirty: result: the memory must be zeroed
 * @look: number of structs that may still be examined for a new owner
 * @inherited: result: at least one struct has got @owner
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

/*
 * A lower number is better: the nearest node, then clean before dirty, then the highest zone,
 * because some devices need the low zones.
 */
static unsigned int sluice_pool_rank(const struct sluice_pool_search *search,
				     const struct sluice_pages *pages)
{
	unsigned int rank = node_distance(search->node, pages->node);

	rank = 2 * rank + (pages->state == SLUICE_PAGES_DIRTY);
	return MAX_NR_ZONES * rank + (MAX_NR_ZONES - 1 - pages->top_zone);
}

/*
 * The first memory of a bin that the device can address, or NULL.  Most devices can address all or
 * nothing of a bin.  If the reach of a device ends inside the bin's zone, only SLUICE_POOL_LOOK
 * structs are checked: memory that was allocated for this device is in bins of lower zones.
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

/* Claim the best memory that fits, or return NULL. */
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

/*
 * Give one struct to the caller's cgroup.  Called with the list_lru's lock held, for the structs at
 * the head of the list, where those of removed cgroups are.  The walk ends at the first other one.
 */
static enum lru_status sluice_pool_inherit_one(struct list_head *item, struct list_lru_one *list,
					       SLUICE_COMPAT_LRU_LOCK_ARG void *arg)
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

/* Move memory of removed cgroups into the caller's bins.  Returns whether there was any. */
static bool sluice_pool_inherit(struct sluice_pool_search *search)
{
	int node;

	for_each_online_node(node) {
		search->look = SLUICE_POOL_BATCH;
		/* there is no walk if the task has changed cgroups since @owner was read */
		sluice_compat_lru_walk_current(&sluice_pool_lru, node, search->owner,
					       sluice_pool_inherit_one, search, &search->look);
	}
	return search->inherited;
}

/*
 * Has the device's NUMA node more than @size bytes free, above the high watermarks of its zones?
 * False for a device without a node, which accepts memory of all nodes.
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
	struct sluice_pool_search search = {
		.sdev = sdev, .size = size, .mapping = mapping, .huge = huge,
		.owner = sluice_compat_memcg_number(), .node = sluice_dma_node(sdev),
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

/* sluice_pool_enter() and _leave() enclose the time in which memory to be freed is in no list. */
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
		/* the worker is zeroing at most one more page */
		if (pages->state == SLUICE_PAGES_DOOMED)
			wait_var_event(&sluice_pool_zeroing,
				       READ_ONCE(sluice_pool_zeroing) != pages);
		sluice_pages_destroy(pages);
	}
}

/*
 * Free the oldest memory of zones up to @zone, as long as @unwanted returns true for it.  NULL
 * frees all.  The work is done in batches, so that the lock is held for a short time only.
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
 * sluice_pool_park - park the memory of a closed buffer
 * @pages: the memory, which belongs to the pool from now on
 *
 * Memory that is pinned, or larger than the limit of the pool, is freed instead.  If the pool then
 * exceeds its limit, its oldest memory is freed.  For a large buffer this may be the memory of many
 * small buffers.
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
	/* one jiffy later, so that the worker also finds what is parked until then */
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
	/*
	 * Order the store before waitqueue_active() in wake_up_var().  Pairs with the barrier of
	 * wait_var_event() in sluice_pool_dispose().
	 */
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
 * sluice_pool_drain - free the parked memory of a small zone, after an allocation has failed
 * @zone: GFP flags of the zone; 0 for any zone, of which nothing is freed
 * @order: order of the allocation that has failed
 *
 * Reclaim is not enough: it is satisfied with a few pages anywhere in the machine, and the page
 * allocator then gives up on a small zone.  The memory of all cgroups is freed, because most of
 * them do not need this zone.  Nothing is freed if the zone has memory: the limit of the caller's
 * cgroup was the reason of the failure, or memory was freed meanwhile.
 *
 * Context: may sleep; not in reclaim.
 * Return: true if the allocation should be tried again.
 */
bool sluice_pool_drain(gfp_t zone, unsigned int order)
{
	struct page *page;

	if (!zone || order > ilog2(MAX_ORDER_NR_PAGES))
		return false;
	/* not charged, no reclaim.  If it succeeds, the zone has memory (again) */
	page = alloc_pages(zone | __GFP_NOWARN, order);
	if (page) {
		__free_pages(page, order);
		return true;
	}
	sluice_pool_free_oldest(gfp_zone(GFP_KERNEL | zone), NULL);
	/* the ager or a shrinker may have claimed memory, and not freed it yet */
	wait_var_event_timeout(&sluice_pool_freeing, !atomic_read(&sluice_pool_freeing), HZ);
	return true;
}

static enum lru_status sluice_pool_isolate(struct list_head *item, struct list_lru_one *list,
					   SLUICE_COMPAT_LRU_LOCK_ARG void *arg)
{
	struct sluice_pages *pages = container_of(item, struct sluice_pages, lru);
	struct list_head *dispose = arg;
	bool parked;

	spin_lock(&sluice_pool_lock);
	/* if it is not parked, a context has claimed it, and takes it out of this list soon */
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

/* Called at module exit, when no buffer is left. */
void sluice_pool_exit(void)
{
	sluice_compat_shrinker_free(sluice_pool_shrinker);
	cancel_delayed_work_sync(&sluice_pool_worker);
	cancel_delayed_work_sync(&sluice_pool_ager);
	destroy_workqueue(sluice_pool_wq);
	sluice_pool_free_oldest(MAX_NR_ZONES - 1, NULL);
	list_lru_destroy(&sluice_pool_lru);
	/* RCU callbacks free the shrinker of some kernels, and the objects */
	rcu_barrier();
	kmem_cache_destroy(sluice_pool_cache);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/pool.c"
#endif
