/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The face of the core towards device drivers: all that a device driver
 * includes, calls and implements.
 *
 * A device driver describes its device in a const struct sluice_device_ops and each of
 * its engines in a struct sluice_engine_caps, calls sluice_device_register() from its probe
 * function and sluice_device_unregister() from its remove function.  In between it has up
 * to caps.depth ops of each engine, and answers each with sluice_engine_done(), from any
 * context.  Queues, fences, waiting, timeouts, cancellation and every file descriptor are
 * the core's.
 *
 * It gets the ops in one of two ways:
 *
 *	start	The core calls ->start() with one op after the other.  For devices that do
 *		one thing at a time.
 *	kick	The driver takes them with sluice_engine_next(), under the lock that guards
 *		its ring: in ->kick(), which says that there are some, and wherever there
 *		is room again, as in its interrupt handler.  No work item, no task is in
 *		the way from one op to the next.
 *
 * Its @prepare adds further parts of the device: memory of its own, interrupts, controls.  The
 * driver reports changes of the device with sluice_device_event() and sluice_device_source().
 * Hardware that sleeps hears nothing: a driver calls sluice_device_source() again when it resumes,
 * or, if it must hear its input while the device is idle, holds a runtime PM reference on the
 * parent (pm_runtime_resume_and_get()) from its ops->prepare() on.
 *
 * Its PM ops for system sleep call sluice_device_suspend() and sluice_device_resume().
 * For runtime PM the core keeps the parent device awake while something needs it.
 *
 * A driver for a PCI device finds what it would repeat of others in sluice_pci_enable() and
 * what follows there.
 */
#ifndef _SLUICE_H
#define _SLUICE_H

#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pm.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include <uapi/linux/sluice.h>

struct pci_dev;
struct sluice_device;
struct sluice_engine;
struct sluice_slot;

/**
 * struct sluice_cursor - a place in a slot, as the device addresses it
 * @sg: segment
 * @offset: bytes into it
 */
struct sluice_cursor {
	struct scatterlist *sg;
	size_t offset;
};

/**
 * struct sluice_range - memory of a slot that an op uses
 * @slot: the slot; the range lies inside it
 * @offset: bytes
 * @length: bytes, not 0
 * @at: where it begins in bus addresses; not of a program, nor of a software engine
 * @write: the op writes to it; else it reads
 */
struct sluice_range {
	struct sluice_slot *slot;
	u64 offset;
	u64 length;
	struct sluice_cursor at;
	bool write;
};

/**
 * struct sluice_frame - an image, as the engine's caps list it
 * @width: pixels; for most formats with subsampling an even number
 * @height: lines that are in memory
 * @format: fourcc
 * @field: SLUICE_FIELD_*
 * @modifier: of DRM
 * @num_planes: of the format
 * @strides: bytes from line to line of each plane: no less than its pixels need, where the
 *	core knows the format; multiples of caps.stride_align
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
 * struct sluice_op_desc - one op of a job, checked and resolved by the core
 * @cookie: names it towards the core as long as it is in flight; not 0.  The lower
 *	SLUICE_COOKIE_BITS are less than caps.depth, and no other op in flight has them: a
 *	driver may number its descriptors so
 * @kind: enum sluice_op_kind; one that the device has
 * @flags: program, private: SLUICE_OP_*
 * @dst: slot written to, of a frame that of its first plane; NULL of a playback and where a
 *	program or private op has none; the range lies inside it
 * @src: slot read from (copy, playback, program, private), else NULL; the ranges of a copy
 *	do not overlap
 * @dst_offset: bytes
 * @src_offset: bytes
 * @dst_at: where that is in bus addresses; not of a program, nor of a software engine
 * @src_at: the same of @src
 * @length: bytes, a multiple of op_align; not 0, but in a program or private
 *	op without @dst.  Of a frame
 *	whose planes have places of their own, the sum of what they need
 * @value: fill: the 32-bit value
 * @num_ranges: length of @ranges
 * @ranges: all memory that it uses: of a frame each plane, in the order of the format; else
 *	that of @dst, then that of @src.  Planes may be in one slot or in several
 * @frame: capture, playback: the image; width 0 for raw data
 * @program: program: each command is well-formed, and was allowed by the driver's
 *	check_command() at SUBMIT
 * @program.commands: what to do; a WRITE_DST or WRITE_SRC has become a WRITE of the
 *	address.  To be read only
 * @program.num_commands: length of @program.commands, not 0
 * @program.src_length: bytes of the range of @src
 * @payload: private: ->check_private() has accepted it at SUBMIT
 * @payload.data: the core's copy of the payload, aligned to 8 bytes
 * @payload.size: bytes, 1 to SLUICE_MAX_PAYLOAD
 * @payload.src_length: bytes of the range of @src
 * @payload.repeats: to be set by ->check_private(): the op may be stopped in its middle and
 *	handed out again, because it has no effect except on its ranges, and does not read
 *	what it has written.  False: it ends its job when it is stopped
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
	struct sluice_range ranges[SLUICE_MAX_PLANES];
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
 * @status: 0 or a negative errno, usually -EIO; the rest of the job is skipped
 *	after an error
 * @bytes: written to memory, or played back
 * @timestamp: capture, playback: when the frame began, CLOCK_MONOTONIC; else 0
 * @sequence: capture, playback: the engine's frame number; those that were lost count
 * @dropped: capture: frames lost since the engine's result before; playback: frames for
 *	which there was nothing since then.  A device that halts: 1 for an interruption
 * @flags: capture, playback: SLUICE_FRAME_*; a frame that is damaged has @status 0
 * @width: capture: pixels of a line that came in, of an image; playback: that were shown
 * @height: likewise lines
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
#define SLUICE_ALL_OPS		0	/* no op's cookie */

/* sluice_engine_caps.flags */
#define SLUICE_ENGINE_CPU	(1U << 0)	/* it is software: slots have a kernel mapping, and the core maintains the caches around each op as it would for a device */
#define SLUICE_ENGINE_QUICK	(1U << 1)	/* ->start or ->kick takes some 10 us at most and never sleeps: SUBMIT may call it with preemption off */
#define SLUICE_ENGINE_ORDERED	(1U << 2)	/* an op touches memory only after the one before it has ended: ops of a queue may be in flight together */

#define SLUICE_ENGINE_ALL \
	(SLUICE_ENGINE_CPU | SLUICE_ENGINE_QUICK | SLUICE_ENGINE_ORDERED)

/**
 * struct sluice_interval_range - frame intervals
 * @min: the shortest
 * @max: the longest; 0/0 for @min alone
 * @step: 0/0 for one second
 */
struct sluice_interval_range {
	struct sluice_fraction min;
	struct sluice_fraction max;
	struct sluice_fraction step;
};

/**
 * struct sluice_size_range - frame sizes
 * @min_width: pixels, not 0
 * @max_width: 0 for @min_width alone
 * @step_width: widths are @min_width plus a multiple of it; 0 for 1
 * @min_height: lines, not 0
 * @max_height: 0 for @min_height alone
 * @step_height: 0 for 1
 * @num_intervals: length of @intervals
 * @intervals: of frames of these sizes, or NULL
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
 * @format: fourcc of DRM, or of V4L2 where DRM has none
 * @modifier: of DRM; one other than LINEAR needs ->check_frame
 * @num_planes: 0 if the core knows the format; else ->check_frame is needed
 * @fields: bit (1 << SLUICE_FIELD_*) for each that it can be; 0 for NONE alone
 * @num_sizes: length of @sizes, not 0
 * @sizes: which sizes there are; entries do not overlap
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
 * struct sluice_engine_caps - what an engine is and can do
 * @op_kinds: bit (1 << kind) for every op kind that it understands
 * @flags: SLUICE_ENGINE_*
 * @depth: ops that the driver may have at a time, up to SLUICE_MAX_ENGINE_DEPTH; 0 for 1
 * @op_align: offsets and lengths of ops are multiples of it; a power of two.  The lengths of
 *	an image's planes are what their lines need, and need not be
 * @stride_align: strides of frames are multiples of it; a power of two, 0 for 1
 * @num_formats: length of @formats
 * @formats: of frames; without any, frames come as raw data only.  The core copies it, with
 *	all that it points to
 * @min_length: bytes of the shortest op; 0 for no limit.  Not of programs and private ops,
 *	which the driver checks, as for @max_length
 * @max_length: bytes of the longest op; 0 for no limit
 * @max_segments: segments of each range of an op, as its cursor meets them; 0 for no limit.
 *	Neighbours in memory count as several if the table has them so.  Not of programs; 0
 *	for a software engine
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
 * struct sluice_control_caps - a control of a device
 * @id: SLUICE_CONTROL_INPUT and its like, or from SLUICE_CONTROL_DRIVER on; not above S32_MAX
 * @type: SLUICE_CONTROL_INT, _BOOL, _MENU or _BUTTON
 * @properties: SLUICE_CONTROL_READ_ONLY, which needs _VOLATILE, without which nothing would
 *	ever change it; SLUICE_CONTROL_VOLATILE needs ->get_control.  0 for a button
 * @min: int: the least value
 * @max: int: the largest; menu: its last entry
 * @step: int: 0 for 1
 * @default_value: what the hardware has at registration; of a bool 0 or 1, of a button 0
 * @name: less than SLUICE_NAME_LEN bytes, and no other control has it
 * @menu: menu: the names of entries 0 to @max, each less than SLUICE_NAME_LEN bytes
 *
 * A field that is described for one type only must be 0 for the others.
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
 * enum sluice_aborted - which ops ->abort has stopped
 * @SLUICE_ABORTED_ONE: the one that it was asked for
 * @SLUICE_ABORTED_FROM: that, and all that were handed out later
 * @SLUICE_ABORTED_ALL: all
 */
enum sluice_aborted {
	SLUICE_ABORTED_ONE,
	SLUICE_ABORTED_FROM,
	SLUICE_ABORTED_ALL,
};

/**
 * struct sluice_device_ops - what a device driver tells the core
 *
 * sluice_device_register() copies it.  The functions are called until
 * sluice_device_unregister() returns; the module that has them must stay until then, and
 * the core holds it as long as a node or a queue of the device is open.
 *
 * @prepare: optional: add what the device has of its own, before its node
 *	appears: sluice_device_add_bar(), sluice_device_add_sram(),
 *	sluice_device_add_interrupts(), sluice_device_add_controls(), sluice_device_source().  Called once, inside
 *	sluice_device_register(), with its @priv.  0 or a negative errno, with which
 *	registration then fails.
 * @check_frame: optional: may there be such a frame, which the engine lists, and how many
 *	bytes does each plane need?  @bytes has what the core has computed, 0 for formats
 *	that it does not know; to be raised where the device needs more.  0 or a negative
 *	errno, usually -EINVAL, for SUBMIT.  Process context, dma_resv not held
 * @check_private: of a device with private ops: does the engine support this payload, with
 *	these ranges?  @op is complete except cursors and cookie.  The device must not leave
 *	the ranges, so check here each offset and size that the payload has.  Set
 *	@op.payload.repeats, and nothing else, where it holds.  0 or a
 *	negative errno, usually -EINVAL, for SUBMIT.  Process context, dma_resv not held
 * @set_control: of a device with controls that can be set: write this value, which the core has
 *	checked, to the hardware; press a button.  0, or a negative errno for the caller:
 *	then the control keeps its value.  Process context; called for one control at a
 *	time, also while @start, @kick or @abort runs.  May sleep for a bounded time.  The hardware
 *	is awake, if runtime PM is enabled
 * @get_control: of a device with a control that is VOLATILE: which value has it now?  0 or a
 *	negative errno.  The same context and rules
 * @check_command: of a device that runs programs: may this command be used?  0 or
 *	-EACCES, or -EINVAL for a register or interrupt that does not exist.
 *	With the @priv of sluice_device_register().  Process context; it is asked
 *	with dma_resv not held
 * @find_registers: optional: the page of registers at this offset of an mmap()
 *	(SLUICE_MMAP_BAR()), if userspace may have all of it.  0, -EACCES, or -EINVAL
 *	if there is none.  Process context, mmap_lock held: must not fault
 * @start: begin one op, which stays as it is until it has ended or was aborted.  Called in
 *	process context, in the signalling path of fences: may sleep for a bounded
 *	time, but must not allocate with GFP_KERNEL, take a dma_resv or wait for a
 *	fence.  The hardware is awake, if runtime PM is enabled.  Answer with
 *	sluice_engine_done(), at once or later, or return a negative errno if the op
 *	could not be started.
 * @kick: in the place of @start: there are ops; take them with sluice_engine_next().
 *	Called whenever there are some that you have not been told of, also after @abort and
 *	after a sleep.  The same context and rules.
 * @abort: stop the op with this cookie, because it timed out, is not wanted any more, or
 *	its memory is taken back; or all (SLUICE_ALL_OPS), because the system is to sleep, or
 *	the device goes: then also if a driver with @kick has none, which forgets its ring
 *	there, and calls sluice_engine_next() no more before the next @kick.  On return the device does not touch the memory of those that were stopped, and
 *	sluice_engine_done() is not called for them.  What had ended before must have
 *	been reported by then, be it the op itself.  Ops that were stopped without need are
 *	handed out again, except programs, and private ops without @payload.repeats, whose
 *	jobs end with -ECANCELED.  No other op is handed out meanwhile.  The same context and rules
 *	as @start; for one engine none of the three is called while another is.
 * @reset: optional: write what the hardware loses in a sleep, and stop its interrupts.  Called by
 *	sluice_pci_register(), before the device may access memory, and by the PM ops of
 *	sluice_pci_pm_ops, when it wakes up.  The first call comes before @prepare: there is
 *	no struct sluice_device yet.  No op is in flight, and neither @start, @kick
 *	nor @abort is called meanwhile.  May sleep
 */
struct sluice_device_ops {
	int (*prepare)(struct sluice_device *sdev, void *priv);
	int (*check_frame)(struct sluice_engine *engine, const struct sluice_frame *frame,
			   u64 bytes[SLUICE_MAX_PLANES]);
	int (*check_private)(struct sluice_engine *engine, struct sluice_op_desc *op);
	int (*set_control)(void *priv, u32 id, s64 value);
	int (*get_control)(void *priv, u32 id, s64 *value);
	int (*check_command)(void *priv, const struct sluice_command *command);
	int (*find_registers)(void *priv, u64 offset, phys_addr_t *phys);
	int (*start)(struct sluice_engine *engine, const struct sluice_op_desc *op);
	void (*kick)(struct sluice_engine *engine);
	enum sluice_aborted (*abort)(struct sluice_engine *engine, u32 cookie);
	void (*reset)(void *priv);
};

/*
 * Counts the versions of this header that drivers compiled against an earlier one cannot
 * use: a struct, an enum or a prototype has changed.  The first three parameters of
 * __sluice_device_register() stay what and where they are in all versions.
 */
#define SLUICE_DRIVER_API	2

/* device.c */
struct sluice_device *__sluice_device_register(u32 api, struct module *owner,
					       const char *module_name,
					       struct device *parent, const char *name,
					       const struct sluice_device_ops *ops,
					       const struct sluice_engine_caps *caps,
					       unsigned int num_engines, void *priv);

/**
 * sluice_device_register - make a device available to userspace
 * @parent: the hardware, with its DMA mask set
 * @name: name of the node, to which the core adds the first free number
 * @ops: the driver's functions
 * @caps: what each engine is and can do
 * @num_engines: length of @caps, 1 to 64
 * @priv: for sluice_engine_priv()
 *
 * Adds what the core must know of the driver: its module, the module's name, from which the
 * name in INFO is made, and the version of this header.  See __sluice_device_register().
 *
 * Context: may sleep.
 * Return: the device, or an ERR_PTR.
 */
#define sluice_device_register(parent, name, ops, caps, num_engines, priv)		\
	__sluice_device_register(SLUICE_DRIVER_API, THIS_MODULE, KBUILD_MODNAME,	\
				 parent, name, ops, caps, num_engines, priv)

void sluice_device_unregister(struct sluice_device *sdev);
int sluice_device_suspend(struct sluice_device *sdev);
void sluice_device_resume(struct sluice_device *sdev);

/* pci_driver.c */
int sluice_pci_enable(struct pci_dev *pdev, int bars, unsigned int dma_bits);
int sluice_pci_request_irq(struct pci_dev *pdev, irq_handler_t handler, void *priv);
int __sluice_pci_register(u32 api, struct module *owner, const char *module_name,
			  struct pci_dev *pdev, const char *name,
			  const struct sluice_device_ops *ops,
			  const struct sluice_engine_caps *caps, unsigned int num_engines,
			  void *priv);

/**
 * sluice_pci_register - make a PCI device available to userspace, in probe
 * @pdev: the hardware, after sluice_pci_enable() and sluice_pci_request_irq()
 * @name: name of the node, to which the core adds the first free number
 * @ops: the driver's functions
 * @caps: what each engine is and can do
 * @num_engines: length of @caps, 1 to 64
 * @priv: for sluice_engine_priv()
 *
 * The driver's remove function is, or begins with, sluice_pci_remove(), and its PM ops are
 * sluice_pci_pm_ops.  See __sluice_pci_register().
 *
 * Context: probe; the last thing in it that may fail.
 * Return: 0 or a negative errno.
 */
#define sluice_pci_register(pdev, name, ops, caps, num_engines, priv)			\
	__sluice_pci_register(SLUICE_DRIVER_API, THIS_MODULE, KBUILD_MODNAME,		\
			      pdev, name, ops, caps, num_engines, priv)

void sluice_pci_remove(struct pci_dev *pdev);
extern const struct dev_pm_ops sluice_pci_pm_ops;

/**
 * module_sluice_pci_driver - a module that is a driver of PCI devices, and nothing more
 * @driver_name: as sysfs has it
 * @driver_ids: its table of struct pci_device_id
 * @driver_probe: ends with sluice_pci_register()
 *
 * For drivers whose remove function is sluice_pci_remove(), and which have no PM ops of their
 * own.
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

/* heap_bar.c */
int sluice_device_add_bar(struct sluice_device *sdev, struct pci_dev *pdev, int bar);

/* heap_sram.c, with CONFIG_GENERIC_ALLOCATOR */
struct gen_pool;
int sluice_device_add_sram(struct sluice_device *sdev, struct gen_pool *pool, size_t size);

/* direct.c */
void sluice_device_add_interrupts(struct sluice_device *sdev, unsigned int count);
void sluice_device_interrupt(struct sluice_device *sdev, unsigned int interrupt);
void sluice_device_zap_registers(struct sluice_device *sdev);
void sluice_device_block(struct sluice_device *sdev);
void sluice_device_unblock(struct sluice_device *sdev);

/* control.c */
int sluice_device_add_controls(struct sluice_device *sdev,
			       const struct sluice_control_caps *controls, unsigned int count);

/* event.c */
void sluice_device_event(struct sluice_device *sdev, u32 type, u32 id, s64 value);
void sluice_device_source(struct sluice_device *sdev, const struct sluice_source *source);

/* debugfs.c */
struct dentry *sluice_device_debugfs(struct sluice_device *sdev);

/* flight.c */
const struct sluice_op_desc *sluice_engine_next(struct sluice_engine *engine);
bool sluice_engine_done(struct sluice_engine *engine, u32 cookie,
			const struct sluice_result *result);

/**
 * sluice_engine_fail - an op cannot be done, or has failed
 * @engine: the engine
 * @cookie: of the op
 * @status: negative errno
 *
 * The device must not touch the op's memory any more.
 *
 * Context: as sluice_engine_done().
 */
static inline void sluice_engine_fail(struct sluice_engine *engine, u32 cookie, int status)
{
	struct sluice_result result = { .status = status };

	sluice_engine_done(engine, cookie, &result);
}

/* engine.c */
void *sluice_engine_priv(const struct sluice_engine *engine);
unsigned int sluice_engine_index(const struct sluice_engine *engine);

/* slot.c */
void *sluice_slot_vaddr(const struct sluice_slot *slot);
bool sluice_slot_shares(const struct sluice_slot *slot, const struct sluice_slot *other);

void sluice_cursor_init(struct sluice_cursor *cursor, const struct sluice_slot *slot, u64 offset);
void sluice_cursor_advance(struct sluice_cursor *cursor, size_t bytes);

/**
 * sluice_cursor_address - bus address of a place in a slot
 * @cursor: the place; must lie inside the slot
 */
static inline dma_addr_t sluice_cursor_address(const struct sluice_cursor *cursor)
{
	return sg_dma_address(cursor->sg) + cursor->offset;
}

/**
 * sluice_cursor_left - bytes from there to the end of the segment
 * @cursor: the place; must lie inside the slot
 */
static inline size_t sluice_cursor_left(const struct sluice_cursor *cursor)
{
	return sg_dma_len(cursor->sg) - cursor->offset;
}

#endif /* _SLUICE_H */
