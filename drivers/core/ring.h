/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rings: completions of a queue in memory that userspace maps (SLUICE_QUEUE_RING).
 *
 * Userspace can write to all of the memory at any time.  The kernel therefore only writes it, and
 * keeps its own copy of each number that it needs.  It reads two fields, tail and progress_seen.
 * Both only decide whether the queue has room, and what poll() returns.
 *
 * The memory belongs to the queue: queue.c charges it, and creates and destroys the ring with the
 * queue.  A mapping holds the file of the queue, so it ends before the ring.
 *
 * Lock: queue->lock guards all fields that change.
 */
#ifndef _SLUICE_RING_H
#define _SLUICE_RING_H

#include <linux/types.h>

struct sluice_completion;
struct sluice_ring;
struct vm_area_struct;

size_t sluice_ring_bytes(u32 depth, u32 entry_size);
struct sluice_ring *sluice_ring_create(u32 depth, u32 entry_size);
void sluice_ring_destroy(struct sluice_ring *ring);
u32 sluice_ring_unread(const struct sluice_ring *ring);
bool sluice_ring_has_record(const struct sluice_ring *ring);
void sluice_ring_put(struct sluice_ring *ring, const struct sluice_completion *record);
void sluice_ring_set_progress(struct sluice_ring *ring, const struct sluice_completion *record);
int sluice_ring_mmap(struct sluice_ring *ring, struct vm_area_struct *vma);

#endif /* _SLUICE_RING_H */
