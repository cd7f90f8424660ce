#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Epochs over more than the drives hold: what they hold is read from them in
# each, and hardly anything is written after the first. Changes, revokes and a
# helper that dies in between take nothing but what they are about.
# vm: nvme=2:33 timeout=400 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"

drives=/dev/nvme0n1:/dev/nvme1n1
m=$LAB/a
files=60
file_size=2097152

count()
{
	cat /sys/fs/gns/"$nr"/counters/"$1"
}

# Sectors that were written to both drives.
written()
{
	awk '{ n += $7 } END { print n }' /sys/block/nvme[01]n1/stat
}

# epoch: all files, in an order of its own; prints bytes from the drives
epoch()
{
	local before

	before=$(count cache_bytes)
	echo 1 >/proc/sys/vm/drop_caches
	(cd "$m" && shuf "$LAB/wanted" | sha256sum --quiet -c) || return
	echo $(($(count cache_bytes) - before))
}

mkdir "$EXPORT"
for ((i = 0; i < files; i++)); do
	head -c $file_size /dev/urandom >"$EXPORT/$i"
done
(cd "$EXPORT" && sha256sum -- *) >"$LAB/wanted"
"$gnsctl" cache format --force /dev/nvme0n1 /dev/nvme1n1 ||
	lab_bail "no cache"
cluster_start a b
origin_start && helper_start a && helper_start b &&
	gns_mount a "cache=$drives" || lab_bail "no mount"
nr=$(basename "$(dirname /sys/fs/gns/*/counters)")
gns_mount b || lab_bail "no mount"

epoch >/dev/null && sleep 1
result $? "the first epoch"
room=$((2 * 8 * 4194304))
all=$((files * file_size))
begun=$(written)
for i in 1 2 3; do
	hit=$(epoch)
	echo "# $hit of $all bytes from the drives, which hold $room"
	[ "$hit" -ge $((room * 90 / 100)) ]
	result $? "epoch $i: what the drives hold is read from them"
done
sectors=$(($(written) - begun))
echo "# $sectors sectors were written in these"
[ $((sectors * 512)) -le $((room / 10)) ]
result $? "and hardly anything is written"

# A change elsewhere takes one file.
head -c $file_size /dev/urandom >"$LAB/new"
dd if="$LAB/new" of="$LAB/b/7" bs=1M conv=notrunc status=none
(cd "$EXPORT" && sha256sum -- *) >"$LAB/wanted"
helper_kill a && helper_start a
hit=$(epoch)
[ "$hit" -ge $((room * 80 / 100)) ]
result $? "after a change and the helper's death"
for i in 1 2 3; do
	epoch >/dev/null 2>&1 &
	reader=$!
	sleep 0.3
	dd if="$LAB/new" of="$LAB/b/$((i + 20))" bs=64k count=$i conv=notrunc \
		status=none
	wait $reader
done
(cd "$EXPORT" && sha256sum -- *) >"$LAB/wanted"
epoch >/dev/null
result $? "after changes in the middle of epochs"
gns_umount "$m"
"$gnsctl" cache check /dev/nvme0n1 /dev/nvme1n1
result $? "all of it is right"
lab_end
