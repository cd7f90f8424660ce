# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# After cluster.sh, for a test that wants `beside`: its origin is in the machine
# beside this one, with a kernel, a clock and a disk of its own. All that
# cluster.sh has works as before. In the namespace o there is no origin, but
# its end of the cable, so that net_cut and net_link of o work, and the address
# 10.9.0.250 for who wants to be near the origin.
#
#	beside_start		before the cluster: boots it, with an empty disk
#	at_origin command...	there; its output is in $LAB/beside.out, too
#	beside_cut		it loses power: what is not on the disk is lost
#	beside_boot		after beside_cut; no daemon yet
#	beside stop | go	it stands still, its clock does not
#	beside freeze | thaw	its clock does as well
#
# $EXPORT and $LAB are its own there: quote them.
#
# Why a machine, and no process of the host: to lose power means that a kernel
# is gone at once, with its page cache and its journal, and there is no honest
# way to do that to the host's. It also needs no network of the host, nothing
# there listens, and who runs the test needs no right that he does not have.

beside_near=10.9.0.250
beside_boot_seconds=120

# beside COMMAND...: of ../vm/beside.c. Return: its status.
beside()
{
	local line

	: >"$LAB/beside.out"
	echo "${*//$'\n'/ }" >&9 || return
	while IFS= read -r -t "$beside_boot_seconds" -u 9 line; do
		case $line in
		"| "*)	echo "${line#| }" >>"$LAB/beside.out" ;;
		"= "*)	return "${line#= }" ;;
		esac
	done
	echo "the machine beside does not answer"
	return 1
}

at_origin()
{
	local status

	beside run "$*"
	status=$?
	cat "$LAB/beside.out"
	return "$status"
}

beside_open()
{
	local dir name

	for dir in /sys/class/virtio-ports/*; do
		read -r name <"$dir/name"
		[ "$name" != gns.beside ] || beside_port=/dev/${dir##*/}
	done
	# Not {beside_port}: below lab_run that is a number which is not free.
	[ -n "${beside_port-}" ] && exec 9<>"$beside_port" || return
	# Of a test before this one.
	while IFS= read -r -t 0.2 -u 9 name; do
		:
	done
}

beside_start()
{
	beside_open || return
	[ ! -e /run/beside.used ] || beside cut || return
	: >/run/beside.used
	beside boot && at_origin disk_new
}

beside_card()
{
	local dir mac

	for dir in /sys/class/net/*; do
		read -r mac <"$dir/address"
		[ "$mac" != 02:09:00:00:02:01 ] || echo "${dir##*/}"
	done
}

# After net_start. The origin's link is as it was; behind it is the cable.
beside_plug()
{
	local card

	card=$(beside_card)
	[ -n "$card" ] || return 0	# it is done
	/sbin/modprobe -q -a virtio_net bridge || :
	/sbin/ip link set "$card" netns o name cable &&
		/sbin/ip -n o -batch - < <(
			echo "addr flush dev eth0"
			echo "link set eth0 address 02:09:00:00:01:01"
			echo "link add name near address 02:09:00:00:01:02 type bridge"
			echo "link set eth0 master near"
			echo "link set cable master near up"
			echo "link set near up"
			echo "addr add $beside_near/24 dev near"
			echo "neigh replace $ORIGIN lladdr 02:09:00:00:00:01 nud permanent dev near"
			for i in 2 3 4 5 6 7 8 9; do
				echo "neigh replace 10.9.0.$i lladdr 02:09:00:00:00:0$i nud permanent dev near"
			done
		) &&
		# A bridge notices only some time later that a port is up.
		on o ping -q -c 1 -i 0.2 -w 10 "$ORIGIN" >/dev/null
}

beside_cut()
{
	beside cut
}

beside_boot()
{
	beside boot && at_origin disk_again
}

# In place of those of cluster.sh.

origin_start()
{
	beside_plug && at_origin "TTL=$TTL; origin_start $*"
}

origin_stop()
{
	at_origin origin_stop
}

origin_kill()
{
	at_origin origin_kill
}

eval "here_$(declare -f daemon_signal)"
daemon_signal()
{
	if [ "$1" = o ]; then
		at_origin "daemon_signal o $2"
	else
		here_daemon_signal "$@"
	fi
}

eval "here_$(declare -f lab_logs)"
lab_logs()
{
	here_lab_logs
	beside run lab_logs && cat "$LAB/beside.out"
}
