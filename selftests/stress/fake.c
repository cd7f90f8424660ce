// SPDX-License-Identifier: GPL-2.0
/*
 * gns-fake: an origin that answers garbage.
 *
 *	gns-fake HOST:PORT SEED PERCENT
 *
 * PERCENT of the answers are wrong, twice as many of them in what they say
 * than in how they say it. SIGUSR1: no more of that.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fake.h"

struct fake fake = { .version = 1000 };

u32 peer_rnd(struct peer *p, u32 n)
{
	p->rnd = p->rnd * 6364136223846793005ull + 1442695040888963407ull;
	return (p->rnd >> 33) % n;
}

static bool take(int fd, void *buf, size_t len)
{
	ssize_t n;

	while (len) {
		n = recv(fd, buf, len, 0);
		if (n <= 0)
			return false;
		buf = (char *)buf + n;
		len -= n;
	}
	return true;
}

static bool give(struct peer *p, u32 len, const void *payload, u32 payload_len)
{
	struct iovec v[2] = { { p->out, len }, { (void *)payload, payload_len } };
	size_t i = 0;
	ssize_t n;

	while (i < 2) {
		n = writev(p->fd, v + i, 2 - i);
		if (n < 0)
			return false;
		while (i < 2 && (size_t)n >= v[i].iov_len)
			n -= v[i++].iov_len;
		if (i < 2) {
			v[i].iov_base = (char *)v[i].iov_base + n;
			v[i].iov_len -= n;
		}
	}
	return true;
}

/* A revoke out of nowhere. */
static bool send_revoke(struct peer *p, u64 sid)
{
	struct gns_msg m = { .type = GNS_REVOKE, .sid = sid };

	m.revoke.fh.len = 8;
	m.revoke.fh.b[0] = peer_rnd(p, 40);
	m.revoke.upto = peer_rnd(p, 2) ? ~0ull : fake.number;
	return give(p, gns_msg_encode(&m, p->out, sizeof(p->out)), NULL, 0);
}

static bool answer(struct peer *p, const struct gns_msg *req)
{
	bool bad = !fake.quiet && peer_rnd(p, 100) < fake.percent;
	struct gns_msg rep;
	int len;

	/* Sessions are spared mostly, or nothing else would be tried. */
	if (req->type <= GNS_RELEASED && peer_rnd(p, 4))
		bad = false;
	if (req->type == GNS_RELEASED)
		return true;
	fake_answer(p, req, &rep);
	if (bad)
		fake_twist(p, req, &rep);
	len = gns_msg_encode(&rep, p->out, sizeof(p->out));
	if (len < 0) {
		rep.status = EIO;
		rep.payload_len = 0;
		len = gns_msg_encode(&rep, p->out, sizeof(p->out));
	}
	if (bad && !peer_rnd(p, 3)) {
		u32 cut = len;

		if (!peer_rnd(p, 8))
			return true; /* no answer at all */
		if (!fake_break(p, p->out, &cut)) {
			give(p, cut, NULL, 0);
			return false;
		}
	}
	if (!give(p, len, rep.payload, rep.payload_len))
		return false;
	return !bad || peer_rnd(p, 8) || send_revoke(p, req->sid);
}

static void *serve(void *arg)
{
	struct peer *p = arg;
	u8 head[GNS_HDR_LEN], *rest = malloc(FAKE_BUF);
	struct gns_msg req;
	struct gns_hdr h;
	const char *why;

	while (rest && take(p->fd, head, sizeof(head))) {
		if (gns_hdr_decode(head, &h, &why) || h.len > FAKE_BUF ||
		    !take(p->fd, rest, h.len - GNS_HDR_LEN) ||
		    gns_msg_decode(&h, rest, rest + h.body, &req, &why) ||
		    !answer(p, &req))
			break;
	}
	shutdown(p->fd, SHUT_RDWR);
	close(p->fd);
	free(rest);
	free(p->payload);
	free(p);
	return NULL;
}

static void on_usr1(int sig)
{
	(void)sig;
	fake.quiet = true;
}

static int listen_at(char *addr)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	char *port = strchr(addr, ':');
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!port)
		return -1;
	*port++ = '\0';
	sin.sin_port = htons(atoi(port));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (inet_pton(AF_INET, addr, &sin.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, 64))
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_usr1, .sa_flags = SA_RESTART };
	int fd = argc == 4 ? listen_at(argv[1]) : -1;
	pthread_t t;

	if (fd < 0) {
		fprintf(stderr, "usage: gns-fake ADDRESS:PORT SEED PERCENT\n");
		return 2;
	}
	fake.seed = atoi(argv[2]);
	fake.percent = atoi(argv[3]);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGUSR1, &sa, NULL);
	fprintf(stderr, "listening on %s\n", argv[1]);
	for (u32 n = 0;; n++) {
		struct peer *p = calloc(1, sizeof(*p));

		p->fd = accept(fd, NULL, NULL);
		p->rnd = fake.seed * 1000003ull + n;
		p->payload = calloc(1, FAKE_BUF);
		if (p->fd < 0 || pthread_create(&t, NULL, serve, p))
			return 1;
		pthread_detach(t);
	}
}
