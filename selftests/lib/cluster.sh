# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# An origin and its satellites in one guest, for tests to source: hosts of
# ../vm/netlab.sh, a gns-helperd on each, the module, mounts. Host `o` is the
# origin; it exports /x, a directory in memory with file handles.
#
#	cluster_start a b		o, a and b, no daemon yet
#	cluster a b			the same, daemons run, mounted on $LAB/a, $LAB/b
#	origin_start [flag...]		gns-helperd on o; origin_stop, origin_kill
#	helper_start a [flag...]	gns-helperd on a; returns when it serves
#	helper_stop a | helper_kill a	SIGTERM, SIGKILL; both wait for its end
#	helper_freeze a | helper_thaw a
#	gns_mount a [options] [dir [source]]
#	gns_umount dir [option...]
#	on a command...			in the network of a, with the mounts of all
#	net_cut a, net_heal a, ...	see netlab.sh
#	lab_run program [arg...]	a program that speaks to all this by lab.h
#	result STATUS text...		one line of TAP; lab_end: the plan
#
# $LAB is the test's directory, $EXPORT what is exported; TTL is the origin's,
# in seconds. Logs of the daemons are shown when a result is bad.

# shellcheck source-path=SCRIPTDIR source=../vm/netlab.sh
. "$GNS_TOP/selftests/vm/netlab.sh"

LAB=$TMPDIR
EXPORT=$LAB/export
TTL=${TTL-10}
ORIGIN=10.9.0.1
helperd=$GNS_TOP/build/obj/helperd/gns-helperd
mount_gns=$GNS_TOP/build/obj/tools/mount.gns
gnsctl=$GNS_TOP/build/obj/tools/gnsctl
export LAB EXPORT TTL ORIGIN
umask 022

lab_results=0
lab_failures=0
declare -A lab_daemon=()	# by host: its process
exec {lab_never}<> <(:)		# nothing ever comes, to wait for

# lab_sleep SECONDS: without a process.
lab_sleep()
{
	read -r -t "$1" -u "$lab_never" || :
}

# lab_until SECONDS command...: until it is true.
lab_until()
{
	local end=$((${EPOCHREALTIME/.} + $1 * 1000000))
	shift

	until "$@"; do
		((${EPOCHREALTIME/.} < end)) || return 1
		lab_sleep 0.05
	done
}

lab_logs()
{
	local log

	for log in "$LAB"/*.log; do
		[ ! -s "$log" ] || tail -n 12 "$log" | sed "s|^|# ${log##*/}: |"
	done
}

result()
{
	local good=$1
	shift

	lab_results=$((lab_results + 1))
	if [ "$good" != 0 ]; then
		printf 'not '
		lab_failures=$((lab_failures + 1))
	fi
	echo "ok $lab_results - $*"
	[ "$good" = 0 ] || lab_logs
}

lab_end()
{
	echo "1..$lab_results"
	[ "$lab_failures" = 0 ]
	exit
}

lab_bail()
{
	lab_logs
	echo "Bail out! $*"
	exit 1
}

# Unlike net_run: mounts that are made there are seen by all.
on()
{
	local host=$1
	shift

	nsenter --net="/run/netns/$host" "$@"
}

log_says()
{
	local text

	text=$(<"$LAB/$1.log") && [[ $text == *"$2"* ]]
}

log_says_or_ended()
{
	log_says "$1" "$2" || ! kill -0 "${lab_daemon[$1]}" 2>/dev/null
}

# daemon_start HOST TEXT command...: until its log says TEXT.
daemon_start()
{
	local host=$1 text=$2
	shift 2

	: >"$LAB/$host.log"
	# Not by on(): the process would be a shell around the daemon.
	nsenter --net="/run/netns/$host" "$@" >>"$LAB/$host.log" 2>&1 \
		</dev/null &
	lab_daemon[$host]=$!
	echo "$!" >"$LAB/$host.pid"
	lab_until 30 log_says_or_ended "$host" "$text" &&
		log_says "$host" "$text"
}

daemon_signal()
{
	kill "-$2" "${lab_daemon[$1]}"
}

daemon_end()
{
	daemon_signal "$1" "$2" || return
	wait "${lab_daemon[$1]}" 2>/dev/null
	unset "lab_daemon[$1]"
}

# shellcheck disable=SC2120 # those who source this have flags
origin_start()
{
	daemon_start o "listening on" "$helperd" --state "$LAB/o.state" \
		--listen "$ORIGIN" --insecure --ttl "$TTL" \
		--satellite no --export "x=$EXPORT,squash=none" "$@"
}

origin_stop()
{
	daemon_end o TERM
}

origin_kill()
{
	daemon_end o KILL
}

helper_start()
{
	local host=$1
	shift

	daemon_start "$host" "serving mounts" "$helperd" --state "$LAB/$host.state" \
		--satellite yes "$@"
}

helper_stop()
{
	daemon_end "$1" TERM
}

helper_kill()
{
	daemon_end "$1" KILL
}

helper_freeze()
{
	daemon_signal "$1" STOP
}

helper_thaw()
{
	daemon_signal "$1" CONT
}

gns_mount()
{
	local host=$1 options=${2-} dir=${3-$LAB/$1} source=${4-$ORIGIN:/x}

	[ -d "$dir" ] || mkdir "$dir" || return
	on "$host" "$mount_gns" "$source" "$dir" ${options:+-o "$options"}
}

gns_umount()
{
	umount -i "$@"
}

cluster_start()
{
	[ -d "$EXPORT" ] || mkdir "$EXPORT" || lab_bail "no $EXPORT"
	[ -d /sys/module/gns ] || insmod "$GNS_KMOD" ||
		lab_bail "the module does not load"
	net_start o "$@" || lab_bail "no network"
}

# With CACHES=1 each mount has a drive of its own.
cluster()
{
	local host options='' i=0

	cluster_start "$@"
	origin_start || lab_bail "the origin does not start"
	for host; do
		if [ "${CACHES-}" = 1 ]; then
			options=cache=/dev/nvme${i}n1
			"$gnsctl" cache format --force "${options#*=}" >&2 ||
				lab_bail "there is no drive for $host"
			i=$((i + 1))
		fi
		helper_start "$host" || lab_bail "the helper of $host does not start"
		gns_mount "$host" "$options" || lab_bail "$host does not mount"
	done
}

# The program writes commands to one pipe, and reads their status from another.
lab_run()
{
	local command asked answer pid status

	[ -p "$LAB/ask" ] || mkfifo "$LAB/ask" "$LAB/answer" || return
	"$@" 3>"$LAB/ask" 4<"$LAB/answer" &
	pid=$!
	exec {asked}<"$LAB/ask" {answer}>"$LAB/answer"
	while IFS= read -r -u "$asked" command; do
		eval "$command" >&2 {asked}<&- {answer}>&-
		echo "$?" >&"$answer"
	done
	exec {asked}<&- {answer}>&-
	wait "$pid"
	status=$?
	[ "$status" = 0 ] || lab_logs
	return "$status"
}
