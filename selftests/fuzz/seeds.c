// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the corpus that real encodings make: make_seeds <folder>.
 *
 * A file that is there already is left alone, so that what the fuzzer has
 * found and what has once been broken stays.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "origin/core.h"
#include "proto/cursor.h"
#include "proto/fields.h"

static const char *top;

static void save(const char *target, const char *name, const void *p, size_t n)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, target);
	if (mkdir(path, 0777) && errno != EEXIST)
		FUZZ_CHECK(0, "%s: %s", path, strerror(errno));
	snprintf(path, sizeof(path), "%s/%s/%s", top, target, name);
	f = fopen(path, "wxb");
	if (!f) {
		FUZZ_CHECK(errno == EEXIST, "%s: %s", path, strerror(errno));
		return;
	}
	FUZZ_CHECK(fwrite(p, 1, n, f) == n && !fclose(f), "%s", path);
}

static void fill_field(const struct gns_field *f, void *obj)
{
	void *p = (char *)obj + f->off;
	struct gns_changed_list *l = p;
	struct gns_cred *cred = p;
	struct gns_fh *fh = p;

	switch (f->kind) {
	case GNS_K_U8:
		*(u8 *)p = f->max;
		break;
	case GNS_K_U32:
		*(u32 *)p = f->max ? f->max : 0x01020304;
		break;
	case GNS_K_FH:
		*fh = (struct gns_fh){ .len = 6, .b = "n\1" };
		if (strstr(f->name, "dir"))
			fh->b[1] = 0;
		break;
	case GNS_K_STR:
		*(struct gns_str *)p = (struct gns_str){ "name", 4 };
		break;
	case GNS_K_CRED:
		*cred = (struct gns_cred){ 1000, 100, 2, { 4, 27 } };
		break;
	case GNS_K_CHANGE:
		*(struct gns_change *)p = (struct gns_change){ 3, 7 };
		break;
	case GNS_K_CHANGED:
		l->n = 1;
		l->v[0].fh = (struct gns_fh){ .len = 2, .b = "xy" };
		break;
	default:
		/* A number, or the first bytes of an id. */
		*(u64 *)p = 0x1122334455667788;
	}
}

static u32 frame_of(u16 type, bool reply, u32 status, u8 *buf)
{
	const struct gns_layout *l = gns_layout(type, reply);
	struct gns_msg msg = {
		.type = type,
		.reply = reply,
		.tag = type,
		.sid = 0x77,
		.status = status,
	};
	const struct gns_field *f;
	int n;

	for (f = l->fields; f && !status && f->kind != GNS_K_END; f++)
		fill_field(f, &msg);
	if (!l->fields)
		return 0;
	if (!status)
		msg.payload_len = min_u64(l->payload_max, 40);
	n = gns_msg_encode(&msg, buf, GNS_HDR_LEN + GNS_BODY_MAX);
	FUZZ_CHECK(n > 0, "%s: %d", gns_msg_name(type), n);
	memset(buf + n, 'p', msg.payload_len);
	return n + msg.payload_len;
}

static void frames(void)
{
	static u8 stream[65536];
	u8 buf[GNS_HDR_LEN + GNS_BODY_MAX + 64];
	u32 type, n, used = 4;
	char name[64];
	int reply;

	memcpy(stream, "\3\0\37\200", 4);
	for (type = 1; type < GNS_MSG_END; type++) {
		for (reply = 0; reply < 2; reply++) {
			n = frame_of(type, reply, 0, buf);
			snprintf(name, sizeof(name), "%s%s", gns_msg_name(type),
				 reply ? "-reply" : "");
			if (!n)
				continue;
			save("frame", name, buf, n);
			memcpy(stream + used, buf, n);
			used += n;
		}
	}
	n = frame_of(GNS_READ, true, ESTALE, buf);
	save("frame", "READ-error", buf, n);
	save("stream", "all", stream, used);
	stream[0] = 0x13;
	save("stream", "all-stolen", stream, used);
}

/* A WRITE with more payload than the framer's buffer holds at once. */
static void big_stream(void)
{
	static u8 p[4 + GNS_HDR_LEN + GNS_BODY_MAX + 9000];
	struct gns_msg msg = { .type = GNS_WRITE, .payload_len = 9000 };
	int n;

	msg.write.change = (struct gns_change){ 3, 7 };
	msg.write.fh.len = 1;
	n = gns_msg_encode(&msg, p + 4, sizeof(p) - 4);
	memcpy(p, "\23\377\0\220", 4);
	save("stream", "big", p, 4 + n + 9000);
	save("stream", "big-cut", p, 4 + n + 8000);
}

static void lists(void)
{
	struct gns_dirent d = { .cookie = 1, .type = 8, .name = { "file", 4 } };
	struct gns_reval r = { .fh = { 3, "abc" }, .version = 9 };
	u8 buf[1024];
	int n, m;

	n = gns_dirent_put(buf, sizeof(buf), &d);
	save("dirent", "bare", buf, n);
	d.has_attr = 1;
	d.fh = r.fh;
	d.grant = (struct gns_grant){ 5, 6 };
	m = gns_dirent_put(buf + n, sizeof(buf) - n, &d);
	save("dirent", "two", buf, n + m);
	buf[0] = 0;
	n = 1 + gns_reval_put(buf + 1, sizeof(buf) - 1, &r, false);
	n += gns_reval_put(buf + n, sizeof(buf) - n, &r, false);
	save("reval", "asked", buf, n);
	buf[0] = 1;
	r.grant = d.grant;
	n = 1 + gns_reval_put(buf + 1, sizeof(buf) - 1, &r, true);
	save("reval", "answered", buf, n);
}

/* The same, as they come from an origin. */
static void answers(void)
{
	struct gns_dirent d = { .cookie = 7, .name = { "name", 4 } };
	struct gns_reval r = { .fh = { 3, "abc" }, .grant = { 5, 6 } };
	u8 buf[1024] = { 0, 0, 4 };
	int n = 3;

	n += gns_dirent_put(buf + n, sizeof(buf) - (u32)n, &d);
	d.has_attr = 1;
	d.fh = r.fh;
	d.grant = r.grant;
	n += gns_dirent_put(buf + n, sizeof(buf) - (u32)n, &d);
	save("answer", "listing", buf, (u32)n);
	buf[1] = 200;
	buf[2] = 0;
	save("answer", "listing-cut", buf, (u32)n);
	buf[0] = 1;
	buf[1] = 2;
	n = 3 + gns_reval_put(buf + 3, sizeof(buf) - 3, &r, true);
	r.status = ESTALE;
	n += gns_reval_put(buf + n, sizeof(buf) - (u32)n, &r, true);
	save("answer", "objects", buf, (u32)n);
}

static u32 record(u8 *p, const void *key, u8 klen, const void *val, u16 vlen)
{
	p[0] = klen;
	p[1] = vlen;
	p[2] = vlen >> 8;
	memcpy(p + 3, key, klen);
	memcpy(p + 3 + klen, val, vlen);
	return 3 + klen + vlen;
}

/* The slot record of an intent (or, for a reply, of an answer). */
static u32 slot_record(u8 *p, u8 nr, u16 type, bool reply)
{
	u8 key[2 + GNS_ID_LEN] = "S\1", val[GNS_HDR_LEN + GNS_BODY_MAX + 64];
	u8 frame[GNS_HDR_LEN + GNS_BODY_MAX + 64];
	struct gns_cursor c = { val, val + sizeof(val), false };
	struct gns_hdr hdr;
	const char *why;

	key[1 + GNS_ID_LEN] = nr;
	gns_put(&c, 7, 8);
	gns_put(&c, !reply, 1);
	gns_put(&c, 0, 8); /* no hash that a retry could have */
	gns_put(&c, 0, 2); /* two handles of no bytes */
	frame_of(type, reply, 0, frame);
	FUZZ_CHECK(!gns_hdr_decode(frame, &hdr, &why), "%s", why);
	hdr.len = GNS_HDR_LEN + hdr.body;
	frame[0] = hdr.len;
	frame[1] = hdr.len >> 8;
	gns_put_bytes(&c, frame, hdr.len);
	return record(p, key, sizeof(key), val, c.p - val);
}

static void states(void)
{
	static const u8 fh[] = { 'V', 'n', 1, 0, 0, 0, 0 };
	static const u8 version[17] = { 9, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0,
					0, 0, 0, 0, 1 };
	static const u8 eight[8] = { 0, 228, 11, 84, 2 };
	u8 buf[65536], type;
	char name[64];
	u32 n;

	n = record(buf, fh, sizeof(fh), version, sizeof(version));
	n += record(buf + n, "Cttl", 4, eight, 8);
	n += record(buf + n, "Cceiling", 8, eight, 8);
	n += record(buf + n, "Cclean", 6, eight, 8);
	n += record(buf + n, "Csynced", 7, eight, 8);
	n += record(buf + n, "Cboot", 5, "0123456789abcdef", 16);
	n += record(buf + n, "Cfloors", 7, "0123456789abcdef", 16);
	save("state", "config", buf, n);
	for (type = GNS_WRITE; type <= GNS_SETATTR; type++) {
		n = slot_record(buf, 3, type, false);
		n += slot_record(buf + n, 1, type, true);
		snprintf(name, sizeof(name), "slot-%s", gns_msg_name(type));
		save("state", name, buf, n);
	}
	/* Once broken: a slot's record that is no change. */
	n = slot_record(buf, 3, GNS_LOOKUP, false);
	save("state", "broken-intent-no-change", buf, n);
	n = slot_record(buf, 3, GNS_WRITE, false);
	buf[3 + 2 + GNS_ID_LEN + 8] = 0;
	save("state", "broken-answer-no-reply", buf, n);
}

/* A run of fuzz_origin.c in the making. */
static u8 run[256];
static u32 run_len;

static void add(u32 n, ...)
{
	va_list ap;

	va_start(ap, n);
	while (n--)
		run[run_len++] = va_arg(ap, int);
	va_end(ap);
}

static void end_run(const char *name)
{
	save("origin", name, run, run_len);
	run_len = 0;
}

/* Its steps; @on is the connection. */
static void hello(u8 on)
{
	add(2, on << 6, 0);
}

static void hello_after(u8 on, u8 old)
{
	add(4, on << 6, 8 | 4 | 2, on - 1, old);
}

static void renew(u8 on)
{
	add(3, on << 6 | 1, 1, 0);
}

static void join(u8 on)
{
	add(2, on << 6 | 1, 4);
}

static void release(u8 on)
{
	add(2, on << 6 | 2, 0);
}

static void lookup(u8 on, u8 dir, u8 name)
{
	add(6, on << 6 | 4, 0, GNS_WANT_LEASE, 0, dir, name);
}

static void getattr(u8 on, u8 node, u8 want)
{
	add(5, on << 6 | 4, 1, want, 0, node);
}

static void put_bytes(u8 on, u8 node, u8 flags)
{
	add(8, on << 6 | 7, 0, 0, 0, node, 0, flags, 50);
}

static void make(u8 on, u8 type, u8 dir, u8 name)
{
	add(7, on << 6 | 7, type, 0, 0, dir, name, 0);
}

static void rename_in_root(u8 on, u8 from, u8 to)
{
	add(9, on << 6 | 7, 5, 0, 0, 0, from, 0, to, 0);
}

static void again(u8 on, bool older)
{
	add(4, on << 6 | 7, 0, older ? 240 : 180, 0);
}

static void late(void)
{
	add(2, 13, 0);
}

static void commit(void)
{
	add(2, 13, 1);
}

static void done(u32 n)
{
	while (n--)
		add(2, 13, 5);
}

static void wait_for(u8 how_long)
{
	add(2, 12, how_long);
}

/* It dies and comes up again, as far as @ready says. */
static void restart(bool host, bool ready)
{
	add(3, 11, host ? 130 : 2, 0);
	done(1);
	commit();
	if (!ready)
		return;
	done(2);
	wait_for(6);
}

#define CREATE 1
#define MKDIR 2
#define UNLINK 3
#define RMDIR 4

static void runs(void)
{
	hello(0);
	hello(1);
	getattr(0, 1, GNS_WANT_LEASE);
	put_bytes(1, 1, 0);
	wait_for(3);
	renew(0);
	renew(1);
	release(0);
	end_run("revoke");

	hello(0);
	hello(1);
	lookup(0, 0, 0);
	make(1, UNLINK, 0, 0);
	wait_for(3);
	renew(1);
	wait_for(4);
	renew(1);
	wait_for(5);
	end_run("revoke-unanswered");

	hello(0);
	hello(1);
	late();
	getattr(0, 1, GNS_WANT_ALL);
	put_bytes(1, 1, 0);
	done(1);
	wait_for(2);
	done(1);
	commit();
	done(1);
	commit();
	end_run("turn");

	hello(0);
	make(0, CREATE, 0, 2);
	make(0, MKDIR, 0, 4);
	make(0, UNLINK, 0, 2);
	make(0, RMDIR, 0, 4);
	rename_in_root(0, 0, 2);
	end_run("names");

	hello(0);
	add(7, 4, 3, GNS_WANT_LEASE, 0, 0, 0, 9); /* READDIR */
	add(8, 4, 9, GNS_WANT_LEASE, 0, 3, 0, 1, 2); /* REVALIDATE */
	add(5, 4, 10, GNS_WANT_LEASE, 0, 0); /* MOUNT */
	end_run("lists");
}

static void runs_with_copies(void)
{
	hello(0);
	late();
	make(0, CREATE, 0, 2);
	again(0, false);
	done(2);
	again(0, false);
	commit();
	done(1);
	again(0, false);
	commit();
	again(0, false);
	make(0, CREATE, 0, 4);
	again(0, true);
	end_run("copies");

	hello(0);
	late();
	make(0, CREATE, 0, 2);
	done(2);
	commit();
	done(1);
	restart(true, true);
	late();
	hello(0);
	again(0, false);
	end_run("host-dies");
}

static void broken_slots(void)
{
	hello(0);
	late();
	put_bytes(0, 1, GNS_WR_APPEND);
	done(1);
	commit();
	restart(false, true);
	late();
	hello(0);
	put_bytes(0, 3, GNS_WR_APPEND);
	end_run("broken-append-after-redo");

	hello(0);
	late();
	put_bytes(0, 1, 0);
	done(1);
	hello_after(1, 0);
	again(1, false);
	commit();
	end_run("broken-retry-in-next-session");

	hello(0);
	late();
	make(0, MKDIR, 0, 2);
	done(2);
	commit();
	restart(false, false);
	hello(0);
	put_bytes(0, 1, GNS_WR_APPEND);
	done(1);
	again(0, false);
	late();
	wait_for(3);
	renew(0);
	wait_for(3);
	renew(0);
	wait_for(3);
	again(0, false);
	end_run("broken-slot-used-in-recovery");
}

static void broken_others(void)
{
	hello(0);
	make(0, RMDIR, 0, 3);
	make(0, MKDIR, 0, 2);
	make(0, RMDIR, 0, 3);
	put_bytes(0, 1, 0);
	end_run("broken-not-empty");

	hello(0);
	put_bytes(0, 1, 0);
	rename_in_root(0, 0, 0);
	put_bytes(0, 1, 0);
	end_run("broken-rename-to-itself");

	hello(0);
	hello(1);
	join(2);
	getattr(0, 1, GNS_WANT_LEASE);
	late();
	getattr(2, 3, 0);
	add(2, 11, 16); /* connection 2 ends */
	put_bytes(1, 1, 0);
	late();
	done(1);
	end_run("broken-revoke-on-dead-connection");

	hello(0);
	late();
	put_bytes(0, 1, 0);
	done(1);
	commit();
	late();
	lookup(0, 0, 0);
	end_run("broken-lookup-during-apply");

	add(14, 10, 10, GNS_REVOKE, 1, 'x', 7, 0, 0, 0, 0, 0, 0, 0, 0);
	end_run("broken-revoke-by-satellite");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_seeds <folder>\n");
		return 2;
	}
	top = argv[1];
	if (mkdir(top, 0777) && errno != EEXIST) {
		perror(top);
		return 1;
	}
	frames();
	big_stream();
	lists();
	answers();
	states();
	runs();
	runs_with_copies();
	broken_slots();
	broken_others();
	return 0;
}
