// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers for people.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

bool units_parse(const char *text, u64 *bytes)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	u64 n;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (!*end) {
		*bytes = n;
		return true;
	}
	unit = strchr(units, *end);
	if (!unit || end[1])
		return false;
	return !__builtin_mul_overflow(n, 1ull << (10 * (unit - units + 1)),
				       bytes);
}

char *units_bytes(char *buf, u64 bytes)
{
	static const char unit[] = "KMGTPE";
	double n = (double)bytes / 1024;
	int i = 0;

	if (bytes < 1024) {
		snprintf(buf, UNITS_LEN, "%" PRIu64 " B", bytes);
		return buf;
	}
	/* What would be rounded to 1024 is 1.0 of the next. */
	for (; n >= 1023.5 && unit[i + 1]; i++)
		n /= 1024;
	snprintf(buf, UNITS_LEN, n < 99.95 ? "%.1f %ciB" : "%.0f %ciB", n,
		 unit[i]);
	return buf;
}

char *units_ns(char *buf, u64 ns)
{
	u64 ms = ns / NSEC_PER_MSEC;

	if (!ms)
		snprintf(buf, UNITS_LEN, "0 s");
	else if (ms < 1000)
		snprintf(buf, UNITS_LEN, "%" PRIu64 " ms", ms);
	else if (ms < 120 * 1000)
		snprintf(buf, UNITS_LEN, "%" PRIu64 ".%" PRIu64 " s", ms / 1000,
			 ms % 1000 / 100);
	else
		snprintf(buf, UNITS_LEN, "%" PRIu64 " min", ms / 60000);
	return buf;
}

char *units_percent(char *buf, u64 part, u64 whole)
{
	if (whole)
		snprintf(buf, UNITS_LEN, "%.1f %%",
			 100 * (double)part / (double)whole);
	else
		snprintf(buf, UNITS_LEN, "-");
	return buf;
}
