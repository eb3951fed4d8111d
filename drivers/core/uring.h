/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SUBMIT through io_uring: see uring.c.  queue_file.c gives the function to the kernel.
 */
#ifndef _SLUICE_URING_H
#define _SLUICE_URING_H

struct io_uring_cmd;

int sluice_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);

#endif /* _SLUICE_URING_H */
