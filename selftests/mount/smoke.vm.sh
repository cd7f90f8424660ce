#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# From end to end: an origin, a helper, a mount, and everything in it as it is
# at the origin; then the helper's death, in both ways, under an open mount.
# vm: timeout=240 leaks

. "$GNS_TOP/selftests/lib/cluster.sh"

# Names, types, targets and contents below a directory.
view()
{
	(cd "$1" && find . -printf '%y %m %s %p %l\n' | sort &&
		find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

same()
{
	view "$LAB/a" >"$LAB/seen"
	diff "$LAB/wanted" "$LAB/seen" >"$LAB/diff" && return
	head -n 20 "$LAB/diff" | sed 's/^/# /'
	return 1
}

mkdir -p "$EXPORT/sub/deep" "$EXPORT/many"
echo hello >"$EXPORT/hello"
: >"$EXPORT/empty"
ln -s sub/deep "$EXPORT/link"
head -c 5000001 /dev/urandom >"$EXPORT/sub/big"
head -c 100000 /dev/urandom >"$EXPORT/sub/deep/middle"
for i in {1..100}; do
	echo "$i" >"$EXPORT/many/file-with-a-longer-name-$i"
done
view "$EXPORT" >"$LAB/wanted"

cluster_start a
origin_start
result $? "the origin serves"
helper_start a
result $? "the helper serves"
gns_mount a
result $? "mounted"

[ "$(<"$LAB/a/hello")" = hello ]
result $? "a file"
same
result $? "everything"
same
result $? "everything again"
[ ! -e "$LAB/a/nothing" ] && [ ! -e "$LAB/a/nothing" ]
result $? "a name that is not there"

helper_kill a
(read -r line <"$LAB/a/many/file-with-a-longer-name-7" && [ "$line" = 7 ])
result $? "a file in the cache, without a helper"
helper_start a
result $? "another helper"
lab_until 20 same
result $? "everything, after a death"

helper_stop a
result $? "the helper ends when told to"
helper_start a && lab_until 20 same
result $? "everything, after an end"

gns_umount "$LAB/a"
result $? "unmounted"
lab_until 10 log_says a "nothing mounted any more"
result $? "the helper knows"
helper_stop a
lab_end
