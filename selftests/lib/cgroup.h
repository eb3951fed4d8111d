/* SPDX-License-Identifier: MIT */
/* A memory cgroup, below /tmp. */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdbool.h>

/**
 * memory_cgroup - make a memory cgroup, /tmp/sluice-cgroup/t
 *
 * Returns false if the kernel has no memory cgroups.  Undo it with memory_cgroup_end().
 */
bool memory_cgroup(void);

/** memory_cgroup_end - remove the cgroup t below a mount, and unmount it */
bool memory_cgroup_end(const char *mount);

#endif /* CGROUP_H */
