// SPDX-License-Identifier: GPL-2.0
/*
 * Calls about names and attributes; see calls.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "calls.h"
#include "client.h"
#include "lab.h"
#include "view.h"

#define XATTR "trusted.x"
#define ACL "system.posix_acl_access"

static void prep_dir(void)
{
	prep_none();
	scene_must(mkdir(at("h"), 0755), "mkdir");
}

static void prep_link(void)
{
	prep_none();
	scene_must(symlink("target", at("h")), "symlink");
}

static void prep_xattr(void)
{
	prep_file();
	scene_must(setxattr(at("f"), XATTR, "old", 3, 0), "setxattr");
}

static long run_create(void)
{
	scene.fd = open(at("h"), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);
	return scene.fd;
}

static bool is_h(void)
{
	return scene_origin("h");
}

static long run_mkdir(void)
{
	return mkdir(at("h"), 0711);
}

static long run_mkfifo(void)
{
	return mkfifo(at("h"), 0600);
}

static long run_symlink(void)
{
	return symlink("target", at("h"));
}

static long run_link(void)
{
	return link(at("f"), at("h"));
}

static long run_unlink(void)
{
	return unlink(at("f"));
}

static bool is_no_f(void)
{
	return !scene_origin("f");
}

static long run_rmdir(void)
{
	return rmdir(at("h"));
}

static bool is_no_h(void)
{
	return !scene_origin("h");
}

static long run_rename(void)
{
	return rename(at("f"), at("h"));
}

static long run_replace(void)
{
	return rename(at("g"), at("f"));
}

static bool is_no_g(void)
{
	return !scene_origin("g");
}

static ino_t f_was;

static void prep_exchange(void)
{
	prep_two();
	scene_origin("f");
	f_was = scene.st.st_ino;
}

static long run_exchange(void)
{
	return renameat2(AT_FDCWD, at("f"), AT_FDCWD, at("g"), RENAME_EXCHANGE);
}

static bool is_exchanged(void)
{
	return scene_origin("g") && scene.st.st_ino == f_was;
}

static mode_t mode(void)
{
	return 0600 + scene.turn % 64;
}

static long run_chmod(void)
{
	return chmod(at("f"), mode());
}

static bool is_mode(void)
{
	return scene_origin("f") && (scene.st.st_mode & 07777) == mode();
}

static long run_chown(void)
{
	return lchown(at("f"), scene.turn, scene.turn);
}

static bool is_owner(void)
{
	return scene_origin("f") && scene.st.st_uid == scene.turn;
}

static long run_utimens(void)
{
	struct timespec t[2] = { { 5, 6 }, { scene.turn, 8 } };

	return utimensat(AT_FDCWD, at("f"), t, 0);
}

static bool is_time(void)
{
	return scene_origin("f") && scene.st.st_mtim.tv_sec == scene.turn;
}

static long run_setxattr(void)
{
	return setxattr(at("f"), XATTR, scene.text, 3, 0);
}

static bool is_set(void)
{
	return getxattr(scene_there("f"), XATTR, scene.buf, FILE_SIZE) == 3 &&
	       !memcmp(scene.buf, scene.text, 3);
}

static long run_getxattr(void)
{
	return getxattr(at("f"), XATTR, scene.buf, FILE_SIZE);
}

static bool is_old(void)
{
	return !memcmp(scene.buf, "old", 3);
}

static long run_listxattr(void)
{
	return listxattr(at("f"), scene.buf, FILE_SIZE);
}

static long run_removexattr(void)
{
	return removexattr(at("f"), XATTR);
}

static bool is_removed(void)
{
	return getxattr(scene_there("f"), XATTR, scene.buf, FILE_SIZE) < 0;
}

/* Version 2; the owner may read and write, user 1000 may read. */
static const unsigned char list[] = {
	2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 232, 3, 0, 0,
	4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 4, 0, 255, 255, 255, 255,
	32, 0, 0, 0, 255, 255, 255, 255
};

static void prep_no_list(void)
{
	prep_file();
	scene_must(removexattr(at("f"), ACL), "remove a list");
}

static long run_set_list(void)
{
	return setxattr(at("f"), ACL, list, sizeof(list), 0);
}

static void prep_list(void)
{
	prep_file();
	scene_must(run_set_list(), "set a list");
}

static long run_get_list(void)
{
	return getxattr(at("f"), ACL, scene.buf, FILE_SIZE);
}

static bool is_list(void)
{
	return !memcmp(scene.buf, list, sizeof(list));
}

static bool is_listed(void)
{
	return getxattr(scene_there("f"), ACL, scene.buf, FILE_SIZE) ==
	       sizeof(list);
}

static struct stat seen;

static long run_stat(void)
{
	return lstat(at("f"), &seen);
}

static bool is_size(void)
{
	return seen.st_size == FILE_SIZE;
}

static long run_absent(void)
{
	return !lstat(at("h"), &seen) || errno != ENOENT ? -1 : 0;
}

static long run_list(void)
{
	DIR *d = opendir(at(""));
	struct dirent *e;
	int n = 0, err;

	if (!d)
		return -1;
	do {
		errno = 0;
		e = readdir(d);
		err = errno;
		n += e && !strcmp(e->d_name, "f");
	} while (e);
	closedir(d);
	errno = err;
	return !err && n == 1 ? 1 : -1;
}

static long run_readlink(void)
{
	return readlink(at("h"), scene.buf, FILE_SIZE);
}

static bool is_target(void)
{
	return !memcmp(scene.buf, "target", 6);
}

static long run_statfs(void)
{
	struct statfs sf;

	return statfs(at(""), &sf);
}

static struct {
	struct file_handle h;
	unsigned char room[MAX_HANDLE_SZ];
} handle;

static void prep_handle(void)
{
	enum place before = actor;
	int id;

	prep_file();
	actor = PLACE_A;
	handle.h.handle_bytes = MAX_HANDLE_SZ;
	scene_must(name_to_handle_at(AT_FDCWD, at("f"), &handle.h, &id, 0),
		   "handle");
	scene.fd2 = open(at(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scene_must(scene.fd2, "the directory");
	actor = before;
}

static long run_handle(void)
{
	scene.fd = open_by_handle_at(scene.fd2, &handle.h, O_RDONLY | O_CLOEXEC);
	return scene.fd;
}

#define C(what, prep, run, over, done, cold, ...) \
	{ \
		what, prep, run, over, done, cold, \
		{ \
			__VA_ARGS__ \
		} \
	}

const struct call name_calls[] = {
	C("create", prep_none, run_create, scene_over, is_h, false, "h"),
	C("mkdir", prep_none, run_mkdir, NULL, is_h, false, "h"),
	C("mkfifo", prep_none, run_mkfifo, NULL, is_h, false, "h"),
	C("symlink", prep_none, run_symlink, NULL, is_h, true, "h"),
	C("link", prep_both, run_link, NULL, is_h, false, "f", "h"),
	C("unlink", prep_file, run_unlink, NULL, is_no_f, false, "f"),
	C("rmdir", prep_dir, run_rmdir, NULL, is_no_h, false, "h"),
	C("rename", prep_both, run_rename, NULL, is_no_f, true, "f", "h"),
	C("replace", prep_two, run_replace, NULL, is_no_g, false, "f", "g"),
	C("exchange", prep_exchange, run_exchange, NULL, is_exchanged, false,
	  "f", "g"),
	C("chmod", prep_file, run_chmod, NULL, is_mode, false, "f"),
	C("chown", prep_file, run_chown, NULL, is_owner, false, "f"),
	C("utimens", prep_file, run_utimens, NULL, is_time, false, "f"),
	C("setxattr", prep_file, run_setxattr, NULL, is_set, false, "f"),
	C("getxattr", prep_xattr, run_getxattr, NULL, is_old, false, "f"),
	C("listxattr", prep_xattr, run_listxattr, NULL, NULL, false, "f"),
	C("removexattr", prep_xattr, run_removexattr, NULL, is_removed, false,
	  "f"),
	C("set a list", prep_no_list, run_set_list, NULL, is_listed, false, "f"),
	C("get a list", prep_list, run_get_list, NULL, is_list, true, "f"),
	C("stat", prep_file, run_stat, NULL, is_size, true, "f"),
	C("stat of nothing", prep_none, run_absent, NULL, NULL, true, "h"),
	C("readdir", prep_fresh, run_list, NULL, NULL, true, ".", "f"),
	C("readlink", prep_link, run_readlink, NULL, is_target, true, "h"),
	C("statfs", prep_none, run_statfs, NULL, NULL, false, "."),
	C("open by handle", prep_handle, run_handle, scene_over, NULL, true, "f"),
};

const size_t n_name_calls = ARRAY_SIZE(name_calls);
