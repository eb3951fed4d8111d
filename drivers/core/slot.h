/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots: a slot is a dma-buf that is attached and mapped once for the device of a queue.  Each queue
 * has a table of slots.
 *
 * An exporter can revoke its memory.  The owner of a table then learns of it through
 * struct sluice_slot_table_ops.
 *
 * Locks: the dma_resv guards @sgt, @revoked and @sharing of a slot, table->lock the numbers in a
 * table, engine->lock @in_flight, and a lock of slot.c the slots that must be unmapped.
 *
 * queue_file.c, op.c, buffer_info.c and the engine call this file.  Device drivers call the
 * functions that sluice.h declares.
 */
#ifndef _SLUICE_SLOT_H
#define _SLUICE_SLOT_H

#include <linux/dma-buf.h>
#include <linux/dma-direction.h>
#include <linux/iosys-map.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "fence.h"
#include "sharing.h"
#include "sluice.h"

struct dma_fence;
struct sluice_client;
struct sluice_device;
struct sluice_slot_table;

/**
 * struct sluice_slot_table_ops - functions of the owner of a table
 * @revoke: memory of a slot is being taken back, so its ops in flight must be stopped.  Takes over
 *	a reference on the slot.  It must have sluice_slot_settle() called later, when no op uses
 *	the slot.  The owner must stay until @put.  Called with the dma_resv held
 * @put: the work that @revoke began has ended
 */
struct sluice_slot_table_ops {
	void (*revoke)(struct sluice_slot_table *table, struct sluice_slot *slot);
	void (*put)(struct sluice_slot_table *table);
};

/**
 * struct sluice_slot_table - the slots of a queue
 * @ops: functions of the owner
 * @timeline: timeline of the queue
 * @close_lock: mutex, outside the dma_resv: one context at a time removes all slots
 * @lock: mutex, inside the dma_resv: guards @slots and @closed
 * @slots: number -> struct sluice_slot, or SLUICE_SLOT_REVOKED instead
 * @closed: no more slots are accepted
 * @sharings: the slots by dma_resv
 */
struct sluice_slot_table {
	const struct sluice_slot_table_ops *ops;
	const struct sluice_timeline *timeline;
	struct mutex close_lock;
	struct mutex lock;
	struct xarray slots;
	bool closed;
	struct sluice_sharings sharings;
};

/**
 * struct sluice_slot - a dma-buf that is attached and mapped for a queue's device
 * @ref: held by the table, by jobs, and by the engine while the memory is taken back
 * @table: the table that it is bound to, which outlives it.  NULL for the temporary slot of
 *	BUFFER_INFO
 * @sdev: the device; the slot counts in its @users
 * @client: the client that is charged.  The queue or the call holds it, so it outlives the slot
 * @charge: bytes of a foreign buffer that @client is charged
 * @number: number in @table
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
 * @gone: for memory that its exporter may take back, else NULL: fence that signals when no op uses
 *	the slot any more.  After a revocation it replaces the fences of the queue's jobs on the
 *	dma_resv: see sharing.c
 */
struct sluice_slot {
	struct kref ref;
	struct sluice_slot_table *table;
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

/* Stands in a table instead of a slot whose memory was taken back. */
#define SLUICE_SLOT_REVOKED	((struct sluice_slot *)xa_mk_value(0))

static inline bool sluice_slot_revoked(const struct sluice_slot *slot)
{
	return slot && READ_ONCE(slot->revoked);
}

struct sluice_slot *sluice_slot_create(struct sluice_client *client, struct dma_buf *dmabuf,
				       u32 flags);
int sluice_slot_bind(struct sluice_slot *slot, struct sluice_slot_table *table, u32 number);
void sluice_slot_settle(struct sluice_slot *slot);
bool sluice_slot_attached(const struct dma_buf_attachment *attach);
void sluice_slot_put(struct sluice_slot *slot);
bool sluice_slot_put_unless_last(struct sluice_slot *slot);
void sluice_slot_sync(const struct sluice_slot *slot, u64 offset, u64 length, bool for_engine);

void sluice_slot_table_init(struct sluice_slot_table *table,
			    const struct sluice_slot_table_ops *ops,
			    const struct sluice_timeline *timeline);
void sluice_slot_table_destroy(struct sluice_slot_table *table);
int sluice_slot_table_reserve(struct sluice_slot_table *table, u32 *number);
void sluice_slot_table_unreserve(struct sluice_slot_table *table, u32 number);
int sluice_slot_table_publish(struct sluice_slot_table *table, struct sluice_slot *slot);
int sluice_slot_table_remove(struct sluice_slot_table *table, u32 number);
struct sluice_slot *sluice_slot_table_get(struct sluice_slot_table *table, u32 number);
void sluice_slot_table_close(struct sluice_slot_table *table);

int sluice_slot_device_init(struct sluice_device *sdev);
void sluice_slot_device_free(struct sluice_device *sdev);

#endif /* _SLUICE_SLOT_H */
