/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that a helper must not say to the kernel, said; see badinput.c.
 */
#ifndef GNS_SELFTESTS_BADINPUT_H
#define GNS_SELFTESTS_BADINPUT_H

#include <netlink/attr.h>
#include <linux/gns.h>

#include "lib/types.h"

/** ok() - a case of TAP; Return: @good */
bool ok(bool good, const char *name);

/** note() - a line that belongs to the next case that is no success */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** rnd() - the same numbers in each run */
u32 rnd(void);
void rnd_bytes(void *p, size_t len);

/** now_ms() - of a clock that only goes forward */
u64 now_ms(void);

/*
 * netlink.c: a socket that sends what it is given, right or wrong.
 */
#define MSG_LEN 16384u

/** struct msg - attributes of a message, being made */
struct msg {
	u32 len;
	u8 b[MSG_LEN];
};

/* With any length and bytes, also none that its type would have. */
void put(struct msg *m, u32 type, const void *data, u32 len);
void put_u32(struct msg *m, u32 type, u32 v);
void put_u64(struct msg *m, u32 type, u64 v);
void put_random(struct msg *m, u32 type, u32 len);

struct sock {
	int fd;
	u32 family;
	u32 seq;
};

/** sock_open() - bound to a port of its own; Return: false: no family gns */
bool sock_open(struct sock *s);
void sock_close(struct sock *s);

/** typedef answer_fn - one message of an answer: its attributes, @len bytes */
typedef void (*answer_fn)(void *arg, struct nlattr *first, int len);

/**
 * ask() - send a message, and wait for how it ended
 * @s:     the socket
 * @cmd:   any number
 * @flags: NLM_F_DUMP or 0
 * @m:     its attributes; NULL: none
 * @fn:    for each message of the answer; may be NULL
 * @arg:   of it
 *
 * Return: 0 or the kernel's negative errno; -ETIMEDOUT: it said nothing.
 */
int ask(struct sock *s, u8 cmd, int flags, const struct msg *m, answer_fn fn,
	void *arg);

/** send_raw() - bytes as they are, no answer waited for */
void send_raw(struct sock *s, const void *data, size_t len);

/** clean() - is it an errno that an interface may answer with? */
bool clean(int err);

/* The groups of cases; each opens what it needs. */
void cases_stranger(void);
void cases_bound(void);
void cases_device(void);
void cases_buffers(void);
void cases_call(void);
void cases_changed(void);

/** bad_changed() - REPLY to call @id by lists of objects that are none
 *
 * Return: all were refused, else there is a note.
 */
bool bad_changed(struct sock *s, u64 id);

/** garbage_changed() - lists that are some, with anything in them */
void garbage_changed(struct msg *m);

/** change_at() - an application: change something, whatever comes of it */
void change_at(const char *path);

/** device() - open /dev/gns; -1 with a note if it can not be */
int device(void);

/** bind_to() - GNS_CMD_BIND; Return: 0 or a negative errno */
int bind_to(struct sock *s, int fd);

/** struct storm - what is in use */
struct storm {
	u32 origin;
	u32 sid;
	u64 number; /* of the newest grant */
};

/**
 * storm() - say something well-formed about it
 * @sock:  bound to @dev
 * @dev:   /dev/gns
 * @s:     what is in use
 * @taken: goes up when it was taken
 *
 * Return: false, with a note: the kernel's answer is none.
 */
bool storm(struct sock *sock, int dev, const struct storm *s, int *taken);

/* What well-formed attributes of each command are: tables in badinput_nl.c. */
void fill_valid(struct msg *m, u8 cmd, u32 origin);

#endif
