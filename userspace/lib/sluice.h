/* SPDX-License-Identifier: MIT */
/*
 * libsluice: dma-bufs, queues and fences of Sluice devices.
 *
 * Every function returns 0 (or a file descriptor, or a count) on success and a
 * negative errno on failure; errno itself is left alone.  All descriptors are
 * the kernel's and are closed with close(); nothing is allocated.  All
 * functions may be called from several threads at once.
 */
#ifndef SLUICE_H
#define SLUICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/sluice.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * sluice_open - open a device
 * @name: "soft0", or a path; NULL for the first device that there is
 *
 * Returns a device fd, or -ENOENT, -EACCES, -ENODEV.
 */
int sluice_open(const char *name);

/**
 * sluice_list - names of all devices
 * @names: filled with up to @max names
 *
 * Returns how many there are, which may be more than @max.
 */
int sluice_list(char (*names)[SLUICE_NAME_LEN], size_t max);

/** sluice_get_info - what a device is and can do */
int sluice_get_info(int device, struct sluice_info *info);

/** sluice_get_heap - one heap of a device, by number; -EINVAL beyond the last */
int sluice_get_heap(int device, unsigned int index, struct sluice_heap_info *info);

/** sluice_get_engine - one engine of a device, by number; -EINVAL beyond the last */
int sluice_get_engine(int device, unsigned int index, struct sluice_engine_info *info);

/** sluice_get_format - one format of an engine's frames; -EINVAL beyond the last */
int sluice_get_format(int device, unsigned int engine, unsigned int index,
		      struct sluice_enum_formats *format);

/**
 * sluice_get_size - one entry of a format's list of sizes
 * @format: from sluice_get_format()
 *
 * Returns -EINVAL beyond the last.
 */
int sluice_get_size(int device, const struct sluice_enum_formats *format, unsigned int index,
		    struct sluice_enum_sizes *size);

/**
 * sluice_get_interval - one entry of the list of frame intervals of a format and size
 * @format: from sluice_get_format()
 *
 * Returns -EINVAL beyond the last.
 */
int sluice_get_interval(int device, const struct sluice_enum_formats *format, uint32_t width,
			uint32_t height, unsigned int index,
			struct sluice_enum_intervals *interval);

/**
 * sluice_get_source - the input signal of an engine that captures
 *
 * Returns -EOPNOTSUPP if its driver reports none, -ENOTTY before UAPI version 6.
 */
int sluice_get_source(int device, unsigned int engine, struct sluice_source *source);

/** sluice_list_control - one control of a device, by number; -EINVAL beyond the last */
int sluice_list_control(int device, unsigned int index, struct sluice_enum_controls *control);

/** sluice_list_menu - the name of a value of a control that is a menu; -EINVAL beyond the last */
int sluice_list_menu(int device, uint32_t id, int64_t value, struct sluice_enum_menu *menu);

/**
 * sluice_find_control - a control with this name
 * @control: set to it
 *
 * Returns 0, or -ENOENT.
 */
int sluice_find_control(int device, const char *name, struct sluice_enum_controls *control);

/** sluice_get_control - the value of a control */
int sluice_get_control(int device, uint32_t id, int64_t *value);

/** sluice_set_control - set a control; -ERANGE for a value that it cannot have */
int sluice_set_control(int device, uint32_t id, int64_t value);

/**
 * sluice_read_events - read events of a device
 * @max: room in @events
 *
 * Blocks while there is none; a non-blocking device answers -EAGAIN.  poll() reports POLLPRI.
 * Returns how many events it read, or -ENODEV when the device is gone and all were read.
 */
int sluice_read_events(int device, struct sluice_event *events, size_t max);

/**
 * sluice_find_heap - number of a heap
 * @name: "pages", "contiguous"
 *
 * Returns the number, or -ENOENT.
 */
int sluice_find_heap(int device, const char *name);

/**
 * sluice_alloc - allocate a buffer
 * @heap: number
 * @size: bytes
 * @flags: SLUICE_MEM_* that it must have
 *
 * Returns a dma-buf fd (close-on-exec).
 */
int sluice_alloc(int device, unsigned int heap, uint64_t size, uint32_t flags);

/**
 * sluice_wrap - make a buffer of a memfd's pages
 * @memfd: sealed with F_SEAL_SHRINK, not against writing; may be closed afterwards
 * @offset: bytes, whole pages
 * @size: bytes, whole pages
 *
 * Returns a dma-buf fd (close-on-exec).
 */
int sluice_wrap(int device, int memfd, uint64_t offset, uint64_t size);

/** sluice_get_buffer - how a device sees any dma-buf */
int sluice_get_buffer(int device, int dmabuf, struct sluice_buffer_info *info);

/**
 * sluice_map - map a dma-buf for the CPU, shared, for reading and writing
 * @address: set to the mapping, to be undone with munmap(); aligned to 2 MiB
 *	for buffers of that size and above, so that the kernel can map by huge
 *	entries
 *
 * Bracket each access with sluice_cpu_begin() and sluice_cpu_end().
 */
int sluice_map(int dmabuf, size_t size, void **address);

/**
 * sluice_cpu_begin - wait for the buffer's fences, and make it the CPU's
 * @write: not only for reading
 */
int sluice_cpu_begin(int dmabuf, bool write);

/** sluice_cpu_end - give the buffer back; @write as for sluice_cpu_begin() */
int sluice_cpu_end(int dmabuf, bool write);

/**
 * sluice_range_begin - the same for a part of a Sluice device's buffer
 * @device: any Sluice device
 * @write: not only for reading
 * @offset: bytes
 * @length: bytes, not 0
 *
 * Maintains the caches for the range alone.  Returns -EOPNOTSUPP for another
 * exporter's buffer: use sluice_cpu_begin().
 */
int sluice_range_begin(int device, int dmabuf, bool write, uint64_t offset, uint64_t length);

/** sluice_range_end - give it back; the same arguments */
int sluice_range_end(int device, int dmabuf, bool write, uint64_t offset, uint64_t length);

/** sluice_queue - create a queue on an engine, with defaults; returns its fd */
int sluice_queue(int device, unsigned int engine);

/** sluice_get_queue - what a queue was created with; -ENOTTY before UAPI version 5 */
int sluice_get_queue(int queue, struct sluice_queue_info *info);

/**
 * sluice_attach - make a dma-buf a slot
 * @flags: SLUICE_ATTACH_*
 *
 * Returns the slot's number.
 */
int sluice_attach(int queue, int dmabuf, uint32_t flags);

/** sluice_detach - give a slot back */
int sluice_detach(int queue, unsigned int slot);

/** sluice_op_copy - fill in an op that copies */
void sluice_op_copy(struct sluice_op *op, unsigned int dst, uint64_t dst_offset,
		    unsigned int src, uint64_t src_offset, uint64_t length);

/** sluice_op_fill - fill in an op that fills */
void sluice_op_fill(struct sluice_op *op, unsigned int dst, uint64_t offset, uint64_t length,
		    uint32_t value);

/** sluice_op_capture - fill in an op that captures raw data */
void sluice_op_capture(struct sluice_op *op, unsigned int dst, uint64_t offset, uint64_t length);

/** sluice_op_capture_frame - fill in an op that captures an XRGB8888 image */
void sluice_op_capture_frame(struct sluice_op *op, unsigned int dst, uint64_t offset,
			     uint32_t width, uint32_t height, uint32_t stride);

/** sluice_op_playback - fill in an op that plays back raw data */
void sluice_op_playback(struct sluice_op *op, unsigned int src, uint64_t offset, uint64_t length);

/** sluice_op_playback_frame - fill in an op that plays back an XRGB8888 image */
void sluice_op_playback_frame(struct sluice_op *op, unsigned int src, uint64_t offset,
			      uint32_t width, uint32_t height, uint32_t stride);

/**
 * sluice_frame_format - another format for an op that captures or plays back an image
 * @format: fourcc, one that the engine lists
 * @length: bytes from the op's offset on, for all planes, which follow one another
 *
 * The op's stride is that of the first plane.
 */
void sluice_frame_format(struct sluice_op *op, uint32_t format, uint64_t length);

/**
 * sluice_frame_planes - planes in places of their own, for an op with an image
 * @planes: slot, stride and offset of each; must stay until the op has been submitted
 * @num_planes: how many: as many as the format has
 *
 * Slot, offset, length and stride of the op itself do not count any more.
 */
void sluice_frame_planes(struct sluice_op *op, const struct sluice_plane *planes,
			 unsigned int num_planes);

/**
 * sluice_op_program - fill in an op that has the kernel access registers
 * @commands: must stay until the op has been submitted
 * @num_commands: how many
 *
 * Say afterwards which memory the device uses: sluice_program_dst(), sluice_program_src().
 */
void sluice_op_program(struct sluice_op *op, const struct sluice_command *commands,
		       unsigned int num_commands);

/**
 * sluice_op_private - fill in an op of the device driver's own
 * @payload: in the layout that the driver documents; must stay until the op has been submitted
 * @size: of it, in bytes
 *
 * Say afterwards which memory the device uses: sluice_program_dst(), sluice_program_src().
 */
void sluice_op_private(struct sluice_op *op, const void *payload, size_t size);

/** sluice_program_dst - the memory that the device writes, of an op that is a program or private */
void sluice_program_dst(struct sluice_op *op, unsigned int slot, uint64_t offset, uint64_t length);

/** sluice_program_src - the memory that it reads */
void sluice_program_src(struct sluice_op *op, unsigned int slot, uint64_t offset, uint64_t length);

/**
 * sluice_command_write - fill in a command that writes to a register
 * @bar: number of the BAR
 * @width: of the register: 1, 2, 4 or 8 bytes
 * @offset: of the register, bytes into the BAR
 */
void sluice_command_write(struct sluice_command *command, unsigned int bar, unsigned int width,
			  uint64_t offset, uint64_t value);

/**
 * sluice_command_dst - fill in a command that writes the bus address of dst memory
 * @place: of which byte of the op's dst range
 * @length: bytes that the device uses from there; 0 for all that follow
 */
void sluice_command_dst(struct sluice_command *command, unsigned int bar, unsigned int width,
			uint64_t offset, uint64_t place, uint64_t length);

/** sluice_command_src - the same of src memory */
void sluice_command_src(struct sluice_command *command, unsigned int bar, unsigned int width,
			uint64_t offset, uint64_t place, uint64_t length);

/**
 * sluice_command_poll - fill in a command that waits until a register has a value
 * @mask: bits that count
 * @timeout_us: how long, in microseconds, before the job ends with -EIO
 */
void sluice_command_poll(struct sluice_command *command, unsigned int bar, unsigned int width,
			 uint64_t offset, uint64_t mask, uint64_t value, uint64_t timeout_us);

/** sluice_command_interrupt - fill in a command that waits for an interrupt */
void sluice_command_interrupt(struct sluice_command *command, unsigned int interrupt);

/**
 * sluice_eventfd - have an interrupt counted
 * @interrupt: its number
 *
 * Returns a new eventfd (close-on-exec, non-blocking).  Another call with the same
 * device and interrupt takes it over.
 */
int sluice_eventfd(int device, unsigned int interrupt);

/**
 * sluice_map_registers - map registers of a BAR
 * @bar: number of the BAR
 * @offset: bytes into it, whole pages
 * @size: bytes, whole pages
 * @address: set to the mapping, to be undone with munmap()
 *
 * Returns -EACCES if root has not allowed them.
 */
int sluice_map_registers(int device, unsigned int bar, uint64_t offset, size_t size,
			 volatile void **address);

/**
 * sluice_submit - submit a job
 * @ops: what to do
 * @num_ops: how many
 * @in_fence: sync_file to wait for, or -1 for none
 * @out_fence: set to a sync_file that signals when the job has ended; NULL if
 *	not wanted
 * @user_data: for the completion
 * @point: set to the job's point; NULL if not wanted
 *
 * Returns 0, -EBADF if @in_fence is negative and not -1 (the errno of a call that failed
 * is no fence), or another errno of struct sluice_submit's list.
 */
int sluice_submit(int queue, const struct sluice_op *ops, unsigned int num_ops, int in_fence,
		  int *out_fence, uint64_t user_data, uint64_t *point);

/**
 * sluice_submit_after - submit a job that waits for several fences
 * @ops: what to do
 * @num_ops: how many
 * @in_fences: sync_files to wait for
 * @num_in_fences: how many, at most SLUICE_MAX_IN_FENCES
 * @out_fence: as for sluice_submit()
 * @user_data: for the completion
 * @point: set to the job's point; NULL if not wanted
 *
 * An error of any of the fences cancels the job.  A fence made by sluice_fence_merge()
 * may hide such an error: see there.
 *
 * Returns as sluice_submit(), and -E2BIG for too many fences.  Each of @in_fences must be
 * a sync_file: -1 is none, and refused with -EBADF.
 */
int sluice_submit_after(int queue, const struct sluice_op *ops, unsigned int num_ops,
			const int *in_fences, unsigned int num_in_fences, int *out_fence,
			uint64_t user_data, uint64_t *point);

struct io_uring_sqe;

/**
 * sluice_submit_cyclic - submit a job that goes round over its ops
 * @queue: fd of a queue that is SLUICE_QUEUE_EXCLUSIVE
 * @ops: captures or playbacks, of slots that are SLUICE_ATTACH_EXPLICIT
 * @num_ops: how many, not 0
 * @flags: SLUICE_SUBMIT_STOP_ON_XRUN or 0
 * @user_data: returned in each of its completions
 * @point: set to the job's number, unless NULL
 *
 * It goes on until another job is submitted to the queue, or it is cancelled.  Its
 * completions with SLUICE_COMPLETION_MORE say how far it is.
 *
 * Returns as sluice_submit().
 */
int sluice_submit_cyclic(int queue, const struct sluice_op *ops, unsigned int num_ops,
			 uint32_t flags, uint64_t user_data, uint64_t *point);

/**
 * sluice_ack - tell how far you are with a job that goes round
 * @queue: fd of the queue
 * @point: the job
 * @ops: how many of its ops, from its beginning on, have buffers that the device may use again
 *
 * Returns 0 or a negative errno of struct sluice_ack's list.
 */
int sluice_ack(int queue, uint64_t point, uint64_t ops);

/**
 * sluice_prep_submit - fill in an io_uring request that submits a job
 * @sqe: a request of 64 bytes or more, from liburing or your own
 * @submit: as for SLUICE_IOCTL_SUBMIT
 * @completion: filled in when the job has ended; NULL if not wanted
 *
 * The request completes when the job has ended, with the job's status or what
 * SUBMIT refused it with.  Set @sqe's user_data and flags afterwards; with
 * IOSQE_FIXED_FILE @queue is the index of a registered file.  All that is
 * pointed to must stay until the request has completed.  The kernel writes as much of
 * @completion as the queue's records have (QUEUE_INFO): of a queue that sluice_queue() has
 * made, all of the struct.  Only if INFO reports SLUICE_CAP_URING.
 */
void sluice_prep_submit(struct io_uring_sqe *sqe, int queue, struct sluice_submit *submit,
			struct sluice_completion *completion);

/**
 * sluice_wait - wait for a job
 * @timeout_ms: from now; negative for ever
 *
 * Returns 0 if the job succeeded, the job's error if not, or -ETIME if it has
 * not ended; a signal's handler does not end the wait.  A job that was too slow
 * has the error -ETIME, too: its completion, or poll() on its fence, tells
 * whether it has ended.
 */
int sluice_wait(int queue, uint64_t point, int timeout_ms);

/**
 * sluice_cancel - end jobs that are not wanted any more
 * @first: the first point
 * @last: the last point; UINT64_MAX for all that have been submitted
 *
 * They end with -ECANCELED, soon, in their order.  Returns how many had not
 * ended.
 */
int sluice_cancel(int queue, uint64_t first, uint64_t last);

/**
 * sluice_read - read completions
 * @max: room in @completions
 *
 * Works on any queue, also one with shorter or longer records, whatever its completion_size:
 * fields that the records do not have are 0.
 *
 * Blocks while there is none.  To wake a thread that waits here, submit a job without
 * ops, or send it a signal whose handler was installed without SA_RESTART.
 *
 * Returns how many were read; -EINTR after such a signal; -EAGAIN from a non-blocking
 * queue without one; -ENODEV or -EIO when none will come, because the device has gone or
 * the queue is dead.
 */
int sluice_read(int queue, struct sluice_completion *completions, size_t max);

/**
 * sluice_fence_wait - wait for a sync_file
 * @timeout_ms: from now; negative for ever
 *
 * Returns 0 if it has signalled without an error, its error, or -ETIME; -EBADF if @fence
 * is no fd.
 */
int sluice_fence_wait(int fence, int timeout_ms);

/**
 * sluice_fence_export - the fences on a dma-buf, as one sync_file
 * @write: what a writer must wait for; else what a reader must
 */
int sluice_fence_export(int dmabuf, bool write);

/** sluice_fence_import - put a sync_file on a dma-buf, as a writer's or a reader's */
int sluice_fence_import(int dmabuf, int fence, bool write);

/**
 * sluice_fence_merge - a sync_file that waits for both; returns a new fd
 *
 * The kernel keeps one fence of each queue, the later one.  Of two jobs of one queue the
 * merged fence does not tell the error of the earlier: pass both to
 * sluice_submit_after() where that matters.
 */
int sluice_fence_merge(int a, int b);

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_H */
