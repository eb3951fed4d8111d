/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of a device's events, and the clients that read it: see event.c, which also names the
 * locks.
 */
#ifndef _SLUICE_EVENT_H
#define _SLUICE_EVENT_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <uapi/linux/sluice.h>

struct file;
struct sluice_client;
struct sluice_device;
struct sluice_engine;

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
 * struct sluice_event_log - events of a device: see event.c
 * @lock: spinlock, irq: guards the fields up to @records
 * @closed: new events are ignored
 * @sequence: sequence number of the last event
 * @pushed_out: sequence number of the last event whose record was replaced by an event of
 *	another type or id; 0 for none
 * @order: the records, the oldest first
 * @num_records: entries of @records that are in use
 * @records: memory of the records
 * @clients_lock: mutex: guards @clients and @walk
 * @clients: clients that have called read() or poll()
 * @walk: the client in this list that @wake will wake next, or the head of the list
 * @wake: wakes readers and pollers of all @clients
 */
struct sluice_event_log {
	spinlock_t lock;
	bool closed;
	u64 sequence;
	u64 pushed_out;
	struct list_head order;
	unsigned int num_records;
	struct sluice_event_record records[SLUICE_MAX_EVENTS];
	struct mutex clients_lock;
	struct list_head clients;
	struct list_head *walk;
	struct work_struct wake;
};

void sluice_events_init(struct sluice_device *sdev);
void sluice_events_gone(struct sluice_device *sdev);
void sluice_events_close(struct sluice_device *sdev);
void sluice_events_open(struct sluice_client *client);
void sluice_events_leave(struct sluice_client *client);
ssize_t sluice_events_read(struct file *file, char __user *ubuf, size_t count, loff_t *pos);
__poll_t sluice_events_poll(struct file *file, struct poll_table_struct *table);
int sluice_engine_get_source(struct sluice_engine *engine, struct sluice_source *args);

#endif /* _SLUICE_EVENT_H */
