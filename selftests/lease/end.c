// SPDX-License-Identifier: GPL-2.0
/*
 * lease-end: where a file ends, as the VFS itself takes it from the inode: for
 * copies, for locks counted from the end, for programs that the kernel loads.
 * The file was made longer on another host a moment ago; or while this one is
 * cut off, and nobody can tell it. The origin's TTL is $TTL seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"

static const char *at(const char *host, const char *name)
{
	return lab_path(lab_path(lab_env("LAB"), host), name);
}

static int open_at(const char *host, const char *name, int flags)
{
	int fd = open(at(host, name), flags | O_CLOEXEC, 0644);

	if (fd < 0)
		die("open %s on %s: %s", name, host, strerror(errno));
	return fd;
}

static void put(int fd, off_t off, const char *text)
{
	ssize_t len = strlen(text);

	if (pwrite(fd, text, len, off) != len)
		die("write: %s", strerror(errno));
}

static size_t size_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		die("stat: %s", strerror(errno));
	return st.st_size;
}

/* All behind @from, into an empty file; what came there. */
static const char *copied(int in, int out, off_t from)
{
	static char buf[64];
	ssize_t n;

	while ((n = copy_file_range(in, &from, out, NULL, 64, 0)) > 0)
		;
	if (n < 0)
		tap_bad("copy_file_range: %s", strerror(errno));
	n = pread(out, buf, sizeof(buf) - 1, 0);
	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

static void check_copy(int here, int there)
{
	const char *got;
	int i, out;

	put(there, 0, "begin");
	for (i = 0; i < 8; i++) {
		size_t size = size_of(here);

		out = open_at("a", "copy", O_RDWR | O_CREAT | O_TRUNC);
		put(there, size, "more");
		got = copied(here, out, size);
		if (strcmp(got, "more"))
			tap_bad("%s of \"more\" was copied", got);
		close(out);
	}
	tap_good("a copy goes on to where the other host has written");
}

static struct flock range(short type, off_t start, off_t len)
{
	return (struct flock){
		.l_type = type,
		.l_whence = SEEK_END,
		.l_start = start,
		.l_len = len,
	};
}

static void check_locked(int there, off_t start, off_t len)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(there, F_OFD_GETLK, &fl) || fl.l_type != F_WRLCK ||
	    fl.l_start != start || fl.l_len != len)
		tap_bad("type %d from %lld, %lld bytes; not from %lld, %lld: %s",
			fl.l_type, (long long)fl.l_start, (long long)fl.l_len,
			(long long)start, (long long)len, strerror(errno));
}

static void check_lock(int here, int there)
{
	static const struct {
		off_t start, len; /* from the end */
		off_t from, bytes;
	} locks[] = {
		{ 0, 0, 0, 0 },
		{ 0, 10, 0, 10 },
		{ -4, 4, -4, 4 },
		{ -4, 0, -4, 0 },
		{ 100, 1, 100, 1 },
		{ 0, -3, -3, 3 },
	};
	off_t size;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(locks); i++) {
		struct flock fl;

		size = size_of(here);
		put(there, size, "grows");
		size += strlen("grows");
		fl = range(F_WRLCK, locks[i].start, locks[i].len);
		if (fcntl(here, F_OFD_SETLK, &fl))
			tap_bad("lock: %s", strerror(errno));
		check_locked(there, size + locks[i].from, locks[i].bytes);
		fl = range(F_UNLCK, locks[i].start, locks[i].len);
		if (fcntl(here, F_OFD_SETLK, &fl))
			tap_bad("unlock: %s", strerror(errno));
		fl = (struct flock){ .l_type = F_WRLCK };
		if (fcntl(there, F_OFD_GETLK, &fl) || fl.l_type != F_UNLCK)
			tap_bad("it is locked still");
	}
	tap_good("locks are counted from where the file ends");
}

/* It has no more than that: nothing is wrong with its length. */
static void check_load(void)
{
	int there = open_at("b", "program", O_WRONLY | O_CREAT), here;

	put(there, 0, "none");
	here = open_at("a", "program", O_RDONLY);
	put(there, 4, " yet");
	close(open_at("a", "program", O_RDONLY));
	if (!syscall(SYS_finit_module, here, "", 0) || errno != ENOEXEC)
		tap_bad("%s", strerror(errno));
	tap_good("the kernel loads a file as long as it is");
	close(here);
	close(there);
}

static void check_limit(int here, int there)
{
	int end = open_at("a", "file", O_WRONLY | O_APPEND);
	size_t size = size_of(here);
	struct rlimit no = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit limit = { size + 6, RLIM_INFINITY };

	put(there, size, "1234");
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit))
		die("setrlimit: %s", strerror(errno));
	if (write(end, "567", 3) != 2 || write(end, "7", 1) >= 0 ||
	    errno != EFBIG)
		tap_bad("the limit is not where it is: %s", strerror(errno));
	if (!truncate(at("a", "file"), size + 7) || errno != EFBIG)
		tap_bad("it can be made longer: %s", strerror(errno));
	if (truncate(at("a", "file"), size + 6))
		tap_bad("truncate: %s", strerror(errno));
	if (setrlimit(RLIMIT_FSIZE, &no))
		die("setrlimit: %s", strerror(errno));
	close(end);
	tap_good("a process may make it as long as its limit");
}

static void *copy_late(void *arg)
{
	int *fd = arg;

	return (void *)copied(fd[0], fd[1], fd[2]);
}

static void check_cut(int here, int there)
{
	int fd[3] = { here, open_at("a", "copy", O_RDWR | O_TRUNC), 0 };
	unsigned int ttl = 1000 * strtoul(lab_env("TTL"), NULL, 10);
	pthread_t t;
	void *got;

	fd[2] = size_of(here);
	lab("net_cut a");
	lab_sleep(2 * ttl);
	put(there, fd[2], "meanwhile");
	t = lab_thread(copy_late, fd);
	if (lab_join(t, 1000))
		die("it was copied behind a cut");
	lab("net_heal a");
	if (pthread_join(t, &got) || strcmp(got, "meanwhile"))
		tap_bad("something else was copied");
	close(fd[1]);
	tap_good("who is cut off knows no end");
}

int main(void)
{
	int here, there;

	lab("cluster a b");
	here = open_at("a", "file", O_RDWR | O_CREAT);
	there = open_at("b", "file", O_RDWR);
	check_copy(here, there);
	check_lock(here, there);
	check_load();
	check_limit(here, there);
	check_cut(here, there);
	return tap_end();
}
