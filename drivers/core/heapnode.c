// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dma-heap nodes of a device, one for each of its heaps.  See heapnode.h.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-heap.h>

#include "client.h"
#include "device.h"
#include "heap.h"
#include "heapnode.h"
#include "ioctl.h"
#include "node.h"
#include "sluice.h"

#define SLUICE_HEAPNODE_DIR	"dma_heap/"

/**
 * struct sluice_heapnode - a heap of a device, as a dma-heap
 * @misc: the node
 * @sdev: the device, whose unregistration removes the node first; no reference
 * @heap: the heap
 * @path: path of the node, below /dev
 */
struct sluice_heapnode {
	struct miscdevice misc;
	struct sluice_device *sdev;
	const struct sluice_heap *heap;
	char path[sizeof(SLUICE_HEAPNODE_DIR) + SLUICE_HEAP_NAME_LEN];
};

/**
 * struct sluice_heapnodes - the dma-heap nodes of a device
 * @count: nodes that exist: the first of @nodes
 * @nodes: room for a node for each heap
 */
struct sluice_heapnodes {
	unsigned int count;
	struct sluice_heapnode nodes[];
};

static int sluice_heapnode_open(struct inode *inode, struct file *file)
{
	struct sluice_heapnode *node = container_of(file->private_data,
						     struct sluice_heapnode, misc);

	return sluice_client_open(node->sdev, node->heap, inode, file);
}

static int sluice_heapnode_alloc(struct sluice_call *call)
{
	struct sluice_client *client = call->file->private_data;
	struct dma_heap_allocation_data *data = call->data;
	struct sluice_alloc args = {};
	int ret;

	if (data->fd || data->fd_flags & ~DMA_HEAP_VALID_FD_FLAGS || data->heap_flags)
		return -EINVAL;
	/* the result is 0 if the length is 0, and also if PAGE_ALIGN() overflows */
	args.size = PAGE_ALIGN(data->len);
	if (!args.size)
		return -EINVAL;
	if (!(data->fd_flags & O_CLOEXEC))
		args.fd_flags = SLUICE_FD_INHERIT;
	ret = sluice_node_alloc_buffer(call, client->heap, &args, data->fd_flags & O_ACCMODE);
	/* for a buffer that can never be allocated, a dma-heap returns -ENOMEM */
	if (ret == -EFBIG)
		return -ENOMEM;
	if (!ret)
		data->fd = args.fd;
	return ret;
}

static long sluice_heapnode_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	size_t size = _IOC_SIZE(cmd);
	struct sluice_call call = {
		.file = file,
		.uarg = (void __user *)arg,
		.size = cmd & IOC_OUT ? size : 0,
		.fd = -1,
	};
	int ret;

	if (_IOC_NR(cmd) != _IOC_NR(DMA_HEAP_IOCTL_ALLOC))
		return -EINVAL;
	/* a missing field counts as 0; the tail of a longer struct is returned unchanged */
	call.data = kzalloc(max(size, sizeof(struct dma_heap_allocation_data)), GFP_KERNEL);
	if (!call.data)
		return -ENOMEM;
	ret = 0;
	if (cmd & IOC_IN && copy_from_user(call.data, call.uarg, size))
		ret = -EFAULT;
	if (!ret)
		ret = sluice_heapnode_alloc(&call);
	if (!ret)
		ret = sluice_call_copy_out(&call);
	kfree(call.data);
	return sluice_call_end(&call, ret);
}

static const struct file_operations sluice_heapnode_fops = {
	.owner = THIS_MODULE,
	.open = sluice_heapnode_open,
	.release = sluice_client_close,
	.unlocked_ioctl = sluice_heapnode_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = sluice_client_show_fdinfo,
	.llseek = noop_llseek,
};

/**
 * sluice_heapnodes_add - create a dma-heap node for each heap
 * @sdev: the device, whose own node exists
 *
 * Some kernels have few numbers for misc devices.  The device works without a node that cannot be
 * created, and the log names it.
 *
 * Context: process context, may sleep.
 */
void sluice_heapnodes_add(struct sluice_device *sdev)
{
	struct sluice_heapnodes *nodes;
	unsigned int i;

	nodes = kzalloc(struct_size(nodes, nodes, sdev->num_heaps), GFP_KERNEL);
	if (!nodes)
		return;
	sdev->heapnodes = nodes;
	for (i = 0; i < sdev->num_heaps; i++) {
		struct sluice_heapnode *node = &nodes->nodes[nodes->count];
		int ret;

		node->sdev = sdev;
		node->heap = sdev->heaps[i];
		snprintf(node->path, sizeof(node->path), SLUICE_HEAPNODE_DIR "sluice-%s-%s",
			 sdev->name, node->heap->name);
		node->misc = (struct miscdevice) {
			.minor = MISC_DYNAMIC_MINOR,
			.name = node->path + strlen(SLUICE_HEAPNODE_DIR),
			.nodename = node->path,
			.fops = &sluice_heapnode_fops,
			.parent = &sdev->dev,
		};
		ret = misc_register(&node->misc);
		if (ret)
			dev_warn(&sdev->dev, "cannot create /dev/%s: %d\n", node->path, ret);
		else
			nodes->count++;
	}
}

/**
 * sluice_heapnodes_remove - remove the dma-heap nodes
 * @sdev: the device, whose own node still exists
 *
 * Open files stay open.
 *
 * Context: process context, may sleep.
 */
void sluice_heapnodes_remove(struct sluice_device *sdev)
{
	struct sluice_heapnodes *nodes = sdev->heapnodes;

	if (!nodes)
		return;
	while (nodes->count)
		misc_deregister(&nodes->nodes[--nodes->count].misc);
	kfree(nodes);
	sdev->heapnodes = NULL;
}
