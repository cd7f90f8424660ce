#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The demo on a small tree, so that it can not rot.
# vm: timeout=180

# A kernel that checks everything may stand still for longer than three seconds.
ttl=3
[ "$GNS_KERNEL" != debug ] || ttl=10
cat >"$TMPDIR/settings" <<END
tree="helperd kmod tools uapi"
large=8388608
rtt=10
ttl=$ttl
END
exec "$GNS_TOP/selftests/demo/guest" "$TMPDIR/settings"
