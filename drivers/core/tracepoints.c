// SPDX-License-Identifier: GPL-2.0-only
/*
 * The code of the tracepoints that trace.h declares.  It reads the objects of most files, so it is
 * above them.
 */
#include <linux/device.h>
#include <linux/dma-fence.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>

#include "buffer.h"
#include "compat/fence.h"
#include "device.h"
#include "entity.h"
#include "heap.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
