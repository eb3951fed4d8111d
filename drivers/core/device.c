// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: registration, the class and its nodes, sleep, and the removal of a device.
 *
 * This file owns struct sluice_device, which lives until the last reference on it is dropped.
 * Open files of the node, queues and buffers hold references.  The hardware may be removed
 * earlier: sluice_device_unregister() sets sdev->gone, ends all jobs, unmaps all slots, and
 * waits until sdev->users is 0.  After it has returned, the core never calls the device driver.
 *
 * Locks: sluice_devices_lock (mutex) guards the list of all devices, and the choice of a name.
 * sdev->lock (mutex) guards sdev->queues and changes of sdev->gone; code without the lock may
 * read sdev->gone.  sdev->users is atomic.
 *
 * Device drivers call the exported functions.  The core calls the others: sluice_device_enter()
 * before it uses the hardware, and sluice_device_wake() before it needs the hardware awake.
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

#include "core.h"

#define SLUICE_MAX_DEVICES	256
#define SLUICE_MAX_ENGINES	64

/* Before a system sleep: the time for ops to end by themselves, and then for their abort. */
#define SLUICE_RUN_OUT_MS	2000
#define SLUICE_WITHDRAW_MS	10000

static dev_t sluice_devt;
static struct device *sluice_scout_device;
static u64 sluice_scout_mask = DMA_BIT_MASK(64);
static DEFINE_IDA(sluice_minors);

LIST_HEAD(sluice_devices);
DEFINE_MUTEX(sluice_devices_lock);

static char *sluice_devnode(sluice_devnode_device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "sluice/%s", dev_name(dev));
}

static struct class sluice_class = {
	.name = "sluice",
	.devnode = sluice_devnode,
};

/**
 * sluice_device_enter - begin a use of the hardware; sluice_device_unregister() waits for its end
 * @sdev: the device; the caller holds a reference on it
 *
 * After success the device is "entered", and sluice_device_exit() must follow.  No fault on user
 * memory may happen in between.  After sdev->gone is set, the exit must follow within a bounded
 * time.
 *
 * Context: any.
 * Return: true, or false if the device is removed.
 */
bool sluice_device_enter(struct sluice_device *sdev)
{
	if (!atomic_inc_not_zero(&sdev->users))
		return false;
	if (READ_ONCE(sdev->gone)) {
		sluice_device_exit(sdev);
		return false;
	}
	return true;
}

/**
 * sluice_device_exit - end a use of the hardware that sluice_device_enter() began
 * @sdev: the device; the caller holds a reference on it beyond this call
 *
 * Context: any.
 */
void sluice_device_exit(struct sluice_device *sdev)
{
	if (atomic_dec_and_test(&sdev->users))
		wake_up(&sdev->users_wait);
}

/**
 * sluice_device_wake - wake the hardware, and keep it awake until sluice_device_rest()
 * @sdev: the device, entered or being registered or removed
 *
 * These need the hardware awake, and take one count each: a slot, a job with a program or a
 * private op, a control while the driver sets or gets it, an eventfd, all mapped registers
 * together, and all memory inside the device together.  A job must call this function before its
 * fence is published, because the driver's resume function may allocate memory and wait.
 *
 * Context: may sleep.
 * Return: 0, or -EIO if the hardware does not wake up.
 */
int sluice_device_wake(struct sluice_device *sdev)
{
	int ret = sdev->runtime_pm ? pm_runtime_resume_and_get(sdev->parent) : 0;

	if (ret)
		dev_dbg(&sdev->dev, "the hardware does not wake up: %d\n", ret);
	return ret ? -EIO : 0;
}

/**
 * sluice_device_rest - drop a count of sluice_device_wake()
 * @sdev: the device, entered or being registered or removed
 *
 * After the last count is dropped, the hardware may go to sleep.  The function does not wait for
 * this.
 *
 * Context: any.
 */
void sluice_device_rest(struct sluice_device *sdev)
{
	if (!sdev->runtime_pm)
		return;
	pm_runtime_mark_last_busy(sdev->parent);
	pm_runtime_put(sdev->parent);
}

/* Does a heap offer memory inside the device?  Some kinds of sleep would lose its contents. */
static bool sluice_device_has_memory(const struct sluice_device *sdev)
{
	unsigned int i;

	for (i = 0; i < sdev->num_heaps; i++)
		if (sdev->heaps[i]->revoke)
			return true;
	return false;
}

static void sluice_device_release(struct device *dev)
{
	struct sluice_device *sdev = container_of(dev, struct sluice_device, dev);
	unsigned int i;

	/* not earlier: SUBMIT and the ENUM ioctls read formats while a device is being removed */
	for (i = 0; i < sdev->num_engines; i++)
		sluice_formats_free(&sdev->engines[i].caps);
	ida_free(&sluice_minors, MINOR(dev->devt));
	sluice_heaps_release(sdev);
	sluice_contiguous_unreserve(sdev);
	sluice_controls_free(sdev);
	put_device(sdev->parent);
	sluice_object_dec(SLUICE_OBJECT_DEVICE);
	sluice_job_device_free(sdev);
	sluice_slot_device_free(sdev);
	kfree(sdev->events);
	kfree(sdev->engines);
	kfree(sdev);
}

static bool sluice_name_taken(const char *name)
{
	struct sluice_device *sdev;

	list_for_each_entry(sdev, &sluice_devices, link)
		if (!strcmp(sdev->name, name))
			return true;
	return false;
}

static void sluice_device_fini_work(struct sluice_device *sdev)
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
static int sluice_device_inherit_ranges(struct sluice_device *sdev)
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
static bool sluice_limits_valid(const struct sluice_engine_caps *caps)
{
	u64 longest = caps->max_length & ~((u64)caps->op_align - 1);

	if (caps->max_length && (!longest || longest < caps->min_length))
		return false;
	return !caps->max_segments || !(caps->flags & SLUICE_ENGINE_CPU);
}

static bool sluice_engine_caps_valid(const struct sluice_engine_caps *caps,
				     const struct sluice_device_ops *ops)
{
	if (!caps->op_kinds || !is_power_of_2(caps->op_align) ||
	    caps->depth > SLUICE_MAX_ENGINE_DEPTH || caps->flags & ~SLUICE_ENGINE_ALL)
		return false;
	if (caps->op_kinds & BIT_ULL(SLUICE_OP_PROGRAM) && !ops->check_command)
		return false;
	if (caps->op_kinds & BIT_ULL(SLUICE_OP_PRIVATE) && !ops->check_private)
		return false;
	if (!sluice_limits_valid(caps) || !sluice_formats_valid(caps, ops))
		return false;
	/* software needs ->start(): cache maintenance takes too long for an interrupt */
	return !(caps->flags & SLUICE_ENGINE_CPU) || ops->start;
}

/* Can a software engine get an op, with its cache maintenance, before the op in front ends? */
static bool sluice_ops_sync_early(const struct sluice_engine_caps *caps, unsigned int num_engines)
{
	unsigned int i;

	for (i = 0; i < num_engines; i++)
		if (caps[i].flags & SLUICE_ENGINE_CPU && caps[i].flags & SLUICE_ENGINE_ORDERED &&
		    caps[i].depth > 1)
			return true;
	return false;
}

/* Do the driver's functions and engines keep the rules of sluice.h? */
static bool sluice_ops_valid(const struct sluice_device_ops *ops,
			     const struct sluice_engine_caps *caps, unsigned int num_engines)
{
	unsigned int i;

	if (!num_engines || num_engines > SLUICE_MAX_ENGINES || !ops->start == !ops->kick ||
	    !ops->abort)
		return false;
	for (i = 0; i < num_engines; i++)
		/* all engines or none are software: slots are mapped for the CPU, or for DMA */
		if (!sluice_engine_caps_valid(&caps[i], ops) ||
		    (caps[i].flags ^ caps[0].flags) & SLUICE_ENGINE_CPU)
			return false;
	return true;
}

/**
 * sluice_driver_fits - was a driver compiled for this version of the driver API?
 * @api: SLUICE_DRIVER_API with which the driver was compiled
 * @module_name: KBUILD_MODNAME of the driver, for the log
 *
 * The core must call this first, and must not read any struct of a driver that does not fit.
 *
 * Context: any.
 * Return: true if the versions are equal.  If false, the log says what to do.
 */
bool sluice_driver_fits(u32 api, const char *module_name)
{
	if (api == SLUICE_DRIVER_API)
		return true;
	pr_err("sluice: %s was compiled for version %u of the driver API, and this sluice.ko has version %u: compile it again, with the sluice.h and the Module.symvers of this sluice.ko\n",
	       module_name, api, SLUICE_DRIVER_API);
	return false;
}

/* The driver's name is "soft" if its module is "sluice_soft". */
static void sluice_device_name_driver(struct sluice_device *sdev, const char *module_name)
{
	module_name += str_has_prefix(module_name, "sluice_");
	strscpy(sdev->driver, module_name, sizeof(sdev->driver));
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
	unsigned int i;
	int minor, ret;

	if (!sluice_driver_fits(api, module_name))
		return ERR_PTR(-ENOEXEC);
	if (!sluice_ops_valid(ops, caps, num_engines) || !parent->dma_mask)
		return ERR_PTR(-EINVAL);
	/* caches are maintained at hand-out: too early if an op in front still writes the data */
	if (sluice_ops_sync_early(caps, num_engines) && !dev_is_dma_coherent(parent))
		return ERR_PTR(-EINVAL);
	/* sluice_slot_sync() needs segments of contiguous memory; an IOMMU joins scattered pages */
	if (caps[0].flags & SLUICE_ENGINE_CPU && sluice_dma_translated(parent))
		return ERR_PTR(-EINVAL);

	sdev = kzalloc(sizeof(*sdev), GFP_KERNEL);
	if (!sdev)
		return ERR_PTR(-ENOMEM);
	ret = -ENOMEM;
	sdev->engines = kcalloc(num_engines, sizeof(*sdev->engines), GFP_KERNEL);
	sdev->events = kzalloc(sizeof(*sdev->events), GFP_KERNEL);
	if (!sdev->engines || !sdev->events || sluice_slot_device_init(sdev) ||
	    sluice_job_device_init(sdev))
		goto err_free;
	minor = ida_alloc_max(&sluice_minors, SLUICE_MAX_DEVICES - 1, GFP_KERNEL);
	if (minor < 0) {
		ret = minor;
		goto err_free;
	}

	sluice_object_inc(SLUICE_OBJECT_DEVICE);
	sdev->parent = get_device(parent);
	sdev->own_ops = *ops;
	sdev->owner = owner;
	sluice_device_name_driver(sdev, module_name);
	sdev->ops = &sdev->own_ops;
	sdev->priv = priv;
	sdev->cpu_engines = caps[0].flags & SLUICE_ENGINE_CPU;
	sdev->num_engines = num_engines;
	for (i = 0; i < num_engines; i++)
		sdev->op_align = max(sdev->op_align, caps[i].op_align);
	sluice_heaps_init(sdev);
	mutex_init(&sdev->lock);
	INIT_LIST_HEAD(&sdev->queues);
	atomic_set(&sdev->users, 1);
	init_waitqueue_head(&sdev->users_wait);
	sluice_direct_init(sdev);
	sluice_events_init(sdev);
	mutex_init(&sdev->control_lock);
	sdev->runtime_pm = pm_runtime_enabled(parent);

	device_initialize(&sdev->dev);
	sdev->dev.class = &sluice_class;
	sdev->dev.parent = parent;
	sdev->dev.devt = MKDEV(MAJOR(sluice_devt), minor);
	sdev->dev.release = sluice_device_release;
	sdev->dma_mask = dma_get_mask(parent);
	sdev->translated = sluice_dma_translated(parent);
	sdev->bounced = !sdev->translated && sluice_dma_bounced(parent);
	sdev->zone = sluice_dma_zone(sdev);
	sdev->dev.dma_mask = &sdev->dma_mask;
	sdev->dev.coherent_dma_mask = min(parent->coherent_dma_mask, sdev->dma_mask);
	sdev->dev.bus_dma_limit = parent->bus_dma_limit;
	sluice_compat_set_coherent(&sdev->dev, dev_is_dma_coherent(parent));
	cdev_init(&sdev->cdev, &sluice_node_fops);
	sdev->cdev.owner = THIS_MODULE;

	mutex_lock(&sluice_devices_lock);
	for (i = 0; i < SLUICE_MAX_DEVICES; i++) {
		snprintf(sdev->name, sizeof(sdev->name), "%.24s%u", name, i);
		if (!sluice_name_taken(sdev->name))
			break;
	}
	list_add_tail(&sdev->link, &sluice_devices);
	mutex_unlock(&sluice_devices_lock);

	ret = dev_set_name(&sdev->dev, "%s", sdev->name);
	if (!ret)
		ret = sluice_device_inherit_ranges(sdev);
	if (ret)
		goto err_unlist;
	sluice_contiguous_reserve(sdev);
	for (i = 0; i < num_engines && !ret; i++)
		ret = sluice_dispatch_init(&sdev->engines[i], sdev, i, &caps[i]);
	if (ret)
		goto err_work;
	ret = -ENOMEM;
	sdev->wq = alloc_workqueue("sluice-%s", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0,
				   sdev->name);
	/* 3 at a time: work items of jobs, revoked slots and events do not wait for each other */
	sdev->reap_wq = alloc_workqueue("sluice-reap-%s", WQ_UNBOUND, 3, sdev->name);
	if (!sdev->wq || !sdev->reap_wq)
		goto err_work;
	if (sdev->ops->prepare) {
		ret = sdev->ops->prepare(sdev, priv);
		if (ret)
			goto err_work;
	}
	if (sluice_device_has_memory(sdev)) {
		ret = sluice_device_wake(sdev);
		if (ret)
			goto err_work;
	}
	sluice_debugfs_add_device(sdev);
	ret = cdev_device_add(&sdev->cdev, &sdev->dev);
	if (ret)
		goto err_debugfs;
	sluice_heap_nodes_add(sdev);
	return sdev;

err_debugfs:
	sluice_debugfs_remove_device(sdev);
	if (sluice_device_has_memory(sdev))
		sluice_device_rest(sdev);
err_work:
	sluice_device_fini_work(sdev);
err_unlist:
	mutex_lock(&sluice_devices_lock);
	list_del(&sdev->link);
	mutex_unlock(&sluice_devices_lock);
	put_device(&sdev->dev);
	return ERR_PTR(ret);
err_free:
	sluice_job_device_free(sdev);
	sluice_slot_device_free(sdev);
	kfree(sdev->events);
	kfree(sdev->engines);
	kfree(sdev);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(__sluice_device_register);

static bool sluice_device_rests(struct sluice_device *sdev)
{
	unsigned int i;

	for (i = 0; i < sdev->num_engines; i++)
		if (!sluice_engine_rests(&sdev->engines[i]))
			return false;
	return true;
}

/*
 * With all engines at rest: ask a driver with ->kick() to forget its ring, which may be running
 * without an op.
 */
static void sluice_device_forget(struct sluice_device *sdev)
{
	unsigned int i;
	bool awake;

	if (!sdev->ops->kick)
		return;
	/* for ->abort(), hardware that does not wake up is the same as unplugged hardware */
	awake = !sluice_device_wake(sdev);
	for (i = 0; i < sdev->num_engines; i++)
		sdev->ops->abort(&sdev->engines[i], SLUICE_ALL_OPS);
	if (awake)
		sluice_device_rest(sdev);
}

/* Stop the engines.  True if all of them rest within @ms; they stay stopped in any case. */
static bool sluice_device_stop(struct sluice_device *sdev, bool withdraw, unsigned int ms)
{
	unsigned int i;

	for (i = 0; i < sdev->num_engines; i++)
		sluice_engine_stop(&sdev->engines[i], withdraw);
	return wait_event_timeout(sdev->users_wait, sluice_device_rests(sdev),
				  msecs_to_jiffies(ms));
}

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

	sluice_heap_nodes_remove(sdev);
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

	sluice_device_exit(sdev);
	wait_event(sdev->users_wait, atomic_read(&sdev->users) == 0);
	/* the context that dropped the last count may still be in sluice_job_release() */
	synchronize_rcu();
	sluice_device_stop(sdev, false, SLUICE_WITHDRAW_MS);
	sluice_device_forget(sdev);
	sluice_direct_revoke(sdev);
	sluice_heaps_revoke(sdev);
	if (sluice_device_has_memory(sdev))
		sluice_device_rest(sdev);
	sluice_device_fini_work(sdev);

	mutex_lock(&sluice_devices_lock);
	list_del(&sdev->link);
	mutex_unlock(&sluice_devices_lock);
	put_device(&sdev->dev);
}
EXPORT_SYMBOL_GPL(sluice_device_unregister);

/**
 * sluice_device_suspend - stop a device before the system sleeps
 * @sdev: the device
 *
 * The driver's PM op for suspend, freeze and poweroff must call this first.  Ops in flight have
 * two seconds to end.  Then the core aborts them:
 *
 * - An op that may be repeated begins again after sluice_device_resume().
 * - Any other op, which is a program or a private op, ends its job with -ECANCELED.
 *
 * For a driver with ->kick() the core also calls ->abort() with SLUICE_ALL_OPS, even if no op is
 * in flight, so that the driver forgets its ring.
 *
 * After success, ->start(), ->kick() and ->abort() do not run, and the core does not call them
 * until sluice_device_resume().  Jobs can still be submitted and cancelled.
 *
 * Context: process context, may sleep: at most 12 seconds, and for ->abort() with SLUICE_ALL_OPS.
 * Return: 0, or -EBUSY if ->abort() has not stopped all ops after ten seconds.  The device then
 * continues as before.
 */
int sluice_device_suspend(struct sluice_device *sdev)
{
	if (sluice_device_stop(sdev, false, SLUICE_RUN_OUT_MS) ||
	    sluice_device_stop(sdev, true, SLUICE_WITHDRAW_MS)) {
		sluice_device_forget(sdev);
		return 0;
	}
	dev_warn(&sdev->dev, "no system sleep: ->abort() did not stop all ops in ten seconds\n");
	sluice_device_resume(sdev);
	return -EBUSY;
}
EXPORT_SYMBOL_GPL(sluice_device_suspend);

/**
 * sluice_device_resume - continue after a system sleep
 * @sdev: the device, after sluice_device_suspend()
 *
 * The driver's PM op for resume, thaw and restore must call this last.  Waiting jobs then run.  A
 * job that the sleep interrupted has the whole timeout of its queue again.
 *
 * Context: any.
 */
void sluice_device_resume(struct sluice_device *sdev)
{
	unsigned int i;

	for (i = 0; i < sdev->num_engines; i++)
		sluice_dispatch_resume(&sdev->engines[i]);
}
EXPORT_SYMBOL_GPL(sluice_device_resume);

/**
 * sluice_scout - the device that maps foreign memory only to find its addresses
 *
 * The scout can address all memory, and never accesses it.  The DMA API treats it as a device that
 * snoops the caches, and therefore neither writes back nor drops cache lines for it.  A dropped
 * line could hold data that a CPU, or a device that snoops, has just written.
 *
 * Context: any.
 * Return: the device; it lives as long as the module.
 */
struct device *sluice_scout(void)
{
	return sluice_scout_device;
}

int sluice_class_init(void)
{
	int ret;

	sluice_scout_device = root_device_register("sluice");
	if (IS_ERR(sluice_scout_device))
		return PTR_ERR(sluice_scout_device);
	sluice_scout_device->dma_mask = &sluice_scout_mask;
	sluice_scout_device->coherent_dma_mask = sluice_scout_mask;
	sluice_compat_set_coherent(sluice_scout_device, true);
	ret = alloc_chrdev_region(&sluice_devt, 0, SLUICE_MAX_DEVICES, "sluice");
	if (ret)
		goto err_scout;
	ret = class_register(&sluice_class);
	if (ret)
		goto err_region;
	return 0;

err_region:
	unregister_chrdev_region(sluice_devt, SLUICE_MAX_DEVICES);
err_scout:
	root_device_unregister(sluice_scout_device);
	return ret;
}

void sluice_class_exit(void)
{
	class_unregister(&sluice_class);
	unregister_chrdev_region(sluice_devt, SLUICE_MAX_DEVICES);
	root_device_unregister(sluice_scout_device);
	ida_destroy(&sluice_minors);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/device.c"
#endif
