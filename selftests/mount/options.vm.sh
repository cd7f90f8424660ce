#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Options: as given, as the kernel shows them, as remounted.
# vm: timeout=240

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"

# shows DIR WORD...: the mount's options as /proc/mounts has them.
shows()
{
	local source dir type options rest word

	while read -r source dir type options rest; do
		[ "$dir" = "$1" ] && break
	done </proc/mounts
	echo "# $source $dir $type $options"
	[ "$type" = gns ] || return
	shift
	for word; do
		[[ ,$options, == *,$word,* ]] || return
	done
}

mkdir -p "$EXPORT"
echo 1 >"$EXPORT/file"
cluster_start a
origin_start && helper_start a || lab_bail "no daemon"
m=$LAB/a

gns_mount a
shows "$m" rw hard timeo=60000 rasize=8388608
result $? "defaults"
[ "$(findmnt -n -o SOURCE "$m")" = "$ORIGIN:/x" ]
result $? "the source is shown as it was given"
gns_umount "$m"

gns_mount a soft,timeo=5000,rasize=1M,nosuid,nodev,noexec
shows "$m" rw soft timeo=5000 rasize=1048576 nosuid nodev noexec
result $? "soft,timeo=5000,rasize=1M,nosuid,nodev,noexec"

on a "$mount_gns" "$ORIGIN:/x" "$m" -o remount,hard,rasize=4M
result $? "remount"
shows "$m" rw hard rasize=4194304 timeo=5000
result $? "its options"
[ "$(<"$m/file")" = 1 ]
result $? "it reads"
on a "$mount_gns" "$ORIGIN:/x" "$m" -o remount,rasize=1 >said 2>&1
[ "$?" = 32 ] && [[ $(<said) == *"rasize=1"* ]] && shows "$m" rasize=4194304
result $? "a bad remount changes nothing"
on a "$mount_gns" "$ORIGIN:/x" "$m" -o remount,ro && shows "$m" ro &&
	! mkdir "$m/no" 2>/dev/null
result $? "remounted read-only"
on a "$mount_gns" "$ORIGIN:/x" "$m" -o remount && shows "$m" rw &&
	mkdir "$m/yes" && [ -d "$EXPORT/yes" ]
result $? "and to be written to again"
gns_umount "$m"

# One after the other on the same directory: each is seen to be what it is.
gns_mount a ro && gns_mount a "" "$LAB/w" && shows "$m" ro && shows "$LAB/w" rw
result $? "read-only beside one that is not"
! rmdir "$m/yes" 2>/dev/null && rmdir "$LAB/w/yes" && [ ! -e "$m/yes" ]
result $? "only one of them can be written to, and both show it"
gns_umount "$LAB/w"
gns_umount "$m"

# For fstab and mount(8): not for the kernel.
gns_mount a rw,_netdev,defaults,nofail,x-systemd.automount,x-a=b,retry=0,fg
shows "$m" rw hard
result $? "words for others are left out"
gns_umount "$m"

gns_mount a "" "$m" "$ORIGIN:7117:/x" && [ "$(<"$m/file")" = 1 ]
result $? "with its port"
gns_umount "$m"

# By mount(8), which calls what it finds as mount.gns.
mkdir bin && cp "$mount_gns" bin/ && mount --bind "$mount_gns" "$mount_gns"
cp "$mount_gns" /sbin/mount.gns 2>/dev/null || cp "$mount_gns" /usr/sbin/mount.gns
on a mount -t gns -o soft "$ORIGIN:/x" "$m" && shows "$m" soft
result $? "mount -t gns"
umount "$m"
result $? "umount"
rm -f /sbin/mount.gns /usr/sbin/mount.gns

# A name, in /etc/hosts of this guest only.
cp /etc/hosts hosts && echo "$ORIGIN origin.example" >>hosts &&
	mount --bind hosts /etc/hosts
gns_mount a "" "$m" "origin.example:/x" && [ "$(<"$m/file")" = 1 ]
result $? "by name"
gns_umount "$m"

sed -i '/origin.example/d' hosts
"$mount_gns" -h | grep -q Usage
result $? "-h"
lab_end
