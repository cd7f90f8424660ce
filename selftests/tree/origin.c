// SPDX-License-Identifier: GPL-2.0
/*
 * tree-origin: the origin role as the daemon runs it, and in the same process
 * the plain servers that it is measured against.
 *
 *	tree-origin EXPORT PATH STATE FILE
 *
 * FILE is what the plain servers stream. It prints "gns PORT plain PORT" and
 * serves until its standard input ends.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "lib/loop.h"
#include "origin/origin.h"
#include "origin/posix.h"
#include "origin/store.h"
#include "plain.h"
#include "transport/tcp.h"

static int accepted(void *arg, struct gns_conn *conn)
{
	return gns_origin_accept(arg, conn);
}

static void input_ended(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	uv_stop(p->loop);
}

int main(int argc, char **argv)
{
	struct gns_posix_config pcfg = { 0 };
	struct gns_posix_export ex = { 0 };
	struct gns_origin_config ocfg = { 0 };
	struct gns_tcp_listener *l;
	struct gns_addr addr;
	struct gns_origin *o;
	struct gns_env *env;
	struct gns_tcp *tcp;
	struct gns_fs *fs;
	struct gns_db *db;
	uv_poll_t in;
	uv_loop_t uv;
	char err[256], text[64];

	if (argc != 5)
		die("usage: tree-origin EXPORT PATH STATE FILE");
	signal(SIGPIPE, SIG_IGN);
	setenv("UV_THREADPOOL_SIZE", "32", 0);
	if (uv_loop_init(&uv))
		die("no loop");
	env = gns_loop_create(&uv);
	tcp = gns_tcp_create(&uv, NULL);
	gns_random_bytes(pcfg.key, sizeof(pcfg.key));
	gns_random_bytes(&ocfg.boot_id, sizeof(ocfg.boot_id));
	fs = gns_posix_create(&uv, &pcfg);
	ex.name = argv[1];
	ex.path = argv[2];
	if (!env || !tcp || !fs || gns_posix_export(fs, &ex, err, sizeof(err)))
		die("%s", err);
	db = gns_store_open(&uv, argv[3], err, sizeof(err));
	if (!db)
		die("%s", err);
	o = gns_origin_create(env, fs, db, &ocfg);
	if (!o)
		die("the origin does not start");
	if (gns_addr_resolve("127.0.0.1:0", &addr, 1, err, sizeof(err)) < 1)
		die("%s", err);
	l = gns_tcp_listen(tcp, &addr, accepted, o);
	if (!l)
		die("can not listen");
	gns_tcp_listener_addr(l, &addr);
	gns_addr_str(&addr, text, sizeof(text));
	printf("gns %s plain %d\n", text, plain_serve(argv[4]));
	fflush(stdout);
	uv_poll_init(&uv, &in, 0);
	uv_poll_start(&in, UV_READABLE, input_ended);
	uv_run(&uv, UV_RUN_DEFAULT);
	/* The process ends here, as a crash would end it. */
	return 0;
}
