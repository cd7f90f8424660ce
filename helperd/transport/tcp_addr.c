// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses as people write them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "transport/tcp_int.h"

static int copy(char *to, size_t size, const char *p, size_t len)
{
	if (!len || len >= size)
		return -EINVAL;
	memcpy(to, p, len);
	to[len] = '\0';
	return 0;
}

/* "host", "host:port", "[v6]", "[v6]:port", and "v6", which has two colons. */
int tcp_addr_split(const char *text, char *host, size_t hsize, char *port,
		   size_t psize)
{
	const char *colon = strrchr(text, ':');
	const char *end;

	if (copy(port, psize, GNS_TCP_PORT, strlen(GNS_TCP_PORT)))
		return -EINVAL;
	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		if (end[1] && copy(port, psize, end + 2, strlen(end + 2)))
			return -EINVAL;
		return copy(host, hsize, text + 1, (size_t)(end - text - 1));
	}
	if (!colon || strchr(text, ':') != colon)
		return copy(host, hsize, text, strlen(text));
	if (copy(port, psize, colon + 1, strlen(colon + 1)))
		return -EINVAL;
	return copy(host, hsize, text, (size_t)(colon - text));
}

struct addrinfo tcp_addr_hints(void)
{
	return (struct addrinfo){
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_protocol = IPPROTO_TCP,
		.ai_flags = AI_NUMERICSERV,
	};
}

int gns_addr_resolve(const char *text, struct gns_addr *v, u32 max, char *err,
		     size_t size)
{
	struct addrinfo hints = tcp_addr_hints();
	struct addrinfo *res, *ai;
	char host[NI_MAXHOST], port[8];
	int n = 0;
	int rc;

	if (tcp_addr_split(text, host, sizeof(host), port, sizeof(port))) {
		snprintf(err, size, "%s is not host:port or [v6]:port", text);
		return -EINVAL;
	}
	rc = getaddrinfo(host, port, &hints, &res);
	if (rc) {
		snprintf(err, size, "%s: %s", text,
			 rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
		return -EADDRNOTAVAIL;
	}
	for (ai = res; ai && (u32)n < max; ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(v[n].ss))
			continue;
		memset(&v[n], 0, sizeof(v[n]));
		memcpy(&v[n].ss, ai->ai_addr, ai->ai_addrlen);
		v[n++].len = ai->ai_addrlen;
	}
	freeaddrinfo(res);
	return n;
}

bool gns_addr_is_loopback(const struct gns_addr *addr)
{
	const struct sockaddr_in *v4 = (const void *)&addr->ss;
	const struct sockaddr_in6 *v6 = (const void *)&addr->ss;

	if (addr->ss.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (addr->ss.ss_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

void gns_addr_str(const struct gns_addr *addr, char *buf, size_t size)
{
	char host[INET6_ADDRSTRLEN + 20], port[8]; /* with a zone: %interface */
	bool v6 = addr->ss.ss_family == AF_INET6;

	if (getnameinfo((const struct sockaddr *)&addr->ss, addr->len, host,
			sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(buf, size, "?");
	else
		snprintf(buf, size, v6 ? "[%s]:%s" : "%s:%s", host, port);
}
