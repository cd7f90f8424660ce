// SPDX-License-Identifier: GPL-2.0
/*
 * Between the kernel's form and the wire's: words become requests, answers
 * become attributes and records, and what makes no sense is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "satellite/translate.h"

static struct nl_msg *msg;

static int setup(void **state)
{
	(void)state;
	msg = nlmsg_alloc();
	nlmsg_put(msg, 0, 0, 16, 0, 0);
	return !msg;
}

static int teardown(void **state)
{
	(void)state;
	nlmsg_free(msg);
	return 0;
}

/* A word of @kind with some usual attributes; more go in before word_end(). */
static struct nlattr *word_begin(u32 kind)
{
	struct nlattr *nest = nla_nest_start(msg, GNS_A_WORD);

	nla_put_u32(msg, GNS_A_WORD_KIND, kind);
	nla_put_u32(msg, GNS_A_ORIGIN, 7);
	return nest;
}

static struct nlattr *call_begin(u32 type)
{
	struct nlattr *nest = word_begin(GNS_WORD_CALL);
	static const u32 groups[] = { 4, 5, 6 };

	nla_put_u64(msg, GNS_A_ID, 99);
	nla_put_u32(msg, GNS_A_CALL, type);
	nla_put_u32(msg, GNS_A_UID, 1000);
	nla_put_u32(msg, GNS_A_GID, 1001);
	nla_put(msg, GNS_A_GROUPS, sizeof(groups), groups);
	return nest;
}

/* Returns what was wrong; NULL: nothing. */
static const char *word_end(struct nlattr *nest, struct gns_word *w)
{
	const char *why;
	int err;

	nla_nest_end(msg, nest);
	err = gns_word_parse(nest, w, &why);
	assert_int_equal(err, why ? -EINVAL : 0);
	return why;
}

static void same_cred(const struct gns_cred *c)
{
	assert_int_equal(c->uid, 1000);
	assert_int_equal(c->gid, 1001);
	assert_int_equal(c->ngroups, 3);
	assert_int_equal(c->groups[2], 6);
}

static void test_words(void **state)
{
	const struct gns_ulock lk = { .seq = 6,
				      .owner = 5,
				      .end = UINT64_MAX,
				      .op = GNS_ULK_UNLOCK };
	struct nlattr *n = word_begin(GNS_WORD_ORIGIN);
	struct gns_word w;

	(void)state;
	nla_put(msg, GNS_A_NAME, 6, "host:1");
	assert_null(word_end(n, &w));
	assert_int_equal(w.kind, GNS_WORD_ORIGIN);
	assert_int_equal(w.origin, 7);
	assert_int_equal(w.name.len, 6);
	assert_memory_equal(w.name.p, "host:1", 6);

	n = word_begin(GNS_WORD_RELEASED);
	nla_put_u64(msg, GNS_A_SID, 3);
	nla_put(msg, GNS_A_FH, 2, "ab");
	nla_put_u64(msg, GNS_A_UPTO, 5);
	assert_null(word_end(n, &w));
	assert_int_equal(w.sid, 3);
	assert_int_equal(w.upto, 5);
	assert_int_equal(w.fh.len, 2);
	assert_false(w.open);

	n = word_begin(GNS_WORD_RELEASED);
	nla_put(msg, GNS_A_FH, 2, "ab");
	nla_put_flag(msg, GNS_A_OPEN);
	assert_null(word_end(n, &w));
	assert_true(w.open);

	n = word_begin(GNS_WORD_FENCED);
	nla_put_u64(msg, GNS_A_SID, 4);
	assert_null(word_end(n, &w));
	assert_int_equal(w.sid, 4);

	n = word_begin(GNS_WORD_CANCEL);
	nla_put_u64(msg, GNS_A_ID, 8);
	assert_null(word_end(n, &w));
	assert_int_equal(w.id, 8);

	n = word_begin(GNS_WORD_UNLOCK);
	nla_put_u64(msg, GNS_A_SID, 9);
	nla_put(msg, GNS_A_FH, 2, "ab");
	nla_put(msg, GNS_A_LOCK, sizeof(lk), &lk);
	assert_null(word_end(n, &w));
	assert_int_equal(w.sid, 9);
	assert_int_equal(w.msg.type, GNS_LOCK);
	assert_int_equal(w.msg.lock.fh.len, 2);
	assert_int_equal(w.msg.lock.op, GNS_LK_UNLOCK);
	assert_int_equal(w.msg.lock.owner, 5);
	assert_int_equal(w.msg.lock.seq, 6);
	assert_string_equal(word_end(word_begin(GNS_WORD_UNLOCK), &w), "FH");
	n = word_begin(GNS_WORD_UNLOCK);
	nla_put(msg, GNS_A_FH, 2, "ab");
	assert_string_equal(word_end(n, &w), "LOCK");

	assert_null(word_end(word_begin(GNS_WORD_ORIGIN_GONE), &w));
	assert_string_equal(word_end(word_begin(77), &w), "WORD_KIND");
	assert_string_equal(word_end(word_begin(GNS_WORD_ORIGIN), &w), "NAME");
	assert_string_equal(word_end(word_begin(GNS_WORD_RELEASED), &w), "FH");
}

static void test_read(void **state)
{
	struct nlattr *n = call_begin(GNS_CALL_READ);
	struct gns_word w;

	(void)state;
	nla_put(msg, GNS_A_FH, 3, "abc");
	nla_put_u64(msg, GNS_A_OFF, 1ull << 40);
	nla_put_u32(msg, GNS_A_LEN, GNS_READ_MAX);
	nla_put_u64(msg, GNS_A_LEASE, 12);
	nla_put_u64(msg, GNS_A_EPOCH, 13);
	assert_null(word_end(n, &w));
	assert_int_equal(w.id, 99);
	assert_int_equal(w.epoch, 13);
	assert_int_equal(w.msg.type, GNS_READ);
	assert_false(w.msg.reply);
	assert_int_equal(w.msg.range.off, 1ull << 40);
	assert_int_equal(w.msg.range.len, GNS_READ_MAX);
	assert_int_equal(w.msg.range.lease, 12);
	assert_int_equal(w.msg.range.fh.len, 3);
	same_cred(&w.msg.range.cred);
}

static void test_other_calls(void **state)
{
	struct nlattr *n = call_begin(GNS_CALL_MOUNT);
	struct gns_word w;

	(void)state;
	nla_put(msg, GNS_A_NAME, 4, "data");
	assert_null(word_end(n, &w));
	assert_int_equal(w.msg.type, GNS_MOUNT);
	assert_int_equal(w.msg.mount.export.len, 4);
	same_cred(&w.msg.mount.cred);

	n = call_begin(GNS_CALL_LOOKUP);
	nla_put(msg, GNS_A_FH, 1, "d");
	nla_put(msg, GNS_A_NAME, 2, "\xff\n");
	nla_put_u32(msg, GNS_A_WANT, GNS_UWANT_LEASE | GNS_UWANT_TURN);
	assert_null(word_end(n, &w));
	assert_int_equal(w.msg.type, GNS_LOOKUP);
	assert_int_equal(w.msg.name.want, GNS_WANT_LEASE | GNS_WANT_TURN);
	assert_int_equal(w.msg.name.name.len, 2);
	same_cred(&w.msg.name.cred);

	n = call_begin(GNS_CALL_SEEK);
	nla_put(msg, GNS_A_FH, 1, "f");
	nla_put_u64(msg, GNS_A_OFF, 4096);
	nla_put_u32(msg, GNS_A_FLAGS, SEEK_HOLE);
	assert_null(word_end(n, &w));
	assert_int_equal(w.msg.type, GNS_SEEK);
	assert_int_equal(w.msg.seek.whence, GNS_SK_HOLE);
	assert_int_equal(w.msg.seek.off, 4096);
	same_cred(&w.msg.seek.cred);

	n = call_begin(GNS_CALL_STATFS);
	nla_put(msg, GNS_A_FH, 1, "f");
	assert_null(word_end(n, &w));
	assert_int_equal(w.msg.type, GNS_STATFS);
	same_cred(&w.msg.obj.cred);

	n = call_begin(GNS_CALL_REVALIDATE);
	nla_put_u32(msg, GNS_A_PAYLOAD, 3 * sizeof(struct gns_ureval));
	assert_null(word_end(n, &w));
	assert_int_equal(w.msg.type, GNS_REVALIDATE);
	assert_int_equal(w.msg.count.count, 3);
	assert_int_equal(w.payload, 3 * sizeof(struct gns_ureval));
}

/* Whatever is parsed can be said on the wire. */
static void encodes(const struct gns_word *w)
{
	static u8 buf[GNS_HDR_LEN + GNS_BODY_MAX];

	assert_true(gns_msg_encode(&w->msg, buf, sizeof(buf)) > 0);
}

static void test_senseless_calls(void **state)
{
	struct gns_word w;
	struct nlattr *n;
	u32 groups[65] = { 0 };

	(void)state;
	assert_string_equal(word_end(call_begin(0), &w), "CALL");
	assert_string_equal(word_end(call_begin(GNS_CALL_MAX + 1), &w), "CALL");
	assert_string_equal(word_end(word_begin(GNS_WORD_CALL), &w), "ID");
	assert_string_equal(word_end(call_begin(GNS_CALL_GETATTR), &w), "FH");
	assert_int_equal(w.id, 99);
	assert_string_equal(word_end(call_begin(GNS_CALL_LOOKUP), &w), "NAME");

	n = call_begin(GNS_CALL_GETATTR);
	nla_put(msg, GNS_A_FH, 1, "f");
	nla_put_u32(msg, GNS_A_WANT, 4);
	assert_string_equal(word_end(n, &w), "WANT");

	n = call_begin(GNS_CALL_READDIR);
	nla_put(msg, GNS_A_FH, 1, "f");
	nla_put_u32(msg, GNS_A_WANT, 4);
	assert_null(word_end(n, &w));
	assert_int_equal(w.msg.range.want, GNS_WANT_NAMES);

	n = call_begin(GNS_CALL_LOOKUP);
	nla_put(msg, GNS_A_FH, 1, "f");
	nla_put(msg, GNS_A_NAME, 3, "a\0b");
	assert_string_equal(word_end(n, &w), "NAME");

	n = call_begin(GNS_CALL_READ);
	nla_put(msg, GNS_A_FH, 1, "f");
	nla_put_u32(msg, GNS_A_LEN, GNS_READ_MAX + 1);
	assert_string_equal(word_end(n, &w), "LEN");

	n = call_begin(GNS_CALL_SEEK);
	nla_put(msg, GNS_A_FH, 1, "f");
	nla_put_u32(msg, GNS_A_FLAGS, SEEK_END);
	assert_string_equal(word_end(n, &w), "FLAGS");

	n = call_begin(GNS_CALL_GETATTR);
	nla_put(msg, GNS_A_FH, 1, "f");
	nla_put(msg, GNS_A_GROUPS, sizeof(groups), groups);
	assert_string_equal(word_end(n, &w), "GROUPS");

	n = call_begin(GNS_CALL_REVALIDATE);
	nla_put_u32(msg, GNS_A_PAYLOAD, 7);
	assert_string_equal(word_end(n, &w), "PAYLOAD");

	n = call_begin(GNS_CALL_READDIR);
	nla_put(msg, GNS_A_FH, 1, "f");
	nla_put_u32(msg, GNS_A_LEN, GNS_DIR_MAX);
	assert_null(word_end(n, &w));
	assert_true(w.msg.range.len < w.room);
	encodes(&w);
}

static u32 add_entry(u8 *p, u32 used, u64 cookie, u32 len, u8 has)
{
	char name[GNS_NAME_MAX];
	struct gns_dirent d = {
		.cookie = cookie,
		.type = 8,
		.has = has,
		.name = { name, len },
	};
	int n;

	memset(name, 'a' + (int)(cookie % 26), sizeof(name));
	d.fh = (struct gns_fh){ 5, "hello" };
	d.grant = (struct gns_grant){ cookie * 10, cookie * 100 };
	d.attr.size = cookie * 1000;
	d.attr.ino = cookie * 10;
	d.attr.blksize = 4096;
	n = gns_dirent_put(p + used, 65536 - used, &d);
	assert_true(n > 0);
	return used + (u32)n;
}

static void test_listing(void **state)
{
	static u8 wire[65536], out[65536] __attribute__((aligned(8)));
	const struct gns_udirent *u = (void *)out;
	u32 len = add_entry(wire, 0, 1, 1, GNS_DE_ATTR), first;
	bool all;
	int n, m;

	(void)state;
	len = add_entry(wire, len, 2, 255, GNS_DE_INO);
	len = add_entry(wire, len, 3, 8, GNS_DE_ATTR);
	n = gns_dirents_to_kernel(wire, len, out, sizeof(out), &all);
	assert_true(n > 0);
	assert_true(all);
	assert_int_equal(u->cookie, 1);
	assert_int_equal(u->reclen, sizeof(*u) + 8);
	assert_int_equal(u->namelen, 1);
	assert_int_equal(u->flags, GNS_UD_ATTR);
	assert_int_equal(u->version, 10);
	assert_int_equal(u->number, 100);
	assert_int_equal(u->attr.size, 1000);
	assert_int_equal(u->attr.blksize, 4096);
	assert_int_equal(u->fh.len, 5);
	assert_memory_equal(u->fh.b, "hello", 5);
	assert_memory_equal(u + 1, "b\0\0\0\0\0\0", 8);
	first = u->reclen;
	u = (const void *)(out + u->reclen);
	assert_int_equal(u->flags, 0);
	assert_int_equal(u->fh.len, 0);
	assert_int_equal(u->attr.ino, 20);
	assert_int_equal(u->attr.size, 0);
	assert_int_equal(u->namelen, 255);
	assert_int_equal(u->reclen, sizeof(*u) + 256);
	u = (const void *)((const u8 *)u + u->reclen);
	assert_int_equal(u->cookie, 3);
	assert_int_equal((const u8 *)u + u->reclen - out, n);

	/* With less room there are fewer, and never half of one. */
	m = gns_dirents_to_kernel(wire, len, out, (u32)n - 1, &all);
	assert_false(all);
	assert_int_equal(m, n - (int)u->reclen);
	m = gns_dirents_to_kernel(wire, len, out, first, &all);
	assert_int_equal(m, first);
	assert_int_equal(gns_dirents_to_kernel(wire, len, out, first - 1, &all),
			 -EOVERFLOW);
	assert_int_equal(gns_dirents_to_kernel(wire, len - 1, out, sizeof(out),
					       &all),
			 -EBADMSG);
	assert_int_equal(gns_dirents_to_kernel(wire, 0, out, 0, &all), 0);
	assert_true(all);
	/* 0 is the start of a listing. */
	len = add_entry(wire, 0, 0, 1, GNS_DE_ATTR);
	assert_int_equal(gns_dirents_to_kernel(wire, len, out, sizeof(out),
					       &all),
			 -EBADMSG);
}

static void test_revals(void **state)
{
	struct gns_msg rep = { .type = GNS_REVALIDATE, .reply = true };
	struct gns_ureval v[3] = { 0 };
	struct gns_reval r = { 0 };
	u8 wire[1024];
	u32 i, used = 0;
	int n;

	(void)state;
	for (i = 0; i < 3; i++) {
		v[i].fh.len = (u8)(i + 1);
		memset(v[i].fh.b, 'x', i + 1);
		v[i].version = i + 10;
	}
	n = gns_revals_to_wire(v, 3, wire, sizeof(wire));
	assert_true(n > 0 && (u32)n <= 3 * GNS_REVAL_ASK_MAX);
	for (i = 0; i < 3; i++) {
		int k = gns_reval_get(wire + used, (u32)n - used, &r, false);

		assert_true(k > 0);
		assert_int_equal(r.fh.len, i + 1);
		assert_int_equal(r.version, i + 10);
		used += (u32)k;
	}
	assert_int_equal(used, n);
	assert_int_equal(gns_revals_to_wire(v, 3, wire, (u32)n - 1), -ENOSPC);

	/* Two of them are answered. */
	used = 0;
	for (i = 0; i < 2; i++) {
		r = (struct gns_reval){ .fh.len = (u8)(i + 1) };
		memset(r.fh.b, 'x', i + 1);
		r.status = i ? ESTALE : 0;
		r.grant = (struct gns_grant){ 21, 22 };
		r.attr.ino = 23;
		used += (u32)gns_reval_put(wire + used, sizeof(wire) - used, &r,
					   true);
	}
	rep.payload = wire;
	rep.payload_len = used;
	assert_int_equal(gns_revals_to_kernel(&rep, v, 3), 0);
	assert_int_equal(v[0].status, 0);
	assert_int_equal(v[0].version, 21);
	assert_int_equal(v[0].number, 22);
	assert_int_equal(v[0].attr.ino, 23);
	assert_int_equal(v[1].status, ESTALE);
	assert_int_equal(v[1].version, 0);
	assert_int_equal(v[1].attr.ino, 0);
	assert_int_equal(v[2].status, EAGAIN);

	/* More than asked, something else, half of it. */
	assert_int_equal(gns_revals_to_kernel(&rep, v, 1), -EBADMSG);
	v[0].fh.b[0] = 'y';
	assert_int_equal(gns_revals_to_kernel(&rep, v, 3), -EBADMSG);
	v[0].fh.b[0] = 'x';
	rep.payload_len--;
	assert_int_equal(gns_revals_to_kernel(&rep, v, 3), -EBADMSG);
	v[0].fh.len = 64;
	assert_int_equal(gns_revals_to_wire(v, 1, wire, sizeof(wire)), -EINVAL);
}

static struct nlattr **attrs_of(const struct gns_msg *rep)
{
	static struct nlattr *tb[GNS_A_MAX + 1];

	teardown(NULL);
	setup(NULL);
	assert_int_equal(gns_answer_put(msg, rep), 0);
	assert_int_equal(nlmsg_parse(nlmsg_hdr(msg), 0, tb, GNS_A_MAX, NULL),
			 0);
	assert_int_equal(nla_get_u64(tb[GNS_A_SID]), rep->sid);
	assert_int_equal(nla_get_u32(tb[GNS_A_STATUS]), rep->status);
	return tb;
}

static void test_answers(void **state)
{
	struct gns_msg rep = { .reply = true, .sid = 5, .type = GNS_LOOKUP };
	struct gns_ustatfs st;
	struct nlattr **tb;

	(void)state;
	rep.r_lookup.dir = (struct gns_grant){ 1, 2 };
	rep.r_lookup.absent = 1;
	tb = attrs_of(&rep);
	assert_int_equal(nla_get_u64(tb[GNS_A_DIR_VERSION]), 1);
	assert_int_equal(nla_get_u64(tb[GNS_A_DIR_NUMBER]), 2);
	assert_int_equal(nla_get_u32(tb[GNS_A_FLAGS]), GNS_UF_ABSENT);
	assert_null(tb[GNS_A_FH]);

	rep.r_lookup.absent = 0;
	assert_int_equal(gns_answer_put(msg, &rep), -EBADMSG);
	rep.r_lookup.child.fh = (struct gns_fh){ 1, "c" };
	rep.r_lookup.child.grant = (struct gns_grant){ 3, 4 };
	tb = attrs_of(&rep);
	assert_null(tb[GNS_A_FLAGS]);
	assert_int_equal(nla_len(tb[GNS_A_FH]), 1);
	assert_int_equal(nla_len(tb[GNS_A_ATTR]), sizeof(struct gns_uattr));
	assert_int_equal(nla_get_u64(tb[GNS_A_VERSION]), 3);
	assert_int_equal(nla_get_u64(tb[GNS_A_NUMBER]), 4);

	rep = (struct gns_msg){ .type = GNS_STATFS, .reply = true };
	rep.r_statfs.bavail = 77;
	rep.r_statfs.namelen = 255;
	tb = attrs_of(&rep);
	memcpy(&st, nla_data(tb[GNS_A_STATFS]), sizeof(st));
	assert_int_equal(st.bavail, 77);
	assert_int_equal(st.namelen, 255);

	rep = (struct gns_msg){ .type = GNS_SEEK, .reply = true };
	rep.r_seek.off = 1ull << 50;
	assert_int_equal(nla_get_u64(attrs_of(&rep)[GNS_A_OFF]), 1ull << 50);

	rep = (struct gns_msg){ .type = GNS_MOUNT, .status = GNS_ST_NOEXPORT };
	assert_null(attrs_of(&rep)[GNS_A_FH]);
}

static void test_change_answers(void **state)
{
	struct gns_msg rep = { .type = GNS_CREATE, .reply = true, .sid = 5 };
	struct gns_r_change *r = &rep.r_change;
	struct gns_uchanged u[GNS_UCHANGED_MAX];
	struct nlattr **tb;
	u32 i;

	(void)state;
	r->fh = (struct gns_fh){ 3, "new" };
	r->off = 1ull << 40;
	r->count = GNS_COPY_MAX;
	r->created = 1;
	r->number = 1ull << 50;
	r->changed.n = GNS_CHANGED_MAX;
	for (i = 0; i < GNS_CHANGED_MAX; i++) {
		struct gns_changed *c = &r->changed.v[i];

		c->fh.len = (u8)(i ? i : GNS_FH_MAX);
		memset(c->fh.b, 'a' + (int)i, c->fh.len);
		c->before = i * 10;
		c->after = i * 10 + 1;
		c->attr.ino = i + 100;
		c->attr.blksize = i + 200;
	}
	tb = attrs_of(&rep);
	assert_int_equal(nla_get_u64(tb[GNS_A_SID]), 5);
	assert_int_equal(nla_len(tb[GNS_A_FH]), 3);
	assert_memory_equal(nla_data(tb[GNS_A_FH]), "new", 3);
	assert_int_equal(nla_get_u64(tb[GNS_A_OFF]), 1ull << 40);
	assert_int_equal(nla_get_u64(tb[GNS_A_COUNT]), GNS_COPY_MAX);
	assert_int_equal(nla_get_u32(tb[GNS_A_FLAGS]), GNS_UF_CREATED);
	assert_int_equal(nla_get_u64(tb[GNS_A_NUMBER]), 1ull << 50);
	assert_int_equal(nla_len(tb[GNS_A_CHANGED]), sizeof(u));
	memcpy(u, nla_data(tb[GNS_A_CHANGED]), sizeof(u));
	for (i = 0; i < GNS_UCHANGED_MAX; i++) {
		assert_int_equal(u[i].fh.len, i ? i : GNS_UFH_MAX);
		assert_int_equal(u[i].fh.b[0], 'a' + i);
		assert_int_equal(u[i].before, i * 10);
		assert_int_equal(u[i].after, i * 10 + 1);
		assert_int_equal(u[i].attr.ino, i + 100);
		assert_int_equal(u[i].attr.blksize, i + 200);
	}
	/* Nothing of the stack behind a short handle. */
	assert_int_equal(u[1].fh.b[1], 0);

	/* Without an object, and without a touched one. */
	r->fh.len = 0;
	r->created = 0;
	r->changed.n = 0;
	tb = attrs_of(&rep);
	assert_null(tb[GNS_A_FH]);
	assert_null(tb[GNS_A_FLAGS]);
	assert_null(tb[GNS_A_CHANGED]);

	r->changed.n = 1;
	r->changed.v[0].fh.len = 0;
	assert_int_equal(gns_answer_put(msg, &rep), -EBADMSG);
	r->changed.n = GNS_CHANGED_MAX + 1;
	assert_int_equal(gns_answer_put(msg, &rep), -EBADMSG);
}

static void test_short_answers(void **state)
{
	struct gns_msg rep = { .type = GNS_FSYNC, .reply = true, .sid = 5 };
	struct nlattr **tb;
	u16 type;

	(void)state;
	tb = attrs_of(&rep);
	assert_null(tb[GNS_A_FH]);
	assert_null(tb[GNS_A_ATTR]);
	rep.status = GNS_ST_LOST;
	attrs_of(&rep);
	rep.type = GNS_WRITE;
	rep.status = GNS_ST_UNKNOWN;
	tb = attrs_of(&rep);
	assert_null(tb[GNS_A_COUNT]);
	assert_null(tb[GNS_A_CHANGED]);
	for (type = GNS_FSYNC; type < GNS_MSG_END; type++)
		assert_false(gns_answer_has_bytes(type));
}

static void test_fills(void **state)
{
	struct gns_msg rep = { .reply = true, .sid = 5, .type = GNS_READ };
	struct gns_ufill f;

	(void)state;
	rep.r_obj.grant = (struct gns_grant){ 1, 2 };
	rep.r_obj.attr.size = 3;
	rep.r_obj.eof = 1;
	gns_answer_to_fill(&rep, &f);
	assert_int_equal(f.sid, 5);
	assert_int_equal(f.version, 1);
	assert_int_equal(f.number, 2);
	assert_int_equal(f.attr.size, 3);
	assert_int_equal(f.flags, GNS_UF_EOF);
	assert_int_equal(f.status, 0);
	assert_int_equal(f.len, 0);
	rep.status = ESTALE;
	gns_answer_to_fill(&rep, &f);
	assert_int_equal(f.status, ESTALE);
	assert_int_equal(f.version, 0);
	assert_int_equal(f.flags, 0);
	assert_true(gns_answer_has_bytes(GNS_REVALIDATE));
	assert_false(gns_answer_has_bytes(GNS_SEEK));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_words),
		T(test_read),
		T(test_other_calls),
		T(test_senseless_calls),
		T(test_listing),
		T(test_revals),
		T(test_answers),
		T(test_change_answers),
		T(test_short_answers),
		T(test_fills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
