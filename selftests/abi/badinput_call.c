// SPDX-License-Identifier: GPL-2.0
/*
 * A helper that mounts, and answers what it is asked by what is refused first:
 * each call has to stay alive through it, and to take the right answer then.
 * In a second act it answers by garbage that is well-formed, in a third its
 * sessions come and go as they like; whatever the applications see of that,
 * they go on, and so does the kernel.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "badinput.h"

#define PAGE 4096ul
#define BUF_LEN (256 * PAGE)
#define FILE_LEN 10000u
#define SID 7u
#define GARBAGE 3000
#define STORM 2000
#define SILENCE_MS 60000
#define GUST 20 /* messages between two looks at the calls */

/**
 * struct play - the helper, and what it has to answer
 * @origin:  the kernel's number of it
 * @garbage: answers that are to be nonsense
 * @storm:   messages about the session that are to be said
 * @taken:   of those
 * @sane:    refused input was refused each time
 */
struct play {
	struct sock s;
	int dev;
	u32 buf;
	u8 *mem;
	const char *dir;
	u64 number;
	u32 origin;
	int garbage;
	int storm;
	int taken;
	bool sane;
};

/** struct asked - a call, as a word tells of it */
struct asked {
	u64 id;
	u32 call;
	u32 len;
	u64 off;
	char fh; /* 'd' the root, 'f' the file */
};

struct words {
	u32 origin;
	u32 ncalls;
	struct asked calls[64];
};

static u8 pattern(u64 off)
{
	return (u8)(off * 7 + off / 251);
}

static void see_word(struct words *w, struct nlattr **a)
{
	struct asked *c = &w->calls[w->ncalls];
	u32 kind = a[GNS_A_WORD_KIND] ? nla_get_u32(a[GNS_A_WORD_KIND]) : 0;

	if (kind == GNS_WORD_ORIGIN && a[GNS_A_ORIGIN])
		w->origin = nla_get_u32(a[GNS_A_ORIGIN]);
	if (kind != GNS_WORD_CALL || w->ncalls == ARRAY_SIZE(w->calls))
		return;
	w->ncalls++;
	*c = (struct asked){
		.id = a[GNS_A_ID] ? nla_get_u64(a[GNS_A_ID]) : 0,
		.call = a[GNS_A_CALL] ? nla_get_u32(a[GNS_A_CALL]) : 0,
		.len = a[GNS_A_LEN] ? nla_get_u32(a[GNS_A_LEN]) : 0,
		.off = a[GNS_A_OFF] ? nla_get_u64(a[GNS_A_OFF]) : 0,
		.fh = a[GNS_A_FH] ? *(char *)nla_data(a[GNS_A_FH]) : 'd',
	};
}

static void see_words(void *arg, struct nlattr *first, int len)
{
	struct nlattr *w, *a[GNS_A_MAX + 1];
	int left;

	nla_for_each_attr(w, first, len, left) {
		if (nla_type(w) == GNS_A_WORD &&
		    !nla_parse(a, GNS_A_MAX, nla_data(w), nla_len(w), NULL))
			see_word(arg, a);
	}
}

static struct gns_uattr attr_of(char fh)
{
	struct gns_uattr a = {
		.ino = (u8)fh,
		.nlink = 1,
		.blksize = PAGE,
		.mode = fh == 'd' ? S_IFDIR | 0755 : S_IFREG | 0644,
		.size = fh == 'd' ? 0 : FILE_LEN,
	};

	return a;
}

/* An answer that has to be this one. */
static void expect(struct play *p, const char *what, int err, int wanted)
{
	if (err == wanted)
		return;
	note("%s: %d, not %d", what, err, wanted);
	p->sane = false;
}

static void up(struct play *p, u32 origin)
{
	struct msg m = { .len = 0 };
	u64 stamp = 0;

	put_u32(&m, GNS_A_ORIGIN, origin);
	expect(p, "SECRET", ask(&p->s, GNS_CMD_SECRET, 0, &m, NULL, NULL), 0);
	ioctl(p->dev, GNS_IOC_STAMP, &stamp);
	put_u64(&m, GNS_A_SID, SID);
	put_u64(&m, GNS_A_STAMP, stamp + 3600 * NSEC_PER_SEC);
	put_u64(&m, GNS_A_TTL, 300 * NSEC_PER_SEC);
	expect(p, "UP with a stamp from the future",
	       ask(&p->s, GNS_CMD_UP, 0, &m, NULL, NULL), -EINVAL);
	m.len = 0;
	put_u32(&m, GNS_A_ORIGIN, origin);
	put_u64(&m, GNS_A_SID, SID);
	put_u64(&m, GNS_A_STAMP, stamp);
	put_u64(&m, GNS_A_TTL, 300 * NSEC_PER_SEC);
	put_u32(&m, GNS_A_SLOTS, 2);
	expect(p, "UP", ask(&p->s, GNS_CMD_UP, 0, &m, NULL, NULL), 0);
}

static int reply(struct play *p, const struct asked *c, u32 status, char fh)
{
	struct gns_uattr a = attr_of(fh);
	struct msg m = { .len = 0 };

	put_u64(&m, GNS_A_ID, c->id);
	put_u64(&m, GNS_A_SID, SID);
	put_u32(&m, GNS_A_STATUS, status);
	if (!status) {
		put(&m, GNS_A_FH, &fh, 1);
		put(&m, GNS_A_ATTR, &a, sizeof(a));
		put_u64(&m, GNS_A_VERSION, 100);
		put_u64(&m, GNS_A_NUMBER, ++p->number);
		put_u64(&m, GNS_A_DIR_VERSION, 100);
		put_u64(&m, GNS_A_DIR_NUMBER, ++p->number);
	}
	return ask(&p->s, GNS_CMD_REPLY, 0, &m, NULL, NULL);
}

static int fill(struct play *p, const struct asked *c)
{
	struct gns_ufill f = {
		.id = c->id,
		.sid = SID,
		.version = 100,
		.attr = attr_of(c->fh),
		.buf = p->buf,
		.offset = 3 * PAGE + 5, /* it may be anywhere */
	};
	u32 i;

	if (c->off < FILE_LEN)
		f.len = (u32)min_u64(c->len, FILE_LEN - c->off);
	if (c->off + f.len >= FILE_LEN)
		f.flags = GNS_UF_EOF;
	for (i = 0; i < f.len; i++)
		p->mem[f.offset + i] = pattern(c->off + i);
	return ioctl(p->dev, GNS_IOC_FILL, &f) < 0 ? -errno : 0;
}

static void refused(struct play *p, const struct asked *c, const char *what,
		    struct gns_ufill *f)
{
	f->id = c->id;
	f->sid = SID;
	f->version = 100;
	f->attr = attr_of(c->fh);
	if (ioctl(p->dev, GNS_IOC_FILL, f) < 0)
		return;
	note("call of type %u, FILL with %s was taken", c->call, what);
	p->sane = false;
}

/* What must not end the call: places that are not there, and bad lengths. */
static void annoy(struct play *p, const struct asked *c)
{
	u64 end = BUF_LEN;
	struct msg m = { .len = 0 };

	refused(p, c, "no such buffer",
		&(struct gns_ufill){ .buf = p->buf + 1, .len = 1 });
	refused(p, c, "a buffer far off",
		&(struct gns_ufill){ .buf = ~0u, .len = 1 });
	refused(p, c, "a byte behind the buffer",
		&(struct gns_ufill){ .buf = p->buf, .len = 1, .offset = end });
	refused(p, c, "an end behind the buffer",
		&(struct gns_ufill){ .buf = p->buf, .len = 2, .offset = end - 1 });
	refused(p, c, "an offset that overflows",
		&(struct gns_ufill){ .buf = p->buf, .len = 2, .offset = ~0ull });
	refused(p, c, "flags that are none",
		&(struct gns_ufill){ .buf = p->buf, .flags = ~GNS_UF_ALL });
	/* In a storm the call may have ended, and then nobody looks. */
	if (!p->taken)
		refused(p, c, "more than was asked for",
			&(struct gns_ufill){ .buf = p->buf, .len = c->len + 1 });

	put_u64(&m, GNS_A_ID, c->id);
	put_u64(&m, GNS_A_SID, SID);
	put_random(&m, GNS_A_ATTR, sizeof(struct gns_uattr) - 1);
	if (!ask(&p->s, GNS_CMD_REPLY, 0, &m, NULL, NULL)) {
		note("REPLY with a short ATTR was taken");
		p->sane = false;
	}
	p->sane &= bad_changed(&p->s, c->id);
}

/* A listing whose entries are of any length and content. */
static u32 garbage_dir(u8 *to, u32 room)
{
	struct gns_udirent d;
	u32 at = 0;

	while (at + sizeof(d) + 300 < room && rnd() % 20) {
		rnd_bytes(&d, sizeof(d));
		d.namelen = (u16)(rnd() % 8 ? rnd() % 40 : rnd());
		d.reclen = (u16)((sizeof(d) + d.namelen + 7) & ~7u);
		if (rnd() % 16 == 0)
			d.reclen = (u16)rnd();
		if (rnd() % 4) {
			d.fh.len = (u8)(1 + rnd() % GNS_UFH_MAX);
			d.flags &= GNS_UD_ATTR;
			memset(d.reserved, 0, sizeof(d.reserved));
			d.attr = attr_of(rnd() % 2 ? 'd' : 'f');
		}
		memcpy(to + at, &d, sizeof(d));
		rnd_bytes(to + at + sizeof(d), 300);
		at += d.reclen && d.reclen < 600 ? d.reclen : sizeof(d);
	}
	return at;
}

static void garbage_attr(struct gns_uattr *a)
{
	*a = attr_of(rnd() % 2 ? 'd' : 'f');
	switch (rnd() % 4) {
	case 0:
		rnd_bytes(a, sizeof(*a));
		break;
	case 1:
		a->size = rnd() % 2 ? ~0ull : 1ull << 63;
		break;
	case 2:
		a->mode = rnd();
		break;
	}
}

static void garbage_fill(struct play *p, const struct asked *c)
{
	struct gns_ufill f = {
		.id = c->id,
		.sid = rnd() % 8 ? SID : rnd(),
		.version = rnd() % 3,
		.number = rnd() % 2 ? ++p->number : 0,
		.flags = rnd() & GNS_UF_ALL,
		.buf = p->buf,
		.offset = rnd() % PAGE,
	};
	u32 room = (u32)min_u64(c->len, BUF_LEN - PAGE);

	garbage_attr(&f.attr);
	f.len = room ? rnd() % (room + 1) : 0;
	if (c->call == GNS_CALL_READDIR)
		f.len = garbage_dir(p->mem + f.offset, room);
	else
		rnd_bytes(p->mem + f.offset, min_u64(f.len, 512));
	if (rnd() % 8 == 0) {
		f.status = rnd() % 2 ? rnd() % 1100 : rnd();
		/* An error has no bytes. */
		if (f.status && rnd() % 4) {
			f.buf = 0;
			f.len = 0;
			f.offset = 0;
		}
	}
	if (ioctl(p->dev, GNS_IOC_FILL, &f) < 0)
		reply(p, c, EIO, 0);
}

static void garbage_reply(struct play *p, const struct asked *c)
{
	struct gns_uattr a;
	struct msg m = { .len = 0 };
	char fh = "dfx"[rnd() % 3];

	put_u64(&m, GNS_A_ID, c->id);
	put_u64(&m, GNS_A_SID, rnd() % 8 ? SID : rnd());
	garbage_attr(&a);
	if (rnd() % 8)
		put(&m, GNS_A_ATTR, &a, sizeof(a));
	if (rnd() % 8 == 0)
		put_random(&m, GNS_A_FH, 1 + rnd() % GNS_UFH_MAX);
	else
		put(&m, GNS_A_FH, &fh, rnd() % 8 ? 1 : 0);
	put_u64(&m, GNS_A_VERSION, rnd() % 3);
	put_u64(&m, GNS_A_NUMBER, rnd() % 2 ? ++p->number : rnd());
	if (rnd() % 2)
		put_random(&m, GNS_A_DIR_VERSION, 8);
	if (rnd() % 4 == 0)
		put_u32(&m, GNS_A_STATUS, rnd() % 2 ? rnd() % 1100 : rnd());
	put_u32(&m, GNS_A_FLAGS, rnd() & GNS_UF_ALL);
	put_random(&m, GNS_A_OFF, 8);
	if (rnd() % 4)
		garbage_changed(&m);
	if (rnd() % 2)
		put_random(&m, GNS_A_STATFS, sizeof(struct gns_ustatfs));
	if (ask(&p->s, GNS_CMD_REPLY, 0, &m, NULL, NULL))
		reply(p, c, EIO, 0);
}

static void answer(struct play *p, const struct asked *c)
{
	int err;

	if (p->garbage > 0) {
		p->garbage--;
		if (rnd() % 2)
			garbage_fill(p, c);
		else
			garbage_reply(p, c);
		return;
	}
	annoy(p, c);
	switch (c->call) {
	case GNS_CALL_MOUNT:
		err = reply(p, c, 0, 'd');
		break;
	case GNS_CALL_LOOKUP:
		err = reply(p, c, 0, 'f');
		break;
	case GNS_CALL_GETATTR:
		err = reply(p, c, 0, c->fh);
		break;
	case GNS_CALL_READ:
		err = fill(p, c);
		break;
	default:
		err = reply(p, c, EOPNOTSUPP, 0);
	}
	if (err) {
		note("the right one for call type %u: %d", c->call, err);
		p->sane = false;
	}
}

static void blow(struct play *p)
{
	struct storm s = { p->origin, SID, p->number };
	int i;

	if (p->storm <= 0)
		return;
	for (i = 0; i < GUST; i++)
		p->sane &= storm(&p->s, p->dev, &s, &p->taken);
	p->storm -= GUST;
	/* The session may be any other one, or none. */
	if (p->storm <= 0)
		up(p, p->origin);
}

/*
 * Serves until the application has ended; false: it had to be ended, for it
 * asked nothing any more.
 */
static bool serve(struct play *p, pid_t app, int *status)
{
	u64 until = now_ms() + SILENCE_MS;
	struct words w;
	u32 i;

	do {
		w = (struct words){ .origin = 0 };
		expect(p, "PULL",
		       ask(&p->s, GNS_CMD_PULL, 0, NULL, see_words, &w), 0);
		if (w.origin) {
			p->origin = w.origin;
			up(p, w.origin);
		}
		blow(p);
		for (i = 0; i < w.ncalls; i++)
			answer(p, &w.calls[i]);
		if (waitpid(app, status, WNOHANG) == app)
			return true;
		if (w.ncalls)
			until = now_ms() + SILENCE_MS;
		else
			usleep(2000);
	} while (now_ms() < until);
	kill(app, SIGKILL);
	waitpid(app, status, 0);
	return false;
}

/* The applications; each in a process that is not the helper. */
static int app_again(const char *dir)
{
	char path[256];
	u8 b[FILE_LEN + 1];
	ssize_t n, i;
	int fd;

	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 11;
	n = pread(fd, b, sizeof(b), 0);
	if (n != FILE_LEN)
		return 12;
	for (i = 0; i < n; i++) {
		if (b[i] != pattern((u64)i))
			return 13;
	}
	return 0;
}

static int app_read(const char *dir)
{
	if (mount("origin.example:/x", dir, "gns", MS_NODEV | MS_NOSUID, ""))
		return 10;
	return app_again(dir);
}

static void look_at(const char *path)
{
	struct dirent *e;
	struct statfs fs;
	struct stat st;
	char b[5000];
	DIR *d;
	int fd, i;

	stat(path, &st);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		pread(fd, b, sizeof(b), rnd() % 20000);
		lseek(fd, rnd() % 20000, SEEK_HOLE);
		close(fd);
	}
	if (readlink(path, b, sizeof(b)) < 0)
		getxattr(path, "user.x", b, sizeof(b));
	statfs(path, &fs);
	d = opendir(path);
	if (!d)
		return;
	for (i = 0; i < 200 && (e = readdir(d)); i++)
		;
	closedir(d);
}

static int app_look(const char *dir)
{
	char path[256];
	int i;

	for (i = 0; i < 150; i++) {
		snprintf(path, sizeof(path), "%s/%c", dir, 'a' + i % 13);
		look_at(i % 3 ? path : dir);
		change_at(path);
	}
	return 0;
}

static int app_unmount(const char *dir)
{
	return umount2(dir, MNT_DETACH) ? 20 : 0;
}

/* Plays an application through; true: it ended by itself, and well. */
static bool perform(struct play *p, int (*app)(const char *dir))
{
	u64 begin = now_ms();
	int status = -1;
	bool ended;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(p->dev);
		close(p->s.fd);
		_exit(app(p->dir));
	}
	ended = serve(p, pid, &status);
	if (!ended || status)
		note("the application: %s, status %#x after %llu ms",
		     ended ? "ended" : "killed", status,
		     (unsigned long long)(now_ms() - begin));
	return ended && !status;
}

static bool set_up(struct play *p)
{
	struct gns_ubuf b = { .len = BUF_LEN };

	*p = (struct play){ .dir = "mnt", .sane = true };
	p->mem = mmap(NULL, BUF_LEN, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	b.addr = (u64)(uintptr_t)p->mem;
	p->dev = device();
	if (p->dev < 0 || ioctl(p->dev, GNS_IOC_REGISTER, &b) ||
	    !sock_open(&p->s) || bind_to(&p->s, p->dev))
		return false;
	p->buf = b.index;
	return !mkdir(p->dir, 0755) || errno == EEXIST;
}

void cases_call(void)
{
	struct play p;

	if (!ok(set_up(&p), "a helper that answers"))
		return;
	ok(perform(&p, app_read),
	   "a file is read through answers that are refused");
	ok(p.sane, "each of them was refused, and ended nothing");

	p.garbage = GARBAGE;
	ok(perform(&p, app_look), "garbage ends no application and hangs none");
	printf("# %d answers of garbage\n", GARBAGE - p.garbage);
	p.garbage = 0;

	p.sane = true;
	p.storm = STORM;
	ok(perform(&p, app_look) && p.sane,
	   "sessions that come and go hang no application");
	printf("# %d messages in the storm, %d of them taken\n", STORM, p.taken);
	p.storm = 0;
	up(&p, p.origin);
	ok(perform(&p, app_again) && p.sane, "and the file is read again");
	ok(perform(&p, app_unmount), "unmounted");
	sock_close(&p.s);
	close(p.dev);
}
