// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink: messages of every command with attributes that are missing, short,
 * long, wrong, unknown or random, from sockets that are bound or are not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "badinput.h"

#define RANDOM_MESSAGES 4000

static u8 in[65536] __attribute__((aligned(8)));

void put(struct msg *m, u32 type, const void *data, u32 len)
{
	struct nlattr a = { .nla_len = NLA_HDRLEN + len, .nla_type = type };

	if (m->len + NLA_ALIGN(a.nla_len) > sizeof(m->b))
		return;
	memset(m->b + m->len, 0, NLA_ALIGN(a.nla_len));
	memcpy(m->b + m->len, &a, sizeof(a));
	if (len)
		memcpy(m->b + m->len + NLA_HDRLEN, data, len);
	m->len += NLA_ALIGN(a.nla_len);
}

void put_u32(struct msg *m, u32 type, u32 v)
{
	put(m, type, &v, sizeof(v));
}

void put_u64(struct msg *m, u32 type, u64 v)
{
	put(m, type, &v, sizeof(v));
}

void put_random(struct msg *m, u32 type, u32 len)
{
	u8 b[4096];

	rnd_bytes(b, len);
	put(m, type, b, len);
}

/* Sends header and attributes; @len is what the header says, if not 0. */
static bool transmit(struct sock *s, u16 type, u8 cmd, u16 flags,
		     const struct msg *m, u32 len)
{
	struct {
		struct nlmsghdr n;
		struct genlmsghdr g;
		u8 b[MSG_LEN];
	} out = { .n = { .nlmsg_type = type,
			 .nlmsg_flags = NLM_F_REQUEST | flags,
			 .nlmsg_seq = ++s->seq },
		  .g = { .cmd = cmd, .version = 1 } };
	u32 all = NLMSG_HDRLEN + GENL_HDRLEN + (m ? m->len : 0);

	out.n.nlmsg_len = len ? len : all;
	if (m)
		memcpy(out.b, m->b, m->len);
	return send(s->fd, &out, all, 0) == (ssize_t)all;
}

void send_raw(struct sock *s, const void *data, size_t len)
{
	send(s->fd, data, len, 0);
}

/* What is behind the netlink header of a message, if it is all there. */
static int take(struct sock *s, struct nlmsghdr *n, answer_fn fn, void *arg,
		bool *end)
{
	int err = 0;

	if (n->nlmsg_seq != s->seq)
		return 0;
	if (n->nlmsg_type == NLMSG_ERROR || n->nlmsg_type == NLMSG_DONE) {
		*end = true;
		if (n->nlmsg_len >= NLMSG_HDRLEN + sizeof(err))
			memcpy(&err, NLMSG_DATA(n), sizeof(err));
	} else if (fn) {
		fn(arg, (struct nlattr *)((u8 *)NLMSG_DATA(n) + GENL_HDRLEN),
		   (int)(n->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN));
	}
	return err;
}

static int await(struct sock *s, answer_fn fn, void *arg)
{
	bool end = false;
	int err = 0, left;
	struct nlmsghdr *n;
	ssize_t got;

	while (!end) {
		got = recv(s->fd, in, sizeof(in), 0);
		if (got < 0 && (errno == ENOBUFS || errno == EINTR))
			continue;
		if (got < 0)
			return -ETIMEDOUT;
		left = (int)got;
		for (n = (struct nlmsghdr *)in; NLMSG_OK(n, (u32)left) && !end;
		     n = NLMSG_NEXT(n, left))
			err = take(s, n, fn, arg, &end);
	}
	return err;
}

int ask(struct sock *s, u8 cmd, int flags, const struct msg *m, answer_fn fn,
	void *arg)
{
	if (!transmit(s, (u16)s->family, cmd, (u16)(flags ? flags : NLM_F_ACK),
		      m, 0))
		return -errno;
	return await(s, fn, arg);
}

static void see_family(void *arg, struct nlattr *first, int len)
{
	struct nlattr *a = nla_find(first, len, CTRL_ATTR_FAMILY_ID);

	if (a)
		*(u32 *)arg = nla_get_u16(a);
}

bool sock_open(struct sock *s)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	struct timeval patience = { .tv_sec = 10 };
	struct msg m = { .len = 0 };

	*s = (struct sock){ .family = GENL_ID_CTRL };
	s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&any, sizeof(any)) ||
	    setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)))
		return false;
	put(&m, CTRL_ATTR_FAMILY_NAME, GNS_GENL_NAME, sizeof(GNS_GENL_NAME));
	return !ask(s, CTRL_CMD_GETFAMILY, 0, &m, see_family, &s->family) &&
	       s->family != GENL_ID_CTRL;
}

void sock_close(struct sock *s)
{
	close(s->fd);
}

int bind_to(struct sock *s, int fd)
{
	struct msg m = { .len = 0 };

	put_u32(&m, GNS_A_FD, (u32)fd);
	put_u64(&m, GNS_A_FEATURES, GNS_F_ALL);
	return ask(s, GNS_CMD_BIND, 0, &m, NULL, NULL);
}

/* Attributes of each command, up to the first 0. */
static const u8 wanted[GNS_CMD_MAX + 1][16] = {
	[GNS_CMD_BIND] = { GNS_A_FD, GNS_A_FEATURES },
	[GNS_CMD_SESSION] = { GNS_A_ORIGIN },
	[GNS_CMD_SECRET] = { GNS_A_ORIGIN },
	[GNS_CMD_UP] = { GNS_A_ORIGIN, GNS_A_SID, GNS_A_STAMP, GNS_A_TTL,
			 GNS_A_SLOTS, GNS_A_INCARNATION,
			 GNS_A_ORIGIN_FEATURES },
	[GNS_CMD_RENEWED] = { GNS_A_ORIGIN, GNS_A_SID, GNS_A_STAMP, GNS_A_TTL },
	[GNS_CMD_LOST] = { GNS_A_ORIGIN, GNS_A_SID },
	[GNS_CMD_REVOKE] = { GNS_A_ORIGIN, GNS_A_SID, GNS_A_FH, GNS_A_UPTO },
	[GNS_CMD_REPLY] = { GNS_A_ID, GNS_A_SID, GNS_A_STATUS, GNS_A_FLAGS,
			    GNS_A_FH, GNS_A_ATTR, GNS_A_VERSION, GNS_A_NUMBER,
			    GNS_A_DIR_VERSION, GNS_A_DIR_NUMBER, GNS_A_STATFS,
			    GNS_A_OFF, GNS_A_COUNT, GNS_A_CHANGED, GNS_A_LOCK },
	[GNS_CMD_TROUBLE] = { GNS_A_ORIGIN, GNS_A_STATUS, GNS_A_TEXT },
	[GNS_CMD_DROP] = { GNS_A_MOUNT },
	[GNS_CMD_UNLOCKED] = { GNS_A_ORIGIN, GNS_A_FH },
};

/* Bytes that an attribute has; 0: it may have few or many. */
static u32 size_of(u32 type)
{
	switch (type) {
	case GNS_A_FD:
	case GNS_A_ORIGIN:
	case GNS_A_SLOTS:
	case GNS_A_STATUS:
	case GNS_A_FLAGS:
	case GNS_A_MOUNT:
		return 4;
	case GNS_A_ATTR:
		return sizeof(struct gns_uattr);
	case GNS_A_STATFS:
		return sizeof(struct gns_ustatfs);
	case GNS_A_CHANGED: /* one of them */
		return sizeof(struct gns_uchanged);
	case GNS_A_LOCK:
		return sizeof(struct gns_ulock);
	case GNS_A_FH:
	case GNS_A_TEXT:
		return 0;
	default:
		return 8;
	}
}

/* More than any of them may have. */
static u32 too_long(u32 type)
{
	if (size_of(type))
		return size_of(type) + 1;
	return type == GNS_A_FH ? GNS_UFH_MAX + 1 : GNS_UTEXT_MAX + 2;
}

static void put_valid(struct msg *m, u32 type, u32 origin)
{
	static const struct gns_uchanged changed = { .fh = { .len = 1 } };
	static const u8 zeros[sizeof(struct gns_uattr)];

	switch (type) {
	case GNS_A_ORIGIN:
	case GNS_A_MOUNT:
		put_u32(m, type, origin);
		break;
	case GNS_A_FH:
		put(m, type, "x", 1);
		break;
	case GNS_A_TEXT:
		put(m, type, "text", 5);
		break;
	case GNS_A_CHANGED:
		put(m, type, &changed, sizeof(changed));
		break;
	case GNS_A_LOCK:
		put(m, type, zeros, sizeof(struct gns_ulock));
		break;
	case GNS_A_TTL:
		put_u64(m, type, 10 * NSEC_PER_SEC);
		break;
	case GNS_A_FD:
		put_u32(m, type, (u32)-1);
		break;
	default:
		put(m, type, zeros, size_of(type));
	}
}

void fill_valid(struct msg *m, u8 cmd, u32 origin)
{
	const u8 *t;

	for (t = wanted[cmd]; *t; t++)
		put_valid(m, *t, origin);
}

/* All the ways in which one attribute of a command is no good. */
static bool bad_lengths(struct sock *s, u8 cmd)
{
	struct msg m;
	const u8 *t, *other;
	u32 len, tries;
	bool good = true;
	int err;

	for (t = wanted[cmd]; *t; t++) {
		for (tries = 0; tries < 3; tries++) {
			if (tries == 1 && size_of(*t) < 2)
				continue;
			/* Empty; one byte short; too long. */
			len = !tries ? 0 : tries == 1 ? size_of(*t) - 1 :
							too_long(*t);
			if (!tries && *t == GNS_A_TEXT)
				continue;
			m.len = 0;
			for (other = wanted[cmd]; *other; other++) {
				if (other == t)
					put_random(&m, *t, len);
				else
					put_valid(&m, *other, 1);
			}
			err = ask(s, cmd, 0, &m, NULL, NULL);
			if (err && clean(err) && err != -ETIMEDOUT)
				continue;
			note("command %u, attribute %u of %u bytes: %d", cmd,
			     *t, len, err);
			good = false;
		}
	}
	return good;
}

static bool is_helpers(u8 cmd)
{
	return cmd != GNS_CMD_STATUS && cmd != GNS_CMD_DROP &&
	       cmd != GNS_CMD_DOORBELL;
}

static void malformed(struct sock *s, const char *who)
{
	static const u8 no_commands[] = { 0, GNS_CMD_DOORBELL, GNS_CMD_MAX + 1,
					  255 };
	struct msg m = { .len = 0 };
	bool none = true, lengths = true, unknown = true;
	char name[128];
	size_t i;
	int err;
	u8 cmd;

	for (cmd = 1; cmd <= GNS_CMD_MAX; cmd++) {
		lengths &= bad_lengths(s, cmd);
		if (!wanted[cmd][0])
			continue;
		err = ask(s, cmd, 0, NULL, NULL, NULL);
		if (!err || !clean(err) || err == -ETIMEDOUT) {
			note("command %u without attributes: %d", cmd, err);
			none = false;
		}
		m.len = 0;
		fill_valid(&m, cmd, 1);
		put_u32(&m, GNS_A_MAX + 1 + rnd() % 1000, 0);
		err = ask(s, cmd, 0, &m, NULL, NULL);
		if (!err || !clean(err) || err == -ETIMEDOUT) {
			note("command %u with an unknown attribute: %d", cmd,
			     err);
			unknown = false;
		}
	}
	snprintf(name, sizeof(name), "%s: attributes are missing", who);
	ok(none, name);
	snprintf(name, sizeof(name), "%s: attributes are short or long", who);
	ok(lengths, name);
	snprintf(name, sizeof(name), "%s: an attribute is unknown", who);
	ok(unknown, name);

	m.len = 0;
	none = true;
	for (i = 0; i < ARRAY_SIZE(no_commands); i++)
		none &= ask(s, no_commands[i], 0, &m, NULL, NULL) == -EOPNOTSUPP;
	ok(none, "commands that are none");
}

/* A few attributes, of any type, length and bytes; some of them right. */
static void randomize(struct msg *m, u8 cmd)
{
	u32 n = rnd() % 8, type;

	m->len = 0;
	if (rnd() % 2 && cmd <= GNS_CMD_MAX)
		fill_valid(m, cmd, rnd() % 4);
	while (n--) {
		type = rnd() % (GNS_A_MAX + 4);
		/* Nested or not, in any byte order. */
		if (rnd() % 8 == 0)
			type |= rnd() & 0xc000;
		if (rnd() % 3 && type <= GNS_A_MAX)
			put_random(m, type, size_of(type));
		else
			put_random(m, type, rnd() % (rnd() % 16 ? 80 : 4096));
	}
	/* An attribute that claims to be longer or shorter than it is. */
	if (m->len && rnd() % 8 == 0)
		m->b[0] ^= (u8)rnd();
	if (m->len && rnd() % 8 == 0)
		m->len -= rnd() % m->len;
}

static void random_messages(struct sock *s, const char *name)
{
	static struct msg m;
	int i, err, taken = 0;
	bool good = true;
	u8 cmd;

	for (i = 0; i < RANDOM_MESSAGES && good; i++) {
		cmd = (u8)(rnd() % 16 ? 1 + rnd() % GNS_CMD_MAX : rnd());
		randomize(&m, cmd);
		/* A good BIND would make this socket the helper's. */
		err = ask(s, cmd, rnd() % 32 ? 0 : NLM_F_DUMP, &m, NULL, NULL);
		good = clean(err) && err != -ETIMEDOUT;
		taken += !err;
		if (!good)
			note("message %d, command %u: %d", i, cmd, err);
	}
	ok(good, name);
	printf("# %d random messages, %d of them taken\n", i, taken);
}

/* Lengths that do not fit, and bytes that are no message. */
static void broken_frames(struct sock *s)
{
	struct msg m = { .len = 0 };
	u8 junk[512];
	int i;

	fill_valid(&m, GNS_CMD_UP, 1);
	transmit(s, (u16)s->family, GNS_CMD_UP, 0, &m, 8);
	transmit(s, (u16)s->family, GNS_CMD_UP, 0, &m, NLMSG_HDRLEN);
	transmit(s, (u16)s->family, GNS_CMD_UP, 0, &m, 20);
	transmit(s, (u16)s->family, GNS_CMD_UP, 0, &m, 0xfffffff0u);
	for (i = 0; i < 500; i++) {
		rnd_bytes(junk, sizeof(junk));
		send_raw(s, junk, rnd() % sizeof(junk));
	}
	ok(!ask(s, GNS_CMD_STATUS, NLM_F_DUMP, NULL, NULL, NULL),
	   "broken frames, and status answers after them");
}

/* In a process without rights; its verdict is its exit status. */
static bool refused_as_nobody(void)
{
	int status = -1, err;
	struct sock s;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534) || !sock_open(&s))
			_exit(2);
		err = ask(&s, GNS_CMD_STATUS, NLM_F_DUMP, NULL, NULL, NULL);
		_exit(err == -EPERM && ask(&s, GNS_CMD_PULL, 0, NULL, NULL,
					   NULL) == -EPERM ?
			      0 :
			      1);
	}
	waitpid(pid, &status, 0);
	return !status;
}

void cases_stranger(void)
{
	struct msg m;
	struct sock s;
	bool good = true;
	int err;
	u8 cmd;

	if (!ok(sock_open(&s), "the family is there"))
		return;
	for (cmd = 1; cmd <= GNS_CMD_MAX; cmd++) {
		if (!is_helpers(cmd))
			continue;
		m.len = 0;
		fill_valid(&m, cmd, 1);
		err = ask(&s, cmd, 0, &m, NULL, NULL);
		if (err && clean(err) && err != -ETIMEDOUT)
			continue;
		note("command %u: %d", cmd, err);
		good = false;
	}
	ok(good, "a stranger says what only a helper may");
	malformed(&s, "a stranger");
	broken_frames(&s);
	ok(refused_as_nobody(), "a process without rights is refused");
	random_messages(&s, "a stranger says anything");
	ok(!ask(&s, GNS_CMD_STATUS, NLM_F_DUMP, NULL, NULL, NULL),
	   "status answers after it");
	sock_close(&s);
}

static void bad_binds(struct sock *s, int dev)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct sock other;
	bool good;

	good = bind_to(s, -1) == -EBADF && bind_to(s, 9999) == -EBADF;
	good &= bind_to(s, 0x7fffffff) == -EBADF;
	ok(good, "BIND to no file");
	ok(bind_to(s, null) < 0 && bind_to(s, s->fd) < 0,
	   "BIND to another file");
	close(null);
	ok(!bind_to(s, dev), "BIND");
	if (sock_open(&other)) {
		ok(bind_to(&other, dev) < 0, "BIND by a second socket");
		ok(ask(&other, GNS_CMD_PULL, 0, NULL, NULL, NULL) < 0,
		   "PULL by another socket than the helper's");
		sock_close(&other);
	}
}

void cases_bound(void)
{
	struct msg m;
	struct sock s;
	bool good = true;
	int dev = device(), err;
	u8 cmd;

	if (!ok(dev >= 0 && sock_open(&s), "a helper"))
		return;
	bad_binds(&s, dev);
	for (cmd = GNS_CMD_SESSION; cmd <= GNS_CMD_DROP; cmd++) {
		/* A call that has ended is no error. */
		if (cmd == GNS_CMD_REPLY || cmd == GNS_CMD_STATUS)
			continue;
		m.len = 0;
		fill_valid(&m, cmd, 123456789);
		err = ask(&s, cmd, 0, &m, NULL, NULL);
		if (err && clean(err) && err != -ETIMEDOUT)
			continue;
		note("command %u: %d", cmd, err);
		good = false;
	}
	ok(good, "origins and mounts that are not there");
	malformed(&s, "a helper");
	random_messages(&s, "a helper says anything");
	ok(!ask(&s, GNS_CMD_PULL, 0, NULL, NULL, NULL), "PULL works after it");
	sock_close(&s);
	close(dev);

	/* Its file goes first, then its socket. */
	dev = device();
	good = dev >= 0 && sock_open(&s) && !bind_to(&s, dev);
	close(dev);
	ok(good && ask(&s, GNS_CMD_PULL, 0, NULL, NULL, NULL) < 0,
	   "a helper whose file was closed is none");
	sock_close(&s);
}
