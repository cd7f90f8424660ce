#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# SQLite and LMDB: filled, killed and checked by two satellites in turn, with
# the results that ext4 gives.
# vm: kernel=stock timeout=240

. "$GNS_TOP/selftests/programs/beside.sh"

beside

work()
{
	cat <<-END
		PRAGMA journal_mode=$1;
		PRAGMA synchronous=FULL;
		CREATE TABLE t(id INTEGER PRIMARY KEY, k TEXT, v BLOB);
		CREATE INDEX byk ON t(k);
		BEGIN;
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n
			WHERE i < 600)
		INSERT INTO t SELECT i, 'key' || (i * 7919 % 1009),
			zeroblob(i % 700) FROM n;
		COMMIT;
	END
}

more()
{
	cat <<-END
		UPDATE t SET v = k || v WHERE id % 5 = 0;
		DELETE FROM t WHERE id % 7 = 3;
		INSERT INTO t SELECT id + 100000, k || 'x', v FROM t
			WHERE id % 3 = 0;
		CREATE TABLE u AS SELECT k, count(*) c, sum(length(v)) s
			FROM t GROUP BY k ORDER BY k;
		VACUUM;
	END
}

dump()
{
	sqlite3 "$1" "PRAGMA integrity_check" .dump | sha256sum
}

run_sql()
{
	sqlite3 -bail "$1"
}

# sqlite MODE FILE: on both, then compared; on gns by a, b and a.
sqlite()
{
	local mode=$1 file=$2 dir

	for dir in "$L" "$A"; do
		good "SQLite, $mode: filled in ${dir##*/}" \
			run_sql "$dir/$file" < <(work "$mode")
	done
	for dir in "$L" "$B"; do
		good "SQLite, $mode: changed in ${dir##*/}" \
			run_sql "$dir/$file" < <(more)
	done
	[ "$(dump "$L/$file")" = "$(dump "$A/$file")" ]
	result $? "SQLite, $mode: whole and the same as on ext4"
	cmp -s "$L/$file" "$B/$file"
	result $? "SQLite, $mode: the same bytes on the other satellite"
}

# It is to be played back from when its first byte is there.
is_hot()
{
	[[ $(head -c 1 "$B/delete-journal" 2>/dev/null | od -An -tx1) == *d9* ]]
}

# A writer that dies in its transaction leaves a journal that is to be played
# back by whoever comes next.
killed()
{
	local before pid sql

	before=$(dump "$A/delete")
	mkfifo "$LAB/sql"
	exec {sql}<>"$LAB/sql"
	sqlite3 "$A/delete" <"$LAB/sql" >/dev/null {sql}>&- &
	pid=$!
	cat >&"$sql" <<-END
		PRAGMA cache_size=10;
		BEGIN IMMEDIATE;
		UPDATE t SET v = zeroblob(900);
	END
	lab_until 60 is_hot
	result $? "SQLite: a journal of what is not committed"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	exec {sql}>&-
	[ "$(dump "$B/delete")" = "$before" ]
	result $? "SQLite: played back by the other satellite"
	[ ! -e "$A/delete-journal" ]
	result $? "SQLite: and gone on the first one"
	[ "$(dump "$A/delete")" = "$before" ]
	result $? "SQLite: which has the same"
}

# Both at the same time, which is a matter of locks.
count()
{
	printf 'UPDATE counter SET n = n + %d;\n' 1 1 1 1 1 1 1 1 |
		sqlite3 -bail -cmd ".timeout 100000" "$1/counter"
}

together()
{
	local pid

	run_sql "$A/counter" <<<"CREATE TABLE counter AS SELECT 0 AS n"
	count "$A" &
	pid=$!
	good "SQLite: one counts" count "$B"
	wait "$pid"
	result $? "SQLite: another one, too"
	[ "$(sqlite3 "$A/counter" "SELECT n FROM counter")" = 16 ]
	result $? "SQLite: and none is lost"
}

together
sqlite delete delete
killed
sqlite persist persist
# Its index is in memory that is shared, unless there is one user only.
! sqlite3 -bail "$A/refused" "PRAGMA journal_mode=wal" "CREATE TABLE t(x)" \
	>/dev/null 2>&1
result $? "SQLite: WAL is refused"
[[ $(sqlite3 "$A/wal" "PRAGMA locking_mode=exclusive" \
	"PRAGMA journal_mode=wal" "CREATE TABLE t(x)") == *wal ]]
result $? "SQLite: WAL for one user"
[[ $(sqlite3 "$B/wal" "PRAGMA locking_mode=exclusive" \
	"PRAGMA integrity_check") == *ok ]]
result $? "SQLite: WAL, whole on the other satellite"

# shellcheck disable=SC2154 # beside.sh says where they are
lmdb=$programs/programs-lmdb
for dir in "$L" "$A"; do
	good "LMDB: filled in ${dir##*/}" "$lmdb" fill "$dir/lmdb" 0 200
done
for dir in "$L" "$B"; do
	good "LMDB: changed in ${dir##*/}" "$lmdb" fill "$dir/lmdb" 200 150
done
[ "$("$lmdb" sum "$L/lmdb")" = "$("$lmdb" sum "$A/lmdb")" ]
result $? "LMDB: whole and the same as on ext4"
[ "$("$lmdb" sum "$L/lmdb")" = "$("$lmdb" sum "$B/lmdb")" ]
result $? "LMDB: the same on the other satellite"
[ "$("$lmdb" lock "$A/lmdb")" = ENODEV ]
result $? "LMDB: its lock file can not be mapped"
lab_end
