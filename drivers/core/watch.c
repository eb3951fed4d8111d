// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watches: a fence that jobs of an engine wait for, with one callback for all of them.  See
 * watch.h.
 *
 * The context that signals a fence calls the callbacks with the fence's lock held and interrupts
 * off.  Thousands of jobs may wait for one fence.  An engine therefore has only one callback on the
 * fence, which puts the watch into a list.  The work item of the engine then tells the jobs that
 * the fence has signalled.  It takes and releases engine->lock for each job.
 *
 *	sluice_watch_create()	SUBMIT allocates memory for the watch of each pending in-fence
 *	sluice_watch_arm()	when a job is the next of its queue, the work item adds its deps to
 *				the watches of their fences.  A fence without a watch gets one
 *	sluice_watch_callback()	the fence has signalled
 *	sluice_watch_next()	the work item takes the next job to tell
 *	sluice_watch_leave()	the job is freed, whether it was told or not.  The last dep frees
 *				the watch
 *
 * The watches of an engine are in a tree, by the address of the fence, so a search is fast.  Each
 * watch holds a reference on its fence, so the address stays valid.
 */
#include <linux/dma-fence.h>
#include <linux/rbtree.h>
#include <linux/slab.h>

#include "engine.h"
#include "entity.h"
#include "watch.h"

/**
 * struct sluice_watch - a fence that jobs of an engine wait for; guarded by engine->lock
 * @engine: the engine
 * @fence: reference held
 * @cb: the callback on @fence
 * @node: in engine->watches, until the fence has signalled or the last dep has left
 * @deps: deps that wait for the fence, or whose job has not been told yet that it has signalled
 * @link: in engine->signalled, from the signal until @deps is empty
 * @joined: number of deps that have not left
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
 * sluice_watch_create - allocate memory for a watch
 * @dep: the in-fence that gets the memory
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
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

/* Take a watch out of the tree, so that no more deps join it.  Idempotent. */
static void sluice_watch_close(struct sluice_watch *watch)
{
	lockdep_assert_held(&watch->engine->lock);
	if (RB_EMPTY_NODE(&watch->node))
		return;
	rb_erase(&watch->node, &watch->engine->watches);
	RB_CLEAR_NODE(&watch->node);
}

/* dma-fence calls this with the lock of the fence held, sluice_watch_join() without it. */
static void sluice_watch_callback(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct sluice_watch *watch = container_of(cb, struct sluice_watch, cb);
	struct sluice_engine *engine = watch->engine;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	sluice_watch_close(watch);
	if (!list_empty(&watch->deps)) {
		list_add_tail(&watch->link, &engine->signalled);
		sluice_engine_kick_unless_dispatching(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* Add a dep to the watch of its fence.  If there is no watch, make one from the dep's memory. */
static void sluice_watch_join(struct sluice_engine *engine, struct sluice_dep *dep)
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
	/*
	 * the watch is new, and is used here without the lock.  It stays, because the dep stays in
	 * it: this is the dispatching context, and no other could end the waiting job now
	 */
	dep->spare = NULL;
	dma_fence_get(watch->fence);
	if (dma_fence_add_callback(watch->fence, &watch->cb, sluice_watch_callback))
		sluice_watch_callback(watch->fence, &watch->cb);
}

/**
 * sluice_watch_arm - join the watches of a job's in-fences
 * @job: the next job of its queue.  Called once for each job
 *
 * From now on, sluice_watch_next() returns each in-fence that has signalled.  Only the next job of
 * a queue joins: the jobs of a queue run in order, so a later job gains nothing from its watches.
 *
 * Context: the dispatching context, without engine->lock.  No other context ends the job meanwhile.
 */
void sluice_watch_arm(struct sluice_sched_job *job)
{
	unsigned int i;

	for (i = 0; i < job->num_deps; i++)
		if (job->deps[i].pending)
			sluice_watch_join(job->entity->engine, &job->deps[i]);
}

/**
 * sluice_watch_next - remove the next signalled in-fence from its watch
 * @engine: the engine
 *
 * The caller must tell the job that has this in-fence.
 *
 * Context: engine->lock held.
 * Return: the in-fence, or NULL if there is none.
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
 * sluice_dep_error - has an in-fence of a job failed?
 * @job: a job whose in-fences have all signalled
 *
 * Only explicit in-fences count.  Implicit in-fences only order accesses: it depends on chance
 * whether a fence that failed is still on the buffer.
 *
 * Context: any.
 * Return: 0, or -ECANCELED if one has failed and the job does not have SLUICE_SUBMIT_IGNORE_ERRORS.
 */
int sluice_dep_error(const struct sluice_sched_job *job)
{
	unsigned int i;

	if (job->flags & SLUICE_SUBMIT_IGNORE_ERRORS)
		return 0;
	for (i = 0; i < job->num_deps; i++)
		if (job->deps[i].explicit && dma_fence_get_status(job->deps[i].fence) < 0)
			return -ECANCELED;
	return 0;
}

/**
 * sluice_watch_leave - remove a job from the watch of an in-fence
 * @dep: the in-fence, whether it has signalled or not
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
	/*
	 * this takes the lock of the fence, so it waits for a running callback, and none starts
	 * later
	 */
	dma_fence_remove_callback(watch->fence, &watch->cb);
	dma_fence_put(watch->fence);
	kfree(watch);
}
