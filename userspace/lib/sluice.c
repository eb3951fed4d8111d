// SPDX-License-Identifier: MIT
/* libsluice: each function wraps one or a few ioctls.  sluice.h documents the functions. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/io_uring.h>
#include <linux/sync_file.h>

#include "internal.h"

#define DEVICES "/dev/sluice"

int sluice_lib_call(int fd, unsigned long request, void *argument)
{
	int saved = errno, result;

	do
		result = ioctl(fd, request, argument);
	while (result < 0 && errno == EINTR);
	if (result < 0)
		result = sluice_lib_call_error(request, -errno);
	errno = saved;
	return result;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

int sluice_list(char (*names)[SLUICE_NAME_LEN], size_t max)
{
	int saved = errno, count = 0;
	struct dirent *entry;
	DIR *dir;

	dir = opendir(DEVICES);
	if (!dir) {
		count = errno == ENOENT ? 0 : sluice_fail(-errno, "cannot read the folder "
							  DEVICES ": %s",
							  strerror(errno));
		errno = saved;
		return count;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= SLUICE_NAME_LEN)
			continue;
		if ((size_t)count < max)
			strcpy(names[count], entry->d_name);
		count++;
	}
	closedir(dir);
	errno = saved;
	qsort(names, (size_t)count < max ? (size_t)count : max, sizeof(*names), compare_names);
	return count;
}

int sluice_open(const char *name)
{
	char first[1][SLUICE_NAME_LEN], path[256];
	int saved = errno, fd;

	if (!name) {
		char names[64][SLUICE_NAME_LEN];
		int count = sluice_list(names, 64);

		if (count < 0)
			return count;
		if (!count)
			return sluice_fail(-ENOENT, "there is no device: load a device driver, for "
					   "example sluice-soft");
		memcpy(first, names, sizeof(first));
		name = first[0];
	}
	if (snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : DEVICES "/", name) >=
	    (int)sizeof(path))
		return sluice_fail(-ENAMETOOLONG, "the name of a device has at most %u bytes",
				   SLUICE_NAME_LEN - 1);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fd = sluice_fail(-errno, "cannot open %s: %s", path, strerror(errno));
	errno = saved;
	return fd;
}

int sluice_device_info(int device, struct sluice_info *info)
{
	memset(info, 0, sizeof(*info));
	return sluice_lib_call(device, SLUICE_IOCTL_INFO, info);
}

int sluice_heap_info(int device, unsigned int index, struct sluice_heap_info *info)
{
	memset(info, 0, sizeof(*info));
	info->index = index;
	return sluice_lib_call(device, SLUICE_IOCTL_HEAP_INFO, info);
}

int sluice_engine_info(int device, unsigned int index, struct sluice_engine_info *info)
{
	memset(info, 0, sizeof(*info));
	info->index = index;
	return sluice_lib_call(device, SLUICE_IOCTL_ENGINE_INFO, info);
}

int sluice_get_format(int device, unsigned int engine, unsigned int index,
		      struct sluice_enum_formats *format)
{
	memset(format, 0, sizeof(*format));
	format->engine = engine;
	format->index = index;
	return sluice_lib_call(device, SLUICE_IOCTL_ENUM_FORMATS, format);
}

int sluice_get_size(int device, const struct sluice_enum_formats *format, unsigned int index,
		    struct sluice_enum_sizes *size)
{
	memset(size, 0, sizeof(*size));
	size->engine = format->engine;
	size->index = index;
	size->format = format->format;
	size->modifier = format->modifier;
	return sluice_lib_call(device, SLUICE_IOCTL_ENUM_SIZES, size);
}

int sluice_get_interval(int device, const struct sluice_enum_formats *format, uint32_t width,
			uint32_t height, unsigned int index,
			struct sluice_enum_intervals *interval)
{
	memset(interval, 0, sizeof(*interval));
	interval->engine = format->engine;
	interval->index = index;
	interval->format = format->format;
	interval->modifier = format->modifier;
	interval->width = width;
	interval->height = height;
	return sluice_lib_call(device, SLUICE_IOCTL_ENUM_INTERVALS, interval);
}

int sluice_get_source(int device, unsigned int engine, struct sluice_source *source)
{
	memset(source, 0, sizeof(*source));
	source->engine = engine;
	return sluice_lib_call(device, SLUICE_IOCTL_SOURCE, source);
}

int sluice_list_control(int device, unsigned int index, struct sluice_enum_controls *control)
{
	memset(control, 0, sizeof(*control));
	control->index = index;
	return sluice_lib_call(device, SLUICE_IOCTL_ENUM_CONTROLS, control);
}

int sluice_list_menu(int device, uint32_t id, int64_t value, struct sluice_enum_menu *menu)
{
	memset(menu, 0, sizeof(*menu));
	menu->id = id;
	menu->value = value;
	return sluice_lib_call(device, SLUICE_IOCTL_ENUM_MENU, menu);
}

int sluice_find_control(int device, const char *name, struct sluice_enum_controls *control)
{
	unsigned int i;
	int ret;

	for (i = 0;; i++) {
		ret = sluice_list_control(device, i, control);
		if (ret == -EINVAL)
			return sluice_fail(-ENOENT, "the device has no control '%s'", name);
		if (ret)
			return ret;
		if (!strcmp(control->name, name))
			return 0;
	}
}

int sluice_get_control(int device, uint32_t id, int64_t *value)
{
	struct sluice_control args = { .id = id };
	int ret = sluice_lib_call(device, SLUICE_IOCTL_GET_CONTROL, &args);

	if (!ret)
		*value = args.value;
	return ret;
}

int sluice_set_control(int device, uint32_t id, int64_t value)
{
	struct sluice_control args = { .id = id, .value = value };

	return sluice_lib_call(device, SLUICE_IOCTL_SET_CONTROL, &args);
}

int sluice_read_events(int device, struct sluice_event *events, size_t max)
{
	int saved = errno, count;
	ssize_t bytes;

	/* an open file has no more events than this, and the size below must not overflow */
	if (max > SLUICE_MAX_EVENTS)
		max = SLUICE_MAX_EVENTS;
	bytes = read(device, events, max * sizeof(*events));
	count = bytes < 0 ? sluice_fail(-errno, "cannot read events: %s", strerror(errno)) :
			    (int)(bytes / sizeof(*events));
	errno = saved;
	return count;
}

int sluice_find_heap(int device, const char *name)
{
	struct sluice_heap_info info;
	unsigned int i;
	int ret;

	for (i = 0; !(ret = sluice_heap_info(device, i, &info)); i++)
		if (!strcmp(info.name, name))
			return (int)i;
	return ret == -EINVAL ? sluice_fail(-ENOENT, "the device has no heap '%s'", name) : ret;
}

int sluice_alloc(int device, unsigned int heap, uint64_t size, uint32_t flags)
{
	struct sluice_alloc args = { .size = size, .heap = heap, .flags = flags };
	int ret = sluice_lib_call(device, SLUICE_IOCTL_ALLOC, &args);

	return ret ? sluice_lib_memory_error(device, args.hint, size, ret) : args.fd;
}

int sluice_wrap(int device, int memfd, uint64_t offset, uint64_t size)
{
	struct sluice_wrap args = { .memfd = memfd, .offset = offset, .size = size };
	int ret = sluice_lib_call(device, SLUICE_IOCTL_WRAP, &args);

	return ret ? sluice_lib_memory_error(device, args.hint, size, ret) : args.fd;
}

int sluice_buffer_info(int device, int dmabuf, struct sluice_buffer_info *info)
{
	memset(info, 0, sizeof(*info));
	info->fd = dmabuf;
	return sluice_lib_call(device, SLUICE_IOCTL_BUFFER_INFO, info);
}

#define HUGE ((size_t)2 << 20)	/* bytes of a huge page: one entry of the level above pages */

/*
 * The kernel places a mapping of a file at any page.  It can use huge page table
 * entries only where the address and the memory have the same alignment.  So
 * find a free address that is a multiple of HUGE.
 */
static void *place_for(size_t size)
{
	void *place = mmap(NULL, size + HUGE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (place == MAP_FAILED)
		return NULL;
	/*
	 * The range is only a hint for the next mmap().  If another thread takes it
	 * first, the mapping is not aligned, but still correct.
	 */
	munmap(place, size + HUGE);
	return (void *)(((uintptr_t)place + HUGE - 1) & ~(HUGE - 1));
}

int sluice_map(int dmabuf, size_t size, void **address)
{
	int saved = errno, ret = 0;
	void *place = size >= HUGE && size < SIZE_MAX / 2 ? place_for(size) : NULL;

	*address = mmap(place, size, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
	if (*address == MAP_FAILED) {
		ret = sluice_fail(-errno, "cannot map %zu bytes of the dma-buf: %s", size,
				  strerror(errno));
		*address = NULL;
	}
	errno = saved;
	return ret;
}

static int cpu_sync(int dmabuf, bool write, uint64_t flags)
{
	struct dma_buf_sync sync = {
		.flags = flags | (write ? DMA_BUF_SYNC_RW : DMA_BUF_SYNC_READ),
	};
	int ret;

	/* DMA_BUF_IOCTL_SYNC must be repeated after -EAGAIN, too; sluice_lib_call() repeats -EINTR */
	do
		ret = sluice_lib_call(dmabuf, DMA_BUF_IOCTL_SYNC, &sync);
	while (ret == -EAGAIN);
	return ret;
}

int sluice_cpu_begin(int dmabuf, bool write)
{
	return cpu_sync(dmabuf, write, DMA_BUF_SYNC_START);
}

int sluice_cpu_end(int dmabuf, bool write)
{
	return cpu_sync(dmabuf, write, DMA_BUF_SYNC_END);
}

static int range_sync(int device, int dmabuf, bool write, uint64_t offset, uint64_t length,
		      uint32_t flags)
{
	struct sluice_sync sync = {
		.fd = dmabuf,
		.flags = flags | (write ? SLUICE_SYNC_RW : SLUICE_SYNC_READ),
		.offset = offset,
		.length = length,
	};

	return sluice_lib_call(device, SLUICE_IOCTL_SYNC, &sync);
}

int sluice_cpu_begin_range(int device, int dmabuf, bool write, uint64_t offset, uint64_t length)
{
	return range_sync(device, dmabuf, write, offset, length, 0);
}

int sluice_cpu_end_range(int device, int dmabuf, bool write, uint64_t offset, uint64_t length)
{
	return range_sync(device, dmabuf, write, offset, length, SLUICE_SYNC_END);
}

static int create_queue(int device, struct sluice_create_queue *args)
{
	int ret;

	args->completion_size = sizeof(struct sluice_completion);
	ret = sluice_lib_call(device, SLUICE_IOCTL_CREATE_QUEUE, args);
	/* before UAPI version 5 the module refuses a completion_size other than 0 */
	if (ret == -EINVAL) {
		args->completion_size = 0;
		ret = sluice_lib_call(device, SLUICE_IOCTL_CREATE_QUEUE, args);
	}
	return ret ? ret : args->fd;
}

int sluice_queue_create(int device, unsigned int engine)
{
	struct sluice_create_queue args = { .engine = engine };

	return create_queue(device, &args);
}

int sluice_queue_info(int queue, struct sluice_queue_info *info)
{
	memset(info, 0, sizeof(*info));
	return sluice_lib_call(queue, SLUICE_IOCTL_QUEUE_INFO, info);
}

int sluice_attach(int queue, int dmabuf, uint32_t flags)
{
	struct sluice_attach args = { .fd = dmabuf, .flags = flags };
	int ret = sluice_lib_call(queue, SLUICE_IOCTL_ATTACH, &args);

	return ret ? ret : (int)args.slot;
}

int sluice_detach(int queue, unsigned int slot)
{
	struct sluice_detach args = { .slot = slot };

	return sluice_lib_call(queue, SLUICE_IOCTL_DETACH, &args);
}

void sluice_op_copy(struct sluice_op *op, unsigned int dst, uint64_t dst_offset,
		    unsigned int src, uint64_t src_offset, uint64_t length)
{
	*op = (struct sluice_op) {
		.kind = SLUICE_OP_COPY,
		.dst = dst,
		.src = src,
		.dst_offset = dst_offset,
		.src_offset = src_offset,
		.length = length,
	};
}

void sluice_op_fill(struct sluice_op *op, unsigned int dst, uint64_t offset, uint64_t length,
		    uint32_t value)
{
	*op = (struct sluice_op) {
		.kind = SLUICE_OP_FILL,
		.dst = dst,
		.dst_offset = offset,
		.length = length,
		.value = value,
	};
}

static void set_frame(struct sluice_op *op, uint32_t width, uint32_t height, uint32_t stride)
{
	op->frame.width = width;
	op->frame.height = height;
	op->frame.stride = stride;
	op->frame.format = 0x34325258;	/* DRM_FORMAT_XRGB8888 */
}

void sluice_op_capture(struct sluice_op *op, unsigned int dst, uint64_t offset, uint64_t length)
{
	*op = (struct sluice_op) {
		.kind = SLUICE_OP_CAPTURE,
		.dst = dst,
		.dst_offset = offset,
		.length = length,
	};
}

void sluice_op_capture_frame(struct sluice_op *op, unsigned int dst, uint64_t offset,
			     uint32_t width, uint32_t height, uint32_t stride)
{
	sluice_op_capture(op, dst, offset, (uint64_t)height * stride);
	set_frame(op, width, height, stride);
}

void sluice_op_playback(struct sluice_op *op, unsigned int src, uint64_t offset, uint64_t length)
{
	*op = (struct sluice_op) {
		.kind = SLUICE_OP_PLAYBACK,
		.src = src,
		.src_offset = offset,
		.length = length,
	};
}

void sluice_op_playback_frame(struct sluice_op *op, unsigned int src, uint64_t offset,
			      uint32_t width, uint32_t height, uint32_t stride)
{
	sluice_op_playback(op, src, offset, (uint64_t)height * stride);
	set_frame(op, width, height, stride);
}

void sluice_frame_format(struct sluice_op *op, uint32_t format, uint64_t length)
{
	op->frame.format = format;
	op->length = length;
}

void sluice_frame_planes(struct sluice_op *op, const struct sluice_plane *planes,
			 unsigned int num_planes)
{
	op->dst = 0;
	op->src = 0;
	op->dst_offset = 0;
	op->src_offset = 0;
	op->length = 0;
	op->frame.stride = 0;
	op->planes = (uintptr_t)planes;
	op->num_planes = num_planes;
	op->plane_size = sizeof(*planes);
}

void sluice_op_program(struct sluice_op *op, const struct sluice_command *commands,
		       unsigned int num_commands)
{
	*op = (struct sluice_op) { .kind = SLUICE_OP_PROGRAM };
	op->program.commands = (uintptr_t)commands;
	op->program.num_commands = num_commands;
}

void sluice_op_private(struct sluice_op *op, const void *payload, size_t size)
{
	*op = (struct sluice_op) { .kind = SLUICE_OP_PRIVATE };
	op->payload.data = (uintptr_t)payload;
	/* a size beyond 32 bits must stay too large, so that the kernel refuses it */
	op->payload.size = size < UINT32_MAX ? size : UINT32_MAX;
}

void sluice_program_dst(struct sluice_op *op, unsigned int slot, uint64_t offset, uint64_t length)
{
	op->flags |= SLUICE_OP_DST;
	op->dst = slot;
	op->dst_offset = offset;
	op->length = length;
}

void sluice_program_src(struct sluice_op *op, unsigned int slot, uint64_t offset, uint64_t length)
{
	op->flags |= SLUICE_OP_SRC;
	op->src = slot;
	op->src_offset = offset;
	op->program.src_length = length;
}

/* Fill in the fields that all commands on a register have. */
static void set_register(struct sluice_command *command, unsigned int kind, unsigned int bar,
			 unsigned int width, uint64_t offset, uint64_t value)
{
	*command = (struct sluice_command) {
		.kind = kind,
		.bar = bar,
		.width = width,
		.offset = offset,
		.value = value,
	};
}

void sluice_command_write(struct sluice_command *command, unsigned int bar, unsigned int width,
			  uint64_t offset, uint64_t value)
{
	set_register(command, SLUICE_COMMAND_WRITE, bar, width, offset, value);
}

void sluice_command_dst(struct sluice_command *command, unsigned int bar, unsigned int width,
			uint64_t offset, uint64_t place, uint64_t length)
{
	set_register(command, SLUICE_COMMAND_WRITE_DST, bar, width, offset, place);
	command->length = length;
}

void sluice_command_src(struct sluice_command *command, unsigned int bar, unsigned int width,
			uint64_t offset, uint64_t place, uint64_t length)
{
	set_register(command, SLUICE_COMMAND_WRITE_SRC, bar, width, offset, place);
	command->length = length;
}

void sluice_command_poll(struct sluice_command *command, unsigned int bar, unsigned int width,
			 uint64_t offset, uint64_t mask, uint64_t value, uint64_t timeout_us)
{
	set_register(command, SLUICE_COMMAND_POLL, bar, width, offset, value);
	command->mask = mask;
	command->timeout_us = timeout_us;
}

void sluice_command_interrupt(struct sluice_command *command, unsigned int interrupt)
{
	set_register(command, SLUICE_COMMAND_INTERRUPT, 0, 0, 0, interrupt);
}

int sluice_eventfd(int device, unsigned int interrupt)
{
	struct sluice_eventfd args = { .interrupt = interrupt };
	int saved = errno, ret;

	args.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = args.fd < 0 ? sluice_fail(-errno, "cannot make an eventfd: %s", strerror(errno)) :
			    sluice_lib_call(device, SLUICE_IOCTL_EVENTFD, &args);
	if (ret && args.fd >= 0)
		close(args.fd);
	errno = saved;
	return ret ? ret : args.fd;
}

int sluice_map_registers(int device, unsigned int bar, uint64_t offset, size_t size,
			 volatile void **address)
{
	int saved = errno, ret = 0;
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
			    (off_t)(SLUICE_MMAP_BAR(bar) + offset));

	if (mapped == MAP_FAILED)
		ret = sluice_fail(-errno, "cannot map registers of BAR %u: %s", bar,
				  strerror(errno));
	else
		*address = mapped;
	errno = saved;
	return ret;
}

int sluice_submit(int queue, const struct sluice_op *ops, unsigned int num_ops, int in_fence,
		  int *out_fence, uint64_t user_data, uint64_t *point)
{
	return sluice_submit_after(queue, ops, num_ops, &in_fence, in_fence != -1, out_fence,
				   user_data, point);
}

int sluice_submit_cyclic(int queue, const struct sluice_op *ops, unsigned int num_ops,
			 uint32_t flags, uint64_t user_data, uint64_t *point)
{
	struct sluice_submit args = {
		.ops = (uintptr_t)ops,
		.num_ops = num_ops,
		.flags = flags | SLUICE_SUBMIT_CYCLIC,
		.user_data = user_data,
		.op_size = sizeof(*ops),
	};
	int ret = sluice_lib_call(queue, SLUICE_IOCTL_SUBMIT, &args);

	if (!ret && point)
		*point = args.point;
	return ret;
}

int sluice_ack(int queue, uint64_t point, uint64_t ops)
{
	struct sluice_ack args = { .point = point, .ops = ops };

	return sluice_lib_call(queue, SLUICE_IOCTL_ACK, &args);
}

int sluice_submit_after(int queue, const struct sluice_op *ops, unsigned int num_ops,
			const int *in_fences, unsigned int num_in_fences, int *out_fence,
			uint64_t user_data, uint64_t *point)
{
	struct sluice_submit args = {
		.ops = (uintptr_t)ops,
		.in_fences = (uintptr_t)in_fences,
		.num_ops = num_ops,
		.num_in_fences = num_in_fences,
		.flags = out_fence ? SLUICE_SUBMIT_OUT_FENCE : 0,
		.user_data = user_data,
		.op_size = sizeof(*ops),
	};
	int ret = sluice_lib_call(queue, SLUICE_IOCTL_SUBMIT, &args);

	if (ret)
		return ret;
	if (out_fence)
		*out_fence = args.out_fence;
	if (point)
		*point = args.point;
	return 0;
}

/* For modules that have no in-points: a sync_file of each point. */
static int submit_after_fences(int queue, const struct sluice_op *ops, unsigned int num_ops,
			       const struct sluice_in_point *points, unsigned int num_points,
			       uint64_t user_data, uint64_t *point)
{
	int fences[SLUICE_MAX_IN_FENCES], ret = 0;
	unsigned int made = 0;

	while (made < num_points && !ret) {
		struct sluice_export_fence args = { .point = points[made].point };

		ret = sluice_lib_call(points[made].queue, SLUICE_IOCTL_FENCE, &args);
		if (!ret)
			fences[made++] = args.fd;
	}
	if (!ret)
		ret = sluice_submit_after(queue, ops, num_ops, fences, num_points, NULL, user_data,
					  point);
	while (made)
		close(fences[--made]);
	/* FENCE on the fd of another kind of file */
	return ret != -ENOTTY ? ret : sluice_fail(-EINVAL, "the fd of a point is not a queue");
}

int sluice_submit_points(int queue, const struct sluice_op *ops, unsigned int num_ops,
			 const struct sluice_in_point *points, unsigned int num_points,
			 uint64_t user_data, uint64_t *point)
{
	struct sluice_submit args = {
		.ops = (uintptr_t)ops,
		.num_ops = num_ops,
		.user_data = user_data,
		.op_size = sizeof(*ops),
		.in_points = (uintptr_t)points,
		.num_in_points = num_points,
		.in_point_size = sizeof(*points),
	};
	int ret;

	if (num_points > SLUICE_MAX_IN_POINTS)
		return sluice_fail(-E2BIG, "a job has at most %u in-points",
				   SLUICE_MAX_IN_POINTS);
	ret = sluice_lib_call(queue, SLUICE_IOCTL_SUBMIT, &args);
	/* an older module finds that the end of the struct, which it does not know, is not 0 */
	if (ret == -E2BIG)
		return submit_after_fences(queue, ops, num_ops, points, num_points, user_data,
					   point);
	if (!ret && point)
		*point = args.point;
	return ret;
}

/* For modules that do not have SUBMIT_MANY. */
static int submit_each(int queue, struct sluice_submit *jobs, unsigned int num_jobs,
		       unsigned int *failed)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < num_jobs; i++)
		if (i < num_jobs - 1 && jobs[i].flags & SLUICE_SUBMIT_OUT_FENCE)
			break;
	*failed = i;
	if (i < num_jobs)
		return sluice_fail(-EINVAL, "only the last job may have an out-fence");
	for (i = 0; i < num_jobs && !ret; i++) {
		*failed = i;
		ret = sluice_lib_call(queue, SLUICE_IOCTL_SUBMIT, &jobs[i]);
		if (ret)
			jobs[i].point = 0;
	}
	return ret;
}

int sluice_submit_many(int queue, struct sluice_submit *jobs, unsigned int num_jobs,
		       unsigned int *failed)
{
	struct sluice_submit_many args = {
		.jobs = (uintptr_t)jobs,
		.num_jobs = num_jobs,
		.job_size = sizeof(*jobs),
		.failed = num_jobs,
	};
	unsigned int i, culprit;
	int ret;

	for (i = 0; i < num_jobs; i++)
		jobs[i].point = 0;
	if (num_jobs && num_jobs <= SLUICE_MAX_JOBS)
		ret = sluice_lib_call(queue, SLUICE_IOCTL_SUBMIT_MANY, &args);
	else
		ret = sluice_fail(num_jobs ? -E2BIG : -EINVAL, "a call submits 1 to %u jobs",
				  SLUICE_MAX_JOBS);
	culprit = args.failed;
	if (ret == -ENOTTY) {
		ret = submit_each(queue, jobs, num_jobs, &culprit);
	} else if (!ret) {
		for (i = 0; i < num_jobs; i++)
			jobs[i].point = args.first + i;
		jobs[num_jobs - 1].out_fence = args.out_fence;
	}
	if (ret && failed)
		*failed = culprit;
	return ret;
}

static void prep_command(struct io_uring_sqe *sqe, int queue, uint32_t cmd_op, const void *submit,
			 const struct sluice_completion *completion)
{
	struct sluice_uring_submit command = {
		.submit = (uintptr_t)submit,
		.completion = (uintptr_t)completion,
	};

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = queue;
	sqe->cmd_op = cmd_op;
	memcpy(sqe->cmd, &command, sizeof(command));
}

void sluice_prep_submit(struct io_uring_sqe *sqe, int queue, struct sluice_submit *submit,
			struct sluice_completion *completion)
{
	prep_command(sqe, queue, SLUICE_URING_SUBMIT, submit, completion);
}

void sluice_prep_submit_many(struct io_uring_sqe *sqe, int queue, struct sluice_submit_many *many,
			     struct sluice_completion *completions)
{
	prep_command(sqe, queue, SLUICE_URING_SUBMIT_MANY, many, completions);
}

static int64_t deadline_after(int timeout_ms)
{
	struct timespec now;

	if (timeout_ms < 0)
		return INT64_MAX;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec + timeout_ms * 1000000LL;
}

/* poll() that a signal does not end.  Returns 0 if there is an event, or a negative errno. */
static int poll_until(struct pollfd *pollfd, int timeout_ms)
{
	int64_t deadline = deadline_after(timeout_ms);
	int saved = errno, ret;

	/* poll() ignores a negative fd, and would wait until the timeout */
	if (pollfd->fd < 0)
		return sluice_fail(-EBADF, "fd %d is not valid", pollfd->fd);
	for (;;) {
		ret = poll(pollfd, 1, timeout_ms);
		if (ret >= 0 || errno != EINTR)
			break;
		if (timeout_ms > 0) {
			int64_t left = deadline - deadline_after(0);

			timeout_ms = left > 0 ? (int)((left + 999999) / 1000000) : 0;
		}
	}
	if (ret < 0)
		ret = sluice_fail(-errno, "poll: %s", strerror(errno));
	else if (!ret)
		ret = sluice_fail(-ETIME, "no event in time");
	errno = saved;
	return ret > 0 ? 0 : ret;
}

int sluice_wait(int queue, uint64_t point, int timeout_ms)
{
	struct sluice_wait args = { .point = point, .deadline_ns = deadline_after(timeout_ms) };
	int ret = sluice_lib_call(queue, SLUICE_IOCTL_WAIT, &args);

	return ret ? ret : sluice_lib_status(args.status);
}

int sluice_cancel(int queue, uint64_t first, uint64_t last)
{
	struct sluice_cancel args = { .first = first, .last = last };
	int ret = sluice_lib_call(queue, SLUICE_IOCTL_CANCEL, &args);

	return ret ? ret : (int)args.cancelled;
}

/* The size of the queue's records in bytes: another program may have created the queue. */
static size_t record_size(int queue)
{
	struct sluice_queue_info info;

	/* the module is older than UAPI version 5; or this is no queue, and read() will fail */
	return sluice_queue_info(queue, &info) ? SLUICE_COMPLETION_SIZE_V1 : info.completion_size;
}

/*
 * sluice_read() with @max 1 learns the size of a record from the result of
 * read().  That works only if the struct is too small for two records.
 */
_Static_assert(sizeof(struct sluice_completion) < 2 * SLUICE_COMPLETION_SIZE_V1, "see above");

/* read(); of records that are larger than the struct it reads one, and drops their tail */
static ssize_t read_records(int queue, struct sluice_completion *completions, size_t max,
			    size_t size)
{
	char large[SLUICE_MAX_RECORD_SIZE];
	ssize_t bytes;

	if (size <= sizeof(*completions))
		return read(queue, completions, max * size);
	bytes = read(queue, large, size);
	if (bytes > 0)
		memcpy(completions, large, sizeof(*completions));
	return bytes;
}

int sluice_read(int queue, struct sluice_completion *completions, size_t max)
{
	size_t size = max == 1 ? sizeof(*completions) : record_size(queue);
	int saved = errno, count, i;
	ssize_t bytes;

	if (!max)
		return sluice_fail(-EINVAL, "there is no room for a completion");
	/* a queue has no more completions than this, and the size below must not overflow */
	if (max > SLUICE_MAX_DEPTH)
		max = SLUICE_MAX_DEPTH;
	bytes = read_records(queue, completions, max, size);
	/*
	 * With @max 1 the result of read() is the size of the record.  -EINVAL means
	 * that the record is larger than the struct: then ask for the size.
	 */
	if (bytes < 0 && errno == EINVAL && max == 1) {
		size = record_size(queue);
		bytes = read_records(queue, completions, max, size);
	} else if (bytes > 0 && max == 1) {
		size = bytes;
	}
	count = bytes < 0 ? sluice_fail(-errno, "cannot read completions: %s",
					strerror(errno)) : (int)(bytes / size);
	/* shorter records lie close together: move the last one first, to overwrite none */
	for (i = count - 1; i >= 0 && size < sizeof(*completions); i--) {
		memmove(&completions[i], (char *)completions + i * size, size);
		memset((char *)&completions[i] + size, 0, sizeof(*completions) - size);
	}
	errno = saved;
	return count;
}

static int map_ring(struct sluice_ring *ring)
{
	struct sluice_queue_info info;
	int ret = sluice_queue_info(ring->queue, &info);
	void *memory;

	if (ret)
		return ret;
	memory = mmap(NULL, info.ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->queue, 0);
	if (memory == MAP_FAILED)
		return sluice_fail(-errno, "cannot map the completion ring: %s",
				   strerror(errno));
	ring->header = memory;
	ring->size = info.ring_size;
	return 0;
}

static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ?
		       sluice_fail(-errno, "fcntl: %s", strerror(errno)) : 0;
}

int sluice_lib_create_ring(int device, struct sluice_create_queue *args, struct sluice_ring *ring)
{
	struct sluice_info info;
	int saved = errno, ret = sluice_device_info(device, &info);
	bool has_rings = info.caps & SLUICE_CAP_RING;

	*ring = (struct sluice_ring) { .queue = -1 };
	if (ret)
		return ret;
	if (has_rings)
		args->flags |= SLUICE_QUEUE_RING;
	ret = create_queue(device, args);
	if (ret < 0)
		return ret;
	ring->queue = ret;
	ret = has_rings ? map_ring(ring) : set_nonblocking(ring->queue);
	if (ret)
		sluice_ring_destroy(ring);
	errno = saved;
	return ret ? ret : ring->queue;
}

int sluice_ring_create(int device, unsigned int engine, uint32_t depth, uint32_t flags,
		       struct sluice_ring *ring)
{
	struct sluice_create_queue args = { .engine = engine, .depth = depth, .flags = flags };

	*ring = (struct sluice_ring) { .queue = -1 };
	if (flags & SLUICE_QUEUE_RING)
		return sluice_fail(-EINVAL, "SLUICE_QUEUE_RING is for CREATE_QUEUE only");
	return sluice_lib_create_ring(device, &args, ring);
}

/*
 * Copy the progress of a cyclic job if it is new.  Returns its number, which is odd if there is
 * nothing new.  The kernel may write the record meanwhile: then copy it again.
 */
static uint32_t copy_progress(const struct sluice_ring_header *header,
			      struct sluice_completion *completion)
{
	uint32_t before, after;

	do {
		before = __atomic_load_n(&header->progress_sequence, __ATOMIC_ACQUIRE);
		if (before == header->progress_seen)
			return 1;
		memcpy(completion, (const char *)header + header->progress, sizeof(*completion));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = __atomic_load_n(&header->progress_sequence, __ATOMIC_RELAXED);
	} while (before & 1 || before != after);
	return before;
}

static const struct sluice_completion *ring_entry(const struct sluice_ring_header *header,
						  uint32_t number)
{
	return (const void *)((const char *)header + header->entries +
			      (size_t)(number & header->mask) * header->entry_size);
}

/* Take completions out of the mapping.  Its entries have the size of the struct. */
static int take_from_memory(struct sluice_ring_header *header,
			    struct sluice_completion *completions, size_t max)
{
	struct sluice_completion progress;
	uint32_t sequence = copy_progress(header, &progress);
	/* after the progress, so that completions from before it are seen */
	uint32_t head = __atomic_load_n(&header->head, __ATOMIC_ACQUIRE), tail = header->tail;
	size_t count = 0;

	for (; count < max; count++) {
		const struct sluice_completion *entry = ring_entry(header, tail);

		if (!(sequence & 1) && (tail == head || entry->point >= progress.point)) {
			completions[count] = progress;
			header->progress_seen = sequence;
			sequence = 1;
			continue;
		}
		if (tail == head)
			break;
		completions[count] = *entry;
		tail++;
	}
	__atomic_store_n(&header->tail, tail, __ATOMIC_RELEASE);
	return (int)count;
}

int sluice_ring_take(struct sluice_ring *ring, struct sluice_completion *completions, size_t max)
{
	int ret;

	/* a queue has no more completions, and the result is an int */
	if (max > SLUICE_MAX_DEPTH)
		max = SLUICE_MAX_DEPTH;
	if (ring->header)
		return take_from_memory(ring->header, completions, max);
	ret = max ? sluice_read(ring->queue, completions, max) : 0;
	/* a ring does not tell that no more completions will come: sluice_ring_wait() does */
	return ret == -EAGAIN || ret == -ENODEV || ret == -EIO ? 0 : ret;
}

int sluice_ring_wait(const struct sluice_ring *ring, int timeout_ms)
{
	struct pollfd pollfd = { .fd = ring->queue, .events = POLLIN };
	int ret = poll_until(&pollfd, timeout_ms);

	if (ret)
		return ret;
	if (pollfd.revents & POLLIN)
		return 0;
	return sluice_lib_status(pollfd.revents & POLLHUP ? -ENODEV :
				 pollfd.revents & POLLERR ? -EIO : -EBADF);
}

int sluice_ring_destroy(struct sluice_ring *ring)
{
	int saved = errno, ret;

	if (ring->header)
		munmap(ring->header, ring->size);
	ret = close(ring->queue) ? sluice_fail(-errno, "close: %s", strerror(errno)) : 0;
	*ring = (struct sluice_ring) { .queue = -1 };
	errno = saved;
	return ret;
}

int sluice_fence_wait(int fence, int timeout_ms)
{
	struct pollfd pollfd = { .fd = fence, .events = POLLIN };
	struct sync_file_info info = { .num_fences = 0 };
	int ret = poll_until(&pollfd, timeout_ms);

	if (ret)
		return ret;
	ret = sluice_lib_call(fence, SYNC_IOC_FILE_INFO, &info);
	if (ret)
		return ret;
	return info.status < 0 ? sluice_lib_status(info.status) : 0;
}

int sluice_fence_export(int dmabuf, bool write)
{
	struct dma_buf_export_sync_file args = {
		.flags = write ? DMA_BUF_SYNC_RW : DMA_BUF_SYNC_READ,
		.fd = -1,
	};
	int ret = sluice_lib_call(dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &args);

	return ret ? ret : args.fd;
}

int sluice_fence_import(int dmabuf, int fence, bool write)
{
	struct dma_buf_import_sync_file args = {
		.flags = write ? DMA_BUF_SYNC_RW : DMA_BUF_SYNC_READ,
		.fd = fence,
	};

	return sluice_lib_call(dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &args);
}

int sluice_fence_merge(int a, int b)
{
	struct sync_merge_data args = { .name = "sluice", .fd2 = b };
	int ret = sluice_lib_call(a, SYNC_IOC_MERGE, &args);

	return ret ? ret : args.fence;
}

int sluice_fence_status(int fence)
{
	struct sync_file_info info = { .num_fences = 0 };
	int ret = sluice_lib_call(fence, SYNC_IOC_FILE_INFO, &info);

	return ret ? ret : sluice_lib_status(info.status);
}

int sluice_fence_join(int queue, const int *fences, unsigned int num_fences)
{
	struct sluice_submit args = {
		.in_fences = (uintptr_t)fences,
		.num_in_fences = num_fences,
		.flags = SLUICE_SUBMIT_OUT_FENCE | SLUICE_SUBMIT_NO_COMPLETION,
	};
	int ret;

	if (!num_fences)
		return sluice_fail(-EINVAL, "there is no fence to join");
	ret = sluice_lib_call(queue, SLUICE_IOCTL_SUBMIT, &args);
	return ret ? ret : args.out_fence;
}
