#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The daemon as its operator sees it: flags, messages, signals, restarts.
# HELPERD and PROBE are the programs to use, VERSION is what the first should be.
#
# shellcheck disable=SC2317 # what check() calls

set -u
dir=$(mktemp -d /tmp/test_daemon.XXXXXX)
pid=
notifier=
cases=0
failed=0

clean_up()
{
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	[ -z "$notifier" ] || kill "$notifier" 2>/dev/null
	rm -rf "$dir"
}
trap clean_up EXIT

# check NAME COMMAND...: a case
check()
{
	name=$1
	shift
	cases=$((cases + 1))
	if "$@"; then
		echo "ok $cases - $name"
		return
	fi
	echo "not ok $cases - $name"
	echo "# $*"
	sed 's/^/# /' "$dir/out" "$dir/log" 2>/dev/null
	failed=1
}

# says STATUS TEXT FLAGS...: it ends with STATUS and says TEXT
says()
{
	want=$1
	text=$2
	shift 2
	timeout 20 "$HELPERD" "$@" >"$dir/out" 2>&1
	got=$?
	[ "$got" -eq "$want" ] && grep -qF -e "$text" "$dir/out"
}

# until_log TEXT [N]: the log has it, N times
until_log()
{
	i=0
	while [ "$(grep -cF -e "$1" "$dir/log")" -lt "${2-1}" ]; do
		i=$((i + 1))
		[ "$i" -lt 200 ] || return 1
		sleep 0.05
	done
}

start()
{
	: >"$dir/log"
	"$HELPERD" --config "$dir/conf" "$@" 2>"$dir/log" &
	pid=$!
	until_log "listening on 127.0.0.1:" || return 1
	port=$(sed -n 's/.*listening on 127.0.0.1://p' "$dir/log")
}

# ends STATUS: it does, with that
ends()
{
	i=0
	while kill -0 "$pid" 2>/dev/null && [ "$i" -lt 400 ]; do
		# A dead child is a zombie until somebody waits for it.
		case $(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>&1) in
		Z) break ;;
		esac
		i=$((i + 1))
		sleep 0.05
	done
	[ "$i" -lt 400 ] || return 1
	wait "$pid" 2>/dev/null
	got=$?
	pid=
	[ "$got" -eq "$1" ]
}

# answers TEXT ARGS...: what probe says
answers()
{
	text=$1
	shift
	"$PROBE" "$port" "$@" >"$dir/out" 2>&1
	grep -qF -e "$text" "$dir/out"
}

# soon COMMAND...: within 10 s
soon()
{
	i=0
	until "$@"; do
		i=$((i + 1))
		[ "$i" -lt 200 ] || return 1
		sleep 0.05
	done
}

mode_is()
{
	[ "$(stat -c %a "$2")" = "$1" ]
}

# notified TEXT: systemd's socket got it
notified()
{
	i=0
	until grep -q -e "$1" "$dir/notes"; do
		i=$((i + 1))
		[ "$i" -lt 200 ] || return 1
		sleep 0.05
	done
}

same_handle()
{
	"$PROBE" "$port" mount first >"$dir/out" 2>&1
	[ "$(cat "$dir/out")" = "$handle" ]
}

flags_and_files()
{
	mkdir -p "$dir/a" "$dir/b"
	e=--export=a=$dir/a

	check "--help" says 0 "Usage: gns-helperd" --help
	check "--version" says 0 "gns-helperd $VERSION" --version
	check "unknown flag" says 2 "--what: unknown flag" --what
	check "nothing to serve" says 2 "nothing to serve" --config /dev/null \
		--satellite=no
	check "no loopback address" says 2 \
		"listen: 0.0.0.0:7117 is not a loopback address; there is no encryption yet: say insecure = yes if the network is trusted" \
		--config /dev/null "$e" --listen 0.0.0.0:7117
	check "--insecure" says 0 "is right" \
		--config /dev/null "$e" --listen 0.0.0.0 --insecure --check-config
	check "bad address" says 2 "listen: [::1 is not" \
		--config /dev/null "$e" --listen "[::1"
	check "export that is not there" says 2 "No such file" \
		--config /dev/null --export=a="$dir/none"
	check "export that is no directory" says 2 "Not a directory" \
		--config /dev/null --export=a=/dev/null
	printf '[daemon]\nlog_level = loud\n' >"$dir/conf"
	check "bad value in the file" says 2 \
		"$dir/conf:2: log_level: loud is not" --config "$dir/conf"
	printf '[origin]\n\nlisten = 127.0.0.1\ntll = 3\n' >"$dir/conf"
	check "unknown key in the file" says 2 \
		"$dir/conf:4: unknown key tll in [origin]" --config "$dir/conf"
	check "state that can not be made" says 1 "No such file" \
		--config /dev/null "$e" --listen 127.0.0.1:0 --state "$dir/x/y"
}

write_conf()
{
	cat >"$dir/conf" <<-END
		[daemon]
		state = $dir/state
		[origin]
		listen = 127.0.0.1:0
		ttl = $1
		[satellite]
		enable = no
		[export first]
		path = $dir/a
	END
}

# Without exports and without the module it waits; it is no origin then.
waits()
{
	: >"$dir/log"
	"$HELPERD" --config /dev/null --state "$dir/none" 2>"$dir/log" &
	pid=$!
	until_log "satellite role waits: /dev/gns: the kernel module is not loaded" &&
		[ ! -e "$dir/none" ] && ! grep -q listening "$dir/log"
}

# On a host with the module these would serve its mounts.
satellite()
{
	[ -e /dev/gns ] && return
	check "no module, and it must" says 1 "the kernel module is not loaded" \
		--config /dev/null --satellite=yes
	check "no module" waits
	[ -z "$pid" ] || kill -TERM "$pid"
	check "SIGTERM to one that waits" ends 0
}

serve()
{
	write_conf 1
	NOTIFY_SOCKET=$dir/sock
	export NOTIFY_SOCKET
	python3 -u -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode())' "$dir/sock" >"$dir/notes" &
	notifier=$!
	i=0
	while [ ! -S "$dir/sock" ] && [ "$i" -lt 200 ]; do
		i=$((i + 1))
		sleep 0.05
	done

	WATCHDOG_USEC=200000
	export WATCHDOG_USEC
	check "start" start
	unset WATCHDOG_USEC
	check "READY=1" notified "^READY=1"
	check "STATUS" notified "^STATUS=Serving 1 export$"
	check "WATCHDOG=1" notified "^WATCHDOG=1"
	check "state directory is 0700" mode_is 700 "$dir/state"
	check "key is 0600" mode_is 600 "$dir/state/handle.key"
	check "store is 0600" mode_is 600 "$dir/state/origin.db"
	check "a second one on the same state" says 1 \
		"in use by another gns-helperd" --config "$dir/conf"
	check "the port is taken" says 1 "Address already in use" \
		--config "$dir/conf" --state "$dir/other" \
		--listen "127.0.0.1:$port"
	check "HELLO" answers 1000 hello
	check "MOUNT of what is not there" answers "export" mount second
	handle=$("$PROBE" "$port" mount first)
	check "MOUNT" test -n "$handle"
	check "GETATTR" answers 40 getattr "$handle"
}

reload()
{
	write_conf 2
	printf '[export second]\npath = %s\n' "$dir/b" >>"$dir/conf"
	kill -HUP "$pid"
	check "reload" until_log "reload: done"
	check "RELOADING=1" notified "^RELOADING=1"
	check "READY=1 again" notified "^STATUS=Serving 2 exports$"
	check "ttl has changed" until_log "reload: ttl is 2 s"
	check "export was added" answers "" mount second
	# It is promised to nobody before it is durable.
	check "sessions have the new ttl" soon answers 2000 hello
	printf '[daemon]\nnonsense\n' >"$dir/conf"
	kill -HUP "$pid"
	check "reload of an error" until_log "nothing was changed"
	write_conf 2
	sed -i 's/127.0.0.1:0/127.0.0.1:1/' "$dir/conf"
	kill -HUP "$pid"
	check "what can not be changed is said" \
		until_log "listen can not be changed without"
	check "an export that is gone is said" \
		until_log "export second can not be taken back"
}

endings()
{
	kill -TERM "$pid"
	check "SIGTERM" ends 0
	check "STOPPING=1" notified "^STOPPING=1"
	write_conf 1
	check "restart" start
	check "same handle" same_handle
	kill -9 "$pid"
	check "kill -9" ends 137
	check "restart after kill -9" start
	check "same handle again" same_handle
	check "handle still names it" answers 40 getattr "$handle"
	kill -INT "$pid"
	check "SIGINT" ends 0
	printf x >"$dir/state/handle.key"
	check "key of the wrong length" says 1 "handle.key has not 16 bytes" \
		--config "$dir/conf"
}

flags_and_files
satellite
serve
reload
endings
echo "1..$cases"
exit $failed
