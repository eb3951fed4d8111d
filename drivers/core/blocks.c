// SPDX-License-Identifier: GPL-2.0-only
/*
 * An array that gets its memory piece by piece.  See blocks.h.
 */
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "blocks.h"

/**
 * sluice_blocks_init - prepare an array, without memory for entries
 * @blocks: the array
 * @max: number of entries: a power of two, or 0 for an array that is not used
 *
 * Context: any.
 */
void sluice_blocks_init(struct sluice_blocks *blocks, u32 max)
{
	*blocks = (struct sluice_blocks) { .max = max, .limit = max ? 0 : U64_MAX };
}

static u32 sluice_blocks_number(const struct sluice_blocks *blocks, size_t size)
{
	return DIV_ROUND_UP(blocks->max, 1U << sluice_blocks_shift(size));
}

/**
 * sluice_blocks_grow - give memory to entries
 * @blocks: the array
 * @count: the entries before this one get memory, or all entries if it is beyond the last one
 * @size: bytes of an entry
 * @lock: the lock of the array; not held
 *
 * New entries are zero.  After an error, some of the entries may have got memory.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_blocks_grow(struct sluice_blocks *blocks, u64 count, size_t size, spinlock_t *lock)
{
	u32 entries = min(blocks->max, 1U << sluice_blocks_shift(size));
	void *block;
	u64 limit;

	while (blocks->limit < min_t(u64, count, blocks->max)) {
		if (!blocks->table)
			blocks->table = kvcalloc(sluice_blocks_number(blocks, size),
						 sizeof(*blocks->table), GFP_KERNEL_ACCOUNT);
		block = blocks->table ? kcalloc(entries, size, GFP_KERNEL_ACCOUNT) : NULL;
		if (!block)
			return -ENOMEM;
		limit = blocks->limit + entries;
		spin_lock_irq(lock);
		blocks->table[blocks->limit >> sluice_blocks_shift(size)] = block;
		blocks->limit = limit < blocks->max ? limit : U64_MAX;
		spin_unlock_irq(lock);
	}
	return 0;
}

/**
 * sluice_blocks_fini - free all memory of an array
 * @blocks: an array that no other context uses
 * @size: bytes of an entry
 *
 * Context: may sleep.
 */
void sluice_blocks_fini(struct sluice_blocks *blocks, size_t size)
{
	u32 i;

	for (i = 0; blocks->table && i < sluice_blocks_number(blocks, size); i++)
		kfree(blocks->table[i]);
	kvfree(blocks->table);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/blocks.c"
#endif
