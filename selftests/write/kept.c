// SPDX-License-Identifier: GPL-2.0
/*
 * Files without a name; see kept.h.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "kept.h"
#include "lab.h"
#include "tap.h"

/* After a start the origin waits for those who may come back. */
#define GOES_MS 15000

int kept(void)
{
	DIR *d = opendir(lab_path(lab_env("EXPORT"), ".gns-orphans"));
	struct dirent *e;
	int n = 0;

	if (!d)
		return errno == ENOENT ? 0 : -1;
	while ((e = readdir(d)))
		n += *e->d_name != '.';
	closedir(d);
	return n;
}

void kept_gone(const char *what)
{
	u64 begin = lab_now();

	while (kept() && lab_ms(begin) < lab_slow(GOES_MS))
		lab_sleep(20);
	if (kept())
		tap_bad("%d files are kept at the origin", kept());
	tap_good("%s", what);
}

void kept_till_death(const char *host)
{
	lab("helper_kill %s", host);
	lab_sleep(1.2 * (atof(lab_env("TTL")) * 1250 + 250));
	if (kept())
		tap_bad("a dead session keeps a file");
	lab("helper_start %s", host);
}
