// SPDX-License-Identifier: GPL-2.0
/*
 * Who changes by a mount: the same changes as by the protocol, as system calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hist.h"
#include "lib/lab.h"
#include "lin.h"

#define BLOCKS_MAX 4

static struct {
	int reg[REGS];
	int log[LOGS];
	u32 last[LOGS]; /* where one's own newest entry went */
	u64 block[BLOCKS_MAX * BLOCK / sizeof(u64)];
} u;

static u64 fresh(struct me *me)
{
	return __atomic_add_fetch(&me->h->value, 1, __ATOMIC_RELAXED);
}

/* What can be told from errno, as lin_op has it. */
static s32 outcome(struct me *me, const char *what, int ret)
{
	if (ret >= 0)
		return 0;
	switch (errno) {
	case ENOENT:
	case EEXIST:
		return -errno;
	case EIO: /* the origin can not tell either */
	case ESTALE: /* it went between two looks */
		return LIN_UNKNOWN;
	}
	broken(me, "%s: %s", what, strerror(errno));
	return LIN_UNKNOWN;
}

static void open_all(struct me *me)
{
	char path[4200];
	u32 i;

	for (i = 0; i < REGS; i++) {
		snprintf(path, sizeof(path), "%s/reg%u", me->mnt, i);
		u.reg[i] = open(path, O_RDWR | O_CLOEXEC);
		if (u.reg[i] < 0)
			broken(me, "reg%u: open: %s", i, strerror(errno));
	}
	for (i = 0; i < LOGS; i++) {
		snprintf(path, sizeof(path), "%s/log%u", me->mnt, i);
		u.log[i] = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
		if (u.log[i] < 0)
			broken(me, "log%u: open: %s", i, strerror(errno));
	}
}

static void write_reg(struct me *me)
{
	u32 i = me_rnd(me, REGS), len = (1 + me_rnd(me, BLOCKS_MAX)) * BLOCK, k;
	struct rec *r = rec_call(me, HIST_REG, LIN_REG_WRITE, i);
	ssize_t put;

	if (!r)
		return;
	r->arg[0] = fresh(me);
	r->arg[1] = len;
	for (k = 0; k < len / sizeof(u64); k++)
		u.block[k] = r->arg[0];
	put = pwrite(u.reg[i], u.block, len, 0);
	if (put >= 0 && put != len)
		broken(me, "reg%u: %zd of %u bytes written", i, put, len);
	rec_ret(me, r, outcome(me, "pwrite", put));
}

static void cut_reg(struct me *me)
{
	u32 i = me_rnd(me, REGS);
	struct rec *r = rec_call(me, HIST_REG, LIN_REG_TRUNC, i);

	if (r)
		rec_ret(me, r, outcome(me, "ftruncate", ftruncate(u.reg[i], 0)));
}

static void append(struct me *me)
{
	u32 i = me_rnd(me, LOGS), id;
	bool full = u.last[i] >= LOG_FULL;
	struct rec *r = rec_call(me, HIST_LOG,
				 full ? LIN_LOG_TRUNC : LIN_LOG_APPEND, i);
	s32 err;

	if (!r)
		return;
	if (full) {
		u.last[i] = 0;
		rec_ret(me, r, outcome(me, "ftruncate", ftruncate(u.log[i], 0)));
		return;
	}
	id = fresh(me);
	r->arg[0] = id;
	err = outcome(me, "append", write(u.log[i], &id, sizeof(id)));
	/* The file's position is behind what it appended. */
	r->res = err ? LIN_ANY : lseek(u.log[i], 0, SEEK_CUR) / sizeof(id) - 1;
	if (!err)
		u.last[i] = r->res;
	rec_ret(me, r, err);
}

static void make_name(struct me *me)
{
	u32 d = me_rnd(me, DIRS), n = me_rnd(me, NAMES);
	struct rec *r = rec_call(me, HIST_TREE, LIN_TREE_CREATE, 0);
	char path[4200];
	struct statx st;
	s32 err;
	int fd;

	if (!r)
		return;
	r->arg[0] = d;
	r->arg[1] = n;
	r->arg[2] = 1; /* refused: any will do */
	snprintf(path, sizeof(path), "%s/d%u/n%u", me->mnt, d, n);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	err = outcome(me, "create", fd);
	/* As it is known here: somebody else may have unlinked it since. */
	if (fd >= 0 && !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
			      STATX_INO, &st))
		r->arg[2] = st.stx_ino;
	if (err == LIN_UNKNOWN || (!err && r->arg[2] == 1))
		broken(me, "what a create made is not known");
	rec_ret(me, r, err);
	if (fd >= 0)
		close(fd);
}

static void take_name(struct me *me)
{
	u32 d = me_rnd(me, DIRS), n = me_rnd(me, NAMES);
	struct rec *r = rec_call(me, HIST_TREE, LIN_TREE_UNLINK, 0);
	char path[4200];

	if (!r)
		return;
	r->arg[0] = d;
	r->arg[1] = n;
	snprintf(path, sizeof(path), "%s/d%u/n%u", me->mnt, d, n);
	rec_ret(me, r, outcome(me, "unlink", unlink(path)));
}

static void rename_name(struct me *me)
{
	u32 d[2] = { me_rnd(me, DIRS), me_rnd(me, DIRS) };
	u32 n[2] = { me_rnd(me, NAMES), me_rnd(me, NAMES) };
	struct rec *r = rec_call(me, HIST_TREE, LIN_TREE_RENAME, 0);
	char from[4200], to[4200];

	if (!r)
		return;
	r->arg[0] = d[0];
	r->arg[1] = n[0];
	r->arg[2] = d[1];
	r->arg[3] = n[1];
	snprintf(from, sizeof(from), "%s/d%u/n%u", me->mnt, d[0], n[0]);
	snprintf(to, sizeof(to), "%s/d%u/n%u", me->mnt, d[1], n[1]);
	rec_ret(me, r, outcome(me, "rename", rename(from, to)));
}

void user(struct me *me)
{
	u32 how;

	open_all(me);
	while (!__atomic_load_n(&me->h->stop, __ATOMIC_ACQUIRE) &&
	       me->p->n < RECS) {
		how = me_rnd(me, 16);
		if (how < 6)
			write_reg(me);
		else if (how < 7)
			cut_reg(me);
		else if (how < 11 || !me->h->tree)
			append(me);
		else if (how < 13)
			make_name(me);
		else if (how < 14)
			take_name(me);
		else
			rename_name(me);
		usleep(me_rnd(me, 12) * 1000);
	}
}
