/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One file on several filesystems, treated alike.
 *
 * Place 0 is a local file, which is right by definition; the others are names
 * of one file, each on a mount of its own. An operation is done on place 0 and
 * on one of the others, and has to give the same there.
 *
 * Locks: none; one thread.
 */
#ifndef GNS_TEST_ONEFILE_H
#define GNS_TEST_ONEFILE_H

#include <stdbool.h>

#include "rnd.h"
#include "twin.h"

#define PLACES_MAX 4
#define BLOCK 4096

/* Of one operation; more than one WRITE and one READ of gns. */
#define BYTES_MAX (5u << 19)

/**
 * struct place - the file by one of its names
 * @path:   the name
 * @fd:     open for reading and writing
 * @append: the same, with O_APPEND
 * @direct: with O_DIRECT where the filesystem has that
 * @map:    its first bytes, mapped for reading: file_max of them
 * @buf:    BYTES_MAX, aligned to a page
 */
struct place {
	const char *path;
	int fd;
	int append;
	int direct;
	char *map;
	char *buf;
};

extern struct place place[PLACES_MAX];
extern unsigned int places;
extern u64 file_max; /* bytes that the file may grow to */
extern struct rnd dice;

/** place_open() - open and map; the program ends when it can not */
void place_open(struct place *p, int flags);

/** place_close() - undo that */
void place_close(struct place *p);

/* The same call at both places; @call names the place by `p`. */
#define BOTH(call) \
	do { \
		struct place *p = &place[0]; \
		int err_; \
		long ret_, ret2_; \
\
		errno = 0; \
		ret_ = (call); \
		err_ = ret_ < 0 ? errno : 0; \
		p = &place[via]; \
		errno = 0; \
		ret2_ = (call); \
		took(ret_, err_, ret2_, ret2_ < 0 ? errno : 0, #call); \
	} while (0)

/** same_bytes() - compare what both have in their buf */
void same_bytes(long n, u64 off);

/** onefile_reads(), onefile_changes() - do one of them; see onefile.c */
void one_read(void);
void one_change(void);

/** whole_file() - compare all of it, by every name */
void whole_file(void);

/** size_now() - of the local file */
u64 size_now(void);

#endif
