# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A network of hosts inside one guest, for tests to source. Each host is a
# network namespace with one interface, eth0; a bridge in a namespace of its
# own joins them. What a link does to packets is set at the end that sends
# them, so that each direction can be slow, lossy or cut by itself.
#
#	net_start a b c			hosts 10.9.0.1, .2, .3
#	net_ip b			prints 10.9.0.2
#	net_run a command...		runs it on that host
#	net_link a delay 5ms loss 1%	both directions, as tc-netem(8) has it
#	net_link a			both directions as new
#	net_cut a [in|out]		drops all packets; default both
#	net_heal a [in|out]		as net_link had it before
#	net_unplug a | net_plug a	carrier off and on, which both ends see
#	net_stop
#
# A delay counts once for each link it passes: 5ms on one host makes a round
# trip of 10ms. All ends with the test, as the lab ends its processes and
# mounts; net_stop is for a test that goes on without the network.

netlab_ip=/sbin/ip
netlab_tc=/sbin/tc
netlab_switch=netlab
netlab_hosts=()
declare -A netlab_qdisc=()	# by host: what net_link said

net_ip()
{
	local i

	for i in "${!netlab_hosts[@]}"; do
		[ "${netlab_hosts[i]}" != "$1" ] || echo "10.9.0.$((i + 1))"
	done
}

# Of the two ends, eth0 in the host sends out; the switch's port sends in.
# To replace the discipline is one step, so no packet slips through; a rate would
# stay if it was not said.
netlab_set()
{
	local host=$1 way=$2 ns dev
	shift 2

	case $way in
	out)	ns=$host dev=eth0 ;;
	in)	ns=$netlab_switch dev=$host ;;
	*)	echo "netlab: no direction '$way'" >&2; return 2 ;;
	esac
	"$netlab_tc" -n "$ns" qdisc replace dev "$dev" root netem \
		limit 100000 rate 0 "$@"
}

netlab_both()
{
	local host=$1 way=$2
	shift 2

	[ "$way" = in ] || netlab_set "$host" out "$@" || return
	[ "$way" = out ] || netlab_set "$host" in "$@"
}

# All know each other's addresses: a lost ARP would cost all packets of a second
# and make of a little loss a lot.
netlab_neighbours()
{
	local i

	for ((i = 1; i <= ${#netlab_hosts[@]}; i++)); do
		[ "$i" = "$1" ] ||
			echo "neigh add 10.9.0.$i lladdr 02:09:00:00:00:$i nud permanent dev eth0"
	done
}

# Few processes, each of many steps: one costs 20 ms in an emulated machine.
net_start()
{
	local host i=0

	netlab_hosts=("$@")
	# Not there on kernels that have them built in.
	/sbin/modprobe -q -a veth bridge sch_netem || :
	# The names of a test before this one are still there, and nothing else.
	mount -t tmpfs netns /run/netns || return
	"$netlab_ip" -batch - < <(printf 'netns add %s\n' "$netlab_switch" "$@") ||
		return
	"$netlab_ip" -n "$netlab_switch" -batch - < <(
		echo link add name br0 type bridge
		echo link set br0 up
		for host; do
			echo link add name "$host" type veth peer name eth0 netns "$host"
			echo link set dev "$host" master br0 up
		done
	) || return
	for host; do
		i=$((i + 1))
		"$netlab_ip" -n "$host" -batch - < <(
			echo link set lo up
			echo "link set eth0 address 02:09:00:00:00:$i up"
			echo "addr add 10.9.0.$i/24 dev eth0"
			netlab_neighbours "$i"
		) || return
	done
}

net_run()
{
	local host=$1
	shift

	"$netlab_ip" netns exec "$host" "$@"
}

net_link()
{
	local host=$1
	shift

	netlab_qdisc[$host]=$*
	netlab_both "$host" both "$@"
}

net_cut()
{
	netlab_both "$1" "${2-both}" loss 100%
}

net_heal()
{
	# shellcheck disable=SC2086 # words for tc
	netlab_both "$1" "${2-both}" ${netlab_qdisc[$1]-}
}

net_unplug()
{
	"$netlab_ip" -n "$netlab_switch" link set dev "$1" down
}

net_plug()
{
	"$netlab_ip" -n "$netlab_switch" link set dev "$1" up
}

net_stop()
{
	local host

	for host in "${netlab_hosts[@]}" "$netlab_switch"; do
		"$netlab_ip" netns del "$host"
	done
	netlab_hosts=()
	netlab_qdisc=()
}
