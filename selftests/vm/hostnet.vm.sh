#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The guest's way to the host's loopback, and to nothing beyond.
# vm: kernel=stock,6.1,fast host-net

echo 1..2

# Nobody listens at port 1 there; that the host says so needs a way to it.
{ exec 3<>"/dev/tcp/$GNS_HOST/1"; } 2>error
grep -q refused error || { cat error; printf 'not '; }
echo "ok 1 - the host answers"

# A test network's address (RFC 5737): no route, so it is refused at once.
{ exec 3<>/dev/tcp/192.0.2.1/80; } 2>error
grep -q unreachable error || { cat error; printf 'not '; }
echo "ok 2 - no way out"
