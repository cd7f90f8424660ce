# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the tests here: a cluster with a tree to read, and readers.
#
#	traffic_tree		fills the export
#	traffic HOST [flag...]	readers at random, that compare; sets pid
#	traffic_ends PID...	stops them; fails if one saw what it may not
#	gone PID		has it ended?
#	gone_within SECONDS PID	does it?
#	in_memory NAME PROGRAM	prints a script that runs it, from memory alone

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
	: >"$LAB/traffic.$host.$traffics.log"
	"$load" -s 10000 -t 6 -r "$EXPORT" -x "$RANDOM" "$@" churn "$LAB/$host" \
		>>"$LAB/traffic.$host.$traffics.log" 2>&1 &
	pid=$!
	lab_until 30 log_says "traffic.$host.$traffics" reading
}

# All of its threads; what is left then waits for its parent only.
gone()
{
	local stat

	stat=$(<"/proc/$1/stat") || return 0
	[[ ${stat##*) } == Z* ]] && [ "$(echo "/proc/$1/task"/*)" = "/proc/$1/task/$1" ]
} 2>/dev/null

# gone_within SECONDS PID: or say where it stands.
gone_within()
{
	local task

	! lab_until "$1" gone "$2" || return 0
	for task in "/proc/$2/task"/*; do
		sed 's/^/# /' "$task/stat" "$task/stack"
	done
	return 1
}

# SIGTERM: they finish what they do and say what they saw.
traffic_ends()
{
	local p bad=0

	kill "$@" 2>/dev/null
	for p; do
		if ! gone_within 60 "$p"; then
			echo "# readers still wait"
			kill -KILL "$p"
			bad=1
		fi
		wait "$p" || bad=1
	done
	return $bad
}

# Whose allocations fail shall not do without the pages of its program: they
# are on 9p, which does not forgive that.
in_memory()
{
	local dir=$LAB/bin.$1 lib

	mkdir "$dir"
	while read -r lib; do
		cp -L "$lib" "$dir"
	done < <(ldd "$2" | grep -o '/[^ ]*')
	cp "$2" "$dir/program"
	printf '#!/bin/bash\nexec "%s" --library-path "%s" "%s" "$@"\n' \
		"$dir"/ld-linux*.so.* "$dir" "$dir/program" >"$dir/run"
	chmod +x "$dir/run"
	echo "$dir/run"
}
