// SPDX-License-Identifier: GPL-2.0
/*
 * lock-two: locks on two satellites, and between processes of one.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "client.h"
#include "lab.h"
#include "tap.h"

/* Told at once, and not found out by asking again, which is after a second. */
#define AT_ONCE 400

static struct agent a, a2, b;

static void check_flock(struct agent *x, struct agent *y, const char *what)
{
	IS(0, do_flock(x, 0, LOCK_EX | LOCK_NB));
	IS(EWOULDBLOCK, do_flock(y, 0, LOCK_EX | LOCK_NB));
	IS(EWOULDBLOCK, do_flock(y, 0, LOCK_SH | LOCK_NB));
	IS(0, do_flock(x, 0, LOCK_SH | LOCK_NB));
	IS(0, do_flock(y, 0, LOCK_SH | LOCK_NB));
	IS(EWOULDBLOCK, do_flock(x, 0, LOCK_EX | LOCK_NB));
	/* By that it has lost what it had. */
	IS(0, do_flock(y, 0, LOCK_EX | LOCK_NB));
	IS(0, do_flock(y, 0, LOCK_UN));
	IS(0, do_flock(y, 0, LOCK_UN));
	IS(0, do_flock(x, 0, LOCK_EX | LOCK_NB));
	/* The other kind has nothing to do with it. */
	IS(0, do_range(y, 0, F_SETLK, F_WRLCK, 0, 0));
	IS(0, do_range(y, 0, F_SETLK, F_UNLCK, 0, 0));
	IS(0, do_flock(x, 0, LOCK_UN));
	tap_good("flock, %s", what);
}

static void found(struct agent *x, short type, off_t start, off_t len,
		  pid_t pid)
{
	const struct flock *fl = &x->reply.fl;

	if (fl->l_type != type || (type != F_UNLCK &&
				   (fl->l_start != start || fl->l_len != len ||
				    fl->l_pid != pid)))
		tap_bad("a test says type %d, %lld for %lld, of %d",
			fl->l_type, (long long)fl->l_start,
			(long long)fl->l_len, fl->l_pid);
}

static void check_range(struct agent *x, struct agent *y, int sign,
			const char *what)
{
	IS(0, do_range(x, 0, F_SETLK, F_WRLCK, 10, 10));
	IS(EAGAIN, do_range(y, 0, F_SETLK, F_RDLCK, 0, 11));
	IS(0, do_range(y, 0, F_SETLK, F_RDLCK, 20, 0));
	IS(0, do_range(y, 0, F_GETLK, F_RDLCK, 0, 0));
	found(y, F_WRLCK, 10, 10, sign * x->pid);
	IS(0, do_range(y, 0, F_GETLK, F_WRLCK, 0, 10));
	found(y, F_UNLCK, 0, 0, 0);
	IS(0, do_range(x, 0, F_GETLK, F_WRLCK, 100, 1));
	found(x, F_RDLCK, 20, 0, sign * y->pid);
	IS(0, do_range(x, 0, F_GETLK, F_RDLCK, 100, 1));
	found(x, F_UNLCK, 0, 0, 0);
	/* In two, and a neighbour in between. */
	IS(0, do_range(x, 0, F_SETLK, F_UNLCK, 13, 3));
	IS(EAGAIN, do_range(y, 0, F_SETLK, F_WRLCK, 12, 2));
	IS(EAGAIN, do_range(y, 0, F_SETLK, F_WRLCK, 15, 2));
	IS(0, do_range(y, 0, F_SETLK, F_WRLCK, 13, 3));
	IS(0, do_range(x, 0, F_SETLK, F_RDLCK, 10, 3));
	IS(0, do_range(y, 0, F_SETLK, F_RDLCK, 10, 3));
	IS(EAGAIN, do_range(x, 0, F_SETLK, F_WRLCK, 10, 1));
	/* A second open of the same process is the same owner. */
	IS(0, do_plain(x, A_OPEN, 1));
	IS(0, do_range(x, 1, F_SETLK, F_WRLCK, 16, 4));
	IS(0, do_plain(x, A_CLOSE, 1));
	/* And its end is that of all that the process has. */
	IS(0, do_range(y, 0, F_SETLK, F_WRLCK, 0, 0));
	IS(0, do_range(y, 0, F_SETLK, F_UNLCK, 0, 0));
	tap_good("ranges, %s", what);
}

static void check_ofd(struct agent *x, struct agent *y, const char *what)
{
	IS(0, do_plain(x, A_OPEN, 1));
	IS(0, do_range(x, 0, F_OFD_SETLK, F_WRLCK, 0, 10));
	IS(EAGAIN, do_range(x, 1, F_OFD_SETLK, F_WRLCK, 0, 10));
	IS(EAGAIN, do_range(x, 1, F_SETLK, F_RDLCK, 0, 10));
	IS(EAGAIN, do_range(y, 0, F_OFD_SETLK, F_RDLCK, 5, 1));
	IS(EAGAIN, do_range(y, 0, F_SETLK, F_RDLCK, 5, 1));
	IS(0, do_range(y, 0, F_OFD_GETLK, F_RDLCK, 5, 1));
	found(y, F_WRLCK, 0, 10, -1);
	IS(0, do_plain(x, A_CLOSE, 1));
	IS(EAGAIN, do_range(y, 0, F_OFD_SETLK, F_RDLCK, 5, 1));
	IS(0, do_range(x, 0, F_OFD_SETLK, F_UNLCK, 0, 0));
	IS(0, do_range(y, 0, F_OFD_SETLK, F_WRLCK, 5, 1));
	IS(0, do_range(y, 0, F_OFD_SETLK, F_UNLCK, 0, 0));
	tap_good("locks of open files, %s", what);
}

static const struct agent_ask wait_range = { .call = A_FCNTL,
					     .op = F_SETLKW,
					     .type = F_WRLCK };
static const struct agent_ask wait_flock = { .call = A_FLOCK, .op = LOCK_EX };

static void woken(struct agent *x, struct agent *y, const struct agent_ask *w)
{
	struct agent_ask un = *w;
	u64 begin;

	un.type = F_UNLCK;
	if (w->call == A_FLOCK)
		un.op = LOCK_UN;
	IS(0, agent_do(x, w));
	agent_tell(y, w);
	if (agent_heard(y, 100))
		tap_bad("it did not wait");
	begin = lab_now();
	IS(0, agent_do(x, &un));
	if (!agent_heard(y, lab_slow(AT_ONCE)))
		tap_bad("still waiting after %u ms", (unsigned int)lab_ms(begin));
	else
		IS(0, y->reply.err);
	IS(0, agent_do(y, &un));
}

static void check_wait(struct agent *x, struct agent *y, const char *what)
{
	woken(x, y, &wait_range);
	woken(y, x, &wait_range);
	woken(x, y, &wait_flock);
	woken(y, x, &wait_flock);
	tap_good("who waits is told at once, %s", what);
}

/* Somebody who does not wait any more leaves nothing behind. */
static void check_killed(const struct agent_ask *w, int sig, const char *what)
{
	struct agent x;

	agent_start(&x, "b");
	IS(0, agent_do(&a, w));
	agent_tell(&x, w);
	if (agent_heard(&x, 200))
		tap_bad("it did not wait");
	if (sig == SIGKILL) {
		agent_end(&x, sig);
	} else {
		kill(x.pid, sig);
		if (!agent_heard(&x, lab_slow(1000)) || x.reply.err != EINTR)
			tap_bad("not interrupted");
	}
	/* By the end of an open file. */
	IS(0, do_plain(&a, A_CLOSE, 0));
	IS(0, do_plain(&a, A_OPEN, 0));
	lab_sleep(50);
	if (w->call == A_FLOCK)
		IS(0, do_flock(&a, 0, LOCK_EX | LOCK_NB));
	else
		IS(0, do_range(&a, 0, F_SETLK, F_WRLCK, 0, 0));
	IS(0, do_flock(&a, 0, LOCK_UN));
	IS(0, do_range(&a, 0, F_SETLK, F_UNLCK, 0, 0));
	if (sig != SIGKILL)
		agent_end(&x, 0);
	tap_good("%s", what);
}

/*
 * Several of one host give up at once: what they take back stands in line, and
 * nobody waits for it.
 */
static void check_given_up(const char *what)
{
	struct agent x[4];
	u32 i, round;

	for (i = 0; i < ARRAY_SIZE(x); i++)
		agent_start(&x[i], "b");
	IS(0, agent_do(&a, &wait_flock));
	lab("net_link b delay 40ms");
	for (round = 0; round < 4; round++) {
		for (i = 0; i < ARRAY_SIZE(x); i++)
			agent_tell(&x[i], &wait_flock);
		if (agent_heard(&x[0], 600))
			tap_bad("it did not wait");
		for (i = 0; i < ARRAY_SIZE(x); i++)
			kill(x[i].pid, SIGUSR1);
		for (i = 0; i < ARRAY_SIZE(x); i++)
			if (!agent_heard(&x[i], lab_slow(2000)) ||
			    x[i].reply.err != EINTR)
				tap_bad("not interrupted");
	}
	lab("net_link b");
	IS(0, do_flock(&a, 0, LOCK_UN));
	for (i = 0; i < ARRAY_SIZE(x); i++) {
		IS(0, agent_do(&x[i], &wait_flock));
		agent_end(&x[i], 0);
	}
	tap_good("%s", what);
}

/* When a process has ended, its locks have. */
static void check_death(int sig, const char *what)
{
	struct agent x;
	int i;

	for (i = 0; i < 3; i++) {
		agent_start(&x, "a");
		IS(0, do_flock(&x, 0, LOCK_EX | LOCK_NB));
		IS(0, do_range(&x, 0, F_SETLK, F_WRLCK, 0, 10));
		IS(0, do_range(&x, 0, F_OFD_SETLK, F_WRLCK, 20, 10));
		IS(EWOULDBLOCK, do_flock(&b, 0, LOCK_EX | LOCK_NB));
		agent_end(&x, sig);
		IS(0, do_flock(&b, 0, LOCK_EX | LOCK_NB));
		IS(0, do_range(&b, 0, F_SETLK, F_WRLCK, 0, 0));
		IS(0, do_flock(&b, 0, LOCK_UN));
		IS(0, do_range(&b, 0, F_SETLK, F_UNLCK, 0, 0));
	}
	tap_good("%s", what);
}

/* Several at once count in one file: none is lost. */
#define ROUNDS 15

static void count(const char *host, int kind)
{
	int fd = open(lab_path(lab_path(lab_env("LAB"), host), "count"),
		      O_RDWR | O_CLOEXEC);
	struct flock fl = { .l_type = F_WRLCK };
	int i, n, ok;

	for (i = 0; fd >= 0 && i < ROUNDS; i++) {
		fl.l_type = F_WRLCK;
		ok = kind ? !fcntl(fd, F_SETLKW, &fl) : !flock(fd, LOCK_EX);
		if (!ok || pread(fd, &n, sizeof(n), 0) != sizeof(n))
			_exit(1);
		n++;
		if (pwrite(fd, &n, sizeof(n), 0) != sizeof(n))
			_exit(1);
		fl.l_type = F_UNLCK;
		ok = kind ? !fcntl(fd, F_SETLK, &fl) : !flock(fd, LOCK_UN);
		if (!ok)
			_exit(1);
	}
	_exit(fd < 0);
}

static void check_count(int kind, const char *what)
{
	const char *path = lab_path(lab_path(lab_env("LAB"), "a"), "count");
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int n = 0, i, status, bad = 0;

	if (fd < 0 || write(fd, &n, sizeof(n)) != sizeof(n))
		die("%s: %s", path, strerror(errno));
	for (i = 0; i < 6; i++)
		if (!fork())
			count(i & 1 ? "a" : "b", kind);
	for (i = 0; i < 6; i++)
		bad |= wait(&status) < 0 || status;
	if (pread(fd, &n, sizeof(n), 0) != sizeof(n) || n != 6 * ROUNDS || bad)
		tap_bad("counted to %d", n);
	close(fd);
	unlink(path);
	tap_good("%s", what);
}

int main(void)
{
	lab("cluster a b");
	check_count(0, "six count under flock");
	check_count(1, "six count under a range");
	agent_start(&a, "a");
	agent_start(&a2, "a");
	agent_start(&b, "b");
	check_flock(&a, &b, "two hosts");
	check_flock(&a, &a2, "one host");
	check_range(&a, &b, -1, "two hosts");
	check_range(&a, &a2, 1, "one host");
	check_ofd(&a, &b, "two hosts");
	check_ofd(&a, &a2, "one host");
	check_wait(&a, &b, "two hosts");
	check_wait(&a, &a2, "one host");
	check_killed(&wait_range, SIGKILL, "a killed waiter for a range");
	check_killed(&wait_flock, SIGKILL, "a killed waiter of flock");
	check_killed(&wait_range, SIGUSR1, "an interrupted waiter");
	check_given_up("several that give up at once");
	check_death(0, "a process ends");
	check_death(SIGKILL, "a process is killed");
	agent_end(&a, 0);
	agent_end(&a2, 0);
	agent_end(&b, 0);
	return tap_end();
}
