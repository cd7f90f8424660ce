// SPDX-License-Identifier: GPL-2.0
/*
 * lock-forced: what was locked by a mount that is given up (umount -f) is free
 * for others once it is closed, though the session goes on by another mount;
 * but not before what was asked for under the lock has run, or never will.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"

#define SOON_MS 5000
#define A_WHILE_MS 500

static const char *path_in(const char *mount, const char *name)
{
	return lab_path(lab_path(lab_env("LAB"), mount), name);
}

static int open_in(const char *mount)
{
	const char *path = path_in(mount, "f");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static int lock_range(int fd)
{
	struct flock fl = { .l_type = F_WRLCK, .l_len = 10 };

	return fcntl(fd, F_SETLK, &fl);
}

/* Both kinds, or none. */
static bool gets_both(int fd)
{
	struct flock fl = { .l_type = F_UNLCK };

	if (flock(fd, LOCK_EX | LOCK_NB))
		return false;
	if (!lock_range(fd))
		return true;
	flock(fd, LOCK_UN);
	fcntl(fd, F_SETLK, &fl);
	return false;
}

static void is_free(int b, const char *when)
{
	u64 begin = lab_now();
	bool got;

	while (!(got = gets_both(b)) && lab_ms(begin) < lab_slow(SOON_MS))
		lab_sleep(20);
	if (!got)
		tap_bad("%s: it is locked still: %s", when, strerror(errno));
}

/* The file is open and locked on a. */
static void take(int *a, int b)
{
	*a = open_in("a");
	if (!gets_both(*a))
		tap_bad("a has no lock: %s", strerror(errno));
	if (gets_both(b))
		tap_bad("b has a lock, too");
}

/* It is open, so it stays mounted, and is of no use any more. */
static void force(void)
{
	if (!lab_try("gns_umount -f $LAB/a 2>/dev/null"))
		tap_bad("it is not in use");
}

static void mount_anew(void)
{
	lab("gns_umount $LAB/a");
	lab("gns_mount a");
}

static void after_close(void)
{
	int b = open_in("b"), a;

	take(&a, b);
	force();
	lab_sleep(A_WHILE_MS);
	if (gets_both(b))
		tap_bad("it is free, and open on a");
	close(a);
	is_free(b, "closed");
	close(b);
	mount_anew();
	tap_good("what a given up mount had locked is free once it is closed");
}

struct writing {
	int fd;
	int err;
};

static void *write_on(void *arg)
{
	struct writing *w = arg;

	w->err = pwrite(w->fd, "late", 4, 0) == 4 ? 0 : errno;
	return NULL;
}

/* The origin is stopped with a write of a's on its way. */
static void written(void)
{
	int b = open_in("b");
	struct writing w;
	pthread_t t;

	take(&w.fd, b);
	lab("daemon_signal o STOP");
	t = lab_thread(write_on, &w);
	lab_sleep(A_WHILE_MS);
	force();
	if (!lab_join(t, lab_slow(SOON_MS)) || w.err != EIO)
		tap_bad("the write: %s", strerror(w.err));
	/* What is not even sent says nothing of what was. */
	if (pwrite(w.fd, "more", 4, 0) != -1 || errno != EIO)
		tap_bad("another write: %s", strerror(errno));
	close(w.fd);
	lab("daemon_signal o CONT");
	lab_sleep(A_WHILE_MS);
	if (gets_both(b))
		tap_bad("it is free, and the write may run yet");
	/* A later change in its slot: now it has run, or never will. */
	close(open(path_in("again", "x"), O_CREAT | O_CLOEXEC, 0600));
	is_free(b, "after a later change");
	close(b);
	mount_anew();
	tap_good("not before a write that was given up is over");
}

int main(void)
{
	lab("cluster a b");
	/* Other options, so it is another mount, of the same session. */
	lab("gns_mount a soft $LAB/again");
	after_close();
	written();
	return tap_end();
}
