#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fio: what one satellite wrote in blocks with checksums is verified there and
# by the other one.
# vm: kernel=stock timeout=240

. "$GNS_TOP/selftests/programs/beside.sh"

beside

# job DIRECTORY NAME option...
job()
{
	local dir=$1 name=$2
	shift 2

	fio --name="$name" --filename="$dir/$name" --size=3M --verify=crc32c \
		--verify_fatal=1 --thread --randseed=7 --output-format=terse \
		--allrandrepeat=1 "$@"
}

# both NAME option...: written by a and verified there, then by b.
both()
{
	local name=$1
	shift

	good "fio $name: written and verified" job "$A" "$name" "$@"
	good "fio $name: verified by the other satellite" \
		job "$B" "$name" "$@" --verify_only
}

both random --rw=randwrite --bs=4k-64k --ioengine=psync
both sequential --rw=write --bs=1500k --ioengine=psync --end_fsync=1
both direct --rw=randwrite --bs=16k --ioengine=psync --direct=1
both uring --rw=randwrite --bs=8k --ioengine=io_uring --iodepth=8 \
	--buffered=1
both pieces --rw=write --bs=128k --ioengine=pvsync2 --fdatasync=4
both overwritten --rw=randwrite --bs=32k --ioengine=psync --overwrite=1
lab_end
