// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl features, gnsctl version: what is there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gnsctl.h"

static int print_file(const char *path, const char *before)
{
	char line[256];
	FILE *f = fopen(path, "re");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		printf("%s%s", before, line);
	fclose(f);
	return 0;
}

int cmd_features(int argc, char **argv)
{
	if (argc > 1)
		return ctl_usage(argv[0]);
	if (!print_file("/sys/fs/gns/features", ""))
		return CTL_OK;
	return ctl_fail("gns.ko is not loaded: insmod gns.ko or modprobe gns");
}

int cmd_version(int argc, char **argv)
{
	if (argc > 1)
		return ctl_usage(argv[0]);
	puts("gnsctl " GNS_VERSION);
	if (print_file("/sys/module/gns/version", "gns.ko "))
		puts("gns.ko is not loaded");
	return CTL_OK;
}
