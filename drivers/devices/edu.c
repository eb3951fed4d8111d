// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu: QEMU's educational PCI device, which has a DMA engine and an interrupt.
 *
 * The device has a buffer of its own.  A *transfer* moves up to 4092 bytes from memory to this
 * buffer, or from the buffer to memory.  It takes 100 ms and ends with an interrupt.  An op
 * needs several transfers:
 *
 *	copy	for each piece: one transfer into the buffer, one out of it
 *	fill	one transfer that loads the pattern, then only transfers to memory
 *
 * edu_start() starts the first transfer of an op.  The interrupt handler starts the others,
 * and reports the end of the op.
 *
 * This file owns the registers of the device, and the memory with the pattern.  edu->lock
 * guards the op in flight and the DMA registers.  The core is not called with it held.
 *
 * The registers are described in docs/specs/edu of QEMU.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include "sluice.h"

#define EDU_IRQ_STATUS	0x24
#define EDU_IRQ_ACK	0x64
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98

#define EDU_CMD_RUN	BIT(0)
#define EDU_CMD_TO_RAM	BIT(1)
#define EDU_CMD_IRQ	BIT(2)

#define EDU_IRQ_DMA	0x100

/*
 * The buffer has 4 KiB.  But QEMU, at least up to 7.2, ends itself when a transfer reaches the
 * last byte: see its edu_check_range().
 */
#define EDU_BUFFER	0x40000
#define EDU_BUFFER_SIZE	4092

/* time limit for the end of a transfer after an abort */
#define EDU_END_US	(5 * USEC_PER_SEC)

/* the device sleeps when it was not used for this time */
#define EDU_IDLE_MS	200

static unsigned int dma_bits = 28;
module_param(dma_bits, uint, 0644);
MODULE_PARM_DESC(dma_bits, "width of the DMA addresses of devices bound from now on (QEMU: dma_mask=; default 28)");

/**
 * struct edu - one device
 * @pdev: the PCI device
 * @regs: BAR 0
 * @irq: number of the interrupt.  It is stored here, because pci_irq_vector() takes a mutex
 * @pattern: memory that has the pattern of a fill; address for the CPU
 * @pattern_dma: address of the same memory for the device
 * @lock: spinlock, irq: guards the fields below except @stuck, and the DMA registers
 * @engine: the engine, from its first op on
 * @cookie: cookie of the op in flight, or 0.  Only the context that sets it to 0 may report
 *	the end of the op
 * @stuck: a transfer did not end after an abort: bus mastering stays off, and each op fails.
 *	Used in edu_start() and edu_abort() only, and the core calls one of them at a time
 * @src: copy: next byte to read
 * @dst: next byte to write
 * @fill: the op is a fill
 * @to_ram: direction of the current transfer: true if it goes to memory
 * @piece: bytes in the device's buffer, or in the current transfer
 * @left: bytes of the op that are not written yet
 * @done: bytes of the op that are written
 */
struct edu {
	struct pci_dev *pdev;
	void __iomem *regs;
	int irq;
	u32 *pattern;
	dma_addr_t pattern_dma;
	spinlock_t lock;
	struct sluice_engine *engine;
	u32 cookie;
	bool stuck;
	struct sluice_cursor src;
	struct sluice_cursor dst;
	bool fill;
	bool to_ram;
	size_t piece;
	u64 left;
	u64 done;
};

/*
 * A 32-bit kernel has no writeq().  It cannot write two halves instead, because the device has
 * no access to the upper half: a write of 4 bytes sets the upper half of the register to 0.
 */
static void edu_write(struct edu *edu, unsigned int reg, u64 value)
{
#ifdef CONFIG_64BIT
	writeq(value, edu->regs + reg);
#else
	writel(value, edu->regs + reg);
#endif
}

static void edu_transfer(struct edu *edu, dma_addr_t memory, bool to_ram)
{
	edu->to_ram = to_ram;
	edu_write(edu, EDU_DMA_SRC, to_ram ? EDU_BUFFER : memory);
	edu_write(edu, EDU_DMA_DST, to_ram ? memory : EDU_BUFFER);
	edu_write(edu, EDU_DMA_COUNT, edu->piece);
	edu_write(edu, EDU_DMA_CMD,
		  EDU_CMD_RUN | EDU_CMD_IRQ | (to_ram ? EDU_CMD_TO_RAM : 0));
}

/* Load the next piece of a copy into the buffer.  It is in one segment on each side. */
static void edu_load(struct edu *edu)
{
	size_t piece = min_t(u64, edu->left, EDU_BUFFER_SIZE);

	piece = min(piece, sluice_cursor_left(&edu->dst));
	edu->piece = min(piece, sluice_cursor_left(&edu->src));
	edu_transfer(edu, sluice_cursor_address(&edu->src), false);
}

/* Write the buffer to memory.  The piece of a fill has any length that fits into the segment. */
static void edu_store(struct edu *edu)
{
	if (edu->fill) {
		edu->piece = min_t(u64, edu->left, EDU_BUFFER_SIZE);
		edu->piece = min(edu->piece, sluice_cursor_left(&edu->dst));
	}
	edu_transfer(edu, sluice_cursor_address(&edu->dst), true);
}

/*
 * One transfer has ended: start the next.
 * Return: true if it was the last transfer of the op.
 */
static bool edu_next(struct edu *edu)
{
	lockdep_assert_held(&edu->lock);
	if (!edu->to_ram) {
		edu_store(edu);
		return false;
	}
	edu->left -= edu->piece;
	edu->done += edu->piece;
	if (!edu->left)
		return true;
	sluice_cursor_advance(&edu->dst, edu->piece);
	if (edu->fill) {
		edu_store(edu);
	} else {
		sluice_cursor_advance(&edu->src, edu->piece);
		edu_load(edu);
	}
	return false;
}

static irqreturn_t edu_interrupt(int irq, void *data)
{
	struct sluice_result result = {};
	struct edu *edu = data;
	u32 status, cookie = 0;

	status = readl(edu->regs + EDU_IRQ_STATUS);
	if (!status || status == U32_MAX)	/* not ours; or unplugged */
		return IRQ_NONE;
	writel(status, edu->regs + EDU_IRQ_ACK);
	if (!(status & EDU_IRQ_DMA))
		return IRQ_HANDLED;

	spin_lock(&edu->lock);
	if (edu->cookie && edu_next(edu)) {
		cookie = edu->cookie;
		edu->cookie = 0;
		result.bytes = edu->done;
	}
	spin_unlock(&edu->lock);
	if (cookie)
		sluice_engine_done(edu->engine, cookie, &result);
	return IRQ_HANDLED;
}

static int edu_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	struct edu *edu = sluice_engine_priv(engine);
	unsigned int i;

	if (pci_dev_is_disconnected(edu->pdev))
		return -ENODEV;
	if (edu->stuck)
		return -EIO;

	spin_lock_irq(&edu->lock);
	edu->engine = engine;
	edu->cookie = op->cookie;
	edu->fill = op->kind == SLUICE_OP_FILL;
	edu->left = op->length;
	edu->done = 0;
	edu->dst = op->dst_at;
	edu->src = op->src_at;
	if (edu->fill) {
		for (i = 0; i < EDU_BUFFER_SIZE / sizeof(u32); i++)
			edu->pattern[i] = op->value;
		edu->piece = EDU_BUFFER_SIZE;
		edu_transfer(edu, edu->pattern_dma, false);
	} else {
		edu_load(edu);
	}
	spin_unlock_irq(&edu->lock);
	return 0;
}

/*
 * A transfer cannot be cancelled.  Without bus mastering it touches no memory, and it then ends
 * by itself.
 *
 * The end of the transfer may raise the interrupt until the driver has acknowledged it.  A
 * handler may have read the status before that.  Wait for this handler: otherwise it would
 * treat the next op as its own.
 */
static enum sluice_aborted edu_abort(struct sluice_engine *engine, u32 cookie)
{
	struct edu *edu = sluice_engine_priv(engine);
	u32 command;

	spin_lock_irq(&edu->lock);
	edu->cookie = 0;
	spin_unlock_irq(&edu->lock);
	pci_clear_master(edu->pdev);
	/*
	 * A transfer takes 100 ms of QEMU's clock, which may be late on a busy host.  A
	 * register reads as all ones if the device is unplugged, also before the kernel has
	 * noticed.
	 */
	readl_poll_timeout(edu->regs + EDU_DMA_CMD, command,
			   !(command & EDU_CMD_RUN) || command == U32_MAX ||
			   pci_dev_is_disconnected(edu->pdev), 20000, EDU_END_US);
	edu->stuck = command & EDU_CMD_RUN;
	writel(EDU_IRQ_DMA, edu->regs + EDU_IRQ_ACK);
	readl(edu->regs + EDU_IRQ_STATUS);	/* wait until the write has arrived */
	synchronize_irq(edu->irq);
	if (!edu->stuck)
		pci_set_master(edu->pdev);
	return SLUICE_ABORTED_ALL;
}

/* It needs no ->reset(): the registers hold nothing longer than an op. */
static const struct sluice_device_ops edu_ops = {
	.start = edu_start,
	.abort = edu_abort,
};

static const struct sluice_engine_caps edu_engine = {
	.op_kinds = BIT_ULL(SLUICE_OP_COPY) | BIT_ULL(SLUICE_OP_FILL),
	.op_align = 4,
};

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	/* addresses that edu_write() can write */
	unsigned int bits = clamp(READ_ONCE(dma_bits), 1U, (unsigned int)BITS_PER_LONG);
	struct edu *edu;
	int ret;

	edu = devm_kzalloc(&pdev->dev, sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	edu->pdev = pdev;
	spin_lock_init(&edu->lock);
	ret = sluice_pci_enable(pdev, BIT(0), bits);
	if (ret)
		return ret;
	edu->regs = pcim_iomap_table(pdev)[0];
	edu->pattern = dmam_alloc_coherent(&pdev->dev, EDU_BUFFER_SIZE, &edu->pattern_dma,
					   GFP_KERNEL);
	if (!edu->pattern)
		return -ENOMEM;
	ret = sluice_pci_request_irq(pdev, edu_interrupt, edu);
	if (ret)
		return ret;
	edu->irq = pci_irq_vector(pdev, 0);
	ret = sluice_pci_register(pdev, "edu", &edu_ops, &edu_engine, 1, edu);
	if (ret)
		return ret;
	/* this device is known to wake up: root need not write "auto" to its power/control */
	pm_runtime_set_autosuspend_delay(&pdev->dev, EDU_IDLE_MS);
	pm_runtime_use_autosuspend(&pdev->dev);
	pm_runtime_allow(&pdev->dev);
	return 0;
}

static void edu_remove(struct pci_dev *pdev)
{
	pm_runtime_forbid(&pdev->dev);
	pm_runtime_dont_use_autosuspend(&pdev->dev);
	sluice_pci_remove(pdev);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = "sluice-edu",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.driver.pm = pm_ptr(&sluice_pci_pm_ops),
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("Sluice device driver for QEMU's edu");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(SLUICE_VERSION);
MODULE_INFO(import_ns, "SLUICE");
