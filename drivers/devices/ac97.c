// SPDX-License-Identifier: GPL-2.0-only
/*
 * ac97: QEMU's sound card AC97, with 48000 Hz, stereo, 16 bits.
 *
 * Engine 0 plays, engine 1 records.  Each has a stream of the card, with a ring of
 * descriptors.  An op uses one descriptor or several.  The card processes the descriptors in
 * order.  It halts after the last valid one, whose number is in the register LVI, and goes on
 * when LVI is written.  The register CIV has the number of the current descriptor.  An op has
 * ended when CIV is behind the last descriptor of the op.
 *
 * This file owns the registers of the card, and both rings.  ac97->lock is the ring lock of
 * both streams.  It guards all of struct ac97_stream, and the stream's registers.
 * sluice_engine_next() and sluice_engine_done() are called with it held.
 *
 * The fields of a result:
 *
 *	dropped		number of interruptions since the previous result.  A stream is
 *			interrupted when its ring runs dry, or when abort resets it
 *	sequence	number of ops and interruptions before this op
 *	timestamp	when the driver has detected that the data of the op begin to move
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "sluice.h"

/*
 * BAR 1: address of the ring, CIV, LVI, status (SR) and control (CR) of the recording stream.
 * Those of the playing stream follow 0x10 bytes later.  GLOBAL controls the whole card.
 */
enum {
	AC97_RING_AT = 0x0, AC97_CIV = 0x4, AC97_LVI = 0x5, AC97_SR = 0x6, AC97_CR = 0xb,
	AC97_GLOBAL = 0x2c,
};

/*
 * Bits of SR: the stream is halted; the last valid descriptor has ended; all events that
 * raise an interrupt.  Values of CR: stop, reset, run with all interrupts.
 */
enum {
	AC97_HALTED = 0x1, AC97_LAST = 0x4, AC97_EVENTS = 0x1c,
	AC97_STOP = 0x0, AC97_RESET = 0x2, AC97_RUN = 0x1d,
};

enum { AC97_RING = 32, AC97_MAX_BYTES = 65532 * 2 };

/*
 * BAR 0, the codec: registers and their values.  They reset the codec, set the volumes and the
 * recording gain, allow other rates, and set the rates of playing and recording.
 */
static const u16 ac97_codec[][2] = { { 0x00, 0 }, { 0x02, 0 }, { 0x18, 0 }, { 0x1c, 0x0f0f },
				     { 0x2a, 1 }, { 0x2c, 48000 }, { 0x32, 48000 } };

struct ac97_stream {
	struct sluice_engine *engine;	/* set by a kick; NULL after a reset of the ring */
	void __iomem *regs;
	struct { __le32 address, control; } *ring;
	dma_addr_t ring_dma;
	const struct sluice_op_desc *ends[AC97_RING];	/* op that it ends, or NULL */
	unsigned int head, tail;	/* next descriptor to fill; oldest in use, if not head */
	bool running;			/* started since the last reset; it may be halted */
	const struct sluice_op_desc *op;	/* op that is partly in the ring, or NULL */
	struct sluice_cursor at;	/* first byte of @op that is not in the ring */
	u64 left;			/* bytes of @op that are not in the ring */
	ktime_t began;			/* when the oldest op in the ring began */
	u64 sequence, dropped;		/* for the next result */
};

struct ac97 {
	void __iomem *codec;
	spinlock_t lock;		/* ring lock of both streams; guards them */
	struct ac97_stream streams[2];	/* for playing, for recording */
};

/*
 * Acknowledge all events, and report the ops that have ended.
 * Return: the value of SR, or 0 if the card is unplugged.
 */
static u16 ac97_reap(struct ac97_stream *stream)
{
	u16 status = ioread16(stream->regs + AC97_SR);
	/* read after SR, so that it includes each end that SR tells of */
	u8 end = ioread8(stream->regs + AC97_CIV);

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

/*
 * Fill one descriptor.  One descriptor always stays free.  If all 32 were in use, a CIV equal
 * to tail could mean that none of them has ended, or all.
 * Return: false if the ring is full, or if there is no op.
 */
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
	/* an op may be longer than the ring: interrupt in its middle also, to refill in time */
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

/*
 * Acknowledge all events, report the ops that have ended, and refill the ring.
 * Return: true if the caller must call it again, because more may have happened meanwhile.
 */
static bool ac97_look(struct ac97_stream *stream)
{
	u16 status = ac97_reap(stream);
	bool halted = status & AC97_HALTED, inside = stream->op, put = false;

	/*
	 * LAST without HALTED: the stream halted in the previous call, after SR was read.  Then
	 * the write of LVI made it go on.  That is an interruption.
	 */
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

/*
 * Acknowledging an event of one stream lowers the interrupt line of both.  Therefore repeat
 * until neither stream has an event.
 */
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

/*
 * Stop a stream.  Afterwards it moves no data, and begins with descriptor 0.  It asks the core
 * for no op before the next kick.
 */
static void ac97_stop(struct ac97 *ac97, struct ac97_stream *stream)
{
	spin_lock_irq(&ac97->lock);
	iowrite8(AC97_STOP, stream->regs + AC97_CR);
	ac97_reap(stream);
	stream->dropped += stream->head != stream->tail;
	iowrite8(AC97_RESET, stream->regs + AC97_CR);
	iowrite32(stream->ring_dma, stream->regs + AC97_RING_AT);
	stream->head = 0;
	stream->tail = 0;
	stream->running = false;
	stream->op = NULL;
	stream->engine = NULL;
	spin_unlock_irq(&ac97->lock);
}

static enum sluice_aborted ac97_abort(struct sluice_engine *engine, u32 cookie)
{
	struct ac97 *ac97 = sluice_engine_priv(engine);

	ac97_stop(ac97, &ac97->streams[sluice_engine_index(engine)]);
	/* the reset may have lowered the interrupt line while the other stream has an event */
	ac97_service(0, ac97);
	return SLUICE_ABORTED_ALL;
}

static void ac97_reset(void *priv)
{
	struct ac97 *ac97 = priv;
	unsigned int i;

	iowrite32(2, ac97->streams[1].regs + AC97_GLOBAL);	/* end the card's reset */
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

/* Only a card whose driver_override names this driver.  Any other may be in use for sound. */
static const struct pci_device_id ac97_ids[] = {
	{ PCI_DEVICE(0x8086, 0x2415), .override_only = 1 }, { }
};

module_sluice_pci_driver("sluice-ac97", ac97_ids, ac97_probe);
MODULE_DESCRIPTION("Sluice device driver for QEMU's AC97");
MODULE_LICENSE("GPL");
MODULE_VERSION(SLUICE_VERSION);
MODULE_INFO(import_ns, "SLUICE");
