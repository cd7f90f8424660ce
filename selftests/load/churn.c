// SPDX-License-Identifier: GPL-2.0
/*
 * Random traffic on a mount: every way to read, by many threads, compared with
 * another copy of the tree. Errors may be allowed; wrong bytes, a file that
 * ends early and a name that is said to be absent never are.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "load.h"

#define PIECE (64u << 10)
#define PAGE 4096u

struct run {
	const struct churn *c;
	struct tree *t;
	int top;
	int ref; /* -1: none */
	double until;
	u64 ops;
	u64 errors;
	u64 wrong;
};

struct worker {
	struct run *r;
	u64 rnd;
	u64 ops;
	u64 errors;
	u64 wrong;
	char *buf; /* PIECE, of the mount */
	char *cmp; /* PIECE, of the other copy */
};

static __thread sigjmp_buf bus;
static volatile sig_atomic_t ended;

static void on_term(int sig)
{
	(void)sig;
	ended = 1;
}

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(bus, 1);
}

static u64 rnd(struct worker *w)
{
	w->rnd ^= w->rnd << 13;
	w->rnd ^= w->rnd >> 7;
	w->rnd ^= w->rnd << 17;
	return w->rnd;
}

static void bad(struct worker *w, const struct node *n, const char *what)
{
	w->wrong++;
	grumble(n->path, what);
}

/* An error is no answer: is this one that looks like an answer? */
static void failed(struct worker *w, const struct node *n, int err)
{
	w->errors++;
	if (err == ENOENT || err == ENOTDIR)
		bad(w, n, "is there, and was said not to be");
	else if (!w->r->c->errors)
		grumble(n->path, strerror(err));
}

static void compare(struct worker *w, const struct node *n, u64 off, size_t len,
		    const char *how)
{
	ssize_t got;
	int fd;

	if (w->r->ref < 0)
		return;
	fd = openat(w->r->ref, n->path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : pread(fd, w->cmp, len, off);
	/* The other copy may be out of memory, too. */
	if (got < 0)
		w->errors++;
	else if (got != (ssize_t)len || memcmp(w->cmp, w->buf, len))
		bad(w, n, how);
	if (fd >= 0)
		close(fd);
}

static void do_read(struct worker *w, const struct node *n, int fd, bool direct)
{
	u64 off = n->size ? rnd(w) % n->size : 0;
	size_t len = rnd(w) % PIECE + 1;
	size_t want;
	ssize_t got;

	if (direct) {
		off &= ~(u64)(PAGE - 1);
		len = (len + PAGE - 1) & ~(size_t)(PAGE - 1);
	}
	want = off + len > n->size ? n->size - off : len;
	got = pread(fd, w->buf, len, off);
	if (got < 0)
		return failed(w, n, errno);
	if ((size_t)got != want)
		return bad(w, n, "a short read");
	compare(w, n, off, got, direct ? "other bytes by O_DIRECT" : "other bytes by read");
}

/* A mapping may answer with SIGBUS. */
static bool map_copy(const char *p, char *buf, size_t len)
{
	if (sigsetjmp(bus, 1))
		return false;
	memcpy(buf, p, len);
	return true;
}

static void do_map(struct worker *w, const struct node *n, int fd)
{
	size_t len;
	bool good;
	char *p;
	u64 off;

	if (!n->size)
		return;
	off = (rnd(w) % n->size) & ~(u64)(PAGE - 1);
	len = n->size - off < PAGE ? n->size - off : PAGE;
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, off);
	if (p == MAP_FAILED)
		return failed(w, n, errno);
	good = map_copy(p, w->buf, len);
	munmap(p, PAGE);
	if (good)
		compare(w, n, off, len, "other bytes by mmap");
	else
		failed(w, n, EIO);
}

static void do_splice(struct worker *w, const struct node *n, int fd)
{
	ssize_t got = -1, more;
	int p[2];

	if (!n->size || pipe2(p, O_CLOEXEC))
		return;
	got = splice(fd, NULL, p[1], NULL, PAGE * 4, 0);
	if (got < 0) {
		failed(w, n, errno);
	} else if (!got) {
		bad(w, n, "spliced to its end at once");
	} else {
		more = read(p[0], w->buf, got);
		if (more == got)
			compare(w, n, 0, got, "other bytes by splice");
	}
	close(p[0]);
	close(p[1]);
}

static void do_file(struct worker *w, const struct node *n)
{
	u32 how = rnd(w) % 16;
	int fd = openat(w->r->top, n->path,
			O_RDONLY | O_CLOEXEC | (how < 2 ? O_DIRECT : 0));

	if (fd < 0)
		return failed(w, n, errno);
	if (how < 8)
		do_read(w, n, fd, how < 2);
	else if (how < 12)
		do_map(w, n, fd);
	else if (how < 14)
		do_splice(w, n, fd);
	else if (lseek(fd, 0, how == 14 ? SEEK_DATA : SEEK_HOLE) < 0 && n->size)
		failed(w, n, errno);
	close(fd);
}

static long entries(int top, const char *path)
{
	int fd = openat(top, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	long n = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((errno = 0, readdir(d)))
		n++;
	if (errno)
		n = -1;
	closedir(d);
	return n;
}

static void do_dir(struct worker *w, const struct node *n)
{
	char name[4200];
	struct stat st;
	long here, there;

	if (rnd(w) % 4) {
		snprintf(name, sizeof(name), "%s%sno-%llu", n->path,
			 *n->path ? "/" : "", (unsigned long long)rnd(w) % 100);
		if (!fstatat(w->r->top, name, &st, 0))
			return bad(w, n, "has a name that never was");
		if (errno != ENOENT)
			failed(w, n, errno);
		return;
	}
	here = entries(w->r->top, n->path);
	if (here < 0)
		return failed(w, n, errno);
	there = w->r->ref < 0 ? here : entries(w->r->ref, n->path);
	if (there < 0)
		w->errors++;
	else if (here != there)
		bad(w, n, "lists other entries");
}

static void do_stat(struct worker *w, const struct node *n)
{
	struct stat st;

	if (fstatat(w->r->top, *n->path ? n->path : ".", &st, AT_SYMLINK_NOFOLLOW))
		failed(w, n, errno);
	else if (st.st_mode != n->mode ||
		 (S_ISREG(n->mode) && (u64)st.st_size != n->size))
		bad(w, n, "other attributes");
}

static void *worker(void *arg)
{
	struct worker *w = arg;
	struct run *r = w->r;
	const struct node *n;

	while (!ended && seconds() < r->until) {
		n = &r->t->v[rnd(w) % r->t->n];
		w->ops++;
		if (rnd(w) % 4 == 0)
			do_stat(w, n);
		else if (S_ISREG(n->mode))
			do_file(w, n);
		else if (S_ISDIR(n->mode))
			do_dir(w, n);
	}
	__atomic_fetch_add(&r->ops, w->ops, __ATOMIC_RELAXED);
	__atomic_fetch_add(&r->errors, w->errors, __ATOMIC_RELAXED);
	__atomic_fetch_add(&r->wrong, w->wrong, __ATOMIC_RELAXED);
	return NULL;
}

static void workers_run(struct run *r, u32 threads, u32 seed)
{
	struct worker *w = calloc(threads, sizeof(*w));
	pthread_t *t = calloc(threads, sizeof(*t));
	u32 i;

	for (i = 0; w && t && i < threads; i++) {
		w[i].r = r;
		w[i].rnd = (seed * 0x9e3779b97f4a7c15ull) ^ (i + 1);
		/* Aligned, for O_DIRECT. */
		if (posix_memalign((void **)&w[i].buf, PAGE, PIECE + PAGE) ||
		    posix_memalign((void **)&w[i].cmp, PAGE, PIECE + PAGE) ||
		    pthread_create(&t[i], NULL, worker, &w[i]))
			die("no thread");
	}
	/* The mount is in use, and all that is needed for it is there. */
	fprintf(stderr, "reading\n");
	while (i--)
		pthread_join(t[i], NULL);
	free(w);
	free(t);
}

int cmd_churn(const struct churn *c)
{
	struct sigaction sa = { .sa_handler = on_bus };
	struct run r = { .c = c, .ref = -1 };
	struct tree tree;

	signal(SIGTERM, on_term);
	/* With another copy to compare with, that one says what there is. */
	tree = tree_walk(c->ref ? c->ref : c->top, 4);
	sigaction(SIGBUS, &sa, NULL);
	r.t = &tree;
	r.top = open(c->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r.top < 0)
		die("%s: %s", c->top, strerror(errno));
	if (c->ref)
		r.ref = tree.fd;
	r.until = seconds() + c->seconds;
	workers_run(&r, c->threads, c->seed);
	printf("ops=%llu errors=%llu wrong=%llu\n", (unsigned long long)r.ops,
	       (unsigned long long)r.errors, (unsigned long long)r.wrong);
	tree_free(&tree);
	return r.wrong || (r.errors && !c->errors);
}
