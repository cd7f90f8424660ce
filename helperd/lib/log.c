// SPDX-License-Identifier: GPL-2.0
/*
 * The log; see log.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/log.h"

int gns_log_level = GNS_LOG_INFO;

static bool limited(struct gns_log_site *site, u32 *left_out)
{
	struct timespec ts;

	*left_out = 0;
	if (!site)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (!site->since || ts.tv_sec - site->since >= GNS_LOG_PERIOD_S) {
		if (site->count > GNS_LOG_BURST)
			*left_out = site->count - GNS_LOG_BURST;
		site->since = ts.tv_sec ? ts.tv_sec : 1;
		site->count = 0;
	}
	return ++site->count > GNS_LOG_BURST;
}

void gns_log(int level, struct gns_log_site *site, const char *fmt, ...)
{
	static int journal = -1;
	char line[1024];
	u32 left_out;
	va_list ap;

	if (level > gns_log_level || limited(site, &left_out))
		return;
	if (journal < 0)
		journal = !!getenv("JOURNAL_STREAM");
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (journal)
		fprintf(stderr, "<%d>", level);
	if (left_out)
		fprintf(stderr, "gns: %s (and %u more like this)\n", line,
			left_out);
	else
		fprintf(stderr, "gns: %s\n", line);
}
