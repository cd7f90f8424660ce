#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# All at once, on drives that hold a tenth of what is read, and a twentieth when
# one of them is away: changes by another host, files cut and lengthened, the
# helper killed, leases that expire and come again, a drive that goes and comes,
# and at last a module loaded anew. Not a byte that is read is wrong.
# vm: nvme=2:17 timeout=600 mem=1792 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

TTL=2
drives=/dev/nvme0n1:/dev/nvme1n1
m=$LAB/a
rounds=4
changing=20

# certify N FILE: a file whose first line is the checksum of the rest
certify()
{
	head -c "$1" /dev/urandom >"$LAB/rest"
	{
		sha256sum <"$LAB/rest"
		cat "$LAB/rest"
	} >"$2"
}

# is_certified FILE: by one open file, whatever becomes of its name
is_certified()
{
	local line

	{
		read -r line && [ "$line" = "$(sha256sum)" ]
	} <"$1"
}

reads_all()
{
	while [ ! -e "$LAB/enough" ]; do
		diff -rq "$m/all" "$EXPORT/all" >&2 || return
		echo >>"$LAB/passes"
		cold
	done
}

reads_changing()
{
	local i

	while [ ! -e "$LAB/enough" ]; do
		for ((i = 0; i < changing; i++)); do
			is_certified "$m/changing/$i" || return
		done
		# Shorter is right, other bytes are not.
		cmp "$m/cut" "$EXPORT/all/0" >"$LAB/cmp" 2>&1 ||
			grep -q "EOF on $m/cut" "$LAB/cmp" || return
	done
}

reads_direct()
{
	while [ ! -e "$LAB/enough" ]; do
		on a fio --name=fio --filename="$m/fio" --rw=randread --bs=16k \
			--size=24m --readonly --direct=1 --ioengine=libaio \
			--iodepth=8 --verify=crc32c --verify_interval=4k \
			--verify_fatal=1 --thread --minimal >"$LAB/fio" || return
	done
}

mkdir "$EXPORT"
make_files "$EXPORT/all" 280 1048576
mkdir "$EXPORT/changing"
for ((i = 0; i < changing; i++)); do
	certify $((RANDOM * 10)) "$EXPORT/changing/$i"
done
cp "$EXPORT/all/0" "$EXPORT/cut"
fio --name=fio --filename="$EXPORT/fio" --rw=write --bs=64k --size=24m \
	--verify=crc32c --verify_interval=4k --do_verify=0 --thread \
	--minimal >"$LAB/fio" || lab_bail "no file of fio"
"$gnsctl" cache format --force /dev/nvme0n1 /dev/nvme1n1 || lab_bail "no cache"
cluster_start a b
origin_start && helper_start a && helper_start b && gns_mount b &&
	gns_mount a cache=$drives || lab_bail "no mount"

reads_all &
readers=$!
reads_changing &
readers+=" $!"
reads_direct &
readers+=" $!"

for ((round = 0; round < rounds; round++)); do
	for ((i = round; i < changing; i += 4)); do
		certify $((RANDOM * 10)) "$LAB/b/changing/new"
		mv "$LAB/b/changing/new" "$LAB/b/changing/$i"
	done
	truncate -s $((RANDOM * 20)) "$LAB/b/cut"
	dd if="$EXPORT/all/0" of="$LAB/b/cut" bs=64k conv=notrunc status=none
	# What is known of a file that is not changed is fetched anew, too.
	touch "$LAB/b/all/$((round * 9))" "$LAB/b/fio"
	case $((round % 4)) in
	0)	helper_kill a && helper_start a || break ;;
	1)	net_cut a
		lab_sleep $((TTL * 2))
		net_heal a ;;
	2)	on a "$gnsctl" cache remove /dev/nvme0n1 || break ;;
	3)	on a "$gnsctl" cache add /dev/nvme0n1 || break ;;
	esac
	lab_sleep 3
done >"$LAB/said" 2>&1
[ $round = $rounds ] || sed 's/^/# /' "$LAB/said"
[ $round = $rounds ]
result $? "changes, cuts, deaths and removals"
touch "$LAB/enough"
bad=0
for reader in $readers; do
	wait "$reader" || bad=$((bad + 1))
done
[ $bad = 0 ] && [ -s "$LAB/passes" ]
result $? "$(wc -l <"$LAB/passes") passes over all: not a byte was wrong"
[ $(($(count cache_bytes) + $(count direct_bytes))) -gt 0 ]
result $? "$(count cache_bytes) and $(count direct_bytes) bytes came from the drives"

gns_umount "$m" && gns_umount "$LAB/b" && helper_stop a && helper_stop b &&
	rmmod gns && insmod "$GNS_KMOD" && helper_start a &&
	gns_mount a cache=$drives
result $? "the module is loaded anew"
# The drives are too small for all: what they have may be of any file.
diff -rq -x .gns-orphans "$m" "$EXPORT" && hit=$(count cache_bytes) &&
	[ "$hit" -gt 0 ]
result $? "$hit bytes came from what was there before"
gns_umount "$m"
"$gnsctl" cache check /dev/nvme0n1 /dev/nvme1n1 >"$LAB/said"
status=$?
sed 's/^/# /' "$LAB/said"
result $status "all of it is right"
lab_end
