#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# gns.ko loads and unloads, again and again, and leaves nothing behind. What
# it would leave, the lab sees: slab objects, leaks, anything in the log.

echo 1..2
for i in 1 2 3 4 5; do
	insmod "$GNS_KMOD" && rmmod gns || break
done
[ "$i" = 5 ] && [ ! -e /sys/module/gns ] || printf 'not '
echo "ok 1 - load and unload"

insmod "$GNS_KMOD" && [ "$(</sys/module/gns/version)" != "" ] || printf 'not '
echo "ok 2 - a version; the lab unloads it"
