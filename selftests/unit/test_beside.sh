#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Who runs two machines (../vm/beside.c), with shells in place of machines: does
# it do what the one asks for the other, and does it leave anything behind?
# BESIDE is the program to use.
#
# shellcheck disable=SC2016 # for other shells
# shellcheck disable=SC2317 # what check() calls

set -u
dir=$(mktemp -d /tmp/test_beside.XXXXXX)
cases=0
failed=0

# Both say who they are. $0 is the directory, the other words are for a machine.
aside='echo $$ >>"$0/aside"; '
tested='echo $$ >"$0/tested"; '
port='for w; do case $w in socket,id=besideport,fd=*) fd=${w##*=} ;; esac; done
	ask() { echo "$*" >&"$fd"; while read -r -u "$fd" l; do
		echo "$l"; [[ $l != =* ]] || break; done; }; '

# begin ASIDE TESTED: in the background, as $pid
begin()
{
	rm -f "$dir"/*
	"$BESIDE" bash -c "$aside$1" "$dir" -- bash -c "$tested$2" "$dir" \
		>"$dir/out" 2>&1 </dev/null &
	pid=$!
	until_true [ -s "$dir/aside" ] && until_true [ -s "$dir/tested" ]
}

until_true()
{
	n=0
	until "$@"; do
		n=$((n + 1))
		[ "$n" -lt 600 ] || return
		sleep 0.1
	done
}

is_gone()
{
	! kill -0 "$(tail -n 1 "$1")" 2>/dev/null
}

both_gone()
{
	until_true is_gone "$dir/aside" && until_true is_gone "$dir/tested"
}

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
	sed 's/^/# /' "$dir/out"
	failed=1
}

# ends SIGNAL STATUS: sent to it
ends()
{
	begin 'exec sleep 60' 'exec sleep 60' && kill "-$1" "$pid" || return
	wait "$pid" 2>/dev/null
	[ $? = "$2" ] && both_gone
}

ends_with_tested()
{
	begin 'exec sleep 60' "${port}sleep 1; ask stop; exit 7" || return
	wait "$pid"
	[ $? = 7 ] && both_gone
}

ends_with_parent()
{
	rm -f "$dir"/*
	bash -c '"$@" & until [ -s "$0/aside" ] && [ -s "$0/tested" ]; do
		sleep 0.1; done; kill -9 $$' "$dir" \
		"$BESIDE" bash -c "${aside}exec sleep 60" "$dir" -- \
		bash -c "${tested}exec sleep 60" "$dir" >"$dir/out" 2>&1
	both_gone
}

# asks COMMANDS WANTED: of the one beside that answers each line with "= 3"
asks()
{
	begin "${port}echo '! ready' >&\$fd
		while read -r -u \$fd l; do echo \"| \$l\" >&\$fd; echo '= 3' >&\$fd; done" \
		"$port$1" || return
	wait "$pid"
	[ "$(tr '\n' ' ' <"$dir/out")" = "$2" ] && both_gone
}

# It is asked for when it has been tried in vain.
gives_up()
{
	begin 'exit 1' "${port}until [ \$(wc -l <\$0/aside) = 3 ] &&
		! kill -0 \$(tail -n 1 \$0/aside) 2>&-; do sleep 0.1; done
		ask boot" || return
	wait "$pid"
	[ "$(wc -l <"$dir/aside")" = "$1" ] && grep -q '^= 125' "$dir/out"
}

check "it is killed: so are both" ends KILL 137
check "it is told to end" ends TERM 143
check "the tested one ends, the other stands still" ends_with_tested
check "who started it is killed" ends_with_parent
check "a command for the agent" asks 'ask boot; ask run some words' \
	'= 0 | some words = 3 '
check "power off and on" asks \
	'ask boot; ask cut; ask run x; ask boot; ask run x' \
	'= 0 = 0 | the machine beside is not on = 125 = 0 | x = 3 '
check "no such command" asks 'ask boot; ask jump' \
	'= 0 | there is no such command = 125 '
# As often again as it was tried before it was asked for.
check "one that does not boot" gives_up 6
echo "1..$cases"
rm -rf "$dir"
exit $failed
