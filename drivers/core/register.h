/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registration: makes a device of the parts that the other files own, and takes it apart again.
 * Also system sleep, and the class with its nodes.
 *
 * There is no lock of its own: sdev->lock guards changes of sdev->gone; code without the lock may
 * read it.  Device drivers call the functions of sluice.h.  module.c calls the functions below.
 */
#ifndef _SLUICE_REGISTER_H
#define _SLUICE_REGISTER_H

int sluice_class_init(void);
void sluice_class_exit(void);

#endif /* _SLUICE_REGISTER_H */
