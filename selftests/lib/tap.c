// SPDX-License-Identifier: GPL-2.0
/*
 * TAP; see tap.h.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "tap.h"

#define BAD_SHOWN 10u

static pthread_mutex_t lock;
static unsigned int results, failures, bad;

__attribute__((constructor)) static void init(void)
{
	pthread_mutex_init(&lock, NULL);
}

static void line(const char *head, const char *fmt, va_list ap)
{
	char text[1024], *p;

	vsnprintf(text, sizeof(text), fmt, ap);
	for (p = text; *p; p++)
		if (*p == '\n')
			*p = ' ';
	printf("%s%s\n", head, text);
	fflush(stdout);
}

static bool result(bool good, const char *fmt, va_list ap)
{
	char head[64];

	results++;
	failures += !good;
	snprintf(head, sizeof(head), "%sok %u - ", good ? "" : "not ", results);
	line(head, fmt, ap);
	return good;
}

bool tap_ok(bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pthread_mutex_lock(&lock);
	result(good, fmt, ap);
	pthread_mutex_unlock(&lock);
	va_end(ap);
	return good;
}

void tap_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pthread_mutex_lock(&lock);
	line("# ", fmt, ap);
	pthread_mutex_unlock(&lock);
	va_end(ap);
}

void tap_bad(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pthread_mutex_lock(&lock);
	if (bad++ < BAD_SHOWN)
		line("# ! ", fmt, ap);
	pthread_mutex_unlock(&lock);
	va_end(ap);
}

bool tap_good(const char *fmt, ...)
{
	va_list ap;
	bool good;

	va_start(ap, fmt);
	pthread_mutex_lock(&lock);
	if (bad > BAD_SHOWN)
		printf("# ! and %u more\n", bad - BAD_SHOWN);
	good = result(!bad, fmt, ap);
	bad = 0;
	pthread_mutex_unlock(&lock);
	va_end(ap);
	return good;
}

bool tap_is_bad(void)
{
	return bad;
}

int tap_end(void)
{
	printf("1..%u\n", results);
	fflush(stdout);
	return failures || !results;
}
