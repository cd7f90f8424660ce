#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# PostgreSQL: a cluster made by one satellite, with pages that have checksums;
# killed there and recovered by the other one; the results those of ext4.
# vm: kernel=6.1 timeout=1500 mem=2048

. "$GNS_TOP/selftests/programs/beside.sh"

bin=$(echo /usr/lib/postgresql/*/bin)
if [ ! -x "$bin/initdb" ]; then
	echo "1..0 # SKIP no PostgreSQL: tools/deps programs"
	exit 4
fi
beside 1024
mkdir -m 777 "$LAB/sockets"
chmod 755 "$LAB" "$LAB/disk"

as()
{
	setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
}

# Its sockets are elsewhere; memory that its processes share is of no file.
start()
{
	as "$bin/pg_ctl" -D "$1" -l "$1/log" -w -t 300 start -o \
		"-k $LAB/sockets -c listen_addresses= -c shared_buffers=4MB
		-c dynamic_shared_memory_type=sysv -c max_connections=10
		-c checkpoint_timeout=30s -c full_page_writes=on"
}

stop()
{
	as "$bin/pg_ctl" -D "$1" -w -t 300 stop -m "${2:-fast}"
}

sql()
{
	as "$bin/psql" -h "$LAB/sockets" -d postgres -qAtX -v ON_ERROR_STOP=1 \
		-c "$1"
}

# The same ones each time.
bench()
{
	as "$bin/pgbench" -h "$LAB/sockets" -n -c 1 -t "$1" \
		--random-seed="$2" postgres
}

init()
{
	mkdir -m 700 "$1" && chown postgres:postgres "$1" &&
		as "$bin/initdb" -D "$1" -k -E UTF8 --locale=C -A trust
}

state()
{
	sql "SELECT count(*), sum(abalance), sum(aid::bigint * abalance)
		FROM pgbench_accounts" &&
		sql "SELECT sum(tbalance) FROM pgbench_tellers" &&
		sql "SELECT count(*), sum(delta) FROM pgbench_history"
}

balanced()
{
	[ "$(sql "SELECT count(DISTINCT s) FROM (
		SELECT sum(abalance) s FROM pgbench_accounts UNION ALL
		SELECT sum(tbalance) FROM pgbench_tellers UNION ALL
		SELECT sum(bbalance) FROM pgbench_branches UNION ALL
		SELECT sum(delta) FROM pgbench_history) x")" = 1 ]
}

# run PLACE MADE_IN RECOVERED_IN: the whole life of a cluster; its state.
run()
{
	local name=$1 first=$2/pg second=$3/pg

	good "$name: initdb" init "$first" || return
	good "$name: start" start "$first" || return
	good "$name: tables" as "$bin/pgbench" -h "$LAB/sockets" -i -q -s 1 \
		postgres
	good "$name: transactions" bench 150 11
	good "$name: the sums agree" balanced
	# Without a word to the disk: what was committed is in its log.
	good "$name: killed" stop "$first" immediate
	good "$name: recovered" start "$second" || return
	good "$name: the sums agree" balanced
	good "$name: more transactions" bench 50 12
	good "$name: the indexes are whole" sql "CREATE EXTENSION amcheck;
		SELECT bt_index_check(oid, true) FROM pg_class
		WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace"
	state >"$LAB/state.$name"
	good "$name: stopped" stop "$second"
	good "$name: every page has its checksum" \
		as "$bin/pg_checksums" --check -D "$first"
}

run ext4 "$L" "$L"
run gns "$A" "$B"
diff "$LAB/state.ext4" "$LAB/state.gns"
result $? "the same in the end"
lab_end
