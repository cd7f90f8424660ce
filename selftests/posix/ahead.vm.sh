#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Small files that are read in the order of their directory's listing are
# fetched before they are opened; those that nobody is going to read are not.
# vm: mem=1024 timeout=300

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=../cache/lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

n=200
size=20000
m=$LAB/a

# afresh: nothing is known of files, and the counters are looked at
afresh()
{
	echo 3 >/proc/sys/vm/drop_caches
	ls -U "$m/$1" >"$LAB/names"
	ahead=$(count files_ahead)
	fetched=$(count fill_bytes)
}

# went FILES BYTES: so many were ahead, and so many bytes came
went()
{
	ahead=$(($(count files_ahead) - ahead))
	fetched=$(($(count fill_bytes) - fetched))
	[ "$ahead" -ge "$1" ] && [ $fetched = "$2" ] && return
	echo "# $ahead files ahead, $fetched bytes"
	return 1
}

# same NAME... : all of it is read, in this order
same()
{
	local name

	for name; do
		cmp "$m/$dir/$name" "$EXPORT/$dir/$name" >&2 || return
	done
}

# make_all DIR FILES BYTES
make_all()
{
	mkdir -p "$EXPORT/$1"
	head -c $(($2 * $3)) /dev/urandom |
		split -a 4 -b "$3" - "$EXPORT/$1/"
}

make_all small $n $size
make_all many 3000 100
make_all large 12 2097152
cluster a b

dir=small
afresh small
mapfile -t names <"$LAB/names"
same "${names[@]}" && went $((n * 9 / 10)) $((n * size))
result $? "in order: $ahead of $n files came ahead, each once"

afresh small
export m dir EXPORT
# shellcheck disable=SC2016 # for the other shell
xargs -a "$LAB/names" -n 1 -P 4 sh -c 'cmp "$m/$dir/$1" "$EXPORT/$dir/$1"' - &&
	went $((n / 2)) $((n * size))
result $? "four readers: $ahead"

afresh small
for name in "${names[@]}"; do
	: <"$m/small/$name"
done
went 0 0 && [ $ahead = 0 ]
result $? "what is opened only is not fetched"

afresh small
same "${names[@]:0:50}" && lab_sleep 1 &&
	more=$((($(count fill_bytes) - fetched) / size - 50)) &&
	[ $more -gt 0 ] && [ $more -le 64 ]
result $? "who stops has $more files that he has not read"

afresh small
same "${names[@]:0:20}" && cp "$EXPORT/small/aaaa" "$LAB/b/small/${names[25]}" &&
	same "${names[@]:20}"
result $? "what is changed after it was fetched is fetched again"

dir=many
afresh many
mapfile -t names < <(shuf "$LAB/names" | head -n 200)
same "${names[@]}" && went 0 $(((200 + $(count files_ahead) - ahead) * 100)) &&
	[ "$ahead" -lt 100 ]
result $? "in no order: $ahead of 200"

dir=large
afresh large
mapfile -t names <"$LAB/names"
same "${names[@]}" && went 0 $((12 * 2097152)) && [ "$ahead" = 0 ]
result $? "large files are not fetched ahead"
lab_end
