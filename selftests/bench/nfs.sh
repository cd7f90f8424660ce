# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The kernel's own NFS server, to compare with, without its daemons: what
# mountd would answer is written into the caches beforehand.
#
#	nfs_serve HOST DIR		on a host of the lab; DIR is its only export
#	nfs3_serve HOST DIR		the same, by NFSv3 and nothing else
#	nfs_flags HOST DIR FLAGS	the same again, with other NFSEXP_*
#	nfs_stop HOST
#	nfs_mount HOST SERVER DIR [OPTION]	NFSv4.2
#	nfs3_mount HOST SERVER EXPORT DIR

# shellcheck disable=SC2154 # sourced beside ../lib/cluster.sh
nfs3=$GNS_TOP/build/obj/selftests/export/export-nfs3

nfs_serve()
{
	local host=$1 dir=$2 control=$LAB/nfsd forever=4102444800
	local versions=${3:--3 +4 +4.1 +4.2}

	modprobe -q -a nfsd nfsv3 nfsv4
	mkdir -p "$control"
	# No root squash, no subtree check, any port, it is number 0.
	on "$host" bash -e <<END
mount -t nfsd nfsd "$control"
for ip in 10.9.0.2 10.9.0.3; do
	echo "nfsd \$ip $forever lab" >/proc/net/rpc/auth.unix.ip/channel
done
echo "lab $dir $forever 9218 65534 65534 0" >/proc/net/rpc/nfsd.export/channel
echo 'lab 1 \\x00000000 $forever $dir' >/proc/net/rpc/nfsd.fh/channel
echo "$versions" >"$control/versions"
echo 10 >"$control/nfsv4gracetime"
echo "tcp 2049" >"$control/portlist"
echo 8 >"$control/threads"
END
}

nfs3_serve()
{
	on "$1" "$nfs3" rpcbind "$LAB/rpcbind" </dev/null &
	lab_until 10 test -e "$LAB/rpcbind" && nfs_serve "$1" "$2" "+3 -4"
}

nfs_flags()
{
	local host=$1 dir=$2 flags=$3 forever=4102444800

	on "$host" bash -e <<END
echo 1 >/proc/net/rpc/nfsd.export/flush
echo "lab $dir $forever $flags 65534 65534 0" >/proc/net/rpc/nfsd.export/channel
END
}

nfs_stop()
{
	on "$1" bash -ec "echo 0 >$LAB/nfsd/threads
		for c in nfsd.fh nfsd.export auth.unix.ip; do
			echo 1 >/proc/net/rpc/\$c/flush
		done"
}

nfs_mount()
{
	local host=$1 server

	server=$(net_ip "$2")
	mkdir -p "$3"
	on "$host" mount -i -t nfs4 -o "vers=4.2,proto=tcp,addr=$server,clientaddr=$(net_ip "$host")${4:+,$4}" \
		"$server:/" "$3"
}

nfs3_mount()
{
	mkdir -p "$4"
	on "$1" "$nfs3" mount "$(net_ip "$2")" "$LAB/nfsd" "$3" "$4"
}
