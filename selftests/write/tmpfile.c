// SPDX-License-Identifier: GPL-2.0
/*
 * write-tmpfile: a file that is made without a name is one as any other for who
 * has it open, gets a name or does not, and is gone when it is closed without;
 * over the death of the origin and of the helper.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "kept.h"
#include "lab.h"
#include "tap.h"

#define SIZE 70000
#define USER 1000

static u8 was[SIZE]; /* what is in the file */

static int begin(enum place p, const char *dir, int flags)
{
	int fd = open(at_place(p, dir), O_TMPFILE | O_RDWR | O_CLOEXEC | flags,
		      0666);
	int i;

	if (fd < 0)
		die("O_TMPFILE: %s", strerror(errno));
	for (i = 0; i < SIZE; i++)
		was[i] = (u8)random();
	if (write(fd, was, SIZE) != SIZE)
		die("write: %s", strerror(errno));
	return fd;
}

static void same(int fd, unsigned int links, const char *when)
{
	static u8 buf[SIZE];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		tap_bad("%s: fstat: %s", when, strerror(errno));
	else if (st.st_nlink != links || st.st_size != SIZE)
		tap_bad("%s: %u links, %lld bytes", when,
			(unsigned int)st.st_nlink, (long long)st.st_size);
	n = pread(fd, buf, SIZE, 0);
	if (n != SIZE)
		tap_bad("%s: read: %zd, %s", when, n, strerror(errno));
	else if (memcmp(buf, was, SIZE))
		tap_bad("%s: other bytes", when);
}

static void works(int fd, const char *when)
{
	same(fd, 0, when);
	was[5] ^= 0x55;
	if (pwrite(fd, was + 5, 1, 5) != 1 || ftruncate(fd, SIZE / 2) ||
	    ftruncate(fd, SIZE) || fsync(fd))
		tap_bad("%s: %s", when, strerror(errno));
	memset(was + SIZE / 2, 0, SIZE - SIZE / 2);
	same(fd, 0, when);
}

/* As everybody sees the file @name. */
static void named(const char *name, unsigned int links, const char *when)
{
	enum place p;
	int fd;

	for (p = PLACE_A; p <= PLACE_ORIGIN; p++) {
		fd = open(at_place(p, name), O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			tap_bad("%s: %s: %s", when, at_place(p, name),
				strerror(errno));
		else
			same(fd, links, when);
		close(fd);
	}
}

static void take_away(enum place p, const char *name)
{
	if (unlink(at_place(p, name)))
		tap_bad("unlink: %s", strerror(errno));
}

static int names_in(enum place p)
{
	DIR *d = opendir(at_place(p, "."));
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)))
		n += *e->d_name != '.';
	if (d)
		closedir(d);
	return n;
}

/* By its name in /proc, or by its descriptor alone. */
static int name_it(int fd, bool by_proc, enum place p, const char *name)
{
	char path[64];

	if (!by_proc)
		return linkat(fd, "", AT_FDCWD, at_place(p, name),
			      AT_EMPTY_PATH);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, AT_FDCWD, at_place(p, name),
		      AT_SYMLINK_FOLLOW);
}

static void no_name(int fd, enum place p, const char *when)
{
	struct stat st;

	if (!name_it(fd, true, p, "new") || errno != ENOENT)
		tap_bad("%s: a name: %s", when, strerror(errno));
	if (!lstat(at_place(PLACE_ORIGIN, "new"), &st))
		tap_bad("%s: it has one", when);
}

static void life(enum place p, enum place other, const char *what)
{
	int fd = begin(p, ".", 0);

	works(fd, what);
	if (names_in(p) || names_in(other))
		tap_bad("it has a name");
	if (kept() != 1)
		tap_bad("%d files are kept", kept());
	if (close(creat(at_place(other, "f"), 0600)) ||
	    !name_it(fd, true, p, "f") || errno != EEXIST)
		tap_bad("over another name: %s", strerror(errno));
	take_away(p, "f");
	if (name_it(fd, p == PLACE_A, p, "new"))
		tap_bad("a name: %s", strerror(errno));
	same(fd, 1, what);
	named("new", 1, what);
	if (kept())
		tap_bad("%d files are kept", kept());
	if (name_it(fd, true, p, "second"))
		tap_bad("a second name: %s", strerror(errno));
	named("second", 2, what);
	take_away(other, "new");
	take_away(p, "second");
	works(fd, what);
	no_name(fd, p, "after both are gone");
	close(fd);
	kept_gone(what);
}

static void unnamed(void)
{
	int fd = begin(PLACE_A, ".", 0);
	pid_t pid;

	close(fd);
	kept_gone("closed without a name");
	fd = begin(PLACE_B, ".", O_EXCL);
	works(fd, "with O_EXCL");
	no_name(fd, PLACE_B, "with O_EXCL");
	close(fd);
	kept_gone("with O_EXCL, it never gets one");
	pid = fork();
	if (!pid) {
		begin(PLACE_A, ".", 0);
		begin(PLACE_B, ".", 0);
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, NULL, 0);
	kept_gone("a program that dies");
}

/* What a new file in that directory would be. */
static void as_created(void)
{
	mode_t mask = umask(027);
	struct stat st;
	int fd, err;

	if (mkdir(at_place(PLACE_A, "d"), 0777) ||
	    chown(at_place(PLACE_A, "d"), 0, 2000) ||
	    chmod(at_place(PLACE_A, "d"), 02775))
		tap_bad("d: %s", strerror(errno));
	fd = begin(PLACE_B, "d", 0);
	if (fstat(fd, &st) || st.st_mode != (S_IFREG | 0640) ||
	    st.st_uid || st.st_gid != 2000)
		tap_bad("mode %o, %u:%u", st.st_mode, st.st_uid, st.st_gid);
	close(fd);
	umask(mask);
	if (seteuid(USER))
		die("seteuid: %s", strerror(errno));
	fd = open(at_place(PLACE_A, "d"), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	err = errno;
	if (seteuid(0))
		die("seteuid: %s", strerror(errno));
	if (fd >= 0 || err != EACCES)
		tap_bad("by somebody else: %s", strerror(err));
	rmdir(at_place(PLACE_A, "d"));
	kept_gone("mode, umask, group and rights as of a new file");
}

struct naming {
	int fd;
	int err;
};

static void *name_thread(void *arg)
{
	struct naming *n = arg;

	n->err = name_it(n->fd, true, PLACE_A, "new") ? errno : 0;
	return NULL;
}

/* The origin dies; the name is asked for while nobody is there. */
static void origin_dies(void)
{
	struct naming n = { begin(PLACE_A, ".", 0), -1 };
	int other = begin(PLACE_B, ".", 0);
	u8 second[SIZE];
	pthread_t t;

	memcpy(second, was, SIZE);
	close(n.fd);
	n.fd = begin(PLACE_A, ".", 0);
	lab("origin_kill");
	t = lab_thread(name_thread, &n);
	lab_sleep(200);
	lab("origin_start");
	if (!lab_join(t, lab_slow(30000)) || n.err)
		tap_bad("a name: %s", strerror(n.err));
	named("new", 1, "the origin died");
	close(n.fd);
	memcpy(was, second, SIZE);
	works(other, "the origin died");
	if (name_it(other, true, PLACE_B, "second"))
		tap_bad("a name, later: %s", strerror(errno));
	named("second", 1, "the origin died");
	close(other);
	take_away(PLACE_A, "new");
	take_away(PLACE_A, "second");
	kept_gone("named over the origin's death");
}

static void helper_dies(void)
{
	int fd = begin(PLACE_A, ".", 0);

	lab("helper_kill a");
	lab("helper_start a");
	works(fd, "the helper died");
	if (name_it(fd, true, PLACE_A, "new"))
		tap_bad("a name: %s", strerror(errno));
	close(fd);
	named("new", 1, "the helper died");
	take_away(PLACE_B, "new");
	kept_gone("named after the helper's death");
}

/* Its session dies, and it with that: it can not be named any more. */
static void session_dies(void)
{
	int fd = begin(PLACE_B, ".", 0);
	struct stat st;

	kept_till_death("b");
	if (!name_it(fd, true, PLACE_B, "new"))
		tap_bad("what is gone gets a name");
	else if (errno != ESTALE && errno != ENOENT && errno != EIO)
		tap_bad("a name: %s", strerror(errno));
	if (!lstat(at_place(PLACE_A, "new"), &st) || errno != ENOENT)
		tap_bad("there is a name");
	close(fd);
	kept_gone("a session that died");
}

int main(void)
{
	view_begin();
	life(PLACE_A, PLACE_B, "made on a");
	life(PLACE_B, PLACE_A, "made on b");
	unnamed();
	as_created();
	helper_dies();
	origin_dies();
	session_dies();
	return tap_end();
}
