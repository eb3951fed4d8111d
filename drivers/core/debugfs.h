/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/kernel/debug/sluice: the live objects, for people and for tests.
 */
#ifndef _SLUICE_DEBUGFS_H
#define _SLUICE_DEBUGFS_H

#include <linux/debugfs.h>

struct sluice_device;

void sluice_debugfs_init(void);
void sluice_debugfs_exit(void);
void sluice_debugfs_add_device(struct sluice_device *sdev);
void sluice_debugfs_remove_device(struct sluice_device *sdev);

#ifdef CONFIG_KCOV
void sluice_coverage_init(struct dentry *debugfs);
#else
static inline void sluice_coverage_init(struct dentry *debugfs)
{
}
#endif

#endif /* _SLUICE_DEBUGFS_H */
