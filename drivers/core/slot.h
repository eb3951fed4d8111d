/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots: a slot is a dma-buf that is attached and mapped once for the device of a queue.
 *
 * An exporter can revoke its memory.  The owner of the slot, which is the table of a queue, then
 * learns of it through struct sluice_slot_owner_ops.
 *
 * Locks: the dma_resv guards @sgt, @revoked and @sharing of a slot, engine->lock @in_flight, and a
 * lock of slot.c the slots that must be unmapped.
 *
 * queue_file.c and buffer_info.c create slots.  slot_table.c, job.c and the files of an engine call
 * the other functions.  Device drivers call the functions that sluice.h declares.
 */
#ifndef _SLUICE_SLOT_H
#define _SLUICE_SLOT_H

#include <linux/dma-buf.h>
#include <linux/dma-direction.h>
#include <linux/iosys-map.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/types.h>

#include "fence.h"
#include "sharing.h"
#include "sluice.h"

struct dma_fence;
struct sluice_client;
struct sluice_device;
struct sluice_slot;
struct sluice_slot_owner;

/**
 * struct sluice_slot_owner_ops - functions of the owner of slots
 * @revoke: memory of a slot is being taken back, so its ops in flight must be stopped.  Takes over
 *	a reference on the slot.  It must have sluice_slot_settle() called later, when no op uses
 *	the slot.  The owner must stay until @unmapped.  Called with the dma_resv held
 * @unmapped: the slot is unmapped.  Takes over the reference that @revoke was given.  May sleep
 */
struct sluice_slot_owner_ops {
	void (*revoke)(struct sluice_slot_owner *owner, struct sluice_slot *slot);
	void (*unmapped)(struct sluice_slot_owner *owner, struct sluice_slot *slot);
};

/**
 * struct sluice_slot_owner - owner of slots; part of a table of slots
 * @ops: its functions
 * @timeline: timeline of its queue
 * @sharings: its slots by dma_resv
 */
struct sluice_slot_owner {
	const struct sluice_slot_owner_ops *ops;
	const struct sluice_timeline *timeline;
	struct sluice_sharings sharings;
};

/**
 * struct sluice_slot - a dma-buf that is attached and mapped for a queue's device
 * @ref: held by the table, by jobs, and by the engine while the memory is taken back
 * @owner: its owner, which outlives it.  NULL for the temporary slot of BUFFER_INFO
 * @sdev: the device; the slot counts in its @users
 * @client: the client that is charged.  The queue or the call holds it, so it outlives the slot
 * @charge: bytes of a foreign buffer that @client is charged
 * @number: number in the table of @owner
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
 * @revoke: in engine->revoked until @in_flight is 0, then in the list of slots that must be
 *	unmapped
 * @gone: fence that signals when no op uses the slot any more; NULL if the exporter cannot tell
 *	the slot that it takes its memory back.  After a revocation it replaces the fences of the
 *	queue's jobs on the dma_resv: see sharing.h
 */
struct sluice_slot {
	struct kref ref;
	struct sluice_slot_owner *owner;
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

static inline bool sluice_slot_revoked(const struct sluice_slot *slot)
{
	return slot && READ_ONCE(slot->revoked);
}

struct sluice_slot *sluice_slot_create(struct sluice_client *client, struct dma_buf *dmabuf,
				       u32 flags);
int sluice_slot_bind(struct sluice_slot *slot, struct sluice_slot_owner *owner, u32 number);
void sluice_slot_settle(struct sluice_slot *slot);
bool sluice_slot_attached(const struct dma_buf_attachment *attach);
void sluice_slot_put(struct sluice_slot *slot);
bool sluice_slot_put_unless_last(struct sluice_slot *slot);
void sluice_slot_sync(const struct sluice_slot *slot, u64 offset, u64 length, bool for_engine);

int sluice_slot_device_init(struct sluice_device *sdev);
void sluice_slot_device_free(struct sluice_device *sdev);

#endif /* _SLUICE_SLOT_H */
