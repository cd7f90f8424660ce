// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration: what is said arrives, and what is wrong is named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/conf.h"
#include "lib/log.h"

static char file[32];
static char err[512];

static void write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Flags end with NULL; text NULL: no file. */
static struct gns_conf *load(const char *text, ...)
{
	char *argv[16] = { "gns-helperd" };
	int argc = 1;
	va_list ap;

	if (text) {
		write_file(text);
		argv[argc++] = "--config";
		argv[argc++] = file;
	}
	va_start(ap, text);
	while ((argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	err[0] = '\0';
	return gns_conf_load(argc, argv, err, sizeof(err));
}

static void test_all_keys(void **state)
{
	struct gns_conf *c = load("# a comment\n"
				  "[daemon]\n"
				  "state = /s ; another\n"
				  "  insecure = yes\n"
				  "log_level=debug\r\n"
				  "[origin]\n"
				  "listen = 10.0.0.1:1\n"
				  "\tlisten = [::1]:2\n"
				  "ttl = 2.5\n"
				  "max_connections = 7\n"
				  "[export  a.b-c]\n"
				  "path = /x y,z\n"
				  "read_only = true\n"
				  "squash = all\n"
				  "anon_uid = 5\n"
				  "anon_gid = 6\n"
				  "[export b]\n"
				  "path=/b",
				  NULL);

	assert_string_equal(err, "");
	assert_non_null(c);
	assert_int_equal(c->todo, GNS_CONF_RUN);
	assert_string_equal(c->file, file);
	assert_string_equal(c->state, "/s");
	assert_true(c->insecure);
	assert_int_equal(c->log_level, GNS_LOG_DEBUG);
	assert_int_equal(c->nlisten, 2);
	assert_string_equal(c->listen[0], "10.0.0.1:1");
	assert_string_equal(c->listen[1], "[::1]:2");
	assert_int_equal(c->ttl, 2500 * NSEC_PER_MSEC);
	assert_int_equal(c->max_connections, 7);
	assert_int_equal(c->nexports, 2);
	assert_string_equal(c->exports[0].name, "a.b-c");
	assert_string_equal(c->exports[0].path, "/x y,z");
	assert_true(c->exports[0].read_only);
	assert_int_equal(c->exports[0].squash, GNS_SQUASH_ALL);
	assert_int_equal(c->exports[0].anon_uid, 5);
	assert_int_equal(c->exports[0].anon_gid, 6);
	assert_string_equal(c->exports[1].name, "b");
	assert_false(c->exports[1].read_only);
	assert_int_equal(c->exports[1].squash, GNS_SQUASH_ROOT);
	assert_int_equal(c->exports[1].anon_uid, GNS_CONF_ANON);
	gns_conf_free(c);
}

static void test_flags(void **state)
{
	static const char text[] = "[daemon]\nstate = /s\n"
				   "[origin]\nlisten = 1.1.1.1\nttl = 3\n"
				   "[export f]\npath = /f\n";
	struct gns_conf *c;

	c = load(text,
		 "--listen", "127.0.0.1:9", "--ttl=20", "--state", "/t",
		 "--insecure", "--export", "g=/g,ro,squash=none,anon_uid=9",
		 "--log-level=error", "--foreground", NULL);

	assert_string_equal(err, "");
	assert_non_null(c);
	assert_string_equal(c->state, "/t");
	assert_true(c->insecure);
	assert_int_equal(c->nlisten, 1);
	assert_string_equal(c->listen[0], "127.0.0.1:9");
	assert_int_equal(c->ttl, 20 * NSEC_PER_SEC);
	assert_int_equal(c->log_level, GNS_LOG_ERR);
	assert_int_equal(c->nexports, 2);
	assert_string_equal(c->exports[1].name, "g");
	assert_string_equal(c->exports[1].path, "/g");
	assert_true(c->exports[1].read_only);
	assert_int_equal(c->exports[1].squash, GNS_SQUASH_NONE);
	assert_int_equal(c->exports[1].anon_uid, 9);
	gns_conf_free(c);
}

static void test_defaults(void **state)
{
	struct gns_conf *c = load("", "--export", "a=/a", NULL);

	assert_non_null(c);
	assert_string_equal(c->state, GNS_CONF_STATE);
	assert_false(c->insecure);
	assert_int_equal(c->nlisten, 1);
	assert_string_equal(c->listen[0], GNS_CONF_LISTEN);
	assert_int_equal(c->ttl, GNS_TTL_DEFAULT_NS);
	assert_int_equal(c->log_level, GNS_LOG_INFO);
	gns_conf_free(c);
}

static void test_todo(void **state)
{
	static const struct {
		const char *flag;
		enum gns_conf_todo todo;
	} v[] = {
		{ "--help", GNS_CONF_HELP },
		{ "--version", GNS_CONF_VERSION },
		{ "--check-config", GNS_CONF_CHECK },
	};
	struct gns_conf *c;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		c = load(NULL, "--export=a=/a", v[i].flag, NULL);
		assert_non_null(c);
		assert_int_equal(c->todo, v[i].todo);
		gns_conf_free(c);
	}
}

/* What is wrong in a file is told with file, line and key. */
static void test_bad_files(void **state)
{
	static const struct {
		const char *text, *want;
	} v[] = {
		{ "[daemon]\nstat = /s\n", ":2: unknown key stat in [daemon]" },
		{ "[daemn]\n", ":1: unknown section [daemn]" },
		{ "\n\n[daemn]\nx = 1\n", ":3: unknown section [daemn]" },
		{ "state = /s\n", ":1: state: not in a section" },
		{ "[daemon]\nstate =\n", ":2: state: no value" },
		{ "[daemon]\nstate\n", ":2: neither [section] nor" },
		{ "[daemon\n", ":1: neither [section] nor" },
		{ "[daemon]\ninsecure = maybe\n", ":2: insecure: maybe is" },
		{ "[daemon]\nlog_level = 7\n", ":2: log_level: 7 is not" },
		{ "[origin]\nttl = 0.4\n", ":2: ttl: 0.4 is not" },
		{ "[origin]\nttl = 1000\n", ":2: ttl: 1000 is not" },
		{ "[origin]\nttl = 0x9\n", ":2: ttl: 0x9 is not" },
		{ "[origin]\nttl = 1e1\n", ":2: ttl: 1e1 is not" },
		{ "[origin]\nttl = nan\n", ":2: ttl: nan is not" },
		{ "[origin]\nttl = 1.2.3\n", ":2: ttl: 1.2.3 is not" },
		{ "[origin]\nttl = .\n", ":2: ttl: . is not" },
		{ "[origin]\nmax_connections = 0\n",
		  ":2: max_connections: 0 is not" },
		{ "[origin]\nmax_connections = -1\n",
		  ":2: max_connections: -1 is not" },
		{ "[origin]\nstate = /s\n", ":2: unknown key state" },
		{ "[export a]\npath = x\n", "x is not an absolute path" },
		{ "[export a]\nread_only = no\n", "[export a] has no path" },
		{ "[export a]\n[export b]\n", ":2: [export a] has no path" },
		{ "[export a/b]\n", ":1: export a/b: a name has" },
		{ "[export ]\n", ":1: export: a name has" },
		{ "[export a]\npath=/a\n[export a]\npath=/b\n",
		  ":3: export a: there is one" },
		{ "[export a]\npath=/a\nsquash = nobody\n",
		  ":3: squash: nobody is not" },
		{ "[export a]\npath=/a\nanon_uid = 4294967295\n",
		  ":3: anon_uid: 4294967295 is not" },
		{ "[export a]\npath=/a\nwhat = 1\n",
		  ":3: unknown key what in [export a]" },
		{ "[satellite]\nenable = no\n", "nothing to serve" },
		{ "[satellite]\nenable = maybe\n",
		  ":2: enable: maybe is not auto, yes or no" },
		{ "[satellite]\nbuffer = 7\n",
		  ":2: buffer: 7 is not a number from 8 to 1024" },
		{ "[satellite]\nwhat = 1\n",
		  ":2: unknown key what in [satellite]" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		assert_null(load(v[i].text, NULL));
		if (!strstr(err, v[i].want))
			fail_msg("%s\ninstead of\n%s", err, v[i].want);
		if (*v[i].want == ':')
			assert_int_equal(strncmp(err, file, strlen(file)), 0);
	}
}

static void test_long_lines(void **state)
{
	char text[1000];
	struct gns_conf *c;
	u32 len;

	for (len = 1; len < 400; len++) {
		snprintf(text, sizeof(text), "[export a]\npath = /%0*d\n",
			 (int)len, 0);
		c = load(text, NULL);
		if (c) {
			assert_int_equal(strlen(c->exports[0].path), len + 1);
			assert_true(len < 200);
		} else {
			assert_non_null(strstr(err, ":2: a line is longer"));
			assert_true(len > 180);
		}
		gns_conf_free(c);
	}
}

static void test_bad_flags(void **state)
{
	static const struct {
		const char *flag, *want;
	} v[] = {
		{ "--what", "--what: unknown flag" },
		{ "--listen", "--listen: unknown flag, or one without" },
		{ "file", "file: only flags" },
		{ "--export=a", "--export a: not NAME=PATH" },
		{ "--export==/a", "a name has 1 to" },
		{ "--export=a=b", "b is not an absolute" },
		{ "--export=a=/b,rw2", "unknown option rw2" },
		{ "--export=a=/b,squash=x", "squash: x is not" },
		{ "--export=a=/b,path=/c", "unknown option path" },
		{ "--ttl=0", "--ttl: 0 is not" },
		{ "--log-level=", "--log-level:  is not" },
		{ "--config=/does/not/exist", "/does/not/exist: No such" },
		{ "--config=/tmp", "/tmp: Input/output error" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		assert_null(load(NULL, v[i].flag, NULL));
		if (!strstr(err, v[i].want))
			fail_msg("%s\ninstead of\n%s", err, v[i].want);
	}
}

/* Anything at all in the file: an answer, never a crash. */
static void test_noise(void **state)
{
	static const char bits[] = "[]=; \t\n\r#aexport daemon/path:\xff";
	char text[300];
	u32 i, k;

	srand(3);
	for (i = 0; i < 5000; i++) {
		for (k = 0; k < sizeof(text) - 1; k++)
			text[k] = bits[(u32)rand() % (sizeof(bits) - 1)];
		text[k] = '\0';
		gns_conf_free(load(text, NULL));
	}
}

static int setup(void **state)
{
	int fd;

	snprintf(file, sizeof(file), "/tmp/test_conf.XXXXXX");
	fd = mkstemp(file);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	return unlink(file);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_todo),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_bad_flags),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests_name("conf", tests, setup, teardown);
}
