/* SPDX-License-Identifier: MIT */
/* Load and unload Sluice's modules. */
#ifndef MODULES_H
#define MODULES_H

#include <stdbool.h>

/**
 * module_load - load a module of Sluice, without parameters
 *
 * Uses the system call, because a shell for each module is slow.  Returns 0 or -errno.
 */
int module_load(const char *name);

/**
 * module_unload - unload a module
 *
 * Tries for ten seconds, because the last reference may be dropped a moment later.  Returns whether
 * the module is unloaded.
 */
bool module_unload(const char *name);

#endif /* MODULES_H */
