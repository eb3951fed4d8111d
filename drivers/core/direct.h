/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Direct access of a process to a device: eventfds that count interrupts, and mapped registers.
 *
 * direct.c has the locks.
 */
#ifndef _SLUICE_DIRECT_H
#define _SLUICE_DIRECT_H

struct file;
struct sluice_call;
struct sluice_client;
struct sluice_device;
struct vm_area_struct;

void sluice_direct_init(struct sluice_device *sdev);
void sluice_direct_revoke(struct sluice_device *sdev);
void sluice_direct_close(struct sluice_client *client);
int sluice_node_eventfd(struct sluice_call *call);
int sluice_node_mmap(struct file *file, struct vm_area_struct *vma);

#endif /* _SLUICE_DIRECT_H */
