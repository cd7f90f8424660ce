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
shows "$m" ro hard timeo=60000 rasize=8388608
result $? "defaults"
[ "$(findmnt -n -o SOURCE "$m")" = "$ORIGIN:/x" ]
result $? "the source is shown as it was given"
gns_umount "$m"

gns_mount a soft,timeo=5000,rasize=1M,nosuid,nodev,noexec
shows "$m" ro soft timeo=5000 rasize=1048576 nosuid nodev noexec
result $? "soft,timeo=5000,rasize=1M,nosuid,nodev,noexec"

on a "$mount_gns" "$ORIGIN:/x" "$m" -o remount,hard,rasize=4M
result $? "remount"
shows "$m" ro hard rasize=4194304 timeo=5000
result $? "its options"
[ "$(<"$m/file")" = 1 ]
result $? "it reads"
on a "$mount_gns" "$ORIGIN:/x" "$m" -o remount,rasize=1 >said 2>&1
[ "$?" = 32 ] && [[ $(<said) == *"rasize=1"* ]] && shows "$m" rasize=4194304
result $? "a bad remount changes nothing"
mount -i -o remount,rw "$m" >said 2>&1
[ $? != 0 ] && shows "$m" ro
result $? "no remount for writing"
gns_umount "$m"

# For fstab and mount(8): not for the kernel.
gns_mount a rw,_netdev,defaults,nofail,x-systemd.automount,x-a=b,retry=0,fg
shows "$m" ro hard
result $? "rw is read-only for now; words for others are left out"
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
