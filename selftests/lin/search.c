// SPDX-License-Identifier: GPL-2.0
/*
 * The search.
 *
 * After Wing and Gong, "Testing and verifying concurrent objects" (1993), and
 * Lowe, "Testing for linearizability" (2017): walk the calls and returns in
 * time order and give an operation its point just in time, that is, only when
 * an operation returns which has none yet; the points handed out at such a
 * return end with the one of the returning operation.  Per return the
 * sequences are tried shortest first, over the returns the search goes
 * depth-first, so that a good history hardly ever costs more than one step per
 * operation.  There is no recursion; a frame per blocked return holds a queue
 * of configurations in a common pool.
 *
 * Four reductions, none of which loses an order:
 * - An operation which never changes the state gets its point as soon as its
 *   result is right.  Waiting could only make it wrong.
 * - At a return only operations are tried which are linked with the returning
 *   one by a chain of conflicts among the open ones.  Any other commutes with
 *   the whole chain and can have its point later.
 * - Of several operations which never returned and would all do the same, the
 *   one called first is the first to take effect.
 * - Explored configurations are remembered together with what they dominate,
 *   see memo.c.
 */
#include <stdlib.h>
#include <string.h>

#include "lin_int.h"

/* Events per piece of lin_search_all(); a test overrides it. */
#ifndef LIN_PIECE
#define LIN_PIECE 256
#endif

static bool step(struct lin_search *s, uint64_t *cfg, uint32_t op)
{
	s->steps++;
	return s->m->step(cfg + s->slot_words, &s->op[op]);
}

/* The same for one which changes the state, at the return @ev or before. */
static bool step_at(struct lin_search *s, uint64_t *cfg, uint32_t op, size_t ev)
{
	s->op[op].call = s->ev[ev].time;
	return step(s, cfg, op);
}

static void enter(struct lin_search *s, uint32_t op)
{
	uint32_t slot = s->meta[op].slot;

	s->open[slot] = op;
	lin_set(s->live, slot);
	if (s->meta[op].class == LIN_C_PURE)
		lin_set(s->pure, slot);
}

static void leave(struct lin_search *s, uint32_t op)
{
	uint32_t slot = s->meta[op].slot;

	lin_clear(s->live, slot);
	lin_clear(s->pure, slot);
}

/* Go back to an earlier event. */
static void rewind_to(struct lin_search *s, size_t pos)
{
	while (s->pos > pos) {
		const struct lin_event *e = &s->ev[--s->pos];

		if (e->ret)
			enter(s, e->op);
		else
			leave(s, e->op);
	}
}

/*
 * Follow the events until an operation returns which has no point yet (false)
 * or the end of the piece is reached (true).  An unknown outcome has to be
 * settled as well when it may take effect no longer.
 */
static bool advance(struct lin_search *s, uint64_t *cfg, size_t to)
{
	for (; s->pos < to; s->pos++) {
		const struct lin_event *e = &s->ev[s->pos];
		const struct lin_meta *t = &s->meta[e->op];

		if (!e->ret) {
			enter(s, e->op);
			if (t->class == LIN_C_PURE && step(s, cfg, e->op))
				lin_set(cfg, t->slot);
			continue;
		}
		if (!lin_test(cfg, t->slot))
			return false;
		lin_clear(cfg, t->slot);
		leave(s, e->op);
	}
	return true;
}

/* Give a point to every open pure operation whose result is right now. */
static void settle(struct lin_search *s, uint64_t *cfg)
{
	size_t w;

	for (w = 0; w < s->known_words; w++) {
		uint64_t todo = s->pure[w] & ~cfg[w];

		for (; todo; todo &= todo - 1) {
			uint32_t slot = (uint32_t)(w * 64) +
					(uint32_t)__builtin_ctzll(todo);

			if (step(s, cfg, s->open[slot]))
				lin_set(cfg, slot);
		}
	}
}

/* Cells linked with those in @cells by operations without a point. */
static uint64_t linked(const struct lin_search *s, const uint64_t *cfg,
		       uint64_t cells)
{
	uint64_t old;
	size_t w;

	do {
		old = cells;
		for (w = 0; w < s->slot_words && ~cells; w++) {
			uint64_t todo = s->live[w] & ~cfg[w];

			for (; todo; todo &= todo - 1) {
				size_t slot = w * 64;
				uint64_t touch;

				slot += (size_t)__builtin_ctzll(todo);
				touch = s->meta[s->open[slot]].touch;
				if (touch & cells)
					cells |= touch;
			}
		}
	} while (cells != old);
	return cells;
}

static void *grow(void *p, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap;

	if (need <= n)
		return p;
	n = n ? n * 2 : 64;
	p = realloc(p, n * size);
	if (p)
		*cap = n;
	return p;
}

static enum lin_status pool_add(struct lin_search *s, const uint64_t *cfg)
{
	uint64_t *pool = grow(s->pool, &s->pool_cap, s->npool + 1,
			      s->words * sizeof(*cfg));

	if (!pool)
		return LIN_NOMEM;
	s->pool = pool;
	memcpy(pool + s->npool * s->words, cfg, s->words * sizeof(*cfg));
	s->npool++;
	return LIN_OK;
}

static enum lin_status frame_add(struct lin_search *s, size_t ev, bool root)
{
	struct lin_frame *frame = grow(s->frame, &s->frame_cap, s->nframe + 1,
				       sizeof(*frame));

	if (!frame)
		return LIN_NOMEM;
	s->frame = frame;
	frame += s->nframe++;
	memset(frame, 0, sizeof(*frame));
	frame->start = s->npool;
	frame->head = s->npool;
	frame->ev = (uint32_t)ev;
	frame->root = root;
	return LIN_OK;
}

static enum lin_status out_add(struct lin_search *s, const uint64_t *cfg,
			       size_t to)
{
	struct lin_masks k = { s->pure, s->maybe };
	uint64_t *out;

	if (lin_memo_has(&s->memo, &k, (uint32_t)to, cfg))
		return LIN_OK;
	if (lin_memo_add(&s->memo, &k, (uint32_t)to, cfg))
		return LIN_NOMEM;
	out = grow(s->out, &s->out_cap, s->nout + 1, s->words * sizeof(*cfg));
	if (!out)
		return LIN_NOMEM;
	s->out = out;
	memcpy(out + s->nout * s->words, cfg, s->words * sizeof(*cfg));
	s->nout++;
	return LIN_OK;
}

/* The configuration at the head of the top frame: can the operation return? */
static enum lin_status attempt(struct lin_search *s, size_t to)
{
	struct lin_frame *f = &s->frame[s->nframe - 1];
	struct lin_masks k = { s->pure, s->maybe };
	const uint64_t *cfg = s->pool + f->head * s->words;
	uint32_t op = s->ev[f->ev].op;
	uint64_t *tmp = s->tmp;
	enum lin_status st;

	f->tried = true;
	if (lin_memo_has(&s->memo, &k, f->ev, cfg)) {
		f->tried = false;
		f->head++;
		return LIN_OK;
	}
	memcpy(tmp, cfg, s->words * sizeof(*tmp));
	if (!f->root && !lin_test(tmp, s->meta[op].slot)) {
		if (s->meta[op].class == LIN_C_PURE || !step_at(s, tmp, op, f->ev))
			return LIN_OK;
		lin_set(tmp, s->meta[op].slot);
		settle(s, tmp);
	}
	if (advance(s, tmp, to))
		return out_add(s, tmp, to);
	if (s->deepest < s->pos)
		s->deepest = s->pos;
	st = frame_add(s, s->pos, false);
	op = s->ev[s->pos].op;
	if (!st && s->meta[op].class == LIN_C_MAYBE) {
		/* as if it had its point: it will never have an effect */
		lin_set(tmp, s->meta[op].slot);
		st = pool_add(s, tmp);
		lin_clear(tmp, s->meta[op].slot);
	}
	return st ? st : pool_add(s, tmp);
}

/* Has an operation just like this one been waiting for longer? */
static bool waits(const struct lin_search *s, const uint64_t *cfg, uint32_t op)
{
	uint32_t twin = s->meta[op].twin;

	return twin != LIN_NO_TWIN && !lin_test(cfg, twin);
}

/* It can not, or the search came back: give points to other operations. */
static enum lin_status expand(struct lin_search *s)
{
	struct lin_frame *f = &s->frame[s->nframe - 1];
	struct lin_masks k = { s->pure, s->maybe };
	const struct lin_event *e = &s->ev[f->ev];
	size_t at = f->head++;
	uint64_t *tmp = s->tmp;
	const uint64_t *cfg = s->pool + at * s->words;
	uint64_t cells;
	size_t w;

	f->tried = false;
	if (lin_memo_add(&s->memo, &k, f->ev, cfg))
		return LIN_NOMEM;
	if (f->root || lin_test(cfg, s->meta[e->op].slot))
		return LIN_OK;
	cells = linked(s, cfg, s->meta[e->op].touch);
	for (w = 0; w < s->slot_words; w++) {
		uint64_t todo = s->live[w] & ~s->pure[w];

		for (todo &= ~cfg[w]; todo; todo &= todo - 1) {
			uint32_t slot = (uint32_t)(w * 64) +
					(uint32_t)__builtin_ctzll(todo);
			uint32_t op = s->open[slot];

			if (op == e->op || !(s->meta[op].touch & cells) ||
			    waits(s, cfg, op))
				continue;
			memcpy(tmp, cfg, s->words * sizeof(*tmp));
			if (!step_at(s, tmp, op, f->ev))
				continue;
			/* what need not happen had better not for nothing */
			if (s->meta[op].class == LIN_C_MAYBE &&
			    !memcmp(tmp + s->slot_words, cfg + s->slot_words,
				    (s->words - s->slot_words) * sizeof(*tmp)))
				continue;
			lin_set(tmp, slot);
			settle(s, tmp);
			if (lin_memo_has(&s->memo, &k, f->ev, tmp))
				continue;
			if (pool_add(s, tmp))
				return LIN_NOMEM;
			cfg = s->pool + at * s->words;
		}
	}
	return LIN_OK;
}

static bool exhausted(const struct lin_search *s)
{
	size_t mem = (s->pool_cap + s->out_cap) * s->words * sizeof(*s->pool);

	return s->steps > s->limit || mem + lin_memo_bytes(&s->memo) > s->mem;
}

/*
 * lin_search_run - search from the current position to event @to
 *
 * Starts from the configurations s->in and leaves in s->out either the first
 * one found or all of them.
 *
 * Return: LIN_OK if there is any, LIN_VIOLATION if there is none; then the
 * return at s->deepest is the first one which no configuration survives.
 */
enum lin_status lin_search_run(struct lin_search *s, size_t to, bool all)
{
	enum lin_status st;
	size_t i;

	lin_memo_clear(&s->memo);
	s->npool = 0;
	s->nframe = 0;
	s->nout = 0;
	s->deepest = 0;
	st = frame_add(s, s->pos, true);
	for (i = 0; !st && i < s->nin; i++)
		st = pool_add(s, s->in + i * s->words);

	while (!st && s->nframe && (all || !s->nout)) {
		struct lin_frame *f = &s->frame[s->nframe - 1];

		if (exhausted(s))
			return LIN_BUDGET;
		if (f->head == s->npool) {
			s->npool = f->start;
			s->nframe--;
			continue;
		}
		rewind_to(s, f->ev);
		st = f->tried ? expand(s) : attempt(s, to);
	}
	if (st)
		return st;
	return s->nout ? LIN_OK : LIN_VIOLATION;
}

/*
 * lin_search_first - is there any linearization of the whole history
 */
enum lin_status lin_search_first(struct lin_search *s, uint64_t limit)
{
	s->limit = limit;
	s->mem = LIN_MEM_MAX / 4;
	return lin_search_run(s, s->nev, false);
}

/*
 * lin_search_all - find every configuration at the end of the history
 *
 * Goes piece by piece and forgets what lies behind, so that a dead end late in
 * the history does not send the search back to its beginning, and memory does
 * not grow with the length.
 */
enum lin_status lin_search_all(struct lin_search *s, uint64_t limit)
{
	enum lin_status st = LIN_OK;
	size_t to = 0;
	uint64_t *in;

	s->limit = limit;
	s->mem = LIN_MEM_MAX;
	rewind_to(s, 0);
	lin_memo_free(&s->memo);
	free(s->pool);
	s->pool = NULL;
	s->pool_cap = 0;
	do {
		to = s->nev - to > LIN_PIECE ? to + LIN_PIECE : s->nev;
		st = lin_search_run(s, to, true);
		if (st || to == s->nev)
			break;
		/* the search gave up its last branch somewhere before the end */
		while (s->pos < to) {
			const struct lin_event *e = &s->ev[s->pos++];

			if (e->ret)
				leave(s, e->op);
			else
				enter(s, e->op);
		}
		in = realloc(s->in, s->nout * s->words * sizeof(*in));
		if (!in)
			return LIN_NOMEM;
		s->in = in;
		memcpy(in, s->out, s->nout * s->words * sizeof(*in));
		s->nin = s->nout;
	} while (1);
	return st;
}
