// SPDX-License-Identifier: GPL-2.0
/*
 * The store: what was put is there, a prefix of it after any death of the
 * process, and how many commits a second it does.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lib/log.h"
#include "origin/store.h"

static char dir[64];
static char path[128];

static struct gns_db *open_store(uv_loop_t *loop)
{
	char err[256] = "";
	struct gns_db *db = gns_store_open(loop, path, err, sizeof(err));

	if (!db)
		print_message("# %s\n", err);
	assert_non_null(db);
	return db;
}

static void close_store(uv_loop_t *loop, struct gns_db *db)
{
	gns_store_close(db);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/state.db", dir);
	return 0;
}

static int teardown(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char name[160];
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	return rmdir(dir);
}

struct order {
	u32 next;
	int errs;
};

struct mark {
	struct order *order;
	u32 nr;
};

static void in_order(void *arg, int err)
{
	struct mark *m = arg;

	assert_int_equal(m->order->next++, m->nr);
	if (err)
		m->order->errs++;
}

struct seen {
	u32 n;
	u8 last[16];
	u32 lastlen;
};

static int count(void *arg, const u8 *key, u32 klen, const u8 *val, u32 vlen)
{
	struct seen *s = arg;

	(void)key;
	(void)klen;
	s->n++;
	s->lastlen = vlen;
	memcpy(s->last, val, min_u64(vlen, sizeof(s->last)));
	return 0;
}

static void test_put_load(void **state)
{
	struct order order = { 0 };
	struct mark m[4];
	struct seen seen = { 0 };
	struct gns_db *db;
	struct stat st;
	uv_loop_t loop;
	u32 i;

	(void)state;
	uv_loop_init(&loop);
	db = open_store(&loop);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	for (i = 0; i < 4; i++) {
		m[i] = (struct mark){ &order, i };
		db->ops->put(db, "a", 1, "1", 1);
		db->ops->put(db, "b", 1, &i, 4);
		if (i == 3)
			db->ops->put(db, "a", 1, NULL, 0);
		db->ops->commit(db, i & 1, in_order, &m[i]);
	}
	db->ops->put(db, "never", 5, "committed", 9);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(order.next, 4);
	assert_int_equal(order.errs, 0);
	close_store(&loop, db);

	uv_loop_init(&loop);
	db = open_store(&loop);
	assert_int_equal(db->ops->load(db, count, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_memory_equal(seen.last, "\3\0\0\0", 4);
	close_store(&loop, db);
}

static void test_limits(void **state)
{
	struct order order = { 0 };
	struct mark m[2] = { { &order, 0 }, { &order, 1 } };
	static u8 big[GNS_DB_VAL_MAX + 1];
	struct seen seen = { 0 };
	struct gns_db *db;
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	db = open_store(&loop);
	db->ops->put(db, big, GNS_DB_KEY_MAX, big, GNS_DB_VAL_MAX);
	db->ops->commit(db, false, in_order, &m[0]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(order.errs, 0);
	/* What can not be stored ends the store: no gap, ever. */
	db->ops->put(db, "k", 1, big, GNS_DB_VAL_MAX + 1);
	db->ops->put(db, "later", 5, "x", 1);
	db->ops->commit(db, true, in_order, &m[1]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(order.errs, 1);
	close_store(&loop, db);

	uv_loop_init(&loop);
	db = open_store(&loop);
	assert_int_equal(db->ops->load(db, count, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.lastlen, GNS_DB_VAL_MAX);
	close_store(&loop, db);
}

/* A close writes what was committed before it, and calls nobody. */
static void test_close_flushes(void **state)
{
	struct order order = { 0 };
	struct mark m = { &order, 0 };
	struct seen seen = { 0 };
	struct gns_db *db;
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	db = open_store(&loop);
	db->ops->put(db, "k", 1, "v", 1);
	db->ops->commit(db, false, in_order, &m);
	close_store(&loop, db);
	assert_int_equal(order.next, 0);

	uv_loop_init(&loop);
	db = open_store(&loop);
	assert_int_equal(db->ops->load(db, count, &seen), 0);
	assert_int_equal(seen.n, 1);
	close_store(&loop, db);
}

static void test_one_owner(void **state)
{
	struct gns_db *db;
	uv_loop_t loop;
	int status;
	pid_t pid;

	(void)state;
	uv_loop_init(&loop);
	db = open_store(&loop);
	pid = fork();
	if (!pid) {
		uv_loop_t other;
		char err[256] = "";

		uv_loop_init(&other);
		if (gns_store_open(&other, path, err, sizeof(err)))
			_exit(1);
		_exit(strstr(err, "another process") ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close_store(&loop, db);
}

/*
 * A full disk, played by a limit on the size of files: commits fail, and when
 * there is room again what failed is there before what came later.
 */
static void test_full_disk(void **state)
{
	struct rlimit old, small;
	struct order order = { 0 };
	struct mark m[3] = { { &order, 0 }, { &order, 1 }, { &order, 2 } };
	static u8 val[GNS_DB_VAL_MAX];
	struct seen seen = { 0 };
	struct gns_db *db;
	uv_loop_t loop;
	u32 i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	uv_loop_init(&loop);
	db = open_store(&loop);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 512 << 10;
	setrlimit(RLIMIT_FSIZE, &small);
	for (i = 0; i < 400; i++)
		db->ops->put(db, &i, 4, val, sizeof(val));
	db->ops->commit(db, true, in_order, &m[0]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(order.errs, 1);
	db->ops->put(db, "small", 5, "x", 1);
	db->ops->commit(db, false, in_order, &m[1]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(order.errs, 2);
	setrlimit(RLIMIT_FSIZE, &old);
	db->ops->put(db, "last", 4, "y", 1);
	db->ops->commit(db, true, in_order, &m[2]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(order.errs, 2);
	close_store(&loop, db);

	uv_loop_init(&loop);
	db = open_store(&loop);
	assert_int_equal(db->ops->load(db, count, &seen), 0);
	assert_int_equal(seen.n, 402);
	close_store(&loop, db);
}

/* ---- prefix after kill -9 ---- */

struct writer {
	struct gns_db *db;
	int fd; /* what was acknowledged */
	u32 next; /* batch to write */
	u32 acked;
};

static void put_batch(struct gns_db *db, u32 n)
{
	u8 key[2] = { 'k', 0 };
	u32 i;

	/* The same count under each of 8 keys: one batch is all or nothing. */
	for (i = 0; i < 8; i++) {
		key[1] = i;
		db->ops->put(db, key, 2, &n, 4);
	}
	/* And one key of its own, deleted 100 batches later. */
	db->ops->put(db, &n, 4, &n, 4);
	if (n > 100) {
		u32 old = n - 100;

		db->ops->put(db, &old, 4, NULL, 0);
	}
}

static void writer_done(void *arg, int err)
{
	struct writer *w = arg;

	if (err)
		_exit(1);
	w->acked++;
	if (write(w->fd, &w->acked, 4) != 4)
		_exit(2);
	put_batch(w->db, ++w->next);
	w->db->ops->commit(w->db, w->next % 5 == 0, writer_done, w);
}

static void writer_main(u32 from, int fd)
{
	uv_loop_t loop;
	struct writer w = { .fd = fd, .next = from, .acked = from };
	u32 i;

	uv_loop_init(&loop);
	w.db = open_store(&loop);
	for (i = 0; i < 16; i++) {
		put_batch(w.db, ++w.next);
		w.db->ops->commit(w.db, false, writer_done, &w);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	_exit(3);
}

struct table {
	u32 count[8];
	u32 min, max, n;
};

static int collect(void *arg, const u8 *key, u32 klen, const u8 *val, u32 vlen)
{
	struct table *t = arg;
	u32 v;

	assert_int_equal(vlen, 4);
	memcpy(&v, val, 4);
	if (klen == 2) {
		t->count[key[1]] = v;
		return 0;
	}
	assert_memory_equal(key, val, 4);
	if (!t->n++ || v < t->min)
		t->min = v;
	t->max = max_u64(t->max, v);
	return 0;
}

/* Returns the number of the last batch that is there. */
static u32 check_prefix(u32 acked)
{
	struct table t = { 0 };
	struct gns_db *db;
	uv_loop_t loop;
	u32 i;

	uv_loop_init(&loop);
	db = open_store(&loop);
	assert_int_equal(db->ops->load(db, collect, &t), 0);
	close_store(&loop, db);
	for (i = 1; i < 8; i++)
		assert_int_equal(t.count[i], t.count[0]);
	assert_true(t.count[0] >= acked);
	assert_int_equal(t.max, t.count[0]);
	if (t.count[0] > 100) {
		assert_int_equal(t.n, 100);
		assert_int_equal(t.min, t.max - 99);
	}
	return t.count[0];
}

static void test_kill(void **state)
{
	u32 round, last = 0, acked;
	int p[2], status;
	u32 buf[4096];
	ssize_t n;
	pid_t pid;

	(void)state;
	srand(1);
	for (round = 0; round < 30; round++) {
		assert_int_equal(pipe(p), 0);
		pid = fork();
		if (!pid) {
			close(p[0]);
			writer_main(last, p[1]);
		}
		close(p[1]);
		/* From the first answer on, at any moment. */
		acked = 0;
		n = read(p[0], &acked, 4);
		assert_int_equal(n, 4);
		usleep(rand() % 40000);
		kill(pid, SIGKILL);
		while ((n = read(p[0], buf, sizeof(buf))) > 0)
			acked = buf[n / 4 - 1];
		close(p[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		last = check_prefix(acked);
	}
	print_message("# %u batches, 30 kills: always a prefix\n", last);
}

/* ---- speed ---- */

struct speed {
	struct gns_db *db;
	bool sync;
	u32 done, started, total;
};

static void speed_next(struct speed *s);

static void speed_done(void *arg, int err)
{
	struct speed *s = arg;

	assert_int_equal(err, 0);
	s->done++;
	speed_next(s);
}

static void speed_next(struct speed *s)
{
	u32 n = s->started % 1000;
	u8 val[64] = { 0 };

	if (s->started == s->total)
		return;
	s->started++;
	s->db->ops->put(s->db, &n, 4, val, sizeof(val));
	s->db->ops->commit(s->db, s->sync, speed_done, s);
}

static void test_speed(void **state)
{
	static const struct {
		bool sync;
		u32 flight, total;
	} runs[] = {
		{ true, 1, 200 },
		{ true, 64, 5000 },
		{ false, 1, 5000 },
		{ false, 64, 50000 },
	};
	u32 i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(runs); i++) {
		struct speed s = { .sync = runs[i].sync,
				   .total = runs[i].total };
		uv_loop_t loop;
		u64 t;

		uv_loop_init(&loop);
		s.db = open_store(&loop);
		t = uv_hrtime();
		for (k = 0; k < runs[i].flight; k++)
			speed_next(&s);
		uv_run(&loop, UV_RUN_DEFAULT);
		t = uv_hrtime() - t;
		assert_int_equal(s.done, s.total);
		print_message("# %s, %2u in flight: %.0f commits/s\n",
			      s.sync ? "sync" : "no sync", runs[i].flight,
			      s.total * 1e9 / t);
		close_store(&loop, s.db);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_load, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_close_flushes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_one_owner, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(test_speed, setup, teardown),
	};

	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
