/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: memfds, and the pages in them.
 */
#ifndef _SLUICE_COMPAT_MEMFD_H
#define _SLUICE_COMPAT_MEMFD_H

#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>

/* Is it a file of huge pages?  Not all kernels export their function for this question. */
static inline bool sluice_compat_file_huge(struct file *file)
{
	return IS_ENABLED(CONFIG_HUGETLBFS) && file_inode(file)->i_sb->s_magic == HUGETLBFS_MAGIC;
}

/*
 * The seals of a file, or -EINVAL for a kind of file that has no seals.  Not all kernels export
 * their function for this question.
 */
static inline int sluice_compat_memfd_seals(struct file *file)
{
	struct inode *inode = file_inode(file);

#ifdef CONFIG_HUGETLBFS
	if (sluice_compat_file_huge(file))
		return READ_ONCE(HUGETLBFS_I(inode)->seals);
#endif
	return shmem_file(file) ? READ_ONCE(SHMEM_I(inode)->seals) : -EINVAL;
}

/*
 * Pin the folios behind the bytes @start to @end of a memfd, each once, in order.  @offset is set
 * to the position of @start in the first folio.
 *
 * The unpin marks each folio dirty: a device may have written it, and reclaim would drop pages
 * that are not dirty.
 */
#ifdef SLUICE_HAVE_MEMFD_PIN
#define sluice_compat_memfd_pin	memfd_pin_folios

static inline void sluice_compat_memfd_unpin(struct folio *folio)
{
	if (!folio_test_dirty(folio)) {
		folio_lock(folio);
		folio_mark_dirty(folio);
		folio_unlock(folio);
	}
	unpin_folio(folio);
}
#else
/*
 * 6.1: a reference replaces the pin.  The page then stays where it is, but it is not moved out of
 * movable memory first.
 */
static inline void sluice_compat_memfd_unpin(struct folio *folio)
{
	folio_lock(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
}

static inline struct folio *sluice_compat_memfd_folio(struct file *memfd, pgoff_t index)
{
	struct address_space *mapping = memfd->f_mapping;
	struct folio *folio;
	struct page *page;

#ifdef CONFIG_HUGETLBFS
	if (sluice_compat_file_huge(memfd)) {
		index >>= huge_page_order(hstate_inode(file_inode(memfd)));
		folio = filemap_get_folio(mapping, index);
		return folio ?: ERR_PTR(-ENOMEM);
	}
#endif
	page = shmem_read_mapping_page(mapping, index);
	return IS_ERR(page) ? ERR_CAST(page) : page_folio(page);
}

static inline long sluice_compat_memfd_pin(struct file *memfd, loff_t start, loff_t end,
					   struct folio **folios, unsigned int max,
					   pgoff_t *offset)
{
	pgoff_t index = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	long count = 0;

	while (index <= last && count < max) {
		struct folio *folio = sluice_compat_memfd_folio(memfd, index);
		long i;

		if (IS_ERR(folio)) {
			for (i = 0; i < count; i++)
				sluice_compat_memfd_unpin(folios[i]);
			return PTR_ERR(folio);
		}
		/* the position of a folio in its file is aligned to its size */
		if (!count)
			*offset = (index & (folio_nr_pages(folio) - 1)) << PAGE_SHIFT;
		index = round_down(index, folio_nr_pages(folio)) + folio_nr_pages(folio);
		folios[count++] = folio;
	}
	return count;
}
#endif

#endif /* _SLUICE_COMPAT_MEMFD_H */
