// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/gns: who may open it, ioctls that are none, pointers that lead nowhere,
 * buffers that can not be, and places in them that are not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "badinput.h"

#define PAGE 4096ul
#define RANDOM_IOCTLS 4000

/* Addresses that are no user's, or nobody's. */
static const u64 nowhere[] = {
	0,
	8,
	PAGE,
	0x7ffffffff000ull,
	0x7fffffffffffull,
	0x800000000000ull,
	0xffff888000000000ull,
	0xffffffff81000000ull,
	0xfffffffffffff000ull,
	~0ull,
};

int device(void)
{
	u64 until = now_ms() + 5000;
	int fd;

	/* The one before may be on its way out. */
	do {
		fd = open("/dev/" GNS_DEV_NAME, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		usleep(10000);
	} while (errno == EBUSY && now_ms() < until);
	note("/dev/gns: %s", strerror(errno));
	return -1;
}

static int call(int fd, unsigned long cmd, const void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

/* In a process of its own: 0 when it ended as it should. */
static int aside(int (*run)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(run());
	waitpid(pid, &status, 0);
	return status;
}

static int in_other_net(void)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		return 2;
	fd = open("/dev/" GNS_DEV_NAME, O_RDWR | O_CLOEXEC);
	return fd >= 0 ? 0 : 1;
}

static int as_nobody(void)
{
	if (setgid(65534) || setuid(65534))
		return 2;
	if (open("/dev/" GNS_DEV_NAME, O_RDWR | O_CLOEXEC) >= 0)
		return 1;
	return errno == EACCES || errno == EPERM ? 0 : 3;
}

static void no_ioctls(int fd)
{
	bool good = true;
	u32 nr, i, cmd;
	int err;

	for (nr = 0; nr < 256; nr++) {
		if (nr >= 1 && nr <= 4)
			continue;
		err = call(fd, _IOWR(GNS_IOC_MAGIC, nr, struct gns_ufill), NULL);
		if (err == -ENOTTY)
			continue;
		note("ioctl %u: %d", nr, err);
		good = false;
	}
	/* Known numbers with another size or direction. */
	good &= call(fd, _IOW(GNS_IOC_MAGIC, 2, struct gns_ubuf), NULL) < 0;
	good &= call(fd, _IOR(GNS_IOC_MAGIC, 2, struct gns_ufill), NULL) < 0;
	good &= call(fd, _IO(GNS_IOC_MAGIC, 4), NULL) < 0;
	for (i = 0; i < 500; i++) {
		cmd = rnd();
		if (((cmd >> 8) & 0xff) == GNS_IOC_MAGIC)
			continue;
		err = call(fd, cmd, NULL);
		/* FIOCLEX and its kin are for any file. */
		if (err && clean(err))
			continue;
		note("ioctl %#x: %d", cmd, err);
		good = false;
	}
	ok(good, "ioctls that are none");
}

static void no_pointers(int fd)
{
	static const unsigned long cmds[] = { GNS_IOC_REGISTER, GNS_IOC_FILL,
					      GNS_IOC_TAKE, GNS_IOC_STAMP };
	bool good = true;
	size_t c, i;
	int err;

	for (c = 0; c < ARRAY_SIZE(cmds); c++) {
		for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
			err = call(fd, cmds[c], (void *)(uintptr_t)nowhere[i]);
			if (err == -EFAULT)
				continue;
			note("ioctl %zu at %#llx: %d", c + 1,
			     (unsigned long long)nowhere[i], err);
			good = false;
		}
	}
	ok(good, "ioctls with pointers that lead nowhere");
}

static void stamps(int fd)
{
	u64 a = 0, b = 0;
	bool good = !call(fd, GNS_IOC_STAMP, &a);

	usleep(50000);
	ok(good && !call(fd, GNS_IOC_STAMP, &b) && a && b > a, "STAMP");
}

void cases_device(void)
{
	int fd = device(), i, again;
	bool good = true;
	char c = 0;

	if (!ok(fd >= 0, "/dev/gns opens"))
		return;
	again = open("/dev/" GNS_DEV_NAME, O_RDWR | O_CLOEXEC);
	ok(again < 0 && errno == EBUSY, "it opens once in a network namespace");
	ok(!aside(in_other_net), "and once in another one");
	ok(!aside(as_nobody), "not for those without rights");
	good = read(fd, &c, 1) < 0 && write(fd, &c, 1) < 0;
	good &= mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED;
	ok(good, "it is neither read, written nor mapped");
	no_ioctls(fd);
	no_pointers(fd);
	stamps(fd);
	close(fd);
	for (i = 0; i < 200 && good; i++) {
		fd = device();
		good = fd >= 0;
		close(fd);
	}
	ok(good, "it opens and closes many times");
}

static int reg(int fd, u64 addr, u64 len, u32 reserved)
{
	struct gns_ubuf b = { .addr = addr, .len = len, .reserved = reserved };

	return call(fd, GNS_IOC_REGISTER, &b);
}

static u64 map(int prot)
{
	void *p = mmap(NULL, 4 * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return (u64)(uintptr_t)p;
}

static void bad_buffers(int fd)
{
	u64 mem = map(PROT_READ | PROT_WRITE);
	u64 read_only = map(PROT_READ), none = map(PROT_NONE);
	u64 hole = map(PROT_READ | PROT_WRITE);
	bool good = true;
	size_t i;

	munmap((void *)(uintptr_t)(hole + PAGE), PAGE);
	good = reg(fd, mem, 0, 0) < 0 && reg(fd, mem + 8, PAGE, 0) < 0;
	good &= reg(fd, mem, PAGE + 8, 0) < 0 && reg(fd, mem, PAGE, 1) < 0;
	ok(good, "buffers of odd addresses, lengths, with reserved bits");
	good = reg(fd, mem, GNS_UBUF_MAX + PAGE, 0) < 0;
	good &= reg(fd, mem, 1ull << 62, 0) < 0;
	good &= reg(fd, mem, ~0ull << 12, 0) < 0;
	good &= reg(fd, ~0ull << 12, 2 * PAGE, 0) < 0;
	ok(good, "buffers too long, and past the end of everything");
	good = true;
	for (i = 0; i < ARRAY_SIZE(nowhere); i++)
		good &= reg(fd, nowhere[i] & ~(PAGE - 1), PAGE, 0) < 0;
	ok(good, "buffers that are nowhere");
	good = reg(fd, read_only, PAGE, 0) < 0 && reg(fd, none, PAGE, 0) < 0;
	good &= reg(fd, hole, 4 * PAGE, 0) < 0;
	ok(good, "buffers that can not be written, or have a hole");
	munmap((void *)(uintptr_t)mem, 4 * PAGE);
}

static void many_buffers(int fd)
{
	u64 mem = map(PROT_READ | PROT_WRITE);
	u32 i, taken = 0;
	bool in_order = true;

	for (i = 0; i < GNS_UBUFS_MAX + 8; i++) {
		struct gns_ubuf b = { .addr = mem, .len = PAGE };

		if (call(fd, GNS_IOC_REGISTER, &b))
			break;
		in_order &= b.index < GNS_UBUFS_MAX;
		taken++;
	}
	note("%u of them", taken);
	ok(taken == GNS_UBUFS_MAX && in_order, "as many buffers as there may be");
	/* What is pinned outlives its mapping. */
	munmap((void *)(uintptr_t)mem, 4 * PAGE);
}

/* Places in buffers that are not there, for calls that are not there either. */
static void bad_places(int fd)
{
	struct gns_ufill f;
	struct gns_utake t;
	bool good = true;
	u32 i;
	int err;

	for (i = 0; i < RANDOM_IOCTLS && good; i++) {
		rnd_bytes(&f, sizeof(f));
		rnd_bytes(&t, sizeof(t));
		if (rnd() % 2) {
			f.buf %= GNS_UBUFS_MAX + 2;
			t.buf %= GNS_UBUFS_MAX + 2;
		}
		if (rnd() % 2) {
			f.len = (u32)(rnd() % (2 * PAGE));
			f.offset = ~0ull - rnd() % (2 * PAGE);
			t.len = f.len;
			t.offset = f.offset;
		}
		if (rnd() % 2) {
			f.status = 0;
			f.flags &= GNS_UF_ALL;
			t.reserved = 0;
		}
		if (rnd() % 4 == 0) {
			f.id = rnd() % 4;
			t.id = f.id;
		}
		err = call(fd, GNS_IOC_FILL, &f);
		good &= clean(err);
		err = call(fd, GNS_IOC_TAKE, &t);
		good &= clean(err) && err;
	}
	ok(good, "FILL and TAKE of anything");

	f = (struct gns_ufill){ .id = 1, .len = 1, .offset = PAGE };
	t = (struct gns_utake){ .id = 1, .len = 1, .offset = PAGE };
	ok(clean(call(fd, GNS_IOC_FILL, &f)) && call(fd, GNS_IOC_TAKE, &t) < 0,
	   "one byte behind a buffer");
}

void cases_buffers(void)
{
	struct gns_utake t = { .id = 1, .len = 1 };
	int fd = device(), again;

	if (!ok(fd >= 0, "a device for buffers"))
		return;
	ok(call(fd, GNS_IOC_TAKE, &t) < 0, "TAKE without any buffer");
	bad_buffers(fd);
	many_buffers(fd);
	bad_places(fd);
	again = dup(fd);
	close(fd);
	ok(open("/dev/" GNS_DEV_NAME, O_RDWR) < 0 && errno == EBUSY,
	   "a duplicate keeps the helper alive");
	close(again);
	fd = device();
	ok(fd >= 0 && call(fd, GNS_IOC_TAKE, &t) < 0,
	   "the next helper has no buffers of the one before");
	close(fd);
}
