// SPDX-License-Identifier: GPL-2.0
/*
 * write-swapped: a name means another object when a change of it gets its turn
 * at the origin than when it was asked for. The host that asked sees what the
 * origin has done, and not what it had believed: what another object was taken
 * for lives on, by its other name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"
#include "view.h"

#define FAR 200 /* ms, one way */
#define ENDS 60000 /* ms */

struct swap {
	const char *one, *two;
	int err;
};

static void *swap_thread(void *arg)
{
	struct swap *s = arg;

	s->err = renameat2(AT_FDCWD, at_place(PLACE_B, s->one), AT_FDCWD,
			   at_place(PLACE_B, s->two), RENAME_EXCHANGE) ?
			 errno :
			 0;
	return NULL;
}

/*
 * Host a, which is far away, is asked for its leases by the exchange. Its own
 * change is sent before it hears of that, and stands in line behind it.
 */
static void while_swapped(const char *one, const char *two,
			  int (*change)(void), const char *what)
{
	struct swap s = { one, two, -1 };
	pthread_t t;

	view(PLACE_A);
	lab("net_link a delay %ums", lab_slow(FAR));
	t = lab_thread(swap_thread, &s);
	lab_sleep(lab_slow(FAR) / 2);
	if (change())
		tap_bad("%s: %s", what, strerror(errno));
	if (!lab_join(t, lab_slow(ENDS)))
		die("the exchange does not end");
	lab("net_link a");
	if (s.err)
		tap_bad("the exchange: %s", strerror(s.err));
	view_compare(what);
}

static void put(const char *name, const char *text)
{
	int fd = open(at_place(PLACE_B, name), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	ssize_t len = strlen(text);

	if (fd < 0 || write(fd, text, len) != len || close(fd))
		tap_bad("%s: %s", name, strerror(errno));
}

static void make_dirs(void)
{
	if (mkdir(at_place(PLACE_B, "d"), 0755) || mkdir(at_place(PLACE_B, "e"), 0755))
		tap_bad("mkdir: %s", strerror(errno));
}

/* The directory is used as one that lives. */
static void lives(const char *name)
{
	char path[64];
	DIR *d;

	snprintf(path, sizeof(path), "%s/f", name);
	if (access(at_place(PLACE_A, path), F_OK) != -1 || errno != ENOENT)
		tap_bad("%s: %s", path, strerror(errno));
	if (mknod(at_place(PLACE_A, path), S_IFREG | 0644, 0))
		tap_bad("%s: it can not be made: %s", path, strerror(errno));
	d = opendir(at_place(PLACE_A, name));
	if (!d || !readdir(d))
		tap_bad("%s can not be listed: %s", name, strerror(errno));
	if (d)
		closedir(d);
	view_compare("a directory that is used");
	if (unlink(at_place(PLACE_A, path)) || rmdir(at_place(PLACE_A, name)))
		tap_bad("%s can not be removed: %s", name, strerror(errno));
}

static int rmdir_d(void)
{
	return rmdir(at_place(PLACE_A, "d"));
}

static void check_rmdir(void)
{
	make_dirs();
	while_swapped("d", "e", rmdir_d, "rmdir");
	lives("e");
	tap_good("rmdir of a name that has become another directory's");
}

static int rename_g_d(void)
{
	return rename(at_place(PLACE_A, "g"), at_place(PLACE_A, "d"));
}

static void check_replace(void)
{
	make_dirs();
	if (mkdir(at_place(PLACE_B, "g"), 0700))
		tap_bad("mkdir: %s", strerror(errno));
	while_swapped("d", "e", rename_g_d, "a directory replaced");
	lives("e");
	lives("d");
	tap_good("rename over a name that has become another directory's");
}

static int rename_f_h(void)
{
	return rename(at_place(PLACE_A, "f"), at_place(PLACE_A, "h"));
}

static void check_rename(void)
{
	put("f", "one");
	put("g", "another one");
	while_swapped("f", "g", rename_f_h, "rename");
	if (unlink(at_place(PLACE_A, "g")) || unlink(at_place(PLACE_A, "h")))
		tap_bad("unlink: %s", strerror(errno));
	tap_good("rename of a name that has become another file's");
}

int main(void)
{
	view_begin();
	check_rmdir();
	check_replace();
	check_rename();
	return tap_end();
}
