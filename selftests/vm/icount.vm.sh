#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The machine whose clock counts instructions.
# vm: kernel=stock icount

spin=$GNS_TOP/build/vm/spin

echo 1..2

[ "$(nproc)" = 1 ] || printf 'not '
echo "ok 1 - one CPU"

# The least of some, as the kernel has work of its own in between.
least=
for _ in 1 2 3 4 5; do
	ns=$("$spin" 100000) || exit 1
	echo "# 200,000 instructions in $ns ns"
	[ -n "$least" ] && ((least <= ns)) || least=$ns
done
((least >= 200000 && least < 201000)) || printf 'not '
echo "ok 2 - a nanosecond each"
