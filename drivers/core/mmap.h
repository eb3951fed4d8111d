/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of scattered memory into processes.  ALLOC chooses one of two ways:
 *
 *	by page frame	the default, and the only way for wrapped memory.  Large pieces get huge
 *			entries where address and length allow them.  The kernel sees no pages in
 *			such a mapping, so O_DIRECT and all else that pins memory fails with
 *			-EFAULT.
 *	page-backed	each entry holds a reference on its page.  Pinned pages live beyond the
 *			end of the buffer.  A pin does not wait for the fences of the buffer: the
 *			program must do that.
 *
 * A private mapping is page-backed, and exists only for cached memory of the pages heap.  A page
 * becomes a copy of the process when the process writes to it.
 *
 * Page frames are mapped by mmap(), except where a huge entry fits.  Huge entries, and pages of
 * page-backed mappings, are mapped by faults.  A mapping holds the dma-buf's file, and therefore
 * the buffer, so no lock is needed here.  System memory is never removed from a mapping; memory of
 * a device may be (heap_bar.c).
 *
 * The pages heap and wrapped memory use sluice_mmap_pages() as their mmap op.  Memory and registers
 * of a device use the helpers.
 */
#ifndef _SLUICE_MMAP_H
#define _SLUICE_MMAP_H

#include <linux/mm.h>

struct sluice_buffer;

/* Bytes from the start of a buffer to an address in a mapping of the buffer. */
static inline u64 sluice_vma_offset(const struct vm_area_struct *vma, unsigned long addr)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
}

int sluice_vma_access_length(const struct vm_area_struct *vma, unsigned long addr, int length,
			     int write);
vm_fault_t sluice_fault_pfn(struct vm_fault *vmf);
int sluice_mmap_pages(struct sluice_buffer *buffer, struct vm_area_struct *vma);

#endif /* _SLUICE_MMAP_H */
