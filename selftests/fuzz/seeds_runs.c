// SPDX-License-Identifier: GPL-2.0
/*
 * Runs for fuzz_origin.c: what is worth starting from, and what once broke.
 */
#include <stdarg.h>

#include "origin/core.h"
#include "seeds.h"

/* A run of fuzz_origin.c in the making. */
static u8 run[256];
static u32 run_len;

static void add(u32 n, ...)
{
	va_list ap;

	va_start(ap, n);
	while (n--)
		run[run_len++] = va_arg(ap, int);
	va_end(ap);
}

static void end_run(const char *name)
{
	seed_save("origin", name, run, run_len);
	run_len = 0;
}

/* Its steps; @on is the connection. */
static void hello(u8 on)
{
	add(2, on << 6, 0);
}

static void hello_after(u8 on, u8 old)
{
	add(4, on << 6, 8 | 4 | 2, on - 1, old);
}

static void renew(u8 on)
{
	add(3, on << 6 | 1, 1, 0);
}

static void join(u8 on)
{
	add(2, on << 6 | 1, 4);
}

static void release(u8 on)
{
	add(2, on << 6 | 2, 0);
}

static void lookup(u8 on, u8 dir, u8 name)
{
	add(6, on << 6 | 4, 0, GNS_WANT_LEASE, 0, dir, name);
}

static void getattr(u8 on, u8 node, u8 want)
{
	add(5, on << 6 | 4, 1, want, 0, node);
}

static void put_bytes(u8 on, u8 node, u8 flags)
{
	add(8, on << 6 | 7, 0, 0, 0, node, 0, flags, 50);
}

static void make(u8 on, u8 type, u8 dir, u8 name)
{
	add(7, on << 6 | 7, type, 0, 0, dir, name, 0);
}

static void rename_in_root(u8 on, u8 from, u8 to)
{
	add(9, on << 6 | 7, 5, 0, 0, 0, from, 0, to, 0);
}

static void again(u8 on, bool older)
{
	add(4, on << 6 | 7, 0, older ? 240 : 180, 0);
}

static void late(void)
{
	add(2, 13, 0);
}

static void commit(void)
{
	add(2, 13, 1);
}

static void done(u32 n)
{
	while (n--)
		add(2, 13, 5);
}

static void wait_for(u8 how_long)
{
	add(2, 12, how_long);
}

/* It dies and comes up again, as far as @ready says. */
static void restart(bool host, bool ready)
{
	add(3, 11, host ? 130 : 2, 0);
	done(1);
	commit();
	if (!ready)
		return;
	done(2);
	wait_for(6);
}

#define CREATE 1
#define MKDIR 2
#define UNLINK 3
#define RMDIR 4

static void runs(void)
{
	hello(0);
	hello(1);
	getattr(0, 1, GNS_WANT_LEASE);
	put_bytes(1, 1, 0);
	wait_for(3);
	renew(0);
	renew(1);
	release(0);
	end_run("revoke");

	hello(0);
	hello(1);
	lookup(0, 0, 0);
	make(1, UNLINK, 0, 0);
	wait_for(3);
	renew(1);
	wait_for(4);
	renew(1);
	wait_for(5);
	end_run("revoke-unanswered");

	hello(0);
	hello(1);
	late();
	getattr(0, 1, GNS_WANT_ALL);
	put_bytes(1, 1, 0);
	done(1);
	wait_for(2);
	done(1);
	commit();
	done(1);
	commit();
	end_run("turn");

	hello(0);
	make(0, CREATE, 0, 2);
	make(0, MKDIR, 0, 4);
	make(0, UNLINK, 0, 2);
	make(0, RMDIR, 0, 4);
	rename_in_root(0, 0, 2);
	end_run("names");

	hello(0);
	add(7, 4, 3, GNS_WANT_LEASE, 0, 0, 0, 9); /* READDIR */
	add(8, 4, 9, GNS_WANT_LEASE, 0, 3, 0, 1, 2); /* REVALIDATE */
	add(5, 4, 10, GNS_WANT_LEASE, 0, 0); /* MOUNT */
	end_run("lists");
}

static void runs_with_copies(void)
{
	hello(0);
	late();
	make(0, CREATE, 0, 2);
	again(0, false);
	done(2);
	again(0, false);
	commit();
	done(1);
	again(0, false);
	commit();
	again(0, false);
	make(0, CREATE, 0, 4);
	again(0, true);
	end_run("copies");

	hello(0);
	late();
	make(0, CREATE, 0, 2);
	done(2);
	commit();
	done(1);
	restart(true, true);
	late();
	hello(0);
	again(0, false);
	end_run("host-dies");
}

#define LINK 0
#define SYMLINK 1
#define MKNOD 2
#define SETXATTR 3
#define FALLOCATE 4
#define COPY 5

/* One of the changes from LINK on, @n bytes of it given. */
static void more(u8 on, u8 which, u32 n, ...)
{
	va_list ap;

	/* fuzz_origin.c takes what is 160 and more by its rest by 6. */
	add(4, on << 6 | 7, 162 + which, 0, 0);
	va_start(ap, n);
	while (n--)
		run[run_len++] = va_arg(ap, int);
	va_end(ap);
}

static void runs_with_more(void)
{
	hello(0);
	more(0, LINK, 4, 0, 0, 2, 1);
	more(0, SYMLINK, 3, 0, 6, 3);
	more(0, MKNOD, 3, 0, 2, 4);
	more(0, SETXATTR, 3, 1, GNS_XA_CREATE, 3);
	more(0, SETXATTR, 3, 1, GNS_XA_REMOVE, 0);
	more(0, FALLOCATE, 4, 1, 0, 9, 9);
	more(0, COPY, 5, 1, 0, 3, 5, 9);
	make(0, UNLINK, 0, 0);
	end_run("more");

	hello(0);
	hello(1);
	getattr(0, 1, GNS_WANT_LEASE);
	more(1, COPY, 5, 1, 0, 3, 5, 9);
	more(1, COPY, 5, 3, 0, 1, 5, 9);
	wait_for(3);
	release(0);
	end_run("copy-revokes");

	hello(0);
	late();
	more(0, COPY, 5, 1, 0, 3, 5, 9);
	done(2);
	commit();
	done(1);
	restart(false, true);
	late();
	hello(0);
	put_bytes(0, 1, 0);
	again(0, true);
	end_run("copy-overtaken");
}

static void broken_slots(void)
{
	hello(0);
	late();
	put_bytes(0, 1, GNS_WR_APPEND);
	done(1);
	commit();
	restart(false, true);
	late();
	hello(0);
	put_bytes(0, 3, GNS_WR_APPEND);
	end_run("broken-append-after-redo");

	hello(0);
	late();
	put_bytes(0, 1, 0);
	done(1);
	hello_after(1, 0);
	again(1, false);
	commit();
	end_run("broken-retry-in-next-session");

	hello(0);
	late();
	make(0, MKDIR, 0, 2);
	done(2);
	commit();
	restart(false, false);
	hello(0);
	put_bytes(0, 1, GNS_WR_APPEND);
	done(1);
	again(0, false);
	late();
	wait_for(3);
	renew(0);
	wait_for(3);
	renew(0);
	wait_for(3);
	again(0, false);
	end_run("broken-slot-used-in-recovery");
}

static void broken_others(void)
{
	hello(0);
	make(0, RMDIR, 0, 3);
	make(0, MKDIR, 0, 2);
	make(0, RMDIR, 0, 3);
	put_bytes(0, 1, 0);
	end_run("broken-not-empty");

	hello(0);
	put_bytes(0, 1, 0);
	rename_in_root(0, 0, 0);
	put_bytes(0, 1, 0);
	end_run("broken-rename-to-itself");

	hello(0);
	hello(1);
	join(2);
	getattr(0, 1, GNS_WANT_LEASE);
	late();
	getattr(2, 3, 0);
	add(2, 11, 16); /* connection 2 ends */
	put_bytes(1, 1, 0);
	late();
	done(1);
	end_run("broken-revoke-on-dead-connection");

	hello(0);
	late();
	put_bytes(0, 1, 0);
	done(1);
	commit();
	late();
	lookup(0, 0, 0);
	end_run("broken-lookup-during-apply");

	add(14, 10, 10, GNS_REVOKE, 1, 'x', 7, 0, 0, 0, 0, 0, 0, 0, 0);
	end_run("broken-revoke-by-satellite");
}

void seed_runs(void)
{
	runs();
	runs_with_copies();
	runs_with_more();
	broken_slots();
	broken_others();
}
