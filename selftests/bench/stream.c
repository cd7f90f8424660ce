// SPDX-License-Identifier: GPL-2.0
/*
 * gns-stream: what one plain TCP stream makes of a link.
 *
 *	gns-stream serve PORT FILE	FILE from its begin to who connects, for ever
 *	gns-stream take ADDRESS PORT BYTES
 *
 * The file is mapped, and sent by send(2). `take` counts from before it connects
 * and prints seconds.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define UNIT (1u << 20)

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void send_all(int fd, const char *p, size_t n)
{
	ssize_t put;

	for (; n; p += put, n -= put) {
		put = send(fd, p, n < UNIT ? n : UNIT, MSG_NOSIGNAL);
		if (put <= 0)
			return; /* they have what they wanted */
	}
}

static int serve(int port, const char *path)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(port) };
	int file = open(path, O_RDONLY), fd, one = 1;
	struct stat st;
	char *map;
	int lfd;

	if (file < 0 || fstat(file, &st))
		die(path);
	map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, file,
		   0);
	if (map == MAP_FAILED)
		die(path);
	lfd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(lfd, (void *)&sin, sizeof(sin)) || listen(lfd, 4))
		die("listen");
	while ((fd = accept(lfd, NULL, NULL)) >= 0) {
		send_all(fd, map, st.st_size);
		close(fd);
	}
	die("accept");
	return 1;
}

static int take(const char *address, int port, long long n)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char *buf = malloc(UNIT);
	double begun = seconds();
	ssize_t got;

	inet_pton(AF_INET, address, &sin.sin_addr);
	if (!buf || connect(fd, (void *)&sin, sizeof(sin)))
		die("connect");
	for (; n > 0; n -= got) {
		got = recv(fd, buf, n < UNIT ? n : UNIT, 0);
		if (got <= 0)
			die("recv");
	}
	printf("%.4f\n", seconds() - begun);
	close(fd);
	free(buf);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "serve"))
		return serve(atoi(argv[2]), argv[3]);
	if (argc == 5 && !strcmp(argv[1], "take"))
		return take(argv[2], atoi(argv[3]), atoll(argv[4]));
	fprintf(stderr, "usage: gns-stream serve PORT FILE\n"
			"       gns-stream take ADDRESS PORT BYTES\n");
	return 2;
}
