// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl cache set: what a directory, and all that is below, may have.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/gns.h>

#include "cache.h"
#include "gnsctl.h"
#include "units.h"

static int fail(const char *dir, int err)
{
	switch (err) {
	case ENOTTY:
		return ctl_fail("%s: not on a gns mount", dir);
	case EOPNOTSUPP:
		return ctl_fail("%s: its mount has no cache", dir);
	case EINVAL:
		return ctl_fail("%s: the quota is less than a region of the cache",
				dir);
	case ENOSPC:
		return ctl_fail("%s: there are too many sets already", dir);
	}
	return ctl_fail("%s: %s", dir, strerror(err));
}

static int set_one(const char *dir, const struct gns_ucache_set *a)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), nr, err;

	if (fd < 0)
		return ctl_fail("%s: %s", dir, strerror(errno));
	nr = ioctl(fd, GNS_IOC_CACHE_SET, a);
	err = errno;
	close(fd);
	if (nr < 0)
		return fail(dir, err);
	printf("%s: set %d\n", dir, nr);
	return CTL_OK;
}

int cache_set(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quota", required_argument, NULL, 'q' },
		{ "pin", no_argument, NULL, 'p' },
		{ "unpin", no_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 },
	};
	struct gns_ucache_set a = { .flags = 0 };
	int c, ret = CTL_OK;
	u64 quota = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'q' && !units_parse(optarg, &quota))
			return ctl_fail("--quota: %s is no size, as 500G is",
					optarg);
		if (c == '?')
			return ctl_usage("cache");
		a.flags |= c == 'q' ? GNS_UCS_QUOTA :
			   c == 'p' ? GNS_UCS_PIN :
				      GNS_UCS_UNPIN;
	}
	a.quota = quota;
	if (optind == argc ||
	    (a.flags & GNS_UCS_PIN && a.flags & GNS_UCS_UNPIN))
		return ctl_usage("cache");
	for (; optind < argc; optind++)
		if (set_one(argv[optind], &a))
			ret = CTL_FAILED;
	return ret;
}
