/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration of devices, and their removal.  register.c makes a device of the parts that the
 * other files own, and takes it apart again.  It also owns the class of the nodes.
 *
 * A device lives until the last reference on it is dropped.  Open files of the node, queues and
 * buffers hold references.  The hardware may be removed earlier: sluice_device_unregister() sets
 * sdev->gone, ends all jobs, unmaps all slots, and waits until sdev->users is 0.  After it has
 * returned, the core never calls the device driver.
 *
 * register.c has no lock of its own.  It changes sdev->gone with sdev->lock held; other code may
 * read sdev->gone without this lock.  Device drivers call the functions of sluice.h.  module.c
 * calls the functions below.
 */
#ifndef _SLUICE_REGISTER_H
#define _SLUICE_REGISTER_H

int sluice_class_init(void);
void sluice_class_exit(void);

#endif /* _SLUICE_REGISTER_H */
