/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System sleep: stops the engines of a device, and starts them again.
 *
 * There is no lock of its own: engine->lock guards the state of each engine, and
 * sdev->users_wait is woken when a stopped engine may have come to rest.
 *
 * Device drivers call sluice_device_suspend() and sluice_device_resume() of sluice.h in their PM
 * ops.  register.c stops the engines for good when a device is removed.
 */
#ifndef _SLUICE_SLEEP_H
#define _SLUICE_SLEEP_H

struct sluice_device;

void sluice_sleep_forever(struct sluice_device *sdev);

#endif /* _SLUICE_SLEEP_H */
