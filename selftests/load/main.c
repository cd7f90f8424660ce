// SPDX-License-Identifier: GPL-2.0
/*
 * gns-load: see the usage. It prints one line of name=value and exits with 1
 * if there was an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define GRUMBLES 20

double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "gns-load: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(2);
}

void grumble(const char *path, const char *what)
{
	static u32 n;

	if (__atomic_fetch_add(&n, 1, __ATOMIC_RELAXED) < GRUMBLES)
		fprintf(stderr, "gns-load: %s: %s\n", path, what);
}

static int cmd_walk(const char *top, u32 threads)
{
	double t = seconds();
	struct tree tree = tree_walk(top, threads);

	t = seconds() - t;
	printf("files=%llu dirs=%llu bytes=%llu errors=%llu seconds=%.3f\n",
	       (unsigned long long)tree.files, (unsigned long long)tree.dirs,
	       (unsigned long long)tree.bytes, (unsigned long long)tree.errors,
	       t);
	tree_free(&tree);
	return tree.errors != 0;
}

static int64_t read_node(struct tree *t, size_t i, char *buf, void *arg)
{
	const struct node *n = &t->v[i];
	int64_t sum = 0;
	ssize_t got;
	int fd;

	(void)arg;
	if (!S_ISREG(n->mode))
		return 0;
	fd = openat(t->fd, n->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		grumble(n->path, strerror(errno));
		return -1;
	}
	while ((got = read(fd, buf, BUF_LEN)) > 0)
		sum += got;
	if (got < 0 || (u64)sum != n->size) {
		grumble(n->path, got < 0 ? strerror(errno) : "wrong length");
		sum = -1;
	}
	close(fd);
	return sum;
}

static int cmd_read(const char *top, u32 threads)
{
	double walked, t = seconds();
	struct tree tree = tree_walk(top, threads);
	u64 bytes, errors;

	walked = seconds();
	errors = tree.errors + each_node(&tree, threads, read_node, NULL, &bytes);
	printf("files=%llu bytes=%llu errors=%llu seconds=%.3f walk=%.3f\n",
	       (unsigned long long)tree.files, (unsigned long long)bytes,
	       (unsigned long long)errors, seconds() - t, walked - t);
	tree_free(&tree);
	return errors != 0;
}

static int usage(void)
{
	fputs("usage: gns-load [-t THREADS] walk DIR\n"
	      "       gns-load [-t THREADS] read DIR\n"
	      "       gns-load [-t THREADS] sum DIR LIST       compare SHA-256\n"
	      "       gns-load [-t THREADS] sum -w DIR LIST    make the list\n"
	      "       gns-load [-t THREADS] [-s SECONDS] [-r SAMETREE] [-e]\n"
	      "                [-x SEED] churn DIR\n"
	      "churn reads at random, and compares with SAMETREE; -e allows\n"
	      "errors, but never other bytes\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct churn churn = { .seconds = 10, .seed = 1 };
	bool write = false;
	u32 threads = 16;
	const char *cmd;
	int c;

	while ((c = getopt(argc, argv, "t:s:r:x:ew")) != -1) {
		switch (c) {
		case 't':
			threads = strtoul(optarg, NULL, 0);
			break;
		case 's':
			churn.seconds = strtod(optarg, NULL);
			break;
		case 'r':
			churn.ref = optarg;
			break;
		case 'x':
			churn.seed = strtoul(optarg, NULL, 0);
			break;
		case 'e':
			churn.errors = true;
			break;
		case 'w':
			write = true;
			break;
		default:
			return usage();
		}
	}
	argc -= optind;
	argv += optind;
	if (argc < 2 || !threads || threads > 1024)
		return usage();
	cmd = argv[0];
	churn.top = argv[1];
	churn.threads = threads;
	if (!strcmp(cmd, "walk"))
		return cmd_walk(argv[1], threads);
	if (!strcmp(cmd, "read"))
		return cmd_read(argv[1], threads);
	if (!strcmp(cmd, "sum") && argc == 3)
		return cmd_sum(argv[1], argv[2], write, threads);
	if (!strcmp(cmd, "churn"))
		return cmd_churn(&churn);
	return usage();
}
