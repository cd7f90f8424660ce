#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# From a drive into the memory of another device, without a byte that goes by
# way of the host's: where the switch between them allows it. Elsewhere it is
# refused, and nothing is lost by that.
# vm: kernel=fast,debug peer timeout=200

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

peer=$GNS_TOP/build/obj/selftests/cache/cache-peer
m=$LAB/a

# of SERIAL: the PCI device with that drive
of()
{
	local c

	for c in /sys/class/nvme/nvme*; do
		[ "$(tr -d ' ' <"$c/serial")" = "$1" ] || continue
		realpath "$c/device"
	done
}

drive=/dev/$(cd "$(of drive)/nvme" && echo nvme*)n1
near=$(of near)/p2pmem/allocate
far=$(of far)/p2pmem/allocate
[ -e "$near" ] && [ -e "$far" ] || lab_bail "no peer's memory: $near $far"

# direct COMMAND...: it reads all of the file straight from the drive
direct()
{
	local before got

	before=$(count direct_bytes)
	"$@" || return
	got=$(($(count direct_bytes) - before))
	echo "# $got of $size bytes straight from the drive"
	[ $got = $size ] && [ "$(count direct_copied)" = "$copied" ] &&
		[ "$(count direct_buffered)" = 0 ]
}

size=$((5 << 20))
mkdir "$EXPORT"
head -c $size /dev/urandom >"$EXPORT/file"
"$gnsctl" cache format --force "$drive" || lab_bail "no cache"
cluster_start a
origin_start && helper_start a && gns_mount a "cache=$drive" ||
	lab_bail "no mount"

[ "$("$peer" align "$m/file")" = "512 512" ]
result $? "statx tells how to read by O_DIRECT"
"$peer" read "$m/file" "$near" && [ "$(count direct_copied)" = $size ]
result $? "what is not kept yet is copied there, and counted"
is_kept()
{
	cold
	copied=$(count direct_copied)
	direct dd if="$m/file" of=/dev/null bs=1M iflag=direct status=none
}
lab_until 10 is_kept
result $? "kept"
direct "$peer" read "$m/file" "$near"
result $? "read(2) into a peer's memory"
direct "$peer" uring "$m/file" "$near"
result $? "io_uring into a peer's memory"
[ "$("$peer" read "$m/file" "$far")" = EREMOTEIO ]
result $? "where no way leads there it is refused"
[ "$("$peer" uring "$m/file" "$far")" = EREMOTEIO ]
result $? "for io_uring, too"
direct "$peer" read "$m/file" "$near"
result $? "nothing is lost by that"
gns_umount "$m"
"$gnsctl" cache check "$drive"
result $? "and nothing damaged"
lab_end
