// SPDX-License-Identifier: GPL-2.0
/*
 * The entries in a READDIR answer: what is accepted has one encoding only.
 */
#include <errno.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 *p = fuzz_copy(data, size), *buf = malloc(size + 1);
	struct gns_dirent d;
	size_t at = 0;
	int n, m;

	FUZZ_CHECK(buf, "no memory");
	while ((n = gns_dirent_get(p + at, size - at, &d)) >= 0) {
		FUZZ_CHECK(n && d.name.len && d.name.len <= GNS_NAME_MAX,
			   "a name of %u bytes was accepted", d.name.len);
		FUZZ_CHECK(!memchr(d.name.p, 0, d.name.len),
			   "a name with a NUL was accepted");
		m = gns_dirent_put(buf, size - at, &d);
		FUZZ_CHECK(m == n && !memcmp(buf, p + at, n), "other bytes");
		m = gns_dirent_put(buf, n - 1, &d);
		FUZZ_CHECK(m == -ENOSPC, "fits in less than it needs: %d", m);
		at += n;
	}
	FUZZ_CHECK(n == -EBADMSG, "refused with %d", n);
	free(buf);
	free(p);
	return 0;
}
