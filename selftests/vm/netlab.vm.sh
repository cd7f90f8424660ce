#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The network lab itself: three hosts, delay, loss, and cuts in each direction.
# vm: kernel=stock,6.1,fast timeout=90

. "$GNS_TOP/selftests/vm/netlab.sh"
rtt=$GNS_TOP/build/vm/rtt
number=0

result()
{
	local good=$1 what=$2

	number=$((number + 1))
	[ "$good" = 0 ] || printf 'not '
	echo "ok $number - $what"
}

# probe FROM TO COUNT [MS]: sets $answered and $median (microseconds). An answer
# that must come has time, as the machine may be loaded.
probe()
{
	read -r answered median < <(net_run "$1" "$rtt" "$(net_ip "$2")" "$3" "${4-2000}")
	echo "# $1 to $2: $answered of $3 answered, median $median us"
}

echo 1..10

net_start a b c || exit 1
result 0 "three hosts"

for host in b c; do
	exec {fd}< <(net_run "$host" "$rtt" serve)
	read -r -u "$fd" _
done

probe a b 20
[ "$answered" = 20 ]
result $? "every packet is answered"

net_link b delay 20ms
probe a b 10
((answered == 10 && median >= 40000 && median < 400000))
result $? "20 ms on one link are 40 ms of a round trip"

probe a c 10
((answered == 10 && median < 20000))
result $? "a link that was not touched stays quick"

net_cut b in
probe a b 2 300
cut=$answered
net_heal b in
probe a b 2
((cut == 0 && answered == 2))
result $? "cut towards a host, and healed"

net_cut b out
probe a b 2 300
[ "$answered" = 0 ]
result $? "cut from a host"

net_heal b
probe a b 10
((answered == 10 && median >= 40000))
result $? "healed, with its delay"

net_link b loss 50%
probe a b 30 200
((answered > 0 && answered < 25))
result $? "half of the packets lost, each way"
net_link b

net_unplug c
probe a c 2 300
gone=$answered
net_plug c
probe a c 10
((gone == 0 && answered > 0))
result $? "unplugged and plugged"

net_stop
[ -z "$(/sbin/ip netns list)" ]
result $? "gone"
