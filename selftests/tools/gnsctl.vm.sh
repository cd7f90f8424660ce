#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# gnsctl against a mount, and the files below /sys/fs/gns against the document
# that describes them.
# vm: timeout=400 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh
. "$GNS_TOP/selftests/lib/cluster.sh"

gnsctl=$GNS_TOP/build/obj/tools/gnsctl
abi=$GNS_TOP/uapi/ABI/testing/sysfs-fs-gns

ctl()
{
	on a "$gnsctl" "$@" >"$LAB/said" 2>&1
}

# said TEXT...: all of it, in this order.
said()
{
	local rest text

	rest=$(<"$LAB/said")
	for text; do
		[[ $rest == *"$text"* ]] && rest=${rest#*"$text"} && continue
		echo "# no '$text' in"
		sed 's/^/# /' "$LAB/said"
		return 1
	done
}

# A counter of the only mount, or another of its files.
of_mount()
{
	cat /sys/fs/gns/[0-9]*/"$1"
}

"$gnsctl" status >"$LAB/said" 2>&1
[ $? = 1 ] && said "gns.ko is not loaded: insmod gns.ko or modprobe gns"
result $? "no module"

head -c 1000000 /dev/urandom >"$LAB/random"
mkdir "$EXPORT"
cp "$LAB/random" "$EXPORT/file"
cluster_start a
ctl status && said "nothing is mounted"
result $? "status of nothing"
ctl status --json && [ "$(<"$LAB/said")" = '{"format":1,"origins":[]}' ]
result $? "the same as JSON"
cluster a

ctl status && said "origin: $ORIGIN" "session: live" "objects:" "trouble: none" \
	"MOUNT" "$ORIGIN:/x on $LAB/a"
result $? "status"
on a setpriv --reuid 65534 --regid 65534 --clear-groups "$gnsctl" status \
	>"$LAB/said" 2>&1
[ $? = 1 ] && said "status needs root"
result $? "status for anybody"
ctl status "$LAB/a/" && said "$ORIGIN:/x on"
result $? "status of a directory"
ctl status "$ORIGIN:/x" && ctl status "$ORIGIN" && said "$ORIGIN:/x on"
result $? "status of a source, and of an origin"
ctl status /nowhere
[ $? = 1 ] && said "neither a gns mount nor an origin"
result $? "status of what is not there"
ctl status --nonsense
[ $? = 2 ] && ctl nonsense
[ $? = 2 ]
result $? "wrong calls"

cmp "$LAB/random" "$LAB/a/file" && cmp "$LAB/random" "$LAB/a/file" &&
	[ "$(of_mount counters/read_bytes)" -ge 2000000 ] &&
	[ "$(of_mount counters/fill_bytes)" -ge 1000000 ] &&
	[ "$(of_mount counters/fill_bytes)" -lt 1100000 ]
result $? "bytes are counted: read twice, fetched once"
ctl status --json && said '"source":"'"$ORIGIN:/x"'"' '"hit_bytes":' \
	'"counters":{"read_bytes":' '"fill_bytes":'
result $? "status as JSON"

filled=$(of_mount counters/fill_bytes)
again()
{
	cmp "$LAB/random" "$LAB/a/file" &&
		[ "$(of_mount counters/fill_bytes)" -ge $((filled + 1000000)) ]
}
ctl drop "$LAB/a" && said "$ORIGIN:/x" && lab_until 10 again
result $? "drop"
ctl drop /nowhere
[ $? = 1 ] && said "not a gns mount"
result $? "drop of what is not there"

# Two mounts of one source that differ in options, and one directory each.
gns_mount a soft "$LAB/soft"
ctl status && said "/x on $LAB/a" "/x on $LAB/soft"
result $? "each directory is with its own mount"
gns_umount "$LAB/soft"

ctl features && said seek && ctl version && said "gnsctl " "gns.ko "
result $? "features, version"

documented()
{
	# Those of a cache, which is not there, are selftests/cache/devices' business.
	sed -n 's|^What:\t*/sys/fs/gns/||p' "$abi" |
		grep -v -e '/$' -e '^cache<N>/' -e '/cache$' |
		sort >"$LAB/documented"
	(cd /sys/fs/gns && find . -type f -printf '%P\n') |
		sed 's|^[0-9]*/|<nr>/|' | sort >"$LAB/found"
	diff "$LAB/documented" "$LAB/found" >"$LAB/diff" && return
	sed 's/^/# /' "$LAB/diff"
	return 1
}
documented
result $? "the files in sysfs are those of the document"
[ "$(of_mount origin)" = "$ORIGIN" ] && [ "$(of_mount export)" = /x ] &&
	[ "$(of_mount left_ms)" -gt 0 ] && [ "$(of_mount ttl_ms)" = 10000 ] &&
	[ "$(of_mount soft)" = 0 ] && [ "$(of_mount leases)" -gt 0 ] &&
	[ "$(of_mount pending)" = 0 ] && [ "$(of_mount session)" != 0000000000000000 ]
result $? "they have the values that it says"
echo 4096 >"$(echo /sys/fs/gns/[0-9]*/rasize)" &&
	[ "$(of_mount rasize)" = 4096 ] &&
	! echo 1 2>/dev/null >"$(echo /sys/fs/gns/[0-9]*/rasize)"
result $? "what can be written can be"

helper_kill a
ctl status && said "session: live" "helper: none runs here"
result $? "status without a helper"
helper_start a
twice()
{
	[ "$(grep -c origin: "$LAB/said")" -ge 2 ]
}
nsenter --net=/run/netns/a "$gnsctl" status --watch 1 >"$LAB/said" &
lab_until 20 twice
result $? "status again and again"
kill $!
wait $! 2>/dev/null

gns_umount "$LAB/a"
[ -z "$(echo /sys/fs/gns/*/ | grep -v '\*')" ]
result $? "nothing is left of the mount"
helper_stop a
origin_stop
lab_end
