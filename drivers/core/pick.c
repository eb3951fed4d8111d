// SPDX-License-Identifier: GPL-2.0-only
/* Which queue of an engine is the next?  See pick.h. */
#include <linux/jiffies.h>
#include <linux/minmax.h>

#include "engine.h"
#include "entity.h"
#include "fence.h"
#include "pick.h"

/* Limits of the search for the earliest deadline: queues of a priority, and jobs of each queue. */
#define SLUICE_PICK_QUEUES	16
#define SLUICE_PICK_JOBS	4

/* The earliest deadline of a fence of the next SLUICE_PICK_JOBS jobs of a queue, or KTIME_MAX. */
static ktime_t sluice_pick_deadline(struct sluice_entity *entity)
{
	ktime_t earliest = KTIME_MAX;
	unsigned int jobs = 0;
	struct sluice_sched_job *job = entity->next;

	/* a job in front of an urgent job is as urgent */
	list_for_each_entry_from(job, &entity->jobs, link) {
		if (jobs++ == SLUICE_PICK_JOBS)
			break;
		if (job->fence)
			earliest = min(earliest, sluice_fence_deadline(job->fence));
	}
	return earliest;
}

/* Of the ready queues of one priority: the one with the earliest deadline, else the first. */
static struct sluice_entity *sluice_pick_most_urgent(struct list_head *ready)
{
	struct sluice_entity *entity, *best = list_first_entry(ready, struct sluice_entity, node);
	ktime_t deadline, earliest = KTIME_MAX;
	unsigned int queues = 0;

	list_for_each_entry(entity, ready, node) {
		if (queues++ == SLUICE_PICK_QUEUES)
			break;
		deadline = sluice_pick_deadline(entity);
		if (ktime_before(deadline, earliest)) {
			earliest = deadline;
			best = entity;
		}
	}
	return best;
}

/* Was the next job of a ready queue submitted at least a second ago? */
static bool sluice_pick_is_late(struct sluice_entity *entity)
{
	return time_after_eq(jiffies, entity->next->submitted + HZ);
}

/**
 * sluice_pick_next - choose the queue whose op is handed out next
 * @engine: the engine
 *
 * The first rule that finds a queue decides:
 *
 * 1. A queue whose next job has begun, or was stopped too often.
 * 2. A late queue.  The first queue of each priority is late if its next job was submitted at least
 *    a second ago.  Of several late queues, the one that became ready first.  So jobs of a higher
 *    priority, or with a deadline, cannot delay a fence for ever.
 * 3. A queue of the highest priority that has ready queues.  If a fence of these queues has a
 *    deadline, the queue with the earliest deadline; else the one that became ready first.
 *
 * Context: engine->lock held.
 * Return: the entity, or NULL if none has an op that may be handed out.
 */
struct sluice_entity *sluice_pick_next(struct sluice_engine *engine)
{
	struct sluice_entity *late = NULL, *best = NULL;
	int i;

	lockdep_assert_held(&engine->lock);
	if (!list_empty(&engine->begun))
		return list_first_entry(&engine->begun, struct sluice_entity, node);
	for (i = SLUICE_ENGINE_PRIORITIES - 1; i >= 0; i--) {
		struct sluice_entity *first;

		first = list_first_entry_or_null(&engine->ready[i], struct sluice_entity, node);
		if (!first)
			continue;
		if (sluice_pick_is_late(first) &&
		    (!late || time_before(first->ready_since, late->ready_since)))
			late = first;
		if (!best)
			best = sluice_fence_any_deadline() ?
			       sluice_pick_most_urgent(&engine->ready[i]) : first;
	}
	return late ?: best;
}
