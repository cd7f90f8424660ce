#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# git: a repository cloned, checked out, changed and checked by two satellites
# in turn, and by a local filesystem.
# vm: kernel=stock timeout=300

. "$GNS_TOP/selftests/programs/beside.sh"

beside
git=(git -c user.name=Test -c user.email=test@localhost -c gc.auto=0
	-c core.checkStat=minimal -c init.defaultBranch=main
	-c advice.detachedHead=false)
export GIT_AUTHOR_DATE="2026-01-01T00:00:00Z"
export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE GIT_CONFIG_NOSYSTEM=1

# A history of some of this project's own files.
make_source()
{
	local src=$LAB/source

	mkdir "$src" && cd "$src" && "${git[@]}" init -q || return
	mkdir kmod && cp -r "$GNS_TOP/uapi" . &&
		cp "$GNS_TOP"/kmod/*.h "$GNS_TOP"/kmod/{lease,main}.c kmod &&
		"${git[@]}" add . && "${git[@]}" commit -qm one || return
	"${git[@]}" checkout -qb other &&
		"${git[@]}" mv kmod/lease.c kmod/renamed.c &&
		sed -i 's/gns/xyz/g' kmod/*.h && "${git[@]}" rm -q kmod/main.c &&
		ln -s renamed.c kmod/link && "${git[@]}" add . &&
		"${git[@]}" commit -qm two && "${git[@]}" checkout -q main
	cd "$LAB" || return
}

# Without what git keeps of stat(2), and what has a time in it.
tree_of()
{
	local dir=$1

	(cd "$dir" && find . -name .git -prune -o -type f -print0 | sort -z |
		xargs -0 sha256sum && "${git[@]}" log --all --format=%H &&
		"${git[@]}" status --porcelain)
}

alike()
{
	tree_of "$L/clone" >"$LAB/tree.l" && tree_of "$1/clone" >"$LAB/tree.g" &&
		diff "$LAB/tree.l" "$LAB/tree.g"
}

good "a repository" make_source
for dir in "$L" "$A"; do
	good "clone into ${dir#"$LAB/"}" \
		"${git[@]}" clone -q --no-hardlinks "$LAB/source" "$dir/clone"
done
good "fsck on the other satellite" \
	"${git[@]}" -C "$B/clone" fsck --full --strict
good "the same files on both" alike "$B"
for dir in "$L" "$B"; do
	good "checkout of a branch in ${dir#"$LAB/"}" \
		"${git[@]}" -C "$dir/clone" checkout -q -b work origin/other
done
good "the same on the first satellite" alike "$A"
for dir in "$L" "$A"; do
	echo "a line" >>"$dir/clone/kmod/gns.h"
	good "commit in ${dir#"$LAB/"}" \
		"${git[@]}" -C "$dir/clone" commit -qam three
done
good "the same on the second satellite" alike "$B"
good "everything packed" "${git[@]}" -C "$B/clone" repack -adq
good "fsck on the first one" "${git[@]}" -C "$A/clone" fsck --full --strict
good "a clone of the clone" "${git[@]}" clone -q "$A/clone" "$B/second"
good "which is whole" "${git[@]}" -C "$A/second" fsck --full --strict
lab_end
