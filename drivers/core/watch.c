// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watches: a fence that jobs of an engine wait for, with one callback for all of them.
 *
 * Whoever signals a fence calls its callbacks with the fence's lock held and interrupts
 * off.  Thousands of jobs may wait for it; so an engine has one callback on it, which only
 * puts the watch into a list.  The engine's work then tells the jobs, one each time that
 * it holds its lock.
 *
 *	sluice_watch_create()	by SUBMIT, for each in-fence: later nothing allocates
 *	sluice_watch_join()	the engine's work, when the job is the first of its queue:
 *				it joins the watch of this fence, or begins one
 *	sluice_watch_callback()	the fence has signalled
 *	sluice_watch_next()	the engine's work: one of the jobs is told
 *	sluice_watch_leave()	the job goes, told or not.  The last one ends the watch
 *
 * Watches are found by the address of their fence, which they hold, in a tree: even with
 * many of them that takes few steps.
 */
#include <linux/dma-fence.h>
#include <linux/rbtree.h>
#include <linux/slab.h>

#include "core.h"

/**
 * struct sluice_watch - a fence that jobs of an engine wait for; guarded by engine->lock
 * @engine: the engine
 * @fence: reference held
 * @cb: on @fence
 * @node: in engine->watches, until the fence has signalled or nobody waits
 * @deps: in-fences of jobs that have not been told
 * @link: in engine->signalled, until the last job has been told
 * @joined: jobs that have not left
 */
struct sluice_watch {
	struct sluice_engine *engine;
	struct dma_fence *fence;
	struct dma_fence_cb cb;
	struct rb_node node;
	struct list_head deps;
	struct list_head link;
	unsigned int joined;
};

/**
 * sluice_watch_create - memory for a watch
 * @dep: the in-fence; gets it
 *
 * Context: may sleep.  Return: 0 or -ENOMEM.
 */
int sluice_watch_create(struct sluice_dep *dep)
{
	dep->spare = kmalloc(sizeof(*dep->spare), GFP_KERNEL_ACCOUNT);
	return dep->spare ? 0 : -ENOMEM;
}

static int sluice_watch_compare(struct rb_node *new, const struct rb_node *node)
{
	unsigned long a = (unsigned long)rb_entry(new, struct sluice_watch, node)->fence;
	unsigned long b = (unsigned long)rb_entry(node, struct sluice_watch, node)->fence;

	return a < b ? -1 : a > b;
}

/* Nobody joins it any more.  Again: nothing happens. */
static void sluice_watch_close(struct sluice_watch *watch)
{
	lockdep_assert_held(&watch->engine->lock);
	if (RB_EMPTY_NODE(&watch->node))
		return;
	rb_erase(&watch->node, &watch->engine->watches);
	RB_CLEAR_NODE(&watch->node);
}

/* With the fence's lock held. */
static void sluice_watch_callback(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct sluice_watch *watch = container_of(cb, struct sluice_watch, cb);
	struct sluice_engine *engine = watch->engine;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	sluice_watch_close(watch);
	if (!list_empty(&watch->deps)) {
		list_add_tail(&watch->link, &engine->signalled);
		sluice_engine_kick_locked(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * sluice_watch_join - a job is to be told when a fence has signalled
 * @engine: the job's
 * @dep: the in-fence, with memory for a watch
 *
 * Context: whoever dispatches, without engine->lock.
 */
void sluice_watch_join(struct sluice_engine *engine, struct sluice_dep *dep)
{
	struct sluice_watch *watch = dep->spare;
	struct rb_node *node;

	watch->engine = engine;
	watch->fence = dep->fence;
	watch->joined = 0;
	INIT_LIST_HEAD(&watch->deps);
	INIT_LIST_HEAD(&watch->link);

	spin_lock_irq(&engine->lock);
	node = rb_find_add(&watch->node, &engine->watches, sluice_watch_compare);
	if (node)
		watch = rb_entry(node, struct sluice_watch, node);
	dep->watch = watch;
	watch->joined++;
	list_add_tail(&dep->link, &watch->deps);
	spin_unlock_irq(&engine->lock);
	if (node)
		return;
	/* the first one: its job stays until whoever dispatches ends it */
	dep->spare = NULL;
	dma_fence_get(watch->fence);
	if (dma_fence_add_callback(watch->fence, &watch->cb, sluice_watch_callback))
		sluice_watch_callback(watch->fence, &watch->cb);
}

/**
 * sluice_watch_next - who is to be told next that a fence has signalled?
 * @engine: the engine
 *
 * Context: engine->lock held.  Return: the in-fence, or NULL.  It has been told then.
 */
struct sluice_dep *sluice_watch_next(struct sluice_engine *engine)
{
	struct sluice_watch *watch;
	struct sluice_dep *dep;

	lockdep_assert_held(&engine->lock);
	watch = list_first_entry_or_null(&engine->signalled, struct sluice_watch, link);
	if (!watch)
		return NULL;
	dep = list_first_entry(&watch->deps, struct sluice_dep, link);
	list_del_init(&dep->link);
	if (list_empty(&watch->deps))
		list_del_init(&watch->link);
	return dep;
}

/**
 * sluice_watch_leave - a job goes, told or not
 * @dep: its in-fence
 *
 * Context: any; no fence's lock held.
 */
void sluice_watch_leave(struct sluice_dep *dep)
{
	struct sluice_watch *watch = dep->watch;
	unsigned long flags;
	bool last;

	kfree(dep->spare);
	if (!watch)
		return;
	spin_lock_irqsave(&watch->engine->lock, flags);
	list_del_init(&dep->link);
	if (list_empty(&watch->deps))
		list_del_init(&watch->link);
	last = !--watch->joined;
	if (last)
		sluice_watch_close(watch);
	spin_unlock_irqrestore(&watch->engine->lock, flags);
	if (!last)
		return;
	/* takes the fence's lock: the callback is not running afterwards */
	dma_fence_remove_callback(watch->fence, &watch->cb);
	dma_fence_put(watch->fence);
	kfree(watch);
}
