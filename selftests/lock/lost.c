// SPDX-License-Identifier: GPL-2.0
/*
 * lock-lost: a satellite loses its session, and its locks with it. Another one
 * gets them, not before; and nothing that was asked for under them happens
 * afterwards.
 *
 *	lock-lost [kept]	or that they are not lost without need
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "client.h"
#include "lab.h"
#include "tap.h"

static struct agent a, b;
static u64 ttl_ms;

static const struct agent_ask write_old = { .call = A_WRITE, .type = 'a' };
static const struct agent_ask write_new = { .call = A_WRITE, .type = 'b' };
static const struct agent_ask wait_flock = { .call = A_FLOCK, .op = LOCK_EX };
static const struct agent_ask wait_range = { .call = A_FCNTL,
					     .op = F_SETLKW,
					     .type = F_WRLCK,
					     .len = 10 };

static const char *in_file(void)
{
	if (do_plain(&b, A_READ, 0))
		return "?";
	return b.reply.data[0] == 'b' ? "b's" : "a's";
}

/* Only what had locks is of no use any more. */
static void check_dead(int fd, int other)
{
	IS(EIO, do_plain(&a, A_READ, fd));
	IS(EIO, do_plain(&a, A_WRITE, fd));
	IS(EIO, do_plain(&a, A_FSYNC, fd));
	IS(EIO, do_flock(&a, fd, LOCK_SH | LOCK_NB));
	IS(EIO, do_range(&a, fd, F_SETLK, F_RDLCK, 0, 1));
	IS(0, do_plain(&a, A_READ, other));
	IS(0, do_plain(&a, A_FSYNC, other));
}

static void begin(const struct agent_ask *lock)
{
	agent_start(&a, "a");
	agent_start(&b, "b");
	IS(0, do_plain(&a, A_OPEN, 1));
	IS(0, do_plain(&a, A_OPEN, 2));
	IS(0, agent_do(&a, lock));
	IS(0, agent_do(&a, &write_old));
	/* One whose locks are gone already when the session is. */
	IS(0, do_flock(&a, 2, LOCK_SH | LOCK_NB) == EWOULDBLOCK ?
		      0 :
		      do_flock(&a, 2, LOCK_UN));
}

static void end(void)
{
	agent_end(&a, 0);
	agent_end(&b, 0);
}

static void check_cut(const struct agent_ask *lock, const char *what)
{
	u64 cut;

	begin(lock);
	cut = lab_now();
	lab("net_cut a");
	/* On its way when the session is lost: it may never arrive. */
	agent_tell(&a, &write_old);
	agent_tell(&b, lock);
	if (!agent_heard(&b, lab_slow((unsigned int)(4 * ttl_ms))))
		tap_bad("b has no lock after %u ms", (unsigned int)lab_ms(cut));
	/* It was renewed a while before; the deadline has a margin. */
	if (lab_ms(cut) < ttl_ms / 2)
		tap_bad("b has the lock after %u ms, in a's session",
			(unsigned int)lab_ms(cut));
	IS(0, b.reply.err);
	IS(0, agent_do(&b, &write_new));
	if (agent_heard(&a, 100))
		tap_bad("a's write has ended: %s", strerror(a.reply.err));
	lab("net_heal a");
	if (!agent_heard(&a, lab_slow(10000)))
		tap_bad("a's write does not end");
	IS(EIO, a.reply.err);
	check_dead(0, 1);
	IS(0, do_plain(&a, A_READ, 2));
	lab_sleep(300);
	if (strcmp(in_file(), "b's"))
		tap_bad("the file is %s", in_file());
	/* It begins anew with another open file. */
	IS(0, do_plain(&a, A_CLOSE, 0));
	IS(0, do_plain(&a, A_OPEN, 0));
	IS(0, do_plain(&a, A_READ, 0));
	IS(EWOULDBLOCK, do_flock(&a, 0, LOCK_EX | LOCK_NB) ?
				EWOULDBLOCK :
				do_range(&a, 0, F_SETLK, F_WRLCK, 0, 10));
	IS(0, do_plain(&b, A_CLOSE, 0));
	IS(0, do_flock(&a, 0, LOCK_EX | LOCK_NB));
	IS(0, do_range(&a, 0, F_SETLK, F_WRLCK, 0, 10));
	IS(0, do_plain(&a, A_WRITE, 0));
	end();
	tap_good("%s", what);
}

static void check_restart(void)
{
	struct agent_ask ask = { .call = A_FLOCK, .op = LOCK_EX | LOCK_NB };
	u64 begun;

	begin(&wait_flock);
	lab("origin_kill");
	begun = lab_now();
	lab("origin_start");
	/* Nobody can know yet: it waits, and gets it in the end. */
	agent_tell(&b, &ask);
	if (!agent_heard(&b, lab_slow((unsigned int)(5 * ttl_ms))))
		tap_bad("b has no answer");
	if (lab_ms(begun) < ttl_ms * 5 / 4)
		tap_bad("b has an answer %u ms after the restart: %s",
			(unsigned int)lab_ms(begun),
			strerror(b.reply.err));
	IS(0, b.reply.err);
	check_dead(0, 1);
	end();
	tap_good("the origin is killed, and comes back");
}

/*
 * It was given, and lost, before its answer was heard: that says nothing any
 * more, and who had asked gets it now or does not.
 */
static void check_late(void)
{
	struct agent_ask try = { .call = A_FLOCK, .op = LOCK_EX | LOCK_NB };

	agent_start(&a, "a");
	agent_start(&b, "b");
	IS(0, do_plain(&a, A_READ, 0));
	lab("net_cut a in");
	agent_tell(&a, &try);
	lab_sleep(ttl_ms / 8);
	IS(EWOULDBLOCK, agent_do(&b, &try));
	lab("helper_freeze a");
	lab("net_heal a");
	agent_tell(&b, &wait_flock);
	if (!agent_heard(&b, lab_slow((unsigned int)(4 * ttl_ms))))
		tap_bad("b has no lock");
	IS(0, b.reply.err);
	lab("helper_thaw a");
	if (!agent_heard(&a, lab_slow(10000)))
		tap_bad("a has no answer");
	IS(EWOULDBLOCK, a.reply.err);
	/* It never had one. */
	IS(0, do_plain(&a, A_WRITE, 0));
	IS(0, do_flock(&b, 0, LOCK_UN));
	IS(0, agent_do(&a, &try));
	end();
	tap_good("the answer is heard after the lock is lost");
}

/* What is not lost: neither a break that is short, nor another helper. */
static void check_kept(void)
{
	begin(&wait_flock);
	lab("net_cut a");
	lab_sleep((unsigned int)ttl_ms / 8);
	lab("net_heal a");
	IS(0, do_plain(&a, A_WRITE, 0));
	IS(EWOULDBLOCK, do_flock(&b, 0, LOCK_EX | LOCK_NB));
	lab("helper_kill a");
	lab("helper_start a");
	IS(0, do_plain(&a, A_WRITE, 0));
	IS(EWOULDBLOCK, do_flock(&b, 0, LOCK_EX | LOCK_NB));
	IS(0, do_flock(&a, 0, LOCK_UN));
	IS(0, do_flock(&b, 0, LOCK_EX | LOCK_NB));
	end();
	tap_good("a short break, and another helper");
}

int main(int argc, char **argv)
{
	lab("cluster a b");
	ttl_ms = 1000 * strtoull(lab_env("TTL"), NULL, 0);
	if (argc > 1 && !strcmp(argv[1], "kept")) {
		check_kept();
		return tap_end();
	}
	check_cut(&wait_flock, "the link is cut, under flock");
	check_cut(&wait_range, "the link is cut, under a range");
	check_late();
	check_restart();
	return tap_end();
}
