#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# mount.gns by itself and under mount(8): what it says when something is
# missing, what becomes of options, fstab, remount, bg and fg.
# vm: timeout=400 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh
. "$GNS_TOP/selftests/lib/cluster.sh"

mount_gns=$GNS_TOP/build/obj/tools/mount.gns
source=$ORIGIN:/x
dir=$LAB/a

# says STATUS TEXT command...: it ends so, and its words have TEXT in them.
says()
{
	local status=$1 text=$2 is
	shift 2

	"$@" >"$LAB/said" 2>&1
	is=$?
	[ "$is" = "$status" ] && [[ $(<"$LAB/said") == *"$text"* ]] && return
	echo "# status $is, wanted $status: $*"
	sed 's/^/# /' "$LAB/said"
	return 1
}

try()
{
	on a "$mount_gns" "$source" "$dir" "$@"
}

# options WORD...: each is among those of the mount or of its superblock.
options()
{
	local line all='' word

	while read -r line; do
		[[ $line == *" $dir "* ]] && all=$line
	done </proc/self/mountinfo
	all=,$(tr ' ' , <<<"$all"),
	for word; do
		[[ $all == *",$word,"* ]] && continue
		echo "# no $word in $all"
		return 1
	done
}

mounted()
{
	[[ $(</proc/self/mountinfo) == *" $dir "* ]]
}

mkdir -p "$dir" "$EXPORT"
echo hello >"$EXPORT/hello"
net_start o a || lab_bail "no network"
ln -sf "$mount_gns" /sbin/mount.gns

says 32 "gns.ko is not loaded: insmod gns.ko or modprobe gns" try
result $? "no module"
insmod "$GNS_KMOD" || lab_bail "the module does not load"

says 32 "gns-helperd" try && [[ $(<"$LAB/said") == *"systemctl start gns-helperd"* ]]
result $? "no helper"
says 1 "write host[:port]:/export" "$mount_gns" origin/x "$dir"
result $? "a bad source"
says 1 "retry=soon" try -o retry=soon
result $? "a bad retry"
says 1 "Usage:" "$mount_gns" "$source"
result $? "no directory"
says 32 "No such file or directory" on a "$mount_gns" "$source" "$LAB/nothing"
result $? "a directory that is not there"
says 32 "Not a directory" on a "$mount_gns" "$source" "$EXPORT/hello"
result $? "a directory that is none"
says 1 "needs root" on a setpriv --reuid 65534 --regid 65534 --clear-groups \
	"$mount_gns" "$source" "$dir"
result $? "not root"
says 0 "" "$mount_gns" -f "$source" "$dir" -o soft,x-a,whatever
result $? "fake"

helper_start a || lab_bail "no helper"
says 32 "can not be reached" try
result $? "nobody at the origin's port"

try -o fg,retry=1,soft >"$LAB/fg" 2>&1 &
fg=$!
sleep 1
origin_start || lab_bail "the origin does not start"
wait $fg && mounted && [ "$(<"$dir/hello")" = hello ]
result $? "fg goes on until it is mounted"
gns_umount "$dir"
origin_stop

begin=$EPOCHSECONDS
says 0 "trying again in the background" try -o bg,retry=1
[ $? = 0 ] && ((EPOCHSECONDS - begin < 20)) && ! mounted
result $? "bg returns"
origin_start || lab_bail "the origin does not start again"
lab_until 40 mounted
result $? "and goes on until it is mounted"
[ "$(<"$dir/hello")" = hello ]
result $? "it can be read"
gns_umount "$dir" && ! mounted
result $? "and unmounted"

says 32 "has no export" on a "$mount_gns" "$ORIGIN:/other" "$dir" -o bg
result $? "no such export, which bg does not wait for"
says 32 "nonsense" try -o nonsense
result $? "an option that nobody knows"
says 0 "" try -s -o nonsense && gns_umount "$dir"
result $? "the same, sloppy"
says 32 "timeo=5: give 100 to 3600000 milliseconds" try -o soft,timeo=5
result $? "a value out of range, in the kernel's words"
says 32 "rasize" try -o rasize=12Q
result $? "a value that is none"

on a mount -t gns "$source" "$dir" \
	-o nosuid,nodev,noatime,soft,timeo=7000,rasize=1M,_netdev,x-systemd.automount &&
	options rw nosuid nodev noatime soft timeo=7000 rasize=1048576 gns
result $? "mount -t gns with options"
on a mount -o remount,ro,noexec,timeo=8000 "$dir" &&
	options ro nosuid nodev noexec noatime soft timeo=8000
result $? "remount"
says 32 "no gns mount" on a "$mount_gns" "$source" "$LAB" -o remount,soft
result $? "remount of what is no gns mount"
umount "$dir" && ! mounted
result $? "umount"

echo "$source $dir gns defaults,_netdev,nofail,x-systemd.automount 0 0" >"$LAB/fstab"
on a mount -a -T "$LAB/fstab" && options hard &&
	[ "$(<"$dir/hello")" = hello ]
result $? "mount -a"
on a mount -a -T "$LAB/fstab" && umount "$dir" && ! mounted
result $? "mount -a of what is mounted already"
on a mount -f -t gns "$source" "$dir" && ! mounted
result $? "mount -f"

unshare -m --propagation private sleep 1000 &
other=$!
elsewhere()
{
	[ "$(readlink "/proc/$other/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] &&
		[[ $(<"/proc/$other/comm") == sleep ]]
}
lab_until 10 elsewhere
lab_until 10 on a "$mount_gns" -N "$other" "$source" "$dir" && ! mounted &&
	[[ $(<"/proc/$other/mountinfo") == *" $dir "*" gns "* ]]
result $? "into another mount namespace"
kill $other
wait $other 2>/dev/null

helper_stop a
origin_stop
rm -f /sbin/mount.gns
lab_end
