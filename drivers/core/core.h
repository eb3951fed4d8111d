/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of the core, their locks and their lifetimes.
 *
 * References (-> means "holds a reference on"):
 *
 *	open file of a node	-> client -> device; also of a dma-heap node
 *	dma-buf			-> buffer -> device (memory), client (account)
 *	file of a queue		-> queue -> device, client (account)
 *	queue			-> slots -> foreign or own dma-buf
 *	job			-> queue, slots, in-fences, out-fence
 *
 * A fence of ours refers to none of these objects, and outlives them all.  On older kernels it
 * holds a reference on sluice.ko (compat.h).
 *
 * struct sluice_device belongs to the core and outlives the hardware.  The core calls the device
 * driver only while sdev->users is not 0 (one for the registration, and one each for a job,
 * a slot, and a call that uses the hardware) and inside sluice_device_unregister(), which waits
 * until sdev->users is 0.
 *
 * Locks, outermost first:
 *
 *	queue->submit_lock	mutex: order of SUBMITs; user memory may fault
 *	sdev->control_lock	mutex: values of controls; held in calls of the driver
 *	sdev->lock		mutex: list of queues, @gone
 *	queue->drop_lock	mutex: one context at a time releases all slots
 *	dma_resv		all those of a job, in one ww_acquire_ctx
 *	buffer->lock		mutex: attachments and their mappings
 *	queue->slot_lock	mutex: slot numbers
 *	queue->lock		spinlock, irq: timeline, completions
 *	lock of a fence		spinlock, irq; of our own and of foreign fences
 *	engine->lock		spinlock, irq: lists of jobs and of ops in flight
 *
 * Callbacks of foreign fences and interrupt handlers take engine->lock.  Code that holds it may
 * therefore take no other lock, except the locks inside a workqueue, a timer and a wait queue.
 *
 * Each other lock guards one thing: the account, the pool, the sharings of a queue, revoked slots,
 * eventfds, events.  Code that holds one of these takes no other lock of ours.
 */
#ifndef _SLUICE_CORE_H
#define _SLUICE_CORE_H

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/kfifo.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/timer.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "sluice.h"
#include "compat.h"
#include "engine.h"

struct sluice_buffer;
struct sluice_device_control;
struct sluice_heap_node;
struct sluice_job;
struct sluice_queue;
struct sluice_user;
struct sluice_watch;

#define SLUICE_DEFAULT_TIMEOUT_MS	2000
#define SLUICE_DEFAULT_DEPTH		256
#define SLUICE_IN_FENCE_TIMEOUT_MS	30000
#define SLUICE_FEW_DEPS			2	/* in-fences of most jobs, at most */
#define SLUICE_FEW_OPS		8	/* ops of most jobs, at most */
#define SLUICE_FEW_FENCES		64	/* in-fences examined with preemption off */
#define SLUICE_MAX_HEAPS		16

/*
 * Bytes of "sluice-<device>-<heap>": the name of a dma-heap node, and the exporter's name of a
 * buffer of this heap.
 */
#define SLUICE_HEAP_NAME_LEN	(sizeof("sluice--") + 2 * SLUICE_NAME_LEN)

/**
 * struct sluice_event_record - the last event of a type and id
 * @link: in log->order
 * @event: the event.  Its @lost and @flags depend on the reader, and are not set here
 */
struct sluice_event_record {
	struct list_head link;
	struct sluice_event event;
};

/**
 * struct sluice_event_log - events of a device: see event.c
 * @lock: spinlock, irq: guards the fields up to @records
 * @closed: new events are ignored
 * @sequence: sequence number of the last event
 * @pushed_out: sequence number of the last event whose record was replaced by an event of
 *	another type or id; 0 for none
 * @order: the records, the oldest first
 * @num_records: entries of @records that are in use
 * @records: memory of the records
 * @clients_lock: mutex: guards @clients and @walk
 * @clients: clients that have called read() or poll()
 * @walk: the client in this list that @wake will wake next, or the head of the list
 * @wake: wakes readers and pollers of all @clients
 */
struct sluice_event_log {
	spinlock_t lock;
	bool closed;
	u64 sequence;
	u64 pushed_out;
	struct list_head order;
	unsigned int num_records;
	struct sluice_event_record records[SLUICE_MAX_EVENTS];
	struct mutex clients_lock;
	struct list_head clients;
	struct list_head *walk;
	struct work_struct wake;
};

/**
 * struct sluice_device - a registered device
 * @dev: class device.  The DMA API allocates contiguous memory for it, because it has no driver
 *	that could be unbound: the memory may outlive the binding of the parent's driver
 * @cdev: the node
 * @parent: the hardware; reference held
 * @ops: points to @own_ops.  No function is called after sluice_device_unregister().  The
 *	other contents may be read as long as the device lives
 * @own_ops: copy of the driver's struct, whose memory may be freed after registration
 * @owner: the driver's module; each open file of the node and each queue hold a reference
 * @driver: the driver's name
 * @priv: pointer of the driver
 * @dma_mask: copy of the parent's DMA mask, for @dev
 * @translated: the parent is behind an IOMMU that translates, so any memory can be mapped for it
 * @bounced: not @translated, and the DMA API bounces all mappings of the parent: a confidential
 *	guest, or swiotlb=force
 * @zone: GFP flags for memory that the parent can address
 * @reserved: physical address of the region of the device tree that contiguous memory comes from:
 *	see sluice_contiguous_reserve()
 * @reserved_size: bytes of that region; 0 for none
 * @name: name of the node
 * @lock: guards @queues, changes of @gone, and the number of queues of each engine
 * @gone: the device is being unregistered: no new work
 * @queues: all queues
 * @users: sluice_device_unregister() waits until it is 0.  Counts 1 for the registration, and
 *	one each for a job, a slot, and a call that uses the hardware
 * @users_wait: woken when @users drops to 0, and when a stopped engine may have come to rest
 * @runtime_pm: @parent may sleep while it is not used: see sluice_device_wake()
 * @wq: runs the engines' work items; in the signalling path of fences
 * @reap_wq: releases ended jobs, unmaps revoked slots, and wakes readers of events.  Not in the
 *	signalling path, because the first two take dma_resv
 * @reap_list: ended jobs
 * @reap_work: releases the jobs in @reap_list
 * @revoked_lock: spinlock, irq: guards @revoked
 * @revoked: slots whose exporter takes its memory back, and which no op uses any more
 * @revoke_work: unmaps the slots in @revoked
 * @debugfs: directory, or NULL
 * @heap_nodes: dma-heap nodes of the device, or NULL
 * @num_heap_nodes: length of @heap_nodes
 * @link: in sluice_devices
 * @num_interrupts: interrupts that eventfds can count; fixed when the node appears
 * @eventfd_lock: spinlock, irq: guards @eventfds and @num_eventfds
 * @eventfds: struct sluice_counter: see direct.c
 * @num_eventfds: length of @eventfds
 * @registers_lock: held for reading from the check of a page of registers until it is mapped.  A
 *	zap takes it for writing, to wait for this
 * @registers_wait: woken when @blocked ends
 * @blocked: during a reset: no CPU may access the device's BARs
 * @mappings_lock: guards the next three fields; taken inside mmap_lock
 * @mappings: clients that have mapped registers
 * @num_mappings: mappings of registers, in all processes
 * @mappings_awake: these mappings keep the hardware awake
 * @events: the device's events
 * @control_lock: guards the values of controls; held while the driver sets or gets one
 * @num_controls: length of @controls; fixed when the node appears
 * @controls: the device's controls, or NULL
 * @num_heaps: length of @heaps; fixed when the node appears
 * @heaps: the heaps: first those of the core, with the same numbers in every device, then those
 *	that the driver has added
 * @cpu_engines: all engines are software (SLUICE_ENGINE_CPU)
 * @op_align: the largest op_align of the engines, in bytes
 * @num_engines: length of @engines
 * @engines: the engines
 */
struct sluice_device {
	struct device dev;
	struct cdev cdev;
	struct device *parent;
	const struct sluice_device_ops *ops;
	struct sluice_device_ops own_ops;
	struct module *owner;
	char driver[SLUICE_NAME_LEN];
	void *priv;
	u64 dma_mask;
	bool translated;
	bool bounced;
	gfp_t zone;
	phys_addr_t reserved;
	u64 reserved_size;
	char name[SLUICE_NAME_LEN];
	struct mutex lock;
	bool gone;
	struct list_head queues;
	atomic_t users;
	wait_queue_head_t users_wait;
	bool runtime_pm;
	struct workqueue_struct *wq;
	struct workqueue_struct *reap_wq;
	struct llist_head reap_list;
	struct work_struct reap_work;
	spinlock_t revoked_lock;
	struct list_head revoked;
	struct work_struct revoke_work;
	struct dentry *debugfs;
	struct sluice_heap_node *heap_nodes;
	unsigned int num_heap_nodes;
	struct list_head link;
	unsigned int num_interrupts;
	spinlock_t eventfd_lock;
	struct list_head eventfds;
	unsigned int num_eventfds;
	struct rw_semaphore registers_lock;
	wait_queue_head_t registers_wait;
	bool blocked;
	struct mutex mappings_lock;
	struct list_head mappings;
	unsigned int num_mappings;
	bool mappings_awake;
	struct sluice_event_log events;
	struct mutex control_lock;
	unsigned int num_controls;
	struct sluice_device_control *controls;
	unsigned int num_heaps;
	const struct sluice_heap *heaps[SLUICE_MAX_HEAPS];
	bool cpu_engines;
	u32 op_align;
	unsigned int num_engines;
	struct sluice_engine engines[] __counted_by(num_engines);
};

/**
 * struct sluice_client - an open file of a node or of a dma-heap node, and its account
 * @ref: held by the file, by its queues, and by each buffer charged to it
 * @sdev: the device; reference held.  The file also holds one on the driver's module
 * @heap: heap of a dma-heap node, else NULL; used only while the file is open
 * @user: the user who opened the file: see account.c
 * @bytes: bytes in live buffers, and in foreign buffers that are slots of its queues: see
 *	account.c
 * @queues: number of its queues that have not been freed
 * @pid: the process that opened the file, for debugfs
 * @comm: name of that process
 * @mapped: in sdev->mappings
 * @mapping: address space of the file, once it has mapped registers; under sdev->mappings_lock
 * @listening: in the clients of sdev->events, from the first read() or poll() on
 * @listens: it is in that list
 * @event_wait: readers and pollers of events
 * @read_lock: one reader of events at a time
 * @heard: sequence number of the last event that was read, or that was raised before the file was
 *	opened; under the lock of sdev->events
 * @hangs: for each engine: jobs of its queues that ran into their timeout, since the last of its
 *	jobs that succeeded; written by the context that owns the ending job
 */
struct sluice_client {
	struct kref ref;
	struct sluice_device *sdev;
	const struct sluice_heap *heap;
	struct sluice_user *user;
	u64 bytes;
	atomic_t queues;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct list_head mapped;
	struct address_space *mapping;
	struct list_head listening;
	bool listens;
	wait_queue_head_t event_wait;
	struct mutex read_lock;
	u64 heard;
	unsigned int hangs[];
};

static inline unsigned int sluice_client_hangs(const struct sluice_client *client,
					       const struct sluice_engine *engine)
{
	return READ_ONCE(client->hangs[engine->index]);
}

static inline void sluice_client_set_hangs(struct sluice_client *client,
					   const struct sluice_engine *engine, unsigned int hangs)
{
	WRITE_ONCE(client->hangs[engine->index], hangs);
}

/* Kinds of CPU mapping: a buffer has exactly one of them. */
#define SLUICE_MEM_MAPPINGS	(SLUICE_MEM_CACHED | SLUICE_MEM_COHERENT | \
				 SLUICE_MEM_WRITE_COMBINED | SLUICE_MEM_UNCACHED)

/**
 * struct sluice_heap - a kind of memory
 * @name: name for HEAP_INFO
 * @properties: SLUICE_MEM_* that a buffer has, unless ALLOC asks for one of @options instead
 * @options: SLUICE_MEM_* that ALLOC may ask for
 * @max_size: largest buffer in bytes, for a limit of the heap's own; 0 for none
 * @largest: optional: largest buffer in bytes, for a limit that depends on the machine and the
 *	device
 * @why: optional: SLUICE_HINT_* for a size beyond the limits; without it SLUICE_HINT_LIMIT
 * @alloc: fill buffer->sgt (not in device memory) and ->end with buffer->size bytes of zeroed
 *	memory that has buffer->properties.  Sleeps.  On failure it may set *hint.  NULL for
 *	memory that can only be wrapped
 * @free: free the memory of @alloc
 * @vmap: set buffer->vaddr, if @alloc did not.  Sleeps, with the dma_resv held.  It must retry
 *	for a while before it fails, because the dma-buf core warns when the vmap op fails
 * @mmap: map into a process; the caller has checked the range
 * @cpu_access: optional: the CPU begins to use the memory, or has stopped
 * @dmabuf_ops: ops of its dma-bufs; NULL for the ops of system memory.  Their release must be
 *	sluice_dmabuf_release()
 * @exported: optional: the buffer is a dma-buf now
 * @block: optional: with true, keep all CPUs from the memory until it is called with false.
 *	@revoke is not called in between
 * @revoke: optional: take the memory back from all users, because the device is removed
 * @release: free the heap itself, which belongs to one device; NULL for the heaps of all devices
 */
struct sluice_heap {
	const char *name;
	u32 properties;
	u32 options;
	u64 max_size;
	u64 (*largest)(const struct sluice_device *sdev);
	u32 (*why)(const struct sluice_device *sdev, u64 size);
	int (*alloc)(struct sluice_buffer *buffer, u32 *hint);
	void (*free)(struct sluice_buffer *buffer);
	int (*vmap)(struct sluice_buffer *buffer);
	int (*mmap)(struct sluice_buffer *buffer, struct vm_area_struct *vma);
	int (*cpu_access)(struct sluice_buffer *buffer, bool begin);
	const struct dma_buf_ops *dmabuf_ops;
	void (*exported)(struct sluice_buffer *buffer, struct dma_buf *dmabuf);
	void (*block)(const struct sluice_heap *heap, bool block);
	void (*revoke)(const struct sluice_heap *heap);
	void (*release)(const struct sluice_heap *heap);
};

#define SLUICE_VMAP_TRIES	20	/* tries, with pauses that add up to most of a second */
#define SLUICE_PAGES_ORDERS	3
#define SLUICE_HUGE_ORDER	9	/* the largest of these orders */
#define SLUICE_HUGE_SIZE	((u64)PAGE_SIZE << SLUICE_HUGE_ORDER)

#define SLUICE_FRAME_ALL	(SLUICE_FRAME_DAMAGED | SLUICE_FRAME_REPEATED | \
				 SLUICE_FRAME_TOP | SLUICE_FRAME_BOTTOM)

/**
 * struct sluice_pages - scattered memory, in use by a buffer or parked in the pool
 * @lru: in the pool's list_lru, in the list of its memory cgroup
 * @link: in one of the pool's lists by age, or in a list of memory to be freed
 * @bin: in the pool's hash table of bins, if it is the first of its bin
 * @alike: in the ring of all memory of its bin
 * @state: see below; under the pool's lock
 * @owner: number of the memory cgroup that it is charged to: see pool.c
 * @order: sequence number of its parking, among all memory that was ever parked
 * @parked: when it was parked, in jiffies
 * @size: bytes, whole pages
 * @mapping: one of SLUICE_MEM_MAPPINGS
 * @sgt: the pages, in compound pages, the largest pieces first
 * @end: highest physical address of the memory: that of its last byte
 * @node: NUMA node of the first page
 * @spread: some pages are on other nodes
 * @zone: the lowest zone that it has pages of
 * @top_zone: the highest zone that it has pages of
 * @pieces: the first page of each piece
 * @single_piece: array behind @pieces if there is one piece
 * @single_sg: table behind @sgt if there is one piece
 * @count: number of pieces of each of the SLUICE_PAGES_ORDERS, in the order of @sgt
 * @huge: all pieces have SLUICE_HUGE_SIZE
 * @vaddr: kernel mapping; NULL until it is first needed
 */
struct sluice_pages {
	struct list_head lru;
	struct list_head link;
	struct hlist_node bin;
	struct list_head alike;
	enum sluice_pages_state {
		SLUICE_PAGES_USED,	/* not parked: a buffer has it, or it is being freed */
		SLUICE_PAGES_DIRTY,
		SLUICE_PAGES_ZEROING,
		SLUICE_PAGES_DOOMED,	/* must be freed as soon as its zeroing has stopped */
		SLUICE_PAGES_CLEAN,
	} state;
	u32 mapping;
	u64 owner;
	u64 order;
	unsigned long parked;
	u64 size;
	struct sg_table sgt;
	phys_addr_t end;
	int node;
	bool spread;
	enum zone_type zone;
	enum zone_type top_zone;
	struct page **pieces;
	struct page *single_piece;
	struct scatterlist single_sg;
	unsigned int count[SLUICE_PAGES_ORDERS];
	bool huge;
	void *vaddr;
};

/**
 * struct sluice_buffer - memory behind one of our dma-bufs
 * @sdev: the device; reference held
 * @client: the client that is charged; reference held
 * @heap: the heap that the memory comes from
 * @properties: SLUICE_MEM_* that it has
 * @size: bytes, whole pages
 * @readonly: SLUICE_FD_RDONLY: refuse a mapping for writing alone by an importer
 * @charge: bytes that @client is charged.  More than @size if a part of a huge page keeps the
 *	whole huge page
 * @sgt: the pages.  It is never mapped: each importer gets a table of its own
 * @pages: heap pages: the memory; @sgt is a copy of its table
 * @wrapped: wrapped memory: all pages, in order
 * @end: highest physical address of the memory: that of its last byte
 * @inode: number of the dma-buf's inode, for debugfs
 * @exporter: exporter's name of the dma-buf, the same as the name of the heap's dma-heap node
 * @shown: the dma-buf, for debugfs; valid as long as the buffer
 * @vaddr: kernel mapping, or NULL if there is none yet; under the dma_resv, on older kernels under
 *	the dma-buf's own lock
 * @dma: heap contiguous: DMA handle of memory from the DMA API
 * @searched: heap contiguous: the memory is ordinary pages from a search, not from the DMA API
 * @offset: memory of a device: bytes from its start
 * @range: memory of a device: in the list of its buffers.  The lock of this list guards the next
 *	three fields
 * @dmabuf: memory of a device: the dma-buf; valid as long as the buffer
 * @file_inode: memory of a device: inode of the dma-buf, to find mappings; reference held
 * @revoke_pass: memory of a device that is taken back: the last pass that has treated it
 * @lock: guards the lists of attachments and mappings
 * @attachments: struct sluice_attachment
 * @mappings: struct sluice_mapping
 * @link: in sluice_buffers, for debugfs
 */
struct sluice_buffer {
	struct sluice_device *sdev;
	struct sluice_client *client;
	const struct sluice_heap *heap;
	u32 properties;
	u64 size;
	bool readonly;
	u64 charge;
	struct sg_table sgt;
	struct sluice_pages *pages;
	struct page **wrapped;
	phys_addr_t end;
	u64 inode;
	char exporter[SLUICE_HEAP_NAME_LEN];
	const struct dma_buf *shown;
	void *vaddr;
	dma_addr_t dma;
	bool searched;
	u64 offset;
	struct list_head range;
	struct dma_buf *dmabuf;
	struct inode *file_inode;
	unsigned int revoke_pass;
	struct mutex lock;
	struct list_head attachments;
	struct list_head mappings;
	struct list_head link;
};

/**
 * struct sluice_slot - a dma-buf that is attached and mapped for a queue's device
 * @ref: held by the queue's table, by jobs, and by the engine while the memory is taken back
 * @queue: the queue, which outlives its slots.  NULL for the temporary slot of BUFFER_INFO
 * @sdev: the device; the slot counts in its @users
 * @client: the client that is charged.  The queue or the call holds it, so it outlives the slot
 * @charge: bytes of a foreign buffer that @client is charged
 * @number: number in the queue's table
 * @dmabuf: the dma-buf; reference held
 * @attach: attachment of the device's parent; NULL only if attach failed
 * @sgt: table, mapped in direction @dir; NULL once it is unmapped.  Under the dma_resv
 * @dir: direction of the mapping
 * @flags: SLUICE_ATTACH_*, with READ or WRITE or both
 * @map: kernel mapping, for a software engine
 * @sharing: the slots of the queue with the same dma_resv; NULL for the temporary slot of
 *	BUFFER_INFO
 * @revoked: the exporter takes the memory back, so no op may use it any more.  Set under the
 *	dma_resv
 * @in_flight: ops in flight that use the slot; under engine->lock
 * @revoke: in engine->revoked until @in_flight is 0, then in sdev->revoked
 * @gone: for memory that its exporter may take back, else NULL: fence that signals when no op uses
 *	the slot any more.  After a revocation it replaces the fences of the queue's jobs on the
 *	dma_resv: see sharing.c
 */
struct sluice_slot {
	struct kref ref;
	struct sluice_queue *queue;
	struct sluice_device *sdev;
	struct sluice_client *client;
	u64 charge;
	u32 number;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	u32 flags;
	struct iosys_map map;
	struct sluice_sharing *sharing;
	bool revoked;
	unsigned int in_flight;
	struct list_head revoke;
	struct dma_fence *gone;
};

/**
 * struct sluice_sharing - the slots of a queue whose buffers have the same dma_resv
 * @node: in queue->sharings
 * @resv: the dma_resv.  The buffers of the slots keep it alive
 * @slots: slots that have not been freed; under queue->sharings_lock
 * @usable: those of them that are mapped and not revoked; under the dma_resv
 * @gone: fence @gone of the slot that was revoked last while it was in use, or NULL; under the
 *	dma_resv
 */
struct sluice_sharing {
	struct rb_node node;
	struct dma_resv *resv;
	unsigned int slots;
	unsigned int usable;
	struct dma_fence *gone;
};

/**
 * struct sluice_history - the known facts about one of the last @depth points of a queue
 * @point: the point; 0 for none
 * @job: its job until that has ended; no reference
 * @fence: its fence, reference held; NULL until one is asked for
 * @status: how the job ended; valid after its end
 * @ended: when it ended
 */
struct sluice_history {
	u64 point;
	struct sluice_job *job;
	struct dma_fence *fence;
	int status;
	ktime_t ended;
};

/**
 * struct sluice_queue - an ordered line of jobs on one engine
 * @ref: held by the file, by each job, and for each slot whose memory is being taken back
 * @sdev: the device; reference held
 * @client: the client that created it, which is charged for foreign slots; reference held
 * @engine: the engine that executes its jobs
 * @joined: it counts in engine->num_queues
 * @exclusive: the engine has no other queue
 * @context: fence context of the timeline
 * @name: name of the timeline
 * @depth: most jobs that are pending or whose completion is unread; a power of two
 * @completion_size: bytes of a completion for read()
 * @link: in sdev->queues, under sdev->lock
 * @submit_lock: one SUBMIT at a time
 * @drop_lock: held while all slots are released
 * @slot_lock: guards @slots and @slots_closed
 * @slots: number -> struct sluice_slot, or SLUICE_SLOT_REVOKED instead
 * @slots_closed: no more slots are accepted
 * @sharings_lock: spinlock: guards @sharings
 * @sharings: struct sluice_sharing of all slots that have not been freed, by the address of the
 *	dma_resv
 * @entity: the engine's part of the queue; under engine->lock
 * @lock: guards the fields below, up to @progressed
 * @in_flight: jobs that have not ended, plus completions that have not been read
 * @submitted: the last point
 * @done: all points up to this one have ended
 * @history: point p is at index p % depth
 * @completions: records for read()
 * @progress: record about the progress of a CYCLIC job
 * @progressed: @progress has not been read yet
 * @read_lock: one reader at a time
 * @wait: readers, pollers, and callers of WAIT
 */
struct sluice_queue {
	struct kref ref;
	struct sluice_device *sdev;
	struct sluice_client *client;
	struct sluice_engine *engine;
	bool joined;
	bool exclusive;
	u64 context;
	char name[SLUICE_NAME_LEN + 12];
	u32 depth;
	u32 completion_size;
	struct list_head link;

	struct mutex submit_lock;
	struct mutex drop_lock;
	struct mutex slot_lock;
	struct xarray slots;
	bool slots_closed;
	spinlock_t sharings_lock;
	struct rb_root sharings;

	struct sluice_entity entity;

	spinlock_t lock;
	u32 in_flight;
	u64 submitted;
	u64 done;
	struct sluice_history *history;
	DECLARE_KFIFO_PTR(completions, struct sluice_completion);
	struct sluice_completion progress;
	bool progressed;
	struct mutex read_lock;
	wait_queue_head_t wait;
};

/**
 * struct sluice_dep - an in-fence of a job
 * @job: the job
 * @fence: the fence; reference held
 * @watch: the watch that it has joined, or NULL: see watch.c
 * @spare: memory for a watch of its own, or NULL
 * @link: in the deps of @watch; under engine->lock
 * @pending: the fence had not signalled when SUBMIT examined it, so the engine must join a watch
 * @explicit: the caller passed it as an fd, so its error cancels the job
 */
struct sluice_dep {
	struct sluice_job *job;
	struct dma_fence *fence;
	struct sluice_watch *watch;
	struct sluice_watch *spare;
	struct list_head link;
	bool pending;
	bool explicit;
};

/**
 * struct sluice_claim - a dma_resv whose fences a job waits for, and to which it adds its own
 * @resv: dma_resv of one of the job's dma-bufs
 * @usage: WRITE or READ; BOOKKEEP if the slot is EXPLICIT
 */
struct sluice_claim {
	struct dma_resv *resv;
	enum dma_resv_usage usage;
};

/**
 * struct sluice_job - a list of ops with in-fences and at most one out-fence
 * @ref: held by the engine until the job has ended, and by SUBMIT while it works on the job.  The
 *	last put releases the job, or hands it to the reaper
 * @queue: the queue; reference held
 * @fence: the out-fence; reference held.  NULL while no buffer and no fd needs it; FENCE may
 *	set it later, under engine->lock
 * @uring: the io_uring command that waits for the job's end, or NULL; under queue->lock
 * @link: in entity->jobs of its queue; empty once it has ended
 * @again: in entity->again, or empty
 * @reap: in sdev->reap_list
 * @entered: it counts in sdev->users
 * @awake: it keeps the hardware awake.  Only a job with programs or private ops needs this; the
 *	slots of other jobs do it
 * @num_commands: commands in all its programs
 * @payload: bytes of the payloads in all its private ops
 * @point: its number on the timeline
 * @user_data: for the completion
 * @flags: SLUICE_SUBMIT_*
 * @cancelled: -ECANCELED once it was cancelled; under engine->lock
 * @armed: it has joined the watches of its in-fences; under engine->lock
 * @prepared: its in-fences have signalled, and @in_fence_error is known; under engine->lock
 * @in_fence_error: -ECANCELED if an in-fence failed, so the job must not run; else 0
 * @waiting: in-fences that have not signalled, plus one until SUBMIT is done
 * @submitted: when it was submitted, in jiffies; the time limit for in-fences begins here
 * @preempted: SUBMIT may be preempted between the publication of the fence and the hand-over to the
 *	engine.  The time limit for in-fences then covers this time as well
 * @num_deps: length of @deps
 * @max_deps: room in @deps
 * @deps: in-fences; points to @few_deps if there are no more than SLUICE_FEW_DEPS
 * @num_claims: length of @claims
 * @claims: one for each dma_resv that must show the job's fence, sorted by address.  The memory
 *	follows @ops, with room for SLUICE_MAX_PLANES claims of each op
 * @result: sum of the results of the ops.  Its status is the error of the first op, in their
 *	order, that failed, or another reason for the end.  This and the fields below, up to
 *	@deadline, are under engine->lock
 * @failed: index of the op that the status of @result comes from
 * @chained: it ends because of the error of a job in front of it, and has no error of its own
 * @over: no op is in flight, and none will be.  It ends as soon as it is the first of its queue
 * @num_ops: length of @ops
 * @started: when its first op was handed out; 0 before
 * @next_op: index of the op to be handed out next
 * @pass: CYCLIC: number of the current pass over the ops, from 0
 * @ended: CYCLIC: ops that have ended, in all passes
 * @acked: CYCLIC: ops whose buffers userspace has acknowledged (ACK), if @acks
 * @acks: CYCLIC: userspace has called ACK
 * @counted: CYCLIC: ops that have been checked for @xruns
 * @xruns: CYCLIC: ops that were handed out before the ACK for their buffers
 * @in_flight: its ops in flight
 * @withdrawals: aborts that stopped its ops for other ops or for a sleep, since the last end of
 *	one of its ops
 * @withdrawn: engine->aborts at the last of these aborts
 * @timed: @deadline is valid, if @starts equals engine->starts
 * @starts: engine->starts when @deadline was set
 * @deadline: when it becomes late, in jiffies
 * @few_deps: memory of @deps for few in-fences
 * @ops: the ops
 */
struct sluice_job {
	struct kref ref;
	struct sluice_queue *queue;
	struct dma_fence *fence;
	struct sluice_uring *uring;
	struct list_head link;
	struct list_head again;
	struct llist_node reap;
	bool entered;
	bool awake;
	u32 num_commands;
	u32 payload;
	u64 point;
	u64 user_data;
	u32 flags;
	int cancelled;
	bool armed;
	bool prepared;
	int in_fence_error;
	atomic_t waiting;
	unsigned long submitted;
	bool preempted;
	unsigned int num_deps;
	unsigned int max_deps;
	struct sluice_dep *deps;
	unsigned int num_claims;
	struct sluice_claim *claims;
	struct sluice_result result;
	unsigned int failed;
	bool chained;
	bool over;
	unsigned int num_ops;
	ktime_t started;
	unsigned int next_op;
	u64 pass;
	u64 ended;
	u64 acked;
	bool acks;
	u64 counted;
	u64 xruns;
	unsigned int in_flight;
	unsigned int withdrawals;
	unsigned int withdrawn;
	bool timed;
	unsigned int starts;
	unsigned long deadline;
	struct sluice_dep few_deps[SLUICE_FEW_DEPS];
	struct sluice_op_desc ops[];
};

/* Do its ops have memory that was allocated for commands or payloads? */
static inline bool sluice_job_has_lists(const struct sluice_job *job)
{
	return job->num_commands || job->payload;
}

/**
 * struct sluice_uring - an io_uring command that has not completed: see uring.c
 * @job: its job, unless the state is OVER; no reference
 * @completion: copy of the completion for @address, or NULL if the caller does not want one
 * @address: the caller's struct sluice_completion, of the queue's completion_size
 * @status: status of the job; valid after its end
 * @state: decides which context completes the command; under queue->lock.  ISSUED: it is being
 *	submitted; if the job ends now, the submitter completes it.  PENDING: it waits for the job;
 *	the end of the job, or a cancel, completes it.  OVER: the job has ended, or is not waited
 *	for any more
 */
struct sluice_uring {
	struct sluice_job *job;
	struct sluice_completion *completion;
	void __user *address;
	s32 status;
	enum sluice_uring_state {
		SLUICE_URING_ISSUED,
		SLUICE_URING_PENDING,
		SLUICE_URING_OVER,
	} state;
};

/**
 * struct sluice_call - an ioctl, or a SUBMIT through io_uring, that is being served
 * @file: the file that it was called on
 * @data: the kernel's copy of the struct
 * @uarg: the caller's struct
 * @size: bytes of the struct to write back
 * @copied: nothing is left to write back: it has been written, or the ioctl returns no data
 * @fd: reserved fd number, or -1
 * @install: file for @fd, installed after the struct has been written back
 * @uring: SUBMIT through io_uring: the command that completes at the job's end; else NULL
 */
struct sluice_call {
	struct file *file;
	void *data;
	void __user *uarg;
	size_t size;
	bool copied;
	int fd;
	struct file *install;
	struct sluice_uring *uring;
};

/**
 * struct sluice_ioctl - how one ioctl is served
 * @cmd: its command word, with the size of the current struct
 * @min_size: bytes of the struct in the UAPI version that introduced it
 * @flags: SLUICE_IOCTL_OUT_ON_ERROR
 * @fn: handler; returns 0 or a negative errno
 */
struct sluice_ioctl {
	unsigned int cmd;
	size_t min_size;
	u32 flags;
	int (*fn)(struct sluice_call *call);
};

#define SLUICE_IOCTL_OUT_ON_ERROR	(1U << 0)	/* also write back after an error */

/*
 * Bytes of each struct in the UAPI version that introduced it: the oldest programs pass this size.
 * Never use sizeof here: it grows, and these programs would be refused.
 */
enum sluice_first_size {
	SLUICE_INFO_FIRST_SIZE = 136,
	SLUICE_HEAP_INFO_FIRST_SIZE = 56,
	SLUICE_ALLOC_FIRST_SIZE = 32,
	SLUICE_BUFFER_INFO_FIRST_SIZE = 56,
	SLUICE_CREATE_QUEUE_FIRST_SIZE = 32,
	SLUICE_WRAP_FIRST_SIZE = 40,
	SLUICE_SYNC_FIRST_SIZE = 24,
	SLUICE_EVENTFD_FIRST_SIZE = 16,
	SLUICE_ATTACH_FIRST_SIZE = 16,
	SLUICE_DETACH_FIRST_SIZE = 8,
	SLUICE_SUBMIT_FIRST_SIZE = 56,
	SLUICE_FENCE_FIRST_SIZE = 24,
	SLUICE_WAIT_FIRST_SIZE = 24,
	SLUICE_CANCEL_FIRST_SIZE = 24,
	SLUICE_QUEUE_INFO_FIRST_SIZE = 24,
	SLUICE_ACK_FIRST_SIZE = 24,
	SLUICE_ENGINE_INFO_FIRST_SIZE = 40,
	SLUICE_ENUM_FORMATS_FIRST_SIZE = 40,
	SLUICE_ENUM_SIZES_FIRST_SIZE = 56,
	SLUICE_ENUM_INTERVALS_FIRST_SIZE = 56,
	SLUICE_SOURCE_FIRST_SIZE = 32,
	SLUICE_ENUM_CONTROLS_FIRST_SIZE = 88,
	SLUICE_ENUM_MENU_FIRST_SIZE = 48,
	SLUICE_CONTROL_FIRST_SIZE = 16,
};

/* Number of live objects of each kind.  Tests detect leaks by comparing the numbers. */
enum sluice_object {
	SLUICE_OBJECT_DEVICE,
	SLUICE_OBJECT_CLIENT,
	SLUICE_OBJECT_BUFFER,
	SLUICE_OBJECT_MAPPING,
	SLUICE_OBJECT_QUEUE,
	SLUICE_OBJECT_SLOT,
	SLUICE_OBJECT_JOB,
	SLUICE_OBJECT_FENCE,
	SLUICE_NUM_OBJECTS,
};

extern atomic_long_t sluice_objects[SLUICE_NUM_OBJECTS];

static inline void sluice_object_inc(enum sluice_object object)
{
	atomic_long_inc(&sluice_objects[object]);
}

static inline void sluice_object_dec(enum sluice_object object)
{
	atomic_long_dec(&sluice_objects[object]);
}

/* device.c */
int sluice_class_init(void);
void sluice_class_exit(void);
struct device *sluice_scout(void);
bool sluice_device_enter(struct sluice_device *sdev);
void sluice_device_exit(struct sluice_device *sdev);
int sluice_device_wake(struct sluice_device *sdev);
void sluice_device_rest(struct sluice_device *sdev);
bool sluice_driver_fits(u32 api, const char *module_name);
extern struct list_head sluice_devices;
extern struct mutex sluice_devices_lock;

/* node.c */
extern const struct file_operations sluice_node_fops;
void sluice_client_put(struct sluice_client *client);
int sluice_client_open(struct sluice_device *sdev, const struct sluice_heap *heap,
		       struct inode *inode, struct file *file);
int sluice_client_close(struct inode *inode, struct file *file);
void sluice_client_show_fdinfo(struct seq_file *m, struct file *file);
struct sluice_device *sluice_call_device(const struct sluice_call *call);
int sluice_client_alloc(struct sluice_call *call, const struct sluice_heap *heap,
			struct sluice_alloc *args, int access);

/**
 * struct sluice_account - the counters of a client and their limits, in bytes
 * @open_bytes: in live buffers and foreign slots of the client
 * @open_limit: limit of one client
 * @user_bytes: in live buffers of all clients of its user
 * @user_limit: limit of one user
 * @total_bytes: in live buffers of all clients
 * @total_limit: limit of all clients together
 */
struct sluice_account {
	u64 open_bytes;
	u64 open_limit;
	u64 user_bytes;
	u64 user_limit;
	u64 total_bytes;
	u64 total_limit;
};

/* account.c */
u64 sluice_open_limit(void);
int sluice_account_open(struct sluice_client *client);
void sluice_account_close(struct sluice_client *client);
int sluice_account_charge(struct sluice_client *client, u64 bytes, bool device, u32 *hint);
void sluice_account_uncharge(struct sluice_client *client, u64 bytes, bool device);
struct sluice_account sluice_account_read(const struct sluice_client *client);
kuid_t sluice_account_uid(const struct sluice_client *client);

/* direct.c */
void sluice_direct_init(struct sluice_device *sdev);
void sluice_direct_revoke(struct sluice_device *sdev);
void sluice_direct_close(struct sluice_client *client);
int sluice_node_eventfd(struct sluice_call *call);
int sluice_node_mmap(struct file *file, struct vm_area_struct *vma);

/* control.c */
void sluice_controls_free(struct sluice_device *sdev);
int sluice_node_enum_controls(struct sluice_call *call);
int sluice_node_enum_menu(struct sluice_call *call);
int sluice_node_get_control(struct sluice_call *call);
int sluice_node_set_control(struct sluice_call *call);

/* event.c */
void sluice_events_init(struct sluice_device *sdev);
void sluice_events_gone(struct sluice_device *sdev);
void sluice_events_close(struct sluice_device *sdev);
void sluice_events_open(struct sluice_client *client);
void sluice_events_leave(struct sluice_client *client);
ssize_t sluice_events_read(struct file *file, char __user *ubuf, size_t count, loff_t *pos);
__poll_t sluice_events_poll(struct file *file, struct poll_table_struct *table);
int sluice_engine_get_source(struct sluice_engine *engine, struct sluice_source *args);

/* heapnode.c */
void sluice_heap_nodes_add(struct sluice_device *sdev);
void sluice_heap_nodes_remove(struct sluice_device *sdev);

/* ioctl.c */
long sluice_ioctl_dispatch(struct file *file, unsigned int cmd, unsigned long arg,
			   const struct sluice_ioctl *table, unsigned int count);
int sluice_call_copy_out(struct sluice_call *call);
int sluice_call_reserve_fd(struct sluice_call *call, u32 fd_flags);
int sluice_call_end(struct sluice_call *call, int ret);

/* heap.c */
void sluice_heaps_init(struct sluice_device *sdev);
void sluice_heaps_release(struct sluice_device *sdev);
void sluice_heaps_revoke(struct sluice_device *sdev);
int sluice_heap_add(struct sluice_device *sdev, const struct sluice_heap *heap);
const struct sluice_heap *sluice_heap_get(const struct sluice_device *sdev, unsigned int index);
u32 sluice_heap_properties(const struct sluice_device *sdev, const struct sluice_heap *heap);
u64 sluice_heap_max_size(const struct sluice_device *sdev, const struct sluice_heap *heap);

/* Is it memory inside the device, and not memory of the system? */
static inline bool sluice_heap_is_device(const struct sluice_heap *heap)
{
	return heap->properties & SLUICE_MEM_DEVICE;
}

bool sluice_dma_translated(struct device *dev);
int sluice_device_node(const struct sluice_device *sdev);
bool sluice_dma_bounced(struct device *dev);
bool sluice_dma_reaches(struct device *dev, phys_addr_t end);
dma_addr_t sluice_buffer_address(const struct sluice_buffer *buffer, struct device *dev,
				 phys_addr_t phys);
bool sluice_buffer_reached(const struct sluice_buffer *buffer, struct device *dev);
bool sluice_buffer_map_shared(const struct sluice_buffer *buffer, struct device *dev,
			      struct sg_table *sgt);
u32 sluice_heap_why(const struct sluice_device *sdev, const struct sluice_heap *heap, u64 size);
gfp_t sluice_dma_zone(const struct sluice_device *sdev);

/* heap_pages.c */
extern const struct sluice_heap sluice_pages_heap;
struct page *sluice_pages_find(const struct sluice_pages *pages, pgoff_t index);
void sluice_pages_destroy(struct sluice_pages *pages);
void sluice_pages_zero(struct sluice_pages *pages, const enum sluice_pages_state *state);
bool sluice_pages_held(struct sluice_pages *pages);

/* heap_contiguous.c */
extern const struct sluice_heap sluice_contiguous_heap;
bool sluice_contiguous_has_cma(const struct sluice_device *sdev);
void sluice_contiguous_reserve(struct sluice_device *sdev);
void sluice_contiguous_unreserve(struct sluice_device *sdev);

/* wrap.c */
extern const struct sluice_heap sluice_wrapped_heap;
int sluice_wrap_check(struct file *memfd, u64 offset, u64 size);
int sluice_wrap_fill(struct sluice_buffer *buffer, struct file *memfd, u64 offset, u32 *hint);

/* pool.c */
int sluice_pool_init(void);
void sluice_pool_exit(void);
struct sluice_pages *sluice_pool_new(void);
void sluice_pool_delete(struct sluice_pages *pages);
struct sluice_pages *sluice_pool_take(struct sluice_device *sdev, u64 size, u32 mapping,
				      bool huge);
void sluice_pool_park(struct sluice_pages *pages);
bool sluice_pool_drain(gfp_t zone, unsigned int order);
u64 sluice_pool_bytes(void);

/* mmap.c */
static inline pgprot_t sluice_mem_pgprot(u32 properties, pgprot_t prot)
{
	if (properties & SLUICE_MEM_WRITE_COMBINED)
		return pgprot_writecombine(prot);
	if (properties & SLUICE_MEM_UNCACHED)
		return pgprot_noncached(prot);
	return prot;
}

/* Bytes from the start of a buffer to an address in a mapping of the buffer. */
static inline u64 sluice_vma_offset(const struct vm_area_struct *vma, unsigned long addr)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
}

int sluice_vma_access_length(const struct vm_area_struct *vma, unsigned long addr, int length,
			     int write);
vm_fault_t sluice_fault_pfn(struct vm_fault *vmf);
vm_fault_t sluice_fault_wait(struct vm_fault *vmf, wait_queue_head_t *wait, const bool *blocked);
int sluice_mmap_pages(struct sluice_buffer *buffer, struct vm_area_struct *vma);

/* buffer.c */
struct sluice_buffer *sluice_buffer_create(struct sluice_client *client,
					   const struct sluice_heap *heap, u64 size,
					   u32 properties, u32 *hint);
struct sluice_buffer *sluice_buffer_wrap(struct sluice_client *client, struct file *memfd,
					 u64 offset, u64 size, u32 *hint);
int sluice_buffer_charge(struct sluice_buffer *buffer, u64 bytes, u32 *hint);
void sluice_buffer_destroy(struct sluice_buffer *buffer);
int sluice_buffer_info(struct sluice_client *client, struct dma_buf *dmabuf,
		       struct sluice_buffer_info *info);
extern struct list_head sluice_buffers;
extern struct mutex sluice_buffers_lock;

/* export.c */
size_t sluice_segment_limit(size_t max);
size_t sluice_segment_length(phys_addr_t phys, size_t left, size_t max, u64 boundary);
bool sluice_dmabuf_writes(const struct dma_buf_attachment *attach, enum dma_data_direction dir);
int sluice_dmabuf_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
int sluice_dmabuf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
int sluice_dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma);
void sluice_dmabuf_release(struct dma_buf *dmabuf);
struct dma_buf *sluice_buffer_export(struct sluice_buffer *buffer, int access);
struct sluice_buffer *sluice_buffer_from_dmabuf(struct dma_buf *dmabuf);

int sluice_buffer_begin_cpu(struct sluice_buffer *buffer, struct dma_buf *dmabuf, bool write,
			    u64 offset, u64 length);
int sluice_buffer_end_cpu(struct sluice_buffer *buffer, u64 offset, u64 length);

/* sync.c */
void sluice_sync_range(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       u64 offset, u64 length, bool for_cpu);

/* slot.c */
struct sluice_slot *sluice_slot_create(struct sluice_client *client, struct dma_buf *dmabuf,
				       u32 flags);
int sluice_slot_bind(struct sluice_slot *slot, struct sluice_queue *queue, u32 number);
void sluice_slot_settle(struct sluice_slot *slot);
void sluice_slots_unmap_revoked(struct work_struct *work);
bool sluice_slot_attached(const struct dma_buf_attachment *attach);
struct sluice_slot *sluice_slot_get(struct sluice_queue *queue, u32 number);
void sluice_slot_put(struct sluice_slot *slot);
bool sluice_slot_put_unless_last(struct sluice_slot *slot);
void sluice_queue_drop_slots(struct sluice_queue *queue);

/* sharing.c */
struct sluice_sharing *sluice_sharing_join(struct sluice_queue *queue,
					   struct sluice_sharing *spare, struct dma_resv *resv);
void sluice_sharing_lose(struct sluice_queue *queue, struct sluice_sharing *sharing,
			 struct dma_fence *gone);
void sluice_sharing_leave(struct sluice_queue *queue, struct sluice_sharing *sharing);

/* Stands in a queue's table instead of a slot whose memory was taken back. */
#define SLUICE_SLOT_REVOKED	((struct sluice_slot *)xa_mk_value(0))

static inline bool sluice_slot_revoked(const struct sluice_slot *slot)
{
	return slot && READ_ONCE(slot->revoked);
}

void sluice_slot_sync(const struct sluice_slot *slot, u64 offset, u64 length, bool for_engine);

/* fence.c */
struct dma_fence *sluice_fence_create(const char *name);
void sluice_fence_init(struct dma_fence *fence, u64 context, u64 seqno);
ktime_t sluice_fence_deadline(const struct dma_fence *fence);
bool sluice_fences_have_deadlines(void);
void sluice_fence_end(struct dma_fence *fence, int status, ktime_t when);
void sluice_fence_exit(void);

/* queue.c */
int sluice_queue_create(struct sluice_call *call, struct sluice_create_queue *args);
void sluice_queue_put(struct sluice_queue *queue);
int sluice_completion_copy_out(void __user *to, const struct sluice_completion *completion,
			       size_t size);
void sluice_queue_kill(struct sluice_queue *queue, int error);
int sluice_queue_add_job(struct sluice_queue *queue, struct sluice_job *job);
void sluice_queue_job_ended(struct sluice_queue *queue, struct sluice_job *job, int status);
u32 sluice_queue_cancel_jobs(struct sluice_queue *queue, u64 first, u64 last);

/* job.c */
int sluice_job_submit(struct sluice_call *call, struct sluice_queue *queue,
		      struct sluice_submit *args);
bool sluice_job_revoked(const struct sluice_job *job);
void sluice_job_arm(struct sluice_job *job);
void sluice_job_put(struct sluice_job *job);
void sluice_job_reap(struct work_struct *work);

/* format.c */
bool sluice_formats_valid(const struct sluice_engine_caps *caps,
			  const struct sluice_device_ops *ops);
int sluice_formats_copy(struct sluice_engine_caps *caps);
void sluice_formats_free(struct sluice_engine_caps *caps);
int sluice_engine_enum_format(const struct sluice_engine *engine,
			      struct sluice_enum_formats *args);
int sluice_engine_enum_size(const struct sluice_engine *engine, struct sluice_enum_sizes *args);
int sluice_engine_enum_interval(const struct sluice_engine *engine,
				struct sluice_enum_intervals *args);
int sluice_frame_copy(const struct sluice_engine_caps *caps, struct sluice_op_desc *desc,
		      const struct sluice_op *op, u32 *slots);
int sluice_frame_check(struct sluice_engine *engine, struct sluice_op_desc *desc);

/* program.c */
int sluice_program_copy(struct sluice_job *job, struct sluice_op_desc *desc,
			const struct sluice_op *op);
int sluice_program_check(const struct sluice_job *job, struct sluice_op_desc *desc);
void sluice_program_free(struct sluice_op_desc *desc);

/* private.c */
int sluice_private_copy(struct sluice_job *job, struct sluice_op_desc *desc,
			const struct sluice_op *op);
int sluice_private_check(const struct sluice_job *job, struct sluice_op_desc *desc);
void sluice_private_free(struct sluice_op_desc *desc);

/* deps.c */
int sluice_job_add_explicit(struct sluice_job *job, struct dma_fence *container);
void sluice_job_collect_claims(struct sluice_job *job);
int sluice_job_lock_one(const struct sluice_job *job, struct dma_resv *resv,
			struct ww_acquire_ctx *ctx);
int sluice_job_lock(struct sluice_job *job, struct ww_acquire_ctx *ctx);
void sluice_job_unlock(struct sluice_job *job, struct ww_acquire_ctx *ctx);
int sluice_job_collect_implicit(struct sluice_job *job);
int sluice_job_prepare_deps(struct sluice_job *job);

/* watch.c */

int sluice_watch_create(struct sluice_dep *dep);
void sluice_watch_join(struct sluice_engine *engine, struct sluice_dep *dep);
struct sluice_dep *sluice_watch_next(struct sluice_engine *engine);
void sluice_watch_leave(struct sluice_dep *dep);
void sluice_job_drop_deps(struct sluice_job *job);
int sluice_job_in_fence_error(const struct sluice_job *job);

/* cyclic.c */
bool sluice_job_is_cyclic(const struct sluice_job *job);
int sluice_cyclic_check(const struct sluice_job *job);
void sluice_cyclic_describe(const struct sluice_job *job, struct sluice_completion *record);
void sluice_cyclic_post(struct sluice_queue *queue, const struct sluice_completion *record);
bool sluice_cyclic_peek(struct sluice_queue *queue, struct sluice_completion *record);
void sluice_cyclic_skip(struct sluice_queue *queue, const struct sluice_completion *record);
int sluice_cyclic_ack(struct sluice_call *call);

/* uring.c */
#ifdef CONFIG_IO_URING
int sluice_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);
bool sluice_uring_job_ended(struct sluice_uring *uring, const struct sluice_completion *completion);
void sluice_uring_complete(struct sluice_uring *uring);
#else
static inline bool sluice_uring_job_ended(struct sluice_uring *uring,
					  const struct sluice_completion *completion)
{
	return false;
}

static inline void sluice_uring_complete(struct sluice_uring *uring)
{
}
#endif

/* coverage.c */
#ifdef CONFIG_KCOV
void sluice_coverage_init(struct dentry *debugfs);
#else
static inline void sluice_coverage_init(struct dentry *debugfs)
{
}
#endif

/* debugfs.c */
void sluice_debugfs_init(void);
void sluice_debugfs_exit(void);
void sluice_debugfs_add_device(struct sluice_device *sdev);
void sluice_debugfs_remove_device(struct sluice_device *sdev);

#endif /* _SLUICE_CORE_H */
