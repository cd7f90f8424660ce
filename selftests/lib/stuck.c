// SPDX-License-Identifier: GPL-2.0
/*
 * Who stands still; see stuck.h.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab.h"
#include "stuck.h"
#include "tap.h"

#define LIMIT_MS 30000u
#define PAUSE_MS 2000u
#define SEEN_MAX 256u

/** struct seen - a thread that was found in state D, and has not run since */
struct seen {
	int tid;
	unsigned long long switches;
	u64 since;
	bool found; /* in this round */
	bool told;
};

static struct {
	pthread_t thread;
	bool stop;
	struct seen seen[SEEN_MAX];
	unsigned int n;
} w;

static ssize_t slurp(const char *task, const char *file, char *buf, size_t size)
{
	char path[320];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", task, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	return n;
}

static unsigned long long field(const char *text, const char *name)
{
	const char *p = strstr(text, name);

	return p ? strtoull(p + strlen(name), NULL, 10) : 0;
}

static void tell(const char *task)
{
	char stat[512], stack[4096], *line, *rest = stack;

	slurp(task, "stat", stat, sizeof(stat));
	slurp(task, "stack", stack, sizeof(stack));
	stat[strcspn(stat, "\n")] = '\0';
	tap_bad("in state D for more than %u s: %.60s", LIMIT_MS / 1000, stat);
	while ((line = strsep(&rest, "\n")) && *line)
		tap_note("  %s", line);
}

static void is_waiting(const char *task, int tid, unsigned long long switches)
{
	struct seen *s = NULL;
	unsigned int i;

	for (i = 0; i < w.n && !s; i++)
		if (w.seen[i].tid == tid)
			s = &w.seen[i];
	if (!s) {
		if (w.n == SEEN_MAX)
			return;
		s = &w.seen[w.n++];
		*s = (struct seen){ .tid = tid, .since = lab_now() };
		s->switches = switches;
	} else if (s->switches != switches) {
		s->switches = switches;
		s->since = lab_now();
	}
	s->found = true;
	if (!s->told && lab_ms(s->since) > LIMIT_MS) {
		s->told = true;
		tell(task);
	}
}

static void look_at(const char *task, int tid)
{
	char text[2048];
	const char *p;

	if (slurp(task, "stat", text, sizeof(text)) < 1)
		return;
	p = strrchr(text, ')');
	if (!p || p[1] != ' ' || p[2] != 'D')
		return;
	if (slurp(task, "status", text, sizeof(text)) < 1)
		return;
	is_waiting(task, tid,
		   field(text, "\nvoluntary_ctxt_switches:") +
			   field(text, "nonvoluntary_ctxt_switches:"));
}

static void look_at_process(const char *pid)
{
	char dir[64], task[320];
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%.16s/task", pid);
	d = opendir(dir);
	if (!d)
		return;
	while ((e = readdir(d))) {
		if (!isdigit(e->d_name[0]))
			continue;
		snprintf(task, sizeof(task), "%s/%.16s", dir, e->d_name);
		look_at(task, atoi(e->d_name));
	}
	closedir(d);
}

static void look_round(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	unsigned int i, n = 0;

	for (i = 0; i < w.n; i++)
		w.seen[i].found = false;
	while (d && (e = readdir(d)))
		if (isdigit(e->d_name[0]))
			look_at_process(e->d_name);
	if (d)
		closedir(d);
	for (i = 0; i < w.n; i++)
		if (w.seen[i].found)
			w.seen[n++] = w.seen[i];
	w.n = n;
}

static void *watch(void *unused)
{
	unsigned int i;

	while (!__atomic_load_n(&w.stop, __ATOMIC_ACQUIRE)) {
		look_round();
		for (i = 0; i < PAUSE_MS / 100; i++)
			if (!__atomic_load_n(&w.stop, __ATOMIC_ACQUIRE))
				lab_sleep(100);
	}
	return unused;
}

void stuck_watch(void)
{
	w.stop = false;
	w.n = 0;
	w.thread = lab_thread(watch, NULL);
}

void stuck_end(void)
{
	__atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
	pthread_join(w.thread, NULL);
}
