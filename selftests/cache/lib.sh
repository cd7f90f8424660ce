# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For tests of the cache to source, behind cluster.sh.
#
#	count COUNTER		of all mounts together
#	cold			the page cache is emptied
#	hits DIR LIST		compares files with those of the export, in the
#				order in which they stand in LIST, lines of
#				sha256sum; prints bytes from drives

count()
{
	cat /sys/fs/gns/*/counters/"$1" | awk '{ n += $1 } END { print n }'
}

cold()
{
	echo 1 >/proc/sys/vm/drop_caches
}

hits()
{
	local before file from=${1/#"$LAB/a"/$EXPORT}

	before=$(count cache_bytes)
	cold
	while read -r _ file; do
		cmp "$1/$file" "$from/$file" >&2 || return
	done <"$2"
	echo $(($(count cache_bytes) - before))
}

# make_files DIR N BYTES: files of random bytes, 0 to N - 1
make_files()
{
	local i

	mkdir -p "$1"
	for ((i = 0; i < $2; i++)); do
		head -c "$3" /dev/urandom >"$1/$i"
	done
}
