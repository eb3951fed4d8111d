// SPDX-License-Identifier: GPL-2.0-only
/*
 * pci: any PCI device, for its memory.
 *
 * Binds to what driver_override names:
 *
 *	echo sluice-pci >/sys/bus/pci/devices/ADDRESS/driver_override
 *	echo ADDRESS >/sys/bus/pci/drivers_probe
 *
 * and offers the memory BARs as heaps, besides system memory that the device can
 * address.  It knows nothing of the device's registers, so there are no ops, and
 * it never makes the device a bus master.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "sluice.h"

static unsigned int bars;
module_param(bars, uint, 0644);
MODULE_PARM_DESC(bars,
		 "BARs that become heaps when a device is bound, as a mask (0: prefetchable memory of at least 1 MiB)");

/* Whoever writes to the table of interrupts writes anywhere, with the device's hand. */
static bool pci_bar_has_msix(struct pci_dev *pdev, int bar)
{
	u32 table, pba;

	if (!pdev->msix_cap)
		return false;
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &table);
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_PBA, &pba);
	return bar == (table & PCI_MSIX_TABLE_BIR) || bar == (pba & PCI_MSIX_PBA_BIR);
}

/* Other memory BARs may hold registers, on which a read or two has effects. */
static bool pci_bar_is_memory(struct pci_dev *pdev, int bar)
{
	unsigned int mask = READ_ONCE(bars);

	if (!(pci_resource_flags(pdev, bar) & IORESOURCE_MEM) || pci_bar_has_msix(pdev, bar))
		return false;
	if (mask)
		return mask & BIT(bar);
	return pci_resource_flags(pdev, bar) & IORESOURCE_PREFETCH &&
	       pci_resource_len(pdev, bar) >= SZ_1M;
}

static int pci_add_heaps(struct sluice_device *sdev, void *priv)
{
	struct pci_dev *pdev = priv;
	int bar, ret;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!pci_bar_is_memory(pdev, bar))
			continue;
		if (!devm_request_mem_region(&pdev->dev, pci_resource_start(pdev, bar),
					     pci_resource_len(pdev, bar), "sluice-pci"))
			return dev_err_probe(&pdev->dev, -EBUSY, "BAR %d is in use\n", bar);
		ret = sluice_device_add_bar(sdev, pdev, bar);
		if (ret)
			return dev_err_probe(&pdev->dev, ret, "no heap in BAR %d\n", bar);
	}
	return 0;
}

/* There are no ops that could be started. */
static int pci_start(struct sluice_engine *engine, const struct sluice_step *step)
{
	return -EOPNOTSUPP;
}

static void pci_abort(struct sluice_engine *engine)
{
}

static const struct sluice_device_ops pci_ops = {
	.owner = THIS_MODULE,
	.driver = "pci",
	.op_align = 1,
	.add_heaps = pci_add_heaps,
	.start = pci_start,
	.abort = pci_abort,
};

static int pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct sluice_device *sdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	pci_clear_master(pdev);	/* firmware may have left it on */
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "no DMA\n");
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	sdev = sluice_device_register(&pdev->dev, "pci", &pci_ops, 1, pdev);
	if (IS_ERR(sdev))
		return PTR_ERR(sdev);
	pci_set_drvdata(pdev, sdev);
	return 0;
}

static void pci_remove(struct pci_dev *pdev)
{
	sluice_device_unregister(pci_get_drvdata(pdev));
}

/* Binds to nothing by itself. */
static const struct pci_device_id pci_ids[] = {
	{ }
};

static struct pci_driver pci_driver = {
	.name = "sluice-pci",
	.id_table = pci_ids,
	.probe = pci_probe,
	.remove = pci_remove,
};
module_pci_driver(pci_driver);

MODULE_DESCRIPTION("Sluice device driver for the memory of any PCI device");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
