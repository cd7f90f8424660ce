// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl cache status: devices, then data sets.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache.h"
#include "cache_sys.h"
#include "gnsctl.h"
#include "units.h"

static void show_device(const char *path, void *ctx)
{
	char name[PATH_MAX], state[32], size[UNITS_LEN], used[UNITS_LEN];

	cache_sys_text(path, "path", name, sizeof(name));
	cache_sys_text(path, "state", state, sizeof(state));
	printf("%10s %10s %9s %7llu  %-3s  %s\n",
	       units_bytes(size, cache_sys_number(path, "size")),
	       units_bytes(used, cache_sys_number(path, "used")), state,
	       (unsigned long long)cache_sys_number(path, "errors"),
	       cache_sys_number(path, "p2p") ? "yes" : "no", name);
}

/* One that holds nothing, and that nobody reads, is not shown. */
static void show_set(const char *path, void *ctx)
{
	char name[PATH_MAX], policy[32], held[UNITS_LEN], share[UNITS_LEN];
	char quota[UNITS_LEN];
	u64 limit = cache_sys_number(path, "quota");

	cache_sys_text(path, "name", name, sizeof(name));
	cache_sys_text(path, "policy", policy, sizeof(policy));
	if (name[0] == '-' && !cache_sys_number(path, "held"))
		return;
	printf("%10s %10s %10s %9s  %s\n",
	       units_bytes(held, cache_sys_number(path, "held")),
	       units_bytes(share, cache_sys_number(path, "share")),
	       limit ? units_bytes(quota, limit) : "-", policy, name);
}

int cache_status(int argc, char **argv)
{
	char *dir;

	if (argc != 1)
		return ctl_usage("cache");
	dir = cache_sys_dir();
	if (!dir)
		return CTL_FAILED;
	printf("%10s %10s %9s %7s  %-3s  %s\n", "SIZE", "USED", "STATE",
	       "ERRORS", "P2P", "DEVICE");
	cache_sys_each(dir, "dev", show_device, NULL);
	printf("\n%10s %10s %10s %9s  %s\n", "HELD", "SHARE", "QUOTA",
	       "POLICY", "SET");
	cache_sys_each(dir, "set", show_set, NULL);
	free(dir);
	return CTL_OK;
}
