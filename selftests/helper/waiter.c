// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that wait; see waiter.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"
#include "waiter.h"

#define LEN (256u << 10)

static char buf[LEN];
static int warm_fd = -1;
static int cold_fd[4] = { -1, -1, -1, -1 };
static volatile char *warm_map, *cold_map;

static const char *at(const char *path)
{
	return lab_path(lab_path(lab_env("LAB"), "a"), path);
}

static int cold_open(void)
{
	return open(at("cold-open"), O_RDONLY) < 0 ? -1 : 0;
}

static int cold_read(void)
{
	return pread(cold_fd[0], buf, LEN, 0) < 0 ? -1 : 0;
}

static int cold_direct(void)
{
	return pread(cold_fd[1], buf, 4096, 0) < 0 ? -1 : 0;
}

static int cold_send(void)
{
	off_t off = 0;

	return sendfile(memfd_create("to", 0), cold_fd[2], &off, LEN) < 0 ? -1 : 0;
}

static int cold_fault(void)
{
	(void)cold_map[5000];
	return 0;
}

static int cold_seek(void)
{
	return lseek(cold_fd[3], 0, SEEK_HOLE) < 0 ? -1 : 0;
}

static int warm_read(void)
{
	return pread(warm_fd, buf, LEN, 0) < 0 ? -1 : 0;
}

static int warm_fault(void)
{
	(void)warm_map[5000];
	return 0;
}

static int warm_stat(void)
{
	struct stat st;

	return stat(at("warm"), &st);
}

static int look_up(void)
{
	struct stat st;

	return !stat(at("absent"), &st) || errno == ENOENT ? 0 : -1;
}

static int list(void)
{
	DIR *d = opendir(at("dir"));

	if (!d)
		return -1;
	errno = 0;
	while (readdir(d))
		;
	return errno ? -1 : 0;
}

static int read_link(void)
{
	return readlink(at("link"), buf, LEN) < 0 ? -1 : 0;
}

static int get_xattr(void)
{
	return getxattr(at("warm"), "user.none", buf, 10) < 0 && errno != ENODATA ?
		       -1 :
		       0;
}

struct waiter waiters[] = {
	{ .name = "open", .call = cold_open },
	{ .name = "read", .call = cold_read },
	{ .name = "O_DIRECT read", .call = cold_direct },
	{ .name = "sendfile", .call = cold_send },
	{ .name = "fault", .call = cold_fault, .fault = true },
	{ .name = "lseek", .call = cold_seek },
	{ .name = "cached read", .call = warm_read },
	{ .name = "cached fault", .call = warm_fault, .fault = true },
	{ .name = "cached stat", .call = warm_stat },
	{ .name = "lookup", .call = look_up },
	{ .name = "readdir", .call = list },
	{ .name = "readlink", .call = read_link },
	{ .name = "getxattr", .call = get_xattr },
};

const unsigned int nwaiters = ARRAY_SIZE(waiters);

static const char *const files[] = {
	"warm",
	"cold-open",
	"cold-0",
	"cold-1",
	"cold-2",
	"cold-3",
	"cold-map",
};

void waiters_prepare(void)
{
	const char *export = lab_env("EXPORT");
	unsigned int i;
	FILE *f;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		f = fopen(lab_path(export, files[i]), "we");
		if (!f || fwrite(buf, 1, LEN, f) != LEN || fclose(f))
			die("%s: %s", files[i], strerror(errno));
	}
	if (mkdir(lab_path(export, "dir"), 0755) ||
	    symlink("warm", lab_path(export, "link")))
		die("a directory: %s", strerror(errno));
}

static void *map(int fd)
{
	void *p = mmap(NULL, LEN, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return p;
}

void waiters_warm(void)
{
	char name[32];
	int i, fd;

	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "cold-%d", i);
		cold_fd[i] = open(at(name), i == 1 ? O_RDONLY | O_DIRECT : O_RDONLY);
		if (cold_fd[i] < 0)
			die("%s: %s", name, strerror(errno));
	}
	fd = lab_open(at("cold-map"));
	cold_map = map(fd);
	close(fd);
	warm_fd = lab_open(at("warm"));
	warm_map = map(warm_fd);
	if (pread(warm_fd, buf, LEN, 0) != LEN || warm_stat())
		die("warm: %s", strerror(errno));
	(void)warm_map[5000];
}

void waiters_start(void)
{
	struct waiter *w;

	fflush(NULL);
	for (w = waiters; w < waiters + nwaiters; w++) {
		w->ended = false;
		w->pid = fork();
		if (w->pid < 0)
			die("fork: %s", strerror(errno));
		if (w->pid)
			continue;
		signal(SIGBUS, SIG_DFL);
		_exit(w->call() ? errno : 0);
	}
	/* The parent's own must not keep the mount busy. */
	munmap((void *)warm_map, LEN);
	munmap((void *)cold_map, LEN);
	close(warm_fd);
	close(cold_fd[0]);
	close(cold_fd[1]);
	close(cold_fd[2]);
	close(cold_fd[3]);
}

static bool has_ended(struct waiter *w)
{
	if (!w->ended && waitpid(w->pid, &w->status, WNOHANG) == w->pid)
		w->ended = true;
	return w->ended;
}

unsigned int waiters_left(bool complain)
{
	unsigned int left = 0;
	struct waiter *w;

	for (w = waiters; w < waiters + nwaiters; w++) {
		if (!has_ended(w))
			left++;
		else if (complain)
			tap_bad("%s has ended: status %x", w->name, w->status);
	}
	return left;
}

bool waiter_join(struct waiter *w, unsigned int ms)
{
	u64 begin = lab_now();

	while (!has_ended(w)) {
		if (lab_ms(begin) > ms)
			return false;
		lab_sleep(5);
	}
	return true;
}
