/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Controls: settings of a device for userspace, such as gain, input and trigger.
 *
 * control.c owns the controls and their values.  The driver lists its controls once, with
 * sluice_device_add_controls().  The core copies the list, so enumeration needs neither a lock nor
 * the driver.  The core checks each new value, and keeps the last value that the driver has
 * accepted.  It asks the driver only for a control that the hardware changes
 * (SLUICE_CONTROL_VOLATILE).
 *
 * controls->lock (mutex) guards the values, and is held while the driver sets or gets a value.  A
 * call takes it before it enters the device.  The removal of the device therefore waits for one
 * call of the driver, and not for all callers that wait for the lock.
 *
 * Device drivers call sluice_device_add_controls(), node.c serves ioctls, and register.c frees the
 * controls.
 */
#ifndef _SLUICE_CONTROL_H
#define _SLUICE_CONTROL_H

struct sluice_call;
struct sluice_device;

void sluice_controls_free(struct sluice_device *sdev);
int sluice_control_enum(struct sluice_call *call);
int sluice_control_enum_menu(struct sluice_call *call);
int sluice_control_get(struct sluice_call *call);
int sluice_control_set(struct sluice_call *call);

#endif /* _SLUICE_CONTROL_H */
