// SPDX-License-Identifier: GPL-2.0
/*
 * programs-onetree: random operations on a tree.
 *
 *	programs-onetree [-s SEED] [-n OPERATIONS] [-p PROCESSES] [-t]
 *			 LOCAL DIRECTORY...
 *
 * Each operation is done below LOCAL, and below one of the DIRECTORIES, which
 * are names of one directory on mounts of several hosts. All of them are made
 * here. Every process has a directory of its own there, and OPERATIONS to do.
 * With -t it is also compared which times an operation changes: that needs a
 * pause before each. The seed is printed; the same one does the same again.
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "onetree.h"

#define CHECK_EVERY 150
#define PROCESSES_MAX 16
/* More than a tick of the slowest clock that files get their times from. */
#define TICK_NS 12000000

char root[ROOTS_MAX][ROOT_SPACE];
unsigned int roots;
struct rnd dice;

static u64 nops = 1000;
static unsigned int process;
static bool times;

const char *at(unsigned int r, const char *name)
{
	static char buf[8][ROOT_SPACE + 2 * NAME_SPACE];
	static unsigned int n;
	char *p = buf[n++ % 8];

	snprintf(p, sizeof(buf[0]), "%s%s%s", root[r], *name ? "/" : "", name);
	return p;
}

const char *who(void)
{
	static char buf[ROOT_SPACE + 32];

	snprintf(buf, sizeof(buf), "%s, process %u", root[via], process);
	return buf;
}

void become(uid_t uid)
{
	static uid_t now;

	if (uid == now)
		return;
	now = uid;
	if (uid) {
		if (setgroups(0, NULL) || setresgid(-1, uid, -1) ||
		    setresuid(-1, uid, -1))
			wrong("setresuid: %s", err_name(errno));
	} else if (setresuid(-1, 0, -1) || setresgid(-1, 0, -1)) {
		wrong("setresuid: %s", err_name(errno));
	}
}

static bool other(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec || a->tv_nsec != b->tv_nsec;
}

/* Two looks at a name and its directory, by each of two roots. */
struct watched {
	char name[NAME_SPACE];
	struct look before[2];
};

static void watch(struct watched *w, const char *name, bool parent)
{
	char *end;

	snprintf(w->name, sizeof(w->name), "%s", name);
	if (parent) {
		end = strrchr(w->name, '/');
		*(end ?: w->name) = '\0';
	}
	look(0, w->name, &w->before[0]);
	look(via, w->name, &w->before[1]);
}

static void watch_end(const struct watched *w)
{
	const struct look *a = &w->before[0], *b = &w->before[1];
	struct look c, d;

	look(0, w->name, &c);
	look(via, w->name, &d);
	if (a->there != b->there || c.there != d.there)
		wrong("%s: is there and is not", w->name);
	if (!a->there || !c.there || a->ino != c.ino || b->ino != d.ino)
		return;
	if (other(&a->mtime, &c.mtime) != other(&b->mtime, &d.mtime))
		wrong("%s: mtime has changed: %d, not %d", w->name,
		      other(&b->mtime, &d.mtime), other(&a->mtime, &c.mtime));
	if (other(&a->ctime, &c.ctime) != other(&b->ctime, &d.ctime))
		wrong("%s: ctime has changed: %d, not %d", w->name,
		      other(&b->ctime, &d.ctime), other(&a->ctime, &c.ctime));
}

static void timed_op(const char *name1, const char *name2)
{
	static const struct timespec tick = { .tv_nsec = TICK_NS };
	struct watched w[4];
	unsigned int i;

	watch(&w[0], name1, false);
	watch(&w[1], name1, true);
	watch(&w[2], name2, false);
	watch(&w[3], name2, true);
	nanosleep(&tick, NULL);
	one_op(name1, name2);
	for (i = 0; i < 4; i++)
		watch_end(&w[i]);
}

static void run(void)
{
	char name1[NAME_SPACE], name2[NAME_SPACE];

	for (op = 0; op < nops; op++) {
		via = 1 + rnd_below(&dice, roots - 1);
		some_name(name1);
		some_name(name2);
		if (times)
			timed_op(name1, name2);
		else
			one_op(name1, name2);
		same_name(1 + rnd_below(&dice, roots - 1), name1);
		same_name(1 + rnd_below(&dice, roots - 1), name2);
		if (op % CHECK_EVERY == CHECK_EVERY - 1)
			same_tree("");
	}
	op = nops - 1;
	same_tree("");
}

/* In a directory of its own below each root. */
static int one_process(unsigned int nr)
{
	unsigned int i;
	size_t n;

	process = nr;
	dice.x = seed + nr;
	for (i = 0; i < roots; i++) {
		n = strlen(root[i]);
		snprintf(root[i] + n, ROOT_SPACE - n, "/process%u", nr);
		if (i < 2 && mkdir(root[i], 0777)) {
			printf("# mkdir %s: %s\n", root[i], err_name(errno));
			return 2;
		}
	}
	for (i = 0; i < 2; i++)
		if (mkdir(at(i, "A"), 0777) || mkdir(at(i, "B"), 0777) ||
		    mkdir(at(i, "C"), 0777) || mkdir(at(i, "B/C"), 0777))
			wrong("mkdir: %s", err_name(errno));
	run();
	return 0;
}

static void options(int argc, char **argv, unsigned int *processes)
{
	int o;

	seed = time(NULL);
	while ((o = getopt(argc, argv, "s:n:p:t")) != -1) {
		switch (o) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			nops = strtoull(optarg, NULL, 0);
			break;
		case 'p':
			*processes = strtoul(optarg, NULL, 0);
			break;
		case 't':
			times = true;
			break;
		default:
			exit(2);
		}
	}
	for (; optind < argc && roots < ROOTS_MAX; optind++)
		snprintf(root[roots++], ROOT_SPACE, "%s", argv[optind]);
	if (roots < 2 || optind < argc || !*processes ||
	    *processes > PROCESSES_MAX) {
		fprintf(stderr, "programs-onetree: LOCAL and 1 to %d more, 1 to %d processes\n",
			ROOTS_MAX - 1, PROCESSES_MAX);
		exit(2);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# programs-onetree -s %ju -n %ju -p %u%s\n", seed, nops,
	       *processes, times ? " -t" : "");
}

int main(int argc, char **argv)
{
	unsigned int processes = 1, i;
	int status, bad = 0;

	umask(0);
	options(argc, argv, &processes);
	for (i = 0; i < processes; i++)
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			exit(one_process(i));
		}
	while (wait(&status) > 0)
		bad |= status;
	if (bad)
		return 1;
	/* All that was made beside each other, as a whole. */
	process = processes;
	same_tree("");
	return 0;
}
