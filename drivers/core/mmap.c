// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of buffers into processes: see mmap.h.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>

#include "buffer.h"
#include "compat/mm.h"
#include "heap.h"
#include "mmap.h"

/* Pages that a fault maps at once; a power of two. */
#define SLUICE_FAULT_AROUND	16

static struct page *sluice_mmap_page(const struct sluice_buffer *buffer, pgoff_t index)
{
	return buffer->heap->page(buffer, index);
}

static pgoff_t sluice_vma_index(const struct vm_area_struct *vma, unsigned long addr)
{
	return vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
}

/* Can one huge page table entry at this address map memory of the buffer? */
static bool sluice_mmap_huge_fits(const struct sluice_buffer *buffer,
				  const struct vm_area_struct *vma, unsigned long addr)
{
	struct page *page;

	if (!SLUICE_COMPAT_HUGE || !IS_ALIGNED(addr, PMD_SIZE) || addr < vma->vm_start ||
	    vma->vm_end - addr < PMD_SIZE)
		return false;
	page = sluice_mmap_page(buffer, sluice_vma_index(vma, addr));
	/* pieces are compound pages, and so are the huge pages of a memfd */
	return compound_order(compound_head(page)) >= PMD_ORDER &&
	       IS_ALIGNED(page_to_pfn(page), 1UL << PMD_ORDER);
}

static unsigned long sluice_mmap_pfn(const struct sluice_buffer *buffer, pgoff_t index)
{
	/* memory of a device is contiguous, and has no struct page */
	if (!buffer->heap->page)
		return PHYS_PFN(buffer->end + 1 - buffer->size) + index;
	return page_to_pfn(sluice_mmap_page(buffer, index));
}

/**
 * sluice_fault_pfn - fault handler: map one page by its page frame number, and also the pages
 * around it
 * @vmf: a fault in a VM_PFNMAP mapping whose vm_private_data is the buffer
 *
 * For system memory this is needed only where a huge entry is not possible any more, because it
 * was split by mprotect(), or by munmap() of a part.
 *
 * Context: may sleep; mmap_lock is held.
 * Return: VM_FAULT_NOPAGE, or an error of vmf_insert_pfn().
 */
vm_fault_t sluice_fault_pfn(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct sluice_buffer *buffer = vma->vm_private_data;
	unsigned long here = vmf->address & PAGE_MASK;
	unsigned long addr = round_down(here, SLUICE_FAULT_AROUND * PAGE_SIZE);
	unsigned long end = addr + SLUICE_FAULT_AROUND * PAGE_SIZE;
	vm_fault_t ret;

	ret = vmf_insert_pfn(vma, here, sluice_mmap_pfn(buffer, vmf->pgoff));
	if (ret != VM_FAULT_NOPAGE)
		return ret;
	/* the pages around it are optional, so an error does not matter */
	addr = max(addr, vma->vm_start);
	end = min(end, vma->vm_end);
	for (; addr < end; addr += PAGE_SIZE) {
		unsigned long pfn = sluice_mmap_pfn(buffer, sluice_vma_index(vma, addr));

		if (addr != here && vmf_insert_pfn(vma, addr, pfn) != VM_FAULT_NOPAGE)
			break;
	}
	return VM_FAULT_NOPAGE;
}

static vm_fault_t __maybe_unused sluice_fault_huge(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct sluice_buffer *buffer = vma->vm_private_data;
	unsigned long addr = vmf->address & PMD_MASK;
	struct page *page;

	if (order != PMD_ORDER || !sluice_mmap_huge_fits(buffer, vma, addr))
		return VM_FAULT_FALLBACK;
	page = sluice_mmap_page(buffer, sluice_vma_index(vma, addr));
	return sluice_compat_insert_pmd(vmf, page_to_pfn(page));
}

/**
 * sluice_vma_access_length - how many bytes of a mapping may a debugger access?
 * @vma: the mapping
 * @addr: address of the first byte, inside the mapping
 * @length: bytes that the debugger asks for; they may go beyond the mapping
 * @write: not 0 to write, 0 to read
 *
 * Context: any.
 * Return: the number of bytes, or -EFAULT if the mapping is not writable.
 */
int sluice_vma_access_length(const struct vm_area_struct *vma, unsigned long addr, int length,
			     int write)
{
	/*
	 * VM_MAYWRITE is enough only for a private copy.  This memory is shared, so VM_WRITE is
	 * needed
	 */
	if (write && !(vma->vm_flags & VM_WRITE))
		return -EFAULT;
	return min_t(unsigned long, length, vma->vm_end - addr);
}

/*
 * gdb and /proc/PID/mem use this, because the kernel finds no struct page behind such a mapping.
 * It copies one page at most.  The caller calls it again for the rest.
 */
static int sluice_vma_access_pfn(struct vm_area_struct *vma, unsigned long addr, void *data,
				 int length, int write)
{
	struct sluice_buffer *buffer = vma->vm_private_data;
	struct page *page = sluice_mmap_page(buffer, sluice_vma_index(vma, addr));
	void *place;

	length = sluice_vma_access_length(vma, addr, length, write);
	if (length <= 0)
		return length;
	length = min_t(unsigned long, length, PAGE_SIZE - offset_in_page(addr));
	place = kmap_local_page(page);
	if (write)
		memcpy(place + offset_in_page(addr), data, length);
	else
		memcpy(data, place + offset_in_page(addr), length);
	kunmap_local(place);
	if (write)
		flush_dcache_page(page);
	return length;
}

static const struct vm_operations_struct sluice_mmap_pfn_vm_ops = {
	.fault = sluice_fault_pfn,
	.access = sluice_vma_access_pfn,
	SLUICE_COMPAT_HUGE_FAULT(sluice_fault_huge)
};

/* Map the parts that huge entries cannot map, one piece at a time. */
static int sluice_mmap_small(struct sluice_buffer *buffer, struct vm_area_struct *vma)
{
	unsigned long addr, length;
	int ret;

	for (addr = vma->vm_start; addr < vma->vm_end; addr += length) {
		pgoff_t index = sluice_vma_index(vma, addr);
		struct page *page = sluice_mmap_page(buffer, index);
		struct page *head = compound_head(page);

		if (sluice_mmap_huge_fits(buffer, vma, addr)) {
			length = PMD_SIZE;
			continue;
		}
		length = page_size(head) - ((page - head) << PAGE_SHIFT);
		length = min(length, vma->vm_end - addr);
		ret = remap_pfn_range(vma, addr, page_to_pfn(page), length, vma->vm_page_prot);
		if (ret)
			return ret;
	}
	return 0;
}

static vm_fault_t sluice_fault_page(struct vm_fault *vmf)
{
	struct sluice_buffer *buffer = vmf->vma->vm_private_data;

	vmf->page = sluice_mmap_page(buffer, vmf->pgoff);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct sluice_mmap_page_vm_ops = {
	.fault = sluice_fault_page,
};

/**
 * sluice_mmap_pages - map a buffer of scattered memory into a process
 * @buffer: the buffer
 * @vma: the mapping.  It is inside the buffer, and has a reference on the dma-buf.  It may be
 *	private only for cached memory of the pages heap
 *
 * Context: may sleep; mmap_lock is held for writing.
 * Return: 0 or -ENOMEM.
 */
int sluice_mmap_pages(struct sluice_buffer *buffer, struct vm_area_struct *vma)
{
	vma->vm_private_data = buffer;
	/* private: the kernel copies page frames on write only if one call maps the whole VMA */
	if (buffer->properties & SLUICE_MEM_PAGE_BACKED ||
	    !(vma->vm_flags & (VM_SHARED | VM_MAYSHARE))) {
		vma->vm_ops = &sluice_mmap_page_vm_ops;
		return 0;
	}
	vm_flags_set(vma, VM_PFNMAP | VM_IO);
	vma->vm_page_prot = sluice_heap_pgprot(buffer->properties, vma->vm_page_prot);
	vma->vm_ops = &sluice_mmap_pfn_vm_ops;
	return sluice_mmap_small(buffer, vma);
}
