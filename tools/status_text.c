// SPDX-License-Identifier: GPL-2.0
/*
 * The status for people: a block for each origin, and a table of its mounts.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "status.h"
#include "units.h"

/* Names come from others: nothing of them may steer a terminal. */
static void put_text(const char *s, FILE *to)
{
	for (; *s; s++)
		fputc(iscntrl((unsigned char)*s) ? '?' : *s, to);
}

static void put_session(const struct status_origin *o, FILE *to)
{
	char left[UNITS_LEN], ttl[UNITS_LEN];

	if (o->sid && o->left)
		fprintf(to, " session: live, %s of %s left\n",
			units_ns(left, o->left), units_ns(ttl, o->ttl));
	else
		fprintf(to, " session: %s, reads wait for the origin\n",
			status_session(o));
	if (o->helper)
		fprintf(to, "  helper: process %" PRIu32 "\n", o->helper);
	else
		fputs("  helper: none runs here: systemctl start gns-helperd\n",
		      to);
}

static void put_origin(const struct status_origin *o, FILE *to)
{
	fputs("  origin: ", to);
	put_text(o->name, to);
	fputc('\n', to);
	put_session(o, to);
	fprintf(to, " objects: %" PRIu64 " leased, %" PRIu64 " cached\n",
		o->leases, o->cached);
	fprintf(to, "   calls: %" PRIu64 " pending\n", o->pending);
	fputs(" trouble: ", to);
	put_text(o->trouble ? o->trouble : "none known", to);
	fputc('\n', to);
}

static void put_mount(const struct status_mount *m, FILE *to)
{
	char read[UNITS_LEN], hit[UNITS_LEN], miss[UNITS_LEN], part[UNITS_LEN];
	u64 hits = status_hit(m), misses = status_miss(m);
	size_t i;

	fprintf(to, "%5" PRIu32 " %10s %10s %10s %8s %10" PRIu64 " %8" PRIu64 " %8" PRIu64 "  ",
		m->nr, units_bytes(read, m->v[GNS_C_READ_BYTES]),
		units_bytes(hit, hits), units_bytes(miss, misses),
		units_percent(part, hits, hits + misses), m->v[GNS_C_CALLS],
		m->v[GNS_C_REVOKES], m->v[GNS_C_RESTARTS]);
	put_text(m->name, to);
	for (i = 0; i < m->ndirs; i++) {
		fputs(i ? ", " : " on ", to);
		put_text(m->dirs[i], to);
	}
	fputc('\n', to);
}

static void put_mounts(const struct status *s, u32 origin, FILE *to)
{
	bool any = false;
	size_t i;

	for (i = 0; i < s->nmounts; i++) {
		if (s->mounts[i].origin != origin)
			continue;
		if (!any)
			fprintf(to, "\n%5s %10s %10s %10s %8s %10s %8s %8s  %s\n",
				"NR", "READ", "HIT", "MISS", "HITS", "CALLS",
				"REVOKES", "RESTARTS", "MOUNT");
		any = true;
		put_mount(&s->mounts[i], to);
	}
}

void status_text(const struct status *s, FILE *to)
{
	size_t i;

	if (!s->norigins)
		fputs("nothing is mounted\n", to);
	for (i = 0; i < s->norigins; i++) {
		if (i)
			fputc('\n', to);
		put_origin(&s->origins[i], to);
		put_mounts(s, s->origins[i].nr, to);
	}
}
