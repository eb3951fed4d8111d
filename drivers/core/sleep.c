// SPDX-License-Identifier: GPL-2.0-only
/*
 * System sleep of devices: see sleep.h.
 */
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/wait.h>

#include "device.h"
#include "dispatch.h"
#include "engine.h"
#include "sleep.h"
#include "sluice.h"

/* How long sluice_device_suspend() lets ops run on, and how long it then waits for their abort. */
#define SLUICE_SLEEP_RUN_OUT_MS		2000
#define SLUICE_SLEEP_WITHDRAW_MS	10000

static bool sluice_sleep_rests(struct sluice_device *sdev)
{
	unsigned int i;

	for (i = 0; i < sdev->num_engines; i++)
		if (!sluice_engine_rests(&sdev->engines[i]))
			return false;
	return true;
}

/*
 * Ask a driver with ->kick() to forget its ring.  Even without an op in flight, such a driver may
 * otherwise still call sluice_engine_next().  All engines are stopped.
 */
static void sluice_sleep_forget(struct sluice_device *sdev)
{
	unsigned int i;
	bool awake;

	if (!sdev->ops->kick)
		return;
	/* ->abort() must treat hardware that does not wake up like unplugged hardware */
	awake = !sluice_device_wake(sdev);
	for (i = 0; i < sdev->num_engines; i++)
		sdev->ops->abort(&sdev->engines[i], SLUICE_ALL_OPS);
	if (awake)
		sluice_device_rest(sdev);
}

/*
 * Stop the engines, and wait up to @ms until the driver has no op any more.  @withdraw: abort the
 * ops in flight, and hand them out again after the sleep.  Returns whether all engines rest.  If
 * not, they stay stopped nevertheless.
 */
static bool sluice_sleep_stop(struct sluice_device *sdev, bool withdraw, unsigned int ms)
{
	unsigned int i;

	for (i = 0; i < sdev->num_engines; i++)
		sluice_engine_stop(&sdev->engines[i], withdraw);
	return wait_event_timeout(sdev->users_wait, sluice_sleep_rests(sdev),
				  msecs_to_jiffies(ms));
}

/**
 * sluice_sleep_forever - stop the engines of a device that is being unregistered
 * @sdev: the device, whose @users is 0, so no job is left
 *
 * Waits at most ten seconds for ->start(), ->kick() and ->abort() to return.  A driver with
 * ->kick() then forgets its ring.
 *
 * Context: process context, may sleep, also for ->abort() with SLUICE_ALL_OPS.
 */
void sluice_sleep_forever(struct sluice_device *sdev)
{
	sluice_sleep_stop(sdev, false, SLUICE_SLEEP_WITHDRAW_MS);
	sluice_sleep_forget(sdev);
}

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
	if (sluice_sleep_stop(sdev, false, SLUICE_SLEEP_RUN_OUT_MS) ||
	    sluice_sleep_stop(sdev, true, SLUICE_SLEEP_WITHDRAW_MS)) {
		sluice_sleep_forget(sdev);
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
