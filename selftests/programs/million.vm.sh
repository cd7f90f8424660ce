#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A directory of a million entries, on two satellites, beside the origin's ext4.
#
#	million.vm.sh [COUNT]
#
# vm: kernel=6.1 timeout=1500 mem=3072

. "$GNS_TOP/selftests/programs/beside.sh"

count=${1:-200000}
# shellcheck disable=SC2154 # beside.sh says where they are
million=$programs/programs-million
# Nobody has it mounted yet: more than a moment's work for gns.
beside_disk $((count / 2500 + 600)) $((count + 1000)) &&
	"$million" make "$EXPORT/many" "$count" || lab_bail "no $count files"
cluster a b
"$million" list "$count" "$EXPORT/many" "$A/many" "$B/many"
