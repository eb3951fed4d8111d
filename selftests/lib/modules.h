/* SPDX-License-Identifier: MIT */
/* Our modules, loaded and unloaded. */
#ifndef MODULES_H
#define MODULES_H

#include <stdbool.h>

/**
 * module_load - load one of our modules, without parameters
 *
 * By the system call: a shell for each takes long.  Returns 0 or -errno.
 */
int module_load(const char *name);

/**
 * module_unload - unload a module
 *
 * Tries for ten seconds: rmmod fails while a last reference is on its way out.
 * Returns whether it is gone.
 */
bool module_unload(const char *name);

#endif /* MODULES_H */
