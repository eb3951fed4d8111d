// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/sluice/<device>: the file operations and the ioctls of the node.  See node.h.
 */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "account.h"
#include "buffer.h"
#include "buffer_info.h"
#include "client.h"
#include "control.h"
#include "device.h"
#include "engine.h"
#include "event.h"
#include "eventfd.h"
#include "export.h"
#include "format.h"
#include "heap.h"
#include "heap_contiguous.h"
#include "ioctl.h"
#include "node.h"
#include "pages.h"
#include "queue.h"
#include "queue_file.h"
#include "registers.h"
#include "slot.h"
#include "sluice.h"
#include "source.h"
#include "wrap.h"

#define SLUICE_NODE_MEM_ALL	(SLUICE_MEM_MAPPINGS | SLUICE_MEM_CONTIGUOUS | \
				 SLUICE_MEM_PAGE_BACKED | SLUICE_MEM_DEVICE | SLUICE_MEM_HUGE | \
				 SLUICE_MEM_RESERVED)

/* Properties of a new buffer: the flags of ALLOC, and the properties that the heap always gives. */
static u32 sluice_node_mem_granted(const struct sluice_device *sdev,
				   const struct sluice_heap *heap, u32 flags)
{
	u32 granted = sluice_heap_properties(sdev, heap);

	if (flags & SLUICE_MEM_MAPPINGS)
		granted &= ~SLUICE_MEM_MAPPINGS;
	return granted | flags;
}

/* Export a new buffer as the dma-buf that the call returns.  @buffer may be an ERR_PTR. */
static int sluice_node_export(struct sluice_call *call, struct sluice_buffer *buffer,
			      u32 fd_flags, int access)
{
	struct dma_buf *dmabuf;

	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	buffer->readonly = fd_flags & SLUICE_FD_RDONLY;
	dmabuf = sluice_dmabuf_create(buffer, access);
	if (IS_ERR(dmabuf)) {
		sluice_buffer_destroy(buffer);
		return PTR_ERR(dmabuf);
	}
	call->install = dmabuf->file;
	return 0;
}

/**
 * sluice_node_alloc_buffer - allocate a buffer and prepare the fd of its dma-buf
 * @call: call on a client's file; its @fd and @install are set
 * @heap: heap that the memory comes from
 * @args: in: size, flags and fd_flags, which the caller has checked.  Out: fd, size, granted
 *	and hint
 * @access: access mode of the dma-buf: O_RDONLY, O_WRONLY or O_RDWR
 *
 * After an error, sluice_call_end() undoes what was already done.
 *
 * Context: process context, may sleep.
 * Return: 0, or an errno of struct sluice_alloc's list.
 */
int sluice_node_alloc_buffer(struct sluice_call *call, const struct sluice_heap *heap,
			     struct sluice_alloc *args, int access)
{
	struct sluice_client *client = call->file->private_data;
	struct sluice_device *sdev = client->sdev;
	struct sluice_buffer *buffer;
	u64 whole = args->flags & SLUICE_MEM_HUGE ? SLUICE_PAGES_HUGE_SIZE : PAGE_SIZE;
	int ret;

	if (args->size > sluice_heap_max_size(sdev, heap)) {
		args->hint = sluice_heap_why(sdev, heap, args->size);
		return args->hint == SLUICE_HINT_BOUNCED ? -EADDRNOTAVAIL : -EFBIG;
	}
	if (!sluice_device_enter(sdev))
		return -ENODEV;

	ret = sluice_call_reserve_fd(call, args->fd_flags);
	if (ret < 0)
		goto out;
	buffer = sluice_buffer_create(client, heap, round_up(args->size, whole),
				      sluice_node_mem_granted(sdev, heap, args->flags),
				      &args->hint);
	ret = sluice_node_export(call, buffer, args->fd_flags, access);
	if (ret)
		goto out;
	args->fd = call->fd;
	args->size = buffer->size;
	args->granted = buffer->properties;
out:
	sluice_device_exit(sdev);
	return ret;
}

static int sluice_node_open(struct inode *inode, struct file *file)
{
	/* the device is valid: the kernel holds a reference on its cdev */
	return sluice_client_open(container_of(inode->i_cdev, struct sluice_device, cdev), NULL,
				  inode, file);
}

static int sluice_node_release(struct inode *inode, struct file *file)
{
	struct sluice_client *client = file->private_data;

	sluice_irq_eventfds_close(client);
	sluice_registers_close(client);
	sluice_event_leave(client->sdev, &client->reader);
	return sluice_client_close(inode, file);
}

/* Copy the events that are new, without waiting for more.  The lock of the reader is held. */
static ssize_t sluice_node_read_some(struct sluice_client *client, char __user *ubuf, size_t count)
{
	struct sluice_event event;
	ssize_t done = 0;

	while (count - done >= sizeof(event) &&
	       sluice_event_peek(client->sdev, &client->reader, &event)) {
		if (copy_to_user(ubuf + done, &event, sizeof(event)))
			return done ?: -EFAULT;
		sluice_event_skip(client->sdev, &client->reader, &event);
		done += sizeof(event);
	}
	return done;
}

/* Bytes of whole records, or an errno of struct sluice_event's list. */
static ssize_t sluice_node_read(struct file *file, char __user *ubuf, size_t count, loff_t *pos)
{
	struct sluice_client *client = file->private_data;
	struct sluice_event_reader *reader = &client->reader;
	struct sluice_device *sdev = client->sdev;
	ssize_t done;
	bool gone;

	if (count < sizeof(struct sluice_event))
		return -EINVAL;
	sluice_event_listen(sdev, reader);
	for (;;) {
		/* before the records, so that events from before the removal are returned first */
		gone = READ_ONCE(sdev->gone);
		if (mutex_lock_interruptible(&reader->lock))
			return -ERESTARTSYS;
		done = sluice_node_read_some(client, ubuf, count);
		mutex_unlock(&reader->lock);
		if (done)
			return done;
		if (gone)
			return -ENODEV;
		/* fcntl() may change the flags now: the old value and the new one are both right */
		if (data_race(READ_ONCE(file->f_flags)) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(reader->wait,
					     sluice_event_pending(sdev, reader) ||
					     READ_ONCE(sdev->gone)))
			return -ERESTARTSYS;
	}
}

static __poll_t sluice_node_poll(struct file *file, poll_table *table)
{
	struct sluice_client *client = file->private_data;
	__poll_t events = 0;

	sluice_event_listen(client->sdev, &client->reader);
	poll_wait(file, &client->reader.wait, table);
	if (sluice_event_pending(client->sdev, &client->reader))
		events |= EPOLLIN | EPOLLRDNORM | EPOLLPRI;
	if (READ_ONCE(client->sdev->gone))
		events |= EPOLLHUP;
	return events;
}

/* The kinds of op that at least one engine can execute. */
static u64 sluice_node_op_kinds(const struct sluice_device *sdev)
{
	u64 kinds = 0;
	unsigned int i;

	for (i = 0; i < sdev->num_engines; i++)
		kinds |= sdev->engines[i].caps.op_kinds;
	return kinds;
}

static int sluice_node_info(struct sluice_call *call)
{
	struct sluice_device *sdev = sluice_client_device(call);
	struct sluice_client *client = call->file->private_data;
	struct sluice_info *info = call->data;
	struct sluice_account_numbers account;

	if (info->flags)
		return -EINVAL;
	if (READ_ONCE(sdev->gone))
		return -ENODEV;
	account = sluice_account_read(&client->account);

	*info = (struct sluice_info) {
		.uapi_version = SLUICE_UAPI_VERSION,
		.op_kinds = sluice_node_op_kinds(sdev),
		.caps = (IS_ENABLED(CONFIG_SYNC_FILE) ? SLUICE_CAP_SYNC_FILE : 0) |
			(IS_ENABLED(CONFIG_IO_URING) ? SLUICE_CAP_URING : 0) |
			SLUICE_CAP_CHAIN_ERRORS | SLUICE_CAP_COMPLETION_SIZE |
			SLUICE_CAP_FORMATS | SLUICE_CAP_CYCLIC | SLUICE_CAP_CONTROLS |
			SLUICE_CAP_PRIVATE | SLUICE_CAP_IN_POINTS | SLUICE_CAP_SUBMIT_MANY |
			SLUICE_CAP_RING |
			(sluice_contiguous_has_cma(sdev) ? SLUICE_CAP_CMA : 0) |
			(sdev->bounced ? SLUICE_CAP_BOUNCED : 0),
		.num_heaps = sdev->num_heaps,
		.num_engines = sdev->num_engines,
		.max_ops = SLUICE_MAX_OPS,
		.max_in_fences = SLUICE_MAX_IN_FENCES,
		.max_slots = SLUICE_MAX_SLOTS,
		.max_depth = SLUICE_MAX_DEPTH,
		.default_timeout_ms = SLUICE_QUEUE_TIMEOUT_MS,
		.max_timeout_ms = SLUICE_MAX_TIMEOUT_MS,
		.op_align = sdev->op_align,
		.dma_bits = fls64(sdev->dma_mask),
		.open_limit = account.open_limit,
		.num_interrupts = sluice_irq_eventfds_interrupts(sdev),
		.max_queues = SLUICE_MAX_QUEUES,
		.user_limit = account.user_limit,
		.user_bytes = account.user_bytes,
		.total_limit = account.total_limit,
		.total_bytes = account.total_bytes,
	};
	strscpy(info->name, sdev->name, sizeof(info->name));
	strscpy(info->driver, sdev->driver, sizeof(info->driver));
	return 0;
}

/* The engine with the number that a caller passes, or an ERR_PTR. */
static struct sluice_engine *sluice_node_engine(struct sluice_call *call, u32 index, u32 flags)
{
	struct sluice_device *sdev = sluice_client_device(call);

	if (flags || index >= sdev->num_engines)
		return ERR_PTR(-EINVAL);
	if (READ_ONCE(sdev->gone))
		return ERR_PTR(-ENODEV);
	return &sdev->engines[array_index_nospec(index, sdev->num_engines)];
}

/* The kinds of op that may write memory, and those that may read it. */
#define SLUICE_NODE_KINDS_WRITE	(BIT_ULL(SLUICE_OP_COPY) | BIT_ULL(SLUICE_OP_FILL) | \
					 BIT_ULL(SLUICE_OP_CAPTURE) | BIT_ULL(SLUICE_OP_PROGRAM) | \
					 BIT_ULL(SLUICE_OP_PRIVATE))
#define SLUICE_NODE_KINDS_READ	(BIT_ULL(SLUICE_OP_COPY) | BIT_ULL(SLUICE_OP_PLAYBACK) | \
					 BIT_ULL(SLUICE_OP_PROGRAM) | BIT_ULL(SLUICE_OP_PRIVATE))

static int sluice_node_engine_info(struct sluice_call *call)
{
	struct sluice_engine_info *info = call->data;
	const struct sluice_engine *engine = sluice_node_engine(call, info->index, info->flags);
	const struct sluice_engine_caps *caps;

	if (IS_ERR(engine))
		return PTR_ERR(engine);
	caps = &engine->caps;
	*info = (struct sluice_engine_info) {
		.index = engine->index,
		.op_kinds = caps->op_kinds,
		.properties = (caps->flags & SLUICE_ENGINE_ORDERED ? SLUICE_ENGINE_IS_ORDERED : 0) |
			(caps->flags & SLUICE_ENGINE_CPU ? SLUICE_ENGINE_IS_SOFTWARE : 0) |
			(caps->op_kinds & SLUICE_NODE_KINDS_WRITE ? SLUICE_ENGINE_WRITES : 0) |
			(caps->op_kinds & SLUICE_NODE_KINDS_READ ? SLUICE_ENGINE_READS : 0),
		.depth = caps->depth,
		.op_align = caps->op_align,
		.stride_align = caps->stride_align ?: 1,
		.num_formats = caps->num_formats,
		.max_segments = caps->max_segments,
		.min_length = caps->min_length,
		.max_length = caps->max_length,
	};
	return 0;
}

static int sluice_node_enum_formats(struct sluice_call *call)
{
	struct sluice_enum_formats *args = call->data;
	const struct sluice_engine *engine = sluice_node_engine(call, args->engine, args->flags);

	args->reserved = 0;
	return IS_ERR(engine) ? PTR_ERR(engine) : sluice_format_enum(&engine->caps, args);
}

static int sluice_node_enum_sizes(struct sluice_call *call)
{
	struct sluice_enum_sizes *args = call->data;
	const struct sluice_engine *engine = sluice_node_engine(call, args->engine, args->flags);

	args->reserved = 0;
	return IS_ERR(engine) ? PTR_ERR(engine) : sluice_format_enum_sizes(&engine->caps, args);
}

static int sluice_node_enum_intervals(struct sluice_call *call)
{
	struct sluice_enum_intervals *args = call->data;
	const struct sluice_engine *engine = sluice_node_engine(call, args->engine, args->flags);

	return IS_ERR(engine) ? PTR_ERR(engine) : sluice_format_enum_intervals(&engine->caps, args);
}

static int sluice_node_source(struct sluice_call *call)
{
	struct sluice_source *args = call->data;
	struct sluice_engine *engine = sluice_node_engine(call, args->engine, args->flags);

	return IS_ERR(engine) ? PTR_ERR(engine) :
				sluice_source_get(engine->sdev, engine->index, args);
}

static int sluice_node_heap_info(struct sluice_call *call)
{
	struct sluice_device *sdev = sluice_client_device(call);
	struct sluice_heap_info *info = call->data;
	const struct sluice_heap *heap = sluice_heap_get(sdev, info->index);

	if (info->flags || !heap)
		return -EINVAL;

	*info = (struct sluice_heap_info) {
		.index = info->index,
		.properties = sluice_heap_properties(sdev, heap),
		.options = heap->options,
		.max_size = sluice_heap_max_size(sdev, heap),
	};
	strscpy(info->name, heap->name, sizeof(info->name));
	return 0;
}

/* Do these flags exclude one another? */
static bool sluice_node_mem_contradicts(u32 flags)
{
	return hweight32(flags & SLUICE_MEM_MAPPINGS) > 1 ||
	       (flags & SLUICE_MEM_PAGE_BACKED &&
		flags & SLUICE_MEM_MAPPINGS & ~SLUICE_MEM_CACHED);
}

static int sluice_node_alloc(struct sluice_call *call)
{
	struct sluice_device *sdev = sluice_client_device(call);
	struct sluice_alloc *args = call->data;
	const struct sluice_heap *heap = sluice_heap_get(sdev, args->heap);

	args->fd = -1;
	args->granted = 0;
	args->hint = SLUICE_HINT_NONE;
	if (!args->size || !heap || args->flags & ~SLUICE_NODE_MEM_ALL ||
	    sluice_node_mem_contradicts(args->flags) ||
	    args->fd_flags & ~(SLUICE_FD_INHERIT | SLUICE_FD_RDONLY))
		return -EINVAL;
	if (args->flags & ~(sluice_heap_properties(sdev, heap) | heap->options))
		return -EOPNOTSUPP;
	return sluice_node_alloc_buffer(call, heap, args,
				   args->fd_flags & SLUICE_FD_RDONLY ? O_RDONLY : O_RDWR);
}

/*
 * WRAP does not enter the device.  It does not use the hardware, and may wait for a task that has
 * the memfd locked; the removal of the device must not wait for that task.
 */
static int sluice_node_wrap(struct sluice_call *call)
{
	struct sluice_client *client = call->file->private_data;
	struct sluice_wrap *args = call->data;
	struct sluice_buffer *buffer;
	struct file *memfd;
	int ret;

	args->fd = -1;
	args->granted = 0;
	args->hint = SLUICE_HINT_NONE;
	if (!args->size || !PAGE_ALIGNED(args->offset | args->size) || args->flags ||
	    args->fd_flags & ~(SLUICE_FD_INHERIT | SLUICE_FD_RDONLY))
		return -EINVAL;
	if (READ_ONCE(client->sdev->gone))
		return -ENODEV;
	memfd = fget(args->memfd);
	if (!memfd)
		return -EBADF;
	ret = sluice_call_reserve_fd(call, args->fd_flags);
	if (ret < 0)
		goto out;
	buffer = sluice_wrap_create(client, memfd, args->offset, args->size, &args->hint);
	ret = sluice_node_export(call, buffer, args->fd_flags,
				 args->fd_flags & SLUICE_FD_RDONLY ? O_RDONLY : O_RDWR);
	if (ret)
		goto out;
	args->fd = call->fd;
	args->granted = buffer->properties;
out:
	fput(memfd);
	return ret;
}

static int sluice_node_buffer_info(struct sluice_call *call)
{
	struct sluice_buffer_info *info = call->data;
	struct dma_buf *dmabuf;
	int ret;

	if (info->flags)
		return -EINVAL;
	dmabuf = dma_buf_get(info->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = sluice_buffer_info(call->file->private_data, dmabuf, info);
	dma_buf_put(dmabuf);
	return ret;
}

/*
 * SYNC works on a buffer of any Sluice device, also after the device of this node is removed.  It
 * uses only the buffer and the buffer's device.
 */
static int sluice_node_sync(struct sluice_call *call)
{
	struct sluice_sync *args = call->data;
	struct sluice_buffer *buffer;
	struct dma_buf *dmabuf;
	int ret = 0;
	u64 end;

	call->copied = true;	/* the struct has no output */
	if (args->flags & ~(SLUICE_SYNC_RW | SLUICE_SYNC_END) || !(args->flags & SLUICE_SYNC_RW))
		return -EINVAL;
	dmabuf = dma_buf_get(args->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	buffer = sluice_dmabuf_buffer(dmabuf);
	if (!buffer)
		ret = -EOPNOTSUPP;
	else if (!args->length)
		ret = -EINVAL;
	else if (check_add_overflow(args->offset, args->length, &end) || end > buffer->size)
		ret = -ERANGE;
	else if (args->flags & SLUICE_SYNC_END)
		ret = sluice_dmabuf_end_range(buffer, args->offset, args->length);
	else
		ret = sluice_dmabuf_begin_range(buffer, dmabuf, args->flags & SLUICE_SYNC_WRITE,
						args->offset, args->length);
	dma_buf_put(dmabuf);
	return ret;
}

#define SLUICE_NODE_QUEUE_ALL	(SLUICE_QUEUE_CHAIN_ERRORS | SLUICE_QUEUE_EXCLUSIVE | \
				 SLUICE_QUEUE_RING)

/* May the completions of a queue have this size?  0 means SLUICE_COMPLETION_SIZE_V1. */
static bool sluice_node_completion_size_valid(u32 size)
{
	return !size || (size >= SLUICE_COMPLETION_SIZE_V1 && size <= SLUICE_MAX_RECORD_SIZE &&
			 !(size % sizeof(u64)));
}

static int sluice_node_create_queue(struct sluice_call *call)
{
	struct sluice_device *sdev = sluice_client_device(call);
	struct sluice_create_queue *args = call->data;

	if (args->engine >= sdev->num_engines || args->flags & ~SLUICE_NODE_QUEUE_ALL ||
	    !sluice_node_completion_size_valid(args->completion_size) ||
	    args->priority >= SLUICE_ENGINE_PRIORITIES ||
	    args->timeout_ms > SLUICE_MAX_TIMEOUT_MS || args->depth > SLUICE_MAX_DEPTH ||
	    args->fd_flags & ~SLUICE_FD_INHERIT)
		return -EINVAL;
	/* jobs of the highest priority make all other jobs of the engine wait, up to a second */
	if (args->priority == SLUICE_ENGINE_PRIORITIES - 1 && !capable(CAP_SYS_NICE))
		return -EPERM;
	return sluice_queue_file_create(call, args);
}

static const struct sluice_ioctl sluice_node_ioctls[] = {
	{ SLUICE_IOCTL_INFO, SLUICE_INFO_FIRST_SIZE, 0, sluice_node_info },
	{ SLUICE_IOCTL_HEAP_INFO, SLUICE_HEAP_INFO_FIRST_SIZE, 0, sluice_node_heap_info },
	{ SLUICE_IOCTL_ALLOC, SLUICE_ALLOC_FIRST_SIZE, SLUICE_IOCTL_OUT_ON_ERROR,
	  sluice_node_alloc },
	{ SLUICE_IOCTL_BUFFER_INFO, SLUICE_BUFFER_INFO_FIRST_SIZE, 0, sluice_node_buffer_info },
	{ SLUICE_IOCTL_CREATE_QUEUE, SLUICE_CREATE_QUEUE_FIRST_SIZE, 0,
	  sluice_node_create_queue },
	{ SLUICE_IOCTL_WRAP, SLUICE_WRAP_FIRST_SIZE, SLUICE_IOCTL_OUT_ON_ERROR,
	  sluice_node_wrap },
	{ SLUICE_IOCTL_SYNC, SLUICE_SYNC_FIRST_SIZE, 0, sluice_node_sync },
	{ SLUICE_IOCTL_EVENTFD, SLUICE_EVENTFD_FIRST_SIZE, 0, sluice_irq_eventfd_set },
	{ SLUICE_IOCTL_ENGINE_INFO, SLUICE_ENGINE_INFO_FIRST_SIZE, 0, sluice_node_engine_info },
	{ SLUICE_IOCTL_ENUM_FORMATS, SLUICE_ENUM_FORMATS_FIRST_SIZE, 0,
	  sluice_node_enum_formats },
	{ SLUICE_IOCTL_ENUM_SIZES, SLUICE_ENUM_SIZES_FIRST_SIZE, 0, sluice_node_enum_sizes },
	{ SLUICE_IOCTL_ENUM_INTERVALS, SLUICE_ENUM_INTERVALS_FIRST_SIZE, 0,
	  sluice_node_enum_intervals },
	{ SLUICE_IOCTL_SOURCE, SLUICE_SOURCE_FIRST_SIZE, 0, sluice_node_source },
	{ SLUICE_IOCTL_ENUM_CONTROLS, SLUICE_ENUM_CONTROLS_FIRST_SIZE, 0,
	  sluice_control_enum },
	{ SLUICE_IOCTL_ENUM_MENU, SLUICE_ENUM_MENU_FIRST_SIZE, 0, sluice_control_enum_menu },
	{ SLUICE_IOCTL_GET_CONTROL, SLUICE_CONTROL_FIRST_SIZE, 0, sluice_control_get },
	{ SLUICE_IOCTL_SET_CONTROL, SLUICE_CONTROL_FIRST_SIZE, 0, sluice_control_set },
};

static long sluice_node_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return sluice_ioctl_dispatch(file, cmd, arg, sluice_node_ioctls,
				     ARRAY_SIZE(sluice_node_ioctls));
}

const struct file_operations sluice_node_fops = {
	.owner = THIS_MODULE,
	.open = sluice_node_open,
	.release = sluice_node_release,
	.unlocked_ioctl = sluice_node_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = sluice_node_read,
	.poll = sluice_node_poll,
	.mmap = sluice_registers_mmap,
	.show_fdinfo = sluice_client_show_fdinfo,
	.llseek = noop_llseek,
};
