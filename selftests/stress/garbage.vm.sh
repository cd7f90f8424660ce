#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# An origin that answers garbage: whatever it says, calls end with errors or
# wait, whoever waits can be killed, the mount goes away, and the kernel has
# nothing to report.
# vm: timeout=240 mem=1536

# shellcheck source-path=SCRIPTDIR source=traffic.sh disable=SC2034,SC2154
. "$GNS_TOP/selftests/stress/traffic.sh"
fake=$GNS_TOP/build/obj/selftests/stress/gns-fake
[ "$GNS_KERNEL" != debug ] || SEEDS=${SEEDS-1 2 3}
SEEDS=${SEEDS-1 2 3 4 5 6}
SECONDS_EACH=${SECONDS_EACH-3}

fake_start()
{
	daemon_start o "listening on" "$fake" "$ORIGIN:7117" "$1" "$2"
}

# churn OPTIONS: traffic that is killed after its time; it may see anything.
churn()
{
	local pid

	"$load" -e -t 8 -s "$SECONDS_EACH" -x "$seed" churn "$LAB/a" \
		>"$LAB/churn.out" 2>&1 &
	pid=$!
	lab_until $((SECONDS_EACH + 4)) gone "$pid"
	kill -KILL "$pid" 2>/dev/null
	gone_within 10 "$pid"
}

cluster_start a
helper_start a || lab_bail "the helper does not start"

fake_start 1 0 || lab_bail "the origin does not start"
gns_mount a && "$load" -t 8 read "$LAB/a" >"$LAB/read.out" 2>&1
status=$?
sed 's/^/# /' "$LAB/read.out"
result $status "an origin of lies, that says the truth, is read"
gns_umount "$LAB/a"
daemon_end o KILL

for seed in $SEEDS; do
	fake_start "$seed" $((5 + seed * 7 % 40)) ||
		lab_bail "the origin does not start"
	options=
	((seed % 2)) || options=soft,timeo=1000
	mounted=1
	for ((try = 0; try < 5; try++)); do
		gns_mount a "$options" >"$LAB/mount.out" 2>&1 && mounted=0 && break
	done
	[ "$mounted" = 0 ] || echo "# seed $seed: never mounted: $(tail -1 "$LAB/mount.out")"
	if [ "$mounted" = 0 ]; then
		churn
		result $? "seed $seed: who waits can be killed"
		tail -n 1 "$LAB/churn.out" | sed 's/^/# /'
		if ((seed % 3)); then
			gns_umount "$LAB/a"
		else
			gns_umount -f "$LAB/a"
		fi
		result $? "seed $seed: unmounted"
	fi
	kill -0 "${lab_daemon[a]}"
	result $? "seed $seed: the helper lives"
	daemon_end o KILL
done
lab_end
