/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots: a slot is a dma-buf that is attached and mapped once for the device of a queue.  The
 * dma-buf may be one of ours or a foreign one.
 *
 * A slot is a dynamic importer that pins, so the memory does not move while it is mapped.  On older
 * kernels (such as 6.1 and 6.12), a slot of memory that cannot move is a static importer.
 *
 * An exporter can revoke its memory: it takes the memory back for good, for example because its
 * device is removed.  It then waits for the fences on the buffer, sometimes with the dma_resv held,
 * and for the unmap.  Three steps limit this wait to one abort, even if many jobs are queued:
 *
 *	sluice_slot_invalidate()	marks the slot, so that no op that uses it is handed out.
 *				The slot's fence @gone replaces the queue's fences on the dma_resv.
 *				The owner of the slot, which is the table of a queue, tells the
 *				engine to abort the ops in flight
 *	sluice_slot_settle()	signals @gone, after these ops have ended
 *	sluice_slot_unmap_work()	unmaps the slot
 *
 * A job that uses a revoked slot keeps its position, and ends with -ENODEV in its turn.
 *
 * References: the table of the queue holds one, each job that uses the slot holds one for each
 * range, and the engine holds one during a revocation.  The last put takes the dma_resv to unmap,
 * so it must not be in the signalling path of fences.
 *
 * Locks: the dma_resv guards @sgt, @revoked and @sharing of a slot.  engine->lock guards
 * @in_flight.  A lock of slot.c guards the list of slots that must be unmapped.
 *
 * queue_file.c and buffer_info.c create slots.  slot_table.c, job.c and the engine also call this
 * file.  Device drivers call the functions that sluice.h declares.
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
 * @revoke: the exporter takes the memory of a slot back.  The owner must stop the ops in flight
 *	that use the slot.  When no op uses the slot any more, sluice_slot_settle() must be called.
 *	The owner must stay until @unmapped.  @revoke gets a reference on the slot, for
 *	sluice_slot_settle().  Called with the dma_resv held
 * @unmapped: the slot is unmapped.  The owner must drop the reference that @revoke got.  May sleep
 */
struct sluice_slot_owner_ops {
	void (*revoke)(struct sluice_slot_owner *owner, struct sluice_slot *slot);
	void (*unmapped)(struct sluice_slot_owner *owner, struct sluice_slot *slot);
};

/**
 * struct sluice_slot_owner - owner of slots, embedded in the table of slots of a queue
 * @ops: functions of the owner
 * @timeline: timeline of the queue
 * @sharings: the slots of the queue, grouped by dma_resv
 */
struct sluice_slot_owner {
	const struct sluice_slot_owner_ops *ops;
	const struct sluice_timeline *timeline;
	struct sluice_sharings sharings;
};

/**
 * struct sluice_slot - a dma-buf that is attached and mapped for a queue's device
 * @ref: held by the table, by jobs, and by the engine while the memory is taken back
 * @owner: the owner, which outlives the slot.  NULL until sluice_slot_bind(), and always NULL for
 *	the temporary slot of BUFFER_INFO
 * @sdev: the device; the slot counts in sdev->users
 * @client: the client that is charged.  The queue or the caller of sluice_slot_create() keeps it
 *	until the slot is freed
 * @charge: bytes that @client is charged; 0 for a buffer of our own
 * @number: number of the slot in the table of @owner
 * @dmabuf: the dma-buf; reference held
 * @attach: attachment of sdev->parent; NULL only if the slot could not be attached
 * @sgt: the mapping, as a table of segments; NULL while the slot is not mapped.  Under the dma_resv
 * @dir: direction of the mapping
 * @flags: SLUICE_ATTACH_*, with READ or WRITE or both
 * @map: kernel mapping, only for a software engine
 * @sharing: counts the slots of the queue with the same dma_resv; NULL if @owner is NULL
 * @revoked: the exporter takes the memory back, so no op may use it any more.  Set under the
 *	dma_resv
 * @in_flight: number of ops in flight that use the slot; under engine->lock
 * @revoke: in engine->revoked until @in_flight is 0, then in the list of slots that must be
 *	unmapped
 * @gone: fence that signals when no op uses the revoked slot any more.  After a revocation it
 *	replaces the fences of the queue's jobs on the dma_resv: see sharing.h.  NULL if @owner is
 *	NULL, or for a static importer, which is not told of revocations
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
