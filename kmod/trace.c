// SPDX-License-Identifier: GPL-2.0
/* The tracepoints' code; see trace.h. */
#include "gns.h"
#include "fill.h"
#include "session.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
