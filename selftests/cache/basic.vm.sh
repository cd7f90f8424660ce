#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A cache on a drive, from end to end: what was fetched once comes from it after
# the page cache is empty, after a remount, and after the module was loaded
# anew; what was changed at the origin does not.
# vm: nvme=2:128 timeout=300 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

drives=/dev/nvme0n1:/dev/nvme1n1
m=$LAB/a

# count WORD: a counter of the mount
sums()
{
	(cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

# reads FROM: everything is right, and came from there: origin, cache, both
reads()
{
	local fills cached

	fills=$(count fill_bytes)
	cached=$(count cache_bytes)
	sums "$m" >"$LAB/seen" || return
	fills=$(($(count fill_bytes) - fills))
	cached=$(($(count cache_bytes) - cached))
	echo "# $fills bytes from the origin, $cached from the drives"
	cmp "$LAB/wanted" "$LAB/seen" || return
	case $1 in
	origin)	[ "$cached" = 0 ] && [ "$fills" = "$bytes" ] ;;
	cache)	[ "$fills" = 0 ] && [ "$cached" -ge "$bytes" ] ;;
	both)	[ "$fills" -gt 0 ] && [ "$cached" -gt 0 ] ;;
	esac
}

forget_pages()
{
	cold
}

# Writing to the drives goes on in the background.
comes_from_cache()
{
	forget_pages
	reads cache
}

mkdir -p "$EXPORT/sub"
head -c 6000000 /dev/urandom >"$EXPORT/big"
head -c 2100001 /dev/urandom >"$EXPORT/sub/odd"
for i in {1..100}; do
	head -c $((i * 397)) /dev/urandom >"$EXPORT/sub/$i"
done
truncate -s 3M "$EXPORT/holes"
: >"$EXPORT/empty"
sums "$EXPORT" >"$LAB/wanted"
bytes=$(find "$EXPORT" -type f -printf '%s\n' | paste -sd+ | bc)

cluster_start a
origin_start && helper_start a || lab_bail "no daemon"
# Whatever a test before this one has left there.
dd if=/dev/zero of=/dev/nvme0n1 bs=4096 count=1 conv=fsync status=none
dd if=/dev/zero of=/dev/nvme1n1 bs=4096 count=1 conv=fsync status=none
gns_mount a "cache=$drives" 2>"$LAB/said"
[ $? = 32 ] && grep -q 'not formatted: gnsctl cache format' "$LAB/said"
result $? "a drive that is not formatted is refused"
"$gnsctl" cache format /dev/nvme0n1 /dev/nvme1n1
result $? "formatted"
gns_mount a "cache=$drives"
result $? "mounted"
grep -q "cache=$drives" /proc/mounts
result $? "the option is shown"
"$gnsctl" cache format --force /dev/nvme0n1 2>"$LAB/said"
[ $? = 1 ] && grep -q 'is in use' "$LAB/said"
result $? "the drive of a mount can not be formatted"

# refused WORDS OPTIONS: a mount with them, and why
refused()
{
	gns_mount a "$2" "$LAB/other" 2>"$LAB/said"
	[ $? = 32 ] && grep -qF "$1" "$LAB/said" && return
	sed 's/^/# /' "$LAB/said"
	return 1
}

refused 'give the same' "cache=$drives:/dev/null" &&
	refused 'give /dev/device' cache=nvme0n1 &&
	refused 'give /dev/device' "cache=$drives:"
result $? "other devices, and what are none"
on a "$mount_gns" "$ORIGIN:/x" "$m" -o remount,cache=/dev/nvme0n1 \
	2>"$LAB/said"
[ $? = 32 ] && grep -q 'unmount first' "$LAB/said"
result $? "a remount does not change them"

reads origin
result $? "the first time"
lab_until 10 comes_from_cache
result $? "out of the cache"

head -c 6000000 /dev/urandom >"$LAB/new"
dd if="$LAB/new" of="$m/big" bs=1M conv=notrunc status=none
sums "$EXPORT" >"$LAB/wanted"
forget_pages
reads both
result $? "what was written is not taken out of the cache"
lab_until 10 comes_from_cache
result $? "but it is when it was read again"

gns_umount "$m"
"$gnsctl" cache check /dev/nvme0n1 /dev/nvme1n1
result $? "all of it is right"
gns_mount a "cache=$drives"
reads cache
result $? "after a remount"
gns_umount "$m"
helper_stop a
rmmod gns && insmod "$GNS_KMOD" && helper_start a
result $? "the module anew"
gns_mount a "cache=$drives" && reads cache
result $? "after that"
gns_umount "$m"
lab_end
