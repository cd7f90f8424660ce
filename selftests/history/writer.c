// SPDX-License-Identifier: GPL-2.0
/*
 * Who changes: a satellite without a kernel, in a process of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hist.h"
#include "lib/lab.h"
#include "lin.h"
#include "tree/client.h"

#define BLOCKS_MAX 4

static struct {
	struct client *c;
	u64 seq;
	struct gns_fh root;
	struct gns_fh reg[REGS];
	struct gns_fh log[LOGS];
	struct gns_fh dir[DIRS];
	u32 last[LOGS]; /* where one's own newest entry went */
	u64 block[BLOCKS_MAX * BLOCK / sizeof(u64)];
} w;

static void look_up(const char *kind, u32 i, struct gns_fh *fh)
{
	struct gns_msg m = { .type = GNS_LOOKUP }, rep;
	char name[16];

	snprintf(name, sizeof(name), "%s%u", kind, i);
	m.name.fh = w.root;
	m.name.name = (struct gns_str){ name, strlen(name) };
	if (client_call(w.c, &m, &rep) || rep.r_lookup.absent)
		die("no %s", name);
	*fh = rep.r_lookup.child.fh;
}

static void begin(const char *netns)
{
	struct gns_msg m = { .type = GNS_MOUNT }, rep;
	int fd = open(netns, O_RDONLY | O_CLOEXEC);
	u32 i;

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("%s: %s", netns, strerror(errno));
	close(fd);
	w.c = client_open(lab_env("ORIGIN"), 2);
	m.mount.export = (struct gns_str){ "x", 1 };
	if (!w.c || client_call(w.c, &m, &rep))
		die("a writer has no session");
	w.root = rep.r_obj.fh;
	for (i = 0; i < REGS; i++)
		look_up("reg", i, &w.reg[i]);
	for (i = 0; i < LOGS; i++)
		look_up("log", i, &w.log[i]);
	for (i = 0; i < DIRS; i++)
		look_up("d", i, &w.dir[i]);
}

/* What can be told from an answer of the origin, as lin_op has it. */
static s32 outcome(u32 status)
{
	switch (status) {
	case 0:
		return 0;
	case ENOENT:
	case EEXIST:
	case EISDIR:
		return -(s32)status;
	default:
		return LIN_UNKNOWN;
	}
}

static s32 change(struct gns_msg *m, struct gns_msg *rep)
{
	u32 status;

	*gns_msg_change(m) = (struct gns_change){ 0, ++w.seq };
	status = client_call(w.c, m, rep);
	return outcome(status);
}

static u64 fresh(struct me *me)
{
	return __atomic_add_fetch(&me->h->value, 1, __ATOMIC_RELAXED);
}

static void write_reg(struct me *me)
{
	u32 blocks = me->h->blocks ? 1 : 1 + me_rnd(me, BLOCKS_MAX);
	u32 i = me_rnd(me, REGS), len = blocks * BLOCK, k;
	struct gns_msg m = { .type = GNS_WRITE }, rep;
	struct rec *r = rec_call(me, HIST_REG, LIN_REG_WRITE, i);

	if (!r)
		return;
	r->arg[0] = fresh(me);
	r->arg[1] = len;
	for (k = 0; k < len / sizeof(u64); k++)
		w.block[k] = r->arg[0];
	m.write.fh = w.reg[i];
	m.payload = w.block;
	m.payload_len = len;
	rec_ret(me, r, change(&m, &rep));
}

static s32 cut(const struct gns_fh *fh)
{
	struct gns_msg m = { .type = GNS_SETATTR }, rep;

	m.setattr.fh = *fh;
	m.setattr.valid = GNS_SA_SIZE;
	return change(&m, &rep);
}

static void cut_reg(struct me *me)
{
	u32 i = me_rnd(me, REGS);
	struct rec *r = rec_call(me, HIST_REG, LIN_REG_TRUNC, i);

	if (r)
		rec_ret(me, r, cut(&w.reg[i]));
}

/* All writers together stay below what a log can have. */
static void append(struct me *me)
{
	u32 i = me_rnd(me, LOGS), id;
	struct gns_msg m = { .type = GNS_WRITE }, rep;
	bool full = w.last[i] >= LOG_FULL;
	struct rec *r = rec_call(me, HIST_LOG,
				 full ? LIN_LOG_TRUNC : LIN_LOG_APPEND, i);
	s32 err;

	if (!r)
		return;
	if (full) {
		w.last[i] = 0;
		rec_ret(me, r, cut(&w.log[i]));
		return;
	}
	id = fresh(me);
	r->arg[0] = id;
	m.write.fh = w.log[i];
	m.write.flags = GNS_WR_APPEND;
	m.payload = &id;
	m.payload_len = sizeof(id);
	err = change(&m, &rep);
	r->res = err ? LIN_ANY : rep.r_change.off / sizeof(id);
	if (!err)
		w.last[i] = r->res;
	rec_ret(me, r, err);
}

static void make_name(struct me *me, u16 type)
{
	u32 d = me_rnd(me, DIRS), n = me_rnd(me, NAMES), i;
	struct gns_msg m = { .type = type }, rep;
	struct rec *r = rec_call(me, HIST_TREE,
				 type == GNS_CREATE ? LIN_TREE_CREATE :
						      LIN_TREE_UNLINK,
				 0);
	char name[8];
	s32 err;

	if (!r)
		return;
	snprintf(name, sizeof(name), "n%u", n);
	r->arg[0] = d;
	r->arg[1] = n;
	m.make.dir = w.dir[d];
	m.make.name = (struct gns_str){ name, 2 };
	r->tag = hist_tag(me->h);
	m.make.mode = r->tag;
	m.make.flags = type == GNS_CREATE ? GNS_CR_EXCL : 0;
	err = change(&m, &rep);
	if (type == GNS_CREATE) {
		r->arg[2] = 1; /* refused: any will do */
		for (i = 0; !err && i < rep.r_change.changed.n; i++)
			if (gns_fh_eq(&rep.r_change.changed.v[i].fh,
				      &rep.r_change.fh))
				r->arg[2] = rep.r_change.changed.v[i].attr.ino;
		if (err == LIN_UNKNOWN || (!err && r->arg[2] == 1))
			r->arg[2] = 0; /* to be found out */
	}
	rec_ret(me, r, err);
}

static void rename_name(struct me *me)
{
	u32 d[2] = { me_rnd(me, DIRS), me_rnd(me, DIRS) };
	u32 n[2] = { me_rnd(me, NAMES), me_rnd(me, NAMES) };
	struct gns_msg m = { .type = GNS_RENAME }, rep;
	struct rec *r = rec_call(me, HIST_TREE, LIN_TREE_RENAME, 0);
	char name[2][8];
	s32 err;
	u32 i;

	if (!r)
		return;
	for (i = 0; i < 2; i++) {
		r->arg[2 * i] = d[i];
		r->arg[2 * i + 1] = n[i];
		snprintf(name[i], sizeof(name[i]), "n%u", n[i]);
	}
	m.rename.odir = w.dir[d[0]];
	m.rename.oname = (struct gns_str){ name[0], 2 };
	m.rename.ndir = w.dir[d[1]];
	m.rename.nname = (struct gns_str){ name[1], 2 };
	err = change(&m, &rep);
	rec_ret(me, r, err == -EISDIR ? LIN_UNKNOWN : err);
}

void writer(struct me *me)
{
	u32 how, until;

	begin(me->netns);
	while (!__atomic_load_n(&me->h->stop, __ATOMIC_ACQUIRE) &&
	       me->p->n < RECS - RECS_LAST) {
		how = me_rnd(me, 16);
		if (how < 6)
			write_reg(me);
		else if (how < 7)
			cut_reg(me);
		else if (how < 11)
			append(me);
		else if (how < 13)
			make_name(me, GNS_CREATE);
		else if (how < 14)
			make_name(me, GNS_UNLINK);
		else
			rename_name(me);
		/* The session goes on while nothing is asked. */
		for (until = me_rnd(me, 12); until; until--)
			client_input(w.c, -1);
	}
	client_close(w.c);
}
