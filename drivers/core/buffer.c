// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: memory from a heap or from a memfd, and the account that it is charged to.
 *
 * node.c calls this file for ALLOC, WRAP and BUFFER_INFO.  From sluice_buffer_export() on a buffer
 * belongs to its dma-buf, whose release destroys it.
 *
 * sluice_buffers_lock guards the list of all buffers, for debugfs.  struct sluice_buffer says which
 * locks guard the fields of a buffer.
 */
#include <linux/capability.h>
#include <linux/dma-direct.h>
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include "core.h"

static bool expose_addresses;
module_param(expose_addresses, bool, 0600);
MODULE_PARM_DESC(expose_addresses, "let BUFFER_INFO tell bus addresses to CAP_SYS_RAWIO");

LIST_HEAD(sluice_buffers);
DEFINE_MUTEX(sluice_buffers_lock);

/* A buffer that is charged, but has no memory yet, and no references on its device and client. */
static struct sluice_buffer *sluice_buffer_new(struct sluice_client *client,
					       const struct sluice_heap *heap, u64 size,
					       u32 properties, u32 *hint)
{
	struct sluice_buffer *buffer;
	int ret;

	ret = sluice_account_charge(&client->account, size, sluice_heap_is_device(heap), hint);
	if (ret)
		return ERR_PTR(ret);
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	if (!buffer) {
		sluice_account_uncharge(&client->account, size, sluice_heap_is_device(heap));
		return ERR_PTR(-ENOMEM);
	}
	buffer->sdev = client->sdev;
	buffer->client = client;
	buffer->heap = heap;
	buffer->size = size;
	buffer->charge = size;
	buffer->properties = properties;
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->attachments);
	INIT_LIST_HEAD(&buffer->mappings);
	return buffer;
}

/**
 * sluice_buffer_charge - charge memory that a buffer keeps beyond its size
 * @buffer: a buffer that is being made
 * @bytes: bytes beyond the size of the buffer; may be 0
 * @hint: SLUICE_HINT_*, set on failure
 *
 * Context: may sleep.
 * Return: 0, or -EDQUOT if a limit of the account is exceeded.
 */
int sluice_buffer_charge(struct sluice_buffer *buffer, u64 bytes, u32 *hint)
{
	int ret = 0;

	if (bytes)
		ret = sluice_account_charge(&buffer->client->account, bytes,
					    sluice_heap_is_device(buffer->heap), hint);
	if (!ret)
		buffer->charge += bytes;
	return ret;
}

/* Called once for each buffer: when it is destroyed, or when it cannot be made. */
static void sluice_buffer_uncharge(const struct sluice_buffer *buffer)
{
	sluice_account_uncharge(&buffer->client->account, buffer->charge,
				sluice_heap_is_device(buffer->heap));
}

/* Add a buffer that has its memory to the list; or free it, if @error says that it has none. */
static struct sluice_buffer *sluice_buffer_finish(struct sluice_buffer *buffer, int error)
{
	if (error) {
		sluice_buffer_uncharge(buffer);
		kfree(buffer);
		return ERR_PTR(error);
	}
	kref_get(&buffer->client->ref);
	get_device(&buffer->sdev->dev);
	sluice_object_inc(SLUICE_OBJECT_BUFFER);
	mutex_lock(&sluice_buffers_lock);
	list_add_tail(&buffer->link, &sluice_buffers);
	mutex_unlock(&sluice_buffers_lock);
	return buffer;
}

/**
 * sluice_buffer_create - allocate a buffer from a heap
 * @client: the client that is charged
 * @heap: a heap of the client's device
 * @size: bytes, whole pages
 * @properties: SLUICE_MEM_* of the buffer, which the heap supports
 * @hint: SLUICE_HINT_*, set on failure
 *
 * Context: may sleep.
 * Return: the buffer, or an ERR_PTR:
 *
 *	-EDQUOT	a limit of the account is exceeded
 *	-EINTR	the task was killed
 *	-ENOMEM	no memory
 *	others	what the heap returned
 */
struct sluice_buffer *sluice_buffer_create(struct sluice_client *client,
					   const struct sluice_heap *heap, u64 size,
					   u32 properties, u32 *hint)
{
	struct sluice_buffer *buffer = sluice_buffer_new(client, heap, size, properties, hint);

	if (IS_ERR(buffer))
		return buffer;
	return sluice_buffer_finish(buffer, heap->alloc(buffer, hint));
}

/**
 * sluice_buffer_wrap - make a buffer of a memfd's pages
 * @client: the client that is charged
 * @memfd: the file
 * @offset: bytes from the start of the file, whole pages
 * @size: bytes, whole pages
 * @hint: SLUICE_HINT_*, set on failure
 *
 * Context: may sleep without a time limit, while another task holds the lock of the file's inode.
 * Return: the buffer, or an ERR_PTR with an error of WRAP: see struct sluice_wrap.
 */
struct sluice_buffer *sluice_buffer_wrap(struct sluice_client *client, struct file *memfd,
					 u64 offset, u64 size, u32 *hint)
{
	struct sluice_buffer *buffer;
	int ret;

	/* a file that cannot be wrapped is reported before a limit */
	ret = sluice_wrap_check(memfd, offset, size);
	if (ret)
		return ERR_PTR(ret);
	if (size > sluice_heap_max_size(client->sdev, &sluice_wrapped_heap)) {
		*hint = SLUICE_HINT_LIMIT;
		return ERR_PTR(-EFBIG);
	}
	buffer = sluice_buffer_new(client, &sluice_wrapped_heap, size,
				   sluice_wrapped_heap.properties, hint);
	if (IS_ERR(buffer))
		return buffer;
	return sluice_buffer_finish(buffer, sluice_wrap_fill(buffer, memfd, offset, hint));
}

/**
 * sluice_buffer_destroy - free a buffer and its memory
 * @buffer: a buffer whose dma-buf is being released, or could not be made
 *
 * Context: may sleep.
 */
void sluice_buffer_destroy(struct sluice_buffer *buffer)
{
	struct sluice_device *sdev = buffer->sdev;

	mutex_lock(&sluice_buffers_lock);
	list_del(&buffer->link);
	mutex_unlock(&sluice_buffers_lock);
	buffer->heap->free(buffer);
	sluice_buffer_uncharge(buffer);
	sluice_client_put(buffer->client);
	kfree(buffer);
	sluice_object_dec(SLUICE_OBJECT_BUFFER);
	put_device(&sdev->dev);
}

/*
 * Is it coherent memory, which is shared with the host, for a device that can use no other memory?
 * A device with a bounce pool of its own (restricted DMA) can reach only that pool: false.
 */
static bool sluice_buffer_shared(const struct sluice_buffer *buffer, struct device *dev)
{
	return buffer->heap == &sluice_heap_contiguous && !buffer->searched &&
	       sluice_dma_bounced(dev) && !sluice_dma_translated(dev) &&
	       !is_swiotlb_for_alloc(dev);
}

/**
 * sluice_buffer_address - bus address of a place in a buffer
 * @buffer: a buffer for which sluice_buffer_reached() is true
 * @dev: the device, not behind an IOMMU that translates
 * @phys: a physical address in the buffer
 *
 * Context: any.
 * Return: the bus address.
 */
dma_addr_t sluice_buffer_address(const struct sluice_buffer *buffer, struct device *dev,
				 phys_addr_t phys)
{
	return sluice_buffer_shared(buffer, dev) ? phys_to_dma_unencrypted(dev, phys) :
						   phys_to_dma(dev, phys);
}

/**
 * sluice_buffer_reached - can a device address a buffer without a bounce buffer?
 * @buffer: a buffer in memory of the system
 * @dev: the device, with a DMA mask
 *
 * Context: any.
 * Return: true if it can.
 */
bool sluice_buffer_reached(const struct sluice_buffer *buffer, struct device *dev)
{
	if (sluice_buffer_shared(buffer, dev))
		return sluice_dma_within(dev, sluice_buffer_address(buffer, dev, buffer->end));
	return sluice_dma_reaches(dev, buffer->end);
}

/**
 * sluice_buffer_map_shared - map coherent memory without the DMA API, which would bounce it
 * @buffer: a buffer for which sluice_buffer_reached() is true
 * @dev: the device
 * @sgt: table with the pages; gets their bus addresses
 *
 * Coherent memory is already shared with the host.  The device needs only its bus addresses, and
 * nothing must be unmapped later.
 *
 * Context: any.
 * Return: true if it is mapped now; false if the caller must map it with the DMA API.
 */
bool sluice_buffer_map_shared(const struct sluice_buffer *buffer, struct device *dev,
			      struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	if (!sluice_buffer_shared(buffer, dev))
		return false;
	for_each_sgtable_sg(sgt, sg, i) {
		sg_dma_address(sg) = sluice_buffer_address(buffer, dev, sg_phys(sg));
		sg_dma_len(sg) = sg->length;
	}
	return true;
}

/**
 * struct sluice_count - segments of a buffer, as a device sees them
 * @segments: number of segments; segments with adjacent bus addresses count as one
 * @length: bytes of the last segment
 * @largest: bytes of the largest segment
 * @next: bus address behind the last segment
 */
struct sluice_count {
	u32 segments;
	u64 length;
	u64 largest;
	dma_addr_t next;
};

static void sluice_count_add(struct sluice_count *count, dma_addr_t address, size_t length)
{
	if (!count->segments || address != count->next) {
		count->segments++;
		count->length = 0;
	}
	count->length += length;
	count->largest = max(count->largest, count->length);
	count->next = address + length;
}

/*
 * Are the bus addresses known without an attachment?  Our own memory in the system does not move,
 * and only an IOMMU that translates would show it at other addresses.
 */
static bool sluice_buffer_is_known(const struct sluice_device *sdev,
				   const struct sluice_buffer *buffer)
{
	return buffer && !buffer->heap->dmabuf_ops && !sdev->translated;
}

static int sluice_buffer_look(struct sluice_device *sdev, const struct sluice_buffer *buffer,
			      struct sluice_buffer_info *info)
{
	struct sluice_count count = {};
	struct scatterlist *sg;
	unsigned int i;
	int ret = 0;

	if (!sluice_device_enter(sdev))
		return -ENODEV;
	if (!sluice_buffer_reached(buffer, sdev->parent)) {
		ret = -EADDRNOTAVAIL;
		goto out;
	}
	for_each_sgtable_sg(&buffer->sgt, sg, i) {
		dma_addr_t address = sluice_buffer_address(buffer, sdev->parent, sg_phys(sg));

		sluice_count_add(&count, address, sg->length);
		if (!i)
			info->address = address;
	}
	info->segments = count.segments;
	info->largest_segment = count.largest;
out:
	sluice_device_exit(sdev);
	return ret;
}

/* Fill in @info from a temporary slot, which is charged like any other slot. */
static int sluice_buffer_probe(struct sluice_client *client, struct dma_buf *dmabuf,
			       struct sluice_buffer_info *info)
{
	struct sluice_count count = {};
	struct sluice_slot *slot;
	struct scatterlist *sg;
	int i;

	slot = sluice_slot_create(client, dmabuf, SLUICE_ATTACH_READ);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	for_each_sgtable_dma_sg(slot->sgt, sg, i)
		sluice_count_add(&count, sg_dma_address(sg), sg_dma_len(sg));
	info->segments = count.segments;
	info->largest_segment = count.largest;
	info->address = sg_dma_address(slot->sgt->sgl);
	sluice_slot_put(slot);
	return 0;
}

/**
 * sluice_buffer_info - describe how a device sees a dma-buf
 * @client: its device is described, and it is charged for a foreign buffer during the call
 * @dmabuf: the dma-buf, ours or foreign
 * @info: all fields except fd are set.  If the device cannot import the buffer, the error field is
 *	the errno of ATTACH
 *
 * Context: may sleep; takes the dma_resv.
 * Return: 0, -ENODEV if the device has been removed, or -ERESTARTSYS after a signal.
 */
int sluice_buffer_info(struct sluice_client *client, struct dma_buf *dmabuf,
		       struct sluice_buffer_info *info)
{
	struct sluice_device *sdev = client->sdev;
	struct sluice_buffer *buffer = sluice_buffer_from_dmabuf(dmabuf);

	*info = (struct sluice_buffer_info) {
		.fd = info->fd,
		.kind = buffer ? SLUICE_BUFFER_OURS : SLUICE_BUFFER_FOREIGN,
		.properties = buffer ? buffer->properties & ~SLUICE_MEM_CONTIGUOUS : 0,
		.size = dmabuf->size,
		.inode = file_inode(dmabuf->file)->i_ino,
	};
	if (sluice_buffer_is_known(sdev, buffer))
		info->error = sluice_buffer_look(sdev, buffer, info);
	else
		info->error = sluice_buffer_probe(client, dmabuf, info);
	if (!expose_addresses || !capable(CAP_SYS_RAWIO))
		info->address = 0;
	if (info->error == -ENODEV && READ_ONCE(sdev->gone))
		return -ENODEV;
	/* a signal has ended the look at the buffer: nothing is known about it */
	if (info->error == -ERESTARTSYS || info->error == -EINTR)
		return -ERESTARTSYS;
	if (!info->error && info->segments == 1)
		info->properties |= SLUICE_MEM_CONTIGUOUS;
	return 0;
}
