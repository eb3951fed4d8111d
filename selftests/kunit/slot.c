// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: a cursor over a slot's segments, and exporters that behave like no module of the lab.
 * Included by drivers/core/slot.c.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/prandom.h>

#include "buffer_info.h"
#include "dispatch.h"
#include "engine.h"
#include "flight.h"
#include "program.h"
#include "queue.h"
#include "resv.h"

#define CURSOR_SEGMENTS	40

/* Make segments with gaps between them.  Returns the sum of their bytes. */
static u64 cursor_table(struct kunit *test, struct sg_table *sgt, struct rnd_state *rnd)
{
	dma_addr_t address = 1ULL << 40;
	struct scatterlist *sg;
	u64 size = 0;
	int i;

	KUNIT_ASSERT_EQ(test, sg_alloc_table(sgt, CURSOR_SEGMENTS, GFP_KERNEL), 0);
	for_each_sgtable_sg(sgt, sg, i) {
		sg_dma_address(sg) = address;
		sg_dma_len(sg) = PAGE_SIZE * (1 + prandom_u32_state(rnd) % 7);
		size += sg_dma_len(sg);
		address += sg_dma_len(sg) + PAGE_SIZE * (prandom_u32_state(rnd) % 3);
	}
	return size;
}

/* Find the same address by a walk over all segments. */
static dma_addr_t cursor_reference(struct sg_table *sgt, u64 offset, size_t *left)
{
	struct scatterlist *sg;
	u64 start = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (offset < start + sg_dma_len(sg)) {
			*left = start + sg_dma_len(sg) - offset;
			return sg_dma_address(sg) + (offset - start);
		}
		start += sg_dma_len(sg);
	}
	*left = 0;
	return 0;
}

static void cursor_finds_every_offset(struct kunit *test)
{
	struct sluice_cursor cursor;
	struct sluice_slot *slot;
	struct rnd_state rnd;
	struct sg_table sgt;
	u64 size, offset;
	size_t left;

	prandom_seed_state(&rnd, 2);
	size = cursor_table(test, &sgt, &rnd);
	slot = kunit_kzalloc(test, sizeof(*slot), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slot);
	slot->sgt = &sgt;
	for (offset = 0; offset < size; offset += 1 + prandom_u32_state(&rnd) % 700) {
		sluice_cursor_init(&cursor, slot, offset);
		KUNIT_EXPECT_EQ(test, sluice_cursor_address(&cursor),
				cursor_reference(&sgt, offset, &left));
		KUNIT_EXPECT_EQ(test, sluice_cursor_left(&cursor), left);
	}
	sluice_cursor_init(&cursor, slot, size - 1);
	KUNIT_EXPECT_EQ(test, sluice_cursor_left(&cursor), 1);
	sg_free_table(&sgt);
}

static void cursor_advances_by_any_step(struct kunit *test)
{
	struct sluice_cursor cursor;
	struct sluice_slot *slot;
	struct rnd_state rnd;
	struct sg_table sgt;
	unsigned int round;
	u64 size, offset;
	size_t left;

	prandom_seed_state(&rnd, 3);
	size = cursor_table(test, &sgt, &rnd);
	slot = kunit_kzalloc(test, sizeof(*slot), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slot);
	slot->sgt = &sgt;
	for (round = 0; round < 20; round++) {
		/* in some rounds each step ends at the end of a segment */
		offset = 0;
		sluice_cursor_init(&cursor, slot, 0);
		while (offset < size) {
			size_t step = prandom_u32_state(&rnd) % 30000;

			KUNIT_ASSERT_EQ(test, sluice_cursor_address(&cursor),
					cursor_reference(&sgt, offset, &left));
			KUNIT_ASSERT_EQ(test, sluice_cursor_left(&cursor), left);
			if (round % 2)
				step = left;
			step = min_t(u64, step, size - offset);
			sluice_cursor_advance(&cursor, step);
			offset += step;
		}
		KUNIT_EXPECT_PTR_EQ(test, cursor.sg, NULL);
	}
	sg_free_table(&sgt);
}

/* Where may a segment begin and end, if the device moves 8 bytes at a time? */
static void segments_end_where_ops_may(struct kunit *test)
{
	struct sluice_device *sdev = kunit_kzalloc(test, sizeof(*sdev), GFP_KERNEL);
	struct scatterlist sg = {};

	KUNIT_ASSERT_NOT_NULL(test, sdev);
	sdev->op_align = 8;
	sg_dma_address(&sg) = 0x1008;
	sg_dma_len(&sg) = 24;
	KUNIT_EXPECT_TRUE(test, sluice_slot_segment_aligned(sdev, &sg, false));
	sg_dma_len(&sg) = 20;
	KUNIT_EXPECT_FALSE(test, sluice_slot_segment_aligned(sdev, &sg, false));
	KUNIT_EXPECT_TRUE(test, sluice_slot_segment_aligned(sdev, &sg, true));
	sg_dma_address(&sg) = 0x1004;
	KUNIT_EXPECT_FALSE(test, sluice_slot_segment_aligned(sdev, &sg, true));
	sdev->cpu_engines = true;
	KUNIT_EXPECT_TRUE(test, sluice_slot_segment_aligned(sdev, &sg, true));
}

static struct kunit_case cursor_cases[] = {
	KUNIT_CASE(segments_end_where_ops_may),
	KUNIT_CASE(cursor_finds_every_offset),
	KUNIT_CASE(cursor_advances_by_any_step),
	{ }
};

static struct kunit_suite cursor_suite = {
	.name = "sluice-cursor",
	.test_cases = cursor_cases,
};

#define ODD_PAGES	3

/* The special behaviour of an exporter. */
struct odd_buffer {
	struct page *page[ODD_PAGES];
	unsigned int mapped;	/* pages that it maps */
	bool iomem;		/* its kernel mapping is I/O memory */
	bool moves;		/* can move its memory while it is not pinned */
	int pin_error;		/* errno of a pin */
	int map_error;		/* errno of a map */
	gfp_t zone;		/* zone of its memory */
	u64 mask;		/* DMA mask of the importing device; 0: all addresses */
	int *pins;		/* number of pins */
	int *settled;		/* number of first pins of movable memory */
	int *loose;		/* number of mappings of memory that was not pinned */
};

static struct sg_table *odd_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct odd_buffer *odd = attach->dmabuf->priv;
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i, ret;

	if (odd->map_error)
		return ERR_PTR(odd->map_error);
	if (odd->loose && !*odd->pins)
		++*odd->loose;
	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(sgt, odd->mapped, GFP_KERNEL);
	if (ret)
		goto err_free;
	for_each_sgtable_sg(sgt, sg, i)
		sg_set_page(sg, odd->page[i], PAGE_SIZE, 0);
	ret = dma_map_sgtable(attach->dev, sgt, dir, 0);
	if (ret)
		goto err_table;
	return sgt;

err_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void odd_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static int odd_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct odd_buffer *odd = dmabuf->priv;
	void *vaddr = page_address(odd->page[0]);

	if (odd->iomem)
		iosys_map_set_vaddr_iomem(map, (void __iomem *)vaddr);
	else
		iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void odd_release(struct dma_buf *dmabuf)
{
	struct odd_buffer *odd = dmabuf->priv;
	unsigned int i;

	for (i = 0; i < ODD_PAGES; i++)
		__free_page(odd->page[i]);
	kfree(odd);
}

static const struct dma_buf_ops odd_dmabuf_ops = {
	.map_dma_buf = odd_map,
	.unmap_dma_buf = odd_unmap,
	.vmap = odd_vmap,
	.release = odd_release,
};

/*
 * A first pin may move the memory, so every importer is told, even the one that pins.  Older
 * kernels (6.1, 6.12) also pin for each mapping.
 */
static int odd_pin(struct dma_buf_attachment *attach)
{
	struct odd_buffer *odd = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (odd->pin_error)
		return odd->pin_error;
	if ((*odd->pins)++)
		return 0;
	dma_buf_invalidate_mappings(attach->dmabuf);
	if (odd->settled)
		++*odd->settled;
	return 0;
}

static void odd_unpin(struct dma_buf_attachment *attach)
{
	struct odd_buffer *odd = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	--*odd->pins;
}

static const struct dma_buf_ops odd_moving_ops = {
	.pin = odd_pin,
	.unpin = odd_unpin,
	.map_dma_buf = odd_map,
	.unmap_dma_buf = odd_unmap,
	.vmap = odd_vmap,
	.release = odd_release,
};

static const struct sluice_device_ops odd_device_ops;

static struct workqueue_struct *odd_wq;

static struct device *odd_narrow;
static u64 odd_mask;

static void odd_forget(void *data)
{
	struct sluice_device *sdev = data;

	sluice_flight_free(&sdev->engines[0]);
	sluice_slot_device_free(sdev);
	percpu_ref_exit(&sdev->users);
}

static long odd_users(struct sluice_device *sdev)
{
	return atomic_long_read(&sdev->users.data->count);
}

/* Bytes that the client holds before it attaches. */
static s64 odd_held;

/* Open a device with the DMA mask of @how. */
static struct sluice_client *odd_client(struct kunit *test, const struct odd_buffer *how)
{
	const struct sluice_engine_caps caps = { .op_align = 4 };
	struct sluice_client *client;
	struct sluice_device *sdev;

	sdev = kunit_kzalloc(test, sizeof(*sdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sdev);
	sdev->engines = kunit_kcalloc(test, 1, sizeof(*sdev->engines), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sdev->engines);
	odd_mask = how->mask;
	sdev->ops = &odd_device_ops;
	sdev->parent = how->mask ? odd_narrow : sluice_dma_probe_device();
	KUNIT_ASSERT_EQ(test, sluice_device_users_init(sdev, PERCPU_REF_INIT_ATOMIC), 0);
	client = kunit_kzalloc(test, struct_size(client, hangs, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, client);
	client->sdev = sdev;
	atomic64_set(&client->account.bytes, odd_held);
	sdev->reap_wq = odd_wq;
	KUNIT_ASSERT_EQ(test, sluice_slot_device_init(sdev), 0);
	sdev->wq = odd_wq;
	sdev->cpu_engines = !how->mask;
	sdev->op_align = 1;
	KUNIT_ASSERT_EQ(test, sluice_dispatch_init(&sdev->engines[0], sdev, 0, &caps), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, odd_forget, sdev), 0);
	return client;
}

static struct dma_buf *odd_dmabuf(struct kunit *test, const struct odd_buffer *how)
{
	struct odd_buffer *odd = kmemdup(how, sizeof(*how), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, odd);
	for (i = 0; i < ODD_PAGES; i++) {
		odd->page[i] = alloc_page(GFP_KERNEL | odd->zone);
		KUNIT_ASSERT_NOT_NULL(test, odd->page[i]);
	}
	info.ops = odd->moves ? &odd_moving_ops : &odd_dmabuf_ops;
	info.size = ODD_PAGES * PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = odd;
	dmabuf = dma_buf_export(&info);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dmabuf));
	return dmabuf;
}

static struct sluice_slot *odd_slot(struct kunit *test, const struct odd_buffer *how)
{
	struct sluice_client *client = odd_client(test, how);
	struct sluice_device *sdev = client->sdev;
	struct dma_buf *dmabuf = odd_dmabuf(test, how);
	struct sluice_slot *slot = sluice_slot_create(client, dmabuf, 0);

	dma_buf_put(dmabuf);
	/* a refused slot must leave nothing behind */
	KUNIT_EXPECT_EQ(test, odd_users(sdev), IS_ERR(slot) ? 1 : 2);
	KUNIT_EXPECT_EQ(test, atomic64_read(&client->account.bytes),
			odd_held + (IS_ERR(slot) ? 0 : ODD_PAGES * PAGE_SIZE));
	return slot;
}

/* As the operation of a queue, but the last reference frees nothing. */
static void odd_revoke(struct sluice_slot_owner *owner, struct sluice_slot *slot)
{
	struct sluice_queue *queue = container_of(owner, struct sluice_queue, slots.owner);

	kref_get(&queue->ref);
	sluice_engine_revoke(queue->entity.engine, slot);
}

static void odd_unmapped(struct sluice_slot_owner *owner, struct sluice_slot *slot)
{
	struct sluice_queue *queue = container_of(owner, struct sluice_queue, slots.owner);

	sluice_slot_table_drop_revoked(&queue->slots, slot);
	refcount_dec(&queue->ref.refcount);
}

static const struct sluice_slot_owner_ops odd_owner_ops = {
	.revoke = odd_revoke,
	.unmapped = odd_unmapped,
};

/* Make a queue without jobs. */
static struct sluice_queue *odd_queue(struct kunit *test, struct sluice_device *sdev)
{
	struct sluice_queue *queue = kunit_kzalloc(test, sizeof(*queue), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, queue);
	kref_init(&queue->ref);
	queue->entity.engine = &sdev->engines[0];
	queue->sdev = sdev;
	queue->timeline.context = dma_fence_context_alloc(1);
	strscpy(queue->timeline.name, "odd", sizeof(queue->timeline.name));
	sluice_slot_table_init(&queue->slots, &odd_owner_ops, &queue->timeline);
	return queue;
}

static void odd_short_table_is_EINVAL(struct kunit *test)
{
	struct odd_buffer how = { .mapped = ODD_PAGES - 1 };

	KUNIT_EXPECT_EQ(test, PTR_ERR(odd_slot(test, &how)), -EINVAL);
}

static void odd_kernel_mapping_is_EOPNOTSUPP(struct kunit *test)
{
	struct odd_buffer how = { .mapped = ODD_PAGES, .iomem = true };

	KUNIT_EXPECT_EQ(test, PTR_ERR(odd_slot(test, &how)), -EOPNOTSUPP);
}

/* dma-debug checks that each synced part lies in one segment, and was mapped. */
static void odd_segments_are_synced_where_they_are(struct kunit *test)
{
	struct odd_buffer how = { .mapped = ODD_PAGES };
	struct sluice_slot *slot = odd_slot(test, &how);
	u64 size = ODD_PAGES * PAGE_SIZE, offset;

	KUNIT_ASSERT_FALSE(test, IS_ERR(slot));
	for (offset = 0; offset < size; offset += 1020) {
		sluice_slot_sync(slot, offset, size - offset, true);
		sluice_slot_sync(slot, offset, min(size - offset, PAGE_SIZE), false);
	}
	sluice_slot_put(slot);
}

static void odd_memory_is_pinned_as_long_as_the_slot_is(struct kunit *test)
{
	int pins = 0;
	struct odd_buffer how = { .mapped = ODD_PAGES, .moves = true, .pins = &pins };
	struct sluice_slot *slot = odd_slot(test, &how);

	KUNIT_ASSERT_FALSE(test, IS_ERR(slot));
	KUNIT_EXPECT_GT(test, pins, 0);
	/* the pin told the slot of a move, but did not revoke it */
	KUNIT_EXPECT_FALSE(test, sluice_slot_revoked(slot));
	sluice_slot_put(slot);
	KUNIT_EXPECT_EQ(test, pins, 0);
}

static void odd_refusal_to_pin_is_EPERM(struct kunit *test)
{
	static const struct { int exporter, slot; } cases[] = {
		{ -EOPNOTSUPP, -EPERM },
		{ -EINVAL, -EPERM },
		/* these errors are no refusal */
		{ -ENOMEM, -ENOMEM },
		{ -ENODEV, -ENODEV },
		{ -EBUSY, -EBUSY },
	};
	unsigned int i;
	int pins = 0;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct odd_buffer how = {
			.mapped = ODD_PAGES, .moves = true, .pins = &pins,
			.pin_error = cases[i].exporter,
		};

		KUNIT_EXPECT_EQ(test, PTR_ERR(odd_slot(test, &how)), cases[i].slot);
		KUNIT_EXPECT_EQ(test, pins, 0);
	}
}

/* A device with 24 bits must check the addresses of memory after it has pinned it. */
static void odd_memory_is_pinned_before_it_is_looked_at(struct kunit *test)
{
	int pins = 0, settled = 0, loose = 0;
	struct odd_buffer how = {
		.mapped = ODD_PAGES, .moves = true, .zone = GFP_DMA, .mask = DMA_BIT_MASK(24),
		.pins = &pins, .settled = &settled, .loose = &loose,
	};
	struct sluice_slot *slot = odd_slot(test, &how);

	KUNIT_ASSERT_FALSE(test, IS_ERR(slot));
	KUNIT_EXPECT_EQ(test, settled, 1);
	KUNIT_EXPECT_EQ(test, loose, 0);
	KUNIT_EXPECT_GT(test, pins, 0);
	sluice_slot_put(slot);
	KUNIT_EXPECT_EQ(test, pins, 0);
}

static void odd_memory_out_of_reach_is_unpinned_again(struct kunit *test)
{
	int pins = 0, settled = 0, loose = 0;
	struct odd_buffer how = {
		.mapped = ODD_PAGES, .moves = true, .mask = DMA_BIT_MASK(16),
		.pins = &pins, .settled = &settled, .loose = &loose,
	};

	KUNIT_EXPECT_EQ(test, PTR_ERR(odd_slot(test, &how)), -EADDRNOTAVAIL);
	KUNIT_EXPECT_EQ(test, settled, 1);
	KUNIT_EXPECT_EQ(test, loose, 0);
	KUNIT_EXPECT_EQ(test, pins, 0);
	/* the same with an exporter that cannot move its memory */
	how.moves = false;
	how.loose = NULL;
	KUNIT_EXPECT_EQ(test, PTR_ERR(odd_slot(test, &how)), -EADDRNOTAVAIL);
	/* the mapping for the probe fails */
	how.moves = true;
	how.map_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, PTR_ERR(odd_slot(test, &how)), -ENOMEM);
	KUNIT_EXPECT_EQ(test, pins, 0);
}

static void odd_memory_is_charged_as_long_as_the_slot_is(struct kunit *test)
{
	int pins = 0;
	struct odd_buffer how = { .mapped = ODD_PAGES, .moves = true, .pins = &pins };
	struct sluice_client *client;
	struct sluice_slot *slot;

	odd_held = sluice_account_open_limit() - ODD_PAGES * PAGE_SIZE;
	slot = odd_slot(test, &how);
	KUNIT_ASSERT_FALSE(test, IS_ERR(slot));
	client = slot->client;
	sluice_slot_put(slot);
	KUNIT_EXPECT_EQ(test, atomic64_read(&client->account.bytes), odd_held);
	/* one byte more is over the limit: the memory is not even pinned */
	odd_held++;
	how.map_error = -EIO;
	KUNIT_EXPECT_EQ(test, PTR_ERR(odd_slot(test, &how)), -EDQUOT);
	KUNIT_EXPECT_EQ(test, pins, 0);
	odd_held = 0;
}

static void odd_short_table_is_unpinned_again(struct kunit *test)
{
	int pins = 0;
	struct odd_buffer how = { .mapped = ODD_PAGES - 1, .moves = true, .pins = &pins };

	KUNIT_EXPECT_EQ(test, PTR_ERR(odd_slot(test, &how)), -EINVAL);
	KUNIT_EXPECT_EQ(test, pins, 0);
}

/* The exporter takes the memory back. */
static void odd_take_back(struct sluice_slot *slot)
{
	dma_resv_lock(slot->dmabuf->resv, NULL);
	dma_buf_invalidate_mappings(slot->dmabuf);
	dma_resv_unlock(slot->dmabuf->resv);
}

/* Wait until the engine has released the memory that is taken back, and it is unmapped. */
static void odd_flush(struct sluice_device *sdev)
{
	flush_work(&sdev->engines[0].work);
	flush_work(&sdev->slots->work);
}

static void odd_memory_taken_back_early_is_not_bound(struct kunit *test)
{
	int pins = 0;
	struct odd_buffer how = { .mapped = ODD_PAGES, .moves = true, .pins = &pins };
	struct sluice_slot *slot = odd_slot(test, &how);

	KUNIT_ASSERT_FALSE(test, IS_ERR(slot));
	odd_take_back(slot);
	KUNIT_EXPECT_TRUE(test, sluice_slot_revoked(slot));
	KUNIT_EXPECT_EQ(test, sluice_slot_bind(slot, &odd_queue(test, slot->sdev)->slots.owner, 0), -ENODEV);
	sluice_slot_put(slot);
	KUNIT_EXPECT_EQ(test, pins, 0);
}

/* The engine releases the slot, then it is unmapped, although the table still has it. */
static void odd_memory_taken_back_is_unmapped(struct kunit *test)
{
	int pins = 0;
	struct odd_buffer how = { .mapped = ODD_PAGES, .moves = true, .pins = &pins };
	struct sluice_slot *slot = odd_slot(test, &how);
	struct sluice_queue *queue;
	struct sluice_device *sdev;
	struct dma_fence *gone;

	KUNIT_ASSERT_FALSE(test, IS_ERR(slot));
	sdev = slot->sdev;
	queue = odd_queue(test, sdev);
	xa_store(&queue->slots.slots, 0, slot, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, sluice_slot_bind(slot, &queue->slots.owner, 0), 0);
	gone = dma_fence_get(slot->gone);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(gone));
	odd_take_back(slot);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(gone, false, HZ * 10) > 0, true);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(gone), -ENODEV);
	dma_fence_put(gone);
	odd_flush(sdev);
	KUNIT_EXPECT_EQ(test, pins, 0);
	/* its number is not given to another slot */
	KUNIT_EXPECT_PTR_EQ(test, xa_load(&queue->slots.slots, 0), (void *)SLUICE_SLOT_TABLE_REVOKED);
	KUNIT_EXPECT_EQ(test, kref_read(&queue->ref), 1);
	KUNIT_EXPECT_EQ(test, odd_users(sdev), 1);
	sluice_slot_table_destroy(&queue->slots);
	sluice_dispatch_fini(&sdev->engines[0]);
}

/* Put the fence of a job on the buffer, and return it with a reference for the caller. */
static struct dma_fence *odd_queue_fence(struct kunit *test, struct sluice_queue *queue,
					 struct dma_buf *dmabuf)
{
	struct dma_fence *fence = sluice_fence_create(&queue->timeline);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	sluice_fence_init(fence, queue->timeline.context, 1);
	dma_resv_lock(dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(dmabuf->resv, 1), 0);
	dma_resv_add_fence(dmabuf->resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(dmabuf->resv);
	return fence;
}

/* Is the fence on the buffer?  The dma_resv is held. */
static bool odd_stands_on(struct dma_buf *dmabuf, struct dma_fence *fence)
{
	struct dma_resv_iter cursor;
	struct dma_fence *other;

	dma_resv_for_each_fence(&cursor, dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, other)
		if (other == fence)
			return true;
	return false;
}

/* An exporter without a pin op, such as VFIO, also takes memory back.  It must not wait for jobs. */
static void odd_memory_without_pins_is_taken_back(struct kunit *test)
{
	struct odd_buffer how = { .mapped = ODD_PAGES };
	struct sluice_slot *slot = odd_slot(test, &how);
	struct sluice_queue *queue;
	struct sluice_device *sdev;
	struct dma_buf *dmabuf;
	struct dma_fence *fence, *gone;

	KUNIT_ASSERT_FALSE(test, IS_ERR(slot));
	sdev = slot->sdev;
	dmabuf = slot->dmabuf;
	queue = odd_queue(test, sdev);
	KUNIT_ASSERT_EQ(test, sluice_slot_bind(slot, &queue->slots.owner, 0), 0);
	if (!slot->attach->importer_ops) {
		sluice_slot_put(slot);
		sluice_dispatch_fini(&sdev->engines[0]);
		kunit_skip(test, "importers of static memory learn of nothing in this kernel");
	}
	fence = odd_queue_fence(test, queue, dmabuf);
	gone = dma_fence_get(slot->gone);
	KUNIT_ASSERT_NOT_NULL(test, gone);
	get_dma_buf(dmabuf);
	odd_take_back(slot);
	dma_resv_lock(dmabuf->resv, NULL);
	KUNIT_EXPECT_FALSE(test, odd_stands_on(dmabuf, fence));
	dma_resv_unlock(dmabuf->resv);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(gone, false, HZ * 10) > 0, true);
	odd_flush(sdev);
	KUNIT_EXPECT_NULL(test, slot->sgt);
	sluice_slot_put(slot);
	dma_buf_put(dmabuf);
	dma_fence_put(gone);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	sluice_dispatch_fini(&sdev->engines[0]);
}

/* Two slots of a queue on one buffer, and a job of the queue that uses the buffer. */
struct odd_pair {
	int pins;
	struct sluice_device *sdev;
	struct sluice_queue *queue;
	struct sluice_slot *first;
	struct sluice_slot *second;
	struct dma_fence *fence;
};

static void odd_pair_init(struct kunit *test, struct odd_pair *pair)
{
	struct odd_buffer how = { .mapped = ODD_PAGES, .moves = true, .pins = &pair->pins };

	pair->pins = 0;
	pair->first = odd_slot(test, &how);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pair->first));
	pair->sdev = pair->first->sdev;
	pair->second = sluice_slot_create(pair->first->client, pair->first->dmabuf, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pair->second));
	pair->queue = odd_queue(test, pair->sdev);
	KUNIT_ASSERT_EQ(test, sluice_slot_bind(pair->first, &pair->queue->slots.owner, 0), 0);
	KUNIT_ASSERT_EQ(test, sluice_slot_bind(pair->second, &pair->queue->slots.owner, 1), 0);
	pair->fence = odd_queue_fence(test, pair->queue, pair->first->dmabuf);
}

/* Check that both slots are revoked and unmapped. */
static void odd_pair_end(struct kunit *test, struct odd_pair *pair)
{
	odd_flush(pair->sdev);
	KUNIT_EXPECT_EQ(test, pair->pins, 0);
	sluice_slot_put(pair->second);
	sluice_slot_put(pair->first);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&pair->queue->slots.owner.sharings.tree));
	dma_fence_signal(pair->fence);
	dma_fence_put(pair->fence);
	sluice_dispatch_fini(&pair->sdev->engines[0]);
}

/*
 * The buffer has the fence of the slot that was revoked last, because the fences of the others may
 * have signalled already.
 */
static void odd_memory_of_two_slots_has_the_fence_of_the_last(struct kunit *test)
{
	struct sluice_slot *first, *second;
	struct sluice_engine *engine;
	struct dma_buf *dmabuf;
	struct dma_fence *gone;
	struct odd_pair pair;

	odd_pair_init(test, &pair);
	first = pair.first;
	second = pair.second;
	dmabuf = first->dmabuf;
	engine = &pair.sdev->engines[0];

	/* keep the engine from releasing the slots for now */
	spin_lock_irq(&engine->lock);
	engine->dispatching = true;
	spin_unlock_irq(&engine->lock);
	dma_resv_lock(dmabuf->resv, NULL);
	sluice_slot_invalidate(second->attach);
	/* jobs may still use the first slot */
	KUNIT_EXPECT_TRUE(test, odd_stands_on(dmabuf, pair.fence));
	sluice_slot_invalidate(first->attach);
	gone = dma_fence_get(first->gone);
	KUNIT_EXPECT_FALSE(test, odd_stands_on(dmabuf, pair.fence));
	KUNIT_EXPECT_FALSE(test, odd_stands_on(dmabuf, second->gone));
	KUNIT_EXPECT_TRUE(test, odd_stands_on(dmabuf, gone));
	dma_resv_unlock(dmabuf->resv);

	spin_lock_irq(&engine->lock);
	engine->dispatching = false;
	sluice_engine_kick_unless_dispatching(engine);
	spin_unlock_irq(&engine->lock);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(gone, false, HZ * 10) > 0, true);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(second->gone));
	dma_fence_put(gone);
	odd_pair_end(test, &pair);
}

/* A slot that is just being detached does not use the memory any more, so it delays no other. */
static void odd_memory_of_a_slot_being_detached_delays_no_other(struct kunit *test)
{
	struct odd_pair pair;
	struct dma_buf *dmabuf;

	odd_pair_init(test, &pair);
	dmabuf = pair.first->dmabuf;
	/* the first step of sluice_slot_release() */
	sluice_slot_unmap(pair.second);
	odd_take_back(pair.first);
	dma_resv_lock(dmabuf->resv, NULL);
	KUNIT_EXPECT_FALSE(test, odd_stands_on(dmabuf, pair.fence));
	dma_resv_unlock(dmabuf->resv);
	odd_pair_end(test, &pair);
}

static int odd_check_command(void *priv, const struct sluice_command *command)
{
	return 0;
}

static const struct sluice_device_ops odd_program_ops = {
	.check_command = odd_check_command,
};

/* The memory is taken back after SUBMIT has found the slot. */
static void odd_memory_taken_back_has_no_address(struct kunit *test)
{
	int pins = 0;
	struct odd_buffer how = { .mapped = ODD_PAGES, .moves = true, .pins = &pins };
	struct sluice_slot *slot = odd_slot(test, &how);
	struct sluice_command command = {
		.kind = SLUICE_COMMAND_WRITE_DST, .width = 8, .length = PAGE_SIZE,
	};
	const struct sluice_resv_set set = {};
	struct sluice_op_desc desc = { .kind = SLUICE_OP_PROGRAM };
	struct sluice_queue *queue;

	KUNIT_ASSERT_FALSE(test, IS_ERR(slot));
	queue = odd_queue(test, slot->sdev);
	KUNIT_ASSERT_EQ(test, sluice_slot_bind(slot, &queue->slots.owner, 0), 0);
	slot->sdev->ops = &odd_program_ops;
	desc.dst = slot;
	desc.length = ODD_PAGES * PAGE_SIZE;
	desc.program.commands = &command;
	desc.program.num_commands = 1;
	KUNIT_EXPECT_EQ(test, sluice_program_check(slot->sdev, &set, &desc), 0);
	KUNIT_EXPECT_EQ(test, command.kind, SLUICE_COMMAND_WRITE);
	KUNIT_EXPECT_EQ(test, command.value, sg_dma_address(slot->sgt->sgl));

	odd_take_back(slot);
	odd_flush(slot->sdev);
	command = (struct sluice_command) { .kind = SLUICE_COMMAND_WRITE_DST, .width = 8 };
	KUNIT_EXPECT_EQ(test, sluice_program_check(slot->sdev, &set, &desc), -ENODEV);
	slot->sdev->ops = &odd_device_ops;
	sluice_slot_put(slot);
	sluice_dispatch_fini(&queue->entity.engine[0]);
}

struct odd_drop {
	struct sluice_queue *queue;
	struct completion done;
};

static int odd_drop(void *data)
{
	struct odd_drop *drop = data;

	sluice_slot_table_close(&drop->queue->slots);
	complete_all(&drop->done);
	return 0;
}

/* The device is removed while its queue closes: neither is done before all slots are released. */
static void odd_slots_are_dropped_by_one_context_at_a_time(struct kunit *test)
{
	int pins = 0;
	struct odd_buffer how = { .mapped = ODD_PAGES, .moves = true, .pins = &pins };
	struct sluice_slot *slot = odd_slot(test, &how);
	struct sluice_queue *queue;
	struct dma_buf *dmabuf;
	struct odd_drop drops[2];
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(slot));
	dmabuf = slot->dmabuf;
	get_dma_buf(dmabuf);
	queue = odd_queue(test, slot->sdev);
	xa_store(&queue->slots.slots, 0, slot, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, sluice_slot_bind(slot, &queue->slots.owner, 0), 0);
	/* unmapping the slot takes this lock */
	dma_resv_lock(dmabuf->resv, NULL);
	for (i = 0; i < ARRAY_SIZE(drops); i++) {
		struct task_struct *task;

		drops[i].queue = queue;
		init_completion(&drops[i].done);
		task = kthread_run(odd_drop, &drops[i], "sluice-kunit-drop-%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	}
	for (i = 0; i < ARRAY_SIZE(drops); i++)
		KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&drops[i].done, HZ / 4), 0);
	dma_resv_unlock(dmabuf->resv);
	for (i = 0; i < ARRAY_SIZE(drops); i++)
		wait_for_completion(&drops[i].done);
	KUNIT_EXPECT_EQ(test, pins, 0);
	dma_buf_put(dmabuf);
}

/*
 * If an exporter cannot map the buffer, this error is part of the answer of BUFFER_INFO.  If a
 * signal interrupts the exporter, it is not: the call is made again.
 */
static void odd_buffer_info_is_interrupted_by_a_signal(struct kunit *test)
{
	static const struct {
		int map_error, returned;
	} tries[] = { { -EIO, 0 }, { -ERESTARTSYS, -ERESTARTSYS }, { -EINTR, -ERESTARTSYS } };
	struct odd_buffer how = { .mapped = ODD_PAGES };
	struct sluice_client *client = odd_client(test, &how);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		struct sluice_buffer_info info = {};
		struct dma_buf *dmabuf;

		how.map_error = tries[i].map_error;
		dmabuf = odd_dmabuf(test, &how);
		KUNIT_EXPECT_EQ(test, sluice_buffer_info(client, dmabuf, &info), tries[i].returned);
		if (!tries[i].returned)
			KUNIT_EXPECT_EQ(test, info.error, how.map_error);
		dma_buf_put(dmabuf);
	}
}

/* A kernel thread drops its last reference to a file later; wait for that. */
static void odd_exit(struct kunit *test)
{
	flush_delayed_fput();
	destroy_workqueue(odd_wq);
	root_device_unregister(odd_narrow);
}

static int odd_init(struct kunit *test)
{
	odd_narrow = root_device_register("sluice-odd");
	if (IS_ERR(odd_narrow))
		return PTR_ERR(odd_narrow);
	odd_narrow->dma_mask = &odd_mask;
	odd_wq = alloc_workqueue("sluice-odd", WQ_UNBOUND, 1);
	if (!odd_wq)
		root_device_unregister(odd_narrow);
	return odd_wq ? 0 : -ENOMEM;
}

static struct kunit_case odd_cases[] = {
	KUNIT_CASE(odd_short_table_is_EINVAL),
	KUNIT_CASE(odd_kernel_mapping_is_EOPNOTSUPP),
	KUNIT_CASE(odd_segments_are_synced_where_they_are),
	KUNIT_CASE(odd_memory_is_pinned_as_long_as_the_slot_is),
	KUNIT_CASE(odd_refusal_to_pin_is_EPERM),
	KUNIT_CASE(odd_memory_is_pinned_before_it_is_looked_at),
	KUNIT_CASE(odd_memory_out_of_reach_is_unpinned_again),
	KUNIT_CASE(odd_memory_is_charged_as_long_as_the_slot_is),
	KUNIT_CASE(odd_short_table_is_unpinned_again),
	KUNIT_CASE(odd_memory_taken_back_early_is_not_bound),
	KUNIT_CASE(odd_memory_taken_back_is_unmapped),
	KUNIT_CASE(odd_memory_without_pins_is_taken_back),
	KUNIT_CASE(odd_memory_of_two_slots_has_the_fence_of_the_last),
	KUNIT_CASE(odd_memory_of_a_slot_being_detached_delays_no_other),
	KUNIT_CASE(odd_memory_taken_back_has_no_address),
	KUNIT_CASE(odd_buffer_info_is_interrupted_by_a_signal),
	KUNIT_CASE_SLOW(odd_slots_are_dropped_by_one_context_at_a_time),
	{ }
};

static struct kunit_suite odd_suite = {
	.name = "sluice-exporters",
	.init = odd_init,
	.exit = odd_exit,
	.test_cases = odd_cases,
};

kunit_test_suites(&cursor_suite, &odd_suite);
