// SPDX-License-Identifier: GPL-2.0
/*
 * Users with groups; see lists.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client.h"
#include "lists.h"
#include "tap.h"

/* Not by the C library, which changes all threads. */
void who_be(const struct who *w)
{
	static const struct who root;

	if (syscall(SYS_setresuid, -1, 0, -1))
		die("setresuid: %s", strerror(errno));
	if (!w)
		w = &root;
	if (syscall(SYS_setgroups, (size_t)w->ngroups, w->groups) ||
	    syscall(SYS_setresgid, -1, w->gid, -1) ||
	    syscall(SYS_setresuid, -1, w->uid, -1))
		die("user %u: %s", w->uid, strerror(errno));
}

int may(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int may_cached(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_CACHED,
	};
	int fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}
