// SPDX-License-Identifier: GPL-2.0
/*
 * export-nfs3: what NFSv3 needs beyond the kernel, without its daemons.
 *
 *	export-nfs3 rpcbind READY
 *		says yes to whatever the kernel registers; makes the file READY
 *		when it listens
 *	export-nfs3 mount SERVER CONTROL EXPORT DIRECTORY
 *		mounts the server's EXPORT by the handle that its nfsd filesystem
 *		CONTROL has for it
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nfs_mount.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/types.h"

#define DOMAIN "lab"
#define LAST_FRAGMENT 0x80000000u
#define NFS_PORT 2049
#define RPCBIND_PORT 111

static int failed(const char *what)
{
	fprintf(stderr, "export-nfs3: %s: %s\n", what, strerror(errno));
	return 1;
}

static bool read_all(int fd, void *buf, size_t len)
{
	ssize_t n;

	for (; len; buf = (char *)buf + n, len -= n) {
		n = read(fd, buf, len);
		if (n <= 0)
			return false;
	}
	return true;
}

/* Each call is answered with a success and `true`. */
static void answer(int fd)
{
	u32 head, call[256], len;

	while (read_all(fd, &head, sizeof(head))) {
		len = ntohl(head) & ~LAST_FRAGMENT;
		if (len < sizeof(call[0]) || len > sizeof(call) ||
		    !read_all(fd, call, len))
			break;
		u32 reply[] = {
			htonl(LAST_FRAGMENT | 28),
			call[0],
			htonl(1),
			0,
			0,
			0,
			0,
			htonl(1),
		};
		if (write(fd, reply, sizeof(reply)) != sizeof(reply))
			break;
	}
	close(fd);
}

static int rpcbind(const char *ready)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(RPCBIND_PORT),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (void *)&addr, sizeof(addr)) || listen(fd, 8))
		return failed("port 111");
	one = open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (one < 0)
		return failed(ready);
	close(one);
	for (;;) {
		one = accept(fd, NULL, NULL);
		if (one < 0)
			return failed("accept");
		if (!fork()) {
			answer(one);
			_exit(0);
		}
		close(one);
	}
}

/* As "\x" and hexadecimal digits. */
static bool parse_handle(const char *text, struct nfs3_fh *fh)
{
	unsigned int byte;

	if (strncmp(text, "\\x", 2))
		return false;
	fh->size = 0;
	for (text += 2; sscanf(text, "%2x", &byte) == 1; text += 2) {
		if (fh->size == sizeof(fh->data))
			return false;
		fh->data[fh->size++] = byte;
	}
	return fh->size;
}

static bool get_handle(const char *control, const char *export,
		       struct nfs3_fh *fh)
{
	char path[4096], text[4352];
	bool ret = false;
	int fd, n;

	snprintf(path, sizeof(path), "%s/filehandle", control);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = snprintf(text, sizeof(text), DOMAIN " %s %zu\n", export,
		     sizeof(fh->data));
	if (write(fd, text, n) == n) {
		n = read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		ret = parse_handle(text, fh);
	}
	close(fd);
	return ret;
}

static int mount3(const char *server, const char *control, const char *export,
		  const char *dir)
{
	struct nfs_mount_data data = {
		.version = NFS_MOUNT_VERSION,
		.fd = -1,
		/*
		 * No locks, which would need two more daemons; and attributes
		 * are good for no time at all.
		 */
		.flags = NFS_MOUNT_VER3 | NFS_MOUNT_TCP | NFS_MOUNT_NONLM,
		.rsize = 1 << 20,
		.wsize = 1 << 20,
		.timeo = 600,
		.retrans = 2,
		.addr = {
			.sin_family = AF_INET,
			.sin_port = htons(NFS_PORT),
		},
		.namlen = NAME_MAX,
	};
	char source[300];

	if (inet_pton(AF_INET, server, &data.addr.sin_addr) != 1)
		return 2;
	snprintf(data.hostname, sizeof(data.hostname), "%s", server);
	if (!get_handle(control, export, &data.root))
		return failed("no handle of the export");
	snprintf(source, sizeof(source), "%s:/", server);
	if (mount(source, dir, "nfs", 0, &data))
		return failed(dir);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "rpcbind"))
		return rpcbind(argv[2]);
	if (argc == 6 && !strcmp(argv[1], "mount"))
		return mount3(argv[2], argv[3], argv[4], argv[5]);
	return 2;
}
