/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events: changes of a device other than ends of jobs, for read() and poll() of its node.
 *
 * The log of a device has one record for each type and id, in the order of their last events.  A
 * reader stores only the sequence number of the last record that it has read; records with a higher
 * number are new to it.  An event replaces the record with the same type and id.  When
 * SLUICE_MAX_EVENTS records exist, an event of another type or id replaces the oldest record.
 *
 *	sluice_device_event()	any context: changes a record, and queues the work item
 *	sluice_event_wake()	the work item: wakes readers and pollers of all open files that
 *				have called read() or poll()
 *	sluice_event_peek()	finds the next record that is new to a reader
 *
 * An interrupt may raise an event, so the cost of an event must not depend on the number of open
 * files.  A work item therefore wakes their readers.  Each open file has a wait queue of its own,
 * because the kernel walks a wait queue with interrupts off.
 *
 * One user can have many open files and cause many events.  The work item therefore has normal
 * priority, and releases log->readers_lock after every SLUICE_EVENT_CHUNK readers.  Only the first
 * read() or poll() of a file and its close wait for this lock.
 *
 * Locks:
 *
 *	log->lock		spinlock, irq: guards the records and reader->heard
 *	log->readers_lock	mutex: guards the list of readers to wake, and the place in this
 *				list that the work item has reached
 *	reader->lock		mutex: admits one read() of an open file at a time.  The file
 *				operations of node.c take it, outside log->lock
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
 * @link: in log->readers, from the first read() or poll() on
 * @listens: the reader is in log->readers
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
