/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels: lists.
 */
#ifndef _SLUICE_COMPAT_LIST_H
#define _SLUICE_COMPAT_LIST_H

#include <linux/list.h>
#include <linux/types.h>

/* first point releases of 6.1 */
#ifndef SLUICE_HAVE_LIST_COUNT
static inline size_t list_count_nodes(struct list_head *head)
{
	struct list_head *node;
	size_t count = 0;

	list_for_each(node, head)
		count++;
	return count;
}
#endif

#endif /* _SLUICE_COMPAT_LIST_H */
