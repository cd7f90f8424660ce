# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# The origin's disk, for a lab (../lib/cluster.sh) whose origin loses power: a
# filesystem of its own with the export and the origin's state, on a file. What
# is not synced when it is shut down is lost, as the page cache and the journal
# in memory go: all that a real disk was not told to keep.
#
#	disk_start	before the cluster; sets $EXPORT
#	disk_boot	after the origin is killed and the disk is shut down: the
#			host is there again
#
# xfs, for it grows a file only after the bytes are there.

# Not by mount -o loop, which holds the device open for writing meanwhile: some
# kernels refuse to mount it then. It is let go with the mount.
disk_mount()
{
	local dev

	cat /proc/sys/kernel/random/uuid >"$LAB/boot_id" &&
		dev=$(/sbin/losetup -f --show "$LAB/disk.img") &&
		mount -t xfs "$dev" "$LAB/disk" || return
	/sbin/losetup -d "$dev"
	mkdir -p "$LAB/disk/x" "$LAB/disk/state" "$LAB/o.state" &&
		mount --bind "$LAB/disk/state" "$LAB/o.state"
}

disk_start()
{
	/sbin/modprobe -q -a loop xfs || :
	truncate -s 128m "$LAB/disk.img" &&
		/sbin/mkfs.xfs --unsupported -q -l size=8m -m \
			crc=1,reflink=0,rmapbt=0,finobt=0 -i sparse=0 \
			"$LAB/disk.img" >/dev/null 2>&1 &&
		mkdir "$LAB/disk" && disk_mount &&
		mount --bind "$LAB/boot_id" /proc/sys/kernel/random/boot_id ||
		return
	EXPORT=$LAB/disk/x
}

disk_boot()
{
	lab_until 10 umount "$LAB/o.state" 2>/dev/null &&
		lab_until 10 umount "$LAB/disk" 2>/dev/null && disk_mount
}
