#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# More than one mount: of one export, of two origins, on two hosts; mounts that
# wait for their origin; unmounting in every way; what sysfs shows.
# vm: timeout=240 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"

mounts()
{
	grep -c ' gns ' /proc/mounts
}

mounted()
{
	grep -q " $1 gns " /proc/mounts
}

mkdir -p "$EXPORT/dir" "$LAB/second" "$LAB/bind"
echo 1 >"$EXPORT/dir/file"
echo second >"$LAB/second/file"
cluster_start a b
origin_start && helper_start a && helper_start b || lab_bail "no daemon"
# Another origin, on b, beside b's satellite.
nsenter --net=/run/netns/b "$helperd" --satellite no --state "$LAB/b2.state" \
	--listen 10.9.0.3:7999 --insecure --export "y=$LAB/second" \
	>"$LAB/b2.log" 2>&1 </dev/null &
lab_until 20 log_says b2 "listening on" || lab_bail "no second origin"

gns_mount a "" "$LAB/a" && gns_mount a "" "$LAB/a2"
result $? "one export twice"
[ "$(stat -c %d "$LAB/a/dir/file")" = "$(stat -c %d "$LAB/a2/dir/file")" ]
result $? "they share a cache"
gns_mount a rasize=1M "$LAB/a3"
[ "$(stat -c %d "$LAB/a/dir/file")" != "$(stat -c %d "$LAB/a3/dir/file")" ] &&
	[ "$(<"$LAB/a3/dir/file")" = 1 ]
result $? "with other options they do not"
gns_mount b "" "$LAB/b" && [ "$(<"$LAB/b/dir/file")" = 1 ] &&
	[ "$(stat -c %d "$LAB/a")" != "$(stat -c %d "$LAB/b")" ]
result $? "on another host it is another mount"
gns_mount a "" "$LAB/y" "10.9.0.3:7999:/y" && [ "$(<"$LAB/y/file")" = second ]
result $? "of another origin"
gns_umount "$LAB/a2" && [ "$(<"$LAB/a/dir/file")" = 1 ]
result $? "one of two is unmounted, the other one stays"

mount --bind "$LAB/a/dir" "$LAB/bind" && gns_umount "$LAB/a" &&
	[ "$(<"$LAB/bind/file")" = 1 ]
result $? "a bind mount outlives its mount"
umount "$LAB/bind"

exec 9<"$LAB/a3/dir/file"
gns_umount "$LAB/a3" 2>/dev/null
[ $? != 0 ] && mounted "$LAB/a3"
result $? "busy: not unmounted"
gns_umount -l "$LAB/a3" && ! mounted "$LAB/a3" && read -r line <&9 && [ "$line" = 1 ]
result $? "umount -l: an open file can be read on"
exec 9<&-

gns_umount -f "$LAB/y" && ! mounted "$LAB/y"
result $? "umount -f"
gns_umount "$LAB/b"
[ "$(mounts)" = 0 ]
result $? "all are unmounted: $(mounts) are left"

# A mount that waits until its origin is there, in the background.
origin_stop
gns_mount a bg,retry=2 "$LAB/a" >said 2>&1
status=$?
! mounted "$LAB/a"
result $((status || $?)) "bg: mount ends at once: $(tail -n 1 said)"
origin_start
lab_until 60 mounted "$LAB/a" && [ "$(<"$LAB/a/dir/file")" = 1 ]
result $? "and is there when the origin is"
gns_umount "$LAB/a"

origin_stop
gns_mount a retry=2 "$LAB/a" >said 2>&1 &
waiting=$!
lab_sleep 3
kill -0 "$waiting" && origin_start && wait "$waiting" && mounted "$LAB/a"
result $? "retry: mount waits for the origin"
gns_umount "$LAB/a"

# One value a file; the number of a mount is that of its superblock.
gns_mount a "" "$LAB/a" && gns_mount b "" "$LAB/b"
read -r line <"$LAB/a/dir/file"
fills=()
for dir in /sys/fs/gns/[0-9]*; do
	[ "$(<"$dir/origin") $(<"$dir/export") $(<"$dir/soft")" = "$ORIGIN /x 0" ] &&
		fills+=("$(<"$dir/counters/fills")")
done
[ "${fills[*]}" = "1 0" ]
result $? "sysfs: fills of two mounts: ${fills[*]}"
gns_umount "$LAB/a" && gns_umount "$LAB/b"
result $? "unmounted"
lab_until 10 rmmod gns 2>/dev/null
[ -d /sys/module/gns ]
result $? "a module that serves a helper can not be unloaded"
lab_end
