#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The origin's filesystem is full: who writes is told so, both hosts have what
# the origin has, and when there is room again it goes on.
# vm: kernel=stock,6.1 timeout=240

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh
. "$GNS_TOP/selftests/lib/cluster.sh"

full()
{
	! "$@" 2>said && grep -q "No space left" said && return
	sed 's/^/# /' said
	return 1
}

# same NAME: the same bytes on both hosts and at the origin.
same()
{
	cmp "$LAB/a/$1" "$EXPORT/$1" && cmp "$LAB/b/$1" "$EXPORT/$1"
}

mkdir "$EXPORT" && mount -t tmpfs -o size=4m,nr_inodes=60 none "$EXPORT" ||
	lab_bail "no tmpfs"
head -c 5000000 /dev/urandom >"$LAB/random"
cluster a b
: >"$LAB/b/file"
[ "$(stat -c %s "$LAB/a/file")" = 0 ]
result $? "an empty file"

full cp "$LAB/random" "$LAB/a/file"
result $? "more is written than there is room for"
same file && [ "$(stat -c %s "$EXPORT/file")" -gt 1000000 ] &&
	cmp -n "$(stat -c %s "$EXPORT/file")" "$LAB/random" "$EXPORT/file"
result $? "what there was room for is there"
full dd if=/dev/zero of="$LAB/a/file" bs=65536 count=1 oflag=append,dsync \
	conv=notrunc status=none && same file
result $? "one more write at the end"
dd if=/dev/zero of="$LAB/b/file" bs=65536 count=2 conv=notrunc status=none &&
	same file
result $? "inside of the file there is room"
truncate -s 1000000 "$LAB/a/file" && cat "$LAB/random" 2>/dev/null |
	head -c 1000000 >>"$LAB/b/file" && same file &&
	[ "$(stat -c %s "$LAB/a/file")" = 2000000 ]
result $? "there is room again"

for ((i = 0; i < 60; i++)); do
	: >"$LAB/a/name$i" || break
done 2>/dev/null
full mkdir "$LAB/b/dir" && full ln -s x "$LAB/b/link" &&
	full mkfifo "$LAB/a/fifo"
result $? "no room for one more file: $i were made"
[ "$(ls "$LAB/a")" = "$(ls "$EXPORT")" ] && [ "$(ls "$LAB/b")" = "$(ls "$EXPORT")" ]
result $? "both hosts have the names that there are"
rm "$LAB/b/name1" && mkdir "$LAB/a/dir" && [ -d "$LAB/b/dir" ]
result $? "there is room again for one"
gns_umount "$LAB/a"
gns_umount "$LAB/b"
origin_stop
umount "$EXPORT"
lab_end
