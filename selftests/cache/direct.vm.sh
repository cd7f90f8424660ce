#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# O_DIRECT: from the drives to the reader's memory, by read(2), AIO and
# io_uring; what is not there is fetched once, and what goes another way is
# counted.
# vm: nvme=1:128 timeout=300 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"

drive=/dev/nvme0n1
export DM_DISABLE_UDEV=1 # there is none here
m=$LAB/a

# counters: as variables, and what each has grown by since the last time
declare -A now=() by=()
counters()
{
	local word value

	for word in read_bytes fill_bytes pass_bytes cache_bytes direct_bytes \
		direct_copied direct_buffered; do
		value=$(cat /sys/fs/gns/*/counters/$word)
		by[$word]=$((value - ${now[$word]-0}))
		now[$word]=$value
	done
}

# went WORD=BYTES...: by these ways, and no other
went()
{
	local word ok=0
	local -A want=([fill_bytes]=0 [pass_bytes]=0 [cache_bytes]=0
		[direct_bytes]=0 [direct_copied]=0 [direct_buffered]=0)

	counters
	for word; do
		want[${word%=*}]=${word#*=}
	done
	for word in "${!want[@]}"; do
		((by[$word] == want[$word])) && continue
		echo "# $word: ${by[$word]}, not ${want[$word]}"
		ok=1
	done
	return $ok
}

# reads FILE BS: by O_DIRECT, and it is right
reads()
{
	echo 1 >/proc/sys/vm/drop_caches
	dd if="$m/$1" bs="$2" iflag=direct status=none | cmp - "$EXPORT/$1"
}

# verify NAME option...: fio reads and looks at the checksums that it wrote
verify()
{
	local name=$1
	shift

	fio --name="$name" --filename="$m/blocks" --size=$blocks --direct=1 \
		--verify=crc32c --verify_interval=4k --verify_fatal=1 --thread \
		--allrandrepeat=1 --randseed=7 --output-format=terse "$@" \
		>"$LAB/said" 2>&1 && return
	sed 's/^/# /' "$LAB/said"
	return 1
}

# Writing to the drives goes on in the background.
is_kept()
{
	counters
	reads "$1" 1M && counters &&
		((by[pass_bytes] + by[fill_bytes] + by[direct_buffered] == 0))
}

blocks=$((12 << 20))
odd=$(((3 << 20) + 1234))
mkdir "$EXPORT"
fio --name=lay --filename="$EXPORT/blocks" --size=$blocks --rw=write --bs=1M \
	--verify=crc32c --verify_interval=4k --do_verify=0 --thread \
	--output-format=terse >/dev/null || lab_bail "no file"
head -c $odd /dev/urandom >"$EXPORT/odd"
head -c 1048576 /dev/urandom >"$EXPORT/part"
head -c 1048576 /dev/urandom >"$EXPORT/far"
head -c 8388608 /dev/urandom >"$EXPORT/bits"
truncate -s $(((1 << 44) + 8192)) "$EXPORT/far"
cp "$EXPORT/part" "$EXPORT/gone"
cluster_start a
modprobe dm_mod
size=$(blockdev --getsz $drive)
echo "0 $size linear $drive 0" | dmsetup create one || lab_bail "no dm"
"$gnsctl" cache format --force /dev/mapper/one || lab_bail "no cache"
origin_start && helper_start a && gns_mount a cache=/dev/mapper/one ||
	lab_bail "no mount"

counters
reads blocks 1M && went pass_bytes=$blocks direct_copied=$blocks
result $? "the first time from the origin"
lab_until 10 is_kept blocks
result $? "kept, and not by way of the page cache"
counters
reads blocks 1M && went direct_bytes=$blocks
result $? "from the drive"
reads blocks 16M && went direct_bytes=$blocks
result $? "in one read"

counters
verify psync --rw=randread --bs=4k --ioengine=psync &&
	went direct_bytes=$blocks
result $? "read(2), 4 KiB at random"
verify libaio --rw=randread --bs=16k --ioengine=libaio --iodepth=16 &&
	went direct_bytes=$blocks
result $? "AIO, 16 deep"
verify uring --rw=randread --bs=8k --ioengine=io_uring --iodepth=16 &&
	went direct_bytes=$blocks
result $? "io_uring, 16 deep"
verify fixed --rw=read --bs=256k --ioengine=io_uring --iodepth=4 --fixedbufs &&
	went direct_bytes=$blocks
result $? "io_uring with buffers that are registered"
verify hipri --rw=randread --bs=4k --ioengine=io_uring --iodepth=4 --hipri &&
	went direct_bytes=$blocks
result $? "io_uring that polls"

counters
reads odd 1M && went pass_bytes=$odd direct_copied=$odd
result $? "a file that ends within a block"
lab_until 10 is_kept odd
counters
reads odd 1M && went direct_bytes=$odd
result $? "its end, too"
reads odd 1000 &&
	went cache_bytes=$(((odd + 4095) / 4096 * 4096)) direct_buffered=$odd
result $? "in pieces that are not aligned, through the page cache"

counters
dd if="$m/part" of="$LAB/got" bs=4096 skip=64 count=64 iflag=direct status=none
lab_sleep 0.5
reads part 1M
counters
((by[pass_bytes] + by[fill_bytes] == 1048576 && by[direct_buffered] > 0))
result $? "of what is there in part, nothing is fetched twice"

# Large folios that begin with what is kept, and go on with what is not.
for i in 0 1 2 3 4 5 6 7; do
	dd if="$m/bits" bs=4096 skip=$((i * 256)) count=1 iflag=direct \
		status=none | cmp -n 4096 -i 0:$((i << 20)) - "$EXPORT/bits"
done
lab_sleep 0.5
cmp "$m/bits" "$EXPORT/bits" && lab_until 10 is_kept bits
result $? "the rest of what is kept in bits is kept, too"

head -c 1048576 /dev/urandom >"$LAB/new"
dd if="$LAB/new" of="$m/blocks" bs=1M conv=notrunc status=none
counters
reads blocks 1M && counters && ((by[direct_bytes] == 0))
result $? "after a change nothing of before it"
lab_until 10 is_kept blocks
result $? "and then it is kept again"

# The index counts blocks in 32 bits: what is behind them is not kept.
for pass in 1 2; do
	dd if="$m/far" bs=1M count=1 iflag=direct status=none |
		cmp -n 1048576 - "$EXPORT/far" || break
	dd if="$m/far" bs=4096 skip=$((1 << 32)) count=1 iflag=direct \
		status=none | cmp -n 4096 - /dev/zero || break
	lab_sleep 0.5
done
[ $pass = 2 ]
result $? "beyond 16 TiB a file has its own bytes"

# Open, and then gone behind the origin's back: that is said, once.
cat >"$LAB/gone.py" <<'EOF'
import errno, mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
print("open", flush=True)
sys.stdin.readline()
try:
    os.preadv(fd, [mmap.mmap(-1, 4096)], 0)
except OSError as e:
    sys.exit(0 if e.errno == errno.ESTALE else 2)
sys.exit(1)
EOF
coproc timeout 60 python3 "$LAB/gone.py" "$m/gone"
reader=$COPROC_PID
read -r _ <&"${COPROC[0]}"
rm "$EXPORT/gone"
helper_kill a && helper_start a
echo >&"${COPROC[1]}"
wait "$reader"
result $? "a file that is gone: ESTALE"

# swap TABLE: the drive is another one from now on
swap()
{
	dmsetup suspend --noflush one && echo "0 $size $1" | dmsetup load one &&
		dmsetup resume one
}

# fails COMMAND...: it reads what is kept on a drive that fails from now on
fails()
{
	swap "linear $drive 0" && gns_umount "$m" &&
		gns_mount a cache=/dev/mapper/one &&
		lab_until 10 is_kept blocks && swap error && "$@"
}

async()
{
	fio --name=gone --filename="$m/blocks" --size=$blocks --direct=1 \
		--rw=read --bs=128k --ioengine="$1" --iodepth=8 --thread \
		--output-format=terse >"$LAB/said" 2>&1 && reads blocks 1M
}

fails reads blocks 1M
result $? "a drive that fails, read(2)"
fails async io_uring
result $? "a drive that fails, io_uring"
fails async libaio
result $? "a drive that fails, AIO"
swap "linear $drive 0"
gns_umount "$m"
dmsetup remove one
lab_end
