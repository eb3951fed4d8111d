// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bell for benchmarks: see bell.h.  The interrupt of a timer takes the place of a device's
 * interrupt.  It ends an op of a Sluice device, and signals the eventfd and the fences with
 * which Sluice is compared.
 */
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/hrtimer.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "bell.h"
#include "compat/fence.h"
#include "compat/timer.h"
#include "sluice.h"

/**
 * struct bell_fence - a fence that signals when the bell rings
 * @fence: the fence; it must be the first field, because the struct is freed by its address
 * @link: in bell.fences; the list has a reference
 */
struct bell_fence {
	struct sluice_compat_fence fence;
	struct list_head link;
};

#define RING_SIZE	8
#define RING_ENGINES	3

/**
 * struct ring - an engine of ring0
 * @timer: expires when the oldest op ends
 * @lock: spinlock, irq: guards the fields below; a ring lock
 * @engine: the engine for the core, or NULL while the core must not be asked for ops
 * @ops: the ops in flight, in a ring
 * @head: index of the oldest op
 * @count: number of ops in flight; they follow each other from @head on
 * @end: CLOCK_MONOTONIC time at which the oldest op ends
 */
struct ring {
	struct hrtimer timer;
	spinlock_t lock;
	struct sluice_engine *engine;
	struct ring_op {
		u32 cookie;
		u32 ns;
	} ops[RING_SIZE];
	unsigned int head;
	unsigned int count;
	ktime_t end;
};

/* The only bell. */
static struct {
	struct platform_device *pdev;
	struct sluice_device *sdev;
	struct hrtimer timer;
	/* irq; guards the fields from here to @ended, except @watch and @watch_period */
	spinlock_t lock;
	struct sluice_engine *engine;	/* engine of bell0, from its first op on */
	u32 cookie;			/* of the op in flight of bell0, or 0 */
	struct eventfd_ctx *eventfd;	/* set by BELL_EVENTFD, or NULL */
	struct list_head fences;
	u64 rang;			/* last ring, CLOCK_MONOTONIC_RAW */
	struct hrtimer watch;		/* the timer of BELL_WATCH */
	ktime_t watch_period;		/* written while @watch is stopped */
	u64 late;			/* longest delay since BELL_WATCH, in nanoseconds */
	struct bell_gap gap;
	u64 ended;			/* end of the last op, or 0 if another has begun since */
	struct sluice_device *ring;
	struct ring rings[RING_ENGINES];
} bell;

/* Note that an op has ended.  @next: the next op was in the ring, and has begun at once. */
static void bell_note_end(u64 when, bool next)
{
	unsigned long flags;

	spin_lock_irqsave(&bell.lock, flags);
	bell.ended = next ? 0 : when;
	if (!bell.gap.first)
		bell.gap.first = when;
	spin_unlock_irqrestore(&bell.lock, flags);
}

/* Note that an op begins which was not in the ring when the op before it ended. */
static void bell_note_begin(void)
{
	unsigned long flags;

	spin_lock_irqsave(&bell.lock, flags);
	if (bell.ended)
		bell.gap.worst = max(bell.gap.worst, ktime_get_raw_ns() - bell.ended);
	bell.ended = 0;
	spin_unlock_irqrestore(&bell.lock, flags);
}

static const char *bell_fence_name(struct dma_fence *fence)
{
	return "sluice-bell";
}

static const struct dma_fence_ops bell_fence_ops = {
	SLUICE_COMPAT_FENCE_OPS
	.get_driver_name = bell_fence_name,
	.get_timeline_name = bell_fence_name,
};

static void bell_signal_fences(struct list_head *fences)
{
	struct bell_fence *fence, *next;

	list_for_each_entry_safe(fence, next, fences, link) {
		dma_fence_signal(&fence->fence.base);
		dma_fence_put(&fence->fence.base);
	}
}

/* The interrupt of the bell. */
static enum hrtimer_restart bell_rings(struct hrtimer *timer)
{
	struct sluice_result result = {};
	struct eventfd_ctx *eventfd;
	LIST_HEAD(fences);
	u32 cookie;

	spin_lock(&bell.lock);
	cookie = bell.cookie;
	bell.cookie = 0;
	eventfd = bell.eventfd;
	list_splice_init(&bell.fences, &fences);
	bell.rang = ktime_get_raw_ns();
	/* with the lock held, because bell_set_eventfd() may put the eventfd afterwards */
	if (eventfd)
		eventfd_signal(eventfd);
	spin_unlock(&bell.lock);
	bell_signal_fences(&fences);
	if (cookie)
		bell_note_end(bell.rang, false);
	if (cookie)
		sluice_engine_done(bell.engine, cookie, &result);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart bell_watches(struct hrtimer *timer)
{
	ktime_t now = ktime_get();
	u64 late = ktime_to_ns(ktime_sub(now, hrtimer_get_expires(timer)));

	spin_lock(&bell.lock);
	bell.late = max(bell.late, late);
	spin_unlock(&bell.lock);
	/* count from now, so that a late interrupt does not make the next one late */
	hrtimer_set_expires(timer, ktime_add(now, bell.watch_period));
	return HRTIMER_RESTART;
}

static int bell_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	u32 ns = min_t(u32, op->value, BELL_MAX_NS);
	struct sluice_result result = {};

	if (!ns) {
		sluice_engine_done(engine, op->cookie, &result);
		return 0;
	}
	bell_note_begin();
	spin_lock_irq(&bell.lock);
	bell.engine = engine;
	bell.cookie = op->cookie;
	spin_unlock_irq(&bell.lock);
	hrtimer_start(&bell.timer, ns_to_ktime(ns), HRTIMER_MODE_REL_HARD);
	return 0;
}

static enum sluice_aborted bell_abort(struct sluice_engine *engine, u32 cookie)
{
	spin_lock_irq(&bell.lock);
	bell.cookie = 0;
	spin_unlock_irq(&bell.lock);
	hrtimer_cancel(&bell.timer);
	return SLUICE_ABORTED_ALL;
}

static const struct sluice_device_ops bell_ops = {
	.start = bell_start,
	.abort = bell_abort,
};

static const struct sluice_engine_caps bell_engine = {
	.op_kinds = BIT_ULL(SLUICE_OP_FILL),
	.flags = SLUICE_ENGINE_QUICK,
	.op_align = 4,
};

/* Take ops while the ring has room.  An op that is put into an empty ring begins at once. */
static void ring_refill(struct ring *ring)
{
	const struct sluice_op_desc *op;

	lockdep_assert_held(&ring->lock);
	while (ring->engine && ring->count < RING_SIZE && (op = sluice_engine_next(ring->engine))) {
		ring->ops[(ring->head + ring->count) % RING_SIZE] = (struct ring_op) {
			.cookie = op->cookie, .ns = min_t(u32, op->value, BELL_MAX_NS),
		};
		if (ring->count++)
			continue;
		bell_note_begin();
		ring->end = ktime_add_ns(ktime_get(), ring->ops[ring->head].ns);
		hrtimer_start(&ring->timer, ring->end, HRTIMER_MODE_ABS_HARD);
	}
}

/* The interrupt of an engine of ring0. */
static enum hrtimer_restart ring_rings(struct hrtimer *timer)
{
	struct ring *ring = container_of(timer, struct ring, timer);
	const struct sluice_result result = {};
	ktime_t now = ktime_get();
	u32 cookie;

	spin_lock(&ring->lock);
	while (ring->count && ktime_compare(ring->end, now) <= 0) {
		cookie = ring->ops[ring->head].cookie;
		ring->head = (ring->head + 1) % RING_SIZE;
		ring->count--;
		bell_note_end(ktime_get_raw_ns(), ring->count);
		if (ring->count)
			ring->end = ktime_add_ns(ring->end, ring->ops[ring->head].ns);
		sluice_engine_done(ring->engine, cookie, &result);
	}
	if (ring->count)
		hrtimer_start(&ring->timer, ring->end, HRTIMER_MODE_ABS_HARD);
	ring_refill(ring);
	spin_unlock(&ring->lock);
	return HRTIMER_NORESTART;
}

static void ring_kick(struct sluice_engine *engine)
{
	struct ring *ring = &bell.rings[sluice_engine_index(engine)];

	spin_lock_irq(&ring->lock);
	ring->engine = engine;
	ring_refill(ring);
	spin_unlock_irq(&ring->lock);
}

static enum sluice_aborted ring_abort(struct sluice_engine *engine, u32 cookie)
{
	struct ring *ring = &bell.rings[sluice_engine_index(engine)];

	spin_lock_irq(&ring->lock);
	ring->count = 0;
	ring->engine = NULL;
	spin_unlock_irq(&ring->lock);
	hrtimer_cancel(&ring->timer);
	return SLUICE_ABORTED_ALL;
}

static const struct sluice_device_ops ring_ops = {
	.kick = ring_kick,
	.abort = ring_abort,
};

#define RING_ENGINE(places) {						\
	.op_kinds = BIT_ULL(SLUICE_OP_FILL),				\
	.flags = SLUICE_ENGINE_QUICK | SLUICE_ENGINE_ORDERED,		\
	.depth = places,						\
	.op_align = 4,							\
}

static const struct sluice_engine_caps ring_engines[RING_ENGINES] = {
	RING_ENGINE(1), RING_ENGINE(2), RING_ENGINE(RING_SIZE),
};

static struct sluice_device *ring_register(void)
{
	unsigned int i;

	for (i = 0; i < RING_ENGINES; i++) {
		spin_lock_init(&bell.rings[i].lock);
		hrtimer_setup(&bell.rings[i].timer, ring_rings, CLOCK_MONOTONIC,
			      HRTIMER_MODE_ABS_HARD);
	}
	return sluice_device_register(&bell.pdev->dev, "ring", &ring_ops, ring_engines,
				      RING_ENGINES, NULL);
}

static int bell_tell_gap(struct bell_gap __user *answer)
{
	struct bell_gap gap;

	spin_lock_irq(&bell.lock);
	gap = bell.gap;
	bell.gap = (struct bell_gap) {};
	bell.ended = 0;
	spin_unlock_irq(&bell.lock);
	return copy_to_user(answer, &gap, sizeof(gap)) ? -EFAULT : 0;
}

static int bell_ring(unsigned long ns)
{
	if (ns > BELL_MAX_NS)
		return -EINVAL;
	hrtimer_start(&bell.timer, ns_to_ktime(ns), HRTIMER_MODE_REL_HARD);
	return 0;
}

static int bell_watch(unsigned long ns)
{
	if (ns && (ns < BELL_MIN_WATCH_NS || ns > BELL_MAX_NS))
		return -EINVAL;
	hrtimer_cancel(&bell.watch);
	if (!ns)
		return 0;
	bell.watch_period = ns_to_ktime(ns);
	bell.late = 0;
	hrtimer_start(&bell.watch, bell.watch_period, HRTIMER_MODE_REL_HARD);
	return 0;
}

static int bell_set_eventfd(int fd)
{
	struct eventfd_ctx *eventfd = NULL, *old;

	if (fd >= 0) {
		eventfd = eventfd_ctx_fdget(fd);
		if (IS_ERR(eventfd))
			return PTR_ERR(eventfd);
	}
	spin_lock_irq(&bell.lock);
	old = bell.eventfd;
	bell.eventfd = eventfd;
	spin_unlock_irq(&bell.lock);
	if (old)
		eventfd_ctx_put(old);
	return 0;
}

static struct bell_fence *bell_new_fence(void)
{
	struct bell_fence *fence;

	if (!sluice_compat_fence_hold())
		return NULL;
	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	if (!fence) {
		sluice_compat_fence_drop();
		return NULL;
	}
	sluice_compat_fence_init(&fence->fence, &bell_fence_ops, dma_fence_context_alloc(1), 1);
	return fence;
}

static int bell_fence(void)
{
	struct bell_fence *fence = bell_new_fence();
	struct file *file;
	int fd;

	if (!fence)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	file = fd < 0 ? ERR_PTR(fd) : sluice_compat_sync_file(&fence->fence.base);
	if (IS_ERR(file)) {
		if (fd >= 0)
			put_unused_fd(fd);
		dma_fence_signal(&fence->fence.base);
		dma_fence_put(&fence->fence.base);
		return PTR_ERR(file);
	}
	spin_lock_irq(&bell.lock);
	list_add_tail(&fence->link, &bell.fences);
	spin_unlock_irq(&bell.lock);
	fd_install(fd, file);
	return fd;
}

static int bell_tell(const u64 *what, u64 __user *answer)
{
	u64 value;

	spin_lock_irq(&bell.lock);
	value = *what;
	spin_unlock_irq(&bell.lock);
	return put_user(value, answer);
}

static long bell_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case BELL_RING:
		return bell_ring(arg);
	case BELL_EVENTFD:
		return bell_set_eventfd(arg);
	case BELL_FENCE:
		return bell_fence();
	case BELL_RANG:
		return bell_tell(&bell.rang, (u64 __user *)arg);
	case BELL_WATCH:
		return bell_watch(arg);
	case BELL_LATE:
		return bell_tell(&bell.late, (u64 __user *)arg);
	case BELL_GAP:
		return bell_tell_gap((struct bell_gap __user *)arg);
	}
	return -ENOTTY;
}

static const struct file_operations bell_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bell_ioctl,
};

static struct miscdevice bell_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sluice-bell",
	.fops = &bell_fops,
	.mode = 0600,
};

static int __init bell_init(void)
{
	struct platform_device_info info = {
		.name = "sluice-bell", .id = PLATFORM_DEVID_NONE, .dma_mask = DMA_BIT_MASK(64),
	};
	int ret;

	add_taint(TAINT_USER, LOCKDEP_STILL_OK);	/* userspace decides when fences signal */
	spin_lock_init(&bell.lock);
	INIT_LIST_HEAD(&bell.fences);
	hrtimer_setup(&bell.timer, bell_rings, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_setup(&bell.watch, bell_watches, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	bell.pdev = platform_device_register_full(&info);
	if (IS_ERR(bell.pdev))
		return PTR_ERR(bell.pdev);
	bell.sdev = sluice_device_register(&bell.pdev->dev, "bell", &bell_ops,
					   &bell_engine, 1, NULL);
	if (IS_ERR(bell.sdev)) {
		ret = PTR_ERR(bell.sdev);
		goto err_pdev;
	}
	bell.ring = ring_register();
	if (IS_ERR(bell.ring)) {
		ret = PTR_ERR(bell.ring);
		goto err_sdev;
	}
	ret = misc_register(&bell_misc);
	if (!ret)
		return 0;
	sluice_device_unregister(bell.ring);
err_sdev:
	sluice_device_unregister(bell.sdev);
err_pdev:
	platform_device_unregister(bell.pdev);
	return ret;
}

static void __exit bell_exit(void)
{
	misc_deregister(&bell_misc);
	sluice_device_unregister(bell.ring);
	sluice_device_unregister(bell.sdev);
	hrtimer_cancel(&bell.timer);
	hrtimer_cancel(&bell.watch);
	bell_set_eventfd(-1);
	bell_signal_fences(&bell.fences);
	platform_device_unregister(bell.pdev);
	sluice_compat_fences_exit();
}

module_init(bell_init);
module_exit(bell_exit);

MODULE_DESCRIPTION("A bell for benchmarks of Sluice");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
