/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers that look random and are the same for the same seed. Each state has
 * one user.
 */
#ifndef GNS_TEST_RND_H
#define GNS_TEST_RND_H

#include <stddef.h>
#include <string.h>

#include "lib/types.h"

/** struct rnd - where a sequence of numbers is; any @x will do to begin */
struct rnd {
	u64 x;
};

/** rnd() - the next number */
static inline u64 rnd(struct rnd *r)
{
	u64 v = r->x += 0x9e3779b97f4a7c15;

	v = (v ^ (v >> 32)) * 0xd6e8feb86659fd93;
	v = (v ^ (v >> 29)) * 0xd6e8feb86659fd93;
	return v ^ (v >> 32);
}

/** rnd_below() - a number below @n, which is not 0 */
static inline u64 rnd_below(struct rnd *r, u64 n)
{
	return rnd(r) % n;
}

/** rnd_one_in() - true once in @n times */
static inline int rnd_one_in(struct rnd *r, u64 n)
{
	return !rnd_below(r, n);
}

/** rnd_fill() - @len bytes that nothing else has */
static inline void rnd_fill(struct rnd *r, void *buf, size_t len)
{
	char *p = buf;
	size_t n;
	u64 v;

	for (; len; p += n, len -= n) {
		v = rnd(r);
		n = len < sizeof(v) ? len : sizeof(v);
		memcpy(p, &v, n);
	}
}

#endif
