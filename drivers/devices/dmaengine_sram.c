// SPDX-License-Identifier: GPL-2.0-only
/*
 * SRAM of the chip.  The controller's node of the device tree may name SRAM in its property
 * "sram".  The free part of this SRAM is for buffers of the device.
 */
#include <linux/device.h>
#include <linux/genalloc.h>
#include <linux/of.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>

#include "dmaengine_sram.h"
#include "sluice.h"

/*
 * Find the device that has made the gen_pool of a node.  It is the device of this node, or of
 * the parent node if the node is a part of an SRAM.
 */
static struct platform_device *dmae_sram_find(struct device_node *node)
{
	struct platform_device *pdev = of_find_device_by_node(node);

	return pdev || !node->parent ? pdev : of_find_device_by_node(node->parent);
}

/*
 * Make a heap of the largest free piece of a pool.  The device link keeps the pool until this
 * driver is unbound.
 */
static int dmae_sram_take(struct sluice_device *sdev, struct device *consumer,
			  struct device *sram, struct gen_pool *pool)
{
	size_t size = round_down(gen_pool_avail(pool), PAGE_SIZE);
	int ret = -ENOMEM;

	if (!device_link_add(consumer, sram, DL_FLAG_AUTOREMOVE_CONSUMER))
		return -EINVAL;
	for (; size && ret == -ENOMEM; size -= PAGE_SIZE)
		ret = sluice_device_add_sram(sdev, pool, size);
	/* no free piece of whole pages: the device has no such heap */
	return ret == -ENOMEM || ret == -EINVAL ? 0 : ret;
}

/**
 * dmae_sram_add - make a heap of the controller's SRAM, if it has any
 * @sdev: the Sluice device
 * @dev: the struct device that does the DMA
 * @consumer: this driver's platform device; it is unbound before the driver of the SRAM
 *
 * Context: ->prepare().
 * Return: 0, also if there is no such SRAM; or a negative errno.
 */
int dmae_sram_add(struct sluice_device *sdev, struct device *dev, struct device *consumer)
{
	struct device_node *ours = dev->of_node, *node;
	struct platform_device *sram;
	struct gen_pool *pool;
	int ret = 0;

	if (!IS_ENABLED(CONFIG_GENERIC_ALLOCATOR))
		return 0;
	node = of_parse_phandle(ours, "sram", 0);
	if (!node)
		return 0;
	pool = of_gen_pool_get(ours, "sram", 0);
	sram = dmae_sram_find(node);
	/* mappings by processes would be write-combined, which this property forbids */
	if (pool && sram && !of_property_read_bool(sram->dev.of_node, "no-memory-wc"))
		ret = dmae_sram_take(sdev, consumer, &sram->dev, pool);
	platform_device_put(sram);
	of_node_put(node);
	return ret;
}
