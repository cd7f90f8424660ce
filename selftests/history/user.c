// SPDX-License-Identifier: GPL-2.0
/*
 * Who changes by a mount: the same changes as by the protocol, as system calls,
 * and more ways to do them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hist.h"
#include "lib/lab.h"
#include "lin.h"

#define BLOCKS_MAX 4

static struct {
	int reg[REGS];
	int direct[REGS];
	int dsync[REGS];
	int log[LOGS];
	u32 last[LOGS]; /* where one's own newest entry went */
	u64 *block;
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
	if (!excused(me, errno))
		broken(me, "%s: %s", what, strerror(errno));
	return LIN_UNKNOWN;
}

/* A refusal for what two names were, each at a moment of its own. */
static void ret_two(struct me *me, struct rec *r, const char *what, int ret)
{
	if (ret && (errno == EISDIR || errno == ENOTDIR)) {
		r->dropped = true;
		rec_ret(me, r, 0);
		return;
	}
	rec_ret(me, r, outcome(me, what, ret));
}

static int open_at(struct me *me, const char *kind, u32 i, int flags)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s%u", me->mnt, kind, i);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0 && !excused(me, errno))
		broken(me, "%s%u: open: %s", kind, i, strerror(errno));
	return fd;
}

static void open_all(struct me *me)
{
	u32 i;

	umask(0);
	if (posix_memalign((void **)&u.block, BLOCK, BLOCKS_MAX * BLOCK))
		abort();
	for (i = 0; i < REGS; i++) {
		u.reg[i] = open_at(me, "reg", i, O_RDWR);
		u.direct[i] = open_at(me, "reg", i, O_RDWR | O_DIRECT);
		u.dsync[i] = open_at(me, "reg", i, O_RDWR | O_DSYNC);
	}
	for (i = 0; i < LOGS; i++)
		u.log[i] = open_at(me, "log", i, O_RDWR | O_APPEND);
}

static void write_reg(struct me *me)
{
	u32 blocks = me->h->blocks ? 1 : 1 + me_rnd(me, BLOCKS_MAX);
	u32 i = me_rnd(me, REGS), len = blocks * BLOCK, k, how = me_rnd(me, 6);
	struct rec *r = rec_call(me, HIST_REG,
				 how ? LIN_REG_WRITE : LIN_REG_PUT, i);
	ssize_t put;

	if (!r)
		return;
	r->arg[0] = fresh(me);
	r->arg[1] = len;
	for (k = 0; k < len / sizeof(u64); k++)
		u.block[k] = r->arg[0];
	switch (how) {
	case 0:
		put = pwrite(u.dsync[i], u.block, len, 0);
		break;
	case 1:
		put = pwrite(u.direct[i], u.block, len, 0);
		break;
	case 2:
		lseek(u.reg[i], 0, SEEK_SET);
		put = write(u.reg[i], u.block, len);
		break;
	default:
		put = pwrite(u.reg[i], u.block, len, 0);
	}
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

/* It failed: it says nothing. It worked: for all that was there. */
static void ret_sync(struct me *me, struct rec *r, int ret)
{
	s32 err = outcome(me, "fsync", ret);

	r->dropped = err;
	rec_ret(me, r, 0);
}

static void sync_reg(struct me *me)
{
	u32 i = me_rnd(me, REGS);
	struct rec *r = rec_call(me, HIST_REG, LIN_REG_SYNC, i);

	if (r)
		ret_sync(me, r,
			 me_rnd(me, 2) ? fsync(u.reg[i]) : fdatasync(u.reg[i]));
}

static void sync_log(struct me *me)
{
	u32 i = me_rnd(me, LOGS);
	struct rec *r = rec_call(me, HIST_LOG, LIN_LOG_SYNC, i);

	if (r)
		ret_sync(me, r, fdatasync(u.log[i]));
}

static void sync_dir(struct me *me)
{
	u32 d = me_rnd(me, DIRS);
	int fd = open_at(me, "d", d, O_RDONLY | O_DIRECTORY);
	struct rec *r;

	if (fd < 0)
		return;
	r = rec_call(me, HIST_TREE, LIN_TREE_SYNC, 0);
	if (r) {
		r->arg[0] = d;
		ret_sync(me, r, fsync(fd));
	}
	close(fd);
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

/* A name, and a change that is about it. */
static struct rec *name_call(struct me *me, u16 kind, char *path, size_t size)
{
	u32 d = me_rnd(me, DIRS), n = me_rnd(me, NAMES);
	struct rec *r = rec_call(me, HIST_TREE, kind, 0);

	if (!r)
		return NULL;
	r->arg[0] = d;
	r->arg[1] = n;
	snprintf(path, size, "%s/d%u/n%u", me->mnt, d, n);
	return r;
}

static void make_name(struct me *me)
{
	char path[4200];
	struct rec *r = name_call(me, LIN_TREE_CREATE, path, sizeof(path));
	struct statx st;
	s32 err;
	int fd;

	if (!r)
		return;
	r->arg[2] = 1; /* refused: any will do */
	r->tag = hist_tag(me->h);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, r->tag);
	err = outcome(me, "create", fd);
	if (err != -EEXIST)
		r->arg[2] = 0; /* to be found out */
	/* As it is known here: somebody else may have unlinked it since. */
	if (fd >= 0 && !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
			      STATX_INO, &st))
		r->arg[2] = hist_id(st.stx_ino, false);
	rec_ret(me, r, err);
	if (fd >= 0)
		close(fd);
}

/* Nothing says what it made, but that which is there has its mode. */
static void make_dir(struct me *me)
{
	char path[4200];
	struct rec *r = name_call(me, LIN_TREE_MKDIR, path, sizeof(path));
	struct stat st;
	s32 err;

	if (!r)
		return;
	r->tag = hist_tag(me->h);
	err = outcome(me, "mkdir", mkdir(path, r->tag));
	r->arg[2] = err == -EEXIST ? LIN_TREE_ISDIR | 1 : 0;
	rec_ret(me, r, err);
	if (!err && !stat(path, &st) && S_ISDIR(st.st_mode) &&
	    (st.st_mode & TAG_MASK) == r->tag)
		r->arg[2] = hist_id(st.st_ino, true);
}

static void take_name(struct me *me)
{
	char path[4200];
	struct rec *r = name_call(me, LIN_TREE_UNLINK, path, sizeof(path));
	int ret;

	if (!r)
		return;
	ret = unlink(path);
	rec_ret(me, r,
		ret && errno == EISDIR ? -EISDIR : outcome(me, "unlink", ret));
}

static void take_dir(struct me *me)
{
	char path[4200];
	struct rec *r = name_call(me, LIN_TREE_RMDIR, path, sizeof(path));
	int ret;

	if (!r)
		return;
	ret = rmdir(path);
	rec_ret(me, r,
		ret && errno == ENOTDIR ? -ENOTDIR : outcome(me, "rmdir", ret));
}

/* A file that was found by one name gets another. */
static void link_name(struct me *me)
{
	u32 d = me_rnd(me, DIRS), n = me_rnd(me, NAMES);
	char path[4200];
	struct stat st;
	struct rec *r;
	int fd, ret;

	snprintf(path, sizeof(path), "%s/d%u/n%u", me->mnt, d, n);
	fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	if (fstat(fd, &st) || S_ISDIR(st.st_mode))
		goto out;
	r = name_call(me, LIN_TREE_LINK, path, sizeof(path));
	if (!r)
		goto out;
	r->arg[2] = hist_id(st.st_ino, false);
	r->tag = st.st_mode & TAG_MASK;
	ret = linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH);
	/* It has no name any more, which is no moment of this one. */
	r->dropped = ret && errno == ENOENT;
	rec_ret(me, r, r->dropped ? 0 : outcome(me, "link", ret));
out:
	close(fd);
}

static void rename_name(struct me *me)
{
	u32 d = me_rnd(me, DIRS), n = me_rnd(me, NAMES);
	char from[4200], to[4200];
	struct rec *r = name_call(me, LIN_TREE_RENAME, from, sizeof(from));

	if (!r)
		return;
	r->arg[2] = d;
	r->arg[3] = n;
	snprintf(to, sizeof(to), "%s/d%u/n%u", me->mnt, d, n);
	ret_two(me, r, "rename", rename(from, to));
}

static const struct {
	u32 weight;
	void (*run)(struct me *me);
} ways[] = {
	{ 12, write_reg },
	{ 2, cut_reg },
	{ 3, sync_reg },
	{ 8, append },
	{ 1, sync_log },
	{ 4, make_name },
	{ 1, make_dir },
	{ 2, take_name },
	{ 1, take_dir },
	{ 1, link_name },
	{ 4, rename_name },
	{ 1, sync_dir },
	{ 12, lock_step },
};

void user(struct me *me)
{
	u32 all = 0, how, i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		all += ways[i].weight;
	open_all(me);
	while (!__atomic_load_n(&me->h->stop, __ATOMIC_ACQUIRE) &&
	       me->p->n < RECS - RECS_LAST) {
		how = me_rnd(me, all);
		for (i = 0; how >= ways[i].weight; i++)
			how -= ways[i].weight;
		if (me->sys || ways[i].run != lock_step)
			ways[i].run(me);
		usleep(me_rnd(me, 12) * 1000);
	}
	lock_end(me);
}
