#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Files that are read more often than others come into a drive that is full of
# those, and stay there, though each is read now and then; others are hot later.
# vm: nvme=1:21 timeout=300 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

drive=/dev/nvme0n1
m=$LAB/a
file_size=65536
files=420
hot=45

sectors()
{
	awk '{ print $7 }' /sys/block/nvme0n1/stat
}

# round FIRST: the hot ones, from this one on, and some of all others; how many
# of the hot bytes came from the drive is in $hit, in percent.
round()
{
	local i name before list=()

	cold
	before=$(count cache_bytes)
	for ((i = $1; i < $1 + hot; i++)); do
		printf -v name %s/x%04d "$m" "$i"
		list+=("$name")
	done
	cat "${list[@]}" >/dev/null || return
	hit=$((($(count cache_bytes) - before) * 100 / (hot * file_size)))
	list=()
	for ((i = 0; i < 25; i++)); do
		printf -v name %s/x%04d "$m" $((RANDOM % files))
		list+=("$name")
	done
	cat "${list[@]}" >/dev/null
}

# becomes_hot FIRST: within some rounds they are read from the drive.
becomes_hot()
{
	local i

	for ((i = 0; i < 25; i++)); do
		round "$1" || return
		# Of two rounds: what was written meanwhile may be missing once.
		((hit >= 85)) && round "$1" && ((hit >= 85)) && break
	done
	echo "# $hit % after $i rounds"
	((i < 25))
}

RANDOM=1
mkdir "$EXPORT"
head -c $((files * file_size)) /dev/urandom |
	(cd "$EXPORT" && split -b $file_size -d -a 4 - x)
(cd "$EXPORT" && sha256sum -- *) >"$LAB/wanted"
"$gnsctl" cache format --force "$drive" || lab_bail "no cache"
cluster_start a
origin_start && helper_start a && gns_mount a "cache=$drive" ||
	lab_bail "no mount"
cat "$m"/* >/dev/null
lab_sleep 0.5
begun=$(sectors)
becomes_hot 320
result $? "what is read most comes from the drive"
becomes_hot 370
result $? "others are read most, and come from the drive"
hot_bytes=$((2 * hot * file_size))
written=$((($(sectors) - begun) * 512))
echo "# $written bytes were written for $hot_bytes that became hot"
[ $written -le $((hot_bytes * 8)) ]
result $? "without writing all the time"
(cd "$m" && sha256sum --quiet -c "$LAB/wanted")
result $? "all is right"
gns_umount "$m"
"$gnsctl" cache check "$drive"
result $? "there, too"
lab_end
