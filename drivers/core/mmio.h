/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guard of memory or registers inside a device.  It blocks the access of CPUs during a reset.  It
 * also revokes memory when the device is removed.
 *
 * The owner of the memory embeds struct sluice_mmio.  Code that accesses the memory, or maps a page
 * of it into a process, holds mmio->lock for reading.  A block or a revocation first takes the lock
 * for writing, and changes the state.  The owner then zaps the memory (removes it from all page
 * tables).  No page escapes: a page was either mapped before the change, and the zap finds it, or
 * the fault sees the new state.  The lock nests inside mmap_lock.
 *
 * heap_bar.c guards memory with it, and registers.c guards registers.
 */
#ifndef _SLUICE_MMIO_H
#define _SLUICE_MMIO_H

#include <linux/mm_types.h>
#include <linux/rwsem.h>
#include <linux/wait.h>

struct vm_fault;

/**
 * struct sluice_mmio - guard of memory inside a device
 * @lock: held for reading while code uses the memory, and for writing to change @revoked or
 *	@blocked
 * @revoked: the memory has been taken back
 * @blocked: no CPU may access the memory now: see sluice_device_block()
 * @wait: woken when @blocked becomes false
 */
struct sluice_mmio {
	struct rw_semaphore lock;
	bool revoked;
	bool blocked;
	wait_queue_head_t wait;
};

void sluice_mmio_init(struct sluice_mmio *mmio);
void sluice_mmio_synchronize(struct sluice_mmio *mmio);
void sluice_mmio_block(struct sluice_mmio *mmio, bool block);
void sluice_mmio_revoke(struct sluice_mmio *mmio);
bool sluice_mmio_revoked(const struct sluice_mmio *mmio);
int sluice_mmio_hold(struct sluice_mmio *mmio);
int sluice_mmio_trylock(struct sluice_mmio *mmio);
int sluice_mmio_lock(struct sluice_mmio *mmio);
void sluice_mmio_unlock(struct sluice_mmio *mmio);
vm_fault_t sluice_mmio_wait_fault(struct sluice_mmio *mmio, struct vm_fault *vmf);

#endif /* _SLUICE_MMIO_H */
