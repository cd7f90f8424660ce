// SPDX-License-Identifier: GPL-2.0
/*
 * SHA-256 of every file of a tree, compared with a list that was made of
 * another copy: "<hex> <size> <path>", sorted by path.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

#define SUM_HEX 64

struct known {
	char hex[SUM_HEX + 1];
	u64 size;
	char *path;
};

struct list {
	struct known *v;
	size_t n;
	u64 seen;
	char (*hex)[SUM_HEX + 1]; /* when it is made: by node */
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->path,
		      ((const struct known *)b)->path);
}

static struct list list_load(const char *name)
{
	struct list l = { 0 };
	size_t cap = 0, len = 0;
	unsigned long long size;
	FILE *f = fopen(name, "r");
	char *line = NULL;
	ssize_t got;
	int at;

	if (!f)
		die("%s: %s", name, strerror(errno));
	while ((got = getline(&line, &len, f)) > 0) {
		if (l.n == cap) {
			cap = cap * 2 + 1024;
			l.v = realloc(l.v, cap * sizeof(*l.v));
			if (!l.v)
				die("no memory");
		}
		if (line[got - 1] == '\n')
			line[got - 1] = '\0';
		if (sscanf(line, "%64s %llu %n", l.v[l.n].hex, &size, &at) < 2)
			die("%s: bad line: %s", name, line);
		l.v[l.n].size = size;
		l.v[l.n++].path = strdup(line + at);
	}
	free(line);
	fclose(f);
	return l;
}

static int hash_file(struct tree *t, const struct node *n, char *buf, char *hex)
{
	int fd = openat(t->fd, n->path, O_RDONLY | O_CLOEXEC);
	unsigned char md[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx;
	unsigned int i, len;
	ssize_t got;

	if (fd < 0)
		return -errno;
	ctx = EVP_MD_CTX_new();
	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		die("no SHA-256");
	while ((got = read(fd, buf, BUF_LEN)) > 0)
		EVP_DigestUpdate(ctx, buf, got);
	if (got < 0)
		got = -errno;
	EVP_DigestFinal_ex(ctx, md, &len);
	for (i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", md[i]);
	EVP_MD_CTX_free(ctx);
	close(fd);
	return got;
}

static int64_t sum_node(struct tree *t, size_t i, char *buf, void *arg)
{
	const struct node *n = &t->v[i];
	struct list *l = arg;
	struct known key = { .path = n->path }, *k;
	char hex[SUM_HEX + 1];
	int err;

	if (!S_ISREG(n->mode))
		return 0;
	err = hash_file(t, n, buf, hex);
	if (err) {
		grumble(n->path, strerror(-err));
		return -1;
	}
	if (l->hex) {
		memcpy(l->hex[i], hex, sizeof(hex));
		return n->size;
	}
	k = bsearch(&key, l->v, l->n, sizeof(*l->v), by_path);
	if (!k || k->size != n->size || strcmp(k->hex, hex)) {
		grumble(n->path, k ? "other bytes" : "not in the list");
		return -1;
	}
	__atomic_fetch_add(&l->seen, 1, __ATOMIC_RELAXED);
	return n->size;
}

static void list_save(const struct tree *t, const struct list *l,
		      const char *name)
{
	struct known *v = calloc(t->n, sizeof(*v));
	FILE *f = fopen(name, "w");
	size_t i, n = 0;

	if (!f || !v)
		die("%s: %s", name, strerror(errno));
	for (i = 0; i < t->n; i++) {
		if (!S_ISREG(t->v[i].mode))
			continue;
		memcpy(v[n].hex, l->hex[i], sizeof(v[n].hex));
		v[n].size = t->v[i].size;
		v[n++].path = t->v[i].path;
	}
	qsort(v, n, sizeof(*v), by_path);
	for (i = 0; i < n; i++)
		fprintf(f, "%s %llu %s\n", v[i].hex,
			(unsigned long long)v[i].size, v[i].path);
	if (fclose(f))
		die("%s: %s", name, strerror(errno));
	free(v);
}

int cmd_sum(const char *top, const char *list, bool write, u32 threads)
{
	double t = seconds();
	struct tree tree = tree_walk(top, threads);
	struct list l = { 0 };
	u64 bytes, errors;

	if (write) {
		l.hex = calloc(tree.n, sizeof(*l.hex));
		if (!l.hex)
			die("no memory");
	} else {
		l = list_load(list);
	}
	errors = tree.errors + each_node(&tree, threads, sum_node, &l, &bytes);
	if (write) {
		list_save(&tree, &l, list);
	} else if (l.seen != l.n) {
		grumble(list, "not all of its files were found");
		errors++;
	}
	printf("files=%llu bytes=%llu errors=%llu seconds=%.3f\n",
	       (unsigned long long)(write ? tree.files : l.seen),
	       (unsigned long long)bytes, (unsigned long long)errors,
	       seconds() - t);
	return errors != 0;
}
