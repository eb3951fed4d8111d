// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: see buffer.h.
 */
#include <linux/dma-direct.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/swiotlb.h>

#include "account.h"
#include "buffer.h"
#include "client.h"
#include "device.h"
#include "dma.h"
#include "heap.h"
#include "object.h"

DEFINE_PER_CPU(struct sluice_buffer_list, sluice_buffer_lists);

/**
 * sluice_buffers_init - initialise the lists of buffers
 *
 * Context: module initialisation.
 */
void sluice_buffers_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct sluice_buffer_list *list = per_cpu_ptr(&sluice_buffer_lists, cpu);

		spin_lock_init(&list->lock);
		INIT_LIST_HEAD(&list->buffers);
	}
}

/**
 * sluice_buffer_prepare - initialise the fields that are as new whenever a buffer has ended
 * @buffer: a zeroed struct
 *
 * For a heap whose structs are used for one buffer after the other.
 *
 * Context: any.
 */
void sluice_buffer_prepare(struct sluice_buffer *buffer)
{
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->attachments);
	INIT_LIST_HEAD(&buffer->mappings);
}

/* Initialise a buffer.  Its heap has set, or sets later, what belongs to the memory. */
static void sluice_buffer_init(struct sluice_buffer *buffer, struct sluice_client *client,
			       const struct sluice_heap *heap, u64 size, u32 properties)
{
	buffer->sdev = client->sdev;
	buffer->client = client;
	buffer->heap = heap;
	buffer->size = size;
	buffer->charge = size;
	buffer->properties = properties;
	buffer->readonly = false;
	buffer->inode = 0;
	buffer->shown = NULL;
}

/* Allocate the struct of a buffer without memory. */
static struct sluice_buffer *sluice_buffer_alloc(const struct sluice_heap *heap)
{
	struct sluice_buffer *buffer = kzalloc(heap->buffer_size, GFP_KERNEL_ACCOUNT);

	if (!buffer)
		return ERR_PTR(-ENOMEM);
	sluice_buffer_prepare(buffer);
	return buffer;
}

/**
 * sluice_buffer_new - make a buffer that is charged
 * @client: the client that is charged
 * @heap: the heap that the memory will come from
 * @size: bytes, whole pages
 * @properties: SLUICE_MEM_* of the buffer
 * @hint: SLUICE_HINT_*, set on failure
 *
 * If the heap has no make function, the buffer has no memory yet.  It has no reference on its
 * client yet, and must be passed to sluice_buffer_publish() when it has its memory, or to
 * sluice_buffer_free().
 *
 * Context: may sleep.
 * Return: the buffer, the first member of a struct of heap->buffer_size bytes; or an ERR_PTR:
 *
 *	-EDQUOT	a limit of the account is exceeded
 *	-ENOMEM	no memory
 */
struct sluice_buffer *sluice_buffer_new(struct sluice_client *client,
					const struct sluice_heap *heap, u64 size,
					u32 properties, u32 *hint)
{
	struct sluice_buffer *buffer;
	int ret;

	ret = sluice_account_charge(&client->account, size, sluice_heap_is_device(heap), hint);
	if (ret)
		return ERR_PTR(ret);
	if (heap->make)
		buffer = heap->make(client->sdev, size, properties, hint);
	else
		buffer = sluice_buffer_alloc(heap);
	if (IS_ERR(buffer))
		sluice_account_uncharge(&client->account, size, sluice_heap_is_device(heap));
	else
		sluice_buffer_init(buffer, client, heap, size, properties);
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

/**
 * sluice_buffer_publish - complete a buffer that has its memory
 * @buffer: from sluice_buffer_new()
 *
 * The buffer takes its reference on the client, and appears in debugfs.  From now on
 * sluice_buffer_destroy() frees it.
 *
 * Context: may sleep.
 */
void sluice_buffer_publish(struct sluice_buffer *buffer)
{
	struct sluice_buffer_list *list;

	kref_get(&buffer->client->ref);
	sluice_object_inc(SLUICE_OBJECT_BUFFER);
	/* the task may move to another CPU; the buffer stays in this list */
	buffer->cpu = raw_smp_processor_id();
	list = per_cpu_ptr(&sluice_buffer_lists, buffer->cpu);
	spin_lock(&list->lock);
	list_add_tail(&buffer->link, &list->buffers);
	spin_unlock(&list->lock);
}

/**
 * sluice_buffer_free - free a buffer that could not get its memory
 * @buffer: from sluice_buffer_new(), without memory, and not published
 *
 * Context: may sleep.
 */
void sluice_buffer_free(struct sluice_buffer *buffer)
{
	sluice_account_uncharge(&buffer->client->account, buffer->charge,
				sluice_heap_is_device(buffer->heap));
	kfree(buffer);
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
	int ret;

	if (IS_ERR(buffer))
		return buffer;
	ret = heap->make ? 0 : heap->alloc(buffer, hint);
	if (ret) {
		sluice_buffer_free(buffer);
		return ERR_PTR(ret);
	}
	sluice_buffer_publish(buffer);
	return buffer;
}

/**
 * sluice_buffer_destroy - free a buffer and its memory
 * @buffer: a buffer whose dma-buf is being released, or could not be made
 *
 * Context: may sleep.
 */
void sluice_buffer_destroy(struct sluice_buffer *buffer)
{
	struct sluice_buffer_list *list = per_cpu_ptr(&sluice_buffer_lists, buffer->cpu);
	const struct sluice_heap *heap = buffer->heap;
	struct sluice_client *client = buffer->client;
	bool device = sluice_heap_is_device(heap);
	u64 charge = buffer->charge;

	spin_lock(&list->lock);
	list_del(&buffer->link);
	spin_unlock(&list->lock);
	heap->free(buffer);
	if (!heap->make)
		kfree(buffer);
	sluice_account_uncharge(&client->account, charge, device);
	sluice_object_dec(SLUICE_OBJECT_BUFFER);
	/* last, because the client holds the device, which may hold the heap */
	sluice_client_put(client);
}

/*
 * Some devices can use only memory that is shared with the host: the DMA API bounces all other
 * memory for them.  Is this such a device, and is the buffer shared memory (coherent memory of the
 * DMA API)?  False for a device with a bounce pool of its own (restricted DMA), because it can
 * reach only this pool.
 */
static bool sluice_buffer_shared(const struct sluice_buffer *buffer, struct device *dev)
{
	return buffer->dma_alloc && sluice_dma_bounced(dev) && !sluice_dma_translated(dev) &&
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
 * Coherent memory is already shared with the host.  The device needs only the bus addresses of the
 * memory, and there is nothing to unmap later.
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
