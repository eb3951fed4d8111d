// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: memory from a heap or from a memfd, and the account that it is charged to.
 *
 * A buffer is created by ALLOC or WRAP and belongs to its dma-buf from
 * sluice_buffer_export() on, whose release destroys it.
 */
#include <linux/capability.h>
#include <linux/dma-direct.h>
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "core.h"

static bool expose_addresses;
module_param(expose_addresses, bool, 0600);
MODULE_PARM_DESC(expose_addresses, "let BUFFER_INFO tell bus addresses to CAP_SYS_RAWIO");

LIST_HEAD(sluice_buffers);
DEFINE_MUTEX(sluice_buffers_lock);

/* Charged already, but still without memory and without references on its owners. */
static struct sluice_buffer *sluice_buffer_new(struct sluice_client *client,
					       const struct sluice_heap *heap, u64 size,
					       u32 properties, u32 *hint)
{
	struct sluice_buffer *buffer;
	int ret;

	ret = sluice_account_charge(client, size, sluice_heap_is_device(heap), hint);
	if (ret)
		return ERR_PTR(ret);
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	if (!buffer) {
		sluice_account_uncharge(client, size, sluice_heap_is_device(heap));
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
 * sluice_buffer_charge - a buffer keeps more memory than it has
 * @buffer: being made
 * @bytes: how much more
 * @hint: SLUICE_HINT_*, set on failure
 *
 * Return: 0 or -EDQUOT.
 */
int sluice_buffer_charge(struct sluice_buffer *buffer, u64 bytes, u32 *hint)
{
	int ret = 0;

	if (bytes)
		ret = sluice_account_charge(buffer->client, bytes,
					    sluice_heap_is_device(buffer->heap), hint);
	if (!ret)
		buffer->charge += bytes;
	return ret;
}

/* All that was charged for it: each buffer once, at its end. */
static void sluice_buffer_uncharge(const struct sluice_buffer *buffer)
{
	sluice_account_uncharge(buffer->client, buffer->charge,
				sluice_heap_is_device(buffer->heap));
}

/* It has memory and becomes known, or @error says why not, and it goes. */
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
 * sluice_buffer_create - allocate memory
 * @client: who pays
 * @heap: where from
 * @size: bytes, whole pages
 * @properties: SLUICE_MEM_* that the buffer is to have; the heap can do them
 * @hint: SLUICE_HINT_*, set on failure
 *
 * Context: may sleep.
 * Return: the buffer, or an ERR_PTR: -EDQUOT over a limit of the account, -ENOMEM,
 * -EINTR when killed, or what else the heap says.
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
 * @client: who pays
 * @memfd: the file
 * @offset: bytes, whole pages
 * @size: bytes, whole pages
 * @hint: SLUICE_HINT_*, set on failure
 *
 * Context: may sleep, for as long as somebody keeps the file locked.
 * Return: the buffer, or an ERR_PTR: see struct sluice_wrap.
 */
struct sluice_buffer *sluice_buffer_wrap(struct sluice_client *client, struct file *memfd,
					 u64 offset, u64 size, u32 *hint)
{
	struct sluice_buffer *buffer;
	int ret;

	/* what cannot be wrapped says so before limits do */
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
 * sluice_buffer_destroy - free the memory
 * @buffer: one that nobody uses any more
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

/**
 * struct sluice_count - segments as a device sees them
 * @segments: how many; neighbours count as one
 * @length: bytes of the last one
 * @largest: bytes of the largest one
 * @next: where the last one ends
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
 * Memory of our own in the system does not move, and a device without an IOMMU that
 * translates sees it where it is: nothing has to be attached to tell.
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

/* From a slot made for the purpose, and charged like any other. */
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
 * sluice_buffer_info - how a device sees a dma-buf
 * @client: of the device; charged for a foreign buffer while it is looked at
 * @dmabuf: ours or foreign
 * @info: fd is kept, the rest filled in
 *
 * Context: may sleep.
 * Return: 0, or -ENODEV; that the buffer cannot be imported is part of the answer.
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
	if (!info->error && info->segments == 1)
		info->properties |= SLUICE_MEM_CONTIGUOUS;
	return 0;
}
