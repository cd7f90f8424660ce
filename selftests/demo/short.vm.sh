#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The demo on a small tree, so that it can not rot.
# vm: kernel=stock,6.1,fast timeout=180

cat >"$TMPDIR/settings" <<END
tree="helperd kmod tools uapi"
large=8388608
rtt=10
ttl=3
END
exec "$GNS_TOP/selftests/demo/guest" "$TMPDIR/settings"
