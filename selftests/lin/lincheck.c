// SPDX-License-Identifier: GPL-2.0
/*
 * lincheck - check a recorded history for linearizability
 *
 * Exit status: 0 linearizable, 1 violation, 2 anything else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lin.h"

static int usage(void)
{
	fputs("usage: lincheck [-b STEPS] [-m MODEL] [-p] FILE\n"
	      "  -b  give up after so many steps\n"
	      "  -m  model, when the file has no model line\n"
	      "  -p  print the smallest failing prefix as a history of its own\n"
	      "FILE may be -.\n",
	      stderr);
	return 2;
}

static int print_prefix(const struct lin_hist *h, const struct lin_result *r)
{
	struct lin_op *out = calloc(h->n, sizeof(*out));
	size_t n;

	if (!out) {
		fputs("lincheck: out of memory\n", stderr);
		return 2;
	}
	n = lin_prefix(h->m, h->ops, h->n, r->bad, out);
	lin_print(stdout, h->m, out, n);
	free(out);
	return 1;
}

static int check(FILE *in, const char *name, struct lin_hist *h,
		 uint64_t budget, bool prefix)
{
	struct lin_result r;
	char msg[128];

	if (lin_parse(in, h, msg, sizeof(msg))) {
		fprintf(stderr, "lincheck: %s: %s\n", name, msg);
		return 2;
	}
	r = lin_check(h->m, h->ops, h->n, budget);
	if (prefix && r.status == LIN_VIOLATION)
		return print_prefix(h, &r);
	lin_explain(stdout, h->m, h->ops, h->n, &r);
	if (r.status == LIN_OK)
		return 0;
	return r.status == LIN_VIOLATION ? 1 : 2;
}

int main(int argc, char **argv)
{
	struct lin_hist h = { 0 };
	uint64_t budget = 0;
	bool prefix = false;
	const char *name;
	FILE *in = stdin;
	int c, ret;

	while ((c = getopt(argc, argv, "b:m:p")) != -1) {
		switch (c) {
		case 'b':
			budget = strtoull(optarg, NULL, 0);
			break;
		case 'm':
			h.m = lin_model_find(optarg);
			if (!h.m)
				return usage();
			break;
		case 'p':
			prefix = true;
			break;
		default:
			return usage();
		}
	}
	if (optind + 1 != argc)
		return usage();
	name = argv[optind];
	if (strcmp(name, "-")) {
		in = fopen(name, "r");
		if (!in) {
			fprintf(stderr, "lincheck: %s: %s\n", name,
				strerror(errno));
			return 2;
		}
	}
	ret = check(in, name, &h, budget, prefix);
	if (in != stdin)
		fclose(in);
	lin_hist_free(&h);
	return ret;
}
