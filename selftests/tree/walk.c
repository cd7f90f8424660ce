// SPDX-License-Identifier: GPL-2.0
/*
 * tree-walk: list, look up, stat and read a whole tree over the wire, and
 * compare every name, attribute and byte (by SHA-256) with the tree itself.
 *
 *	tree-walk HOST:PORT EXPORT PATH
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "satellite/fetch.h"

#define BUSY_MAX 256 /* requests at once */
#define READ_UNIT (1u << 20)
#define FETCH_MIN (2u << 20)

struct node {
	struct gns_fh fh;
	struct gns_attr attr;
	u64 lease;
	char *path; /* under the tree; "" for the root */
	u64 cookie; /* directories: listed up to here */
	u64 off; /* files: read up to here */
	EVP_MD_CTX *md;
	u8 *buf; /* large files: what is there of it */
	struct node *dir; /* where it was listed */
	TAILQ_ENTRY(node) link;
};

TAILQ_HEAD(nodes, node);

static struct {
	struct client *c;
	const char *base;
	struct nodes todo;
	u64 dirs, files, links, others, bytes, lookups, listings;
	u64 fetched; /* files */
	u64 wrong;
	u32 fetching;
} w;

static void wrong(const struct node *n, const char *what)
{
	if (w.wrong++ < 20)
		printf("# %s: %s\n", n->path, what);
}

static char *full_path(const char *rel, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", w.base, *rel ? "/" : "", rel);
	return buf;
}

static void node_free(struct node *n)
{
	EVP_MD_CTX_free(n->md);
	free(n->path);
	free(n);
}

static void check_attr(const struct node *n, const struct gns_attr *a)
{
	char buf[8192];
	struct stat st;

	if (lstat(full_path(n->path, buf, sizeof(buf)), &st))
		return wrong(n, "does not exist");
	if (st.st_mode != a->mode || st.st_uid != a->uid ||
	    st.st_gid != a->gid || st.st_nlink != a->nlink ||
	    st.st_ino != a->ino)
		wrong(n, "mode, owner, links or inode number differ");
	if (!S_ISDIR(st.st_mode) && (u64)st.st_size != a->size)
		wrong(n, "size differs");
	if ((s64)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec != a->mtime)
		wrong(n, "mtime differs");
}

static void node_next(struct node *n);

static void list_done(void *arg, const struct gns_msg *rep)
{
	struct node *n = arg;
	const u8 *p = rep->payload;
	u32 left = rep->payload_len;
	struct gns_dirent d;
	int len;

	if (rep->status)
		die("listing %s: %s", n->path, gns_status_str(rep->status));
	w.listings++;
	while (left) {
		struct node *k = calloc(1, sizeof(*k));

		len = gns_dirent_get(p, left, &d);
		if (len < 0 || !k)
			die("listing %s: bad entry", n->path);
		p += len;
		left -= len;
		n->cookie = d.cookie;
		if (asprintf(&k->path, "%s%s%.*s", n->path, *n->path ? "/" : "",
			     (int)d.name.len, d.name.p) < 0)
			die("no memory");
		if (d.has != GNS_DE_ATTR)
			wrong(k, "listed without attributes");
		k->fh = d.fh;
		k->attr = d.attr;
		k->lease = d.grant.number;
		k->dir = n;
		check_attr(k, &d.attr);
		TAILQ_INSERT_TAIL(&w.todo, k, link);
	}
	if (rep->r_obj.eof)
		n->off = 1;
	else
		TAILQ_INSERT_HEAD(&w.todo, n, link);
}

static void list(struct node *n)
{
	struct gns_msg m = { .type = GNS_READDIR };

	m.range.fh = n->fh;
	m.range.off = n->cookie;
	m.range.len = GNS_DIR_MAX;
	m.range.want = GNS_WANT_LEASE;
	client_ask(w.c, &m, list_done, n);
}

static void link_done(void *arg, const struct gns_msg *rep)
{
	struct node *n = arg;
	char buf[8192], to[8192];
	ssize_t len;

	if (rep->status)
		die("link %s: %s", n->path, gns_status_str(rep->status));
	len = readlink(full_path(n->path, buf, sizeof(buf)), to, sizeof(to));
	if (len != rep->payload_len || memcmp(to, rep->payload, len))
		wrong(n, "link points elsewhere");
	w.links++;
	node_free(n);
}

static void hash_local(struct node *n, u8 *out)
{
	char buf[8192];
	int fd = open(full_path(n->path, buf, sizeof(buf)), O_RDONLY);
	void *p = NULL;
	unsigned int len;

	if (fd < 0)
		die("%s: %s", buf, strerror(errno));
	if (n->attr.size) {
		p = mmap(NULL, n->attr.size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			die("%s: %s", buf, strerror(errno));
	}
	EVP_Digest(p, n->attr.size, out, &len, EVP_sha256(), NULL);
	if (p)
		munmap(p, n->attr.size);
	close(fd);
}

static void file_end(struct node *n)
{
	u8 here[EVP_MAX_MD_SIZE], there[EVP_MAX_MD_SIZE];
	unsigned int len;

	EVP_DigestFinal_ex(n->md, there, &len);
	hash_local(n, here);
	if (memcmp(here, there, len))
		wrong(n, "content differs");
	w.files++;
	node_free(n);
}

static void read_done(void *arg, const struct gns_msg *rep)
{
	struct node *n = arg;

	if (rep->status)
		die("reading %s: %s", n->path, gns_status_str(rep->status));
	EVP_DigestUpdate(n->md, rep->payload, rep->payload_len);
	n->off += rep->payload_len;
	w.bytes += rep->payload_len;
	if (rep->r_obj.eof)
		file_end(n);
	else if (!rep->payload_len)
		wrong(n, "an empty answer before the end");
	else
		TAILQ_INSERT_HEAD(&w.todo, n, link);
}

static void piece_in(void *arg, u64 off, const void *data, u32 len)
{
	struct node *n = arg;

	if (off + len > n->attr.size)
		return wrong(n, "bytes behind the end");
	memcpy(n->buf + off, data, len);
	w.bytes += len;
	n->off += len;
}

static void fetched(void *arg, u32 status)
{
	struct node *n = arg;

	if (status)
		die("fetching %s: %s", n->path, gns_status_str(status));
	if (n->off != n->attr.size)
		wrong(n, "the fetch is short");
	EVP_DigestUpdate(n->md, n->buf, n->attr.size);
	free(n->buf);
	w.fetching--;
	w.fetched++;
	file_end(n);
}

static const struct gns_fetch_ops fetch_ops = { piece_in, fetched };

/* A large file in parallel pieces, on all connections. */
static void fetch(struct node *n)
{
	static u64 epoch;
	struct gns_fetch_want want = { .fh = n->fh, .lease = n->lease, .len = n->attr.size };

	want.epoch = ++epoch;
	n->buf = malloc(n->attr.size);
	if (!n->buf || !gns_fetch_start(client_sat(w.c), &want, &fetch_ops, n))
		die("fetching %s does not start", n->path);
	w.fetching++;
}

static void read_on(struct node *n)
{
	struct gns_msg m = { .type = GNS_READ };

	m.range.fh = n->fh;
	m.range.off = n->off;
	m.range.len = READ_UNIT;
	m.range.lease = n->lease;
	if (!n->md) {
		n->md = EVP_MD_CTX_new();
		EVP_DigestInit_ex(n->md, EVP_sha256(), NULL);
		if (n->attr.size > FETCH_MIN && n->lease)
			return fetch(n);
	}
	client_ask(w.c, &m, read_done, n);
}

/* What the lookup says has to be what the listing said. */
static void lookup_done(void *arg, const struct gns_msg *rep)
{
	struct node *n = arg;
	const struct gns_r_obj *child = &rep->r_lookup.child;

	if (rep->status || rep->r_lookup.absent)
		die("lookup of %s failed: %u", n->path, rep->status);
	if (!gns_fh_eq(&child->fh, &n->fh))
		wrong(n, "lookup and listing name two objects");
	check_attr(n, &child->attr);
	n->lease = child->grant.number;
	w.lookups++;
	n->dir = NULL;
	TAILQ_INSERT_HEAD(&w.todo, n, link);
}

static void lookup(struct node *n)
{
	const char *name = strrchr(n->path, '/');
	struct gns_msg m = { .type = GNS_LOOKUP };

	name = name ? name + 1 : n->path;
	m.name.fh = n->dir->fh;
	m.name.name = (struct gns_str){ name, strlen(name) };
	m.name.want = GNS_WANT_LEASE;
	client_ask(w.c, &m, lookup_done, n);
}

static void readlink_ask(struct node *n)
{
	struct gns_msg m = { .type = GNS_READLINK };

	m.obj.fh = n->fh;
	client_ask(w.c, &m, link_done, n);
}

static void node_next(struct node *n)
{
	if (n->dir) {
		lookup(n);
	} else if (S_ISDIR(n->attr.mode)) {
		if (!n->cookie)
			w.dirs++;
		list(n);
	} else if (S_ISREG(n->attr.mode)) {
		read_on(n);
	} else if (S_ISLNK(n->attr.mode)) {
		readlink_ask(n);
	} else {
		w.others++;
		node_free(n);
	}
}

/* The other direction: nothing of the tree was left out. */
static u64 count_local(const char *path)
{
	struct dirent *e;
	char sub[8192];
	DIR *d = opendir(path);
	u64 n = 0;

	if (!d)
		die("%s: %s", path, strerror(errno));
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		n++;
		if (e->d_type != DT_DIR)
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		n += count_local(sub);
	}
	closedir(d);
	return n;
}

static void mount_root(const char *export)
{
	struct gns_msg m = { .type = GNS_MOUNT }, rep;
	struct node *root = calloc(1, sizeof(*root));
	u32 status;

	if (!root)
		die("no memory");
	m.mount.export = (struct gns_str){ export, strlen(export) };
	status = client_call(w.c, &m, &rep);
	if (status)
		die("mounting %s: %s", export, gns_status_str(status));
	root->path = strdup("");
	root->fh = rep.r_obj.fh;
	root->attr = rep.r_obj.attr;
	TAILQ_INSERT_TAIL(&w.todo, root, link);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void walk(void)
{
	struct node *n;

	do {
		while (client_pending(w.c) < BUSY_MAX &&
		       (n = TAILQ_FIRST(&w.todo))) {
			TAILQ_REMOVE(&w.todo, n, link);
			node_next(n);
		}
		if (client_pending(w.c) || w.fetching)
			client_turn(w.c);
	} while (client_pending(w.c) || w.fetching ||
		 !TAILQ_EMPTY(&w.todo));
}

int main(int argc, char **argv)
{
	double t;
	u64 seen, there;

	if (argc != 4)
		die("usage: tree-walk HOST:PORT EXPORT PATH");
	w.base = argv[3];
	TAILQ_INIT(&w.todo);
	printf("1..2\n");
	w.c = client_open(argv[1], 0);
	if (!w.c)
		die("no session with %s", argv[1]);
	t = seconds();
	mount_root(argv[2]);
	walk();
	t = seconds() - t;
	seen = w.files + w.dirs + w.links + w.others - 1;
	there = count_local(w.base);
	printf("# %llu files, %llu directories, %llu links, %llu MB in %.1f s",
	       (unsigned long long)w.files, (unsigned long long)w.dirs,
	       (unsigned long long)w.links,
	       (unsigned long long)w.bytes / 1000000, t);
	printf("; %llu listings, %llu lookups, %llu fetches\n",
	       (unsigned long long)w.listings, (unsigned long long)w.lookups,
	       (unsigned long long)w.fetched);
	printf("%s 1 - every name, attribute and byte is as in the tree\n",
	       w.wrong || !w.files ? "not ok" : "ok");
	printf("%s 2 - all %llu names were listed, each once\n",
	       seen == there ? "ok" : "not ok", (unsigned long long)there);
	client_close(w.c);
	return w.wrong || seen != there;
}
