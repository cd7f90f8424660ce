/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words of the kernel that ask for a change, and what becomes of them.
 */
#ifndef GNS_UNIT_TRANSLATE_RIG_H
#define GNS_UNIT_TRANSLATE_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "satellite/translate.h"

static struct nl_msg *msg;
static struct nlattr *nest;
static struct gns_word w;

static inline int setup(void **state)
{
	(void)state;
	msg = nlmsg_alloc_size(65536);
	nlmsg_put(msg, 0, 0, 16, 0, 0);
	return !msg;
}

static inline int teardown(void **state)
{
	(void)state;
	nlmsg_free(msg);
	return 0;
}

static inline void begin(u32 type)
{
	static const u32 groups[] = { 4, 5 };

	nlmsg_free(msg);
	setup(NULL);
	nest = nla_nest_start(msg, GNS_A_WORD);
	nla_put_u32(msg, GNS_A_WORD_KIND, GNS_WORD_CALL);
	nla_put_u32(msg, GNS_A_ORIGIN, 7);
	nla_put_u64(msg, GNS_A_ID, 99);
	nla_put_u32(msg, GNS_A_CALL, type);
	nla_put_u32(msg, GNS_A_UID, 1000);
	nla_put_u32(msg, GNS_A_GID, 1001);
	nla_put(msg, GNS_A_GROUPS, sizeof(groups), groups);
}

static inline void identity(u32 slot, u64 seq)
{
	nla_put_u32(msg, GNS_A_SLOT, slot);
	nla_put_u64(msg, GNS_A_SEQ, seq);
}

/* A change of object "fh", with an identity. */
static inline void change(u32 type)
{
	begin(type);
	identity(GNS_USLOTS_MAX - 1, 1ull << 40);
	nla_put(msg, GNS_A_FH, 2, "fh");
}

/* The same, of the entry "nm" of it. */
static inline void named(u32 type)
{
	change(type);
	nla_put(msg, GNS_A_NAME, 2, "nm");
}

/* Returns what was wrong; NULL: nothing, and it can be said on the wire. */
static inline const char *end(void)
{
	static u8 buf[GNS_HDR_LEN + GNS_BODY_MAX];
	struct gns_msg m;
	const char *why;
	int err;

	nla_nest_end(msg, nest);
	err = gns_word_parse(nest, &w, &why);
	assert_int_equal(err, why ? -EINVAL : 0);
	assert_int_equal(w.id, 99);
	if (why)
		return why;
	m = w.msg;
	m.payload_len = w.payload;
	assert_true(gns_msg_encode(&m, buf, sizeof(buf)) > 0);
	return NULL;
}

static inline void wrong(const char *field)
{
	const char *why = end();

	assert_non_null(why);
	assert_string_equal(why, field);
}

static inline void right(u16 type, const struct gns_cred *c)
{
	const struct gns_change *ch = gns_msg_change(&w.msg);

	assert_null(end());
	assert_int_equal(w.msg.type, type);
	assert_false(w.msg.reply);
	assert_int_equal(c->uid, 1000);
	assert_int_equal(c->gid, 1001);
	assert_int_equal(c->ngroups, 2);
	assert_int_equal(c->groups[1], 5);
	if (!gns_msg_is_change(type))
		return;
	assert_int_equal(ch->slot, GNS_USLOTS_MAX - 1);
	assert_int_equal(ch->seq, 1ull << 40);
}

static inline void is_fh(const struct gns_fh *fh, const char *s)
{
	assert_int_equal(fh->len, strlen(s));
	assert_memory_equal(fh->b, s, fh->len);
}

static inline void is_str(const struct gns_str *p, const char *s)
{
	assert_int_equal(p->len, strlen(s));
	assert_memory_equal(p->p, s, p->len);
}

#endif
