// SPDX-License-Identifier: GPL-2.0-only
/* The table of a queue: its slots, by number.  See slot_table.h. */
#include "slot_table.h"

/**
 * sluice_slot_table_init - initialise the table of a queue
 * @table: part of the queue
 * @ops: functions for its slots
 * @timeline: timeline of the queue
 *
 * Context: any.
 */
void sluice_slot_table_init(struct sluice_slot_table *table,
			    const struct sluice_slot_owner_ops *ops,
			    const struct sluice_timeline *timeline)
{
	table->owner.ops = ops;
	table->owner.timeline = timeline;
	mutex_init(&table->close_lock);
	mutex_init(&table->lock);
	xa_init_flags(&table->slots, XA_FLAGS_ALLOC);
	sluice_sharing_init(&table->owner.sharings, timeline->context);
}

/**
 * sluice_slot_table_destroy - free the memory of a table
 * @table: a table that has no slots, and that no context uses any more
 *
 * Context: may sleep.
 */
void sluice_slot_table_destroy(struct sluice_slot_table *table)
{
	xa_destroy(&table->slots);
}

/**
 * sluice_slot_table_reserve - reserve a number
 * @table: the table
 * @number: set to the number, which names no slot yet
 *
 * Context: may sleep.
 * Return: 0, -ENODEV if the table is closed, -ENOSPC if it is full, or -ENOMEM.
 */
int sluice_slot_table_reserve(struct sluice_slot_table *table, u32 *number)
{
	int ret = -ENODEV;

	mutex_lock(&table->lock);
	if (!table->closed)
		ret = xa_alloc(&table->slots, number, NULL, XA_LIMIT(0, SLUICE_MAX_SLOTS - 1),
			       GFP_KERNEL_ACCOUNT);
	mutex_unlock(&table->lock);
	return ret == -EBUSY ? -ENOSPC : ret;
}

/**
 * sluice_slot_table_unreserve - release a reserved number
 * @table: the table
 * @number: from sluice_slot_table_reserve(); no slot was published under it
 *
 * Context: any.
 */
void sluice_slot_table_unreserve(struct sluice_slot_table *table, u32 number)
{
	xa_release(&table->slots, number);
}

/**
 * sluice_slot_table_publish - make a slot visible under its number
 * @table: the table
 * @slot: a slot that is bound to table->owner, with a reserved number.  After success, the table
 *	owns the reference of the caller
 *
 * Context: may sleep.
 * Return: 0, or -ENODEV if the table is closed or the memory was revoked.
 */
int sluice_slot_table_publish(struct sluice_slot_table *table, struct sluice_slot *slot)
{
	int ret = -ENODEV;

	mutex_lock(&table->lock);
	/* an earlier revocation did not find the slot in the table, so it must not get there now */
	if (!table->closed && !sluice_slot_revoked(slot))
		/* the number is reserved, so xa_store() allocates nothing and does not fail */
		ret = xa_err(xa_store(&table->slots, slot->number, slot, GFP_KERNEL_ACCOUNT));
	mutex_unlock(&table->lock);
	return ret;
}

/**
 * sluice_slot_table_remove - remove a slot, and drop the table's reference
 * @table: the table
 * @number: number of the slot.  If the number is only reserved, there is no such slot, and the
 *	number stays reserved
 *
 * Context: may sleep; takes the dma_resv.
 * Return: 0, or -ENOENT if there is no such slot.
 */
int sluice_slot_table_remove(struct sluice_slot_table *table, u32 number)
{
	struct sluice_slot *slot;

	mutex_lock(&table->lock);
	slot = xa_load(&table->slots, number);
	if (slot)
		xa_erase(&table->slots, number);
	mutex_unlock(&table->lock);
	if (!slot)
		return -ENOENT;
	if (slot != SLUICE_SLOT_TABLE_REVOKED)
		sluice_slot_put(slot);
	return 0;
}

/**
 * sluice_slot_table_drop_revoked - drop a slot whose memory was taken back
 * @table: the table
 * @slot: the slot, which is unmapped
 *
 * Drops the reference of the caller.  If the slot is still in the table, also drops the reference
 * of the table.  The number of the slot then stays in use until DETACH, so that no other slot gets
 * it.
 *
 * Context: may sleep; takes the dma_resv.
 */
void sluice_slot_table_drop_revoked(struct sluice_slot_table *table, struct sluice_slot *slot)
{
	bool there;

	mutex_lock(&table->lock);
	there = xa_load(&table->slots, slot->number) == slot;
	if (there)	/* the entry exists, so xa_store() allocates nothing and does not fail */
		xa_store(&table->slots, slot->number, SLUICE_SLOT_TABLE_REVOKED, GFP_KERNEL);
	mutex_unlock(&table->lock);
	if (there)
		sluice_slot_put(slot);
	sluice_slot_put(slot);
}

/**
 * sluice_slot_table_get - find a slot by number
 * @table: the table
 * @number: number that ATTACH returned
 *
 * Context: table->lock is held.
 * Return: the slot with a reference for the caller, or an ERR_PTR:
 *
 *	-ENOENT	the table has no such slot
 *	-ENODEV	the exporter has revoked the memory; or the table has no such slot and is closed
 */
struct sluice_slot *sluice_slot_table_get(struct sluice_slot_table *table, u32 number)
{
	struct sluice_slot *slot = xa_load(&table->slots, number);

	lockdep_assert_held(&table->lock);
	if (!slot)
		return ERR_PTR(table->closed ? -ENODEV : -ENOENT);
	if (slot == SLUICE_SLOT_TABLE_REVOKED)
		return ERR_PTR(-ENODEV);
	kref_get(&slot->ref);
	return slot;
}

/**
 * sluice_slot_table_close - remove all slots, and accept no more
 * @table: the table
 *
 * When this function returns, the table has no slot left.  If another context is closing the table
 * at the same time, this function waits for it.
 *
 * Context: may sleep; takes the dma_resv.
 */
void sluice_slot_table_close(struct sluice_slot_table *table)
{
	struct sluice_slot *slot;
	unsigned long number;

	mutex_lock(&table->close_lock);
	mutex_lock(&table->lock);
	table->closed = true;
	mutex_unlock(&table->lock);
	xa_for_each(&table->slots, number, slot) {
		/*
		 * SUBMIT and DETACH use the table at the same time, under this lock.  If DETACH has
		 * removed the slot meanwhile, xa_erase() returns NULL: each slot is put once.
		 */
		mutex_lock(&table->lock);
		slot = xa_erase(&table->slots, number);
		mutex_unlock(&table->lock);
		if (slot != SLUICE_SLOT_TABLE_REVOKED)
			sluice_slot_put(slot);
	}
	mutex_unlock(&table->close_lock);
}
