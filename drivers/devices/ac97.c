// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's AC97, 48000 Hz, stereo, 16 bits.  Engine 0 plays, engine 1 records.  Each has a ring
 * of descriptors.  It halts after the last valid one (LVI), until LVI is written.  An op has
 * ended when the descriptor at work (CIV) is behind its last one.
 *
 * dropped: interruptions since the op before, because the ring ran dry or was reset by abort.
 * sequence: ops and interruptions.  timestamp: the data begin to move, says the interrupt.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "sluice.h"

/* BAR 1: ring, CIV, LVI, status, control of recording; from 0x10 on of playing; of both */
enum { AC97_RING_AT = 0x0, AC97_CIV = 0x4, AC97_LVI = 0x5, AC97_SR = 0x6, AC97_CR = 0xb,
       AC97_GLOBAL = 0x2c };
/* status: halted, the last valid descriptor has ended, an event that interrupts; control */
enum { AC97_HALTED = 0x1, AC97_LAST = 0x4, AC97_EVENTS = 0x1c,
       AC97_STOP = 0x0, AC97_RESET = 0x2, AC97_RUN = 0x1d };
enum { AC97_RING = 32, AC97_MAX_BYTES = 65532 * 2 };

/* BAR 0, the codec: reset, volumes, recording gain, rates can be set, and are these */
static const u16 ac97_codec[][2] = { { 0x00, 0 }, { 0x02, 0 }, { 0x18, 0 }, { 0x1c, 0x0f0f },
				     { 0x2a, 1 }, { 0x2c, 48000 }, { 0x32, 48000 } };

struct ac97_stream {
	struct sluice_engine *engine;	/* from a kick on to the next reset */
	void __iomem *regs;
	struct { __le32 address, control; } *ring;
	dma_addr_t ring_dma;
	const struct sluice_op_desc *ends[AC97_RING];	/* the op that each ends, or NULL */
	unsigned int head, tail;	/* descriptor to fill next; oldest in use, or head */
	bool running;			/* or halted, but not just reset */
	const struct sluice_op_desc *op;	/* is being put into the ring, or NULL */
	struct sluice_cursor at;	/* what comes next of it */
	u64 left;			/* bytes of it */
	ktime_t began;			/* the oldest op in the ring */
	u64 sequence, dropped;		/* of the next result */
};

struct ac97 {
	void __iomem *codec;
	spinlock_t lock;
	struct ac97_stream streams[2];
};

/* Acknowledge all events, and report the ops that have ended.  Return: the status. */
static u16 ac97_reap(struct ac97_stream *stream)
{
	u16 status = ioread16(stream->regs + AC97_SR);
	u8 end = ioread8(stream->regs + AC97_CIV);	/* after the status */

	if (status == U16_MAX || end >= AC97_RING)	/* unplugged */
		return 0;
	iowrite16(status & AC97_EVENTS, stream->regs + AC97_SR);
	if (status & AC97_HALTED && status & AC97_LAST)
		end = stream->head;
	while (stream->tail != end && stream->tail != stream->head) {
		const struct sluice_op_desc *op = stream->ends[stream->tail];

		stream->tail = (stream->tail + 1) % AC97_RING;
		if (!op)
			continue;
		stream->sequence += stream->dropped;
		sluice_engine_done(stream->engine, op->cookie, &(struct sluice_result) {
				   .bytes = op->length, .timestamp = stream->began,
				   .sequence = stream->sequence++, .dropped = stream->dropped });
		stream->dropped = 0;
		stream->began = ktime_get();
	}
	return status;
}

/* Fill one descriptor.  One stays free: a CIV at tail would mean none or all of 32. */
static bool ac97_put(struct ac97_stream *stream)
{
	unsigned int head = stream->head, next = (head + 1) % AC97_RING;
	u32 bytes;

	if (next == stream->tail || !READ_ONCE(stream->engine))
		return false;
	if (!stream->op) {
		stream->op = sluice_engine_next(stream->engine);
		if (!stream->op)
			return false;
		stream->at = stream->op->src ? stream->op->src_at : stream->op->dst_at;
		stream->left = stream->op->length;
	}
	bytes = min3((u64)AC97_MAX_BYTES, stream->left, (u64)sluice_cursor_left(&stream->at));
	stream->ring[head].address = cpu_to_le32(sluice_cursor_address(&stream->at));
	stream->left -= bytes;
	/* a long op must be continued before the ring is dry: interrupts in its midst, too */
	stream->ring[head].control =
		cpu_to_le32(bytes / 2 | (stream->left && head % 8 ? 0 : BIT(31)));
	stream->ends[head] = stream->left ? NULL : stream->op;
	if (stream->left)
		sluice_cursor_advance(&stream->at, bytes);
	else
		stream->op = NULL;
	stream->head = next;
	return true;
}

/* Acknowledge, report, refill.  What happens meanwhile is another event: true, look again. */
static bool ac97_look(struct ac97_stream *stream)
{
	u16 status = ac97_reap(stream);
	bool halted = status & AC97_HALTED, inside = stream->op, put = false;

	/* it halted after the look at the status, before LVI was written, which made it go on */
	stream->dropped += !halted && status & AC97_LAST;
	while (ac97_put(stream))
		put = true;
	if (put) {
		if (halted && !inside)
			stream->began = ktime_get();
		stream->dropped += halted && stream->running;
		iowrite8((stream->head - 1) % AC97_RING, stream->regs + AC97_LVI);
		if (!stream->running)
			iowrite8(AC97_RUN, stream->regs + AC97_CR);
		stream->running = true;
	}
	return put || status & AC97_EVENTS;
}

/* Acknowledging one stream lowers the interrupt of both: look until neither has an event. */
static irqreturn_t ac97_service(int irq, void *data)
{
	struct ac97 *ac97 = data;
	unsigned long flags;
	bool any = false;

	spin_lock_irqsave(&ac97->lock, flags);
	while (ac97_look(&ac97->streams[0]) + ac97_look(&ac97->streams[1]))
		any = true;
	spin_unlock_irqrestore(&ac97->lock, flags);
	return IRQ_RETVAL(any);
}

static void ac97_kick(struct sluice_engine *engine)
{
	struct ac97 *ac97 = sluice_engine_priv(engine);

	WRITE_ONCE(ac97->streams[sluice_engine_index(engine)].engine, engine);
	ac97_service(0, ac97);
}

/* After this it moves no data, begins with descriptor 0, and asks for no ops before a kick. */
static void ac97_stop(struct ac97 *ac97, struct ac97_stream *stream)
{
	spin_lock_irq(&ac97->lock);
	iowrite8(AC97_STOP, stream->regs + AC97_CR);
	ac97_reap(stream);
	stream->dropped += stream->head != stream->tail;
	iowrite8(AC97_RESET, stream->regs + AC97_CR);
	iowrite32(stream->ring_dma, stream->regs + AC97_RING_AT);
	stream->head = stream->tail = stream->running = 0;
	stream->op = NULL;
	stream->engine = NULL;
	spin_unlock_irq(&ac97->lock);
}

static enum sluice_aborted ac97_abort(struct sluice_engine *engine, u32 cookie)
{
	struct ac97 *ac97 = sluice_engine_priv(engine);

	ac97_stop(ac97, &ac97->streams[sluice_engine_index(engine)]);
	ac97_service(0, ac97);	/* it may have taken the other one's interrupt with it */
	return SLUICE_ABORTED_ALL;
}

static void ac97_reset(void *priv)
{
	struct ac97 *ac97 = priv;
	unsigned int i;

	iowrite32(2, ac97->streams[1].regs + AC97_GLOBAL);	/* not in reset */
	for (i = 0; i < ARRAY_SIZE(ac97_codec); i++)
		iowrite16(ac97_codec[i][1], ac97->codec + ac97_codec[i][0]);
	ac97_stop(ac97, &ac97->streams[0]);
	ac97_stop(ac97, &ac97->streams[1]);
}

static const struct sluice_device_ops ac97_ops = {
	.kick = ac97_kick,
	.abort = ac97_abort,
	.reset = ac97_reset,
};

#define AC97_ENGINE(kind) { BIT_ULL(kind), SLUICE_ENGINE_ORDERED, AC97_RING - 1, 4 }
static const struct sluice_engine_caps ac97_engines[] = { AC97_ENGINE(SLUICE_OP_PLAYBACK),
							  AC97_ENGINE(SLUICE_OP_CAPTURE) };

static int ac97_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct ac97 *ac97 = devm_kzalloc(&pdev->dev, sizeof(*ac97), GFP_KERNEL);
	int ret, i;

	if (!ac97)
		return -ENOMEM;
	spin_lock_init(&ac97->lock);
	ret = sluice_pci_enable(pdev, BIT(0) | BIT(1), 32);
	if (ret)
		return ret;
	ac97->codec = pcim_iomap_table(pdev)[0];
	for (i = 0; i < 2; i++) {
		ac97->streams[i].regs = pcim_iomap_table(pdev)[1] + (i ? 0x00 : 0x10);
		ac97->streams[i].ring = dmam_alloc_coherent(&pdev->dev, AC97_RING * 8,
							    &ac97->streams[i].ring_dma, GFP_KERNEL);
		if (!ac97->streams[i].ring)
			return -ENOMEM;
	}
	return sluice_pci_request_irq(pdev, ac97_service, ac97) ?:
	       sluice_pci_register(pdev, "ac97", &ac97_ops, ac97_engines, 2, ac97);
}

/* Only a card whose driver_override names us: others are somebody's sound. */
static const struct pci_device_id ac97_ids[] = {
	{ PCI_DEVICE(0x8086, 0x2415), .override_only = 1 }, { }
};

module_sluice_pci_driver("sluice-ac97", ac97_ids, ac97_probe);
MODULE_DESCRIPTION("Sluice device driver for QEMU's AC97");
MODULE_LICENSE("GPL");
