/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: list_lru and shrinkers.
 */
#ifndef _SLUICE_COMPAT_LRU_H
#define _SLUICE_COMPAT_LRU_H

#include <linux/list_lru.h>
#include <linux/memcontrol.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

/* A list_lru keeps the memory of each memory cgroup apart.  Older kernels differ in arguments. */
#ifdef SLUICE_HAVE_LRU_LOCK_ARG
#define SLUICE_COMPAT_LRU_LOCK_ARG	spinlock_t *lock,
#define SLUICE_COMPAT_LRU_LOCK		lock,
#else
#define SLUICE_COMPAT_LRU_LOCK_ARG
#define SLUICE_COMPAT_LRU_LOCK
#endif

#ifndef SLUICE_HAVE_LRU_ADD_OBJ
#define list_lru_add_obj(lru, item)	list_lru_add(lru, item)
#define list_lru_del_obj(lru, item)	list_lru_del(lru, item)
#endif

/* The caller's memory cgroup, as a number that is never used again; 0 without cgroups. */
static inline u64 sluice_compat_memcg_number(void)
{
	u64 number = 0;
#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg;

	rcu_read_lock();
	memcg = mem_cgroup_from_task(current);
	if (memcg)
		number = memcg->css.serial_nr;
	rcu_read_unlock();
#endif
	return number;
}

/* Walk the list of the caller's memory cgroup, if it still has that number. */
static inline void sluice_compat_lru_walk_current(struct list_lru *lru, int node, u64 number,
						  list_lru_walk_cb isolate, void *arg,
						  unsigned long *count)
{
	struct mem_cgroup *memcg = NULL;
	bool same = true;

	rcu_read_lock();
#ifdef CONFIG_MEMCG
	memcg = mem_cgroup_from_task(current);
	same = memcg ? memcg->css.serial_nr == number : !number;
#endif
	if (same)
		list_lru_walk_one(lru, node, memcg, isolate, arg, count);
	rcu_read_unlock();
}

typedef unsigned long (*sluice_compat_shrinker_fn)(struct shrinker *shrinker,
						   struct shrink_control *control);

#ifdef SLUICE_HAVE_SHRINKER_ALLOC
static inline int sluice_compat_shrinker_init(struct shrinker **result, struct list_lru *lru,
					      sluice_compat_shrinker_fn count,
					      sluice_compat_shrinker_fn scan)
{
	struct shrinker *shrinker;
	int ret;

	shrinker = shrinker_alloc(SHRINKER_MEMCG_AWARE | SHRINKER_NUMA_AWARE, "sluice-pool");
	if (!shrinker)
		return -ENOMEM;
	ret = list_lru_init_memcg(lru, shrinker);
	if (ret) {
		shrinker_free(shrinker);
		return ret;
	}
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker_register(shrinker);
	*result = shrinker;
	return 0;
}

static inline void sluice_compat_shrinker_free(struct shrinker *shrinker)
{
	shrinker_free(shrinker);
}
#else
/*
 * The list_lru needs the number that register_shrinker() gives to the shrinker.  From then on the
 * shrinker may be called, so it reports no objects until the list_lru is ready.
 */
static inline unsigned long sluice_compat_count_none(struct shrinker *shrinker,
						     struct shrink_control *control)
{
	return SHRINK_EMPTY;
}

static inline int sluice_compat_shrinker_init(struct shrinker **result, struct list_lru *lru,
					      sluice_compat_shrinker_fn count,
					      sluice_compat_shrinker_fn scan)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
	int ret;

	if (!shrinker)
		return -ENOMEM;
	shrinker->flags = SHRINKER_MEMCG_AWARE | SHRINKER_NUMA_AWARE;
	shrinker->count_objects = sluice_compat_count_none;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
	ret = register_shrinker(shrinker, "sluice-pool");
	if (ret)
		goto err_free;
	ret = list_lru_init_memcg(lru, shrinker);
	if (ret)
		goto err_unregister;
	/* the list_lru must be complete before the shrinker counts in it */
	smp_store_release(&shrinker->count_objects, count);
	*result = shrinker;
	return 0;

err_unregister:
	unregister_shrinker(shrinker);
err_free:
	kfree(shrinker);
	return ret;
}

static inline void sluice_compat_shrinker_free(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(shrinker);
}
#endif

#endif /* _SLUICE_COMPAT_LRU_H */
