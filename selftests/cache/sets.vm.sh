#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Data sets: quotas, pins and shares of mounts and trees; filling in advance.
# vm: nvme=1:33 timeout=300 mem=1280 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

drive=/dev/nvme0n1
m=$LAB/a
mib=1048576

# set_of NAME: its directory under /sys
set_of()
{
	local file

	for file in /sys/fs/gns/cache*/set*/name; do
		[ "$(<"$file")" = "$1" ] && dirname "$file"
	done
}

held()
{
	cat "$(set_of "$1")/held"
}

at_most()
{
	[ "$(held "$1")" -le "$2" ]
}

more_than()
{
	[ "$(held "$1")" -gt "$2" ]
}

# read_set NAME: all files below, in another order each time; prints hits
read_set()
{
	shuf "$LAB/$1.sums" >"$LAB/order"
	hits "$m/$1" "$LAB/order"
}

mkdir "$EXPORT"
make_files "$EXPORT/big" 20 $((2 * mib))
make_files "$EXPORT/two" 20 $((2 * mib))
make_files "$EXPORT/small" 4 $mib
make_files "$EXPORT/small/below" 2 $mib
for i in big two small; do
	(cd "$EXPORT/$i" && find . -type f -exec sha256sum {} +) >"$LAB/$i.sums"
done
"$gnsctl" cache format --force $drive || lab_bail "no cache"
cluster_start a
origin_start && helper_start a || lab_bail "no cluster"
export=10.9.0.1:/x

gns_mount a cache=$drive,cache_quota=1M 2>"$LAB/said"
[ $? = 32 ] && grep -q 'less than a region' "$LAB/said"
result $? "a quota of nothing is refused"
gns_mount a cache=$drive,cache_quota=12M && grep -q cache_quota=12582912 /proc/mounts
result $? "mounted with a quota"
for i in 1 2; do
	read_set big >/dev/null
done
at_most $export $((12 * mib)) && [ "$(read_set big)" -ge $((9 * mib)) ]
result $? "it has no more than that, and what it has is of use"
on a mount -i -o remount,cache_quota=20M "$m" && read_set big >/dev/null &&
	lab_until 10 more_than $export $((12 * mib)) &&
	at_most $export $((20 * mib))
result $? "a larger one"
echo $((8 * mib)) >"$(set_of $export)/quota" &&
	lab_until 20 at_most $export $((8 * mib))
result $? "a smaller one, by /sys, takes what is too much"
! echo 1 2>/dev/null >"$(set_of $export)/quota" && ! echo x 2>/dev/null >"$(set_of $export)/pin"
result $? "and nonsense is refused there"
echo 0 >"$(set_of $export)/quota"

# An ioctl that makes no sense: flags, both ways at once, a quota without its flag
perl -e 'sysopen(D, $ARGV[0], 0) or exit 2;
	for ([8, 0, 0], [6, 0, 0], [2, 1, 0], [2, 0, 1]) {
		exit 1 if ioctl(D, 0x4010e505, pack("LLQ", @$_)) || $! != 22;
	}' "$m/small"
result $? "and by an ioctl"

# A tree that is filled in advance, and pinned, when nothing is free any more.
for i in 1 2 3; do
	read_set big >/dev/null
done
more_than $export $((23 * mib))
result $? "without a quota it has it all"
on a "$gnsctl" cache set --pin "$m/small" >"$LAB/said"
result $? "a tree of its own"
cold
cached()
{
	awk '$1 == "Cached:" { print $2 }' /proc/meminfo
}
before=$(cached)
on a "$gnsctl" cache fill --jobs 4 "$m/small" | tee "$LAB/said" &&
	grep -q '^6 files, 6.0 MiB; 0 failed' "$LAB/said" &&
	[ $(($(cached) - before)) -lt 4096 ]
result $? "it is filled, and takes no memory"
sleep 1
# What has found no place before others gave theirs.
on a "$gnsctl" cache fill "$m/small" >"$LAB/said" && sleep 1
fetched=$(($(count fill_bytes) + $(count pass_bytes)))
[ "$(read_set small)" = $((6 * mib)) ] &&
	[ $(($(count fill_bytes) + $(count pass_bytes))) = "$fetched" ]
result $? "not a byte of it is fetched again"
for i in 1 2 3; do
	read_set big >/dev/null
	read_set two >/dev/null
done
[ "$(read_set small)" = $((6 * mib)) ]
result $? "whatever else is read"
on a "$gnsctl" cache status | tee "$LAB/said"
grep -q "pin *$export/small" "$LAB/said"
result $? "it is shown"

# Two of the same size have the same.
on a "$gnsctl" cache set --unpin "$m/small" &&
	on a "$gnsctl" cache set "$m/big" "$m/two"
result $? "each a tree of its own"
for i in 1 2 3 4; do
	read_set big >/dev/null
done
alone=$(read_set big)
for i in 1 2 3 4; do
	read_set two >/dev/null
	read_set big >/dev/null
done
big=$(read_set big)
two=$(read_set two)
echo "# $alone of one alone, then $big and $two bytes, of 32 MiB"
on a "$gnsctl" cache status
# The small one has something yet; up to two regions each are being changed.
[ "$alone" -ge $((18 * mib)) ] && [ "$big" -ge $((6 * mib)) ] &&
	[ "$two" -ge $((6 * mib)) ] && [ "$big" -le $((alone - 4 * mib)) ]
result $? "each has a share"

# A set that is not read any more makes way.
for i in 1 2 3 4 5 6 7 8; do
	big=$(read_set big)
done
echo "# $big bytes of one alone"
[ "$big" -ge $((22 * mib)) ]
result $? "and what the other one had, when nobody reads that"

held=$(held $export/big)
gns_umount "$m"
gns_mount a cache=$drive && on a "$gnsctl" cache set "$m/big" &&
	[ "$(held $export/big)" -ge $((held - 8 * mib)) ]
result $? "after a mount it has what it had"
gns_umount "$m"
"$gnsctl" cache check $drive
result $? "all of it is right"
lab_end
