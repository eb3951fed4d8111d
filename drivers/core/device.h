/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices: struct sluice_device, which belongs to the core and outlives the hardware.
 *
 * sdev->users counts the uses of the hardware: the registration, each job, each slot, and each call
 * that uses the hardware.  The core calls the device driver only while this count is not 0, and
 * inside sluice_device_unregister(), which waits until the count is 0.  Any code of the core calls
 * sluice_device_enter() before it uses the hardware, and sluice_device_wake() before it needs the
 * hardware awake.  Each job changes this count, so it is a count for each CPU (percpu_ref): jobs of
 * two CPUs write no memory that both use.
 *
 * This head is also the one place for the references and the order of locks of the whole core.
 *
 * References (-> means "holds a reference on"):
 *
 *	open file of a node, or
 *	of a dma-heap node	-> client -> device
 *	dma-buf			-> buffer -> client (account, device)
 *	file of a queue		-> queue -> device, client (account), fences of its points
 *	table of a queue	-> slots -> foreign or own dma-buf
 *	job			-> queue, slots, in-fences, out-fence
 *	engine			-> each job until it has ended; each revoked slot, and its queue,
 *				   until the slot is unmapped
 *
 * An open file of a node, and a queue, also hold one on the module of the device driver.  A fence
 * of ours refers to none of these objects, and outlives them all.  On older kernels it holds a
 * reference on sluice.ko (compat/fence.h).
 *
 * Locks, outermost first:
 *
 *	queue->submit_lock	mutex: order of SUBMITs; user memory may fault
 *	controls->lock		mutex: values of controls; held in calls of the driver
 *	sdev->lock		mutex: list of queues, @gone, number of queues of each engine
 *	table->close_lock	mutex: one context at a time removes all slots of a queue
 *	dma_resv		ww_mutex: all those of a job, in one ww_acquire_ctx
 *	buffer->lock		mutex: attachments and their mappings
 *	table->lock		mutex: numbers of the slots of a queue
 *	ring lock of a driver	spinlock, irq, or mutex: around sluice_engine_next(), _done()
 *	queue->lock		spinlock, irq: timeline, completions
 *	lock of a fence		spinlock, irq; of our own and of foreign fences
 *	engine->lock		spinlock, irq: entities and their jobs, watches, ops in flight
 *
 * Callbacks of foreign fences and interrupt handlers take engine->lock.  Code that holds it may
 * therefore take no other lock, except the locks inside a workqueue, a timer and a wait queue.
 *
 * Each other lock guards one thing: an account, the bins of the pool, the sharings of a queue, the
 * slots that must be unmapped, eventfds, mapped registers, memory inside a device, input signals,
 * events.  Code that holds one of these takes no other lock of the core, with these exceptions:
 *
 *	queue->read_lock	mutex, outside queue->lock: user memory may fault
 *	reader->lock		mutex, outside log->lock: the same, for events
 *	sources->lock		spinlock, irq, outside log->lock: an event is raised
 *
 * The lock of mapped registers is held in a call of ->find_registers(), in which the driver may
 * take locks of its own.
 */
#ifndef _SLUICE_DEVICE_H
#define _SLUICE_DEVICE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "sluice.h"

struct dentry;
struct sluice_contiguous_region;
struct sluice_controls;
struct sluice_engine;
struct sluice_event_log;
struct sluice_heap;
struct sluice_heapnodes;
struct sluice_irq_eventfds;
struct sluice_job_device;
struct sluice_registers;
struct sluice_slot_device;
struct sluice_sources;

#define SLUICE_DEVICES_MAX		256
#define SLUICE_DEVICE_MAX_HEAPS		16

/**
 * struct sluice_device - a registered device
 * @dev: class device.  The DMA API allocates contiguous memory for @dev, and not for @parent.  The
 *	memory may outlive the binding of the parent's driver, and @dev has no driver that could
 *	be unbound
 * @cdev: the node
 * @parent: the hardware; reference held
 * @ops: points to @own_ops.  No function is called after sluice_device_unregister().  The
 *	other contents may be read as long as the device lives
 * @own_ops: copy of the driver's struct, whose memory may be freed after registration
 * @owner: the driver's module; each open file of the node and each queue hold a reference
 * @driver: the driver's name
 * @priv: pointer of the driver
 * @dma_mask: copy of the parent's DMA mask, for @dev
 * @translated: the parent is behind an IOMMU that translates, so any memory can be mapped for it
 * @bounced: not @translated, and the DMA API bounces all mappings of the parent: a confidential
 *	guest, or swiotlb=force
 * @zone: GFP flags for memory that the parent can address
 * @region: the region of the device tree that contiguous memory comes from, or NULL; owned by
 *	heap_contiguous.c
 * @name: name of the node
 * @lock: guards @queues, changes of @gone, and @num_queues and @exclusive of each engine
 * @gone: the device is being unregistered: no new work
 * @queues: all queues
 * @users: number of uses of the hardware: the registration, each job, each slot, and each call
 *	that uses it.  sluice_device_unregister() ends the registration, so that no use begins any
 *	more, and waits until the number is 0
 * @users_wait: woken when @users drops to 0, and when a stopped engine may have come to rest
 * @runtime_pm: @parent may sleep while it is not used: see sluice_device_wake()
 * @wq: runs the engines' work items; in the signalling path of fences
 * @reap_wq: releases ended jobs, unmaps revoked slots, and wakes readers of events.  Not in the
 *	signalling path, because the first two take dma_resv
 * @slots: slots that must be unmapped: see slot.c
 * @jobs: ended jobs that must be freed: see job.c
 * @debugfs: directory, or NULL
 * @heapnodes: dma-heap nodes of the device, or NULL
 * @link: in the list of all devices
 * @eventfds: eventfds that count interrupts
 * @registers: mappings of registers, and the block of the BARs
 * @events: the device's events
 * @sources: input signals of the engines
 * @controls: the device's controls, or NULL
 * @num_heaps: length of @heaps; fixed when the node appears
 * @heaps: the heaps: first those of the core, with the same numbers in every device, then those
 *	that the driver has added
 * @exporters: exporter's names (exp_name) of the dma-bufs of each of @heaps, and of wrapped memory
 * @cpu_engines: all engines are software (SLUICE_ENGINE_CPU)
 * @op_align: the largest op_align of the engines, in bytes
 * @num_engines: length of @engines
 * @engines: the engines
 */
struct sluice_device {
	struct device dev;
	struct cdev cdev;
	struct device *parent;
	const struct sluice_device_ops *ops;
	struct sluice_device_ops own_ops;
	struct module *owner;
	char driver[SLUICE_NAME_LEN];
	void *priv;
	u64 dma_mask;
	bool translated;
	bool bounced;
	gfp_t zone;
	struct sluice_contiguous_region *region;
	char name[SLUICE_NAME_LEN];
	struct mutex lock;
	bool gone;
	struct list_head queues;
	struct percpu_ref users;
	wait_queue_head_t users_wait;
	bool runtime_pm;
	struct workqueue_struct *wq;
	struct workqueue_struct *reap_wq;
	struct sluice_slot_device *slots;
	struct sluice_job_device *jobs;
	struct dentry *debugfs;
	struct sluice_heapnodes *heapnodes;
	struct list_head link;
	struct sluice_irq_eventfds *eventfds;
	struct sluice_registers *registers;
	struct sluice_event_log *events;
	struct sluice_sources *sources;
	struct sluice_controls *controls;
	unsigned int num_heaps;
	const struct sluice_heap *heaps[SLUICE_DEVICE_MAX_HEAPS];
	const char *exporters[SLUICE_DEVICE_MAX_HEAPS + 1];
	bool cpu_engines;
	u32 op_align;
	unsigned int num_engines;
	struct sluice_engine *engines;
};

int sluice_device_users_init(struct sluice_device *sdev, unsigned int flags);
void sluice_device_users_end(struct sluice_device *sdev);
bool sluice_device_enter(struct sluice_device *sdev);
void sluice_device_exit(struct sluice_device *sdev);
int sluice_device_wake(struct sluice_device *sdev);
void sluice_device_rest(struct sluice_device *sdev);
bool sluice_driver_fits(u32 api, const char *module_name);
void sluice_devices_add(struct sluice_device *sdev, const char *name);
void sluice_devices_remove(struct sluice_device *sdev);

#endif /* _SLUICE_DEVICE_H */
