// SPDX-License-Identifier: GPL-2.0
/*
 * A descriptor of another process's socket is had by pidfd_getfd(2);
 * connect(2) to nowhere makes the kernel send the RST.
 */
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "reset.h"

static bool connected(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int proto = 0;
	socklen_t plen = sizeof(proto);

	return !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &plen) &&
	       proto == IPPROTO_TCP &&
	       !getpeername(fd, (struct sockaddr *)&addr, &len);
}

static bool reset_one(int pidfd, int nr)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = syscall(SYS_pidfd_getfd, pidfd, nr, 0);
	bool done;

	if (fd < 0)
		return false;
	done = connected(fd) && !connect(fd, &none, sizeof(none));
	close(fd);
	return done;
}

int reset_connections(pid_t pid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), n = 0;
	struct dirent *e;
	char path[32];
	DIR *dir;

	if (pidfd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir) {
		n = -errno;
		close(pidfd);
		return n;
	}
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.' && reset_one(pidfd, atoi(e->d_name)))
			n++;
	closedir(dir);
	close(pidfd);
	return n;
}
