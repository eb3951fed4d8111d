// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sample of a driver for a device that executes one op at a time: QEMU's edu.  The device has a
 * buffer of its own.  A playback writes to this buffer, and a capture reads from it.
 */
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "sluice.h"

enum { STATUS = 0x24, ACK = 0x64, SRC = 0x80, DST = 0x88, COUNT = 0x90, COMMAND = 0x98 };
enum { RUN = BIT(0), TO_MEMORY = BIT(1), INTERRUPT = BIT(2) };	/* of COMMAND */
enum { BUFFER = 0x40000, BUFFER_SIZE = 4092, STOP_US = 5000000 };

struct oneshot {
	struct pci_dev *pdev;
	void __iomem *regs;
	int irq;				/* stored: pci_irq_vector() takes a mutex */
	struct sluice_engine *engine;
	const struct sluice_op_desc *op;	/* in flight, or NULL */
	u64 sequence;
};

static int oneshot_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	const struct sluice_cursor *at = op->dst ? &op->dst_at : &op->src_at;
	struct oneshot *card = sluice_engine_priv(engine);

	writel(op->dst ? BUFFER : sluice_cursor_address(at), card->regs + SRC);
	writel(op->dst ? sluice_cursor_address(at) : BUFFER, card->regs + DST);
	writel(op->length, card->regs + COUNT);
	card->engine = engine;
	WRITE_ONCE(card->op, op);		/* the writel() below orders this store */
	writel(RUN | INTERRUPT | (op->dst ? TO_MEMORY : 0), card->regs + COMMAND);
	return 0;
}

static irqreturn_t oneshot_interrupt(int irq, void *data)
{
	struct oneshot *card = data;
	u32 status = readl(card->regs + STATUS);
	const struct sluice_op_desc *op;

	if (!status || status == U32_MAX)	/* another device's interrupt; or unplugged */
		return IRQ_NONE;
	writel(status, card->regs + ACK);
	op = xchg(&card->op, NULL);
	if (op)
		sluice_engine_done(card->engine, op->cookie, &(struct sluice_result) {
				   .bytes = op->length, .timestamp = ktime_get(),
				   .sequence = card->sequence++ });
	return IRQ_HANDLED;
}

static enum sluice_aborted oneshot_abort(struct sluice_engine *engine, u32 cookie)
{
	struct oneshot *card = sluice_engine_priv(engine);
	u32 command;

	xchg(&card->op, NULL);			/* the handler reports no op any more */
	pci_clear_master(card->pdev);		/* now the device touches no memory */
	/* it cannot be stopped: wait for its end; an unplugged card reads as all ones */
	readl_poll_timeout(card->regs + COMMAND, command,
			   !(command & RUN) || command == U32_MAX, 20000, STOP_US);
	writel(U32_MAX, card->regs + ACK);	/* now the device does not interrupt */
	readl(card->regs + STATUS);		/* wait until the write has arrived */
	/* a handler that read the status before the ACK must not end the next op */
	synchronize_irq(card->irq);
	if (!(command & RUN))			/* otherwise it stays off, and ops time out */
		pci_set_master(card->pdev);
	return SLUICE_ABORTED_ALL;
}

static int oneshot_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const struct sluice_device_ops ops = { .start = oneshot_start, .abort = oneshot_abort };
	const struct sluice_engine_caps engine = {
		.op_kinds = BIT_ULL(SLUICE_OP_PLAYBACK) | BIT_ULL(SLUICE_OP_CAPTURE),
		.op_align = 4, .max_length = BUFFER_SIZE, .max_segments = 1 };
	struct oneshot *card = devm_kzalloc(&pdev->dev, sizeof(*card), GFP_KERNEL);
	int ret;

	if (!card)
		return -ENOMEM;
	card->pdev = pdev;
	ret = sluice_pci_enable(pdev, BIT(0), 28);
	if (ret)
		return ret;
	card->regs = pcim_iomap_table(pdev)[0];
	ret = sluice_pci_request_irq(pdev, oneshot_interrupt, card);
	card->irq = pci_irq_vector(pdev, 0);
	return ret ?: sluice_pci_register(pdev, "oneshot", &ops, &engine, 1, card);
}

static const struct pci_device_id oneshot_ids[] = {	/* only with a driver_override */
	{ PCI_DEVICE(0x1234, 0x11e8), .override_only = 1 }, { }
};
module_sluice_pci_driver("oneshot", oneshot_ids, oneshot_probe);
MODULE_DESCRIPTION("Sample of a Sluice driver for a one-shot device");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "SLUICE");
