// SPDX-License-Identifier: GPL-2.0-only
/* The numbers of live objects: see object.h. */
#include "object.h"

atomic_long_t sluice_objects[SLUICE_NUM_OBJECTS];
