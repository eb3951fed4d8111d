/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: how a device reaches memory.
 */
#ifndef _SLUICE_COMPAT_DMA_H
#define _SLUICE_COMPAT_DMA_H

#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/swiotlb.h>
#include <linux/types.h>

/* 6.1: the kernel cannot say in advance whether a sync is needed */
static inline bool sluice_compat_need_sync(struct device *dev)
{
#ifdef SLUICE_HAVE_DMA_DEV_NEED_SYNC
	return dma_dev_need_sync(dev);
#else
	return true;
#endif
}

/* 6.1: the kernel cannot say whether an unmap call would do nothing */
static inline bool sluice_compat_need_unmap(struct device *dev)
{
#ifdef SLUICE_HAVE_DMA_NEED_UNMAP
	return dma_need_unmap(dev);
#else
	return true;
#endif
}

/*
 * Set whether a device snoops the caches, on architectures where devices differ in this.  Older
 * kernels have a bit field, newer kernels a flag.
 */
static inline void sluice_compat_set_coherent(struct device *dev, bool coherent)
{
#if defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU_ALL)
#ifdef SLUICE_HAVE_DMA_COHERENT_FLAG
	dev_assign_dma_coherent(dev, coherent);
#else
	dev->dma_coherent = coherent;
#endif
#endif
}

/*
 * Is it the address of a bounce buffer?  6.1 has one pool of them, newer kernels have several.  If
 * the kernel creates pools at run time, modules cannot ask.  Then every address counts as one, if
 * all DMA of the device is bounced.
 */
static inline bool sluice_compat_is_bounce(struct device *dev, phys_addr_t phys)
{
#if defined(CONFIG_SWIOTLB_DYNAMIC)
	return is_swiotlb_force_bounce(dev);
#elif defined(SLUICE_HAVE_SWIOTLB_POOLS)
	return swiotlb_find_pool(dev, phys);
#else
	return is_swiotlb_buffer(dev, phys);
#endif
}

/*
 * Does a device have a CMA area, provided that the kernel has one at all?  At least up to 6.12,
 * modules cannot ask; then the answer is always true.
 */
static inline bool sluice_compat_cma_area(struct device *dev)
{
#ifndef CONFIG_DMA_CMA
	return false;
#elif defined(SLUICE_HAVE_CMA_AREA)
	return dev_get_cma_area(dev);
#else
	return true;
#endif
}

#endif /* _SLUICE_COMPAT_DMA_H */
