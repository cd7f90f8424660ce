/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Generic netlink with the kernel module: a socket, requests, their answers.
 *
 * The kernel works off a request before the send returns, so a call never
 * waits for anybody; only a dump comes in parts. What comes unasked (the
 * doorbell) goes to ops->note, also while a call looks for its answer.
 *
 * Messages are built and read by libnl (nla_put_u32() and so on). The socket
 * does not block, is closed on exec and has the kernel's words for errors
 * switched on.
 *
 * An overrun loses messages of the kernel, never the socket: -ENOBUFS says
 * that something may be missing, and the truth is asked for again.
 *
 * Lifetime: gns_genl_open() .. gns_genl_close().
 * Locks: none; one thread for each socket.
 */
#ifndef GNS_LIB_GENL_H
#define GNS_LIB_GENL_H

#include <linux/gns.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "lib/types.h"

struct gns_genl;

/**
 * typedef gns_genl_fn - a message of the kernel
 * @arg:   the caller's
 * @cmd:   enum gns_cmd
 * @attrs: GNS_A_MAX + 1 attributes of the top level, by type; NULL where there
 *         is none. Those of a fixed size have at least that size. Valid
 *         during the call
 *
 * Must not use the socket. Return: 0; a negative errno, which the call that it
 * answers ends with.
 */
typedef int (*gns_genl_fn)(void *arg, u8 cmd, struct nlattr **attrs);

/**
 * struct gns_genl_ops - what belongs to no call; all of it optional
 * @note:   the kernel said something unasked
 * @failed: a message sent by gns_genl_send() was refused, for the reason @why
 * @lost:   messages were lost, a note among them perhaps
 */
struct gns_genl_ops {
	gns_genl_fn note;
	void (*failed)(void *arg, int err, const char *why);
	void (*lost)(void *arg);
};

/**
 * gns_genl_open() - a socket that speaks the module's family
 * @ops: NULL: none of them
 * @arg: handed to them
 *
 * Return: the socket; NULL with errno set, ENOENT: the module is not loaded.
 */
struct gns_genl *gns_genl_open(const struct gns_genl_ops *ops, void *arg);

/** gns_genl_close() - NULL is harmless */
void gns_genl_close(struct gns_genl *g);

/** gns_genl_fd() - to be polled for POLLIN */
int gns_genl_fd(const struct gns_genl *g);

/**
 * gns_genl_message() - the message that is being handled, inside of a callback
 * @g: the socket
 *
 * For attributes that come several times: @attrs has the last of each type.
 *
 * Return: the message; NULL outside of a callback.
 */
const struct nlmsghdr *gns_genl_message(const struct gns_genl *g);

/**
 * gns_genl_why() - why the last call failed, for people
 * @g: the socket
 *
 * Return: the kernel's own words if it had any, else those for the errno.
 */
const char *gns_genl_why(const struct gns_genl *g);

/**
 * gns_genl_msg() - begin a message
 * @g:     the socket
 * @cmd:   enum gns_cmd
 * @flags: NLM_F_DUMP or 0
 *
 * Return: to be filled by nla_put() and its kin, and handed to call or send;
 * NULL without memory.
 */
struct nl_msg *gns_genl_msg(struct gns_genl *g, u8 cmd, int flags);

/**
 * gns_genl_call() - send a message and wait until it was carried out
 * @g:   the socket
 * @msg: freed in any case; NULL: -ENOMEM, so that results need no check before
 * @fn:  called for the answer, and for each message of a dump; NULL: there is
 *       no answer but that it was carried out
 * @arg: handed to @fn
 *
 * Return: 0; the kernel's or @fn's negative errno; -ENOBUFS: the answer was
 * lost; -ETIMEDOUT: there is none.
 */
int gns_genl_call(struct gns_genl *g, struct nl_msg *msg, gns_genl_fn fn,
		  void *arg);

/**
 * gns_genl_send() - send a message, its success is not waited for
 * @g:   the socket
 * @msg: freed in any case; NULL: -ENOMEM
 *
 * Return: 0; a negative errno when it was not sent. A refusal comes later, by
 * ops->failed.
 */
int gns_genl_send(struct gns_genl *g, struct nl_msg *msg);

/**
 * gns_genl_receive() - take what has come
 * @g: the socket
 *
 * Return: 0: nothing is left; -ENOBUFS: something was lost; another negative
 * errno.
 */
int gns_genl_receive(struct gns_genl *g);

#endif
