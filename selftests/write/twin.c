// SPDX-License-Identifier: GPL-2.0
/*
 * The same calls on two trees; see twin.h.
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "both.h"
#include "client.h"
#include "lab.h"
#include "tap.h"
#include "twin.h"

#define TREE "t"
#define FILE_MAX 65536

enum twin_side twin_side;

static const char *const side_name[] = { "local", "gns" };
static char root[TWIN_SIDES][256];
static int first_err; /* of the local tree, for ANY */

const char *at(const char *name)
{
	return *name ? lab_path(root[twin_side], name) : root[twin_side];
}

static const char *on(enum twin_side side, const char *name)
{
	return *name ? lab_path(root[side], name) : root[side];
}

void twin_begin(void)
{
	lab("cluster_start a");
	snprintf(root[TWIN_LOCAL], sizeof(root[0]), "%s/local", lab_env("LAB"));
	snprintf(root[TWIN_GNS], sizeof(root[0]), "%s/" TREE, lab_env("EXPORT"));
	must(mkdir(root[TWIN_LOCAL], 0755), root[TWIN_LOCAL]);
	must(mkdir(root[TWIN_GNS], 0755), root[TWIN_GNS]);
	umask(0);
}

void twin_mount(void)
{
	lab("origin_start");
	lab("helper_start a");
	lab("gns_mount a");
	snprintf(root[TWIN_GNS], sizeof(root[0]), "%s/a/" TREE, lab_env("LAB"));
}

void twin_become(uid_t uid)
{
	static uid_t now;

	if (uid == now)
		return;
	now = uid;
	if (!uid) {
		must(setresuid(-1, 0, -1), "setresuid");
		must(setresgid(-1, 0, -1), "setresgid");
		return;
	}
	must(setgroups(0, NULL), "setgroups");
	must(setresgid(-1, uid, -1), "setresgid");
	must(setresuid(-1, uid, -1), "setresuid");
}

static const char *err_name(int err)
{
	return err ? strerrorname_np(err) : "success";
}

void twin_took(int err, int want, const char *call)
{
	if (want == ANY)
		want = twin_side == TWIN_LOCAL ? err : first_err;
	first_err = err;
	if (err != want)
		tap_bad("%s, %s: %s, not %s", side_name[twin_side], call,
			err_name(err), err_name(want));
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct dirent *const *)a)->d_name,
		      (*(struct dirent *const *)b)->d_name);
}

static int no_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

static int list(const char *path, struct dirent ***v)
{
	int n = scandir(path, v, no_dots, NULL);

	if (n < 0) {
		tap_bad("%s: readdir: %s", path, strerror(errno));
		return 0;
	}
	qsort(*v, n, sizeof(**v), by_name);
	return n;
}

static void list_free(struct dirent **v, int n)
{
	while (n > 0)
		free(v[--n]);
	free(v);
}

#define DIFFER(f) \
	do { \
		if (a.f != b.f) \
			tap_bad("%s: " #f " is %llo, not %llo", name, \
				(unsigned long long)b.f, \
				(unsigned long long)a.f); \
	} while (0)

static bool other_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec || a->tv_nsec != b->tv_nsec;
}

/* The mode of what is there on both, 0: it is not. */
static mode_t compare(const char *name, bool times)
{
	struct stat a, b;
	int ea, eb;

	ea = lstat(on(TWIN_LOCAL, name), &a) ? errno : 0;
	eb = lstat(on(TWIN_GNS, name), &b) ? errno : 0;
	if (ea != eb)
		tap_bad("%s: stat: %s, not %s", name, err_name(eb), err_name(ea));
	if (ea || eb)
		return 0;
	DIFFER(st_mode);
	DIFFER(st_nlink);
	DIFFER(st_uid);
	DIFFER(st_gid);
	DIFFER(st_size);
	DIFFER(st_rdev);
	if (times && other_time(&a.st_mtim, &b.st_mtim))
		tap_bad("%s: mtime is %ld.%09ld, not %ld.%09ld", name,
			b.st_mtim.tv_sec, b.st_mtim.tv_nsec, a.st_mtim.tv_sec,
			a.st_mtim.tv_nsec);
	if (times && other_time(&a.st_atim, &b.st_atim))
		tap_bad("%s: atime is %ld.%09ld, not %ld.%09ld", name,
			b.st_atim.tv_sec, b.st_atim.tv_nsec, a.st_atim.tv_sec,
			a.st_atim.tv_nsec);
	return (a.st_mode ^ b.st_mode) & S_IFMT ? 0 : b.st_mode;
}

void twin_stat(const char *name, bool times)
{
	compare(name, times);
}

/* Bytes of a file, or the target of a link; of the start, that is. */
static ssize_t content(const char *path, mode_t mode, char *buf)
{
	ssize_t n;
	int fd;

	if (S_ISLNK(mode))
		return readlink(path, buf, FILE_MAX);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, FILE_MAX);
	close(fd);
	return n;
}

static void compare_content(const char *name, mode_t mode)
{
	static char a[FILE_MAX], b[FILE_MAX];
	ssize_t n = content(on(TWIN_LOCAL, name), mode, a);
	ssize_t m = content(on(TWIN_GNS, name), mode, b);

	if (n != m)
		tap_bad("%s: %zd bytes read, not %zd", name, m, n);
	else if (n > 0 && memcmp(a, b, n))
		tap_bad("%s: other bytes", name);
}

static void compare_tree(const char *name)
{
	mode_t mode = compare(name, false);
	struct dirent **a, **b;
	char below[4096];
	int n, m, i;

	if (S_ISREG(mode) || S_ISLNK(mode))
		compare_content(name, mode);
	if (!S_ISDIR(mode))
		return;
	n = list(on(TWIN_LOCAL, name), &a);
	m = list(on(TWIN_GNS, name), &b);
	if (n != m)
		tap_bad("%s: %d names, not %d", name, m, n);
	for (i = 0; i < n && i < m; i++) {
		if (strcmp(a[i]->d_name, b[i]->d_name)) {
			tap_bad("%s: name %d is %s, not %s", name, i,
				b[i]->d_name, a[i]->d_name);
			break;
		}
		if (a[i]->d_type != b[i]->d_type)
			tap_bad("%s/%s: type %d, not %d", name, a[i]->d_name,
				b[i]->d_type, a[i]->d_type);
		snprintf(below, sizeof(below), "%s%s%s", name, *name ? "/" : "",
			 a[i]->d_name);
		compare_tree(below);
	}
	list_free(a, n);
	list_free(b, m);
}

/* And as the origin has it, to the nanosecond. */
void twin_tree(const char *call)
{
	bool bad = tap_is_bad();

	compare_tree("");
	both_tree(TREE);
	if (!bad && tap_is_bad())
		tap_note("that was after %s", call);
}

int put(const char *path, int flags, mode_t mode, const char *text)
{
	int fd = open(path, flags | O_CLOEXEC, mode), err = 0;
	size_t len = text ? strlen(text) : 0;

	if (fd < 0)
		return -1;
	if (len && write(fd, text, len) != (ssize_t)len)
		err = errno ?: EIO;
	if (close(fd) && !err)
		err = errno;
	errno = err;
	return err ? -1 : 0;
}
