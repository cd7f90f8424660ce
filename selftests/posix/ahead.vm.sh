#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Small files that are read in the order of their directory's listing, or of
# their names, are fetched before they are opened; those that nobody is going to
# read are not. And what is read ahead of a large file lies in large folios.
# vm: mem=1024 timeout=240

# shellcheck source-path=SCRIPTDIR source=../lib/cluster.sh disable=SC2154
. "$GNS_TOP/selftests/lib/cluster.sh"
# shellcheck source=../cache/lib.sh
. "$GNS_TOP/selftests/cache/lib.sh"

n=80
more=200	# than one answer tells of
size=20000
m=$LAB/a

rests()
{
	local before

	before=$(count fill_bytes)
	lab_sleep 0.3
	[ "$(count fill_bytes)" = "$before" ]
}

# afresh: nothing is known of files, and the counters are looked at
afresh()
{
	lab_until 20 rests
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
	cmp <(cd "$m/$dir" && cat -- "$@") <(cd "$EXPORT/$dir" && cat -- "$@") >&2
}

# make_all DIR FILES BYTES
make_all()
{
	mkdir -p "$EXPORT/$1"
	head -c $(($2 * $3)) /dev/urandom |
		split -a 4 -b "$3" - "$EXPORT/$1/"
}

make_all small $more $size
make_all many 1000 100
make_all large 4 2097152
head -c 50331648 /dev/urandom >"$EXPORT/file"
mkdir "$EXPORT/numbers"
for ((i = 0; i < n; i++)); do
	printf "%${size}d" $i >"$EXPORT/numbers/$i"
done
cluster a b

dir=numbers
afresh numbers
mapfile -t names < <(seq 0 $((n - 1)))
same "${names[@]}" && went $((n * 8 / 10)) $((n * size))
result $? "by numbers: $ahead of $n files came ahead, each once"

afresh numbers
mapfile -t names < <(sort "$LAB/names")
same "${names[@]}" && went $((n * 6 / 10)) $((n * size))
result $? "as ls(1) sorts them: $ahead"

afresh numbers
(cd "$m/numbers" && xargs -a "$LAB/names" -n 5 -P 4 cat >/dev/null) &&
	went $((n / 2)) $((n * size))
result $? "four readers: $ahead"

dir=small
afresh small
mapfile -t names <"$LAB/names"
same "${names[@]}" && went $((more * 9 / 10)) $((more * size))
result $? "in the order of the listing: $ahead of $more"

afresh small
for name in "${names[@]}"; do
	: <"$m/small/$name"
done
went 0 0 && [ $ahead = 0 ]
result $? "what is opened only is not fetched"

# Pages go, and names stay.
lab_until 20 rests
ahead=$(count files_ahead)
echo 1 >/proc/sys/vm/drop_caches
same "${names[@]}" && [ $(($(count files_ahead) - ahead)) -gt $((more * 8 / 10)) ]
result $? "a second time, too"

afresh small
head -q -c 100 "$m"/small/* >/dev/null && went 0 $((more * size)) && [ $ahead = 0 ]
result $? "nor is what somebody reads the begins of"

in_memory()
{
	fincore -nbo res "$m/small/${names[$1]}" | tr -d ' '
}

chmod 600 "$LAB/b/small/${names[12]}"
afresh small
(cd "$m/small" && setpriv --reuid 1000 --clear-groups \
	cat "${names[@]:0:10}") >/dev/null && lab_until 20 rests &&
	[ "$(in_memory 11)" -gt 0 ] && [ "$(in_memory 12)" = 0 ] &&
	[ "$(in_memory 13)" -gt 0 ]
result $? "nor what the reader may not read"

afresh small
same "${names[@]:0:40}" && lab_until 20 rests &&
	unread=$((($(count fill_bytes) - fetched) / size - 40)) &&
	[ $unread -gt 0 ] && [ $unread -le 64 ]
result $? "who stops has $unread files that he has not read"

afresh small
same "${names[@]:0:20}" && lab_until 20 rests &&
	[ "$(count fill_bytes)" -gt $((fetched + 26 * size)) ] &&
	cp "$EXPORT/small/aaaa" "$LAB/b/small/${names[25]}" &&
	same "${names[@]:20:20}"
result $? "what is changed after it was fetched is fetched again"

dir=many
afresh many
mapfile -t names < <(shuf "$LAB/names" | head -n 100)
same "${names[@]}" &&
	[ "$(count fill_bytes)" -lt $((fetched + 150 * 100)) ]
result $? "in no order: few come that nobody reads"

dir=large
afresh large
mapfile -t names <"$LAB/names"
same "${names[@]}" && went 0 $((4 * 2097152)) && [ "$ahead" = 0 ]
result $? "large files are not fetched ahead"

# Who reads 4 KiB at a time gets large folios, too.
added=/sys/kernel/tracing/events/filemap/mm_filemap_add_to_page_cache
mountpoint -q /sys/kernel/tracing ||
	mount -t tracefs tracefs /sys/kernel/tracing || lab_bail "no tracing"
echo 16384 >/sys/kernel/tracing/buffer_size_kb
echo "i_ino == $(stat -c %i "$m/file")" >$added/filter && echo 1 >$added/enable
dd if="$m/file" bs=4k status=none | cmp - "$EXPORT/file"
status=$?
echo 0 >$added/enable
large=$(grep -c 'order=[89]$' /sys/kernel/tracing/trace)
[ $status = 0 ] && [ "$large" -ge 12 ]
result $? "$large folios of 1 or 2 MiB in a file of 48, by small reads"
lab_end
