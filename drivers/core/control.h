/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Controls: the settings of a device that userspace may list, read and change.
 *
 * sdev->control_lock guards their values.
 */
#ifndef _SLUICE_CONTROL_H
#define _SLUICE_CONTROL_H

struct sluice_call;
struct sluice_device;

void sluice_controls_free(struct sluice_device *sdev);
int sluice_node_enum_controls(struct sluice_call *call);
int sluice_node_enum_menu(struct sluice_call *call);
int sluice_node_get_control(struct sluice_call *call);
int sluice_node_set_control(struct sluice_call *call);

#endif /* _SLUICE_CONTROL_H */
