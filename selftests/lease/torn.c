// SPDX-License-Identifier: GPL-2.0
/*
 * lease-torn: a read that is held up in the middle, by a page of its buffer
 * that does not come, while the file is changed and read anew by others. What
 * it returns in the end is of one state all the same, bytes and length.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "change.h"
#include "client.h"
#include "lab.h"
#include "tap.h"
#include "words.h"

#define LEN (1u << 20)
#define SHORT (LEN / 4)
#define PAGE 4096u
#define STOP (LEN / 2) /* where the buffer has a page that does not come */

static struct changer *changer;
static int fd;
static char *buf;
static ssize_t got;
static int uffd;

static void write_state(u32 state, size_t len)
{
	static u64 words[LEN / WORD];

	words_fill(words, len, state, 0);
	if (change_write(changer, "torn", 0, words, len))
		die("the file can not be written");
}

/* In single pages, which a read takes a few of at a time. */
static void cache_pages(void)
{
	char page[PAGE];
	u64 off;

	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	for (off = LEN; off; off -= PAGE)
		if (pread(fd, page, PAGE, off - PAGE) < 0)
			die("read: %s", strerror(errno));
}

static void hold_page(void)
{
	struct uffdio_register reg = {
		.range = { (unsigned long)buf + STOP, PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		die("userfaultfd: %s", strerror(errno));
}

static void wait_until_held(void)
{
	struct uffd_msg msg;

	if (read(uffd, &msg, sizeof(msg)) != sizeof(msg) ||
	    msg.event != UFFD_EVENT_PAGEFAULT)
		die("no fault: %s", strerror(errno));
}

static void let_go(void)
{
	struct uffdio_zeropage zero = {
		.range = { (unsigned long)buf + STOP, PAGE },
	};

	if (ioctl(uffd, UFFDIO_ZEROPAGE, &zero))
		die("userfaultfd: %s", strerror(errno));
	close(uffd);
}

static void *reader(void *arg)
{
	(void)arg;
	got = pread(fd, buf, LEN, 0);
	return NULL;
}

/* @change: what happens meanwhile, from state 1 to state 2. */
static void held_read(void (*change)(void), size_t len_after, const char *what)
{
	u64 bad = 0, begin;
	pthread_t t;
	s64 state;

	write_state(1, LEN);
	cache_pages();
	buf = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	hold_page();
	t = lab_thread(reader, NULL);
	wait_until_held();
	begin = lab_now();
	change();
	if (lab_ms(begin) > lab_slow(5000))
		tap_bad("the change waited for the reader: %llu ms",
			(unsigned long long)lab_ms(begin));
	cache_pages();
	let_go();
	if (!lab_join(t, lab_slow(10000)))
		die("the reader hangs");
	state = got >= (ssize_t)WORD && got % WORD == 0 ?
			words_check(buf, got, 0, &bad) :
			-1;
	if (state < 0)
		tap_bad("%zd bytes, of two states from %llu on", got,
			(unsigned long long)bad);
	else if (got != (state == 2 ? (ssize_t)len_after : LEN))
		tap_bad("%zd bytes of state %lld", got, (long long)state);
	munmap(buf, LEN);
	tap_good("%s: all of one state", what);
}

static void change_bytes(void)
{
	write_state(2, LEN);
}

static void make_shorter(void)
{
	if (change_size(changer, "torn", 0))
		die("the file can not be cut");
	write_state(2, SHORT);
}

int main(void)
{
	lab("cluster a");
	changer = changer_open("/run/netns/o", lab_env("ORIGIN"), "x");
	if (change_create(changer, "torn", 0644))
		die("no file");
	fd = lab_open(lab_path(lab_path(lab_env("LAB"), "a"), "torn"));
	held_read(change_bytes, LEN, "bytes changed during a read");
	held_read(make_shorter, SHORT, "made shorter during a read");
	close(fd);
	changer_close(changer);
	return tap_end();
}
