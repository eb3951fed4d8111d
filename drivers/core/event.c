// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: changes of a device other than ends of jobs.  See event.h.
 */
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "device.h"
#include "event.h"

#define SLUICE_EVENT_CHUNK	16	/* readers woken while readers_lock is held */

/**
 * struct sluice_event_record - the last event of a type and id
 * @link: in log->order
 * @event: the event.  Its @lost and @flags depend on the reader, and are not set here
 */
struct sluice_event_record {
	struct list_head link;
	struct sluice_event event;
};

/**
 * struct sluice_event_log - events of a device
 * @lock: spinlock, irq: guards the fields up to @records, and reader->heard
 * @closed: new events are ignored
 * @sequence: sequence number of the last event
 * @pushed_out: sequence number of the last record that was lost, because an event of another
 *	type or id replaced it; 0 if no record was lost
 * @order: the records, the oldest first
 * @num_records: entries of @records that are in use
 * @records: memory of the records
 * @readers_lock: mutex: guards @readers and @walk
 * @readers: readers that listen
 * @walk: the reader in this list that @wake will wake next, or the head of the list
 * @wake: wakes all @readers
 */
struct sluice_event_log {
	spinlock_t lock;
	bool closed;
	u64 sequence;
	u64 pushed_out;
	struct list_head order;
	unsigned int num_records;
	struct sluice_event_record records[SLUICE_MAX_EVENTS];
	struct mutex readers_lock;
	struct list_head readers;
	struct list_head *walk;
	struct work_struct wake;
};

/*
 * Wake the next readers in the list.  Returns true if more of them follow.
 *
 * A reader that joins the list meanwhile is put in front, so this walk does not wake the reader.
 * The reader does not need the wake-up, because it examines the records after it has joined.
 */
static bool sluice_event_wake_some(struct sluice_event_log *log)
{
	unsigned int woken;
	bool more;

	mutex_lock(&log->readers_lock);
	for (woken = 0; woken < SLUICE_EVENT_CHUNK && log->walk != &log->readers; woken++) {
		struct sluice_event_reader *reader;

		reader = list_entry(log->walk, struct sluice_event_reader, link);
		wake_up_all(&reader->wait);
		log->walk = log->walk->next;
	}
	more = log->walk != &log->readers;
	mutex_unlock(&log->readers_lock);
	return more;
}

static void sluice_event_wake(struct work_struct *work)
{
	struct sluice_event_log *log = container_of(work, struct sluice_event_log, wake);

	mutex_lock(&log->readers_lock);
	log->walk = log->readers.next;
	mutex_unlock(&log->readers_lock);
	while (sluice_event_wake_some(log))
		cond_resched();
}

/* Not on sdev->wq, which has a high priority and is in the signalling path of fences. */
static void sluice_event_queue_wake(struct sluice_device *sdev)
{
	queue_work(sdev->reap_wq, &sdev->events->wake);
}

/**
 * sluice_events_create - create the log of a device
 * @sdev: the device, which is being registered
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_events_create(struct sluice_device *sdev)
{
	struct sluice_event_log *log = kzalloc(sizeof(*log), GFP_KERNEL);

	if (!log)
		return -ENOMEM;
	spin_lock_init(&log->lock);
	INIT_LIST_HEAD(&log->order);
	mutex_init(&log->readers_lock);
	INIT_LIST_HEAD(&log->readers);
	log->walk = &log->readers;
	INIT_WORK(&log->wake, sluice_event_wake);
	sdev->events = log;
	return 0;
}

/**
 * sluice_events_free - free the log of a device
 * @sdev: the device, which is being freed; it may have no log
 *
 * Context: any.
 */
void sluice_events_free(struct sluice_device *sdev)
{
	kfree(sdev->events);
}

/**
 * sluice_events_gone - wake readers and pollers, because the device is removed
 * @sdev: the device, with @sdev.gone set
 *
 * Does not wait until they are woken.
 *
 * Context: any, before sluice_events_close().
 */
void sluice_events_gone(struct sluice_device *sdev)
{
	sluice_event_queue_wake(sdev);
}

/**
 * sluice_events_close - ignore events from now on
 * @sdev: the device, whose workqueues are about to be destroyed
 *
 * On return, readers and pollers have been woken for all earlier events.
 *
 * Context: may sleep.
 */
void sluice_events_close(struct sluice_device *sdev)
{
	spin_lock_irq(&sdev->events->lock);
	sdev->events->closed = true;
	spin_unlock_irq(&sdev->events->lock);
	flush_work(&sdev->events->wake);
}

/* The record for an event: the one with its type and id, an unused one, or the oldest. */
static struct sluice_event_record *sluice_event_place(struct sluice_event_log *log, u32 type,
						      u32 id)
{
	struct sluice_event_record *record;

	list_for_each_entry(record, &log->order, link)
		if (record->event.type == type && record->event.id == id)
			return record;
	if (log->num_records < SLUICE_MAX_EVENTS) {
		record = &log->records[log->num_records++];
		INIT_LIST_HEAD(&record->link);
		return record;
	}
	record = list_first_entry(&log->order, struct sluice_event_record, link);
	log->pushed_out = record->event.sequence;
	return record;
}

static void sluice_event_add(struct sluice_device *sdev, u32 type, u32 id, s64 value)
{
	struct sluice_event_log *log = sdev->events;
	struct sluice_event_record *record;

	lockdep_assert_held(&log->lock);
	if (log->closed)
		return;
	record = sluice_event_place(log, type, id);
	record->event = (struct sluice_event) {
		.type = type,
		.id = id,
		.value = value,
		.timestamp = ktime_get_ns(),
		.sequence = ++log->sequence,
	};
	list_move_tail(&record->link, &log->order);
	sluice_event_queue_wake(sdev);
}

/**
 * sluice_device_event - report a change of the device to userspace
 * @sdev: the device, from its ops->prepare() until sluice_device_unregister() returns
 * @type: a type of the driver, from SLUICE_EVENT_DRIVER on; or SLUICE_EVENT_CONTROL, for a
 *	control that is VOLATILE
 * @id: the object that has changed: its number within the type, or the id of the control
 * @value: new state of the object
 *
 * The event replaces an unread event of the same type and id.
 *
 * If the driver's interrupt handler can run after sluice_device_unregister() has returned, the
 * driver must prevent a call of this function then, with a lock and a flag of its own.
 *
 * Context: any; not NMI.
 */
void sluice_device_event(struct sluice_device *sdev, u32 type, u32 id, s64 value)
{
	unsigned long flags;

	spin_lock_irqsave(&sdev->events->lock, flags);
	sluice_event_add(sdev, type, id, value);
	spin_unlock_irqrestore(&sdev->events->lock, flags);
}
EXPORT_SYMBOL_GPL(sluice_device_event);

/**
 * sluice_event_reader_init - initialise a reader, to which all later events are new
 * @sdev: the device
 * @reader: the reader, of a file that is being opened
 *
 * Until sluice_event_listen(), the reader adds nothing to the cost of an event.
 *
 * Context: process context.
 */
void sluice_event_reader_init(struct sluice_device *sdev, struct sluice_event_reader *reader)
{
	struct sluice_event_log *log = sdev->events;

	INIT_LIST_HEAD(&reader->link);
	init_waitqueue_head(&reader->wait);
	mutex_init(&reader->lock);
	spin_lock_irq(&log->lock);
	reader->heard = log->sequence;
	spin_unlock_irq(&log->lock);
}

/**
 * sluice_event_listen - add a reader to those that events wake
 * @sdev: the device
 * @reader: the reader; does nothing if it listens already
 *
 * The caller must call this function before it looks for new records.  An event that the caller
 * does not find is raised later, and queues the work item.  The work item then finds the reader in
 * the list.
 *
 * Context: process context, may sleep.
 */
void sluice_event_listen(struct sluice_device *sdev, struct sluice_event_reader *reader)
{
	struct sluice_event_log *log = sdev->events;

	/* pairs with the store below: if @listens is true, the reader is in the list already */
	if (smp_load_acquire(&reader->listens))
		return;
	mutex_lock(&log->readers_lock);
	if (list_empty(&reader->link))
		list_add(&reader->link, &log->readers);
	/* pairs with the load above: the reader joins the list before @listens is true */
	smp_store_release(&reader->listens, true);
	mutex_unlock(&log->readers_lock);
}

/**
 * sluice_event_leave - remove a reader from those that events wake
 * @sdev: the device
 * @reader: the reader, of a file that is being closed
 *
 * Context: process context, may sleep.
 */
void sluice_event_leave(struct sluice_device *sdev, struct sluice_event_reader *reader)
{
	struct sluice_event_log *log = sdev->events;

	if (!reader->listens)
		return;
	mutex_lock(&log->readers_lock);
	if (log->walk == &reader->link)
		log->walk = reader->link.next;
	list_del_init(&reader->link);
	mutex_unlock(&log->readers_lock);
}

/**
 * sluice_event_pending - is a record new to a reader?
 * @sdev: the device
 * @reader: the reader
 *
 * The newest record has the last sequence number, because records are replaced only by newer ones.
 *
 * Context: process context.
 * Return: true if sluice_event_peek() would find one.
 */
bool sluice_event_pending(struct sluice_device *sdev, const struct sluice_event_reader *reader)
{
	struct sluice_event_log *log = sdev->events;
	bool found;

	spin_lock_irq(&log->lock);
	found = reader->heard < log->sequence;
	spin_unlock_irq(&log->lock);
	return found;
}

/**
 * sluice_event_peek - the oldest record that is new to a reader
 * @sdev: the device
 * @reader: the reader; its @lock is held
 * @event: set to the record, with the fields that depend on the reader
 *
 * The record stays new until sluice_event_skip().
 *
 * Context: process context.
 * Return: true if there is one.
 */
bool sluice_event_peek(struct sluice_device *sdev, const struct sluice_event_reader *reader,
		       struct sluice_event *event)
{
	struct sluice_event_log *log = sdev->events;
	struct sluice_event_record *record;
	bool found = false;

	spin_lock_irq(&log->lock);
	list_for_each_entry(record, &log->order, link) {
		found = record->event.sequence > reader->heard;
		if (!found)
			continue;
		*event = record->event;
		event->lost = event->sequence - reader->heard - 1;
		if (log->pushed_out > reader->heard)
			event->flags |= SLUICE_EVENT_OVERFLOW;
		break;
	}
	spin_unlock_irq(&log->lock);
	return found;
}

/**
 * sluice_event_skip - mark a record as read by a reader
 * @sdev: the device
 * @reader: the reader; its @lock is held
 * @event: from sluice_event_peek()
 *
 * Context: process context.
 */
void sluice_event_skip(struct sluice_device *sdev, struct sluice_event_reader *reader,
		       const struct sluice_event *event)
{
	struct sluice_event_log *log = sdev->events;

	spin_lock_irq(&log->lock);
	reader->heard = event->sequence;
	spin_unlock_irq(&log->lock);
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/event.c"
#endif
