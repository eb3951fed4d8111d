/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of a queue: its slots, by number.
 *
 * Locks: table->lock guards the numbers.  A context that holds table->lock does not take a
 * dma_resv.  table->close_lock is taken before table->lock and before a dma_resv.
 *
 * queue.c embeds the table.  queue_file.c, op.c and register.c also call this file.
 */
#ifndef _SLUICE_SLOT_TABLE_H
#define _SLUICE_SLOT_TABLE_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "slot.h"

/* The entry of a number whose slot was dropped, because the exporter has taken the memory back. */
#define SLUICE_SLOT_TABLE_REVOKED	((struct sluice_slot *)xa_mk_value(0))

/**
 * struct sluice_slot_table - the slots of a queue
 * @owner: the owner of the slots, as slot.c knows it
 * @close_lock: held by a context that removes all slots
 * @lock: guards @slots and @closed
 * @slots: for each number, the struct sluice_slot, or SLUICE_SLOT_TABLE_REVOKED
 * @closed: the table accepts no more slots
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
