// SPDX-License-Identifier: GPL-2.0
/*
 * write-acl-two: a list that is changed on one host is obeyed by the next call
 * on the other; what is known of it asks nobody, and ends with the lease.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "acl.h"
#include "client.h"
#include "host.h"
#include "lab.h"
#include "lists.h"
#include "tap.h"

#define USER 1000
#define LOOKS 200
#define TURNS 24
#define MOST_TURNS 1000

static const struct who user = { .uid = USER, .gid = USER };
static char dir[2][256], file[2][256];
static _Atomic u32 asked, acked;
static _Atomic u64 looks[2];
static _Atomic bool over;

/* On one host: only the list lets the user in, or nothing does. */
static void let(int host, bool in)
{
	struct acl a = acl_one(0750, USER, in ? 5 : 0);

	atomic_fetch_add(&asked, 1);
	if (setxattr(dir[host], ACL_ACCESS, &a, acl_size(&a), 0))
		tap_bad("setxattr: %s", strerror(errno));
	atomic_fetch_add(&acked, 1);
}

static bool is_in(u32 state)
{
	return state & 1;
}

static void expect(int host, int err, const char *when)
{
	int got;

	who_be(&user);
	got = may(file[host], O_RDONLY);
	who_be(NULL);
	if (got != err)
		tap_bad("on %c, %s: %s, not %s", 'a' + host, when,
			strerror(got), strerror(err));
}

static void check_turns(void)
{
	int i;

	for (i = 0; i < TURNS && !tap_is_bad(); i++) {
		let(i / 2 & 1, !is_in(acked));
		expect(i & 1, is_in(acked) ? 0 : EACCES, "one after the other");
		expect(~i & 1, is_in(acked) ? 0 : EACCES, "both");
	}
	if (is_in(acked))
		let(0, false);
	tap_good("a list that was changed is obeyed at once");
}

/* Path walk without waiting goes by the list that is known, and asks nobody. */
static void check_known(void)
{
	u64 before;
	int i, err, top = lab_open(lab_path(lab_env("LAB"), "b"));

	let(0, true);
	expect(1, 0, "let in");
	/* Now the names are known, too. */
	expect(1, 0, "let in again");
	before = host_count("b", GNS_C_CALLS);
	who_be(&user);
	for (i = 0; i < LOOKS; i++) {
		err = may_cached(top, "d/f");
		if (err)
			tap_bad("without waiting: %s", strerror(err));
	}
	who_be(NULL);
	if (host_count("b", GNS_C_CALLS) != before)
		tap_bad("%llu calls for what is known",
			(unsigned long long)(host_count("b", GNS_C_CALLS) -
					     before));
	let(0, false);
	who_be(&user);
	err = may_cached(top, "d/f");
	who_be(NULL);
	close(top);
	if (err != EAGAIN)
		tap_bad("what is not known, without waiting: %s",
			strerror(err));
	expect(1, EACCES, "shut out");
	tap_good("what is known asks nobody");
}

static void *look_on(void *arg)
{
	int host = *(int *)arg, got;
	u32 oldest, newest;

	who_be(&user);
	while (!over) {
		oldest = acked;
		got = may(file[host], O_RDONLY);
		newest = asked;
		if (got && got != EACCES)
			tap_bad("on %c: %s", 'a' + host, strerror(got));
		else if (oldest == newest && !got != is_in(oldest))
			tap_bad("on %c: %s in state %u", 'a' + host,
				strerror(got), oldest);
		looks[host]++;
	}
	return NULL;
}

static void check_race(void)
{
	static int hosts[] = { 0, 1 };
	pthread_t t[2];
	int i;

	over = false;
	for (i = 0; i < 2; i++)
		t[i] = lab_thread(look_on, &hosts[i]);
	/* On a busy machine it takes more turns until both have looked. */
	for (i = 0; i < TURNS || (i < MOST_TURNS && (looks[0] < TURNS ||
						     looks[1] < TURNS));
	     i++) {
		let(i / 3 & 1, !is_in(acked));
		lab_sleep(i % 4);
	}
	over = true;
	for (i = 0; i < 2; i++) {
		if (!lab_join(t[i], 20000))
			tap_bad("somebody still looks");
		if (looks[i] < TURNS)
			tap_bad("%llu looks on %c", (unsigned long long)looks[i],
				'a' + i);
	}
	if (is_in(acked))
		let(0, false);
	tap_good("nobody sees an old list");
}

/* What its owner may do, and nobody else. */
static int as_owner(const char *path, bool times)
{
	struct acl a = acl_one(0440, USER, 4);
	int err;

	who_be(&user);
	if (times)
		err = utimensat(AT_FDCWD, path, NULL, 0);
	else
		err = setxattr(path, ACL_ACCESS, &a, acl_size(&a), 0);
	err = err ? errno : 0;
	who_be(NULL);
	return err;
}

/* Whose it is here was known, and changes elsewhere. */
static void check_owner(void)
{
	int i, host, err, want;
	struct stat st;

	let(0, true);
	for (i = 0; i < TURNS && !tap_is_bad(); i++) {
		host = i / 4 & 1;
		want = i & 1 ? 0 : i & 2 ? EACCES :
					   EPERM;
		if (chmod(file[host], 0444) || stat(file[host], &st) ||
		    chown(file[!host], i & 1 ? USER : 0, -1))
			tap_bad("%s: %s", file[host], strerror(errno));
		err = as_owner(file[host], i & 2);
		if (err != want)
			tap_bad("%s on %c: %s, not %s",
				i & 2 ? "times" : "a list", 'a' + host,
				strerror(err), strerror(want));
	}
	let(0, false);
	tap_good("a new owner may what an owner may, and the old one not");
}

/* Cut off, b goes by its list until its deadline; then it has to ask. */
static void check_expired(void)
{
	static int b = 1;
	pthread_t t;

	let(0, true);
	expect(1, 0, "let in");
	over = false;
	t = lab_thread(look_on, &b);
	lab("net_cut b");
	let(0, false);
	expect(0, EACCES, "shut out");
	lab("net_heal b");
	expect(1, EACCES, "after the cut");
	over = true;
	if (!lab_join(t, 20000))
		tap_bad("somebody still looks");
	tap_good("a list ends with its lease");
}

int main(void)
{
	int fd, i;

	lab("cluster a b");
	for (i = 0; i < 2; i++) {
		strcpy(dir[i], lab_path(lab_path(lab_env("LAB"), i ? "b" : "a"),
					"d"));
		strcpy(file[i], lab_path(dir[i], "f"));
	}
	if (mkdir(dir[0], 0750))
		die("mkdir: %s", strerror(errno));
	fd = open(file[0], O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		die("%s: %s", file[0], strerror(errno));
	close(fd);
	check_turns();
	check_known();
	check_owner();
	check_race();
	check_expired();
	return tap_end();
}
