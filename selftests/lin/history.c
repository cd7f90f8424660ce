// SPDX-License-Identifier: GPL-2.0
/*
 * From operations to what the search works on: events in time order, a slot
 * for every operation while it is open, configurations to start from.
 */
#include <stdlib.h>
#include <string.h>

#include "lin_int.h"

void *lin_alloc(size_t n, size_t size)
{
	return calloc(n ? n : 1, size ? size : 1);
}

/* By time; a call comes before a return of the same time, see lin.h. */
static int cmp_event(const void *pa, const void *pb)
{
	const struct lin_event *a = pa;
	const struct lin_event *b = pb;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->ret != b->ret)
		return a->ret < b->ret ? -1 : 1;
	return a->op < b->op ? -1 : a->op > b->op;
}

static void make_events(struct lin_search *s)
{
	struct lin_event *e = s->ev;
	uint32_t i;

	for (i = 0; i < s->nop; i++) {
		const struct lin_op *op = &s->op[i];

		*e++ = (struct lin_event){ op->call, i, 0 };
		if (op->ret != LIN_PENDING)
			*e++ = (struct lin_event){ op->ret, i, 1 };
	}
	s->nev = (size_t)(e - s->ev);
	qsort(s->ev, s->nev, sizeof(*s->ev), cmp_event);
}

static enum lin_class classify(const struct lin_model *m,
			       const struct lin_op *op)
{
	if (lin_op_unknown(op))
		return LIN_C_MAYBE;
	return m->pure(op) ? LIN_C_PURE : LIN_C_EFFECT;
}

/*
 * Operations with a known result share the first slots, as many as are open at
 * a time.  The others follow in whole words of their own; those which the
 * history began with keep their order.
 */
static int make_slots(struct lin_search *s)
{
	uint32_t *spare = lin_alloc(s->nop, sizeof(*spare));
	size_t nspare = 0, known = 0, nmaybe = 0, i;

	if (!spare)
		return -1;
	for (i = 0; i < s->nev; i++) {
		struct lin_meta *t = &s->meta[s->ev[i].op];

		if (t->class == LIN_C_MAYBE)
			continue;
		if (s->ev[i].ret)
			spare[nspare++] = t->slot;
		else if (nspare)
			t->slot = spare[--nspare];
		else
			t->slot = (uint32_t)known++;
	}
	free(spare);
	s->known_words = (known + 63) / 64;
	for (i = 0; i < s->nop; i++)
		if (s->meta[i].class == LIN_C_MAYBE)
			s->meta[i].slot = (uint32_t)(s->known_words * 64 +
						     nmaybe++);
	s->slot_words = s->known_words + (nmaybe + 63) / 64;
	s->nslot = s->slot_words * 64;
	return 0;
}

/* The same effect whenever it happens, and it may happen at any time. */
static int cmp_effect(const struct lin_op *a, const struct lin_op *b)
{
	int ret;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	ret = memcmp(a->arg, b->arg, sizeof(a->arg));
	if (ret)
		return ret;
	if (a->nlist != b->nlist)
		return a->nlist < b->nlist ? -1 : 1;
	if (!a->nlist)
		return 0;
	return memcmp(a->list, b->list, a->nlist * sizeof(*a->list));
}

static int cmp_twin(const void *pa, const void *pb)
{
	const struct lin_op *a = *(const struct lin_op *const *)pa;
	const struct lin_op *b = *(const struct lin_op *const *)pb;
	int ret = cmp_effect(a, b);

	if (ret)
		return ret;
	if (a->call != b->call)
		return a->call < b->call ? -1 : 1;
	return a < b ? -1 : a > b;
}

static int make_twins(struct lin_search *s)
{
	const struct lin_op **op = lin_alloc(s->nop, sizeof(*op));
	size_t i, n = 0;

	if (!op)
		return -1;
	for (i = 0; i < s->nop; i++) {
		s->meta[i].twin = LIN_NO_TWIN;
		if (s->op[i].ret == LIN_PENDING)
			op[n++] = &s->op[i];
	}
	if (n)
		qsort(op, n, sizeof(*op), cmp_twin);
	for (i = 1; i < n; i++)
		if (!cmp_effect(op[i - 1], op[i]))
			s->meta[op[i] - s->op].twin =
				s->meta[op[i - 1] - s->op].slot;
	free(op);
	return 0;
}

static int make_tables(struct lin_search *s)
{
	size_t i;

	s->open = lin_alloc(s->nslot, sizeof(*s->open));
	s->live = lin_alloc(s->slot_words, sizeof(*s->live));
	s->pure = lin_alloc(s->slot_words, sizeof(*s->pure));
	s->maybe = lin_alloc(s->slot_words, sizeof(*s->maybe));
	s->words = s->slot_words + (s->m->state_size + 7) / 8;
	s->tmp = lin_alloc(s->words, sizeof(*s->tmp));
	if (!s->open || !s->live || !s->pure || !s->maybe || !s->tmp)
		return -1;
	for (i = 0; i < s->nop; i++)
		if (s->meta[i].class == LIN_C_MAYBE)
			lin_set(s->maybe, s->meta[i].slot);
	lin_memo_init(&s->memo, s->words, s->slot_words);
	return 0;
}

/* The slots of a carry are the first ones behind those of known results. */
static int make_start(struct lin_search *s, const struct lin_carry *c)
{
	size_t state = (s->words - s->slot_words) * sizeof(uint64_t);
	size_t i;

	s->in = lin_alloc(c->ncfg * s->words, sizeof(*s->in));
	if (!s->in)
		return -1;
	s->nin = c->ncfg;
	for (i = 0; i < c->ncfg; i++) {
		uint64_t *to = s->in + i * s->words;
		const uint64_t *from = c->cfg + i * c->words;

		memcpy(to + s->known_words, from,
		       c->slot_words * sizeof(*to));
		memcpy(to + s->slot_words, from + c->slot_words, state);
	}
	return 0;
}

static int cmp_loss(const void *pa, const void *pb)
{
	const struct lin_op *a = *(const struct lin_op *const *)pa;
	const struct lin_op *b = *(const struct lin_op *const *)pb;

	return a->call < b->call ? -1 : a->call > b->call;
}

/* What the losses leave is known to all operations, also to those before. */
static int make_losses(struct lin_search *s)
{
	struct lin_losses *l = &s->losses;
	size_t i;

	l->op = lin_alloc(s->nop, sizeof(*l->op));
	if (!l->op)
		return -1;
	for (i = 0; i < s->nop; i++)
		if (s->m->kinds[s->op[i].kind].flags & LIN_K_LOSE)
			l->op[l->n++] = &s->op[i];
	if (l->n)
		qsort(l->op, l->n, sizeof(*l->op), cmp_loss);
	for (i = 0; i < s->nop && l->n; i++)
		s->op[i].losses = l;
	return 0;
}

/*
 * lin_search_init - prepare the search of one history
 * @op:		operations, those of the carry first, their lists must stay
 *		around
 * @final:	nothing follows these operations
 *
 * To be freed with lin_search_free(), also after a failure.
 */
int lin_search_init(struct lin_search *s, const struct lin_model *m,
		    const struct lin_op *const *op, size_t nop,
		    const struct lin_carry *carry, bool final)
{
	uint32_t i;

	memset(s, 0, sizeof(*s));
	s->m = m;
	s->nop = nop;
	if (nop >= UINT32_MAX / 4)
		return -1;
	s->op = lin_alloc(nop, sizeof(*s->op));
	s->meta = lin_alloc(nop, sizeof(*s->meta));
	s->ev = lin_alloc(nop * 2, sizeof(*s->ev));
	if (!s->op || !s->meta || !s->ev)
		return -1;
	for (i = 0; i < nop; i++) {
		s->op[i] = *op[i];
		s->meta[i].class = classify(m, op[i]);
		s->meta[i].touch = m->touch ? m->touch(op[i]) : UINT64_MAX;
	}
	if (m->learn && m->learn(s->op, nop, final))
		return -1;
	if (make_losses(s))
		return -1;
	make_events(s);
	if (make_slots(s) || make_twins(s) || make_tables(s))
		return -1;
	return make_start(s, carry);
}

void lin_search_free(struct lin_search *s)
{
	free(s->op);
	free(s->meta);
	free(s->ev);
	free(s->open);
	free(s->live);
	free(s->pure);
	free(s->maybe);
	free(s->frame);
	free(s->pool);
	free(s->tmp);
	lin_memo_free(&s->memo);
	free(s->in);
	free(s->out);
	free(s->losses.op);
	memset(s, 0, sizeof(*s));
}

/* An object nothing has happened to. */
int lin_carry_init(struct lin_carry *c, const struct lin_model *m)
{
	memset(c, 0, sizeof(*c));
	c->words = (m->state_size + 7) / 8;
	c->cfg = lin_alloc(c->words, sizeof(*c->cfg));
	if (!c->cfg)
		return -1;
	c->ncfg = 1;
	m->init(c->cfg);
	return 0;
}

void lin_carry_free(struct lin_carry *c)
{
	free(c->op);
	free(c->id);
	free(c->cfg);
	memset(c, 0, sizeof(*c));
}

/* Did this operation take effect in every configuration at the end? */
static bool settled(const struct lin_search *s, size_t op)
{
	size_t i;

	for (i = 0; i < s->nout; i++)
		if (!lin_test(s->out + i * s->words, s->meta[op].slot))
			return false;
	return true;
}

/*
 * lin_carry_take - what is known after a search which found everything
 * @op:		the operations it was given
 * @id:		caller's name of each
 *
 * Operations which may still take effect are copied, but not their lists.
 */
int lin_carry_take(struct lin_carry *c, const struct lin_search *s,
		   const struct lin_op *const *op, const size_t *id)
{
	size_t state = s->words - s->slot_words;
	size_t i, k, n = 0;

	memset(c, 0, sizeof(*c));
	c->op = lin_alloc(s->nop, sizeof(*c->op));
	c->id = lin_alloc(s->nop, sizeof(*c->id));
	if (!c->op || !c->id)
		goto fail;
	for (i = 0; i < s->nop; i++) {
		if (op[i]->ret != LIN_PENDING || settled(s, i))
			continue;
		c->op[n] = *op[i];
		c->id[n++] = i;
	}
	c->nop = n;
	c->ncfg = s->nout;
	c->slot_words = (n + 63) / 64;
	c->words = c->slot_words + state;
	c->cfg = lin_alloc(c->ncfg * c->words, sizeof(*c->cfg));
	if (!c->cfg)
		goto fail;
	for (k = 0; k < s->nout; k++) {
		const uint64_t *from = s->out + k * s->words;
		uint64_t *to = c->cfg + k * c->words;

		for (i = 0; i < n; i++)
			if (lin_test(from, s->meta[c->id[i]].slot))
				lin_set(to, (uint32_t)i);
		memcpy(to + c->slot_words, from + s->slot_words,
		       state * sizeof(*to));
	}
	for (i = 0; i < n; i++)
		c->id[i] = id[c->id[i]];
	return 0;
fail:
	lin_carry_free(c);
	return -1;
}
