// SPDX-License-Identifier: GPL-2.0
/*
 * atorigin: what has to be done where the origin is, if that is the machine
 * beside (lib/beside.sh).
 *
 *	atorigin left DIR	a line that says what is on the disk: left.h
 *	atorigin reset PID	resets the connections of a process
 *	atorigin clock RATE STEP
 *				RATE: how many of its seconds pass in 1000, of
 *				all its clocks; STEP: of CLOCK_REALTIME, seconds
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "left.h"
#include "reset.h"
#include "tree/client.h"

static int look(const char *dir)
{
	struct left left;

	left_look(dir, &left);
	left_print(&left);
	return 0;
}

static int cut_all(pid_t pid)
{
	int n = reset_connections(pid);

	if (n < 0)
		die("connections of %d: %s", pid, strerror(-n));
	printf("# %d connections of o are reset\n", n);
	return 0;
}

/* As for NTP: a tick is of so many microseconds, of 10000 if all is well. */
static int set_clock(int rate, int step)
{
	struct timex tx = { .modes = ADJ_TICK, .tick = rate * 10 };
	struct timespec ts;

	if (clock_adjtime(CLOCK_REALTIME, &tx) < 0)
		die("the clock has no other rate: %s", strerror(errno));
	if (clock_gettime(CLOCK_REALTIME, &ts))
		die("no clock");
	ts.tv_sec += step;
	if (clock_settime(CLOCK_REALTIME, &ts))
		die("the clock can not be set: %s", strerror(errno));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "left"))
		return look(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "reset"))
		return cut_all(atoi(argv[2]));
	if (argc == 4 && !strcmp(argv[1], "clock"))
		return set_clock(atoi(argv[2]), atoi(argv[3]));
	die("usage: atorigin left DIR | reset PID | clock RATE STEP");
}
