/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clients: open files of a node or of a dma-heap node.
 *
 * A client holds references on the device and on the driver's module, and has the account of its
 * buffers.  There is no lock of its own: struct sluice_client says which lock of another file
 * guards which field.  node.c and heapnode.c open and close clients.  Buffers and queues hold
 * references.
 */
#ifndef _SLUICE_CLIENT_H
#define _SLUICE_CLIENT_H

#include <linux/kref.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "account.h"
#include "event.h"

struct file;
struct inode;
struct seq_file;
struct sluice_call;
struct sluice_device;
struct sluice_heap;
struct sluice_registers_client;

/**
 * struct sluice_client - an open file of a node or of a dma-heap node, and its account
 * @ref: held by the file, by its queues, and by each buffer charged to it
 * @sdev: the device; reference held.  The file also holds one on the driver's module
 * @heap: heap of a dma-heap node, else NULL; used only while the file is open
 * @account: its account
 * @queues: number of its queues that have not been freed
 * @pid: the process that opened the file, for debugfs
 * @comm: name of that process
 * @registers: registers.c's part, or NULL as long as the file has not mapped registers
 * @reader: reads the events of the device
 * @hangs: for each engine: jobs of its queues that ran into their timeout, since the last of its
 *	jobs that succeeded; written by the context that owns the ending job
 */
struct sluice_client {
	struct kref ref;
	struct sluice_device *sdev;
	const struct sluice_heap *heap;
	struct sluice_account account;
	atomic_t queues;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct sluice_registers_client *registers;
	struct sluice_event_reader reader;
	unsigned int hangs[];
};

/* The number of hung jobs of a client on an engine; see @hangs. */
static inline unsigned int *sluice_client_hangs(struct sluice_client *client, unsigned int engine)
{
	return &client->hangs[engine];
}

void sluice_client_put(struct sluice_client *client);
int sluice_client_open(struct sluice_device *sdev, const struct sluice_heap *heap,
		       struct inode *inode, struct file *file);
int sluice_client_close(struct inode *inode, struct file *file);
void sluice_client_show_fdinfo(struct seq_file *m, struct file *file);
struct sluice_device *sluice_client_device(const struct sluice_call *call);

#endif /* _SLUICE_CLIENT_H */
