#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Mounts come and go, the module is unloaded and loaded, helpers die, all of it
# while there are readers.
# vm: timeout=240

# shellcheck source-path=SCRIPTDIR source=traffic.sh disable=SC2034,SC2154
. "$GNS_TOP/selftests/stress/traffic.sh"
TTL=4
rounds=${ROUNDS-3}
[ "$GNS_KERNEL" != debug ] || rounds=${ROUNDS-2}

traffic_tree || lab_bail "no tree"
cluster a b
traffic b
steady=$pid

# The files stay in use: a lazy umount takes the names away, and reads go on.
bad=0
for ((i = 0; i < rounds; i++)); do
	traffic a
	lab_sleep 1
	gns_umount -l "$LAB/a" || bad=1
	gns_mount a || bad=1
	lab_sleep 0.5
	traffic_ends "$pid" || bad=1
done
result $bad "umount -l: who reads goes on to read"

bad=0
for ((i = 0; i < rounds; i++)); do
	traffic a
	lab_sleep 0.5
	! gns_umount "$LAB/a" 2>/dev/null || bad=1
	rmmod gns 2>/dev/null && bad=1
	traffic_ends "$pid" || bad=1
	# What was closed last may be on its way.
	lab_until 10 gns_umount "$LAB/a" 2>/dev/null || bad=1
	gns_mount a || bad=1
done
result $bad "a mount that is read from is busy, and so is the module"

bad=0
for ((i = 0; i < rounds; i++)); do
	traffic a -e
	lab_sleep 0.5
	gns_umount -f "$LAB/a" 2>/dev/null || gns_umount -l "$LAB/a" || bad=1
	traffic_ends "$pid" || bad=1
	gns_mount a || bad=1
done
result $bad "umount -f under readers: errors, but never other bytes"

bad=0
for ((i = 0; i < rounds; i++)); do
	traffic a
	lab_sleep 0.5
	helper_kill a
	lab_sleep 0.$((RANDOM % 10))
	helper_start a || bad=1
	lab_sleep 0.5
	traffic_ends "$pid" || bad=1
done
result $bad "a helper dies: its readers see no error"

traffic_ends "$steady"
result $? "the readers of the other host saw nothing of that"

bad=0
for ((i = 0; i < rounds; i++)); do
	traffic a
	first=$pid
	traffic b
	lab_sleep 0.7
	kill -KILL "$first" "$pid"
	wait "$first" "$pid" 2>/dev/null
	# Leave in every order.
	if ((i % 2)); then
		helper_kill a || bad=1
		# umount(8) looks at the root, and there may be no lease by now.
		lab_until 10 gns_umount -f "$LAB/a" || bad=1
	else
		lab_until 10 gns_umount "$LAB/a" || bad=1
		helper_stop a || bad=1
	fi
	lab_until 10 gns_umount "$LAB/b" || bad=1
	helper_stop b || bad=1
	lab_until 20 rmmod gns 2>/dev/null || { bad=1; break; }
	insmod "$GNS_KMOD" || { bad=1; break; }
	helper_start a || bad=1
	helper_start b || bad=1
	gns_mount a || bad=1
	gns_mount b || bad=1
done
result $bad "the module is unloaded and loaded again"
lab_end
