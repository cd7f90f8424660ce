#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Samba on one satellite serves its mount, and an ext4; what a client does there
# is the same on both, and on the other satellite.
# vm: kernel=6.1 timeout=400

. "$GNS_TOP/selftests/programs/beside.sh"

if ! command -v smbd smbclient >/dev/null; then
	echo "1..0 # SKIP no Samba: tools/deps programs"
	exit 4
fi
beside
server=$(net_ip a)
for dir in "$L" "$A"; do
	mkdir -m 777 "$dir/share"
done
mkdir "$LAB/smb"
cat >"$LAB/smb.conf" <<-END
	[global]
	server role = standalone server
	map to guest = bad user
	guest account = root
	disable netbios = yes
	smb ports = 445
	load printers = no
	printcap name = /dev/null
	lock directory = $LAB/smb
	state directory = $LAB/smb
	cache directory = $LAB/smb
	pid directory = $LAB/smb
	private dir = $LAB/smb
	ncalrpc dir = $LAB/smb/rpc
	log file = $LAB/smbd.log
	client min protocol = SMB3
	[gns]
	path = $A/share
	[ext4]
	path = $L/share
END
sed -i '/^path/a guest ok = yes\nwritable = yes\nstrict sync = yes' \
	"$LAB/smb.conf"

# smb SHARE command...: by the client on the other host.
smb()
{
	local share=$1 words
	shift

	words=$(printf '%s;' "$@")
	on b smbclient -s "$LAB/smb.conf" -N "//$server/$share" -c "$words"
}

serves()
{
	smb gns ls && smb ext4 ls
} >"$LAB/serves" 2>&1

on a smbd -F --no-process-group -s "$LAB/smb.conf" </dev/null &
lab_until 60 serves
result $? "Samba serves both"

mkdir "$LAB/source" && cp -r "$GNS_TOP/tools" "$LAB/source" &&
	head -c 5000001 /dev/urandom >"$LAB/source/big"
for share in ext4 gns; do
	good "$share: a tree is sent" smb "$share" "recurse on" "prompt off" \
		"lcd $LAB/source" "mput *"
done
same "the other satellite has it" "$L/share" "$B/share"

for share in ext4 gns; do
	good "$share: names" smb "$share" "mkdir one" "cd one" "mkdir two" \
		"rename ../big three" "rmdir two" "cd .." "rename one four" \
		"del tools/deps" "lcd $LAB/source" "put tools/deps four/put" \
		"hardlink four/put five"
done
same "the same on both" "$L/share" "$B/share"

# What another satellite has changed is there for the client.
for dir in "$L/share" "$B/share"; do
	sed s/gns/another/ "$GNS_TOP/tools/gnsctl.c" >"$dir/tools/gnsctl.c"
	mv "$dir/four" "$dir/moved" && rm "$dir/five" && mkdir "$dir/new"
done
for share in ext4 gns; do
	mkdir "$LAB/got.$share"
	good "$share: all of it comes back" smb "$share" "recurse on" \
		"prompt off" "lcd $LAB/got.$share" "mget *"
done
same "the same from both" "$LAB/got.ext4" "$LAB/got.gns"
good "as the other satellite has" diff -r "$LAB/got.gns" "$B/share"

# A filesystem of the kernel as its client.
modprobe -q cifs
options=ip=$server,sec=none,vers=3.1.1,uid=0,gid=0,cache=none
for share in ext4 gns; do
	mkdir "$LAB/c.$share"
	good "$share: mounted" on b mount -i -t cifs -o "$options" \
		"//$server/$share" "$LAB/c.$share"
	good "$share: unpacked" tar -C "$LAB/c.$share" --no-same-owner -xf - \
		< <(tar -C "$GNS_TOP" -cf - kmod)
done
same "the other satellite has the same" "$L/share" "$B/share"
echo "by a client" >>"$LAB/c.gns/kmod/main.c"
cmp "$LAB/c.gns/kmod/main.c" "$B/share/kmod/main.c"
result $? "a line that it adds is there"
echo "by a satellite" >>"$B/share/kmod/main.c"
[ "$(tail -n 1 "$LAB/c.gns/kmod/main.c")" = "by a satellite" ]
result $? "a line that the satellite adds is there, too"
for share in ext4 gns; do
	good "$share: all of it goes" rm -r "$LAB/c.$share/kmod" \
		"$LAB/c.$share/moved"
done
[ "$(ls "$B/share")" = "$(ls "$L/share")" ]
result $? "and is gone on the other satellite"
umount "$LAB/c.ext4" "$LAB/c.gns"
lab_end
