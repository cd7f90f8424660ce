// SPDX-License-Identifier: GPL-2.0
/*
 * export-handles: name_to_handle_at(2) and open_by_handle_at(2). A handle means
 * the same object on each host, after renames, mounts and restarts, whether
 * anything of it is in memory or not; ESTALE is said of what is gone, and of
 * nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"

#define SAID "what is in it"
#define WAITS 1500 /* ms: longer than anything takes that does not wait */
#define ENDS 60000 /* ms */

struct handle {
	struct file_handle h;
	unsigned char room[MAX_HANDLE_SZ];
};

static char top_a[256], top_b[256];

static const char *a(const char *name)
{
	return lab_path(top_a, name);
}

static const char *b(const char *name)
{
	return lab_path(top_b, name);
}

static struct handle handle_of(const char *path)
{
	struct handle ret = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	if (name_to_handle_at(AT_FDCWD, path, &ret.h, &mount, 0))
		die("name_to_handle_at(%s): %s", path, strerror(errno));
	return ret;
}

/* Descriptor, or -1 with errno; on the mount at @top. */
static int open_at(const char *top, struct handle *h)
{
	int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, err;

	if (dir < 0)
		die("%s: %s", top, strerror(errno));
	fd = open_by_handle_at(dir, &h->h, O_RDONLY | O_CLOEXEC);
	err = errno;
	close(dir);
	errno = err;
	return fd;
}

/* Is that the file with SAID in it? */
static void check_file(const char *top, struct handle *h, const char *when)
{
	char buf[64] = "";
	int fd = open_at(top, h);

	if (fd < 0) {
		tap_bad("the file, %s: %s", when, strerror(errno));
		return;
	}
	if (read(fd, buf, sizeof(buf)) != strlen(SAID) || strcmp(buf, SAID))
		tap_bad("the file, %s, has '%s' in it", when, buf);
	close(fd);
}

/* Is that the directory of this path, all the way up? NULL: of any. */
static void check_dir(const char *top, struct handle *h, const char *path,
		      const char *when)
{
	char link[64], got[512];
	int fd = open_at(top, h);
	struct stat st;
	ssize_t n;

	if (fd < 0) {
		tap_bad("the directory, %s: %s", when, strerror(errno));
		return;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, got, sizeof(got) - 1);
	got[n < 0 ? 0 : n] = '\0';
	/* What was known here is not looked up again for a name to show. */
	if (path && strcmp(got, path))
		tap_bad("the directory, %s, is %s, not %s", when, got, path);
	if (fstatat(fd, "..", &st, 0))
		tap_bad("what is above the directory, %s: %s", when,
			strerror(errno));
	close(fd);
}

static void check_gone(const char *top, struct handle *h, const char *what)
{
	int fd = open_at(top, h);

	if (fd >= 0 || errno != ESTALE)
		tap_bad("%s, removed: %s", what,
			fd < 0 ? strerror(errno) : "can be opened");
	if (fd >= 0)
		close(fd);
}

static void make(const char *name, bool dir)
{
	const char *path = b(name);
	int fd;

	if (dir) {
		if (mkdir(path, 0755))
			die("%s: %s", path, strerror(errno));
		return;
	}
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, SAID, strlen(SAID)) != strlen(SAID))
		die("%s: %s", path, strerror(errno));
	close(fd);
}

/* Handles that nobody gave out. */
static void check_forged(struct handle h)
{
	struct handle bad;
	unsigned int i;
	int fd;

	for (i = 0; i <= h.h.handle_bytes; i++) {
		bad = h;
		if (i < h.h.handle_bytes)
			bad.room[i] ^= 0x40;
		else
			bad.h.handle_bytes = 4;
		fd = open_at(top_a, &bad);
		/* What is behind the handle itself does not count. */
		if (fd >= 0 && i > bad.room[0] &&
		    i < h.h.handle_bytes) {
			close(fd);
			continue;
		}
		if (fd >= 0 || errno != ESTALE)
			tap_bad("byte %u is wrong: %s", i,
				fd < 0 ? strerror(errno) : "can be opened");
	}
	tap_good("handles that are none");
}

static struct handle root, file, dir, deep;

static void check_all(const char *top, const char *dir_name, const char *when)
{
	char path[600];

	check_dir(top, &root, top, when);
	check_file(top, &file, when);
	if (!dir_name) {
		check_dir(top, &deep, NULL, when);
		check_dir(top, &dir, NULL, when);
		return;
	}
	snprintf(path, sizeof(path), "%s/%s/e/f/g", top, dir_name);
	check_dir(top, &deep, path, when);
	snprintf(path, sizeof(path), "%s/%s", top, dir_name);
	check_dir(top, &dir, path, when);
}

static void check_stable(void)
{
	struct handle other = handle_of(b("d/file"));

	if (other.h.handle_bytes != file.h.handle_bytes ||
	    other.h.handle_type != file.h.handle_type ||
	    memcmp(other.room, file.room, file.h.handle_bytes))
		tap_bad("the other host has another handle");
	check_all(top_a, "d", "cached");
	lab_forget();
	check_all(top_a, "d", "not cached");
	check_all(top_b, "d", "on the other host");
	tap_good("files and directories, in memory or not, on both hosts");
	if (rename(b("d"), b("m")) || rename(b("m/file"), b("moved")))
		die("rename: %s", strerror(errno));
	check_all(top_a, NULL, "renamed elsewhere, cached");
	lab_forget();
	check_all(top_a, "m", "renamed elsewhere");
	tap_good("renamed on the other host");
	lab("gns_umount $LAB/a; gns_mount a");
	check_all(top_a, "m", "mounted again");
	lab("origin_stop && origin_start");
	lab_forget();
	check_all(top_a, "m", "after a restart of the origin");
	tap_good("another mount, another life of the origin");
}

static void check_removed(void)
{
	int fd = open(a("m/e/f/g"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Both with and without an inode in memory. */
	check_file(top_a, &file, "last");
	if (fd < 0 || unlink(b("moved")) || rmdir(b("m/e/f/g")))
		die("remove: %s", strerror(errno));
	check_gone(top_a, &file, "the file");
	check_gone(top_a, &deep, "the directory, in use");
	close(fd);
	lab_forget();
	check_gone(top_a, &file, "the file, not cached");
	check_gone(top_a, &deep, "the directory, not cached");
	tap_good("what is gone is stale");
}

static void *open_dir(void *arg)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/m", top_a);
	check_dir(top_a, &dir, path, "asked for while the origin was away");
	return arg;
}

static void check_away(void)
{
	pthread_t t;
	int fd;

	lab_forget();
	lab("net_cut o");
	t = lab_thread(open_dir, NULL);
	if (lab_join(t, WAITS))
		tap_bad("it does not wait for the origin");
	lab("net_heal o");
	if (!lab_join(t, ENDS))
		die("it waits for ever");
	tap_good("an origin that is away is waited for");
	lab("gns_umount $LAB/a; gns_mount a soft,timeo=1000");
	lab_forget();
	lab("net_cut o");
	fd = open_at(top_a, &dir);
	if (fd >= 0 || errno == ESTALE || errno == ENOENT)
		tap_bad("%s", fd < 0 ? strerror(errno) : "can be opened");
	lab("net_heal o");
	tap_good("what a soft mount does not get is not stale");
}

int main(void)
{
	lab("cluster a b");
	snprintf(top_a, sizeof(top_a), "%s/a", lab_env("LAB"));
	snprintf(top_b, sizeof(top_b), "%s/b", lab_env("LAB"));
	make("d", true);
	make("d/file", false);
	make("d/e", true);
	make("d/e/f", true);
	make("d/e/f/g", true);
	root = handle_of(top_a);
	file = handle_of(a("d/file"));
	dir = handle_of(a("d"));
	deep = handle_of(a("d/e/f/g"));
	check_forged(file);
	check_stable();
	check_removed();
	check_away();
	return tap_end();
}
