// SPDX-License-Identifier: GPL-2.0
/*
 * mountinfo: "id parent major:minor root dir options [tags] - type source
 * options", with blanks and backslashes of names as octal escapes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mount_info.h"

static bool octal(char c)
{
	return c >= '0' && c <= '7';
}

static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && octal(s[1]) && octal(s[2]) && octal(s[3])) {
			*to++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 |
				(s[3] - '0');
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

bool mount_info_line(char *line, struct mount_entry *e)
{
	char *field[6], *rest = line, *tail, *type, *source, *options;
	size_t i;

	tail = strstr(line, " - ");
	if (!tail)
		return false;
	*tail = '\0';
	tail += 3;
	for (i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strsep(&rest, " ");
		if (!field[i])
			return false;
	}
	type = strsep(&tail, " ");
	source = strsep(&tail, " ");
	options = strsep(&tail, "\n");
	if (!type || !source || strcmp(type, "gns") ||
	    sscanf(field[2], "%u:%u", &e->major, &e->minor) != 2)
		return false;
	unescape(field[4]);
	unescape(source);
	e->dir = field[4];
	e->source = source;
	e->options = options ? options : "";
	return true;
}

int mount_info_each(bool (*see)(const struct mount_entry *e, void *ctx),
		    void *ctx)
{
	struct mount_entry e;
	char *line = NULL;
	size_t size = 0;
	bool on = true;
	FILE *f;

	f = fopen("/proc/self/mountinfo", "re");
	if (!f)
		return -1;
	while (on && getline(&line, &size, f) > 0) {
		if (mount_info_line(line, &e))
			on = see(&e, ctx);
	}
	free(line);
	fclose(f);
	return 0;
}

struct wanted {
	const char *source;
	const char *dir;
	bool found;
};

static bool is_wanted(const struct mount_entry *e, void *ctx)
{
	struct wanted *w = ctx;

	w->found = !strcmp(e->dir, w->dir) &&
		   (!w->source || !strcmp(e->source, w->source));
	return !w->found;
}

bool mount_info_has(const char *source, const char *dir)
{
	struct wanted w = { source, dir, false };

	return !mount_info_each(is_wanted, &w) && w.found;
}
