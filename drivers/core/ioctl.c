// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dispatch of ioctls whose structs grow.
 *
 * One place copies structs in and out, so that every ioctl treats shorter and
 * longer structs alike, and that an fd is installed only when the caller has
 * its number: until then nothing is published, and a fault undoes everything.
 */
#include <linux/file.h>
#include <linux/ioctl.h>
#include <linux/uaccess.h>

#include "core.h"

/* The largest struct: kept on the stack. */
union sluice_any_args {
	struct sluice_info info;
	struct sluice_heap_info heap_info;
	struct sluice_alloc alloc;
	struct sluice_buffer_info buffer_info;
	struct sluice_sync sync;
	struct sluice_eventfd eventfd;
	struct sluice_create_queue create_queue;
	struct sluice_wrap wrap;
	struct sluice_attach attach;
	struct sluice_detach detach;
	struct sluice_submit submit;
	struct sluice_export_fence fence;
	struct sluice_wait wait;
	struct sluice_cancel cancel;
	struct sluice_ack ack;
	struct sluice_queue_info queue_info;
	struct sluice_engine_info engine_info;
	struct sluice_enum_formats enum_formats;
	struct sluice_enum_sizes enum_sizes;
	struct sluice_enum_intervals enum_intervals;
	struct sluice_source source;
	struct sluice_enum_controls enum_controls;
	struct sluice_enum_menu enum_menu;
	struct sluice_control control;
};

/**
 * sluice_call_copy_out - write the struct back to the caller now
 * @call: the call
 *
 * For a handler that must know that the caller has the results before it does
 * what cannot be undone.  Return: 0 or -EFAULT.
 */
int sluice_call_copy_out(struct sluice_call *call)
{
	if (copy_to_user(call->uarg, call->data, call->size))
		return -EFAULT;
	call->copied = true;
	return 0;
}

/**
 * sluice_call_reserve_fd - reserve the number of the fd that a call returns
 * @call: the call; its @install is to be set if the call succeeds
 * @fd_flags: SLUICE_FD_*
 *
 * Return: the number, or a negative errno.  Released by the dispatcher if the
 * call fails.
 */
int sluice_call_reserve_fd(struct sluice_call *call, u32 fd_flags)
{
	call->fd = get_unused_fd_flags(fd_flags & SLUICE_FD_INHERIT ? 0 : O_CLOEXEC);
	return call->fd;
}

/**
 * sluice_call_end - install the call's fd, or undo what was done for it
 * @call: the call
 * @ret: how it went; 0 only when the caller has the results
 *
 * Return: @ret.
 */
int sluice_call_end(struct sluice_call *call, int ret)
{
	if (ret) {
		if (call->install)
			fput(call->install);
		if (call->fd >= 0)
			put_unused_fd(call->fd);
	} else if (call->install) {
		fd_install(call->fd, call->install);
	}
	return ret;
}

/**
 * sluice_ioctl_dispatch - serve an ioctl
 * @file: what it was called on
 * @cmd: command word; number and size count
 * @arg: address of the caller's struct
 * @table: what this kind of file knows
 * @count: its length
 *
 * Return: 0, -ENOTTY for a number that is not in @table, -EINVAL for a struct
 * shorter than in the UAPI version that brought it, -E2BIG for a longer one with
 * a tail that is not zero, -EFAULT, or what the handler says.
 */
long sluice_ioctl_dispatch(struct file *file, unsigned int cmd, unsigned long arg,
			   const struct sluice_ioctl *table, unsigned int count)
{
	const struct sluice_ioctl *entry = NULL;
	size_t usize = _IOC_SIZE(cmd), ksize;
	union sluice_any_args args;	/* as much of it as the ioctl has */
	struct sluice_call call = {
		.file = file,
		.data = &args,
		.uarg = (void __user *)arg,
		.fd = -1,
	};
	unsigned int i;
	int ret;

	if (_IOC_TYPE(cmd) != SLUICE_IOCTL_BASE)
		return -ENOTTY;
	for (i = 0; i < count; i++)
		if (_IOC_NR(table[i].cmd) == _IOC_NR(cmd))
			entry = &table[i];
	if (!entry)
		return -ENOTTY;
	if (usize < entry->min_size)
		return -EINVAL;

	ksize = _IOC_SIZE(entry->cmd);
	BUILD_BUG_ON(sizeof(args) > 256);
	if (WARN_ON_ONCE(ksize > sizeof(args)))
		return -ENOTTY;
	ret = copy_struct_from_user(&args, ksize, call.uarg, usize);
	if (ret)
		return ret;
	call.size = min(usize, ksize);

	call.copied = !(_IOC_DIR(entry->cmd) & _IOC_READ);
	ret = entry->fn(&call);
	if (ret == 0 || entry->flags & SLUICE_IOCTL_OUT_ON_ERROR) {
		if (!call.copied && sluice_call_copy_out(&call))
			ret = -EFAULT;
	}
	return sluice_call_end(&call, ret);
}
