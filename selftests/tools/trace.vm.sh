#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints: each of them happens, and says what it is about.
# vm: kernel=stock,6.1 timeout=240

# shellcheck disable=SC2034
TTL=2
# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh
. "$GNS_TOP/selftests/lib/cluster.sh"
t=/sys/kernel/tracing

saw()
{
	grep -Eq ": $1: $2" trace
	result $? "$1: $3"
}

mountpoint -q $t || mount -t tracefs none $t || lab_bail "no tracefs"
mkdir "$EXPORT"
head -c 300000 /dev/urandom >"$EXPORT/file"
cluster_start a b
origin_start && helper_start a && helper_start b || lab_bail "no daemon"
echo 1 >$t/events/gns/enable || lab_bail "no events"
gns_mount a && gns_mount b || lab_bail "not mounted"
cat "$LAB/a/file" >copy
echo more >>"$LAB/b/file"
cat "$LAB/a/file" >copy
net_cut a
lab_sleep 3
net_heal a
timeout 30 cat "$LAB/a/file" >copy
cmp copy "$EXPORT/file"
result $? "a file is read, changed, and read again after its host was cut off"
echo 0 >$t/events/gns/enable
cat $t/trace >trace

fh='fh=[0-9a-f]{8}'
dev='dev=[0-9]+:[0-9]+'
saw gns_session 'origin=[0-9]+ [a-z]+ sid=[0-9a-f]+ stamp=[0-9]+ ttl=2000000000' \
	"a session"
saw gns_grant "$dev $fh version=[0-9a-f]+ number=[1-9][0-9]* epoch=[0-9]+" \
	"a lease"
saw gns_revoke "origin=[0-9]+ $fh upto=[1-9][0-9]* inodes=1" "it is revoked"
saw gns_fence "$dev $fh upto=[1-9][0-9]* epoch=[0-9]+ ns=[0-9]+" "and fenced"
saw gns_zap 'origin=[0-9]+ lost=[0-9a-f]+ ns=[0-9]+' "near the deadline"
saw gns_call_submit "origin=[0-9]+ id=[0-9]+ READ $fh off=0 len=[0-9]+ err=0" \
	"a call in line"
saw gns_call_sent "origin=[0-9]+ id=[0-9]+ WRITE $fh .* err=0 ns=[0-9]+" \
	"one that the helper has"
saw gns_call_end "origin=[0-9]+ id=[0-9]+ MOUNT $fh .* err=0 ns=[0-9]+" \
	"one that was answered"
saw gns_fill 'id=[0-9]+ done epoch=[0-9]+ off=0 len=[0-9]+ folios=[0-9]+ err=0' \
	"bytes for the cache"
! grep -E ': gns_[a-z_]+: .*(id=[0-9]+|origin=[0-9]+) 0x' trace
result $? "all of it by its name"
bad=0
for dir in $t/events/gns/gns_*/; do
	name=$(basename "$dir")
	grep -q ": $name: " trace || { bad=1; echo "# never: $name"; }
done
result $bad "there is no other one"
gns_umount "$LAB/a"
gns_umount "$LAB/b"
lab_end
