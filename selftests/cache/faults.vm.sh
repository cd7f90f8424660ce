#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Drives that fail while they are read from and written to: now and then, in some
# places, for good, and by being pulled out. Nobody reads a wrong byte, or sees
# an error.
# vm: kernel=fast,debug nvme=2:64 own-boot timeout=300 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

export DM_DISABLE_UDEV=1 # there is none here
sound=/dev/nvme0n1
drive=/dev/nvme1n1
m=$LAB/a
fail=/sys/kernel/debug/fail_make_request

# reads [option]: all files, past memory; they are right. -d: by O_DIRECT.
reads()
{
	local f

	for f in "$EXPORT"/*; do
		if [ "$1" = -d ]; then
			dd if="$m/${f##*/}" bs=1M iflag=direct status=none
		else
			cat "$m/${f##*/}"
		fi | cmp - "$f" || return
	done
}

# load TIMES: both ways at once
load()
{
	local i reader ok=0

	for ((i = 0; i < $1; i++)); do
		cold
		reads -d &
		reader=$!
		reads || ok=1
		wait $reader || ok=1
	done
	return $ok
}

# with TABLE: the drive, formatted, behind it and mounted beside a sound one; one
# that fails now and then may fail just then
with()
{
	"$gnsctl" cache format --force $sound $drive >/dev/null &&
		dmsetup create bad --table "$1" || return
	lab_until 5 gns_mount a "cache=$sound:/dev/mapper/bad" 2>/dev/null
}

without()
{
	gns_umount "$m" && dmsetup remove bad
}

said()
{
	dmesg | grep -qF "$1"
}

mkdir "$EXPORT"
for i in {1..4}; do
	head -c $((i * 500001)) /dev/urandom >"$EXPORT/$i"
done
modprobe -a dm_mod dm_flakey dm_dust 2>/dev/null
size=$(blockdev --getsz $drive)
cluster_start a
origin_start && helper_start a || lab_bail "no daemon"

with "0 $size flakey $drive 0 1 1" || lab_bail "no flakey drive"
load 3
result $? "a drive that fails every other second"
[ "$(count cache_bytes)" -gt 0 ] && [ "$(count direct_bytes)" -gt 0 ]
result $? "and was of use"
without

with "0 $size dust $drive 0 4096" || lab_bail "no dusty drive"
load 1
for ((i = 300; i < 4000; i += 40)); do
	echo $i
done | xargs -I{} dmsetup message bad 0 addbadblock {} >/dev/null 2>&1
dmsetup message bad 0 enable
load 2
result $? "a drive with bad blocks"
without

with "0 $size linear $drive 0" || lab_bail "no drive"
load 1
mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
echo 50 >$fail/probability
echo -1 >$fail/times
echo 0 >$fail/verbose
echo 1 >/sys/block/nvme1n1/make-it-fail
given_up='errors: it is not used any more'
for ((n = 0; n < 30; n++)); do
	load 1 || break
	said "$given_up" && break
done
[ $n -lt 30 ] && said "$given_up"
result $? "every other request fails: given up after some errors"
echo 0 >$fail/probability
begun=$(awk '{ print $1 + $5 }' /sys/block/nvme1n1/stat)
load 1
result $? "all is right without it"
[ "$(awk '{ print $1 + $5 }' /sys/block/nvme1n1/stat)" = "$begun" ]
result $? "and it is not asked again"
without

with "0 $size linear $drive 0" || lab_bail "no drive"
load 1
dmsetup remove --force bad 2>/dev/null
load 1
result $? "a drive whose table is gone"
gns_umount "$m"
dmsetup remove bad 2>/dev/null

"$gnsctl" cache format --force $sound $drive >/dev/null &&
	gns_mount a "cache=$sound:$drive" || lab_bail "no mount"
load 1
pci=$(realpath /sys/block/nvme1n1/device/device)
echo 1 >"$pci/remove" &
remover=$!
load 2
result $? "a drive that is pulled out"
gns_umount "$m" && wait $remover
result $? "unmounted without it"
"$gnsctl" cache check $sound
result $? "the sound one is right"
lab_end
