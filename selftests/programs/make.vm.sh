#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make -j2 of a program on a mount, with the compiler's many small files; the
# other satellite runs it.
# vm: kernel=6.1 timeout=900

. "$GNS_TOP/selftests/programs/beside.sh"

beside

take_sources()
{
	mkdir "$1/src" "$1/src/helperd" &&
		cp -r "$GNS_TOP/tools" "$GNS_TOP/uapi" "$1/src" &&
		cp -r "$GNS_TOP/helperd/lib" "$1/src/helperd"
}

compile()
{
	make -s -j2 -C "$1/src/tools" CFLAGS=-O0 "${@:2}"
}

for dir in "$L" "$A"; do
	good "sources in ${dir#"$LAB/"}" take_sources "$dir"
done
for dir in "$L" "$B"; do
	good "make -j2 in ${dir#"$LAB/"}" compile "$dir"
done
for program in mount.gns gnsctl; do
	cmp "$L/src/build/obj/tools/$program" "$A/src/build/obj/tools/$program"
	result $? "$program is the same on both"
done
[[ $("$A/src/build/obj/tools/gnsctl" --version) == *[0-9]* ]]
result $? "the other satellite runs it"
good "nothing is left to make" compile "$B" -q
touch "$A/src/tools/units.h"
! compile "$B" -q >/dev/null 2>&1
result $? "until one satellite changes a header"
good "make again" compile "$B"
good "nothing is left to make" compile "$B" -q
good "make clean" compile "$A" clean
[ ! -e "$B/src/build/obj/tools/gnsctl" ]
result $? "and it is gone"
lab_end
