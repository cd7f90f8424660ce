// SPDX-License-Identifier: GPL-2.0
/*
 * What an origin's lists become for the kernel: never more than there is room
 * for, and records that a reader can walk.
 *
 * Input: what it is (1 byte), room or objects (2 bytes), a payload.
 */
#include <errno.h>

#include "fuzz.h"
#include "satellite/translate.h"

#define ASKED_MAX 8u

static void walk(const u8 *out, u32 len)
{
	u32 at = 0;

	while (at < len) {
		const struct gns_udirent *u = (const void *)(out + at);

		FUZZ_CHECK(len - at >= sizeof(*u), "half a header");
		FUZZ_CHECK(u->reclen % 8 == 0 && u->reclen <= len - at,
			   "a record of %u bytes", u->reclen);
		FUZZ_CHECK(u->namelen && u->namelen <= GNS_UNAME_MAX,
			   "a name of %u bytes", u->namelen);
		FUZZ_CHECK(sizeof(*u) + u->namelen <= u->reclen,
			   "a name of %u bytes in %u", u->namelen, u->reclen);
		FUZZ_CHECK(u->cookie, "the cookie of the start");
		FUZZ_CHECK(u->fh.len <= GNS_UFH_MAX, "a handle of %u bytes",
			   u->fh.len);
		at += u->reclen;
	}
}

static void listing(const void *p, u32 len, u32 room)
{
	u8 *out = malloc(room + 1), *whole;
	u32 all_room = 64 * (len + 16);
	bool all, wide;
	int n, m;

	whole = malloc(all_room);
	FUZZ_CHECK(out && whole, "no memory");
	n = gns_dirents_to_kernel(p, len, out, room, &all);
	m = gns_dirents_to_kernel(p, len, whole, all_room, &wide);
	FUZZ_CHECK(n <= (int)room, "%d bytes in %u", n, room);
	FUZZ_CHECK(n >= 0 || n == -EBADMSG || n == -EOVERFLOW, "error %d", n);
	if (n > 0)
		walk(out, (u32)n);
	if (m >= 0) {
		FUZZ_CHECK(wide, "64 times the room, and it is not enough");
		FUZZ_CHECK(n == -EOVERFLOW || (n <= m && !memcmp(out, whole, n)),
			   "other records with less room");
		FUZZ_CHECK(n < 0 || all == (n == m), "all of them, or not");
	}
	free(out);
	free(whole);
}

static void revals(const void *p, u32 len, u32 n)
{
	struct gns_msg rep = { .type = GNS_REVALIDATE, .reply = true };
	struct gns_ureval v[ASKED_MAX] = { 0 };
	struct gns_reval r;
	u32 i, at = 0, have = 0;
	int k;

	/* Ask for what will be answered, and for more. */
	n = n % ASKED_MAX + 1;
	for (i = 0; i < n; i++) {
		k = gns_reval_get((const u8 *)p + at, len - at, &r, true);
		v[i].fh.len = 1;
		if (k <= 0)
			continue;
		have++;
		v[i].fh.len = r.fh.len;
		memcpy(v[i].fh.b, r.fh.b, r.fh.len);
		at += (u32)k;
	}
	rep.payload = p;
	rep.payload_len = len;
	k = gns_revals_to_kernel(&rep, v, n);
	FUZZ_CHECK(!k == (at == len), "%d, though %u of %u fit", k, at, len);
	for (i = 0; !k && i < n; i++) {
		FUZZ_CHECK(i < have || v[i].status == EAGAIN,
			   "an object without an answer has one");
		FUZZ_CHECK(!v[i].status || (!v[i].version && !v[i].number),
			   "a version beside an error");
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	bool reval = fuzz_take(&in, 1) & 1;
	u32 n = (u32)fuzz_take(&in, 2);
	void *p = fuzz_copy(in.p, in.left);

	if (reval)
		revals(p, (u32)in.left, n);
	else
		listing(p, (u32)in.left, n);
	free(p);
	return 0;
}
