// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fronts: the memory that each CPU has parked last.  See front.h.
 */
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>

#include "bins.h"
#include "front.h"
#include "pages.h"

#define SLUICE_FRONT_SLOTS	4

/**
 * struct sluice_front - the front of a CPU
 * @lock: guards the fields, and @state of the entries
 * @bytes: sum of the sizes of the memory
 * @next: the slot whose memory goes to the bins when all slots are used
 * @slots: the memory, or NULL
 */
struct sluice_front {
	spinlock_t lock;
	u64 bytes;
	unsigned int next;
	struct sluice_bins_entry *slots[SLUICE_FRONT_SLOTS];
};

static DEFINE_PER_CPU(struct sluice_front, sluice_fronts);

/* Some front may have memory.  Set after memory was parked, cleared before fronts are emptied. */
static bool sluice_front_used;

/* Take memory out of a front.  On the way to the bins it must not look parked: see bins.h. */
static struct sluice_bins_entry *sluice_front_remove(struct sluice_front *front, unsigned int i)
{
	struct sluice_bins_entry *entry = front->slots[i];

	lockdep_assert_held(&front->lock);
	front->slots[i] = NULL;
	front->bytes -= entry->pages.size;
	entry->clean = entry->state == SLUICE_BINS_CLEAN;
	entry->state = SLUICE_BINS_USED;
	return entry;
}

/*
 * The slot for new memory: a free one, or the one that was filled first.  Returns
 * SLUICE_FRONT_SLOTS if the worker is zeroing the memory of that one.
 */
static unsigned int sluice_front_slot(struct sluice_front *front)
{
	unsigned int i;

	for (i = 0; i < SLUICE_FRONT_SLOTS; i++)
		if (!front->slots[i])
			return i;
	i = front->next++ % SLUICE_FRONT_SLOTS;
	return front->slots[i]->state == SLUICE_BINS_ZEROING ? SLUICE_FRONT_SLOTS : i;
}

/**
 * sluice_front_park - park memory in the front of this CPU
 * @entry: in: dirty memory without a user, in no list.  If the function returns false: memory that
 *	the caller must put into the bins, either the same or older memory that had to leave the
 *	front.  Its @clean is set
 * @most: bytes that the front may have
 *
 * Context: process context.
 * Return: true if there was room for the memory.
 */
bool sluice_front_park(struct sluice_bins_entry **entry, u64 most)
{
	struct sluice_front *front = raw_cpu_ptr(&sluice_fronts);
	struct sluice_bins_entry *new = *entry, *old = NULL;
	unsigned int i;

	new->clean = false;
	if (!new->listed || new->pages.size > most)
		return false;
	/* the lock is the CPU's own, but the task may move to another CPU before it is taken */
	spin_lock(&front->lock);
	i = sluice_front_slot(front);
	if (i == SLUICE_FRONT_SLOTS || front->bytes + new->pages.size > most) {
		old = new;
	} else {
		if (front->slots[i])
			old = sluice_front_remove(front, i);
		new->state = SLUICE_BINS_DIRTY;
		front->slots[i] = new;
		front->bytes += new->pages.size;
	}
	spin_unlock(&front->lock);
	/* pairs with the barrier in sluice_front_collect() */
	smp_mb();
	if (!READ_ONCE(sluice_front_used))
		WRITE_ONCE(sluice_front_used, true);
	*entry = old;
	return !old;
}

/**
 * sluice_front_take - take memory out of the front of this CPU, if some fits
 * @search: the memory that is wanted; @here is set.  @dirty: true to take dirty memory, too.  It is
 *	set to whether the memory is dirty
 *
 * Context: process context.
 * Return: the memory, which the caller owns; or NULL.
 */
struct sluice_bins_entry *sluice_front_take(struct sluice_bins_search *search)
{
	struct sluice_front *front = raw_cpu_ptr(&sluice_fronts);
	struct sluice_bins_entry *entry = NULL;
	unsigned int i;

	/* any value that was there a moment ago is correct */
	if (!data_race(READ_ONCE(front->bytes)))
		return NULL;
	spin_lock(&front->lock);
	for (i = 0; i < SLUICE_FRONT_SLOTS; i++) {
		entry = front->slots[i];
		if (entry && (entry->state == SLUICE_BINS_CLEAN ||
			      (search->dirty && entry->state == SLUICE_BINS_DIRTY)) &&
		    sluice_bins_suits(search, entry))
			break;
	}
	if (i < SLUICE_FRONT_SLOTS) {
		sluice_front_remove(front, i);
		search->dirty = !entry->clean;
	} else {
		entry = NULL;
	}
	spin_unlock(&front->lock);
	return entry;
}

/**
 * sluice_front_collect - take the memory of all fronts
 * @parked: gets the memory, for the bins; its @clean is set
 *
 * Memory that the worker is zeroing stays: see sluice_front_zero().
 *
 * Context: process context, also in reclaim.
 */
void sluice_front_collect(struct list_head *parked)
{
	unsigned int i;
	int cpu;

	if (!READ_ONCE(sluice_front_used))
		return;
	WRITE_ONCE(sluice_front_used, false);
	/* memory that is parked from now on sets it again */
	smp_mb();
	for_each_possible_cpu(cpu) {
		struct sluice_front *front = per_cpu_ptr(&sluice_fronts, cpu);

		/* any value that was there a moment ago is correct */
		if (!data_race(READ_ONCE(front->bytes)))
			continue;
		spin_lock(&front->lock);
		for (i = 0; i < SLUICE_FRONT_SLOTS; i++) {
			if (!front->slots[i])
				continue;
			if (front->slots[i]->state == SLUICE_BINS_ZEROING)
				WRITE_ONCE(sluice_front_used, true);
			else
				list_add_tail(&sluice_front_remove(front, i)->link, parked);
		}
		spin_unlock(&front->lock);
	}
}

/* Find dirty memory for the worker.  It stays in its slot, where no context takes it. */
static struct sluice_bins_entry *sluice_front_begin_zeroing(struct sluice_front *front)
{
	struct sluice_bins_entry *entry = NULL;
	unsigned int i;

	/* any value that was there a moment ago is correct */
	if (!data_race(READ_ONCE(front->bytes)))
		return NULL;
	spin_lock(&front->lock);
	for (i = 0; i < SLUICE_FRONT_SLOTS && !entry; i++)
		if (front->slots[i] && front->slots[i]->state == SLUICE_BINS_DIRTY)
			entry = front->slots[i];
	if (entry)
		entry->state = SLUICE_BINS_ZEROING;
	spin_unlock(&front->lock);
	return entry;
}

/**
 * sluice_front_zero - zero the dirty memory in the front of a CPU
 * @cpu: the CPU
 *
 * Context: may sleep, the only worker.
 * Return: number of structs that it has zeroed.
 */
unsigned int sluice_front_zero(int cpu)
{
	struct sluice_front *front = per_cpu_ptr(&sluice_fronts, cpu);
	struct sluice_bins_entry *entry;
	unsigned int count = 0;

	while ((entry = sluice_front_begin_zeroing(front))) {
		sluice_pages_zero(&entry->pages, NULL);
		spin_lock(&front->lock);
		entry->state = SLUICE_BINS_CLEAN;
		spin_unlock(&front->lock);
		count++;
	}
	return count;
}

/**
 * sluice_front_bytes - memory in all fronts
 *
 * Context: any.
 * Return: bytes.
 */
u64 sluice_front_bytes(void)
{
	u64 bytes = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		/* any value that was there a moment ago is correct */
		bytes += data_race(READ_ONCE(per_cpu_ptr(&sluice_fronts, cpu)->bytes));
	return bytes;
}

/**
 * sluice_front_init - initialise the fronts
 *
 * Context: module init.
 */
void sluice_front_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(&sluice_fronts, cpu)->lock);
}
