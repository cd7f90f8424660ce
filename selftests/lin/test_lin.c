// SPDX-License-Identifier: GPL-2.0
/* Tests of the checker, in TAP. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "test_int.h"

static const struct lin_model *const models[] = {
	&lin_register,
	&lin_log,
	&lin_tree,
	&lin_lock,
};

#define NMODELS ARRAY_SIZE(models)

static unsigned int done, failed;
static uint64_t seed;

bool tap(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - ", good ? "" : "not ", ++done);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	failed += !good;
	return good;
}

void tap_plan(unsigned int n)
{
	printf("1..%u\n", n);
}

void tap_note(const char *fmt, ...)
{
	va_list ap;

	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void show(const struct lin_hist *h)
{
	lin_print(stdout, h->m, h->ops, h->n);
}

/* With two answers at one time it is not defined which one came first. */
static bool shares_stamp(const struct lin_hist *h, size_t bad)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (i != bad && h->ops[i].ret == h->ops[bad].ret)
			return true;
	return false;
}

static bool one_object(const struct lin_hist *h)
{
	size_t i;

	for (i = 1; i < h->n; i++)
		if (h->ops[i].obj != h->ops[0].obj)
			return false;
	return true;
}

/* The stream, cut at random moments, has to say the same as the whole. */
static bool stream_agrees(const struct lin_hist *h, const struct lin_result *r,
			  struct rng *rng, unsigned int cuts)
{
	struct lin_stream *s = lin_stream_new(h->m, 0);
	struct lin_result q = { .status = LIN_OK };
	bool good;
	size_t i;

	/* histories come in the order of the calls */
	for (i = 0; i < h->n; i++) {
		lin_stream_add(s, &h->ops[i]);
		if (i + 1 < h->n && h->ops[i + 1].call > h->ops[i].call &&
		    rnd(rng, 100) < cuts)
			q = lin_stream_cut(s, h->ops[i + 1].call - 1);
		if (q.status)
			break;
	}
	if (!q.status)
		q = lin_stream_end(s);
	good = q.status == r->status;
	if (good && q.status == LIN_VIOLATION && one_object(h) &&
	    !shares_stamp(h, r->bad))
		good = q.bad == r->bad;
	if (!good)
		tap_note("stream: %s at %zu, whole: %s at %zu",
			 lin_status_name(q.status), q.bad,
			 lin_status_name(r->status), r->bad);
	lin_stream_free(s);
	return good;
}

/* The prefix has to fail, and not to fail without its last answer. */
static bool minimal(const struct lin_hist *h, const struct lin_result *r)
{
	struct lin_op out[16];
	size_t n = lin_prefix(h->m, h->ops, h->n, r->bad, out);
	const struct lin_op *bad = &h->ops[r->bad];
	size_t i, answered = 0;

	if (brute(h->m, out, n))
		return false;
	for (i = 0; i < n; i++)
		answered += out[i].ret != LIN_PENDING &&
			    !lin_op_unknown(&out[i]);
	if (answered > r->done)
		return false;
	for (i = 0; i < n; i++)
		if (out[i].ret == bad->ret && out[i].call == bad->call &&
		    out[i].client == bad->client)
			out[i].ret = LIN_PENDING;
	return brute(h->m, out, n);
}

static void small_gen(struct gen *g, const struct lin_model *m, struct rng *r)
{
	memset(g, 0, sizeof(*g));
	g->m = m;
	g->n = 1 + rnd(r, 7);
	g->clients = 1 + (unsigned int)rnd(r, 4);
	g->objects = m->per_object ? 1 + (unsigned int)rnd(r, 4) / 3 : 1;
	g->reads = 20 + (unsigned int)rnd(r, 60);
	g->pending = rnd(r, 2) ? (unsigned int)rnd(r, 400) : 0;
	g->unknown = rnd(r, 2) ? (unsigned int)rnd(r, 300) : 0;
	g->reverts = rnd(r, 2) ? 150 : 0;
	g->same = !rnd(r, 4);
	g->span = 1 + rnd(r, 12);
	g->gap = rnd(r, 8);
	g->rest = rnd(r, 2) ? 1 + rnd(r, 4) : 0;
}

static bool small_round(const struct lin_model *m, struct rng *r,
			unsigned int *bad)
{
	struct lin_result res;
	struct lin_hist h;
	struct gen g;
	bool good, lin;
	size_t k;

	small_gen(&g, m, r);
	gen_good(&h, &g, r);
	for (k = rnd(r, 4); k; k--)
		gen_noise(&h, rnd(r, h.n), r);
	lin = brute(m, h.ops, h.n);
	res = lin_check(m, h.ops, h.n, 0);
	good = res.status == (lin ? LIN_OK : LIN_VIOLATION);
	if (!good)
		tap_note("%s, but permutations say %s",
			 lin_status_name(res.status), lin ? "good" : "bad");
	if (good && !lin && !shares_stamp(&h, res.bad) &&
	    !minimal(&h, &res)) {
		tap_note("operation %zu is not the first failure", res.bad);
		good = false;
	}
	/* a stream does not know which ids it has seen before */
	if (m != &lin_log || !g.same)
		good = good && stream_agrees(&h, &res, r, 60);
	if (!good)
		show(&h);
	*bad += !lin;
	lin_hist_free(&h);
	return good;
}

/* Small random histories, against all permutations. */
static void test_small(const struct lin_model *m, unsigned int rounds)
{
	struct rng r = { (0x5eed + m->state_size) ^ seed };
	unsigned int bad = 0, i;

	for (i = 0; i < rounds; i++)
		if (!small_round(m, &r, &bad))
			break;
	tap(i == rounds && bad > rounds / 5 && bad < rounds - rounds / 5,
	    "%s: agrees with all permutations, %u good and %u bad histories",
	    m->name, i - bad, bad);
}

static void large_gen(struct gen *g, const struct lin_model *m, size_t n,
		      struct rng *r)
{
	memset(g, 0, sizeof(*g));
	g->m = m;
	g->n = n;
	g->clients = 8;
	g->objects = m->per_object ? 1 + (unsigned int)rnd(r, 3) : 1;
	g->reads = 30 + (unsigned int)rnd(r, 50);
	g->span = 100;
	g->gap = rnd(r, 300);
	g->rest = rnd(r, 2) ? 40 : 0;
}

/* Whatever an atomic object did has to pass. */
static void test_good(const struct lin_model *m, unsigned int rounds, bool maybe)
{
	struct rng r = { (0x600d + m->state_size) ^ seed };
	struct lin_result res;
	struct lin_hist h;
	struct gen g;
	unsigned int i;
	bool good = true;

	for (i = 0; i < rounds && good; i++) {
		large_gen(&g, m, 1500, &r);
		if (maybe) {
			g.pending = 4;
			g.unknown = 10;
			g.reverts = 10;
		}
		gen_good(&h, &g, &r);
		res = lin_check(m, h.ops, h.n, 0);
		good = res.status == LIN_OK && stream_agrees(&h, &res, &r, 5);
		if (!good)
			tap_note("round %u: %s at %zu", i,
				 lin_status_name(res.status), res.bad);
		lin_hist_free(&h);
	}
	tap(good, "%s: %u random histories%s are good", m->name, rounds,
	    maybe ? " with unknown outcomes and reverts" : "");
}

static bool looks(const struct lin_model *m, const struct lin_op *op)
{
	return !lin_op_unknown(op) && !op->err && m->pure(op);
}

/* Something which never was in the history. */
static void never(const struct lin_model *m, struct lin_op *op)
{
	uint32_t *list = (uint32_t *)(uintptr_t)op->list;

	if (m == &lin_lock)
		op->arg[0] = 1000000;
	else if (op->nlist)
		list[op->nlist - 1] = 1000000;
	else
		op->res[0] = 1000000;
	if (m == &lin_log && op->kind == LIN_LOG_READ && !op->nlist)
		op->err = LIN_UNKNOWN;
}

/* One answer which can not be: it has to be found, and be the one blamed. */
static void test_never(const struct lin_model *m, unsigned int rounds)
{
	struct rng r = { (0xbad + m->state_size) ^ seed };
	struct lin_result res;
	struct lin_hist h;
	struct gen g;
	unsigned int i;
	bool good = true;
	size_t k;

	for (i = 0; i < rounds && good; i++) {
		large_gen(&g, m, 1500, &r);
		g.pending = i & 1 ? 2 : 0;
		gen_good(&h, &g, &r);
		do {
			k = rnd(&r, h.n);
		} while (!looks(m, &h.ops[k]) ||
			 (m == &lin_log && h.ops[k].kind == LIN_LOG_READ &&
			  !h.ops[k].nlist));
		never(m, &h.ops[k]);
		res = lin_check(m, h.ops, h.n, 0);
		good = res.status == LIN_VIOLATION && res.bad == k &&
		       stream_agrees(&h, &res, &r, 5);
		if (!good)
			tap_note("round %u: %s at %zu, not %zu", i,
				 lin_status_name(res.status), res.bad, k);
		lin_hist_free(&h);
	}
	tap(good, "%s: %u histories with an impossible answer are bad", m->name,
	    rounds);
}

/* The value an overwritten write left, if @read must not see it. */
static bool stale_value(const struct lin_hist *h, size_t read, uint64_t *value)
{
	const struct lin_op *later = NULL;
	size_t i;

	for (i = h->n; i-- > 0;) {
		const struct lin_op *op = &h->ops[i];

		if (op->kind != LIN_REG_WRITE || op->obj != h->ops[read].obj)
			continue;
		if (!later && op->ret < h->ops[read].call) {
			later = op;
		} else if (later && op->ret < later->call) {
			*value = op->arg[0];
			return true;
		}
	}
	return false;
}

static void test_stale(unsigned int rounds)
{
	struct rng r = { 0x57a1e ^ seed };
	struct lin_result res;
	unsigned int i = 0;
	struct lin_hist h;
	struct gen g;
	bool good = true;
	size_t k;

	while (i < rounds && good) {
		large_gen(&g, &lin_register, 1500, &r);
		gen_good(&h, &g, &r);
		k = rnd(&r, h.n);
		if (h.ops[k].kind == LIN_REG_READ &&
		    stale_value(&h, k, &h.ops[k].res[0])) {
			res = lin_check(&lin_register, h.ops, h.n, 0);
			good = res.status == LIN_VIOLATION && res.bad == k &&
			       stream_agrees(&h, &res, &r, 5);
			i++;
		}
		lin_hist_free(&h);
	}
	tap(good, "register: %u histories with one stale read are bad", rounds);
}

/* Logs which only grow: a list without one of its entries was never there. */
static void test_lost(unsigned int rounds)
{
	struct rng r = { 0x105e ^ seed };
	struct lin_result res;
	unsigned int i = 0;
	struct lin_hist h;
	struct gen g;
	bool good = true;
	size_t k, n;

	while (i < rounds && good) {
		large_gen(&g, &lin_log, 150, &r);
		g.objects = 4;
		g.no_trunc = true;
		gen_good(&h, &g, &r);
		k = rnd(&r, h.n);
		n = h.ops[k].nlist;
		if (h.ops[k].kind == LIN_LOG_READ && n > 1) {
			uint32_t *list = (uint32_t *)(uintptr_t)h.ops[k].list;

			n = rnd(&r, n - 1);
			memmove(list + n, list + n + 1,
				(h.ops[k].nlist - n - 1) * sizeof(*list));
			h.ops[k].nlist--;
			res = lin_check(&lin_log, h.ops, h.n, 0);
			good = res.status == LIN_VIOLATION;
			i++;
		}
		lin_hist_free(&h);
	}
	tap(good, "log: %u histories with a lost append are bad", rounds);
}

static void test_budget(void)
{
	struct rng r = { 0xb4d9e7 ^ seed };
	struct lin_result res;
	struct lin_hist h;
	struct gen g;

	large_gen(&g, &lin_tree, 1500, &r);
	gen_good(&h, &g, &r);
	res = lin_check(&lin_tree, h.ops, h.n, 100);
	tap(res.status == LIN_BUDGET, "an exhausted budget is neither good nor bad");
	lin_hist_free(&h);
}

/* Memory of a stream stays bounded when its clients rest now and then. */
static void test_stream_memory(const struct lin_model *m)
{
	struct rng r = { 0x57e4 ^ seed };
	struct lin_stream *s = lin_stream_new(m, 0);
	struct lin_result res = { .status = LIN_OK };
	size_t i, most = 0;
	struct lin_hist h;
	struct gen g;

	large_gen(&g, m, 20000, &r);
	g.rest = 50;
	g.unknown = 5;
	gen_good(&h, &g, &r);
	for (i = 0; i < h.n && !res.status; i++) {
		lin_stream_add(s, &h.ops[i]);
		if (i % 100 == 99 && i + 1 < h.n)
			res = lin_stream_cut(s, h.ops[i + 1].call - 1);
		if (most < lin_stream_kept(s))
			most = lin_stream_kept(s);
	}
	if (!res.status)
		res = lin_stream_end(s);
	tap(!res.status && most < 400,
	    "%s: a stream with rests keeps %zu of 20000 operations: %s", m->name,
	    most, lin_status_name(res.status));
	lin_stream_free(s);
	lin_hist_free(&h);
}

static void test_stream_misuse(void)
{
	struct lin_stream *s = lin_stream_new(&lin_register, 0);
	struct lin_op op = { .call = 10, .ret = 20, .kind = LIN_REG_WRITE };
	bool good;

	good = !lin_stream_add(s, &op) && !lin_stream_cut(s, 20).status;
	op.call = 20;
	good = good && lin_stream_add(s, &op) &&
	       lin_stream_cut(s, 30).status == LIN_INVALID;
	lin_stream_free(s);
	op.err = -EIO;
	good = good && lin_check(&lin_register, &op, 1, 0).status == LIN_INVALID;
	tap(good, "late operations and open-ended errors are refused");
}

/* test_lin [SCALE [SEED]] */
int main(int argc, char **argv)
{
	unsigned int scale = argc > 1 ? (unsigned int)atoi(argv[1]) : 1;
	size_t i;

	/* spread it, neighbouring seeds are alike in their low bits */
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0) * 0x9e3779b97f4a7c15ull;
	setvbuf(stdout, NULL, _IOLBF, 0);
	tap_plan(hand_count() + 5 * (unsigned int)NMODELS + 4);
	hand_run();
	for (i = 0; i < NMODELS; i++) {
		test_small(models[i], 8000 * scale);
		test_good(models[i], 40 * scale, false);
		test_good(models[i], 40 * scale, true);
		test_never(models[i], 40 * scale);
		test_stream_memory(models[i]);
	}
	test_stale(40 * scale);
	test_lost(100 * scale);
	test_budget();
	test_stream_misuse();
	return failed ? 1 : 0;
}
