// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of scattered memory into processes, in two ways (chosen at ALLOC):
 *
 *	by page frame	the default, and the only one of wrapped memory.  Large
 *			pieces are mapped by huge entries where address and length
 *			allow.  The kernel sees no pages there: O_DIRECT and
 *			everything else that pins memory fails with -EFAULT.
 *	page-backed	each entry holds its page.  Whoever pins such memory keeps
 *			it beyond the buffer's end, and does not wait for the
 *			buffer's fences: that is the caller's to order.
 *
 * A private mapping, which only cached memory of the pages heap has, is page-backed, too:
 * it shows the buffer until the process writes to a page, and from then on the process's
 * own copy of that page, as with the kernel's system heap.
 *
 * Page frames are mapped at once, but for what huge entries can map: those come
 * by faults, and so do pages.  A mapping holds the dma-buf's file, and so the
 * buffer; system memory is never taken away from a mapping.  A BAR is: heap_bar.c.
 */
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "core.h"

/* Pages mapped at once when one of them is touched; a power of two. */
#define SLUICE_FAULT_AROUND	16

static struct page *sluice_buffer_page(const struct sluice_buffer *buffer, pgoff_t index)
{
	return buffer->wrapped ? buffer->wrapped[index] : sluice_pages_find(buffer->pages, index);
}

static pgoff_t sluice_vma_index(const struct vm_area_struct *vma, unsigned long addr)
{
	return vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
}

/* Can a huge entry at this address map one piece of the buffer, from its start? */
static bool sluice_huge_fits(const struct sluice_buffer *buffer, const struct vm_area_struct *vma,
			     unsigned long addr)
{
	struct page *page;

	if (!SLUICE_COMPAT_HUGE || !IS_ALIGNED(addr, PMD_SIZE) || addr < vma->vm_start ||
	    vma->vm_end - addr < PMD_SIZE)
		return false;
	page = sluice_buffer_page(buffer, sluice_vma_index(vma, addr));
	/* pieces are compound pages, and so are a memfd's huge ones */
	return compound_order(compound_head(page)) >= PMD_ORDER &&
	       IS_ALIGNED(page_to_pfn(page), 1UL << PMD_ORDER);
}

static unsigned long sluice_buffer_pfn(const struct sluice_buffer *buffer, pgoff_t index)
{
	/* in a BAR: one piece, without pages */
	if (!buffer->pages && !buffer->wrapped)
		return PHYS_PFN(buffer->end + 1 - buffer->size) + index;
	return page_to_pfn(sluice_buffer_page(buffer, index));
}

/**
 * sluice_fault_pfn - map what was touched by page frame, and some neighbours
 * @vmf: a fault in a VM_PFNMAP mapping whose vm_private_data is the buffer
 *
 * Of system memory: what a huge entry was split for (mprotect, munmap of a part).
 */
vm_fault_t sluice_fault_pfn(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct sluice_buffer *buffer = vma->vm_private_data;
	unsigned long here = vmf->address & PAGE_MASK;
	unsigned long addr = round_down(here, SLUICE_FAULT_AROUND * PAGE_SIZE);
	unsigned long end = addr + SLUICE_FAULT_AROUND * PAGE_SIZE;
	vm_fault_t ret;

	ret = vmf_insert_pfn(vma, here, sluice_buffer_pfn(buffer, vmf->pgoff));
	if (ret != VM_FAULT_NOPAGE)
		return ret;
	/* the neighbours are a favour: no matter if one fails */
	addr = max(addr, vma->vm_start);
	end = min(end, vma->vm_end);
	for (; addr < end; addr += PAGE_SIZE) {
		unsigned long pfn = sluice_buffer_pfn(buffer, sluice_vma_index(vma, addr));

		if (addr != here && vmf_insert_pfn(vma, addr, pfn) != VM_FAULT_NOPAGE)
			break;
	}
	return VM_FAULT_NOPAGE;
}

/**
 * sluice_fault_wait - a fault on a device's BAR waits for the end of a reset
 * @vmf: the fault; the file of its mapping keeps @wait and @blocked
 * @wait: woken when @blocked ends
 * @blocked: no CPU may touch the BAR
 *
 * If the fault can be tried again, mmap_lock is dropped for the wait: other threads of the
 * process need it.  A task that is killed does not wait to the end.
 *
 * Context: may sleep; the caller holds no lock but mmap_lock.
 * Return: 0 if @blocked has ended and the fault may go on, else what the fault returns.
 */
vm_fault_t sluice_fault_wait(struct vm_fault *vmf, wait_queue_head_t *wait, const bool *blocked)
{
	struct file *file;

	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if (!fault_flag_allow_retry_first(vmf->flags))
		return wait_event_killable(*wait, !READ_ONCE(*blocked)) ? VM_FAULT_SIGBUS : 0;
	/* a fault under the lock of its mapping alone does not come here: see map_pages */
	file = get_file(vmf->vma->vm_file);
	mmap_read_unlock(vmf->vma->vm_mm);
	/* if it was killed, the caller finds the signal */
	(void)wait_event_killable(*wait, !READ_ONCE(*blocked));
	fput(file);
	return VM_FAULT_RETRY;
}

static vm_fault_t __maybe_unused sluice_fault_huge(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct sluice_buffer *buffer = vma->vm_private_data;
	unsigned long addr = vmf->address & PMD_MASK;
	struct page *page;

	if (order != PMD_ORDER || !sluice_huge_fits(buffer, vma, addr))
		return VM_FAULT_FALLBACK;
	page = sluice_buffer_page(buffer, sluice_vma_index(vma, addr));
	return sluice_compat_insert_pmd(vmf, page_to_pfn(page));
}

/**
 * sluice_vma_access_length - how much of a mapping may a debugger touch at once?
 * @vma: the mapping
 * @addr: from where
 * @length: bytes that are asked for, which may go beyond the mapping
 * @write: to write, else to read
 *
 * Context: any.
 * Return: bytes, or -EFAULT.
 */
int sluice_vma_access_length(const struct vm_area_struct *vma, unsigned long addr, int length,
			     int write)
{
	/* VM_MAYWRITE is not enough: all see what is written */
	if (write && !(vma->vm_flags & VM_WRITE))
		return -EFAULT;
	return min_t(unsigned long, length, vma->vm_end - addr);
}

/*
 * For gdb and /proc/PID/mem: pages that the kernel cannot find behind the mapping.  A
 * page at a time; the caller comes again.
 */
static int sluice_access_pfn(struct vm_area_struct *vma, unsigned long addr, void *data,
			     int length, int write)
{
	struct sluice_buffer *buffer = vma->vm_private_data;
	struct page *page = sluice_buffer_page(buffer, sluice_vma_index(vma, addr));
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

static const struct vm_operations_struct sluice_pfn_vm_ops = {
	.fault = sluice_fault_pfn,
	.access = sluice_access_pfn,
	SLUICE_COMPAT_HUGE_FAULT(sluice_fault_huge)
};

/* Map what no huge entry will, a piece at a time. */
static int sluice_map_small(struct sluice_buffer *buffer, struct vm_area_struct *vma)
{
	unsigned long addr, length;
	int ret;

	for (addr = vma->vm_start; addr < vma->vm_end; addr += length) {
		pgoff_t index = sluice_vma_index(vma, addr);
		struct page *page = sluice_buffer_page(buffer, index);
		struct page *head = compound_head(page);

		if (sluice_huge_fits(buffer, vma, addr)) {
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

	vmf->page = sluice_buffer_page(buffer, vmf->pgoff);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct sluice_page_vm_ops = {
	.fault = sluice_fault_page,
};

/**
 * sluice_mmap_pages - map a buffer of scattered memory into a process
 * @buffer: the buffer
 * @vma: inside the buffer, and holding its dma-buf; private only of the pages heap, cached
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_mmap_pages(struct sluice_buffer *buffer, struct vm_area_struct *vma)
{
	vma->vm_private_data = buffer;
	/* page frames cannot be copied on write, unless all are mapped in one go */
	if (buffer->properties & SLUICE_MEM_PAGE_BACKED ||
	    !(vma->vm_flags & (VM_SHARED | VM_MAYSHARE))) {
		vma->vm_ops = &sluice_page_vm_ops;
		return 0;
	}
	vm_flags_set(vma, VM_PFNMAP | VM_IO);
	vma->vm_page_prot = sluice_mem_pgprot(buffer->properties, vma->vm_page_prot);
	vma->vm_ops = &sluice_pfn_vm_ops;
	return sluice_map_small(buffer, vma);
}
