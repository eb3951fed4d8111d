/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fd of a queue: its file operations and ioctls.
 *
 * The file holds a reference on the queue.  This file has no lock of its own: it uses the locks of
 * struct sluice_queue.  node.c calls this file for CREATE_QUEUE.
 */
#ifndef _SLUICE_QUEUE_FILE_H
#define _SLUICE_QUEUE_FILE_H

struct sluice_call;
struct sluice_create_queue;

int sluice_queue_file_create(struct sluice_call *call, struct sluice_create_queue *args);

#endif /* _SLUICE_QUEUE_FILE_H */
