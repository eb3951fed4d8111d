// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: dma-bufs attached and mapped once for a queue's device.
 *
 * To the dma-buf, ours or foreign, a slot is a dynamic importer that pins: the
 * memory stays where it is while the slot exists, so no job is surprised by a
 * move.  What the exporter can do is to take it back for good (a device that
 * goes).  It then waits for the buffer's fences, some with the dma_resv held, and until
 * the memory is unmapped.  So both depend on one abort at most, whatever is queued:
 *
 *	sluice_slot_invalidate()	no op may use the slot any more.  On the dma_resv its
 *				fence @gone takes the place of the queue's
 *	sluice_slot_settle()	the engine's work has aborted what used it: @gone signals
 *	sluice_slots_unmap_revoked()	unmaps
 *
 * Jobs that use it keep their places in line, and end with -ENODEV when it is their
 * turn.
 *
 * The queue's table and each job that uses the slot hold references; the last one
 * unmaps, takes dma_resv for it and so never runs in the signalling path.
 */
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "core.h"

/*
 * A software engine both reads and writes its mapping: caches are maintained
 * around each op (sluice_slot_sync()), for which only a mapping in
 * both directions will do.
 */
static enum dma_data_direction sluice_slot_direction(const struct sluice_device *sdev, u32 flags)
{
	if (sdev->cpu_engines)
		return DMA_BIDIRECTIONAL;
	switch (flags & (SLUICE_ATTACH_READ | SLUICE_ATTACH_WRITE)) {
	case SLUICE_ATTACH_READ:
		return DMA_TO_DEVICE;
	case SLUICE_ATTACH_WRITE:
		return DMA_FROM_DEVICE;
	default:
		return DMA_BIDIRECTIONAL;
	}
}

/*
 * May an op begin and end where a segment does?  Ops are checked for their place in the
 * buffer alone.
 */
static bool sluice_segment_aligned(const struct sluice_device *sdev, struct scatterlist *sg,
				   bool last)
{
	u64 ends = sg_dma_address(sg) | (last ? 0 : sg_dma_len(sg));

	return sdev->cpu_engines || !(ends & (sdev->op_align - 1));
}

/*
 * Is all of the buffer mapped, where the device can reach it?  Ops are checked
 * against its size, not its table.
 */
static int sluice_slot_check(const struct sluice_slot *slot)
{
	u64 mask = dma_get_mask(slot->sdev->parent);
	struct scatterlist *sg;
	u64 mapped = 0;
	int i;

	for_each_sgtable_dma_sg(slot->sgt, sg, i) {
		mapped += sg_dma_len(sg);
		if (sg_dma_address(sg) > mask || mask - sg_dma_address(sg) < sg_dma_len(sg) - 1)
			return -EADDRNOTAVAIL;
		if (!sluice_segment_aligned(slot->sdev, sg, i + 1 == slot->sgt->nents))
			return -EADDRNOTAVAIL;
		/*
		 * the device would see a copy, and no other user what it writes; whether
		 * it is so with ours the exporter has judged
		 */
		if (slot->sdev->bounced && !sluice_buffer_from_dmabuf(slot->dmabuf) &&
		    sluice_compat_is_bounce(slot->sdev->parent,
					    dma_to_phys(slot->sdev->parent, sg_dma_address(sg))))
			return -EADDRNOTAVAIL;
	}
	return mapped < slot->dmabuf->size ? -EINVAL : 0;
}

/*
 * The dma_resv is held.  What was not mapped yet has nothing to lose: memory may move
 * until it is pinned.
 */
static void sluice_slot_invalidate(struct dma_buf_attachment *attach)
{
	struct sluice_slot *slot = attach->importer_priv;
	struct sluice_queue *queue = slot->queue;
	bool going;

	if (!slot->sgt || slot->revoked)
		return;
	WRITE_ONCE(slot->revoked, true);
	if (!queue)	/* whoever has it gives it back in a moment */
		return;
	/* one whose last reference has gone waits for the dma_resv, to unmap */
	going = kref_get_unless_zero(&slot->ref);
	/* the engine lets go of slots in the order in which it is told */
	sluice_sharing_lose(queue, slot->sharing, going ? slot->gone : NULL);
	if (!going)
		return;
	kref_get(&queue->ref);
	sluice_engine_revoke(queue->engine, slot);
}

/**
 * sluice_slot_settle - no op uses a slot any more whose memory is taken back
 * @slot: from sluice_engine_revoke(); takes over the reference
 *
 * Context: the engine's work.
 */
void sluice_slot_settle(struct sluice_slot *slot)
{
	struct sluice_device *sdev = slot->sdev;

	if (slot->gone)
		sluice_fence_end(slot->gone, -ENODEV, ktime_get());
	spin_lock_irq(&sdev->revoked_lock);
	list_add_tail(&slot->revoke, &sdev->revoked);
	spin_unlock_irq(&sdev->revoked_lock);
	queue_work(sdev->reap_wq, &sdev->revoke_work);
}

/* Its number stays taken until DETACH, so that it does not come to mean another buffer. */
static void sluice_slot_leave_table(struct sluice_slot *slot)
{
	struct sluice_queue *queue = slot->queue;
	bool there;

	mutex_lock(&queue->slot_lock);
	there = xa_load(&queue->slots, slot->number) == slot;
	if (there)	/* the entry is there: no allocation */
		xa_store(&queue->slots, slot->number, SLUICE_SLOT_REVOKED, GFP_KERNEL);
	mutex_unlock(&queue->slot_lock);
	if (there)
		sluice_slot_put(slot);
}

static const struct dma_buf_attach_ops sluice_slot_peer_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = sluice_slot_invalidate,
};

/*
 * The CPU of a software engine is no peer, and needs a kernel mapping.  Nor is a
 * device that must ask where memory is: see sluice_slot_scouted().
 */
static const struct dma_buf_attach_ops sluice_slot_memory_ops = {
	.invalidate_mappings = sluice_slot_invalidate,
};

/* The scout has a mapping only while it holds the dma_resv, as whoever calls does. */
static void sluice_scout_invalidate(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops sluice_scout_ops = {
	.invalidate_mappings = sluice_scout_invalidate,
};

/*
 * Can the device address all of a foreign buffer?  If not, the DMA API would
 * bounce it: what the device writes would reach the memory late or never, and
 * nobody would know.  The buffer's addresses are known only once it is mapped,
 * so a device of the core's own that can address everything, the scout, has a
 * look first.  Our own buffers are judged by their exporter.
 *
 * The scout is no peer of anybody, so a slot that needs it is none, either: for
 * both the memory has to be in the same place.
 */
static bool sluice_slot_scouted(const struct sluice_device *sdev, struct dma_buf *dmabuf)
{
	return !sluice_buffer_from_dmabuf(dmabuf) && !sdev->translated &&
	       dma_addressing_limited(sdev->parent);
}

static const struct dma_buf_attach_ops *sluice_slot_ops(const struct sluice_device *sdev,
							struct dma_buf *dmabuf)
{
	return sdev->cpu_engines || sluice_slot_scouted(sdev, dmabuf) ?
	       &sluice_slot_memory_ops : &sluice_slot_peer_ops;
}

/* With the dma_resv held and the memory pinned, so that the answer stays true. */
static int sluice_slot_scout(const struct sluice_slot *slot, struct dma_buf_attachment *scout)
{
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i, ret = 0;

	sgt = dma_buf_map_attachment(scout, DMA_TO_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	for_each_sgtable_dma_sg(sgt, sg, i) {
		phys_addr_t end = dma_to_phys(scout->dev, sg_dma_address(sg)) +
				  sg_dma_len(sg) - 1;

		if (!sluice_dma_reaches(slot->sdev->parent, end))
			ret = -EADDRNOTAVAIL;
	}
	dma_buf_unmap_attachment(scout, sgt, DMA_TO_DEVICE);
	return ret;
}

/**
 * sluice_slot_attached - is an importer of a dma-buf one of our slots?
 * @attach: any
 */
bool sluice_slot_attached(const struct dma_buf_attachment *attach)
{
	return attach->importer_ops &&
	       attach->importer_ops->invalidate_mappings == sluice_slot_invalidate;
}

/* Give back all that the slot has of the buffer; nothing if it has nothing. */
static void sluice_slot_unmap(struct sluice_slot *slot)
{
	struct iosys_map map = slot->map;
	struct sg_table *sgt;

	if (!iosys_map_is_null(&map)) {
		iosys_map_clear(&slot->map);
		dma_buf_vunmap_unlocked(slot->dmabuf, &map);
	}
	dma_resv_lock(slot->dmabuf->resv, NULL);
	sgt = slot->sgt;
	slot->sgt = NULL;
	if (sgt) {
		if (slot->sharing && !slot->revoked)
			sluice_sharing_lose(slot->queue, slot->sharing, NULL);
		dma_buf_unmap_attachment(slot->attach, sgt, slot->dir);
		if (slot->attach->importer_ops)
			dma_buf_unpin(slot->attach);
	}
	dma_resv_unlock(slot->dmabuf->resv);
}

/**
 * sluice_slots_unmap_revoked - give memory back that exporters want
 * @work: the device's revoke_work
 *
 * Context: may sleep and take dma_resv.
 */
void sluice_slots_unmap_revoked(struct work_struct *work)
{
	struct sluice_device *sdev = container_of(work, struct sluice_device, revoke_work);
	struct sluice_slot *slot, *next;
	LIST_HEAD(revoked);

	spin_lock_irq(&sdev->revoked_lock);
	list_splice_init(&sdev->revoked, &revoked);
	spin_unlock_irq(&sdev->revoked_lock);
	list_for_each_entry_safe(slot, next, &revoked, revoke) {
		struct sluice_queue *queue = slot->queue;

		sluice_slot_unmap(slot);
		sluice_slot_leave_table(slot);
		sluice_slot_put(slot);
		sluice_queue_put(queue);
	}
}

/*
 * What exporters say who let nobody pin means other things here; what they say
 * for want of memory, or because they go, does not.
 */
static int sluice_slot_pin(struct sluice_slot *slot)
{
	int ret = 0;

	if (slot->attach->importer_ops)
		ret = dma_buf_pin(slot->attach);
	return ret == -EINVAL || ret == -EOPNOTSUPP ? -EPERM : ret;
}

/* Pin, have a look if need be, and map: under one hold of the dma_resv. */
static int sluice_slot_map_pinned(struct sluice_slot *slot, struct dma_buf_attachment *scout)
{
	struct dma_resv *resv = slot->dmabuf->resv;
	int ret;

	dma_resv_lock(resv, NULL);
	ret = sluice_slot_pin(slot);
	if (ret)
		goto unlock;
	if (scout)
		ret = sluice_slot_scout(slot, scout);
	if (!ret) {
		struct sg_table *sgt = dma_buf_map_attachment(slot->attach, slot->dir);

		ret = PTR_ERR_OR_ZERO(sgt);
		if (!ret)
			slot->sgt = sgt;
	}
	if (ret && slot->attach->importer_ops)
		dma_buf_unpin(slot->attach);
unlock:
	dma_resv_unlock(resv);
	return ret;
}

/*
 * The exporter may still be at work on the memory: that is to be waited for before
 * a device, or a CPU that knows no fences, sees it.
 */
static int sluice_slot_map(struct sluice_slot *slot)
{
	struct dma_resv *resv = slot->dmabuf->resv;
	struct dma_buf_attachment *scout = NULL;
	long left;
	int ret;

	if (sluice_slot_scouted(slot->sdev, slot->dmabuf)) {
		scout = sluice_compat_dma_buf_attach(slot->dmabuf, sluice_scout(),
						     &sluice_scout_ops, NULL);
		if (IS_ERR(scout))
			return PTR_ERR(scout);
	}
	ret = sluice_slot_map_pinned(slot, scout);
	if (scout)
		dma_buf_detach(slot->dmabuf, scout);
	if (ret)
		return ret;

	left = dma_resv_wait_timeout(resv, DMA_RESV_USAGE_KERNEL, true,
				     msecs_to_jiffies(SLUICE_IN_FENCE_TIMEOUT_MS));
	if (left <= 0)
		return left ?: -ETIME;
	dma_resv_lock(resv, NULL);
	ret = slot->revoked ? -ENODEV : sluice_slot_check(slot);
	dma_resv_unlock(resv);
	return ret;
}

/* Software engines work through a kernel mapping; foreign ones may have none. */
static int sluice_slot_vmap(struct sluice_slot *slot)
{
	int ret;

	if (!slot->sdev->cpu_engines)
		return 0;
	ret = dma_buf_vmap_unlocked(slot->dmabuf, &slot->map);
	if (ret)
		return ret == -EINVAL ? -EOPNOTSUPP : ret;
	return slot->map.is_iomem ? -EOPNOTSUPP : 0;
}

/*
 * A slot keeps memory from being moved, reclaimed or swapped out, so its open pays for it.
 * Memory of our own is charged to the open that allocated it.  What its exporter has
 * charged for it already does not count twice: it counts for the open alone.
 */
static int sluice_slot_charge(struct sluice_slot *slot)
{
	u64 bytes = slot->dmabuf->size;
	u32 hint;
	int ret;

	if (sluice_buffer_from_dmabuf(slot->dmabuf))
		return 0;
	ret = sluice_account_charge(slot->client, bytes, true, &hint);
	if (!ret)
		slot->charge = bytes;
	return ret;
}

/**
 * sluice_slot_create - attach and map a dma-buf
 * @client: for whose device; charged for a foreign buffer.  The caller sees to it that it
 *	outlives the slot
 * @dmabuf: which; the slot takes a reference of its own
 * @flags: SLUICE_ATTACH_*, checked
 *
 * Context: may sleep.
 * Return: the slot with one reference, or an ERR_PTR: -EACCES, -EINVAL (maps less than its
 * size), -EPERM (its exporter does not allow pinning), -EDQUOT (over the client's limit),
 * -ENODEV (device or memory gone), -EIO (the hardware does not wake up), -EADDRNOTAVAIL
 * (beyond the device's reach, or bounced), -ETIME (the exporter does not get the memory
 * ready), -EINTR, -EOPNOTSUPP (no kernel mapping for a software engine), -ENOMEM, or the
 * exporter's.
 */
struct sluice_slot *sluice_slot_create(struct sluice_client *client, struct dma_buf *dmabuf,
				       u32 flags)
{
	struct sluice_device *sdev = client->sdev;
	struct sluice_slot *slot;
	int ret;

	if (!(flags & (SLUICE_ATTACH_READ | SLUICE_ATTACH_WRITE)))
		flags |= SLUICE_ATTACH_READ | SLUICE_ATTACH_WRITE;
	if (!sluice_device_enter(sdev))
		return ERR_PTR(-ENODEV);
	ret = sluice_device_wake(sdev);
	if (ret)
		goto err_exit;
	ret = -ENOMEM;
	slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
	if (!slot)
		goto err_rest;
	sluice_object_inc(SLUICE_OBJECT_SLOT);
	kref_init(&slot->ref);
	INIT_LIST_HEAD(&slot->revoke);
	slot->sdev = sdev;
	slot->client = client;
	slot->flags = flags;
	slot->dir = sluice_slot_direction(sdev, flags);
	get_dma_buf(dmabuf);
	slot->dmabuf = dmabuf;
	if (flags & SLUICE_ATTACH_WRITE && !(slot->dmabuf->file->f_mode & FMODE_WRITE)) {
		ret = -EACCES;
		goto err_put;
	}
	ret = sluice_slot_charge(slot);
	if (ret)
		goto err_put;
	slot->attach = sluice_compat_dma_buf_attach(slot->dmabuf, sdev->parent,
						    sluice_slot_ops(sdev, dmabuf), slot);
	if (IS_ERR(slot->attach)) {
		ret = PTR_ERR(slot->attach);
		slot->attach = NULL;
		goto err_put;
	}
	ret = sluice_slot_map(slot);
	if (!ret)
		ret = sluice_slot_vmap(slot);
	if (ret)
		goto err_put;
	return slot;

err_put:
	sluice_slot_put(slot);
	return ERR_PTR(ret);
err_rest:
	sluice_device_rest(sdev);
err_exit:
	sluice_device_exit(sdev);
	return ERR_PTR(ret);
}

/**
 * sluice_slot_bind - let jobs of a queue use a slot
 * @slot: from sluice_slot_create()
 * @queue: the queue; it outlives the slot
 * @number: reserved in the queue's table
 *
 * From here on the queue knows when the memory is taken back.
 *
 * Context: may sleep and takes the dma_resv.  Return: 0, -ENOMEM, or -ENODEV if it has
 * been already.
 */
int sluice_slot_bind(struct sluice_slot *slot, struct sluice_queue *queue, u32 number)
{
	struct sluice_sharing *spare;
	int ret = 0;

	if (slot->attach->importer_ops && dma_buf_is_dynamic(slot->dmabuf)) {
		slot->gone = sluice_fence_create(queue->name);
		if (!slot->gone)
			return -ENOMEM;
		sluice_fence_init(slot->gone, dma_fence_context_alloc(1), 1);
	}
	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare)
		return -ENOMEM;
	dma_resv_lock(slot->dmabuf->resv, NULL);
	if (slot->revoked) {
		ret = -ENODEV;
		kfree(spare);
	} else {
		slot->queue = queue;
		slot->number = number;
		slot->sharing = sluice_sharing_join(queue, spare, slot->dmabuf->resv);
	}
	dma_resv_unlock(slot->dmabuf->resv);
	return ret;
}

static void sluice_slot_release(struct kref *ref)
{
	struct sluice_slot *slot = container_of(ref, struct sluice_slot, ref);
	struct sluice_device *sdev = slot->sdev;

	sluice_slot_unmap(slot);
	if (slot->attach)
		dma_buf_detach(slot->dmabuf, slot->attach);
	/* only now: until it is detached it may be asked for */
	if (slot->sharing)
		sluice_sharing_leave(slot->queue, slot->sharing);
	dma_fence_put(slot->gone);
	sluice_account_uncharge(slot->client, slot->charge, true);
	dma_buf_put(slot->dmabuf);
	kfree(slot);
	sluice_object_dec(SLUICE_OBJECT_SLOT);
	sluice_device_rest(sdev);
	sluice_device_exit(sdev);
}

/**
 * sluice_slot_put - drop a reference
 * @slot: may be NULL
 *
 * Context: may sleep and take dma_resv.
 */
void sluice_slot_put(struct sluice_slot *slot)
{
	if (slot)
		kref_put(&slot->ref, sluice_slot_release);
}

/**
 * sluice_slot_put_unless_last - drop a reference, if it is not the last
 * @slot: may be NULL
 *
 * Return: false if it is the last; it is for sluice_slot_put() then.  Context: any.
 */
bool sluice_slot_put_unless_last(struct sluice_slot *slot)
{
	return !slot || refcount_dec_not_one(&slot->ref.refcount);
}

/**
 * sluice_slot_get - find a slot by number
 * @queue: whose
 * @number: as ATTACH returned it
 *
 * Context: the queue's slot_lock held.  Return: the slot with a reference for the
 * caller, or an ERR_PTR: -ENOENT without such a slot, -ENODEV when the device is
 * gone or the exporter has taken the memory back.
 */
struct sluice_slot *sluice_slot_get(struct sluice_queue *queue, u32 number)
{
	struct sluice_slot *slot = xa_load(&queue->slots, number);

	lockdep_assert_held(&queue->slot_lock);
	if (!slot)
		return ERR_PTR(queue->slots_closed ? -ENODEV : -ENOENT);
	if (slot == SLUICE_SLOT_REVOKED)
		return ERR_PTR(-ENODEV);
	kref_get(&slot->ref);
	return slot;
}

/**
 * sluice_queue_drop_slots - give all slots back, and let no more in
 * @queue: the queue
 *
 * On return all have been given back, whoever did it.
 *
 * Context: may sleep and take dma_resv.
 */
void sluice_queue_drop_slots(struct sluice_queue *queue)
{
	struct sluice_slot *slot;
	unsigned long number;

	mutex_lock(&queue->drop_lock);
	mutex_lock(&queue->slot_lock);
	queue->slots_closed = true;
	mutex_unlock(&queue->slot_lock);
	xa_for_each(&queue->slots, number, slot) {
		/* whoever erases it puts it: SUBMIT and DETACH look under this lock */
		mutex_lock(&queue->slot_lock);
		slot = xa_erase(&queue->slots, number);
		mutex_unlock(&queue->slot_lock);
		if (slot != SLUICE_SLOT_REVOKED)
			sluice_slot_put(slot);
	}
	mutex_unlock(&queue->drop_lock);
}

/**
 * sluice_slot_sync - pass a range between memory and a software engine
 * @slot: the slot of a software engine
 * @offset: bytes
 * @length: bytes
 * @for_engine: true before the engine uses the range: it sees what devices
 *	wrote; false after the engine wrote it: any device sees that
 *
 * Any context.
 */
void sluice_slot_sync(const struct sluice_slot *slot, u64 offset, u64 length, bool for_engine)
{
	/* only what needs no sync may be attached then */
	if (slot->sdev->bounced)
		return;
	sluice_sync_range(slot->sdev->parent, slot->sgt, slot->dir, offset, length, for_engine);
}

/**
 * sluice_slot_vaddr - kernel mapping of a slot
 * @slot: the slot of a software engine
 */
void *sluice_slot_vaddr(const struct sluice_slot *slot)
{
	return slot->map.vaddr;
}
EXPORT_SYMBOL_GPL(sluice_slot_vaddr);

/**
 * sluice_slot_shares - may two slots be the same memory?
 * @slot: of an op in flight
 * @other: of another one, of the same queue; either may be NULL
 *
 * The same dma-buf may be in a queue more than once.
 *
 * Context: any.  Return: true if so.
 */
bool sluice_slot_shares(const struct sluice_slot *slot, const struct sluice_slot *other)
{
	return slot && other && slot->dmabuf->resv == other->dmabuf->resv;
}
EXPORT_SYMBOL_GPL(sluice_slot_shares);

/**
 * sluice_cursor_advance - move on
 * @cursor: the place
 * @bytes: how far; to the end of the slot at most, which is no place to read
 *
 * Context: any.  Takes as long as there are segments in between.
 */
void sluice_cursor_advance(struct sluice_cursor *cursor, size_t bytes)
{
	cursor->offset += bytes;
	while (cursor->sg && cursor->offset >= sg_dma_len(cursor->sg)) {
		cursor->offset -= sg_dma_len(cursor->sg);
		cursor->sg = sg_next(cursor->sg);
	}
}
EXPORT_SYMBOL_GPL(sluice_cursor_advance);

/**
 * sluice_cursor_init - a place in a slot
 * @cursor: set to the place
 * @slot: the slot
 * @offset: bytes from its start, less than its size
 */
void sluice_cursor_init(struct sluice_cursor *cursor, const struct sluice_slot *slot, u64 offset)
{
	cursor->sg = slot->sgt->sgl;
	while (offset >= sg_dma_len(cursor->sg)) {
		offset -= sg_dma_len(cursor->sg);
		cursor->sg = sg_next(cursor->sg);
	}
	cursor->offset = offset;
}
EXPORT_SYMBOL_GPL(sluice_cursor_init);

#ifdef SLUICE_KUNIT
#include "selftests/kunit/slot.c"
#endif
