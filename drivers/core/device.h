/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices: struct sluice_device belongs to the core, and outlives the hardware.
 *
 * The core calls the device driver only while sdev->users is not 0 (one for the registration, and one
 * each for a job, a slot, and a call that uses the hardware) and inside sluice_device_unregister(),
 * which waits until sdev->users is 0.
 */
#ifndef _SLUICE_DEVICE_H
#define _SLUICE_DEVICE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "sluice.h"

struct dentry;
struct sluice_device_control;
struct sluice_engine;
struct sluice_event_log;
struct sluice_heap;
struct sluice_heap_node;
struct sluice_job_device;
struct sluice_slot_device;

#define SLUICE_MAX_HEAPS		16

/**
 * struct sluice_device - a registered device
 * @dev: class device.  The DMA API allocates contiguous memory for it, because it has no driver
 *	that could be unbound: the memory may outlive the binding of the parent's driver
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
 * @reserved: physical address of the region of the device tree that contiguous memory comes from:
 *	see sluice_contiguous_reserve()
 * @reserved_size: bytes of that region; 0 for none
 * @name: name of the node
 * @lock: guards @queues, changes of @gone, and the number of queues of each engine
 * @gone: the device is being unregistered: no new work
 * @queues: all queues
 * @users: sluice_device_unregister() waits until it is 0.  Counts 1 for the registration, and
 *	one each for a job, a slot, and a call that uses the hardware
 * @users_wait: woken when @users drops to 0, and when a stopped engine may have come to rest
 * @runtime_pm: @parent may sleep while it is not used: see sluice_device_wake()
 * @wq: runs the engines' work items; in the signalling path of fences
 * @reap_wq: releases ended jobs, unmaps revoked slots, and wakes readers of events.  Not in the
 *	signalling path, because the first two take dma_resv
 * @slots: slots that must be unmapped: see slot.c
 * @jobs: ended jobs that must be freed: see job.c
 * @debugfs: directory, or NULL
 * @heap_nodes: dma-heap nodes of the device, or NULL
 * @num_heap_nodes: length of @heap_nodes
 * @link: in sluice_devices
 * @num_interrupts: interrupts that eventfds can count; fixed when the node appears
 * @eventfd_lock: spinlock, irq: guards @eventfds and @num_eventfds
 * @eventfds: struct sluice_counter: see direct.c
 * @num_eventfds: length of @eventfds
 * @registers_lock: held for reading from the check of a page of registers until it is mapped.  A
 *	zap takes it for writing, to wait for this
 * @registers_wait: woken when @blocked ends
 * @blocked: during a reset: no CPU may access the device's BARs
 * @mappings_lock: guards the next three fields; taken inside mmap_lock
 * @mappings: clients that have mapped registers
 * @num_mappings: mappings of registers, in all processes
 * @mappings_awake: these mappings keep the hardware awake
 * @events: the device's events
 * @control_lock: guards the values of controls; held while the driver sets or gets one
 * @num_controls: length of @controls; fixed when the node appears
 * @controls: the device's controls, or NULL
 * @num_heaps: length of @heaps; fixed when the node appears
 * @heaps: the heaps: first those of the core, with the same numbers in every device, then those
 *	that the driver has added
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
	phys_addr_t reserved;
	u64 reserved_size;
	char name[SLUICE_NAME_LEN];
	struct mutex lock;
	bool gone;
	struct list_head queues;
	atomic_t users;
	wait_queue_head_t users_wait;
	bool runtime_pm;
	struct workqueue_struct *wq;
	struct workqueue_struct *reap_wq;
	struct sluice_slot_device *slots;
	struct sluice_job_device *jobs;
	struct dentry *debugfs;
	struct sluice_heap_node *heap_nodes;
	unsigned int num_heap_nodes;
	struct list_head link;
	unsigned int num_interrupts;
	spinlock_t eventfd_lock;
	struct list_head eventfds;
	unsigned int num_eventfds;
	struct rw_semaphore registers_lock;
	wait_queue_head_t registers_wait;
	bool blocked;
	struct mutex mappings_lock;
	struct list_head mappings;
	unsigned int num_mappings;
	bool mappings_awake;
	struct sluice_event_log *events;
	struct mutex control_lock;
	unsigned int num_controls;
	struct sluice_device_control *controls;
	unsigned int num_heaps;
	const struct sluice_heap *heaps[SLUICE_MAX_HEAPS];
	bool cpu_engines;
	u32 op_align;
	unsigned int num_engines;
	struct sluice_engine *engines;
};

int sluice_class_init(void);
void sluice_class_exit(void);
struct device *sluice_scout(void);
bool sluice_device_enter(struct sluice_device *sdev);
void sluice_device_exit(struct sluice_device *sdev);
int sluice_device_wake(struct sluice_device *sdev);
void sluice_device_rest(struct sluice_device *sdev);
bool sluice_driver_fits(u32 api, const char *module_name);
extern struct list_head sluice_devices;
extern struct mutex sluice_devices_lock;

#endif /* _SLUICE_DEVICE_H */
