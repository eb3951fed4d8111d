/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our dma_fence: a point on a timeline.
 *
 * A fence carries its own names and refers to no object, so it may outlive its job, its queue, its
 * device and, on the newest kernels, this module.  SUBMIT makes a fence if a buffer or an fd needs
 * one, and publishes it with the job.  FENCE makes one for a point that has none.  A fence is
 * signalled once, when the device does not access the memory of the job any more.
 *
 * The kernel's lock of a fence guards it.  submit.c, queue.c and slot.c make fences, queue.c and
 * slot.c signal them, and pick.c reads their deadlines.
 */
#ifndef _SLUICE_FENCE_H
#define _SLUICE_FENCE_H

#include <linux/dma-fence.h>
#include <linux/ktime.h>

#include <uapi/linux/sluice.h>

#define SLUICE_FENCE_TIMEOUT_MS	30000	/* a job may wait so long for its in-fences */

/**
 * struct sluice_timeline - a row of points, each of which may have a fence
 * @context: fence context
 * @name: name, for people.  Each fence has a copy
 */
struct sluice_timeline {
	u64 context;
	char name[SLUICE_NAME_LEN + 12];
};

struct dma_fence *sluice_fence_create(const struct sluice_timeline *timeline);
void sluice_fence_init(struct dma_fence *fence, u64 context, u64 seqno);
ktime_t sluice_fence_deadline(const struct dma_fence *fence);
bool sluice_fence_any_deadline(void);
void sluice_fence_end(struct dma_fence *fence, int status, ktime_t when);
void sluice_fence_exit(void);

#endif /* _SLUICE_FENCE_H */
