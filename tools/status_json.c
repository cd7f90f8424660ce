// SPDX-License-Identifier: GPL-2.0
/*
 * The status as JSON. Keys are only ever added; times are in ns, sizes in bytes.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"

/* Names are bytes, JSON is UTF-8: what is not, loses what is not ASCII. */
static json_t *text(const char *s)
{
	json_t *j = json_string(s);
	char *copy;
	size_t i;

	if (j)
		return j;
	copy = strdup(s);
	if (!copy)
		return NULL;
	for (i = 0; copy[i]; i++) {
		if ((unsigned char)copy[i] >= 0x80)
			copy[i] = '?';
	}
	j = json_string(copy);
	free(copy);
	return j;
}

static json_t *number(u64 n)
{
	return json_integer((json_int_t)min_u64(n, INT64_MAX));
}

static json_t *mount_json(const struct status_mount *m)
{
	json_t *dirs = json_array(), *counters = json_object();
	size_t i;

	for (i = 0; i < m->ndirs; i++)
		json_array_append_new(dirs, text(m->dirs[i]));
	for (i = 0; i < m->known; i++)
		json_object_set_new(counters, status_counter(i),
				    number(m->v[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "nr", number(m->nr),
			 "source", text(m->name), "dirs", dirs, "hit_bytes",
			 number(status_hit(m)), "miss_bytes",
			 number(status_miss(m)), "counters", counters);
}

static json_t *origin_json(const struct status *s,
			   const struct status_origin *o)
{
	json_t *mounts = json_array(), *session;
	char sid[19];
	size_t i;

	for (i = 0; i < s->nmounts; i++) {
		if (s->mounts[i].origin == o->nr)
			json_array_append_new(mounts, mount_json(&s->mounts[i]));
	}
	/* All 64 bits of it: too much for many readers of numbers. */
	snprintf(sid, sizeof(sid), "%016" PRIx64, o->sid);
	session = json_pack("{s:s, s:o, s:o, s:o}", "state", status_session(o),
			    "id", o->sid ? json_string(sid) : json_null(),
			    "left_ns", number(o->left), "ttl_ns",
			    number(o->ttl));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "nr",
			 number(o->nr), "name", text(o->name), "session",
			 session, "helper_pid",
			 o->helper ? number(o->helper) : json_null(), "leases",
			 number(o->leases), "cached", number(o->cached),
			 "pending", number(o->pending), "trouble",
			 o->trouble ? text(o->trouble) : json_null(), "mounts",
			 mounts);
}

int status_json(const struct status *s, FILE *to)
{
	json_t *origins = json_array(), *all;
	size_t i;
	int err;

	for (i = 0; i < s->norigins; i++)
		json_array_append_new(origins, origin_json(s, &s->origins[i]));
	all = json_pack("{s:i, s:o}", "format", 1, "origins", origins);
	if (!all || json_array_size(origins) != s->norigins) {
		json_decref(all);
		return -1;
	}
	err = json_dumpf(all, to, JSON_COMPACT | JSON_PRESERVE_ORDER);
	fputc('\n', to);
	json_decref(all);
	return err;
}
