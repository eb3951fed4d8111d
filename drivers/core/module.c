// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load and unload of sluice.ko, a dma-buf exporter with fences.
 *
 * It needs no lock, because the kernel calls each of its two functions once.
 */
#include <linux/module.h>

#include "account.h"
#include "buffer.h"
#include "compat/module.h"
#include "debugfs.h"
#include "fence.h"
#include "pool.h"
#include "register.h"
#include "sluice.h"

static int __init sluice_module_init(void)
{
	int ret;

	sluice_buffers_init();
	sluice_account_init();
	sluice_debugfs_init();
	ret = sluice_pool_init();
	if (ret)
		goto err_debugfs;
	ret = sluice_class_init();
	if (ret)
		goto err_pool;
	return 0;

err_pool:
	sluice_pool_exit();
err_debugfs:
	sluice_debugfs_exit();
	return ret;
}

/* Runs only when no device is registered, and no open file, buffer or queue exists. */
static void __exit sluice_module_exit(void)
{
	sluice_class_exit();
	sluice_debugfs_exit();
	sluice_pool_exit();
	sluice_fence_exit();
}

module_init(sluice_module_init);
module_exit(sluice_module_exit);

MODULE_DESCRIPTION("DMA-BUF exporter with fences for device drivers");
MODULE_AUTHOR("The Sluice authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(SLUICE_VERSION);
SLUICE_IMPORT_NS(DMA_BUF);
