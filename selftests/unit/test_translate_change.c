// SPDX-License-Identifier: GPL-2.0
/*
 * Changes between the kernel's form and the wire's: every field arrives, what
 * the wire would refuse is refused here by name. Answers: test_translate.c.
 */
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include "translate_rig.h"

static void put_write(u64 off, u32 len, u32 flags)
{
	change(GNS_CALL_WRITE);
	nla_put_u64(msg, GNS_A_OFF, off);
	nla_put_u32(msg, GNS_A_PAYLOAD, len);
	nla_put_u32(msg, GNS_A_FLAGS, flags);
}

static void test_write(void **state)
{
	(void)state;
	put_write(1ull << 40, GNS_UWRITE_MAX, GNS_UW_APPEND | GNS_UW_SYNC);
	right(GNS_WRITE, &w.msg.write.cred);
	is_fh(&w.msg.write.fh, "fh");
	assert_int_equal(w.msg.write.off, 1ull << 40);
	assert_int_equal(w.msg.write.flags, GNS_WR_APPEND | GNS_WR_SYNC);
	assert_int_equal(w.payload, GNS_UWRITE_MAX);
	put_write(INT64_MAX - 5, 5, 0);
	assert_null(end());
	assert_int_equal(w.msg.write.flags, 0);

	put_write(0, 0, 0);
	wrong("PAYLOAD");
	put_write(0, GNS_UWRITE_MAX + 1, 0);
	wrong("PAYLOAD");
	put_write(INT64_MAX - 5, 6, 0);
	wrong("OFF");
	put_write(~0ull, 1, 0);
	wrong("OFF");
	put_write(0, 1, 4);
	wrong("FLAGS");
	put_write(0, 1, 1u << 31);
	wrong("FLAGS");
}

static void test_identity(void **state)
{
	(void)state;
	begin(GNS_CALL_WRITE);
	nla_put(msg, GNS_A_FH, 2, "fh");
	nla_put_u32(msg, GNS_A_PAYLOAD, 1);
	nla_put_u64(msg, GNS_A_SEQ, 1);
	assert_null(end()); /* slot 0 may go unsaid */
	assert_int_equal(w.msg.write.change.slot, 0);
	assert_int_equal(w.msg.write.change.seq, 1);

	begin(GNS_CALL_UNLINK);
	nla_put(msg, GNS_A_FH, 2, "fh");
	nla_put(msg, GNS_A_NAME, 1, "n");
	nla_put_u32(msg, GNS_A_SLOT, 3);
	wrong("SEQ");
	/* Who hears of it may ask whether it was a change. */
	assert_true(gns_msg_is_change(w.msg.type));
	begin(GNS_CALL_UNLINK);
	identity(GNS_USLOTS_MAX, 1);
	nla_put(msg, GNS_A_FH, 2, "fh");
	nla_put(msg, GNS_A_NAME, 1, "n");
	wrong("SLOT");
	begin(GNS_CALL_UNLINK);
	identity(0, 1);
	nla_put(msg, GNS_A_NAME, 1, "n");
	wrong("FH");
	begin(GNS_CALL_MAX + 1);
	identity(0, 1);
	wrong("CALL");
	named(GNS_CALL_UNLINK);
	nla_put_u32(msg, GNS_A_PAYLOAD, 1);
	wrong("PAYLOAD");
}

static void put_make(u32 type, u32 mode, u32 flags)
{
	named(type);
	nla_put_u32(msg, GNS_A_MODE, mode);
	nla_put_u32(msg, GNS_A_FLAGS, flags);
}

static void test_make(void **state)
{
	static const char nul[] = { 'a', 0 };
	char name[GNS_UNAME_MAX + 1];

	(void)state;
	put_make(GNS_CALL_CREATE, 07644, GNS_UC_EXCL);
	right(GNS_CREATE, &w.msg.make.cred);
	is_fh(&w.msg.make.dir, "fh");
	is_str(&w.msg.make.name, "nm");
	assert_int_equal(w.msg.make.mode, 07644);
	assert_int_equal(w.msg.make.flags, GNS_CR_EXCL);
	put_make(GNS_CALL_MKDIR, 0755, 0);
	right(GNS_MKDIR, &w.msg.make.cred);
	assert_int_equal(w.msg.make.mode, 0755);
	assert_int_equal(w.msg.make.umask, 0);
	put_make(GNS_CALL_MKDIR, 0755, 0);
	nla_put_u32(msg, GNS_A_UMASK, 0777);
	right(GNS_MKDIR, &w.msg.make.cred);
	assert_int_equal(w.msg.make.umask, 0777);
	put_make(GNS_CALL_CREATE, 0755, 0);
	nla_put_u32(msg, GNS_A_UMASK, 01000);
	wrong("UMASK");
	named(GNS_CALL_UNLINK);
	right(GNS_UNLINK, &w.msg.make.cred);
	is_str(&w.msg.make.name, "nm");
	named(GNS_CALL_RMDIR);
	right(GNS_RMDIR, &w.msg.make.cred);
	is_fh(&w.msg.make.dir, "fh");

	put_make(GNS_CALL_CREATE, 0100644, 0);
	wrong("MODE");
	put_make(GNS_CALL_CREATE, 0644, GNS_CR_TRUNC);
	wrong("FLAGS");
	put_make(GNS_CALL_MKDIR, 0644, GNS_UC_EXCL);
	wrong("FLAGS");
	put_make(GNS_CALL_RMDIR, 0, GNS_UU_OPEN);
	wrong("FLAGS");
	put_make(GNS_CALL_UNLINK, 0, GNS_UU_OPEN);
	assert_null(end());
	assert_int_equal(w.msg.make.flags, GNS_UN_OPEN);
	assert_int_equal(w.msg.make.victim.len, 0);
	put_make(GNS_CALL_UNLINK, 0, GNS_UU_OPEN);
	nla_put(msg, GNS_A_VICTIM, 6, "victim");
	assert_null(end());
	is_fh(&w.msg.make.victim, "victim");
	put_make(GNS_CALL_UNLINK, 0, GNS_UU_OPEN);
	nla_put(msg, GNS_A_VICTIM, 0, "");
	wrong("VICTIM");
	put_make(GNS_CALL_UNLINK, 0, GNS_UU_OPEN << 1);
	wrong("FLAGS");
	change(GNS_CALL_RMDIR);
	wrong("NAME");
	change(GNS_CALL_CREATE);
	nla_put(msg, GNS_A_NAME, sizeof(nul), nul);
	wrong("NAME");
	memset(name, 'x', sizeof(name));
	change(GNS_CALL_CREATE);
	nla_put(msg, GNS_A_NAME, sizeof(name), name);
	wrong("NAME");
}

static void put_tmpfile(u32 mode, u32 flags)
{
	change(GNS_CALL_TMPFILE);
	nla_put_u32(msg, GNS_A_MODE, mode);
	nla_put_u32(msg, GNS_A_UMASK, 027);
	nla_put_u32(msg, GNS_A_FLAGS, flags);
}

static void test_tmpfile(void **state)
{
	(void)state;
	put_tmpfile(0666, GNS_UT_EXCL);
	right(GNS_TMPFILE, &w.msg.make.cred);
	is_fh(&w.msg.make.dir, "fh");
	assert_int_equal(w.msg.make.mode, 0666);
	assert_int_equal(w.msg.make.umask, 027);
	assert_int_equal(w.msg.make.flags, GNS_TF_EXCL);
	put_tmpfile(0100666, 0);
	wrong("MODE");
	put_tmpfile(0666, GNS_UT_EXCL << 1);
	wrong("FLAGS");
}

static void put_rename(u32 flags)
{
	named(GNS_CALL_RENAME);
	nla_put(msg, GNS_A_FH2, 3, "fh2");
	nla_put(msg, GNS_A_NAME2, 3, "nm2");
	nla_put_u32(msg, GNS_A_FLAGS, flags);
}

static void test_rename(void **state)
{
	(void)state;
	put_rename(RENAME_NOREPLACE);
	right(GNS_RENAME, &w.msg.rename.cred);
	is_fh(&w.msg.rename.odir, "fh");
	is_str(&w.msg.rename.oname, "nm");
	is_fh(&w.msg.rename.ndir, "fh2");
	is_str(&w.msg.rename.nname, "nm2");
	assert_int_equal(w.msg.rename.flags, GNS_RN_NOREPLACE);
	put_rename(RENAME_EXCHANGE);
	assert_null(end());
	assert_int_equal(w.msg.rename.flags, GNS_RN_EXCHANGE);

	put_rename(GNS_UR_OPEN);
	nla_put(msg, GNS_A_VICTIM, 6, "victim");
	assert_null(end());
	assert_int_equal(w.msg.rename.flags, GNS_RN_OPEN);
	is_fh(&w.msg.rename.victim, "victim");

	put_rename(RENAME_WHITEOUT);
	wrong("FLAGS");
	put_rename(RENAME_NOREPLACE | RENAME_EXCHANGE);
	wrong("FLAGS");
	named(GNS_CALL_RENAME);
	nla_put(msg, GNS_A_NAME2, 3, "nm2");
	wrong("FH2");
	named(GNS_CALL_RENAME);
	nla_put(msg, GNS_A_FH2, 3, "fh2");
	wrong("NAME2");
}

static void put_setattr(const struct gns_usetattr *u, u32 len)
{
	change(GNS_CALL_SETATTR);
	nla_put(msg, GNS_A_SETATTR, (int)len, u);
}

static void test_setattr(void **state)
{
	struct gns_usetattr u[2] = { {
		.size = 1ull << 40,
		.atime = -5,
		.mtime = 6,
		.valid = GNS_USA_ALL,
		.mode = 07777,
		.uid = 8,
		.gid = 9,
	} };

	(void)state;
	put_setattr(u, sizeof(u[0]));
	right(GNS_SETATTR, &w.msg.setattr.cred);
	is_fh(&w.msg.setattr.fh, "fh");
	assert_int_equal(w.msg.setattr.valid, GNS_SA_ALL);
	assert_int_equal(w.msg.setattr.size, 1ull << 40);
	assert_int_equal(w.msg.setattr.atime, -5);
	assert_int_equal(w.msg.setattr.mtime, 6);
	assert_int_equal(w.msg.setattr.mode, 07777);
	assert_int_equal(w.msg.setattr.uid, 8);
	assert_int_equal(w.msg.setattr.gid, 9);

	put_setattr(u, sizeof(u[0]) - 1);
	wrong("SETATTR");
	put_setattr(u, sizeof(u));
	wrong("SETATTR");
	change(GNS_CALL_SETATTR);
	wrong("SETATTR");
	u[0].mode = 010000;
	put_setattr(u, sizeof(u[0]));
	wrong("SETATTR");
	u[0].mode = 0;
	u[0].valid = GNS_USA_ALL + 1;
	put_setattr(u, sizeof(u[0]));
	wrong("SETATTR");
	u[0].valid = GNS_USA_SIZE;
	u[0].size = 1ull << 63;
	put_setattr(u, sizeof(u[0]));
	wrong("SETATTR");
}

static void put_mknod(u32 mode, u32 rdev)
{
	named(GNS_CALL_MKNOD);
	nla_put_u32(msg, GNS_A_MODE, mode);
	nla_put_u32(msg, GNS_A_RDEV, rdev);
}

static void test_other_names(void **state)
{
	char target[GNS_TARGET_MAX + 1];

	(void)state;
	named(GNS_CALL_LINK);
	nla_put(msg, GNS_A_FH2, 3, "fh2");
	right(GNS_LINK, &w.msg.link.cred);
	is_fh(&w.msg.link.dir, "fh");
	is_str(&w.msg.link.name, "nm");
	is_fh(&w.msg.link.fh, "fh2");
	named(GNS_CALL_LINK);
	wrong("FH2");

	memset(target, 't', sizeof(target));
	named(GNS_CALL_SYMLINK);
	nla_put(msg, GNS_A_NAME2, GNS_TARGET_MAX, target);
	right(GNS_SYMLINK, &w.msg.symlink.cred);
	is_fh(&w.msg.symlink.dir, "fh");
	is_str(&w.msg.symlink.name, "nm");
	assert_int_equal(w.msg.symlink.target.len, GNS_TARGET_MAX);
	named(GNS_CALL_SYMLINK);
	nla_put(msg, GNS_A_NAME2, GNS_TARGET_MAX + 1, target);
	wrong("NAME2");
	named(GNS_CALL_SYMLINK);
	wrong("NAME2");

	put_mknod(S_IFCHR | 0600, 0x0103);
	right(GNS_MKNOD, &w.msg.mknod.cred);
	is_fh(&w.msg.mknod.dir, "fh");
	is_str(&w.msg.mknod.name, "nm");
	assert_int_equal(w.msg.mknod.mode, S_IFCHR | 0600);
	assert_int_equal(w.msg.mknod.rdev, 0x0103);
	put_mknod(S_IFIFO, 0);
	assert_null(end());
	put_mknod(S_IFIFO, 0);
	nla_put_u32(msg, GNS_A_UMASK, 027);
	right(GNS_MKNOD, &w.msg.mknod.cred);
	assert_int_equal(w.msg.mknod.umask, 027);
	put_mknod(S_IFIFO, 0);
	nla_put_u32(msg, GNS_A_UMASK, 07000);
	wrong("UMASK");
	put_mknod(S_IFSOCK, 1);
	wrong("RDEV");
	put_mknod(S_IFREG | 0600, 0);
	wrong("MODE");
	put_mknod(S_IFCHR | 0200000, 0);
	wrong("MODE");
	put_mknod(0600, 0);
	wrong("MODE");
}

static void put_setxattr(u32 flags, u32 payload)
{
	named(GNS_CALL_SETXATTR);
	nla_put_u32(msg, GNS_A_FLAGS, flags);
	nla_put_u32(msg, GNS_A_PAYLOAD, payload);
}

static void test_setxattr(void **state)
{
	(void)state;
	put_setxattr(GNS_UX_CREATE, GNS_UXATTR_MAX);
	right(GNS_SETXATTR, &w.msg.setxattr.cred);
	is_fh(&w.msg.setxattr.fh, "fh");
	is_str(&w.msg.setxattr.name, "nm");
	assert_int_equal(w.msg.setxattr.flags, GNS_XA_CREATE);
	assert_int_equal(w.payload, GNS_UXATTR_MAX);
	put_setxattr(GNS_UX_REPLACE, 0);
	assert_null(end());
	assert_int_equal(w.msg.setxattr.flags, GNS_XA_REPLACE);
	put_setxattr(GNS_UX_REMOVE, 0);
	assert_null(end());
	assert_int_equal(w.msg.setxattr.flags, GNS_XA_REMOVE);

	put_setxattr(0, GNS_UXATTR_MAX + 1);
	wrong("PAYLOAD");
	put_setxattr(GNS_UX_REMOVE, 1);
	wrong("PAYLOAD");
	put_setxattr(GNS_UX_REMOVE | GNS_UX_REPLACE, 0);
	wrong("FLAGS");
	put_setxattr(8, 0);
	wrong("FLAGS");
}

static void put_fallocate(u64 off, u64 count, u32 mode)
{
	change(GNS_CALL_FALLOCATE);
	nla_put_u64(msg, GNS_A_OFF, off);
	nla_put_u64(msg, GNS_A_COUNT, count);
	nla_put_u32(msg, GNS_A_FLAGS, mode);
}

static void test_fallocate(void **state)
{
	(void)state;
	put_fallocate(4096, 1ull << 41,
		      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	right(GNS_FALLOCATE, &w.msg.fallocate.cred);
	is_fh(&w.msg.fallocate.fh, "fh");
	assert_int_equal(w.msg.fallocate.off, 4096);
	assert_int_equal(w.msg.fallocate.len, 1ull << 41);
	assert_int_equal(w.msg.fallocate.mode,
			 FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	put_fallocate(0, 0, 0);
	wrong("COUNT");
	put_fallocate(INT64_MAX, 1, 0);
	wrong("OFF");
	put_fallocate(0, ~0ull, 0);
	wrong("OFF");
	put_fallocate(0, 1, 0x1000);
	wrong("FLAGS");
}

static void put_copy(u64 from, u64 to, u64 count, u32 flags)
{
	change(GNS_CALL_COPY);
	nla_put(msg, GNS_A_FH2, 3, "fh2");
	nla_put_u64(msg, GNS_A_OFF, from);
	nla_put_u64(msg, GNS_A_OFF2, to);
	nla_put_u64(msg, GNS_A_COUNT, count);
	nla_put_u32(msg, GNS_A_FLAGS, flags);
}

static void test_copy(void **state)
{
	(void)state;
	put_copy(1, 2, GNS_COPY_MAX, 0);
	right(GNS_COPY, &w.msg.copy.cred);
	is_fh(&w.msg.copy.from, "fh");
	is_fh(&w.msg.copy.fh, "fh2");
	assert_int_equal(w.msg.copy.from_off, 1);
	assert_int_equal(w.msg.copy.off, 2);
	assert_int_equal(w.msg.copy.len, GNS_COPY_MAX);
	assert_int_equal(w.msg.copy.flags, 0);
	put_copy(0, 0, 0, GNS_UY_CLONE);
	assert_null(end());
	assert_int_equal(w.msg.copy.flags, GNS_CP_CLONE);
	put_copy(0, 0, 1ull << 40, GNS_UY_CLONE);
	assert_null(end());

	put_copy(0, 0, 0, 0);
	wrong("COUNT");
	put_copy(0, 0, GNS_COPY_MAX + 1, 0);
	wrong("COUNT");
	put_copy(INT64_MAX, 0, 1, 0);
	wrong("OFF");
	put_copy(0, INT64_MAX, 1, 0);
	wrong("OFF2");
	put_copy(0, 0, 1, 2);
	wrong("FLAGS");
	change(GNS_CALL_COPY);
	wrong("FH2");
}

static void put_fsync(u32 flags)
{
	begin(GNS_CALL_FSYNC);
	nla_put(msg, GNS_A_FH, 2, "fh");
	nla_put_u32(msg, GNS_A_FLAGS, flags);
	nla_put_u64(msg, GNS_A_INCARNATION, 77);
}

static void test_fsync(void **state)
{
	(void)state;
	put_fsync(GNS_UFS_DATA);
	right(GNS_FSYNC, &w.msg.obj.cred);
	is_fh(&w.msg.obj.fh, "fh");
	assert_int_equal(w.msg.obj.datasync, GNS_FS_DATA);
	assert_int_equal(w.msg.obj.incarnation, 77);
	put_fsync(GNS_UFS_ALL);
	assert_null(end());
	assert_int_equal(w.msg.obj.datasync, GNS_FS_ALL);

	put_fsync(GNS_UFS_DATA | GNS_UFS_ALL);
	wrong("FLAGS");
	put_fsync(4);
	wrong("FLAGS");
	/* It is no change: none takes a slot for it. */
	put_fsync(0);
	identity(0, 1);
	wrong("SEQ");
}

static void put_lock(const struct gns_ulock *lk)
{
	begin(GNS_CALL_LOCK);
	nla_put(msg, GNS_A_FH, 2, "fh");
	nla_put(msg, GNS_A_LOCK, sizeof(*lk), lk);
}

static void test_lock(void **state)
{
	struct gns_ulock lk = { 1, 2, 3, 4, 5, 1, GNS_ULK_WRITE, 1, 0 };
	const struct gns_m_lock *m = &w.msg.lock;

	(void)state;
	put_lock(&lk);
	assert_null(end());
	assert_int_equal(w.msg.type, GNS_LOCK);
	is_fh(&m->fh, "fh");
	assert_true(m->seq == 1 && m->owner == 2 && m->start == 3 &&
		    m->end == 4 && m->pid == 5);
	assert_true(m->kind == GNS_LC_RANGE && m->op == GNS_LK_WRITE &&
		    m->how == GNS_LH_WAIT);
	lk.kind = GNS_LC_MAX + 1;
	put_lock(&lk);
	wrong("LOCK");
	lk = (struct gns_ulock){ .op = GNS_LK_MAX + 1 };
	put_lock(&lk);
	wrong("LOCK");
	lk = (struct gns_ulock){ .how = GNS_LH_MAX + 1 };
	put_lock(&lk);
	wrong("LOCK");
	lk = (struct gns_ulock){ .own = 1 };
	put_lock(&lk);
	wrong("LOCK");
	begin(GNS_CALL_LOCK);
	nla_put(msg, GNS_A_FH, 2, "fh");
	wrong("LOCK");
	nla_put(msg, GNS_A_LOCK, sizeof(lk) - 1, &lk);
	wrong("LOCK");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_write),
		T(test_identity),
		T(test_make),
		T(test_tmpfile),
		T(test_rename),
		T(test_setattr),
		T(test_other_names),
		T(test_setxattr),
		T(test_fallocate),
		T(test_copy),
		T(test_fsync),
		T(test_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
