// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: registration, the class and its nodes, and the end of a device.
 *
 * struct sluice_device lives as long as somebody holds a reference: an open
 * node, a queue, a buffer.  The hardware behind it may go at any time:
 * sluice_device_unregister() closes the door (gone), ends all jobs, unmaps all
 * slots and waits until the last user has left.  After that the core never
 * calls the device driver again.
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

/* of system sleep: an op has this long to end by itself, and then to be aborted */
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
 * sluice_device_enter - begin something that needs the hardware to stay
 * @sdev: the device
 *
 * Return: false if the device has gone; else sluice_device_exit() must follow,
 * within a bounded time and without a fault on user memory in between.
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
 * sluice_device_exit - end it
 * @sdev: the device; the caller holds a reference of its own
 *
 * Any context.
 */
void sluice_device_exit(struct sluice_device *sdev)
{
	if (atomic_dec_and_test(&sdev->users))
		wake_up(&sdev->users_wait);
}

/**
 * sluice_device_wake - have the hardware awake until sluice_device_rest()
 * @sdev: the device, entered
 *
 * Whatever reaches the hardware, or needs it to stay as it is, holds one: a slot, a job
 * with a program or a private op, a control while the driver sets or gets it, an eventfd, and
 * mapped registers.  To be called before anything is
 * published: a driver's resume may allocate and wait.
 *
 * Context: may sleep.  Return: 0, or -EIO if it does not wake up.
 */
int sluice_device_wake(struct sluice_device *sdev)
{
	int ret = sdev->runtime_pm ? pm_runtime_resume_and_get(sdev->parent) : 0;

	if (ret)
		dev_dbg(&sdev->dev, "the hardware does not wake up: %d\n", ret);
	return ret ? -EIO : 0;
}

/**
 * sluice_device_rest - end it
 * @sdev: the device, entered
 *
 * With the last one the hardware goes to sleep, in its own time.
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

/* Does the device offer memory of its own?  That is lost in some kinds of sleep. */
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

	/* SUBMIT and ENUM_* look at them before they know that the hardware has gone */
	for (i = 0; i < sdev->num_engines; i++)
		sluice_formats_free(&sdev->engines[i].caps);
	ida_free(&sluice_minors, MINOR(dev->devt));
	sluice_heaps_release(sdev);
	sluice_contiguous_unreserve(sdev);
	sluice_controls_free(sdev);
	put_device(sdev->parent);
	sluice_object_dec(SLUICE_OBJECT_DEVICE);
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

	/* they use the workqueue */
	sluice_events_close(sdev);
	/* those that were prepared */
	for (i = 0; i < sdev->num_engines && sdev->engines[i].sdev; i++)
		sluice_engine_fini(&sdev->engines[i]);
	if (sdev->wq)
		destroy_workqueue(sdev->wq);
	if (sdev->reap_wq)
		destroy_workqueue(sdev->reap_wq);
}

/*
 * The class device sees memory where the parent does, so that what is allocated
 * for it is what the parent reaches.  The driver core frees the map with it.
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

/* Can there be an op that keeps to them?  Software sees no segments. */
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
	/* caches are maintained before ->start; who takes ops may be in an interrupt */
	return !(caps->flags & SLUICE_ENGINE_CPU) || ops->start;
}

/* Is there a software engine whose ops wait for each other, and are handed out before? */
static bool sluice_ops_sync_early(const struct sluice_engine_caps *caps, unsigned int num_engines)
{
	unsigned int i;

	for (i = 0; i < num_engines; i++)
		if (caps[i].flags & SLUICE_ENGINE_CPU && caps[i].flags & SLUICE_ENGINE_ORDERED &&
		    caps[i].depth > 1)
			return true;
	return false;
}

/* Does what the driver says of its device make sense? */
static bool sluice_ops_valid(const struct sluice_device_ops *ops,
			     const struct sluice_engine_caps *caps, unsigned int num_engines)
{
	unsigned int i;

	if (!num_engines || num_engines > SLUICE_MAX_ENGINES || !ops->start == !ops->kick ||
	    !ops->abort)
		return false;
	for (i = 0; i < num_engines; i++)
		/* slots are mapped for the CPU, or for a device */
		if (!sluice_engine_caps_valid(&caps[i], ops) ||
		    (caps[i].flags ^ caps[0].flags) & SLUICE_ENGINE_CPU)
			return false;
	return true;
}

/**
 * sluice_driver_fits - was a driver compiled for this version of the driver API?
 * @api: SLUICE_DRIVER_API, as the driver was compiled
 * @module_name: KBUILD_MODNAME, for the log
 *
 * Structs of a driver for another version must not be looked at.
 *
 * Context: any.
 * Return: true if it was; else the log says what to do.
 */
bool sluice_driver_fits(u32 api, const char *module_name)
{
	if (api == SLUICE_DRIVER_API)
		return true;
	pr_err("sluice: %s was compiled for version %u of the driver API, and this sluice.ko has version %u: compile it again, with the sluice.h and the Module.symvers of this sluice.ko\n",
	       module_name, api, SLUICE_DRIVER_API);
	return false;
}

/* "soft" of the module "sluice_soft" */
static void sluice_device_name_driver(struct sluice_device *sdev, const char *module_name)
{
	module_name += str_has_prefix(module_name, "sluice_");
	strscpy(sdev->driver, module_name, sizeof(sdev->driver));
}

/**
 * __sluice_device_register - make a device available to userspace
 * @api: SLUICE_DRIVER_API, as the driver was compiled
 * @owner: the driver's module, held by each open node and queue; NULL if built in
 * @module_name: KBUILD_MODNAME.  The driver's name in INFO is this without a leading
 *	"sluice_"; 31 characters are kept
 * @parent: the hardware, with its DMA mask set
 * @name: name of the node, to which the core adds the first free number
 * @ops: the driver's side, which is copied.  Its functions are called until
 *	sluice_device_unregister() returns
 * @caps: what each engine is and can do; copied
 * @num_engines: length of @caps, 1 to 64
 * @priv: for sluice_engine_priv()
 *
 * Drivers call sluice_device_register(), which adds the first three.
 *
 * On return userspace may open the node and the driver's ops may be called.  If runtime
 * PM is enabled for @parent by now, the core keeps it awake as long as it is used.
 *
 * Context: may sleep.
 * Return: the device, or an ERR_PTR: -ENOEXEC for a driver that was compiled for another
 * version of the driver API, told in the log; -EINVAL for parameters that make no sense,
 * -ENOMEM, -ENOSPC when there are no minors, or what ops->prepare() returned.
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
	/* caches are brought up to date when an op is handed out: nothing may be ahead of it */
	if (sluice_ops_sync_early(caps, num_engines) && !dev_is_dma_coherent(parent))
		return ERR_PTR(-EINVAL);
	/* sluice_slot_sync() takes a segment for one piece of memory */
	if (caps[0].flags & SLUICE_ENGINE_CPU && sluice_dma_translated(parent))
		return ERR_PTR(-EINVAL);

	sdev = kzalloc(struct_size(sdev, engines, num_engines), GFP_KERNEL);
	if (!sdev)
		return ERR_PTR(-ENOMEM);
	minor = ida_alloc_max(&sluice_minors, SLUICE_MAX_DEVICES - 1, GFP_KERNEL);
	if (minor < 0) {
		kfree(sdev);
		return ERR_PTR(minor);
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
	init_llist_head(&sdev->reap_list);
	INIT_WORK(&sdev->reap_work, sluice_job_reap);
	spin_lock_init(&sdev->revoked_lock);
	INIT_LIST_HEAD(&sdev->revoked);
	INIT_WORK(&sdev->revoke_work, sluice_slots_unmap_revoked);
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
		ret = sluice_engine_init(&sdev->engines[i], sdev, i, &caps[i]);
	if (ret)
		goto err_work;
	ret = -ENOMEM;
	sdev->wq = alloc_workqueue("sluice-%s", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0,
				   sdev->name);
	/* memory that is taken back waits neither for jobs to be buried nor for readers of events */
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

/* The engines rest.  A driver that takes ops itself may still have a ring at work. */
static void sluice_device_forget(struct sluice_device *sdev)
{
	unsigned int i;
	bool awake;

	if (!sdev->ops->kick)
		return;
	/* hardware that does not wake up has gone, which its driver copes with */
	awake = !sluice_device_wake(sdev);
	for (i = 0; i < sdev->num_engines; i++)
		sdev->ops->abort(&sdev->engines[i], SLUICE_ALL_OPS);
	if (awake)
		sluice_device_rest(sdev);
}

static bool sluice_device_stop(struct sluice_device *sdev, bool withdraw, unsigned int ms)
{
	unsigned int i;

	for (i = 0; i < sdev->num_engines; i++)
		sluice_engine_stop(&sdev->engines[i], withdraw);
	return wait_event_timeout(sdev->users_wait, sluice_device_rests(sdev),
				  msecs_to_jiffies(ms));
}

/**
 * sluice_device_unregister - the hardware goes away
 * @sdev: from sluice_device_register()
 *
 * Ends all jobs with -ENODEV, unmaps every slot, and returns when the driver's
 * ops are not running and will never be called again.  The last of them is, of a driver with
 * @kick, @abort with SLUICE_ALL_OPS for each engine: afterwards its interrupt handler, which
 * may still be there, asks for no more ops.  Open fds stay open and
 * answer -ENODEV; buffers in system memory stay valid for whoever holds them, those
 * in the device's own are taken back from everybody.
 *
 * Context: may sleep, as long as @abort takes, and importers of a BAR.
 */
void sluice_device_unregister(struct sluice_device *sdev)
{
	struct sluice_queue *queue;

	sluice_heap_nodes_remove(sdev);
	cdev_device_del(&sdev->cdev, &sdev->dev);
	sluice_debugfs_remove_device(sdev);

	mutex_lock(&sdev->lock);
	WRITE_ONCE(sdev->gone, true);
	/* readers need not wait until slots are unmapped */
	sluice_events_gone(sdev);
	/* all first: to unmap a slot of one may take until a job of another has ended */
	list_for_each_entry(queue, &sdev->queues, link)
		sluice_queue_kill(queue, -ENODEV);
	list_for_each_entry(queue, &sdev->queues, link)
		sluice_queue_drop_slots(queue);
	mutex_unlock(&sdev->lock);

	sluice_device_exit(sdev);
	wait_event(sdev->users_wait, atomic_read(&sdev->users) == 0);
	/* the last to go may still be at it: sluice_job_release() */
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
 * sluice_device_suspend - the system goes to sleep
 * @sdev: the device
 *
 * To be called first by the driver's PM op for suspend, freeze and poweroff.  An op that
 * runs has two seconds to end.  One that does not is aborted, and begins again after
 * sluice_device_resume(); or, if it is a program or a private op that may not be repeated, its
 * job ends with -ECANCELED.  A driver with @kick is asked to @abort even if it has no op: it is to
 * forget its ring.
 *
 * On return no driver op runs that reaches the hardware (@start, @kick, @abort), and none
 * will until sluice_device_resume().  Jobs can still be submitted and cancelled.
 *
 * Context: may sleep, for as long as @abort takes after those two seconds.  Return: 0, or
 * -EBUSY if @abort did not return for ten seconds; then all is as before.
 */
int sluice_device_suspend(struct sluice_device *sdev)
{
	if (sluice_device_stop(sdev, false, SLUICE_RUN_OUT_MS) ||
	    sluice_device_stop(sdev, true, SLUICE_WITHDRAW_MS)) {
		sluice_device_forget(sdev);
		return 0;
	}
	dev_warn(&sdev->dev, "an op cannot be aborted: no sleep\n");
	sluice_device_resume(sdev);
	return -EBUSY;
}
EXPORT_SYMBOL_GPL(sluice_device_suspend);

/**
 * sluice_device_resume - the hardware works again
 * @sdev: the device, after sluice_device_suspend()
 *
 * To be called last by the driver's PM op for resume, thaw and restore.  Goes on with what
 * waits.  A job that was in its middle has the whole of its queue's timeout again.
 *
 * Context: any.
 */
void sluice_device_resume(struct sluice_device *sdev)
{
	unsigned int i;

	for (i = 0; i < sdev->num_engines; i++)
		sluice_engine_go_on(&sdev->engines[i]);
}
EXPORT_SYMBOL_GPL(sluice_device_resume);

/**
 * sluice_scout - a device that can address all memory, and does no DMA
 *
 * It counts as one that snoops the caches, because it never touches memory: the DMA API
 * must neither write lines back nor drop them for it.  A dropped line may hold what a
 * CPU, or a device that does snoop, has just written.
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
