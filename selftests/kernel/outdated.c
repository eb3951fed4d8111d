// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helper of selftests/outoftree.c: the sample driver card.c, as if it had been compiled with an
 * older sluice.h.
 */
#include "sluice.h"

#undef SLUICE_DRIVER_API
#define SLUICE_DRIVER_API	0

#include "../../Documentation/samples/driver/card.c"
