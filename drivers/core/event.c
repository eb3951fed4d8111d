// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: changes of a device other than ends of jobs, for read() and poll() of its node.  Also the
 * input signals of engines (SOURCE), whose changes are events.
 *
 * This file owns the log of a device, which all clients (open files of the node) read.  The log has
 * one record for each type and id, in the order of their last events.  A client stores only the
 * sequence number of the last record that it has read; records with a higher number are new to it.
 * An event replaces the record with the same type and id.  When SLUICE_MAX_EVENTS records exist, an
 * event of another type or id replaces the oldest record.
 *
 *	sluice_device_event()	any context: changes a record, and queues the work item
 *	sluice_events_wake()	the work item: wakes readers and pollers of all clients that have
 *				called read() or poll()
 *	sluice_events_read()	copies the records that are new to a client
 *
 * An interrupt may raise an event, so the cost of an event must not depend on the number of
 * clients.  A work item therefore wakes them.  Each client has a wait queue of its own, because the
 * kernel walks a wait queue with interrupts off.
 *
 * One user can have many clients and cause many events.  The work item therefore has normal
 * priority, and releases clients_lock after every SLUICE_EVENT_BITE clients.  Only the first read()
 * or poll() of a client and its close wait for this lock.
 *
 * Locks: log->lock (spinlock, irq) guards the records, client->heard and the sources of engines.
 * log->clients_lock (mutex) guards the list of clients to wake, and the position of the work item
 * in it.  client->read_lock (mutex) admits one reader of a client at a time.
 *
 * Drivers call the exported functions.  device.c, node.c and control.c call the others.
 */
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

#include "core.h"

#define SLUICE_EVENT_BITE	16	/* clients woken while clients_lock is held */

/*
 * Wake the next clients in the list.  True if more of them follow.
 *
 * A client that joins the list meanwhile is put in front, so this walk does not wake it.  This is
 * not needed, because the client examines the records after it has joined.
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

/* Not on sdev->wq, which has a high priority and is in the signalling path of fences. */
static void sluice_events_queue_wake(struct sluice_device *sdev)
{
	queue_work(sdev->reap_wq, &sdev->events->wake);
}

/**
 * sluice_events_init - initialise the log of a device
 * @sdev: the device, which is being registered
 *
 * Context: any.
 */
void sluice_events_init(struct sluice_device *sdev)
{
	struct sluice_event_log *log = sdev->events;

	spin_lock_init(&log->lock);
	INIT_LIST_HEAD(&log->order);
	mutex_init(&log->clients_lock);
	INIT_LIST_HEAD(&log->clients);
	log->walk = &log->clients;
	INIT_WORK(&log->wake, sluice_events_wake);
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
	sluice_events_queue_wake(sdev);
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
	sluice_events_queue_wake(sdev);
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
 * sluice_device_source - report the input signal of an engine to userspace
 * @sdev: the device, from its ops->prepare() until sluice_device_unregister() returns
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
	struct sluice_engine *engine;
	unsigned long flags;

	if (WARN_ON_ONCE(source->engine >= sdev->num_engines || source->flags))
		return;
	engine = &sdev->engines[source->engine];
	spin_lock_irqsave(&sdev->events->lock, flags);
	if (!engine->has_source || memcmp(&engine->source, source, sizeof(*source))) {
		engine->source = *source;
		engine->has_source = true;
		sluice_event_add(sdev, SLUICE_EVENT_SOURCE, source->engine, source->status);
	}
	spin_unlock_irqrestore(&sdev->events->lock, flags);
}
EXPORT_SYMBOL_GPL(sluice_device_source);

/**
 * sluice_engine_get_source - the input signal of an engine, for SLUICE_IOCTL_SOURCE
 * @engine: the engine
 * @args: set to the driver's last report
 *
 * Context: process context.
 * Return: 0, or -EOPNOTSUPP if the driver has never reported a signal of this engine.
 */
int sluice_engine_get_source(struct sluice_engine *engine, struct sluice_source *args)
{
	struct sluice_event_log *log = engine->sdev->events;
	bool found;

	spin_lock_irq(&log->lock);
	found = engine->has_source;
	if (found)
		*args = engine->source;
	spin_unlock_irq(&log->lock);
	return found ? 0 : -EOPNOTSUPP;
}

/**
 * sluice_events_open - all events from now on are new to a client
 * @client: the client, whose file is being opened
 *
 * Until its first read() or poll(), the client adds nothing to the cost of an event.
 *
 * Context: process context.
 */
void sluice_events_open(struct sluice_client *client)
{
	struct sluice_event_log *log = client->sdev->events;

	spin_lock_irq(&log->lock);
	client->heard = log->sequence;
	spin_unlock_irq(&log->lock);
}

/*
 * Add a client to those that the work item wakes.  The caller must do this before it looks for new
 * records.  If it does not find an event, the event is raised after that look.  The event then
 * queues the work item, which finds the client in the list.
 */
static void sluice_events_listen(struct sluice_client *client)
{
	struct sluice_event_log *log = client->sdev->events;

	/* pairs with the store below: if this is true, the client is in the list already */
	if (smp_load_acquire(&client->listens))
		return;
	mutex_lock(&log->clients_lock);
	if (list_empty(&client->listening))
		list_add(&client->listening, &log->clients);
	/* pairs with the load above: the client joins the list before this is true */
	smp_store_release(&client->listens, true);
	mutex_unlock(&log->clients_lock);
}

/**
 * sluice_events_leave - remove a client from those that events wake
 * @client: the client, whose file is being closed; also of a dma-heap node
 *
 * Context: process context, may sleep.
 */
void sluice_events_leave(struct sluice_client *client)
{
	struct sluice_event_log *log = client->sdev->events;

	if (!client->listens)
		return;
	mutex_lock(&log->clients_lock);
	if (log->walk == &client->listening)
		log->walk = client->listening.next;
	list_del_init(&client->listening);
	mutex_unlock(&log->clients_lock);
}

/*
 * Is a record new to a client?  The newest record has the last sequence number, because records are
 * replaced only by newer ones.
 */
static bool sluice_events_new(struct sluice_client *client)
{
	struct sluice_event_log *log = client->sdev->events;
	bool found;

	spin_lock_irq(&log->lock);
	found = client->heard < log->sequence;
	spin_unlock_irq(&log->lock);
	return found;
}

/* The oldest record that is new to a client.  It stays new until sluice_events_skip(). */
static bool sluice_events_peek(struct sluice_client *client, struct sluice_event *event)
{
	struct sluice_event_log *log = client->sdev->events;
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
	struct sluice_event_log *log = client->sdev->events;

	spin_lock_irq(&log->lock);
	client->heard = event->sequence;
	spin_unlock_irq(&log->lock);
}

/* Copy the records that are new, without waiting for more.  client->read_lock is held. */
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
 * @file: file of a client
 * @ubuf: memory of the caller
 * @count: bytes of that memory
 * @pos: not used
 *
 * Context: process context, may sleep and fault on user memory.
 * Return: bytes of whole records, or an errno of struct sluice_event's list.
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
		/* before the records, so that events from before the removal are returned first */
		gone = READ_ONCE(sdev->gone);
		if (mutex_lock_interruptible(&client->read_lock))
			return -ERESTARTSYS;
		done = sluice_events_read_some(client, ubuf, count);
		mutex_unlock(&client->read_lock);
		if (done)
			return done;
		if (gone)
			return -ENODEV;
		/* fcntl() may change the flags now: the old value and the new one are both right */
		if (data_race(READ_ONCE(file->f_flags)) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(client->event_wait, sluice_events_new(client) ||
								 READ_ONCE(sdev->gone)))
			return -ERESTARTSYS;
	}
}

/**
 * sluice_events_poll - poll() of a node
 * @file: file of a client
 * @table: table of poll()
 *
 * Context: process context, may sleep.
 * Return: EPOLLIN, EPOLLRDNORM and EPOLLPRI if an event can be read; EPOLLHUP if the device is
 * removed.
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
