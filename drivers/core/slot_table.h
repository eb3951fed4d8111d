/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of a queue: its slots, by number.
 *
 * Locks: table->lock guards the numbers; it is inside the dma_resv.  table->close_lock is outside
 * the dma_resv.
 *
 * queue.c embeds the table.  queue_file.c, op.c and register.c call this file.
 */
#ifndef _SLUICE_SLOT_TABLE_H
#define _SLUICE_SLOT_TABLE_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "slot.h"

/* Stands in a table instead of a slot whose memory was taken back. */
#define SLUICE_SLOT_TABLE_REVOKED	((struct sluice_slot *)xa_mk_value(0))

/**
 * struct sluice_slot_table - the slots of a queue
 * @owner: the table, as the owner of slots
 * @close_lock: one context at a time removes all slots
 * @lock: guards @slots and @closed
 * @slots: number -> struct sluice_slot, or SLUICE_SLOT_TABLE_REVOKED instead
 * @closed: no more slots are accepted
 */
struct sluice_slot_table {
	struct sluice_slot_owner owner;
	struct mutex close_lock;
	struct mutex lock;
	struct xarray slots;
	bool closed;
};

void sluice_slot_table_init(struct sluice_slot_table *table,
			    const struct sluice_slot_owner_ops *ops,
			    const struct sluice_timeline *timeline);
void sluice_slot_table_destroy(struct sluice_slot_table *table);
int sluice_slot_table_reserve(struct sluice_slot_table *table, u32 *number);
void sluice_slot_table_unreserve(struct sluice_slot_table *table, u32 number);
int sluice_slot_table_publish(struct sluice_slot_table *table, struct sluice_slot *slot);
int sluice_slot_table_remove(struct sluice_slot_table *table, u32 number);
void sluice_slot_table_drop_revoked(struct sluice_slot_table *table, struct sluice_slot *slot);
struct sluice_slot *sluice_slot_table_get(struct sluice_slot_table *table, u32 number);
void sluice_slot_table_close(struct sluice_slot_table *table);

#endif /* _SLUICE_SLOT_TABLE_H */
