/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels, for device drivers.  A device driver of this tree gets this
 * header through sluice.h.
 */
#ifndef _SLUICE_COMPAT_DRIVER_H
#define _SLUICE_COMPAT_DRIVER_H

#include <linux/compiler.h>

#include "compat/timer.h"

/* first point releases of 6.1 */
#ifndef __counted_by
#define __counted_by(member)
#endif

/* 6.1: platform_driver.remove returns an int */
#ifdef SLUICE_HAVE_VOID_PLATFORM_REMOVE
#define SLUICE_PLATFORM_REMOVE(name, fn) \
	static void name(struct platform_device *pdev) { fn(pdev); }
#else
#define SLUICE_PLATFORM_REMOVE(name, fn) \
	static int name(struct platform_device *pdev) { fn(pdev); return 0; }
#endif

#endif /* _SLUICE_COMPAT_DRIVER_H */
