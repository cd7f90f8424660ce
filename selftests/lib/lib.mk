# SPDX-License-Identifier: GPL-2.0
#
# Included by the Makefiles of tests: what their programs are linked with.

lab-srcs := $(addprefix ../lib/,change.c host.c lab.c tap.c traffic.c watch.c) ../tree/client.c \
	$(addprefix ../../helperd/,lib/genl.c lib/log.c lib/loop.c \
	proto/acl.c proto/codec.c proto/fields.c proto/framer.c proto/layout.c \
	proto/status.c transport/tcp.c transport/tcp_addr.c \
	transport/tcp_conn.c transport/tcp_connect.c transport/tcp_listen.c \
	transport/tcp_send.c \
	satellite/fetch.c satellite/link.c satellite/request.c \
	satellite/session.c)
local-cflags = -I$(top)/selftests/lib -I$(top)/selftests/tree
