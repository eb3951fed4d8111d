/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of a device that processes have mapped, and the block of a device's BARs during a
 * reset.
 *
 *	registers->mappings_lock	mutex, inside mmap_lock: guards the list of clients that
 *					have mapped registers, and the number of mappings
 *	registers->lock			rw_semaphore, inside mmap_lock.  A fault holds it for
 *					reading, from the question to the driver whether userspace
 *					may have the page until the page is mapped.
 *					sluice_device_zap_registers() takes it for writing, to wait
 *					for faults with an old answer
 *
 * Device drivers call sluice_device_zap_registers(), sluice_device_block() and
 * sluice_device_unblock().  node.c maps registers and closes clients, and register.c calls the
 * other functions.
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
