// SPDX-License-Identifier: GPL-2.0
/*
 * One directory as two hosts and the origin see it; see view.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../tree/client.h"
#include "lab.h"
#include "tap.h"
#include "view.h"

static const char *const place_name[] = { "a", "b", "the origin" };
char view_top[PLACES][256];
enum place actor;

const char *at_place(enum place p, const char *name)
{
	return lab_path(view_top[p], name);
}

const char *at(const char *name)
{
	return at_place(actor, name);
}

/* All that is looked at; most of it is not there most of the time. */
const char *const view_names[VIEW_NAMES] = {
	".", "f", "g", "h", "l", "p", "d", "e", "d/f", "d/g", "d/d", "e/f",
	"e/d", "e/d/f", "e/g", "d/h", "d/d/f", "d/d/g", "e/h", "d/e/f", "d/e"
};

static const char *const *looked_at = view_names;
static size_t nlooked_at = VIEW_NAMES;

void view_only(const char *const *names, size_t n)
{
	looked_at = names ? names : view_names;
	nlooked_at = names ? n : VIEW_NAMES;
}

__attribute__((format(printf, 2, 3))) static void say(struct view *v,
						      const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(v->text + v->len, sizeof(v->text) - v->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(v->text) - v->len)
		die("a view is too long");
	v->len += n;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void view_dir(struct view *v, const char *name, const char *path)
{
	struct dirent **e;
	int n = scandir(path, &e, NULL, by_name), i;

	if (n < 0) {
		say(v, "%s: readdir: %s\n", name, strerrorname_np(errno));
		return;
	}
	say(v, "%s:", name);
	for (i = 0; i < n; i++) {
		say(v, " %s/%d", e[i]->d_name, e[i]->d_type);
		free(e[i]);
	}
	say(v, "\n");
	free(e);
}

static void view_file(struct view *v, const char *name, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[257];
	ssize_t n;

	if (fd < 0) {
		say(v, "%s: open: %s\n", name, strerrorname_np(errno));
		return;
	}
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n < 0) {
		say(v, "%s: read: %s\n", name, strerrorname_np(errno));
		return;
	}
	buf[n] = '\0';
	say(v, "%s: %zd bytes: %s\n", name, n, buf);
}

static void view_link(struct view *v, const char *name, const char *path)
{
	char buf[257];
	ssize_t n = readlink(path, buf, sizeof(buf) - 1);

	buf[n < 0 ? 0 : n] = '\0';
	say(v, "%s: -> %s\n", name, buf);
}

static void view_xattr(struct view *v, const char *name, const char *path)
{
	char buf[257];
	ssize_t n = lgetxattr(path, "trusted.x", buf, sizeof(buf) - 1);

	if (n < 0) {
		say(v, "%s: trusted.x: %s\n", name, strerrorname_np(errno));
		return;
	}
	buf[n] = '\0';
	say(v, "%s: trusted.x: %s\n", name, buf);
}

static void view_one(struct view *v, const char *name, const char *path)
{
	struct stat st;

	if (lstat(path, &st)) {
		say(v, "%s: stat: %s\n", name, strerrorname_np(errno));
		/* Another way to the same name. */
		say(v, "%s: access: %s\n", name,
		    access(path, F_OK) ? strerrorname_np(errno) : "is there");
		return;
	}
	say(v, "%s: mode %o nlink %lu uid %u gid %u size %lld ino %lu\n", name,
	    st.st_mode, (unsigned long)st.st_nlink, st.st_uid, st.st_gid,
	    (long long)st.st_size, (unsigned long)st.st_ino);
	say(v, "%s: mtime %ld.%09ld ctime %ld.%09ld\n", name,
	    (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
	    (long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	if (S_ISDIR(st.st_mode))
		view_dir(v, name, path);
	else if (S_ISREG(st.st_mode))
		view_file(v, name, path);
	else if (S_ISLNK(st.st_mode))
		view_link(v, name, path);
	view_xattr(v, name, path);
}

struct view *view(enum place p)
{
	static struct view views[PLACES];
	struct view *v = &views[p];
	size_t i;

	v->len = 0;
	for (i = 0; i < nlooked_at; i++)
		view_one(v, looked_at[i], lab_path(view_top[p], looked_at[i]));
	return v;
}

/* The first line in which two views differ. */
static void differ(enum place p, const struct view *v, const struct view *o,
		   const char *call)
{
	const char *a = v->text, *b = o->text;
	size_t n, m;

	for (;;) {
		n = strcspn(a, "\n");
		m = strcspn(b, "\n");
		if (n != m || memcmp(a, b, n))
			break;
		if (!a[n] || !b[m])
			return;
		a += n + 1;
		b += m + 1;
	}
	tap_bad("%s on %s: %s shows '%.*s', not '%.*s'", call,
		place_name[actor], place_name[p], (int)n, a, (int)m, b);
}

void view_compare(const char *call)
{
	enum place other = actor == PLACE_A ? PLACE_B : PLACE_A;
	const struct view *v = view(other), *w = view(actor);
	const struct view *o = view(PLACE_ORIGIN);

	differ(other, v, o, call);
	differ(actor, w, o, call);
}

void view_begin(void)
{
	umask(0);
	lab("cluster a b");
	snprintf(view_top[PLACE_A], 256, "%s/a/t", lab_env("LAB"));
	snprintf(view_top[PLACE_B], 256, "%s/b/t", lab_env("LAB"));
	snprintf(view_top[PLACE_ORIGIN], 256, "%s/t", lab_env("EXPORT"));
	if (mkdir(view_top[PLACE_A], 0755))
		die("%s: %s", view_top[PLACE_A], strerror(errno));
}
