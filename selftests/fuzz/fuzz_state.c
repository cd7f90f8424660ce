// SPDX-License-Identifier: GPL-2.0
/*
 * The origin's durable records, whatever is in them: it comes up or refuses
 * to. When it is up, satellites ask again for what the slots hold.
 *
 * An input is a row of records: length of the key, length of the value (two
 * bytes), key, value.
 */
#include "lib/log.h"
#include "sat.h"

#define RECORDS 64

static struct sats world;

static void load_records(struct toy *t, const u8 *p, size_t left)
{
	u32 n, klen, vlen;

	for (n = 0; n < RECORDS && left >= 3; n++) {
		klen = p[0] % (GNS_DB_KEY_MAX + 1);
		vlen = (p[1] | p[2] << 8) % (GNS_DB_VAL_MAX + 1);
		p += 3;
		left -= 3;
		klen = min_u64(klen, left);
		vlen = min_u64(vlen, left - klen);
		if (klen)
			toy_put(t, p, klen, p + klen, vlen);
		p += klen + vlen;
		left -= klen + vlen;
	}
	t->batch = 1;
	t->on_disk = 1;
}

static void hello(struct sats *s, u32 conn, const struct instance *inst)
{
	struct gns_msg msg = { .type = GNS_HELLO };

	msg.hello.proto_min = 1;
	msg.hello.proto_max = 1;
	msg.hello.instance = inst->id;
	msg.hello.stamp = s->t.boot;
	msg.hello.had_slots = 1;
	sats_send(s, conn, &msg);
}

/* The slot's newest change again, as what it may have been, and a new one. */
static void ask_again(struct sats *s, u32 conn, const struct slot *sl)
{
	u32 i, nr = sl->seq % (GNS_COPY - GNS_WRITE);
	u16 type = GNS_WRITE + nr + (GNS_WRITE + nr >= GNS_SEEK);

	for (i = 0; i < 2 && s->conns[conn].session; i++) {
		struct gns_msg msg = { .type = type };

		if (type == GNS_RENAME) {
			msg.rename.odir = toyfs_fh(&s->t, 0);
			msg.rename.ndir = toyfs_fh(&s->t, 2);
			msg.rename.oname = (struct gns_str){ "a", 1 };
			msg.rename.nname = (struct gns_str){ "b", 1 };
		} else if (type == GNS_WRITE || type == GNS_SETATTR ||
			   type == GNS_FALLOCATE || type == GNS_COPY) {
			msg.write.fh = toyfs_fh(&s->t, 1);
			if (type == GNS_WRITE)
				msg.write.flags = GNS_WR_APPEND;
			else if (type == GNS_COPY)
				msg.copy.fh = toyfs_fh(&s->t, 3);
		} else {
			msg.make.dir = toyfs_fh(&s->t, 0);
			msg.make.name = (struct gns_str){ "name", 4 };
			if (type == GNS_LINK)
				msg.link.fh = toyfs_fh(&s->t, 1);
			else if (type == GNS_SYMLINK)
				msg.symlink.target = msg.make.name;
		}
		msg.sid = s->conns[conn].session->sid;
		gns_msg_change(&msg)->slot = sl->nr;
		gns_msg_change(&msg)->seq = sl->seq + i;
		sats_send(s, conn, &msg);
	}
}

static void retries(struct sats *s)
{
	struct instance *inst, *tmp;
	u32 conn = 0, nr;

	HASH_ITER(hh, s->o->insts, inst, tmp) {
		if (conn == SAT_CONNS)
			break;
		hello(s, conn, inst);
		for (nr = 0; nr < GNS_SLOTS; nr++)
			if (inst->slots[nr])
				ask_again(s, conn, inst->slots[nr]);
		conn++;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct sats *s = &world;

	sats_init(s);
	/* Records of chance may well know of changes that never were. */
	s->t.touch = NULL;
	s->t.tried = NULL;
	s->nseen = SAT_SEEN;
	load_records(&s->t, data, size);
	if (sats_start(s)) {
		toy_advance(&s->t, 60 * NSEC_PER_SEC);
		retries(s);
		sats_drain(s);
		sats_end(s);
		check_idle(s);
	}
	sats_exit(s);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	gns_log_level = 0;
	return 0;
}
