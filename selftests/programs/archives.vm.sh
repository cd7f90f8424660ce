#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tar and rsync: trees that are written by one satellite are the same on the
# other one and on ext4, with links, holes, owners, times and attributes.
# vm: kernel=stock timeout=240

. "$GNS_TOP/selftests/programs/beside.sh"

beside
src=$LAB/source

# Everything that a tree can have.
make_source()
{
	local i

	mkdir -p "$src/dir/deep" "$src/empty" "$src/many"
	mkdir "$src/files"
	cp "$GNS_TOP"/kmod/[a-c]*.[ch] "$GNS_TOP/kmod/gns.h" "$src/files"
	head -c 3000001 /dev/urandom >"$src/dir/big"
	truncate -s 20M "$src/dir/hole"
	echo data | dd of="$src/dir/hole" bs=1M seek=9 conv=notrunc status=none
	ln -s ../dir/big "$src/empty/link"
	ln -s nowhere "$src/dangling"
	ln "$src/dir/big" "$src/dir/deep/hard"
	ln "$src/dir/big" "$src/hard"
	mkfifo "$src/fifo"
	mknod "$src/null" c 1 3
	for i in {1..30}; do
		echo "$i" >"$src/many/a-file-with-a-longer-name $i"
	done
	echo >"$src/$(printf 'n%.0s' {1..255})"
	chown -h 1000:1001 "$src/dangling" "$src/many" "$src/many/"*7
	chmod 0 "$src/many/"*3
	chmod 4711 "$src/dir/big"
	chmod 2775 "$src/dir"
	chmod 1777 "$src/empty"
	python3 -c "import os; os.setxattr(\"$src/dir/big\", \"user.one\", b\"a value\")"
	touch -d "1999-12-31 23:59:59.123456789 UTC" "$src/dir/hole" "$src/empty"
	touch -h -d "2001-01-01 UTC" "$src/dangling"
}

# Times, too.
whole()
{
	view "$1"
	(cd "$1" && find . -printf '%T@ %P\n' | sort)
}

alike()
{
	whole "$1" >"$LAB/whole.1"
	whole "$2" >"$LAB/whole.2"
	diff "$LAB/whole.1" "$LAB/whole.2"
}

make_source
tar=(tar --xattrs --numeric-owner)
good "tar packs" "${tar[@]}" -C "$src" -Scf "$LAB/one.tar" .
for dir in "$L" "$A"; do
	mkdir "$dir/tar"
	good "tar unpacks in ${dir#"$LAB/"}" \
		"${tar[@]}" -C "$dir/tar" -xpf "$LAB/one.tar"
done
good "the other satellite has the same as ext4" alike "$L/tar" "$B/tar"
good "and as the archive" "${tar[@]}" -C "$B/tar" -df "$LAB/one.tar"
good "it is packed again, onto gns" \
	"${tar[@]}" -C "$B/tar" -Scf "$B/two.tar" .
mkdir "$A/again"
good "and unpacked by the first one" \
	"${tar[@]}" -C "$A/again" -xpf "$A/two.tar"
good "the same still" alike "$L/tar" "$B/again"

# Times count to the nanosecond.
rsync=(rsync -aHXS --numeric-ids --delete --modify-window=-1)
for dir in "$L" "$B"; do
	good "rsync to ${dir#"$LAB/"}" "${rsync[@]}" "$src/" "$dir/rsync/"
done
good "the same on both" alike "$L/rsync" "$A/rsync"
nothing_left()
{
	[ -z "$("${rsync[@]}" -cni "$src/" "$A/rsync/" | tee "$LAB/left")" ] ||
		{ cat "$LAB/left"; false; }
}
good "nothing is left to do, by checksums" nothing_left

rm -r "$src/many" "$src/hard"
mkdir "$src/hard"
echo "another" >>"$src/dir/big"
mv "$src/files" "$src/moved"
touch "$src/moved/gns.h"
for dir in "$L" "$A"; do
	good "rsync of what is new to ${dir#"$LAB/"}" \
		"${rsync[@]}" --inplace "$src/" "$dir/rsync/"
done
good "the same on both" alike "$L/rsync" "$B/rsync"
good "nothing is left to do" nothing_left
good "all of it goes" rm -r "$B/rsync" "$A/tar" "$A/again"
[ "$(ls "$A")" = two.tar ]
result $? "and is gone on the other satellite"
lab_end
