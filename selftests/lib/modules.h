/* SPDX-License-Identifier: MIT */
/* Load and unload Sluice's modules. */
#ifndef MODULES_H
#define MODULES_H

#include <stdbool.h>
#include <stddef.h>

/**
 * modules_installed - are Sluice's modules among the kernel's?
 *
 * Otherwise, they are in the folder that the environment variable SLUICE_MODULES names, or in a
 * guest of the lab in /sluice.
 */
bool modules_installed(void);

/** module_path - the file of a module of Sluice; returns whether there is one */
bool module_path(const char *name, char *path, size_t size);

/**
 * module_load - load a module of Sluice, without parameters
 *
 * Uses the system call, because a shell for each module is slow.  Returns 0 or -errno.
 */
int module_load(const char *name);

/** module_load_with - the same, with parameters, as insmod takes them */
int module_load_with(const char *name, const char *parameters);

/**
 * module_unload - unload a module
 *
 * Tries for ten seconds, because the last reference may be dropped a moment later.  Returns whether
 * the module is unloaded.
 */
bool module_unload(const char *name);

#endif /* MODULES_H */
