// SPDX-License-Identifier: GPL-2.0
/*
 * Agents; see agent.h.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "client.h"
#include "lab.h"

/* Longer than any call that waits for nobody. */
#define SOON 30000

static int fds[AGENT_FDS];

static int open_file(const char *host)
{
	return open(lab_path(lab_path(lab_env("LAB"), host), "f"),
		    O_RDWR | O_CREAT | O_CLOEXEC, 0644);
}

static void carry_out(const char *host, const struct agent_ask *q,
		      struct agent_reply *r)
{
	char data[4];

	memset(r, 0, sizeof(*r));
	switch (q->call) {
	case A_OPEN:
		r->ret = open_file(host);
		fds[q->fd] = r->ret;
		break;
	case A_CLOSE:
		r->ret = close(fds[q->fd]);
		break;
	case A_FLOCK:
		r->ret = flock(fds[q->fd], q->op);
		break;
	case A_FCNTL:
		r->fl.l_type = (short)q->type;
		r->fl.l_whence = SEEK_SET;
		r->fl.l_start = q->start;
		r->fl.l_len = q->len;
		r->ret = fcntl(fds[q->fd], q->op, &r->fl);
		break;
	case A_READ:
		r->ret = (int)pread(fds[q->fd], r->data, sizeof(r->data), 0);
		break;
	case A_WRITE:
		memset(data, q->type, sizeof(data));
		r->ret = (int)pwrite(fds[q->fd], data, sizeof(data), 0);
		break;
	case A_FSYNC:
		r->ret = fsync(fds[q->fd]);
		break;
	case A_EXIT:
		_exit(0);
	}
	r->err = r->ret < 0 ? errno : 0;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void run(const char *host, int sock)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct agent_reply r;
	struct agent_ask q;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGUSR1, &sa, NULL);
	fds[0] = open_file(host);
	if (fds[0] < 0)
		die("%s: f: %s", host, strerror(errno));
	while (read(sock, &q, sizeof(q)) == sizeof(q)) {
		carry_out(host, &q, &r);
		if (write(sock, &r, sizeof(r)) != sizeof(r))
			break;
	}
	_exit(0);
}

void agent_start(struct agent *a, const char *host)
{
	int s[2];

	memset(a, 0, sizeof(*a));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s))
		die("socketpair: %s", strerror(errno));
	a->pid = fork();
	if (a->pid < 0)
		die("fork: %s", strerror(errno));
	if (!a->pid) {
		close(s[0]);
		run(host, s[1]);
	}
	close(s[1]);
	a->sock = s[0];
}

void agent_tell(struct agent *a, const struct agent_ask *ask)
{
	if (write(a->sock, ask, sizeof(*ask)) != sizeof(*ask))
		die("agent %d: %s", a->pid, strerror(errno));
}

bool agent_heard(struct agent *a, unsigned int ms)
{
	struct pollfd p = { .fd = a->sock, .events = POLLIN };

	if (poll(&p, 1, (int)ms) <= 0)
		return false;
	if (read(a->sock, &a->reply, sizeof(a->reply)) != sizeof(a->reply))
		die("agent %d is gone", a->pid);
	return true;
}

int agent_do(struct agent *a, const struct agent_ask *ask)
{
	agent_tell(a, ask);
	if (!agent_heard(a, lab_slow(SOON)))
		die("agent %d: call %d does not end", a->pid, ask->call);
	return a->reply.err;
}

void agent_end(struct agent *a, int sig)
{
	/* Others have inherited the socket: its end is not heard of. */
	if (sig)
		kill(a->pid, sig);
	else
		agent_tell(a, &(struct agent_ask){ .call = A_EXIT });
	close(a->sock);
	waitpid(a->pid, NULL, 0);
}

int do_flock(struct agent *a, int fd, int op)
{
	return agent_do(a, &(struct agent_ask){ .call = A_FLOCK,
						.fd = fd,
						.op = op });
}

int do_range(struct agent *a, int fd, int op, int type, off_t start, off_t len)
{
	return agent_do(a, &(struct agent_ask){ .call = A_FCNTL,
						.fd = fd,
						.op = op,
						.type = type,
						.start = start,
						.len = len });
}

int do_plain(struct agent *a, enum agent_call call, int fd)
{
	return agent_do(a, &(struct agent_ask){ .call = call,
						.fd = fd,
						.type = 'x' });
}
