// SPDX-License-Identifier: GPL-2.0
/*
 * watch-remote: what host a changes is told to who watches it on host b, by
 * inotify and fanotify; and what nobody watches costs nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"

#define COMES 10000 /* ms */
#define QUIET 500 /* ms: nothing more comes */

#define MASK \
	(IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVE | \
	 IN_DELETE_SELF)

static char top_a[256], top_b[256];
static int fd;

static const char *a(const char *name)
{
	return lab_path(top_a, name);
}

static const char *b(const char *name)
{
	return lab_path(top_b, name);
}

static int watch(const char *path)
{
	int wd = inotify_add_watch(fd, path, MASK);

	if (wd < 0)
		die("inotify_add_watch(%s): %s", path, strerror(errno));
	return wd;
}

/*
 * All events until it is quiet, or @want has come: "what name;", in the order
 * they came.
 */
static char *events(int wd, const char *want)
{
	static char text[4096];
	char buf[4096] __attribute__((aligned(8)));
	const struct inotify_event *e;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int wait = lab_slow(COMES);
	ssize_t n, at;

	text[0] = '\0';
	while (!(want && strstr(text, want)) && poll(&p, 1, wait) == 1) {
		wait = lab_slow(QUIET);
		n = read(fd, buf, sizeof(buf));
		for (at = 0; at < n; at += sizeof(*e) + e->len) {
			e = (const void *)(buf + at);
			if (e->wd != wd)
				continue;
			snprintf(text + strlen(text),
				 sizeof(text) - strlen(text), "%s%s%s%s;",
				 e->mask & IN_MODIFY	  ? "modify" :
				 e->mask & IN_ATTRIB	  ? "attrib" :
				 e->mask & IN_CREATE	  ? "create" :
				 e->mask & IN_DELETE	  ? "delete" :
				 e->mask & IN_MOVED_FROM  ? "from" :
				 e->mask & IN_MOVED_TO	  ? "to" :
				 e->mask & IN_DELETE_SELF ? "gone" :
				 e->mask & IN_IGNORED	  ? "ignored" :
							    "other",
				 e->mask & IN_ISDIR ? " dir" : "",
				 e->len ? " " : "", e->len ? e->name : "");
		}
	}
	return text;
}

/* Has it come, in one piece? */
static void expect(int wd, const char *what, const char *after)
{
	const char *got = events(wd, what);

	if (!strstr(got, what))
		tap_bad("%s: '%s' came, not '%s'", after, got, what);
}

static void put(const char *path, const char *text)
{
	int f = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	if (f < 0 || write(f, text, strlen(text)) != (ssize_t)strlen(text) ||
	    close(f))
		die("%s: %s", path, strerror(errno));
}

static void check_file(void)
{
	struct stat st;
	int wd, i;

	put(a("f"), "first");
	wd = watch(b("f"));
	put(a("f"), "other");
	expect(wd, "modify;", "a write");
	/* Every one of them: it stays leased, though nobody looks. */
	for (i = 0; i < 3; i++) {
		put(a("f"), i % 2 ? "round" : "again");
		expect(wd, "modify;", "another write");
	}
	if (chmod(a("f"), 0600))
		die("chmod: %s", strerror(errno));
	expect(wd, "attrib;", "chmod");
	if (stat(b("f"), &st) || (st.st_mode & 07777) != 0600)
		tap_bad("the attributes are old");
	if (truncate(a("f"), 2))
		die("truncate: %s", strerror(errno));
	expect(wd, "modify;", "truncate");
	if (unlink(a("f")))
		die("unlink: %s", strerror(errno));
	expect(wd, "gone;ignored;", "unlink");
	tap_good("a file that is watched");
}

static void check_dir(void)
{
	const char *got;
	int wd;

	if (mkdir(a("d"), 0755))
		die("mkdir: %s", strerror(errno));
	put(a("d/old"), "there before");
	put(a("d/most"), "there before");
	wd = watch(b("d"));
	put(a("d/new"), "");
	expect(wd, "create new;", "a new file");
	put(a("d/new"), "bytes");
	expect(wd, "modify new;", "a write to a new file");
	put(a("d/old"), "bytes");
	expect(wd, "modify old;", "a write to a file never looked at");
	if (mkdir(a("d/sub"), 0755))
		die("mkdir: %s", strerror(errno));
	expect(wd, "create dir sub;", "mkdir");
	if (rename(a("d/new"), a("d/name")))
		die("rename: %s", strerror(errno));
	expect(wd, "from new;to name;", "a rename");
	if (rename(a("d/name"), a("d/old")))
		die("rename: %s", strerror(errno));
	expect(wd, "from name;to old;", "a rename over another");
	if (unlink(a("d/old")))
		die("unlink: %s", strerror(errno));
	expect(wd, "delete old;", "unlink");
	if (rename(a("d/sub"), a("sub")))
		die("rename: %s", strerror(errno));
	expect(wd, "delete dir sub;", "a rename to elsewhere");
	if (chmod(a("d"), 0700))
		die("chmod: %s", strerror(errno));
	expect(wd, "attrib dir;", "chmod");
	tap_good("a directory that is watched");
	/* What is changed here is told by the VFS, once. */
	put(b("d/mine"), "");
	got = events(wd, NULL);
	if (strcmp(got, "create mine;"))
		tap_bad("a file made here: '%s' came", got);
	put(a("d/yours"), "");
	expect(wd, "create yours;", "a new file after one made here");
	if (unlink(a("d/most")) || unlink(a("d/mine")) ||
	    unlink(a("d/yours")) || rmdir(a("d")))
		die("unlink: %s", strerror(errno));
	expect(wd, "gone;ignored;", "rmdir");
	tap_good("changes here and there, and its end");
}

/* The child's handle is the parent's, and a name. */
static void check_fanotify(void)
{
	int fan = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME, 0);
	char buf[4096] __attribute__((aligned(8)));
	struct fanotify_event_metadata *m = (void *)buf;
	struct fanotify_event_info_fid *info = (void *)(m + 1);
	struct pollfd p = { .fd = fan, .events = POLLIN };
	struct file_handle *h;

	if (mkdir(a("fan"), 0755))
		die("mkdir: %s", strerror(errno));
	if (fan < 0 ||
	    fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_ONLYDIR,
			  FAN_CREATE | FAN_ONDIR, AT_FDCWD, b("fan")))
		die("fanotify: %s", strerror(errno));
	put(a("fan/new"), "");
	if (poll(&p, 1, lab_slow(COMES)) != 1 ||
	    read(fan, buf, sizeof(buf)) <= 0) {
		tap_bad("nothing came");
	} else {
		h = (void *)info->handle;
		if (!(m->mask & FAN_CREATE) ||
		    strcmp((char *)h->f_handle + h->handle_bytes, "new"))
			tap_bad("mask %llx", (unsigned long long)m->mask);
	}
	close(fan);
	tap_good("fanotify, with directory and name");
}

static void check_cost(void)
{
	struct stat st;
	u64 before;

	put(a("quiet"), "one");
	if (stat(b("quiet"), &st))
		die("stat: %s", strerror(errno));
	before = host_count("b", GNS_C_CALLS);
	put(a("quiet"), "two");
	lab_sleep(QUIET);
	if (host_count("b", GNS_C_CALLS) != before)
		tap_bad("b has asked for it");
	tap_good("what nobody watches is not asked for");
}

int main(void)
{
	lab("cluster a b");
	snprintf(top_a, sizeof(top_a), "%s/a", lab_env("LAB"));
	snprintf(top_b, sizeof(top_b), "%s/b", lab_env("LAB"));
	fd = inotify_init1(IN_CLOEXEC);
	if (fd < 0)
		die("inotify_init1: %s", strerror(errno));
	check_file();
	check_dir();
	close(fd);
	check_fanotify();
	check_cost();
	return tap_end();
}
