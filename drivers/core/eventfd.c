// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that count the interrupts of a device.  See eventfd.h.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "client.h"
#include "compat/eventfd.h"
#include "device.h"
#include "eventfd.h"
#include "ioctl.h"
#include "sluice.h"

#define SLUICE_IRQ_EVENTFDS_MAX	256	/* of a device: each interrupt examines all of them */

/**
 * struct sluice_irq_eventfd - an eventfd that counts an interrupt
 * @link: in the list of the device
 * @client: the client that it belongs to; no reference, because the client removes it on close
 * @interrupt: number of the interrupt
 * @eventfd: the eventfd; reference held
 * @awake: it keeps the hardware awake, because hardware that sleeps raises no interrupts
 */
struct sluice_irq_eventfd {
	struct list_head link;
	struct sluice_client *client;
	u32 interrupt;
	struct eventfd_ctx *eventfd;
	bool awake;
};

/**
 * struct sluice_irq_eventfds - the eventfds of a device
 * @num_interrupts: interrupts that eventfds can count; fixed when the node appears
 * @lock: spinlock, irq: guards @list and @count
 * @list: the eventfds
 * @count: length of @list
 */
struct sluice_irq_eventfds {
	unsigned int num_interrupts;
	spinlock_t lock;
	struct list_head list;
	unsigned int count;
};

/**
 * sluice_irq_eventfds_create - prepare a device for eventfds
 * @sdev: the device, which is being registered
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_irq_eventfds_create(struct sluice_device *sdev)
{
	struct sluice_irq_eventfds *eventfds = kzalloc(sizeof(*eventfds), GFP_KERNEL);

	if (!eventfds)
		return -ENOMEM;
	spin_lock_init(&eventfds->lock);
	INIT_LIST_HEAD(&eventfds->list);
	sdev->eventfds = eventfds;
	return 0;
}

/**
 * sluice_irq_eventfds_free - undo sluice_irq_eventfds_create()
 * @sdev: the device, which is being freed, so it has no clients
 *
 * Context: any.
 */
void sluice_irq_eventfds_free(struct sluice_device *sdev)
{
	kfree(sdev->eventfds);
}

/**
 * sluice_device_add_interrupts - let eventfds count interrupts of the device
 * @sdev: the device
 * @count: number of interrupts; userspace numbers them from 0 to @count - 1
 *
 * Context: inside ops->prepare().
 */
void sluice_device_add_interrupts(struct sluice_device *sdev, unsigned int count)
{
	sdev->eventfds->num_interrupts = count;
}
EXPORT_SYMBOL_GPL(sluice_device_add_interrupts);

/**
 * sluice_irq_eventfds_interrupts - the number of interrupts that eventfds can count
 * @sdev: the device, whose node has appeared
 *
 * Context: any.
 * Return: the number; userspace numbers them from 0.
 */
unsigned int sluice_irq_eventfds_interrupts(const struct sluice_device *sdev)
{
	return sdev->eventfds->num_interrupts;
}

/**
 * sluice_device_interrupt - report an interrupt: add 1 to its eventfds
 * @sdev: the device.  Do not call this after sluice_device_unregister() has begun
 * @interrupt: number of the interrupt, below @count of sluice_device_add_interrupts()
 *
 * Context: any; not NMI.
 */
void sluice_device_interrupt(struct sluice_device *sdev, unsigned int interrupt)
{
	struct sluice_irq_eventfds *eventfds = sdev->eventfds;
	struct sluice_irq_eventfd *counter;
	unsigned long flags;

	spin_lock_irqsave(&eventfds->lock, flags);
	list_for_each_entry(counter, &eventfds->list, link)
		if (counter->interrupt == interrupt)
			sluice_compat_eventfd_signal(counter->eventfd);
	spin_unlock_irqrestore(&eventfds->lock, flags);
}
EXPORT_SYMBOL_GPL(sluice_device_interrupt);

/*
 * Let the hardware sleep, as far as an eventfd is concerned.  The caller has entered the device, or
 * holds the lock of the eventfds.  After the removal of the device the function does nothing,
 * because sluice_irq_eventfds_revoke() has cleared @awake.
 */
static void sluice_irq_eventfd_rest(struct sluice_irq_eventfd *counter)
{
	if (counter->awake)
		sluice_device_rest(counter->client->sdev);
	counter->awake = false;
}

static void sluice_irq_eventfd_free(struct sluice_irq_eventfd *counter)
{
	eventfd_ctx_put(counter->eventfd);
	kfree(counter);
}

/*
 * Remove the client's eventfd of an interrupt, if there is one.  Add @counter instead, unless
 * @counter is NULL.  After an error the caller still owns @counter.
 */
static int sluice_irq_eventfd_replace(struct sluice_client *client, u32 interrupt,
				      struct sluice_irq_eventfd *counter)
{
	struct sluice_irq_eventfds *eventfds = client->sdev->eventfds;
	struct sluice_irq_eventfd *old, *found = NULL;
	int ret = 0;

	spin_lock_irq(&eventfds->lock);
	list_for_each_entry(old, &eventfds->list, link)
		if (old->client == client && old->interrupt == interrupt)
			found = old;
	if (found) {
		list_del(&found->link);
		sluice_irq_eventfd_rest(found);
	} else if (counter && eventfds->count == SLUICE_IRQ_EVENTFDS_MAX) {
		ret = -ENOSPC;
	}
	if (counter && !ret)
		list_add_tail(&counter->link, &eventfds->list);
	if (!ret)
		eventfds->count += !!counter - !!found;
	spin_unlock_irq(&eventfds->lock);
	if (found)
		sluice_irq_eventfd_free(found);
	return ret;
}

/* Create an eventfd that does not keep the hardware awake yet.  Returns it, or an ERR_PTR. */
static struct sluice_irq_eventfd *sluice_irq_eventfd_create(struct sluice_client *client,
							    u32 interrupt, int fd)
{
	struct sluice_irq_eventfd *counter = kmalloc(sizeof(*counter), GFP_KERNEL_ACCOUNT);
	struct eventfd_ctx *eventfd;

	if (!counter)
		return ERR_PTR(-ENOMEM);
	eventfd = eventfd_ctx_fdget(fd);
	if (IS_ERR(eventfd)) {
		kfree(counter);
		return ERR_CAST(eventfd);
	}
	counter->client = client;
	counter->interrupt = interrupt;
	counter->eventfd = eventfd;
	counter->awake = false;
	return counter;
}

/* Add an eventfd, which the list owns after success.  The device is entered. */
static int sluice_irq_eventfd_add(struct sluice_client *client, struct sluice_irq_eventfd *counter)
{
	int ret = sluice_device_wake(client->sdev);

	if (ret)
		return ret;
	counter->awake = true;
	ret = sluice_irq_eventfd_replace(client, counter->interrupt, counter);
	if (ret)
		sluice_irq_eventfd_rest(counter);
	return ret;
}

/**
 * sluice_irq_eventfd_set - handler of SLUICE_IOCTL_EVENTFD
 * @call: call on a client's file
 *
 * Context: process context, may sleep.
 * Return: 0, or an errno of struct sluice_eventfd's list.
 */
int sluice_irq_eventfd_set(struct sluice_call *call)
{
	struct sluice_client *client = call->file->private_data;
	struct sluice_eventfd *args = call->data;
	struct sluice_irq_eventfd *counter = NULL;
	int ret = -ENODEV;

	if (args->interrupt >= client->sdev->eventfds->num_interrupts || args->flags ||
	    args->reserved || args->fd < -1)
		return -EINVAL;
	if (args->fd >= 0) {
		counter = sluice_irq_eventfd_create(client, args->interrupt, args->fd);
		if (IS_ERR(counter))
			return PTR_ERR(counter);
	}
	/* entered: the revocation then waits for this call, and finds the new eventfd */
	if (!sluice_device_enter(client->sdev))
		goto out;
	ret = counter ? sluice_irq_eventfd_add(client, counter) :
			sluice_irq_eventfd_replace(client, args->interrupt, NULL);
	sluice_device_exit(client->sdev);
out:
	if (ret && counter)
		sluice_irq_eventfd_free(counter);
	return ret;
}

/**
 * sluice_irq_eventfds_revoke - signal each eventfd a last time, because the device is removed
 * @sdev: the device, whose @users is 0
 *
 * Lets the hardware sleep.  The eventfds stay in the list until their clients are closed.
 *
 * Context: process context.
 */
void sluice_irq_eventfds_revoke(struct sluice_device *sdev)
{
	struct sluice_irq_eventfds *eventfds = sdev->eventfds;
	struct sluice_irq_eventfd *counter;

	spin_lock_irq(&eventfds->lock);
	list_for_each_entry(counter, &eventfds->list, link) {
		sluice_compat_eventfd_signal(counter->eventfd);
		sluice_irq_eventfd_rest(counter);
	}
	spin_unlock_irq(&eventfds->lock);
}

/**
 * sluice_irq_eventfds_close - remove the eventfds of a client
 * @client: the client, whose file is being closed
 *
 * Context: process context, may sleep.
 */
void sluice_irq_eventfds_close(struct sluice_client *client)
{
	struct sluice_irq_eventfds *eventfds = client->sdev->eventfds;
	struct sluice_irq_eventfd *counter, *next;
	LIST_HEAD(mine);

	spin_lock_irq(&eventfds->lock);
	list_for_each_entry_safe(counter, next, &eventfds->list, link)
		if (counter->client == client) {
			list_move(&counter->link, &mine);
			sluice_irq_eventfd_rest(counter);
			eventfds->count--;
		}
	spin_unlock_irq(&eventfds->lock);
	list_for_each_entry_safe(counter, next, &mine, link)
		sluice_irq_eventfd_free(counter);
}
