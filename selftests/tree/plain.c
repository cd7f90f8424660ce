// SPDX-License-Identifier: GPL-2.0
/*
 * The plain stream and the bare echo; see plain.h.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "plain.h"

#define UNIT (1u << 20)

static int file = -1;
static const char *map;
static u64 map_size;

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static bool take(int fd, void *p, size_t n)
{
	while (n) {
		ssize_t got = recv(fd, p, n, 0);

		if (got <= 0)
			return false;
		p = (char *)p + got;
		n -= got;
	}
	return true;
}

static bool give(int fd, const void *p, size_t n)
{
	while (n) {
		ssize_t put = send(fd, p, n, MSG_NOSIGNAL);

		if (put <= 0)
			return false;
		p = (const char *)p + put;
		n -= put;
	}
	return true;
}

static void serve_map(int fd, u64 bytes)
{
	u64 off;

	for (off = 0; off < bytes; off += UNIT)
		if (!give(fd, map + off, min_u64(bytes - off, UNIT)))
			return;
}

static void serve_file(int fd, u64 bytes)
{
	off_t off = 0;

	while ((u64)off < bytes)
		if (sendfile(fd, file, &off, bytes - off) <= 0)
			return;
}

/* Whatever has arrived is answered in one go, as any good server does. */
static void serve_echo(int fd, char *buf, u32 req, u32 rep)
{
	size_t have = 0;

	for (;;) {
		ssize_t got = recv(fd, buf, UNIT / 2, 0);
		size_t n;

		if (got <= 0)
			return;
		have += got;
		n = have / req;
		have %= req;
		if (n && !give(fd, buf, n * rep))
			return;
	}
}

static void *serve_one(void *arg)
{
	int fd = (intptr_t)arg;
	struct plain_request r;
	char *buf = calloc(1, 2 * UNIT);

	if (buf && take(fd, &r, sizeof(r))) {
		if (r.what == 'M')
			serve_map(fd, min_u64(r.a, map_size));
		else if (r.what == 'F')
			serve_file(fd, min_u64(r.a, map_size));
		else
			serve_echo(fd, buf, r.a, r.b);
	}
	free(buf);
	close(fd);
	return NULL;
}

static void no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void *serve(void *arg)
{
	int fd, lfd = (intptr_t)arg;
	pthread_t t;

	while ((fd = accept(lfd, NULL, NULL)) >= 0) {
		no_delay(fd);
		if (pthread_create(&t, NULL, serve_one, (void *)(intptr_t)fd))
			close(fd);
		else
			pthread_detach(t);
	}
	return NULL;
}

static void open_file(const char *path)
{
	struct stat st;

	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &st))
		die("%s can not be opened", path);
	map_size = st.st_size;
	map = mmap(NULL, map_size, PROT_READ, MAP_SHARED | MAP_POPULATE, file,
		   0);
	if (map == MAP_FAILED)
		die("%s can not be mapped", path);
}

int plain_serve(const char *path)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pthread_t t;

	open_file(path);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (void *)&sin, len) || listen(fd, 16) ||
	    getsockname(fd, (void *)&sin, &len) ||
	    pthread_create(&t, NULL, serve, (void *)(intptr_t)fd))
		die("no plain server");
	pthread_detach(t);
	return ntohs(sin.sin_port);
}

static int ask(int port, char what, u64 a, u64 b)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct plain_request r = { .what = what, .a = a, .b = b };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(port);
	if (fd < 0 || connect(fd, (void *)&sin, sizeof(sin)))
		die("the plain server does not answer");
	no_delay(fd);
	if (!give(fd, &r, sizeof(r)))
		die("the plain server went away");
	return fd;
}

double plain_stream(int port, char how, u64 bytes)
{
	char *buf = malloc(UNIT);
	double t = seconds();
	int fd = ask(port, how, bytes, 0);

	if (!buf)
		die("no memory");
	while (bytes) {
		u64 n = min_u64(bytes, UNIT);

		if (!take(fd, buf, n))
			die("the plain stream ended early");
		bytes -= n;
	}
	close(fd);
	free(buf);
	return seconds() - t;
}

double plain_echo(int port, u32 req, u32 rep, u32 depth, u64 count)
{
	char *buf = calloc(1, 2 * UNIT);
	int fd = ask(port, 'E', req, rep);
	u64 sent = depth, got = 0;
	size_t have = 0;
	double t = seconds();

	if (!buf || !give(fd, buf, (size_t)req * depth))
		die("the echo server went away");
	while (got < count) {
		ssize_t len = recv(fd, buf, UNIT, 0);
		u64 n;

		if (len <= 0)
			die("the echo ended early");
		have += len;
		n = have / rep;
		have %= rep;
		got += n;
		n = min_u64(n, count - min_u64(sent, count));
		if (n && !give(fd, buf, n * req))
			die("the echo server went away");
		sent += n;
	}
	t = seconds() - t;
	close(fd);
	free(buf);
	return t;
}
