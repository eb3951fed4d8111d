// SPDX-License-Identifier: GPL-2.0-only
/*
 * BUFFER_INFO: see buffer_info.h.
 */
#include <linux/capability.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>
#include <linux/security.h>

#include "buffer.h"
#include "buffer_info.h"
#include "client.h"
#include "device.h"
#include "export.h"
#include "heap.h"
#include "slot.h"

static bool sluice_buffer_info_addresses;
module_param_named(expose_addresses, sluice_buffer_info_addresses, bool, 0600);
MODULE_PARM_DESC(expose_addresses, "let BUFFER_INFO tell bus addresses to CAP_SYS_RAWIO");

/**
 * struct sluice_buffer_info_count - segments of a buffer, as a device sees them
 * @segments: number of segments; segments with adjacent bus addresses count as one
 * @length: bytes of the last segment
 * @largest: bytes of the largest segment
 * @next: bus address behind the last segment
 */
struct sluice_buffer_info_count {
	u32 segments;
	u64 length;
	u64 largest;
	dma_addr_t next;
};

static void sluice_buffer_info_add(struct sluice_buffer_info_count *count, dma_addr_t address,
				   u64 length)
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
static bool sluice_buffer_info_is_known(const struct sluice_device *sdev,
					const struct sluice_buffer *buffer)
{
	return buffer && !buffer->heap->dmabuf_ops && !sdev->translated;
}

static int sluice_buffer_info_look(struct sluice_device *sdev, const struct sluice_buffer *buffer,
				   struct sluice_buffer_info *info)
{
	struct sluice_buffer_info_count count = {};
	unsigned int i;
	int ret = 0;

	if (!sluice_device_enter(sdev))
		return -ENODEV;
	if (!sluice_buffer_reached(buffer, sdev->parent)) {
		ret = -EADDRNOTAVAIL;
		goto out;
	}
	for (i = 0; i < buffer->num_pieces; i++) {
		const struct sluice_piece *piece = &buffer->pieces[i];
		dma_addr_t address = sluice_buffer_address(buffer, sdev->parent,
							   sluice_piece_start(piece));

		sluice_buffer_info_add(&count, address, sluice_piece_length(piece));
		if (!i)
			info->address = address;
	}
	info->segments = count.segments;
	info->largest_segment = count.largest;
out:
	sluice_device_exit(sdev);
	return ret;
}

/*
 * May the caller know bus addresses?  They are of use only with access to a device's registers or
 * to physical memory, past the kernel's drivers.  A locked-down kernel forbids both.
 */
static bool sluice_buffer_info_may_tell(void)
{
	return sluice_buffer_info_addresses && capable(CAP_SYS_RAWIO) &&
	       !security_locked_down(LOCKDOWN_DEV_MEM);
}

/* Fill in @info from a temporary slot, which is charged like any other slot. */
static int sluice_buffer_info_probe(struct sluice_client *client, struct dma_buf *dmabuf,
				    struct sluice_buffer_info *info)
{
	struct sluice_buffer_info_count count = {};
	struct sluice_slot *slot;
	struct scatterlist *sg;
	int i;

	slot = sluice_slot_create(client, dmabuf, SLUICE_ATTACH_READ);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	for_each_sgtable_dma_sg(slot->sgt, sg, i)
		sluice_buffer_info_add(&count, sg_dma_address(sg), sg_dma_len(sg));
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
	struct sluice_buffer *buffer = sluice_dmabuf_buffer(dmabuf);

	*info = (struct sluice_buffer_info) {
		.fd = info->fd,
		.kind = buffer ? SLUICE_BUFFER_OURS : SLUICE_BUFFER_FOREIGN,
		.properties = buffer ? buffer->properties & ~SLUICE_MEM_CONTIGUOUS : 0,
		.size = dmabuf->size,
		.inode = file_inode(dmabuf->file)->i_ino,
	};
	if (sluice_buffer_info_is_known(sdev, buffer))
		info->error = sluice_buffer_info_look(sdev, buffer, info);
	else
		info->error = sluice_buffer_info_probe(client, dmabuf, info);
	if (!sluice_buffer_info_may_tell())
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
