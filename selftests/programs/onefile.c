// SPDX-License-Identifier: GPL-2.0
/*
 * programs-onefile: random operations on one file.
 *
 *	programs-onefile [-s SEED] [-n OPERATIONS] [-m BYTES] [-r READERS]
 *			 LOCAL FILE...
 *
 * Each operation is done on LOCAL, and on one of the FILEs, which are names of
 * one file on mounts of several hosts. READERS processes read and map the file
 * by all names meanwhile, so that there is something cached at any time. The
 * seed is printed; the same one does the same again.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "onefile.h"

#define CHECK_EVERY 100
#define READERS_MAX 8

struct place place[PLACES_MAX];
unsigned int places;
u64 file_max = 400000;
struct rnd dice;

static u64 nops = 1000;

const char *who(void)
{
	return place[via].path;
}

void same_bytes(long n, u64 off)
{
	long i;

	if (n <= 0 || !memcmp(place[0].buf, place[via].buf, n))
		return;
	for (i = 0; place[0].buf[i] == place[via].buf[i]; i++)
		;
	wrong("byte %ju (the %ldth read of %ld) is %#x, not %#x",
	      off + i, i, n,
	      (unsigned char)place[via].buf[i],
	      (unsigned char)place[0].buf[i]);
}

u64 size_now(void)
{
	struct stat st;

	if (fstat(place[0].fd, &st))
		wrong("fstat: %s", err_name(errno));
	return st.st_size;
}

static int must_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		wrong("open %s: %s", path, err_name(errno));
	return fd;
}

void place_open(struct place *p, int flags)
{
	p->fd = must_open(p->path, O_RDWR | flags);
	p->append = must_open(p->path, O_RDWR | O_APPEND);
	p->direct = open(p->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (p->direct < 0)
		p->direct = must_open(p->path, O_RDWR);
	p->map = mmap(NULL, file_max, PROT_READ,
		      rnd_one_in(&dice, 2) ? MAP_SHARED : MAP_PRIVATE, p->fd, 0);
	if (p->map == MAP_FAILED)
		wrong("mmap: %s", err_name(errno));
}

void place_close(struct place *p)
{
	munmap(p->map, file_max);
	close(p->direct);
	close(p->append);
	close(p->fd);
}

void whole_file(void)
{
	unsigned int i;
	u64 off;
	long n;

	for (i = 1; i < places; i++) {
		via = i;
		off = 0;
		do {
			BOTH(n = pread(p->fd, p->buf, BYTES_MAX, off));
			same_bytes(n, off);
			off += n > 0 ? n : 0;
		} while (n > 0);
	}
}

/* For ever: a mapping and a read, by each name in turn. */
static void reader(unsigned int nr)
{
	char *map[PLACES_MAX], *buf = place[0].buf;
	static volatile char sum;
	struct rnd r = { seed + nr };
	int fd[PLACES_MAX];
	struct stat st;
	unsigned int i;
	u64 off;

	for (i = 1; i < places; i++) {
		fd[i] = must_open(place[i].path, O_RDONLY);
		map[i] = mmap(NULL, file_max, PROT_READ, MAP_SHARED, fd[i], 0);
		if (map[i] == MAP_FAILED)
			exit(2);
	}
	/* The end of the file may go away under a look at the mapping. */
	signal(SIGBUS, SIG_DFL);
	for (;;) {
		i = 1 + rnd_below(&r, places - 1);
		off = rnd_below(&r, file_max);
		if (pread(fd[i], buf, 1 + rnd_below(&r, BYTES_MAX), off) < 0 ||
		    fstat(fd[i], &st))
			exit(3);
		if (st.st_size && !fork()) {
			off = rnd_below(&r, st.st_size);
			if (off < file_max)
				sum += map[i][off];
			_exit(0);
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static void begin(char **path, unsigned int n)
{
	unsigned int i;

	if (n < 2 || n > PLACES_MAX) {
		fprintf(stderr, "programs-onefile: LOCAL and 1 to %d FILEs\n",
			PLACES_MAX - 1);
		exit(2);
	}
	places = n;
	for (i = 0; i < n; i++) {
		place[i].path = path[i];
		place[i].buf = mmap(NULL, BYTES_MAX, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (place[i].buf == MAP_FAILED) {
			perror("mmap");
			exit(2);
		}
	}
	doing("open");
	for (i = 0; i < n; i++)
		place_open(&place[i], O_CREAT | (i < 2 ? O_TRUNC : 0));
}

static void options(int argc, char **argv, unsigned int *readers)
{
	int o;

	seed = time(NULL);
	while ((o = getopt(argc, argv, "s:n:m:r:")) != -1) {
		switch (o) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			nops = strtoull(optarg, NULL, 0);
			break;
		case 'm':
			file_max = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			*readers = strtoul(optarg, NULL, 0);
			break;
		default:
			exit(2);
		}
	}
	if (*readers > READERS_MAX || file_max < 8 * BLOCK) {
		fprintf(stderr, "programs-onefile: at most %d readers, at least %d bytes\n",
			READERS_MAX, 8 * BLOCK);
		exit(2);
	}
	dice.x = seed;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# programs-onefile -s %ju -n %ju -m %ju -r %u\n",
	       seed, nops,
	       file_max, *readers);
}

int main(int argc, char **argv)
{
	unsigned int readers = 0, i;
	pid_t child[READERS_MAX];
	int status, bad = 0;

	options(argc, argv, &readers);
	begin(argv + optind, argc - optind);
	for (i = 0; i < readers; i++) {
		child[i] = fork();
		if (!child[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			reader(i);
		}
	}
	for (op = 0; op < nops; op++) {
		via = 1 + rnd_below(&dice, places - 1);
		if (rnd_one_in(&dice, 2))
			one_read();
		else
			one_change();
		if (op % CHECK_EVERY == CHECK_EVERY - 1)
			whole_file();
	}
	op = nops - 1;
	for (i = 0; i < readers; i++) {
		if (waitpid(child[i], &status, WNOHANG)) {
			printf("# a reader has ended: %#x\n", status);
			bad = 1;
			continue;
		}
		kill(child[i], SIGKILL);
		waitpid(child[i], &status, 0);
	}
	whole_file();
	for (i = 0; i < places; i++)
		place_close(&place[i]);
	return bad;
}
