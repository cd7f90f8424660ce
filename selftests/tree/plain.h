/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What gns over TCP is measured against: a plain stream, and a bare echo.
 *
 * One request opens a connection of its own: a letter and two numbers. 'M':
 * so many bytes of a file that is mapped are sent by send(2), 1 MiB a call;
 * 'F': by sendfile(2). A buffer that fits the CPU's caches would be no
 * measure for a file that does not. 'E': messages of the first
 * number's bytes are answered with messages of the second's, until the end.
 */
#ifndef GNS_TREE_PLAIN_H
#define GNS_TREE_PLAIN_H

#include "lib/types.h"

struct plain_request {
	char what;
	char pad[7];
	u64 a;
	u64 b;
};

/**
 * plain_serve() - serve on a free loopback port, in threads of its own
 * @path: the file to stream
 *
 * Return: the port.
 */
int plain_serve(const char *path);

/**
 * plain_stream() - take the file's bytes from it
 * @port:  of plain_serve()
 * @how:   'M' or 'F'
 * @bytes: at most the file's size
 *
 * Return: seconds.
 */
double plain_stream(int port, char how, u64 bytes);

/**
 * plain_echo() - send messages and take the answers
 * @port:  of plain_serve()
 * @req:   bytes of a message
 * @rep:   bytes of an answer
 * @depth: messages on their way at once
 * @count: messages in all
 *
 * Return: seconds.
 */
double plain_echo(int port, u32 req, u32 rep, u32 depth, u64 count);

#endif
