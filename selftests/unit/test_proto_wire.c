// SPDX-License-Identifier: GPL-2.0
/*
 * What stands on the wire, byte by byte, so that it can not change unseen: an
 * origin and a satellite of different age have to understand each other.
 *
 * Does a test fail here after a change to the protocol, then the change needs
 * a feature bit (PROTOCOL.md), or GNS_PROTO_MAX another number.
 */
#include "proto_rig.h"

static void same_bytes(const struct gns_msg *msg, const u8 *want, u32 n)
{
	u8 buf[FRAME_MAX + 64];
	struct gns_msg got;

	assert_int_equal(put_frame(msg, buf), n);
	assert_memory_equal(buf, want, n);
	assert_null(take_frame(want, &got));
}

static void test_header(void **state)
{
	static const u8 want[] = {
		32, 0, 0, 0, /* len */
		12, 0, /* type: READ */
		1, 0, /* flags: a reply */
		8, 7, 6, 5, 4, 3, 2, 1, /* tag */
		0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, /* sid */
		0xe8, 3, 0, 0, /* status: GNS_ST_DEAD */
		0, 0, 0, 0, /* body */
	};
	struct gns_msg msg = {
		.type = GNS_READ,
		.reply = true,
		.status = GNS_ST_DEAD,
		.tag = 0x0102030405060708,
		.sid = 0x1112131415161718,
	};
	struct gns_hdr hdr;
	const char *why;

	(void)state;
	_Static_assert(sizeof(want) == GNS_HDR_LEN, "the header's length");
	same_bytes(&msg, want, sizeof(want));
	assert_int_equal(gns_hdr_decode(want, &hdr, &why), 0);
	assert_int_equal(hdr.len, 32);
	assert_int_equal(hdr.type, GNS_READ);
	assert_int_equal(hdr.flags, GNS_HF_REPLY);
	assert_int_equal(hdr.tag, msg.tag);
	assert_int_equal(hdr.sid, msg.sid);
	assert_int_equal(hdr.status, 1000);
	assert_int_equal(hdr.body, 0);
}

static void test_hello(void **state)
{
	static const u8 want[] = {
		130, 0, 0, 0, 1, 0, 0, 0, /* len, type, flags */
		9, 0, 0, 0, 0, 0, 0, 0, /* tag */
		0, 0, 0, 0, 0, 0, 0, 0, /* sid */
		0, 0, 0, 0, 98, 0, 0, 0, /* status, body */
		1, 0, 0, 0, 2, 0, 0, 0, /* proto_min, proto_max */
		3, 0, 0, 0, 0, 0, 0, 0, /* features */
		'h', 'o', 's', 't', 0, 0, 0, 0, /* host */
		0, 0, 0, 0, 0, 0, 0, 0,
		'i', 'n', 's', 't', 0, 0, 0, 0, /* instance */
		0, 0, 0, 0, 0, 0, 0, 0,
		's', 'e', 'c', 'r', 'e', 't', 0, 0, /* secret */
		0, 0, 0, 0, 0, 0, 0, 0,
		4, 0, 0, 0, 0, 0, 0, 0x80, /* stamp */
		5, 0, 0, 0, 0, 0, 0, 0, /* old_sid */
		'o', 'l', 'd', 0, 0, 0, 0, 0, /* old_secret */
		0, 0, 0, 0, 0, 0, 0, 0,
		1, 0, /* fenced, had_slots */
	};
	struct gns_msg msg = { .type = GNS_HELLO, .tag = 9 };

	(void)state;
	msg.hello = (struct gns_m_hello){
		.proto_min = 1,
		.proto_max = 2,
		.features = 3,
		.host = { "host" },
		.instance = { "inst" },
		.secret = { "secret" },
		.stamp = 0x8000000000000004,
		.old_sid = 5,
		.old_secret = { "old" },
		.fenced = 1,
	};
	same_bytes(&msg, want, sizeof(want));
}

static void test_write(void **state)
{
	static const u8 want[] = {
		79, 0, 0, 0, 18, 0, 0, 0, /* len, type, flags */
		9, 0, 0, 0, 0, 0, 0, 0, /* tag */
		7, 0, 0, 0, 0, 0, 0, 0, /* sid */
		0, 0, 0, 0, 44, 0, 0, 0, /* status, body */
		3, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, /* slot, seq */
		0xe8, 3, 0, 0, 100, 0, 0, 0, /* uid, gid */
		2, 0, 0, 0, 27, 0, 0, 0, 44, 0, 0, 0, /* groups */
		2, 'f', 'h', /* fh */
		0, 0x10, 0, 0, 0, 0, 0, 0, /* off */
		3, /* flags */
		'a', 'b', 'c', /* payload */
	};
	struct gns_msg msg = { .type = GNS_WRITE, .tag = 9, .sid = 7 };

	(void)state;
	msg.write.change = (struct gns_change){ 3, 5 };
	msg.write.cred = (struct gns_cred){ 1000, 100, 2, { 27, 44 } };
	msg.write.fh = (struct gns_fh){ 2, "fh" };
	msg.write.off = 4096;
	msg.write.flags = GNS_WR_APPEND | GNS_WR_SYNC;
	msg.payload = "abc";
	msg.payload_len = 3;
	same_bytes(&msg, want, sizeof(want));
}

/* Two handles and three numbers of the same kind: which one is which? */
static void test_copy(void **state)
{
	static const u8 want[] = {
		89, 0, 0, 0, 31, 0, 0, 0, /* len, type, flags */
		9, 0, 0, 0, 0, 0, 0, 0, /* tag */
		7, 0, 0, 0, 0, 0, 0, 0, /* sid */
		0, 0, 0, 0, 57, 0, 0, 0, /* status, body */
		3, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, /* slot, seq */
		0xe8, 3, 0, 0, 100, 0, 0, 0, /* uid, gid */
		0, 0, 0, 0, /* groups */
		4, 'f', 'r', 'o', 'm', /* from */
		0, 0x10, 0, 0, 0, 0, 0, 0, /* from_off */
		2, 't', 'o', /* fh */
		0, 0x20, 0, 0, 0, 0, 0, 0, /* off */
		0, 0, 0, 0, 1, 0, 0, 0, /* len */
		1, /* flags */
	};
	struct gns_msg msg = { .type = GNS_COPY, .tag = 9, .sid = 7 };

	(void)state;
	msg.copy.change = (struct gns_change){ 3, 5 };
	msg.copy.cred = (struct gns_cred){ .uid = 1000, .gid = 100 };
	msg.copy.from = (struct gns_fh){ 4, "from" };
	msg.copy.from_off = 4096;
	msg.copy.fh = (struct gns_fh){ 2, "to" };
	msg.copy.off = 8192;
	msg.copy.len = 1ull << 32;
	msg.copy.flags = GNS_CP_CLONE;
	same_bytes(&msg, want, sizeof(want));
}

static void test_attributes(void **state)
{
	static const u8 want[] = {
		132, 0, 0, 0, 9, 0, 1, 0, /* len, type, flags */
		9, 0, 0, 0, 0, 0, 0, 0, /* tag */
		7, 0, 0, 0, 0, 0, 0, 0, /* sid */
		0, 0, 0, 0, 100, 0, 0, 0, /* status, body */
		2, 'f', 'h', /* fh */
		1, 0, 0, 0, 0, 0, 0, 0, /* grant: version */
		2, 0, 0, 0, 0, 0, 0, 0, /* and number */
		3, 0, 0, 0, 0, 0, 0, 0, /* ino */
		4, 0, 0, 0, 0, 0, 0, 0, /* size */
		5, 0, 0, 0, 0, 0, 0, 0, /* blocks */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* atime */
		7, 0, 0, 0, 0, 0, 0, 0, /* mtime */
		8, 0, 0, 0, 0, 0, 0, 0, /* ctime */
		9, 0, 0, 0, 0, 0, 0, 0, /* btime */
		10, 0, 0, 0, 11, 0, 0, 0, /* mode, nlink */
		12, 0, 0, 0, 13, 0, 0, 0, /* uid, gid */
		14, 0, 0, 0, 15, 0, 0, 0, /* rdev, blksize */
		1, /* eof */
	};
	struct gns_msg msg = { .type = GNS_GETATTR, .reply = true, .tag = 9 };

	(void)state;
	msg.sid = 7;
	msg.r_obj.fh = (struct gns_fh){ 2, "fh" };
	msg.r_obj.grant = (struct gns_grant){ 1, 2 };
	msg.r_obj.attr = (struct gns_attr){
		.ino = 3,
		.size = 4,
		.blocks = 5,
		.atime = -1,
		.mtime = 7,
		.ctime = 8,
		.btime = 9,
		.mode = 10,
		.nlink = 11,
		.uid = 12,
		.gid = 13,
		.rdev = 14,
		.blksize = 15,
	};
	msg.r_obj.eof = 1;
	same_bytes(&msg, want, sizeof(want));
}

/* FNV-1a */
static u32 digest(const u8 *p, u32 n)
{
	u32 h = 0x811c9dc5;

	while (n--)
		h = (h ^ *p++) * 0x01000193;
	return h;
}

/* Every message with all its fields full: bytes of the frame, and a digest. */
static const struct {
	u16 type;
	u16 request_len;
	u16 reply_len;
	u32 request;
	u32 reply;
} golden[] = {
	{ GNS_HELLO, 130, 81, 0x90b906fa, 0x8af28a41 },
	{ GNS_JOIN, 48, 32, 0xaa129a07, 0xfb86477e },
	{ GNS_RENEW, 40, 48, 0xd25d0916, 0x220b92ff },
	{ GNS_BYE, 48, 32, 0xdcefee01, 0xa64299f8 },
	{ GNS_REVOKE, 104, 0, 0x476d2cb9, 0x00000000 },
	{ GNS_RELEASED, 104, 0, 0x01b71c8a, 0x00000000 },
	{ GNS_MOUNT, 4398, 193, 0xcdad8a13, 0xfad03919 },
	{ GNS_LOOKUP, 622, 209, 0xcaffc501, 0x3aaa3176 },
	{ GNS_GETATTR, 374, 193, 0xb8568b44, 0xfcddf5a7 },
	{ GNS_READDIR, 385, 257, 0x558323b4, 0xeb34765d },
	{ GNS_READLINK, 374, 257, 0x25cc2152, 0x048edcee },
	{ GNS_READ, 385, 257, 0x94a7511a, 0x0fc3de8b },
	{ GNS_GETXATTR, 622, 257, 0xafcaf34c, 0x42d317b4 },
	{ GNS_LISTXATTR, 374, 257, 0x3d0116a7, 0x815fc8d9 },
	{ GNS_STATFS, 374, 84, 0x613fe36e, 0x5890f79b },
	{ GNS_REVALIDATE, 100, 100, 0xe14e5e27, 0x75e0efd6 },
	{ GNS_FSYNC, 374, 32, 0x23f623d5, 0x18455cbd },
	{ GNS_WRITE, 449, 519, 0x394da0fb, 0x7ae3beeb },
	{ GNS_CREATE, 642, 519, 0xaefcd087, 0x60b71b68 },
	{ GNS_MKDIR, 642, 519, 0x36d3d770, 0x9da57109 },
	{ GNS_UNLINK, 706, 519, 0x63743d4a, 0xebcafe36 },
	{ GNS_RMDIR, 642, 519, 0xa6138fd2, 0xa29fc287 },
	{ GNS_RENAME, 1019, 519, 0x7badea30, 0xdf9e0724 },
	{ GNS_SETATTR, 416, 519, 0xbcc10f17, 0xe4d82815 },
	{ GNS_SEEK, 373, 40, 0x7c2cd9e7, 0x1fa497c5 },
	{ GNS_LINK, 697, 519, 0x6d3894ce, 0x713485e3 },
	{ GNS_SYMLINK, 4730, 519, 0x0c9a2924, 0xa6c61220 },
	{ GNS_MKNOD, 645, 519, 0xe1b790a7, 0x0e3b97e1 },
	{ GNS_SETXATTR, 698, 519, 0x221d24e9, 0x11fe82ae },
	{ GNS_FALLOCATE, 396, 519, 0x10ea8020, 0xf732831f },
	{ GNS_COPY, 465, 519, 0x994e809b, 0x17c0134c },
	{ GNS_LOCK, 135, 55, 0x7a6979d2, 0xfb9bcbf1 },
	{ GNS_UNLOCKED, 96, 0, 0xe2df296d, 0x00000000 },
	{ GNS_RELEASED_OPEN, 104, 0, 0xab82367e, 0x00000000 },
	{ GNS_TMPFILE, 385, 519, 0x4297450a, 0x77aac058 },
};

static void test_all_messages(void **state)
{
	u8 buf[FRAME_MAX + 64];
	struct gns_msg msg;
	u32 i, n, bad = 0;

	(void)state;
	assert_int_equal(ARRAY_SIZE(golden), GNS_MSG_END - 1);
	for (i = 0; i < ARRAY_SIZE(golden); i++) {
		assert_int_equal(golden[i].type, i + 1);
		fill_msg(&msg, i + 1, false, true);
		n = put_frame(&msg, buf);
		if (n != golden[i].request_len ||
		    digest(buf, n) != golden[i].request) {
			print_message("# %s: now %u, 0x%08x\n",
				      gns_msg_name(i + 1), n, digest(buf, n));
			bad++;
		}
		if (!fill_msg(&msg, i + 1, true, true)) {
			assert_int_equal(golden[i].reply_len, 0);
			continue;
		}
		n = put_frame(&msg, buf);
		if (n != golden[i].reply_len ||
		    digest(buf, n) != golden[i].reply) {
			print_message("# %s, reply: now %u, 0x%08x\n",
				      gns_msg_name(i + 1), n, digest(buf, n));
			bad++;
		}
	}
	assert_int_equal(bad, 0);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(GNS_REVOKE, 5);
	assert_int_equal(GNS_MOUNT, 7);
	assert_int_equal(GNS_READ, 12);
	assert_int_equal(GNS_WRITE, 18);
	assert_int_equal(GNS_SETATTR, 24);
	assert_int_equal(GNS_SEEK, 25);
	assert_int_equal(GNS_LINK, 26);
	assert_int_equal(GNS_COPY, 31);
	assert_int_equal(GNS_LOCK, 32);
	assert_int_equal(GNS_FEAT_SEEK, 1);
	assert_int_equal(GNS_FEAT_MORE, 2);
	assert_int_equal(GNS_RELEASED_OPEN, 34);
	assert_int_equal(GNS_FEAT_HOLD, 4);
	assert_int_equal(GNS_FEAT_LOCK, 8);
	assert_int_equal(GNS_FEAT_ACL, 16);
	assert_int_equal(GNS_TMPFILE, 35);
	assert_int_equal(GNS_FEAT_TMPFILE, 32);
	assert_int_equal(GNS_FEAT_NAMES, 64);
	assert_int_equal(GNS_AM_ACL, 0x10000);
	assert_int_equal(GNS_AM_DEFACL, 0x20000);
	assert_int_equal(GNS_ST_NOTEXT, 1004);
	assert_int_equal(GNS_ST_UNKNOWN, 1006);
	_Static_assert(GNS_HELLO == 1 && GNS_MSG_END == 36, "messages");
	_Static_assert(GNS_ST_DEAD == 1000 && GNS_ST_END == 1009, "statuses");
	_Static_assert(GNS_FH_MAX == 63, "bytes of a handle");
	_Static_assert(GNS_NAME_MAX == 255, "bytes of a name");
	_Static_assert(GNS_PATH_MAX == 4096, "bytes of a path");
	_Static_assert(GNS_GROUPS_MAX == 64, "groups of a caller");
	_Static_assert(GNS_REVAL_MAX == 2048, "items of REVALIDATE");
	_Static_assert(GNS_CHANGED_MAX == 4, "objects of a change");
	_Static_assert(GNS_READ_MAX == 2 << 20, "bytes of READ");
	_Static_assert(GNS_WRITE_MAX == 1 << 20, "bytes of WRITE");
	_Static_assert(GNS_COPY_MAX == 1 << 30, "bytes of COPY");
	_Static_assert(GNS_TARGET_MAX == 4095, "bytes of a link's target");
	_Static_assert(GNS_DIR_MAX == 1 << 20, "bytes of READDIR");
	_Static_assert(GNS_XATTR_MAX == 65536, "bytes of an xattr");
	/* What an origin waits: never less than 5/4 of the promise. */
	assert_int_equal(gns_origin_wait(10 * NSEC_PER_SEC), 12750000000);
}

static void test_dirent(void **state)
{
	static const u8 want[] = {
		9, 0, 0, 0, 0, 0, 0, 0, /* cookie */
		8, GNS_DE_INO, /* type, has */
		1, 0, 'a', /* name */
		7, 0, 0, 0, 0, 0, 0, 0, /* ino */
	};
	struct gns_dirent d = { .cookie = 9,
				.type = 8,
				.has = GNS_DE_INO,
				.name = { "a", 1 },
				.attr.ino = 7 };
	struct gns_dirent got;
	u8 buf[512];
	int n, i;

	(void)state;
	n = gns_dirent_put(buf, sizeof(buf), &d);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(buf, want, n);
	for (i = 0; i < n; i++)
		assert_int_equal(gns_dirent_get(buf, i, &got), -EBADMSG);
	assert_int_equal(gns_dirent_put(buf, n - 1, &d), -ENOSPC);
	assert_int_equal(gns_dirent_get(buf, n, &got), n);
	assert_int_equal(got.attr.ino, 7);
	d.has = GNS_DE_NAME;
	assert_int_equal(gns_dirent_put(buf, sizeof(buf), &d), n - 8);
	buf[9] = GNS_DE_MAX + 1;
	assert_int_equal(gns_dirent_get(buf, n, &got), -EBADMSG);
	d.has = GNS_DE_MAX + 1;
	assert_int_equal(gns_dirent_put(buf, sizeof(buf), &d), -EINVAL);
	d.has = GNS_DE_ATTR;
	assert_int_equal(gns_dirent_put(buf, sizeof(buf), &d), -EINVAL);
	d.fh = (struct gns_fh){ GNS_FH_MAX, "fh" };
	d.grant = (struct gns_grant){ 1, 2 };
	fill_bytes(&d.attr, sizeof(d.attr), 0);
	n = gns_dirent_put(buf, sizeof(buf), &d);
	assert_int_equal(n, sizeof(want) - 8 + 1 + GNS_FH_MAX + 16 + 80);
	assert_int_equal(gns_dirent_get(buf, n, &got), n);
	assert_int_equal(got.cookie, 9);
	assert_int_equal(got.name.len, 1);
	assert_true(gns_fh_eq(&got.fh, &d.fh));
	assert_memory_equal(&got.attr, &d.attr, sizeof(d.attr));
	assert_int_equal(got.grant.number, 2);
	for (i = 0; i < n; i++)
		assert_int_equal(gns_dirent_get(buf, i, &got), -EBADMSG);
	buf[12] = 0; /* the name */
	assert_int_equal(gns_dirent_get(buf, n, &got), -EBADMSG);
	buf[12] = 'a';
	buf[8] = 16; /* the type */
	assert_int_equal(gns_dirent_get(buf, n, &got), -EBADMSG);
}

static void test_reval(void **state)
{
	struct gns_reval r = { .fh = { 2, "fh" }, .version = 3 }, got;
	static const u8 want[] = { 2, 'f', 'h', 3, 0, 0, 0, 0, 0, 0, 0 };
	u8 buf[512];
	int n, i;

	(void)state;
	n = gns_reval_put(buf, sizeof(buf), &r, false);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(buf, want, n);
	for (i = 0; i < n; i++)
		assert_int_equal(gns_reval_get(buf, i, &got, false), -EBADMSG);
	r.status = ESTALE;
	r.grant = (struct gns_grant){ 4, 5 };
	fill_bytes(&r.attr, sizeof(r.attr), 1);
	n = gns_reval_put(buf, sizeof(buf), &r, true);
	assert_int_equal(n, sizeof(want) + 4 + 16 + 80);
	assert_int_equal(gns_reval_put(buf, n - 1, &r, true), -ENOSPC);
	assert_int_equal(gns_reval_get(buf, n, &got, true), n);
	assert_int_equal(got.status, ESTALE);
	assert_int_equal(got.version, 3);
	assert_int_equal(got.grant.version, 4);
	assert_memory_equal(&got.attr, &r.attr, sizeof(r.attr));
	for (i = 0; i < n; i++)
		assert_int_equal(gns_reval_get(buf, i, &got, true), -EBADMSG);
	put_le32(buf + sizeof(want), GNS_ST_END);
	assert_int_equal(gns_reval_get(buf, n, &got, true), -EBADMSG);
	r.status = GNS_ST_END;
	assert_int_equal(gns_reval_put(buf, sizeof(buf), &r, true), -EINVAL);
	r.fh.len = 0;
	assert_int_equal(gns_reval_put(buf, sizeof(buf), &r, false), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_all_messages),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_dirent),
		cmocka_unit_test(test_reval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
