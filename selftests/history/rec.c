// SPDX-License-Identifier: GPL-2.0
/*
 * Recording: an operation that never returns, because its process was killed,
 * stays as one whose outcome nobody knows.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hist.h"
#include "lib/inject.h"
#include "lin.h"

u32 me_rnd(struct me *me, u32 n)
{
	u32 x = me->p->rnd;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	me->p->rnd = x;
	return x % n;
}

u64 hist_stamp(struct hist *h)
{
	return __atomic_add_fetch(&h->stamp, 1, __ATOMIC_SEQ_CST);
}

u32 hist_tag(struct hist *h)
{
	return __atomic_add_fetch(&h->tag, 1, __ATOMIC_RELAXED) & TAG_MASK;
}

struct rec *rec_call(struct me *me, enum hist_model m, u16 kind, u8 obj)
{
	if (me->p->n >= RECS - RECS_LAST ||
	    __atomic_load_n(&me->h->stop, __ATOMIC_ACQUIRE))
		return NULL;
	return rec_last(me, m, kind, obj);
}

struct rec *rec_last(struct me *me, enum hist_model m, u16 kind, u8 obj)
{
	struct rec *r;

	if (me->p->n == RECS)
		return NULL;
	r = &me->p->v[me->p->n];
	memset(r, 0, sizeof(*r));
	r->model = m;
	r->kind = kind;
	r->obj = obj;
	r->call = hist_stamp(me->h);
	__atomic_store_n(&me->p->n, me->p->n + 1, __ATOMIC_RELEASE);
	return r;
}

void rec_ret(struct me *me, struct rec *r, s32 err)
{
	r->err = err;
	__atomic_store_n(&r->ret, hist_stamp(me->h), __ATOMIC_RELEASE);
}

bool excused(const struct me *me, int err)
{
	return me->h->memory && inject_errno(err);
}

void broken(struct me *me, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# %s: ", me->p->name);
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
	__atomic_fetch_add(&me->h->broken, 1, __ATOMIC_RELAXED);
}
