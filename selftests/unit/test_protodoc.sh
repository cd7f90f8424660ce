#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PROTOCOL.md names every message, status and flag that there is. TAP.

cd "$(dirname "$0")/../../helperd/proto" || exit 2
echo "1..3"
nr=0
bad=0

# named WHAT WORD...: each word stands in the document.
named()
{
	what=$1
	shift
	nr=$((nr + 1))
	missing=
	for word in "$@"; do
		grep -q "\\b$word\\b" PROTOCOL.md || missing="$missing $word"
	done
	if [ $# -gt 3 ] && [ -z "$missing" ]; then
		echo "ok $nr - $what: all $# are in the document"
	else
		echo "not ok $nr - $what, of $#, are missing:$missing"
		bad=1
	fi
}

# shellcheck disable=SC2046
{
	named "messages" $(sed -n '/^enum gns_msg_type/,/^}/s/^\tGNS_\([A-Z]*\).*/\1/p' wire.h |
		grep -v MSG)
	named "statuses" $(sed -n '/^enum gns_status/,/^}/s/^\t\(GNS_[A-Z_]*\).*/\1/p' wire.h |
		grep -v ST_END)
	named "flags" $(sed -n 's/^#define \(GNS_\(HF\|WANT\|WR\|CR\|RN\|SA\)_[A-Z_]*\).*/\1/p' wire.h |
		grep -v _ALL)
}
exit $bad
