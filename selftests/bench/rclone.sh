# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# rclone's mount of what rclone serves by WebDAV, to compare with: what is read
# is kept in files, as --vfs-cache-mode full has it. Sourced after
# ../lib/cluster.sh.
#
#	rclone_serve HOST DIR
#	rclone_stop HOST
#	rclone_mount HOST SERVER DIR CACHE	CACHE: an empty directory
#	rclone_umount HOST DIR

# shellcheck disable=SC2154 # sourced beside ../lib/cluster.sh
declare -A rclone_pid=()	# by host: the server, or the mount

# rclone_run HOST WORD...: in the background
rclone_run()
{
	local host=$1
	shift

	nsenter --net="/run/netns/$host" rclone --config "$LAB/rclone.conf" \
		"$@" >>"$LAB/rclone-$host.log" 2>&1 </dev/null &
	rclone_pid[$host]=$!
}

rclone_listens()
{
	on "$1" bash -c ": <>/dev/tcp/$2/8080" 2>/dev/null
}

rclone_serve()
{
	local server

	server=$(net_ip "$1")
	: >"$LAB/rclone.conf"
	rclone_run "$1" serve webdav "$2" --addr "$server:8080" --read-only
	lab_until 60 rclone_listens "$1" "$server"
}

rclone_stop()
{
	kill "${rclone_pid[$1]}" && wait "${rclone_pid[$1]}"
	unset "rclone_pid[$1]"
}

rclone_mount()
{
	mkdir -p "$3"
	rclone_run "$1" mount ":webdav,url='http://$(net_ip "$2"):8080':" "$3" \
		--vfs-cache-mode full --cache-dir "$4" --read-only
	lab_until 60 mountpoint -q "$3"
}

rclone_umount()
{
	umount "$2" && wait "${rclone_pid[$1]}"
	unset "rclone_pid[$1]"
}
