/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What translate.c, the words and answers of reads, and translate_change.c,
 * those of changes, share.
 *
 * What is read here was checked by nobody: each function that returns a text
 * names the attribute that is wrong, and NULL when none is.
 */
#ifndef GNS_SATELLITE_TRANSLATE_INT_H
#define GNS_SATELLITE_TRANSLATE_INT_H

#include "satellite/translate.h"

static inline u32 word_u32(struct nlattr **tb, int type)
{
	return tb[type] ? nla_get_u32(tb[type]) : 0;
}

static inline u64 word_u64(struct nlattr **tb, int type)
{
	return tb[type] ? nla_get_u64(tb[type]) : 0;
}

static inline struct gns_str word_str(struct nlattr **tb, int type)
{
	if (!tb[type])
		return (struct gns_str){ 0 };
	return (struct gns_str){ nla_data(tb[type]), (u32)nla_len(tb[type]) };
}

/* len is 0 when there is none, or too much of it. */
struct gns_fh word_fh(struct nlattr **tb, int type);
const char *word_cred(struct nlattr **tb, struct gns_cred *cred);
/* What the codec refuses to say would end a connection, again and again. */
bool word_name_ok(const struct gns_str *s, u32 max);

void attr_to_kernel(struct gns_uattr *to, const struct gns_attr *from);
void fh_to_kernel(struct gns_ufh *to, const struct gns_fh *from);

/*
 * A call of type GNS_CALL_WRITE to GNS_CALL_MAX; w->payload is set. Its
 * message has all but the payload.
 */
const char *word_change(struct nlattr **tb, u32 type, struct gns_word *w);

/* What LOCK says; w->msg is one of type GNS_LOCK. */
const char *word_lock(struct nlattr **tb, struct gns_word *w);

/* The lock that a test has found; nothing, if there is none. 0; -ENOMEM. */
int answer_put_lock(struct nl_msg *m, const struct gns_r_lock *r);

/* The answer of a change, without a status. 0; -EBADMSG; -ENOMEM. */
int answer_put_change(struct nl_msg *m, const struct gns_r_change *r);

#endif
