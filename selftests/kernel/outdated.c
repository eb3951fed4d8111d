// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sample driver, as if it had been compiled with an earlier sluice.h: for
 * selftests/outoftree.c.
 */
#include "sluice.h"

#undef SLUICE_DRIVER_API
#define SLUICE_DRIVER_API	0

#include "../../Documentation/samples/driver/card.c"
