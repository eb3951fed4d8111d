/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers: memory from a heap or from a memfd, and the account that it is charged to.
 *
 * The node creates buffers.  When a buffer is exported, it belongs to its dma-buf, whose release
 * destroys it.  A heap that needs more fields embeds struct sluice_buffer as the first member of a
 * struct of its own.
 *
 * For debugfs, each buffer is in a list of the CPU that made it, so that CPUs which make buffers do
 * not wait for each other.  The lock of this list guards it.  struct sluice_buffer says which lock
 * guards which of its fields.
 */
#ifndef _SLUICE_BUFFER_H
#define _SLUICE_BUFFER_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/pfn.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "heap.h"

struct device;
struct dma_buf;
struct sg_table;
struct sluice_client;
struct sluice_device;

/**
 * struct sluice_piece - pages of a buffer that are adjacent in memory
 * @pfn: number of the first page frame: enough for 52 bits of address, the most that a CPU has
 * @pages: number of pages, at most SLUICE_PIECE_MOST
 *
 * A struct scatterlist is four times as large.  Only an importer needs one.
 */
struct sluice_piece {
	u64 pfn : 40;
	u64 pages : 24;
};

#define SLUICE_PIECE_MOST	((1UL << 24) - 1)

static inline phys_addr_t sluice_piece_start(const struct sluice_piece *piece)
{
	return PFN_PHYS((phys_addr_t)piece->pfn);
}

static inline u64 sluice_piece_length(const struct sluice_piece *piece)
{
	return (u64)piece->pages << PAGE_SHIFT;
}

static inline unsigned long sluice_piece_pages(const struct sluice_piece *piece)
{
	return piece->pages;
}

static inline struct page *sluice_piece_page(const struct sluice_piece *piece)
{
	return pfn_to_page(piece->pfn);
}

/**
 * struct sluice_buffer - memory behind one of our dma-bufs
 * @sdev: the device; @client holds a reference on it
 * @client: the client that is charged; reference held
 * @heap: the heap that the memory comes from
 * @properties: SLUICE_MEM_* that it has
 * @size: bytes, whole pages
 * @readonly: SLUICE_FD_RDONLY: an importer may not map the buffer with DMA_FROM_DEVICE
 * @cpu: the buffer is in the list of this CPU: see struct sluice_buffer_list
 * @charge: bytes that @client is charged.  More than @size if a part of a huge page keeps the
 *	whole huge page
 * @pieces: the memory in order; each importer gets a table that is made of them
 * @single_piece: used as @pieces if there is only one piece
 * @num_pieces: length of @pieces; 0 for memory inside a device
 * @end: physical address of the highest byte of the memory
 * @dma_alloc: the memory comes from the DMA API, which shares it with the host in a confidential
 *	guest
 * @inode: number of the dma-buf's inode, for debugfs
 * @shown: the dma-buf, for debugfs; valid as long as the buffer
 * @vaddr: kernel mapping, or NULL if there is none yet; under the dma_resv, on older kernels under
 *	the dma-buf's own lock
 * @lock: guards the lists of attachments and mappings
 * @attachments: struct sluice_attachment
 * @mappings: struct sluice_mapping
 * @synced: number of mappings in use that need cache maintenance; written with @lock held, and read
 *	without it
 * @link: in the list of @cpu, for debugfs
 */
struct sluice_buffer {
	struct sluice_device *sdev;
	struct sluice_client *client;
	const struct sluice_heap *heap;
	u32 properties;
	u64 size;
	bool readonly;
	int cpu;
	u64 charge;
	struct sluice_piece *pieces;
	struct sluice_piece single_piece;
	unsigned int num_pieces;
	phys_addr_t end;
	bool dma_alloc;
	u64 inode;
	const struct dma_buf *shown;
	void *vaddr;
	struct mutex lock;
	struct list_head attachments;
	struct list_head mappings;
	unsigned int synced;
	struct list_head link;
};

/**
 * struct sluice_buffer_list - the buffers that tasks on one CPU have made
 * @lock: guards the list.  The release of a dma-buf takes it, so the dma-buf of a buffer in the
 *	list is valid as long as it is held.  A spinlock, because a task that sleeps or is preempted
 *	while it holds a mutex would make all callers of ALLOC and close wait
 * @buffers: struct sluice_buffer; also the marks of readers of debugfs, whose @sdev is NULL
 */
struct sluice_buffer_list {
	spinlock_t lock;
	struct list_head buffers;
};

DECLARE_PER_CPU(struct sluice_buffer_list, sluice_buffer_lists);

/* Set the memory of a buffer that has only one piece, of at most SLUICE_PIECE_MOST pages. */
static inline void sluice_buffer_set_piece(struct sluice_buffer *buffer, phys_addr_t start,
					   unsigned long pages)
{
	buffer->single_piece = (struct sluice_piece) { .pfn = PHYS_PFN(start), .pages = pages };
	buffer->pieces = &buffer->single_piece;
	buffer->num_pieces = 1;
}

void sluice_buffers_init(void);
void sluice_buffer_prepare(struct sluice_buffer *buffer);
struct sluice_buffer *sluice_buffer_new(struct sluice_client *client,
					const struct sluice_heap *heap, u64 size,
					u32 properties, u32 *hint);
int sluice_buffer_charge(struct sluice_buffer *buffer, u64 bytes, u32 *hint);
void sluice_buffer_publish(struct sluice_buffer *buffer);
void sluice_buffer_free(struct sluice_buffer *buffer);
struct sluice_buffer *sluice_buffer_create(struct sluice_client *client,
					   const struct sluice_heap *heap, u64 size,
					   u32 properties, u32 *hint);
void sluice_buffer_destroy(struct sluice_buffer *buffer);
dma_addr_t sluice_buffer_address(const struct sluice_buffer *buffer, struct device *dev,
				 phys_addr_t phys);
bool sluice_buffer_reached(const struct sluice_buffer *buffer, struct device *dev);
bool sluice_buffer_map_shared(const struct sluice_buffer *buffer, struct device *dev,
			      struct sg_table *sgt);

#endif /* _SLUICE_BUFFER_H */
