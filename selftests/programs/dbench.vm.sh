#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# dbench: the load of a file server, on both satellites at the same time.
# vm: kernel=6.1 timeout=400 mem=2048

. "$GNS_TOP/selftests/programs/beside.sh"

if ! command -v dbench >/dev/null; then
	echo "1..0 # SKIP no dbench: tools/deps programs"
	exit 4
fi
beside 1024
load()
{
	mkdir "$1/$2" && dbench -c /usr/share/dbench/client.txt -D "$1/$2" \
		-t 30 2
}

good "dbench on ext4" load "$L" one
load "$A" one >"$LAB/one" 2>&1 &
good "dbench on one satellite" load "$B" two
wait $!
result $? "dbench on the other one meanwhile"
grep -h ^Throughput "$LAB/one" "$LAB/output" | sed 's/^/# /'
for dir in "$A/one" "$B/two"; do
	good "what it left goes: ${dir##*/}" rm -r "$dir"
done
[ -z "$(ls "$A")$(ls "$B")" ]
result $? "all of it is gone"
lab_end
