// SPDX-License-Identifier: GPL-2.0
/*
 * Statuses of replies, in words.
 */
#include <string.h>

#include "proto/msg.h"

const char *gns_status_str(u32 status)
{
	switch (status) {
	case GNS_OK:
		return "ok";
	case GNS_ST_DEAD:
		return "the origin knows no such session";
	case GNS_ST_VERSION:
		return "no protocol version in common";
	case GNS_ST_NOEXPORT:
		return "the origin has no such export";
	case GNS_ST_REFUSED:
		return "the origin refused access to the export";
	case GNS_ST_NOTEXT:
		return "the origin waits for a lease to be released";
	case GNS_ST_STALESLOT:
		return "a newer change used this slot";
	case GNS_ST_UNKNOWN:
		return "the origin can not tell whether the change ran";
	case GNS_ST_LOST:
		return "the origin lost power before the data was synced";
	case GNS_ST_AGAIN:
		return "the origin wants to be asked again";
	}
	return strerror((int)status);
}
