/* SPDX-License-Identifier: MIT */
/* Results of io_uring.  Inline: only programs that include <liburing.h> are left out without it. */
#ifndef SLUICE_TEST_RINGS_H
#define SLUICE_TEST_RINGS_H

#include <liburing.h>

#include "machine.h"

/**
 * ring_result() - take the next result of a ring
 * @ring: the ring
 * @user_data: NULL, or set to the number that the request was pushed with; 0 if there is no result
 *
 * Return: the result of the request, or -ETIME if there is none within LATE_MS.
 */
static inline int ring_result(struct io_uring *ring, uint64_t *user_data)
{
	struct __kernel_timespec patience = { .tv_sec = LATE_MS / 1000 };
	struct io_uring_cqe *cqe;
	int ret = io_uring_wait_cqe_timeout(ring, &cqe, &patience);

	if (user_data)
		*user_data = ret ? 0 : cqe->user_data;
	if (ret)
		return ret;
	ret = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

#endif
