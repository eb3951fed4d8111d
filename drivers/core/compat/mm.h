/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: pages, and mappings of processes.
 */
#ifndef _SLUICE_COMPAT_MM_H
#define _SLUICE_COMPAT_MM_H

#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#ifdef CONFIG_X86
#include <linux/set_memory.h>
#endif
#ifdef SLUICE_HAVE_PFN_T
#include <linux/pfn_t.h>
#endif
#include <uapi/linux/sluice.h>

#ifndef SLUICE_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/*
 * Do mappings of the kernel at other addresses have cache lines of their own?  Only on some
 * architectures, and they define this macro.
 */
#ifdef ARCH_IMPLEMENTS_FLUSH_KERNEL_VMAP_RANGE
#define SLUICE_COMPAT_VMAP_CACHED	true
#else
#define SLUICE_COMPAT_VMAP_CACHED	false
#endif

/*
 * Memory that the CPU does not cache.  x86 only: the kernel's own mapping of all memory must be of
 * the same kind, and elsewhere it cannot be changed.
 */
#ifdef CONFIG_X86
#define SLUICE_COMPAT_MAPPINGS	(SLUICE_MEM_CACHED | SLUICE_MEM_WRITE_COMBINED | \
				 SLUICE_MEM_UNCACHED)

static inline int sluice_compat_set_memory(void *addr, int count, u32 mapping)
{
	switch (mapping) {
	case SLUICE_MEM_WRITE_COMBINED:
		return set_memory_wc((unsigned long)addr, count);
	case SLUICE_MEM_UNCACHED:
		return set_memory_uc((unsigned long)addr, count);
	default:
		return set_memory_wb((unsigned long)addr, count);
	}
}
#else
#define SLUICE_COMPAT_MAPPINGS	SLUICE_MEM_CACHED

static inline int sluice_compat_set_memory(void *addr, int count, u32 mapping)
{
	return mapping == SLUICE_MEM_CACHED ? 0 : -EOPNOTSUPP;
}
#endif

/* 6.1 */
#ifndef PMD_ORDER
#define PMD_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#endif

/*
 * Huge entries by page frame, if the kernel can distinguish them from huge entries with struct
 * pages.  6.1 cannot.
 */
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
#define SLUICE_COMPAT_HUGE		true
#define SLUICE_COMPAT_HUGE_FAULT(fn)	.huge_fault = fn,

static inline vm_fault_t sluice_compat_insert_pmd(struct vm_fault *vmf, unsigned long pfn)
{
	bool write = vmf->flags & FAULT_FLAG_WRITE;

#ifdef SLUICE_HAVE_PFN_T
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write);
#else
	return vmf_insert_pfn_pmd(vmf, pfn, write);
#endif
}
#else
#define SLUICE_COMPAT_HUGE		false
#define SLUICE_COMPAT_HUGE_FAULT(fn)

static inline vm_fault_t sluice_compat_insert_pmd(struct vm_fault *vmf, unsigned long pfn)
{
	return VM_FAULT_FALLBACK;
}
#endif

/*
 * Lets a debugger access mapped registers (ptrace).  Only where the kernel can map them with the
 * protection of the process's mapping.
 */
#ifdef CONFIG_HAVE_IOREMAP_PROT
#define SLUICE_COMPAT_ACCESS_PHYS	.access = generic_access_phys,
#else
#define SLUICE_COMPAT_ACCESS_PHYS
#endif

/* 6.1: the limit has another name, and is too high by one */
#ifdef MAX_PAGE_ORDER
#define SLUICE_COMPAT_MAX_ORDER	MAX_PAGE_ORDER
#else
#define SLUICE_COMPAT_MAX_ORDER	(MAX_ORDER - 1)
#endif

#ifdef CONFIG_CONTIG_ALLOC
/* At least up to 6.12: the third argument is the type of the pages, not the purpose */
static inline int sluice_compat_alloc_contig_range(unsigned long start, unsigned long end,
						   gfp_t gfp)
{
#ifdef SLUICE_HAVE_ACR_FLAGS
	return alloc_contig_range(start, end, ACR_FLAGS_NONE, gfp);
#else
	return alloc_contig_range(start, end, MIGRATE_MOVABLE, gfp);
#endif
}
#endif

#endif /* _SLUICE_COMPAT_MM_H */
