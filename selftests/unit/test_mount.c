// SPDX-License-Identifier: GPL-2.0
/*
 * What mount.gns makes of a source and of options, and what is read out of
 * mountinfo.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <cmocka.h>

#include "../../tools/mount_info.h"
#include "../../tools/mount_opts.h"
#include "../../tools/mount_source.h"

static char err[256];

static void test_good_sources(void **state)
{
	static const char *const good[] = {
		"origin:/data",
		"origin.example:/a.b-c_d",
		"origin.example:7117:/data",
		"10.0.0.1:/x",
		"10.0.0.1:65535:/x",
		"[::1]:/x",
		"[::1]:1:/x",
		"[fe80::1%eth0]:7441:/x",
		"h:/:",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		if (mount_source_check(good[i]))
			fail_msg("%s: %s", good[i], mount_source_check(good[i]));
	}
}

static void test_bad_sources(void **state)
{
	static const char *const bad[] = {
		"",
		"host",
		"/data",
		":/data",
		"host/data",
		"host:data",
		"host:/",
		"host:/a/b",
		"host:/data/",
		"host:/a b",
		"host:/a=b",
		"host:/a,b",
		"host:/a\n",
		"host::/x",
		"host:0:/x",
		"host:65536:/x",
		"host:99999999999999999999:/x",
		"host:1a:/x",
		"host:-1:/x",
		":1:/x",
		"::1:/x",
		"fe80::1:/x",
		"[::1:/x",
		"[]:/x",
		"[::1]7:/x",
		"[::1]:/",
		"[a b]:/x",
		"ho st:/x",
		"host:/a:/b",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!mount_source_check(bad[i]))
			fail_msg("%s was taken", bad[i]);
	}
}

static void test_long_sources(void **state)
{
	char s[1024];

	memset(s, 'a', sizeof(s));
	strcpy(s + 255, ":/x");
	assert_null(mount_source_check(s));
	memset(s, 'a', sizeof(s));
	strcpy(s + 256, ":/x");
	assert_non_null(mount_source_check(s));

	memset(s, 'a', sizeof(s));
	memcpy(s, "h:/", 3);
	s[3 + 255] = '\0';
	assert_null(mount_source_check(s));
	s[3 + 255] = 'a';
	s[3 + 256] = '\0';
	assert_non_null(mount_source_check(s));
}

static struct mount_opts parse(const char *text)
{
	struct mount_opts o;

	err[0] = '\0';
	if (mount_opts_parse(&o, text, err, sizeof(err)))
		fail_msg("%s: %s", text, err);
	return o;
}

/* The filesystem's options, as they would be written. */
static void assert_params(const char *text, const char *expected)
{
	struct mount_opts o = parse(text);
	char all[512] = "";
	size_t i;

	for (i = 0; i < o.nparams; i++) {
		if (i)
			strcat(all, "|");
		strcat(all, o.params[i].key);
		if (o.params[i].value) {
			strcat(all, "=");
			strcat(all, o.params[i].value);
		}
	}
	assert_string_equal(all, expected);
	mount_opts_free(&o);
}

static void test_params(void **state)
{
	assert_params(NULL, "");
	assert_params("", "");
	assert_params("defaults", "");
	assert_params(",,soft,,", "soft");
	assert_params("soft,timeo=100,rasize=8M", "soft|timeo=100|rasize=8M");
	assert_params("_netdev,nofail,noauto,auto,x-systemd.automount,X-a,soft",
		      "soft");
	assert_params("x-systemd.device-timeout=5,comment=a=b,user=joe,hard",
		      "hard");
	assert_params("rw,suid,dev,exec,async", "async");
	assert_params("context=\"a:b,c\",soft", "context=a:b,c|soft");
}

static void test_unfinished_quote(void **state)
{
	struct mount_opts o;

	assert_int_equal(mount_opts_parse(&o, "a=\"b,c", err, sizeof(err)), -1);
	assert_string_equal(err, "a=\"b,c: a quote has no end");
	mount_opts_free(&o);
}

static void assert_attrs(const char *text, u64 attrs)
{
	struct mount_opts o = parse(text);

	assert_int_equal(o.attrs, attrs);
	mount_opts_free(&o);
}

static void test_attrs(void **state)
{
	assert_attrs("", 0);
	assert_attrs("rw", 0);
	assert_attrs("ro", MOUNT_ATTR_RDONLY);
	assert_attrs("ro,rw", 0);
	assert_attrs("nosuid,nodev,noexec,nosymfollow",
		     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
			     MOUNT_ATTR_NOSYMFOLLOW);
	assert_attrs("noatime", MOUNT_ATTR_NOATIME);
	assert_attrs("noatime,strictatime", MOUNT_ATTR_STRICTATIME);
	assert_attrs("strictatime,relatime", 0);
	assert_attrs("noatime,nodiratime",
		     MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME);
	assert_attrs("user", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				     MOUNT_ATTR_NOEXEC);
	assert_attrs("user=joe,exec", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	assert_attrs("owner", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	/* The superblock is told as well. */
	assert_params("ro,soft", "soft|ro");
	assert_params("ro,rw", "");
}

static void test_own_options(void **state)
{
	struct mount_opts o;

	o = parse("soft");
	assert_false(o.bg);
	assert_int_equal(o.retry, 0);
	mount_opts_free(&o);
	o = parse("bg");
	assert_true(o.bg);
	assert_int_equal(o.retry, MOUNT_RETRY_BG);
	mount_opts_free(&o);
	o = parse("retry=5,bg,fg");
	assert_false(o.bg);
	assert_int_equal(o.retry, 5);
	mount_opts_free(&o);
	o = parse("bg,retry=0,rslave,remount,noatime");
	assert_int_equal(o.retry, 0);
	assert_int_equal(o.propagation, MS_SLAVE | MS_REC);
	assert_true(o.remount);
	assert_true(o.atime);
	assert_int_equal(o.nparams, 0);
	mount_opts_free(&o);
}

static void test_refused_options(void **state)
{
	static const char *const bad[] = {
		"retry=",
		"retry=x",
		"retry=-1",
		"retry=1m",
		"retry= 1",
		"retry=525601",
		"retry=99999999999999999999",
		"bind",
		"rbind",
		"move",
		"=x",
		"soft,retry=",
		"soft,=",
		"\"",
	};
	struct mount_opts o;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		err[0] = '\0';
		if (!mount_opts_parse(&o, bad[i], err, sizeof(err)) || !*err)
			fail_msg("%s was taken", bad[i]);
		mount_opts_free(&o);
	}
}

/* Any bytes: it ends, and frees what it has. */
static void test_any_options(void **state)
{
	static const char letters[] = ",,,==\"\"\\aroxbg-. retry=1";
	struct mount_opts o;
	unsigned int seed = 1;
	char text[64];
	size_t i, n;

	for (i = 0; i < 20000; i++) {
		for (n = 0; n < i % sizeof(text); n++) {
			seed = seed * 1103515245 + 12345;
			text[n] = letters[(seed >> 16) % (sizeof(letters) - 1)];
		}
		text[n] = '\0';
		mount_source_check(text);
		mount_opts_parse(&o, text, err, sizeof(err));
		mount_opts_free(&o);
	}
}

static void test_info(void **state)
{
	char line[] =
		"36 35 0:45 / /mnt/a\\040b\\134 ro,nosuid shared:1 - gns origin:7117:/x ro,hard\n";
	struct mount_entry e;

	assert_true(mount_info_line(line, &e));
	assert_string_equal(e.dir, "/mnt/a b\\");
	assert_string_equal(e.source, "origin:7117:/x");
	assert_string_equal(e.options, "ro,hard");
	assert_int_equal(e.major, 0);
	assert_int_equal(e.minor, 45);
}

static void test_other_info(void **state)
{
	static const char *const others[] = {
		"",
		"\n",
		" - ",
		"36 35 0:45 / /mnt rw - ext4 /dev/sda1 rw\n",
		"36 35 0:45 / /mnt rw - gnsx a:/b rw\n",
		"36 35 0:45 / /mnt - gns a:/b rw\n",
		"36 35 x / /mnt rw - gns a:/b rw\n",
		"36 35 0:45 / /mnt rw - gns\n",
		"gns gns gns\n",
	};
	struct mount_entry e;
	char line[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		strcpy(line, others[i]);
		if (mount_info_line(line, &e))
			fail_msg("%s was taken", others[i]);
	}
}

static void test_this_info(void **state)
{
	assert_false(mount_info_has("origin:/nowhere", "/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_sources),
		cmocka_unit_test(test_bad_sources),
		cmocka_unit_test(test_long_sources),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_unfinished_quote),
		cmocka_unit_test(test_attrs),
		cmocka_unit_test(test_own_options),
		cmocka_unit_test(test_refused_options),
		cmocka_unit_test(test_any_options),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_other_info),
		cmocka_unit_test(test_this_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
