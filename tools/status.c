// SPDX-License-Identifier: GPL-2.0
/*
 * The status in memory: what belongs together, and what follows from it.
 */
#include <stdlib.h>
#include <string.h>

#include "status.h"

static const char *const counters[GNS_C_MAX] = {
	[GNS_C_READ_BYTES] = "read_bytes",
	[GNS_C_FILL_BYTES] = "fill_bytes",
	[GNS_C_PASS_BYTES] = "pass_bytes",
	[GNS_C_READS] = "reads",
	[GNS_C_FILLS] = "fills",
	[GNS_C_FILLS_STALE] = "fills_stale",
	[GNS_C_RESTARTS] = "restarts",
	[GNS_C_CALLS] = "calls",
	[GNS_C_LOOKUPS] = "lookups",
	[GNS_C_GETATTRS] = "getattrs",
	[GNS_C_READDIRS] = "readdirs",
	[GNS_C_REVALIDATED] = "revalidated",
	[GNS_C_KEPT] = "kept",
	[GNS_C_GRANTS] = "grants",
	[GNS_C_REVOKES] = "revokes",
	[GNS_C_FAULTS] = "faults",
	[GNS_C_DENTRY_HITS] = "dentry_hits",
	[GNS_C_WRITES] = "writes",
	[GNS_C_WRITE_BYTES] = "write_bytes",
	[GNS_C_CHANGES] = "changes",
	[GNS_C_CACHE_BYTES] = "cache_bytes",
	[GNS_C_CACHE_BAD] = "cache_bad",
	[GNS_C_DIRECT_BYTES] = "direct_bytes",
	[GNS_C_DIRECT_COPIED] = "direct_copied",
	[GNS_C_DIRECT_BUFFERED] = "direct_buffered",
	[GNS_C_FILES_AHEAD] = "files_ahead",
};

const char *status_counter(u32 counter)
{
	return counters[counter];
}

u64 status_miss(const struct status_mount *m)
{
	return m->v[GNS_C_FILL_BYTES] + m->v[GNS_C_PASS_BYTES];
}

/* Readahead fetches more than is read: that is no hit below zero. */
u64 status_hit(const struct status_mount *m)
{
	u64 read = m->v[GNS_C_READ_BYTES], miss = status_miss(m);

	return read > miss ? read - miss : 0;
}

const char *status_session(const struct status_origin *o)
{
	if (!o->sid)
		return "none";
	return o->left ? "live" : "expired";
}

static void free_origin(struct status_origin *o)
{
	free(o->name);
	free(o->trouble);
}

static void free_mount(struct status_mount *m)
{
	size_t i;

	for (i = 0; i < m->ndirs; i++)
		free(m->dirs[i]);
	free(m->dirs);
	free(m->name);
}

void status_free(struct status *s)
{
	size_t i;

	for (i = 0; i < s->norigins; i++)
		free_origin(&s->origins[i]);
	for (i = 0; i < s->nmounts; i++)
		free_mount(&s->mounts[i]);
	free(s->origins);
	free(s->mounts);
	*s = (struct status){ .origins = NULL };
}

static bool is_number(const char *what, u32 nr)
{
	char *end;

	return *what >= '0' && *what <= '9' &&
	       strtoul(what, &end, 10) == nr && !*end;
}

bool status_is(const struct status_mount *m, const char *what)
{
	size_t i;

	if (!strcmp(m->name, what) || is_number(what, m->nr))
		return true;
	for (i = 0; i < m->ndirs; i++) {
		if (!strcmp(m->dirs[i], what))
			return true;
	}
	return false;
}

static bool has_mounts(const struct status *s, u32 origin)
{
	size_t i;

	for (i = 0; i < s->nmounts; i++) {
		if (s->mounts[i].origin == origin)
			return true;
	}
	return false;
}

static const struct status_origin *named(const struct status *s,
					 const char *name)
{
	size_t i;

	for (i = 0; i < s->norigins; i++) {
		if (!strcmp(s->origins[i].name, name))
			return &s->origins[i];
	}
	return NULL;
}

static bool mounted(const struct status *s, const char *what)
{
	size_t i;

	for (i = 0; i < s->nmounts; i++) {
		if (status_is(&s->mounts[i], what))
			return true;
	}
	return false;
}

bool status_pick(struct status *s, const char *what)
{
	const struct status_origin *o = named(s, what);
	u32 nr = o ? o->nr : 0;
	size_t i, n;

	if (!o && !mounted(s, what))
		return false;
	for (i = n = 0; i < s->nmounts; i++) {
		if (o ? s->mounts[i].origin == nr :
			status_is(&s->mounts[i], what))
			s->mounts[n++] = s->mounts[i];
		else
			free_mount(&s->mounts[i]);
	}
	s->nmounts = n;
	for (i = n = 0; i < s->norigins; i++) {
		if (o ? s->origins[i].nr == nr :
			has_mounts(s, s->origins[i].nr))
			s->origins[n++] = s->origins[i];
		else
			free_origin(&s->origins[i]);
	}
	s->norigins = n;
	return true;
}
