// SPDX-License-Identifier: GPL-2.0-only
/*
 * Direct access of a process to a device, without queues and fences: eventfds that count
 * interrupts, and pages of registers that mmap() of the node maps.
 *
 * This file owns the eventfds and the mappings of registers.  Each of them belongs to a client.
 * When the device is removed, each eventfd is signalled once more, and the registers are zapped
 * (removed from all page tables).  Later accesses to them raise SIGBUS.
 *
 * Locks:
 *
 *	sdev->eventfd_lock	spinlock, irq: guards the eventfds
 *	sdev->mappings_lock	mutex, inside mmap_lock: guards the list of clients that have
 *				mapped registers, and the number of mappings
 *	sdev->registers_lock	rw_semaphore, inside mmap_lock.  A fault holds it for reading,
 *				from the question to the driver whether userspace may have the
 *				page until the page is mapped.  sluice_device_zap_registers()
 *				takes it for writing, to wait for faults with an old answer
 *
 * Device drivers call the exported functions.  device.c and node.c call the others.
 */
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "core.h"

#define SLUICE_MAX_EVENTFDS	256	/* of a device: each interrupt examines all of them */

/**
 * struct sluice_counter - an eventfd that counts an interrupt
 * @link: in sdev->eventfds
 * @client: the client that it belongs to; no reference, because the client removes it on close
 * @interrupt: number of the interrupt
 * @eventfd: the eventfd; reference held
 * @awake: it keeps the hardware awake, because hardware that sleeps raises no interrupts
 */
struct sluice_counter {
	struct list_head link;
	struct sluice_client *client;
	u32 interrupt;
	struct eventfd_ctx *eventfd;
	bool awake;
};

/**
 * sluice_direct_init - initialise the fields of this file
 * @sdev: the device, which is being registered
 *
 * Context: any.
 */
void sluice_direct_init(struct sluice_device *sdev)
{
	spin_lock_init(&sdev->eventfd_lock);
	INIT_LIST_HEAD(&sdev->eventfds);
	mutex_init(&sdev->mappings_lock);
	INIT_LIST_HEAD(&sdev->mappings);
	init_rwsem(&sdev->registers_lock);
	init_waitqueue_head(&sdev->registers_wait);
}

/**
 * sluice_device_add_interrupts - let eventfds count interrupts of the device
 * @sdev: the device
 * @count: number of interrupts; userspace numbers them from 0 to @count - 1
 *
 * Context: inside ops->prepare().
 */
void sluice_device_add_interrupts(struct sluice_device *sdev, unsigned int count)
{
	sdev->num_interrupts = count;
}
EXPORT_SYMBOL_GPL(sluice_device_add_interrupts);

/**
 * sluice_device_interrupt - report an interrupt: add 1 to its eventfds
 * @sdev: the device.  Do not call this after sluice_device_unregister() has begun
 * @interrupt: number of the interrupt, below @count of sluice_device_add_interrupts()
 *
 * Context: any; not NMI.
 */
void sluice_device_interrupt(struct sluice_device *sdev, unsigned int interrupt)
{
	struct sluice_counter *counter;
	unsigned long flags;

	spin_lock_irqsave(&sdev->eventfd_lock, flags);
	list_for_each_entry(counter, &sdev->eventfds, link)
		if (counter->interrupt == interrupt)
			sluice_compat_eventfd_signal(counter->eventfd);
	spin_unlock_irqrestore(&sdev->eventfd_lock, flags);
}
EXPORT_SYMBOL_GPL(sluice_device_interrupt);

/*
 * The device is entered, or eventfd_lock is held.  After the removal this does nothing, because
 * sluice_direct_revoke() has cleared @awake.
 */
static void sluice_counter_rest(struct sluice_counter *counter)
{
	if (counter->awake)
		sluice_device_rest(counter->client->sdev);
	counter->awake = false;
}

static void sluice_counter_free(struct sluice_counter *counter)
{
	eventfd_ctx_put(counter->eventfd);
	kfree(counter);
}

/*
 * Remove the client's counter of an interrupt, and add @counter, if it is not NULL.  After an error
 * the caller still owns @counter.
 */
static int sluice_counter_replace(struct sluice_client *client, u32 interrupt,
				  struct sluice_counter *counter)
{
	struct sluice_device *sdev = client->sdev;
	struct sluice_counter *old, *found = NULL;
	int ret = 0;

	spin_lock_irq(&sdev->eventfd_lock);
	list_for_each_entry(old, &sdev->eventfds, link)
		if (old->client == client && old->interrupt == interrupt)
			found = old;
	if (found) {
		list_del(&found->link);
		sluice_counter_rest(found);
	} else if (counter && sdev->num_eventfds == SLUICE_MAX_EVENTFDS) {
		ret = -ENOSPC;
	}
	if (counter && !ret)
		list_add_tail(&counter->link, &sdev->eventfds);
	if (!ret)
		sdev->num_eventfds += !!counter - !!found;
	spin_unlock_irq(&sdev->eventfd_lock);
	if (found)
		sluice_counter_free(found);
	return ret;
}

/**
 * sluice_node_eventfd - handler of SLUICE_IOCTL_EVENTFD
 * @call: call on a client's file
 *
 * Context: process context, may sleep.
 * Return: 0, or an errno of struct sluice_eventfd's list.
 */
int sluice_node_eventfd(struct sluice_call *call)
{
	struct sluice_client *client = call->file->private_data;
	struct sluice_eventfd *args = call->data;
	struct sluice_counter *counter = NULL;
	int ret = -ENODEV;

	if (args->interrupt >= client->sdev->num_interrupts || args->flags || args->reserved ||
	    args->fd < -1)
		return -EINVAL;
	if (args->fd >= 0) {
		counter = kmalloc(sizeof(*counter), GFP_KERNEL_ACCOUNT);
		if (!counter)
			return -ENOMEM;
		counter->client = client;
		counter->interrupt = args->interrupt;
		counter->awake = false;
		counter->eventfd = eventfd_ctx_fdget(args->fd);
		if (IS_ERR(counter->eventfd)) {
			ret = PTR_ERR(counter->eventfd);
			kfree(counter);
			return ret;
		}
	}
	/* entered: an eventfd added after sluice_direct_revoke() would not learn of the removal */
	if (sluice_device_enter(client->sdev)) {
		ret = counter ? sluice_device_wake(client->sdev) : 0;
		if (counter)
			counter->awake = !ret;
		if (!ret)
			ret = sluice_counter_replace(client, args->interrupt, counter);
		if (ret && counter)
			sluice_counter_rest(counter);
		sluice_device_exit(client->sdev);
	}
	if (ret && counter)
		sluice_counter_free(counter);
	return ret;
}

static vm_fault_t sluice_registers_fault(struct vm_fault *vmf)
{
	struct sluice_client *client = vmf->vma->vm_private_data;
	struct sluice_device *sdev = client->sdev;
	vm_fault_t ret;
	phys_addr_t phys;

	for (;;) {
		if (!sluice_device_enter(sdev))
			return VM_FAULT_SIGBUS;
		down_read(&sdev->registers_lock);
		if (!READ_ONCE(sdev->blocked))
			break;
		up_read(&sdev->registers_lock);
		/* before the wait, because the removal of the device must not wait for it */
		sluice_device_exit(sdev);
		ret = sluice_fault_wait(vmf, &sdev->registers_wait, &sdev->blocked);
		if (ret)
			return ret;
	}
	ret = VM_FAULT_SIGBUS;
	if (!sdev->ops->find_registers(sdev->priv, (u64)vmf->pgoff << PAGE_SHIFT, &phys))
		ret = vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(phys));
	up_read(&sdev->registers_lock);
	sluice_device_exit(sdev);
	return ret;
}

/* Drop the count of sluice_device_wake() that all mappings of registers share. */
static void sluice_mappings_rest(struct sluice_device *sdev)
{
	lockdep_assert_held(&sdev->mappings_lock);
	if (sdev->mappings_awake)
		sluice_device_rest(sdev);
	sdev->mappings_awake = false;
}

static void sluice_registers_open(struct vm_area_struct *vma)
{
	struct sluice_client *client = vma->vm_private_data;

	mutex_lock(&client->sdev->mappings_lock);
	client->sdev->num_mappings++;
	mutex_unlock(&client->sdev->mappings_lock);
}

static void sluice_registers_close(struct vm_area_struct *vma)
{
	struct sluice_client *client = vma->vm_private_data;
	struct sluice_device *sdev = client->sdev;

	mutex_lock(&sdev->mappings_lock);
	if (!--sdev->num_mappings)
		sluice_mappings_rest(sdev);
	mutex_unlock(&sdev->mappings_lock);
}

static const struct vm_operations_struct sluice_registers_vm_ops = {
	.open = sluice_registers_open,
	.close = sluice_registers_close,
	.fault = sluice_registers_fault,
	SLUICE_COMPAT_ACCESS_PHYS
};

/* May userspace map all these pages? */
static int sluice_registers_check(const struct sluice_device *sdev, u64 offset, u64 size)
{
	phys_addr_t phys;
	int ret = 0;
	u64 done;

	for (done = 0; done < size && !ret; done += PAGE_SIZE) {
		ret = sdev->ops->find_registers(sdev->priv, offset + done, &phys);
		cond_resched();
	}
	return ret;
}

/**
 * sluice_node_mmap - mmap() of a node: map registers
 * @file: file of a client
 * @vma: the mapping; its offset is SLUICE_MMAP_BAR(bar) plus bytes into the BAR
 *
 * Pages are mapped by faults.
 *
 * Context: process context, may sleep; mmap_lock is held.
 * Return: 0, or a negative errno:
 *
 *	-EINVAL		the mapping is private, or there are no such registers
 *	-EACCES		userspace may not have all of the pages
 *	-EIO		the hardware does not wake up
 *	-ENODEV		the device is removed
 */
int sluice_node_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct sluice_client *client = file->private_data;
	struct sluice_device *sdev = client->sdev;
	int ret = -EINVAL;

	if (!sluice_device_enter(sdev))
		return -ENODEV;
	/* VM_MAYSHARE, because the kernel clears VM_SHARED if the fd is only for reading */
	if (sdev->ops->find_registers && vma->vm_flags & VM_MAYSHARE &&
	    vma->vm_pgoff <= U64_MAX >> PAGE_SHIFT)
		ret = sluice_registers_check(sdev, (u64)vma->vm_pgoff << PAGE_SHIFT,
					     vma->vm_end - vma->vm_start);
	if (!ret)
		ret = sluice_device_wake(sdev);
	if (!ret) {
		mutex_lock(&sdev->mappings_lock);
		sluice_mappings_rest(sdev);	/* drop the old count */
		sdev->mappings_awake = true;
		sdev->num_mappings++;
		if (!client->mapping) {
			client->mapping = file->f_mapping;
			list_add(&client->mapped, &sdev->mappings);
		}
		mutex_unlock(&sdev->mappings_lock);
		vma->vm_private_data = client;	/* the vma holds the file, which holds the client */
		vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
		vma->vm_page_prot = pgprot_decrypted(pgprot_noncached(vma->vm_page_prot));
		vma->vm_ops = &sluice_registers_vm_ops;
	}
	sluice_device_exit(sdev);
	return ret;
}

/**
 * sluice_device_zap_registers - remove registers from the page tables of all processes
 * @sdev: the device
 *
 * A driver calls this after the answer of its ->find_registers() has changed.  The next access to
 * a page asks ->find_registers() again, and maps the page if it is still allowed.
 *
 * Context: process context, may sleep.  The caller holds no lock that ->find_registers() takes.
 */
void sluice_device_zap_registers(struct sluice_device *sdev)
{
	struct sluice_client *client;

	/* wait for faults with an old answer: their pages are mapped then, and removed below */
	down_write(&sdev->registers_lock);
	up_write(&sdev->registers_lock);
	mutex_lock(&sdev->mappings_lock);
	list_for_each_entry(client, &sdev->mappings, mapped)
		unmap_mapping_range(client->mapping, 0, 0, 1);
	mutex_unlock(&sdev->mappings_lock);
}
EXPORT_SYMBOL_GPL(sluice_device_zap_registers);

static void sluice_heaps_block(struct sluice_device *sdev, bool block)
{
	unsigned int i;

	for (i = 0; i < sdev->num_heaps; i++)
		if (sdev->heaps[i]->block)
			sdev->heaps[i]->block(sdev->heaps[i], block);
}

/**
 * sluice_device_block - keep all CPUs from the device's BARs until sluice_device_unblock()
 * @sdev: the device.  Do not call this after sluice_device_unregister() has begun
 *
 * A PCI function answers no access while it is reset, and on some machines such an access is
 * fatal.  sluice_device_block() zaps registers and memory of the device.  A process that accesses
 * them sleeps until sluice_device_unblock().  Accesses of other devices (peers) are not stopped.
 *
 * Context: process context, may sleep; not in the signalling path of fences.
 */
void sluice_device_block(struct sluice_device *sdev)
{
	WRITE_ONCE(sdev->blocked, true);
	sluice_device_zap_registers(sdev);
	sluice_heaps_block(sdev, true);
}
EXPORT_SYMBOL_GPL(sluice_device_block);

/**
 * sluice_device_unblock - end what sluice_device_block() began
 * @sdev: the device
 *
 * Context: process context, may sleep; not in the signalling path of fences.
 */
void sluice_device_unblock(struct sluice_device *sdev)
{
	sluice_heaps_block(sdev, false);
	WRITE_ONCE(sdev->blocked, false);
	wake_up_all(&sdev->registers_wait);
}
EXPORT_SYMBOL_GPL(sluice_device_unblock);

/**
 * sluice_direct_revoke - end direct access, because the device is removed
 * @sdev: the device, whose @users is 0
 *
 * Zaps registers, signals each eventfd a last time, and lets the hardware sleep.  The eventfds stay
 * in the list until their clients are closed.
 *
 * Context: process context, may sleep.
 */
void sluice_direct_revoke(struct sluice_device *sdev)
{
	struct sluice_counter *counter;

	sluice_device_zap_registers(sdev);
	spin_lock_irq(&sdev->eventfd_lock);
	list_for_each_entry(counter, &sdev->eventfds, link) {
		sluice_compat_eventfd_signal(counter->eventfd);
		sluice_counter_rest(counter);
	}
	spin_unlock_irq(&sdev->eventfd_lock);
	mutex_lock(&sdev->mappings_lock);
	sluice_mappings_rest(sdev);
	mutex_unlock(&sdev->mappings_lock);
}

/**
 * sluice_direct_close - remove the eventfds of a client, and forget its mappings
 * @client: the client, whose file is being closed, so it has no mappings any more
 *
 * Context: process context, may sleep.
 */
void sluice_direct_close(struct sluice_client *client)
{
	struct sluice_device *sdev = client->sdev;
	struct sluice_counter *counter, *next;
	LIST_HEAD(mine);

	spin_lock_irq(&sdev->eventfd_lock);
	list_for_each_entry_safe(counter, next, &sdev->eventfds, link)
		if (counter->client == client) {
			list_move(&counter->link, &mine);
			sluice_counter_rest(counter);
			sdev->num_eventfds--;
		}
	spin_unlock_irq(&sdev->eventfd_lock);
	list_for_each_entry_safe(counter, next, &mine, link)
		sluice_counter_free(counter);
	mutex_lock(&sdev->mappings_lock);
	if (client->mapping)
		list_del(&client->mapped);
	mutex_unlock(&sdev->mappings_lock);
}
