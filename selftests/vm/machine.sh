# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The guest's kernel, initramfs and QEMU. For `run`, whose variables it uses.
#
# shellcheck disable=SC2154,SC2034

# What the guest needs to see its root and to talk.
boot_modules="virtio_pci 9pnet_virtio 9p overlay virtio_console"

guest_pid=
guest_fd=
boot_limit=180

find_kernel()
{
	local line

	while IFS= read -r line; do
		case $line in
		release=*)	release=${line#*=} ;;
		vmlinuz=*)	vmlinuz=${line#*=} ;;
		modules=*)	modules=${line#*=} ;;
		build=*)	build_dir=${line#*=} ;;
		esac
	done < <("$here/kernel" path "$kernel")
	[ -n "${build_dir-}" ] || die "no kernel '$kernel'"
	kmod_dir=$top/build/kmod-$(<"$build_dir/include/config/kernel.release")
	bugs_dir=${kmod_dir/%kmod-*/}bugs-${kmod_dir##*/kmod-}
}

# make_program FILE SOURCE...: static, as PID 1 has no libraries yet.
make_program()
{
	local to=$out/$1
	shift

	[ ! -e "$to" ] || [ -n "$(find "$here" -name '*.[ch]' -newer "$to")" ] ||
		return 0
	(cd "$here" && gcc -std=gnu11 -D_GNU_SOURCE -O2 -static -Wall -Wextra -Werror \
		-o "$to.$$" "$@") || die "$to does not build"
	mv "$to.$$" "$to"
}

# copy_modules DIR MODULE...: with what they need, in the order to load them.
copy_modules()
{
	local tmp=$1 name path word
	shift

	while read -r word path _; do
		[ "$word" = insmod ] || continue
		name=/m/$(basename "$path" .xz)
		[ ! -e "$tmp$name" ] || continue
		case $path in
		*.xz)	xz -dc "$path" >"$tmp$name" ;;
		*)	cp "$path" "$tmp$name" ;;
		esac
		echo "$name" >>"$tmp/modules.list"
	done < <(/sbin/modprobe -S "$release" -a --show-depends "$@")
}

# init, and modules for the root and for the machine's devices.
make_initramfs()
{
	local tmp list=$boot_modules

	make_program init init.c run.c klog.c
	make_program rtt rtt.c
	make_program spin spin.c
	[ -z "$m_net$m_beside" ] || list+=" virtio_net"
	[ -z "$m_nvme" ] || list+=" nvme"
	[ -z "$m_disk" ] || list+=" virtio_blk xfs"
	initramfs=$out/initramfs-$release${m_net:+-net}${m_nvme:+-nvme}
	initramfs+=${m_beside:+-beside}${m_disk:+-disk}.cpio
	[ "$initramfs" -nt "$out/init" ] &&
		{ [ -z "$modules" ] || [ "$initramfs" -nt "$modules/modules.dep" ]; } &&
		return
	tmp=$(mktemp -d "$out/initramfs.XXXXXX")
	cp "$out/init" "$tmp/init"
	mkdir "$tmp/dev" "$tmp/m"
	# shellcheck disable=SC2086 # a list of modules
	[ -z "$modules" ] || copy_modules "$tmp" $list
	(cd "$tmp" && find . | cpio --quiet -o -H newc) >"$initramfs.$$" ||
		die "cpio failed"
	mv "$initramfs.$$" "$initramfs"
	rm -rf "$tmp"
}

# KVM that is there may still not work: run SeaBIOS in it, which finds nothing
# to boot, resets the machine and so ends QEMU.
find_accel()
{
	# Without -erms and -fsrm, copies are not done byte by byte.
	local cpu="max,-erms,-fsrm,-la57,-smap"

	accel=${GNS_ACCEL-}
	[ -n "$accel" ] || { [ ! -e "$out/accel" ] || accel=$(<"$out/accel"); }
	if [ -z "$accel" ]; then
		accel=tcg
		[ -w /dev/kvm ] && (timeout 5 qemu-system-x86_64 -nodefaults \
			-no-user-config -machine q35 -accel kvm -cpu host \
			-display none -no-reboot -boot reboot-timeout=1 </dev/null; exit $?
		) >/dev/null 2>&1 && accel=kvm
		echo "$accel" >"$out/accel"
	fi
	if [ -n "$m_icount" ]; then
		accel_args=(-accel "tcg,thread=single,tb-size=512" -icount shift=0
			-cpu "$cpu" -smp 1)
	elif [ "$accel" = kvm ]; then
		accel_args=(-accel kvm -cpu host -smp 2)
	else
		accel_args=(-accel "tcg,thread=multi,tb-size=512" -cpu "$cpu" -smp 2)
	fi
}

nvme_args()
{
	local n size rate i file

	IFS=: read -r n size rate <<<"$1"
	for ((i = 0; i < ${n:-0}; i++)); do
		file=$work/nvme$i.img
		truncate -s "${size:-256}M" "$file"
		args+=(-drive "file=$file,if=none,id=nvme$i,format=raw,cache=unsafe${rate:+,throttling.bps-total=$rate}"
			-device "nvme,drive=nvme$i,serial=gns$i")
	done
}

# A drive behind a switch, one with memory of its own beside it (which stands in
# for a GPU), and another such one elsewhere, from which no way leads there.
peer_args()
{
	local i

	for i in 0 1 2; do
		truncate -s 96M "$work/peer$i.img"
		args+=(-drive "file=$work/peer$i.img,if=none,id=peer$i,format=raw,cache=unsafe")
	done
	args+=(-device "pcie-root-port,id=up,chassis=1,slot=1"
		-device "x3130-upstream,id=switch,bus=up"
		-device "xio3130-downstream,id=down0,bus=switch,chassis=2,slot=1"
		-device "xio3130-downstream,id=down1,bus=switch,chassis=2,slot=2"
		-device "pcie-root-port,id=far,chassis=3,slot=2"
		-device "nvme,drive=peer0,serial=drive,bus=down0"
		-device "nvme,drive=peer1,serial=near,bus=down1,cmb_size_mb=16"
		-device "nvme,drive=peer2,serial=far,bus=far,cmb_size_mb=16")
}

# set_machine TEST: the machine that this test wants; options overrule.
set_machine()
{
	local name=$1 m

	m_icount=
	want "$name" icount >/dev/null && m_icount=1
	find_accel
	m_mem=$(want "$name" mem) || m_mem=$mem
	m_nvme=$(want "$name" nvme) || m_nvme=
	m_nvme=${nvme:-$m_nvme}
	m_append=$(want "$name" append) || m_append=
	wants_leaks "$name" && m_append+=" kmemleak=on"
	m_append+=" $append"
	m_net=$hostnet
	want "$name" host-net >/dev/null && m_net=1
	m_disk=
	m_beside=
	want "$name" beside >/dev/null && m_beside=1
	m_peer=
	want "$name" peer >/dev/null && m_peer=1
	m=1024
	[ "$kernel" = debug ] && m=2048	# KASAN's shadow, kmemleak's records
	[ "$m_mem" -ge "$m" ] || m_mem=$m
	make_initramfs
	[ -z "$m_beside" ] || beside_machine
}

# The machine beside: always stock, for it is not what is tested. Its words in
# $beside_args; it boots from a job of its own, and its disk is $work/disk.
beside_machine()
{
	local release vmlinuz modules build_dir kmod_dir bugs_dir initramfs
	local kernel=stock m_net='' m_nvme='' m_disk=1 m_append='' m_mem=512
	local shell='' keep_going='' args

	make_program beside beside.c
	find_kernel
	make_initramfs
	machine_args "$work/beside.job"
	beside_args=("${args[@]}" -smp 1
		-chardev "file,id=console,path=$work/beside.log,append=on"
		-serial chardev:console -device virtio-serial-pci
		-chardev "file,id=verdict,path=$work/beside.tap,append=on"
		-device "virtserialport,chardev=verdict,name=gns.verdict"
		-drive "file=$work/disk,if=none,id=own,format=raw,cache=writeback"
		-device "virtio-blk-pci,drive=own")
	truncate -s 128m "$work/disk"
	{
		printf 'address\teth0 10.9.0.1\n'
		printf 'env\t%s\n' "GNS_TOP=$top" "GNS_KERNEL=$kernel"
		printf 'test\tbeside\t1000000\t-\t%s\n' \
			"$top/selftests/lib/beside-agent"
	} >"$work/beside.job"
}

# machine_args JOB: what all machines have, in $args.
machine_args()
{
	local job=$1

	args=(-nodefaults -no-user-config -no-reboot -display none -machine q35
		-m "$m_mem" "${accel_args[@]}"
		-kernel "$vmlinuz" -initrd "$initramfs"
		-append "console=ttyS0 quiet rdinit=/init gns.job=$job panic=-1 panic_on_warn=1 oops=panic softlockup_panic=1 hung_task_panic=1 no_timer_check mitigations=off nokaslr slab_nomerge $m_append"
		-fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
		-device "virtio-9p-pci,fsdev=root,mount_tag=host")
}

common_args()
{
	machine_args "$1"
	[ -z "$m_net" ] || args+=(-netdev "user,id=net" -device "virtio-net-pci,netdev=net,romfile=")
	nvme_args "$m_nvme"
	[ -z "$m_peer" ] || peer_args
	[ -z "$disk" ] || args+=(-drive "file=$disk,if=none,id=disk,format=raw,snapshot=on,cache=unsafe"
		-device "virtio-blk-pci,drive=disk")
	qemu=(qemu-system-x86_64)
	[ -z "$m_beside" ] ||
		qemu=("$out/beside" "${qemu[@]}" "${beside_args[@]}" -- "${qemu[@]}")
}

may_skip()
{
	awk -F ' *[|] *' -v step="vm-$kernel" -v name="$1" '
		$1 == step && ($2 == name || $2 == "*") { found = 1 }
		END { exit !found }' "$top/selftests/skips" 2>/dev/null
}

# write_job FILE TEST...: init.c has the format.
write_job()
{
	local job=$1 name flags
	shift

	{
		[ -z "$m_net" ] || printf 'address\teth0 10.0.2.15\nenv\tGNS_HOST=10.0.2.2\n'
		printf 'env\t%s\n' "GNS_TOP=$top" "GNS_KERNEL=$kernel" \
			"GNS_KMOD=$kmod_dir/kmod/gns.ko" "GNS_BUGS=$bugs_dir/bugs.ko"
		for name; do
			flags=-
			may_skip "$name" && flags=may-skip
			printf 'test\t%s\t%s\t%s\t%s\n' "$name" \
				"${test_timeout[$name]}" "$flags" "${test_cmd[$name]}"
		done
		[ -z "$shell" ] || printf 'shell\n'
		[ -z "$keep_going" ] || printf 'keep-going\n'
	} >"$job"
}

# Guests of one checkout take turns, for tests have time limits: two of them at
# a time where there are two cores, as a guest that waits for its clocks and
# links leaves half of them idle.
take_turn()
{
	local i n

	n=$(nproc)
	while :; do
		for ((i = 0; i < (n > 1 ? 2 : 1); i++)); do
			exec 5>"$out/guest.$i.lock"
			flock -n 5 && return
		done
		sleep 0.5
	done
}

# Its standard output is the verdict port, at $guest_fd.
start_guest()
{
	local work=$1 args qemu

	take_turn
	common_args "$2"
	args+=(-chardev "file,id=console,path=$work/console.log" -serial chardev:console
		-device virtio-serial-pci
		-chardev "file,id=verdict,path=/dev/stdout"
		-device "virtserialport,chardev=verdict,name=gns.verdict")
	exec {guest_fd}< <(exec "${qemu[@]}" "${args[@]}" </dev/null 2>"$work/qemu.log" 5>&-)
	guest_pid=$!
}

# After its last word the guest ends by itself; a hung one does not.
end_guest()
{
	local i

	[ -n "$guest_pid" ] || return 0
	for ((i = 0; i < 20; i++)); do
		kill -0 "$guest_pid" 2>/dev/null || break
		[ -n "${scanned-}${word[*]-}" ] || break
		sleep 0.1
	done
	kill -KILL "$guest_pid" 2>/dev/null
	wait "$guest_pid" 2>/dev/null
	exec 5>&-
	guest_pid=
	exec {guest_fd}<&-
}

shell_in_guest()
{
	local work=$1 args qemu

	write_job "$work/job"
	common_args "$work/job"
	[ ${#chosen[@]} = 0 ] ||
		echo "vm: the test: ${test_cmd[${chosen[0]}]}" >&2
	echo "vm: leave with exit, or with Ctrl-A X" >&2
	"${qemu[@]}" "${args[@]}" -serial mon:stdio
}
