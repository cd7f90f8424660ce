# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts of figures share; sourced after ../lib/cluster.sh.
#
#	took WORKLOAD SIDE UNIT VALUE	one round of one side
#	takes_turns ROUND SIDE...	prints the sides, in an order of the round
#	bench_end			the figures, for report.awk; and the plan
#	gns_is MOUNT			this is the mount that was made last
#	counters MOUNT			how its counters have grown, in $by
#	went MOUNT WORD=BYTES...	by these ways, and no other
#	sectors FIELD DRIVE...		3: read from them, 7: written; in $sectors
#	cpu_idle			in percent since the last time; in $idle
#	fio_run JOB SIDE...		one of jobs/ on their $file each; sets $MB,
#					$IOPS and $BYTES by side
#
# A result that is bad ends nothing: figures of the others are still worth it.

# shellcheck disable=SC2034,SC2154 # for those who source this
bench=$GNS_TOP/selftests/bench
load=$GNS_TOP/build/obj/selftests/bench/gns-load
stream=$GNS_TOP/build/obj/selftests/bench/gns-stream

declare -A taken=()	# by "workload side unit"
taken_order=()
declare -A mount_nr=()	# by mount: its name in sysfs
declare -A now=() by=()
declare -A MB=() IOPS=() BYTES=()

# ROUNDS of who started this, or $1.
bench_rounds()
{
	local n=$1

	[ ! -r "$GNS_TOP/build/bench/rounds" ] ||
		read -r n <"$GNS_TOP/build/bench/rounds"
	echo "$n"
}

took()
{
	local key="$1 $2 $3"

	[ -n "${taken[$key]-}" ] || taken_order+=("$key")
	taken[$key]+=" $4"
}

takes_turns()
{
	local first=$(($1 % ($# - 1)))

	shift
	echo "${@:first + 1}" "${@:1:first}"
}

bench_end()
{
	local key

	for key in "${taken_order[@]}"; do
		echo "# took $key${taken[$key]}"
	done
	lab_end
}

gns_is()
{
	local dir nr known=" ${mount_nr[*]} "

	for dir in /sys/fs/gns/*/counters; do
		nr=${dir%/counters}
		nr=${nr##*/}
		[[ $known == *" $nr "* ]] || mount_nr[$1]=$nr
	done
}

counters()
{
	local word value dir=/sys/fs/gns/${mount_nr[$1]}/counters

	for word in read_bytes fill_bytes pass_bytes cache_bytes direct_bytes \
		direct_copied direct_buffered lookups getattrs readdirs; do
		read -r value <"$dir/$word"
		by[$word]=$((value - ${now[$1 $word]-0}))
		now[$1 $word]=$value
	done
}

went()
{
	local mount=$1 word ok=0
	local -A want=([fill_bytes]=0 [pass_bytes]=0 [cache_bytes]=0
		[direct_bytes]=0 [direct_copied]=0 [direct_buffered]=0)
	shift

	counters "$mount"
	for word; do
		want[${word%=*}]=${word#*=}
	done
	for word in "${!want[@]}"; do
		[ "${by[$word]}" = "${want[$word]}" ] && continue
		echo "# $mount: $word: ${by[$word]}, not ${want[$word]}"
		ok=1
	done
	return $ok
}

sectors()
{
	local field=$1 drive words
	shift

	sectors=0
	for drive; do
		read -r -a words <"/sys/block/$drive/stat"
		sectors=$((sectors + words[field - 1]))
	done
}

# One job for each, one after the other. Of fio's terse form: 3 the job, 5 error,
# 6 KiB, 8 reads a second, 9 ms.
fio_run()
{
	local job=$1 side line n=0 turn
	local -a args=() files=()
	shift

	MB=() IOPS=() BYTES=()
	for side; do
		n=$((n + 1))
		args+=("--section=$n")
		files+=("FILE$n=${file[$side]}")
	done
	for ((n++; n <= 7; n++)); do
		files+=("FILE$n=none")
	done
	env "SIZE=$SIZE" "${files[@]}" fio --output-format=terse \
		--terse-version=3 --output="$LAB/fio.said" "${args[@]}" \
		"$bench/jobs/$job.fio" || return
	while IFS=';' read -r -a line; do
		[ "${line[4]}" = 0 ] && ((line[5] > 0 && line[8] > 0)) || continue
		turn=${line[2]}
		side=${!turn}
		BYTES[$side]=$((line[5] * 1024))
		IOPS[$side]=${line[7]}
		printf -v n '%d.%02d' $((BYTES[$side] / line[8] / 1000)) \
			$((BYTES[$side] / line[8] / 10 % 100))
		MB[$side]=$n
	done <"$LAB/fio.said"
}

# per_second AMOUNT SECONDS [SCALE]: prints it with two digits behind the point;
# the seconds have four
per_second()
{
	local n=$(($1 * 1000000 / ${3-1} / 10#${2/.}))

	printf '%d.%02d' $((n / 100)) $((n % 100))
}

# cpu_idle: sets $idle to how many percent of the CPUs' time since the last call
cpu_idle()
{
	local words sum=0 i

	read -r -a words </proc/stat
	for ((i = 1; i <= 8; i++)); do
		sum=$((sum + words[i]))
	done
	idle=$((100 * (words[4] - idle_was) / (sum - idle_all + 1)))
	idle_was=${words[4]}
	idle_all=$sum
}
idle_was=0
idle_all=0
