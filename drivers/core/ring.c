// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completions in memory that userspace maps.  See ring.h.
 */
#include <linux/cache.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <uapi/linux/sluice.h>

#include "compat/mm.h"
#include "ring.h"

/**
 * struct sluice_ring - the kernel's side of a ring
 * @header: the header, at the beginning of the memory
 * @entries: the entries, in the same memory
 * @progress: the progress record, in the same memory
 * @mask: number of entries, a power of two, minus 1
 * @entry_size: bytes of an entry
 * @head: number of completions that were ever written
 * @sequence: number of the progress record; odd while it is being written
 * @num_pages: number of @pages
 * @pages: the pages of the memory
 */
struct sluice_ring {
	struct sluice_ring_header *header;
	void *entries;
	void *progress;
	u32 mask;
	u32 entry_size;
	u32 head;
	u32 sequence;
	unsigned int num_pages;
	struct page *pages[];
};

/* Byte offset of the first entry: behind the header and the progress record. */
static u32 sluice_ring_entries_offset(u32 entry_size)
{
	return ALIGN(sizeof(struct sluice_ring_header) + entry_size, 64);
}

/* Set the fields of the header that never change. */
static void sluice_ring_fill_header(struct sluice_ring *ring)
{
	u32 progress = sizeof(*ring->header);
	u32 entries = sluice_ring_entries_offset(ring->entry_size);

	*ring->header = (struct sluice_ring_header) {
		.magic = SLUICE_RING_MAGIC,
		.header_size = sizeof(*ring->header),
		.entries = entries,
		.entry_size = ring->entry_size,
		.mask = ring->mask,
		.progress = progress,
	};
	ring->progress = (void *)ring->header + progress;
	ring->entries = (void *)ring->header + entries;
}

/**
 * sluice_ring_bytes - how many bytes has the memory of a ring?
 * @depth: number of entries
 * @entry_size: bytes of an entry
 *
 * Context: any.
 * Return: bytes, whole pages.
 */
size_t sluice_ring_bytes(u32 depth, u32 entry_size)
{
	return PAGE_ALIGN(sluice_ring_entries_offset(entry_size) + (size_t)depth * entry_size);
}

/**
 * sluice_ring_create - allocate a ring
 * @depth: number of entries, a power of two
 * @entry_size: bytes of an entry
 *
 * Context: may sleep.
 * Return: the ring, or NULL if there is no memory.
 */
struct sluice_ring *sluice_ring_create(u32 depth, u32 entry_size)
{
	unsigned int i, num_pages = sluice_ring_bytes(depth, entry_size) >> PAGE_SHIFT;
	struct sluice_ring *ring;

	/* each writer has a cache line of its own */
	BUILD_BUG_ON(offsetof(struct sluice_ring_header, head) != 64 ||
		     offsetof(struct sluice_ring_header, tail) != 128 ||
		     sizeof(struct sluice_ring_header) != 192);
	ring = kzalloc(struct_size(ring, pages, num_pages), GFP_KERNEL_ACCOUNT);
	if (!ring)
		return NULL;
	ring->num_pages = num_pages;
	ring->mask = depth - 1;
	ring->entry_size = entry_size;
	for (i = 0; i < num_pages; i++) {
		ring->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!ring->pages[i])
			goto err;
	}
	ring->header = vmap(ring->pages, num_pages, VM_MAP, PAGE_KERNEL);
	if (!ring->header)
		goto err;
	sluice_ring_fill_header(ring);
	return ring;

err:
	sluice_ring_destroy(ring);
	return NULL;
}

/**
 * sluice_ring_destroy - free a ring
 * @ring: the ring, or NULL.  No process has it mapped
 *
 * Context: may sleep.
 */
void sluice_ring_destroy(struct sluice_ring *ring)
{
	unsigned int i;

	if (!ring)
		return;
	vunmap(ring->header);
	/* another part of the kernel, such as io_uring, may still have a reference on a page */
	for (i = 0; i < ring->num_pages && ring->pages[i]; i++)
		put_page(ring->pages[i]);
	kfree(ring);
}

/**
 * sluice_ring_unread - how many completions has userspace not taken?
 * @ring: the ring
 *
 * Context: queue->lock held.
 * Return: the number.  If userspace has written a wrong tail, the number is wrong: any 32-bit
 * number.
 */
u32 sluice_ring_unread(const struct sluice_ring *ring)
{
	/* pairs with the release by userspace, which has read the entries before it */
	return ring->head - smp_load_acquire(&ring->header->tail);
}

/**
 * sluice_ring_has_record - is there a completion or a progress that userspace has not taken?
 * @ring: the ring
 *
 * Context: queue->lock held.
 * Return: true if there is one.
 */
bool sluice_ring_has_record(const struct sluice_ring *ring)
{
	return sluice_ring_unread(ring) ||
	       ring->sequence != READ_ONCE(ring->header->progress_seen);
}

/* Write a record of @entry_size bytes. */
static void sluice_ring_write(const struct sluice_ring *ring, void *to,
			      const struct sluice_completion *record)
{
	/* fields that the kernel does not have are zero since the memory was allocated */
	memcpy(to, record, min_t(size_t, ring->entry_size, sizeof(*record)));
}

/**
 * sluice_ring_put - write a completion
 * @ring: the ring
 * @record: the completion
 *
 * Overwrites an entry that userspace has not read, if userspace has moved its tail back.
 *
 * Context: any; queue->lock held.
 */
void sluice_ring_put(struct sluice_ring *ring, const struct sluice_completion *record)
{
	sluice_ring_write(ring, ring->entries + (ring->head & ring->mask) * ring->entry_size,
			  record);
	/* userspace sees the entry complete if it sees the new head */
	smp_store_release(&ring->header->head, ++ring->head);
}

/**
 * sluice_ring_set_progress - write the progress of a CYCLIC job
 * @ring: the ring
 * @record: the progress, which replaces the one before
 *
 * Context: any; queue->lock held.
 */
void sluice_ring_set_progress(struct sluice_ring *ring, const struct sluice_completion *record)
{
	WRITE_ONCE(ring->header->progress_sequence, ++ring->sequence);
	/* userspace sees an odd number before it sees a part of the new record */
	smp_wmb();
	sluice_ring_write(ring, ring->progress, record);
	/* an even number comes after the whole record */
	smp_store_release(&ring->header->progress_sequence, ++ring->sequence);
}

static vm_fault_t sluice_ring_fault(struct vm_fault *vmf)
{
	struct sluice_ring *ring = vmf->vma->vm_private_data;

	if (vmf->pgoff >= ring->num_pages)
		return VM_FAULT_SIGBUS;
	vmf->page = ring->pages[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct sluice_ring_vm_ops = {
	.fault = sluice_ring_fault,
};

/**
 * sluice_ring_mmap - map a ring into a process
 * @ring: the ring
 * @vma: the mapping; it holds the file of the queue
 *
 * Faults map the pages.
 *
 * Context: may sleep; mmap_lock is held for writing.
 * Return: 0, or -EINVAL if the mapping is private, begins behind the header or is too long.
 */
int sluice_ring_mmap(struct sluice_ring *ring, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_MAYSHARE) || vma->vm_pgoff || vma_pages(vma) > ring->num_pages)
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND);
	vma->vm_private_data = ring;
	vma->vm_ops = &sluice_ring_vm_ops;
	return 0;
}
