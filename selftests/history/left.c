// SPDX-License-Identifier: GPL-2.0
/*
 * Looking at a disk, and words about it; see left.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "left.h"
#include "lin.h"

u32 hist_id(u64 ino, bool is_dir)
{
	return (ino & (LIN_TREE_ISDIR - 1)) | (is_dir ? LIN_TREE_ISDIR : 0);
}

static ssize_t read_file(struct left *left, const char *dir, const char *kind,
			 u32 i, void *buf, size_t size)
{
	char path[4200];
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s%u", dir, kind, i);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, buf, size);
		close(fd);
	}
	if (got < 0)
		left->failed = errno;
	return got < 0 ? 0 : got;
}

static void look_regs(const char *dir, struct left *left)
{
	u64 buf[2 * BLOCK / sizeof(u64)];
	u32 i, k;

	for (i = 0; i < REGS; i++) {
		left->size[i] = read_file(left, dir, "reg", i, buf, sizeof(buf));
		left->value[i] = left->size[i] ? buf[0] : 0;
		for (k = 1; k < left->size[i] / sizeof(u64); k++)
			if (buf[k] != buf[0])
				left->torn |= 1u << i;
	}
}

static void look_names(const char *dir, struct left *left)
{
	char path[4200];
	struct stat st;
	u32 i;

	for (i = 0; i < DIRS * NAMES; i++) {
		snprintf(path, sizeof(path), "%s/d%u/n%u", dir, i / NAMES,
			 i % NAMES);
		if (stat(path, &st))
			continue;
		left->id[i] = hist_id(st.st_ino, S_ISDIR(st.st_mode));
		left->tag[i] = st.st_mode & TAG_MASK;
	}
}

void left_look(const char *dir, struct left *left)
{
	u32 i;

	memset(left, 0, sizeof(*left));
	look_regs(dir, left);
	for (i = 0; i < LOGS; i++)
		left->nlog[i] = read_file(left, dir, "log", i, left->log[i],
					  sizeof(left->log[i])) /
				sizeof(u32);
	look_names(dir, left);
}

void left_print(const struct left *left)
{
	const unsigned char *p = (const unsigned char *)left;
	size_t i;

	for (i = 0; i < sizeof(*left); i++)
		printf("%02x", p[i]);
	printf("\n");
}

bool left_parse(const char *line, struct left *left)
{
	unsigned char *p = (unsigned char *)left;
	unsigned int byte;
	size_t i;

	for (i = 0; i < sizeof(*left); i++) {
		if (sscanf(line + 2 * i, "%2x", &byte) != 1)
			return false;
		p[i] = byte;
	}
	return true;
}
