// SPDX-License-Identifier: GPL-2.0
/*
 * Input that no helper sends: to the netlink family and to /dev/gns. The kernel
 * answers each piece with an errno and goes on; that it did no more than that
 * is seen in its log, which the lab reads.
 *
 *	badinput		in a guest, as root; GNS_KMOD is gns.ko
 *
 * Seeds and counts are fixed: a run does what the one before did.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "badinput.h"

static int cases, bad;
static char notes[2048];

void note(const char *fmt, ...)
{
	size_t used = strlen(notes);
	va_list ap;

	if (used > sizeof(notes) - 200)
		return;
	used += (size_t)snprintf(notes + used, sizeof(notes) - used, "#   ");
	va_start(ap, fmt);
	vsnprintf(notes + used, sizeof(notes) - used - 1, fmt, ap);
	va_end(ap);
	strcat(notes, "\n");
}

bool ok(bool good, const char *name)
{
	cases++;
	bad += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", cases, name);
	if (!good)
		fputs(notes, stdout);
	notes[0] = '\0';
	fflush(stdout);
	return good;
}

u32 rnd(void)
{
	static u64 x = 0x9e3779b97f4a7c15ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (u32)(x >> 16);
}

void rnd_bytes(void *p, size_t len)
{
	u8 *b = p;

	while (len--)
		*b++ = (u8)rnd();
}

u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / NSEC_PER_MSEC;
}

/* What the kernel itself uses inside has no business here. */
bool clean(int err)
{
	return err <= 0 && err > -134;
}

static bool load(void)
{
	const char *path = getenv("GNS_KMOD");
	int fd, err = 0;

	if (!path)
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (syscall(SYS_finit_module, fd, "", 0))
		err = errno;
	close(fd);
	errno = err;
	return !err || err == EEXIST;
}

int main(void)
{
	if (!load()) {
		printf("1..1\nnot ok 1 - gns.ko loads: %s\n", strerror(errno));
		return 1;
	}
	cases_stranger();
	cases_bound();
	cases_device();
	cases_buffers();
	cases_changed();
	cases_call();
	printf("1..%d\n", cases);
	return bad ? 1 : 0;
}
