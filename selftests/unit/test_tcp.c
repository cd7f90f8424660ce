// SPDX-License-Identifier: GPL-2.0
/*
 * Messages over TCP: what is sent arrives, byte for byte and in order,
 * whatever its size and wherever its payload lies.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "tcp_rig.h"

#define PIPE_LEN 65536u /* bytes in one that nobody resized */

enum how { BY_COPY,
	   BY_DATA,
	   BY_PIPE,
	   BY_END };

/* A pipe with @have bytes in it; its writing end is closed. */
static struct gns_bulk *bulk_pipe(struct rig *r, const void *p, u32 have)
{
	struct rig_bulk *b = rig_bulk(r);
	u32 done = 0;
	int fd[2];
	ssize_t n;

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	/* Large pipes need CAP_SYS_RESOURCE: settle for memory without. */
	if (have > PIPE_LEN &&
	    fcntl(fd[1], F_SETPIPE_SZ, have + 4096) < (int)have) {
		close(fd[0]);
		close(fd[1]);
		b->data = malloc(have);
		assert_non_null(b->data);
		memcpy(b->data, p, have);
		b->bulk.data = b->data;
		return &b->bulk;
	}
	while (done < have) {
		n = write(fd[1], (const u8 *)p + done, have - done);
		assert_true(n > 0);
		done += (u32)n;
	}
	close(fd[1]);
	b->bulk.fd = fd[0];
	return &b->bulk;
}

/* An answer to a READ, the message with the largest payload. */
static int send_read(struct end *e, u64 tag, const void *p, u32 len,
		     enum how how)
{
	struct gns_msg m = {
		.type = GNS_READ,
		.reply = true,
		.tag = tag,
		.payload = how == BY_COPY ? p : NULL,
		.payload_len = len,
	};
	struct gns_bulk *bulk = NULL;
	int err;

	m.r_obj.attr.size = len;
	if (how == BY_DATA)
		bulk = bulk_data(e->rig, p, len);
	if (how == BY_PIPE)
		bulk = bulk_pipe(e->rig, p, len);
	err = gns_conn_send(e->conn, &m, bulk);
	e->most_queued = max_u64(e->most_queued, e->conn->queued);
	return err;
}

static enum how echo_how;

static int echo(struct end *e, const struct gns_msg *msg)
{
	return send_read(e, msg->tag, msg->payload, msg->payload_len,
			 echo_how == BY_END ? msg->tag % BY_END : echo_how);
}

struct expect {
	u64 tag;
	u32 len;
	bool steal;
	u32 stolen;
};

static int expected(struct end *e, const struct gns_msg *msg)
{
	struct expect *x = e->priv;
	void *own = NULL;

	assert_int_equal(msg->tag, x->tag);
	assert_int_equal(msg->payload_len, x->len);
	assert_int_equal(msg->r_obj.attr.size, x->len);
	if (x->steal) {
		own = e->conn->steal(e->conn);
		if (own) {
			assert_ptr_equal(own, msg->payload);
			x->stolen++;
		}
	}
	check_pattern(msg->payload, msg->payload_len, msg->tag);
	free(own);
	return 0;
}

static const u32 sizes[] = {
	0,
	1,
	31,
	32,
	4095,
	4096,
	4097,
	16384,
	32768,
	65535,
	65536,
	131071,
	131072,
	1048576,
	1048577,
	2097151,
	2097152,
};

static void test_sizes(void **state)
{
	struct rig *r = rig_new(NULL);
	u8 *buf = malloc(GNS_READ_MAX);
	struct expect x = { 0 };
	u32 i, how, back;

	assert_non_null(buf);
	rig_connect(r);
	r->server.on_message = echo;
	r->client.on_message = expected;
	r->client.priv = &x;
	for (how = 0; how < BY_END; how++)
		for (back = 0; back < BY_END; back++)
			for (i = 0; i < ARRAY_SIZE(sizes); i++) {
				x.tag++;
				x.len = sizes[i];
				x.steal = i & 1;
				echo_how = back;
				pattern(buf, x.len, x.tag);
				assert_int_equal(send_read(&r->client, x.tag,
							   buf, x.len, how),
						 0);
				rig_until(r, r->client.messages == x.tag);
			}
	assert_true(x.stolen > 0);
	assert_int_equal(r->client.conn->queued, 0);
	free(buf);
	rig_free(r);
}

#define PIPELINED 20000u
#define PAUSE_AT (4u << 20)

static u32 size_of(u64 tag)
{
	if (tag % 500 == 9)
		return PIPE_LEN;
	if (tag % 1000 == 7)
		return GNS_READ_MAX - (u32)tag % 4096;
	if (tag % 50 == 3)
		return (u32)tag * 7919 % 200000;
	return (u32)tag * 31 % 300;
}

static int pipelined(struct end *e, const struct gns_msg *msg)
{
	struct expect *x = e->priv;

	x->tag++;
	x->len = size_of(x->tag);
	return expected(e, msg);
}

static int echo_paused(struct end *e, const struct gns_msg *msg)
{
	int err = echo(e, msg);

	if (e->conn->queued >= PAUSE_AT)
		e->conn->pause(e->conn, true);
	return err;
}

static void resume(struct end *e)
{
	e->conn->pause(e->conn, false);
}

/* Thousands at once, in both directions, each end faster than the other. */
static void test_pipelined(void **state)
{
	struct rig *r = rig_new(NULL);
	u8 *buf = malloc(GNS_READ_MAX);
	struct expect x = { .steal = true };
	u64 since = 0;
	u64 tag;
	u32 len;

	assert_non_null(buf);
	rig_connect(r);
	echo_how = BY_END;
	r->server.on_message = echo_paused;
	r->server.on_writable = resume;
	r->client.on_message = pipelined;
	r->client.priv = &x;
	for (tag = 1; tag <= PIPELINED; tag++) {
		len = size_of(tag);
		pattern(buf, len, tag);
		assert_int_equal(send_read(&r->client, tag, buf, len,
					   tag / 3 % BY_END),
				 0);
		while (r->client.conn->queued > PAUSE_AT)
			rig_turn(r, &since);
	}
	rig_until(r, x.tag == PIPELINED);
	/* Paused at once: one more message at most gets in. */
	assert_true(r->server.most_queued < PAUSE_AT + GNS_READ_MAX + 1024);
	assert_int_equal(r->server.messages, PIPELINED);
	free(buf);
	rig_free(r);
}

/* One message each way per pause: nothing may be lost or come twice. */
static int count_and_pause(struct end *e, const struct gns_msg *msg)
{
	e->conn->pause(e->conn, true);
	assert_int_equal(msg->tag, e->messages);
	return 0;
}

static void test_pause(void **state)
{
	struct rig *r = rig_new(NULL);
	u8 buf[20000];
	u32 i, got;

	rig_connect(r);
	r->server.on_message = count_and_pause;
	for (i = 1; i <= 100; i++) {
		u32 len = i % 10 ? i : sizeof(buf);

		pattern(buf, len, i);
		assert_int_equal(send_read(&r->client, i, buf, len, BY_COPY),
				 0);
	}
	for (got = 1; got <= 100; got++) {
		rig_until(r, r->server.messages >= got);
		rig_for(r, 2);
		assert_int_equal(r->server.messages, got);
		r->server.conn->pause(r->server.conn, false);
	}
	rig_free(r);
}

#define ANSWERS 3000u
#define ANSWER_LEN 65536u
#define SLOW_MAX (2u << 20)

static int answer(struct end *e, const struct gns_msg *msg)
{
	static u8 buf[ANSWER_LEN];
	int err;

	pattern(buf, sizeof(buf), msg->tag);
	err = send_read(e, msg->tag, buf, sizeof(buf),
			msg->tag & 1 ? BY_DATA : BY_COPY);
	if (e->conn->queued >= SLOW_MAX)
		e->conn->pause(e->conn, true);
	return err;
}

static int next_answer(struct end *e, const struct gns_msg *msg)
{
	struct expect *x = e->priv;

	x->tag++;
	x->len = ANSWER_LEN;
	return expected(e, msg);
}

static void test_slow_reader(void **state)
{
	struct rig *r = rig_new(NULL);
	struct expect x = { 0 };
	struct gns_msg m = { .type = GNS_READ, .range.fh.len = 1 };
	u32 i;

	rig_connect(r);
	r->server.on_message = answer;
	r->server.on_writable = resume;
	r->client.on_message = next_answer;
	r->client.priv = &x;
	r->client.conn->pause(r->client.conn, true);
	for (i = 1; i <= ANSWERS; i++) {
		m.tag = i;
		assert_int_equal(gns_conn_send(r->client.conn, &m, NULL), 0);
	}
	rig_for(r, 300);
	assert_true(r->server.messages < ANSWERS);
	assert_true(r->server.most_queued < SLOW_MAX + ANSWER_LEN + 1024);
	assert_int_equal(r->client.messages, 0);
	r->client.conn->pause(r->client.conn, false);
	rig_until(r, r->client.messages == ANSWERS);
	assert_true(r->server.most_queued < SLOW_MAX + ANSWER_LEN + 1024);
	rig_free(r);
}

/* A user that does not mind the queue loses the connection, not the host. */
static void test_queue_limit(void **state)
{
	struct gns_tcp_config cfg = { .queued_max = 8u << 20 };
	struct rig *r = rig_new(&cfg);
	u8 *buf = calloc(1, 1u << 20);
	int err = 0;
	u32 i;

	assert_non_null(buf);
	rig_connect(r);
	r->client.conn->pause(r->client.conn, true);
	for (i = 0; i < 64 && !err; i++)
		err = send_read(&r->server, i, buf, 1u << 20,
				i % BY_END);
	assert_int_equal(err, -ENOMEM);
	assert_int_equal(r->server.closed, 0);
	assert_int_equal(send_read(&r->server, i, buf, 1, BY_DATA), -EPIPE);
	rig_until(r, r->server.closed);
	assert_true(r->server.most_queued <= (8u << 20) + GNS_HDR_LEN + 256);
	free(buf);
	rig_free(r);
}

/* A pipe that has too little must not hang the connection. */
static void test_short_pipe(void **state)
{
	struct rig *r = rig_new(NULL);
	struct gns_msg m = { .type = GNS_READ, .reply = true, .payload_len = 5000 };
	u8 buf[5000] = { 0 };

	rig_connect(r);
	assert_int_equal(gns_conn_send(r->server.conn, &m,
				       bulk_pipe(r, buf, 4999)),
			 0);
	rig_until(r, r->server.closed && r->client.closed);
	assert_string_equal(r->server.why, "Input/output error");
	rig_free(r);
}

/* Nor a file that became shorter, and it is no SIGBUS. */
static void test_short_file(void **state)
{
	struct gns_msg m = { .type = GNS_READ, .reply = true, .payload_len = 1u << 20 };
	struct rig *r = rig_new(NULL);
	int fd = memfd_create("file", MFD_CLOEXEC);
	struct rig_bulk *b = rig_bulk(r);
	void *p;

	assert_int_equal(ftruncate(fd, 1u << 20), 0);
	p = mmap(NULL, 1u << 20, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(ftruncate(fd, 1u << 19), 0);
	b->bulk.data = p;
	rig_connect(r);
	assert_true(r->server.conn->local && r->client.conn->local);
	assert_int_equal(gns_conn_send(r->server.conn, &m, &b->bulk), 0);
	rig_until(r, r->server.closed && r->client.closed);
	assert_string_equal(r->server.why, "a file shrank while it was sent");
	assert_int_equal(r->client.messages, 0);
	munmap(p, 1u << 20);
	close(fd);
	rig_free(r);
}

static u32 fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	u32 n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void test_churn(void **state)
{
	struct rig *r = rig_new(NULL);
	u8 buf[100] = { 0 };
	u32 i, before;

	rig_connect(r);
	gns_conn_close(r->client.conn);
	r->client.conn = NULL;
	rig_until(r, r->server.closed == 1);
	before = fds();
	for (i = 2; i <= 1001; i++) {
		rig_connect(r);
		send_read(&r->client, i, buf, sizeof(buf), i % BY_END);
		if (i & 1) {
			gns_conn_close(r->client.conn);
			r->client.conn = NULL;
		} else {
			gns_conn_close(r->server.conn);
			r->server.conn = NULL;
		}
		rig_until(r, !r->server.conn && !r->client.conn);
	}
	rig_for(r, 20);
	assert_int_equal(fds(), before);
	assert_int_equal(r->accepted, 1001);
	rig_free(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_queue_limit),
		cmocka_unit_test(test_short_pipe),
		cmocka_unit_test(test_short_file),
		cmocka_unit_test(test_churn),
	};

	return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
