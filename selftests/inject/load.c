// SPDX-License-Identifier: GPL-2.0
/*
 * inject-load: the module is loaded again and again, and each time another
 * allocation of its beginning fails.
 *
 *	inject-load [STEP]
 *
 * It does not load then, and nothing of it stays; in the end it does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client.h"
#include "inject.h"
#include "lab.h"
#include "tap.h"

/* More than it has. */
#define PLACES_MAX 1000u

/* Some are not needed, so that it loads without. Return: has something failed? */
static bool load(int fd, u32 n)
{
	bool failed;
	long ret;
	int err;

	inject_nth(n);
	ret = syscall(SYS_finit_module, fd, "", 0);
	err = errno;
	failed = inject_over();
	if (ret && !(failed && inject_errno(err)))
		tap_bad("%u: %s", n, strerror(err));
	if (!ret && syscall(SYS_delete_module, "gns", O_NONBLOCK))
		tap_bad("%u: it can not be unloaded: %s", n, strerror(errno));
	return failed;
}

int main(int argc, char **argv)
{
	u32 step = argc > 1 ? strtoul(argv[1], NULL, 0) : 1, n;
	int fd = lab_open(lab_env("GNS_KMOD"));

	inject_begin_load();
	for (n = 1; n < PLACES_MAX && load(fd, n); n += step)
		;
	inject_end();
	close(fd);
	tap_good("loaded, or not, up to place %u", n);
	tap_ok(n > 1 && n < PLACES_MAX, "in the end nothing fails");
	return tap_end();
}
