// SPDX-License-Identifier: GPL-2.0
/*
 * Who locks by a mount: as flock(2) has it, or byte ranges of processes and of
 * open files; what is had is used, let go of, or lost with the session. Then the
 * open file gives errors until it is closed.
 *
 * Of some files nobody ever waits for the lock: there a refusal says that
 * somebody has it. Elsewhere it may be kept for who waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/time.h>
#include <unistd.h>

#include "hist.h"
#include "lib/lab.h"
#include "lin.h"

enum style {
	BY_FLOCK,
	BY_PROCESS,
	BY_FILE,
};

/* A session with the origin, as the kernel tells. */
struct standing {
	u64 sid;
	bool live;
};

static struct mine {
	int fd; /* 0: not open */
	enum style style;
	u64 owner; /* 0: it is not ours */
	u64 since; /* stamp of the answer */
	u64 sid; /* it was got in this session; 0: that is not certain */
	u64 wrote; /* under it */
} mine[LOCKS];

static u64 sys_value(struct me *me, const char *name, int base)
{
	char path[128], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", me->sys, name);
	f = fopen(path, "re");
	if (!f || !fgets(text, sizeof(text), f))
		broken(me, "%s can not be read", path);
	if (f)
		fclose(f);
	return strtoull(text, NULL, base);
}

static struct standing look(struct me *me)
{
	return (struct standing){
		.sid = sys_value(me, "session", 16),
		.live = sys_value(me, "left_ms", 10),
	};
}

static int set(const struct mine *l, short type, bool wait)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET, .l_len = 100 };
	int nb = wait ? 0 : LOCK_NB;

	switch (l->style) {
	case BY_FLOCK:
		return flock(l->fd, type == F_UNLCK ? LOCK_UN : LOCK_EX | nb);
	case BY_PROCESS:
		return fcntl(l->fd, wait ? F_SETLKW : F_SETLK, &fl);
	default:
		return fcntl(l->fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &fl);
	}
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* From @ms on whoever waits is interrupted, and again; 0: nobody any more. */
static void alarm_in(u32 ms)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval it = {
		.it_value = { ms / 1000, ms % 1000 * 1000 },
		.it_interval = { 0, 100000 },
	};

	sigaction(SIGALRM, &sa, NULL);
	if (!ms)
		it = (struct itimerval){};
	setitimer(ITIMER_REAL, &it, NULL);
}

static bool open_file(struct me *me, u32 i)
{
	struct mine *l = &mine[i];
	char path[4200];

	if (l->fd)
		return true;
	snprintf(path, sizeof(path), "%s/lock%u", me->mnt, i);
	l->fd = open(path, O_RDWR | O_CLOEXEC);
	if (l->fd >= 0)
		return true;
	broken(me, "lock%u: open: %s", i, strerror(errno));
	l->fd = 0;
	return false;
}

static void shut(struct mine *l)
{
	close(l->fd);
	*l = (struct mine){};
}

/* Nobody can tell when it ended, or will. */
static void gone(struct me *me, u32 i, struct rec *r)
{
	struct mine *l = &mine[i];

	if (r) {
		r->arg[0] = l->owner;
		r->call = l->since;
		r->tag = me->host;
	}
	shut(l);
	/* While it was open it was in the way of others here. */
	if (r)
		r->res = hist_stamp(me->h);
}

static void lose(struct me *me, u32 i)
{
	char c;

	if (pread(mine[i].fd, &c, 1, 0) >= 0 || errno != EIO)
		broken(me, "lock%u is lost, and its file can be read", i);
	gone(me, i, rec_last(me, HIST_LOCK, LIN_LOCK_UNLOCK, i));
}

static void got(u32 i, const struct rec *r, u64 sid)
{
	mine[i].owner = r->arg[0];
	mine[i].since = r->ret;
	mine[i].sid = sid;
	mine[i].wrote = 0;
}

static void refused(struct me *me, u32 i, struct rec *r, bool wait, int err)
{
	/* Interrupted, or not now. */
	if (err == (wait ? EINTR : EAGAIN)) {
		r->dropped = wait || i >= LOCKS_TRIED;
		rec_ret(me, r, r->dropped ? 0 : -EAGAIN);
		return;
	}
	broken(me, "lock%u: %s", i, strerror(err));
	rec_ret(me, r, LIN_UNKNOWN);
}

static void acquire(struct me *me, u32 i, bool wait)
{
	struct standing before, after;
	struct mine *l = &mine[i];
	struct rec *r;
	int err;

	if (!open_file(me, i))
		return;
	l->style = i % 2 ? BY_PROCESS + me_rnd(me, 2) : BY_FLOCK;
	before = look(me);
	r = rec_call(me, HIST_LOCK, wait ? LIN_LOCK_LOCK : LIN_LOCK_TRY, i);
	if (!r)
		return;
	r->arg[0] = __atomic_add_fetch(&me->h->value, 1, __ATOMIC_RELAXED);
	r->tag = me->host;
	if (wait)
		alarm_in(100 + me_rnd(me, 1000));
	err = set(l, F_WRLCK, wait) ? errno : 0;
	if (wait)
		alarm_in(0);
	after = look(me);
	/* Else it may have been given twice, and once for nobody. */
	if (!before.sid || before.sid != after.sid)
		r->tag |= LOCK_DOUBT;
	if (err) {
		refused(me, i, r, wait, err);
		return;
	}
	rec_ret(me, r, 0);
	got(i, r, r->tag & LOCK_DOUBT ? 0 : after.sid);
}

/* Something that may be done under the lock only. */
static void use(struct me *me, u32 i)
{
	struct rec *r = rec_call(me, HIST_LOCK, LIN_LOCK_HELD, i);
	struct mine *l = &mine[i];
	u64 value = l->owner;
	ssize_t n;

	if (!r)
		return;
	r->arg[0] = l->owner;
	if (l->wrote && me_rnd(me, 2)) {
		n = pread(l->fd, &value, sizeof(value), 0);
		if (n == sizeof(value) && value != l->wrote)
			broken(me, "lock%u: %llu was written under it, and there is %llu",
			       i, (unsigned long long)l->wrote,
			       (unsigned long long)value);
	} else {
		n = pwrite(l->fd, &value, sizeof(value), 0);
		l->wrote = n == sizeof(value) ? value : 0;
	}
	r->dropped = n != sizeof(value);
	if (r->dropped && (n >= 0 || errno != EIO))
		broken(me, "lock%u: %zd bytes: %s", i, n, strerror(errno));
	rec_ret(me, r, 0);
	if (r->dropped)
		lose(me, i);
}

/*
 * When the session does not live nobody waits for the origin to hear of it: then
 * the lock may end later, and may have ended before.
 */
static void release(struct me *me, u32 i)
{
	struct standing before = look(me), after;
	struct rec *r = rec_last(me, HIST_LOCK, LIN_LOCK_UNLOCK, i);
	struct mine *l = &mine[i];
	int err;

	if (r)
		r->arg[0] = l->owner;
	err = set(l, F_UNLCK, false) ? errno : 0;
	after = look(me);
	if (err && err != EIO)
		broken(me, "lock%u: unlock: %s", i, strerror(err));
	if (err || !l->sid || before.sid != l->sid || after.sid != l->sid ||
	    !before.live || !after.live) {
		gone(me, i, r);
		return;
	}
	if (r)
		rec_ret(me, r, 0);
	l->owner = 0;
}

static bool has_any(void)
{
	u32 i;

	for (i = 0; i < LOCKS; i++)
		if (mine[i].owner)
			return true;
	return false;
}

/* Mostly it is had for a short while; else until the next time. */
void lock_step(struct me *me)
{
	u32 i = me_rnd(me, LOCKS), n;

	if (!mine[i].owner)
		acquire(me, i, i >= LOCKS_TRIED && !has_any());
	for (n = me_rnd(me, 4); n && mine[i].owner; n--)
		use(me, i);
	if (mine[i].owner && me_rnd(me, 4))
		release(me, i);
}

void lock_end(struct me *me)
{
	u32 i;

	for (i = 0; i < LOCKS; i++)
		if (mine[i].owner)
			release(me, i);
}
