// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink with the kernel module; see genl.h.
 *
 * libnl makes the socket and the messages. Receiving is done here: libnl keeps
 * the kernel's words for an error to itself, and asks for the size of each
 * message before it takes it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

#include "lib/genl.h"

#define RCVBUF (8 << 20)
/* More than any message of the kernel. */
#define BUF_LEN (256u << 10)
/* Answers are there when send(2) returns; this is for a kernel that broke. */
#define ANSWER_MS 5000
#define WHY_LEN 256u

struct gns_genl {
	struct nl_sock *sk;
	int family;
	const struct gns_genl_ops *ops;
	void *arg;
	const struct nlmsghdr *now; /* being handled */
	char why[WHY_LEN];
	char buf[BUF_LEN] __attribute__((aligned(8)));
};

/**
 * struct wait - a call that looks for its answer
 * @seq: of the request
 * @fn:  gets the messages
 * @arg: handed to it
 * @one: the answer is one message, and no acknowledgement was asked for
 * @end: the answer is complete
 * @err: how it ended
 */
struct wait {
	u32 seq;
	gns_genl_fn fn;
	void *arg;
	bool one;
	bool end;
	int err;
};

#define A_U32 \
	{ \
		.type = NLA_U32 \
	}
#define A_U64 \
	{ \
		.type = NLA_U64 \
	}
#define A_SIZE(n) \
	{ \
		.minlen = (n) \
	}
#define A_NEST \
	{ \
		.type = NLA_NESTED \
	}

static const struct nla_policy policy[GNS_A_MAX + 1] = {
	[GNS_A_FD] = A_U32,
	[GNS_A_FEATURES] = A_U64,
	[GNS_A_INSTANCE] = A_SIZE(GNS_UID_LEN),
	[GNS_A_WORD] = A_NEST,
	[GNS_A_WORD_KIND] = A_U32,
	[GNS_A_ORIGIN] = A_U32,
	[GNS_A_SID] = A_U64,
	[GNS_A_SECRET] = A_SIZE(GNS_UID_LEN),
	[GNS_A_STAMP] = A_U64,
	[GNS_A_TTL] = A_U64,
	[GNS_A_SLOTS] = A_U32,
	[GNS_A_INCARNATION] = A_U64,
	[GNS_A_FH] = A_SIZE(1),
	[GNS_A_UPTO] = A_U64,
	[GNS_A_ID] = A_U64,
	[GNS_A_CALL] = A_U32,
	[GNS_A_EPOCH] = A_U64,
	[GNS_A_LEASE] = A_U64,
	[GNS_A_WANT] = A_U32,
	[GNS_A_OFF] = A_U64,
	[GNS_A_LEN] = A_U32,
	[GNS_A_UID] = A_U32,
	[GNS_A_GID] = A_U32,
	[GNS_A_PAYLOAD] = A_U32,
	[GNS_A_STATUS] = A_U32,
	[GNS_A_FLAGS] = A_U32,
	[GNS_A_ATTR] = A_SIZE(sizeof(struct gns_uattr)),
	[GNS_A_VERSION] = A_U64,
	[GNS_A_NUMBER] = A_U64,
	[GNS_A_DIR_VERSION] = A_U64,
	[GNS_A_DIR_NUMBER] = A_U64,
	[GNS_A_STATFS] = A_SIZE(sizeof(struct gns_ustatfs)),
	[GNS_A_TEXT] = { .type = NLA_STRING },
	[GNS_A_MOUNT] = A_U32,
	[GNS_A_STATUS_ORIGIN] = A_NEST,
	[GNS_A_STATUS_MOUNT] = A_NEST,
	[GNS_A_ORIGIN_FEATURES] = A_U64,
	[GNS_A_LOCK] = A_SIZE(sizeof(struct gns_ulock)),
};

static void say_why(struct gns_genl *g, const char *text)
{
	snprintf(g->why, WHY_LEN, "%s", text);
}

static int fail(struct gns_genl *g, int err)
{
	say_why(g, strerror(-err));
	return err;
}

static void set_up(struct gns_genl *g)
{
	int fd = nl_socket_get_fd(g->sk);
	int size = RCVBUF, one = 1;

	nl_socket_disable_auto_ack(g->sk);
	nl_socket_set_nonblocking(g->sk);
	/* Past the host's limit where allowed, else up to it. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
}

static int nl_errno(int nlerr)
{
	switch (-nlerr) {
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	}
	return -EIO;
}

struct gns_genl *gns_genl_open(const struct gns_genl_ops *ops, void *arg)
{
	static const struct gns_genl_ops none;
	struct gns_genl *g = malloc(sizeof(*g));
	int err = ENOMEM;

	if (!g)
		return NULL;
	g->ops = ops ? ops : &none;
	g->arg = arg;
	g->now = NULL;
	memset(g->why, 0, sizeof(g->why));
	g->sk = nl_socket_alloc();
	if (g->sk) {
		err = genl_connect(g->sk); /* closed on exec */
		if (!err) {
			g->family = genl_ctrl_resolve(g->sk, GNS_GENL_NAME);
			err = g->family < 0 ? g->family : 0;
		}
		if (!err) {
			set_up(g);
			return g;
		}
		err = -nl_errno(err);
		nl_socket_free(g->sk);
	}
	free(g);
	errno = err;
	return NULL;
}

void gns_genl_close(struct gns_genl *g)
{
	if (!g)
		return;
	nl_socket_free(g->sk);
	free(g);
}

int gns_genl_fd(const struct gns_genl *g)
{
	return nl_socket_get_fd(g->sk);
}

const struct nlmsghdr *gns_genl_message(const struct gns_genl *g)
{
	return g->now;
}

const char *gns_genl_why(const struct gns_genl *g)
{
	return g->why;
}

struct nl_msg *gns_genl_msg(struct gns_genl *g, u8 cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg)
		return NULL;
	if (genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, g->family, 0, flags,
			cmd, GNS_GENL_VERSION))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* The text beside an error, if the kernel had one. */
static const char *error_text(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = nlmsg_data(nlh);
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	u32 skip = sizeof(*e);
	char *text;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (skip > (u32)nlmsg_datalen(nlh) ||
	    nla_parse(tb, NLMSGERR_ATTR_MAX, (struct nlattr *)((char *)e + skip),
		      nlmsg_datalen(nlh) - (int)skip, NULL) ||
	    !tb[NLMSGERR_ATTR_MSG])
		return NULL;
	text = nla_data(tb[NLMSGERR_ATTR_MSG]);
	return memchr(text, 0, (size_t)nla_len(tb[NLMSGERR_ATTR_MSG])) ? text :
									 NULL;
}

static void take_error(struct gns_genl *g, const struct nlmsghdr *nlh,
		       struct wait *w)
{
	const struct nlmsgerr *e = nlmsg_data(nlh);
	const char *text;
	int err;

	if ((u32)nlmsg_datalen(nlh) < sizeof(*e))
		return;
	err = e->error;
	text = error_text(nlh);
	if (!text)
		text = strerror(-err);
	if (w && nlh->nlmsg_seq == w->seq) {
		w->end = true;
		if (err && !w->err) {
			say_why(g, text);
			w->err = err;
		}
	} else if (err && g->ops->failed) {
		g->ops->failed(g->arg, err, text);
	}
}

/* The end of a dump, which may be its failure. */
static void take_done(struct gns_genl *g, const struct nlmsghdr *nlh,
		      struct wait *w)
{
	s32 err = 0;

	if (!w || nlh->nlmsg_seq != w->seq)
		return;
	w->end = true;
	if (nlmsg_datalen(nlh) >= (int)sizeof(err))
		memcpy(&err, nlmsg_data(nlh), sizeof(err));
	if (err < 0 && !w->err) {
		say_why(g, strerror(-err));
		w->err = err;
	}
}

static void take_message(struct gns_genl *g, struct nlmsghdr *nlh,
			 struct wait *w)
{
	struct nlattr *attrs[GNS_A_MAX + 1];
	struct genlmsghdr *gh = nlmsg_data(nlh);
	int err = 0;

	if (nlh->nlmsg_type != g->family || !genlmsg_valid_hdr(nlh, 0))
		return;
	if (genlmsg_parse(nlh, 0, attrs, GNS_A_MAX, policy))
		err = -EBADMSG;
	g->now = nlh;
	if (w && nlh->nlmsg_seq == w->seq) {
		if (!err && w->fn && !w->err)
			err = w->fn(w->arg, gh->cmd, attrs);
		if (err && !w->err) {
			say_why(g, strerror(-err));
			w->err = err;
		}
		w->end = w->one;
	} else if (!nlh->nlmsg_seq && !err && g->ops->note) {
		g->ops->note(g->arg, gh->cmd, attrs);
	}
	g->now = NULL;
}

/* One datagram of the kernel. Returns 0; -EAGAIN: there is none; -ENOBUFS. */
static int take_some(struct gns_genl *g, struct wait *w)
{
	struct sockaddr_nl from = { 0 };
	socklen_t flen = sizeof(from);
	struct nlmsghdr *nlh = (struct nlmsghdr *)g->buf;
	ssize_t n;
	int left;

	n = recvfrom(gns_genl_fd(g), g->buf, BUF_LEN, MSG_TRUNC,
		     (struct sockaddr *)&from, &flen);
	if ((n < 0 && errno == ENOBUFS) || n > (ssize_t)BUF_LEN) {
		if (g->ops->lost)
			g->ops->lost(g->arg);
		return -ENOBUFS;
	}
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (from.nl_pid) /* somebody else than the kernel */
		return 0;
	left = (int)n;
	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type == NLMSG_ERROR)
			take_error(g, nlh, w);
		else if (nlh->nlmsg_type == NLMSG_DONE)
			take_done(g, nlh, w);
		else
			take_message(g, nlh, w);
	}
	return 0;
}

static int transmit(struct gns_genl *g, struct nl_msg *msg)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	ssize_t n;

	nl_complete_msg(g->sk, msg);
	do {
		n = sendto(gns_genl_fd(g), nlh, nlh->nlmsg_len, MSG_NOSIGNAL,
			   (struct sockaddr *)&to, sizeof(to));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? fail(g, -errno) : 0;
}

static int take_answer(struct gns_genl *g, struct wait *w)
{
	struct pollfd p = { .fd = gns_genl_fd(g), .events = POLLIN };
	bool lost = false;
	int err, n;

	while (!w->end) {
		err = take_some(g, w);
		if (err == -ENOBUFS)
			lost = true;
		if (!err || err == -ENOBUFS)
			continue;
		if (err != -EAGAIN)
			return fail(g, err);
		if (lost)
			return fail(g, -ENOBUFS);
		n = poll(&p, 1, ANSWER_MS);
		if (!n)
			return fail(g, -ETIMEDOUT);
		if (n < 0 && errno != EINTR)
			return fail(g, -errno);
	}
	/* That the end came through does not replace an answer. */
	if (!w->err && lost)
		return fail(g, -ENOBUFS);
	return w->err;
}

int gns_genl_call(struct gns_genl *g, struct nl_msg *msg, gns_genl_fn fn,
		  void *arg)
{
	struct wait w = { .fn = fn, .arg = arg };
	struct nlmsghdr *nlh;
	int err;

	if (!msg)
		return fail(g, -ENOMEM);
	nlh = nlmsg_hdr(msg);
	if ((nlh->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP) {
		/* An error is told in any case. */
		w.one = fn;
		if (!fn)
			nlh->nlmsg_flags |= NLM_F_ACK;
	}
	err = transmit(g, msg);
	w.seq = nlh->nlmsg_seq;
	nlmsg_free(msg);
	return err ? err : take_answer(g, &w);
}

int gns_genl_send(struct gns_genl *g, struct nl_msg *msg)
{
	int err;

	if (!msg)
		return fail(g, -ENOMEM);
	err = transmit(g, msg);
	nlmsg_free(msg);
	return err;
}

int gns_genl_receive(struct gns_genl *g)
{
	bool lost = false;
	int err;

	do {
		err = take_some(g, NULL);
		if (err == -ENOBUFS)
			lost = true;
	} while (!err || err == -ENOBUFS);
	if (err != -EAGAIN)
		return fail(g, err);
	return lost ? fail(g, -ENOBUFS) : 0;
}
