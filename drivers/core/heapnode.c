// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/dma_heap/sluice-<device>-<heap>: each heap once more, as a dma-heap.
 *
 * A program written for the kernel's dma-heaps allocates here without a change.
 * The one ioctl therefore follows the dma-heap ABI also where it is laxer than
 * ours: it goes by the number alone, and takes a struct of any size with any tail.
 *
 * The nodes are misc devices of our own: a heap added with dma_heap_add() stays
 * for ever, and so would this module, on kernels that let modules call it at all.
 *
 * An open runs under the lock that misc_deregister() takes.  So when
 * sluice_heap_nodes_remove() returns, nobody looks at a node any more: an open
 * file has a client, and with it the device.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-heap.h>

#include "core.h"

#define SLUICE_HEAP_FOLDER	"dma_heap/"

/**
 * struct sluice_heap_node - a heap of a device, as a dma-heap
 * @misc: the node
 * @sdev: the device; it removes its nodes before it goes
 * @heap: the heap
 * @path: of the node, below /dev
 */
struct sluice_heap_node {
	struct miscdevice misc;
	struct sluice_device *sdev;
	const struct sluice_heap *heap;
	char path[sizeof(SLUICE_HEAP_FOLDER) + SLUICE_HEAP_NAME_LEN];
};

static int sluice_heap_node_open(struct inode *inode, struct file *file)
{
	struct sluice_heap_node *node = container_of(file->private_data,
						     struct sluice_heap_node, misc);

	return sluice_client_open(node->sdev, node->heap, inode, file);
}

static int sluice_heap_node_alloc(struct sluice_call *call)
{
	struct sluice_client *client = call->file->private_data;
	struct dma_heap_allocation_data *data = call->data;
	struct sluice_alloc args = {};
	int ret;

	if (data->fd || data->fd_flags & ~DMA_HEAP_VALID_FD_FLAGS || data->heap_flags)
		return -EINVAL;
	/* of a length that overflows nothing is left */
	args.size = PAGE_ALIGN(data->len);
	if (!args.size)
		return -EINVAL;
	if (!(data->fd_flags & O_CLOEXEC))
		args.fd_flags = SLUICE_FD_INHERIT;
	ret = sluice_client_alloc(call, client->heap, &args, data->fd_flags & O_ACCMODE);
	/* what dma-heaps say of more memory than there is */
	if (ret == -EFBIG)
		return -ENOMEM;
	if (!ret)
		data->fd = args.fd;
	return ret;
}

static long sluice_heap_node_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
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
	/* of a shorter struct the rest is 0; the tail of a longer one goes back as it came */
	call.data = kzalloc(max(size, sizeof(struct dma_heap_allocation_data)), GFP_KERNEL);
	if (!call.data)
		return -ENOMEM;
	ret = 0;
	if (cmd & IOC_IN && copy_from_user(call.data, call.uarg, size))
		ret = -EFAULT;
	if (!ret)
		ret = sluice_heap_node_alloc(&call);
	if (!ret)
		ret = sluice_call_copy_out(&call);
	kfree(call.data);
	return sluice_call_end(&call, ret);
}

static const struct file_operations sluice_heap_node_fops = {
	.owner = THIS_MODULE,
	.open = sluice_heap_node_open,
	.release = sluice_client_close,
	.unlocked_ioctl = sluice_heap_node_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = sluice_client_show_fdinfo,
	.llseek = noop_llseek,
};

/**
 * sluice_heap_nodes_add - make a dma-heap node of each heap
 * @sdev: a device whose own node is there
 *
 * Some kernels have few numbers for misc devices: a device does without the
 * nodes that cannot be had, and says so.  Context: may sleep.
 */
void sluice_heap_nodes_add(struct sluice_device *sdev)
{
	unsigned int i;

	sdev->heap_nodes = kcalloc(sdev->num_heaps, sizeof(*sdev->heap_nodes), GFP_KERNEL);
	if (!sdev->heap_nodes)
		return;
	for (i = 0; i < sdev->num_heaps; i++) {
		struct sluice_heap_node *node = &sdev->heap_nodes[sdev->num_heap_nodes];
		int ret;

		node->sdev = sdev;
		node->heap = sdev->heaps[i];
		snprintf(node->path, sizeof(node->path), SLUICE_HEAP_FOLDER "sluice-%s-%s",
			 sdev->name, node->heap->name);
		node->misc = (struct miscdevice) {
			.minor = MISC_DYNAMIC_MINOR,
			.name = node->path + strlen(SLUICE_HEAP_FOLDER),
			.nodename = node->path,
			.fops = &sluice_heap_node_fops,
			.parent = &sdev->dev,
		};
		ret = misc_register(&node->misc);
		if (ret)
			dev_warn(&sdev->dev, "no node %s: %d\n", node->path, ret);
		else
			sdev->num_heap_nodes++;
	}
}

/**
 * sluice_heap_nodes_remove - the nodes go away
 * @sdev: the device, with its own node still there
 *
 * Files that are open stay open.  Context: may sleep.
 */
void sluice_heap_nodes_remove(struct sluice_device *sdev)
{
	while (sdev->num_heap_nodes)
		misc_deregister(&sdev->heap_nodes[--sdev->num_heap_nodes].misc);
	kfree(sdev->heap_nodes);
	sdev->heap_nodes = NULL;
}
