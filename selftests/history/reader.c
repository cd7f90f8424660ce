// SPDX-License-Identifier: GPL-2.0
/*
 * Who reads: by read(2) with a file that stays open and with a new one, by a
 * mapping, past the cache, by stat(2), by name and by listing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hist.h"
#include "lib/lab.h"
#include "lin.h"

static struct {
	int reg[REGS];
	int direct[REGS];
	int log[LOGS];
	volatile u64 *map[REGS];
	u64 *buf;
} f;

static sigjmp_buf bus;

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(bus, 1);
}

static int open_at(struct me *me, const char *kind, u32 i, int flags)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s%u", me->mnt, kind, i);
	fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	if (fd < 0 && !excused(me, errno))
		broken(me, "%s%u can not be opened: %s", kind, i,
		       strerror(errno));
	return fd;
}

/*
 * Mostly one's own: who finds it cached goes on while the helper can not be
 * reached, and that is when it could be stale.
 */
static u32 pick(struct me *me, u32 n)
{
	return me_rnd(me, 4) ? me->client % n : me_rnd(me, n);
}

/* The first block of a register, whose words are all the same. */
static void read_reg(struct me *me, bool direct)
{
	u32 i = pick(me, REGS), k;
	bool fresh = !direct && !me_rnd(me, 2);
	struct rec *r = rec_call(me, HIST_REG, LIN_REG_READ, i);
	ssize_t got;
	int fd;

	if (!r)
		return;
	fd = fresh ? open_at(me, "reg", i, 0) : direct ? f.direct[i] :
							 f.reg[i];
	got = fd < 0 ? -1 : pread(fd, f.buf, BLOCK, 0);
	if (got < 0 && excused(me, errno)) {
		r->dropped = true;
	} else if (got && got != BLOCK) {
		broken(me, "reg%u: read gives %zd: %s", i, got,
		       got < 0 ? strerror(errno) : "short");
		r->dropped = true;
	} else {
		r->res = got ? f.buf[0] : 0;
		for (k = 1; k < got / sizeof(u64); k++)
			if (f.buf[k] != f.buf[0]) {
				broken(me, "reg%u: a read of two states, %llu and %llu",
				       i, (unsigned long long)f.buf[0],
				       (unsigned long long)f.buf[k]);
				break;
			}
	}
	rec_ret(me, r, 0);
	if (fresh)
		close(fd);
}

/* A file of no bytes has no page: that is 0, too. */
static u64 map_look(struct me *me, u32 i, bool *dropped)
{
	if (sigsetjmp(bus, 1)) {
		/* Or it could not be read. */
		*dropped = excused(me, EIO);
		return 0;
	}
	return *f.map[i];
}

static void map_reg(struct me *me)
{
	u32 i = pick(me, REGS);
	struct rec *r = rec_call(me, HIST_REG, LIN_REG_READ, i);

	if (!r)
		return;
	r->res = map_look(me, i, &r->dropped);
	rec_ret(me, r, 0);
}

static void stat_reg(struct me *me)
{
	u32 i = pick(me, REGS);
	struct rec *r = rec_call(me, HIST_REG, LIN_REG_STAT, i);
	char path[4200];
	struct stat st;

	if (!r)
		return;
	snprintf(path, sizeof(path), "%s/reg%u", me->mnt, i);
	if (stat(path, &st)) {
		if (!excused(me, errno))
			broken(me, "reg%u: stat: %s", i, strerror(errno));
		r->dropped = true;
	}
	r->res = st.st_size;
	rec_ret(me, r, 0);
}

static void read_log(struct me *me)
{
	u32 i = pick(me, LOGS);
	struct rec *r = rec_call(me, HIST_LOG, LIN_LOG_READ, i);
	ssize_t got;

	if (!r)
		return;
	got = pread(f.log[i], r->list, sizeof(r->list), 0);
	if (got < 0 || got % sizeof(u32)) {
		if (got >= 0 || !excused(me, errno))
			broken(me, "log%u: read gives %zd: %s", i, got,
			       strerror(errno));
		r->dropped = true;
		got = 0;
	}
	r->nlist = got / sizeof(u32);
	rec_ret(me, r, 0);
}

static void stat_log(struct me *me)
{
	u32 i = pick(me, LOGS);
	struct rec *r = rec_call(me, HIST_LOG, LIN_LOG_STAT, i);
	struct stat st;

	if (!r)
		return;
	if (fstat(f.log[i], &st)) {
		if (!excused(me, errno))
			broken(me, "log%u: stat: %s", i, strerror(errno));
		r->dropped = true;
	}
	r->res = st.st_size / sizeof(u32);
	rec_ret(me, r, 0);
}

static void look_at(struct me *me, u32 d, u32 n)
{
	struct rec *r = rec_call(me, HIST_TREE, LIN_TREE_LOOKUP, 0);
	char path[4200];
	struct stat st;
	s32 err;

	if (!r)
		return;
	r->arg[0] = d;
	r->arg[1] = n;
	snprintf(path, sizeof(path), "%s/d%u/n%u", me->mnt, d, n);
	err = stat(path, &st) ? -errno : 0;
	if (err && err != -ENOENT) {
		/* Gone between the lookup and the question: no one moment. */
		if (err != -ESTALE && !excused(me, -err))
			broken(me, "d%u/n%u: %s", d, n, strerror(-err));
		r->dropped = true;
	}
	if (!err) {
		r->res = hist_id(st.st_ino, S_ISDIR(st.st_mode));
		r->tag = st.st_mode & TAG_MASK;
	}
	rec_ret(me, r, err);
}

static void look_up(struct me *me)
{
	u32 d = pick(me, DIRS);

	look_at(me, d, pick(me, NAMES));
}

/*
 * A listing does not show the mode, by which the checker knows what was made by
 * a call that was not answered; a look behind it does. Inode numbers come
 * again, so some are looked at that seem to be known.
 */
static void look_behind(struct me *me, u32 d, const u32 *list)
{
	static u32 known[DIRS][NAMES];
	u32 n;

	for (n = 0; n < NAMES; n++) {
		if (list[n] && (list[n] != known[d][n] || !me_rnd(me, 4)) &&
		    me->p->n < RECS - RECS_LAST)
			look_at(me, d, n);
		known[d][n] = list[n];
	}
}

static void list_dir(struct me *me)
{
	u32 d = pick(me, DIRS);
	struct rec *r = rec_call(me, HIST_TREE, LIN_TREE_READDIR, 0);
	char path[4200];
	struct dirent *e;
	DIR *dir;

	if (!r)
		return;
	r->arg[0] = d;
	r->nlist = NAMES;
	snprintf(path, sizeof(path), "%s/d%u", me->mnt, d);
	dir = opendir(path);
	if (!dir) {
		if (!excused(me, errno))
			broken(me, "d%u: %s", d, strerror(errno));
		r->dropped = true;
	}
	/* Some names are little enough for one getdents(2). */
	while (dir && (errno = 0, e = readdir(dir))) {
		if (e->d_name[0] != 'n')
			continue;
		if (e->d_name[1] < '0' || e->d_name[1] >= '0' + NAMES ||
		    r->list[e->d_name[1] - '0'])
			broken(me, "d%u: lists %s, a second time or made up", d,
			       e->d_name);
		else
			r->list[e->d_name[1] - '0'] =
				hist_id(e->d_ino, e->d_type == DT_DIR);
	}
	if (dir && errno) {
		if (!excused(me, errno))
			broken(me, "d%u: listing: %s", d, strerror(errno));
		r->dropped = true;
	}
	rec_ret(me, r, 0);
	if (dir)
		closedir(dir);
	if (!r->dropped)
		look_behind(me, d, r->list);
}

static void open_all(struct me *me)
{
	struct sigaction sa = { .sa_handler = on_bus };
	void *p;
	u32 i;

	sigaction(SIGBUS, &sa, NULL);
	if (posix_memalign((void **)&f.buf, BLOCK, BLOCK))
		abort();
	for (i = 0; i < REGS; i++) {
		f.reg[i] = open_at(me, "reg", i, 0);
		f.direct[i] = open_at(me, "reg", i, O_DIRECT);
		p = mmap(NULL, BLOCK, PROT_READ, MAP_SHARED, f.reg[i], 0);
		if (p == MAP_FAILED)
			broken(me, "reg%u: mmap: %s", i, strerror(errno));
		f.map[i] = p;
	}
	for (i = 0; i < LOGS; i++)
		f.log[i] = open_at(me, "log", i, 0);
}

void reader(struct me *me)
{
	u32 how = 0, again = 0;

	open_all(me);
	while (!__atomic_load_n(&me->h->stop, __ATOMIC_ACQUIRE) &&
	       me->p->n < RECS - RECS_LAST) {
		/* The same again and again, then something else. */
		if (!again--) {
			how = me_rnd(me, 16);
			again = me_rnd(me, 8);
		}
		if (how < 4)
			read_reg(me, false);
		else if (how < 5)
			read_reg(me, true);
		else if (how < 8)
			map_reg(me);
		else if (how < 9)
			stat_reg(me);
		else if (how < 11)
			read_log(me);
		else if (how < 12)
			stat_log(me);
		else if (how < 14)
			look_up(me);
		else
			list_dir(me);
		usleep(me_rnd(me, 8) * 1000);
	}
}
