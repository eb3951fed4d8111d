/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The input signals of engines (SOURCE), as the device driver has last reported them.
 *
 * sources->lock (spinlock, irq) guards the reports.  The code that holds it raises events.  Device
 * drivers call sluice_device_source(), register.c creates and frees the reports, and node.c reads
 * them.
 */
#ifndef _SLUICE_SOURCE_H
#define _SLUICE_SOURCE_H

struct sluice_device;
struct sluice_source;

int sluice_sources_create(struct sluice_device *sdev);
void sluice_sources_free(struct sluice_device *sdev);
int sluice_source_get(struct sluice_device *sdev, unsigned int engine, struct sluice_source *args);

#endif /* _SLUICE_SOURCE_H */
