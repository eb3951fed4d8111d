/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Blocks: an array that gets its memory piece by piece, when entries are needed for the first time.
 * Entries that were needed once keep their memory until sluice_blocks_fini().
 *
 * Lock: the caller of sluice_blocks_grow() names a spinlock, under which new memory is added.
 * Readers hold this lock.  Only one task at a time may call sluice_blocks_grow().
 *
 * queue.c has two such arrays in each queue.
 */
#ifndef _SLUICE_BLOCKS_H
#define _SLUICE_BLOCKS_H

#include <linux/log2.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/* Bytes of a block.  A block has fewer entries if the array has fewer. */
#define SLUICE_BLOCK_SIZE	1024

/**
 * struct sluice_blocks - an array of entries of one size
 * @table: the blocks, or NULL as long as no entry has memory
 * @max: number of entries: a power of two, or 0
 * @limit: the entries before this one have memory; U64_MAX if all entries have
 */
struct sluice_blocks {
	void **table;
	u32 max;
	u64 limit;
};

/**
 * sluice_blocks_shift - how many entries has a block?
 * @size: bytes of an entry, a constant
 *
 * Context: any.
 * Return: the number of bits to shift 1 to the left by.
 */
static __always_inline u32 sluice_blocks_shift(size_t size)
{
	return ilog2(SLUICE_BLOCK_SIZE / size);
}

/**
 * sluice_blocks_at - an entry
 * @blocks: the array
 * @index: index of the entry, below max and limit
 * @size: bytes of an entry, a constant
 *
 * Context: the lock of the array is held.
 * Return: the entry.
 */
static __always_inline void *sluice_blocks_at(const struct sluice_blocks *blocks, u32 index,
					      size_t size)
{
	u32 shift = sluice_blocks_shift(size);

	return blocks->table[index >> shift] + (index & ((1U << shift) - 1)) * size;
}

void sluice_blocks_init(struct sluice_blocks *blocks, u32 max);
int sluice_blocks_grow(struct sluice_blocks *blocks, u64 count, size_t size, spinlock_t *lock);
void sluice_blocks_fini(struct sluice_blocks *blocks, size_t size);

#endif /* _SLUICE_BLOCKS_H */
