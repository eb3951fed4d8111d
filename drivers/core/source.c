// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input signals of engines: see source.h.
 *
 * A report that differs from the last one raises an event inside sources->lock, so that the events
 * of an engine have the order of the reports.
 */
#include <linux/export.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "device.h"
#include "source.h"

/**
 * struct sluice_source_report - the last report for an engine
 * @valid: the driver has reported a signal of this engine
 * @source: the report
 */
struct sluice_source_report {
	bool valid;
	struct sluice_source source;
};

/**
 * struct sluice_sources - the input signals of a device
 * @lock: spinlock, irq: guards @reports
 * @reports: one for each engine
 */
struct sluice_sources {
	spinlock_t lock;
	struct sluice_source_report reports[];
};

/**
 * sluice_sources_create - create the reports of a device; they are not valid yet
 * @sdev: the device, which is being registered; its @num_engines is set
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_sources_create(struct sluice_device *sdev)
{
	struct sluice_sources *sources;

	sources = kzalloc(struct_size(sources, reports, sdev->num_engines), GFP_KERNEL);
	if (!sources)
		return -ENOMEM;
	spin_lock_init(&sources->lock);
	sdev->sources = sources;
	return 0;
}

/**
 * sluice_sources_free - free the reports of a device
 * @sdev: the device, which is being freed.  A device without reports is allowed
 *
 * Context: any.
 */
void sluice_sources_free(struct sluice_device *sdev)
{
	kfree(sdev->sources);
}

/**
 * sluice_device_source - report the input signal of an engine to userspace
 * @sdev: the device.  Calls are allowed from its ops->prepare() until sluice_device_unregister()
 *	returns
 * @source: state of the signal, with the number of the engine; its flags must be 0
 *
 * The core keeps a copy for SLUICE_IOCTL_SOURCE.  It raises an event if this report differs from
 * the last one.  A driver that reports sources must do so first in ops->prepare(), and again when
 * the hardware resumes, because hardware that sleeps detects no change.
 *
 * Context: any; not NMI.
 */
void sluice_device_source(struct sluice_device *sdev, const struct sluice_source *source)
{
	struct sluice_source_report *report;
	unsigned long flags;

	if (WARN_ON_ONCE(source->engine >= sdev->num_engines || source->flags))
		return;
	report = &sdev->sources->reports[source->engine];
	spin_lock_irqsave(&sdev->sources->lock, flags);
	if (!report->valid || memcmp(&report->source, source, sizeof(*source))) {
		report->source = *source;
		report->valid = true;
		sluice_device_event(sdev, SLUICE_EVENT_SOURCE, source->engine, source->status);
	}
	spin_unlock_irqrestore(&sdev->sources->lock, flags);
}
EXPORT_SYMBOL_GPL(sluice_device_source);

/**
 * sluice_source_get - the input signal of an engine, for SLUICE_IOCTL_SOURCE
 * @sdev: the device
 * @engine: number of the engine
 * @args: set to the driver's last report
 *
 * Context: process context.
 * Return: 0, or -EOPNOTSUPP if the driver has never reported a signal of this engine.
 */
int sluice_source_get(struct sluice_device *sdev, unsigned int engine, struct sluice_source *args)
{
	const struct sluice_source_report *report = &sdev->sources->reports[engine];
	bool found;

	spin_lock_irq(&sdev->sources->lock);
	found = report->valid;
	if (found)
		*args = report->source;
	spin_unlock_irq(&sdev->sources->lock);
	return found ? 0 : -EOPNOTSUPP;
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/source.c"
#endif
