// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dma_resv of all buffers of a job, which are locked together.  See resv.h.
 *
 * The fence of a job on the buffer of an EXPLICIT slot is for the exporter only (BOOKKEEP): before
 * the exporter moves the memory or takes it back, it must know that the job does not use it any
 * more.  For the same reason such a job waits for the exporter's own fences (KERNEL).
 *
 * An exporter without a pin op cannot move memory that is attached.  If it takes memory back, it
 * waits until importers have unmapped it, as VFIO does.  It needs no fence of an EXPLICIT slot, so
 * such a slot has no entry.
 */
#include "resv.h"
#include "slot.h"

/**
 * sluice_resv_add - add the dma_resv of a slot to a set
 * @set: the set, with room for one more entry
 * @slot: the slot
 * @write: the job writes the memory
 *
 * A dma_resv has one entry, however many ranges use it.  The entry has the strongest usage, which
 * has the lowest number.
 *
 * Context: any.
 */
void sluice_resv_add(struct sluice_resv_set *set, const struct sluice_slot *slot, bool write)
{
	enum dma_resv_usage usage = write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ;
	struct sluice_resv_entry *entries = set->entries;
	unsigned int i = set->num_entries;
	struct dma_resv *resv;

	if (slot->flags & SLUICE_ATTACH_EXPLICIT) {
		if (!dma_buf_is_dynamic(slot->dmabuf))
			return;
		usage = DMA_RESV_USAGE_BOOKKEEP;
	}
	resv = slot->dmabuf->resv;
	while (i && entries[i - 1].resv > resv)
		i--;
	if (i && entries[i - 1].resv == resv) {
		entries[i - 1].usage = min(entries[i - 1].usage, usage);
		return;
	}
	memmove(&entries[i + 1], &entries[i], (set->num_entries++ - i) * sizeof(*entries));
	entries[i] = (struct sluice_resv_entry) { .resv = resv, .usage = usage };
}

/**
 * sluice_resv_unlock - release what sluice_resv_lock() has locked
 * @set: the set
 * @ctx: the same context
 *
 * Context: any.
 */
void sluice_resv_unlock(const struct sluice_resv_set *set, struct ww_acquire_ctx *ctx)
{
	unsigned int i;

	if (!set->num_entries)
		return;
	for (i = 0; i < set->num_entries; i++)
		dma_resv_unlock(set->entries[i].resv);
	ww_acquire_fini(ctx);
}

/**
 * sluice_resv_lock_one - lock one dma_resv
 * @set: the set of the job that needs it
 * @resv: the dma_resv
 * @ctx: context of several locks, or NULL
 *
 * For io_uring the lock is not interruptible: task work of io_uring looks like a signal, and no
 * code restarts the command.  dma_resv has no lock that only a kill interrupts.
 *
 * Context: may sleep.
 * Return: 0, -EINTR, or -EDEADLK with a context.
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
 * sluice_resv_lock - lock all dma_resv of a set
 * @set: the set
 * @ctx: context for sluice_resv_unlock()
 *
 * After -EDEADLK it releases all of them, sleeps for the contended one, and begins again.
 *
 * Context: may sleep.
 * Return: 0 or -EINTR.
 */
int sluice_resv_lock(const struct sluice_resv_set *set, struct ww_acquire_ctx *ctx)
{
	struct dma_resv *slow = NULL;
	unsigned int i, locked;
	int ret;

	if (!set->num_entries)
		return 0;
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
 * sluice_resv_waits_for - the fences of a dma_resv that a job must wait for
 * @entry: entry of the dma_resv
 *
 * A job that reads waits for writers, one that writes for readers and writers, and an EXPLICIT slot
 * for the exporter.
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
