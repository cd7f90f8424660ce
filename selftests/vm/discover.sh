# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which tests there are, and what machine each wants. For `run`, whose variables
# it uses.
#
# selftests/<folder>/<name>.vm.sh is a test; what it wants stands in its first
# lines after "# vm:". A program is one by a line in selftests/<folder>/vm.list:
#
#	name | command, its path relative to the top | wants
#
# Wants, all optional: kernel=stock,debug (default: all) mem=MIB
# nvme=N[:MIB[:BYTES]] host-net beside peer icount timeout=SECONDS append=TEXT
# own-boot
# leaks (on debug, look for leaked memory, which makes all three times as slow)
# full=debug,6.1 (on these kernels for check-full only: see --short and --rest)
#
# shellcheck disable=SC2154,SC2034

declare -A test_cmd=()		# by test: command
declare -A test_wants=()	# by test: words as above
declare -A test_timeout=()	# by test: seconds
declare -A test_again=()	# by test: what to say to run it, if not its name
chosen=()			# the tests of this run
group=()			# those of them that share the next boot

# add_script NAME PATH
add_script()
{
	local name=$1 path=$2 line i wants=

	for ((i = 0; i < 20; i++)); do
		IFS= read -r line || break
		case $line in
		"# vm:"*)	wants+=" ${line#\# vm:}" ;;
		esac
	done <"$path"
	test_cmd[$name]=$path
	test_wants[$name]=$wants
}

add_list()
{
	local list=$1 folder name cmd wants

	folder=${list%/*}
	folder=${folder##*/}
	while IFS='|' read -r name cmd wants _; do
		case $name in
		'' | '#'*) continue ;;
		esac
		read -r name <<<"$name"
		read -r cmd <<<"$cmd"
		test_cmd[$folder/$name]=$top/$cmd
		test_wants[$folder/$name]=$wants
	done <"$list"
}

all_tests()
{
	local path name

	if [ -n "$from" ]; then
		add_list "$from"
	else
		for path in "$top"/selftests/*/*.vm.sh; do
			[ -e "$path" ] || continue
			name=${path#"$top"/selftests/}
			add_script "${name%.vm.sh}" "$path"
		done
		for path in "$top"/selftests/*/vm.list; do
			[ ! -e "$path" ] || add_list "$path"
		done
	fi
	mapfile -t names < <(printf '%s\n' "${!test_cmd[@]}" | sort)
}

# want NAME KEY: prints the value of KEY in what the test wants; fails if none.
want()
{
	local word

	[ -n "$1" ] || return 1
	for word in ${test_wants[$1]-}; do
		case $word in
		"$2")	return 0 ;;
		"$2="*)	echo "${word#*=}"; return 0 ;;
		esac
	done
	return 1
}

wants_kernel()
{
	local list

	list=$(want "$1" kernel) || return 0
	[[ ,$list, == *,$kernel,* ]]
}

# Is it for check-full only, on this kernel?
is_long()
{
	local list

	list=$(want "$1" full) && [[ ,$list, == *,$kernel,* ]]
}

left_out()
{
	case $share in
	short)	is_long "$1" ;;
	rest)	! is_long "$1" ;;
	*)	return 1 ;;
	esac
}

list_tests()
{
	local name

	all_tests
	for name in "${names[@]}"; do
		[ -z "$name" ] || echo "$name ${test_wants[$name]}"
	done
}

# choose PATTERN: adds what a word of the command line means.
choose()
{
	local word=$1 name found=

	for name in "${names[@]}"; do
		case $name in
		"$word" | "$word"/* | */"$word") ;;
		*) continue ;;
		esac
		found=1
		# A folder means the tests of it that fit; a name is an order.
		[[ $name == "$word"/* ]] && ! wants_kernel "$name" && continue
		chosen+=("$name")
	done
	[ -z "$found" ] || return 0
	if [ -f "$word" ] && [ -x "$word" ]; then
		name=$(basename "$word" .vm.sh)
		add_script "$name" "$(realpath "$word")"
		test_again[$name]=$word
		chosen+=("$name")
		return 0
	fi
	echo "vm: no test '$word'; try --list" >&2
	return 1
}

# limit_of TEST: seconds; the debug kernel takes three times as long for all.
limit_of()
{
	local sec

	sec=$(want "$1" timeout) || sec=60
	[ "$kernel" != debug ] || sec=$((sec * 3))
	echo "$sec"
}

# choose_part I N: keeps the Ith of $chosen, and every Nth behind it.
choose_part()
{
	local i=$1 n=$2 kept=()

	if ! [[ $i =~ ^[0-9]+$ && $n =~ ^[0-9]+$ ]] || ((i < 1 || i > n)); then
		echo "vm: --part is I/N, with I from 1 to N" >&2
		return 1
	fi
	for ((i--; i < ${#chosen[@]}; i += n)); do
		kept+=("${chosen[i]}")
	done
	chosen=("${kept[@]}")
}

find_tests()
{
	local name word

	all_tests
	for name in "${names[@]}"; do
		[ -n "$all" ] && [ -n "$name" ] && wants_kernel "$name" &&
			! left_out "$name" && chosen+=("$name")
	done
	for word; do
		choose "$word" || return 1
	done
	[ -z "$part" ] || choose_part "${part%/*}" "${part#*/}" || return 1
	for name in "${chosen[@]}"; do
		test_timeout[$name]=${timeout:-$(limit_of "$name")}
	done
	waiting=("${chosen[@]}")
}

# Is leaked memory looked for in this test? $leaks is what the user says.
wants_leaks()
{
	[ "$kernel" = debug ] || return 1
	case $leaks in
	yes)	return 0 ;;
	no)	return 1 ;;
	esac
	want "$1" leaks >/dev/null
}

machine_key()
{
	local key word

	key=
	! wants_leaks "$1" || key+=" leaks"
	for word in ${test_wants[$1]}; do
		case $word in
		mem=* | nvme=* | append=* | host-net | beside | peer | icount) key+=" $word" ;;
		own-boot) key+=" $1" ;;
		esac
	done
	echo "$key"
}

# May a test that wants nothing share this machine? A command line and a boot of
# its own are wanted for a reason, and with kmemleak and counted instructions all
# is slow; more memory or a drive does no harm.
is_shared()
{
	[[ " $1 " != *" append="* && " $1 " != *" leaks "* &&
		" $1 " != *" icount "* && " $1" != *" $2" ]]
}

# Moves the tests of one boot from $waiting to $group.
next_group()
{
	local name key mine first left=()

	[ ${#waiting[@]} -gt 0 ] || return 1
	first=${waiting[0]} key=
	for name in "${waiting[@]}"; do
		key=$(machine_key "$name")
		first=$name
		[ -z "$key" ] || break
	done
	group=()
	for name in "${waiting[@]}"; do
		mine=$(machine_key "$name")
		if [ "$mine" = "$key" ] ||
			{ [ -z "$mine" ] && is_shared "$key" "$first"; }; then
			group+=("$name")
		else
			left+=("$name")
		fi
	done
	waiting=("${left[@]}")
	machine_of=$first
}
