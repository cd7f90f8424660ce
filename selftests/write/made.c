// SPDX-License-Identifier: GPL-2.0
/*
 * write-made: the answer to the making of a file comes late, when another host
 * has done something to its name already. Whoever made it gets an error, and
 * neither makes it once more nor has in hand what is another's.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "lab.h"
#include "tap.h"

#define HAPPENS 5000 /* ms */
#define ENDS 60000 /* ms */
#define TRIES 5

struct making {
	int flags;
	int fd;
	int err;
};

static void *run(void *arg)
{
	struct making *m = arg;

	m->fd = open(lab_path("a", "f"), O_CREAT | O_RDWR | O_CLOEXEC | m->flags,
		     0666);
	m->err = m->fd < 0 ? errno : 0;
	return NULL;
}

/* Killed, the origin may have made it and not have written that down. */
static bool is_made(pid_t killed)
{
	u64 begin = lab_now();

	while (access(lab_path("export", "f"), F_OK))
		if (lab_ms(begin) > lab_slow(HAPPENS))
			return false;
	if (killed)
		kill(killed, SIGKILL);
	return true;
}

static void is_gone(const char *what)
{
	if (!access(lab_path("a", "f"), F_OK) || errno != ENOENT ||
	    !access(lab_path("export", "f"), F_OK))
		tap_bad("%s: it is there again", what);
}

static void is_others(const char *what, int fd)
{
	struct stat st;

	if (stat(lab_path("a", "f"), &st) || st.st_size != 6)
		tap_bad("%s: the other's file is not there", what);
	if (fd >= 0)
		tap_bad("%s: it has the other's file in hand", what);
	if (unlink(lab_path("b", "f")))
		tap_bad("%s: unlink: %s", what, strerror(errno));
}

static void other_file(void)
{
	int fd = open(lab_path("b", "g"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "other\n", 6) != 6 || close(fd))
		die("the other file: %s", strerror(errno));
}

/* Some may have sent in vain while the link was cut, and wait to do it again. */
static void all_links_work(void)
{
	static unsigned int nr;
	char name[32];
	int i;

	for (i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "none-%u", nr++);
		access(lab_path("a", name), F_OK);
	}
}

/* False: what was cut was not the answer, but the way to it. */
static bool make_unheard(struct making *m, pthread_t *t, bool restart)
{
	bool made;

	all_links_work();
	/* Nothing that it needs to know first is to come over the link. */
	access(lab_path("a", "f"), F_OK);
	lab("net_cut a in");
	*t = lab_thread(run, m);
	made = is_made(restart ? lab_pid("o") : 0);
	if (made)
		return true;
	lab("net_heal a");
	if (!lab_join(*t, lab_slow(ENDS)))
		die("with the link as new, the call does not end");
	close(m->fd);
	unlink(lab_path("a", "f"));
	return false;
}

static void one(int flags, bool replace, bool restart)
{
	struct making m = { .flags = flags, .fd = -1 };
	int err, tries = 0;
	char what[64];
	pthread_t t;

	snprintf(what, sizeof(what), "%s%s%s", flags ? "O_EXCL, " : "",
		 replace ? "another file" : "unlink",
		 restart ? ", the origin's restart" : "");
	if (replace)
		other_file();
	while (!make_unheard(&m, &t, restart))
		if (++tries == TRIES)
			die("%s: it is not made", what);
	if (restart)
		lab("origin_kill; origin_start");
	/* It waits until a's leases have ended. */
	err = replace ? rename(lab_path("b", "g"), lab_path("b", "f")) :
			unlink(lab_path("b", "f"));
	if (err)
		tap_bad("%s: on b: %s", what, strerror(errno));
	lab("net_heal a");
	if (!lab_join(t, lab_slow(ENDS)))
		die("%s: the call does not end", what);
	if (m.err != EIO)
		tap_bad("%s: %s", what, m.err ? strerror(m.err) : "no error");
	if (replace)
		is_others(what, m.fd);
	else
		is_gone(what);
	if (m.fd >= 0)
		close(m.fd);
	tap_good("made, and nobody knows of it yet: %s", what);
}

int main(void)
{
	lab("cluster a b");
	one(0, false, false);
	one(O_EXCL, false, true);
	one(O_EXCL, true, false);
	one(0, true, true);
	return tap_end();
}
