/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Heaps: kinds of memory.  A device has a list of them: first the heaps of the core, with the same
 * numbers in every device, then those that the device driver has added.
 *
 * The heaps of the core allocate only memory that the device can address, so no mapping needs a
 * bounce buffer.  Their memory may outlive the binding of the device driver.
 *
 * The list does not change after the node has appeared, so it needs no lock.  The code that
 * registers a device makes and frees it.  Any code of the core may call the other functions.
 */
#ifndef _SLUICE_HEAP_H
#define _SLUICE_HEAP_H

#include <linux/mm_types.h>
#include <linux/pgtable.h>
#include <linux/types.h>

#include "sluice.h"

struct dma_buf;
struct dma_buf_ops;
struct file;
struct page;
struct sluice_buffer;
struct sluice_device;
struct vm_area_struct;

/* Bytes of "sluice-<device>-<heap>", the name of a dma-heap node. */
#define SLUICE_HEAP_NAME_LEN	(sizeof("sluice--") + 2 * SLUICE_NAME_LEN)

#define SLUICE_HEAP_WRAPPED	"wrapped"	/* name of the heap of wrapped memory, in no list */

/* Kinds of CPU mapping: a buffer has exactly one of them. */
#define SLUICE_MEM_MAPPINGS	(SLUICE_MEM_CACHED | SLUICE_MEM_COHERENT | \
				 SLUICE_MEM_WRITE_COMBINED | SLUICE_MEM_UNCACHED)

/**
 * struct sluice_heap - a kind of memory
 * @name: name for HEAP_INFO
 * @properties: SLUICE_MEM_* that a buffer has, unless ALLOC asks for one of @options instead
 * @more_properties: optional: SLUICE_MEM_* that a buffer has besides @properties, for properties
 *	that depend on the device
 * @options: SLUICE_MEM_* that ALLOC may ask for
 * @max_size: largest buffer in bytes, for a limit of the heap's own; 0 for none
 * @largest: optional: largest buffer in bytes, for a limit that depends on the machine and the
 *	device
 * @why: optional: SLUICE_HINT_* for a size beyond the limits; without it SLUICE_HINT_LIMIT
 * @maps_private: cached memory may be mapped privately: its mmap op supports this
 * @buffer_size: bytes of the heap's struct of a buffer, whose first member is struct sluice_buffer
 * @alloc: set buffer->pieces (not in device memory) and ->end with buffer->size bytes of zeroed
 *	memory that has buffer->properties.  Sleeps.  On failure it may set *hint.  NULL for
 *	memory that can only be wrapped
 * @make: instead of @alloc and @buffer_size: allocate memory as @alloc does, together with a struct
 *	sluice_buffer, which was zeroed and passed to sluice_buffer_prepare() before its first use,
 *	and in which @make sets the fields of the memory.  Sleeps.
 *	Returns an ERR_PTR on failure.  @free then also frees the struct
 * @free: free the memory of @alloc
 * @vmap: set buffer->vaddr, if @alloc did not.  Sleeps, with the dma_resv held.  It must retry
 *	for a while before it fails, because the dma-buf core warns when the vmap op fails
 * @mmap: map into a process; the caller has checked the range
 * @page: the page at an index, in pages from the start of the buffer; NULL if @mmap does not use
 *	sluice_mmap_pages().  Without it, faults map one piece of memory that ends at buffer->end
 * @cpu_access: optional: the CPU begins to use the memory, or has stopped
 * @dmabuf_ops: ops of its dma-bufs; NULL for the ops of system memory.  Their release must be
 *	sluice_dmabuf_release()
 * @exported: optional: the buffer is a dma-buf now
 * @block: optional: with true, keep all CPUs from the memory until it is called with false.
 *	@revoke is not called in between
 * @revoke: optional: take the memory back from all users, because the device is removed
 * @release: free the heap itself, which belongs to one device; NULL for the heaps of all devices
 */
struct sluice_heap {
	const char *name;
	u32 properties;
	u32 (*more_properties)(const struct sluice_device *sdev);
	u32 options;
	u64 max_size;
	u64 (*largest)(const struct sluice_device *sdev);
	u32 (*why)(const struct sluice_device *sdev, u64 size);
	bool maps_private;
	size_t buffer_size;
	int (*alloc)(struct sluice_buffer *buffer, u32 *hint);
	struct sluice_buffer *(*make)(struct sluice_device *sdev, u64 size, u32 properties,
				      u32 *hint);
	void (*free)(struct sluice_buffer *buffer);
	int (*vmap)(struct sluice_buffer *buffer);
	int (*mmap)(struct sluice_buffer *buffer, struct vm_area_struct *vma);
	struct page *(*page)(const struct sluice_buffer *buffer, pgoff_t index);
	int (*cpu_access)(struct sluice_buffer *buffer, bool begin);
	const struct dma_buf_ops *dmabuf_ops;
	void (*exported)(struct sluice_buffer *buffer, struct dma_buf *dmabuf);
	void (*block)(const struct sluice_heap *heap, bool block);
	void (*revoke)(const struct sluice_heap *heap);
	void (*release)(const struct sluice_heap *heap);
};

#define SLUICE_HEAP_VMAP_TRIES	20	/* tries, with pauses that add up to most of a second */

void sluice_heaps_release(struct sluice_device *sdev);
void sluice_heaps_revoke(struct sluice_device *sdev);
void sluice_heaps_block(struct sluice_device *sdev, bool block);
int sluice_heaps_name(struct sluice_device *sdev);
const char *sluice_heap_exporter(const struct sluice_device *sdev, const struct sluice_heap *heap);
int sluice_heap_add(struct sluice_device *sdev, const struct sluice_heap *heap);
const struct sluice_heap *sluice_heap_get(const struct sluice_device *sdev, unsigned int index);
u64 sluice_heap_max_size(const struct sluice_device *sdev, const struct sluice_heap *heap);
u32 sluice_heap_why(const struct sluice_device *sdev, const struct sluice_heap *heap, u64 size);

/**
 * sluice_heap_properties - properties of a buffer, if ALLOC asks for none
 * @sdev: the device
 * @heap: the heap
 *
 * Context: any.
 * Return: SLUICE_MEM_*.
 */
static inline u32 sluice_heap_properties(const struct sluice_device *sdev,
					 const struct sluice_heap *heap)
{
	return heap->properties | (heap->more_properties ? heap->more_properties(sdev) : 0);
}

/* Protection of a CPU mapping, for one of SLUICE_MEM_MAPPINGS. */
static inline pgprot_t sluice_heap_pgprot(u32 properties, pgprot_t prot)
{
	if (properties & SLUICE_MEM_WRITE_COMBINED)
		return pgprot_writecombine(prot);
	if (properties & SLUICE_MEM_UNCACHED)
		return pgprot_noncached(prot);
	return prot;
}

/* Is it memory inside the device, and not memory of the system? */
static inline bool sluice_heap_is_device(const struct sluice_heap *heap)
{
	return heap->properties & SLUICE_MEM_DEVICE;
}

#endif /* _SLUICE_HEAP_H */
