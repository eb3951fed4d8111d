// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: changes of a device that are no ends of jobs, for read() and poll() of its node.
 *
 * A device has one log, which all opens read.  It has a record for each type and id, in the
 * order of their last events.  An open keeps only the sequence number of the record that it
 * has read last: later records are new to it.  So the cost of an event does not depend on the
 * number of opens, which matters because it may be raised in an interrupt.  The number of
 * records is bounded: an event replaces the one with the same type and id, or the oldest.
 *
 *	sluice_device_event()	any context: a record changes, and the work item is queued
 *	sluice_events_wake()	the work item: wakes the readers and pollers of each open that
 *				has ever read or polled.  A wait queue is walked with
 *				interrupts off, so each open has one of its own
 *	sluice_events_read()	copies the records that are new to an open
 *
 * A user may have many opens that read, and raise many events.  So the work item has normal
 * priority, and gives clients_lock back after each bite of the list: the first read and the
 * close of an open wait for one bite.
 *
 * log->lock (spinlock, irq) guards the records, client->heard and the sources of engines.
 * log->clients_lock (mutex) guards the list of opens that listen, and the place of the work
 * item in it.
 */
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

#include "core.h"

#define SLUICE_EVENT_BITE	16	/* opens that are woken before others get the lock */

/*
 * Wake the next bite of opens.  One that joins meanwhile is put in front, where the walk has
 * been: it has seen all events that the walk is for.  False: that was the last bite.
 */
static bool sluice_events_wake_some(struct sluice_event_log *log)
{
	unsigned int woken;
	bool more;

	mutex_lock(&log->clients_lock);
	for (woken = 0; woken < SLUICE_EVENT_BITE && log->walk != &log->clients; woken++) {
		struct sluice_client *client;

		client = list_entry(log->walk, struct sluice_client, listening);
		wake_up_all(&client->event_wait);
		log->walk = log->walk->next;
	}
	more = log->walk != &log->clients;
	mutex_unlock(&log->clients_lock);
	return more;
}

static void sluice_events_wake(struct work_struct *work)
{
	struct sluice_event_log *log = container_of(work, struct sluice_event_log, wake);

	mutex_lock(&log->clients_lock);
	log->walk = log->clients.next;
	mutex_unlock(&log->clients_lock);
	while (sluice_events_wake_some(log))
		cond_resched();
}

/* Not on sdev->wq: that has a high priority, for the sake of fences. */
static void sluice_events_queue_wake(struct sluice_device *sdev)
{
	queue_work(sdev->reap_wq, &sdev->events.wake);
}

/**
 * sluice_events_init - prepare a device
 * @sdev: the device
 *
 * Context: any.
 */
void sluice_events_init(struct sluice_device *sdev)
{
	struct sluice_event_log *log = &sdev->events;

	spin_lock_init(&log->lock);
	INIT_LIST_HEAD(&log->order);
	mutex_init(&log->clients_lock);
	INIT_LIST_HEAD(&log->clients);
	log->walk = &log->clients;
	INIT_WORK(&log->wake, sluice_events_wake);
}

/**
 * sluice_events_gone - wake readers and pollers because the device is gone
 * @sdev: the device, with @sdev.gone set
 *
 * Context: any, before sluice_events_close().
 */
void sluice_events_gone(struct sluice_device *sdev)
{
	sluice_events_queue_wake(sdev);
}

/**
 * sluice_events_close - ignore events from now on
 * @sdev: the device, whose workqueues are about to be destroyed
 *
 * On return readers and pollers have been woken for all events before it.
 *
 * Context: may sleep.
 */
void sluice_events_close(struct sluice_device *sdev)
{
	spin_lock_irq(&sdev->events.lock);
	sdev->events.closed = true;
	spin_unlock_irq(&sdev->events.lock);
	flush_work(&sdev->events.wake);
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
	struct sluice_event_log *log = &sdev->events;
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
	sluice_events_queue_wake(sdev);
}

/**
 * sluice_device_event - report a change of the device to userspace
 * @sdev: the device, from its ops->prepare() until sluice_device_unregister() returns
 * @type: from SLUICE_EVENT_DRIVER on, as the driver documents it; or SLUICE_EVENT_CONTROL, for
 *	a control that is VOLATILE
 * @id: the object that has changed.  An event replaces an unread one of the same type and id
 * @value: its new state
 *
 * If the driver's interrupt handler may run after sluice_device_unregister() has returned, the
 * driver must keep it from calling this function then, by a lock and a flag of its own.
 *
 * Context: any; not NMI.
 */
void sluice_device_event(struct sluice_device *sdev, u32 type, u32 id, s64 value)
{
	unsigned long flags;

	spin_lock_irqsave(&sdev->events.lock, flags);
	sluice_event_add(sdev, type, id, value);
	spin_unlock_irqrestore(&sdev->events.lock, flags);
}
EXPORT_SYMBOL_GPL(sluice_device_event);

/**
 * sluice_device_source - report the input signal of an engine to userspace
 * @sdev: the device, from its ops->prepare() until sluice_device_unregister() returns
 * @source: with @source.engine, and @source.flags 0
 *
 * The core keeps a copy for SLUICE_IOCTL_SOURCE, and raises an event if it differs from the copy
 * before.  A driver that reports sources does so first in ops->prepare(), and again when the
 * hardware resumes, because it hears nothing while it sleeps.
 *
 * Context: any; not NMI.
 */
void sluice_device_source(struct sluice_device *sdev, const struct sluice_source *source)
{
	struct sluice_engine *engine;
	unsigned long flags;

	if (WARN_ON_ONCE(source->engine >= sdev->num_engines || source->flags))
		return;
	engine = &sdev->engines[source->engine];
	spin_lock_irqsave(&sdev->events.lock, flags);
	if (!engine->has_source || memcmp(&engine->source, source, sizeof(*source))) {
		engine->source = *source;
		engine->has_source = true;
		sluice_event_add(sdev, SLUICE_EVENT_SOURCE, source->engine, source->status);
	}
	spin_unlock_irqrestore(&sdev->events.lock, flags);
}
EXPORT_SYMBOL_GPL(sluice_device_source);

/**
 * sluice_engine_get_source - SOURCE
 * @engine: the engine
 * @args: set to the last report of the driver
 *
 * Context: process.
 * Return: 0, or -EOPNOTSUPP if there is none.
 */
int sluice_engine_get_source(struct sluice_engine *engine, struct sluice_source *args)
{
	struct sluice_event_log *log = &engine->sdev->events;
	bool found;

	spin_lock_irq(&log->lock);
	found = engine->has_source;
	if (found)
		*args = engine->source;
	spin_unlock_irq(&log->lock);
	return found ? 0 : -EOPNOTSUPP;
}

/**
 * sluice_events_open - all events from now on are new to an open of the node
 * @client: the open
 *
 * It costs events nothing until it reads or polls.
 *
 * Context: any.
 */
void sluice_events_open(struct sluice_client *client)
{
	struct sluice_event_log *log = &client->sdev->events;

	spin_lock_irq(&log->lock);
	client->heard = log->sequence;
	spin_unlock_irq(&log->lock);
}

/*
 * From now on the work item wakes the readers and pollers of an open.  To be called before the
 * look for new records: for an event that this look does not find, the work item begins anew.
 */
static void sluice_events_listen(struct sluice_client *client)
{
	struct sluice_event_log *log = &client->sdev->events;

	if (smp_load_acquire(&client->listens))
		return;
	mutex_lock(&log->clients_lock);
	if (list_empty(&client->listening))
		list_add(&client->listening, &log->clients);
	/* pairs with the load above: threads that see it need no lock to know of the list */
	smp_store_release(&client->listens, true);
	mutex_unlock(&log->clients_lock);
}

/**
 * sluice_events_leave - an open of a node ends
 * @client: the open, also of a dma-heap node
 *
 * Context: may sleep.
 */
void sluice_events_leave(struct sluice_client *client)
{
	struct sluice_event_log *log = &client->sdev->events;

	if (!client->listens)
		return;
	mutex_lock(&log->clients_lock);
	if (log->walk == &client->listening)
		log->walk = client->listening.next;
	list_del_init(&client->listening);
	mutex_unlock(&log->clients_lock);
}

/* The newest record has the last sequence number, and no record is ever removed. */
static bool sluice_events_new(struct sluice_client *client)
{
	struct sluice_event_log *log = &client->sdev->events;
	bool found;

	spin_lock_irq(&log->lock);
	found = client->heard < log->sequence;
	spin_unlock_irq(&log->lock);
	return found;
}

/* The oldest record that is new to an open.  It stays new until sluice_events_skip(). */
static bool sluice_events_peek(struct sluice_client *client, struct sluice_event *event)
{
	struct sluice_event_log *log = &client->sdev->events;
	struct sluice_event_record *record;
	bool found = false;

	spin_lock_irq(&log->lock);
	list_for_each_entry(record, &log->order, link) {
		found = record->event.sequence > client->heard;
		if (!found)
			continue;
		*event = record->event;
		event->lost = event->sequence - client->heard - 1;
		if (log->pushed_out > client->heard)
			event->flags |= SLUICE_EVENT_OVERFLOW;
		break;
	}
	spin_unlock_irq(&log->lock);
	return found;
}

static void sluice_events_skip(struct sluice_client *client, const struct sluice_event *event)
{
	struct sluice_event_log *log = &client->sdev->events;

	spin_lock_irq(&log->lock);
	client->heard = event->sequence;
	spin_unlock_irq(&log->lock);
}

/* Take what there is, without waiting for more.  With client->read_lock held. */
static ssize_t sluice_events_read_some(struct sluice_client *client, char __user *ubuf,
				       size_t count)
{
	struct sluice_event event;
	ssize_t done = 0;

	while (count - done >= sizeof(event) && sluice_events_peek(client, &event)) {
		if (copy_to_user(ubuf + done, &event, sizeof(event)))
			return done ?: -EFAULT;
		sluice_events_skip(client, &event);
		done += sizeof(event);
	}
	return done;
}

/**
 * sluice_events_read - read() of a node
 * @file: of a client
 * @ubuf: as for read
 * @count: likewise
 * @pos: likewise; not used
 *
 * Context: may sleep and fault.
 * Return: bytes, or an errno of struct sluice_event's list.
 */
ssize_t sluice_events_read(struct file *file, char __user *ubuf, size_t count, loff_t *pos)
{
	struct sluice_client *client = file->private_data;
	const struct sluice_device *sdev = client->sdev;
	ssize_t done;
	bool gone;

	if (count < sizeof(struct sluice_event))
		return -EINVAL;
	sluice_events_listen(client);
	for (;;) {
		/* before the records: those raised until the device is gone are read */
		gone = READ_ONCE(sdev->gone);
		if (mutex_lock_interruptible(&client->read_lock))
			return -ERESTARTSYS;
		done = sluice_events_read_some(client, ubuf, count);
		mutex_unlock(&client->read_lock);
		if (done)
			return done;
		if (gone)
			return -ENODEV;
		/* as in sluice_queue_read() */
		if (data_race(READ_ONCE(file->f_flags)) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(client->event_wait, sluice_events_new(client) ||
								 READ_ONCE(sdev->gone)))
			return -ERESTARTSYS;
	}
}

/**
 * sluice_events_poll - poll() of a node
 * @file: of a client
 * @table: as for poll
 *
 * Context: may sleep.
 * Return: EPOLL*, as struct sluice_event tells.
 */
__poll_t sluice_events_poll(struct file *file, poll_table *table)
{
	struct sluice_client *client = file->private_data;
	__poll_t events = 0;

	sluice_events_listen(client);
	poll_wait(file, &client->event_wait, table);
	if (sluice_events_new(client))
		events |= EPOLLIN | EPOLLRDNORM | EPOLLPRI;
	if (READ_ONCE(client->sdev->gone))
		events |= EPOLLHUP;
	return events;
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/event.c"
#endif
