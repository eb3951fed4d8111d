// SPDX-License-Identifier: GPL-2.0-only
/*
 * The code of the tracepoints that trace.h declares.  It reads the objects of most files, so it is
 * above them.
 */
#include "core.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
