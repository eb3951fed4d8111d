// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sample of a device driver that is built outside the tree of Sluice: see
 * Documentation/driver.md.  Its device is the CPU, which fills memory.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/string.h>

#include "sluice.h"

static struct platform_device *card_pdev;
static struct sluice_device *card_sdev;

static int card_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	struct sluice_result result = { .bytes = op->length };

	memset32(sluice_slot_vaddr(op->dst) + op->dst_offset, op->value, op->length / 4);
	sluice_engine_done(engine, op->cookie, &result);
	return 0;
}

/* There is nothing to stop: an op has ended when card_start() returns. */
static enum sluice_aborted card_abort(struct sluice_engine *engine, u32 cookie)
{
	return SLUICE_ABORTED_ALL;
}

static const struct sluice_device_ops card_ops = { .start = card_start, .abort = card_abort };

static const struct sluice_engine_caps card_engine = {
	.op_kinds = BIT_ULL(SLUICE_OP_FILL),
	.flags = SLUICE_ENGINE_CPU,
	.op_align = 4,
};

static int __init card_init(void)
{
	const struct platform_device_info info = {
		.name = KBUILD_MODNAME, .id = PLATFORM_DEVID_NONE, .dma_mask = DMA_BIT_MASK(64),
	};

	card_pdev = platform_device_register_full(&info);
	if (IS_ERR(card_pdev))
		return PTR_ERR(card_pdev);
	card_sdev = sluice_device_register(&card_pdev->dev, "card", &card_ops, &card_engine, 1,
					   NULL);
	if (IS_ERR(card_sdev)) {
		platform_device_unregister(card_pdev);
		return PTR_ERR(card_sdev);
	}
	return 0;
}

static void __exit card_exit(void)
{
	sluice_device_unregister(card_sdev);
	platform_device_unregister(card_pdev);
}

module_init(card_init);
module_exit(card_exit);

MODULE_DESCRIPTION("Sample of a Sluice device driver");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "SLUICE");
