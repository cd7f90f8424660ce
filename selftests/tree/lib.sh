# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by scripts that start gns-helperd for a while: the daemon runs on a
# free loopback port with a state directory of its own, and goes with the
# script.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
helperd=$top/build/obj/helperd/gns-helperd
tree_bin=$top/build/obj/selftests/tree
tmp=$(mktemp -d "${TMPDIR:-/tmp}/gns.XXXXXX")
daemon=

tree_cleanup()
{
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
	[ -z "$daemon" ] || wait "$daemon" 2>/dev/null || true
	rm -rf "$tmp"
}
trap tree_cleanup EXIT

tree_build()
{
	make -s -C "$top/helperd" >"$tmp/make.log" 2>&1 &&
		make -s -C "$top/selftests/tree" >>"$tmp/make.log" 2>&1 || {
		cat "$tmp/make.log"
		echo "Bail out! the build failed"
		exit 1
	}
}

# A loopback port that nobody listens on now.
free_port()
{
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# helperd_start [option...]: sets port and daemon; waits until it listens.
helperd_start()
{
	local i

	port=$(free_port)
	"$helperd" --listen "127.0.0.1:$port" --state "$tmp/state" "$@" \
		>"$tmp/helperd.log" 2>&1 &
	daemon=$!
	for ((i = 0; i < 100; i++)); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			return 0
		fi
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.1
	done
	cat "$tmp/helperd.log"
	echo "Bail out! gns-helperd does not listen"
	exit 1
}
