// SPDX-License-Identifier: GPL-2.0
/*
 * One run: a world from a seed, until its applications are done.
 */
#include <stdlib.h>
#include <string.h>

#include "kmodel.h"

/* After the faults, everything asked has to be answered within this time. */
#define PATIENCE (60 * SEC)
/* So long after the last close an origin may not know of it: it asks then. */
#define ORPHANS_STAY (1300 * SEC)
/* The last part of a run is without faults. */
#define CALM (2 * SEC)

enum gns_mutant_rule gns_mutant;

static bool busy(struct sim *s)
{
	u32 i, a;

	for (i = 0; i < SIM_SATS; i++)
		for (a = 0; a < K_APPS; a++)
			if (s->kern[i]->ops[a])
				return true;
	return false;
}

static void stuck(struct sim *s)
{
	u32 i, a;

	for (i = 0; i < SIM_SATS; i++) {
		for (a = 0; a < K_APPS; a++) {
			struct kop *op = s->kern[i]->ops[a];

			if (op)
				sim_fail(s, "stuck",
					 "sat%u app%u: %s on %u has no answer",
					 i, a, kop_name(op->kind), op->ino);
		}
	}
}

static void play(struct sim *s)
{
	while (!s->failed && sim_step(s)) {
		if (s->now < s->opts.duration)
			continue;
		if (!busy(s) && !simfs_orphans(s->fs))
			break;
		if (s->now > s->opts.duration + PATIENCE && busy(s))
			stuck(s);
		else if (s->now > s->opts.duration + ORPHANS_STAY)
			sim_fail(s, "orphan", "%u files without a name stay",
				 simfs_orphans(s->fs));
	}
	if (!s->failed)
		history_check(s->hist);
}

static void settle_up(struct sim *s, struct sim_result *r)
{
	u32 i;

	for (i = 0; i < F_MAX; i++)
		r->faults[i] += s->faults[i];
	r->nfaults += s->nfaults;
	r->ops += history_ops(s->hist);
	r->unsure = false;
	if (!s->failed)
		return;
	r->unsure = !strcmp(s->failed, "not decided") ||
		    !strcmp(s->failed, "bad record");
	snprintf(r->why, sizeof(r->why), "%s: %s (at %.6f s)", s->failed,
		 s->why, s->now / 1e9);
}

bool sim_run(const struct sim_opts *opts, struct sim_result *r)
{
	struct sim *s = calloc(1, sizeof(*s));
	bool ok;
	u32 i;

	if (!s)
		abort();
	s->opts = *opts;
	s->rng = opts->seed * 0x2545f4914f6cdd1dull + 1;
	s->story = opts->story ? stdout : NULL;
	if (s->story)
		s->proof = open_memstream(&s->proof_text, &s->proof_len);
	s->quiet_from = opts->duration - min_u64(opts->duration, CALM);
	s->orig = orig_new(s);
	s->fs = simfs_new(s, &s->orig->host);
	s->db = simdb_new(s);
	s->net = net_new(s);
	s->hist = history_new(s);
	orig_start(s->orig);
	for (i = 0; i < SIM_SATS; i++)
		s->kern[i] = kmodel_new(s, i);
	nemesis_start(s);
	files_start(s);
	play(s);
	ok = !s->failed;
	settle_up(s, r);
	verdict_tell(s);
	for (i = 0; i < SIM_SATS; i++)
		kmodel_free(s->kern[i]);
	orig_free(s->orig);
	history_free(s->hist);
	sim_drop_events(s);
	net_free(s->net);
	seen_free(s);
	simfs_free(s->fs);
	simdb_free(s->db);
	free(s);
	return ok;
}
