/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of every kind, each of which can be made again and again, and what they
 * are made on: a directory with a file "f", and "g" and "h" now and then.
 *
 * Locks: none; one thread.
 */
#ifndef GNS_INJECT_CALLS_H
#define GNS_INJECT_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "lib/types.h"

#define CALL_NAMES 4
#define FILE_SIZE 12288 /* three pages */

/**
 * struct call - a call that is made on host a
 * @what:  for people
 * @prep:  makes what it needs. Nothing fails meanwhile
 * @run:   it, and no more. Return: negative with errno set when it fails
 * @over:  lets go of what @prep and @run took; may be NULL
 * @done:  has it done what it says? Asked when it did not fail; may be NULL
 * @cold:  host a has forgotten names, and host b has changed what there is
 * @names: that it may have changed, in the test's directory
 */
struct call {
	const char *what;
	void (*prep)(void);
	long (*run)(void);
	void (*over)(void);
	bool (*done)(void);
	bool cold;
	const char *names[CALL_NAMES];
};

extern const struct call name_calls[];
extern const size_t n_name_calls;
extern const struct call file_calls[];
extern const size_t n_file_calls;

/**
 * struct scene - what calls are made on
 * @fd:   open on host a, or -1
 * @fd2:  another one
 * @turn: counts the preparations, so that each can have values of its own
 * @text: three letters of this turn
 * @now:  what "f" had when it was made, FILE_SIZE bytes
 * @buf:  for what is read, as large
 * @map:  a mapping of "f", as large; or NULL
 * @st:   of the last scene_origin()
 */
struct scene {
	int fd;
	int fd2;
	u32 turn;
	char text[4];
	char *now;
	char *buf;
	void *map;
	struct stat st;
};

extern struct scene scene;

/** scene_begin() - once, when the mounts are there */
void scene_begin(void);

/** scene_turn() - before each preparation */
void scene_turn(void);

/** scene_there() - path of a name as the origin has it */
const char *scene_there(const char *name);

/** scene_origin() - is it there? scene.st is what it is */
bool scene_origin(const char *name);

/** scene_must() - the test ends when it is negative */
void scene_must(long ret, const char *what);

/** scene_over() - close and unmap; for @over */
void scene_over(void);

/* For @prep; what begins with open_ opens "f" on host a. */
void prep_file(void); /* "f" */
void prep_fresh(void); /* "f", with other bytes than before */
void prep_none(void); /* no "h" */
void prep_both(void); /* "f", no "h" */
void prep_two(void); /* "f" and "g", no "h" */
void open_rw(void);
void open_direct(void);

#endif
