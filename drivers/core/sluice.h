/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface of the core for device drivers.  A device driver includes this header, and no
 * other header of the core.
 *
 * Words:
 *
 *	job	a list of ops, which userspace submits
 *	op	one piece of work: copy, fill, capture, playback, program, or private op
 *	engine	a part of the device that executes ops
 *	queue	an ordered list of jobs for one engine; userspace has a file for it
 *	slot	a dma-buf that is attached and mapped for the device of a queue
 *	node	the file /dev/sluice/<device>
 *	hand out	give an op to the device driver.  The op is in flight until the
 *		driver has reported its end, or has stopped it
 *
 * A driver describes its device in a struct sluice_device_ops, and each engine in a struct
 * sluice_engine_caps.  Its probe function calls sluice_device_register().  Its remove
 * function calls sluice_device_unregister().  In between, up to caps.depth ops of each
 * engine are in flight.  The driver reports the end of each op with sluice_engine_done(),
 * in any context.  The core implements everything else: queues, fences, waits, timeouts,
 * cancellation, and all file descriptors.
 *
 * The driver gets ops in one of two ways:
 *
 *	->start()	The core calls this function with one op after the other.  It is
 *		for a device that executes one op at a time.
 *	->kick()	The core calls this function to say that there are ops.  The driver
 *		takes them with sluice_engine_next(), and holds the lock of its ring
 *		meanwhile.  It takes more ops in its interrupt handler when the ring has
 *		room again, so no work item and no task is needed between two ops.
 *
 * Other duties of a driver:
 *
 * - ->prepare() adds other parts of the device: memory, interrupts, controls.
 * - A driver that knows its input signal reports it with sluice_device_source().  Other
 *   changes of the device are reported with sluice_device_event().
 * - Hardware that sleeps does not detect a change of its input.  The driver therefore calls
 *   sluice_device_source() again when the hardware resumes.  If the hardware must detect
 *   its input while no queue uses it, the driver holds a runtime PM reference on the parent
 *   (pm_runtime_resume_and_get()) from ->prepare() on.
 * - The PM ops for system sleep call sluice_device_suspend() and sluice_device_resume().
 *   For runtime PM the core keeps the parent device awake while something needs it.
 *
 * The functions of this header are in the symbol namespace SLUICE.  The module of a driver
 * imports it, on any kernel, with the line:
 *
 *	MODULE_INFO(import_ns, "SLUICE");
 *
 * For a PCI device, sluice_pci_enable() and the functions below it do the work that is the
 * same in each driver.
 */
#ifndef _SLUICE_H
#define _SLUICE_H

#include <linux/bits.h>
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pm.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include <uapi/linux/sluice.h>

#ifdef SLUICE_COMPAT	/* from Kbuild: a driver out of the tree has this header alone */
#include "compat/driver.h"
#endif

struct pci_dev;
struct sluice_device;
struct sluice_engine;
struct sluice_slot;

/**
 * struct sluice_cursor - a position in a slot, for the device's DMA
 * @sg: the segment that has the position; NULL at the end of the slot
 * @offset: bytes from the start of the segment
 */
struct sluice_cursor {
	struct scatterlist *sg;
	size_t offset;
};

/**
 * struct sluice_range - a part of a slot that an op reads or writes
 * @slot: the slot
 * @offset: bytes from the start of the slot.  The whole range is inside the slot
 * @length: bytes, not 0
 * @at: the start of the range.  Not set in a program, and not set for a software engine
 * @number: the number of the slot in its queue
 * @write: true if the op writes the range, false if the op reads it
 */
struct sluice_range {
	struct sluice_slot *slot;
	u64 offset;
	u64 length;
	struct sluice_cursor at;
	u32 number;
	bool write;
};

/**
 * struct sluice_frame - an image, of a format and a size that the engine lists
 * @width: pixels.  If the core knows the format, it has checked that the format allows
 *	this number.  For example, most formats with subsampled chroma need an even number
 * @height: lines in memory.  For one field of an interlaced picture: the lines of the field
 * @format: fourcc
 * @field: SLUICE_FIELD_*
 * @modifier: DRM format modifier
 * @num_planes: planes of the format, 1 to SLUICE_MAX_PLANES
 * @strides: for each plane, the bytes from the start of a line to the start of the next: a
 *	multiple of caps.stride_align.  If the core knows the format, a stride is not less
 *	than the bytes of a line
 */
struct sluice_frame {
	u32 width;
	u32 height;
	u32 format;
	u32 field;
	u64 modifier;
	u32 num_planes;
	u32 strides[SLUICE_MAX_PLANES];
};

/**
 * struct sluice_op_desc - an op of a job, which the core has checked
 * @cookie: name of the op while it is in flight, for sluice_engine_done() and ->abort();
 *	never 0.  The lower SLUICE_COOKIE_BITS bits are less than caps.depth, and differ
 *	between the ops in flight of an engine.  A driver may use them as an array index
 * @kind: enum sluice_op_kind, one of caps.op_kinds
 * @flags: program, private op: SLUICE_OP_DST if the op has a range to write, SLUICE_OP_SRC
 *	if it has a range to read.  Other kinds: 0
 * @dst: slot that the op writes; for an image, the slot of the first plane.  NULL for a
 *	playback, and for a program or private op without SLUICE_OP_DST
 * @src: slot that the op reads; for an image, the slot of the first plane.  NULL for a fill, a
 *	capture, and a program or private op without SLUICE_OP_SRC
 * @dst_offset: bytes from the start of @dst to the range in it
 * @src_offset: bytes from the start of @src to the range in it
 * @dst_at: the start of the range in @dst.  Not set in a program, and not set for a software
 *	engine
 * @src_at: the start of the range in @src.  Not set in the same two cases
 * @length: bytes of the range in @dst; for a playback, bytes of the range in @src
 * @value: fill: the 32-bit value, in host byte order
 * @num_ranges: length of @ranges
 * @ranges: all memory that the op uses.  An image has one range for each plane, in the order
 *	of the format; its planes may be in one slot or in several.  Any other op has the
 *	range in @dst, then the range in @src
 * @frame: capture, playback: the image; its width is 0 for raw data
 * @program: program: ->check_command() has accepted each command at SUBMIT
 * @program.commands: the commands, which the driver must not change.  The core has replaced
 *	each WRITE_DST and WRITE_SRC by a WRITE of the bus address
 * @program.num_commands: length of @program.commands, not 0
 * @program.src_length: bytes of the range in @src; 0 without SLUICE_OP_SRC
 * @payload: private op: ->check_private() has accepted it at SUBMIT
 * @payload.data: the core's copy of the payload, aligned to 8 bytes
 * @payload.size: bytes of the payload, 1 to SLUICE_MAX_PAYLOAD
 * @payload.src_length: bytes of the range in @src; 0 without SLUICE_OP_SRC
 * @payload.repeats: set by ->check_private().  True: the op may be stopped and handed out
 *	again from its beginning.  Condition: the op has no effect except on its ranges, and
 *	does not read what it has written.  False: if the op is stopped because of another op
 *	or a sleep, its job ends with -ECANCELED
 *
 * Rules that the core has checked:
 *
 * - @length is not 0, except in a program or private op without SLUICE_OP_DST.
 * - The offsets of all ranges, @length and src_length are multiples of caps.op_align.  There
 *   is one exception.  Userspace may give the slot and the offset of each plane of an image.
 *   @length is then the sum of the bytes of the planes, which need not be a multiple.
 * - The offset and the length of a fill are multiples of 4.
 * - The two ranges of a copy do not overlap.
 */
struct sluice_op_desc {
	u32 cookie;
	u32 kind;
	u32 flags;
	struct sluice_slot *dst;
	struct sluice_slot *src;
	u64 dst_offset;
	u64 src_offset;
	struct sluice_cursor dst_at;
	struct sluice_cursor src_at;
	u64 length;
	u32 value;
	u32 num_ranges;
	struct sluice_range *ranges;
	union {
		struct sluice_frame frame;
		struct {
			struct sluice_command *commands;
			u32 num_commands;
			u64 src_length;
		} program;
		struct {
			const void *data;
			u32 size;
			u64 src_length;
			bool repeats;
		} payload;
	};
};

/**
 * struct sluice_result - how an op ended
 * @status: 0, or a negative errno, usually -EIO.  After an error the core hands out no
 *	further op of the job
 * @bytes: bytes written to memory, or played back
 * @timestamp: capture, playback: CLOCK_MONOTONIC time at which the frame began, not 0.
 *	Other kinds: 0; the core then ignores the fields below
 * @sequence: number of the frame.  The engine counts all frames, also those that were lost
 * @dropped: frames lost since the previous result of the engine.  Capture: frames that
 *	arrived while there was no op.  Playback: frames for which there was no op.  A device
 *	that halts when it has no op reports 1 for each such interruption
 * @flags: SLUICE_FRAME_*.  A frame with SLUICE_FRAME_DAMAGED has @status 0
 * @width: pixels of a line of the image that arrived (capture) or was shown (playback)
 * @height: lines of that image
 */
struct sluice_result {
	int status;
	u64 bytes;
	ktime_t timestamp;
	u64 sequence;
	u64 dropped;
	u32 flags;
	u32 width;
	u32 height;
};

#define SLUICE_COOKIE_BITS	10
#define SLUICE_MAX_ENGINE_DEPTH	(1U << SLUICE_COOKIE_BITS)
#define SLUICE_ALL_OPS		0	/* for ->abort(): no op has this cookie */

/*
 * sluice_engine_caps.flags
 *
 *	CPU	The engine is software.  Its slots have a kernel mapping
 *		(sluice_slot_vaddr()).  The core maintains the CPU caches before and after
 *		each op.  Either all engines of a device have this flag, or none.  The flag
 *		needs ->start().  The parent must not be behind an IOMMU that translates.
 *		Together with ORDERED and a depth above 1, the parent's DMA must be coherent.
 *	QUICK	One call of ->start() or ->kick() takes at most some 10 us, however many ops
 *		it takes, and never sleeps.  SUBMIT may then make the call, with preemption
 *		off.  Without this flag, only a work item of the core makes it.
 *	ORDERED	An op touches memory only after the op that was handed out before it has
 *		ended.  The driver reports the ends in this order.  Several ops of one queue
 *		may then be in flight.  Without this flag, a queue has one op in flight at a time.
 */
#define SLUICE_ENGINE_CPU	BIT(0)
#define SLUICE_ENGINE_QUICK	BIT(1)
#define SLUICE_ENGINE_ORDERED	BIT(2)

#define SLUICE_ENGINE_ALL \
	(SLUICE_ENGINE_CPU | SLUICE_ENGINE_QUICK | SLUICE_ENGINE_ORDERED)

/**
 * struct sluice_interval_range - frame intervals, in seconds
 * @min: the shortest interval
 * @max: the longest interval; 0/0 if @min is the only one
 * @step: intervals are @min plus a multiple of it; 0/0 means 1/1.  Irrelevant if @max is 0/0
 */
struct sluice_interval_range {
	struct sluice_fraction min;
	struct sluice_fraction max;
	struct sluice_fraction step;
};

/**
 * struct sluice_size_range - frame sizes
 * @min_width: pixels, not 0
 * @max_width: pixels; 0 if @min_width is the only width
 * @step_width: widths are @min_width plus a multiple of it; 0 for 1
 * @min_height: lines, not 0
 * @max_height: lines; 0 if @min_height is the only height
 * @step_height: heights are @min_height plus a multiple of it; 0 for 1
 * @num_intervals: length of @intervals, at most 256
 * @intervals: frame intervals of these sizes, or NULL
 */
struct sluice_size_range {
	u32 min_width;
	u32 max_width;
	u32 step_width;
	u32 min_height;
	u32 max_height;
	u32 step_height;
	u32 num_intervals;
	const struct sluice_interval_range *intervals;
};

/**
 * struct sluice_format_caps - a format of an engine's frames
 * @format: fourcc of DRM, or of V4L2 if DRM has none
 * @modifier: DRM format modifier; any except SLUICE_MODIFIER_LINEAR needs ->check_frame()
 * @num_planes: for a format that the core knows: 0, or the number of planes of the format.
 *	For other formats: 1 to SLUICE_MAX_PLANES, and ->check_frame() is needed
 * @fields: bit (1 << SLUICE_FIELD_*) for each kind of field that a frame may be; 0 means
 *	SLUICE_FIELD_NONE only
 * @num_sizes: length of @sizes, 1 to 256
 * @sizes: the frame sizes; no two entries may overlap
 */
struct sluice_format_caps {
	u32 format;
	u64 modifier;
	u32 num_planes;
	u32 fields;
	u32 num_sizes;
	const struct sluice_size_range *sizes;
};

/**
 * struct sluice_engine_caps - what an engine can do
 * @op_kinds: bit (1 << kind) for each op kind that the engine executes, not 0.
 *	SLUICE_OP_PROGRAM needs ->check_command(), and SLUICE_OP_PRIVATE needs
 *	->check_private()
 * @flags: SLUICE_ENGINE_*
 * @depth: most ops that may be in flight, up to SLUICE_MAX_ENGINE_DEPTH; 0 for 1
 * @op_align: offsets and lengths of ops are multiples of it, in bytes; a power of two.  1
 *	allows all.  The length of a plane of an image follows from its lines, and need not be
 *	a multiple
 * @stride_align: strides of frames are multiples of it, in bytes; a power of two, 0 for 1
 * @num_formats: length of @formats, at most 256
 * @formats: formats of frames; each pair of format and modifier once.  Without any format,
 *	frames are raw data only.  The core copies the list, and all that it points to
 * @min_length: bytes of the shortest op; 0 for no limit
 * @max_length: bytes of the longest op; 0 for no limit
 * @max_segments: most segments of each range of an op; 0 for no limit.  The entries of the
 *	slot's scatterlist count, even if two of them are adjacent in bus addresses.  Must be 0
 *	for a software engine
 *
 * SUBMIT refuses an op that is too long or too short with -EINVAL, and a range with too many
 * segments with -EFBIG.  Exceptions:
 *
 * - @min_length and @max_length do not apply to programs and private ops.
 *   ->check_command() and ->check_private() must check those.
 * - @max_segments does not apply to programs.
 */
struct sluice_engine_caps {
	u64 op_kinds;
	u32 flags;
	u32 depth;
	u32 op_align;
	u32 stride_align;
	u32 num_formats;
	const struct sluice_format_caps *formats;
	u64 min_length;
	u64 max_length;
	u32 max_segments;
};

/**
 * struct sluice_control_caps - a control of a device: a setting for userspace
 * @id: SLUICE_CONTROL_INPUT or another id of uapi/linux/sluice.h, or an id of the driver, from
 *	SLUICE_CONTROL_DRIVER on.  At most S32_MAX
 * @type: SLUICE_CONTROL_INT, _BOOL, _MENU or _BUTTON
 * @properties: SLUICE_CONTROL_VOLATILE: the hardware changes the value; needs ->get_control().
 *	SLUICE_CONTROL_READ_ONLY: userspace cannot set the value; needs _VOLATILE, because
 *	otherwise the value would never change.  Without _READ_ONLY, ->set_control() is
 *	needed.  A button has no properties
 * @min: int: the smallest value
 * @max: int: the largest value; menu: the number of its last entry, at most 255
 * @step: int: values are @min plus a multiple of it; 0 for 1
 * @default_value: the value that the hardware has at registration; for a bool 0 or 1, for a
 *	button 0
 * @name: 1 to SLUICE_NAME_LEN - 1 bytes; no other control of the device may have it
 * @menu: menu: names of the entries 0 to @max, each 1 to SLUICE_NAME_LEN - 1 bytes
 *
 * A field whose line names types must be 0 for all other types.
 */
struct sluice_control_caps {
	u32 id;
	u32 type;
	u32 properties;
	s64 min;
	s64 max;
	s64 step;
	s64 default_value;
	const char *name;
	const char * const *menu;
};

/**
 * enum sluice_aborted - which ops ->abort() has stopped
 * @SLUICE_ABORTED_ONE: the op that it was called for, and no other
 * @SLUICE_ABORTED_FROM: that op, and all ops that were handed out after it
 * @SLUICE_ABORTED_ALL: all ops of the engine
 */
enum sluice_aborted {
	SLUICE_ABORTED_ONE,
	SLUICE_ABORTED_FROM,
	SLUICE_ABORTED_ALL,
};

/**
 * struct sluice_device_ops - functions of a device driver
 *
 * sluice_device_register() copies the struct.  The core calls the functions until
 * sluice_device_unregister() returns, so their module must stay loaded until then.  The core
 * holds a reference on the module while a node or a queue of the device is open.
 *
 * @abort, and exactly one of @start and @kick, are mandatory.  These three are in the
 * signalling path of fences: a fence may have to wait until they return.  Rules:
 *
 * - They are called in process context, and may sleep for a bounded time.  @start and @kick
 *   must not sleep if the engine has SLUICE_ENGINE_QUICK.
 * - They must not allocate with GFP_KERNEL, take a dma_resv, or wait for a fence.
 * - For one engine, only one of them is called at a time.
 * - If runtime PM is enabled for the parent, the hardware is awake.
 *
 * "At SUBMIT" means: process context, may sleep for a bounded time, no dma_resv is held.
 */
struct sluice_device_ops {
	/**
	 * @prepare: Optional.  Add other parts of the device, with
	 * sluice_device_add_bar(), sluice_device_add_sram(),
	 * sluice_device_add_interrupts(), sluice_device_add_controls() and
	 * sluice_device_source().  @priv is that of sluice_device_register().
	 *
	 * Context: inside sluice_device_register(), once, before the node appears.
	 * May sleep.
	 * Return: 0, or a negative errno, with which registration fails.
	 */
	int (*prepare)(struct sluice_device *sdev, void *priv);
	/**
	 * @check_frame: Optional.  Decide whether the device can process an image
	 * that the engine lists, and how many bytes each plane needs.  On entry,
	 * @bytes has what the core has computed, or 0 for a format that the core
	 * does not know.  The driver may increase each entry; it must set it if it
	 * is 0.  A decrease has no effect.
	 *
	 * Context: at SUBMIT.
	 * Return: 0, or a negative errno for SUBMIT, usually -EINVAL.
	 */
	int (*check_frame)(struct sluice_engine *engine, const struct sluice_frame *frame,
			   u64 bytes[SLUICE_MAX_PLANES]);
	/**
	 * @check_private: For engines with SLUICE_OP_PRIVATE.  Decide whether the
	 * engine can execute this payload with these ranges.  @op is complete, except
	 * for its cookie and its cursors.  The device must not leave the ranges, so
	 * check each offset and size in the payload here.  Set @op->payload.repeats if
	 * its condition holds; change nothing else.
	 *
	 * Context: at SUBMIT.
	 * Return: 0, or a negative errno for SUBMIT, usually -EINVAL.
	 */
	int (*check_private)(struct sluice_engine *engine, struct sluice_op_desc *op);
	/**
	 * @set_control: For devices with controls that can be set.  Write a value,
	 * which the core has checked, to the hardware.  For a button: press it.
	 *
	 * Context: process context, may sleep for a bounded time.  One control is
	 * set or got at a time, but @start, @kick or @abort may run meanwhile.
	 * If runtime PM is enabled for the parent, the hardware is awake.
	 * Return: 0, or a negative errno for the caller.  After an error the control
	 * keeps its old value.
	 */
	int (*set_control)(void *priv, u32 id, s64 value);
	/**
	 * @get_control: For devices with a SLUICE_CONTROL_VOLATILE control.  Read its
	 * value from the hardware.
	 *
	 * Context: as for @set_control.
	 * Return: 0 with @value set, or a negative errno for the caller.
	 */
	int (*get_control)(void *priv, u32 id, s64 *value);
	/**
	 * @check_command: For engines with SLUICE_OP_PROGRAM.  Decide whether a
	 * program may use this command.  Called for each command, before the address
	 * of a WRITE_DST or WRITE_SRC is filled in.
	 *
	 * Context: at SUBMIT.
	 * Return: 0, -EACCES if the register or interrupt may not be used, -EINVAL if it
	 * does not exist, or -EPERM if security_locked_down() forbids it.
	 */
	int (*check_command)(void *priv, const struct sluice_command *command);
	/**
	 * @find_registers: Optional.  Find the page of registers at @offset of a
	 * mapping of the node.  @offset is SLUICE_MMAP_BAR(bar) plus bytes into the
	 * BAR.  Allow the page only if userspace may have all of it.
	 *
	 * Context: process context, mmap_lock is held: must not fault on user memory.
	 * Return: 0 with @phys set to the page's physical address, -EACCES if
	 * userspace may not have the page, -EINVAL if there is no such page, or -EPERM
	 * if security_locked_down() forbids it.
	 */
	int (*find_registers)(void *priv, u64 offset, phys_addr_t *phys);
	/**
	 * @start: Begin one op.  Report its end with sluice_engine_done(), at once or
	 * later.  @op stays unchanged until then, or until a call of @abort that stops
	 * the op has returned.
	 *
	 * Context: signalling path, see above.
	 * Return: 0, or a negative errno if the op cannot be started.  The op and its
	 * job then end with this error.
	 */
	int (*start)(struct sluice_engine *engine, const struct sluice_op_desc *op);
	/**
	 * @kick: Instead of @start.  There are ops: take them with
	 * sluice_engine_next().  Called when ops become ready, also after @abort and
	 * after a sleep.  The core need not call it after sluice_engine_done(): the
	 * driver must then call sluice_engine_next() by itself.
	 *
	 * Context: signalling path, see above.
	 */
	void (*kick)(struct sluice_engine *engine);
	/**
	 * @abort: Stop the op with this cookie, because it is late, was cancelled, or
	 * its memory is taken back.  Or stop all ops (SLUICE_ALL_OPS), because the
	 * system goes to sleep or the device is removed.  Duties:
	 *
	 * - On return, the device does not touch the memory of the stopped ops, and
	 *   the driver does not call sluice_engine_done() for them.
	 * - If the hardware had already finished an op, the driver reports this op
	 *   with sluice_engine_done() before the return.  This may be the op with this
	 *   cookie.  The return value then tells only about the other ops.
	 * - With SLUICE_ALL_OPS, a driver with @kick forgets its ring.  It does not
	 *   call sluice_engine_next() until the next @kick.  The core therefore calls
	 *   @abort with SLUICE_ALL_OPS even if no op is in flight.
	 *
	 * No op is handed out during the call.  Afterwards the core hands out again
	 * each op that was stopped only because of another op, or because of a sleep.
	 * A program, and a private op without @payload.repeats, is not handed out
	 * again: its job ends with -ECANCELED.
	 *
	 * Context: signalling path, see above.  At the end of
	 * sluice_device_unregister() the hardware may be unplugged.
	 * Return: which ops were stopped.
	 */
	enum sluice_aborted (*abort)(struct sluice_engine *engine, u32 cookie);
	/**
	 * @reset: Optional, for PCI devices.  Write the registers that the hardware
	 * loses in a sleep, and stop its interrupts.  sluice_pci_register() calls it
	 * before the device may access memory and before @prepare, when no struct
	 * sluice_device exists yet.  The PM ops of sluice_pci_pm_ops call it each time
	 * that the device wakes up.
	 *
	 * Context: process context, may sleep.  No op is in flight, and @start, @kick
	 * and @abort are not called meanwhile.
	 */
	void (*reset)(void *priv);
};

/*
 * Version of the project: of all modules, the library, the tool and the manual pages.  The
 * build of userspace reads it from this line.
 */
#define SLUICE_VERSION		"0.1.0"

/*
 * Version of this interface.  It must be incremented when a struct, an enum or a prototype of
 * this header changes, because drivers that were compiled with the older header cannot be used
 * then.  The first three parameters of __sluice_device_register() never change.
 */
#define SLUICE_DRIVER_API	3

/*
 * Each function below is described at its definition, in the file of drivers/core that the comment
 * above its prototype names.
 */

/* register.c: registration, removal, system sleep */
struct sluice_device *__sluice_device_register(u32 api, struct module *owner,
					       const char *module_name,
					       struct device *parent, const char *name,
					       const struct sluice_device_ops *ops,
					       const struct sluice_engine_caps *caps,
					       unsigned int num_engines, void *priv);

/**
 * sluice_device_register - make a device available to userspace
 * @parent: the hardware, with its DMA mask set.  If runtime PM is enabled for it now, the core
 *	keeps it awake while it is used
 * @name: name of the node, of which 24 characters are kept; the core appends the first free
 *	number
 * @ops: functions of the driver; copied
 * @caps: one entry for each engine; copied
 * @num_engines: length of @caps, 1 to 64
 * @priv: pointer of the driver, for its functions and for sluice_engine_priv()
 *
 * The macro adds the module of the driver, the module's name, and SLUICE_DRIVER_API.  INFO
 * reports the module's name, without "sluice_" in front, as the name of the driver.
 *
 * On return userspace may have opened the node, and the functions of @ops may have been called.
 *
 * Context: process context, may sleep.
 * Return: the device, or an ERR_PTR:
 *
 *	-EINVAL		a parameter, or a field of @ops or @caps, breaks a rule of this header
 *	-ENOEXEC	the driver was compiled for another SLUICE_DRIVER_API; see the log
 *	-ENOMEM		no memory
 *	-ENOSPC		no device number is free
 *	-EIO		the device has memory of its own, and does not wake up
 *	others		what ->prepare() returned, or the driver core of the kernel
 */
#define sluice_device_register(parent, name, ops, caps, num_engines, priv)		\
	__sluice_device_register(SLUICE_DRIVER_API, THIS_MODULE, KBUILD_MODNAME,	\
				 parent, name, ops, caps, num_engines, priv)

void sluice_device_unregister(struct sluice_device *sdev);
int sluice_device_suspend(struct sluice_device *sdev);
void sluice_device_resume(struct sluice_device *sdev);

/* pci_driver.c: the common part of drivers for PCI devices */
int sluice_pci_enable(struct pci_dev *pdev, int bars, unsigned int dma_bits);
int sluice_pci_request_irq(struct pci_dev *pdev, irq_handler_t handler, void *priv);
int __sluice_pci_register(u32 api, struct module *owner, const char *module_name,
			  struct pci_dev *pdev, const char *name,
			  const struct sluice_device_ops *ops,
			  const struct sluice_engine_caps *caps, unsigned int num_engines,
			  void *priv);

/**
 * sluice_pci_register - make a PCI device available to userspace
 * @pdev: the hardware, after sluice_pci_enable() and sluice_pci_request_irq()
 * @name: name of the node; see sluice_device_register()
 * @ops: functions of the driver; copied
 * @caps: one entry for each engine; copied
 * @num_engines: length of @caps, 1 to 64
 * @priv: pointer of the driver, for its functions and for sluice_engine_priv()
 *
 * Calls ->reset(), lets the device access memory, registers it, and drops the runtime PM
 * reference that probe has.
 *
 * The remove function of the driver must be sluice_pci_remove(), or begin with a call of it.
 * The PM ops of the driver must be sluice_pci_pm_ops.
 *
 * Context: the probe function.  If this succeeds, probe must succeed.
 * Return: 0, or a negative errno: see sluice_device_register().
 */
#define sluice_pci_register(pdev, name, ops, caps, num_engines, priv)			\
	__sluice_pci_register(SLUICE_DRIVER_API, THIS_MODULE, KBUILD_MODNAME,		\
			      pdev, name, ops, caps, num_engines, priv)

void sluice_pci_remove(struct pci_dev *pdev);
extern const struct dev_pm_ops sluice_pci_pm_ops;

/**
 * module_sluice_pci_driver - define a module that is one driver for PCI devices
 * @driver_name: name of the driver in sysfs
 * @driver_ids: table of struct pci_device_id
 * @driver_probe: probe function, which ends with sluice_pci_register()
 *
 * For a driver whose remove function is sluice_pci_remove(), whose PM ops are
 * sluice_pci_pm_ops, and whose module has no other init or exit function.
 */
#define module_sluice_pci_driver(driver_name, driver_ids, driver_probe)			\
	static struct pci_driver sluice_pci_driver = {					\
		.name = driver_name,							\
		.id_table = driver_ids,							\
		.probe = driver_probe,							\
		.remove = sluice_pci_remove,						\
		.driver.pm = pm_ptr(&sluice_pci_pm_ops),				\
	};										\
	module_pci_driver(sluice_pci_driver)

/* heap_bar.c: a BAR as a heap; for ->prepare() */
int sluice_device_add_bar(struct sluice_device *sdev, struct pci_dev *pdev, int bar);

/* heap_sram.c: SRAM of a chip as a heap; for ->prepare(), with CONFIG_GENERIC_ALLOCATOR */
struct gen_pool;
int sluice_device_add_sram(struct sluice_device *sdev, struct gen_pool *pool, size_t size);

/* eventfd.c: interrupts for eventfds */
void sluice_device_add_interrupts(struct sluice_device *sdev, unsigned int count);
void sluice_device_interrupt(struct sluice_device *sdev, unsigned int interrupt);

/* registers.c: registers for mmap(), and the block of BARs during a reset */
void sluice_device_zap_registers(struct sluice_device *sdev);
void sluice_device_block(struct sluice_device *sdev);
void sluice_device_unblock(struct sluice_device *sdev);

/* control.c: settings for userspace; for ->prepare() */
int sluice_device_add_controls(struct sluice_device *sdev,
			       const struct sluice_control_caps *controls, unsigned int count);

/* event.c: changes of the device */
void sluice_device_event(struct sluice_device *sdev, u32 type, u32 id, s64 value);

/* source.c: changes of its input signals */
void sluice_device_source(struct sluice_device *sdev, const struct sluice_source *source);

/* debugfs.c: the directory of the device, for files of the driver */
struct dentry *sluice_device_debugfs(struct sluice_device *sdev);

/* flight.c: the next op, and the end of an op */
const struct sluice_op_desc *sluice_engine_next(struct sluice_engine *engine);
bool sluice_engine_done(struct sluice_engine *engine, u32 cookie,
			const struct sluice_result *result);

/**
 * sluice_engine_fail - report that an op has failed, or cannot be executed
 * @engine: the engine
 * @cookie: cookie of the op
 * @status: negative errno
 *
 * The same as sluice_engine_done() with a result whose other fields are 0.  The device must not
 * touch the memory of the op any more.
 *
 * Context: any, also inside ->start(), ->kick() and ->abort().  The caller may hold a spinlock
 * that disables interrupts, if no callback of a fence takes it.
 */
static inline void sluice_engine_fail(struct sluice_engine *engine, u32 cookie, int status)
{
	struct sluice_result result = { .status = status };

	sluice_engine_done(engine, cookie, &result);
}

/* engine.c: properties of an engine */
void *sluice_engine_priv(const struct sluice_engine *engine);
unsigned int sluice_engine_index(const struct sluice_engine *engine);

/* slot.c: memory of an op */
void *sluice_slot_vaddr(const struct sluice_slot *slot);
bool sluice_slot_shares(const struct sluice_slot *slot, const struct sluice_slot *other);

void sluice_cursor_init(struct sluice_cursor *cursor, const struct sluice_slot *slot, u64 offset);
void sluice_cursor_advance(struct sluice_cursor *cursor, size_t bytes);

/**
 * sluice_cursor_address - bus address of a position in a slot
 * @cursor: the position, which must be inside the slot and not at its end
 *
 * Context: any.
 * Return: the bus address for the device's DMA.
 */
static inline dma_addr_t sluice_cursor_address(const struct sluice_cursor *cursor)
{
	return sg_dma_address(cursor->sg) + cursor->offset;
}

/**
 * sluice_cursor_left - distance from a position to the end of its segment
 * @cursor: the position, which must be inside the slot and not at its end
 *
 * Context: any.
 * Return: bytes, not 0, that follow @cursor without a gap in bus addresses.
 */
static inline size_t sluice_cursor_left(const struct sluice_cursor *cursor)
{
	return sg_dma_len(cursor->sg) - cursor->offset;
}

#endif /* _SLUICE_H */
