/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Eventfds that count the interrupts of a device.  Each of them belongs to a client.  When the
 * device is removed, each eventfd is signalled once more.
 *
 * eventfds->lock (spinlock, irq) guards the eventfds of a device.  Device drivers call
 * sluice_device_add_interrupts() and sluice_device_interrupt().  node.c sets eventfds, reads the
 * number of interrupts, and removes the eventfds of a file that is closed.  register.c calls the
 * other functions.
 */
#ifndef _SLUICE_EVENTFD_H
#define _SLUICE_EVENTFD_H

struct sluice_call;
struct sluice_client;
struct sluice_device;

int sluice_irq_eventfds_create(struct sluice_device *sdev);
void sluice_irq_eventfds_free(struct sluice_device *sdev);
void sluice_irq_eventfds_revoke(struct sluice_device *sdev);
void sluice_irq_eventfds_close(struct sluice_client *client);
unsigned int sluice_irq_eventfds_interrupts(const struct sluice_device *sdev);
int sluice_irq_eventfd_set(struct sluice_call *call);

#endif /* _SLUICE_EVENTFD_H */
