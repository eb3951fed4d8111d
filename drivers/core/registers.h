/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of a device, which processes map with mmap() of the node.  During a reset, this code
 * also keeps all CPUs from the BARs of the device.
 *
 * Faults map the pages.  Each fault calls ->find_registers() of the driver, which says whether
 * userspace may have the page.  When the device is removed, the registers are zapped (removed from
 * all page tables).  Later accesses to them raise SIGBUS.
 *
 *	registers->mappings_lock	mutex, inside mmap_lock: guards the list of clients that
 *					have mapped registers, and the number of mappings
 *	registers->mmio.lock		rw_semaphore, inside mmap_lock.  A fault holds it for
 *					reading while it calls ->find_registers() and maps the
 *					page.  sluice_device_zap_registers() takes it for writing,
 *					to wait for faults that have got an old answer.
 *					sluice_device_block() and _unblock() take it for writing,
 *					too
 *
 * Device drivers call sluice_device_zap_registers(), sluice_device_block() and
 * sluice_device_unblock().  node.c calls sluice_registers_mmap() and sluice_registers_close().
 * register.c calls the other functions.
 */
#ifndef _SLUICE_REGISTERS_H
#define _SLUICE_REGISTERS_H

struct file;
struct sluice_client;
struct sluice_device;
struct vm_area_struct;

int sluice_registers_create(struct sluice_device *sdev);
void sluice_registers_free(struct sluice_device *sdev);
void sluice_registers_revoke(struct sluice_device *sdev);
void sluice_registers_close(struct sluice_client *client);
int sluice_registers_mmap(struct file *file, struct vm_area_struct *vma);

#endif /* _SLUICE_REGISTERS_H */
