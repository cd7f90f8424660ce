// SPDX-License-Identifier: GPL-2.0
/*
 * write-killed: who waits for a change can be killed. The change goes on
 * without him, and nobody sees anything but what the origin has.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"
#include "view.h"

#define REACHED 300 /* ms: the call waits for the origin by then */
#define DIES 5000 /* ms */
#define HAPPENS 30000 /* ms */

static int do_create(void)
{
	return open(at("f"), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);
}

static int do_write(void)
{
	int fd = open(at("f"), O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : write(fd, "bytes", 5);
}

static int do_chmod(void)
{
	return chmod(at("f"), 0604);
}

static int do_truncate(void)
{
	return truncate(at("f"), 3);
}

static int do_link(void)
{
	return link(at("f"), at("g"));
}

static int do_rename(void)
{
	return rename(at("f"), at("h"));
}

static int do_exchange(void)
{
	return renameat2(AT_FDCWD, at("g"), AT_FDCWD, at("d"), RENAME_EXCHANGE);
}

static int do_unlink(void)
{
	return unlink(at("h"));
}

static int do_mkdir(void)
{
	return mkdir(at("d"), 0711);
}

static int do_rmdir(void)
{
	return rmdir(at("g"));
}

static int do_symlink(void)
{
	return symlink("f", at("l"));
}

static int do_mkfifo(void)
{
	return mkfifo(at("p"), 0600);
}

static int do_setxattr(void)
{
	return setxattr(at("h"), "trusted.x", "v", 1, 0);
}

static const struct {
	int (*fn)(void);
	const char *what;
} steps[] = {
	{ do_create, "create" },
	{ do_write, "write" },
	{ do_chmod, "chmod" },
	{ do_truncate, "truncate" },
	{ do_link, "link" },
	{ do_rename, "rename" },
	{ do_setxattr, "setxattr" },
	{ do_mkdir, "mkdir" },
	{ do_exchange, "exchange" },
	{ do_unlink, "unlink" },
	{ do_rmdir, "rmdir" },
	{ do_symlink, "symlink" },
	{ do_mkfifo, "mkfifo" },
};

static bool ends(pid_t pid, int *status)
{
	u64 begin = lab_now();

	while (lab_ms(begin) < lab_slow(DIES)) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		lab_sleep(10);
	}
	return false;
}

/* In a child, which is killed while the origin stands still. */
static void kill_in(int (*fn)(void), const char *what)
{
	int status = 0;
	pid_t pid;

	lab("helper_freeze o");
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		_exit(fn() < 0 ? errno : 0);
	lab_sleep(lab_slow(REACHED));
	kill(pid, SIGKILL);
	if (!ends(pid, &status))
		tap_bad("%s: it can not be killed", what);
	else if (!WIFSIGNALED(status))
		tap_bad("%s: it did not wait for the origin: status %d", what,
			WEXITSTATUS(status));
	lab("helper_thaw o");
}

/* What the origin shows; the call was on its way, so that it happens. */
static bool happens(const char *before)
{
	u64 begin = lab_now();

	while (lab_ms(begin) < lab_slow(HAPPENS)) {
		if (strcmp(view(PLACE_ORIGIN)->text, before))
			return true;
		lab_sleep(5);
	}
	return false;
}

static void check(enum place p)
{
	static char before[sizeof(((struct view *)0)->text)];
	size_t i;

	actor = p;
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		/* Twice: all that it needs is cached. */
		view(PLACE_A);
		view(PLACE_B);
		view(PLACE_A);
		view(PLACE_B);
		strcpy(before, view(PLACE_ORIGIN)->text);
		kill_in(steps[i].fn, steps[i].what);
		if (!happens(before))
			tap_bad("%s: it does not happen", steps[i].what);
		view_compare(steps[i].what);
	}
	tap_good("killed on %s: the change happens, and everybody sees it",
		 p == PLACE_A ? "a" : "b");
}

int main(void)
{
	view_begin();
	check(PLACE_A);
	if (unlink(at("d")) || unlink(at("l")) || unlink(at("p")))
		tap_bad("what was left: %s", strerror(errno));
	view_compare("to begin anew");
	check(PLACE_B);
	return tap_end();
}
