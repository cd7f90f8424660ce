/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests and the demo put on a mounted tree: walks, reads, checksums
 * and random traffic, by many threads in one process.
 *
 * Lifetime: a struct tree from tree_walk() to tree_free().
 * Locks: each worker has its own struct work; only the index is shared.
 */
#ifndef GNS_LOAD_H
#define GNS_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef uint32_t u32;
typedef uint64_t u64;

/** struct node - an entry of a tree, by its path below the top */
struct node {
	char *path;
	u64 size;
	mode_t mode;
};

/** struct tree - everything that a walk found, the largest files first */
struct tree {
	const char *top;
	int fd;
	struct node *v;
	size_t n;
	u64 files;
	u64 dirs;
	u64 bytes; /* of files */
	u64 errors;
};

/** seconds() - a clock for differences */
double seconds(void);

/** die() - print what is wrong and exit */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/** grumble() - print the first few of many errors */
void grumble(const char *path, const char *what);

/**
 * tree_walk() - list and stat all below a directory
 * @top:     the directory
 * @threads: at once
 */
struct tree tree_walk(const char *top, u32 threads);
void tree_free(struct tree *t);

#define BUF_LEN (1u << 20)
typedef int64_t (*node_fn)(struct tree *t, size_t i, char *buf, void *arg);

/**
 * each_node() - call a function with every entry of a tree
 * @t:       the tree
 * @threads: at once
 * @fn:      called from any of them; @buf is the thread's own, BUF_LEN bytes;
 *           returns bytes that are added up, or -1 for an error
 * @arg:     handed to @fn
 * @bytes:   the sum
 *
 * Return: the errors.
 */
u64 each_node(struct tree *t, u32 threads, node_fn fn, void *arg, u64 *bytes);

/** cmd_sum() - compare each file's SHA-256 with a list, or write the list */
int cmd_sum(const char *top, const char *list, bool write, u32 threads);

/** struct churn - random traffic */
struct churn {
	const char *top;
	const char *ref; /* the same tree, to compare with; NULL: do not */
	double seconds;
	u32 threads;
	u32 seed;
	bool errors; /* are allowed */
};

int cmd_churn(const struct churn *c);

#endif
