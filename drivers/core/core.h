/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of the core, their locks and their lifetimes.
 *
 * References (-> means "holds a reference on"):
 *
 *	open file of a node	-> client -> device; also of a dma-heap node
 *	dma-buf			-> buffer -> device (memory), client (account)
 *	file of a queue		-> queue -> device, client (account)
 *	queue			-> slots -> foreign or own dma-buf
 *	job			-> queue, slots, in-fences, out-fence
 *
 * A fence of ours refers to none of these objects, and outlives them all.  On older kernels it
 * holds a reference on sluice.ko (compat/fence.h).
 *
 * struct sluice_device belongs to the core and outlives the hardware.  The core calls the device
 * driver only while sdev->users is not 0 (one for the registration, and one each for a job,
 * a slot, and a call that uses the hardware) and inside sluice_device_unregister(), which waits
 * until sdev->users is 0.
 *
 * Locks, outermost first:
 *
 *	queue->submit_lock	mutex: order of SUBMITs; user memory may fault
 *	sdev->control_lock	mutex: values of controls; held in calls of the driver
 *	sdev->lock		mutex: list of queues, @gone
 *	queue->drop_lock	mutex: one context at a time releases all slots
 *	dma_resv		all those of a job, in one ww_acquire_ctx
 *	buffer->lock		mutex: attachments and their mappings
 *	queue->slot_lock	mutex: slot numbers
 *	queue->lock		spinlock, irq: timeline, completions
 *	lock of a fence		spinlock, irq; of our own and of foreign fences
 *	engine->lock		spinlock, irq: lists of jobs and of ops in flight
 *
 * Callbacks of foreign fences and interrupt handlers take engine->lock.  Code that holds it may
 * therefore take no other lock, except the locks inside a workqueue, a timer and a wait queue.
 *
 * Each other lock guards one thing: the account, the pool, the sharings of a queue, revoked slots,
 * eventfds, events.  Code that holds one of these takes no other lock of ours.
 */
#ifndef _SLUICE_CORE_H
#define _SLUICE_CORE_H

#include "sluice.h"
#include "compat.h"

#include "object.h"
#include "ioctl.h"
#include "fence.h"
#include "account.h"
#include "event.h"
#include "engine.h"
#include "device.h"
#include "client.h"
#include "direct.h"
#include "control.h"
#include "heap.h"
#include "heap_pages.h"
#include "heap_contiguous.h"
#include "pool.h"
#include "buffer.h"
#include "mmap.h"
#include "wrap.h"
#include "export.h"
#include "sync.h"
#include "sharing.h"
#include "slot.h"
#include "watch.h"
#include "entity.h"
#include "pick.h"
#include "offer.h"
#include "flight.h"
#include "dispatch.h"
#include "resv.h"
#include "slot_table.h"
#include "queue.h"
#include "queue_file.h"
#include "op.h"
#include "submit.h"
#include "deps.h"
#include "job.h"
#include "format.h"
#include "program.h"
#include "private.h"
#include "uring.h"
#include "node.h"
#include "heapnode.h"
#include "debugfs.h"

#endif /* _SLUICE_CORE_H */
