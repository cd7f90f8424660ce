// SPDX-License-Identifier: GPL-2.0
/*
 * What a loss of power left on the origin's disk, read there before the origin
 * starts again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hist.h"
#include "lin.h"

static struct rec *begin(struct me *me, const struct loss *l,
			 enum hist_model m, u16 kind, u8 obj)
{
	struct rec *r = rec_call(me, m, kind, obj);

	if (r) {
		r->call = l->call;
		r->ret = l->ret;
	}
	return r;
}

static ssize_t read_file(struct me *me, const char *dir, const char *kind,
			 u32 i, void *buf, size_t size)
{
	char path[4200];
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s%u", dir, kind, i);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, buf, size);
		close(fd);
	}
	if (got < 0)
		broken(me, "%s%u on the disk: %s", kind, i, strerror(errno));
	return got;
}

static void lose_regs(struct me *me, const char *dir, const struct loss *l)
{
	u64 buf[2 * BLOCK / sizeof(u64)];
	struct rec *r;
	ssize_t got;
	u32 i, k;

	for (i = 0; i < REGS; i++) {
		got = read_file(me, dir, "reg", i, buf, sizeof(buf));
		r = begin(me, l, HIST_REG, LIN_REG_LOSE, i);
		if (!r || got < 0)
			continue;
		r->arg[0] = got ? buf[0] : 0;
		r->arg[1] = got;
		for (k = 1; k < got / sizeof(u64); k++)
			if (buf[k] != buf[0]) {
				broken(me, "reg%u on the disk: two states", i);
				break;
			}
	}
}

static void lose_logs(struct me *me, const char *dir, const struct loss *l)
{
	struct rec *r;
	ssize_t got;
	u32 i;

	for (i = 0; i < LOGS; i++) {
		r = begin(me, l, HIST_LOG, LIN_LOG_LOSE, i);
		if (!r)
			continue;
		got = read_file(me, dir, "log", i, r->list, sizeof(r->list));
		r->nlist = got < 0 ? 0 : got / sizeof(u32);
	}
}

static void lose_names(struct me *me, const char *dir, const struct loss *l)
{
	struct rec *r = begin(me, l, HIST_TREE, LIN_TREE_LOSE, 0), *see;
	char path[4200];
	struct stat st;
	u32 d, n;

	if (!r)
		return;
	r->nlist = DIRS * NAMES;
	for (d = 0; d < DIRS; d++)
		for (n = 0; n < NAMES; n++) {
			snprintf(path, sizeof(path), "%s/d%u/n%u", dir, d, n);
			if (stat(path, &st))
				continue;
			r->list[d * NAMES + n] =
				hist_id(st.st_ino, S_ISDIR(st.st_mode));
			/* Only to tell by its mode who made it. */
			see = begin(me, l, HIST_TREE, LIN_TREE_LOOKUP, 0);
			if (!see)
				continue;
			see->res = r->list[d * NAMES + n];
			see->tag = st.st_mode & TAG_MASK;
			see->dropped = true;
		}
}

void rec_losses(struct me *me, const char *dir, struct loss *loss)
{
	lose_regs(me, dir, loss);
	lose_logs(me, dir, loss);
	lose_names(me, dir, loss);
}
