// SPDX-License-Identifier: GPL-2.0
/*
 * Options: one table for the words that mean something here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "mount_opts.h"

enum kind {
	DROP, /* for mount(8), fstab, systemd */
	ATTR, /* set bits, clear others */
	ATIME, /* the same, of access times */
	PROPAGATE,
	REMOUNT,
	BG,
	FG,
	RETRY, /* with a value */
	MOVES, /* what mount(8) does without a helper */
};

#define NO_EXEC (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const struct word {
	const char *name; /* with '=': the beginning of an option */
	enum kind kind;
	u64 set;
	u64 clear;
} words[] = {
	{ "defaults", DROP, 0, 0 },
	{ "_netdev", DROP, 0, 0 },
	{ "auto", DROP, 0, 0 },
	{ "noauto", DROP, 0, 0 },
	{ "nofail", DROP, 0, 0 },
	{ "fail", DROP, 0, 0 },
	{ "silent", DROP, 0, 0 },
	{ "loud", DROP, 0, 0 },
	{ "nouser", DROP, 0, 0 },
	{ "nousers", DROP, 0, 0 },
	{ "noowner", DROP, 0, 0 },
	{ "nogroup", DROP, 0, 0 },
	{ "comment=", DROP, 0, 0 },
	{ "helper=", DROP, 0, 0 },
	{ "uhelper=", DROP, 0, 0 },

	{ "ro", ATTR, MOUNT_ATTR_RDONLY, 0 },
	{ "rw", ATTR, 0, MOUNT_ATTR_RDONLY },
	{ "nosuid", ATTR, MOUNT_ATTR_NOSUID, 0 },
	{ "suid", ATTR, 0, MOUNT_ATTR_NOSUID },
	{ "nodev", ATTR, MOUNT_ATTR_NODEV, 0 },
	{ "dev", ATTR, 0, MOUNT_ATTR_NODEV },
	{ "noexec", ATTR, MOUNT_ATTR_NOEXEC, 0 },
	{ "exec", ATTR, 0, MOUNT_ATTR_NOEXEC },
	{ "nosymfollow", ATTR, MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "symfollow", ATTR, 0, MOUNT_ATTR_NOSYMFOLLOW },
	/* What mount(8) says these four imply; a later word may undo it. */
	{ "user", ATTR, NO_EXEC, 0 },
	{ "user=", ATTR, NO_EXEC, 0 },
	{ "users", ATTR, NO_EXEC, 0 },
	{ "owner", ATTR, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0 },
	{ "group", ATTR, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0 },

	{ "noatime", ATIME, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "atime", ATIME, 0, MOUNT_ATTR__ATIME },
	{ "relatime", ATIME, 0, MOUNT_ATTR__ATIME },
	{ "norelatime", ATIME, 0, MOUNT_ATTR__ATIME },
	{ "strictatime", ATIME, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "nostrictatime", ATIME, 0, MOUNT_ATTR__ATIME },
	{ "nodiratime", ATIME, MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime", ATIME, 0, MOUNT_ATTR_NODIRATIME },

	{ "shared", PROPAGATE, MS_SHARED, 0 },
	{ "rshared", PROPAGATE, MS_SHARED | MS_REC, 0 },
	{ "slave", PROPAGATE, MS_SLAVE, 0 },
	{ "rslave", PROPAGATE, MS_SLAVE | MS_REC, 0 },
	{ "private", PROPAGATE, MS_PRIVATE, 0 },
	{ "rprivate", PROPAGATE, MS_PRIVATE | MS_REC, 0 },
	{ "unbindable", PROPAGATE, MS_UNBINDABLE, 0 },
	{ "runbindable", PROPAGATE, MS_UNBINDABLE | MS_REC, 0 },

	{ "remount", REMOUNT, 0, 0 },
	{ "bg", BG, 0, 0 },
	{ "fg", FG, 0, 0 },
	{ "retry=", RETRY, 0, 0 },
	{ "bind", MOVES, 0, 0 },
	{ "rbind", MOVES, 0, 0 },
	{ "move", MOVES, 0, 0 },
};

static int fail(char *err, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, size, fmt, ap);
	va_end(ap);
	return -1;
}

static const struct word *find_word(const char *opt)
{
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		len = strlen(words[i].name);
		/* The end mark is compared as well, but for names with '='. */
		if (words[i].name[len - 1] != '=')
			len++;
		if (!strncmp(opt, words[i].name, len))
			return &words[i];
	}
	return NULL;
}

static int add_param(struct mount_opts *o, const char *opt)
{
	const char *eq = strchr(opt, '=');
	struct mount_param *p;
	size_t len;

	p = reallocarray(o->params, o->nparams + 1, sizeof(*p));
	if (!p)
		return -1;
	o->params = p;
	p += o->nparams;
	p->key = eq ? strndup(opt, eq - opt) : strdup(opt);
	if (!p->key)
		return -1;
	p->value = NULL;
	o->nparams++;
	if (!eq)
		return 0;
	len = strlen(++eq);
	/* Quotes keep commas together; they are no part of the value. */
	if (len >= 2 && eq[0] == '"' && eq[len - 1] == '"')
		p->value = strndup(eq + 1, len - 2);
	else
		p->value = strdup(eq);
	return p->value ? 0 : -1;
}

static int set_retry(struct mount_opts *o, const char *value, char *err,
		     size_t size)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || *value < '0' || *value > '9' || *end ||
	    n > MOUNT_RETRY_MAX)
		return fail(err, size, "retry=%s: minutes, from 0 to %u", value,
			    MOUNT_RETRY_MAX);
	o->retry = n;
	return 0;
}

static int one(struct mount_opts *o, const char *opt, char *err, size_t size)
{
	const struct word *w = find_word(opt);

	if (!strncmp(opt, "x-", 2) || !strncmp(opt, "X-", 2))
		return 0;
	if (!w) {
		if (*opt == '=')
			return fail(err, size, "%s: there is no name before the '='",
				    opt);
		if (add_param(o, opt))
			return fail(err, size, "out of memory");
		return 0;
	}
	switch (w->kind) {
	case ATTR:
	case ATIME:
		o->atime |= w->kind == ATIME;
		o->attrs = (o->attrs & ~w->clear) | w->set;
		break;
	case PROPAGATE:
		o->propagation = w->set;
		break;
	case REMOUNT:
		o->remount = true;
		break;
	case BG:
	case FG:
		o->bg = w->kind == BG;
		break;
	case RETRY:
		return set_retry(o, opt + strlen(w->name), err, size);
	case MOVES:
		return fail(err, size,
			    "%s: call mount(8) for that, it needs no helper", opt);
	case DROP:
		break;
	}
	return 0;
}

/* The end of an option: a comma that is not in quotes, or the end. */
static char *option_end(char *s)
{
	bool quoted = false;

	for (; *s && (quoted || *s != ','); s++)
		quoted ^= *s == '"';
	return quoted ? NULL : s;
}

int mount_opts_parse(struct mount_opts *o, const char *text, char *err,
		     size_t size)
{
	char *copy, *opt, *end;
	int ret = 0;
	bool last;

	*o = (struct mount_opts){ .retry = UINT32_MAX };
	copy = strdup(text ? text : "");
	if (!copy)
		return fail(err, size, "out of memory");
	for (opt = copy, last = false; !ret && !last; opt = end + 1) {
		end = option_end(opt);
		if (!end) {
			ret = fail(err, size, "%s: a quote has no end", opt);
			break;
		}
		last = !*end;
		*end = '\0';
		if (*opt)
			ret = one(o, opt, err, size);
	}
	free(copy);
	if (o->retry == UINT32_MAX)
		o->retry = o->bg ? MOUNT_RETRY_BG : 0;
	/* The kernel wants to know of the superblock as well. */
	if (!ret && (o->attrs & MOUNT_ATTR_RDONLY) && add_param(o, "ro"))
		ret = fail(err, size, "out of memory");
	return ret;
}

void mount_opts_free(struct mount_opts *o)
{
	size_t i;

	for (i = 0; i < o->nparams; i++) {
		free(o->params[i].key);
		free(o->params[i].value);
	}
	free(o->params);
	o->params = NULL;
	o->nparams = 0;
}
