#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The emulated drives: as many as asked for, as large, and as slow.
# vm: kernel=stock,6.1,fast nvme=2:64:8388608

echo 1..3

[ -b /dev/nvme0n1 ] && [ -b /dev/nvme1n1 ] && [ ! -e /dev/nvme2n1 ] || printf 'not '
echo "ok 1 - two drives"

[ "$(</sys/block/nvme0n1/size)" = $((64 * 2048)) ] || printf 'not '
echo "ok 2 - of 64 MiB"

# QEMU lets a burst of a tenth of a second through before it throttles.
start=${EPOCHREALTIME/.}
dd if=/dev/nvme0n1 of=/dev/null bs=1M count=16 iflag=direct status=none || exit 1
us=$((${EPOCHREALTIME/.} - start))
echo "# 16 MiB in $us us"
((us > 1500000 && us < 20000000)) || printf 'not '
echo "ok 3 - throttled to 8 MiB a second"
