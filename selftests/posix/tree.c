// SPDX-License-Identifier: GPL-2.0
/*
 * posix-tree: a real tree, this checkout's sources, is the same in names,
 * attributes, links and bytes; and then it is all cached.
 */
#include "both.h"
#include "host.h"
#include "lab.h"
#include "tap.h"

int main(void)
{
	struct host_status st, before;
	unsigned int n;
	u64 begin;

	lab("mkdir $EXPORT && cp -a $GNS_TOP/helperd $GNS_TOP/kmod $EXPORT");
	lab("cluster a");
	begin = lab_now();
	n = both_tree("");
	host_status("a", &before);
	tap_note("%llu ms, %llu calls", (unsigned long long)lab_ms(begin),
		 (unsigned long long)before.v[GNS_C_CALLS]);
	tap_good("%u objects are equal", n);
	begin = lab_now();
	both_tree("");
	host_status("a", &st);
	tap_note("%llu ms, %llu calls", (unsigned long long)lab_ms(begin),
		 (unsigned long long)(st.v[GNS_C_CALLS] - before.v[GNS_C_CALLS]));
	tap_good("they are equal from the cache");
	if (st.v[GNS_C_FILL_BYTES] != before.v[GNS_C_FILL_BYTES] ||
	    st.v[GNS_C_PASS_BYTES] != before.v[GNS_C_PASS_BYTES])
		tap_bad("bytes were fetched");
	tap_good("the second time no byte is fetched");
	return tap_end();
}
