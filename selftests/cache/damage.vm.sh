#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A drive that says something else than it was told: nobody reads that, in no
# life of the mount; and a drive that is not what it was.
# vm: nvme=1:64 timeout=300 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

drive=/dev/nvme0n1
m=$LAB/a

# same: all files are what they should be, without what memory has of them
same()
{
	cold
	(cd "$m" && sha256sum --quiet -c "$LAB/wanted")
}

# Of each extent the byte at this offset is turned over; prints how many.
damage()
{
	"$gnsctl" cache dump "$drive" | awk -v byte="$1" '
		$1 == "super" { match($0, /region_size=[0-9]+/)
			size = substr($0, RSTART + 12, RLENGTH - 12) }
		$1 == "region" { sub("nr=", "", $2); nr = $2 }
		$1 == "extent" { for (i = 2; i <= NF; i++) {
				split($i, f, "="); v[f[1]] = f[2] }
			print 1048576 + nr * size + v["at"] + byte % v["len"] }' |
	while read -r at; do
		printf "\\x$(dd if="$drive" bs=1 skip="$at" count=1 \
			status=none | od -An -tu1 |
			awk '{ printf "%02x", $1 < 128 ? $1 + 128 : $1 - 128 }')" |
			dd of="$drive" bs=1 seek="$at" conv=notrunc status=none
		echo "$at"
	done | wc -l
	sync "$drive"
}

mkdir "$EXPORT"
for i in {1..12}; do
	head -c $((i * 211113)) /dev/urandom >"$EXPORT/$i"
done
(cd "$EXPORT" && sha256sum -- *) >"$LAB/wanted"
"$gnsctl" cache format --force "$drive" || lab_bail "no cache"
cluster_start a
origin_start && helper_start a && gns_mount a "cache=$drive" ||
	lab_bail "no mount"
same && sleep 1 && same && [ "$(count cache_bytes)" -gt 0 ]
result $? "kept"
gns_umount "$m"

n=$(damage 70000)
! "$gnsctl" cache check "$drive" >"$LAB/said" &&
	grep -q " $n damaged" "$LAB/said"
result $? "all of its $n extents are damaged"
gns_mount a "cache=$drive"
same && [ "$(count cache_bad)" = "$n" ] && [ "$(count cache_bytes)" = 0 ]
result $? "nobody reads that"
sleep 1
same && [ "$(count cache_bad)" = "$n" ] && [ "$(count cache_bytes)" -gt 0 ]
result $? "what was fetched again is kept again"
gns_umount "$m"

# While it is in use: looked at each time with verify=all, by whole units and by
# less than that.
gns_mount a "cache=$drive,verify=all"
same && grep -q ",verify=all" /proc/mounts && [ "$(count cache_bad)" = 0 ] &&
	[ "$(count cache_bytes)" -gt 0 ]
result $? "verify=all"
refused=$(gns_mount a "cache=$drive" "$LAB/other" 2>&1)
[[ $? = 32 && $refused = *"give the same"* ]]
result $? "which is that of all mounts"
sums=$(count cache_bytes)
cold
for i in {1..12}; do
	dd if="$m/$i" bs=4096 skip=$i count=2 status=none |
		cmp - <(dd if="$EXPORT/$i" bs=4096 skip=$i count=2 status=none) ||
		break
done
[ "$i" = 12 ] && [ "$(count cache_bytes)" -gt "$sums" ] &&
	[ "$(count cache_bad)" = 0 ]
result $? "pieces of what has one checksum"
n=$(damage 70001)
blockdev --flushbufs "$drive"
same && [ "$(count cache_bad)" = "$n" ]
result $? "$n extents that were damaged meanwhile: nobody reads that"
gns_umount "$m"

# The table of each region: it is as if nothing had been kept there.
"$gnsctl" cache dump "$drive" >"$LAB/dump"
size=$(sed -n 's/.* region_size=\([0-9]*\) .*/\1/p' "$LAB/dump")
sed -n 's/^region nr=\([0-9]*\) state=sealed .* table=\([0-9]*\)$/\1 \2/p' \
	"$LAB/dump" | while read -r nr table; do
	printf XXXX | dd of="$drive" bs=1 conv=notrunc status=none \
		seek=$((1048576 + nr * size + table + 8))
done
sync "$drive"
gns_mount a "cache=$drive"
same && [ "$(count cache_bytes)" = 0 ]
result $? "damaged tables"
gns_umount "$m"

# Bytes of another object under a right name and a right checksum there are
# none; but the first block may be another's, or half of one.
dd if=/dev/urandom of="$drive" bs=4096 seek=0 count=1 conv=notrunc status=none
gns_mount a "cache=$drive" 2>"$LAB/said"
[ $? = 32 ] && grep -q 'gnsctl cache format' "$LAB/said"
result $? "a first block that is lost"
"$gnsctl" cache format "$drive" && gns_mount a "cache=$drive" && same &&
	[ "$(count cache_bytes)" = 0 ]
result $? "formatted anew it has nothing"
gns_umount "$m"
lab_end
