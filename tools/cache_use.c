// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl cache add, drain, remove: devices come and go while mounts use them. The
 * kernel is asked by a remount that changes nothing else, for that has a log.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "cache_sys.h"
#include "gnsctl.h"
#include "mount_fs.h"

static int tell(const char *dir, const char *key, const char *device)
{
	struct mount_result r;
	size_t len;

	if (!mount_fs_tell(dir, key, device, &r))
		return CTL_OK;
	len = strlen(r.log);
	if (len && r.log[len - 1] == '\n')
		r.log[len - 1] = '\0';
	return ctl_fail("%s", len ? r.log : strerror(r.err));
}

static int all_devices(int argc, char **argv, const char *key,
		       const char *done)
{
	char path[PATH_MAX], *dir;
	int ret = CTL_OK, i;

	if (argc < 2 || argv[1][0] == '-')
		return ctl_usage("cache");
	dir = cache_sys_mount();
	if (!dir)
		return CTL_FAILED;
	for (i = 1; i < argc; i++) {
		/* One that was pulled out has only the name that it had. */
		const char *device = argv[i];

		if (*device != '/')
			device = realpath(device, path) ?: argv[i];
		if (tell(dir, key, device))
			ret = CTL_FAILED;
		else
			printf("%s: %s\n", argv[i], done);
	}
	free(dir);
	return ret;
}

int cache_add(int argc, char **argv)
{
	return all_devices(argc, argv, "cache_add", "in use");
}

int cache_drain(int argc, char **argv)
{
	return all_devices(argc, argv, "cache_drain",
			   "what it has goes to the others");
}

int cache_remove(int argc, char **argv)
{
	return all_devices(argc, argv, "cache_remove", "not used any more");
}
