# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the tests here: a cluster with a tree to read, and readers.
#
#	traffic_tree		fills the export
#	traffic HOST [flag...]	readers at random, that compare; sets pid
#	traffic_ends PID...	stops them; fails if one saw what it may not
#	gone PID		has it ended?

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh
. "$GNS_TOP/selftests/lib/cluster.sh"
load=$GNS_TOP/build/obj/selftests/load/gns-load
pid=
traffics=0

traffic_tree()
{
	mkdir "$EXPORT" || return
	(cd "$GNS_TOP" && cp -r --parents helperd kmod tools uapi "$EXPORT") &&
		head -c 24M /dev/urandom >"$EXPORT/large"
}

# For long enough: they are ended by traffic_ends.
traffic()
{
	local host=$1
	shift

	traffics=$((traffics + 1))
	"$load" -s 10000 -t 6 -r "$EXPORT" -x "$RANDOM" "$@" churn "$LAB/$host" \
		>"$LAB/traffic.$host.$traffics.log" 2>&1 &
	pid=$!
	lab_until 30 log_says "traffic.$host.$traffics" reading
}

gone()
{
	! kill -0 "$1" 2>/dev/null
}

# SIGTERM: they finish what they do and say what they saw.
traffic_ends()
{
	local p bad=0

	kill "$@" 2>/dev/null
	for p; do
		if ! lab_until 60 gone "$p"; then
			echo "# readers still wait"
			kill -KILL "$p"
			bad=1
		fi
		wait "$p" || bad=1
	done
	return $bad
}
