// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the corpus that real encodings make: make_seeds <folder>.
 *
 * A file that is there already is left alone, so that what the fuzzer has
 * found and what has once been broken stays.
 */
#include <errno.h>
#include <sys/stat.h>

#include "proto/cursor.h"
#include "proto/fields.h"
#include "seeds.h"

static const char *top;

void seed_save(const char *target, const char *name, const void *p, size_t n)
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
			seed_save("frame", name, buf, n);
			memcpy(stream + used, buf, n);
			used += n;
		}
	}
	n = frame_of(GNS_READ, true, ESTALE, buf);
	seed_save("frame", "READ-error", buf, n);
	seed_save("stream", "all", stream, used);
	stream[0] = 0x13;
	seed_save("stream", "all-stolen", stream, used);
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
	seed_save("stream", "big", p, 4 + n + 9000);
	seed_save("stream", "big-cut", p, 4 + n + 8000);
}

static void lists(void)
{
	struct gns_dirent d = { .cookie = 1, .type = 8, .name = { "file", 4 } };
	struct gns_reval r = { .fh = { 3, "abc" }, .version = 9 };
	u8 buf[1024];
	int n, m;

	n = gns_dirent_put(buf, sizeof(buf), &d);
	seed_save("dirent", "bare", buf, n);
	d.has = GNS_DE_INO;
	d.attr.ino = 12;
	m = gns_dirent_put(buf + n, sizeof(buf) - n, &d);
	seed_save("dirent", "names", buf, n + m);
	d.has = GNS_DE_ATTR;
	d.fh = r.fh;
	d.grant = (struct gns_grant){ 5, 6 };
	m = gns_dirent_put(buf + n, sizeof(buf) - n, &d);
	seed_save("dirent", "two", buf, n + m);
	buf[0] = 0;
	n = 1 + gns_reval_put(buf + 1, sizeof(buf) - 1, &r, false);
	n += gns_reval_put(buf + n, sizeof(buf) - n, &r, false);
	seed_save("reval", "asked", buf, n);
	buf[0] = 1;
	r.grant = d.grant;
	n = 1 + gns_reval_put(buf + 1, sizeof(buf) - 1, &r, true);
	seed_save("reval", "answered", buf, n);
}

/* The same, as they come from an origin. */
static void answers(void)
{
	struct gns_dirent d = { .cookie = 7, .name = { "name", 4 } };
	struct gns_reval r = { .fh = { 3, "abc" }, .grant = { 5, 6 } };
	u8 buf[1024] = { 0, 0, 4 };
	int n = 3;

	n += gns_dirent_put(buf + n, sizeof(buf) - (u32)n, &d);
	d.has = GNS_DE_ATTR;
	d.fh = r.fh;
	d.grant = r.grant;
	n += gns_dirent_put(buf + n, sizeof(buf) - (u32)n, &d);
	seed_save("answer", "listing", buf, (u32)n);
	buf[1] = 200;
	buf[2] = 0;
	seed_save("answer", "listing-cut", buf, (u32)n);
	buf[2] = 4;
	d.has = GNS_DE_INO;
	d.attr.ino = 12;
	n = 3 + gns_dirent_put(buf + 3, sizeof(buf) - 3, &d);
	n += gns_dirent_put(buf + n, sizeof(buf) - (u32)n, &d);
	seed_save("answer", "names", buf, (u32)n);
	buf[0] = 1;
	buf[1] = 2;
	n = 3 + gns_reval_put(buf + 3, sizeof(buf) - 3, &r, true);
	r.status = ESTALE;
	n += gns_reval_put(buf + n, sizeof(buf) - (u32)n, &r, true);
	seed_save("answer", "objects", buf, (u32)n);
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
	seed_save("state", "config", buf, n);
	for (type = GNS_WRITE; type <= GNS_COPY; type++) {
		if (!gns_msg_is_change(type))
			continue;
		n = slot_record(buf, 3, type, false);
		n += slot_record(buf + n, 1, type, true);
		snprintf(name, sizeof(name), "slot-%s", gns_msg_name(type));
		seed_save("state", name, buf, n);
	}
	/* Once broken: a slot's record that is no change. */
	n = slot_record(buf, 3, GNS_LOOKUP, false);
	seed_save("state", "broken-intent-no-change", buf, n);
	n = slot_record(buf, 3, GNS_WRITE, false);
	buf[3 + 2 + GNS_ID_LEN + 8] = 0;
	seed_save("state", "broken-answer-no-reply", buf, n);
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
	seed_media();
	seed_runs();
	return 0;
}
