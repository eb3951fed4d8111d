// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dispatch of ioctls.  Their structs may grow with each UAPI version.
 *
 * This file copies the structs from and to userspace, so that every ioctl treats shorter and
 * longer structs in the same way.  It also installs the fd that a call returns, and does so only
 * after the number of the fd was written to the caller.  Until then userspace sees nothing of the
 * call, and a fault undoes the call.
 *
 * See ioctl.h.
 */
#include <linux/fault-inject-usercopy.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ioctl.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include <uapi/linux/sluice.h>

#include "ioctl.h"

/* Room on the stack for the struct of any ioctl. */
union sluice_ioctl_args {
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
	struct sluice_submit_many submit_many;
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

/*
 * Copy the struct of an ioctl from the caller.  The usual length is copied word by word: a copy of
 * bytes, whose number the compiler does not know, and its check by the kernel would cost twice as
 * much as all the rest of the dispatch.
 *
 * Not instrumented, like sluice_call_copy_out(), because the function that counts coverage must not
 * run while user memory is accessible.
 */
static noinline __no_sanitize_coverage int sluice_ioctl_copy_in(void *to, size_t ksize,
								const void __user *from,
								size_t usize)
{
	const unsigned long __user *source = from;
	unsigned long *word = to, *end = to + ksize;

	if (usize != ksize || ksize % sizeof(*word))
		return copy_struct_from_user(to, ksize, from, usize);
	/* copy_from_user() would ask it, too */
	if (should_fail_usercopy())
		return -EFAULT;
	might_fault();
	if (!user_read_access_begin(from, ksize))
		return -EFAULT;
	for (; word < end; word++, source++)
		unsafe_get_user(*word, source, err_end);
	user_read_access_end();
	return 0;

err_end:
	user_read_access_end();
	return -EFAULT;
}

/**
 * sluice_call_copy_out - write the struct back to the caller now
 * @call: the call
 *
 * A handler calls this before a step that cannot be undone, so that no fault can follow it.  The
 * dispatcher then does not write the struct again.
 *
 * Context: process context, may fault on user memory.
 * Return: 0 or -EFAULT.
 */
__no_sanitize_coverage int sluice_call_copy_out(struct sluice_call *call)
{
	const unsigned long *word = call->data, *end = call->data + call->size;
	unsigned long __user *target = call->uarg;

	if (call->size % sizeof(*word)) {
		if (copy_to_user(call->uarg, call->data, call->size))
			return -EFAULT;
		call->copied = true;
		return 0;
	}
	if (should_fail_usercopy())
		return -EFAULT;
	might_fault();
	if (!user_write_access_begin(call->uarg, call->size))
		return -EFAULT;
	for (; word < end; word++, target++)
		unsafe_put_user(*word, target, err_end);
	user_write_access_end();
	call->copied = true;
	return 0;

err_end:
	user_write_access_end();
	return -EFAULT;
}

/**
 * sluice_call_reserve_fd - reserve the number of the fd that a call returns
 * @call: the call.  Before it succeeds, the handler must set @call->install
 * @fd_flags: SLUICE_FD_INHERIT, or 0 for an fd that exec() closes
 *
 * If the call fails, sluice_call_end() releases the number.
 *
 * Context: process context, may sleep.
 * Return: the number, or a negative errno.
 */
int sluice_call_reserve_fd(struct sluice_call *call, u32 fd_flags)
{
	call->fd = get_unused_fd_flags(fd_flags & SLUICE_FD_INHERIT ? 0 : O_CLOEXEC);
	return call->fd;
}

/**
 * sluice_call_end - install the fd of a call, or release the file and the fd number
 * @call: the call
 * @ret: result of the call; 0 only if the caller's struct has been written
 *
 * Context: process context, may sleep.
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

/* Find an ioctl by its number.  Most tables have their numbers in order, without a gap. */
static const struct sluice_ioctl *sluice_ioctl_find(const struct sluice_ioctl *table,
						    unsigned int count, unsigned int number)
{
	unsigned int i = number - _IOC_NR(table[0].cmd);

	if (i < count) {
		i = array_index_nospec(i, count);
		if (_IOC_NR(table[i].cmd) == number)
			return &table[i];
	}
	for (i = 0; i < count; i++)
		if (_IOC_NR(table[i].cmd) == number)
			return &table[i];
	return NULL;
}

/**
 * sluice_ioctl_dispatch - execute an ioctl
 * @file: the file that it was called on
 * @cmd: command word; its type, number and size matter, but its direction does not
 * @arg: address of the caller's struct
 * @table: the ioctls of this kind of file
 * @count: length of @table
 *
 * Context: process context, may sleep and fault on user memory.
 * Return: 0, or a negative errno:
 *
 *	-ENOTTY		the type is not ours, or the number is not in @table
 *	-EINVAL		the struct is shorter than in the UAPI version that introduced it
 *	-E2BIG		the struct is longer than the kernel's, and the tail is not zero
 *	-EFAULT		the struct cannot be read or written
 *	others		from the handler
 */
long sluice_ioctl_dispatch(struct file *file, unsigned int cmd, unsigned long arg,
			   const struct sluice_ioctl *table, unsigned int count)
{
	const struct sluice_ioctl *entry;
	size_t usize = _IOC_SIZE(cmd), ksize;
	union sluice_ioctl_args args;	/* only the first ksize bytes are set */
	struct sluice_call call = {
		.file = file,
		.data = &args,
		.uarg = (void __user *)arg,
		.fd = -1,
	};
	int ret;

	if (_IOC_TYPE(cmd) != SLUICE_IOCTL_BASE)
		return -ENOTTY;
	entry = sluice_ioctl_find(table, count, _IOC_NR(cmd));
	if (!entry)
		return -ENOTTY;
	if (usize < entry->min_size)
		return -EINVAL;

	ksize = _IOC_SIZE(entry->cmd);
	BUILD_BUG_ON(sizeof(args) > 256);
	if (WARN_ON_ONCE(ksize > sizeof(args)))
		return -ENOTTY;
	ret = sluice_ioctl_copy_in(&args, ksize, call.uarg, usize);
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
