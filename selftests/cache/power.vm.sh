#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Loss of power: a log of all that is written to a drive is cut at hundreds of
# places, with and without the writes that no flush has made durable. What is
# left names nothing that it has not, and what mounts read from it is right.
# vm: kernel=stock nvme=1:33 timeout=500 mem=1536

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

export DM_DISABLE_UDEV=1 # there is none here
power=$GNS_TOP/build/obj/selftests/cache/cache-power
drive=/dev/nvme0n1
m=$LAB/a
files=110

modprobe -a dm_mod dm_log_writes loop
mkdir "$EXPORT"
truncate -s 400M "$LAB/log"
log=$(losetup -f --show "$LAB/log") || lab_bail "no loop device"
size=$(blockdev --getsz $drive)
dd if=$drive iflag=direct of="$LAB/before" bs=1M status=none # whatever another test has left
echo "0 $size log-writes $drive $log" | dmsetup create logged &&
	"$gnsctl" cache format --force /dev/mapper/logged || lab_bail "no cache"
cluster_start a b
origin_start && helper_start a && helper_start b && gns_mount b &&
	gns_mount a cache=/dev/mapper/logged || lab_bail "no mount"

# Three generations, each read until the ones before it are not held any more.
for generation in 1 2 3; do
	"$power" make "$LAB/b" $files $generation
	for pass in 1 2 3; do
		cold
		"$power" check "$m" || break 2
	done
done
[ $pass = 3 ] && [ "$(count cache_bytes)" -gt 0 ]
result $? "three generations of files came and went"
gns_umount "$m"
"$power" check "$LAB/b"
dmsetup remove logged
"$gnsctl" cache check $drive && "$power" same "$LAB/log" $drive
result $? "the drive, and the log has all that is on it"

cp "$LAB/before" "$LAB/image"
"$power" cut "$LAB/log" "$LAB/image" 540 1 >"$LAB/said"
result $? "after each cut what is there is right"
cat "$LAB/said"
[ "$(sed -n 's/^# \([0-9]*\) points.*/\1/p' "$LAB/said")" -ge 500 ]
result $? "500 cuts at least"

# Mounts on what is left: all is right, and some of it came from there.
used=0
for at in 35 70 99; do
	cp "$LAB/before" "$LAB/image"
	"$power" stop "$LAB/log" "$LAB/image" $at $at &&
		"$gnsctl" cache check "$LAB/image" >"$LAB/said" || break
	loop=$(losetup -f --show "$LAB/image")
	gns_mount a "cache=$loop" && "$power" check "$m" || break
	used=$((used + $(count cache_bytes)))
	gns_umount "$m" && "$gnsctl" cache check "$loop" >"$LAB/said" || break
	losetup -d "$loop"
	at=
done
[ -z "$at" ] && [ $used -gt 0 ]
result $? "mounts after a cut read $used bytes from there, and all is right"
gns_umount "$LAB/b"
losetup -d "$log"
lab_end
