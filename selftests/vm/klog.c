// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel says about itself: reports in its log, and leaked memory.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KMEMLEAK "/sys/kernel/debug/kmemleak"

/*
 * Any of these in a message of the kernel fails the test that ran. They are
 * beginnings of reports, and wide on purpose: better to look at one too many.
 * Not among them: "Call Trace", which fault injection prints as well.
 */
static const char *const bad[] = {
	"BUG[: ]", /* KASAN, KCSAN, soft lockup, atomic sleep, ... */
	"kernel BUG at",
	"WARNING: ", /* WARN(), lockdep, RCU */
	"cut here",
	"Oops",
	"Kernel panic",
	"general protection fault",
	"unable to handle",
	"KASAN:",
	"KFENCE:",
	"UBSAN:",
	"ODEBUG:",
	"DEBUG_LOCKS_WARN_ON",
	"INFO: .*blocked for more than",
	"INFO: .*(stall|trying to register)",
	"(soft|hard) ?lockup",
	"inconsistent lock state",
	"possible (circular|recursive|irq) ",
	"still held",
	"Objects remaining",
	"Slab cache still has objects",
	"(Redzone|Poison|Right Redzone) overwritten",
	"Object already free",
	"list_(add|del).*corruption",
	"refcount_t: ",
	"Bad page (state|map)",
	"Bad rss-counter",
	"Busy inodes after unmount",
	"still in use \\(.*\\) \\[unmount",
	"page allocation failure",
	"stack-protector",
	"detected buffer overflow",
	"usercopy:",
	"ref_tracker: ",
	"unregister_netdevice: waiting",
	"kmemleak: [1-9].* new suspected",
	"hung in",
};

static int kmsg = -1;
static regex_t bad_re;
static char report[256];

void klog_open(void)
{
	char all[4096] = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (i)
			strcat(all, "|");
		strcat(all, bad[i]);
	}
	if (regcomp(&bad_re, all, REG_EXTENDED | REG_NOSUB))
		die("the patterns of the kernel log");
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0)
		die("/dev/kmsg");
}

int klog_fd(void)
{
	return kmsg;
}

/* The first one stays, unless it only says that a report begins. */
static void keep(const char *line)
{
	if (!report[0] || strstr(report, "cut here"))
		snprintf(report, sizeof(report), "%s", line);
}

/* One message is "<facility and level>,<sequence>,<time>,<flags>;<text>". */
static void klog_line(char *rec)
{
	char *text = strchr(rec, ';');

	/* Facility 0 is the kernel; what programs write there is not its word. */
	if (!text || atoi(rec) >> 3)
		return;
	text++;
	/* The command line, which the kernel repeats, has such words as well. */
	if (strstr(text, "gns.job="))
		return;
	text[strcspn(text, "\n")] = '\0';
	if (!regexec(&bad_re, text, 0, NULL, 0))
		keep(text);
}

void klog_read(void)
{
	char rec[8192 + 1];
	ssize_t n;

	for (;;) {
		n = read(kmsg, rec, sizeof(rec) - 1);
		if (n > 0) {
			rec[n] = '\0';
			klog_line(rec);
		} else if (n < 0 && errno == EPIPE) {
			keep("the kernel's log overran: messages are lost");
		} else if (n == 0 || errno != EINTR) {
			return;
		}
	}
}

const char *klog_report(void)
{
	return report[0] ? report : NULL;
}

void klog_forget(void)
{
	report[0] = '\0';
}

unsigned long long jiffies_now(void)
{
	unsigned long long j = 0;
	char line[128];
	FILE *f;

	f = fopen("/proc/timer_list", "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "jiffies: %llu", &j) == 1)
			break;
	fclose(f);
	return j;
}

bool leaks_start(void)
{
	/* A second time: the first write fails where kmemleak is switched off. */
	return write_file(KMEMLEAK, "clear") && write_file(KMEMLEAK, "clear");
}

static const struct test *allocated_by(const struct test *tests, size_t n,
				       unsigned long long when)
{
	size_t i = n - 1;

	while (i > 0 && when < tests[i].begin)
		i--;
	return &tests[i];
}

void leaks_scan(const struct test *tests, size_t n)
{
	const struct test *t = NULL, *told = NULL;
	char line[512], head[128] = "";
	unsigned long long j;
	char *p;
	FILE *f;

	/*
	 * kmemleak reports nothing younger than five seconds, and only what
	 * did not change between two scans.
	 */
	sleep(6);
	write_file(KMEMLEAK, "scan");
	write_file(KMEMLEAK, "scan");

	f = fopen(KMEMLEAK, "re");
	if (!f)
		die(KMEMLEAK);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		say("O # %s", line);
		if (!strncmp(line, "unreferenced", 12)) {
			line[strcspn(line, ":")] = '\0';
			snprintf(head, sizeof(head), "%.100s", line);
			continue;
		}
		p = strstr(line, "jiffies ");
		if (!p || sscanf(p, "jiffies %llu", &j) != 1)
			continue;
		t = allocated_by(tests, n, j);
		if (t != told)
			say("L %s kmemleak: %s%s", t->name, head, line);
		told = t;
	}
	fclose(f);
}
