// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu: QEMU's educational PCI device, a real DMA engine with a real interrupt.
 *
 * The device moves up to 4092 bytes between memory and a buffer of its own, one way
 * at a time, and raises an interrupt when it is done, 100 ms later.  A copy is
 * thus, for each piece: memory to device, device to memory.  A fill loads a
 * page with the pattern once and then only writes.  From start to end, an
 * op lives in the interrupt handler.
 *
 * Registers: docs/specs/edu of QEMU.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

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
 * The device has 4 KiB, but QEMU up to 7.2 at least ends itself when a transfer
 * reaches their last byte: see edu_check_range() there.
 */
#define EDU_BUFFER	0x40000
#define EDU_BUFFER_SIZE	4092

/* how long a transfer may take to end after an abort */
#define EDU_END_US	(5 * USEC_PER_SEC)

/* unused for so long, it goes to sleep */
#define EDU_IDLE_MS	200

static unsigned int dma_bits = 28;
module_param(dma_bits, uint, 0644);
MODULE_PARM_DESC(dma_bits, "width of the DMA addresses of devices bound from now on (QEMU: dma_mask=; default 28)");

/**
 * struct edu - one device
 * @pdev: the PCI device
 * @regs: BAR 0
 * @irq: number of its interrupt; asking for it takes a mutex
 * @pattern: page that a fill reads, as the CPU sees it
 * @pattern_dma: and as the device does
 * @lock: guards all below, and the DMA registers
 * @engine: its engine, once it has had an op
 * @cookie: of the op that it has, or 0
 * @stuck: a transfer never ended: bus mastering is off for good
 * @src: copy: next byte to read
 * @dst: next byte to write
 * @fill: the op is a fill
 * @to_ram: the transfer that runs goes to memory
 * @piece: bytes that are in the device's buffer, or on their way
 * @left: bytes not yet written
 * @done: bytes written
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
 * A 32-bit kernel has no writeq(), and two halves would not do: an access of 4 bytes sets
 * a whole register, the upper half to 0, and its upper half cannot be accessed.
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

/* Load the next piece: it lies in one segment on either side. */
static void edu_load(struct edu *edu)
{
	size_t piece = min_t(u64, edu->left, EDU_BUFFER_SIZE);

	piece = min(piece, sluice_cursor_left(&edu->dst));
	edu->piece = min(piece, sluice_cursor_left(&edu->src));
	edu_transfer(edu, sluice_cursor_address(&edu->src), false);
}

/* Write from the device's buffer; of a fill, as much as there is room for. */
static void edu_store(struct edu *edu)
{
	if (edu->fill) {
		edu->piece = min_t(u64, edu->left, EDU_BUFFER_SIZE);
		edu->piece = min(edu->piece, sluice_cursor_left(&edu->dst));
	}
	edu_transfer(edu, sluice_cursor_address(&edu->dst), true);
}

/* One transfer has ended: start the next.  Return: true if that was the last. */
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
 * A transfer cannot be called back, but without bus mastering it touches no
 * memory.  It then ends by itself, and the engine is free again.
 *
 * Its end may raise the interrupt at any time until it is acknowledged.  A handler that
 * has read the status by then must return before the next op begins, which it would take
 * for its own.
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
	 * A transfer takes 100 ms, of a clock that may be late on a busy host.  All ones:
	 * it was pulled out, and nobody has noticed yet.
	 */
	readl_poll_timeout(edu->regs + EDU_DMA_CMD, command,
			   !(command & EDU_CMD_RUN) || command == U32_MAX ||
			   pci_dev_is_disconnected(edu->pdev), 20000, EDU_END_US);
	edu->stuck = command & EDU_CMD_RUN;
	writel(EDU_IRQ_DMA, edu->regs + EDU_IRQ_ACK);
	readl(edu->regs + EDU_IRQ_STATUS);	/* the write has arrived */
	synchronize_irq(edu->irq);
	if (!edu->stuck)
		pci_set_master(edu->pdev);
	return SLUICE_ABORTED_ALL;
}

/* There is no reset: its registers hold nothing that outlives an op. */
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
	/* what edu_write() can name */
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
	/* it is known to wake up again, so let it sleep without being asked */
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
