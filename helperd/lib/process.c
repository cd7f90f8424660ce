// SPDX-License-Identifier: GPL-2.0
/*
 * What a process must not do that the kernel waits for; see process.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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
	int err;

	/* As pages are touched: the stacks of threads are mostly air. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		gns_warn("memory is not locked: %s; raise LimitMEMLOCK=",
			 strerror(errno));
	err = spare_from_oom();
	if (err)
		gns_warn("not spared when memory is short: oom_score_adj: %s",
			 strerror(-err));
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		gns_debug("PR_SET_IO_FLUSHER: %s", strerror(errno));
}
