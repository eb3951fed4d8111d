// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of a device, which processes map with mmap() of the node.  See registers.h.
 */
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "client.h"
#include "compat/mm.h"
#include "device.h"
#include "heap.h"
#include "mmio.h"
#include "registers.h"
#include "sluice.h"

/**
 * struct sluice_registers_client - a client that has mapped registers
 * @link: in registers->clients
 * @mapping: address space of its file
 */
struct sluice_registers_client {
	struct list_head link;
	struct address_space *mapping;
};

/**
 * struct sluice_registers - the mapped registers of a device
 * @mmio: guard of the registers, blocked during a reset.  A fault holds its lock from the question
 *	to the driver until the page is mapped.  The removal of the device does not revoke it,
 *	because faults enter the device
 * @mappings_lock: guards the fields below, and client->registers
 * @clients: clients that have mapped registers
 * @num_mappings: number of mappings of registers, in all processes
 * @awake: the mappings keep the hardware awake
 */
struct sluice_registers {
	struct sluice_mmio mmio;
	struct mutex mappings_lock;
	struct list_head clients;
	unsigned int num_mappings;
	bool awake;
};

/**
 * sluice_registers_create - prepare a device for mappings of registers
 * @sdev: the device, which is being registered
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_registers_create(struct sluice_device *sdev)
{
	struct sluice_registers *registers = kzalloc(sizeof(*registers), GFP_KERNEL);

	if (!registers)
		return -ENOMEM;
	sluice_mmio_init(&registers->mmio);
	mutex_init(&registers->mappings_lock);
	INIT_LIST_HEAD(&registers->clients);
	sdev->registers = registers;
	return 0;
}

/**
 * sluice_registers_free - undo sluice_registers_create()
 * @sdev: the device, which is being freed, so it has no clients
 *
 * Context: any.
 */
void sluice_registers_free(struct sluice_device *sdev)
{
	kfree(sdev->registers);
}

static vm_fault_t sluice_registers_fault(struct vm_fault *vmf)
{
	struct sluice_client *client = vmf->vma->vm_private_data;
	struct sluice_device *sdev = client->sdev;
	struct sluice_registers *registers = sdev->registers;
	vm_fault_t ret;
	phys_addr_t phys;

	for (;;) {
		if (!sluice_device_enter(sdev))
			return VM_FAULT_SIGBUS;
		if (!sluice_mmio_trylock(&registers->mmio))
			break;
		/* exit before the wait: the removal of the device must not wait for the unblock */
		sluice_device_exit(sdev);
		ret = sluice_mmio_wait_fault(&registers->mmio, vmf);
		if (ret)
			return ret;
	}
	ret = VM_FAULT_SIGBUS;
	if (!sdev->ops->find_registers(sdev->priv, (u64)vmf->pgoff << PAGE_SHIFT, &phys))
		ret = vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(phys));
	sluice_mmio_unlock(&registers->mmio);
	sluice_device_exit(sdev);
	return ret;
}

/* Drop the count of sluice_device_wake() that all mappings of registers share. */
static void sluice_registers_rest(struct sluice_device *sdev)
{
	struct sluice_registers *registers = sdev->registers;

	lockdep_assert_held(&registers->mappings_lock);
	if (registers->awake)
		sluice_device_rest(sdev);
	registers->awake = false;
}

static void sluice_registers_vma_open(struct vm_area_struct *vma)
{
	struct sluice_client *client = vma->vm_private_data;
	struct sluice_registers *registers = client->sdev->registers;

	mutex_lock(&registers->mappings_lock);
	registers->num_mappings++;
	mutex_unlock(&registers->mappings_lock);
}

static void sluice_registers_vma_close(struct vm_area_struct *vma)
{
	struct sluice_client *client = vma->vm_private_data;
	struct sluice_registers *registers = client->sdev->registers;

	mutex_lock(&registers->mappings_lock);
	if (!--registers->num_mappings)
		sluice_registers_rest(client->sdev);
	mutex_unlock(&registers->mappings_lock);
}

static const struct vm_operations_struct sluice_registers_vm_ops = {
	.open = sluice_registers_vma_open,
	.close = sluice_registers_vma_close,
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

/*
 * Count a mapping that is being made, and remember the client and its file.  The caller has called
 * sluice_device_wake() for the mapping, and must call sluice_device_rest() after an error.
 */
static int sluice_registers_add(struct sluice_client *client, struct address_space *mapping)
{
	struct sluice_registers *registers = client->sdev->registers;
	struct sluice_registers_client *mine = kmalloc(sizeof(*mine), GFP_KERNEL_ACCOUNT);

	if (!mine)
		return -ENOMEM;
	mutex_lock(&registers->mappings_lock);
	if (!client->registers) {
		mine->mapping = mapping;
		list_add(&mine->link, &registers->clients);
		swap(client->registers, mine);
	}
	sluice_registers_rest(client->sdev);	/* the caller's count replaces the old one */
	registers->awake = true;
	registers->num_mappings++;
	mutex_unlock(&registers->mappings_lock);
	kfree(mine);	/* NULL if the client has got it */
	return 0;
}

/* Check and count a mapping.  The device is entered. */
static int sluice_registers_begin(struct sluice_client *client, struct file *file,
				  const struct vm_area_struct *vma)
{
	struct sluice_device *sdev = client->sdev;
	int ret;

	/* VM_MAYSHARE, because the kernel clears VM_SHARED if the fd is only for reading */
	if (!sdev->ops->find_registers || !(vma->vm_flags & VM_MAYSHARE) ||
	    vma->vm_pgoff > U64_MAX >> PAGE_SHIFT)
		return -EINVAL;
	ret = sluice_registers_check(sdev, (u64)vma->vm_pgoff << PAGE_SHIFT,
				     vma->vm_end - vma->vm_start);
	if (!ret)
		ret = sluice_device_wake(sdev);
	if (ret)
		return ret;
	ret = sluice_registers_add(client, file->f_mapping);
	if (ret)
		sluice_device_rest(sdev);
	return ret;
}

/**
 * sluice_registers_mmap - mmap() of a node: map registers
 * @file: file of a client
 * @vma: the mapping; its offset is SLUICE_MMAP_BAR(bar) plus bytes into the BAR
 *
 * Faults map the pages.
 *
 * Context: process context, may sleep; mmap_lock is held.
 * Return: 0, or a negative errno:
 *
 *	-EINVAL		the mapping is private, or there are no such registers
 *	-EACCES		userspace may not have all of the pages
 *	-EPERM		the kernel is locked down
 *	-EIO		the hardware does not wake up
 *	-ENOMEM		no memory
 *	-ENODEV		the device is removed
 */
int sluice_registers_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct sluice_client *client = file->private_data;
	int ret;

	if (!sluice_device_enter(client->sdev))
		return -ENODEV;
	ret = sluice_registers_begin(client, file, vma);
	sluice_device_exit(client->sdev);
	if (ret)
		return ret;
	vma->vm_private_data = client;	/* the vma holds the file, which holds the client */
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = pgprot_decrypted(pgprot_noncached(vma->vm_page_prot));
	vma->vm_ops = &sluice_registers_vm_ops;
	return 0;
}

static void sluice_registers_zap(struct sluice_registers *registers)
{
	struct sluice_registers_client *client;

	mutex_lock(&registers->mappings_lock);
	list_for_each_entry(client, &registers->clients, link)
		unmap_mapping_range(client->mapping, 0, 0, 1);
	mutex_unlock(&registers->mappings_lock);
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
	/* wait until faults with an old answer have mapped their pages: the zap removes these */
	sluice_mmio_synchronize(&sdev->registers->mmio);
	sluice_registers_zap(sdev->registers);
}
EXPORT_SYMBOL_GPL(sluice_device_zap_registers);

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
	sluice_mmio_block(&sdev->registers->mmio, true);
	sluice_registers_zap(sdev->registers);
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
	sluice_mmio_block(&sdev->registers->mmio, false);
}
EXPORT_SYMBOL_GPL(sluice_device_unblock);

/**
 * sluice_registers_revoke - zap registers and let the hardware sleep: the device is removed
 * @sdev: the device, whose @users is 0
 *
 * Context: process context, may sleep.
 */
void sluice_registers_revoke(struct sluice_device *sdev)
{
	sluice_device_zap_registers(sdev);
	mutex_lock(&sdev->registers->mappings_lock);
	sluice_registers_rest(sdev);
	mutex_unlock(&sdev->registers->mappings_lock);
}

/**
 * sluice_registers_close - forget that a client has mapped registers
 * @client: the client, whose file is being closed, so it has no mappings any more
 *
 * Context: process context, may sleep.
 */
void sluice_registers_close(struct sluice_client *client)
{
	struct sluice_registers *registers = client->sdev->registers;

	if (!client->registers)
		return;
	mutex_lock(&registers->mappings_lock);
	list_del(&client->registers->link);
	mutex_unlock(&registers->mappings_lock);
	kfree(client->registers);
}
