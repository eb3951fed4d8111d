// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registration of devices, and their removal.  See register.h.
 */
#include <linux/device/class.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat/device.h"
#include "compat/dma.h"
#include "control.h"
#include "debugfs.h"
#include "device.h"
#include "dispatch.h"
#include "dma.h"
#include "engine.h"
#include "event.h"
#include "eventfd.h"
#include "format.h"
#include "heap.h"
#include "heap_contiguous.h"
#include "heap_pages.h"
#include "heapnode.h"
#include "job.h"
#include "node.h"
#include "object.h"
#include "queue.h"
#include "register.h"
#include "registers.h"
#include "sleep.h"
#include "slot.h"
#include "sluice.h"
#include "source.h"

#define SLUICE_REGISTER_MAX_ENGINES	64

static dev_t sluice_class_devt;
static DEFINE_IDA(sluice_class_minors);

static char *sluice_class_devnode(sluice_compat_devnode_device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "sluice/%s", dev_name(dev));
}

static struct class sluice_class = {
	.name = "sluice",
	.devnode = sluice_class_devnode,
};

/*
 * Does a heap offer memory inside the device?  The hardware then stays awake while it is
 * registered, because some kinds of sleep lose the contents of the memory.
 */
static bool sluice_register_has_memory(const struct sluice_device *sdev)
{
	unsigned int i;

	for (i = 0; i < sdev->num_heaps; i++)
		if (sdev->heaps[i]->revoke)
			return true;
	return false;
}

static void sluice_register_release(struct device *dev)
{
	struct sluice_device *sdev = container_of(dev, struct sluice_device, dev);
	unsigned int i;

	/* not earlier: SUBMIT and the ENUM ioctls read formats while a device is being removed */
	for (i = 0; i < sdev->num_engines; i++)
		sluice_formats_free(&sdev->engines[i].caps);
	ida_free(&sluice_class_minors, MINOR(dev->devt));
	sluice_heaps_release(sdev);
	sluice_contiguous_unreserve(sdev);
	sluice_controls_free(sdev);
	put_device(sdev->parent);
	sluice_object_dec(SLUICE_OBJECT_DEVICE);
	sluice_registers_free(sdev);
	sluice_irq_eventfds_free(sdev);
	sluice_job_device_free(sdev);
	sluice_slot_device_free(sdev);
	sluice_sources_free(sdev);
	sluice_events_free(sdev);
	percpu_ref_exit(&sdev->users);
	kfree(sdev->engines);
	kfree(sdev);
}

static void sluice_register_fini_work(struct sluice_device *sdev)
{
	unsigned int i;

	/* first, because events use reap_wq */
	sluice_events_close(sdev);
	/* only engines that sluice_dispatch_init() has seen */
	for (i = 0; i < sdev->num_engines && sdev->engines[i].sdev; i++)
		sluice_dispatch_fini(&sdev->engines[i]);
	if (sdev->wq)
		destroy_workqueue(sdev->wq);
	if (sdev->reap_wq)
		destroy_workqueue(sdev->reap_wq);
}

/*
 * Contiguous memory is allocated for the class device, and the parent must be able to reach it.
 * So the class device gets a copy of the map between the parent's bus addresses and CPU
 * addresses.  The driver core frees the copy together with the class device.
 */
static int sluice_register_inherit_ranges(struct sluice_device *sdev)
{
	const struct bus_dma_region *map = sdev->parent->dma_range_map, *end = map;

	if (!map || sdev->translated)
		return 0;
	while (end->size)
		end++;
	sdev->dev.dma_range_map = kmemdup(map, (end + 1 - map) * sizeof(*map), GFP_KERNEL);
	return sdev->dev.dma_range_map ? 0 : -ENOMEM;
}

/*
 * Is there a length of an op that is within the limits?  A software engine may not limit
 * segments, because it sees each slot as one piece.
 */
static bool sluice_register_limits_valid(const struct sluice_engine_caps *caps)
{
	u64 longest = caps->max_length & ~((u64)caps->op_align - 1);

	if (caps->max_length && (!longest || longest < caps->min_length))
		return false;
	return !caps->max_segments || !(caps->flags & SLUICE_ENGINE_CPU);
}

static bool sluice_register_caps_valid(const struct sluice_engine_caps *caps,
				       const struct sluice_device_ops *ops)
{
	if (!caps->op_kinds || !is_power_of_2(caps->op_align) ||
	    caps->depth > SLUICE_MAX_ENGINE_DEPTH || caps->flags & ~SLUICE_ENGINE_ALL)
		return false;
	if (caps->op_kinds & BIT_ULL(SLUICE_OP_PROGRAM) && !ops->check_command)
		return false;
	if (caps->op_kinds & BIT_ULL(SLUICE_OP_PRIVATE) && !ops->check_private)
		return false;
	if (!sluice_register_limits_valid(caps) || !sluice_formats_valid(caps, ops))
		return false;
	/*
	 * Software needs ->start().  A driver with ->kick() may fetch an op in an interrupt, which
	 * is too short for the cache maintenance of a software engine.
	 */
	return !(caps->flags & SLUICE_ENGINE_CPU) || ops->start;
}

/*
 * Can a software engine get an op before the previous op has ended?  The cache maintenance for the
 * op then also comes before that end.
 */
static bool sluice_register_sync_early(const struct sluice_engine_caps *caps,
				       unsigned int num_engines)
{
	unsigned int i;

	for (i = 0; i < num_engines; i++)
		if (caps[i].flags & SLUICE_ENGINE_CPU && caps[i].flags & SLUICE_ENGINE_ORDERED &&
		    caps[i].depth > 1)
			return true;
	return false;
}

/* Do the driver's functions and engines keep the rules of sluice.h? */
static bool sluice_register_ops_valid(const struct sluice_device_ops *ops,
				      const struct sluice_engine_caps *caps,
				      unsigned int num_engines)
{
	unsigned int i;

	if (!num_engines || num_engines > SLUICE_REGISTER_MAX_ENGINES ||
	    !ops->start == !ops->kick || !ops->abort)
		return false;
	for (i = 0; i < num_engines; i++)
		/* all engines are software, or none: a slot is mapped for the CPU or for DMA */
		if (!sluice_register_caps_valid(&caps[i], ops) ||
		    (caps[i].flags ^ caps[0].flags) & SLUICE_ENGINE_CPU)
			return false;
	return true;
}

/* Can this hardware have these engines? */
static bool sluice_register_parent_valid(struct device *parent,
					 const struct sluice_engine_caps *caps,
					 unsigned int num_engines)
{
	if (!parent->dma_mask)
		return false;
	/* the cache maintenance is too early if the previous op still writes the same memory */
	if (sluice_register_sync_early(caps, num_engines) && !dev_is_dma_coherent(parent))
		return false;
	/* sluice_slot_sync() needs contiguous segments; an IOMMU joins scattered pages in one */
	return !(caps[0].flags & SLUICE_ENGINE_CPU) || !sluice_dma_translated(parent);
}

/* The driver's name is "soft" if its module is "sluice_soft". */
static void sluice_register_name_driver(struct sluice_device *sdev, const char *module_name)
{
	module_name += str_has_prefix(module_name, "sluice_");
	strscpy(sdev->driver, module_name, sizeof(sdev->driver));
}

/* Allocate a device and its number, without its parts.  From now on, put_device() frees all. */
static struct sluice_device *sluice_register_alloc(struct device *parent)
{
	struct sluice_device *sdev = kzalloc(sizeof(*sdev), GFP_KERNEL);
	int minor;

	if (!sdev)
		return ERR_PTR(-ENOMEM);
	minor = ida_alloc_max(&sluice_class_minors, SLUICE_DEVICES_MAX - 1, GFP_KERNEL);
	if (minor < 0) {
		kfree(sdev);
		return ERR_PTR(minor);
	}
	sluice_object_inc(SLUICE_OBJECT_DEVICE);
	sdev->parent = get_device(parent);
	device_initialize(&sdev->dev);
	sdev->dev.class = &sluice_class;
	sdev->dev.parent = parent;
	sdev->dev.devt = MKDEV(MAJOR(sluice_class_devt), minor);
	sdev->dev.release = sluice_register_release;
	cdev_init(&sdev->cdev, &sluice_node_fops);
	sdev->cdev.owner = THIS_MODULE;
	return sdev;
}

/* Give the class device the DMA limits of the hardware. */
static int sluice_register_init_dma(struct sluice_device *sdev)
{
	struct device *parent = sdev->parent;

	sdev->dma_mask = dma_get_mask(parent);
	sdev->translated = sluice_dma_translated(parent);
	sdev->bounced = !sdev->translated && sluice_dma_bounced(parent);
	sdev->zone = sluice_dma_zone(sdev);
	sdev->dev.dma_mask = &sdev->dma_mask;
	sdev->dev.coherent_dma_mask = min(parent->coherent_dma_mask, sdev->dma_mask);
	sdev->dev.bus_dma_limit = parent->bus_dma_limit;
	sluice_compat_set_coherent(&sdev->dev, dev_is_dma_coherent(parent));
	return sluice_register_inherit_ranges(sdev);
}

/* Copy the driver's ops, and initialise the fields that belong to queues, uses and engines. */
static void sluice_register_init_fields(struct sluice_device *sdev,
					const struct sluice_device_ops *ops,
					const struct sluice_engine_caps *caps,
					unsigned int num_engines)
{
	unsigned int i;

	sdev->own_ops = *ops;
	sdev->ops = &sdev->own_ops;
	sdev->cpu_engines = caps[0].flags & SLUICE_ENGINE_CPU;
	for (i = 0; i < num_engines; i++)
		sdev->op_align = max(sdev->op_align, caps[i].op_align);
	mutex_init(&sdev->lock);
	INIT_LIST_HEAD(&sdev->queues);
	sdev->runtime_pm = pm_runtime_enabled(sdev->parent);
}

/* Create the parts of a device that other files own.  sluice_register_release() frees them. */
static int sluice_register_create_parts(struct sluice_device *sdev, unsigned int num_engines)
{
	int ret;

	sdev->engines = kcalloc(num_engines, sizeof(*sdev->engines), GFP_KERNEL);
	if (!sdev->engines)
		return -ENOMEM;
	sdev->num_engines = num_engines;
	/* there is room for these two */
	sluice_heap_add(sdev, &sluice_heap_pages);
	sluice_heap_add(sdev, &sluice_contiguous_heap);
	ret = sluice_device_users_init(sdev, 0);
	if (ret)
		return ret;
	ret = sluice_events_create(sdev) ?: sluice_sources_create(sdev);
	if (ret)
		return ret;
	ret = sluice_slot_device_init(sdev) ?: sluice_job_device_init(sdev);
	if (ret)
		return ret;
	return sluice_irq_eventfds_create(sdev) ?: sluice_registers_create(sdev);
}

/*
 * Prepare the engines and the workqueues, and let the driver add its own parts.
 * sluice_register_fini_work() undoes this, also after an error.
 */
static int sluice_register_init_work(struct sluice_device *sdev,
				     const struct sluice_engine_caps *caps)
{
	unsigned int i;
	int ret;

	for (i = 0; i < sdev->num_engines; i++) {
		ret = sluice_dispatch_init(&sdev->engines[i], sdev, i, &caps[i]);
		if (ret)
			return ret;
	}
	sdev->wq = alloc_workqueue("sluice-%s", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0,
				   sdev->name);
	/* 3 work items run at once: jobs, revoked slots and events do not wait for each other */
	sdev->reap_wq = alloc_workqueue("sluice-reap-%s", WQ_UNBOUND, 3, sdev->name);
	if (!sdev->wq || !sdev->reap_wq)
		return -ENOMEM;
	return sdev->ops->prepare ? sdev->ops->prepare(sdev, sdev->priv) : 0;
}

/* Make a complete device visible. */
static int sluice_register_publish(struct sluice_device *sdev)
{
	bool has_memory = sluice_register_has_memory(sdev);
	int ret;

	ret = sluice_heaps_name(sdev);
	if (ret)
		return ret;
	if (has_memory) {
		ret = sluice_device_wake(sdev);
		if (ret)
			return ret;
	}
	sluice_debugfs_add_device(sdev);
	ret = cdev_device_add(&sdev->cdev, &sdev->dev);
	if (ret)
		goto err_debugfs;
	sluice_heapnodes_add(sdev);
	return 0;

err_debugfs:
	sluice_debugfs_remove_device(sdev);
	if (has_memory)
		sluice_device_rest(sdev);
	return ret;
}

/* Name a device whose parts exist, and bring it up. */
static int sluice_register_start(struct sluice_device *sdev, const char *name,
				 const struct sluice_engine_caps *caps)
{
	int ret;

	sluice_devices_add(sdev, name);
	ret = dev_set_name(&sdev->dev, "%s", sdev->name);
	if (ret)
		goto err_remove;
	ret = sluice_contiguous_reserve(sdev) ?: sluice_register_init_work(sdev, caps);
	if (ret)
		goto err_work;
	ret = sluice_register_publish(sdev);
	if (ret)
		goto err_work;
	return 0;

err_work:
	sluice_register_fini_work(sdev);
err_remove:
	sluice_devices_remove(sdev);
	return ret;
}

/**
 * __sluice_device_register - make a device available to userspace
 * @api: SLUICE_DRIVER_API with which the driver was compiled
 * @owner: the driver's module, on which each open file of a node and each queue holds a
 *	reference; NULL if the driver is built in
 * @module_name: KBUILD_MODNAME of the driver.  INFO reports it, without a leading "sluice_",
 *	as the driver's name; 31 characters are kept
 * @parent: the hardware, with its DMA mask set.  If runtime PM is enabled for it now, the core
 *	keeps it awake while it is used
 * @name: name of the node, of which 24 characters are kept; the core appends the first free
 *	number
 * @ops: functions of the driver; copied.  The core calls them until
 *	sluice_device_unregister() returns
 * @caps: one entry for each engine; copied
 * @num_engines: length of @caps, 1 to 64
 * @priv: pointer of the driver, for its functions and for sluice_engine_priv()
 *
 * Drivers call the macro sluice_device_register(), which adds the first three parameters.
 *
 * On return userspace may have opened the node, and the functions of @ops may have been called.
 *
 * Context: process context, may sleep.
 * Return: the device, or an ERR_PTR:
 *
 *	-EINVAL		a parameter, or a field of @ops or @caps, breaks a rule of sluice.h
 *	-ENOEXEC	the driver was compiled for another version of the driver API; see the log
 *	-ENOMEM		no memory
 *	-ENOSPC		no device number is free
 *	-EIO		the device has memory of its own, and does not wake up
 *	others		what ops->prepare() returned, or the driver core of the kernel
 */
struct sluice_device *__sluice_device_register(u32 api, struct module *owner,
					       const char *module_name,
					       struct device *parent, const char *name,
					       const struct sluice_device_ops *ops,
					       const struct sluice_engine_caps *caps,
					       unsigned int num_engines, void *priv)
{
	struct sluice_device *sdev;
	int ret;

	if (!sluice_driver_fits(api, module_name))
		return ERR_PTR(-ENOEXEC);
	if (!sluice_register_ops_valid(ops, caps, num_engines) ||
	    !sluice_register_parent_valid(parent, caps, num_engines))
		return ERR_PTR(-EINVAL);
	sdev = sluice_register_alloc(parent);
	if (IS_ERR(sdev))
		return sdev;
	sdev->owner = owner;
	sdev->priv = priv;
	sluice_register_name_driver(sdev, module_name);
	sluice_register_init_fields(sdev, ops, caps, num_engines);
	ret = sluice_register_init_dma(sdev);
	if (ret)
		goto err_put;
	ret = sluice_register_create_parts(sdev, num_engines);
	if (ret)
		goto err_put;
	ret = sluice_register_start(sdev, name, caps);
	if (ret)
		goto err_put;
	return sdev;

err_put:
	put_device(&sdev->dev);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(__sluice_device_register);

/**
 * sluice_device_unregister - remove a device
 * @sdev: from sluice_device_register(); the driver must not use it after the call
 *
 * Ends all jobs with -ENODEV and unmaps all slots.  On return no function of the driver runs, and
 * the core never calls one again.  For a driver with ->kick() the last calls are ->abort() with
 * SLUICE_ALL_OPS, one for each engine.  The driver's interrupt handler may still exist after them,
 * but must not call sluice_engine_next() any more.
 *
 * Open files stay open, and most of their calls return -ENODEV.  Buffers in system memory stay
 * valid for all their holders.  Memory inside the device is taken back from all of them.
 *
 * Context: process context, may sleep: for ->abort(), and for importers that must release memory
 * of the device.
 */
void sluice_device_unregister(struct sluice_device *sdev)
{
	struct sluice_queue *queue;

	sluice_heapnodes_remove(sdev);
	cdev_device_del(&sdev->cdev, &sdev->dev);
	sluice_debugfs_remove_device(sdev);

	mutex_lock(&sdev->lock);
	WRITE_ONCE(sdev->gone, true);
	/* not later: readers of events need not wait until all slots are unmapped */
	sluice_events_gone(sdev);
	/* all queues first: the unmap of a slot may wait for a job of another queue */
	list_for_each_entry(queue, &sdev->queues, link)
		sluice_queue_kill(queue, -ENODEV);
	list_for_each_entry(queue, &sdev->queues, link)
		sluice_slot_table_close(&queue->slots);
	mutex_unlock(&sdev->lock);

	sluice_device_users_end(sdev);
	/*
	 * The context that dropped the last count may still be in sluice_job_release(), which uses
	 * the device in an RCU read-side section.
	 */
	synchronize_rcu();
	sluice_sleep_forever(sdev);
	sluice_registers_revoke(sdev);
	sluice_irq_eventfds_revoke(sdev);
	sluice_heaps_revoke(sdev);
	if (sluice_register_has_memory(sdev))
		sluice_device_rest(sdev);
	sluice_register_fini_work(sdev);

	sluice_devices_remove(sdev);
	put_device(&sdev->dev);
}
EXPORT_SYMBOL_GPL(sluice_device_unregister);

/**
 * sluice_class_init - create the class of the nodes, and all that devices need
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int sluice_class_init(void)
{
	int ret;

	ret = sluice_dma_init();
	if (ret)
		return ret;
	ret = alloc_chrdev_region(&sluice_class_devt, 0, SLUICE_DEVICES_MAX, "sluice");
	if (ret)
		goto err_dma;
	ret = class_register(&sluice_class);
	if (ret)
		goto err_region;
	return 0;

err_region:
	unregister_chrdev_region(sluice_class_devt, SLUICE_DEVICES_MAX);
err_dma:
	sluice_dma_exit();
	return ret;
}

/**
 * sluice_class_exit - undo sluice_class_init()
 *
 * Context: may sleep; no device exists any more.
 */
void sluice_class_exit(void)
{
	class_unregister(&sluice_class);
	unregister_chrdev_region(sluice_class_devt, SLUICE_DEVICES_MAX);
	sluice_dma_exit();
	ida_destroy(&sluice_class_minors);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/register.c"
#endif
