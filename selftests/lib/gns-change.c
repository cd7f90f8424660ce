// SPDX-License-Identifier: GPL-2.0
/*
 * gns-change: changes files of an export through the protocol.
 *
 *	gns-change NETNS HOST:PORT EXPORT
 *
 * NETNS is the path of a network namespace, or - for this one. Each line of
 * its standard input is a change; it prints "STATUS NS" when the change was
 * acknowledged: 0 or an errno, and the time of BOOTTIME.
 *
 *	write PATH OFFSET TEXT
 *	size PATH BYTES
 *	mode PATH OCTAL
 *	create PATH | mkdir PATH | unlink PATH | rmdir PATH
 *	rename PATH TO
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "../tree/client.h"

static const u32 wrong = EINVAL;

static u32 one(struct changer *c, char *line)
{
	char *word = strsep(&line, " "), *path = strsep(&line, " "), *arg;

	if (!path)
		return wrong;
	if (!strcmp(word, "create"))
		return change_create(c, path, 0644);
	if (!strcmp(word, "mkdir"))
		return change_mkdir(c, path, 0755);
	if (!strcmp(word, "unlink"))
		return change_unlink(c, path);
	if (!strcmp(word, "rmdir"))
		return change_rmdir(c, path);
	arg = strsep(&line, " ");
	if (!arg)
		return wrong;
	if (!strcmp(word, "write") && line)
		return change_write(c, path, strtoull(arg, NULL, 0), line,
				    strlen(line));
	if (!strcmp(word, "size"))
		return change_size(c, path, strtoull(arg, NULL, 0));
	if (!strcmp(word, "mode"))
		return change_mode(c, path, strtoul(arg, NULL, 8));
	if (!strcmp(word, "rename"))
		return change_rename(c, path, arg);
	return wrong;
}

int main(int argc, char **argv)
{
	char line[65536];
	struct changer *c;
	u32 status;

	if (argc != 4)
		die("usage: gns-change NETNS HOST:PORT EXPORT");
	c = changer_open(strcmp(argv[1], "-") ? argv[1] : NULL, argv[2],
			 argv[3]);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		status = one(c, line);
		printf("%u %llu\n", status, (unsigned long long)change_when(c));
		fflush(stdout);
	}
	changer_close(c);
	return 0;
}
