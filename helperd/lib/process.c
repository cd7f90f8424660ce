// SPDX-License-Identifier: GPL-2.0
/*
 * What a process must not do that the kernel waits for; see process.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/process.h"

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

#define LEAST_KILLABLE "-1000"

static int spare_from_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	if (fd < 0)
		return -errno;
	n = write(fd, LEAST_KILLABLE, strlen(LEAST_KILLABLE));
	err = n < 0 ? -errno : 0;
	close(fd);
	return err;
}

void gns_process_harden(void)
{
	struct rlimit rl = { RLIM_INFINITY, RLIM_INFINITY };
	int err, flags = MCL_CURRENT | MCL_ONFAULT;

	/*
	 * As pages are touched: the stacks of threads are mostly air. What is
	 * mapped later must not fail at a limit, rather is it not locked.
	 */
	if (!setrlimit(RLIMIT_MEMLOCK, &rl) ||
	    (!getrlimit(RLIMIT_MEMLOCK, &rl) && rl.rlim_cur == RLIM_INFINITY))
		flags |= MCL_FUTURE;
	if (mlockall(flags))
		gns_warn("memory is not locked: %s; raise LimitMEMLOCK=",
			 strerror(errno));
	err = spare_from_oom();
	if (err)
		gns_warn("not spared when memory is short: oom_score_adj: %s",
			 strerror(-err));
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		gns_debug("PR_SET_IO_FLUSHER: %s", strerror(errno));
}
