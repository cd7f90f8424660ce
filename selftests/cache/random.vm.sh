#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who reads a little here and there of a large file does not fetch much more than
# that.
# vm: nvme=1:65 timeout=200 mem=1280 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

m=$LAB/a
reads=2000

# fetches NAME FIO-OPTION...: how many times what is read is fetched, in percent
fetches()
{
	local name=$1 before

	shift
	before=$(($(count fill_bytes) + $(count pass_bytes)))
	cold
	fio --name="$name" --filename="$m/$name" --rw=randread --bs=4k \
		--number_ios=$reads --readonly --size=4g --invalidate=0 \
		--minimal "$@" >"$LAB/said" || return
	echo $((($(count fill_bytes) + $(count pass_bytes) - before) * 100 /
		(reads * 4096)))
}

mkdir "$EXPORT"
truncate -s 4G "$EXPORT/buffered" "$EXPORT/mapped" "$EXPORT/direct"
"$gnsctl" cache format --force /dev/nvme0n1 || lab_bail "no cache"
cluster_start a
origin_start && helper_start a && gns_mount a cache=/dev/nvme0n1 ||
	lab_bail "no mount"
for way in "buffered --ioengine=psync" "mapped --ioengine=mmap" \
	"direct --ioengine=psync --direct=1"; do
	read -r name options <<<"$way"
	# shellcheck disable=SC2086 # words
	percent=$(fetches "$name" $options) || cat "$LAB/said"
	echo "# $name: $percent % of what is read is fetched"
	[ -n "$percent" ] && [ "$percent" -le 1600 ]
	result $? "4 KiB here and there: $name"
done
lab_end
