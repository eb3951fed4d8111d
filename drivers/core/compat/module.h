/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: modules.
 *
 * The headers of compat/ have everything that differs between the supported kernels.  The .c files
 * read as code for the newest kernel.  A shim is removed when the last kernel that needs it is no
 * longer supported.  A number at the beginning of a comment is the kernel that needs the shim.
 *
 * Kbuild searches the kernel's headers and defines SLUICE_HAVE_*.  It does not use version numbers,
 * because stable kernels backport interfaces.
 */
#ifndef _SLUICE_COMPAT_MODULE_H
#define _SLUICE_COMPAT_MODULE_H

#include <linux/module.h>

#ifdef SLUICE_HAVE_IMPORT_NS_STRING
#define SLUICE_IMPORT_NS(ns)	MODULE_IMPORT_NS(#ns)
#else
#define SLUICE_IMPORT_NS(ns)	MODULE_IMPORT_NS(ns)
#endif

#endif /* _SLUICE_COMPAT_MODULE_H */
