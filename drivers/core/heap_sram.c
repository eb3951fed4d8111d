// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heap of SRAM inside the chip: see heap_sram.h.
 */
#include <linux/export.h>
#include <linux/genalloc.h>
#include <linux/of.h>

#include "device.h"
#include "dma.h"
#include "heap_bar.h"
#include "heap_sram.h"

/* Does the device tree node of a device name the pool? */
static bool sluice_sram_is_named(struct device *dev, const struct gen_pool *pool)
{
	int i, count = of_count_phandle_with_args(dev->of_node, "sram", NULL);

	for (i = 0; i < count; i++)
		if (of_gen_pool_get(dev->of_node, "sram", i) == pool)
			return true;
	return false;
}

static int sluice_sram_check(const struct sluice_bar_memory *memory, struct device *dev,
			     phys_addr_t start, u64 size)
{
	if ((dev != memory->dev && !sluice_sram_is_named(dev, memory->pool)) ||
	    !sluice_dma_reaches(dev, start + size - 1))
		return -EADDRNOTAVAIL;
	return 0;
}

static void sluice_sram_unmap(struct sluice_bar_memory *memory)
{
	/* an importer may still write to the SRAM, so it stays allocated and gets no new user */
	if (memory->busy)
		return;
	gen_pool_free(memory->pool, (unsigned long)memory->vaddr, memory->size);
}

static const struct sluice_bar_memory_ops sluice_sram_ops = {
	.check = sluice_sram_check,
	.unmap = sluice_sram_unmap,
};

/**
 * sluice_device_add_sram - offer a part of a chip's SRAM as a heap
 * @sdev: the device, inside its ops->prepare()
 * @pool: the SRAM, mapped write-combined, such as
 *	of_gen_pool_get(dev->of_node, "sram", 0).  Its driver must stay bound as long as @sdev is
 *	registered: see device_link_add()
 * @size: bytes, whole pages
 *
 * The heap is called "sram".  It ends inside sluice_device_unregister(), which waits at most a
 * minute for the memory's users, and gives the memory back to @pool.  If an importer still uses
 * the memory then, @pool does not get it back.
 *
 * Context: may sleep.
 * Return: 0, or:
 *
 *	-EINVAL	@size is 0 or not whole pages
 *	-EINVAL	the physical address from @pool is not aligned to a page
 *	-ENOMEM	@pool has no free part of this size, or there is no memory for the heap
 *	-ENOSPC	the device has too many heaps
 */
int sluice_device_add_sram(struct sluice_device *sdev, struct gen_pool *pool, size_t size)
{
	struct genpool_data_align align = { .align = PAGE_SIZE };
	struct sluice_bar_memory memory = {
		.ops = &sluice_sram_ops, .name = "sram", .dev = sdev->parent,
		.size = size, .pool = pool,
	};
	unsigned long vaddr;
	int ret = -EINVAL;

	if (!size || !PAGE_ALIGNED(size))
		return -EINVAL;
	vaddr = gen_pool_alloc_algo(pool, size, gen_pool_first_fit_align, &align);
	if (!vaddr)
		return -ENOMEM;
	memory.start = gen_pool_virt_to_phys(pool, vaddr);
	memory.vaddr = (void __iomem *)vaddr;
	if (!PAGE_ALIGNED(memory.start))
		goto err_free;
	ret = sluice_bar_add(sdev, &memory);
	if (ret)
		goto err_free;
	return 0;

err_free:
	gen_pool_free(pool, vaddr, size);
	return ret;
}
EXPORT_SYMBOL_GPL(sluice_device_add_sram);
