/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: classes of devices.
 */
#ifndef _SLUICE_COMPAT_DEVICE_H
#define _SLUICE_COMPAT_DEVICE_H

#include <linux/device.h>

/* 6.1: the argument of the devnode callback is not const */
#ifdef SLUICE_HAVE_CONST_DEVNODE
#define sluice_compat_devnode_device	const struct device
#else
#define sluice_compat_devnode_device	struct device
#endif

#endif /* _SLUICE_COMPAT_DEVICE_H */
