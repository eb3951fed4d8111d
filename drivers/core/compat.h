/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All headers of compat/: everything that differs between the supported kernels.  The .c files read
 * as code for the newest kernel.  A shim is removed when the last kernel that needs it is no longer
 * supported.  A number at the beginning of a comment is the kernel that needs the shim.
 *
 * Kbuild searches the kernel's headers and defines SLUICE_HAVE_*.  It does not use version numbers,
 * because stable kernels backport interfaces.
 */
#ifndef _SLUICE_COMPAT_H
#define _SLUICE_COMPAT_H

#include "compat/device.h"
#include "compat/dma-buf.h"
#include "compat/dma.h"
#include "compat/driver.h"
#include "compat/eventfd.h"
#include "compat/fence.h"
#include "compat/list.h"
#include "compat/lru.h"
#include "compat/memfd.h"
#include "compat/mm.h"
#include "compat/module.h"
#include "compat/p2p.h"
#include "compat/timer.h"
#include "compat/uring.h"

#endif /* _SLUICE_COMPAT_H */
