// SPDX-License-Identifier: GPL-2.0
/*
 * A whole origin, talked to by three connections.
 *
 * Every input is a run: bytes choose what is said, by whom, what ends, what
 * breaks and how much time passes. After it comes good weather, in which
 * everything has to be answered, then everybody leaves, and nothing may stay.
 */
#include <errno.h>
#include <linux/falloc.h>
#include <sys/stat.h>

#include "lib/log.h"
#include "sat.h"

#define STEPS 400

/* Only ever one world at a time; too large for the stack. */
static struct sats world;

static const char *const names[] = { "a", "b", "c", "d", "e", ".", "nowhere",
				     "x" };

static struct gns_str pick_name(struct fuzz_in *in)
{
	const char *n = names[fuzz_take(in, 1) % ARRAY_SIZE(names)];

	return (struct gns_str){ n, strlen(n) };
}

static struct gns_fh pick_fh(struct sats *s, struct fuzz_in *in)
{
	u8 b = fuzz_take(in, 1);
	struct gns_fh fh = toyfs_fh(&s->t, b % 8);

	if (b >= 240) {
		fh.len = b - 239;
		fh.b[2] ^= 1;
	} else if (b >= 200) {
		fh = toyfs_fh(&s->t, b % TOY_NODES);
	}
	return fh;
}

static u32 pick_conn(struct fuzz_in *in)
{
	return fuzz_take(in, 1) % SAT_CONNS;
}

/* Mostly the session of the connection; at times another one, or none. */
static u64 pick_sid(struct sats *s, u32 conn, struct fuzz_in *in)
{
	struct sat_session *own = s->conns[conn].session;
	u8 b = fuzz_take(in, 1);

	if (b < 230 && own)
		return own->sid;
	if (!s->nsessions || b == 255)
		return b;
	return s->sessions[b % s->nsessions].sid;
}

static void say_hello(struct sats *s, u32 conn, struct fuzz_in *in)
{
	struct gns_msg msg = { .type = GNS_HELLO };
	u8 b = fuzz_take(in, 1);
	u8 inst = b & 8 ? fuzz_take(in, 1) % SAT_INSTANCES : conn;
	struct sat_session *old = NULL;

	msg.hello.proto_min = 1;
	msg.hello.proto_max = b & 64 ? 0 : 1 + (b >> 7);
	msg.hello.instance.b[0] = inst;
	/* A new one each time, or the same HELLO once more. */
	s->hellos += !(b & 32);
	msg.hello.secret.b[0] = s->hellos;
	msg.hello.secret.b[1] = inst;
	msg.hello.stamp = s->t.boot;
	msg.hello.had_slots = b & 1;
	if (b & 2 && s->nsessions) {
		old = &s->sessions[fuzz_take(in, 1) % s->nsessions];
		msg.hello.old_sid = old->sid;
		msg.hello.old_secret = old->secret;
		msg.hello.old_secret.b[2] ^= b & 16;
		msg.hello.fenced = !!(b & 4);
	}
	sats_send(s, conn, &msg);
}

static void say_session(struct sats *s, u32 conn, struct fuzz_in *in)
{
	struct gns_msg msg = { 0 };
	u8 b = fuzz_take(in, 1);
	struct sat_session *ss = s->conns[conn].session;

	if (b & 3) {
		msg.type = GNS_RENEW;
		msg.sid = pick_sid(s, conn, in);
		msg.renew.stamp = s->t.boot - (b >> 4) * NSEC_PER_MSEC;
	} else {
		if (s->nsessions && b & 4)
			ss = &s->sessions[(b >> 4) % s->nsessions];
		if (!ss)
			return;
		msg.type = b & 8 ? GNS_BYE : GNS_JOIN;
		msg.sid = ss->sid;
		msg.join.secret = ss->secret;
		if (b == 0xf4)
			msg.join.secret.b[3] = 1;
	}
	sats_send(s, conn, &msg);
}

static void say_released(struct sats *s, u32 conn, struct fuzz_in *in)
{
	struct sat_session *ss = s->conns[conn].session;
	u8 b = fuzz_take(in, 1);
	struct gns_fh fh;
	u32 i;

	if (b >= 200) {
		fh = pick_fh(s, in);
		sats_release(s, conn, &fh, fuzz_take(in, 1));
		return;
	}
	for (i = 0; ss && i < SAT_LEASES; i++) {
		struct sat_lease *l = &ss->leases[(i + b) % SAT_LEASES];

		if (!l->revoked)
			continue;
		fh = l->fh;
		sats_release(s, conn, &fh, l->revoked);
		return;
	}
}

static void fill_reval(struct sats *s, struct gns_msg *msg, struct fuzz_in *in)
{
	static u8 items[2048];
	u32 n = fuzz_take(in, 1), i;

	msg->count.count = n % 9;
	for (i = 0; i < n % 8; i++) {
		struct gns_reval r = { .fh = pick_fh(s, in), .version = 1 };
		int len = gns_reval_put(items + msg->payload_len,
					sizeof(items) - msg->payload_len, &r,
					false);

		if (len > 0)
			msg->payload_len += len;
	}
	/* Now and then the count and the list do not agree. */
	if (msg->count.count == 8)
		msg->count.count = n >> 5;
	msg->payload = items;
}

static void say_read(struct sats *s, u32 conn, struct fuzz_in *in)
{
	static const u16 types[] = { GNS_LOOKUP, GNS_GETATTR, GNS_READ,
				     GNS_READDIR, GNS_READLINK, GNS_GETXATTR,
				     GNS_LISTXATTR, GNS_STATFS, GNS_FSYNC,
				     GNS_REVALIDATE, GNS_MOUNT };
	u8 b = fuzz_take(in, 1), want = fuzz_take(in, 1) & 3;
	struct gns_msg msg = { .type = types[b % ARRAY_SIZE(types)] };

	/* Came later: what old inputs say stays what it was. */
	if (b >= 253)
		msg.type = GNS_SEEK;
	msg.sid = pick_sid(s, conn, in);
	switch (msg.type) {
	case GNS_REVALIDATE:
		fill_reval(s, &msg, in);
		break;
	case GNS_MOUNT:
		msg.mount.export = pick_name(in);
		break;
	case GNS_LOOKUP:
	case GNS_GETXATTR:
		msg.name.fh = pick_fh(s, in);
		msg.name.name = pick_name(in);
		msg.name.want = want;
		break;
	case GNS_READ:
	case GNS_READDIR:
		msg.range.fh = pick_fh(s, in);
		msg.range.want = want;
		msg.range.off = fuzz_take(in, 1);
		msg.range.len = b << 5;
		msg.range.lease = fuzz_take(in, 1);
		break;
	case GNS_SEEK:
		msg.seek.fh = pick_fh(s, in);
		msg.seek.off = fuzz_take(in, 1);
		msg.seek.whence = want & 1;
		break;
	default:
		msg.obj.fh = pick_fh(s, in);
		msg.obj.want = want;
		if (msg.type == GNS_FSYNC && b >= 128)
			msg.obj.datasync = GNS_FS_ALL;
	}
	sats_send(s, conn, &msg);
}

static void fill_more(struct sats *s, struct gns_msg *msg, struct fuzz_in *in)
{
	static const u8 bytes[256];
	u8 b;

	/* All of them begin with a handle, and those with a name go on so. */
	msg->write.fh = pick_fh(s, in);
	b = fuzz_take(in, 1);
	switch (msg->type) {
	case GNS_LINK:
		msg->link.name = pick_name(in);
		msg->link.fh = pick_fh(s, in);
		break;
	case GNS_SYMLINK:
		msg->symlink.name = pick_name(in);
		msg->symlink.target = (struct gns_str){ "lllllll", 1 + b % 7 };
		break;
	case GNS_MKNOD:
		msg->mknod.name = pick_name(in);
		msg->mknod.mode = b & 1 ? S_IFIFO : b & 2 ? S_IFCHR :
							    S_IFBLK;
		msg->mknod.rdev = b;
		break;
	case GNS_SETXATTR:
		msg->setxattr.name = (struct gns_str){ b & 8 ? "y" : "x", 1 };
		msg->setxattr.flags = b & GNS_XA_ALL;
		msg->payload = bytes;
		msg->payload_len = fuzz_take(in, 1);
		break;
	case GNS_FALLOCATE:
		msg->fallocate.off = fuzz_take(in, 1);
		msg->fallocate.len = fuzz_take(in, 1);
		msg->fallocate.mode = b & 1 ? FALLOC_FL_COLLAPSE_RANGE : 0;
		break;
	case GNS_COPY:
		msg->copy.fh = pick_fh(s, in);
		msg->copy.off = fuzz_take(in, 1);
		msg->copy.len = fuzz_take(in, 1);
		msg->copy.flags = b & GNS_CP_CLONE;
	}
}

static void fill_change(struct sats *s, struct gns_msg *msg,
			struct fuzz_in *in)
{
	static const u8 bytes[4096];

	switch (msg->type) {
	case GNS_WRITE:
		msg->write.fh = pick_fh(s, in);
		msg->write.off = fuzz_take(in, 1);
		msg->write.flags = fuzz_take(in, 1) & 3;
		msg->payload = bytes;
		msg->payload_len = fuzz_take(in, 1);
		break;
	case GNS_SETATTR:
		msg->setattr.fh = pick_fh(s, in);
		msg->setattr.valid = fuzz_take(in, 1);
		msg->setattr.size = fuzz_take(in, 1);
		break;
	case GNS_RENAME:
		msg->rename.odir = pick_fh(s, in);
		msg->rename.oname = pick_name(in);
		msg->rename.ndir = pick_fh(s, in);
		msg->rename.nname = pick_name(in);
		msg->rename.flags = fuzz_take(in, 1) & 3;
		break;
	case GNS_LINK:
	case GNS_SYMLINK:
	case GNS_MKNOD:
	case GNS_SETXATTR:
	case GNS_FALLOCATE:
	case GNS_COPY:
		fill_more(s, msg, in);
		break;
	default:
		msg->make.dir = pick_fh(s, in);
		msg->make.name = pick_name(in);
		msg->make.mode = 0644;
		msg->make.flags = fuzz_take(in, 1) & 3;
	}
}

/* The newest change of each slot and the one before, to be said again. */
static struct gns_msg said[SAT_INSTANCES][4][2];

/*
 * A change: its slot's next one, a copy of the newest or of an older one, and
 * now and then what no satellite may say: another one under the same number.
 */
static void say_change(struct sats *s, u32 conn, struct fuzz_in *in)
{
	static const u16 types[] = { GNS_WRITE, GNS_CREATE, GNS_MKDIR,
				     GNS_UNLINK, GNS_RMDIR, GNS_RENAME,
				     GNS_SETATTR };
	u8 b = fuzz_take(in, 1), how = fuzz_take(in, 1);
	struct gns_msg msg = { .type = types[b % ARRAY_SIZE(types)] };
	u64 sid = pick_sid(s, conn, in);
	struct sat_session *ss = sat_session(s, sid);
	struct gns_msg *last = said[ss ? ss->inst : 0][how & 3];
	u64 seq = last[0].type ? gns_msg_change(&last[0])->seq : 0;

	/* Came later: what old inputs say stays what it was. */
	if (b >= 160)
		msg.type = GNS_LINK + b % (GNS_COPY - GNS_LINK + 1);
	if (how >= 180 && how < 252 && last[how >= 240].type) {
		msg = last[how >= 240];
	} else {
		fill_change(s, &msg, in);
		*gns_msg_change(&msg) = (struct gns_change){
			.slot = how == 255 ? GNS_SLOTS : how & 3,
			.seq = how < 252 || !seq ? seq + 1 + (how == 179) : seq,
		};
		s->hostile |= how >= 252;
		if (how != 255) {
			last[1] = last[0];
			last[0] = msg;
		}
	}
	msg.sid = sid;
	sats_send(s, conn, &msg);
}

/* A body of chance, of any type, as long as it can be read. */
static void say_anything(struct sats *s, u32 conn, struct fuzz_in *in)
{
	u8 body[160], n = fuzz_take(in, 1) % sizeof(body), i;
	struct gns_hdr hdr = { .type = fuzz_take(in, 1) % GNS_MSG_END,
			       .body = n };
	struct gns_msg msg;
	const char *why;

	for (i = 0; i < n; i++)
		body[i] = fuzz_take(in, 1);
	hdr.len = GNS_HDR_LEN + n;
	hdr.sid = pick_sid(s, conn, in);
	if (!hdr.type || gns_msg_decode(&hdr, body, body, &msg, &why))
		return;
	s->hostile |= gns_msg_is_change(msg.type);
	sats_send(s, conn, &msg);
}

static void quiesced(void *arg, int err)
{
}

static void something_breaks(struct sats *s, struct fuzz_in *in)
{
	u8 b = fuzz_take(in, 1);

	switch (b % 8) {
	case 0:
		sats_close(s, b / 8 % SAT_CONNS);
		break;
	case 1:
		s->conns[b / 8 % SAT_CONNS].broken = true;
		s->broke = true;
		break;
	case 2:
		sats_restart(s, b & 128, b >> 3, fuzz_take(in, 1));
		break;
	case 3:
		s->t.db_fails = true;
		break;
	case 4:
		s->t.fs_fails = 1 + (b >> 6);
		break;
	case 5:
		toyfs_beside(&s->t, b / 8 % 8);
		break;
	case 6:
		s->t.real -= (b >> 3) * 300 * NSEC_PER_SEC;
		break;
	case 7:
		if (b > 200)
			gns_origin_quiesce(s->o, quiesced, NULL);
		else
			gns_origin_set_ttl(s->o, (1 + b / 32) * NSEC_PER_SEC);
		break;
	}
}

static void something_ends(struct sats *s, struct fuzz_in *in)
{
	u8 b = fuzz_take(in, 1);
	u32 i, n = 1 + (b >> 5);

	switch (b & 7) {
	case 0:
		s->t.late = !s->t.late;
		break;
	case 1:
	case 2:
	case 3:
		for (i = 0; i < n && toy_commit_one(&s->t); i++)
			;
		break;
	case 4:
		s->conns[b / 8 % SAT_CONNS].conn.queued = b & 128 ? 1 << 25 : 0;
		break;
	default:
		toyfs_end_one(&s->t, n - 1);
	}
}

static void time_goes_by(struct sats *s, struct fuzz_in *in)
{
	static const u64 steps[] = { 1, NSEC_PER_MSEC, 50 * NSEC_PER_MSEC,
				     NSEC_PER_SEC, 2 * NSEC_PER_SEC,
				     6 * NSEC_PER_SEC, 10 * NSEC_PER_SEC };

	toy_advance(&s->t, steps[fuzz_take(in, 1) % ARRAY_SIZE(steps)]);
}

static void step(struct sats *s, struct fuzz_in *in)
{
	u8 b = fuzz_take(in, 1);
	u32 conn = b >> 6 < SAT_CONNS ? b >> 6 : pick_conn(in);

	switch (b & 15) {
	case 0:
		sats_open(s, conn);
		say_hello(s, conn, in);
		break;
	case 1:
		say_session(s, conn, in);
		break;
	case 2:
	case 3:
		say_released(s, conn, in);
		break;
	case 4:
	case 5:
	case 6:
		say_read(s, conn, in);
		break;
	case 7:
	case 8:
	case 9:
		say_change(s, conn, in);
		break;
	case 10:
		say_anything(s, conn, in);
		break;
	case 11:
		something_breaks(s, in);
		break;
	case 12:
		time_goes_by(s, in);
		break;
	default:
		something_ends(s, in);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct sats *s = &world;
	u32 i;

	sats_init(s);
	memset(said, 0, sizeof(said));
	FUZZ_CHECK(sats_start(s), "it does not start");
	for (i = 0; i < STEPS && in.left; i++) {
		step(s, &in);
		check_revoked(s);
	}
	sats_drain(s);
	check_all_answered(s);
	sats_end(s);
	check_idle(s);
	sats_exit(s);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	gns_log_level = 0;
	return 0;
}
