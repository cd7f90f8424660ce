// SPDX-License-Identifier: GPL-2.0
/*
 * rename(2) on both trees.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "both.h"
#include "names.h"
#include "tap.h"
#include "twin.h"

static int rename2(const char *from, const char *to, unsigned int flags)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

/* A directory that was opened before it was moved. */
static int move_open_dir(void)
{
	int dir = open(at("v/open"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd, ret;

	if (dir < 0)
		return -1;
	ret = rename(at("v/open"), at("v/e/opened"));
	if (!ret) {
		fd = openat(dir, "by-fd", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
			    0644);
		ret = fd < 0 ? -1 : 0;
		close(fd);
	}
	if (!ret)
		ret = renameat(dir, "by-fd", dir, "../up");
	close(dir);
	return ret;
}

static void make_some(const char *top)
{
	char name[64];

	SAME(0, mkdir(at(top), 0755));
	snprintf(name, sizeof(name), "%s/d", top);
	SAME(0, mkdir(at(name), 0755));
	snprintf(name, sizeof(name), "%s/d/x", top);
	SAME(0, put(at(name), O_CREAT | O_WRONLY, 0644, "x"));
	snprintf(name, sizeof(name), "%s/e", top);
	SAME(0, mkdir(at(name), 0755));
	snprintf(name, sizeof(name), "%s/f", top);
	SAME(0, put(at(name), O_CREAT | O_WRONLY, 0644, "f"));
	snprintf(name, sizeof(name), "%s/g", top);
	SAME(0, put(at(name), O_CREAT | O_WRONLY, 0600, "gg"));
}

void check_rename(void)
{
	make_some("v");
	SAME(0, rename(at("v/f"), at("v/h")));
	SAME(ENOENT, put(at("v/f"), O_RDONLY, 0, NULL));
	SAME(0, rename(at("v/h"), at("v/g")));
	SAME(0, rename(at("v/g"), at("v/d/g")));
	SAME(0, rename(at("v/d/g"), at("v/e/g")));
	SAME(0, rename(at("v/d"), at("v/dd")));
	SAME(0, put(at("v/dd/y"), O_CREAT | O_EXCL | O_WRONLY, 0644, "y"));
	SAME(0, rename(at("v/dd"), at("v/e/ddd")));
	SAME(0, put(at("v/e/ddd/y"), O_WRONLY | O_TRUNC, 0, "yy"));
	SAME(0, rename(at("v/e/ddd/y"), at("v/e/ddd/../y")));
	SAME(0, mkdir(at("v/empty"), 0700));
	SAME(0, rename(at("v/e/ddd"), at("v/empty")));
	SAME(0, put(at("v/empty/z"), O_CREAT | O_WRONLY, 0644, "z"));
	SAME(0, link(at("v/empty/z"), at("v/zz")));
	/* Two names of one file: nothing happens. */
	SAME(0, rename(at("v/zz"), at("v/empty/z")));
	SAME(0, rename(at("v/zz"), at("v/zz")));
	SAME(0, symlink("zz", at("v/l")));
	SAME(0, rename(at("v/l"), at("v/e/l")));
	SAME(0, rename(at("v/e/l"), at("v/zz")));
	SAME(0, mkfifo(at("v/p"), 0644));
	SAME(0, rename(at("v/p"), at("v/e/g")));
	SAME(0, mkdir(at("v/open"), 0755));
	SAME(0, move_open_dir());
	SAME(0, put(at("v/f"), O_CREAT | O_EXCL | O_WRONLY, 0644, "again"));
	tap_good("rename");
}

void check_rename_flags(void)
{
	make_some("w");
	SAME(EEXIST, rename2(at("w/f"), at("w/g"), RENAME_NOREPLACE));
	SAME(EEXIST, rename2(at("w/d"), at("w/e"), RENAME_NOREPLACE));
	SAME(0, rename2(at("w/f"), at("w/h"), RENAME_NOREPLACE));
	SAME(0, rename2(at("w/h"), at("w/f"), RENAME_NOREPLACE));
	SAME(0, rename2(at("w/f"), at("w/g"), RENAME_EXCHANGE));
	SAME(0, rename2(at("w/f"), at("w/d/x"), RENAME_EXCHANGE));
	SAME(0, rename2(at("w/d"), at("w/g"), RENAME_EXCHANGE));
	SAME(0, put(at("w/g/y"), O_CREAT | O_EXCL | O_WRONLY, 0644, "y"));
	SAME(0, rename2(at("w/d"), at("w/g/y"), RENAME_EXCHANGE));
	SAME(0, mkdir(at("w/e/e"), 0755));
	SAME(0, put(at("w/e/e/deep"), O_CREAT | O_WRONLY, 0644, "deep"));
	SAME(0, rename2(at("w/e/e"), at("w/g"), RENAME_EXCHANGE));
	SAME(0, put(at("w/g/deep"), O_WRONLY, 0, "DEEP"));
	SAME(0, rename2(at("w/e"), at("w/g"), RENAME_EXCHANGE));
	SAME(0, put(at("w/g/e/new"), O_CREAT | O_WRONLY, 0644, "new"));
	SAME(ENOENT, rename2(at("w/f"), at("w/none"), RENAME_EXCHANGE));
	SAME(ENOENT, rename2(at("w/none"), at("w/f"), RENAME_EXCHANGE));
	SAME(EINVAL, rename2(at("w/g"), at("w/g/e"), RENAME_EXCHANGE));
	SAME(EINVAL, rename2(at("w/g/e"), at("w/g"), RENAME_EXCHANGE));
	SAME(EINVAL, rename2(at("w/f"), at("w/h"),
			     RENAME_EXCHANGE | RENAME_NOREPLACE));
	SAME_AS(USER, EACCES, rename2(at("w/f"), at("w/d"), RENAME_EXCHANGE));
	twin_side = TWIN_GNS;
	refused(rename2(at("w/f"), at("w/h"), RENAME_WHITEOUT), EINVAL,
		"RENAME_WHITEOUT");
	twin_tree("RENAME_WHITEOUT");
	tap_good("rename with flags");
}

void check_rename_refused(void)
{
	make_some("x");
	SAME(0, mkdir(at("x/d/sub"), 0755));
	SAME(ENOENT, rename(at("x/none"), at("x/f")));
	SAME(ENOENT, rename(at("x/f"), at("x/none/f")));
	SAME(ENOTDIR, rename(at("x/f"), at("x/g/f")));
	SAME(EINVAL, rename(at("x/d"), at("x/d/sub/d")));
	SAME(EINVAL, rename(at("x/d"), at("x/d/sub")));
	SAME(ENOTEMPTY, rename(at("x/d/sub"), at("x/d")));
	SAME(ENOTEMPTY, rename(at("x/e"), at("x/d")));
	SAME(EISDIR, rename(at("x/f"), at("x/e")));
	SAME(ENOTDIR, rename(at("x/e"), at("x/f")));
	SAME(EBUSY, rename(at("x/d/."), at("x/y")));
	SAME(EBUSY, rename(at("x/d"), at("x/e/..")));
	SAME(ENOTDIR, rename(at("x/f"), at("x/y/")));
	SAME_AS(USER, EACCES, rename(at("x/f"), at("x/y")));
	SAME(0, chmod(at("x"), 0777));
	SAME_AS(USER, EACCES, rename(at("x/f"), at("x/e/f")));
	/* A directory of somebody else's, whose ".." would have to change. */
	SAME(0, chmod(at("x/e"), 0777));
	SAME_AS(USER, EACCES, rename(at("x/d"), at("x/e/d")));
	SAME_AS(USER, 0, rename(at("x/f"), at("x/e/f")));
	tap_good("renames that are refused");
}
