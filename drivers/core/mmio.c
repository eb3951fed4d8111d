// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guard of memory inside a device.  See mmio.h.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "mmio.h"

void sluice_mmio_init(struct sluice_mmio *mmio)
{
	init_rwsem(&mmio->lock);
	init_waitqueue_head(&mmio->wait);
}

/* Wait for the end of a block, without a lock.  -ERESTARTSYS if the task was killed. */
static int sluice_mmio_wait(struct sluice_mmio *mmio)
{
	return wait_event_killable(mmio->wait, !READ_ONCE(mmio->blocked));
}

/**
 * sluice_mmio_synchronize - wait until all current holders of the lock have dropped it
 * @mmio: the guard of the memory
 *
 * A holder has mapped its page then, so a zap finds the page.  Later holders see all that the
 * caller has changed before.
 *
 * Context: may sleep.
 */
void sluice_mmio_synchronize(struct sluice_mmio *mmio)
{
	down_write(&mmio->lock);
	up_write(&mmio->lock);
}

/**
 * sluice_mmio_block - begin or end a block, which keeps all CPUs from the memory
 * @mmio: the guard of the memory
 * @block: true to begin, false to end
 *
 * After a block has begun, no CPU is inside sluice_mmio_lock().  The caller must then zap the
 * mappings of the memory.
 *
 * Context: may sleep.
 */
void sluice_mmio_block(struct sluice_mmio *mmio, bool block)
{
	down_write(&mmio->lock);
	WRITE_ONCE(mmio->blocked, block);
	up_write(&mmio->lock);
	if (!block)
		wake_up_all(&mmio->wait);
}

/**
 * sluice_mmio_revoke - take the memory back for good
 * @mmio: the guard of the memory
 *
 * On return, no CPU is inside sluice_mmio_hold() or sluice_mmio_lock().  The caller must then zap
 * the mappings of the memory.
 *
 * Context: may sleep.
 */
void sluice_mmio_revoke(struct sluice_mmio *mmio)
{
	down_write(&mmio->lock);
	WRITE_ONCE(mmio->revoked, true);
	up_write(&mmio->lock);
}

/**
 * sluice_mmio_revoked - has the memory been taken back?
 * @mmio: the guard of the memory
 *
 * Context: any.
 * Return: true if it has.  A false answer may be outdated, unless the lock is held.
 */
bool sluice_mmio_revoked(const struct sluice_mmio *mmio)
{
	return READ_ONCE(mmio->revoked);
}

/**
 * sluice_mmio_hold - keep the memory from being revoked, until sluice_mmio_unlock()
 * @mmio: the guard of the memory
 *
 * The memory may be blocked meanwhile, so the CPU must not access it.
 *
 * Context: may sleep.
 * Return: 0, or -ENODEV if the memory was revoked.
 */
int sluice_mmio_hold(struct sluice_mmio *mmio)
{
	down_read(&mmio->lock);
	if (!mmio->revoked)
		return 0;
	up_read(&mmio->lock);
	return -ENODEV;
}

/**
 * sluice_mmio_trylock - let the CPU access the memory, until sluice_mmio_unlock()
 * @mmio: the guard of the memory
 *
 * Context: may sleep, but does not wait for the end of a block.
 * Return: 0, -EAGAIN if the memory is blocked, or -ENODEV if it was revoked.
 */
int sluice_mmio_trylock(struct sluice_mmio *mmio)
{
	int ret = sluice_mmio_hold(mmio);

	if (ret)
		return ret;
	if (!mmio->blocked)
		return 0;
	up_read(&mmio->lock);
	return -EAGAIN;
}

/**
 * sluice_mmio_lock - let the CPU access the memory, after the end of a block
 * @mmio: the guard of the memory
 *
 * Context: may sleep.
 * Return: 0, and sluice_mmio_unlock() must follow; -EINTR if the task was killed, or -ENODEV if the
 * memory was revoked.
 */
int sluice_mmio_lock(struct sluice_mmio *mmio)
{
	int ret;

	while ((ret = sluice_mmio_trylock(mmio)) == -EAGAIN)
		if (sluice_mmio_wait(mmio))
			return -EINTR;
	return ret;
}

void sluice_mmio_unlock(struct sluice_mmio *mmio)
{
	up_read(&mmio->lock);
}

/**
 * sluice_mmio_wait_fault - a fault waits for the end of a block
 * @mmio: the guard of the memory; the file of the fault's mapping keeps it alive
 * @vmf: the fault
 *
 * If the kernel can try the fault again, mmap_lock is dropped for the wait, because other threads
 * of the process need it.  The wait ends when the task is killed.
 *
 * Context: may sleep; the caller holds no lock except mmap_lock.
 * Return: 0 if the fault may continue.  Otherwise the return value of the fault: VM_FAULT_RETRY
 * (mmap_lock is dropped, except with FAULT_FLAG_RETRY_NOWAIT), or VM_FAULT_SIGBUS if the task was
 * killed.
 */
vm_fault_t sluice_mmio_wait_fault(struct sluice_mmio *mmio, struct vm_fault *vmf)
{
	struct file *file;

	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if (!fault_flag_allow_retry_first(vmf->flags))
		return sluice_mmio_wait(mmio) ? VM_FAULT_SIGBUS : 0;
	/* mmap_lock is held: without ->map_pages, faults never come with the VMA's lock instead */
	file = get_file(vmf->vma->vm_file);
	mmap_read_unlock(vmf->vma->vm_mm);
	/* if the task was killed, the retry finds the signal */
	(void)sluice_mmio_wait(mmio);
	fput(file);
	return VM_FAULT_RETRY;
}
