#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# stress-ng's filesystem stressors: those that find nothing wrong with ext4 find
# nothing wrong with gns, each on both satellites at the same time.
# vm: kernel=6.1 timeout=2400 mem=2048

. "$GNS_TOP/selftests/programs/beside.sh"

# All that stress-ng 0.15 has in its class, but for those that need no
# filesystem or one of their own.
stressors="access chattr chdir chmod chown copy-file dentry dir dirdeep dirmany
	dnotify dup fallocate fanotify fcntl fiemap file-ioctl filename flock
	fpunch fsize fstat getdent handle hdd inode-flags inotify io iomix
	lease link locka lockf lockofd mknod open rename symlink sync-file
	touch utime xattr"
seconds=4

if ! command -v stress-ng >/dev/null; then
	echo "1..0 # SKIP no stress-ng: tools/deps programs"
	exit 4
fi

# stress DIRECTORY STRESSOR
stress()
{
	stress-ng --temp-path "$1" --"$2" 1 --timeout "$seconds" --verify \
		--hdd-bytes 8M --iomix-bytes 8M --fallocate-bytes 8M \
		--sync-file-bytes 8M --dentries 256
}

# compare STRESSOR
compare()
{
	local name=$1 dir one

	good "$name on ext4" stress "$L" "$name" || return
	stress "$A" "$name" >"$LAB/one" 2>&1 &
	one=$!
	good "$name on one satellite" stress "$B" "$name"
	wait $one
	one=$?
	result $one "$name on the other one meanwhile"
	[ $one = 0 ] || tail -n 12 "$LAB/one" | sed 's/^/# /'
	for dir in "$A" "$B"; do
		[ -z "$(ls -A "$dir")" ] && continue
		result 1 "$name left $(find "$dir" | wc -l) names in $dir"
		rm -rf "${dir:?}"/*
	done
}

beside 1024
for name in $stressors; do
	compare "$name"
done
lab_end
