/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: commands of io_uring.
 */
#ifndef _SLUICE_COMPAT_URING_H
#define _SLUICE_COMPAT_URING_H

#ifdef SLUICE_HAVE_URING_CMD_H
#include <linux/io_uring/cmd.h>
#else
#include <linux/io_uring.h>
#endif
#include <uapi/linux/sluice.h>

#ifdef CONFIG_IO_URING

/* 6.1 */
#ifndef IORING_URING_CMD_MASK
#define IORING_URING_CMD_MASK	IORING_URING_CMD_FIXED
#endif

/* The command's bytes in the SQE.  Userspace may change them, so read each field once. */
static inline const struct sluice_uring_submit *sluice_compat_uring_bytes(struct io_uring_cmd *cmd)
{
#if defined(SLUICE_HAVE_URING_SQE_TYPE)
	return io_uring_sqe_cmd(cmd->sqe, struct sluice_uring_submit);
#elif defined(SLUICE_HAVE_URING_CMD_H)
	return io_uring_sqe_cmd(cmd->sqe);
#else
	return cmd->cmd;
#endif
}

static inline void sluice_compat_uring_done(struct io_uring_cmd *cmd, s32 result,
					    unsigned int issue_flags)
{
#ifdef SLUICE_HAVE_URING_DONE32
	io_uring_cmd_done(cmd, result, issue_flags);
#else
	io_uring_cmd_done(cmd, result, 0, issue_flags);
#endif
}

/* 6.1: io_uring cancels no command, and a command cannot be marked as cancellable */
#ifdef SLUICE_HAVE_URING_CANCEL
#define SLUICE_COMPAT_URING_CANCEL	IO_URING_F_CANCEL

static inline void sluice_compat_uring_cancelable(struct io_uring_cmd *cmd,
						  unsigned int issue_flags)
{
	io_uring_cmd_mark_cancelable(cmd, issue_flags);
}
#else
#define SLUICE_COMPAT_URING_CANCEL	0

static inline void sluice_compat_uring_cancelable(struct io_uring_cmd *cmd,
						  unsigned int issue_flags)
{
}
#endif

/*
 * SLUICE_COMPAT_URING_TASK(name, fn) defines the function @name for sluice_compat_uring_in_task().
 * It calls fn(cmd, issue_flags) in the task that submitted the command.  If this task has exited,
 * it calls fn in another context.
 */
#ifdef SLUICE_HAVE_URING_TW_REQ
#define SLUICE_COMPAT_URING_TASK(name, fn) \
	static void name(struct io_tw_req req, io_tw_token_t token) \
	{ \
		fn(io_uring_cmd_from_tw(req), IO_URING_CMD_TASK_WORK_ISSUE_FLAGS); \
	}
#else
#define SLUICE_COMPAT_URING_TASK(name, fn) \
	static void name(struct io_uring_cmd *cmd, unsigned int issue_flags) \
	{ \
		fn(cmd, issue_flags); \
	}
#endif

/* 6.1: each command wakes the waiting task, even if the task waits for several commands */
#ifdef SLUICE_HAVE_URING_LAZY
#define sluice_compat_uring_in_task(cmd, name)	io_uring_cmd_do_in_task_lazy(cmd, name)
#else
#define sluice_compat_uring_in_task(cmd, name)	io_uring_cmd_complete_in_task(cmd, name)
#endif

#endif /* CONFIG_IO_URING */

#endif /* _SLUICE_COMPAT_URING_H */
