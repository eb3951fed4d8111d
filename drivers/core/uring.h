/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SUBMIT and SUBMIT_MANY through io_uring: a command on the fd of a queue submits jobs, and
 * completes when the last of them has ended.
 *
 * The jobs are submitted as usual (submit.c): in the task that enters the ring, in the polling
 * thread of the ring, or in a worker.  The last two have the files and the memory of the task that
 * they work for.  The submission may sleep for locks, even with IO_URING_F_NONBLOCK.  If it
 * returned -EAGAIN instead, io_uring would pass the command to a worker, and later commands of the
 * same batch would overtake it: the jobs would not be in order.
 *
 * Lock: queue->lock guards the state of a command.  A command does not hold its jobs, because
 * a job holds the device, and userspace decides when io_uring runs the end of a command.
 *
 * queue_file.c gives the function to the kernel.
 */
#ifndef _SLUICE_URING_H
#define _SLUICE_URING_H

struct io_uring_cmd;

int sluice_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);

#endif /* _SLUICE_URING_H */
