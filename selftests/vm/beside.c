// SPDX-License-Identifier: GPL-2.0
/*
 * beside: two machines and the cable between them. The guest that is tested
 * has a second one beside it, with a kernel, a clock and a disk of its own, and
 * tells it by a serial port what shall happen to it.
 *
 *	beside QEMU WORD... -- QEMU WORD...	beside first, then the tested one
 *
 * Each gets a network card, MAC 02:09:00:00:00:01 and 02:09:00:00:02:01, and
 * a serial port gns.beside. The tested one writes lines:
 *
 *	boot		it is switched on; answered when its agent is ready
 *	cut		its power: the process is killed at once
 *	stop | go	it stands still while its clock goes on
 *	freeze | thaw	it stands still, and its clock
 *	run TEXT	its agent (lib/beside-agent) runs TEXT
 *
 * and reads lines of output, "| " in front of each, and last "= STATUS".
 *
 * Nothing listens anywhere, all is by socketpair(2); only processes that were
 * started here are ever signalled. They end with this one, however it ends
 * (PR_SET_PDEATHSIG), and it ends with the tested one and with who started it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define WORDS 256
#define FRAME 70000 /* with all that segmentation may put into one */
#define QUEUE (1 << 20) /* bytes that wait for a machine before frames are lost */
#define BOOTS 3 /* a loaded host can starve one of its timer */

/* At the other end of a machine's ports. -1: there is none. */
struct machine {
	char **words;
	pid_t pid;
	int net; /* a frame a datagram */
	int port; /* lines */
	int monitor; /* of QEMU, for people */
	char line[8192]; /* of the port, not complete yet */
	size_t len;
};

static struct machine tested = { .net = -1, .port = -1, .monitor = -1 };
static struct machine aside = { .net = -1, .port = -1, .monitor = -1 };

static bool ready; /* the agent of the one beside is */
static bool asked; /* the tested one waits for an answer */
static bool boots; /* until it is ready */
static int tries;

static void end(int status) __attribute__((noreturn));

static void kill_it(struct machine *m)
{
	if (!m->pid)
		return;
	kill(m->pid, SIGKILL);
	while (waitpid(m->pid, NULL, 0) < 0 && errno == EINTR)
		;
	m->pid = 0;
}

static void end(int status)
{
	kill_it(&tested);
	kill_it(&aside);
	exit(status);
}

static void die(const char *what)
{
	fprintf(stderr, "beside: %s: %s\n", what, strerror(errno));
	end(125);
}

static void put(int fd, const char *text, size_t len)
{
	/* Nobody sends so much that it would not fit. */
	if (send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len)
		fprintf(stderr, "beside: a line is lost\n");
}

static void answer(int status, const char *why)
{
	char buf[256];

	if (!asked)
		return;
	asked = false;
	boots = false;
	snprintf(buf, sizeof(buf), "%s%s%s= %d\n", why ? "| " : "", why ?: "",
		 why ? "\n" : "", status);
	put(tested.port, buf, strlen(buf));
}

/* Return: our end; *@theirs stays open in the child. */
static int join(int type, int *theirs)
{
	int fd[2], size = QUEUE;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fd))
		die("socketpair");
	if (type == SOCK_DGRAM) {
		setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
	*theirs = fd[1];
	return fd[0];
}

static void shut(struct machine *m)
{
	int *fds[] = { &m->net, &m->port, &m->monitor };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	m->len = 0;
}

/* In the child. The words of all machines, and those with descriptors. */
static void run_qemu(struct machine *m, int net, int port, int monitor,
		     pid_t parent)
{
	static char text[4][128];
	char *words[WORDS + 16];
	sigset_t none;
	size_t n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(125);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	while (m->words[n]) {
		words[n] = m->words[n];
		n++;
	}
	snprintf(text[0], 128, "socket,id=beside,fd=%d", net);
	snprintf(text[1], 128,
		 "virtio-net-pci,netdev=beside,mac=02:09:00:00:0%d:01,romfile=",
		 m == &tested ? 2 : 0);
	snprintf(text[2], 128, "socket,id=besideport,fd=%d", port);
	words[n++] = "-netdev";
	words[n++] = text[0];
	words[n++] = "-device";
	words[n++] = text[1];
	words[n++] = "-chardev";
	words[n++] = text[2];
	words[n++] = "-device";
	words[n++] = "virtio-serial-pci,id=besidebus";
	words[n++] = "-device";
	words[n++] = "virtserialport,bus=besidebus.0,chardev=besideport,name=gns.beside";
	fcntl(net, F_SETFD, 0);
	fcntl(port, F_SETFD, 0);
	if (monitor >= 0) {
		words[n++] = "-monitor";
		words[n++] = "stdio";
		dup2(monitor, 0);
		dup2(monitor, 1);
	}
	words[n] = NULL;
	execvp(words[0], words);
	perror(words[0]);
	_exit(127);
}

static void start(struct machine *m)
{
	int net, port, monitor = -1;
	pid_t parent = getpid();

	shut(m);
	m->net = join(SOCK_DGRAM, &net);
	m->port = join(SOCK_STREAM, &port);
	if (m == &aside)
		m->monitor = join(SOCK_STREAM, &monitor);
	m->pid = fork();
	if (m->pid < 0) {
		m->pid = 0;
		die("fork");
	}
	if (!m->pid)
		run_qemu(m, net, port, monitor, parent);
	close(net);
	close(port);
	if (monitor >= 0)
		close(monitor);
}

static void switch_on(void)
{
	ready = false;
	tries++;
	start(&aside);
}

static void tell_monitor(const char *word)
{
	if (aside.monitor >= 0)
		put(aside.monitor, word, strlen(word));
}

static void boot(void)
{
	boots = true;
	if (!aside.pid) {
		tries = 0;
		switch_on();
	}
	if (ready)
		answer(0, NULL);
}

/* A line of the tested machine. */
static void wish(const char *line)
{
	asked = true;
	if (!strcmp(line, "boot"))
		return boot();
	if (!aside.pid)
		return answer(125, "the machine beside is not on");
	if (!strncmp(line, "run ", 4)) {
		put(aside.port, line + 4, strlen(line + 4));
		put(aside.port, "\n", 1);
		return;
	}
	if (!strcmp(line, "cut")) {
		kill_it(&aside);
		shut(&aside);
		ready = false;
	} else if (!strcmp(line, "stop")) {
		kill(aside.pid, SIGSTOP);
	} else if (!strcmp(line, "go")) {
		kill(aside.pid, SIGCONT);
	} else if (!strcmp(line, "freeze")) {
		tell_monitor("stop\n");
	} else if (!strcmp(line, "thaw")) {
		tell_monitor("cont\n");
	} else {
		return answer(125, "there is no such command");
	}
	answer(0, NULL);
}

/* One of the machine beside. */
static void reply(const char *line)
{
	if (!strcmp(line, "! ready")) {
		ready = true;
		if (boots)
			answer(0, NULL);
		return;
	}
	if (!asked)
		return;
	put(tested.port, line, strlen(line));
	put(tested.port, "\n", 1);
	if (line[0] == '=')
		asked = false;
}

static void read_lines(struct machine *m, void (*one)(const char *line))
{
	char *nl;
	ssize_t n = read(m->port, m->line + m->len,
			 sizeof(m->line) - 1 - m->len);

	if (n <= 0) {
		/* It is about to end. */
		close(m->port);
		m->port = -1;
		return;
	}
	m->len += n;
	m->line[m->len] = '\0';
	while ((nl = strchr(m->line, '\n'))) {
		*nl = '\0';
		one(m->line);
		m->len -= nl + 1 - m->line;
		memmove(m->line, nl + 1, m->len + 1);
	}
	if (m->len == sizeof(m->line) - 1)
		m->len = 0;
}

/* As a switch does: what does not fit into the other's queue is lost. */
static void carry(int from, int to)
{
	static char frame[FRAME];
	ssize_t n;

	while ((n = recv(from, frame, sizeof(frame), MSG_DONTWAIT)) > 0)
		if (to >= 0)
			send(to, frame, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == tested.pid) {
			tested.pid = 0;
			end(WIFEXITED(status) ? WEXITSTATUS(status) : 125);
		}
		if (pid != aside.pid)
			continue;
		aside.pid = 0;
		shut(&aside);
		if (!ready && tries < BOOTS) {
			switch_on();
			continue;
		}
		ready = false;
		answer(125, "the machine beside has ended");
	}
}

static void loop(int signals)
{
	struct signalfd_siginfo si;
	char words[512];

	for (;;) {
		struct pollfd p[] = {
			{ .fd = signals, .events = POLLIN },
			{ .fd = tested.net, .events = POLLIN },
			{ .fd = aside.net, .events = POLLIN },
			{ .fd = tested.port, .events = POLLIN },
			{ .fd = aside.port, .events = POLLIN },
			{ .fd = aside.monitor, .events = POLLIN },
		};

		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			die("poll");
		if (p[1].revents)
			carry(tested.net, aside.net);
		if (p[2].revents)
			carry(aside.net, tested.net);
		if (p[4].revents)
			read_lines(&aside, reply);
		/* What QEMU says to people is for nobody. */
		if (p[5].revents &&
		    recv(aside.monitor, words, sizeof(words), MSG_DONTWAIT) == 0) {
			close(aside.monitor);
			aside.monitor = -1;
		}
		/* These change what there is to wait for. */
		if (p[3].revents)
			read_lines(&tested, wish);
		if (p[0].revents &&
		    read(signals, &si, sizeof(si)) == sizeof(si)) {
			if (si.ssi_signo != SIGCHLD)
				end(128 + si.ssi_signo);
			reap();
		}
	}
}

int main(int argc, char **argv)
{
	sigset_t mask;
	int i, fd;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		;
	if (i < 2 || i + 1 >= argc || argc > WORDS) {
		fprintf(stderr, "usage: beside QEMU WORD... -- QEMU WORD...\n");
		return 125;
	}
	argv[i] = NULL;
	aside.words = argv + 1;
	tested.words = argv + i + 1;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fd = signalfd(-1, &mask, SFD_CLOEXEC);
	if (fd < 0)
		die("signalfd");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	start(&tested);
	switch_on();
	loop(fd);
}
