#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# gnsctl cache with images of devices: what it formats and what it does not, and
# whether it finds what is damaged. GNSCTL and IMAGE are the programs to use.
#
# shellcheck disable=SC2317 # what check() calls

set -u
dir=$(mktemp -d /tmp/test_cache.XXXXXX)
img=$dir/img
cases=0
failed=0

check()
{
	name=$1
	shift
	cases=$((cases + 1))
	if "$@"; then
		echo "ok $cases - $name"
		return
	fi
	echo "not ok $cases - $name"
	[ ! -e "$dir/out" ] || sed 's/^/# /' "$dir/out"
	failed=1
}

cache()
{
	"$GNSCTL" cache "$@" >"$dir/out" 2>&1
}

# said WORDS: by the last command
said()
{
	grep -qF "$1" "$dir/out"
}

# refused WORDS ARGUMENTS: and the image is what it was
refused()
{
	words=$1
	shift
	sum=$(md5sum "$img")
	cache "$@"
	[ $? = 1 ] && said "$words" && [ "$(md5sum "$img")" = "$sum" ]
}

empty()
{
	rm -f "$img"
	truncate -s "${1:-101M}" "$img"
}

# full SEALED OPEN: what there is, in $extents and $bytes
full()
{
	empty && cache format "$img" || return
	"$IMAGE" "$img" "$1" "$2" >"$dir/counts" || return
	read -r extents bytes <"$dir/counts"
}

# flip AT: one bit of the byte there
flip()
{
	byte=$(od -An -tu1 -j "$1" -N 1 "$img")
	printf "\\$(printf %03o $((byte ^ 16)))" |
		dd of="$img" bs=1 seek="$1" conv=notrunc status=none
}

formats()
{
	empty && cache format "$img" && said '101 MiB in 25 regions of 4.0 MiB' &&
		cache check "$img" && said '25 unused' && said ' 0 damaged' &&
		cache dump "$img" && said 'regions=25' &&
		cache format --force --region-size 16M "$img" &&
		said '6 regions of 16.0 MiB'
}

formats_all_or_none()
{
	empty && cp "$img" "$dir/other" && mke2fs -q -F "$dir/other" &&
		refused ext2 format "$img" "$dir/other" &&
		cache format --force "$img" "$dir/other" &&
		cache check "$img" "$dir/other"
	ret=$?
	rm -f "$dir/other"
	return $ret
}

# poke AT FORMAT: bytes into the image
poke()
{
	# shellcheck disable=SC2059
	printf "$2" | dd of="$img" bs=1 seek="$1" conv=notrunc status=none
}

# The marks of swap space are at 4086, where nothing is written over them.
forgets()
{
	empty && mkswap -q "$img" 2>"$dir/out" && refused swap format "$img" &&
		cache format --force "$img" && ! blkid -p "$img" >"$dir/out"
}

keeps_caches()
{
	full 2 0 && refused 'is a cache of gns already' format "$img"
}

keeps_partitions()
{
	# An MBR with one partition of Linux, of 32768 sectors from 2048 on.
	empty && poke 450 '\203\0\0\0\0\010\0\0\0\200\0\0' &&
		poke 510 '\125\252' && refused dos format "$img"
}

refuses_sizes()
{
	empty 16M && refused 'too small' format "$img" &&
		empty && refused 'power of two' format --region-size 5M "$img" &&
		refused 'is no size' format --region-size 5x "$img" &&
		refused 'too small' format --region-size 32M "$img"
}

refuses_others()
{
	empty && refused 'there is no cache' check "$img" &&
		refused 'there is no cache' dump "$img" &&
		refused 'neither' check "$dir" &&
		refused 'No such file' check "$dir/nothing"
}

locks()
{
	empty && flock "$img" "$GNSCTL" cache format "$img" >"$dir/out" 2>&1
	[ $? = 1 ] && said 'another gnsctl'
}

checks()
{
	full 20 3 && cache check "$img" &&
		said '20 sealed, 3 open, 2 unused, 0 of no use' &&
		said "$extents extents" && said ' 0 damaged' &&
		cache dump "$img" &&
		[ "$(grep -c '^extent ' "$dir/out")" = "$extents" ] &&
		[ "$(awk -F 'len=' '/^extent/ { n += $2 } END { print n }' \
			"$dir/out")" = "$bytes" ]
}

# found AT WORDS: a flipped bit there
found()
{
	flip "$1" && ! cache check "$img" && said "$2" && said ' 1 damaged' &&
		flip "$1" && cache check "$img"
}

# Region 1 begins at 5 MiB, with extents of 2 MiB, 68 and 128 KiB.
finds_data()
{
	r=$((5 << 20))
	full 3 0 && found "$r" 'region 1: object 01' &&
		found $((r + (2 << 20) - 1)) 'the 2097152 bytes from 0 on' &&
		found $((r + (2 << 20) + 65536)) 'the 69632 bytes from 2097152 on'
}

finds_tables()
{
	full 3 0 && table=$(cache dump "$img" && sed -n \
		's/^region nr=2 .* table=//p' "$dir/out") &&
		found $((table + (9 << 20))) 'region 2: table_crc:'
}

# A foot that was not written as a whole is no damage: nothing of it is used.
torn_is_empty()
{
	full 3 0 && flip $(((9 << 20) - 100)) &&
		cache check "$img"
	said '2 sealed' && said '1 of no use' && said ' 0 damaged' &&
		cache dump "$img" && said 'nr=1 state=torn'
}

# One that was cut off, and one whose first block is damaged.
refuses_damaged()
{
	full 3 0 && truncate -s 90M "$img" && refused 'size:' check "$img" &&
		full 3 0 && flip 50 && refused 'crc:' dump "$img" &&
		refused 'is a cache of gns' format "$img"
}

usage()
{
	for args in '' 'mend x' 'check' 'dump' 'dump a b' 'format' 'check -x'; do
		# shellcheck disable=SC2086
		cache $args
		[ $? = 2 ] && said 'Usage: gnsctl cache' || return
	done
}

check "a device is formatted" formats
check "all devices are formatted, or none" formats_all_or_none
check "what was on it is not found again" forgets
check "a cache is not formatted by mistake" keeps_caches
check "nor is what has partitions" keeps_partitions
check "sizes that can not be" refuses_sizes
check "what is no cache" refuses_others
check "one at a time" locks
check "a cache that is right" checks
check "damaged data" finds_data
check "a damaged table" finds_tables
check "a foot that was half written" torn_is_empty
check "a damaged device" refuses_damaged
check "wrong words" usage
echo "1..$cases"
rm -rf "$dir"
exit $failed
