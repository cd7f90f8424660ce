#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Little memory: readers in a small memory cgroup, caches that are dropped all
# the time, and on the kernels that have failslab allocations that fail.
# vm: timeout=240

# shellcheck source-path=SCRIPTDIR source=traffic.sh disable=SC2034,SC2154
. "$GNS_TOP/selftests/stress/traffic.sh"
duration=${DURATION-6}
[ "$GNS_KERNEL" != debug ] || duration=${DURATION-3}

helper_fails()
{
	local task

	for task in "/proc/${lab_daemon[a]}/task"/*; do
		echo "$1" >"$task/make-it-fail"
	done 2>/dev/null
}

traffic_tree || lab_bail "no tree"
"$load" sum -w "$EXPORT" "$LAB/sums" >"$LAB/sums.out"
load=$(in_memory load "$load")
helperd=$(in_memory helperd "$helperd")
cluster a

mkdir -p "$LAB/cg"
mount -t cgroup2 none "$LAB/cg" &&
	echo +memory >"$LAB/cg/cgroup.subtree_control" &&
	mkdir "$LAB/cg/small" &&
	echo 16M >"$LAB/cg/small/memory.max"
result $? "a small memory cgroup"
(
	echo "$BASHPID" >"$LAB/cg/small/cgroup.procs" &&
		"$load" -t 4 sum "$LAB/a" "$LAB/sums" >"$LAB/small.out" 2>&1
)
status=$?
sed 's/^/# /' "$LAB/small.out"
result $status "a tree that is larger than its readers' cgroup"

traffic a
echo "$pid" >"$LAB/cg/small/cgroup.procs"
for ((i = 0; i < duration * 4; i++)); do
	echo $((1 + i % 3)) >/proc/sys/vm/drop_caches
	lab_sleep 0.25
done
traffic_ends "$pid"
result $? "reads while caches are dropped, in the small cgroup"

fault=/sys/kernel/debug/failslab
mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
if [ -d "$fault" ]; then
	for dir in "$fault" /sys/kernel/debug/fail_page_alloc; do
		[ -d "$dir" ] || continue
		echo Y >"$dir/task-filter"
		echo 0 >"$dir/verbose"
		echo 3 >"$dir/probability"
		echo -1 >"$dir/times"
		echo N >"$dir/ignore-gfp-wait"
	done
	traffic a -e
	echo 1 >"/proc/$pid/make-it-fail"
	for task in "/proc/$pid/task"/*; do
		echo 1 >"$task/make-it-fail"
	done
	for ((i = 0; i < duration * 2; i++)); do
		echo $((1 + i % 3)) >/proc/sys/vm/drop_caches
		lab_sleep 0.5
	done
	traffic_ends "$pid"
	result $? "readers' allocations fail: errors, but never other bytes"
	tail -qn 1 "$LAB"/traffic.a.*.log | sed 's/^/# /'

	# libuv ends the helper when the kernel has no memory for it.
	traffic a -e
	echo 1 >"$fault/probability"
	for ((i = 0; i < duration * 2; i++)); do
		! gone "${lab_daemon[a]}" || helper_start a || lab_bail "no helper"
		helper_fails 1
		echo $((1 + i % 3)) >/proc/sys/vm/drop_caches
		lab_sleep 0.5
	done
	helper_fails 0
	! gone "${lab_daemon[a]}" || helper_start a || lab_bail "no helper"
	traffic_ends "$pid"
	result $? "the helper's allocations fail: errors, but never other bytes"
	echo 0 >"$fault/probability"
fi
"$load" -t 8 sum "$LAB/a" "$LAB/sums" >"$LAB/end.out" 2>&1
status=$?
sed 's/^/# /' "$LAB/end.out"
result $status "all is well in the end"
lab_end
