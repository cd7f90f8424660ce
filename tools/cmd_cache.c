// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl cache: devices that are caches, while no mount uses them and while some
 * do.
 */
#include <string.h>

#include "cache.h"
#include "gnsctl.h"
#include "lib/types.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} parts[] = {
	{ "format", cache_format },
	{ "check", cache_check },
	{ "dump", cache_dump },
	{ "status", cache_status },
	{ "add", cache_add },
	{ "drain", cache_drain },
	{ "remove", cache_remove },
	{ "set", cache_set },
	{ "fill", cache_fill },
};

int cmd_cache(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < ARRAY_SIZE(parts); i++)
		if (!strcmp(argv[1], parts[i].name))
			return parts[i].run(argc - 1, argv + 1);
	return ctl_usage(argv[0]);
}
