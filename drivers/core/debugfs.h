/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/kernel/debug/sluice: the live objects, for people and for tests.
 *
 * debugfs.c owns the directories, and has no lock of its own.  It reads each object with the lock
 * that guards the object.  module.c and register.c call it; a device driver calls
 * sluice_device_debugfs().
 */
#ifndef _SLUICE_DEBUGFS_H
#define _SLUICE_DEBUGFS_H

struct sluice_device;

void sluice_debugfs_init(void);
void sluice_debugfs_exit(void);
void sluice_debugfs_add_device(struct sluice_device *sdev);
void sluice_debugfs_remove_device(struct sluice_device *sdev);

#endif /* _SLUICE_DEBUGFS_H */
