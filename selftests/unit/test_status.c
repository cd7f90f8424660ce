// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl status: what is shown of what the kernel says, for people and programs.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../tools/status.h"
#include "../../tools/units.h"

static char out[8192];

/* Two origins, one of them in trouble; three mounts. */
static struct status two_origins(void)
{
	struct status s = {
		.origins = calloc(2, sizeof(*s.origins)),
		.norigins = 2,
		.mounts = calloc(3, sizeof(*s.mounts)),
		.nmounts = 3,
	};

	s.origins[0] = (struct status_origin){
		.nr = 1,
		.name = strdup("good.example"),
		.sid = 0xfedcba9876543210,
		.left = 8400 * NSEC_PER_MSEC,
		.ttl = 10 * NSEC_PER_SEC,
		.leases = 11,
		.cached = 12,
		.helper = 812,
	};
	s.origins[1] = (struct status_origin){
		.nr = 3,
		.name = strdup("bad.example:7200"),
		.trouble = strdup("refused\033[2J\xff"),
		.ttl = 10 * NSEC_PER_SEC,
		.pending = 4,
		.helper = 812,
	};
	s.mounts[0] = (struct status_mount){
		.nr = 2,
		.origin = 1,
		.name = strdup("good.example:/a"),
		.dirs = calloc(2, sizeof(char *)),
		.ndirs = 2,
		.known = GNS_C_MAX,
		.v = { [GNS_C_READ_BYTES] = 10ull << 30,
		       [GNS_C_FILL_BYTES] = 1ull << 30,
		       [GNS_C_PASS_BYTES] = 1ull << 29,
		       [GNS_C_CALLS] = 77,
		       [GNS_C_REVOKES] = 5 },
	};
	s.mounts[0].dirs[0] = strdup("/mnt/a");
	s.mounts[0].dirs[1] = strdup("/srv/a");
	s.mounts[1] = (struct status_mount){
		.nr = 4,
		.origin = 3,
		.name = strdup("bad.example:7200:/b"),
		.known = 2,
		.v = { [GNS_C_READ_BYTES] = 1, [GNS_C_FILL_BYTES] = 4096 },
	};
	s.mounts[2] = (struct status_mount){
		.nr = 5,
		.origin = 3,
		.name = strdup("b:/\xc3("),
	};
	return s;
}

static const char *text_of(const struct status *s)
{
	FILE *f = fmemopen(out, sizeof(out), "w");

	assert_non_null(f);
	status_text(s, f);
	fclose(f);
	return out;
}

static const char expected[] =
	"  origin: good.example\n"
	" session: live, 8.4 s of 10.0 s left\n"
	"  helper: process 812\n"
	" objects: 11 leased, 12 cached\n"
	"   calls: 0 pending\n"
	" trouble: none known\n"
	"\n"
	"   NR       READ        HIT       MISS     HITS      CALLS  REVOKES RESTARTS  MOUNT\n"
	"    2   10.0 GiB    8.5 GiB    1.5 GiB   85.0 %         77        5        0  good.example:/a on /mnt/a, /srv/a\n"
	"\n"
	"  origin: bad.example:7200\n"
	" session: none, reads wait for the origin\n"
	"  helper: process 812\n"
	" objects: 0 leased, 0 cached\n"
	"   calls: 4 pending\n"
	" trouble: refused?[2J\xff\n"
	"\n"
	"   NR       READ        HIT       MISS     HITS      CALLS  REVOKES RESTARTS  MOUNT\n"
	"    4        1 B        0 B    4.0 KiB    0.0 %          0        0        0  bad.example:7200:/b\n"
	"    5        0 B        0 B        0 B        -          0        0        0  b:/\xc3(\n";

static void test_text(void **state)
{
	struct status s = two_origins();

	assert_string_equal(text_of(&s), expected);
	status_free(&s);
	assert_string_equal(text_of(&s), "nothing is mounted\n");
}

static void test_sessions(void **state)
{
	struct status_origin o = { .sid = 1, .left = 1, .helper = 1 };

	assert_string_equal(status_session(&o), "live");
	o.left = 0;
	assert_string_equal(status_session(&o), "expired");
	o.sid = 0;
	assert_string_equal(status_session(&o), "none");
	/* A dead helper's session lives on for a while. */
	o.sid = 1;
	o.left = 1;
	o.helper = 0;
	assert_string_equal(status_session(&o), "live");
}

static void test_json(void **state)
{
	struct status s = two_origins();
	const char *name, *key;
	json_int_t hit, miss;
	json_t *j, *counters;
	FILE *f = fmemopen(out, sizeof(out), "w");

	assert_int_equal(status_json(&s, f), 0);
	fclose(f);
	j = json_loads(out, 0, NULL);
	assert_non_null(j);
	assert_int_equal(json_array_size(json_object_get(j, "origins")), 2);
	assert_int_equal(json_unpack(j, "{s:[{s:s,s:{s:s},s:[{s:I,s:I,s:o}]}]}",
				     "origins", "name", &name, "session", "id",
				     &key, "mounts", "hit_bytes", &hit,
				     "miss_bytes", &miss, "counters", &counters),
			 0);
	assert_string_equal(name, "good.example");
	assert_string_equal(key, "fedcba9876543210");
	assert_int_equal(hit, 17ull << 29);
	assert_int_equal(miss, 3ull << 29);
	assert_int_equal(json_object_size(counters), GNS_C_MAX);
	/* What is no UTF-8 does not make it no JSON. */
	assert_int_equal(json_unpack(j, "{s:[o,{s:s,s:[o,{s:s,s:{}}]}]}",
				     "origins", &counters, "trouble", &key,
				     "mounts", &counters, "source", &name,
				     "counters"),
			 0);
	assert_string_equal(key, "refused\033[2J?");
	assert_string_equal(name, "b:/?(");
	json_decref(j);
	status_free(&s);
}

static void test_pick(void **state)
{
	struct status s = two_origins();

	assert_false(status_pick(&s, "/nowhere"));
	assert_false(status_pick(&s, "1")); /* an origin's number */
	assert_int_equal(s.nmounts, 3);
	assert_true(status_pick(&s, "bad.example:7200"));
	assert_int_equal(s.nmounts, 2);
	assert_int_equal(s.norigins, 1);
	assert_true(status_pick(&s, "5"));
	assert_int_equal(s.nmounts, 1);
	assert_int_equal(s.mounts[0].nr, 5);
	status_free(&s);

	s = two_origins();
	assert_true(status_pick(&s, "/srv/a"));
	assert_int_equal(s.norigins, 1);
	assert_string_equal(s.origins[0].name, "good.example");
	status_free(&s);

	s = two_origins();
	assert_true(status_pick(&s, "bad.example:7200:/b"));
	assert_int_equal(s.nmounts, 1);
	assert_int_equal(s.origins[0].nr, 3);
	status_free(&s);
}

static void test_counters_have_names(void **state)
{
	u32 i, j;

	for (i = 0; i < GNS_C_MAX; i++) {
		assert_non_null(status_counter(i));
		for (j = 0; j < i; j++)
			assert_string_not_equal(status_counter(i),
						status_counter(j));
	}
}

static void test_units(void **state)
{
	static const struct {
		u64 n;
		const char *bytes;
		const char *ns;
	} t[] = {
		{ 0, "0 B", "0 s" },
		{ 1023, "1023 B", "0 s" },
		{ 1024, "1.0 KiB", "0 s" },
		{ 102348, "99.9 KiB", "0 s" },
		{ 102400, "100 KiB", "0 s" },
		{ 999999, "977 KiB", "0 s" },
		{ 1048575, "1.0 MiB", "1 ms" },
		{ 1000000000, "954 MiB", "1.0 s" },
		{ 119999999999, "112 GiB", "119.9 s" },
		{ 120000000000, "112 GiB", "2 min" },
		{ UINT64_MAX, "16.0 EiB", "307445734 min" },
	};
	char buf[UNITS_LEN];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		assert_string_equal(units_bytes(buf, t[i].n), t[i].bytes);
		assert_string_equal(units_ns(buf, t[i].n), t[i].ns);
	}
	assert_string_equal(units_percent(buf, 0, 0), "-");
	assert_string_equal(units_percent(buf, 1, 3), "33.3 %");
	assert_string_equal(units_percent(buf, UINT64_MAX, UINT64_MAX),
			    "100.0 %");
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		u64 bytes;
	} good[] = {
		{ "0", 0 },
		{ "512", 512 },
		{ "1K", 1024 },
		{ "500G", 500ull << 30 },
		{ "16777215T", 16777215ull << 40 },
		{ "18446744073709551615", UINT64_MAX },
	};
	static const char *const bad[] = {
		"",
		"K",
		"-1",
		" 1",
		"1 K",
		"1k",
		"1KB",
		"1.5G",
		"0x10",
		"16777216T",
		"18446744073709551616",
	};
	size_t i;
	u64 n;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(units_parse(good[i].text, &n));
		assert_int_equal(n, good[i].bytes);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(units_parse(bad[i], &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_pick),
		cmocka_unit_test(test_counters_have_names),
		cmocka_unit_test(test_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
