// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work that is the same in each driver of a PCI device: enabling it and mapping its registers,
 * its interrupt, sleep and removal.  A driver with other needs calls the kernel's functions, and
 * sluice_device_register(), itself.
 *
 * The Sluice device is a devres of its PCI device, where removal and sleep find it.  The driver
 * core holds the lock of the PCI device in probe, remove and system sleep, and the PCI core
 * keeps it awake in the first two: no callback comes while the devres is added or released.
 */
#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include "core.h"

/**
 * sluice_pci_enable - enable a PCI device, and map its registers
 * @pdev: the device
 * @bars: bit (1 << n) for each BAR to be claimed and mapped: see pcim_iomap_table()
 * @dma_bits: width of its DMA addresses
 *
 * Segments of memory may have any length afterwards; a driver that needs shorter ones calls
 * dma_set_max_seg_size().  All is undone when the driver is unbound.
 *
 * Context: probe.
 * Return: 0 or a negative errno.
 */
int sluice_pci_enable(struct pci_dev *pdev, int bars, unsigned int dma_bits)
{
	int ret = pcim_enable_device(pdev) ?:
		  pcim_iomap_regions(pdev, bars, dev_driver_string(&pdev->dev));

	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(dma_bits));
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "no DMA with %u bits\n", dma_bits);
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	return 0;
}
EXPORT_SYMBOL_GPL(sluice_pci_enable);

/**
 * sluice_pci_request_irq - request the one interrupt of a PCI device, MSI or INTx
 * @pdev: the device, after sluice_pci_enable()
 * @handler: may be called from now on, also for other devices: an INTx is shared
 * @priv: for @handler
 *
 * pci_irq_vector(pdev, 0) is its number: to be asked for in probe, because that takes a mutex,
 * which ->abort() must not.  It is freed when the driver is unbound, after sluice_pci_remove().
 *
 * Context: probe.
 * Return: 0 or a negative errno.
 */
int sluice_pci_request_irq(struct pci_dev *pdev, irq_handler_t handler, void *priv)
{
	int ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);

	if (ret < 0)
		return ret;
	/* pcim_enable_device() has seen to it that the vectors are freed, after the interrupt */
	return devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0), handler, IRQF_SHARED,
				dev_driver_string(&pdev->dev), priv);
}
EXPORT_SYMBOL_GPL(sluice_pci_request_irq);

static void sluice_pci_release(struct device *dev, void *devres)
{
	struct sluice_device **sdev = devres;

	sluice_device_unregister(*sdev);
	pci_clear_master(to_pci_dev(dev));
}

/**
 * __sluice_pci_register - make a PCI device available to userspace
 * @api: SLUICE_DRIVER_API, as the driver was compiled
 * @owner: the driver's module
 * @module_name: KBUILD_MODNAME
 * @pdev: the hardware, after sluice_pci_enable() and sluice_pci_request_irq()
 * @name: name of the node, to which the core adds the first free number
 * @ops: the driver's side, which is copied
 * @caps: what each engine is and can do; copied
 * @num_engines: length of @caps, 1 to 64
 * @priv: for sluice_engine_priv()
 *
 * Drivers call sluice_pci_register(), which adds the first three.  Calls ops->reset(), then
 * lets the device access memory, registers it, and drops the reference for runtime PM that
 * probe has.
 *
 * Context: probe; the last thing in it that may fail.
 * Return: 0, or a negative errno as __sluice_device_register().
 */
int __sluice_pci_register(u32 api, struct module *owner, const char *module_name,
			  struct pci_dev *pdev, const char *name,
			  const struct sluice_device_ops *ops,
			  const struct sluice_engine_caps *caps, unsigned int num_engines,
			  void *priv)
{
	struct sluice_device **devres, *sdev;

	if (!sluice_driver_fits(api, module_name))
		return -ENOEXEC;
	devres = devres_alloc(sluice_pci_release, sizeof(*devres), GFP_KERNEL);
	if (!devres)
		return -ENOMEM;
	if (ops->reset)
		ops->reset(priv);
	pci_set_master(pdev);
	sdev = __sluice_device_register(api, owner, module_name, &pdev->dev, name, ops, caps,
					num_engines, priv);
	if (IS_ERR(sdev)) {
		pci_clear_master(pdev);
		devres_free(devres);
		return PTR_ERR(sdev);
	}
	*devres = sdev;
	devres_add(&pdev->dev, devres);
	pm_runtime_mark_last_busy(&pdev->dev);
	pm_runtime_put_autosuspend(&pdev->dev);
	return 0;
}
EXPORT_SYMBOL_GPL(__sluice_pci_register);

/**
 * sluice_pci_remove - the remove function of a driver, or the beginning of it
 * @pdev: the hardware, after sluice_pci_register()
 *
 * Unregisters the Sluice device: see sluice_device_unregister().  On return the PCI device does
 * not access memory any more.
 *
 * Context: remove.
 */
void sluice_pci_remove(struct pci_dev *pdev)
{
	/* instead of the one that probe has dropped; it is awake: see pci_device_remove() */
	pm_runtime_get_noresume(&pdev->dev);
	devres_release(&pdev->dev, sluice_pci_release, NULL, NULL);
}
EXPORT_SYMBOL_GPL(sluice_pci_remove);

static struct sluice_device *sluice_pci_device(struct device *dev)
{
	struct sluice_device **devres = devres_find(dev, sluice_pci_release, NULL, NULL);

	return *devres;
}

static int sluice_pci_suspend(struct device *dev)
{
	return sluice_device_suspend(sluice_pci_device(dev));
}

static int sluice_pci_runtime_resume(struct device *dev)
{
	struct sluice_device *sdev = sluice_pci_device(dev);

	if (sdev->ops->reset)
		sdev->ops->reset(sdev->priv);
	return 0;
}

static int sluice_pci_resume(struct device *dev)
{
	sluice_pci_runtime_resume(dev);
	sluice_device_resume(sluice_pci_device(dev));
	return 0;
}

/*
 * The PCI core saves the config space, bus mastering included, and puts the device to sleep
 * and wakes it up.
 */
const struct dev_pm_ops sluice_pci_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(sluice_pci_suspend, sluice_pci_resume)
	RUNTIME_PM_OPS(NULL, sluice_pci_runtime_resume, NULL)
};
EXPORT_SYMBOL_GPL(sluice_pci_pm_ops);
