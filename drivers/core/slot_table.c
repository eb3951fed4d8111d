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
 * @table: a table without slots, which no context uses any more
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
 * sluice_slot_table_unreserve - give a reserved number back
 * @table: the table
 * @number: from sluice_slot_table_reserve(); it has not been published
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
 * @slot: a slot that is bound to table->owner.  After success, the reference of the caller belongs to
 *	the table
 *
 * Context: may sleep.
 * Return: 0, -ENODEV if the table is closed or the memory was revoked, or -ENOMEM.
 */
int sluice_slot_table_publish(struct sluice_slot_table *table, struct sluice_slot *slot)
{
	int ret = -ENODEV;

	mutex_lock(&table->lock);
	/* a revocation that came earlier has not found the slot in the table */
	if (!table->closed && !sluice_slot_revoked(slot))
		/* the entry is reserved, so nothing is allocated */
		ret = xa_err(xa_store(&table->slots, slot->number, slot, GFP_KERNEL_ACCOUNT));
	mutex_unlock(&table->lock);
	return ret;
}

/**
 * sluice_slot_table_remove - remove a slot, and drop the table's reference
 * @table: the table
 * @number: number of the slot.  A number that is only reserved names no slot, and stays reserved
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
 * @slot: the slot, which is unmapped.  The reference of the caller is dropped, and that of the table
 *	if the slot is still in it
 *
 * The number stays in use until DETACH, so that it cannot name another buffer.
 *
 * Context: may sleep; takes the dma_resv.
 */
void sluice_slot_table_drop_revoked(struct sluice_slot_table *table, struct sluice_slot *slot)
{
	bool there;

	mutex_lock(&table->lock);
	there = xa_load(&table->slots, slot->number) == slot;
	if (there)	/* the entry exists, so nothing is allocated */
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
 *	-ENODEV	the table has no such slot, and accepts no slots any more
 *	-ENODEV	the exporter has revoked the memory
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
 * On return the table has no slot left, even if another call removes them at the same time.
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
		/* the context that erases an entry puts it; SUBMIT and DETACH take this lock */
		mutex_lock(&table->lock);
		slot = xa_erase(&table->slots, number);
		mutex_unlock(&table->lock);
		if (slot != SLUICE_SLOT_TABLE_REVOKED)
			sluice_slot_put(slot);
	}
	mutex_unlock(&table->close_lock);
}
