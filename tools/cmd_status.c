// SPDX-License-Identifier: GPL-2.0
/*
 * gnsctl status
 */
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "gnsctl.h"
#include "status.h"

struct wish {
	bool json;
	unsigned int watch; /* seconds; 0: once */
	const char *what;
};

/* As it was typed, or the path that it leads to. */
static bool pick(struct status *s, const char *what)
{
	char path[PATH_MAX];

	return status_pick(s, what) ||
	       (realpath(what, path) && status_pick(s, path));
}

static int show(struct gns_genl *g, const struct wish *w)
{
	struct status s;
	int err = status_read(g, &s), ret = CTL_OK;

	if (err) {
		ret = ctl_refused(g, "status", err);
	} else if (w->what && !pick(&s, w->what)) {
		ret = ctl_fail("%s: neither a gns mount nor an origin of one",
			       w->what);
	} else if (w->json) {
		if (status_json(&s, stdout))
			ret = ctl_fail("out of memory");
	} else {
		if (w->watch && isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		status_text(&s, stdout);
	}
	status_free(&s);
	if (fflush(stdout) && ret == CTL_OK)
		ret = CTL_FAILED;
	return ret;
}

int cmd_status(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "watch", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	struct wish w = { .json = false };
	struct gns_genl *g;
	int c, ret;

	while ((c = getopt_long(argc, argv, "jw:", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			w.json = true;
			break;
		case 'w':
			w.watch = strtoul(optarg, NULL, 10);
			if (!w.watch || w.watch > 3600)
				return ctl_usage(argv[0]);
			break;
		default:
			return ctl_usage(argv[0]);
		}
	}
	if (argc - optind > 1)
		return ctl_usage(argv[0]);
	w.what = argv[optind];

	g = ctl_open();
	if (!g)
		return CTL_FAILED;
	do
		ret = show(g, &w);
	while (ret == CTL_OK && w.watch && !sleep(w.watch));
	gns_genl_close(g);
	return ret;
}
