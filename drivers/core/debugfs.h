/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/kernel/debug/sluice: the live objects, for people and for tests.
 *
 *	objects		number of live objects of each kind
 *	buffers		one line for each buffer: its memory, the user and the process that
 *			opened the node, and the name that DMA_BUF_SET_NAME gave it
 *	pool		bytes of parked memory
 *	coverage	basic blocks that have run; only in kernels with KCOV
 *	<device>/	directory of a device:
 *		engines		one line for each engine: how often ops were aborted, and the
 *				job of its oldest op in flight
 *		queues		one line for each queue
 *		jobs		one line for each of the first SLUICE_DEBUGFS_JOBS jobs of a
 *				queue, with the fences that it waits for
 *		others		files that the device driver adds
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
