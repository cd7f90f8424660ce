#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One helper serves a network namespace; another one waits for its end. And a
# helper must not wait for itself: its own I/O on its mount is refused.
# vm: timeout=240 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154,SC2034
. "$GNS_TOP/selftests/lib/cluster.sh"

mkdir -p "$EXPORT/dir/sub"
for i in 1 2 3; do
	echo "$i" >"$EXPORT/dir/file$i"
done
cluster a

timeout 20 nsenter --net=/run/netns/a "$helperd" --satellite yes \
	--state "$LAB/other.state" >said 2>&1
status=$?
[ "$status" != 0 ] && [ "$status" != 124 ] &&
	[[ $(<said) == *"another helper serves"* ]]
result $? "a second helper is refused: $(<said)"
[ "$(<"$LAB/a/dir/file1")" = 1 ]
result $? "the first one serves on"

nsenter --net=/run/netns/a "$helperd" --satellite auto --state "$LAB/other.state" \
	>"$LAB/other.log" 2>&1 </dev/null &
lab_daemon[other]=$!
lab_until 20 log_says other "another helper serves"
result $? "one that may wait says what it waits for"
helper_kill a
lab_until 20 log_says other "serving mounts"
result $? "and takes over when the first one is gone"
[ "$(<"$LAB/a/dir/file2")" = 2 ]
result $? "the mount goes on"
daemon_end other TERM
result $? "it ends"

# Without a lookup in the cache: it would have to ask itself.
cat >conf <<END
[daemon]
state = $LAB/a.state

[origin]
listen = 127.0.0.1:0

[satellite]
enable = yes

[export own]
path = $EXPORT
END
daemon_start a "serving mounts" "$helperd" --config conf
result $? "a helper with a configuration"
printf '\n[export loop]\npath = %s\n' "$LAB/a/dir/sub" >>conf
daemon_signal a HUP
lab_until 20 log_says a "reload: done"
result $? "told to export what it has mounted: it does not hang"
log_says a "deadlock"
result $? "it is told that it would wait for itself"
[ "$(<"$LAB/a/dir/file3")" = 3 ]
result $? "it serves on"

gns_umount "$LAB/a"
helper_stop a
result $? "a clean end"
lab_end
