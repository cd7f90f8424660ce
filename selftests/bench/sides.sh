# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Figures of what lies on drives, for the scripts that have, by side,
#
#	file	what is read, $SIZE bytes of $EXPORT/0/0
#	drive	where its bytes lie; "": elsewhere
#	mount	of gns, as gns_is() knows it
#
# and $round.

# shellcheck disable=SC2034,SC2154 # of those who source this
# is_there SIDE: reading all of it asks nobody but the drives
is_there()
{
	local before

	# shellcheck disable=SC2086 # one drive or two
	sectors 3 ${drive[$1]}
	before=$sectors
	[ -z "${mount[$1]-}" ] || counters "${mount[$1]}"
	echo 1 >/proc/sys/vm/drop_caches
	cmp -n $SIZE "${file[$1]}" "$EXPORT/0/0" || return
	if [ -n "${mount[$1]-}" ]; then
		went "${mount[$1]}" "cache_bytes=$SIZE" >"$LAB/why" ||
			{ lab_sleep 1; return 1; }
	elif [ -n "${drive[$1]}" ]; then
		sectors 3 ${drive[$1]}
		((sectors - before >= SIZE / 512))
	fi
}

# What a side has read since it was last asked: in $sectors, or by counters.
side_reads()
{
	if [ -n "${mount[$1]-}" ]; then
		counters "${mount[$1]}"
	else
		# shellcheck disable=SC2086 # one drive, or none
		sectors 3 ${drive[$1]}
	fi
}

# side_came SIDE WORD BEFORE: its bytes came from where they should
side_came()
{
	if [ -n "${mount[$1]-}" ]; then
		went "${mount[$1]}" "$2=${BYTES[$1]}"
	elif [ -n "${drive[$1]}" ]; then
		side_reads "$1"
		((sectors - $3 >= BYTES[$1] / 512))
	fi
}

# figure JOB UNIT SIDE...: one round of a workload
figure()
{
	local job=$1 unit=$2 side word=cache_bytes
	local -A before=()
	shift 2

	[[ $job != direct* ]] || word=direct_bytes
	# shellcheck disable=SC2046 # words
	set -- $(takes_turns "$round" "$@")
	for side; do
		side_reads "$side"
		before[$side]=${sectors-}
	done
	fio_run "$job" "$@" || failed=1
	for side; do
		if [ -z "${BYTES[$side]-}" ] ||
			! side_came "$side" $word "${before[$side]}"; then
			echo "# round $round: $job by $side is no figure"
			failed=1
		elif [ "$unit" = reads/s ]; then
			took "${0##*/}/$job" "$side" "$unit" "${IOPS[$side]}"
		else
			took "${0##*/}/$job" "$side" "$unit" "${MB[$side]}"
		fi
	done
}
