// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sample of a driver for a device that streams: QEMU's AC97.  The card plays samples of 16
 * bits, stereo, 48000 Hz, from a ring of descriptors.  It halts after the last valid
 * descriptor, whose number is in LVI, and goes on when LVI is written.  CIV is the number of
 * the current descriptor.  An op has ended when CIV is behind the last descriptor of the op.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "sluice.h"

enum { RING_AT = 0x10, CIV = 0x14, LVI = 0x15, STATUS = 0x16, CONTROL = 0x1b, GLOBAL = 0x2c };
enum { HALTED = BIT(0), LAST = BIT(2), EVENTS = 0x1c };		/* of STATUS */
enum { STOP = 0x0, RESET = 0x2, RUN = 0x1d };			/* of CONTROL */
enum { CODEC_RESET = 0x00, MASTER_VOLUME = 0x02, PCM_VOLUME = 0x18 };
enum { RING = 32, MAX_BYTES = 65532 * 2, INTERRUPT = BIT(31) };	/* of a descriptor */

struct streaming {
	void __iomem *codec, *regs;
	struct { __le32 address, control; } *ring;
	dma_addr_t ring_dma;
	spinlock_t lock;		/* ring lock; guards the fields below, and the registers */
	struct sluice_engine *engine;	/* set by a kick; NULL after an abort */
	const struct sluice_op_desc *ends[RING];	/* op that it ends, or NULL */
	unsigned int head, tail;	/* next descriptor to fill; oldest in use, if not head */
	bool running;			/* started since the last reset; it may be halted */
	const struct sluice_op_desc *op;	/* op that is partly in the ring, or NULL */
	struct sluice_cursor at;	/* first byte of @op that is not in the ring */
	u64 left;			/* bytes of @op that are not in the ring */
	ktime_t began;			/* when the oldest op in the ring began */
	u64 sequence, dropped;		/* for the next result */
};

/*
 * Acknowledge all events, and report the ops that have ended.
 * Return: the value of STATUS, or 0 if the card is unplugged.
 */
static u16 streaming_reap(struct streaming *card)
{
	u16 status = ioread16(card->regs + STATUS);
	/* read after STATUS, so that it includes each end that STATUS tells of */
	u8 end = ioread8(card->regs + CIV);
	const struct sluice_op_desc *op;

	if (status == U16_MAX || end >= RING)	/* unplugged */
		return 0;
	iowrite16(status & EVENTS, card->regs + STATUS);
	if (status & HALTED && status & LAST)
		end = card->head;
	while (card->tail != end && card->tail != card->head) {
		op = card->ends[card->tail];
		card->tail = (card->tail + 1) % RING;
		if (!op)
			continue;
		card->sequence += card->dropped;	/* interruptions count as frames */
		sluice_engine_done(card->engine, op->cookie, &(struct sluice_result) {
				   .bytes = op->length, .timestamp = card->began,
				   .sequence = card->sequence++, .dropped = card->dropped });
		card->dropped = 0;
		card->began = ktime_get();
	}
	return status;
}

/*
 * Fill one descriptor.  One descriptor always stays free.  If all were in use, a CIV equal to
 * tail could mean that none of them has ended, or all.
 */
static bool streaming_put(struct streaming *card)
{
	unsigned int head = card->head, next = (head + 1) % RING;
	u32 bytes;

	if (next == card->tail || !card->engine)
		return false;
	if (!card->op) {
		card->op = sluice_engine_next(card->engine);
		if (!card->op)
			return false;
		card->at = card->op->src_at;
		card->left = card->op->length;
	}
	bytes = min3(card->left, (u64)sluice_cursor_left(&card->at), (u64)MAX_BYTES);
	card->ring[head].address = cpu_to_le32(sluice_cursor_address(&card->at));
	card->ring[head].control = cpu_to_le32(bytes / 2 | INTERRUPT);
	card->left -= bytes;
	card->ends[head] = card->left ? NULL : card->op;
	if (card->left)
		sluice_cursor_advance(&card->at, bytes);
	else
		card->op = NULL;
	card->head = next;
	return true;
}

/*
 * Acknowledge all events, report the ops that have ended, and refill the ring.
 * Return: true if the caller must call it again, because more may have happened meanwhile.
 */
static bool streaming_look(struct streaming *card)
{
	u16 status = streaming_reap(card);
	bool halted = status & HALTED, inside = card->op, put = false;

	/* it halted in the previous call, after STATUS was read; the write of LVI made it go on */
	card->dropped += !halted && status & LAST;
	while (streaming_put(card))
		put = true;
	if (put) {
		if (halted && !inside)
			card->began = ktime_get();
		card->dropped += halted && card->running;
		iowrite8((card->head - 1) % RING, card->regs + LVI);
		if (!card->running)
			iowrite8(RUN, card->regs + CONTROL);
		card->running = true;
	}
	return put || status & EVENTS;
}

static irqreturn_t streaming_interrupt(int irq, void *data)
{
	struct streaming *card = data;
	bool any = false;

	spin_lock(&card->lock);
	while (streaming_look(card))
		any = true;
	spin_unlock(&card->lock);
	return IRQ_RETVAL(any);
}

static void streaming_kick(struct sluice_engine *engine)
{
	struct streaming *card = sluice_engine_priv(engine);

	spin_lock_irq(&card->lock);
	card->engine = engine;
	while (streaming_look(card))
		;
	spin_unlock_irq(&card->lock);
}

/*
 * Stop the card.  Afterwards it reads no memory, and begins with descriptor 0.  The driver
 * asks for no op before the next kick.
 */
static void streaming_stop(struct streaming *card)
{
	spin_lock_irq(&card->lock);
	iowrite8(STOP, card->regs + CONTROL);
	streaming_reap(card);			/* report the ops that had ended before */
	card->dropped += card->head != card->tail;
	iowrite8(RESET, card->regs + CONTROL);
	iowrite32(card->ring_dma, card->regs + RING_AT);
	card->head = 0;
	card->tail = 0;
	card->running = 0;
	card->op = NULL;
	card->engine = NULL;
	spin_unlock_irq(&card->lock);
}

static enum sluice_aborted streaming_abort(struct sluice_engine *engine, u32 cookie)
{
	streaming_stop(sluice_engine_priv(engine));
	return SLUICE_ABORTED_ALL;
}

static void streaming_reset(void *priv)
{
	struct streaming *card = priv;

	iowrite32(2, card->regs + GLOBAL);	/* end the card's reset */
	iowrite16(0, card->codec + CODEC_RESET);
	iowrite16(0, card->codec + MASTER_VOLUME);
	iowrite16(0, card->codec + PCM_VOLUME);
	streaming_stop(card);
}

static int streaming_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const struct sluice_device_ops ops = { .kick = streaming_kick, .abort = streaming_abort,
					       .reset = streaming_reset };
	const struct sluice_engine_caps engine = { .op_kinds = BIT_ULL(SLUICE_OP_PLAYBACK),
		.op_align = 4, .depth = RING - 1, .flags = SLUICE_ENGINE_ORDERED };
	struct streaming *card = devm_kzalloc(&pdev->dev, sizeof(*card), GFP_KERNEL);
	int ret;

	if (!card)
		return -ENOMEM;
	spin_lock_init(&card->lock);
	ret = sluice_pci_enable(pdev, BIT(0) | BIT(1), 32);
	if (ret)
		return ret;
	card->codec = pcim_iomap_table(pdev)[0];
	card->regs = pcim_iomap_table(pdev)[1];
	card->ring = dmam_alloc_coherent(&pdev->dev, RING * sizeof(*card->ring),
					 &card->ring_dma, GFP_KERNEL);
	if (!card->ring)
		return -ENOMEM;
	return sluice_pci_request_irq(pdev, streaming_interrupt, card) ?:
	       sluice_pci_register(pdev, "streaming", &ops, &engine, 1, card);
}

/* Only a card whose driver_override names this driver.  Any other may be in use for sound. */
static const struct pci_device_id streaming_ids[] = {
	{ PCI_DEVICE(0x8086, 0x2415), .override_only = 1 }, { }
};
module_sluice_pci_driver("streaming", streaming_ids, streaming_probe);
MODULE_DESCRIPTION("Sample of a Sluice driver for a device that streams");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "SLUICE");
