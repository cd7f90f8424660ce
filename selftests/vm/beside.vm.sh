#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The machine beside: is it reached, does it lose power as real ones do, and
# stand still?
# vm: kernel=stock,6.1,fast timeout=120 beside

. "$GNS_TOP/selftests/lib/cluster.sh"
. "$GNS_TOP/selftests/lib/beside.sh"

beside_start || lab_bail "it does not start"
net_start o a b && beside_plug ||
	lab_bail "no cable to it"

reached()
{
	on "$1" ping -q -c 1 -i 0.2 -w 2 "$ORIGIN" >/dev/null
}

reached a && reached o
result $? "it is reached from a satellite, and from its end of the cable"

net_cut o out
! reached a
result $? "its link can be cut"
net_heal o out

at_origin 'echo kept >$EXPORT/kept; sync $EXPORT/kept; sync -f $EXPORT;
	echo lost >$EXPORT/lost' && beside_cut && beside_boot &&
	at_origin 'cat $EXPORT/kept; cat $EXPORT/lost 2>/dev/null; :'
[ "$(<"$LAB/beside.out")" = kept ]
result $? "without power what was not synced is lost, and nothing else"

# How many ms its clock went on for, around what is done to it.
uptime_there()
{
	at_origin 'read up rest </proc/uptime; echo ${up/.}0'
}

stands_still()
{
	local before after

	before=$(uptime_there)
	beside "$1"
	! reached b || return
	lab_sleep 3
	beside "$2"
	after=$(uptime_there)
	passed=$((after - before))
}

stands_still stop go && [ "$passed" -gt 4500 ]
result $? "it stood still for 5 s, and its clock went on: $passed ms"

stands_still freeze thaw && [ "$passed" -lt 2500 ]
result $? "it stood still for 5 s, and so did its clock: $passed ms"
lab_end
