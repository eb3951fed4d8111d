// SPDX-License-Identifier: GPL-2.0-only
/*
 * The common part of drivers for PCI devices: see pci_driver.h.
 */
#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include "device.h"
#include "pci_driver.h"
#include "sluice.h"

/**
 * sluice_pci_enable - enable a PCI device, and map its registers
 * @pdev: the device
 * @bars: bit (1 << n) for each BAR n to claim and map; pcim_iomap_table() has the addresses
 * @dma_bits: width of the device's DMA addresses in bits
 *
 * Afterwards a segment of memory may have any length.  A driver that needs shorter segments then
 * calls dma_set_max_seg_size().  The kernel undoes everything when the driver is unbound.
 *
 * Context: the probe function.
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
		return dev_err_probe(&pdev->dev, ret, "no DMA with %u address bits\n", dma_bits);
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	return 0;
}
EXPORT_SYMBOL_GPL(sluice_pci_enable);

/**
 * sluice_pci_request_irq - request one interrupt of a PCI device: MSI-X, MSI or INTx
 * @pdev: the device, after sluice_pci_enable()
 * @handler: interrupt handler.  It may be called from now on, and must expect interrupts of other
 *	devices, because an INTx is shared
 * @priv: pointer of the driver, for @handler
 *
 * pci_irq_vector(pdev, 0) returns the number of the interrupt.  It takes a mutex, which is not
 * allowed in ->abort(), so a driver that needs the number there stores it in probe.
 *
 * The kernel frees the interrupt when the driver is unbound, after sluice_pci_remove().
 *
 * Context: the probe function.
 * Return: 0 or a negative errno.
 */
int sluice_pci_request_irq(struct pci_dev *pdev, irq_handler_t handler, void *priv)
{
	int ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);

	if (ret < 0)
		return ret;
	/* because of pcim_enable_device(), the kernel frees the vectors after the interrupt */
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
 * @api: SLUICE_DRIVER_API with which the driver was compiled
 * @owner: the driver's module
 * @module_name: KBUILD_MODNAME of the driver
 * @pdev: the hardware, after sluice_pci_enable() and sluice_pci_request_irq()
 * @name: name of the node; see __sluice_device_register()
 * @ops: functions of the driver; copied
 * @caps: one entry for each engine; copied
 * @num_engines: length of @caps, 1 to 64
 * @priv: pointer of the driver, for its functions and for sluice_engine_priv()
 *
 * Drivers call the macro sluice_pci_register(), which adds the first three parameters.  Calls
 * ops->reset(), lets the device access memory, registers it, and drops the runtime PM reference
 * that probe has.
 *
 * Context: the probe function; no step after it may fail.
 * Return: 0, or a negative errno: see __sluice_device_register().
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
 * sluice_pci_remove - unregister the Sluice device of a PCI device
 * @pdev: the hardware, after sluice_pci_register()
 *
 * The remove function of the driver must be this function, or begin with a call of it.  See
 * sluice_device_unregister().  On return the PCI device does not access memory any more.
 *
 * Context: the remove function.
 */
void sluice_pci_remove(struct pci_dev *pdev)
{
	/*
	 * Take back the reference that probe has dropped: the PCI core drops it after remove.
	 * The device is awake, because pci_device_remove() has woken it.
	 */
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
 * The PCI core saves and restores the config space, with bus mastering, and changes the power state
 * of the device.  These ops do the rest.
 */
const struct dev_pm_ops sluice_pci_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(sluice_pci_suspend, sluice_pci_resume)
	RUNTIME_PM_OPS(NULL, sluice_pci_runtime_resume, NULL)
};
EXPORT_SYMBOL_GPL(sluice_pci_pm_ops);
