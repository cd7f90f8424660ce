/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One tree on several filesystems, treated alike.
 *
 * Root 0 is a local directory, which is right by definition; the others are
 * names of one directory, each on a mount of its own. Names are relative to the
 * roots. An operation is done below root 0 and below one of the others, and has
 * to give the same there.
 *
 * Locks: none; one thread in a process, each with a directory of its own.
 */
#ifndef GNS_TEST_ONETREE_H
#define GNS_TEST_ONETREE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "rnd.h"
#include "twin.h"

#define ROOTS_MAX 4
#define FILE_MAX 70000
#define NAME_SPACE 1024
#define ROOT_SPACE 512

extern char root[ROOTS_MAX][ROOT_SPACE];
extern unsigned int roots;
extern struct rnd dice;

/** at() - the path of a name, in a static buffer, one of several in turn */
const char *at(unsigned int r, const char *name);

/** become() - go on as this user; 0: root again. Effective ids only */
void become(uid_t uid);

/* The same call as @user below both; @call names the root by `r`. */
#define BOTH(call) \
	do { \
		unsigned int r = 0; \
		long ret_, ret2_; \
		int err_; \
\
		become(user); \
		errno = 0; \
		ret_ = (call); \
		err_ = ret_ < 0 ? errno : 0; \
		r = via; \
		errno = 0; \
		ret2_ = (call); \
		r = ret2_ < 0 ? errno : 0; \
		become(0); \
		took(ret_, err_, ret2_, r, #call); \
	} while (0)

/** some_name() - a name below the roots, NAME_SPACE long, that may be there */
void some_name(char *name);

/** one_op() - do one, with these names or the first of them */
void one_op(const char *name1, const char *name2);

/** same_name() - compare the attributes of what a name means, links not
 * followed, below root 0 and root @r; Return: the mode; 0: it is not there
 */
mode_t same_name(unsigned int r, const char *name);

/** same_tree() - compare a directory and all below it, below every root */
void same_tree(const char *name);

/** same_content() - compare the bytes of a file */
void same_content(unsigned int r, const char *name);

/** same_list() - compare the names in a directory, not what is behind them */
void same_list(unsigned int r, const char *name);

/** same_xattrs() - compare the extended attributes of a name */
void same_xattrs(unsigned int r, const char *name);

/**
 * struct look - the times of what a name means
 * @there: there is something
 * @ino:   which
 * @mtime: of it
 * @ctime: of it
 */
struct look {
	bool there;
	ino_t ino;
	struct timespec mtime;
	struct timespec ctime;
};

/** look() - as of now */
void look(unsigned int r, const char *name, struct look *l);

#endif
