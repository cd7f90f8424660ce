// SPDX-License-Identifier: GPL-2.0
/*
 * How TCP connections begin and end: users that close them in any callback,
 * peers that talk nonsense or nothing, addresses that do not answer.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "tcp_rig.h"

static int send_len(struct rig *r, struct gns_conn *c, u32 len, bool bulk)
{
	struct gns_msg m = {
		.type = GNS_READ,
		.reply = true,
		.payload_len = len,
	};
	u8 *p = calloc(1, len + 1);
	int err;

	assert_non_null(p);
	m.payload = p;
	err = gns_conn_send(c, &m, bulk ? bulk_data(r, p, len) : NULL);
	free(p);
	return err;
}

static void hang_up(struct end *e)
{
	gns_conn_close(e->conn);
	e->conn = NULL;
}

static int close_in_message(struct end *e, const struct gns_msg *msg)
{
	send_len(e->rig, e->conn, 100, true);
	send_len(e->rig, e->conn, 1u << 20, true);
	hang_up(e);
	/* It may be told what it knows already. */
	return msg->tag & 1 ? -EPIPE : 0;
}

static void test_close_in_message(void **state)
{
	struct rig *r = rig_new(NULL);
	u32 len[] = { 10, 70000, 10, 200000 };
	u32 i, k;

	r->server.on_message = close_in_message;
	for (i = 0; i < ARRAY_SIZE(len); i++) {
		r->server.messages = 0;
		rig_connect(r);
		for (k = 0; k < 50; k++)
			send_len(r, r->client.conn, len[i], k & 1);
		rig_until(r, !r->client.conn);
		/* What followed in the same buffer is not delivered. */
		assert_int_equal(r->server.messages, 1);
		assert_int_equal(r->server.closed, 0);
	}
	rig_free(r);
}

static int refuse(struct end *e, const struct gns_msg *msg)
{
	return -EBADMSG;
}

static void test_user_refuses(void **state)
{
	struct rig *r = rig_new(NULL);

	rig_connect(r);
	r->server.on_message = refuse;
	send_len(r, r->client.conn, 10, false);
	send_len(r, r->client.conn, 10, false);
	rig_until(r, r->server.closed && r->client.closed);
	assert_int_equal(r->server.messages, 1);
	assert_int_equal(r->server.closed, 1);
	assert_string_equal(r->server.why, "Bad message");
	rig_free(r);
}

static void test_close_in_writable(void **state)
{
	struct rig *r = rig_new(NULL);
	u32 i;

	rig_connect(r);
	r->server.on_writable = hang_up;
	for (i = 0; i < 20; i++)
		send_len(r, r->server.conn, 1u << 20, i & 1);
	rig_until(r, r->client.closed);
	assert_int_equal(r->server.writable, 1);
	assert_int_equal(r->server.closed, 0);
	rig_free(r);
}

static void close_server(struct rig *r)
{
	if (r->server.conn)
		hang_up(&r->server);
}

static void send_more(struct rig *r)
{
	if (r->server.conn && r->server.priv) {
		r->server.priv = NULL;
		send_len(r, r->server.conn, 1u << 20, true);
	}
}

static void send_released(struct rig *r, void (*released)(struct rig *r))
{
	struct gns_msg m = {
		.type = GNS_READ,
		.reply = true,
		.payload_len = 600000,
	};
	u8 *p = calloc(1, m.payload_len);
	struct gns_bulk *bulk;

	assert_non_null(p);
	bulk = bulk_data(r, p, m.payload_len);
	container_of(bulk, struct rig_bulk, bulk)->released = released;
	gns_conn_send(r->server.conn, &m, bulk);
	free(p);
}

static void test_close_in_release(void **state)
{
	struct rig *r = rig_new(NULL);

	rig_connect(r);
	send_len(r, r->server.conn, 10, false);
	send_released(r, close_server);
	if (r->server.conn)
		send_len(r, r->server.conn, 1u << 20, true);
	rig_until(r, r->client.closed);
	assert_int_equal(r->server.closed, 0);
	rig_free(r);
}

static int add_up(struct end *e, const struct gns_msg *msg)
{
	u64 *sum = e->priv;

	*sum += msg->payload_len;
	return 0;
}

/* Sending more while bytes are being counted must not send some twice. */
static void test_send_in_release(void **state)
{
	struct rig *r = rig_new(NULL);
	u64 sum = 0;
	u32 i;

	rig_connect(r);
	r->client.on_message = add_up;
	r->client.priv = &sum;
	r->server.priv = r;
	for (i = 0; i < 5; i++)
		send_released(r, send_more);
	rig_until(r, r->client.messages == 6);
	assert_int_equal(sum, 5 * 600000 + (1u << 20));
	rig_for(r, 20);
	assert_int_equal(r->client.messages, 6);
	assert_int_equal(r->client.closed, 0);
	rig_free(r);
}

static void *close_in_alloc(struct end *e, u32 len)
{
	hang_up(e);
	return malloc(len);
}

static void *no_memory(struct end *e, u32 len)
{
	return NULL;
}

static void test_alloc(void **state)
{
	struct rig *r = rig_new(NULL);

	rig_connect(r);
	r->server.on_alloc = close_in_alloc;
	send_len(r, r->client.conn, 1u << 20, true);
	rig_until(r, r->client.closed);
	assert_int_equal(r->server.closed, 0);

	rig_connect(r);
	r->server.on_alloc = no_memory;
	send_len(r, r->client.conn, 1u << 20, true);
	rig_until(r, r->client.closed == 2 && r->server.closed == 1);
	assert_int_equal(r->server.messages, 0);
	rig_free(r);
}

static int close_and_take(struct rig *r, struct gns_conn *c)
{
	gns_conn_close(c);
	return 0;
}

static int do_not_take(struct rig *r, struct gns_conn *c)
{
	return -ENOMEM;
}

static int send_first(struct rig *r, struct gns_conn *c)
{
	rig_take(&r->server, c);
	send_len(r, c, 1000, true);
	return 0;
}

static void test_accept(void **state)
{
	struct rig *r = rig_new(NULL);

	r->on_accept = close_and_take;
	assert_non_null(gns_tcp_connect(r->tcp, r->addr, rig_done, r));
	rig_until(r, r->client.closed == 1);
	r->on_accept = do_not_take;
	assert_non_null(gns_tcp_connect(r->tcp, r->addr, rig_done, r));
	rig_until(r, r->client.closed == 2);
	r->on_accept = send_first;
	rig_connect(r);
	rig_until(r, r->client.messages == 1);
	rig_free(r);
}

static void close_at_once(void *arg, struct gns_conn *c, const char *why)
{
	struct rig *r = arg;

	r->connected++;
	rig_take(&r->client, c);
	send_len(r, c, 10, true);
	hang_up(&r->client);
}

static void leave_it(void *arg, struct gns_conn *c, const char *why)
{
	((struct rig *)arg)->connected++;
}

static void test_close_in_done(void **state)
{
	struct rig *r = rig_new(NULL);

	assert_non_null(gns_tcp_connect(r->tcp, r->addr, close_at_once, r));
	rig_until(r, r->server.closed == 1);
	assert_non_null(gns_tcp_connect(r->tcp, r->addr, leave_it, r));
	rig_until(r, r->server.closed == 2);
	rig_free(r);
}

static void closed_closes(struct gns_conn *c, const char *why)
{
	struct end *e = c->arg;

	e->closed++;
	assert_int_equal(send_len(e->rig, c, 10, true), -EPIPE);
	gns_conn_close(c);
	e->conn = NULL;
}

static void test_close_in_closed(void **state)
{
	struct gns_conn_user user = rig_user;
	struct rig *r = rig_new(NULL);

	user.closed = closed_closes;
	rig_connect(r);
	r->server.conn->user = &user;
	hang_up(&r->client);
	rig_until(r, r->server.closed == 1);
	rig_for(r, 20);
	assert_int_equal(r->server.closed, 1);
	rig_free(r);
}

/* A peer that is not us, as bytes on a socket. */
static int raw_connect(struct rig *r)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((u16)atoi(strrchr(r->addr, ':') + 1));
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

static void put32(u8 *p, u32 v)
{
	p[0] = (u8)v;
	p[1] = (u8)(v >> 8);
	p[2] = (u8)(v >> 16);
	p[3] = (u8)(v >> 24);
}

static const char *said_no(struct rig *r, const u8 *p, u32 len)
{
	u32 before = r->server.closed;
	int fd = raw_connect(r);

	assert_int_equal(write(fd, p, len), len);
	rig_until(r, r->server.closed > before);
	close(fd);
	return r->server.why;
}

static void test_garbage(void **state)
{
	struct rig *r = rig_new(NULL);
	u8 junk[1000], hdr[GNS_HDR_LEN];
	u32 i, k;

	srand(1);
	for (i = 0; i < 200; i++) {
		for (k = 0; k < sizeof(junk); k++)
			junk[k] = (u8)rand();
		said_no(r, junk, sizeof(junk));
	}
	memset(hdr, 0, sizeof(hdr));
	put32(hdr, 0xffffffff);
	hdr[4] = GNS_READ;
	hdr[6] = GNS_HF_REPLY;
	assert_non_null(strstr(said_no(r, hdr, sizeof(hdr)), "len"));
	put32(hdr, GNS_HDR_LEN);
	hdr[6] = 0xff;
	assert_non_null(strstr(said_no(r, hdr, sizeof(hdr)), "flag"));
	assert_int_equal(r->server.messages, 0);
	rig_free(r);
}

static void test_half_frames(void **state)
{
	struct gns_tcp_config cfg = { .silent_ms = 200 };
	struct rig *r = rig_new(&cfg);
	struct gns_msg m = { .type = GNS_READ, .reply = true, .payload_len = 100000 };
	u8 buf[GNS_HDR_LEN + GNS_BODY_MAX + 6000];
	int n = gns_msg_encode(&m, buf, sizeof(buf));
	int fd, cut[] = { 0, 1, 31, n - 1, n, n + 10, n + 5000 };
	u32 i;

	assert_true(n > 0);
	memset(buf + n, 0, sizeof(buf) - (u32)n);
	for (i = 0; i < ARRAY_SIZE(cut); i++) {
		r->server.closed = 0;
		fd = raw_connect(r);
		assert_int_equal(write(fd, buf, (u32)cut[i]), cut[i]);
		rig_until(r, r->server.conn);
		rig_for(r, 10);
		assert_int_equal(r->server.closed, 0);
		if (i & 1) {
			close(fd);
			rig_until(r, r->server.closed);
			assert_non_null(strstr(r->server.why, "in the middle"));
			continue;
		}
		rig_until(r, r->server.closed);
		assert_string_equal(r->server.why, "silent from the start");
		close(fd);
	}
	rig_free(r);
}

static void test_reset(void **state)
{
	struct linger now = { 1, 0 };
	struct rig *r = rig_new(NULL);
	int fd = raw_connect(r);
	u32 i;

	rig_until(r, r->server.conn);
	for (i = 0; i < 16; i++)
		send_len(r, r->server.conn, 1u << 20, true);
	rig_for(r, 10);
	r->server.conn->pause(r->server.conn, true);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	rig_until(r, r->server.closed);
	rig_free(r);
}

static void test_accept_limit(void **state)
{
	struct gns_tcp_config cfg = { .accepted_max = 1 };
	struct rig *r = rig_new(&cfg);
	char byte;
	int fd;

	rig_connect(r);
	fd = raw_connect(r);
	rig_for(r, 20);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
	assert_int_equal(r->accepted, 1);
	hang_up(&r->client);
	rig_until(r, r->server.closed);
	rig_connect(r);
	rig_free(r);
}

/* Nobody may wait in a line that can not be served, nor the loop spin on it. */
static void test_no_descriptors(void **state)
{
	struct rig *r = rig_new(NULL);
	struct rlimit was, now;
	int fd, next;
	char byte;

	rig_connect(r);
	fd = raw_connect(r);
	next = dup(fd);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = was;
	now.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	rig_for(r, 20);
	setrlimit(RLIMIT_NOFILE, &was);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
	assert_int_equal(r->accepted, 1);
	hang_up(&r->client);
	rig_until(r, r->server.closed);
	rig_connect(r);
	rig_free(r);
}

static void test_connect_fails(void **state)
{
	struct rig *r = rig_new(NULL);
	struct gns_tcp_connect *a;

	assert_non_null(gns_tcp_connect(r->tcp, "127.0.0.1:1", rig_done, r));
	rig_until(r, r->refused == 1);
	assert_string_equal(r->why, "Connection refused");
	assert_non_null(gns_tcp_connect(r->tcp, "no.such.host.invalid",
					rig_done, r));
	rig_until(r, r->refused == 2);
	assert_null(gns_tcp_connect(r->tcp, "[::1", rig_done, r));

	a = gns_tcp_connect(r->tcp, r->addr, rig_done, r);
	assert_non_null(a);
	gns_tcp_connect_cancel(a);
	a = gns_tcp_connect(r->tcp, r->addr, rig_done, r);
	while (!r->accepted)
		uv_run(&r->loop, UV_RUN_NOWAIT);
	if (!r->connected)
		gns_tcp_connect_cancel(a);
	rig_for(r, 50);
	rig_free(r);
}

static void split(const char *text, const char *want, bool loopback)
{
	struct gns_addr v[8];
	char err[200] = "", s[64];

	assert_true(gns_addr_resolve(text, v, 8, err, sizeof(err)) >= 1);
	gns_addr_str(v, s, sizeof(s));
	assert_string_equal(s, want);
	assert_int_equal(gns_addr_is_loopback(v), loopback);
}

static void test_addresses(void **state)
{
	static const char *const bad[] = { "", ":1", "[::1]x", "[]:1",
					   "a:", "[::1", "a:http",
					   "a:1234567890" };
	struct gns_addr v[8];
	char err[200];
	u32 i;

	split("127.0.0.1:80", "127.0.0.1:80", true);
	split("127.9.9.9", "127.9.9.9:7117", true);
	split("[::1]:80", "[::1]:80", true);
	split("::1", "[::1]:7117", true);
	split("[::1]", "[::1]:7117", true);
	split("0.0.0.0:7117", "0.0.0.0:7117", false);
	split("[::]:7117", "[::]:7117", false);
	split("10.1.2.3", "10.1.2.3:7117", false);
	split("::ffff:127.0.0.1", "[::ffff:127.0.0.1]:7117", true);
	split("::ffff:10.0.0.1", "[::ffff:10.0.0.1]:7117", false);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		err[0] = '\0';
		assert_true(gns_addr_resolve(bad[i], v, 8, err, sizeof(err)) <
			    0);
		assert_true(err[0]);
	}
}

/* Whoever destroys the transport first leaves nothing behind. */
static void test_destroy(void **state)
{
	struct rig *r = rig_new(NULL);

	rig_connect(r);
	send_len(r, r->server.conn, 1u << 20, true);
	send_len(r, r->client.conn, 1u << 20, true);
	r->server.conn = NULL;
	r->client.conn = NULL;
	rig_free(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_in_message),
		cmocka_unit_test(test_user_refuses),
		cmocka_unit_test(test_close_in_writable),
		cmocka_unit_test(test_close_in_release),
		cmocka_unit_test(test_send_in_release),
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_close_in_done),
		cmocka_unit_test(test_close_in_closed),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_half_frames),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_accept_limit),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_connect_fails),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_destroy),
	};

	return cmocka_run_group_tests_name("tcp_end", tests, NULL, NULL);
}
