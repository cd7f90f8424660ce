// SPDX-License-Identifier: GPL-2.0
/*
 * The source of a mount is checked here as well as in the kernel: here is where
 * the right form can be shown.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <linux/gns.h>

#include "mount_source.h"

/* The last ":/": an origin has none in it. */
static const char *find_export(const char *source)
{
	const char *found = NULL, *p = source;

	while ((p = strstr(p, ":/")))
		found = p++;
	return found;
}

static bool all_of(const char *s, size_t len, const char *more)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (!isalnum((unsigned char)s[i]) && !strchr(more, s[i]))
			return false;
	}
	return true;
}

static const char *check_port(const char *port, size_t len)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < len && isdigit((unsigned char)port[i]) && n < 65536; i++)
		n = n * 10 + port[i] - '0';
	if (!len || i < len || !n || n > 65535)
		return "the port is a number from 1 to 65535";
	return NULL;
}

static const char *check_origin(const char *origin, size_t len)
{
	const char *colon = memchr(origin, ':', len);
	const char *end = origin + len, *bracket;

	if (!len)
		return "there is no host before the first colon";
	if (len > GNS_UNAME_MAX)
		return "the name of the origin has more than 255 bytes";
	if (*origin == '[') {
		bracket = memchr(origin, ']', len);
		if (!bracket || bracket == origin + 1)
			return "there is no address in the brackets";
		if (!all_of(origin + 1, bracket - origin - 1, ":.%-_"))
			return "what is in the brackets is no address";
		if (bracket + 1 == end)
			return NULL;
		if (bracket[1] != ':')
			return "after the brackets comes a colon";
		return check_port(bracket + 2, end - bracket - 2);
	}
	if (colon && memchr(colon + 1, ':', end - colon - 1))
		return "an IPv6 address stands in brackets: [::1]:/export";
	if (colon == origin)
		return "there is no host before the first colon";
	if (!all_of(origin, (colon ? colon : end) - origin, ".-_"))
		return "the host is a name or an address";
	return colon ? check_port(colon + 1, end - colon - 1) : NULL;
}

const char *mount_source_check(const char *source)
{
	const char *at = find_export(source), *export, *wrong;
	size_t i;

	if (!at)
		return "there is no \":/\" in it";
	wrong = check_origin(source, at - source);
	if (wrong)
		return wrong;
	export = at + 2;
	if (!*export)
		return "there is no export after the \":/\"";
	if (strlen(export) > GNS_UNAME_MAX)
		return "the name of the export has more than 255 bytes";
	for (i = 0; export[i]; i++) {
		if (!isgraph((unsigned char)export[i]) ||
		    strchr("/=,", export[i]))
			return "the name of an export has no blanks, slashes, '=' and ','";
	}
	return NULL;
}
