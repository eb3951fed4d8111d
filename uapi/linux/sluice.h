/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Sluice: dma-bufs that a device can access, and fences that signal when it has finished.
 *
 * Words of this file:
 *
 *	device		hardware, or software in its place, that a device driver has registered
 *			with Sluice.  A device is removed if its driver is unbound, or if the
 *			hardware is unplugged
 *	node		the file /dev/sluice/<device>.  Each open() makes an open file of the node
 *	heap		one kind of memory that a device offers; heaps are numbered from 0
 *	buffer		memory that is exported as a dma-buf.  The exporter is the driver that
 *			made the dma-buf; an importer is a driver whose device uses it.  A foreign
 *			buffer has an exporter other than Sluice
 *	segment		a piece of a buffer that is contiguous in the bus addresses of a device
 *	engine		the part of a device that executes ops; engines are numbered from 0
 *	queue		a line of jobs for one engine.  The jobs end in the order in which they
 *			were submitted
 *	slot		a numbered entry of a queue.  It holds a buffer that is attached and mapped
 *			for the device of the queue.  Ops name buffers by the numbers of slots
 *	op		one step of work, such as a copy or the capture of a frame
 *	job		a list of ops that SUBMIT or SUBMIT_MANY gives to a queue
 *	point		the number of a job in its queue, counted from 1.  The points of a queue in
 *			their order are its timeline
 *	completion	the record that tells how a job ended
 *	fence		a kernel object that signals once, when a job has ended.  A sync_file is
 *			an fd that stands for a fence
 *	in-fence	a fence that a job waits for.  It is explicit if userspace passed it to
 *			SUBMIT as an fd or as an in-point, and implicit if SUBMIT found it on a
 *			buffer
 *	in-point	a job of a queue, named by the fd of the queue and the point of the job
 *	out-fence	the fence that signals when the job has ended
 *	implicit sync	a job waits for the fences that other jobs and other drivers left on its
 *			buffers, and leaves its own fence there.  This is the default of a slot
 *	explicit sync	userspace passes fences to jobs as fds.  For the buffers of
 *			slots with SLUICE_ATTACH_EXPLICIT there is no implicit sync
 *
 * Userspace has file descriptors of four kinds of object.  The end of this file lists the ioctls
 * of a node and of a queue:
 *
 *	node	from open()		ioctls; read() and poll() for events; mmap() of registers
 *	buffer	from ALLOC, WRAP	<linux/dma-buf.h>, mmap(), poll()
 *	queue	from CREATE_QUEUE	ioctls; read() and poll() for completions, or mmap() of a
 *					completion ring; SLUICE_URING_* through io_uring
 *	fence	from SUBMIT, FENCE	a sync_file: <linux/sync_file.h>, poll()
 *
 * Rules for all structs:
 *
 * - Later UAPI versions may add fields at the end of a struct.  The kernel takes the size of the
 *   struct from the command word of the ioctl.  If a program passes a shorter struct, the missing
 *   fields are zero.  A struct must have at least the fields of the UAPI version that introduced
 *   the struct.
 * - The size of an op, a command, a plane, an in-point or a completion is in a field of its own:
 *   op_size, command_size, plane_size, in_point_size, completion_size.  Pass sizeof the struct.  0
 *   means the size in the UAPI version that introduced the struct, such as SLUICE_OP_SIZE_V1.
 * - The kernel reads fields marked "in", and writes fields marked "out".  It ignores the old value
 *   of a field that is only "out".
 * - To read a list with an ENUM_* ioctl, begin with index 0 and continue until -EINVAL.
 * - The layout is the same for 32-bit and 64-bit programs.
 *
 * Errors that the lists below do not repeat:
 *
 *	-ENOTTY		this kind of fd has no ioctl of this number
 *	-EINVAL		the struct is shorter than in the UAPI version that introduced it
 *	-EINVAL		a flag is unknown
 *	-EINVAL		a field that must be 0 has another value
 *	-E2BIG		the struct is longer than the kernel's, and the unknown part is not zero
 *	-EFAULT		an address is not valid
 *	-EMFILE		the call returns an fd, and the process has no free fd
 *	-ENFILE		ALLOC, WRAP, CREATE_QUEUE: the system has too many open files
 *	-ENOMEM		the kernel has no memory for its records
 *	-ENODEV		the device is removed.  HEAP_INFO, SYNC, QUEUE_INFO, FENCE, WAIT, CANCEL and
 *			ACK still work then
 *
 * After an error the fields marked "out" mean nothing, except the hint of ALLOC and WRAP.  A
 * call that fails installs no fd.
 *
 * "-EINTR a signal came" in a list means a signal whose handler was installed without SA_RESTART.
 * With SA_RESTART the kernel restarts the call.  "-EINTR the caller was killed" means that only a
 * fatal signal ends the call.
 *
 * Buffers stay valid after the device is removed, except memory of the device itself
 * (SLUICE_MEM_DEVICE), which Sluice takes back.
 */
#ifndef _UAPI_LINUX_SLUICE_H
#define _UAPI_LINUX_SLUICE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#if defined(__cplusplus)
extern "C" {
#endif

/*
 * SLUICE_UAPI_VERSION counts the additions to this file.  Nothing is ever removed.
 *
 *	2	WRAP, SYNC, CANCEL, PLAYBACK, io_uring, more SLUICE_MEM_*
 *	3	PROGRAM, EVENTFD, mmap() of registers
 *	4	max_queues, user_limit, total_limit, CHAIN_ERRORS, CANCEL_CLEAR, SLUICE_CAP_CMA,
 *		SLUICE_CAP_BOUNCED, SLUICE_HINT_* 4 to 7
 *	5	completion_size, QUEUE_INFO; fields of a completion: started, ended, width, height
 *		and SLUICE_FRAME_*; ENGINE_INFO, ENUM_*, planes, modifier and field of an op;
 *		CYCLIC, ACK, EXCLUSIVE
 *	6	controls, events, SOURCE, PRIVATE, max_segments, min_length, max_length
 *	7	in_points, SUBMIT_MANY; SLUICE_QUEUE_RING; ring_size and queue_flags of QUEUE_INFO
 */
#define SLUICE_UAPI_VERSION	7

#define SLUICE_NAME_LEN		32	/* bytes of a name, with its NUL */

/*
 * Limits.  The kernel module may be newer than this header, and may have other limits.  INFO
 * reports SLUICE_MAX_OPS, _IN_FENCES, _SLOTS, _QUEUES, _DEPTH and _TIMEOUT_MS of the module.
 */
#define SLUICE_MAX_OPS		256	/* ops of a job */
#define SLUICE_MAX_IN_FENCES	64	/* in-fence fds of a job */
#define SLUICE_MAX_IN_POINTS	64	/* in-points of a job */
#define SLUICE_MAX_JOBS		256	/* jobs of a SUBMIT_MANY; together SLUICE_MAX_OPS ops */
/* In-fences of a job, explicit and implicit: a sync_file may have several fences */
#define SLUICE_MAX_FENCES	16384
#define SLUICE_MAX_SLOTS	1024	/* slots of a queue */
#define SLUICE_MAX_QUEUES	1024	/* queues of an open file of the node */
/* Jobs of a queue that have not ended, or whose completion is unread */
#define SLUICE_MAX_DEPTH	4096
#define SLUICE_MAX_TIMEOUT_MS	30000	/* running time of a job, in milliseconds */
/* A queue is dead after this number of hangs without a success between: see struct sluice_submit */
#define SLUICE_MAX_HANGS	8
#define SLUICE_MAX_COMMANDS	4096	/* commands of a job, in all its PROGRAMs */
#define SLUICE_MAX_POLL_US	1000000	/* time of all POLLs of one PROGRAM, in microseconds */
#define SLUICE_MAX_PAYLOAD	4096	/* bytes of the payload of a PRIVATE */
#define SLUICE_MAX_PAYLOADS	65536	/* bytes of all payloads of a job */
#define SLUICE_MAX_EVENTS	64	/* unread events of an open file of the node */

/*
 * The first six are the bytes of an op, a command, a completion, a plane, a job of SUBMIT_MANY and
 * an in-point, each in the UAPI version that introduced the struct or its array.
 * SLUICE_MAX_RECORD_SIZE is the largest value of op_size, command_size, completion_size,
 * plane_size, job_size and in_point_size.
 */
#define SLUICE_OP_SIZE_V1		64
#define SLUICE_COMMAND_SIZE_V1		40
#define SLUICE_COMPLETION_SIZE_V1	64
#define SLUICE_PLANE_SIZE_V5		16
#define SLUICE_JOB_SIZE_V1		56
#define SLUICE_IN_POINT_SIZE_V7		16
#define SLUICE_MAX_RECORD_SIZE		256

#define SLUICE_MAX_PLANES	4	/* planes of a frame */

/**
 * enum sluice_op_kind - what an op does
 * @SLUICE_OP_COPY: copies @length bytes from @src at @src_offset to @dst at @dst_offset.  If
 *	both are the same buffer, the two ranges must not overlap.
 * @SLUICE_OP_FILL: fills @length bytes of @dst with the 32-bit @value, in host byte order.
 *	Offset and length must be multiples of 4.
 * @SLUICE_OP_CAPTURE: the device writes its next frame to @dst.  If @frame.width is 0, the
 *	frame is raw data of at most @length bytes.  Field @bytes of struct sluice_completion has
 *	the actual number.  If @frame.width is not 0, the frame is an image, which must fit into
 *	@length.
 * @SLUICE_OP_PLAYBACK: the device shows or plays the content of @src as its next frame: @length
 *	bytes of raw data if @frame.width is 0, otherwise an image.
 * @SLUICE_OP_PROGRAM: the kernel executes a list of struct sluice_command: it writes and polls
 *	registers of the device, and waits for its interrupts.  During the op the device may
 *	write @length bytes of @dst and read @src_length bytes of @src.
 * @SLUICE_OP_PRIVATE: an op that the device driver defines.  A payload describes the op.  SUBMIT
 *	copies the payload, and the driver checks the copy.  The kernel may have to stop the op, for
 *	example for system sleep; the driver decides whether the op may then begin again.  During
 *	the op the device may write @length bytes of @dst and read @src_length bytes of @src.
 *
 * All fields named here are fields of struct sluice_op.
 */
enum sluice_op_kind {
	SLUICE_OP_COPY = 1,
	SLUICE_OP_FILL = 2,
	SLUICE_OP_CAPTURE = 3,
	SLUICE_OP_PLAYBACK = 4,
	SLUICE_OP_PROGRAM = 5,
	SLUICE_OP_PRIVATE = 6,
};

/*
 * sluice_info.caps
 *
 *	SYNC_FILE	the kernel has sync_file: in-fence fds, out-fences and FENCE work
 *	URING		the kernel has io_uring: SLUICE_URING_SUBMIT works
 *	CHAIN_ERRORS	SLUICE_QUEUE_CHAIN_ERRORS and SLUICE_CANCEL_CLEAR work
 *	CMA		the kernel reserves memory for large contiguous buffers (CMA)
 *	BOUNCED		the kernel bounces the device's DMA: it copies the data through other
 *			memory (confidential guests, swiotlb=force).  Only the heap "contiguous"
 *			works
 *	COMPLETION_SIZE	CREATE_QUEUE accepts completion_size, and QUEUE_INFO works
 *	FORMATS		ENGINE_INFO and ENUM_FORMATS, _SIZES, _INTERVALS work; ops have planes,
 *			modifier and field
 *	CYCLIC		SLUICE_SUBMIT_CYCLIC, ACK and SLUICE_QUEUE_EXCLUSIVE work
 *	CONTROLS	ENUM_CONTROLS, ENUM_MENU, GET_CONTROL, SET_CONTROL and SOURCE work, and
 *			so do read() and poll() of the node
 *	PRIVATE		SLUICE_OP_PRIVATE works on engines whose op_kinds has its bit
 *	IN_POINTS	SUBMIT accepts in_points
 *	SUBMIT_MANY	SUBMIT_MANY works and, if URING is set, SLUICE_URING_SUBMIT_MANY
 *	RING		SLUICE_QUEUE_RING works
 */
#define SLUICE_CAP_SYNC_FILE	(1ULL << 0)
#define SLUICE_CAP_URING	(1ULL << 1)
#define SLUICE_CAP_CHAIN_ERRORS	(1ULL << 2)
#define SLUICE_CAP_CMA		(1ULL << 3)
#define SLUICE_CAP_BOUNCED	(1ULL << 4)
#define SLUICE_CAP_COMPLETION_SIZE (1ULL << 5)
#define SLUICE_CAP_FORMATS	(1ULL << 6)
#define SLUICE_CAP_CYCLIC	(1ULL << 7)
#define SLUICE_CAP_CONTROLS	(1ULL << 8)
#define SLUICE_CAP_PRIVATE	(1ULL << 9)
#define SLUICE_CAP_IN_POINTS	(1ULL << 10)
#define SLUICE_CAP_SUBMIT_MANY	(1ULL << 11)
#define SLUICE_CAP_RING		(1ULL << 12)

/**
 * struct sluice_info - SLUICE_IOCTL_INFO: what the device is and can do
 * @flags: in, must be 0
 * @uapi_version: out, SLUICE_UAPI_VERSION of the kernel module
 * @name: out, name of the device and of its node; NUL-terminated
 * @driver: out, name of the device driver; NUL-terminated
 * @op_kinds: out, bit (1 << kind) for each kind of op that at least one engine can do
 * @caps: out, SLUICE_CAP_*
 * @num_heaps: out, number of heaps; see SLUICE_IOCTL_HEAP_INFO
 * @num_engines: out, number of engines; see SLUICE_IOCTL_ENGINE_INFO
 * @max_ops: out, most ops of a job
 * @max_in_fences: out, most in-fence fds of a job
 * @max_slots: out, most slots of a queue
 * @max_depth: out, most jobs of a queue that have not ended or whose completion is unread
 * @default_timeout_ms: out, running time of a job in milliseconds, if CREATE_QUEUE does not
 *	choose it
 * @max_timeout_ms: out, longest running time that CREATE_QUEUE may choose, in milliseconds
 * @op_align: out, offsets and lengths of ops must be multiples of it, in bytes.  It is the
 *	largest op_align of all engines
 * @dma_bits: out, width of the addresses that the device can use, in bits
 * @open_limit: out, most bytes that this open file of the node may have: in buffers that it
 *	allocated and that still exist, and in foreign buffers that are slots of its queues
 * @num_interrupts: out, number of interrupts that EVENTFD and PROGRAM can use; they are
 *	numbered from 0
 * @max_queues: out, most queues of an open file of the node; 0 in modules before UAPI version 4,
 *	which have no limit
 * @user_limit: out, most bytes that one user may have in buffers that exist, in all open files of
 *	all devices.  A caller with CAP_SYS_RESOURCE may exceed it
 * @user_bytes: out, bytes that count against @user_limit for the user (real uid) that opened
 *	this open file
 * @total_limit: out, most bytes in live buffers of all open files of all devices
 * @total_bytes: out, bytes that count against @total_limit
 *
 * Memory of a device itself (SLUICE_MEM_DEVICE) and foreign buffers count against @open_limit
 * only.
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

/*
 * sluice_engine_info.properties
 *
 *	IS_ORDERED	the device may have several ops of one queue at a time, and keeps their
 *			order: an op accesses memory only after the op before it has ended
 *	IS_SOFTWARE	the CPU executes the ops of this engine
 *	WRITES		the engine has ops that write to memory
 *	READS		the engine has ops that read from memory
 */
#define SLUICE_ENGINE_IS_ORDERED	(1U << 0)
#define SLUICE_ENGINE_IS_SOFTWARE	(1U << 1)
#define SLUICE_ENGINE_WRITES		(1U << 2)
#define SLUICE_ENGINE_READS		(1U << 3)

/**
 * struct sluice_engine_info - SLUICE_IOCTL_ENGINE_INFO: what one engine can do
 * @index: in, number of the engine, 0 to num_engines - 1
 * @flags: in, must be 0
 * @op_kinds: out, bit (1 << kind) for each kind of op that the engine can do
 * @properties: out, SLUICE_ENGINE_*
 * @depth: out, most ops that the device has at a time
 * @op_align: out, offsets and lengths of ops must be multiples of it, in bytes
 * @stride_align: out, strides of frames must be multiples of it, in bytes
 * @num_formats: out, number of formats that ENUM_FORMATS lists.  0: frames are raw data only
 * @max_segments: out, most segments of each range of an op (see below); 0 for no limit
 * @min_length: out, bytes of the shortest op; 0 for no limit
 * @max_length: out, bytes of the longest op; 0 for no limit
 *
 * SUBMIT refuses ops that the engine of its queue cannot do.
 *
 * @min_length and @max_length do not apply to PROGRAM and PRIVATE.  For an image with a list of
 * planes (struct sluice_plane), they apply to the sum of the lengths of its planes.
 *
 * @max_segments does not apply to PROGRAM.  A range is one plane of an image, or one side (@dst
 * or @src) of another op.  The kernel splits a segment that is longer than the device's DMA allows,
 * or that crosses the device's segment boundary.  This also happens to a buffer of the heap
 * "contiguous".  SUBMIT counts these parts as segments.  BUFFER_INFO counts adjacent parts as one
 * segment, so its number may be smaller.
 *
 * Modules before UAPI version 6 report 0 for these three limits.
 *
 * Errors:
 *
 *	-EINVAL		there is no such engine
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

/*
 * sluice_op.field; bit (1 << field) of sluice_enum_formats.fields
 *
 *	NONE		the whole picture, taken at one time
 *	TOP		the top field: the first, third, ... line of the picture
 *	BOTTOM		the bottom field: the second, fourth, ... line
 *	INTERLACED	both fields, taken one after the other; their lines alternate in the frame
 *	ALTERNATE	one field, top or bottom, whichever comes; the completion tells which
 */
#define SLUICE_FIELD_NONE	0
#define SLUICE_FIELD_TOP	1
#define SLUICE_FIELD_BOTTOM	2
#define SLUICE_FIELD_INTERLACED	3
#define SLUICE_FIELD_ALTERNATE	4

/* sluice_op.modifier.  An engine may also list other modifiers of <drm/drm_fourcc.h> */
#define SLUICE_MODIFIER_LINEAR	0

/**
 * struct sluice_enum_formats - SLUICE_IOCTL_ENUM_FORMATS: one format of an engine
 * @engine: in, number of the engine
 * @index: in, number of the entry, from 0
 * @flags: in, must be 0
 * @format: out, a fourcc of <drm/drm_fourcc.h>; or, for raw sensor data and for formats that
 *	DRM does not name, a fourcc of <linux/videodev2.h>
 * @modifier: out, SLUICE_MODIFIER_LINEAR or another modifier of DRM
 * @num_planes: out, number of planes of a frame, 1 to SLUICE_MAX_PLANES
 * @fields: out, bit (1 << SLUICE_FIELD_*) for each value that the field of a frame may have
 * @num_sizes: out, number of entries that ENUM_SIZES lists for this format
 * @reserved: out, 0
 *
 * Errors:
 *
 *	-EINVAL		@engine or @index is beyond the last one
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
 * struct sluice_enum_sizes - SLUICE_IOCTL_ENUM_SIZES: a range of frame sizes of a format
 * @engine: in, number of the engine
 * @index: in, number of the entry, from 0
 * @flags: in, must be 0
 * @format: in, a fourcc that ENUM_FORMATS lists
 * @modifier: in, the modifier that ENUM_FORMATS lists with @format
 * @min_width: out, smallest width, in pixels
 * @max_width: out, largest width, in pixels; equal to @min_width if there is one width only
 * @step_width: out, each width is @min_width plus a multiple of this number of pixels
 * @min_height: out, smallest height, in lines
 * @max_height: out, largest height, in lines; equal to @min_height if there is one height only
 * @step_height: out, each height is @min_height plus a multiple of this number of lines
 * @num_intervals: out, number of entries that ENUM_INTERVALS lists for these sizes; may be 0
 * @reserved: out, 0
 *
 * Errors:
 *
 *	-EINVAL		@engine or @index is beyond the last one
 *	-EINVAL		the engine does not list @format with @modifier
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
 * struct sluice_fraction - a frame interval of @numerator / @denominator seconds
 * @numerator: not 0, except in struct sluice_source
 * @denominator: not 0, except in struct sluice_source
 */
struct sluice_fraction {
	__u32 numerator;
	__u32 denominator;
};

/**
 * struct sluice_enum_intervals - SLUICE_IOCTL_ENUM_INTERVALS: a range of frame intervals
 * @engine: in, number of the engine
 * @index: in, number of the entry, from 0
 * @flags: in, must be 0
 * @format: in, a fourcc that ENUM_FORMATS lists
 * @modifier: in, the modifier that ENUM_FORMATS lists with @format
 * @width: in, pixels
 * @height: in, lines
 * @min: out, the shortest interval
 * @max: out, the longest interval; equal to @min if there is one interval only
 * @step: out, each interval is @min plus a multiple of this time
 *
 * Errors:
 *
 *	-EINVAL		@engine or @index is beyond the last one
 *	-EINVAL		the engine does not list @format with @modifier
 *	-EINVAL		the format does not have this size
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

/*
 * sluice_source.status
 *
 *	SIGNAL	a signal is present
 *	LOCKED	the device is locked to the signal.  Frames arrive.  Width, height, field and
 *		interval are valid
 */
#define SLUICE_SOURCE_SIGNAL	(1U << 0)
#define SLUICE_SOURCE_LOCKED	(1U << 1)

/**
 * struct sluice_source - SLUICE_IOCTL_SOURCE: the input signal of an engine that captures
 * @engine: in, number of the engine
 * @flags: in, must be 0
 * @status: out, SLUICE_SOURCE_*
 * @width: out, pixels of a line; 0 if the source has no fixed width, or if SLUICE_SOURCE_LOCKED is
 *	not set
 * @height: out, lines of the whole picture; 0 in the same cases
 * @field: out, SLUICE_FIELD_INTERLACED if the signal is interlaced, otherwise SLUICE_FIELD_NONE
 * @interval: out, time from frame to frame; 0/0 if it is not known
 *
 * The answer is the state that the device driver reported last.  The call neither accesses nor
 * wakes the hardware.  Each change of the state raises a SLUICE_EVENT_SOURCE.
 *
 * Errors:
 *
 *	-EINVAL		there is no such engine
 *	-EOPNOTSUPP	the driver reports no source for this engine
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

/*
 * sluice_enum_controls.type
 *
 *	INT	a number
 *	BOOL	0 or 1
 *	MENU	one of several entries; ENUM_MENU tells their names
 *	BUTTON	SET_CONTROL with the value 0 presses the button.  A button has no value to get
 */
#define SLUICE_CONTROL_INT	1
#define SLUICE_CONTROL_BOOL	2
#define SLUICE_CONTROL_MENU	3
#define SLUICE_CONTROL_BUTTON	4

/*
 * sluice_enum_controls.properties
 *
 *	READ_ONLY	SET_CONTROL fails with -EACCES
 *	VOLATILE	the hardware changes the value.  GET_CONTROL asks the device driver each
 *			time.  SET_CONTROL raises no event; only the driver does
 */
#define SLUICE_CONTROL_READ_ONLY	(1U << 0)
#define SLUICE_CONTROL_VOLATILE		(1U << 1)

/*
 * sluice_enum_controls.id.  These ids have the same meaning in all device drivers.  If no unit is
 * given here, the driver chooses it.  Ids from SLUICE_CONTROL_DRIVER on are defined by each driver.
 */
#define SLUICE_CONTROL_INPUT		1	/* menu: which connector, or which sensor */
#define SLUICE_CONTROL_GAIN		2
#define SLUICE_CONTROL_EXPOSURE		3	/* in microseconds */
#define SLUICE_CONTROL_BRIGHTNESS	4
#define SLUICE_CONTROL_CONTRAST		5
#define SLUICE_CONTROL_TRIGGER		6	/* button */
#define SLUICE_CONTROL_DRIVER		0x10000

/**
 * struct sluice_enum_controls - SLUICE_IOCTL_ENUM_CONTROLS: one control of the device
 * @index: in, number of the entry, from 0
 * @flags: in, must be 0
 * @id: out, names the control in the other ioctls, 1 to 2^31 - 1
 * @type: out, SLUICE_CONTROL_INT, _BOOL, _MENU or _BUTTON
 * @properties: out, SLUICE_CONTROL_READ_ONLY and SLUICE_CONTROL_VOLATILE
 * @reserved: out, 0
 * @min: out, the smallest value
 * @max: out, the largest value
 * @step: out, each value is @min plus a multiple of @step, which is not 0
 * @default_value: out, the value before the first SET_CONTROL
 * @name: out, name for people; NUL-terminated; unique within the device
 *
 * Controls belong to the device, and not to an open file of the node: a new value applies to
 * all programs.
 *
 * Errors:
 *
 *	-EINVAL		@index is beyond the last control
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
 * struct sluice_enum_menu - SLUICE_IOCTL_ENUM_MENU: the name of one value of a menu
 * @id: in, id of the control
 * @flags: in, must be 0
 * @value: in, 0 to the max of the control
 * @name: out, NUL-terminated
 *
 * Errors:
 *
 *	-EINVAL		@value is below 0 or above the max
 *	-EINVAL		the control is not a MENU
 *	-ENOENT		there is no such control
 */
struct sluice_enum_menu {
	__u32 id;
	__u32 flags;
	__s64 value;
	char name[SLUICE_NAME_LEN];
};

/**
 * struct sluice_control - SLUICE_IOCTL_GET_CONTROL, SET_CONTROL: the value of a control
 * @id: in, id of the control
 * @flags: in, must be 0
 * @value: SET_CONTROL: in, the new value; GET_CONTROL: out
 *
 * The device driver gets one call at a time.  When SET_CONTROL has returned, the device has the new
 * value.  The device decides which frame is the first with the new value.  After an error of
 * SET_CONTROL the control keeps its old value.
 *
 * Errors:
 *
 *	-ENOENT		there is no such control
 *	-ERANGE		SET_CONTROL: @value is below min, above max, or between two steps.  The
 *			kernel never rounds a value
 *	-EACCES		SET_CONTROL: the control is READ_ONLY
 *	-EACCES		SET_CONTROL: the fd is not open for writing
 *	-EACCES		GET_CONTROL: the control is a BUTTON
 *	-EIO		the hardware was asleep, and does not wake up
 *	-EINTR		a signal came while this call waited for another call
 *	others		the errno of the driver
 */
struct sluice_control {
	__u32 id;
	__u32 flags;
	__s64 value;
};

/*
 * sluice_event.type
 *
 *	CONTROL	a control has a new value: @id is the id of the control, @value the new value
 *	SOURCE	the input signal has changed: @id is the number of the engine, @value is
 *		SLUICE_SOURCE_*.  SLUICE_IOCTL_SOURCE returns the rest
 *	DRIVER	types from this number on are defined by the device driver, in its documentation
 */
#define SLUICE_EVENT_CONTROL	1
#define SLUICE_EVENT_SOURCE	2
#define SLUICE_EVENT_DRIVER	0x10000

/*
 * sluice_event.flags
 *
 *	OVERFLOW	events were lost because there was no room.  Perhaps no later event tells
 *			the new state: query the state of the device again
 */
#define SLUICE_EVENT_OVERFLOW	(1U << 0)

/**
 * struct sluice_event - one record of read() on a node
 * @type: SLUICE_EVENT_*
 * @id: the object that has changed; its meaning depends on @type
 * @value: the new state of the object
 * @timestamp: when the event was raised: CLOCK_MONOTONIC, in nanoseconds
 * @sequence: number of the event; the device counts all its events from 1
 * @lost: number of events that this open file lost between its previous record (or its open()) and
 *	this record.  Later events of the same type and id replaced them, or there was no room
 * @flags: SLUICE_EVENT_OVERFLOW
 * @reserved: 0
 * @reserved2: 0
 *
 * Each open file of the node receives the events that are raised after it was opened, also
 * events that it causes itself.  To miss no change, a program opens the node, then queries the
 * state, and then reads events.
 *
 * Records come in the order of @sequence.  A later event of the same type and id replaces an
 * unread event.  When SLUICE_MAX_EVENTS records exist, a new record replaces the oldest record.
 *
 * read() returns as many whole records as exist and fit.  It blocks while there is none.
 *
 * Errors of read():
 *
 *	-EAGAIN		there is no event, and O_NONBLOCK is set
 *	-EINVAL		the caller's memory is smaller than a record
 *	-EFAULT		the caller's memory is not accessible; no record is lost
 *	-EINTR		a signal came
 *	-ENODEV		the device is removed, and all records have been read
 *
 * Events of poll():
 *
 *	EPOLLPRI, EPOLLIN	an event can be read
 *	EPOLLHUP		the device is removed
 *
 * An open node does not keep the hardware awake (runtime PM).  Hardware that sleeps may not
 * detect a change of its input.  The event then comes when the hardware is awake again.
 *
 * The size of the record is fixed.  Programs must ignore the reserved fields, because a later
 * version may use them.  If a later version has longer records, only an open file that asks for
 * them will get them.
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
 * sluice_buffer_info.properties.  A buffer has exactly one of the four kinds of CPU mapping:
 * CACHED, COHERENT, WRITE_COMBINED or UNCACHED.
 *
 *	CACHED		CPU mappings are cached.  Call DMA_BUF_IOCTL_SYNC (or SLUICE_IOCTL_SYNC) to
 *			begin and to end each CPU access
 *	COHERENT	CPU mappings need no cache maintenance for this device.  If another device
 *			imports the buffer, the rule of CACHED applies, because the other device
 *			may not see the CPU's caches
 *	CONTIGUOUS	the buffer is one segment for this device
 *	WRITE_COMBINED	CPU mappings gather writes, and are not cached.  For streams that the CPU
 *			only writes
 *	UNCACHED	CPU mappings are neither cached nor write-combined
 *	PAGE_BACKED	each CPU mapping holds references on the pages that it maps.  O_DIRECT,
 *			io_uring's fixed buffers and MSG_ZEROCOPY work on it
 *	DEVICE		memory inside the device, in a BAR or in SRAM.  Another device can access it
 *			only peer-to-peer.  Sluice takes the memory back when the device is removed
 *	HUGE		an option: all memory is in huge pages of 2 MiB, so that segments and page
 *			table entries can have this size
 *	RESERVED	the memory comes only from the region that the device tree reserves for the
 *			device (memory-region)
 */
#define SLUICE_MEM_CACHED	(1U << 0)
#define SLUICE_MEM_COHERENT	(1U << 1)
#define SLUICE_MEM_CONTIGUOUS	(1U << 2)
#define SLUICE_MEM_WRITE_COMBINED (1U << 3)
#define SLUICE_MEM_UNCACHED	(1U << 4)
#define SLUICE_MEM_PAGE_BACKED	(1U << 5)
#define SLUICE_MEM_DEVICE	(1U << 6)
#define SLUICE_MEM_HUGE		(1U << 7)
#define SLUICE_MEM_RESERVED	(1U << 8)

/**
 * struct sluice_heap_info - SLUICE_IOCTL_HEAP_INFO: one heap of the device
 * @index: in, number of the heap, 0 to num_heaps - 1
 * @flags: in, must be 0
 * @name: out, name of the heap; NUL-terminated
 * @properties: out, SLUICE_MEM_* that each buffer of this heap has by default
 * @options: out, SLUICE_MEM_* that ALLOC may also ask for.  If ALLOC asks for another kind of CPU
 *	mapping, it replaces the default kind
 * @max_size: out, bytes of the largest buffer that ALLOC may ask for.  The memory that is free
 *	at the moment may be less
 *
 * Errors:
 *
 *	-EINVAL		there is no such heap
 */
struct sluice_heap_info {
	__u32 index;
	__u32 flags;
	char name[SLUICE_NAME_LEN];
	__u32 properties;
	__u32 options;
	__u64 max_size;
};

/*
 * fd_flags of all calls that return an fd
 *
 *	INHERIT	the fd survives exec().  Without this flag the fd is close-on-exec
 *	RDONLY	ALLOC and WRAP only.  The buffer is read-only.  Sluice refuses a shared writable
 *		CPU mapping (also through an importer), ATTACH for writing, and an importer that
 *		maps the buffer for writing only.  Many importers always map for both directions:
 *		Sluice accepts them, and they are able to write to the buffer
 */
#define SLUICE_FD_INHERIT	(1U << 0)
#define SLUICE_FD_RDONLY	(1U << 1)

/*
 * sluice_alloc.hint and sluice_wrap.hint: why the call failed
 *
 *	NONE		the errno says all that is known
 *	LIMIT		-EDQUOT: open_limit of this open file of the node would be exceeded
 *			-EFBIG, ALLOC: the size is above the heap's max_size
 *			-EFBIG, WRAP: the size is above the memory of the machine, or above what
 *			the device can address
 *	FRAGMENTED	-ENOMEM: no free piece is large enough; with HUGE: memory is free, but too
 *			little of it is in huge pages
 *	DMA_MASK	-ENOMEM: no memory that the device can address is free
 *			-EFBIG: the device cannot address a piece of this size
 *			-EADDRNOTAVAIL, WRAP: the device cannot address some of the pages
 *	USER_LIMIT	-EDQUOT: user_limit would be exceeded (module parameter user_limit_mb)
 *	TOTAL_LIMIT	-EDQUOT: total_limit would be exceeded (module parameter total_limit_mb)
 *	NO_CMA		the heap is "contiguous", and the kernel reserves no memory for large
 *			pieces.  Boot with cma= to reserve memory
 *			-ENOMEM: no piece of this size is free now
 *			-EFBIG: a piece of this size can never be free
 *	BOUNCED		-EADDRNOTAVAIL: the kernel would bounce the device's DMA.  Remedy: ALLOC
 *			from the heap "contiguous", without SLUICE_MEM_CACHED
 */
#define SLUICE_HINT_NONE	0
#define SLUICE_HINT_LIMIT	1
#define SLUICE_HINT_FRAGMENTED	2
#define SLUICE_HINT_DMA_MASK	3
#define SLUICE_HINT_USER_LIMIT	4
#define SLUICE_HINT_TOTAL_LIMIT	5
#define SLUICE_HINT_NO_CMA	6
#define SLUICE_HINT_BOUNCED	7

/**
 * struct sluice_alloc - SLUICE_IOCTL_ALLOC: allocate a buffer
 * @size: in, bytes, not 0; out, the size granted.  The kernel rounds it up to whole pages, or to
 *	whole huge pages if SLUICE_MEM_HUGE is set
 * @heap: in, number of the heap
 * @flags: in, SLUICE_MEM_* that the buffer must have, or 0
 * @fd_flags: in, SLUICE_FD_* or 0
 * @fd: out, the dma-buf
 * @granted: out, SLUICE_MEM_* that the buffer has
 * @hint: out, SLUICE_HINT_*; also valid after an error
 *
 * The memory is zeroed.  It is charged to the caller's memory cgroup, with two exceptions:
 *
 * - memory of the device itself (SLUICE_MEM_DEVICE)
 * - a buffer of the heap "contiguous", if its memory comes from CMA, or if it is larger than the
 *   largest piece of the kernel's page allocator
 *
 * Errors:
 *
 *	-EINVAL		@size is 0
 *	-EINVAL		there is no such heap
 *	-EINVAL		@flags exclude one another: two kinds of CPU mapping, or PAGE_BACKED with a
 *			kind that is not CACHED
 *	-EOPNOTSUPP	the heap does not have all @flags
 *	-EFBIG		@size is above the heap's max_size
 *	-EDQUOT		this open file, its user, or all open files together would exceed their
 *			limit: @hint tells which
 *	-EADDRNOTAVAIL	the kernel would bounce the device's DMA: see SLUICE_HINT_BOUNCED
 *	-ENOMEM		no such memory is free: see @hint
 *	-EINTR		the caller was killed
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
 * struct sluice_wrap - SLUICE_IOCTL_WRAP: make a buffer of the pages of a memfd
 * @memfd: in, fd from memfd_create() with MFD_ALLOW_SEALING, and with or without MFD_HUGETLB.
 *	It must be open for reading and writing, and may be closed afterwards
 * @flags: in, must be 0
 * @offset: in, bytes from the start of the file; a multiple of the page size
 * @size: in, bytes, not 0; a multiple of the page size.  The range must lie inside the file
 * @fd_flags: in, SLUICE_FD_* or 0
 * @fd: out, the dma-buf
 * @granted: out, SLUICE_MEM_* that the buffer has
 * @hint: out, SLUICE_HINT_*; also valid after an error
 *
 * Nothing is copied: the file, its mappings and the dma-buf show the same memory.  Holes in the
 * range are first filled with zeroed pages.
 *
 * The pages are pinned until the last reference to the dma-buf is dropped.  They count against
 * the limits as memory of ALLOC does.  If the range has only a part of a huge page, the whole huge
 * page counts.  WRAP does not change the memory cgroup that the pages are charged to.
 *
 * Seals of the file:
 *
 * - F_SEAL_SHRINK is required, because no page may disappear while a device uses it.
 * - F_SEAL_WRITE and F_SEAL_FUTURE_WRITE are refused, also with SLUICE_FD_RDONLY, because an
 *   importer could write to the pages in spite of the seal.
 * - While the dma-buf exists, F_SEAL_WRITE cannot be added: fcntl() fails with -EBUSY.
 *
 * If a program later punches a hole of whole pages into the file, the dma-buf keeps the old pages.
 * The file gets new pages there, so the file and the dma-buf no longer show the same memory.  If
 * the hole is only a part of a huge page or of another large folio, the kernel clears this part.
 * The file and the dma-buf then both show zeros.
 *
 * Errors:
 *
 *	-EBADF		@memfd is not an open fd
 *	-EINVAL		the file is neither of tmpfs nor of hugetlbfs
 *	-EINVAL		@size is 0, or @offset or @size is not a multiple of the page size
 *	-EACCES		@memfd is not open for both reading and writing
 *	-EPERM		F_SEAL_SHRINK is missing.  A file that is no memfd cannot have it
 *	-EPERM		the file has F_SEAL_WRITE or F_SEAL_FUTURE_WRITE
 *	-ERANGE		the range ends beyond the end of the file
 *	-EFBIG		@size is above the memory of the machine, or above what the device can
 *			address
 *	-EDQUOT		as for ALLOC
 *	-EADDRNOTAVAIL	the device cannot address some of the pages: see @hint
 *	-ENOMEM		no memory, or no free huge page for a hole
 *	-EINTR		the caller was killed
 *	-EINTR		a signal came while the kernel filled holes with huge pages.  SA_RESTART has
 *			no effect here
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
#define SLUICE_BUFFER_FOREIGN	0	/* another exporter made it */
#define SLUICE_BUFFER_OURS	1	/* ALLOC or WRAP of a Sluice device made it */

/**
 * struct sluice_buffer_info - SLUICE_IOCTL_BUFFER_INFO: how this device sees a dma-buf
 * @fd: in, any dma-buf, also a foreign one
 * @flags: in, must be 0
 * @kind: out, SLUICE_BUFFER_*
 * @properties: out, SLUICE_MEM_*; for a foreign buffer SLUICE_MEM_CONTIGUOUS or 0
 * @size: out, bytes
 * @inode: out, inode number of the dma-buf; equal for all fds of one buffer
 * @error: out, 0 if the device can import the buffer.  Otherwise the negative errno with which
 *	ATTACH for reading would fail; the fields after @error are then 0
 * @segments: out, number of segments; adjacent segments count as one
 * @largest_segment: out, bytes of the largest segment
 * @address: out, bus address of the first segment; 0 unless the caller has CAP_SYS_RAWIO and
 *	the module parameter expose_addresses is on; 0 if the kernel is locked down
 *
 * The kernel attaches a foreign buffer for a moment.  Meanwhile the buffer counts against
 * open_limit, so @error may be -EDQUOT.
 *
 * Errors:
 *
 *	-EBADF		@fd is not an open fd
 *	-EINVAL		@fd is not a dma-buf
 *	-EINTR		a signal came while the kernel waited for the exporter
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

/* sluice_sync.flags: the same values as DMA_BUF_SYNC_* */
#define SLUICE_SYNC_READ	(1U << 0)	/* the CPU reads */
#define SLUICE_SYNC_WRITE	(1U << 1)	/* the CPU writes */
#define SLUICE_SYNC_RW		(SLUICE_SYNC_READ | SLUICE_SYNC_WRITE)
#define SLUICE_SYNC_END		(1U << 2)	/* the access ends; without this flag it begins */

/**
 * struct sluice_sync - SLUICE_IOCTL_SYNC: begin or end CPU access to a range of a buffer
 * @fd: in, a buffer of any Sluice device
 * @flags: in, SLUICE_SYNC_READ, SLUICE_SYNC_WRITE or both; and SLUICE_SYNC_END or not
 * @offset: in, bytes from the start of the buffer
 * @length: in, bytes, not 0
 *
 * DMA_BUF_IOCTL_SYNC maintains the caches for the whole buffer.  SYNC maintains them for the range
 * only.  A call that begins an access waits for the fences of the whole buffer, because a fence has
 * no range.  To end the access, pass the same flags and range, and SLUICE_SYNC_END.  The call works
 * on the node of any Sluice device, also after that device is removed.
 *
 * Errors:
 *
 *	-EBADF		@fd is not an open fd
 *	-EINVAL		@fd is not a dma-buf
 *	-EINVAL		@flags has neither READ nor WRITE
 *	-EINVAL		@length is 0
 *	-EOPNOTSUPP	the buffer is foreign
 *	-ERANGE		the range ends beyond the end of the buffer
 *	-ETIME		the fences have not signalled within 60 s
 *	-EINTR		a signal came during the wait
 *	-ENODEV		the buffer is memory of a device (SLUICE_MEM_DEVICE) that is removed
 */
struct sluice_sync {
	__s32 fd;
	__u32 flags;
	__u64 offset;
	__u64 length;
};

/**
 * struct sluice_eventfd - SLUICE_IOCTL_EVENTFD: signal an eventfd on each interrupt
 * @interrupt: in, number of the interrupt, 0 to num_interrupts - 1
 * @fd: in, an eventfd, which may be closed afterwards; -1 to remove the eventfd of this interrupt
 * @flags: in, must be 0
 * @reserved: in, must be 0
 *
 * Each interrupt adds 1 to the eventfd.  The removal of the device also adds 1.  An open file of
 * the node has at most one eventfd for each interrupt: a new eventfd replaces the old one.  Closing
 * the open file removes its eventfds.  An eventfd keeps the hardware awake.  Jobs and fences do not
 * depend on eventfds.
 *
 * Errors:
 *
 *	-EINVAL		there is no such interrupt
 *	-EINVAL		@fd is not an eventfd, or is below -1
 *	-EBADF		@fd is not an open fd
 *	-ENOSPC		the device has 256 eventfds, in all open files of its node
 *	-EIO		the hardware was asleep, and does not wake up
 */
struct sluice_eventfd {
	__u32 interrupt;
	__s32 fd;
	__u32 flags;
	__u32 reserved;
};

/*
 * mmap() of the node maps registers of the device, uncached, if its driver lets userspace map
 * registers.  The offset is SLUICE_MMAP_BAR(bar) plus an offset inside the BAR, in whole pages.
 * The mapping must be shared, and keeps the hardware awake.
 *
 * Root allows ranges of registers, as the documentation of the device driver tells.  All ranges of
 * one device have the same use: either mmap() or PROGRAM ops.  After the device is removed, or
 * after root takes a range back, an access through a mapping raises SIGBUS.
 *
 * Errors of mmap():
 *
 *	-EACCES		root has not allowed all these pages for mmap()
 *	-EPERM		the kernel is locked down
 *	-EINVAL		the mapping is private
 *	-EINVAL		there is no such BAR with registers
 *	-EIO		the hardware was asleep, and does not wake up
 *	-ENODEV		the device is removed
 */
#define SLUICE_MMAP_BAR(bar)	((__u64)(bar) << 40)

/*
 * sluice_create_queue.flags
 *
 *	CHAIN_ERRORS	an error of a job cancels the jobs that follow it
 *	EXCLUSIVE	the engine has no other queue as long as this queue exists
 *	RING		completions go into memory that userspace maps, not to read(): see struct
 *			sluice_ring_header
 */
#define SLUICE_QUEUE_CHAIN_ERRORS	(1U << 0)
#define SLUICE_QUEUE_EXCLUSIVE		(1U << 1)
#define SLUICE_QUEUE_RING		(1U << 2)

/**
 * struct sluice_create_queue - SLUICE_IOCTL_CREATE_QUEUE: create a queue on an engine
 * @engine: in, number of the engine, 0 to num_engines - 1
 * @flags: in, SLUICE_QUEUE_* or 0
 * @priority: in, 0 (normal), 1, or 2 (highest).  2 needs CAP_SYS_NICE.  A job of a higher priority
 *	does not interrupt a job that runs
 * @timeout_ms: in, running time of a job in milliseconds, at most SLUICE_MAX_TIMEOUT_MS; 0 for
 *	the default
 * @depth: in, most jobs that have not ended or whose completion is unread, at most
 *	SLUICE_MAX_DEPTH; 0 for 256.  Out, the depth granted: a power of two, at least 2
 * @fd_flags: in, SLUICE_FD_INHERIT or 0
 * @fd: out, the queue
 * @completion_size: in, bytes of each completion of this queue: sizeof(struct
 *	sluice_completion) as the caller knows it.  It must be a multiple of 8, from
 *	SLUICE_COMPLETION_SIZE_V1 to SLUICE_MAX_RECORD_SIZE; 0 for SLUICE_COMPLETION_SIZE_V1.
 *	If it is larger than the kernel's struct, the rest of each completion is zero.  Modules
 *	before UAPI version 5 require 0
 *
 * The jobs of a queue run and end in the order of their submission.  When the last fd of the
 * queue is closed, jobs that have not ended are cancelled.
 *
 * By default the next job runs after an error of a job.  With SLUICE_QUEUE_CHAIN_ERRORS, an error
 * of a job ends all later jobs with -ECANCELED, also jobs that are submitted afterwards, until
 * CANCEL with SLUICE_CANCEL_CLEAR.  A job that CANCEL has ended does not count as an error.  So if
 * a job succeeds, each job after the last CLEAR and before this job succeeded, or was ended by
 * CANCEL.
 *
 * A queue exists until its last job has ended, even if its fd is closed earlier.  It counts as a
 * queue of its open file of the node, and blocks its engine if it is EXCLUSIVE, as long as it
 * exists.  A mapping of its completion ring keeps a queue open as an fd does.
 *
 * Errors:
 *
 *	-EINVAL		there is no such engine
 *	-EINVAL		@priority, @timeout_ms or @depth is above its maximum
 *	-EINVAL		@completion_size is not as described above
 *	-EPERM		@priority is 2, and the caller does not have CAP_SYS_NICE
 *	-EIO		jobs of this open file hung SLUICE_MAX_HANGS times on the engine without a
 *			success between: see struct sluice_submit
 *	-ENOSPC		this open file has SLUICE_MAX_QUEUES queues
 *	-EDQUOT		the completion ring would exceed the limit of this open file, of its user,
 *			or of all open files
 *	-EBUSY		the engine has an EXCLUSIVE queue
 *	-EBUSY		EXCLUSIVE was asked for, and the engine has another queue
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

/*
 * sluice_attach.flags
 *
 *	READ		the device reads the buffer
 *	WRITE		the device writes to the buffer
 *	EXPLICIT	no implicit sync: jobs do not wait for other users of the buffer, and other
 *			users do not wait for the jobs.  One exception: an exporter that can move
 *			the memory or take it back.  If it is moving or clearing the memory, jobs
 *			wait until it has finished.  Before it takes the memory back, it waits for
 *			the jobs
 */
#define SLUICE_ATTACH_READ	(1U << 0)
#define SLUICE_ATTACH_WRITE	(1U << 1)
#define SLUICE_ATTACH_EXPLICIT	(1U << 2)

/**
 * struct sluice_attach - SLUICE_IOCTL_ATTACH: make a dma-buf a slot of this queue
 * @fd: in, any dma-buf, also a foreign one; may be closed afterwards
 * @flags: in, SLUICE_ATTACH_*.  If neither READ nor WRITE is given, both are meant
 * @slot: out, number of the slot, 0 to SLUICE_MAX_SLOTS - 1
 * @reserved: in, must be 0
 *
 * The buffer is mapped for the device until DETACH, until the queue ends, or until the device is
 * removed.  A slot pins its buffer: the exporter cannot move the memory.  Each slot with a foreign
 * buffer adds the size of the buffer to the bytes that count against open_limit of the open file
 * that created the queue.
 *
 * An exporter may take its memory back for good, for example memory in a BAR when its device is
 * removed.  Jobs that use the slot then end with -ENODEV, and SUBMIT refuses the slot with
 * -ENODEV.  DETACH frees the number of the slot.
 *
 * Errors:
 *
 *	-EBADF		@fd is not an open fd
 *	-EINVAL		@fd is not a dma-buf
 *	-EINVAL		the exporter maps less than the size of the buffer
 *	-EACCES		the dma-buf is read-only, and the call asks for WRITE (or for neither READ
 *			nor WRITE)
 *	-EPERM		the exporter does not let its memory be pinned
 *	-ENOSPC		the queue has SLUICE_MAX_SLOTS slots
 *	-EDQUOT		the foreign buffer would exceed open_limit
 *	-EADDRNOTAVAIL	the device cannot address the memory, or the kernel would bounce its DMA
 *	-EADDRNOTAVAIL	a segment begins or ends at an address that is not a multiple of op_align of
 *			INFO.  The last segment may end at any address.  Software devices never
 *			return this error
 *	-EADDRNOTAVAIL	the memory is in another device, and there is no route to it
 *	-EOPNOTSUPP	the engines are software, and the exporter gives no kernel mapping
 *	-EOPNOTSUPP	the memory is in another device, and this device cannot use peer memory
 *	-ETIME		the exporter is still moving or clearing the memory after 30 s
 *	-EINTR		a signal came while the call waited for the exporter
 *	-EIO		the hardware was asleep, and does not wake up
 *	-ENODEV		the memory belongs to another device, which is removed
 *	others		the errno of a foreign exporter
 */
struct sluice_attach {
	__s32 fd;
	__u32 flags;
	__u32 slot;
	__u32 reserved;
};

/**
 * struct sluice_detach - SLUICE_IOCTL_DETACH: remove a slot
 * @slot: in, number of the slot, which ATTACH may use again afterwards
 * @flags: in, must be 0
 *
 * Jobs that are already submitted keep the buffer until they end.  After an error nothing has
 * changed.
 *
 * Errors:
 *
 *	-ENOENT		there is no such slot, or the device is removed
 */
struct sluice_detach {
	__u32 slot;
	__u32 flags;
};

/*
 * sluice_command.kind
 *
 *	WRITE		write @value to the register
 *	WRITE_DST	write a bus address to the register: that of the start of the op's dst range
 *			plus @value bytes, or a half of it (@part)
 *	WRITE_SRC	the same for the src range
 *	POLL		read the register until its bits in @mask are equal to @value
 *	INTERRUPT	wait for the interrupt with the number @value
 */
#define SLUICE_COMMAND_WRITE		1
#define SLUICE_COMMAND_WRITE_DST	2
#define SLUICE_COMMAND_WRITE_SRC	3
#define SLUICE_COMMAND_POLL		4
#define SLUICE_COMMAND_INTERRUPT	5

/*
 * sluice_command.part
 *
 *	WHOLE	the whole address.  SUBMIT fails with -EADDRNOTAVAIL if the register has 4 bytes and
 *		the address needs more than 32 bits
 *	LOW	the lower 32 bits of the address; the register must have 4 bytes
 *	HIGH	the upper 32 bits of the address; the register must have 4 bytes
 */
#define SLUICE_ADDRESS_WHOLE		0
#define SLUICE_ADDRESS_LOW		1
#define SLUICE_ADDRESS_HIGH		2

/**
 * struct sluice_command - one step of a PROGRAM
 * @kind: SLUICE_COMMAND_*
 * @bar: BAR of the PCI device, 0 to 5
 * @width: bytes of the register: 1, 2, 4 or 8; for WRITE_DST and WRITE_SRC 4 or 8.  SUBMIT
 *	refuses 8 with -EOPNOTSUPP on 32-bit kernels
 * @offset: bytes from the start of the BAR, a multiple of @width
 * @value: WRITE: what to write.  POLL: the value to wait for, with no bits outside @mask.
 *	WRITE_DST, WRITE_SRC: bytes from the start of the op's range.  INTERRUPT: number of
 *	the interrupt, 0 to num_interrupts - 1
 * @mask: POLL: the bits to compare
 * @part: WRITE_DST, WRITE_SRC: SLUICE_ADDRESS_*
 * @timeout_us: POLL: longest wait, in microseconds.  The sum for all POLLs of a PROGRAM must
 *	not be above SLUICE_MAX_POLL_US
 * @length: WRITE_DST, WRITE_SRC: number of bytes that the device will use, from the address that
 *	the command writes; 0 for all up to the end of the range.  These bytes must lie in one
 *	segment: otherwise SUBMIT fails with -EADDRNOTAVAIL.  struct sluice_engine_info tells where
 *	the kernel splits segments
 *
 * All fields are "in".  A field that the kind does not use must be 0; an INTERRUPT uses only
 * @value.  A command may use only registers in ranges that root has allowed for PROGRAM ops: see
 * SLUICE_MMAP_BAR().  An INTERRUPT is refused while ranges are allowed for mmap().
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

/*
 * sluice_op.flags of a PROGRAM or PRIVATE
 *
 *	DST	the device writes to @dst: @dst, @dst_offset and @length are used
 *	SRC	the device reads from @src: @src, @src_offset and @src_length are used
 */
#define SLUICE_OP_DST	(1U << 0)
#define SLUICE_OP_SRC	(1U << 1)

/**
 * struct sluice_plane - where one plane of a frame is; all fields are "in"
 * @slot: number of the slot
 * @stride: bytes from the start of a line to the start of the next line
 * @offset: where the first line begins, in bytes from the start of the buffer; a multiple of
 *	op_align
 */
struct sluice_plane {
	__u32 slot;
	__u32 stride;
	__u64 offset;
};

/**
 * struct sluice_op - one op of a job
 * @kind: enum sluice_op_kind
 * @flags: PROGRAM, PRIVATE: SLUICE_OP_DST, SLUICE_OP_SRC, both or 0.  Other kinds: 0
 * @dst: number of the slot that the op writes to (COPY, FILL, CAPTURE; PROGRAM and PRIVATE with
 *	SLUICE_OP_DST); else 0
 * @src: number of the slot that the op reads (COPY, PLAYBACK; PROGRAM and PRIVATE with
 *	SLUICE_OP_SRC); else 0
 * @dst_offset: bytes from the start of the buffer of @dst, if the op has @dst; else 0
 * @src_offset: bytes from the start of the buffer of @src, if the op has @src; else 0
 * @length: number of bytes, not 0.  PROGRAM, PRIVATE: length of the range in @dst, or 0 without
 *	SLUICE_OP_DST
 * @value: FILL: the value, 0 to 2^32 - 1
 * @frame: CAPTURE, PLAYBACK: the image; all fields are 0 for raw data
 * @frame.width: pixels of a line
 * @frame.height: lines in memory.  With SLUICE_FIELD_TOP, _BOTTOM or _ALTERNATE these are the lines
 *	of one field, half the lines of the picture
 * @frame.stride: bytes from the start of a line to the start of the next line, for the first
 *	plane.  It must not be less than the bytes of a line.  It must be a multiple of the engine's
 *	stride_align, and of the alignment of the format (for example 4, if a pixel has 4 bytes)
 * @frame.format: a fourcc that ENUM_FORMATS lists
 * @program: PROGRAM: the commands
 * @program.commands: address of an array of struct sluice_command
 * @program.num_commands: length of the array, at least 1
 * @program.command_size: sizeof(struct sluice_command) as the caller knows it; 0 for
 *	SLUICE_COMMAND_SIZE_V1
 * @program.src_length: bytes of the range in @src, not 0; 0 without SLUICE_OP_SRC
 * @payload: PRIVATE: the description of the op
 * @payload.data: address of the payload, in the layout that the device driver documents.  A payload
 *	has no fd and no address of memory: the op names its memory in @dst and @src
 * @payload.size: bytes of the payload, 1 to SLUICE_MAX_PAYLOAD
 * @payload.reserved: must be 0
 * @payload.src_length: bytes of the range in @src, not 0; 0 without SLUICE_OP_SRC
 * @pad: bytes that the kind does not use must be 0
 * @planes: image: address of an array of struct sluice_plane, one for each plane of the format,
 *	in the order of the format.  Planes may be in the same slot or in different slots.  If
 *	@num_planes is not 0, @dst, @src, their offsets, @length and @frame.stride must be 0
 * @num_planes: image: length of @planes, the number of planes of the format; or 0, and @planes is
 *	0.  With 0 all planes are in one slot, one after the other without a gap.  They begin at
 *	@dst_offset (PLAYBACK: @src_offset), must fit into @length bytes, and their strides
 *	follow from @frame.stride.  An image of several planes needs @planes if only the device
 *	driver knows the layout of the format, or if the modifier is not LINEAR
 * @plane_size: sizeof(struct sluice_plane) as the caller knows it; 0 for SLUICE_PLANE_SIZE_V5.
 *	It must be 0 if @num_planes is 0
 * @modifier: image: the modifier that ENUM_FORMATS lists with the format
 * @field: image: SLUICE_FIELD_*, one of those that ENUM_FORMATS lists with the format
 * @reserved: must be 0
 *
 * All fields are "in".  An image is a CAPTURE or a PLAYBACK whose @frame.width is not 0.  For
 * other ops the fields after @pad must be 0.  Ops of SLUICE_OP_SIZE_V1 bytes do not have these
 * fields.
 *
 * A PROGRAM ends with its last command.  At this time the device must not use the memory any more:
 * use an INTERRUPT or a POLL to wait until it has finished.  An INTERRUPT ignores interrupts that
 * came before the op began.  A POLL that runs out of time ends the job with -EIO.  A command for a
 * register that root has taken back since SUBMIT ends the job with -EACCES.  In both cases the
 * engine is reset.
 *
 * Errors: see struct sluice_submit.
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

/*
 * sluice_submit.flags
 *
 *	OUT_FENCE	return a sync_file in @out_fence
 *	NO_COMPLETION	leave no completion for read()
 *	IGNORE_ERRORS	run the job even if an explicit in-fence ended with an error
 *	CYCLIC		repeat the ops: after the last op the first op follows again
 *	STOP_ON_XRUN	CYCLIC only: end the job with -EPIPE if the device has no op, and the next
 *			op is late (see below)
 */
#define SLUICE_SUBMIT_OUT_FENCE		(1U << 0)
#define SLUICE_SUBMIT_NO_COMPLETION	(1U << 1)
#define SLUICE_SUBMIT_IGNORE_ERRORS	(1U << 2)
#define SLUICE_SUBMIT_CYCLIC		(1U << 3)
#define SLUICE_SUBMIT_STOP_ON_XRUN	(1U << 4)

/**
 * struct sluice_in_point - a job of a queue, for which another job waits
 * @queue: fd of the queue; of any Sluice device, or the queue of the SUBMIT itself
 * @flags: must be 0
 * @point: a point that SUBMIT returned for this queue
 *
 * An in-point is an explicit in-fence without a sync_file: the job waits until the job @point of
 * @queue has ended.  If that job ended or ends with an error, this is an error of an explicit
 * in-fence.  If the depth of @queue is N, the kernel keeps the errors of the last N jobs; an older
 * job counts as a success.
 *
 * SUBMIT looks the points up once, before the job gets its own point.  Afterwards @queue may be
 * closed: its pending jobs then end with -ECANCELED, which is an error of the in-fence.  The same
 * is true for CANCEL, and for the removal of the device (-ENODEV).  If two threads race, the
 * in-point names the job that has this point at the time of the look-up.  A point that another
 * thread is submitting at the same time is either known, or refused with -EINVAL.
 */
struct sluice_in_point {
	__s32 queue;
	__u32 flags;
	__u64 point;
};

/**
 * struct sluice_submit - SLUICE_IOCTL_SUBMIT: submit a job
 * @ops: in, address of an array of struct sluice_op
 * @in_fences: in, address of an array of __s32: fds of sync_files
 * @num_ops: in, length of @ops, 0 to SLUICE_MAX_OPS.  A job without ops only waits for its
 *	in-fences and for the jobs before it
 * @num_in_fences: in, length of @in_fences, 0 to SLUICE_MAX_IN_FENCES
 * @flags: in, SLUICE_SUBMIT_* or 0
 * @fd_flags: in, SLUICE_FD_INHERIT or 0, for @out_fence
 * @user_data: in, any number; the completion returns it
 * @point: out, the point of the job; the first job of a queue has 1
 * @out_fence: out, a sync_file that signals when the job has ended; -1 without
 *	SLUICE_SUBMIT_OUT_FENCE
 * @op_size: in, sizeof(struct sluice_op) as the caller knows it; 0 for SLUICE_OP_SIZE_V1
 * @in_points: in, address of an array of struct sluice_in_point
 * @num_in_points: in, length of @in_points, 0 to SLUICE_MAX_IN_POINTS
 * @in_point_size: in, sizeof(struct sluice_in_point) as the caller knows it; 0 for
 *	SLUICE_IN_POINT_SIZE_V7
 *
 * SUBMIT does not wait for fences.  The job waits for the jobs before it in its queue, and for its
 * in-fences.  The fences of @in_fences and the jobs of @in_points are its explicit in-fences.  Its
 * implicit in-fences are fences on the buffers of slots that are not EXPLICIT: those of writers, if
 * the job only reads the buffer; those of readers and writers, if it writes to the buffer.  The job
 * adds its own fence to these buffers.  For the buffer of an EXPLICIT slot it waits in one case
 * only: the exporter is moving or clearing the memory.
 *
 * If the job cannot run to its end:
 *
 * - If an explicit in-fence ended with an error, the job ends with -ECANCELED and does not run.
 *   Errors of implicit in-fences are ignored.
 * - If an in-fence has not signalled 30 s after SUBMIT, the job ends with -ETIME.  It ends in its
 *   turn, after the jobs before it.  The engine is not reset.
 * - If the job runs longer than the timeout of its queue, it hangs: it ends with -ETIME, and the
 *   engine is reset.
 *
 * Each hang adds 1 to two counts.  If a job that has ops succeeds, both become 0.  The counts are:
 *
 * - The count of the queue.
 * - The count of the open file that created the queue, for all its queues on this engine.  If this
 *   count is SLUICE_MAX_HANGS, CREATE_QUEUE of this open file for this engine fails with -EIO.  A
 *   new open file begins with 0.
 *
 * If one of the counts is SLUICE_MAX_HANGS after a hang, the queue whose job hung is dead.  The
 * count of the open file never goes above SLUICE_MAX_HANGS.  All jobs of a dead queue end with
 * -EIO, and SUBMIT fails with -EIO.
 *
 * Rules for a job with SLUICE_SUBMIT_CYCLIC:
 *
 * - It must have at least one op, and its ops must be CAPTUREs or PLAYBACKs.  Each op, not the job,
 *   has the timeout of the queue.
 * - To end it with status 0, submit another job to the queue, for example a job without ops.  The
 *   CYCLIC job then ends after the last op of the current pass over its ops.  CANCEL ends it at
 *   once.
 * - It may have explicit in-fences.  It possibly never ends, so nothing is allowed to wait for it:
 *   it has no fence.  Its slots must be EXPLICIT, and its queue EXCLUSIVE.  OUT_FENCE and io_uring
 *   are refused.
 * - When ops of it have ended, it leaves a completion with SLUICE_COMPLETION_MORE.
 *
 * ACK is optional.  After the first ACK, an op is late if userspace has not yet acknowledged the
 * same op of the pass before.  A late op waits while the device has two other ops of the job.  If
 * the device has fewer, it gets the late op, and xruns of the completion counts this op.  With
 * SLUICE_SUBMIT_STOP_ON_XRUN a late op waits while the device has one other op.  If the device has
 * none, the job ends with -EPIPE.
 *
 * Errors; after an error nothing has been submitted:
 *
 *	-EINVAL		an op is of an unknown kind, or a field that it does not use is not 0
 *	-EINVAL		a length is 0, below min_length or above max_length of the engine
 *	-EINVAL		an offset or a length is not a multiple of op_align (FILL: and of 4)
 *	-EINVAL		the two ranges of a COPY overlap
 *	-EINVAL		format or height of an image is 0, or its field is unknown
 *	-EINVAL		the format cannot have this width, height, stride or number of planes: if
 *			two pixels share their chroma, for example, the width must be even
 *	-EINVAL		a command is malformed, or its interrupt does not exist
 *	-EINVAL		the POLLs of a PROGRAM may take longer than SLUICE_MAX_POLL_US
 *	-EINVAL		the device driver rejects a payload
 *	-EINVAL		an in-fence fd is not a sync_file
 *	-EINVAL		the fd of an in-point is not a queue, or its flags are not 0
 *	-EINVAL		the point of an in-point is 0 or is not submitted yet, or its job is CYCLIC
 *			and has not ended
 *	-EINVAL		CYCLIC, and the job breaks a rule for CYCLIC jobs
 *	-EINVAL		STOP_ON_XRUN without CYCLIC
 *	-EINVAL		op_size, command_size, plane_size or in_point_size is below its
 *			SLUICE_*_SIZE_V*, and not 0
 *	-E2BIG		too many ops, in-fence fds, in-points, commands or planes, or too large
 *			payloads
 *	-E2BIG		the job would have more than SLUICE_MAX_FENCES in-fences
 *	-E2BIG		op_size, command_size, plane_size or in_point_size is above
 *			SLUICE_MAX_RECORD_SIZE
 *	-E2BIG		the unknown part of an op, a command, a plane or an in-point is not zero
 *	-EBADF		an in-fence fd, or the fd of an in-point, is not open
 *	-ENOENT		there is no such slot
 *	-ERANGE		a range or a plane ends beyond its buffer or beyond @length, or overflows
 *	-ERANGE		the byte of a WRITE_DST or WRITE_SRC lies outside the range of the op
 *	-EACCES		the slot was attached only for the other direction
 *	-EACCES		a command uses a register that root has not allowed for PROGRAM ops
 *	-EACCES		an INTERRUPT, and root has allowed registers for mmap()
 *	-EPERM		a command uses a register, and the kernel is locked down
 *	-EADDRNOTAVAIL	the bytes of a WRITE_DST or WRITE_SRC are in several segments
 *	-EADDRNOTAVAIL	a register of 4 bytes, and an address that needs more than 32 bits
 *	-EFBIG		a range has more segments than max_segments of the engine
 *	-EOPNOTSUPP	the engine does not have this kind of op
 *	-EOPNOTSUPP	the engine does not list the format, modifier, field or size of an image
 *	-EOPNOTSUPP	CYCLIC, and the exporter of a buffer needs a fence (its dma_buf_ops have the
 *			callback pin)
 *	-EOPNOTSUPP	a command for a register of 8 bytes, on a 32-bit kernel
 *	-EOPNOTSUPP	in-fence fds or OUT_FENCE, and the kernel has no sync_file
 *	-EBUSY		the queue is full: read completions, or wait for the end of jobs that have
 *			NO_COMPLETION.  Also if the tail of a completion ring is wrong
 *	-EIO		the queue is dead
 *	-EIO		a PROGRAM or PRIVATE, and the hardware was asleep and does not wake up
 *	-EINTR		a signal came
 *	-ENODEV		the exporter has taken the memory of a slot back
 *	others		the errno of the device driver, for an image or a payload
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
	__u64 in_points;
	__u32 num_in_points;
	__u32 in_point_size;
};

/**
 * struct sluice_submit_many - SLUICE_IOCTL_SUBMIT_MANY: submit several jobs at once
 * @jobs: in, address of an array of struct sluice_submit.  The kernel does not write to it: the
 *	fields @point and @out_fence of its elements are not used
 * @num_jobs: in, length of @jobs, 1 to SLUICE_MAX_JOBS
 * @job_size: in, sizeof(struct sluice_submit) as the caller knows it
 * @flags: in, must be 0
 * @failed: out, written only after an error: the index of the job that is the reason.  It is
 *	@num_jobs if no single job is
 * @first: out, the point of the first job.  The next jobs have the points that follow
 * @out_fence: out, a sync_file that signals when the last job has ended; -1 if this job does not
 *	have SLUICE_SUBMIT_OUT_FENCE
 * @reserved: in, must be 0
 *
 * The call submits either all jobs or none.  The jobs behave as if SUBMIT had submitted them one
 * after the other, and no other job of the queue is between them.  Exceptions:
 *
 * - Only the last job may have SLUICE_SUBMIT_OUT_FENCE.  FENCE gives the fence of any job.
 * - All jobs together have at most SLUICE_MAX_OPS ops.
 * - The in-fences and in-points of all jobs are looked up before any job has its point.  So an
 *   in-point cannot name a job of the same call.
 *
 * If the queue is closed or killed while the call is under way, the call either fails and has
 * submitted nothing, or has submitted all jobs, and they end as if the queue had been killed right
 * after the call.  CANCEL finds each of the jobs by its point.  If it is called during SUBMIT_MANY,
 * it may find only the first of the jobs.
 *
 * Errors, besides those of struct sluice_submit:
 *
 *	-EINVAL		num_jobs is 0, or job_size is below SLUICE_JOB_SIZE_V1
 *	-EINVAL		SLUICE_SUBMIT_OUT_FENCE in a job that is not the last one
 *	-E2BIG		num_jobs is above SLUICE_MAX_JOBS
 *	-E2BIG		the jobs together have more than SLUICE_MAX_OPS ops
 *	-E2BIG		job_size is above SLUICE_MAX_RECORD_SIZE
 *	-E2BIG		the unknown part of a job is not zero
 *	-EBUSY		the queue has no room for all jobs
 */
struct sluice_submit_many {
	__u64 jobs;
	__u32 num_jobs;
	__u32 job_size;
	__u32 flags;
	__u32 failed;
	__u64 first;
	__s32 out_fence;
	__u32 reserved;
};

/**
 * struct sluice_export_fence - SLUICE_IOCTL_FENCE: the fence of a job as a sync_file
 * @point: in, a point that SUBMIT returned
 * @flags: in, must be 0
 * @fd_flags: in, SLUICE_FD_INHERIT or 0
 * @fd: out, the sync_file; it has signalled already if the job has ended
 * @reserved: in, must be 0
 *
 * If the depth of the queue is N, the kernel keeps the errors of the last N jobs.  The fence of an
 * older job has no error.
 *
 * Errors:
 *
 *	-EINVAL		@point is 0 or is not submitted yet
 *	-EINVAL		@point is a CYCLIC job that has not ended, and may never end
 *	-EOPNOTSUPP	the kernel has no sync_file
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
 * @deadline_ns: in, absolute time of CLOCK_MONOTONIC, in nanoseconds.  If it is in the past, the
 *	call does not block
 * @flags: in, must be 0
 * @status: out, how the job ended: 0 or a negative errno.  If the depth of the queue is N, the
 *	status is known for the last N jobs; for older jobs it is 0
 *
 * If a signal restarts the call, the deadline stays the same.
 *
 * Errors:
 *
 *	-EINVAL		@point is 0 or is not submitted yet
 *	-ETIME		the job has not ended at the deadline.  If the job itself ended with
 *			-ETIME, the call returns 0, and @status is -ETIME
 *	-EINTR		a signal came
 */
struct sluice_wait {
	__u64 point;
	__s64 deadline_ns;
	__u32 flags;
	__s32 status;
};

/*
 * sluice_cancel.flags
 *
 *	CLEAR	ends the error state of a queue with SLUICE_QUEUE_CHAIN_ERRORS: new jobs run, and so
 *		do jobs that have not ended yet, except the jobs from @first to @last
 */
#define SLUICE_CANCEL_CLEAR	(1U << 0)

/**
 * struct sluice_cancel - SLUICE_IOCTL_CANCEL: cancel jobs
 * @first: in, the first point, not 0
 * @last: in, the last point.  It may be beyond the last job of the queue, such as 2^64 - 1
 * @flags: in, SLUICE_CANCEL_* or 0
 * @cancelled: out, number of jobs that this call cancelled.  It includes jobs that an earlier call
 *	cancelled and that have not ended yet
 *
 * The jobs from @first to @last that have not ended will end with -ECANCELED, each at its place
 * on the timeline.  A job that runs is stopped.  A job that has not begun does not wait for fences
 * any more, but still for the jobs before it.
 *
 * CANCEL returns before the jobs have ended.  A job whose ops have all ended is not cancelled and
 * not counted.
 *
 * Errors:
 *
 *	-EINVAL		@first is 0, or is after @last
 *	-EFAULT		@cancelled could not be written; the jobs are cancelled
 */
struct sluice_cancel {
	__u64 first;
	__u64 last;
	__u32 flags;
	__u32 cancelled;
};

/**
 * struct sluice_ack - SLUICE_IOCTL_ACK: acknowledge ops of a CYCLIC job
 * @point: in, the point of the job
 * @ops: in, how many ops userspace acknowledges, counted from the beginning of the job.  Userspace
 *	has read the buffers of these ops, or filled them with new data.  The device may use these
 *	buffers again
 * @flags: in, must be 0
 * @reserved: in, must be 0
 *
 * An ACK with a smaller number than an earlier ACK changes nothing.  An ACK for a job that has
 * ended changes nothing.
 *
 * Errors:
 *
 *	-EINVAL		@point is not submitted yet, or is older than the last jobs of the queue (as
 *			many as its depth)
 *	-EINVAL		the job has not ended, and is not CYCLIC
 */
struct sluice_ack {
	__u64 point;
	__u64 ops;
	__u32 flags;
	__u32 reserved;
};

/*
 * sluice_completion.flags
 *
 *	COMPLETION_MORE	the completion tells the progress of a CYCLIC job, which continues
 *	FRAME_DAMAGED	the frame is there, but a part of it is not what was sent.  The status is 0
 *	FRAME_REPEATED	nothing new came: the frame is the previous picture
 *	FRAME_TOP	the frame is a top field
 *	FRAME_BOTTOM	the frame is a bottom field
 */
#define SLUICE_COMPLETION_MORE	(1U << 0)
#define SLUICE_FRAME_DAMAGED	(1U << 1)
#define SLUICE_FRAME_REPEATED	(1U << 2)
#define SLUICE_FRAME_TOP	(1U << 3)
#define SLUICE_FRAME_BOTTOM	(1U << 4)

/**
 * struct sluice_completion - one record of read() on a queue
 * @point: point of the job
 * @user_data: as given to SUBMIT
 * @status: how the job ended: 0 or a negative errno, as listed below; 0 with MORE
 * @flags: SLUICE_COMPLETION_MORE, SLUICE_FRAME_*.  DAMAGED and REPEATED are set if at least one
 *	frame of the job was damaged or repeated.  TOP and BOTTOM describe the last frame
 * @bytes: bytes that all ops of the job wrote to memory or played back
 * @timestamp: CLOCK_MONOTONIC in nanoseconds.  CAPTURE, PLAYBACK: when the last frame of the job
 *	began.  Other jobs: when the job ended
 * @sequence: CAPTURE, PLAYBACK: number of the last frame; the device counts frames from 0
 * @dropped: number of frames lost since the engine's previous frame, summed over all ops of the
 *	job.  Losses before the first frame of a queue do not count.  CAPTURE: frames that came
 *	while the device had no op.  PLAYBACK: frames for which the device had no op
 * @reserved: 0
 * @started: CLOCK_MONOTONIC in nanoseconds: when the device driver got the first op of the job;
 *	0 if it got none
 * @ended: CLOCK_MONOTONIC in nanoseconds: when the job ended and its fence signalled; 0 with MORE
 * @ops: CYCLIC: number of ops that have ended since the beginning of the job
 * @xruns: CYCLIC: number of ops that the device got before the ACK for their buffers
 * @width: CAPTURE of an image: pixels of a line that came in, which may be less than the op asked
 *	for.  PLAYBACK of an image: pixels of a line that were shown.  If the job has several
 *	frames, @width and @height describe the last frame.  Other jobs: 0
 * @height: likewise, lines of the image
 *
 * A CYCLIC job leaves a completion with SLUICE_COMPLETION_MORE when ops of it have ended.  @bytes,
 * @dropped, @ops and @xruns of this completion count from the beginning of the job.  There is at
 * most one such completion: if ops end before a program reads it, the kernel updates it.
 *
 * A completion has the queue's completion_size; fields beyond this size are missing.  A program
 * that did not create the queue asks QUEUE_INFO for the size.
 *
 * Values of @status:
 *
 *	0		the job succeeded
 *	-ECANCELED	CANCEL cancelled the job, or the ring of its io_uring request was closed
 *	-ECANCELED	an explicit in-fence ended with an error
 *	-ECANCELED	an earlier job of a queue with CHAIN_ERRORS failed
 *	-ECANCELED	a PROGRAM was stopped, or a PRIVATE that may not be repeated: because the
 *			system went to sleep, or because another op had to be stopped
 *	-ETIME		the job hung: it ran longer than the timeout of its queue
 *	-ETIME		the device driver did not accept an op within the timeout of the queue
 *	-ETIME		an in-fence had not signalled 30 s after SUBMIT
 *	-ENODEV		the device is removed
 *	-ENODEV		the exporter has taken the memory of a slot back
 *	-EIO		the queue is dead
 *	-EIO		a POLL of a PROGRAM ran out of time
 *	-EACCES		a PROGRAM, and root has taken the register back since SUBMIT
 *	-EPIPE		a CYCLIC job with STOP_ON_XRUN, and ACK was late
 *	-ENOLINK	a CAPTURE, and the device detects no signal
 *	others		the errno that the device reported, often -EIO
 *
 * read() returns as many whole records as exist and fit, in the order of submission.  It blocks
 * while there is no record.  To wake a thread that waits in read() on an idle queue, submit a job
 * without ops.
 *
 * Errors of read():
 *
 *	-EAGAIN		there is no record, and O_NONBLOCK is set
 *	-EINVAL		the caller's memory is smaller than a record
 *	-EFAULT		the caller's memory is not accessible; no record is lost
 *	-EINTR		a signal came
 *	-ENODEV		the device is removed, and all records have been read
 *	-EIO		the queue is dead, and all records have been read
 *	-EOPNOTSUPP	the queue has a completion ring (SLUICE_QUEUE_RING)
 *
 * Events of poll():
 *
 *	EPOLLIN		a record can be read
 *	EPOLLOUT	the queue has room for a job
 *	EPOLLHUP	the device is removed
 *	EPOLLERR	the queue is dead
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

#define SLUICE_RING_MAGIC	0x474e5253	/* "SRNG" in the byte order of x86 */

/**
 * struct sluice_ring_header - the beginning of a completion ring
 * @magic: SLUICE_RING_MAGIC
 * @header_size: bytes of this struct as the kernel knows it.  Later versions may add fields at its
 *	end
 * @entries: byte offset of the first entry in the ring
 * @entry_size: bytes of an entry: the completion_size of the queue
 * @mask: number of entries minus 1.  The number is the depth of the queue, a power of two
 * @progress: byte offset of the progress record
 * @reserved: 0
 * @head: number of completions that the kernel has written, modulo 2^32
 * @progress_sequence: changes when the kernel writes the progress record; odd during the write
 * @reserved_head: 0
 * @tail: number of completions that userspace has taken, modulo 2^32.  Userspace writes it
 * @progress_seen: the last @progress_sequence that userspace has taken.  Userspace writes it
 * @reserved_tail: 0
 *
 * A queue with SLUICE_QUEUE_RING writes each completion to memory that userspace maps, so a program
 * sees without a call that a job has ended.  mmap() of the queue maps this memory, which begins
 * with this struct.  The mapping must be shared and begin at offset 0; ring_size of QUEUE_INFO is
 * its length.  All mappings of a queue, in all processes, show the same memory.  It is charged to
 * the memory cgroup of the caller of CREATE_QUEUE, and counts against open_limit, user_limit and
 * total_limit of INFO as a buffer does.
 *
 * To take completions:
 *
 * 1. Load @head with acquire order.  If it equals @tail, there is none.
 * 2. Read the struct sluice_completion at @entries + (@tail & @mask) * @entry_size.  Completions
 *    are in the order of submission.  A completion is in the ring only after the fence of its job
 *    has signalled.
 * 3. Store @tail + 1 to @tail with release order.  The kernel may overwrite the entry from then on.
 *
 * Only one thread at a time may take completions, or the threads need a lock of their own.
 *
 * The rule for the depth of the queue is the same as with read(): a completion counts until it has
 * been taken.  SUBMIT looks at @tail.  If @head - @tail is above the depth, the tail is wrong, and
 * the queue counts as full.  A tail that moves back lets the kernel overwrite entries that were not
 * taken.  Whatever userspace writes to this memory, only completions that it sees itself change.
 *
 * A CYCLIC job writes its progress to a record of its own, which has the form of a completion with
 * SLUICE_COMPLETION_MORE.  To take it:
 *
 * 1. Load @progress_sequence with acquire order.  If it equals @progress_seen, nothing is new.  If
 *    it is odd, begin again.
 * 2. Copy the record at @progress.
 * 3. After an acquire fence, load @progress_sequence again.  If it has changed, begin again.
 * 4. Store the number to @progress_seen.  If a completion in the ring has a lower point than the
 *    record, that completion came first.
 *
 * poll() reports EPOLLIN while @head is not @tail, or @progress_sequence is not @progress_seen.
 * EPOLLOUT works as for any queue.  A new @tail does not wake a thread that already sleeps in
 * poll() for EPOLLOUT; the end of the next job does.  WAIT, FENCE, CANCEL and ACK work as for any
 * queue.  The ring stays mapped, and its completions can be taken, after the queue is dead and
 * after the device is removed.
 *
 * The kernel writes all fields except @tail and @progress_seen.  The fields from @magic to
 * @progress never change.  A kernel that adds a field to struct sluice_completion writes it only if
 * @entry_size has room for it.
 *
 * Errors of mmap():
 *
 *	-ENODEV		the queue has no ring
 *	-EINVAL		the mapping is private, does not begin at offset 0, or is longer than
 *			ring_size
 */
struct sluice_ring_header {
	__u32 magic;
	__u32 header_size;
	__u32 entries;
	__u32 entry_size;
	__u32 mask;
	__u32 progress;
	__u32 reserved[10];
	__u32 head;
	__u32 progress_sequence;
	__u32 reserved_head[14];
	__u32 tail;
	__u32 progress_seen;
	__u32 reserved_tail[14];
};

/**
 * struct sluice_queue_info - SLUICE_IOCTL_QUEUE_INFO: what a queue was created with
 * @flags: in, must be 0
 * @engine: out, number of the engine
 * @priority: out, 0 to 2
 * @timeout_ms: out, running time of a job, in milliseconds
 * @depth: out, the depth granted
 * @completion_size: out, bytes of each completion
 * @ring_size: out, bytes of the completion ring, in whole pages; 0 if the queue has none
 * @queue_flags: out, SLUICE_QUEUE_* as given to CREATE_QUEUE
 * @reserved: out, 0
 *
 * The call also works after the device is removed.  Modules before UAPI version 7 do not write the
 * fields from @ring_size on.
 */
struct sluice_queue_info {
	__u32 flags;
	__u32 engine;
	__u32 priority;
	__u32 timeout_ms;
	__u32 depth;
	__u32 completion_size;
	__u64 ring_size;
	__u32 queue_flags;
	__u32 reserved;
};

/**
 * struct sluice_uring_submit - SLUICE_URING_SUBMIT: submit a job and wait for its end
 * @submit: address of a struct sluice_submit.  Its size is in sqe->cmd_op, as in any ioctl number
 * @completion: address of a struct sluice_completion, of the queue's completion_size; or 0.  The
 *	kernel fills it in when the job has ended
 *
 * These are the command bytes (sqe->cmd) of an IORING_OP_URING_CMD on a queue.  sqe->cmd_op must
 * be SLUICE_URING_SUBMIT, and sqe->uring_cmd_flags 0.
 *
 * The request submits the job as SLUICE_IOCTL_SUBMIT does, and writes struct sluice_submit back at
 * once.  It completes when the job has ended, or when the job was refused.  The result is the
 * status of the job, or the errno of SUBMIT.  No completion is left for read() or the ring.
 *
 * Requests of one ring take their points in the order of their SQEs, unless IOSQE_ASYNC,
 * IOSQE_IO_DRAIN or a link delays one of them.
 *
 * The kernel first clears @completion.  If its point is still 0 when the request has completed, no
 * job was submitted.  All memory that the request points to must stay valid until the request has
 * completed.
 *
 * When the ring is closed, or its process ends or calls exec(), the requests end, and their jobs
 * are cancelled as by SLUICE_IOCTL_CANCEL.  Before Linux 6.7 the jobs are not cancelled, and a
 * request ends with its job.
 *
 * Errors, besides those of struct sluice_submit and the values of the status of a job:
 *
 *	-EINVAL		the size in sqe->cmd_op is less than 56 bytes, the first size of the struct
 *	-EINVAL		sqe->uring_cmd_flags is not 0
 *	-EINTR		the process is being killed; no other signal ends the request
 *	-EFAULT		@completion is not accessible.  If it was accessible at first, the job has
 *			run, and WAIT tells its status
 *	-EOPNOTSUPP	sqe->cmd_op is not a SLUICE_URING_*
 */
struct sluice_uring_submit {
	__u64 submit;
	__u64 completion;
};

/**
 * struct sluice_uring_submit_many - SLUICE_URING_SUBMIT_MANY: submit several jobs and wait for them
 * @submit: address of a struct sluice_submit_many.  Its size is in sqe->cmd_op
 * @completions: address of an array of @num_jobs struct sluice_completion, each of the queue's
 *	completion_size; or 0.  The kernel fills it in when the last job has ended
 *
 * This is struct sluice_uring_submit for several jobs: all rules of that struct apply, with
 * SLUICE_IOCTL_SUBMIT_MANY instead of SLUICE_IOCTL_SUBMIT.  The request completes when the last job
 * has ended.  The result is the status of the first job that failed, or 0; or the errno of
 * SUBMIT_MANY.  Nothing is left for read().
 *
 * Errors, besides those of struct sluice_submit_many and struct sluice_uring_submit:
 *
 *	-EINVAL		the size in sqe->cmd_op is less than 40 bytes, the first size of the struct
 */
struct sluice_uring_submit_many {
	__u64 submit;
	__u64 completions;
};

#define SLUICE_IOCTL_BASE	0xD5

/* on a node */
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
#define SLUICE_IOCTL_SUBMIT_MANY	_IOWR(SLUICE_IOCTL_BASE, 0x28, struct sluice_submit_many)

/* on a queue, for sqe->cmd_op of io_uring; the size in it is that of the struct which is passed */
#define SLUICE_URING_SUBMIT		_IOWR(SLUICE_IOCTL_BASE, 0x40, struct sluice_submit)
#define SLUICE_URING_SUBMIT_MANY	_IOWR(SLUICE_IOCTL_BASE, 0x41, struct sluice_submit_many)

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_LINUX_SLUICE_H */
