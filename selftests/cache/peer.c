// SPDX-License-Identifier: GPL-2.0
/*
 * cache-peer read|uring FILE MEMORY: reads all of FILE by O_DIRECT into the
 * memory of another device, and compares what is there with what a plain read
 * gives. MEMORY is .../p2pmem/allocate of a PCI device.
 *
 * Exit status: 0: right; 1: wrong bytes; 2: the read failed, errno is printed.
 *
 * cache-peer align FILE: prints what statx(2) says of O_DIRECT.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring.h"

#define PIECE (1u << 20)

static int align_of(const char *path)
{
	struct statx st;

	if (syscall(SYS_statx, AT_FDCWD, path, 0, STATX_DIOALIGN, &st))
		err(2, "%s", path);
	if (!(st.stx_mask & STATX_DIOALIGN))
		errx(1, "%s: says nothing of it", path);
	printf("%u %u\n", st.stx_dio_mem_align, st.stx_dio_offset_align);
	return 0;
}

static void read_all(int fd, void *buf, size_t len, bool by_uring)
{
	struct uring ring;
	size_t at, n;
	ssize_t ret;

	if (by_uring && !uring_open(&ring))
		err(2, "io_uring");
	for (at = 0; at < len; at += n) {
		n = len - at < PIECE ? len - at : PIECE;
		ret = by_uring ? uring_read(&ring, fd, buf + at, n, at) :
				 pread(fd, buf + at, n, at);
		if (ret < 0) {
			printf("%s\n", strerrorname_np(errno));
			exit(2);
		}
		if ((size_t)ret != n)
			errx(2, "%zd of %zu bytes at %zu", ret, n, at);
	}
	if (by_uring)
		uring_close(&ring);
}

static int compare(const char *path, const void *memory, size_t len)
{
	int fd = open(path, O_RDONLY);
	u8 *there = malloc(len), *here = malloc(len);

	if (fd < 0 || !there || !here || pread(fd, here, len, 0) != (ssize_t)len)
		err(2, "%s", path);
	memcpy(there, memory, len);
	close(fd);
	if (!memcmp(here, there, len))
		return 0;
	warnx("%s: other bytes in the device's memory", path);
	return 1;
}

int main(int argc, char **argv)
{
	void *memory;
	off_t size;
	int fd, mem;

	if (argc == 3 && !strcmp(argv[1], "align"))
		return align_of(argv[2]);
	if (argc != 4 || (strcmp(argv[1], "read") && strcmp(argv[1], "uring")))
		errx(2, "usage: cache-peer read|uring FILE MEMORY | align FILE");
	fd = open(argv[2], O_RDONLY | O_DIRECT);
	size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	if (size < 0)
		err(2, "%s", argv[2]);
	mem = open(argv[3], O_RDWR);
	if (mem < 0)
		err(2, "%s", argv[3]);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	if (memory == MAP_FAILED)
		err(2, "%s: mmap", argv[3]);
	memset(memory, 0x5a, size);
	read_all(fd, memory, size, !strcmp(argv[1], "uring"));
	return compare(argv[2], memory, size);
}
