/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's side of the VM lab: PID 1 and its parts.
 *
 * PID 1 alone writes to the verdict port. Each line begins with a letter:
 *
 *	B <seconds> <leaks>		booted; leaks: 1 = a leak scan ends the boot
 *	T <test>			begins
 *	O <text>			one line of the test's output
 *	V <test> pass|fail|skip <seconds> <reason>
 *	L <test> <reason>		a leak, found after its verdict
 *	E done|stop			the end; stop: tests are left, boot again
 *
 * What a test prints comes after "O ", so that it can not look like a verdict.
 */
#ifndef GNS_VM_GUEST_H
#define GNS_VM_GUEST_H

#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Exit status by which a test says that it can not run here. */
#define EXIT_SKIP 4

/**
 * struct verdict - how one test ended
 * @word:	"pass", "fail" or "skip"
 * @reason:	why not "pass"; one line
 * @spoiled:	the kernel can not be trusted any more: boot again
 */
struct verdict {
	const char *word;
	char reason[256];
	bool spoiled;
};

/**
 * struct test - one test, as the job file has it
 * @name:	unique in this boot
 * @timeout:	seconds
 * @may_skip:	a skip is no failure
 * @argv:	command, ended by NULL
 * @begin:	jiffies at its start, for leaks
 */
struct test {
	char *name;
	int timeout;
	bool may_skip;
	char *argv[16];
	unsigned long long begin;
};

/* init.c */

/**
 * say() - write one line to the verdict port
 * @fmt:	as printf; without a newline
 */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * die() - end the guest without a verdict, which fails the current test
 * @what:	what went wrong; errno is added
 */
void die(const char *what) __attribute__((noreturn));

/**
 * write_file() - write a string to a file of the kernel
 * @path:	must exist
 * @text:	what to write
 *
 * Return: true if all of it was taken.
 */
bool write_file(const char *path, const char *text);

/**
 * uptime() - seconds since the kernel started
 */
double uptime(void);

/* run.c */

/**
 * run_test() - run one test, with everything that it leaves behind ended
 * @t:		the test
 * @v:		filled in
 */
void run_test(const struct test *t, struct verdict *v);

/* klog.c */

/**
 * klog_open() - start to follow the kernel's log, from its first message
 */
void klog_open(void);

/**
 * klog_fd() - for poll(): readable when there are new messages
 */
int klog_fd(void);

/**
 * klog_read() - look at the messages that are new
 *
 * The first one that is a report of a bug is kept for klog_report().
 */
void klog_read(void);

/**
 * klog_report() - the first report of a bug since the last klog_forget()
 *
 * Return: its line, or NULL.
 */
const char *klog_report(void);

/**
 * klog_forget() - for a new test
 */
void klog_forget(void);

/**
 * leaks_start() - forget what the kernel leaked so far
 *
 * Return: true if this kernel can look for leaks.
 */
bool leaks_start(void);

/**
 * leaks_scan() - look for leaked memory and call it out by test
 * @tests:	all that ran in this boot, in that order
 * @n:		how many
 */
void leaks_scan(const struct test *tests, size_t n);

/**
 * jiffies_now() - the kernel's jiffies, by which it dates what was allocated
 */
unsigned long long jiffies_now(void);

#endif
