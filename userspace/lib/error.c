// SPDX-License-Identifier: MIT
/* The text of the last error of each thread. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/dma-buf.h>
#include <linux/sync_file.h>

#include "internal.h"

static _Thread_local struct {
	int error;
	char text[320];
} last;

int sluice_fail(int error, const char *format, ...)
{
	int saved = errno;
	va_list args;

	va_start(args, format);
	vsnprintf(last.text, sizeof(last.text), format, args);
	va_end(args);
	last.error = error;
	errno = saved;
	return error;
}

const char *sluice_error_text(int error)
{
	int saved = errno;

	if (!last.error || error != last.error)
		sluice_fail(error, "%s", error < 0 ? strerror(-error) : "no error");
	errno = saved;
	return last.text;
}

/* The meaning of an errno of an ioctl.  ANY is for the ioctls that have no row of their own. */
#define ANY 0

static const struct {
	unsigned long request;
	int error;
	const char *text;
} reasons[] = {
	{ SLUICE_IOCTL_INFO, -ENOTTY, "the fd is not that of a Sluice device" },
	{ SLUICE_IOCTL_HEAP_INFO, -EINVAL, "the device has no such heap" },
	{ SLUICE_IOCTL_ENGINE_INFO, -EINVAL, "the device has no such engine" },
	{ SLUICE_IOCTL_CREATE_QUEUE, -EBUSY, "the engine has a queue; one of the two is EXCLUSIVE" },
	{ SLUICE_IOCTL_CREATE_QUEUE, -ENOSPC, "this open file has 1024 queues: close one" },
	{ SLUICE_IOCTL_CREATE_QUEUE, -EDQUOT, "the completion ring would exceed a limit" },
	{ SLUICE_IOCTL_CREATE_QUEUE, -EIO, "too many jobs of this open file hung on the engine" },
	{ SLUICE_IOCTL_CREATE_QUEUE, -EINVAL, "the engine, depth, timeout or a flag is not valid" },
	{ SLUICE_IOCTL_ATTACH, -EINVAL, "the fd is not a dma-buf" },
	{ SLUICE_IOCTL_ATTACH, -EACCES, "the dma-buf is read-only: attach it for reading alone" },
	{ SLUICE_IOCTL_ATTACH, -EADDRNOTAVAIL, "the device cannot address the memory" },
	{ SLUICE_IOCTL_ATTACH, -EOPNOTSUPP, "this device cannot use the memory of the dma-buf" },
	{ SLUICE_IOCTL_ATTACH, -EPERM, "the exporter does not let its memory be pinned" },
	{ SLUICE_IOCTL_ATTACH, -EDQUOT, "the dma-buf would exceed the limit of the open file" },
	{ SLUICE_IOCTL_ATTACH, -ENOSPC, "the queue has 1024 slots: detach one" },
	{ SLUICE_IOCTL_DETACH, -ENOENT, "the queue has no such slot" },
	{ SLUICE_IOCTL_SUBMIT, -EBUSY, "the queue is full: take completions" },
	{ SLUICE_IOCTL_SUBMIT, -EINVAL, "an op, a fence or a point is not valid" },
	{ SLUICE_IOCTL_SUBMIT, -ENOENT, "an op names a slot that the queue does not have" },
	{ SLUICE_IOCTL_SUBMIT, -ERANGE, "an op ends beyond the end of its buffer" },
	{ SLUICE_IOCTL_SUBMIT, -EACCES,
	  "a slot is for the other direction, or a register is not allowed" },
	{ SLUICE_IOCTL_SUBMIT, -EFBIG, "a range has more segments than the engine can use" },
	{ SLUICE_IOCTL_SUBMIT, -E2BIG, "too many ops, fences or points for one job" },
	{ SLUICE_IOCTL_SUBMIT, -EBADF, "the queue or a fence is not an open fd" },
	{ SLUICE_IOCTL_SUBMIT, -EOPNOTSUPP,
	  "the engine has no such op or format, or no sync_file" },
	{ SLUICE_IOCTL_SUBMIT, -EIO, "the queue is dead: too many of its jobs hung" },
	{ SLUICE_IOCTL_SUBMIT_MANY, -EBUSY, "the queue has no room for all jobs" },
	{ SLUICE_IOCTL_WAIT, -EINVAL, "the point is 0, or is not submitted yet" },
	{ SLUICE_IOCTL_WAIT, -ETIME, "the job has not ended in time" },
	{ SLUICE_IOCTL_CANCEL, -EINVAL, "the first point is 0, or is after the last one" },
	{ DMA_BUF_IOCTL_SYNC, -ENOTTY, "the fd is not a dma-buf" },
	{ DMA_BUF_IOCTL_EXPORT_SYNC_FILE, -ENOTTY,
	  "the fd is not a dma-buf, or there is no sync_file" },
	{ DMA_BUF_IOCTL_IMPORT_SYNC_FILE, -ENOTTY,
	  "the fd is not a dma-buf, or there is no sync_file" },
	{ SYNC_IOC_FILE_INFO, -ENOTTY, "the fd is not a sync_file" },
	{ SYNC_IOC_MERGE, -ENOTTY, "the first fence is not a sync_file" },
	{ SYNC_IOC_MERGE, -ENOENT, "the second fence is not a sync_file" },
	{ ANY, -ENOTTY, "the fd is of another kind, or the module is older than this function" },
	{ ANY, -ENODEV, "the device is removed" },
	{ ANY, -EMFILE, "the process has no free fd" },
	{ ANY, -EBADF, "the fd is not open" },
};

int sluice_lib_call_error(unsigned long request, int error)
{
	size_t i;

	/* it has the errors of SUBMIT, but not its sentence for -EBUSY */
	if (request == SLUICE_IOCTL_SUBMIT_MANY && error != -EBUSY)
		request = SLUICE_IOCTL_SUBMIT;
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].error == error &&
		    (reasons[i].request == request || reasons[i].request == ANY))
			return sluice_fail(error, "%s", reasons[i].text);
	return sluice_fail(error, "%s", strerror(-error));
}

/* The text of a hint, with the limit and what is in use. */
static void describe_hint(const struct sluice_info *info, uint32_t hint, uint64_t size, int error)
{
	const unsigned long long bytes = size;

	switch (hint) {
	case SLUICE_HINT_LIMIT:
		if (error == -EDQUOT)
			sluice_fail(error, "%llu more bytes would exceed what this open file of the "
				    "node may have, %llu bytes (open_limit_mb)", bytes,
				    (unsigned long long)info->open_limit);
		else
			sluice_fail(error, "%llu bytes are more than a buffer of this heap can have",
				    bytes);
		break;
	case SLUICE_HINT_USER_LIMIT:
		sluice_fail(error, "%llu more bytes would exceed what all open files of this user may "
			    "have, %llu bytes, of which %llu are in use (user_limit_mb)", bytes,
			    (unsigned long long)info->user_limit,
			    (unsigned long long)info->user_bytes);
		break;
	case SLUICE_HINT_TOTAL_LIMIT:
		sluice_fail(error, "%llu more bytes would exceed what all open files of all users may "
			    "have, %llu bytes, of which %llu are in use (total_limit_mb)", bytes,
			    (unsigned long long)info->total_limit,
			    (unsigned long long)info->total_bytes);
		break;
	case SLUICE_HINT_FRAGMENTED:
		sluice_fail(error, "memory is free, but no piece of it has %llu bytes", bytes);
		break;
	case SLUICE_HINT_NO_CMA:
		sluice_fail(error, "no piece of memory has %llu bytes, and the kernel reserves none for "
			    "large buffers (cma=)", bytes);
		break;
	case SLUICE_HINT_DMA_MASK:
		sluice_fail(error, "the device, with its %u address bits, cannot reach the memory",
			    info->dma_bits);
		break;
	case SLUICE_HINT_BOUNCED:
		sluice_fail(error, "the kernel would bounce the DMA of this device: use the heap "
			    "'contiguous'");
		break;
	}
}

int sluice_lib_memory_error(int device, uint32_t hint, uint64_t size, int error)
{
	struct sluice_info info;

	if (!sluice_device_info(device, &info))
		describe_hint(&info, hint, size, error);
	last.error = error;
	return error;
}

int sluice_lib_status(int status)
{
	switch (status) {
	case 0:
	case 1:
		return status;
	case -ECANCELED:
		return sluice_fail(status, "the job was cancelled, or one of its in-fences ended "
				   "with an error");
	case -ETIME:
		return sluice_fail(status, "the job, or a fence that it waited for, took too long");
	case -ENODEV:
		return sluice_fail(status, "the device is removed, or the memory was taken back");
	case -ENOLINK:
		return sluice_fail(status, "the device detects no signal");
	case -EIO:
		return sluice_fail(status, "the device reported an error, or the queue is dead");
	default:
		return sluice_fail(status, "the job ended with the error: %s", strerror(-status));
	}
}
