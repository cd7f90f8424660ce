/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One line per event, to stderr with syslog priorities when run by systemd.
 *
 * What a remote can cause is rate-limited per call site: GNS_LOG_BURST lines
 * in GNS_LOG_PERIOD_S seconds, then a count of what was left out.
 */
#ifndef GNS_LIB_LOG_H
#define GNS_LIB_LOG_H

#include "lib/types.h"

#define GNS_LOG_BURST 5
#define GNS_LOG_PERIOD_S 10

enum gns_log_level {
	GNS_LOG_ERR = 3,
	GNS_LOG_WARN = 4,
	GNS_LOG_INFO = 6,
	GNS_LOG_DEBUG = 7,
};

struct gns_log_site {
	s64 since; /* seconds */
	u32 count;
};

/** gns_log_level - lines above it are not printed; GNS_LOG_INFO at start */
extern int gns_log_level;

/**
 * gns_log() - print one line
 * @level: enum gns_log_level
 * @site:  for rate limiting; NULL: always
 * @fmt:   printf(3) format, no newline at the end
 */
void gns_log(int level, struct gns_log_site *site, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define gns_log_limited(level, ...)                                            \
	do {                                                                   \
		static struct gns_log_site site_;                              \
		if ((level) <= gns_log_level)                                  \
			gns_log(level, &site_, __VA_ARGS__);                   \
	} while (0)

#define gns_err(...) gns_log_limited(GNS_LOG_ERR, __VA_ARGS__)
#define gns_warn(...) gns_log_limited(GNS_LOG_WARN, __VA_ARGS__)
#define gns_info(...) gns_log_limited(GNS_LOG_INFO, __VA_ARGS__)
#define gns_debug(...)                                                         \
	do {                                                                   \
		if (gns_log_level >= GNS_LOG_DEBUG)                            \
			gns_log(GNS_LOG_DEBUG, NULL, __VA_ARGS__);             \
	} while (0)

#endif
