/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Controls: the settings of a device that userspace may list, read and change.
 *
 * controls->lock (mutex) guards their values, and is held while the driver sets or gets a value.
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
