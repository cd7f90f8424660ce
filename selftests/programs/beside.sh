# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Two satellites and a local ext4, for the tests of this folder to source. What
# the origin exports and the local directory are on one filesystem: an image in
# memory.
#
#	beside [MIB]		all of that; see cluster.sh for the rest
#	view DIR		names, types, sizes, owners and contents below it
#	same TEXT DIR DIR	one line of TAP: the two look alike
#	good TEXT command...	one line of TAP: it succeeds; its output is
#				shown if it does not
#
# $A and $B are the mounts, $L is the local directory.

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh
. "$GNS_TOP/selftests/lib/cluster.sh"

# shellcheck disable=SC2034 # for those who source this
A=$LAB/a B=$LAB/b
L=$LAB/disk/local
# shellcheck disable=SC2034
programs=$GNS_TOP/build/obj/selftests/programs
export HOME=$LAB LC_ALL=C

# beside_disk MIB [INODES]
beside_disk()
{
	# On kernels of our own they are built in.
	modprobe -q loop
	modprobe -q ext4
	truncate -s "$1M" "$LAB/disk.img" &&
		mkfs.ext4 -q -F -m 0 -E lazy_itable_init=1,nodiscard \
			${2:+-N "$2"} \
			"$LAB/disk.img" &&
		mkdir "$LAB/disk" "$EXPORT" &&
		mount -o loop "$LAB/disk.img" "$LAB/disk" &&
		mkdir "$L" "$LAB/disk/export" &&
		mount --bind "$LAB/disk/export" "$EXPORT"
}

beside()
{
	beside_disk "${1:-512}" || lab_bail "no local filesystem"
	cluster a b
}

view()
{
	(cd "$1" && find . ! -type d -printf '%y %m %n %U:%G %s %P %l\n' \
		-o -printf '%y %m %U:%G %P\n' | sort &&
		find . -type f -print0 | sort -z | xargs -0 -r sha256sum)
}

same()
{
	view "$2" >"$LAB/view.1"
	view "$3" >"$LAB/view.2"
	cmp -s "$LAB/view.1" "$LAB/view.2"
	result $? "$1: $(wc -l <"$LAB/view.1") lines alike"
	diff "$LAB/view.1" "$LAB/view.2" | head -n 20 | sed 's/^/# /'
}

good()
{
	local text=$1 status
	shift

	"$@" >"$LAB/output" 2>&1
	status=$?
	result $status "$text"
	[ $status = 0 ] || tail -n 20 "$LAB/output" | sed 's/^/# /'
	return $status
}
