// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl: look at gns on this host, and tell it things.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gnsctl.h"

static int cmd_help(int argc, char **argv);

static const struct command commands[] = {
	{ "status", "[--json] [--watch SECONDS] [MOUNT|ORIGIN]",
	  "origins with their sessions, mounts with what they read", cmd_status },
	{ "drop", "MOUNT...", "forget the cached data of mounts", cmd_drop },
	{ "cache",
	  "format [--force] [--region-size SIZE] [--keep-blocks] DEVICE... | check DEVICE... | dump DEVICE |\n"
	  "        status | add DEVICE... | drain DEVICE... | remove DEVICE... |\n"
	  "        set [--quota SIZE] [--pin|--unpin] DIRECTORY... | fill [--jobs N] PATH...",
	  "make devices caches, look at what they have; what is in use, and what may have how much of it",
	  cmd_cache },
	{ "features", "", "what the loaded module can do", cmd_features },
	{ "version", "", "of gnsctl and of the loaded module", cmd_version },
	{ "help", "", "this text", cmd_help },
};

static void print_help(FILE *to)
{
	size_t i;

	fputs("Usage: gnsctl COMMAND [ARGUMENTS]\n\n", to);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		fprintf(to, "  %s%s%s\n", commands[i].name,
			*commands[i].args ? " " : "", commands[i].args);
		fprintf(to, "      %s\n", commands[i].help);
	}
	fputs("\nMOUNT is a directory, host[:port]:/export, or a number that status shows.\n"
	      "See gnsctl(8).\n",
	      to);
}

static int cmd_help(int argc, char **argv)
{
	print_help(stdout);
	return CTL_OK;
}

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	}
	return NULL;
}

int ctl_fail(const char *fmt, ...)
{
	va_list ap;

	fputs("gnsctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return CTL_FAILED;
}

int ctl_refused(const struct gns_genl *g, const char *what, int err)
{
	if (err == -EPERM)
		return ctl_fail("%s needs root", what);
	return ctl_fail("%s: %s", what, gns_genl_why(g));
}

int ctl_usage(const char *name)
{
	const struct command *c = find(name);

	fprintf(stderr, "Usage: gnsctl %s%s%s\n", c->name, *c->args ? " " : "",
		c->args);
	return CTL_USAGE;
}

struct gns_genl *ctl_open(void)
{
	struct gns_genl *g = gns_genl_open(NULL, NULL);

	if (g)
		return g;
	if (errno == ENOENT)
		ctl_fail("gns.ko is not loaded: insmod gns.ko or modprobe gns");
	else
		ctl_fail("can not speak to the kernel: %s", strerror(errno));
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		print_help(stderr);
		return CTL_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		argv[1] = "help";
	else if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		argv[1] = "version";
	c = find(argv[1]);
	if (!c) {
		ctl_fail("there is no command %s", argv[1]);
		print_help(stderr);
		return CTL_USAGE;
	}
	return c->run(argc - 1, argv + 1);
}
