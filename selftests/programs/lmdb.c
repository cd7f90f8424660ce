// SPDX-License-Identifier: GPL-2.0
/*
 * programs-lmdb: an LMDB environment without its lock file, which would have to
 * be mapped shared and writable.
 *
 *	programs-lmdb fill DIRECTORY FIRST COUNT	in transactions of 50
 *	programs-lmdb sum DIRECTORY	how many pairs, and a sum of them
 *	programs-lmdb lock DIRECTORY	with its locks; the errno by name
 *
 * With each value the key is checked that it belongs to. Every walk is through
 * a mapping of the file.
 */
#include <errno.h>
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rnd.h"

#define MAP_SIZE (16u << 20)
#define BATCH 50

static void check(int err, const char *what)
{
	if (!err)
		return;
	printf("# %s: %s\n", what, mdb_strerror(err));
	exit(1);
}

static MDB_env *open_env(const char *dir, unsigned int flags)
{
	MDB_env *env;

	if (mkdir(dir, 0755) && errno != EEXIST)
		check(errno, dir);
	check(mdb_env_create(&env), "create");
	check(mdb_env_set_mapsize(env, MAP_SIZE), "map size");
	check(mdb_env_open(env, dir, flags, 0644), "open");
	return env;
}

/* The value of key n: its bytes and their number follow from it. */
static size_t value_of(u64 n, char *buf)
{
	struct rnd r = { n };
	size_t len = 20 + rnd_below(&r, 3000);

	rnd_fill(&r, buf, len);
	return len;
}

static void put(MDB_txn *txn, MDB_dbi db, u64 n)
{
	char buf[4096], key[32];
	MDB_val k, v;

	k.mv_size = snprintf(key, sizeof(key), "key-%020ju", n);
	k.mv_data = key;
	v.mv_size = value_of(n, buf);
	v.mv_data = buf;
	check(mdb_put(txn, db, &k, &v, 0), "put");
	/* What is deleted leaves pages to be used again. */
	if (n % 3 || n < BATCH)
		return;
	snprintf(key, sizeof(key), "key-%020ju", n - BATCH);
	check(mdb_del(txn, db, &k, NULL), "del");
}

static void fill(const char *dir, u64 first, u64 count)
{
	MDB_env *env = open_env(dir, MDB_NOLOCK);
	MDB_txn *txn;
	MDB_dbi db;
	u64 n;

	for (n = first; n < first + count;) {
		check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
		check(mdb_dbi_open(txn, NULL, 0, &db), "dbi");
		do
			put(txn, db, n++);
		while (n % BATCH && n < first + count);
		check(mdb_txn_commit(txn), "commit");
	}
	mdb_env_close(env);
}

static void sum(const char *dir)
{
	MDB_env *env = open_env(dir, MDB_NOLOCK | MDB_RDONLY);
	u64 n = 0, total = 0, i;
	char buf[4096], key[32];
	MDB_cursor *c;
	MDB_txn *txn;
	MDB_val k, v;
	MDB_dbi db;
	int err;

	check(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), "begin");
	check(mdb_dbi_open(txn, NULL, 0, &db), "dbi");
	check(mdb_cursor_open(txn, db, &c), "cursor");
	while (!(err = mdb_cursor_get(c, &k, &v, MDB_NEXT))) {
		snprintf(key, sizeof(key), "%.*s", (int)k.mv_size,
			 (char *)k.mv_data);
		i = strtoull(key + strlen("key-"), NULL, 10);
		if (v.mv_size != value_of(i, buf) ||
		    memcmp(v.mv_data, buf, v.mv_size)) {
			printf("# key %ju has another value\n", i);
			exit(1);
		}
		total += i * v.mv_size;
		n++;
	}
	check(err == MDB_NOTFOUND ? 0 : err, "next");
	printf("%ju pairs, %ju\n", n, total);
	mdb_cursor_close(c);
	mdb_txn_abort(txn);
	mdb_env_close(env);
}

static void lock(const char *dir)
{
	MDB_env *env;
	int err;

	check(mdb_env_create(&env), "create");
	err = mdb_env_open(env, dir, 0, 0644);
	printf("%s\n", err ? strerrorname_np(err) : "success");
	mdb_env_close(env);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (!strcmp(what, "fill") && argc == 5)
		fill(argv[2], strtoull(argv[3], NULL, 0),
		     strtoull(argv[4], NULL, 0));
	else if (!strcmp(what, "sum") && argc == 3)
		sum(argv[2]);
	else if (!strcmp(what, "lock") && argc == 3)
		lock(argv[2]);
	else
		return 2;
	return 0;
}
