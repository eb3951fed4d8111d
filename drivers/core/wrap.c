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
 * @single_page: used as @pages if there is only one page
 */
struct sluice_wrap_buffer {
	struct sluice_buffer base;
	struct page **pages;
	struct page *single_page;
};

static_assert(!offsetof(struct sluice_wrap_buffer, base));

/* Number of pages to pin at a time.  Between two batches, the caller may be killed. */
#define SLUICE_WRAP_BATCH	512UL

/* Number of pages for which WRAP needs no memory to pin them. */
#define SLUICE_WRAP_FEW		8

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

/**
 * struct sluice_wrap_pins - pages that are being pinned
 * @memfd: the file
 * @offset: bytes from the start of the file to the first page
 * @pages: the pages; has room for @count
 * @count: pages to pin
 * @done: pages that are pinned
 * @last: the last folio that is pinned, or NULL
 * @bytes: bytes to charge.  A pinned page counts as its whole folio, because none of it can be
 *	moved
 * @pieces: number of runs of pages that are adjacent in memory
 * @next: number of the page frame behind the last page
 * @top: the highest number of a page frame behind a run
 * @folios: room for the folios of a batch
 * @few: room for few folios
 */
struct sluice_wrap_pins {
	struct file *memfd;
	u64 offset;
	struct page **pages;
	unsigned long count;
	unsigned long done;
	struct folio *last;
	u64 bytes;
	unsigned int pieces;
	unsigned long next;
	unsigned long top;
	struct folio **folios;
	struct folio *few[SLUICE_WRAP_FEW];
};

/*
 * Unpin all folios of the pages.  A folio has one pin, and its pages are adjacent in the array.
 * page_folio() needs a pinned page, so the pin is dropped after the last use of the folio.
 */
static void sluice_wrap_unpin(struct page **pages, unsigned long count)
{
	unsigned long i = 0, end;

	while (i < count) {
		for (end = min(count, i + SLUICE_WRAP_BATCH); i < end; ) {
			struct folio *folio = page_folio(pages[i]);

			if (folio_test_large(folio))
				i += folio_nr_pages(folio) - folio_page_idx(folio, pages[i]);
			else
				i++;
			sluice_compat_memfd_unpin(folio);
		}
		cond_resched();
	}
}

/*
 * Clear pages that fallocate() has allocated and not cleared.  The kernel clears them when the file
 * is read or mapped, but not when they are pinned.
 */
static int sluice_wrap_clear(const struct sluice_wrap_pins *pins, unsigned long first)
{
	pgoff_t start = pins->offset >> PAGE_SHIFT;
	unsigned long i;

	for (i = first; i < pins->done; i++) {
		struct page *page;

		if (folio_test_uptodate(page_folio(pins->pages[i])))
			continue;
		page = shmem_read_mapping_page(pins->memfd->f_mapping, start + i);
		if (IS_ERR(page))
			return PTR_ERR(page);
		put_page(page);
	}
	return 0;
}

/*
 * Note the pages of pinned folios, from page number @first of the first folio on.  Each folio is
 * looked at once, whatever its size.  Returns false if the kernel has not cleared all of them.
 */
static bool sluice_wrap_note(struct sluice_wrap_pins *pins, unsigned long found, pgoff_t first,
			     struct page **end)
{
	struct folio **folios = pins->folios, **last = folios + found - 1;
	struct page **to = pins->pages + pins->done;
	unsigned long next = pins->next, total = 0;
	bool cleared = true;

	/* a folio that began in the previous batch is now pinned twice: drop one pin */
	if (folios[0] == pins->last) {
		sluice_compat_memfd_unpin(folios[0]);
		total -= folio_nr_pages(folios[0]);
	}
	for (; folios <= last; folios++, first = 0) {
		struct folio *folio = *folios;
		unsigned long pages = 1, pfn = folio_pfn(folio) + first;

		if (folio_test_large(folio))
			pages = folio_nr_pages(folio);
		total += pages;
		if (unlikely(pfn != next)) {
			pins->pieces++;
			pins->top = max(pins->top, next);
		}
		next = pfn + 1;
		if (unlikely(!folio_test_uptodate(folio)))
			cleared = false;
		*to++ = folio_page(folio, first);
		for (; unlikely(++first < pages) && to < end; next++)
			*to++ = folio_page(folio, first);
	}
	pins->bytes += (u64)total << PAGE_SHIFT;
	pins->last = *last;
	pins->next = next;
	pins->top = max(pins->top, next);
	pins->done = to - pins->pages;
	return cleared;
}

/* Pin the next pages, at most a batch.  Returns an errno; what is pinned counts in pins->done. */
static int sluice_wrap_pin_batch(struct sluice_wrap_pins *pins)
{
	unsigned long begin = pins->done, max = min(pins->count - begin, SLUICE_WRAP_BATCH);
	u64 start = pins->offset + ((u64)begin << PAGE_SHIFT);
	pgoff_t first;
	long found;

	found = sluice_compat_memfd_pin(pins->memfd, start, start + ((u64)max << PAGE_SHIFT) - 1,
					pins->folios, max, &first);
	if (found <= 0)
		return found ?: -ENOMEM;
	/* hugetlbfs clears its pages itself */
	if (sluice_wrap_note(pins, found, first >> PAGE_SHIFT, pins->pages + begin + max) ||
	    sluice_compat_file_huge(pins->memfd))
		return 0;
	return sluice_wrap_clear(pins, begin);
}

/* Pin all pages, or none and return an errno.  The inode is locked. */
static int sluice_wrap_pin(struct sluice_wrap_pins *pins)
{
	int ret = 0;

	pins->folios = pins->few;
	if (pins->count > SLUICE_WRAP_FEW)
		pins->folios = kmalloc_array(min(pins->count, SLUICE_WRAP_BATCH),
					     sizeof(*pins->folios), GFP_KERNEL);
	if (!pins->folios)
		return -ENOMEM;
	while (!ret && pins->done < pins->count) {
		ret = fatal_signal_pending(current) ? -EINTR : sluice_wrap_pin_batch(pins);
		cond_resched();
	}
	if (pins->folios != pins->few)
		kfree(pins->folios);
	if (!ret)
		return 0;
	sluice_wrap_unpin(pins->pages, pins->done);
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

static int sluice_wrap_pin_checked(struct sluice_buffer *buffer, struct sluice_wrap_pins *pins)
{
	struct inode *inode = file_inode(pins->memfd);
	int ret;

	ret = sluice_wrap_populate(pins->memfd, pins->offset, buffer->size);
	if (ret)
		return ret;
	if (down_read_killable(&inode->i_rwsem))
		return -EINTR;
	ret = sluice_wrap_check(pins->memfd, pins->offset, buffer->size);
	if (!ret)
		ret = sluice_wrap_pin(pins);
	inode_unlock_shared(inode);
	return ret;
}

/*
 * Make the buffer's pieces.  Adjacent pages become one piece, so a huge page is one piece or a part
 * of one.
 */
static int sluice_wrap_make_pieces(struct sluice_buffer *buffer,
				   const struct sluice_wrap_pins *pins)
{
	/* room for runs that are too long for one piece */
	unsigned long i, next, most = pins->pieces + pins->count / SLUICE_PIECE_MOST;
	struct sluice_piece *piece = &buffer->single_piece;
	struct page **pages = pins->pages;

	if (most > 1)
		piece = kvmalloc_array(most, sizeof(*piece), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!piece)
		return -ENOMEM;
	buffer->pieces = piece;
	for (i = 0; i < pins->count; i = next) {
		unsigned long pfn = page_to_pfn(pages[i]) - i;
		unsigned long end = min(pins->count, i + SLUICE_PIECE_MOST);

		for (next = i + 1; next < end; next++)
			if (page_to_pfn(pages[next]) != pfn + next)
				break;
		*piece++ = (struct sluice_piece) { .pfn = pfn + i, .pages = next - i };
	}
	buffer->num_pieces = piece - buffer->pieces;
	return 0;
}

static void sluice_wrap_free_pieces(struct sluice_buffer *buffer)
{
	if (buffer->pieces != &buffer->single_piece)
		kvfree(buffer->pieces);
}

/* Can the device reach all of the memory? */
static int sluice_wrap_reach(const struct sluice_buffer *buffer, u32 *hint)
{
	struct sluice_device *sdev = buffer->sdev;

	if (sdev->translated || sluice_dma_reaches(&sdev->dev, buffer->end))
		return 0;
	dev_dbg(&sdev->dev, "cannot address a memfd's pages up to %pa\n", &buffer->end);
	*hint = sdev->bounced ? SLUICE_HINT_BOUNCED : SLUICE_HINT_DMA_MASK;
	return -EADDRNOTAVAIL;
}

static void sluice_wrap_free_array(struct sluice_wrap_buffer *wrap, struct page **pages)
{
	if (pages != &wrap->single_page)
		kvfree(pages);
}

/* Give a buffer the pages of a memfd.  Returns an error of sluice_wrap_create(). */
static int sluice_wrap_fill(struct sluice_wrap_buffer *wrap, struct file *memfd, u64 offset,
			    u32 *hint)
{
	struct sluice_buffer *buffer = &wrap->base;
	struct sluice_wrap_pins pins = {
		.memfd = memfd,
		.offset = offset,
		.count = buffer->size >> PAGE_SHIFT,
	};
	int ret;

	pins.pages = &wrap->single_page;
	if (pins.count > 1)
		pins.pages = kvmalloc_array(pins.count, sizeof(*pins.pages),
					    GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pins.pages)
		return -ENOMEM;
	ret = sluice_wrap_pin_checked(buffer, &pins);
	if (ret)
		goto err_array;
	ret = sluice_buffer_charge(buffer, pins.bytes - buffer->size, hint);
	if (ret)
		goto err_unpin;
	buffer->end = PFN_PHYS(pins.top) - 1;
	ret = sluice_wrap_reach(buffer, hint);
	if (ret)
		goto err_unpin;
	ret = sluice_wrap_make_pieces(buffer, &pins);
	if (ret)
		goto err_unpin;
	/* the kernel's mapping of all memory is enough for one piece */
	if (buffer->num_pieces == 1 && !PageHighMem(pins.pages[0]))
		buffer->vaddr = page_address(pins.pages[0]);
	wrap->pages = pins.pages;
	return 0;

err_unpin:
	sluice_wrap_unpin(pins.pages, pins.count);
err_array:
	sluice_wrap_free_array(wrap, pins.pages);
	return ret;
}

static struct sluice_wrap_buffer *sluice_wrap_buffer(const struct sluice_buffer *buffer)
{
	return container_of(buffer, struct sluice_wrap_buffer, base);
}

static void sluice_wrap_free(struct sluice_buffer *buffer)
{
	struct sluice_wrap_buffer *wrap = sluice_wrap_buffer(buffer);

	if (is_vmalloc_addr(buffer->vaddr))
		vunmap(buffer->vaddr);
	sluice_wrap_free_pieces(buffer);
	sluice_wrap_unpin(wrap->pages, buffer->size >> PAGE_SHIFT);
	sluice_wrap_free_array(wrap, wrap->pages);
}

/* It can fail only if there is no memory.  It should not fail, so it tries again for a while. */
static int sluice_wrap_vmap(struct sluice_buffer *buffer)
{
	void *vaddr = NULL;
	int tries;

	for (tries = 0; tries < SLUICE_HEAP_VMAP_TRIES && !vaddr; tries++) {
		if (tries)
			schedule_timeout_uninterruptible(tries);
		vaddr = vmap(sluice_wrap_buffer(buffer)->pages, buffer->size >> PAGE_SHIFT,
			     VM_MAP, PAGE_KERNEL);
	}
	WRITE_ONCE(buffer->vaddr, vaddr);
	return vaddr ? 0 : -ENOMEM;
}

static struct page *sluice_wrap_page(const struct sluice_buffer *buffer, pgoff_t index)
{
	return sluice_wrap_buffer(buffer)->pages[index];
}

/* ALLOC cannot use it, so it is in no list of heaps, and has no number. */
static const struct sluice_heap sluice_wrap_heap = {
	.name = SLUICE_HEAP_WRAPPED,
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
	ret = sluice_wrap_fill(sluice_wrap_buffer(buffer), memfd, offset, hint);
	if (ret)
		goto err_free;
	sluice_buffer_publish(buffer);
	return buffer;

err_free:
	sluice_buffer_free(buffer);
	return ERR_PTR(ret);
}
