// SPDX-License-Identifier: GPL-2.0-only
/*
 * The set of a job: the dma_resv of all its buffers, which SUBMIT locks together.  See resv.h.
 */
#include "export.h"
#include "resv.h"
#include "slot.h"

/* Can the exporter take the memory of a slot back, although it has no pin op? */
static bool sluice_resv_is_revocable(const struct sluice_slot *slot)
{
	return slot->attach->importer_ops && !sluice_dmabuf_buffer(slot->dmabuf);
}

/* Add an entry.  If the dma_resv has an entry already, merge the new one into it. */
static void sluice_resv_insert(struct sluice_resv_set *set, struct sluice_resv_entry entry)
{
	struct sluice_resv_entry *entries = set->entries;
	unsigned int i = set->num_entries;

	while (i && entries[i - 1].resv > entry.resv)
		i--;
	if (i && entries[i - 1].resv == entry.resv) {
		set->num_fences += entries[i - 1].locked_only && !entry.locked_only;
		entries[i - 1].usage = min(entries[i - 1].usage, entry.usage);
		entries[i - 1].locked_only &= entry.locked_only;
		return;
	}
	if (i < set->num_entries)
		memmove(&entries[i + 1], &entries[i], (set->num_entries - i) * sizeof(*entries));
	set->num_entries++;
	entries[i] = entry;
	set->num_fences += !entry.locked_only;
}

/**
 * sluice_resv_merge - add the dma_resv of another set to a set
 * @set: the set, with room for all entries of @other
 * @other: the other set
 *
 * Context: any.
 */
void sluice_resv_merge(struct sluice_resv_set *set, const struct sluice_resv_set *other)
{
	unsigned int i;

	for (i = 0; i < other->num_entries; i++)
		sluice_resv_insert(set, other->entries[i]);
}

/**
 * sluice_resv_add - add the dma_resv of a slot to a set
 * @set: the set, with room for one more entry
 * @slot: the slot
 * @write: the job writes the memory
 *
 * A dma_resv has only one entry, even if many slots have it.  The entry gets the strongest usage of
 * these slots: the one with the lowest number.
 *
 * Context: any.
 */
void sluice_resv_add(struct sluice_resv_set *set, const struct sluice_slot *slot, bool write)
{
	struct sluice_resv_entry entry = {
		.resv = slot->dmabuf->resv,
		.usage = write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ,
	};

	if (slot->flags & SLUICE_ATTACH_EXPLICIT) {
		entry.usage = DMA_RESV_USAGE_BOOKKEEP;
		entry.locked_only = !dma_buf_is_dynamic(slot->dmabuf);
		if (entry.locked_only && !sluice_resv_is_revocable(slot))
			return;
	}
	sluice_resv_insert(set, entry);
}

/**
 * sluice_resv_unlock_all - unlock all dma_resv of a set
 * @set: the set
 * @ctx: the context that was passed to sluice_resv_lock_all()
 *
 * Context: any.
 */
void sluice_resv_unlock_all(const struct sluice_resv_set *set, struct ww_acquire_ctx *ctx)
{
	unsigned int i;

	for (i = 0; i < set->num_entries; i++)
		dma_resv_unlock(set->entries[i].resv);
	ww_acquire_fini(ctx);
}

/**
 * sluice_resv_lock_one - lock one dma_resv
 * @set: the set of the job; its @uninterruptible decides how the lock is taken
 * @resv: the dma_resv
 * @ctx: context for several locks, or NULL for a single lock
 *
 * For io_uring the wait for the lock is not interruptible.  Pending task work of io_uring would end
 * an interruptible wait as a signal does, and io_uring does not restart a command.  A wait that
 * only a fatal signal ends does not exist for dma_resv.
 *
 * Context: may sleep.
 * Return: 0; -EINTR after a signal; or -EDEADLK, only with @ctx.
 */
int sluice_resv_lock_one(const struct sluice_resv_set *set, struct dma_resv *resv,
			 struct ww_acquire_ctx *ctx)
{
	return set->uninterruptible ? dma_resv_lock(resv, ctx) :
				      dma_resv_lock_interruptible(resv, ctx);
}

static int sluice_resv_lock_slow(const struct sluice_resv_set *set, struct dma_resv *resv,
				 struct ww_acquire_ctx *ctx)
{
	if (!set->uninterruptible)
		return dma_resv_lock_slow_interruptible(resv, ctx);
	dma_resv_lock_slow(resv, ctx);
	return 0;
}

/**
 * sluice_resv_lock_all - lock all dma_resv of a set
 * @set: the set, which is not empty
 * @ctx: initialised here, for sluice_resv_unlock_all()
 *
 * If a lock returns -EDEADLK, this function unlocks all dma_resv, waits for the contended one, and
 * begins again.
 *
 * Context: may sleep.
 * Return: 0 or -EINTR.
 */
int sluice_resv_lock_all(const struct sluice_resv_set *set, struct ww_acquire_ctx *ctx)
{
	struct dma_resv *slow = NULL;
	unsigned int i, locked;
	int ret;

	ww_acquire_init(ctx, &reservation_ww_class);
retry:
	if (slow) {
		ret = sluice_resv_lock_slow(set, slow, ctx);
		if (ret)
			goto err;
	}
	for (locked = 0; locked < set->num_entries; locked++) {
		struct dma_resv *resv = set->entries[locked].resv;

		if (resv == slow)
			continue;
		ret = sluice_resv_lock_one(set, resv, ctx);
		if (ret)
			break;
	}
	if (locked == set->num_entries) {
		ww_acquire_done(ctx);
		return 0;
	}

	for (i = 0; i < set->num_entries; i++)
		if (i < locked || set->entries[i].resv == slow)
			dma_resv_unlock(set->entries[i].resv);
	if (ret == -EDEADLK) {
		slow = set->entries[locked].resv;
		goto retry;
	}
err:
	ww_acquire_fini(ctx);
	return ret;
}

/**
 * sluice_resv_waits_for - which fences of a dma_resv must a job wait for?
 * @entry: entry of the dma_resv
 *
 * A job that reads waits for writers.  A job that writes waits for readers and writers.  Both also
 * wait for the exporter.  A job with only EXPLICIT slots of the dma_resv waits only for the
 * exporter.
 *
 * Context: any.
 * Return: the usage for dma_resv_for_each_fence().
 */
enum dma_resv_usage sluice_resv_waits_for(const struct sluice_resv_entry *entry)
{
	if (entry->usage == DMA_RESV_USAGE_BOOKKEEP)
		return DMA_RESV_USAGE_KERNEL;
	return dma_resv_usage_rw(entry->usage == DMA_RESV_USAGE_WRITE);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/resv.c"
#endif
