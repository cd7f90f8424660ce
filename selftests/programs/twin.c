// SPDX-License-Identifier: GPL-2.0
/*
 * What was done twice; see twin.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "twin.h"

#define LOG 24 /* operations that are shown */

unsigned int via = 1;
u64 op;
u64 seed;

static char log_line[LOG][300];

void wrong(const char *fmt, ...)
{
	va_list ap;
	u64 i;

	printf("# operation %ju of seed %ju, by %s: ", op, seed, who());
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n# the last operations:\n");
	for (i = op < LOG ? 0 : op - LOG + 1; i <= op; i++)
		printf("# %6ju %s\n", i, log_line[i % LOG]);
	exit(1);
}

void doing(const char *fmt, ...)
{
	char *line = log_line[op % LOG];
	va_list ap;
	int n;

	n = snprintf(line, sizeof(log_line[0]), "%u: ", via);
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(log_line[0]) - n, fmt, ap);
	va_end(ap);
}

const char *err_name(int err)
{
	return err ? strerrorname_np(err) : "success";
}

void took(long a, int aerr, long b, int berr, const char *call)
{
	if (aerr != berr)
		wrong("%s: %s, not %s", call, err_name(berr), err_name(aerr));
	if (a != b)
		wrong("%s: returned %ld, not %ld", call, b, a);
}
