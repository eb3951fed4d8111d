/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots: dma-bufs that are attached and mapped for a queue's device.
 *
 * The dma_resv guards @sgt, @revoked and @sharing of a slot; slot.c names the other locks.
 */
#ifndef _SLUICE_SLOT_H
#define _SLUICE_SLOT_H

#include <linux/dma-buf.h>
#include <linux/dma-direction.h>
#include <linux/iosys-map.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

struct dma_fence;
struct sluice_client;
struct sluice_device;
struct sluice_queue;
struct sluice_sharing;

/**
 * struct sluice_slot - a dma-buf that is attached and mapped for a queue's device
 * @ref: held by the queue's table, by jobs, and by the engine while the memory is taken back
 * @queue: the queue, which outlives its slots.  NULL for the temporary slot of BUFFER_INFO
 * @sdev: the device; the slot counts in its @users
 * @client: the client that is charged.  The queue or the call holds it, so it outlives the slot
 * @charge: bytes of a foreign buffer that @client is charged
 * @number: number in the queue's table
 * @dmabuf: the dma-buf; reference held
 * @attach: attachment of the device's parent; NULL only if attach failed
 * @sgt: table, mapped in direction @dir; NULL once it is unmapped.  Under the dma_resv
 * @dir: direction of the mapping
 * @flags: SLUICE_ATTACH_*, with READ or WRITE or both
 * @map: kernel mapping, for a software engine
 * @sharing: the slots of the queue with the same dma_resv; NULL for the temporary slot of
 *	BUFFER_INFO
 * @revoked: the exporter takes the memory back, so no op may use it any more.  Set under the
 *	dma_resv
 * @in_flight: ops in flight that use the slot; under engine->lock
 * @revoke: in engine->revoked until @in_flight is 0, then in sdev->revoked
 * @gone: for memory that its exporter may take back, else NULL: fence that signals when no op uses
 *	the slot any more.  After a revocation it replaces the fences of the queue's jobs on the
 *	dma_resv: see sharing.c
 */
struct sluice_slot {
	struct kref ref;
	struct sluice_queue *queue;
	struct sluice_device *sdev;
	struct sluice_client *client;
	u64 charge;
	u32 number;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	u32 flags;
	struct iosys_map map;
	struct sluice_sharing *sharing;
	bool revoked;
	unsigned int in_flight;
	struct list_head revoke;
	struct dma_fence *gone;
};

struct sluice_slot *sluice_slot_create(struct sluice_client *client, struct dma_buf *dmabuf,
				       u32 flags);
int sluice_slot_bind(struct sluice_slot *slot, struct sluice_queue *queue, u32 number);
void sluice_slot_settle(struct sluice_slot *slot);
void sluice_slots_unmap_revoked(struct work_struct *work);
bool sluice_slot_attached(const struct dma_buf_attachment *attach);
struct sluice_slot *sluice_slot_get(struct sluice_queue *queue, u32 number);
void sluice_slot_put(struct sluice_slot *slot);
bool sluice_slot_put_unless_last(struct sluice_slot *slot);
void sluice_queue_drop_slots(struct sluice_queue *queue);

/* Stands in a queue's table instead of a slot whose memory was taken back. */
#define SLUICE_SLOT_REVOKED	((struct sluice_slot *)xa_mk_value(0))

static inline bool sluice_slot_revoked(const struct sluice_slot *slot)
{
	return slot && READ_ONCE(slot->revoked);
}

void sluice_slot_sync(const struct sluice_slot *slot, u64 offset, u64 length, bool for_engine);

#endif /* _SLUICE_SLOT_H */
