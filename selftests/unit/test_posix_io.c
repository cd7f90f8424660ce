// SPDX-License-Identifier: GPL-2.0
/*
 * The posix backend under load: bytes, large directories, races with changes
 * beside it, slow files, too few descriptors, a sudden end. And its speed.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "posix_rig.h"

static atomic_bool stop;

static pthread_t start(void *(*fn)(void *arg))
{
	pthread_t t;

	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&t, NULL, fn, NULL), 0);
	return t;
}

static void join(pthread_t t)
{
	atomic_store(&stop, true);
	pthread_join(t, NULL);
}

/* ---- bytes ---- */

#define BIG ((3u << 20) + 12345)

static u8 *big_file(struct gns_fh *fh)
{
	u8 *data = malloc(BIG);
	u32 i, x = 1;

	assert_non_null(data);
	for (i = 0; i < BIG; i++) {
		x = x * 1103515245 + 12345;
		data[i] = x >> 16;
	}
	put_file(below("big"), data, BIG);
	assert_int_equal(lookup(&rig.root, "big", &cred_root, fh), 0);
	return data;
}

static void check_read(const struct gns_fh *fh, const u8 *data, u64 off,
		       u32 len, bool leased)
{
	static u8 buf[GNS_READ_MAX];
	u64 want = off >= BIG ? 0 : min_u64(len, BIG - off);
	bool eof;
	u32 got;

	assert_int_equal(read_at(fh, buf, len, off, leased, &cred_user, &got,
				 &eof),
			 0);
	assert_int_equal(got, want);
	assert_int_equal(eof, off + len >= BIG);
	assert_memory_equal(buf, data + (off < BIG ? off : 0), want);
}

static void test_read(void **state)
{
	static const u64 offs[] = { 0, 1, 4095, 4096,
				    5000, 1048577, 2097153, BIG - 131073,
				    BIG - 131072, BIG - 1, BIG, BIG + 5000 };
	static const u32 lens[] = { 0, 1, 4096, 65536, 65537,
				    131072, 131073, 262144, 999999, 1048576,
				    2097152 };
	struct gns_posix_stats stats;
	struct gns_fh fh;
	u8 *data = big_file(&fh);
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(offs); i++) {
		for (k = 0; k < ARRAY_SIZE(lens); k++) {
			check_read(&fh, data, offs[i], lens[k], true);
			check_read(&fh, data, offs[i], lens[k], false);
		}
	}
	srand(2);
	for (i = 0; i < 300; i++)
		check_read(&fh, data, (u64)rand() % (BIG + 100),
			   (u32)rand() % GNS_READ_MAX, i & 1);
	gns_posix_stats(rig.fs, &stats);
	assert_true(stats.splice_bytes > 10u << 20);
	assert_true(stats.inline_ops > 10);
	free(data);
}

/* Without a lease the answer is a copy; pipes not drained do no harm. */
static void test_read_kinds(void **state)
{
	struct call c[80] = { 0 };
	struct gns_fh fh;
	u8 *data = big_file(&fh);
	u32 i, done = 0;
	static u8 buf[300000];

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		c[i].req.type = GNS_READ;
		c[i].req.range.fh = fh;
		c[i].req.range.off = i;
		c[i].req.range.len = 300000;
		c[i].op.leased = i != 3;
		call_start(&c[i]);
	}
	while (done < ARRAY_SIZE(c)) {
		uv_run(&rig.loop, UV_RUN_ONCE);
		for (done = i = 0; i < ARRAY_SIZE(c); i++)
			done += c[i].done;
	}
	assert_non_null(c[3].op.bulk->data);
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		assert_int_equal(c[i].op.rep.status, 0);
		if (i % 3) {
			call_bytes(&c[i], buf);
			assert_memory_equal(buf, data + i, 300000);
		}
		/* The last ones outlive the backend. */
		if (i < 70)
			call_free(&c[i]);
	}
	check_read(&fh, data, 77, 500000, true);
	rig_teardown(NULL);
	for (; i-- > 70;)
		call_free(&c[i]);
	rig_setup(NULL);
	free(data);
}

/* ---- directories ---- */

#define ENTRIES 20000u

static void *churn(void *arg)
{
	char name[160];
	u32 i;
	int fd;

	for (i = 0; !atomic_load(&stop); i++) {
		snprintf(name, sizeof(name), "%s/d/t%u", rig.path, i % 3000);
		if (i / 3000 & 1) {
			unlink(name);
		} else {
			fd = open(name, O_WRONLY | O_CREAT, 0600);
			if (fd >= 0)
				close(fd);
		}
	}
	return NULL;
}

/* One answer; returns its last cookie, and counts the lasting names. */
static u64 list_some(const struct gns_fh *dir, u64 cookie, u32 len, u8 *seen,
		     u32 *n, bool *eof)
{
	struct call c = { .req.type = GNS_READDIR };
	u32 i, nr;

	c.req.range.fh = *dir;
	c.req.range.off = cookie;
	c.req.range.len = len;
	c.req.range.cred = cred_user;
	assert_int_equal(call_run(&c), 0);
	*eof = c.op.rep.r_obj.eof;
	assert_true(*eof || c.op.nentries);
	assert_true(c.op.nentries <= 4096);
	for (i = 0; i < c.op.nentries; i++) {
		const struct gns_dirent *d = &c.op.entries[i];
		char name[16] = "";

		cookie = d->cookie;
		assert_int_not_equal(d->name.p[0], '.');
		if (d->name.p[0] != 's')
			continue;
		memcpy(name, d->name.p, min_u64(d->name.len, 15));
		nr = (u32)atoi(name + 1);
		assert_true(nr < ENTRIES);
		assert_int_equal(seen[nr]++, 0);
		assert_int_equal(d->has, GNS_DE_ATTR);
		assert_int_equal(d->attr.size, nr % 3);
		(*n)++;
	}
	call_free(&c);
	return cookie;
}

static void list_from(const struct gns_fh *dir, u64 cookie, u32 len, u8 *seen,
		      u32 n, u64 *mid, u8 *mid_seen)
{
	bool eof = false;

	while (!eof) {
		cookie = list_some(dir, cookie, len, seen, &n, &eof);
		if (mid && !*mid && n > ENTRIES / 3) {
			*mid = cookie;
			memcpy(mid_seen, seen, ENTRIES);
		}
	}
	assert_int_equal(n, ENTRIES);
}

static void test_directory(void **state)
{
	static u8 seen[ENTRIES], mid_seen[ENTRIES];
	static const u32 lens[] = { 0, 5000, 65536, 1 << 20 };
	char name[160];
	struct gns_fh dir;
	u32 i, round, n;
	pthread_t t;
	u64 took;

	mkdir(below("d"), 0755);
	for (i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof(name), "%s/d/s%u", rig.path, i);
		put_file(name, "xx", i % 3);
	}
	assert_int_equal(lookup(&rig.root, "d", &cred_user, &dir), 0);
	took = uv_hrtime();
	list_from(&dir, 0, 1 << 20, seen, 0, NULL, NULL);
	took = uv_hrtime() - took;
	print_message("# listing with attributes: %.0f entries/s\n",
		      ENTRIES * 1e9 / took);
	t = start(churn);
	for (round = 0; round < 4; round++) {
		u64 mid = 0;

		memset(seen, 0, sizeof(seen));
		list_from(&dir, 0, lens[round], seen, 0, &mid, mid_seen);
		/* From a cookie of before, other answers' sizes, later. */
		for (n = i = 0; i < ENTRIES; i++)
			n += mid_seen[i];
		list_from(&dir, mid, 10000, mid_seen, n, NULL, NULL);
	}
	join(t);
}

/* ---- races ---- */

static void *swap(void *arg)
{
	char a[160], b[160], c[160], d[160];

	snprintf(a, sizeof(a), "%s/dir", rig.path);
	snprintf(b, sizeof(b), "%s/dirlink", rig.path);
	snprintf(c, sizeof(c), "%s/file", rig.path);
	snprintf(d, sizeof(d), "%s/filelink", rig.path);
	while (!atomic_load(&stop)) {
		renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
		renameat2(AT_FDCWD, c, AT_FDCWD, d, RENAME_EXCHANGE);
	}
	return NULL;
}

/* A symbolic link out of the export comes and goes where names are looked up. */
static void test_symlink_race(void **state)
{
	char secret[160], link[160];
	struct gns_fh dir, fh;
	struct gns_attr attr;
	u32 i, in = 0, out = 0, status;
	struct stat st;
	pthread_t t;

	snprintf(secret, sizeof(secret), "%s/secret", rig.top);
	mkdir(secret, 0755);
	snprintf(link, sizeof(link), "%s/secret/f", rig.top);
	put_file(link, "secret", 6);
	assert_int_equal(stat(link, &st), 0);
	mkdir(below("dir"), 0755);
	put_file(below("dir/f"), "x", 1);
	put_file(below("file"), "x", 1);
	symlink(secret, below("dirlink"));
	symlink(link, below("filelink"));
	t = start(swap);
	for (i = 0; i < 4000; i++) {
		assert_int_equal(lookup(&rig.root, "dir", &cred_root, &dir), 0);
		status = lookup(&dir, "f", &cred_root, &fh);
		if (!status) {
			assert_int_equal(getattr(&fh, &attr), 0);
			assert_int_not_equal(attr.ino, st.st_ino);
			in++;
		} else {
			assert_int_equal(status, ENOTDIR);
			out++;
		}
		status = make(GNS_CREATE, &rig.root, "file", 0644,
			      GNS_CR_TRUNC, &cred_root, NULL);
		assert_true(!status || status == ELOOP);
	}
	join(t);
	print_message("# raced %u times: %u inside, %u refused\n", i, in, out);
	assert_int_equal(stat(link, &st), 0);
	assert_int_equal(st.st_size, 6);
}

static void *come_and_go(void *arg)
{
	char a[160], b[160];

	snprintf(a, sizeof(a), "%s/f", rig.path);
	snprintf(b, sizeof(b), "%s/g", rig.path);
	while (!atomic_load(&stop)) {
		put_file(b, "x", 1);
		rename(b, a);
		usleep(30);
		unlink(a);
	}
	return NULL;
}

/* What is there or not is never an error, and a dead file never an answer. */
static void test_vanish_race(void **state)
{
	u32 i, there = 0, status;
	struct gns_attr attr;
	struct gns_fh fh;
	pthread_t t = start(come_and_go);

	for (i = 0; i < 4000; i++) {
		status = lookup(&rig.root, "f", &cred_root, &fh);
		if (status == ENOENT)
			continue;
		assert_int_equal(status, 0);
		there++;
		status = getattr(&fh, &attr);
		if (status)
			assert_int_equal(status, ESTALE);
		status = read_status(&fh, &cred_root);
		if (status)
			assert_int_equal(status, ESTALE);
	}
	join(t);
	print_message("# looked %u times, there %u times\n", i, there);
}

/* ---- limits ---- */

/*
 * A file whose open(2) waits for a lease of somebody's: no more than 8 threads
 * wait with it, and others are served meanwhile.
 */
static void test_slow_file(void **state)
{
	struct call c[40] = { 0 };
	struct gns_fh slow, other;
	u32 i, done = 0;
	int fd;

	put_file(below("slow"), "slow", 4);
	put_file(below("other"), "other", 5);
	assert_int_equal(lookup(&rig.root, "slow", &cred_root, &slow), 0);
	assert_int_equal(lookup(&rig.root, "other", &cred_root, &other), 0);
	fd = open(below("slow"), O_RDWR);
	signal(SIGIO, SIG_IGN);
	if (fcntl(fd, F_SETLEASE, F_WRLCK))
		skip();
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		c[i].req.type = GNS_READ;
		c[i].req.range.fh = slow;
		c[i].req.range.len = 4;
		call_start(&c[i]);
	}
	for (i = 0; i < 100; i++)
		assert_int_equal(lookup(&rig.root, "other", &cred_root,
					&other),
				 0);
	assert_int_equal(read_status(&other, &cred_root), 0);
	for (i = 0; i < ARRAY_SIZE(c); i++)
		assert_int_equal(c[i].done, 0);
	fcntl(fd, F_SETLEASE, F_UNLCK);
	close(fd);
	while (done < ARRAY_SIZE(c)) {
		uv_run(&rig.loop, UV_RUN_ONCE);
		for (done = i = 0; i < ARRAY_SIZE(c); i++)
			done += c[i].done;
	}
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		assert_int_equal(c[i].op.rep.status, 0);
		call_free(&c[i]);
	}
}

static void test_few_descriptors(void **state)
{
	struct rlimit old, few;
	struct gns_fh fh[200];
	char name[16];
	u32 i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(fh); i++) {
		snprintf(name, sizeof(name), "f%u", i);
		put_file(below(name), "x", 1);
	}
	fd = dup(0);
	close(fd);
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = (rlim_t)fd + 40;
	setrlimit(RLIMIT_NOFILE, &few);
	for (i = 0; i < ARRAY_SIZE(fh); i++) {
		snprintf(name, sizeof(name), "f%u", i);
		assert_int_equal(lookup(&rig.root, name, &cred_root, &fh[i]),
				 0);
		assert_int_equal(read_status(&fh[i], &cred_root), 0);
		assert_int_equal(write_at(&fh[i], "y", 1, 0, &cred_root, NULL),
				 0);
	}
	for (i = 0; i < ARRAY_SIZE(fh); i++)
		assert_int_equal(stat_status(&fh[i]), 0);
	setrlimit(RLIMIT_NOFILE, &old);
}

static void drop_sync(void *arg, int err)
{
	++*(u32 *)arg;
}

static void test_destroy_busy(void **state)
{
	struct call *c = calloc(300, sizeof(*c));
	u32 i, before = 0, after = 0;
	static u32 synced;
	struct gns_fh fh;
	u8 *data = big_file(&fh);

	for (i = 0; i < 300; i++) {
		c[i].req.type = i % 3 ? GNS_READ : GNS_LOOKUP;
		if (i % 3) {
			c[i].req.range.fh = fh;
			c[i].req.range.len = 1 << 20;
			c[i].op.leased = i % 2;
		} else {
			c[i].req.name.fh = rig.root;
			c[i].req.name.name = str("big");
		}
		call_start(&c[i]);
		if (i % 50 == 0) {
			rig.fs->ops->sync(rig.fs, NULL, drop_sync, &synced);
			rig.fs->ops->sync(rig.fs, &fh, drop_sync, &synced);
		}
	}
	uv_run(&rig.loop, UV_RUN_NOWAIT);
	for (i = 0; i < 300; i++)
		before += c[i].done;
	gns_posix_destroy(rig.fs);
	rig.fs = NULL;
	for (i = 0; i < 300; i++) {
		after += c[i].done;
		call_free(&c[i]);
	}
	assert_int_equal(before, after);
	free(c);
	after = synced;
	uv_run(&rig.loop, UV_RUN_DEFAULT);
	assert_int_equal(synced, after);
	free(data);
}

/* ---- speed ---- */

struct flight {
	struct call c[32];
	u32 started, ended, total;
	u64 bytes;
};

static struct flight fl;
static int null_fd;

static void flight_next(struct call *c);

static void flight_done(struct gns_fsop *op)
{
	struct call *c = container_of(op, struct call, op);
	u32 left = op->rep.payload_len;
	ssize_t n;

	assert_int_equal(op->rep.status, 0);
	fl.bytes += left;
	while (op->bulk && !op->bulk->data && left) {
		n = splice(op->bulk->fd, NULL, null_fd, NULL, left, 0);
		assert_true(n > 0);
		left -= (u32)n;
	}
	if (op->bulk)
		op->bulk->release(op->bulk);
	op->bulk = NULL;
	op->rep = (struct gns_msg){ 0 };
	fl.ended++;
	c->done = 1;
}

static void flight_next(struct call *c)
{
	c->done = 0;
	c->op.req = &c->req;
	c->op.done = flight_done;
	fl.started++;
	rig.fs->ops->submit(rig.fs, &c->op);
}

static void speed(const char *what, const struct gns_msg *req, bool leased,
		  u32 flight, u32 total, u32 span)
{
	u64 t = uv_hrtime();
	u32 i;

	memset(&fl, 0, sizeof(fl));
	for (i = 0; i < flight; i++) {
		fl.c[i].req = *req;
		fl.c[i].op.leased = leased;
		fl.c[i].done = 1;
	}
	while (fl.ended < total) {
		for (i = 0; i < flight; i++) {
			if (!fl.c[i].done || fl.started == total)
				continue;
			if (span)
				fl.c[i].req.range.off =
					(u64)fl.started * req->range.len % span;
			flight_next(&fl.c[i]);
		}
		if (fl.started != fl.ended)
			uv_run(&rig.loop, UV_RUN_ONCE);
	}
	t = uv_hrtime() - t;
	print_message("# %-32s %2u in flight: %8.0f/s %7.0f MB/s\n", what,
		      flight, total * 1e9 / t, fl.bytes * 1e3 / t);
}

static void test_speed(void **state)
{
	struct gns_msg get = { .type = GNS_GETATTR };
	struct gns_msg look = { .type = GNS_LOOKUP };
	struct gns_msg rd = { .type = GNS_READ };
	struct gns_fh fh;
	u8 *data = big_file(&fh);

	null_fd = open("/dev/null", O_WRONLY);
	get.obj.fh = fh;
	look.name.fh = rig.root;
	look.name.name = str("big");
	look.name.cred = cred_user;
	rd.range.fh = fh;
	assert_int_equal(read_status(&fh, &cred_root), 0);
	speed("GETATTR", &get, false, 1, 100000, 0);
	speed("LOOKUP, as a user", &look, false, 1, 5000, 0);
	speed("LOOKUP, as a user", &look, false, 32, 20000, 0);
	rd.range.len = 4096;
	speed("READ 4K, root", &rd, false, 1, 100000, 3 << 20);
	rd.range.cred = cred_user;
	speed("READ 4K, not the owner", &rd, false, 1, 100000, 3 << 20);
	rd.range.len = 65536;
	speed("READ 64K", &rd, false, 1, 20000, 3 << 20);
	rd.range.len = 1 << 20;
	speed("READ 1M, copied", &rd, false, 1, 1000, 3 << 20);
	speed("READ 1M, copied", &rd, false, 8, 2000, 3 << 20);
	speed("READ 1M, spliced", &rd, true, 1, 1000, 3 << 20);
	speed("READ 1M, spliced", &rd, true, 8, 4000, 3 << 20);
	close(null_fd);
	free(data);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_read),
		T(test_read_kinds),
		T(test_directory),
		T(test_symlink_race),
		T(test_vanish_race),
		T(test_slow_file),
		T(test_few_descriptors),
		T(test_destroy_busy),
		T(test_speed),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	setenv("UV_THREADPOOL_SIZE", "32", 1);
	gns_log_level = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
