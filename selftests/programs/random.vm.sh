#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Random operations on one file and on a tree, through two satellites in turn,
# each compared with ext4. The seeds are printed; SEED "any": others each time.
#
#	random.vm.sh [TIMES [SEED]]
#
# vm: kernel=stock timeout=240

. "$GNS_TOP/selftests/programs/beside.sh"

# shellcheck disable=SC2154 # beside.sh says where they are
onefile=$programs/programs-onefile
onetree=$programs/programs-onetree
more=${1:-1}	# as much of each
[ "$GNS_KERNEL" = debug ] || more=$((more * 2))

# run TEXT command...: with its output, which has the seed.
run()
{
	local text=$1
	shift

	"$@"
	result $? "$text"
}

beside
seed=${2:-1}
[ "$seed" != any ] || seed=$(((RANDOM << 15) + RANDOM))
run "one file" "$onefile" -s "$seed" -n $((more * 150)) \
	"$L/file" "$A/file" "$B/file"
run "one file under readers" "$onefile" -s $((seed + 1)) -n $((more * 80)) \
	-r 2 "$L/file" "$A/file" "$B/file"
run "one long file" "$onefile" -s $((seed + 2)) -n $((more * 30)) -m 6000000 \
	"$L/file" "$A/file" "$B/file"
mkdir "$L/tree" "$A/tree"
run "a tree" "$onetree" -s "$seed" -n $((more * 250)) -p 2 \
	"$L/tree" "$A/tree" "$B/tree"
mkdir "$L/times" "$B/times"
run "times" "$onetree" -t -s "$seed" -n $((more * 60)) -p 1 \
	"$L/times" "$A/times" "$B/times"
lab_end
