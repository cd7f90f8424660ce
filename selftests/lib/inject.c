// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection by what the kernel has under debugfs; see inject.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tree/client.h"
#include "inject.h"

#define DEBUG "/sys/kernel/debug"
#define FRAMES_MAX 32u /* as many as the kernel looks through */
#define TIMES 1000000000ll
#define PAGE 4096u

static const char *const kinds[] = { "failslab", "fail_page_alloc",
				     "fail_usercopy" };

static int nth = -1;

static int set_file(const char *kind, const char *file, const char *value)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), DEBUG "/%s/%s", kind, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	close(fd);
	return n < 0 ? -errno : 0;
}

static void set(const char *kind, const char *file, const char *value)
{
	int err = set_file(kind, file, value);

	if (err)
		die(DEBUG "/%s/%s: %s", kind, file, strerror(-err));
}

static void set_all(const char *file, const char *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		set(kinds[i], file, value);
}

static void set_u64(const char *file, u64 v)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	set_all(file, text);
}

/** struct range - of addresses of functions; @end: behind the last */
struct range {
	u64 start;
	u64 end;
};

static void add_line(struct range *r, const char *line, const char *only)
{
	char type, name[128], module[64] = "";
	unsigned long long at;

	if (sscanf(line, "%llx %c %127s %63s", &at, &type, name, module) < 3 ||
	    (type | 0x20) != 't')
		return;
	if (only) {
		/* In the order of their addresses. */
		if (r->start && r->end == r->start && at > r->start)
			r->end = at;
		if (strcmp(name, only))
			return;
		r->start = at;
		r->end = at;
	} else if (!strcmp(module, "[gns]")) {
		r->start = r->start && r->start < at ? r->start : at;
		if (r->end <= at)
			r->end = (at / PAGE + 1) * PAGE;
	}
}

/* Of the module, up to the page behind its last function; or one function. */
static struct range find_text(const char *only)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	struct range r = { 0, 0 };
	char line[512];

	if (!f)
		die("/proc/kallsyms: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		add_line(&r, line, only);
	fclose(f);
	if (r.end <= r.start)
		die("%s can not be found", only ?: "gns.ko");
	return r;
}

static void begin(struct range text, struct range spared)
{
	struct stat st;

	if (stat(DEBUG "/failslab", &st))
		mount("none", DEBUG, "debugfs", 0, NULL);
	set_all("probability", "0");
	set_all("task-filter", "N");
	set_all("verbose", "0");
	set_all("space", "0");
	set_u64("stacktrace-depth", FRAMES_MAX);
	set_u64("require-start", text.start);
	set_u64("require-end", text.end);
	set_u64("reject-start", spared.start);
	set_u64("reject-end", spared.end);
	set_u64("times", TIMES);
	set("failslab", "ignore-gfp-wait", "N");
	set("fail_page_alloc", "ignore-gfp-wait", "N");
	set("fail_page_alloc", "ignore-gfp-highmem", "N");
	set("fail_page_alloc", "min-order", "0");
	nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth < 0)
		die("fail-nth: %s", strerror(errno));
}

void inject_begin(void)
{
	begin(find_text(NULL), (struct range){ 0, 0 });
}

void inject_begin_load(void)
{
	/* The kernel's own: the name of a cache is leaked when that fails. */
	begin(find_text("do_one_initcall"), find_text("sysfs_slab_add"));
}

void inject_end(void)
{
	set_all("probability", "0");
	set_u64("require-start", 0);
	set_u64("require-end", ~0ull);
	set_u64("reject-start", 0);
	set_u64("reject-end", 0);
	set_all("times", "1");
	set_all("task-filter", "Y");
	set("failslab", "ignore-gfp-wait", "Y");
	set("fail_page_alloc", "ignore-gfp-wait", "Y");
	set("fail_page_alloc", "ignore-gfp-highmem", "Y");
	set("fail_page_alloc", "min-order", "1");
	close(nth);
}

/* Every so manieth is looked at, and fails or not: it is not always the same. */
void inject_random(u32 one_in)
{
	if (!one_in) {
		set_all("probability", "0");
		return;
	}
	set_u64("interval", one_in > 1 ? one_in / 2 : 1);
	set_all("probability", one_in > 1 ? "50" : "100");
}

static u64 times_of(const char *kind)
{
	char path[128], buf[32] = "";
	int fd;

	snprintf(path, sizeof(path), DEBUG "/%s/times", kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, buf, sizeof(buf) - 1) < 1)
		die("%s: %s", path, strerror(errno));
	close(fd);
	return strtoull(buf, NULL, 10);
}

u64 inject_count(void)
{
	u64 n = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		n += TIMES - times_of(kinds[i]);
	return n;
}

void inject_nth(u32 n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(nth, text, len, 0) != len)
		die("fail-nth: %s", strerror(errno));
}

bool inject_over(void)
{
	char buf[16] = "";

	if (pread(nth, buf, sizeof(buf) - 1, 0) < 1)
		die("fail-nth: %s", strerror(errno));
	inject_nth(0);
	return !atoi(buf);
}

bool inject_errno(int err)
{
	switch (err) {
	case ENOMEM:
	case EFAULT:
	case EINTR:
	case EIO:
	case ENOBUFS:
	case ENOLCK:
		return true;
	}
	return false;
}
