/* SPDX-License-Identifier: MIT */
/* Functions of memory.c that other files share: for struct steps, and the test importer. */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include "bench.h"

#define NO_LIMIT_MB	"1048576"	/* for a limit of Sluice: more than a guest has */

/** alloc_one - allocate a buffer: scene->dmabufs[0] */
int alloc_one(struct scene *scene);

/** open_live - allocate scene->count buffers of this size: scene->live */
int open_live(struct scene *scene, size_t size);

/** close_live - close them, also after an error of open_live() */
void close_live(struct scene *scene);

/** drop_pools - free all memory that shrinkers can free, so that none is kept for reuse */
int drop_pools(struct scene *scene);

/** map_touch_one - map the buffer where huge entries may be used, write to each page, unmap */
int map_touch_one(struct scene *scene);

/** open_any_importer - alloc_one(), and the test importer, with devices without limits */
int open_any_importer(struct scene *scene);

/** importer_attach - attach the buffer to a device of the test importer; returns the number */
int importer_attach(struct scene *scene, uint32_t device);

/** attach_map - attach the buffer to the first device, map it, and undo both */
int attach_map(struct scene *scene);

#endif /* BENCH_MEMORY_H */
