/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Sluice: dma-bufs that a device can reach, with fences that tell when.
 *
 * Everything is a file descriptor:
 *
 *	device	/dev/sluice/<device>		SLUICE_IOCTL_INFO .. SET_CONTROL, read() and poll()
 *					for events, mmap() of registers
 *	buffer	a dma-buf			<linux/dma-buf.h>, mmap()
 *	queue	from CREATE_QUEUE		SLUICE_IOCTL_ATTACH .. WAIT, read(), poll(),
 *					SLUICE_URING_SUBMIT through io_uring
 *	fence	a sync_file			<linux/sync_file.h>, poll()
 *
 * Every struct may grow at its end.  The kernel goes by the ioctl's number and
 * takes the size from its command word: a shorter struct is filled up with
 * zeroes, a longer one is accepted if its unknown tail is zero (-E2BIG if not).
 * Unknown flags and non-zero reserved fields are refused with -EINVAL.  Fields
 * marked "out" are ignored on the way in.  All structs have the same layout
 * for 32-bit and 64-bit programs.
 *
 * Ops, commands and completions are in arrays, so their size is told in a field of its
 * own: op_size, command_size, completion_size.  0 stands for the size of UAPI version 1
 * (SLUICE_OP_SIZE_V1 and its like); sizeof of the struct is what a program passes that uses
 * the fields added later.
 *
 * After the device has gone (unbind, unplug) every ioctl that needs it returns
 * -ENODEV; buffers stay valid for whoever holds them, but for those in the
 * device's own memory (SLUICE_MEM_DEVICE), which are taken away.
 */
#ifndef _UAPI_LINUX_SLUICE_H
#define _UAPI_LINUX_SLUICE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** SLUICE_UAPI_VERSION - counts additions to this file; nothing is ever removed */
#define SLUICE_UAPI_VERSION	6	/* 2: WRAP, SYNC, CANCEL, PLAYBACK, io_uring, more SLUICE_MEM_*; 3: PROGRAM, EVENTFD, mmap() of registers; 4: max_queues, limits of users and of all opens, CHAIN_ERRORS, CANCEL_CLEAR, CMA, BOUNCED, hints 4 to 7; 5: completion_size, QUEUE_INFO, start and end of a job, ENGINE_INFO, formats, planes, fields, flags and size of a frame that came, CYCLIC, ACK, EXCLUSIVE; 6: controls, events, SOURCE, PRIVATE, limits of an engine's ops */

#define SLUICE_NAME_LEN		32

/* Limits.  INFO reports them too, for programs built against an older header. */
#define SLUICE_MAX_OPS		256	/* ops in a job */
#define SLUICE_MAX_IN_FENCES	64	/* in-fence fds of a job */
#define SLUICE_MAX_FENCES	16384	/* fences that a job waits for: in those fds, and on its buffers */
#define SLUICE_MAX_SLOTS	1024	/* slots of a queue */
#define SLUICE_MAX_QUEUES	1024	/* queues of an open of the node */
#define SLUICE_MAX_DEPTH	4096	/* jobs of a queue, unread completions included */
#define SLUICE_MAX_TIMEOUT_MS	30000	/* running time of a job */
#define SLUICE_MAX_HANGS	8	/* jobs, one after the other, that ran out of it: of a queue, or of an open on one engine */
#define SLUICE_MAX_COMMANDS	4096	/* commands of a job, in all its PROGRAMs */
#define SLUICE_MAX_POLL_US	1000000	/* what the POLLs of a PROGRAM may take together */
#define SLUICE_MAX_PAYLOAD	4096	/* bytes of the payload of a PRIVATE */
#define SLUICE_MAX_PAYLOADS	65536	/* bytes of a job, in all its PRIVATEs */
#define SLUICE_MAX_EVENTS	64	/* unread events of an open of the node */

/* Sizes of structs that are in arrays, in the UAPI version that brought them; and the most. */
#define SLUICE_OP_SIZE_V1		64
#define SLUICE_COMMAND_SIZE_V1		40
#define SLUICE_COMPLETION_SIZE_V1	64
#define SLUICE_PLANE_SIZE_V5		16
#define SLUICE_MAX_RECORD_SIZE		256

#define SLUICE_MAX_PLANES	4	/* of a frame */

/**
 * enum sluice_op_kind - what an op does
 * @SLUICE_OP_COPY: copy @length bytes from @src at @src_offset to @dst at
 *	@dst_offset.  The two ranges must not overlap.
 * @SLUICE_OP_FILL: fill @length bytes of @dst with the 32-bit @value in host
 *	byte order; offset and length are multiples of 4.
 * @SLUICE_OP_CAPTURE: the device writes its next frame to @dst.  With
 *	@frame.width 0 a frame is raw data, @length bytes or, where frames have lengths
 *	of their own, at most that many (the completion tells), else an image of
 *	the given geometry, which must fit into @length.
 * @SLUICE_OP_PLAYBACK: the opposite: the device shows what is in @src as its
 *	next frame.
 * @SLUICE_OP_PROGRAM: the kernel writes and polls the device's registers and
 *	waits for its interrupts, as a list of struct sluice_command says.  The
 *	device may write @length bytes of @dst and read @src_length bytes of @src.
 * @SLUICE_OP_PRIVATE: an op that the device's driver defines.  A payload describes it, which
 *	the kernel copies and the driver checks.  The device may write
 *	@length bytes of @dst and read @src_length bytes of @src.
 */
enum sluice_op_kind {
	SLUICE_OP_COPY = 1,
	SLUICE_OP_FILL = 2,
	SLUICE_OP_CAPTURE = 3,
	SLUICE_OP_PLAYBACK = 4,
	SLUICE_OP_PROGRAM = 5,
	SLUICE_OP_PRIVATE = 6,
};

/* sluice_info.caps */
#define SLUICE_CAP_SYNC_FILE	(1ULL << 0)	/* in-fences, out-fences and FENCE work */
#define SLUICE_CAP_URING	(1ULL << 1)	/* SLUICE_URING_SUBMIT works */
#define SLUICE_CAP_CHAIN_ERRORS	(1ULL << 2)	/* SLUICE_QUEUE_CHAIN_ERRORS, SLUICE_CANCEL_CLEAR */
#define SLUICE_CAP_CMA		(1ULL << 3)	/* the kernel reserves memory for large contiguous buffers (CMA) */
#define SLUICE_CAP_BOUNCED	(1ULL << 4)	/* the kernel bounces the device's DMA (confidential guests, swiotlb=force): the contiguous heap alone works */
#define SLUICE_CAP_COMPLETION_SIZE (1ULL << 5)	/* CREATE_QUEUE takes completion_size, and there is QUEUE_INFO */
#define SLUICE_CAP_FORMATS	(1ULL << 6)	/* ENGINE_INFO, ENUM_*; planes, modifier and field of an op */
#define SLUICE_CAP_CYCLIC	(1ULL << 7)	/* SLUICE_SUBMIT_CYCLIC, ACK, SLUICE_QUEUE_EXCLUSIVE */
#define SLUICE_CAP_CONTROLS	(1ULL << 8)	/* ENUM_CONTROLS .. SET_CONTROL, SOURCE; read() and poll() of the node */
#define SLUICE_CAP_PRIVATE	(1ULL << 9)	/* SLUICE_OP_PRIVATE, where op_kinds has it */

/**
 * struct sluice_info - SLUICE_IOCTL_INFO: what this device is and can do
 * @flags: in, must be 0
 * @uapi_version: out, SLUICE_UAPI_VERSION of the running kernel module
 * @name: out, the device's name, that of its node; NUL-terminated
 * @driver: out, the device driver's name; NUL-terminated
 * @op_kinds: out, bit (1 << kind) for every op kind that the engines know
 * @caps: out, SLUICE_CAP_*
 * @num_heaps: out, heaps are numbered from 0; see SLUICE_IOCTL_HEAP_INFO
 * @num_engines: out, engines are numbered from 0
 * @max_ops: out, most ops in a job
 * @max_in_fences: out, most in-fences of a job
 * @max_slots: out, most slots of a queue
 * @max_depth: out, most jobs of a queue
 * @default_timeout_ms: out, running time allowed to a job unless CREATE_QUEUE
 *	says otherwise, in milliseconds
 * @max_timeout_ms: out, the longest that CREATE_QUEUE may ask for
 * @op_align: out, ops' offsets and lengths must be multiples of it, in bytes
 * @dma_bits: out, width of the addresses that the device can reach
 * @open_limit: out, bytes that one open of the node may hold in live buffers and in
 *	foreign buffers that are slots of its queues
 * @num_interrupts: out, interrupts of the device that EVENTFD and PROGRAM know,
 *	numbered from 0
 * @max_queues: out, most queues of one open of the node; 0 before UAPI version 4, which
 *	means no limit
 * @user_limit: out, bytes that all opens of one user may hold together; a caller with
 *	CAP_SYS_RESOURCE may exceed it
 * @user_bytes: out, bytes that the opens of the user who opened this node hold
 * @total_limit: out, bytes that all opens of all devices may hold together
 * @total_bytes: out, bytes that they hold
 *
 * Memory of a device's own (SLUICE_MEM_DEVICE) counts for @open_limit alone.
 */
struct sluice_info {
	__u32 flags;
	__u32 uapi_version;
	char name[SLUICE_NAME_LEN];
	char driver[SLUICE_NAME_LEN];
	__u64 op_kinds;
	__u64 caps;
	__u32 num_heaps;
	__u32 num_engines;
	__u32 max_ops;
	__u32 max_in_fences;
	__u32 max_slots;
	__u32 max_depth;
	__u32 default_timeout_ms;
	__u32 max_timeout_ms;
	__u32 op_align;
	__u32 dma_bits;
	__u64 open_limit;
	__u32 num_interrupts;
	__u32 max_queues;
	__u64 user_limit;
	__u64 user_bytes;
	__u64 total_limit;
	__u64 total_bytes;
};

/* sluice_engine_info.properties */
#define SLUICE_ENGINE_IS_ORDERED	(1U << 0)	/* ops of a queue are in flight together: each touches memory only after the one before it has ended */
#define SLUICE_ENGINE_IS_SOFTWARE	(1U << 1)	/* it works with the CPU */
#define SLUICE_ENGINE_WRITES		(1U << 2)	/* it has ops that write to memory */
#define SLUICE_ENGINE_READS		(1U << 3)	/* it has ops that read from memory */

/**
 * struct sluice_engine_info - SLUICE_IOCTL_ENGINE_INFO: what one engine is and can do
 * @index: in, 0 to num_engines - 1
 * @flags: in, must be 0
 * @op_kinds: out, bit (1 << kind) for every op kind that it knows
 * @properties: out, SLUICE_ENGINE_*
 * @depth: out, ops that the device may have at a time
 * @op_align: out, ops' offsets and lengths must be multiples of it, in bytes
 * @stride_align: out, strides of frames must be multiples of it, in bytes
 * @num_formats: out, formats that ENUM_FORMATS lists; without any, frames are raw data
 * @max_segments: out, segments that each range of an op may have; 0 for no limit
 * @min_length: out, bytes of the shortest op; 0 for no limit
 * @max_length: out, bytes of the longest op; 0 for no limit
 *
 * The lengths hold for all ops except PROGRAM and PRIVATE; those of an image whose planes have
 * places of their own are added.  @max_segments holds for all except PROGRAM.  A buffer has as
 * many segments as BUFFER_INFO says, or more, where the device's DMA splits one; memory of the
 * heap contiguous has one.  Older modules say 0 for all three.
 *
 * SUBMIT refuses what an engine does not have.  INFO has the union of all op kinds, and the
 * largest alignment.
 *
 * Errors: -EINVAL for an index beyond the last engine or for flags, -ENODEV, -EFAULT.
 */
struct sluice_engine_info {
	__u32 index;
	__u32 flags;
	__u64 op_kinds;
	__u32 properties;
	__u32 depth;
	__u32 op_align;
	__u32 stride_align;
	__u32 num_formats;
	__u32 max_segments;
	__u64 min_length;
	__u64 max_length;
};

/* sluice_op.field; bit (1 << field) of sluice_enum_formats.fields */
#define SLUICE_FIELD_NONE	0	/* the whole picture, taken at one time */
#define SLUICE_FIELD_TOP	1	/* the first, third, ... line of it */
#define SLUICE_FIELD_BOTTOM	2	/* the second, fourth, ... */
#define SLUICE_FIELD_INTERLACED	3	/* both of them, taken one after the other, line by line in one frame */
#define SLUICE_FIELD_ALTERNATE	4	/* one of them, whichever comes: the completion tells */

/* sluice_op.modifier, and others of <drm/drm_fourcc.h> where an engine lists them */
#define SLUICE_MODIFIER_LINEAR	0

/**
 * struct sluice_enum_formats - SLUICE_IOCTL_ENUM_FORMATS: one format of an engine
 * @engine: in, engine number
 * @index: in, from 0 on
 * @flags: in, must be 0
 * @format: out, a fourcc of <drm/drm_fourcc.h>, or, for raw sensor data and where DRM has
 *	none, of <linux/videodev2.h>
 * @modifier: out, SLUICE_MODIFIER_LINEAR or another of DRM's
 * @num_planes: out
 * @fields: out, bit (1 << SLUICE_FIELD_*) for each that a frame may be
 * @num_sizes: out, entries that ENUM_SIZES lists for it
 * @reserved: out, 0
 *
 * Errors: -EINVAL (behind the last one, no such engine, flags), -ENODEV, -EFAULT.
 */
struct sluice_enum_formats {
	__u32 engine;
	__u32 index;
	__u32 flags;
	__u32 format;
	__u64 modifier;
	__u32 num_planes;
	__u32 fields;
	__u32 num_sizes;
	__u32 reserved;
};

/**
 * struct sluice_enum_sizes - SLUICE_IOCTL_ENUM_SIZES: frame sizes of a format
 * @engine: in, engine number
 * @index: in, from 0 on
 * @flags: in, must be 0
 * @format: in, fourcc
 * @modifier: in
 * @min_width: out, pixels
 * @max_width: out, the same as @min_width for one width alone
 * @step_width: out, widths are @min_width plus a multiple of it
 * @min_height: out, lines
 * @max_height: out
 * @step_height: out
 * @num_intervals: out, entries that ENUM_INTERVALS lists for these sizes
 *
 * Errors: -EINVAL (behind the last one, no such engine, a format that it does not list,
 * flags), -ENODEV, -EFAULT.
 */
struct sluice_enum_sizes {
	__u32 engine;
	__u32 index;
	__u32 flags;
	__u32 format;
	__u64 modifier;
	__u32 min_width;
	__u32 max_width;
	__u32 step_width;
	__u32 min_height;
	__u32 max_height;
	__u32 step_height;
	__u32 num_intervals;
	__u32 reserved;
};

/**
 * struct sluice_fraction - a frame interval, in seconds
 * @numerator: not 0
 * @denominator: not 0
 */
struct sluice_fraction {
	__u32 numerator;
	__u32 denominator;
};

/**
 * struct sluice_enum_intervals - SLUICE_IOCTL_ENUM_INTERVALS: frame intervals of a size
 * @engine: in, engine number
 * @index: in, from 0 on
 * @flags: in, must be 0
 * @format: in, fourcc
 * @modifier: in
 * @width: in, pixels
 * @height: in, lines
 * @min: out, the shortest
 * @max: out, the longest; the same as @min for one interval alone
 * @step: out, intervals are @min plus a multiple of it
 *
 * Errors: -EINVAL (behind the last one, no such engine, a format or size that it does not
 * list, flags), -ENODEV, -EFAULT.
 */
struct sluice_enum_intervals {
	__u32 engine;
	__u32 index;
	__u32 flags;
	__u32 format;
	__u64 modifier;
	__u32 width;
	__u32 height;
	struct sluice_fraction min;
	struct sluice_fraction max;
	struct sluice_fraction step;
};

/* sluice_source.status */
#define SLUICE_SOURCE_SIGNAL	(1U << 0)	/* a signal is present */
#define SLUICE_SOURCE_LOCKED	(1U << 1)	/* the device is locked to the signal: frames arrive, and the other fields are valid */

/**
 * struct sluice_source - SLUICE_IOCTL_SOURCE: the input signal of an engine that captures
 * @engine: in, engine number
 * @flags: in, must be 0
 * @status: out, SLUICE_SOURCE_*
 * @width: out, pixels of a line; 0 if the source has no width of its own, or is not LOCKED
 * @height: out, lines of the whole picture; 0 likewise
 * @field: out, SLUICE_FIELD_NONE or _INTERLACED, as the signal has it
 * @interval: out, seconds from frame to frame; 0/0 if not known
 *
 * Each change of the signal raises a SLUICE_EVENT_SOURCE.  The answer is the state that the
 * driver has reported last: the hardware is not accessed, and may sleep.
 *
 * Errors: -EINVAL (no such engine, flags), -EOPNOTSUPP (the driver reports no source), -ENODEV,
 * -EFAULT.
 */
struct sluice_source {
	__u32 engine;
	__u32 flags;
	__u32 status;
	__u32 width;
	__u32 height;
	__u32 field;
	struct sluice_fraction interval;
};

/* sluice_enum_controls.type */
#define SLUICE_CONTROL_INT	1	/* a number */
#define SLUICE_CONTROL_BOOL	2	/* 0 or 1 */
#define SLUICE_CONTROL_MENU	3	/* one of several; ENUM_MENU has their names */
#define SLUICE_CONTROL_BUTTON	4	/* SET_CONTROL with the value 0 presses it; it has no value to get */

/* sluice_enum_controls.properties */
#define SLUICE_CONTROL_READ_ONLY	(1U << 0)	/* SET_CONTROL returns -EACCES */
#define SLUICE_CONTROL_VOLATILE		(1U << 1)	/* the hardware changes the value: GET_CONTROL asks the driver each time, and SET_CONTROL raises no event */

/* sluice_enum_controls.id: these mean the same for all drivers.  Ids from SLUICE_CONTROL_DRIVER on belong to the driver */
#define SLUICE_CONTROL_INPUT		1	/* menu: which connector, or which sensor */
#define SLUICE_CONTROL_GAIN		2
#define SLUICE_CONTROL_EXPOSURE		3	/* in microseconds */
#define SLUICE_CONTROL_BRIGHTNESS	4
#define SLUICE_CONTROL_CONTRAST		5
#define SLUICE_CONTROL_TRIGGER		6	/* button */
#define SLUICE_CONTROL_DRIVER		0x10000

/**
 * struct sluice_enum_controls - SLUICE_IOCTL_ENUM_CONTROLS: one control of the device
 * @index: in, from 0 on
 * @flags: in, must be 0
 * @id: out, its number for the other ioctls, 1 to 2^31 - 1
 * @type: out, SLUICE_CONTROL_INT, _BOOL, _MENU or _BUTTON
 * @properties: out, SLUICE_CONTROL_READ_ONLY and _VOLATILE
 * @reserved: out, 0
 * @min: out, the least value
 * @max: out, the largest
 * @step: out, values are @min plus a multiple of it; not 0
 * @default_value: out, its value before the first SET_CONTROL
 * @name: out, NUL-terminated; unique within the device
 *
 * Controls belong to the device, not to an open of the node: a new value applies to all opens.
 *
 * Errors: -EINVAL (behind the last one, flags), -ENODEV, -EFAULT.
 */
struct sluice_enum_controls {
	__u32 index;
	__u32 flags;
	__u32 id;
	__u32 type;
	__u32 properties;
	__u32 reserved;
	__s64 min;
	__s64 max;
	__s64 step;
	__s64 default_value;
	char name[SLUICE_NAME_LEN];
};

/**
 * struct sluice_enum_menu - SLUICE_IOCTL_ENUM_MENU: the name of one value of a MENU
 * @id: in, the control
 * @flags: in, must be 0
 * @value: in, 0 to its max
 * @name: out, NUL-terminated
 *
 * Errors: -EINVAL (beyond the max, a control that is no MENU, flags), -ENOENT (no such
 * control), -ENODEV, -EFAULT.
 */
struct sluice_enum_menu {
	__u32 id;
	__u32 flags;
	__s64 value;
	char name[SLUICE_NAME_LEN];
};

/**
 * struct sluice_control - SLUICE_IOCTL_GET_CONTROL, SET_CONTROL: the value of a control
 * @id: in, the control
 * @flags: in, must be 0
 * @value: SET_CONTROL: in; GET_CONTROL: out
 *
 * One call at a time reaches a device's driver.  When SET_CONTROL has returned, the device
 * has the value.  The first frame that shows it depends on the device.
 *
 * Errors: -ENOENT (no such control), -EINVAL (flags), -ERANGE (below min, above max, or
 * between two steps: no value is ever rounded), -EACCES (SET_CONTROL of a READ_ONLY one, or
 * through an fd that is not open for writing; GET_CONTROL of a BUTTON), -EIO (the device sleeps and
 * does not wake up), -EINTR, -ENODEV, -EFAULT, or the errno of the driver.  After an
 * error of SET_CONTROL the control keeps its value.
 */
struct sluice_control {
	__u32 id;
	__u32 flags;
	__s64 value;
};

/* sluice_event.type */
#define SLUICE_EVENT_CONTROL	1	/* the value of a control has changed: @id is the control's, @value the new value */
#define SLUICE_EVENT_SOURCE	2	/* the input signal has changed: @id is the engine, @value SLUICE_SOURCE_*; SOURCE returns the rest */
#define SLUICE_EVENT_DRIVER	0x10000	/* types from here on belong to the driver: see its documentation */

/* sluice_event.flags */
#define SLUICE_EVENT_OVERFLOW	(1U << 0)	/* a lost event may have been the last one of its type and id: query the device's state again */

/**
 * struct sluice_event - one record of read() on a device
 * @type: SLUICE_EVENT_*
 * @id: the object that the event is about, within that type
 * @value: its new state
 * @timestamp: CLOCK_MONOTONIC in nanoseconds: when the event was raised
 * @sequence: number of the event; the device counts all events from 1
 * @lost: number of events between the previous record of this open and this one, which the open
 *	never reads: a later event of the same type and id replaced them, or there was no room
 * @flags: SLUICE_EVENT_OVERFLOW
 * @reserved: 0
 * @reserved2: 0
 *
 * Each open of the node receives the events that are raised after it was opened, also those
 * that it causes.  An unread event is replaced by a later one of the same type and id.  At
 * most SLUICE_MAX_EVENTS records are kept; another one replaces the oldest.  Records come in
 * the order of @sequence.  A program that opens the node, then queries the state, and then
 * reads events misses no change.
 *
 * read() returns as many whole records as there are and fit.  It blocks while there is none,
 * unless O_NONBLOCK is set (-EAGAIN).  Errors: -EINVAL (buffer smaller than a record),
 * -EAGAIN, -EINTR, -EFAULT (no record is lost), -ENODEV (device gone, and all records read).
 *
 * poll(): EPOLLPRI and EPOLLIN an event can be read, EPOLLHUP the device is gone.
 *
 * An open node does not keep the hardware awake (runtime PM).  Hardware that sleeps may detect no
 * change of its input: then the event comes when it is awake again.
 *
 * The size of the record is fixed: new fields take the place of reserved ones, so ignore these.
 * An open that wants more will have to ask for it.
 */
struct sluice_event {
	__u32 type;
	__u32 id;
	__s64 value;
	__u64 timestamp;
	__u64 sequence;
	__u64 lost;
	__u32 flags;
	__u32 reserved;
	__u64 reserved2[2];
};

/*
 * sluice_heap_info.properties and .options, sluice_alloc.flags and .granted,
 * sluice_buffer_info.properties.  A buffer has one of CACHED, WRITE_COMBINED,
 * UNCACHED and COHERENT.
 */
#define SLUICE_MEM_CACHED	(1U << 0)	/* CPU mappings are cached: bracket CPU access with DMA_BUF_IOCTL_SYNC */
#define SLUICE_MEM_COHERENT	(1U << 1)	/* CPU mappings need no cache maintenance for this device; bracket CPU access if another one imports the buffer */
#define SLUICE_MEM_CONTIGUOUS	(1U << 2)	/* one segment of bus addresses for this device */
#define SLUICE_MEM_WRITE_COMBINED (1U << 3)	/* CPU mappings buffer writes and do not cache: for streams that the CPU only writes */
#define SLUICE_MEM_UNCACHED	(1U << 4)	/* CPU mappings do neither */
#define SLUICE_MEM_PAGE_BACKED	(1U << 5)	/* a process's mapping holds its pages: O_DIRECT, io_uring's fixed buffers, MSG_ZEROCOPY work on it */
#define SLUICE_MEM_DEVICE	(1U << 6)	/* inside the device, in a BAR or in SRAM: other devices reach it peer-to-peer or not at all, and it goes when the device does */
#define SLUICE_MEM_HUGE		(1U << 7)	/* as an option: all of the memory is in pieces of a huge page (2 MiB), for segments and entries of page tables of that size */
#define SLUICE_MEM_RESERVED	(1U << 8)	/* from a region that the device tree reserves for the device (memory-region), and from nowhere else */

/**
 * struct sluice_heap_info - SLUICE_IOCTL_HEAP_INFO: one kind of memory
 * @index: in, 0 to num_heaps - 1
 * @flags: in, must be 0
 * @name: out, NUL-terminated
 * @properties: out, SLUICE_MEM_* that a buffer of this heap has unless ALLOC
 *	asks for one of @options in its place
 * @options: out, SLUICE_MEM_* that ALLOC may ask for, too
 * @max_size: out, largest buffer in bytes that ALLOC may be asked for; what is
 *	free at the moment may be less
 *
 * Errors: -EINVAL for an index beyond the last heap or for flags.
 */
struct sluice_heap_info {
	__u32 index;
	__u32 flags;
	char name[SLUICE_NAME_LEN];
	__u32 properties;
	__u32 options;
	__u64 max_size;
};

/* fd_flags of everything that returns an fd.  Without any, O_CLOEXEC is set. */
#define SLUICE_FD_INHERIT	(1U << 0)	/* the fd survives exec() */
#define SLUICE_FD_RDONLY	(1U << 1)	/* ALLOC, WRAP: no writable CPU mapping, not through an importer either, no write by a queue, no import for writing alone */

/* sluice_alloc.hint and sluice_wrap.hint: why it failed */
#define SLUICE_HINT_NONE	0
#define SLUICE_HINT_LIMIT	1	/* over the limit of this open (-EDQUOT) or of the heap (-EFBIG) */
#define SLUICE_HINT_FRAGMENTED	2	/* memory is free, but not in one piece, or HUGE: not in huge ones (-ENOMEM) */
#define SLUICE_HINT_DMA_MASK	3	/* not addressable: nothing free that is (-ENOMEM), more than there can be (-EFBIG), pages that are not (-EADDRNOTAVAIL) */
#define SLUICE_HINT_USER_LIMIT	4	/* over the limit of this user (-EDQUOT): user_limit_mb */
#define SLUICE_HINT_TOTAL_LIMIT	5	/* over the limit of all opens together (-EDQUOT): total_limit_mb */
#define SLUICE_HINT_NO_CMA	6	/* contiguous: the kernel reserves nothing for large pieces (boot with cma=), and there is no other now (-ENOMEM), or never (-EFBIG) */
#define SLUICE_HINT_BOUNCED	7	/* the kernel would bounce the device's DMA: take contiguous (-EADDRNOTAVAIL) */

/**
 * struct sluice_alloc - SLUICE_IOCTL_ALLOC: allocate a buffer, as a dma-buf
 * @size: in, bytes, not 0; out, the size granted: rounded up to whole pages, with HUGE to
 *	whole huge pages
 * @heap: in, heap number
 * @flags: in, SLUICE_MEM_* that the buffer must have; -EOPNOTSUPP if this heap
 *	does not have them
 * @fd_flags: in, SLUICE_FD_*
 * @fd: out, the dma-buf
 * @granted: out, SLUICE_MEM_* that the buffer has
 * @hint: out, SLUICE_HINT_*, written on failure too
 *
 * The memory is zeroed.  It is charged to the caller's memory cgroup, unless it is
 * a device's own (SLUICE_MEM_DEVICE) or comes from CMA.
 *
 * Errors: -EINVAL (size 0, unknown heap, unknown flags, flags that exclude one
 * another: two kinds of CPU mapping, PAGE_BACKED with one that is not cached),
 * -EFBIG (beyond the heap's max_size), -EDQUOT (this open, its user, or all opens
 * together hold too much: @hint says which),
 * -EOPNOTSUPP, -EADDRNOTAVAIL (the kernel would bounce the device's DMA: only the
 * contiguous heap works), -ENOMEM, -EMFILE, -EINTR (killed), -ENODEV, -EFAULT.
 */
struct sluice_alloc {
	__u64 size;
	__u32 heap;
	__u32 flags;
	__u32 fd_flags;
	__s32 fd;
	__u32 granted;
	__u32 hint;
};

/**
 * struct sluice_wrap - SLUICE_IOCTL_WRAP: make a dma-buf of a memfd's pages
 * @memfd: in, from memfd_create() with MFD_ALLOW_SEALING, also with MFD_HUGETLB;
 *	open for reading and writing; may be closed afterwards
 * @flags: in, must be 0
 * @offset: in, bytes from the start of the file, whole pages
 * @size: in, bytes, whole pages, not 0; the range lies inside the file
 * @fd_flags: in, SLUICE_FD_*
 * @fd: out, the dma-buf
 * @granted: out, SLUICE_MEM_* that the buffer has
 * @hint: out, SLUICE_HINT_*, written on failure too
 *
 * Page for page, and nothing is copied: what is written to the file or a
 * mapping of it is in the dma-buf, and the other way round.  Holes are filled
 * with zeroed pages.  The pages are pinned until the last reference to the
 * dma-buf is gone, count against the limit of this open (a part of a huge page
 * as the whole, because all of it is), and stay charged to the memory cgroup
 * that they are charged to.
 *
 * The file must have the seal F_SEAL_SHRINK, or pages could go while a device
 * uses them, and neither F_SEAL_WRITE nor F_SEAL_FUTURE_WRITE, whose promise an
 * importer would break; so they are refused for a read-only fd, too.  While the
 * dma-buf exists F_SEAL_WRITE cannot be added (-EBUSY).  A hole punched later
 * parts file and dma-buf there: the dma-buf keeps its page.  Inside a huge page or
 * another large folio it clears that part of it, for both.
 *
 * Errors: -EBADF (no such fd), -EINVAL (a file of neither tmpfs nor hugetlbfs,
 * size 0, not whole pages, flags), -EACCES (not open for reading and writing),
 * -EPERM (the seals: see above; a file that is no memfd has none of them),
 * -ERANGE (beyond the end of the file), -EFBIG (more than this device or machine
 * can have), -EDQUOT (as ALLOC), -EADDRNOTAVAIL (pages that the
 * device cannot address), -ENOMEM (also: no huge pages for a hole), -EMFILE,
 * -EINTR, -ENODEV, -EFAULT.
 */
struct sluice_wrap {
	__s32 memfd;
	__u32 flags;
	__u64 offset;
	__u64 size;
	__u32 fd_flags;
	__s32 fd;
	__u32 granted;
	__u32 hint;
};

/* sluice_buffer_info.kind */
#define SLUICE_BUFFER_FOREIGN	0	/* another exporter's */
#define SLUICE_BUFFER_OURS	1	/* allocated or wrapped by a Sluice device */

/**
 * struct sluice_buffer_info - SLUICE_IOCTL_BUFFER_INFO: how this device sees a dma-buf
 * @fd: in, any dma-buf, ours or foreign
 * @flags: in, must be 0
 * @kind: out, SLUICE_BUFFER_*
 * @properties: out, SLUICE_MEM_*; of a foreign buffer only CONTIGUOUS is known
 * @size: out, bytes
 * @inode: out, inode number of the dma-buf: equal for every fd of one buffer
 * @error: out, 0 if the device can import the buffer, else the negative errno
 *	that ATTACH for reading would return; the fields below are then 0.  A foreign
 *	buffer is attached for a moment, and counts against the limit of this open
 *	(-EDQUOT) meanwhile
 * @segments: out, number of segments of bus addresses
 * @largest_segment: out, bytes
 * @address: out, bus address of the first segment; 0 unless the caller has
 *	CAP_SYS_RAWIO and the module parameter expose_addresses is set
 *
 * Errors: -EBADF (no such fd), -EINVAL (not a dma-buf, flags), -ENODEV, -EFAULT.
 */
struct sluice_buffer_info {
	__s32 fd;
	__u32 flags;
	__u32 kind;
	__u32 properties;
	__u64 size;
	__u64 inode;
	__s32 error;
	__u32 segments;
	__u64 largest_segment;
	__u64 address;
};

/* sluice_sync.flags: the values of DMA_BUF_SYNC_* */
#define SLUICE_SYNC_READ	(1U << 0)	/* the CPU reads */
#define SLUICE_SYNC_WRITE	(1U << 1)	/* the CPU writes */
#define SLUICE_SYNC_RW		(SLUICE_SYNC_READ | SLUICE_SYNC_WRITE)
#define SLUICE_SYNC_END		(1U << 2)	/* access ends; without it, it begins */

/**
 * struct sluice_sync - SLUICE_IOCTL_SYNC: begin or end CPU access to a range
 * @fd: in, a buffer of any Sluice device
 * @flags: in, SLUICE_SYNC_*; READ or WRITE or both
 * @offset: in, bytes
 * @length: in, bytes, not 0
 *
 * What DMA_BUF_IOCTL_SYNC does for the whole buffer, with cache maintenance for
 * the range alone.  Beginning waits for the buffer's fences, which know no
 * ranges.  End with the flags and the range of the beginning.  Works on any
 * Sluice node, also when the device has gone.
 *
 * Errors: -EBADF (no such fd), -EINVAL (not a dma-buf, flags, length 0),
 * -EOPNOTSUPP (a buffer of another exporter), -ERANGE (beyond the end), -ETIME
 * (jobs of the buffer still run after a minute), -EINTR (a signal during the
 * wait), -ENODEV (a buffer in a BAR whose device is gone), -EFAULT.
 */
struct sluice_sync {
	__s32 fd;
	__u32 flags;
	__u64 offset;
	__u64 length;
};

/**
 * struct sluice_eventfd - SLUICE_IOCTL_EVENTFD: have an interrupt counted by an eventfd
 * @interrupt: in, 0 to num_interrupts - 1
 * @fd: in, an eventfd, may be closed afterwards; or -1 for none any more
 * @flags: in, must be 0
 * @reserved: in, must be 0
 *
 * Each interrupt adds 1 to the eventfd, and so does the end of the device, after
 * which all ioctls return -ENODEV.  An open file of the node has one eventfd an
 * interrupt, until another takes its place or the file is closed.  This is for
 * userspace to know; no fence depends on it.
 *
 * Errors: -EINVAL (no such interrupt, flags, not an eventfd), -EBADF (no such fd),
 * -ENOSPC (the device has 256), -EIO (the device sleeps and does not wake up), -ENOMEM,
 * -ENODEV, -EFAULT.
 */
struct sluice_eventfd {
	__u32 interrupt;
	__s32 fd;
	__u32 flags;
	__u32 reserved;
};

/*
 * mmap() of a device's registers, where it has some that userspace may have:
 * shared, at this offset plus one inside the BAR, whole pages.  Uncached.  All the
 * pages must lie in ranges that root has given to processes (-EACCES if not, and always
 * while the ranges are for programs; -EINVAL for what is no such BAR, or a private
 * mapping).  After the end of the device, or when root takes a range back, a touch is a
 * SIGBUS.
 */
#define SLUICE_MMAP_BAR(bar)	((__u64)(bar) << 40)

/* sluice_create_queue.flags */
#define SLUICE_QUEUE_CHAIN_ERRORS	(1U << 0)	/* an error of a job cancels those that follow */
#define SLUICE_QUEUE_EXCLUSIVE		(1U << 1)	/* the engine has no other queue as long as there is this one */

/**
 * struct sluice_create_queue - SLUICE_IOCTL_CREATE_QUEUE: a line of jobs on one engine
 * @engine: in, engine number
 * @flags: in, SLUICE_QUEUE_* or 0
 * @priority: in, 0 (normal) to 2 (first); a running job is never interrupted.  2 needs
 *	CAP_SYS_NICE
 * @timeout_ms: in, running time allowed to a job in milliseconds, 0 for the
 *	default, at most SLUICE_MAX_TIMEOUT_MS
 * @depth: in, most jobs that are pending or whose completion is unread, 0 for
 *	256, at most SLUICE_MAX_DEPTH; out, the depth granted (a power of two)
 * @fd_flags: in, SLUICE_FD_INHERIT or 0
 * @fd: out, the queue
 * @completion_size: in, bytes of a completion of this queue: sizeof(struct
 *	sluice_completion) as the caller knows it, a multiple of 8, from
 *	SLUICE_COMPLETION_SIZE_V1 to SLUICE_MAX_RECORD_SIZE; 0 for SLUICE_COMPLETION_SIZE_V1.
 *	What the kernel does not know of it is zero.  Before UAPI version 5 it must be 0
 *
 * The jobs of a queue run and end in the order of their submission.  When the
 * last fd of a queue is closed, jobs that have not ended are cancelled.
 *
 * With SLUICE_QUEUE_CHAIN_ERRORS an error of a job, other than by CANCEL, ends all jobs
 * that follow it with -ECANCELED, also those submitted later, until CANCEL is called with
 * SLUICE_CANCEL_CLEAR.  So if a job succeeded, all jobs before it did.
 *
 * A queue counts for its open until the last job of it has ended, also when its fd has
 * been closed.  So does one that is SLUICE_QUEUE_EXCLUSIVE for its engine.
 *
 * Errors: -EINVAL, -EPERM (priority 2 without CAP_SYS_NICE), -EIO (SLUICE_MAX_HANGS jobs of
 * this open hung on the engine, one after the other), -ENOSPC (this open has
 * SLUICE_MAX_QUEUES), -EBUSY (the engine has a queue that is SLUICE_QUEUE_EXCLUSIVE, or this
 * one is to be it, and there is another), -EMFILE, -ENOMEM, -ENODEV, -EFAULT.
 */
struct sluice_create_queue {
	__u32 engine;
	__u32 flags;
	__u32 priority;
	__u32 timeout_ms;
	__u32 depth;
	__u32 fd_flags;
	__s32 fd;
	__u32 completion_size;
};

/* sluice_attach.flags */
#define SLUICE_ATTACH_READ	(1U << 0)	/* the device reads the buffer */
#define SLUICE_ATTACH_WRITE	(1U << 1)	/* the device writes the buffer */
#define SLUICE_ATTACH_EXPLICIT	(1U << 2)	/* no implicit fences: neither wait for those of other users, nor have them wait for ours */

/**
 * struct sluice_attach - SLUICE_IOCTL_ATTACH: make a dma-buf a slot of this queue
 * @fd: in, a dma-buf, ours or foreign; may be closed afterwards
 * @flags: in, SLUICE_ATTACH_*; neither READ nor WRITE stands for both
 * @slot: out, the slot's number
 * @reserved: in, must be 0
 *
 * The buffer is mapped for the device once and stays so until DETACH, the end
 * of the queue or of the device.  A foreign buffer counts with its size against the limit
 * of the open that created the queue, once for each slot, because a slot pins it.
 *
 * Errors: -EBADF (no such fd), -EINVAL (not a dma-buf, flags, or an exporter
 * that maps less than the buffer's size), -EACCES (WRITE asked on a read-only
 * fd), -EPERM (an exporter that does not let its memory be pinned), -ENOSPC
 * (SLUICE_MAX_SLOTS in use), -EDQUOT (a foreign buffer, and the open holds too much),
 * -EADDRNOTAVAIL (memory that the device cannot
 * address, a piece of it that does not begin and end at multiples of op_align, or a BAR to
 * which it has no route), -EOPNOTSUPP (a software engine,
 * and a buffer that the kernel cannot map), -ETIME (an exporter that does not get
 * its memory ready in 30 s), -EINTR, -ENOMEM, -ENODEV (this device is gone, or
 * that whose BAR it is), -EIO (the device sleeps and does not wake up), -EFAULT, or what a foreign exporter answers.  After an
 * error @slot means nothing.
 *
 * An exporter may take its memory back for good, as a device that goes must do
 * with its BAR.  Jobs that use such a slot end with -ENODEV, and SUBMIT refuses
 * the slot with -ENODEV from then on; DETACH frees its number.
 */
struct sluice_attach {
	__s32 fd;
	__u32 flags;
	__u32 slot;
	__u32 reserved;
};

/**
 * struct sluice_detach - SLUICE_IOCTL_DETACH: give a slot back
 * @slot: in, the slot's number, free for reuse afterwards
 * @flags: in, must be 0
 *
 * Jobs already submitted keep the buffer until they end.
 *
 * Errors: -EINVAL (flags), -ENOENT (no such slot), -EFAULT.  After an error
 * nothing has changed.
 */
struct sluice_detach {
	__u32 slot;
	__u32 flags;
};

/* sluice_command.kind */
#define SLUICE_COMMAND_WRITE		1	/* write @value */
#define SLUICE_COMMAND_WRITE_DST	2	/* write the bus address of the byte @value of the op's dst range, or a part of it */
#define SLUICE_COMMAND_WRITE_SRC	3	/* the same of its src range */
#define SLUICE_COMMAND_POLL		4	/* read until the bits of @mask are those of @value */
#define SLUICE_COMMAND_INTERRUPT	5	/* wait for the interrupt @value */

/* sluice_command.part */
#define SLUICE_ADDRESS_WHOLE		0	/* -EADDRNOTAVAIL if a register of 4 bytes is too narrow for it */
#define SLUICE_ADDRESS_LOW		1	/* the lower 32 bits, to a register of 4 bytes */
#define SLUICE_ADDRESS_HIGH		2	/* the upper ones */

/**
 * struct sluice_command - one step of a PROGRAM
 * @kind: SLUICE_COMMAND_*
 * @bar: of the PCI device; of an INTERRUPT 0
 * @width: of the register, 1, 2, 4 or 8 bytes; of WRITE_DST, WRITE_SRC 4 or 8; of an
 *	INTERRUPT 0.  SUBMIT returns -EOPNOTSUPP for 8 on 32-bit kernels
 * @offset: bytes into the BAR, a multiple of @width; of an INTERRUPT 0
 * @value: what to write or to wait for; the byte's number of WRITE_DST and WRITE_SRC
 * @mask: POLL: the bits that count
 * @part: WRITE_DST, WRITE_SRC: SLUICE_ADDRESS_*
 * @timeout_us: POLL: how long, in microseconds; a PROGRAM's POLLs together take no
 *	longer than SLUICE_MAX_POLL_US
 * @length: WRITE_DST, WRITE_SRC: bytes that the device uses from there on, 0 for
 *	all that is left of the range.  They lie in one segment of bus addresses
 *	(BUFFER_INFO counts them), or SUBMIT returns -EADDRNOTAVAIL
 *
 * What a kind does not use must be 0.  Only registers in ranges that root has
 * allowed can be named: the device driver's documentation tells how that is done.
 */
struct sluice_command {
	__u32 kind;
	__u16 bar;
	__u16 width;
	__u64 offset;
	__u64 value;
	union {
		__u64 mask;
		__u64 part;
	};
	union {
		__u64 timeout_us;
		__u64 length;
	};
};

/* sluice_op.flags of a PROGRAM or PRIVATE */
#define SLUICE_OP_DST	(1U << 0)	/* the device writes to @dst: @dst, @dst_offset and @length count */
#define SLUICE_OP_SRC	(1U << 1)	/* the device reads @src: @src, @src_offset and @src_length count */

/**
 * struct sluice_plane - where one plane of a frame is
 * @slot: the slot
 * @stride: bytes from line to line
 * @offset: of the first line, bytes from the start of the slot's buffer
 */
struct sluice_plane {
	__u32 slot;
	__u32 stride;
	__u64 offset;
};

/**
 * struct sluice_op - one step of a job
 * @kind: enum sluice_op_kind
 * @flags: SLUICE_OP_* of a PROGRAM or PRIVATE, else 0
 * @dst: slot written to; of a PLAYBACK 0
 * @src: slot read from (COPY, PLAYBACK, PROGRAM, PRIVATE), else 0
 * @dst_offset: bytes; of a PLAYBACK 0
 * @src_offset: bytes (COPY, PLAYBACK, PROGRAM, PRIVATE), else 0
 * @length: bytes, not 0; of a PROGRAM or PRIVATE without SLUICE_OP_DST 0
 * @value: FILL: the value
 * @frame: CAPTURE, PLAYBACK: the image; all 0 for raw data
 * @frame.width: pixels
 * @frame.height: lines
 * @frame.stride: bytes from line to line of the first plane: no less than its pixels need,
 *	and a multiple of the engine's stride_align and of what the format needs (4 for
 *	pixels of 4 bytes); with @num_planes 0
 * @frame.format: a fourcc that the engine lists: see SLUICE_IOCTL_ENUM_FORMATS
 * @program: PROGRAM: what to do
 * @program.commands: address of an array of struct sluice_command
 * @program.num_commands: at least 1
 * @program.command_size: sizeof(struct sluice_command) as the caller knows it; 0 for
 *	SLUICE_COMMAND_SIZE_V1
 * @program.src_length: bytes; without SLUICE_OP_SRC 0
 * @payload: PRIVATE: description of the op
 * @payload.data: address of the payload, in the layout that the driver documents.  It names no
 *	memory by fd or address: the device uses @dst and @src alone
 * @payload.size: bytes, 1 to SLUICE_MAX_PAYLOAD
 * @payload.reserved: must be 0
 * @payload.src_length: bytes; without SLUICE_OP_SRC 0
 * @pad: must be 0 where the kind does not use it
 * @planes: CAPTURE, PLAYBACK of an image: address of an array of struct sluice_plane, one
 *	for each plane of the format, in its order.  Then @dst, @src, their offsets, @length
 *	and @frame.stride must be 0.  Slots may be the same one
 * @num_planes: length of @planes.  0: all planes are in one slot, one after the other, from
 *	the op's offset on and within @length; their strides follow from @frame.stride
 * @plane_size: sizeof(struct sluice_plane) as the caller knows it; 0 for
 *	SLUICE_PLANE_SIZE_V5
 * @modifier: CAPTURE, PLAYBACK of an image: of the format, as the engine lists it
 * @field: CAPTURE, PLAYBACK of an image: SLUICE_FIELD_*, one that the format has; @frame's
 *	height counts the lines that are in memory
 * @reserved: must be 0
 *
 * What is behind @pad must be 0 for other kinds, and for raw data.  It is missing in ops of
 * SLUICE_OP_SIZE_V1 bytes.
 *
 * A width or height that the format cannot have (an odd one, where two pixels share their
 * chroma) and a stride that is too short or not aligned are refused with -EINVAL; a
 * format, modifier, field or size that the engine does not list with -EOPNOTSUPP; a plane
 * that ends behind @length or its buffer with -ERANGE.
 *
 * A PROGRAM ends with its last command.  Then, and not before, the device is to be
 * done with the memory: that is what the last INTERRUPT or POLL is for.  An
 * interrupt counts from the moment in which its op began.  A POLL that runs
 * out of time ends the job with -EIO, and a register that root has taken back
 * meanwhile with -EACCES; both reset the engine.
 */
struct sluice_op {
	__u32 kind;
	__u32 flags;
	__u32 dst;
	__u32 src;
	__u64 dst_offset;
	__u64 src_offset;
	__u64 length;
	union {
		__u64 value;
		struct {
			__u32 width;
			__u32 height;
			__u32 stride;
			__u32 format;
		} frame;
		struct {
			__u64 commands;
			__u32 num_commands;
			__u32 command_size;
			__u64 src_length;
		} program;
		struct {
			__u64 data;
			__u32 size;
			__u32 reserved;
			__u64 src_length;
		} payload;
		__u64 pad[3];
	};
	__u64 planes;
	__u32 num_planes;
	__u32 plane_size;
	__u64 modifier;
	__u32 field;
	__u32 reserved;
};

/* sluice_submit.flags */
#define SLUICE_SUBMIT_OUT_FENCE		(1U << 0)	/* return a sync_file in @out_fence */
#define SLUICE_SUBMIT_NO_COMPLETION	(1U << 1)	/* leave no record for read() */
#define SLUICE_SUBMIT_IGNORE_ERRORS	(1U << 2)	/* run even if an in-fence ended with an error */
#define SLUICE_SUBMIT_CYCLIC		(1U << 3)	/* the ops are a ring: after the last one comes the first again */
#define SLUICE_SUBMIT_STOP_ON_XRUN	(1U << 4)	/* CYCLIC: end with -EPIPE where ACK is late */

/**
 * struct sluice_submit - SLUICE_IOCTL_SUBMIT: start a job as soon as its fences allow
 * @ops: in, address of an array of struct sluice_op
 * @in_fences: in, address of an array of __s32 sync_file fds
 * @num_ops: in, 0 to SLUICE_MAX_OPS; a job without ops just waits its turn
 * @num_in_fences: in, 0 to SLUICE_MAX_IN_FENCES
 * @flags: in, SLUICE_SUBMIT_*
 * @fd_flags: in, SLUICE_FD_INHERIT or 0, for @out_fence
 * @user_data: in, returned in the completion
 * @point: out, the job's number on the queue's timeline, from 1
 * @out_fence: out, a sync_file that signals when the job has ended; -1 without
 *	SLUICE_SUBMIT_OUT_FENCE
 * @op_size: in, sizeof(struct sluice_op) as the caller knows it; 0 for
 *	SLUICE_OP_SIZE_V1, which that was once: a program that is compiled anew says it
 *
 * The job waits for its in-fences and, for each slot that is not EXPLICIT, for
 * the fences that other users left on the buffer: reading waits for writers,
 * writing waits for everybody.  Its own fence is added to those buffers.
 *
 * A job whose in-fence ended with an error ends with -ECANCELED, without
 * running.  One that runs longer than the queue's timeout ends with -ETIME, and
 * its engine is reset.  So does, without a reset, one whose in-fences have not
 * all signalled 30 s after SUBMIT, as soon as it is the first of its queue.
 * After SLUICE_MAX_HANGS resets for jobs in a row the queue is dead: what it holds, and
 * every SUBMIT from then on, ends with -EIO.  The jobs of all queues that one open has
 * created for the engine count, too: after so many hangs without a job that succeeded,
 * each further hang kills its queue, and CREATE_QUEUE fails with -EIO.
 *
 * With SLUICE_SUBMIT_CYCLIC the job goes on over its ops, which are CAPTUREs or PLAYBACKs,
 * until another job is behind it, also one without ops: then it ends, with status 0, when
 * the pass that has begun is over.  CANCEL ends it at once.  Each op, not the job, has the
 * queue's timeout.  Since it need not ever end, nothing may wait for it: it has no fence,
 * its slots are EXPLICIT, and its queue is SLUICE_QUEUE_EXCLUSIVE.  As its ops end it leaves
 * records with SLUICE_COMPLETION_MORE for read().
 *
 * A program that has told once with ACK how far it is has to keep up.  An op then waits for
 * the ACK of what was in its buffer, as long as the device has two others to do; if it has
 * not, the op is given to the device nevertheless, and counted (xruns).  With
 * SLUICE_SUBMIT_STOP_ON_XRUN it waits as long as there is one, and then the job ends.
 *
 * Errors: -EINVAL (flags, CYCLIC without what it needs or through io_uring, op kind, slot without the needed kind, alignment,
 * a length that the engine cannot do, geometry, commands, a payload that the driver rejects, an in-fence that is not a sync_file), -E2BIG (too many ops,
 * commands, planes or in-fences, payloads that are too long, more than SLUICE_MAX_FENCES fences to wait for, unknown tail),
 * -EBADF (an in-fence fd that is not open), -ENOENT
 * (no such slot), -ERANGE (beyond the end of a buffer, or an overflow),
 * -EACCES (slot attached for the other direction, a register that root has not
 * allowed), -EADDRNOTAVAIL (a PROGRAM needs one piece of memory where there are
 * several, or a register is too narrow for its address), -EFBIG (a range has more
 * segments than the engine can do), -EOPNOTSUPP (op kind,
 * format, modifier, field or size of a frame that the engine does not have, CYCLIC with
 * memory that its exporter may take back, or fences on a kernel without sync_file), -EBUSY
 * (the queue is full: read completions or wait), -EIO (the queue is dead: its
 * jobs hang; or a PROGRAM, and the device does not wake up), -EMFILE, -ENOMEM, -EINTR, -ENODEV, -EFAULT.  After an error nothing has been submitted, and @point and
 * @out_fence mean nothing.
 */
struct sluice_submit {
	__u64 ops;
	__u64 in_fences;
	__u32 num_ops;
	__u32 num_in_fences;
	__u32 flags;
	__u32 fd_flags;
	__u64 user_data;
	__u64 point;
	__s32 out_fence;
	__u32 op_size;
};

/**
 * struct sluice_export_fence - SLUICE_IOCTL_FENCE: a timeline point as a sync_file
 * @point: in, a point that SUBMIT returned
 * @flags: in, must be 0
 * @fd_flags: in, SLUICE_FD_INHERIT or 0
 * @fd: out, the sync_file; already signalled if the job has ended
 * @reserved: in, must be 0
 *
 * The error of an ended job is carried as long as it is among the last
 * @depth jobs of the queue.
 *
 * Errors: -EINVAL (flags; a point not submitted yet, or a CYCLIC job that goes on: there is
 * no fence for work that may never come, or never end), -EOPNOTSUPP, -EMFILE, -ENOMEM, -EFAULT.
 */
struct sluice_export_fence {
	__u64 point;
	__u32 flags;
	__u32 fd_flags;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct sluice_wait - SLUICE_IOCTL_WAIT: wait until a job has ended
 * @point: in, a point that SUBMIT returned
 * @deadline_ns: in, absolute time on CLOCK_MONOTONIC; in the past: just look
 * @flags: in, must be 0
 * @status: out, how the job ended: 0 or a negative errno; known for the last
 *	@depth jobs of the queue, 0 for older ones
 *
 * An interrupting signal restarts the call, or ends it with -EINTR, as its
 * handler was installed; the deadline is absolute and stays.
 *
 * Errors: -EINVAL (flags, a point not submitted yet), -ETIME (not ended by the
 * deadline), -EINTR, -EFAULT.
 */
struct sluice_wait {
	__u64 point;
	__s64 deadline_ns;
	__u32 flags;
	__s32 status;
};

/* sluice_cancel.flags */
#define SLUICE_CANCEL_CLEAR	(1U << 0)	/* jobs submitted from now on run again */

/**
 * struct sluice_cancel - SLUICE_IOCTL_CANCEL: end jobs that are not wanted any more
 * @first: in, the first point
 * @last: in, the last point; one that has not been submitted yet stands for the
 *	last that has
 * @flags: in, SLUICE_CANCEL_* or 0
 * @cancelled: out, how many of these jobs had not ended
 *
 * They end with -ECANCELED, in their place on the timeline: a job that runs is
 * stopped, and one that waits does not wait for its in-fences any more, but for
 * the jobs before it.  CANCEL does not wait for that.  A job that is about to
 * end may still end as it would have.
 *
 * Errors: -EINVAL (@first is 0 or after @last; flags), -EFAULT (the jobs are
 * cancelled, but @cancelled could not be written).
 */
struct sluice_cancel {
	__u64 first;
	__u64 last;
	__u32 flags;
	__u32 cancelled;
};

/**
 * struct sluice_ack - SLUICE_IOCTL_ACK: how far userspace is with a CYCLIC job
 * @point: in, the job
 * @ops: in, how many of its ops, from its beginning on, have buffers that the device may use
 *	again: that were read, or have been filled anew
 * @flags: in, must be 0
 * @reserved: in, must be 0
 *
 * A smaller number than before changes nothing, nor does a job that has ended.
 *
 * Errors: -EINVAL (a point not submitted yet, or no longer among the last @depth jobs of
 * the queue; a job that has not ended and is not CYCLIC; flags), -EFAULT.
 */
struct sluice_ack {
	__u64 point;
	__u64 ops;
	__u32 flags;
	__u32 reserved;
};

/* sluice_completion.flags */
#define SLUICE_COMPLETION_MORE	(1U << 0)	/* the job, which is CYCLIC, goes on */
#define SLUICE_FRAME_DAMAGED	(1U << 1)	/* the frame is there, and a part of it is not what was sent; the status is 0 */
#define SLUICE_FRAME_REPEATED	(1U << 2)	/* nothing new came: the picture before, once more */
#define SLUICE_FRAME_TOP	(1U << 3)	/* it is a top field */
#define SLUICE_FRAME_BOTTOM	(1U << 4)	/* it is a bottom field */

/**
 * struct sluice_completion - one record of read() on a queue
 * @point: the job
 * @user_data: as given to SUBMIT
 * @status: 0, or -ECANCELED (cancelled, an in-fence failed, or the system went to
 *	sleep while a PROGRAM, or a PRIVATE that may not be repeated, ran), -ETIME (too slow), -ENODEV (device gone), -EPIPE (CYCLIC,
 *	and ACK was late), -ENOLINK (a capture, and
 *	there is no signal), or what the device reported, often -EIO
 * @flags: SLUICE_COMPLETION_*, SLUICE_FRAME_*: DAMAGED and REPEATED if one frame of the job
 *	was, the field of the last one
 * @bytes: moved by the ops of this job: written to memory, or played back
 * @timestamp: CLOCK_MONOTONIC in nanoseconds: of a capture or playback, when
 *	the frame began; else when the job ended
 * @sequence: of a capture or playback, number of the frame, counted by the
 *	device from 0
 * @dropped: of a capture, frames lost since the frame captured before; of a
 *	playback, frames since the one before for which there was nothing to show
 * @reserved: 0
 * @started: CLOCK_MONOTONIC in nanoseconds: when the first op of the job was given to the
 *	device's driver; 0 if none was
 * @ended: likewise: when the job ended, which is when its fence signalled; 0 with MORE
 * @ops: of a CYCLIC job: ops that have ended since its beginning
 * @xruns: of a CYCLIC job: ops that the device got before the ACK for their buffers
 * @width: of a capture of an image: pixels of a line that came in, which may be less than
 *	the op asked for; of a playback, that were shown; of the last one; else 0
 * @height: likewise lines
 *
 * A CYCLIC job leaves a record with SLUICE_COMPLETION_MORE when ops of it have ended, which
 * says how far it is: @bytes, @dropped, @ops and @xruns count from its beginning on.  What
 * ends before the record is read changes it, so there is one at most.
 *
 * A record has the queue's completion_size: fields beyond that are missing.  A program that
 * did not create the queue asks QUEUE_INFO.
 *
 * read() returns as many whole records as there are and fit.  It blocks while
 * there is none, unless O_NONBLOCK is set (-EAGAIN).  Errors: -EINVAL (buffer
 * smaller than a record), -EAGAIN, -EINTR, -EFAULT (no record is lost),
 * -ENODEV (device gone, and all records read), -EIO (the queue is dead, and all records
 * read).  A reader of an idle queue is woken by a job without ops, and by a signal whose
 * handler does not restart calls (-EINTR).
 *
 * poll(): EPOLLIN a record can be read, EPOLLOUT the queue has room for a job,
 * EPOLLHUP the device is gone, EPOLLERR the queue is dead.
 */
struct sluice_completion {
	__u64 point;
	__u64 user_data;
	__s32 status;
	__u32 flags;
	__u64 bytes;
	__u64 timestamp;
	__u64 sequence;
	__u64 dropped;
	__u64 reserved;
	__u64 started;
	__u64 ended;
	__u64 ops;
	__u64 xruns;
	__u32 width;
	__u32 height;
};

/**
 * struct sluice_queue_info - SLUICE_IOCTL_QUEUE_INFO: what a queue was created with
 * @flags: in, must be 0
 * @engine: out, engine number
 * @priority: out
 * @timeout_ms: out, running time allowed to a job
 * @depth: out, as granted
 * @completion_size: out, bytes of a record of read()
 *
 * Also works when the device has gone.  Errors: -EINVAL (flags), -EFAULT.
 */
struct sluice_queue_info {
	__u32 flags;
	__u32 engine;
	__u32 priority;
	__u32 timeout_ms;
	__u32 depth;
	__u32 completion_size;
};

/**
 * struct sluice_uring_submit - SLUICE_URING_SUBMIT: submit a job and wait for its end
 * @submit: address of a struct sluice_submit of the size that is in the command word
 * @completion: address of a struct sluice_completion, of the queue's completion_size, to be
 *	filled in when the job has ended, or 0
 *
 * The command bytes (sqe->cmd) of an IORING_OP_URING_CMD on a queue, with
 * SLUICE_URING_SUBMIT as sqe->cmd_op and sqe->uring_cmd_flags 0.  Submits as
 * SLUICE_IOCTL_SUBMIT does and writes struct sluice_submit back then.  The
 * command completes when the job has ended.  Its result is the job's status,
 * 0 or a negative errno, or why SUBMIT refused the job.  No record is left for
 * read().
 *
 * Commands of one ring take their points in the order of their SQEs, unless
 * IOSQE_ASYNC, IOSQE_IO_DRAIN or a link holds one back.
 *
 * @completion is cleared before anything else happens: if its point is 0 when
 * the command has completed, no job was submitted.  All that is pointed to must
 * stay as it is until then.
 *
 * When the ring goes, by close(), exec() or the end of its process, its commands
 * do, too, and their jobs are cancelled, as by SLUICE_IOCTL_CANCEL.  Before Linux
 * 6.7 they run.
 *
 * Errors: those of struct sluice_submit, also -EINVAL for a size too small or
 * for uring_cmd_flags; -EINTR only if the process is killed; -EFAULT also for
 * @completion, seldom at the job's end.  -EOPNOTSUPP for another cmd_op, and for
 * all if INFO does not report SLUICE_CAP_URING.
 */
struct sluice_uring_submit {
	__u64 submit;
	__u64 completion;
};

#define SLUICE_IOCTL_BASE	0xD5

/* on a device */
#define SLUICE_IOCTL_INFO		_IOWR(SLUICE_IOCTL_BASE, 0x00, struct sluice_info)
#define SLUICE_IOCTL_HEAP_INFO		_IOWR(SLUICE_IOCTL_BASE, 0x01, struct sluice_heap_info)
#define SLUICE_IOCTL_ALLOC		_IOWR(SLUICE_IOCTL_BASE, 0x02, struct sluice_alloc)
#define SLUICE_IOCTL_BUFFER_INFO	_IOWR(SLUICE_IOCTL_BASE, 0x03, struct sluice_buffer_info)
#define SLUICE_IOCTL_CREATE_QUEUE	_IOWR(SLUICE_IOCTL_BASE, 0x04, struct sluice_create_queue)
#define SLUICE_IOCTL_WRAP		_IOWR(SLUICE_IOCTL_BASE, 0x05, struct sluice_wrap)
#define SLUICE_IOCTL_SYNC		_IOWR(SLUICE_IOCTL_BASE, 0x06, struct sluice_sync)
#define SLUICE_IOCTL_EVENTFD		_IOW(SLUICE_IOCTL_BASE, 0x07, struct sluice_eventfd)
#define SLUICE_IOCTL_ENGINE_INFO	_IOWR(SLUICE_IOCTL_BASE, 0x10, struct sluice_engine_info)
#define SLUICE_IOCTL_ENUM_FORMATS	_IOWR(SLUICE_IOCTL_BASE, 0x11, struct sluice_enum_formats)
#define SLUICE_IOCTL_ENUM_SIZES		_IOWR(SLUICE_IOCTL_BASE, 0x12, struct sluice_enum_sizes)
#define SLUICE_IOCTL_ENUM_INTERVALS	_IOWR(SLUICE_IOCTL_BASE, 0x13, struct sluice_enum_intervals)

#define SLUICE_IOCTL_SOURCE		_IOWR(SLUICE_IOCTL_BASE, 0x14, struct sluice_source)
#define SLUICE_IOCTL_ENUM_CONTROLS	_IOWR(SLUICE_IOCTL_BASE, 0x18, struct sluice_enum_controls)
#define SLUICE_IOCTL_ENUM_MENU		_IOWR(SLUICE_IOCTL_BASE, 0x19, struct sluice_enum_menu)
#define SLUICE_IOCTL_GET_CONTROL	_IOWR(SLUICE_IOCTL_BASE, 0x1a, struct sluice_control)
#define SLUICE_IOCTL_SET_CONTROL	_IOW(SLUICE_IOCTL_BASE, 0x1b, struct sluice_control)

/* on a queue */
#define SLUICE_IOCTL_ATTACH		_IOWR(SLUICE_IOCTL_BASE, 0x20, struct sluice_attach)
#define SLUICE_IOCTL_DETACH		_IOW(SLUICE_IOCTL_BASE, 0x21, struct sluice_detach)
#define SLUICE_IOCTL_SUBMIT		_IOWR(SLUICE_IOCTL_BASE, 0x22, struct sluice_submit)
#define SLUICE_IOCTL_FENCE		_IOWR(SLUICE_IOCTL_BASE, 0x23, struct sluice_export_fence)
#define SLUICE_IOCTL_WAIT		_IOWR(SLUICE_IOCTL_BASE, 0x24, struct sluice_wait)
#define SLUICE_IOCTL_CANCEL		_IOWR(SLUICE_IOCTL_BASE, 0x25, struct sluice_cancel)
#define SLUICE_IOCTL_ACK		_IOW(SLUICE_IOCTL_BASE, 0x27, struct sluice_ack)
#define SLUICE_IOCTL_QUEUE_INFO		_IOWR(SLUICE_IOCTL_BASE, 0x26, struct sluice_queue_info)

/* on a queue, as an io_uring command: with the size of what sluice_uring_submit.submit points to */
#define SLUICE_URING_SUBMIT		_IOWR(SLUICE_IOCTL_BASE, 0x40, struct sluice_submit)

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_LINUX_SLUICE_H */
