// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interrupt source for benchmarks: see irqsource.h.  The interrupt of a timer takes the place
 * of a device's interrupt.  It ends an op of a Sluice device, and signals the eventfd and the
 * fences with which Sluice is compared.
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

#include "compat/fence.h"
#include "compat/timer.h"
#include "irqsource.h"
#include "marker.h"
#include "sluice.h"

/**
 * struct irqsource_fence - a fence that signals when the interrupt source fires
 * @fence: the fence; it must be the first field, because the struct is freed by its address
 * @link: in irqsource.fences; the list has a reference
 */
struct irqsource_fence {
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

/* The only interrupt source. */
static struct {
	struct platform_device *pdev;
	struct sluice_device *sdev;
	struct hrtimer timer;
	/* irq; guards the fields from here to @ended, except @watch and @watch_period */
	spinlock_t lock;
	struct sluice_engine *engine;	/* engine of irqsource0, from its first op on */
	u32 cookie;			/* of the op in flight of irqsource0, or 0 */
	struct eventfd_ctx *eventfd;	/* set by IRQSOURCE_EVENTFD, or NULL */
	struct list_head fences;
	u64 fired;			/* when it fired last, CLOCK_MONOTONIC_RAW */
	struct hrtimer watch;		/* the timer of IRQSOURCE_WATCH */
	ktime_t watch_period;		/* written while @watch is stopped */
	u64 late;			/* longest delay since IRQSOURCE_WATCH, in nanoseconds */
	struct irqsource_gap gap;
	u64 ended;			/* end of the last op, or 0 if another has begun since */
	struct sluice_device *ring;
	struct ring rings[RING_ENGINES];
} irqsource;

/* Note that an op has ended.  @next: the next op was in the ring, and has begun at once. */
static void irqsource_note_end(u64 when, bool next)
{
	unsigned long flags;

	spin_lock_irqsave(&irqsource.lock, flags);
	irqsource.ended = next ? 0 : when;
	if (!irqsource.gap.first)
		irqsource.gap.first = when;
	spin_unlock_irqrestore(&irqsource.lock, flags);
}

/* Note that an op begins which was not in the ring when the op before it ended. */
static void irqsource_note_begin(void)
{
	unsigned long flags;

	spin_lock_irqsave(&irqsource.lock, flags);
	if (irqsource.ended)
		irqsource.gap.worst = max(irqsource.gap.worst,
					  ktime_get_raw_ns() - irqsource.ended);
	irqsource.ended = 0;
	spin_unlock_irqrestore(&irqsource.lock, flags);
}

static const char *irqsource_fence_name(struct dma_fence *fence)
{
	return "sluice-irqsource";
}

static const struct dma_fence_ops irqsource_fence_ops = {
	SLUICE_COMPAT_FENCE_OPS
	.get_driver_name = irqsource_fence_name,
	.get_timeline_name = irqsource_fence_name,
};

static void irqsource_signal_fences(struct list_head *fences)
{
	struct irqsource_fence *fence, *next;

	list_for_each_entry_safe(fence, next, fences, link) {
		dma_fence_signal(&fence->fence.base);
		dma_fence_put(&fence->fence.base);
	}
}

/* The interrupt of the interrupt source. */
static enum hrtimer_restart irqsource_fires(struct hrtimer *timer)
{
	struct sluice_result result = {};
	struct eventfd_ctx *eventfd;
	LIST_HEAD(fences);
	u32 cookie;

	spin_lock(&irqsource.lock);
	cookie = irqsource.cookie;
	irqsource.cookie = 0;
	eventfd = irqsource.eventfd;
	list_splice_init(&irqsource.fences, &fences);
	irqsource.fired = ktime_get_raw_ns();
	MARK(MARKER_RESUME);
	/* with the lock held, because irqsource_set_eventfd() may put the eventfd afterwards */
	if (eventfd)
		eventfd_signal(eventfd);
	spin_unlock(&irqsource.lock);
	irqsource_signal_fences(&fences);
	if (cookie)
		irqsource_note_end(irqsource.fired, false);
	if (cookie)
		sluice_engine_done(irqsource.engine, cookie, &result);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart irqsource_watches(struct hrtimer *timer)
{
	ktime_t now = ktime_get();
	u64 late = ktime_to_ns(ktime_sub(now, hrtimer_get_expires(timer)));

	spin_lock(&irqsource.lock);
	irqsource.late = max(irqsource.late, late);
	spin_unlock(&irqsource.lock);
	/* count from now, so that a late interrupt does not make the next one late */
	hrtimer_set_expires(timer, ktime_add(now, irqsource.watch_period));
	return HRTIMER_RESTART;
}

static int irqsource_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	u32 ns = min_t(u32, op->value, IRQSOURCE_MAX_NS);
	struct sluice_result result = {};

	if (!ns) {
		sluice_engine_done(engine, op->cookie, &result);
		return 0;
	}
	irqsource_note_begin();
	spin_lock_irq(&irqsource.lock);
	irqsource.engine = engine;
	irqsource.cookie = op->cookie;
	spin_unlock_irq(&irqsource.lock);
	hrtimer_start(&irqsource.timer, ns_to_ktime(ns), HRTIMER_MODE_REL_HARD);
	return 0;
}

static enum sluice_aborted irqsource_abort(struct sluice_engine *engine, u32 cookie)
{
	spin_lock_irq(&irqsource.lock);
	irqsource.cookie = 0;
	spin_unlock_irq(&irqsource.lock);
	hrtimer_cancel(&irqsource.timer);
	return SLUICE_ABORTED_ALL;
}

static const struct sluice_device_ops irqsource_ops = {
	.start = irqsource_start,
	.abort = irqsource_abort,
};

static const struct sluice_engine_caps irqsource_engine = {
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
			.cookie = op->cookie, .ns = min_t(u32, op->value, IRQSOURCE_MAX_NS),
		};
		if (ring->count++)
			continue;
		irqsource_note_begin();
		ring->end = ktime_add_ns(ktime_get(), ring->ops[ring->head].ns);
		hrtimer_start(&ring->timer, ring->end, HRTIMER_MODE_ABS_HARD);
	}
}

/* The interrupt of an engine of ring0. */
static enum hrtimer_restart ring_fires(struct hrtimer *timer)
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
		irqsource_note_end(ktime_get_raw_ns(), ring->count);
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
	struct ring *ring = &irqsource.rings[sluice_engine_index(engine)];

	spin_lock_irq(&ring->lock);
	ring->engine = engine;
	ring_refill(ring);
	spin_unlock_irq(&ring->lock);
}

static enum sluice_aborted ring_abort(struct sluice_engine *engine, u32 cookie)
{
	struct ring *ring = &irqsource.rings[sluice_engine_index(engine)];

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
		spin_lock_init(&irqsource.rings[i].lock);
		hrtimer_setup(&irqsource.rings[i].timer, ring_fires, CLOCK_MONOTONIC,
			      HRTIMER_MODE_ABS_HARD);
	}
	return sluice_device_register(&irqsource.pdev->dev, "ring", &ring_ops, ring_engines,
				      RING_ENGINES, NULL);
}

static int irqsource_tell_gap(struct irqsource_gap __user *answer)
{
	struct irqsource_gap gap;

	spin_lock_irq(&irqsource.lock);
	gap = irqsource.gap;
	irqsource.gap = (struct irqsource_gap) {};
	irqsource.ended = 0;
	spin_unlock_irq(&irqsource.lock);
	return copy_to_user(answer, &gap, sizeof(gap)) ? -EFAULT : 0;
}

static int irqsource_fire(unsigned long ns)
{
	if (ns > IRQSOURCE_MAX_NS)
		return -EINVAL;
	hrtimer_start(&irqsource.timer, ns_to_ktime(ns), HRTIMER_MODE_REL_HARD);
	return 0;
}

static int irqsource_watch(unsigned long ns)
{
	if (ns && (ns < IRQSOURCE_MIN_WATCH_NS || ns > IRQSOURCE_MAX_NS))
		return -EINVAL;
	hrtimer_cancel(&irqsource.watch);
	if (!ns)
		return 0;
	irqsource.watch_period = ns_to_ktime(ns);
	irqsource.late = 0;
	hrtimer_start(&irqsource.watch, irqsource.watch_period, HRTIMER_MODE_REL_HARD);
	return 0;
}

static int irqsource_set_eventfd(int fd)
{
	struct eventfd_ctx *eventfd = NULL, *old;

	if (fd >= 0) {
		eventfd = eventfd_ctx_fdget(fd);
		if (IS_ERR(eventfd))
			return PTR_ERR(eventfd);
	}
	spin_lock_irq(&irqsource.lock);
	old = irqsource.eventfd;
	irqsource.eventfd = eventfd;
	spin_unlock_irq(&irqsource.lock);
	if (old)
		eventfd_ctx_put(old);
	return 0;
}

static struct irqsource_fence *irqsource_new_fence(void)
{
	struct irqsource_fence *fence;

	if (!sluice_compat_fence_hold())
		return NULL;
	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	if (!fence) {
		sluice_compat_fence_drop();
		return NULL;
	}
	sluice_compat_fence_init(&fence->fence, &irqsource_fence_ops, dma_fence_context_alloc(1),
				 1);
	return fence;
}

static int irqsource_fence(void)
{
	struct irqsource_fence *fence = irqsource_new_fence();
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
	spin_lock_irq(&irqsource.lock);
	list_add_tail(&fence->link, &irqsource.fences);
	spin_unlock_irq(&irqsource.lock);
	fd_install(fd, file);
	return fd;
}

static int irqsource_tell(const u64 *what, u64 __user *answer)
{
	u64 value;

	spin_lock_irq(&irqsource.lock);
	value = *what;
	spin_unlock_irq(&irqsource.lock);
	return put_user(value, answer);
}

#ifdef CONFIG_X86_64
static noinline long irqsource_known(void)
{
	int counter = 0;

	local_irq_disable();
	asm volatile(".rept %c1\n\tnop\n\t.endr\n\t"
		     ".rept %c2\n\tlock incl %0\n\t.endr"
		     : "+m" (counter) : "i" (IRQSOURCE_KNOWN_NOPS), "i" (IRQSOURCE_KNOWN_LOCKS) : "cc");
	local_irq_enable();
	return counter == IRQSOURCE_KNOWN_LOCKS ? 0 : -EIO;
}
#else
static long irqsource_known(void)
{
	return -EOPNOTSUPP;
}
#endif

static long irqsource_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case IRQSOURCE_FIRE:
		return irqsource_fire(arg);
	case IRQSOURCE_EVENTFD:
		return irqsource_set_eventfd(arg);
	case IRQSOURCE_FENCE:
		return irqsource_fence();
	case IRQSOURCE_FIRED:
		return irqsource_tell(&irqsource.fired, (u64 __user *)arg);
	case IRQSOURCE_WATCH:
		return irqsource_watch(arg);
	case IRQSOURCE_LATE:
		return irqsource_tell(&irqsource.late, (u64 __user *)arg);
	case IRQSOURCE_GAP:
		return irqsource_tell_gap((struct irqsource_gap __user *)arg);
	case IRQSOURCE_KNOWN:
		return irqsource_known();
	}
	return -ENOTTY;
}

static const struct file_operations irqsource_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = irqsource_ioctl,
};

static struct miscdevice irqsource_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sluice-irqsource",
	.fops = &irqsource_fops,
	.mode = 0600,
};

static int __init irqsource_init(void)
{
	struct platform_device_info info = {
		.name = "sluice-irqsource", .id = PLATFORM_DEVID_NONE, .dma_mask = DMA_BIT_MASK(64),
	};
	int ret;

	add_taint(TAINT_USER, LOCKDEP_STILL_OK);	/* userspace decides when fences signal */
	spin_lock_init(&irqsource.lock);
	INIT_LIST_HEAD(&irqsource.fences);
	hrtimer_setup(&irqsource.timer, irqsource_fires, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_setup(&irqsource.watch, irqsource_watches, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	irqsource.pdev = platform_device_register_full(&info);
	if (IS_ERR(irqsource.pdev))
		return PTR_ERR(irqsource.pdev);
	irqsource.sdev = sluice_device_register(&irqsource.pdev->dev, "irqsource", &irqsource_ops,
						&irqsource_engine, 1, NULL);
	if (IS_ERR(irqsource.sdev)) {
		ret = PTR_ERR(irqsource.sdev);
		goto err_pdev;
	}
	irqsource.ring = ring_register();
	if (IS_ERR(irqsource.ring)) {
		ret = PTR_ERR(irqsource.ring);
		goto err_sdev;
	}
	ret = misc_register(&irqsource_misc);
	if (!ret)
		return 0;
	sluice_device_unregister(irqsource.ring);
err_sdev:
	sluice_device_unregister(irqsource.sdev);
err_pdev:
	platform_device_unregister(irqsource.pdev);
	return ret;
}

static void __exit irqsource_exit(void)
{
	misc_deregister(&irqsource_misc);
	sluice_device_unregister(irqsource.ring);
	sluice_device_unregister(irqsource.sdev);
	hrtimer_cancel(&irqsource.timer);
	hrtimer_cancel(&irqsource.watch);
	irqsource_set_eventfd(-1);
	irqsource_signal_fences(&irqsource.fences);
	platform_device_unregister(irqsource.pdev);
	sluice_compat_fences_exit();
}

module_init(irqsource_init);
module_exit(irqsource_exit);

MODULE_DESCRIPTION("An interrupt source for benchmarks of Sluice");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "SLUICE");
