#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fsync(2) and syncfs(2) when the origin loses power: what they said is durable
# is there, bytes and names; of a change from before that they know nothing of
# they tell once, as an error.
# vm: kernel=6.1 timeout=240

# shellcheck disable=SC2034,SC2154
TTL=2
# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source-path=SCRIPTDIR source=../history/disk.sh
. "$GNS_TOP/selftests/history/disk.sh"

power_lost()
{
	origin_kill && /usr/sbin/xfs_io -x -c shutdown "$LAB/disk" &&
		disk_boot && origin_start
}

calls()
{
	cat /sys/fs/gns/[0-9]*/counters/calls
}

# lost COMMAND...: it tells that something may be lost.
lost()
{
	! "$@" 2>said && grep -q "Input/output error" said && return
	sed 's/^/# /' said
	return 1
}

# fd_sync FD: fsync(2) of what is open here; sync(1) would open it anew.
fd_sync()
{
	python3 -c 'import os, sys; os.fsync(int(sys.argv[1]))' "$1"
}

# told WHAT sync-option... FILE: that something may be lost, and once only.
told()
{
	local what=$1
	shift

	lost sync "$@" && sync "$@"
	result $? "$what"
}

disk_start || lab_bail "no disk"
cluster a
m=$LAB/a

mkdir "$m/dir" "$m/other" && echo 1 >"$m/file" && echo 2 >"$m/cut" &&
	echo 3 >"$m/old" && echo 4 >"$m/gone" && sync -f "$m"
result $? "files and directories"
before=$(calls)
sync -f "$m" && [ "$(calls)" = "$before" ]
result $? "what is durable is not asked for again"

: >"$m/dir/file" && sync "$m/dir"
result $? "fsync of a directory"
mkdir "$m/dir/made" && mv "$m/old" "$m/dir/made/new" && rm "$m/gone" &&
	ln -s target "$m/dir/link" && sync -f "$m"
result $? "syncfs after names were changed, and no bytes"
power_lost || lab_bail "the origin does not come back"
[ "$(cat "$EXPORT/dir/made/new")" = 3 ] && [ ! -e "$EXPORT/old" ] &&
	[ ! -e "$EXPORT/gone" ] && [ -L "$EXPORT/dir/link" ] &&
	[ -e "$EXPORT/dir/file" ]
result $? "all of it is there after a loss of power"
sync -f "$m"
result $? "syncfs has nothing to tell of"

echo more >>"$m/file" && : >"$m/cut" && : >"$m/other/name" &&
	mv "$m/dir/made" "$m/dir/moved"
result $? "changes of bytes and names"
power_lost || lab_bail "the origin does not come back"
net_link a delay 100ms
lost sync "$m/file" &
first=$!
lost sync "$m/file"
second=$?
wait $first
result $((second || $?)) "two fsync of a file at a time tell that it may be lost"
net_link a
sync "$m/file"
result $? "once"
told "fsync of a file that was cut" "$m/cut"
told "fsync of a directory with a new name" -d "$m/other"
told "fsync of a directory from which one was moved" "$m/dir"
told "syncfs" -f "$m"

exec 7<>"$m/cut" 8<>"$m/cut" && printf 5 >&7
result $? "a file is open twice when it is changed"
power_lost || lab_bail "the origin does not come back"
for fd in 7 8; do
	lost fd_sync $fd && fd_sync $fd
	result $? "each of them is told, and once: $fd"
done
sync "$m/cut"
result $? "who opens it after that is not"
exec 7>&- 8>&-

mv "$m/dir" "$m/last" && net_cut a
timeout -s KILL 3 sync -f "$m" 2>/dev/null
[ $? = 137 ]
result $? "who waits for syncfs can be killed"
net_heal a
power_lost || lab_bail "the origin does not come back"
told "and the next one is told what that one was not" -f "$m"
gns_umount "$m"
lab_end
