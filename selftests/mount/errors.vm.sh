#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Mounts that do not work: each says why, and what to do, in a short time.
# vm: timeout=240 full=debug

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"

# fails HOST STATUS TEXT OPTIONS SOURCE [SECONDS]: what mount.gns has to end with.
fails()
{
	local host=$1 want=$2 text=$3 options=$4 source=$5 limit=${6-5}
	local begin=${EPOCHREALTIME/.} status took

	[ "$GNS_KERNEL" != debug ] || limit=$((limit + 10))
	timeout 60 nsenter --net="/run/netns/$host" "$mount_gns" "$source" \
		"$LAB/m" ${options:+-o "$options"} >said 2>&1
	status=$?
	took=$(((${EPOCHREALTIME/.} - begin) / 1000))
	said=$(<said)
	if ((status == want && took < limit * 1000)) && [[ $said == *"$text"* ]]; then
		result 0 "$source${options:+ -o $options}: $text"
	else
		sed 's/^/# /' said
		result 1 "$source: status $status (not $want) after $took ms, '$text'"
	fi
}

mkdir -p "$LAB/m" "$EXPORT"
echo 1 >"$EXPORT/file"
net_start o a b || lab_bail "no network"

fails a 32 "gns.ko is not loaded" "" "$ORIGIN:/x"
insmod "$GNS_KMOD" || lab_bail "the module does not load"
fails a 32 "start gns-helperd" "" "$ORIGIN:/x"
fails a 32 "no helper is running" "" "$ORIGIN:/x"

helper_start a || lab_bail "no helper"
fails b 32 "start gns-helperd" "" "$ORIGIN:/x"
fails a 32 "nobody listens there" "" "$ORIGIN:/x"
fails a 32 "Connection refused" "" "$ORIGIN:/x"
net_cut a
fails a 32 "can not be reached" "" "$ORIGIN:/x" 30
net_heal a
fails a 32 "can not be reached" "" "10.9.0.77:/x" 30
fails a 32 "can not be reached" "" "192.0.2.1:/x" 30
fails a 32 "can not be reached" "" "no-such-host.invalid:/x" 30

origin_start --export "other=$EXPORT,ro" || lab_bail "no origin"
fails a 32 "no such export" "" "$ORIGIN:/y"
fails a 32 "has no export y" "" "$ORIGIN:/y"
fails a 32 "nobody listens there" "" "$ORIGIN:7118:/x"

# What is wrong by its form is refused before anybody is asked.
fails a 1 'there is no ":/" in it' "" "$ORIGIN"
fails a 1 "there is no export after" "" "$ORIGIN:/"
fails a 1 "no host before the first colon" "" ":/x"
fails a 1 "a number from 1 to 65535" "" "$ORIGIN:70000:/x"
fails a 1 "stands in brackets" "" "::1:/x"
fails a 1 "no blanks, slashes" "" "$ORIGIN:/x/y"

fails a 32 "rasize=1" rasize=1 "$ORIGIN:/x"
fails a 32 "rasize=many" rasize=many "$ORIGIN:/x"
fails a 32 "rasize=999M" rasize=999M "$ORIGIN:/x"
fails a 32 "timeo=1" soft,timeo=1 "$ORIGIN:/x"
fails a 32 "timeo" timeo=x "$ORIGIN:/x"
fails a 32 "nonsense" nonsense "$ORIGIN:/x"
fails a 32 "nonsense" soft,nonsense=1 "$ORIGIN:/x"
fails a 1 "retry" retry=often "$ORIGIN:/x"

# By another than root; the kernel has the last word.
cat >not-root <<'EOS'
#!/bin/bash
exec setpriv --reuid 1000 --regid 1000 --clear-groups "$@"
EOS
chmod +x not-root
nsenter --net=/run/netns/a ./not-root "$mount_gns" "$ORIGIN:/x" "$LAB/m" >said 2>&1
[ "$?" = 1 ] && [[ $(<said) == *"needs root"* ]]
result $? "not root: $(<said)"

"$mount_gns" "$ORIGIN:/x" "$LAB/nowhere" >said 2>&1
[ "$?" = 32 ] && [[ $(<said) == *"No such file"* ]]
result $? "no such directory: $(<said)"

gns_mount a "" "$LAB/m" && [ "$(<"$LAB/m/file")" = 1 ]
result $? "and after all that it mounts"
umount "$LAB/m"
lab_end
