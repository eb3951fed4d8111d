/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of buffers into processes, and helpers for other mappings.
 *
 * A mapping holds the dma-buf's file, and therefore the buffer, so there is no lock.
 */
#ifndef _SLUICE_MMAP_H
#define _SLUICE_MMAP_H

#include <linux/mm.h>
#include <linux/wait.h>

#include "sluice.h"

struct sluice_buffer;

/* Bytes from the start of a buffer to an address in a mapping of the buffer. */
static inline u64 sluice_vma_offset(const struct vm_area_struct *vma, unsigned long addr)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
}

int sluice_vma_access_length(const struct vm_area_struct *vma, unsigned long addr, int length,
			     int write);
vm_fault_t sluice_fault_pfn(struct vm_fault *vmf);
vm_fault_t sluice_fault_wait(struct vm_fault *vmf, wait_queue_head_t *wait, const bool *blocked);
int sluice_mmap_pages(struct sluice_buffer *buffer, struct vm_area_struct *vma);

#endif /* _SLUICE_MMAP_H */
