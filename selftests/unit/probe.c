// SPDX-License-Identifier: GPL-2.0
/*
 * Ask an origin one thing over a plain socket, for test_daemon.sh:
 *
 *	probe PORT hello		prints the TTL in ms
 *	probe PORT mount EXPORT		prints the root's handle in hex
 *	probe PORT getattr HANDLE	prints its mode in octal
 *
 * An answer with a status is printed as that, and ends it with 1.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/msg.h"

static int fd;
static u8 frame[GNS_HDR_LEN + GNS_BODY_MAX + 4096];

static void dial(const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((u16)atoi(port));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)))
		err(2, "connect");
}

static void get(u8 *p, u32 len)
{
	ssize_t n;

	for (; len; len -= (u32)n, p += n) {
		n = read(fd, p, len);
		if (n <= 0)
			errx(2, "connection closed");
	}
}

static void ask(const struct gns_msg *req, struct gns_msg *rep)
{
	int n = gns_msg_encode(req, frame, sizeof(frame));
	const char *why = "";
	struct gns_hdr hdr;

	if (n < 0 || write(fd, frame, (u32)n) != n)
		errx(2, "send");
	get(frame, GNS_HDR_LEN);
	if (gns_hdr_decode(frame, &hdr, &why) || hdr.len > sizeof(frame))
		errx(2, "bad answer: %s", why);
	get(frame + GNS_HDR_LEN, hdr.len - GNS_HDR_LEN);
	if (gns_msg_decode(&hdr, frame + GNS_HDR_LEN,
			   frame + GNS_HDR_LEN + hdr.body, rep, &why))
		errx(2, "bad answer: %s", why);
}

static void ask_ok(const struct gns_msg *req, struct gns_msg *rep)
{
	ask(req, rep);
	if (rep->status) {
		puts(gns_status_str(rep->status));
		exit(1);
	}
}

static u64 hello(struct gns_msg *rep)
{
	struct gns_msg req = { .type = GNS_HELLO };
	u32 i;

	req.hello.proto_min = GNS_PROTO_MIN;
	req.hello.proto_max = GNS_PROTO_MAX;
	req.hello.stamp = 1;
	if (getentropy(&req.hello.instance, GNS_ID_LEN) ||
	    getentropy(&req.hello.secret, GNS_ID_LEN))
		err(2, "getentropy");
	/* EBUSY: it has just been started. */
	for (i = 0; i < 100; i++) {
		ask(&req, rep);
		if (rep->status != EBUSY)
			break;
		usleep(50000);
	}
	if (rep->status)
		ask_ok(&req, rep);
	return rep->r_hello.sid;
}

static void put_fh(const struct gns_fh *fh)
{
	u32 i;

	for (i = 0; i < fh->len; i++)
		printf("%02x", fh->b[i]);
	putchar('\n');
}

static void get_fh(const char *hex, struct gns_fh *fh)
{
	u32 byte;

	for (; fh->len < GNS_FH_MAX && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		fh->b[fh->len++] = (u8)byte;
}

int main(int argc, char **argv)
{
	struct gns_msg req = { 0 }, rep;
	u64 ttl;

	if (argc < 3)
		errx(2, "usage: probe PORT hello|mount|getattr [ARG]");
	alarm(30);
	dial(argv[1]);
	req.sid = hello(&rep);
	ttl = rep.r_hello.ttl;
	req.tag = 1;
	if (!strcmp(argv[2], "hello")) {
		printf("%llu\n", (unsigned long long)(ttl / NSEC_PER_MSEC));
	} else if (!strcmp(argv[2], "mount") && argc > 3) {
		req.type = GNS_MOUNT;
		req.mount.export = (struct gns_str){ argv[3],
						     (u32)strlen(argv[3]) };
		ask_ok(&req, &rep);
		put_fh(&rep.r_obj.fh);
	} else if (!strcmp(argv[2], "getattr") && argc > 3) {
		req.type = GNS_GETATTR;
		get_fh(argv[3], &req.obj.fh);
		ask_ok(&req, &rep);
		printf("%o\n", rep.r_obj.attr.mode);
	} else {
		errx(2, "what?");
	}
	return 0;
}
