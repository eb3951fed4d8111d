// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrapped memory: see wrap.h.
 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/falloc.h>	/* on 6.1 it needs the header above */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "buffer.h"
#include "client.h"
#include "compat/memfd.h"
#include "device.h"
#include "dma.h"
#include "heap.h"
#include "mmap.h"
#include "wrap.h"

/**
 * struct sluice_wrap_buffer - a buffer of wrapped memory
 * @base: the buffer
 * @pages: all pages, in order
 */
struct sluice_wrap_buffer {
	struct sluice_buffer base;
	struct page **pages;
};

static_assert(!offsetof(struct sluice_wrap_buffer, base));

/* Number of pages to pin at a time.  Between two batches, the caller may be killed. */
#define SLUICE_WRAP_BATCH	512UL

/* May a range of a file be wrapped?  The answer stays valid while the inode is locked. */
static int sluice_wrap_check(struct file *memfd, u64 offset, u64 size)
{
	fmode_t mode = FMODE_READ | FMODE_WRITE;
	u64 end = i_size_read(file_inode(memfd));
	int seals = sluice_compat_memfd_seals(memfd);

	if (seals < 0)
		return seals;
	/*
	 * needed even for a read-only dma-buf: an importer that maps in both directions may write
	 */
	if ((memfd->f_mode & mode) != mode)
		return -EACCES;
	if (!(seals & F_SEAL_SHRINK) || seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (offset > end || size > end - offset)
		return -ERANGE;
	return 0;
}

/*
 * Unpin @folio, unless @next is a page of it; return the folio of @next.  A folio has one pin, and
 * its pages are adjacent in the array.  page_folio() needs a pinned page, so the pin is dropped
 * only at the first page of another folio.
 */
static struct folio *sluice_wrap_unpin(struct folio *folio, struct page *next)
{
	struct folio *other = next ? page_folio(next) : NULL;

	if (folio && folio != other)
		sluice_compat_memfd_unpin(folio);
	return other;
}

static void sluice_wrap_unpin_all(struct page **pages, unsigned long count)
{
	struct folio *folio = NULL;
	unsigned long i;

	for (i = 0; i < count; i++) {
		folio = sluice_wrap_unpin(folio, pages[i]);
		cond_resched();
	}
	sluice_wrap_unpin(folio, NULL);
}

/*
 * Clear pages that fallocate() has allocated and not cleared.  The kernel clears them when the file
 * is read or mapped, but not when they are pinned.
 */
static int sluice_wrap_clear(struct file *memfd, u64 offset, struct page **pages,
			     unsigned long count)
{
	pgoff_t first = offset >> PAGE_SHIFT;
	unsigned long i;

	if (sluice_compat_file_huge(memfd))	/* hugetlbfs clears its pages itself */
		return 0;
	for (i = 0; i < count; i++) {
		struct page *page;

		if (folio_test_uptodate(page_folio(pages[i])))
			continue;
		page = shmem_read_mapping_page(memfd->f_mapping, first + i);
		if (IS_ERR(page))
			return PTR_ERR(page);
		put_page(page);
	}
	return 0;
}

/*
 * Pin the next pages, at most a batch.  Returns their number, or an errno.  @last is the last folio
 * that has been pinned, or NULL.
 */
static long sluice_wrap_pin_batch(struct file *memfd, u64 offset, struct page **pages,
				  unsigned long max, struct folio **folios, struct folio **last)
{
	unsigned long done = 0;
	pgoff_t first;
	long found, i;

	found = sluice_compat_memfd_pin(memfd, offset, offset + ((u64)max << PAGE_SHIFT) - 1,
					folios, max, &first);
	if (found <= 0)
		return found ?: -ENOMEM;
	for (i = 0; i < found; i++) {
		/* a folio that began in the previous batch is now pinned twice: drop one pin */
		if (folios[i] == *last)
			sluice_compat_memfd_unpin(*last);
		*last = folios[i];
		for (first >>= PAGE_SHIFT; first < folio_nr_pages(*last) && done < max; first++)
			pages[done++] = folio_page(*last, first);
		first = 0;
	}
	return done;
}

/* Pin all pages, or none and return an errno.  The inode is locked. */
static int sluice_wrap_pin(struct file *memfd, u64 offset, struct page **pages,
			   unsigned long count)
{
	struct folio **folios, *last = NULL;
	unsigned long done = 0;
	long ret;

	folios = kmalloc_array(SLUICE_WRAP_BATCH, sizeof(*folios), GFP_KERNEL);
	if (!folios)
		return -ENOMEM;
	while (done < count) {
		ret = -EINTR;
		if (fatal_signal_pending(current))
			goto err_unpin;
		ret = sluice_wrap_pin_batch(memfd, offset + ((u64)done << PAGE_SHIFT), pages + done,
					    min(count - done, SLUICE_WRAP_BATCH), folios, &last);
		if (ret < 0)
			goto err_unpin;
		done += ret;
		cond_resched();
	}
	ret = sluice_wrap_clear(memfd, offset, pages, count);
	if (ret)
		goto err_unpin;
	kfree(folios);
	return 0;

err_unpin:
	sluice_wrap_unpin_all(pages, done);
	kfree(folios);
	return ret == -ENOSPC ? -ENOMEM : ret;
}

/*
 * Fill the holes of a file of huge pages.  A pin would take pages that are reserved for others on
 * 6.12, and would not fill the holes on 6.1.
 */
static int sluice_wrap_populate(struct file *memfd, u64 offset, u64 size)
{
	int ret;

	if (!sluice_compat_file_huge(memfd))
		return 0;
	ret = vfs_fallocate(memfd, FALLOC_FL_KEEP_SIZE, offset, size);
	return ret == -ENOSPC ? -ENOMEM : ret;
}

static int sluice_wrap_pin_checked(struct sluice_buffer *buffer, struct file *memfd, u64 offset,
				   struct page **pages)
{
	struct inode *inode = file_inode(memfd);
	int ret;

	ret = sluice_wrap_populate(memfd, offset, buffer->size);
	if (ret)
		return ret;
	if (down_read_killable(&inode->i_rwsem))
		return -EINTR;
	ret = sluice_wrap_check(memfd, offset, buffer->size);
	if (!ret)
		ret = sluice_wrap_pin(memfd, offset, pages, buffer->size >> PAGE_SHIFT);
	inode_unlock_shared(inode);
	return ret;
}

/* Bytes to charge.  A pinned page counts as its whole folio, because none of it can be moved. */
static u64 sluice_wrap_pinned(struct page **pages, unsigned long count)
{
	struct folio *last = NULL;
	unsigned long i;
	u64 bytes = 0;

	for (i = 0; i < count; i++) {
		struct folio *folio = page_folio(pages[i]);

		if (folio != last)
			bytes += folio_size(folio);
		last = folio;
	}
	return bytes;
}

/* Can the device reach all of the memory?  The buffer has its table. */
static int sluice_wrap_reach(struct sluice_buffer *buffer, u32 *hint)
{
	struct sluice_device *sdev = buffer->sdev;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&buffer->sgt, sg, i)
		buffer->end = max(buffer->end, sg_phys(sg) + sg->length - 1);
	if (sdev->translated || sluice_dma_reaches(&sdev->dev, buffer->end))
		return 0;
	dev_dbg(&sdev->dev, "cannot address a memfd's pages up to %pa\n", &buffer->end);
	*hint = sdev->bounced ? SLUICE_HINT_BOUNCED : SLUICE_HINT_DMA_MASK;
	return -EADDRNOTAVAIL;
}

/* Give a buffer the pages of a memfd.  Returns an error of sluice_wrap_create(). */
static int sluice_wrap_fill(struct sluice_wrap_buffer *wrap, struct file *memfd, u64 offset,
			    u32 *hint)
{
	struct sluice_buffer *buffer = &wrap->base;
	unsigned long count = buffer->size >> PAGE_SHIFT;
	struct page **pages;
	int ret;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pages)
		return -ENOMEM;
	ret = sluice_wrap_pin_checked(buffer, memfd, offset, pages);
	if (ret)
		goto err_array;
	ret = sluice_buffer_charge(buffer, sluice_wrap_pinned(pages, count) - buffer->size, hint);
	if (ret)
		goto err_unpin;
	/* adjacent pages become one piece, so a huge page is one piece or a part of one */
	ret = sg_alloc_table_from_pages(&buffer->sgt, pages, count, 0, buffer->size,
					GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_unpin;
	ret = sluice_wrap_reach(buffer, hint);
	if (ret)
		goto err_table;
	/* the kernel's mapping of all memory is enough for one piece */
	if (buffer->sgt.nents == 1 && !PageHighMem(pages[0]))
		buffer->vaddr = page_address(pages[0]);
	wrap->pages = pages;
	return 0;

err_table:
	sg_free_table(&buffer->sgt);
err_unpin:
	sluice_wrap_unpin_all(pages, count);
err_array:
	kvfree(pages);
	return ret;
}

static struct page **sluice_wrap_pages(const struct sluice_buffer *buffer)
{
	return container_of(buffer, struct sluice_wrap_buffer, base)->pages;
}

static void sluice_wrap_free(struct sluice_buffer *buffer)
{
	struct page **pages = sluice_wrap_pages(buffer);

	if (is_vmalloc_addr(buffer->vaddr))
		vunmap(buffer->vaddr);
	sg_free_table(&buffer->sgt);
	sluice_wrap_unpin_all(pages, buffer->size >> PAGE_SHIFT);
	kvfree(pages);
}

/* It can fail only if there is no memory.  It should not fail, so it tries again for a while. */
static int sluice_wrap_vmap(struct sluice_buffer *buffer)
{
	void *vaddr = NULL;
	int tries;

	for (tries = 0; tries < SLUICE_HEAP_VMAP_TRIES && !vaddr; tries++) {
		if (tries)
			schedule_timeout_uninterruptible(tries);
		vaddr = vmap(sluice_wrap_pages(buffer), buffer->size >> PAGE_SHIFT, VM_MAP,
			     PAGE_KERNEL);
	}
	WRITE_ONCE(buffer->vaddr, vaddr);
	return vaddr ? 0 : -ENOMEM;
}

static struct page *sluice_wrap_page(const struct sluice_buffer *buffer, pgoff_t index)
{
	return sluice_wrap_pages(buffer)[index];
}

/* ALLOC cannot use it, so it is in no list of heaps, and has no number. */
static const struct sluice_heap sluice_wrap_heap = {
	.name = "wrapped",
	.properties = SLUICE_MEM_CACHED,
	.buffer_size = sizeof(struct sluice_wrap_buffer),
	.free = sluice_wrap_free,
	.vmap = sluice_wrap_vmap,
	.mmap = sluice_mmap_pages,
	.page = sluice_wrap_page,
};

/**
 * sluice_wrap_create - make a buffer of a memfd's pages
 * @client: the client that is charged
 * @memfd: the file
 * @offset: bytes from the start of the file, whole pages
 * @size: bytes, whole pages
 * @hint: SLUICE_HINT_*, set on failure
 *
 * Context: may sleep without a time limit, while another task holds the lock of the file's inode.
 * Return: the buffer, or an ERR_PTR:
 *
 *	-EACCES		the file is not open for reading and writing
 *	-EADDRNOTAVAIL	the device cannot address the pages
 *	-EDQUOT		a limit of the account is exceeded
 *	-EFBIG		it is larger than any buffer of the device
 *	-EINTR		the task was killed; or a signal arrived while a huge page was allocated
 *	-EINVAL		it is a file of neither tmpfs nor hugetlbfs
 *	-ENOMEM		no memory, or no huge page for a hole
 *	-EPERM		F_SEAL_SHRINK is missing, or there is a seal against writing
 *	-ERANGE		the range is not inside the file
 *	others		what the kernel returned for the file
 */
struct sluice_buffer *sluice_wrap_create(struct sluice_client *client, struct file *memfd,
					 u64 offset, u64 size, u32 *hint)
{
	struct sluice_buffer *buffer;
	int ret;

	/* a file that cannot be wrapped is reported before a limit */
	ret = sluice_wrap_check(memfd, offset, size);
	if (ret)
		return ERR_PTR(ret);
	if (size > sluice_heap_max_size(client->sdev, &sluice_wrap_heap)) {
		*hint = SLUICE_HINT_LIMIT;
		return ERR_PTR(-EFBIG);
	}
	buffer = sluice_buffer_new(client, &sluice_wrap_heap, size, sluice_wrap_heap.properties,
				   hint);
	if (IS_ERR(buffer))
		return buffer;
	ret = sluice_wrap_fill(container_of(buffer, struct sluice_wrap_buffer, base), memfd, offset,
			       hint);
	if (ret)
		goto err_free;
	sluice_buffer_publish(buffer);
	return buffer;

err_free:
	sluice_buffer_free(buffer);
	return ERR_PTR(ret);
}
