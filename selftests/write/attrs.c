// SPDX-License-Identifier: GPL-2.0
/*
 * write-attrs: attributes changed on a mount, beside a local tree that is
 * treated in the same way.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "attrs.h"
#include "both.h"
#include "client.h"
#include "lab.h"
#include "tap.h"
#include "twin.h"

static void make(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	QUIET(0, put(at(name), O_CREAT | O_EXCL | O_WRONLY, 0600, "content"));
	QUIET(0, chown(at(name), uid, gid));
	QUIET(0, chmod(at(name), mode));
	twin_tree(name);
}

static int by_fd(const char *path, int flags, int (*fn)(int fd))
{
	int fd = open(path, flags | O_CLOEXEC), ret, err;

	if (fd < 0)
		return -1;
	ret = fn(fd);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

static int fchmod_0711(int fd)
{
	return fchmod(fd, 0711);
}

static int fchown_group(int fd)
{
	return fchown(fd, -1, GROUP);
}

static void check_chmod(void)
{
	static const mode_t modes[] = { 0, 0777, 0640, 04755, 02755, 01644, 07777 };
	size_t i;

	make("m", 0644, 0, 0);
	QUIET(0, mkdir(at("md"), 0755));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		SAME(0, chmod(at("m"), modes[i]));
		SAME(0, chmod(at("md"), modes[i]));
	}
	SAME(0, by_fd(at("m"), O_RDONLY, fchmod_0711));
	SAME(0, mkfifo(at("mp"), 0600));
	SAME(0, chmod(at("mp"), 0666));
	SAME(0, symlink("m", at("ml")));
	SAME(0, chmod(at("ml"), 0600));
	SAME(ENOENT, chmod(at("none"), 0600));
	SAME(ENOTDIR, chmod(at("m/x"), 0600));
	SAME_AS(USER, EPERM, chmod(at("m"), 0600));
	SAME(0, chown(at("m"), USER, GROUP));
	SAME_AS(OTHER, EPERM, chmod(at("m"), 0600));
	SAME_AS(USER, 0, chmod(at("m"), 0604));
	/* He is not in the file's group. */
	SAME_AS(USER, 0, chmod(at("m"), 02755));
	SAME(0, chmod(at("m"), 02755));
	tap_good("chmod");
}

static void check_chown(void)
{
	make("o", 0644, 0, 0);
	SAME(0, chown(at("o"), USER, GROUP));
	SAME(0, chown(at("o"), OTHER, -1));
	SAME(0, chown(at("o"), -1, USER));
	SAME(0, chown(at("o"), -1, -1));
	SAME(0, by_fd(at("o"), O_RDONLY, fchown_group));
	SAME_AS(USER, EPERM, chown(at("o"), USER, -1));
	SAME_AS(OTHER, EPERM, chown(at("o"), USER, -1));
	SAME_AS(OTHER, EPERM, chown(at("o"), -1, USER));
	SAME_AS(OTHER, 0, chown(at("o"), -1, OTHER));
	SAME_AS(OTHER, 0, chown(at("o"), OTHER, OTHER));
	SAME(0, symlink("o", at("ol")));
	SAME(0, lchown(at("ol"), USER, GROUP));
	SAME(0, chown(at("ol"), 7, 8));
	SAME(0, mkdir(at("od"), 06755));
	SAME(0, chown(at("od"), USER, GROUP));
	SAME(0, mkfifo(at("op"), 0600));
	SAME(0, chown(at("op"), USER, GROUP));
	SAME(0, chown(at("o"), 4000000000u, 4294967294u));
	SAME(ENOENT, chown(at("none"), 1, 1));
	tap_good("chown");
}

static int shorten(const char *path)
{
	return truncate(path, 3);
}

static void check_suid(void)
{
	make("s1", 06755, USER, USER);
	SAME_AS(USER, 0, chown(at("s1"), -1, USER));
	make("s2", 06755, USER, GROUP);
	SAME(0, chown(at("s2"), OTHER, -1));
	make("s3", 06777, 0, 0);
	SAME_AS(USER, 0, put(at("s3"), O_WRONLY, 0, "others' bytes"));
	make("s4", 06777, 0, 0);
	SAME_AS(USER, 0, shorten(at("s4")));
	make("s5", 06777, 0, 0);
	SAME_AS(USER, 0, put(at("s5"), O_WRONLY | O_TRUNC, 0, NULL));
	make("s6", 06777, 0, 0);
	SAME(0, put(at("s6"), O_WRONLY, 0, "by root"));
	SAME(0, shorten(at("s6")));
	/* No group may execute it: the bit means something else. */
	make("s7", 06646, 0, 0);
	SAME_AS(USER, 0, put(at("s7"), O_WRONLY, 0, "w"));
	make("s8", 06755, USER, USER);
	SAME_AS(USER, 0, chown(at("s8"), -1, -1));
	tap_good("setuid and setgid bits");
}

static int set_times(const char *path, int flags, time_t asec, long ansec,
		     time_t msec, long mnsec)
{
	struct timespec ts[2] = { { asec, ansec }, { msec, mnsec } };

	return utimensat(AT_FDCWD, path, ts, flags);
}

/* Of both trees, and the same; before anybody reads the file. */
#define TIMES(asec, ansec, msec, mnsec) \
	do { \
		QUIET(0, set_times(at("t"), 0, asec, ansec, msec, mnsec)); \
		twin_stat("t", true); \
		twin_tree("utimensat of " #asec ", " #msec); \
	} while (0)

/* The same for some that keep one of those set here before. */
#define KEPT(asec, ansec, msec, mnsec) \
	do { \
		QUIET(0, set_times(at("t"), 0, 111, 1, 222, 2)); \
		TIMES(asec, ansec, msec, mnsec); \
	} while (0)

/* The clock of the origin is that of the guest. */
static void is_now(const struct timespec *ts, bool now, const char *what)
{
	if ((llabs(ts->tv_sec - time(NULL)) < 100) != now)
		tap_bad("%s is %ld", what, (long)ts->tv_sec);
}

static void now_for(bool atime, bool mtime)
{
	struct stat st;

	twin_side = TWIN_GNS;
	if (stat(at("t"), &st))
		tap_bad("stat: %s", strerror(errno));
	is_now(&st.st_atim, atime, "atime");
	is_now(&st.st_mtim, mtime, "mtime");
	is_now(&st.st_ctim, true, "ctime");
	twin_tree("utimensat with UTIME_NOW");
}

static void check_times(void)
{
	make("t", 0666, 0, 0);
	TIMES(1, 2, 3, 4);
	TIMES(1000000000, 999999999, 2000000000, 0);
	TIMES(-5, 7, -1, 999999999);
	TIMES(4294967296, 1, 9000000000, 999999999);
	KEPT(10, 0, 0, UTIME_OMIT);
	KEPT(0, UTIME_OMIT, 20, 0);
	KEPT(0, UTIME_OMIT, 0, UTIME_OMIT);
	QUIET(0, set_times(at("t"), 0, 0, UTIME_NOW, 30, 0));
	now_for(true, false);
	QUIET(0, set_times(at("t"), 0, 40, 0, 0, UTIME_NOW));
	now_for(false, true);
	QUIET(0, set_times(at("t"), 0, 0, UTIME_NOW, 0, UTIME_OMIT));
	QUIET(0, set_times(at("t"), 0, 1, 1, 1, 1));
	now_for(false, false);
	QUIET(0, utimensat(AT_FDCWD, at("t"), NULL, 0));
	now_for(true, true);
	QUIET(0, set_times(at("t"), 0, 1, 1, 1, 1));
	QUIET_AS(USER, 0, utimensat(AT_FDCWD, at("t"), NULL, 0));
	now_for(true, true);
	QUIET_AS(USER, 0, set_times(at("t"), 0, 0, UTIME_NOW, 0, UTIME_NOW));
	now_for(true, true);
	SAME_AS(USER, EPERM, set_times(at("t"), 0, 1, 1, 1, 1));
	SAME_AS(USER, EPERM, set_times(at("t"), 0, 0, UTIME_NOW, 1, 1));
	SAME_AS(USER, EPERM, set_times(at("t"), 0, 0, UTIME_OMIT, 0, UTIME_NOW));
	SAME(0, chmod(at("t"), 0644));
	SAME_AS(USER, EACCES, utimensat(AT_FDCWD, at("t"), NULL, 0));
	SAME(0, chown(at("t"), USER, USER));
	SAME_AS(USER, 0, set_times(at("t"), 0, 1, 1, 1, 1));
	SAME(0, symlink("t", at("tl")));
	QUIET(0, set_times(at("tl"), AT_SYMLINK_NOFOLLOW, 5, 6, 7, 8));
	twin_stat("tl", true);
	SAME(0, mkdir(at("td"), 0755));
	QUIET(0, set_times(at("td"), 0, 5, 6, 7, 8));
	twin_stat("td", true);
	SAME(ENOENT, set_times(at("none"), 0, 1, 1, 1, 1));
	SAME(EINVAL, set_times(at("t"), 0, 1, 1000000000, 1, 1));
	tap_good("utimensat");
}

static int ftruncate_5(int fd)
{
	return ftruncate(fd, 5);
}

static int fallocate_1001(int fd)
{
	return fallocate(fd, 0, 1000, 1);
}

static void check_limit(void)
{
	struct rlimit old, small = { 1000, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	must(getrlimit(RLIMIT_FSIZE, &old), "getrlimit");
	small.rlim_max = old.rlim_max;
	must(setrlimit(RLIMIT_FSIZE, &small), "setrlimit");
	SAME(EFBIG, truncate(at("z"), 1001));
	SAME(0, truncate(at("z"), 1000));
	SAME(EFBIG, by_fd(at("z"), O_RDWR, fallocate_1001));
	must(setrlimit(RLIMIT_FSIZE, &old), "setrlimit");
	SAME(0, truncate(at("z"), 2000));
	must(setrlimit(RLIMIT_FSIZE, &small), "setrlimit");
	SAME(0, by_fd(at("z"), O_RDWR, fallocate_1001));
	SAME(0, truncate(at("z"), 1999));
	must(setrlimit(RLIMIT_FSIZE, &old), "setrlimit");
}

static void check_truncate(void)
{
	make("z", 0644, 0, 0);
	SAME(0, truncate(at("z"), 4));
	SAME(0, truncate(at("z"), 10));
	SAME(0, truncate(at("z"), 5000));
	SAME(0, put(at("z"), O_WRONLY | O_APPEND, 0, "end"));
	SAME(0, truncate(at("z"), 4999));
	SAME(0, truncate(at("z"), 60000));
	SAME(0, truncate(at("z"), 60000));
	SAME(0, truncate(at("z"), 0));
	/* Nobody should read all of it. */
	QUIET(0, truncate(at("z"), 1ll << 40));
	twin_stat("z", false);
	SAME(0, by_fd(at("z"), O_RDWR, ftruncate_5));
	SAME(EINVAL, by_fd(at("z"), O_RDONLY, ftruncate_5));
	SAME(EINVAL, truncate(at("z"), -1));
	QUIET(ANY, truncate(at("z"), INT64_MAX));
	twin_stat("z", false);
	SAME(0, truncate(at("z"), 5));
	check_limit();
	SAME(ENOENT, truncate(at("none"), 0));
	SAME(ENOTDIR, truncate(at("z/x"), 0));
	SAME(0, mkdir(at("zd"), 0755));
	SAME(EISDIR, truncate(at("zd"), 0));
	SAME(0, mkfifo(at("zp"), 0644));
	SAME(EINVAL, truncate(at("zp"), 0));
	SAME_AS(USER, EACCES, truncate(at("z"), 0));
	SAME(0, chmod(at("z"), 0666));
	SAME_AS(USER, 0, truncate(at("z"), 7));
	tap_good("truncate");
}

/* As the mount of the origin has it: 0 bits of what is made go. */
static void check_umask(void)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	char name[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		umask(masks[i]);
		snprintf(name, sizeof(name), "uf%zu", i);
		SAME(0, put(at(name), O_CREAT | O_WRONLY, 0666, NULL));
		name[1] = 'd';
		SAME(0, mkdir(at(name), 0777));
		name[1] = 'p';
		SAME(0, mkfifo(at(name), 0666));
		name[1] = 'n';
		SAME(0, mknod(at(name), S_IFREG | 0777, 0));
		name[1] = 'l';
		SAME(0, symlink("x", at(name)));
		name[1] = 's';
		SAME(0, put(at(name), O_CREAT | O_WRONLY, 07777, NULL));
	}
	umask(0);
	tap_good("umask");
}

static void check_setgid_dir(void)
{
	SAME(0, mkdir(at("g"), 0777));
	SAME(0, chown(at("g"), 0, GROUP));
	SAME(0, chmod(at("g"), 02777));
	SAME(0, put(at("g/f"), O_CREAT | O_WRONLY, 0644, NULL));
	SAME(0, mkdir(at("g/d"), 0755));
	SAME(0, mkfifo(at("g/p"), 0644));
	SAME(0, symlink("x", at("g/l")));
	SAME(0, mkdir(at("g/d/d"), 0755));
	/* Not in the group: no program of it can be made. */
	SAME_AS(USER, 0, put(at("g/u"), O_CREAT | O_WRONLY, 02775, NULL));
	SAME_AS(USER, 0, put(at("g/w"), O_CREAT | O_WRONLY, 02765, NULL));
	SAME_AS(USER, 0, mkdir(at("g/ud"), 0755));
	SAME_AS(USER, 0, mkdir(at("g/vd"), 02755));
	SAME_AS(USER, 0, mkfifo(at("g/up"), 02777));
	SAME(0, chmod(at("g"), 0777));
	SAME(0, put(at("g/after"), O_CREAT | O_WRONLY, 0644, NULL));
	tap_good("setgid directories");
}

int main(void)
{
	twin_begin();
	twin_mount();
	check_chmod();
	check_chown();
	check_suid();
	check_times();
	check_truncate();
	check_umask();
	check_setgid_dir();
	check_xattrs();
	check_caps();
	return tap_end();
}
