// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: the life of a slot.  See slot.h.
 */
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include "account.h"
#include "client.h"
#include "compat/dma-buf.h"
#include "compat/dma.h"
#include "device.h"
#include "dma.h"
#include "export.h"
#include "fence.h"
#include "heap.h"
#include "object.h"
#include "sharing.h"
#include "slot.h"

/**
 * struct sluice_slot_device - the revoked slots of a device that must be unmapped
 * @lock: spinlock, taken with interrupts off; guards @revoked
 * @revoked: revoked slots that no op uses any more
 * @work: unmaps the slots in @revoked
 */
struct sluice_slot_device {
	spinlock_t lock;
	struct list_head revoked;
	struct work_struct work;
};

/*
 * A software engine needs a mapping in both directions, because sluice_slot_sync() syncs a range
 * for the CPU before an op, and for devices after the op.
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
 * Is a segment aligned to the device's op_align?  SUBMIT checks only the alignment of offsets, so
 * an aligned offset must always have an aligned bus address.  The end of the last segment does not
 * matter.
 */
static bool sluice_slot_segment_aligned(const struct sluice_device *sdev, struct scatterlist *sg,
					bool last)
{
	u64 ends = sg_dma_address(sg) | (last ? 0 : sg_dma_len(sg));

	return sdev->cpu_engines || !(ends & (sdev->op_align - 1));
}

/*
 * Does the mapping cover the whole buffer, at addresses that the device can reach?  SUBMIT checks
 * ops against the size of the buffer, not against the table of the mapping.
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
		if (!sluice_slot_segment_aligned(slot->sdev, sg, i + 1 == slot->sgt->nents))
			return -EADDRNOTAVAIL;
		/*
		 * If the DMA API bounced the memory, other users of the buffer would not see the
		 * device's writes.  For our own buffers, our exporter's attach op has checked this.
		 */
		if (slot->sdev->bounced && !sluice_dmabuf_buffer(slot->dmabuf) &&
		    sluice_compat_is_bounce(slot->sdev->parent,
					    dma_to_phys(slot->sdev->parent, sg_dma_address(sg))))
			return -EADDRNOTAVAIL;
	}
	return mapped < slot->dmabuf->size ? -EINVAL : 0;
}

/*
 * The exporter takes its memory back, or moves it; the dma_resv is held.  A slot that is not mapped
 * yet is not revoked: the exporter may still move its memory, because it is not pinned.
 */
static void sluice_slot_invalidate(struct dma_buf_attachment *attach)
{
	struct sluice_slot *slot = attach->importer_priv;
	struct sluice_slot_owner *owner = slot->owner;
	bool going;

	if (!slot->sgt || slot->revoked)
		return;
	WRITE_ONCE(slot->revoked, true);
	if (!owner)	/* not bound: ATTACH or BUFFER_INFO still uses it, and will release it */
		return;
	/* if no reference is left, sluice_slot_release() unmaps the slot after this function */
	going = kref_get_unless_zero(&slot->ref);
	/* the engine settles slots in the order of ->revoke(), so the newest @gone signals last */
	sluice_sharing_lose(&owner->sharings, slot->sharing, going ? slot->gone : NULL);
	if (going)
		owner->ops->revoke(owner, slot);
}

/**
 * sluice_slot_settle - signal the fence @gone of a revoked slot, and unmap the slot later
 * @slot: a slot that was passed to ->revoke(), and that no op uses any more; takes over the
 *	reference that ->revoke() got
 *
 * Queues the work item that unmaps the slot.
 *
 * Context: the engine's work item, in the signalling path of fences.
 */
void sluice_slot_settle(struct sluice_slot *slot)
{
	struct sluice_device *sdev = slot->sdev;
	struct sluice_slot_device *slots = sdev->slots;

	if (slot->gone)
		sluice_fence_end(slot->gone, -ENODEV, ktime_get());
	spin_lock_irq(&slots->lock);
	list_add_tail(&slot->revoke, &slots->revoked);
	spin_unlock_irq(&slots->lock);
	/* the work item may already be running and free the slot, so do not use it here */
	queue_work(sdev->reap_wq, &slots->work);
}

static const struct dma_buf_attach_ops sluice_slot_peer_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = sluice_slot_invalidate,
};

/*
 * Without peer-to-peer DMA, so that the memory is system memory.  For a software engine, which
 * needs a kernel mapping, and for a slot that needs the probe device: see
 * sluice_slot_needs_probe().
 */
static const struct dma_buf_attach_ops sluice_slot_memory_ops = {
	.invalidate_mappings = sluice_slot_invalidate,
};

/*
 * Nothing to do, because the probe device has no mapping now: the exporter calls this with the
 * dma_resv held, and sluice_slot_probe() maps and unmaps within one hold of the dma_resv.
 */
static void sluice_slot_probe_invalidate(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops sluice_slot_probe_ops = {
	.invalidate_mappings = sluice_slot_probe_invalidate,
};

/*
 * Must the probe device check the addresses of this buffer?  The DMA API might bounce the buffer if
 * the device cannot address all memory: the device's writes would then reach the memory late or
 * never, without an error.  The addresses of a foreign buffer are known only when it is mapped.  So
 * the probe device, a device of the core that can address all memory, maps the buffer first.  For
 * our own buffers, our exporter checks the addresses.
 *
 * The probe device cannot do peer-to-peer DMA.  A slot that needs the probe does not allow
 * peer-to-peer DMA either.  Otherwise the exporter could place the memory elsewhere for the slot.
 */
static bool sluice_slot_needs_probe(const struct sluice_device *sdev, struct dma_buf *dmabuf)
{
	return !sluice_dmabuf_buffer(dmabuf) && !sdev->translated &&
	       dma_addressing_limited(sdev->parent);
}

static const struct dma_buf_attach_ops *sluice_slot_ops(const struct sluice_device *sdev,
							struct dma_buf *dmabuf)
{
	return sdev->cpu_engines || sluice_slot_needs_probe(sdev, dmabuf) ?
	       &sluice_slot_memory_ops : &sluice_slot_peer_ops;
}

/*
 * Check with the probe device that the slot's device can reach the memory.  The memory is pinned,
 * so the answer stays valid.  The dma_resv is held.
 */
static int sluice_slot_probe(const struct sluice_slot *slot, struct dma_buf_attachment *probe)
{
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i, ret = 0;

	sgt = dma_buf_map_attachment(probe, DMA_TO_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	for_each_sgtable_dma_sg(sgt, sg, i) {
		phys_addr_t end = dma_to_phys(probe->dev, sg_dma_address(sg)) +
				  sg_dma_len(sg) - 1;

		if (!sluice_dma_reaches(slot->sdev->parent, end))
			ret = -EADDRNOTAVAIL;
	}
	dma_buf_unmap_attachment(probe, sgt, DMA_TO_DEVICE);
	return ret;
}

/**
 * sluice_slot_attached - does an attachment belong to a slot that is told of revocations?
 * @attach: any attachment
 *
 * Context: any.
 * Return: true for a slot that is a dynamic importer; false for any other importer, and for a slot
 * that is a static importer.
 */
bool sluice_slot_attached(const struct dma_buf_attachment *attach)
{
	return attach->importer_ops &&
	       attach->importer_ops->invalidate_mappings == sluice_slot_invalidate;
}

/* Release the kernel mapping, the mapping and the pin.  Idempotent. */
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
			sluice_sharing_lose(&slot->owner->sharings, slot->sharing, NULL);
		dma_buf_unmap_attachment(slot->attach, sgt, slot->dir);
		if (slot->attach->importer_ops)
			dma_buf_unpin(slot->attach);
	}
	dma_resv_unlock(slot->dmabuf->resv);
}

/* Unmap the revoked slots that no op uses any more. */
static void sluice_slot_unmap_work(struct work_struct *work)
{
	struct sluice_slot_device *slots = container_of(work, struct sluice_slot_device, work);
	struct sluice_slot *slot, *next;
	LIST_HEAD(revoked);

	spin_lock_irq(&slots->lock);
	list_splice_init(&slots->revoked, &revoked);
	spin_unlock_irq(&slots->lock);
	list_for_each_entry_safe(slot, next, &revoked, revoke) {
		sluice_slot_unmap(slot);
		slot->owner->ops->unmapped(slot->owner, slot);
	}
}

/*
 * An exporter that does not allow the pin returns -EINVAL or -EOPNOTSUPP.  Both have other meanings
 * in ATTACH, so this returns -EPERM instead.  Other failures (-ENOMEM, -ENODEV) are passed on.
 */
static int sluice_slot_pin(struct sluice_slot *slot)
{
	int ret = 0;

	if (slot->attach->importer_ops)
		ret = dma_buf_pin(slot->attach);
	return ret == -EINVAL || ret == -EOPNOTSUPP ? -EPERM : ret;
}

/*
 * Pin the memory, check it with the probe device if there is one, and map it.  Takes the dma_resv
 * once for all three steps.
 */
static int sluice_slot_map_pinned(struct sluice_slot *slot, struct dma_buf_attachment *probe)
{
	struct dma_resv *resv = slot->dmabuf->resv;
	int ret;

	dma_resv_lock(resv, NULL);
	ret = sluice_slot_pin(slot);
	if (ret)
		goto unlock;
	if (probe)
		ret = sluice_slot_probe(slot, probe);
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
 * Pin and map the memory.  Then wait for the exporter's own fences (a move or a clear), at most
 * SLUICE_FENCE_TIMEOUT_MS.  The wait is here because a job does not wait for them if its slot has
 * no entry in its set (see resv.h).
 */
static int sluice_slot_map(struct sluice_slot *slot)
{
	struct dma_resv *resv = slot->dmabuf->resv;
	struct dma_buf_attachment *probe = NULL;
	long left;
	int ret;

	if (sluice_slot_needs_probe(slot->sdev, slot->dmabuf)) {
		probe = sluice_compat_dma_buf_attach(slot->dmabuf, sluice_dma_probe_device(),
						     &sluice_slot_probe_ops, NULL);
		if (IS_ERR(probe))
			return PTR_ERR(probe);
	}
	ret = sluice_slot_map_pinned(slot, probe);
	if (probe)
		dma_buf_detach(slot->dmabuf, probe);
	if (ret)
		return ret;

	left = dma_resv_wait_timeout(resv, DMA_RESV_USAGE_KERNEL, true,
				     msecs_to_jiffies(SLUICE_FENCE_TIMEOUT_MS));
	if (left <= 0)
		return left ?: -ETIME;
	dma_resv_lock(resv, NULL);
	ret = slot->revoked ? -ENODEV : sluice_slot_check(slot);
	dma_resv_unlock(resv);
	return ret;
}

/* A software engine needs a kernel mapping.  Foreign exporters may not support one. */
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
 * Charge the client for a foreign buffer, because the slot keeps the memory from being moved,
 * reclaimed or swapped out.  The charge counts only against the limit of the open file, not against
 * that of the user, because the exporter may have charged the user already.  A buffer of our own is
 * charged to the client that allocated it.
 */
static int sluice_slot_charge(struct sluice_slot *slot)
{
	u64 bytes = slot->dmabuf->size;
	u32 hint;
	int ret;

	if (sluice_dmabuf_buffer(slot->dmabuf))
		return 0;
	ret = sluice_account_charge(&slot->client->account, bytes, true, &hint);
	if (!ret)
		slot->charge = bytes;
	return ret;
}

/* A slot that has entered the device and keeps it awake, but that is not attached yet. */
static struct sluice_slot *sluice_slot_new(struct sluice_client *client, struct dma_buf *dmabuf,
					   u32 flags)
{
	struct sluice_device *sdev = client->sdev;
	struct sluice_slot *slot;
	int ret = -ENODEV;

	if (!sluice_device_enter(sdev))
		return ERR_PTR(ret);
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
	return slot;

err_rest:
	sluice_device_rest(sdev);
err_exit:
	sluice_device_exit(sdev);
	return ERR_PTR(ret);
}

static int sluice_slot_attach(struct sluice_slot *slot)
{
	const struct dma_buf_attach_ops *ops = sluice_slot_ops(slot->sdev, slot->dmabuf);
	struct dma_buf_attachment *attach;

	attach = sluice_compat_dma_buf_attach(slot->dmabuf, slot->sdev->parent, ops, slot);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	slot->attach = attach;
	return 0;
}

/**
 * sluice_slot_create - attach and map a dma-buf
 * @client: the slot is for the device of this client, which is charged for a foreign buffer.  The
 *	caller keeps the client until the slot is freed
 * @dmabuf: the dma-buf, ours or foreign; the slot takes a reference of its own
 * @flags: SLUICE_ATTACH_*, checked.  If neither READ nor WRITE is set, both apply
 *
 * Context: may sleep; takes the dma_resv.
 * Return: the slot with one reference, or an ERR_PTR:
 *
 *	-EACCES		WRITE, and the dma-buf is read-only
 *	-EADDRNOTAVAIL	the device cannot address the memory, the DMA API would bounce it, or its
 *			bus addresses are not aligned to the device's op_align
 *	-EDQUOT		the limit of the client is exceeded
 *	-EINVAL		the exporter maps less than the size of the buffer
 *	-EIO		the hardware does not wake up
 *	-ENODEV		the device is being removed, or the memory was revoked
 *	-ENOMEM		no memory
 *	-EOPNOTSUPP	software engine: the buffer has no kernel mapping
 *	-EPERM		the exporter does not allow a pin
 *	-ERESTARTSYS	a signal arrived
 *	-ETIME		the exporter's fences did not signal in SLUICE_FENCE_TIMEOUT_MS
 *	others		what the exporter returned
 */
struct sluice_slot *sluice_slot_create(struct sluice_client *client, struct dma_buf *dmabuf,
				       u32 flags)
{
	struct sluice_slot *slot;
	int ret = -EACCES;

	if (!(flags & (SLUICE_ATTACH_READ | SLUICE_ATTACH_WRITE)))
		flags |= SLUICE_ATTACH_READ | SLUICE_ATTACH_WRITE;
	slot = sluice_slot_new(client, dmabuf, flags);
	if (IS_ERR(slot))
		return slot;
	if (flags & SLUICE_ATTACH_WRITE && !(dmabuf->file->f_mode & FMODE_WRITE))
		goto err_put;
	ret = sluice_slot_charge(slot);
	if (!ret)
		ret = sluice_slot_attach(slot);
	if (!ret)
		ret = sluice_slot_map(slot);
	if (!ret)
		ret = sluice_slot_vmap(slot);
	if (ret)
		goto err_put;
	return slot;

err_put:
	sluice_slot_put(slot);
	return ERR_PTR(ret);
}

/**
 * sluice_slot_bind - give a slot to its owner
 * @slot: from sluice_slot_create()
 * @owner: the owner; it must outlive the slot
 * @number: number of the slot in the table of @owner
 *
 * After success, a revocation of the memory aborts the queue's ops that use the slot.
 *
 * Context: may sleep; takes the dma_resv.
 * Return: 0, -ENOMEM, or -ENODEV if the memory was already revoked.
 */
int sluice_slot_bind(struct sluice_slot *slot, struct sluice_slot_owner *owner, u32 number)
{
	struct sluice_sharing *spare;
	int ret = 0;

	/* also for an exporter without a pin op: VFIO takes memory back, too */
	if (slot->attach->importer_ops) {
		slot->gone = sluice_fence_create(owner->timeline);
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
		slot->owner = owner;
		slot->number = number;
		slot->sharing = sluice_sharing_join(&owner->sharings, spare, slot->dmabuf->resv);
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
	/* after the detach: until then the exporter may still call sluice_slot_invalidate() */
	if (slot->sharing)
		sluice_sharing_leave(&slot->owner->sharings, slot->sharing);
	dma_fence_put(slot->gone);
	sluice_account_uncharge(&slot->client->account, slot->charge, true);
	dma_buf_put(slot->dmabuf);
	kfree(slot);
	sluice_object_dec(SLUICE_OBJECT_SLOT);
	sluice_device_rest(sdev);
	sluice_device_exit(sdev);
}

/**
 * sluice_slot_put - drop a reference
 * @slot: the slot, or NULL
 *
 * Context: may sleep; the last put takes the dma_resv.
 */
void sluice_slot_put(struct sluice_slot *slot)
{
	if (slot)
		kref_put(&slot->ref, sluice_slot_release);
}

/**
 * sluice_slot_put_unless_last - drop a reference, unless it is the last one
 * @slot: the slot, or NULL
 *
 * Context: any.
 * Return: true if the reference was dropped.  False if it is the last one: the caller still has it,
 * and must call sluice_slot_put().
 */
bool sluice_slot_put_unless_last(struct sluice_slot *slot)
{
	return !slot || refcount_dec_not_one(&slot->ref.refcount);
}

/**
 * sluice_slot_device_init - prepare a device for slots
 * @sdev: a device that is being registered
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_slot_device_init(struct sluice_device *sdev)
{
	struct sluice_slot_device *slots = kzalloc(sizeof(*slots), GFP_KERNEL);

	if (!slots)
		return -ENOMEM;
	spin_lock_init(&slots->lock);
	INIT_LIST_HEAD(&slots->revoked);
	INIT_WORK(&slots->work, sluice_slot_unmap_work);
	sdev->slots = slots;
	return 0;
}

/**
 * sluice_slot_device_free - undo sluice_slot_device_init()
 * @sdev: a device without slots
 *
 * Context: any.
 */
void sluice_slot_device_free(struct sluice_device *sdev)
{
	kfree(sdev->slots);
}

/**
 * sluice_slot_sync - make a range coherent between a software engine and devices
 * @slot: a slot of a software engine
 * @offset: bytes from the start of the slot to the range
 * @length: bytes of the range
 * @for_engine: true before the engine uses the range, so that it sees the writes of devices; false
 *	after the engine has written the range, so that devices see its writes
 *
 * Context: any.
 */
void sluice_slot_sync(const struct sluice_slot *slot, u64 offset, u64 length, bool for_engine)
{
	/* the DMA API bounces all DMA: ATTACH then accepts only memory that needs no sync */
	if (slot->sdev->bounced)
		return;
	sluice_dma_sync_range(slot->sdev->parent, slot->sgt, slot->dir, offset, length,
			      for_engine);
}

/**
 * sluice_slot_vaddr - kernel address of a slot
 * @slot: a slot of an op that is in flight on a software engine
 *
 * Context: any.
 * Return: the address of the slot's first byte, valid while the op is in flight.
 */
void *sluice_slot_vaddr(const struct sluice_slot *slot)
{
	return slot->map.vaddr;
}
EXPORT_SYMBOL_GPL(sluice_slot_vaddr);

/**
 * sluice_slot_shares - may two slots have the same memory?
 * @slot: slot of an op in flight, or NULL
 * @other: slot of an op in flight of the same queue, or NULL
 *
 * They may, because userspace may attach the same dma-buf to a queue several times.
 *
 * Context: any.
 * Return: true if the buffers of the slots have the same dma_resv; false if a slot is NULL.
 */
bool sluice_slot_shares(const struct sluice_slot *slot, const struct sluice_slot *other)
{
	return slot && other && slot->dmabuf->resv == other->dmabuf->resv;
}
EXPORT_SYMBOL_GPL(sluice_slot_shares);

/**
 * sluice_cursor_advance - move a position forward
 * @cursor: the position
 * @bytes: distance, at most to the end of the slot.  A cursor at the end of the slot has no bus
 *	address
 *
 * The time depends on the number of segments between the old and the new position.
 *
 * Context: any.
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
 * sluice_cursor_init - set a cursor to a position in a slot
 * @cursor: set to the position
 * @slot: the slot, which must be mapped
 * @offset: bytes from the start of the slot to the position; less than the size of the slot
 *
 * Context: any.
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
