// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: uses of the hardware, its sleep, and the list of all devices.  See device.h.
 */
#include <linux/errno.h>
#include <linux/pm_runtime.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "device.h"
#include "sluice.h"

static LIST_HEAD(sluice_devices);
static DEFINE_MUTEX(sluice_devices_lock);

static void sluice_device_unused(struct percpu_ref *users)
{
	wake_up(&container_of(users, struct sluice_device, users)->users_wait);
}

/**
 * sluice_device_users_init - begin to count the uses of the hardware
 * @sdev: a device that is being registered.  Its registration is the first use
 * @flags: 0; PERCPU_REF_INIT_ATOMIC in a test that reads the number
 *
 * The release of the device calls percpu_ref_exit(), also after an error.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_device_users_init(struct sluice_device *sdev, unsigned int flags)
{
	init_waitqueue_head(&sdev->users_wait);
	return percpu_ref_init(&sdev->users, sluice_device_unused, flags, GFP_KERNEL);
}

/**
 * sluice_device_users_end - end the registration, and wait until the hardware is not used any more
 * @sdev: a device that is being unregistered.  No use begins after the call
 *
 * Context: may sleep.
 */
void sluice_device_users_end(struct sluice_device *sdev)
{
	percpu_ref_kill(&sdev->users);
	wait_event(sdev->users_wait, percpu_ref_is_zero(&sdev->users));
}

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
	if (!percpu_ref_tryget_live(&sdev->users))
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
	percpu_ref_put(&sdev->users);
}

/**
 * sluice_device_wake - wake the hardware, and keep it awake until sluice_device_rest()
 * @sdev: the device: entered, or being registered, suspended or removed
 *
 * Each of these needs the hardware awake, and holds one count: a slot, a job with a program or a
 * private op, a control while the driver sets or gets it, an eventfd, all mapped registers
 * together, and all memory inside the device together.  SUBMIT must call this function before it
 * publishes the fence of a job, because the driver's resume function may allocate memory and wait.
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
 * @sdev: the device; sluice_device_unregister() has not returned yet
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

static bool sluice_devices_have(const char *name)
{
	struct sluice_device *sdev;

	list_for_each_entry(sdev, &sluice_devices, link)
		if (!strcmp(sdev->name, name))
			return true;
	return false;
}

/**
 * sluice_devices_add - name a device, and add it to the list of all devices
 * @sdev: the device, which is being registered
 * @name: first part of its name; the first free number follows
 *
 * Context: process context, may sleep.
 */
void sluice_devices_add(struct sluice_device *sdev, const char *name)
{
	unsigned int i;

	mutex_lock(&sluice_devices_lock);
	for (i = 0; i < SLUICE_DEVICES_MAX; i++) {
		snprintf(sdev->name, sizeof(sdev->name), "%.24s%u", name, i);
		if (!sluice_devices_have(sdev->name))
			break;
	}
	list_add_tail(&sdev->link, &sluice_devices);
	mutex_unlock(&sluice_devices_lock);
}

/**
 * sluice_devices_remove - remove a device from the list of all devices
 * @sdev: the device; another one may get its name now
 *
 * Context: process context, may sleep.
 */
void sluice_devices_remove(struct sluice_device *sdev)
{
	mutex_lock(&sluice_devices_lock);
	list_del(&sdev->link);
	mutex_unlock(&sluice_devices_lock);
}
