// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA: which memory a device can address, how segments are cut, and cache maintenance of a range.
 * See dma.h.
 */
#include <linux/cc_platform.h>
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/swiotlb.h>
#include <linux/topology.h>

#include "compat/dma.h"
#include "device.h"
#include "dma.h"

static struct device *sluice_dma_probe;
static u64 sluice_dma_probe_mask = DMA_BIT_MASK(64);

/* Is the kernel in a confidential guest?  This does not change, and each attach needs it. */
static bool sluice_dma_encrypted;

/**
 * sluice_dma_probe_device - the device that maps foreign memory only to find its addresses
 *
 * The probe device can address all memory, and never accesses it.  The DMA API treats it as a
 * device that snoops the caches, and therefore neither writes back nor drops cache lines for it.
 * A dropped line could hold data that a CPU, or a device that snoops, has just written.
 *
 * Context: any.
 * Return: the device; it lives as long as the module.
 */
struct device *sluice_dma_probe_device(void)
{
	return sluice_dma_probe;
}

/**
 * sluice_dma_init - register the probe device
 *
 * Context: module init, may sleep.
 * Return: 0 or a negative errno of the driver core.
 */
int sluice_dma_init(void)
{
	sluice_dma_encrypted = cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
	sluice_dma_probe = root_device_register("sluice");
	if (IS_ERR(sluice_dma_probe))
		return PTR_ERR(sluice_dma_probe);
	sluice_dma_probe->dma_mask = &sluice_dma_probe_mask;
	sluice_dma_probe->coherent_dma_mask = sluice_dma_probe_mask;
	sluice_compat_set_coherent(sluice_dma_probe, true);
	return 0;
}

void sluice_dma_exit(void)
{
	root_device_unregister(sluice_dma_probe);
}

/**
 * sluice_dma_translated - is a device behind an IOMMU that translates?
 * @dev: the device; a driver is bound to it
 *
 * Any memory can be mapped for such a device.
 *
 * Context: any.
 * Return: true if it is; false without an IOMMU, or if the IOMMU passes addresses through.
 */
bool sluice_dma_translated(struct device *dev)
{
	struct iommu_domain *domain;

	/* the usual case, without a call */
	if (!dev->iommu_group)
		return false;
	domain = iommu_get_domain_for_dev(dev);
	return domain && domain->type != IOMMU_DOMAIN_IDENTITY;
}

/**
 * sluice_dma_bounced - does the DMA API bounce all mappings of a device?
 * @dev: the device, not behind an IOMMU that translates
 *
 * It does so with swiotlb=force, and in a confidential guest: the devices of the host can reach
 * only memory that the guest shares with the host.
 *
 * Context: any.
 * Return: true if the device can use coherent memory only.
 */
bool sluice_dma_bounced(struct device *dev)
{
	return is_swiotlb_force_bounce(dev) || sluice_dma_encrypted;
}

/**
 * sluice_dma_within - is a bus address within the limits of a device?
 * @dev: the device, with a DMA mask
 * @end: bus address of the last byte
 *
 * Context: any.
 * Return: true if it is within the DMA mask and the limit of the bus.
 */
bool sluice_dma_within(struct device *dev, dma_addr_t end)
{
	return end <= min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

/**
 * sluice_dma_reaches - can a device address memory without a bounce buffer?
 * @dev: the device, with a DMA mask
 * @end: physical address of the last byte
 *
 * Context: any.
 * Return: true if it can.
 */
bool sluice_dma_reaches(struct device *dev, phys_addr_t end)
{
	if (sluice_dma_translated(dev))
		return true;
	if (sluice_dma_bounced(dev))
		return false;
	return sluice_dma_within(dev, phys_to_dma(dev, end));
}

/**
 * sluice_dma_zone - the highest zone that a device can address completely
 * @sdev: the device
 *
 * The limit of the device is a bus address, which is converted to an address of the CPU first.  On
 * x86 a device with less than 32 bits can use only the zone of 16 MiB.
 *
 * Context: any.
 * Return: GFP flags; 0 if any zone is allowed.
 */
gfp_t sluice_dma_zone(const struct sluice_device *sdev)
{
	struct device *parent = sdev->parent;
	u64 limit = min_not_zero(sdev->dma_mask, parent->bus_dma_limit);

	if (sdev->translated || !dma_addressing_limited(parent))
		return 0;
	if (dma_to_phys(parent, limit) >= DMA_BIT_MASK(32))
		return GFP_DMA32;
	return GFP_DMA;
}

/**
 * sluice_dma_node - the NUMA node on which memory for a device should be
 * @sdev: the device, which is registered
 *
 * Context: any.
 * Return: the NUMA node of the hardware; that of the current CPU if the hardware reports none.
 */
int sluice_dma_node(const struct sluice_device *sdev)
{
	int node = dev_to_node((struct device *)&sdev->dev);

	return node == NUMA_NO_NODE ? numa_mem_id() : node;
}

/* The limit in whole pages.  Below one page: the largest power of two within the limit. */
size_t sluice_dma_segment_limit(size_t max)
{
	return max < PAGE_SIZE ? rounddown_pow_of_two(max) : ALIGN_DOWN(max, PAGE_SIZE);
}

/**
 * sluice_dma_sync_range - pass a part of a table between the CPU and a device
 * @dev: the device that the table is mapped for
 * @sgt: the table, which stays mapped during the call
 * @dir: direction of the mapping
 * @offset: bytes from the start of the table to the part
 * @length: bytes of the part, which is inside the table
 * @for_cpu: true before the CPU uses the range, false before the device does
 *
 * It uses only the bus addresses of the segments, because an importer must not look at the pages
 * of a table.  It is not for a device behind an IOMMU that translates.  One segment may be
 * scattered memory there, of which the DMA API would find only the start.
 *
 * Context: any.
 */
void sluice_dma_sync_range(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
			   u64 offset, u64 length, bool for_cpu)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 segment = sg_dma_len(sg), part;

		if (offset >= segment) {
			offset -= segment;
			continue;
		}
		part = min(length, segment - offset);
		if (for_cpu)
			dma_sync_single_for_cpu(dev, sg_dma_address(sg) + offset, part, dir);
		else
			dma_sync_single_for_device(dev, sg_dma_address(sg) + offset, part, dir);
		length -= part;
		offset = 0;
		if (!length)
			break;
	}
}
