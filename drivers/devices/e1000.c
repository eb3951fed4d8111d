// SPDX-License-Identifier: GPL-2.0-only
/*
 * e1000: QEMU's network card e1000, for playback and capture of raw frames.
 *
 * Engine 0 sends, engine 1 receives.  Each has a ring of descriptors.  An op is one frame and
 * uses one descriptor.  The card owns a descriptor until it marks the descriptor as done.
 *
 * The card may write up to 16 KiB to the address of a receive descriptor.  A capture therefore
 * has at least 16 KiB of memory, in one segment.
 *
 * This file owns the registers of the card, and both rings.  ring->lock of a ring is a ring
 * lock.  It guards the ring and its registers.  sluice_engine_next() and sluice_engine_done()
 * are called with it held.
 *
 * The fields of a result:
 *
 *	dropped		capture: number of frames that the card has counted as missed since
 *			the previous result, because its ring was empty.  Playback: 0
 *	sequence	number of the frame; missed frames count
 *	timestamp	when the driver has detected that the frame was sent or received
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "sluice.h"

enum { E1000_ICR = 0xc0, E1000_ICS = 0xc8, E1000_IMS = 0xd0, E1000_IMC = 0xd8, E1000_MPC = 0x4010 };
enum { E1000_RCTL = 0x100, E1000_TCTL = 0x400, E1000_RX_RING = 0x2800, E1000_TX_RING = 0x3800 };
/* of a ring: address, length; next descriptor for the card; descriptor at which it stops */
enum {
	E1000_LOW = 0x0, E1000_HIGH = 0x4, E1000_LENGTH = 0x8, E1000_HEAD = 0x10,
	E1000_TAIL = 0x18,
};

/* on; accept all addresses and broadcasts; long frames, buffers of 16 KiB; strip the checksum */
#define E1000_RCTL_RUN		(BIT(1) | 0x8018 | BIT(5) | BIT(25) | BIT(16) | BIT(26))
#define E1000_TCTL_RUN		0x400fa
/*
 * Causes of interrupts.  TX: a frame was sent.  RX: few descriptors are left, none is left, a
 * frame was received.
 */
#define E1000_TX_EVENTS		BIT(0)
#define E1000_RX_EVENTS		(BIT(4) | BIT(6) | BIT(7))

/*
 * LENGTH: bytes of the frame.  SEND: the command to send a whole frame and to report it.  The
 * others are in the status that the card writes.
 */
#define E1000_DESC_LENGTH	GENMASK(15, 0)
#define E1000_DESC_SEND		(0x0bU << 24)
#define E1000_DESC_DONE		BIT(0)
#define E1000_DESC_END		BIT(1)	/* receive: it has the end of the frame */
#define E1000_DESC_ERRORS	GENMASK(15, 8)

enum { E1000_RING = 256, E1000_MAX_FRAME = 16384 };

struct e1000_ring {
	spinlock_t lock;		/* guards the fields below, and the registers of the ring */
	struct sluice_engine *engine;	/* set by a kick; NULL after e1000_stop() */
	struct { __le64 address; __le32 length, status; } *descs;
	dma_addr_t descs_dma;
	void __iomem *regs;
	void __iomem *control;
	u32 run;			/* value of the control register that turns the ring on */
	u32 events;			/* interrupts that are enabled while there is an engine */
	unsigned int head, tail;	/* next descriptor to fill; oldest in use, if not head */
	const struct sluice_op_desc *ops[E1000_RING];
	u32 counted[E1000_RING];	/* the card's count of missed frames, when it was filled */
	u32 reported;			/* @counted of the op of the last result */
	u64 sequence;			/* for the next result */
};

struct e1000 {
	void __iomem *bar;
	struct e1000_ring rings[2];
};

static void e1000_report(struct e1000_ring *ring, const struct sluice_op_desc *op, u32 status)
{
	struct sluice_result result = { .bytes = op->length, .timestamp = ktime_get() };

	if (op->dst) {
		result.bytes = le32_to_cpu(ring->descs[ring->tail].length) & E1000_DESC_LENGTH;
		result.dropped = ring->counted[ring->tail] - ring->reported;
		if ((status & (E1000_DESC_END | E1000_DESC_ERRORS)) != E1000_DESC_END)
			result.status = -EIO;
	}
	ring->reported = ring->counted[ring->tail];
	ring->sequence += result.dropped;
	result.sequence = ring->sequence++;
	sluice_engine_done(ring->engine, op->cookie, &result);
}

/* Report the ops that have ended.  One interrupt may be for several: look at the descriptors. */
static void e1000_reap(struct e1000_ring *ring)
{
	for (; ring->tail != ring->head; ring->tail = (ring->tail + 1) % E1000_RING) {
		u32 status = le32_to_cpu(READ_ONCE(ring->descs[ring->tail].status));

		if (!(status & E1000_DESC_DONE))
			return;
		dma_rmb();	/* read the length after the status; pairs with the card's writes */
		e1000_report(ring, ring->ops[ring->tail], status);
	}
}

/*
 * Put an op into the ring.  The ring has room, because the engine's depth is less than the
 * length of the ring.
 */
static int e1000_put(struct e1000 *e1000, struct e1000_ring *ring, const struct sluice_op_desc *op)
{
	const struct sluice_cursor *at = op->dst ? &op->dst_at : &op->src_at;
	u32 length = op->dst ? 0 : op->length | E1000_DESC_SEND;
	unsigned int index = ring->head;

	/*
	 * The card misses frames while its ring is empty.  The frames counted until now were
	 * therefore missed before the frame of this op.
	 */
	ring->counted[index] = readl(e1000->bar + E1000_MPC);
	if (ring->counted[index] == U32_MAX)	/* unplugged */
		return -ENODEV;
	ring->descs[index].address = cpu_to_le64(sluice_cursor_address(at));
	ring->descs[index].length = cpu_to_le32(length);
	ring->descs[index].status = 0;
	ring->ops[index] = op;
	ring->head = (index + 1) % E1000_RING;
	return 0;
}

static void e1000_fill(struct e1000 *e1000, struct e1000_ring *ring)
{
	const struct sluice_op_desc *op;
	unsigned int i;
	int ret;

	for (i = 0; i < E1000_RING && ring->engine; i++) {
		op = sluice_engine_next(ring->engine);
		if (!op)
			break;
		ret = e1000_put(e1000, ring, op);
		if (ret)
			sluice_engine_fail(ring->engine, op->cookie, ret);
	}
	writel(ring->head, ring->regs + E1000_TAIL);
	if (i == E1000_RING)	/* continue in a new interrupt, so that this context ends */
		writel(ring->events, e1000->bar + E1000_ICS);
}

/*
 * Each interrupt fills the rings once.  QEMU sends the frames while TAIL is written, so a loop
 * until there is no op might never end.
 */
static irqreturn_t e1000_interrupt(int irq, void *data)
{
	struct e1000 *e1000 = data;
	struct e1000_ring *ring;
	u32 events = readl(e1000->bar + E1000_ICR);

	if (!events || events == U32_MAX)	/* not ours; or unplugged */
		return IRQ_NONE;
	for (ring = e1000->rings; ring < e1000->rings + 2; ring++) {
		spin_lock(&ring->lock);
		e1000_reap(ring);
		e1000_fill(e1000, ring);
		spin_unlock(&ring->lock);
	}
	return IRQ_HANDLED;
}

static void e1000_kick(struct sluice_engine *engine)
{
	struct e1000 *e1000 = sluice_engine_priv(engine);
	struct e1000_ring *ring = &e1000->rings[sluice_engine_index(engine)];

	spin_lock_irq(&ring->lock);
	ring->engine = engine;
	writel(ring->events, e1000->bar + E1000_IMS);
	e1000_fill(e1000, ring);
	spin_unlock_irq(&ring->lock);
}

/* Stop a ring.  Afterwards it is empty, and asks the core for no op before the next kick. */
static void e1000_stop(struct e1000 *e1000, struct e1000_ring *ring)
{
	spin_lock_irq(&ring->lock);
	writel(ring->events, e1000->bar + E1000_IMC);
	writel(0, ring->control);
	readl(ring->control);		/* the write has arrived */
	e1000_reap(ring);
	ring->engine = NULL;
	ring->head = 0;
	ring->tail = 0;
	writel(0, ring->regs + E1000_HEAD);
	writel(0, ring->regs + E1000_TAIL);
	writel(ring->run, ring->control);
	spin_unlock_irq(&ring->lock);
}

static enum sluice_aborted e1000_abort(struct sluice_engine *engine, u32 cookie)
{
	struct e1000 *e1000 = sluice_engine_priv(engine);

	e1000_stop(e1000, &e1000->rings[sluice_engine_index(engine)]);
	return SLUICE_ABORTED_ALL;
}

static void e1000_reset(void *priv)
{
	struct e1000 *e1000 = priv;
	struct e1000_ring *ring;

	writel(U32_MAX, e1000->bar + E1000_IMC);
	for (ring = e1000->rings; ring < e1000->rings + 2; ring++) {
		writel(0, ring->control);
		writel(lower_32_bits(ring->descs_dma), ring->regs + E1000_LOW);
		writel(upper_32_bits(ring->descs_dma), ring->regs + E1000_HIGH);
		writel(E1000_RING * sizeof(*ring->descs), ring->regs + E1000_LENGTH);
		e1000_stop(e1000, ring);
		ring->reported = readl(e1000->bar + E1000_MPC);
	}
}

static const struct sluice_device_ops e1000_ops = {
	.kick = e1000_kick,
	.abort = e1000_abort,
	.reset = e1000_reset,
};

#define E1000_ENGINE(kind, limit)							\
	{ BIT_ULL(kind), SLUICE_ENGINE_ORDERED, E1000_RING - 1, 1, .max_segments = 1,	\
	  .limit = E1000_MAX_FRAME }
static const struct sluice_engine_caps e1000_engines[] = {
	E1000_ENGINE(SLUICE_OP_PLAYBACK, max_length), E1000_ENGINE(SLUICE_OP_CAPTURE, min_length) };

static int e1000_init_ring(struct pci_dev *pdev, struct e1000_ring *ring, int regs, int control)
{
	spin_lock_init(&ring->lock);
	ring->regs = pcim_iomap_table(pdev)[0] + regs;
	ring->control = pcim_iomap_table(pdev)[0] + control;
	ring->descs = dmam_alloc_coherent(&pdev->dev, E1000_RING * sizeof(*ring->descs),
					  &ring->descs_dma, GFP_KERNEL);
	return ring->descs ? 0 : -ENOMEM;
}

static int e1000_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct e1000 *e1000 = devm_kzalloc(&pdev->dev, sizeof(*e1000), GFP_KERNEL);
	int ret;

	if (!e1000)
		return -ENOMEM;
	ret = sluice_pci_enable(pdev, BIT(0), 64);
	if (ret)
		return ret;
	e1000->bar = pcim_iomap_table(pdev)[0];
	e1000->rings[0].run = E1000_TCTL_RUN;
	e1000->rings[0].events = E1000_TX_EVENTS;
	e1000->rings[1].run = E1000_RCTL_RUN;
	e1000->rings[1].events = E1000_RX_EVENTS;
	return e1000_init_ring(pdev, &e1000->rings[0], E1000_TX_RING, E1000_TCTL) ?:
	       e1000_init_ring(pdev, &e1000->rings[1], E1000_RX_RING, E1000_RCTL) ?:
	       sluice_pci_request_irq(pdev, e1000_interrupt, e1000) ?:
	       sluice_pci_register(pdev, "ether", &e1000_ops, e1000_engines, 2, e1000);
}

/* Only a card whose driver_override names this driver.  Any other may be in use as a network. */
static const struct pci_device_id e1000_ids[] = {
	{ PCI_DEVICE(0x8086, 0x100e), .override_only = 1 }, { }
};

module_sluice_pci_driver("sluice-e1000", e1000_ids, e1000_probe);
MODULE_DESCRIPTION("Sluice device driver for frames through QEMU's e1000");
MODULE_LICENSE("GPL");
MODULE_VERSION(SLUICE_VERSION);
MODULE_INFO(import_ns, "SLUICE");
