// SPDX-License-Identifier: GPL-2.0
/*
 * tree-bench: gns between two processes against plain TCP between the same
 * two, in one run, taking turns.
 *
 *	tree-bench HOST:PORT PLAIN-PORT EXPORT FILE ROUNDS
 *
 * FILE lies in the export's root. Prints medians and their ratios; it never
 * fails for being slow.
 *
 * Two plain streams, since "plain TCP" can mean either: send(2) of the file
 * where it is mapped, all of it beforehand, which is the most that one stream
 * does here and what gns is held to; and sendfile(2), what a server would do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "plain.h"
#include "satellite/fetch.h"

#define ROUNDS_MAX 21
#define REQ_BYTES 96u /* of a GETATTR on the wire, about */
#define REP_BYTES 176u

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

static double median(double *v, int n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

struct file {
	struct client *c;
	struct gns_fh fh;
	u64 size;
	u64 lease;
	u64 epoch;
	u64 got;
	bool done;
};

static void bytes_in(void *arg, u64 off, const void *data, u32 len)
{
	struct file *f = arg;

	f->got += len;
}

static void all_in(void *arg, u32 status)
{
	struct file *f = arg;

	if (status)
		die("read: %s", gns_status_str(status));
	f->done = true;
}

static const struct gns_fetch_ops fetch_ops = { bytes_in, all_in };

static double read_file(struct file *f)
{
	struct gns_fetch_want want = { .fh = f->fh, .lease = f->lease, .len = f->size };
	double t = seconds();

	want.epoch = ++f->epoch;
	f->got = 0;
	f->done = false;
	if (!gns_fetch_start(client_sat(f->c), &want, &fetch_ops, f))
		die("the fetch did not start");
	while (!f->done)
		client_turn(f->c);
	if (f->got != f->size)
		die("read %llu of %llu bytes", (unsigned long long)f->got,
		    (unsigned long long)f->size);
	return seconds() - t;
}

struct stats {
	struct file *f;
	u64 left;
};

static void stat_in(void *arg, const struct gns_msg *rep);

static void ask_stat(struct stats *s)
{
	struct gns_msg m = { .type = GNS_GETATTR };

	m.obj.fh = s->f->fh;
	s->left--;
	client_ask(s->f->c, &m, stat_in, s);
}

static void stat_in(void *arg, const struct gns_msg *rep)
{
	struct stats *s = arg;

	if (rep->status || rep->r_obj.attr.size != s->f->size)
		die("getattr: wrong answer");
	if (s->left)
		ask_stat(s);
}

static double stat_file(struct file *f, u32 depth, u64 count)
{
	struct stats s = { f, count };
	double t = seconds();
	u32 i;

	for (i = 0; i < depth; i++)
		ask_stat(&s);
	while (client_pending(f->c))
		client_step(f->c);
	return seconds() - t;
}

static void open_file(struct file *f, const char *export, const char *name)
{
	struct gns_msg m = { .type = GNS_MOUNT }, rep;
	struct gns_msg look = { .type = GNS_LOOKUP };

	m.mount.export = (struct gns_str){ export, strlen(export) };
	if (client_call(f->c, &m, &rep))
		die("mount failed");
	look.name.fh = rep.r_obj.fh;
	look.name.name = (struct gns_str){ name, strlen(name) };
	look.name.want = GNS_WANT_LEASE;
	if (client_call(f->c, &look, &rep) || rep.r_lookup.absent)
		die("no file %s", name);
	f->fh = rep.r_lookup.child.fh;
	f->size = rep.r_lookup.child.attr.size;
	f->lease = rep.r_lookup.child.grant.number;
	if (!f->lease)
		die("no lease on %s", name);
}

static void report(const char *what, const char *unit, double *gns,
		   double *plain, int n)
{
	double g = median(gns, n), p = median(plain, n);

	printf("# %-28s gns %9.0f %s (%.0f-%.0f), plain %9.0f (%.0f-%.0f), ratio %.2f\n",
	       what, g, unit, gns[0], gns[n - 1], p, plain[0], plain[n - 1],
	       g / p);
}

int main(int argc, char **argv)
{
	static const struct {
		u32 depth;
		u64 count;
		const char *name;
	} echo[] = { { 1, 20000, "getattr, 1 at a time" },
		     { 32, 200000, "getattr, 32 at a time" } };
	static const struct {
		char how;
		const char *name;
	} how[] = { { 'M', "large file, against send" },
		    { 'F', "large file, against sendfile" } };
	double gns[ROUNDS_MAX], plain[ROUNDS_MAX];
	struct file f = { 0 };
	int i, n, port;
	size_t k;

	if (argc != 6)
		die("usage: tree-bench HOST:PORT PLAIN-PORT EXPORT FILE ROUNDS");
	port = atoi(argv[2]);
	n = atoi(argv[5]);
	if (n < 1 || n > ROUNDS_MAX)
		die("ROUNDS is 1 to %d", ROUNDS_MAX);
	printf("1..1\n");
	f.c = client_open(argv[1], 0);
	if (!f.c)
		die("no session with %s", argv[1]);
	open_file(&f, argv[3], argv[4]);
	read_file(&f);
	for (k = 0; k < ARRAY_SIZE(how); k++) {
		for (i = 0; i < n; i++) {
			gns[i] = f.size / read_file(&f) / 1e6;
			plain[i] = f.size /
				   plain_stream(port, how[k].how, f.size) / 1e6;
		}
		report(how[k].name, "MB/s", gns, plain, n);
	}
	for (k = 0; k < ARRAY_SIZE(echo); k++) {
		for (i = 0; i < n; i++) {
			gns[i] = echo[k].count / stat_file(&f, echo[k].depth,
							   echo[k].count);
			plain[i] = echo[k].count /
				   plain_echo(port, REQ_BYTES, REP_BYTES,
					      echo[k].depth, echo[k].count);
		}
		report(echo[k].name, "/s  ", gns, plain, n);
	}
	printf("ok 1 - measured\n");
	client_close(f.c);
	return 0;
}
