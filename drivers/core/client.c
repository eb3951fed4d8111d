// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients: open files of a node or of a dma-heap node.  See client.h.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "client.h"
#include "device.h"
#include "heap.h"
#include "ioctl.h"
#include "object.h"

static void sluice_client_release(struct kref *ref)
{
	struct sluice_client *client = container_of(ref, struct sluice_client, ref);

	sluice_account_close(&client->account);
	put_device(&client->sdev->dev);
	sluice_object_dec(SLUICE_OBJECT_CLIENT);
	kfree(client);
}

/**
 * sluice_client_put - drop a reference on a client
 * @client: the client
 *
 * Context: may sleep.
 */
void sluice_client_put(struct sluice_client *client)
{
	kref_put(&client->ref, sluice_client_release);
}

/**
 * sluice_client_open - create the client of a file that is being opened
 * @sdev: the device; the caller keeps it valid during the call
 * @heap: heap of a dma-heap node, else NULL
 * @inode: inode of @file
 * @file: the file; its private_data becomes the client
 *
 * Context: process context, may sleep.
 * Return: 0, -ENODEV if the device is removed, or -ENOMEM.
 */
int sluice_client_open(struct sluice_device *sdev, const struct sluice_heap *heap,
		       struct inode *inode, struct file *file)
{
	struct sluice_client *client;
	int ret = -ENODEV;

	/* entered, because the driver's module may be unloaded when sdev->users is 0 */
	if (!sluice_device_enter(sdev))
		return ret;
	if (!try_module_get(sdev->owner))
		goto err_exit;
	ret = -ENOMEM;
	client = kzalloc(struct_size(client, hangs, sdev->num_engines), GFP_KERNEL_ACCOUNT);
	if (!client)
		goto err_module;
	ret = sluice_account_open(&client->account);
	if (ret)
		goto err_free;
	kref_init(&client->ref);
	client->sdev = sdev;
	client->heap = heap;
	sluice_event_reader_init(sdev, &client->reader);
	client->pid = task_tgid_nr(current);
	get_task_comm(client->comm, current->group_leader);
	get_device(&sdev->dev);
	sluice_object_inc(SLUICE_OBJECT_CLIENT);
	file->private_data = client;
	sluice_device_exit(sdev);
	return nonseekable_open(inode, file);

err_free:
	kfree(client);
err_module:
	module_put(sdev->owner);
err_exit:
	sluice_device_exit(sdev);
	return ret;
}

/**
 * sluice_client_close - drop the references of a file that is being closed
 * @inode: inode of @file
 * @file: file of a client
 *
 * Buffers and queues of the client may keep it alive.
 *
 * Context: process context, may sleep.
 * Return: 0.
 */
int sluice_client_close(struct inode *inode, struct file *file)
{
	struct sluice_client *client = file->private_data;
	struct module *owner = client->sdev->owner;

	sluice_client_put(client);
	module_put(owner);
	return 0;
}

/**
 * sluice_client_show_fdinfo - show the account of a client in /proc/PID/fdinfo
 * @m: where to print
 * @file: file of a client
 *
 * Context: process context, may sleep.
 */
void sluice_client_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct sluice_client *client = file->private_data;
	struct sluice_account_numbers account = sluice_account_read(&client->account);

	seq_printf(m, "sluice-device:\t%s\n", client->sdev->name);
	if (client->heap)
		seq_printf(m, "sluice-heap:\t%s\n", client->heap->name);
	seq_printf(m, "sluice-buffer-bytes:\t%llu\n", account.open_bytes);
	seq_printf(m, "sluice-buffer-limit:\t%llu\n", account.open_limit);
	seq_printf(m, "sluice-user-bytes:\t%llu\n", account.user_bytes);
	seq_printf(m, "sluice-user-limit:\t%llu\n", account.user_limit);
	seq_printf(m, "sluice-total-bytes:\t%llu\n", account.total_bytes);
	seq_printf(m, "sluice-total-limit:\t%llu\n", account.total_limit);
}

/**
 * sluice_client_device - the device on whose node an ioctl was called
 * @call: call on a client's file
 *
 * Context: any.
 * Return: the device.  The client holds a reference on it.
 */
struct sluice_device *sluice_client_device(const struct sluice_call *call)
{
	struct sluice_client *client = call->file->private_data;

	return client->sdev;
}
