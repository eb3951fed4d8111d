// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bins: parked memory, ordered for its search and by its age.  See bins.h.
 */
#include <linux/atomic.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/spinlock.h>
#include <linux/topology.h>
#include <linux/wait_bit.h>

#include "bins.h"
#include "device.h"
#include "dma.h"

#define SLUICE_BINS_BITS	12
#define SLUICE_BINS_LOOK	8	/* structs of a bin that sluice_bins_reached() checks */

static u32 sluice_bins_seed __ro_after_init;

/* Guards the variables up to sluice_bins_size, and all parked structs. */
static DEFINE_SPINLOCK(sluice_bins_lock);
static struct hlist_head sluice_bins[1 << SLUICE_BINS_BITS];
static struct list_head sluice_bins_clean[MAX_NR_ZONES];
static struct list_head sluice_bins_dirty[MAX_NR_ZONES];	/* or being zeroed */
static struct sluice_bins_entry *sluice_bins_zeroing;	/* the worker is zeroing this memory */
static u64 sluice_bins_order;	/* number of parkings so far */
static atomic64_t sluice_bins_size;	/* bytes; changed with the lock held, read without */

/**
 * sluice_bins_bytes - memory in the bins, clean, dirty, or being zeroed
 *
 * Context: any.
 * Return: bytes.
 */
u64 sluice_bins_bytes(void)
{
	return atomic64_read(&sluice_bins_size);
}

static struct hlist_head *sluice_bins_bucket(u64 size, u32 mapping, u64 owner)
{
	u32 hash = jhash_3words(size >> PAGE_SHIFT, mapping, owner, sluice_bins_seed);

	return &sluice_bins[hash >> (32 - SLUICE_BINS_BITS)];
}

static bool sluice_bins_alike(const struct sluice_bins_entry *one,
			      const struct sluice_bins_entry *other)
{
	const struct sluice_pages *a = &one->pages, *b = &other->pages;

	return a->size == b->size && a->mapping == b->mapping && one->owner == other->owner &&
	       a->node == b->node && a->spread == b->spread && a->top_zone == b->top_zone &&
	       a->huge == b->huge && one->state == other->state;
}

/* Put memory into its bin, as the first. */
static void sluice_bins_add(struct sluice_bins_entry *entry)
{
	struct hlist_head *bucket = sluice_bins_bucket(entry->pages.size, entry->pages.mapping,
						       entry->owner);
	struct sluice_bins_entry *first;

	lockdep_assert_held(&sluice_bins_lock);
	INIT_LIST_HEAD(&entry->alike);
	hlist_for_each_entry(first, bucket, bin) {
		if (sluice_bins_alike(first, entry)) {
			list_add_tail(&entry->alike, &first->alike);
			hlist_del_init(&first->bin);
			break;
		}
	}
	hlist_add_head(&entry->bin, bucket);
}

/* Take memory out of its bin.  If it was the first, the next in the ring becomes the first. */
static void sluice_bins_del(struct sluice_bins_entry *entry)
{
	lockdep_assert_held(&sluice_bins_lock);
	if (!hlist_unhashed(&entry->bin)) {
		if (!list_empty(&entry->alike))
			hlist_add_behind(&list_next_entry(entry, alike)->bin, &entry->bin);
		hlist_del_init(&entry->bin);
	}
	list_del(&entry->alike);
}

static bool sluice_bins_parked(const struct sluice_bins_entry *entry)
{
	return entry->state != SLUICE_BINS_USED && !entry->dying;
}

/* Find the memory that was parked first, in the lists of all zones up to @zone; or NULL. */
static struct sluice_bins_entry *sluice_bins_oldest_of(struct list_head *lists,
						       enum zone_type zone)
{
	struct sluice_bins_entry *entry, *oldest = NULL;
	enum zone_type i;

	lockdep_assert_held(&sluice_bins_lock);
	for (i = 0; i <= zone; i++) {
		entry = list_first_entry_or_null(&lists[i], struct sluice_bins_entry, link);
		if (entry && (!oldest || entry->order < oldest->order))
			oldest = entry;
	}
	return oldest;
}

static struct sluice_bins_entry *sluice_bins_oldest(enum zone_type zone)
{
	struct sluice_bins_entry *clean = sluice_bins_oldest_of(sluice_bins_clean, zone);
	struct sluice_bins_entry *dirty = sluice_bins_oldest_of(sluice_bins_dirty, zone);

	if (clean && dirty)
		return clean->order < dirty->order ? clean : dirty;
	return clean ?: dirty;
}

static void sluice_bins_park(struct sluice_bins_entry *entry)
{
	lockdep_assert_held(&sluice_bins_lock);
	entry->order = ++sluice_bins_order;
	list_add_tail(&entry->link, entry->state == SLUICE_BINS_CLEAN ?
		      &sluice_bins_clean[entry->pages.zone] :
		      &sluice_bins_dirty[entry->pages.zone]);
	sluice_bins_add(entry);
	atomic64_add(entry->pages.size, &sluice_bins_size);
}

static void sluice_bins_clean_now(struct sluice_bins_entry *entry)
{
	lockdep_assert_held(&sluice_bins_lock);
	entry->state = SLUICE_BINS_CLEAN;
	list_move_tail(&entry->link, &sluice_bins_clean[entry->pages.zone]);
	sluice_bins_add(entry);
}

/* Take parked memory out.  From now on the caller owns it, but it is still in the list_lru. */
static void sluice_bins_take(struct sluice_bins_entry *entry)
{
	lockdep_assert_held(&sluice_bins_lock);
	list_del(&entry->link);
	atomic64_sub(entry->pages.size, &sluice_bins_size);
	if (entry->state == SLUICE_BINS_ZEROING) {
		WRITE_ONCE(entry->dying, true);
	} else {
		sluice_bins_del(entry);
		entry->state = SLUICE_BINS_USED;
	}
}

/**
 * sluice_bins_insert - park memory
 * @entry: memory that is in the list_lru already.  @state is SLUICE_BINS_USED, so that no context
 *	claims it before it is in the bins; @clean is set
 *
 * From now on another context may claim the memory.
 *
 * Context: process context.
 */
void sluice_bins_insert(struct sluice_bins_entry *entry)
{
	spin_lock(&sluice_bins_lock);
	entry->state = entry->clean ? SLUICE_BINS_CLEAN : SLUICE_BINS_DIRTY;
	sluice_bins_park(entry);
	spin_unlock(&sluice_bins_lock);
}

/*
 * A lower number is better: the nearest node, then clean before dirty, then the highest zone,
 * because some devices need the low zones.
 */
static unsigned int sluice_bins_rank(const struct sluice_bins_search *search,
				     const struct sluice_bins_entry *entry)
{
	unsigned int rank = node_distance(search->node, entry->pages.node);

	rank = 2 * rank + (entry->state == SLUICE_BINS_DIRTY);
	return MAX_NR_ZONES * rank + (MAX_NR_ZONES - 1 - entry->pages.top_zone);
}

/* Can the device address the memory?  A device that needs no zone can address all memory. */
static bool sluice_bins_reaches(const struct sluice_device *sdev,
				const struct sluice_bins_entry *entry)
{
	return !sdev->zone || sdev->translated ||
	       sluice_dma_reaches((struct device *)&sdev->dev, entry->pages.buffer.end);
}

/*
 * Find memory of a bin that the device can address; or NULL.  Most devices can address either all
 * memory of a bin or none, so SLUICE_BINS_LOOK checks are enough.  The function may miss memory
 * only if the reach of a device ends inside the bin's zone.  This matters little, because memory
 * that was allocated for such a device is in bins of lower zones.
 */
static struct sluice_bins_entry *sluice_bins_reached(const struct sluice_bins_search *search,
						     struct sluice_bins_entry *first)
{
	struct sluice_bins_entry *entry = first;
	unsigned int look;

	for (look = 0; look < SLUICE_BINS_LOOK; look++) {
		if (sluice_bins_reaches(search->sdev, entry))
			return entry;
		entry = list_next_entry(entry, alike);
		if (entry == first)
			break;
	}
	return NULL;
}

static bool sluice_bins_fits(const struct sluice_bins_search *search,
			     const struct sluice_bins_entry *entry)
{
	const struct sluice_pages *pages = &entry->pages;

	return pages->size == search->size && pages->mapping == search->mapping &&
	       entry->owner == search->owner && (pages->huge || !search->huge) &&
	       (!search->here || (pages->node == search->node && !pages->spread));
}

/**
 * sluice_bins_suits - is this the memory that an ALLOC searches for?
 * @search: the memory that is wanted
 * @entry: memory that is not in the bins
 *
 * Context: any.
 * Return: true if it fits, and the device can address it.
 */
bool sluice_bins_suits(const struct sluice_bins_search *search,
		       const struct sluice_bins_entry *entry)
{
	return sluice_bins_fits(search, entry) && sluice_bins_reaches(search->sdev, entry);
}

/**
 * sluice_bins_find - claim the best memory that fits
 * @search: the memory that is wanted; @dirty is set
 *
 * The time of the search does not depend on how much is parked.
 *
 * Context: process context.
 * Return: memory that the caller owns, which is still in the list_lru; or NULL.
 */
struct sluice_bins_entry *sluice_bins_find(struct sluice_bins_search *search)
{
	struct sluice_bins_entry *first, *entry, *best = NULL;
	unsigned int rank, best_rank = UINT_MAX;
	struct hlist_head *bucket;

	bucket = sluice_bins_bucket(search->size, search->mapping, search->owner);
	spin_lock(&sluice_bins_lock);
	hlist_for_each_entry(first, bucket, bin) {
		if (!sluice_bins_fits(search, first))
			continue;
		rank = sluice_bins_rank(search, first);
		if (rank >= best_rank)
			continue;
		entry = sluice_bins_reached(search, first);
		if (entry) {
			best = entry;
			best_rank = rank;
		}
	}
	if (best) {
		search->dirty = best->state == SLUICE_BINS_DIRTY;
		sluice_bins_take(best);
	}
	spin_unlock(&sluice_bins_lock);
	return best;
}

/**
 * sluice_bins_inherit - move memory into the bins of another owner
 * @entry: memory in the list_lru, whose lock is held
 * @owner: number of the new owner's memory cgroup
 *
 * Context: the list_lru's lock is held.
 * Return: true if it is parked, and had another owner.
 */
bool sluice_bins_inherit(struct sluice_bins_entry *entry, u64 owner)
{
	bool inherited;

	spin_lock(&sluice_bins_lock);
	inherited = entry->owner != owner && sluice_bins_parked(entry);
	if (inherited && entry->state == SLUICE_BINS_ZEROING) {
		entry->owner = owner;
	} else if (inherited) {
		sluice_bins_del(entry);
		entry->owner = owner;
		sluice_bins_add(entry);
	}
	spin_unlock(&sluice_bins_lock);
	return inherited;
}

/**
 * sluice_bins_claim - claim memory that was found in the list_lru
 * @entry: memory in the list_lru, whose lock is held
 *
 * Context: the list_lru's lock is held.
 * Return: true if the caller owns the memory now.  False if it is not parked: a context has claimed
 * it, and takes it out of the list_lru soon.
 */
bool sluice_bins_claim(struct sluice_bins_entry *entry)
{
	bool parked;

	spin_lock(&sluice_bins_lock);
	parked = sluice_bins_parked(entry);
	if (parked)
		sluice_bins_take(entry);
	spin_unlock(&sluice_bins_lock);
	return parked;
}

/**
 * sluice_bins_claim_oldest - claim the oldest memory
 * @zone: only memory that has pages of this zone or a lower one
 * @max: the largest number of structs to claim in this hold of the lock
 * @unwanted: ends the claim when it returns false for the oldest memory; NULL to claim up to @max
 * @claimed: gets the memory, which the caller owns then, and which is still in the list_lru
 *
 * Context: process context.
 * Return: the number of claimed structs.
 */
unsigned int sluice_bins_claim_oldest(enum zone_type zone, unsigned int max,
				      bool (*unwanted)(const struct sluice_bins_entry *oldest),
				      struct list_head *claimed)
{
	struct sluice_bins_entry *entry;
	unsigned int count;

	spin_lock(&sluice_bins_lock);
	for (count = 0; count < max; count++) {
		entry = sluice_bins_oldest(zone);
		if (!entry || (unwanted && !unwanted(entry)))
			break;
		sluice_bins_take(entry);
		list_add_tail(&entry->link, claimed);
	}
	spin_unlock(&sluice_bins_lock);
	return count;
}

/**
 * sluice_bins_begin_zeroing - choose the oldest dirty memory for the worker
 *
 * The worker zeroes it, and stops when entry->dying is true.
 *
 * Context: process context, the only worker.
 * Return: the memory, for sluice_bins_end_zeroing(); NULL if no memory is dirty.
 */
struct sluice_bins_entry *sluice_bins_begin_zeroing(void)
{
	struct sluice_bins_entry *entry;

	spin_lock(&sluice_bins_lock);
	entry = sluice_bins_oldest_of(sluice_bins_dirty, MAX_NR_ZONES - 1);
	if (entry) {
		sluice_bins_del(entry);
		entry->state = SLUICE_BINS_ZEROING;
		sluice_bins_zeroing = entry;
	}
	spin_unlock(&sluice_bins_lock);
	return entry;
}

/**
 * sluice_bins_end_zeroing - the worker has zeroed memory, or has stopped
 * @entry: from sluice_bins_begin_zeroing(); may be freed from now on
 *
 * Context: process context, the only worker.
 */
void sluice_bins_end_zeroing(struct sluice_bins_entry *entry)
{
	spin_lock(&sluice_bins_lock);
	if (!entry->dying)
		sluice_bins_clean_now(entry);
	WRITE_ONCE(sluice_bins_zeroing, NULL);
	spin_unlock(&sluice_bins_lock);
	/*
	 * Order the store before waitqueue_active() in wake_up_var().  Pairs with the barrier of
	 * wait_var_event() in sluice_bins_wait().
	 */
	smp_mb();
	wake_up_var(&sluice_bins_zeroing);
}

/**
 * sluice_bins_wait - wait until the worker does not use claimed memory
 * @entry: claimed memory that is to be freed
 *
 * Context: may sleep while the worker zeroes at most one more page.
 */
void sluice_bins_wait(struct sluice_bins_entry *entry)
{
	if (entry->dying)
		wait_var_event(&sluice_bins_zeroing, READ_ONCE(sluice_bins_zeroing) != entry);
}

void sluice_bins_init(void)
{
	enum zone_type i;

	for (i = 0; i < MAX_NR_ZONES; i++) {
		INIT_LIST_HEAD(&sluice_bins_clean[i]);
		INIT_LIST_HEAD(&sluice_bins_dirty[i]);
	}
	sluice_bins_seed = get_random_u32();
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/bins.c"
#endif
