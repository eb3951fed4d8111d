/* SPDX-License-Identifier: MIT */
/*
 * libsluice: dma-bufs, queues and fences of Sluice devices.
 *
 * A function that returns void or text cannot fail.  Every other function
 * returns 0, a file descriptor, a number or a count on success, and a negative errno on
 * failure.  A function whose ioctl the loaded module does not have returns -ENOTTY.
 *
 * No function changes errno.  The caller closes each returned file descriptor with close(), except
 * those that belong to a stream.
 * The library keeps no state except in struct sluice_ring and struct sluice_stream, and the text of
 * the last error of each thread, so several threads may call all functions at once.
 *
 * The words of this file:
 *
 *	device		fd of the node /dev/sluice/<device>, from sluice_open()
 *	heap		a kind of memory that a device offers; heaps are numbered from 0
 *	buffer		memory that is exported as a dma-buf, which is an fd
 *	engine		the part of a device that runs jobs; engines are numbered from 0
 *	queue		fd that takes jobs for one engine; they end in the order of submission
 *	slot		a dma-buf that is attached to a queue; ops name it by its number
 *	op		one step of work, such as a copy
 *	job		a list of ops that is submitted at once
 *	point		the position of a job in the timeline of its queue, from 1
 *	completion	the record that tells how a job ended
 *	fence		a sync_file, which is an fd; it signals when a job has ended
 *	frame		one picture, or one block of raw data, that a device captures or plays back
 *	stream		a queue with buffers, which pass between the device and the caller in turn
 *	layout		strides and offsets of the planes of a frame
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

/* The library is compiled with hidden symbols.  The functions below are its interface. */
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/**
 * sluice_error_text - say why a function has failed
 * @error: the negative errno that the function returned
 *
 * Call it right after a function of libsluice has failed, in the same thread.  The text then is
 * about this failure.  For example, it names the limit that was met, with its bytes.  If no
 * function has failed with @error, it is the text of strerror().
 *
 * Return: one sentence in English, without a newline.  It is valid until the next call of a
 * function of libsluice in this thread.
 */
const char *sluice_error_text(int error);

/**
 * sluice_open - open the node of a device
 * @name: a name such as "soft0"; or an absolute path; or NULL for the device whose name is
 *	first in the alphabet
 *
 * Return: the fd of the device (close-on-exec), or a negative errno.
 *
 * Errors:
 *
 *	-ENOENT		there is no such device, or with NULL no device at all
 *	-EACCES		the caller may not open the node
 *	-ENODEV		the device has just been removed
 *	-ENAMETOOLONG	the path of the node has more than 255 bytes
 *	-EMFILE		the process has no free fd
 */
int sluice_open(const char *name);

/**
 * sluice_list - list the names of all devices
 * @names: array that receives up to @max names, sorted
 * @max: length of @names
 *
 * Return: the number of devices, which may be more than @max, or a negative errno.  Without a
 * device it is 0.
 *
 * Errors:
 *
 *	-EACCES		the caller may not read the folder /dev/sluice
 *	-EMFILE		the process has no free fd
 */
int sluice_list(char (*names)[SLUICE_NAME_LEN], size_t max);

/**
 * sluice_device_info - ask what a device is and can do
 * @device: fd of the device
 * @info: receives the answer
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-ENOTTY		@device is not the fd of a device
 *	-ENODEV		the device is removed
 */
int sluice_device_info(int device, struct sluice_info *info);

/**
 * sluice_heap_info - describe one heap of a device
 * @device: fd of the device
 * @index: number of the heap, from 0
 * @info: receives the description
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@index is beyond the last heap
 *	-ENOTTY		@device is not the fd of a device
 */
int sluice_heap_info(int device, unsigned int index, struct sluice_heap_info *info);

/**
 * sluice_engine_info - describe one engine of a device
 * @device: fd of the device
 * @index: number of the engine, from 0
 * @info: receives the description
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@index is beyond the last engine
 *	-ENOTTY		the module is older than UAPI version 5
 *	-ENODEV		the device is removed
 */
int sluice_engine_info(int device, unsigned int index, struct sluice_engine_info *info);

/**
 * sluice_get_format - read one entry of the list of an engine's image formats
 * @device: fd of the device
 * @engine: number of the engine
 * @index: number of the entry, from 0
 * @format: receives the entry
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		there is no such engine
 *	-EINVAL		@index is beyond the last entry
 *	-ENOTTY		the module is older than UAPI version 5
 *	-ENODEV		the device is removed
 */
int sluice_get_format(int device, unsigned int engine, unsigned int index,
		      struct sluice_enum_formats *format);

/**
 * sluice_get_size - read one entry of the list of a format's frame sizes
 * @device: fd of the device
 * @format: a format that sluice_get_format() has filled in
 * @index: number of the entry, from 0
 * @size: receives the entry: a range of widths and heights
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@index is beyond the last entry
 *	-EINVAL		the engine does not list the format
 *	-ENOTTY		the module is older than UAPI version 5
 *	-ENODEV		the device is removed
 */
int sluice_get_size(int device, const struct sluice_enum_formats *format, unsigned int index,
		    struct sluice_enum_sizes *size);

/**
 * sluice_get_interval - read one entry of the list of frame intervals of a format and size
 * @device: fd of the device
 * @format: a format that sluice_get_format() has filled in
 * @width: of the frame, in pixels
 * @height: of the frame, in lines
 * @index: number of the entry, from 0
 * @interval: receives the entry: a range of intervals, in seconds
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@index is beyond the last entry
 *	-EINVAL		the engine does not list the format, or not with this size
 *	-ENOTTY		the module is older than UAPI version 5
 *	-ENODEV		the device is removed
 */
int sluice_get_interval(int device, const struct sluice_enum_formats *format, uint32_t width,
			uint32_t height, unsigned int index,
			struct sluice_enum_intervals *interval);

/**
 * sluice_get_source - ask for the input signal of an engine that captures
 * @device: fd of the device
 * @engine: number of the engine
 * @source: receives the state that the device driver has reported last
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		there is no such engine
 *	-EOPNOTSUPP	the device driver reports no source for this engine
 *	-ENOTTY		the module is older than UAPI version 6
 *	-ENODEV		the device is removed
 */
int sluice_get_source(int device, unsigned int engine, struct sluice_source *source);

/**
 * sluice_list_control - describe one control of a device
 * @device: fd of the device
 * @index: number of the entry in the list of controls, from 0
 * @control: receives the description
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@index is beyond the last control
 *	-ENOTTY		the module is older than UAPI version 6
 *	-ENODEV		the device is removed
 */
int sluice_list_control(int device, unsigned int index, struct sluice_enum_controls *control);

/**
 * sluice_list_menu - name one value of a control that is a menu
 * @device: fd of the device
 * @id: of the control
 * @value: from 0 to the control's max
 * @menu: receives the name
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@value is below 0, or beyond the last entry
 *	-EINVAL		the control is not a menu
 *	-ENOENT		there is no such control
 *	-ENOTTY		the module is older than UAPI version 6
 *	-ENODEV		the device is removed
 */
int sluice_list_menu(int device, uint32_t id, int64_t value, struct sluice_enum_menu *menu);

/**
 * sluice_find_control - find a control by its name
 * @device: fd of the device
 * @name: the complete name
 * @control: receives the description of the control
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-ENOENT		no control has this name
 *	-ENOTTY		the module is older than UAPI version 6
 *	-ENODEV		the device is removed
 */
int sluice_find_control(int device, const char *name, struct sluice_enum_controls *control);

/**
 * sluice_get_control - read the value of a control
 * @device: fd of the device
 * @id: of the control
 * @value: receives the value
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-ENOENT		there is no such control
 *	-EACCES		the control is a button
 *	-EIO		the hardware was asleep, and does not wake up
 *	others		the errno of the device driver
 *	-ENOTTY		the module is older than UAPI version 6
 *	-ENODEV		the device is removed
 */
int sluice_get_control(int device, uint32_t id, int64_t *value);

/**
 * sluice_set_control - set a control, for all programs
 * @device: fd of the device
 * @id: of the control
 * @value: the new value; 0 presses a button
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-ENOENT		there is no such control
 *	-ERANGE		the control cannot have this value, which is never rounded
 *	-EACCES		the control is read-only
 *	-EACCES		@device is not open for writing
 *	-EIO		the hardware was asleep, and does not wake up
 *	others		the errno of the device driver
 *	-ENOTTY		the module is older than UAPI version 6
 *	-ENODEV		the device is removed
 */
int sluice_set_control(int device, uint32_t id, int64_t value);

/**
 * sluice_read_events - read events of a device
 * @device: fd of the device
 * @events: array that receives the events
 * @max: length of @events, at least 1
 *
 * Blocks while there is no event.  poll() reports POLLPRI when there is one.
 *
 * Return: the number of events, or a negative errno.
 *
 * Errors:
 *
 *	-EAGAIN		there is no event, and the fd is non-blocking
 *	-EINVAL		@max is 0
 *	-EINTR		a signal came, and its handler was installed without SA_RESTART
 *	-EFAULT		@events is not a valid address; no event is lost
 *	-ENODEV		the device is removed, and all events have been read
 */
int sluice_read_events(int device, struct sluice_event *events, size_t max);

/**
 * sluice_find_heap - find the number of a heap
 * @device: fd of the device
 * @name: of the heap, such as "pages" or "contiguous"
 *
 * Return: the number, or a negative errno.
 *
 * Errors:
 *
 *	-ENOENT		no heap has this name
 *	-ENOTTY		@device is not the fd of a device
 */
int sluice_find_heap(int device, const char *name);

/**
 * sluice_alloc - allocate a buffer
 * @device: fd of the device
 * @heap: number of the heap
 * @size: in bytes, not 0; rounded up to whole pages, with SLUICE_MEM_HUGE to whole huge pages
 * @flags: SLUICE_MEM_* that the buffer must have, or 0
 *
 * Return: the fd of a dma-buf (close-on-exec), or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@size is 0, or there is no such heap
 *	-EINVAL		flags exclude one another, such as two kinds of CPU mapping
 *	-EOPNOTSUPP	the heap does not have all flags that were asked for
 *	-EFBIG		@size is more than the heap can ever have; a contiguous heap may have
 *			more with cma= on the kernel command line
 *	-EDQUOT		the buffer would exceed the limit of this open file, of its user or of
 *			all open files
 *	-EADDRNOTAVAIL	the kernel would bounce the device's DMA: use the heap "contiguous"
 *			without SLUICE_MEM_CACHED
 *	-ENOMEM		no memory is free that the device can address, or no free piece is
 *			large enough, or the memory cgroup is at its limit
 *	-ENODEV		the device is removed
 */
int sluice_alloc(int device, unsigned int heap, uint64_t size, uint32_t flags);

/**
 * sluice_wrap - make a buffer of the pages of a memfd
 * @device: fd of the device
 * @memfd: has the seal F_SEAL_SHRINK and no seal against writing; may be closed afterwards
 * @offset: of the first page, in bytes, a multiple of the page size
 * @size: in bytes, a multiple of the page size, not 0
 *
 * Return: the fd of a dma-buf (close-on-exec), or a negative errno.
 *
 * Errors:
 *
 *	-EBADF		@memfd is not an open fd
 *	-EINVAL		the file is neither of tmpfs nor of hugetlbfs
 *	-EINVAL		@size is 0, or @offset or @size is not a multiple of the page size
 *	-EACCES		@memfd is not open for both reading and writing
 *	-EPERM		the seal F_SEAL_SHRINK is missing, or there is a seal against writing
 *	-ERANGE		the range ends beyond the end of the file
 *	-EFBIG		@size is more than the RAM of the machine, or than the device can
 *			address at all
 *	-EDQUOT		the buffer would exceed the limit of this open file, of its user or of
 *			all open files
 *	-EADDRNOTAVAIL	the device cannot address some of the pages, or the kernel would
 *			bounce its DMA: allocate from a heap
 *	-ENOMEM		no memory is free for a hole of the file
 *	-ENODEV		the device is removed
 */
int sluice_wrap(int device, int memfd, uint64_t offset, uint64_t size);

/**
 * sluice_buffer_info - ask how a device sees a dma-buf
 * @device: fd of the device
 * @dmabuf: any dma-buf, of Sluice or of another exporter
 * @info: receives the answer
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EBADF		@dmabuf is not an open fd
 *	-EINVAL		@dmabuf is not a dma-buf
 *	-ENODEV		the device is removed
 */
int sluice_buffer_info(int device, int dmabuf, struct sluice_buffer_info *info);

/**
 * sluice_map - map a dma-buf for the CPU: shared, for reading and writing
 * @dmabuf: the dma-buf
 * @size: bytes to map, from the start of the buffer
 * @address: set to the address of the mapping, or to NULL on failure
 *
 * A mapping of 2 MiB or more begins at a multiple of 2 MiB, so that the kernel can use huge
 * page table entries.  If another thread takes that address at the same moment, the mapping
 * begins elsewhere.  Undo the mapping with munmap().  Call sluice_cpu_begin() before each
 * access, and sluice_cpu_end() after it.
 *
 * Return: 0 or a negative errno of mmap().
 *
 * Errors:
 *
 *	-EBADF		@dmabuf is not an open fd
 *	-EINVAL		@size is 0, or the mapping ends beyond the end of the buffer
 *	-EACCES		the buffer is read-only
 *	-ENOMEM		the process has no room for the mapping
 *	-ENODEV		the buffer is memory of a device that is removed
 */
int sluice_map(int dmabuf, size_t size, void **address);

/**
 * sluice_cpu_begin - begin CPU access to a dma-buf
 * @dmabuf: the dma-buf, of any exporter
 * @write: true if the CPU writes, or reads and writes; false if it only reads
 *
 * Waits for the fences on the buffer: for all if @write is true, else for those of writers.
 * Then the exporter maintains the CPU's caches.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-ENOTTY		@dmabuf is not a dma-buf
 *	-ETIME		jobs still use a Sluice buffer after 60 s; the call may be repeated
 *	-ENODEV		the buffer is memory of a device that is removed
 *	others		the errno of another exporter
 */
int sluice_cpu_begin(int dmabuf, bool write);

/**
 * sluice_cpu_end - end CPU access to a dma-buf
 * @dmabuf: the dma-buf
 * @write: the same as for sluice_cpu_begin()
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-ENOTTY		@dmabuf is not a dma-buf
 *	-ENODEV		the buffer is memory of a device that is removed
 *	others		the errno of another exporter
 */
int sluice_cpu_end(int dmabuf, bool write);

/**
 * sluice_cpu_begin_range - begin CPU access to a range of a Sluice buffer
 * @device: fd of any Sluice device
 * @dmabuf: a buffer of any Sluice device
 * @write: as for sluice_cpu_begin()
 * @offset: of the range, in bytes
 * @length: of the range, in bytes, not 0
 *
 * Waits for the same fences as sluice_cpu_begin(), but maintains the caches for the range
 * only.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EBADF		@dmabuf is not an open fd
 *	-EINVAL		@dmabuf is not a dma-buf, or @length is 0
 *	-EOPNOTSUPP	the buffer comes from another exporter: call sluice_cpu_begin()
 *			instead
 *	-ERANGE		the range ends beyond the end of the buffer
 *	-ETIME		jobs still use the buffer after 60 s; the call may be repeated
 *	-ENODEV		the buffer is memory of a device that is removed
 */
int sluice_cpu_begin_range(int device, int dmabuf, bool write, uint64_t offset, uint64_t length);

/**
 * sluice_cpu_end_range - end CPU access to a range of a Sluice buffer
 * @device: fd of any Sluice device
 * @dmabuf: a buffer of any Sluice device
 * @write: the same as for sluice_cpu_begin_range()
 * @offset: the same as for sluice_cpu_begin_range(), in bytes
 * @length: the same as for sluice_cpu_begin_range(), in bytes
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EBADF		@dmabuf is not an open fd
 *	-EINVAL		@dmabuf is not a dma-buf, or @length is 0
 *	-EOPNOTSUPP	the buffer comes from another exporter
 *	-ERANGE		the range ends beyond the end of the buffer
 *	-ENODEV		the buffer is memory of a device that is removed
 */
int sluice_cpu_end_range(int device, int dmabuf, bool write, uint64_t offset, uint64_t length);

/**
 * sluice_queue_create - create a queue with default priority, timeout and depth
 * @device: fd of the device
 * @engine: number of the engine that runs the queue's jobs
 *
 * Return: the fd of the queue (close-on-exec), or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		there is no such engine
 *	-EBUSY		the engine has a queue with SLUICE_QUEUE_EXCLUSIVE
 *	-ENOSPC		this open file of the node has 1024 queues
 *	-EIO		8 jobs of this open file hung on the engine, and none succeeded in
 *			between
 *	-ENODEV		the device is removed
 */
int sluice_queue_create(int device, unsigned int engine);

/**
 * sluice_queue_info - ask what a queue was created with
 * @queue: fd of the queue
 * @info: receives the answer
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-ENOTTY		@queue is not a queue, or the module is older than UAPI version 5
 */
int sluice_queue_info(int queue, struct sluice_queue_info *info);

/**
 * sluice_attach - make a dma-buf a slot of a queue
 * @queue: fd of the queue
 * @dmabuf: any dma-buf, of Sluice or of another exporter; may be closed afterwards
 * @flags: SLUICE_ATTACH_*; if neither READ nor WRITE is given, the slot is for both
 *
 * Return: the number of the slot, or a negative errno.
 *
 * Errors:
 *
 *	-EBADF		@dmabuf is not an open fd
 *	-EINVAL		@dmabuf is not a dma-buf
 *	-EACCES		the dma-buf is read-only, and @flags are not SLUICE_ATTACH_READ alone
 *	-EADDRNOTAVAIL	the device cannot address the memory, or not with its alignment; or
 *			the kernel would bounce its DMA
 *	-EOPNOTSUPP	the device is software, and the exporter does not map the memory for
 *			the kernel; or the memory is in another device, and this device cannot
 *			use it
 *	-EPERM		the exporter does not let its memory be pinned
 *	-EDQUOT		a buffer of another exporter would exceed the limit of the open file
 *	-ENOSPC		the queue has 1024 slots
 *	-ETIME		the exporter is still moving or clearing the memory after 30 s
 *	-EIO		the hardware was asleep, and does not wake up
 *	-ENODEV		the device is removed, or the memory belongs to another device that is
 *			removed
 */
int sluice_attach(int queue, int dmabuf, uint32_t flags);

/**
 * sluice_detach - remove a slot
 * @queue: fd of the queue
 * @slot: number of the slot; jobs that have been submitted keep the buffer until they end
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-ENOENT		there is no such slot
 */
int sluice_detach(int queue, unsigned int slot);

/**
 * sluice_op_copy - fill in an op that copies
 * @op: the op
 * @dst: slot that is written
 * @dst_offset: in the buffer of @dst, in bytes
 * @src: slot that is read
 * @src_offset: in the buffer of @src, in bytes
 * @length: in bytes, not 0
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		a length is 0, or beyond the engine's limits; or an offset or a length
 *			is not a multiple of op_align
 *	-EINVAL		the ranges overlap
 *	-ENOENT		there is no such slot
 *	-EACCES		the slot was attached for the other direction
 *	-ERANGE		a range ends beyond the end of its buffer
 *	-EFBIG		a range has more segments than the engine's max_segments
 *	-EOPNOTSUPP	the engine does not copy
 */
void sluice_op_copy(struct sluice_op *op, unsigned int dst, uint64_t dst_offset,
		    unsigned int src, uint64_t src_offset, uint64_t length);

/**
 * sluice_op_fill - fill in an op that fills memory with a value
 * @op: the op
 * @dst: slot that is written
 * @offset: in the buffer of @dst, in bytes, a multiple of 4
 * @length: in bytes, a multiple of 4, not 0
 * @value: 32 bits in host byte order, repeated
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		a length is 0, or beyond the engine's limits; or an offset or a length
 *			is not a multiple of op_align
 *	-EINVAL		@offset or @length is not a multiple of 4
 *	-ENOENT		there is no such slot
 *	-EACCES		the slot was attached for the other direction
 *	-ERANGE		a range ends beyond the end of its buffer
 *	-EFBIG		a range has more segments than the engine's max_segments
 *	-EOPNOTSUPP	the engine does not fill
 */
void sluice_op_fill(struct sluice_op *op, unsigned int dst, uint64_t offset, uint64_t length,
		    uint32_t value);

/**
 * sluice_op_capture - fill in an op that captures a frame of raw data
 * @op: the op
 * @dst: slot that is written
 * @offset: in the buffer of @dst, in bytes
 * @length: bytes of the frame; if the device's frames vary in length, the most bytes of one
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		a length is 0, or beyond the engine's limits; or an offset or a length
 *			is not a multiple of op_align
 *	-ENOENT		there is no such slot
 *	-EACCES		the slot was attached for the other direction
 *	-ERANGE		a range ends beyond the end of its buffer
 *	-EFBIG		a range has more segments than the engine's max_segments
 *	-EOPNOTSUPP	the engine does not capture
 */
void sluice_op_capture(struct sluice_op *op, unsigned int dst, uint64_t offset, uint64_t length);

/**
 * sluice_op_capture_frame - fill in an op that captures an XRGB8888 image
 * @op: the op
 * @dst: slot that is written
 * @offset: of the first line in the buffer of @dst, in bytes
 * @width: in pixels
 * @height: in lines
 * @stride: bytes from line to line
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		the format cannot have this width or height
 *	-EINVAL		@stride is shorter than a line, or is not aligned
 *	-ENOENT		there is no such slot
 *	-EACCES		the slot was attached for the other direction
 *	-ERANGE		the image ends beyond the end of the buffer
 *	-EOPNOTSUPP	the engine does not capture, or does not list XRGB8888 with this size
 */
void sluice_op_capture_frame(struct sluice_op *op, unsigned int dst, uint64_t offset,
			     uint32_t width, uint32_t height, uint32_t stride);

/**
 * sluice_op_playback - fill in an op that plays back a frame of raw data
 * @op: the op
 * @src: slot that is read
 * @offset: in the buffer of @src, in bytes
 * @length: of the frame, in bytes
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		a length is 0, or beyond the engine's limits; or an offset or a length
 *			is not a multiple of op_align
 *	-ENOENT		there is no such slot
 *	-EACCES		the slot was attached for the other direction
 *	-ERANGE		a range ends beyond the end of its buffer
 *	-EFBIG		a range has more segments than the engine's max_segments
 *	-EOPNOTSUPP	the engine does not play back
 */
void sluice_op_playback(struct sluice_op *op, unsigned int src, uint64_t offset, uint64_t length);

/**
 * sluice_op_playback_frame - fill in an op that plays back an XRGB8888 image
 * @op: the op
 * @src: slot that is read
 * @offset: of the first line in the buffer of @src, in bytes
 * @width: in pixels
 * @height: in lines
 * @stride: bytes from line to line
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		the format cannot have this width or height
 *	-EINVAL		@stride is shorter than a line, or is not aligned
 *	-ENOENT		there is no such slot
 *	-EACCES		the slot was attached for the other direction
 *	-ERANGE		the image ends beyond the end of the buffer
 *	-EOPNOTSUPP	the engine does not play back, or does not list XRGB8888 with this
 *			size
 */
void sluice_op_playback_frame(struct sluice_op *op, unsigned int src, uint64_t offset,
			      uint32_t width, uint32_t height, uint32_t stride);

/**
 * sluice_frame_format - change the format of an op that captures or plays back an image
 * @op: the op, filled in by sluice_op_capture_frame() or sluice_op_playback_frame()
 * @format: a fourcc that the engine lists
 * @length: bytes of all planes together, which follow one another from the op's offset on
 *
 * The stride that is already in the op is the stride of the first plane.
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		@format is 0, or cannot have this width, height or stride
 *	-EINVAL		the kernel does not know the format's planes: call
 *			sluice_frame_planes()
 *	-ERANGE		a plane ends beyond @length or beyond its buffer
 *	-EOPNOTSUPP	the engine does not list the format with this size
 */
void sluice_frame_format(struct sluice_op *op, uint32_t format, uint64_t length);

/**
 * sluice_frame_planes - give each plane of an op's image a slot, a stride and an offset
 * @op: the op, filled in by sluice_op_capture_frame() or sluice_op_playback_frame()
 * @planes: slot, stride and offset of each plane; must stay until the op has been submitted
 * @num_planes: length of @planes: the number of planes of the format
 *
 * The slot, offset, length and stride of the op itself are cleared.  If the format is not
 * XRGB8888, call sluice_frame_format() before this function.
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		@num_planes is not the number of planes of the format
 *	-EINVAL		a stride is shorter than a line, or is not aligned
 *	-E2BIG		@num_planes is above SLUICE_MAX_PLANES
 *	-ENOENT		there is no such slot
 *	-EACCES		the slot was attached for the other direction
 *	-ERANGE		a plane ends beyond the end of its buffer
 *	-EOPNOTSUPP	the engine does not list the format with this size
 */
void sluice_frame_planes(struct sluice_op *op, const struct sluice_plane *planes,
			 unsigned int num_planes);

/**
 * sluice_op_program - fill in an op by which the kernel accesses registers of the device
 * @op: the op
 * @commands: what the kernel does; must stay until the op has been submitted
 * @num_commands: length of @commands, at least 1
 *
 * If the device uses memory, call sluice_program_dst() and sluice_program_src() afterwards.
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		@num_commands is 0, or a command is malformed
 *	-EINVAL		the polls of the op together may take more than 1 s
 *	-E2BIG		the job has more than 4096 commands
 *	-EACCES		root has not allowed a register for programs
 *	-EPERM		a command uses a register, and the kernel is locked down
 *	-EOPNOTSUPP	the engine does not run programs
 *	-EIO		the hardware was asleep, and does not wake up
 */
void sluice_op_program(struct sluice_op *op, const struct sluice_command *commands,
		       unsigned int num_commands);

/**
 * sluice_op_private - fill in an op that the device driver defines
 * @op: the op
 * @payload: description of the op, in the layout that the device driver documents; must stay
 *	until the op has been submitted
 * @size: of @payload, in bytes, 1 to SLUICE_MAX_PAYLOAD
 *
 * If the device uses memory, call sluice_program_dst() and sluice_program_src() afterwards.
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		@size is 0, or the device driver does not accept the payload
 *	-E2BIG		@size is above SLUICE_MAX_PAYLOAD, or the payloads of the job have
 *			more than 65536 bytes
 *	-EOPNOTSUPP	the engine has no private ops
 *	-EIO		the hardware was asleep, and does not wake up
 *	others		the errno of the device driver
 */
void sluice_op_private(struct sluice_op *op, const void *payload, size_t size);

/**
 * sluice_program_dst - set the memory that the device writes during a program or private op
 * @op: filled in by sluice_op_program() or sluice_op_private()
 * @slot: slot that is written
 * @offset: of the range in the slot's buffer, in bytes
 * @length: of the range, in bytes, not 0
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		@length is 0
 *	-ENOENT		there is no such slot
 *	-EACCES		the slot was attached for the other direction
 *	-ERANGE		the range ends beyond the end of the buffer
 */
void sluice_program_dst(struct sluice_op *op, unsigned int slot, uint64_t offset, uint64_t length);

/**
 * sluice_program_src - set the memory that the device reads during a program or private op
 * @op: filled in by sluice_op_program() or sluice_op_private()
 * @slot: slot that is read
 * @offset: of the range in the slot's buffer, in bytes
 * @length: of the range, in bytes, not 0
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		@length is 0
 *	-ENOENT		there is no such slot
 *	-EACCES		the slot was attached for the other direction
 *	-ERANGE		the range ends beyond the end of the buffer
 */
void sluice_program_src(struct sluice_op *op, unsigned int slot, uint64_t offset, uint64_t length);

/**
 * sluice_command_write - fill in a command that writes to a register
 * @command: the command
 * @bar: number of the BAR, 0 to 5
 * @width: of the register: 1, 2, 4 or 8 bytes
 * @offset: of the register in the BAR, in bytes, a multiple of @width
 * @value: the value to write
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		there is no such BAR, or @width or @offset is not valid
 *	-EACCES		root has not allowed the register for programs
 *	-EPERM		the kernel is locked down
 *	-EOPNOTSUPP	@width is 8, and the kernel has 32 bits
 */
void sluice_command_write(struct sluice_command *command, unsigned int bar, unsigned int width,
			  uint64_t offset, uint64_t value);

/**
 * sluice_command_dst - fill in a command that writes a bus address of dst memory to a register
 * @command: the command
 * @bar: number of the BAR, 0 to 5
 * @width: of the register: 4 or 8 bytes
 * @offset: of the register in the BAR, in bytes, a multiple of @width
 * @place: the byte whose address is written: its offset in the op's dst range, in bytes
 * @length: bytes that the device uses from there on; 0 for the rest of the range
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		there is no such BAR, or @width or @offset is not valid
 *	-EACCES		root has not allowed the register for programs
 *	-EPERM		the kernel is locked down
 *	-ERANGE		the memory is outside the op's range
 *	-EADDRNOTAVAIL	the memory is in several segments, or @width is 4 and the address
 *			needs more than 32 bits
 */
void sluice_command_dst(struct sluice_command *command, unsigned int bar, unsigned int width,
			uint64_t offset, uint64_t place, uint64_t length);

/**
 * sluice_command_src - fill in a command that writes a bus address of src memory to a register
 * @command: the command
 * @bar: number of the BAR, 0 to 5
 * @width: of the register: 4 or 8 bytes
 * @offset: of the register in the BAR, in bytes, a multiple of @width
 * @place: the byte whose address is written: its offset in the op's src range, in bytes
 * @length: bytes that the device uses from there on; 0 for the rest of the range
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		there is no such BAR, or @width or @offset is not valid
 *	-EACCES		root has not allowed the register for programs
 *	-EPERM		the kernel is locked down
 *	-ERANGE		the memory is outside the op's range
 *	-EADDRNOTAVAIL	the memory is in several segments, or @width is 4 and the address
 *			needs more than 32 bits
 */
void sluice_command_src(struct sluice_command *command, unsigned int bar, unsigned int width,
			uint64_t offset, uint64_t place, uint64_t length);

/**
 * sluice_command_poll - fill in a command that waits until a register has a value
 * @command: the command
 * @bar: number of the BAR, 0 to 5
 * @width: of the register: 1, 2, 4 or 8 bytes
 * @offset: of the register in the BAR, in bytes, a multiple of @width
 * @mask: the bits of the register that are compared with @value
 * @value: the value that these bits must have; all other bits of @value must be 0
 * @timeout_us: microseconds until the job ends with -EIO, if the register never has the value
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		there is no such BAR, or @width or @offset is not valid
 *	-EACCES		root has not allowed the register for programs
 *	-EPERM		the kernel is locked down
 *	-EINVAL		@value has a bit that @mask does not have
 *	-EINVAL		the polls of the op together may take more than 1 s
 *	-EOPNOTSUPP	@width is 8, and the kernel has 32 bits
 */
void sluice_command_poll(struct sluice_command *command, unsigned int bar, unsigned int width,
			 uint64_t offset, uint64_t mask, uint64_t value, uint64_t timeout_us);

/**
 * sluice_command_interrupt - fill in a command that waits for an interrupt
 * @command: the command
 * @interrupt: number of the interrupt, from 0
 *
 * Errors of sluice_submit():
 *
 *	-EINVAL		there is no such interrupt
 */
void sluice_command_interrupt(struct sluice_command *command, unsigned int interrupt);

/**
 * sluice_eventfd - signal a new eventfd on each interrupt
 * @device: fd of the device
 * @interrupt: number of the interrupt, from 0
 *
 * Each interrupt, and the removal of the device, adds 1 to the eventfd.  The eventfd replaces
 * the eventfd of an earlier call with the same @device and @interrupt.
 *
 * Return: the eventfd (close-on-exec, non-blocking), or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		there is no such interrupt
 *	-ENOSPC		the device has 256 eventfds
 *	-EMFILE		the process has no free fd
 *	-EIO		the hardware was asleep, and does not wake up
 *	-ENODEV		the device is removed
 */
int sluice_eventfd(int device, unsigned int interrupt);

/**
 * sluice_map_registers - map registers of a BAR, uncached
 * @device: fd of the device
 * @bar: number of the BAR
 * @offset: in the BAR, in bytes, a multiple of the page size
 * @size: in bytes, a multiple of the page size
 * @address: set to the address of the mapping.  Undo the mapping with munmap()
 *
 * Return: 0 or a negative errno of mmap().
 *
 * Errors:
 *
 *	-EACCES		root has not allowed all these pages for mmap()
 *	-EPERM		the kernel is locked down
 *	-EINVAL		there is no such BAR, or the device driver does not let userspace map
 *			registers
 *	-EINVAL		@offset or @size is not a multiple of the page size, or @size is 0
 *	-EIO		the hardware was asleep, and does not wake up
 *	-ENODEV		the device is removed
 */
int sluice_map_registers(int device, unsigned int bar, uint64_t offset, size_t size,
			 volatile void **address);

/**
 * sluice_submit - submit a job, without waiting for it
 * @queue: fd of the queue
 * @ops: array of ops; the kernel copies it during the call
 * @num_ops: length of @ops, 0 to SLUICE_MAX_OPS
 * @in_fence: sync_file that the job waits for, or -1 for none; stays open
 * @out_fence: set to a sync_file that signals when the job has ended; NULL to make none
 * @user_data: any number; the job's completion returns it
 * @point: set to the job's point; may be NULL
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EBUSY		the queue is full: read completions
 *	-EINVAL		an op is not valid: its page says why
 *	-ENOENT		there is no such slot
 *	-EACCES		a slot was attached for the other direction
 *	-EPERM		an op uses a register, and the kernel is locked down
 *	-ERANGE		a range ends beyond the end of its buffer
 *	-EOPNOTSUPP	the engine does not have this kind of op, or the kernel has no
 *			sync_file
 *	-E2BIG		@num_ops is above SLUICE_MAX_OPS
 *	-EBADF		@in_fence is not an open fd, and not -1
 *	-EINVAL		@in_fence is not a sync_file
 *	-EIO		the queue is dead: 8 of its jobs hung; close it
 *	-ENODEV		the device is removed, or the memory of a slot was taken back
 */
int sluice_submit(int queue, const struct sluice_op *ops, unsigned int num_ops, int in_fence,
		  int *out_fence, uint64_t user_data, uint64_t *point);

/**
 * sluice_submit_after - submit a job that waits for several fences
 * @queue: fd of the queue
 * @ops: array of ops; the kernel copies it during the call
 * @num_ops: length of @ops, 0 to SLUICE_MAX_OPS
 * @in_fences: array of sync_files that the job waits for; -1 is not allowed in it
 * @num_in_fences: length of @in_fences, 0 to SLUICE_MAX_IN_FENCES
 * @out_fence: set to a sync_file that signals when the job has ended; NULL to make none
 * @user_data: any number; the job's completion returns it
 * @point: set to the job's point; may be NULL
 *
 * If any of the fences ends with an error, the job ends with -ECANCELED and does not run.  A
 * fence that sluice_fence_merge() has made may hide an error of one of its fences.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EBUSY		the queue is full: read completions
 *	-EINVAL		an op is not valid: its page says why
 *	-ENOENT		there is no such slot
 *	-EACCES		a slot was attached for the other direction
 *	-EPERM		an op uses a register, and the kernel is locked down
 *	-ERANGE		a range ends beyond the end of its buffer
 *	-EOPNOTSUPP	the engine does not have this kind of op, or the kernel has no
 *			sync_file
 *	-E2BIG		there are too many ops or fences
 *	-EBADF		a fence is not an open fd
 *	-EINVAL		a fence is not a sync_file
 *	-EIO		the queue is dead: 8 of its jobs hung; close it
 *	-ENODEV		the device is removed, or the memory of a slot was taken back
 */
int sluice_submit_after(int queue, const struct sluice_op *ops, unsigned int num_ops,
			const int *in_fences, unsigned int num_in_fences, int *out_fence,
			uint64_t user_data, uint64_t *point);

struct io_uring_sqe;

/**
 * sluice_submit_points - submit a job that waits for jobs of other queues
 * @queue: fd of the queue
 * @ops: the ops; may be NULL if @num_ops is 0
 * @num_ops: length of @ops, at most 256
 * @points: fds of queues, each with the point of a job; fds of sync_files are not needed
 * @num_points: length of @points, at most 64
 * @user_data: any number; the completion returns it
 * @point: set to the point of the job; may be NULL
 *
 * If one of these jobs ends with an error, this job ends with -ECANCELED and does not run.
 *
 * With a module older than UAPI version 7, the function makes a sync_file of each point, and
 * passes these to SUBMIT.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EBADF		the fd of a point is not open
 *	-EINVAL		the fd of a point is not a queue, or the queue has no job with this point
 *			yet; or this job is cyclic and has not ended
 *	-E2BIG		@num_points is above 64
 *	others		the errnos of sluice_submit()
 */
int sluice_submit_points(int queue, const struct sluice_op *ops, unsigned int num_ops,
			 const struct sluice_in_point *points, unsigned int num_points,
			 uint64_t user_data, uint64_t *point);

/**
 * sluice_submit_many - submit several jobs at once
 * @queue: fd of the queue
 * @jobs: the jobs, as for SLUICE_IOCTL_SUBMIT.  Their points are set; and the out_fence of the
 *	last one, the only job that may have SLUICE_SUBMIT_OUT_FENCE
 * @num_jobs: length of @jobs, 1 to 256; together at most 256 ops
 * @failed: after an error, set to the index of the job that is the reason, or to @num_jobs if no
 *	single job is; may be NULL
 *
 * The call submits all jobs, or none.  With a module older than UAPI version 7, it submits one job
 * after the other: after an error, the jobs before the one that failed have been submitted.  The
 * points of all others are 0.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@num_jobs is 0, or a job before the last one has SLUICE_SUBMIT_OUT_FENCE
 *	-E2BIG		@num_jobs is above 256, or the jobs have more than 256 ops
 *	-EBUSY		the queue has no room for all jobs
 *	others		the errnos of sluice_submit()
 */
int sluice_submit_many(int queue, struct sluice_submit *jobs, unsigned int num_jobs,
		       unsigned int *failed);

/**
 * sluice_submit_cyclic - submit a job that repeats its ops
 * @queue: fd of a queue with SLUICE_QUEUE_EXCLUSIVE
 * @ops: captures or playbacks, whose slots have SLUICE_ATTACH_EXPLICIT
 * @num_ops: length of @ops, 1 to SLUICE_MAX_OPS
 * @flags: SLUICE_SUBMIT_STOP_ON_XRUN or 0
 * @user_data: any number; each of the job's completions returns it
 * @point: set to the job's point; may be NULL
 *
 * After the last op the job begins again with the first, until another job is submitted to
 * the queue, or until the job is cancelled.  Completions with SLUICE_COMPLETION_MORE tell how
 * many ops have ended.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		the queue does not have SLUICE_QUEUE_EXCLUSIVE
 *	-EINVAL		@num_ops is 0, or an op is neither a capture nor a playback
 *	-EINVAL		a slot does not have SLUICE_ATTACH_EXPLICIT
 *	-EOPNOTSUPP	the exporter of a buffer must be able to wait for the job, but a
 *			cyclic job has no fence
 *	-EBUSY		the queue is full: read completions
 *	-ENOENT		there is no such slot
 *	-EACCES		a slot was attached for the other direction
 *	-ERANGE		a range ends beyond the end of its buffer
 *	-EIO		the queue is dead: 8 of its jobs hung; close it
 *	-ENODEV		the device is removed, or the memory of a slot was taken back
 */
int sluice_submit_cyclic(int queue, const struct sluice_op *ops, unsigned int num_ops,
			 uint32_t flags, uint64_t user_data, uint64_t *point);

/**
 * sluice_ack - tell the kernel which buffers of a cyclic job the device may use again
 * @queue: fd of the queue
 * @point: the point of the job
 * @ops: number of ops, from the beginning of the job on, whose captured data has been read, or
 *	whose buffers have been filled again for playback
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@point is not submitted yet, or is too old
 *	-EINVAL		the job has not ended, and is not cyclic
 *	-ENOTTY		@queue is not a queue, or the module is older than UAPI version 5
 */
int sluice_ack(int queue, uint64_t point, uint64_t ops);

/**
 * sluice_prep_submit - fill in an io_uring request that submits a job
 * @sqe: the request, of 64 bytes or more
 * @queue: fd of the queue; with IOSQE_FIXED_FILE the index of a registered file
 * @submit: the job, as for SLUICE_IOCTL_SUBMIT
 * @completion: filled in when the job has ended; may be NULL
 *
 * The request completes when the job has ended.  Its result is the status of the job, or the
 * errno with which SUBMIT refused the job.  INFO must report SLUICE_CAP_URING.
 *
 * This function clears @sqe: set user_data and flags of @sqe afterwards.  All memory that the
 * request points to must stay until the request has completed.
 *
 * The kernel writes completion_size bytes of @completion, as many as the queue was created
 * with (see sluice_queue_info()).  For a queue of sluice_queue_create() that is the whole struct.
 *
 * Errors of the request:
 *
 *	-EOPNOTSUPP	@queue is not a queue
 *	-EFAULT		the address of @submit or of @completion is not valid
 *	-EBUSY		the queue is full
 *	others		the other errnos of sluice_submit(), and the errors of a job
 */
void sluice_prep_submit(struct io_uring_sqe *sqe, int queue, struct sluice_submit *submit,
			struct sluice_completion *completion);

/**
 * sluice_prep_submit_many - fill in an io_uring request that submits several jobs
 * @sqe: the request, of 64 bytes or more
 * @queue: fd of the queue; with IOSQE_FIXED_FILE the index of a registered file
 * @many: the jobs, as for SLUICE_IOCTL_SUBMIT_MANY
 * @completions: an array with an element for each job, filled in when the last job has ended; may
 *	be NULL
 *
 * The request completes when the last job has ended.  Its result is the status of the first job
 * that failed, or 0; or the errno with which SUBMIT_MANY refused the jobs.  INFO must report
 * SLUICE_CAP_URING and SLUICE_CAP_SUBMIT_MANY.  Apart from that, the rules of
 * sluice_prep_submit() apply.
 *
 * Errors of the request:
 *
 *	-EOPNOTSUPP	@queue is not a queue, or the module is older than UAPI version 7
 *	-EFAULT		the address of @many or of @completions is not valid
 *	-EBUSY		the queue has no room for all jobs
 *	others		the other errnos of sluice_submit_many(), and the errors of a job
 */
void sluice_prep_submit_many(struct io_uring_sqe *sqe, int queue, struct sluice_submit_many *many,
			     struct sluice_completion *completions);

/**
 * sluice_wait - wait until a job has ended
 * @queue: fd of the queue
 * @point: the point of the job
 * @timeout_ms: from now, in milliseconds; negative to wait without a limit
 *
 * A signal does not end the wait.
 *
 * -ETIME is ambiguous: either the wait has timed out, or the job itself ended with -ETIME
 * because it was too slow.  The job's completion, or poll() on its fence, tells whether it has
 * ended.
 *
 * Return: 0 if the job succeeded, or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@point is 0, or is not submitted yet
 *	-ETIME		the job has not ended in time
 *	-ETIME		the job itself was too slow
 *	-ECANCELED	the job was cancelled, or one of its explicit in-fences ended with an
 *			error
 *	-ENODEV		the device was removed before the job ended
 *	others		the error of the job, often -EIO
 */
int sluice_wait(int queue, uint64_t point, int timeout_ms);

/**
 * sluice_cancel - cancel jobs that are no longer needed
 * @queue: fd of the queue
 * @first: point of the first job, not 0
 * @last: point of the last job; UINT64_MAX for all jobs that have been submitted
 *
 * Does not wait.  The jobs end with -ECANCELED, soon and in their order.  A job that is about
 * to end may still complete normally.
 *
 * Return: the number of jobs that were cancelled, or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@first is 0, or is after @last
 *	-ENOTTY		@queue is not a queue
 */
int sluice_cancel(int queue, uint64_t first, uint64_t last);

/**
 * sluice_read - read completions
 * @queue: fd of any queue, whatever completion_size it was created with
 * @completions: array that receives the completions; fields that the queue's records do not
 *	have are 0
 * @max: length of @completions, at least 1
 *
 * Blocks while there is no completion.  To wake a thread that waits here, submit a job without
 * ops, or send the thread a signal whose handler was installed without SA_RESTART.
 *
 * Return: the number of completions, or a negative errno.
 *
 * Errors:
 *
 *	-EAGAIN		there is no completion, and the queue is non-blocking
 *	-EINVAL		@max is 0
 *	-EINTR		a signal came, and its handler was installed without SA_RESTART
 *	-EFAULT		@completions is not a valid address; no completion is lost
 *	-ENODEV		the device is removed, and all completions have been read
 *	-EIO		the queue is dead, and all completions have been read
 *	-EOPNOTSUPP	the queue has a completion ring: see sluice_ring_take()
 */
int sluice_read(int queue, struct sluice_completion *completions, size_t max);

/**
 * struct sluice_ring - a queue whose completions a program takes without a system call
 * @queue: fd of the queue
 * @header: the completion ring; NULL if the module has no rings, and completions are read
 * @size: bytes of the ring
 * @reserved: 0
 *
 * The caller provides the struct, and does not change it.
 */
struct sluice_ring {
	int queue;
	struct sluice_ring_header *header;
	size_t size;
	uint64_t reserved[4];
};

/**
 * sluice_ring_create - create a queue with a completion ring
 * @device: fd of the device
 * @engine: number of the engine that runs the queue's jobs
 * @depth: most jobs that have not ended or whose completion is not taken, up to max_depth of
 *	sluice_device_info(); 0 for 256
 * @flags: SLUICE_QUEUE_CHAIN_ERRORS, SLUICE_QUEUE_EXCLUSIVE, or 0
 * @ring: receives the queue and its ring
 *
 * The kernel writes completions to memory that the program maps.  sluice_ring_take() needs no
 * system call to see that a job has ended.
 *
 * If the module has no rings (SLUICE_CAP_RING), the queue is non-blocking, and
 * sluice_ring_take() reads the completions.  A program need not care, unless it calls
 * sluice_read() or uses the mapping itself.
 *
 * Return: the fd of the queue (close-on-exec), which is also in @ring; or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		there is no such engine, @depth is above the maximum, or a flag is unknown
 *	-EBUSY		the engine has a queue with SLUICE_QUEUE_EXCLUSIVE
 *	-EBUSY		@flags has SLUICE_QUEUE_EXCLUSIVE, and the engine has a queue
 *	-EDQUOT		the ring would exceed the limit of this open file, of its user, or of all
 *			open files
 *	-ENOSPC		this open file of the node has 1024 queues
 *	-EIO		8 jobs of this open file hung on the engine, and none succeeded in
 *			between
 *	-ENODEV		the device is removed
 */
int sluice_ring_create(int device, unsigned int engine, uint32_t depth, uint32_t flags,
		       struct sluice_ring *ring);

/**
 * sluice_ring_take - take completions, without waiting
 * @ring: from sluice_ring_create()
 * @completions: array that receives the completions; fields that the module does not know
 *	are 0
 * @max: length of @completions
 *
 * Only one thread at a time may take completions of a queue.  The progress of a cyclic job comes
 * as from sluice_read().  If no more completions will come, because the device is removed or
 * the queue is dead, the result is 0, and sluice_ring_wait() tells the reason.
 *
 * Return: the number of completions, 0 if there is none; or a negative errno.
 *
 * Errors:
 *
 *	-EBADF		@ring is not from sluice_ring_create(), or is destroyed
 */
int sluice_ring_take(struct sluice_ring *ring, struct sluice_completion *completions, size_t max);

/**
 * sluice_ring_wait - wait until a completion can be taken
 * @ring: from sluice_ring_create()
 * @timeout_ms: from now, in milliseconds; negative to wait without a limit
 *
 * A signal does not end the wait.  Several threads may wait.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-ETIME		there was no completion in time
 *	-ENODEV		the device is removed, and there is no completion
 *	-EIO		the queue is dead, and there is no completion
 */
int sluice_ring_wait(const struct sluice_ring *ring, int timeout_ms);

/**
 * sluice_ring_destroy - unmap the ring of a queue and close the queue
 * @ring: from sluice_ring_create()
 *
 * Jobs that have not ended are cancelled, unless another fd or mapping keeps the queue.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EBADF		@ring is not from sluice_ring_create(), or is destroyed
 */
int sluice_ring_destroy(struct sluice_ring *ring);

/**
 * sluice_fence_wait - wait until a fence has signalled
 * @fence: a sync_file
 * @timeout_ms: from now, in milliseconds; negative to wait without a limit
 *
 * A fence whose job was too slow also has the error -ETIME.  poll() on the fence tells whether
 * it has signalled.
 *
 * Return: 0 if the fence has signalled without an error, or a negative errno.
 *
 * Errors:
 *
 *	-ETIME		the fence has not signalled in time
 *	-ETIME		the job of the fence was too slow
 *	-EBADF		@fence is negative or not open
 *	-ENOTTY		@fence is not a sync_file
 *	others		the error of the fence
 */
int sluice_fence_wait(int fence, int timeout_ms);

/**
 * sluice_fence_export - get the fences on a dma-buf as one sync_file
 * @dmabuf: the dma-buf, of any exporter
 * @write: true for the fences that a writer must wait for, which are all; false for those that
 *	a reader must wait for, which are the fences of writers
 *
 * Return: the fd of a new sync_file (close-on-exec), or a negative errno.
 *
 * Errors:
 *
 *	-ENOTTY		@dmabuf is not a dma-buf, or the kernel has no sync_file
 *	-EMFILE		the process has no free fd
 */
int sluice_fence_export(int dmabuf, bool write);

/**
 * sluice_fence_import - add a fence to a dma-buf
 * @dmabuf: the dma-buf, of any exporter
 * @fence: a sync_file; stays open
 * @write: true to add it as the fence of a writer, false as the fence of a reader
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-ENOTTY		@dmabuf is not a dma-buf, or the kernel has no sync_file
 *	-EINVAL		@fence is not a sync_file
 */
int sluice_fence_import(int dmabuf, int fence, bool write);

/**
 * sluice_fence_merge - make a fence that waits for two fences
 * @a: a sync_file; stays open
 * @b: a sync_file; stays open
 *
 * If both fences come from jobs of the same queue, the kernel keeps only the fence of the
 * later job.  The merged fence then does not have the error of the earlier job.  Where errors
 * matter, pass both fences to sluice_submit_after() instead.
 *
 * Return: the fd of a new sync_file (close-on-exec), or a negative errno.
 *
 * Errors:
 *
 *	-ENOTTY		@a is not a sync_file
 *	-ENOENT		@b is not a sync_file
 *	-EMFILE		the process has no free fd
 */
int sluice_fence_merge(int a, int b);

/**
 * sluice_fence_status - has a fence signalled?
 * @fence: a sync_file
 *
 * Does not wait.
 *
 * Return: 0 if the fence is pending, 1 if it has signalled without an error, or a negative errno.
 *
 * Errors:
 *
 *	-EBADF		@fence is negative or not open
 *	-ENOTTY		@fence is not a sync_file
 *	others		the fence has signalled with this error
 */
int sluice_fence_status(int fence);

/**
 * sluice_fence_join - make a fence that waits for several fences and keeps their errors
 * @queue: fd of a queue; the fence becomes a point of its timeline
 * @fences: array of sync_files; they stay open
 * @num_fences: length of @fences, 1 to SLUICE_MAX_IN_FENCES
 *
 * The function submits a job without ops, which leaves no completion.  Unlike
 * sluice_fence_merge(), it passes an error on: if any of the fences ends with an error, the new
 * fence ends with -ECANCELED.  The new fence signals after all jobs submitted to the queue before.
 * If a fence has not signalled after 30 s, the new fence ends with -ETIME.  If the queue is closed,
 * or the job is cancelled, it ends with -ECANCELED.
 *
 * Return: the fd of a new sync_file (close-on-exec), or a negative errno.
 *
 * Errors:
 *
 *	-EBADF		a fence is negative or not open
 *	-EINVAL		a fence is not a sync_file, or @num_fences is 0
 *	-E2BIG		@num_fences is above SLUICE_MAX_IN_FENCES
 *	-EBUSY		the queue is full: read completions
 *	-EOPNOTSUPP	the kernel has no sync_file
 *	-ENOTTY		@queue is not a queue
 *	-EIO		the queue is dead
 *	-ENODEV		the device is removed
 */
int sluice_fence_join(int queue, const int *fences, unsigned int num_fences);

/**
 * sluice_fence_to_timeline - make a fence a point of a DRM timeline
 * @fence: a sync_file; stays open
 * @drm: fd of a DRM device
 * @timeline: handle of a syncobj of this fd
 * @point: the point, larger than those that the timeline has
 *
 * The point is reached when the fence and the points before it have signalled.  Vulkan's timeline
 * semaphores, Wayland's linux-drm-syncobj and PipeWire's SPA_META_SyncTimeline use such timelines.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@fence is not a sync_file, or @point is 0
 *	-EBADF		@drm is not open
 *	-ENOENT		@drm has no syncobj @timeline
 *	-ENOTTY		@drm is not a DRM device
 *	-EOPNOTSUPP	the DRM device has no syncobjs, or no timelines
 *	-ENOSYS		libsluice was built without <drm/drm.h>
 */
int sluice_fence_to_timeline(int fence, int drm, uint32_t timeline, uint64_t point);

/**
 * sluice_fence_from_timeline - get a point of a DRM timeline as a fence
 * @drm: fd of a DRM device
 * @timeline: handle of a syncobj of this fd
 * @point: a point that the timeline has already; it may be pending
 *
 * Return: the fd of a new sync_file (close-on-exec), or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		the timeline does not have @point yet
 *	-EBADF		@drm is not open
 *	-ENOENT		@drm has no syncobj @timeline
 *	-ENOTTY		@drm is not a DRM device
 *	-EOPNOTSUPP	the DRM device has no syncobjs, or no timelines
 *	-EMFILE		the process has no free fd
 *	-ENOSYS		libsluice was built without <drm/drm.h>
 */
int sluice_fence_from_timeline(int drm, uint32_t timeline, uint64_t point);

/**
 * struct sluice_layout - how a frame lies in memory
 * @size: bytes of the frame, all planes together
 * @num_planes: number of planes
 * @stride: of each plane, bytes from line to line
 * @offset: of each plane, bytes from the start of the frame
 * @reserved: 0
 *
 * The planes follow one another without a gap.  SUBMIT uses this layout if num_planes of the op is
 * 0.
 */
struct sluice_layout {
	uint64_t size;
	uint32_t num_planes;
	uint32_t stride[SLUICE_MAX_PLANES];
	uint64_t offset[SLUICE_MAX_PLANES];
	uint64_t reserved[4];
};

/**
 * sluice_frame_layout - compute strides, offsets and size of a frame
 * @format: a fourcc of <drm_fourcc.h>, or a fourcc of V4L2 for grey and Bayer data
 * @width: in pixels
 * @height: in lines
 * @align: the stride of each plane becomes a multiple of it, in bytes; a power of two, or 0 for 64
 * @layout: receives the result
 *
 * The function knows the formats whose layout the kernel part knows: packed RGB of 16 to 32 bits,
 * YUYV, YVYU, UYVY, VYUY, NV12, NV16, NV24, P010, YUV420, YUV422, YUV444, grey and Bayer.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@width or @height is 0, or the format cannot have this width or height
 *	-EOPNOTSUPP	the function does not know the format
 *	-EOVERFLOW	the frame is larger than a buffer can be
 */
int sluice_frame_layout(uint32_t format, uint32_t width, uint32_t height, uint32_t align,
			struct sluice_layout *layout);

/*
 * struct sluice_stream_setup.flags
 *
 *	PLAYBACK	from memory to the device; without it the stream captures
 *	EARLY		sluice_stream_next() does not wait for the device: the frame has a fence,
 *			and the user of the frame waits for it
 *	EXPLICIT	the device does not wait for the fences on the dma-bufs, and adds none
 */
#define SLUICE_STREAM_PLAYBACK	(1U << 0)
#define SLUICE_STREAM_EARLY	(1U << 1)
#define SLUICE_STREAM_EXPLICIT	(1U << 2)

#define SLUICE_STREAM_MAX_BUFFERS	64

/**
 * struct sluice_stream_setup - the frames of a stream, and the buffers for them
 * @engine: number of the engine
 * @flags: SLUICE_STREAM_* or 0
 * @num_buffers: 2 to SLUICE_STREAM_MAX_BUFFERS; 0 for 4
 * @format: fourcc of an image that sluice_frame_layout() knows; 0 for raw data
 * @width: of an image, in pixels
 * @height: of an image, in lines
 * @field: SLUICE_FIELD_* of an image
 * @align: as for sluice_frame_layout(), or the alignment that the engine needs if that is larger
 * @size: bytes of a frame of raw data; 0 for an image
 * @timeout_ms: longest time for which the device may have a buffer, with the time in which it waits
 *	for a frame; 0 for the longest that the device allows, 30 s.  If it is exceeded, the frame
 *	fails with -ETIME.  After 8 such frames one after the other the stream ends with -EIO
 * @alloc_flags: SLUICE_MEM_* that the buffers must have, or 0
 * @heap: name of the heap of the buffers; NULL for the first heap that the engine can use
 * @reserved: must be 0
 */
struct sluice_stream_setup {
	uint32_t engine;
	uint32_t flags;
	uint32_t num_buffers;
	uint32_t format;
	uint32_t width;
	uint32_t height;
	uint32_t field;
	uint32_t align;
	uint64_t size;
	uint32_t timeout_ms;
	uint32_t alloc_flags;
	const char *heap;
	uint64_t reserved[8];
};

/**
 * struct sluice_frame - a frame of a stream
 * @buffer: the dma-buf; it belongs to the stream: do not close it
 * @index: number of the buffer in the stream, from 0
 * @fence: a sync_file that signals when the device has finished with the buffer; it belongs to
 *	the stream: do not close it, and do not use it after sluice_stream_release().  -1 if the
 *	device has finished already
 * @status: 0, or a negative errno if the device could not capture the frame, or could not play the
 *	frame that was in the buffer before.  The values are those of struct sluice_completion
 * @flags: SLUICE_FRAME_*
 * @bytes: bytes that the device has written or read
 * @timestamp: CLOCK_MONOTONIC in nanoseconds: when the frame began
 * @sequence: number of the frame; the device counts from 0
 * @dropped: frames lost since the frame before, because the device had no buffer
 * @reserved0: 0
 * @reserved: 0
 *
 * If @fence is not -1, the fields after it are 0: the device does not know them yet.  See
 * sluice_stream_describe().  In playback they describe the frame that was in the buffer before; if
 * there was none they are 0.
 */
struct sluice_frame {
	int32_t buffer;
	uint32_t index;
	int32_t fence;
	int32_t status;
	uint32_t flags;
	uint32_t reserved0;
	uint64_t bytes;
	uint64_t timestamp;
	uint64_t sequence;
	uint64_t dropped;
	uint64_t reserved[4];
};

struct sluice_stream;

/**
 * sluice_stream_open - create a stream of frames, with a queue and buffers of its own
 * @device: fd of the device; may be closed afterwards
 * @setup: description of the stream
 * @stream: set to the stream, or to NULL after an error
 *
 * A capture begins at once, with all buffers.  Each buffer passes between the device and the caller
 * in turn: the device fills it, sluice_stream_next() gives it to the caller, and
 * sluice_stream_release() gives it back to the device.  In a playback, sluice_stream_next() gives a
 * buffer that the caller fills, and sluice_stream_release() plays it.
 *
 * Only one thread at a time may call functions for a stream.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		a field of @setup is not valid
 *	-EOPNOTSUPP	the engine does not capture or play back, or does not list the format with
 *			this field and size
 *	-EOPNOTSUPP	sluice_frame_layout() does not know the format
 *	-EOPNOTSUPP	@setup has SLUICE_STREAM_EARLY, and the kernel has no sync_file
 *	-ENOENT		there is no such heap, or none with these properties
 *	-ENOMEM		there is not enough memory
 *	-EDQUOT		the buffers would exceed the limit of this open file, of its user, or of
 *			all open files
 *	-ENOTTY		@device is not the fd of a device, or the module is older than UAPI
 *			version 5
 *	others		the errnos of sluice_queue_create(), sluice_alloc(), sluice_attach() and
 *			sluice_submit()
 */
int sluice_stream_open(int device, const struct sluice_stream_setup *setup,
		       struct sluice_stream **stream);

/**
 * sluice_stream_layout - ask for the layout of the frames of a stream
 * @stream: the stream
 * @layout: receives the layout; raw data has one plane with stride 0
 */
void sluice_stream_layout(const struct sluice_stream *stream, struct sluice_layout *layout);

/**
 * sluice_stream_buffer - the dma-buf of a buffer of a stream
 * @stream: the stream
 * @index: number of the buffer, from 0
 *
 * For importers that want all buffers before the first frame.  Call the function with 0, 1, ...
 * until it fails.
 *
 * Return: the fd of the dma-buf, which belongs to the stream; or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		there is no such buffer
 */
int sluice_stream_buffer(const struct sluice_stream *stream, unsigned int index);

/**
 * sluice_stream_queue - the queue of a stream
 * @stream: the stream
 *
 * To wait for several files at the same time, call sluice_stream_next() with a timeout of 0 until
 * it returns -EAGAIN.  Then poll() on the queue returns when there is a frame (POLLIN), or when the
 * stream has ended (POLLHUP, POLLERR).  Neither submit jobs to the queue, nor read its completions.
 *
 * Return: the fd of the queue, which belongs to the stream; or a negative errno.
 *
 * Errors:
 *
 *	-EBADF		@stream is NULL
 */
int sluice_stream_queue(const struct sluice_stream *stream);

/**
 * sluice_stream_next - get the next frame
 * @stream: the stream
 * @frame: receives the frame
 * @timeout_ms: from now, in milliseconds; 0 to not wait; negative to wait without a limit
 *
 * Frames come in the order in which the device processes them, also those that it could not
 * process: see the field status.  The caller reads a captured frame, or fills the buffer of a
 * playback, and calls sluice_stream_release().  It may have several frames at a time.  While it has
 * all of them, a capture loses frames, and counts them.
 *
 * With SLUICE_STREAM_EARLY the function waits only while the device has more jobs than the stream
 * has buffers.
 *
 * A signal does not end the wait.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EAGAIN		there was no frame in time
 *	-ENOBUFS	the caller has all frames: release one first
 *	-ENODEV		the device is removed, and the caller has all frames
 *	-EIO		the stream has ended, because 8 frames hung, and the caller has all frames
 */
int sluice_stream_next(struct sluice_stream *stream, struct sluice_frame *frame, int timeout_ms);

/**
 * sluice_stream_describe - wait until the device has finished with a frame, and describe it
 * @stream: the stream
 * @index: sluice_frame.index of a frame that the caller has
 * @frame: receives all fields of the frame
 * @timeout_ms: from now, in milliseconds; 0 to not wait; negative to wait without a limit
 *
 * For frames that sluice_stream_next() has given early, when their fence has signalled.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EAGAIN		the device has not finished in time
 *	-EINVAL		the caller does not have this frame
 */
int sluice_stream_describe(struct sluice_stream *stream, unsigned int index,
			   struct sluice_frame *frame, int timeout_ms);

/**
 * sluice_stream_release - give a frame back to the device
 * @stream: the stream
 * @index: sluice_frame.index of a frame that the caller has
 * @fence: a sync_file that signals when the caller's work on the frame has ended; -1 if it has
 *	ended already.  It stays open
 *
 * The device waits for @fence before it uses the buffer.  A capture ignores an error of @fence.  In
 * a playback, a frame whose @fence ends with an error is not played.  If @fence has not signalled
 * after 30 s, the frame fails with -ETIME.
 *
 * After an error the caller still has the frame.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		the caller does not have this frame
 *	-EINVAL		@fence is not a sync_file
 *	-EBADF		@fence is not an open fd, and not -1
 *	-EIO		the stream has ended, because 8 frames hung
 *	-ENODEV		the device is removed
 *	others		the errnos of sluice_submit()
 */
int sluice_stream_release(struct sluice_stream *stream, unsigned int index, int fence);

/**
 * sluice_stream_drain - wait until the device has finished with all buffers that it has
 * @stream: a playback
 * @timeout_ms: from now, in milliseconds; negative to wait without a limit
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EAGAIN		the device has not finished in time
 *	-EINVAL		the stream is a capture, which does not end by itself
 *	others		the status of the first frame that was not played, and that
 *			sluice_stream_next() has not reported
 */
int sluice_stream_drain(struct sluice_stream *stream, int timeout_ms);

/**
 * sluice_stream_close - end a stream
 * @stream: the stream, or NULL
 *
 * Does not wait.  Frames that the device has not finished end with -ECANCELED.  The fds of the
 * stream are closed.  Importers of a dma-buf keep its memory.
 */
void sluice_stream_close(struct sluice_stream *stream);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_H */
