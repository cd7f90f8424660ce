// SPDX-License-Identifier: GPL-2.0
/*
 * The cluster as a test program sees it; see lab.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "../tree/client.h"
#include "lab.h"

/* Pipes to and from the shell, see lab_run in cluster.sh. */
#define ASK_FD 3
#define ANSWER_FD 4

#define PATHS 16
#define PATH_LEN 8192

static pthread_mutex_t asking;

__attribute__((constructor)) static void init(void)
{
	pthread_mutex_init(&asking, NULL);
}

static int ask(const char *fmt, va_list ap)
{
	char buf[1024];
	size_t n = 0;
	int len;

	len = vsnprintf(buf, sizeof(buf) - 1, fmt, ap);
	if (len < 0 || (size_t)len >= sizeof(buf) - 1)
		die("a command to the lab is too long");
	buf[len] = '\n';
	pthread_mutex_lock(&asking);
	if (write(ASK_FD, buf, len + 1) != len + 1)
		die("no lab: start this program in the lab");
	while (read(ANSWER_FD, buf + n, 1) == 1 && buf[n] != '\n')
		if (++n == sizeof(buf) - 1)
			break;
	pthread_mutex_unlock(&asking);
	buf[n] = '\0';
	if (!n)
		die("the lab does not answer");
	return atoi(buf);
}

void lab(const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = ask(fmt, ap);
	va_end(ap);
	if (err)
		die("could not do '%s': status %d", fmt, err);
}

int lab_try(const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = ask(fmt, ap);
	va_end(ap);
	return err;
}

void lab_leave(void)
{
	close(ASK_FD);
	close(ANSWER_FD);
}

const char *lab_env(const char *name)
{
	const char *v = getenv(name);

	if (!v)
		die("%s is not set: start this program in the lab", name);
	return v;
}

pid_t lab_pid(const char *host)
{
	char path[256], buf[32] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s.pid", lab_env("LAB"), host);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, buf, sizeof(buf) - 1) < 1)
		die("%s: %s", path, strerror(errno));
	close(fd);
	return atoi(buf);
}

u64 lab_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

u64 lab_ms(u64 begin)
{
	return (lab_now() - begin) / NSEC_PER_MSEC;
}

void lab_forget(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "3", 1) != 1)
		die("drop_caches: %s", strerror(errno));
	close(fd);
}

void lab_sleep(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000l };

	while (clock_nanosleep(CLOCK_BOOTTIME, 0, &ts, &ts) == EINTR)
		;
}

bool lab_is_slow(void)
{
	return !strcmp(lab_env("GNS_KERNEL"), "debug");
}

unsigned int lab_slow(unsigned int n)
{
	return lab_is_slow() ? 3 * n : n;
}

pthread_t lab_thread(lab_fn fn, void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, fn, arg))
		die("no thread");
	return t;
}

bool lab_join(pthread_t t, unsigned int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += (ms % 1000) * 1000000l;
	if (ts.tv_nsec >= 1000000000l) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000l;
	}
	return !pthread_clockjoin_np(t, NULL, CLOCK_MONOTONIC, &ts);
}

const char *lab_path(const char *dir, const char *name)
{
	static __thread char paths[PATHS][PATH_LEN];
	static __thread unsigned int next;
	char *p = paths[next++ % PATHS];

	snprintf(p, PATH_LEN, "%s/%s", dir, name);
	return p;
}

int lab_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}
