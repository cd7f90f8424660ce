#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Drives come and go while mounts use the cache: each with what it has, while
# files are read, and no byte is wrong.
# vm: nvme=3:65 timeout=400 mem=1280

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

export DM_DISABLE_UDEV=1 # there is none here
modprobe dm_mod
d=(/dev/nvme0n1 /dev/nvme1n1 /dev/nvme2n1)
m=$LAB/a
all=$((24 * 1048576))

# is DRIVE STATE
is()
{
	local file

	for file in /sys/fs/gns/cache*/dev*/path; do
		[ "$(<"$file")" != "$1" ] ||
			[ "$(<"${file%path}state")" != "$2" ] || return 0
	done
	return 1
}

# Bytes that the mount's set has.
held()
{
	local file

	for file in /sys/fs/gns/cache*/set*/name; do
		[ "$(<"$file")" != 10.9.0.1:/x ] || cat "${file%name}held"
	done
}

ctl()
{
	on a "$gnsctl" cache "$@"
}

# refused WORDS COMMAND...: it is, with these words
refused()
{
	local words=$1

	shift
	if "$@" >"$LAB/said" 2>&1 || ! grep -qF -- "$words" "$LAB/said"; then
		sed 's/^/# /' "$LAB/said"
		return 1
	fi
}

mkdir "$EXPORT"
make_files "$EXPORT" 24 1048576
(cd "$EXPORT" && sha256sum -- *) >"$LAB/wanted"
# Regions of other sizes: what has place in one of them needs several others.
"$gnsctl" cache format --force --region-size 8M "${d[0]}" &&
	"$gnsctl" cache format --force "${d[1]}" "${d[2]}" || lab_bail "no caches"
cluster_start a
origin_start && helper_start a && gns_mount a "cache=${d[0]}" ||
	lab_bail "no mount"
hits "$m" "$LAB/wanted" >/dev/null && sleep 1
[ "$(hits "$m" "$LAB/wanted")" = $all ]
result $? "all is on the first drive"

refused "not a device of this cache" ctl drain "${d[1]}" &&
	refused "there is no other device" ctl drain "${d[0]}" &&
	refused "it is in use" ctl add "${d[0]}" &&
	refused "can not be opened" ctl add /dev/nowhere &&
	refused "bad option" on a mount -i -o remount,cache_add=nvme1n1 "$m" &&
	refused "for a remount" gns_mount a "cache=${d[0]},cache_add=${d[1]}" "$LAB/other" &&
	dd if=/dev/zero of="${d[2]}" bs=4096 count=1 conv=fsync status=none &&
	refused "not formatted" ctl add "${d[2]}" &&
	"$gnsctl" cache format "${d[2]}"
result $? "what is not possible is refused, and why"

ctl add "${d[1]}" && is "${d[1]}" active
result $? "a second drive is in use"
ctl status | tee "$LAB/said" && grep -q "active.*${d[1]}" "$LAB/said"
result $? "and shown"
sed -n 's|^What:\t*/sys/fs/gns/\(cache<N>/.*[^/]\)$|\1|p' \
	"$GNS_TOP/uapi/ABI/testing/sysfs-fs-gns" | sort >"$LAB/documented"
(cd /sys/fs/gns && find cache* -type f) |
	sed 's|^cache[0-9]*|cache<N>|; s|dev[0-9]*|dev<I>|; s|set[0-9]*|set<M>|' |
	sort -u | diff "$LAB/documented" - &&
	[ "$(readlink -f /sys/fs/gns/[0-9]*/cache)" = "$(echo /sys/fs/gns/cache*)" ]
result $? "its files are those of the document"
gns_mount a "cache=${d[0]}:${d[1]}" "$LAB/other" && gns_umount "$LAB/other"
result $? "other mounts may name both"

ctl drain "${d[0]}" && lab_until 60 is "${d[0]}" drained
result $? "the first one is drained"
fetched=$(count fill_bytes)
[ "$(hits "$m" "$LAB/wanted")" = $all ] && [ "$(count fill_bytes)" = "$fetched" ]
result $? "and all is on the other one"
ctl remove "${d[0]}" && "$gnsctl" cache check "${d[0]}" &&
	! grep -qx "${d[0]}" /sys/fs/gns/cache*/dev*/path
result $? "it is given back"
[ "$(hits "$m" "$LAB/wanted")" = $all ]
result $? "nothing is missed"

# What a drive has is of use when it comes again.
ctl remove "${d[1]}" && [ "$(hits "$m" "$LAB/wanted")" = 0 ]
result $? "without a drive all is fetched"
ctl add "${d[1]}" && fetched=$(count fill_bytes) &&
	[ "$(hits "$m" "$LAB/wanted")" = $all ] &&
	[ "$(count fill_bytes)" = "$fetched" ]
result $? "and with one that had it, not a byte is"

# All of it while files are read, by both ways.
reading()
{
	while [ ! -e "$LAB/enough" ]; do
		hits "$m" "$LAB/wanted" >/dev/null || return
		dd if="$m/3" iflag=direct bs=1M status=none |
			cmp -s - "$EXPORT/3" || return
	done
}

before=$(count cache_bytes)
straight=$(count direct_bytes)
reading &
reader=$!
ctl add "${d[0]}" "${d[2]}" || lab_bail "no drives"
for ((i = 0; i < 6; i++)); do
	victim=${d[i % 3]}
	((i % 2)) || ctl drain "$victim" || break
	sleep 0.$((RANDOM % 10))
	ctl remove "$victim" && ctl add "$victim" || break
done >"$LAB/said"
[ $i = 6 ]
result $? "they come and go while files are read"
touch "$LAB/enough"
wait $reader
result $? "and no byte is wrong"
[ "$(count cache_bytes)" -gt "$before" ] &&
	[ "$(count direct_bytes)" -gt "$straight" ]
result $? "many of them came from there"

ctl drain "${d[1]}" && ! is "${d[1]}" active && ctl add "${d[1]}" &&
	is "${d[1]}" active
result $? "one that was to go stays"

# What nobody has opened yet stays its set's, too.
gns_umount "$m"
gns_mount a "cache=${d[0]}:${d[1]}:${d[2]}" && held=$(held) &&
	ctl drain "${d[0]}" && lab_until 60 is "${d[0]}" drained &&
	[ "$(held)" -ge $((held / 2)) ]
result $? "what nobody has read since the mount stays its set's"
gns_umount "$m"
"$gnsctl" cache check "${d[@]}"
result $? "all of it is right"

# A drive that does nothing any more holds nobody up who fetches.
echo "0 $(blockdev --getsz "${d[2]}") linear ${d[2]} 0" | dmsetup create slow &&
	"$gnsctl" cache format --force /dev/mapper/slow &&
	gns_mount a cache=/dev/mapper/slow || lab_bail "no slow drive"
lab_sleep 1
dmsetup suspend --noflush --nolockfs slow
cold
(cd "$m" && timeout 60 sha256sum --quiet -c "$LAB/wanted")
result $? "a drive that stands still is passed by"
dmsetup resume slow
gns_umount "$m"
"$gnsctl" cache check /dev/mapper/slow && dmsetup remove slow
result $? "and goes on"
lab_end
