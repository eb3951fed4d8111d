// SPDX-License-Identifier: MIT
/*
 * A case whose instructions are known, to check the profile. It is no part of the benchmarks: only
 * bench -p runs it.
 */
#include "bench.h"
#include "irqsource.h"

static int known(struct scene *scene)
{
	(void)scene;
	return xioctl(irqsource_node(), IRQSOURCE_KNOWN, NULL);
}

static const struct steps steps = { .step = known };

const struct bench known_bench = {
	.area = "check", .name = "known instructions",
	.ours = { .name = "known", .steps = &steps },
	.peers = { { .name = "the same", .steps = &steps } },
};
