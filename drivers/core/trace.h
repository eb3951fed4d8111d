/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, in events/sluice/ of tracefs: the memory and the mappings of a buffer, and the life
 * of a job.  Each event has copies of the names, because the named object may be freed before the
 * event is read.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM sluice

#if !defined(_SLUICE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _SLUICE_TRACE_H

#include <linux/dma-direction.h>
#include <linux/tracepoint.h>
#include <linux/types.h>

#include <uapi/linux/sluice.h>

struct device;
struct dma_fence;
struct sg_table;
struct sluice_buffer;
struct sluice_sched_job;

DECLARE_EVENT_CLASS(sluice_buffer,
	TP_PROTO(const struct sluice_buffer *buffer),
	TP_ARGS(buffer),
	TP_STRUCT__entry(
		__array(char, device, SLUICE_NAME_LEN)
		__array(char, heap, SLUICE_NAME_LEN)
		__field(u64, size)
		__field(u64, inode)
		__field(u32, properties)
		__field(unsigned int, pieces)
	),
	TP_fast_assign(
		strscpy(__entry->device, buffer->sdev->name, SLUICE_NAME_LEN);
		strscpy(__entry->heap, buffer->heap->name, SLUICE_NAME_LEN);
		__entry->size = buffer->size;
		__entry->inode = READ_ONCE(buffer->inode);
		__entry->properties = buffer->properties;
		__entry->pieces = buffer->num_pieces ?: 1;
	),
	TP_printk("device=%s heap=%s size=%llu inode=%llu properties=%#x pieces=%u",
		  __entry->device, __entry->heap, __entry->size, __entry->inode,
		  __entry->properties, __entry->pieces)
);

/*
 * sluice_alloc: ALLOC or WRAP has made a dma-buf.  sluice_free: its memory is about to be freed,
 * parked, or unpinned.
 */
DEFINE_EVENT(sluice_buffer, sluice_alloc,
	TP_PROTO(const struct sluice_buffer *buffer), TP_ARGS(buffer));
DEFINE_EVENT(sluice_buffer, sluice_free,
	TP_PROTO(const struct sluice_buffer *buffer), TP_ARGS(buffer));

DECLARE_EVENT_CLASS(sluice_importer,
	TP_PROTO(const struct sluice_buffer *buffer, struct device *dev,
		 enum dma_data_direction dir, const struct sg_table *sgt),
	TP_ARGS(buffer, dev, dir, sgt),
	TP_STRUCT__entry(
		__array(char, importer, SLUICE_NAME_LEN)
		__field(u64, inode)
		__field(int, dir)
		__field(unsigned int, segments)
	),
	TP_fast_assign(
		strscpy(__entry->importer, dev_name(dev), SLUICE_NAME_LEN);
		__entry->inode = READ_ONCE(buffer->inode);
		__entry->dir = dir;
		__entry->segments = sgt->nents;
	),
	TP_printk("inode=%llu importer=%s dir=%s segments=%u", __entry->inode, __entry->importer,
		  __print_symbolic(__entry->dir, { DMA_BIDIRECTIONAL, "both" },
				   { DMA_TO_DEVICE, "read" }, { DMA_FROM_DEVICE, "write" }),
		  __entry->segments)
);

/* An importer maps one of our buffers for its device, and unmaps it. */
DEFINE_EVENT(sluice_importer, sluice_map,
	TP_PROTO(const struct sluice_buffer *buffer, struct device *dev,
		 enum dma_data_direction dir, const struct sg_table *sgt),
	TP_ARGS(buffer, dev, dir, sgt));
DEFINE_EVENT(sluice_importer, sluice_unmap,
	TP_PROTO(const struct sluice_buffer *buffer, struct device *dev,
		 enum dma_data_direction dir, const struct sg_table *sgt),
	TP_ARGS(buffer, dev, dir, sgt));

/* CPU access begins, after the wait for the fences of the buffer; or it ends. */
TRACE_EVENT(sluice_sync,
	TP_PROTO(const struct sluice_buffer *buffer, u64 offset, u64 length, bool begin),
	TP_ARGS(buffer, offset, length, begin),
	TP_STRUCT__entry(
		__field(u64, inode)
		__field(u64, offset)
		__field(u64, length)
		__field(bool, begin)
	),
	TP_fast_assign(
		__entry->inode = READ_ONCE(buffer->inode);
		__entry->offset = offset;
		__entry->length = length;
		__entry->begin = begin;
	),
	TP_printk("inode=%llu offset=%llu length=%llu %s", __entry->inode, __entry->offset,
		  __entry->length, __entry->begin ? "begin" : "end")
);

DECLARE_EVENT_CLASS(sluice_job,
	TP_PROTO(const struct sluice_sched_job *job, int status),
	TP_ARGS(job, status),
	TP_STRUCT__entry(
		__array(char, timeline, SLUICE_NAME_LEN + 12)
		__field(u64, context)
		__field(u64, point)
		__field(unsigned int, ops)
		__field(unsigned int, in_fences)
		__field(int, status)
	),
	TP_fast_assign(
		strscpy(__entry->timeline, job->entity->timeline->name, SLUICE_NAME_LEN + 12);
		__entry->context = job->entity->timeline->context;
		__entry->point = job->point;
		__entry->ops = job->num_ops;
		__entry->in_fences = job->num_deps;
		__entry->status = status;
	),
	TP_printk("timeline=%s context=%llu point=%llu ops=%u in_fences=%u status=%d",
		  __entry->timeline, __entry->context, __entry->point, __entry->ops,
		  __entry->in_fences, __entry->status)
);

/*
 * The steps in the life of a job:
 *
 *	submit	SUBMIT has published it
 *	ready	all its in-fences have signalled
 *	run	its first op is handed out to the device driver
 *	abort	the device driver has stopped one of its ops; status is the reason
 *	done	it has ended: its ops have ended, or it ends without running
 *	signal	its completion is visible, and its fence, if it has one, has signalled
 */
DEFINE_EVENT(sluice_job, sluice_job_submit,
	TP_PROTO(const struct sluice_sched_job *job, int status), TP_ARGS(job, status));
DEFINE_EVENT(sluice_job, sluice_job_ready,
	TP_PROTO(const struct sluice_sched_job *job, int status), TP_ARGS(job, status));
DEFINE_EVENT(sluice_job, sluice_job_run,
	TP_PROTO(const struct sluice_sched_job *job, int status), TP_ARGS(job, status));
DEFINE_EVENT(sluice_job, sluice_job_abort,
	TP_PROTO(const struct sluice_sched_job *job, int status), TP_ARGS(job, status));
DEFINE_EVENT(sluice_job, sluice_job_done,
	TP_PROTO(const struct sluice_sched_job *job, int status), TP_ARGS(job, status));
DEFINE_EVENT(sluice_job, sluice_job_signal,
	TP_PROTO(const struct sluice_sched_job *job, int status), TP_ARGS(job, status));

/* SUBMIT has found a fence that the job must wait for. */
TRACE_EVENT(sluice_job_wait,
	TP_PROTO(const struct sluice_sched_job *job, struct dma_fence *fence, bool explicit),
	TP_ARGS(job, fence, explicit),
	TP_STRUCT__entry(
		__array(char, timeline, SLUICE_NAME_LEN + 12)
		__array(char, fence_driver, SLUICE_NAME_LEN)
		__array(char, fence_timeline, SLUICE_NAME_LEN + 12)
		__field(u64, context)
		__field(u64, point)
		__field(u64, fence_context)
		__field(u64, fence_seqno)
		__field(bool, explicit)
	),
	TP_fast_assign(
		strscpy(__entry->timeline, job->entity->timeline->name, SLUICE_NAME_LEN + 12);
		/* the names stay valid until an RCU grace period after the signal */
		rcu_read_lock();
		if (test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags)) {
			strscpy(__entry->fence_driver, "detached-driver", SLUICE_NAME_LEN);
			strscpy(__entry->fence_timeline, "signaled-timeline", SLUICE_NAME_LEN + 12);
		} else {
			strscpy(__entry->fence_driver, sluice_compat_fence_driver(fence),
				SLUICE_NAME_LEN);
			strscpy(__entry->fence_timeline, sluice_compat_fence_timeline(fence),
				SLUICE_NAME_LEN + 12);
		}
		rcu_read_unlock();
		__entry->context = job->entity->timeline->context;
		__entry->point = job->point;
		__entry->fence_context = fence->context;
		__entry->fence_seqno = fence->seqno;
		__entry->explicit = explicit;
	),
	TP_printk("timeline=%s context=%llu point=%llu fence_driver=%s fence_timeline=%s fence_context=%llu fence_seqno=%llu %s",
		  __entry->timeline, __entry->context, __entry->point, __entry->fence_driver,
		  __entry->fence_timeline, __entry->fence_context, __entry->fence_seqno,
		  __entry->explicit ? "explicit" : "implicit")
);

#endif /* _SLUICE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
