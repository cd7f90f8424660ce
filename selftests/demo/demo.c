// SPDX-License-Identifier: GPL-2.0
/*
 * gns-demo: what a change has to wait for.
 *
 *	gns-demo HOST:PORT EXPORT FILE
 *
 * Two satellites hold a lease on FILE. One of them changes it: first while
 * the other one answers, then while the other one is stopped. FILE is
 * overwritten.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Look the file up with a lease; Return: its version. */
static u64 lease(struct client *c, const char *export, const char *name,
		 struct gns_fh *fh)
{
	struct gns_msg m = { .type = GNS_MOUNT }, rep;
	struct gns_msg look = { .type = GNS_LOOKUP };

	m.mount.export = (struct gns_str){ export, strlen(export) };
	if (client_call(c, &m, &rep))
		die("mounting %s failed", export);
	look.name.fh = rep.r_obj.fh;
	look.name.name = (struct gns_str){ name, strlen(name) };
	look.name.want = GNS_WANT_LEASE;
	if (client_call(c, &look, &rep) || rep.r_lookup.absent)
		die("there is no %s", name);
	*fh = rep.r_lookup.child.fh;
	return rep.r_lookup.child.grant.number ?
		       rep.r_lookup.child.grant.version :
		       0;
}

/* Write, as the change number @seq; Return: seconds to the answer. */
static double change(struct client *c, const struct gns_fh *fh, u64 seq,
		     u64 *before, u64 *after)
{
	static const char text[] = "written by the second satellite\n";
	struct gns_msg m = { .type = GNS_WRITE }, rep;
	double t = seconds();
	u32 status;

	m.write.change = (struct gns_change){ 0, seq };
	m.write.fh = *fh;
	m.payload = text;
	m.payload_len = sizeof(text) - 1;
	status = client_call(c, &m, &rep);
	if (status)
		die("the write failed: %s", gns_status_str(status));
	*before = rep.r_change.changed.v[0].before;
	*after = rep.r_change.changed.v[0].after;
	return seconds() - t;
}

/*
 * The first satellite, a process of its own: holds a lease, answers what it
 * is asked, and takes a new lease whenever its parent writes a line.
 */
static void holder(const char *addr, const char *export, const char *name,
		   int in, int out)
{
	struct client *c = client_open(addr, 2);
	struct gns_fh fh;
	u64 version;
	char byte;

	if (!c)
		die("no session");
	do {
		version = lease(c, export, name, &fh);
		if (write(out, &version, sizeof(version)) < 0)
			exit(1);
		while (!client_input(c, in))
			;
	} while (read(in, &byte, 1) == 1);
	exit(0);
}

static u64 hear(int fd)
{
	u64 v;

	if (read(fd, &v, sizeof(v)) != sizeof(v))
		die("the first satellite is gone");
	return v;
}

int main(int argc, char **argv)
{
	u64 version, before, after;
	int to[2], from[2];
	struct gns_fh fh;
	struct client *c;
	double t;
	pid_t pid;

	if (argc != 4)
		die("usage: gns-demo HOST:PORT EXPORT FILE");
	if (pipe(to) || pipe(from))
		die("no pipe");
	pid = fork();
	if (!pid) {
		close(to[1]);
		holder(argv[1], argv[2], argv[3], to[0], from[1]);
	}
	c = client_open(argv[1], 2);
	if (!c)
		die("no session with %s", argv[1]);
	version = hear(from[0]);
	lease(c, argv[2], argv[3], &fh);
	printf("  two satellites lease the file     version %016llx\n",
	       (unsigned long long)version);
	t = change(c, &fh, 1, &before, &after);
	printf("  one changes it: revoked, applied, acknowledged in %6.1f ms\n",
	       t * 1e3);
	printf("  version before %016llx, after     %016llx\n",
	       (unsigned long long)before, (unsigned long long)after);
	if (write(to[1], "", 1) != 1)
		die("the first satellite is gone");
	version = hear(from[0]);
	printf("  the other one asks again          version %016llx%s\n",
	       (unsigned long long)version, version == after ? "" : " (!)");
	if (version != after)
		die("it was shown an old version");
	kill(pid, SIGSTOP);
	printf("  now the other one hangs; its lease has to run out first ...\n");
	fflush(stdout);
	t = change(c, &fh, 2, &before, &after);
	printf("  ... the change was acknowledged after %.1f s\n", t);
	kill(pid, SIGCONT);
	if (write(to[1], "", 1) != 1)
		die("the first satellite is gone");
	version = hear(from[0]);
	printf("  the other one wakes up and sees   version %016llx%s\n",
	       (unsigned long long)version, version == after ? "" : " (!)");
	close(to[1]);
	waitpid(pid, NULL, 0);
	client_close(c);
	return version != after;
}
