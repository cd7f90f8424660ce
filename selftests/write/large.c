// SPDX-License-Identifier: GPL-2.0
/*
 * write-large: one write(2) of many pieces. They are under way together, and
 * what it says to have written is there, up to the first byte that is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "host.h"
#include "lab.h"
#include "tap.h"

#define MIB (1u << 20)
#define LEN (12 * MIB)
#define TOGETHER 8 /* pieces */

static unsigned char *bytes;

static const char *at_a(const char *name)
{
	return lab_path(lab_path(lab_env("LAB"), "a"), name);
}

static int open_a(const char *name, int flags)
{
	int fd = open(at_a(name), flags | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		die("%s: %s", name, strerror(errno));
	return fd;
}

static void make_bytes(unsigned int seed)
{
	u32 *word = (u32 *)bytes;
	size_t i;

	for (i = 0; i < LEN / sizeof(*word); i++)
		word[i] = (seed + i) * 2654435761u;
}

/* As the origin has it: @len bytes of @bytes from @off on. @end: and no more. */
static void check_origin(const char *name, off_t off, size_t len, bool end)
{
	int fd = open(lab_path(lab_env("EXPORT"), name), O_RDONLY | O_CLOEXEC);
	unsigned char *got = malloc(len + 1);
	ssize_t n;

	if (fd < 0 || !got)
		die("%s at the origin: %s", name, strerror(errno));
	n = pread(fd, got, len + end, off);
	if (n != (ssize_t)len || memcmp(got, bytes, len))
		tap_bad("%zd bytes behind %lld at the origin, of %zu, or others",
			n, (long long)off, len);
	free(got);
	close(fd);
}

static ssize_t wrote;

static void *writer(void *fd)
{
	wrote = pwrite(*(int *)fd, bytes, LEN, 100);
	return NULL;
}

/* Nothing is answered while the link is cut: so many were sent by then. */
static void check_together(void)
{
	int fd = open_a("f", O_RDWR), i;
	struct host_status st;
	pthread_t t;

	make_bytes(1);
	lab("net_cut a");
	t = lab_thread(writer, &fd);
	for (i = 0; i < 100; i++) {
		host_status("a", &st);
		if (st.pending >= TOGETHER)
			break;
		lab_sleep(50);
	}
	if (st.pending != TOGETHER)
		tap_bad("%ju pieces are under way", (uintmax_t)st.pending);
	lab("net_heal a");
	pthread_join(t, NULL);
	if (wrote != LEN)
		tap_bad("%zd bytes were written: %s", wrote, strerror(errno));
	check_origin("f", 100, LEN, true);
	close(fd);
	tap_good("pieces of one write are under way together");
}

/* Memory that ends within the third piece. */
static void check_fault(void)
{
	const size_t good = 2 * MIB + 5 * 4096;
	int fd = open_a("g", O_RDWR);
	ssize_t n;

	make_bytes(2);
	if (mprotect(bytes + good, LEN - good, PROT_NONE))
		die("mprotect: %s", strerror(errno));
	n = write(fd, bytes, LEN);
	if (n != (ssize_t)good || lseek(fd, 0, SEEK_CUR) != (off_t)good)
		tap_bad("%zd bytes of %zu, position %lld", n, good,
			(long long)lseek(fd, 0, SEEK_CUR));
	if (write(fd, bytes + good, LEN - good) >= 0 || errno != EFAULT)
		tap_bad("from no memory: %s", strerror(errno));
	if (mprotect(bytes, LEN, PROT_READ | PROT_WRITE))
		die("mprotect: %s", strerror(errno));
	check_origin("g", 0, good, true);
	close(fd);
	tap_good("a write ends where the memory does");
}

/* Its pages can not be mapped while a piece before is under way. */
static void check_own(void)
{
	int fd = open_a("h", O_RDWR);
	void *map;
	ssize_t n;

	make_bytes(3);
	if (pwrite(fd, bytes, LEN, 0) != LEN)
		tap_bad("%s", strerror(errno));
	map = mmap(NULL, LEN, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	n = pwrite(fd, map, LEN, LEN);
	if (n != LEN)
		tap_bad("%zd bytes: %s", n, strerror(errno));
	munmap(map, LEN);
	check_origin("h", LEN, LEN, true);
	close(fd);
	tap_good("a file is written from what is mapped of it");
}

static void check_full(void)
{
	int fd = open_a("full", O_RDWR);
	size_t total = 0;
	ssize_t n;

	make_bytes(4);
	while ((n = write(fd, bytes + total, LEN - total)) > 0) {
		total += n;
		if (lseek(fd, 0, SEEK_CUR) != (off_t)total)
			tap_bad("the position is not behind what was written");
	}
	/* How much it is depends on which pieces come first. */
	if (errno != ENOSPC || total == LEN)
		tap_bad("%zu bytes: %s", total, strerror(errno));
	/* What went past the piece that had no room may be there. */
	check_origin("full", 0, total, false);
	close(fd);
	tap_good("a write ends where the space does");
}

int main(void)
{
	bytes = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		die("no memory");
	/* Room for half of the last one. */
	lab("mkdir -p $EXPORT && mount -t tmpfs -o size=32m none $EXPORT");
	lab("cluster a");
	check_together();
	check_fault();
	lab(": >$EXPORT/f");
	check_own();
	check_full();
	return tap_end();
}
