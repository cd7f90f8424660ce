#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Sizes, paths, links and listings up to their limits, beside ext4.
# vm: kernel=6.1 timeout=400

. "$GNS_TOP/selftests/programs/beside.sh"

# shellcheck disable=SC2154 # beside.sh says where they are
limits=$programs/programs-limits

# More than a moment's work for gns: nobody has it mounted yet.
links()
{
	mkdir "$1/links" && : >"$1/links/0" && python3 - "$1/links" <<-END
		import os, sys
		os.chdir(sys.argv[1])
		for i in range(1, 64995):
		    os.link("0", str(i))
	END
}

beside_disk 512 && links "$L" && links "$EXPORT" || lab_bail "no links"
cluster a b
"$limits" "$L" "$A" "$B"
