/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the kernel's form of things (uapi/linux/gns.h) and the wire's.
 *
 * The kernel's records are structs of a fixed layout, the wire's are packed;
 * the kernel's listings are larger than the wire's for the same entries. What
 * comes from the wire was checked by the codec, and by nobody for sense: that
 * is the kernel's.
 *
 * Locks: none; everything here is a pure function of its arguments.
 */
#ifndef GNS_SATELLITE_TRANSLATE_H
#define GNS_SATELLITE_TRANSLATE_H

#include <linux/gns.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "proto/msg.h"

/**
 * struct gns_word - a word of the kernel
 * @kind:    enum gns_word_kind
 * @origin:  the kernel's number
 * @name:    ORIGIN: host[:port]; points into the message
 * @id:      CALL, CANCEL
 * @sid:     RELEASED, FENCED
 * @fh:      RELEASED
 * @upto:    RELEASED
 * @open:    RELEASED: the object is open there
 * @epoch:   CALL: life of the lease that it is sent under
 * @room:    CALL: bytes that its answer may have
 * @payload: CALL: bytes to be taken before @msg is complete
 * @msg:     CALL: what to ask of the origin; its name points into the message
 */
struct gns_word {
	u32 kind;
	u32 origin;
	struct gns_str name;
	u64 id;
	u64 sid;
	struct gns_fh fh;
	u64 upto;
	bool open;
	u64 epoch;
	u32 room;
	u32 payload;
	struct gns_msg msg;
};

/**
 * gns_word_parse() - read a word
 * @nest: GNS_A_WORD
 * @w:    filled as far as it could be read
 * @why:  set to what is wrong, when it fails
 *
 * Return: 0; -EINVAL. Of a CALL that is wrong w->id says which it was, 0 if
 * not even that can be told.
 */
int gns_word_parse(struct nlattr *nest, struct gns_word *w, const char **why);

/**
 * gns_dirents_to_kernel() - a listing
 * @wire: payload of a READDIR answer
 * @len:  its bytes
 * @out:  struct gns_udirent[], aligned to 8
 * @room: its bytes
 * @all:  set to whether all entries fit; if not, the kernel goes on behind the
 *        last one
 *
 * Return: bytes of @out used; -EBADMSG: no listing; -EOVERFLOW: not even one
 * entry fits.
 */
int gns_dirents_to_kernel(const void *wire, u32 len, void *out, u32 room,
			  bool *all);

/**
 * gns_revals_to_wire() - what is asked for by REVALIDATE
 * @v:   the kernel's
 * @n:   objects
 * @out: payload of the request
 * @cap: its bytes; n times GNS_REVAL_ASK_MAX is always enough
 *
 * Return: bytes of @out used; -EINVAL: a handle without bytes; -ENOSPC.
 */
int gns_revals_to_wire(const struct gns_ureval *v, u32 n, void *out, u32 cap);

#define GNS_REVAL_ASK_MAX (1u + GNS_FH_MAX + 8u)

/**
 * gns_revals_to_kernel() - what was answered
 * @rep: answer of REVALIDATE, without a status
 * @v:   as asked; gets the answers
 * @n:   objects asked for
 *
 * Objects that the answer left out at its end get EAGAIN.
 *
 * Return: 0; -EBADMSG: it answers something else.
 */
int gns_revals_to_kernel(const struct gns_msg *rep, struct gns_ureval *v,
			 u32 n);

/** gns_answer_has_bytes() - is an answer to this request given by FILL? */
bool gns_answer_has_bytes(u16 type);

/**
 * gns_answer_to_fill() - all of an answer but its bytes
 * @rep:  the answer
 * @fill: id, buf, offset and len are left to the caller; len is 0
 */
void gns_answer_to_fill(const struct gns_msg *rep, struct gns_ufill *fill);

/**
 * gns_answer_put() - attributes of REPLY but for the call's id
 * @m:   the netlink message
 * @rep: the answer, of a type without bytes, or with a status
 *
 * Return: 0; -EBADMSG: an object without a handle; -ENOMEM.
 */
int gns_answer_put(struct nl_msg *m, const struct gns_msg *rep);

#endif
