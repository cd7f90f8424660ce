// SPDX-License-Identifier: GPL-2.0
/* How long histories of different kinds take; not a test. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test_int.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void line(const char *what, const struct gen *g,
		 const struct lin_result *r, double t)
{
	printf("%-9s %-30s %7zu ops %8.4f s %9.0f ops/s %6.1f steps/op  %s\n",
	       g->m->name, what, g->n, t, (double)g->n / t,
	       (double)r->steps / (double)g->n, lin_status_name(r->status));
}

static void whole(const char *what, const struct gen *g, bool spoil)
{
	struct rng r = { 0xbe7c4 };
	struct lin_result res;
	struct lin_hist h;
	double t;
	size_t k;

	gen_good(&h, g, &r);
	for (k = h.n; spoil && k-- > 0;) {
		if (!g->m->pure(&h.ops[k]) || h.ops[k].err || h.ops[k].nlist)
			continue;
		h.ops[k].res[0] = 10000000;
		break;
	}
	t = now();
	res = lin_check(g->m, h.ops, h.n, 0);
	line(what, g, &res, now() - t);
	lin_hist_free(&h);
}

static void piecewise(const char *what, const struct gen *g)
{
	struct lin_stream *s = lin_stream_new(g->m, 0);
	struct lin_result res = { .status = LIN_OK };
	struct rng r = { 0xbe7c4 };
	struct lin_hist h;
	size_t i, most = 0;
	double t;

	gen_good(&h, g, &r);
	t = now();
	for (i = 0; i < h.n && !res.status; i++) {
		lin_stream_add(s, &h.ops[i]);
		if (i % 500 == 499 && i + 1 < h.n)
			res = lin_stream_cut(s, h.ops[i + 1].call - 1);
		if (most < lin_stream_kept(s))
			most = lin_stream_kept(s);
	}
	if (!res.status)
		res = lin_stream_end(s);
	t = now() - t;
	line(what, g, &res, t);
	printf("%-9s %-30s at most %zu operations kept\n", "", "", most);
	lin_stream_free(s);
	lin_hist_free(&h);
}

static void bench(const struct lin_model *m)
{
	struct gen g = {
		.m = m,
		.n = 10000,
		.clients = 8,
		.objects = 1,
		.reads = 50,
		.span = 100,
	};

	whole("one object, no pause", &g, false);
	g.reads = 5;
	whole("one object, 95% changes", &g, false);
	g.reads = 50;
	g.gap = 300;
	whole("one object, pauses", &g, false);
	g.pending = 2;
	whole("same, 0.2% pending", &g, false);
	g.unknown = 5;
	whole("same, 0.5% unknown", &g, false);
	g.pending = 0;
	g.unknown = 0;
	g.gap = 0;
	whole("no pause, bad at the end", &g, true);
	g.gap = 300;
	whole("pauses, bad at the end", &g, true);
	g.n = 300000;
	g.objects = m->per_object ? 16 : 1;
	whole("long", &g, false);
	whole("long, bad at the end", &g, true);
	g.rest = 100;
	piecewise("long, in pieces", &g);
	g.gap = 0;
	piecewise("long, no pause, in pieces", &g);
	g.pending = 1;
	g.n = 100000;
	piecewise("same, 0.1% pending", &g);
	g.pending = 0;
	g.unknown = 5;
	piecewise("same, 0.5% unknown", &g);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench(&lin_register);
	bench(&lin_log);
	bench(&lin_tree);
	return 0;
}
