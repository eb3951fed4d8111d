/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events: the log of a device's changes, and the readers of the log.
 *
 * The log has these locks:
 *
 *	log->lock		spinlock, irq: guards the records and reader->heard
 *	log->readers_lock	mutex: guards the list of readers to wake, and the position of the
 *				work item in it
 *	reader->lock		mutex: admits one read() of an open file at a time.  The file
 *				operations of node.c take it
 *
 * Device drivers, control.c and source.c call sluice_device_event().  register.c creates and frees
 * the log, client.c makes the readers, and node.c reads.
 */
#ifndef _SLUICE_EVENT_H
#define _SLUICE_EVENT_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

struct sluice_device;
struct sluice_event;

/**
 * struct sluice_event_reader - an open file, as a reader of events
 * @link: in the readers of the log, from the first read() or poll() on
 * @listens: it is in that list
 * @wait: tasks in read() and poll()
 * @lock: one read() at a time
 * @heard: sequence number of the last event that was read, or that was raised before the file was
 *	opened; under the lock of the log
 */
struct sluice_event_reader {
	struct list_head link;
	bool listens;
	wait_queue_head_t wait;
	struct mutex lock;
	u64 heard;
};

int sluice_events_create(struct sluice_device *sdev);
void sluice_events_gone(struct sluice_device *sdev);
void sluice_events_close(struct sluice_device *sdev);
void sluice_events_free(struct sluice_device *sdev);
void sluice_event_reader_init(struct sluice_device *sdev, struct sluice_event_reader *reader);
void sluice_event_listen(struct sluice_device *sdev, struct sluice_event_reader *reader);
void sluice_event_leave(struct sluice_device *sdev, struct sluice_event_reader *reader);
bool sluice_event_pending(struct sluice_device *sdev, const struct sluice_event_reader *reader);
bool sluice_event_peek(struct sluice_device *sdev, const struct sluice_event_reader *reader,
		       struct sluice_event *event);
void sluice_event_skip(struct sluice_device *sdev, struct sluice_event_reader *reader,
		       const struct sluice_event *event);

#endif /* _SLUICE_EVENT_H */
