// SPDX-License-Identifier: GPL-2.0-only
/* The numbers of live objects: see object.h. */
#include "object.h"

DEFINE_PER_CPU(long [SLUICE_NUM_OBJECTS], sluice_objects);

/**
 * sluice_object_sum - number of live objects of a kind
 * @object: the kind
 *
 * The number is exact if no CPU creates or frees an object of this kind meanwhile.
 *
 * Context: any.
 * Return: the number.
 */
long sluice_object_sum(enum sluice_object object)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(sluice_objects, cpu)[object]);
	return sum;
}
