// SPDX-License-Identifier: GPL-2.0
/*
 * Measures the round trip between two hosts of the network lab by UDP:
 *
 *	rtt serve			answers on port 7, for ever
 *	rtt ADDRESS COUNT MS		sends COUNT packets, waits MS for each
 *
 * Prints "<answered> <median in microseconds>".
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 7
#define MAX 1000

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int serve(int fd, struct sockaddr_in *sin)
{
	socklen_t len;
	char buf[64];
	ssize_t n;

	sin->sin_addr.s_addr = htonl(INADDR_ANY);
	if (bind(fd, (struct sockaddr *)sin, sizeof(*sin))) {
		perror("bind");
		return 1;
	}
	/* Whoever started us may now start to send. */
	puts("ready");
	fflush(stdout);
	for (;;) {
		len = sizeof(*sin);
		n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)sin, &len);
		if (n > 0)
			sendto(fd, buf, n, 0, (struct sockaddr *)sin, len);
	}
}

/* Sends packet @seq. Returns microseconds, or -1 if no answer came in time. */
static long ping(int fd, const struct sockaddr_in *sin, int seq, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	long start = now_us();
	long left;
	int got;

	sendto(fd, &seq, sizeof(seq), 0, (const struct sockaddr *)sin,
	       sizeof(*sin));
	for (;;) {
		left = ms - (now_us() - start) / 1000;
		if (left < 0 || poll(&p, 1, left) < 1)
			return -1;
		/* A late answer to an earlier one does not count. */
		if (recv(fd, &got, sizeof(got), 0) == sizeof(got) && got == seq)
			return now_us() - start;
	}
}

static int by_size(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	long us[MAX];
	int i, count, n = 0;
	int fd;

	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve(fd, &sin);
	if (argc != 4 || inet_pton(AF_INET, argv[1], &sin.sin_addr) != 1) {
		fprintf(stderr, "usage: rtt serve | rtt ADDRESS COUNT MS\n");
		return 2;
	}
	count = atoi(argv[2]);
	for (i = 0; i < count && n < MAX; i++) {
		us[n] = ping(fd, &sin, i, atoi(argv[3]));
		n += us[n] >= 0;
	}
	qsort(us, n, sizeof(us[0]), by_size);
	printf("%d %ld\n", n, n ? us[n / 2] : 0);
	close(fd);
	return 0;
}
