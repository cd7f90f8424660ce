// SPDX-License-Identifier: GPL-2.0
/*
 * The items of REVALIDATE (first byte even) and of its answer (odd): what is
 * accepted has one encoding only.
 */
#include <errno.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct gns_reval r;
	size_t at = 0;
	bool reply;
	u8 *p, *buf;
	int n, m;

	if (!size)
		return 0;
	reply = *data++ & 1;
	size--;
	p = fuzz_copy(data, size);
	buf = malloc(size + 1);
	FUZZ_CHECK(buf, "no memory");
	while ((n = gns_reval_get(p + at, size - at, &r, reply)) >= 0) {
		FUZZ_CHECK(n && r.fh.len && r.fh.len <= GNS_FH_MAX,
			   "a bad handle was accepted");
		m = gns_reval_put(buf, size - at, &r, reply);
		FUZZ_CHECK(m == n && !memcmp(buf, p + at, n), "other bytes");
		m = gns_reval_put(buf, n - 1, &r, reply);
		FUZZ_CHECK(m == -ENOSPC, "fits in less than it needs: %d", m);
		at += n;
	}
	FUZZ_CHECK(n == -EBADMSG, "refused with %d", n);
	free(buf);
	free(p);
	return 0;
}
