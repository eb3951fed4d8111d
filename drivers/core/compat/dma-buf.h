/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: dma-bufs.
 */
#ifndef _SLUICE_COMPAT_DMA_BUF_H
#define _SLUICE_COMPAT_DMA_BUF_H

#include <linux/dma-buf.h>

/* 6.1: the vmap op runs with a lock of the dma-buf held, not with the dma_resv */
#ifndef SLUICE_HAVE_VMAP_UNLOCKED
static inline int dma_buf_vmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	return dma_buf_vmap(dmabuf, map);
}

static inline void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	dma_buf_vunmap(dmabuf, map);
}
#endif

/*
 * At least up to 6.12, with CONFIG_DMABUF_DEBUG: the dma-buf core changes the tables that it passes
 * on.  Newer kernels pass on a copy.
 */
#if defined(CONFIG_DMABUF_DEBUG) && !defined(SLUICE_HAVE_INVALIDATE_MAPPINGS)
#define SLUICE_COMPAT_TABLES_CHANGE	true
#else
#define SLUICE_COMPAT_TABLES_CHANGE	false
#endif

/* At least up to 6.12: move_notify tells an importer of a move, and also of a revocation */
#ifndef SLUICE_HAVE_INVALIDATE_MAPPINGS
#define invalidate_mappings		move_notify
#define dma_buf_invalidate_mappings(dmabuf)	dma_buf_move_notify(dmabuf)

static inline bool dma_buf_attach_revocable(struct dma_buf_attachment *attach)
{
	return attach->importer_ops && attach->importer_ops->move_notify;
}

/*
 * On these kernels an importer that pins may have a move_notify that does nothing, and the
 * exporter cannot detect this.  Memory that can be revoked must therefore not be pinned.
 *
 * There is one exception.  Without CONFIG_DMABUF_MOVE_NOTIFY, the dma-buf core pins for each
 * mapping, with the same op, so one pin must be accepted.  A second pin of the attachment is
 * refused, whether it is for a mapping or not: the importer has pinned or mapped before.
 *
 * The bits are kept in attach->priv, which must not be used otherwise.  All functions need the
 * dma_resv.
 */
#define SLUICE_COMPAT_PINNED	1UL
#define SLUICE_COMPAT_MAPPED	2UL

static inline int sluice_compat_pin_revocable(struct dma_buf_attachment *attach)
{
	if (IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY) || attach->priv)
		return -EOPNOTSUPP;
	attach->priv = (void *)SLUICE_COMPAT_PINNED;
	return 0;
}

/* Some importers also unpin after their pin was refused. */
static inline void sluice_compat_unpin_revocable(struct dma_buf_attachment *attach)
{
	attach->priv = (void *)((unsigned long)attach->priv & ~SLUICE_COMPAT_PINNED);
}

static inline void sluice_compat_map_revocable(struct dma_buf_attachment *attach, bool mapped)
{
	unsigned long bits = (unsigned long)attach->priv & ~SLUICE_COMPAT_MAPPED;

	attach->priv = (void *)(bits | (mapped ? SLUICE_COMPAT_MAPPED : 0));
}
#else
static inline int sluice_compat_pin_revocable(struct dma_buf_attachment *attach)
{
	return 0;
}

static inline void sluice_compat_unpin_revocable(struct dma_buf_attachment *attach)
{
}

static inline void sluice_compat_map_revocable(struct dma_buf_attachment *attach, bool mapped)
{
}
#endif

/*
 * At least up to 6.12: if a dynamic importer attaches to memory that cannot move, the dma-buf core
 * maps it in both directions at once, and keeps the mapping.  Attach as a static importer instead.
 */
static inline struct dma_buf_attachment *
sluice_compat_dma_buf_attach(struct dma_buf *dmabuf, struct device *dev,
			     const struct dma_buf_attach_ops *ops, void *priv)
{
#ifndef SLUICE_HAVE_INVALIDATE_MAPPINGS
	if (!dma_buf_is_dynamic(dmabuf))
		return dma_buf_attach(dmabuf, dev);
#endif
	return dma_buf_dynamic_attach(dmabuf, dev, ops, priv);
}

#endif /* _SLUICE_COMPAT_DMA_BUF_H */
