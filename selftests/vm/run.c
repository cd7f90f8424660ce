// SPDX-License-Identifier: GPL-2.0
/*
 * Runs one test in the guest: output, time limit, leftovers, verdict.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds that a killed process has to go away in. */
#define KILL_SECONDS 15

/* Seconds that a module has, after its last user was killed. */
#define UNLOAD_SECONDS 10

/**
 * struct tap - what the test's own output says
 * @plan:	number of results that it promised, or -1
 * @seen:	results so far
 * @skips:	how many were skipped
 * @bad:	the first one that failed
 * @line:	a line that is not complete yet
 * @len:	its length
 */
struct tap {
	int plan;
	int seen;
	int skips;
	char bad[128];
	char line[4096];
	size_t len;
};

static void set(struct verdict *v, const char *word, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The first reason stays: what comes later mostly follows from it. */
static void set(struct verdict *v, const char *word, const char *fmt, ...)
{
	va_list ap;

	if (!strcmp(v->word, "fail"))
		return;
	v->word = word;
	va_start(ap, fmt);
	vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
	va_end(ap);
}

static void tap_line(struct tap *tap, const char *line)
{
	bool todo = strcasestr(line, "# todo");

	say("O %s", line);
	if (!strncmp(line, "1..", 3)) {
		tap->plan = atoi(line + 3);
	} else if (!strncmp(line, "ok ", 3)) {
		tap->seen++;
		tap->skips += !!strcasestr(line, "# skip");
	} else if (!strncmp(line, "not ok ", 7)) {
		tap->seen++;
		if (!tap->bad[0] && !todo)
			snprintf(tap->bad, sizeof(tap->bad), "%.120s", line);
	} else if (!strncmp(line, "Bail out!", 9) && !tap->bad[0]) {
		snprintf(tap->bad, sizeof(tap->bad), "%.120s", line);
	}
}

static void tap_end_line(struct tap *tap)
{
	tap->line[tap->len] = '\0';
	tap->len = 0;
	tap_line(tap, tap->line);
}

/* Takes what there is in the pipe. Returns false at its end. */
static bool tap_read(struct tap *tap, int fd)
{
	char buf[16384];
	ssize_t n, i;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++) {
			if (buf[i] == '\n') {
				tap_end_line(tap);
				continue;
			}
			if (tap->len == sizeof(tap->line) - 1)
				tap_end_line(tap);
			/* A NUL would hide the rest of its line. */
			tap->line[tap->len++] = buf[i] ? buf[i] : ' ';
		}
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/*
 * In the child. Its mounts end with it: it has a mount namespace of its own.
 * Not on /tmp, where the checkout may be.
 */
static void exec_test(const struct test *t, int out)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/run/test", "tmpfs", 0, NULL) ||
	    chdir("/run/test")) {
		perror("a mount namespace for the test");
		_exit(125);
	}
	close(0);
	open("/dev/null", O_RDONLY);
	dup2(out, 1);
	dup2(out, 2);
	execv(t->argv[0], t->argv);
	perror(t->argv[0]);
	_exit(127);
}

/* Reaps all that ended. Returns true when @pid was among them. */
static bool reap(pid_t pid, int *status)
{
	bool found = false;
	int st;
	pid_t p;

	while ((p = waitpid(-1, &st, WNOHANG)) > 0) {
		if (p != pid)
			continue;
		*status = st;
		found = true;
	}
	return found;
}

/* Follows a test to its end. Returns false when its time is over. */
static bool follow(const struct test *t, pid_t pid, int out, struct tap *tap,
		   int *status)
{
	double end = uptime() + t->timeout;
	struct pollfd p[2] = {
		{ .fd = out, .events = POLLIN },
		{ .fd = klog_fd(), .events = POLLIN },
	};

	while (uptime() < end) {
		/* A short wait, as the end of the test may close no pipe. */
		poll(p, 2, 50);
		if (!tap_read(tap, out))
			p[0].fd = -1;
		klog_read();
		if (reap(pid, status))
			return true;
	}
	return false;
}

/* Ends all other processes. Returns false if one does not go away. */
static bool kill_all(void)
{
	double end = uptime() + KILL_SECONDS;

	while (uptime() < end) {
		kill(-1, SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return true;
		usleep(10000);
	}
	return false;
}

/* Unloads gns.ko: only then does the kernel say what it left behind. */
static bool unload(void)
{
	double end = uptime() + UNLOAD_SECONDS;

	for (;;) {
		if (!syscall(SYS_delete_module, "gns", O_NONBLOCK))
			return true;
		if (errno == ENOENT)
			return true;
		if (uptime() > end)
			return false;
		usleep(50000);
	}
}

static void judge_exit(const struct test *t, const struct tap *tap, int status,
		       struct verdict *v)
{
	int code = WEXITSTATUS(status);

	if (WIFSIGNALED(status))
		set(v, "fail", "killed by signal %d", WTERMSIG(status));
	else if (tap->bad[0])
		set(v, "fail", "%s", tap->bad);
	else if (code && code != EXIT_SKIP)
		set(v, "fail", "exit status %d", code);
	else if (!code && tap->plan < 0)
		set(v, "fail", "no TAP plan in its output");
	else if (!code && tap->plan != tap->seen)
		set(v, "fail", "planned %d, ran %d", tap->plan, tap->seen);
	else if (code == EXIT_SKIP || tap->skips)
		set(v, t->may_skip ? "skip" : "fail", "skipped");
}

void run_test(const struct test *t, struct verdict *v)
{
	struct tap tap = { .plan = -1 };
	bool in_time;
	int status = 0;
	int out[2];
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		die("pipe");
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		exec_test(t, out[1]);
	close(out[1]);

	in_time = follow(t, pid, out[0], &tap, &status);
	if (!in_time)
		write_file("/proc/sysrq-trigger", "w");
	if (!kill_all()) {
		set(v, "fail", "%sa process can not be killed",
		    in_time ? "" : "timeout, and ");
		v->spoiled = true;
	}
	tap_read(&tap, out[0]);
	if (tap.len)
		tap_end_line(&tap);
	close(out[0]);

	if (!v->spoiled && !unload()) {
		set(v, "fail", "gns.ko can not be unloaded: still in use");
		v->spoiled = true;
	}
	klog_read();
	if (klog_report() && !v->spoiled) {
		set(v, "fail", "kernel: %s", klog_report());
		v->spoiled = true;
	}
	if (!in_time)
		set(v, "fail", "timeout after %d seconds", t->timeout);
	else
		judge_exit(t, &tap, status, v);
}
