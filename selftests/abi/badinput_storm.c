// SPDX-License-Identifier: GPL-2.0
/*
 * What a helper in its right form and out of its mind says about sessions and
 * leases that are in use: they come, go, are renewed, revoked and dropped in no
 * order, while applications read.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "badinput.h"

static u64 some_stamp(int dev)
{
	u64 now = 0;

	ioctl(dev, GNS_IOC_STAMP, &now);
	switch (rnd() % 8) {
	case 0:
		return rnd();
	case 1:
		return now + rnd();
	case 2:
		return now - rnd() % now;
	default:
		return now;
	}
}

static void some_session(struct msg *m, int dev, u32 sid)
{
	put_u64(m, GNS_A_SID, rnd() % 8 ? sid : rnd());
	put_u64(m, GNS_A_STAMP, some_stamp(dev));
	if (rnd() % 8)
		put_u64(m, GNS_A_TTL, (1 + rnd() % 300) * NSEC_PER_SEC);
	else
		put_u64(m, GNS_A_TTL, (u64)rnd() << (rnd() % 40));
}

static void some_object(struct msg *m, u64 number)
{
	char fh = "df"[rnd() % 2];

	if (rnd() % 8)
		put(m, GNS_A_FH, &fh, 1);
	else
		put_random(m, GNS_A_FH, 1 + rnd() % GNS_UFH_MAX);
	if (rnd() % 8)
		put_u64(m, GNS_A_UPTO, rnd() % (number + 2));
	else
		put_u64(m, GNS_A_UPTO, (u64)rnd() << 32);
}

static u8 some_message(struct msg *m, int dev, const struct storm *s)
{
	static const u8 cmds[] = {
		GNS_CMD_SESSION,
		GNS_CMD_SECRET,
		GNS_CMD_UP,
		GNS_CMD_RENEWED,
		GNS_CMD_RENEWED,
		GNS_CMD_LOST,
		GNS_CMD_REVOKE,
		GNS_CMD_REVOKE,
		GNS_CMD_REVOKE,
		GNS_CMD_TROUBLE,
		GNS_CMD_DROP,
	};
	u8 cmd = cmds[rnd() % ARRAY_SIZE(cmds)];

	m->len = 0;
	if (cmd != GNS_CMD_DROP)
		put_u32(m, GNS_A_ORIGIN, rnd() % 16 ? s->origin : rnd() % 8);
	switch (cmd) {
	case GNS_CMD_UP:
		put_u32(m, GNS_A_SLOTS, rnd() % 8 ? 1 + rnd() % 70 : rnd());
		some_session(m, dev, s->sid);
		break;
	case GNS_CMD_RENEWED:
		some_session(m, dev, s->sid);
		break;
	case GNS_CMD_LOST:
		put_u64(m, GNS_A_SID, s->sid);
		break;
	case GNS_CMD_REVOKE:
		put_u64(m, GNS_A_SID, s->sid);
		some_object(m, s->number);
		break;
	case GNS_CMD_TROUBLE:
		put_u32(m, GNS_A_STATUS, rnd() % 1100);
		put(m, GNS_A_TEXT, "\033[2J\n%s%n\xff", 11);
		break;
	case GNS_CMD_DROP:
		put_u32(m, GNS_A_MOUNT, s->origin + rnd() % 3);
		break;
	}
	return cmd;
}

bool storm(struct sock *sock, int dev, const struct storm *s, int *taken)
{
	struct msg m;
	u8 cmd = some_message(&m, dev, s);
	int err = ask(sock, cmd, 0, &m, NULL, NULL);

	*taken += !err;
	if (clean(err) && err != -ETIMEDOUT)
		return true;
	note("command %u of a gust: %d", cmd, err);
	return false;
}
