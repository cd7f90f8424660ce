/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Agents: processes that do one call after the other, as they are told. One of
 * them may wait in a call while the test goes on.
 */
#ifndef GNS_TEST_AGENT_H
#define GNS_TEST_AGENT_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/types.h>

enum agent_call {
	A_OPEN, /* the file "f" of its host; @fd: as which one */
	A_CLOSE,
	A_FLOCK, /* @op */
	A_FCNTL, /* @op: F_SETLK, ...; @type, @start, @len */
	A_READ, /* 4 bytes */
	A_WRITE, /* 4 bytes, of @type */
	A_FSYNC,
	A_EXIT, /* without closing anything; no reply */
};

#define AGENT_FDS 4

/* A call returns an errno, or 0: which one it has to be. */
#define IS(want, call) \
	do { \
		int err_ = (call); \
\
		if (err_ != (want)) \
			tap_bad("%s: %s, not %s", #call, strerror(err_), \
				strerror(want)); \
	} while (0)

struct agent_ask {
	enum agent_call call;
	int fd; /* 0 .. AGENT_FDS - 1 */
	int op;
	int type;
	off_t start;
	off_t len;
};

struct agent_reply {
	int ret;
	int err; /* 0 or an errno */
	char data[4];
	struct flock fl;
};

struct agent {
	pid_t pid;
	int sock;
	struct agent_reply reply; /* the last one */
};

/** agent_start() - a process on a host, which has the file open as 0 */
void agent_start(struct agent *a, const char *host);

/** agent_tell() - begin a call; agent_heard() says how it ended */
void agent_tell(struct agent *a, const struct agent_ask *ask);

/**
 * agent_heard() - wait for the end of a call
 * @a:  told
 * @ms: how long
 *
 * Return: did it end? Then @a->reply is there.
 */
bool agent_heard(struct agent *a, unsigned int ms);

/** agent_do() - a call; Return: 0 or its errno */
int agent_do(struct agent *a, const struct agent_ask *ask);

/** agent_end() - by a signal; 0: it closes nothing and exits */
void agent_end(struct agent *a, int sig);

/* The usual ones. */
int do_flock(struct agent *a, int fd, int op);
int do_range(struct agent *a, int fd, int op, int type, off_t start, off_t len);
int do_plain(struct agent *a, enum agent_call call, int fd);

#endif
