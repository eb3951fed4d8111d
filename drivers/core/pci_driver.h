/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The work that is the same in each driver of a PCI device: enable the device, map its registers,
 * request its interrupt, sleep, and removal.  A driver with other needs calls the kernel's
 * functions, and sluice_device_register(), itself.
 *
 * pci_driver.c owns a devres of the PCI device, which points to the Sluice device.  Removal and
 * the PM ops find the Sluice device there.
 *
 * There is no lock.  The driver core holds the lock of the PCI device in probe, remove and system
 * sleep.  The PCI core keeps the device awake in probe and remove.  No PM op therefore runs while
 * the devres is added or released.  Device drivers call the functions in probe and remove.
 * sluice.h declares all of them.
 */
#ifndef _SLUICE_PCI_DRIVER_H
#define _SLUICE_PCI_DRIVER_H

#include "sluice.h"

#endif /* _SLUICE_PCI_DRIVER_H */
