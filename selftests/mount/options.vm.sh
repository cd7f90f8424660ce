#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Options: as given, as the kernel shows them, as remounted.
# vm: timeout=240 full=debug

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

# Users and groups: whom the origin means.
chmod 777 "$EXPORT" && echo x >"$EXPORT/his" && chown 1003:1004 "$EXPORT/his" &&
	chmod 640 "$EXPORT/his" && mkdir -m 777 "$EXPORT/theirs" &&
	chown 2000:2000 "$EXPORT/theirs"
gns_mount a uidmap=5000:1000:10,uidmap=0:0:1,gidmap=5000:1000:10,gidmap=0:0:1
result $? "uidmap, gidmap"
shows "$m" uidmap=5000:1000:10 uidmap=0:0:1 gidmap=5000:1000:10
result $? "they are shown"
[ "$(stat -c %u:%g "$m/his")" = 5003:5004 ]
result $? "whose a file is"
[ "$(stat -c %u:%g "$m/theirs")" = 65534:65534 ] &&
	! touch "$m/theirs/no" 2>/dev/null
result $? "who is not mapped is nobody, and his is not written to"
as()
{
	local id=$1

	shift
	setpriv --reuid "$id" --regid "$id" --clear-groups "$@"
}
[ "$(as 5003 cat "$m/his")" = x ] && [ "$(as 5004 cat "$m/his")" = x ] &&
	! as 5005 cat "$m/his" 2>/dev/null && ! as 1003 cat "$m/his" 2>/dev/null
result $? "who may read it"
as 5007 touch "$m/made" && [ "$(stat -c %u:%g "$EXPORT/made")" = 1007:1007 ] &&
	[ "$(stat -c %u:%g "$m/made")" = 5007:5007 ]
result $? "whose it is that somebody makes"
chown 5008:5009 "$m/made" && [ "$(stat -c %u:%g "$EXPORT/made")" = 1008:1009 ]
result $? "chown"
! chown 1008 "$m/made" 2>said && grep -q "too large" said
result $? "chown to somebody whom the origin does not know"
as 777 mkdir "$m/other" && [ "$(stat -c %u "$EXPORT/other")" = 65534 ]
result $? "who is not mapped is nobody at the origin, too"
on a "$mount_gns" "$ORIGIN:/x" "$m" -o remount,uidmap=1:1:1 >said 2>&1
[ $? = 32 ] && [[ $(<said) == *"uidmap"* ]] &&
	on a "$mount_gns" "$ORIGIN:/x" "$m" -o remount,uidmap=0:0:1,rasize=1M
result $? "a remount does not change them"
gns_umount "$m"
bad=0
for map in 1:1 1:1:0 1:1:4294967295 4294967295:0:1 -1:0:1 1:2:3:4 a:b:c 0:0:1x; do
	on a "$mount_gns" "$ORIGIN:/x" "$m" -o "uidmap=$map" >said 2>&1
	[ $? = 32 ] && grep -qF "uidmap=$map" said || bad=1
done
for map in 5:100:10,gidmap=14:0:1 5:100:10,gidmap=50:109:1; do
	on a "$mount_gns" "$ORIGIN:/x" "$m" -o "gidmap=$map" >said 2>&1
	[ $? = 32 ] && grep -q overlaps said || bad=1
done
result $bad "maps that make no sense"

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
