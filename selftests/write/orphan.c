// SPDX-License-Identifier: GPL-2.0
/*
 * write-orphan: a file lives on without a name for those who have it open, on
 * whichever host that is, and wherever the name was taken away; over a restart
 * of the origin; and no longer than that.
 *
 *	write-orphan [making]	or that it is open before its maker knows of it
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "kept.h"
#include "lab.h"
#include "tap.h"

#define SIZE 8192
#define MAKINGS 8

static u8 was[SIZE]; /* what is in the file */

static void make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), i;

	for (i = 0; i < SIZE; i++)
		was[i] = (u8)random();
	if (fd < 0 || write(fd, was, SIZE) != SIZE || close(fd))
		die("%s: %s", path, strerror(errno));
}

static int open_rw(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void is_there(int fd, const char *when)
{
	struct stat st;
	u8 buf[SIZE];
	ssize_t n;
	void *p;

	if (fstat(fd, &st))
		tap_bad("%s: fstat: %s", when, strerror(errno));
	else if (st.st_nlink || st.st_size != SIZE)
		tap_bad("%s: %u links, %lld bytes", when,
			(unsigned int)st.st_nlink, (long long)st.st_size);
	n = pread(fd, buf, SIZE, 0);
	if (n != SIZE)
		tap_bad("%s: read: %zd, %s", when, n, strerror(errno));
	else if (memcmp(buf, was, SIZE))
		tap_bad("%s: other bytes", when);
	p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || memcmp(p, was, SIZE))
		tap_bad("%s: mmap", when);
	if (p != MAP_FAILED)
		munmap(p, SIZE);
}

/* All that can be done with an open file. */
static void works(int fd, const char *when)
{
	char path[64];
	struct stat st;
	int again;

	is_there(fd, when);
	was[5] ^= 0x55;
	if (pwrite(fd, was + 5, 1, 5) != 1)
		tap_bad("%s: write: %s", when, strerror(errno));
	if (ftruncate(fd, SIZE / 2) || ftruncate(fd, SIZE))
		tap_bad("%s: ftruncate: %s", when, strerror(errno));
	memset(was + SIZE / 2, 0, SIZE / 2);
	if (fallocate(fd, 0, 0, SIZE) && errno != EOPNOTSUPP)
		tap_bad("%s: fallocate: %s", when, strerror(errno));
	if (fsync(fd))
		tap_bad("%s: fsync: %s", when, strerror(errno));
	if (fchmod(fd, 0600) || fstat(fd, &st) || (st.st_mode & 07777) != 0600)
		tap_bad("%s: fchmod: %s", when, strerror(errno));
	is_there(fd, when);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	if (again < 0)
		tap_bad("%s: %s: %s", when, path, strerror(errno));
	else
		is_there(again, when);
	close(again);
}

static void no_name(const char *name)
{
	struct stat st;

	for (actor = PLACE_A; actor <= PLACE_ORIGIN; actor++)
		if (!lstat(at(name), &st) || errno != ENOENT)
			tap_bad("%s is there still", at(name));
	actor = PLACE_A;
}

/* Open on @holder, taken away on @taker. */
static void one(enum place holder, enum place taker, const char *what)
{
	char path[64];
	int fd;

	make(at_place(holder, "f"));
	fd = open_rw(at_place(holder, "f"));
	if (unlink(at_place(taker, "f")))
		tap_bad("unlink: %s", strerror(errno));
	no_name("f");
	works(fd, what);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!linkat(AT_FDCWD, path, AT_FDCWD, at_place(holder, "again"),
		    AT_SYMLINK_FOLLOW) ||
	    errno != ENOENT)
		tap_bad("a new name: %s", strerror(errno));
	if (kept() != 1)
		tap_bad("%d files are kept", kept());
	close(fd);
	kept_gone(what);
}

static void over(enum place holder, enum place taker, const char *what)
{
	u8 first[SIZE];
	char c = 0;
	int fd, other;

	make(at_place(taker, "g"));
	other = open_rw(at_place(taker, "g"));
	memcpy(first, was, SIZE);
	make(at_place(holder, "f"));
	fd = open_rw(at_place(holder, "f"));
	if (rename(at_place(taker, "g"), at_place(taker, "f")))
		tap_bad("rename: %s", strerror(errno));
	works(fd, what);
	if (pread(other, &c, 1, 0) != 1 || (u8)c != first[0])
		tap_bad("the new one has other bytes");
	close(fd);
	close(other);
	if (unlink(at_place(taker, "f")))
		tap_bad("unlink: %s", strerror(errno));
	kept_gone(what);
}

/* Both hold it; then one, then nobody. */
static void in_turn(void)
{
	int a, b, second;

	make(at_place(PLACE_A, "f"));
	if (link(at_place(PLACE_B, "f"), at_place(PLACE_B, "h")))
		tap_bad("link: %s", strerror(errno));
	a = open_rw(at_place(PLACE_A, "f"));
	b = open_rw(at_place(PLACE_B, "h"));
	second = open_rw(at_place(PLACE_B, "f"));
	if (unlink(at_place(PLACE_B, "f")))
		tap_bad("unlink: %s", strerror(errno));
	if (kept())
		tap_bad("it has a name still");
	if (unlink(at_place(PLACE_A, "h")))
		tap_bad("unlink: %s", strerror(errno));
	works(a, "on a");
	works(b, "on b");
	is_there(a, "on a, after b");
	close(a);
	lab_sleep(200);
	works(b, "on b, closed on a");
	close(b);
	lab_sleep(200);
	works(second, "on b, by the second descriptor");
	close(second);
	kept_gone("both hosts, two names, closed in turn");
}

/* A write elsewhere takes the lease away; the open file stays one. */
static void after_write(void)
{
	int a, b;

	make(at_place(PLACE_A, "f"));
	a = open_rw(at_place(PLACE_A, "f"));
	b = open_rw(at_place(PLACE_B, "f"));
	was[7]++;
	if (pwrite(b, was + 7, 1, 7) != 1 || close(b) ||
	    unlink(at_place(PLACE_B, "f")))
		tap_bad("%s", strerror(errno));
	works(a, "written to, then taken away");
	close(a);
	kept_gone("a lease that was lost before");
}

static void *make_new(void *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return (void *)(long)(fd < 0 ? -errno : fd);
}

static void *take_away(void *path)
{
	return (void *)(long)(unlink(path) ? -errno : 0);
}

/*
 * It is taken away before its maker has heard that it was made: he has it open
 * then, and no other one is made.
 */
static void in_the_making(void)
{
	pthread_t maker, taker;
	struct stat st;
	void *fd, *err;
	char c = 'x';
	int i;

	for (i = 0; i < MAKINGS; i++) {
		/* The directory is known. */
		stat(at_place(PLACE_A, "f"), &st);
		lab("net_cut a in");
		pthread_create(&maker, NULL, make_new,
			       (void *)at_place(PLACE_A, "f"));
		while (stat(at_place(PLACE_ORIGIN, "f"), &st))
			lab_sleep(10);
		pthread_create(&taker, NULL, take_away,
			       (void *)at_place(PLACE_B, "f"));
		lab_sleep(100);
		lab("net_heal a");
		pthread_join(maker, &fd);
		pthread_join(taker, &err);
		if (err || (long)fd < 0) {
			tap_bad("open: %ld, unlink: %ld", (long)fd, (long)err);
			continue;
		}
		if (fstat((int)(long)fd, &st) || st.st_nlink)
			tap_bad("it has %u links", (unsigned int)st.st_nlink);
		no_name("f");
		if (pwrite((int)(long)fd, &c, 1, 0) != 1 ||
		    pread((int)(long)fd, &c, 1, 0) != 1)
			tap_bad("it can not be used: %s", strerror(errno));
		close((int)(long)fd);
	}
	kept_gone("taken away while it is made");
}

/* The origin goes and comes, with who has the file open. */
static void restart(const char *how, bool wait, enum place holder,
		    enum place taker)
{
	int fd;

	make(at_place(holder, "f"));
	fd = open_rw(at_place(holder, "f"));
	if (unlink(at_place(taker, "f")))
		tap_bad("unlink: %s", strerror(errno));
	lab(how);
	lab("origin_start");
	is_there(fd, how);
	works(fd, how);
	if (wait) {
		/* Longer than an origin waits for who may come back. */
		lab_sleep(2.2 * (atof(lab_env("TTL")) * 1250 + 250));
		works(fd, how);
	}
	if (kept() != 1)
		tap_bad("%d files are kept", kept());
	close(fd);
	kept_gone(how);
}

/* Nobody reaches them by name. */
static void unseen(void)
{
	enum place before = actor;
	struct dirent *e;
	struct stat st;
	DIR *d;
	int fd;

	make(at_place(PLACE_A, "f"));
	fd = open_rw(at_place(PLACE_A, "f"));
	unlink(at_place(PLACE_A, "f"));
	actor = PLACE_B;
	if (!lstat(at("../.gns-orphans"), &st) || errno != ENOENT)
		tap_bad("the hidden directory is seen: %s", strerror(errno));
	if (!mkdir(at("../.gns-orphans"), 0755) || errno != EPERM)
		tap_bad("mkdir: %s", strerror(errno));
	d = opendir(at(".."));
	while (d && (e = readdir(d)))
		if (!strcmp(e->d_name, ".gns-orphans"))
			tap_bad("it is listed");
	if (d)
		closedir(d);
	actor = before;
	close(fd);
	kept_gone("the hidden directory is hidden");
}

/* The host that holds it dies: what it held goes with its session. */
static void death(void)
{
	int fd;

	make(at_place(PLACE_B, "f"));
	fd = open_rw(at_place(PLACE_B, "f"));
	if (unlink(at_place(PLACE_A, "f")))
		tap_bad("unlink: %s", strerror(errno));
	is_there(fd, "before");
	kept_till_death("b");
	if (pread(fd, was, 1, 0) != -1 || (errno != ESTALE && errno != EIO))
		tap_bad("read: %s", strerror(errno));
	close(fd);
	kept_gone("a session that died");
}

int main(int argc, char **argv)
{
	view_begin();
	if (argc > 1 && !strcmp(argv[1], "making")) {
		in_the_making();
		return tap_end();
	}
	one(PLACE_A, PLACE_A, "taken away where it is open");
	one(PLACE_A, PLACE_B, "taken away elsewhere");
	over(PLACE_A, PLACE_A, "replaced where it is open");
	over(PLACE_A, PLACE_B, "replaced elsewhere");
	in_turn();
	after_write();
	unseen();
	restart("origin_kill", true, PLACE_A, PLACE_B);
	restart("origin_stop", false, PLACE_A, PLACE_A);
	death();
	return tap_end();
}
