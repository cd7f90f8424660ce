// SPDX-License-Identifier: GPL-2.0
/*
 * Files sent from where they are mapped: the windows by themselves, and reads
 * that are answered from them.
 */
#include <sys/mman.h>

#include "origin/window.h"
#include "posix_rig.h"

#define MIB (1u << 20)
#define WINDOW (16u * MIB) /* a read that begins below lies in the first */
#define SPAN (WINDOW + GNS_READ_MAX)
#define BIG (70u * MIB)

static u8 *data;

/* Every page differs from every other. */
static int make_data(void **state)
{
	u64 i;

	data = malloc(BIG);
	assert_non_null(data);
	for (i = 0; i < BIG / sizeof(i); i++)
		((u64 *)data)[i] = i * 0x9e3779b97f4a7c15ull;
	return rig_setup(state);
}

static int free_data(void **state)
{
	free(data);
	return rig_teardown(state);
}

static int big_fd(void)
{
	int fd;

	put_file(below("big"), data, BIG);
	fd = open(below("big"), O_RDONLY);
	assert_true(fd >= 0);
	return fd;
}

/* Mappings of the file, by the name it has or had. */
static u32 mapped(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	u32 n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += !!strstr(line, "/tree/big");
	fclose(f);
	return n;
}

static void check_bulk(const struct gns_bulk *bulk, u64 off, u32 len)
{
	assert_non_null(bulk);
	assert_int_equal(bulk->fd, -1);
	assert_int_equal(memcmp(bulk->data, data + off, len), 0);
}

/* ---- windows ---- */

static void test_bytes(void **state)
{
	static const u64 offs[] = { 0, 1, 4095, 4096, WINDOW - 1, WINDOW,
				    WINDOW + 4097, 2 * WINDOW - 5000 };
	static const u32 lens[] = { 1, 4096, 65537, MIB, GNS_READ_MAX };
	struct gns_windows *pool = gns_windows_create(1u << 30);
	struct gns_windows_of of = { 0 };
	struct gns_bulk *bulk;
	int fd = big_fd();
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(offs); i++) {
		for (k = 0; k < ARRAY_SIZE(lens); k++) {
			bulk = gns_window_get(pool, &of, fd, offs[i], lens[k]);
			check_bulk(bulk, offs[i], lens[k]);
			bulk->release(bulk);
		}
	}
	assert_int_equal(mapped(), 2);
	/* What is not there is not resident. */
	assert_null(gns_window_get(pool, &of, fd, BIG - 5, 4100));
	gns_windows_drop(&of);
	assert_int_equal(mapped(), 0);
	gns_windows_destroy(pool);
	close(fd);
}

/* No more than allowed; what is in use stays, the oldest of the others goes. */
static void test_room(void **state)
{
	struct gns_windows *pool = gns_windows_create(2 * SPAN + 5);
	struct gns_windows_of of = { 0 }, of2 = { 0 };
	struct gns_bulk *a, *b, *c;
	int fd = big_fd();

	a = gns_window_get(pool, &of, fd, 5, MIB);
	b = gns_window_get(pool, &of, fd, WINDOW, MIB);
	assert_null(gns_window_get(pool, &of2, fd, 2 * WINDOW, MIB));
	b->release(b);
	b = gns_window_get(pool, &of2, fd, 2 * WINDOW, MIB);
	check_bulk(b, 2 * WINDOW, MIB);
	assert_int_equal(mapped(), 2);
	/* Dropped, in use, and counted. */
	gns_windows_drop(&of);
	assert_int_equal(mapped(), 2);
	assert_null(gns_window_get(pool, &of, fd, WINDOW, MIB));
	check_bulk(a, 5, MIB);
	a->release(a);
	assert_int_equal(mapped(), 1);
	c = gns_window_get(pool, &of, fd, WINDOW, MIB);
	check_bulk(c, WINDOW, MIB);
	/* Bulks outlive it all. */
	gns_windows_drop(&of);
	gns_windows_drop(&of2);
	gns_windows_destroy(pool);
	close(fd);
	check_bulk(b, 2 * WINDOW, MIB);
	check_bulk(c, WINDOW, MIB);
	b->release(b);
	c->release(c);
	assert_int_equal(mapped(), 0);
}

static bool is_cold(int fd, u64 off)
{
	u8 *p = mmap(NULL, MIB, PROT_READ, MAP_SHARED, fd, (off_t)off);
	u8 vec[MIB / 4096];

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(mincore(p, MIB, vec), 0);
	munmap(p, MIB);
	return !(vec[0] & 1);
}

/* What would have to be read from the disk is not given out. */
static void test_cold(void **state)
{
	struct gns_windows *pool = gns_windows_create(SPAN);
	struct gns_windows_of of = { 0 };
	struct gns_bulk *bulk;
	int fd = big_fd();
	u8 *buf = malloc(MIB);

	assert_non_null(buf);
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	/* Without read-ahead of what is not asked for. */
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	if (!is_cold(fd, MIB) || !is_cold(fd, 0)) {
		print_message("# this filesystem has no cold files\n");
	} else {
		assert_null(gns_window_get(pool, &of, fd, MIB, MIB));
		assert_int_equal(pread(fd, buf, MIB, MIB), MIB);
		bulk = gns_window_get(pool, &of, fd, MIB, MIB);
		check_bulk(bulk, MIB, MIB);
		bulk->release(bulk);
		assert_null(gns_window_get(pool, &of, fd, 0, GNS_READ_MAX));
	}
	gns_windows_drop(&of);
	gns_windows_destroy(pool);
	close(fd);
	free(buf);
}

/* ---- reads ---- */

static void ask(struct call *c, const struct gns_fh *fh, u64 off, u32 len)
{
	*c = (struct call){ .req.type = GNS_READ };
	c->req.range.fh = *fh;
	c->req.range.off = off;
	c->req.range.len = len;
	c->req.range.cred = cred_user;
	c->op.leased = true;
	c->op.local = true;
	assert_int_equal(call_run(c), 0);
	assert_int_equal(c->op.rep.payload_len,
			 off < BIG ? min_u64(len, BIG - off) : 0);
	assert_int_equal(c->op.rep.r_obj.eof, off + len >= BIG);
}

static u64 by_map(void)
{
	struct gns_posix_stats stats;

	gns_posix_stats(rig.fs, &stats);
	return stats.mapped_bytes;
}

static void open_big(struct gns_fh *fh)
{
	struct call c;

	put_file(below("big"), data, BIG);
	assert_int_equal(lookup(&rig.root, "big", &cred_root, fh), 0);
	/* The first one opens it. */
	ask(&c, fh, 0, MIB);
	call_free(&c);
	assert_int_equal(by_map(), 0);
}

static void test_local_reads(void **state)
{
	static u8 buf[GNS_READ_MAX];
	struct gns_fh fh;
	struct call c;
	u64 before;
	u32 i, got;
	bool eof;

	open_big(&fh);
	srand(3);
	for (i = 0; i < 300; i++) {
		u64 off = (u64)rand() % (BIG + 100);

		ask(&c, &fh, off, 1 + (u32)rand() % GNS_READ_MAX);
		got = call_bytes(&c, buf);
		assert_int_equal(memcmp(buf, data + min_u64(off, BIG), got), 0);
		call_free(&c);
	}
	before = by_map();
	assert_true(before > 100u * MIB);
	/* Not for a remote reader, and never without a lease. */
	read_at(&fh, buf, MIB, 5, true, &cred_user, &got, &eof);
	ask(&c, &fh, 5, MIB);
	call_free(&c);
	assert_int_equal(by_map(), before + MIB);
	c = (struct call){ .req.type = GNS_READ };
	c.req.range.fh = fh;
	c.req.range.len = MIB;
	c.op.local = true;
	assert_int_equal(call_run(&c), 0);
	call_free(&c);
	assert_int_equal(by_map(), before + MIB);
	/* Nor for who may not read it. */
	assert_int_equal(chmod(below("big"), 0600), 0);
	c = (struct call){ .req.type = GNS_READ };
	c.req.range.fh = fh;
	c.req.range.len = MIB;
	c.req.range.cred = cred_other;
	c.op.leased = true;
	c.op.local = true;
	assert_int_equal(call_run(&c), EACCES);
	call_free(&c);
}

/* One round of the loop gives out only so much this way. */
static void test_round(void **state)
{
	struct call *c = calloc(64, sizeof(*c));
	struct gns_fh fh;
	u32 i, done = 0;

	assert_non_null(c);
	open_big(&fh);
	uv_update_time(&rig.loop);
	for (i = 0; i < 64; i++) {
		c[i].req.type = GNS_READ;
		c[i].req.range.fh = fh;
		c[i].req.range.off = i * MIB;
		c[i].req.range.len = GNS_READ_MAX;
		c[i].op.leased = true;
		c[i].op.local = true;
		call_start(&c[i]);
		done += c[i].done;
	}
	assert_int_equal(done, 32);
	assert_int_equal(by_map(), 64 * MIB);
	for (i = 0; i < 64; i++) {
		while (!c[i].done)
			uv_run(&rig.loop, UV_RUN_ONCE);
		assert_int_equal(c[i].op.rep.status, 0);
		call_free(&c[i]);
	}
	free(c);
}

/* A file that is removed is let go of, once its last bytes are sent. */
static void test_removed(void **state)
{
	struct call un = { .req.type = GNS_UNLINK };
	struct gns_fh fh;
	struct call c;
	u32 i;

	open_big(&fh);
	ask(&c, &fh, WINDOW, MIB);
	assert_int_equal(mapped(), 1);
	un.req.make.dir = rig.root;
	un.req.make.name = str("big");
	assert_int_equal(call_run(&un), 0);
	check_bulk(c.op.bulk, WINDOW, MIB);
	for (i = 0; i < 200 && stat_status(&fh) != ESTALE; i++)
		uv_run(&rig.loop, UV_RUN_ONCE);
	call_free(&c);
	for (i = 0; i < 200 && mapped(); i++) {
		usleep(10000);
		uv_run(&rig.loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(mapped(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, make_data, free_data)
		T(test_bytes),
		T(test_room),
		T(test_cold),
		T(test_local_reads),
		T(test_round),
		T(test_removed),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
