/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files without a name at an origin: what two satellites ask of them, and what
 * the origin keeps.
 */
#ifndef GNS_UNIT_ORPHAN_RIG_H
#define GNS_UNIT_ORPHAN_RIG_H

#include <dirent.h>

#include "origin_rig.h"

#define HIDDEN ".gns-orphans"

static u64 seq;

static inline void make_files(void)
{
	put_file(below("a"), "0123456789", 10);
	put_file(below("b"), "abcdefghij", 10);
	assert_int_equal(link(below("b"), below("b2")), 0);
}

static inline int setup(void **state)
{
	origin_setup(state, make_files);
	return 0;
}

/* ---- what is asked ---- */

static inline struct gns_msg an_unlink(const char *name, u8 flags)
{
	struct gns_msg m = { .type = GNS_UNLINK };

	m.make.dir = rig.root;
	m.make.name = str(name);
	m.make.flags = flags;
	lookup(&rig.root, name, &cred_root, &m.make.victim);
	m.make.change = (struct gns_change){ 1, ++seq };
	return m;
}

static inline struct gns_msg a_rename(const char *from, const char *to, u8 flags)
{
	struct gns_msg m = { .type = GNS_RENAME };

	m.rename.odir = rig.root;
	m.rename.oname = str(from);
	m.rename.ndir = rig.root;
	m.rename.nname = str(to);
	m.rename.flags = flags;
	lookup(&rig.root, to, &cred_root, &m.rename.victim);
	m.rename.change = (struct gns_change){ 1, ++seq };
	return m;
}

static inline u32 lease(struct peer *p, const struct gns_fh *fh)
{
	struct gns_msg m = { .type = GNS_GETATTR };

	m.obj.fh = *fh;
	m.obj.want = GNS_WANT_LEASE;
	return ask(p, &m);
}

static inline void released(struct peer *p, const struct gns_fh *fh, u64 upto,
			    bool open)
{
	struct gns_msg m = { .type = GNS_RELEASED };

	if (open)
		m.type = GNS_RELEASED_OPEN;
	m.revoke.fh = *fh;
	m.revoke.upto = upto;
	tell(p, &m);
}

/* @msg from @p, who waits until the other one has answered its REVOKE. */
static inline u32 change(struct peer *p, struct gns_msg *msg, bool open)
{
	struct peer *other = &peers[p == &peers[0]];
	u32 before = p->got, revokes = other->revokes, i;

	tell(p, msg);
	for (i = 0; i < 1000 && p->got == before && !crashed; i++) {
		if (other->revokes > revokes)
			released(other, &other->revoke.fh, other->revoke.upto,
				 open);
		revokes = other->revokes;
		pass(NSEC_PER_MSEC);
	}
	assert_true(crashed || p->got == before + 1);
	return p->rep.status;
}

static inline void settle(void)
{
	u32 i;

	for (i = 0; i < 50; i++)
		pass(NSEC_PER_MSEC);
}

/* ---- what is seen ---- */

static inline u32 hidden(void)
{
	DIR *d = opendir(below(HIDDEN));
	struct dirent *e;
	u32 n = 0;

	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static inline void gone(const struct gns_fh *fh)
{
	settle();
	assert_int_equal(hidden(), 0);
	assert_int_equal(lease(&peers[1], fh), ESTALE);
}

static inline void lives(struct peer *p, const struct gns_fh *fh, const char *bytes)
{
	struct gns_msg m = { .type = GNS_WRITE };
	char buf[16];
	bool eof;
	u32 got;

	assert_int_equal(hidden(), 1);
	assert_int_equal(lease(p, fh), 0);
	assert_int_equal(p->rep.r_obj.attr.nlink, 0);
	assert_int_equal(p->rep.r_obj.attr.size, 10);
	assert_int_equal(read_at(fh, buf, 10, 0, false, &cred_root, &got, &eof),
			 0);
	assert_int_equal(got, 10);
	assert_memory_equal(buf, bytes, 10);
	m.write.fh = *fh;
	m.write.change = (struct gns_change){ 2, ++seq };
	m.payload = bytes;
	m.payload_len = 1;
	assert_int_equal(ask(p, &m), 0);
	assert_int_equal(p->rep.r_change.changed.n, 1);
	assert_int_equal(p->rep.r_change.changed.v[0].attr.nlink, 0);
}

/* Kept as held by peers[0]; its handle. */
static inline struct gns_fh held(const char *name)
{
	struct gns_fh fh = fh_of(name);
	struct gns_msg m = an_unlink(name, 0);

	assert_int_equal(lease(&peers[0], &fh), 0);
	assert_int_equal(change(&peers[1], &m, true), 0);
	return fh;
}

static inline void restart(u32 seconds)
{
	struct gns_origin_config cfg = { .boot_id = { "boot" } };
	u32 i;

	origin_end();
	toy_crash(&toy, false, 0);
	crashed = false;
	origin = gns_origin_create(&toy.env, &tree, &toy.db, &cfg);
	assert_non_null(origin);
	for (i = 0; i < 10; i++)
		pass(NSEC_PER_MSEC);
	toy_advance(&toy, seconds * NSEC_PER_SEC);
	hello(&peers[0], 1);
	hello(&peers[1], 2);
}

/* After a restart @fh is kept for who had it open, and then goes. */
static inline void nobody_comes_back(const struct gns_fh *fh)
{
	restart(20);
	assert_int_equal(hidden(), 1);
	toy_advance(&toy, 30 * NSEC_PER_SEC);
	hello(&peers[1], 2);
	gone(fh);
}

#endif
